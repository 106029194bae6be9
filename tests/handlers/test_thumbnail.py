"""What is made of pictures of every make, and refusing damaged and hostile ones."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from common import pictures
from common.pictures import Derivative, Pictures, derive
from common.uploads import Refused
from tests.handlers.pictures import BLUE, HOSTILE, POLYGLOTS, RED, near, picture, png, saved


def _derive(data: bytes, kind: str = "", watermark: str = "sandpiper") -> Pictures:
    return derive(data, {kind} if kind else set(), watermark=watermark)


def _open(made: Derivative) -> Image.Image:
    opened = Image.open(io.BytesIO(made.content))
    opened.load()
    assert opened.size == (made.width, made.height)
    assert Image.MIME[str(opened.format)] == made.content_type
    return opened


def _thumb(data: bytes) -> Image.Image:
    return _open(_derive(data).made["thumbnail"])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_reduced_in_its_own_format(kind: str) -> None:
    found = _derive(saved(picture(size=(3200, 1600)), kind), kind)
    sizes = {"thumbnail": (200, 100), "optimised": (1600, 800), "watermarked": (1600, 800)}
    for name, size in sizes.items():
        opened = _open(found.made[name])
        assert (opened.format, opened.size) == (kind, size)
        assert near(opened, (0.2, 0.5), RED)
        assert near(opened, (0.8, 0.5), BLUE)
    assert found.about["format"] == kind
    assert (found.about["width"], found.about["height"]) == (3200, 1600)


@pytest.mark.parametrize(
    ("size", "reduced", "optimised"),
    [
        ((400, 400), (200, 200), (400, 400)),
        ((300, 900), (67, 200), (300, 900)),
        ((5000, 1), (200, 1), (1600, 1)),
        ((1, 5000), (1, 200), (1, 1600)),
        ((120, 80), (120, 80), (120, 80)),
        ((201, 200), (200, 199), (201, 200)),
        ((4000, 3000), (200, 150), (1600, 1200)),
        ((3199, 2000), (200, 125), (1600, 1000)),
        ((1, 1), (1, 1), (1, 1)),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_fits_keeps_its_shape_and_is_never_enlarged(
    kind: str, size: tuple[int, int], reduced: tuple[int, int], optimised: tuple[int, int]
) -> None:
    found = _derive(saved(picture(size=size), kind)).made
    assert _open(found["thumbnail"]).size == reduced
    assert _open(found["optimised"]).size == optimised == _open(found["watermarked"]).size


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_lying_on_its_side_is_put_upright_and_loses_its_metadata(kind: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter to the right
    exif[0x010F] = "canary-camera"
    found = _derive(saved(picture(), kind, exif=exif))
    assert (found.about["width"], found.about["height"]) == (320, 640)
    for made in found.made.values():
        opened = _open(made)
        assert opened.height == opened.width * 2
        assert near(opened, (0.5, 0.2), RED)
        assert dict(opened.getexif()) == {}
        assert b"canary" not in made.content


@pytest.mark.parametrize("mode", ["P", "1", "L", "RGBA", "LA"])
def test_every_kind_of_picture_is_put_upright(mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 8
    assert _thumb(saved(picture(mode), "PNG", exif=exif)).size == (100, 200)


def test_an_orientation_that_cannot_be_read_is_left_alone(lines: Any) -> None:
    cut = b"Exif\x00\x00MM\x00*\x00\x00\x00\x08\xff\xff"
    for kind, exif in (("JPEG", cut), ("PNG", cut), ("PNG", b"no TIFF"), ("WEBP", b"Exif\0\0II")):
        found = _derive(saved(picture(), kind, exif=exif))
        assert _open(found.made["thumbnail"]).size == (200, 100)
        assert found.about["width"] == 640
    assert [line["message"] for line in lines()] == ["orientation not readable"] * 2


def test_comments_and_text_do_not_go_along() -> None:
    info = PngInfo()
    info.add_text("Author", "canary")
    jpeg = _derive(saved(picture(), "JPEG", comment=b"canary")).made
    noted = _derive(saved(picture(), "PNG", pnginfo=info)).made
    assert b"canary" not in b"".join(m.content for m in (*jpeg.values(), *noted.values()))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_colour_profile_goes_along(kind: str) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for made in _derive(saved(picture(), kind, icc_profile=profile)).made.values():
        assert _open(made).info["icc_profile"] == profile


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_outsized_colour_profile_is_dropped(kind: str) -> None:
    data = saved(picture(), kind, icc_profile=b"x" * 300_000)
    assert "icc_profile" not in _thumb(data).info


def test_cmyk_becomes_rgb_without_the_printers_profile() -> None:
    found = _derive(saved(picture("CMYK"), "JPEG", icc_profile=b"cmyk profile"))
    assert found.about["mode"] == "CMYK"
    for made in found.made.values():
        opened = _open(made)
        assert (opened.mode, "icc_profile" in opened.info) == ("RGB", False)
        assert near(opened, (0.2, 0.5), RED)


@pytest.mark.parametrize(
    ("mode", "reduced"),
    [("L", "L"), ("LA", "LA"), ("RGBA", "RGBA"), ("P", "RGB"), ("1", "L"), ("I;16", "L")],
)
def test_every_kind_of_png_keeps_what_it_shows(mode: str, reduced: str) -> None:
    source = Image.linear_gradient("L").resize((400, 400))
    if mode == "I;16":
        source = source.convert("I").point(lambda grey: grey * 257)
    for made in _derive(saved(source.convert(mode), "PNG")).made.values():
        opened = _open(made)
        assert opened.mode == reduced
        assert near(opened, (0.5, 0.02), (4, 4, 4))
        assert near(opened, (0.2, 0.98), (250, 250, 250))


def test_transparency_stays_in_png_and_webp() -> None:
    clear = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    palette = Image.new("P", (400, 400), 0)
    palette.putpalette([255, 255, 255, 0, 0, 0])
    sources = (
        saved(clear, "PNG"),
        saved(clear, "WEBP"),
        saved(palette, "PNG", transparency=0),
        saved(palette, "PNG", transparency=b"\x00\xff"),
        saved(Image.new("RGB", (400, 400), RED), "PNG", transparency=RED),
    )
    for data in sources:
        found = _derive(data).made
        for made in found.values():
            opened = _open(made)
            assert opened.mode == "RGBA"
            assert opened.getpixel((100, 100))[3] == 0  # type: ignore[index]
        # The mark is seen on what shines through too.
        assert _open(found["watermarked"]).getextrema()[3][1] > 200  # type: ignore[index,operator]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_of_an_animation_the_first_picture_is_taken(kind: str) -> None:
    frames = [Image.new("RGB", (300, 300), BLUE)]
    data = saved(
        Image.new("RGB", (300, 300), RED), kind, save_all=True, append_images=frames, duration=50
    )
    found = _derive(data, kind)
    assert found.about["animated"] is True
    for made in found.made.values():
        opened = _open(made)
        assert getattr(opened, "n_frames", 1) == 1
        assert near(opened, (0.5, 0.5), RED)


def test_a_gif_becomes_a_jpeg_and_a_transparent_one_a_png() -> None:
    assert {m.content_type for m in _derive(saved(picture("P"), "GIF"), "GIF").made.values()} == {
        "image/jpeg"
    }
    clear = saved(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "GIF")
    found = _derive(clear, "GIF").made["thumbnail"]
    assert found.content_type == "image/png"
    assert _open(found).getpixel((9, 9))[3] == 0  # type: ignore[index]


def test_a_cameras_jpeg_with_a_second_picture_is_a_jpeg() -> None:
    data = saved(picture(), "MPO", save_all=True, append_images=[picture()])
    found = _derive(data, "JPEG")
    assert (found.about["format"], found.about["animated"]) == ("JPEG", False)
    assert _open(found.made["thumbnail"]).size == (200, 100)


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_sound_picture_is_refused(case: tuple[str, bytes]) -> None:
    with pytest.raises(Refused):
        _derive(case[1], case[0])


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (8001, 8000), (16_000, 8001)])
def test_a_bomb_is_refused_by_the_size_it_claims(width: int, height: int) -> None:
    with pytest.raises(Refused, match=r"pixels are more than|DecompressionBomb"):
        _derive(png(width, height))


@pytest.mark.parametrize("case", POLYGLOTS.values(), ids=POLYGLOTS)
def test_what_is_a_picture_and_something_else_besides_is_refused(case: tuple[str, bytes]) -> None:
    with Image.open(io.BytesIO(case[1])) as opened:
        opened.load()  # it is a picture, too
    with pytest.raises(Refused, match=r"as well as a picture|a picture that holds"):
        _derive(case[1], case[0])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_that_claims_another_format_is_refused(kind: str) -> None:
    data = saved(picture(), kind)
    for claimed in {"JPEG", "PNG", "WEBP", "GIF"} - {kind}:
        with pytest.raises(Refused, match=f"a {kind} that claims to be .*{claimed}"):
            derive(data, {kind, claimed}, watermark="x")


@pytest.mark.parametrize(
    ("key", "kind", "claimed"),
    [
        ("uploads/a.JPG", "image/jpeg", {"JPEG"}),
        ("uploads/a.jpeg", "binary/octet-stream", {"JPEG"}),
        ("uploads/a.png", "", {"PNG"}),
        ("uploads/a.webp", "image/jpg", {"WEBP", "JPEG"}),
        ("incoming/a", "image/gif; x=y", {"GIF"}),
        ("incoming/a.b/c", "IMAGE/PNG", {"PNG"}),
        ("incoming/a.dat", "image/png", {"PNG"}),
    ],
)
def test_name_and_type_say_what_a_picture_claims_to_be(
    key: str, kind: str, claimed: set[str]
) -> None:
    assert pictures.claims(key, kind) == claimed


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("uploads/a.png", "text/html"),
        ("uploads/a.png", "image/svg+xml"),
        ("incoming/a", ""),
        ("incoming/a.bin", "application/octet-stream"),
    ],
)
def test_what_claims_to_be_no_picture_is_refused(key: str, kind: str) -> None:
    with pytest.raises(Refused):
        pictures.claims(key, kind)


def test_thumbnails_have_quality_85_the_others_82_in_passes() -> None:
    found = _derive(saved(picture(), "JPEG", quality=100)).made
    for name, quality, passes in (
        ("thumbnail", 85, False),
        ("optimised", 82, True),
        ("watermarked", 82, True),
    ):
        expected = Image.open(io.BytesIO(saved(picture(), "JPEG", quality=quality)))
        opened = _open(found[name])
        assert opened.quantization == expected.quantization  # type: ignore[attr-defined]
        assert bool(opened.info.get("progressive")) is passes


@pytest.mark.parametrize("ground", [(255, 255, 255), (0, 0, 0), (128, 128, 128)])
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_watermark_is_readable_on_light_and_dark(mode: str, ground: tuple[int, int, int]) -> None:
    found = _derive(saved(Image.new("RGB", (800, 600), ground).convert(mode), "PNG"), "PNG").made
    plain, marked = (_open(found[name]).convert("L") for name in ("optimised", "watermarked"))
    corner = marked.crop((400, 450, 800, 600))
    darkest, lightest = corner.getextrema()
    assert isinstance(darkest, int | float)
    assert isinstance(lightest, int | float)
    assert lightest - darkest > 150
    rest = (0, 0, 400, 600)
    assert marked.crop(rest).tobytes() == plain.crop(rest).tobytes()


@given(text=st.text(max_size=300), width=st.integers(1, 300), height=st.integers(1, 300))
def test_any_text_marks_a_picture_of_any_size(text: str, width: int, height: int) -> None:
    found = _derive(saved(picture(size=(width, height)), "PNG"), watermark=text).made
    assert _open(found["watermarked"]).size == (width, height)


@given(
    cut=st.integers(0, 3000), noise=st.binary(max_size=40), kind=st.sampled_from(["JPEG", "GIF"])
)
def test_a_damaged_picture_is_read_or_refused(cut: int, noise: bytes, kind: str) -> None:
    data = saved(picture("P" if kind == "GIF" else "RGB", (64, 64)), kind)
    at = min(cut, len(data))
    damaged = data[:at] + noise + data[at + len(noise) :]
    try:
        _derive(damaged)
    except Refused:
        return
