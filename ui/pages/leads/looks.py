"""How the state of a lead looks."""

from __future__ import annotations

from core.leads.rules import LeadStatus
from ui.parts.status import DOT, Look
from ui.words import N_

LOOKS = {
    LeadStatus.NEW: Look(N_("New"), "", DOT),
    LeadStatus.CONTACTED: Look(N_("Contacted"), "info", "check"),
    LeadStatus.REPLIED: Look(N_("Replied"), "pri", "reply"),
    LeadStatus.OPTED_OUT: Look(N_("Do not contact"), "line", "block"),
}
