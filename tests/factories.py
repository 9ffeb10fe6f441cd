"""What the stories of sending are made of: a team, its number, its leads and a campaign that runs.

Rows are written as they stand after a start, so that a story of the sender needs nobody's service but the sender's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, case, cast, func, select, text, update
from sqlalchemy.orm import Session

from core.campaigns.rules import CampaignId, CampaignStatus
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.phones import phone_hash
from core.leads.rules import PhoneType, fold
from core.runtime import Runtime
from core.tables import (
    Attempt,
    Campaign,
    CampaignCounter,
    CampaignInstance,
    CampaignLead,
    CampaignStep,
    Instance,
    Lead,
    Message,
    Team,
    WrittenLead,
)

TEXT = "Oi, {empresa}! Podemos conversar?"
LINE = "Se preferir não receber, responda SAIR."
ALL_WEEK = [1, 2, 3, 4, 5, 6, 7]


def phone_of(n: int) -> str:
    """(11) 90000-xxxx, no two alike; never one that the sandbox makes special by its last digits."""
    return f"+551190000{n:04d}"


@dataclass
class Scene:
    """One team with one number; `campaign_id` runs from it to `leads`, in that order."""

    runtime: Runtime
    team_id: int
    instance_id: InstanceId
    campaign_id: CampaignId
    leads: list[int] = field(default_factory=list)

    # ------------------------------------------------------------ to look

    def recipients(self, campaign_id: CampaignId | None = None) -> list[CampaignLead]:
        asked = select(CampaignLead).where(CampaignLead.campaign_id == (campaign_id or self.campaign_id))
        with self.runtime.work() as work:
            return list(work.session.scalars(asked.order_by(CampaignLead.id)))

    def statuses(self, campaign_id: CampaignId | None = None) -> Counter[str]:
        return Counter(row.status.value for row in self.recipients(campaign_id))

    def instance(self) -> Instance:
        with self.runtime.work() as work:
            return work.session.get_one(Instance, self.instance_id)

    def campaign(self) -> Campaign:
        with self.runtime.work() as work:
            return work.session.get_one(Campaign, self.campaign_id)

    def messages(self) -> list[Message]:
        with self.runtime.work() as work:
            return list(work.session.scalars(select(Message).order_by(Message.id)))

    def attempts(self) -> list[Attempt]:
        with self.runtime.work() as work:
            return list(work.session.scalars(select(Attempt).order_by(Attempt.id)))

    # ------------------------------------------------------------ to change

    def set_instance(self, **values: Any) -> None:
        self._change(update(Instance).where(Instance.id == self.instance_id).values(**values))

    def set_campaign(self, campaign_id: CampaignId | None = None, **values: Any) -> None:
        """Also what the database refuses: that an end begins again."""
        self._rewrite(update(Campaign).where(Campaign.id == (campaign_id or self.campaign_id)).values(**values))

    def set_recipient(self, recipient_id: int, **values: Any) -> None:
        """Also what the database refuses: that whoever was written to waits again."""
        self._rewrite(update(CampaignLead).where(CampaignLead.id == recipient_id).values(**values))

    def sleep(self, time: timedelta) -> None:
        """Everything that this number and its people wait for lies so much nearer: as if the time had passed."""
        with self.runtime.work() as work:
            for statement in (
                "update instances set next_send_at = next_send_at - :t, lease_until = lease_until - :t",
                "update campaign_leads set not_before = not_before - :t, claimed_at = claimed_at - :t,"
                " lease_until = lease_until - :t",
                "update messages set at = at - :t",
            ):
                work.session.execute(text(statement), {"t": time})

    def _rewrite(self, statement: Any) -> None:
        table = statement.table.name
        with self.runtime.work() as work:
            work.session.execute(text(f"alter table {table} disable trigger keep_the_end"))
            work.session.execute(statement)
            work.session.execute(text(f"alter table {table} enable trigger keep_the_end"))

    def _change(self, statement: Any) -> None:
        with self.runtime.work() as work:
            work.session.execute(statement)


def make_scene(
    runtime: Runtime,
    n: int = 3,
    *,
    team: str = "Clínica do Prumo",
    in_team: int | None = None,
    gap_s: int = 0,
    **campaign: Any,
) -> Scene:
    """A team, a connected number, `n` leads, and a campaign that runs to all of them at any hour.

    The product knows no pause below a second; in a story without one (`gap_s` 0) its database allows it.
    """
    with runtime.work() as work:
        if gap_s == 0:
            for table in ("instances", "campaigns"):
                work.session.execute(text(f"alter table {table} drop constraint if exists ck_{table}_gap"))
        if in_team is None:
            row = Team(name=team)
            work.session.add(row)
            work.session.flush()
            in_team = row.id
    team_id = in_team
    instance_id = make_instance(runtime, team_id, gap_min_s=gap_s, gap_max_s=gap_s)
    leads = make_leads(runtime, team_id, range(1, n + 1))
    pace = {"gap_min_s": gap_s, "gap_max_s": gap_s}
    campaign_id = make_campaign(runtime, team_id, [instance_id], leads, **pace | campaign)
    return Scene(runtime, team_id, instance_id, campaign_id, leads)


def make_instance(runtime: Runtime, team_id: int, name: str = "vendas-01", **values: Any) -> InstanceId:
    columns: dict[str, Any] = {
        "team_id": team_id,
        "name": name,
        "gateway_name": f"t{team_id}-{name}",
        "status": InstanceStatus.CONNECTED,
        "gap_min_s": 1,
        "gap_max_s": 1,
        "per_day": 1000,
        "rest_after": 0,
    }
    with runtime.work() as work:
        row = Instance(**columns | values)
        work.session.add(row)
        work.session.flush()
        return InstanceId(row.id)


def make_leads(runtime: Runtime, team_id: int, numbers: Iterable[int], **values: Any) -> list[int]:
    with runtime.work() as work:
        rows = [_lead(runtime, team_id, n, values) for n in numbers]
        work.session.add_all(rows)
        work.session.flush()
        return [row.id for row in rows]


def _lead(runtime: Runtime, team_id: int, n: int, values: dict[str, Any]) -> Lead:
    columns: dict[str, Any] = {
        "team_id": team_id,
        "place_key": f"test:{n}",
        "name": f"Loja Invenção {n}",
        "name_folded": fold(f"Loja Invenção {n}"),
        "phone": phone_of(n),
        "phone_type": PhoneType.MOBILE,
        "phone_hash": phone_hash(runtime.settings.secret_key, phone_of(n)),
    }
    return Lead(**columns | values)


def note_sent(session: Session, lead: Lead, at: datetime | None) -> None:
    """It was last written to then; with None it never was."""
    if at is not None:
        session.merge(WrittenLead(lead_id=lead.id, team_id=lead.team_id, last_sent_at=at))


def last_sent_at(session: Session, lead_id: int) -> datetime | None:
    return session.scalar(select(WrittenLead.last_sent_at).where(WrittenLead.lead_id == lead_id))


def make_campaign(
    runtime: Runtime,
    team_id: int,
    instances: list[InstanceId],
    leads: list[int],
    *,
    message: str = TEXT,
    **values: Any,
) -> CampaignId:
    """Running since now, at any hour of any day, with a recipient for each lead."""
    with runtime.work() as work:
        columns: dict[str, Any] = {
            "team_id": team_id,
            "name": "Clínicas",
            "status": CampaignStatus.RUNNING,
            "started_at": work.now,
            "opt_out_line": LINE,
            "window_start_min": 0,
            "window_end_min": 1440,
            "weekdays": ALL_WEEK,
            "skip_holidays": False,
            "gap_min_s": 1,
            "gap_max_s": 1,
            "per_day": 10_000,
            "total": len(leads),
        }
        row = Campaign(**columns | values)
        work.session.add(row)
        work.session.flush()
        work.session.add(CampaignStep(campaign_id=row.id, position=0, team_id=team_id, text=message))
        work.session.add_all(
            CampaignInstance(campaign_id=row.id, instance_id=each, team_id=team_id) for each in instances
        )
        found = {lead.id: lead for lead in work.session.scalars(select(Lead).where(Lead.id.in_(leads)))}
        work.session.add_all(
            CampaignLead(
                team_id=team_id,
                campaign_id=row.id,
                lead_id=lead_id,
                lead_name=found[lead_id].name,
                phone=found[lead_id].phone,
                phone_hash=found[lead_id].phone_hash,
                instance_id=instances[n % len(instances)] if instances else None,
            )
            for n, lead_id in enumerate(leads)
        )
        return CampaignId(row.id)


def counters_and_counts(runtime: Runtime) -> tuple[dict[tuple[int, str], int], dict[tuple[int, str], int]]:
    """What triggers have counted, and what there is; the two must be the same after every story."""
    with runtime.work() as work:
        counted = work.session.execute(
            select(CampaignCounter.campaign_id, CampaignCounter.name, CampaignCounter.n).where(CampaignCounter.n != 0)
        )
        name = case(
            (CampaignLead.step == 0, cast(CampaignLead.status, String)),
            else_="again_" + cast(CampaignLead.status, String),
        )
        is_there = work.session.execute(
            select(CampaignLead.campaign_id, name, func.count()).group_by(CampaignLead.campaign_id, name)
        )
        statuses = {(campaign, status): n for campaign, status, n in is_there}
        names = {name for _, name in statuses}
        return {(c, name): n for c, name, n in counted if name in names}, statuses
