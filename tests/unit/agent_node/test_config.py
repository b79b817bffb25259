"""What an agent is told from outside, and how it complains."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from agent_node import config
from agent_node.config import AgentTable, host_zone, load, read_table
from agent_node.core.rules import DryRun
from schemas.tables import SettingError, Table


def test_defaults_are_enough(tmp_path: Path) -> None:
    """A name alone makes an agent."""
    made = load("north", environment={}, data=tmp_path)

    assert (made.broker.host, made.broker.port) == ("127.0.0.1", 1883)
    assert made.rules().concurrency == 64
    assert timedelta(seconds=made.rules().timeout_seconds) == timedelta(hours=4)
    assert made.rules().dry_run is None


def test_argument_outranks_variable_outranks_file(tmp_path: Path) -> None:
    """In this order."""
    file = tmp_path / "jobplan.toml"
    file.write_text('[agent]\nconcurrency = 3\nkeep-days = 7\nlabels = ["a"]\n')
    environment = {
        "JOBPLAN_BROKER": "mqtt://variable",
        "JOBPLAN_AGENT_CONCURRENCY": "5",
        "JOBPLAN_AGENT_LABELS": "x, y",
        "JOBPLAN_AGENT_DRY_RUN": "true",
    }

    made = load("north", environment=environment, broker="mqtt://argument", table=read_table(file))

    assert made.broker.host == "argument"
    assert (made.table.concurrency, made.table.keep_days, made.table.labels) == (5, 7, ("x", "y"))
    assert made.rules().dry_run == DryRun()
    assert made.data.name == "jobplan-agent-north"
    assert made.data.is_absolute()


@pytest.mark.parametrize(("name", "environment", "word"), [
    ("", {}, "agent name"),
    ("n" * 101, {}, "agent name"),
    ("north", {"JOBPLAN_BROKER": "http://x"}, "broker"),
    ("north", {"JOBPLAN_AGENT_ZONE": "Mars"}, "JOBPLAN_AGENT_ZONE: 'Mars'"),
    ("north", {"JOBPLAN_AGENT_CONCURRENCY": "0"}, "JOBPLAN_AGENT_CONCURRENCY: at least 1 is wanted"),
    ("north", {"JOBPLAN_AGENT_CONCURRENCY": "many"}, "JOBPLAN_AGENT_CONCURRENCY: 'many' where a whole number belongs"),
    ("north", {"JOBPLAN_AGENT_TIMEOUT_SECONDS": "-1"}, "TIMEOUT_SECONDS"),
    ("north", {"JOBPLAN_AGENT_KEEP_DAYS": "0"}, "KEEP_DAYS"),
    ("north", {"JOBPLAN_AGENT_DRY_RUN_SECONDS": "-1"}, "DRY_RUN_SECONDS"),
    ("north", {"JOBPLAN_AGENT_DRY_RUN_ERROR_PERCENTAGE": "101"}, "0 to 100"),
])  # fmt: skip
def test_bad_setting_is_one_line(name: str, environment: dict[str, str], word: str) -> None:
    """That names the setting."""
    with pytest.raises(SettingError, match=word) as error:
        load(name, environment=environment)

    assert "\n" not in str(error.value)


@pytest.mark.parametrize("text", ["[agent", "agent = 3", ""])
def test_file_that_cannot_be_read_is_one_line(tmp_path: Path, text: str) -> None:
    """Missing, broken, or with something else in place of the table."""
    file = tmp_path / "jobplan.toml"
    if text:
        file.write_text(text)

    with pytest.raises(SettingError, match=r"jobplan\.toml"):
        read_table(file)


def test_lists_and_tables_are_variables_too() -> None:
    """Parts are separated by commas; programs of secrets stand in files alone."""
    environment = {
        "JOBPLAN_AGENT_LABELS": "a, b",
        "JOBPLAN_AGENT_LABEL_CONCURRENCY": "db=2, io = 4",
        "JOBPLAN_AGENT_RUN_AS": "batch",
        "JOBPLAN_AGENT_SECRET_COMMANDS": "x",
    }
    table = load("north", environment=environment).table

    assert (table.labels, table.label_concurrency, table.run_as) == (("a", "b"), {"db": 2, "io": 4}, ("batch",))
    assert table.secret_commands == {}


@pytest.mark.parametrize("table", [
    {"label-concurrency": {"db": 0}}, {"secret-commands": {"db": []}}, {"output-bytes": -1},
])  # fmt: skip
def test_setting_that_cannot_be_is_refused(table: dict[str, object]) -> None:
    """By its name."""
    with pytest.raises(SettingError, match=next(iter(table))):
        load("north", environment={}, table=Table(name="agent", values=table))


def test_unknown_setting_is_refused() -> None:
    """A slip of the pen is not passed over."""
    with pytest.raises(SettingError, match="concurency"):
        load("north", environment={}, table=Table(name="agent", values={"concurency": 3}))


@pytest.mark.parametrize(("variable", "zone"), [
    ("Europe/Zurich", "Europe/Zurich"), (":Asia/Tokyo", "Asia/Tokyo"),
])  # fmt: skip
def test_zone_is_the_hosts(variable: str, zone: str) -> None:
    """TZ, as POSIX has it; without one some zone that exists."""
    assert host_zone({"TZ": variable}) == zone
    assert host_zone({"TZ": "nonsense"}) == host_zone({})


def test_every_setting_is_documented() -> None:
    """On the agent's page, as it is written in files."""
    page = Path(config.__file__).with_name("README.md").read_text()

    assert [name for name in AgentTable.__struct_encode_fields__ if f"`{name}`" not in page] == []


def test_every_file_is_on_the_page() -> None:
    """A newcomer finds each rule from it."""
    folder = Path(config.__file__).parent
    page = (folder / "README.md").read_text()
    files = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.py")) if path.name != "__init__.py"]

    assert [name for name in files if f"`{name}`" not in page] == []
