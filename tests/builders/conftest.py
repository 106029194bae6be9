"""Indexes and registries of this machine only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from builders import fetch
from tests.builders.support import Registry, registry


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where pip finds wheels, and nowhere else."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    return folder


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry that npm's environment names; no settings of the user's."""
    monkeypatch.setattr(fetch, "_WAITS", 0)
    for name in [n for n in os.environ if n.lower().startswith(("npm_config_", "http_proxy"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NPM_CONFIG_USERCONFIG", str(tmp_path / "no-such-npmrc"))
    with registry() as served:
        monkeypatch.setenv("NPM_CONFIG_REGISTRY", served.address)
        yield served
