"""The command line, as people use it: real processes, tiny projects."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import sandbox
from sandbox import report, watch
from sandbox.errors import Mistake
from sandbox.functions import Event
from sandbox.screen import Screen
from tests.sandbox.cli_support import (
    EVERYTHING,
    FUNCTION,
    HEAD,
    HELLO,
    HOME,
    TINY,
    Project,
    Watching,
    wait_for,
)


@pytest.fixture
def project(tmp_path):
    """A project of the test's own that was never up."""
    made = Project(tmp_path / "shop")
    yield made
    if (made.root / ".sandbox").exists():
        made.run("down")


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A project that is up already, for tests that only look; `said` is what its `up` printed."""
    made = Project(tmp_path_factory.mktemp("standing") / "shop", EVERYTHING)
    made.reader, writer = os.pipe()
    try:
        made.said = made.run("up", pass_fds=[writer], MY_TOKEN="geheim").stdout
        os.close(writer)
        yield made
    finally:
        made.run("down")
        os.close(made.reader)


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    made = Project(tmp_path_factory.mktemp("shared") / "shop")
    yield made
    made.run("down")


@pytest.fixture
def running(shared):
    """A project that is up with the tiny program; a test may do to it what it likes."""
    shared.write(TINY)
    if not in_order(shared):
        shared.run("up")
    return shared


def in_order(project):
    try:
        record, state = project.record, project.state
    except FileNotFoundError:
        return False
    whole = len(state["resources"]) == 3 and state["exports"] and not state["busy"]
    return whole and alive(record["pid"]) and record["region"] == "us-west-2"


def alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        state = "Z"
        if not sys.platform.startswith("linux"):
            state = (
                subprocess.run(
                    ["ps", "-o", "stat=", "-p", str(pid)],
                    capture_output=True,
                    text=True,
                    check=False,
                ).stdout
                or "Z"
            )
    return not state.startswith("Z")


def group(leader):
    """The living processes of a process group."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    ).stdout
    rows = [row.split() for row in listed.splitlines()]
    return [
        int(pid) for pid, pgid, stat in rows if int(pgid) == leader and not stat.startswith("Z")
    ]


def test_up_shows_what_it_did_and_leaves_it_running(standing):
    # It would not have returned if the emulator held the pipes of this call.
    said = standing.said
    assert "created Queue 'work'" in said
    assert "8 created; up at http://127.0.0.1:" in said
    assert f"  url    http://127.0.0.1:{standing.record['port']}/000000000000/work-" in said
    assert "  word   [secret]" in said
    assert "\nDeclared, not simulated:\n" in said
    assert "\n  WebAcl 'guard': the sandbox does not know aws:waf/webAcl:WebAcl\n" in said
    pid = standing.record["pid"]
    assert alive(pid)
    assert os.getsid(pid) == pid


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_emulator_sees_and_holds_nothing_of_the_users(standing):
    assert os.read(standing.reader, 1) == b""  # nobody holds the other end
    entries = Path(f"/proc/{standing.record['pid']}/environ").read_bytes().split(b"\0")
    names = {entry.partition(b"=")[0].decode() for entry in entries if entry}
    assert not names & {
        "MY_TOKEN",
        "HOME",
        "USER",
        "PYTHONDONTWRITEBYTECODE",
        "PYTEST_CURRENT_TEST",
    }


def test_an_unchanged_program_touches_nothing(standing):
    assert "8 unchanged; up at" in standing.run("up").stdout


def test_slower_workers_are_named_by_up(project):
    said = project.run("up", SANDBOX_WORKERS="stock").stdout
    assert (
        "\n\nThe emulator says:\n"
        "  Lambda functions run in MiniStack's own, slower workers: SANDBOX_WORKERS=stock asks"
    ) in said


def test_node_that_was_installed_later_starts_over(project, tmp_path):
    """The emulator keeps the search path it started with."""
    (tmp_path / "bin").mkdir()
    without = f"{Path(sys.executable).parent}:{tmp_path / 'bin'}"
    reason = "starting over: Node.js was installed\n"
    assert reason not in project.run("up", PATH=without).stdout
    assert reason not in project.run("up", PATH=without).stdout
    node = tmp_path / "bin" / "node"
    node.write_text("#!/bin/sh\n")
    node.chmod(0o755)
    assert reason in project.run("up", PATH=without).stdout
    assert reason not in project.run("up", PATH=without).stdout


