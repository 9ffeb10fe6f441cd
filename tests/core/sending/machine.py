"""What the sending's state machine stands on: a clock of ours in a real database, and one way to call the sending.

    world = World(own_database, settings)
    sending = Sending(world)

Whoever changes how the sending is called mends `Sending`, and nothing in the rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import create_engine, insert, update
from sqlalchemy.pool import StaticPool

from core.campaigns import ending, starting
from core.campaigns import service as campaigns
from core.campaigns.rules import CampaignId, CampaignStatus
from core.errors import Rejected, Unreachable
from core.instances import service as instances
from core.instances.rules import InstanceId, InstanceStatus
from core.jobs import Job, SendDue
from core.leads.phones import phone_hash
from core.optouts import service as optouts
from core.ports import Capabilities, GatewayEvent, Receipt, ReceiptCame, SentRecord
from core.runtime import Runtime
from core.sending import claiming, dispatch, follow_ups, inbox, lease, reconcile, service, settling
from core.sending.answers import settle_answer
from core.sending.claiming import Claim, Claimed
from core.sending.lease import Lease
from core.sending.rules import AttemptOutcome, Outcome, RecipientStatus
from core.settings import Settings
from core.tables import Campaign, CampaignInstance, CampaignLead, CampaignStep, Instance, Lead
from tests.core.sending.world import address_of
from tests.databases import Database
from tests.factories import ALL_WEEK, LINE, TEXT, phone_of
from tests.people import gather

BEGIN = datetime(2027, 3, 1, 20, 30, tzinfo=UTC)  # a Monday, half past five in São Paulo: the hours end at six
PEOPLE = range(7)
FOLLOW_UP = "{empresa}, ainda por aí?"
VARIANTS = (TEXT, "Olá, {empresa}, tudo bem?")
KEPT = {"teams", "users", "memberships", "sessions", "alembic_version"}

# Searched before pg_catalog: every now() of the product's statements, triggers and defaults is this one.
CLOCK = """
create schema test_clock;
create function test_clock.now() returns timestamptz language sql stable
    as $$ select current_setting('prumo.now')::timestamptz $$;
create function test_clock.clock_timestamp() returns timestamptz language sql stable
    as $$ select current_setting('prumo.now')::timestamptz $$;
"""
NOW_BY_DEFAULT = """
select table_name, column_name from information_schema.columns
where table_schema = 'public' and column_default = 'pg_catalog.now()'
"""
OPTIONS = "-c search_path=test_clock,public,pg_catalog -c timezone=UTC -c statement_timeout=30s"


@dataclass(frozen=True)
class NumberSetting:
    """How a number of the world may write."""

    name: str
    most: int  # on the wire at once
    gap_s: int
    per_day: int
    rest_after: int = 0
    rest_s: int = 0
    per_hour: int | None = None


@dataclass(frozen=True)
class CampaignSetting:
    per_day: int
    hours: tuple[int, int]  # minutes of the local day
    repeat_after_days: int
    sent_by: dict[int, int]  # person: number, where it runs from the beginning
    gap_s: int = 1
    texts: tuple[str, ...] = VARIANTS[:1]
    follow_up_days: int | None = None

    @property
    def runs(self) -> bool:
        return bool(self.sent_by)

    def variant_of(self, person: int) -> int:
        return person % len(self.texts)


# One that rests, one with a cap of the hour, and one without a pause, which is given several at once.
NUMBERS = (
    NumberSetting("one", 1, 30, 5, rest_after=3, rest_s=300),
    NumberSetting("two", 2, 5, 4, per_hour=2),
    NumberSetting("three", 3, 0, 4),
)
# The third was built in the same moment as the first: some are in both, and leave from another number there.
CAMPAIGNS = (
    CampaignSetting(
        per_day=7,
        hours=(0, 1440),
        repeat_after_days=30,
        sent_by={0: 0, 1: 1, 2: 2, 3: 2, 4: 2, 5: 0, 6: 1},
        gap_s=0,
        texts=VARIANTS,
        follow_up_days=3,
    ),
    CampaignSetting(per_day=2, hours=(480, 1080), repeat_after_days=0, sent_by={}),
    CampaignSetting(per_day=3, hours=(0, 1440), repeat_after_days=0, sent_by={0: 1, 2: 0, 3: 1}),
)


class _NoQueue:
    """Jobs are nudges and news are for pages: the machine looks at rows alone."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def put(self, job: Job) -> None:
        self.jobs.append(job)

    def tell(self, topic: str, payload: dict[str, Any]) -> None:
        return None


