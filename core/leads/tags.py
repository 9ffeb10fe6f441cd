"""Tags: words that a team sorts its leads by, put on one lead, on several, or on all that a filter means.

A lead that is off the list keeps its tags, so that taking it back brings them back; it counts for none meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import CTE, BigInteger, delete, func, literal, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from core import audit
from core.accounts.rules import Actor, Role, TeamId, clean_name
from core.errors import BadInput, NotFound
from core.leads import queries
from core.leads.rules import LeadFilter, TagId, TagName, alike
from core.tables import Lead, LeadTag, LeadView, Tag
from core.work import Work

LONGEST_TAG = 40
MOST_TAGS = 200  # of a team: more are nobody's order
PORTION = 50_000  # leads of one statement: each is over long before a page's patience


@dataclass(frozen=True)
class Tagged:
    """`leads`: how many had it not before, or had it until now."""

    tag: TagName
    leads: int


@dataclass(frozen=True)
class TagUse:
    """What a tag stands on: `leads` above 10,000 means "more than that"."""

    tag: TagName
    leads: int
    views: int


def list_tags(work: Work, actor: Actor) -> list[TagName]:
    """All of the team's, in the order of the alphabet."""
    actor.require(Role.VIEWER)
    found = select(Tag.id, Tag.name).where(Tag.team_id == actor.team_id).order_by(Tag.name_folded)
    return [TagName(TagId(tag_id), name) for tag_id, name in work.session.execute(found)]


def tag_use(work: Work, actor: Actor, tag_id: int) -> TagUse:
    """What would lose a tag with it.  Raises NotFound."""
    actor.require(Role.VIEWER)
    tag = _own(work, actor, tag_id)
    leads = queries.count(work.session, actor.team_id, LeadFilter(tags=(tag.id,)))
    asking = LeadView.filter["tags"].contains([tag.id])
    views = work.session.scalar(select(func.count()).where(LeadView.team_id == actor.team_id, asking)) or 0
    return TagUse(tag, leads, views)


def put_on(work: Work, actor: Actor, name: str, which: LeadFilter) -> Tagged:
    """The tag of this name, made where there is none yet, on all leads meant.  Raises BadInput("tag", …)."""
    actor.require(Role.MEMBER)
    tag = _made(work, actor, name)
    done = _each_portion(work, actor.team_id, which, tag.id, _put_on)
    audit.record(work, actor, "tag.put_on", "tag", tag.id, name=tag.name, leads=done)
    _tell(work, actor, done)
    return Tagged(tag, done)


def take_off(work: Work, actor: Actor, tag_id: int, which: LeadFilter) -> Tagged:
    """Off all leads meant.  Raises NotFound where there is no such tag."""
    actor.require(Role.MEMBER)
    tag = _own(work, actor, tag_id)
    done = _each_portion(work, actor.team_id, which, tag.id, _take_off)
    audit.record(work, actor, "tag.taken_off", "tag", tag.id, name=tag.name, leads=done)
    _tell(work, actor, done)
    return Tagged(tag, done)


def rename_tag(work: Work, actor: Actor, tag_id: int, name: str) -> TagName:
    """On every lead at once.  Raises NotFound, BadInput("tag", …)."""
    actor.require(Role.MEMBER)
    before = _own(work, actor, tag_id)
    kept = _clean(name)
    try:
        with work.session.begin_nested():
            work.session.execute(update(Tag).where(Tag.id == before.id).values(name=kept, name_folded=alike(kept)))
    except IntegrityError:
        raise BadInput("tag", "tag_is_there", name=kept) from None
    audit.record(work, actor, "tag.renamed", "tag", before.id, before=before.name, name=kept)
    _tell(work, actor, 1)
    return TagName(before.id, kept)


def delete_tag(work: Work, actor: Actor, tag_id: int) -> TagUse:
    """Off all leads and out of the list; says what it stood on.  A view that asks for it means nobody from then on:
    to leave the tag out of it would make it mean more than its name says.  Raises NotFound."""
    actor.require(Role.MEMBER)
    use = tag_use(work, actor, tag_id)
    work.session.execute(delete(Tag).where(Tag.id == use.tag.id))
    audit.record(work, actor, "tag.deleted", "tag", use.tag.id, name=use.tag.name, leads=use.leads, views=use.views)
    _tell(work, actor, 1)
    return use


# ---------------------------------------------------------------- the rows


def _own(work: Work, actor: Actor, tag_id: int) -> TagName:
    name = work.session.scalar(select(Tag.name).where(Tag.team_id == actor.team_id, Tag.id == tag_id))
    if name is None:
        raise NotFound
    return TagName(TagId(tag_id), name)


def _clean(name: str) -> str:
    return clean_name("tag", name, max_length=LONGEST_TAG)


def _made(work: Work, actor: Actor, name: str) -> TagName:
    """The one of this name; two who make it at once get the same."""
    kept = _clean(name)
    there = select(Tag.id, Tag.name).where(Tag.team_id == actor.team_id, Tag.name_folded == alike(kept))
    found = work.session.execute(there).first()
    if found is None:
        if (work.session.scalar(select(func.count()).where(Tag.team_id == actor.team_id)) or 0) >= MOST_TAGS:
            raise BadInput("tag", "too_many_tags", n=MOST_TAGS)
        made = postgresql.insert(Tag).on_conflict_do_nothing(index_elements=["team_id", "name_folded"])
        values = {"name": kept, "name_folded": alike(kept), "created_by": actor.user_id}
        work.session.execute(made.values(team_id=actor.team_id, **values))
        found = work.session.execute(there).one()
    return TagName(TagId(found.id), found.name)


def _put_on(tag_id: TagId, some: CTE) -> CTE:
    with_tag = select(literal(tag_id, BigInteger), some.c.id, some.c.team_id)
    put = postgresql.insert(LeadTag).from_select(["tag_id", "lead_id", "team_id"], with_tag)
    return put.on_conflict_do_nothing().returning(LeadTag.lead_id).cte("done")


def _take_off(tag_id: TagId, some: CTE) -> CTE:
    off = delete(LeadTag).where(LeadTag.tag_id == tag_id, LeadTag.lead_id.in_(select(some.c.id)))
    return off.returning(LeadTag.lead_id).cte("done")


def _each_portion(
    work: Work, team_id: TeamId, which: LeadFilter, tag_id: TagId, do: Callable[[TagId, CTE], CTE]
) -> int:
    """How many rows it came to.  In the order of ids, as everybody does who locks several leads; a statement for each
    portion, since a filter may mean a million."""
    last, done = 0, 0
    meant = select(Lead.id, Lead.team_id).where(*queries.conditions(team_id, which)).order_by(Lead.id).limit(PORTION)
    while True:
        some = meant.where(Lead.id > last).cte("some").prefix_with("MATERIALIZED")
        deed = do(tag_id, some)
        ends = select(func.max(some.c.id)).scalar_subquery(), select(func.count()).select_from(deed).scalar_subquery()
        reached, n = work.session.execute(select(*ends)).one()
        if reached is None:
            return done
        last, done = reached, done + n


def _tell(work: Work, actor: Actor, done: int) -> None:
    if done:
        work.tell(f"leads:{actor.team_id}", {"tags": done})
