"""``jobplan instance``: start, list, show, watch, end; what else changes an instance stands in its own file."""

from __future__ import annotations

import click
from msgspec.structs import replace

from jobplan.cli.displays import follow_instance, until_over, watch_instance
from jobplan.cli.instance_changes import CHANGES
from jobplan.cli.names import the_instance, the_plan
from jobplan.cli.options import Noun, confirm, pairs, with_settings
from jobplan.cli.output import put_json, put_rich, put_table
from jobplan.cli.plan_status import doubts
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.client.estimates import estimate
from jobplan.client.live import FAILED, MOVING, View, day_and_clock, open_for, span, view
from jobplan.clock import now
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.documents import InstanceStatus
from schemas.names import InstanceId
from schemas.status import ContextStatus


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan instance start Daily --wait")
def instance() -> None:
    """Instances: living executions of plans."""


@instance.command(epilog="\b\nExample:\n  jobplan instance start Daily -p region=north --wait")
@click.argument("plan")
@click.option(
    "-p",
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="Value of a parameter; repeat for more.",
)
@click.option("--wait", is_flag=True, help="Return when it is over: 0 if COMPLETE, 1 if not.")
@with_settings
def start(settings: Settings, plan: str, parameters: tuple[str, ...], *, wait: bool) -> None:
    """Start an instance of PLAN now."""
    given = pairs(parameters, "--parameter")

    async def work(client: Client) -> tuple[InstanceId, bool]:
        await client.follow(Scope.PLANS)
        name = the_plan(plan, client.picture.plans).plan
        started = await client.start_instance(name, given)
        if not settings.json:
            click.echo(started)
        if not wait:
            return started, True
        return started, await until_over(client, started, as_json=settings.json)

    started, good = with_client(settings, work)
    if settings.json and not wait:
        put_json({"instance": started})
    if not good:
        raise SystemExit(1)


@instance.command("list", epilog="\b\nExample:\n  jobplan instance list --plan Daily")
@click.option("--plan", "plan_name", metavar="PLAN", help="Only those of one plan.")
@with_settings
def list_(settings: Settings, plan_name: str | None) -> None:
    """List the instances that run, wait, or ended not long ago."""

    async def work(client: Client) -> list[InstanceStatus]:
        await client.follow(Scope.PLANS, Scope.INSTANCES)
        doubts(client)
        wanted = None if plan_name is None else the_plan(plan_name, client.picture.plans).plan
        return [one for one in client.picture.instances.values() if wanted in {None, one.plan}]

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    put_table(
        ("INSTANCE", "STATUS", "JOBS", "OPENED", "TOOK", "STARTED BY"),
        [_row(one) for one in found],
        empty="no instances: start one with 'jobplan instance start PLAN'",
    )


def _row(one: InstanceStatus) -> tuple[str, ...]:
    result = f" ({one.result.value})" if one.result is not None and one.result != one.status else ""
    counts = {status.value: count for status, count in one.counts.items()}
    done = sum(counts.get(name, 0) for name in ("COMPLETE", "SKIPPED_COMPLETE", "ERROR_ACKNOWLEDGED"))
    failed = sum(count for status, count in one.counts.items() if status in FAILED)
    moving = sum(count for status, count in one.counts.items() if status in MOVING)
    jobs = f"{done}/{one.jobs}" + (f", {moving} running" if moving else "") + (f", {failed} failed" if failed else "")
    took = "" if one.status is ContextStatus.PREPARED else span(open_for(one, now()))
    return (one.instance, one.status.value + result, jobs, day_and_clock(one.opens), took, one.started_by)


@instance.command(epilog="\b\nExample:\n  jobplan instance show Daily")
@click.argument("name", metavar="INSTANCE")
@with_settings
def show(settings: Settings, name: str) -> None:
    """Show one instance: its contexts and jobs as a tree."""

    async def work(client: Client) -> View:
        one = await follow_instance(client, name)
        found = view(client.picture, one, now(), link=client.link.reason)
        if found is None:  # it ended and passed away while its jobs were read
            raise BadInputError(f"instance {one} has just been removed")
        return replace(found, estimate=await estimate(client, one))

    found = with_client(settings, work)
    if settings.json:
        told = {"instance": found.instance, "jobs": found.jobs, "locks": found.locks, "doubt": found.doubt}
        put_json(told | {"estimate": found.estimate})
        return
    from jobplan.cli.tree import InstanceTree  # rich takes its time to load

    put_rich(InstanceTree(found, fold=False))


@instance.command(epilog="\b\nExample:\n  jobplan instance watch Daily\n  jobplan instance watch --json")
@click.argument("name", metavar="[INSTANCE]", required=False)
@click.option("--exit", "leave", is_flag=True, help="Leave at its end: 0 if COMPLETE, 1 if not.")
@with_settings
def watch(settings: Settings, name: str | None, *, leave: bool) -> None:
    """Watch an instance live, the newest one unless said otherwise; Ctrl-C leaves it running.

    A tree in a terminal, one line per change elsewhere; one JSON object per change with --json.
    """

    async def work(client: Client) -> bool:
        one = await follow_instance(client, name)
        return await watch_instance(client, one, as_json=settings.json, leave=leave)

    if not with_client(settings, work):
        raise SystemExit(1)


@instance.command(epilog="\b\nExample:\n  jobplan instance end Daily --yes")
@click.argument("name", metavar="INSTANCE")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@with_settings
def end(settings: Settings, name: str, *, yes: bool) -> None:
    """End an instance now. Running commands are killed unless the plan says otherwise; waiting jobs stay undone."""

    async def work(client: Client) -> InstanceStatus:
        await client.follow(Scope.INSTANCES)
        one = the_instance(name, client.picture.instances)
        running = sum(count for status, count in one.counts.items() if status in MOVING)
        confirm(f"End {one.instance} ({one.status.value}, {running} jobs running)?", yes=yes)
        await client.end_instance(one.instance)
        return one

    one = with_client(settings, work)
    if settings.json:
        put_json({"instance": one.instance, "ended": True})
    else:
        click.echo(f"ended {one.instance} after {span(open_for(one, now()))}")


for _command in CHANGES:
    instance.add_command(_command)
