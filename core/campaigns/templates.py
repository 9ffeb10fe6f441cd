"""Messages kept to be used again: the variants with their weights and files, and what is said to who is silent.

Whoever applies one takes its words as they are then: a campaign that began with a template does not change with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NewType

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core import audit
from core.accounts.rules import Actor, Role, clean_name
from core.campaigns import media
from core.campaigns.rules import (
    FOLLOW_UP_DAYS,
    MOST_VARIANTS,
    MOST_WEIGHT,
    TEXT_DRAFT_LIMIT,
    FollowUp,
    Plan,
    Variant,
)
from core.campaigns.text import plain_text
from core.errors import BadInput, NotFound
from core.tables import MessageTemplate
from core.work import Work

TemplateId = NewType("TemplateId", int)
LONGEST_TEMPLATE = 60
MOST_TEMPLATES = 100  # of a team


@dataclass(frozen=True)
class Template:
    id: TemplateId
    name: str
    saved_at: datetime
    variants: tuple[Variant, ...]
    follow_up: FollowUp | None


def save_template(work: Work, actor: Actor, *, name: str, plan: Plan) -> TemplateId:
    """Keeps the message of a plan under a name; one with the same name says this from now on.

    Raises BadInput("template", …), NotFound for a file of another team.
    """
    actor.require(Role.MEMBER)
    kept = clean_name("template", name, max_length=LONGEST_TEMPLATE)
    if not any(variant.text.strip() for variant in plan.variants):
        raise BadInput("template", "template_empty")
    content = _content(work, actor, plan)
    own = MessageTemplate.team_id == actor.team_id
    changed = update(MessageTemplate).where(own, MessageTemplate.name == kept)
    known = work.session.scalar(changed.values(content=content, saved_at=work.now).returning(MessageTemplate.id))
    if known is not None:
        audit.record(work, actor, "template.changed", "template", known, name=kept)
        return TemplateId(known)
    if (work.session.scalar(select(func.count()).select_from(MessageTemplate).where(own)) or 0) >= MOST_TEMPLATES:
        raise BadInput("template", "too_many_templates", n=MOST_TEMPLATES)
    values = {"team_id": actor.team_id, "created_by": actor.user_id, "name": kept, "content": content}
    try:
        with work.session.begin_nested():
            made = work.session.scalars(insert(MessageTemplate).returning(MessageTemplate.id), [values]).one()
    except IntegrityError:
        raise BadInput("template", "template_is_there", name=kept) from None
    audit.record(work, actor, "template.saved", "template", made, name=kept)
    return TemplateId(made)


def list_templates(work: Work, actor: Actor) -> list[Template]:
    """The team's, by name.  One that cannot be read is not among them."""
    actor.require(Role.VIEWER)
    asked = select(MessageTemplate).where(MessageTemplate.team_id == actor.team_id).order_by(MessageTemplate.name)
    found = []
    for row in work.session.scalars(asked):
        with suppress(KeyError, TypeError, ValueError):
            found.append(_template(row))
    return found


def apply_template(work: Work, actor: Actor, template_id: TemplateId, plan: Plan) -> Plan:
    """The plan with the message of the template, all else as it was; nothing is stored.  Files that are gone are left
    out.  Raises NotFound."""
    actor.require(Role.MEMBER)
    try:
        found = _template(_own(work, actor, template_id))
    except (KeyError, TypeError, ValueError):
        raise NotFound from None
    there = media.cards(work, actor, files_of(found.variants, found.follow_up))
    first, *others = [
        replace(variant, media_id=variant.media_id if variant.media_id in there else None) for variant in found.variants
    ]
    again = found.follow_up
    if again is not None and again.media_id not in there:
        again = replace(again, media_id=None)
    return replace(
        plan,
        text=first.text,
        weight=first.weight,
        media_id=first.media_id,
        other_variants=tuple(others),
        follow_up=again,
    )


def rename_template(work: Work, actor: Actor, template_id: TemplateId, name: str) -> None:
    """Raises NotFound, BadInput("template", …)."""
    actor.require(Role.MEMBER)
    own = _own(work, actor, template_id)
    kept = clean_name("template", name, max_length=LONGEST_TEMPLATE)
    before = own.name
    try:
        with work.session.begin_nested():
            work.session.execute(update(MessageTemplate).where(MessageTemplate.id == template_id).values(name=kept))
    except IntegrityError:
        raise BadInput("template", "template_is_there", name=kept) from None
    audit.record(work, actor, "template.renamed", "template", template_id, before=before, name=kept)


def delete_template(work: Work, actor: Actor, template_id: TemplateId) -> None:
    """Campaigns that were written with it keep their words.  Raises NotFound."""
    actor.require(Role.MEMBER)
    own = _own(work, actor, template_id)
    work.session.execute(delete(MessageTemplate).where(MessageTemplate.id == template_id))
    audit.record(work, actor, "template.deleted", "template", template_id, name=own.name)


def _own(work: Work, actor: Actor, template_id: TemplateId) -> MessageTemplate:
    found = work.session.scalar(
        select(MessageTemplate).where(MessageTemplate.team_id == actor.team_id, MessageTemplate.id == template_id)
    )
    if found is None:
        raise NotFound
    return found


# ---------------------------------------------------------------- as it is kept


def files_of(variants: Sequence[Variant], follow_up: FollowUp | None) -> set[int]:
    """The files that go with a message."""
    found = {variant.media_id for variant in variants} | {follow_up.media_id if follow_up else None}
    return {media_id for media_id in found if media_id is not None}


def _content(work: Work, actor: Actor, plan: Plan) -> dict[str, Any]:
    wanted = files_of(plan.variants, plan.follow_up)
    if wanted - set(media.cards(work, actor, wanted)):
        raise NotFound
    return {
        "variants": [_kept(variant) for variant in plan.variants[:MOST_VARIANTS]],
        "follow_up": None if plan.follow_up is None else _kept(plan.follow_up),
    }


def _kept(said: Variant | FollowUp) -> dict[str, Any]:
    """Raises BadInput for a text that no draft would take."""
    return asdict(replace(said, text=plain_text(said.text, field="template", limit=TEXT_DRAFT_LIMIT)))


def _template(row: MessageTemplate) -> Template:
    """Raises KeyError, TypeError or ValueError for content of a form that we do not know."""
    content: Mapping[str, Any] = row.content
    variants = tuple(
        Variant(str(each["text"]), min(MOST_WEIGHT, max(1, int(each["weight"]))), _id(each["media_id"]))
        for each in content["variants"]
    )[:MOST_VARIANTS]
    if not variants:
        raise ValueError("a template without a text")
    again = content["follow_up"]
    follow_up = None
    if again is not None:
        least, most = FOLLOW_UP_DAYS
        follow_up = FollowUp(str(again["text"]), min(most, max(least, int(again["days"]))), _id(again["media_id"]))
    return Template(TemplateId(row.id), row.name, row.saved_at, variants, follow_up)


def _id(value: Any) -> int | None:
    return None if value is None else int(value)
