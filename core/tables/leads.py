"""leads: a Place that a team keeps, with its parsed Phone; one per team and business.

Beside it what is read from websites (kept per site, for whoever has a lead there) and files that are being imported.
"""

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

from core.leads.rules import ImportStatus, LeadSort, OnWhatsApp, PhoneFrom, PhoneType, SiteReading
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
        # Few of many: without these, asking for those who replied would read the whole team.
        Index("ix_leads_replied", "team_id", "last_replied_at", postgresql_where=text("last_replied_at is not null")),
        Index("ix_leads_opted_out", "team_id", "opted_out_at", postgresql_where=text("opted_out_at is not null")),
        # Most sources name none, so those that have one are few.
        Index("ix_leads_email", "team_id", "id", postgresql_where=text("email is not null")),
        # What is to be read next, and whose leads a site that was read belongs to.
        Index("ix_leads_site_wanted", "site", postgresql_where=text("site_wanted_at is not null")),
        Index("ix_leads_site", "site", "team_id", postgresql_where=text("site is not null")),
        Index(None, "team_id", "city"),
        Index(None, "team_id", "category"),
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
    phone_from: Mapped[PhoneFrom] = state_column(PhoneFrom, "phone_from", server_default="listed")
    listed_phone: Mapped[str | None] = mapped_column(String(20))  # E.164; where another one is preferred to it
    website: Mapped[str | None] = mapped_column(String(2000))
    # the host of `website`, in lower case without www: what a reading of a site is found by
    site: Mapped[str | None] = mapped_column(String(253))
    site_wanted_at: Mapped[datetime | None] = time_column()  # since when its site is to be read; null: not, or done
    site_read_at: Mapped[datetime | None] = time_column()  # when what its site names was last taken over
    contacts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))  # that its site names, by kind
    source: Mapped[str | None] = mapped_column(String(24))  # the first that showed it: where the team has it from
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
    # name, phone digits, site and address folded to one lower-case text without accents: what the search box reads, by
    # way of `lead_words`
    words: Mapped[str] = mapped_column(Text, server_default="")
    basis: Mapped[str] = mapped_column(String(40), server_default="legitimate_interest")
    on_whatsapp: Mapped[OnWhatsApp] = state_column(OnWhatsApp, "on_whatsapp", server_default="unknown")
    whatsapp_checked_at: Mapped[datetime | None] = time_column()
    # kept by the statements that receive; the lead's state is read from these, and from `written_leads`
    last_replied_at: Mapped[datetime | None] = time_column()
    opted_out_at: Mapped[datetime | None] = time_column()
    deleted_at: Mapped[datetime | None] = time_column()


class WrittenLead(Base):
    """A lead that was written to, and when last; one without a row never was.  Kept by the statements that send.

    Not in the lead, which is long and has an index for each order of its list: all of them would be written anew for
    every message.
    """

    __tablename__ = "written_leads"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "lead_id"], ["leads.team_id", "leads.id"], ondelete="CASCADE"),
        Index("ix_written_leads_last_sent", "team_id", text("last_sent_at DESC"), text("lead_id DESC")),
    )

    lead_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    team_id: Mapped[int] = mapped_column(BigInteger)
    last_sent_at: Mapped[datetime] = time_column()


class LeadWords(Base):
    """A lead's words as they were when they were last filed (`core.leads.words`)."""

    __tablename__ = "lead_words"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "lead_id"], ["leads.team_id", "leads.id"], ondelete="CASCADE"),
        Index(
            "ix_lead_words_words",
            "team_id",
            "words",
            postgresql_using="gin",
            postgresql_ops={"words": "gin_trgm_ops"},
        ),
    )

    lead_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    team_id: Mapped[int] = mapped_column(BigInteger)
    words: Mapped[str] = mapped_column(Text)


class UnfiledLead(Base):
    """A note that a lead's words are new: written by triggers of `leads`, settled when they are filed.

    Without a foreign key, which would cost every lead that is stored as much as the note; one of a lead that is gone
    is simply settled.
    """

    __tablename__ = "unfiled_leads"

    team_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lead_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    id: Mapped[int] = id_column()


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


