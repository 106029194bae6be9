"""Page cursors and identifiers."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import cursor, ids

_KEYS = st.text(min_size=1, max_size=40).filter(lambda key: key.isprintable())
_IDS = st.from_regex(r"[0-9A-Za-z_-]{1,64}", fullmatch=True)
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@given(item_id=_IDS, key=_KEYS)
def test_a_sealed_id_comes_back(item_id: str, key: str) -> None:
    sealed = cursor.seal(item_id, key)
    assert re.fullmatch(r"[A-Za-z0-9_-]+", sealed)
    assert cursor.unseal(sealed, key) == item_id


@given(item_id=_IDS, key=_KEYS, other=_KEYS)
def test_another_key_opens_nothing(item_id: str, key: str, other: str) -> None:
    if key != other:
        with pytest.raises(cursor.Forged):
            cursor.unseal(cursor.seal(item_id, key), other)


@given(item_id=_IDS, position=st.integers(min_value=0), letter=st.sampled_from("Aa0_-=+/. é"))
def test_a_cursor_with_one_letter_changed_is_forged(
    item_id: str, position: int, letter: str
) -> None:
    sealed = cursor.seal(item_id, "key")
    position %= len(sealed)
    changed = sealed[:position] + letter + sealed[position + 1 :]
    if changed != sealed:
        with pytest.raises(cursor.Forged):
            cursor.unseal(changed, "key")


@given(st.text())
def test_any_text_is_forged_and_nothing_else(text: str) -> None:
    with pytest.raises(cursor.Forged):
        cursor.unseal(text, "key")


def test_every_spelling_but_the_one_given_out_is_forged() -> None:
    sealed = cursor.seal("ab", "key")  # 18 bytes: no spare bits
    odd = cursor.seal("abc", "key")  # 19 bytes: four spare bits in the last letter
    for text in (sealed + "=", sealed + "\n", " " + sealed, odd + "==", odd[:-1] + "Z"):
        with pytest.raises(cursor.Forged):
            cursor.unseal(text, "key")


def test_ids_are_uuids_of_version_7_and_each_is_greater_than_the_last() -> None:
    before = time.time_ns() // 1_000_000
    made = [ids.new() for _ in range(5000)]
    after = time.time_ns() // 1_000_000
    assert all(_UUID7.fullmatch(item_id) and ids.is_key(item_id) for item_id in made)
    assert made == sorted(set(made))
    assert before <= int(made[0].replace("-", "")[:12], 16) <= after + 5


def test_ids_still_rise_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ids.new()
    monkeypatch.setattr(ids.time, "time_ns", lambda: 1_000_000)
    assert first < ids.new() < ids.new()


@given(nanoseconds=st.integers(min_value=0, max_value=(1 << 48) * 1_000_000 - 1))
def test_an_id_holds_its_moment(nanoseconds: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ids, "_latest", [-1])
        patch.setattr(ids.time, "time_ns", lambda: nanoseconds)
        digits = ids.new().replace("-", "")
    assert int(digits[:12], 16) == nanoseconds // 1_000_000
    assert int(digits[13:16], 16) == nanoseconds % 1_000_000 * 4096 // 1_000_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1763943010, "2025-11-24T00:10:10.000Z"),
        (1763943010.1236, "2025-11-24T00:10:10.124Z"),
        (1763943010.9999, "2025-11-24T00:10:11.000Z"),
    ],
)
def test_an_instant_has_milliseconds_and_is_utc(seconds: float, text: str) -> None:
    assert ids.instant(seconds) == text


@pytest.mark.parametrize("text", ["", "a b", "a/b", "é", "x" * 65, "a\n", "."])
def test_what_cannot_be_a_key_is_told_apart(text: str) -> None:
    assert not ids.is_key(text)
