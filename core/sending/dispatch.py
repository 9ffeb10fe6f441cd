"""Derives from the rows which jobs there should be: Redis may forget them at any moment.  Called by the timetable."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.campaigns.windows import is_open
from core.campaigns.windows import local_day as local_day_of
from core.errors import BadInput
from core.jobs import Reconcile, SendDue
from core.sending import answers, queries
from core.sending.queries import Waiting
from core.sending.rules import local_day, room
from core.work import Work

# A job takes about as long to start; a slot that opens meanwhile is met in time.
SOON = timedelta(seconds=2)


def due_instances(work: Work) -> int:
    """Wakes a sender for each number that could write to somebody now, and at which nobody is at work; how many."""
    answers.follow_replaced_numbers(work)
    due = writing_by(work, work.now + SOON)
    for job in due.values():
        work.later(job)
    return len(due)


def writing_by(work: Work, by: datetime) -> dict[int, SendDue]:
    """The numbers that could write to somebody by then, and at which nobody is at work; each with what would do it."""
    due = {job.instance_id: job for job in answers.numbers_due(work, by)}
    for waiting in queries.waiting(work.session, work.now, by):
        if waiting.instance_id not in due and _may_write(work, waiting):
            due[waiting.instance_id] = SendDue(waiting.instance_id, waiting.epoch)
    return due


def _may_write(work: Work, waiting: Waiting) -> bool:
    """As the claim will see it; here only to spare the senders jobs that would find nothing to do."""
    if not room(waiting.number_cap, waiting.number_count, local_day(waiting.number_timezone, work.now)):
        return False
    campaign = waiting.campaign
    try:
        window = campaign.window()
    except BadInput:
        return False
    hours = campaign.local_time or is_open(window, work.now)
    return hours and room(campaign.per_day, campaign.count, local_day_of(window, work.now)) > 0


def look_for_evidence(work: Work) -> int:
    """Has the history of every number with messages in doubt looked into; how many numbers."""
    numbers = queries.numbers_in_doubt(work.session)
    for instance_id, epoch in numbers:
        work.later(Reconcile(instance_id, epoch))
    return len(numbers)
