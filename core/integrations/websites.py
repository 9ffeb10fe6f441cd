"""A business's website, read with caution: it is a stranger's server, and its address came from strangers too.

Why by http.client over sockets of our own, and not by requests: an address is resolved once, looked at, and then that
very address is connected to, so that a name cannot be public when we look and private when we call.  Each redirect
goes through the same gate.  A timer cuts the line when the time is over, whatever the server does meanwhile; what
comes is counted packed and unpacked.  No cookie, proxy or password is used.
"""

from __future__ import annotations

import codecs
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urljoin, urlsplit, urlunsplit

from protego import Protego

from core.leads.contacts import Contacts, from_link, merged, read_page, same_site
from core.leads.rules import SiteReason
from core.leads.site_names import site_of
from core.ports import SiteRead

AGENT = "prumo"
MOST_BYTES = 2 << 20
MOST_ROBOTS_BYTES = 512_000  # at least what RFC 9309 wants read
MOST_REDIRECTS = 4
PAGE_S = 15.0  # one page, with all its redirects
SITE_S = 40.0  # all of a site: an orphaned claim is taken again after 90 s
CONNECT_S = 6.0
PAUSE_S = 1.0  # between two requests to one host
CHUNK = 65_536
PAGES = ("text/html", "application/xhtml+xml")
REDIRECTS = (301, 302, 303, 307, 308)

Resolve = Callable[[str, int], Sequence[str]]
Connect = Callable[[str, int, float], socket.socket]


class NotRead(Exception):
    def __init__(self, reason: SiteReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True)
class _Page:
    url: str
    status: int
    charset: str
    body: bytes

    @property
    def text(self) -> str:
        return decoded(self.body, self.charset)


class Websites:
    """Safe on several threads at once.

    `simulated` maps the ending of invented hosts to where they are played: `{".example": "http://127.0.0.1:8091"}`
    fetches `https://padaria.example/a` as `/sites/padaria.example/a` there.  It is the one way to a private address.
    `resolve` and `connect` are the network, for those who play it.
    """

    def __init__(
        self,
        *,
        contact_url: str = "",
        simulated: Mapping[str, str] | None = None,
        resolve: Resolve | None = None,
        connect: Connect | None = None,
        tls: ssl.SSLContext | None = None,
        pause_s: float = PAUSE_S,
        page_s: float = PAGE_S,
        site_s: float = SITE_S,
    ) -> None:
        self.agent = "Prumo/0.1" + (f" (+{contact_url})" if contact_url else "")
        self.simulated = dict(simulated or {})
        self.resolve = resolve or _resolve
        self.connect = connect or _connect
        self.tls = tls or ssl.create_default_context()
        self.page_s, self.site_s = page_s, site_s
        self.pace = _Pace(pause_s)
        self.lookups = ThreadPoolExecutor(16, thread_name_prefix="lookup")

    def read(self, url: str, *, country: str) -> SiteRead:
        """The home page and at most two more that may tell a contact.  Never raises for what a site does."""
        visit = _Visit(self)
        try:
            return SiteRead(visit.contacts(url, country))
        except NotRead as no:
            return SiteRead(None, no.reason)

    def close(self) -> None:
        self.lookups.shutdown(wait=False, cancel_futures=True)


