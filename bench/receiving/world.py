"""Teams' rows before it begins: connected numbers, and everybody who was written to; and what is there afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import text

from bench.receiving import mix
from core.instances import sessions
from core.instances.rules import InstanceId
from core.leads.phones import phone_hash
from core.runtime import Runtime

EMPTY = text("truncate teams, users, webhook_inbox, early_receipts restart identity cascade")
TEAM = text("insert into teams (name) values ('Bench') returning id")
NUMBER = text("""
insert into instances (team_id, name, gateway_name, status, phone, connected_at, first_connected_at)
values (:team_id, :name, :name, 'connected', :phone, now() - interval '9 days', now() - interval '9 days')
returning id
""")
CAMPAIGN = text("""
insert into campaigns (team_id, name, status, started_at, opt_out_line, total)
values (:team_id, 'Bench', 'running', now(), 'Para não receber mais, responda SAIR.', :total) returning id
""")
STEP = text("insert into campaign_steps (campaign_id, position, team_id, text) values (:id, 0, :team_id, 'Olá!')")
PEOPLE = """
unnest(cast(:ns as int[]), cast(:phones as text[]), cast(:hashes as bytea[]), cast(:texts as text[]),
    cast(:ids as text[]), cast(:instances as bigint[]), cast(:doubts as boolean[]))
    as people (n, phone, hash, words, gateway_message_id, instance_id, is_in_doubt)
"""
LEADS = text(f"""
insert into leads (team_id, place_key, name, name_folded, phone, phone_type, phone_hash)
select :team_id, 'bench:' || n, 'Loja ' || n, 'loja ' || n, phone, 'mobile', hash from {PEOPLE}
""")  # noqa: S608 - the words are ours, here and below
MESSAGES = text(f"""
insert into messages (team_id, instance_id, direction, phone, phone_hash, lead_id, campaign_id, text,
    gateway_message_id, at, sent_at)
select :team_id, instance_id, 'out', people.phone, hash, lead.id, :campaign_id, people.words,
    case when not is_in_doubt then gateway_message_id end, now(), case when not is_in_doubt then now() end
from {PEOPLE} join leads lead on lead.team_id = :team_id and lead.phone_hash = hash
""")  # noqa: S608
RECIPIENTS = text("""
insert into campaign_leads (team_id, campaign_id, lead_id, lead_name, phone, phone_hash, instance_id, status, attempts,
    claimed_at, sent_at, message_id, claim_token, lease_until)
select m.team_id, m.campaign_id, m.lead_id, 'Loja', m.phone, m.phone_hash, m.instance_id,
    case when m.sent_at is null then 'unconfirmed' else 'sent' end, 1, m.at, m.sent_at, m.id,
    case when m.sent_at is null then gen_random_uuid() end, case when m.sent_at is null then now() end
from messages m
""")
LINK = text("update messages m set campaign_lead_id = cl.id from campaign_leads cl where cl.message_id = m.id")

WAITING = text("select count(*) from webhook_inbox where applied_at is null")
COUNTED = text("""
select
    (select count(*) from webhook_inbox where convert_from(body, 'utf8') not like '%connection.update%') as stored,
    (select count(*) from webhook_inbox where convert_from(body, 'utf8') like '%connection.update%') as states,
    (select count(*) from webhook_inbox where error is not null) as failed,
    (select count(*) from messages where direction = 'out' and delivered_at is not null) as delivered,
    (select count(*) from messages where direction = 'out' and read_at is not null) as read,
    (select count(*) from messages where direction = 'in') as received,
    (select count(*) from campaign_leads where replied_at is not null) as replied,
    (select count(*) from campaign_leads where status = 'sent') as sent,
    (select count(*) from campaign_leads where opted_out_at is not null) as opted_out,
    (select count(*) from opt_outs) as opt_outs,
    (select count(*) from conversations) as conversations,
    (select count(*) from instances where status = 'connected') as connected,
    (select coalesce(max(n), 0) from (select count(*) as n from answers group by conversation_id) a) as confirmations
