"""A record of the map, changed in every way that a site changes its form; and what of it is then wrong.

Each change is made in place and taken back, one at a time, at every path: an element dropped, one pushed in before it,
emptied, made a text, a number or a list, or given the value of its left or right neighbour.  A number for a number or
a word for a word is another answer and not another form, so numbers become impossible ones and words web addresses.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

from core.ports import Place

Path = tuple[int, ...]
ADDRESS = "https://changed.example/x7"


def paths(value: Any, deepest: int = 99, at: Path = ()) -> Iterator[Path]:
    if isinstance(value, list) and len(at) < deepest:
        for n, inner in enumerate(value):
            yield (*at, n)
            yield from paths(inner, deepest, (*at, n))


def changes(record: list[Any], where: Sequence[Path]) -> Iterator[str]:
    """Changes `record` and says how; it is as before when the next change is asked for."""
    for path in where:
        holder = record
        for step in path[:-1]:
            holder = holder[step]
        before, n = list(holder), path[-1]
        for kind, now in _ways(before, n):
            holder[:] = now
            yield f"{'.'.join(map(str, path))} {kind}"
            holder[:] = before


def _ways(row: list[Any], n: int) -> Iterator[tuple[str, list[Any]]]:
    yield "dropped", row[:n] + row[n + 1 :]
    yield "pushed along", [*row[:n], None, *row[n:]]
    was = row[n]
    if was is not None:  # a value where none was is not a change of form
        others = {
            "emptied": None,
            "made a text": ("x7" if was.startswith(("http", "//")) else ADDRESS) if isinstance(was, str) else "x7",
            "made a number": 10**12 if isinstance(was, int | float) else 7,
            "made a list": [["x7"]],
            "made yes or no": True,
        }
        for kind, value in others.items():
            if not (kind == "made yes or no" and was == 1):
                yield kind, [*row[:n], value, *row[n + 1 :]]
    for kind, beside in (("like its left", n - 1), ("like its right", n + 1)):
        if 0 <= beside < len(row) and row[beside] != was:
            yield kind, [*row[:n], copy.deepcopy(row[beside]), *row[n + 1 :]]


def some(every: Sequence[Path], most: int, seed: int = 7) -> list[Path]:
    """All of them, or `most`: the first levels whole, and of the rest what the dice say."""
    if len(every) <= most:
        return list(every)
    top = [p for p in every if len(p) <= 2]
    rest = [p for p in every if len(p) > 2]
    return top + random.Random(seed).sample(rest, max(0, min(len(rest), most - len(top))))


# ---------------------------------------------------------------- what is wrong


def wrong_fields(said: Place, read: Place, record: Any) -> list[str]:
    """Fields of `read` that say something other than `said` does; nothing at all is never wrong.

    `record` is the unchanged one: another picture of the same place that stands in it is no wrong picture.
    """
    wrong = []
    for f in fields(Place):
        was, now = getattr(said, f.name), getattr(read, f.name)
        if now in (None, (), {}) or now == was:
            continue
        if f.name == "details":
            wrong += [f"details.{key}" for key, value in now.items() if not _detail_true(key, was, value, record)]
        elif not _true(f.name, was, now, record):
            wrong.append(f.name)
    return wrong


def _true(name: str, was: Any, now: Any, record: Any) -> bool:
    if name == "opening_hours":  # a span less is what the map said, then
        return all(_some_of(spans, (was or {}).get(day)) for day, spans in now.items())
    if name == "categories":
        return set(now) <= set(was)
    if name == "phone":
        return was is not None and _digits(now)[-8:] == _digits(was)[-8:]
    if name in ("latitude", "longitude"):  # the map has it twice, some metres apart
        return was is not None and abs(now - was) < 0.001
    if name == "plus_code":  # with its town, or with the code of the town
        return str(was)[-7:] == str(now)[:7]
    if name == "thumbnail_url":
        return now in pictures(record)
    return False


def _detail_true(key: str, was: dict[str, Any], now: Any, record: Any) -> bool:
    if now == was.get(key):
        return True
    if key == "link":  # as said, or made of the CID
        return bool(re.fullmatch(r"https://www\.google\.com/maps\?cid=\d+", now))
    if key == "popular_times":
        return all(hours.items() <= was.get(key, {}).get(day, {}).items() for day, hours in now.items())
    if key == "about":
        groups = {(g["id"], g["name"]): g["options"] for g in was.get(key, [])}
        return all(_options_true(g["options"], groups.get((g["id"], g["name"]), [])) for g in now)
    if key == "images":
        return all(image["url"] in pictures(record) and image["title"] in titles(record) for image in now)
    if key == "status":  # "Closed ⋅ Opens 9", "Opens at 9:00": the old slot and the new one have a sentence each
        return now in {text for slot in (34, 203) for text in texts(record[slot])}
    if key == "description":  # the map has a short one and a long one
        return now in set(texts(record[32]))
    if key == "street_view_url":
        return now.rpartition("=")[2] in panoramas(record)
    if isinstance(now, list):
        return all(one in was.get(key, []) for one in now)
    return False


def _options_true(now: list[Any], was: list[Any]) -> bool:
    known = {option["name"]: option for option in was}
    return all(
        option["name"] in known
        and option["enabled"] == known[option["name"]]["enabled"]
        and set(option.get("values", [])) <= set(known[option["name"]].get("values", []))
        for option in now
    )


def _some_of(spans: list[Any], said: list[Any] | None) -> bool:
    return said is not None and (spans == said or (bool(spans) and all(span in said for span in spans)))


def _digits(phone: str) -> str:
    return "".join(c for c in phone if c.isdigit())


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    elif isinstance(value, str):
        yield value


def pictures(record: Any) -> set[str]:
    """Addresses in the slots that hold pictures of the place."""
    found = {text for slot in (37, 72, 171) for text in texts(record[slot] if slot < len(record) else None)}
    return {"https:" + text if text.startswith("//") else text for text in found}


def titles(record: Any) -> set[str]:
    return {album[2] for album in (record[171] or [[]])[0]} if len(record) > 171 else set()


def panoramas(record: Any) -> set[str]:
    return {found[1] for text in pictures(record) if (found := re.search(r"panoid=([\w-]+)", text))}
