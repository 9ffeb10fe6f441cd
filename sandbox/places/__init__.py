"""The demo Places API: answers as Google's official one does, about the invented city, for a key that is no secret.

`with run_in_thread(City(size=2_000)) as api:` gives a test `api.url`, `api.behave(refuses="quota")` and, in
`api.server`, what was asked.  `python -m sandbox.places` runs it for good.
"""

from .app import KEY, Faults, Server, create_app
from .serving import Running, run_in_thread, serve

__all__ = ["KEY", "Faults", "Running", "Server", "create_app", "run_in_thread", "serve"]
