"""What is forgotten with age, so that no table grows for ever.  What was sent, answered and opted out stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import delete, or_, select

from core.leads.sites import forget_sites
from core.runtime import Runtime
from core.sending.inbox import forget_applied
from core.tables import SessionRow
from core.work import Work

PORTION = 5_000  # rows of one transaction: nobody waits long behind it
MOST_PORTIONS = 20  # of one evening; the rest is left for the next
KEEP_SESSIONS = timedelta(days=30)  # after their end, for whoever asks who was signed in


def forget_old(runtime: Runtime) -> int:
    """Applied webhooks, ended sign-ins and websites of nobody's leads, in portions; how many rows went."""
    return sum(_in_portions(runtime, forget) for forget in (forget_applied, forget_sessions, forget_sites))


def forget_sessions(work: Work, *, at_most: int = PORTION) -> int:
    before = work.now - KEEP_SESSIONS
    old = select(SessionRow.id).where(or_(SessionRow.ended_at < before, SessionRow.expires_at < before)).limit(at_most)
    gone = work.session.scalars(delete(SessionRow).where(SessionRow.id.in_(old)).returning(SessionRow.id))
    return len(gone.all())


def _in_portions(runtime: Runtime, forget: Callable[..., int]) -> int:
    total = 0
    for _ in range(MOST_PORTIONS):
        with runtime.work() as work:
            n = forget(work, at_most=PORTION)
        total += n
        if n < PORTION:
            break
    return total
