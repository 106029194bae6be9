"""Deflate (RFC 1951) in plain Python: the same bytes wherever it runs.

zlib decides by its build how it compresses: zlib-ng, Apple's and the classic one give different streams for one input,
all of them correct. An archive would then have another hash on another machine, and every function with it would be
deployed again. Only what no wheel brings compressed goes through here, at a few megabytes a second.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from collections import Counter
from collections.abc import Iterator
from typing import Final

_BLOCK: Final = 40_000
"""Literals and matches that share one pair of Huffman codes."""

_SHORTEST, _LONGEST, _WINDOW = 4, 258, 32_768
_STEP: Final = 16
_KNOWN: Final = 1 << 18
"""Most places that are remembered; beyond it the search starts anew, so that memory stays bounded."""

_LONGEST_CODE: Final = 15
_END: Final = 256
_LITERALS, _DISTANCES = 286, 30
_ZEROS, _FEWEST_ZEROS, _MOST_ZEROS = 18, 11, 138

_ORDER: Final = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_LENGTHS_OF_LENGTHS: Final = [4] * 13 + [5] * 6
"""The code in which code lengths are written. A fixed one: it fits most blocks and costs nothing to find."""


def compress(data: bytes) -> bytes:
    """A raw deflate stream of `data`."""
    out, bits = bytearray(), ""
    for block, final in _marked(_blocks(data)):
        bits += _encoded(block, final=final)
        whole = len(bits) // 8 * 8
        out += _packed(bits[:whole])
        bits = bits[whole:]
    return bytes(out + _packed(bits + "0" * (-len(bits) % 8)))


def _marked(blocks: Iterator[list[int]]) -> Iterator[tuple[list[int], bool]]:
    """Each block, and whether it is the last one."""
    block = next(blocks)
    for following in blocks:
        yield block, False
        block = following
    yield block, True


def _packed(bits: str) -> bytes:
    """Bits in the order of the stream, eight to a byte, the first one lowest."""
    return int(bits[::-1] or "0", 2).to_bytes(len(bits) // 8, "little")


def _blocks(data: bytes) -> Iterator[list[int]]:
    """Runs of tokens: a literal byte as itself, a match as `length << 16 | distance`."""
    seen: dict[bytes, int] = {}
    tokens: list[int] = []
    place, size = 0, len(data)
    while place < size:
        start = data[place : place + _SHORTEST]
        before = seen.get(start, -_WINDOW)
        seen[start] = place
        if place - before < _WINDOW and len(start) == _SHORTEST:
            length = _match(data, before, place)
            tokens.append(length << 16 | place - before)
            seen[data[place + 1 : place + 1 + _SHORTEST]] = place + 1
            place += length
        else:
            tokens.append(data[place])
            place += 1
        if len(tokens) >= _BLOCK:
            yield tokens
            tokens = []
            if len(seen) > _KNOWN:
                seen.clear()
    yield tokens


def _match(data: bytes, before: int, place: int) -> int:
    """How long the bytes at both places are the same; the shortest match is known to be."""
    length, most = _SHORTEST, min(_LONGEST, len(data) - place)
    while (
        length + _STEP <= most
        and data[before + length : before + length + _STEP]
        == data[place + length : place + length + _STEP]
    ):
        length += _STEP
    while length < most and data[before + length] == data[place + length]:
        length += 1
    return length


def _encoded(tokens: list[int], *, final: bool) -> str:
    """A block with codes of its own, as bits in the order of the stream."""
    counts = Counter(tokens)
    by_length, by_distance = _length_codes(), _distance_codes()
    # Two of each at least: a code of a single word is a special case that readers treat differently.
    literals, distances = Counter({_END: 1, 0: 1}), Counter({0: 1, 1: 1})
    for token, count in counts.items():
        if token < _END:
            literals[token] += count
        else:
            literals[by_length[token >> 16][0]] += count
            distances[by_distance[token & 0xFFFF][0]] += count
    literal_lengths = _code_lengths(literals, _LITERALS)
    distance_lengths = _code_lengths(distances, _DISTANCES)
    literal_codes, distance_codes = _codes(literal_lengths), _codes(distance_lengths)
    words = {
        token: literal_codes[token]
        if token < _END
        else _joined(literal_codes, by_length[token >> 16])
        + _joined(distance_codes, by_distance[token & 0xFFFF])
        for token in counts
    }
    head = ("1" if final else "0") + "01" + _header(literal_lengths + distance_lengths)
    return head + "".join(map(words.__getitem__, tokens)) + literal_codes[_END]


def _joined(codes: list[str], coded: tuple[int, str]) -> str:
    return codes[coded[0]] + coded[1]


def _header(lengths: list[int]) -> str:
    """How long each word of both codes is; the words follow from it."""
    codes = _codes(_LENGTHS_OF_LENGTHS)
    bits = [_bits(_LITERALS - 257, 5), _bits(_DISTANCES - 1, 5), _bits(len(_ORDER) - 4, 4)]
    bits += [_bits(_LENGTHS_OF_LENGTHS[n], 3) for n in _ORDER]
    for length, run in itertools.groupby(lengths):
        left = len(list(run))
        while length == 0 and left >= _FEWEST_ZEROS:
            taken = min(left, _MOST_ZEROS)
            bits += [codes[_ZEROS], _bits(taken - _FEWEST_ZEROS, 7)]
            left -= taken
        bits += [codes[length]] * left
    return "".join(bits)


def _code_lengths(counts: Counter[int], size: int) -> list[int]:
    """Huffman's lengths, none above 15: where one is, counts are levelled until it is not."""
    while True:
        lengths = [0] * size
        # The second item settles ties, or the order in which counts came would.
        heap: list[tuple[int, int, tuple[int, ...]]] = [
            (count, symbol, (symbol,)) for symbol, count in sorted(counts.items())
        ]
        heapq.heapify(heap)
        while len(heap) > 1:
            one, other = heapq.heappop(heap), heapq.heappop(heap)
            for symbol in one[2] + other[2]:
                lengths[symbol] += 1
            heapq.heappush(heap, (one[0] + other[0], one[1], one[2] + other[2]))
        if max(lengths) <= _LONGEST_CODE:
            return lengths
        counts = Counter({symbol: count // 2 + 1 for symbol, count in counts.items()})


def _codes(lengths: list[int]) -> list[str]:
    """The canonical code words of these lengths (RFC 1951, 3.2.2)."""
    words = [""] * len(lengths)
    value, last = 0, 0
    for length, symbol in sorted((length, symbol) for symbol, length in enumerate(lengths)):
        if length:
            value <<= length - last
            words[symbol] = format(value, f"0{length}b")
            value, last = value + 1, length
    return words


def _bits(value: int, count: int) -> str:
    """A plain number as the stream has it: lowest bit first."""
    return format(value, f"0{count}b")[::-1] if count else ""


def _by_value(extras: list[int], first: int, last: int, number: int) -> list[tuple[int, str]]:
    """Index by value: the number of its code, and the extra bits after it (RFC 1951, 3.2.5)."""
    table = [(0, "")] * (last + 1)
    for extra in extras:
        for value in range(first, min(first + (1 << extra), last + 1)):
            table[value] = number, _bits(value - first, extra)
        first, number = first + (1 << extra), number + 1
    return table


@functools.cache
def _length_codes() -> list[tuple[int, str]]:
    extras = [0] * 8 + [n for n in range(1, 6) for _ in range(4)]
    return [*_by_value(extras, 3, _LONGEST, _END + 1)[:-1], (_LITERALS - 1, "")]


@functools.cache
def _distance_codes() -> list[tuple[int, str]]:
    return _by_value([0, 0] + [n for n in range(14) for _ in range(2)], 1, _WINDOW, 0)
