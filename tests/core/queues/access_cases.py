"""Who may look at the queues and mend them: the administrator of the installation, whatever the team."""

from __future__ import annotations

from core.queues import service
from tests.core.access import Arguments, Case, Needs, Stranger
from tests.core.queues.failing import a_failed_job
from tests.people import People


def a_job(people: People) -> Arguments:
    return (a_failed_job(people.runtime),), {}


CASES = [
    Case(service.overview, Needs.ADMIN, Stranger.OWN),
    Case(service.retry, Needs.ADMIN, Stranger.OWN, a_job),
    Case(service.discard, Needs.ADMIN, Stranger.OWN, a_job),
]
