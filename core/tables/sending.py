"""campaign_leads, messages, attempts."""

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

from core.sending.rules import AttemptOutcome, RecipientStatus
from core.tables.base import Base, created_column, id_column, state_column, team_column, time_column


class CampaignLead(Base):
    """A lead in a campaign at one step, at most once; in talk: recipient.  The per-contact queue of the sender."""

    __tablename__ = "campaign_leads"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        UniqueConstraint("campaign_id", "phone_hash", "step"),
        UniqueConstraint("campaign_id", "lead_id", "step"),
        ForeignKeyConstraint(["team_id", "campaign_id"], ["campaigns.team_id", "campaigns.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["lead_id"], ["leads.id"], ondelete="SET NULL"),
        ForeignKeyConstraint(["team_id", "instance_id"], ["instances.team_id", "instances.id"]),
        # Two campaigns of a team never write to one person at the same moment.
        Index(
            "uq_campaign_leads_person_in_flight",
            "team_id",
            "phone_hash",
            unique=True,
            postgresql_where=text("status = 'sending'"),
        ),
        Index(
            "ix_campaign_leads_due",
            "campaign_id",
            "instance_id",
            "not_before",
            "id",
            postgresql_where=text("status = 'queued'"),
        ),
        Index(
            "ix_campaign_leads_in_flight",
            "instance_id",
            "lease_until",
            postgresql_where=text("status in ('sending', 'unconfirmed', 'held')"),
        ),
        Index(
            "ix_campaign_leads_follow_up",
            "campaign_id",
            "follow_up_at",
            postgresql_where=text("follow_up_at is not null"),
        ),
        Index("ix_campaign_leads_person", "team_id", "phone_hash", "status"),
        Index(None, "campaign_id", "status", "id"),
        Index("ix_campaign_leads_changed", "campaign_id", "changed_at", "id"),  # what happened last stands first
        Index("ix_campaign_leads_sent", "campaign_id", "sent_at", postgresql_where=text("sent_at is not null")),
        Index("ix_campaign_leads_replied", "campaign_id", "id", postgresql_where=text("replied_at is not null")),
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
    campaign_id: Mapped[int] = mapped_column(BigInteger)
    step: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    variant: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    lead_id: Mapped[int | None] = mapped_column(BigInteger)
    lead_name: Mapped[str] = mapped_column(String(300))  # as it was, for when the lead is gone
    phone: Mapped[str] = mapped_column(String(20))  # E.164
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    instance_id: Mapped[int | None] = mapped_column(BigInteger)  # the number that writes; for all their messages
    place: Mapped[str | None] = mapped_column(
        String(80)
    )  # whose hours are kept (see campaigns.places); null: the team's
    status: Mapped[RecipientStatus] = state_column(RecipientStatus, "status", server_default="queued")
    reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence
    not_before: Mapped[datetime] = created_column()
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    claim_token: Mapped[str | None] = mapped_column(UUID(as_uuid=False))
    claimed_at: Mapped[datetime | None] = time_column()
    lease_until: Mapped[datetime | None] = time_column()
    lease_epoch: Mapped[int | None] = mapped_column(Integer)
    message_id: Mapped[int | None] = mapped_column(BigInteger)  # the frozen text, in messages
    sent_at: Mapped[datetime | None] = time_column()
    follow_up_at: Mapped[datetime | None] = time_column()  # when the next step is due, if nobody answers until then
    replied_at: Mapped[datetime | None] = time_column()
    opted_out_at: Mapped[datetime | None] = time_column()
    changed_at: Mapped[datetime] = created_column()
    # how we know, where it is not the gateway's own answer: {"by": "history" | "webhook" | "person", …}
    evidence: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class Message(Base):
    """A text as it went to one person, frozen when it was claimed, or as it came from one.

    `delivered_at` and `read_at` only ever get a value, never lose one, whatever order the receipts come in.
    """

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        ForeignKeyConstraint(["team_id", "instance_id"], ["instances.team_id", "instances.id"]),
        ForeignKeyConstraint(["lead_id"], ["leads.id"], ondelete="SET NULL"),
        # One id of the gateway is one message: a receipt can never fall on two.
        Index(
            "uq_messages_gateway_message_id",
            "instance_id",
            "gateway_message_id",
            unique=True,
            postgresql_where=text("gateway_message_id is not null"),
        ),
        Index(None, "team_id", "phone_hash", "at"),
        Index(None, "campaign_lead_id"),
        # Those of whom only a hidden id is known.
        Index("ix_messages_address", "team_id", "address", postgresql_where=text("phone_hash is null")),
        # How much a number wrote on each of the last days.
        Index("ix_messages_sent", "instance_id", "sent_at", postgresql_where=text("sent_at is not null")),
        CheckConstraint("direction in ('in', 'out')", name="direction"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    instance_id: Mapped[int] = mapped_column(BigInteger)
    direction: Mapped[str] = mapped_column(String(3))
    kind: Mapped[str] = mapped_column(String(20), server_default="text")
    phone: Mapped[str | None] = mapped_column(String(20))
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    address: Mapped[str | None] = mapped_column(String(80))
    lead_id: Mapped[int | None] = mapped_column(BigInteger)
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)
    campaign_lead_id: Mapped[int | None] = mapped_column(BigInteger)
    step: Mapped[int | None] = mapped_column(SmallInteger)  # of a campaign's message, with its variant
    variant: Mapped[int | None] = mapped_column(SmallInteger)
    text: Mapped[str] = mapped_column(Text)
    gateway_message_id: Mapped[str | None] = mapped_column(String(120))
    at: Mapped[datetime] = created_column()
    sent_at: Mapped[datetime | None] = time_column()
    delivered_at: Mapped[datetime | None] = time_column()
    read_at: Mapped[datetime | None] = time_column()
    written_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    is_from_phone: Mapped[bool] = mapped_column(server_default="false")  # typed on the number's own phone
    # Of a file type, size and name, never its bytes; of a pressed button its id.
    media: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    failed_at: Mapped[datetime | None] = time_column()  # WhatsApp refused it after the gateway had taken it


class EarlyReceipt(Base):
    """A receipt whose message we do not know yet: it may come before our own commit.  Kept a day."""

    __tablename__ = "early_receipts"

    instance_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    gateway_message_id: Mapped[str] = mapped_column(String(120), primary_key=True)
    receipt: Mapped[str] = mapped_column(String(12), primary_key=True)
    received_at: Mapped[datetime] = created_column()


class Attempt(Base):
    """One call to WhatsApp for a recipient or an answer; added when it is over, never changed."""

    __tablename__ = "attempts"
    __table_args__ = (
        ForeignKeyConstraint(
            ["team_id", "campaign_lead_id"],
            ["campaign_leads.team_id", "campaign_leads.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(["team_id", "answer_id"], ["answers.team_id", "answers.id"], ondelete="CASCADE"),
        Index(None, "campaign_lead_id"),
        Index("ix_attempts_answer_id", "answer_id", postgresql_where=text("answer_id is not null")),
        Index("ix_attempts_sender_gone", "ended_at", postgresql_where=text("detail = 'sender_gone'")),
        CheckConstraint("num_nonnulls(campaign_lead_id, answer_id) = 1", name="is_of_one"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    campaign_lead_id: Mapped[int | None] = mapped_column(BigInteger)
    answer_id: Mapped[int | None] = mapped_column(BigInteger)
    instance_id: Mapped[int] = mapped_column(BigInteger)
    claim_token: Mapped[str] = mapped_column(UUID(as_uuid=False))
    started_at: Mapped[datetime] = time_column()
    ended_at: Mapped[datetime] = created_column()
    outcome: Mapped[AttemptOutcome] = state_column(AttemptOutcome, "outcome")
    detail: Mapped[str | None] = mapped_column(String(300))
