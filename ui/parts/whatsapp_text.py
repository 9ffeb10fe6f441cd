"""How a text looks in WhatsApp: its own marks are drawn, and what was filled in is marked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.campaigns.text import Piece

# *bold*, _italic_ and ~struck~ as WhatsApp reads them: no space inside the marks, no letter right outside of them.
MARKS = {
    "bold": re.compile(r"(?<![\w*])\*(?=\S)([^*\n]{1,4096}?)(?<=\S)\*(?![\w*])"),
    "italic": re.compile(r"(?<!\w)_(?=\S)([^_\n]{1,4096}?)(?<=\S)_(?!\w)"),
    "struck": re.compile(r"(?<![\w~])~(?=\S)([^~\n]{1,4096}?)(?<=\S)~(?![\w~])"),
}

LONGEST_MARKED = 5_000  # characters; what we send ourselves is shorter
MOST_RUNS = 200  # each is an element of its own in the page


@dataclass(frozen=True)
class Run:
    """A stretch of the message that looks the same throughout."""

    text: str
    is_filled: bool = False
    is_bold: bool = False
    is_italic: bool = False
    is_struck: bool = False


def runs(pieces: Sequence[Piece]) -> list[Run]:
    """The message cut wherever its look changes; the marks themselves are not shown.

    A stranger may write marks alone, thousands of them: such a message, or a very long one, is shown as it came.
    """
    message = "".join(piece.text for piece in pieces)
    if len(message) > LONGEST_MARKED:
        return [Run(message)]
    filled = [False] * len(message)
    at = 0
    for piece in pieces:
        if piece.gap is not None:
            filled[at : at + len(piece.text)] = [True] * len(piece.text)
        at += len(piece.text)
    looks = {name: [False] * len(message) for name in MARKS}
    hidden = [False] * len(message)
    for name, pattern in MARKS.items():
        for match in pattern.finditer(message):
            hidden[match.start()] = hidden[match.end() - 1] = True
            looks[name][match.start() : match.end()] = [True] * (match.end() - match.start())
    found: list[Run] = []
    for n, character in enumerate(message):
        if hidden[n]:
            continue
        look = Run("", filled[n], looks["bold"][n], looks["italic"][n], looks["struck"][n])
        if found and _same_look(found[-1], look):
            found[-1] = _longer(found[-1], character)
        elif len(found) == MOST_RUNS:
            return [Run(message)]
        else:
            found.append(_longer(look, character))
    return found


def _same_look(one: Run, other: Run) -> bool:
    return (one.is_filled, one.is_bold, one.is_italic, one.is_struck) == (
        other.is_filled,
        other.is_bold,
        other.is_italic,
        other.is_struck,
    )


def _longer(run: Run, more: str) -> Run:
    return Run(run.text + more, run.is_filled, run.is_bold, run.is_italic, run.is_struck)


def reading_s(message: str) -> int:
    """About how long it takes to read, at 17 characters a second."""
    return max(1, round(len(message) / 17))
