"""Every recipient with what became of them, and why.

Rows change in place and never move under the cursor; what is new waits behind a pill.  Who is next counts down.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

from nicegui import events, ui

from core.campaigns import service as campaigns
from core.campaigns import telling
from core.campaigns.queries import Cursor, RecipientRow
from core.campaigns.rules import LETTERS, CampaignStatus
from core.campaigns.service import Live
from core.sending import service as sending
from core.sending.rules import RecipientId, RecipientStatus
from ui.calls import ask, do
from ui.pages.campaign import exports
from ui.pages.campaign.deciding import DECISIONS, offered
from ui.pages.campaign.saying import state_of, why_words
from ui.pages.campaign.story import Drawer
from ui.pages.campaign.turn import SOON, Turn, count_down_in_the_browser, turn_of, when_words
from ui.parts.button import button, icon_button, once_at_a_time
from ui.parts.campaign_words import day_in, in_zone
from ui.parts.card import card
from ui.parts.confirm import confirm
from ui.parts.outcome_words import outcome_words
from ui.parts.states import state
from ui.parts.status import STATES
from ui.parts.text import text
from ui.words import N_, _, formats, ngettext

# In their order, with the words of those that are no cell of the funnel.
TABS = {
    "all": N_("Everybody"),
    "replied": "",
    "failed": "",
    "queued": "",
    "opted_out": "",
    "doubtful": N_("To be decided"),
    "skipped": N_("Left out"),
    "again": N_("Second message"),
}
NEXT_IN = ("all", "queued")
COUNTED_CELLS = ("left_ms", "state")
ONLY_WHEN_THERE = ("doubtful", "skipped", "opted_out", "again")


class Recipients:
    """The list of one campaign; `refresh_all` reads the whole page again after a decision."""

    def __init__(self, found: Live, tab: str, *, may_act: bool, refresh_all: Callable[[], Awaitable[None]]) -> None:
        self.found = found
        self.may_act = may_act
        self.refresh_all = refresh_all
        self.tab = tab if tab in (*TABS, "sent", "delivered", "read") else "all"
        self.search = ""
        self.back: list[Cursor | None] = []  # where the pages before this one began; None is the first
        self.at: Cursor | None = None
        self.listed: list[RecipientRow] = []
        self.next_one: RecipientRow | None = None
        self.shown: list[RecipientRow] = []  # who is next, then those that are listed
        self.counts: dict[str, Any] = {}
        self._held_drawn: object = None
        with card() as made:
            made.props["aria-label"] = _("Recipients")
            with ui.element("div").classes("p-row p-between p-recipients-h"):
                with ui.tabs(value=self.tab, on_change=self._change_tab).classes("p-grow") as self.tabs:
                    outcome = outcome_words()
                    for name, words in TABS.items():
                        with ui.tab(name, label=_(words) if words else outcome[name]) as one:
                            self.counts[name] = (one, text("", "p-cnt quiet"))
                with ui.element("div").classes("p-row p-g8 p-recipients-acts"):
                    self.find = ui.input(placeholder=_("Name or phone"), on_change=self._find)
                    self.find.props('clearable dense debounce=350 maxlength=80 type="search"').classes("p-find-small")
                    self.find.props["aria-label"] = _("Find by name or phone")
                    if may_act:
                        with icon_button("download", _("Export this tab"), size="sm"), ui.menu().props("auto-close"):
                            for kind, (_type, words) in exports.KINDS.items():
                                ui.menu_item(_(words), lambda kind=kind: self._take(kind))
                    self.retry = button("", self._retry, size="sm", icon="refresh")
            self.retry.visible = False
            self.retried = text("", "p-t-xs p-t-3 p-retried", tag="div")
            self.retried.visible = False
            self.asks = ui.element("div").classes("p-held")
            with ui.element("div").classes("p-row p-center") as self.news:
                button(_("Show what is new"), self._first, kind="sof", size="xs", icon="arrow_upward")
            self.news.visible = False
            self.table = ui.table(
                rows=[], columns=_columns(), row_key="id", pagination=0, on_select=lambda: self._show_asks()
            )
            self.table.props("hide-bottom").classes("p-full p-recipients")
            _draw_cells(self.table)
            self.table.on("decide", once_at_a_time(self._decide))
            self.table.on("open", once_at_a_time(self._open))
            self.none = ui.element("div")
            with self.none, state("person_search", _("Nobody here"), tone="quiet"):
                pass
            with ui.element("div").classes("p-row p-g8 p-pager") as self.pager:
                self.before = icon_button("chevron_left", _("Previous page"), self._previous, size="sm")
                self.after = icon_button("chevron_right", _("Next page"), self._next, size="sm")
        count_down_in_the_browser()
        self.story = Drawer(found.timezone, may_act=may_act, decide=self._decide_one)

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

    async def _find(self, event: events.ValueChangeEventArguments[str | None]) -> None:
        self.search = (event.value or "").strip()
        await self._first()

    async def _first(self) -> None:
        self.back, self.at = [], None
        await self.load()

    async def _next(self) -> None:
        if self.listed:
            self.back.append(self.at)
            self.at = self.listed[-1].cursor
            await self.load()

    async def _previous(self) -> None:
        if self.back:
            self.at = self.back.pop()
            await self.load()

    # ------------------------------------------------------------ drawing

    def show_tabs(self, found: Live) -> None:
        self.found = found
        counts = found.counts
        numbers = {
            "all": counts.total,
            "replied": counts.replied,
            "failed": counts[RecipientStatus.FAILED] + counts.undelivered,
            "queued": counts.waiting,
            "opted_out": counts.opted_out,
            "doubtful": counts.doubtful,
            "skipped": counts[RecipientStatus.SKIPPED] + counts[RecipientStatus.CANCELLED],
            "again": counts.in_tab("again"),
        }
        for name, (tab, count) in self.counts.items():
            count.text = formats.number(numbers[name])
            tab.visible = bool(numbers[name]) or name not in ONLY_WHEN_THERE
        goes_on = found.head.status in (CampaignStatus.RUNNING, CampaignStatus.PAUSED)
        self.retry.visible = self.may_act and goes_on and bool(found.worth_a_retry)
        n = found.worth_a_retry
        self.retry.text = ngettext("Try {n} failure again", "Try {n} failures again", n).format(n=formats.number(n))
        self._show_asks()

    async def load(self) -> None:
        found = await ask(campaigns.recipients, self.found.head.id, self.tab, after=self.at, search=self.search)
        await self._read_next()
        await self._show_retry()
        self.news.visible = False
        self.table.selected = []
        self.table.selection = "multiple" if self.may_act and self.tab == "doubtful" else None
        self._show(found.rows)
        self._show_asks()
        self.before.set_enabled(bool(self.back))
        self.after.set_enabled(found.has_more)
        self.pager.visible = bool(self.back) or found.has_more

    async def refresh(self) -> None:
        """Tells what became of the rows that are shown; says when there are others above them by now."""
        await self._show_retry()
        await self.story.refresh()
        if not self.listed:
            await self.load()
            return
        now = await ask(campaigns.recipients_now, self.found.head.id, [row.id for row in self.listed])
        if self.at is None:
            first = await ask(campaigns.recipients, self.found.head.id, self.tab, limit=1, search=self.search)
            listed = {row.id for row in self.listed}
            self.news.visible = bool(first.rows) and first.rows[0].id not in listed
        await self._read_next()
        self._show([now.get(row.id, row) for row in self.listed])

    async def _read_next(self) -> None:
        """Whoever gets the next message, where everybody or those who wait are listed from the beginning."""
        turn = turn_of(self.found)
        is_there = turn is not None and self.tab in NEXT_IN and self.at is None and not self.search
        self.next_one = await ask(telling.next_in_turn, self.found.head.id, turn.number) if is_there and turn else None

    def _show(self, rows: list[RecipientRow]) -> None:
        """Who is next stands above the others, unless it is among them: then it counts down in its place."""
        self.listed = rows
        first, now, zone = self.next_one, self.found.read_at, self.found.timezone
        is_above = first is not None and first.id not in {row.id for row in rows}
        self.shown = [first, *rows] if first is not None and is_above else rows
        drawn = [_row(row, zone, now, self.may_act) for row in self.shown]
        turn = turn_of(self.found)
        if first is not None and turn is not None:
            cells = next(row for row in drawn if row["id"] == first.id)
            cells |= _turn_cells(turn, now, zone)
            was = next((row for row in self.table.rows if row["id"] == first.id), {})
            if "of" in was and was["of"] == cells.get("of"):
                cells |= {cell: was[cell] for cell in COUNTED_CELLS}  # the browser counts by itself
        if drawn != self.table.rows:
            self.table.rows = drawn
        self.table.visible = bool(drawn)
        self.none.visible = not drawn

    # ------------------------------------------------------------ deciding

    def _show_asks(self) -> None:
        """Above those who are held: what each decision means, for the chosen ones or for all."""
        held = self.found.counts.held
        chosen = [row for row in self.shown if row.id in {each["id"] for each in self.table.selected}]
        is_there = self.may_act and self.tab == "doubtful" and bool(held)
        drawn = (is_there, held, tuple(row.id for row in chosen))
        if drawn == self._held_drawn:
            return
        self._held_drawn = drawn
        self.asks.clear()
        self.asks.visible = is_there
        if not is_there:
            return
        with self.asks:
            n = len(chosen) or held
            if chosen:
                words = ngettext("About the {n} chosen one", "About the {n} chosen ones", n)
            else:
                words = ngettext("About the one who is held", "About all {n} who are held", n)
            text(words.format(n=formats.number(n)), "p-b p-t-sm", tag="div")
            with ui.element("div").classes("p-held-ways"):
                for verb, each in DECISIONS.items():
                    with ui.element("div"):
                        button(_(each.label), lambda verb=verb: self._decide_many(verb, chosen), size="sm")
                        text(_(each.meaning), "p-t-xs p-t-3", tag="div")

    async def _decide_many(self, verb: str, chosen: list[RecipientRow]) -> None:
        decision = DECISIONS[verb]
        n, seen_at = len(chosen) or self.found.counts.held, self.found.read_at
        title = ngettext("Decide about {n} person?", "Decide about {n} people?", n).format(n=formats.number(n))
        if n > 1 and not await confirm(title, _(decision.meaning), action=_(decision.label), danger=False):
            return
        if chosen:
            await do(decision.function, [row.id for row in chosen], done=_(decision.done))
        else:
            asked = (self.found.head.id, decision.decision)
            await do(sending.decide_all_held, *asked, seen_at=seen_at, done=_(decision.done))
        await self.refresh_all()

    async def _decide(self, event: events.GenericEventArguments) -> None:
        verb, row_id = str(event.args[0]), event.args[1]
        row = next((row for row in self.shown if row.id == row_id), None)
        if row is not None and verb in offered(row):
            await self._decide_one(verb, row.id)

    async def _decide_one(self, verb: str, recipient_id: int) -> None:
        await do(DECISIONS[verb].function, [RecipientId(recipient_id)], done=_(DECISIONS[verb].done))
        await self.refresh_all()

    async def _open(self, event: events.GenericEventArguments) -> None:
        asked = event.args[0] if isinstance(event.args, list) else event.args
        if any(row.id == asked for row in self.shown):
            await self.story.open(int(asked))

    async def _take(self, kind: str) -> None:
        """The tab that is shown, as a file; who is signed out by now is told so here, and not by a file."""
        await ask(campaigns.recipients, self.found.head.id, self.tab, limit=1)
        exports.take(self.found.head.id, self.tab, kind)

    async def _show_retry(self) -> None:
        """Who pressed last for the failures to be tried again."""
        last = await ask(telling.last_retry, self.found.head.id)
        self.retried.visible = last is not None
        if last is not None:
            words = ngettext(
                "{who} had {n} failure tried again {when}", "{who} had {n} failures tried again {when}", last.n
            )
            self.retried.text = words.format(who=last.who, n=formats.number(last.n), when=formats.ago(last.at))

    async def _retry(self) -> None:
        await do(sending.retry_failed, self.found.head.id, done=_("They are in the queue again"))
        await self.refresh_all()


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
        column("variant", _("Variant"), classes="p-m-hide p-t-sm p-variant"),
        column("state", _("State"), classes=""),
        column("when", _("When"), "right", "p-m-hide p-t-sm p-t-2"),
        column("open", "", "right", "p-open"),
    ]


def _draw_cells(table: ui.table) -> None:
    """Templates that the browser fills from the rows; they are constants, whatever a lead is called."""
    table.add_slot(
        "body-cell-name",
        """
        <q-td :props="props">
          <button type="button" class="p-b p-ell p-name" @click="() => $parent.$emit('open', props.row.id)">
            {{ props.row.name }}
          </button>
          <div v-if="props.row.why" :class="'p-t-xs ' + props.row.why_tone">{{ props.row.why }}</div>
          <div v-if="props.row.may_decide" class="p-row p-g6 p-wrap p-decide">
            <q-btn v-for="verb in props.row.verbs" :key="verb" unelevated no-caps
              :class="'p-xs ' + (verb === 'skip' ? 'gho' : 'sec')" :label="props.row.words[verb]"
              @click="() => $parent.$emit('decide', verb, props.row.id)"/>
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
            <span v-if="props.row.of" :data-left-ms="props.row.left_ms" :data-of="props.row.of"
              :data-words="props.row.count_words" :data-soon="props.row.soon" class="p-num">{{ props.row.state }}</span>
            <template v-else>{{ props.row.state }}</template>
          </span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-open",
        """
        <q-td :props="props">
          <q-btn flat class="gho ico p-xs" icon="sym_r_chevron_right" :aria-label="props.row.open"
            @click="() => $parent.$emit('open', props.row.id)"/>
        </q-td>
        """,
    )


