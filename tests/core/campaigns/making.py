"""What the stories of campaigns are made of: leads, a number and drafts in Ana's team."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from core.accounts.rules import TeamId
from core.campaigns import queries, service, starting
from core.campaigns.rules import CampaignId, Plan
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.phones import phone_hash
from core.leads.rules import PhoneType
from core.sending.rules import RecipientStatus
from core.tables import Campaign, CampaignLead, Instance, Lead
from tests.factories import note_sent
from tests.people import People

TEXT = "Oi, {empresa}! Aqui é {meu_nome}."


def keep_lead(people: People, n: int, name: str | None = None, *, team: TeamId | None = None, **values: Any) -> int:
    """A business with the mobile (11) 90000-000n, unless `phone` says otherwise (None: without one)."""
    phone = values.pop("phone", f"+551190000{n:04d}")
    team_id = team or people.team_id
    columns = {
        "team_id": team_id,
        "name": name or f"Clínica {n}",
        "name_folded": (name or f"clinica {n}").casefold(),
        "place_key": f"cid:{team_id}-{n}",
        "city": "São Paulo",
        "category": "Dentista",
        "rating": 4.5,
        "phone": phone,
        "phone_type": values.pop("phone_type", PhoneType.MOBILE) if phone else None,
        "phone_hash": phone_hash(people.runtime.settings.secret_key, phone) if phone else None,
        **values,
    }
    known = set(Lead.__table__.columns.keys())
    with people.runtime.work() as work:
        lead = Lead(**{key: value for key, value in columns.items() if key in known})
        work.session.add(lead)
        work.session.flush()
        note_sent(work.session, lead, values.get("last_sent_at"))
        return lead.id


def connect_number(
    people: People, name: str = "Comercial 1", *, team: TeamId | None = None, **values: Any
) -> InstanceId:
    with people.runtime.work() as work:
        instance = Instance(
            team_id=team or people.team_id,
            **{"name": name, "status": InstanceStatus.CONNECTED, "gap_min_s": 1, "gap_max_s": 1, **values},
        )
        work.session.add(instance)
        work.session.flush()
        return InstanceId(instance.id)


def write_draft(people: People, *, who: str = "Bea", **changes: Any) -> CampaignId:
    """A draft of Bea's with a text that greets and signs; its window is the whole week unless told otherwise."""
    all_week = {"weekdays": (1, 2, 3, 4, 5, 6, 7), "window_start_min": 0, "window_end_min": 1440}
    with people.runtime.work() as work:
        campaign_id = service.create_draft(work, people[who], name=changes.pop("name", "Clínicas SP"))
    with people.runtime.work() as work:
        found = service.draft(work, people[who], campaign_id)
        plan = replace(found.plan, **{"text": TEXT, **all_week, "skip_holidays": False, **changes})
        service.save_draft(work, people[who], campaign_id, found.version, plan)
    return campaign_id


def plan_of(people: People, campaign_id: CampaignId) -> Plan:
    with people.runtime.work() as work:
        return queries.draft(work.session, people.team_id, campaign_id).plan


def version_of(people: People, campaign_id: CampaignId) -> int:
    with people.runtime.work() as work:
        return queries.head(work.session, people.team_id, campaign_id).version


def start(people: People, campaign_id: CampaignId, *, who: str = "Bea") -> int | None:
    """Started, and its queue built as the job would; how many are in it."""
    with people.runtime.work() as work:
        service.start(work, people[who], campaign_id, version_of(people, campaign_id))
    return build(people, campaign_id)


def build(people: People, campaign_id: CampaignId) -> int | None:
    with people.runtime.work() as work:
        return starting.build(work, campaign_id)


def campaign(people: People, campaign_id: CampaignId) -> Campaign:
    with people.runtime.work() as work:
        return work.session.get_one(Campaign, campaign_id)


def recipients(people: People, campaign_id: CampaignId) -> list[CampaignLead]:
    with people.runtime.work() as work:
        return list(
            work.session.scalars(
                select(CampaignLead).where(CampaignLead.campaign_id == campaign_id).order_by(CampaignLead.id)
            )
        )


def mark(people: People, recipient_id: int, **values: Any) -> None:
    """As the sender would leave a recipient; `sent` gets its time."""
    with people.runtime.work() as work:
        if values.get("status") in (RecipientStatus.SENT, "sent"):
            values.setdefault("sent_at", work.now)
        values.setdefault("changed_at", values.get("sent_at", work.now))
        work.session.execute(update(CampaignLead).where(CampaignLead.id == recipient_id).values(**values))


def now(people: People) -> datetime:
    with people.runtime.work() as work:
        return work.now


def set_campaign(people: People, campaign_id: CampaignId, **values: Any) -> None:
    with people.runtime.work() as work:
        work.session.execute(update(Campaign).where(Campaign.id == campaign_id).values(**values))


def audit_of(people: People, campaign_id: CampaignId) -> list[tuple[str, str, Mapping[str, Any]]]:
    from core.tables import AuditEntry

    with people.runtime.work() as work:
        rows = work.session.scalars(
            select(AuditEntry)
            .where(AuditEntry.object_type == "campaign", AuditEntry.object_id == campaign_id)
            .order_by(AuditEntry.id)
        )
        return [(row.action, row.user_name, row.details) for row in rows]


HOUR = timedelta(hours=1)
