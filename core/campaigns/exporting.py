"""The recipients of a campaign for a spreadsheet, portion by portion: no portion holds up who sends."""

from __future__ import annotations

from dataclasses import dataclass

from core import audit
from core.accounts.rules import Actor, Role
from core.campaigns import queries
from core.campaigns.queries import RecipientRow
from core.campaigns.rules import CampaignId
from core.errors import BadInput
from core.sending.rules import RecipientId
from core.work import Work

PORTION = 2_000


@dataclass(frozen=True)
class Portion:
    """In the order of their ids, which nothing changes while it is read.  `next_after` is None at the end."""

    rows: list[RecipientRow]
    next_after: RecipientId | None


def export_recipients(
    work: Work,
    actor: Actor,
    campaign_id: CampaignId,
    tab: str = "all",
    *,
    after: RecipientId | None = None,
    limit: int = PORTION,
) -> Portion:
    """The next portion of one of TABS; the first is noted in the audit log.  Raises NotFound, BadInput."""
    actor.require(Role.MEMBER)
    if tab not in queries.TABS:
        raise BadInput("tab", "not_one_of_these")
    queries.head(work.session, actor.team_id, campaign_id)
    limit = max(1, min(limit, PORTION))
    rows = queries.recipients_by_turn(work.session, actor.team_id, campaign_id, tab, limit=limit, after=after)
    if after is None:
        audit.record(work, actor, "campaign.exported", "campaign", campaign_id, tab=tab)
    return Portion(rows, rows[-1].id if len(rows) == limit else None)
