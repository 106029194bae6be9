"""The spots where MiniStack is changed, and the guard that each of them has.

A seam names a module's function (or constant) and the parameters (or the value) that it has in the
pinned release. It is put in place when MiniStack imports the module, so that starting up costs
nothing. Where the spot looks different, MiniStack's own behaviour stays and a warning says so.
"""

import importlib.machinery
import inspect
import logging
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

logger = logging.getLogger("sandbox.workers")


@dataclass(frozen=True)
class Seam:
    """One changed spot. `build(module, original)` returns what takes its place."""

    module: str
    attribute: str
    """A dotted path inside the module."""
    expected: tuple[str, ...] | int | float
    """The names of the function's parameters, or the constant's value."""
    reason: str
    """What is lost where the seam does not fit."""
    build: Callable[[ModuleType, Any], Any]
    needs: tuple[str, ...] = ()
    """Other attributes of the module that the replacement uses."""

    def mismatch(self, module: ModuleType) -> str | None:
        """Return how the module differs from what the seam was written for, or None."""
        missing = [name for name in self.needs if not hasattr(module, name)]
        if missing:
            return f"{', '.join(missing)} is gone"
        holder, name = self._holder(module)
        found = getattr(holder, name, None)
        if isinstance(self.expected, tuple):
            if not callable(found):
                return f"{self.attribute} is gone"
            parameters = tuple(inspect.signature(found).parameters)
            return None if parameters == self.expected else f"{self.attribute}{parameters}"
        return None if found == self.expected else f"{self.attribute} = {found!r}"

    def install(self, module: ModuleType) -> bool:
        """Put the replacement in place and return True, or warn and return False."""
        difference = self.mismatch(module)
        if difference:
            logger.warning("MiniStack differs here (%s): %s", difference, self.reason)
            return False
        holder, name = self._holder(module)
        original = getattr(holder, name)
        replacement = self.build(module, original)
        if inspect.isfunction(replacement) and replacement is not original:
            # So that a later seam around it finds the parameters that MiniStack's callers know.
            replacement.__wrapped__ = original  # pyright: ignore[reportFunctionMemberAccess]
        setattr(holder, name, replacement)
        return True

    def _holder(self, module: ModuleType) -> tuple[Any, str]:
        *path, name = self.attribute.split(".")
        holder: Any = module
        for step in path:
            holder = getattr(holder, step, None)
        return holder, name


class _AfterImport:
    """A finder that lets the usual one find a module, and adds a step after it has run."""

    def __init__(self, seams: Iterable[Seam]) -> None:
        self._waiting: dict[str, list[Seam]] = {}
        for seam in seams:
            self._waiting.setdefault(seam.module, []).append(seam)

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find one of the waiting modules."""
        seams = self._waiting.pop(name, None)
        if not seams:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_install(module: ModuleType) -> None:
            execute(module)
            for seam in seams:
                seam.install(module)

        spec.loader.exec_module = execute_and_install
        return spec


def install(seams: Iterable[Seam]) -> None:
    """Install each seam, now or as soon as its module is imported."""
    later: list[Seam] = []
    for seam in seams:
        module = sys.modules.get(seam.module)
        if module is None:
            later.append(seam)
        else:
            seam.install(module)
    sys.meta_path.insert(0, _AfterImport(later))  # pyright: ignore[reportArgumentType]
