"""What the program knows of each language, and that one table says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies import runtimes as judged
from settings import FAMILIES, NODE_RUNTIMES, Family, wiring
from settings.runtimes import IMAGE, RETIRED, languages, snap_starting
from tests.settings.conftest import NOT_PYTHON
from tests.settings.helper import load

WITH_RUNTIMES = [name for name, family in FAMILIES.items() if family.runtimes]


def test_families_are_read_from_what_a_functions_folder_holds(handlers: Path) -> None:
    families = load(handlers=handlers).families
    named = wiring.WIRED | wiring.SWITCHED.keys()
    assert dict(families) == {**dict.fromkeys(named, "python"), **NOT_PYTHON}


def test_every_marker_is_of_one_family_and_only_python_has_none() -> None:
    markers = [family.marker for family in FAMILIES.values()]
    assert len({*markers}) == len(markers)
    assert [name for name, family in FAMILIES.items() if not family.marker] == ["python"]


def test_folder_with_two_markers_is_of_the_first_family_and_of_an_image_last(
    tmp_path: Path,
) -> None:
    assert list(FAMILIES)[-1] == IMAGE
    (tmp_path / "hasher").mkdir()
    for marker in ("Dockerfile", "go.mod"):
        (tmp_path / "hasher" / marker).touch()
    assert wiring.handlers(tmp_path) == {"hasher": "go"}


def test_container_image_brings_its_runtime() -> None:
    assert [name for name in FAMILIES if name not in WITH_RUNTIMES] == [IMAGE]
    assert "runtime" not in wiring.baseline("x", IMAGE)


@pytest.mark.parametrize("name", WITH_RUNTIMES)
def test_family_runs_on_a_runtime_that_aws_supports(name: str) -> None:
    family = FAMILIES[name]
    assert family.default in family.runtimes
    assert not {*family.runtimes} & RETIRED.keys()
    python = FAMILIES["python"].default
    assert wiring.baseline("x", name).get("runtime", python) == family.default


def test_what_the_program_builds_is_what_it_has_handlers_of() -> None:
    assert {n for n, f in FAMILIES.items() if f.built_here} == {"python", "nodejs", "go"}
    assert {*FAMILIES} - wiring.BUILT_ELSEWHERE == {"python", "nodejs", "go"}


def test_runtimes_with_snapshots_are_those_that_policies_take() -> None:
    found = {runtime for family in FAMILIES.values() for runtime in family.snap_starts}
    assert found == judged.SNAP_START


def test_family_without_snapshots_has_no_runtime_with_one() -> None:
    assert Family("Ruby", ("ruby3.3",)).snap_starts == ()
    assert Family("Ruby", ("ruby3.3", "ruby3.4"), snap_start="ruby3.4").snap_starts == ("ruby3.4",)


def test_sentences_list_languages_by_what_they_have() -> None:
    assert languages(lambda family: family.warms) == "Python, Node.js and Go"
    assert languages(lambda family: family.inline) == "Python and Node.js"
    assert languages(lambda family: family.language == "PHP") == "PHP"
    assert snap_starting() == "Python 3.12 and later, Java 11 and later and .NET"


def test_layer_of_node_modules_is_for_every_runtime_of_node() -> None:
    assert FAMILIES["nodejs"].runtimes == NODE_RUNTIMES
    assert all(runtime.startswith("nodejs") for runtime in NODE_RUNTIMES)
