"""Whatever a command takes that names something: what is not there is said alike, with the name that was perhaps meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import click
import pytest
from click.testing import CliRunner

from jobplan.cli import main
from tests.e2e.nodes import Installation, a_command, an_installation, write_plan
from tests.unit.jobplan.test_command_line import command_of, commands

pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True)
class Kind:
    """What a parameter names: a name that is there, one that is not, and what is said of that."""

    there: str
    strange: str
    said: str


PLAN: Final = Kind("Nightly", "Nihgtly", "plan 'Nihgtly' is unknown; did you mean 'Nightly'?")
INSTANCE: Final = Kind("Nightly", "Nihgtly", "instance 'Nihgtly' is unknown; did you mean 'Nightly'?")
JOB: Final = Kind("Load", "Laod", "job 'Laod'")
VERSION: Final = Kind("1", "7", "plan 'Nightly' has no version 7; there is 1")
KINDS: Final = {
    "PLAN": PLAN,
    "PLAN|BUNDLE": PLAN,
    "INSTANCE|PLAN": PLAN,
    "INSTANCE": INSTANCE,
    "[INSTANCE]": INSTANCE,
    "JOB": JOB,
    "[JOB]": JOB,
    "CONTEXT": Kind("Nightly", "Nihgtly", "context 'Nihgtly' is unknown; did you mean 'Nightly'?"),
    "AGENT": Kind("north", "nroth", "agent 'nroth' is unknown; did you mean 'north'?"),
    "LOCK": Kind("ledger", "leger", "lock 'leger' is unknown; did you mean 'ledger'?"),
    "GROUP": Kind("", "test", "lock 'ledger' of the group 'test' is unknown"),
    "CALENDAR": Kind("Holidays", "Holiday", "calendar 'Holiday' is unknown; did you mean 'Holidays'?"),
    "EVENT": Kind("Closed", "Cloesd", "global event 'Cloesd' is unknown; did you mean 'Closed'?"),
    "STATUS": Kind("ERROR", "EROR", "status 'EROR' is unknown; did you mean 'ERROR'?"),
    "USER": Kind("ann", "anna", "anna was not granted anything; did you mean 'ann'?"),
    "number": VERSION,
    "first": VERSION,
    "second": VERSION,
}
"""By the word for it in the help, or by the parameter."""
OF_CALENDARS: Final = Kind("1", "7", "calendar 'Holidays' has no version 7; there is 1")

FREE: Final = {
    **{
        (trail, what): "an audit trail tells also of what is no more"
        for trail in ("audit list", "audit export")
        for what in ("plan", "instance", "context", "job", "user")
    },
    ("agent dry-run", "job"): "an agent hears of a command when its run is handed over",
    ("serve dashboard", "admins"): "people are the broker's",
    ("user grant", "name"): "people are the broker's",
}
"""Parameters that may name what is not there, and why."""
BESIDES: Final = {
    "agent dry-run": ["on"],
    "notification mute": ["--until", "2h"],
    "instance extend": ["--by", "1h"],
    "instance parameters": ["region=south"],
}
"""What else a command wants to be told."""


def cases() -> Iterator[tuple[str, str, list[str], str]]:
    """Every parameter of every command that names something, with a name that is not there: the words, and what is said."""
    for words in commands(main):
        line = " ".join(words)
        named = [(one, kind) for one in command_of(words).params if (kind := _kind(line, one)) is not None]
        for strange, kind in named:
            if (line, strange.name) in FREE:
                continue
            given = [*words]
            for one, its in named:
                if one is strange or one.required or one.metavar == "[JOB]":
                    given += _given(one, its.strange if one is strange else its.there)
            yield line, str(strange.name), [*given, *BESIDES.get(line, [])], kind.said


def _kind(line: str, one: click.Parameter) -> Kind | None:
    if one.name in {"number", "first", "second"}:
        return OF_CALENDARS if line.startswith("calendar") else KINDS[one.name]
    if isinstance(one, click.Option) and one.is_flag:
        return None
    return KINDS.get(one.metavar or str(one.name).upper())


def _given(one: click.Parameter, value: str) -> list[str]:
    return [value] if isinstance(one, click.Argument) else [one.opts[-1], value]


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A plan of one version whose instance holds a lock; a calendar; one person who was granted something."""
    folder = tmp_path_factory.mktemp("names")
    holder = [{"agentName": "north", "jobName": "Load", "contextName": "Nightly", "lockCount": 1}]
    jobs: list[dict[str, object]] = [
        a_command("Load", "exec sleep 300", participatesInLock=True),
        {"agentName": "GLOBAL_EVENT", "jobName": "Closed"},
    ]
    plan = write_plan(
        folder / "Nightly",
        jobs,
        {"Load": [], "Closed": []},
        jobLocks=[{"name": "ledger", "lockCount": 1, "jobs": {"Nightly": holder}}],
        contextParameters=[{"name": "region", "defaultValue": "north"}],
    )
    (folder / "Holidays.csv").write_text("2030-01-01,New Year\n", "utf-8")
    with an_installation(folder) as nodes:
        nodes.start("north", dashboard=("--admin", "ann"))
        for words in (("plan", "import", str(plan)), ("calendar", "import", str(folder / "Holidays.csv"))):
            assert nodes.run(*words, user="ann").returncode == 0
        assert nodes.run("user", "grant", "*", "admin", user="ann").returncode == 0
        nodes.do("instance", "start", "Nightly")
        nodes.do("job", "submit", "Nightly", "Load")
        yield nodes
        nodes.do("instance", "end", "Nightly", "--yes")


def run(installation: Installation, *words: str) -> tuple[int, str, str]:
    """Exit code, output, errors of a command."""
    done = CliRunner().invoke(main, [*words, "--broker", installation.url], prog_name="jobplan")
    return done.exit_code, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [pytest.param(words, said, id=f"{line}: {name}") for line, name, words, said in cases()],
)
def test_what_is_not_there_is_said_with_what_was_perhaps_meant(
    installation: Installation, words: list[str], said: str
) -> None:
    """In one line, with exit code 2, and nothing has happened."""
    code, out, error = run(installation, *words)

    assert (code, out) == (2, "")
    assert error.startswith(f"jobplan: {said}")
    assert len(error.splitlines()) == 1


def test_each_kind_of_name_is_tried() -> None:
    """Or a word of the help has changed, and its commands are tried no more."""
    tried = {said for _, _, _, said in cases()}

    assert tried == {kind.said for kind in (*KINDS.values(), OF_CALENDARS)}


@pytest.mark.parametrize(
    "words", [("start", "Nightly", "-p", "regoin=south"), ("parameters", "Nightly", "regoin=south")]
)
def test_a_parameter_that_nobody_declares_is_refused(installation: Installation, words: tuple[str, ...]) -> None:
    """At the start of an instance, and in one that runs."""
    code, out, error = run(installation, "instance", *words)

    assert (code, out) == (2, "")
    assert error == "jobplan: parameter 'regoin' of plan 'Nightly' is unknown; did you mean 'region'?\n"
