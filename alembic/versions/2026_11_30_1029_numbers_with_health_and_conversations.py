"""Makes room for a number's health and warm-up, checks of phones, conversations and the answers that people write."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WITH_PROVIDER = ("instances", "gateway_leftovers", "webhook_inbox")
# Whoever has answered so far has a conversation; what was written after their last message has answered them.
CONVERSATIONS_SO_FAR = """
insert into conversations
    (team_id, phone, phone_hash, address, lead_id, campaign_id, campaign_lead_id, instance_id, begun_at, heard_at,
     waiting_since, last_at, last_direction, last_kind, last_text)
select distinct on (team_id, phone_hash, case when phone_hash is null then address end)
    team_id, phone, phone_hash, address, lead_id, campaign_id, campaign_lead_id, instance_id,
    min(at) over person, at, at, at, 'in', kind, left(text, 200)
from messages
where direction = 'in' and (phone_hash is not null or address is not null)
window person as (partition by team_id, phone_hash, case when phone_hash is null then address end)
order by team_id, phone_hash, case when phone_hash is null then address end, at desc, id desc
"""
FIRST_CONNECTION = """
update instances i set first_connected_at = coalesce(
    (select min(m.sent_at) from messages m where m.instance_id = i.id and m.sent_at is not null), i.connected_at)
