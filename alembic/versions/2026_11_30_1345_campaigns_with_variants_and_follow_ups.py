"""Lets a campaign say one of several texts, and again to who does not answer, from several numbers at the lead's hours.

A recipient belongs to a number from the moment the queue is built.  The counts that people read are those of the first
message; what is said again has counts of its own, and so has each variant.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

STATES = ("draft", "scheduled", "running", "paused", "finished", "cancelled")

COUNTED_LEADS = """
        select campaign_id, team_id, case when step = 0 then status else 'again_' || status end as name, {d} as d
        from {rows}
        union all select campaign_id, team_id, case when step = 0 then 'replied' else 'again_replied' end, {d}
        from {rows} where replied_at is not null
        union all select campaign_id, team_id, 'opted_out', {d} from {rows} where opted_out_at is not null and step = 0
        union all select campaign_id, team_id, 'v' || variant || '_sent', {d}
        from {rows} where step = 0 and status = 'sent'
        union all select campaign_id, team_id, 'v' || variant || '_replied', {d}
        from {rows} where step = 0 and replied_at is not null
"""
COUNTED_MESSAGES = """
        select campaign_id, team_id, case when coalesce(step, 0) = 0 then what else 'again_' || what end as name,
            {d} as d
        from {rows}, lateral (
            select 'delivered' as what where delivered_at is not null
            union all select 'read' where read_at is not null
            union all select 'undelivered' where failed_at is not null
        ) told
        where campaign_id is not null
        union all select campaign_id, team_id, 'v' || coalesce(variant, 0) || '_read', {d}
        from {rows} where campaign_id is not null and coalesce(step, 0) = 0 and read_at is not null
"""
ADD = """
    insert into campaign_counters as c (campaign_id, team_id, name, n)
    select campaign_id, team_id, name, sum(d) from ({counted}) rows
    group by 1, 2, 3 having sum(d) <> 0 order by 1, 3
    on conflict (campaign_id, name) do update set n = c.n + excluded.n;
"""


def counting(function: str, counted: str, *, deletes: bool) -> str:
    """A function for the three triggers of a table: what its statement made more or less is added to the counters."""
    new, old = counted.format(rows="new_rows", d=1), counted.format(rows="old_rows", d=-1)
    of_gone = (
        f"""
        update campaign_counters c set n = c.n + gone.n
        from (select campaign_id, name, sum(d) as n from ({old}) rows group by 1, 2) gone
        where c.campaign_id = gone.campaign_id and c.name = gone.name;"""  # noqa: S608 - our own text
        if deletes
        else ""  # messages are erased for privacy or with age; what was counted stays counted
    )
    return f"""
create or replace function {function}() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' then{of_gone}
        return null;
    end if;
    if tg_op = 'INSERT' then
        {ADD.format(counted=new)}
        return null;
    end if;
    {ADD.format(counted=f"{new} union all {old}")}
    return null;
end $$
"""


# Whatever a statement was meant to do: who was written to stays so, and what has ended does not begin again.
KEEP_THE_END = """
create function keep_the_end() returns trigger language plpgsql as $$
begin
    raise exception 'a % that is % does not become %', tg_argv[0], old.status, new.status
        using errcode = 'check_violation', constraint = 'keep_the_end';
