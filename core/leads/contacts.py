"""How a business can be reached, as its own website says: read from the text of a page, pure.

Everything here is read from strangers' pages, so every pattern has bounds, and what a page can make us look at is
capped.  Whose page it is and how it was fetched is for core.integrations.websites.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from lxml import etree

from core.leads.decoys import DECOY_DOMAINS, DECOY_LOCALS, HEX_NOISE, NO_DOMAINS, NO_PROFILES, NOT_THEIRS, RUNS
from core.leads.phones import NotAPhone, Phone
from core.leads.rules import fold
from core.leads.site_names import WHATSAPP_HOSTS, network_of

MOST_EMAILS = 5  # a page with ten thousand is no contact page
MOST_PHONES = 5
MOST_LINKS = 4_000  # of one page, each looked at once
MOST_NODES = 5_000  # of the facts that a page gives to search engines
MOST_CONTACT_PAGES = 2
LONGEST_LINK = 2_000
LONGEST_EMAIL = 254
NETWORKS = ("instagram", "facebook", "linkedin", "youtube", "tiktok", "x")


@dataclass(frozen=True)
class Contacts:
    """`whatsapp` and `phones` are E.164, the first the most likely; `socials` maps a network to an https address."""

    emails: tuple[str, ...] = ()
    whatsapp: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    socials: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.emails or self.whatsapp or self.phones or self.socials)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; what is empty is left out."""
        values: dict[str, Any] = {name: list(getattr(self, name)) for name in ("emails", "whatsapp", "phones")}
        return {name: value for name, value in {**values, "socials": dict(self.socials)}.items() if value}

    @staticmethod
    def from_dict(values: Mapping[str, Any] | None) -> Contacts:
        values = values or {}
        lists = {name: tuple(values.get(name, ())) for name in ("emails", "whatsapp", "phones")}
        return Contacts(**lists, socials=dict(values.get("socials", {})))


@dataclass(frozen=True)
class SitePage:
    """What one page tells, and where on the same site more may be said."""

    contacts: Contacts
    contact_pages: tuple[str, ...]


def read_page(html: str, url: str, *, country: str) -> SitePage:
    """`url` is where the page lies; `country` is taken for phones that name none.  Never raises for what a page holds.

    What stands in comments, in scripts and in the fields of a form is nobody's address: it is not read.
    """
    seen = _seen_in(html)
    site = _host_of(url)
    found = _Found(country)
    for link in seen.links:
        found.take_link(urljoin_or_none(url, link) or link)
    for packed in seen.packed_emails:
        found.take_email(unpacked_email(packed))
    for fact, value in _facts("".join(parts) for parts in seen.facts):
        found.take_fact(fact, value)
    for email in emails_in("".join(seen.text)):
        found.take_email(email)
    return SitePage(found.contacts(site), _contact_pages(seen.named_links, url))


def from_link(link: str, *, country: str) -> Contacts:
    """What an address by itself says: a business whose website is its WhatsApp or its Instagram has no page to read."""
    found = _Found(country)
    found.take_link(link)
    return found.contacts("")


def merged(several: Iterable[Contacts]) -> Contacts:
    """The first page's first; what is beyond the caps is left out."""
    pages = list(several)
    socials: dict[str, str] = {}
    for page in pages:
        socials = {**page.socials, **socials}
    return Contacts(
        emails=_first(MOST_EMAILS, (email for page in pages for email in page.emails)),
        whatsapp=_first(MOST_PHONES, (phone for page in pages for phone in page.whatsapp)),
        phones=_first(MOST_PHONES, (phone for page in pages for phone in page.phones)),
        socials=socials,
    )


def _first(most: int, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))[:most]


class _Found:
    """Fills up while a page is read."""

    def __init__(self, country: str) -> None:
        self._country = country
        self._emails: dict[str, None] = {}
        self._whatsapp: dict[str, None] = {}
        self._phones: dict[str, None] = {}
        self._socials: dict[str, str] = {}

    def contacts(self, site: str) -> Contacts:
        """A mailbox of the site's own domain comes before those elsewhere."""
        own = site.lower().removeprefix("www.")
        emails = sorted(self._emails, key=lambda email: own == "" or not email.endswith(("@" + own, "." + own)))
        return Contacts(
            tuple(emails[:MOST_EMAILS]),
            tuple(self._whatsapp)[:MOST_PHONES],
            tuple(self._phones)[:MOST_PHONES],
            {network: self._socials[network] for network in NETWORKS if network in self._socials},
        )

    def take_link(self, link: str) -> None:
        scheme, _, rest = link.partition(":")
        match scheme.strip().lower():
            case "mailto":
                for address in unquote(rest.partition("?")[0]).split(",")[:MOST_EMAILS]:
                    self.take_email(as_email(address))
            case "tel" | "callto":
                self.take_phone(unquote(rest.partition("?")[0]))
            case "http" | "https" | "whatsapp":
                if whatsapp := whatsapp_in(link, self._country):
                    self._whatsapp.setdefault(whatsapp)
                elif profile := social_in(link):
                    self._socials.setdefault(*profile)

    def take_fact(self, fact: str, value: str) -> None:
        match fact:
            case "telephone":
                self.take_phone(value)
            case "email":
                self.take_link(value if value.lower().startswith("mailto:") else f"mailto:{value}")
            case _:
                self.take_link(value)

    def take_email(self, email: str | None) -> None:
        if email and len(self._emails) < MOST_EMAILS * 4:
            self._emails.setdefault(email)

    def take_phone(self, text: str) -> None:
        if phone := phone_in(text, self._country):
            self._phones.setdefault(phone)


