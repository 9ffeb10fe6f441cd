"""What is waited for before a campaign runs: `./run bench campaign [--people N]`.

The audience counted with its reasons, Start pressed, the queue built, the counters and all of its page read: for
100,000 leads of a team with a past, on a PostgreSQL of the bench's own.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from bench.searching.surroundings import own_house
from local.errors import CannotStart

PEOPLE = 100_000


def main(arguments: Sequence[str]) -> int:
    """In a process of its own beside the servers, so that Ctrl-C ends it and then them."""
    doc = (__doc__ or "").splitlines()
    reader = argparse.ArgumentParser("./run bench campaign", description=doc[0], epilog="\n".join(doc[2:]))
    reader.add_argument("--people", type=int, default=PEOPLE, help=f"leads of the team ({PEOPLE})")
    people = reader.parse_args(arguments).people
    try:
        with own_house(needs_browser=False) as (supervisor, told):
            return supervisor.foreground([sys.executable, "-m", "bench.sending.beginning", str(people)], told)
    except CannotStart as why:
        print(why, file=sys.stderr)
        print(json.dumps({"bench": "campaign", "is_met": False, "failed": str(why)}))
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
