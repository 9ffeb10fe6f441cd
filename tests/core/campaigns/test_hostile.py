"""What somebody tries who means no good, or types fast: each is refused in words, or changes nothing."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from core.campaigns import changing, ending, media, service, starting, templates, trying
from core.campaigns.judging import judged_leads
from core.campaigns.rules import Audience, CampaignId, CampaignStatus, FollowUp, Variant, check_start
from core.campaigns.text import render, values_of, with_opt_out_line
from core.campaigns.windows import local_moment
from core.errors import BadInput, BadInputs, NotFound, StateChanged
from core.leads import tags
from core.leads.rules import LeadFilter
from core.sending import service as deciding
from core.sending.service import Decision
from core.tables import MessageTemplate
from tests.core.campaigns.access_cases import a_plan
from tests.core.campaigns.making import (
    build,
    campaign,
    connect_number,
    keep_lead,
    mark,
    plan_of,
    recipients,
    set_campaign,
    start,
    version_of,
    write_draft,
)
from tests.core.campaigns.test_media import PNG
from tests.people import People

NAN = float("nan")


def ready(people: People, **changes: Any) -> CampaignId:
    connect_number(people)
    keep_lead(people, 1)
    return write_draft(people, **changes)


def save(people: People, campaign_id: CampaignId, **changes: Any) -> None:
    with people.runtime.work() as work:
        found = service.draft(work, people["Ana"], campaign_id)
        service.save_draft(work, people["Ana"], campaign_id, found.version, replace(found.plan, **changes))


# ---------------------------------------------------------------- what is typed


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "\u200b\u202e\ufeff"},
        {"name": "\u3164"},
        {"opt_out_line": "\u200b"},
        {"opt_out_line": "."},
        {"opt_out_line": "Até logo!"},
        {"gap_min_s": NAN, "gap_max_s": NAN},
        {"gap_max_s": NAN},
        {"per_day": NAN},
        {"per_day": 0},
        {"per_day": 10**18},
        {"weight": 0},
        {"other_variants": tuple(Variant("x") for _ in range(1000))},
        {"follow_up": FollowUp("x", 10**6)},
        {"follow_up": FollowUp("x", 0)},
        {"gap_min_s": 0},
        {"gap_max_s": 10**18},
        {"window_start_min": 0, "window_end_min": 0},
        {"window_start_min": NAN},
        {"weekdays": ()},
        {"weekdays": (0,)},
        {"repeat_after_days": -1},
        {"repeat_after_days": float("inf")},
        {"timezone": "../../etc/passwd"},
        {"timezone": "a\0b"},
    ],
)
def test_what_cannot_be_kept_is_told_by_its_field(people: People, changes: dict[str, Any]) -> None:
    draft = write_draft(people)
    with pytest.raises(BadInputs):
        save(people, draft, **changes)


def test_a_text_of_which_nothing_is_seen_is_none(people: People) -> None:
    """It would be the way out alone."""
    draft = ready(people, text="\u200b\u2800\n\u3164")
    with people.runtime.work() as work, pytest.raises(BadInput) as told:
        service.start(work, people["Bea"], draft, version_of(people, draft))
    assert told.value.key == "text_empty"


@pytest.mark.parametrize("said", ["a\0b", "\ud800", "x" * 20_001, "a" + "\u0301" * 40])
def test_a_template_takes_no_text_that_a_draft_would_not(people: People, said: str) -> None:
    plan = a_plan(people)
    for bad in (replace(plan, text=said), replace(plan, follow_up=FollowUp(said))):
        with people.runtime.work() as work, pytest.raises(BadInput) as told:
            templates.save_template(work, people["Bea"], name="X", plan=bad)
        assert told.value.field == "template"
    with people.runtime.work() as work:
        assert work.session.query(MessageTemplate).count() == 0


@pytest.mark.parametrize("name", ["Clínica Ôca", None])
def test_a_text_of_thousands_of_gaps_is_measured_by_as_short_a_question(people: People, name: str | None) -> None:
    """A term for each took two seconds at every key."""
    lead = keep_lead(people, 2, "Clínica Ôca", neighbourhood=name)
    said = "{bairro|aqui}{empresa}{nota}, {bairro|cá} {meu_nome|eu}{bairro|}"
    plan = replace(a_plan(people), audience=LeadFilter(ids=(lead,)))
    for times in (1, 300):
        plan = replace(plan, text=said * times)
        with people.runtime.work() as work:
            assert len(str(judged_leads(people.team_id, plan, work.now, None).select())) < 20_000
            [one] = service.previews(work, people["Bea"], plan)
            found = service.audience_of(work, people["Bea"], plan)
        assert found.longest == len(with_opt_out_line(render(plan.text, values_of(one.facts)), plan.opt_out_line))


def packed(n: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for each in range(n):
            made.writestr(zipfile.ZipInfo(f"{each}"), b"")
        made.writestr("word/document.xml", b"<w/>")
    return out.getvalue()


def test_a_packed_file_with_a_list_of_thousands_is_not_read(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred thousand parts are two seconds in which no page answers."""
    assert media.what_is(packed(200))[0] == media.DOCX
    large, huge = packed(6_000), packed(70_000)  # the second is written in the way of large ones
    assert media.END_OF_LARGE in huge[-100:]
    monkeypatch.setattr(zipfile, "ZipFile", None)
    for content in (large, huge, b"PK\x03\x04" + b"\0" * 50):
        with people.runtime.work() as work, pytest.raises(BadInput) as told:
            media.keep(work, people["Bea"], name="x.docx", content=content)
        assert told.value.key == "media_unknown"


