"""Strangers' websites, played by real servers here: what is read, and everything that is refused.

The network between is ours: names lead to the addresses that a test says, and a connection to a public address ends at
a server of the test.  What the reader connects to is written down.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.integrations.websites import NotRead, Websites, checked, decoded, is_public
from core.leads.contacts import Contacts
from core.leads.rules import SiteReason
from tests.integrations.raw_server import (
    Behaviour,
    RawServer,
    answering,
    closes,
    drips,
    hangs,
    read_request,
    repeats,
    resets,
    sends,
)

PUBLIC = "93.184.215.14"
HOME = '<html><body><a href="mailto:contato@clinica.com.br">e</a> <a href="/contato">Contato</a></body></html>'
Pages = Mapping[str, bytes | str]


def page(body: bytes | str, type_: str = "text/html; charset=utf-8", status: int = 200, **headers: str) -> bytes:
    content = body.encode() if isinstance(body, str) else body
    told = {"Content-Type": type_, "Content-Length": str(len(content)), "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    return (f"HTTP/1.1 {status} X\r\n" + "".join(f"{n}: {v}\r\n" for n, v in told.items()) + "\r\n").encode() + content


def to(where: str, status: int = 302) -> bytes:
    return page("", status=status, Location=where)


@dataclass
class Net:
    """`names`: what each host resolves to, one answer after another where there are several."""

    server: RawServer
    names: dict[str, list[list[str]]] = field(default_factory=dict)
    connected: list[tuple[str, int]] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> list[str]:
        if host not in self.names:
            try:
                return [str(each[4][0]) for each in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)]
            except socket.gaierror:
                return [PUBLIC]
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: str, port: int, timeout_s: float) -> socket.socket:
        self.connected.append((address, port))
        return socket.create_connection(("127.0.0.1", int(self.server.url.rpartition(":")[2])), timeout_s)

    def websites(self, **more: object) -> Websites:
        quick = {"pause_s": 0.0, "page_s": 1.5, "site_s": 6.0} | more
        return Websites(resolve=self.resolve, connect=self.connect, **quick)  # type: ignore[arg-type]

    def paths(self) -> list[str]:
        return [head.split(" ")[1] for head, _ in self.server.requests]

    def heads(self) -> list[str]:
        return [head.lower() for head, _ in self.server.requests]


@contextmanager
def net(pages: Pages | Behaviour) -> Iterator[Net]:
    """`pages`: by path, else by host and path; what is not there is 404.  A whole behaviour where bytes do not do."""
    holder: list[RawServer] = []

    def behave(line: socket.socket) -> None:
        assert not callable(pages)
        head = holder[0].requests[-1][0]
        path = head.split(" ")[1]
        host = next(h.partition(":")[2].strip() for h in head.split("\r\n") if h.lower().startswith("host:"))
        found = pages.get(f"{host}{path}", pages.get(path, page("", status=404)))
        line.sendall(found if isinstance(found, bytes) else page(found))

    with answering(pages if callable(pages) else behave) as server:
        holder.append(server)
        yield Net(server)


def reason_of(at: Net, url: str = "http://clinica.com.br/", **more: object) -> SiteReason | None:
    read = at.websites(**more).read(url, country="BR")
    assert (read.contacts is None) == (read.reason is not None)
    return read.reason


def test_the_home_page_and_the_contact_page_are_read_as_one() -> None:
    with net({"/": HOME, "/contato": '<a href="https://wa.me/5511900001234">w</a>'}) as at:
        read = at.websites(contact_url="https://prumo.example").read("http://www.clinica.com.br", country="BR")
    assert read.contacts == Contacts(("contato@clinica.com.br",), ("+5511900001234",))
    assert at.paths() == ["/robots.txt", "/", "/contato"]
    assert at.connected == [(PUBLIC, 80)] * 3
    assert all("user-agent: prumo/0.1 (+https://prumo.example)\r\n" in head for head in at.heads())
    assert all("host: www.clinica.com.br\r\n" in head for head in at.heads())


def test_no_cookie_is_sent_back() -> None:
    with net({"/": page(HOME, Set_Cookie="a=b; Path=/"), "/contato": "x"}) as at:
        at.websites().read("http://clinica.com.br/", country="BR")
    assert not any("cookie" in head for head in at.heads())


# ---------------------------------------------------------------- private addresses

PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "192.88.99.1", "::1", "::", "::ffff:127.0.0.1", "::ffff:93.184.215.14", "::127.0.0.1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd12:3456::1", "fec0::1", "ff02::1", "2001:db8::1", "2002:7f00:1::1", "2001:0:1::1",
    "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "100::1", "4000::1", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_to_a_private_address_is_never_connected_to(address: str) -> None:
    with net({"/": HOME}) as at:
        at.names["clinica.com.br"] = [[address]]
        assert reason_of(at) is SiteReason.NOT_PUBLIC
        assert at.connected == []


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with net({"/": HOME}) as at:
        at.names["clinica.com.br"] = [[PUBLIC, "10.0.0.1"]]
        assert reason_of(at) is SiteReason.NOT_PUBLIC
        assert at.connected == []


LITERALS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "[::1]",
    "[::ffff:7f00:1]",
    "169.254.169.254",
]


@pytest.mark.parametrize("host", LITERALS)
def test_no_spelling_of_a_private_address_gets_through(host: str) -> None:
    """By the machine's own resolver, which reads all of them."""
    reached: list[str] = []

    def connect(address: str, port: int, timeout_s: float) -> socket.socket:
        reached.append(address)
        raise ConnectionRefusedError

    read = Websites(connect=connect, pause_s=0).read(f"http://{host}/", country="BR")
    assert read.reason is SiteReason.NOT_PUBLIC
    assert reached == []


