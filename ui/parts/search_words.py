"""How a search is told: its state, why it ended so or waits, and how each area of it ended.

Core gives a reason and an outcome; a sentence of each stands here, with what can be done.  Whoever reads it sells
things and knows nothing of lists and pages.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from core.ports import PageOutcome
from core.searches.rules import MOST_CELLS, SearchReason, SearchStatus, Source
from ui.parts.note import Tone
from ui.parts.sources import DEMO_PLACE
from ui.parts.status import STATES, Look
from ui.words import N_, _, formats

# As the subject of a sentence, with its article where the language has one.
SUBJECTS = {
    Source.GOOGLE_MAPS: N_("Google's map"),
    Source.DEMO_MAP: N_("the demo map"),
    Source.OPENSTREETMAP: N_("the map of OpenStreetMap"),
    Source.PLACES_API: N_("Google's Places API"),
    Source.FILE: N_("the file"),
}


class Why(NamedTuple):
    """What happened, and what can be done."""

    title: str
    body: str


WHYS = {
    SearchReason.NO_RESULTS: Why(
        N_("{Source} knows nothing of the kind there."), N_("Try another word, or a larger radius.")
    ),
    SearchReason.LIMIT_REACHED: Why(
        N_("As many as you asked for."), N_("There may be more: raise the limit and repeat it.")
    ),
    SearchReason.MAP_CEILING: Why(
        N_("In the busiest streets {source} held some back."),
        N_("It was asked in ever smaller pieces. A more exact term brings out the others."),
    ),
    SearchReason.TOO_MANY_CELLS: Why(
        N_("The area is too large for one search."),
        N_("It was cut into {n} pieces, the most that one search may ask for. Search the rest from other points."),
    ),
    SearchReason.STOPPED_EARLY: Why(
        N_("{Source} stopped early."),
        N_("Somewhere it showed hardly anything, next to streets full of businesses. Repeat the search later."),
    ),
    SearchReason.LIMITED_VIEW: Why(
        N_("{Source} showed its reduced view."), N_("Websites and reviews may be missing. Repeat it later for more.")
    ),
    SearchReason.ALLOWANCE: Why(
        N_("The team's requests of the day are used up."),
        N_("The search goes on by itself tomorrow. What was found is kept."),
    ),
    SearchReason.BLOCKED: Why(
        N_("{Source} has asked us to stop."),
        N_("We stopped at once. Wait some hours before you repeat it. What was found is kept."),
    ),
    SearchReason.CONSENT: Why(
        N_("{Source} asked for consent again and again."), N_("Repeat it later. What was found is kept.")
    ),
    SearchReason.LAYOUT_CHANGED: Why(
        N_("{Source} has changed the form of its answers."),
        N_("Nothing doubtful was kept. Tell whoever runs Prumo: the reader has to learn the new form."),
    ),
    SearchReason.PLACE_NOT_FOUND: Why(
        N_("{Source} does not know this place."), N_("Add the city, or choose a point on the map.")
    ),
    SearchReason.UNREACHABLE: Why(
        N_("{Source} did not answer."), N_("We tried four times. Nothing was lost: repeat the search in a while.")
    ),
    SearchReason.REFUSED: Why(
        N_("{Source} does not take our key."),
        N_("Tell whoever runs Prumo: the key may be wrong, without billing, or not allowed from this machine."),
    ),
    SearchReason.NO_BROWSER: Why(
        N_("There is no browser on the machine that searches."),
        N_("Tell whoever runs Prumo: ./run doctor says how to install it."),
    ),
    SearchReason.KEPT_FAILING: Why(
        N_("The search stopped in the middle again and again."),
        N_("What was found is kept. Repeat it; if it stops again, tell whoever runs Prumo."),
    ),
}
# What helps on an invented map, where nobody can know a name.
UNKNOWN_IN_DEMO = N_("It is of an invented city: write {place} or one of its neighbourhoods, or choose a point on it.")
UNKNOWN = Why(N_("The search could not go on."), N_("What was found is kept. Repeat it in a while."))

# How one area of a search ended, by its last page.
OUTCOMES = {
    PageOutcome.OK: N_("read in part: more was to come when the search ended"),
    PageOutcome.END_OF_LIST: N_("read to the end"),
    PageOutcome.NO_RESULTS: N_("nothing of the kind there"),
    PageOutcome.SINGLE_RESULT: N_("one business, and no other"),
    PageOutcome.CONSENT: N_("a question for consent came instead of an answer"),
    PageOutcome.LIMITED_VIEW: N_("only the reduced view, with websites and reviews missing"),
    PageOutcome.BLOCKED: N_("we were asked to stop"),
    PageOutcome.LAYOUT_CHANGED: N_("an answer that we could not read, and did not keep"),
}
# What makes one doubt that an area has shown all it has, more telling than how its last page ended.
DOUBTS = {
    SearchReason.LIMITED_VIEW: OUTCOMES[PageOutcome.LIMITED_VIEW],
    SearchReason.MAP_CEILING: N_("full, and too small to be cut further"),
    SearchReason.TOO_MANY_CELLS: N_("full, and not asked in smaller pieces any more"),
    SearchReason.STOPPED_EARLY: N_("its list ended too soon"),
}
WAS_CUT = N_("too much for one list: asked again in four smaller areas")
NOT_ASKED = N_("not asked any more")

PARTIAL = Look(N_("Partial"), "warn", "warning")
CANCELLED = Look(N_("Cancelled"), "line", "block")
WAITING = Look(N_("Waiting"), "warn", "hourglass_top")
# Ends that are nobody's fault and nothing to worry about.
QUIET = (SearchReason.LIMIT_REACHED, SearchReason.NO_RESULTS)


def look_of(status: SearchStatus, reason: str | None) -> Look:
    """A search that ended without having seen everything is amber, except where the limit was one's own."""
    if status is SearchStatus.QUEUED and reason is not None:
        return WAITING
    if status is SearchStatus.DONE and reason is not None and reason not in QUIET:
        return PARTIAL
    if status is SearchStatus.CANCELLED:
        return CANCELLED
    return STATES["search"][status.value]


