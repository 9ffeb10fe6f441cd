"""Who may do what: pure decisions about people, roles and passwords."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from core.errors import NotAllowed

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

    def require(self, role: Role) -> None:
        """Raises NotAllowed unless this person has `role` or a higher one in the team."""
        if RANK[self.role] < RANK[role]:
            raise NotAllowed(f"needs {role}, has {self.role}")

    def require_admin(self) -> None:
        """Raises NotAllowed unless this person administers the installation."""
        if not self.is_admin:
            raise NotAllowed("needs the administrator of the installation")
