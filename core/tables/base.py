"""What every table shares: names of constraints, ids, times, the team."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Enum, ForeignKey, Identity, MetaData, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def id_column() -> Mapped[int]:
    return mapped_column(BigInteger, Identity(always=False), primary_key=True)


def team_column() -> Mapped[int]:
    """A team is never deleted under its rows."""
    return mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"))


def time_column(**kwargs: Any) -> Mapped[Any]:
    return mapped_column(DateTime(timezone=True), **kwargs)


def created_column() -> Mapped[datetime]:
    return mapped_column(DateTime(timezone=True), server_default=func.now())


def state_column(states: type[StrEnum], name: str, **kwargs: Any) -> Mapped[Any]:
    """Stored as text with a check, so that a new state is a migration of one line."""
    return mapped_column(
        Enum(
            states,
            name=name,
            native_enum=False,
            create_constraint=True,
            length=24,
            values_callable=lambda members: [member.value for member in members],
        ),
        **kwargs,
    )
