"""Doing something to jobs as a person asks for it: look up what is named, ask the dashboard, say what came of it."""

from __future__ import annotations

from typing import Final

import click
from msgspec.structs import replace

from jobplan.cli.displays import follow_instance
from jobplan.cli.names import the_context, the_copies
from jobplan.cli.options import pairs
from jobplan.cli.output import put_json, say
from jobplan.cli.session import with_client
from jobplan.cli.waiting import until_run_over
from jobplan.client import Client
from jobplan.client.live import note
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.acted import Acted, Foreseen
from schemas.codec import decode
from schemas.documents import InstanceStatus, JobState
from schemas.requests import Act, Action

PAST: Final = {
    Action.SUBMIT: "submitted",
    Action.RESUBMIT: "resubmitted",
    Action.CONTINUE: "continued after",
    Action.HOLD: "held",
    Action.RELEASE: "released",
    Action.SKIP: "skipped",
    Action.UNSKIP: "unskipped",
    Action.DISABLE: "disabled",
    Action.ENABLE: "enabled",
    Action.RESET: "reset",
    Action.KILL: "killed",
    Action.ACKNOWLEDGE: "acknowledged",
}


async def following(client: Client, name: str) -> InstanceStatus:
    """Follow an instance and its jobs."""
    one = await follow_instance(client, name)
    return client.picture.instances[one]


def submitted(settings: Settings, act: Act, texts: tuple[str, ...], *, wait: bool) -> None:
    """Submit or resubmit what ``act`` names; ``texts`` are values for the next run. Raises BadInputError to wait for many."""
    given = pairs(texts, "--parameter")
    if wait and not act.job:
        raise BadInputError("--wait is for one job: name it, or follow them all with 'jobplan instance watch'")
    if act.preview or not act.job:
        acted(settings, replace(act, parameters=given))
        return

    async def work(client: Client) -> tuple[JobState, ...]:
        one = await following(client, act.instance)
        before = the_copies(act.job, client.picture.jobs(one.instance), act.context)
        await client.ask(replace(act, instance=one.instance, job=before[0].job, parameters=given))
        return await until_run_over(client, before) if wait else before

    states = with_client(settings, work)
    report(settings, act.action, states, changed=wait)
    if wait and any(state.status not in GOOD for state in states):
        raise SystemExit(1)


GOOD = frozenset({"COMPLETE", "SKIPPED_COMPLETE", "ERROR_ACKNOWLEDGED"})


def report(settings: Settings, action: Action, states: tuple[JobState, ...], *, changed: bool) -> None:
    """Say what was done, and with ``changed`` how the job stands now."""
    if settings.json:
        first = {"action": action, "job": states[0].job, "name": states[0].name}
        put_json({"action": action, "jobs": states} if changed else first)
        return
    for state in states if changed else states[:1]:
        reason = note(state)
        ending = f": {state.status.value}" + (f" ({reason})" if reason else "") if changed else ""
        click.echo(f"{PAST[action]} {state.name}{ending}")


def acted(settings: Settings, act: Act) -> None:
    """Look up what an action names, ask for it (or what would follow from it), and say so."""

    async def work(client: Client) -> Acted | Foreseen:
        one = await following(client, act.instance)
        named = act.job
        if act.job:
            named = the_copies(act.job, client.picture.jobs(one.instance), act.context)[0].job
        elif act.context:
            the_context(act.context, one)
        asked = replace(act, instance=one.instance, job=named)
        if act.preview:
            return decode(bytes((await client.ask(asked)).data), Foreseen)
        return await client.act(asked)

    found = with_client(settings, work)
    if isinstance(found, Foreseen):
        foreseen(settings, found)
        return
    if settings.json:
        put_json({"action": act.action, "done": found.done, "refused": found.refused})
        return
    for one in found.done:
        click.echo(f"{PAST[act.action]} {one.name if act.job else f'{one.context} / {one.name}'}")
    for one in found.refused:
        say(f"not {PAST[act.action]}: {one.context} / {one.name}: {one.reason}")


def foreseen(settings: Settings, found: Foreseen) -> None:
    """Say what would follow from an action."""
    if settings.json:
        put_json(found)
        return
    for change in found.changed:
        where = f"{change.context} / {change.name}" if change.name else change.context
        click.echo(f"would change: {where}: {change.before or '-'} -> {change.after}")
    for start in found.starts:
        click.echo(f"would start:  {start.context} / {start.name}")
    if not found.changed and not found.starts:
        click.echo("no status would change, and nothing would start")
