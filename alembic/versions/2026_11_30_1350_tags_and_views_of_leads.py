"""Lets a team put tags on its leads and keep filters of them under a name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SORTS = ("name", "rating", "last_contact", "created")


def upgrade() -> None:
    op.create_table(
        "tags",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_folded", sa.String(length=80), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_tags_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_tags_team_id_teams"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tags")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_tags_team_id_id")),
        sa.UniqueConstraint("team_id", "name_folded", name=op.f("uq_tags_team_id_name_folded")),
    )
    op.create_table(
        "lead_tags",
        sa.Column("tag_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "tag_id"],
            ["tags.team_id", "tags.id"],
            name=op.f("fk_lead_tags_team_id_tag_id_tags"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "lead_id"],
            ["leads.team_id", "leads.id"],
            name=op.f("fk_lead_tags_team_id_lead_id_leads"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_lead_tags_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("tag_id", "lead_id", name=op.f("pk_lead_tags")),
    )
    op.create_index(op.f("ix_lead_tags_team_id_lead_id"), "lead_tags", ["team_id", "lead_id"])
    op.create_table(
        "lead_views",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("name_folded", sa.String(length=80), nullable=False),
        sa.Column(
            "filter",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column(
            "sort",
            sa.Enum(*SORTS, name="sort", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("descending", sa.Boolean(), nullable=False),
        sa.Column("columns", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_lead_views_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_lead_views_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_views")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_lead_views_team_id_id")),
        sa.UniqueConstraint("team_id", "name_folded", name=op.f("uq_lead_views_team_id_name_folded")),
    )


def downgrade() -> None:
    op.drop_table("lead_views")
    op.drop_table("lead_tags")
    op.drop_table("tags")
