"""The control page and its API, who may use them, and the gateway as a process of its own."""

from __future__ import annotations

import html
import inspect
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest
from gateway_client import ANA, OURS, Client
from jinja2 import nodes

from sandbox.gateway import Config, Gateway, Kind, Timings, control, listening, serve
from sandbox.gateway.control import pages
from sandbox.gateway.control_words import FAULTS, MODES, PORTUGUESE, STATES

ROOT = Path(__file__).parents[3]


async def test_the_page_says_that_it_is_a_simulation_and_shows_what_left(gateway: Gateway, client: Client) -> None:
    gateway.open_instance("vendas-01", OURS, webhook={"url": "http://127.0.0.1:9/hooks/secret-path"})
    gateway.reply("vendas-01", ANA, "<script>alert(1)</script>")
    await client.send(ANA, "Bom dia <b>Ana</b>")
    _, page = await client.get("/control")
    assert "Simulation" in page and "(11) 90000-1111" in page
    assert "Bom dia &lt;b&gt;Ana&lt;/b&gt;" in page and "<script>alert" not in page
    assert "secret-path" not in page


@pytest.mark.parametrize(
    ("asked", "language", "says"),
    [
        ("pt-BR,pt;q=0.9,en;q=0.8", "pt-BR", "Nenhuma mensagem chega a ninguém".lower()),
        ("en-GB,en;q=0.9,pt;q=0.1", "en", "no message reaches anyone"),
        ("fr,pt;q=nonsense", "en", "no message reaches anyone"),
        ("", "en", "no message reaches anyone"),
    ],
)
async def test_the_page_speaks_the_language_of_the_browser(
    gateway: Gateway, client: Client, asked: str, language: str, says: str
) -> None:
    async with client.session.get("/control", headers={"Accept-Language": asked}) as answer:
        page = await answer.text()
        assert answer.headers["Content-Language"] == language
    assert f'<html lang="{language}">' in page
    assert says in page


def test_every_sentence_of_the_page_is_there_in_portuguese() -> None:
    source, _, _ = pages.loader.get_source(pages, "control.html")
    calls = [call for call in pages.parse(source).find_all(nodes.Call) if getattr(call.node, "name", "") == "_"]
    said = {const.value for call in calls for argument in call.args for const in argument.find_all(nodes.Const)}
    said |= {call.args[0].value for call in calls if isinstance(call.args[0], nodes.Const)}
    said |= {*STATES.values(), *MODES.values(), *FAULTS.values()}
    said |= set(re.findall(r'"(New number[^"]+|Number that[^"]+)"', inspect.getsource(control)))
    assert len(said - set(FAULTS.values())) > 50
    assert sorted(said - PORTUGUESE.keys()) == [] and sorted(PORTUGUESE.keys() - said) == []
    assert FAULTS.keys() == set(Kind)


async def test_people_see_whose_number_it_is_and_what_prumo_calls_it_but_not_its_secret(
    gateway: Gateway, client: Client
) -> None:
    gateway.open_instance("prumo-7-secret", OURS, webhook={"url": "http://127.0.0.1:9/x"}, name="Padaria <b>Modelo</b>")
    await client.post("/instance/create", {"instanceName": "prumo-8-secret", "integration": "WHATSAPP-BAILEYS"})
    await client.send(ANA, "Bom dia", "prumo-7-secret")
    gateway.reply("prumo-7-secret", ANA, "Oi")
    async with client.session.get("/control", headers={"Accept-Language": "pt-BR"}) as answer:
        page = await answer.text()
    shown = re.sub(r"<[^>]*>", " ", page)
    assert "(11) 90000-1111 · Padaria &lt;b&gt;Modelo&lt;/b&gt;" in shown and "Número novo, sem código na tela" in shown
    assert "no Prumo: prumo-7 " in shown and "no Prumo: prumo-8 " in shown
    assert "(11) 98765-4321" in shown and "secret" not in shown


async def test_prumos_link_tells_the_language_and_the_names_and_they_last_through_a_form(
    gateway: Gateway, client: Client
) -> None:
    gateway.open_instance("prumo-7-secret", OURS)
    opened = "/control?lang=pt-BR&prumo-7=Vendas+%3Cb%3E"
    referred = {"Accept-Language": "en", "Referer": f"http://127.0.0.1{opened}"}
    form = {"instance": "prumo-7-secret", "number": ANA, "text": "Oi"}
    async with client.session.post("/control/reply", data=form, headers=referred) as answer:
        page = await answer.text()
        assert dict(answer.url.query) == {"lang": "pt-BR", "prumo-7": "Vendas <b>"}
    assert '<html lang="pt-BR">' in page and "no Prumo: Vendas &lt;b&gt;" in page and "prumo-7 " not in page
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)">', page), "for the clock of whoever looks"


