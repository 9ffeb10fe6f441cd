"""What a site allows readers like us: robots.txt as in RFC 9309, pure.

Python's own reader knows no wildcards and takes the first rule that fits instead of the longest; a site that wrote its
file for the large search engines would be read where it does not want to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote

LARGEST = 512_000  # bytes, at least what the RFC wants read
MOST_RULES = 2_000
LONGEST_RULE = 500


@dataclass(frozen=True)
class Robots:
    """The rules of our group, `(is_allowed, path)`; none: all is allowed."""

    rules: tuple[tuple[bool, str], ...] = ()

    def allows(self, path: str) -> bool:
        """`path` with its query.  The longest rule that fits decides, and where two are as long the friendlier one."""
        if path == "/robots.txt":
            return True
        path = _plain(path)
        fitting = [(len(rule), is_allowed) for is_allowed, rule in self.rules if _fits(rule, path)]
        return max(fitting)[1] if fitting else True


def read_robots(text: str, agent: str) -> Robots:
    """The group that names `agent`, else the one for everybody.  What cannot be read is left out."""
    own: list[tuple[bool, str]] = []
    everybodys: list[tuple[bool, str]] = []
    is_named = False
    group: list[list[tuple[bool, str]]] = []
    in_agents = False
    for line in text[:LARGEST].lstrip("\ufeff").splitlines():
        key, colon, value = line.partition("#")[0].partition(":")
        key, value = key.strip().lower(), value.strip()
        if not colon:
            continue
        if key == "user-agent":
            group = group if in_agents else []
            in_agents = True
            name = value.lower().partition("/")[0].strip()
            if name == agent:
                group, is_named = [*group, own], True
            elif name == "*":
                group = [*group, everybodys]
        elif key in ("allow", "disallow"):
            in_agents = False
            if value and len(value) <= LONGEST_RULE:
                for rules in group:
                    rules.append((key == "allow", _plain(value)))
    return Robots(tuple((own if is_named else everybodys)[:MOST_RULES]))


def _plain(path: str) -> str:
    """One way to write each character, so that `/sobre%20n%C3%B3s` and `/sobre nós` are the same."""
    return quote(unquote(path), safe="/*$?&=:;,+@!~'()")


def _fits(rule: str, path: str) -> bool:
    """From the start of the path; `*` stands for anything, `$` at the end for the end.  Each piece is sought once."""
    is_whole = rule.endswith("$")
    first, *rest = rule.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    at = len(first)
    last = rest.pop() if rest and is_whole else None
    for piece in rest:
        found = path.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    if last is not None:
        return path.endswith(last) and len(path) - len(last) >= at
    return not is_whole or at == len(path)
