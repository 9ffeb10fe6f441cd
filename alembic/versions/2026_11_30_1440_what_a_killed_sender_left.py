"""Finds what a killed sender had in hand without reading every attempt: the page of a campaign tells of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_attempts_sender_gone", "attempts", ["ended_at"], postgresql_where=sa.text("detail = 'sender_gone'")
    )


def downgrade() -> None:
    op.drop_index("ix_attempts_sender_gone", "attempts")