@given(st.ip_addresses())
def test_only_what_python_and_the_lists_call_global_is_connected_to(address: object) -> None:
    if is_public(str(address)):
        assert address.is_global and not address.is_multicast and not address.is_private  # type: ignore[attr-defined]


def test_addresses_of_the_open_web_are_public() -> None:
    assert all(is_public(each) for each in (PUBLIC, "8.8.8.8", "2606:4700:4700::1111", "2804:14c::1"))


def test_a_name_that_is_public_when_looked_at_and_private_when_called_is_called_at_the_public_address() -> None:
    with net({"/": "<p>a@clinica.com.br</p>"}) as at:
        at.names["clinica.com.br"] = [[PUBLIC], ["127.0.0.1"]]
        assert reason_of(at) is SiteReason.NOT_PUBLIC  # the second look, for the page behind robots.txt
        assert at.connected == [(PUBLIC, 80)]


@pytest.mark.parametrize(
    "where",
    ["http://127.0.0.1/", "http://localhost/", "http://169.254.169.254/latest/meta-data/", "https://[::1]/",
     "//10.0.0.1/x", "http://intern.example.com.br/"],
)  # fmt: skip
def test_a_redirect_into_a_private_network_is_not_followed(where: str) -> None:
    with net({"/": to(where)}) as at:
        at.names |= {"localhost": [["127.0.0.1"]], "intern.example.com.br": [["192.168.0.10"]]}
        assert reason_of(at) is SiteReason.NOT_PUBLIC
        assert {address for address, _ in at.connected} == {PUBLIC}


def test_not_even_robots_txt_may_lead_there() -> None:
    with net({"/robots.txt": to("http://127.0.0.1:6379/"), "/": HOME}) as at:
        assert reason_of(at) is SiteReason.BAD_ADDRESS
    with net({"/robots.txt": to("http://10.1.1.1/robots.txt"), "/": HOME}) as at:
        assert reason_of(at) is SiteReason.NOT_PUBLIC
        assert at.paths() == ["/robots.txt"]


# ---------------------------------------------------------------- addresses that are none

NO_ADDRESSES = [
    "ftp://clinica.com.br/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_x", "javascript:alert(1)",
    "data:text/html,x", "http://clinica.com.br:8080/", "http://clinica.com.br:22/", "https://clinica.com.br:80/",
    "http://", "http:///x", "//x",
    "http://[::1", "http://clinica.com.br:99999/", "http://a b/", "http://clínica\u2028.com.br/", "http://" + "ç" * 300,
    "http://clinica.com.br\r\nX: y/", "", "clinica.com.br",
]  # fmt: skip


