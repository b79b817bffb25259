"""``jobplan job``: submit, resubmit, hold, release, skip, kill, acknowledge, ...: one job, or all of a context or an instance."""

from __future__ import annotations

import sys
from typing import Final

import click

from jobplan.cli.acting import acted, submitted
from jobplan.cli.options import Verb, confirm, in_context, with_settings
from jobplan.settings import Settings
from schemas.names import InstanceId
from schemas.requests import Act, Action

_IN_CONTEXT = in_context("The context the job is in, if it is in several; without JOB: all its jobs.")
_YES = click.option("--yes", is_flag=True, help="Without JOB: do not ask first.")
_PREVIEW = click.option("--preview", is_flag=True, help="Change nothing: print what would follow at once.")


_SUBMIT: Final = """Submit a job now: run a command, or take a clock or file job as fired.

Without JOB: all jobs of CONTEXT, or of the whole instance, that wait.
"""
_RESUBMIT: Final = """Run a job again that has run: after a failure, once its cause is mended.

Without JOB: all jobs of CONTEXT, or of the whole instance, that wait or have ended.
"""


def _starting(action: Action, text: str, example: str) -> click.Command:
    """A command for an action that starts runs: with values for them, and waiting for their end if asked to."""

    @click.command(action.value, cls=Verb, help=text, epilog=f"\b\nExample:\n  {example}")
    @click.argument("instance")
    @click.argument("name", metavar="[JOB]", default="")
    @_IN_CONTEXT
    @click.option(
        "-p", "--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Value for this run alone."
    )
    @click.option("--wait", is_flag=True, help="Return when it is over: 0 if COMPLETE, 1 if not.")
    @_YES
    @_PREVIEW
    @with_settings
    def command(  # noqa: PLR0913  # one an option
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
        if not name and not preview:
            _all_of_them(action.value, context or instance, yes=yes)
        act = Act(action=action, instance=_unknown_yet(instance), context=context, job=name, preview=preview)
        submitted(settings, act, parameters, wait=wait)

    return command


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


def _plain(action: Action, line: str) -> click.Command:
    """A command for an action that needs nothing but a place."""

    @click.command(
        action.value,
        cls=Verb,
        help=f"{line}\n\nWithout JOB: all jobs of CONTEXT, or of the whole instance.",
        epilog=f"\b\nExample:\n  jobplan job {action.value} Daily Load",
    )
    @click.argument("instance")
    @click.argument("name", metavar="[JOB]", default="")
    @_IN_CONTEXT
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


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan job acknowledge Daily Load --ticket OPS-17 --message 'known, harmless' --onward",
)
@click.argument("instance")
@click.argument("name", metavar="[JOB]", default="")
@_IN_CONTEXT
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


CHANGES: Final[tuple[click.Command, ...]] = (
    _starting(Action.SUBMIT, _SUBMIT, "jobplan job submit Daily Load --context Night -p region=north --wait"),
    _starting(Action.RESUBMIT, _RESUBMIT, "jobplan job resubmit Daily Load --wait"),
    *(_plain(action, line) for action, line in _PLAIN.items()),
    acknowledge,
)
