"""A team with its numbers and everybody who is to be written to, as rows that stand as after a start; and what is there
afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bench.storms.judge import Person
from core.accounts.rules import Actor, Role, TeamId, UserId
from core.campaigns.rules import CampaignId
from core.instances.rules import InstanceId
from core.instances.sessions import webhook_address
from core.leads.phones import phone_hash
from core.runtime import Runtime
from sandbox.gateway import Gateway

TEXT = "Oi, {empresa}! Podemos conversar?"
LINE = "Se preferir não receber, responda SAIR."
TIMEZONE = "America/Sao_Paulo"

TEAM = text("insert into teams (name) values ('Tempestade') returning id")
USER = text("""
insert into users (email, name, password_hash) values ('ana@prumo.example', 'Ana', '-') returning id
""")
NUMBER = text("""
insert into instances (team_id, name, gateway_name, status, connected_at, gap_min_s, gap_max_s, per_day, rest_after)
values (:team_id, :name, :name, 'connected', now(), :gap_s, :gap_s, 1000, 0)
returning id
""")
CAMPAIGN = text("""
insert into campaigns (team_id, name, status, started_at, opt_out_line, total, timezone, window_start_min,
    window_end_min, weekdays, skip_holidays, gap_min_s, gap_max_s, per_day)
values (:team_id, 'Tempestade', 'running', now(), :line, :total, :timezone, 0, 1440, '{1,2,3,4,5,6,7}', false,
    :gap_s, :gap_s, 10000)
returning id
""")
STEP = text("insert into campaign_steps (campaign_id, position, team_id, text) values (:id, 0, :team_id, :text)")
NUMBERS = text("insert into campaign_instances (campaign_id, instance_id, team_id) values (:id, :number, :team_id)")
LEADS = text("""
insert into leads (team_id, place_key, name, name_folded, phone, phone_type, phone_hash)
select :team_id, 'chaos:' || n, 'Loja ' || n, 'loja ' || n, phone, 'mobile', hash
from unnest(cast(:ns as int[]), cast(:phones as text[]), cast(:hashes as bytea[])) as people (n, phone, hash)
""")
# Each belongs to one of the numbers, in turn.
RECIPIENTS = text("""
insert into campaign_leads (team_id, campaign_id, lead_id, lead_name, phone, phone_hash, instance_id)
select team_id, :id, id, name, phone, phone_hash,
       (cast(:numbers as bigint[]))[1 + id % cardinality(cast(:numbers as bigint[]))]
from leads where team_id = :team_id order by id
""")
STATES = text("select status, count(*) as n from campaign_leads group by status")
PEOPLE = text("""
select cl.id, cl.phone, cl.status, cl.reason, cl.claimed_at, cl.attempts, m.gateway_message_id,
       cl.evidence ->> 'by' as by
from campaign_leads cl left join messages m on m.id = cl.message_id
order by cl.id
""")
COUNTERS = text("""
select coalesce(sum(abs(coalesce(c.n, 0) - coalesce(r.n, 0))), 0)
from (select campaign_id, name, n from campaign_counters where name = any(:states)) c
full join (select campaign_id, cast(status as text) as name, count(*) as n from campaign_leads group by 1, 2) r
    on r.campaign_id = c.campaign_id and r.name = c.name
