"""``jobplan job``: what a job has to say. What people do with jobs is in ``job_changes``."""

from __future__ import annotations

import click

from jobplan.cli.acting import following
from jobplan.cli.job_changes import CHANGES
from jobplan.cli.job_history import history
from jobplan.cli.logs import Wanted, print_log
from jobplan.cli.names import the_context, the_copies, the_status
from jobplan.cli.options import IN_CONTEXT, Noun, in_context, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.plan_status import doubts
from jobplan.cli.session import with_client
from jobplan.cli.symbols import job_style, words
from jobplan.cli.waiting import until_it_runs
from jobplan.client import Client
from jobplan.client.holders import with_holders
from jobplan.client.live import clock, lasted, note
from jobplan.clock import now
from jobplan.settings import Settings
from schemas.documents import JobState


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan job submit Daily Load --wait")
def job() -> None:
    """Jobs of an instance."""


@job.command("list", epilog="\b\nExample:\n  jobplan job list Daily --status ERROR")
@click.argument("instance")
@click.option("--status", metavar="STATUS", help="Only those that stand so: ERROR, RUNNING, ...")
@in_context("Only those in this context.")
@with_settings
def list_(settings: Settings, instance: str, status: str | None, context: str) -> None:
    """List the jobs of an instance in plan order."""

    async def work(client: Client) -> list[JobState]:
        one = await following(client, instance)
        doubts(client)
        within = the_context(context, one) if context else ""
        wanted = None if status is None else the_status(status)
        return [
            state
            for state in with_holders(client.picture, client.picture.jobs(one.instance))
            if within in {"", state.context} and wanted in {None, state.status.value}
        ]

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return

    rows = [
        (
            state.context,
            state.name,
            f"[{job_style(state.status)}]{words(state.status)}[/]",
            clock(state.started),
            lasted(state, now()),
            str(state.attempt or ""),
            "" if state.return_code is None else str(state.return_code),
            state.agent if state.kind.on_agent else state.kind.value,
            note(state).replace("[", "\\["),
        )
        for state in found
    ]
    columns = ("CONTEXT", "JOB", "STATUS", "START", "TOOK", "TRY", "CODE", "AGENT", "NOTE")
    put_table(columns, rows, empty="no such jobs")


@job.command(epilog="\b\nExample:\n  jobplan job why Daily Load")
@click.argument("instance")
@click.argument("name", metavar="JOB")
@IN_CONTEXT
@with_settings
def why(settings: Settings, instance: str, name: str, context: str) -> None:
    """Say why a job stands where it stands, and what it waits for."""

    async def work(client: Client) -> tuple[JobState, ...]:
        one = await following(client, instance)
        doubts(client)
        return with_holders(client.picture, the_copies(name, client.picture.jobs(one.instance), context))

    states = with_client(settings, work)
    if settings.json:
        put_json(states)
        return
    for state in states:
        click.echo(f"{state.context} / {state.name}: {state.status.value}")
        reasons = [blocker.text for blocker in state.blockers] or [note(state) or _nothing(state)]
        for reason in reasons:
            click.echo(f"  {reason}")


def _nothing(state: JobState) -> str:
    return "it is running" if state.status == "RUNNING" else "nothing keeps it"


@job.command(
    epilog="\b\nExample:\n  jobplan job logs Daily Load --follow\n  jobplan job logs Daily Load --tail 20 --stderr"
)
@click.argument("instance")
@click.argument("name", metavar="JOB")
@IN_CONTEXT
@click.option("--follow", "-f", is_flag=True, help="Wait until it runs, and go on until that has ended.")
@click.option("--tail", "-n", "lines", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@click.option("--from", "start", type=int, metavar="BYTE", help="From that byte on; negative: so many before the end.")
@click.option("--most", type=click.IntRange(0), metavar="BYTES", help="No more than so many.")
@click.option("--stderr", "errors", is_flag=True, help="Standard error instead of standard output.")
@click.option("--attempt", type=int, metavar="N", help="Another attempt than the newest.")
@with_settings
def logs(  # noqa: PLR0913  # one an option
    settings: Settings,
    instance: str,
    name: str,
    context: str,
    *,
    follow: bool,
    lines: int | None,
    start: int | None,
    most: int | None,
    errors: bool,
    attempt: int | None,
) -> None:
    """Print what a job wrote in its newest run, or a part of it."""
    if lines is not None and start is not None:
        raise click.UsageError("--tail and --from say two different things: give one of them")
    wanted = Wanted(attempt=attempt, errors=errors, follow=follow, lines=lines, start=start or 0, most=most)

    async def work(client: Client) -> None:
        one = await following(client, instance)
        copies = the_copies(name, client.picture.jobs(one.instance), context)
        if follow:
            copies = await until_it_runs(client, copies)
        await print_log(client, copies, wanted, as_json=settings.json)

    with_client(settings, work)


for _command in (history, *CHANGES):
    job.add_command(_command)