class _Visit:
    """One site, by one reader: what its robots.txt says is asked once."""

    def __init__(self, websites: Websites) -> None:
        self._websites = websites
        self._until = time.monotonic() + websites.site_s
        self._robots: dict[str, Protego] = {}

    def contacts(self, url: str, country: str) -> Contacts:
        try:
            home = self._page(url)
        except _SpeaksForItself as link:
            return from_link(link.url, country=country)
        read = read_page(home.text, home.url, country=country)
        found = [read.contacts]
        for more in read.contact_pages:
            with suppress(NotRead, _SpeaksForItself):  # the home page was read: that is something
                page = self._page(more)
                if same_site(page.url, home.url):
                    found.append(read_page(page.text, page.url, country=country).contacts)
        return merged(found)

    def _page(self, url: str) -> _Page:
        return self._follow(url, self._ask_if_allowed, MOST_BYTES)

    def _ask_if_allowed(self, parts: SplitResult) -> None:
        if site_of(urlunsplit(parts)) is None:
            raise _SpeaksForItself(urlunsplit(parts))
        host = (parts.hostname or "").removeprefix("www.")
        if host not in self._robots:
            self._robots[host] = self._robots_of(parts)
        if not self._robots[host].can_fetch(urlunsplit(parts), AGENT):
            raise NotRead(SiteReason.ROBOTS)

    def _robots_of(self, parts: SplitResult) -> Protego:
        """RFC 9309: a file that is not there allows all, one that cannot be had now forbids all for now."""
        where = urlunsplit((parts.scheme, parts.netloc, "/robots.txt", "", ""))
        page = self._follow(where, lambda _parts: None, MOST_ROBOTS_BYTES, cut_off=True)
        if page.status >= 500 or page.status == 429:
            raise NotRead(SiteReason.ANSWERS_WITH_ERROR)
        is_there = page.status == 200 and not page.body.lstrip().startswith(b"<")  # many show a page for everything
        return read_robots(page.text if is_there else "")

    def _follow(
        self, url: str, gate: Callable[[SplitResult], None], most_bytes: int, *, cut_off: bool = False
    ) -> _Page:
        until = min(time.monotonic() + self._websites.page_s, self._until)
        for _ in range(MOST_REDIRECTS + 1):
            parts = checked(url)
            gate(parts)
            answer = _Call(self._websites, parts, until, most_bytes, cut_off=cut_off).answer()
            if not isinstance(answer, str):
                return answer
            url = answer
        raise NotRead(SiteReason.LEADS_IN_CIRCLES)


def read_robots(text: str) -> Protego:
    """The whole file, with wildcards, the longest rule first: Python's own reader knows neither."""
    return Protego.parse(text.lstrip("\ufeff"))


