"""A campaign as it goes: progress, funnel, pace, and every recipient with what became of them."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from nicegui import events, ui

from core.accounts.rules import Role
from core.campaigns import service as campaigns
from core.campaigns.queries import Bucket, Counts, Cursor, RecipientRow
from core.campaigns.rules import CampaignId, CampaignStatus, Standing
from core.campaigns.service import Live
from core.sending import service as sending
from core.sending.rules import RecipientId, RecipientStatus
from ui import live
from ui.calls import ask, do
from ui.frame import Frame, page_frame
from ui.pages.campaigns import cancel, duplicate, pause, resume, unschedule
from ui.parts import safe
from ui.parts.button import button, icon_button
from ui.parts.campaign_words import PAUSE_REASONS, REASONS, STANDINGS, back_at, day_in, in_zone, moment_in
from ui.parts.card import card
from ui.parts.chart_data import chart_data
from ui.parts.confirm import confirm
from ui.parts.kpi import Meter, share
from ui.parts.note import note
from ui.parts.states import state
from ui.parts.status import STATES, chip
from ui.parts.text import icon, section, text
from ui.session import current_actor
from ui.theme import charts
from ui.words import N_, _, formats, ngettext

SAFETY_S = 10.0
SIZES = {"1min": N_("1 min"), "5min": N_("5 min"), "1h": N_("1 h")}
# Cell of the funnel → its icon, colour of the icon, words, colour of the bar.
CELLS = {
    "queued": ("schedule", "p-t-3", N_("Queued"), "mut"),
    "sent": ("check", "p-t-3", N_("Sent out"), ""),
    "delivered": ("done_all", "p-t-3", N_("Deliveries"), ""),
    "read": ("visibility", "p-t-3", N_("Reads"), ""),
    "replied": ("reply", "p-t-ok", N_("Answered"), "ok"),
    "opted_out": ("block", "p-t-3", N_("Asked to leave"), "mut"),
    "failed": ("error", "p-t-bad", N_("Failures"), "bad"),
}
TABS = {
    "all": N_("Everybody"),
    "replied": N_("Answered"),
    "failed": N_("Failures"),
    "queued": N_("Queued"),
    "opted_out": N_("Asked to leave"),
    "doubtful": N_("To be decided"),
    "skipped": N_("Left out"),
}


@ui.page("/campaigns/{campaign_id}", response_timeout=15)
async def campaign_page(campaign_id: int, tab: str = "all") -> None:
    crumb = (_("Campaigns"), "/campaigns", _("Progress"))
    with page_frame("campaigns", _("Campaign"), crumb=crumb) as frame:
        found = await ask(campaigns.live, CampaignId(campaign_id))
        if found.head.status is CampaignStatus.DRAFT:
            safe.go(f"/campaigns/{campaign_id}/edit")
            return
        page = _Campaign(frame, found, tab)
        await page.show_lists()
        live.on(f"campaign:{campaign_id}", page.refresh, every_s=SAFETY_S)
        ui.timer(1.0, page.count_down, immediate=False)


class _Campaign:
    """The whole page; everything in it changes in place."""

    def __init__(self, frame: Frame, found: Live, tab: str) -> None:
        self.frame = frame
        self.id = found.head.id
        self.may_act = current_actor().role is not Role.VIEWER
        self.found = found
        self.read_s = time.monotonic()
        frame.body.classes("p-live")
        frame.rename(found.head.name)
        with frame.heading:
            self.chip = ui.element("span")
        self.buttons: list[ui.element] = [frame.actions.classes("p-m-hide")]
        self.note = ui.element("div").classes("p-live-note")
        self.progress = _ProgressCard()
        self.funnel = _Funnel(self._filter)
        self.activity = _Activity(self)
        self.recipients = _Recipients(self, tab)
        with ui.element("div").classes("p-m-only p-mbar") as bar:
            self.buttons.append(bar)
        self._drawn: object = None
        self._show()

    async def show_lists(self) -> None:
        await self.activity.show()
        await self.recipients.load()

    async def refresh(self) -> None:
        """Told by a worker, or every ten seconds: reads again and changes what is shown in its place."""
        self.found = await ask(campaigns.live, self.id)
        self.read_s = time.monotonic()
        self._show()
        await self.activity.show()
        await self.recipients.refresh()

    async def _act(self, verb: Any) -> None:
        await verb(self.id, self.found.head.name)
        await self.refresh()

    async def _filter(self, tab: str) -> None:
        await self.recipients.choose(tab)

    # ------------------------------------------------------------ drawing

    def _show(self) -> None:
        self.progress.show(self.found)
        self.funnel.show(self.found.counts)
        self.recipients.show_tabs(self.found)
        head, now = self.found.head, self.found.progress.now
        drawn = (now, head.status, head.pause_reason, self.found.counts[RecipientStatus.HELD], self._number_state())
        if drawn == self._drawn:
            return
        self._drawn = drawn
        self.chip.clear()
        with self.chip:
            look = STANDINGS[now.standing]
            chip(_(look.words), look.tone, look.icon)
        for place, box in enumerate(self.buttons):
            box.clear()
            with box:
                self._buttons(is_phone=place == 1)
        self._show_note()

    def _number_state(self) -> tuple[str, bool] | None:
        number = self.found.progress.number
        return (number.name, number.can_send) if number else None

    def _buttons(self, *, is_phone: bool) -> None:
        """What may follow from the state it is in; one of them is primary."""
        if not self.may_act:
            return
        grow = "p-grow" if is_phone else ""
        status = self.found.head.status
        if status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED, CampaignStatus.SCHEDULED):
            quiet = button(_("Cancel"), self._cancel, kind="dng" if is_phone else "gho").classes(grow)
            quiet.classes("" if is_phone else "p-t-bad")
        if not is_phone or status in (CampaignStatus.FINISHED, CampaignStatus.CANCELLED):
            button(_("Duplicate"), lambda: self._act(duplicate), icon="content_copy").classes(grow)
        match status:
            case CampaignStatus.RUNNING:
                button(_("Pause"), lambda: self._act(pause), kind="pri", icon="pause").classes(grow)
            case CampaignStatus.PAUSED:
                button(_("Go on"), lambda: self._act(resume), kind="pri", icon="play_arrow").classes(grow)
            case CampaignStatus.SCHEDULED:
                button(_("Back to draft"), lambda: self._act(_unschedule), icon="edit").classes(grow)
                button(_("Start now"), self._start_now, kind="pri", icon="rocket_launch").classes(grow)

    async def _cancel(self) -> None:
        can_pause = self.found.head.status is CampaignStatus.RUNNING
        waiting = self.found.counts.waiting or None
        await cancel(self.id, self.found.head.name, waiting=waiting, can_pause=can_pause)
        await self.refresh()

    async def _start_now(self) -> None:
        asked = await confirm(
            _("Start this campaign?"),
            _("It begins now instead of at its hour."),
            action=_("Start campaign"),
            danger=False,
        )
        if asked and await do(campaigns.start, self.id, self.found.head.version):
            await self.refresh()

    def _show_note(self) -> None:
        """Why it stands still, and the way out; then what waits for a person."""
        self.note.clear()
        head, progress = self.found.head, self.found.progress
        held = self.found.counts[RecipientStatus.HELD]
        with self.note:
            if head.status is CampaignStatus.PAUSED and head.pause_reason not in (None, "by_hand"):
                note(
                    _(PAUSE_REASONS.get(head.pause_reason or "", N_("It was paused."))),
                    title=_("It stopped by itself."),
                )
            if progress.now.standing is Standing.WAITING_FOR_NUMBER:
                self._number_note()
            if held:
                words = ngettext(
                    "{n} message may have arrived, or not: we found no proof.",
                    "{n} messages may have arrived, or not: we found no proof.",
                    held,
                )
                note(
                    words.format(n=formats.number(held)),
                    title=_("A person has to decide."),
                    icon="help",
                    action=_("See them"),
                    on_action=lambda: self._filter("doubtful"),
                )

    def _number_note(self) -> None:
        number = self.found.progress.number
        name = number.name if number else "—"
        is_paused = number is not None and number.is_paused
        title = _("“{name}” is paused.") if is_paused else _("“{name}” is not connected.")
        waiting = self.found.counts.waiting
        words = ngettext("{n} message waits for it.", "{n} messages wait for it.", waiting)
        note(
            words.format(n=formats.number(waiting)),
            title=title.format(name=name),
            tone="bad",
            icon="pause" if is_paused else "link_off",
            action=_("See number"),
            on_action=lambda: safe.go("/instances"),
        )

    def count_down(self) -> None:
        self.progress.count_down(self.found, timedelta(seconds=time.monotonic() - self.read_s))


async def _unschedule(campaign_id: CampaignId, name: str) -> None:
    await unschedule(campaign_id, name)
    safe.go(f"/campaigns/{campaign_id}/edit")


# ---------------------------------------------------------------- progress and funnel


class _Fact:
    """A label, a value and a line below it."""

    def __init__(self, label: str) -> None:
        with ui.element("div").classes("p-fact"):
            self.label = text(label, "p-t-xs p-t-3")
            self.value = text("—", "p-num", tag="b")
            self.below = text("", "p-t-xs p-t-3 p-num")

    def set(self, value: str, below: str = "") -> None:
        self.value.text, self.below.text = value, below


class _ProgressCard:
    def __init__(self) -> None:
        with ui.element("section").classes("p-card p-prog") as made:
            made.props["aria-label"] = _("Progress")
            with ui.element("div").classes("p-grow"):
                with ui.element("div").classes("p-row p-g10 p-baseline p-wrap"):
                    self.percent = text("", "p-huge p-num")
                    self.done = text("", "p-b p-num")
                    text(_("processed"), "p-t-sm p-t-3")
                with ui.element("div").classes("p-meter p-meter-lg") as bar:
                    self.sent = ui.element("i")
                    self.not_sent = ui.element("i").classes("bad")
                bar.props["role"] = "progressbar"
                self.bar = bar
            self.finish = _Fact(_("Finishes around"))
            self.pace = _Fact(_("Pace now"))
            self.next = _Fact(_("Next message"))

    def show(self, found: Live) -> None:
        counts, total = found.counts, found.counts.total
        self.percent.text = formats.percent(share(counts.done, total), 0)
        self.done.text = _("{n} of {total}").format(n=formats.number(counts.done), total=formats.number(total))
        failed = counts[RecipientStatus.FAILED]
        fine = counts.done - failed
        self.sent.style(f"width:{100 * share(fine, total):.2f}%")
        self.not_sent.style(f"width:{100 * share(failed, total):.2f}%;min-width:{'5px' if failed else '0'}")
        self.not_sent.visible = bool(failed)
        self.bar.props["aria-valuenow"] = str(round(100 * share(counts.done, total)))
        self._show_finish(found)
        self._show_pace(found)
        self.count_down(found, timedelta())

    def _show_finish(self, found: Live) -> None:
        head, outlook = found.head, found.progress.estimate
        if head.status in (CampaignStatus.FINISHED, CampaignStatus.CANCELLED):
            words = _("Finished") if head.status is CampaignStatus.FINISHED else _("Cancelled")
            self.finish.label.text = words
            self.finish.set(moment_in(head.ended_at, found.timezone))
        elif head.status is CampaignStatus.SCHEDULED:
            self.finish.label.text = _("Starts")
            self.finish.set(moment_in(head.starts_at, found.timezone))
        elif outlook.finish_at is None:
            self.finish.set(_("no end in sight"))
        else:
            left = ngettext("in {n} day of sending", "in {n} days of sending", outlook.days)
            resumed = _("if it goes on now") if head.status is CampaignStatus.PAUSED else ""
            below = resumed or left.format(n=formats.number(outlook.days))
            self.finish.set(moment_in(outlook.finish_at, found.timezone), below)

    def _show_pace(self, found: Live) -> None:
        progress = found.progress
        today = _("{n} of {cap} today").format(
            n=formats.number(progress.sent_today), cap=formats.number(progress.cap_today)
        )
        if found.head.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED):
            self.pace.set(_("{n} per minute").format(n=formats.number(progress.per_minute, 1)), today)
        else:
            self.pace.set("—")

    def count_down(self, found: Live, passed: timedelta) -> None:
        """The next message, second by second between two looks at the database."""
        progress, now = found.progress, found.read_at + passed
        name = progress.number.name if progress.number else ""
        match progress.now.standing:
            case Standing.SENDING:
                left = (progress.next_at or now) - now
                soon = left <= timedelta(seconds=1)
                when = _("now") if soon else _("in {time}").format(time=formats.countdown(left))
                self.next.set(when, _("by {name}").format(name=name))
            case Standing.OUTSIDE_WINDOW | Standing.CAP_REACHED as standing if progress.now.until is not None:
                why = _("outside its hours") if standing is Standing.OUTSIDE_WINDOW else _("done for today")
                self.next.set(back_at(progress.now.until, now, found.timezone), why)
            case Standing.WAITING_FOR_NUMBER:
                self.next.set("—", _("waits for {name}").format(name=name or _("a number")))
            case Standing.WAITING_FOR_PROOF:
                self.next.set("—", _("nothing left to send"))
            case Standing.PAUSED:
                self.next.set("—", _("paused {when}").format(when=formats.ago(found.head.status_at)))
            case _other:
                self.next.set("—")


class _Funnel:
    """Seven cells, each a filter of the list below."""

    def __init__(self, on_choose: Any) -> None:
        self.cells: dict[str, tuple[Any, Any, Meter]] = {}
        with ui.element("section").classes("p-card p-fun") as made:
            made.props["aria-label"] = _("Funnel")
            for name, (icon_name, tone, words, bar) in CELLS.items():
                with ui.element("button").classes("p-fc").props("type=button") as cell:
                    with ui.element("span").classes("p-row p-g6 p-t-sm p-t-2 p-nowrap"):
                        icon(icon_name, 16, tone)
                        text(_(words))
                    with ui.element("span").classes("p-row p-g6 p-baseline"):
                        number = text("", "p-fv p-num")
                        percent = text("", "p-t-xs p-t-3 p-num")
                    meter = Meter(0, bar)  # type: ignore[arg-type]
                cell.on("click", lambda name=name: on_choose(name))
                self.cells[name] = (number, percent, meter)

    def show(self, counts: Counts) -> None:
        """Queued and sent are shares of the audience, the rest of what was sent, failures of what was tried."""
        sent = counts[RecipientStatus.SENT]
        failed = counts[RecipientStatus.FAILED] + counts.undelivered
        tried = sent + counts[RecipientStatus.FAILED]
        for name, n, whole in (
            ("queued", counts.waiting, counts.total),
            ("sent", sent, counts.total),
            ("delivered", counts.delivered, sent),
            ("read", counts.read, sent),
            ("replied", counts.replied, sent),
            ("opted_out", counts.opted_out, sent),
            ("failed", failed, tried),
        ):
            number, percent, meter = self.cells[name]
            number.text = formats.number(n)
            percent.text = formats.share_of(n, whole)
            # what was sent is the measure of the cells after it, and so is full
            meter.set(float(bool(sent)) if name == "sent" else share(n, whole))


# ---------------------------------------------------------------- sends and replies


class _Activity:
    def __init__(self, page: _Campaign) -> None:
        self.page = page
        self.size = "5min"
        self.buckets: list[Bucket] = []
        with card() as made:
            made.props["aria-label"] = _("Sends and replies")
            with ui.element("div").classes("p-card-h"):
                section(_("Sends and replies"))
                with ui.element("span").classes("p-row p-g12 p-end"):
                    with ui.element("span").classes("p-row p-g12 p-t-xs p-t-2 p-m-hide"):
                        _legend(_("Sent out"), "now")
                        _legend(_("Replies"), "answer")
                    sizes = {size: _(words) for size, words in SIZES.items()}
                    ui.toggle(sizes, value=self.size, on_change=self._resize)
            with ui.element("div").style("padding:0 16px 6px"):
                self.chart = ui.echart({}, theme=charts.theme()).style("height:206px")
                self.chart.props["role"] = "img"
            with ui.element("div").style("padding:0 20px 12px"):
                chart_data(_("Sends and replies"), (_("From"), _("Sent out"), _("Replies")), self._rows)

    async def _resize(self, event: events.ValueChangeEventArguments[str]) -> None:
        self.size = event.value if event.value in SIZES else "5min"
        await self.show()

    async def show(self) -> None:
        found = await ask(campaigns.activity, self.page.id, self.size)
        if found == self.buckets:
            return
        self.buckets = found
        self.chart.options.clear()
        self.chart.options.update(_bars(found, self.page.found.timezone, by_day=self.size == "1h"))
        sent, replied = sum(b.sent for b in found), sum(b.replied for b in found)
        words = _("{sent} sends and {replied} replies in the time shown")
        self.chart.props["aria-label"] = words.format(sent=formats.number(sent), replied=formats.number(replied))
        self.chart.update()

    def _rows(self) -> list[tuple[str, str, str]]:
        zone = self.page.found.timezone
        return [
            (moment_in(bucket.at, zone), formats.number(bucket.sent), formats.number(bucket.replied))
            for bucket in reversed(self.buckets)
            if bucket.sent or bucket.replied
        ]


def _legend(words: str, tone: str) -> None:
    with ui.element("span").classes("p-row p-g6"):
        ui.element("i").classes(f"p-lgd {tone}")
        text(words)


def _bars(found: list[Bucket], zone: str, *, by_day: bool) -> dict[str, Any]:
    """Two plots above one another, since their scales differ."""
    colours = charts.colours()
    names = []
    for bucket in found:
        local = in_zone(bucket.at, zone)
        names.append(f"{formats.day(local)} {formats.clock(local)}" if by_day else formats.clock(local))
    tops = [_top(max((b.sent for b in found), default=0)), _top(max((b.replied for b in found), default=0))]
    axis = {"type": "category", "data": names, "axisTick": {"show": False}}
    label = {"margin": 9, "interval": 15 if by_day else 11}
    return {
        "animation": False,
        "tooltip": {"trigger": "axis"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}], "type": "shadow"},
        "grid": [
            {"left": 36, "right": 8, "top": 10, "height": 112},
            {"left": 36, "right": 8, "top": 138, "height": 44},
        ],
        "xAxis": [
            {**axis, "gridIndex": 0, "axisLabel": {"show": False}},
            {**axis, "gridIndex": 1, "axisLabel": label},
        ],
        "yAxis": [
            {"type": "value", "gridIndex": 0, "max": tops[0], "interval": tops[0] / 2 if tops[0] > 1 else 1},
            {"type": "value", "gridIndex": 1, "max": tops[1], "interval": tops[1]},
        ],
        "series": [
            {
                "name": _("Sent out"),
                "type": "bar",
                "data": [b.sent for b in found],
                "barWidth": "58%",
                "itemStyle": {"color": colours["c1"], "borderRadius": [3, 3, 0, 0]},
            },
            {
                "name": _("Replies"),
                "type": "bar",
                "xAxisIndex": 1,
                "yAxisIndex": 1,
                "data": [b.replied for b in found],
                "barWidth": "58%",
                "itemStyle": {"color": colours["ok"], "borderRadius": [3, 3, 0, 0]},
            },
        ],
    }


def _top(most: int) -> int:
    """An even number a little above the highest bar."""
    return max(2, 2 * ceil(most * 0.6))


# ---------------------------------------------------------------- the recipients


class _Recipients:
    """The list: rows change in place and never move; what is new waits behind a pill."""

    def __init__(self, page: _Campaign, tab: str) -> None:
        self.page = page
        self.tab = tab if tab in (*TABS, "sent", "delivered", "read") else "all"
        self.back: list[Cursor | None] = []  # where the pages before this one began; None is the first
        self.at: Cursor | None = None
        self.shown: list[RecipientRow] = []
        self.counts: dict[str, Any] = {}
        with card() as made:
            made.props["aria-label"] = _("Recipients")
            with ui.element("div").classes("p-row p-between p-recipients-h"):
                with ui.tabs(value=self.tab, on_change=self._change_tab).classes("p-grow") as self.tabs:
                    for name, words in TABS.items():
                        with ui.tab(name, label=_(words)) as one:
                            self.counts[name] = (one, text("", "p-cnt quiet"))
                self.retry = button(_("Try the failures again"), self._retry, size="sm", icon="refresh")
                self.retry.visible = False
            with ui.element("div").classes("p-row p-center") as self.news:
                button(_("Show what is new"), self._first, kind="sof", size="xs", icon="arrow_upward")
            self.news.visible = False
            self.table = ui.table(rows=[], columns=_columns(), row_key="id", pagination=0)
            self.table.props("hide-bottom").classes("p-full p-recipients")
            _draw_cells(self.table)
            self.table.on("decide", self._decide)
            self.none = ui.element("div")
            with self.none, state("person_search", _("Nobody here"), tone="quiet"):
                pass
            with ui.element("div").classes("p-row p-g8 p-pager") as self.pager:
                self.before = icon_button("chevron_left", _("Previous page"), self._previous, size="sm")
                self.after = icon_button("chevron_right", _("Next page"), self._next, size="sm")

    # ------------------------------------------------------------ which

    async def choose(self, tab: str) -> None:
        """From a cell of the funnel; some of them have no tab of their own."""
        self.tab = tab
        self.back, self.at = [], None
        if tab in TABS:
            self.tabs.value = tab
        await self.load()
        ui.run_javascript("document.querySelector('.p-recipients-h').scrollIntoView({block: 'start'})")

    async def _change_tab(self, event: events.ValueChangeEventArguments[str]) -> None:
        if event.value in TABS and event.value != self.tab:
            self.tab = event.value
            await self._first()

    async def _first(self) -> None:
        self.back, self.at = [], None
        await self.load()

    async def _next(self) -> None:
        if self.shown:
            self.back.append(self.at)
            self.at = self.shown[-1].cursor
            await self.load()

    async def _previous(self) -> None:
        if self.back:
            self.at = self.back.pop()
            await self.load()

    # ------------------------------------------------------------ drawing

    def show_tabs(self, found: Live) -> None:
        counts = found.counts
        numbers = {
            "all": counts.total,
            "replied": counts.replied,
            "failed": counts[RecipientStatus.FAILED] + counts.undelivered,
            "queued": counts.waiting,
            "opted_out": counts.opted_out,
            "doubtful": counts.doubtful,
            "skipped": counts[RecipientStatus.SKIPPED] + counts[RecipientStatus.CANCELLED],
        }
        for name, (tab, count) in self.counts.items():
            count.text = formats.number(numbers[name])
            tab.visible = bool(numbers[name]) or name not in ("doubtful", "skipped", "opted_out")
        goes_on = found.head.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED)
        self.retry.visible = self.page.may_act and goes_on and bool(found.worth_a_retry)

    async def load(self) -> None:
        found = await ask(campaigns.recipients, self.page.id, self.tab, after=self.at)
        self.news.visible = False
        self._show(found.rows)
        self.before.set_enabled(bool(self.back))
        self.after.set_enabled(found.has_more)
        self.pager.visible = bool(self.back) or found.has_more

    async def refresh(self) -> None:
        """Tells what became of the rows that are shown; says when there are others above them by now."""
        if not self.shown:
            await self.load()
            return
        now = await ask(campaigns.recipients_now, self.page.id, [row.id for row in self.shown])
        if self.at is None:
            first = await ask(campaigns.recipients, self.page.id, self.tab, limit=1)
            shown = {row.id for row in self.shown}
            self.news.visible = bool(first.rows) and first.rows[0].id not in shown
        self._show([now.get(row.id, row) for row in self.shown])

    def _show(self, rows: list[RecipientRow]) -> None:
        self.shown = rows
        now = self.page.found.read_at
        drawn = [_row(row, self.page.found.timezone, now, self.page.may_act) for row in rows]
        if drawn != self.table.rows:
            self.table.rows = drawn
        self.table.visible = bool(drawn)
        self.none.visible = not drawn

    # ------------------------------------------------------------ deciding

    async def _decide(self, event: events.GenericEventArguments) -> None:
        verb, row_id = str(event.args[0]), event.args[1]
        if verb not in DECISIONS or not any(row.id == row_id for row in self.shown):
            return
        function, done = DECISIONS[verb]
        await do(function, [RecipientId(int(row_id))], done=_(done))
        await self.page.refresh()

    async def _retry(self) -> None:
        await do(sending.retry_failed, self.page.id, done=_("They are in the queue again"))
        await self.page.refresh()


DECISIONS = {
    "arrived": (sending.it_arrived, N_("Noted: it arrived")),
    "again": (sending.send_again, N_("In the queue again")),
    "skip": (sending.skip, N_("Left at that")),
}


def _columns() -> list[dict[str, Any]]:
    def column(name: str, label: str, align: str = "left", classes: str = "p-m-hide") -> dict[str, Any]:
        return {
            "name": name,
            "label": label,
            "field": name,
            "align": align,
            "classes": classes,
            "headerClasses": classes,
        }

    return [
        column("name", _("Lead"), classes=""),
        column("phone", _("Phone"), classes="p-m-hide p-num p-t-sm"),
        column("number", _("By"), classes="p-m-hide p-t-sm p-t-2"),
        column("state", _("State"), classes=""),
        column("when", _("When"), "right", "p-m-hide p-t-sm p-t-2"),
    ]


def _draw_cells(table: ui.table) -> None:
    """Templates that the browser fills from the rows; they are constants, whatever a lead is called."""
    table.add_slot(
        "body-cell-name",
        """
        <q-td :props="props">
          <div class="p-b p-ell">
            <a v-if="props.row.lead" class="p-plain" :href="'/leads?lead=' + props.row.lead">{{ props.row.name }}</a>
            <span v-else>{{ props.row.name }}</span>
          </div>
          <div v-if="props.row.why" :class="'p-t-xs ' + props.row.why_tone">{{ props.row.why }}</div>
          <div v-if="props.row.may_decide" class="p-row p-g6 p-wrap p-decide">
            <q-btn unelevated no-caps class="sec p-xs" :label="props.row.words.arrived"
              @click="() => $parent.$emit('decide', 'arrived', props.row.id)"/>
            <q-btn unelevated no-caps class="sec p-xs" :label="props.row.words.again"
              @click="() => $parent.$emit('decide', 'again', props.row.id)"/>
            <q-btn unelevated no-caps class="gho p-xs" :label="props.row.words.skip"
              @click="() => $parent.$emit('decide', 'skip', props.row.id)"/>
          </div>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-state",
        """
        <q-td :props="props">
          <span :class="'p-chip ' + props.row.tone">
            <i v-if="props.row.icon === 'dot'" class="dot"></i>
            <q-icon v-else-if="props.row.icon" :name="'sym_r_' + props.row.icon" size="14px" aria-hidden="true"/>
            {{ props.row.state }}
          </span>
        </q-td>
        """,
    )


