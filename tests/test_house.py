"""The house's rules about itself: imports go one way, settings are told, states have rows and words."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.campaigns import rules as campaigns
from core.instances import rules as instances
from core.replies import rules as replies
from core.searches import rules as searches
from core.sending import rules as sending

ROOT = Path(__file__).parent.parent
FEATURES = ["accounts", "leads", "optouts", "searches", "instances", "campaigns", "replies", "sending"]


def python_files(folder: str) -> list[Path]:
    return sorted(p for p in (ROOT / folder).rglob("*.py") if "__pycache__" not in p.parts)


def imports_of(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file imports; names taken from a module count as parts of it.

    Imports for the type checker alone tie nothing at run time and are left out.
    """
    tree = ast.parse(path.read_text())
    for_types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if node in for_types:
            continue
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module
            for name in node.names:
                yield node.lineno, f"{node.module}.{name.name}"


def is_in(name: str, module: str) -> bool:
    return name == module or name.startswith(module + ".")


def broken(files: list[Path], never: list[str], unless: tuple[str, ...] = ()) -> list[str]:
    found = []
    for path in files:
        if str(path.relative_to(ROOT)).startswith(unless):
            continue
        found += [
            f"{path.relative_to(ROOT)}:{line} imports {name}"
            for line, name in imports_of(path)
            if any(is_in(name, module) for module in never)
        ]
    return found


def test_core_knows_neither_pages_nor_workers() -> None:
    assert broken(python_files("core"), ["ui", "workers", "nicegui", "playwright", "sandbox", "local", "bench"]) == []


def test_pages_reach_the_world_only_through_core() -> None:
    forbidden = "sqlalchemy rq requests aiohttp playwright core.tables core.integrations workers sandbox local".split()
    assert broken(python_files("ui"), forbidden) == []


def test_workers_know_no_pages_and_no_tables() -> None:
    files = python_files("workers")
    assert broken(files, ["ui", "nicegui", "sqlalchemy", "core.tables", "core.integrations", "sandbox", "local"]) == []
    assert broken(files, ["playwright"], unless=("workers/scraper/browser.py",)) == []


def test_no_story_imports_a_page() -> None:
    """Its page would be registered while tests are collected, and answer 404 in every story of that process."""
    assert broken(python_files("tests"), ["ui.pages"]) == []


def test_the_world_and_the_single_machine_know_nothing_of_the_product() -> None:
    files = python_files("sandbox") + python_files("local")
    # the demo fills a house through its own doors
    assert broken(files, ["core", "ui", "workers"], unless=("sandbox/demo.py",)) == []


def test_only_runtime_builds_the_ports() -> None:
    assert broken(python_files("core"), ["core.integrations"], unless=("core/runtime.py", "core/integrations/")) == []


def test_rules_neither_read_nor_write_nor_wait() -> None:
    rules = [p for p in python_files("core") if p.name == "rules.py"]
    assert broken(rules, ["sqlalchemy", "redis", "rq", "requests", "aiohttp", "time", "random", "socket", "os"]) == []
    clock = re.compile(r"\b(datetime|date)\.(now|utcnow|today)\(")
    assert [str(p) for p in rules if clock.search(p.read_text())] == []


def test_tables_hold_columns_and_no_behaviour() -> None:
    never = [f"core.{feature}.{part}" for feature in FEATURES for part in ("queries", "service")]
    assert broken(python_files("core/tables"), never) == []


@pytest.mark.parametrize("feature", FEATURES)
def test_a_feature_uses_only_those_before_it(feature: str) -> None:
    """The names of another feature's states (its rules) are no dependence on what it does."""
    later = FEATURES[FEATURES.index(feature) + 1 :]
    found = broken(python_files(f"core/{feature}"), [f"core.{name}" for name in later])
    assert [line for line in found if not re.search(r"imports core\.\w+(\.rules(\.\w+)?)?$", line)] == []


@pytest.mark.parametrize("life", [campaigns, instances, replies, searches, sending])
def test_every_state_has_a_row_in_its_table(life: object) -> None:
    table = life.MAY_FOLLOW  # type: ignore[attr-defined]
    states = type(next(iter(table)))
    assert set(table) == set(states)


def test_every_setting_is_explained() -> None:
    names = set(re.findall(r'"((?:PRUMO|DATABASE|REDIS)_\w+)"', (ROOT / "core/settings.py").read_text()))
    assert names
    for page in ("README.md", ".env.example"):
        text = (ROOT / page).read_text()
        assert sorted(name for name in names if name not in text) == [], page


def test_only_settings_reads_the_environment() -> None:
    found = []
    for folder in ("core", "ui", "workers"):
        for path in python_files(folder):
            if path == ROOT / "core/settings.py":
                continue
            if re.search(r"\bos\.(environ|getenv)\b", path.read_text()):
                found.append(str(path.relative_to(ROOT)))
    assert found == []


def test_nothing_blames_itself_on_a_machine() -> None:
    """No path of one machine, no registry's host, no promise left open in what is committed."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of what is committed")
    unwanted = re.compile(
        r"/(work|farm)/[a-z]|/root/\.|pypi\.org|files\.pythonhosted|deb\.debian\.org|\bTODO\b|\bFIXME\b"
    )
    found = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if (
            not name
            or not path.is_file()
            or path.suffix not in {".py", ".md", ".toml", ".yml", ".txt", ".css", ".po", ""}
        ):
            continue
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if unwanted.search(line):
                found.append(f"{name}:{number} {line.strip()[:80]}")
    assert found == []
