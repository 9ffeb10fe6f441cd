"""One sender at a time per number: a lease with an epoch, kept in the number's own row.

RQ may run a job twice, and a killed worker's horse may live on: so it is PostgreSQL that says who sends.  Whoever takes
the lease raises the epoch, and with it shuts out everybody before: their claims are refused, and what they had under
way is from then on in doubt.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import text

from core.instances.rules import InstanceId, Provider
from core.jobs import Reconcile
from core.sending import answers, queries
from core.sending.rules import LEASE
from core.work import Work


@dataclass(frozen=True)
class Lease:
    instance_id: InstanceId
    team_id: int
    epoch: int
    provider: Provider = Provider.EVOLUTION
    sealed: bytes | None = field(default=None, repr=False)


ACQUIRE = text("""
update instances
set lease_owner = :owner, lease_epoch = lease_epoch + 1, lease_until = clock_timestamp() + :length
where id = :id and status <> 'removed' and (lease_until is null or lease_until < clock_timestamp())
returning team_id, lease_epoch, provider, gateway_token
""")

# What was on the wire then may have left at any moment until now: the gap counts from here.
REST_AFTER_ORPHANS = text("""
update instances set next_send_at = greatest(next_send_at, clock_timestamp() + make_interval(secs => gap_min_s))
where id = :id
""")

RENEW = text("""
update instances set lease_until = clock_timestamp() + :length
where id = :id and lease_epoch = :epoch and lease_until is not null
""")

RELEASE = text("""
update instances set lease_owner = null, lease_until = null where id = :id and lease_epoch = :epoch
""")


def acquire(work: Work, instance_id: InstanceId, owner: str) -> Lease | None:
    """None while somebody else has it.  Rows still `sending` under an older epoch become `unconfirmed` at once."""
    row = work.session.execute(ACQUIRE, {"id": instance_id, "owner": owner, "length": LEASE}).one_or_none()
    if row is None:
        return None
    lease = Lease(instance_id, row.team_id, row.lease_epoch, Provider(row.provider), row.gateway_token)
    recipients = len(queries.doubt_orphans(work.session, instance_id, lease.epoch))
    if recipients + answers.doubt_orphans(work, instance_id, lease.epoch):
        work.session.execute(REST_AFTER_ORPHANS, {"id": instance_id})
        work.later(Reconcile(instance_id, lease.epoch))
    return lease


def renew(work: Work, lease: Lease) -> bool:
    """False when the epoch is another's by now; a lease that ran out unnoticed by others is ours again."""
    done = work.session.execute(RENEW, {"id": lease.instance_id, "epoch": lease.epoch, "length": LEASE})
    return bool(done.rowcount)  # type: ignore[attr-defined]


def release(work: Work, lease: Lease) -> None:
    work.session.execute(RELEASE, {"id": lease.instance_id, "epoch": lease.epoch})
