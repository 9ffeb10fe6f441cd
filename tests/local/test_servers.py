"""PostgreSQL and Valkey of our own come back over whatever a crash has left; the real binaries, really killed."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest
import redis as redis_client

from local import postgres, redis
from local.account import server_account
from local.errors import CannotStart
from tests.local.conftest import SmallHouse

Open = Callable[[str], SmallHouse]
NOBODY_SET = {"PATH": os.environ["PATH"]}


def addresses(house: SmallHouse) -> tuple[str, str]:
    database = house.says("DATABASE_URL=").partition("DATABASE_URL=")[2]
    queue = house.says("REDIS_URL=").partition("REDIS_URL=")[2]
    house.says("everything runs")
    return database.replace("+psycopg2", ""), queue


def run_sql(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def test_rows_are_still_there_when_everything_was_killed_at_once(open_house: Open) -> None:
    house = open_house("servers")
    database, queue = addresses(house)
    run_sql(database, "create table kept as select generate_series(1, 1200) as n")
    redis_client.Redis.from_url(queue).set("kept", "yes")
    time.sleep(1.1)  # Valkey writes its log to the disk once a second

    for pid in house.processes():
        os.kill(pid, signal.SIGKILL)
    again = open_house("servers")
    database, queue = addresses(again)

    assert run_sql(database, "select count(*) from kept") == [(1200,)]
    assert redis_client.Redis.from_url(queue).get("kept") == b"yes"
    assert again.stop() == 0
    assert again.nothing_is_left()


def test_killed_alone_the_house_takes_both_with_it_and_postgresql_ends_in_order(open_house: Open) -> None:
    house = open_house("servers")
    addresses(house)
    house.send(signal.SIGKILL)
    assert house.nothing_is_left()
    assert "database system is shut down" in (house.folder / "logs" / "postgres.log").read_text()


def test_a_second_house_on_the_same_data_is_refused_in_one_line(open_house: Open) -> None:
    house = open_house("servers")
    house.says("everything runs")
    second = open_house("servers")
    assert second.ends() == 1
    (line,) = second.lines
    assert line.startswith(f"Prumo already runs on {house.folder} (process ")
    assert "PRUMO_DATA" in line
    assert house.stop() == 0


def test_a_stale_pid_file_that_names_another_program_does_not_keep_it_from_starting(open_house: Open) -> None:
    house = open_house("servers")
    addresses(house)
    house.stop()
    account = server_account(NOBODY_SET)
    as_the_server = account.as_popen() if account else {}
    with subprocess.Popen(["/bin/sleep", "60"], cwd="/", **as_the_server) as stranger:
        data = next((house.folder / "postgres").glob("pg*"))
        pid_file = data / "postmaster.pid"
        pid_file.write_text(
            f"{stranger.pid}\n{data}\n1700000000\n5432\n{house.folder}/postgres/socket\n\n 1 1\nready\n"
        )
        if account:
            account.own(pid_file)
        again = open_house("servers")
        again.says("everything runs", within_s=10)
        assert again.stop() == 0
        assert stranger.poll() is None  # it was left alone
        stranger.kill()


def test_data_of_another_major_version_is_named_and_not_covered_up(folder: Path) -> None:
    other = folder / "postgres" / "pg9"
    other.mkdir(parents=True)
    (other / "PG_VERSION").write_text("9\n")
    with pytest.raises(CannotStart, match="is of PostgreSQL 9; the binaries here are 1"):
        postgres.set_up(folder, NOBODY_SET, server_account(NOBODY_SET))


def test_a_socket_has_a_short_path_however_deep_the_data_lies(folder: Path) -> None:
    deep = folder / ("a_rather_long_name/" * 8)
    short = postgres.socket_folder(deep / "postgres" / "socket", None)
    try:
        assert len(str(short)) < 60
        assert short.stat().st_mode & 0o777 == 0o700
        assert short == postgres.socket_folder(deep / "postgres" / "socket", None)
    finally:
        short.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the servers to another account")
def test_binaries_that_the_account_cannot_reach_are_copied_and_run(folder: Path) -> None:
    account = server_account(NOBODY_SET)
    assert account is not None
    found = postgres.find_binaries(NOBODY_SET)
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    package = found.parent.parent
    subprocess.run(["cp", "-a", str(package), f"{package}.libs", str(hidden)], check=True)

    usable = postgres.usable_binaries(hidden / package.name / "pginstall" / "bin", folder, account)

    assert usable.is_relative_to(folder / "bin")
    assert postgres.major_version(usable, account) >= 15
    valkey = hidden / "valkey-server"
    valkey.write_bytes(redis.find_binary(NOBODY_SET).read_bytes())
    valkey.chmod(0o755)
    assert account.can("-x", redis.usable_binary(valkey, folder, account))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the servers to another account")
def test_as_root_the_servers_run_as_somebody_else(open_house: Open) -> None:
    house = open_house("servers")
    database, _ = addresses(house)
    account = server_account(NOBODY_SET)
    assert account is not None
    servers = [pid for pid in house.processes() if b"/bin/" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    data = Path(str(run_sql(database, "show data_directory")[0][0]))
    assert data.stat().st_uid == account.uid
    assert servers
    for name in ("postgres", "valkey"):
        assert (house.folder / name / "socket").stat().st_mode & 0o777 == 0o700
    assert house.stop() == 0


def test_no_binaries_where_pg_bin_says_is_one_clear_line(folder: Path) -> None:
    with pytest.raises(CannotStart, match=f"PG_BIN is {folder}, and there is no postgres in that folder"):
        postgres.find_binaries({"PG_BIN": str(folder)})
