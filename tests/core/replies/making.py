"""Conversations as stories begin with them: somebody was written to, or not, and wrote to us."""

from __future__ import annotations

import itertools
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text

from core.instances.rules import InstanceId
from core.leads.phones import phone_hash
from core.ports import MessageReceived, MessageWritten
from core.replies.rules import ConversationId
from core.runtime import Runtime
from core.sending.receipts import receive, write
from core.tables import Answer, Conversation, Message
from tests.core.access import CANARY
from tests.factories import make_instance, make_leads, phone_of
from tests.people import People

_ids = itertools.count(1)


@dataclass
class Talk:
    """What a number of a team and one person say to each other; `n` names the person, as `phone_of` does."""

    runtime: Runtime
    team_id: int
    instance_id: InstanceId
    n: int = 1
    address: str | None = None  # they write from here, and nothing tells who they are

    @property
    def phone(self) -> str:
        return phone_of(self.n)

    @property
    def addresses(self) -> tuple[str, ...]:
        return (self.address or f"{self.phone[1:]}@s.whatsapp.net",)

    @property
    def hashed(self) -> bytes:
        return phone_hash(self.runtime.settings.secret_key, self.phone)

    @property
    def conversation_id(self) -> ConversationId:
        found = self.row()
        assert found is not None
        return ConversationId(found.id)

    def row(self) -> Conversation | None:
        is_theirs = (
            Conversation.phone_hash == self.hashed if self.address is None else Conversation.address == self.address
        )
        with self.runtime.work() as work:
            return work.session.scalar(select(Conversation).where(Conversation.team_id == self.team_id, is_theirs))

    def messages(self) -> list[Message]:
        with self.runtime.work() as work:
            return list(work.session.scalars(select(Message).order_by(Message.at, Message.id)))

    def answers(self) -> list[Answer]:
        with self.runtime.work() as work:
            return list(work.session.scalars(select(Answer).order_by(Answer.id)))

    def now(self) -> datetime:
        return now(self.runtime)


def now(runtime: Runtime) -> datetime:
    with runtime.work() as work:
        return work.session.execute(text("select clock_timestamp()")).scalar_one()


def talk_of(people: People, n: int = 1) -> Talk:
    """Ana's team has a number, the person is a lead of hers, and has just written."""
    runtime, team_id = people.runtime, people.team_id
    talk = Talk(runtime, team_id, make_instance(runtime, team_id, f"{CANARY}-{n}"), n)
    make_leads(runtime, team_id, [n], name=f"{CANARY} {n}")
    hears(talk, "Quanto custa?")
    return talk


def hears(talk: Talk, words: str, *, ago_s: float = 60, kind: str = "text", **changes: object) -> None:
    """They wrote so many seconds ago; it is told now."""
    at = talk.now() - timedelta(seconds=ago_s)
    told = {"gateway_message_id": f"IN{next(_ids)}", "addresses": talk.addresses, "text": words, "kind": kind, "at": at}
    with talk.runtime.work() as work:
        receive(work, talk.instance_id, MessageReceived(**told | changes), work.now)  # type: ignore[arg-type]


def types(talk: Talk, words: str, *, ago_s: float = 30, **changes: object) -> None:
    """The owner answered on the phone of the number."""
    at = talk.now() - timedelta(seconds=ago_s)
    told = {"gateway_message_id": f"W{next(_ids)}", "addresses": talk.addresses, "text": words, "kind": "text"}
    with talk.runtime.work() as work:
        write(work, talk.instance_id, MessageWritten(**told | {"at": at} | changes), work.now)  # type: ignore[arg-type]


def hold(runtime: Runtime, answer_id: int) -> None:
    """Its outcome is not known, and nothing was found."""
    with runtime.work() as work:
        row = work.session.get_one(Answer, answer_id)
        row.claim_token, row.claimed_at, row.status = str(uuid.uuid4()), work.now, "held"


def opts_out(talk: Talk) -> None:
    hears(talk, "SAIR", ago_s=1)
