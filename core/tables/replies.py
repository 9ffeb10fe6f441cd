"""conversations, answers, quick_replies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID
from sqlalchemy.orm import Mapped, mapped_column

from core.replies.rules import AnswerKind, ConversationStatus
from core.sending.rules import RecipientStatus
from core.tables.base import Base, created_column, id_column, state_column, team_column, time_column


class Conversation(Base):
    """All that a team and one person have written to each other, on whichever number; begins with their first answer.

    Who is only known by a hidden id has an `address` and no `phone_hash`; once it is known whose id that is, the two
    become one.  What the list shows stands here, kept by the statements that store messages.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        Index(
            "uq_conversations_person",
            "team_id",
            "phone_hash",
            unique=True,
            postgresql_where=text("phone_hash is not null"),
        ),
        Index(
            "uq_conversations_address",
            "team_id",
            "address",
            unique=True,
            postgresql_where=text("phone_hash is null"),
        ),
        ForeignKeyConstraint(["team_id", "instance_id"], ["instances.team_id", "instances.id"]),
        ForeignKeyConstraint(["lead_id"], ["leads.id"], ondelete="SET NULL"),
        # The inbox: whoever has waited longest comes first, then what was last spoken of.
        Index(
            "ix_conversations_waiting",
            "team_id",
            "waiting_since",
            "id",
            postgresql_where=text("status = 'open' and waiting_since is not null"),
        ),
        Index("ix_conversations_last", "team_id", "status", text("last_at DESC"), text("id DESC")),
        Index("ix_conversations_assigned", "team_id", "assigned_to", postgresql_where=text("status = 'open'")),
        CheckConstraint("phone_hash is not null or address is not null", name="is_somebody"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    phone: Mapped[str | None] = mapped_column(String(20))  # E.164
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    address: Mapped[str | None] = mapped_column(String(80))  # as they last wrote
    profile_name: Mapped[str | None] = mapped_column(String(120))  # as WhatsApp names them
    lead_id: Mapped[int | None] = mapped_column(BigInteger)
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)  # that they answered to
    campaign_lead_id: Mapped[int | None] = mapped_column(BigInteger)
    instance_id: Mapped[int] = mapped_column(BigInteger)  # the number they last wrote to: answers leave from it
    status: Mapped[ConversationStatus] = state_column(ConversationStatus, "status", server_default="open")
    is_doubtful: Mapped[bool] = mapped_column(server_default=text("false"))  # they may be asking to be left alone
    assigned_to: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    begun_at: Mapped[datetime] = created_column()
    heard_at: Mapped[datetime] = created_column()  # their last message
    waiting_since: Mapped[datetime | None] = time_column()  # their first one that nobody has answered
    last_at: Mapped[datetime] = created_column()
    last_direction: Mapped[str] = mapped_column(String(3), server_default="in")
    last_kind: Mapped[str] = mapped_column(String(20), server_default="text")
    last_text: Mapped[str] = mapped_column(String(200), server_default="")
    done_at: Mapped[datetime | None] = time_column()
    done_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))


class Answer(Base):
    """A message that somebody of the team, or a rule of ours, wants sent in a conversation; its text is in `messages`.

    Goes out as a recipient does, by the same states: claimed and committed before the one call, settled after it.
    """

    __tablename__ = "answers"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        ForeignKeyConstraint(["team_id", "conversation_id"], ["conversations.team_id", "conversations.id"]),
        ForeignKeyConstraint(["team_id", "instance_id"], ["instances.team_id", "instances.id"]),
        # To one person one message after the other, in the order they were written.
        Index(
            "uq_answers_in_flight",
            "conversation_id",
            unique=True,
            postgresql_where=text("status = 'sending'"),
        ),
        Index("ix_answers_due", "instance_id", "not_before", "id", postgresql_where=text("status = 'queued'")),
        Index(
            "ix_answers_in_flight",
            "instance_id",
            "lease_until",
            postgresql_where=text("status in ('sending', 'unconfirmed')"),
        ),
        Index(None, "conversation_id", "id"),
        Index(None, "message_id"),
        # A double press, or a page that sends again after a lost connection, is one answer.
        Index("uq_answers_pressed", "team_id", "pressed", unique=True, postgresql_where=text("pressed is not null")),
        CheckConstraint(
            "(status in ('sending', 'unconfirmed')) = (claim_token is not null and lease_until is not null)",
            name="claimed_has_token",
        ),
        CheckConstraint("(status = 'sent') <= (sent_at is not null)", name="sent_has_time"),
        CheckConstraint(
            "(status in ('failed', 'skipped')) <= (reason is not null)", name="end_without_message_has_reason"
        ),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    conversation_id: Mapped[int] = mapped_column(BigInteger)
    instance_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[AnswerKind] = state_column(AnswerKind, "kind", server_default="by_hand")
    written_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    pressed: Mapped[str | None] = mapped_column(UUID(as_uuid=False))
    status: Mapped[RecipientStatus] = state_column(RecipientStatus, "status", server_default="queued")
    reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence
    created_at: Mapped[datetime] = created_column()
    changed_at: Mapped[datetime] = created_column()
    not_before: Mapped[datetime] = created_column()
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    claim_token: Mapped[str | None] = mapped_column(UUID(as_uuid=False))
    claimed_at: Mapped[datetime | None] = time_column()
    lease_until: Mapped[datetime | None] = time_column()
    lease_epoch: Mapped[int | None] = mapped_column(Integer)
    sent_at: Mapped[datetime | None] = time_column()
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class QuickReply(Base):
    """A text that the team keeps at hand for answers."""

    __tablename__ = "quick_replies"
    __table_args__ = (UniqueConstraint("team_id", "id"), Index(None, "team_id", "position", "id"))

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    title: Mapped[str] = mapped_column(String(40))
    text: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
