"""Lets a search go over many cells and wait, and makes room for weekly searches, other sources, sites and files."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


# A degree of latitude in metres, as the circles of the first version were drawn.
SQUARE_AROUND_THE_CIRCLE = """
update search_cells set
    south = latitude - radius_m / 111320.0, north = latitude + radius_m / 111320.0,
    west = longitude - radius_m / (111320.0 * cos(radians(latitude))),
    east = longitude + radius_m / (111320.0 * cos(radians(latitude)))
where latitude is not null
"""
CIRCLE_IN_THE_SQUARE = """
update search_cells c set
    latitude = (c.south + c.north) / 2, longitude = (c.west + c.east) / 2,
    radius_m = coalesce((c.north - c.south) * 111320.0 / 2, s.radius_m)
from searches s where s.id = c.search_id
"""
COUNT_THE_CELLS = """
update searches s set cells = c.n, cells_over = c.over
from (
    select search_id, count(*) as n, count(*) filter (where status in ('done', 'failed')) as over
    from search_cells group by 1
) c where c.search_id = s.id
"""
FULL_CELLS = """
update search_cells set is_full = true, doubt = 'map_ceiling' where status = 'done' and read >= 110
"""
SITE_OF_THE_WEBSITE = r"""
update leads set site = left(
    lower(regexp_replace(substring(website from '^[a-zA-Z]+://([^/?#:@]+)'), '^www\.', '', 'i')), 253
) where website is not null
"""
FIRST_SOURCE = """
update leads l set source = s.source from searches s where s.team_id = l.team_id and s.id = l.first_search_id
"""
SOURCES = ("google_maps", "demo_map", "file")
MORE_SOURCES = ("google_maps", "demo_map", "openstreetmap", "places_api", "file")


def check_source(sources: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_searches_source"), "searches", type_="check")
    allowed = ", ".join(f"'{source}'" for source in sources)
    op.create_check_constraint(op.f("ck_searches_source"), "searches", f"source in ({allowed})")


def check_limit(most: int) -> None:
    op.drop_constraint(op.f("ck_searches_limit"), "searches", type_="check")
    op.create_check_constraint(op.f("ck_searches_limit"), "searches", f"result_limit between 1 and {most}")


def upgrade() -> None:
    check_source(MORE_SOURCES)
    check_limit(20_000)
    op.create_table(
        "sites",
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "reading",
                "read",
                "refused",
                "failed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="waiting",
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claim_token", sa.String(length=36), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("good_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "(status = 'reading') <= (claim_token is not null)", name=op.f("ck_sites_reading_is_claimed")
        ),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_sites")),
    )
    op.create_index(
        "ix_sites_due", "sites", ["due_at"], unique=False, postgresql_where=sa.text("status in ('waiting', 'reading')")
    )
    op.create_table(
        "source_pauses",
        sa.Column(
            "source",
            sa.Enum(
                "google_maps",
                "demo_map",
                "openstreetmap",
                "places_api",
                "file",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("address", sa.String(length=80), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("blocks", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("source", "address", name=op.f("pk_source_pauses")),
    )
    op.create_table(
        "lead_imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("columns", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("basis", sa.String(length=40), nullable=False),
        sa.Column("only_with_phone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "running",
                "done",
                "failed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="waiting",
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("rows", sa.Integer(), server_default="0", nullable=False),
        sa.Column("read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("updated", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("rejects", sa.LargeBinary(), nullable=True),
        sa.Column("turn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claim_token", sa.String(length=36), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_lead_imports_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_lead_imports_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_imports")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_lead_imports_team_id_id")),
    )
    op.create_index(
        "ix_lead_imports_unfinished",
        "lead_imports",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status in ('waiting', 'running')"),
    )
    op.create_table(
        "saved_searches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "google_maps",
                "demo_map",
                "openstreetmap",
                "places_api",
                "file",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("terms", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("place_name", sa.String(length=200), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column("result_limit", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("only_with_phone", sa.Boolean(), nullable=False),
        sa.Column("skip_known", sa.Boolean(), nullable=False),
        sa.Column("read_sites", sa.Boolean(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("next_run_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("weekday between 1 and 7", name=op.f("ck_saved_searches_weekday")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_saved_searches_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_saved_searches_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_searches")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_saved_searches_team_id_id")),
    )
    op.create_index(
        "ix_saved_searches_due",
        "saved_searches",
        ["next_run_at"],
        unique=False,
        postgresql_where=sa.text("ended_at is null"),
    )
    op.create_table(
        "source_use",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "google_maps",
                "demo_map",
                "openstreetmap",
                "places_api",
                "file",
                name="source",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("used_on", sa.Date(), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_source_use_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("team_id", "source", "used_on", name=op.f("pk_source_use")),
    )
    op.add_column(
        "leads",
        sa.Column(
            "phone_from",
            sa.Enum(
                "listed", "website", "by_hand", name="phone_from", native_enum=False, create_constraint=True, length=24
            ),
            server_default="listed",
            nullable=False,
        ),
    )
    op.add_column("leads", sa.Column("listed_phone", sa.String(length=20), nullable=True))
    op.add_column("leads", sa.Column("site", sa.String(length=253), nullable=True))
    op.add_column("leads", sa.Column("site_wanted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("leads", sa.Column("site_read_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "leads", sa.Column("contacts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.add_column("leads", sa.Column("source", sa.String(length=24), nullable=True))
    op.create_index(
        "ix_leads_site_wanted", "leads", ["site"], unique=False, postgresql_where=sa.text("site_wanted_at is not null")
    )
    op.create_index(
        "ix_leads_site", "leads", ["site", "team_id"], unique=False, postgresql_where=sa.text("site is not null")
    )
    op.add_column("search_cells", sa.Column("south", sa.Double(), nullable=True))
    op.add_column("search_cells", sa.Column("west", sa.Double(), nullable=True))
    op.add_column("search_cells", sa.Column("north", sa.Double(), nullable=True))
    op.add_column("search_cells", sa.Column("east", sa.Double(), nullable=True))
    op.add_column("search_cells", sa.Column("depth", sa.Integer(), server_default="0", nullable=False))
    op.add_column("search_cells", sa.Column("new", sa.Integer(), server_default="0", nullable=False))
    op.add_column("search_cells", sa.Column("is_full", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("search_cells", sa.Column("doubt", sa.String(length=24), nullable=True))
    op.create_index(
        "ix_search_cells_open",
        "search_cells",
        ["search_id"],
        unique=False,
        postgresql_where=sa.text("status in ('waiting', 'reading')"),
    )
    op.execute(SQUARE_AROUND_THE_CIRCLE)
    op.drop_column("search_cells", "longitude")
    op.drop_column("search_cells", "latitude")
    op.drop_column("search_cells", "radius_m")
    op.add_column("searches", sa.Column("read_sites", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("searches", sa.Column("saved_search_id", sa.BigInteger(), nullable=True))
    op.add_column("searches", sa.Column("cells", sa.Integer(), server_default="0", nullable=False))
    op.add_column("searches", sa.Column("cells_over", sa.Integer(), server_default="0", nullable=False))
    op.add_column("searches", sa.Column("pages", sa.Integer(), server_default="0", nullable=False))
    op.add_column("searches", sa.Column("fruitless", sa.Integer(), server_default="0", nullable=False))
    op.add_column("searches", sa.Column("blocks", sa.Integer(), server_default="0", nullable=False))
    op.add_column("searches", sa.Column("resumes_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_searches_saved",
        "searches",
        ["saved_search_id", "id"],
        unique=False,
        postgresql_where=sa.text("saved_search_id is not null"),
    )
    op.create_foreign_key(
        op.f("fk_searches_team_id_saved_search_id_saved_searches"),
        "searches",
        "saved_searches",
        ["team_id", "saved_search_id"],
        ["team_id", "id"],
    )

    op.execute(COUNT_THE_CELLS)
    op.execute(FULL_CELLS)
    op.execute(SITE_OF_THE_WEBSITE)
    op.execute(FIRST_SOURCE)


def downgrade() -> None:
    # Searches that the older version does not know of would not be read by it.
    op.execute("delete from searches where source in ('openstreetmap', 'places_api')")
    op.execute("update searches set result_limit = 5000 where result_limit > 5000")
    check_source(SOURCES)
    check_limit(5_000)
    op.drop_constraint(op.f("fk_searches_team_id_saved_search_id_saved_searches"), "searches", type_="foreignkey")
    op.drop_index("ix_searches_saved", table_name="searches", postgresql_where=sa.text("saved_search_id is not null"))
    op.drop_column("searches", "resumes_at")
    op.drop_column("searches", "blocks")
    op.drop_column("searches", "fruitless")
    op.drop_column("searches", "pages")
    op.drop_column("searches", "cells_over")
    op.drop_column("searches", "cells")
    op.drop_column("searches", "saved_search_id")
    op.drop_column("searches", "read_sites")
    op.add_column("search_cells", sa.Column("radius_m", sa.Integer(), nullable=True))
    op.add_column("search_cells", sa.Column("latitude", sa.Double(), nullable=True))
    op.add_column("search_cells", sa.Column("longitude", sa.Double(), nullable=True))
    op.execute(CIRCLE_IN_THE_SQUARE)
    op.alter_column("search_cells", "radius_m", nullable=False)
    op.drop_index(
        "ix_search_cells_open", table_name="search_cells", postgresql_where=sa.text("status in ('waiting', 'reading')")
    )
    op.drop_column("search_cells", "doubt")
    op.drop_column("search_cells", "is_full")
    op.drop_column("search_cells", "new")
    op.drop_column("search_cells", "depth")
    op.drop_column("search_cells", "east")
    op.drop_column("search_cells", "north")
    op.drop_column("search_cells", "west")
    op.drop_column("search_cells", "south")
    op.drop_index("ix_leads_site", table_name="leads", postgresql_where=sa.text("site is not null"))
    op.drop_index("ix_leads_site_wanted", table_name="leads", postgresql_where=sa.text("site_wanted_at is not null"))
    op.drop_column("leads", "source")
    op.drop_column("leads", "contacts")
    op.drop_column("leads", "site_read_at")
    op.drop_column("leads", "site_wanted_at")
    op.drop_column("leads", "site")
    op.drop_column("leads", "listed_phone")
    op.drop_column("leads", "phone_from")
    op.drop_table("source_use")
    op.drop_index("ix_saved_searches_due", table_name="saved_searches", postgresql_where=sa.text("ended_at is null"))
    op.drop_table("saved_searches")
    op.drop_index(
        "ix_lead_imports_unfinished",
        table_name="lead_imports",
        postgresql_where=sa.text("status in ('waiting', 'running')"),
    )
    op.drop_table("lead_imports")
    op.drop_table("source_pauses")
    op.drop_index("ix_sites_due", table_name="sites", postgresql_where=sa.text("status in ('waiting', 'reading')"))
    op.drop_table("sites")
