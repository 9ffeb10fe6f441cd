"""Who receives a campaign, who does not, and why: one answer for every lead of the filter."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.campaigns import service
from core.campaigns.rules import Audience, LeftOut
from core.campaigns.text import render, values_of, with_opt_out_line
from core.leads.rules import LeadFilter, OnWhatsApp, PhoneType
from core.optouts import service as optouts
from tests.core.campaigns.making import connect_number, keep_lead, mark, now, plan_of, recipients, start, write_draft
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
    with people.runtime.work() as work:
        optouts.opt_out(work, people["Ana"], "+5511900000004")
    found = judge(people)
    assert found.matched == 8
    assert found.recipients + sum(found.left_out.values()) == 8
    assert dict(found.left_out) == {
        LeftOut.NO_PHONE: 1,
        LeftOut.CLOSED: 1,
        LeftOut.OPTED_OUT: 1,
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


@pytest.mark.parametrize("blank", [None, "", "   "])
def test_a_lead_for_whom_the_text_would_have_a_hole_is_left_out(people: People, blank: str | None) -> None:
    keep_lead(people, 1, neighbourhood="Pinheiros")
    keep_lead(people, 2, neighbourhood=blank)
    found = judge(people, text="Em {bairro}, {empresa}?")
    assert (found.recipients, found.count(LeftOut.MISSING_VARIABLE)) == (1, 1)
    assert dict(found.missing) == {"neighbourhood": 1, "company": 0}
    assert judge(people, text="Em {bairro|sua região}?").recipients == 2


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


def test_a_stranger_judges_only_leads_of_their_own(people: People) -> None:
    keep_lead(people, 1)
    plan = plan_of(people, write_draft(people))
    with people.runtime.work() as work:
        assert service.audience_of(work, people["Carlos"], plan).matched == 0
        assert service.previews(work, people["Carlos"], plan) == []
