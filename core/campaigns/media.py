"""Files that go with a message: what one may be, kept once for each team, shown to nobody else.

What a file is is told by its first bytes, never by its name or by what the browser says of it.
"""

from __future__ import annotations

import hashlib
import io
import unicodedata
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath

import filetype
from sqlalchemy import Select, func, insert, select, update

from core import audit
from core.accounts.rules import Actor, Role
from core.campaigns.pictures import LONGEST_SIDE, MOST_POINTS, size_of
from core.errors import BadInput, NotFound
from core.ports import LARGEST_MEDIA, MediaKind
from core.tables import MediaFile
from core.work import Work

MB = 1 << 20
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What WhatsApp shows of itself; the rest would arrive as something nobody can open.
KINDS: dict[str, tuple[MediaKind, str]] = {
    "image/jpeg": (MediaKind.IMAGE, ".jpg"),
    "image/png": (MediaKind.IMAGE, ".png"),
    "image/webp": (MediaKind.IMAGE, ".webp"),
    "video/mp4": (MediaKind.VIDEO, ".mp4"),
    "audio/mpeg": (MediaKind.AUDIO, ".mp3"),
    "audio/mp4": (MediaKind.AUDIO, ".m4a"),
    "audio/aac": (MediaKind.AUDIO, ".aac"),
    "audio/amr": (MediaKind.AUDIO, ".amr"),
    "audio/ogg": (MediaKind.AUDIO, ".ogg"),
    "application/pdf": (MediaKind.DOCUMENT, ".pdf"),
    DOCX: (MediaKind.DOCUMENT, ".docx"),
    XLSX: (MediaKind.DOCUMENT, ".xlsx"),
}
LIMITS: dict[MediaKind, int] = {
    MediaKind.IMAGE: 5 * MB,
    MediaKind.VIDEO: LARGEST_MEDIA,
    MediaKind.AUDIO: LARGEST_MEDIA,
    MediaKind.DOCUMENT: LARGEST_MEDIA,
}
LONGEST_NAME = 120
OFFICE = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}
# A document lists dozens of parts.  One that lists a hundred thousand would be read for seconds.
LONGEST_LIST = 256 * 1024
END, END_LENGTH, END_OF_LARGE = b"PK\x05\x06", 22, b"PK\x06\x07"


@dataclass(frozen=True)
class MediaCard:
    """A file as a page shows it; `size` in bytes."""

    id: int
    kind: MediaKind
    mimetype: str
    name: str
    size: int


@dataclass(frozen=True)
class MediaContent:
    card: MediaCard
    content: bytes


def keep(work: Work, actor: Actor, *, name: str, content: bytes) -> MediaCard:
    """Keeps a file, or finds the one of this team with the very same bytes.

    Raises BadInput("media", …): `media_empty`, `media_unknown`, `media_too_large` (mb), and of a picture `media_broken`
    and `media_too_many_points` (width, height, most in millions, side).
    """
    actor.require(Role.MEMBER)
    mimetype, kind = what_is(content)
    sha256 = hashlib.sha256(content).digest()
    lock = int.from_bytes(hashlib.sha256(b"%d:%b" % (actor.team_id, sha256)).digest()[:8], signed=True)
    work.session.execute(select(func.pg_advisory_xact_lock(lock)))  # of two at once the second finds the first's
    found = work.session.execute(
        _cards(actor).where(MediaFile.sha256 == sha256).order_by(MediaFile.id).limit(1)
    ).one_or_none()
    if found is not None:
        used = update(MediaFile).where(MediaFile.id == found.id).values(unused_since=None)
        if work.session.execute(used.returning(MediaFile.id)).scalar() is not None:  # else forgotten a moment ago
            return MediaCard(*found)
    kept_as = _name(name, mimetype)
    made = work.session.execute(
        insert(MediaFile)
        .values(
            team_id=actor.team_id,
            created_by=actor.user_id,
            sha256=sha256,
            kind=kind,
            mimetype=mimetype,
            name=kept_as,
            size=len(content),
            content=content,
        )
        .returning(MediaFile.id)
    ).scalar_one()
    audit.record(work, actor, "media.kept", "media", made, name=kept_as, size=len(content))
    return MediaCard(made, kind, mimetype, kept_as, len(content))


