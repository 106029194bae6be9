"""Lock files: exact versions, hashed, and only what the target needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders import BuildError, locks

HASH = "--hash=sha256:" + "0" * 64


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "layers" / "birds" / "requirements.txt"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def for_lambda(
    file: Path, runtime: str = "python3.13", architecture: str = "arm64"
) -> list[locks.Pin]:
    return locks.for_lambda(file, runtime=runtime, architecture=architecture)


def test_pins_are_read_as_uv_writes_them(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        f"# by uv\nbird==1.0 \\\n    {HASH} \\\n    {HASH.replace('0', '1')}\n    # via -r x.in\n"
        f"Wrens[song,nest]==2.0.post1 ; python_full_version < '3.12' \\\n    {HASH}\n",
    )
    pins = for_lambda(file, "python3.11")
    assert [str(pin) for pin in pins] == ["bird==1.0", "Wrens==2.0.post1"]
    assert [len(pin.hashes) for pin in pins] == [2, 1]
    assert pins[0].hashes[0] == "sha256:" + "0" * 64
    assert [str(pin) for pin in for_lambda(file)] == ["bird==1.0"]


@pytest.mark.parametrize(
    ("marker", "holds"),
    [
        ("sys_platform == 'win32'", False),
        ("sys_platform != 'win32'", True),
        ("platform_system == 'Linux' and os_name == 'posix'", True),
        ("python_version < '3.9'", False),
        ("python_version >= '3.13'", True),
        ("python_full_version <= '3.13.4'", False),
        ("python_full_version == '3.13.*'", True),
        ("python_full_version != '3.13.*'", False),
        ("python_full_version > '3.13.2' or sys_platform == 'win32'", True),
        (
            "(sys_platform == 'darwin' or platform_machine == 'aarch64') and '3.2' < python_version",
            True,
        ),
        ("platform_machine in 'x86_64 amd64'", False),
        ("'arm' not in platform_machine", True),
        ("platform_python_implementation == 'PyPy'", False),
        ("python_version ~= '3.9'", True),
        ("extra == 'song'", False),
    ],
)
def test_marker_is_judged_for_lambda_and_not_for_the_python_that_builds(
    tmp_path: Path, marker: str, holds: bool
) -> None:
    file = written(tmp_path, f"bird==1.0 ; {marker} \\\n    {HASH}\n")
    assert bool(for_lambda(file)) is holds


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("bird==1.0", "bird==1.0: must be name==version with hashes; `make lock` writes them"),
        (f"bird>=1.0 {HASH}", "bird>=1.0: must be name==version with hashes"),
        (f"./bird {HASH}", "./bird: must be name==version with hashes"),
        ("--index-url https://pypi.example", "--index-url https://pypi.example: must be name"),
        (f"bird==1.* {HASH}", r"bird==1\.\*: must be name==version with hashes"),
        (f"bird==1.0 --hash=sha256:12 {HASH}", "bird==1.0: must be name==version with hashes"),
        (f"bird==1.0 ; species == 'wren' {HASH}", "bird==1.0 ; species == 'wren': must be name"),
        (
            f"bird==1.0 ; sys_platform ~= 'linux' {HASH}",
            "the marker 'sys_platform ~= \"linux\"' cannot be judged for Lambda",
        ),
    ],
)
def test_line_that_is_no_pin_with_hashes_is_refused_in_one_line(
    tmp_path: Path, line: str, told: str
) -> None:
    with pytest.raises(BuildError, match=rf"^layers/birds/requirements\.txt: {told}") as refused:
        for_lambda(written(tmp_path, line))
    assert "\n" not in str(refused.value)


def test_lock_that_is_missing_or_no_text_is_refused_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "layers/birds/requirements.txt"
    with pytest.raises(BuildError, match=r"layers/birds/requirements\.txt: No such file"):
        for_lambda(file)
    written(tmp_path, "").write_bytes(b"# caf\xe9")
    with pytest.raises(BuildError, match=r"layers/birds/requirements\.txt: 'utf-8' codec"):
        for_lambda(file)


def test_this_machine_is_a_target_too(tmp_path: Path) -> None:
    file = written(tmp_path, f"bird==1.0 ; python_version >= '3.11' \\\n {HASH}\n")
    assert locks.read(file)
