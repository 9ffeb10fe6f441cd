"""The search box: which leads have these words in them.

The words of a lead stand in the lead itself.  Finding a part of a word among a million leads takes an index of all
their threes of letters, and keeping that up costs more than all else about storing a lead.  So it is not kept while
leads are stored: their words are filed in `lead_words` afterwards (`filing`).  Triggers note in `unfiled_leads` what is
new or has other words now, in the transaction that writes it, and the search looks at those one by one: what it finds
is right at any moment.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnElement, and_, case, cast, false, func, literal, or_, select, union_all

from core.accounts.rules import TeamId
from core.tables import Lead, LeadWords, UnfiledLead

# Where more leads than these have the words, all of the team are looked at: they come thick enough.
FEW = 20_000
LAST = 2**63 - 1


def fit(patterns: Sequence[str]) -> list[ColumnElement[bool]]:
    """WHERE over `leads`: all of these LIKE patterns fit; without any nobody is meant, never everybody."""
    if not patterns:
        return [false()]
    return [Lead.words.like(pattern) for pattern in patterns]


def are_in(team_id: TeamId, patterns: Sequence[str]) -> list[ColumnElement[bool]]:
    """As `fit`, with one more condition that only says where to look: at what the index finds and what is not filed
    yet, or at every lead of the team.
    """
    if not patterns:
        return fit(patterns)
    filed = (
        select(LeadWords.lead_id)
        .where(LeadWords.team_id == team_id, *(LeadWords.words.like(pattern) for pattern in patterns))
        .limit(FEW + 1)
        .cte()  # of any name: two may meet in one statement
        .prefix_with("materialized")
    )
    unfiled = select(UnfiledLead.lead_id).where(UnfiledLead.team_id == team_id)
    found = func.array(union_all(select(filed.c.lead_id), unfiled).scalar_subquery())
    too_many = select(case((func.count() > FEW, cast(literal(0), BigInteger)))).select_from(filed).scalar_subquery()
    # As a range of ids, since an index answers that, and one from null on at once.
    look_at = or_(Lead.id == func.any(found), and_(Lead.id >= too_many, Lead.id <= LAST))
    return [*fit(patterns), look_at]