end $$
"""
ENDS = {
    "campaign_leads": ("recipient", "sent', 'skipped', 'cancelled"),
    "campaigns": ("campaign", "finished', 'cancelled"),
}


def upgrade() -> None:
    op.create_table(
        "media_files",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("mimetype", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind in ('image', 'video', 'audio', 'document')", name=op.f("ck_media_files_kind")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], ondelete="SET NULL", name=op.f("fk_media_files_created_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], ondelete="RESTRICT", name=op.f("fk_media_files_team_id_teams")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_files")),
        sa.UniqueConstraint("team_id", "id", name=op.f("uq_media_files_team_id_id")),
    )
    op.create_index("ix_media_files_sha256", "media_files", ["team_id", "sha256"])
    op.execute("alter table media_files alter column content set storage external")
    op.create_table(
        "message_templates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["users.id"], ondelete="SET NULL", name=op.f("fk_message_templates_created_by_users")
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["teams.id"], ondelete="RESTRICT", name=op.f("fk_message_templates_team_id_teams")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message_templates")),
        sa.UniqueConstraint("team_id", "name", name=op.f("uq_message_templates_team_id_name")),
    )

    op.add_column("campaign_steps", sa.Column("variant", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("campaign_steps", sa.Column("weight", sa.SmallInteger(), server_default="1", nullable=False))
    op.add_column("campaign_steps", sa.Column("media_id", sa.BigInteger(), nullable=True))
    op.drop_column("campaign_steps", "wait_days")
    op.drop_constraint(op.f("pk_campaign_steps"), "campaign_steps")
    op.create_primary_key(op.f("pk_campaign_steps"), "campaign_steps", ["campaign_id", "position", "variant"])
    op.create_foreign_key(
        op.f("fk_campaign_steps_team_id_media_id_media_files"),
        "campaign_steps",
        "media_files",
        ["team_id", "media_id"],
        ["team_id", "id"],
    )
    op.create_check_constraint(
        op.f("ck_campaign_steps_which"), "campaign_steps", "position in (0, 1) and variant between 0 and 4"
    )
    op.create_check_constraint(op.f("ck_campaign_steps_weight"), "campaign_steps", "weight between 1 and 100")

    op.add_column("campaign_instances", sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False))
    op.create_check_constraint(op.f("ck_campaign_instances_weight"), "campaign_instances", "weight between 1 and 100")

    op.add_column("campaigns", sa.Column("rotation", sa.String(length=24), server_default="balanced", nullable=False))
    op.create_check_constraint(
        op.f("ck_campaigns_rotation"), "campaigns", "rotation in ('balanced', 'health', 'in_order', 'weights')"
    )
    op.add_column("campaigns", sa.Column("follow_up_days", sa.SmallInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_campaigns_follow_up_days"), "campaigns", "follow_up_days between 3 and 60")
    op.add_column("campaigns", sa.Column("on_missing", sa.String(length=24), server_default="skip", nullable=False))
    op.create_check_constraint(op.f("ck_campaigns_on_missing"), "campaigns", "on_missing in ('skip', 'hold')")
    for name in ("local_time", "opening_hours_only"):
        op.add_column("campaigns", sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False))
    _states_of_campaigns((*STATES[:2], "starting", *STATES[2:]))
    op.drop_index("ix_campaigns_alive", "campaigns")
    op.create_index(
        "ix_campaigns_alive",
        "campaigns",
        ["id"],
        postgresql_where=sa.text("status in ('scheduled', 'starting', 'running')"),
    )

    op.add_column("campaign_leads", sa.Column("variant", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("campaign_leads", sa.Column("place", sa.String(length=80), nullable=True))
    op.add_column("campaign_leads", sa.Column("follow_up_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("ix_campaign_leads_due", "campaign_leads")
    op.create_index(
        "ix_campaign_leads_due",
        "campaign_leads",
        ["campaign_id", "instance_id", "not_before", "id"],
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.drop_index("ix_campaign_leads_in_flight", "campaign_leads")
    op.create_index(
        "ix_campaign_leads_in_flight",
        "campaign_leads",
        ["instance_id", "lease_until"],
        postgresql_where=sa.text("status in ('sending', 'unconfirmed', 'held')"),
    )
    op.create_index(
        "ix_campaign_leads_follow_up",
        "campaign_leads",
        ["campaign_id", "follow_up_at"],
        postgresql_where=sa.text("follow_up_at is not null"),
    )
    # Those who waited when there was one number for all: they are that number's.
    op.execute(
        "update campaign_leads cl set instance_id = (select min(ci.instance_id) from campaign_instances ci"
        " where ci.campaign_id = cl.campaign_id) where cl.status = 'queued'"
    )
    op.add_column("messages", sa.Column("step", sa.SmallInteger(), nullable=True))
    op.add_column("messages", sa.Column("variant", sa.SmallInteger(), nullable=True))
    op.add_column("instances", sa.Column("per_hour", sa.Integer(), nullable=True))
    op.create_check_constraint(op.f("ck_instances_per_hour"), "instances", "per_hour between 1 and 1000")

    op.execute(counting("count_recipients", COUNTED_LEADS, deletes=True))
    op.execute(counting("count_receipts", COUNTED_MESSAGES, deletes=False))
    op.execute(
        "insert into campaign_counters (campaign_id, team_id, name, n)"
        " select campaign_id, team_id, 'v0_' || what, count(*) from ("
        "select campaign_id, team_id, 'sent' as what from campaign_leads where status = 'sent'"
        " union all select campaign_id, team_id, 'replied' from campaign_leads where replied_at is not null"
        " union all select campaign_id, team_id, 'read' from messages where campaign_id > 0 and read_at is not null"
        ") rows group by 1, 2, 3"
    )
    op.execute(KEEP_THE_END)
    for table, (what, ends) in ENDS.items():
        op.execute(
            f"create trigger keep_the_end before update of status on {table} for each row"
            f" when (old.status in ('{ends}') and new.status <> old.status) execute function keep_the_end('{what}')"
        )


def downgrade() -> None:
    for table in ENDS:
        op.execute(f"drop trigger keep_the_end on {table}")
    op.execute("drop function keep_the_end")
    op.execute("delete from campaign_counters where name like 'v%\\_%' or name like 'again\\_%'")
    op.execute("delete from campaign_leads where step > 0")
    op.execute("delete from campaign_steps where position > 0 or variant > 0")
    leads = COUNTED_LEADS.split("union all select campaign_id, team_id, 'v'")[0]
    messages = COUNTED_MESSAGES.split("union all select campaign_id, team_id, 'v'")[0]
    for name in ("step", "variant"):
        op.drop_column("messages", name)
    for counted in ("step", "variant"):
        leads = leads.replace(f"{counted} = 0", "true")
    messages = messages.replace("coalesce(step, 0) = 0", "true")
    op.execute(counting("count_recipients", leads, deletes=True))
    op.execute(counting("count_receipts", messages, deletes=False))

    op.drop_constraint(op.f("ck_instances_per_hour"), "instances")
    op.drop_column("instances", "per_hour")
    op.drop_index("ix_campaign_leads_follow_up", "campaign_leads")
    op.drop_index("ix_campaign_leads_in_flight", "campaign_leads")
    op.create_index(
        "ix_campaign_leads_in_flight",
        "campaign_leads",
        ["instance_id", "lease_until"],
        postgresql_where=sa.text("status in ('sending', 'unconfirmed')"),
    )
    op.drop_index("ix_campaign_leads_due", "campaign_leads")
    op.create_index(
        "ix_campaign_leads_due",
        "campaign_leads",
        ["campaign_id", "not_before", "id"],
        postgresql_where=sa.text("status = 'queued'"),
    )
    for name in ("follow_up_at", "place", "variant"):
        op.drop_column("campaign_leads", name)

    op.execute("update campaigns set status = 'draft' where status = 'starting'")
    _states_of_campaigns(STATES)
    op.drop_index("ix_campaigns_alive", "campaigns")
    op.create_index(
        "ix_campaigns_alive", "campaigns", ["id"], postgresql_where=sa.text("status in ('scheduled', 'running')")
    )
    for name in ("rotation", "follow_up_days", "on_missing"):
        op.drop_constraint(op.f(f"ck_campaigns_{name}"), "campaigns")
    for name in ("opening_hours_only", "local_time", "on_missing", "follow_up_days", "rotation"):
        op.drop_column("campaigns", name)
    op.drop_constraint(op.f("ck_campaign_instances_weight"), "campaign_instances")
    op.drop_column("campaign_instances", "position")

    for name in ("weight", "which"):
        op.drop_constraint(op.f(f"ck_campaign_steps_{name}"), "campaign_steps")
    op.drop_constraint(op.f("fk_campaign_steps_team_id_media_id_media_files"), "campaign_steps")
    op.drop_constraint(op.f("pk_campaign_steps"), "campaign_steps")
    op.create_primary_key(op.f("pk_campaign_steps"), "campaign_steps", ["campaign_id", "position"])
    op.add_column("campaign_steps", sa.Column("wait_days", sa.SmallInteger(), server_default="0", nullable=False))
    for name in ("media_id", "weight", "variant"):
        op.drop_column("campaign_steps", name)
    op.drop_table("message_templates")
    op.drop_table("media_files")


def _states_of_campaigns(states: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{state}'" for state in states)
    op.drop_constraint(op.f("ck_campaigns_status"), "campaigns")
    op.create_check_constraint(op.f("ck_campaigns_status"), "campaigns", f"status in ({listed})")
