"""Who receives a campaign, who does not, and why: one answer for every lead of the filter."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy import text as sql

from core.campaigns import queries, service
from core.campaigns.audience import Order
from core.campaigns.rules import Audience, CampaignStatus, LeftOut, OnMissing
from core.campaigns.text import (
    MissingVariable,
    is_seen,
    pieces,
    render,
    seen_pattern,
    values_of,
    with_opt_out_line,
)
from core.leads.rules import LeadFilter, OnWhatsApp, PhoneType
from core.optouts import service as optouts
from core.replies.rules import ConversationStatus
from core.sending.rules import RecipientStatus
from core.tables import Campaign, CampaignLead, Conversation, Instance, Lead
from tests.core.campaigns.making import connect_number, keep_lead, mark, now, plan_of, recipients, start, write_draft
from tests.factories import note_sent
from tests.people import People


def judge(people: People, *, who: str = "Bea", **changes) -> Audience:
    campaign_id = write_draft(people)
    with people.runtime.work() as work:
        return service.audience_of(work, people[who], replace(plan_of(people, campaign_id), **changes))


def test_whoever_fits_and_has_a_mobile_receives(people: People) -> None:
    for n in range(3):
        keep_lead(people, n)
    found = judge(people)
    assert (found.matched, found.recipients, dict(found.left_out)) == (3, 3, {})


def test_each_reason_is_told_and_none_is_counted_twice(people: People) -> None:
    keep_lead(people, 1)
    keep_lead(people, 2, phone=None)
    keep_lead(people, 3, closed="permanently")
    keep_lead(people, 4, opted_out_at=now(people))
    keep_lead(people, 5, phone_type=PhoneType.LANDLINE)
    keep_lead(people, 6, on_whatsapp=OnWhatsApp.NO)
    keep_lead(people, 7, last_sent_at=now(people) - timedelta(days=29))
    keep_lead(people, 8, phone="+5511900000001")
    keep_lead(people, 9, basis="none")
    with people.runtime.work() as work:
        optouts.opt_out(work, people["Ana"], "+5511900000004")
    found = judge(people)
    assert found.matched == 9
    assert found.recipients + sum(found.left_out.values()) == 9
    assert dict(found.left_out) == {
        LeftOut.NO_PHONE: 1,
        LeftOut.CLOSED: 1,
        LeftOut.OPTED_OUT: 1,
        LeftOut.NO_BASIS: 1,
        LeftOut.LANDLINE: 1,
        LeftOut.NOT_ON_WHATSAPP: 1,
        LeftOut.RECENTLY_WRITTEN: 1,
        LeftOut.REPEATED: 1,
    }


def test_a_lead_with_several_reasons_has_the_first(people: People) -> None:
    keep_lead(people, 1, phone=None, closed="permanently", on_whatsapp=OnWhatsApp.NO)
    assert dict(judge(people).left_out) == {LeftOut.NO_PHONE: 1}


def test_somebody_who_opted_out_is_left_out_whatever_lead_has_the_phone(people: People) -> None:
    with people.runtime.work() as work:
        optouts.opt_out(work, people["Ana"], "+5511900000001")
    keep_lead(people, 1)
    assert dict(judge(people).left_out) == {LeftOut.OPTED_OUT: 1}


def test_both_forms_of_the_ninth_digit_are_one_person(people: People) -> None:
    keep_lead(people, 1, phone="+5511900000001")
    keep_lead(people, 2, phone="+551100000001")
    assert judge(people).count(LeftOut.REPEATED) == 1


def test_two_leads_with_one_phone_are_written_to_once(people: People) -> None:
    keep_lead(people, 1, phone="+5511900000007")
    keep_lead(people, 2, phone="+5511900000007")
    found = judge(people)
    assert (found.recipients, found.count(LeftOut.REPEATED)) == (1, 1)


def test_a_phone_whose_first_lead_is_left_out_belongs_to_its_next(people: People) -> None:
    keep_lead(people, 1, phone="+5511900000007", closed="permanently")
    keep_lead(people, 2, phone="+5511900000007")
    found = judge(people)
    assert (found.recipients, found.count(LeftOut.CLOSED), found.count(LeftOut.REPEATED)) == (1, 1, 0)


def test_landlines_are_taken_in_by_a_switch_and_counted(people: People) -> None:
    keep_lead(people, 1, phone_type=PhoneType.LANDLINE)
    assert judge(people).recipients == 0
    found = judge(people, include_landlines=True)
    assert (found.recipients, found.landlines) == (1, 1)


def test_another_lead_of_a_phone_written_to_lately_is_left_out_too(people: People) -> None:
    keep_lead(people, 1, phone="+5511900000007", last_sent_at=now(people) - timedelta(days=3))
    keep_lead(people, 2, phone="+5511900000007")
    assert judge(people).count(LeftOut.RECENTLY_WRITTEN) == 2


def test_how_long_ago_is_long_enough_is_for_the_person_to_say(people: People) -> None:
    keep_lead(people, 1, last_sent_at=now(people) - timedelta(days=10))
    assert judge(people, repeat_after_days=7).recipients == 1
    assert judge(people, repeat_after_days=11).recipients == 0
    assert judge(people, repeat_after_days=0).recipients == 1


def test_whoever_waits_in_another_campaign_is_left_out_until_it_is_over(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    other = write_draft(people, name="A primeira")
    start(people, other)
    assert judge(people).count(LeftOut.IN_ANOTHER_CAMPAIGN) == 1
    mark(people, recipients(people, other)[0].id, status="sent")
    assert judge(people).recipients == 1


def write_to(people: People, lead: int, *, who: str, days_ago: int, heard_days_ago: int | None = None) -> None:
    """A campaign of that person wrote to the lead, so long ago; and they answered, if they ever did."""
    at = now(people) - timedelta(days=days_ago)
    with people.runtime.work() as work:
        kept = work.session.get_one(Lead, lead)
        ended = {"status": CampaignStatus.FINISHED, "ended_at": at, "started_at": at}
        campaign = Campaign(team_id=people.team_id, name="Antes", created_by=people[who].user_id, **ended)
        work.session.add(campaign)
        work.session.flush()
        same = {"team_id": people.team_id, "phone": kept.phone, "phone_hash": kept.phone_hash, "lead_id": lead}
        work.session.add(
            CampaignLead(campaign_id=campaign.id, lead_name="X", status=RecipientStatus.SENT, sent_at=at, **same)
        )
        note_sent(work.session, kept, at)
        if heard_days_ago is not None:
            heard = {"heard_at": now(people) - timedelta(days=heard_days_ago), "status": ConversationStatus.DONE}
            work.session.add(Conversation(instance_id=connect_number(people), **heard, **same))


def test_what_a_colleague_wrote_lately_is_told_apart_from_ones_own(people: People) -> None:
    for n, writers in enumerate((["Bea"], ["Ana"], ["Ana", "Bea"], ["Bea", "Ana"])):
        lead = keep_lead(people, n)
        for days_ago, who in zip((20, 9), writers, strict=False):
            write_to(people, lead, who=who, days_ago=days_ago, heard_days_ago=10 if days_ago == 20 else None)
    for n, who in ((10, "Ana"), (11, "Bea")):
        write_to(people, keep_lead(people, n), who=who, days_ago=40)
    found = judge(people)
    assert found.recipients == 2
    assert dict(found.left_out) == {LeftOut.RECENTLY_WRITTEN: 2, LeftOut.BY_COLLEAGUE: 2}, "the last of them counts"
    assert judge(people, who="Ana").count(LeftOut.BY_COLLEAGUE) == 2
    assert judge(people, who="Vic").count(LeftOut.BY_COLLEAGUE) == 4


def test_two_messages_without_an_answer_are_the_last_and_an_answer_begins_the_count_anew(people: People) -> None:
    twice, answered, once = (keep_lead(people, n) for n in range(3))
    write_to(people, twice, who="Bea", days_ago=90)
    write_to(people, twice, who="Ana", days_ago=80)
    write_to(people, answered, who="Bea", days_ago=90, heard_days_ago=85)
    write_to(people, answered, who="Ana", days_ago=80)
    write_to(people, once, who="Bea", days_ago=90)
    found = judge(people)
    assert (found.recipients, dict(found.left_out)) == (2, {LeftOut.UNANSWERED: 1})


def test_who_is_being_talked_to_is_left_out_until_somebody_calls_it_done(people: People) -> None:
    connect_number(people)
    keep_lead(people, 1)
    with people.runtime.work() as work:
        lead = work.session.scalars(select(Lead)).one()
        number = work.session.scalars(select(Instance.id)).one()
        same = {"team_id": people.team_id, "phone": lead.phone, "phone_hash": lead.phone_hash}
        work.session.add(Conversation(instance_id=number, **same))
    assert dict(judge(people).left_out) == {LeftOut.IN_CONVERSATION: 1}
    with people.runtime.work() as work:
        work.session.scalars(select(Conversation)).one().status = ConversationStatus.DONE
    assert judge(people).recipients == 1


def test_who_would_be_held_is_counted_apart_and_the_queue_is_as_long_as_was_said(people: People) -> None:
    connect_number(people)
    for n in range(6):
        keep_lead(people, n, neighbourhood="Pinheiros" if n % 2 else None)
    keep_lead(people, 7, phone="+5511900000000", neighbourhood=None)
    plan = {"text": "{bairro}? {meu_nome}", "on_missing": OnMissing.HOLD}
    found = judge(people, **plan)
    assert (found.matched, found.recipients, found.held, dict(found.left_out)) == (7, 3, 3, {LeftOut.REPEATED: 1})
    campaign_id = write_draft(people, **plan)
    assert start(people, campaign_id) == found.recipients + found.held


def test_who_is_not_known_to_be_on_whatsapp_of_late_is_counted(people: People) -> None:
    moment = now(people)
    keep_lead(people, 1, on_whatsapp=OnWhatsApp.YES, whatsapp_checked_at=moment - timedelta(days=10))
    keep_lead(people, 2, on_whatsapp=OnWhatsApp.YES, whatsapp_checked_at=moment - timedelta(days=100))
    keep_lead(people, 3)
    assert judge(people).unverified == 2


def test_who_lives_nowhere_known_is_counted_where_their_clock_matters(people: People) -> None:
    keep_lead(people, 1)
    keep_lead(people, 2, phone="+12015550123", timezone="America/New_York")
    keep_lead(people, 3, phone="+77011234567")
    assert (judge(people).nowhere, judge(people, local_time=True).nowhere) == (0, 1)


BLANKS = [None, "", "   ", "\u00a0", "\u200b\u2060", "\u2800", "\u3164 \u115f", "\u200d", "\u2800\u0301", "\ufe0f"]


@pytest.mark.parametrize("blank", BLANKS, ids=ascii)
def test_a_lead_for_whom_the_text_would_have_a_hole_is_left_out(people: People, blank: str | None) -> None:
    keep_lead(people, 1, neighbourhood="Pinheiros")
    keep_lead(people, 2, neighbourhood=blank)
    found = judge(people, text="Em {bairro}, {empresa}?")
    assert (found.recipients, found.count(LeftOut.MISSING_VARIABLE)) == (1, 1)
    assert dict(found.missing) == {"neighbourhood": 1, "company": 0}
    assert judge(people, text="Em {bairro|sua região}?").recipients == 2


@pytest.mark.parametrize("blank", BLANKS[2:], ids=ascii)
def test_a_business_whose_name_nobody_sees_has_none(people: People, blank: str) -> None:
    keep_lead(people, 1, "Clínica Marfim")
    nameless = keep_lead(people, 2, blank)
    plan = plan_of(people, write_draft(people, text="Oi, {empresa}! {meu_nome} aqui."))
    with people.runtime.work() as work:
        found = service.audience_of(work, people["Bea"], plan)
        [shown] = service.left_out(work, people["Bea"], plan, LeftOut.MISSING_VARIABLE)
    assert (found.recipients, found.count(LeftOut.MISSING_VARIABLE), dict(found.missing)) == (1, 1, {"company": 1})
    assert shown.id == nameless
    with pytest.raises(MissingVariable):
        pieces(plan.variants[0].text, values_of(shown.facts))
    assert judge(people, text="Oi, {empresa|pessoal}! {meu_nome} aqui.").recipients == 2


def test_the_database_sees_what_a_person_sees(people: People) -> None:
    """Of every character there is, by itself; those that are none yet are never kept."""
    every = [chr(n) for n in range(1, 0x110000) if unicodedata.category(chr(n)) not in ("Cn", "Cs", "Co")]
    asked = sql("select c from unnest(cast(:every as text[])) as c where c ~ :pattern")
    with people.runtime.work() as work:
        seen = set(work.session.scalars(asked, {"every": every, "pattern": seen_pattern()}))
    assert seen == {c for c in every if is_seen(c)}
    assert {"\u2800", "\u3164", "\u200b", "\u00a0", "\U000e0100"}.isdisjoint(seen)
    assert {"A", "é", "字", "🍕", "-", "7"} <= seen


def test_a_rating_that_is_not_known_is_a_hole_and_zero_is_not(people: People) -> None:
    keep_lead(people, 1, rating=None)
    keep_lead(people, 2, rating=0.0)
    assert judge(people, text="Nota {nota}").recipients == 1


def test_the_longest_message_is_that_of_the_longest_lead(people: People) -> None:
    keep_lead(people, 1, "Açaí")
    keep_lead(people, 2, "Clínica " + "á" * 200, neighbourhood="Vila Mariana")
    keep_lead(people, 3, "x" * 300, phone=None)
    text = "{empresa}: {nota}, {bairro|por aí}. {meu_nome}"
    plan = plan_of(people, write_draft(people, text=text))
    with people.runtime.work() as work:
        found = service.audience_of(work, people["Bea"], plan)
        read = [
            len(with_opt_out_line(render(text, values_of(sample.facts)), plan.opt_out_line))
            for sample in service.previews(work, people["Bea"], plan)
        ]
    assert found.longest == max(read)


def test_a_text_that_cannot_be_read_yet_still_has_an_audience(people: People) -> None:
    keep_lead(people, 1)
    assert judge(people, text="Oi {empr").recipients == 1


def test_the_filter_narrows_what_is_judged(people: People) -> None:
    keep_lead(people, 1, city="Santos")
    keep_lead(people, 2, rating=3.0)
    keep_lead(people, 3, rating=4.9)
    assert judge(people, audience=LeadFilter(cities=("São Paulo",), min_rating=4.0)).matched == 1


@pytest.mark.parametrize("typed", ["%%%", "🙂", "\0", "\x07", "\u200b"])
def test_a_search_for_signs_alone_writes_to_nobody(people: People, typed: str) -> None:
    keep_lead(people, 1)
    with people.runtime.work() as work:
        campaign_id = service.create_draft(work, people["Bea"], name="Todos?", audience={"text": typed})
    chosen = plan_of(people, campaign_id).audience
    assert not chosen.is_empty
    assert judge(people, audience=chosen).matched == 0
    assert judge(people, audience=LeadFilter(text=" ")).matched == 1


def test_nobody_is_no_error(people: People) -> None:
    assert judge(people) == Audience(0, 0, {}, 0, 0, {"company": 0})


def test_the_preview_shows_those_who_receive_in_their_order(people: People) -> None:
    keep_lead(people, 1, "Primeira")
    keep_lead(people, 2, "Sem telefone", phone=None)
    keep_lead(people, 3, "Segunda")
    plan = plan_of(people, write_draft(people))
    with people.runtime.work() as work:
        found = service.previews(work, people["Vic"], plan)
    assert [sample.facts.name for sample in found] == ["Primeira", "Segunda"]
    assert found[0].facts.sender_name == "Bea"


def test_the_longest_and_the_emptiest_are_shown_first_when_asked_for(people: People) -> None:
    keep_lead(people, 1, "Curta", neighbourhood="Pinheiros")
    keep_lead(people, 2, "Uma com um nome bem mais comprido", neighbourhood="Pinheiros")
    keep_lead(people, 3, "Sem nada", neighbourhood=None, rating=None)
    plan = plan_of(people, write_draft(people, text="{empresa}, {bairro|aqui}, {nota|boa}"))

    def names(order: Order) -> list[str]:
        with people.runtime.work() as work:
            return [sample.facts.name for sample in service.previews(work, people["Vic"], plan, order=order)]

    assert names(Order.LONGEST)[0] == "Uma com um nome bem mais comprido"
    assert names(Order.EMPTIEST)[0] == "Sem nada"
    assert names(Order.TURN)[0] == "Curta"


def test_some_of_those_behind_each_number_are_shown(people: People) -> None:
    keep_lead(people, 1, "Recebe")
    keep_lead(people, 2, "Fechada", closed="permanently")
    keep_lead(people, 3, "Sem bairro", neighbourhood=None)
    keep_lead(people, 4, "A mesma", phone="+5511900000001", neighbourhood="Sé")
    with people.runtime.work() as work:
        work.session.scalars(select(Lead).where(Lead.name == "Recebe")).one().neighbourhood = "Sé"
    plan = plan_of(people, write_draft(people, text="{bairro}"))

    def names(reason: LeftOut, who: str = "Vic") -> list[str]:
        with people.runtime.work() as work:
            return [sample.facts.name for sample in service.left_out(work, people[who], plan, reason)]

    assert names(LeftOut.CLOSED) == ["Fechada"]
    assert names(LeftOut.MISSING_VARIABLE) == ["Sem bairro"]
    assert names(LeftOut.REPEATED) == ["A mesma"]
    assert names(LeftOut.NO_PHONE) == names(LeftOut.CLOSED, "Carlos") == []


LEADS = sql("""
insert into leads (team_id, place_key, name, name_folded, words, phone, phone_type, phone_hash, source)
select :team_id, 'name:' || n, 'Loja ' || n, 'loja ' || n, 'loja ' || n, '+55119' || 80000000 + n, 'mobile',
    sha256(cast(cast(n as text) as bytea)), 'file'
