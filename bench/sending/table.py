"""What a page and a claim take on a large table: nine campaigns that are over, and a tenth of 100,000 that runs."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event, text

from bench.searching.figures import Figure, shown
from bench.sending import world
from bench.sending.ours import UnlimitedRuntime
from core.accounts.rules import Actor, Role, TeamId, UserId
from core.campaigns import queries, service
from core.campaigns.rules import CampaignId
from core.instances.rules import InstanceId
from core.runtime import Runtime
from core.sending import lease as leases
from core.sending.claiming import claim_next
from core.settings import Settings

RUNS = 31
COUNTERS_BAR_MS = 5.0
LARGE = ("campaign_leads", "messages", "leads", "attempts")
OLD_CAMPAIGN = text("""
insert into campaigns (team_id, name, status, started_at, ended_at, total, opt_out_line)
values (:team_id, 'Bench, over', 'finished', now() - interval '60 days', now() - interval '50 days', :n, '')
returning id
""")
# To others than those of the campaign that runs, and too long ago to keep anybody from being written to.
OLD_RECIPIENTS = text("""
insert into campaign_leads (team_id, campaign_id, lead_name, phone, phone_hash, status, attempts, claimed_at, sent_at,
    changed_at, not_before)
select :team_id, :id, 'Loja ' || n, '+55118' || lpad(cast(n + :first as text), 8, '0'),
    sha256(cast(cast(n + :first as text) as bytea)), 'sent', 1, at, at, at, at - interval '1 day'
from (select n, now() - interval '60 days' + n * interval '8 seconds' as at from generate_series(1, :n) n) sent
""")
OLD_MESSAGES = text("""
insert into messages (team_id, instance_id, direction, phone, phone_hash, campaign_id, campaign_lead_id, text,
    gateway_message_id, at, sent_at, delivered_at)
select team_id, :number, 'out', phone, phone_hash, campaign_id, id, 'Oi! Vi a ' || lead_name || ' no mapa.',
    '3EB0' || upper(substr(md5(cast(id as text)), 1, 18)), claimed_at, sent_at, sent_at
from campaign_leads where campaign_id = :id and status = 'sent'
""")
# Of the campaign that runs: most of them are over, a few in every other way, and the rest wait.
SOME_ARE_SENT = text("""
update campaign_leads set status = 'sent', attempts = 1, claimed_at = at, sent_at = at, changed_at = at
from (
    select id as sent_id, now() - (row_number() over (order by id)) * interval '0.7 seconds' as at
    from campaign_leads where campaign_id = :id order by id limit :n
) gone where id = sent_id
""")
SOME_HAVE_FAILED = text("""
update campaign_leads set status = 'failed', reason = 'not_on_whatsapp'
where id in (select id from campaign_leads where campaign_id = :id and status = 'queued' limit :n)
""")
COUNTED = text("select status, count(*) from campaign_leads where campaign_id = :id group by status")


@dataclass(frozen=True)
class Large:
    team_id: TeamId
    campaign: CampaignId
    number: InstanceId
    rows: int
    in_campaign: int


def measure(told: Mapping[str, str], rows: int, say: Callable[[str], None]) -> list[Figure]:
    runtime = Runtime(Settings.from_environment(told), pool_size=3, statement_timeout_s=1_200)
    unlimited = UnlimitedRuntime(runtime.settings, at_once=32, pool_size=2)
    try:
        large = fill(runtime, rows, say)
        say(f"{shown(large.rows)} recipients are there; reading")
        return [*read_by_the_page(runtime, large), *read_by_the_claim(unlimited, large)]
    finally:
        unlimited.close()
        runtime.close()


def fill(runtime: Runtime, rows: int, say: Callable[[str], None]) -> Large:
    in_campaign = rows // 10
    made = world.fill(runtime, in_campaign, 1)
    with runtime.work() as work:
        team_id = work.session.scalars(text("select id from teams")).one()
        work.session.execute(SOME_ARE_SENT, {"id": made.campaign, "n": in_campaign * 6 // 10})
        work.session.execute(OLD_MESSAGES, {"id": made.campaign, "number": made.numbers[0]})
        work.session.execute(SOME_HAVE_FAILED, {"id": made.campaign, "n": in_campaign // 100})
    for nth in range(9):
        with runtime.work() as work:
            old = work.session.scalars(OLD_CAMPAIGN, {"team_id": team_id, "n": in_campaign}).one()
            asked = {"team_id": team_id, "id": old, "n": in_campaign, "first": nth * in_campaign}
            work.session.execute(OLD_RECIPIENTS, asked)
            work.session.execute(OLD_MESSAGES, {"id": old, "number": made.numbers[0]})
        say(f"{shown((nth + 2) * in_campaign)} recipients of {shown(rows)}")
    with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    return Large(TeamId(team_id), made.campaign, made.numbers[0], rows, in_campaign)


# ---------------------------------------------------------------- the page


def read_by_the_page(runtime: Runtime, large: Large) -> list[Figure]:
    """`live` is all that the page of a campaign shows but its lists and charts; the counters are a part of it."""
    actor = Actor(UserId(1), large.team_id, Role.OWNER, False, "Ana", "Bench", "pt-BR", "system", 0)

    def live() -> service.Live:
        with runtime.work() as work:
            return service.live(work, actor, large.campaign)

    def counters() -> None:
        with runtime.work() as work:
            queries.counts(work.session, large.team_id, [large.campaign])

    def counting() -> dict[str, int]:
        with runtime.work() as work:
            return {row.status: row.count for row in work.session.execute(COUNTED, {"id": large.campaign})}

    counted = {status.value: n for status, n in live().counts.by_status.items()}
    off = sum(abs(counted.get(name, 0) - n) for name, n in counting().items())
    where = f"a campaign of {shown(large.in_campaign)} in a table of {shown(large.rows)}"
    return [
        timed("counters_ms", f"counters of {where}", counters, at_most=COUNTERS_BAR_MS),
        timed("live_ms", "all that its page reads at once", live, at_most=COUNTERS_BAR_MS),
        timed("counting_ms", "… counting the rows instead", counting),
        Figure("counters_off", "rows that its counters are wrong by", off, at_most=0),
    ]


def timed(key: str, says: str, do: Callable[[], object], at_most: float | None = None) -> Figure:
    """The median of many; what the quickest took stands beside it, as a busy machine is nobody's fault."""
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        do()
        took.append(1000 * (time.perf_counter() - began))
    return Figure(
        key, says, statistics.median(took), "ms", at_most=at_most, note=f"the quickest of {RUNS} {min(took):.1f} ms"
    )


