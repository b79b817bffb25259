"""``jobplan job``: what people do with single jobs, and what a job has to say."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click

from jobplan.cli.acting import acted, following, submitted
from jobplan.cli.job_history import history
from jobplan.cli.logs import Wanted, print_log
from jobplan.cli.names import the_context, the_copies
from jobplan.cli.options import Noun, confirm, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.plan_status import doubts
from jobplan.cli.session import with_client
from jobplan.cli.symbols import job_style, words
from jobplan.client import Client, JobsOf
from jobplan.client.holders import holding, with_holders
from jobplan.client.live import clock, lasted, note
from jobplan.clock import now
from jobplan.settings import Settings
from schemas.documents import JobState
from schemas.names import InstanceId
from schemas.requests import Act, Action


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan job submit Daily Load --wait")
def job() -> None:
    """Jobs of an instance.

    INSTANCE is an id, the beginning of one, or a plan's name (its newest instance). JOB is a name or an identifier.
    """


_CONTEXT = click.option(
    "--context", "-c", default="", metavar="CONTEXT", help="Where the job stands, if in several contexts."
)


_YES = click.option("--yes", is_flag=True, help="Without JOB: do not ask first.")
_PREVIEW = click.option("--preview", is_flag=True, help="Change nothing: print what would follow at once.")


@job.command("list", epilog="\b\nExample:\n  jobplan job list Daily --status ERROR")
@click.argument("instance")
@click.option("--status", metavar="STATUS", help="Only those that stand so: ERROR, RUNNING, ...")
@_CONTEXT
@with_settings
def list_(settings: Settings, instance: str, status: str | None, context: str) -> None:
    """List the jobs of an instance in plan order."""

    async def work(client: Client) -> list[JobState]:
        one = await following(client, instance)
        doubts(client)
        within = the_context(context, one) if context else ""
        wanted = None if status is None else status.upper().replace("-", "_")
        return [
            state
            for state in client.picture.jobs(one.instance)
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


@job.command(epilog="\b\nExample:\n  jobplan job submit Daily Load --context Night -p region=north --wait")
@click.argument("instance")
@click.argument("name", metavar="[JOB]", default="")
@_CONTEXT
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Value for this run alone.")
@click.option("--wait", is_flag=True, help="Return when it is over: 0 if COMPLETE, 1 if not.")
@_YES
@_PREVIEW
@with_settings
def submit(  # noqa: PLR0913  # one an option
    settings: Settings,
    instance: str,
    name: str,
    context: str,
    parameters: tuple[str, ...],
    *,
    wait: bool,
    yes: bool,
    preview: bool,
) -> None:
    """Submit a job now: run a command, or take a clock or file job as fired.

    Without JOB: all jobs of CONTEXT, or of the whole instance, that wait.
    """
    if not name and not preview:
        _all_of_them("submit", context or instance, yes=yes)
    act = Act(action=Action.SUBMIT, instance=_unknown_yet(instance), context=context, job=name, preview=preview)
    submitted(settings, act, parameters, wait=wait)


@job.command(epilog="\b\nExample:\n  jobplan job resubmit Daily Load --wait")
@click.argument("instance")
@click.argument("name", metavar="[JOB]", default="")
@_CONTEXT
@click.option("-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Value for this run alone.")
@click.option("--wait", is_flag=True, help="Return when it is over: 0 if COMPLETE, 1 if not.")
@_YES
@_PREVIEW
@with_settings
def resubmit(  # noqa: PLR0913  # one an option
    settings: Settings,
    instance: str,
    name: str,
    context: str,
    parameters: tuple[str, ...],
    *,
    wait: bool,
    yes: bool,
    preview: bool,
) -> None:
    """Run a job again that has run: after a failure, once its cause is mended.

    Without JOB: all jobs of CONTEXT, or of the whole instance, that wait or have ended.
    """
    if not name and not preview:
        _all_of_them("resubmit", context or instance, yes=yes)
    act = Act(action=Action.RESUBMIT, instance=_unknown_yet(instance), context=context, job=name, preview=preview)
    submitted(settings, act, parameters, wait=wait)


_PLAIN: dict[Action, str] = {
    Action.HOLD: "Keep a job from starting until it is released.",
    Action.RELEASE: "Let a held job go; it starts if its turn has come.",
    Action.SKIP: "Pass a job over: what depends on it goes on as if it had completed.",
    Action.UNSKIP: "Take a skip back.",
    Action.RESET: "Put a job back to WAITING, as if it had not run.",
    Action.KILL: "Kill a running job's processes.",
    Action.CONTINUE: "Go on after a failed job: start what depends on it.",
    Action.ENABLE: "Let a disabled job run again; it starts if its turn has come.",
    Action.DISABLE: "Keep a job from running at all: it satisfies nothing, and its context is not complete until it is enabled.",
}


def _plain(action: Action, line: str) -> Callable[..., None]:
    """A command for an action that needs nothing but a place."""

    @job.command(
        action.value,
        help=f"{line}\n\nWithout JOB: all jobs of CONTEXT, or of the whole instance.",
        epilog=f"\b\nExample:\n  jobplan job {action.value} Daily Load",
    )
    @click.argument("instance")
    @click.argument("name", metavar="[JOB]", default="")
    @_CONTEXT
    @_YES
    @_PREVIEW
    @with_settings
    def command(settings: Settings, instance: str, name: str, context: str, *, yes: bool, preview: bool) -> None:
        if not name and not preview:
            confirm(f"{action.value.capitalize()} all jobs of {context or instance}?", yes=yes)
        place = _unknown_yet(instance)
        acted(settings, Act(action=action, instance=place, context=context, job=name, preview=preview))

    return command


def _all_of_them(verb: str, place: str, *, yes: bool) -> None:
    """Ask before many jobs start at once. A script has to say that it means it: its job's name may be an empty variable."""
    if not yes and not sys.stdin.isatty():
        raise click.UsageError(f"no JOB: to {verb} all jobs of {place}, say --yes")
    confirm(f"{verb.capitalize()} all jobs of {place}?", yes=yes)


