"""How many points a picture has, by its first bytes: pure, and without unpacking any of it.

A few kilobytes can hold a picture that takes gigabytes when it is shown, by the gateway and on every phone.
Sources: PNG (RFC 2083, 4.1.1), JPEG (ITU-T T.81, B.1 and B.2.2), WebP (RFC 9649, 2.4 to 2.7).
"""

from __future__ import annotations

from typing import NamedTuple

# A good camera's, and no more than some 160 MB where it is unpacked.
MOST_POINTS = 40_000_000
LONGEST_SIDE = 10_000
MOST_SEGMENTS = 4_096  # of a JPEG before its frame; cameras write dozens

FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # that begin with a size
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
SCAN, END = 0xDA, 0xD9


class Size(NamedTuple):
    width: int
    height: int

    @property
    def is_too_large(self) -> bool:
        return max(self) > LONGEST_SIDE or self.width * self.height > MOST_POINTS


def size_of(mimetype: str, content: bytes) -> Size | None:
    """None where it cannot be read: then it is no picture that anybody could show."""
    size = READERS[mimetype](content)
    return size if size is not None and min(size) > 0 else None


def _png(content: bytes) -> Size | None:
    if content[12:16] != b"IHDR" or len(content) < 24:
        return None
    return Size(int.from_bytes(content[16:20]), int.from_bytes(content[20:24]))


def _jpeg(content: bytes) -> Size | None:
    at = 2
    for _ in range(MOST_SEGMENTS):
        if content[at : at + 1] != b"\xff":
            return None
        while content[at : at + 1] == b"\xff":  # any number of them may stand before a marker
            at += 1
        marker = int.from_bytes(content[at : at + 1])
        if marker in FRAMES:
            frame = content[at + 4 : at + 8]
            return Size(int.from_bytes(frame[2:]), int.from_bytes(frame[:2])) if len(frame) == 4 else None
        if marker in (SCAN, END) or at >= len(content):
            return None
        at += 1 if marker in ALONE else 1 + int.from_bytes(content[at + 1 : at + 3])
    return None


def _webp(content: bytes) -> Size | None:
    if len(content) < 30:
        return None
    match content[12:16]:
        case b"VP8X":
            width, height = content[24:27], content[27:30]
            return Size(int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1)
        case b"VP8L" if content[20] == 0x2F:
            bits = int.from_bytes(content[21:25], "little")
            return Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            width, height = content[26:28], content[28:30]
            return Size(int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF)
    return None


READERS = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp}