def test_a_new_queue_is_created_beside_what_stands_and_goes_again(running):
    url = running.client("sqs").list_queues()["QueueUrls"][0]
    running.client("sqs").send_message(QueueUrl=url, MessageBody="kept")
    running.write(TINY + "queue('more')\n")
    said = running.run("up").stdout
    assert "created Queue 'more'" in said
    assert "1 created, 3 unchanged; up at" in said
    message = running.client("sqs").receive_message(QueueUrl=url)["Messages"][0]
    assert message["Body"] == "kept"
    running.write(TINY)
    assert "1 deleted, 3 unchanged; up at" in running.run("up").stdout


def test_a_change_that_cannot_be_applied_starts_over_and_says_why(running):
    first = running.record
    said = running.run("up", "-c", "aws:region=eu-west-1").stdout
    assert "starting over: it runs in us-west-2, the stack now names eu-west-1" in said
    assert running.record["region"] == "eu-west-1"
    assert running.record["port"] == first["port"]
    assert not alive(first["pid"])


def test_a_failing_resource_is_one_line_and_the_rest_stands(running):
    running.write(
        TINY
        + "queue('bad', visibilityTimeoutSeconds=99999999, opts=pulumi.ResourceOptions(depends_on=[work]))\n"
    )
    done = running.run("up", code=1)
    failure, standing, *rest = done.stderr.splitlines()
    assert rest == []
    assert failure.startswith("__main__.py:10: Queue 'bad': InvalidAttributeValue: ")
    assert standing.endswith("resources stand; run `up` again once this is put right")
    running.write(TINY)
    running.run("up")


def test_a_mistake_of_the_program_is_printed_without_a_traceback(running):
    running.write(HEAD + "raise pulumi.RunError('Pulumi.dev.yaml: size: must be 1 to 3 (got 9)')\n")
    assert (
        running.run("up", code=1).stderr.splitlines()[0]
        == "Pulumi.dev.yaml: size: must be 1 to 3 (got 9)"
    )
    (running.root / "parts.py").write_text(
        "import pulumi\n\ndef part(name):\n    raise pulumi.RunError(f'{name}: S3 takes no two')\n"
    )
    running.write(f"{HEAD}import parts\n\ndef uploads():\n    parts.part('uploads')\n\nuploads()\n")
    line = len(HEAD.splitlines()) + 4
    said = running.run("up", code=1).stderr.splitlines()[0]
    assert said == f"__main__.py:{line}: uploads: S3 takes no two"
    running.write("import pulumi\nx = (\n")
    assert running.run("up", code=1).stderr.startswith("__main__.py:2: SyntaxError: ")


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ["up", "--stack", "a/b"],
            2,
            "'a/b' is no stack name: letters, digits, '-', '_' and '.' only, at most 100",
        ),
        (["up", "-c", "size"], 2, "-c size: must be key=value"),
        (
            ["outputs", "--stack", "prod"],
            1,
            "no sandbox of stack prod is running: start it with `python -m sandbox up --stack prod`",
        ),
        (
            ["token"],
            1,
            "no sandbox of stack dev is running: start it with `python -m sandbox up --stack dev`",
        ),
    ],
)
def test_a_wrong_call_is_one_line(project, arguments, code, line):
    assert project.line(*arguments, code=code) == line


def test_a_wrong_stack_file_is_one_line(project):
    (project.root / "Pulumi.dev.yaml").write_text("confg: {}\n")
    assert project.line("up") == "Pulumi.dev.yaml: confg: no such key; did you mean 'config'?"
    (project.root / "Pulumi.yaml").unlink()
    assert project.line("up", code=2) == f"no Pulumi.yaml in {project.root}"


def test_a_stack_without_a_file_says_so(project):
    done = project.run("up", "--stack", "foo")
    said = "Pulumi.foo.yaml does not exist (there are: dev): every setting has its default\n"
    assert done.stdout.startswith(said)
    assert done.stderr == said
    project.run("down")
    project.write("raise ValueError('no')")
    said = (
        "Pulumi.deb.yaml does not exist (there are: dev): every setting has its default; "
        "did you mean 'dev'?\n"
    )
    assert project.run("up", "--stack", "deb", code=1).stderr.endswith(said)