class _SpeaksForItself(Exception):
    """A redirect to a chat or a profile: the address is all we want of it."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


# ---------------------------------------------------------------- one request


class _Call:
    """One request to one address that was looked at, over in time."""

    def __init__(self, websites: Websites, parts: SplitResult, until: float, most_bytes: int, *, cut_off: bool) -> None:
        self._websites = websites
        self._parts = parts
        self._host = parts.hostname or ""
        self._until = until
        self._most_bytes = most_bytes
        self._cut_off = cut_off
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._is_late = False

    def answer(self) -> _Page | str:
        """The page, or where it says to go."""
        self._websites.pace.wait(self._host, self._until)
        timer = threading.Timer(max(0.01, self._until - time.monotonic()), self._cut)
        timer.daemon = True
        timer.start()
        try:
            return self._ask()
        except ssl.SSLCertVerificationError as bad:
            raise NotRead(SiteReason.BAD_CERTIFICATE) from bad
        except (OSError, http.client.HTTPException, zlib.error) as trouble:
            if self._is_late or isinstance(trouble, TimeoutError):
                raise NotRead(SiteReason.TOO_SLOW) from trouble
            raise NotRead(SiteReason.UNREACHABLE) from trouble
        finally:
            timer.cancel()
            if self._line is not None:
                self._line.close()

    def _ask(self) -> _Page | str:
        connection = self._connection()
        connection.putrequest("GET", self._target, skip_host=True, skip_accept_encoding=True)
        for name, value in self._headers():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        self._raise_if_late()
        if response.status in REDIRECTS and (to := response.headers.get("Location")):
            return _joined(urlunsplit(self._parts), to)
        content = response.headers.get_content_type() if "Content-Type" in response.headers else ""
        if not self._cut_off and (response.status >= 400 or response.status < 200):
            raise NotRead(SiteReason.ANSWERS_WITH_ERROR)
        if not self._cut_off and content not in PAGES:
            raise NotRead(SiteReason.NOT_A_PAGE)  # its body may be a film: it is not waited for
        body = self._body(response)
        return _Page(urlunsplit(self._parts), response.status, _charset_of(response), body)

    def _headers(self) -> list[tuple[str, str]]:
        return [
            ("Host", self._parts.netloc),
            ("User-Agent", self._websites.agent),
            ("Accept", "text/html,application/xhtml+xml,text/plain;q=0.5"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept-Language", "pt-BR,pt;q=0.9,en;q=0.5,*;q=0.1"),
            ("Connection", "close"),
        ]

    # ------------------------------------------------------------ the line

    def _connection(self) -> http.client.HTTPConnection:
        """Over a socket to the address that was looked at; http.client connects to nothing by itself."""
        line, is_tls = self._open()
        self._keep(line)
        if is_tls:
            line = self._websites.tls.wrap_socket(line, server_hostname=self._host, do_handshake_on_connect=False)
            self._keep(line)
            line.do_handshake()
        connection = http.client.HTTPConnection("website")
        connection.sock = line
        connection.auto_open = 0
        return connection

    def _open(self) -> tuple[socket.socket, bool]:
        played = self._played_at()
        if played is not None:
            self._target = f"{played.path.rstrip('/')}/sites/{self._host}{_target(self._parts)}"
            line = socket.create_connection((played.hostname or "", played.port or 80), self._left())
            return line, False
        self._target = _target(self._parts)
        is_tls = self._parts.scheme == "https"
        port = 443 if is_tls else 80
        addresses = self._addresses(port)
        trouble: OSError | None = None
        for address in addresses[:3]:  # many have an IPv6 address and no way to it
            try:
                return self._websites.connect(address, port, min(CONNECT_S, self._left())), is_tls
            except OSError as no:
                trouble = no
        raise trouble or OSError("no address")

    def _played_at(self) -> SplitResult | None:
        for ending, base_url in self._websites.simulated.items():
            if self._host.endswith(ending):
                return urlsplit(base_url)
        return None

    def _addresses(self, port: int) -> list[str]:
        """All of the name's addresses, if every one of them is of the open internet."""
        asked = self._websites.lookups.submit(self._websites.resolve, self._host, port)
        try:
            found = list(dict.fromkeys(asked.result(timeout=self._left())))
        except Late:
            raise NotRead(SiteReason.TOO_SLOW) from None
        except (OSError, UnicodeError) as unknown:
            raise NotRead(SiteReason.NO_SUCH_HOST) from unknown
        if not found:
            raise NotRead(SiteReason.NO_SUCH_HOST)
        if not all(is_public(address) for address in found):
            raise NotRead(SiteReason.NOT_PUBLIC)
        return sorted(found, key=lambda address: ":" in address)

    def _left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time is over")
        return left

    def _keep(self, line: socket.socket) -> None:
        with self._lock:
            self._line = line
            line.settimeout(max(0.01, self._until - time.monotonic()))
            if self._is_late:
                _end(line)

    def _cut(self) -> None:
        with self._lock:
            self._is_late = True
            if self._line is not None:
                _end(self._line)

    def _raise_if_late(self) -> None:
        """A line that was cut ends like one that is at its end."""
        if self._is_late:
            raise TimeoutError("the time is over")

    # ------------------------------------------------------------ the body

    def _body(self, response: http.client.HTTPResponse) -> bytes:
        """At most so many bytes packed, and at most so many unpacked."""
        unpack = _unpacker(response.headers.get("Content-Encoding", ""))
        body, received = bytearray(), 0
        while chunk := response.read1(CHUNK):
            received += len(chunk)
            body += unpack(chunk, self._most_bytes + 1 - len(body))
            if max(received, len(body)) > self._most_bytes:
                if self._cut_off:
                    return bytes(body[: self._most_bytes])
                raise NotRead(SiteReason.TOO_LARGE)
        self._raise_if_late()
        return bytes(body)


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """No more than asked for comes of a chunk: what is packed a thousand times over is never unpacked whole."""
    match encoding.strip().lower():
        case "" | "identity":
            return lambda chunk, most: chunk
        case "gzip" | "x-gzip":
            return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress
        case "deflate":
            return _Deflated()
    raise NotRead(SiteReason.NOT_A_PAGE)


class _Deflated:
    """By the standard with zlib's header; by half of the servers without."""

    def __init__(self) -> None:
        self._unpack: Callable[[bytes, int], bytes] | None = None

    def __call__(self, chunk: bytes, most: int) -> bytes:
        if self._unpack is None:
            has_header = chunk[0] & 15 == 8 and (len(chunk) < 2 or (chunk[0] << 8 | chunk[1]) % 31 == 0)
            self._unpack = zlib.decompressobj(zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS).decompress
        return self._unpack(chunk, most)


