"""The command ``jobplan`` itself: the nouns, each loaded only when it is used."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, Final

import click

from jobplan import __version__
from jobplan.cli.options import EVERYWHERE, everywhere, given_of

NOUNS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("jobplan.cli.demo:demo", "Run a plan here and now, with everything it needs, and watch it."),
    "serve": ("jobplan.cli.serve:serve", "Run a node: broker, dashboard or agent."),
    "plan": ("jobplan.cli.plan:plan", "Validate, import, export, list and show job plans."),
    "instance": ("jobplan.cli.instance:instance", "Start, watch and end instances of plans."),
    "job": ("jobplan.cli.job:job", "Submit, hold, skip, kill, ... jobs; read their output."),
    "agent": ("jobplan.cli.agent:agent", "List agents, drain them, let them pretend."),
    "lock": ("jobplan.cli.lock:lock", "List locks, who holds them and who waits; free them."),
    "search": ("jobplan.cli.find:search", "Find jobs and instances by name, status, agent, time."),
    "event": ("jobplan.cli.event:event", "Raise a global event."),
    "calendar": ("jobplan.cli.calendar:calendar", "Business calendars: import, list, show, delete."),
    "forecast": ("jobplan.cli.forecast:forecast", "List the windows and clock jobs that are coming."),
    "notification": ("jobplan.cli.notification:notification", "What people are told of: list, mute, try it out."),
    "ticks": ("jobplan.cli.audit:ticks", "List every start that was due: ran, skipped or missed, and why."),
    "audit": ("jobplan.cli.audit:audit", "List what changed, why, and who asked."),
    "user": ("jobplan.cli.user:user", "Say who may do what: viewers, operators, admins."),
    "broker": ("jobplan.cli.broker:broker", "Set up a broker, its certificates and users; check any broker."),
    "cron": ("jobplan.cli.cron:cron", "Understand and check Quartz cron expressions."),
    "simulate": ("jobplan.cli.simulate:simulate", "Play a plan on virtual time and print what happens."),
    "backup": ("jobplan.cli.backup:backup", "Copy the dashboard's database while it runs."),
    "restore": ("jobplan.cli.backup:restore", "Put such a copy back."),
    "doctor": ("jobplan.cli.doctor:doctor", "Say on one page what is wrong, and what to do."),
    "topics": ("jobplan.cli.topics:topics", "Show what is retained on the broker, as a tree."),
    "completion": ("jobplan.cli.completion:completion", "Print the shell's completion script."),
}
"""Where each noun is, and its line in the help: so that neither help nor completion loads them all."""

EXAMPLE: Final = """\b
Example:
  jobplan demo                          # a sample plan, start to end
  jobplan instance start Daily -p region=north --wait
  jobplan job logs Daily Load --follow"""


class Nouns(click.Group):
    """Loads a noun when it is called for; tells a usage error in one line."""

    def main(  # type: ignore[override]  # click's has overloads for what type checkers see of its return
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        *,
        standalone_mode: bool = True,
        **extra: Any,  # noqa: ANN401  # click's
    ) -> object:
        """Run a command line; in standalone mode this leaves the program."""
        if not standalone_mode:
            return super().main(args, prog_name, standalone_mode=False, **extra)
        try:
            code = super().main(args, prog_name, standalone_mode=False, **extra)
        except click.exceptions.NoArgsIsHelpError as error:  # whoever names no command is shown what there is
            error.show()
            code = error.exit_code
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx is not None else "jobplan"
            message = error.format_message().rstrip(".")
            click.echo(f"jobplan: {message[:1].lower()}{message[1:]}; see '{where} --help'", err=True)
            code = error.exit_code
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except click.Abort:
            click.echo("jobplan: aborted", err=True)
            code = 1
        except BrokenPipeError:  # who reads us has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 1
        sys.exit(code if isinstance(code, int) else 0)

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order in which a newcomer meets them."""
        return list(NOUNS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load it."""
        if cmd_name not in NOUNS:
            return None
        module, _, name = NOUNS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """From the table, without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in NOUNS.items()])

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Commands first: that is what a reader looks for."""
        self.format_commands(ctx, formatter)
        shared = [one for one in self.get_params(ctx) if one.name in EVERYWHERE]
        records = [parameter.get_help_record(ctx) for parameter in shared]
        with formatter.section("Options, also after each command (here besides: --version, --help)"):
            formatter.write_dl([record for record in records if record is not None])


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:  # noqa: FBT001  # click's way
    if not wanted or ctx.resilient_parsing:
        return
    click.echo(f"jobplan {__version__}")
    ctx.exit()


@click.command(cls=Nouns, epilog=EXAMPLE, context_settings={"max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version."
)
@everywhere
@click.pass_context
def main(ctx: click.Context, /, **options: object) -> None:
    """A job scheduler whose nodes talk through retained MQTT topics."""
    ctx.obj = given_of(options)
