"""Files the words of leads for the search box, behind whoever stores them; `words` says why."""

from __future__ import annotations

from sqlalchemy import func, select, text

from core.runtime import Runtime
from core.work import Work

FILING = 7102  # our advisory lock
PORTION = 5_000
MOST_PORTIONS = 100
# One that somebody holds is left for the next time; so filing waits for nobody, and nobody long for it.  What is filed
# is never older than the note that it settles: a change that came after has a note of its own.
FILE = text("""
with noted as materialized (
    select team_id, lead_id, id from unfiled_leads order by team_id, lead_id, id limit :most
), held as (
    select l.id, l.team_id, l.words from leads l where l.id in (select lead_id from noted)
    order by l.id for key share skip locked
), filed as (
    insert into lead_words (lead_id, team_id, words) select id, team_id, words from held order by id
    on conflict (lead_id) do update set words = excluded.words where lead_words.words <> excluded.words
), settled as (
    delete from unfiled_leads u using noted n
    where (u.team_id, u.lead_id, u.id) = (n.team_id, n.lead_id, n.id) and (
        exists (select from held where held.id = n.lead_id) or not exists (select from leads l where l.id = n.lead_id)
    )
    returning 1
)
select count(*) from settled
""")


def file_words(runtime: Runtime) -> int:
    """Files what was noted so far, a portion at a time; how many notes that were.  One process does it at a time."""
    filed = 0
    for _ in range(MOST_PORTIONS):
        with runtime.work() as work:
            some = _file_some(work)
        filed += some
        if some < PORTION:
            break
    return filed


def _file_some(work: Work) -> int:
    # Of two that file the same lead the slower one could write words that it read before they were changed.
    if not work.session.scalar(select(func.pg_try_advisory_xact_lock(FILING))):
        return 0
    return work.session.scalar(FILE, {"most": PORTION}) or 0
