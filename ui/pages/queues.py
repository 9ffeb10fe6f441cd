"""Queues and workers, for the administrator: what waits, who works on what, and what failed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from nicegui import ui

from core.errors import Unreachable
from core.ports import FailedJob, JobSeen, QueueSeen, QueuesSeen, WorkerSeen
from core.queues import service as queues
from ui import live
from ui.calls import ask, do
from ui.frame import Frame, page_frame
from ui.parts.button import button, icon_button
from ui.parts.card import card
from ui.parts.confirm import confirm
from ui.parts.kpi import Kpi, Meter, kpi_strip
from ui.parts.states import state
from ui.parts.status import chip
from ui.parts.text import Text, icon, section, text
from ui.words import N_, _, formats, ngettext

EVERY_S = 2.0
LATE = timedelta(minutes=2)  # a job that has waited longer is news
DEAD = timedelta(seconds=45)  # three heartbeats missed
QUEUE_WORDS = {
    "scraper": N_("Searches on the map"),
    "sender": N_("Campaign messages"),
    "imports": N_("Files of leads"),
    "campaigns": N_("Campaigns that start"),
    "sites": N_("Websites of leads"),
}
JOB_WORDS = {
    "ScrapeSearch": N_("search {id}"),
    "BuildQueue": N_("build the queue of campaign {id}"),
    "SendDue": N_("send from number {id}"),
    "Reconcile": N_("look for evidence of number {id}"),
    "CheckPhones": N_("look up who is on WhatsApp from number {id}"),
    "ImportLeads": N_("import file {id}"),
    "ReadSites": N_("read websites"),
}


@ui.page("/queues", response_timeout=10)
async def queues_page() -> None:
    with page_frame("queues", _("Queues & workers")) as frame:
        page = _Page(frame)
        await page.refresh()
        live.on("queues", page.refresh, every_s=EVERY_S)


class _Page:
    """Drawn once; numbers change in place, lists are drawn again only when they differ."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.shown: tuple[object, ...] = ()
        self.open: set[str] = set()
        self.beats: dict[str, Text] = {}
        with kpi_strip(_("All queues")):
            self.waiting = Kpi(_("Queued"))
            self.oldest = Kpi(_("Oldest waiting"), hint=_("goal: up to 2 min"))
            self.running = Kpi(_("Running"))
            self.workers = Kpi(_("Workers"))
            self.failed = Kpi(_("Open failures"))
        self.body = ui.element("div").classes("p-col p-g16 p-full")

    async def refresh(self) -> None:
        try:
            seen = await ask(queues.overview)
        except Unreachable:
            self._away()
            return
        alive = [worker for worker in seen.workers if not _is_dead(worker, seen.at)]
        failures = sum(queue.failed for queue in seen.queues)
        self.frame.fact(_fact(failures, seen.at))
        self.waiting.set(formats.number(sum(queue.waiting for queue in seen.queues)))
        self.oldest.set(_span(max((queue.oldest_s or 0 for queue in seen.queues), default=0)))
        self.running.set(formats.number(sum(1 for worker in alive if worker.job is not None)))
        self.workers.set(formats.number(len(alive)), of=_("of {n}").format(n=formats.number(len(seen.workers))))
        self.failed.set(formats.number(failures))
        self._draw(seen)
        for worker in seen.workers:
            if worker.name in self.beats:
                self.beats[worker.name].text = _beat_words(worker, seen.at)

    def _away(self) -> None:
        self.shown = ()
        self.body.clear()
        with self.body, card():
            words = _("Redis does not answer, so nothing can be seen here. Nothing is lost: it goes on by itself.")
            with state("cloud_off", _("The queues cannot be seen"), words, tone="bad"):
                pass

    def _draw(self, seen: QueuesSeen) -> None:
        """Again only when something other than the clock has changed, so that nothing jumps under the cursor."""
        now = (
            [(q.name, q.waiting, q.running, q.failed) for q in seen.queues],
            [(w.name, w.state, w.job, _is_dead(w, seen.at)) for w in seen.workers],
            [(f.job.id, f.failed_at) for f in seen.failed],
        )
        if now == self.shown:
            return
        self.shown = now
        self.body.clear()
        with self.body:
            self._queues(seen.queues)
            self._workers(seen.workers, seen.at)
            self._failures(seen.failed)

    def _queues(self, found: Sequence[QueueSeen]) -> None:
        most = max([queue.waiting for queue in found] + [1])
        with card(), ui.element("div").classes("p-tbl-wrap"), ui.element("table").classes("p-tbl"):
            with ui.element("thead"), ui.element("tr"):
                for words, classes in (
                    (_("Queue"), "first"),
                    (_("Depth"), ""),
                    (_("Running"), "r"),
                    (_("Oldest"), "r"),
                    (_("Failures"), "r last"),
                ):
                    with ui.element("th").classes(classes).props("scope=col"):
                        text(words)
            with ui.element("tbody"):
                for queue in found:
                    _queue_line(queue, most)

    def _workers(self, found: Sequence[WorkerSeen], at: datetime) -> None:
        with card(_("Workers")):
            if not found:
                words = _("Start one with ./run or docker compose; what waits is done then.")
                with state("engineering", _("No worker is there"), words, tone="bad"):
                    pass
                return
            with ui.element("ul").classes("p-lines"):
                self.beats = {worker.name: _worker_line(worker, at) for worker in found}

    def _failures(self, found: Sequence[FailedJob]) -> None:
        with ui.element("section").classes("p-card"):
            with ui.element("div").classes("p-card-h line"):
                section(_("Failed jobs"))
                if found:
                    chip(formats.number(len(found)), "bad")
            if not found:
                with state("task_alt", _("Nothing has failed"), tone="ok"):
                    pass
            for failure in found:
                self._failure(failure)

    def _failure(self, failure: FailedJob) -> None:
        is_open = failure.job.id in self.open
        with ui.element("div").classes("p-fail"):
            with ui.element("div").classes("p-row p-g10"):
                name = _("Hide the trace") if is_open else _("Show the trace")
                icon_button(
                    "expand_more" if is_open else "chevron_right", name, lambda: self._toggle(failure), size="xs"
                )
                with ui.element("div").classes("p-col p-grow"):
                    text(failure.error or _("No reason was kept"), "p-b p-ell")
                    when = formats.moment(failure.failed_at) if failure.failed_at else "—"
                    text(f"{_job_words(failure.job)} · {when}", "p-t-xs p-t-3")
                button(_("Try again"), lambda: self._retry(failure), icon="refresh", size="sm")
                icon_button("delete", _("Discard"), lambda: self._discard(failure), size="sm")
            if is_open:
                with ui.element("div").classes("p-inset p-trace"):
                    with ui.element("div").classes("p-row p-between"):
                        text(failure.job.id, "p-mono p-t-3")
                        button(_("Copy"), lambda: ui.clipboard.write(failure.traceback), icon="content_copy", size="sm")
                    text(failure.traceback, "p-mono p-pre", tag="div")

    async def _toggle(self, failure: FailedJob) -> None:
        self.open ^= {failure.job.id}
        self.shown = ()
        await self.refresh()

    async def _retry(self, failure: FailedJob) -> None:
        if await do(queues.retry, failure.job.id, done=_("Back in the queue")):
            await self.refresh()

    async def _discard(self, failure: FailedJob) -> None:
        asked = await confirm(
            _("Discard this job?"),
            _("Only the note of its failure goes. What it was about stays and is taken up again if due."),
            action=_("Discard"),
        )
        if asked and await do(queues.discard, failure.job.id, done=_("Discarded")):
            await self.refresh()


