"""Failures and logs of a handler look as they do on AWS."""

from __future__ import annotations

import json
import re

import pytest

from tests.sandbox.workers_support import ECHO, REQUEST_ID, Launcher, ended


def test_missing_package_is_an_import_error_of_the_runtime(box: Launcher) -> None:
    failure = box.run("import pydantic\n" + ECHO).failure
    assert failure["errorType"] == "Runtime.ImportModuleError"
    assert failure["errorMessage"] == "Unable to import module 'app': No module named 'pydantic'"


def test_syntax_error_is_a_user_code_syntax_error(box: Launcher) -> None:
    failure = box.run("def handler(:\n").failure
    assert failure["errorType"] == "Runtime.UserCodeSyntaxError"
    assert failure["errorMessage"].startswith("Syntax error in module 'app': ")
    assert failure["stackTrace"][0].startswith('  File "/var/task/app.py" Line 1')


def test_whatever_is_logged_or_raised_names_the_paths_of_lambda(box: Launcher) -> None:
    source = """
import json, logging, traceback
def handler(event, context):
    try:
        1 / 0
    except ZeroDivisionError:
        print(json.dumps({"stack": traceback.format_exc()}))
        logging.getLogger().exception("caught")
    print(__file__)
    raise ValueError(__file__)
"""
    for form in ("Text", "JSON"):
        reply = box.invoke(box.function(source, LoggingConfig={"LogFormat": form}))
        assert reply.failure["errorMessage"] == "/var/task/app.py"
        assert str(box.tmp) not in reply.log
        assert reply.log.count("/var/task/app.py") >= 4


def test_import_error_names_the_path_of_lambda(box: Launcher) -> None:
    source = "from helper import gone\n" + ECHO
    failure = box.run(source, files={"helper": "a = 1\n"}).failure
    assert failure["errorMessage"].endswith("from 'helper' (/var/task/helper.py)")


@pytest.mark.parametrize(
    ("handler", "kind", "message"),
    [
        ("app.other", "Runtime.HandlerNotFound", "Handler 'other' missing on module 'app'"),
        ("none.x", "Runtime.ImportModuleError", "Unable to import module 'none': No module"),
        ("handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys"),
    ],
)
def test_handler_that_cannot_be_found_is_named(
    box: Launcher, handler: str, kind: str, message: str
) -> None:
    failure = box.run(ECHO, handler=handler).failure
    assert failure["errorType"] == kind
    assert failure["errorMessage"].startswith(message)


def test_handler_may_be_named_with_slashes(box: Launcher) -> None:
    assert (
        box.run("", 5, handler="package/module.handler", files={"package___module": ECHO}).ok == 5
    )


def test_exception_while_loading_keeps_its_type(box: Launcher) -> None:
    reply = box.run("import os\nos.environ['NOT_DECLARED']\n")
    assert reply.failure["errorType"] == "KeyError"
    assert reply.failure["errorMessage"] == "'NOT_DECLARED'"
    assert '  File "/var/task/app.py", line 2' in reply.failure["stackTrace"][0]
    assert "[ERROR] KeyError: 'NOT_DECLARED'" in reply.log


def test_exception_of_a_handler_keeps_type_message_trace_and_request(box: Launcher) -> None:
    source = """
class Refused(ValueError):
    pass
def inner():
    raise Refused("no and\\nno")
def handler(event, context):
    inner()
"""
    name = box.function(source)
    reply = box.invoke(name)
    started = REQUEST_ID.search(reply.log)
    assert started
    trace = reply.failure.pop("stackTrace")
    assert reply.payload == {
        "errorType": "Refused",
        "errorMessage": "no and\nno",
        "requestId": started[1],
    }
    assert [line.split(",")[0] for line in trace] == ['  File "/var/task/app.py"'] * 2
    logged = [message for _, message in box.messages(name) if message.startswith("[ERROR]")]
    assert len(logged) == 1
    assert logged[0].startswith("[ERROR] Refused: no and\nno\nTraceback (most recent call last):\n")


def test_answer_that_json_cannot_hold_is_a_marshal_error(box: Launcher) -> None:
    name = box.function("def handler(e, c):\n    return {1, 2} if e == 1 else float('nan')\n")
    for event in (1, 2):
        failure = box.invoke(name, event).failure
        assert failure["errorType"] == "Runtime.MarshalError"
        assert failure["errorMessage"].startswith("Unable to marshal response: ")


def test_decimals_become_numbers_and_any_json_passes_unchanged(box: Launcher) -> None:
    source = """
from decimal import Decimal
def handler(event, context):
    return [event, Decimal("1.5"), Decimal("3")]
"""
    event = {"text": "ü\u2028", "none": None, "list": [1, 2.5, True]}
    assert box.run(source, event).ok == [event, 1.5, 3]


def test_answer_above_six_megabytes_is_refused(box: Launcher) -> None:
    name = box.function("def handler(size, c):\n    return 'x' * size\n")
    assert len(box.invoke(name, 6 * 1024 * 1024).ok) == 6 * 1024 * 1024
    failure = box.invoke(name, 6_291_556 - 1).failure
    assert failure["errorType"] == "Function.ResponseSizeTooLarge"
    assert "6291556 bytes" in failure["errorMessage"]


