"""What has to stay in sight where there is little room: our stylesheet in a browser, around the pieces of a page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page

from ui.theme import assets

BAR_AND_TOAST = """
    <div class="p-bulk {hidden}">3 selected</div>
    <div class="q-notifications__list q-notifications__list--bottom fixed column items-end"
        style="position:fixed;left:0;right:0;bottom:0;display:flex;flex-direction:column;align-items:flex-end">
      <div class="q-notification">There is nobody new to look up.</div>
    </div>"""
FOOT_OF_A_CARD = """
    <article class="p-card p-number" style="width:340px">
      <div class="p-row p-between p-number-f">
        <span class="p-row p-g6 p-t-xs p-t-2 p-ell"><a class="p-number-link p-ell">A campaign of long name</a></span>
        <span class="p-row p-g6"><button class="q-btn sof p-sm">Gerar novo código</button></span>
      </div>
    </article>"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1300, "height": 860}, reduced_motion="reduce")
    yield context.new_page()
    context.close()


def show(page: Page, body: str) -> None:
    page.set_content(f"<style>{assets.text('prumo.css')} .hidden{{display:none}}</style><body>{body}</body>")


def box(of: Locator) -> tuple[float, float]:
    """From where to where it goes, from above to below."""
    found = of.bounding_box()
    assert found is not None
    return found["y"], found["y"] + found["height"]


def test_the_name_of_a_button_does_not_lie_over_the_menu_below_it(page: Page) -> None:
    show(page, '<div class="q-tooltip">More actions</div><div id="open"></div>')
    assert page.locator(".q-tooltip").is_visible()
    page.locator("#open").evaluate("place => { place.innerHTML = '<div class=q-menu>Delete</div>'; }")
    assert page.locator(".q-tooltip").is_hidden()
    page.locator("#open").evaluate("place => { place.innerHTML = ''; }")
    assert page.locator(".q-tooltip").is_visible()


def test_a_toast_stands_above_the_bar_of_what_is_chosen(page: Page) -> None:
    show(page, BAR_AND_TOAST.format(hidden=""))
    _, toast_ends = box(page.locator(".q-notification"))
    bar_begins, _ = box(page.locator(".p-bulk"))
    assert toast_ends <= bar_begins


def test_without_the_bar_it_stands_where_it_always_does(page: Page) -> None:
    show(page, BAR_AND_TOAST.format(hidden=""))
    _, above_the_bar = box(page.locator(".q-notification"))
    show(page, BAR_AND_TOAST.format(hidden="hidden"))
    _, alone = box(page.locator(".q-notification"))
    assert alone > above_the_bar


def test_the_words_of_a_button_stay_on_one_line_beside_a_long_name(page: Page) -> None:
    show(page, FOOT_OF_A_CARD)
    lines = page.locator(".q-btn").evaluate(
        "button => { const all = document.createRange(); all.selectNodeContents(button);"
        " return all.getClientRects().length; }"
    )
    assert lines == 1
    card, button = page.locator(".p-number").bounding_box(), page.locator(".q-btn").bounding_box()
    assert card is not None and button is not None
    assert button["x"] + button["width"] <= card["x"] + card["width"]
