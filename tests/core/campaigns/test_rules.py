"""What can be kept of a plan, and what a campaign is doing now: decisions over plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.campaigns.rules import (
    MAY_FOLLOW,
    CampaignStatus,
    check_start,
    checked,
    may_become,
    minutes,
)
from core.errors import BadInput, BadInputs
from tests.core.campaigns.planning import MONDAY, PLAN, here

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


# ---------------------------------------------------------------- its life


def test_no_way_leads_out_of_an_end_and_only_a_running_one_can_finish() -> None:
    assert MAY_FOLLOW[CampaignStatus.FINISHED] == MAY_FOLLOW[CampaignStatus.CANCELLED] == set()
    assert may_become(CampaignStatus.FINISHED) == [CampaignStatus.RUNNING]
    assert may_become(CampaignStatus.DRAFT) == [CampaignStatus.SCHEDULED, CampaignStatus.STARTING]
    assert may_become(CampaignStatus.RUNNING) == [CampaignStatus.STARTING, CampaignStatus.PAUSED]
