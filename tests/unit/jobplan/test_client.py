"""The client library against a dashboard that is played, over the bus in memory."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import msgspec
import pytest

from broker.memory import MemoryBroker
from broker.topics import RequestTopic, Topics
from jobplan.client import Client, JobsOf, Scope, client_on
from jobplan.client.feed import Link
from jobplan.client.wire import Wire
from jobplan.errors import BrokerError, NobodyAnswersError, RefusedByNodeError
from schemas.names import UserName
from schemas.requests import Act, Action, Answer, Fault, InstanceStarted
from schemas.status import JobStatus
from tests.support.pictures import INSTANCE, PLAN, FakeDashboard, a_job, a_plan, an_instance

SOON = timedelta(seconds=2)
DONE = Answer(ok=True, data=msgspec.Raw(b"{}"))
HOLD = Act(action=Action.HOLD, instance=INSTANCE)


def a_client(broker: MemoryBroker, user: str = "anna", password: str = "") -> AbstractAsyncContextManager[Client]:
    """A client of the broker in memory."""
    wire = Wire(Topics(), UserName(user))
    return client_on(broker.bus(user, password), wire, patience=SOON)


def agreeing(_asked: RequestTopic, _body: bytes) -> Answer:
    """A dashboard that says yes."""
    return DONE


async def test_what_is_retained_is_there_once_it_is_followed() -> None:
    """Also what comes later."""
    broker = MemoryBroker()
    async with FakeDashboard(broker, agreeing).alive() as dashboard, a_client(broker) as client:
        await dashboard.show(a_plan(), an_instance(), a_job())
        await client.follow(Scope.PLANS, Scope.INSTANCES, JobsOf(INSTANCE))
        before = client.picture.jobs(INSTANCE)
        await dashboard.show(a_job(status=JobStatus.RUNNING))
        found = await client.until(lambda picture: picture.jobs(INSTANCE)[0].status is JobStatus.RUNNING or None, SOON)

        assert list(client.picture.plans) == [PLAN]
        assert before == (a_job(),)
        assert found


async def test_an_answer_is_returned_typed() -> None:
    """The instance that was started, by its id."""
    broker = MemoryBroker()
    data = msgspec.Raw(msgspec.json.encode(InstanceStarted(instance=INSTANCE)))
    async with (
        FakeDashboard(broker, lambda *_: Answer(ok=True, data=data)).alive() as dashboard,
        a_client(broker) as client,
    ):
        assert await client.start_instance(PLAN) == INSTANCE
        assert [asked.user for asked in dashboard.asked] == ["anna"]


async def test_a_refusal_carries_its_reason_and_faults() -> None:
    """As the dashboard put them."""
    broker = MemoryBroker()
    fault = Fault(path="context/P.json $.name", message="is empty")
    no = Answer(ok=False, reason="the plan has 1 fault", faults=(fault,))
    async with FakeDashboard(broker, lambda *_: no).alive(), a_client(broker) as client:
        with pytest.raises(RefusedByNodeError, match="the plan has 1 fault") as error:
            await client.act(HOLD)

        assert error.value.faults == (fault,)


async def test_a_question_is_asked_again_under_its_id_after_a_lost_connection() -> None:
    """The answer to the first time got lost; the dashboard sees one request, twice."""
    broker = MemoryBroker()
    cut: list[str] = []

    def losing_the_first(_asked: RequestTopic, _body: bytes) -> Answer | None:
        if cut:
            return DONE
        cut.extend(name for name in broker.clients if name.startswith("jobplan"))
        broker.cut(cut[0])
        return None

    async with FakeDashboard(broker, losing_the_first).alive() as dashboard, a_client(broker) as client:
        await client.act(HOLD)

        assert len(dashboard.asked) == 2
        assert len({asked.request for asked in dashboard.asked}) == 1


async def test_silence_says_who_is_missing() -> None:
    """No dashboard was ever here."""
    async with a_client(MemoryBroker()) as client:
        with pytest.raises(NobodyAnswersError, match="start it with 'jobplan serve dashboard'"):
            await client.ask(HOLD, patience=timedelta(seconds=0.1))


async def test_silence_of_a_dashboard_that_is_there_is_told_apart() -> None:
    """Its log is the place to look."""
    broker = MemoryBroker()
    async with FakeDashboard(broker, lambda *_: None).alive(), a_client(broker) as client:
        with pytest.raises(NobodyAnswersError, match="shows itself alive"):
            await client.ask(HOLD, patience=timedelta(seconds=0.1))


async def test_a_refused_login_is_an_error_at_once() -> None:
    """Waiting would not help."""
    broker = MemoryBroker(accounts={"anna": "secret"})

    with pytest.raises(BrokerError):
        async with a_client(broker, "anna", "wrong"):
            raise AssertionError("nobody gets here")


async def test_no_broker_is_waited_for_and_then_told() -> None:
    """With what to do about it."""
    broker = MemoryBroker()
    broker.stop()

    with pytest.raises(BrokerError, match="jobplan serve broker"):
        async with client_on(broker.bus(), Wire(Topics()), patience=timedelta(seconds=0.1)):
            raise AssertionError("nobody gets here")


async def test_a_broker_that_comes_back_is_read_again() -> None:
    """What was followed is followed again; the client tells of the loss and of the return."""
    broker = MemoryBroker()
    async with FakeDashboard(broker, agreeing).alive() as dashboard, a_client(broker) as client:
        await client.follow(Scope.PLANS)
        feed = client.changes()
        for name in [name for name in broker.clients if name.startswith("jobplan")]:
            broker.cut(name)
        await dashboard.show(a_plan("Other"))

        assert await client.until(lambda picture: ("Other" in picture.plans and client.link.up) or None, SOON)
        assert [news.up for news in feed.take() if isinstance(news, Link)] == [False, True]
