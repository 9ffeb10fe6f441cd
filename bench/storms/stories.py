"""The storms, each by its name."""

from __future__ import annotations

from datetime import timedelta

from redis import Redis
from redis.exceptions import RedisError

from bench.storms import judge
from bench.storms.points import POINTS
from bench.storms.round import Beat, Round, Story
from bench.storms.world import TIMEZONE
from core.campaigns import service as campaigns
from core.optouts import service as optouts

# ---------------------------------------------------------------- what is done to a round


def kill_a_sender(round_: Round) -> None:
    round_.processes.kill_a_sender()


def kill_the_others(round_: Round) -> None:
    """The timetable leads everything that happens by itself, and the receiver hears what was sent."""
    kind = round_.random.choice(("timetable", "receiver"))
    round_.processes.kill(kind)
    round_.done[f"{kind} killed"] += 1


def flush(round_: Round) -> None:
    """Everything that Redis knew: the queues, the jobs under way, who works."""
    try:
        with Redis.from_url(round_.around.redis_url, socket_timeout=2) as redis:
            redis.flushall()
        round_.done["FLUSHALL"] += 1
    except RedisError:
        round_.done["FLUSHALL that failed"] += 1


def kill_postgres(round_: Round) -> None:
    assert round_.around.postgres is not None, "a storm of its own"
    round_.around.postgres.server.kill()
    round_.around.postgres.server.start()
    round_.done["PostgreSQL killed"] += 1


def crash_the_gateway(round_: Round) -> None:
    """Between the write to WhatsApp and its own row, or right after the row."""
    kind = round_.random.choice(("crash_without_row", "crash_with_row"))
    round_.gateway.fault(kind, times=1, seconds=1.5)
    round_.done[kind] += 1


def lie(round_: Round) -> None:
    """Answers that say no when it was sent, and yes or nothing when nobody knows; shares of all calls."""
    fault = round_.gateway.fault
    fault("error_500_after", share=0.04)
    fault("error_400_after", share=0.02)
    fault("malformed", share=0.03)
    fault("html_200", share=0.02)
    fault("error_502", share=0.02)
    fault("error_503", share=0.02, leaves=False)
    fault("drop_after", share=0.03)
    fault("slow_answer", share=0.02, seconds=4.0)  # sent at once, answered after we have given up
    fault("slow", share=0.02, seconds=4.0)  # sent after we have given up


# ---------------------------------------------------------------- pace, caps, hours, and who may be written to

CLOSED_S = 3.0
CAP_OF_ONE = 5


