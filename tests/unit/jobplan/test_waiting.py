"""Waiting for a run to begin, at a dashboard that is played."""

from __future__ import annotations

import asyncio

import pytest

from broker.memory import MemoryBroker
from jobplan.cli.waiting import until_it_runs
from jobplan.client import JobsOf, Scope
from schemas.documents import InstanceStatus, JobState
from schemas.names import RunId
from schemas.status import ContextStatus, JobKind, JobStatus
from tests.support.pictures import INSTANCE, FakeDashboard, a_job, an_instance
from tests.unit.jobplan.test_client import a_client, agreeing

RUNS = a_job(status=JobStatus.RUNNING, run=RunId("r1"))


async def test_the_run_that_comes_is_waited_for() -> None:
    """However it stood when somebody began to wait."""
    broker = MemoryBroker()
    async with (
        FakeDashboard(broker, agreeing).alive() as dashboard,
        a_client(broker) as client,
        asyncio.TaskGroup() as tasks,
    ):
        await dashboard.show(an_instance(), a_job())
        await client.follow(Scope.INSTANCES, JobsOf(INSTANCE))
        waiting = tasks.create_task(until_it_runs(client, client.picture.jobs(INSTANCE)), name="waits")
        await dashboard.show(RUNS)

        assert await waiting == (RUNS,)


@pytest.mark.parametrize(
    ("instance", "job"),
    [
        (an_instance(), RUNS),
        (an_instance(), a_job(kind=JobKind.CLOCK)),
        (an_instance(ContextStatus.ENDED), a_job()),
    ],
    ids=["it runs already", "no command", "over"],
)
async def test_what_cannot_come_is_not_waited_for(instance: InstanceStatus, job: JobState) -> None:
    """Nobody waits for ever for a clock's output, or for that of a night that is over."""
    broker = MemoryBroker()
    async with FakeDashboard(broker, agreeing).alive() as dashboard, a_client(broker) as client:
        await dashboard.show(instance, job)
        await client.follow(Scope.INSTANCES, JobsOf(INSTANCE))

        assert await until_it_runs(client, client.picture.jobs(INSTANCE)) == (job,)
