"""opt_outs: never deleted, even when the lead is; the phone itself may be erased, its keyed hash stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.optouts.rules import OptOutReason
from core.tables.base import Base, created_column, state_column, time_column


class OptOut(Base):
    """`phone_hash` is the same for both ninth-digit forms of a Brazilian mobile."""

    __tablename__ = "opt_outs"

    team_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("teams.id", ondelete="RESTRICT"), primary_key=True)
    phone_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    phone: Mapped[str | None] = mapped_column(String(20))
    reason: Mapped[OptOutReason] = state_column(OptOutReason, "reason")
    words: Mapped[str | None] = mapped_column(Text)  # theirs, or a note of whoever entered it
    campaign_id: Mapped[int | None] = mapped_column(BigInteger)
    entered_by: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = created_column()
    undone_at: Mapped[datetime | None] = time_column()  # by an owner, in the audit log; the row stays
