"""When it will be done, what to know before it starts, and what it is doing now: decisions over plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.campaigns.rules import (
    MAY_FOLLOW,
    REAL_GAP_S,
    Audience,
    CampaignStatus,
    Check,
    Estimate,
    LeftOut,
    Level,
    NumberChoice,
    Plan,
    Point,
    Rhythm,
    Sender,
    Standing,
    blocks_start,
    check_start,
    checked,
    checks,
    estimate,
    gap_between,
    may_become,
    minutes,
    odd_about,
    shortest_gap_s,
    standing,
)
from core.campaigns.windows import Window, is_open, local_day
from core.errors import BadInput, BadInputs
from core.instances.halts import Halt, HaltReason
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.rules import LeadFilter
from core.settings import Settings

ZONE = "America/Sao_Paulo"
PLAN = Plan(
    name="Clínicas",
    audience=LeadFilter(),
    text="Oi, {empresa}! Aqui é {meu_nome}.",
    opt_out_line="Se preferir não receber, responda SAIR.",
    sender_name="Ana",
    instance_ids=(InstanceId(1),),
    timezone=ZONE,
    weekdays=(1, 2, 3, 4, 5),
    gap_min_s=60,
    gap_max_s=60,
    per_day=100,
)
SENDER = Sender(per_day=200, free_today=200, gap_min_s=1, gap_max_s=1)
NUMBER = NumberChoice(
    InstanceId(1), "Comercial 1", "+5511900001001", InstanceStatus.CONNECTED, False, 200, 200, 45, 120
)
BLOCKED = replace(NUMBER, status=InstanceStatus.DISCONNECTED, halt=Halt(HaltReason.BLOCKED, datetime(2026, 11, 23)))
MANY = Audience(matched=40, recipients=30, left_out={LeftOut.NO_PHONE: 10}, longest=200)


def here(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


MONDAY = here(2026, 11, 23, 9, 0)


def ahead(plan: Plan = PLAN, left: int = 1, now: datetime = MONDAY, sender: Sender = SENDER, sent_today: int = 0):
    return estimate(plan, sender, window=plan.window("BR"), left=left, now=now, sent_today=sent_today)


def keys(found: list[Check], level: Level | None = None) -> set[str]:
    return {check.key for check in found if level in (None, check.level)}


# ---------------------------------------------------------------- when it will be done


def test_one_message_goes_at_once_and_is_the_end() -> None:
    assert ahead().finish_at == MONDAY
    assert ahead().days == 1


def test_messages_follow_one_another_by_the_average_gap() -> None:
    slow = replace(PLAN, gap_min_s=30, gap_max_s=90)
    assert ahead(slow, left=11).finish_at == MONDAY + timedelta(minutes=10)


def test_the_slower_of_campaign_and_number_sets_the_gap() -> None:
    assert gap_between((10, 20), (45, 120)) == (45, 120)
    assert gap_between((60, 90), (45, 70)) == (60, 90)
    assert gap_between((100, 110), (45, 50)) == (100, 110)


def test_what_does_not_fit_today_goes_on_at_the_next_opening() -> None:
    outlook = ahead(left=102, now=here(2026, 11, 27, 17, 59))  # a Friday, one minute before the end
    assert outlook.first_at == here(2026, 11, 27, 17, 59)
    assert outlook.finish_at == here(2026, 12, 1, 9, 0)  # 1 on Friday, 100 on Monday, 1 on Tuesday
    assert outlook.days == 3


def test_the_cap_of_the_day_holds_and_counts_what_was_sent_today() -> None:
    outlook = ahead(left=10, sent_today=95)
    assert outlook.points[1].sent == 5
    assert outlook.finish_at == here(2026, 11, 24, 9, 4)


def test_the_number_bears_less_than_the_campaign_asks() -> None:
    tired = Sender(per_day=20, free_today=3, gap_min_s=1, gap_max_s=1)
    outlook = ahead(left=24, sender=tired)
    assert [point.sent for point in outlook.points] == [0, 3, 3, 23, 23, 24]


def test_long_pauses_are_part_of_the_time_it_takes() -> None:
    rests = replace(SENDER, rest_after=20, rest_s=600)
    assert ahead(left=20, sender=rests).finish_at == MONDAY + timedelta(minutes=19)
    assert ahead(left=21, sender=rests).finish_at == MONDAY + timedelta(minutes=29)
    assert ahead(left=21, sender=replace(rests, rest_s=30)).finish_at == MONDAY + timedelta(minutes=20)
    evening = ahead(left=40, now=here(2026, 11, 23, 17, 31), sender=rests)  # 19 + 10 minutes are no 29
    assert [point.sent for point in evening.points] == [0, 20, 20, 40]


@given(st.integers(1, 300), st.integers(0, 40), st.integers(0, 900), st.integers(0, 20_000))
def test_as_many_fit_as_their_time_is_shorter(gap_s: int, after: int, rest_s: int, length_s: int) -> None:
    rhythm = Rhythm(timedelta(seconds=gap_s), after, timedelta(seconds=rest_s))
    length = timedelta(seconds=length_s)
    n = rhythm.fits(length)
    assert n == 0 or rhythm.takes(n) < length
    assert rhythm.takes(n + 1) >= length


def test_a_number_that_warms_up_is_reckoned_with_as_it_is_today() -> None:
    young = replace(NUMBER, cap=20, free_today=20)
    assert (young.cap_today, young.as_sender().per_day) == (20, 20)
    assert replace(NUMBER, cap=500).cap_today == 200


def test_a_start_to_come_and_the_next_slot_of_the_number_are_waited_for() -> None:
    tomorrow = here(2026, 11, 24, 10, 0)
    assert ahead(replace(PLAN, starts_at=tomorrow)).finish_at == tomorrow
    soon = MONDAY + timedelta(minutes=7)
    assert ahead(sender=replace(SENDER, next_send_at=soon)).first_at == soon


@pytest.mark.parametrize(
    ("hours", "sent"), [(-1, 0), (0, 0), (1, 50), (2, 100), (10, 100), (25, 125), (26, 150), (99, 150)]
)
def test_the_line_rises_while_messages_go_and_is_flat_in_between(hours: int, sent: int) -> None:
    rises = ((0, 0), (2, 100), (24, 100), (26, 150))
    points = tuple(Point(MONDAY + timedelta(hours=after), n) for after, n in rises)
    line = Estimate(MONDAY, points[-1].at, 2, points)
    assert line.sent_by(MONDAY + timedelta(hours=hours)) == sent


def test_nothing_left_has_no_end() -> None:
    assert ahead(left=0).finish_at is None


def test_what_would_take_years_says_so_instead_of_counting_them() -> None:
    outlook = ahead(replace(PLAN, per_day=1), left=100_000)
    assert outlook.first_at == MONDAY
    assert outlook.finish_at is None


@settings(max_examples=60, deadline=None)
@given(
    left=st.integers(1, 3000),
    per_day=st.integers(1, 400),
    gap=st.integers(1, 7200),
    start=st.integers(0, 1380),
    length=st.integers(1, 60),
    hour=st.integers(0, 400),
)
def test_no_message_is_foreseen_outside_the_hours_or_over_the_cap(
    left: int, per_day: int, gap: int, start: int, length: int, hour: int
) -> None:
    plan = replace(
        PLAN,
        per_day=per_day,
        gap_min_s=gap,
        gap_max_s=gap,
        window_start_min=start,
        window_end_min=min(1440, start + length),
    )
    window = plan.window("BR")
    outlook = ahead(plan, left=left, now=MONDAY + timedelta(hours=hour))
    assert all(is_open(window, point.at) for point in outlook.points)
    assert [point.sent for point in outlook.points] == sorted(point.sent for point in outlook.points)
    per: dict = {}
    for before, after in zip(outlook.points[::2], outlook.points[1::2], strict=True):
        day = local_day(window, after.at)
        per[day] = per.get(day, 0) + after.sent - before.sent
    assert all(n <= per_day for n in per.values())
    if outlook.finish_at:
        assert outlook.points[-1].sent == left
        assert outlook.days == len(per)


# ---------------------------------------------------------------- what can be kept


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": "  "}),
        ("name", {"name": "x" * 121}),
        ("text", {"text": "a\0b"}),
        ("opt_out_line", {"opt_out_line": ""}),
        ("timezone", {"timezone": "Mars/Phobos"}),
        ("window", {"window_start_min": 600, "window_end_min": 600}),
        ("weekdays", {"weekdays": ()}),
        ("gap_min_s", {"gap_min_s": 19}),
        ("gap_min_s", {"gap_min_s": 0}),
        ("gap_max_s", {"gap_max_s": 59}),
        ("gap_max_s", {"gap_max_s": 86_401}),
        ("per_day", {"per_day": 0}),
        ("per_day", {"per_day": -1}),
        ("per_day", {"per_day": 10**9}),
        ("repeat_after_days", {"repeat_after_days": -1}),
        ("repeat_after_days", {"repeat_after_days": 10_000}),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_field(field: str, change: dict) -> None:
    with pytest.raises(BadInputs) as refused:
        checked(replace(PLAN, **change), min_gap_s=20)
    assert [wrong.field for wrong in refused.value.inputs] == [field]


def test_every_wrong_field_is_told_at_once() -> None:
    with pytest.raises(BadInputs) as refused:
        checked(replace(PLAN, name="", per_day=0, timezone=""), min_gap_s=20)
    assert [wrong.field for wrong in refused.value.inputs] == ["name", "timezone", "per_day"]


def test_a_draft_may_be_incomplete_and_its_braces_may_be_wrong() -> None:
    plan = checked(replace(PLAN, text="Oi {empr", instance_ids=()), min_gap_s=20)
    assert plan.text == "Oi {empr"


def test_texts_are_kept_in_one_form_and_days_in_order() -> None:
    plan = checked(replace(PLAN, name="  Clínicas   SP ", text="a\r\nb  ", weekdays=(5, 1, 1)), min_gap_s=20)
    assert (plan.name, plan.text, plan.weekdays) == ("Clínicas SP", "a\nb", (1, 5))


@pytest.mark.parametrize(
    ("moment", "key"),
    [
        (MONDAY, "moment_is_past"),
        (MONDAY - timedelta(minutes=1), "moment_is_past"),
        (here(1970, 1, 1), "moment_is_past"),
        (here(2031, 11, 23), "moment_too_far"),
    ],
)
def test_a_start_that_is_gone_or_years_away_is_refused(moment: datetime, key: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_start(moment, MONDAY)
    assert refused.value.key == key


@pytest.mark.parametrize(("text", "value"), [("9:05", 545), ("09:05", 545), ("00:00", 0), ("24:00", 1440)])
def test_a_time_of_day_is_read(text: str, value: int) -> None:
    assert minutes(text) == value


@pytest.mark.parametrize(
    "text", ["", "9", "7pm", "19h30", "25:00", "-1:00", "9:5", "23:60", "24:01", "٠٩:٠٠", "9:05:01"]
)
def test_a_time_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        minutes(text)


# ---------------------------------------------------------------- the last look


def look(
    plan: Plan = PLAN, audience: Audience = MANY, number: NumberChoice | None = NUMBER, *, is_simulated: bool = False
) -> list[Check]:
    ending = ahead(plan, audience.recipients or 1)
    return checks(plan, audience, [number] if number else [], ending, limit=4096, is_simulated=is_simulated)


def test_a_campaign_in_order_has_nothing_in_its_way_and_nothing_to_warn_of() -> None:
    assert keys(look(), Level.MUST) == set()
    assert keys(look(), Level.WARN) == set()


@pytest.mark.parametrize(
    ("plan", "audience", "number", "key"),
    [
        (PLAN, Audience(40, 0), NUMBER, "nobody"),
        (replace(PLAN, text="  "), MANY, NUMBER, "text_empty"),
        (replace(PLAN, text="Oi {nom}"), MANY, NUMBER, "gap_unknown_near"),
        (replace(PLAN, text="Oi {"), MANY, NUMBER, "brace_open"),
        (replace(PLAN, sender_name=""), MANY, NUMBER, "sender_name_missing"),
        (PLAN, replace(MANY, longest=4097), NUMBER, "message_too_long"),
        (PLAN, MANY, None, "no_number"),
        (PLAN, MANY, replace(NUMBER, status=InstanceStatus.REMOVED), "number_removed"),
    ],
)
def test_what_stands_in_the_way_is_named(plan: Plan, audience: Audience, number: NumberChoice | None, key: str) -> None:
    assert [check.key for check in blocks_start(look(plan, audience, number))] == [key]


@pytest.mark.parametrize(
    ("plan", "audience", "number", "key", "fix"),
    [
        (replace(PLAN, repeat_after_days=0), MANY, NUMBER, "repeats_at_once", {"repeat_after_days": 30}),
        (
            replace(PLAN, include_landlines=True),
            replace(MANY, landlines=3),
            NUMBER,
            "landlines",
            {"include_landlines": False},
        ),
        (replace(PLAN, per_day=300), MANY, NUMBER, "number_bears_less", {"per_day": 200}),
        (PLAN, MANY, replace(NUMBER, status=InstanceStatus.DISCONNECTED), "number_not_connected", {}),
        (PLAN, MANY, replace(NUMBER, is_paused=True), "number_paused", {}),
        (PLAN, MANY, replace(BLOCKED, is_paused=True), "number_blocked", {}),
        (PLAN, MANY, replace(NUMBER, other_campaigns=1), "number_shared", {}),
        (
            replace(PLAN, text="{empresa} fica em {bairro}? Ana"),
            replace(MANY, missing={"neighbourhood": 6, "company": 0}),
            NUMBER,
            "lead_without",
            {},
        ),
        (replace(PLAN, text="Oi {empresa}", sender_name="Bia"), MANY, NUMBER, "nobody_signs", {}),
        (replace(PLAN, text="https://exemplo.test", sender_name=""), MANY, NUMBER, "only_a_link", {}),
        (
            replace(PLAN, window_start_min=540, window_end_min=541, gap_max_s=90),
            MANY,
            NUMBER,
            "window_shorter_than_gap",
            {},
        ),
        (replace(PLAN, per_day=1), replace(MANY, recipients=50), NUMBER, "takes_many_days", {}),
        (replace(PLAN, per_day=1), replace(MANY, recipients=5000), NUMBER, "takes_over_a_year", {}),
        (
            replace(PLAN, window_end_min=1380),
            MANY,
            NUMBER,
            "early_or_late",
            {"window_start_min": 540, "window_end_min": 1080},
        ),
    ],
)
def test_what_a_person_should_know_is_a_warning_and_may_have_a_remedy(
    plan: Plan, audience: Audience, number: NumberChoice, key: str, fix: dict
) -> None:
    found = [check for check in look(plan, audience, number) if check.key == key]
    assert [check.level for check in found] == [Level.WARN]
    assert found[0].fix == fix
    if fix:
        assert key not in keys(look(replace(plan, **fix), replace(audience, landlines=0), number))


def test_pauses_that_no_real_number_would_be_let_are_told_even_where_nothing_leaves() -> None:
    quick, quick_number = replace(PLAN, gap_min_s=5, gap_max_s=9), replace(NUMBER, gap_min_s=5, gap_max_s=9)
    for simulated, key in ((False, "pace_hasty"), (True, "pace_simulated")):
        found = [c for c in look(quick, number=quick_number, is_simulated=simulated) if c.section == "pace"]
        assert [(c.key, c.values) for c in found] == [(key, {"least": 5, "seconds": REAL_GAP_S})]
        assert keys(look(replace(quick, **found[0].fix), number=quick_number), Level.WARN) == set()
    slow_number = replace(NUMBER, gap_min_s=REAL_GAP_S, gap_max_s=90)
    assert keys(look(quick, number=slow_number), Level.WARN) == set(), "the slower of the two is what counts"


def test_what_a_real_number_is_let_is_what_an_installation_has_by_itself() -> None:
    assert shortest_gap_s(Settings.min_gap) == REAL_GAP_S
    assert shortest_gap_s(timedelta(0)) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Oi, tudo bem?", []),
        ("https://exemplo.test", ["only_a_link"]),
        ("Veja bit.ly/x", ["short_link"]),
        ("um " + "https://a.test " * 4, ["many_links"]),
        ("pre\u200bço", ["invisible_characters"]),
    ],
)
def test_what_makes_people_wary_is_named(text: str, found: list[str]) -> None:
    assert odd_about(text) == found


# ---------------------------------------------------------------- its life


def doing(now: datetime, **change) -> tuple[Standing, datetime | None]:
    facts = {"window": PLAN.window("BR"), "can_send": True, "queued": 5, "free_today": 5, **change}
    found = standing(CampaignStatus.RUNNING, now=now, **facts)
    return found.standing, found.until


def test_a_running_campaign_says_what_it_waits_for() -> None:
    evening = here(2026, 11, 27, 19, 0)
    assert doing(MONDAY) == (Standing.SENDING, None)
    assert doing(evening) == (Standing.OUTSIDE_WINDOW, here(2026, 11, 30, 9, 0))
    assert doing(MONDAY, free_today=0) == (Standing.CAP_REACHED, here(2026, 11, 24, 9, 0))
    assert doing(MONDAY, can_send=False) == (Standing.WAITING_FOR_NUMBER, None)
    assert doing(MONDAY, queued=0) == (Standing.WAITING_FOR_PROOF, None)


@pytest.mark.parametrize("status", [status for status in CampaignStatus if status is not CampaignStatus.RUNNING])
def test_one_that_does_not_run_is_just_what_its_state_says(status: CampaignStatus) -> None:
    window = Window("UTC", 0, 1440, range(1, 8))
    found = standing(status, window=window, now=MONDAY, can_send=True, queued=1, free_today=1)
    assert found.standing.value == status.value


def test_no_way_leads_out_of_an_end_and_only_a_running_one_can_finish() -> None:
    assert MAY_FOLLOW[CampaignStatus.FINISHED] == MAY_FOLLOW[CampaignStatus.CANCELLED] == set()
    assert may_become(CampaignStatus.FINISHED) == [CampaignStatus.RUNNING]
    assert may_become(CampaignStatus.DRAFT) == [CampaignStatus.SCHEDULED, CampaignStatus.STARTING]
    assert may_become(CampaignStatus.RUNNING) == [CampaignStatus.STARTING, CampaignStatus.PAUSED]
