"""instances, gateway_leftovers, webhook_inbox, phone_checks, whatsapp_addresses."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.instances.rules import InstanceStatus, Provider
from core.leads.rules import OnWhatsApp
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
        CheckConstraint("per_hour between 1 and 1000", name="per_hour"),
        CheckConstraint("gap_min_s between 1 and gap_max_s and gap_max_s <= 86400", name="gap"),
        CheckConstraint("rest_after >= 0 and rest_s >= 0", name="rest"),
        CheckConstraint("health is null or health between 1 and 5", name="health"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    name: Mapped[str] = mapped_column(String(60))
    provider: Mapped[Provider] = state_column(Provider, "provider", server_default="evolution")
    gateway_name: Mapped[str | None] = mapped_column(String(80))  # a new one at each connection
    gateway_id: Mapped[str | None] = mapped_column(String(64))
    gateway_token: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted: all that its calls have to carry
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
    first_connected_at: Mapped[datetime | None] = time_column()  # the warm-up counts from here, over all its sessions
    was_in_use: Mapped[bool] = mapped_column(server_default=text("false"))  # a person says: for months, with customers
    heard_until: Mapped[datetime | None] = time_column()  # its answers were read from the gateway's memory up to here
    receipts_until: Mapped[datetime | None] = time_column()  # and so were its receipts
    removed_at: Mapped[datetime | None] = time_column()
    terms_accepted_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    terms_accepted_at: Mapped[datetime | None] = time_column()
    paused_at: Mapped[datetime | None] = time_column()
    pause_reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence; by_hand when a person did
    pause_facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # what that sentence counts
    rests_until: Mapped[datetime | None] = time_column()  # nobody, not even a person, starts it again before
    # its pace: shared by all that leaves from it, kept here so that neither a crash nor downtime makes a burst
    per_day: Mapped[int] = mapped_column(Integer, server_default="50")
    per_hour: Mapped[int | None] = mapped_column(Integer)  # null: what the pauses allow
    gap_min_s: Mapped[int] = mapped_column(Integer, server_default="45")
    gap_max_s: Mapped[int] = mapped_column(Integer, server_default="120")
    rest_after: Mapped[int] = mapped_column(
        Integer, server_default="20"
    )  # so many in a row, then a long pause; 0: none
    rest_s: Mapped[int] = mapped_column(Integer, server_default="600")
    sent_in_row: Mapped[int] = mapped_column(Integer, server_default="0")  # since the last long pause
    next_send_at: Mapped[datetime | None] = time_column()
    sent_on: Mapped[date | None] = mapped_column(Date)  # the local day that sent_today counts
    sent_today: Mapped[int] = mapped_column(Integer, server_default="0")
    unconfirmed_in_a_row: Mapped[int] = mapped_column(Integer, server_default="0")
    # What the timetable makes of how its messages fare: a ceiling under per_day, and five steps of health.
    cap: Mapped[int | None] = mapped_column(Integer)  # null: none but per_day
    cap_reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence: warm-up, lowered, tier
    lowered_to: Mapped[int | None] = mapped_column(Integer)  # after bad signs; climbs again with good days
    lowered_at: Mapped[datetime | None] = time_column()
    health: Mapped[int | None] = mapped_column(SmallInteger)  # 5 is best; null while too little is known
    health_reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence
    health_facts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    health_at: Mapped[datetime | None] = time_column()
    # "Connected" is only what the gateway says: that it also hears and answers is tried.
    probed_at: Mapped[datetime | None] = time_column()
    probe_failures: Mapped[int] = mapped_column(Integer, server_default="0")
    deaf_since: Mapped[datetime | None] = time_column()
    # one sender at a time; the epoch fences those who come late
    lease_owner: Mapped[str | None] = mapped_column(String(120))
    lease_epoch: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_until: Mapped[datetime | None] = time_column()


class GatewayLeftover(Base):
    """A name at the gateway that is to be logged out and deleted: a wish, until the gateway has done it."""

    __tablename__ = "gateway_leftovers"

    gateway_name: Mapped[str] = mapped_column(String(80), primary_key=True)
    instance_id: Mapped[int] = mapped_column(BigInteger)
    provider: Mapped[Provider] = state_column(Provider, "provider", server_default="evolution")
    gateway_token: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted, as the number had it
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
    provider: Mapped[Provider] = state_column(Provider, "provider", server_default="evolution")
    body_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = created_column()
    applied_at: Mapped[datetime | None] = time_column()
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    error: Mapped[str | None] = mapped_column(Text)


class PhoneCheck(Base):
    """Whether a phone is on WhatsApp, as a number of the team was told; kept a while, so that nobody is asked twice.

    A row is also a wish, while `wanted_at` is set.  UNKNOWN: asked, and not told; it is no "no".
    """

    __tablename__ = "phone_checks"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "instance_id"], ["instances.team_id", "instances.id"]),
        Index(
            "ix_phone_checks_wanted",
            "instance_id",
            "wanted_at",
            "phone_hash",
            postgresql_where=text("wanted_at is not null"),
        ),
        # How many its number has asked about lately, and when last.
        Index("ix_phone_checks_tried", "instance_id", "tried_at", postgresql_where=text("tried_at is not null")),
    )

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"), primary_key=True)
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    phone: Mapped[str] = mapped_column(String(20))  # E.164
    instance_id: Mapped[int] = mapped_column(BigInteger)  # the number that asks, or asked
    wanted_at: Mapped[datetime | None] = time_column()
    wanted_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    tried_at: Mapped[datetime | None] = time_column()
    on_whatsapp: Mapped[OnWhatsApp] = state_column(OnWhatsApp, "on_whatsapp", server_default="unknown")
    address: Mapped[str | None] = mapped_column(String(80))
    checked_at: Mapped[datetime | None] = time_column()


class WhatsAppAddress(Base):
    """Under which names WhatsApp knows a phone: jids with and without the ninth digit, and lids."""

    __tablename__ = "whatsapp_addresses"
    __table_args__ = (Index(None, "team_id", "phone_hash"),)

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"), primary_key=True)
    address: Mapped[str] = mapped_column(String(80), primary_key=True)
    phone: Mapped[str | None] = mapped_column(String(20))
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    seen_at: Mapped[datetime] = created_column()
