"""The provider's packages, loaded class by class, are the same packages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import lean

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("s3", "lambda_", "iam", "sqs", "cloudwatch", "dynamodb")
LOOK = """
import contextlib, json, sys, types
from sandbox import lean
packages = json.loads(sys.argv[2])
with lean.provider() if sys.argv[1] == "lean" else contextlib.nullcontext():
    import pulumi_aws
    found = {}
    for package in packages:
        module = getattr(pulumi_aws, package)
        hasattr(module, "anything")  # the SDK loads the package with the first look into it
        names = packages[package] or [n for n in dir(module) if not n.startswith("_") and n != "typing"]
        # Only what the package itself shows; a submodule is shown as a module.
        found[package] = {n: getattr(getattr(module, n), "__module__", "module") for n in sorted(names)}
    loaded = len([name for name in sys.modules if name.startswith("pulumi_aws.s3.")])
print(json.dumps([found, loaded]))
"""


def look(how: str, names: dict[str, list[str]]) -> tuple[dict[str, dict[str, str]], int]:
    command = [sys.executable, "-W", "ignore", "-c", LOOK, how, json.dumps(names)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found, loaded = json.loads(done.stdout)
    return found, loaded


def test_every_name_of_a_package_is_the_same_object() -> None:
    whole, _ = look("whole", {package: [] for package in PACKAGES})
    lean_, _ = look("lean", {package: list(found) for package, found in whole.items()})
    assert lean_ == whole
    assert all(len(found) > 20 for found in whole.values())


def test_one_class_loads_few_modules() -> None:
    _, all_ = look("whole", {"s3": ["Bucket"]})
    _, few = look("lean", {"s3": ["Bucket"]})
    assert few < all_ / 3


def test_a_package_that_does_anything_else_is_loaded_as_it_is(tmp_path: Path) -> None:
    init = tmp_path / "__init__.py"
    init.write_text("# generated\nimport typing\nfrom .queue import *\nfrom ._inputs import *\n")
    assert lean._modules(init) == ["_inputs", "queue"]
    init.write_text(init.read_text() + "REGISTERED = True\n")
    assert lean._modules(init) == []


def test_a_name_that_no_module_holds_is_an_attribute_error() -> None:
    with pytest.raises(subprocess.CalledProcessError) as failed:
        look("lean", {"sqs": ["Kew"]})
    assert "module 'pulumi_aws.sqs' has no attribute 'Kew'" in failed.value.stderr
