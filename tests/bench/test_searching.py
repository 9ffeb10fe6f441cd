"""The parts of `./run bench search` that start things: they end them, too, and say what went wrong."""

from __future__ import annotations

import mmap
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bench.searching import memory, page
from bench.searching.completeness import phones_of_list
from bench.searching.peers import PEERS, python_at_least
from bench.searching.programs import Failed, answer_of, last_words, run
from bench.searching.replay import TERM, Town, running
from sandbox.maps import plan
from sandbox.maps.answers import body
from sandbox.maps.geo import Viewport
from sandbox.maps.site import Site

HERE = (plan.CENTRE_LAT, plan.CENTRE_LNG)
ENV = dict(os.environ)


@pytest.fixture(scope="module")
def town() -> Town:
    return Town()


def test_the_replay_has_one_list_of_120_whatever_the_screen(town: Town) -> None:
    site = Site(town)
    lists = [
        {place.cid for place in site.find(TERM, Viewport.at_zoom(*HERE, zoom)).places} for zoom in (12.0, 13.0, 15.0)
    ]
    assert lists[0] == lists[1] == lists[2] == {place.cid for place in town.truth()}
    assert len(lists[0]) == 120


def test_the_replay_answers_over_https_under_a_certificate_of_its_own_and_ends(tmp_path: Path) -> None:
    with running(tmp_path, 20) as replay:
        replay.begin(0.0)
        assert replay.asked() == {}
        port = replay.port
    assert (tmp_path / "replay.key").stat().st_mode & 0o077 == 0
    assert not listens(port)


def listens(port: int) -> bool:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in lines)


def test_a_program_is_heard_to_its_last_line() -> None:
    talks = [sys.executable, "-c", "import sys; print('working'); print(sys.argv[1])"]
    assert answer_of(talks, {"places": 3}, ENV, 20) == {"places": 3}
    with pytest.raises(Failed, match="ValueError: no such list"):
        answer_of([sys.executable, "-c", "raise ValueError('no such list')"], {}, ENV, 20)
    with pytest.raises(Failed, match="No such file"):
        run(["/nowhere/python"], ENV, 20)


def test_a_program_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "child"
    hangs = "import subprocess, sys; p = subprocess.Popen(['sleep', '60']); print(p.pid, file=open(sys.argv[1], 'w'))"
    with pytest.raises(Failed, match="not done within 2 s"):
        run([sys.executable, "-c", f"{hangs}\nsys.stdout.flush(); p.wait()", str(note)], ENV, 2)
    deadline = time.monotonic() + 5
    while is_alive(int(note.read_text())):
        assert time.monotonic() < deadline, "the child lives on"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_the_line_that_names_the_error_is_told_and_not_what_follows_it() -> None:
    said = (
        "Traceback (most recent call last):\n  File …\nsqlalchemy.exc.ProgrammingError: no table\n(Background on …)\n"
    )
    assert last_words(said) == "sqlalchemy.exc.ProgrammingError: no table"
    assert last_words("one\n\ntwo\n") == "two"
    assert last_words("") == ""


def test_every_peer_has_its_driver_and_a_python_that_is_too_new_is_not_found() -> None:
    drivers = Path(page.ROOT) / "bench" / "peers"
    assert all((drivers / peer.driver).is_file() for peer in PEERS)
    assert python_at_least((3, 11)) is not None
    assert python_at_least((9, 0)) is None


def test_what_a_tree_of_processes_holds_is_seen_from_outside() -> None:
    own = memory.held_by(os.getpid())
    assert own.processes >= 1 and own.unread == 0
    assert 5 < own.own_mb < own.rss_mb
    assert memory.held_by(2**22 + 1).processes == 0, "one that has ended holds nothing"


def test_what_two_processes_map_counts_once() -> None:
    """Of the same file, in a parent and its child, which have read all of it."""
    with tempfile.NamedTemporaryFile(dir=Path.home()) as file:
        file.write(b"x" * 40 * 2**20)
        file.flush()
        before = memory.files_of(os.getpid())
        with mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as view:
            assert view[::4096]
            alone = memory.files_of(os.getpid()) - before
            child = os.fork()
            if not child:
                assert view[::4096]
                time.sleep(30)
                os._exit(0)
            try:
                both = memory.files_of(os.getpid()) - before
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
    assert 39 < alone < 41
    assert both < 45


def test_the_page_keeps_what_stands_around_the_section() -> None:
    text = f"# Benchmarks\n\n{page.BEGIN}\nold\n{page.END}\n\nmore\n"
    assert page.replaced(text, "new") == f"# Benchmarks\n\n{page.BEGIN}\nnew\n{page.END}\n\nmore\n"
    with pytest.raises(ValueError, match="marks"):
        page.replaced("# Benchmarks\n", "new")


def test_the_phones_of_a_capture_are_counted_by_its_links() -> None:
    assert phones_of_list(body([None] * 70, wrapped=False)) == (0, 0)
