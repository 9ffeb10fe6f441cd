"""What a worker does with a file of leads: takes it up, reads it row by row, keeps all of it in one transaction.

Nothing of a file is kept before all of it is, so a worker that dies leaves nothing behind, and the next one begins
again.  The claim token is the right to finish: it is checked in the same transaction as the leads are stored, and a
worker that lost the file (thought dead after twenty silent seconds) stores nothing.

While PostgreSQL keeps one portion the next one is read: the two take about as long.
"""

from __future__ import annotations

import gc
import json
import sys
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any

from sqlalchemy import Column, MetaData, Table, func, select, text, update
from sqlalchemy.sql.compiler import SQLCompiler

from core.accounts.rules import TeamId
from core.errors import BadInput, StateChanged
from core.leads.files import Row, open_file
from core.leads.keeping import (
    NULL,
    Candidate,
    KnownLead,
    KnownToTeam,
    Seen,
    as_array,
    copy,
    hash_to_copy,
    ids_and_opted_out,
    joined,
    known_leads,
    move,
    to_copy,
    upsert_from,
    words_to_keep,
)
from core.leads.mapping import FILLED, Field, RowReader
from core.leads.rules import ImportStatus
from core.tables import Lead, LeadImport
from core.work import Work

ORPHANED_AFTER = timedelta(seconds=20)
MOST_TURNS = 4
PORTION = 4_000
# So that PostgreSQL always has something to do: portions that it was asked about, and those that wait to be stored.
LOOKED_AHEAD, STORED_AHEAD = 2, 2
TURN_S = 0.0005
SOURCE = "file"
# What a file can say; the rest of the columns keeps what it has.  First what is not written as it was read.
AS_SAID = tuple(column for column in FILLED if column not in ("phone_hash", "categories"))
IMPORTED = ("phone_hash", "place_key", "name_key", "words", "categories", *AS_SAID)
BORN_WITH = ("id", "team_id", "source", "basis", "opted_out_at")
Progress = Callable[[int], None]
# As one text: 100,000 ids take 0.1 s so, and 0.5 s as a list of numbers.
REMEMBER = text("update lead_imports set lead_ids = cast(:ids as bigint[]) where id = :import_id")


@dataclass(frozen=True)
class Taken:
    """A file in the hands of one worker, as long as `token` is the row's."""

    id: int
    team_id: TeamId
    token: str
    file_name: str
    columns: dict[Field, int]
    country: str
    basis: str
    only_with_phone: bool


@dataclass
class Tally:
    rows: int = 0
    added: int = 0
    updated: int = 0
    duplicates: int = 0
    kept: set[int] = field(default_factory=set)
    rejects: list[tuple[Row, BadInput]] = field(default_factory=list)


# ---------------------------------------------------------------- in whose hands


def take(work: Work, import_id: int, token: str) -> Taken | None:
    """Makes the file this worker's.  None when it is over or in good hands."""
    found = work.session.scalar(select(LeadImport).where(LeadImport.id == import_id).with_for_update(skip_locked=True))
    if found is None or not _may_be_taken(work, found):
        return None
    if found.turn >= MOST_TURNS:
        _end(found, work, ImportStatus.FAILED, reason="kept_failing")
        return None
    found.status = ImportStatus.RUNNING
    found.claim_token = token
    found.turn += 1
    found.heartbeat_at = work.now
    found.read = 0
    work.tell(f"import:{found.id}")
    return Taken(
        id=found.id,
        team_id=TeamId(found.team_id),
        token=token,
        file_name=found.file_name,
        columns={Field(name): at for name, at in found.columns.items()},
        country=found.country,
        basis=found.basis,
        only_with_phone=found.only_with_phone,
    )


def _may_be_taken(work: Work, found: LeadImport) -> bool:
    if found.status is ImportStatus.RUNNING:
        return found.heartbeat_at is None or found.heartbeat_at < work.now - ORPHANED_AFTER
    return found.status is ImportStatus.WAITING


def beat(work: Work, taken: Taken, read: int) -> bool:
    """Says that the worker lives and how far it is; False when the file is not its any more."""
    mine = work.session.scalar(
        update(LeadImport)
        .where(*_ours(taken))
        .values(heartbeat_at=func.now(), read=func.least(read, LeadImport.rows))
        .returning(LeadImport.id)
    )
    work.tell(f"import:{taken.id}", {"read": read})
    return mine is not None


