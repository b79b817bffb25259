"""People at their tools: they import plans, and ask for whatever one may ask, more than once when no answer comes.

A tool that hears nothing asks again under the same id; now and then one asks again although it was answered. What to ask
about is chosen from what the broker shows.
"""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TypeVar

import msgspec
from msgspec import Struct

from broker.bus import Delivery, Publication
from broker.topics import RequestTopic
from schemas.codec import SchemaError, decode
from schemas.documents import InstanceStatus, JobState
from schemas.grants import UserRole
from schemas.names import InstanceId, NodeName, PlanName, RequestId, RunId, UserName, group_label
from schemas.queries import ReadAudit
from schemas.requests import (
    Act,
    Action,
    Answer,
    Asked,
    DeleteCalendar,
    DeletePlan,
    EnablePlan,
    EndInstance,
    GrantRole,
    ImportCalendar,
    ImportPlan,
    MoveEnd,
    MuteNotifications,
    PrepareInstance,
    RaiseEvent,
    ReadLog,
    ResetInstance,
    RevokeRole,
    SetParameters,
    StartInstance,
    TestNotification,
    UnmuteNotifications,
)
from schemas.status import ContextStatus
from tests.simulation.line import Line
from tests.simulation.network import Network
from tests.simulation.plans import EVENT, PLANS, files, with_hours
from tests.simulation.session import TOPICS
from tests.simulation.trace import PersonAnswered, PersonAsked, Trace
from tests.simulation.world import World

T = TypeVar("T")

USER = UserName("anna")
OWNER = "people"
HAVE_HOURS = 0.15
"""In so many of the stories contexts have windows of their own."""
PATIENCE = 12.0
"""Seconds until a tool asks again."""
ALIVE = frozenset({ContextStatus.WAITING, ContextStatus.RUNNING, ContextStatus.COMPLETE, ContextStatus.ERROR})


class Question(Struct):
    """A request that has not been answered yet."""

    asked: Asked
    topic: str
    agent: str = ""
    tries: int = 0


