"""What the processes are told, and what is refused before anything starts."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from local import house, postgres, testing
from local.errors import CannotStart
from local.supervisor import Child

PLAIN = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
FREE = {setting: "0" for setting, _ in house.PORTS.values()}
REAL = {"PRUMO_GATEWAY_URL": "http://gateway.example", "PRUMO_GATEWAY_KEY": "a key"}


def test_without_any_setting_the_world_is_a_sandbox_and_says_so(folder: Path) -> None:
    planned = house.plan(PLAIN, folder)
    assert planned.environ["PRUMO_GATEWAY_SIMULATED"] == "1"
    assert planned.environ["PRUMO_GATEWAY_URL"] == "http://127.0.0.1:8090"
    assert planned.environ["PRUMO_DEMO_MAP_URL"] == "http://127.0.0.1:8091"
    assert planned.environ["PRUMO_PUBLIC_URL"] == "http://127.0.0.1:8080"
    assert planned.environ["PRUMO_MIN_GAP_S"] == "1"
    assert [child.name for child in house.sandbox(planned, planned.environ)] == ["gateway", "map"]


def test_with_a_real_gateway_nothing_invented_is_offered(folder: Path) -> None:
    planned = house.plan({**PLAIN, **REAL}, folder)
    assert "PRUMO_GATEWAY_SIMULATED" not in planned.environ
    assert "PRUMO_DEMO_MAP_URL" not in planned.environ
    assert "PRUMO_MIN_GAP_S" not in planned.environ
    assert house.sandbox(planned, planned.environ) == []


def test_a_gateway_without_its_key_is_refused(folder: Path) -> None:
    with pytest.raises(CannotStart, match="PRUMO_GATEWAY_KEY"):
        house.plan({**PLAIN, "PRUMO_GATEWAY_URL": "http://gateway.example"}, folder)


def test_secrets_are_made_once_and_are_nobody_elses(folder: Path) -> None:
    first = house.plan({**PLAIN, **FREE}, folder).environ
    second = house.plan({**PLAIN, **FREE}, folder).environ
    for name, file in (("PRUMO_SECRET_KEY", "secret.key"), ("PRUMO_GATEWAY_KEY", "gateway.key")):
        assert len(first[name]) >= 32
        assert first[name] == second[name]
        assert stat.S_IMODE((folder / file).stat().st_mode) == 0o600


def test_what_the_user_has_set_stays(folder: Path) -> None:
    own = {"PRUMO_SECRET_KEY": "k" * 40, "PRUMO_PUBLIC_URL": "https://prumo.example", "PRUMO_PORT": "9000"}
    told = house.plan({**PLAIN, **own}, folder).environ
    assert {name: told[name] for name in own} == own
    assert not (folder / "secret.key").exists()


def test_port_0_is_any_free_one_and_no_two_are_alike(folder: Path) -> None:
    ports = house.plan({**PLAIN, **FREE}, folder).ports
    assert len(set(ports.values())) == len(ports) == 4
    assert min(ports.values()) > 1023


@pytest.mark.parametrize("wrong", ["eighty", "-1", "70000", "80.5"])
def test_a_port_that_is_none_is_named_with_its_setting(folder: Path, wrong: str) -> None:
    with pytest.raises(CannotStart, match=r"PRUMO_PORT is .* which is no port"):
        house.plan({**PLAIN, "PRUMO_PORT": wrong}, folder)


def test_two_parts_on_one_port_are_refused(folder: Path) -> None:
    with pytest.raises(CannotStart, match="PRUMO_RECEIVER_PORT is 8080"):
        house.plan({**PLAIN, "PRUMO_RECEIVER_PORT": "8080"}, folder)


def test_a_port_in_use_names_the_port_and_the_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "PORT_PATIENCE_S", 0.2)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        planned = house.plan({**PLAIN, **FREE, "PRUMO_PORT": str(port)}, folder)
        with pytest.raises(
            CannotStart, match=f"Port {port} is in use by another program; the web wants it.*PRUMO_PORT="
        ):
            house.check_ports_free(planned)


def test_ports_in_use_are_all_named_with_a_line_that_moves_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "PORT_PATIENCE_S", 0.0)
    monkeypatch.setattr(house, "is_free", lambda _host, port: port > 9999)
    planned = house.plan(PLAIN, folder)
    with pytest.raises(CannotStart) as why:
        house.check_ports_free(planned, "./run demo")
    assert str(why.value) == (
        "Ports in use by other programs: 8080 (web), 8081 (receiver), 8090 (gateway), 8091 (map)."
        " Stop what has them, or choose others: PRUMO_PORT=10080 PRUMO_RECEIVER_PORT=10081"
        " PRUMO_SANDBOX_GATEWAY_PORT=10090 PRUMO_SANDBOX_MAP_PORT=10091 ./run demo"
    )


def test_a_port_offered_instead_is_none_that_another_part_wants(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "PORT_PATIENCE_S", 0.0)
    monkeypatch.setattr(house, "is_free", lambda _host, port: port != 8080)
    planned = house.plan({**PLAIN, "PRUMO_RECEIVER_PORT": "9080"}, folder)
    with pytest.raises(CannotStart, match=r"another port: PRUMO_PORT=10080 \./run$"):
        house.check_ports_free(planned)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the servers to another account")
def test_a_folder_that_the_servers_account_cannot_reach_is_named(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    with pytest.raises(CannotStart, match=r"cannot reach .*closed/data.* Set PRUMO_DATA"):
        house.plan(PLAIN, closed / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(CannotStart, match="Set PRUMO_DATA"):
        house.plan(PLAIN, Path("/proc/prumo"))


def test_an_account_that_is_not_there_is_named(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root lends the servers to another account")
    with pytest.raises(CannotStart, match="PRUMO_PG_USER names 'zoroastro'"):
        house.plan({**PLAIN, "PRUMO_PG_USER": "zoroastro"}, folder)


def test_the_tests_hear_nothing_of_an_installation() -> None:
    exported = {**PLAIN, **REAL, "DATABASE_URL": "postgresql://x", "PRUMO_SECRET_KEY": "s", "PRUMO_CAPTURES": "c"}
    assert testing.clean(exported) == {**PLAIN, "PRUMO_CAPTURES": "c"}


def test_the_whole_suite_runs_apart_from_what_drives_a_browser() -> None:
    assert testing.calls(["tests/local", "-x"]) == [["tests/local", "-x"]]
    assert testing.calls([])[0] == ["tests", "--ignore=tests/e2e", "-n", "4", "--dist", "worksteal"]


class Once:
    """Stands where the supervisor does: remembers what ran to its end, and moves the database on as alembic would."""

    def __init__(self) -> None:
        self.ran: list[str] = []
        self.version = ""

    def once(self, child: Child) -> int:
        self.ran.append(child.name)
        self.version = "0007"
        return 0


def test_tables_are_brought_up_to_date_when_anything_may_have_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor, told = Once(), {"DATABASE_URL": "postgresql://"}
    monkeypatch.setattr(postgres, "table_version", lambda _: supervisor.version)
    house.migrate(supervisor, folder, told)
    assert supervisor.ran == ["migrate"]
    house.migrate(supervisor, folder, told)
    assert supervisor.ran == ["migrate"]  # nothing has changed
    supervisor.version = "0006"  # an older backup was brought back
    house.migrate(supervisor, folder, told)
    supervisor.version = ""  # the database was emptied
    house.migrate(supervisor, folder, told)
    monkeypatch.setattr(house, "_hash_of_migrations", lambda: "one more")
    house.migrate(supervisor, folder, told)
    assert supervisor.ran == ["migrate"] * 4


def test_tables_that_cannot_be_brought_up_to_date_stop_the_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supervisor = Once()
    monkeypatch.setattr(postgres, "table_version", lambda _: "")
    monkeypatch.setattr(supervisor, "once", lambda _: 1)
    with pytest.raises(CannotStart, match="could not be brought up to date"):
        house.migrate(supervisor, folder, {"DATABASE_URL": "postgresql://"})
    assert not (folder / "tables.json").exists()
