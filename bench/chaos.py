"""The proof that the sending engine never repeats and never forgets: `./run chaos [--only NAME,…] [--rounds N] …`.

Real senders, a real timetable and receiver, PostgreSQL with fsync and Valkey, all its own; a simulated WhatsApp whose
ledger of what left is the judge.  Each storm is told in rounds; a round is a campaign, and ends when everything has
come to rest.  What may never happen is counted, and has to be 0: written to twice, lost, marked sent but not sent, sent
but not marked.

--only kills-3,redis takes these alone; --rounds and --contacts set the size (3 × 200; on demand 50 × 1,000), --at-once
how many rounds are told side by side, --seed tells a round again, --write brings docs/benchmarks.md up to date.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence

from local.errors import CannotStart

ROUNDS, CONTACTS, AT_ONCE = 3, 200, 3
MOST_CONTACTS = 9_000  # telephone numbers of the invented people


def main(arguments: Sequence[str]) -> int:
    from bench.storms import measured

    asked = wish(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return measured.main(asked)
    except CannotStart as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "chaos", "is_met": False, "failed": str(why)}))
        return 1


def wish(arguments: Sequence[str]) -> argparse.Namespace:
    from bench.storms.stories import STORIES

    doc = (__doc__ or "").splitlines()
    told = "\n".join(f"  {story.name:<12}{story.says}" for story in STORIES.values())
    reader = argparse.ArgumentParser("./run chaos", description=doc[0], epilog="\n".join([*doc[2:], "", told]))
    reader.formatter_class = argparse.RawDescriptionHelpFormatter
    reader.add_argument("--only", help="the storms, with commas between them")
    reader.add_argument("--rounds", type=int, default=ROUNDS, help=f"of each storm ({ROUNDS})")
    reader.add_argument("--contacts", type=int, default=CONTACTS, help=f"people of a round ({CONTACTS})")
    reader.add_argument("--at-once", type=int, default=AT_ONCE, help=f"rounds side by side ({AT_ONCE})")
    reader.add_argument("--seed", type=int, default=1, help="of the first round (1)")
    reader.add_argument("--write", action="store_true", help="brings docs/benchmarks.md up to date")
    asked = reader.parse_args(arguments)
    asked.only = asked.only.split(",") if asked.only else list(STORIES)
    if unknown := [name for name in asked.only if name not in STORIES]:
        reader.error(f"there is no storm {', '.join(unknown)}; there are {', '.join(STORIES)}")
    if not 1 <= asked.contacts <= MOST_CONTACTS or asked.rounds < 1 or asked.at_once < 1:
        reader.error(f"rounds and --at-once are 1 or more, contacts 1 to {MOST_CONTACTS}")
    return asked


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
