"""Objects in the uploads bucket start functions: by the bucket's own notification, and through EventBridge."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from sandbox.box import Box
from tests.support.effects import Effects, eventually, unique

DERIVED = ("thumbnails/", "optimised/", "watermarked/")
AUTOMATIC_TRIES = 3


def picture(size: tuple[int, int], kind: str) -> bytes:
    """A picture of one colour, encoded."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 40, 40)).save(out, kind)
    return out.getvalue()


def described(effects: Effects, name: str, original: str = "present") -> dict[str, Any] | None:
    """The description of a picture, once it says so of the original: what is written last."""
    text = effects.stored("imagesBucket", f"metadata/{name}.json")
    found = json.loads(text) if text else {}
    return found if found.get("original") == original else None


def started(effects: Effects, function: str, marker: str) -> int:
    """How often a function has begun with an object of that name, as far as its log says."""
    return len(effects.lines(function, marker))


@pytest.mark.parametrize(
    ("key", "kind"),
    [("a.jpg", "JPEG"), ("b.jpeg", "JPEG"), ("c d+é.png", "PNG"), ("deep/e.webp", "WEBP")],
)
def test_an_uploaded_picture_gets_its_derivatives_and_a_description(
    box: Box, effects: Effects, key: str, kind: str
) -> None:
    box.send_s3(picture((800, 400), kind), key=f"uploads/{key}")
    told = eventually(lambda: described(effects, key))
    assert told["key"] == f"uploads/{key}"
    thumbnail = effects.stored("imagesBucket", f"thumbnails/{key}")
    with Image.open(io.BytesIO(thumbnail or b"")) as image:
        assert (image.size, image.format) == ((200, 100), kind)
    for folder in DERIVED:
        assert effects.stored("imagesBucket", folder + key), folder


def test_one_upload_is_worked_on_once(box: Box, effects: Effects) -> None:
    name = f"{unique()}.png"
    box.send_s3(picture((300, 300), "PNG"), key=f"uploads/{name}")
    eventually(lambda: described(effects, name))
    after_another(box, effects)
    listed = box.client("s3").list_object_versions(
        Bucket=box.outputs["imagesBucket"], Prefix=f"thumbnails/{name}"
    )
    assert len(listed["Versions"]) == 1
    assert started(effects, "image-processor", name) == 1


def after_another(box: Box, effects: Effects) -> None:
    """Returns when a later upload has been worked on: what came before it has had its time."""
    later = f"{unique('later')}.jpg"
    box.send_s3(picture((10, 10), "JPEG"), key=f"uploads/{later}")
    eventually(lambda: described(effects, later))


@pytest.mark.parametrize("key", ["uploads/{}.txt", "elsewhere/{}.jpg", "uploads/{}.tiff"])
def test_what_the_notification_leaves_out_starts_nothing(
    box: Box, effects: Effects, key: str
) -> None:
    name = unique()
    box.send_s3(picture((10, 10), "JPEG"), key=key.format(name))
    after_another(box, effects)
    assert effects.lines("image-processor", name) == []


def test_a_removed_original_is_noted_and_what_was_made_of_it_stays(
    box: Box, effects: Effects
) -> None:
    name = f"{unique()}.jpg"
    box.send_s3(picture((300, 300), "JPEG"), key=f"uploads/{name}")
    eventually(lambda: described(effects, name))
    box.client("s3").delete_object(Bucket=box.outputs["uploadsBucket"], Key=f"uploads/{name}")
    eventually(lambda: described(effects, name, "removed"))
    for folder in DERIVED:
        assert effects.stored("imagesBucket", folder + name), folder


def test_what_cannot_be_a_picture_ends_in_the_failures_queue_with_its_event(
    box: Box, effects: Effects
) -> None:
    name = f"{unique()}.jpg"
    box.send_s3(b"no picture at all", key=f"uploads/{name}")
    (letter,) = eventually(lambda: effects.letters("events-failures", name))
    assert (letter.kind, letter.source) == ("invocation", "image-processor")
    assert letter.condition == "RetriesExhausted"
    assert letter.receives == AUTOMATIC_TRIES
    assert letter.error.startswith("Refused")
    event = json.loads(letter.body)["requestPayload"]
    assert event["Records"][0]["s3"]["object"]["key"] == f"uploads/{name}"
    assert described(effects, name) is None


