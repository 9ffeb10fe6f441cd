"""Columns, constraints and indexes, no behaviour; a file per feature.  Importing this knows them all."""

from core.tables.accounts import AuditEntry, Invite, Membership, SessionRow, SignInTry, Team, User
from core.tables.base import Base
from core.tables.campaigns import Campaign, CampaignCounter, CampaignInstance, CampaignStep
from core.tables.instances import GatewayLeftover, Instance, WebhookEvent, WhatsAppAddress
from core.tables.leads import Lead, LeadNote
from core.tables.optouts import OptOut
from core.tables.searches import Search, SearchCell, SearchFind, SearchLeftOut
from core.tables.sending import Attempt, CampaignLead, EarlyReceipt, Message

__all__ = [
    "Attempt",
    "AuditEntry",
    "Base",
    "Campaign",
    "CampaignCounter",
    "CampaignInstance",
    "CampaignLead",
    "CampaignStep",
    "EarlyReceipt",
    "GatewayLeftover",
    "Instance",
    "Invite",
    "Lead",
    "LeadNote",
    "Membership",
    "Message",
    "OptOut",
    "Search",
    "SearchCell",
    "SearchFind",
    "SearchLeftOut",
    "SessionRow",
    "SignInTry",
    "Team",
    "User",
    "WebhookEvent",
    "WhatsAppAddress",
]
