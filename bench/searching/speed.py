"""Places a minute: our side and the peers', in turn, on one replay with a fixed time per answer and no pause at all."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.searching import peers, replay
from bench.searching.figures import Figure, Run, Side, phones_found, ratio, ratio_with_start
from bench.searching.peers import PEERS, Peer
from bench.searching.programs import Failed, answer_of
from bench.searching.replay import TERM, Town
from sandbox.maps import plan

LATENCY_S = 0.3
BAR = 15.0
OURS, OURS_LATER = "Prumo", "Prumo, later search"
OUR_WAY, OUR_LATER_WAY = "lists, stored as leads", "the same, known to the map"
OURS_WITHIN_S = 300.0

Say = Callable[[str], None]


def race(told: Mapping[str, str], rounds: int, say: Say, places: int = replay.PLACES) -> tuple[list[Side], list[str]]:
    """Every side `rounds` times, one after the other and round by round, so that a busy hour is shared by all.

    And the phones that the list really has.  Raises Failed when our own side does.
    """
    phones = [place.phone for place in Town(places).truth() if place.phone]
    with tempfile.TemporaryDirectory(prefix="prumo-bench-") as name:
        folder = Path(name)
        there: dict[str, Path] = {}
        why_not: dict[str, str] = {}
        for peer in PEERS:
            try:
                there[peer.name] = peers.environment_for(peer, folder)
            except Failed as why:
                why_not[peer.name] = str(why)
                say(f"{peer.name} {peer.version}: {why}")
        runs: dict[str, list[Run]] = {OURS: [], OURS_LATER: [], **{peer.name: [] for peer in PEERS}}
        with replay.running(folder, places) as site:
            wish = {"port": site.port, "certificate": str(site.certificate), "term": TERM, "places": places}
            wish["chromium"] = told["PRUMO_CHROMIUM"]
            for round_ in range(1, rounds + 1):
                for peer in (None, *PEERS):
                    who = peer.name if peer else OURS
                    if who in why_not:
                        continue
                    site.begin(LATENCY_S)
                    try:
                        answer = _read(peer, there, wish, told)
                    except Failed as why:
                        if peer is None:  # ours has to run; only a stranger may be missing
                            raise
                        why_not[who] = str(why)
                        say(f"{who}: {why}")
                        continue
                    run = _run(answer, sum(site.asked().values()))
                    runs[who].append(run)
                    say(f"round {round_}: {who}: {len(run.rows)} places in {run.seconds:.1f} s {run.said}".rstrip())
                    if "later" in answer:
                        runs[OURS_LATER].append(_run(answer["later"]))
    return _sides(runs, why_not), phones


def _read(
    peer: Peer | None, there: Mapping[str, Path], wish: Mapping[str, Any], told: Mapping[str, str]
) -> dict[str, Any]:
    if peer is not None:
        return peers.read_by(peer, there[peer.name], {**wish, "city": plan.CITY})
    return answer_of([sys.executable, "-m", "bench.searching.ours"], wish, told, OURS_WITHIN_S)


def _run(answer: Mapping[str, Any], asked: int = 0) -> Run:
    """Of what the server counted, unless the driver has read two lists and says itself which was for what."""
    requests = int(answer.get("requests", asked))
    return Run(float(answer["seconds"]), answer["rows"], requests, str(answer.get("said", "")), answer.get("start_s"))


def _sides(runs: Mapping[str, Sequence[Run]], why_not: Mapping[str, str]) -> list[Side]:
    """A side that failed once is not judged by the times that it did not."""
    ways = {OURS: (OURS, OUR_WAY), OURS_LATER: (OURS_LATER, OUR_LATER_WAY)}
    ways |= {peer.name: (f"{peer.name} {peer.version}", peer.way) for peer in PEERS}
    return [
        Side(*ways[who], () if who in why_not else tuple(of_it), why_not.get(who, "")) for who, of_it in runs.items()
    ]


def figures(sides: Sequence[Side], phones: Sequence[str]) -> list[Figure]:
    ours, later, *others = sides
    found = [
        Figure("places_per_minute", "places a minute, ours", ours.per_minute),
        Figure("places_per_minute_later", "places a minute, ours, a worker's later searches", later.per_minute),
    ]
    for peer, side in zip(PEERS, others, strict=True):
        key = f"times_{peer.name.replace('-', '_')}"
        says = f"as many places a minute as {side.name} ({peer.way})"
        bar = BAR if peer.has_bar else None
        found += [
            Figure(key, says, ratio(ours, side), "×", at_least=bar, note=side.why_not),
            Figure(f"{key}_with_start", "… with the browser's start on both sides", ratio_with_start(ours, side), "×"),
        ]
    share = 100 * phones_found(phones, ours.typical.rows) / len(phones)
    return [*found, Figure("phones_in_the_race", "phones found in the race, ours", share, "%", at_least=99)]