async def test_a_hostile_name_of_an_instance_is_nothing_but_a_name(gateway: Gateway, client: Client) -> None:
    gateway.open_instance("<script>alert(1)</script>", OURS)
    _, page = await client.get("/control")
    assert "in Prumo: &lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script>alert" not in page


async def test_a_form_that_cannot_be_done_says_so_on_the_page(gateway: Gateway, client: Client) -> None:
    gateway.open_instance("vendas-01", OURS)
    form = {"instance": "vendas-01", "number": "nobody", "text": "Oi"}
    async with client.session.post("/control/reply", data=form, headers={"Accept-Language": "pt-BR"}) as answer:
        page = await answer.text()
        assert (answer.status, answer.content_type) == (400, "text/html")
    assert "Não deu certo" in page and "is not a telephone number" in page


BUTTONS = [
    ("cut", {"seconds": "0"}),
    ("go-deaf", {"on": "true"}),
    ("go-deaf", {"on": "false"}),
    ("storm", {"seconds": "0"}),
    ("log-out-elsewhere", {}),
    ("ban", {}),
]


@pytest.mark.parametrize(("verb", "form"), BUTTONS)
async def test_each_button_of_a_number_is_there_and_does_something(
    gateway: Gateway, client: Client, verb: str, form: dict[str, str]
) -> None:
    gateway.open_instance("vendas-01", OURS)
    if form.get("on") == "false":
        gateway.go_deaf("vendas-01")
    _, page = await client.get("/control")
    assert f'action="/control/{verb}"' in page
    async with client.session.post(f"/control/{verb}", data={"instance": "vendas-01", **form}) as answer:
        assert (answer.status, answer.url.path) == (200, "/control")


@pytest.mark.parametrize(
    ("verb", "form", "kind"),
    [
        ("fault", {"kind": "error_500_after", "times": "1"}, "error_500_after"),
        ("slow", {"seconds": "5"}, "slow_answer"),
        ("lose-webhooks", {"one_in": "20"}, "webhook_lost"),
    ],
)
async def test_a_switch_of_the_page_is_turned_on_and_off_again(
    gateway: Gateway, client: Client, verb: str, form: dict[str, str], kind: str
) -> None:
    _, page = await client.get("/control")
    assert f'action="/control/{verb}"' in page
    async with client.session.post(f"/control/{verb}", data=form) as answer:
        shown = html.unescape(await answer.text()).partition("Switches that are on")[2]
        assert FAULTS[Kind(kind)] in shown and "Turn all off" in shown
    assert [switch.kind for switch in gateway.faults()] == [kind]
    async with client.session.post("/control/clear-faults", data={}) as answer:
        assert "Everything works as it should." in await answer.text()


async def test_the_buttons_are_plain_forms(gateway: Gateway, client: Client) -> None:
    await client.post(
        "/instance/create", {"instanceName": "vendas-01", "integration": "WHATSAPP-BAILEYS", "qrcode": True}
    )
    _, page = await client.get("/control")
    assert "data:image/png;base64," in page
    form = {"instance": "vendas-01", "number": OURS}
    async with client.session.post("/control/scan", data=form, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/control")
    while await client.state() != "open":
        pass
    async with client.session.post("/control/fault", data={"kind": "nacked", "times": "2", "seconds": ""}) as answer:
        assert answer.status == 200
    assert gateway.faults()[0].times == 2


async def test_the_same_controls_answer_to_json(gateway: Gateway, client: Client) -> None:
    status, shown = await client.post("/control/open-instance", {"instance": "vendas-01", "number": OURS})
    assert (status, shown["state"]) == (200, "open")
    await client.send(ANA, "Bom dia")
    status, lines = await client.get(f"/control/ledger?number={ANA}&after=0")
    assert [line["text"] for line in lines] == ["Bom dia"]
    status, fault = await client.post("/control/fault", {"kind": "not_on_whatsapp", "number": ANA})
    assert (await client.send(ANA, "x"))[0] == 400
    await client.post("/control/clear-faults", {"id": fault["id"]})
    assert (await client.send(ANA, "x"))[0] == 201
    await client.post("/control/person", {"number": ANA, "reply": "SAIR", "reply_after_s": 0})
    assert (await client.get("/control/answers"))[0] == 200


async def test_a_code_that_was_read_off_the_screen_is_told_as_json(gateway: Gateway, client: Client) -> None:
    body = {"instanceName": "vendas-01", "integration": "WHATSAPP-BAILEYS", "qrcode": True}
    _, made = await client.post("/instance/create", body)
    status, shown = await client.post("/control/scan", {"number": OURS, "code": made["qrcode"]["code"]})
    assert (status, shown["instance"]) == (200, "vendas-01")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/control/scan", {"number": OURS}),
        ("/control/scan", {"number": "no digits", "instance": "vendas-01"}),
        ("/control/scan", {"number": OURS, "instance": "vendas-01"}),
        ("/control/cut", {"instance": "nobody"}),
        ("/control/fault", {"kind": "nope"}),
        ("/control/fault", {"kind": "nacked", "nonsense": 1}),
        ("/control/receipt", {"instance": "vendas-01", "message_id": "x", "status": "READ"}),
        ("/control/cut", []),
    ],
)
async def test_what_cannot_be_done_is_answered_with_a_sentence(
    gateway: Gateway, client: Client, path: str, body: object
) -> None:
    gateway.open_instance("vendas-01", OURS)
    status, answer = await client.post(path, body)
    assert status == 400 and answer["error"]