@pytest.mark.parametrize("url", NO_ADDRESSES)
def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    with net({"/": HOME}) as at:
        assert reason_of(at, url) in (SiteReason.BAD_ADDRESS, SiteReason.NO_SUCH_HOST)
        assert at.connected == []


def test_a_password_in_an_address_is_not_sent_on() -> None:
    assert checked("http://user:secret@clinica.com.br/a#b").geturl() == "http://clinica.com.br/a"


def test_a_name_with_accents_is_asked_for_in_ascii() -> None:
    assert checked("http://Clínica.com.br./é").hostname == "xn--clnica-4va.com.br"


@given(st.text(max_size=60))
def test_any_text_as_an_address_is_an_address_or_refused(text: str) -> None:
    for url in (text, "http://" + text, "https://clinica.com.br/" + text):
        with suppress(NotRead):
            parts = checked(url)
            assert parts.scheme in ("http", "https")
            assert "@" not in parts.netloc


def test_no_line_end_in_an_address_reaches_the_request() -> None:
    with net({"/": HOME}) as at:
        reason_of(at, "http://clinica.com.br/a%0d%0aX-Evil:%201?b=\tc d\u20ac")
        assert at.paths()[-1] == "/a%0d%0aX-Evil:%201?b=cd%E2%82%AC" or at.paths()[-1].startswith("/a%0d%0a")
        assert all("\r\nx-evil" not in head for head in at.heads())


# ---------------------------------------------------------------- redirects


def test_a_redirect_to_where_the_site_moved_is_followed() -> None:
    pages = {"/": to("https://www.nova.com.br/inicio", 301)}
    with net(pages) as at:
        # https is not played here: that we got as far as speaking TLS to the new address is what is asked
        assert reason_of(at) in (SiteReason.UNREACHABLE, SiteReason.TOO_SLOW)
        assert at.connected[-1] == (PUBLIC, 443)


def test_four_redirects_are_followed_and_no_more() -> None:
    with net({**{f"/{n}": to(f"/{n + 1}") for n in range(4)}, "/4": "<p>a@clinica.com.br</p>"}) as at:
        assert reason_of(at, "http://clinica.com.br/0") is None
    with net({"/": to("/")}) as at:
        assert reason_of(at) is SiteReason.LEADS_IN_CIRCLES
        assert at.paths().count("/") == 5


def test_a_site_that_leads_to_a_chat_says_its_number_without_asking_whatsapp() -> None:
    with net({"/": to("https://wa.me/5511900001234")}) as at:
        read = at.websites().read("http://clinica.com.br/", country="BR")
        assert read.contacts == Contacts(whatsapp=("+5511900001234",))
        assert at.paths() == ["/robots.txt", "/"]


@pytest.mark.parametrize("where", ["file:///etc/passwd", "http://clinica.com.br:8080/", "http://[::1"])
def test_a_redirect_out_of_the_web_is_refused(where: str) -> None:
    with net({"/": to(where)}) as at:
        assert reason_of(at) is SiteReason.BAD_ADDRESS


# ---------------------------------------------------------------- bodies

BIG = b"<p>" + b"a" * (3 << 20)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (page(BIG), SiteReason.TOO_LARGE),
        (page(gzip.compress(BIG), Content_Encoding="gzip"), SiteReason.TOO_LARGE),
        (page(zlib.compress(BIG), Content_Encoding="deflate"), SiteReason.TOO_LARGE),
        (page(gzip.compress(b"\0" * (200 << 20)), Content_Encoding="gzip"), SiteReason.TOO_LARGE),
        (page(brotli.compress(b"<p>a</p>"), Content_Encoding="br"), SiteReason.NOT_A_PAGE),
        (page(gzip.compress(gzip.compress(BIG)), Content_Encoding="gzip, gzip"), SiteReason.NOT_A_PAGE),
        (page(b"no gzip", Content_Encoding="gzip"), SiteReason.UNREACHABLE),
        (page(b"%PDF", "application/pdf"), SiteReason.NOT_A_PAGE),
        (page(b"{}", "application/json"), SiteReason.NOT_A_PAGE),
        (page(b"<p>", "text/plain"), SiteReason.NOT_A_PAGE),
        (page(b"x", "image/png"), SiteReason.NOT_A_PAGE),
        (page("x", status=404), SiteReason.ANSWERS_WITH_ERROR),
        (page("x", status=500), SiteReason.ANSWERS_WITH_ERROR),
        (page("x", status=403), SiteReason.ANSWERS_WITH_ERROR),
        (b"not http at all\r\n\r\n", SiteReason.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\n", SiteReason.UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", SiteReason.UNREACHABLE),
    ],
)
def test_what_is_no_page_or_too_much_of_one_is_left(answer: bytes, reason: SiteReason) -> None:
    with net({"/": answer}) as at:
        began = time.process_time()
        assert reason_of(at) is reason
        assert time.process_time() - began < 1.0


