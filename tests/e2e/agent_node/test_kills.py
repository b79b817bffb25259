"""An agent that is killed again and again, at any moment: every job runs once, and its code arrives.

``KILLS=200 KILLS_SEED=7`` in the environment makes it longer, or another one.
"""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from random import Random

import pytest

from broker.address import BrokerUrl
from broker.mqtt.bus import MqttBus
from schemas.documents import Assignment
from schemas.status import Outcome, RunPhase
from tests.e2e.agent_node.test_agent_process import AgentProcess
from tests.support.agents import a_command, a_run, an_assignment
from tests.support.desk import Desk
from tests.support.mosquitto import Mosquitto
from tests.support.waiting import eventually

JOBS = 50
KILLS = int(os.environ.get("KILLS", "20"))
SEED = int(os.environ.get("KILLS_SEED", "1"))
LONGEST_LIFE = 1.2
"""Seconds; an agent is ready after about half of one, so that some lives end before they have begun."""


def a_job(number: int, log: Path, random: Random) -> Assignment:
    """One that says that it ran, takes a moment or longer, and has a code of its own."""
    seconds = random.choice((0, 0.05, 0.5, 3))
    command = a_command(f"echo ran >>{log}/{number}; sleep {seconds}; exit {number}", job=f"j{number}")
    return an_assignment(command)


@pytest.mark.timeout(60 + 3 * KILLS)
async def test_every_job_runs_once_whenever_its_agent_is_killed(
    mosquitto: Mosquitto, prefix: str, tmp_path: Path
) -> None:
    """S1 and S7: no run is lost, none starts twice, and each code is the command's own."""
    random = Random(SEED)  # noqa: S311  # repeatable, guards nothing
    log = tmp_path / "log"
    log.mkdir()
    url = BrokerUrl(host=mosquitto.host, port=mosquitto.port, prefix=prefix)
    jobs = [a_job(number, log, random) for number in range(JOBS)]
    moments = sorted(random.randrange(KILLS) for _ in jobs)
    async with Desk(MqttBus(url), prefix).connected() as desk:
        await desk.publish()
        agent = AgentProcess(url, tmp_path / "data")
        try:
            for kill in range(KILLS):
                await agent.start()
                for number, moment in enumerate(moments):
                    if moment == kill:
                        await desk.assign(jobs[number])
                await _pass(random.uniform(0, LONGEST_LIFE))
                await agent.end(signal.SIGKILL)
            await agent.start()
            runs = [job.run for job in jobs]
            await eventually(
                lambda: all(desk.phase(run) is RunPhase.ENDED for run in runs), within=30, what="every run has ended"
            )
        finally:
            await agent.end()
        ends = [desk.report(run) for run in runs]

    assert [end.return_code for end in ends if end is not None] == list(range(JOBS))
    assert {end.outcome for end in ends[1:] if end is not None} == {Outcome.FAILED}
    assert ends[0] is not None
    assert ends[0].outcome is Outcome.SUCCEEDED
    assert runs[0] == a_run(job="j0")
    assert [(log / str(number)).read_text() for number in range(JOBS)] == ["ran\n"] * JOBS


async def _pass(seconds: float) -> None:
    """Let the agent live so long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    await eventually(lambda: loop.time() >= until, within=seconds + 5, what="time goes by")