# ---------------------------------------------------------------- the claim


def read_by_the_claim(runtime: Runtime, large: Large) -> list[Figure]:
    """A claim with its statements, taken back each time; and what PostgreSQL does for each of them."""
    with runtime.work() as work:
        lease = leases.acquire(work, large.number, "bench")
    if lease is None:
        raise ValueError("somebody else has the number")
    most = runtime.evolution.capabilities().max_in_flight

    def claim() -> None:
        with runtime.work() as work:
            claim_next(work, lease, max_in_flight=most)
            work.session.rollback()

    whole = timed("claim_ms", "a claim on that table, without its commit", claim)
    with statements_of(runtime) as said:
        claim()
    plans = explained(runtime, said)
    slowest = max(plans, key=lambda plan: plan["ms"])
    scans = sorted({name for plan in plans for name in plan["scanned"]})
    return [
        whole,
        Figure("claim_statements", "statements of it", len(said)),
        Figure("claim_sql_ms", "… PostgreSQL's time for them", sum(plan["ms"] for plan in plans), "ms"),
        Figure("claim_slowest_ms", "… for the slowest of them", slowest["ms"], "ms", note=slowest["words"]),
        Figure("claim_scans", "large tables read from end to end by it", len(scans), at_most=0, note=", ".join(scans)),
    ]


@contextmanager
def statements_of(runtime: Runtime) -> Iterator[list[tuple[str, Any]]]:
    said: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_rest: Any) -> None:
        parts = (each.strip() for each in statement.split(";"))
        # What is planned once for the connection is carried out by its name, and can be explained by it.
        said.extend((each, values) for each in parts if each and not each.startswith("prepare "))

    event.listen(runtime.engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(runtime.engine, "before_cursor_execute", note)


def explained(runtime: Runtime, said: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Each done once more, in their order in one transaction that is taken back; with its time and what it scanned."""
    found = []
    with runtime.engine.connect() as connection:
        cursor = connection.connection.cursor()
        for statement, values in said:
            cursor.execute(f"explain (analyze, format json) {statement}", values)
            told = cursor.fetchone()[0]
            [plan] = told if isinstance(told, list) else json.loads(told)
            scanned = {
                node["Relation Name"]
                for node in nodes(plan["Plan"])
                if node["Node Type"] == "Seq Scan" and node["Relation Name"] in LARGE
            }
            found.append(
                {
                    "words": " ".join(statement.split())[:90],
                    "ms": plan["Planning Time"] + plan["Execution Time"],
                    "scanned": scanned,
                }
            )
        connection.rollback()
    return found


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)