def give_back(work: Work, taken: Taken) -> None:
    """The worker stops, the file does not: another one begins again."""
    change = update(LeadImport).where(*_ours(taken))
    work.session.execute(change.values(status=ImportStatus.WAITING, claim_token=None, read=0))
    work.tell(f"import:{taken.id}")


def fail(work: Work, taken: Taken, reason: str) -> None:
    """Nothing of it is kept, and `reason` is the key of the sentence that says why."""
    found = work.session.scalar(select(LeadImport).where(*_ours(taken)).with_for_update())
    if found is not None:
        _end(found, work, ImportStatus.FAILED, reason=reason)


def unfinished(work: Work) -> list[tuple[int, int]]:
    """Id and turn of each file that a worker should take up now."""
    orphaned = LeadImport.heartbeat_at < work.now - ORPHANED_AFTER
    waits = (LeadImport.status == ImportStatus.WAITING) | ((LeadImport.status == ImportStatus.RUNNING) & orphaned)
    found = work.session.execute(select(LeadImport.id, LeadImport.turn).where(waits).order_by(LeadImport.id).limit(200))
    return [(import_id, turn) for import_id, turn in found]


def _ours(taken: Taken) -> tuple[Any, ...]:
    return (
        LeadImport.id == taken.id,
        LeadImport.claim_token == taken.token,
        LeadImport.status == ImportStatus.RUNNING,
    )


def _end(found: LeadImport, work: Work, status: ImportStatus, *, reason: str | None = None) -> None:
    found.status, found.reason = status, reason
    found.finished_at = work.now
    found.claim_token = None
    found.content = None  # a list of people is not kept twice
    work.tell(f"import:{found.id}", {"status": status.value})


# ---------------------------------------------------------------- all of a file


def store(work: Work, taken: Taken, progress: Progress) -> Tally:
    """Keeps the whole file, in this transaction.  `progress` hears of every portion, and may raise to give up.

    Raises BadInput when the file cannot be read to its end, StateChanged when it is not this worker's any more.
    """
    content = work.session.scalar(select(LeadImport.content).where(*_ours(taken)))
    if content is None:
        raise StateChanged("import_lost")
    tally = Tally()
    opened = open_file(taken.file_name, content)
    reader = RowReader(
        taken.columns,
        country=taken.country,
        only_with_phone=taken.only_with_phone,
        secret_key=work.settings.secret_key,
    )
    keep_all(work, taken.team_id, taken.basis, _candidates(opened.rows(), reader, tally), tally, progress)
    # Locked only now: the heartbeat writes into this row all the while.
    found = work.session.scalar(select(LeadImport).where(*_ours(taken)).with_for_update())
    if found is None:
        raise StateChanged("import_lost")
    found.rows = found.read = tally.rows
    found.added, found.updated, found.duplicates = tally.added, tally.updated, tally.duplicates
    found.rejected = len(tally.rejects)
    work.session.execute(REMEMBER, {"ids": "{" + ",".join(map(str, tally.kept)) + "}", "import_id": found.id})
    found.rejects = packed_rejects(opened.columns, tally.rejects) if tally.rejects else None
    _end(found, work, ImportStatus.DONE)
    return tally


def _candidates(rows: Iterator[Row], reader: RowReader, tally: Tally) -> Iterator[Candidate]:
    for row in rows:
        tally.rows += 1
        try:
            yield reader.read(row.cells)
        except BadInput as reason:
            tally.rejects.append((row, reason))


def keep_all(
    work: Work, team_id: TeamId, basis: str, candidates: Iterator[Candidate], tally: Tally, progress: Progress
) -> None:
    """By COPY and one merge for each portion: by the same rules as `keeping.keep`.

    PostgreSQL is asked by a thread of its own.  While it keeps a portion, the next one is read and made ready here.
    """
    _make_room(work)
    with _undisturbed(), ThreadPoolExecutor(1, thread_name_prefix="keep") as keeper:
        _Pipe(work, team_id, basis, tally, keeper).pass_through(candidates, progress)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """No look for circles, of which a file's million objects make none: that takes a third of the time.

    And short turns: the thread that speaks with PostgreSQL asks for its own some ten times a portion, and would wait
    5 ms for each while this one reads.
    """
    collected, turn_s = gc.isenabled(), sys.getswitchinterval()
    gc.disable()
    sys.setswitchinterval(TURN_S)
    try:
        yield
    finally:
        sys.setswitchinterval(turn_s)
        if collected:
            gc.enable()


