"""A round: one campaign in a storm, from its first message until everything has come to rest, and then the judge."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.storms import world
from bench.storms.judge import Person, Verdict, judge, worst_wait
from bench.storms.link import Link, link_to
from bench.storms.processes import Nursery, Processes
from bench.storms.servers import Postgres, Server
from bench.storms.world import Scene
from core.errors import BadInput, DatabaseAway
from core.instances import service as instances
from core.runtime import Runtime
from core.settings import Settings
from sandbox.gateway import Config, Gateway, Habits, Timings, serve

# A message takes a while at the gateway, so that a kill meets one on the wire.
TIMINGS = replace(Timings.fast(), write_s=(0.05, 0.35))
SEND_TIMEOUT_S = 3
QUIET_S = 3
LOOK_S = 0.1
STATES_S = 0.5
PERSON_S = 1.0
AFTERWARDS_S = 1.0  # what a killed sender has asked for may still leave
# While nobody more comes to rest: longer than any storm holds things up.  Who has not come to rest then is lost.
PATIENCE_S = 180.0
# Set when somebody has pressed Ctrl-C: the rounds end as they stand.
GIVEN_UP = threading.Event()
IN_FLUX = ("queued", "sending", "unconfirmed")


@dataclass(frozen=True)
class Beat:
    """Something that happens again and again, after `least_s` to `most_s`, while somebody still waits.

    And not before `messages` more have left: on a busy machine a storm must not be all that happens.
    """

    least_s: float
    most_s: float
    do: Callable[[Round], None]
    messages: int = 0


@dataclass(frozen=True)
class Story:
    """A storm.  `points` are gone through by each sender; `live` is told instead of the usual course."""

    name: str
    says: str
    senders: int = 3
    numbers: int = 8
    gap_s: int = 0
    points: Sequence[str] = ()
    beats: Sequence[Beat] = ()
    begin: Callable[[Round], None] | None = None
    live: Callable[[Round], None] | None = None
    hears: bool = True  # by webhooks what was sent; without, the history alone tells
    has_bad_link: bool = False
    has_own_postgres: bool = False
    most_contacts: int = 1_000_000


@dataclass
class Outcome:
    """What became of one round, or of all rounds of a story."""

    verdict: Verdict = field(default_factory=Verdict)
    rounds: int = 0
    kills: int = 0
    struck: Counter[str] = field(default_factory=Counter)  # points at which a sender was killed
    done: Counter[str] = field(default_factory=Counter)  # whatever else was done to it
    wait_s: float | None = None  # the worst from a kill to the next message
    seconds: float = 0.0
    seeds: list[int] = field(default_factory=list)  # of the rounds in which something was wrong

    def add(self, other: Outcome) -> None:
        self.verdict.add(other.verdict)
        self.rounds += other.rounds
        self.kills += other.kills
        self.struck += other.struck
        self.done += other.done
        waits = [wait for wait in (self.wait_s, other.wait_s) if wait is not None]
        self.wait_s = max(waits, default=None)
        self.seconds = max(self.seconds, other.seconds)
        self.seeds += other.seeds


@dataclass
class Surroundings:
    """Where a round takes place.  `extra` is what its processes are told beside the usual."""

    nursery: Nursery
    folder: Path
    database_url: str
    redis_url: str
    valkey: Server
    postgres: Postgres | None = None
    extra: dict[str, str] = field(default_factory=dict)


@dataclass
class Round:
    story: Story
    scene: Scene
    gateway: Gateway
    processes: Processes
    around: Surroundings
    random: random.Random
    link: Link | None
    done: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)  # what the ledger's times say
    claims: dict[str, float] = field(default_factory=dict)  # of before the rows' times were moved
    rested: int = 0  # how many have come to rest
    rested_at: float = field(default_factory=time.monotonic)  # when the last of them did
    states: Counter[str] = field(default_factory=Counter)
    _looked_at: float = 0.0
    _person_at: float = 0.0

    # ------------------------------------------------------------ the course of it

    def live(self) -> None:
        due = {n: self._next(beat) for n, beat in enumerate(self.story.beats)}
        while not self.is_at_rest() and not self.is_over:
            self.turn()
            for n, beat in enumerate(self.story.beats):
                at, messages = due[n]
                if time.monotonic() >= at and len(self.gateway.ledger) >= messages and self.states["queued"]:
                    beat.do(self)
                    due[n] = self._next(beat)

    def _next(self, beat: Beat) -> tuple[float, int]:
        """When at the soonest, and after how many messages."""
        at = time.monotonic() + self.random.uniform(beat.least_s, beat.most_s)
        return at, len(self.gateway.ledger) + beat.messages

    def turn(self) -> None:
        """A moment: whoever is gone is started again, and a person looks after the numbers."""
        self.processes.tick()
        now = time.monotonic()
        try:
            if now - self._looked_at > STATES_S:
                self._looked_at, self.states = now, self.scene.states()
                self._note_progress(now)
                if not self.states["queued"]:
                    self.processes.calm()
            if now - self._person_at > PERSON_S:
                self._person_at = now
                self._look_after_numbers()
        except DatabaseAway:
            self.done["looks without a database"] += 1
        time.sleep(LOOK_S)

    def _note_progress(self, now: float) -> None:
        rested = sum(n for state, n in self.states.items() if state not in IN_FLUX)
        if rested != self.rested:
            self.rested, self.rested_at = rested, now

    def until(self, is_so: Callable[[], bool], within_s: float) -> bool:
        end = time.monotonic() + within_s
        while not is_so():
            if time.monotonic() > end or self.is_over:
                return False
            self.turn()
        return True

    def is_at_rest(self) -> bool:
        return bool(self.states) and not any(self.states[state] for state in IN_FLUX)

    @property
    def is_over(self) -> bool:
        return GIVEN_UP.is_set() or time.monotonic() - self.rested_at > PATIENCE_S

    def people(self) -> list[Person]:
        """With the claims as they were, where the rows' times were moved since."""
        found = self.scene.people()
        return [replace(one, claimed_at=self.claims.get(one.number, one.claimed_at)) for one in found]

    def _look_after_numbers(self) -> None:
        """A number that the engine has stopped after too many doubts goes on when somebody has looked."""
        for id_ in self.scene.stopped_numbers():
            with self.scene.runtime.work() as work:
                try:
                    instances.unpause(work, self.scene.actor, id_)
                except BadInput:
                    self.done["numbers that rest"] += 1
                else:
                    self.done["numbers let go on"] += 1


