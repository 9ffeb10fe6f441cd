"""The numbers that stand in the menu of every page: today's sends of the team, and counts beside the lines.

Asked once with the session of each page, then again every 15 s and when a number of the team changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nicegui import context

from core.accounts.rules import Actor
from core.work import Work


@dataclass(frozen=True)
class ShellNumbers:
    """`sends` is (sent, cap) of today over all numbers of the team, or None while it has none; `counts` by menu key."""

    sends: tuple[int, int] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def of_team(work: Work, actor: Actor) -> ShellNumbers:
    return ShellNumbers()


def at_load() -> ShellNumbers:
    """What the guard read together with the session."""
    return context.client.request.scope["state"].get("numbers") or ShellNumbers()  # type: ignore[no-any-return]
