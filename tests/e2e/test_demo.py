"""`jobplan demo`: one command from nothing to a finished instance."""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.e2e.nodes import JOBPLAN, ROOT, environment
from tests.support.leaks import descendants
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(240)

BUNDLE = ROOT / "tests" / "plans" / "MyFirstJobPlan.zip"

Line = dict[str, str]


def a_demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a demo to its end, with temporary files in the test's folder."""
    return subprocess.run(
        [*JOBPLAN, "demo", *arguments],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=folder,
        env=environment() | {"TMPDIR": str(folder)},
    )


def lines_of(done: subprocess.CompletedProcess[str]) -> list[Line]:
    """The lines it wrote, each a JSON object."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def holders(lines: list[Line], jobs: set[str]) -> list[set[str]]:
    """Which of the jobs run at the same time, after each change of one of them."""
    running: set[str] = set()
    found = []
    for line in lines:
        if line.get("job") in jobs:
            running = running | {line["job"]} if line["status"] == "RUNNING" else running - {line["job"]}
            found.append(running)
    return found


def statuses(lines: list[Line], job: str) -> list[str]:
    """What a job went through."""
    return [line["status"] for line in lines if line.get("job") == job]


def test_the_sample_shows_every_kind_of_job(tmp_path: Path) -> None:
    """The sample completes: each job of it, a lock, a retry by itself, a failure that a person mends."""
    done = a_demo(tmp_path, "--exit", "--json")

    lines = lines_of(done)
    last = {(line["context"], line["job"]): line["status"] for line in lines if "job" in line}
    assert done.returncode == 0, done.stderr
    assert "in a browser: http://127.0.0.1:" in done.stderr
    assert set(last.values()) == {"COMPLETE"}
    assert len(last) == 18
    assert max(len(together) for together in holders(lines, {"ReserveStock", "UpdatePrices"})) == 1
    assert "LOCK_QUEUED" in statuses(lines, "UpdatePrices") + statuses(lines, "ReserveStock")
    # the newest state of each moment is seen: one that was soon over may be passed by
    assert statuses(lines, "SettleInvoices")[-2:] == ["RUNNING", "COMPLETE"]
    assert "ERROR" in statuses(lines, "SettleInvoices")
    assert "resubmits it" in done.stderr
    assert not list(tmp_path.iterdir()), "the temporary folder is gone"


def test_ikasans_own_bundle_completes_hands_free(tmp_path: Path) -> None:
    """The bundle as Ikasan exported it completes, and the two jobs that share a lock never run together."""
    done = a_demo(tmp_path, str(BUNDLE), "--hands-free", "--exit", "--json")

    lines = lines_of(done)
    together = holders(lines, {"SampleCommandExecutionJob2", "SampleCommandExecutionJob7"})
    assert done.returncode == 0, done.stderr
    assert [line["status"] for line in lines if line["kind"] == "instance"][-1] == "COMPLETE"
    assert all(set(line) <= {"at", "kind", "instance", "context", "job", "status"} for line in lines)
    assert [len(running) for running in together].count(1) == 2
    assert max(len(running) for running in together) == 1
    assert "submitted clock job 7amScheduledEvent, as an operator would" in done.stderr


def test_a_faulty_bundle_is_refused_before_anything_starts(tmp_path: Path) -> None:
    """Tokens without values are named, one line each, with exit code 2."""
    done = a_demo(tmp_path, str(BUNDLE.with_name("MyFirstJobPlanWithTokens.zip")), "--exit")

    assert (done.returncode, done.stdout) == (2, "")
    assert "agent.name" in done.stderr
    assert "context.name" in done.stderr
    assert not list(tmp_path.iterdir())


def test_an_unfinished_instance_ends_with_1(tmp_path: Path) -> None:
    """When the instance does not complete in time, the demo says so, ends everything, and leaves with 1."""
    done = a_demo(tmp_path, "--exit", "--timeout", "3")

    assert done.returncode == 1
    assert "gave up after" in done.stderr


def test_a_killed_demo_leaves_no_process_behind(tmp_path: Path) -> None:
    """Not even kill -9 of the demo leaves a broker, a dashboard or an agent running."""
    before = descendants()
    env = environment() | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*JOBPLAN, "demo", "--json"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stderr is not None
        started = next((line for line in demo.stderr if "started instance" in line), "")
        running = descendants() - before
        demo.kill()

    assert started
    assert len(running) >= 6, "the demo, a broker, its mosquitto, a dashboard and two agents"
    until(lambda: descendants() <= before, within=20, what="all of them have ended")


@pytest.mark.skipif(shutil.which("mosquitto_sub") is None, reason="needs mosquitto_sub (package mosquitto-clients)")
def test_the_line_to_paste_shows_the_topics(tmp_path: Path) -> None:
    """The printed command works as it is, for the operator's password and the access rules."""
    env = environment() | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        [*JOBPLAN, "demo", "--json"],
        cwd=tmp_path,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stderr is not None
        until_started = itertools.takewhile(lambda line: "started instance" not in line, demo.stderr)
        line = next((line for line in list(until_started) if "mosquitto_sub" in line), "")
        command = shlex.split(line.partition("watch it with: ")[2])
        shown = subprocess.run([*command, "-W", "2"], capture_output=True, text=True, timeout=20, check=False).stdout
        demo.terminate()

    assert demo.returncode == 0
    assert "jobplan/v1/dashboard/presence " in shown
    assert "jobplan/v1/agent/desk/presence " in shown
    assert "/job/Receive/desk-OrderFile " in shown
    assert not list(tmp_path.iterdir()), "told to end, it takes its folder away"
