"""Leads stored per second: in batches of twenty as a search does, and by import of a file; beside the ORM's `add_all`.

Every way is measured on the same database in the same run, from values in memory to the last commit, each in a team of
its own.  `./run bench search` shows the figures beside the others of the search.
"""

from __future__ import annotations

import csv
import gc
import io
import random
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import text

from core.accounts.rules import TeamId
from core.leads import importing
from core.leads.files import open_file
from core.leads.filing import file_words
from core.leads.importing import Tally
from core.leads.keeping import Candidate, keep, read_place, row_of
from core.leads.mapping import Field, RowReader
from core.ports import Place
from core.runtime import Runtime
from core.tables import Lead, Team

BATCH = 20
BATCHES_BAR, IMPORT_BAR = 3_000, 20_000
WARM_UP = 2_000  # rows that nobody counts: plans, caches and the first pages of the indexes
KINDS = "Clínica Oficina Padaria Bar Mercado Farmácia Loja Estúdio Ateliê Escola".split()
WORDS = "Jatobá Ipê Aurora Horizonte Sabiá Mangueira Cedro Marfim Lagoa Serra Vitral Tamarindo".split()
HEADER = ("Nome", "Telefone", "E-mail", "Site", "Categoria", "Endereço", "Bairro", "Cidade", "UF", "Nota", "Avaliações")
COLUMNS = dict(
    zip(
        (
            *(Field.NAME, Field.PHONE, Field.EMAIL, Field.WEBSITE, Field.CATEGORY, Field.ADDRESS, Field.NEIGHBOURHOOD),
            *(Field.CITY, Field.STATE, Field.RATING, Field.REVIEW_COUNT),
        ),
        range(len(HEADER)),
        strict=True,
    )
)
T = TypeVar("T")


def measure(runtime: Runtime, n: int = 100_000) -> dict[str, float]:
    """Rows per second of each way and the ratios to `add_all` of the same rows.  The database is migrated, and ours.

    `batches`: keep and commit, twenty at a time.  `read`: what reading a place of the map costs before that.
    `import`: from the bytes of a CSV file to the commit.  `import_read` and `import_store`: each half of it alone.
    `file_words`: what comes behind all of these, for the search box.
    """
    places = [place(i) for i in range(n)]
    file = csv_file(n)
    measured = {
        "read": rate(n, lambda: candidates(runtime, places)),
        "batches": rate(n, in_batches(runtime, places)),
        "add_all_in_batches": rate(n, add_all(runtime, candidates(runtime, places), BATCH)),
        "import_read": rate(n, lambda: list(read_file(runtime, file))),
        "import_store": rate(n, by_import(runtime, list(read_file(runtime, file)))),
        "import": rate(n, from_file(runtime, file)),
        "file_words": rate(4 * n + WARM_UP, lambda: file_words(runtime)),
        "add_all": rate(n, add_all(runtime, list(read_file(runtime, file)), n)),
    }
    measured["batches_to_add_all"] = measured["batches"] / measured["add_all_in_batches"]
    measured["import_to_add_all"] = measured["import"] / measured["add_all"]
    return measured


def rate(n: int, do: Callable[[], object]) -> float:
    gc.collect()
    gc.freeze()  # what is waiting to be stored is looked through by nobody; a worker has twenty of them at once
    began = time.perf_counter()
    do()
    took = time.perf_counter() - began
    gc.unfreeze()
    return n / took


# ---------------------------------------------------------------- the ways


def in_batches(runtime: Runtime, places: Sequence[Place]) -> Callable[[], None]:
    read = candidates(runtime, [place(-1 - i) for i in range(WARM_UP)] + list(places))
    team_id = team(runtime)

    def store(some: Sequence[Candidate]) -> None:
        for batch in portions(some, BATCH):
            with runtime.work() as work:
                keep(work, team_id, batch, source="demo_map")

    store(read[:WARM_UP])
    analyse(runtime)
    return lambda: store(read[WARM_UP:])


def analyse(runtime: Runtime) -> None:
    """As PostgreSQL itself does within a minute of a new table's first rows; a bench is over before."""
    with runtime.work() as work:
        work.session.execute(text("analyze leads"))


def by_import(runtime: Runtime, read: Sequence[Candidate]) -> Callable[[], None]:
    team_id = team(runtime)

    def store() -> None:
        with runtime.work() as work:
            importing.keep_all(work, team_id, "consent", iter(read), Tally(), lambda _rows: None)

    return store


def from_file(runtime: Runtime, file: bytes) -> Callable[[], None]:
    team_id = team(runtime)

    def store() -> None:
        with runtime.work() as work:
            importing.keep_all(work, team_id, "consent", read_file(runtime, file), Tally(), lambda _rows: None)

    return store


