"""Wrong stack files, each refused with exactly the lines that help its user."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from builders import zips
from settings import function_rules, wiring
from settings.function import FunctionSettings
from tests.settings.helper import refused
from tools.described import maps_within

WRONG = yaml.safe_load(
    Path(__file__).with_suffix(".yaml").with_stem("wrong_stack_files").read_text(encoding="utf-8")
)

KNOWN = {
    "<REST routes>": wiring.REST_ROUTES,
    "<HTTP routes>": wiring.HTTP_ROUTES,
    "<streams>": wiring.STREAM_READERS,
}
"""What a line of the file stands for where it names all there are."""


def _in_full(line: str, handlers: Path) -> str:
    functions = ("defaults", *sorted(wiring.handlers(handlers)))
    every = {"<functions>": functions, "<handlers>": functions[1:]}
    for word, known in {**KNOWN, **every}.items():
        line = line.replace(word, ", ".join(known))
    return f"Pulumi.dev.yaml: {line}"


@pytest.mark.parametrize(
    "entry", WRONG, ids=[entry["lines"][0].partition(": must")[0][:60] for entry in WRONG]
)
def test_wrong_stack_file_is_refused_with_exactly_these_lines(
    entry: dict[str, Any], handlers: Path
) -> None:
    lines = refused(entry["config"], handlers=handlers)
    assert lines == [_in_full(line, handlers) for line in entry["lines"]]


def test_some_wrong_stack_file_has_a_line_for_every_setting_of_a_function() -> None:
    refused_keys = {
        tuple(line.partition(": ")[0].split(".")[2:])
        for entry in WRONG
        for line in entry["lines"]
        if line.startswith("functions.")
    }
    named = {key for path in refused_keys for key in path}
    assert {*FunctionSettings.model_fields} <= {path[0] for path in refused_keys if path}
    for model in maps_within(FunctionSettings):
        assert {*model.model_fields} <= named, model


def test_all_mistakes_of_a_file_are_reported_at_once(handlers: Path) -> None:
    config: dict[str, Any] = {}
    for entry in WRONG:
        if len(entry["lines"]) == 1 and not entry["config"].keys() & config.keys():
            config |= entry["config"]
    assert len(config) > 8
    assert len(refused(config, handlers=handlers)) == len(config)


@pytest.mark.parametrize(
    ("stack", "text"),
    [
        (
            "my.stack",
            (
                "must be letters, digits, - and _ only, because functions carry the stack's name (got 'my.stack'); "
                "choose another name for the stack"
            ),
        ),
        (
            "a" * 35,
            (
                "must be 1 to 34 characters, because sandpiper-<stack>-notification-pusher may have 64 (got 35); "
                "choose a shorter name for the stack"
            ),
        ),
    ],
)
def test_stack_name_that_does_not_fit_function_names_is_refused(
    stack: str, text: str, handlers: Path
) -> None:
    assert refused(stack=stack, handlers=handlers) == [f"Pulumi.{stack}.yaml: stack: {text}"]


def test_longest_possible_stack_name_is_accepted(handlers: Path) -> None:
    assert refused(stack="a" * 34, handlers=handlers) == []


def test_function_whose_name_leaves_its_role_no_room_is_refused(handlers: Path) -> None:
    too_long = handlers / f"{'long_' * 8}x.py"
    too_long.touch()
    try:
        lines = refused(handlers=handlers)
    finally:
        too_long.unlink()
    assert lines == [
        (
            f"Pulumi.dev.yaml: functions.{'long-' * 8}x: must be 1 to 40 characters, because its role's name may have 64 "
            "(got 41); rename its handler"
        )
    ]


def test_environment_above_4_kb_less_the_grants_share_is_refused(handlers: Path) -> None:
    size = 3072 - len('{"LONG":""}')
    fits = {"functions": {"cleanup-job": {"environment": {"LONG": "x" * size}}}}
    assert refused(fits, handlers=handlers) == []
    over = {"functions": {"cleanup-job": {"environment": {"LONG": "x" * (size + 1)}}}}
    assert refused(over, handlers=handlers) == [
        (
            "Pulumi.dev.yaml: functions.cleanup-job.environment: must be at most 3072 bytes as JSON for cleanup-job: Lambda "
            "allows 4096, the rest is for the program's own variables (got 3073); keep long values in Parameter Store and "
            "pass their names"
        )
    ]


def test_origins_count_towards_the_environment_of_functions_behind_the_api(handlers: Path) -> None:
    filled = {"health": {"environment": {"NOTE": "x" * 3000}}}
    assert refused({"functions": filled}, handlers=handlers) == []
    origin = {"cors_allow_origins": [f"https://{'a' * 60}.example"]}
    lines = refused({"functions": filled, "api": origin}, handlers=handlers)
    assert lines
    assert all("environment: must be at most 3072 bytes" in line for line in lines)


def test_names_of_all_functions_count_towards_the_environment_of_the_one_that_cleans_up(
    handlers: Path,
) -> None:
    filled = {"version-cleaner": {"environment": {"NOTE": "x" * 3000}}}
    lines = refused({"functions": filled}, handlers=handlers)
    assert len(lines) == 1
    assert "environment: must be at most 3072 bytes as JSON for version-cleaner" in lines[0]


def test_functions_too_many_for_the_role_that_names_each_are_refused(handlers: Path) -> None:
    more = [handlers / f"one_more_function_{index:02}.py" for index in range(50)]
    for file in more:
        file.touch()
    given = {"version-cleaner": {"execution_role_arn": "arn:aws:iam::123456789012:role/cleaner"}}
    said: list[str] = []
    try:
        assert refused({"functions": given}, handlers=handlers) == []
        for file in more:
            if not (lines := refused(handlers=handlers)):
                break
            said += lines
            file.unlink()
        assert refused(handlers=handlers) == []
    finally:
        for file in more:
            file.unlink(missing_ok=True)
    line = (
        "Pulumi.dev.yaml: functions: must be fewer, or have shorter names: the role of version-cleaner names each, and IAM "
        "allows its policies 10240 characters (got "
    )
    assert [found for found in said if not found.startswith(line)] == []
    # The last one too many is refused by its own few characters.
    assert 10240 < int(re.findall(r"got (\d+)", said[-1])[0]) < 10500


def test_41_tags_are_refused_and_40_are_not(handlers: Path) -> None:
    tags = {f"tag-{index}": "x" for index in range(41)}
    assert refused({"tags": tags}, handlers=handlers) == [
        "Pulumi.dev.yaml: tags: must be at most 40 tags: AWS allows 50, the rest is for functions and the program (got 41)"
    ]
    del tags["tag-0"]
    assert refused({"tags": tags}, handlers=handlers) == []


def test_function_with_45_tags_in_all_is_refused_and_with_44_is_not(handlers: Path) -> None:
    tags = {f"tag-{index}": "x" for index in range(40)}
    own = {f"own-{index}": "x" for index in range(5)}
    config = {"tags": tags, "functions": {"health": {"tags": own}}}
    assert refused(config, handlers=handlers) == [
        (
            "Pulumi.dev.yaml: functions.health.tags: must be at most 44 tags for health, the stack's among them: AWS allows "
            "50, the rest are the program's own (got 45)"
        )
    ]
    del own["own-0"]
    assert refused(config, handlers=handlers) == []


def test_inline_text_above_4096_bytes_is_refused_whatever_its_characters(handlers: Path) -> None:
    for text in ("x" * 4097, "é" * 2049):
        (line,) = refused({"functions": {"create-item": {"inline": text}}}, handlers=handlers)
        assert line.startswith(
            "Pulumi.dev.yaml: functions.create-item.inline: must be at most 4096 bytes (got '"
        )
        assert line.endswith("…); keep it in source_dir")
    assert refused({"functions": {"create-item": {"inline": "é" * 2048}}}, handlers=handlers) == []


def test_working_directory_of_an_image_has_at_most_1000_characters(handlers: Path) -> None:
    image = {"image_uri": "123456789012.dkr.ecr.us-west-2.amazonaws.com/inference:1"}
    for size in (1000, 1001):
        own = {**image, "image_config": {"working_directory": f"/{'x' * (size - 1)}"}}
        lines = refused({"functions": {"inference": own}}, handlers=handlers)
        assert lines == [
            (
                "Pulumi.dev.yaml: functions.inference.image_config.working_directory: must be at most 1000 characters "
                "(got 1001)"
            )
        ] * (size > 1000)


def test_bytecode_of_another_python_than_the_runtimes_is_refused(
    handlers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_rules, "BUILDER", "python3.12")
    config: dict[str, Any] = {"packaging": {"compile": True}}
    assert refused(config, handlers=handlers) == [
        (
            "Pulumi.dev.yaml: packaging.compile: must be false where python3.12 builds: audit-writer runs on python3.13 "
            "(got true); run Pulumi with that version, or change the runtime"
        )
    ]
    assert refused({"packaging": {"compile": True, "build": False}}, handlers=handlers) == []
    config["functions"] = {"defaults": {"runtime": "python3.12"}}
    assert refused(config, handlers=handlers) == []


def test_open_url_needs_a_reason_in_the_program_and_takes_no_list_of_callers(
    handlers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        wiring, "PUBLIC_URLS", {**wiring.PUBLIC_URLS, "products": "a public catalogue"}
    )
    url: dict[str, Any] = {"authorization_type": "NONE"}
    config = {"functions": {"products": {"function_url": url}}}
    assert refused(config, handlers=handlers) == []
    url["principals"] = ["123456789012"]
    assert refused(config, handlers=handlers) == [
        (
            "Pulumi.dev.yaml: functions.products.function_url.principals: must be empty where authorization_type is NONE, "
            "which lets everybody call (got a list)"
        )
    ]


def test_stack_without_a_region_in_its_config_is_not_judged_by_regions(handlers: Path) -> None:
    lost = {"dead_letter": "arn:aws:sqs:eu-west-1:123456789012:lost"}
    assert refused({"functions": {"health": lost}}, handlers=handlers) == []


def test_value_from_defaults_is_reported_once_and_where_it_is_written(handlers: Path) -> None:
    lines = refused({"functions": {"defaults": {"runtime": "nodejs22.x"}}}, handlers=handlers)
    assert lines == [
        (
            "Pulumi.dev.yaml: functions.defaults.runtime: must be one of python3.11, python3.12, python3.13, python3.14 for "
            "audit-writer, whose handler is python (got 'nodejs22.x'); say it of single functions"
        )
    ]


def test_folder_that_lambda_would_find_too_large_is_refused(
    handlers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = handlers.parent / "built" / "large"
    folder.mkdir()
    (folder / "app.py").write_bytes(bytes(6000))
    (folder / ".hidden").write_bytes(bytes(900_000))
    config = {"functions": {"health": {"source_dir": "built/large", "handler": "app.handler"}}}
    where = "Pulumi.dev.yaml: functions.health.source_dir: "
    monkeypatch.setattr(zips, "ZIPPED_LIMIT", 1000)
    try:
        assert refused(config, handlers=handlers) == []
        (folder / "noise").write_bytes(random.Random(1).randbytes(1500))
        assert refused(config, handlers=handlers) == [
            (
                f"{where}must be at most 50 MB zipped (got 0.01); zip it, upload it to S3 and name s3_bucket and s3_key"
            )
        ]
        monkeypatch.setattr(zips, "UNZIPPED_LIMIT", 7000)
        assert refused(config, handlers=handlers) == [
            f"{where}must be at most 250 MB unzipped (got 0.01)"
        ]
    finally:
        shutil.rmtree(folder)
