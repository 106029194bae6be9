"""Native code for another processor never reaches an archive."""

from __future__ import annotations

import platform

import pytest

from builders import BuildError, elf
from tests.builders import support


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_shared_object_for_the_functions_own_processor_passes(architecture: str) -> None:
    elf.check("lib.so", support.elf(architecture), architecture)


@pytest.mark.parametrize(
    ("given", "wanted"), [("x86_64", "arm64"), ("arm64", "x86_64"), ("i386", "x86_64")]
)
def test_shared_object_for_another_processor_is_refused_by_its_name(
    given: str, wanted: str
) -> None:
    told = (
        f"^pkg/lib.so: built for {given}, and the function runs on {wanted}; lock another version"
    )
    with pytest.raises(BuildError, match=told):
        elf.check("pkg/lib.so", support.elf(given), wanted)


def test_processor_of_a_file_is_told_in_lambdas_words() -> None:
    assert elf.machine_of(support.elf("arm64")) == "arm64"
    assert elf.machine_of(b"#!/bin/sh" * 9) is None


@pytest.mark.parametrize(
    ("machine", "told"),
    [("AMD64", "x86_64"), ("aarch64", "arm64"), ("arm64", "arm64"), ("riscv64", None)],
)
def test_processor_of_this_machine_is_told_in_lambdas_words(
    monkeypatch: pytest.MonkeyPatch, machine: str, told: str | None
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    assert elf.here() == told


def test_byte_order_of_the_header_is_heeded() -> None:
    swapped = bytearray(support.elf("arm64"))
    swapped[5] = 2
    with pytest.raises(BuildError, match="built for machine 46848"):
        elf.check("lib.so", bytes(swapped), "arm64")


@pytest.mark.parametrize("data", [b"", b"\x7fEL", b"\x7fELF", b"import os\n" * 9])
def test_anything_else_passes(data: bytes) -> None:
    elf.check("file", data, "arm64")
