"""Keeps the words of the search box in a table of their own, which is filled behind the leads."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# No statement that writes leads can forget it; and each lead that is noted again has a row of its own, so that whoever
# files the first note does not take away one that is not committed yet.
NOTE_NEW = """
create function note_new_leads() returns trigger language plpgsql as $$
begin
    insert into unfiled_leads (team_id, lead_id) select team_id, id from new_rows;
    return null;
end $$;
create trigger note_new_leads after insert on leads
    referencing new table as new_rows for each statement execute function note_new_leads()
"""
NOTE_CHANGED = """
create function note_changed_lead() returns trigger language plpgsql as $$
begin
    insert into unfiled_leads (team_id, lead_id) values (new.team_id, new.id);
    return null;
end $$;
create trigger note_changed_lead after update of words on leads
    for each row when (old.words is distinct from new.words) execute function note_changed_lead()
"""


def upgrade() -> None:
    op.create_table(
        "lead_words",
        sa.Column("lead_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "lead_id"],
            ["leads.team_id", "leads.id"],
            name=op.f("fk_lead_words_team_id_lead_id_leads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("lead_id", name=op.f("pk_lead_words")),
    )
    op.create_table(
        "unfiled_leads",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("team_id", "lead_id", "id", name=op.f("pk_unfiled_leads")),
    )
    op.execute(NOTE_NEW)
    op.execute(NOTE_CHANGED)
    op.execute("insert into lead_words (lead_id, team_id, words) select id, team_id, words from leads")
    op.create_index(
        "ix_lead_words_words",
        "lead_words",
        ["team_id", "words"],
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )
    op.drop_index("ix_leads_words", "leads")


def downgrade() -> None:
    op.create_index(
        "ix_leads_words",
        "leads",
        ["team_id", "words"],
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )
    for trigger, function in (("note_new_leads", "note_new_leads"), ("note_changed_lead", "note_changed_lead")):
        op.execute(f"drop trigger {trigger} on leads")
        op.execute(f"drop function {function}")
    op.drop_table("unfiled_leads")
    op.drop_table("lead_words")
