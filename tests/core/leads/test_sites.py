"""Websites are read once for all, a number for WhatsApp beats a landline, and no reader's death loses a wish."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, update

from core.jobs import ReadSites
from core.leads import sites
from core.leads.contacts import Contacts
from core.leads.phones import phone_hash
from core.leads.rules import (
    LeadFilter,
    OnWhatsApp,
    PhoneFrom,
    PhoneType,
    SiteReading,
    SiteReason,
)
from core.leads.sites import ClaimedSite, Wanted, may_be_replaced
from core.optouts import service as optouts
from core.ports import SiteRead
from core.runtime import Runtime
from core.searches import reading
from core.tables import Lead, Site
from tests.core.leads.makers import make_leads
from tests.core.searches import makers as searching
from tests.people import People

MOBILE, LANDLINE, OTHER = "+5511900001234", "+551130001234", "+5511900005678"
FOUND = Contacts(
    ("contato@clinica.com.br",), (MOBILE,), (LANDLINE,), {"instagram": "https://www.instagram.com/clinica"}
)
CLINIC = {"website": "https://www.clinica.com.br/?utm=1", "site": "clinica.com.br", "country": "BR"}
WITH_LANDLINE = CLINIC | {"phone": LANDLINE, "phone_type": PhoneType.LANDLINE}


def want(runtime: Runtime, team_id: Any, *ids: int) -> Wanted:
    with runtime.work() as work:
        return sites.want(work, team_id, LeadFilter(ids=tuple(ids)))


def claim(runtime: Runtime) -> ClaimedSite | None:
    with runtime.work() as work:
        return sites.claim_next(work)


def settle(runtime: Runtime, site: ClaimedSite | None, read: SiteRead) -> bool:
    assert site is not None
    with runtime.work() as work:
        return sites.settle(work, site, read)


def read_all(runtime: Runtime, contacts: Contacts | None = FOUND, reason: SiteReason | None = None) -> int:
    """As a worker does; how many sites were read."""
    n = 0
    while site := claim(runtime):
        assert settle(runtime, site, SiteRead(contacts, reason))
        n += 1
    with runtime.work() as work:
        sites.apply_known(work)
    return n


def lead(runtime: Runtime, lead_id: int) -> Lead:
    with runtime.work() as work:
        return work.session.get_one(Lead, lead_id)


def site(runtime: Runtime, host: str = "clinica.com.br") -> Site:
    with runtime.work() as work:
        return work.session.get_one(Site, host)


def look(runtime: Runtime) -> int:
    """As the timetable does; how many sites are due."""
    with runtime.work() as work:
        return sites.queue_sites(work)


def later(runtime: Runtime, by: timedelta) -> None:
    """As if that much time had passed for all sites."""
    with runtime.work() as work:
        work.session.execute(update(Site).values(due_at=Site.due_at - by, good_until=Site.good_until - by))


def test_a_lead_gets_what_its_site_names(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, WITH_LANDLINE)
    assert want(runtime, people.team_id, ana) == Wanted(leads=1, sites=1, without_site=0)
    assert read_all(runtime) == 1
    found = lead(runtime, ana)
    assert (found.email, found.phone, found.phone_type) == ("contato@clinica.com.br", MOBILE, PhoneType.MOBILE)
    assert (found.phone_from, found.listed_phone) == (PhoneFrom.WEBSITE, LANDLINE)
    assert found.phone_hash == phone_hash(runtime.settings.secret_key, MOBILE)
    assert MOBILE[1:] in found.words
    assert found.site_read_at is not None
    assert found.site_wanted_at is None
    assert Contacts.from_dict(found.contacts) == FOUND
    assert site(runtime).status is SiteReading.READ


def test_two_teams_with_the_same_clinic_cost_it_one_visit(runtime: Runtime, people: People) -> None:
    ours = make_leads(runtime, people.team_id, WITH_LANDLINE, {"name": "Filial", **CLINIC})
    theirs = make_leads(runtime, people.other_team_id, WITH_LANDLINE)
    want(runtime, people.team_id, *ours)
    want(runtime, people.other_team_id, *theirs)
    assert read_all(runtime) == 1
    assert {lead(runtime, each).email for each in (*ours, *theirs)} == {"contato@clinica.com.br"}


def test_what_was_read_is_good_for_a_month(runtime: Runtime, people: People) -> None:
    ours = make_leads(runtime, people.team_id, WITH_LANDLINE)
    theirs = make_leads(runtime, people.other_team_id, WITH_LANDLINE)
    want(runtime, people.team_id, *ours)
    assert read_all(runtime) == 1
    later(runtime, timedelta(days=29))
    want(runtime, people.other_team_id, *theirs)
    assert read_all(runtime) == 0
    assert lead(runtime, theirs[0]).phone == MOBILE
    later(runtime, timedelta(days=2))
    want(runtime, people.other_team_id, *theirs)
    look(runtime)
    assert read_all(runtime) == 1


def test_of_too_many_at_once_the_rest_has_its_turn_with_the_next_wish(
    runtime: Runtime, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sites, "MOST_AT_ONCE", 2)
    made = make_leads(
        runtime,
        people.team_id,
        *({"website": f"https://loja-{n}.example", "site": f"loja-{n}.example"} for n in range(5)),
        {"name": "Sem site"},
    )

    def wanted() -> set[int]:
        return {n for n, lead_id in enumerate(made) if lead(runtime, lead_id).site_wanted_at is not None}

    assert want(runtime, people.team_id) == Wanted(leads=2, sites=2, without_site=1, left_over=3)
    assert wanted() == {0, 1}
    assert want(runtime, people.team_id).left_over == 1
    assert read_all(runtime, Contacts()) == 4
    assert want(runtime, people.team_id) == Wanted(leads=2, sites=2, without_site=1), "the last, and one read long ago"
    assert wanted() == {0, 4}


def test_only_those_who_asked_get_it(runtime: Runtime, people: People) -> None:
    asked, other, gone = make_leads(runtime, people.team_id, CLINIC, CLINIC, CLINIC)
    want(runtime, people.team_id, asked, gone)
    with runtime.work() as work:
        work.session.execute(update(Lead).where(Lead.id == gone).values(deleted_at=func.now()))
    read_all(runtime)
    assert lead(runtime, asked).email
    assert lead(runtime, other).email is None
    assert lead(runtime, gone).email is None
    assert lead(runtime, gone).site_wanted_at is None


def test_a_stranger_cannot_have_our_leads_read(runtime: Runtime, people: People) -> None:
    ours = make_leads(runtime, people.team_id, CLINIC)
    assert want(runtime, people.other_team_id, *ours) == Wanted(0, 0, 0)
    assert lead(runtime, ours[0]).site_wanted_at is None


def test_a_website_that_is_a_chat_needs_no_visit(runtime: Runtime, people: People) -> None:
    chat, profile, none, bad = make_leads(
        runtime,
        people.team_id,
        {"website": f"https://wa.me/{MOBILE[1:]}", "phone": LANDLINE, "phone_type": PhoneType.LANDLINE},
        {"website": "https://www.instagram.com/clinica"},
        {},
        {"website": "ftp://clinica.com.br"},
    )
    assert want(runtime, people.team_id, chat, profile, none, bad) == Wanted(leads=2, sites=0, without_site=2)
    assert (lead(runtime, chat).phone, lead(runtime, chat).phone_from) == (MOBILE, PhoneFrom.WEBSITE)
    assert (lead(runtime, profile).contacts or {})["socials"] == {"instagram": "https://www.instagram.com/clinica"}
    assert claim(runtime) is None


def test_an_email_that_was_known_stays(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, CLINIC | {"email": "ana@clinica.com.br"})
    want(runtime, people.team_id, ana)
    read_all(runtime)
    assert lead(runtime, ana).email == "ana@clinica.com.br"


# ---------------------------------------------------------------- whose number is taken


@pytest.mark.parametrize(
    ("was", "takes"),
    [
        ({}, True),
        ({"phone": LANDLINE, "phone_type": PhoneType.LANDLINE}, True),
        ({"phone": LANDLINE, "phone_type": PhoneType.OTHER}, True),
        ({"phone": OTHER, "phone_type": PhoneType.MOBILE}, False),
        ({"phone": OTHER, "phone_type": PhoneType.MOBILE, "phone_from": PhoneFrom.WEBSITE}, True),
        ({"phone": LANDLINE, "phone_type": PhoneType.LANDLINE, "phone_from": PhoneFrom.BY_HAND}, False),
        ({"phone": LANDLINE, "phone_type": PhoneType.LANDLINE, "on_whatsapp": OnWhatsApp.YES}, False),
        ({"phone": LANDLINE, "phone_type": PhoneType.LANDLINE, "on_whatsapp": OnWhatsApp.NO}, True),
        ({"phone": LANDLINE, "phone_type": PhoneType.LANDLINE, "last_replied_at": func.now()}, False),
        ({"phone": LANDLINE, "phone_type": PhoneType.LANDLINE, "opted_out_at": func.now()}, False),
    ],
)
def test_only_a_weaker_number_gives_way(runtime: Runtime, people: People, was: dict[str, Any], takes: bool) -> None:
    [ana] = make_leads(runtime, people.team_id, CLINIC | was)
    want(runtime, people.team_id, ana)
    read_all(runtime)
    assert lead(runtime, ana).phone == (MOBILE if takes else was.get("phone"))


def test_a_person_who_asked_to_be_left_alone_is_never_reached_by_a_way_around() -> None:
    for phone_type in (None, *PhoneType):
        for comes_from in PhoneFrom:
            assert not may_be_replaced(
                phone=LANDLINE if phone_type else None,
                type=phone_type,
                comes_from=comes_from,
                answers=False,
                is_opted_out=True,
            )


def test_a_number_on_the_do_not_contact_list_makes_the_lead_opted_out(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, WITH_LANDLINE)
    [theirs] = make_leads(runtime, people.other_team_id, WITH_LANDLINE)
    with runtime.work() as work:
        optouts.opt_out(work, people["Ana"], MOBILE)
    want(runtime, people.team_id, ana)
    want(runtime, people.other_team_id, theirs)
    read_all(runtime)
    assert lead(runtime, ana).phone == MOBILE
    assert lead(runtime, ana).opted_out_at is not None
    assert lead(runtime, theirs).opted_out_at is None


def test_the_head_offices_number_does_not_become_every_branchs(runtime: Runtime, people: People) -> None:
    chain = make_leads(runtime, people.team_id, *[WITH_LANDLINE] * sites.SHARED_FROM)
    want(runtime, people.team_id, *chain)
    read_all(runtime)
    assert {lead(runtime, each).phone for each in chain} == {LANDLINE}
    assert {lead(runtime, each).email for each in chain} == {"contato@clinica.com.br"}


def test_a_number_that_was_checked_is_unchecked_when_another_takes_its_place(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, WITH_LANDLINE | {"on_whatsapp": OnWhatsApp.NO})
    want(runtime, people.team_id, ana)
    read_all(runtime)
    assert lead(runtime, ana).on_whatsapp is OnWhatsApp.UNKNOWN


# ---------------------------------------------------------------- how reading ends


@pytest.mark.parametrize("reason", list(SiteReason))
def test_every_end_that_is_no_reading_frees_the_wish_and_is_told(
    runtime: Runtime, people: People, reason: SiteReason
) -> None:
    [ana] = make_leads(runtime, people.team_id, WITH_LANDLINE)
    want(runtime, people.team_id, ana)
    for _ in range(sites.MOST_TRIES):
        if read := claim(runtime):
            assert settle(runtime, read, SiteRead(None, reason))
        later(runtime, timedelta(hours=2))
    assert claim(runtime) is None
    shown = site(runtime)
    assert shown.status is (SiteReading.REFUSED if reason in sites.REFUSALS else SiteReading.FAILED)
    assert shown.reason == reason.value
    assert shown.tries == (sites.MOST_TRIES if reason in sites.PASSING else 1)
    assert (lead(runtime, ana).site_wanted_at, lead(runtime, ana).site_read_at) == (None, None)
    with runtime.work() as work:
        told = sites.site_of_lead(work.session, people.team_id, ana)  # type: ignore[arg-type]
    assert told is not None
    assert (told.status, told.reason, told.is_wanted) == (shown.status, reason, False)


def test_a_site_that_does_not_answer_is_asked_again_after_longer_and_longer(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, CLINIC)
    want(runtime, people.team_id, ana)
    away = SiteRead(None, SiteReason.UNREACHABLE)
    assert settle(runtime, claim(runtime), away)
    assert claim(runtime) is None
    later(runtime, timedelta(minutes=6))
    assert settle(runtime, claim(runtime), away)
    later(runtime, timedelta(minutes=6))
    assert claim(runtime) is None
    later(runtime, timedelta(hours=1))
    assert settle(runtime, claim(runtime), SiteRead(FOUND))
    assert lead(runtime, ana).email == "contato@clinica.com.br"


def test_a_site_that_failed_can_be_asked_for_again_the_day_after(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, CLINIC)
    want(runtime, people.team_id, ana)
    settle(runtime, claim(runtime), SiteRead(None, SiteReason.TOO_LARGE))
    want(runtime, people.team_id, ana)
    assert claim(runtime) is None
    with runtime.work() as work:
        assert sites.apply_known(work) == 1
    assert lead(runtime, ana).site_wanted_at is None
    later(runtime, timedelta(days=1, minutes=1))
    want(runtime, people.team_id, ana)
    assert look(runtime) == 1
    assert claim(runtime) is not None


# ---------------------------------------------------------------- readers


def test_no_site_has_two_readers(runtime: Runtime, people: People) -> None:
    many = [{"website": f"https://loja-{n}.com.br"} for n in range(40)]
    want(runtime, people.team_id, *make_leads(runtime, people.team_id, *many))
    taken: list[str] = []

    def read() -> None:
        while site := claim(runtime):
            taken.append(site.host)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for each in readers:
        each.start()
    for each in readers:
        each.join()
    assert sorted(taken) == sorted(f"loja-{n}.com.br" for n in range(40))


def test_what_a_dead_reader_held_is_read_by_another_and_the_dead_one_changes_nothing(
    runtime: Runtime, people: People
) -> None:
    [ana] = make_leads(runtime, people.team_id, CLINIC)
    want(runtime, people.team_id, ana)
    dead = claim(runtime)
    assert claim(runtime) is None
    later(runtime, sites.CLAIM_HOLDS)
    alive = claim(runtime)
    assert not settle(runtime, dead, SiteRead(None, SiteReason.ROBOTS))
    assert settle(runtime, alive, SiteRead(FOUND))
    assert not settle(runtime, alive, SiteRead(None, SiteReason.ROBOTS))
    assert lead(runtime, ana).email == "contato@clinica.com.br"


def test_a_site_that_kills_its_readers_is_given_up(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, CLINIC)
    want(runtime, people.team_id, ana)
    for _ in range(sites.MOST_TRIES):
        assert claim(runtime) is not None
        later(runtime, sites.CLAIM_HOLDS)
    assert claim(runtime) is None
    with runtime.work() as work:
        sites.queue_sites(work)
    assert (site(runtime).status, site(runtime).reason) == (SiteReading.FAILED, SiteReason.INTERRUPTED.value)
    assert lead(runtime, ana).site_wanted_at is None


def test_who_wants_ten_does_not_wait_behind_who_wants_a_thousand(runtime: Runtime, people: People) -> None:
    thousand = make_leads(runtime, people.team_id, *[{"website": f"https://a-{n}.com.br"} for n in range(1_000)])
    want(runtime, people.team_id, *thousand)
    later(runtime, timedelta(seconds=5))
    ten = make_leads(runtime, people.other_team_id, *[{"website": f"https://b-{n}.com.br"} for n in range(10)])
    want(runtime, people.other_team_id, *ten)
    hosts = [site.host for _ in range(30) if (site := claim(runtime))]
    assert sum(host.startswith("b-") for host in hosts) == 10


def test_the_timetable_nudges_while_something_is_due_and_rests_when_nothing_is(
    runtime: Runtime, people: People
) -> None:
    with runtime.work() as work:
        assert sites.queue_sites(work) == 0
        assert work.jobs == []
    some = make_leads(runtime, people.team_id, *[{"website": f"https://a-{n}.com.br"} for n in range(100)])
    want(runtime, people.team_id, *some)
    with runtime.work() as work:
        assert sites.queue_sites(work) == 100
        assert work.jobs == [ReadSites(0), ReadSites(1), ReadSites(2)]
    read_all(runtime)
    with runtime.work() as work:
        assert sites.queue_sites(work) == 0
        assert work.jobs == []


def test_a_search_marks_what_it_brought_and_what_was_read_before_is_left(runtime: Runtime, people: People) -> None:
    new, without, read = make_leads(
        runtime, people.team_id, CLINIC, {}, {"website": "https://outra.com.br", "site_read_at": func.now()}
    )
    with runtime.work() as work:
        assert sites.want_of_search(work, people.team_id, [new, without, read]) == Wanted(1, 1, 0)
        assert sites.want_of_search(work, people.team_id, []) == Wanted(0, 0, 0)
        assert work.jobs == [ReadSites()]
    assert site(runtime).status is SiteReading.WAITING


def test_what_was_read_is_forgotten_where_nobody_has_a_lead(runtime: Runtime, people: People) -> None:
    [ana] = make_leads(runtime, people.team_id, CLINIC)
    want(runtime, people.team_id, ana)
    read_all(runtime)
    later(runtime, timedelta(days=200))
    with runtime.work() as work:
        assert sites.forget_sites(work, at_most=10) == 0
        work.session.delete(work.session.get_one(Lead, ana))
        work.session.flush()
        assert sites.forget_sites(work, at_most=10) == 1
        assert work.session.scalar(select(func.count()).select_from(Site)) == 0


def test_those_who_want_and_those_who_settle_never_wait_for_each_other(runtime: Runtime, people: People) -> None:
    many = make_leads(runtime, people.team_id, *[{"website": f"https://loja-{n % 7}.com.br"} for n in range(60)])
    troubles: list[Exception] = []

    def again_and_again(do: Callable[[int], object]) -> None:
        try:
            for turn in range(15):
                do(turn)
        except Exception as trouble:  # noqa: BLE001 - told below
            troubles.append(trouble)

    def wish(turn: int) -> None:
        want(runtime, people.team_id, *(many if turn % 2 else many[::-1]))

    def work_off(turn: int) -> None:
        if claimed := claim(runtime):
            settle(runtime, claimed, SiteRead(FOUND if turn % 2 else None, None if turn % 2 else SiteReason.TOO_LARGE))
        with runtime.work() as work:
            sites.apply_known(work)

    threads = [threading.Thread(target=again_and_again, args=(do,)) for do in (wish, wish, work_off, work_off)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert troubles == []


@pytest.mark.parametrize("wanted", [True, False])
def test_a_search_that_was_to_look_at_websites_marks_the_leads_it_keeps(people: People, wanted: bool) -> None:
    runtime = people.runtime
    mine = searching.taken(people, searching.ask(people, read_sites=wanted))
    [cell] = searching.cell_ids(people, mine)
    with runtime.work() as work:
        reading.store_page(work, mine, cell, searching.page(range(3), website="https://odonto.com.br"))
    with runtime.work() as work:
        marked = work.session.scalar(select(func.count()).select_from(Lead).where(Lead.site_wanted_at.is_not(None)))
        assert marked == (3 if wanted else 0)
