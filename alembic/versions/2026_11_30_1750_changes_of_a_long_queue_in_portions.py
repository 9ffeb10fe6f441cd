"""How far a change of hours or of numbers has come along the queue of a campaign."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("campaigns", sa.Column("due_again_from", sa.BigInteger(), nullable=True))
    op.add_column("campaigns", sa.Column("share_from", sa.BigInteger(), nullable=True))
    op.add_column("campaigns", sa.Column("share_to", sa.ARRAY(sa.BigInteger()), nullable=True))


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("campaigns", "share_to")
    op.drop_column("campaigns", "share_from")
    op.drop_column("campaigns", "due_again_from")
