"""Initials on a tint that stays with the name."""

from __future__ import annotations

import zlib

from nicegui import ui

from ui.parts.text import text

SMALL_WORDS = {"de", "da", "do", "das", "dos", "e", "the", "of", "and", "&"}


def initials(name: str) -> str:
    """First and last word that count: Marina de Souza Prado is MP."""
    words = [w for w in name.split() if w.lower() not in SMALL_WORDS and any(c.isalnum() for c in w)]
    letters = [next(c for c in w if c.isalnum()) for w in words]
    return "".join([letters[0], letters[-1]] if len(letters) > 1 else letters).upper() or "?"


def tint(name: str) -> str:
    """One of six, the same on every page and every day."""
    return f"a{zlib.crc32(name.encode()) % 6 + 1}"


def avatar(name: str, *, size: int = 32, square: bool = False) -> ui.element:
    """`size`: 24, 32, 40 or 48.  People are round, businesses square."""
    made = text(initials(name), f"p-ava {tint(name)} {'' if size == 32 else f's{size}'} {'sq' if square else ''}")
    made.props["aria-hidden"] = "true"
    return made
