"""Lets an opt-out come from a list or from WhatsApp itself, and counts what a number has asked without reading all."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BEFORE = "reason in ('by_reply', 'by_hand', 'complaint')"
NOW = "reason in ('by_reply', 'by_hand', 'complaint', 'at_whatsapp', 'imported')"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_opt_outs_reason"), "opt_outs")
    op.create_check_constraint(op.f("ck_opt_outs_reason"), "opt_outs", NOW)
    op.create_index(
        "ix_phone_checks_tried",
        "phone_checks",
        ["instance_id", "tried_at"],
        postgresql_where=sa.text("tried_at is not null"),
    )


def downgrade() -> None:
    op.drop_index("ix_phone_checks_tried", "phone_checks")
    op.drop_constraint(op.f("ck_opt_outs_reason"), "opt_outs")
    op.execute("update opt_outs set reason = 'by_hand' where reason in ('at_whatsapp', 'imported')")
    op.create_check_constraint(op.f("ck_opt_outs_reason"), "opt_outs", BEFORE)
