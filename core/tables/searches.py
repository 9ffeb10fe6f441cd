"""searches, search_cells, search_finds."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.searches.rules import CellStatus, SearchStatus, Source
from core.tables.base import Base, created_column, id_column, state_column, team_column, time_column


class Search(Base):
    """`latitude` and `longitude` are empty until a named place is found on the map by the scraper."""

    __tablename__ = "searches"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        Index(None, "team_id", "created_at"),
        Index("ix_searches_unfinished", "id", postgresql_where=text("status in ('queued', 'running')")),
        CheckConstraint("radius_m between 100 and 50000", name="radius"),
        CheckConstraint("result_limit between 1 and 5000", name="limit"),
        CheckConstraint("(status in ('done', 'failed', 'cancelled')) = (finished_at is not null)", name="end_has_time"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    created_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    source: Mapped[Source] = state_column(Source, "source")
    terms: Mapped[list[str]] = mapped_column(ARRAY(Text))
    place_name: Mapped[str | None] = mapped_column(String(200))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    radius_m: Mapped[int] = mapped_column(Integer)
    result_limit: Mapped[int] = mapped_column(Integer)
    language: Mapped[str] = mapped_column(String(8))
    country: Mapped[str] = mapped_column(String(2))
    only_with_phone: Mapped[bool] = mapped_column(server_default=text("true"))
    skip_known: Mapped[bool] = mapped_column(server_default=text("true"))
    status: Mapped[SearchStatus] = state_column(SearchStatus, "status", server_default="queued")
    reason: Mapped[str | None] = mapped_column(String(60))  # key of the sentence that tells why it ended so
    complete: Mapped[bool | None]  # null: not known, or still running
    # kept by the statement that stores a page; no page of the interface counts rows
    found: Mapped[int] = mapped_column(Integer, server_default="0")  # distinct businesses inside the radius
    added: Mapped[int] = mapped_column(Integer, server_default="0")  # of these, new to the team
    with_phone: Mapped[int] = mapped_column(Integer, server_default="0")
    duplicates: Mapped[int] = mapped_column(Integer, server_default="0")  # came more than once, or known before
    outside: Mapped[int] = mapped_column(Integer, server_default="0")  # beyond the radius, not kept
    started_at: Mapped[datetime | None] = time_column()
    finished_at: Mapped[datetime | None] = time_column()
    heartbeat_at: Mapped[datetime | None] = time_column()
    claim_token: Mapped[str | None] = mapped_column(String(36))  # of the scraper that may write; fences late ones
    turn: Mapped[int] = mapped_column(Integer, server_default="0")  # how often a scraper has taken it up
    cancel_asked_at: Mapped[datetime | None] = time_column()


class SearchCell(Base):
    """One term over one circle.  A page of places and the new `next_offset` are stored in one transaction."""

    __tablename__ = "search_cells"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "search_id"], ["searches.team_id", "searches.id"], ondelete="CASCADE"),
        UniqueConstraint("search_id", "position"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    search_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(Integer)
    term: Mapped[str] = mapped_column(String(200))
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    radius_m: Mapped[int] = mapped_column(Integer)
    status: Mapped[CellStatus] = state_column(CellStatus, "status", server_default="waiting")
    next_offset: Mapped[int] = mapped_column(Integer, server_default="0")
    read: Mapped[int] = mapped_column(Integer, server_default="0")  # places on the pages, before any sifting
    outcome: Mapped[str | None] = mapped_column(String(24))  # of its last page, see ports.PageOutcome
    finished_at: Mapped[datetime | None] = time_column()


class SearchFind(Base):
    """That a search came upon a lead; `was_new` says whether the team did not have it before."""

    __tablename__ = "search_finds"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "search_id"], ["searches.team_id", "searches.id"], ondelete="CASCADE"),
        ForeignKeyConstraint(["team_id", "lead_id"], ["leads.team_id", "leads.id"], ondelete="CASCADE"),
        Index(None, "search_id", "found_at"),
        Index(None, "lead_id"),
    )

    search_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    lead_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    team_id: Mapped[int] = team_column()
    was_new: Mapped[bool]
    found_at: Mapped[datetime] = created_column()


class SearchLeftOut(Base):
    """A place that a search came upon and did not keep: counted once, however often it comes.  Gone when it ends."""

    __tablename__ = "search_left_out"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "search_id"], ["searches.team_id", "searches.id"], ondelete="CASCADE"),
    )

    search_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    place_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    team_id: Mapped[int] = team_column()
