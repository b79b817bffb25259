"""The command line without a broker: help, errors, completion, speed of what must be quick."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from jobplan.cli import main

SCREEN_LINES = 40
COLUMNS = 100


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command, by its words."""
    with click.Context(group) as ctx:
        for name in group.list_commands(ctx):
            command = group.get_command(ctx, name)
            yield (*path, name)
            if isinstance(command, click.Group):
                yield from commands(command, (*path, name))


@pytest.mark.parametrize("words", [(), *commands(main)], ids=" ".join)
def test_help_fits_on_a_screen_and_shows_an_example(words: tuple[str, ...]) -> None:
    """Of every command."""
    result = CliRunner().invoke(main, [*words, "--help"])

    assert result.exit_code == 0, result.output
    assert "Example:" in result.output
    assert len(result.output.splitlines()) <= SCREEN_LINES
    assert max(map(len, result.output.splitlines())) <= COLUMNS


@pytest.mark.parametrize("words", [(), *commands(main)], ids=" ".join)
def test_help_is_whole_and_for_people(words: tuple[str, ...]) -> None:
    """No sentence is cut short, no option's value is named by the type it has in the code."""
    text = CliRunner().invoke(main, [*words, "--help"]).output

    assert not re.findall(r"INTEGER|FLOAT|RANGE", text)
    if isinstance(command_of(words), click.Group):
        assert not re.findall(r"[^]]\.\.\.$", text, re.MULTILINE)


def command_of(words: tuple[str, ...]) -> click.Command:
    """A command by its words."""
    command: click.Command | None = main
    with click.Context(main) as ctx:
        for word in words:
            assert isinstance(command, click.Group)
            command = command.get_command(ctx, word)
    assert command is not None
    return command


@pytest.mark.parametrize(
    "words", [words for words in commands(main) if not isinstance(command_of(words), click.Group)], ids=" ".join
)
def test_every_command_writes_json_and_takes_a_broker(words: tuple[str, ...]) -> None:
    """The options that stand everywhere."""
    command = command_of(words)

    assert {"as_json", "broker", "data", "config", "log_level"} <= {parameter.name for parameter in command.params}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "job submit Daily",
            "jobplan: no JOB: to submit all jobs of Daily, say --yes; see 'jobplan job submit --help'",
        ),
        (
            "job acknowledge Daily -c Night",
            "jobplan: no JOB: to acknowledge all jobs of Night, say --yes; see 'jobplan job acknowledge --help'",
        ),
        (
            "job resubmit Daily --wait --yes",
            "jobplan: --wait is for one job: name it, or follow them all with 'jobplan instance watch'",
        ),
        ("instance extend Daily --until 99:00", "jobplan: time '99:00' is not ISO 8601: write it as 2026-03-29T02:30"),
        ("instance start Daily -p", "jobplan: option '-p' requires an argument; see 'jobplan instance start --help'"),
        ("plan lst", "jobplan: no such command 'lst'. Did you mean 'list'?; see 'jobplan plan --help'"),
        ("job why Daily", "jobplan: missing argument 'JOB'; see 'jobplan job why --help'"),
        (
            "instance start Daily -p north",
            "jobplan: --parameter 'north': NAME=VALUE is wanted",
        ),
        ("--broker http://x agent list", "jobplan: --broker: 'http' is not a way to reach a broker"),
        ("cron next 'x'", "jobplan: cron 'x': "),
        (
            "cron next '0 0 1 ? * *' --zone Europe/Lodon",
            "jobplan: time zone 'Europe/Lodon' is unknown; did you mean",
        ),
        ("plan import nowhere.zip", "jobplan: nowhere.zip: cannot be read: No such file or directory"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(line: str, said: str) -> None:
    """What is wrong, where, what to do."""
    result = CliRunner().invoke(main, shlex.split(line), prog_name="jobplan")

    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines()[0].startswith(said)


@pytest.mark.parametrize("words", ["", "plan", "serve"])
def test_without_a_command_there_is_help(words: str) -> None:
    """The help as it is, on standard error, and exit code 2: a script has forgotten something."""
    asked = CliRunner().invoke(main, [*words.split(), "--help"], prog_name="jobplan")
    result = CliRunner().invoke(main, words.split(), prog_name="jobplan")

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.rstrip() == asked.stdout.rstrip()


def test_what_is_wrong_with_a_bundle_is_said_once(tmp_path: Path) -> None:
    """One fault is one line; of several each has one, below the line that counts them."""
    broken, wrong = tmp_path / "broken.json", tmp_path / "wrong.json"
    broken.write_text("{", encoding="utf-8")
    wrong.write_text('{"name": "P", "timezone": "Nowhere", "timeWindowStart": "x"}', encoding="utf-8")
    one = CliRunner().invoke(main, ["plan", "import", str(broken)])
    two = CliRunner().invoke(main, ["plan", "import", str(wrong)])

    assert (one.exit_code, len(one.stderr.splitlines())) == (2, 1)
    assert (two.exit_code, len(two.stderr.splitlines())) == (2, 3)


@pytest.mark.parametrize("node", [("broker",), ("dashboard",), ("agent", "north")], ids=" ".join)
def test_a_folder_that_cannot_be_made_is_one_line(node: tuple[str, ...]) -> None:
    """Not even root makes a folder there."""
    result = CliRunner().invoke(main, ["serve", *node, "--data", "/proc/nowhere", "--broker", "mqtt://127.0.0.1:1"])

    assert (result.exit_code, len(result.stderr.splitlines())) == (2, 1)
    assert result.stderr.startswith("jobplan: /proc/nowhere")
    assert "give --data another folder" in result.stderr


@pytest.mark.parametrize(
    ("line", "text", "said"),
    [
        ("serve agent north", '[agent]\nconcurrency = "x"', "[agent] concurrency: 'x' where a whole number belongs"),
        ("serve agent north", "[agent]\nkeep-days = 0", "[agent] keep-days: at least 1 is wanted"),
        ("serve dashboard", "[dashboard]\nretention = true", "[dashboard] retention: True where a number belongs"),
        ("serve dashboard", '[dashboard]\nadmin = ["a"]', "[dashboard] admin: unknown key; did you mean 'admins'?"),
        ("serve dashboard", "[notifications.mail]\nport = -1", "[notifications.mail] port: 1 to 65535 is wanted"),
        ("serve web", '[web]\nconnections = "x"', "[web] connections: 'x' where a whole number belongs"),
        ("plan list", "json = 3", "json: 3 where true or false belongs"),
        ("plan list", "[agnet]", "agnet: unknown key; did you mean 'agent'?"),
    ],
)
def test_a_setting_that_cannot_be_is_one_line_and_exit_code_2(tmp_path: Path, line: str, text: str, said: str) -> None:
    """File, table and key, what is wrong, what to do: in the words of the file, whichever command reads it."""
    (tmp_path / "jobplan.toml").write_text(text)
    options = ["--config", str(tmp_path / "jobplan.toml"), "--data", str(tmp_path), "--broker", "mqtt://127.0.0.1:1"]

    result = CliRunner().invoke(main, [*line.split(), *options])

    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"jobplan: {tmp_path / 'jobplan.toml'}: {said}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_each_shell(shell: str) -> None:
    """Click's script, for our name."""
    result = CliRunner().invoke(main, ["completion", shell])

    as_json = CliRunner().invoke(main, ["completion", shell, "--json"])

    assert result.exit_code == 0
    assert "_JOBPLAN_COMPLETE" in result.output
    assert json.loads(as_json.output) == {"shell": shell, "script": result.output.removesuffix("\n")}


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_version_and_help_load_next_to_nothing(option: str) -> None:
    """That is what makes them quick: neither a node, nor MQTT, nor the words on the wire, nor what reads about packages."""
    spared = {
        "rich",
        "aiomqtt",
        "asyncio",
        "aiosqlite",
        "croniter",
        "schemas",
        "broker",
        "importlib.metadata",
        "tomllib",
    }
    code = (
        "import sys, atexit; from jobplan.cli import main;"
        f"atexit.register(lambda: print(sorted({spared!r} & set(sys.modules)), file=sys.stderr)); main(['{option}'])"
    )

    ended = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)

    assert ended.stderr == "[]\n"


