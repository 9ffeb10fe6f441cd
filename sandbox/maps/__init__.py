"""The demo map: a site that answers as Google Maps does, about a city that does not exist.

`with run_in_thread(City(size=2_000)) as map:` gives a test `map.url`, `map.behave(consent=True)` and the whole truth in
`map.city`.  `python -m sandbox.maps` runs it for good.  GET /control says what can be switched.
"""

from .app import create_app
from .behaviour import Behaviour, NotUnderstood
from .city import Area, City, Place
from .server import Running, run_in_thread
from .site import Site

__all__ = [
    "Area",
    "Behaviour",
    "City",
    "NotUnderstood",
    "Place",
    "Running",
    "Site",
    "create_app",
    "run_in_thread",
]
