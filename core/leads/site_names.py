"""Under which name a website is kept and read once for all, whoever has a lead there."""

from __future__ import annotations

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


def site_of(website: str | None) -> str | None:
    """The name under which a reading of this website is kept: its host in lower case without www.

    On a host that many businesses share, with the part of the path that is theirs: `linktr.ee/clinica`.  None where
    there is nothing to read: no http address, or one of a network, whose address says it all (`contacts.from_link`).
    """
    try:
        parts = urlsplit((website or "").strip())
        host = (parts.hostname or "").lower().rstrip(".").removeprefix("www.")
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or network_of(host) or host in WHATSAPP_HOSTS:
        return None
    own = SHARED_HOSTS.get(host, 0)
    path = [part for part in parts.path.split("/") if part][:own]
    return "/".join([host, *path])[:LONGEST_SITE]


def network_of(host: str) -> str | None:
    """`instagram` of `www.instagram.com`; None for a host of no network that we know."""
    return next((name for end, name in NETWORK_HOSTS.items() if host == end or host.endswith("." + end)), None)
