"""The locks are true to pyproject.toml: who installs from them gets what we chose, byte for byte."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
DIRECT = [Requirement(line) for line in PROJECT["dependencies"]]
DEV = [Requirement(line) for line in PROJECT["optional-dependencies"]["dev"]]
LOCKS = ["requirements.txt", "requirements-dev.txt", "local/uv.txt"]


def entries(name: str) -> list[str]:
    """One logical line for each package: the requirement and its hashes, without comments."""
    text = re.sub(r"^\s*#.*$", "", (CHECKOUT / name).read_text(), flags=re.MULTILINE)
    return [line for line in (part.strip() for part in text.replace("\\\n", " ").splitlines()) if line]


def pinned(name: str) -> dict[str, Requirement]:
    found = [Requirement(entry.partition(" --hash")[0]) for entry in entries(name)]
    return {canonicalize_name(requirement.name): requirement for requirement in found}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [("requirements.txt", DIRECT), ("requirements-dev.txt", [*DIRECT, *DEV])],
    ids=["requirements.txt", "requirements-dev.txt"],
)
def test_every_direct_dependency_is_pinned_to_a_version_that_the_project_takes(
    lock: str, wanted: list[Requirement]
) -> None:
    there = pinned(lock)
    for requirement in wanted:
        assert canonicalize_name(requirement.name) in there, f"{requirement.name} is not in {lock}"
        version = exact_version(there[canonicalize_name(requirement.name)])
        assert requirement.specifier.contains(version, prereleases=True), f"{requirement} does not take {version}"


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_is_one_exact_version_with_hashes(lock: str) -> None:
    for entry in entries(lock):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"{lock}: no hash for {entry}"
        assert exact_version(Requirement(entry.partition(" --hash")[0]))


def test_the_tests_run_on_the_very_versions_that_the_house_runs_on() -> None:
    dev = pinned("requirements-dev.txt")
    for name, requirement in pinned("requirements.txt").items():
        assert exact_version(dev[name]) == exact_version(requirement), f"{name} differs between the two locks"


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_where_a_package_comes_from(lock: str) -> None:
    text = (CHECKOUT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"^\s*(-i|-f|-e|--(extra-)?index-url|--find-links|--trusted-host)\b", text, re.MULTILINE)


def exact_version(requirement: Requirement) -> str:
    (specifier,) = requirement.specifier
    assert specifier.operator == "=="
    return specifier.version
