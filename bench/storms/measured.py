"""All rounds of the storms, some side by side, and what is made of them."""

from __future__ import annotations

import argparse
import datetime
import json
import logging
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.searching import page
from bench.searching.figures import Figure, figures_table, is_met, shown, table
from bench.searching.measured import say, watched_load
from bench.searching.surroundings import machine
from bench.storms import round as rounds
from bench.storms.points import POINTS
from bench.storms.processes import Nursery
from bench.storms.round import Outcome, Story, Surroundings
from bench.storms.servers import Postgres, postgres_of_our_own, valkey_of_our_own
from bench.storms.stories import STORIES
from local import testing
from local.account import Account, server_account

RESUMES_BAR_S = 30.0
MARKS = ("<!-- bench chaos: begin -->", "<!-- bench chaos: end -->")
KEPT = Path("/tmp/prumo-chaos")  # noqa: S108 - what the processes said in a round that went wrong


def main(asked: argparse.Namespace) -> int:
    logging.disable(logging.CRITICAL)  # the simulated gateway dies by the dozen, and says so each time
    told = testing.clean(os.environ)
    account = server_account(told)
    began = time.monotonic()
    with testing.scratch_folder() as folder, watched_load() as loads:
        with postgres_of_our_own(folder / "shared", told, account) as shared, Nursery() as nursery:
            outcomes = storms(asked, Ground(nursery, folder, shared, account))
    about = machine() | {"load_least": round(min(loads), 2), "load_most": round(max(loads), 2)}
    figures = figures_of(outcomes)
    size = f"{asked.rounds} rounds of {asked.contacts} people each, {asked.at_once} at once"
    took = f"{(time.monotonic() - began) / 60:.1f} minutes"
    print(
        "",
        stories_table(outcomes),
        "",
        figures_table(figures),
        "",
        page.machine_says(about),
        f"{size}; {took}.",
        sep="\n",
    )
    for name, outcome in outcomes.items():
        for offence in outcome.verdict.offences[:20]:
            print(f"{name} (seeds {outcome.seeds}): {offence}")
    if asked.write:
        new = section(outcomes, figures, about, size, took)
        page.PAGE.write_text(page.replaced(page.PAGE.read_text(), new, MARKS))
    print(last_line(outcomes, figures, about, asked), flush=True)
    return 0 if is_met(figures) else 1


@dataclass(frozen=True)
class Ground:
    """What all rounds stand on."""

    nursery: Nursery
    folder: Path
    postgres: Postgres
    account: Account | None


def storms(asked: argparse.Namespace, ground: Ground) -> dict[str, Outcome]:
    """All rounds of all stories, so many side by side: they wait most of their time."""
    outcomes = {name: Outcome() for name in asked.only}
    with ThreadPoolExecutor(asked.at_once, "round") as threads:
        told = {
            threads.submit(one, STORIES[name], asked.contacts, asked.seed + n, ground): name
            for n in range(asked.rounds)
            for name in asked.only
        }
        try:
            for round_ in as_completed(told):
                outcome = round_.result()
                outcomes[told[round_]].add(outcome)
                say(f"{told[round_]}: {in_short(outcome)}")
        except BaseException:
            rounds.GIVEN_UP.set()
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return outcomes


def one(story: Story, contacts: int, seed: int, ground: Ground) -> Outcome:
    here = ground.folder / f"{story.name}-{seed}"
    here.mkdir(mode=0o711)
    here.chmod(0o711)
    told = testing.clean(os.environ)
    with ExitStack() as stack:
        its_own = None
        if story.has_own_postgres:
            its_own = stack.enter_context(postgres_of_our_own(here / "pg", told, ground.account))
        url = stack.enter_context((its_own or ground.postgres).database())
        valkey, redis_url = stack.enter_context(valkey_of_our_own(here / "vk", told, ground.account))
        outcome = rounds.run(story, Surroundings(ground.nursery, here, url, redis_url, valkey, its_own), contacts, seed)
    if outcome.verdict.wrong or (outcome.wait_s or 0.0) > RESUMES_BAR_S:
        KEPT.mkdir(exist_ok=True)
        shutil.copy(here / "processes.log", KEPT / f"{story.name}-{seed}.log")
    shutil.rmtree(here, ignore_errors=True)
    return outcome


# ---------------------------------------------------------------- what is made of it


def in_short(outcome: Outcome) -> str:
    verdict = outcome.verdict
    found = f"{verdict.wrong} wrong" if verdict.wrong else "nothing wrong"
    return (
        f"{found}; {shown(verdict.sent)} of {shown(verdict.contacts)} sent, {verdict.held} held,"
        f" {outcome.kills} kills, {outcome.seconds:.0f} s"
    )