"""


def upgrade() -> None:
    op.create_table(
        "quick_replies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], name=op.f("fk_quick_replies_created_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_quick_replies_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quick_replies")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_quick_replies_team_id_id")),
    )
    op.create_index(
        op.f("ix_quick_replies_team_id_position_id"), "quick_replies", ["team_id", "position", "id"], unique=False
    )
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=True),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("address", sa.String(length=80), nullable=True),
        sa.Column("profile_name", sa.String(length=120), nullable=True),
        sa.Column("lead_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_id", sa.BigInteger(), nullable=True),
        sa.Column("campaign_lead_id", sa.BigInteger(), nullable=True),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "status",
            sa.Enum("open", "done", name="status", native_enum=False, create_constraint=True, length=24),
            server_default="open",
            nullable=False,
        ),
        sa.Column("is_doubtful", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("assigned_to", sa.BigInteger(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("waiting_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_direction", sa.String(length=3), server_default="in", nullable=False),
        sa.Column("last_kind", sa.String(length=20), server_default="text", nullable=False),
        sa.Column("last_text", sa.String(length=200), server_default="", nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("phone_hash is not null or address is not null", name=op.f("ck_conversations_is_somebody")),
        sa.ForeignKeyConstraint(
            ["assigned_to"], ["users.id"], name=op.f("fk_conversations_assigned_to_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["done_by"], ["users.id"], name=op.f("fk_conversations_done_by_users"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["lead_id"], ["leads.id"], name=op.f("fk_conversations_lead_id_leads"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "instance_id"],
            ["instances.team_id", "instances.id"],
            name=op.f("fk_conversations_team_id_instance_id_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_conversations_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conversations")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_conversations_team_id_id")),
    )
    op.create_index(
        "ix_conversations_assigned",
        "conversations",
        ["team_id", "assigned_to"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_index(
        "ix_conversations_last",
        "conversations",
        ["team_id", "status", sa.literal_column("last_at DESC"), sa.literal_column("id DESC")],
        unique=False,
    )
    op.create_index(
        "ix_conversations_waiting",
        "conversations",
        ["team_id", "waiting_since", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' and waiting_since is not null"),
    )
    op.create_index(
        "uq_conversations_address",
        "conversations",
        ["team_id", "address"],
        unique=True,
        postgresql_where=sa.text("phone_hash is null"),
    )
    op.create_index(
        "uq_conversations_person",
        "conversations",
        ["team_id", "phone_hash"],
        unique=True,
        postgresql_where=sa.text("phone_hash is not null"),
    )
    op.create_table(
        "phone_checks",
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("phone_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted_by", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "on_whatsapp",
            sa.Enum("unknown", "yes", "no", name="on_whatsapp", native_enum=False, create_constraint=True, length=24),
            server_default="unknown",
            nullable=False,
        ),
        sa.Column("address", sa.String(length=80), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["team_id", "instance_id"],
            ["instances.team_id", "instances.id"],
            name=op.f("fk_phone_checks_team_id_instance_id_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], name=op.f("fk_phone_checks_team_id_teams"), ondelete="RESTRICT"
        ),
        sa.ForeignKeyConstraint(
            ["wanted_by"], ["users.id"], name=op.f("fk_phone_checks_wanted_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("team_id", "phone_hash", name=op.f("pk_phone_checks")),
    )
    op.create_index(
        "ix_phone_checks_wanted",
        "phone_checks",
        ["instance_id", "wanted_at", "phone_hash"],
        unique=False,
        postgresql_where=sa.text("wanted_at is not null"),
    )
    op.create_table(
        "answers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "by_hand", "opt_out_confirmation", name="kind", native_enum=False, create_constraint=True, length=24
            ),
            server_default="by_hand",
            nullable=False,
        ),
        sa.Column("written_by", sa.BigInteger(), nullable=True),
        sa.Column("pressed", sa.UUID(as_uuid=False), nullable=True),
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
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("claim_token", sa.UUID(as_uuid=False), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_epoch", sa.Integer(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint("(status = 'sent') <= (sent_at is not null)", name=op.f("ck_answers_sent_has_time")),
        sa.CheckConstraint(
            "(status in ('failed', 'skipped')) <= (reason is not null)",
            name=op.f("ck_answers_end_without_message_has_reason"),
        ),
        sa.CheckConstraint(
            "(status in ('sending', 'unconfirmed')) = (claim_token is not null and lease_until is not null)",
            name=op.f("ck_answers_claimed_has_token"),
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "conversation_id"],
            ["conversations.team_id", "conversations.id"],
            name=op.f("fk_answers_team_id_conversation_id_conversations"),
        ),
        sa.ForeignKeyConstraint(
            ["team_id", "instance_id"],
            ["instances.team_id", "instances.id"],
            name=op.f("fk_answers_team_id_instance_id_instances"),
        ),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_answers_team_id_teams"), ondelete="RESTRICT"),
        sa.ForeignKeyConstraint(
            ["written_by"], ["users.id"], name=op.f("fk_answers_written_by_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_answers_team_id_id")),
    )
    op.create_index(op.f("ix_answers_conversation_id_id"), "answers", ["conversation_id", "id"], unique=False)
    op.create_index(
        "ix_answers_due",
        "answers",
        ["instance_id", "not_before", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "ix_answers_in_flight",
        "answers",
        ["instance_id", "lease_until"],
        unique=False,
        postgresql_where=sa.text("status in ('sending', 'unconfirmed')"),
    )
    op.create_index(op.f("ix_answers_message_id"), "answers", ["message_id"], unique=False)
    op.create_index(
        "uq_answers_in_flight",
        "answers",
        ["conversation_id"],
        unique=True,
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.create_index(
        "uq_answers_pressed",
        "answers",
        ["team_id", "pressed"],
        unique=True,
        postgresql_where=sa.text("pressed is not null"),
    )
    op.add_column("attempts", sa.Column("answer_id", sa.BigInteger(), nullable=True))
    op.alter_column("attempts", "campaign_lead_id", existing_type=sa.BIGINT(), nullable=True)
    op.create_index(
        "ix_attempts_answer_id",
        "attempts",
        ["answer_id"],
        unique=False,
        postgresql_where=sa.text("answer_id is not null"),
    )
    op.create_foreign_key(
        op.f("fk_attempts_team_id_answer_id_answers"),
        "attempts",
        "answers",
        ["team_id", "answer_id"],
        ["team_id", "id"],
        ondelete="CASCADE",
    )
    for table in ("gateway_leftovers", "webhook_inbox"):
        op.add_column(table, sa.Column("provider", sa.String(length=24), server_default="evolution", nullable=False))
    op.alter_column("instances", "provider", existing_type=sa.String(20), type_=sa.String(24))
    for table in WITH_PROVIDER:
        op.create_check_constraint(op.f(f"ck_{table}_provider"), table, "provider in ('evolution', 'meta')")
    op.add_column("gateway_leftovers", sa.Column("gateway_token", sa.LargeBinary(), nullable=True))
    op.add_column("instances", sa.Column("first_connected_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("instances", sa.Column("was_in_use", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("instances", sa.Column("receipts_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "instances", sa.Column("pause_facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.add_column("instances", sa.Column("rests_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("instances", sa.Column("rest_after", sa.Integer(), server_default="20", nullable=False))
    op.add_column("instances", sa.Column("rest_s", sa.Integer(), server_default="600", nullable=False))
    op.add_column("instances", sa.Column("sent_in_row", sa.Integer(), server_default="0", nullable=False))
    op.add_column("instances", sa.Column("cap", sa.Integer(), nullable=True))
    op.add_column("instances", sa.Column("cap_reason", sa.String(length=60), nullable=True))
    op.add_column("instances", sa.Column("lowered_to", sa.Integer(), nullable=True))
    op.add_column("instances", sa.Column("lowered_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("instances", sa.Column("health", sa.SmallInteger(), nullable=True))
    op.add_column("instances", sa.Column("health_reason", sa.String(length=60), nullable=True))
    op.add_column(
        "instances",
        sa.Column("health_facts", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
    )
    op.add_column("instances", sa.Column("health_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("instances", sa.Column("probed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("instances", sa.Column("probe_failures", sa.Integer(), server_default="0", nullable=False))
    op.add_column("instances", sa.Column("deaf_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("written_by", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("is_from_phone", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "messages", sa.Column("media", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.create_index(
        "ix_messages_address",
        "messages",
        ["team_id", "address"],
        unique=False,
        postgresql_where=sa.text("phone_hash is null"),
    )
    op.create_foreign_key(
        op.f("fk_messages_written_by_users"), "messages", "users", ["written_by"], ["id"], ondelete="SET NULL"
    )
    op.add_column("teams", sa.Column("number_per_day", sa.Integer(), server_default="50", nullable=False))
    op.add_column("teams", sa.Column("number_gap_min_s", sa.Integer(), server_default="45", nullable=False))
    op.add_column("teams", sa.Column("number_gap_max_s", sa.Integer(), server_default="120", nullable=False))
    op.add_column("teams", sa.Column("number_rest_after", sa.Integer(), server_default="20", nullable=False))
    op.add_column("teams", sa.Column("number_rest_s", sa.Integer(), server_default="600", nullable=False))
    op.add_column("teams", sa.Column("opt_out_confirmation", sa.String(length=300), nullable=True))
    op.create_check_constraint(op.f("ck_instances_rest"), "instances", "rest_after >= 0 and rest_s >= 0")
    op.create_check_constraint(op.f("ck_instances_health"), "instances", "health is null or health between 1 and 5")
    op.create_check_constraint(
        op.f("ck_attempts_is_of_one"), "attempts", "num_nonnulls(campaign_lead_id, answer_id) = 1"
    )
    op.execute(CONVERSATIONS_SO_FAR)
    op.execute(FIRST_CONNECTION)


def downgrade() -> None:
    op.drop_constraint(op.f("ck_attempts_is_of_one"), "attempts", type_="check")
    op.execute("delete from attempts where campaign_lead_id is null")
    op.drop_constraint(op.f("ck_instances_health"), "instances", type_="check")
    op.drop_constraint(op.f("ck_instances_rest"), "instances", type_="check")
    op.drop_column("teams", "opt_out_confirmation")
    op.drop_column("teams", "number_rest_s")
    op.drop_column("teams", "number_rest_after")
    op.drop_column("teams", "number_gap_max_s")
    op.drop_column("teams", "number_gap_min_s")
    op.drop_column("teams", "number_per_day")
    op.drop_constraint(op.f("fk_messages_written_by_users"), "messages", type_="foreignkey")
    op.drop_index("ix_messages_address", table_name="messages", postgresql_where=sa.text("phone_hash is null"))
    op.drop_column("messages", "media")
    op.drop_column("messages", "is_from_phone")
    op.drop_column("messages", "written_by")
    op.drop_column("instances", "deaf_since")
    op.drop_column("instances", "probe_failures")
    op.drop_column("instances", "probed_at")
    op.drop_column("instances", "health_at")
    op.drop_column("instances", "health_facts")
    op.drop_column("instances", "health_reason")
    op.drop_column("instances", "health")
    op.drop_column("instances", "lowered_at")
    op.drop_column("instances", "lowered_to")
    op.drop_column("instances", "cap_reason")
    op.drop_column("instances", "cap")
    op.drop_column("instances", "sent_in_row")
    op.drop_column("instances", "rest_s")
    op.drop_column("instances", "rest_after")
    op.drop_column("instances", "rests_until")
    op.drop_column("instances", "pause_facts")
    op.drop_column("instances", "receipts_until")
    op.drop_column("instances", "was_in_use")
    op.drop_column("instances", "first_connected_at")
    op.drop_column("gateway_leftovers", "gateway_token")
    for table in WITH_PROVIDER:
        op.drop_constraint(op.f(f"ck_{table}_provider"), table, type_="check")
    op.alter_column("instances", "provider", existing_type=sa.String(24), type_=sa.String(20))
    for table in ("gateway_leftovers", "webhook_inbox"):
        op.drop_column(table, "provider")
    op.drop_constraint(op.f("fk_attempts_team_id_answer_id_answers"), "attempts", type_="foreignkey")
    op.drop_index("ix_attempts_answer_id", table_name="attempts", postgresql_where=sa.text("answer_id is not null"))
    op.alter_column("attempts", "campaign_lead_id", existing_type=sa.BIGINT(), nullable=False)
    op.drop_column("attempts", "answer_id")
    op.drop_index("uq_answers_pressed", table_name="answers", postgresql_where=sa.text("pressed is not null"))
    op.drop_index("uq_answers_in_flight", table_name="answers", postgresql_where=sa.text("status = 'sending'"))
    op.drop_index(op.f("ix_answers_message_id"), table_name="answers")
    op.drop_index(
        "ix_answers_in_flight", table_name="answers", postgresql_where=sa.text("status in ('sending', 'unconfirmed')")
    )
    op.drop_index("ix_answers_due", table_name="answers", postgresql_where=sa.text("status = 'queued'"))
    op.drop_index(op.f("ix_answers_conversation_id_id"), table_name="answers")
    op.drop_table("answers")
    op.drop_index(
        "ix_phone_checks_wanted", table_name="phone_checks", postgresql_where=sa.text("wanted_at is not null")
    )
    op.drop_table("phone_checks")
    op.drop_index(
        "uq_conversations_person", table_name="conversations", postgresql_where=sa.text("phone_hash is not null")
    )
    op.drop_index(
        "uq_conversations_address", table_name="conversations", postgresql_where=sa.text("phone_hash is null")
    )
    op.drop_index(
        "ix_conversations_waiting",
        table_name="conversations",
        postgresql_where=sa.text("status = 'open' and waiting_since is not null"),
    )
    op.drop_index("ix_conversations_last", table_name="conversations")
    op.drop_index("ix_conversations_assigned", table_name="conversations", postgresql_where=sa.text("status = 'open'"))
    op.drop_table("conversations")
    op.drop_index(op.f("ix_quick_replies_team_id_position_id"), table_name="quick_replies")
    op.drop_table("quick_replies")
