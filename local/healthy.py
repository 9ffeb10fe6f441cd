"""Does it answer?  Asked by the start while it waits, and by the health checks of the containers:

    python -m local.healthy http://127.0.0.1:8080/     any answer below 500 is a good one
    python -m local.healthy tcp://127.0.0.1:8081       somebody listens there
    python -m local.healthy worker                     an RQ worker of this host has a heartbeat in Redis

Ends with 0 or 1.
"""

from __future__ import annotations

import http.client
import os
import socket
import sys
from urllib.parse import urlsplit


def answers(host: str, port: int, path: str = "/", timeout_s: float = 2.0) -> bool:
    """Whether a GET there gets any answer below 500; a redirect is an answer and is not followed."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(host: str, port: int, timeout_s: float = 1.0) -> bool:
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def worker_is_alive() -> bool:
    """Whether Redis knows an RQ worker of this host whose key, renewed by its heartbeat, has not run out."""
    import redis  # the only reader that needs a package; the start asks the others before there are any

    known = redis.Redis.from_url(os.environ["REDIS_URL"], socket_timeout=5)
    here = socket.gethostname().encode()
    return any(known.hget(key, "hostname") == here for key in known.smembers("rq:workers"))


def main(asked: str) -> int:
    if asked == "worker":
        return 0 if worker_is_alive() else 1
    at = urlsplit(asked)
    host, port = at.hostname or "127.0.0.1", at.port or 80
    is_well = listens(host, port) if at.scheme == "tcp" else answers(host, port, at.path or "/")
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
