"""The part of Overpass QL that the simulation speaks: settings, areas, unions of queries by tags and place, `out`.

    [out:json][timeout:60];(nwr["shop"="bakery"]["name"~"sol",i](around:5000,-23.5,-46.6);…);out center 9;

Anything else is refused as a syntax error, as by the real one: a query that says more than it was meant to is noticed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from sandbox.maps.geo import distance_m

from .tags import Element

NUMBER = r"-?\d+(?:\.\d+)?"
TOKEN = re.compile(r'\s*("(?:[^"\\]|\\.)*"|->|' + NUMBER + r"|[A-Za-z_][\w]*|[\[\](){};:,=~.])", re.DOTALL)
KINDS = {
    "node": ("node",),
    "way": ("way",),
    "rel": ("relation",),
    "relation": ("relation",),
    "nwr": ("node", "way", "relation"),
}
DETAILS = {"ids", "skel", "body", "tags", "meta", "center", "asc", "qt"}


class SyntaxTrouble(ValueError):
    """What the parser did not expect."""


@dataclass(frozen=True)
class TagFilter:
    """`key` is a text, or a pattern where `key_is_pattern`; `pattern` None: any value."""

    key: str
    value: str | None = None
    pattern: re.Pattern[str] | None = None
    key_is_pattern: bool = False

    def fits(self, tags: dict[str, str]) -> bool:
        if self.key_is_pattern:
            named = [value for key, value in tags.items() if re.search(self.key, key)]
        else:
            named = [tags[self.key]] if self.key in tags else []
        return any(self._fits(value) for value in named)

    def _fits(self, value: str) -> bool:
        if self.pattern is not None:
            return self.pattern.search(value) is not None
        return self.value is None or self.value == value


@dataclass(frozen=True)
class Asked:
    """One query of a union."""

    kinds: tuple[str, ...]
    tags: tuple[TagFilter, ...]
    around: tuple[float, float, float] | None = None  # metres, latitude, longitude
    box: tuple[float, float, float, float] | None = None  # south, west, north, east
    area: str | None = None

    def fits(self, element: Element) -> bool:
        if element.kind not in self.kinds or not all(each.fits(element.tags) for each in self.tags):
            return False
        if self.around and distance_m(self.around[1], self.around[2], element.lat, element.lon) > self.around[0]:
            return False
        if self.box is None:
            return True
        south, west, north, east = self.box
        return south <= element.lat <= north and west <= element.lon <= east


@dataclass
class Query:
    settings: dict[str, str] = field(default_factory=dict)
    areas: dict[str, tuple[TagFilter, ...]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    outs: int = 0
    limit: int | None = None


def read_query(text: str) -> Query:
    """Raises SyntaxTrouble for what is not of our part of the language, or has no question in it."""
    return _Parser(_tokens(text)).query()


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        match = TOKEN.match(text, at)
        if match is None:
            raise SyntaxTrouble(f"Unknown sign at {at}")
        found.append(match[1])
        at = match.end()
    return found


def _is_text(token: str) -> bool:
    return token.startswith('"')


def _text(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1], flags=re.DOTALL)


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        made = Query()
        while self._next_is("["):
            name, value = self._setting()
            made.settings[name] = value
        if made.settings:
            self._take(";")
        while self._at < len(self._tokens):
            self._statement(made)
        if not made.asked or made.outs != 1:
            raise SyntaxTrouble("one question and one out are wanted")
        return made

    def _statement(self, made: Query) -> None:
        if self._next_is("("):
            self._take("(")
            while not self._next_is(")"):
                made.asked.append(self._asked(made))
                self._take(";")
            self._take(")")
        elif self._next_is("out"):
            self._out(made)
        elif self._next_is("area"):
            self._take("area")
            tags = self._tags()
            self._take("->")
            self._take(".")
            made.areas[self._any()] = tags
        else:
            made.asked.append(self._asked(made))
        self._take(";")

    def _setting(self) -> tuple[str, str]:
        self._take("[")
        name = self._any()
        self._take(":")
        value = self._any()
        self._take("]")
        return name, value

    def _out(self, made: Query) -> None:
        self._take("out")
        made.outs += 1
        while not self._next_is(";"):
            word = self._any()
            if word.isdigit():
                made.limit = int(word)
            elif word not in DETAILS:
                raise SyntaxTrouble(f"Unknown detail: {word}")

    def _asked(self, made: Query) -> Asked:
        kind = self._any()
        if kind not in KINDS:
            raise SyntaxTrouble(f"Unknown type: {kind}")
        tags = self._tags()
        around = box = area = None
        while self._next_is("("):
            self._take("(")
            if self._next_is("around"):
                self._take("around")
                self._take(":")
                around = self._numbers(3)
            elif self._next_is("area"):
                self._take("area")
                self._take(".")
                area = self._any()
                if area not in made.areas:
                    raise SyntaxTrouble(f"Unknown set: {area}")
            else:
                box = self._numbers(4)
            self._take(")")
        return Asked(KINDS[kind], tags, around, box, area)  # type: ignore[arg-type]

    def _numbers(self, count: int) -> tuple[float, ...]:
        numbers = []
        for n in range(count):
            if n:
                self._take(",")
            numbers.append(self._number())
        return tuple(numbers)

    def _number(self) -> float:
        try:
            return float(self._any())
        except ValueError:
            raise SyntaxTrouble("a number was expected") from None

    def _tags(self) -> tuple[TagFilter, ...]:
        found = []
        while self._next_is("["):
            self._take("[")
            found.append(self._tag())
            self._take("]")
        return tuple(found)

    def _tag(self) -> TagFilter:
        by_pattern = self._next_is("~")
        if by_pattern:
            self._take("~")
        key = self._quoted()
        if self._next_is("="):
            self._take("=")
            return TagFilter(key, value=self._quoted())
        if not self._next_is("~"):
            return TagFilter(key)
        self._take("~")
        text, flags = self._quoted(), 0
        if self._next_is(","):
            self._take(",")
            self._take("i")
            flags = re.IGNORECASE | re.ASCII
        try:
            return TagFilter(key, pattern=re.compile(text, flags), key_is_pattern=by_pattern)
        except re.error as wrong:
            raise SyntaxTrouble(f"Invalid regular expression: {wrong}") from None

    def _quoted(self) -> str:
        token = self._any()
        if not _is_text(token):
            raise SyntaxTrouble(f"a text was expected, not {token}")
        return _text(token)

    def _next_is(self, token: str) -> bool:
        return self._at < len(self._tokens) and self._tokens[self._at] == token

    def _take(self, token: str) -> None:
        if not self._next_is(token):
            found = self._tokens[self._at] if self._at < len(self._tokens) else "the end"
            raise SyntaxTrouble(f"'{token}' expected - '{found}' found.")
        self._at += 1

    def _any(self) -> str:
        if self._at >= len(self._tokens):
            raise SyntaxTrouble("the end was not expected")
        self._at += 1
        return self._tokens[self._at - 1]
