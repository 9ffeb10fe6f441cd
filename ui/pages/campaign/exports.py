"""A tab of recipients taken away as CSV or as a spreadsheet: streamed in portions, so that no file stands in memory."""

from __future__ import annotations

import codecs
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import BinaryIO

from nicegui import ui
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from core.accounts.rules import Actor
from core.campaigns import exporting
from core.campaigns import service as campaigns
from core.campaigns.exporting import Book, Portion
from core.campaigns.queries import RecipientRow
from core.campaigns.rules import LETTERS, CampaignId
from core.errors import BadInput, DatabaseAway, NotAllowed, NotFound, SignedOut
from core.leads.files import safe_csv
from core.sending.rules import RecipientId
from core.work import Work
from ui.calls import Fault, ask_of
from ui.pages.campaign.saying import state_of, why_words
from ui.parts import safe
from ui.parts.campaign_words import in_zone
from ui.parts.status import STATES
from ui.words import N_, _, speaking

KINDS = {
    "csv": ("text/csv; charset=utf-8", N_("For any program (CSV)")),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", N_("For Excel (XLSX)")),
}
PATH = "/campaigns/{campaign_id:int}/recipients.{kind}"
CHUNK = 64 * 1024


def take(campaign_id: CampaignId, tab: str, kind: str) -> None:
    """Has the browser fetch it."""
    ui.download.from_url(safe.own_path(f"/campaigns/{campaign_id:d}/recipients.{kind}?tab={tab}"))


async def recipients_file(request: Request, campaign_id: int, kind: str, tab: str = "all") -> Response:
    if kind not in KINDS or campaign_id >= 1 << 63:
        return Response(status_code=404)
    file = _File(request, CampaignId(campaign_id), tab)
    try:
        begun = await (file.begin_book() if kind == "xlsx" else file.begin())
    except (NotFound, BadInput):
        return Response(status_code=404)
    except NotAllowed:
        return Response(status_code=403)
    except SignedOut:
        return Response(status_code=401)
    except (DatabaseAway, Fault):
        return Response(status_code=503)
    name = f"{file.stem}-{campaign_id}-{tab}.{kind}"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(begun, media_type=KINDS[kind][0], headers=headers)


class _File:
    """One file on its way.  What it says is in the language of who takes it, the times are those of the campaign.

    The first portion is read before the answer begins, so that whoever may not have it is told so; each asks anew
    whether they still may.
    """

    def __init__(self, request: Request, campaign_id: CampaignId, tab: str) -> None:
        self.scope = request.scope
        self.id = campaign_id
        self.tab = tab
        self.stem = ""
        self._zone = "UTC"
        self._now: datetime | None = None

    async def begin(self) -> AsyncIterator[bytes]:
        first, after = await ask_of(self.scope, self._csv, None)
        return self._rest(first, after)

    async def _rest(self, first: bytes, after: RecipientId | None) -> AsyncIterator[bytes]:
        yield first
        while after is not None:
            more, after = await ask_of(self.scope, self._csv, after)
            yield more

    def _csv(self, work: Work, actor: Actor, after: RecipientId | None) -> tuple[bytes, RecipientId | None]:
        """On a thread: what is said of two thousand people takes longer than other pages may wait."""
        found = self._portion(work, actor, after)
        with speaking(actor.language):
            said = safe_csv(self._lines(found) if after else [self._begun(), *self._lines(found)])
        return said if after is None else said.removeprefix(codecs.BOM_UTF8), found.next_after

    async def begin_book(self) -> AsyncIterator[bytes]:
        """A spreadsheet is packed at its end, so all of it is on the disk before the answer begins."""
        book, after = await ask_of(self.scope, self._book)
        try:
            while after is not None:
                after = await ask_of(self.scope, self._more, book, after)
            packed = await run_in_threadpool(book.finish)
        except BaseException:
            book.close()
            raise
        return _chunks(book, packed)

    def _book(self, work: Work, actor: Actor) -> tuple[Book, RecipientId | None]:
        found = self._portion(work, actor, None)
        with speaking(actor.language):
            headings = self._begun()
            book = Book(self.stem, headings)
            book.add(self._lines(found))
        return book, found.next_after

    def _more(self, work: Work, actor: Actor, book: Book, after: RecipientId) -> RecipientId | None:
        found = self._portion(work, actor, after)
        with speaking(actor.language):
            book.add(self._lines(found))
        return found.next_after

    def _portion(self, work: Work, actor: Actor, after: RecipientId | None) -> Portion:
        found = exporting.export_recipients(work, actor, self.id, self.tab, after=after)
        if after is None:
            self._zone = campaigns.draft(work, actor, self.id).plan.timezone
        self._now = work.now
        return found

    def _begun(self) -> list[str]:
        """Its headings; and its name, since by now it is known who takes it."""
        self.stem = _("recipients")
        headings = [_("Lead"), _("Phone"), _("By"), _("Variant"), _("State"), _("Why")]
        return [*headings, _("Sent"), _("Delivered"), _("Read"), _("Replied"), _("Opted out")]

    def _lines(self, found: Portion) -> Iterator[list[str]]:
        return (self._line(row) for row in found.rows)

    def _line(self, row: RecipientRow) -> list[str]:
        times = (row.sent_at, row.delivered_at, row.read_at, row.replied_at, row.opted_out_at)
        assert self._now is not None
        return [
            row.name,
            row.phone,
            row.instance_name or "",
            _("2nd message") if row.step else LETTERS[row.variant],
            _(STATES["recipient"][state_of(row)].words),
            why_words(row, self._zone, self._now),
            *(f"{in_zone(at, self._zone):%Y-%m-%d %H:%M}" if at is not None else "" for at in times),
        ]


async def _chunks(book: Book, packed: BinaryIO) -> AsyncIterator[bytes]:
    try:
        with packed:
            while chunk := await run_in_threadpool(packed.read, CHUNK):
                yield chunk
    finally:
        book.close()
