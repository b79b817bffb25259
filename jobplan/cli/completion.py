"""``jobplan completion``: what a shell needs in order to complete our words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from jobplan.cli.options import Verb


@click.command(
    cls=Verb,
    epilog='\b\nExample:\n  eval "$(jobplan completion bash)"\n  jobplan completion fish > jobplan.fish',
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for SHELL."""
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(ctx.find_root().command, {}, "jobplan", "_JOBPLAN_COMPLETE").source())