def test_version_is_that_of_what_is_installed() -> None:
    """The number in the source and the one that the nodes show."""
    said = CliRunner().invoke(main, ["--version"]).output

    assert said == f"jobplan {metadata.version('jobplan')}\n"


def test_cron_commands_answer_without_a_broker() -> None:
    """They are for looking things up."""
    following = CliRunner().invoke(main, ["cron", "next", "0 0 1 ? * MON-FRI", "-n", "1", "--from", "2026-03-02T12:00"])
    explained = CliRunner().invoke(main, ["cron", "explain", "0 0 1 ? * MON-FRI"])

    assert following.output == "Tue 2026-03-03 01:00:00 UTC\n"
    assert explained.output == "At 01:00, Monday through Friday\n"


def test_cron_next_follows_the_policy_that_is_asked_for() -> None:
    """A skipped time comes after the gap, a repeated one in both passes."""
    words = [
        "cron",
        "next",
        "0 30 1 * * ?",
        "--zone",
        "Europe/London",
        "-n",
        "2",
        "--on-gap",
        "after",
        "--on-overlap",
        "both",
    ]

    spring = CliRunner().invoke(main, [*words, "--from", "2026-03-28T12:00"])
    autumn = CliRunner().invoke(main, [*words, "--from", "2026-10-24T12:00"])

    assert spring.output.splitlines() == ["Sun 2026-03-29 02:00:00 BST", "Mon 2026-03-30 01:30:00 BST"]
    assert autumn.output.splitlines() == ["Sun 2026-10-25 01:30:00 BST", "Sun 2026-10-25 01:30:00 GMT"]


def test_cron_check_leaves_out_every_tag_of_a_list() -> None:
    """The recorded answers of Quartz, without its accidents."""
    file = Path(__file__).parents[2] / "quartz" / "public.jsonl"

    result = CliRunner().invoke(main, ["cron", "check", str(file), "--without", "quirk,beyond-rule,error-at-compute"])

    assert result.exit_code == 0
    assert result.output.startswith("638 agree, 0 differ")