@dataclass
class Left:
    """A line of the judge's book: a message that really went out, whatever anybody was told of it."""

    id: str
    number: int
    phone: str
    text: str
    at: datetime
    claimed_at: datetime
    recipient_id: int | None  # None: an answer
    answer_id: int | None
    token: str
    is_kept: bool  # in the gateway's history
    message_id: int | None = None


@dataclass
class History:
    """The gateway's memory: what it kept, unless it is away or has forgotten the number."""

    book: list[Left]
    names: dict[str, int]
    mood: str = "tells"

    def capabilities(self) -> Capabilities:
        return Capabilities(True, True, True, True, True, max_in_flight=1, max_text=4096)

    def sent_between(self, name: str, since: datetime, until: datetime) -> list[SentRecord]:
        if self.mood == "away":
            raise Unreachable("no answer")
        if self.mood == "gone":
            raise Rejected("config", reconcile.GONE)
        number = self.names[name]
        return [
            record_of(each)
            for each in self.book
            if each.number == number and each.is_kept and since <= record_of(each).at <= until
        ]


def record_of(left: Left) -> SentRecord:
    """As a gateway tells it: whole seconds."""
    return SentRecord(left.id, (address_of(left.phone),), left.text, left.at.replace(microsecond=0))


SNAPSHOT = """
select json_build_object(
    'recipients', (select json_agg(r order by id) from (
        select id, campaign_id, step, variant, phone, status, reason,
            extract(epoch from follow_up_at) as follow_up_at, claim_token as token, message_id, instance_id, attempts,
            lease_epoch, replied_at is not null as replied, opted_out_at is not null as opted_out,
            extract(epoch from claimed_at) as claimed_at, extract(epoch from lease_until) as lease_until,
            extract(epoch from sent_at) as sent_at, extract(epoch from not_before) as not_before,
            evidence ->> 'by' as by
        from campaign_leads) r),
    'campaigns', (select json_agg(c order by id) from (
        select id, status, total, pause_reason, sent_on, sent_today, extract(epoch from started_at) as started_at
        from campaigns) c),
    'numbers', (select json_agg(i order by id) from (
        select id, status, sent_on, sent_today, lease_epoch, paused_at is not null as paused, pause_reason,
            unconfirmed_in_a_row as doubts, extract(epoch from next_send_at) as next_send_at,
            extract(epoch from lease_until) as lease_until, pause_facts ->> 'since' as since, (
                select coalesce(json_agg(extract(epoch from sent_at)), '[]') from messages
                where instance_id = instances.id and direction = 'out' and sent_at is not null) as left_at
        from instances) i),
    'messages', (select json_agg(m order by id) from (
        select id, instance_id, campaign_id, campaign_lead_id as recipient_id, step, variant,
            gateway_message_id as gateway_id,
            extract(epoch from sent_at) as sent_at, delivered_at is not null as delivered, read_at is not null as read,
            failed_at is not null as failed
        from messages where direction = 'out' and not is_from_phone) m),
    'answers', (select json_agg(a order by id) from (
        select a.id, a.instance_id, a.status, a.claim_token as token, m.phone
        from answers a join messages m on m.id = a.message_id) a),
    'counters', (select json_agg(c) from (select campaign_id, name, n from campaign_counters where n <> 0) c),
    'attempts', (select count(*) from attempts)
), set_config('prumo.now', %(now)s, false)
"""
TICK = timedelta(milliseconds=10)