def robots_then(behaviour: Behaviour) -> Behaviour:
    """robots.txt is not there; then it begins."""
    asked: list[int] = []

    def behave(line: socket.socket) -> None:
        asked.append(1)
        if len(asked) == 1:
            line.sendall(page("", status=404))
        else:
            behaviour(line)

    return behave


ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
NEVER_DONE = {
    "says nothing": hangs(),
    "drips its head": drips(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 60),
    "drips its body": drips(ENDLESS + b"<p>" * 100),
    "stops in the middle": hangs(ENDLESS + b"<p>"),
    "promises more": hangs(page("<p>")[:-1]),
    "continues for ever": lambda line: repeats(b"HTTP/1.1 100 Continue\r\n\r\n", 10_000_000)(line),
}


@pytest.mark.parametrize("name", NEVER_DONE)
def test_a_server_that_takes_for_ever_is_left_in_time(name: str) -> None:
    with net(robots_then(NEVER_DONE[name])) as at:
        began = time.monotonic()
        assert reason_of(at) is SiteReason.TOO_SLOW
        assert time.monotonic() - began < 3.0


def test_a_body_without_an_end_is_left_when_it_is_too_large() -> None:
    with net(robots_then(lambda line: (line.sendall(ENDLESS), repeats(b"<p>" * 20_000, 10_000)(line))[1])) as at:
        assert reason_of(at) is SiteReason.TOO_LARGE


@pytest.mark.parametrize("behaviour", [closes(), resets(), sends(b"HTTP/1.1 2")])
def test_a_line_that_breaks_is_unreachable(behaviour: Behaviour) -> None:
    with net(robots_then(behaviour)) as at:
        assert reason_of(at) is SiteReason.UNREACHABLE


def test_a_name_that_nobody_knows_and_one_that_takes_too_long_to_find() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror

    def slow(host: str, port: int) -> list[str]:
        time.sleep(3)
        return [PUBLIC]

    read = Websites(resolve=unknown, pause_s=0).read("http://clinica.com.br", country="BR")
    assert read.reason is SiteReason.NO_SUCH_HOST
    read = Websites(resolve=slow, pause_s=0, page_s=0.5).read("http://clinica.com.br", country="BR")
    assert read.reason is SiteReason.TOO_SLOW


def test_a_machine_that_does_not_answer_at_any_of_its_addresses_is_unreachable() -> None:
    tried: list[str] = []

    def connect(address: str, port: int, timeout_s: float) -> socket.socket:
        tried.append(address)
        raise ConnectionRefusedError

    ways = ["2606:4700::1", "8.8.8.8", "8.8.4.4", "1.1.1.1"]
    read = Websites(resolve=lambda *_: ways, connect=connect, pause_s=0).read("http://clinica.com.br", country="BR")
    assert read.reason is SiteReason.UNREACHABLE
    assert tried == ["8.8.8.8", "8.8.4.4", "1.1.1.1"]


@pytest.mark.parametrize(
    "pack", [(gzip.compress, "gzip"), (zlib.compress, "deflate"), (lambda b: zlib.compress(b)[2:-4], "deflate")]
)
def test_an_honest_packed_page_is_read(pack: tuple[Callable[[bytes], bytes], str]) -> None:
    with net({"/": page(pack[0](b"<p>a@clinica.com.br</p>" * 10_000), Content_Encoding=pack[1])}) as at:
        read = at.websites().read("http://clinica.com.br", country="BR")
    assert read.contacts == Contacts(("a@clinica.com.br",))


