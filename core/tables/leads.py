"""leads: a Place that a team keeps, with its parsed Phone; one per team and business."""

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
    Numeric,
    String,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.leads.rules import OnWhatsApp, PhoneType
from core.tables.base import Base, created_column, id_column, state_column, team_column, time_column


class Lead(Base):
    """`place_key` is `cid:…`, else `place:…`, else `name:…` of name and phone: what makes it the same business.

    What the map said is brought up to date by later searches, never with an empty value; notes, tags and the like
    belong to people and are never touched by one.
    """

    __tablename__ = "leads"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        UniqueConstraint("team_id", "place_key"),
        Index("ix_leads_place_id", "team_id", "place_id", postgresql_where=text("place_id is not null")),
        Index("ix_leads_name_key", "team_id", "name_key", postgresql_where=text("name_key is not null")),
        Index("ix_leads_phone_hash", "team_id", "phone_hash", postgresql_where=text("phone_hash is not null")),
        Index(None, "team_id", "created_at", "id"),
        Index(None, "team_id", "name_folded", "id"),
        # What is not known comes last when the list falls and first when it rises: one index serves both ways.
        Index("ix_leads_rating", "team_id", text("rating DESC NULLS LAST"), text("id DESC")),
        Index("ix_leads_last_sent", "team_id", text("last_sent_at DESC NULLS LAST"), text("id DESC")),
        # Few of many: without these, asking for those who replied would read the whole team.
        Index("ix_leads_replied", "team_id", "last_replied_at", postgresql_where=text("last_replied_at is not null")),
        Index("ix_leads_opted_out", "team_id", "opted_out_at", postgresql_where=text("opted_out_at is not null")),
        Index(None, "team_id", "city"),
        Index(None, "team_id", "category"),
        Index(
            "ix_leads_words",
            "team_id",
            "words",
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
        ),
        CheckConstraint("rating is null or rating between 0 and 5", name="rating"),
        CheckConstraint("(phone is null) = (phone_type is null)", name="phone_has_type"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_at: Mapped[datetime] = created_column()
    seen_at: Mapped[datetime] = time_column(server_default=func.now())  # last time a source showed it
    first_search_id: Mapped[int | None] = mapped_column(BigInteger)
    place_key: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str | None] = mapped_column(String(200))
    cid: Mapped[str | None] = mapped_column(String(24))
    place_id: Mapped[str | None] = mapped_column(String(120))
    data_id: Mapped[str | None] = mapped_column(String(48))
    kg_id: Mapped[str | None] = mapped_column(String(48))
    name: Mapped[str] = mapped_column(String(300))
    name_folded: Mapped[str] = mapped_column(
        String(300), server_default=""
    )  # lower case, no accents: the order of the alphabet
    category: Mapped[str | None] = mapped_column(String(120))
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    address: Mapped[str | None] = mapped_column(String(500))
    street: Mapped[str | None] = mapped_column(String(300))
    neighbourhood: Mapped[str | None] = mapped_column(String(160))
    city: Mapped[str | None] = mapped_column(String(160))
    state: Mapped[str | None] = mapped_column(String(80))
    postal_code: Mapped[str | None] = mapped_column(String(20))
    country: Mapped[str | None] = mapped_column(String(2))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    phone: Mapped[str | None] = mapped_column(String(20))  # E.164
    phone_type: Mapped[PhoneType | None] = state_column(PhoneType, "phone_type")
    phone_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # the same for both ninth-digit forms
    phone_as_printed: Mapped[str | None] = mapped_column(String(80))
    website: Mapped[str | None] = mapped_column(String(2000))
    email: Mapped[str | None] = mapped_column(String(254))
    rating: Mapped[float | None] = mapped_column(Numeric(2, 1, asdecimal=False))
    review_count: Mapped[int | None] = mapped_column(Integer)  # null: not known, never 0 for that
    price: Mapped[str | None] = mapped_column(String(40))
    plus_code: Mapped[str | None] = mapped_column(String(40))
    timezone: Mapped[str | None] = mapped_column(String(64))
    opening_hours: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    closed: Mapped[str | None] = mapped_column(String(16))
    is_claimed: Mapped[bool | None]
    thumbnail_url: Mapped[str | None] = mapped_column(String(2000))
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    # name, phone digits, site and address folded to one lower-case text without accents: what the search box reads
    words: Mapped[str] = mapped_column(Text, server_default="")
    basis: Mapped[str] = mapped_column(String(40), server_default="legitimate_interest")
    on_whatsapp: Mapped[OnWhatsApp] = state_column(OnWhatsApp, "on_whatsapp", server_default="unknown")
    whatsapp_checked_at: Mapped[datetime | None] = time_column()
    # kept by the statements that send and that receive; the lead's state is read from these
    last_sent_at: Mapped[datetime | None] = time_column()
    last_replied_at: Mapped[datetime | None] = time_column()
    opted_out_at: Mapped[datetime | None] = time_column()
    deleted_at: Mapped[datetime | None] = time_column()


class LeadNote(Base):
    """What somebody of the team wrote about a lead."""

    __tablename__ = "lead_notes"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "lead_id"], ["leads.team_id", "leads.id"], ondelete="CASCADE"),
        Index(None, "lead_id", "id"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    lead_id: Mapped[int] = mapped_column(BigInteger)
    written_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    written_at: Mapped[datetime] = created_column()
    text: Mapped[str] = mapped_column(Text)
