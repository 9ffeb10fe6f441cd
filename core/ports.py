"""What we ask of the world, and the values that cross the border.

Each port is made real in `core/integrations/`, and a PlaceSource that needs a browser in `workers/scraper/browser.py`,
and faked in tests at its HTTP edge.  Nothing here knows Evolution's or Google's shapes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from core.jobs import Job
from core.leads.contacts import Contacts
from core.leads.rules import SiteReason

# ---------------------------------------------------------------- WhatsApp


class LinkState(StrEnum):
    """What a gateway says of the link between a number and WhatsApp."""

    CLOSED = "closed"  # not linked; a QR or a new start is needed
    CONNECTING = "connecting"  # a QR is shown, or the link is being made again
    OPEN = "open"  # messages can go
    ABSENT = "absent"  # the gateway does not know this instance
    UNKNOWN = "unknown"  # the gateway did not say


class RejectedKind(StrEnum):
    """Why a message was surely not sent."""

    RECIPIENT = "recipient"  # this number cannot receive; never again
    OPTED_OUT = "opted_out"  # this person has told WhatsApp to stop what this business sends
    CONTENT = "content"  # the message itself is refused
    NOT_CONNECTED = "not_connected"  # the number is not linked now; later, again
    THROTTLED = "throttled"  # too fast; later, again
    CONFIG = "config"  # key, instance or licence: stop the number, tell a person


@dataclass(frozen=True)
class Capabilities:
    """What pages and rules may count on, so that they never ask for a provider's name.

    `free_text_window_h`: after a person wrote, so many hours long they may be written to freely, else by a template
    only; None: always.
    """

    qr: bool
    pairing_code: bool
    number_check: bool
    lookup_sent: bool
    free_text: bool
    max_in_flight: int
    max_text: int
    templates: bool = False
    media: bool = True
    free_text_window_h: int | None = None
    delivery_status: bool = True
    read_status: bool = True


@dataclass(frozen=True)
class GatewayInstance:
    """An instance as created at the gateway: its name there, and the token that its calls may carry.

    `token` is empty where the gateway makes none.
    """

    name: str
    gateway_id: str
    token: str


@dataclass(frozen=True)
class Qr:
    """A code to be scanned: `text` is what the QR says.  A new one comes about every 45 s."""

    text: str
    count: int
    pairing_code: str | None = None


class Quality(StrEnum):
    """What WhatsApp itself thinks of a business number, by how people take its messages."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True)
class LinkReport:
    """What the gateway says now; `phone` is the number's own E.164 once it is known.

    `people_per_day`: so many different people may be written to first within 24 hours; None where there is no such
    limit, or none was told.
    """

    state: LinkState
    reason: str = ""
    phone: str | None = None
    profile_name: str | None = None
    people_per_day: int | None = None
    quality: Quality | None = None


LARGEST_MEDIA = 16 << 20


@dataclass(frozen=True)
class Outgoing:
    """One message to one address.  `phone` is E.164, or "" for a hidden `address`, the gateway's own form.

    `reference` is ours, for one attempt: a gateway that can tells it again with what it says of the message.
    """

    phone: str
    text: str
    address: str | None = None
    reference: str | None = None