@pytest.mark.parametrize(
    ("function", "folder"), [("image-processor", "uploads"), ("content-router", "incoming")]
)
def test_an_upload_that_failed_by_no_fault_of_its_own_is_worked_on_after_a_redrive(
    box: Box, effects: Effects, function: str, folder: str
) -> None:
    name = f"{unique()}.png"
    with box.fault(function, before="handler", where=name, times=AUTOMATIC_TRIES):
        box.send_s3(picture((300, 300), "PNG"), key=f"{folder}/{name}")
        (letter,) = eventually(lambda: effects.letters("events-failures", name))
    assert (letter.source, letter.receives) == (function, AUTOMATIC_TRIES)
    assert described(effects, name) is None
    assert box.redrive("events-failures").moved >= 1
    eventually(lambda: described(effects, name))
    assert effects.letters("events-failures", name) == []


def imported(effects: Effects, name: str) -> dict[str, Any] | None:
    text = effects.stored("reportsBucket", f"imports/{name}.json")
    found = json.loads(text) if text else {}
    return found if found.get("state") == "done" else None


def test_rows_of_a_csv_file_become_items_once(box: Box, effects: Effects) -> None:
    name, wanted = f"{unique()} é+.csv", unique("lamp")
    told = effects.listening({"source": ["aws.s3"]}, bus="default")
    rows = [f"{wanted},{price}" for price in ("1.50", "2.50", "much")]
    body = "\n".join(["name,price", *rows, ""]).encode()
    box.send_s3(body, key=f"incoming/{name}", content_type="text/csv")
    result = eventually(lambda: imported(effects, name))
    assert (result["loaded"], result["refusedCount"]) == (2, 1)
    assert result["refused"][0]["row"] == 3
    events = [json.loads(text) for text in effects.peek(told)]
    (event,) = [each for each in events if name in each["detail"]["object"]["key"]]
    assert event["detail"]["object"]["key"] == f"incoming/{name}"
    for _ in range(2):
        assert box.invoke("content-router", event).payload == {"route": "skipped"}
    assert len(effects.rows("itemsTable", "name", wanted)) == 2


def test_text_and_json_and_pictures_each_take_their_way(box: Box, effects: Effects) -> None:
    name = unique()
    box.send_s3(b"Two  words\r\n", key=f"incoming/{name}.txt")
    box.send_s3(json.dumps([{"name": name, "price": "3.00"}]).encode(), key=f"incoming/{name}.json")
    box.send_s3(picture((300, 300), "PNG"), key=f"incoming/{name}.png")
    text = eventually(lambda: effects.stored("reportsBucket", f"texts/{name}.txt.json"))
    assert json.loads(text)["words"] == 2
    assert eventually(lambda: imported(effects, f"{name}.json"))["loaded"] == 1
    assert eventually(lambda: described(effects, f"{name}.png"))["key"] == f"incoming/{name}.png"


@pytest.mark.parametrize("key", ["uploads/{}.csv", "elsewhere/{}.csv"])
def test_what_the_rule_leaves_out_starts_nothing(box: Box, effects: Effects, key: str) -> None:
    name, later = unique(), unique("later")
    body = b"name,price\nlamp,1\n"
    box.send_s3(body, key=key.format(name))
    box.send_s3(body, key=f"incoming/{later}.csv")
    eventually(lambda: imported(effects, f"{later}.csv"))
    assert effects.lines("content-router", name) == []


def test_a_removed_object_under_incoming_starts_nothing(box: Box, effects: Effects) -> None:
    name, later = unique(), unique("later")
    body = b"name,price\nlamp,1\n"
    box.send_s3(body, key=f"incoming/{name}.csv")
    eventually(lambda: imported(effects, f"{name}.csv"))
    before = started(effects, "content-router", name)
    box.client("s3").delete_object(Bucket=box.outputs["uploadsBucket"], Key=f"incoming/{name}.csv")
    box.send_s3(body, key=f"incoming/{later}.csv")
    eventually(lambda: imported(effects, f"{later}.csv"))
    assert started(effects, "content-router", name) == before


def test_a_file_that_cannot_be_read_ends_in_the_failures_queue_with_its_event(
    box: Box, effects: Effects
) -> None:
    name = f"{unique()}.csv"
    box.send_s3(b"colour,weight\nred,1\n", key=f"incoming/{name}")
    (letter,) = eventually(lambda: effects.letters("events-failures", name))
    assert (letter.kind, letter.source) == ("invocation", "content-router")
    assert letter.error.startswith("Refused")
    event = json.loads(letter.body)["requestPayload"]
    assert event["detail"]["object"]["key"] == f"incoming/{name}"