@dataclass(frozen=True)
class _Looked:
    """What the team has that rows of a portion may be, who of them must not be written to, and ids for the new ones."""

    leads: list[KnownLead]
    opted_out: set[bytes]
    ids: Sequence[int]


class _Pipe:
    """From candidates to leads, portion by portion; what waits for PostgreSQL is a few portions at most."""

    def __init__(self, work: Work, team_id: TeamId, basis: str, tally: Tally, keeper: ThreadPoolExecutor) -> None:
        self._work = work
        self._team_id = team_id
        self._known = KnownToTeam(work, team_id)
        self._values = {"team": team_id, "search": None, "source": SOURCE, "basis": basis}
        self._now = work.now.isoformat()
        self._tally = tally
        self._keeper = keeper
        self._moved: dict[int, str] = {}  # leads whose key a row of this file has made stronger
        self._looked: deque[tuple[list[Candidate], Future[_Looked]]] = deque()
        self._storing: deque[Future[Sequence[int]]] = deque()

    def pass_through(self, candidates: Iterator[Candidate], progress: Progress) -> None:
        seen, stored, filled = Seen(), set[int](), dict[int, Candidate]()
        while portion := list(islice(candidates, PORTION)):
            # Asked before the portions ahead of it are kept: a file's own doubles are known without.
            self._ask(_first_of_each(portion, seen, stored, filled, self._tally))
            self._keep_all_but(LOOKED_AHEAD)
            progress(self._tally.rows)
        self._keep_all_but(0)
        self._wait_until_few_wait(0)
        if filled:
            self._bring_up_to_date(list(filled.values()))

    def _ask(self, fresh: list[Candidate]) -> None:
        self._looked.append((fresh, self._keeper.submit(self._look, fresh)))

    def _keep_all_but(self, most: int) -> None:
        while len(self._looked) > most:
            fresh, asked = self._looked.popleft()
            self._keep(fresh, asked.result())

    def _wait_until_few_wait(self, most: int) -> None:
        while len(self._storing) > most:
            self._count(self._storing.popleft().result())

    def _look(self, fresh: list[Candidate]) -> _Looked:
        leads = self._known.leads(fresh)
        ids, left_alone = ids_and_opted_out(self._work, self._team_id, fresh)
        return _Looked(leads, left_alone, ids)

    def _keep(self, fresh: list[Candidate], found: _Looked) -> None:
        before = len(self._moved)
        rows = joined(fresh, found.leads, self._moved)
        moved = dict(islice(self._moved.items(), before, None))
        new = [row for row in rows if row.known is None]
        # Ids in the order of the file, lines in that of three indexes: it costs PostgreSQL a sixth less.
        births = sorted(zip(new, found.ids, strict=False), key=lambda birth: birth[0].key)
        lines = [self._line_of_new(row, lead_id, found.opted_out) for row, lead_id in births]
        known = [_line(row) for row in rows if row.known is not None]
        self._wait_until_few_wait(STORED_AHEAD - 1)
        self._tally.duplicates += len(fresh) - len(rows)
        self._tally.added += len(new)
        self._tally.kept.update(found.ids[: len(new)])
        self._storing.append(self._keeper.submit(self._store, moved, lines, known))

    def _bring_up_to_date(self, filled: list[Candidate]) -> None:
        """Those that this file brought, and of which a row far below said more; counted already."""
        moved: dict[int, str] = {}
        rows = joined(filled, known_leads(self._work, self._team_id, filled), moved)
        self._store(moved, [], [_line(row) for row in rows])

    def _line_of_new(self, row: Candidate, lead_id: int, opted_out: set[bytes]) -> str:
        """A line with the columns of BORN_WITH and IMPORTED."""
        left_alone = self._now if row.values["phone_hash"] in opted_out else NULL
        return f"{lead_id}\t{self._team_id}\t{SOURCE}\t{self._values['basis']}\t{left_alone}\t{_line(row)}"

    def _store(self, moved: dict[int, str], new: list[str], known: list[str]) -> Sequence[int]:
        """Ids of those that were brought up to date."""
        connection = self._work.session.connection()
        move(self._work, self._team_id, moved)
        if new:
            # Nobody else keeps leads of the team meanwhile (`KnownToTeam`), so these are still new.
            copy(connection, COPY_NEW, new)
        if not known:
            return []
        connection.exec_driver_sql("truncate incoming")
        copy(connection, COPY_KNOWN, known)
        statement = _merge()
        found = connection.exec_driver_sql(str(statement), statement.construct_params(self._values))
        return [lead_id for lead_id, *_ in found]

    def _count(self, found: Sequence[int]) -> None:
        tally = self._tally
        for lead_id in found:
            if lead_id in tally.kept:
                tally.duplicates += 1
            else:
                tally.updated += 1
            tally.kept.add(lead_id)


