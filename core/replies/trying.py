"""A test of a campaign's message, sent to one phone before it goes to everybody.

It leaves as an answer does: queued, claimed and committed before the one call, settled after it.  It counts for no
campaign, it never goes to somebody who asked to be left alone, and there are few of them an hour, few a day and to few
phones: it is meant for one's own.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from core import audit
from core.accounts.rules import Actor, Role
from core.campaigns import audience, queries
from core.campaigns.media import cards
from core.campaigns.rules import CampaignId, NumberChoice, Plan
from core.campaigns.text import (
    MAX_LENGTH,
    Gap,
    LeadFacts,
    MissingVariable,
    parts_of,
    render,
    values_of,
    with_opt_out_line,
)
from core.errors import BadInput, NotFound, TooManyTries
from core.leads.phones import Phone, phone_hash
from core.replies import outbox
from core.replies.rules import AnswerId, AnswerKind
from core.sending.rules import RecipientStatus
from core.work import Work

MOST_AN_HOUR = 10  # of a team
FOLLOW_UP = -1  # the part after the variants

MOST_A_DAY = 40
MOST_PHONES = 5  # of those of a day
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE_BY_ONE = text("select pg_advisory_xact_lock(hashtextextended('tests of ' || :team_id, 0))")
SENT_LATELY = text("""
select count(*) filter (where a.created_at > :hour_ago) as in_hour,
       min(a.created_at) filter (where a.created_at > :hour_ago) as first_at,
       count(*) as in_day, count(distinct a.conversation_id) filter (where c.phone_hash <> :phone_hash) as other_phones
from answers a join conversations c on c.id = a.conversation_id
where a.team_id = :team_id and a.kind = 'test' and a.created_at > :day_ago
""")
OPTED_OUT = text("""
select exists (
    select from opt_outs where team_id = :team_id and phone_hash = :phone_hash and undone_at is null
)
""")
# Nobody has written yet: it stands among what is done, and waits for nothing.  Of whom we have heard nothing a provider
# that asks for it lets no free text go.
BEGIN = text("""
insert into conversations
    (team_id, phone, phone_hash, instance_id, status, done_at, heard_at, last_direction, last_text)
values
    (:team_id, :phone, :phone_hash, :instance_id, 'done', clock_timestamp(), to_timestamp(0), 'out', left(:text, 200))