@pytest.mark.parametrize("headers", [{"Origin": "https://example.test"}, {"Host": "example.test"}, {"Origin": "null"}])
async def test_pages_of_other_sites_cannot_use_the_controls(client: Client, headers: dict[str, str]) -> None:
    for method, path in (("POST", "/control/restart"), ("GET", "/control/ledger"), ("GET", "/control")):
        assert (await client.call(method, path, headers=headers))[0] == 403


async def test_the_controls_are_off_unless_they_are_turned_on() -> None:
    async with (
        listening(Config(timings=Timings.fast())) as world,
        aiohttp.ClientSession(world.base_url) as session,
    ):
        async with session.get("/control") as answer:
            assert answer.status == 404
        async with session.get("/") as answer:
            assert (await answer.json())["simulated"] is True


def test_an_error_at_the_start_is_raised_where_the_gateway_was_asked_for() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError), serve(port=taken.getsockname()[1]):
            pass


def run(*arguments: str) -> subprocess.Popen[str]:
    environment = os.environ | {"PRUMO_GATEWAY_KEY": "process-key", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "sandbox.gateway", *arguments]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_process_starts_says_where_it_is_and_stops_when_told(tmp_path: Path) -> None:
    process = run("--port", "0", "--fast", "--control", "--ledger", str(tmp_path / "ledger.jsonl"))
    assert process.stdout is not None
    line = process.stdout.readline()
    assert "simulated WhatsApp" in line and "http://127.0.0.1:" in line and "process-key" not in line
    process.send_signal(signal.SIGTERM)
    assert process.wait(5) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--host", "0.0.0.0"], "--allow-remote"), (["--key", ""], "needs a key"), (["--pace", "0"], "--pace")],
)
def test_a_process_that_must_not_start_says_why(arguments: list[str], words: str) -> None:
    process = run("--port", "0", *arguments)
    out, _ = process.communicate(timeout=10)
    assert process.returncode == 2 and words in out


async def test_a_killed_process_loses_nothing_that_it_said_yes_to(tmp_path: Path) -> None:
    files = ["--ledger", str(tmp_path / "ledger.jsonl"), "--state", str(tmp_path / "state.jsonl")]
    process = run("--port", "0", "--fast", "--control", *files)
    assert process.stdout is not None
    url = process.stdout.readline().partition("on ")[2].partition(",")[0]
    async with aiohttp.ClientSession(url, headers={"apikey": "process-key"}) as session:
        client = Client(session)
        await client.post("/control/open-instance", {"instance": "vendas-01", "number": OURS})
        ids = [(await client.send(ANA, f"Mensagem {n}"))[1]["key"]["id"] for n in range(5)]
    process.kill()
    process.wait(5)
    ledger = [json.loads(line)["id"] for line in (tmp_path / "ledger.jsonl").read_text().splitlines()]
    assert ledger == ids

    again = run("--port", "0", "--fast", "--control", *files)
    assert again.stdout is not None
    url = again.stdout.readline().partition("on ")[2].partition(",")[0]
    async with aiohttp.ClientSession(url, headers={"apikey": "process-key"}) as session:
        client, end = Client(session), time.monotonic() + 5
        while await client.state() != "open":
            assert time.monotonic() < end
        assert [row["key"]["id"] for row in await client.sent_rows(ANA)] == ids[::-1]
    again.terminate()
    again.wait(5)
