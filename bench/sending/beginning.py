"""What is waited for before a campaign runs: the audience counted, Start pressed, the queue built; and its page read.

The team has a history as one has after some months: of the audience some were written to lately, by whoever looks and
by a colleague, some twice without an answer, some are in the middle of a conversation, some have left.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import text

from bench.searching.figures import Figure
from bench.sending import world
from bench.sending.people import OPT_OUT_LINE, TEMPLATE, person
from core.accounts.rules import Actor, Role, TeamId, UserId
from core.campaigns import queries, service, starting
from core.campaigns.rules import Audience, CampaignId, Plan
from core.instances.rules import InstanceId
from core.leads.phones import phone_hash
from core.runtime import Runtime
from core.settings import Settings
from core.work import Work

RUNS = 7
START_BAR_MS, BUILD_BAR_S, COUNTERS_BAR_MS = 500.0, 15.0, 5.0
USERS = text("""
insert into users (name, email, password_hash)
select name, name || '@bench.example', '-' from unnest(array['Ana', 'Bea']) as name
returning id
""")
OLD_CAMPAIGN = text("""
insert into campaigns (team_id, created_by, name, status, started_at, ended_at, total, opt_out_line)
values (:team_id, :by, 'Bench, over', 'finished', now() - interval '90 days', now() - interval '1 day', 0, '')
returning id
""")
WRITTEN = text("""
insert into campaign_leads (team_id, campaign_id, step, lead_id, lead_name, phone, phone_hash, status, attempts,
    claimed_at, sent_at, changed_at)
select team_id, :id, :step, id, name, phone, phone_hash, 'sent', 1, at, at, at
from leads, (select now() - make_interval(days => :days) as at) long_ago
where team_id = :team_id and id % 100 >= :since and id % 100 < :until
""")
LAST_SENT = text("""
insert into written_leads (lead_id, team_id, last_sent_at)
select lead_id, team_id, max(sent_at) from campaign_leads where lead_id is not null group by lead_id, team_id
""")
TALKING = text("""
insert into conversations (team_id, phone, phone_hash, lead_id, instance_id, heard_at)
select l.team_id, l.phone, l.phone_hash, l.id, i.id, now() - interval '40 days'
from leads l join instances i on i.team_id = l.team_id and i.name = 'bench-0' where l.id % 100 >= 60 and l.id % 100 < 63
""")
LEFT = text("""
insert into opt_outs (team_id, phone_hash, phone, reason)
select team_id, phone_hash, phone, 'by_hand' from leads where id % 100 >= 70 and id % 100 < 72
""")


@dataclass(frozen=True)
class Ready:
    """A draft to all leads of a team with a past."""

    actor: Actor
    campaign: CampaignId
    plan: Plan


def fill(runtime: Runtime, people: int) -> Ready:
    """Empties the database first: it is the bench's own."""
    team_id = _leads(runtime, people)
    with runtime.work() as work:
        session = work.session
        numbers = [_number(work, team_id, n) for n in range(3)]
        me, colleague = session.scalars(USERS).all()
        for by, step, days, since, until in (
            (me, 0, 10, 0, 10),  # lately, by whoever looks
            (colleague, 0, 5, 10, 20),  # by a colleague
            (colleague, 0, 60, 20, 25),  # long ago, and twice without an answer
            (colleague, 1, 56, 20, 25),
        ):
            old = session.scalars(OLD_CAMPAIGN, {"team_id": team_id, "by": by}).one()
            asked = {"team_id": team_id, "id": old, "step": step, "days": days, "since": since, "until": until}
            session.execute(WRITTEN, asked)
        for statement in (LAST_SENT, TALKING, LEFT):
            session.execute(statement)
    actor = Actor(UserId(me), team_id, Role.OWNER, False, "Ana", "Bench", "pt-BR", "system", 0)
    with runtime.work() as work:
        campaign_id = service.create_draft(work, actor, name="Bench")
    with runtime.work() as work:
        found = service.draft(work, actor, campaign_id)
        plan = replace(found.plan, text=TEMPLATE, opt_out_line=OPT_OUT_LINE, instance_ids=tuple(numbers))
        service.save_draft(work, actor, campaign_id, found.version, plan)
    with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))
    return Ready(actor, campaign_id, plan)