@pytest.mark.parametrize(
    ("launcher", "said"),
    [
        ("print('first', flush=True); raise SystemExit('no such thing')", "no such thing"),
        ("raise SystemExit(3)", "it printed nothing and ended with 3"),
    ],
)
def test_an_emulator_that_does_not_start_is_one_line(tmp_path, monkeypatch, launcher, said):
    from sandbox import emulator
    from sandbox.place import Place

    (tmp_path / "broken_launcher.py").write_text(launcher)
    monkeypatch.setattr(emulator, "HOME", tmp_path)
    monkeypatch.setattr(emulator, "_module", lambda: "broken_launcher")
    place = Place.of(tmp_path, "dev")
    started = emulator.start(place, region="us-west-2", port=None)
    with pytest.raises(Mistake) as mistake:
        emulator.wait(started, place)
    assert str(mistake.value) == f"the emulator did not start: {said}"
    assert not place.record.exists()


def test_a_port_can_be_asked_for_and_a_taken_one_is_refused(project):
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = holder.getsockname()[1]
        assert project.line("up", "--port", str(taken)) == (
            f"port {taken} is in use: choose another with --port, or none"
        )
    assert project.run("status", code=1).stdout == "no sandbox runs in this checkout\n"
    project.run("up", "--port", str(taken))
    assert project.record["port"] == taken
    assert "must be 1 to 65535 (got 70000)" in project.run("up", "--port", "70000", code=2).stderr


def test_a_minute_of_alarms_lasts_as_long_as_is_asked_and_stays_so(project):
    project.run("up")
    assert project.record["minute"] == 60
    said = "starting over: a minute of its alarms lasts 60 s"
    assert said in project.run("up", "--alarm-seconds", "0.5").stdout
    first = project.record
    assert first["minute"] == 0.5
    environment = Path(f"/proc/{first['pid']}/environ")
    if environment.exists():
        assert b"SANDPIPER_MINUTE=0.5" in environment.read_bytes().split(b"\0")
    project.run("up")
    assert project.record == first
    for wrong in ("0", "soon", "nan"):
        refused = project.run("up", "--alarm-seconds", wrong, code=2).stderr
        assert f"must be 0.05 to 3600 seconds (got {wrong})" in refused


def test_two_checkouts_and_two_stacks_run_side_by_side(running, tmp_path):
    other = Project(tmp_path / "other")
    try:
        running.run("up", "--stack", "two")
        other.run("up")
        ports = {
            running.record["port"],
            other.record["port"],
            json.loads((running.root / ".sandbox/two/sandbox.json").read_text())["port"],
        }
        assert len(ports) == 3
        assert running.run("status").stdout.count("3 resources at") == 2
        assert "(running: dev, two)" in running.line("outputs", "--stack", "three")
        said = "stack dev is meant; --stack names another of dev, two\n"
        assert running.run("outputs").stderr == said
        assert running.run("outputs", "--stack", "two").stderr == ""
    finally:
        other.run("down")
        running.run("down", "--stack", "two")


def test_two_ups_of_one_stack_wait_for_each_other(project):
    project.write(
        TINY
        + "import pathlib, time\nwhile not pathlib.Path('enough').exists():\n    time.sleep(0.01)\n"
    )

    def up():
        return subprocess.Popen(
            project.command("up"),
            stdout=subprocess.PIPE,
            text=True,
            env=project.environment(),
            cwd=project.root,
        )

    with up() as first:
        wait_for((project.root / ".sandbox/dev/sandbox.json").exists)
        with up() as second:
            assert (
                second.stdout.readline() == "another command works on stack dev: waiting for it\n"
            )
            (project.root / "enough").touch()
            assert "3 unchanged; up at" in second.communicate(timeout=30)[0]
        assert "3 created; up at" in first.communicate(timeout=30)[0]


def test_down_leaves_nothing_and_may_be_repeated(project):
    project.run("up")
    record = project.record
    assert "dev: ended" in project.run("down").stdout
    assert group(record["pid"]) == []
    assert not (project.root / ".sandbox/dev").exists()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", record["port"])) != 0
    assert project.run("down").stdout == "no sandbox was running\n"


def test_a_crashed_emulator_is_noticed_and_replaced(running):
    os.killpg(running.record["pid"], signal.SIGKILL)
    assert running.run("status", code=1).stdout == "dev: has ended without `down`\n"
    said = running.run("up").stdout
    assert "starting over: the emulator that ran here before has ended" in said
    assert "3 created; up at" in said