def _row(row: RecipientRow, zone: str, now: datetime, may_act: bool) -> dict[str, Any]:
    key = state_of(row)
    look = STATES["recipient"][key]
    why = why_words(row, zone, now)
    return {
        "id": row.id,
        "lead": row.lead_id,
        "name": row.name,
        "phone": formats.phone(row.phone),
        "number": row.instance_name or "—",
        "variant": _("2nd message") if row.step else LETTERS[row.variant],
        "state": _(look.words),
        "tone": look.tone,
        "icon": look.icon,
        "when": _when(row, zone, now),
        "why": why,
        "why_tone": "p-t-bad" if key == "failed" else "p-t-3",
        "may_decide": may_act and row.status is RecipientStatus.HELD,
        "verbs": offered(row) if may_act else [],
        "words": {verb: each.words(row.may_have_left) for verb, each in DECISIONS.items()}
        | {"open": _("What happened")},
    }


def _turn_cells(turn: Turn, now: datetime, zone: str) -> dict[str, Any]:
    """What is said otherwise of who is next: the seconds that are left, counted in the browser; or when it goes on."""
    if not turn.is_counted(now):
        return {"when": when_words(turn.at, now, zone)}
    counting, left = _("Sending in {time}"), turn.at - now
    soon = left <= SOON
    return {
        "of": f"{turn.number}-{turn.at.timestamp():.0f}" if not soon else f"{turn.number}-now",
        "left_ms": round(left / timedelta(milliseconds=1)),
        "count_words": counting,
        "soon": _("Sending now"),
        "state": _("Sending now") if soon else counting.format(time=formats.countdown(left)),
        "tone": "pri",
        "icon": "hourglass_top",
    }


def _when(row: RecipientRow, zone: str, now: datetime) -> str:
    """Today's time, or the day; nothing for those who wait."""
    if row.status in (RecipientStatus.QUEUED, RecipientStatus.SENDING):
        return "—"
    latest = max(filter(None, [row.sent_at, row.replied_at, row.opted_out_at]), default=row.changed_at)
    is_today = in_zone(latest, zone).date() == in_zone(now, zone).date()
    return formats.clock(in_zone(latest, zone)) if is_today else day_in(latest, zone)
