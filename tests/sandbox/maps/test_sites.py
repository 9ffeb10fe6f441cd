"""The invented businesses have websites, and our own careful reader makes of each what there is to make of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.integrations.websites import Websites
from core.leads.rules import SiteReason
from core.leads.site_names import site_of
from core.ports import SiteRead
from sandbox.maps.city import City, Place
from sandbox.maps.server import Running, run_in_thread
from sandbox.maps.sites import SHARES, SiteKind, email_of, place_of, site_kind, whatsapp_of

SIZE = 2_000
ENDS = {
    SiteKind.NO_ROBOTS: SiteReason.ROBOTS,
    SiteKind.BROKEN: SiteReason.ANSWERS_WITH_ERROR,
    SiteKind.SLOW: SiteReason.TOO_SLOW,
    SiteKind.HUGE: SiteReason.TOO_LARGE,
    SiteKind.INWARD: SiteReason.NOT_PUBLIC,
}
WITH_EMAIL = {SiteKind.PLAIN, SiteKind.HIDDEN, SiteKind.CONTACT_PAGE, SiteKind.LANDLINE}
WITH_CHAT = {SiteKind.PLAIN, SiteKind.HIDDEN, SiteKind.CONTACT_PAGE}


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with run_in_thread(City(SIZE)) as site:
        yield site


def with_sites(city: City) -> list[Place]:
    return [place for place in city.places() if place.website and "rede.example" not in place.website]


def test_every_kind_of_site_has_its_share() -> None:
    counted = Counter(site_kind(number) for number in range(20_000))
    assert sum(SHARES.values()) == 100
    for kind, share in SHARES.items():
        assert abs(counted[kind] / 200 - share) < 1.5, kind


def test_every_website_that_the_map_shows_is_somebodys(running: Running) -> None:
    for place in running.city.places():
        if place.website:
            host, _, path = place.website.split("://")[1].partition("/")
            assert place_of(running.city, host, "/" + path.partition("?")[0]) == place
            assert site_of(place.website) is not None
    assert place_of(running.city, "nobody-7.example", "/") is None
    assert place_of(running.city, "loja-999999.example", "/") is None
    assert place_of(running.city, "rede.example", "/") is None


def test_each_is_read_as_the_city_knows_it_to_be(running: Running) -> None:
    chosen: dict[SiteKind, list[Place]] = {}
    for place in with_sites(running.city):
        chosen.setdefault(site_kind(place.number), []).append(place)
    assert set(chosen) == set(SHARES)
    few = [place for kind, places in chosen.items() for place in places[: 1 if kind is SiteKind.SLOW else 4]]
    websites = Websites(simulated={".example": running.url}, pause_s=0.0, page_s=2.0, site_s=6.0)
    with ThreadPoolExecutor(8) as threads:
        read = list(threads.map(lambda place: websites.read(place.website or "", country="BR"), few))
    for place, found in zip(few, read, strict=True):
        assert_true(place, found)


def assert_true(place: Place, read: SiteRead) -> None:
    kind = site_kind(place.number)
    if kind in ENDS:
        assert read == SiteRead(None, ENDS[kind]), kind
        return
    assert read.contacts is not None, (kind, read.reason)
    assert read.contacts.emails == ((email_of(place),) if kind in WITH_EMAIL else ()), kind
    assert read.contacts.whatsapp == ((whatsapp_of(place),) if kind in WITH_CHAT else ()), kind
    assert bool(read.contacts.socials) == (kind is SiteKind.PLAIN)


def test_a_page_on_the_network_is_its_own_site(running: Running) -> None:
    place = next(
        place
        for place in running.city.places()
        if place.website and "rede.example" in place.website and site_kind(place.number) is SiteKind.CONTACT_PAGE
    )
    websites = Websites(simulated={".example": running.url}, pause_s=0.0)
    read = websites.read(place.website or "", country="BR")
    assert read.contacts is not None
    assert read.contacts.emails == (email_of(place),)
