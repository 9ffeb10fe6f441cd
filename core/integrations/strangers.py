"""What strangers write, as it may be kept: bounded, storable, and of the type that it should be of."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any, TypeGuard

LONGEST_ID = 120
LONGEST_ADDRESS = 80
LONGEST_TEXT = 65_536
LONGEST_WORD = 120  # of what people call themselves and their files
LONGEST_LIST = 1_000  # more than this in one body is not looked at
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # stands for a time that cannot be read


def read_json(body: bytes) -> Any:
    """Raises ValueError for what is no JSON, also where it is nested deeper than Python goes."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None


def dict_at(value: Any, *names: str) -> dict[str, Any]:
    """The dict found by going down `names`; an empty one where it is of another shape."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def dicts_of(value: Any) -> list[dict[str, Any]]:
    return [each for each in value[:LONGEST_LIST] if isinstance(each, dict)] if isinstance(value, list) else []


def clean(text: str) -> str:
    """As PostgreSQL can keep it: no NUL, no half of a character."""
    return text[:LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


def word(value: Any) -> str:
    """A short text on one line; "" for everything else."""
    text = clean(value[: 4 * LONGEST_WORD]) if isinstance(value, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:LONGEST_WORD]


def is_id(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()


def number_of(value: Any) -> Any:
    """As a number where it was written as text, or as the two halves of a long; else as it is."""
    if isinstance(value, dict):
        low, high = value.get("low"), value.get("high")
        if not isinstance(low, int) or not isinstance(high, int) or not 0 <= high < 1 << 21:
            return None
        return (low & 0xFFFFFFFF) + (high << 32)
    if isinstance(value, str) and re.fullmatch(r"\d{1,16}", value, re.ASCII):
        return int(value)
    return value


def size_of(value: Any) -> int | None:
    """Bytes, as somebody says; None for what is no size of a file."""
    size = number_of(value)
    return size if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < 1 << 40 else None


def read_time(value: Any) -> datetime | None:
    """Seconds, milliseconds, either as text, or the two halves of a long; None for what is no time of WhatsApp's."""
    value = number_of(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        value = min(max(value, 0), 1 << 53)  # JSON knows numbers that no float can be
    if not math.isfinite(value):
        return None
    seconds = value / 1000 if value > 100_000_000_000 else value
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < 4_102_444_800 else None  # until 2100
