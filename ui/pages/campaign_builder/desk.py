"""The desk a campaign is written on: what has been decided, saved as it is typed, and what would follow from it.

Cards change the plan through `change` and draw themselves anew when it tells them.  Saving, counting and looking ahead
run one at a time, the newest wish last, so that fast typing never overtakes itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from nicegui import ui

from core.campaigns import media, templates
from core.campaigns import service as campaigns
from core.campaigns.audience import Order, SampleLead
from core.campaigns.media import MediaCard
from core.campaigns.queries import Draft
from core.campaigns.rules import Audience, Check, Level, NumberChoice, Plan, blocks_start, checked, shortest_gap_s
from core.campaigns.service import Outlook
from core.campaigns.templates import TemplateId
from core.campaigns.text import Gap, Part, parts_of
from core.errors import BadInput, BadInputs, DatabaseAway, PrumoError, StateChanged
from ui.calls import Fault, ask, do, settings, words_of
from ui.pages.campaign_builder.section import Mood

SAVE_AFTER_S = 1.0
LOOK_AFTER_S = 0.4
# Fields of which another value may mean other people, or other figures about them.
RECOUNTED_BY = ("audience", "repeat_after_days", "include_landlines", "on_missing", "local_time", "sender_name")
SECTIONS = ("audience", "message", "numbers", "pace")


class Desk:
    """One open builder.  `saved_s` is the monotonic time of the last save; `trouble` why it is not saved."""

    def __init__(
        self,
        draft: Draft,
        numbers: list[NumberChoice],
        place: ui.element,
        *,
        files: Mapping[int, MediaCard],
        may_write: bool,
    ) -> None:
        self.id = draft.id
        self._place = place
        self.version = draft.version
        self.plan = draft.plan
        self.country = draft.country
        self.not_started = draft.pause_reason
        self.numbers = numbers
        self.files = dict(files)
        self.may_write = may_write
        self.audience: Audience | None = None
        self.outlook: Outlook | None = None
        self.samples: list[SampleLead] = []
        # fields that show what the plan does not have: the card they are in, and their error
        self.refused: dict[str, tuple[str, str]] = {}
        self.view_name = ""  # of the saved view that is the audience
        self.is_tested = False  # a test of it was sent from this page
        self.length = 0  # characters that the lead of the preview gets, opt-out line included; 0 of no text
        self.saved_at: datetime = draft.saved_at
        self.saved_s: float | None = None
        self.trouble = ""
        self.is_overtaken = False  # by what somebody else wrote into the same draft
        self.is_lost = False  # another tab or another state has it: nothing typed here is saved any more
        self._listeners: list[Callable[[], None]] = []
        self._save_due: float | None = None
        self._look_due: float | None = 0.0
        self._needs_count = True
        self._needs_samples = False
        self._order = Order.TURN
        self._is_busy = False

    def on_news(self, listener: Callable[[], None]) -> None:
        """Called whenever something to be shown has changed."""
        self._listeners.append(listener)

    def tell(self) -> None:
        """Stands on what is never redrawn: whoever pressed may be gone before the last card has drawn itself."""
        with self._place:
            for listener in self._listeners:
                listener()

    # ------------------------------------------------------------ changing

    def change(self, **values: Any) -> None:
        """Takes what was typed into the plan; raises BadInputs, and keeps the last that could be kept, if it cannot."""
        plan = replace(self.plan, **values)
        if plan == self.plan or not self.may_write:
            return
        checked(plan, min_gap_s=shortest_gap_s(settings().min_gap))
        was, self.plan = self.plan, plan
        now = time.monotonic()
        self._save_due = now + SAVE_AFTER_S
        self._look_due = now + LOOK_AFTER_S
        self._needs_count = self._needs_count or _counts_anew(was, plan)
        if not self._needs_count and self.audience is not None:
            longer = _written(plan) - _written(was)
            self.audience = replace(self.audience, longest=max(0, self.audience.longest + longer))
        self.tell()

    def wrong(self, field: str, value: Any) -> BadInput | None:
        """Takes one field; what is wrong with it, or None when it was taken."""
        try:
            self.change(**{field: value})
        except BadInputs as bad:
            return next((one for one in bad.inputs if one.field in (field, "window", "weekdays")), bad.inputs[0])
        return None

    def refuse(self, field: str, why: str, section: str = "pace") -> None:
        """What a field shows cannot be kept: nothing may start with what it had before.  "" when it is fine again."""
        if self.refused.get(field, (section, "")) == (section, why):
            return
        self.refused.pop(field, None)
        if why:
            self.refused[field] = (section, why)
        self.tell()

    def use_fix(self, check: Check) -> None:
        self.change(**check.fix)

    def order_samples(self, order: Order) -> None:
        """Which leads the preview begins with."""
        self._order = order
        self._needs_samples = True
        self._look_due = time.monotonic()

    async def keep_file(self, name: str, content: bytes) -> MediaCard:
        """Raises BadInput("media", …) for what cannot go with a message."""
        kept = await ask(media.keep, name=name, content=content)
        self.files[kept.id] = kept
        return kept

    async def use_template(self, template_id: TemplateId) -> bool:
        """The message becomes that of a template, all else stays."""
        found = await do(_applied, template_id, self.plan)
        if not found or found.value is None:
            return False
        plan, files = found.value
        self.files.update(files)
        self.change(
            text=plan.text,
            weight=plan.weight,
            media_id=plan.media_id,
            other_variants=plan.other_variants,
            follow_up=plan.follow_up,
        )
        return True

    def see_numbers(self, numbers: list[NumberChoice]) -> None:
        """The team's numbers as they are by now: what would follow from the plan is looked at anew."""
        self.numbers = numbers
        self._look_due = time.monotonic() + LOOK_AFTER_S

    # ------------------------------------------------------------ what is so

    @property
    def checks(self) -> list[Check]:
        if self.outlook is None:
            return []
        own = [
            Check("field_refused" if section == "pace" else f"{section}_refused", Level.MUST, section, {"why": why})
            for section, why in self.refused.values()
        ]
        return [*(check for check in self.outlook.checks if not (own and check.key == "pace_calm")), *own]

    def is_complete(self, section: str) -> bool:
        """Nothing in this card stands in the way of the start."""
        found = [check for check in self.checks if check.section == section]
        return bool(found) and not any(check.level is Level.MUST for check in found)

    def mood(self, section: str) -> Mood:
        """Of its mark: done, the one to turn to now, or neither.  The last look is turned to when all else is done."""
        if not self.checks:
            return ""
        if section != "check" and self.is_complete(section):
            return "ok"
        first_open = next((name for name in SECTIONS if not self.is_complete(name)), "check")
        return "cur" if section == first_open else ""

    @property
    def blocking(self) -> list[Check]:
        return blocks_start(self.checks)

    @property
    def chosen(self) -> list[NumberChoice]:
        """The numbers it leaves from, those that are still there."""
        return [number for number in self.numbers if number.id in self.plan.instance_ids]

    @property
    def is_saved(self) -> bool:
        return self._save_due is None and not self.trouble

    # ------------------------------------------------------------ the clock of the page

    async def tick(self) -> None:
        """Several times a second: saves and looks ahead when it is time to."""
        if self._is_busy:
            return
        self._is_busy = True
        try:
            now = time.monotonic()
            if self._look_due is not None and now >= self._look_due:
                await self._look()
            if self._save_due is not None and now >= self._save_due:
                await self._save()
        finally:
            self._is_busy = False

    async def flush(self) -> bool:
        """Saves what is not saved yet; whether everything is."""
        while self._is_busy:
            await asyncio.sleep(0.02)
        self._is_busy = True
        try:
            if self._save_due is not None or self.trouble:
                await self._save()
        finally:
            self._is_busy = False
        return self.is_saved

    async def _save(self) -> None:
        if self.is_lost:
            return
        plan, self._save_due = self.plan, None
        try:
            saved = await ask(campaigns.save_draft, self.id, self.version, plan)
        except StateChanged as changed:
            self.is_lost = True
            self.is_overtaken = changed.now == "edited"
            self.trouble = words_of(changed)
        except (DatabaseAway, Fault) as trouble:
            self.trouble = words_of(trouble)
            self._save_due = time.monotonic() + 5
        except PrumoError as trouble:
            self.trouble = words_of(trouble)
        else:
            self.version, self.saved_at = saved.version, saved.saved_at
            self.saved_s, self.trouble = time.monotonic(), ""
        self.tell()

    async def _look(self) -> None:
        plan, self._look_due = self.plan, None
        try:
            if self._needs_count:
                self._needs_count = self._needs_samples = False
                self.audience, self.samples = await ask(_judge, plan, self._order)
            elif self._needs_samples:
                self._needs_samples = False
                self.samples = await ask(campaigns.previews, plan, order=self._order)
            if self.audience is not None:
                self.outlook = await ask(campaigns.outlook, plan, self.audience)
        except DatabaseAway:  # the strip above the page says so
            self._needs_count = True
            self._look_due = time.monotonic() + 5
        self.tell()