class Tag(Base):
    """A word that a team sorts its leads by."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("team_id", "id"), UniqueConstraint("team_id", "name_folded"))

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    name: Mapped[str] = mapped_column(String(40))
    name_folded: Mapped[str] = mapped_column(String(80))  # a letter may fold into several
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()


class LeadTag(Base):
    """A tag on a lead: gone with either of them."""

    __tablename__ = "lead_tags"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "tag_id"], ["tags.team_id", "tags.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["team_id", "lead_id"], ["leads.team_id", "leads.id"], ondelete="CASCADE"),
        Index(None, "team_id", "lead_id"),
    )

    tag_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lead_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    team_id: Mapped[int] = team_column()


class LeadView(Base):
    """A filter that a team keeps under a name, with the order and the columns of its list."""

    __tablename__ = "lead_views"
    __table_args__ = (UniqueConstraint("team_id", "id"), UniqueConstraint("team_id", "name_folded"))

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    name: Mapped[str] = mapped_column(String(40))
    name_folded: Mapped[str] = mapped_column(String(80))
    filter: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    sort: Mapped[LeadSort] = state_column(LeadSort, "sort")
    descending: Mapped[bool]
    columns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()


class Site(Base):
    """A website as it was last looked at, whoever wanted it; read again when `good_until` is over."""

    __tablename__ = "sites"
    __table_args__ = (
        Index("ix_sites_due", "due_at", postgresql_where=text("status in ('waiting', 'reading')")),
        CheckConstraint("(status = 'reading') <= (claim_token is not null)", name="reading_is_claimed"),
    )

    host: Mapped[str] = mapped_column(String(253), primary_key=True)
    url: Mapped[str] = mapped_column(String(2000))
    created_at: Mapped[datetime] = created_column()
    status: Mapped[SiteReading] = state_column(SiteReading, "status", server_default="waiting")
    reason: Mapped[str | None] = mapped_column(String(60))  # key of the sentence that tells why it ended so
    due_at: Mapped[datetime] = time_column(server_default=func.now())
    tries: Mapped[int] = mapped_column(Integer, server_default="0")
    claim_token: Mapped[str | None] = mapped_column(String(36))
    claimed_at: Mapped[datetime | None] = time_column()
    read_at: Mapped[datetime | None] = time_column()
    good_until: Mapped[datetime | None] = time_column()
    contacts: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class LeadImport(Base):
    """A file of leads on its way in.  `content` is there until it is done; nothing is kept before all of it is."""

    __tablename__ = "lead_imports"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        Index("ix_lead_imports_unfinished", "id", postgresql_where=text("status in ('waiting', 'running')")),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    file_name: Mapped[str] = mapped_column(String(200))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    columns: Mapped[dict[str, Any]] = mapped_column(JSONB)  # which column of the file is which of ours
    country: Mapped[str] = mapped_column(String(2))
    basis: Mapped[str] = mapped_column(String(40))
    only_with_phone: Mapped[bool] = mapped_column(server_default=text("false"))
    status: Mapped[ImportStatus] = state_column(ImportStatus, "status", server_default="waiting")
    reason: Mapped[str | None] = mapped_column(String(60))
    rows: Mapped[int] = mapped_column(Integer, server_default="0")
    read: Mapped[int] = mapped_column(Integer, server_default="0")  # of them, so far: told by the heartbeat
    added: Mapped[int] = mapped_column(Integer, server_default="0")
    updated: Mapped[int] = mapped_column(Integer, server_default="0")
    duplicates: Mapped[int] = mapped_column(Integer, server_default="0")  # the same business again in the file
    rejected: Mapped[int] = mapped_column(Integer, server_default="0")
    rejects: Mapped[bytes | None] = mapped_column(LargeBinary)  # the rows that were not taken, each with why; packed
    # The leads that it brought or brought up to date; null until it is done.  A row for each would cost as much as the
    # leads themselves, and nobody asks which files a lead was in.
    lead_ids: Mapped[list[int] | None] = mapped_column(ARRAY(BigInteger))
    turn: Mapped[int] = mapped_column(Integer, server_default="0")
    claim_token: Mapped[str | None] = mapped_column(String(36))
    heartbeat_at: Mapped[datetime | None] = time_column()
    finished_at: Mapped[datetime | None] = time_column()
