"""Who may decide about recipients."""

from __future__ import annotations

from core.sending import service
from core.sending.service import Decision
from core.tables import CampaignLead
from tests.core.access import CANARY, Arguments, Case, Needs, Stranger
from tests.factories import make_campaign, make_instance, make_leads
from tests.people import People


def a_campaign(people: People) -> Arguments:
    """Ana's campaign, with somebody who failed."""
    return (_campaign(people, "failed", reason="content_refused")[0],), {}


def somebody_held(people: People) -> Arguments:
    return ([_campaign(people, "held")[1]],), {}


def a_campaign_that_holds_somebody(people: People) -> Arguments:
    return (_campaign(people, "held")[0], Decision.SKIP), {}


def _campaign(people: People, status: str, **values: object) -> tuple[int, int]:
    runtime, team_id = people.runtime, people.team_id
    numbers = [make_instance(runtime, team_id, CANARY)]
    campaign_id = make_campaign(runtime, team_id, numbers, make_leads(runtime, team_id, [1]), name=CANARY)
    with runtime.work() as work:
        row = work.session.query(CampaignLead).filter_by(campaign_id=campaign_id).one()
        row.status, row.claimed_at = status, work.now  # type: ignore[assignment]
        row.reason = values.get("reason")  # type: ignore[assignment]
        return campaign_id, row.id


CASES = [
    Case(service.it_arrived, Needs.MEMBER, Stranger.NOT_FOUND, somebody_held),
    Case(service.send_again, Needs.MEMBER, Stranger.NOT_FOUND, somebody_held),
    Case(service.skip, Needs.MEMBER, Stranger.NOT_FOUND, somebody_held),
    Case(service.decide_all_held, Needs.MEMBER, Stranger.NOT_FOUND, a_campaign_that_holds_somebody),
    Case(service.retry_failed, Needs.MEMBER, Stranger.NOT_FOUND, a_campaign),
]
