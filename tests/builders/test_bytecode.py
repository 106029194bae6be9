"""Bytecode that depends on its source alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

from builders import bytecode


def test_bytecode_of_a_module_does_not_depend_on_what_else_is_compiled() -> None:
    """What a code object shares with others in memory would show in its bytes."""
    library = Path(json.__file__).parents[1]
    files = [*library.glob("[a-d]*.py"), *library.glob("json/*.py"), *library.glob("asyncio/*.py")]
    sources = {file.relative_to(library).as_posix(): file.read_bytes() for file in files}
    together = bytecode.compiled(sources, below="/opt")
    assert len(together) == len(sources) > 50
    for part in (sorted(sources)[::2], sorted(sources)[1::7]):
        apart = bytecode.compiled({name: sources[name] for name in part}, below="/opt")
        assert apart == {name: together[name] for name in apart}


def test_bytecode_does_not_depend_on_who_else_holds_its_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = b"def sing(song):\n    return song.title, 'once upon a time', 10**30, 0.5\n"
    alone = bytecode._compile("a.py", source, "/opt")
    held: list[object] = []

    def compile_and_hold(*words: Any, **more: Any) -> CodeType:
        code = compile(*words, **more)
        inner = code.co_consts[0]
        held.extend((inner, inner.co_consts, *inner.co_consts, inner.co_names, inner.co_linetable))
        return code

    monkeypatch.setattr(bytecode, "compile", compile_and_hold, raising=False)
    assert bytecode._compile("a.py", source, "/opt") == alone
    assert held


def test_bytecode_lies_beside_its_source_under_the_name_that_python_looks_for() -> None:
    tag = sys.implementation.cache_tag
    found = bytecode.compiled({"a.py": b"", "b/c.py": b"", "wrong.py": b"def"}, below="/opt")
    assert sorted(found) == [f"__pycache__/a.{tag}.pyc", f"b/__pycache__/c.{tag}.pyc"]