# ---------------------------------------------------------------- what stands on a page

BREAKS = frozenset("address article aside br dd div dt footer h1 h2 h3 h4 h5 h6 header hr li main nav ol p section "
                   "table td th tr ul".split())  # fmt: skip
UNREAD = frozenset("script style noscript template textarea title svg".split())


class _Seen:
    """What libxml2 calls back with, element by element: no tree is built of a page that may be hostile."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.links: dict[str, None] = {}
        self.named_links: dict[str, list[str]] = {}
        self.packed_emails: dict[str, None] = {}
        self.facts: list[list[str]] = []
        self._unread: list[str] = []
        self._is_fact = False
        self._link = ""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in UNREAD:
            self._unread.append(tag)
            self._is_fact = tag == "script" and "ld+json" in attributes.get("type", "").lower()
            if self._is_fact:
                self.facts.append([])
        elif tag in BREAKS:
            self.text.append("\n")
        if tag in ("a", "area", "form"):
            self._take_link(attributes.get("action" if tag == "form" else "href", ""), is_named=tag == "a")
            if "/cdn-cgi/l/email-protection#" in (to := attributes.get("href", "")):
                self._take_packed(to.partition("#")[2])
        if "data-cfemail" in attributes:
            self._take_packed(attributes["data-cfemail"])

    def end(self, tag: str) -> None:
        if tag in UNREAD and tag in self._unread:
            while self._unread.pop() != tag:
                pass
            self._is_fact = False
        elif tag in BREAKS:
            self.text.append("\n")
        elif tag == "a":
            self._link = ""

    def data(self, text: str) -> None:
        if self._is_fact:
            self.facts[-1].append(text)
        elif not self._unread:
            self.text.append(text)
            if self._link:
                self.named_links[self._link].append(text[:100])

    def close(self) -> None:
        """lxml asks for it."""

    def _take_link(self, link: str, *, is_named: bool) -> None:
        self._link = ""
        link = link.strip()
        if link and len(link) <= LONGEST_LINK and (link in self.links or len(self.links) < MOST_LINKS):
            self.links.setdefault(link)
            if is_named:
                self._link = link
                self.named_links.setdefault(link, [])

    def _take_packed(self, packed: str) -> None:
        if len(self.packed_emails) < MOST_LINKS:
            self.packed_emails.setdefault(packed)


def _seen_in(html: str) -> _Seen:
    seen = _Seen()
    parser = etree.HTMLParser(target=seen, encoding="utf-8", no_network=True, huge_tree=True, recover=True)
    try:
        parser.feed(html.replace("\0", " ").encode("utf-8", "replace"))
        parser.close()
    except etree.LxmlError:  # an empty page, or one that is no page: what was seen before it broke off stays
        pass
    return seen


def _facts(written: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What a page tells search engines about its business (JSON-LD of schema.org): telephone, email, sameAs."""
    nodes: list[Any] = []
    for each in written:
        try:
            nodes.append(json.loads(each, strict=False))
        except (ValueError, RecursionError):
            continue
    looked_at = 0
    while nodes and looked_at < MOST_NODES:
        looked_at += 1
        node = nodes.pop(0) if len(nodes) < 100 else nodes.pop()
        if isinstance(node, list):
            nodes += node[:MOST_NODES]
        elif isinstance(node, dict):
            for key, value in list(node.items())[:MOST_NODES]:
                if key in ("telephone", "email", "sameAs"):
                    several = value if isinstance(value, list) else [value]
                    yield from ((key, one[:LONGEST_LINK]) for one in several[:20] if isinstance(one, str))
                elif isinstance(value, list | dict):
                    nodes.append(value)


# ---------------------------------------------------------------- e-mails

