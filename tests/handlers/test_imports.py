"""What a handler imports: cold start is paid by the module, and only what is declared is there."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

_HANDLERS = Path(__file__).parents[2] / "handlers"
_NAMES = sorted(path.stem for path in _HANDLERS.glob("*.py"))
# Modules that importing the handler adds to a fresh interpreter, boto3 and its own left out (it is
# imported with the first client). Versions of Python differ by some; a new library of any size goes
# over.
_BUDGET = {
    "health": 67,
    "create_item": 73,
    "get_item": 72,
    "list_items": 78,
    "update_item": 73,
    "delete_item": 68,
    "data_transformer": 67,
    "notification_sender": 62,
    "cleanup_job": 65,
    "version_cleaner": 63,
    "authorizer": 134,
    "image_processor": 86,
}
_LAYERS = {"authorizer": {"jwt"}, "image_processor": {"PIL"}}
_EVERYWHERE = {"boto3", "botocore", "common"}
_FOREIGN = {"pydantic", "settings", "components", "pulumi", "aws_lambda_powertools", "sandbox"}
# PyJWT takes cryptography along where it is installed, which it is not in the layer.
_PROBE = """
import sys
sys.modules["cryptography"] = None
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
__import__(sys.argv[2])
import json
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def _imported(name: str) -> list[str]:
    # An interpreter without site: nothing of the tests' environment is loaded beforehand.
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    probe = f"import sys; sys.path += {packages!r}\n{_PROBE}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", probe, str(_HANDLERS), name],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", _NAMES)
def test_a_handler_stays_within_its_import_budget(name: str) -> None:
    imported = _imported(name)
    tops = {module.split(".")[0] for module in imported}
    assert not tops & _FOREIGN
    assert not tops & {"boto3", "botocore"}
    assert len(imported) <= _BUDGET[name], imported


@pytest.mark.parametrize(
    "path", sorted(_HANDLERS.rglob("*.py")), ids=lambda path: str(path.relative_to(_HANDLERS))
)
def test_a_handler_imports_only_what_lambda_and_its_layers_have(path: Path) -> None:
    allowed = _EVERYWHERE | set(sys.stdlib_module_names) | _LAYERS.get(path.stem, set())
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            imported.add(str(node.module).split(".")[0])
    assert imported <= allowed


def test_every_handler_has_a_budget_and_no_module_shadows_the_standard_library() -> None:
    assert set(_BUDGET) == set(_NAMES)
    assert not (set(_NAMES) | {"common"}) & set(sys.stdlib_module_names)
