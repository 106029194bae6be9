"""Pictures of every make, for the tests of what reads them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image

RED, BLUE = (254, 0, 0), (0, 0, 254)


def picture(mode: str = "RGB", size: tuple[int, int] = (640, 320)) -> Image.Image:
    """Red on the left, blue on the right."""
    made = Image.new("RGB", size, RED)
    made.paste(BLUE, (size[0] // 2, 0, *size))
    return made.convert(mode)


def saved(made: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def near(made: Image.Image, at: tuple[float, float], colour: tuple[int, ...]) -> bool:
    point = (int(made.width * at[0]), int(made.height * at[1]))
    found = made.convert("RGB").getpixel(point)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 40 for a, b in zip(found, colour, strict=True))


def png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that claims a size, whatever it holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def gif(width: int, height: int) -> bytes:
    """A GIF whose canvas claims a size."""
    return saved(picture("P"), "GIF").replace(
        struct.pack("<HH", 640, 320), struct.pack("<HH", width, height), 1
    )


def with_zip(data: bytes, comment: bytes = b"") -> bytes:
    """The data with an archive behind it, which any ZIP reader opens."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("run.class", "x")
        archive.comment = comment
    return data + out.getvalue()


HOSTILE: dict[str, tuple[str, bytes]] = {
    "a bomb of 2.5 gigapixels": ("PNG", png(50_000, 50_000)),
    "a bomb just over the limit": ("PNG", png(8001, 8000)),
    "a bomb over twice the limit": ("PNG", png(16_000, 8_001)),
    "a gif bomb": ("GIF", gif(65_535, 65_535)),
    "a picture without area": ("PNG", png(0, 0)),
    "a truncated jpeg": ("JPEG", saved(picture(), "JPEG")[:-900]),
    "a truncated progressive jpeg": ("JPEG", saved(picture(), "JPEG", progressive=True)[:-900]),
    "a truncated png": ("PNG", saved(picture(), "PNG")[:200]),
    "a truncated webp": ("WEBP", saved(picture(), "WEBP")[:60]),
    "a truncated gif": ("GIF", saved(picture("P"), "GIF")[:60]),
    "a png whose pixels are missing": ("PNG", png(400, 400)),
    "a png whose chunk is broken": ("PNG", saved(picture(), "PNG").replace(b"IDAT", b"IDAX")),
    "a png whose pixels are damaged": (
        "PNG",
        saved(picture(), "PNG").replace(b"\x9c\xed", b"\x00\x00"),
    ),
    "an svg": ("PNG", b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>'),
    "an svg with a script": ("PNG", b"<svg><script>alert(1)</script></svg>"),
    "a tiff": ("PNG", saved(picture(), "TIFF")),
    "a bitmap": ("PNG", saved(picture(), "BMP")),
    "postscript": ("JPEG", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
    "html": ("JPEG", b"<html></html>"),
    "nothing": ("JPEG", b""),
    "zeros": ("JPEG", bytes(1000)),
    "a jpeg's first bytes": ("JPEG", b"\xff\xd8\xff\xe0"),
    "a zip": ("PNG", with_zip(b"")),
}
"""What is no sound picture, with the format it claims to be."""

POLYGLOTS: dict[str, tuple[str, bytes]] = {
    "script behind a png": ("PNG", saved(picture(), "PNG") + b"<SCRIPT>canary</script>"),
    "php in a jpeg's comment": (
        "JPEG",
        saved(picture(), "JPEG", comment=b"<?php system($_GET[0]); ?>"),
    ),
    "phar behind a jpeg": ("JPEG", saved(picture(), "JPEG") + b"__HALT_COMPILER(); ?>"),
    "html in a gif's comment": ("GIF", saved(picture("P"), "GIF", comment=b"<!DOCTYPE html>")),
    "code across two pieces": (
        "JPEG",
        (data := saved(picture(), "JPEG")) + bytes(1024 * 1024 - 3 - len(data)) + b"<script>",
    ),
    "zip behind a jpeg": ("JPEG", with_zip(saved(picture(), "JPEG"))),
    "zip with a comment": ("PNG", with_zip(saved(picture(), "PNG"), b"c" * 65_535)),
    "pdf in a jpeg's comment": ("JPEG", saved(picture(), "JPEG", comment=b"%PDF-1.7 x")),
    "rar behind a webp": ("WEBP", saved(picture(), "WEBP") + b"Rar!\x1a\x07\x01\x00"),
    "7z behind a gif": ("GIF", saved(picture("P"), "GIF") + b"7z\xbc\xaf\x27\x1c"),
}
"""Sound pictures that are something else as well."""
