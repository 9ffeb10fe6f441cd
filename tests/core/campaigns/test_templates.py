"""Messages kept to be used again."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import delete

from core.campaigns import media, templates
from core.campaigns.rules import FollowUp, Plan, Variant
from core.errors import BadInput, NotFound
from core.tables import MediaFile, MessageTemplate
from tests.core.campaigns.access_cases import a_plan
from tests.core.campaigns.test_media import PNG
from tests.people import People


def two_variants(people: People) -> Plan:
    with people.runtime.work() as work:
        file = media.keep(work, people["Bea"], name="agenda.png", content=PNG)
    return replace(
        a_plan(people),
        text="Oi, {empresa}",
        weight=3,
        media_id=file.id,
        other_variants=(Variant("Olá, {empresa}", 2),),
        follow_up=FollowUp("Conseguiu ver?", 5),
    )


def message_of(plan: Plan) -> object:
    return plan.variants, plan.follow_up


def test_a_template_brings_the_message_and_leaves_all_else(people: People) -> None:
    plan = two_variants(people)
    with people.runtime.work() as work:
        kept = templates.save_template(work, people["Bea"], name=" Clínicas ", plan=plan)
        assert [one.name for one in templates.list_templates(work, people["Vic"])] == ["Clínicas"]
        other = replace(plan, name="Outra", per_day=7, text="", media_id=None, other_variants=(), follow_up=None)
        applied = templates.apply_template(work, people["Ana"], kept, other)
    assert message_of(applied) == message_of(plan)
    assert (applied.name, applied.per_day) == ("Outra", 7)


def test_the_same_name_says_something_else_from_then_on(people: People) -> None:
    plan = two_variants(people)
    with people.runtime.work() as work:
        first = templates.save_template(work, people["Bea"], name="Clínicas", plan=plan)
        again = templates.save_template(work, people["Ana"], name="Clínicas", plan=replace(plan, text="Novo"))
        assert again == first
        assert templates.list_templates(work, people["Bea"])[0].variants[0].text == "Novo"


def test_a_name_that_is_taken_and_a_message_without_words_are_refused(people: People) -> None:
    plan = two_variants(people)
    with people.runtime.work() as work:
        templates.save_template(work, people["Bea"], name="A", plan=plan)
        other = templates.save_template(work, people["Bea"], name="B", plan=plan)
        with pytest.raises(BadInput) as refused:
            templates.rename_template(work, people["Bea"], other, "A")
        assert refused.value.key == "template_is_there"
        templates.rename_template(work, people["Bea"], other, "C")
        with pytest.raises(BadInput) as refused:
            templates.save_template(work, people["Bea"], name="D", plan=replace(plan, text=" ", other_variants=()))
        assert refused.value.key == "template_empty"
        assert [one.name for one in templates.list_templates(work, people["Bea"])] == ["A", "C"]
        templates.delete_template(work, people["Bea"], other)
        assert [one.name for one in templates.list_templates(work, people["Bea"])] == ["A"]


def test_a_file_that_is_gone_is_left_out_and_anothers_is_refused(people: People) -> None:
    plan = two_variants(people)
    with people.runtime.work() as work:
        kept = templates.save_template(work, people["Bea"], name="A", plan=plan)
        theirs = media.keep(work, people["Carlos"], name="x.png", content=PNG)
        with pytest.raises(NotFound):
            templates.save_template(work, people["Bea"], name="B", plan=replace(plan, media_id=theirs.id))
        work.session.execute(delete(MediaFile).where(MediaFile.id == plan.media_id))
        assert templates.apply_template(work, people["Bea"], kept, plan).media_id is None


def test_one_that_cannot_be_read_is_not_listed(people: People) -> None:
    with people.runtime.work() as work:
        broken = MessageTemplate(team_id=people.team_id, name="?", content={"variants": []})
        work.session.add(broken)
        work.session.flush()
        assert templates.list_templates(work, people["Bea"]) == []
        with pytest.raises(NotFound):
            templates.apply_template(work, people["Bea"], templates.TemplateId(broken.id), a_plan(people))