class MediaKind(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


@dataclass(frozen=True)
class OutgoingMedia:
    """A file to one person.  `content`: its bytes, LARGEST_MEDIA at most, or the https address it is fetched from."""

    phone: str
    kind: MediaKind
    content: bytes | str = field(repr=False)
    mimetype: str = ""
    file_name: str = ""
    caption: str = ""
    reference: str | None = None


@dataclass(frozen=True)
class OutgoingTemplate:
    """A text that the provider has approved, with `values` for its gaps in their order."""

    phone: str
    name: str
    language: str
    values: tuple[str, ...] = ()
    header_values: tuple[str, ...] = ()
    reference: str | None = None


MOST_CHECKED = 50  # more at once look like somebody who tries numbers out


@dataclass(frozen=True)
class NumberFound:
    """Whether a phone, E.164 as it was asked for, is on WhatsApp; None: not told, which is no "no".

    `address` is the gateway's own form of it, `hidden_address` the id (`…@lid`) under which they may write.
    """

    phone: str
    exists: bool | None
    address: str | None = None
    hidden_address: str | None = None


@dataclass(frozen=True)
class Template:
    """One that is known to the provider; only an approved one can be sent.  `text` holds its gaps as {{1}}, {{2}}."""

    name: str
    language: str
    is_approved: bool
    category: str
    text: str


@dataclass(frozen=True)
class Accepted:
    """The gateway took it and gave it an id; whether it arrives is told later by receipts."""

    gateway_message_id: str
    address: str


@dataclass(frozen=True)
class SentRecord:
    """A message that the gateway remembers to have sent, as found in its history or told by a webhook.

    With a `reference` it is that attempt's, whatever its text: a gateway that tells ours again need not tell the text.
    """

    gateway_message_id: str
    addresses: tuple[str, ...]
    text: str
    at: datetime
    reference: str | None = None


@dataclass(frozen=True)
class LinkChanged:
    state: LinkState
    reason: str = ""
    phone: str | None = None
    profile_name: str | None = None
    is_final: bool = False  # logged out, banned or removed: it will not come back by itself


@dataclass(frozen=True)
class QrChanged:
    qr: Qr | None  # None: the gateway has given up making codes


@dataclass(frozen=True)
class MessageSent:
    record: SentRecord


class Receipt(StrEnum):
    """In their order; a later one implies the earlier."""

    SERVER = "server"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"


@dataclass(frozen=True)
class ReceiptCame:
    """`reason`: of one that FAILED, the provider's own code where it told one, such as meta_131026."""

    gateway_message_id: str
    receipt: Receipt
    reason: str | None = None


@dataclass(frozen=True)
class Media:
    """What is known of a file that came, never the file itself; `size` in bytes.  All of it is what a stranger says."""

    mimetype: str = ""
    size: int | None = None
    file_name: str = ""


@dataclass(frozen=True)
class MessageReceived:
    """Somebody wrote to the number.  `addresses` holds every form under which the gateway knows the sender.

    `choice`: where they pressed a button or chose from a list, the id that whoever made it gave to it.
    """

    gateway_message_id: str
    addresses: tuple[str, ...]
    text: str
    kind: str  # text, image, audio, …: what it was when it had no text
    at: datetime
    quoted_id: str | None = None
    media: Media | None = None
    profile_name: str | None = None  # as they call themselves
    choice: str | None = None


@dataclass(frozen=True)
class MessageWritten:
    """The number wrote to somebody, and not through us: its owner typed it on the phone.

    Some gateways echo here what did leave through us: then the id, or the text of a claim, is one of ours.
    """

    gateway_message_id: str
    addresses: tuple[str, ...]
    text: str
    kind: str
    at: datetime


@dataclass(frozen=True)
class OptedOutAtProvider:
    """Somebody told WhatsApp itself that this number is not to write to them any more."""

    addresses: tuple[str, ...]
    reason: str  # the provider's own word for it


GatewayEvent = (
    LinkChanged | QrChanged | MessageSent | ReceiptCame | MessageReceived | MessageWritten | OptedOutAtProvider
)


@dataclass(frozen=True)
class StorableWebhook:
    """A webhook's body as it may be kept: without the gateway's own secrets.

    `instance` is the gateway's name of the one it speaks of; None where the body does not say.
    """

    instance: str | None
    body: bytes


class WhatsApp(Protocol):
    """A gateway to WhatsApp.  No call retries; each has an overall deadline and a size cap.

    Raises Unreachable (nothing left us), Rejected(kind) (surely not done) or OutcomeUnknown (it may have been).
    """

    def capabilities(self) -> Capabilities: ...

    def create(self, name: str, webhook_url: str, webhook_token: str) -> GatewayInstance: ...

    def connect(self, name: str, phone: str | None = None) -> Qr | LinkReport: ...

    def state(self, name: str) -> LinkReport: ...

    def describe(self, name: str) -> LinkReport:
        """As `state`, and also whose number it is or why it is closed: dearer, so only asked when the state is news."""
        ...

    def remove(self, name: str) -> None:
        """Logs out and deletes: a reused session goes deaf.  Not there any more is success."""
        ...

    def restart(self, name: str) -> None:
        """Makes the link again, under the same name and without a new code.  Says nothing of how it stands then."""
        ...

    def check_numbers(self, name: str, phones: Sequence[str]) -> list[NumberFound]:
        """Which of these E.164, MOST_CHECKED at most, are on WhatsApp: one for each, in their order."""
        ...

    def templates(self, name: str) -> list[Template]:
        """Those of the number's business; none where the gateway has no such thing."""
        ...

    async def send_text(self, name: str, message: Outgoing, *, timeout_s: float) -> Accepted: ...

    async def send_media(self, name: str, message: OutgoingMedia, *, timeout_s: float) -> Accepted: ...

    async def send_template(self, name: str, message: OutgoingTemplate, *, timeout_s: float) -> Accepted: ...

    async def close(self) -> None:
        """Lets go of the connections that the sends keep open."""
        ...

    def sent_between(self, name: str, since: datetime, until: datetime) -> list[SentRecord]: ...

    def told_between(
        self, name: str, since: datetime, until: datetime
    ) -> list[MessageReceived | MessageWritten | ReceiptCame]:
        """What the gateway remembers of the messages of this time: each, and its receipts, whenever those came.

        Newest first.  What was sent through us looks as if the owner had written it.
        """
        ...

    def read_webhook(self, body: bytes) -> list[GatewayEvent]:
        """Pure.  Unknown events give an empty list; an unreadable body raises ValueError."""
        ...

    def storable(self, body: bytes) -> StorableWebhook:
        """Pure.  What of a webhook may be stored and logged; takes any bytes."""
        ...


# ---------------------------------------------------------------- the map


class PageOutcome(StrEnum):
    """How one page of the map ended; exactly one of these."""

    OK = "ok"
    END_OF_LIST = "end_of_list"
    NO_RESULTS = "no_results"
    SINGLE_RESULT = "single_result"
    CONSENT = "consent"
    LIMITED_VIEW = "limited_view"
    BLOCKED = "blocked"
    LAYOUT_CHANGED = "layout_changed"


@dataclass(frozen=True)
class Place:
    """What the map said, as it said it; never edited.  None means that it did not say."""

    name: str
    latitude: float | None = None
    longitude: float | None = None
    cid: str | None = None
    place_id: str | None = None
    data_id: str | None = None
    kg_id: str | None = None
    categories: tuple[str, ...] = ()
    address: str | None = None
    street: str | None = None
    neighbourhood: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None
    phone: str | None = None  # as printed, international form where there was one
    website: str | None = None
    email: str | None = None
    rating: float | None = None
    review_count: int | None = None
    price: str | None = None
    plus_code: str | None = None
    timezone: str | None = None
    opening_hours: dict[str, Any] | None = None
    closed: str | None = None  # "permanently" or "temporarily"
    is_claimed: bool | None = None
    thumbnail_url: str | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Box:
    """A rectangle of the map, in degrees."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True)
class PlacePage:
    """One list response: up to 20 places from `offset` on.

    `requests`: how many were made for it, itself among them.  `is_limited`: it is of a reduced view of the source.
    `is_cut_off`: the list stopped here without having come to its end.
    """

    offset: int
    outcome: PageOutcome
    places: tuple[Place, ...] = ()
    note: str = ""
    requests: int = 1
    is_limited: bool = False
    is_cut_off: bool = False


@dataclass(frozen=True)
class PlaceQuery:
    """A term over a circle; `box` is the rectangle of it that this list is about, the whole circle where it is None.

    `expects_many`: there is plenty around it, so that a list which ends at once is to be asked for again.
    """

    term: str
    latitude: float
    longitude: float
    radius_m: int
    language: str
    country: str
    offset: int = 0
    box: Box | None = None
    expects_many: bool = False


class PlaceSource(Protocol):
    def locate(self, place: str, *, language: str, country: str) -> tuple[float, float] | None:
        """Latitude and longitude of a named place, or None when the map does not know it."""
        ...

    def pages(self, query: PlaceQuery) -> Iterator[PlacePage]:
        """From `query.offset` on, until a page whose outcome is not OK; a list that may hold more just stops.

        What the source did is an outcome.  Raises Unreachable where it did not answer, Rejected where it does not take
        our key.
        """
        ...


# ---------------------------------------------------------------- websites


@dataclass(frozen=True)
class SiteRead:
    """What came of reading a website: its contacts, or the reason why there are none."""

    contacts: Contacts | None
    reason: SiteReason | None = None


class WebsiteReader(Protocol):
    def read(self, url: str, *, country: str) -> SiteRead:
        """The home page and at most two more.  Never raises for what a site does, and is over within 45 s."""
        ...


# ---------------------------------------------------------------- jobs


@dataclass(frozen=True)
class JobSeen:
    """A job by its name and the row it is about; `row_id` None where what lies there is none of ours."""

    id: str
    name: str
    row_id: int | None


@dataclass(frozen=True)
class QueueSeen:
    """`oldest_s`: seconds that the next one has waited; None while nothing waits."""

    name: str
    waiting: int
    running: int
    failed: int
    oldest_s: float | None


@dataclass(frozen=True)
class WorkerSeen:
    """`kind` is the queue it works on.  `since`: when its job, or else the worker itself, began."""

    name: str
    kind: str
    state: str
    job: JobSeen | None
    since: datetime | None
    heartbeat_at: datetime | None
    host: str
    pid: int | None


@dataclass(frozen=True)
class FailedJob:
    job: JobSeen
    queue: str
    failed_at: datetime | None
    error: str
    traceback: str


@dataclass(frozen=True)
class QueuesSeen:
    """All of it as it was `at` one moment; `failed` newest first, cut off after some."""

    at: datetime
    queues: list[QueueSeen]
    workers: list[WorkerSeen]
    failed: list[FailedJob]


class JobQueue(Protocol):
    def put(self, job: Job) -> None:
        """Queues it unless the same one waits already.  A lost job is found again by the timetable."""
        ...

    def tell(self, topic: str, payload: dict[str, Any]) -> None:
        """Publishes to whoever looks at this moment.  Best effort: the rows are the truth."""
        ...

    def look(self) -> QueuesSeen:
        """Changes nothing.  Raises Unreachable while the queue is away."""
        ...

    def workers(self, queue: str) -> int:
        """How many processes take the jobs of a queue.  Raises Unreachable while the queue is away."""
        ...

    def retry(self, job_id: str) -> bool:
        """Puts a failed job back; False where there is none of that id.  Raises Unreachable."""
        ...

    def discard(self, job_id: str) -> bool:
        """Takes a failed job away; False where there is none of that id.  Raises Unreachable."""
        ...

    def clean_up(self) -> None:
        """Notices the jobs of workers that died.  Only in the main thread of a process; never in the web's."""
        ...


def unique_in_order(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))
