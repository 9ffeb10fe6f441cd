"""A plan and a number for the stories of pure decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from core.campaigns.forecast import Sender
from core.campaigns.rules import Audience, LeftOut, NumberChoice, Plan
from core.instances.halts import Halt, HaltReason
from core.instances.rules import InstanceId, InstanceStatus
from core.leads.rules import LeadFilter

ZONE = "America/Sao_Paulo"
PLAN = Plan(
    name="Clínicas",
    audience=LeadFilter(),
    text="Oi, {empresa}! Aqui é {meu_nome}, achei vocês no mapa.",
    opt_out_line="Se preferir não receber, responda SAIR.",
    sender_name="Ana",
    instance_ids=(InstanceId(1),),
    timezone=ZONE,
    weekdays=(1, 2, 3, 4, 5),
    gap_min_s=60,
    gap_max_s=60,
    per_day=100,
)
SENDER = Sender(per_day=200, free_today=200, gap_min_s=1, gap_max_s=1)
NUMBER = NumberChoice(
    InstanceId(1), "Comercial 1", "+5511900001001", InstanceStatus.CONNECTED, False, 200, 200, 45, 120
)
BLOCKED = replace(NUMBER, status=InstanceStatus.DISCONNECTED, halt=Halt(HaltReason.BLOCKED, datetime(2026, 11, 23)))
MANY = Audience(matched=40, recipients=30, left_out={LeftOut.NO_PHONE: 10}, longest=200)


def here(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)


MONDAY = here(2026, 11, 23, 9, 0)
