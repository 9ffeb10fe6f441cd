"""Leads for stories: invented businesses with the least that a row needs."""

from __future__ import annotations

from typing import Any

from core.leads.phones import phone_hash
from core.leads.rules import PhoneType, fold, name_key, words_of
from core.runtime import Runtime
from core.tables import Lead
from tests.factories import note_sent


def make_leads(runtime: Runtime, team_id: int, *said: dict[str, Any]) -> list[int]:
    """One lead for each dict of columns; names, keys and words are made where none are given.

    `last_sent_at` beside them: when it was last written to.
    """
    with runtime.work() as work:
        rows = [_lead(runtime, team_id, n, columns) for n, columns in enumerate(said, start=1)]
        work.session.add_all(rows)
        work.session.flush()
        for row, columns in zip(rows, said, strict=True):
            note_sent(work.session, row, columns.get("last_sent_at"))
        return [row.id for row in rows]


def _lead(runtime: Runtime, team_id: int, n: int, columns: dict[str, Any]) -> Lead:
    name = columns.get("name", f"Loja {n}")
    phone = columns.get("phone")
    made: dict[str, Any] = {
        "team_id": team_id,
        "place_key": f"test:{name}:{n}",
        "name": name,
        "name_folded": fold(name),
        "name_key": name_key(name, phone),
        "words": words_of(
            folded_name=fold(name), phone=phone, website=columns.get("website"), address=columns.get("address")
        ),
    }
    if phone:
        made["phone_type"] = PhoneType.MOBILE
        made["phone_hash"] = phone_hash(runtime.settings.secret_key, phone)
    return Lead(**made | {name: value for name, value in columns.items() if name != "last_sent_at"})
