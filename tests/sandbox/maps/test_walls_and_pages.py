"""What stands between a visitor and the lists, the pages themselves, the tiles, and the switches."""

from __future__ import annotations

import re
import time
from html import unescape
from xml.etree import ElementTree

import pytest
import requests
from index_table import at, rows_b
from map_reading import Ask, head_link, parsed

from sandbox.maps import Running
from sandbox.maps.__main__ import main
from sandbox.maps.geo import tile_of

SEARCH = "/maps/search/dentista/@-23.55,-46.63,14z?hl=pt-BR&gl=br"


# ---------------------------------------------------------------- consent


def forms_of(html: str) -> list[dict[str, str]]:
    forms = []
    for found in re.finditer(r'<form action="([^"]+)" method="POST".*?</form>', html, re.DOTALL):
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', found.group(0)))
        forms.append({"action": found.group(1)} | {name: unescape(value) for name, value in fields.items()})
    return forms


def test_consent_is_asked_once_and_brings_the_visitor_back(demo_map: Running, stranger: requests.Session) -> None:
    demo_map.behave(consent=True)
    first = stranger.get(demo_map.url + SEARCH, allow_redirects=False, timeout=10)
    assert first.status_code == 302 and "/consent/m?continue=" in first.headers["location"]
    page = stranger.get(first.headers["location"], timeout=10)
    forms = forms_of(page.text)
    assert len(forms) == 4
    assert [form["set_eom"] for form in forms] == ["true", "false", "false", "true"]
    for name in ("gl", "m", "app", "pc", "continue", "x", "bl", "hl", "src", "cm", "escs"):
        assert all(name in form for form in forms), name
    reject = forms[0]
    back = stranger.post(reject.pop("action"), data=reject, timeout=10)
    assert back.url.endswith(SEARCH) and "SOCS" in stranger.cookies
    assert head_link(back.text)


def test_without_consent_a_list_response_is_a_page(demo_map: Running, visitor: requests.Session) -> None:
    link = head_link(visitor.get(demo_map.url + SEARCH, timeout=10).text)
    demo_map.behave(consent=True)
    response = visitor.get(demo_map.url + link, timeout=10)
    assert "/consent/m" in response.url and not response.text.startswith(")]}'")


def test_consent_never_sends_anybody_to_another_site(demo_map: Running, stranger: requests.Session) -> None:
    for elsewhere in (
        "https://elsewhere.example/",
        "//elsewhere.example",
        f"{demo_map.url}.elsewhere.example/",
    ):
        answer = stranger.post(
            f"{demo_map.url}/consent/save",
            data={"set_eom": "true", "continue": elsewhere},
            allow_redirects=False,
            timeout=10,
        )
        assert answer.headers["location"] == f"{demo_map.url}/maps"


# ---------------------------------------------------------------- blocked, slow


def test_a_blocked_visitor_lands_on_the_sorry_page(demo_map: Running, visitor: requests.Session) -> None:
    link = head_link(visitor.get(demo_map.url + SEARCH, timeout=10).text)
    demo_map.behave(blocked=True)
    for path in (SEARCH, link):
        response = visitor.get(demo_map.url + path, timeout=10)
        assert response.status_code == 429 and "/sorry/index?continue=" in response.url
        assert "unusual traffic" in response.text
    demo_map.behave(blocked="429")
    direct = visitor.get(demo_map.url + link, allow_redirects=False, timeout=10)
    assert direct.status_code == 429


def test_the_block_can_come_after_some_lists(demo_map: Running, visitor: requests.Session) -> None:
    link = head_link(visitor.get(demo_map.url + SEARCH, timeout=10).text)
    demo_map.behave(block_after=3)
    codes = [visitor.get(demo_map.url + link, timeout=10).status_code for _ in range(5)]
    assert codes == [200, 200, 200, 429, 429]
    assert visitor.get(demo_map.url + SEARCH, timeout=10).status_code == 429, "the pages are shut too"
    demo_map.behave(block_after=None)
    assert visitor.get(demo_map.url + link, timeout=10).status_code == 200


def test_answers_take_as_long_as_they_are_told_to(demo_map: Running, visitor: requests.Session) -> None:
    demo_map.behave(latency_s=0.3)
    start = time.monotonic()
    visitor.get(demo_map.url + SEARCH, timeout=10)
    assert 0.3 <= time.monotonic() - start < 1.5


# ---------------------------------------------------------------- pages


def test_the_search_page_announces_its_list_in_its_head(demo_map: Running, visitor: requests.Session) -> None:
    html = visitor.get(demo_map.url + SEARCH, timeout=10).text
    assert html.index('rel="preload"') < html.index("</head>")
    link = head_link(html)
    assert "!1sdentista!4m8!1m3!1d" in requests.utils.unquote(link)
    assert "APP_INITIALIZATION_STATE=" in html
    demo_map.behave(head_link=False)
    assert 'rel="preload"' not in visitor.get(demo_map.url + SEARCH, timeout=10).text


