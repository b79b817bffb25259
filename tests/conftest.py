"""What pytest needs to know: layers, brokers, and the guard against what tests leave behind.

The code behind it is in tests/support/.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.support.leaks import check_descendants, descendants, mark_descendants, without_leaking_tasks
from tests.support.mosquitto import Mosquitto, running_mosquitto

LAYERS = ("tidy", "unit", "properties", "scenarios", "simulation", "contract", "shell", "e2e", "web", "chaos")
"""The folders of tests, the quick ones first; each is a marker too (`-m "not e2e"`)."""

PURE_LAYERS = frozenset({"tidy", "unit", "properties", "scenarios", "simulation"})
"""Where no process is started, so that the guard need not look for any."""

HERE = Path(__file__).resolve().parent
_prefixes = itertools.count(1)

# steady: the same examples each time, so that a red run is red for everybody. fresh: others each time; what failed is
# kept and tried first. deep: fresh, and for long.
set_hypothesis_home_dir(HERE.parent / ".cache" / "hypothesis")
_kept = DirectoryBasedExampleDatabase(HERE.parent / ".cache" / "hypothesis" / "examples")
hypothesis.settings.register_profile("steady", deadline=None, derandomize=True, database=None, print_blob=True)
hypothesis.settings.register_profile("fresh", deadline=None, derandomize=False, database=_kept, print_blob=True)
hypothesis.settings.register_profile("deep", hypothesis.settings.get_profile("fresh"), max_examples=5000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "steady")

mark_descendants()

# Else pytest-asyncio, looking for a loop to put back after each test, has asyncio make one that nobody closes.
asyncio.set_event_loop(None)


def _layer(path: Path) -> str:
    """The folder below tests/ in which a test stands."""
    return path.relative_to(HERE).parts[0] if path.is_relative_to(HERE) else ""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give each test its layer's marker, and each async test its guard."""
    if (layer := _layer(item.path)) in LAYERS:
        item.add_marker(layer)
    # An async test of hypothesis runs its inner function many times; hypothesis wants to wrap that itself.
    if (
        isinstance(item, pytest.Function)
        and inspect.iscoroutinefunction(item.obj)
        and not hasattr(item.obj, "hypothesis")
    ):
        item.obj = without_leaking_tasks(item.obj)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the quick layers first, whatever the folders are called."""
    rank = {layer: number for number, layer in enumerate(LAYERS)}
    items.sort(key=lambda item: rank.get(_layer(item.path), len(LAYERS)))


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """A broker for all tests. Do nothing to it that another test could see: publish below `prefix` only."""
    with running_mosquitto(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture
def own_mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker for this test alone: kill it, restart it, take its store away."""
    with running_mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test uses."""
    return f"test/{next(_prefixes)}"


@pytest.fixture(autouse=True)
def leave_no_processes(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves processes behind."""
    if _layer(request.path) in PURE_LAYERS:
        yield
        return
    before = descendants()
    yield
    check_descendants(before)
