"""What every command shares: the options given everywhere, how its help is laid out, and how it ends on an error."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from functools import update_wrapper
from pathlib import Path
from typing import IO, Any, Concatenate, Final, ParamSpec, TypeVar

import click
import msgspec

from jobplan.cli.known import completes
from jobplan.errors import JobplanError
from jobplan.settings import LOG_LEVELS, Given, Settings, environment, resolve

P = ParamSpec("P")
R = TypeVar("R")

EVERYWHERE: Final = ("broker", "data", "config", "log_level", "as_json")
_WHOLE: Final = 1000
"""No sentence is longer: none is cut."""
_EVERYWHERE_LINE: Final = "--broker URL  --data DIR  --config FILE  --log-level LEVEL  --json"


_WORDS: Final = {
    "PLAN": "its name, or the beginning of it",
    "INSTANCE": "its id, the beginning of it, or a plan's name: the newest instance",
    "JOB": "its name, or its identifier (AGENT-NAME) where several have the name",
    "BUNDLE": "a .zip as Ikasan exports it, an unpacked folder, or one plan file with its jobs inside",
    "EXPRESSION": "seconds minutes hours day month weekday [year]",
}
"""What a word in the place of an argument may be."""


def in_context(text: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """The option that names a context of a plan."""
    return click.option("--context", "-c", default="", metavar="CONTEXT", help=text)


IN_CONTEXT: Final = in_context("The context the job is in, if it is in several.")


def everywhere(command: Callable[..., R]) -> Callable[..., R]:
    """Add the options that stand everywhere."""
    options = (
        click.option("--broker", metavar="URL", help="mqtt[s]://[user[:password]@]host[:port][/prefix]"),
        click.option("--data", metavar="DIR", help="Folder for what is kept."),
        click.option("--config", metavar="FILE", help="Settings file.  [default: ./jobplan.toml]"),
        click.option(
            "--log-level",
            metavar="LEVEL",
            type=click.Choice(LOG_LEVELS, case_sensitive=False),
            help="debug, info, warning or error.",
        ),
        click.option("--json/--no-json", "as_json", default=None, help="Write JSON instead of text."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def given_of(taken: dict[str, object]) -> Given:
    """Take the options that stand everywhere out of a command's arguments."""
    found = {name.removeprefix("as_"): taken.pop(name) for name in EVERYWHERE}
    return msgspec.convert(found, Given)


def with_settings(command: Callable[Concatenate[Settings, P], R]) -> Callable[..., R]:
    """Give the command its settings as the first argument."""

    def taking_options(*args: P.args, **options: P.kwargs) -> R:
        own = given_of(options)
        before = click.get_current_context().obj
        given = own.over(before) if isinstance(before, Given) else own
        settings = resolve(given, environment(), Path.cwd())
        return command(settings, *args, **options)

    return everywhere(update_wrapper(taking_options, command))


class Failure(click.ClickException):
    """An error as it is shown: one line, then faults if there are any."""

    def __init__(self, error: JobplanError) -> None:
        super().__init__(str(error))
        self.exit_code = error.exit_code  # type: ignore[misc]  # click declares it for the class
        self.faults = error.faults

    def show(self, file: IO[str] | None = None) -> None:
        """Write it to standard error."""
        said = self.format_message()
        click.echo(f"jobplan: {said}", file=file, err=file is None)
        for fault in self.faults:
            if said == f"{fault.path}: {fault.message}":
                continue  # the only one that is wrong: the line has said it
            kind = "warning: " if fault.warning else ""
            click.echo(f"  {fault.path}: {kind}{fault.message}", file=file, err=file is None)


class Verb(click.Command):
    """A command whose help shows its own options one a line and those that stand everywhere in one line."""

    def __init__(self, *args: Any, **options: Any) -> None:  # noqa: ANN401  # click's
        super().__init__(*args, **options)
        for parameter in self.params:
            completes(parameter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Lay the options out."""
        own = [
            record
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            and parameter.name not in EVERYWHERE
            and (record := parameter.get_help_record(ctx)) is not None
        ]
        words = [word for word in _WORDS if any(word in _told(one) for one in self.get_params(ctx))]
        if words:
            with formatter.section("Arguments"):
                formatter.write_dl([(word, _WORDS[word]) for word in words])
        if own:
            with formatter.section("Options"):
                formatter.write_dl(own)
        with formatter.section("Everywhere (see 'jobplan --help')"):
            formatter.write_text(_EVERYWHERE_LINE)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; what is wrong with the words is told as this command's, which click's parser does not know."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.ctx = error.ctx or ctx
            raise

    def invoke(self, ctx: click.Context) -> object:
        """Run it; an error of ours becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except JobplanError as error:
            raise Failure(error) from error
        except KeyboardInterrupt:
            ctx.exit(130)


def _told(one: click.Parameter) -> list[str]:
    """The words by which the usage tells of an argument."""
    return re.findall("[A-Z]+", one.metavar or str(one.name).upper()) if isinstance(one, click.Argument) else []


class Noun(click.Group):
    """A group whose commands are Verbs."""

    command_class = Verb

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each with the whole first sentence of its help."""
        commands = ((name, self.get_command(ctx, name)) for name in self.list_commands(ctx))
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, command.get_short_help_str(limit=_WHOLE)) for name, command in commands if command is not None]
            )

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """A noun has no options of its own worth a section: its commands are what a reader looks for."""
        self.format_commands(ctx, formatter)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be taken back, if somebody is there to answer. Raises click.Abort."""
    if not yes and sys.stdin.isatty():
        click.confirm(question, abort=True, err=True)


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a map. Raises UsageError."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise click.UsageError(f"{option} '{text}': NAME=VALUE is wanted")
        found[name] = value
    return found
