"""campaigns, campaign_steps, campaign_instances, campaign_counters, message_templates, media_files."""

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
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.campaigns.rules import CampaignStatus, OnMissing, Rotation
from core.ports import MediaKind
from core.tables.base import Base, created_column, id_column, state_column, team_column, time_column


class Campaign(Base):
    """Drafts may be incomplete in everything but their name; what is needed to start is checked at the start."""

    __tablename__ = "campaigns"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        Index(None, "team_id", "created_at"),
        Index("ix_campaigns_alive", "id", postgresql_where=text("status in ('scheduled', 'starting', 'running')")),
        CheckConstraint(
            "window_start_min between 0 and 1439 and window_end_min between 1 and 1440"
            " and window_start_min < window_end_min",
            name="window",
        ),
        CheckConstraint("gap_min_s between 1 and gap_max_s and gap_max_s <= 86400", name="gap"),
        CheckConstraint("per_day between 1 and 10000", name="per_day"),
        CheckConstraint("follow_up_days between 3 and 60", name="follow_up_days"),
        CheckConstraint("(status in ('finished', 'cancelled')) = (ended_at is not null)", name="end_has_time"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    saved_at: Mapped[datetime] = time_column(server_default=func.now())
    version: Mapped[int] = mapped_column(Integer, server_default="1")  # two tabs: the second is told
    name: Mapped[str] = mapped_column(String(120))
    status: Mapped[CampaignStatus] = state_column(CampaignStatus, "status", server_default="draft")
    status_at: Mapped[datetime] = created_column()  # since when; kept by a trigger, whoever changes the status
    pause_reason: Mapped[str | None] = mapped_column(String(60))  # key of a sentence; by_hand when a person did
    audience: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))  # a lead filter
    repeat_after_days: Mapped[int] = mapped_column(Integer, server_default="30")
    include_landlines: Mapped[bool] = mapped_column(server_default=text("false"))  # many have no WhatsApp
    on_missing: Mapped[OnMissing] = state_column(OnMissing, "on_missing", server_default="skip")
    rotation: Mapped[Rotation] = state_column(Rotation, "rotation", server_default="balanced")
    follow_up_days: Mapped[int | None] = mapped_column(SmallInteger)  # after so many without an answer; null: never
    sender_name: Mapped[str] = mapped_column(String(60), server_default="")  # what {my_name} says
    opt_out_line: Mapped[str] = mapped_column(Text, server_default="")
    timezone: Mapped[str] = mapped_column(String(64), server_default="America/Sao_Paulo")
    window_start_min: Mapped[int] = mapped_column(SmallInteger, server_default="540")  # minutes after midnight
    window_end_min: Mapped[int] = mapped_column(SmallInteger, server_default="1080")
    weekdays: Mapped[list[int]] = mapped_column(
        ARRAY(SmallInteger), server_default=text("'{1,2,3,4,5}'")
    )  # ISO: 1 is Monday
    skip_holidays: Mapped[bool] = mapped_column(server_default=text("true"))
    local_time: Mapped[bool] = mapped_column(server_default=text("false"))  # hours and holidays of the lead's place
    opening_hours_only: Mapped[bool] = mapped_column(server_default=text("false"))  # and while the business is open
    gap_min_s: Mapped[int] = mapped_column(Integer, server_default="45")
    gap_max_s: Mapped[int] = mapped_column(Integer, server_default="120")
    per_day: Mapped[int] = mapped_column(Integer, server_default="50")
    starts_at: Mapped[datetime | None] = time_column()
    started_at: Mapped[datetime | None] = time_column()
    ended_at: Mapped[datetime | None] = time_column()
    total: Mapped[int] = mapped_column(Integer, server_default="0")  # recipients when it was started
    # kept by the claim: what counts against per_day, and whose turn it is among the campaigns of a number
    sent_on: Mapped[date | None] = mapped_column(Date)  # the local day that sent_today counts
    sent_today: Mapped[int] = mapped_column(Integer, server_default="0")
    claimed_at: Mapped[datetime | None] = time_column()
    # How far a change has come along its queue, by the ids of recipients; null: there is none under way.
    due_again_from: Mapped[int | None] = mapped_column(BigInteger)  # of its hours
    share_from: Mapped[int | None] = mapped_column(BigInteger)  # of its numbers
    share_to: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))  # those among which it is shared out


class CampaignStep(Base):
    """What is said first (position 0), in up to five variants, and what is said to those who did not answer (1)."""

    __tablename__ = "campaign_steps"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "campaign_id"], ["campaigns.team_id", "campaigns.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["team_id", "media_id"], ["media_files.team_id", "media_files.id"]),
        CheckConstraint("position in (0, 1) and variant between 0 and 4", name="which"),
        CheckConstraint("weight between 1 and 100", name="weight"),
    )

    campaign_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    variant: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="0")
    team_id: Mapped[int] = team_column()
    text: Mapped[str] = mapped_column(Text, server_default="")
    weight: Mapped[int] = mapped_column(SmallInteger, server_default="1")  # its share beside the others'
    media_id: Mapped[int | None] = mapped_column(BigInteger)


class MediaFile(Base):
    """A file that goes with a message, with what it really is by its first bytes."""

    __tablename__ = "media_files"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        Index("ix_media_files_sha256", "team_id", "sha256"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    sha256: Mapped[bytes] = mapped_column(LargeBinary(32))
    kind: Mapped[MediaKind] = state_column(MediaKind, "kind")
    mimetype: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(120))
    size: Mapped[int] = mapped_column(Integer)  # bytes
    unused_since: Mapped[datetime | None] = time_column()  # no message asks for it; it is forgotten a day later
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class MessageTemplate(Base):
    """A message kept to be used again: its variants, and what is said to those who do not answer."""

    __tablename__ = "message_templates"
    __table_args__ = (UniqueConstraint("team_id", "name"),)

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    saved_at: Mapped[datetime] = time_column(server_default=func.now())
    name: Mapped[str] = mapped_column(String(80))
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)


class CampaignInstance(Base):
    """The numbers a campaign leaves from."""

    __tablename__ = "campaign_instances"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "campaign_id"], ["campaigns.team_id", "campaigns.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["team_id", "instance_id"], ["instances.team_id", "instances.id"]),
        Index(None, "instance_id"),
        CheckConstraint("weight between 1 and 100", name="weight"),
    )

    campaign_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    instance_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    team_id: Mapped[int] = team_column()
    weight: Mapped[int] = mapped_column(SmallInteger, server_default="1")  # its share beside the others'
    position: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # in which they are filled


class CampaignCounter(Base):
    """How many recipients are in each state, and how many were delivered, read, replied, opted out: of the first
    message; `again_…` of what is said to those who did not answer, and `v0_…` of the first variant of the first.

    Written only by triggers of campaign_leads and messages, in the statement that changes the rows: it cannot drift,
    and no page ever counts a campaign.
    """

    __tablename__ = "campaign_counters"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "campaign_id"], ["campaigns.team_id", "campaigns.id"], ondelete="CASCADE"),
    )

    campaign_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(24), primary_key=True)
    team_id: Mapped[int] = team_column()
    n: Mapped[int] = mapped_column(Integer, server_default="0")
