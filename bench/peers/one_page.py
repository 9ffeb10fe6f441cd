"""gmbscraper: scrolls the list, then opens a fresh page for each place, one after the other.

As its README shows it: one browser, open_search and collect_place_links for the list, scrape_place for each link.  Its
way of splitting an area is left out, which spares it four further lists of places that it has already.
"""

from __future__ import annotations

import world
from gmbscraper import google_maps_browser
from playwright.sync_api import BrowserType

wish = world.asked()
world.enter([BrowserType], wish["chromium"], wish["port"])
clock = world.Clock()
rows = []
with google_maps_browser() as maps:
    clock.up()
    page = maps.new_page()
    maps.open_search(page, wish["term"])
    links = maps.collect_place_links(page, wish["places"])
    page.close()
    for rank, (url, name) in enumerate(links, 1):
        place = maps.scrape_place(url, fallback_name=name, rank=rank)
        rows.append(
            {
                "name": place.name,
                "phone": place.phone,
                "website": place.website,
                "address": place.address,
                "rating": None if place.rating is None else str(place.rating),
            }
        )
    clock.over()
world.answer(clock, rows)
