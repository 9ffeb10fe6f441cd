"""instances, gateway_leftovers, webhook_inbox, whatsapp_addresses."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.instances.rules import InstanceStatus
from core.tables.base import Base, created_column, id_column, state_column, team_column, time_column


class Instance(Base):
    """A WhatsApp number of a team.  Connecting again makes a new row at the gateway, not a new row here."""

    __tablename__ = "instances"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        UniqueConstraint("gateway_name"),
        # One number of WhatsApp is one live instance, whichever team connected it.
        Index(
            "uq_instances_phone",
            "phone",
            unique=True,
            postgresql_where=text("phone is not null and status = 'connected'"),
        ),
        CheckConstraint("per_day between 1 and 1000", name="per_day"),
        CheckConstraint("gap_min_s between 1 and gap_max_s and gap_max_s <= 86400", name="gap"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    name: Mapped[str] = mapped_column(String(60))
    provider: Mapped[str] = mapped_column(String(20), server_default="evolution")
    gateway_name: Mapped[str | None] = mapped_column(String(80))  # a new one at each connection
    gateway_id: Mapped[str | None] = mapped_column(String(64))
    gateway_token: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted
    linking_at: Mapped[datetime | None] = time_column()  # somebody set out to make it there; after a while, another
    pairing_phone: Mapped[str | None] = mapped_column(String(20))  # E.164 to ask a pairing code for
    phone: Mapped[str | None] = mapped_column(String(20))
    profile_name: Mapped[str | None] = mapped_column(String(120))
    status: Mapped[InstanceStatus] = state_column(InstanceStatus, "status", server_default="new")
    status_reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence
    status_at: Mapped[datetime] = created_column()
    checked_at: Mapped[datetime | None] = time_column()  # last time the gateway told its state
    closed_since: Mapped[datetime | None] = time_column()  # the gateway has said "closed" ever since
    gateway_trouble: Mapped[str | None] = mapped_column(String(60))  # key of a sentence, while it does not do its part
    gateway_restarted_at: Mapped[datetime | None] = time_column()  # last doubt whether it kept its history
    qr_text: Mapped[str | None] = mapped_column(Text)
    qr_count: Mapped[int] = mapped_column(Integer, server_default="0")
    qr_at: Mapped[datetime | None] = time_column()
    pairing_code: Mapped[str | None] = mapped_column(String(16))
    connected_at: Mapped[datetime | None] = time_column()
    heard_until: Mapped[datetime | None] = time_column()  # its answers were read from the gateway's memory up to here
    removed_at: Mapped[datetime | None] = time_column()
    terms_accepted_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    terms_accepted_at: Mapped[datetime | None] = time_column()
    paused_at: Mapped[datetime | None] = time_column()
    pause_reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence; by_hand when a person did
    # its pace: shared by all that leaves from it, kept here so that neither a crash nor downtime makes a burst
    per_day: Mapped[int] = mapped_column(Integer, server_default="50")
    gap_min_s: Mapped[int] = mapped_column(Integer, server_default="45")
    gap_max_s: Mapped[int] = mapped_column(Integer, server_default="120")
    next_send_at: Mapped[datetime | None] = time_column()
    sent_on: Mapped[date | None] = mapped_column(Date)  # the local day that sent_today counts
    sent_today: Mapped[int] = mapped_column(Integer, server_default="0")
    unconfirmed_in_a_row: Mapped[int] = mapped_column(Integer, server_default="0")
    # one sender at a time; the epoch fences those who come late
    lease_owner: Mapped[str | None] = mapped_column(String(120))
    lease_epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_until: Mapped[datetime | None] = time_column()


class GatewayLeftover(Base):
    """A name at the gateway that is to be logged out and deleted: a wish, until the gateway has done it."""

    __tablename__ = "gateway_leftovers"

    gateway_name: Mapped[str] = mapped_column(String(80), primary_key=True)
    instance_id: Mapped[int] = mapped_column(BigInteger)
    wanted_at: Mapped[datetime] = created_column()
    tried_at: Mapped[datetime | None] = time_column()
    tries: Mapped[int] = mapped_column(Integer, server_default="0")


class WebhookEvent(Base):
    """A webhook as it came: stored before it is answered, applied afterwards.  No foreign key may refuse it."""

    __tablename__ = "webhook_inbox"
    __table_args__ = (
        UniqueConstraint("instance_id", "body_hash"),
        Index("ix_webhook_inbox_waiting", "id", postgresql_where=text("applied_at is null")),
        Index(None, "received_at"),
    )

    id: Mapped[int] = id_column()
    instance_id: Mapped[int] = mapped_column(BigInteger)
    gateway_name: Mapped[str] = mapped_column(String(80))
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = created_column()
    applied_at: Mapped[datetime | None] = time_column()
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    error: Mapped[str | None] = mapped_column(Text)


class WhatsAppAddress(Base):
    """Under which names WhatsApp knows a phone: jids with and without the ninth digit, and lids."""

    __tablename__ = "whatsapp_addresses"
    __table_args__ = (Index(None, "team_id", "phone_hash"),)

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"), primary_key=True)
    address: Mapped[str] = mapped_column(String(80), primary_key=True)
    phone: Mapped[str | None] = mapped_column(String(20))
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    seen_at: Mapped[datetime] = created_column()
