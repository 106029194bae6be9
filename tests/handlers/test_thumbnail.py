"""Reducing pictures of every make, and refusing damaged and hostile ones."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from image_processor import Refused, thumbnail
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

_RED, _BLUE = (254, 0, 0), (0, 0, 254)


def _picture(mode: str = "RGB", size: tuple[int, int] = (640, 320)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, _RED)
    picture.paste(_BLUE, (size[0] // 2, 0, *size))
    return picture.convert(mode)


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def _thumb(data: bytes) -> tuple[Image.Image, str]:
    content, content_type = thumbnail(data)
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture, content_type


def _near(picture: Image.Image, at: tuple[float, float], colour: tuple[int, ...]) -> bool:
    point = (int(picture.width * at[0]), int(picture.height * at[1]))
    found = picture.convert("RGB").getpixel(point)
    return all(abs(a - b) < 40 for a, b in zip(found, colour, strict=True))


@pytest.mark.parametrize(
    ("kind", "content_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_a_picture_is_reduced_in_its_own_format(kind: str, content_type: str) -> None:
    picture, answered = _thumb(_saved(_picture(), kind))
    assert (picture.format, answered, picture.size) == (kind, content_type, (200, 100))
    assert _near(picture, (0.2, 0.5), _RED)
    assert _near(picture, (0.8, 0.5), _BLUE)


@pytest.mark.parametrize(
    ("size", "reduced"),
    [
        ((400, 400), (200, 200)),
        ((300, 900), (67, 200)),
        ((5000, 1), (200, 1)),
        ((1, 5000), (1, 200)),
        ((120, 80), (120, 80)),
        ((201, 200), (200, 199)),
        ((1, 1), (1, 1)),
    ],
)
def test_a_thumbnail_fits_keeps_its_shape_and_is_never_enlarged(
    size: tuple[int, int], reduced: tuple[int, int]
) -> None:
    assert _thumb(_saved(_picture(size=size), "PNG"))[0].size == reduced


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_lying_on_its_side_is_put_upright_and_loses_its_metadata(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right
    exif[0x010F] = "canary-camera"
    picture, _ = _thumb(_saved(_picture(), kind, exif=exif))
    assert picture.size == (100, 200)
    assert _near(picture, (0.5, 0.2), _RED)
    assert dict(picture.getexif()) == {}


@pytest.mark.parametrize("mode", ["P", "1", "L", "RGBA", "LA"])
def test_every_kind_of_picture_is_put_upright(mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    assert _thumb(_saved(_picture(mode), "PNG", exif=exif))[0].size == (100, 200)


def test_an_orientation_that_cannot_be_read_is_left_alone(lines: Any) -> None:
    cut = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff"
    for kind, exif in (("JPEG", cut), ("PNG", cut), ("PNG", b"no TIFF"), ("WEBP", b"Exif\0\0II")):
        assert _thumb(_saved(_picture(), kind, exif=exif))[0].size == (200, 100)
    assert [line["message"] for line in lines()] == ["orientation not readable"] * 2


def test_comments_and_text_do_not_go_along() -> None:
    jpeg = thumbnail(_saved(_picture(), "JPEG", comment=b"canary"))[0]
    info = PngInfo()
    info.add_text("Author", "canary")
    png = thumbnail(_saved(_picture(), "PNG", pnginfo=info))[0]
    assert b"canary" not in jpeg + png


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_colour_profile_goes_along(kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert _thumb(_saved(_picture(), kind, icc_profile=profile))[0].info["icc_profile"] == profile


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_outsized_colour_profile_is_dropped(kind: str) -> None:
    data = _saved(_picture(), kind, icc_profile=b"x" * 300_000)
    assert "icc_profile" not in _thumb(data)[0].info


def test_cmyk_becomes_rgb_without_the_printers_profile() -> None:
    data = _saved(_picture("CMYK"), "JPEG", icc_profile=b"cmyk profile")
    picture, _ = _thumb(data)
    assert (picture.mode, "icc_profile" in picture.info) == ("RGB", False)
    assert _near(picture, (0.2, 0.5), _RED)


@pytest.mark.parametrize(
    ("mode", "reduced"),
    [("L", "L"), ("LA", "LA"), ("RGBA", "RGBA"), ("P", "RGB"), ("1", "L"), ("I;16", "L")],
)
def test_every_kind_of_png_keeps_what_it_shows(mode: str, reduced: str) -> None:
    source = Image.linear_gradient("L").resize((400, 400))
    if mode == "I;16":
        source = source.convert("I").point(lambda grey: grey * 257)
    picture, _ = _thumb(_saved(source.convert(mode), "PNG"))
    assert picture.mode == reduced
    assert _near(picture, (0.5, 0.02), (4, 4, 4))
    assert _near(picture, (0.5, 0.98), (250, 250, 250))


def test_transparency_stays_in_png_and_webp() -> None:
    clear = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    palette = Image.new("P", (400, 400), 0)
    palette.putpalette([255, 255, 255, 0, 0, 0])
    sources = (
        _saved(clear, "PNG"),
        _saved(clear, "WEBP"),
        _saved(palette, "PNG", transparency=0),
        _saved(palette, "PNG", transparency=b"\x00\xff"),
        _saved(Image.new("RGB", (400, 400), _RED), "PNG", transparency=_RED),
    )
    for data in sources:
        picture, _ = _thumb(data)
        assert picture.mode == "RGBA"
        assert picture.getpixel((100, 100))[3] == 0


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (300, 300), _BLUE)]
    data = _saved(
        Image.new("RGB", (300, 300), _RED), kind, save_all=True, append_images=frames, duration=50
    )
    picture, _ = _thumb(data)
    assert getattr(picture, "n_frames", 1) == 1
    assert _near(picture, (0.5, 0.5), _RED)


def test_a_cameras_jpeg_with_a_second_picture_is_a_jpeg() -> None:
    data = _saved(_picture(), "MPO", save_all=True, append_images=[_picture()])
    picture, content_type = _thumb(data)
    assert (picture.format, content_type, picture.size) == ("JPEG", "image/jpeg", (200, 100))


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + data))
    return struct.pack(">I", len(data)) + kind + data + check


def _png(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that claims a size, whatever it holds."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks)


_HOSTILE = {
    "a bomb of 2.5 gigapixels": _png(50_000, 50_000),
    "a bomb just over the limit": _png(8001, 8000),
    "a bomb over twice the limit": _png(16_000, 8_001),
    "a picture without area": _png(0, 0),
    "a truncated jpeg": _saved(_picture(), "JPEG")[:-900],
    "a truncated png": _saved(_picture(), "PNG")[:200],
    "a truncated webp": _saved(_picture(), "WEBP")[:60],
    "a png whose pixels are missing": _png(400, 400),
    "a png whose chunk is broken": _saved(_picture(), "PNG").replace(b"IDAT", b"IDAX"),
    "a png whose pixels are damaged": _saved(_picture(), "PNG").replace(b"\x9c\xed", b"\x00\x00"),
    "an svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "a gif": _saved(_picture("P"), "GIF"),
    "a tiff": _saved(_picture(), "TIFF"),
    "a bitmap": _saved(_picture(), "BMP"),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    "html": b"<html></html>",
    "nothing": b"",
    "zeros": bytes(1000),
    "a jpeg's first bytes": b"\xff\xd8\xff\xe0",
    "a zip": b"PK\x03\x04" + bytes(100),
}


@pytest.mark.parametrize("data", _HOSTILE.values(), ids=_HOSTILE)
def test_what_is_no_sound_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Refused):
        thumbnail(data)


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (8001, 8000), (16_000, 8001)])
def test_a_bomb_is_refused_by_the_size_it_claims(width: int, height: int) -> None:
    with pytest.raises(Refused, match=r"pixels are more than|DecompressionBomb"):
        thumbnail(_png(width, height))


def test_the_quality_of_a_jpeg_is_85() -> None:
    expected = Image.open(io.BytesIO(_saved(_picture(), "JPEG", quality=85)))
    assert _thumb(_saved(_picture(), "JPEG", quality=100))[0].quantization == expected.quantization


def test_a_picture_followed_by_something_else_loses_it() -> None:
    content, _ = thumbnail(_saved(_picture(), "PNG") + b"<script>canary</script>")
    assert b"canary" not in content
