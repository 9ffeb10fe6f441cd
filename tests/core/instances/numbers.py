"""Numbers for the stories: made in the state that a story begins in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from core.accounts.rules import TeamId
from core.instances import sessions
from core.instances.official import Credentials
from core.instances.rules import InstanceId, InstanceStatus, Provider
from core.runtime import Runtime
from core.secrets import seal
from core.tables import GatewayLeftover, Instance
from tests.people import People

OWN_PHONE = "+5511900001111"


def add_number(
    runtime: Runtime,
    team_id: TeamId,
    *,
    name: str = "Comercial 1",
    status: InstanceStatus = InstanceStatus.CONNECTED,
    phone: str | None = OWN_PHONE,
    gateway_name: str | None = None,
    **columns: Any,
) -> InstanceId:
    """Known at the gateway under `gateway_name`, or under a name of its own."""
    with runtime.work() as work:
        row = Instance(team_id=team_id, name=name, status=status, phone=phone, gateway_id="g-1", **columns)
        row.terms_accepted_at = work.now
        work.session.add(row)
        work.session.flush()
        row.gateway_name = gateway_name or sessions.new_name(InstanceId(row.id))
        return InstanceId(row.id)


CREDENTIALS = Credentials(
    phone_number_id="106540352242922",
    account_id="102290129340398",
    access_token="EAAJBsimulatedAccessToken000000000001",
    app_secret="0123456789abcdef0123456789abcdef",
)


def add_official_number(
    runtime: Runtime, team_id: TeamId, *, credentials: Credentials = CREDENTIALS, **columns: Any
) -> InstanceId:
    sealed = seal(runtime.settings.secret_key, credentials.to_text())
    made = add_number(runtime, team_id, provider=Provider.META, gateway_token=sealed, **columns)
    change(runtime, made, gateway_id=credentials.phone_number_id)
    return made


def number(runtime: Runtime, instance_id: InstanceId) -> Instance:
    with runtime.work() as work:
        return work.session.get_one(Instance, instance_id)


def change(runtime: Runtime, instance_id: InstanceId, **columns: Any) -> None:
    with runtime.work() as work:
        row = work.session.get_one(Instance, instance_id)
        for name, value in columns.items():
            setattr(row, name, value)


def leftovers(runtime: Runtime) -> list[str]:
    with runtime.work() as work:
        return [row.gateway_name for row in work.session.query(GatewayLeftover).order_by(GatewayLeftover.wanted_at)]


def ago(runtime: Runtime, **span: float) -> Any:
    with runtime.work() as work:
        return work.now - timedelta(**span)


def name_at_gateway(people: People, instance_id: InstanceId) -> str:
    name = number(people.runtime, instance_id).gateway_name
    assert name is not None
    return name
