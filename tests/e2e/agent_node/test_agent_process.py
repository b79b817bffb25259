"""An agent as a process of its own, between a real broker and real commands."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from agent_node.folders import RunFolders
from broker.address import BrokerUrl
from broker.mqtt.bus import MqttBus
from schemas.addresses import AgentInstanceAt, AgentPlanAt, AssignmentAt
from schemas.documents import AgentPlan, FireReport
from schemas.status import FireOutcome, Outcome, RunPhase
from tests.support.agents import (
    AGENT,
    INSTANCE,
    PLAN,
    a_clock,
    a_command,
    a_file_job,
    a_run,
    an_assignment,
)
from tests.support.desk import Desk
from tests.support.mosquitto import Mosquitto
from tests.support.waiting import eventually

RUN = a_run()
SOON = 10.0


def _folder(data: Path) -> Path:
    """Where the run's files are."""
    return RunFolders(data).of(RUN).path


class AgentProcess:
    """``python -m agent_node``, which a test may kill."""

    def __init__(self, url: BrokerUrl, data: Path) -> None:
        self._url = url
        self._data = data
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Begin a life."""
        command = (sys.executable, "-m", "agent_node", AGENT, "--broker", self._url.full(), "--data", str(self._data))
        with (self._data.parent / "agent.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(*command, stderr=log)

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End it; the exit code."""
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self._process.wait()


@asynccontextmanager
async def a_world(mosquitto: Mosquitto, prefix: str, data: Path) -> AsyncIterator[tuple[Desk, AgentProcess]]:
    """A desk and an agent on one broker."""
    url = BrokerUrl(host=mosquitto.host, port=mosquitto.port, prefix=prefix)
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(Desk(MqttBus(url), prefix).connected())
        agent = AgentProcess(url, data)
        await agent.start()
        stack.push_async_callback(agent.end)
        yield desk, agent


