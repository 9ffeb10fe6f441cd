"""What makes a business the same business, and a text a phone: pure decisions about leads."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType

LeadId = NewType("LeadId", int)


class PhoneType(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"  # may have no WhatsApp
    OTHER = "other"  # valid, of another kind (VoIP, shared cost, …)


class OnWhatsApp(StrEnum):
    UNKNOWN = "unknown"  # not checked yet
    YES = "yes"
    NO = "no"
