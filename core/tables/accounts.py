"""teams, users, memberships, sessions, invites, sign_in_tries, audit_log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String, func, text
from sqlalchemy.dialects.postgresql import INET, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.accounts.rules import Role
from core.tables.base import Base, created_column, id_column, state_column, team_column, time_column


class Team(Base):
    __tablename__ = "teams"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(String(120))
    timezone: Mapped[str] = mapped_column(String(64), server_default="America/Sao_Paulo")
    country: Mapped[str] = mapped_column(String(2), server_default="BR")
    created_at: Mapped[datetime] = created_column()
    # what a number that is connected begins with
    number_per_day: Mapped[int] = mapped_column(server_default="50")
    number_gap_min_s: Mapped[int] = mapped_column(server_default="45")
    number_gap_max_s: Mapped[int] = mapped_column(server_default="120")
    number_rest_after: Mapped[int] = mapped_column(server_default="20")
    number_rest_s: Mapped[int] = mapped_column(server_default="600")
    # the one message after an opt-out, in the team's words; null: the product's, empty: none
    opt_out_confirmation: Mapped[str | None] = mapped_column(String(300))


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        Index("uq_users_email_lower", func.lower(text("email")), unique=True),
        # The first visit makes one administrator, however many visit at once.
        Index("uq_users_first_administrator", "is_first", unique=True, postgresql_where=text("is_first")),
    )

    id: Mapped[int] = id_column()
    email: Mapped[str] = mapped_column(String(254))
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str] = mapped_column(String(255))
    is_admin: Mapped[bool] = mapped_column(server_default=text("false"))
    is_first: Mapped[bool] = mapped_column(server_default=text("false"))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    language: Mapped[str] = mapped_column(String(8), server_default="pt-BR")
    theme: Mapped[str] = mapped_column(String(8), server_default="system")
    created_at: Mapped[datetime] = created_column()


class Membership(Base):
    __tablename__ = "memberships"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[Role] = state_column(Role, "role")
    created_at: Mapped[datetime] = created_column()


class SessionRow(Base):
    """A sign-in.  Only the SHA-256 of its token is kept; `ended_at` set means signed out."""

    __tablename__ = "sessions"

    id: Mapped[int] = id_column()
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    user_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int] = team_column()
    created_at: Mapped[datetime] = created_column()
    seen_at: Mapped[datetime] = time_column(server_default=func.now())
    expires_at: Mapped[datetime] = time_column()
    ended_at: Mapped[datetime | None] = time_column()
    ip: Mapped[str | None] = mapped_column(INET)
    user_agent: Mapped[str | None] = mapped_column(String(300))


class Invite(Base):
    __tablename__ = "invites"

    id: Mapped[int] = id_column()
    team_id: Mapped[int] = team_column()
    email: Mapped[str] = mapped_column(String(254))
    role: Mapped[Role] = state_column(Role, "role")
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    invited_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    expires_at: Mapped[datetime] = time_column()
    used_at: Mapped[datetime | None] = time_column()
    revoked_at: Mapped[datetime | None] = time_column()


class SignInTry(Base):
    """One wrong password; slows the next try for that account and that address.  Kept a day."""

    __tablename__ = "sign_in_tries"
    __table_args__ = (Index(None, "email", "at"), Index(None, "ip", "at"))

    id: Mapped[int] = id_column()
    email: Mapped[str] = mapped_column(String(254))
    ip: Mapped[str | None] = mapped_column(INET)
    at: Mapped[datetime] = created_column()


class AuditEntry(Base):
    """Who did what; added, never changed.  The name is kept as it was, for when the person is gone."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "team_id", "id"),
        CheckConstraint("action <> ''", name="action_named"),
    )

    id: Mapped[int] = id_column()
    team_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"))
    user_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    user_name: Mapped[str] = mapped_column(String(120))
    action: Mapped[str] = mapped_column(String(60))
    object_type: Mapped[str | None] = mapped_column(String(40))
    object_id: Mapped[int | None] = mapped_column(BigInteger)
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    at: Mapped[datetime] = created_column()
