"""What happens by itself: `python -m workers.timetable`.  Any number of them may run; one leads, the others wait.

Redis may forget every job at any moment.  So all that should be under way is derived from the rows here, again and
again, each task at its own interval.  A task that fails is told in the log and tried again; it never stops the others.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from core.campaigns.changing import go_on_changing
from core.campaigns.ending import cancel_left_over, finish_done
from core.campaigns.starting import queue_builds, start_scheduled
from core.campaigns.unused_files import forget_unused
from core.errors import BadSetting, DatabaseAway, Unreachable
from core.instances.blocking import pause_numberless
from core.instances.polling import poll_states
from core.instances.probing import probe_numbers
from core.instances.upkeep import look_after_numbers, stop_the_ill
from core.leader import TIMETABLE, Leadership
from core.leads.filing import file_words
from core.leads.imports import queue_imports
from core.leads.sites import queue_sites
from core.retention import forget_old
from core.runtime import Runtime
from core.searches.dispatch import queue_searches
from core.searches.weekly import start_weekly
from core.sending.checking import queue_checks
from core.sending.dispatch import due_instances, look_for_evidence
from core.sending.follow_ups import queue_follow_ups
from core.sending.hearing import hear_again
from core.sending.inbox import apply_crossed, apply_waiting
from core.sending.reconcile import reap
from core.settings import Settings
from core.work import Work

log = logging.getLogger(__name__)
ROUND_S = 0.5
STANDBY_S = 2.0
POOL = 24  # the lock, the tasks, and a connection for each number that is asked about at once


@dataclass
class Task:
    """`beside`: it asks the gateway or counts much, which may take long, and so has a thread of its own.

    `fault`: what went wrong the last time; its trace is told once, not again every two seconds.
    """

    name: str
    every_s: float
    do: Callable[[Runtime], object]
    beside: bool = False
    due_at: float = 0.0
    fault: str = ""
    running: Future[object] | None = field(default=None, repr=False)


def in_work(do: Callable[[Work], object]) -> Callable[[Runtime], object]:
    """A task that is one transaction."""

    def run(runtime: Runtime) -> object:
        with runtime.work() as work:
            return do(work)

    return run


def all_tasks() -> list[Task]:
    """With how often each is done.  What people want of the gateway is carried out by the receiver."""
    return [
        Task("searches to take up", 2, in_work(queue_searches)),
        Task("files of leads to bring in", 2, in_work(queue_imports)),
        Task("searches whose week is over", 30, in_work(start_weekly)),
        Task("words of leads to file", 5, file_words, beside=True),
        Task("websites to read", 3, in_work(queue_sites)),
        Task("campaigns whose hour has come", 2, in_work(start_scheduled)),
        Task("campaigns whose queue is to be built", 2, in_work(queue_builds)),
        Task("those to be written to once more", 5, in_work(queue_follow_ups)),
        Task("numbers with somebody due", 2, in_work(due_instances)),
        Task("webhooks left over", 2, apply_waiting),
        Task("phones to look up on WhatsApp", 3, in_work(queue_checks)),
        Task("receipts that crossed a commit", 5, in_work(apply_crossed)),
        Task("state of the numbers", 4, poll_states, beside=True),
        Task("answers that no webhook told", 300, hear_again, beside=True),
        Task("numbers that may have gone deaf", 15, probe_numbers, beside=True),
        Task("numbers that are to stop", 10, stop_the_ill),
        Task("cap and health of the numbers", 60, look_after_numbers, beside=True),
        Task("jobs of workers that died", 5, lambda runtime: runtime.queue.clean_up()),
        Task("calls nobody told the end of", 5, in_work(reap)),
        Task("evidence for what is in doubt", 10, in_work(look_for_evidence)),
        Task("campaigns that are being changed", 1, go_on_changing),
        Task("campaigns at their end", 3, in_work(finish_done)),
        Task("campaigns whose numbers are lost", 5, in_work(pause_numberless)),
        Task("recipients of cancelled campaigns", 3, in_work(cancel_left_over)),
        Task("files that no message uses", 3600, in_work(forget_unused)),
        Task("what is forgotten with age", 3600, forget_old),
    ]


class Timetable:
    def __init__(self, runtime: Runtime, tasks: Sequence[Task]) -> None:
        self.runtime = runtime
        self.tasks = tasks
        self.leadership = Leadership(runtime, TIMETABLE)
        self._beside = ThreadPoolExecutor(sum(task.beside for task in tasks) or 1, "beside")
        self._led = False

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        try:
            while not stop.is_set():
                stop.wait(ROUND_S if self.round() else STANDBY_S)
        finally:
            self._beside.shutdown(wait=False, cancel_futures=True)
            self.leadership.give_up()

    def round(self) -> bool:
        """One look at what is due; False while another leads."""
        leads = self.leadership.is_ours()
        if leads != self._led:
            log.info("leading" if leads else "another leads, or the database is away")
            self._led = leads
        if leads:
            for task in self.tasks:
                self._do_if_due(task)
        return leads

    def _do_if_due(self, task: Task) -> None:
        now = time.monotonic()
        if now < task.due_at or (task.running is not None and not task.running.done()):
            return
        task.due_at = now + task.every_s
        if task.beside:
            task.running = self._beside.submit(self._do, task)
        else:
            self._do(task)

    def _do(self, task: Task) -> None:
        try:
            task.do(self.runtime)
        except (DatabaseAway, Unreachable) as away:
            log.warning("%s: %s is away", task.name, "the database" if isinstance(away, DatabaseAway) else "the queue")
        except Exception as fault:  # whatever it is, the other tasks go on
            words = f"{type(fault).__name__}: {fault}".split("\n", 1)[0][:200]
            is_news, task.fault = words != task.fault, words
            log.error("%s: %s; again in %s s", task.name, words, task.every_s, exc_info=is_news)
        else:
            task.fault = ""


def main() -> int:
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("rq.registry").setLevel(logging.ERROR)  # what was abandoned is shown to administrators
    try:
        settings = Settings.from_environment()
    except BadSetting as wrong:
        print(wrong, file=sys.stderr)
        return 2
    runtime = Runtime(settings, pool_size=POOL)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stop.set())
    Timetable(runtime, all_tasks()).run(stop)
    runtime.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
