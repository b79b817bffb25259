"""One demo from its first process to its last: nodes up, plan in, instance watched, everything down again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, Protocol

from msgspec import Struct

from broker.ports import free_port
from jobplan.client import Client, RunsOf, Scope, connect
from jobplan.client.live import Line, View, view
from jobplan.client.picture import Picture
from jobplan.client.watching import Display, Watching, follow_started
from jobplan.clock import now
from jobplan.demo.children import Child, start
from jobplan.demo.folder import DASHBOARD, HOST, OPERATOR_FILE, DemoFolder, agent_file
from jobplan.demo.operator import drop_the_file, mend_the_failure, submit_what_waits
from jobplan.errors import JobplanError
from jobplan.web.files import FOLDER as PAGE
from schemas.documents import Assignment
from schemas.names import InstanceId, PlanName
from schemas.plan import PlanSource
from schemas.status import ContextStatus, NodeState

UP: Final = timedelta(seconds=60)
"""Within which every node must be there."""
DOWN: Final = timedelta(seconds=6)
"""How long running commands have to end, once the instance was ended."""


class Stage(Display, Protocol):
    """Where the demo is shown: what happens to the instance, and what the demo itself does."""

    def note(self, text: str) -> None:
        """The demo did something."""

    def watch_hint(self, command: str) -> None:
        """How somebody else can watch."""

    def summary(self, seen: View) -> None:
        """How it ended."""


class DemoPlan(Struct, frozen=True, kw_only=True):
    """What is demonstrated."""

    source: PlanSource
    bundle: bytes
    agents: tuple[str, ...]
    is_sample: bool


class Wishes(Struct, frozen=True, kw_only=True):
    """How it is to be demonstrated."""

    hands_free: bool = False
    leave: bool = False
    """Leave at the end of the instance, instead of waiting for Ctrl-C."""
    retention: float = 5.0
    timeout: timedelta = timedelta(minutes=15)
    """With ``leave``: when to give up."""
    log_level: str = "info"


class GaveUpError(JobplanError):
    """The demo took too long."""


async def run_demo(plan: DemoPlan, folder: DemoFolder, wishes: Wishes, stage: Stage) -> int:
    """Run it; the exit code: 0 if the instance completed."""
    demo = Demo(plan, folder, wishes, stage)
    loop, me = asyncio.get_running_loop(), asyncio.current_task()
    if me is not None:
        loop.add_signal_handler(signal.SIGTERM, me.cancel)
    try:
        async with asyncio.timeout(wishes.timeout.total_seconds() if wishes.leave else None), demo.world() as client:
            return await demo.play(client)
    except TimeoutError:
        raise GaveUpError(f"gave up after {wishes.timeout}; the logs are in {folder.path / 'logs'}") from None
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


class Demo:
    """See the module."""

    def __init__(self, plan: DemoPlan, folder: DemoFolder, wishes: Wishes, stage: Stage) -> None:
        self.plan = plan
        self.folder = folder
        self.wishes = wishes
        self.stage = stage
        self.pause = stage.pause
        self.estimates = stage.estimates
        self.page = f"{HOST}:{free_port()}" if (PAGE / "index.html").is_file() else ""
        self.last: View | None = None

    @asynccontextmanager
    async def world(self) -> AsyncIterator[Client]:
        """Broker, dashboard and agents as processes, and the operator's connection; whichever dies ends it all."""
        children: list[Child] = []
        try:
            async with asyncio.TaskGroup() as group:
                watches = []
                for name, arguments, settings in self._nodes():
                    children.append(await self._start(name, arguments, settings))
                    watches.append(group.create_task(children[-1].death(), name=f"watch {name}"))
                async with connect(self.folder.url(self.folder.operator), patience=UP) as client:
                    await self._wait_for_nodes(client)
                    yield client
                for watch in watches:
                    watch.cancel()
        except BaseExceptionGroup as group_error:
            raise _first(group_error) from None
        finally:
            for child in reversed(children):  # those that say good-bye on the broker before the broker
                await child.end()

    def _nodes(self) -> list[tuple[str, tuple[str, ...], str]]:
        """Name, arguments and settings file of each process, in the order of their start."""
        options = ("--retention", str(self.wishes.retention), "--admin", self.folder.operator.user)
        page = [("web", ("serve", "web", "--listen", self.page), OPERATOR_FILE)] if self.page else []
        return [
            ("broker", ("serve", "broker"), DASHBOARD),
            (DASHBOARD, ("serve", "dashboard", *options), DASHBOARD),
            *((agent_file(agent), ("serve", "agent", agent), agent_file(agent)) for agent in self.plan.agents),
            *page,
        ]

    async def _start(self, name: str, arguments: tuple[str, ...], settings: str) -> Child:
        options = ("--config", str(self.folder.settings_file(settings)), "--log-level", self.wishes.log_level)
        return await start(name, (*arguments, *options), self.folder.log(name))

    async def _wait_for_nodes(self, client: Client) -> None:
        def missing() -> list[str]:
            there = {name for name, agent in client.picture.agents.items() if agent.state is NodeState.ALIVE}
            dashboard = client.picture.dashboard
            found = [f"agent {name}" for name in self.plan.agents if name not in there]
            return found if dashboard is not None and dashboard.complete else ["dashboard", *found]

        if await client.until(lambda _: not missing() or None, UP) is None:
            raise JobplanError(
                f"not up after {UP}: {', '.join(missing())}; the logs are in {self.folder.path / 'logs'}"
            )
        self.stage.note(f"up: broker on port {self.folder.port}, dashboard, agents {', '.join(self.plan.agents)}")

    async def play(self, client: Client) -> int:
        """Import, start, watch; then wait for Ctrl-C or leave."""
        self.stage.watch_hint(self._hint())
        if self.page:
            operator = self.folder.operator
            self.stage.note(f"or in a browser: http://{self.page}/ as {operator.user}, password {operator.password}")
        instance = await self._start_instance(client)
        try:
            await follow_started(client, instance)
            completed = await self._watch(client, instance)
            if self.last is not None:
                self.stage.summary(self.last)
            if not self.wishes.leave:
                self.stage.note("everything stays up until you press Ctrl-C")
                await asyncio.Event().wait()
        finally:
            await self._end_instance(client, instance)
        return 0 if completed else 1

    async def _watch(self, client: Client, instance: InstanceId) -> bool:
        """Show the instance to its end, while the operator does what is in the script."""
        async with asyncio.TaskGroup() as group:
            script = [
                group.create_task(self._said(work), name=f"operator: {name}")
                for name, work in self._script(client, instance).items()
            ]
            completed = await Watching(client, instance, self).run(leave=True, even_if_stuck=self.wishes.leave)
            for task in script:
                task.cancel()
        return completed

    def _script(self, client: Client, instance: InstanceId) -> dict[str, Coroutine[None, None, None]]:
        note, inbox = self.stage.note, self.folder.inbox
        script: dict[str, Coroutine[None, None, None]] = {}
        if self.wishes.hands_free:
            script["hands-free"] = submit_what_waits(client, instance, note)
        elif self.plan.is_sample:
            script["file"] = drop_the_file(inbox, note)
        if self.plan.is_sample:
            script["mend"] = mend_the_failure(client, instance, inbox, note)
        return script

    async def _said(self, work: Coroutine[None, None, None]) -> None:
        """Do a part of the script; what goes wrong with it is said, and the demo goes on."""
        try:
            await work
        except JobplanError as error:
            self.stage.note(str(error))

    def line(self, line: Line, *, reason: str) -> None:
        """For the stage."""
        self.stage.line(line, reason=reason)

    def view(self, seen: View) -> None:
        """For the stage, and for the summary."""
        self.last = seen
        self.stage.view(seen)

    def doubt(self, reason: str) -> None:
        """For the stage."""
        self.stage.doubt(reason)

    async def _start_instance(self, client: Client) -> InstanceId:
        await client.follow(Scope.PLANS, Scope.INSTANCES)
        name = PlanName(self.plan.source.plan.name)
        imported = await client.import_plan(self.plan.source, self.plan.bundle)
        self.stage.note(f"imported plan {name}, version {imported.version}")
        running = [one for one in client.picture.instances.values() if one.plan == name and one.ended is None]
        if running and not self.plan.is_sample:
            self.stage.note(f"its window is open now, so its instance {running[-1].instance} has started by itself")
            return running[-1].instance
        for one in running:
            await client.end_instance(one.instance)
        parameters = {"inbox": str(self.folder.inbox)} if self.plan.is_sample else {}
        instance = await client.start_instance(name, parameters)
        self.stage.note(f"started instance {instance}")
        return instance

    async def _end_instance(self, client: Client, instance: InstanceId) -> None:
        """So that no command of the demo goes on after it: end what is still active, and wait for its jobs."""
        seen = view(client.picture, instance, now())
        dashboard = client.picture.dashboard
        nobody = dashboard is None or dashboard.state is NodeState.GONE
        if nobody or seen is None or seen.instance.status is ContextStatus.ENDED:
            return
        try:
            async with asyncio.timeout(DOWN.total_seconds()):
                await client.follow(RunsOf(instance))
                await client.end_instance(instance)
                await client.until(lambda picture: _at_rest(picture, instance), DOWN)
        except (TimeoutError, JobplanError) as error:
            self.stage.note(f"instance {instance} could not be ended: {str(error) or 'it takes too long'}")

    def _hint(self) -> str:
        operator = self.folder.operator
        login = f"-u {operator.user} -P {operator.password}"
        return f"mosquitto_sub -h {HOST} -p {self.folder.port} {login} -t 'jobplan/#' -v"


def _at_rest(picture: Picture, instance: InstanceId) -> bool | None:
    """Whether no agent has a run of it any more; None: one has."""
    return None if any(run.instance == instance for run in picture.all(Assignment)) else True


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error that made the others."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
