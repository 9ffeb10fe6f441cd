"""What is to be said, to whom, when: pure decisions about a campaign."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

CampaignId = NewType("CampaignId", int)


class CampaignStatus(StrEnum):
    DRAFT = "draft"  # being written; nothing is queued
    SCHEDULED = "scheduled"  # starts by itself at `starts_at`
    RUNNING = "running"  # its recipients are claimed when they are due
    PAUSED = "paused"  # nothing new is claimed; `pause_reason` says why
    FINISHED = "finished"  # every recipient has come to an end
    CANCELLED = "cancelled"  # a person ended it; what was sent stays sent


MAY_FOLLOW: dict[CampaignStatus, set[CampaignStatus]] = {
    CampaignStatus.DRAFT: {CampaignStatus.SCHEDULED, CampaignStatus.RUNNING, CampaignStatus.CANCELLED},
    CampaignStatus.SCHEDULED: {CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.CANCELLED},
    CampaignStatus.RUNNING: {CampaignStatus.PAUSED, CampaignStatus.FINISHED, CampaignStatus.CANCELLED},
    CampaignStatus.PAUSED: {CampaignStatus.RUNNING, CampaignStatus.CANCELLED},
    CampaignStatus.FINISHED: set(),
    CampaignStatus.CANCELLED: set(),
}
