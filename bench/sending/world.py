"""A team's rows before a round: its leads, its numbers, its campaign; and what is true of them afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from bench.sending.people import OPT_OUT_LINE, TEMPLATE, person
from core.accounts.rules import TeamId
from core.campaigns import queries, starting
from core.campaigns.rules import CampaignId, CampaignStatus
from core.instances.rules import InstanceId
from core.leads.phones import phone_hash
from core.runtime import Runtime
from core.sending.rules import RecipientStatus

EMPTY = text("truncate teams, users, webhook_inbox, early_receipts restart identity cascade")
TEAM = text("insert into teams (name) values ('Bench') returning id")
NUMBER = text("""
insert into instances (team_id, name, gateway_name, status, phone, connected_at, first_connected_at, rest_after)
values (:team_id, :name, :name, 'connected', :phone, now() - interval '90 days', now() - interval '90 days', 0)
returning id
""")
CAMPAIGN = text("""
insert into campaigns (team_id, name, audience, opt_out_line, sender_name, window_start_min, window_end_min, weekdays,
    skip_holidays, per_day)
values (:team_id, 'Bench', '{}', :opt_out_line, 'Ana', 0, 1440, '{1,2,3,4,5,6,7}', false, 10000)
returning id
""")
STEP = text("insert into campaign_steps (campaign_id, position, team_id, text) values (:id, 0, :team_id, :text)")
LEAVES_FROM = text("""
insert into campaign_instances (campaign_id, instance_id, team_id) values (:id, :instance_id, :team_id)
""")
# With all that a search finds, since each column that is sought by has its index to be kept.
LEADS = text("""
insert into leads (team_id, place_key, cid, place_id, name, name_folded, category, address, neighbourhood, city, state,
    country, phone, phone_type, phone_hash, website, site, rating, review_count, words, source, details)
select :team_id, 'cid:' || n, cast(n as text), 'ChIJ' || md5(cast(n as text)), name, lower(name), kind,
    'Rua das Flores, ' || n, area, city, 'SP', 'BR', phone, 'mobile', hash, 'https://loja' || n || '.com.br',
    'loja' || n || '.com.br', 3 + n % 20 / 10.0, n % 900, lower(name) || ' ' || substr(phone, 2) || ' rua das flores '
    || n || ' ' || lower(area) || ' loja' || n || '.com.br', 'google_maps', '{}'
from unnest(cast(:ns as int[]), cast(:names as text[]), cast(:kinds as text[]), cast(:areas as text[]),
    cast(:cities as text[]), cast(:phones as text[]), cast(:hashes as bytea[]))
    as people (n, name, kind, area, city, phone, hash)
""")
# Each number has written to others before, a while ago: a table that has never held a row is planned for like no other.
WRITTEN_BEFORE = text("""
insert into messages (team_id, instance_id, direction, phone, phone_hash, text, at, sent_at, gateway_message_id)
select :team_id, :instance_id, 'out', '+551192' || lpad(n::text, 7, '0'), sha256(n::text::bytea), :text, at, at,
    'BEFORE' || n
from (select n, now() - interval '90 days' + n * interval '1 minute' as at from generate_series(1, 5000) n) before
""")
# What no installation may do, and what is to be measured without.
NO_LIMITS = text("""
alter table instances drop constraint if exists ck_instances_per_day, drop constraint if exists ck_instances_gap;
alter table campaigns drop constraint if exists ck_campaigns_per_day, drop constraint if exists ck_campaigns_gap;
update instances set per_day = 100000000, cap = null, gap_min_s = 0, gap_max_s = 0;
update campaigns set per_day = 100000000, gap_min_s = 0, gap_max_s = 0
""")
AFTERWARDS = text("""
select
    (select count(*) from campaign_leads where campaign_id = :id) as rows,
    (select count(*) from campaign_leads where campaign_id = :id and status = 'sent' and sent_at is not null) as sent,
    (select count(*) from campaign_leads r join messages m on m.id = r.message_id
     where r.campaign_id = :id and m.sent_at is not null and m.gateway_message_id is not null and m.phone = r.phone
    ) as bound,
    (select count(*) from messages where campaign_id = :id) as messages,
    (select count(*) from written_leads w join campaign_leads r on r.lead_id = w.lead_id
     where r.campaign_id = :id) as leads,
    (select coalesce(sum(sent_today), 0) from instances) as counted_by_numbers,
    (select sent_today from campaigns where id = :id) as counted_by_campaign
