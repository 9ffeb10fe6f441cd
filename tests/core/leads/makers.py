"""Leads for stories: invented businesses with the least that a row needs."""

from __future__ import annotations

from typing import Any

from core.leads.phones import phone_hash
from core.leads.rules import PhoneType, fold, name_key, words_of
from core.runtime import Runtime
from core.tables import Lead


def make_leads(runtime: Runtime, team_id: int, *said: dict[str, Any]) -> list[int]:
    """One lead for each dict of columns; names, keys and words are made where none are given."""
    with runtime.work() as work:
        rows = [_lead(runtime, team_id, n, columns) for n, columns in enumerate(said, start=1)]
        work.session.add_all(rows)
        work.session.flush()
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
    return Lead(**made | columns)
