"""Pictures: what is accepted, and what is made of one by a single decoding."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageOps

from common import logs
from common.uploads import NO_TYPE, PICTURE_SUFFIXES, PICTURE_TYPES, Refused, media_type

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_THUMBNAIL = (200, 200)  # pixels, as are the next two
_OPTIMISED = (1600, 1600)
_MOST_PIXELS = 64_000_000  # decoded with alpha 256 MB
_THUMBNAIL_QUALITY = 85
_QUALITY = 82
_LARGEST_PROFILE = 256 * 1024  # bytes; colour profiles of real pictures stay below
_ORIENTATION = 0x0112  # EXIF's tag
_SIDEWAYS = (5, 6, 7, 8)

# What decoding damaged data ends in; SyntaxError is Pillow's for a broken PNG chunk.
_UNDECODABLE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)

# A picture that is a document, a program or an archive as well, whoever opens it. Lower case.
_CODE = (b"<script", b"<?php", b"<html", b"<!doctype", b"__halt_compiler();")
_PDF, _PDF_WITHIN = b"%PDF-", 1024  # readers look for it so far into the file
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_ZIP_END, _ZIP_END_SIZE, _LONGEST_COMMENT = b"PK\x05\x06", 22, 65_535
_PIECE = 1024 * 1024  # bytes looked through at a time

Image.MAX_IMAGE_PIXELS = _MOST_PIXELS


@dataclass(frozen=True, slots=True)
class Derivative:
    """A picture made of an upload, encoded."""

    content: bytes
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """What an upload is (`about`, for its metadata object) and what was made of it, by name."""

    about: dict[str, Any]
    made: dict[str, Derivative]


def claims(key: str, content_type: str) -> set[str]:
    """The formats that an object's name and type claim; raises Refused when neither claims one, or
    the type is none of a picture.
    """
    kind = media_type(content_type)
    dot = key.rfind(".")
    named = PICTURE_SUFFIXES.get(key[dot:].lower()) if dot >= 0 else None
    if kind not in NO_TYPE and kind not in PICTURE_TYPES:
        raise Refused("the content type is not that of a JPEG, PNG, WebP or GIF")
    claimed = {format_ for format_ in (named, PICTURE_TYPES.get(kind)) if format_}
    if not claimed:
        raise Refused("neither name nor content type say that it is a picture")
    return claimed


def derive(data: bytes, claimed: set[str], *, watermark: str) -> Pictures:
    """The thumbnail, the optimised and the watermarked picture of an upload.

    A JPEG, PNG or WebP keeps its format; a GIF becomes a PNG where it is transparent, else a JPEG.
    Metadata (place, camera, comments) does not go along, the colour profile does. Of an animation
    the first picture is taken. Nothing is enlarged. Raises Refused for what is damaged, over 64
    megapixels, not what it claims to be, or something else as well.
    """
    _refuse_polyglots(data)
    try:
        # Pillow warns of odd metadata, which is dropped anyway, and of a size that is refused
        # below.
        with warnings.catch_warnings(action="ignore"):
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
            _check_size(picture)
            # Cameras write JPEG files with a second picture inside, which Pillow calls MPO.
            kind = "JPEG" if picture.format == "MPO" else str(picture.format)
            if claimed - {kind}:
                raise Refused(f"a {kind} that claims to be {' and '.join(sorted(claimed))}")
            profile = picture.info.get("icc_profile")
            about = {**_about(picture), "format": kind, "bytes": len(data)}
            picture, sideways = _upright(_reduced(picture, kind))
            if sideways:
                about |= {"width": about["height"], "height": about["width"]}
    except _UNDECODABLE as error:
        raise Refused(f"not a sound picture: {type(error).__name__}: {error}") from None
    picture, kind, profile = _encodable(picture, kind, profile)
    small = picture.copy()
    small.thumbnail(_THUMBNAIL, reducing_gap=2.0)
    made = {
        "thumbnail": _encoded(small, kind, profile, quality=_THUMBNAIL_QUALITY, progressive=False),
        "optimised": _encoded(picture, kind, profile),
    }
    _mark(picture, watermark)
    made["watermarked"] = _encoded(picture, kind, profile)
    return Pictures(about, made)


def as_jpeg(picture: Derivative) -> bytes:
    """The picture as a JPEG, whatever format it has."""
    if picture.content_type == Image.MIME["JPEG"]:
        return picture.content
    output = io.BytesIO()
    Image.open(io.BytesIO(picture.content)).convert("RGB").save(output, "JPEG", quality=_QUALITY)
    return output.getvalue()


def _refuse_polyglots(data: bytes) -> None:
    if _PDF in data[:_PDF_WITHIN]:
        raise Refused("a PDF as well as a picture")
    end = data.rfind(_ZIP_END, max(0, len(data) - _ZIP_END_SIZE - _LONGEST_COMMENT))
    # Its last field is the length of the comment up to the end of the file.
    if end >= 0 and data[end + 20 : end + 22] == struct.pack(
        "<H", (len(data) - end - _ZIP_END_SIZE) % 65_536
    ):
        raise Refused("a ZIP archive as well as a picture")
    if any(archive in data for archive in _ARCHIVES):
        raise Refused("an archive as well as a picture")
    for piece in _pieces(data):
        for code in _CODE:
            if code in piece:
                raise Refused(f"a picture that holds {code.decode()}")


def _pieces(data: bytes) -> Iterator[bytes]:
    """The data in lower case, in pieces that overlap: a copy of the whole would double it."""
    overlap = max(map(len, _CODE))
    for start in range(0, len(data), _PIECE):
        yield data[start : start + _PIECE + overlap].lower()


def _check_size(picture: Image.Image) -> None:
    """Refuse by the size in the header, before a pixel is decoded. Pillow itself refuses above
    twice this limit.
    """
    width, height = picture.size
    if width * height > _MOST_PIXELS:
        raise Refused(f"{width}x{height} pixels are more than {_MOST_PIXELS}")


def _about(picture: Image.Image) -> dict[str, Any]:
    width, height = picture.size
    animated = picture.format != "MPO" and bool(getattr(picture, "is_animated", False))
    return {"width": width, "height": height, "mode": picture.mode, "animated": animated}


def _reduced(picture: Image.Image, kind: str) -> Image.Image:
    whole = max(picture.size) // max(_OPTIMISED)
    if kind == "JPEG" and whole > 1:
        # Decodes at the half, quarter or eighth that is still large enough: a third of the time, a
        # quarter of the memory.
        width, height = picture.size
        picture.draft(None, (max(1, width // whole), max(1, height // whole)))
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        # Palette entries cannot be averaged: resizing would pick single pixels.
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode.startswith("I"):
        # 16 bits of grey: a conversion would cut off everything brighter than 255.
        picture = picture.point(lambda grey: grey / 256).convert("L")
    picture.thumbnail(_OPTIMISED, reducing_gap=None if kind == "JPEG" else 2.0)
    picture.load()  # what fits already has not been decoded
    return picture


def _upright(picture: Image.Image) -> tuple[Image.Image, bool]:
    """Turned as its EXIF orientation says, and whether it lay on its side: after the reduction,
    when there are few pixels left to turn.
    """
    try:
        sideways = picture.getexif().get(_ORIENTATION) in _SIDEWAYS
        return ImageOps.exif_transpose(picture), sideways
    except _UNDECODABLE as error:
        logs.warning("orientation not readable", reason=type(error).__name__)
        return picture, False


def _encodable(
    picture: Image.Image, kind: str, profile: bytes | None
) -> tuple[Image.Image, str, bytes | None]:
    """The picture in a mode that its format has, that format, and the colour profile that fits."""
    if kind == "GIF":
        clear = picture.mode == "RGBA" and picture.getextrema()[3][0] < 255  # type: ignore[index]
        kind = "PNG" if clear else "JPEG"
    wanted = {"JPEG": ("L", "RGB"), "PNG": ("L", "LA", "RGB", "RGBA"), "WEBP": ("RGB", "RGBA")}
    if picture.mode not in wanted[kind]:
        # A profile describes the colours it was made for, CMYK's does not fit RGB.
        profile = None if picture.mode in ("CMYK", "LAB", "YCbCr") else profile
        clear = picture.has_transparency_data and kind != "JPEG"
        picture = picture.convert("RGBA" if clear else "RGB")
    picture.info.clear()  # Pillow would write a JPEG's comment and a PNG's profile from here
    return picture, kind, profile if profile and len(profile) <= _LARGEST_PROFILE else None


def _encoded(
    picture: Image.Image,
    kind: str,
    profile: bytes | None,
    *,
    quality: int = _QUALITY,
    progressive: bool = True,
) -> Derivative:
    options: dict[str, Any] = {"icc_profile": profile} if profile else {}
    if kind == "JPEG":
        options |= {"quality": quality, "progressive": progressive, "optimize": True}
    elif kind == "WEBP":
        options |= {"quality": quality}
    output = io.BytesIO()
    picture.save(output, kind, **options)
    return Derivative(output.getvalue(), Image.MIME[kind], *picture.size)


_SMALLEST_TEXT, _LARGEST_TEXT = 6, 48  # pixels high
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _mark(picture: Image.Image, text: str) -> None:
    """Write the text into the lower right corner, light with a dark edge: readable on any ground.

    At most a third of the picture's width; in a picture too small for that it is cut off.
    """
    from PIL import ImageDraw, ImageFont  # kept out of the cold start

    text = _UNPRINTABLE.sub(" ", text).strip()
    if not text:
        return
    size = min(max(min(picture.size) / 16, _SMALLEST_TEXT), _LARGEST_TEXT)
    width = ImageFont.load_default(size).getlength(text)
    size = max(_SMALLEST_TEXT, min(size, size * picture.width / 3 / max(width, 1)))
    font, edge = ImageFont.load_default(size), max(1, round(size / 12))
    left, top, right, bottom = ImageDraw.Draw(picture).textbbox(
        (0, 0), text, font=font, stroke_width=edge
    )
    tile = Image.new("RGBA", (round(right - left), round(bottom - top)))
    ImageDraw.Draw(tile).text(
        (-left, -top),
        text,
        font=font,
        fill=(255, 255, 255, 220),
        stroke_width=edge,
        stroke_fill=(0, 0, 0, 200),
    )
    x = max(0, picture.width - tile.width - round(size / 2))
    y = max(0, picture.height - tile.height - round(size / 2))
    ground = picture.crop((x, y, x + tile.width, y + tile.height)).convert("RGBA")
    ground.alpha_composite(tile)
    picture.paste(ground.convert(picture.mode), (x, y))