def _unknown_yet(text: str) -> InstanceId:
    """A person's name for an instance, in a place where its id will stand."""
    return InstanceId(text)


for _action, _line in _PLAIN.items():
    _plain(_action, _line)


@job.command(
    epilog="\b\nExample:\n  jobplan job acknowledge Daily Load --ticket OPS-17 --message 'known, harmless' --onward"
)
@click.argument("instance")
@click.argument("name", metavar="[JOB]", default="")
@_CONTEXT
@click.option("--ticket", default="", metavar="ID", help="Where it is followed up.")
@click.option("--message", "-m", default="", metavar="TEXT", help="Why it may stand.")
@click.option("--onward", is_flag=True, help="Also start what depends on it.")
@_YES
@_PREVIEW
@with_settings
def acknowledge(  # noqa: PLR0913  # one an option
    settings: Settings,
    instance: str,
    name: str,
    context: str,
    ticket: str,
    message: str,
    *,
    onward: bool,
    yes: bool,
    preview: bool,
) -> None:
    """Accept a failure: the job counts as done from now on.

    Without JOB: all failed jobs of CONTEXT, or of the whole instance.
    """
    if not name and not preview:
        _all_of_them("acknowledge", context or instance, yes=yes)
    act = Act(
        action=Action.ACKNOWLEDGE,
        instance=_unknown_yet(instance),
        context=context,
        job=name,
        ticket=ticket,
        message=message,
        onward=onward,
        preview=preview,
    )
    acted(settings, act)


@job.command(epilog="\b\nExample:\n  jobplan job why Daily Load")
@click.argument("instance")
@click.argument("name", metavar="JOB")
@_CONTEXT
@with_settings
def why(settings: Settings, instance: str, name: str, context: str) -> None:
    """Say why a job stands where it stands, and what it waits for."""

    async def work(client: Client) -> tuple[JobState, ...]:
        one = await following(client, instance)
        doubts(client)
        states = the_copies(name, client.picture.jobs(one.instance), context)
        await client.follow(*map(JobsOf, sorted(holding(client.picture, states) - {one.instance})))
        return with_holders(client.picture, states)

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
@_CONTEXT
@click.option("--follow", "-f", is_flag=True, help="Go on until the run has ended.")
@click.option("--tail", "-n", "lines", type=click.IntRange(0), metavar="N", help="Only the last N lines.")
@click.option("--from", "start", type=int, metavar="BYTE", help="From that byte on; negative: before the end.")
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
        await print_log(client, copies, wanted, as_json=settings.json)

    with_client(settings, work)


job.add_command(history)