""")
COUNTERS = text("select name, n from campaign_counters where campaign_id = :id")


@dataclass(frozen=True)
class Round:
    """What one round of ours sends from."""

    campaign: CampaignId
    numbers: list[InstanceId]
    people: int


def fill(runtime: Runtime, people: int, numbers: int) -> Round:
    """Empties the database first: it is the bench's own.  The campaign is started as a person's press does."""
    secret = runtime.settings.secret_key
    who = [person(n) for n in range(people)]
    with runtime.work() as work:
        work.session.execute(EMPTY)
        team_id = work.session.scalars(TEAM).one()
        leads: dict[str, Any] = {
            "team_id": team_id,
            "ns": list(range(people)),
            "names": [each.name for each in who],
            "kinds": [each.kind for each in who],
            "areas": [each.neighbourhood for each in who],
            "cities": [each.city for each in who],
            "phones": [each.phone for each in who],
            "hashes": [phone_hash(secret, each.phone) for each in who],
        }
        work.session.execute(LEADS, leads)
    made = started(runtime, team_id, numbers)
    with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    if made.people != people:
        raise ValueError(f"{made.people} of {people} would be written to")
    return made


def started(runtime: Runtime, team_id: TeamId, numbers: int) -> Round:
    """A campaign to all leads of a team, begun."""
    with runtime.work() as work:
        ids = [
            InstanceId(
                work.session.scalars(
                    NUMBER, {"team_id": team_id, "name": f"bench-{n}", "phone": f"+551193{n:07d}"}
                ).one()
            )
            for n in range(numbers)
        ]
        asked = {"team_id": team_id, "opt_out_line": OPT_OUT_LINE}
        campaign_id = CampaignId(work.session.scalars(CAMPAIGN, asked).one())
        work.session.execute(STEP, {"id": campaign_id, "team_id": team_id, "text": TEMPLATE})
        for number in ids:
            before = {"team_id": team_id, "instance_id": number, "text": TEMPLATE}
            work.session.execute(WRITTEN_BEFORE, before)
            work.session.execute(LEAVES_FROM, {"id": campaign_id, "team_id": team_id, "instance_id": number})
    with runtime.work() as work:
        draft = queries.draft(work.session, team_id, campaign_id)
        starting.begin(work, team_id, draft, was=[CampaignStatus.DRAFT])
    with runtime.work() as work:
        people = starting.build(work, campaign_id)
    return Round(campaign_id, ids, people or 0)


def take_limits_off(runtime: Runtime) -> None:
    """Caps and gaps of numbers and campaigns; until then all is as an installation has it."""
    with runtime.work() as work:
        work.session.execute(NO_LIMITS)


def wrong_with(runtime: Runtime, sent_from: Round, numbers_told: Mapping[str, int]) -> dict[str, int]:
    """What is not as it has to be, by its kind and how far off; empty where everybody was written to exactly once."""
    wrong = wrong_at_the_gateway(sent_from.people, numbers_told)
    with runtime.work() as work:
        row = work.session.execute(AFTERWARDS, {"id": sent_from.campaign}).one()
        counters = {each.name: each.n for each in work.session.execute(COUNTERS, {"id": sent_from.campaign})}
    for name in row._fields:
        if off := getattr(row, name) - sent_from.people:
            wrong[name] = off
    for status in RecipientStatus:
        should = sent_from.people if status is RecipientStatus.SENT else 0
        if off := counters.get(status.value, 0) - should:
            wrong[f"counter of {status.value}"] = off
    return wrong


def wrong_at_the_gateway(people: int, numbers_told: Mapping[str, int]) -> dict[str, int]:
    expected = {person(n).digits for n in range(people)}
    found = {
        "never written to": len(expected - numbers_told.keys()),
        "strangers": len(numbers_told.keys() - expected),
        "twice": sum(n - 1 for n in numbers_told.values()),
    }
    return {name: n for name, n in found.items() if n}