def _first_of_each(
    portion: Sequence[Candidate], seen: Seen, stored: set[int], filled: dict[int, Candidate], tally: Tally
) -> list[Candidate]:
    """Those of this portion that no row before named; a later row fills what the first one lacks."""
    fresh: list[Candidate] = []
    for candidate in portion:
        same: Candidate | None = seen.find(candidate)
        if same is None:
            same = candidate
            fresh.append(candidate)
        else:
            tally.duplicates += 1
            before = dict(same.values)
            same.fill_from(candidate)
            if id(same) in stored and _says_more(same.values, before):
                filled[id(same)] = same
        seen.add(same, candidate.key, candidate.values["place_id"], candidate.name_key, candidate.has_id)
    stored.update(map(id, fresh))
    return fresh


def _says_more(now: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    return any(value and value != before.get(name) for name, value in now.items())


def _incoming() -> Table:
    leads = Lead.__table__.c
    return Table("incoming", MetaData(), *(Column(name, leads[name].type) for name in IMPORTED))


def _make_room(work: Work) -> None:
    """The table that COPY fills."""
    columns = ", ".join(
        f"{column.name} {column.type.compile(work.session.get_bind().dialect)}" for column in _incoming().c
    )
    connection = work.session.connection()
    connection.exec_driver_sql(f"create temporary table incoming ({columns}) on commit drop")


@cache
def _merge() -> SQLCompiler:
    return upsert_from(_incoming())


COPY_NEW = f"copy leads ({', '.join((*BORN_WITH, *IMPORTED))}) from stdin with (null '{NULL}', encoding 'UTF8')"
COPY_KNOWN = f"copy incoming ({', '.join(IMPORTED)}) from stdin with (null '{NULL}', encoding 'UTF8')"


_as_said = itemgetter(*AS_SAID)


def _line(row: Candidate) -> str:
    """The columns of IMPORTED as COPY reads them."""
    values = row.values
    made = (row.key, row.name_key, words_to_keep(row), as_array(values["categories"]))
    return f"{hash_to_copy(values['phone_hash'])}\t{to_copy((*made, *_as_said(values)))}\n"


# ---------------------------------------------------------------- what was not taken


@dataclass(frozen=True)
class Reject:
    number: int  # of the row in the file
    reason: BadInput
    cells: list[str]


def packed_rejects(columns: Sequence[str], rejects: Sequence[tuple[Row, BadInput]]) -> bytes:
    """Keys and values, no sentences: who downloads it reads it in their language."""
    lines = [json.dumps(list(columns))]
    lines += [json.dumps([row.number, why.field, why.key, why.values, row.cells], default=str) for row, why in rejects]
    return zlib.compress("\n".join(lines).encode(), level=1)


def unpacked_rejects(packed: bytes) -> tuple[list[str], list[Reject]]:
    first, *lines = zlib.decompress(packed).decode().split("\n")
    rejects = []
    for line in lines:
        number, named, key, values, cells = json.loads(line)
        rejects.append(Reject(number, BadInput(named, key, **values), cells))
    return json.loads(first), rejects
