"""Makes all that the main job needs: the tables, and the triggers that keep what people see counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


TRANSITION_TABLES = {
    "insert": "new table as new_rows",
    "update": "old table as old_rows new table as new_rows",
    "delete": "old table as old_rows",
}

# What is added to a counter is the difference that this statement made; so no counter can drift from its rows.
COUNT_RECIPIENTS = """
create function count_recipients() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        update campaign_counters c set n = c.n - gone.n
        from (
            select campaign_id, name, count(*) as n from (
                select campaign_id, status as name from old_rows
                union all select campaign_id, 'replied' from old_rows where replied_at is not null
                union all select campaign_id, 'opted_out' from old_rows where opted_out_at is not null
            ) rows group by 1, 2
        ) gone
        where c.campaign_id = gone.campaign_id and c.name = gone.name;
        return null;
    end if;
    if tg_op = 'INSERT' then
        insert into campaign_counters as c (campaign_id, team_id, name, n)
        select campaign_id, team_id, name, count(*) from (
            select campaign_id, team_id, status as name from new_rows
            union all select campaign_id, team_id, 'replied' from new_rows where replied_at is not null
            union all select campaign_id, team_id, 'opted_out' from new_rows where opted_out_at is not null
        ) rows group by 1, 2, 3 order by 1, 3
        on conflict (campaign_id, name) do update set n = c.n + excluded.n;
        return null;
    end if;
    insert into campaign_counters as c (campaign_id, team_id, name, n)
    select campaign_id, team_id, name, sum(d) from (
        select campaign_id, team_id, status as name, 1 as d from new_rows
        union all select campaign_id, team_id, status, -1 from old_rows
        union all select campaign_id, team_id, 'replied', 1 from new_rows where replied_at is not null
        union all select campaign_id, team_id, 'replied', -1 from old_rows where replied_at is not null
        union all select campaign_id, team_id, 'opted_out', 1 from new_rows where opted_out_at is not null
        union all select campaign_id, team_id, 'opted_out', -1 from old_rows where opted_out_at is not null
    ) rows group by 1, 2, 3 having sum(d) <> 0 order by 1, 3
    on conflict (campaign_id, name) do update set n = c.n + excluded.n;
    return null;
end $$
"""

COUNT_RECEIPTS = """
create function count_receipts() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then
        return null;  -- messages are erased for privacy or with age; what was counted stays counted
    end if;
    if tg_op = 'INSERT' then
        insert into campaign_counters as c (campaign_id, team_id, name, n)
        select campaign_id, team_id, name, count(*) from (
            select campaign_id, team_id, 'delivered' as name from new_rows where delivered_at is not null
            union all select campaign_id, team_id, 'read' from new_rows where read_at is not null
            union all select campaign_id, team_id, 'undelivered' from new_rows where failed_at is not null
        ) rows where campaign_id is not null group by 1, 2, 3 order by 1, 3
        on conflict (campaign_id, name) do update set n = c.n + excluded.n;
        return null;
    end if;
    insert into campaign_counters as c (campaign_id, team_id, name, n)
    select campaign_id, team_id, name, sum(d) from (
        select campaign_id, team_id, 'delivered' as name, 1 as d from new_rows where delivered_at is not null
        union all select campaign_id, team_id, 'delivered', -1 from old_rows where delivered_at is not null
        union all select campaign_id, team_id, 'read', 1 from new_rows where read_at is not null
        union all select campaign_id, team_id, 'read', -1 from old_rows where read_at is not null
        union all select campaign_id, team_id, 'undelivered', 1 from new_rows where failed_at is not null
        union all select campaign_id, team_id, 'undelivered', -1 from old_rows where failed_at is not null
    ) rows where campaign_id is not null group by 1, 2, 3 having sum(d) <> 0 order by 1, 3
    on conflict (campaign_id, name) do update set n = c.n + excluded.n;
    return null;
end $$
"""

STAMP_CAMPAIGN_STATUS = """
create function stamp_campaign_status() returns trigger language plpgsql as $$
begin
    new.status_at = now();
    return new;