def test_letters_are_read_as_the_server_says_or_the_page_or_as_they_are() -> None:
    assert decoded("ação".encode("latin-1"), "iso-8859-1") == "ação"
    assert decoded(b'<meta charset="windows-1252">' + "ação".encode("cp1252"), "").endswith("ação")
    assert decoded("ação".encode(), "") == "ação"
    assert decoded("ação".encode("cp1252"), "no-such-charset") == "ação"
    assert decoded(b"<meta charset='utf_16_le_nonsense'>\xff", "") != ""


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", "raw_unicode_escape", "utf-7", "undefined", "a\0"])
def test_a_page_is_not_read_in_what_is_no_encoding_of_pages(charset: str) -> None:
    """Punycode of 400 kB takes 40 s, in which nothing can cut it; the others make halves of characters, or raise."""
    body = rb"\ud800 +2AA- " + b"a" * 200_000 + b"-" + b"a" * 200_000
    began = time.monotonic()
    assert decoded(body, charset) == body.decode()
    assert decoded(b"<meta charset=" + charset.encode() + b">" + body, "").endswith(body.decode())
    assert time.monotonic() - began < 2


def test_nonsense_in_place_of_an_encoding_is_none() -> None:
    nonsense = page(HOME, f"text/html; charset*{'9' * 5_000}=x")
    with net({"/": nonsense}) as at:
        assert at.websites().read("http://clinica.com.br", country="BR").contacts == Contacts(
            ("contato@clinica.com.br",)
        )


# ---------------------------------------------------------------- robots.txt


def robots(text: str, status: int = 200) -> bytes:
    return page(text, "text/plain", status)


def test_a_site_that_wants_to_be_left_alone_is_left_alone() -> None:
    for text in ("User-agent: *\nDisallow: /", "User-agent: Prumo\nDisallow: /\n\nUser-agent: *\nAllow: /"):
        with net({"/robots.txt": robots(text), "/": HOME}) as at:
            assert reason_of(at) is SiteReason.ROBOTS
            assert at.paths() == ["/robots.txt"]


def test_a_contact_page_that_is_forbidden_is_not_read_and_the_home_page_counts() -> None:
    with net({"/robots.txt": robots("User-agent: *\nDisallow: /contato"), "/": HOME, "/contato": "x"}) as at:
        read = at.websites().read("http://clinica.com.br/", country="BR")
        assert read.contacts == Contacts(("contato@clinica.com.br",))
        assert at.paths() == ["/robots.txt", "/"]


def test_the_rules_of_others_are_not_ours() -> None:
    text = "User-agent: BadBot\nDisallow: /\n\nUser-agent: *\nDisallow: /admin"
    with net({"/robots.txt": robots(text), "/": HOME}) as at:
        assert reason_of(at) is None


@pytest.mark.parametrize("status", [500, 503, 429])
def test_while_robots_txt_cannot_be_had_nothing_is_read(status: int) -> None:
    with net({"/robots.txt": robots("", status), "/": HOME}) as at:
        assert reason_of(at) is SiteReason.ANSWERS_WITH_ERROR
        assert at.paths() == ["/robots.txt"]


@pytest.mark.parametrize(
    "answer", [robots("", 404), robots("", 403), page("<html>not found</html>"), robots("\0\xff junk")]
)
def test_where_there_is_no_robots_txt_all_is_allowed(answer: bytes) -> None:
    with net({"/robots.txt": answer, "/": HOME}) as at:
        assert reason_of(at) is None


def test_the_site_that_a_redirect_leads_to_is_asked_for_its_own_rules() -> None:
    pages = {
        "clinica.com.br/": to("http://outra.com.br/"),
        "outra.com.br/robots.txt": robots("User-agent: *\nDisallow: /"),
        "outra.com.br/": HOME,
    }
    with net(pages) as at:
        assert reason_of(at) is SiteReason.ROBOTS
        assert at.paths() == ["/robots.txt", "/", "/robots.txt"]


