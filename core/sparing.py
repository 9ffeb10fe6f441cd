"""Lines of a log that are not to come as often as what they tell of."""

from __future__ import annotations

import threading
import time
from collections.abc import Hashable
from dataclasses import dataclass

MOST_KEYS = 10_000


@dataclass
class _Spell:
    began_at: float
    lines: int = 0
    left_out: int = 0


class Sparing:
    """At most `lines` within `every_s` for each key.  Safe to use from several threads."""

    def __init__(self, every_s: float, lines: int = 1) -> None:
        self._every_s = every_s
        self._lines = lines
        self._spells: dict[Hashable, _Spell] = {}
        self._lock = threading.Lock()

    def count(self, key: Hashable = None) -> int:
        """How many there were since the last line, this one among them; 0 where none is to be written now."""
        now = time.monotonic()
        with self._lock:
            if len(self._spells) >= MOST_KEYS:
                self._spells.clear()
            spell = self._spells.setdefault(key, _Spell(now))
            if now - spell.began_at >= self._every_s:
                spell.began_at, spell.lines = now, 0
            spell.left_out += 1
            if spell.lines >= self._lines:
                return 0
            n, spell.left_out = spell.left_out, 0
            spell.lines += 1
            return n