def _leads(runtime: Runtime, people: int) -> TeamId:
    secret, who = runtime.settings.secret_key, [person(n) for n in range(people)]
    with runtime.work() as work:
        work.session.execute(world.EMPTY)
        team_id = TeamId(work.session.scalars(world.TEAM).one())
        work.session.execute(
            world.LEADS,
            {
                "team_id": team_id,
                "ns": list(range(people)),
                "names": [each.name for each in who],
                "kinds": [each.kind for each in who],
                "areas": [each.neighbourhood for each in who],
                "cities": [each.city for each in who],
                "phones": [each.phone for each in who],
                "hashes": [phone_hash(secret, each.phone) for each in who],
            },
        )
    return team_id


def _number(work: Work, team_id: TeamId, n: int) -> InstanceId:
    asked = {"team_id": team_id, "name": f"bench-{n}", "phone": f"+551193{n:07d}"}
    return InstanceId(work.session.scalars(world.NUMBER, asked).one())


# ---------------------------------------------------------------- what is waited for


def main(people: int) -> int:
    """On the servers that the environment names, as a bench starts them for itself."""
    runtime = Runtime(Settings.from_environment(os.environ), pool_size=3, statement_timeout_s=600)
    try:
        figures = measure(runtime, people)
    finally:
        runtime.close()
    for figure in figures:
        print(f"{figure.says:<55} {figure.reading:>12}  {figure.bar:>10}  {figure.verdict}")
    is_met = all(figure.is_met is not False for figure in figures)
    told = {figure.key: figure.as_json() for figure in figures}
    print(json.dumps({"bench": "campaign", "people": people, "figures": told, "is_met": is_met}))
    return 0 if is_met else 1


def measure(runtime: Runtime, people: int) -> list[Figure]:
    ready = fill(runtime, people)
    count_ms = _median_ms(lambda: _audience(runtime, ready))
    receives = _audience(runtime, ready)
    start_ms = _ms(lambda: _start(runtime, ready))
    build_ms = _ms(lambda: _build(runtime, ready))
    with runtime.work() as work:
        counts = queries.counts(work.session, ready.actor.team_id, [ready.campaign])[ready.campaign]
    if counts.total != receives.recipients:
        raise ValueError(f"{counts.total} are queued of {receives.recipients} who receive")
    counters_ms = _median_ms(lambda: _counters(runtime, ready), runs=RUNS * 3)
    live_ms = _median_ms(lambda: _live(runtime, ready), runs=RUNS * 3)
    return [
        Figure("audience_ms", f"audience of {people:,} leads counted, with its reasons", count_ms, "ms"),
        Figure("start_ms", "from Start to its answer", start_ms, "ms", at_most=START_BAR_MS),
        Figure("build_s", f"queue of {counts.total:,} recipients built", build_ms / 1000, "s", at_most=BUILD_BAR_S),
        Figure("counters_ms", "its counters read", counters_ms, "ms", at_most=COUNTERS_BAR_MS),
        Figure("live_ms", "all that its page shows read", live_ms, "ms"),
    ]


def _audience(runtime: Runtime, ready: Ready) -> Audience:
    with runtime.work() as work:
        return service.audience_of(work, ready.actor, ready.plan)


def _start(runtime: Runtime, ready: Ready) -> None:
    with runtime.work() as work:
        version = queries.head(work.session, ready.actor.team_id, ready.campaign).version
        service.start(work, ready.actor, ready.campaign, version)


def _build(runtime: Runtime, ready: Ready) -> None:
    with runtime.work() as work:
        starting.build(work, ready.campaign)


def _counters(runtime: Runtime, ready: Ready) -> None:
    with runtime.work() as work:
        queries.counts(work.session, ready.actor.team_id, [ready.campaign])


def _live(runtime: Runtime, ready: Ready) -> None:
    with runtime.work() as work:
        service.live(work, ready.actor, ready.campaign)


def _ms(do: Callable[[], object]) -> float:
    began = time.perf_counter()
    do()
    return (time.perf_counter() - began) * 1000


def _median_ms(do: Callable[[], object], runs: int = RUNS) -> float:
    return statistics.median(_ms(do) for _ in range(runs))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
