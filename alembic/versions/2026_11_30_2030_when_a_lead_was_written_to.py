"""Keeps when a lead was last written to in a table of its own, so that a message does not write its lead anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

# At once the strongest lock that is needed in the end: what is sent meanwhile waits, and is not lost between the copy
# and the end of the column.
LOCK = "lock table leads in access exclusive mode"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(LOCK)
    op.create_table(
        "written_leads",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_written_leads")),
    )
    op.execute(
        "insert into written_leads (lead_id, team_id, last_sent_at)"
        " select id, team_id, last_sent_at from leads where last_sent_at is not null"
    )
    # Behind the rows: they are looked at together, and not one by one.
    op.create_foreign_key(
        op.f("fk_written_leads_team_id_lead_id_leads"),
        "written_leads",
        "leads",
        ["team_id", "lead_id"],
        ["team_id", "id"],
        ondelete="CASCADE",
    )
    op.create_index(
        "ix_written_leads_last_sent",
        "written_leads",
        ["team_id", sa.text("last_sent_at DESC"), sa.text("lead_id DESC")],
    )
    op.drop_index("ix_leads_last_sent", table_name="leads")
    op.drop_column("leads", "last_sent_at")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(LOCK)
    op.add_column("leads", sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(
        "update leads l set last_sent_at = w.last_sent_at from written_leads w"
        " where w.team_id = l.team_id and w.lead_id = l.id"
    )
    op.create_index(
        "ix_leads_last_sent",
        "leads",
        ["team_id", sa.text("last_sent_at DESC NULLS LAST"), sa.text("id DESC")],
    )
    op.drop_table("written_leads")
