"""How the site behaves towards its visitor: every switch of the simulation, and the words that throw one in a query."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from .trades import plain


class NotUnderstood(ValueError):
    """A switch that does not exist or a value it cannot have; `field` names it."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field


@dataclass(frozen=True)
class Behaviour:
    """As found on a good day.  Times in seconds, counts in list responses or places."""

    consent: bool = False  # every page asks for consent until the cookie SOCS is there
    consent_again: bool = False  # and goes on asking, however it is answered
    limited: bool = False  # the signed-out view: banner, no review counts, no website buttons
    failing: int = 0  # this status (500 to 599) in place of every answer; 0: none
    blocked: str = ""  # "sorry": redirected to /sorry/, which answers 429; "429": that code at once
    block_after: int | None = None  # list responses that are answered before `sorry` begins
    layout: str = "B"  # where a list response has its records: "A", "B" or "mixed"
    wrapped: bool = False  # list responses and place answers inside {"c":0,"d":…}/*""*/
    latency_s: float = 0.0  # before each page and answer
    empty: bool = False  # list responses are 200 with no body at all
    truncated_at: int | None = None  # a list ends here without a word, though there is more
    ceiling: int = 120  # places that one query gives at most
    moved: str = ""  # "fields": every index of a record from 5 on is one higher; "rows": the records lie elsewhere
    single: bool = False  # whatever is searched has one result
    single_by: str = "script"  # a single result changes the address by "script" or by "redirect"
    no_results: bool = False  # whatever is searched has none
    ads: bool = True  # sponsored places before the first
    head_link: bool = True  # the page's head links to its first list response
    offset_in_link: bool = False  # that link says !8i0; the real one leaves it out
    first_cards: int = 10  # cards drawn before the first scroll
    stall_at: int | None = None  # the page draws no card beyond this, while the responses go on

    def changed(self, wish: dict[str, Any]) -> Behaviour:
        """With the switches of `wish` thrown.  Raises NotUnderstood, and then nothing has changed."""
        known = {field.name: field for field in fields(self)}
        for name, value in wish.items():
            if name not in known:
                raise NotUnderstood(name, f"no such switch; there are {', '.join(known)}")
            _check(name, value)
        return replace(self, **{name: _tidy(name, value) for name, value in wish.items()})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


CHOICES = {
    "blocked": ("", "sorry", "429"),
    "layout": ("A", "B", "mixed"),
    "moved": ("", "fields", "rows"),
    "single_by": ("script", "redirect"),
}
SHORTHAND = {"blocked": "sorry", "moved": "fields"}  # what `true` means there; false and null mean ""
COUNTS = {
    "block_after": 100_000,
    "truncated_at": 1_000,
    "ceiling": 1_000,
    "first_cards": 1_000,
    "stall_at": 1_000,
    "failing": 599,
}
MAY_BE_NONE = {"block_after", "truncated_at", "stall_at"}
LONGEST_LATENCY_S = 120


def _check(name: str, value: Any) -> None:
    if name in CHOICES:
        if _tidy(name, value) not in CHOICES[name]:
            raise NotUnderstood(name, f"one of {', '.join(repr(choice) for choice in CHOICES[name])}")
    elif name in COUNTS:
        if value is None and name in MAY_BE_NONE:
            return
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= COUNTS[name]:
            raise NotUnderstood(name, f"a whole number from 0 to {COUNTS[name]}")
        if name == "failing" and 0 < value < 500:
            raise NotUnderstood(name, "0, or a status from 500 on")
    elif name == "latency_s":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_LATENCY_S:
            raise NotUnderstood(name, f"seconds from 0 to {LONGEST_LATENCY_S}")
    elif not isinstance(value, bool):
        raise NotUnderstood(name, "true or false")


def _tidy(name: str, value: Any) -> Any:
    if name in SHORTHAND and (value is None or isinstance(value, bool)):
        return SHORTHAND[name] if value else ""
    return value


# A query that holds one of these behaves so, whatever the switches say; the word itself is not searched for.
MAGIC: dict[str, dict[str, Any]] = {
    "naoexiste": {"no_results": True},
    "umsozinho": {"single": True},
    "bloqueado": {"blocked": "sorry"},
    "consentimento": {"consent": True},
    "consentimentoeterno": {"consent": True, "consent_again": True},
    "vistalimitada": {"limited": True},
    "retro": {"limited": True},  # the same as somebody may well type it: the demo looks for a "barbearia retrô"
    "layoutnovo": {"moved": "fields"},
    "linhasmovidas": {"moved": "rows"},
    "respostavazia": {"empty": True},
    "fimprecoce": {"truncated_at": 10},
    "foradoar": {"failing": 503},
    "layoutantigo": {"layout": "A"},
    "embrulhado": {"wrapped": True},
    "devagar": {"latency_s": 2.0},
    "semlink": {"head_link": False},
}


def spelled_out(query: str, behaviour: Behaviour) -> tuple[str, Behaviour]:
    """The query without its magic words, and the behaviour they ask for."""
    kept = []
    for word in query.split():
        wish = MAGIC.get(plain(word))
        if wish is None:
            kept.append(word)
        else:
            behaviour = behaviour.changed(wish)
    return " ".join(kept), behaviour
