"""`jobplan broker`: what is printed, once, and how it ends when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from jobplan.cli.main import main


def run(*arguments: str) -> Result:
    """Run a command line."""
    return CliRunner().invoke(main, ["broker", *arguments])


def made(folder: Path, *more: str) -> dict[str, str]:
    """Make a deployment; the users' addresses."""
    done = run("init", str(folder), "--host", "broker.example", *more, "--json")
    assert done.exit_code == 0, done.output
    users: dict[str, str] = json.loads(done.stdout)["users"]
    return users


def test_init_tells_each_users_address(tmp_path: Path) -> None:
    """One line a user, to paste, and how to run the broker."""
    folder = tmp_path / "a b"
    done = run("init", str(folder), "--host", "broker.example", "--agent", "north 1", "--viewer", "bob")

    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert [line.partition("@")[2] for line in lines[:-1]] == ["broker.example:8883"] * 5
    assert [line.partition("//")[2].partition(":")[0] for line in lines[:-1]] == [
        "dashboard",
        "agent-north%25201",
        "admin",
        "operator",
        "bob",
    ]
    assert lines[-1] == f"export JOBPLAN_CA_FILE='{folder}/ca.pem'"
    assert f"mosquitto -c '{folder}/mosquitto.conf'" in done.stderr
    assert "jobplan serve broker --data" in done.stderr
    assert "jobplan serve dashboard --admin admin\n  jobplan user grant operator operator\n" in done.stderr


def test_init_again_is_refused_without_force(tmp_path: Path) -> None:
    """Exit 2 and one line that says what to do instead; with --force everybody gets another password."""
    before = made(tmp_path)
    again = run("init", str(tmp_path))

    assert (again.exit_code, again.stderr.count("\n")) == (2, 1)
    assert "add-agent" in again.stderr
    assert made(tmp_path, "--force")["dashboard"] != before["dashboard"]


def test_users_are_added_and_removed(tmp_path: Path) -> None:
    """Each addition prints one address, and says that a running broker has to be told."""
    made(tmp_path, "--prefix", "site/7", "--port", "9883")
    agent = run("add-agent", "west", str(tmp_path))
    viewer = run("add-user", "bob", str(tmp_path), "--viewer")
    operator = run("add-user", "anna", str(tmp_path), "--json")
    twice = run("add-user", "bob", str(tmp_path))
    removed = run("remove-user", "agent-west", str(tmp_path))
    unknown = run("remove-user", "bbo", str(tmp_path), "--json")

    assert agent.stdout.startswith("export JOBPLAN_BROKER=mqtts://agent-west:")
    assert "@broker.example:9883/site/7\n" in agent.stdout
    assert "kill -HUP" in agent.stderr
    assert (viewer.exit_code, list(json.loads(operator.stdout)["users"])) == (0, ["anna"])
    assert (twice.exit_code, removed.stdout) == (2, "removed agent-west\n")
    assert (unknown.exit_code, unknown.stdout) == (2, "")
    assert unknown.stderr == "jobplan: user 'bbo' is unknown; did you mean 'bob'?\n"
    rules = (tmp_path / "rules").read_text()
    assert "topic write site/7/request/anna/+" in rules
    assert "request/bob" not in rules
    assert "west" not in rules


def test_unusable_folder_is_one_line(tmp_path: Path) -> None:
    """What is no folder, or holds no deployment, is said, with what to do."""
    (tmp_path / "file").write_text("")
    for done, said in (
        (run("init", str(tmp_path / "file" / "x")), "give a folder that can be written"),
        (run("add-agent", "x", str(tmp_path)), "jobplan broker init"),
        (run("init", str(tmp_path / "x"), "--prefix", "a//b"), "prefix"),
    ):
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert said in done.stderr
