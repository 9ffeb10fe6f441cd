"""Closes what is still open with people who asked to be left alone, as it is closed with them from now on."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# What somebody wrote after that stays open: it may ask for something else.
CLOSE = """
update conversations c
set status = 'done', done_at = now(), waiting_since = null, is_doubtful = false
from opt_outs o
where o.team_id = c.team_id and o.phone_hash = c.phone_hash and o.undone_at is null
  and c.status = 'open' and (c.heard_at is null or c.heard_at <= o.created_at)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(CLOSE)


def downgrade() -> None:
    """Nobody knows which of them a person had closed; the next message opens any of them."""