def state_of(row: RecipientRow) -> str:
    """The furthest that happened to a recipient: the key of its chip."""
    if row.opted_out_at is not None:
        return "opted_out"
    if row.replied_at is not None:
        return "replied"
    if row.status is not RecipientStatus.SENT:
        return row.status.value
    if row.undelivered_at is not None:
        return "failed"
    if row.read_at is not None:
        return "read"
    return "delivered" if row.delivered_at is not None else "sent"


def _row(row: RecipientRow, zone: str, now: datetime, may_act: bool) -> dict[str, Any]:
    key = state_of(row)
    look = STATES["recipient"][key]
    why = _why(row, zone, now)
    return {
        "id": row.id,
        "lead": row.lead_id,
        "name": row.name,
        "phone": formats.phone(row.phone),
        "number": row.instance_name or "—",
        "state": _(look.words),
        "tone": look.tone,
        "icon": look.icon,
        "when": _when(row, zone, now),
        "why": why,
        "why_tone": "p-t-bad" if key == "failed" else "p-t-3",
        "may_decide": may_act and row.status is RecipientStatus.HELD,
        "words": {"arrived": _("It arrived"), "again": _("Send again"), "skip": _("Leave it at that")},
    }


def _why(row: RecipientRow, zone: str, now: datetime) -> str:
    """In plain words, where something needs explaining."""
    match row.status:
        case RecipientStatus.HELD:
            return _("We asked WhatsApp and got no answer, and found no proof that it went out.")
        case RecipientStatus.UNCONFIRMED:
            return _("We got no answer and are looking for proof that it went out.")
        case RecipientStatus.SENT if row.undelivered_at is not None:
            return _(REASONS["undelivered"])
        case RecipientStatus.QUEUED if row.not_before > now + timedelta(minutes=1):
            return _("Not before {when}.").format(when=back_at(row.not_before, now, zone))
    return _(REASONS[row.reason]) if row.reason in REASONS else ""


def _when(row: RecipientRow, zone: str, now: datetime) -> str:
    """Today's time, or the day; nothing for those who wait."""
    if row.status in (RecipientStatus.QUEUED, RecipientStatus.SENDING):
        return "—"
    latest = max(filter(None, [row.sent_at, row.replied_at, row.opted_out_at]), default=row.changed_at)
    is_today = in_zone(latest, zone).date() == in_zone(now, zone).date()
    return formats.clock(in_zone(latest, zone)) if is_today else day_in(latest, zone)
