"""The AWS provider's packages, loaded class by class.

`pulumi_aws.s3` imports all of its hundred modules when one bucket is declared; that is a fifth of a sandbox's start. Each
module says in `__all__` what it holds, so the package can look a name up and import that one module. A package whose
`__init__` holds anything but such star imports is loaded as it is.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

_PROVIDER: Final = "pulumi_aws."
_STAR: Final = re.compile(r"from \.(\w+) import \*")
_PLAIN: Final = re.compile(
    r"(#.*|import builtins as _builtins|from \.\. import _utilities|import typing|from \. import outputs|)"
)
_ALL: Final = re.compile(r"^__all__ = \[(.*?)\]", re.DOTALL | re.MULTILINE)
_NAME: Final = re.compile(r"'(\w+)'")
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@contextmanager
def provider() -> Iterator[None]:
    """Load the provider's packages leanly inside the block, as far as they are not loaded yet."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(_PROVIDER) or fullname.count(".") != 1:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None or not spec.submodule_search_locations:
            return spec
        modules = _modules(Path(str(spec.origin)))
        if modules:
            spec.loader = _Loader(modules)
        return spec


def _modules(init: Path) -> list[str]:
    """What the package imports with a star, the last first (it wins); none where it does anything else."""
    lines = [line.strip() for line in init.read_text("utf-8").splitlines()]
    stars = [_STAR.fullmatch(line) for line in lines]
    if any(
        not star and not _PLAIN.fullmatch(line) for star, line in zip(stars, lines, strict=True)
    ):
        return []
    return [star[1] for star in reversed(stars) if star]


class _Loader(importlib.abc.Loader):
    def __init__(self, modules: Sequence[str]) -> None:
        self._modules = modules

    def exec_module(self, module: ModuleType) -> None:
        """Give the package a way to find its names instead of all of them."""
        folder = Path(next(iter(module.__path__)))

        def find(name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            for candidate in self._likely(name):
                names = _names(folder / f"{candidate}.py")
                if name in names:
                    held = importlib.import_module(f"{module.__name__}.{candidate}")
                    # All of them, as the star would: a function may have its module's name, and comes before it.
                    module.__dict__.update({each: getattr(held, each) for each in names})
                    return module.__dict__[name]
            if name == "outputs" or name in self._modules:
                return importlib.import_module(f"{module.__name__}.{name}")
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        module.__dict__["__getattr__"] = find
        module.__dict__["__dir__"] = lambda: sorted(
            name for each in self._modules for name in _names(folder / f"{each}.py")
        )

    def _likely(self, name: str) -> Iterator[str]:
        """The modules in which a class may be, the likeliest first: `BucketPolicyArgs` in `bucket_policy`."""
        guess = _WORD.sub("_", re.sub(r"(Init)?(Args|State|Result|Dict)$", "", name)).lower()
        if guess in self._modules:
            yield guess
        yield from (module for module in self._modules if module != guess)


@functools.cache
def _names(file: Path) -> frozenset[str]:
    """The public names of a module, by its text."""
    found = _ALL.search(file.read_text("utf-8")) if file.exists() else None
    return frozenset(_NAME.findall(found[1])) if found else frozenset()
