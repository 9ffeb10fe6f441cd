"""The sender's jobs: from an id to what core does with it.

Each runs in a horse of its own; the Runtime is made here, after the fork, and closed before the horse ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys

from core.campaigns import starting
from core.campaigns.rules import CampaignId
from core.errors import DatabaseAway
from core.instances.rules import InstanceId
from core.runtime import Runtime
from core.sending import checking, engine
from core.sending import reconcile as reconciling
from core.settings import Settings
from workers import stopping

log = logging.getLogger(__name__)
# The thread that claims asks for its turn after each answer of the database, and would wait 5 ms for each while many
# calls go on: at a gateway that answers at once that is a third of the time.
TURN_S = 0.0005


def send_due(instance_id: int) -> None:
    """Sends what is due from one number.  A database that is away is no failure: the timetable calls again."""
    runtime = Runtime(Settings.from_environment(), pool_size=2)
    try:
        report = asyncio.run(_send_due(runtime, InstanceId(instance_id)))
        if report.settled:
            log.info("number %s: %s sent of %s", instance_id, report.sent, report.settled)
    except DatabaseAway as trouble:
        log.warning("number %s: the database is away (%s)", instance_id, trouble)
    finally:
        runtime.close()


async def _send_due(runtime: Runtime, instance_id: InstanceId) -> engine.Report:
    sys.setswitchinterval(TURN_S)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    if stopping.is_asked():
        stop.set()
    owner = f"{socket.gethostname()}:{os.getpid()}"
    return await engine.send_due(runtime, instance_id, owner=owner, stop=stop)


def build_queue(campaign_id: int) -> None:
    """Puts everybody who receives a campaign into its queue, in one transaction."""
    runtime = Runtime(Settings.from_environment(), pool_size=2, statement_timeout_s=300)
    try:
        with runtime.work() as work:
            total = starting.build(work, CampaignId(campaign_id))
        if total is not None:
            log.info("campaign %s: %s recipients", campaign_id, total)
    except DatabaseAway as trouble:
        log.warning("campaign %s: the database is away (%s)", campaign_id, trouble)
    finally:
        runtime.close()


def reconcile(instance_id: int) -> None:
    """Looks for evidence of the messages of one number whose outcome is not known."""
    runtime = Runtime(Settings.from_environment(), pool_size=2)
    try:
        report = reconciling.reconcile(runtime, InstanceId(instance_id))
        if report.found or report.held:
            log.info("number %s: %s found, %s held", instance_id, report.found, report.held)
    except DatabaseAway as trouble:
        log.warning("number %s: the database is away (%s)", instance_id, trouble)
    finally:
        runtime.close()


def check_phones(instance_id: int) -> None:
    """Asks about the next few phones that somebody wants to know of; the timetable calls for those after them."""
    runtime = Runtime(Settings.from_environment(), pool_size=2)
    try:
        told = checking.check_next(runtime, InstanceId(instance_id))
        if told:
            log.info("number %s: %s phones looked up", instance_id, told)
    except DatabaseAway as trouble:
        log.warning("number %s: the database is away (%s)", instance_id, trouble)
    finally:
        runtime.close()
