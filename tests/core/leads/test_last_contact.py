"""The list by last contact: who was written to stands in a table of its own, and all leads are one list."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.leads import queries
from core.leads.queries import After, LeadRow
from core.leads.rules import LeadFilter, LeadSort, LeadStatus
from tests.core.leads.makers import make_leads
from tests.people import People

NOON = datetime(2026, 6, 11, 15, 0, tzinfo=UTC)
MANY = 1_000_000
PER_PAGE = 7


@pytest.fixture
def leads(people: People) -> list[tuple[int, datetime | None, str]]:
    """Of 60 leads about half were written to, many of them in one moment; (id, when, city) as they were made."""
    dice = random.Random(7)
    made: list[dict[str, Any]] = [
        {
            "city": dice.choice(("Campinas", "Santos")),
            "last_sent_at": dice.choice((None, NOON - timedelta(days=dice.randrange(4)))),
        }
        for _ in range(60)
    ]
    ids = make_leads(people.runtime, people.team_id, *made)
    gone = {"name": "Apagada", "deleted_at": NOON}
    make_leads(people.runtime, people.team_id, gone, {**gone, "last_sent_at": NOON})
    make_leads(people.runtime, people.other_team_id, {"last_sent_at": NOON}, {"city": "Santos"})
    return [(lead, columns["last_sent_at"], columns["city"]) for lead, columns in zip(ids, made, strict=True)]


def in_order(leads: list[tuple[int, datetime | None, str]], descending: bool) -> list[int]:
    """Falling: the latest first, never is the longest ago; and rising the very other way round."""
    longest_ago = datetime.min.replace(tzinfo=UTC)
    rising = sorted(leads, key=lambda lead: (lead[1] or longest_ago, lead[0]))
    return [lead[0] for lead in (reversed(rising) if descending else rising)]


def page(people: People, which: LeadFilter, descending: bool, total: int, **where: Any) -> list[LeadRow]:
    asked = {"total": total, "sort": LeadSort.LAST_CONTACT, "descending": descending, "limit": PER_PAGE}
    with people.runtime.work() as work:
        return queries.page(work.session, people.team_id, which, **asked, **where)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("total", [60, MANY])  # few are gathered and sorted, many are walked
@pytest.mark.parametrize("city", [None, "Santos"])
def test_every_page_is_that_of_one_sorted_list(
    people: People, leads: list[tuple[int, datetime | None, str]], descending: bool, total: int, city: str | None
) -> None:
    which = LeadFilter(cities=(city,)) if city else LeadFilter()
    whole = in_order([lead for lead in leads if city in (None, lead[2])], descending)
    assert len(whole) > 3 * PER_PAGE
    for offset in range(len(whole) + 2):
        rows = page(people, which, descending, total, offset=offset)
        assert [row.id for row in rows] == whole[offset : offset + PER_PAGE], offset
    last_sent = {lead: at for lead, at, _ in leads}
    for n, lead in enumerate(whole, start=1):
        rows = page(people, which, descending, total, after=After(last_sent[lead], lead))
        assert [row.id for row in rows] == whole[n : n + PER_PAGE], n
        assert [row.last_contact_at for row in rows] == [last_sent[row.id] for row in rows]


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("total", [60, MANY])
@pytest.mark.parametrize("status", [LeadStatus.CONTACTED, LeadStatus.NEW])
def test_of_one_state_there_is_nobody_on_the_other_side(
    people: People, leads: list[tuple[int, datetime | None, str]], descending: bool, total: int, status: LeadStatus
) -> None:
    was_written_to = status is LeadStatus.CONTACTED
    whole = in_order([lead for lead in leads if (lead[1] is not None) is was_written_to], descending)
    which = LeadFilter(statuses=(status,))
    found: list[LeadRow] = []
    while rows := page(people, which, descending, total, offset=len(found)):
        found += rows
    assert [row.id for row in found] == whole
    assert {row.status for row in found} == {status}
    with people.runtime.work() as work:
        assert queries.count(work.session, people.team_id, which) == len(whole)


def test_several_states_are_asked_for_at_once(people: People) -> None:
    said: list[dict[str, Any]] = [
        {},
        {"last_sent_at": NOON},
        {"last_sent_at": NOON, "last_replied_at": NOON},
        {"last_sent_at": NOON, "opted_out_at": NOON},
    ]
    new, contacted, replied, opted_out = make_leads(people.runtime, people.team_id, *said)
    with people.runtime.work() as work:

        def meant(*statuses: LeadStatus) -> set[int]:
            asked = {"total": 4, "sort": LeadSort.LAST_CONTACT, "descending": True, "limit": 9}
            rows = queries.page(work.session, people.team_id, LeadFilter(statuses=statuses), **asked)
            return {row.id for row in rows}

        assert meant(LeadStatus.NEW, LeadStatus.CONTACTED) == {new, contacted}
        assert meant(LeadStatus.NEW, LeadStatus.REPLIED) == {new, replied}
        assert meant(LeadStatus.CONTACTED, LeadStatus.OPTED_OUT) == {contacted, opted_out}
        assert meant(*LeadStatus) == {new, contacted, replied, opted_out}