def cards(work: Work, actor: Actor, ids: Collection[int]) -> dict[int, MediaCard]:
    """Those of these files that are the team's."""
    actor.require(Role.VIEWER)
    rows = work.session.execute(_cards(actor).where(MediaFile.id.in_(list(ids)[:100])))
    return {row.id: MediaCard(*row) for row in rows}


def content(work: Work, actor: Actor, media_id: int) -> MediaContent:
    """A file with its bytes.  Raises NotFound, also for another team's."""
    actor.require(Role.VIEWER)
    row = work.session.execute(
        _cards(actor).add_columns(MediaFile.content).where(MediaFile.id == media_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    *card, found = row
    return MediaContent(MediaCard(*card), bytes(found))


def _cards(actor: Actor) -> Select[int, MediaKind, str, str, int]:
    shown = (MediaFile.id, MediaFile.kind, MediaFile.mimetype, MediaFile.name, MediaFile.size)
    return select(*shown).where(MediaFile.team_id == actor.team_id)


# ---------------------------------------------------------------- what a file is


def what_is(content: bytes) -> tuple[str, MediaKind]:
    """Its type and kind by its first bytes.  Raises BadInput as `keep` does."""
    if not content:
        raise BadInput("media", "media_empty")
    if len(content) > LARGEST_MEDIA:
        raise BadInput("media", "media_too_large", mb=LARGEST_MEDIA // MB)
    mimetype = filetype.guess_mime(content[:8192])
    if mimetype not in KINDS and content.startswith(b"PK\x03\x04"):
        mimetype = _office(content)
    if mimetype not in KINDS:
        raise BadInput("media", "media_unknown")
    kind = KINDS[mimetype][0]
    if len(content) > LIMITS[kind]:
        raise BadInput("media", "media_too_large", mb=LIMITS[kind] // MB)
    if kind is MediaKind.IMAGE:
        _refuse_unshowable(mimetype, content)
    return mimetype, kind


def _refuse_unshowable(mimetype: str, content: bytes) -> None:
    size = size_of(mimetype, content)
    if size is None:
        raise BadInput("media", "media_broken")
    if size.is_too_large:
        most = {"most": MOST_POINTS // 1_000_000, "side": LONGEST_SIDE}
        raise BadInput("media", "media_too_many_points", width=size.width, height=size.height, **most)


def _office(content: bytes) -> str | None:
    """Some programs write the parts of a document in an order that its first bytes do not tell it by."""
    if not _is_short_list(content):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = set(packed.namelist()[:1000])
    except (zipfile.BadZipFile, ValueError, OverflowError, NotImplementedError):
        return None
    return next((mimetype for part, mimetype in OFFICE.items() if part in names), None)


def _is_short_list(content: bytes) -> bool:
    """Whether the list at the end of a packed file is soon read; it is where zipfile looks for it."""
    end = len(content) - END_LENGTH
    if not content.startswith(END, max(0, end)):
        end = content.rfind(END)
    size = int.from_bytes(content[end + 12 : end + 16], "little")
    return end >= 0 and size <= LONGEST_LIST and not content.startswith(END_OF_LARGE, max(0, end - 20))


def _name(name: str, mimetype: str) -> str:
    """As it is shown and sent: no folders, nothing unseen, and the ending of what it really is."""
    plain = "".join(
        c if unicodedata.category(c)[0] not in "CZ" or c == " " else " " for c in unicodedata.normalize("NFC", name)
    )
    last = PurePosixPath(plain.replace("\\", "/")).name
    stem = " ".join(PurePosixPath(last).stem.split()).strip(". ") or "arquivo"
    ending = KINDS[mimetype][1]
    return stem[: LONGEST_NAME - len(ending)] + ending