def figures_of(outcomes: Mapping[str, Outcome]) -> list[Figure]:
    total = Outcome()
    for outcome in outcomes.values():
        total.add(outcome)
    verdict = total.verdict
    figures = [
        Figure("twice", "written to twice", verdict.twice, at_most=0),
        Figure("lost", "lost", verdict.lost, at_most=0),
        Figure("false", "marked sent but not sent", verdict.false, at_most=0),
        Figure("unmarked", "sent but not marked", verdict.unmarked, at_most=0),
        Figure("counters", "counters that differ from the rows", verdict.counters_off, at_most=0),
        Figure("contacts", "people in all rounds", verdict.contacts),
        Figure("sent", "… sent, each once", verdict.sent),
        Figure("by_evidence", "… … of these known by evidence, not by the answer", verdict.by_evidence),
        Figure("held_unsent", "… held for a person: nothing had left, which nobody can prove", verdict.held_unsent),
        Figure("held_untold", "… held for a person: it had left, and the gateway kept no trace", verdict.held_untold),
        Figure("ended", "… skipped or failed, with the reason", verdict.ended),
        Figure("kills", "senders killed", total.kills),
        Figure("wait_s", "worst time from a kill to the next message", total.wait_s, "s", at_most=RESUMES_BAR_S),
    ]
    pointed = [outcome for name, outcome in outcomes.items() if STORIES[name].points]
    if pointed:
        struck = {point for outcome in pointed for point in outcome.struck}
        figures.append(Figure("points", f"points struck, of {len(POINTS)}", len(struck), at_least=len(POINTS)))
    if "limits" in outcomes:
        for what in ("gap", "cap", "window", "opt-out", "pause"):
            broken = outcomes["limits"].verdict.broken[what]
            figures.append(Figure(f"after_{what}", f"messages against the {what}", broken, at_most=0))
    return figures


def stories_table(outcomes: Mapping[str, Outcome]) -> str:
    head = ("storm", "what is done", "people", "sent", "held", "skipped", "kills", "twice", "lost", "false", "unmarked")
    head += ("worst wait s", "s a round")
    rows = []
    for name, outcome in outcomes.items():
        verdict = outcome.verdict
        counts = (verdict.contacts, verdict.sent, verdict.held, verdict.ended, outcome.kills)
        wrong = (verdict.twice, verdict.lost, verdict.false, verdict.unmarked)
        rows.append(
            [
                name,
                STORIES[name].says,
                *map(shown, counts),
                *map(str, wrong),
                "–" if outcome.wait_s is None else f"{outcome.wait_s:.1f}",
                f"{outcome.seconds:.0f}",
            ]
        )
    return table(head, rows)


def section(
    outcomes: Mapping[str, Outcome], figures: Sequence[Figure], about: Mapping[str, Any], size: str, took: str
) -> str:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    done = [f"- {name}: {', '.join(f'{n} × {what}' for what, n in told)}" for name, told in all_done(outcomes)]
    parts = [
        f"{today}. {page.machine_says(about)} {size}; {took}.",
        stories_table(outcomes),
        figures_table(figures),
        "\n".join(done),
    ]
    return "\n\n".join(part for part in parts if part)


def all_done(outcomes: Mapping[str, Outcome]) -> list[tuple[str, list[tuple[str, int]]]]:
    """What was done beside the kills, by storm."""
    both = {name: outcome.done + outcome.struck for name, outcome in outcomes.items()}
    return [(name, sorted(told.items())) for name, told in both.items() if told]


def last_line(
    outcomes: Mapping[str, Outcome], figures: Sequence[Figure], about: Mapping[str, Any], asked: argparse.Namespace
) -> str:
    told = {
        "bench": "chaos",
        "machine": dict(about),
        "rounds": asked.rounds,
        "people": asked.contacts,
        "figures": {figure.key: figure.as_json() for figure in figures},
        "storms": {
            name: {
                "seeds_wrong": outcome.seeds,
                "wrong": outcome.verdict.wrong,
                "held": outcome.verdict.held,
                "kills": outcome.kills,
                "done": dict(outcome.done + outcome.struck),
            }
            for name, outcome in outcomes.items()
        },
        "not_measured": [figure.key for figure in figures if figure.value is None],
        "is_met": is_met(figures),
    }
    return json.dumps(told, ensure_ascii=False)
