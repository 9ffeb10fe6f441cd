"""How a test reads what the demo map sends: the announced link, its offset, a body."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

Ask = Callable[..., Any]


def head_link(html: str) -> str:
    """The page's own list request, as its head announces it."""
    found = re.search(r'<link href="(/search\?tbm=map[^"]*)"', html)
    assert found, "the page announces no list request"
    return unescape(found.group(1))


def at_offset(link: str, offset: int) -> str:
    """The same request further on.  The announced one bears no offset of its own."""
    assert "%217i20" in link and "%218i" not in link
    return link.replace("%217i20", f"%217i20%218i{offset}")


def parsed(body: str) -> Any:
    """A body as JSON, whether it is wrapped or not."""
    if body.startswith("{"):
        assert body.endswith('/*""*/')
        body = json.loads(body.removesuffix('/*""*/'))["d"]
    assert body.startswith(")]}'\n")
    return json.loads(body[5:])