def _applied(work: Any, actor: Any, template_id: TemplateId, plan: Plan) -> tuple[Plan, dict[int, MediaCard]]:
    applied = templates.apply_template(work, actor, template_id, plan)
    return applied, media.cards(work, actor, templates.files_of(applied.variants, applied.follow_up))


def _judge(work: Any, actor: Any, plan: Plan, order: Order) -> tuple[Audience, list[SampleLead]]:
    return campaigns.audience_of(work, actor, plan), campaigns.previews(work, actor, plan, order=order)


def _counts_anew(was: Plan, plan: Plan) -> bool:
    """Whether somebody may receive it now who did not before, or the other way round.

    Of one text alone the length of the longest message follows from what was typed; of several somebody has to count.
    """
    if any(getattr(was, field) != getattr(plan, field) for field in RECOUNTED_BY):
        return True
    before, after = was.variants, plan.variants
    if [each.media_id for each in before] != [each.media_id for each in after]:
        return True
    if [_gaps(each.text) for each in before] != [_gaps(each.text) for each in after]:
        return True
    is_plain = len(after) == 1 and plan.media_id is None
    return not is_plain and [each.text for each in before] != [each.text for each in after]


def _gaps(text: str) -> list[Gap]:
    return [part for part in _parts(text) if isinstance(part, Gap)]


def _written(plan: Plan) -> int:
    return sum(len(part) for part in _parts(plan.text) if isinstance(part, str)) + len(plan.opt_out_line)


def _parts(text: str) -> tuple[Part, ...]:
    try:
        return parts_of(text)
    except BadInput:
        return ()
