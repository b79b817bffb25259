"""The lock files name the exact world, and no address."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.tidy.source import ROOT

LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-more.lock",
    "requirements-bench.lock",
    "requirements-peer-airflow.lock",
    "requirements-peer-celery.lock",
    "requirements-peer-prefect.lock",
)
ADDRESS = re.compile(r"://|\bindex\b|find-links|trusted-host|\bfile:|@ ")
PINNED = re.compile(r"[a-z0-9-]+==[^ ;]+( ; [^\\]+)? \\\n(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+")


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_address(lock: str) -> None:
    """Where packages come from is the business of whoever installs."""
    assert not ADDRESS.findall((ROOT / lock).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://example.org/simple",
        "--extra-index-url=x",
        "--find-links wheels",
        "a @ file:a.whl",
        "# from http://x",
    ],
)
def test_an_address_would_be_found(line: str) -> None:
    """The search finds each way to name an address."""
    assert ADDRESS.search(line)


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_nothing_but_pins_with_hashes(lock: str) -> None:
    """Every line belongs to a package with one version and its hashes."""
    text = (ROOT / lock).read_text(encoding="utf-8")

    assert PINNED.sub("", text) == ""


def test_what_runs_is_what_is_tested() -> None:
    """The development lock holds the same versions as the runtime lock, and more."""
    assert _pins("requirements.lock").items() < _pins("requirements-dev.lock").items()


def test_every_dependency_is_locked() -> None:
    """What pyproject.toml asks for is in the lock files: someone who adds a dependency remakes them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = project["project"]["dependencies"]
    groups = project["dependency-groups"]
    alone = {name: groups.pop(name) for name in ("more", "bench", "peer-airflow", "peer-celery", "peer-prefect")}
    dev = [entry for group in groups.values() for entry in group if isinstance(entry, str)]

    assert {_name(entry) for entry in runtime} <= _pins("requirements.lock").keys()
    assert {_name(entry) for entry in dev} <= _pins("requirements-dev.lock").keys()
    for name, entries in alone.items():
        assert {_name(entry) for entry in entries} <= _pins(f"requirements-{name}.lock").keys()


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9_-]+", requirement)
    assert found, requirement
    return found.group().lower().replace("_", "-")