def test_a_page_of_another_site_is_never_read_as_a_contact_page() -> None:
    pages = {
        "/": HOME,
        "/contato": to("http://agencia.com.br/contato"),
        "agencia.com.br/contato": "<p>a@agencia.com.br</p>",
    }
    with net(pages) as at:
        read = at.websites().read("http://clinica.com.br/", country="BR")
    assert read.contacts == Contacts(("contato@clinica.com.br",))


def test_a_second_passes_between_two_requests_to_one_host() -> None:
    with net({"/": HOME, "/contato": "x"}) as at:
        began = time.monotonic()
        at.websites(pause_s=0.3).read("http://clinica.com.br/", country="BR")
        assert time.monotonic() - began >= 0.6


# ---------------------------------------------------------------- https


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, crt = folder / "key.pem", folder / "crt.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=clinica.com.br", "-addext", "subjectAltName=DNS:clinica.com.br", "-keyout", key, "-out", crt],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, crt


@contextmanager
def secure(certificate: tuple[Path, Path], names: list[str | None]) -> Iterator[RawServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    context.sni_callback = lambda _line, name, _context: names.append(name)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(line, server_side=True) as safe:
                    head, _ = read_request(safe)
                    safe.sendall(page(HOME) if head.split(" ")[1] == "/" else page("", status=404))

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield RawServer(f"https://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        listener.close()


def test_https_is_spoken_with_the_name_to_the_address(certificate: tuple[Path, Path]) -> None:
    names: list[str | None] = []
    with secure(certificate, names) as server:
        at = Net(server)
        read = at.websites(tls=ssl.create_default_context(cafile=str(certificate[1]))).read(
            "https://clinica.com.br/", country="BR"
        )
    assert read.contacts == Contacts(("contato@clinica.com.br",))
    assert set(at.connected) == {(PUBLIC, 443)}
    assert set(names) == {"clinica.com.br"}


def test_a_certificate_of_nobody_or_of_somebody_else_is_not_believed(certificate: tuple[Path, Path]) -> None:
    with secure(certificate, []) as server:
        at = Net(server)
        trusting = ssl.create_default_context(cafile=str(certificate[1]))
        assert reason_of(at, "https://clinica.com.br/") is SiteReason.BAD_CERTIFICATE
        assert reason_of(at, "https://outra.com.br/", tls=trusting) is SiteReason.BAD_CERTIFICATE


def test_a_handshake_that_never_ends_is_left_in_time() -> None:
    def mute(line: socket.socket) -> None:
        time.sleep(5)

    listener = socket.create_server(("127.0.0.1", 0))
    try:
        at = Net(RawServer(f"https://127.0.0.1:{listener.getsockname()[1]}"))
        began = time.monotonic()
        assert reason_of(at, "https://clinica.com.br/") is SiteReason.TOO_SLOW
        assert time.monotonic() - began < 3
    finally:
        listener.close()


# ---------------------------------------------------------------- the demo city


def test_only_the_invented_citys_names_are_played_by_the_demo_map() -> None:
    with net({"/sites/padaria-1.example/": "<p>a@padaria-1.example</p>"}) as at:
        sites = Websites(simulated={".example": at.server.url}, resolve=at.resolve, connect=at.connect, pause_s=0)
        read = sites.read("https://padaria-1.example/", country="BR")
        assert read.contacts == Contacts(("a@padaria-1.example",))
        assert at.paths() == ["/sites/padaria-1.example/robots.txt", "/sites/padaria-1.example/"]
        assert at.connected == []
        assert sites.read(f"{at.server.url}/", country="BR").reason is SiteReason.BAD_ADDRESS
        assert sites.read("http://127.0.0.1/", country="BR").reason is SiteReason.NOT_PUBLIC


def test_an_invented_site_cannot_lead_to_a_private_address_either() -> None:
    with net({"/sites/padaria-1.example/": to("http://127.0.0.1/")}) as at:
        sites = Websites(simulated={".example": at.server.url}, resolve=at.resolve, connect=at.connect, pause_s=0)
        assert sites.read("https://padaria-1.example/", country="BR").reason is SiteReason.NOT_PUBLIC
        assert at.connected == []