def why_of(reason: str | None, source: Source) -> Why:
    """What happened and what can be done, about this source."""
    found = WHYS[SearchReason(reason)] if reason in set(SearchReason) else UNKNOWN
    if reason == SearchReason.PLACE_NOT_FOUND and source is Source.DEMO_MAP:
        found = Why(found.title, UNKNOWN_IN_DEMO)
    return Why(told_of(found.title, source), told_of(found.body, source))


def told_of(sentence: str, source: Source, **values: object) -> str:
    """A sentence whose subject is the source."""
    subject = _(SUBJECTS[source])
    return _(sentence).format(
        Source=subject[:1].upper() + subject[1:],
        source=subject,
        n=formats.number(MOST_CELLS),
        place=DEMO_PLACE,
        **values,
    )


def how_it_ended(
    status: SearchStatus, reason: str | None, complete: bool | None, source: Source
) -> tuple[Why, Tone] | None:
    """Whether it is complete, and because of what not; None of one that is not over, and of old ones that say nothing.

    The title stands in bold before the body, and beside the chip of `look_of`: whoever got as many as they asked for
    reads "done" there, and so no "not complete" here.
    """
    if status is SearchStatus.CANCELLED:
        return Why(_("Not complete."), _("It was stopped. What was found is kept; repeat it to look for the rest.")), ""
    if status is SearchStatus.FAILED:
        return why_of(reason, source), "bad"
    if status is not SearchStatus.DONE:
        return None
    if reason is not None:
        why = why_of(reason, source)
        if reason in QUIET:
            return why, ""
        return Why(_("Not complete."), f"{why.title} {why.body}"), "warn"
    if complete:
        return Why(_("Complete."), told_of(N_("{Source} knows no more of the kind within the radius."), source)), ""
    return None


def waiting_words(reason: str | None, resumes_at: datetime | None, source: Source) -> Why:
    """Why a search waits for a moment, and until when."""
    when = resume_words(resumes_at)
    if reason == SearchReason.BLOCKED:
        body = _("We go on {when}. What was found is kept.").format(when=when)
        return Why(told_of(N_("{Source} has asked us to stop."), source), body)
    return Why(_("The team's requests of the day are used up."), _("It goes on {when}, by itself.").format(when=when))


def resume_words(at: datetime | None, now: datetime | None = None) -> str:
    """às 15:40, amanhã às 9:00, seg., 15 jun., 9:00; a moment that has come is now."""
    now = now or formats.local_now()
    if at is None or at <= now:
        return _("in a moment")
    day, today = at.astimezone(formats.zone()).date(), now.astimezone(formats.zone()).date()
    if day == today:
        return _("at {time}").format(time=formats.clock(at))
    if day == today + timedelta(days=1):
        return _("tomorrow at {time}").format(time=formats.clock(at))
    return formats.moment(at)


def area_words(outcome: PageOutcome | None, doubt: SearchReason | None, was_cut: bool) -> str:
    """How one area ended."""
    if was_cut:
        return _(WAS_CUT)
    if doubt in DOUBTS:
        return _(DOUBTS[doubt])
    return _(OUTCOMES[outcome]) if outcome is not None else _(NOT_ASKED)
