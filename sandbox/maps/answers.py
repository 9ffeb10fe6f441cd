"""The bodies the site answers with: list responses in every layout, the prefix, the wrapping, and what breaks them."""

from __future__ import annotations

import json
from typing import Any

from . import identity
from .behaviour import Behaviour
from .city import Area
from .geo import Viewport
from .record import Reader, camera

PREFIX = ")]}'\n"
ROOT_LENGTH = 67
MOVED_ROWS_AT = 71  # where `moved: rows` puts what belongs at 64


def list_answer(
    query: str,
    viewport: Viewport,
    records: list[list[Any]],
    ads: list[list[Any]],
    cids: list[str],
    area: Area | None,
    reader: Reader,
    behaviour: Behaviour,
) -> list[Any]:
    """The array of one `/search?tbm=map` response; without records it is the one that says the list has ended."""
    root: list[Any] = [None] * ROOT_LENGTH
    root[0] = [query, [_header_row(reader, query)]]
    root[1] = camera(viewport)
    root[7] = reader.session
    root[9] = [[[3], [5], [6], [7], [9], [10]]]
    root[38], root[58] = 0, [1]
    if area:
        data_id = identity.data_id(area.features)
        spot = [reader.ved(0, 9), None, data_id, [None, None, area.lat, area.lng], area.name]
        root[37] = [2, area.name, [spot]]
    if not records:
        return root
    root[16] = [[[2, "spotlight", *[None] * 5, [*[None] * 11, [query, ["0", ""], _pins(cids)]]]]]
    root[27], root[35], root[66] = [len(records)], "Q2dBd0Fn", reader.ved(0, 10)
    if behaviour.moved == "fields":
        records, ads = [moved(one) for one in records], [moved(one) for one in ads]
    _lay(root, records, behaviour, reader)
    if ads:
        root[2] = [1, [[_ad_row(one, reader, n) for n, one in enumerate(ads)]]]
    return root


def _lay(root: list[Any], records: list[list[Any]], behaviour: Behaviour, reader: Reader) -> None:
    """Puts the records where the layout has them; `mixed` splits them, with one in both halves."""
    if behaviour.moved == "rows":
        root += [None] * (MOVED_ROWS_AT + 1 - len(root))
        root[MOVED_ROWS_AT] = [[None, None, one] for one in records]
        return
    half = len(records) // 2
    in_a = {"A": records, "B": [], "mixed": records[: half + 1]}[behaviour.layout]
    in_b = {"A": [], "B": records, "mixed": records[half:]}[behaviour.layout]
    root[0][1] += [[*[None] * 8, reader.session, reader.ved(n, 11), *[None] * 4, one] for n, one in enumerate(in_a)]
    root[64] = [[None, one] for one in in_b] or None


def moved(one: list[Any]) -> list[Any]:
    """A record of a site that has changed: every index from 5 on is one higher."""
    return [*one[:5], None, *one[5:]]


def _header_row(reader: Reader, query: str) -> list[Any]:
    return [*[None] * 8, reader.session, reader.ved(0, 12), [query, 0]]


def _pins(cids: list[str]) -> list[Any]:
    return [[None, None, f"0x0:{int(cid):#x}"] for cid in cids]


def _ad_row(one: list[Any], reader: Reader, number: int) -> list[Any]:
    """23 slots, the record at 15, as in the one recorded answer that has ads."""
    row: list[Any] = [None] * 23
    row[4] = f"/aclk?sa=l&ai={reader.session}&adurl=&rct=j"
    row[6], row[9], row[10], row[15] = 1, reader.session, reader.ved(number, 13), one
    return row


def body(root: list[Any], *, wrapped: bool) -> str:
    """As sent: the prefix that keeps the answer from being a script, and the wrapping of newer requests."""
    text = PREFIX + _json(root)
    return _json({"c": 0, "d": text}) + '/*""*/' if wrapped else text


ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "=": "\\u003d", "\u2028": "\\u2028"})


def _json(value: Any) -> str:
    """Without spaces, and with the signs of HTML escaped, as the site does."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)
