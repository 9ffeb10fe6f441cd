"""Recipients for a spreadsheet: all of a tab, each once, whatever is sent meanwhile."""

from __future__ import annotations

import pytest

from core.campaigns import exporting
from core.campaigns.exporting import Portion
from core.campaigns.rules import CampaignId
from core.errors import BadInput, NotAllowed, NotFound
from core.sending.rules import RecipientId
from tests.core.campaigns.making import audit_of, connect_number, keep_lead, mark, now, recipients, start, write_draft
from tests.people import People


@pytest.fixture
def running(people: People) -> CampaignId:
    connect_number(people)
    for n in range(5):
        keep_lead(people, n)
    campaign_id = write_draft(people)
    start(people, campaign_id)
    return campaign_id


def portion(people: People, campaign_id: CampaignId, tab: str = "all", who: str = "Bea", **asked: object) -> Portion:
    with people.runtime.work() as work:
        return exporting.export_recipients(work, people[who], campaign_id, tab, **asked)  # type: ignore[arg-type]


def test_each_is_there_once_although_some_are_sent_between_two_portions(people: People, running: CampaignId) -> None:
    seen: list[RecipientId] = []
    after = None
    for _turn in range(3):
        found = portion(people, running, after=after, limit=2)
        seen += [row.id for row in found.rows]
        after = found.next_after
        for row in (recipients(people, running)[0], recipients(people, running)[-1]):
            mark(people, row.id, changed_at=now(people))
    assert after is None
    assert seen == [row.id for row in recipients(people, running)]


def test_a_tab_has_its_own_alone_and_it_is_noted_once(people: People, running: CampaignId) -> None:
    row = recipients(people, running)[2]
    mark(people, row.id, status="failed", reason="not_on_whatsapp")
    found = portion(people, running, "failed")
    assert [each.id for each in found.rows] == [row.id]
    portion(people, running, "failed", after=found.rows[0].id)
    assert [entry for entry in audit_of(people, running) if entry[0] == "campaign.exported"] == [
        ("campaign.exported", "Bea", {"tab": "failed"})
    ]


def test_who_only_looks_takes_nothing_away(people: People, running: CampaignId) -> None:
    with pytest.raises(NotAllowed):
        portion(people, running, who="Vic")
    with pytest.raises(NotFound):
        portion(people, running, who="Carlos")
    with pytest.raises(BadInput):
        portion(people, running, "'; --")
