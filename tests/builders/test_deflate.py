"""Streams that every reader understands, and that no machine's zlib has touched."""

from __future__ import annotations

import hashlib
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import deflate

SAMPLE = b"".join(b"%d green bottles, hanging on the wall;\n" % n for n in range(3000))


def inflated(stream: bytes) -> bytes:
    return zlib.decompress(stream, wbits=-15)


@given(st.binary(max_size=2000) | st.text("ab\n", max_size=3000).map(str.encode))
def test_reader_gets_back_what_was_compressed(data: bytes) -> None:
    assert inflated(deflate.compress(data)) == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a",
        bytes(1_000_000),
        bytes(range(256)) * 300,
        os.urandom(100_000),
        # A place just inside of the window, at its edge, and just outside.
        *(b"once" + os.urandom(32_764 + more) + b"once" for more in (-1, 0, 1)),
        # Counts that grow like rabbits make the longest codes.
        b"".join(bytes([97 + n]) * round(1.618**n) for n in range(25)),
    ],
    ids=lambda data: f"{len(data)} bytes",
)
def test_reader_gets_back_the_extremes(data: bytes) -> None:
    assert inflated(deflate.compress(data)) == data


def test_stream_is_about_as_small_as_zlibs() -> None:
    assert len(deflate.compress(SAMPLE)) < 1.3 * len(zlib.compress(SAMPLE))


def test_stream_is_the_same_in_every_version_of_python() -> None:
    """Were it not, a laptop and a pipeline would disagree about every layer."""
    digest = hashlib.sha256(deflate.compress(SAMPLE)).hexdigest()
    assert digest == "7a0a78704c3b4714acb8d15f946690aea373b3d2471694936e1b3b3f4439da16"
