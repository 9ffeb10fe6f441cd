"""Who is behind an address of WhatsApp: a telephone number, or a hidden id (`…@lid`) that we have learned.

WhatsApp tells the same person now under the number, with or without its ninth digit, now under the hidden id alone.
An answer that we cannot ascribe is an opt-out that we may miss, so every pairing that is told is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.accounts.rules import TeamId
from core.instances.rules import InstanceId
from core.leads.phones import from_address, phone_hash
from core.tables import Message, WhatsAppAddress
from core.work import Work


@dataclass(frozen=True)
class Person:
    """`phone` is E.164; None where it was erased and only its hash is known."""

    phone: str | None
    phone_hash: bytes


def person_of_phone(work: Work, e164: str) -> Person:
    return Person(e164, phone_hash(work.settings.secret_key, e164))


def person_behind(
    work: Work, team_id: TeamId, instance_id: InstanceId, addresses: Sequence[str], quoted_id: str | None = None
) -> Person | None:
    """By the number, by what was learned, or by the message of ours that they answer to; None where all three fail."""
    phone = next((e164 for e164 in map(_phone_of, addresses) if e164 is not None), None)
    if phone is not None:
        return person_of_phone(work, phone)
    known = work.session.execute(
        select(WhatsAppAddress.phone, WhatsAppAddress.phone_hash)
        .where(WhatsAppAddress.team_id == team_id, WhatsAppAddress.address.in_(addresses))
        .limit(1)
    ).first()
    if known is not None:
        return Person(known.phone, known.phone_hash)
    return _person_quoted(work, instance_id, quoted_id) if quoted_id is not None else None


def _person_quoted(work: Work, instance_id: InstanceId, quoted_id: str) -> Person | None:
    quoted = work.session.execute(
        select(Message.phone, Message.phone_hash).where(
            Message.instance_id == instance_id,
            Message.gateway_message_id == quoted_id,
            Message.direction == "out",
        )
    ).first()
    return Person(quoted.phone, quoted.phone_hash) if quoted is not None and quoted.phone_hash is not None else None


def learn(work: Work, team_id: TeamId, person: Person, addresses: Iterable[str]) -> list[str]:
    """Keeps the addresses that do not name their number by themselves; returns those that are news to us."""
    hidden = sorted({address for address in addresses if _phone_of(address) is None})
    if not hidden:
        return []
    row = insert(WhatsAppAddress).values(
        [
            {"team_id": team_id, "address": each, "phone": person.phone, "phone_hash": person.phone_hash}
            for each in hidden
        ]
    )
    return list(
        work.session.scalars(
            row.on_conflict_do_update(
                index_elements=["team_id", "address"],
                set_={"phone": row.excluded.phone, "phone_hash": row.excluded.phone_hash, "seen_at": work.now},
                where=WhatsAppAddress.phone_hash != row.excluded.phone_hash,
            ).returning(WhatsAppAddress.address)
        )
    )


def names_a_phone(address: str) -> bool:
    """What does not is a hidden address, of which only something else can tell whose it is."""
    return _phone_of(address) is not None


def _phone_of(address: str) -> str | None:
    """A channel of Evolution's own names people by their bare digits."""
    return from_address(address if "@" in address else f"{address}@s.whatsapp.net")
