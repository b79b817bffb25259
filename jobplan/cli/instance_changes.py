"""``jobplan instance``: prepare, extend, keep-open, parameters, reset, hold, release."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Final

import click

from jobplan.cli.acting import acted
from jobplan.cli.names import the_instance, the_plan
from jobplan.cli.options import Verb, confirm, pairs, with_settings
from jobplan.cli.output import put_fields, put_json
from jobplan.cli.session import with_client
from jobplan.cli.times import duration, moment
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock
from jobplan.clock import now
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.documents import InstanceStatus
from schemas.names import InstanceId
from schemas.requests import (
    Act,
    Action,
    Answer,
    DashboardRequest,
    InstanceStarted,
    MoveEnd,
    PrepareInstance,
    ResetInstance,
    SetParameters,
)

_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?")
_INSTANCE = click.argument("name", metavar="INSTANCE")
_YES = click.option("--yes", is_flag=True, help="Do not ask first.")


def _ask(
    settings: Settings, name: str, asking: Callable[[InstanceStatus], DashboardRequest]
) -> tuple[InstanceStatus, Answer]:
    """Ask something of an instance; how it stood before, and the answer."""

    async def work(client: Client) -> tuple[InstanceStatus, Answer]:
        await client.follow(Scope.INSTANCES)
        one = the_instance(name, client.picture.instances)
        return one, await client.ask(asking(one))

    return with_client(settings, work)


def _done(settings: Settings, one: InstanceId, done: str) -> None:
    if settings.json:
        put_json({"instance": one, "done": done})
    else:
        click.echo(f"{one}: {done}")


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan instance prepare Daily")
@click.argument("plan")
@with_settings
def prepare(settings: Settings, plan: str) -> None:
    """Lay out the instance of PLAN's next start ahead of time, so that it can be edited."""

    async def work(client: Client) -> InstanceId:
        await client.follow(Scope.PLANS)
        answer = await client.ask(PrepareInstance(plan=the_plan(plan, client.picture.plans).plan))
        return decode(bytes(answer.data), InstanceStarted).instance

    _done(settings, with_client(settings, work), "prepared")


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan instance extend Daily --by 1h30m\n  jobplan instance extend Daily --until 18:00",
)
@_INSTANCE
@click.option("--by", metavar="DURATION", help="So much later than it would end: 90m, 1h30m, 2d.")
@click.option("--until", metavar="TIME", help="ISO 8601, or HH:MM of today; this machine's zone without an offset.")
@with_settings
def extend(settings: Settings, name: str, by: str | None, until: str | None) -> None:
    """Let an instance end at another time than its window's end."""
    if (by is None) == (until is None):
        raise click.UsageError("give either --by or --until")
    later = None if by is None else duration(by)
    at = None if until is None else _at(until)

    def asking(one: InstanceStatus) -> MoveEnd:
        if later is None:
            return MoveEnd(instance=one.instance, closes=at)
        if one.closes is None:
            raise BadInputError(f"{one.instance} has no end to move: it runs until it is ended; use --until")
        return MoveEnd(instance=one.instance, closes=one.closes + later)

    one, _ = _ask(settings, name, asking)
    closes = asking(one).closes
    _done(settings, one.instance, f"closes {day_and_clock(closes)}")


def _at(text: str) -> datetime:
    """A time; the time of day alone means today."""
    return moment(f"{now().astimezone().date()}T{text}" if _TIME_OF_DAY.fullmatch(text) else text)


@click.command("keep-open", cls=Verb, epilog="\b\nExample:\n  jobplan instance keep-open Daily")
@_INSTANCE
@with_settings
def keep_open(settings: Settings, name: str) -> None:
    """Let an instance run until somebody ends it."""
    one, _ = _ask(settings, name, lambda found: MoveEnd(instance=found.instance))
    _done(settings, one.instance, "stays open until it is ended by hand")


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan instance parameters Daily region=south\n  jobplan instance parameters Daily",
)
@_INSTANCE
@click.argument("values", metavar="[NAME=VALUE]...", nargs=-1)
@with_settings
def parameters(settings: Settings, name: str, values: tuple[str, ...]) -> None:
    """Change parameters of an instance, for the runs that are still to come; without values, print them."""
    given = pairs(values, "value")
    if given:
        one, _ = _ask(settings, name, lambda found: SetParameters(instance=found.instance, values=given))
        _done(settings, one.instance, "parameters changed: " + ", ".join(given))
        return

    async def work(client: Client) -> InstanceStatus:
        await client.follow(Scope.INSTANCES)
        return the_instance(name, client.picture.instances)

    found = with_client(settings, work)
    if settings.json:
        put_json({"instance": found.instance, "parameters": found.parameters})
    else:
        put_fields(sorted(found.parameters.items()))


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan instance reset Daily --held --yes")
@_INSTANCE
@click.option("--held", is_flag=True, help="With all its jobs on hold.")
@_YES
@with_settings
def reset(settings: Settings, name: str, *, held: bool, yes: bool) -> None:
    """End an instance and start a new one in its place, with its parameters."""
    confirm(f"End {name}, and start it anew?", yes=yes)
    _, answer = _ask(settings, name, lambda found: ResetInstance(instance=found.instance, held=held))
    _done(settings, decode(bytes(answer.data), InstanceStarted).instance, "started anew")


def _of_all_jobs(action: Action, line: str) -> click.Command:
    """A command that does something to every job of an instance."""

    @click.command(
        action.value, cls=Verb, help=line, epilog=f"\b\nExample:\n  jobplan instance {action.value} Daily --yes"
    )
    @_INSTANCE
    @_YES
    @with_settings
    def command(settings: Settings, name: str, *, yes: bool) -> None:
        confirm(f"{action.value.capitalize()} all jobs of {name}?", yes=yes)
        acted(settings, Act(action=action, instance=InstanceId(name)))

    return command


CHANGES: Final[tuple[click.Command, ...]] = (
    prepare,
    extend,
    keep_open,
    parameters,
    reset,
    _of_all_jobs(Action.HOLD, "Hold every job of an instance that has not started yet."),
    _of_all_jobs(Action.RELEASE, "Let every held job of an instance go."),
)
"""The commands, in the order of the help."""
