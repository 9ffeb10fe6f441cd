"""The demo Cloud API: answers as Meta's own one does, for numbers and people that do not exist.

`with run_in_thread() as meta:` gives a test `meta.url`, its `meta.number`, `meta.world.say(…)` for what a person says,
and in `meta.world.ledger` what "WhatsApp" took.  `python -m sandbox.meta` runs it for good.

What becomes of a message hangs on the end of the recipient's number; the table is in `outcomes.py`.
"""

from .app import create_app
from .serving import Running, run_in_thread, serve
from .world import Number, World

__all__ = ["Number", "Running", "World", "create_app", "run_in_thread", "serve"]
