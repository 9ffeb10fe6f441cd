"""What must outlive a restart: a file of JSON lines, each one fact; the last one about a thing holds.

A line is written before the call that caused it is answered, as Evolution commits before it answers; a killed process
loses nothing that it said yes to.  Read once at the start and written anew without what was overtaken.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

Fact = tuple[str, dict[str, Any]]


class Journal:
    """Without a path it forgets everything, which is what a test wants."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._out: TextIO | None = None

    def read(self) -> list[Fact]:
        """Every fact in order.  A last line cut by a crash is left out."""
        if self._path is None or not self._path.exists():
            return []
        facts = []
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                kind, value = json.loads(line)
            except ValueError:
                break
            facts.append((kind, value))
        return facts

    def begin(self, facts: Iterable[Fact]) -> None:
        """Start the file anew with what still holds; the old one is there until the new one is whole."""
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)  # it holds the instances' tokens
        with fresh.open("w", encoding="utf-8") as out:
            out.writelines(_line(kind, value) for kind, value in facts)
        fresh.replace(self._path)
        self._out = self._path.open("a", encoding="utf-8")

    def note(self, kind: str, value: dict[str, Any]) -> None:
        if self._out is not None:
            self._out.write(_line(kind, value))
            self._out.flush()

    def close(self) -> None:
        if self._out is not None:
            self._out.close()
            self._out = None


def _line(kind: str, value: dict[str, Any]) -> str:
    return json.dumps([kind, value], ensure_ascii=False) + "\n"
