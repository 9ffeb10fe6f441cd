"""Pictures of any size in a few bytes: what a bomb looks like, since their points are all alike or not there."""

from __future__ import annotations

import zlib


def png(width: int, height: int) -> bytes:
    header = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + b"\x08\x02\0\0\0"
    return b"\x89PNG\r\n\x1a\n" + b"\0\0\0\x0d" + header + zlib.crc32(header).to_bytes(4) + b"\0" * 40


def jpeg(*size: int | str) -> bytes:
    """`jpeg("exif", 8, 8)` has a small picture within it, as cameras add; "progressive" another frame."""
    *how, width, height = size
    assert isinstance(width, int) and isinstance(height, int)
    frame = b"\xff\xc2" if "progressive" in how else b"\xff\xc0"
    before = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    if "exif" in how:
        within = jpeg(160, 120)
        before += b"\xff\xff\xe1" + (len(within) + 8).to_bytes(2) + b"Exif\0\0" + within
    return b"\xff\xd8" + before + frame + b"\0\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + b"\3" + b"\0" * 40


def webp(width: int, height: int) -> bytes:
    return _riff(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + width.to_bytes(2, "little") + height.to_bytes(2, "little"))


def lossless_webp(width: int, height: int) -> bytes:
    return _riff(b"VP8L", b"\x2f" + (width - 1 | height - 1 << 14).to_bytes(4, "little"))


def extended_webp(width: int, height: int) -> bytes:
    return _riff(b"VP8X", b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


def _riff(kind: bytes, chunk: bytes) -> bytes:
    body = b"WEBP" + kind + len(chunk).to_bytes(4, "little") + chunk + b"\0" * 40
    return b"RIFF" + len(body).to_bytes(4, "little") + body