def add_all(runtime: Runtime, read: Sequence[Candidate], at_once: int) -> Callable[[], None]:
    """Objects of SQLAlchemy, made and added: no look for what is known, no update of it."""
    team_id = team(runtime)

    def store() -> None:
        for batch in portions(read, at_once):
            with runtime.work() as work:
                work.session.add_all(Lead(team_id=team_id, **row_of(c)) for c in batch)

    return store


# ---------------------------------------------------------------- what is stored


def candidates(runtime: Runtime, places: Sequence[Place]) -> list[Candidate]:
    read = (read_place(p, "BR", runtime.settings.secret_key) for p in places)
    return [candidate for candidate in read if candidate is not None]


def read_file(runtime: Runtime, file: bytes) -> Iterator[Candidate]:
    reader = RowReader(COLUMNS, country="BR", only_with_phone=False, secret_key=runtime.settings.secret_key)
    return (reader.read(row.cells) for row in open_file("leads.csv", file).rows())


def place(i: int) -> Place:
    """An invented business with all that the map's list says of one."""
    draw = random.Random(i)  # noqa: S311 - a bench, no secret
    street, number = f"Rua {draw.choice(WORDS)}", draw.randrange(1, 3_000)
    return Place(
        name=f"{draw.choice(KINDS)} {draw.choice(WORDS)} {draw.choice(WORDS)} {i}",
        cid=str(10**18 + i),
        place_id=f"ChIJ{i + 10**9:023}",
        data_id=f"0x94ce:0x{i + 10**9:x}",
        categories=("Clínica odontológica", "Dentista"),
        address=f"{street}, {number} - Vila {draw.choice(WORDS)}, São Paulo - SP, 04000-000",
        street=f"{street}, {number}",
        neighbourhood=f"Vila {draw.choice(WORDS)}",
        city="São Paulo",
        state="SP",
        postal_code="04000-000",
        country="BR",
        latitude=-23.5 + draw.random() / 10,
        longitude=-46.6 + draw.random() / 10,
        phone=phone(draw),
        website=f"https://loja{i + 10**9}.example/",
        rating=draw.randrange(20, 51) / 10,
        review_count=draw.randrange(900),
        plus_code="588MC9",
        timezone="America/Sao_Paulo",
        opening_hours={str(day): [["9:00", "18:00"]] for day in range(1, 6)},
        is_claimed=True,
        thumbnail_url="https://fotos.example/a.jpg",
        details={"owner": "Ana", "attributes": {"access": ["rampa"]}, "reviews_per_rating": [1, 0, 3, 9, 40]},
    )


def csv_file(n: int) -> bytes:
    out = io.StringIO()
    write = csv.writer(out, delimiter=";")
    write.writerow(HEADER)
    for i in range(n):
        draw = random.Random(f"file {i}")  # noqa: S311
        name = f"{draw.choice(KINDS)} {draw.choice(WORDS)} {draw.choice(WORDS)} {i}"
        where = (
            f"Rua {draw.choice(WORDS)}, {draw.randrange(1, 3_000)}",
            f"Vila {draw.choice(WORDS)}",
            "São Paulo",
            "SP",
        )
        rated = (f"{draw.randrange(20, 51) / 10}".replace(".", ","), draw.randrange(900))
        contact = (phone(draw), f"contato@loja{i}.example", f"www.loja{i}.example")
        write.writerow([name, *contact, "Dentista", *where, *rated])
    return out.getvalue().encode("cp1252")


def phone(draw: random.Random) -> str:
    return f"({draw.choice((11, 19, 21, 31))}) 9{draw.randrange(1_000, 10_000)}-{draw.randrange(10_000):04}"


def portions(things: Sequence[T], size: int) -> Iterator[list[T]]:
    left = iter(things)
    while portion := list(islice(left, size)):
        yield portion


def team(runtime: Runtime) -> TeamId:
    with runtime.work() as work:
        made = Team(name="Bench")
        work.session.add(made)
        work.session.flush()
        return TeamId(made.id)


def lines(measured: dict[str, Any]) -> list[str]:
    """For people."""
    return [
        f"stored in batches of {BATCH}   {measured['batches']:9,.0f} rows/s  (bar {BATCHES_BAR:,};"
        f" {measured['batches_to_add_all']:.1f} times add_all; reading alone {measured['read']:,.0f})",
        f"stored by import          {measured['import']:9,.0f} rows/s  (bar {IMPORT_BAR:,};"
        f" {measured['import_to_add_all']:.1f} times add_all; reading alone {measured['import_read']:,.0f},"
        f" storing alone {measured['import_store']:,.0f})",
        f"words filed behind them    {measured['file_words']:9,.0f} rows/s",
    ]