def test_a_process_with_the_old_number_is_left_alone(running):
    record = running.record
    os.killpg(record["pid"], signal.SIGKILL)
    stranger = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True
    )
    try:
        (running.root / ".sandbox/dev/sandbox.json").write_text(
            json.dumps({**record, "pid": stranger.pid})
        )
        running.run("down")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_run_that_was_cut_off_is_noticed(running):
    path = running.root / ".sandbox/dev/state.json"
    path.write_text(json.dumps({**running.state, "busy": True}))
    assert "starting over: the last run was cut off" in running.run("up").stdout


def test_an_emulator_that_was_reset_by_someone_else_is_noticed(running):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", running.record["port"])) as it:
        it.request("POST", "/_ministack/reset")
        assert it.getresponse().status == 200
    assert "starting over: the emulator was reset from outside" in running.run("up").stdout


def test_an_interrupted_up_keeps_what_it_made(project):
    project.write(
        TINY
        + "work.url.apply(lambda url: print('made', flush=True))\nimport time, asyncio\nasync def slow():\n    await asyncio.sleep(30)\npulumi.run(slow)\n"
    )
    process = subprocess.Popen(
        project.command("up"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=project.environment(),
        cwd=project.root,
    )
    while process.stdout.readline() != "made\n":
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (130, "\ninterrupted\n")
    project.write(TINY)
    assert "3 unchanged; up at" in project.run("up").stdout


def test_no_secret_lies_in_a_file(standing):
    arn = json.loads(standing.run("outputs", "--json").stdout)["outputs"]["safe"]
    word = standing.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"]
    assert len(word) == 20
    for file in (standing.root / ".sandbox").rglob("*"):
        assert not file.is_file() or word not in file.read_text("utf-8", "replace")


def test_outputs_are_a_table_or_one_json_document(standing):
    assert "\n  hello  hello-" in f"\n{standing.run('outputs').stdout}"
    document = json.loads(standing.run("outputs", "--json").stdout)
    assert document == {
        "endpoint": f"http://127.0.0.1:{standing.record['port']}",
        "region": "us-west-2",
        "stack": "dev",
        "outputs": document["outputs"],
    }
    assert set(document["outputs"]) == {"hello", "safe", "url", "word"}
    assert document["outputs"]["word"] == "[secret]"


def test_outputs_survive_a_reader_that_has_seen_enough(standing):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        standing.command("outputs", "--json"),
        stdout=writer,
        stderr=subprocess.PIPE,
        env=standing.environment(),
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_status_names_process_and_resources(standing):
    said = standing.run("status").stdout
    assert said.startswith(
        f"dev: 8 resources at http://127.0.0.1:{standing.record['port']} in us-west-2, process "
    )
    assert "Ignored inputs (" in standing.run("status", "--ignored").stdout or "ignored" not in said


def test_invoke_prints_the_answer_and_takes_an_event(standing, tmp_path):
    assert json.loads(standing.run("invoke", "hello").stdout) == {"hello": "nobody"}
    (tmp_path / "event.json").write_text('{"name": "file"}')
    assert json.loads(
        standing.run("invoke", "hello", "--event", str(tmp_path / "event.json")).stdout
    ) == {"hello": "file"}
    done = standing.run("invoke", "hello", "--event", "-", stdin='{"name": "pipe"}')
    assert json.loads(done.stdout) == {"hello": "pipe"}
    assert "greeting" in done.stderr


def test_invoke_fails_where_the_function_fails(standing):
    done = subprocess.run(
        standing.command("invoke", "hello", "--event", "-"),
        input='{"fail": 1}',
        capture_output=True,
        text=True,
        env=standing.environment(),
        check=False,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["errorType"] == "KeyError"
    assert done.stderr.splitlines()[-1] == "hello: Unhandled error: KeyError"


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["invoke", "helo"], 2, "no function 'helo'; did you mean 'hello'?"),
        (
            ["invoke", "hello", "--event", "none.json"],
            2,
            "--event none.json: No such file or directory",
        ),
        (["logs", "nobody"], 2, "no function 'nobody'; there are: hello"),
        (
            ["token"],
            1,
            "this stack exports no authSecretArn: there is nothing to sign a token with",
        ),
        (["token", "--cognito"], 1, "this stack exports no userPoolId: there is nobody to sign in"),
        (["token", "--api-key"], 1, "this stack exports no apiKeyId: no route asks for a key"),
        (
            ["token", "--cognito", "--expires", "5"],
            2,
            "--expires: the user pool says how long; an API key does not expire",
        ),
        (["token", "--api-key", "--subject", "a"], 2, "--subject: an API key names nobody"),
    ],
)
def test_a_command_that_cannot_be_obeyed_is_one_line(standing, arguments, code, line):
    assert standing.line(*arguments, code=code) == line


