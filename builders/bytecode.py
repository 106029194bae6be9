"""Bytecode that Lambda's Python loads without looking at the sources.

A zip file's fixed dates make ordinary bytecode invalid: Python compares the source's date, compiles anew, and cannot
keep the result, for `/opt` is read-only. A hash-based .pyc that says "unchecked" (PEP 552) is loaded as it is.

Run as a script, this file is the process that compiles: what a marshalled code object looks like depends on what else
its process has in memory, so a fresh one does nothing else.
"""

from __future__ import annotations

import marshal
import os
import subprocess
import sys
from importlib.util import MAGIC_NUMBER, source_hash
from types import CodeType
from typing import Any, Final

_UNCHECKED: Final = (0b01).to_bytes(4, "little")
"""Flags of PEP 552: made from a hash, not to be checked."""

_SECONDS: Final = 300


def compiled(sources: dict[str, bytes], *, below: str) -> dict[str, bytes]:
    """Name -> content of the .pyc files of these sources, by this Python; `below` is where Lambda unpacks them.

    A file that does not compile has none: some packages carry templates that only look like Python. Raises
    subprocess.SubprocessError where the process that compiles does not succeed.
    """
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    done = subprocess.run(  # noqa: S603 - this file, by this Python
        [sys.executable, "-S", "-P", "-W", "ignore", __file__, below],
        input=marshal.dumps(sources),
        capture_output=True,
        env={**environment, "PYTHONHASHSEED": "0"},
        timeout=_SECONDS,
        check=True,
    )
    return marshal.loads(done.stdout)  # noqa: S302 - from the process above


def _compile(name: str, source: bytes, below: str) -> bytes | None:
    try:
        # The place in Lambda, and not the one here: it is what a traceback shows.
        code = compile(source, f"{below}/{name}", "exec", dont_inherit=True, optimize=0)
    except (SyntaxError, ValueError, RecursionError):
        return None
    # marshal marks whatever something else refers to as well: with everything held, the marks are always the same.
    held = _parts(code)
    data = MAGIC_NUMBER + _UNCHECKED + source_hash(source) + marshal.dumps(code)
    del held
    return data


def _parts(code: CodeType) -> list[Any]:
    """Everything a code object consists of."""
    found: list[Any] = []
    waiting: list[Any] = [code]
    while waiting:
        part = waiting.pop()
        found.append(part)
        if isinstance(part, CodeType):
            waiting += [part.co_code, part.co_consts, part.co_names, part.co_filename, part.co_name]
            waiting += [part.co_qualname, part.co_linetable, part.co_exceptiontable]
            waiting += [part.co_varnames, part.co_cellvars, part.co_freevars]
        elif isinstance(part, tuple | frozenset):
            waiting += part
        elif isinstance(part, slice):
            waiting += [part.start, part.stop, part.step]
    return found


def _name(source: str) -> str:
    folder, _, file = source.rpartition("/")
    cached = f"__pycache__/{file.removesuffix('.py')}.{sys.implementation.cache_tag}.pyc"
    return f"{folder}/{cached}" if folder else cached


def _main() -> None:
    given: dict[str, bytes] = marshal.load(sys.stdin.buffer)  # noqa: S302 - from `compiled`
    made = ((name, _compile(name, source, sys.argv[1])) for name, source in sorted(given.items()))
    sys.stdout.buffer.write(marshal.dumps({_name(n): data for n, data in made if data is not None}))


if __name__ == "__main__":
    _main()
