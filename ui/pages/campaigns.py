"""Campaigns: what runs, what is about to, what is being written and what is over."""

from __future__ import annotations

from typing import Any

from nicegui import events, ui

from core.accounts.rules import Role
from core.campaigns import service as campaigns
from core.campaigns.rules import CampaignId, CampaignStatus, Standing
from core.campaigns.service import CampaignList, ListedCampaign
from core.sending.rules import RecipientStatus
from ui.calls import ask, do
from ui.frame import Frame, page_frame
from ui.parts import safe
from ui.parts.avatar import initials, tint
from ui.parts.button import button, once_at_a_time
from ui.parts.campaign_words import LOOKS_ALIVE, audience_words, doing_look, filter_labels, waits_since
from ui.parts.confirm import confirm
from ui.parts.outcome_words import outcome_words
from ui.parts.states import state
from ui.parts.text import text
from ui.session import current_actor
from ui.words import N_, _, formats, ngettext

EVERY_S = 10.0
MANY_LEFT = 0.04  # of those written to asked not to be: the list says so in amber
TABS = {
    "all": N_("All"),
    "active": N_("Active"),
    "scheduled": N_("Upcoming"),
    "drafts": N_("Drafts"),
    "done": N_("Completed"),
}


@ui.page("/campaigns", response_timeout=10)
async def campaigns_page(tab: str = "all") -> None:
    with page_frame("campaigns", _("Campaigns"), bleed=True, plain_head=True) as frame:
        await _List(frame, tab if tab in TABS else "all").build()


class _List:
    """The tabs and the table; numbers change in place every few seconds, rows do not move under the cursor."""

    def __init__(self, frame: Frame, tab: str) -> None:
        self.frame = frame
        self.tab = tab
        self.shown = campaigns.PAGE
        self.may_write = current_actor().role is not Role.VIEWER
        self.counts: dict[str, Any] = {}

    async def build(self) -> None:
        found = await self._ask()
        if self.may_write:
            with self.frame.actions:
                button(_("New campaign"), lambda: safe.go("/campaigns/new"), kind="pri", icon="add")
        if not found.per_tab["all"]:
            self._empty()
            return
        with ui.tabs(value=self.tab, on_change=self._change_tab).classes("p-full p-tabs"):
            for name, words in TABS.items():
                with ui.tab(name, label=_(words)):
                    self.counts[name] = text("", "p-cnt quiet")
        self.table = ui.table(rows=[], columns=self._columns(), row_key="id", pagination=0).classes("bleed p-campaigns")
        self.table.props("hide-bottom")
        _draw_cells(self.table)
        self.table.on("act", once_at_a_time(self._act))
        with ui.element("div").classes("p-row p-center p-more-row") as self.more:
            button(_("Show more"), self._show_more)
        self.none = ui.element("div")
        with self.none, state("campaign", _("Nothing here at the moment"), tone="quiet"):
            pass
        self._show(found)
        ui.timer(EVERY_S, self.refresh, immediate=False)

    def _empty(self) -> None:
        body = _("Choose who receives it, write as you speak, and see when it will be done before it starts.")
        with state("campaign", _("Your first campaign starts here"), body):
            if self.may_write:
                button(_("New campaign"), lambda: safe.go("/campaigns/new"), kind="pri", icon="add")

    def _columns(self) -> list[dict[str, Any]]:
        def column(name: str, label: str, align: str = "left", classes: str = "p-m-hide") -> dict[str, Any]:
            return {
                "name": name,
                "label": label,
                "field": name,
                "align": align,
                "classes": classes,
                "headerClasses": classes,
            }

        outcome = outcome_words()
        columns = [
            column("name", _("Campaign"), classes=""),
            column("status", _("Status"), classes="p-m-hide p-mid-hide"),
            column("progress", _("Progress"), classes="p-progress"),
            column("read", outcome["read"], "right", "p-m-hide p-mid-hide"),
            column("replied", outcome["replied"], "right", "p-m-hide p-b"),
            column("left", outcome["opted_out"], "right", "p-m-hide p-narrow"),
            column("who", _("Who"), classes="p-m-hide p-mid-hide"),
            column("when", _("When"), "right", "p-m-hide p-t-sm p-t-2"),
        ]
        return [*columns, column("actions", "", "right")] if self.may_write else columns

    async def _ask(self) -> CampaignList:
        return await ask(campaigns.list_campaigns, self.tab, limit=self.shown)

    async def refresh(self) -> None:
        self._show(await self._ask())

    def _show(self, found: CampaignList) -> None:
        active = found.per_tab["active"]
        words = ngettext("{n} active", "{n} active", active).format(n=formats.number(active))
        messages = ngettext("{n} message to go", "{n} messages to go", found.waiting)
        self.frame.fact(f"{words} · {messages.format(n=formats.number(found.waiting))}")
        for name, element in self.counts.items():
            element.text = formats.number(found.per_tab[name])
        rows = [_row(line, self.may_write) for line in found.lines]
        if rows != self.table.rows:
            self.table.rows = rows
        self.table.visible = bool(rows)
        self.none.visible = not rows
        self.more.visible = found.has_more

    async def _change_tab(self, event: events.ValueChangeEventArguments[str]) -> None:
        self.tab = event.value if event.value in TABS else "all"
        self.shown = campaigns.PAGE
        await self.refresh()

    async def _show_more(self) -> None:
        self.shown = min(100, self.shown + campaigns.PAGE)
        await self.refresh()

    async def _act(self, event: events.GenericEventArguments) -> None:
        verb, row_id = str(event.args[0]), event.args[1]
        row = next((row for row in self.table.rows if row["id"] == row_id), None)
        if row is None or verb not in VERBS:
            return
        await VERBS[verb](CampaignId(row["id"]), row["name"])
        await self.refresh()