def test_an_event_that_is_no_json_is_one_line(standing):
    done = standing.run("invoke", "hello", "--event", "-", stdin="{nope", code=2)
    assert done.stderr.startswith("--event -: no JSON: ")


def test_logs_show_what_handlers_wrote_and_follow_what_comes(standing):
    standing.run("invoke", "hello", "--event", "-", stdin='{"name": "first"}')
    wait_for(lambda: "greeting {'name': 'first'}" in standing.run("logs", "hello").stdout)
    assert "START RequestId" not in standing.run("logs").stdout
    assert "first" in standing.run("logs", "--find", "'first'").stdout
    assert standing.run("logs", "--find", "nowhere").stdout == ""
    follower = subprocess.Popen(
        standing.command("logs", "--follow"),
        stdout=subprocess.PIPE,
        text=True,
        env=standing.environment(),
    )
    lines = []
    reader = threading.Thread(
        target=lambda: [lines.append(line) for line in follower.stdout], daemon=True
    )
    reader.start()
    try:
        standing.run("invoke", "hello", "--event", "-", stdin='{"name": "later"}')
        wait_for(lambda: [line for line in lines if "'later'" in line])
    finally:
        follower.send_signal(signal.SIGINT)
        assert follower.wait(timeout=10) == 130
        reader.join(timeout=5)
        follower.stdout.close()
    shown = [line for line in lines if "'later'" in line]
    assert len(shown) == 1
    assert " hello  greeting {'name': 'later'}" in shown[0]


def test_what_lambda_says_of_failed_calls_is_shown_from_start_to_report(capsys):
    def platform(kind, call, **more):
        record = {"time": "t", "type": f"platform.{kind}", "record": {"requestId": call, **more}}
        return json.dumps(record, separators=(",", ":"))

    texts = [
        platform("start", "1"),
        platform("start", "2"),
        '{"level":"ERROR","requestId":"2"}',
        platform("report", "2", status="error"),
        platform("report", "1", status="success"),
    ]
    Screen().events([Event("f", 0, text, str(n)) for n, text in enumerate(texts)], named=True)
    shown = [line.partition(" f  ")[2] for line in capsys.readouterr().out.splitlines()]
    assert [json.loads(line) for line in shown] == [json.loads(text) for text in texts[1:4]]


def test_output_that_holds_nothing_is_none():
    shown = report.table(
        {
            "url": "x",
            "repositories": {},
            "names": [],
            "functions": {"a": 1},
            "saved": ["d/b", "d/a"],
        }
    )
    assert shown == [
        "  functions     1: a",
        "  names         none",
        "  repositories  none",
        "  saved         2: d/a, d/b",
        "  url           x",
    ]


@pytest.fixture
def watching(project):
    project.write(FUNCTION)
    made = Watching(project)
    made.waits_for("Watching; Ctrl-C ends it")
    yield made
    made.process.kill()
    made.process.wait()
    made.process.stdout.close()


def answer(project):
    document = json.loads(project.run("outputs", "--json").stdout)
    client = project.client("lambda")
    reply = client.invoke(
        FunctionName=document["outputs"]["hello"], Qualifier="live", Payload=b"{}"
    )
    return json.loads(reply["Payload"].read())


def test_watch_swaps_a_saved_handler_and_applies_a_saved_program(project, watching):
    handler = project.root / "handlers" / "hello.py"
    handler.write_text("def handler(event, context):\n    return {'hello': 'swapped'}\n")
    watching.waits_for("hello: new code live in")
    assert answer(project) == {"hello": "swapped"}

    handler.write_text("def handler(event, context:\n")
    watching.waits_for("handlers/hello.py:1: SyntaxError:")
    assert answer(project) == {"hello": "swapped"}

    project.write(FUNCTION + "x = (\n")
    watching.waits_for(f"__main__.py:{len((FUNCTION + 'x').splitlines())}: SyntaxError:")
    project.write(FUNCTION + "queue('more')\n")
    watching.waits_for("applied: 1 created")
    handler.write_text(HELLO)
    wait_for(lambda: answer(project) == {"hello": "nobody"})
    watching.waits_for(" hello  greeting {}")

    (project.root / "Pulumi.dev.yaml").write_text("confg: {}\n")
    watching.waits_for("Pulumi.dev.yaml: confg: no such key")
    assert watching.end() == 0
    assert "3 resources" not in project.run("status").stdout
    assert "4 resources" in project.run("status").stdout


