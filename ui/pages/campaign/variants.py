"""Which of the texts is answered more, and how sure that is; and what is said once more."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from nicegui import ui

from core.campaigns.measuring import Finding, Verdict
from core.campaigns.telling import FollowUpResult, Results, VariantResult
from core.campaigns.text import Gap, parts_of
from core.errors import BadInput
from ui.parts.campaign_words import day_in
from ui.parts.card import card
from ui.parts.kpi import Meter, share
from ui.parts.status import chip
from ui.parts.text import section, text
from ui.words import N_, _, formats, ngettext

WORDS_SHOWN = 80
ROOM = 1.2  # the longest bar leaves some of its track to be seen
CHIPS = {
    Finding.NOTHING: (N_("Too early to say"), "", "hourglass_top"),
    Finding.EARLY: (N_("Too early to say"), "", "hourglass_top"),
    Finding.BEST: (N_("Clear difference"), "ok", "check_circle"),
    Finding.ALIKE: (N_("No clear difference"), "", "drag_handle"),
}


class Variants:
    """Stands beside the chart where there is something to compare or to say once more; changes in place."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._drawn: Results | None = None
        with card() as self.box:
            self.box.classes("p-variants")
        self.box.visible = False

    def show(self, found: Results) -> None:
        if found == self._drawn:
            return
        self._drawn = found
        self.box.visible = len(found.variants) > 1 or found.follow_up is not None
        self.box.clear()
        title = _("Variants") if found.verdict is not None else _("Second message")
        self.box.props["aria-label"] = title
        with self.box:
            with ui.element("div").classes("p-card-h"):
                section(title)
                if found.verdict is not None:
                    words, tone, icon = CHIPS[found.verdict.finding]
                    with ui.element("span").classes("p-end"):
                        chip(_(words), tone, icon)  # type: ignore[arg-type]
            with ui.element("div").classes("p-col p-g16 p-variants-b"):
                if found.verdict is not None:
                    _bars(found.variants, found.verdict)
                    with ui.element("div").classes("p-t-sm p-t-2 p-verdict"):
                        _say(found.verdict, found.variants)
                if found.follow_up is not None:
                    _follow_up(found.follow_up, self.zone, is_alone=found.verdict is None)


def _bars(variants: Sequence[VariantResult], judged: Verdict) -> None:
    openings = first_words([each.text for each in variants])
    longest = max(share(each.replied, each.sent) for each in variants) * ROOM
    for n, (each, opening) in enumerate(zip(variants, openings, strict=True)):
        leads = n == judged.leader
        with ui.element("div"):
            with ui.element("div").classes("p-row p-g10"):
                text(each.letter, f"p-ava sq s24 {'p-leads' if leads else ''}")
                with text(f"“{opening}”", "p-grow p-t-sm p-ell p-t-2"):
                    ui.tooltip(opening)
                text(formats.share_of(each.replied, each.sent), "p-b p-num")
            rate = share(each.replied, each.sent)
            label = _("Variant {letter}: share of replies").format(letter=each.letter)
            Meter(rate / longest if longest else 0, "" if leads else "c2", label)
            sent = ngettext("{n} sent", "{n} sent", each.sent).format(n=formats.number(each.sent))
            read = _("{share} read").format(share=formats.share_of(each.read, each.sent))
            text(f"{sent} · {read}", "p-t-xs p-t-3 p-num", tag="div")


def _say(judged: Verdict, variants: Sequence[VariantResult]) -> None:
    if judged.finding is Finding.NOTHING or judged.leader is None or judged.interval is None:
        text(_("Nobody has answered yet, or one of them has not been sent."))
        return
    if judged.ahead <= 0:
        text(_("They are level so far."))
        return
    points = formats.number(100 * judged.ahead, 1)
    letter = variants[judged.leader].letter
    text(_("{letter} is answered {points} points more.").format(letter=letter, points=points), "p-strong", tag="b")
    text(" " + _after(judged))
    low, high = (formats.number(100 * end, 1) for end in (judged.interval.low, judged.interval.high))
    words = _("The true difference lies between {low} and {high} points, with 95% certainty.")
    text(words.format(low=low, high=high), "p-t-xs p-t-3 p-num p-interval", tag="div")


def _after(judged: Verdict) -> str:
    more = judged.more
    match judged.finding:
        case Finding.BEST:
            return _("That is no chance.")
        case Finding.ALIKE:
            return _("It may be chance: there were too few messages to tell them apart.")
    if more is None:
        return _("It may be chance: more messages than anybody sends would be needed to be sure.")
    n = formats.number(more)
    if judged.within_reach:
        return ngettext("About {n} more message to be sure.", "About {n} more messages to be sure.", more).format(n=n)
    return _("About {n} more messages would be needed to be sure, more than are still to go.").format(n=n)


def _follow_up(found: FollowUpResult, zone: str, *, is_alone: bool) -> None:
    """As a variant is told: its name, the share of its replies, and the figures below."""
    with ui.element("div").classes("p-second" + (" p-alone" if is_alone else "")):
        if not is_alone:
            with ui.element("div").classes("p-row p-between p-g10"):
                text(_("Second message"), "p-t-sm p-strong")
                if found.sent:
                    text(formats.share_of(found.replied, found.sent), "p-b p-num")
        parts = [
            ngettext("{n} queued", "{n} queued", found.queued).format(n=formats.number(found.queued)),
            ngettext("{n} sent", "{n} sent", found.sent).format(n=formats.number(found.sent)),
            ngettext("{n} reply", "{n} replies", found.replied).format(n=formats.number(found.replied)),
        ]
        text(" · ".join(parts), "p-t-sm p-t-2 p-num", tag="div")
        if found.next_at is not None:
            words = _("Next ones: {day}").format(day=day_in(found.next_at, zone))
        else:
            words = ngettext("After {n} day without an answer.", "After {n} days without an answer.", found.days)
            words = words.format(n=formats.number(found.days))
        text(words, "p-t-xs p-t-3 p-num", tag="div")


def first_words(texts: Sequence[str]) -> list[str]:
    """How each begins, from the word on in which they differ; what a lead fills in is an ellipsis."""
    plain = [_plain(each).split() for each in texts]
    same = len(list(takewhile(lambda words: len(set(words)) == 1, zip(*plain, strict=False))))
    if len(plain) < 2 or any(len(words) <= same for words in plain):
        same = 0
    return [("… " if same else "") + " ".join(words[same:])[:WORDS_SHOWN] for words in plain]


def _plain(written: str) -> str:
    try:
        parts = parts_of(written)
    except BadInput:
        return " ".join(written.split())
    return " ".join("".join("…" if isinstance(part, Gap) else part for part in parts).split())
