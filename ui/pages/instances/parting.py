"""The question before a number is disconnected: what is lost with it, and what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.instances import service as instances
from core.instances.queries import NumberCard
from core.instances.rules import InstanceStatus
from ui.calls import do
from ui.parts.confirm import confirm
from ui.words import _

if TYPE_CHECKING:
    from ui.pages.instances import Numbers


def stop_words(number: NumberCard) -> tuple[str, str]:
    """What the deed is called, and its icon: there is nothing to disconnect in a number that is not connected."""
    if number.status is InstanceStatus.CONNECTED:
        return _("Disconnect"), "link_off"
    return _("Remove number"), "delete"


async def part_from(page: Numbers, number: NumberCard) -> None:
    words, _icon = stop_words(number)
    if await confirm(_title(number), _body(number), action=words, hint=_hint(number)):
        done = _("{name} was disconnected") if number.status is InstanceStatus.CONNECTED else _("{name} was removed")
        await do(instances.disconnect, number.id, done=done.format(name=number.name))
        await page.refresh()


def _title(number: NumberCard) -> str:
    if number.status is InstanceStatus.CONNECTED:
        return _("Disconnect {name}?").format(name=number.name)
    return _("Remove {name}?").format(name=number.name)


def _body(number: NumberCard) -> str:
    if number.first_connected_at is None and number.phone is None:
        return _("It was never connected: nothing is lost.")
    return " ".join(
        [
            _("Lost: the connection, and the daily cap that it has reached."),
            _("Kept: all that it sent and heard, its replies, and who asked not to be written to."),
        ]
    )


def _hint(number: NumberCard) -> str:
    if not number.campaigns:
        return ""
    names = ", ".join(campaign.name for campaign in number.campaigns)
    return _("Campaigns that leave from it will wait: {names}.").format(names=names)
