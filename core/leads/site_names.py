"""Under which name a website is kept and read once for all, whoever has a lead there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

NETWORK_HOSTS = {
    "instagram.com": "instagram",
    "facebook.com": "facebook",
    "fb.com": "facebook",
    "linkedin.com": "linkedin",
    "youtube.com": "youtube",
    "tiktok.com": "tiktok",
    "twitter.com": "x",
    "x.com": "x",
}
NETWORKS = tuple(NETWORK_HOSTS)
WHATSAPP_HOSTS = frozenset({"wa.me", "api.whatsapp.com", "web.whatsapp.com", "whatsapp.com"})
# One address of the web, many businesses: here the first parts of the path belong to whose site it is.
SHARED_HOSTS = {
    "linktr.ee": 1,
    "linkr.bio": 1,
    "beacons.ai": 1,
    "bio.site": 1,
    "lnk.bio": 1,
    "linkbio.co": 1,
    "sites.google.com": 2,
    "doctoralia.com.br": 3,
    "ifood.com.br": 4,
    "booking.com": 3,
    "tripadvisor.com.br": 1,
    "airbnb.com.br": 2,
    "gympass.com": 3,
    "wellhub.com": 4,
    "shopee.com.br": 1,
    "goomer.app": 1,
    "anota.ai": 2,
    "menudino.com": 1,
    "canva.com": 2,
    "canva.site": 1,
    "bit.ly": 1,
    "tinyurl.com": 1,
    "g.page": 1,
    "goo.gl": 2,
    "maps.app.goo.gl": 1,
    "wa.link": 1,
    "w.app": 1,
    "rede.example": 1,  # in the demo city
}
LONGEST_SITE = 253
USUAL = re.compile(r"https?://(?:www\.)?([a-z0-9-]+(?:\.[a-z0-9-]+)+)/?")  # most of them, and there are many


def site_of(website: str | None) -> str | None:
    """The name under which a reading of this website is kept: its host in lower case without www.

    On a host that many businesses share, with the part of the path that is theirs: `linktr.ee/clinica`.  None where
    there is nothing to read: no http address, or one of a network, whose address says it all (`contacts.from_link`).
    """
    usual = USUAL.fullmatch(website or "")
    if usual is not None and len(usual[1]) <= LONGEST_SITE:
        return _own(usual[1], "")
    try:
        parts = urlsplit((website or "").strip())
        host = (parts.hostname or "").lower().rstrip(".").removeprefix("www.")
    except ValueError:
        return None
    return _own(host, parts.path) if parts.scheme in ("http", "https") and host else None


def _own(host: str, path: str) -> str | None:
    if (host.endswith(NETWORKS) and network_of(host)) or host in WHATSAPP_HOSTS:
        return None
    if not path:  # most of them
        return host[:LONGEST_SITE]
    parts = [part for part in path.split("/") if part][: SHARED_HOSTS.get(host, 0)]
    return "/".join([host, *parts])[:LONGEST_SITE]


def network_of(host: str) -> str | None:
    """`instagram` of `www.instagram.com`; None for a host of no network that we know."""
    return next((name for end, name in NETWORK_HOSTS.items() if host == end or host.endswith("." + end)), None)


def home_of(website: str, site: str) -> str:
    """Where reading a site begins: at its home page, whatever page of it a source named.

    One reading serves every team that has a lead there, so it must not begin where the first who asked wished it to: a
    page of a site may lead to somebody else.  On a shared host the page is the site.
    """
    parts = urlsplit(website)
    return website if "/" in site else f"{parts.scheme.lower()}://{(parts.hostname or site).lower()}/"
