"""What a shell may complete: names of plans, instances, jobs, agents and locks, as the broker has them at this moment.

A broker that does not answer within a second completes nothing, and says nothing: a person is typing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec
from click.shell_completion import CompletionItem

from jobplan.settings import Given, environment, resolve

if TYPE_CHECKING:
    from jobplan.client import Client

PATIENCE: Final = timedelta(seconds=1)


class Known(click.ParamType[str]):
    """A name of a kind of thing on the broker; taken as it is."""

    def __init__(self, kind: str) -> None:
        self.name = kind

    def shell_complete(self, ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Those that begin as what was typed does."""
        try:
            found = _look_up(ctx, self.name)
        except Exception:  # noqa: BLE001  # whatever is wrong, it is not the moment to tell
            return []
        return [CompletionItem(name) for name in sorted(set(found)) if name.startswith(incomplete)]


_BY_METAVAR: Final = {
    "PLAN": "plan",
    "INSTANCE": "instance",
    "[INSTANCE]": "instance",
    "JOB": "job",
    "[JOB]": "job",
    "AGENT": "agent",
    "LOCK": "lock",
}


def completes(parameter: click.Parameter) -> None:
    """Let a parameter complete what it is called after, if the broker knows such things."""
    shown = parameter.metavar or (parameter.name or "").upper()
    kind = _BY_METAVAR.get(shown)
    if kind is not None and isinstance(parameter.type, click.types.StringParamType):
        parameter.type = Known(kind)


def _look_up(ctx: click.Context, kind: str) -> Iterable[str]:
    """Ask the broker that the words so far name."""
    from jobplan.cli.session import with_client

    given = Given()
    at: click.Context | None = ctx
    while at is not None:
        taken = {name.removeprefix("as_"): value for name, value in at.params.items() if name in _GIVEN}
        given = given.over(msgspec.convert(taken, Given))
        at = at.parent
    settings = resolve(given, environment(), Path.cwd())
    instance = ctx.params.get("instance") or ctx.params.get("name") or ""

    async def work(client: Client) -> list[str]:
        client.patience = PATIENCE
        return await _KINDS[kind](client, str(instance))

    return with_client(settings, work, patience=PATIENCE)


_GIVEN: Final = ("broker", "config")


async def _plans(client: Client, _: str) -> list[str]:
    from jobplan.client import Scope

    await client.follow(Scope.PLANS)
    return list(client.picture.plans)


async def _instances(client: Client, _: str) -> list[str]:
    from jobplan.client import Scope

    await client.follow(Scope.INSTANCES)
    found = client.picture.instances
    return [*found, *(one.plan for one in found.values())]


async def _jobs(client: Client, instance: str) -> list[str]:
    from jobplan.client import JobsOf, Scope

    await client.follow(Scope.INSTANCES)
    fitting = [one.instance for one in client.picture.instances.values() if instance in {one.instance, one.plan}]
    fitting += [one for one in client.picture.instances if one.startswith(instance)][:1] if not fitting else []
    if not fitting:
        return []
    await client.follow(JobsOf(fitting[-1]))
    return [job.name for job in client.picture.jobs(fitting[-1])]


async def _agents(client: Client, _: str) -> list[str]:
    return list(client.picture.agents)


async def _locks(client: Client, _: str) -> list[str]:
    from jobplan.client import Scope

    await client.follow(Scope.LOCKS)
    return [one.lock for one in client.picture.locks]


_KINDS: Final = {"plan": _plans, "instance": _instances, "job": _jobs, "agent": _agents, "lock": _locks}