def _charset_of(response: http.client.HTTPResponse) -> str:
    """Empty where it names none, or writes nonsense: the standard library raises for a number of 5,000 digits there."""
    try:
        return response.headers.get_content_charset("") or ""
    except ValueError:
        return ""


def _end(line: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        line.shutdown(socket.SHUT_RDWR)


# ---------------------------------------------------------------- addresses


def checked(url: str) -> SplitResult:
    """An address of the web without a password in it, its host in ASCII.  Raises NotRead(BAD_ADDRESS)."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
        if not host.isascii():
            host = host.encode("idna").decode()
    except ValueError:  # UnicodeError is one
        raise NotRead(SiteReason.BAD_ADDRESS) from None
    default = {"http": 80, "https": 443}.get(parts.scheme)
    if default is None or not host or (port is not None and port != default) or not re.fullmatch(r"[\w.:\-]+", host):
        raise NotRead(SiteReason.BAD_ADDRESS)
    netloc = f"[{host}]" if ":" in host else host
    return SplitResult(parts.scheme, netloc, parts.path or "/", parts.query, "")


def _target(parts: SplitResult) -> str:
    """What stands in the first line of a request: no space and no line's end gets there."""
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~-._?")
    return f"{path if path.startswith('/') else '/' + path}{'?' + query if query else ''}"


def _joined(base: str, to: str) -> str:
    try:
        # http.client reads headers as Latin-1; servers write UTF-8
        return urljoin(base, to.encode("latin-1", "replace").decode("utf-8", "replace").strip())
    except ValueError:
        raise NotRead(SiteReason.BAD_ADDRESS) from None


# What wraps an IPv4 address in an IPv6 one, or leads through a relay: behind it may lie anything.
WRAPPING = [
    ipaddress.ip_network(each)
    for each in ("::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "192.88.99.0/24")
]
WEB_V6 = ipaddress.ip_network("2000::/3")  # all that is given out to anyone


def is_public(address: str) -> bool:
    """Whether it is an address of the open internet, and surely so."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if any(ip in network for network in WRAPPING if network.version == ip.version):
        return False
    if ip.version == 6 and ip not in WEB_V6:
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for _family, _kind, _protocol, _name, address in found]


def _connect(address: str, port: int, timeout_s: float) -> socket.socket:
    """`address` is numeric: nothing is looked up again."""
    return socket.create_connection((address, port), timeout_s)


# ---------------------------------------------------------------- pace and letters


class _Pace:
    """One request to a host at a time, and a pause before the next."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._free_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def wait(self, host: str, until: float) -> None:
        """Raises NotRead(TOO_SLOW) where its turn comes too late."""
        host = host.removeprefix("www.")
        with self._lock:
            now = time.monotonic()
            self._free_at = {name: at for name, at in self._free_at.items() if at > now}
            turn = max(now, self._free_at.get(host, 0.0))
            if turn >= until:
                raise NotRead(SiteReason.TOO_SLOW)
            self._free_at[host] = turn + self._pause_s
        time.sleep(turn - now)


DECLARED = re.compile(rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?([a-zA-Z0-9_\-]{2,20})", re.IGNORECASE)


# The encodings of web pages, as Python calls them.  It knows others: its punycode takes half an hour for a page of
# 2 MB, and unicode_escape makes characters that cannot be stored.  Source: WHATWG Encoding, 4.2.
OF_PAGES = re.compile(
    r"ascii|utf-8|utf-16(-[bl]e)?|iso8859-\d{1,2}|cp\d{3,4}|koi8-[ru]|mac-(roman|cyrillic)"
    r"|gbk|gb2312|gb18030|big5(hkscs)?|euc_(jp|kr)|shift_jis|iso2022_jp"
)


def decoded(body: bytes, charset: str) -> str:
    """By what the server says, else by what the page says, else UTF-8, else as Windows wrote around here."""
    declared = DECLARED.search(body[:4096])
    named = [charset, declared[1].decode() if declared else ""]
    for encoding in [*filter(None, named), "utf-8"]:
        try:
            codec = codecs.lookup(encoding)
            if OF_PAGES.fullmatch(codec.name):
                return body.decode(codec.name)
        except (LookupError, ValueError):
            continue
    return body.decode("cp1252", "replace")
