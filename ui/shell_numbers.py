"""The numbers that stand in the menu of every page: today's sends of the team, and counts beside the lines.

Asked once with the session of each page, then again every 15 s and when a number or a conversation of the team changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nicegui import context

from core.accounts.rules import Actor
from core.campaigns import queries as campaigns
from core.campaigns.rules import CampaignStatus
from core.instances import service as instances
from core.replies import service as replies
from core.searches import queries as searches
from core.work import Work

ACTIVE = (CampaignStatus.RUNNING, CampaignStatus.PAUSED)


@dataclass(frozen=True)
class ShellNumbers:
    """`sends` is (sent, cap) of today over the connected numbers, or None without one; `counts` by menu key."""

    sends: tuple[int, int] | None = None
    counts: Mapping[str, int] = field(default_factory=dict)


def of_team(work: Work, actor: Actor) -> ShellNumbers:
    """Five small questions, each answered by an index or by what is kept counted."""
    sent, cap = instances.sends_today(work, actor)
    by_status = campaigns.campaigns_by_status(work.session, actor.team_id)
    counts = {
        "searches": searches.running(work.session, actor.team_id),
        "replies": replies.counts(work, actor).waiting,
        "campaigns": sum(by_status.get(status, 0) for status in ACTIVE),
    }
    return ShellNumbers((sent, cap) if cap else None, counts)


def at_load() -> ShellNumbers:
    """What the guard read together with the session."""
    return context.client.request.scope["state"].get("numbers") or ShellNumbers()  # type: ignore[no-any-return]
