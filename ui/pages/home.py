"""Home: three steps for a team that begins; then what runs, what needs a person and what is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from nicegui import ui

from core.accounts import service as accounts
from core.accounts.queries import FirstSteps
from core.accounts.rules import Actor, Role
from core.campaigns import service as campaigns
from core.campaigns.rules import CampaignStatus, Standing
from core.campaigns.service import CampaignList, ListedCampaign
from core.instances import service as instances
from core.instances.halts import HaltReason
from core.instances.queries import NumberCard
from core.instances.rules import InstanceStatus
from core.replies import service as replies
from core.replies.queries import ConversationRow
from core.searches import service as searches
from core.searches.queries import History, HistoryFilter, PastSearch
from core.sending.rules import RecipientStatus
from core.work import Work
from ui import live
from ui.calls import ask
from ui.frame import page_frame
from ui.pages.replies.waiting import WaitingCard
from ui.parts import safe
from ui.parts.button import button
from ui.parts.campaign_words import doing_look, waits_since
from ui.parts.card import card
from ui.parts.kpi import Kpi, Tone, kpi_strip, meter, share
from ui.parts.note import note
from ui.parts.number_words import TROUBLES, halt_words, number_look
from ui.parts.search_words import look_of
from ui.parts.status import chip
from ui.parts.text import icon, section, text
from ui.session import current_actor
from ui.theme import charts
from ui.words import N_, _, formats, ngettext

EVERY_S = 10.0
REST_S = 2.0  # a number tells of every message; this page asks for everything
DAYS_NEW = 7
LINES = 5
WAITING = 4  # as high as the chart beside them
NEEDS_SOMEBODY = (HaltReason.BLOCKED, HaltReason.STOPPED)
KEEPS_WAITING = (HaltReason.DISCONNECTED, HaltReason.RECONNECTING, HaltReason.WAITS_FOR_CODE)
PULSES = {Standing.SENDING: "", Standing.WAITING_FOR_NUMBER: "bad", Standing.WAITING_FOR_PROOF: "warn"}


class Step(NamedTuple):
    """One of the three; `path` is where it is done."""

    icon: str
    title: str
    body: str
    action: str
    path: str


STEPS = (
    Step(
        "smartphone",
        N_("Connect a number"),
        N_("Scan a code with the WhatsApp of your company. Messages go out from it, at a pace you set."),
        N_("Connect number"),
        "/instances",
    ),
    Step(
        "travel_explore",
        N_("Find leads on the map"),
        N_("Say what you look for and where. Within minutes the first businesses are in your list."),
        N_("Find leads"),
        "/searches",
    ),
    Step(
        "campaign",
        N_("Write the first campaign"),
        N_("Choose who receives it, write as you speak, and see when it will be done before it starts."),
        N_("New campaign"),
        "/campaigns/new",
    ),
)


@dataclass(frozen=True)
class Overview:
    """All that the page shows, read in one transaction."""

    steps: FirstSteps
    sends: tuple[int, int]
    numbers: list[NumberCard]
    active: CampaignList
    searches: History
    waiting: list[ConversationRow]
    waiting_in_all: int


def overview(work: Work, actor: Actor) -> Overview:
    return Overview(
        steps=accounts.first_steps(work, actor),
        sends=instances.sends_today(work, actor),
        numbers=instances.numbers(work, actor),
        active=campaigns.list_campaigns(work, actor, "active", limit=LINES),
        searches=searches.history(work, actor, HistoryFilter(days=DAYS_NEW)),
        waiting=replies.waiting_for_you(work, actor, WAITING),
        waiting_in_all=replies.counts(work, actor).waiting,
    )


@ui.page("/", response_timeout=10)
async def home() -> None:
    actor = current_actor()
    now = formats.local_now()
    title = greeting(now).format(name=actor.name.split()[0])
    with page_frame("home", title, formats.long_day(now, weekday=True)) as frame:
        seen = await ask(overview)
        may_act = actor.role is not Role.VIEWER
        if is_under_way(seen.steps) and may_act:
            with frame.actions.classes("p-m-hide"):
                button(_("Find leads"), lambda: safe.go("/searches"), icon="travel_explore")
                button(_("New campaign"), lambda: safe.go("/campaigns/new"), kind="pri", icon="add")
        _Board(may_act=may_act).follow(seen)


def greeting(now: datetime) -> str:
    """By the hour where the team is."""
    if now.hour < 12:
        return _("Good morning, {name}")
    return _("Good afternoon, {name}") if now.hour < 18 else _("Good evening, {name}")


def is_under_way(steps: FirstSteps) -> bool:
    return steps.has_number and steps.has_leads and steps.has_campaign


class _Board:
    """The page below its header.  Numbers change in place; a list is drawn anew only when it has changed."""

    def __init__(self, *, may_act: bool) -> None:
        self.may_act = may_act
        self.seen: Overview | None = None
        self.wait_card: WaitingCard | None = None
        self.places = [ui.element("div").classes("p-full p-col p-g16") for _place in range(3)]

    def follow(self, seen: Overview) -> None:
        self._show(seen)
        live.on(f"instances:{current_actor().team_id}", self.refresh, every_s=EVERY_S, rest_s=REST_S)
        live.on(f"replies:{current_actor().team_id}", self.refresh, rest_s=REST_S)

    async def refresh(self) -> None:
        self._show(await ask(overview))

    def _show(self, seen: Overview) -> None:
        was, self.seen = self.seen, seen
        top, middle, lists = self.places
        if was is None or (was.steps, was.numbers) != (seen.steps, seen.numbers):
            with _cleared(top):
                self._attention(seen)
                if not is_under_way(seen.steps):
                    first_steps(seen.steps, may_act=self.may_act)
            with _cleared(middle):
                self._numbers(seen)
        elif seen.steps.has_number:
            self._count(seen)
        if self.wait_card is not None:
            self.wait_card.show(seen.waiting, seen.waiting_in_all)
        if was is None or (was.active, was.searches, was.numbers) != (seen.active, seen.searches, seen.numbers):
            with _cleared(lists):
                self._lists(seen)
        for place in self.places:
            place.visible = bool(place.default_slot.children)  # an empty one would still be set apart by a gap

    def _attention(self, seen: Overview) -> None:
        """What stands still until a person does something; only then."""
        for number in seen.numbers:
            halt = number.halt
            if halt is None or not (halt.reason in NEEDS_SOMEBODY or (halt.reason in KEEPS_WAITING and number.waiting)):
                continue
            trouble = TROUBLES[halt.reason]
            note(
                halt_words(halt, number.waiting),
                title=_(trouble.title).format(name=number.name),
                icon=trouble.icon,
                action=_(trouble.action),
                on_action=lambda: safe.go("/instances"),
            )

    def _numbers(self, seen: Overview) -> None:
        if not seen.steps.has_number:
            return
        self._strip(seen)
        with ui.element("div").classes("p-grid p-aside"):
            _sends_card(seen.numbers)
            self.wait_card = WaitingCard()

    def _lists(self, seen: Overview) -> None:
        """Beside the numbers stands what they work for, or else where their leads come from."""
        campaigns_there, searches_there = seen.active.lines, seen.searches.searches[:LINES]
        if seen.numbers and (campaigns_there or searches_there):
            with ui.element("div").classes("p-grid p-aside"):
                if campaigns_there:
                    _campaigns_card(campaigns_there)
                else:
                    _searches_card(searches_there)
                _numbers_card(seen.numbers)
        else:
            _campaigns_card(campaigns_there)
            if seen.numbers:
                _numbers_card(seen.numbers)
        if campaigns_there or not seen.numbers:
            _searches_card(searches_there)

    def _strip(self, seen: Overview) -> None:
        with kpi_strip(_("Today at a glance")):
            self.sent = Kpi(_("Sent today"), share=0)
            self.waiting = Kpi(_("Messages to go"))
            self.replied = Kpi(_("Replies"))
            self.new_leads = Kpi(_("New leads, {n} days").format(n=DAYS_NEW))
        self._count(seen)

    def _count(self, seen: Overview) -> None:
        sent, cap = seen.sends
        self.sent.set(formats.number(sent), of=f"/ {formats.number(cap)}" if cap else "", share=share(sent, cap))
        active = len(seen.active.lines)
        words = ngettext("{n} active campaign", "{n} active campaigns", active)
        self.waiting.set(formats.number(seen.active.waiting), hint=words.format(n=formats.number(active)))
        replied = sum(line.row.counts.replied for line in seen.active.lines)
        written = sum(line.row.counts[RecipientStatus.SENT] for line in seen.active.lines)
        rate = _("{share} in active campaigns").format(share=formats.share_of(replied, written)) if written else ""
        self.replied.set(formats.number(replied), hint=rate)
        count = seen.searches.total
        words = ngettext("found in {n} search", "found in {n} searches", count)
        found_in = words.format(n=formats.number(count)) if count else ""
        self.new_leads.set(formats.number(seen.searches.added), hint=found_in)


def _cleared(place: ui.element) -> ui.element:
    place.clear()
    return place


# ---------------------------------------------------------------- the first visit


def first_steps(steps: FirstSteps, *, may_act: bool) -> None:
    """The three steps; the first that is not done holds the one primary button."""
    done = (steps.has_number, steps.has_leads, steps.has_campaign)
    first_open = done.index(False) if False in done else None
    section(_("Three steps to the first conversation"))
    with ui.element("ol").classes("p-steps").style("list-style:none"):
        for n, step in enumerate(STEPS):
            _step(step, is_done=done[n], is_next=n == first_open, may_act=may_act)


def _step(step: Step, *, is_done: bool, is_next: bool, may_act: bool) -> None:
    mood = "done" if is_done else "" if is_next else "later"
    with ui.element("li"), card() as box:
        box.classes(f"p-step {mood}")
        with ui.element("span").classes("art"):
            icon("check" if is_done else step.icon, 24)
        text(_(step.title), "p-h-sec", tag="h3")
        text(_(step.body), tag="p")
        with ui.element("div").classes("foot"):
            if is_done:
                text(_("Ready"), "p-t-ok p-b p-t-sm")
            elif may_act:
                button(_(step.action), lambda: safe.go(step.path), kind="pri" if is_next else "sec", icon=step.icon)


# ---------------------------------------------------------------- numbers


def _sends_card(numbers: Sequence[NumberCard]) -> None:
    """Sends per day over all numbers, today in the strong colour."""
    days = [sum(counts) for counts in zip(*(number.sent_by_day for number in numbers), strict=False)]
    with card(_("Sends")):
        with ui.element("div").style("padding:0 16px 16px"):
            made = charts.chart(_bars(days, formats.local_now().date())).style("height:216px")
        words = ngettext("{n} message in {days} days", "{n} messages in {days} days", sum(days))
        made.props["aria-label"] = words.format(n=formats.number(sum(days)), days=len(days))


def _bars(days: Sequence[int], today: date) -> dict[str, Any]:
    labels = [formats.short_day(today - timedelta(days=len(days) - 1 - n)) for n in range(len(days))]
    bars: list[Any] = [*days[:-1], *({"value": n, "itemStyle": {"color": charts.NOW}} for n in days[-1:])]
    return {
        "animation": False,
        "grid": {"left": 4, "right": 8, "top": 12, "bottom": 6, "containLabel": True},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "shadow"}},
        "xAxis": {"type": "category", "data": labels, "axisLabel": {"margin": 10}},
        "yAxis": {"type": "value", "splitNumber": 3, "minInterval": 1},
        "series": [
            {
                "type": "bar",
                "data": bars,
                "barWidth": "48%",
                "barMaxWidth": 22,
                "itemStyle": {"color": charts.PAST, "borderRadius": [4, 4, 0, 0]},
                "emphasis": {"disabled": True},
            }
        ],
    }


def _numbers_card(numbers: Sequence[NumberCard]) -> None:
    with card(_("Numbers"), link=_("Manage"), to="/instances"), ui.element("div").classes("p-card-b p-col p-g16"):
        for number in numbers:
            _number_line(number)


def _number_line(number: NumberCard) -> None:
    look = number_look(number)
    is_off = number.status is not InstanceStatus.CONNECTED
    is_full = number.is_limited or number.sent_today >= number.cap_today
    tone: Tone = "mut" if is_off else "warn" if is_full else ""
    with ui.element("div"):
        with ui.element("div").classes("p-row p-g8 p-t-sm"):
            ui.element("i").classes(f"p-pulse {look.tone or 'off'}").style("width:7px;height:7px")
            text(number.name, "p-b p-ell")
            text(look.words.lower(), "p-t-3 p-t-xs p-nowrap")
            sent, cap = formats.number(number.sent_today), formats.number(number.cap_today)
            text(f"{sent} / {cap}", "p-num p-t-2 p-end p-nowrap")
        with ui.element("div").style("margin-top:8px"):
            meter(share(number.sent_today, number.cap_today), tone=tone, label=number.name)


# ---------------------------------------------------------------- lists


def _campaigns_card(lines: Sequence[ListedCampaign]) -> None:
    if not lines:
        return
    with card(_("Active campaigns"), link=_("All campaigns"), to="/campaigns"):
        with ui.element("table").classes("p-tbl p-m-hide"):
            with ui.element("thead"), ui.element("tr"):
                text(_("Campaign"), "first", tag="th")
                text(_("Progress"), tag="th").style("width:240px")
                text(_("Replies"), "r", tag="th")
                text(_("Finishes"), "r last", tag="th")
            with ui.element("tbody"):
                for line in lines:
                    _campaign_row(line)
        with ui.element("div").classes("p-m-only p-col p-card-b"):
            for line in lines:
                _campaign_block(line)


def _campaign_row(line: ListedCampaign) -> None:
    row = line.row
    with ui.element("tr"):
        with ui.element("td").classes("first"):
            safe.link(f"/campaigns/{row.id}", row.name, "p-plain p-b")
            _doing(line)
        with ui.element("td"), ui.element("div").classes("p-row p-g10"):
            with ui.element("div").classes("p-grow"):
                _bar(line)
            text(_done(line), "p-num p-t-sm p-t-2 p-nowrap p-right").style("min-width:76px")
        text(formats.share_of(row.counts.replied, row.counts[RecipientStatus.SENT]), "r", tag="td")
        text(_finish(line), "r last p-t-sm", tag="td")


def _campaign_block(line: ListedCampaign) -> None:
    """The same on a phone."""
    row = line.row
    with ui.element("div").style("padding:12px 0;border-top:1px solid var(--border)"):
        with ui.element("div").classes("p-row p-between p-g8"):
            safe.link(f"/campaigns/{row.id}", row.name, "p-plain p-b p-ell")
            text(formats.percent(share(row.counts.done, row.total), 0), "p-num p-t-sm p-t-2")
        with ui.element("div").style("margin:8px 0 6px"):
            _bar(line)
        with ui.element("div").classes("p-row p-between p-t-xs p-t-3"):
            _doing(line)
            text(_finish(line))


def _doing(line: ListedCampaign) -> None:
    with ui.element("div").classes("p-t-xs p-t-3 p-row p-g6").style("margin-top:2px"):
        ui.element("i").classes(f"p-pulse flat {PULSES.get(line.standing, 'off')}")
        text(_(doing_look(line.standing, line.halt).words))


def _bar(line: ListedCampaign) -> None:
    is_still = line.row.status is CampaignStatus.PAUSED
    meter(share(line.row.counts.done, line.row.total), tone="mut" if is_still else "", label=line.row.name)


def _done(line: ListedCampaign) -> str:
    return f"{formats.number(line.row.counts.done)} / {formats.number(line.row.total)}"


def _finish(line: ListedCampaign) -> str:
    if line.finish_at is not None:
        return formats.moment(line.finish_at)
    if line.halt is not None:
        return waits_since(line.halt)
    return formats.UNKNOWN if line.row.status is CampaignStatus.PAUSED else _("no estimate")


def _searches_card(past: Sequence[PastSearch]) -> None:
    if not past:
        return
    with card(_("Recent searches"), link=_("History"), to="/searches?tab=history"):
        with ui.element("table").classes("p-tbl"), ui.element("tbody"):
            for search in past:
                _search_row(search)


def _search_row(search: PastSearch) -> None:
    with ui.element("tr"):
        with ui.element("td").classes("first"):
            text(", ".join(search.terms), "p-b")
            text(" · ".join(["", *filter(None, [search.place_name, formats.distance(search.radius_m)])]), "p-t-2")
        with ui.element("td").classes("p-m-hide"):
            look = look_of(search.status, search.reason)
            chip(_(look.words), look.tone, look.icon)
        _found(search.found, _("found"))
        _found(search.with_phone, _("with a phone"))
        text(formats.ago(search.created_at), "r last p-t-sm p-t-3 p-nowrap", tag="td")


def _found(count: int, words: str) -> None:
    with ui.element("td").classes("r p-m-hide"):
        text(formats.number(count))
        text(" " + words, "p-t-3")