def keep_within_limits(round_: Round) -> None:
    """Half of the campaign under a cap of the day, with everything on the way that forbids a message; then the rest.

    The hour of downtime is simulated: everything is killed, and all times in the rows that anybody waits for are moved
    an hour back, which is what an hour does to them.
    """
    scene, ledger = round_.scene, round_.gateway.ledger
    contacts = sum(scene.states().values())
    cap = contacts // 2
    one, its_name = scene.numbers[0]
    scene.do("update campaigns set per_day = :n", n=cap)
    scene.do("update instances set per_day = :n where id = :id", n=CAP_OF_ONE, id=one)
    closed: dict[str, list[tuple[float, float]]] = {"pause": [], "window": []}
    left: dict[str, float] = {}

    def after(share: float) -> bool:
        return round_.until(lambda: len(ledger) >= share * cap, 180.0)

    after(0.1)
    for person in [one for one in scene.people() if one.status == "queued"][:: max(5, contacts // 20)]:
        with scene.runtime.work() as work:
            optouts.opt_out(work, scene.actor, f"+{person.number}")
        left[person.number] = scene.now().timestamp()
    after(0.25)
    round_.processes.kill_a_sender()
    with scene.runtime.work() as work:
        campaigns.pause(work, scene.actor, scene.campaign_id)
    since = scene.now().timestamp()
    round_.until(lambda: False, CLOSED_S)
    closed["pause"].append((since, scene.now().timestamp()))
    with scene.runtime.work() as work:
        campaigns.resume(work, scene.actor, scene.campaign_id)
    after(0.45)
    # A minute of the night in the middle of the day, and of the day at night.
    is_day = "extract(hour from now() at time zone timezone) between 6 and 18"
    begins = f"case when {is_day} then 0 else 720 end"
    shut = f"window_start_min = {begins}, window_end_min = {begins} + 1"
    since = scene.do(f"update campaigns set {shut}").timestamp()  # noqa: S608 - the words are ours
    round_.until(lambda: False, CLOSED_S)
    closed["window"].append((since, scene.now().timestamp()))
    scene.do("update campaigns set window_start_min = 0, window_end_min = 1440")
    after(0.65)
    round_.processes.keeps = False
    round_.processes.kill_all()
    round_.claims = {person.number: person.claimed_at for person in scene.people() if person.claimed_at}
    round_.until(lambda: False, round_.story.gap_s)  # the ledger's clock knows nothing of that hour
    scene.pass_time(timedelta(hours=1))
    round_.processes.keeps = True
    round_.done["hours of downtime"] += 1
    after(0.8)
    round_.processes.kill_a_sender()
    after(1.0)
    round_.until(lambda: False, 2 * CLOSED_S)  # it would go on, if it did not keep to the cap
    before = ledger.all()
    round_.broken += judge.days_above(before, cap, TIMEZONE)
    round_.broken += judge.days_above([line for line in before if line.instance == its_name], CAP_OF_ONE, TIMEZONE)
    scene.do("update campaigns set per_day = 10000")
    scene.do("update instances set per_day = 1000")
    round_.live()
    people, lines = round_.people(), ledger.all()
    round_.broken += judge.gaps_below(lines, round_.story.gap_s)
    for what, times in closed.items():
        round_.broken += judge.claimed_within(people, lines, times, what)
    round_.broken += judge.written_after(people, lines, left)
    round_.done["opt-outs"] += len(left)
    round_.done["pauses"] += len(closed["pause"])
    round_.done["windows closed"] += len(closed["window"])


# ---------------------------------------------------------------- the list

OTHERS = Beat(5.0, 9.0, kill_the_others, messages=2)
CRASHES = Beat(3.0, 5.0, crash_the_gateway, messages=8)
KILLS = Beat(1.2, 3.0, kill_a_sender, messages=2)
SELDOM = Beat(4.0, 7.0, kill_a_sender, messages=4)
STORIES = {
    story.name: story
    for story in (
        Story(
            "kills-1",
            "the one sender killed at random moments",
            senders=1,
            numbers=4,
            beats=[Beat(2.0, 4.0, kill_a_sender, messages=4)],
        ),
        Story(
            "kills-3",
            "one of three, and timetable and receiver",
            beats=[KILLS, OTHERS],
        ),
        Story("points-1", "the one sender killed at every point", senders=1, numbers=4, points=POINTS),
        Story("points-3", "three senders killed at every point", points=POINTS),
        Story(
            "one-number",
            "a single number, whose sender is killed",
            senders=2,
            numbers=1,
            beats=[Beat(3.0, 8.0, kill_a_sender, messages=5)],
            most_contacts=60,
        ),
        Story("redis", "FLUSHALL every 5 s, and kills", beats=[Beat(5.0, 5.0, flush), SELDOM]),
        Story(
            "postgres",
            "PostgreSQL killed every 10 s, and senders",
            beats=[Beat(9.0, 11.0, kill_postgres, messages=3), SELDOM],
            has_own_postgres=True,
        ),
        Story("link", "a line that drops, delays, resets, halves", beats=[SELDOM], has_bad_link=True),
        Story("lies", "answers that lie, and kills", begin=lie, beats=[SELDOM]),
        Story(
            "gateway",
            "the gateway dies at the write, and kills",
            beats=[CRASHES, SELDOM],
        ),
        Story("limits", "gap, caps, window, opt-out, pause, an hour down", numbers=4, gap_s=1, live=keep_within_limits),
    )
}
