"""``jobplan completion``: what a shell needs in order to complete our words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import put_json
from jobplan.settings import Settings


@click.command(
    cls=Verb,
    epilog='\b\nExample:\n  eval "$(jobplan completion bash)"\n  jobplan completion fish > jobplan.fish',
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@with_settings
def completion(settings: Settings, shell: str) -> None:
    """Print the script with which a shell completes our words, and names on the broker."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    program = click.get_current_context().find_root().command
    script = kind(program, {}, "jobplan", "_JOBPLAN_COMPLETE").source()
    if settings.json:
        put_json({"shell": shell, "script": script})
    else:
        click.echo(script)
