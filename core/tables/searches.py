"""searches, search_cells, search_finds; saved_searches; what a source has been asked, and when it is left alone."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
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
    """`latitude` and `longitude` are empty until a named place is found on the map by the scraper.

    A queued search with `resumes_at` waits for that moment; `reason` then says why.
    """

    __tablename__ = "searches"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        Index(None, "team_id", "created_at"),
        ForeignKeyConstraint(["team_id", "saved_search_id"], ["saved_searches.team_id", "saved_searches.id"]),
        Index("ix_searches_saved", "saved_search_id", "id", postgresql_where=text("saved_search_id is not null")),
        Index("ix_searches_unfinished", "id", postgresql_where=text("status in ('queued', 'running')")),
        CheckConstraint("radius_m between 100 and 50000", name="radius"),
        CheckConstraint("result_limit between 1 and 20000", name="limit"),
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
    read_sites: Mapped[bool] = mapped_column(server_default=text("false"))  # also look for e-mails on the leads' sites
    saved_search_id: Mapped[int | None] = mapped_column(BigInteger)  # the one that started it by itself
    status: Mapped[SearchStatus] = state_column(SearchStatus, "status", server_default="queued")
    reason: Mapped[str | None] = mapped_column(String(60))  # key of the sentence that tells why it ended so
    complete: Mapped[bool | None]  # null: not known, or still running
    # kept by the statement that stores a page; no page of the interface counts rows
    found: Mapped[int] = mapped_column(Integer, server_default="0")  # distinct businesses inside the radius
    added: Mapped[int] = mapped_column(Integer, server_default="0")  # of these, new to the team
    with_phone: Mapped[int] = mapped_column(Integer, server_default="0")
    known: Mapped[int] = mapped_column("duplicates", Integer, server_default="0")  # of those kept, the team's before
    outside: Mapped[int] = mapped_column(Integer, server_default="0")  # beyond the radius, not kept
    cells: Mapped[int] = mapped_column(Integer, server_default="0")  # planned so far, those that were split among them
    cells_over: Mapped[int] = mapped_column(Integer, server_default="0")  # of these, read or split
    pages: Mapped[int] = mapped_column(Integer, server_default="0")  # answers of the source, each one request
    started_at: Mapped[datetime | None] = time_column()
    finished_at: Mapped[datetime | None] = time_column()
    heartbeat_at: Mapped[datetime | None] = time_column()
    claim_token: Mapped[str | None] = mapped_column(String(36))  # of the scraper that may write; fences late ones
    turn: Mapped[int] = mapped_column(Integer, server_default="0")  # how often a scraper has taken it up
    fruitless: Mapped[int] = mapped_column(Integer, server_default="0")  # of these, in a row, without one page stored
    blocks: Mapped[int] = mapped_column(Integer, server_default="0")  # how often in a row the source asked it to stop
    resumes_at: Mapped[datetime | None] = time_column()
    cancel_asked_at: Mapped[datetime | None] = time_column()


class SearchCell(Base):
    """One term over one rectangle.  A page of places and the new `next_offset` are stored in one transaction.

    The edges are empty until the centre of the search is known.  One that shows all it can and may hold more is split:
    it is done, and its four quarters stand behind it.
    """

    __tablename__ = "search_cells"
    __table_args__ = (
        ForeignKeyConstraint(["team_id", "search_id"], ["searches.team_id", "searches.id"], ondelete="CASCADE"),
        UniqueConstraint("search_id", "position"),
        Index("ix_search_cells_open", "search_id", postgresql_where=text("status in ('waiting', 'reading')")),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    search_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int] = mapped_column(Integer)
    term: Mapped[str] = mapped_column(String(200))
    south: Mapped[float | None]
    west: Mapped[float | None]
    north: Mapped[float | None]
    east: Mapped[float | None]
    depth: Mapped[int] = mapped_column(Integer, server_default="0")  # how often it was split to come about
    status: Mapped[CellStatus] = state_column(CellStatus, "status", server_default="waiting")
    next_offset: Mapped[int] = mapped_column(Integer, server_default="0")
    read: Mapped[int] = mapped_column(Integer, server_default="0")  # places on the pages, before any sifting
    new: Mapped[int] = mapped_column(Integer, server_default="0")  # of these, found by the search for the first time
    is_full: Mapped[bool] = mapped_column(server_default=text("false"))  # showed as many as one list ever does
    outcome: Mapped[str | None] = mapped_column(String(24))  # of its last page, see ports.PageOutcome
    doubt: Mapped[str | None] = mapped_column(String(24))  # a SearchReason: why it may not have shown all it has
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


class SavedSearch(Base):
    """A search that runs again every week by itself; each run is a row of searches.  Ended, never deleted."""

    __tablename__ = "saved_searches"
    __table_args__ = (
        UniqueConstraint("team_id", "id"),
        Index("ix_saved_searches_due", "next_run_at", postgresql_where=text("ended_at is null")),
        CheckConstraint("weekday between 1 and 7", name="weekday"),
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
    only_with_phone: Mapped[bool]
    skip_known: Mapped[bool]
    read_sites: Mapped[bool]
    weekday: Mapped[int] = mapped_column(Integer)  # ISO: 1 is Monday, in the team's time zone
    next_run_at: Mapped[datetime] = time_column()
    ended_at: Mapped[datetime | None] = time_column()


class SourcePause(Base):
    """A source that asked us to stop is left alone from here until then.  One row per source and our own address."""

    __tablename__ = "source_pauses"

    source: Mapped[Source] = state_column(Source, "source", primary_key=True)
    address: Mapped[str] = mapped_column(String(80), primary_key=True)
    since: Mapped[datetime] = time_column()
    until: Mapped[datetime] = time_column()
    blocks: Mapped[int] = mapped_column(Integer)  # in a row: each makes the next pause longer


class SourceUse(Base):
    """How many requests a team has spent at a source on a day of UTC: what its daily allowance is counted by."""

    __tablename__ = "source_use"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"), primary_key=True)
    source: Mapped[Source] = state_column(Source, "source", primary_key=True)
    used_on: Mapped[date] = mapped_column(Date, primary_key=True)
    requests: Mapped[int] = mapped_column(Integer)
