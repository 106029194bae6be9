"""What a handler imports: cold start is paid by the module, and only what is declared is there."""

from __future__ import annotations

import ast
import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

_HANDLERS = Path(__file__).parents[2] / "handlers"
_NAMES = sorted(path.stem for path in _HANDLERS.glob("*.py"))
# Modules that importing the handler adds to a fresh interpreter, and KiB of Python source that were
# read for them; boto3 and its own are left out (it is imported with the first client). Python 3.11
# to 3.13 differ by 5 modules and 60 KiB; a new library of any size goes over. What change_publisher
# and subscriptions have more is http.client, with which they post to WebSockets: botocore imports it
# as well, so a cold start does not pay it twice.
_BUDGET = {
    "health": (67, 995),
    "create_item": (76, 1025),
    "get_item": (73, 1015),
    "list_items": (82, 1060),
    "update_item": (75, 1025),
    "delete_item": (69, 1000),
    "data_transformer": (75, 1025),
    "notification_sender": (77, 1035),
    "notification_pusher": (119, 1755),
    "order_processor": (85, 1065),
    "order_tracker": (83, 1055),
    "order_forwarder": (119, 1755),
    "webhook": (90, 1090),
    "audit_writer": (75, 1025),
    "telemetry_aggregator": (81, 1125),
    "error_collector": (78, 1035),
    "user_registrar": (74, 1020),
    "network_probe": (77, 1060),
    "cleanup_job": (78, 1115),
    "health_checker": (79, 1175),
    "report_generator": (88, 1160),
    "version_cleaner": (72, 1015),
    "content_router": (106, 1640),
    "authorizer": (139, 2095),
    "create_user": (74, 1020),
    "subscriptions": (122, 1770),
    "change_publisher": (123, 1775),
    "image_processor": (107, 1805),
}
_LAYERS = {
    "authorizer": {"jwt"},
    "image_processor": {"PIL"},
    "pictures": {"PIL"},
    "answers": {"fastjsonschema"},
    "once": {"aws_lambda_powertools"},
}
_EVERYWHERE = {"boto3", "botocore", "common"}
_FOREIGN = {"pydantic", "settings", "components", "pulumi", "aws_lambda_powertools", "sandbox"}
# PyJWT takes cryptography along where it is installed, which it is not in the layer.
_PROBE = """
import sys
sys.modules["cryptography"] = None
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
__import__(sys.argv[2])
import json, os
new = sorted(set(sys.modules) - before)
# Shared objects are not counted: which modules are built in differs between builds of Python.
files = [getattr(sys.modules[name], "__file__", None) or "" for name in new]
sizes = [os.path.getsize(file) for file in files if file.endswith(".py")]
print(json.dumps({"modules": new, "bytes": sum(sizes)}))
"""


@functools.cache
def _imported(name: str) -> tuple[list[str], int]:
    """The modules that come with a handler, and how many bytes of source they are."""
    # An interpreter without site: nothing of the tests' environment is loaded beforehand.
    packages = [entry for entry in sys.path if entry.endswith("site-packages")]
    probe = f"import sys; sys.path += {packages!r}\n{_PROBE}"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", probe, str(_HANDLERS), name],
        capture_output=True,
        text=True,
        check=True,
    )
    answer = json.loads(done.stdout)
    return answer["modules"], answer["bytes"]


@pytest.mark.parametrize("name", _NAMES)
def test_a_handler_stays_within_its_import_budget(name: str) -> None:
    imported, size = _imported(name)
    tops = {module.split(".")[0] for module in imported}
    assert not tops & _FOREIGN
    assert not tops & {"boto3", "botocore"}
    if name not in _BUDGET:
        # What other versions of Python import more.
        entry = f'"{name}": ({len(imported) + 5}, {size // 1024 + 60}),'
        pytest.fail(f"no budget yet; if what it imports is needed, add to _BUDGET: {entry}")
    modules, kibibytes = _BUDGET[name]
    assert len(imported) <= modules, imported
    assert size <= kibibytes * 1024


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


def test_every_budget_has_a_handler_and_no_module_shadows_the_standard_library() -> None:
    assert set(_BUDGET) - set(_NAMES) == set(), "there is no such handler any more"
    assert not (set(_NAMES) | {"common"}) & set(sys.stdlib_module_names)


def test_what_tells_of_traces_is_no_part_of_a_cold_start() -> None:
    for name in _NAMES:
        assert not {"common.segments", "common.segments_aws"} & set(_imported(name)[0])