""")
COUNTERS = text("select name, n from campaign_counters")


@dataclass(frozen=True)
class Effects:
    """Rows of each kind."""

    stored: int
    delivered: int
    read: int
    received: int
    replied: int
    sent: int
    opted_out: int
    opt_outs: int
    conversations: int
    connected: int


def expected(told: mix.Mix) -> Effects:
    """After all of it, each once."""
    everybody = len(told.recipients)
    return Effects(
        stored=told.bodies,
        delivered=everybody - told.doubts,
        read=everybody - told.doubts,
        received=len(told.replied),
        replied=len(told.replied),
        sent=everybody,
        opted_out=len(told.left),
        opt_outs=len(told.left),
        conversations=len(told.replied),
        connected=mix.NUMBERS,
    )


def fill(runtime: Runtime, told: mix.Mix) -> list[InstanceId]:
    """Empties the database first: it is the bench's own.  The ids of the numbers, in their order."""
    secret = runtime.settings.secret_key
    with runtime.work() as work:
        work.session.execute(EMPTY)
        team_id = work.session.scalars(TEAM).one()
        numbers = [
            work.session.scalars(
                NUMBER, {"team_id": team_id, "name": mix.name_of(n), "phone": f"+55119{10_000_000 + n}"}
            ).one()
            for n in range(mix.NUMBERS)
        ]
        campaign_id = work.session.scalars(CAMPAIGN, {"team_id": team_id, "total": len(told.recipients)}).one()
        work.session.execute(STEP, {"id": campaign_id, "team_id": team_id})
        people: dict[str, Any] = {
            "team_id": team_id,
            "campaign_id": campaign_id,
            "ns": [each.n for each in told.recipients],
            "phones": [each.phone for each in told.recipients],
            "hashes": [phone_hash(secret, each.phone) for each in told.recipients],
            "texts": [each.text for each in told.recipients],
            "ids": [each.gateway_message_id for each in told.recipients],
            "instances": [numbers[each.number] for each in told.recipients],
            "doubts": [each.is_in_doubt for each in told.recipients],
        }
        work.session.execute(LEADS, people)
        work.session.execute(MESSAGES, people)
        work.session.execute(RECIPIENTS)
        work.session.execute(LINK)
    with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    return numbers


def doors(runtime: Runtime, numbers: list[InstanceId], url: str) -> list[dict[str, str]]:
    return [
        {
            "url": f"{url}/webhooks/{number}/{mix.name_of(n)}",
            "token": sessions.webhook_token(runtime.settings.secret_key, number, mix.name_of(n)),
        }
        for n, number in enumerate(numbers)
    ]


def waiting(runtime: Runtime) -> int:
    with runtime.work() as work:
        return work.session.scalars(WAITING).one()


def lost_and_doubled(runtime: Runtime, told: mix.Mix) -> tuple[dict[str, int], dict[str, int], int]:
    """What is missing and what is there more than once, by its kind; and how many rows the states were.

    The counters are what people see: those that are not as the rows are count as double.
    """
    with runtime.work() as work:
        row = work.session.execute(COUNTED).one()
        counters = {each.name: each.n for each in work.session.execute(COUNTERS)}
    lost, doubled = {}, {}
    for name, should in _each(expected(told)):
        there = getattr(row, name)
        if there < should:
            lost[name] = should - there
        elif there > should:
            doubled[name] = there - should
    for name in ("delivered", "read", "replied", "sent", "opted_out"):
        if off := abs(counters.get(name, 0) - getattr(row, name)):
            doubled[f"counter of {name}"] = off
    if row.confirmations > 1:
        doubled["confirmations"] = row.confirmations - 1
    if row.failed:
        lost["errors"] = row.failed
    return lost, doubled, row.states


def _each(effects: Effects) -> Iterator[tuple[str, int]]:
    return ((each.name, getattr(effects, each.name)) for each in fields(effects))
