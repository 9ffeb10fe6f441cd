"""contractor-lead-scraper: scrolls the list and reads its cards; opens no place.

Its scraping of one city is called as its own main does.  The crawl of the businesses' websites that follows there is
left out: it is no part of reading the map.  It gets English pages, whose words it knows; its phones are American ones.
"""

from __future__ import annotations

import world
from free_gmaps_lead_scraper import fast_scrape_city
from playwright.sync_api import BrowserType, sync_playwright

# Its main leaves out stylesheets as well.  Without its own the replay's list does not scroll, and whether the real one
# does is not known here; so it is given them, which is the better case for it.
UNREAD = {"image", "media", "font"}
FIELDS = {"name": "Business Name", "phone": "Phone", "website": "Website", "rating": "Rating"}

wish = world.asked()
world.enter([BrowserType], wish["chromium"], wish["port"])
clock = world.Clock()
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(headless=True, args=["--disable-gpu", "--disable-dev-shm-usage"])
    clock.up()
    page = browser.new_context(viewport={"width": 1320, "height": 880}, locale="en-US").new_page()
    page.route("**/*", lambda route: route.abort() if route.request.resource_type in UNREAD else route.continue_())
    about = {"query": wish["term"], "city": wish["city"], "state": ""}
    found = fast_scrape_city(page, about, target_count=wish["places"])
    clock.over()
    browser.close()
rows = [{ours: row[theirs] for ours, theirs in FIELDS.items()} for row in found]
world.answer(clock, rows)