from generate_series(1, :n) n
""")


def test_thousands_that_have_come_a_moment_ago_are_judged_at_once(people: People) -> None:
    """Their table has not been counted yet: PostgreSQL takes them for a few."""
    connect_number(people)
    n, receive = 2_000, 1_400
    with people.runtime.work() as work:
        work.session.execute(LEADS, {"team_id": people.team_id, "n": n})
    assert start(people, write_draft(people)) == n
    with people.runtime.work() as work:
        work.session.execute(sql("delete from campaign_leads where lead_id % 10 < 7"))
    plan = plan_of(people, write_draft(people, name="Outra"))
    with people.runtime.work() as work:
        work.session.execute(sql("set local statement_timeout = '15s'"))
        found = service.audience_of(work, people["Bea"], plan)
        assert (found.recipients, dict(found.left_out)) == (receive, {LeftOut.IN_ANOTHER_CAMPAIGN: n - receive})
        assert len(service.previews(work, people["Bea"], plan)) > 1
        assert len(service.left_out(work, people["Bea"], plan, LeftOut.IN_ANOTHER_CAMPAIGN)) > 1
        assert work.session.scalars(sql("select current_setting('enable_nestloop')")).one() == "on"


def test_a_stranger_judges_only_leads_of_their_own(people: People) -> None:
    keep_lead(people, 1)
    plan = plan_of(people, write_draft(people))
    with people.runtime.work() as work:
        assert service.audience_of(work, people["Carlos"], plan).matched == 0
        assert service.previews(work, people["Carlos"], plan) == []


def test_where_they_are_is_counted_as_the_queue_will_have_it(people: People) -> None:
    connect_number(people)
    told: list[dict[str, str | None]] = [
        {"phone": "+5511900000001", "state": "SP"},
        {"phone": "+5511900000002", "state": "São Paulo", "timezone": "America/Sao_Paulo"},
        {"phone": "+5592900000003"},
        {"phone": "+5511900000004", "timezone": "America/Noronha", "state": "a 'state' | \" of \x1f none"},
        {"phone": "+12015550123"},
        {"phone": "+351912345678"},
        {"phone": None},
    ]
    for n, each in enumerate(told):
        keep_lead(people, n, **each)
    keep_lead(people, 8, phone="+5592900000003")
    found = judge(people, local_time=True).places
    assert found == {
        "America/Sao_Paulo|SP": 2,
        "America/Manaus|AM": 1,
        "America/Noronha|SP": 1,
        "America/New_York|NJ": 1,
        "America/Sao_Paulo|": 1,
    }
    campaign_id = write_draft(people, local_time=True)
    start(people, campaign_id)
    assert found == Counter(row.place for row in recipients(people, campaign_id))
    with people.runtime.work() as work:
        [waits] = queries.queued_by_place(work.session, people.team_id, campaign_id).values()
    assert {place: each.n for place, each in waits.items()} == found
    assert judge(people).places == {}, "where it does not matter nobody asks"