def run(story: Story, around: Surroundings, contacts: int, seed: int) -> Outcome:
    """One round of a story."""
    contacts = min(contacts, story.most_contacts)
    began = time.monotonic()
    with prepared(story, around, contacts, seed) as round_:
        (story.live or Round.live)(round_)
        time.sleep(AFTERWARDS_S)
        round_.processes.keeps = False
        round_.processes.kill_all()
        return _outcome(round_, seed, time.monotonic() - began)


def _outcome(round_: Round, seed: int, seconds: float) -> Outcome:
    ledger = round_.gateway.ledger.all()
    verdict = judge(round_.people(), ledger, round_.scene.counters_off())
    for said in round_.broken:
        verdict.broken[said.partition(":")[0]] += 1
    verdict.offences += round_.broken
    last = max((line.at_s for line in ledger), default=0.0)
    done = round_.done + (round_.link.fates if round_.link else Counter())
    return Outcome(
        verdict=verdict,
        rounds=1,
        kills=len(round_.processes.kills),
        struck=Counter(round_.processes.struck),
        done=done,
        wait_s=worst_wait(round_.processes.kills, ledger, last),
        seconds=seconds,
        seeds=[seed] if verdict.wrong else [],
    )


@contextmanager
def prepared(story: Story, around: Surroundings, contacts: int, seed: int) -> Iterator[Round]:
    """Everybody is there and nobody has been written to.  All processes are gone with the block."""
    with ExitStack() as stack:
        port = _free_port()
        settings = Settings(
            around.database_url,
            around.redis_url,
            "a secret of the chaos run alone, and of no installation",
            receiver_url=f"http://127.0.0.1:{port}",
        )
        runtime = Runtime(settings, pool_size=4)
        stack.callback(runtime.close)
        scene = world.fill(runtime, contacts=contacts, numbers=story.numbers, gap_s=story.gap_s)
        config = Config(timings=TIMINGS, habits=Habits.calm(), seed=str(seed))
        gateway = stack.enter_context(serve(config))
        link = stack.enter_context(link_to(gateway.base_url, seed)) if story.has_bad_link else None
        world.open_numbers(scene, gateway, hears=story.hears)
        told = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": around.database_url,
            "REDIS_URL": around.redis_url,
            "PRUMO_SECRET_KEY": settings.secret_key,
            "PRUMO_GATEWAY_URL": link.url if link else gateway.base_url,
            "PRUMO_GATEWAY_KEY": gateway.key,
            "PRUMO_GATEWAY_SIMULATED": "1",
            "PRUMO_RECEIVER_URL": settings.receiver_url,
            "PRUMO_RECEIVER_PORT": str(port),
            "PRUMO_MIN_GAP_S": str(story.gap_s),
            "PRUMO_SEND_TIMEOUT_S": str(SEND_TIMEOUT_S),
            "PRUMO_QUIET_WINDOW_S": str(QUIET_S),
            **around.extra,
        }
        chance = random.Random(seed)  # noqa: S311 - a storm that can be told again
        processes = Processes(around.nursery, told, around.folder, chance)
        stack.callback(processes.kill_all)
        round_ = Round(story, scene, gateway, processes, around, chance, link)
        # Half of the news of what was sent is lost, so that the history is asked as well.
        gateway.fault("webhook_lost", event="send.message", share=0.5)
        if story.begin:
            story.begin(round_)
        processes.add("timetable")
        if story.hears:
            processes.add("receiver")
        for _ in range(story.senders):
            ways = [(point, chance.choice(("horse", "worker"))) for point in story.points]
            chance.shuffle(ways)
            processes.add("sender", ways)
        yield round_


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