# Each run of such characters is tried from its start alone, and no further than an address may go.
EMAIL = re.compile(
    r"(?<![a-z0-9._%+\-@])[a-z0-9][a-z0-9._%+\-]{0,63}@(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,6}[a-z]{2,24}(?![a-z0-9\-@])",
    re.ASCII | re.IGNORECASE,
)
IN_BRACKETS = re.compile(r" ?[\[({<] ?(?:arroba|at|@) ?[\])}>] ?", re.IGNORECASE)
DOT_IN_BRACKETS = re.compile(r" ?[\[({<] ?(?:ponto|dot|\.) ?[\])}>] ?", re.IGNORECASE)
# "at" is a word of every English page: without a spelled-out dot behind it, it is no address.
SPELLED = re.compile(
    r"(?<![\w.+\-@])([a-z0-9][a-z0-9._+\-]{0,63}) (?:"
    r"(?:at|arroba) ([a-z0-9\-]{1,63}(?: (?:dot|ponto) [a-z0-9\-]{1,63}){1,4})"
    r"|arroba ([a-z0-9\-]{1,63}(?:\.[a-z0-9\-]{2,63}){1,4}))(?![\w\-@])",
    re.ASCII | re.IGNORECASE,
)
SPELLED_DOT = re.compile(r" (?:dot|ponto) ", re.IGNORECASE)


def as_email(text: str) -> str | None:
    """One address in lower case, or None for what is none, or nobody's."""
    email = text.strip().strip("<>.,;:\"'").lower()
    if len(email) > LONGEST_EMAIL or not EMAIL.fullmatch(email):
        return None
    local, _, domain = email.partition("@")
    labels = domain.split(".")
    if labels[-1] in NO_DOMAINS or ".." in email or local.endswith("."):
        return None
    if HEX_NOISE.fullmatch(local) or re.sub(r"[._\-]", "", local) in DECOY_LOCALS:
        return None
    if any(".".join(labels[start:]) in DECOY_DOMAINS for start in range(len(labels) - 1)):
        return None
    return email


def emails_in(text: str) -> Iterator[str]:
    """The addresses that stand in a text, also where they hide from machines: `[arroba]`, `(at)`, ` at … dot `."""
    text = _on_single_spaces(text)
    plain = DOT_IN_BRACKETS.sub(".", IN_BRACKETS.sub("@", text))
    for match in EMAIL.finditer(plain):
        if email := as_email(match[0]):
            yield email
    for match in SPELLED.finditer(text):
        domain = SPELLED_DOT.sub(".", match[2] or match[3])
        if email := as_email(f"{match[1]}@{domain}"):
            yield email