end $$
"""


def upgrade() -> None:
    op.execute("create extension if not exists pg_trgm")
    op.execute("create extension if not exists btree_gin")  # team_id beside the trigrams, in one index
    op.create_table(
        "early_receipts",
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("gateway_message_id", sa.String(length=120), nullable=False),
        sa.Column("receipt", sa.String(length=12), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("instance_id", "gateway_message_id", "receipt", name=op.f("pk_early_receipts")),
    )
    op.create_table(
        "gateway_leftovers",
        sa.Column("gateway_name", sa.String(length=80), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("gateway_name", name=op.f("pk_gateway_leftovers")),
    )
    op.create_table(
        "sign_in_tries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("ip", postgresql.INET(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_tries")),
    )
    op.create_index(op.f("ix_sign_in_tries_email_at"), "sign_in_tries", ["email", "at"], unique=False)
    op.create_index(op.f("ix_sign_in_tries_ip_at"), "sign_in_tries", ["ip", "at"], unique=False)
    op.create_table(
        "teams",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("timezone", sa.String(length=64), server_default="America/Sao_Paulo", nullable=False),
        sa.Column("country", sa.String(length=2), server_default="BR", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_first", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("language", sa.String(length=8), server_default="pt-BR", nullable=False),
        sa.Column("theme", sa.String(length=8), server_default="system", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("uq_users_email_lower", "users", [sa.literal_column("lower(email)")], unique=True)
    op.create_index(
        "uq_users_first_administrator",
        "users",
        ["is_first"],
        unique=True,
        postgresql_where=sa.text("is_first"),
    )
    op.create_table(
        "webhook_inbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("gateway_name", sa.String(length=80), nullable=False),
        sa.Column("body_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webhook_inbox")),
        sa.UniqueConstraint("instance_id", "body_hash", name=op.f("uq_webhook_inbox_instance_id_body_hash")),
    )
    op.create_index(op.f("ix_webhook_inbox_received_at"), "webhook_inbox", ["received_at"], unique=False)
    op.create_index(
        "ix_webhook_inbox_waiting",
        "webhook_inbox",
        ["id"],
        unique=False,
        postgresql_where=sa.text("applied_at is null"),
    )
    op.create_table(
        "audit_log",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("user_name", sa.String(length=120), nullable=False),
        sa.Column("action", sa.String(length=60), nullable=False),
        sa.Column("object_type", sa.String(length=40), nullable=True),
        sa.Column("object_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("action <> ''", name=op.f("ck_audit_log_action_named")),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_audit_log_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_audit_log_user_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_index(op.f("ix_audit_log_team_id_id"), "audit_log", ["team_id", "id"], unique=False)
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "draft",
                "scheduled",
                "running",
                "paused",
                "finished",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="draft",
            nullable=False,
        ),
        sa.Column("status_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("pause_reason", sa.String(length=60), nullable=True),
        sa.Column(
            "audience",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("repeat_after_days", sa.Integer(), server_default="30", nullable=False),
        sa.Column("include_landlines", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("sender_name", sa.String(length=60), server_default="", nullable=False),
        sa.Column("opt_out_line", sa.Text(), server_default="", nullable=False),
        sa.Column("timezone", sa.String(length=64), server_default="America/Sao_Paulo", nullable=False),
        sa.Column("window_start_min", sa.SmallInteger(), server_default="540", nullable=False),
        sa.Column("window_end_min", sa.SmallInteger(), server_default="1080", nullable=False),
        sa.Column(
            "weekdays",
            postgresql.ARRAY(sa.SmallInteger()),
            server_default=sa.text("'{1,2,3,4,5}'"),
            nullable=False,
        ),
        sa.Column("skip_holidays", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("gap_min_s", sa.Integer(), server_default="45", nullable=False),
        sa.Column("gap_max_s", sa.Integer(), server_default="120", nullable=False),
        sa.Column("per_day", sa.Integer(), server_default="50", nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("sent_today", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status in ('finished', 'cancelled')) = (ended_at is not null)",
            name=op.f("ck_campaigns_end_has_time"),
        ),
        sa.CheckConstraint("gap_min_s between 1 and gap_max_s and gap_max_s <= 86400", name=op.f("ck_campaigns_gap")),
        sa.CheckConstraint("per_day between 1 and 10000", name=op.f("ck_campaigns_per_day")),
        sa.CheckConstraint(
            "window_start_min between 0 and 1439 and window_end_min between 1 and 1440"
            " and window_start_min < window_end_min",
            name=op.f("ck_campaigns_window"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_campaigns_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_campaigns_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_campaigns_team_id_id")),
    )
    op.create_index(
        "ix_campaigns_alive",
        "campaigns",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status in ('scheduled', 'running')"),
    )
    op.create_index(op.f("ix_campaigns_team_id_created_at"), "campaigns", ["team_id", "created_at"], unique=False)
    op.create_table(
        "instances",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("provider", sa.String(length=20), server_default="evolution", nullable=False),
        sa.Column("gateway_name", sa.String(length=80), nullable=True),
        sa.Column("gateway_id", sa.String(length=64), nullable=True),
        sa.Column("gateway_token", sa.LargeBinary(), nullable=True),
        sa.Column("linking_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pairing_phone", sa.String(length=20), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("profile_name", sa.String(length=120), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "new",
                "scanning",
                "connected",
                "disconnected",
                "removed",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="new",
            nullable=False,
        ),
        sa.Column("status_reason", sa.String(length=60), nullable=True),
        sa.Column("status_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("gateway_trouble", sa.String(length=60), nullable=True),
        sa.Column("gateway_restarted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("qr_text", sa.Text(), nullable=True),
        sa.Column("qr_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("qr_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pairing_code", sa.String(length=16), nullable=True),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heard_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terms_accepted_by", sa.BigInteger(), nullable=True),
        sa.Column("terms_accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(length=60), nullable=True),
        sa.Column("per_day", sa.Integer(), server_default="50", nullable=False),
        sa.Column("gap_min_s", sa.Integer(), server_default="45", nullable=False),
        sa.Column("gap_max_s", sa.Integer(), server_default="120", nullable=False),
        sa.Column("next_send_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_on", sa.Date(), nullable=True),
        sa.Column("sent_today", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unconfirmed_in_a_row", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_owner", sa.String(length=120), nullable=True),
        sa.Column("lease_epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("gap_min_s between 1 and gap_max_s and gap_max_s <= 86400", name=op.f("ck_instances_gap")),
        sa.CheckConstraint("per_day between 1 and 1000", name=op.f("ck_instances_per_day")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_instances_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_instances_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["terms_accepted_by"],
            ["users.id"],
            name=op.f("fk_instances_terms_accepted_by_users"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instances")),
        sa.UniqueConstraint("gateway_name", name=op.f("uq_instances_gateway_name")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_instances_team_id_id")),
    )
    op.create_index(
        "uq_instances_phone",
        "instances",
        ["phone"],
        unique=True,
        postgresql_where=sa.text("phone is not null and status = 'connected'"),
    )
    op.create_table(
        "invites",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column(
            "role",
            sa.Enum("owner", "member", "viewer", name="role", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("invited_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["users.id"], name=op.f("fk_invites_invited_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_invites_team_id_teams"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invites")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invites_token_hash")),
    )
    op.create_table(
        "leads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("first_search_id", sa.BigInteger(), nullable=True),
        sa.Column("place_key", sa.String(length=200), nullable=False),
        sa.Column("name_key", sa.String(length=200), nullable=True),
        sa.Column("cid", sa.String(length=24), nullable=True),
        sa.Column("place_id", sa.String(length=120), nullable=True),
        sa.Column("data_id", sa.String(length=48), nullable=True),
        sa.Column("kg_id", sa.String(length=48), nullable=True),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("name_folded", sa.String(length=300), server_default="", nullable=False),
        sa.Column("category", sa.String(length=120), nullable=True),
        sa.Column("categories", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("address", sa.String(length=500), nullable=True),
        sa.Column("street", sa.String(length=300), nullable=True),
        sa.Column("neighbourhood", sa.String(length=160), nullable=True),
        sa.Column("city", sa.String(length=160), nullable=True),
        sa.Column("state", sa.String(length=80), nullable=True),
        sa.Column("postal_code", sa.String(length=20), nullable=True),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column(
            "phone_type",
            sa.Enum(
                "mobile",
                "landline",
                "other",
                name="phone_type",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("phone_as_printed", sa.String(length=80), nullable=True),
        sa.Column("website", sa.String(length=2000), nullable=True),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("rating", sa.Numeric(precision=2, scale=1, asdecimal=False), nullable=True),
        sa.Column("review_count", sa.Integer(), nullable=True),
        sa.Column("price", sa.String(length=40), nullable=True),
        sa.Column("plus_code", sa.String(length=40), nullable=True),
        sa.Column("timezone", sa.String(length=64), nullable=True),
        sa.Column("opening_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("closed", sa.String(length=16), nullable=True),
        sa.Column("is_claimed", sa.Boolean(), nullable=True),
        sa.Column("thumbnail_url", sa.String(length=2000), nullable=True),
        sa.Column(
            "details",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'::jsonb"),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("basis", sa.String(length=40), server_default="legitimate_interest", nullable=False),
        sa.Column(
            "on_whatsapp",
            sa.Enum(
                "unknown",
                "yes",
                "no",
                name="on_whatsapp",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="unknown",
            nullable=False,
        ),
        sa.Column("whatsapp_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(phone is null) = (phone_type is null)", name=op.f("ck_leads_phone_has_type")),
        sa.CheckConstraint("rating is null or rating between 0 and 5", name=op.f("ck_leads_rating")),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_leads_team_id_teams"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leads")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_leads_team_id_id")),
        sa.UniqueConstraint("team_id", "place_key", name=op.f("uq_leads_team_id_place_key")),
    )
    op.create_index(
        "ix_leads_last_sent",
        "leads",
        ["team_id", sa.text("last_sent_at DESC NULLS LAST"), sa.text("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_leads_name_key",
        "leads",
        ["team_id", "name_key"],
        unique=False,
        postgresql_where=sa.text("name_key is not null"),
    )
    op.create_index(
        "ix_leads_opted_out",
        "leads",
        ["team_id", "opted_out_at"],
        unique=False,
        postgresql_where=sa.text("opted_out_at is not null"),
    )
    op.create_index(
        "ix_leads_phone_hash",
        "leads",
        ["team_id", "phone_hash"],
        unique=False,
        postgresql_where=sa.text("phone_hash is not null"),
    )
    op.create_index(
        "ix_leads_place_id",
        "leads",
        ["team_id", "place_id"],
        unique=False,
        postgresql_where=sa.text("place_id is not null"),
    )
    op.create_index(op.f("ix_leads_team_id_category"), "leads", ["team_id", "category"], unique=False)
    op.create_index(op.f("ix_leads_team_id_city"), "leads", ["team_id", "city"], unique=False)
    op.create_index(op.f("ix_leads_team_id_created_at_id"), "leads", ["team_id", "created_at", "id"], unique=False)
    op.create_index(op.f("ix_leads_team_id_name_folded_id"), "leads", ["team_id", "name_folded", "id"], unique=False)
    op.create_index(
        "ix_leads_rating", "leads", ["team_id", sa.text("rating DESC NULLS LAST"), sa.text("id DESC")], unique=False
    )
    op.create_index(
        "ix_leads_replied",
        "leads",
        ["team_id", "last_replied_at"],
        unique=False,
        postgresql_where=sa.text("last_replied_at is not null"),
    )
    op.create_index(
        "ix_leads_words",
        "leads",
        ["team_id", "words"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"words": "gin_trgm_ops"},
    )
    op.create_table(
        "memberships",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("owner", "member", "viewer", name="role", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_memberships_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_memberships_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_memberships")),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False)
    op.create_table(
        "opt_outs",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "by_reply",
                "by_hand",
                "complaint",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("words", sa.Text(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("entered_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["entered_by"], ["users.id"], name=op.f("fk_opt_outs_entered_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_opt_outs_team_id_teams"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("team_id", "phone_hash", name=op.f("pk_opt_outs")),
    )
    op.create_table(
        "searches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "source",
            sa.Enum(
                "google_maps",
                "demo_map",
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
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("only_with_phone", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("skip_known", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "running",
                "done",
                "failed",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="queued",
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("complete", sa.Boolean(), nullable=True),
        sa.Column("found", sa.Integer(), server_default="0", nullable=False),
        sa.Column("added", sa.Integer(), server_default="0", nullable=False),
        sa.Column("with_phone", sa.Integer(), server_default="0", nullable=False),
        sa.Column("duplicates", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outside", sa.Integer(), server_default="0", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim_token", sa.String(length=36), nullable=True),
        sa.Column("turn", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cancel_asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status in ('done', 'failed', 'cancelled')) = (finished_at is not null)",
            name=op.f("ck_searches_end_has_time"),
        ),
        sa.CheckConstraint("radius_m between 100 and 50000", name=op.f("ck_searches_radius")),
        sa.CheckConstraint("result_limit between 1 and 5000", name=op.f("ck_searches_limit")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_searches_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_searches_team_id_teams"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_searches_team_id_id")),
    )
    op.create_index(op.f("ix_searches_team_id_created_at"), "searches", ["team_id", "created_at"], unique=False)
    op.create_index(
        "ix_searches_unfinished",
        "searches",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status in ('queued', 'running')"),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ip", postgresql.INET(), nullable=True),
        sa.Column("user_agent", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_sessions_team_id_teams"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_sessions_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_sessions_token_hash")),
    )
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_table(
        "whatsapp_addresses",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=80), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_whatsapp_addresses_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("team_id", "address", name=op.f("pk_whatsapp_addresses")),
    )
    op.create_index(
        op.f("ix_whatsapp_addresses_team_id_phone_hash"),
        "whatsapp_addresses",
        ["team_id", "phone_hash"],
        unique=False,
    )
    op.create_table(
        "campaign_counters",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("n", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "campaign_id"],
            ["campaigns.team_id", "campaigns.id"],
            name=op.f("fk_campaign_counters_team_id_campaign_id_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_campaign_counters_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "name", name=op.f("pk_campaign_counters")),
    )
    op.create_table(
        "campaign_instances",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.SmallInteger(), server_default="1", nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "campaign_id"],
            ["campaigns.team_id", "campaigns.id"],
            name=op.f("fk_campaign_instances_team_id_campaign_id_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "instance_id"],
            ["instances.team_id", "instances.id"],
            name=op.f("fk_campaign_instances_team_id_instance_id_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_campaign_instances_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "instance_id", name=op.f("pk_campaign_instances")),
    )
    op.create_index(op.f("ix_campaign_instances_instance_id"), "campaign_instances", ["instance_id"], unique=False)
    op.create_table(
        "campaign_leads",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("lead_name", sa.String(length=300), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "failed",
                "unconfirmed",
                "held",
                "skipped",
                "cancelled",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            server_default="queued",
            nullable=False,
        ),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("claim_token", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_epoch", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(status = 'sent') <= (sent_at is not null)", name=op.f("ck_campaign_leads_sent_has_time")),
        sa.CheckConstraint(
            "(status in ('failed', 'skipped')) <= (reason is not null)",
            name=op.f("ck_campaign_leads_end_without_message_has_reason"),
        ),
        sa.CheckConstraint(
            "(status in ('sending', 'unconfirmed')) = (claim_token is not null and lease_until is not null)",
            name=op.f("ck_campaign_leads_claimed_has_token"),
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_campaign_leads_lead_id_leads"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "campaign_id"],
            ["campaigns.team_id", "campaigns.id"],
            name=op.f("fk_campaign_leads_team_id_campaign_id_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "instance_id"],
            ["instances.team_id", "instances.id"],
            name=op.f("fk_campaign_leads_team_id_instance_id_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_campaign_leads_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign_leads")),
        sa.UniqueConstraint("campaign_id", "lead_id", "step", name=op.f("uq_campaign_leads_campaign_id_lead_id_step")),
        sa.UniqueConstraint(
            "campaign_id", "phone_hash", "step", name=op.f("uq_campaign_leads_campaign_id_phone_hash_step")
        ),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_campaign_leads_team_id_id")),
    )
    op.create_index(
        op.f("ix_campaign_leads_campaign_id_status_id"),
        "campaign_leads",
        ["campaign_id", "status", "id"],
        unique=False,
    )
    op.create_index(
        "ix_campaign_leads_due",
        "campaign_leads",
        ["campaign_id", "not_before", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "ix_campaign_leads_in_flight",
        "campaign_leads",
        ["instance_id", "lease_until"],
        unique=False,
        postgresql_where=sa.text("status in ('sending', 'unconfirmed')"),
    )
    op.create_index("ix_campaign_leads_changed", "campaign_leads", ["campaign_id", "changed_at", "id"], unique=False)
    op.create_index(
        "ix_campaign_leads_sent",
        "campaign_leads",
        ["campaign_id", "sent_at"],
        unique=False,
        postgresql_where=sa.text("sent_at is not null"),
    )
    op.create_index("ix_campaign_leads_person", "campaign_leads", ["team_id", "phone_hash", "status"], unique=False)
    op.create_index(
        "ix_campaign_leads_replied",
        "campaign_leads",
        ["campaign_id", "id"],
        unique=False,
        postgresql_where=sa.text("replied_at is not null"),
    )
    op.create_index(
        "uq_campaign_leads_person_in_flight",
        "campaign_leads",
        ["team_id", "phone_hash"],
        unique=True,
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.create_table(
        "campaign_steps",
        sa.Column("campaign_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("wait_days", sa.SmallInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "campaign_id"],
            ["campaigns.team_id", "campaigns.id"],
            name=op.f("fk_campaign_steps_team_id_campaign_id_campaigns"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_campaign_steps_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("campaign_id", "position", name=op.f("pk_campaign_steps")),
    )
    op.create_table(
        "lead_notes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.BigInteger(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "lead_id"],
            ["leads.team_id", "leads.id"],
            name=op.f("fk_lead_notes_team_id_lead_id_leads"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_lead_notes_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["written_by"], ["users.id"], name=op.f("fk_lead_notes_written_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lead_notes")),
    )
    op.create_index(op.f("ix_lead_notes_lead_id_id"), "lead_notes", ["lead_id", "id"], unique=False)
    op.create_table(
        "messages",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("direction", sa.String(length=3), nullable=False),
        sa.Column("kind", sa.String(length=20), server_default="text", nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("address", sa.String(length=80), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_lead_id", sa.BigInteger(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("gateway_message_id", sa.String(length=120), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("direction in ('in', 'out')", name=op.f("ck_messages_direction")),
        sa.ForeignKeyConstraint(["lead_id"], ["leads.id"], name=op.f("fk_messages_lead_id_leads"), ondelete="SET NULL"),
        sa.ForeignKeyConstraint(
            ["team_id", "instance_id"],
            ["instances.team_id", "instances.id"],
            name=op.f("fk_messages_team_id_instance_id_instances"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_messages_team_id_teams"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_messages_team_id_id")),
    )
    op.create_index(
        "ix_messages_sent",
        "messages",
        ["instance_id", "sent_at"],
        unique=False,
        postgresql_where=sa.text("sent_at is not null"),
    )
    op.create_index(op.f("ix_messages_campaign_lead_id"), "messages", ["campaign_lead_id"], unique=False)
    op.create_index(
        op.f("ix_messages_team_id_phone_hash_at"), "messages", ["team_id", "phone_hash", "at"], unique=False
    )
    op.create_index(
        "uq_messages_gateway_message_id",
        "messages",
        ["instance_id", "gateway_message_id"],
        unique=True,
        postgresql_where=sa.text("gateway_message_id is not null"),
    )
    op.create_table(
        "search_cells",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("search_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("term", sa.String(length=200), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "reading",
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
        sa.Column("next_offset", sa.Integer(), server_default="0", nullable=False),
        sa.Column("read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("outcome", sa.String(length=24), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["team_id", "search_id"],
            ["searches.team_id", "searches.id"],
            name=op.f("fk_search_cells_team_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_search_cells_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_cells")),
        sa.UniqueConstraint("search_id", "position", name=op.f("uq_search_cells_search_id_position")),
    )
    op.create_table(
        "search_finds",
        sa.Column("search_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.BigInteger(), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("was_new", sa.Boolean(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "lead_id"],
            ["leads.team_id", "leads.id"],
            name=op.f("fk_search_finds_team_id_lead_id_leads"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "search_id"],
            ["searches.team_id", "searches.id"],
            name=op.f("fk_search_finds_team_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_search_finds_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("search_id", "lead_id", name=op.f("pk_search_finds")),
    )
    op.create_index(op.f("ix_search_finds_lead_id"), "search_finds", ["lead_id"], unique=False)
    op.create_index(op.f("ix_search_finds_search_id_found_at"), "search_finds", ["search_id", "found_at"], unique=False)
    op.create_table(
        "search_left_out",
        sa.Column("search_id", sa.BigInteger(), nullable=False),
        sa.Column("place_key", sa.String(length=200), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id", "search_id"],
            ["searches.team_id", "searches.id"],
            name=op.f("fk_search_left_out_team_id_search_id_searches"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_search_left_out_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("search_id", "place_key", name=op.f("pk_search_left_out")),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("campaign_lead_id", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("claim_token", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "accepted",
                "rejected",
                "unreachable",
                "unconfirmed",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["team_id", "campaign_lead_id"],
            ["campaign_leads.team_id", "campaign_leads.id"],
            name=op.f("fk_attempts_team_id_campaign_lead_id_campaign_leads"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_attempts_team_id_teams"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_campaign_lead_id"), "attempts", ["campaign_lead_id"], unique=False)
    op.execute(COUNT_RECIPIENTS)
    op.execute(COUNT_RECEIPTS)
    # One function each; a statement-level trigger may name only the transition tables that its event has.
    for table, function in (("campaign_leads", "count_recipients"), ("messages", "count_receipts")):
        for event, tables in TRANSITION_TABLES.items():
            op.execute(
                f"create trigger {function}_on_{event} after {event} on {table} referencing {tables}"
                f" for each statement execute function {function}()"
            )
    op.execute(STAMP_CAMPAIGN_STATUS)
    op.execute(
        "create trigger stamp_campaign_status before update of status on campaigns for each row"
        " when (new.status <> old.status) execute function stamp_campaign_status()"
    )
    for table in (
        "campaign_leads",
        "messages",
        "instances",
        "campaigns",
    ):  # rows that change often keep room beside them
        op.execute(f"alter table {table} set (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02)")


def downgrade() -> None:
    op.drop_index(op.f("ix_attempts_campaign_lead_id"), table_name="attempts")
    op.drop_table("attempts")
    op.drop_table("search_left_out")
    op.drop_index(op.f("ix_search_finds_search_id_found_at"), table_name="search_finds")
    op.drop_index(op.f("ix_search_finds_lead_id"), table_name="search_finds")
    op.drop_table("search_finds")
    op.drop_table("search_cells")
    op.drop_index(
        "uq_messages_gateway_message_id",
        table_name="messages",
        postgresql_where=sa.text("gateway_message_id is not null"),
    )
    op.drop_index("ix_messages_sent", table_name="messages", postgresql_where=sa.text("sent_at is not null"))
    op.drop_index(op.f("ix_messages_team_id_phone_hash_at"), table_name="messages")
    op.drop_index(op.f("ix_messages_campaign_lead_id"), table_name="messages")
    op.drop_table("messages")
    op.drop_index(op.f("ix_lead_notes_lead_id_id"), table_name="lead_notes")
    op.drop_table("lead_notes")
    op.drop_table("campaign_steps")
    op.drop_index(
        "uq_campaign_leads_person_in_flight",
        table_name="campaign_leads",
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.drop_index(
        "ix_campaign_leads_replied",
        table_name="campaign_leads",
        postgresql_where=sa.text("replied_at is not null"),
    )
    op.drop_index("ix_campaign_leads_person", table_name="campaign_leads")
    op.drop_index(
        "ix_campaign_leads_in_flight",
        table_name="campaign_leads",
        postgresql_where=sa.text("status in ('sending', 'unconfirmed')"),
    )
    op.drop_index("ix_campaign_leads_due", table_name="campaign_leads", postgresql_where=sa.text("status = 'queued'"))
    op.drop_index(
        "ix_campaign_leads_sent", table_name="campaign_leads", postgresql_where=sa.text("sent_at is not null")
    )
    op.drop_index("ix_campaign_leads_changed", table_name="campaign_leads")
    op.drop_index(op.f("ix_campaign_leads_campaign_id_status_id"), table_name="campaign_leads")
    op.drop_table("campaign_leads")
    op.drop_index(op.f("ix_campaign_instances_instance_id"), table_name="campaign_instances")
    op.drop_table("campaign_instances")
    op.drop_table("campaign_counters")
    op.drop_index(op.f("ix_whatsapp_addresses_team_id_phone_hash"), table_name="whatsapp_addresses")
    op.drop_table("whatsapp_addresses")
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_index(
        "ix_searches_unfinished",
        table_name="searches",
        postgresql_where=sa.text("status in ('queued', 'running')"),
    )
    op.drop_index(op.f("ix_searches_team_id_created_at"), table_name="searches")
    op.drop_table("searches")
    op.drop_table("opt_outs")
    op.drop_index(op.f("ix_memberships_user_id"), table_name="memberships")
    op.drop_table("memberships")
    op.drop_index(
        "ix_leads_words", table_name="leads", postgresql_using="gin", postgresql_ops={"words": "gin_trgm_ops"}
    )
    op.drop_index("ix_leads_replied", table_name="leads", postgresql_where=sa.text("last_replied_at is not null"))
    op.drop_index("ix_leads_opted_out", table_name="leads", postgresql_where=sa.text("opted_out_at is not null"))
    op.drop_index("ix_leads_rating", table_name="leads")
    op.drop_index(op.f("ix_leads_team_id_name_folded_id"), table_name="leads")
    op.drop_index(op.f("ix_leads_team_id_created_at_id"), table_name="leads")
    op.drop_index(op.f("ix_leads_team_id_city"), table_name="leads")
    op.drop_index(op.f("ix_leads_team_id_category"), table_name="leads")
    op.drop_index("ix_leads_place_id", table_name="leads", postgresql_where=sa.text("place_id is not null"))
    op.drop_index("ix_leads_phone_hash", table_name="leads", postgresql_where=sa.text("phone_hash is not null"))
    op.drop_index("ix_leads_name_key", table_name="leads", postgresql_where=sa.text("name_key is not null"))
    op.drop_index("ix_leads_last_sent", table_name="leads")
    op.drop_table("leads")
    op.drop_table("invites")
    op.drop_index(
        "uq_instances_phone",
        table_name="instances",
        postgresql_where=sa.text("phone is not null and status = 'connected'"),
    )
    op.drop_table("instances")
    op.drop_index(op.f("ix_campaigns_team_id_created_at"), table_name="campaigns")
    op.drop_index(
        "ix_campaigns_alive",
        table_name="campaigns",
        postgresql_where=sa.text("status in ('scheduled', 'running')"),
    )
    op.drop_table("campaigns")
    op.drop_index(op.f("ix_audit_log_team_id_id"), table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_index(
        "ix_webhook_inbox_waiting", table_name="webhook_inbox", postgresql_where=sa.text("applied_at is null")
    )
    op.drop_index(op.f("ix_webhook_inbox_received_at"), table_name="webhook_inbox")
    op.drop_table("webhook_inbox")
    op.drop_index("uq_users_first_administrator", table_name="users", postgresql_where=sa.text("is_first"))
    op.drop_index("uq_users_email_lower", table_name="users")
    op.drop_table("users")
    op.drop_table("teams")
    op.drop_index(op.f("ix_sign_in_tries_ip_at"), table_name="sign_in_tries")
    op.drop_index(op.f("ix_sign_in_tries_email_at"), table_name="sign_in_tries")
    op.drop_table("sign_in_tries")
    op.drop_table("gateway_leftovers")
    op.drop_table("early_receipts")
    op.execute("drop function count_recipients")
    op.execute("drop function count_receipts")
    op.execute("drop function stamp_campaign_status")
