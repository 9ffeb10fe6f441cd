"""`run` itself: read by any Python 3, using nothing but the standard library, quick when there is nothing to do."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import doctor

CHECKOUT = Path(__file__).resolve().parents[2]
RUN = CHECKOUT / "run"


def test_it_is_read_by_python_3_8_and_imports_only_the_standard_library() -> None:
    tree = ast.parse(RUN.read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names
    assert os.access(RUN, os.X_OK)


def test_the_commands_that_it_knows_are_those_that_there_are() -> None:
    from local.__main__ import COMMANDS

    assert set(doctor.the_start().COMMANDS) == set(COMMANDS)


def test_an_unknown_command_is_one_line() -> None:
    ended = subprocess.run([sys.executable, str(RUN), "fly"], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == "There is no ./run fly. ./run help tells what there is.\n"


def test_packages_count_as_there_only_while_neither_lock_nor_python_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = doctor.the_start()
    monkeypatch.setattr(start, "VENV", tmp_path)
    monkeypatch.setattr(start, "PYTHON", sys.executable)
    monkeypatch.setattr(start, "LOCK", tmp_path / "requirements.txt")
    (tmp_path / "pyvenv.cfg").write_text("version_info = 3.11.7\n")
    start.LOCK.write_text("nicegui==3.18.0\n")
    assert not start.is_marked(start.LOCK)
    start.marker(start.LOCK).write_text(start.state_of(start.LOCK))
    assert start.is_marked(start.LOCK)
    start.LOCK.write_text("nicegui==3.19.0\n")
    assert not start.is_marked(start.LOCK)


def test_the_doctor_says_what_is_missing_and_what_to_do() -> None:
    found = [doctor.Finding("Python", "3.11"), doctor.Finding("Chromium", "none", "apt-get install chromium")]
    lines = doctor.table(found).splitlines()
    assert lines[1].split() == ["ok", "Python", "3.11"]
    assert lines[2].split() == ["x", "Chromium", "none", "apt-get", "install", "chromium"]


def test_the_doctor_never_shows_a_password() -> None:
    environ = {"DATABASE_URL": "postgresql://prumo:geheim@127.0.0.1:1/prumo", "PATH": os.environ["PATH"]}
    finding = doctor.database(environ)
    assert finding.mend
    assert "geheim" not in finding.state + finding.mend


def test_the_start_knows_nothing_of_the_product() -> None:
    takes = {*sys.stdlib_module_names, "local", "psycopg2", "redis"}
    for path in sorted((CHECKOUT / "local").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.partition(".")[0] in takes, f"{path.name}:{node.lineno} imports {name}"
