"""Who may do what: pure decisions about people, roles and passwords."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NewType

from core.errors import BadInput, NotAllowed

UserId = NewType("UserId", int)
TeamId = NewType("TeamId", int)


class Role(StrEnum):
    OWNER = "owner"  # numbers, people, limits, and all that a member may
    MEMBER = "member"  # searches, writes, answers
    VIEWER = "viewer"  # only looks


RANK = {Role.VIEWER: 0, Role.MEMBER: 1, Role.OWNER: 2}


@dataclass(frozen=True)
class Actor:
    """A User acting in a Team with a Role: the first thing a service asks for.

    Read again from the session on every call, since an open page outlives a sign-out.
    """

    user_id: UserId
    team_id: TeamId
    role: Role
    is_admin: bool
    name: str
    team_name: str
    language: str  # "pt-BR" or "en"
    theme: str  # "light", "dark" or "system"
    session_id: int
    timezone: str = "America/Sao_Paulo"  # the team's; what pages show is told in it

    def require(self, role: Role) -> None:
        """Raises NotAllowed unless this person has `role` or a higher one in the team."""
        if RANK[self.role] < RANK[role]:
            raise NotAllowed(f"needs {role}, has {self.role}")

    def require_admin(self) -> None:
        """Raises NotAllowed unless this person administers the installation."""
        if not self.is_admin:
            raise NotAllowed("needs the administrator of the installation")


# ---------------------------------------------------------------- what people type

LANGUAGES = ("pt-BR", "en")
THEMES = ("light", "dark", "system")
NAME_LENGTH = 120
EMAIL_LENGTH = 254  # RFC 5321
INVITE_LIFE = timedelta(hours=72)
SESSION_LIFE = timedelta(days=14)
SESSION_IDLE = timedelta(days=3)
# Letters with marks stacked on them to break a page: more than this many marks on one letter are refused.
_MAX_MARKS = 10
_BIDI = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))
_EMAIL = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}@[^\s@\"(),:;<>\[\\\]]{1,189}")


def clean_name(field: str, text: str, *, max_length: int = NAME_LENGTH) -> str:
    """Trimmed, NFC, without controls of writing direction.  Raises BadInput(field, …) where it is no name."""
    if len(text) > max_length * 4:
        raise BadInput(field, "too_long", n=max_length)
    text = unicodedata.normalize("NFC", text).translate(_BIDI)
    if any(unicodedata.category(c) in ("Cc", "Cs", "Cn") for c in text):
        raise BadInput(field, "unstorable_characters")
    text = " ".join(text.split())
    if not any(unicodedata.category(c)[0] in "LNSP" for c in text):
        raise BadInput(field, "required")
    if len(text) > max_length:
        raise BadInput(field, "too_long", n=max_length)
    marks = 0
    for c in text:
        marks = marks + 1 if unicodedata.category(c) == "Mn" else 0
        if marks > _MAX_MARKS:
            raise BadInput(field, "unstorable_characters")
    return text


def clean_email(text: str, field: str = "email") -> str:
    """Lower case.  Raises BadInput(field, …); whether the box exists, only a letter to it can tell."""
    if len(text) > EMAIL_LENGTH * 4:
        raise BadInput(field, "too_long", n=EMAIL_LENGTH)
    text = unicodedata.normalize("NFC", text).strip().lower()
    if not text:
        raise BadInput(field, "required")
    if len(text) > EMAIL_LENGTH:
        raise BadInput(field, "too_long", n=EMAIL_LENGTH)
    domain = text.rpartition("@")[2]
    labels = domain.split(".")
    if (
        not _EMAIL.fullmatch(text)
        or any(unicodedata.category(c)[0] == "C" for c in text)
        or len(labels) < 2
        or not all(label and not label.startswith("-") and not label.endswith("-") for label in labels)
        or ".." in text
        or text.startswith(".")
        or ".@" in text
    ):
        raise BadInput(field, "not_an_email")
    return text


def wait_before_next_try(wrong_in_a_row: int) -> timedelta:
    """Nothing for the first five wrong passwords in 15 minutes, then 1 s, doubling to a minute; never a lock-out,
    which would let a stranger shut somebody out."""
    if wrong_in_a_row < 5:
        return timedelta(0)
    return timedelta(seconds=min(60, 2 ** (wrong_in_a_row - 5)))


def wait_for_account(wrong_in_an_hour: int) -> timedelta:
    """For one account over all addresses: nothing for ten wrong passwords in an hour, then 1 s, doubling to 5 minutes.

    So no hour has more than 30 guesses, from however many addresses, and nobody is shut out for longer than that.
    Addresses that the person signed in from before are left out: see `queries.is_known_address`.
    """
    if wrong_in_an_hour < 10:
        return timedelta(0)
    return timedelta(seconds=min(300, 2 ** (min(wrong_in_an_hour, 30) - 10)))
