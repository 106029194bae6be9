"""Upload -> thumbnail: a picture under uploads/ becomes one that fits 200x200 under thumbnails/ in
the images bucket.

A picture that can never be processed (damaged, too large, no picture at all) is logged as an error
and done with: Lambda's retries would only fail again. Anything else is raised, after the other
records of the event, and Lambda retries.
"""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from contextlib import closing
from typing import Any
from urllib.parse import unquote_plus

from PIL import Image, ImageOps

from common import aws, logs, warming

_UPLOADS = "uploads/"
_THUMBNAILS = "thumbnails/"
_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
_FORMATS = ("JPEG", "PNG", "WEBP")  # by content; a name proves nothing
_SIZE = (200, 200)  # pixels
_QUALITY = 85
_LONGEST_KEY = 1024  # bytes, a limit of S3
_LARGEST_OBJECT = 40 * 1024 * 1024  # bytes
_MOST_PIXELS = 64_000_000  # decoded with alpha 256 MB of the function's 1769
_LARGEST_PROFILE = 256 * 1024  # bytes; colour profiles of real pictures stay below
_READ_TIMEOUT = 10  # seconds

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

Image.MAX_IMAGE_PIXELS = _MOST_PIXELS
aws.prepare("s3", read_timeout=_READ_TIMEOUT)


class Refused(Exception):
    """The object will never become a thumbnail; the text says why."""


@warming.aware
def handler(event: dict[str, Any], context: object) -> dict[str, int]:
    """How many thumbnails were written and how many objects refused. Raises the first unexpected
    error, at the end.
    """
    logs.begin(context)
    written = refused = 0
    unexpected: list[Exception] = []
    for record in event.get(
        "Records", ()
    ):  # S3's test event, sent when the trigger is made, has none
        source = record["s3"]["object"]["key"]
        try:
            target = _process(record["s3"]["bucket"]["name"], source)
        except Refused as reason:
            refused += 1
            logs.error("upload refused", key=source, reason=str(reason))
        except Exception as error:
            unexpected.append(error)
            logs.error("upload not processed", cause=error, key=source)
        else:
            written += 1
            logs.info("thumbnail written", key=source, thumbnail=target)
    if unexpected:
        raise unexpected[0]
    return {"written": written, "refused": refused}


def _process(bucket: str, encoded_key: str) -> str:
    try:
        key = unquote_plus(encoded_key, errors="strict")  # events encode keys as forms do
    except UnicodeDecodeError:
        raise Refused("the key is not UTF-8") from None
    target = thumbnail_key(key)
    content, content_type = thumbnail(_read(bucket, key))
    _client().put_object(
        Bucket=os.environ["IMAGES_BUCKET"], Key=target, Body=content, ContentType=content_type
    )
    return target


def _client() -> Any:
    return aws.client("s3", read_timeout=_READ_TIMEOUT)


def thumbnail_key(key: str) -> str:
    """`uploads/a/b.png` -> `thumbnails/a/b.png`; raises Refused for other keys."""
    rest = key.removeprefix(_UPLOADS)
    if rest == key or not rest.lower().endswith(_SUFFIXES):
        raise Refused("not a .jpg, .jpeg, .png or .webp under uploads/")
    # S3 takes them literally, what reads the bucket later (a shell, a web server) may not.
    if any(part in (".", "..") for part in rest.split("/")):
        raise Refused("the key climbs folders")
    target = _THUMBNAILS + rest
    if len(target.encode()) > _LONGEST_KEY:
        raise Refused("the thumbnail's key would be longer than 1024 bytes")
    return target


def _read(bucket: str, key: str) -> bytes:
    try:
        found = _client().get_object(Bucket=bucket, Key=key)
    except Exception as error:
        if aws.error_code(error) != "NoSuchKey":
            raise
        raise Refused("the object is gone") from None
    with closing(found["Body"]) as body:
        if found["ContentLength"] > _LARGEST_OBJECT:
            raise Refused(f"{found['ContentLength']} bytes are more than {_LARGEST_OBJECT}")
        return body.read()


def thumbnail(data: bytes) -> tuple[bytes, str]:
    """A picture's thumbnail and its content type; raises Refused for what is not a sound JPEG, PNG
    or WebP.

    The format stays. Metadata (place, camera, comments) does not go along, the colour profile does.
    Of an animation the first picture is taken. A picture that fits already is not enlarged.
    """
    try:
        # Pillow warns of odd metadata, which is dropped anyway, and of a size that is refused
        # below.
        with warnings.catch_warnings(action="ignore"):
            picture = Image.open(io.BytesIO(data), formats=_FORMATS)
            _check_size(picture)
            # Cameras write JPEG files with a second picture inside, which Pillow calls MPO.
            kind = "JPEG" if picture.format == "MPO" else str(picture.format)
            profile = picture.info.get("icc_profile")
            picture = _upright(_reduced(picture))
    except _UNDECODABLE as error:
        raise Refused(f"not a sound picture: {type(error).__name__}: {error}") from None
    return _encoded(picture, kind, profile), Image.MIME[kind]


def _check_size(picture: Image.Image) -> None:
    """Refuse by the size in the header, before a pixel is decoded. Pillow itself refuses above
    twice this limit.
    """
    width, height = picture.size
    if width * height > _MOST_PIXELS:
        raise Refused(f"{width}x{height} pixels are more than {_MOST_PIXELS}")


def _reduced(picture: Image.Image) -> Image.Image:
    if picture.mode in ("P", "PA") or "transparency" in picture.info:
        # Palette entries cannot be averaged: resizing would pick single pixels.
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    elif picture.mode == "1":
        picture = picture.convert("L")
    elif picture.mode.startswith("I"):
        # 16 bits of grey: a conversion would cut off everything brighter than 255.
        picture = picture.point(lambda grey: grey / 256).convert("L")
    # For JPEG this decodes at a fraction of the size already: a quarter of the time, a third of the
    # memory.
    picture.thumbnail(_SIZE)
    return picture


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says: after the reduction, when there are few pixels left to
    turn.
    """
    try:
        return ImageOps.exif_transpose(picture)
    except _UNDECODABLE as error:
        logs.warning("orientation not readable", reason=type(error).__name__)
        return picture


def _encoded(picture: Image.Image, kind: str, profile: bytes | None) -> bytes:
    wanted = {"JPEG": ("L", "RGB"), "PNG": ("L", "LA", "RGB", "RGBA"), "WEBP": ("RGB", "RGBA")}[
        kind
    ]
    if picture.mode not in wanted:
        # A profile describes the colours it was made for, CMYK's does not fit RGB.
        profile = None if picture.mode in ("CMYK", "LAB", "YCbCr") else profile
        picture = picture.convert(
            "RGBA" if picture.has_transparency_data and kind != "JPEG" else "RGB"
        )
    picture.info.clear()  # Pillow would write a JPEG's comment and a PNG's profile from here
    options: dict[str, Any] = {"quality": _QUALITY} if kind != "PNG" else {}
    if profile and len(profile) <= _LARGEST_PROFILE:
        options["icc_profile"] = profile
    output = io.BytesIO()
    picture.save(output, kind, optimize=True, **options)
    return output.getvalue()