def test_watch_says_an_error_once_and_swaps_handlers_beside_it(project, watching):
    handler, stack = project.root / "handlers" / "hello.py", project.root / "Pulumi.dev.yaml"
    handler.write_text("def handler(event, context):\n    return {'hello': 'first'}\n")
    watching.waits_for("hello: new code live in")
    error = "Pulumi.dev.yaml: size: must be 1 to 3"
    project.write(FUNCTION.replace("trust =", f"raise pulumi.RunError({error!r})\ntrust ="))
    watching.waits_for(error)
    watching.lines.clear()
    handler.write_text("def handler(event, context):\n    return {'hello': 'second'}\n")
    watching.waits_for("hello: new code live in")
    assert answer(project) == {"hello": "second"}
    time.sleep(watch._QUIET_SECONDS + 1)  # time for another run of the program
    assert error not in "\n".join(watching.lines)
    stack.write_text("config: {}  # saved again\n")
    watching.waits_for(error)
    stack.write_text("confg: {}\n")
    told = "Pulumi.dev.yaml: confg: no such key"
    watching.waits_for(told)
    handler.write_text(HELLO)
    time.sleep(watch._QUIET_SECONDS + 1)
    assert len([line for line in watching.lines if told in line]) == 1
    project.write(FUNCTION)
    stack.write_text("config: {}\n")
    watching.waits_for("applied: ")


def test_help_explains_the_commands():
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "up", "-h"],
        capture_output=True,
        text=True,
        cwd=HOME,
        check=True,
    )
    assert "applies only what changed" in " ".join(done.stdout.split())


def test_a_box_is_private_and_ends_with_its_block(tmp_path):
    project = Project(
        tmp_path / "shop", FUNCTION + "pulumi.export('hidden', pulumi.Output.secret('clear'))\n"
    )
    with sandbox.running("dev", root=project.root, strict=False) as box:
        assert box.outputs["hidden"] == "clear"
        assert box.client("sts").get_caller_identity()["Account"] == "000000000000"
        assert box.client("lambda") is box.client("lambda")
        made = box.invoke("hello", {"name": "box"})
        assert (made.payload, made.error) == ({"hello": "box"}, None)
        assert wait_for(lambda: box.logs("hello")) == ["greeting {'name': 'box'}"]
        assert box.http.get(f"{box.endpoint}/_ministack/health").json()["auth"] == "enabled"
        assert {r["name"] for r in box.resources} == {"role", "hello", "live"}
        assert not (project.root / ".sandbox" / "dev").exists()
        endpoint = box.endpoint
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(endpoint.rpartition(":")[2]))) != 0


def test_a_box_refuses_an_input_that_nobody_reads_unless_told_otherwise(tmp_path):
    project = Project(tmp_path / "shop", HEAD + "queue('q', colour='red')\n")
    with (
        pytest.raises(
            Mistake,
            match=r"^__main__.py:10: Queue 'q': the sandbox does not know what to do with colour$",
        ),
        sandbox.running("dev", root=project.root),
    ):
        pass
    with sandbox.running("dev", root=project.root, strict=False) as box:
        assert list(box.report.unread) == [("Queue 'q'", "colour")]


def test_a_box_ends_even_where_the_test_is_killed(tmp_path):
    project = Project(tmp_path / "shop")
    script = (
        "import sandbox, pathlib, time, sys\n"
        f"with sandbox.running('dev', root=pathlib.Path({str(project.root)!r})) as box:\n"
        "    print(box.endpoint, flush=True)\n    time.sleep(60)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        env=project.environment(TMPDIR=str(tmp_path)),
    )
    endpoint = process.stdout.readline().strip()
    process.kill()
    process.wait()
    process.stdout.close()

    def gone():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", int(endpoint.rpartition(":")[2]))) != 0

    wait_for(gone)


def test_a_used_port_or_a_wrong_region_leaves_the_running_sandbox_alone(standing):
    before = standing.run("outputs", "--json").stdout
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = standing.line("up", "--port", str(port))
        assert line == f"port {port} is in use: choose another with --port, or none"
    assert standing.line("up", "-c", "aws:region=mars-1") == (
        "Pulumi.dev.yaml: aws:region: must be an AWS region such as us-west-2 (got 'mars-1')"
    )
    assert standing.run("outputs", "--json").stdout == before