@pytest.mark.parametrize(
    ("way", "reason"),
    [
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os._exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(1)", "Runtime exited with error: exit status 1"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
    ],
)
def test_ended_process_is_an_exit_error_and_the_next_call_starts_fresh(
    box: Launcher, way: str, reason: str
) -> None:
    source = f"""
import os, sys
calls = 0
def handler(event, context):
    global calls
    calls += 1
    print("about to", event)
    if event == "end":
        {way}
    return calls
"""
    name = box.function(source)
    assert [box.invoke(name).ok, box.invoke(name).ok] == [1, 2]
    reply = box.invoke(name, "end")
    assert reply.failure["errorType"] == "Runtime.ExitError"
    assert re.fullmatch(
        rf"RequestId: [0-9a-f-]{{36}} Error: {reason}", reply.payload["errorMessage"]
    )
    assert "about to end" in reply.log
    assert box.invoke(name).ok == 1


def test_exit_while_loading_is_an_exit_error(box: Launcher) -> None:
    assert box.run("import sys\nsys.exit(4)\n").failure["errorType"] == "Runtime.ExitError"


def test_timeout_ends_the_process_group_and_the_next_call_starts_fresh(box: Launcher) -> None:
    source = """
import os, subprocess, sys, time
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if event != "hang":
        return calls
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("child", child.pid)
    time.sleep(60)
"""
    name = box.function(source, Timeout=1)
    assert box.invoke(name).ok == 1
    reply = box.invoke(name, "hang")
    assert reply.failure["errorType"] == "Sandbox.Timedout"
    assert reply.payload["errorMessage"].endswith("Task timed out after 1.00 seconds")
    assert "Task timed out after 1.00 seconds" in reply.log
    found = re.search(r"child (\d+)", reply.log)
    assert found
    assert ended(int(found[1]))
    assert box.invoke(name).ok == 1


LOGGING = """
import logging, subprocess, sys
logging.getLogger().setLevel("INFO")
def handler(event, context):
    logging.getLogger("shop").info("sold %d", 3)
    logging.debug("not shown")
    print("printed")
    sys.stderr.write("to stderr\\n")
    subprocess.run(["echo", "from a child"], check=True)
    logging.warning("two\\nlines")
"""


def test_text_log_has_the_lines_of_aws_in_order(box: Launcher) -> None:
    name = box.function("print('loading')\n" + LOGGING)
    reply = box.invoke(name)
    started = REQUEST_ID.search(reply.log)
    assert started
    request = started[1]
    messages = [message for _, message in box.messages(name)]
    instant = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
    expected = [
        "loading",
        re.escape(f"START RequestId: {request} Version: $LATEST"),
        rf"\[INFO\]\t{instant}\t{request}\tsold 3",
        "printed",
        "to stderr",
        "from a child",
        rf"\[WARNING\]\t{instant}\t{request}\ttwo\nlines",
        f"END RequestId: {request}",
        (
            rf"REPORT RequestId: {request}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\t"
            r"Memory Size: 256 MB\tMax Memory Used: \d+ MB\tInit Duration: [\d.]+ ms"
        ),
    ]
    assert len(messages) == len(expected), messages
    for message, pattern in zip(messages, expected, strict=True):
        assert re.fullmatch(pattern, message), message
    assert reply.log == "\n".join(messages)


def test_calls_of_one_environment_share_a_log_stream(box: Launcher) -> None:
    name = box.function("def handler(e, c):\n    print(e)\n")
    for event in (1, 2, 3):
        box.invoke(name, event)
    messages = box.messages(name)
    assert len({stream for stream, _ in messages}) == 1
    assert [text for _, text in messages if text.isdigit()] == ["1", "2", "3"]
    assert sum("Init Duration" in text for _, text in messages) == 1


def test_json_log_has_the_objects_of_aws(box: Launcher) -> None:
    source = """
import logging
log = logging.getLogger("shop")
def handler(event, context):
    log.info("sold", extra={"amount": 3})
    log.debug("below the level")
    try:
        {}["gone"]
    except KeyError:
        log.exception("caught")
    raise ValueError("uncaught")
"""
    name = box.function(source, LoggingConfig={"LogFormat": "JSON"})
    box.invoke(name)
    start, sold, caught, uncaught, report = [json.loads(text) for _, text in box.messages(name)]
    request = start["record"]["requestId"]
    assert start["type"] == "platform.start"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", sold.pop("timestamp"))
    assert sold == {
        "level": "INFO",
        "message": "sold",
        "logger": "shop",
        "requestId": request,
        "amount": 3,
    }
    assert caught["level"] == "ERROR"
    assert caught["errorType"] == "KeyError"
    assert caught["errorMessage"] == "'gone'"
    assert "app.py" in caught["stackTrace"][0]
    assert uncaught["errorType"] == "ValueError"
    assert uncaught["requestId"] == request
    assert report["type"] == "platform.report"
    assert report["record"]["status"] == "error"
    assert report["record"]["metrics"]["memorySizeMB"] == 256


def test_json_log_honours_its_levels(box: Launcher) -> None:
    source = "import logging\ndef handler(e, c):\n    logging.info('a'), logging.error('b')\n"
    levels = {"LogFormat": "JSON", "ApplicationLogLevel": "ERROR", "SystemLogLevel": "WARN"}
    name = box.function(source, LoggingConfig=levels)
    box.invoke(name)
    assert [json.loads(text)["message"] for _, text in box.messages(name)] == ["b"]
