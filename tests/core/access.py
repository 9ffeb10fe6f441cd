"""How a test says who may call a service function.

Each feature lists its cases in `tests/core/<feature>/access_cases.py` as `CASES = [Case(...), …]`;
`tests/core/test_access.py` plays every one as each of the four people and fails on a function without a case.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from core.accounts.rules import Role
from tests.people import People

# Put into every name of Ana's things: must never be in an answer to Carlos.
CANARY = "Canário-7f3a"

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class Stranger(Enum):
    """What an owner of another team gets when calling with the ids of Ana's team."""

    NOT_FOUND = "not found"  # the ids are as good as not there
    OWN = "own"  # there are no ids in the call: gets their own team's, and nothing of Ana's


class Needs(Enum):
    VIEWER = Role.VIEWER
    MEMBER = Role.MEMBER
    OWNER = Role.OWNER
    ADMIN = "admin"  # the administrator of the installation, whatever the role


@dataclass(frozen=True)
class Case:
    """`arguments(people)` makes what the call needs in Ana's team, named with CANARY, and returns (args, kwargs)."""

    function: Callable[..., Any]
    needs: Needs
    stranger: Stranger
    arguments: Callable[[People], Arguments] = lambda people: ((), {})