@pytest.mark.parametrize("zone", ["America/Sao_Paulo", "Asia/Tokyo", "Pacific/Kiritimati"])
@pytest.mark.parametrize("minute", [0, 1440])
def test_no_year_is_too_early_or_too_late_to_be_told_so(zone: str, minute: int) -> None:
    now = datetime.now(UTC)
    for day, key in ((date.min, "moment_is_past"), (date(1970, 1, 1), "moment_is_past"), (date.max, "moment_too_far")):
        with pytest.raises(BadInput) as told:
            check_start(local_moment(zone, day, minute)[0], now)
        assert told.value.key == key


# ---------------------------------------------------------------- two at once


def test_what_was_edited_while_it_was_looked_at_is_not_scheduled(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has seen the new text beside its checks."""
    draft = ready(people)
    looked_at = version_of(people, draft)
    look = starting.refuse_unready

    def slow_look(*asked: Any) -> Any:
        found = look(*asked)
        save(people, draft, text="{empresa}, compre já!")
        return found

    monkeypatch.setattr(starting, "refuse_unready", slow_look)
    with pytest.raises(StateChanged) as told, people.runtime.work() as work:
        service.schedule(work, people["Bea"], draft, looked_at, work.now + timedelta(days=1))
    assert told.value.now == "edited"
    assert campaign(people, draft).status is CampaignStatus.DRAFT


def test_a_start_taken_back_leaves_a_draft_like_any_other(people: People) -> None:
    draft = ready(people)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], draft, version_of(people, draft))
    with people.runtime.work() as work:
        service.unschedule(work, people["Ana"], draft)
    assert (campaign(people, draft).status, campaign(people, draft).started_at) == (CampaignStatus.DRAFT, None)


def all_failed(people: People) -> CampaignId:
    running = ready(people)
    start(people, running)
    mark(people, recipients(people, running)[0].id, status="failed", reason="content_refused")
    return running


def test_a_campaign_does_not_end_under_who_is_tried_again(people: People) -> None:
    running = all_failed(people)
    with people.runtime.work() as work:
        assert deciding.retry_failed(work, people["Bea"], running) == 1
        with people.runtime.work() as other:
            assert ending.finish_done(other) == [], "its row is held by who queues again"
    with people.runtime.work() as work:
        assert ending.finish_done(work) == []
    assert campaign(people, running).status is CampaignStatus.RUNNING


@pytest.mark.parametrize("ended", [CampaignStatus.FINISHED, CampaignStatus.CANCELLED])
@pytest.mark.parametrize("what", ["retry", "again"])
def test_nobody_is_queued_in_a_campaign_that_has_just_ended(
    people: People, monkeypatch: pytest.MonkeyPatch, what: str, ended: CampaignStatus
) -> None:
    """It ends between our look at it and our change."""
    running = all_failed(people)
    if what == "again":
        mark(people, recipients(people, running)[0].id, status="held", reason=None)
    name = "campaign_status" if what == "retry" else "held_of"
    look = getattr(deciding.queries, name)

    def slow_look(*asked: Any) -> Any:
        found = look(*asked)
        set_campaign(people, running, status=ended, ended_at=campaign(people, running).started_at)
        return found

    monkeypatch.setattr(deciding.queries, name, slow_look)
    with pytest.raises(StateChanged) as told, people.runtime.work() as work:
        if what == "retry":
            deciding.retry_failed(work, people["Bea"], running)
        else:
            deciding.decide_all_held(work, people["Bea"], running, Decision.AGAIN)
    assert told.value.now == ended
    assert recipients(people, running)[0].status == ("failed" if what == "retry" else "held")


@pytest.mark.parametrize("verb", [service.cancel, service.unschedule])
@pytest.mark.parametrize("receives", [True, False])
def test_who_stops_it_while_its_queue_is_built_does_not_wait_and_nobody_is_in_it(
    people: People, monkeypatch: pytest.MonkeyPatch, verb: Callable[..., Any], receives: bool
) -> None:
    """Of 300,000 it takes half a minute."""
    draft = ready(people)
    with people.runtime.work() as work:
        service.start(work, people["Bea"], draft, version_of(people, draft))
    fill = starting.build_recipients

    def slow_fill(*asked: Any, **more: Any) -> int:
        done = fill(*asked, **more)
        with people.runtime.work() as work:
            assert starting.build(work, draft) is None, "in other hands"
        with people.runtime.work() as work:
            work.session.execute(text("set local lock_timeout = '2s'"))
            verb(work, people["Ana"], draft)
        return done if receives else 0

    monkeypatch.setattr(starting, "build_recipients", slow_fill)
    assert not build(people, draft)
    found = campaign(people, draft)
    assert found.status is (CampaignStatus.CANCELLED if verb is service.cancel else CampaignStatus.DRAFT)
    assert (found.total, found.pause_reason, recipients(people, draft)) == (0, None, [])


# ---------------------------------------------------------------- what is another team's


def test_a_plan_names_nothing_of_another_team(people: People) -> None:
    """Neither a number nor a file is kept, nor said to be there; and their leads are nobody."""
    draft, theirs = ready(people), people.other_team_id
    number = connect_number(people, "Deles", team=theirs)
    lead = keep_lead(people, 9, "Deles", team=theirs)
    with people.runtime.work() as work:
        file = media.keep(work, people["Carlos"], name="deles.png", content=PNG).id
        tags.put_on(work, people["Carlos"], "Deles", LeadFilter(ids=(lead,)))
        [tag] = tags.list_tags(work, people["Carlos"])
        template = templates.save_template(work, people["Carlos"], name="Deles", plan=plan_of(people, draft))
    for changes in (
        {"instance_ids": (number,)},
        {"media_id": file},
        {"other_variants": (Variant("Oi", media_id=file),)},
        {"follow_up": FollowUp("Viu?", media_id=file)},
    ):
        with pytest.raises(NotFound):
            save(people, draft, **changes)
        asked = replace(plan_of(people, draft), **changes)
        with people.runtime.work() as work:
            assert media.cards(work, people["Vic"], [file]) == {}
            seen = service.outlook(work, people["Vic"], asked, Audience(1, 1))
            assert all(each.name != "Deles" for each in seen.numbers)
            assert all(each.number != "Deles" for each in trying.dry_run(work, people["Vic"], asked))
    with pytest.raises(NotFound), people.runtime.work() as work:
        templates.save_template(work, people["Bea"], name="X", plan=replace(plan_of(people, draft), media_id=file))
    with pytest.raises(NotFound), people.runtime.work() as work:
        templates.apply_template(work, people["Bea"], template, plan_of(people, draft))
    for which in (LeadFilter(ids=(lead,)), LeadFilter(tags=(int(tag.id),))):
        save(people, draft, audience=which)
        with people.runtime.work() as work:
            assert service.audience_of(work, people["Vic"], plan_of(people, draft)).matched == 0
            assert service.previews(work, people["Vic"], plan_of(people, draft)) == []
        assert start(people, draft) == 0
    running = write_draft(people)
    start(people, running)
    with pytest.raises(NotFound), people.runtime.work() as work:
        changing.change_numbers(work, people["Bea"], running, version_of(people, running), [number])
    with pytest.raises(NotFound), people.runtime.work() as work:
        changing.skip_waiting_of(work, people["Bea"], running, number)
