"""The demo Overpass: answers as the real one does, about the invented city as its mappers know it.

`with run_in_thread(City(size=2_000)) as osm:` gives a test `osm.url`, `osm.behave(refuses="429")` and, in
`osm.server`, the elements and the questions that were asked.  `python -m sandbox.overpass` runs it for good.
"""

from .app import Faults, Server, create_app
from .serving import Running, run_in_thread, serve
from .tags import Element, is_mapped, shows_phone

__all__ = ["Element", "Faults", "Running", "Server", "create_app", "is_mapped", "run_in_thread", "serve", "shows_phone"]