def _fact(failures: int, at: datetime) -> str:
    now = _("Updated at {time}").format(time=formats.clock(at))
    if not failures:
        return _("{now} · all in order").format(now=now)
    words = ngettext("{now} · {n} failed job", "{now} · {n} failed jobs", failures)
    return words.format(now=now, n=formats.number(failures))


def _queue_line(queue: QueueSeen, most: int) -> None:
    late = queue.oldest_s is not None and queue.oldest_s > LATE.total_seconds()
    with ui.element("tr"):
        with ui.element("td").classes("first"), ui.element("div").classes("p-col"):
            text(queue.name, "p-mono p-b")
            text(_(QUEUE_WORDS.get(queue.name, "")) if queue.name in QUEUE_WORDS else "", "p-t-xs p-t-3")
        with ui.element("td"), ui.element("div").classes("p-row p-g10"):
            text(formats.number(queue.waiting), "p-num p-b").style("min-width:36px;text-align:right")
            with ui.element("div").style("width:140px").classes("p-m-hide"):
                Meter(queue.waiting / most, label=_("Depth"))
        with ui.element("td").classes("r"):
            text(formats.number(queue.running))
        with ui.element("td").classes("r"):
            text(_span(queue.oldest_s) if queue.oldest_s is not None else "—", "p-t-warn p-b" if late else "")
        with ui.element("td").classes("r last"):
            text(formats.number(queue.failed), "p-t-bad p-b" if queue.failed else "p-t-3")


def _worker_line(worker: WorkerSeen, at: datetime) -> Text:
    """Returns the text of its last heartbeat, which changes in place."""
    dead = _is_dead(worker, at)
    tone = "bad" if dead else "" if worker.job is not None else "off"
    with ui.element("li").classes("p-row p-g10"):
        ui.element("span").classes(f"p-pulse {tone}")
        text(worker.name, "p-mono p-b p-ell")
        if dead:
            icon("heart_broken", 16, "p-t-bad")
            gone = formats.ago(worker.heartbeat_at) if worker.heartbeat_at else "—"
            text(_("no sign of life since {time}").format(time=gone), "p-t-bad p-grow")
        else:
            text(_job_words(worker.job) if worker.job is not None else _("free"), "p-grow p-ell")
        text(f"{worker.host} · {worker.pid or '—'}", "p-t-xs p-t-3 p-m-hide")
        beat = text("", "p-t-xs p-t-3 p-num p-m-hide")
        since = at - worker.since if worker.since is not None and worker.job is not None else None
        text(_span(since.total_seconds()) if since is not None else "—", "p-num p-t-2")
    return beat


def _beat_words(worker: WorkerSeen, at: datetime) -> str:
    if worker.heartbeat_at is None:
        return "—"
    return _("heartbeat {time} ago").format(time=_span(max(0.0, (at - worker.heartbeat_at).total_seconds())))


def _job_words(job: JobSeen) -> str:
    if job.name not in JOB_WORDS:
        return job.name or job.id
    return _(JOB_WORDS[job.name]).format(id=job.row_id if job.row_id is not None else "?")


def _is_dead(worker: WorkerSeen, at: datetime) -> bool:
    return worker.heartbeat_at is not None and at - worker.heartbeat_at > DEAD


def _span(seconds: float) -> str:
    return formats.duration(timedelta(seconds=round(seconds)))
