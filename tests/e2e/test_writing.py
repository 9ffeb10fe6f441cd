"""Where a message is typed: the mirror behind the text area, and the list of fields, in a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from ui.theme import assets

MIRROR = (assets.FOLDER.parent / "pages" / "campaign_builder" / "mirror.js").read_text()
# As Quasar lays out its text area; the list is that of the page.
BODY = """
    <style>{css} .q-field__control{{padding:0 12px}}
      textarea{{display:block;width:100%;min-height:0!important;border:0;margin-top:2px;font-family:inherit;outline:0;background:none;letter-spacing:.00937em}}
    </style>
    <div class="p-writing" style="width:{width}px">
      <div class="p-mirror"></div>
      <label class="p-message" style="position:relative"><div class="q-field__control">
        <textarea class="q-field__native" style="height:300px"></textarea></div></label>
      <div class="p-gaps" hidden>
        <button data-gap="empresa">empresa</button><button data-gap="bairro">bairro</button>
        <button data-gap="avaliacao">avaliação</button>
      </div>
    </div>"""
# As Vue makes an element of it.
MOUNT = """async (code) => {
    const { default: made } = await import('data:text/javascript,' + encodeURIComponent(code));
    const self = { $el: document.querySelector('.p-mirror'), known: ['empresa', 'bairro', 'avaliacao', 'meu_nome'] };
    for (const [name, method] of Object.entries(made.methods)) self[name] = method.bind(self);
    made.mounted.call(self);
    window.mirror = self;
    document.querySelector('textarea').focus();
}"""
CHIPS = "() => [...document.querySelectorAll('.p-mirror .p-gap')].map((each) => [each.className, each.textContent])"
HEIGHTS = """() => ['textarea', '.p-mirror'].map((name) => {
    const each = document.querySelector(name);
    each.style.height = '0';
    each.style.overflow = 'hidden';
    return each.scrollHeight - 2 * parseFloat(getComputedStyle(each).paddingTop);
})"""


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 900, "height": 600})
    page = context.new_page()
    page.set_content(BODY.format(css=assets.text("prumo.css"), width=getattr(request, "param", 420)))
    page.evaluate(MOUNT, MIRROR)
    yield page
    context.close()


def said(page: Page) -> str:
    return page.locator("textarea").input_value()


def test_a_field_is_a_chip_and_what_nobody_knows_is_wrong(page: Page) -> None:
    page.keyboard.insert_text("Oi {empresa}, nota {Avaliação|boa}; { MEU-NOME } {foo} {{empresa}} {} {empresa")
    colour = page.locator("textarea").evaluate("area => getComputedStyle(area).webkitTextFillColor")
    assert colour == "rgba(0, 0, 0, 0)"  # the letters are seen in the mirror alone
    assert page.evaluate(CHIPS) == [
        ["p-gap", "{empresa}"],
        ["p-gap", "{Avaliação|boa}"],
        ["p-gap", "{ MEU-NOME }"],
        ["p-gap wrong", "{foo}"],
        ["p-gap wrong", "{{empresa}}"],
        ["p-gap wrong", "{}"],
    ]
    mirrored = page.locator(".p-mirror").evaluate("mirror => mirror.textContent")
    assert mirrored.removesuffix("\u200b") == said(page)


def test_hostile_words_stay_words(page: Page) -> None:
    words = '<img src=x onerror="window.hit=1"> {<b>x</b>} {empresa|<script>window.hit=1</script>}'
    page.keyboard.insert_text(words)
    assert page.locator(".p-mirror :not(span)").count() == 0
    assert page.locator(".p-mirror").evaluate("mirror => mirror.textContent").removesuffix("\u200b") == words
    assert page.evaluate("window.hit") is None


def test_thousands_of_braces_hold_nobody_up(page: Page) -> None:
    taken = page.evaluate("""() => {
        const area = document.querySelector('textarea');
        const begun = performance.now();
        for (const words of ['{'.repeat(20000), '{a'.repeat(10000), '{a}'.repeat(3000)]) {
          area.value = words;
          area.dispatchEvent(new Event('input'));
        }
        return performance.now() - begun;
    }""")
    assert taken < 2_000


@pytest.mark.parametrize("page", [300, 340, 420, 470, 610], indirect=True)
def test_both_break_their_lines_alike_at_any_width(page: Page) -> None:
    page.keyboard.insert_text(
        "Oi! Aqui é {meu_nome}, da Agenda Leve.\n\nVi que a {empresa} tem nota {avaliacao|uma nota muito boa mesmo} no"
        " mapa. Parabéns! {empresa}{bairro}{empresa}, {foo} AVAToTe. Uma palavracompridademaisparaumalinha\n"
        "Ajudamos clínicas em {bairro} a receber agendamentos on-line. Posso mandar um vídeo de 1 minuto?\n"
    )
    typed, mirrored = page.evaluate(HEIGHTS)
    assert typed == mirrored >= 6 * 22


def test_it_scrolls_with_what_is_typed(page: Page) -> None:
    page.keyboard.insert_text("uma linha\n" * 40)
    page.locator("textarea").evaluate("area => { area.scrollTop = 200; }")
    page.wait_for_function("document.querySelector('.p-mirror').scrollTop === 200")


def test_a_brace_opens_the_list_below_it_and_the_keys_choose_from_it(page: Page) -> None:
    page.keyboard.type("Oi! Vi a {")
    listed = page.locator(".p-gaps")
    assert listed.is_visible()
    box, typed = listed.bounding_box(), page.locator("textarea").bounding_box()
    assert box is not None
    assert typed is not None
    assert 10 + 22 <= box["y"] - typed["y"] <= 10 + 22 + 10  # the first line, and a little air
    assert 40 < box["x"] - typed["x"] < 80
    page.keyboard.type("a")
    assert listed.locator("button:not([hidden])").all_inner_texts() == ["avaliação"]
    page.keyboard.press("Backspace")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert said(page) == "Oi! Vi a {bairro}"
    assert listed.is_hidden()


def test_the_mouse_and_the_keys_move_one_choice(page: Page) -> None:
    page.keyboard.type("Oi {")
    lit = """() => [...document.querySelectorAll('.p-gaps button')].filter((each) =>
        getComputedStyle(each).backgroundColor !== 'rgba(0, 0, 0, 0)').map((each) => each.textContent)"""
    page.locator(".p-gaps button", has_text="bairro").hover()
    assert page.evaluate(lit) == ["bairro"]
    page.keyboard.press("ArrowDown")
    assert page.evaluate(lit) == ["avaliação"]
    page.keyboard.press("Enter")
    assert said(page) == "Oi {avaliacao}"


def test_what_the_page_puts_in_stands_where_the_cursor_was_and_can_be_taken_back(page: Page) -> None:
    page.keyboard.type("Em , vizinhos")
    page.locator("textarea").evaluate("area => { area.setSelectionRange(3, 3); area.blur(); }")
    page.evaluate("window.mirror.put('{bairro|sua região}')")
    assert said(page) == "Em {bairro|sua região}, vizinhos"
    assert page.evaluate(CHIPS) == [["p-gap", "{bairro|sua região}"]]
    page.keyboard.press("Control+z")
    assert said(page) == "Em , vizinhos"


def test_escape_leaves_the_brace_alone_and_what_was_put_in_can_be_taken_back(page: Page) -> None:
    page.keyboard.type("Oi {")
    page.keyboard.press("Escape")
    assert page.locator(".p-gaps").is_hidden()
    assert said(page) == "Oi {"
    page.keyboard.type("e")
    page.keyboard.press("Tab")
    assert said(page) == "Oi {empresa}"
    assert page.evaluate(CHIPS) == [["p-gap", "{empresa}"]]
    page.keyboard.press("Control+z")
    assert said(page) == "Oi {e"
    assert page.evaluate(CHIPS) == []
