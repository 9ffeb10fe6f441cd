"""The last look before a start: what a person should know, what stands in the way, and the remedy of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from core.campaigns.checks import checks, odd_about
from core.campaigns.forecast import foresee
from core.campaigns.rules import (
    REAL_GAP_S,
    Audience,
    Check,
    FollowUp,
    Level,
    NumberChoice,
    Plan,
    Variant,
    blocks_start,
    shortest_gap_s,
)
from core.campaigns.text import OPT_OUT_LINES
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.rules import LeadFilter
from core.settings import Settings
from tests.core.campaigns.planning import BLOCKED, MANY, MONDAY, NUMBER, PLAN, SENDER


def keys(found: list[Check], level: Level | None = None) -> set[str]:
    return {check.key for check in found if level in (None, check.level)}


def look(
    plan: Plan = PLAN, audience: Audience = MANY, number: NumberChoice | None = NUMBER, *, is_simulated: bool = False
) -> list[Check]:
    ending = foresee(plan, [(SENDER, audience.recipients or 1)], window=plan.window("BR"), now=MONDAY)
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
            replace(PLAN, text="{empresa} fica em {bairro} no mapa? Ana"),
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


# ---------------------------------------------------------------- several texts, several numbers

OTHER = replace(NUMBER, id=InstanceId(2), name="Comercial 2")
TWO = replace(PLAN, instance_ids=(NUMBER.id, OTHER.id), number_weights=(3, 1))
AB = replace(PLAN, other_variants=(Variant("Olá {empresa}, vi vocês no Google. Ana"),))


def told(found: list[Check], key: str) -> Check:
    [check] = [check for check in found if check.key == key]
    return check


@pytest.mark.parametrize(("text", "key"), [(" ", "text_empty"), ("Oi {nom}", "gap_unknown_near"), ("}", "brace_close")])
def test_which_of_the_variants_cannot_be_read_is_said(text: str, key: str) -> None:
    found = blocks_start(look(replace(AB, other_variants=(*AB.other_variants, Variant(text)))))
    assert [(check.key, check.values["where"]) for check in found] == [(key, "C")]
    found = blocks_start(look(replace(PLAN, follow_up=FollowUp(text))))
    assert [(check.key, check.values["where"]) for check in found] == [(key, "again")]


def test_a_follow_up_is_measured_for_itself_and_a_caption_holds_less_than_a_text() -> None:
    again = replace(PLAN, follow_up=FollowUp("Oi de novo!"))
    assert told(look(again), "said_again").values == {"days": 3}
    long = replace(MANY, longest_again=4097)
    assert [(c.key, c.values["where"]) for c in blocks_start(look(again, long))] == [("message_too_long", "again")]
    with_file = replace(PLAN, media_id=7)
    assert blocks_start(look(with_file, replace(MANY, longest=1024, longest_caption=1024))) == []
    found = blocks_start(look(with_file, replace(MANY, longest=1025, longest_caption=1025)))
    assert [check.key for check in found] == ["caption_too_long"]
    pictured = replace(PLAN, follow_up=FollowUp("Oi!", media_id=7))
    assert [c.key for c in blocks_start(look(pictured, replace(MANY, longest_again=1025)))] == ["caption_too_long"]


def test_a_first_message_says_where_the_contact_is_from_or_is_given_a_sentence_that_does() -> None:
    silent = replace(PLAN, text="Oi, {empresa}! Aqui é {meu_nome}.", other_variants=(AB.other_variants[0],))
    found = told(look(silent), "source_unsaid")
    assert (found.level, found.values) == (Level.WARN, {"where": "A"})
    mended = replace(silent, **found.fix)
    assert mended.text == "Oi, {empresa}! Aqui é {meu_nome}. Encontrei o contato de vocês no mapa."
    assert mended.other_variants == silent.other_variants, "the one that says so stays as it was"
    assert "source_unsaid" not in keys(look(mended))
    english = replace(silent, opt_out_line=OPT_OUT_LINES["en"], other_variants=())
    assert told(look(english), "source_unsaid").fix["text"].endswith("I found your contact on the map.")
    of_file = replace(silent, audience=LeadFilter(import_id=3))
    assert told(look(of_file), "source_unsaid").fix == {}, "only they know where their list is from"


@pytest.mark.parametrize("text", ["vi vocês no Google", "Peguei no MAPA:", "seu site", "por indicação da Bia", "Mapas"])
def test_the_words_for_a_source_are_found_however_they_are_written(text: str) -> None:
    assert "source_unsaid" not in keys(look(replace(PLAN, text=f"Ana aqui, {text}")))


def test_a_word_that_only_holds_one_is_none() -> None:
    assert "source_unsaid" in keys(look(replace(PLAN, text="Ana aqui, sobre a sitemática")))


@pytest.mark.parametrize(
    ("away", "key"),
    [
        (replace(BLOCKED, id=OTHER.id), "number_blocked"),
        (replace(OTHER, status=InstanceStatus.DISCONNECTED), "number_not_connected"),
        (replace(OTHER, is_paused=True), "number_paused"),
    ],
)
def test_a_number_in_trouble_can_be_left_out_while_another_remains(away: NumberChoice, key: str) -> None:
    def look_at(plan: Plan, *numbers: NumberChoice) -> list[Check]:
        return checks(plan, MANY, numbers, None, limit=4096, is_simulated=False)

    found = look_at(TWO, NUMBER, away)
    assert told(found, key).fix == {"instance_ids": (NUMBER.id,), "number_weights": (3,)}
    assert told(found, "some_wait").values == {"n": 15, "of": 30}
    alone = look_at(replace(PLAN, instance_ids=(away.id,)), away)
    assert told(alone, key).fix == {}
    assert "some_wait" not in keys(alone)


def test_more_than_all_numbers_bear_together_is_told() -> None:
    plan = replace(TWO, per_day=500)
    found = checks(plan, MANY, [NUMBER, OTHER], None, limit=4096, is_simulated=False)
    assert told(found, "numbers_bear_less").fix == {"per_day": 400}


def test_what_is_not_known_of_the_recipients_is_told() -> None:
    unknown = replace(MANY, unverified=12, nowhere=4, held=2)
    found = look(replace(PLAN, local_time=True), unknown)
    assert told(found, "not_verified").values == {"n": 12}
    assert told(found, "zone_unknown").values == {"n": 4}
    assert told(found, "held_for_you").level is Level.OK
    assert "zone_unknown" not in keys(look(PLAN, unknown))