async def test_command_runs_from_assignment_to_let_go(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """Running, ended; the report goes when the assignment is cleared."""
    go = tmp_path / "go"
    script = f"echo $GREETING; until [ -e {go} ]; do sleep 0.02; done; exit 3"
    async with a_world(mosquitto, prefix, tmp_path) as (desk, _):
        await desk.publish()
        await desk.assign(an_assignment(a_command(script), parameters={"GREETING": "hello"}))
        await eventually(lambda: desk.phase() is RunPhase.RUNNING, within=SOON, what="it runs")
        go.touch()
        await eventually(lambda: desk.phase() is RunPhase.ENDED, within=SOON, what="the run ends")
        end = desk.report()
        await desk.show(AssignmentAt(AGENT, RUN), None)
        await eventually(lambda: desk.report() is None, within=SOON, what="the report is cleared")

    assert end is not None
    assert (end.outcome, end.return_code) == (Outcome.FAILED, 3)
    assert end.output == str(_folder(tmp_path) / "out")
    assert (_folder(tmp_path) / "out").read_text() == "hello\n"
    assert desk.history == [RunPhase.RUNNING, RunPhase.ENDED]


async def test_scenario_204_killed_agent_finds_its_process_again(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """Kill -9 of the agent: the command lives on, is found, and its code is reported. It ran once."""
    go, log = tmp_path / "go", tmp_path / "log"
    script = f"echo began >>{log}; until [ -e {go} ]; do sleep 0.02; done; exit 4"
    async with a_world(mosquitto, prefix, tmp_path / "data") as (desk, agent):
        await desk.publish()
        await desk.assign(an_assignment(a_command(script)))
        await eventually(lambda: desk.phase() is RunPhase.RUNNING and log.exists(), within=SOON, what="it runs")
        before = desk.report()
        await agent.end(signal.SIGKILL)
        await agent.start()
        await eventually(
            lambda: desk.history.count(RunPhase.RUNNING) > 1 or desk.report() == before, within=SOON, what="found"
        )
        go.touch()
        await eventually(lambda: desk.phase() is RunPhase.ENDED, within=SOON, what="the run ends")
        end = desk.report()

    assert before is not None
    assert end is not None
    assert (end.outcome, end.return_code) == (Outcome.FAILED, 4)
    assert (end.pid, end.output, end.started) == (before.pid, before.output, before.started)
    assert log.read_text() == "began\n"


async def test_scenario_205_code_of_a_run_that_ended_while_the_agent_was_down(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """The wrapper wrote the code; the next life reports it."""
    go, done = tmp_path / "go", tmp_path / "done"
    script = f"until [ -e {go} ]; do sleep 0.02; done; touch {done}; exit 5"
    async with a_world(mosquitto, prefix, tmp_path / "data") as (desk, agent):
        await desk.publish()
        await desk.assign(an_assignment(a_command(script)))
        await eventually(lambda: desk.phase() is RunPhase.RUNNING, within=SOON, what="it runs")
        await agent.end(signal.SIGKILL)
        go.touch()
        await eventually(done.exists, within=SOON, what="the command ends by itself")
        await agent.start()
        await eventually(lambda: desk.phase() is RunPhase.ENDED, within=SOON, what="the run ends")
        end = desk.report()

    assert end is not None
    assert (end.outcome, end.return_code) == (Outcome.FAILED, 5)


async def test_sigterm_ends_the_agent_and_leaves_commands(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A clean end, code 0; the command runs on, and the next life stops it when asked."""
    async with a_world(mosquitto, prefix, tmp_path / "data") as (desk, agent):
        await desk.publish()
        await desk.assign(an_assignment(a_command("sleep 600")))
        await eventually(lambda: desk.phase() is RunPhase.RUNNING, within=SOON, what="it runs")
        code = await agent.end()
        report = desk.report()
        assert report is not None
        os.kill(report.pid, 0)  # lives
        await desk.assign(an_assignment(a_command("sleep 600"), stop=True))
        await agent.start()
        await eventually(lambda: desk.phase() is RunPhase.ENDED, within=SOON, what="it is stopped")
        end = desk.report()

    assert code == 0
    assert end is not None
    assert end.outcome is Outcome.KILLED


async def test_clock_and_file_jobs_fire(mosquitto: Mosquitto, prefix: str, tmp_path: Path) -> None:
    """A clock that strikes each second, and a file that arrives and is moved.

    The instance is an hour old when the agent first hears of it: what was due before is told as missed, and then it fires.
    """
    inbox, archive = tmp_path / "in", tmp_path / "archive"
    inbox.mkdir()
    jobs = (a_clock("* * * * * ?", job="tick"), a_file_job(f"{inbox}/.*[.]txt", job="file", moveDirectory=str(archive)))
    async with a_world(mosquitto, prefix, tmp_path / "data") as (desk, _):
        await desk.show(AgentPlanAt(AGENT, PLAN), AgentPlan(plan=PLAN, versions={"1": jobs}))
        await desk.publish()
        (inbox / "a.txt").write_text("x")
        await eventually(lambda: desk.fires("file") is not None, within=SOON, what="the file fires")
        await eventually(lambda: _fired(desk.fires("tick")), within=SOON, what="the clock fires")
        await eventually(lambda: archive.exists() and list(archive.iterdir()) != [], within=SOON, what="it is moved")
        file, tick = desk.fires("file"), desk.fires("tick")
        await desk.show(AgentInstanceAt(AGENT, INSTANCE), None)
        await eventually(lambda: desk.fires("tick") is None, within=SOON, what="the report goes with the instance")

    assert file is not None
    assert [fire.files for fire in file.fires] == [(str(inbox / "a.txt"),)]
    assert not (inbox / "a.txt").exists()
    assert tick is not None
    assert tick.fires[0].outcome is FireOutcome.MISSED
    assert {fire.outcome for fire in tick.fires[1:]} == {FireOutcome.FIRED}


def _fired(report: FireReport | None) -> bool:
    return report is not None and any(fire.outcome is FireOutcome.FIRED for fire in report.fires)


async def test_secret_stands_on_no_topic_in_no_log_and_in_no_audit(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """The process has the value; reports, the agent's log, its database and the run's folder do not."""
    data = tmp_path / "data"
    (data / "secrets").mkdir(parents=True)
    (data / "secrets" / "db").write_text("hush-7319\n")
    (data / "secrets" / "db").chmod(0o600)
    script = 'test "$P" = hush-"7319"'
    async with a_world(mosquitto, prefix, data) as (desk, _):
        await desk.publish()
        await desk.assign(
            an_assignment(a_command(script), parameters={"P": "secret:db", "Q": "secret:gone"}, attempt=2)
        )
        await desk.assign(an_assignment(a_command(script, job="works"), parameters={"P": "secret:db"}))
        works = a_run(job="works")
        await eventually(lambda: desk.phase(works) is RunPhase.ENDED, within=SOON, what="the run ends")
        await eventually(lambda: desk.phase(a_run(2)) is RunPhase.ENDED, within=SOON, what="the other fails")
        end, other = desk.report(works), desk.report(a_run(2))
        shown = b"".join(desk.reports.values())
    files = _files_of(tmp_path)

    assert end is not None
    assert other is not None
    assert end.outcome is Outcome.SUCCEEDED
    assert other.outcome is Outcome.NOT_STARTED
    assert b"hush-7319" not in shown
    assert {"agent.db", "agent.log", "script"} <= {path.name for path in files}
    assert [path for path in files if b"hush-7319" in path.read_bytes()] == []


def _files_of(folder: Path) -> list[Path]:
    """Every file below it but the secrets."""
    return [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "secrets"]