on conflict do nothing
""")
LOCK = text("""
select id, team_id, phone, phone_hash, address, lead_id from conversations
where team_id = :team_id and phone_hash = :phone_hash for no key update
""")
WITH_FILE = text("""
update messages m set kind = :kind, media = :media
from answers a where a.id = :answer_id and m.id = a.message_id
""").bindparams(bindparam("media", type_=JSONB(none_as_null=True)))
OUTCOME = text("""
select status, reason from answers where team_id = :team_id and id = :id and kind = 'test'
""")


@dataclass(frozen=True)
class SentTest:
    """Where a test is; `reason` as of any message that did not go."""

    status: RecipientStatus
    reason: str | None


def send_test(
    work: Work, actor: Actor, campaign_id: CampaignId, phone: str, place: int, *, pressed: uuid.UUID
) -> AnswerId:
    """Queues one part of a campaign, a variant or FOLLOW_UP, for one phone; a double press is one test.

    It reads as for the first lead who would receive it.  Raises NotFound; BadInput("test_phone", …) for what is no
    phone or opted out, ("test", …) where there is nothing to send or no number to send it, or where it is enough for a
    day; TooManyTries.
    """
    actor.require(Role.MEMBER)
    found = queries.draft(work.session, actor.team_id, campaign_id)
    e164 = _phone(phone, found.country)
    hashed = phone_hash(work.settings.secret_key, e164)
    to = {"team_id": actor.team_id, "phone": e164, "phone_hash": hashed}
    if work.session.execute(OPTED_OUT, to).scalar():
        raise BadInput("test_phone", "test_opted_out")
    work.session.execute(ONE_BY_ONE, {"team_id": str(actor.team_id)})  # many at once are not more of them
    again = work.session.execute(outbox.IS_PRESSED, {"team_id": actor.team_id, "pressed": str(pressed)}).scalar()
    if again is not None:
        return AnswerId(again)
    _refuse_many(work, to)
    number = _number(work, actor, found.plan)
    message, media_id = _message(work, actor, found.plan, place)
    work.session.execute(BEGIN, to | {"instance_id": number.id, "text": message})
    conversation = work.session.execute(LOCK, to).one()
    leaves_from = outbox.number_for(work, actor.team_id, number.id)
    answer_id = outbox.queue(
        work, conversation, leaves_from, message, pressed=pressed, kind=AnswerKind.TEST, by=actor.user_id
    )
    if media_id is not None:
        _add_file(work, actor, answer_id, media_id)
    audit.record(work, actor, "campaign.tested", "campaign", campaign_id, number=number.name)
    return answer_id


def outcome_of(work: Work, actor: Actor, answer_id: AnswerId) -> SentTest:
    """What has become of a test.  Raises NotFound."""
    actor.require(Role.VIEWER)
    row = work.session.execute(OUTCOME, {"team_id": actor.team_id, "id": answer_id}).one_or_none()
    if row is None:
        raise NotFound
    return SentTest(RecipientStatus(row.status), row.reason)


def _phone(written: str, country: str) -> str:
    try:
        return Phone.parse(written, country).e164
    except BadInput as bad:
        raise BadInput("test_phone", bad.key, **bad.values) from None


def _refuse_many(work: Work, to: Mapping[str, object]) -> None:
    since = {"hour_ago": work.now - HOUR, "day_ago": work.now - DAY}
    lately = work.session.execute(SENT_LATELY, {**to, **since}).one()
    if lately.in_hour >= MOST_AN_HOUR:
        raise TooManyTries(max(1, int((lately.first_at + HOUR - work.now).total_seconds())))
    if lately.in_day >= MOST_A_DAY or lately.other_phones >= MOST_PHONES:
        raise BadInput("test", "test_enough_today", n=MOST_A_DAY, phones=MOST_PHONES)


def _number(work: Work, actor: Actor, plan: Plan) -> NumberChoice:
    """The first of those chosen that can send."""
    chosen = queries.numbers_of(work.session, actor.team_id, plan, work.now)
    number = next((one for one in chosen if one.can_send), None)
    if number is None:
        raise BadInput("test", "test_no_number")
    return number


def _message(work: Work, actor: Actor, plan: Plan, place: int) -> tuple[str, int | None]:
    """What the first lead would read; where there is none, or it lacks something, the field's name stands there."""
    again = plan.follow_up
    if place == FOLLOW_UP and again is not None:
        template, media_id = again.text, again.media_id
    elif 0 <= place < len(plan.variants):
        template, media_id = plan.variants[place].text, plan.variants[place].media_id
    else:
        raise BadInput("test", "text_empty")
    if not template.strip():
        raise BadInput("test", "text_empty")
    leads = audience.samples(work.session, actor.team_id, plan, work.now, by=actor.user_id, limit=1)
    facts = leads[0].facts if leads else LeadFacts(name="")
    values = values_of(LeadFacts(**{**vars(facts), "sender_name": plan.sender_name}))
    try:
        written = render(template, values)
    except MissingVariable:
        named = {gap.spelling: values.get(gap.spelling) or f"[{gap.spelling}]" for gap in _gaps(template)}
        written = render(template, named)
    message = with_opt_out_line(written, plan.opt_out_line)
    if len(message) > MAX_LENGTH:
        raise BadInput("test", "message_too_long", length=len(message), limit=MAX_LENGTH)
    return message, media_id


def _gaps(template: str) -> list[Gap]:
    return [part for part in parts_of(template) if isinstance(part, Gap)]


def _add_file(work: Work, actor: Actor, answer_id: AnswerId, media_id: int) -> None:
    card = cards(work, actor, [media_id]).get(media_id)
    if card is None:
        raise NotFound
    facts = {"media_id": card.id, "mimetype": card.mimetype, "size": card.size, "file_name": card.name}
    work.session.execute(WITH_FILE, {"answer_id": answer_id, "kind": card.kind.value, "media": facts})
