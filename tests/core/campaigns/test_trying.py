"""The first messages as they would be: text, number and minute, by the arithmetic of the forecast."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from core.campaigns.rules import Rotation, Variant
from core.campaigns.sharing import Shares
from core.campaigns.trying import TriedMessage, dry_run, in_turn
from tests.core.campaigns.making import connect_number, keep_lead, now, plan_of, write_draft
from tests.people import People


def tried(people: People, **changes: object) -> list[TriedMessage]:
    draft = write_draft(people, gap_min_s=60, gap_max_s=60, **changes)
    with people.runtime.work() as work:
        return dry_run(work, people["Vic"], plan_of(people, draft))


def test_the_first_twenty_are_told_with_text_number_and_minute(people: People) -> None:
    number = connect_number(people)
    for n in range(25):
        keep_lead(people, n, f"Clínica {n:02}")
    found = tried(people, instance_ids=(number,))
    assert [each.lead for each in found] == [f"Clínica {n:02}" for n in range(20)]
    assert found[3].text.startswith("Oi, Clínica 03! Aqui é Bea.")
    assert found[3].text.endswith("responda SAIR.")
    assert {each.number for each in found} == {"Comercial 1"}
    moments = [each.at for each in found if each.at is not None]
    assert {after - before for before, after in pairwise(moments)} == {timedelta(minutes=1)}
    assert abs(moments[0] - now(people)) < timedelta(minutes=1)


def test_each_is_told_the_minute_of_their_own_clock_and_of_their_own_door(people: People) -> None:
    number = connect_number(people)
    keep_lead(people, 1, "Em Manaus", phone="+5592900000001")
    keep_lead(people, 2, "Em São Paulo")
    keep_lead(people, 3, "Só à tarde", opening_hours={str(day): [["14:00", "18:00"]] for day in range(1, 8)})
    tomorrow = now(people).astimezone(ZoneInfo("America/Sao_Paulo")).replace(hour=0, minute=0) + timedelta(days=1)
    found = tried(
        people,
        instance_ids=(number,),
        starts_at=tomorrow,
        weekdays=(1, 2, 3, 4, 5, 6, 7),
        window_start_min=9 * 60,
        window_end_min=18 * 60,
        skip_holidays=False,
        local_time=True,
        opening_hours_only=True,
    )
    told = [(each.lead, each.at.astimezone(tomorrow.tzinfo).strftime("%H:%M")) for each in found if each.at]
    assert told == [("Em São Paulo", "09:00"), ("Em Manaus", "10:00"), ("Só à tarde", "14:00")]


def test_what_a_number_may_send_today_and_in_an_hour_is_kept(people: People) -> None:
    number = connect_number(people, per_hour=2, per_day=5)
    for n in range(8):
        keep_lead(people, n)
    found = tried(people, instance_ids=(number,))
    moments = [each.at for each in found if each.at is not None]
    assert all(later - before >= timedelta(hours=1) for before, later in zip(moments, moments[2:], strict=False))
    assert max(Counter(moment.astimezone(ZoneInfo("America/Sao_Paulo")).date() for moment in moments).values()) <= 5
    assert len(moments) == 8


def test_a_number_that_is_done_for_today_writes_tomorrow_all_that_a_day_allows(people: People) -> None:
    today = now(people).astimezone(ZoneInfo("America/Sao_Paulo"))
    number = connect_number(people, per_day=5, sent_on=today.date(), sent_today=5)
    for n in range(5):
        keep_lead(people, n)
    tomorrow = today.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=1)
    for asked in ({}, {"starts_at": tomorrow}):
        found = tried(people, instance_ids=(number,), **asked)
        days = {each.at.astimezone(tomorrow.tzinfo).date() for each in found if each.at is not None}
        assert days == {tomorrow.date()}, asked


def test_variants_and_numbers_take_turns_by_their_shares(people: People) -> None:
    first, second = connect_number(people), connect_number(people, "Comercial 2")
    for n in range(12):
        keep_lead(people, n)
    found = tried(
        people,
        instance_ids=(first, second),
        rotation=Rotation.WEIGHTS,
        number_weights=(3, 1),
        weight=50,
        other_variants=(Variant("Olá!", 50),),
    )
    assert [each.number for each in found].count("Comercial 1") == 9
    assert [each.variant for each in found].count(1) == 6


def test_without_a_number_the_texts_are_told_all_the_same(people: People) -> None:
    keep_lead(people, 1)
    [one] = tried(people, instance_ids=())
    assert (one.number, one.at) == (None, None)
    assert one.text.startswith("Oi, ")


def test_in_order_the_first_fills_before_the_second_begins() -> None:
    assert in_turn(Shares((2, 1), in_blocks=True), 5) == [0, 0, 1, 0, 0]
    assert in_turn(Shares((3, 1)), 4).count(0) == 3
    assert in_turn(Shares((1,)), 3) == [0, 0, 0]
