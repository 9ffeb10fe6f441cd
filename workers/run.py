"""An RQ worker: `python -m workers.run sender`, `… scraper` or `… enricher` (files that come in, then websites).

The jobs are imported here, once, before the first fork: RQ's own command would import them again for each job.  Nothing
is opened before the fork, neither a database nor a browser.
"""

from __future__ import annotations

import gc
import importlib
import logging
import sys

from core.errors import BadSetting
from core.jobs import FUNCTIONS
from core.settings import Settings
from workers.rq_workers import KINDS, keep_working, make_worker

# Objects between two looks for garbage.  Python's 700 are a handful of messages, and a seventh of a sender's time.
YOUNG = 20_000


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in KINDS:
        print(f"usage: python -m workers.run {'|'.join(sorted(KINDS))}", file=sys.stderr)
        return 2
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(name)s: %(message)s")
    for name in ("rq.worker", "rq.job"):  # a line for each job and each sweep would drown our own
        logging.getLogger(name).setLevel(logging.WARNING)
    [kind] = arguments
    try:
        settings = Settings.from_environment()
    except BadSetting as wrong:
        print(wrong, file=sys.stderr)
        return 2
    import_jobs(kind)
    keep_working(lambda: make_worker(kind, settings.redis_url))
    return 0


def import_jobs(kind: str) -> None:
    """The modules of this kind's functions.  What they bring lives as long as the process: nobody looks through it for
    garbage again, neither here nor, page by page copied for it, in a horse."""
    modules = {function.rpartition(".")[0] for function in FUNCTIONS.values()}
    for module in sorted(name for name in modules if name.startswith(f"workers.{kind}.")):
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