def _on_single_spaces(text: str) -> str:
    """Lines stay lines: what stands in two of them does not belong together."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())


def unpacked_email(packed: str) -> str | None:
    """As Cloudflare packs it: hexadecimal, each byte xor the first one."""
    if len(packed) > 2 * LONGEST_EMAIL:
        return None
    try:
        key, *rest = bytes.fromhex(packed)
        return as_email(bytes(byte ^ key for byte in rest).decode())
    except ValueError:
        return None


# ---------------------------------------------------------------- numbers


def phone_in(text: str, country: str) -> str | None:
    """E.164, or None for what is no number, or a placeholder.

    A number without + is first read as one of the country: 51 9… is a mobile of Porto Alegre before it is one of Peru.
    """
    written = text.strip()[:64]
    digits = "".join(c for c in written if c.isascii() and c.isdigit())
    candidates = [written] if written.startswith(("+", "00")) else [written, f"+{digits}"]
    for candidate in candidates:
        try:
            phone = Phone.parse(candidate, country)
        except NotAPhone as no:
            # WhatsApp's own links leave out the ninth digit of older Brazilian numbers.
            if no.key == "phone_old_mobile":
                return phone_in(f"+55 {no.values['suggestion']}", country)
            continue
        return None if _is_counted_up(phone.e164) else phone.e164
    return None


def _is_counted_up(e164: str) -> bool:
    """(11) 91234-5678 and its like are what forms show before somebody writes."""
    return any(run in e164[-9:] for run in RUNS)


def whatsapp_in(link: str, country: str) -> str | None:
    """The number that a link of WhatsApp opens; None for a share, a group, a short link, and for any other link."""
    try:
        parts = urlsplit(link.strip().replace("&amp;", "&"))
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return None
    if parts.scheme == "whatsapp":
        host = "api.whatsapp.com"
    if host not in WHATSAPP_HOSTS:
        return None
    asked = re.search(r"(?:^|&)phone=([^&]{1,200})", parts.query)
    text = asked[1] if asked else ""
    if host == "wa.me" and not asked:
        first, _, second = parts.path.strip("/").partition("/")
        text = second if first == "c" else first
    text = unquote(unquote(text)).strip()  # some are packed twice
    if any(c.isalpha() for c in text):  # wa.me/message/… and wa.me/qr/… are codes
        return None
    digits = "".join(c for c in text if c.isascii() and c.isdigit())[:20]
    return phone_in(f"+{digits}" if text.startswith("+") else digits, country) if digits else None


# ---------------------------------------------------------------- profiles

HOST_OF = {
    "instagram": "www.instagram.com",
    "facebook": "www.facebook.com",
    "linkedin": "www.linkedin.com",
    "youtube": "www.youtube.com",
    "tiktok": "www.tiktok.com",
    "x": "x.com",
}
UNDER = {"linkedin": ("company", "in", "school", "showcase"), "youtube": ("channel", "c", "user")}
HANDLE = re.compile(r"@?[A-Za-z0-9._\-%]{1,100}")


def social_in(link: str) -> tuple[str, str] | None:
    """Network and https address of a profile; None for shares, posts, and the pages of whoever made the site."""
    try:
        parts = urlsplit(link.strip())
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    network = network_of(host)
    if network is None:
        return None
    path = _profile_path(network, [part for part in parts.path.split("/") if part], parts.query)
    return None if path is None else (network, f"https://{HOST_OF[network]}/{path}")


def _profile_path(network: str, path: list[str], query: str) -> str | None:
    if not path:
        return None
    first = path[0]
    if network == "facebook":
        if first == "profile.php":
            number = re.search(r"(?:^|&)id=(\d{5,20})(?:&|$)", query)
            return f"profile.php?id={number[1]}" if number else None
        if first in ("pages", "people", "pg") and len(path) > 1:
            return _handles(path[: 3 if first != "pg" else 2])
    if network in UNDER and first.lower() in UNDER[network]:
        return _handles(path[:2]) if len(path) > 1 else None
    if network == "linkedin" or (network == "tiktok" and not first.startswith("@")):
        return None
    return _handles(path[:1])


def _handles(path: list[str]) -> str | None:
    name = path[-1].lower().removeprefix("@")
    if path[0].lower() in NO_PROFILES or name in NOT_THEIRS or not all(HANDLE.fullmatch(part) for part in path):
        return None
    return "/".join(path)


# ---------------------------------------------------------------- where more may be said

CONTACT_WORDS = ("contato", "contact", "fale conosco", "faleconosco", "contacto", "fale com")
ABOUT_WORDS = ("sobre", "about", "quem somos", "quemsomos", "institucional", "a clinica", "a empresa")
NO_PAGES = (".pdf", ".jpg", ".jpeg", ".png", ".zip", ".doc", ".docx", ".mp4", ".webp", ".xml")


def _contact_pages(links: Mapping[str, list[str]], url: str) -> tuple[str, ...]:
    """At most two, those that name a contact before those that tell who they are; of the same site alone."""
    if not _host_of(url):
        return ()
    here = urlsplit(url)
    ranked: dict[str, int] = {}
    for link, texts in links.items():
        to = urljoin_or_none(url, link)
        if to is None or not same_site(to, url):
            continue
        parts = urlsplit(to)
        is_here = (parts.path.rstrip("/"), parts.query) == (here.path.rstrip("/"), here.query)
        if is_here or parts.path.lower().endswith(NO_PAGES):
            continue
        rank = _rank(fold(unquote(parts.path)), fold("".join(texts)[:100]))
        address = to.partition("#")[0]
        if rank is not None and rank < ranked.get(address, 9):
            ranked[address] = rank
    return tuple(sorted(ranked, key=lambda address: ranked[address])[:MOST_CONTACT_PAGES])


def _rank(path: str, text: str) -> int | None:
    for rank, words in enumerate((CONTACT_WORDS, ABOUT_WORDS)):
        if any(word in path or text.startswith(word) for word in words):
            return rank
    return None


def urljoin_or_none(base: str, link: str) -> str | None:
    """An http address, absolute; None for any other."""
    try:
        joined = urljoin(base, link.strip())
        parts = urlsplit(joined)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        return joined if is_address and len(joined) <= LONGEST_LINK else None
    except ValueError:
        return None


def same_site(one: str, other: str) -> bool:
    """The same host, with or without www, or one beneath the other: `contato.example.com.br` of `example.com.br`."""
    a, b = (_host_of(each).removeprefix("www.") for each in (one, other))
    return bool(a and b) and (a == b or a.endswith("." + b) or b.endswith("." + a))


def _host_of(url: str) -> str:
    """Empty where there is none, or none that can be read."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
