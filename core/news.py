"""Where the workers tell what the open pages listen to."""

from __future__ import annotations

from functools import cache

from redis import ConnectionPool


@cache
def channels_of(redis_url: str) -> str:
    """What a topic's channel begins with.

    Redis separates its databases for keys, but not for channels: without the number, an installation would hear what
    another one on the same Redis tells of its own search 7.
    """
    number = ConnectionPool.from_url(redis_url).connection_kwargs.get("db", 0)
    return f"prumo:live:{number}:"