class People:
    """All tools of one person, over one connection."""

    def __init__(self, world: World, network: Network, trace: Trace) -> None:
        self.open: dict[str, Question] = {}
        """Requests without an answer, by id."""
        self.versions: dict[str, int] = {}
        """How many versions of each plan were asked to be imported."""
        self._answered: list[tuple[str, Question]] = []
        self._deleted: set[int] = set()
        """Which plans were asked to be deleted, and not to be imported since."""
        self._world = world
        self._network = network
        self._trace = trace
        self._chance: Random = world.chance("people")
        self._with_hours = world.chance("own windows").random() < HAVE_HOURS
        self._line: Line | None = None
        self._count = 0
        self._wishes = (
            self._start,
            self._start,
            self._end,
            self._reset,
            self._import,
            self._raise,
            self._read,
            self._enable,
            self._delete,
            self._prepare,
            self._change,
            self._calendar,
            self._look_up,
            self._mute,
            self._grant,
        )
        self._connect()

    # ------------------------------------------------------------------ asking

    def ask(self, asked: Asked, agent: str | None = None) -> None:
        """Ask, until there is an answer."""
        self._count += 1
        name = f"{self._count:08x}"
        at = None if agent is None else NodeName(agent)
        self.open[name] = Question(asked, TOPICS.request(RequestTopic(USER, RequestId(name), at)), agent or "")
        self._send(name)

    def ask_anything(self) -> None:
        """Something that a person might want now."""
        chance = self._chance
        drawn = chance.random()
        if drawn < 0.08 and self._answered:
            name, question = chance.choice(self._answered[-20:])
            self._publish(name, question)
        elif drawn < 0.72:
            self._act()
        else:
            chance.choice(self._wishes)()

    def import_next(self, index: int) -> None:
        """The next version of a plan."""
        source = PLANS[index]
        version = self.versions[source.__name__] = self.versions.get(source.__name__, 0) + 1
        plan = source(version)
        self.ask(ImportPlan(source=with_hours(plan) if self._with_hours else plan))

    def stop_asking(self) -> None:
        """What was asked and not answered is asked on; nothing new follows from here."""
        self._answered.clear()

    def _act(self) -> None:
        jobs = self._shown("job", JobState)
        if not jobs:
            return
        job = self._chance.choice(jobs)
        action = self._chance.choice(list(Action))
        if self._chance.random() < 0.5:
            action = self._chance.choice(_FITTING.get(str(job.status), list(Action)))
        onto = self._chance.random()
        self.ask(
            Act(
                action=action,
                instance=job.instance,
                context=job.context if onto < 0.7 else "",
                job=job.job if onto < 0.9 else "",
                parameters={"DAY": "monday"} if onto < 0.3 else {},
                onward=onto < 0.5,
            )
        )

    def _start(self) -> None:
        source = self._chance.choice(PLANS)
        given = {"kind": "note"} if source is files else {}
        self.ask(StartInstance(plan=PlanName(source.__name__), parameters=given))

    def _end(self) -> None:
        instance = self._instance()
        if instance is not None and self._chance.random() < 0.5:
            self.ask(EndInstance(instance=instance))

    def _reset(self) -> None:
        instance = self._instance()
        if instance is not None:
            self.ask(ResetInstance(instance=instance, held=self._chance.random() < 0.3))

    def _import(self) -> None:
        index = self._chance.randrange(len(PLANS))
        if index not in self._deleted:
            self.import_next(index)

    def _enable(self) -> None:
        name = PlanName(self._chance.choice(PLANS).__name__)
        self.ask(EnablePlan(plan=name, enabled=False))
        self._world.later(self._chance.uniform(1.0, 400.0), lambda: self.ask(EnablePlan(plan=name)))

    def _delete(self) -> None:
        if self._chance.random() < 0.3:
            index = self._chance.randrange(len(PLANS))
            self._deleted.add(index)
            self.ask(DeletePlan(plan=PlanName(PLANS[index].__name__)))
            # Sooner, its open window would be decided a second time, with the ids of the first.
            self._world.later(self._chance.uniform(600.0, 700.0), lambda: self._import_again(index))

    def _import_again(self, index: int) -> None:
        self._deleted.discard(index)
        self.import_next(index)

    def _prepare(self) -> None:
        self.ask(PrepareInstance(plan=PlanName(self._chance.choice(PLANS).__name__)))

    def _change(self) -> None:
        instance = self._instance()
        if instance is None:
            return
        if self._chance.random() < 0.5:
            self.ask(SetParameters(instance=instance, values={"DAY": "friday"}))
        else:
            self.ask(
                MoveEnd(instance=instance, closes=self._world.now + timedelta(seconds=self._chance.uniform(1, 300)))
            )

    def _calendar(self) -> None:
        name = self._chance.choice(["feasts", "fasts"])
        if self._chance.random() < 0.5:
            self.ask(ImportCalendar(name=name, days={self._world.now.date(): "today"}))
        else:
            self.ask(DeleteCalendar(name=name))

    def _mute(self) -> None:
        plan = PlanName(self._chance.choice(PLANS).__name__)
        until = self._world.now + timedelta(seconds=self._chance.uniform(1, 600))
        for_all = self._chance.random() < 0.2
        self.ask(
            self._chance.choice(
                [
                    MuteNotifications(plan=None if for_all else plan, until=until),
                    UnmuteNotifications(plan=plan),
                    TestNotification(plan=plan),
                ]
            )
        )

    def _grant(self) -> None:
        plans = f"{self._chance.choice(PLANS).__name__[:3]}*"
        if self._chance.random() < 0.6:
            self.ask(GrantRole(user=_GUEST, role=UserRole.OPERATOR, plans=plans))
        else:
            self.ask(RevokeRole(user=_GUEST))

    def _look_up(self) -> None:
        self.ask(ReadAudit(limit=5))

    def _raise(self) -> None:
        self.ask(RaiseEvent(event=EVENT if self._chance.random() < 0.8 else "unheard-of"))

    def _read(self) -> None:
        runs = [job for job in self._shown("job", JobState) if job.run is not None and not group_label(job.agent)]
        if runs:
            job = self._chance.choice(runs)
            wrong = self._chance.random() < 0.2  # an agent knows no such request, and says so
            if group_label(job.agent):
                return  # nobody has it yet
            right = ReadAudit(limit=5) if self._chance.random() < 0.3 else ReadLog(run=RunId(job.run or ""))
            self.ask(RaiseEvent(event=EVENT) if wrong else right, agent=job.agent)

    def _instance(self) -> InstanceId | None:
        alive = [found.instance for found in self._shown("instance", InstanceStatus) if found.status in ALIVE]
        return self._chance.choice(alive) if alive else None

    def _shown(self, kind: str, wanted: type[T]) -> list[T]:
        """The documents of one kind that the broker shows."""
        root = f"{TOPICS.prefix}/instance/"
        found: list[T] = []
        for topic, payload in sorted(self._network.model.retained.items()):
            if topic.startswith(root) and ("/job/" in topic) == (kind == "job"):
                try:
                    found.append(decode(payload, wanted))
                except SchemaError:
                    continue
        return found

    # ------------------------------------------------------------------ sending and hearing

    def _send(self, name: str) -> None:
        question = self.open.get(name)
        if question is None:
            return
        question.tries += 1
        self._publish(name, question)
        patience = min(PATIENCE * question.tries, 60.0)
        self._world.later(patience * self._chance.uniform(0.5, 1.5), lambda: self._send(name))

    def _publish(self, name: str, question: Question) -> None:
        self._trace.add(
            PersonAsked(at=self._world.seconds, user=USER, request=name, asked=question.asked, agent=question.agent)
        )
        if self._line is not None and not self._line.lost.done:
            body = msgspec.json.encode(question.asked)
            self._network.publish(self._line, [Publication(question.topic, body, retain=False)])

    def _connect(self) -> None:
        line = self._line = self._network.connect(OWNER, OWNER, None, self._heard)

        def subscribe() -> None:
            self._network.subscribe(line, [TOPICS.responses(USER)])

        line.opened.then(subscribe)
        line.lost.then(lambda: self._world.later(1.0, self._connect))

    def _heard(self, delivery: Delivery) -> None:
        answered = TOPICS.response_of(delivery.topic)
        answer = decode(delivery.payload, Answer)
        self._trace.add(
            PersonAnswered(at=self._world.seconds, user=answered.user, request=answered.request, answer=answer)
        )
        question = self.open.pop(answered.request, None)
        if question is not None:
            self._answered.append((answered.request, question))


_GUEST = UserName("guest")
"""Somebody whose role people change, and who never asks for anything."""
_FITTING: dict[str, list[Action]] = {
    "WAITING": [Action.SUBMIT, Action.HOLD, Action.SKIP, Action.DISABLE, Action.KILL],
    "ON_HOLD": [Action.RELEASE, Action.DISABLE],
    "SKIPPED": [Action.UNSKIP],
    "DISABLED": [Action.ENABLE],
    "LOCK_QUEUED": [Action.RESET],
    "RUNNING": [Action.KILL],
    "COMPLETE": [Action.RESUBMIT, Action.RESET],
    "SKIPPED_COMPLETE": [Action.UNSKIP, Action.RESUBMIT],
    "ERROR": [Action.ACKNOWLEDGE, Action.RESUBMIT, Action.CONTINUE, Action.RESET],
    "KILLED": [Action.ACKNOWLEDGE, Action.RESUBMIT, Action.CONTINUE, Action.RESET],
    "ERROR_ACKNOWLEDGED": [Action.RESUBMIT, Action.CONTINUE, Action.RESET],
}
"""What a person would do to a job in a status."""
