"""The pages in a real Chromium: they scroll, stall, redirect and break as the real ones do."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, async_playwright

from sandbox.maps import Running

CHROMIUM = os.environ.get("PRUMO_CHROMIUM") or "/usr/lib/chromium/chromium-headless-shell"
SEARCH = "/maps/search/{}/@-23.55,-46.63,13z?hl=pt-BR&gl=br"
CARDS = "div[role=feed] > div > div.Nv2PK[jsaction][role=article]"

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; PRUMO_CHROMIUM names one"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    """One for the file: to start it takes longer than most stories."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """Of a visitor who was never there before: cookies and storage are its own."""
    visitor = await browser.new_context(viewport={"width": 1280, "height": 800})
    opened = await visitor.new_page()
    opened.set_default_timeout(15_000)
    yield opened
    await visitor.close()


async def scroll_to_the_end(page: Page, rounds: int = 40) -> int:
    """Scrolls as a person does until the end marker is there; the number of cards."""
    for _ in range(rounds):
        await page.evaluate("() => { const f = document.querySelector('[role=feed]'); f.scrollTop = f.scrollHeight }")
        await page.wait_for_timeout(60)
        if await page.locator("span.HlvSq").count():
            break
    return await page.locator(CARDS).count()


async def test_a_visitor_scrolls_to_the_end_and_has_seen_120_places(demo_map: Running, page: Page) -> None:
    lists: list[str] = []
    page.on("response", lambda response: lists.append(response.url) if "tbm=map" in response.url else None)
    await page.goto(f"{demo_map.url}/maps?hl=pt-BR")
    await page.goto(demo_map.url + SEARCH.format("restaurante"))
    await page.wait_for_selector(CARDS)
    assert await page.locator(CARDS).count() == 10
    assert await page.get_attribute("div[role=feed]", "aria-label") == "Resultados para restaurante"
    cards = await scroll_to_the_end(page)
    sponsored = await page.locator("h1.kpih0e").count()
    assert cards - sponsored == 120
    assert await page.inner_text("span.HlvSq") == "Você chegou ao final da lista."
    assert len(lists) == 7, "six full pages and the empty one"
    hrefs = await page.eval_on_selector_all("a.hfpxzc", "links => links.map(link => link.href)")
    ids = {re.search(r"!1s(0x[0-9a-f]+:0x[0-9a-f]+)", href).group(1) for href in hrefs}  # type: ignore[union-attr]
    assert len(ids) == 120 and all(demo_map.city.by_data_id(one) for one in ids)


async def test_a_card_holds_what_the_place_has(demo_map: Running, page: Page) -> None:
    await page.goto(f"{demo_map.url}/maps?hl=en")
    await page.goto(f"{demo_map.url}/maps/search/dentist/@-23.55,-46.63,13z?hl=en&gl=br")
    await page.wait_for_selector(CARDS)
    await scroll_to_the_end(page, 2)
    for card in (await page.locator(CARDS).all())[2:12]:
        href = await card.locator("a.hfpxzc").get_attribute("href") or ""
        place = demo_map.city.by_data_id(re.search(r"!1s([^!]+)", href).group(1))  # type: ignore[union-attr]
        assert place is not None
        assert f"!3d{place.lat}!4d{place.lng}" in href and href.split("!19s")[1].startswith(place.place_id)
        assert await card.locator(".qBF1Pd").inner_text() == re.sub(r"\s+", " ", place.name)
        assert await card.locator('a.lcr4fd[data-value="Website"]').count() == bool(place.website)
        assert await card.locator(".UsdlK").count() == bool(place.phone)
        assert await card.locator(".MW4etd").count() == (place.rating is not None)


async def test_hostile_names_are_only_names(demo_map: Running, page: Page) -> None:
    alarms: list[str] = []
    page.on("dialog", lambda dialog: alarms.append(dialog.message))
    for sign in ("<script>", "<img", "<b>"):
        place = next(p for p in demo_map.city.places() if sign in p.name)
        query = requests_quote(place.trade.pt)
        await page.goto(f"{demo_map.url}/maps/search/{query}/@{place.lat},{place.lng},18z?hl=pt-BR&gl=br")
        await page.wait_for_selector(f'a.hfpxzc[href*="{place.data_id}"]')
        await page.goto(f"{demo_map.url}/maps/place/x/data=!4m2!3m1!1s{place.data_id}?hl=pt-BR")
        await page.wait_for_selector("h1.DUwDvf")
        assert await page.text_content("h1.DUwDvf") == place.name
    assert alarms == []


def requests_quote(text: str) -> str:
    from urllib.parse import quote

    return quote(text)


async def test_no_result_shows_neither_feed_nor_place(demo_map: Running, page: Page) -> None:
    await page.goto(demo_map.url + SEARCH.format("naoexiste"))
    await page.wait_for_selector(".Q2vNVc")
    assert await page.locator("div[role=feed]").count() == await page.locator("h1.DUwDvf").count() == 0


async def test_a_single_result_becomes_its_place_page(demo_map: Running, page: Page) -> None:
    await page.goto(demo_map.url + SEARCH.format("dentista+umsozinho"))
    await page.wait_for_selector("h1.DUwDvf")
    assert "/maps/place/" in page.url and await page.locator("div[role=feed]").count() == 0


async def test_a_place_name_moves_the_address_to_that_place(demo_map: Running, page: Page) -> None:
    await page.goto(f"{demo_map.url}/maps/search/Jardim+Aurora,+Serra+Clara?hl=pt-BR")
    await page.wait_for_selector("h1.DUwDvf")
    area = demo_map.city.resolve("Jardim Aurora")
    assert area and f"/@{area.lat:.7f},{area.lng:.7f},15z/" in page.url


async def test_a_place_page_shows_itself_only_when_its_answer_came(demo_map: Running, page: Page) -> None:
    place = next(p for p in demo_map.city.places() if p.phone and p.website and p.has_address and p.rating)
    asked, may_answer = asyncio.Event(), asyncio.Event()

    async def takes_its_time(route: Route) -> None:
        asked.set()
        await may_answer.wait()
        await route.continue_()

    await page.route("**/maps/preview/place?*", takes_its_time)
    await page.goto(f"{demo_map.url}/maps/place/x/data=!4m2!3m1!1s{place.data_id}?hl=pt-BR", wait_until="commit")
    await asyncio.wait_for(asked.wait(), 20)
    assert await page.locator("h1.DUwDvf").count() == 0
    may_answer.set()
    await page.wait_for_selector("h1.DUwDvf")
    assert place.street in (await page.inner_text('[data-item-id="address"]'))
    assert await page.get_attribute('[data-item-id="authority"]', "href")
    assert await page.locator('[data-item-id^="phone:tel:"]').count() == 1
    assert await page.locator('[data-item-id="oloc"]').count() == 1
    assert await page.inner_text("button.DkEaL") == place.trade.pt
    assert await page.locator("[role=main] [role=tab]").count() == 3


async def test_the_consent_page_lets_one_visible_form_through(demo_map: Running, page: Page) -> None:
    demo_map.behave(consent=True)
    await page.goto(demo_map.url + SEARCH.format("padaria"))
    assert "/consent/" in page.url
    reject = page.locator("form:has(input[name=set_eom][value=true]) button").locator("visible=true")
    assert await reject.count() == 1
    await reject.click()
    await page.wait_for_selector(CARDS)
    assert "/maps/search/padaria" in page.url


async def test_the_limited_view_has_a_banner_and_neither_counts_nor_websites(demo_map: Running, page: Page) -> None:
    demo_map.behave(limited=True)
    await page.goto(f"{demo_map.url}/maps?hl=pt-BR")
    await page.goto(demo_map.url + SEARCH.format("restaurante"))
    await page.wait_for_selector(CARDS)
    assert await page.locator('[jslog^="295515"]').count() == 1
    assert await page.locator(".UY7F9").count() == await page.locator("a.lcr4fd").count() == 0
    assert await page.locator(".UsdlK").count() > 0


async def test_cards_still_come_when_the_data_has_moved(demo_map: Running, page: Page) -> None:
    for moved in ("fields", "rows"):
        demo_map.behave(moved=moved, layout="B")
        await page.goto(demo_map.url + SEARCH.format("dentista"))
        await page.wait_for_selector(CARDS)
        assert await page.locator(CARDS).count() == 10
        assert await page.locator(".qBF1Pd").first.inner_text()


@pytest.mark.parametrize("behaviour", [{"layout": "A"}, {"layout": "mixed"}, {"wrapped": True}])
async def test_every_layout_draws_the_same_list(demo_map: Running, page: Page, behaviour: dict[str, object]) -> None:
    demo_map.behave(**behaviour)
    await page.goto(demo_map.url + SEARCH.format("loja+de+pneus"))
    await page.wait_for_selector(CARDS)
    cards = await scroll_to_the_end(page)
    expected = [place for place in demo_map.site.find("loja de pneus", None).places]
    assert cards >= min(len(expected), 20)


async def test_the_drawing_can_stall_while_the_answers_go_on(demo_map: Running, page: Page) -> None:
    demo_map.behave(stall_at=20)
    lists: list[str] = []
    page.on("response", lambda response: lists.append(response.url) if "tbm=map" in response.url else None)
    await page.goto(demo_map.url + SEARCH.format("restaurante"))
    await page.wait_for_selector(CARDS)
    for _ in range(3):
        await page.evaluate("() => { const f = document.querySelector('[role=feed]'); f.scrollTop = 0; }")
        await page.wait_for_timeout(60)
        await page.evaluate("() => { const f = document.querySelector('[role=feed]'); f.scrollTop = f.scrollHeight }")
        await page.wait_for_timeout(120)
    assert await page.locator(CARDS).count() == 20 and len(lists) >= 3
    assert await page.locator("span.HlvSq").count() == 0


async def test_an_in_page_fetch_of_the_announced_link_works_as_on_the_real_site(demo_map: Running, page: Page) -> None:
    await page.goto(f"{demo_map.url}/maps?hl=pt-BR")
    await page.goto(demo_map.url + SEARCH.format("restaurante"))
    told = await page.evaluate(
        """async () => {
          const link = document.head.querySelector('link[href^="/search?tbm=map"]').href;
          const url = link.replace('%217i20', '%217i20%218i40');
          const text = await (await fetch(url, {credentials: 'include'})).text();
          return [text.slice(0, 5), JSON.parse(text.slice(5))[64].length];
        }"""
    )
    assert told == [")]}'\n", 20]