""")
ALL_STATES = ["queued", "sending", "sent", "failed", "unconfirmed", "held", "skipped", "cancelled"]
ATTEMPTS = text("select count(*) from attempts")
STOPPED = text("select id from instances where paused_at is not null")
# Everything that people and numbers wait for lies so much nearer, as if the time had passed.
PASSED = (
    "update instances set next_send_at = next_send_at - :t, lease_until = lease_until - :t",
    "update campaign_leads set not_before = not_before - :t, claimed_at = claimed_at - :t,"
    " lease_until = lease_until - :t, sent_at = sent_at - :t",
    "update messages set at = at - :t, sent_at = sent_at - :t",
)


@dataclass(frozen=True)
class Scene:
    """Who writes from which numbers in which campaign."""

    runtime: Runtime
    team_id: int
    numbers: Sequence[tuple[InstanceId, str]]  # with the name at the gateway
    campaign_id: CampaignId
    actor: Actor

    # ------------------------------------------------------------ to look

    def states(self) -> Counter[str]:
        with self.runtime.work() as work:
            return Counter({row.status: row.n for row in work.session.execute(STATES)})

    def people(self) -> list[Person]:
        with self.runtime.work() as work:
            return [
                Person(
                    id=row.id,
                    number=row.phone.removeprefix("+"),
                    status=row.status,
                    reason=row.reason,
                    claimed_at=None if row.claimed_at is None else row.claimed_at.timestamp(),
                    attempts=row.attempts,
                    gateway_id=row.gateway_message_id,
                    by=row.by,
                )
                for row in work.session.execute(PEOPLE)
            ]

    def counters_off(self) -> int:
        """By how many the counters that people see differ from the rows."""
        with self.runtime.work() as work:
            return int(work.session.execute(COUNTERS, {"states": ALL_STATES}).scalar_one())

    def stopped_numbers(self) -> list[InstanceId]:
        with self.runtime.work() as work:
            return [InstanceId(id_) for id_ in work.session.scalars(STOPPED)]

    def attempts(self) -> int:
        """Ends of calls that were written down, by whoever."""
        with self.runtime.work() as work:
            return int(work.session.execute(ATTEMPTS).scalar_one())

    # ------------------------------------------------------------ to change

    def do(self, statement: str, **values: Any) -> datetime:
        """Says when it was committed, by the database's clock."""
        with self.runtime.work() as work:
            work.session.execute(text(statement), values)
        return self.now()

    def now(self) -> datetime:
        with self.runtime.work() as work:
            at: datetime = work.session.execute(text("select clock_timestamp()")).scalar_one()
            return at

    def pass_time(self, time: timedelta) -> None:
        with self.runtime.work() as work:
            for statement in PASSED:
                work.session.execute(text(statement), {"t": time})


def phone_of(n: int) -> str:
    """No two alike, and none that the sandbox makes special by its last digits."""
    return f"+551190000{n:04d}"


def fill(runtime: Runtime, *, contacts: int, numbers: int, gap_s: int = 0) -> Scene:
    """The product knows no pause below a second; a storm without one (`gap_s` 0) lets its database allow it."""
    secret = runtime.settings.secret_key
    with runtime.work() as work:
        do = work.session.execute
        if not gap_s:
            for table in ("instances", "campaigns"):
                do(text(f"alter table {table} drop constraint if exists ck_{table}_gap"))
        team_id = do(TEAM).scalar_one()
        user_id = do(USER).scalar_one()
        names = [f"tempestade-{n:02d}" for n in range(1, numbers + 1)]
        ids = [do(NUMBER, {"team_id": team_id, "name": name, "gap_s": gap_s}).scalar_one() for name in names]
        campaign = {"team_id": team_id, "line": LINE, "total": contacts, "timezone": TIMEZONE, "gap_s": gap_s}
        campaign_id = do(CAMPAIGN, campaign).scalar_one()
        do(STEP, {"id": campaign_id, "team_id": team_id, "text": TEXT})
        for id_ in ids:
            do(NUMBERS, {"id": campaign_id, "number": id_, "team_id": team_id})
        phones = [phone_of(n) for n in range(1, contacts + 1)]
        hashes = [phone_hash(secret, phone) for phone in phones]
        do(LEADS, {"team_id": team_id, "ns": list(range(1, contacts + 1)), "phones": phones, "hashes": hashes})
        do(RECIPIENTS, {"team_id": team_id, "id": campaign_id, "numbers": ids})
    actor = Actor(
        UserId(user_id), TeamId(team_id), Role.OWNER, False, "Ana", "Tempestade", "pt-BR", "system", 0, TIMEZONE
    )
    pairs = [(InstanceId(id_), name) for id_, name in zip(ids, names, strict=True)]
    return Scene(runtime, team_id, pairs, CampaignId(campaign_id), actor)


def open_numbers(scene: Scene, gateway: Gateway, *, hears: bool) -> None:
    """Connected there as well.  Of its webhooks only those are told that say what was sent."""
    for n, (id_, name) in enumerate(scene.numbers):
        door = webhook_address(scene.runtime.settings, id_, name)
        headers = {"authorization": f"Bearer {door.token}"}
        webhook = {
            "url": door.url,
            "headers": headers,
            "enabled": True,
            "events": ["SEND_MESSAGE", "CONNECTION_UPDATE"],
        }
        gateway.open_instance(name, f"55119000099{n:02d}", webhook=webhook if hears else None)
