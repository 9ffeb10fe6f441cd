"""Keeps which leads a file brought in, and finds those with an e-mail without reading the team."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("lead_imports", sa.Column("lead_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True))
    op.create_index("ix_leads_email", "leads", ["team_id", "id"], postgresql_where=sa.text("email is not null"))


def downgrade() -> None:
    op.drop_index("ix_leads_email", "leads")
    op.drop_column("lead_imports", "lead_ids")