def _draw_cells(table: ui.table) -> None:
    """Templates that the browser fills from the rows; they are constants, whatever a campaign is called."""
    table.add_slot(
        "body-cell-name",
        """
        <q-td :props="props">
          <div class="p-b p-ell">
            <a class="p-plain" :href="'/campaigns/' + props.row.path">{{ props.row.name }}</a>
          </div>
          <div class="p-t-xs p-t-3 p-ell">{{ props.row.about }}</div>
          <span :class="'p-chip p-m-only ' + props.row.tone">{{ props.row.doing }}</span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-status",
        """
        <q-td :props="props">
          <span :class="'p-chip ' + props.row.tone">
            <i v-if="props.row.icon === 'dot'" class="dot"></i>
            <q-icon v-else-if="props.row.icon" :name="'sym_r_' + props.row.icon" size="14px" aria-hidden="true"/>
            {{ props.row.doing }}
          </span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-progress",
        """
        <q-td :props="props">
          <div class="p-row p-g10">
            <span class="p-meter p-grow"><i :class="props.row.bar" :style="{width: props.row.percent + '%'}"></i></span>
            <span class="p-num p-t-sm p-t-2 p-nowrap p-count">{{ props.row.count }}</span>
          </div>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-left",
        """
        <q-td :props="props"><span :class="props.row.many ? 'p-t-warn p-b' : 'p-t-2'">{{ props.row.left }}</span></q-td>
        """,
    )
    table.add_slot(
        "body-cell-who",
        """
        <q-td :props="props">
          <span v-if="props.row.who" :class="'p-ava s24 ' + props.row.tint">{{ props.row.initials }}
            <q-tooltip>{{ props.row.who }}</q-tooltip>
          </span>
        </q-td>
        """,
    )
    table.add_slot(
        "body-cell-actions",
        """
        <q-td :props="props">
          <span class="p-row p-acts">
            <q-btn flat class="gho ico p-xs" icon="sym_r_content_copy" :aria-label="props.row.words.duplicate"
              @click="() => $parent.$emit('act', 'duplicate', props.row.id)">
              <q-tooltip>{{ props.row.words.duplicate }}</q-tooltip>
            </q-btn>
            <q-btn flat class="gho ico p-xs" icon="sym_r_more_horiz" :aria-label="props.row.words.more">
              <q-menu auto-close><q-list>
                <q-item v-for="verb in props.row.verbs" :key="verb" clickable
                  @click="() => $parent.$emit('act', verb, props.row.id)">
                  <q-item-section>{{ props.row.words[verb] }}</q-item-section>
                </q-item>
              </q-list></q-menu>
            </q-btn>
          </span>
        </q-td>
        """,
    )


async def duplicate(campaign_id: CampaignId, name: str) -> None:
    """Copies it into a draft and opens that."""
    copy = await do(campaigns.duplicate, campaign_id, name=_("{name} (copy)").format(name=name))
    if copy and copy.value is not None:
        safe.go(f"/campaigns/{copy.value}/edit")


async def pause(campaign_id: CampaignId, name: str) -> None:
    await do(campaigns.pause, campaign_id, done=_("Paused. Nothing more goes out."))


async def resume(campaign_id: CampaignId, name: str) -> None:
    await do(campaigns.resume, campaign_id, done=_("Going on where it stopped"))


async def cancel(campaign_id: CampaignId, name: str, *, waiting: int | None = None, can_pause: bool = True) -> None:
    """Asks first, and offers the milder way."""
    if waiting is None:
        body = _("Whoever has not got the message will not get it. What was sent does not change.")
    else:
        words = ngettext("{n} person will not get the message.", "{n} people will not get the message.", waiting)
        body = words.format(n=formats.number(waiting)) + " " + _("What was sent does not change.")
    choice = await confirm(
        _("Cancel this campaign?"),
        body,
        action=_("Cancel campaign"),
        alternative=_("Pause") if can_pause else "",
        hint=_("Only need a break? Pausing keeps the queue.") if can_pause else "",
    )
    if choice == "action":
        await do(campaigns.cancel, campaign_id, done=_("Campaign cancelled"))
    elif choice == "alternative":
        await pause(campaign_id, name)


async def cancel_paused(campaign_id: CampaignId, name: str) -> None:
    await cancel(campaign_id, name, can_pause=False)


async def unschedule(campaign_id: CampaignId, name: str) -> None:
    await do(campaigns.unschedule, campaign_id, done=_("It is a draft again"))


async def delete(campaign_id: CampaignId, name: str) -> bool:
    asked = await confirm(
        _("Delete this draft?"), _("“{name}” was never started.").format(name=name), action=_("Delete")
    )
    return bool(asked and await do(campaigns.delete_draft, campaign_id, done=_("Draft deleted")))


VERBS = {
    "duplicate": duplicate,
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "cancel_paused": cancel_paused,
    "unschedule": unschedule,
    "delete": delete,
}
VERBS_OF = {
    CampaignStatus.DRAFT: ["delete"],
    CampaignStatus.SCHEDULED: ["unschedule", "cancel_paused"],
    CampaignStatus.STARTING: ["cancel_paused"],
    CampaignStatus.RUNNING: ["pause", "cancel"],
    CampaignStatus.PAUSED: ["resume", "cancel_paused"],
    CampaignStatus.FINISHED: ["duplicate"],
    CampaignStatus.CANCELLED: ["duplicate"],
}


def _row(line: ListedCampaign, may_write: bool) -> dict[str, Any]:
    row, counts = line.row, line.row.counts
    look = doing_look(line.standing, line.halt)
    sent = counts[RecipientStatus.SENT]
    is_draft = row.status is CampaignStatus.DRAFT
    done = sent if row.status is CampaignStatus.CANCELLED else counts.done  # who was left out is not done with
    return {
        "id": row.id,
        "path": f"{row.id}/edit" if is_draft else str(row.id),
        "name": row.name,
        "about": _about(line),
        "doing": _(look.words),
        "tone": look.tone,
        "icon": look.icon,
        "percent": round(100 * done / row.total, 1) if row.total else 0,
        "bar": "" if line.standing in LOOKS_ALIVE else "mut",
        "count": f"{formats.number(done)} / {formats.number(row.total)}" if row.total else "—",
        "read": formats.share_of(counts.read, sent),
        "replied": formats.share_of(counts.replied, sent),
        "left": formats.share_of(counts.opted_out, sent),
        "many": bool(sent) and counts.opted_out / sent > MANY_LEFT,
        "who": row.made_by or "",
        "initials": initials(row.made_by or ""),
        "tint": tint(row.made_by or ""),
        "when": _when(line),
        "verbs": VERBS_OF[row.status] if may_write else [],
        "words": {
            "duplicate": _("Duplicate"),
            "pause": _("Pause"),
            "resume": _("Go on"),
            "cancel": _("Cancel campaign"),
            "cancel_paused": _("Cancel campaign"),
            "unschedule": _("Back to draft"),
            "delete": _("Delete"),
            "more": _("More actions"),
        },
    }


def _about(line: ListedCampaign) -> str:
    if line.row.status is CampaignStatus.DRAFT and not line.row.has_text:
        return _("no message yet")
    labels = [words for field, words in filter_labels(line.row.audience).items() if field != "text"]
    return " · ".join(labels[:3]) or audience_words(line.row.audience)


def _when(line: ListedCampaign) -> str:
    """What time matters most in its state."""
    row = line.row
    match line.standing:
        case Standing.DRAFT:
            return _("edited {when}").format(when=formats.ago(row.saved_at))
        case Standing.SCHEDULED:
            return formats.moment(row.starts_at)
        case Standing.PAUSED:
            return _("stopped {when}").format(when=formats.ago(row.status_at))
        case Standing.FINISHED | Standing.CANCELLED:
            return formats.day(row.ended_at)
        case Standing.WAITING_FOR_NUMBER:
            return waits_since(line.halt) if line.halt else _("no end in sight")
        case Standing.STARTING | Standing.WAITING_FOR_PROOF:
            return "—"
    if line.finish_at is None:
        return _("no end in sight")
    return _("ends {day}").format(day=formats.day(line.finish_at, weekday=True))
