"""A test of a campaign's message leaves as an answer does, and is told apart from one."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
BEFORE = ("by_hand", "opt_out_confirmation")


def upgrade() -> None:
    _allow((*BEFORE, "test"))


def downgrade() -> None:
    op.execute("update answers set kind = 'by_hand' where kind = 'test'")
    _allow(BEFORE)


def _allow(kinds: tuple[str, ...]) -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_constraint(op.f("ck_answers_kind"), "answers", type_="check")
    allowed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_answers_kind"), "answers", f"kind in ({allowed})")