@dataclass(frozen=True)
class Seen:
    """The rows as they stand after a step; times are seconds since 1970."""

    recipients: dict[int, dict[str, Any]]
    campaigns: list[dict[str, Any]]
    numbers: list[dict[str, Any]]
    messages: dict[int, dict[str, Any]]
    answers: dict[int, dict[str, Any]]
    counters: dict[tuple[int, str], int]
    attempts: int

    @classmethod
    def of(cls, told: dict[str, Any]) -> Seen:
        def by_id(name: str) -> dict[int, dict[str, Any]]:
            return {row["id"]: row for row in told[name] or []}

        return cls(
            recipients=by_id("recipients"),
            campaigns=told["campaigns"],
            numbers=told["numbers"],
            messages=by_id("messages"),
            answers=by_id("answers"),
            counters={(row["campaign_id"], row["name"]): row["n"] for row in told["counters"] or []},
            attempts=told["attempts"],
        )


class World:
    """One database for a whole run, emptied for each example, and the clock that it goes by."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.settings = replace(
            settings,
            min_gap=timedelta(),
            send_timeout=timedelta(seconds=30),
            quiet_window=timedelta(minutes=10),
        )
        self.runtime = Runtime(self.settings)
        self.engine = create_engine(
            database.url,
            poolclass=StaticPool,
            executemany_mode="values_plus_batch",
            connect_args={"options": f"{OPTIONS} -c prumo.now={BEGIN.timestamp()}"},
        )
        self._driver: Any = self.engine.raw_connection().driver_connection
        self.runtime.__dict__["engine"] = self.engine
        self.queue = _NoQueue()
        self.runtime.__dict__["queue"] = self.queue
        self.now = BEGIN
        self._prepare()
        self.ana = gather(self.runtime)["Ana"]
        tables = [name for name in self._tables() if name not in KEPT]
        gone = ", ".join(f"gone_{i} as (delete from {name})" for i, name in enumerate(tables))
        self._empty = f"with {gone} select 1"

    def _prepare(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(CLOCK)
        self.set_clock(BEGIN)
        with self.engine.begin() as connection:
            for table in ("instances", "campaigns"):  # one without a pause is given several at once
                connection.exec_driver_sql(f"alter table {table} drop constraint if exists ck_{table}_gap")
            for table, column in connection.exec_driver_sql(NOW_BY_DEFAULT).all():
                connection.exec_driver_sql(f"alter table {table} alter {column} set default test_clock.now()")

    def _tables(self) -> list[str]:
        with self.engine.begin() as connection:
            named = "select tablename from pg_tables where schemaname = 'public' order by 1"
            return list(connection.exec_driver_sql(named).scalars())

    def close(self) -> None:
        self.engine.dispose()

    # ------------------------------------------------------------ the clock

    def set_clock(self, now: datetime) -> None:
        self.now = now
        self._ask("select set_config('prumo.now', %(now)s, false)", now)

    def pass_time(self, time: timedelta) -> None:
        self.set_clock(self.now + time)

    # ------------------------------------------------------------ an example

    def begin(self) -> History:
        """Empty, and then: seven leads, three numbers, two campaigns that run and one that is a draft."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql("set local session_replication_role = replica")
            connection.exec_driver_sql(self._empty)
        self.set_clock(BEGIN)
        with self.runtime.work() as work:
            team_id = self.ana.team_id
            self.leads = list(work.session.scalars(insert(Lead).returning(Lead.id), [self._lead(n) for n in PEOPLE]))
            self.numbers = [
                InstanceId(id_)
                for id_ in work.session.scalars(
                    insert(Instance).returning(Instance.id, sort_by_parameter_order=True),
                    [_number(team_id, each) for each in NUMBERS],
                )
            ]
            self.campaigns = [self._campaign(work.session, each) for each in CAMPAIGNS]
        names = {_number(team_id, each)["gateway_name"]: id_ for each, id_ in zip(NUMBERS, self.numbers, strict=True)}
        self.history = History([], names)
        self.runtime.__dict__["evolution"] = self.history
        return self.history

    def _lead(self, n: int) -> dict[str, Any]:
        return {
            "team_id": self.ana.team_id,
            "place_key": f"test:{n}",
            "name": f"Loja {n}",
            "name_folded": f"loja {n}",
            "phone": phone_of(n),
            "phone_type": "mobile",
            "phone_hash": phone_hash(self.settings.secret_key, phone_of(n)),
        }

    def _campaign(self, session: Any, setting: CampaignSetting) -> CampaignId:
        row = Campaign(
            team_id=self.ana.team_id,
            name="Clínicas",
            status=CampaignStatus.RUNNING if setting.runs else CampaignStatus.DRAFT,
            started_at=self.now if setting.runs else None,
            opt_out_line=LINE,
            sender_name="Ana",
            window_start_min=setting.hours[0],
            window_end_min=setting.hours[1],
            weekdays=ALL_WEEK,
            skip_holidays=False,
            repeat_after_days=setting.repeat_after_days,
            gap_min_s=setting.gap_s,
            gap_max_s=setting.gap_s,
            per_day=setting.per_day,
            timezone="America/Sao_Paulo",
            total=len(setting.sent_by),
            follow_up_days=setting.follow_up_days,
        )
        session.add(row)
        session.flush()
        for n, said in enumerate(setting.texts):
            session.add(CampaignStep(campaign_id=row.id, position=0, variant=n, team_id=row.team_id, text=said))
        if setting.follow_up_days is not None:
            session.add(CampaignStep(campaign_id=row.id, position=1, team_id=row.team_id, text=FOLLOW_UP))
        for each in self.numbers:
            session.add(CampaignInstance(campaign_id=row.id, instance_id=each, team_id=row.team_id))
        if setting.runs:
            session.execute(
                insert(CampaignLead),
                [
                    {
                        "team_id": row.team_id,
                        "campaign_id": row.id,
                        "lead_id": self.leads[n],
                        "instance_id": self.numbers[number],
                        "variant": setting.variant_of(n),
                        "lead_name": f"Loja {n}",
                        "phone": phone_of(n),
                        "phone_hash": phone_hash(self.settings.secret_key, phone_of(n)),
                    }
                    for n, number in setting.sent_by.items()
                ],
            )
        return CampaignId(row.id)

    def look(self) -> Seen:
        """The rows as they are; and a moment passes, so that what comes after is later."""
        self.now += TICK
        return Seen.of(self._ask(SNAPSHOT, self.now))

    def _ask(self, question: str, now: datetime) -> Any:
        """Straight from the driver and in a transaction of no length: it is asked more often than all else."""
        self._driver.autocommit = True
        with self._driver.cursor() as cursor:
            cursor.execute(question, {"now": now.isoformat()})
            answer = cursor.fetchone()[0]
        self._driver.autocommit = False
        return answer


