"""What is to be known of a source before it is asked: how long, how much, and on which terms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from nicegui import ui

from core.accounts.rules import Actor
from core.searches import service as searches
from core.searches.allowance import Allowance
from core.searches.cost import Cost, estimate
from core.searches.experience import Learned
from core.searches.forecast import Forecast, forecast
from core.searches.rules import Source
from core.work import Work
from ui.calls import settings
from ui.parts import safe
from ui.parts.search_words import resume_words, told_of
from ui.parts.sources import SOURCES
from ui.parts.text import icon, text
from ui.words import N_, _, formats, ngettext

DOLLARS = "USD"
A_MINUTE = timedelta(minutes=1)
ABOUT = {
    Source.GOOGLE_MAPS: N_("Google's terms restrict collecting from its map: search sparingly, for what you need."),
    Source.DEMO_MAP: N_("An invented city, for trying things out: nobody in it is real."),
    Source.OPENSTREETMAP: N_("© OpenStreetMap contributors. Free, and few businesses there have a phone."),
    Source.PLACES_API: N_("Google's official way, and paid: each request costs {price}."),
}

# "No caching" in Google's service specific terms: place ids are exempt, coordinates may stay for 30 days.
PLACES_TERMS = N_(
    "Google's terms forbid keeping what its Places API tells for long, except place ids: your team answers for it."
)


@dataclass(frozen=True)
class Standing:
    """How a source stands with this team now."""

    today: Allowance
    paused_until: datetime | None


def standings(work: Work, actor: Actor) -> dict[Source, Standing]:
    """Of every source that is offered."""
    return {
        source: Standing(
            searches.allowance_left(work, actor, source.value), searches.paused_until(work, actor, source.value)
        )
        for source in searches.sources(work, actor)
    }


@dataclass(frozen=True)
class Wish:
    """What the form asks for so far, as far as time and money depend on it."""

    source: Source
    terms: int
    radius_m: int
    limit: int
    is_named: bool  # a place that has yet to be found
    learned: Learned  # from the team's earlier searches

    def cost(self, today: Allowance | None) -> Cost | None:
        if self.source is not Source.PLACES_API:
            return None
        return estimate(
            terms=self.terms,
            radius_m=self.radius_m,
            limit=self.limit,
            allowance_left=today.left if today else settings().map_requests_per_day,
            price_usd=settings().places_api_price_usd,
            is_named=self.is_named,
            learned=self.learned,
        )

    def forecast(self) -> Forecast:
        return forecast(
            self.source,
            terms=self.terms,
            radius_m=self.radius_m,
            limit=self.limit,
            pause=settings().map_pause,
            learned=self.learned,
        )


class SourceNote:
    """The lines below the button: they change with every field."""

    def __init__(self, offered: list[Source], standing: dict[Source, Standing]) -> None:
        self.offered = offered
        self.standing = standing
        with ui.element("div").classes("p-row p-g4 p-center p-t-xs p-t-3 p-estimate"):
            icon("schedule", 14)
            self.time = text("")
        self.known = text("", "p-t-xs p-t-3 p-num p-terms-note", tag="p")
        self.money = text("", "p-t-xs p-t-2 p-num p-terms-note", tag="p")
        self.waits = text("", "p-t-xs p-terms-note p-t-warn", tag="p")
        self.about = text("", "p-t-xs p-t-3 p-terms-note", tag="p")
        self.terms = text("", "p-t-xs p-t-2 p-terms-note", tag="p")
        with ui.element("p").classes("p-t-xs p-t-3 p-terms-note") as self.others:
            self.others_words = text("")
            text(" ")
            safe.link("/leads?add=file", _("Import a file"))

    def show(self, wish: Wish) -> None:
        standing = self.standing.get(wish.source)
        self.time.text = _time(wish)
        self.known.text = _known(wish.learned.known)
        cost = wish.cost(standing.today if standing else None)
        self.money.text = price_words(cost) if cost is not None else ""
        self.waits.text = _waits(wish, standing)
        price = money(settings().places_api_price_usd)
        self.about.text = _(ABOUT[wish.source]).format(price=price) if wish.source in ABOUT else ""
        self.terms.text = _(PLACES_TERMS) if wish.source is Source.PLACES_API else ""
        self._show_others(wish.source)

    def _show_others(self, source: Source) -> None:
        """Beside Google's map: what else may be asked."""
        self.others.visible = source is Source.GOOGLE_MAPS
        others = [_(SOURCES[other]) for other in (Source.OPENSTREETMAP, Source.PLACES_API) if other in self.offered]
        self.others_words.text = _("Other sources: {names}.").format(names=", ".join(others)) if others else ""


def money(dollars: float) -> str:
    """US$ 3,15; a price below a cent keeps the places it has."""
    digits = 2 if round(dollars, 2) == dollars else 3
    if digits == 2:
        return formats.money(Decimal(f"{dollars:.2f}"), DOLLARS)
    return f"US$ {formats.number(dollars, digits)}"


def price_words(cost: Cost) -> str:
    """Cerca de US$ 3,15 · 90 pedidos: what it takes to come to the limit, and what it cannot go beyond."""
    count = ngettext("{n} request", "{n} requests", cost.to_limit).format(n=formats.number(cost.to_limit))
    if cost.most <= cost.to_limit:
        return _("Up to {price} · {requests}").format(price=money(cost.to_limit_usd), requests=count)
    words = _("About {price} · {requests} · never above {most} today")
    return words.format(price=money(cost.to_limit_usd), requests=count, most=money(cost.most_usd))


def _time(wish: Wish) -> str:
    told = wish.forecast()
    parts = [_span(told), ngettext("{n} term", "{n} terms", wish.terms).format(n=formats.number(wish.terms))]
    if told.areas > wish.terms:
        parts.append(ngettext("{n} area", "{n} areas", told.areas).format(n=formats.number(told.areas)))
    return " · ".join(parts)


def _known(count: int) -> str:
    return _("About {n} from there are in your list already.").format(n=formats.number(count)) if count else ""


def _span(told: Forecast) -> str:
    """About so long; about so long to so long where that depends on how much there is."""
    least, most = formats.duration(told.least), formats.duration(told.most)
    if told.most < A_MINUTE:
        return _("Less than a minute")
    if told.is_one_figure or least == most:
        return _("About {time}").format(time=most)
    if told.least < A_MINUTE:
        return _("Up to about {time}").format(time=most)
    return _("About {least} to {most}").format(least=least, most=most)


def _waits(wish: Wish, standing: Standing | None) -> str:
    """Why it will not begin, or not end, today."""
    if standing is None:
        return ""
    if standing.paused_until is not None:
        sentence = N_("{Source} has asked us to stop: what you ask now begins {when}.")
        return told_of(sentence, wish.source, when=resume_words(standing.paused_until))
    needs = wish.forecast().requests
    today = standing.today
    if needs <= today.left:
        return ""
    words = _("It needs some {needs} requests and {left} of {n} are left today: the rest follows {when}.")
    return words.format(
        needs=formats.number(needs),
        left=formats.number(today.left),
        n=formats.number(today.per_day),
        when=resume_words(today.renews_at),
    )
