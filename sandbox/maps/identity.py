"""The four names one place goes by on the map, consistent with each other.

`data_id` is two 64-bit numbers in hex; the CID is the second one in decimal; the place_id is both, little-endian, in a
small protobuf message written in URL-safe base64 (which is why every place_id begins `ChIJ`); the KG id is separate.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from struct import error, pack, unpack

WORD = (1 << 64) - 1


def mix(number: int) -> int:
    """A 64-bit number scattered over all 64 bits; two different ones never meet (splitmix64 is a bijection)."""
    number = (number + 0x9E3779B97F4A7C15) & WORD
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & WORD
    return number ^ (number >> 31)


def feature(seed: int, index: int) -> tuple[int, int]:
    """The pair of numbers of place `index`; the first begins 0x94ce, as features of that part of Brazil do."""
    first = 0x94CE << 48 | mix(seed << 33 ^ index << 1) >> 16
    return first, mix(seed << 33 ^ index << 1 ^ 1)


def data_id(pair: tuple[int, int]) -> str:
    return f"{pair[0]:#x}:{pair[1]:#x}"


def cid(pair: tuple[int, int]) -> str:
    return str(pair[1])


def place_id(pair: tuple[int, int]) -> str:
    """0a 12: a message of 18 bytes follows; 09 and 11: its two fixed64 fields."""
    return urlsafe_b64encode(pack("<BBBQBQ", 0x0A, 0x12, 0x09, pair[0], 0x11, pair[1])).decode().rstrip("=")


def cid_of_place_id(text: str) -> str | None:
    """The CID that a place_id holds, or None when it is not one."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
        head, length, first_tag, _, second_tag, second = unpack("<BBBQBQ", raw)
    except (ValueError, error):
        return None
    return str(second) if (head, length, first_tag, second_tag) == (0x0A, 0x12, 0x09, 0x11) else None


KG_ALPHABET = "0123456789bcdfghjklmnpqrstvwxyz_"


def kg_id(pair: tuple[int, int]) -> str:
    number = mix(pair[1])
    return "/g/11" + "".join(KG_ALPHABET[number >> 5 * k & 31] for k in range(8))