def test_without_a_point_the_page_looks_at_the_named_place(demo_map: Running, visitor: requests.Session) -> None:
    for query, name in (
        ("dentista+em+Vila+Garoa", "Vila Garoa"),
        ("Vila%20Garoa", "Vila Garoa"),
        ("bar", "Serra Clara"),
    ):
        area = demo_map.city.resolve(name)
        assert area is not None
        link = requests.utils.unquote(head_link(visitor.get(f"{demo_map.url}/maps/search/{query}", timeout=10).text))
        assert f"!2d{area.lng}!3d{area.lat}" in link


def test_a_query_may_hold_slashes_and_marks(demo_map: Running, visitor: requests.Session) -> None:
    html = visitor.get(f"{demo_map.url}/maps/search/bar%2Fboteco+%3Cb%3E%26!/@-23.5,-46.6,15z", timeout=10).text
    assert "<b>" not in html.replace("<body>", "")
    root = parsed(visitor.get(demo_map.url + head_link(html), timeout=10).text)
    assert root[0][0] == "bar/boteco <b>&!"


def test_a_single_result_can_come_as_a_redirect(demo_map: Running, visitor: requests.Session) -> None:
    demo_map.behave(single=True, single_by="redirect")
    answer = visitor.get(demo_map.url + SEARCH, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    assert re.match(r"/maps/place/[^/]+/data=!4m7!3m6!1s0x[0-9a-f]+:0x[0-9a-f]+!8m2!3d-", answer.headers["location"])
    assert 'href="/maps/preview/place?' in visitor.get(demo_map.url + answer.headers["location"], timeout=10).text


def test_a_single_result_by_script_is_one_record(demo_map: Running, ask: Ask) -> None:
    demo_map.behave(single=True)
    assert len(rows_b(ask("dentista"))) == 1
    assert rows_b(ask("dentista", 20)) == []


def test_a_place_page_announces_its_own_answer(demo_map: Running, visitor: requests.Session) -> None:
    place = demo_map.city.place(3)
    html = visitor.get(f"{demo_map.url}/maps/place/x/data=!4m2!3m1!1s{place.data_id}?hl=pt-BR", timeout=10).text
    found = re.search(r'<link href="(/maps/preview/place\?[^"]+)" as="fetch"', html)
    assert found and "data-item-id" not in html, "the page shows nothing before its answer is there"
    root = parsed(visitor.get(demo_map.url + unescape(found.group(1)), timeout=10).text)
    assert len(root) == 32 and at(root[6], "11") == place.name
    assert root[25][0][0] == [2, "spotlit"] and root[25][3][0][13][0][0][1] == place.cid


@pytest.mark.parametrize("form", ["/maps/place/?q=place_id:{place_id}", "/maps?cid={cid}"])
def test_a_place_is_found_by_its_other_ids(demo_map: Running, visitor: requests.Session, form: str) -> None:
    place = demo_map.city.place(3)
    html = visitor.get(demo_map.url + form.format(place_id=place.place_id, cid=place.cid), timeout=10).text
    assert place.data_id.replace(":", "%3A") in html


def test_nobody_place_page_is_there_but_empty(demo_map: Running, visitor: requests.Session) -> None:
    response = visitor.get(f"{demo_map.url}/maps/place/x/data=!4m2!3m1!1s0x1:0x2", timeout=10)
    assert response.status_code == 200 and "/maps/preview/place" not in response.text


def test_thumbnails_are_served_here(demo_map: Running, ask: Ask) -> None:
    url = at(rows_b(ask("dentista"))[0], "72.0.1.6.0")
    response = requests.get(url, timeout=10)
    assert url.startswith(demo_map.url) and response.headers["content-type"] == "image/svg+xml"
    ElementTree.fromstring(response.text)


# ---------------------------------------------------------------- words in a query


@pytest.mark.parametrize(
    ("word", "meets"),
    [("consentimento", "/consent/m"), ("bloqueado", "/sorry/index"), ("Bloqueado", "/sorry/index")],
)
def test_a_magic_word_puts_up_a_wall(demo_map: Running, visitor: requests.Session, word: str, meets: str) -> None:
    assert meets in visitor.get(f"{demo_map.url}/maps/search/dentista+{word}", timeout=10).url
    assert visitor.get(f"{demo_map.url}/maps/search/dentista", timeout=10).url.endswith("/maps/search/dentista")


def test_magic_words_change_the_lists(ask: Ask) -> None:
    assert rows_b(ask("naoexiste")) == [] and rows_b(ask("dentista naoexiste")) == []
    assert len(rows_b(ask("dentista umsozinho"))) == 1
    assert len(rows_b(ask("dentista fimprecoce"))) == 10
    assert [at(r, "10") for r in rows_b(ask("dentista vistalimitada"))] == [
        at(r, "10") for r in rows_b(ask("dentista"))
    ]


# ---------------------------------------------------------------- tiles


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_tiles_are_small_pictures_in_the_colours_of_the_theme(demo_map: Running, theme: str) -> None:
    land = {"light": "#EDEAE1", "dark": "#191B20"}[theme]
    for zoom in range(9, 19):
        x, y = map(int, tile_of(zoom, -23.55, -46.63))
        response = requests.get(f"{demo_map.url}/tiles/{zoom}/{x}/{y}.svg", params={"theme": theme}, timeout=10)
        assert response.headers["content-type"] == "image/svg+xml" and land in response.text
        assert len(response.content) < 100_000
        ElementTree.fromstring(response.text)
    assert "max-age" in response.headers["cache-control"]


def test_a_tile_shows_the_neighbourhood_it_lies_in(demo_map: Running) -> None:
    area = demo_map.city.resolve("Vila Jatobá")
    assert area is not None
    x, y = map(int, tile_of(14, area.lat, area.lng))
    assert "Vila Jatobá" in requests.get(f"{demo_map.url}/tiles/14/{x}/{y}.svg", timeout=10).text


def test_drawing_a_tile_takes_less_than_ten_thousandths_of_the_processor(demo_map: Running) -> None:
    from sandbox.maps.tiles import Tiles

    tiles, took = Tiles(), []
    for zoom in range(9, 19):
        x, y = map(int, tile_of(zoom, -23.55, -46.63))
        for dx in (-1, 0, 1):
            start = time.thread_time()
            tiles.svg(zoom, x + dx, y, "light")
            took.append(time.thread_time() - start)
    took.sort()
    assert took[len(took) // 2] < 0.010


@pytest.mark.parametrize("path", ["3/8/0", "25/1/1", "2/0/4", "1/0/0.svg?theme=pink"])
def test_a_tile_that_is_not_there_is_not_found(demo_map: Running, path: str) -> None:
    url = f"{demo_map.url}/tiles/{path}" + ("" if "?" in path else ".svg")
    assert requests.get(url, timeout=10).status_code == 404


# ---------------------------------------------------------------- switches


def test_switches_are_thrown_read_and_thrown_back(demo_map: Running) -> None:
    control = f"{demo_map.url}/control/behaviour"
    assert requests.post(control, json={"layout": "A", "latency_s": 0.01}, timeout=10).json()["layout"] == "A"
    assert requests.get(control, timeout=10).json()["latency_s"] == 0.01
    requests.post(f"{demo_map.url}/control/reset", timeout=10)
    assert requests.get(control, timeout=10).json()["layout"] == "B"


@pytest.mark.parametrize(
    ("wish", "field"),
    [({"layout": "C"}, "layout"), ({"nothing": 1}, "nothing"), ({"latency_s": -1}, "latency_s"),
     ({"latency_s": True}, "latency_s"), ({"ceiling": "many"}, "ceiling"), ({"ceiling": None}, "ceiling"),
     ({"consent": 1}, "consent"), ({"blocked": "maybe"}, "blocked")],
)  # fmt: skip
def test_a_wrong_switch_is_refused_by_name_and_changes_nothing(
    demo_map: Running, wish: dict[str, object], field: str
) -> None:
    response = requests.post(f"{demo_map.url}/control/behaviour", json={"limited": True} | wish, timeout=10)
    assert response.status_code == 400 and response.json()["field"] == field
    assert demo_map.site.behaviour.limited is False


def test_switches_listen_to_json_only(demo_map: Running) -> None:
    url = f"{demo_map.url}/control/behaviour"
    assert requests.post(url, data={"consent": "true"}, timeout=10).status_code == 415
    headers = {"content-type": "application/json"}
    for body in ("{", "[]", '"x"', '{"a":"' + "x" * 20_000 + '"}'):
        assert requests.post(url, data=body, headers=headers, timeout=10).status_code == 400


def test_the_control_page_says_that_this_is_a_simulation(demo_map: Running) -> None:
    html = requests.get(f"{demo_map.url}/control", timeout=10).text
    assert "This is a simulation" in html and "Isto é uma simulação" in html and "naoexiste" in html


def test_every_page_of_the_site_says_so_too(demo_map: Running, visitor: requests.Session) -> None:
    for path in ("/maps", SEARCH, "/sorry/index", "/consent/m"):
        assert "Mapa simulado" in visitor.get(demo_map.url + path, timeout=10).text, path


def test_what_was_asked_is_counted(demo_map: Running, ask: Ask) -> None:
    ask("dentista")
    ask("dentista", 20)
    asked = requests.get(f"{demo_map.url}/control/asked", timeout=10).json()
    assert (asked["home"], asked["search_page"], asked["list"]) == (1, 2, 2)


def test_health_says_what_it_is(demo_map: Running) -> None:
    assert requests.get(f"{demo_map.url}/healthz", timeout=10).json() == {
        "status": "ok", "simulated": True, "city": "Serra Clara", "businesses": 6_000,
    }  # fmt: skip


def test_it_does_not_listen_beyond_this_machine_unasked(capsys: pytest.CaptureFixture[str]) -> None:
    for host in ("0.0.0.0", "::", "192.168.1.5", "map.example"):
        assert main(["--host", host]) == 2
    assert "--allow-remote" in capsys.readouterr().err