def _number(team_id: int, setting: NumberSetting) -> dict[str, Any]:
    return {
        "team_id": team_id,
        "name": setting.name,
        "gateway_name": f"t{team_id}-{setting.name}",
        "status": InstanceStatus.CONNECTED,
        "gap_min_s": setting.gap_s,
        "gap_max_s": setting.gap_s,
        "per_day": setting.per_day,
        "rest_after": setting.rest_after,
        "rest_s": setting.rest_s,
        "per_hour": setting.per_hour,
    }


@dataclass
class Sending:
    """How the sending is called, each call a transaction of its own as its callers have it."""

    world: World

    # ------------------------------------------------------------ the lease

    def acquire(self, number: InstanceId, owner: str) -> Lease | None:
        with self.world.runtime.work() as work:
            return lease.acquire(work, number, owner)

    def renew(self, held: Lease) -> bool:
        with self.world.runtime.work() as work:
            return lease.renew(work, held)

    def release(self, held: Lease) -> None:
        with self.world.runtime.work() as work:
            lease.release(work, held)

    # ------------------------------------------------------------ a message

    def claim(self, held: Lease, most: int) -> tuple[Claim, list[Any]]:
        """What was claimed, and the whole answer."""
        with self.world.runtime.work() as work:
            claim = claiming.claim_next(work, held, max_in_flight=most)
        return claim, list(claim.taken)

    def release_uncalled(self, held: Lease, on_the_wire: list[str]) -> int:
        with self.world.runtime.work() as work:
            return claiming.release_uncalled(work, held, on_the_wire)

    def settle(self, claimed: Any, outcome: Outcome) -> RecipientStatus | None:
        """As the engine does: what was accepted together with others, and alone whoever needs a closer look."""
        if isinstance(claimed, Claimed) and outcome.kind is AttemptOutcome.ACCEPTED:
            with self.world.runtime.work() as work:
                if claimed.recipient_id in settling.settle_accepted(work, [settling.Ended(claimed, outcome)]):
                    return RecipientStatus.SENT
        with self.world.runtime.work() as work:
            if isinstance(claimed, Claimed):
                return settling.settle(work, claimed, outcome)
            return settle_answer(work, claimed, outcome)

    def settle_together(self, ended: Sequence[tuple[Claimed, Outcome]]) -> set[int]:
        """Who is sent by that; the others are to be settled alone."""
        with self.world.runtime.work() as work:
            return set(settling.settle_accepted(work, [settling.Ended(*each) for each in ended]))

    # ------------------------------------------------------------ what is told

    def tell(self, number: InstanceId, event: GatewayEvent) -> None:
        with self.world.runtime.work() as work:
            inbox.apply_event(work, number, "any", event, work.now)

    def receipt(self, number: InstanceId, message_id: str, receipt: Receipt) -> None:
        self.tell(number, ReceiptCame(message_id, receipt))

    # ------------------------------------------------------------ what happens by itself

    def reap(self) -> int:
        with self.world.runtime.work() as work:
            return reconcile.reap(work)

    def reconcile(self, number: InstanceId, mood: str) -> reconcile.Report:
        self.world.history.mood = mood
        return reconcile.reconcile(self.world.runtime, number)

    def woken(self) -> set[int]:
        """The numbers for which the timetable has a sender start."""
        self.world.queue.jobs.clear()
        with self.world.runtime.work() as work:
            dispatch.due_instances(work)
        return {job.instance_id for job in self.world.queue.jobs if isinstance(job, SendDue)}

    def queue_follow_ups(self) -> int:
        with self.world.runtime.work() as work:
            return follow_ups.queue_follow_ups(work)

    def end_what_is_done(self) -> None:
        with self.world.runtime.work() as work:
            ending.cancel_left_over(work)
            ending.finish_done(work)

    # ------------------------------------------------------------ people

    def start(self, campaign: CampaignId) -> None:
        """And does the job that builds its queue."""
        with self.world.runtime.work() as work:
            draft = campaigns.draft(work, self.world.ana, campaign)
            campaigns.start(work, self.world.ana, campaign, draft.version)
        with self.world.runtime.work() as work:
            starting.build(work, campaign)

    def change_campaign(self, campaign: CampaignId, how: str) -> None:
        with self.world.runtime.work() as work:
            getattr(campaigns, how)(work, self.world.ana, campaign)

    def change_number(self, number: InstanceId, how: str) -> None:
        with self.world.runtime.work() as work:
            if how in ("connected", "disconnected"):
                work.session.execute(update(Instance).where(Instance.id == number).values(status=how))
            else:
                getattr(instances, how)(work, self.world.ana, number)

    def opt_out(self, phone: str) -> None:
        with self.world.runtime.work() as work:
            optouts.opt_out(work, self.world.ana, phone)

    def undo_opt_out(self, phone: str) -> None:
        key = phone_hash(self.world.settings.secret_key, phone).hex()
        with self.world.runtime.work() as work:
            optouts.undo(work, self.world.ana, key, "asked for it")

    def delete_lead(self, lead_id: int) -> None:
        with self.world.runtime.work() as work:
            work.session.execute(update(Lead).where(Lead.id == lead_id).values(deleted_at=work.now))

    def decide(self, how: str, recipients: Sequence[int]) -> None:
        with self.world.runtime.work() as work:
            getattr(service, how)(work, self.world.ana, recipients)

    def retry_failed(self, campaign: CampaignId) -> int:
        with self.world.runtime.work() as work:
            return service.retry_failed(work, self.world.ana, campaign)
