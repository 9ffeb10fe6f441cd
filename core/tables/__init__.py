"""Columns, constraints and indexes, no behaviour; a file per feature.  Importing this knows them all."""

from core.tables.accounts import AuditEntry, Invite, Membership, SessionRow, SignInTry, Team, User
from core.tables.base import Base
from core.tables.campaigns import (
    Campaign,
    CampaignCounter,
    CampaignInstance,
    CampaignStep,
    MediaFile,
    MessageTemplate,
)
from core.tables.instances import GatewayLeftover, Instance, PhoneCheck, WebhookEvent, WhatsAppAddress
from core.tables.leads import (
    Lead,
    LeadImport,
    LeadNote,
    LeadTag,
    LeadView,
    LeadWords,
    Site,
    Tag,
    UnfiledLead,
    WrittenLead,
)
from core.tables.optouts import OptOut
from core.tables.replies import Answer, Conversation, QuickReply
from core.tables.searches import SavedSearch, Search, SearchCell, SearchFind, SearchLeftOut, SourcePause, SourceUse
from core.tables.sending import Attempt, CampaignLead, EarlyReceipt, Message

__all__ = [
    "Answer",
    "Attempt",
    "AuditEntry",
    "Base",
    "Campaign",
    "CampaignCounter",
    "CampaignInstance",
    "CampaignLead",
    "CampaignStep",
    "Conversation",
    "EarlyReceipt",
    "GatewayLeftover",
    "Instance",
    "Invite",
    "Lead",
    "LeadImport",
    "LeadNote",
    "LeadTag",
    "LeadView",
    "LeadWords",
    "MediaFile",
    "Membership",
    "Message",
    "MessageTemplate",
    "OptOut",
    "PhoneCheck",
    "QuickReply",
    "SavedSearch",
    "Search",
    "SearchCell",
    "SearchFind",
    "SearchLeftOut",
    "SessionRow",
    "SignInTry",
    "Site",
    "SourcePause",
    "SourceUse",
    "Tag",
    "Team",
    "UnfiledLead",
    "User",
    "WebhookEvent",
    "WhatsAppAddress",
    "WrittenLead",
]
