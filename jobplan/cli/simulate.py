"""``jobplan simulate``: a plan on virtual time."""

from __future__ import annotations

from pathlib import Path

import click

from jobplan.cli.options import Verb, pairs, with_settings
from jobplan.settings import Settings


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan simulate daily.zip --script night.jsonl")
@click.argument("plan", type=click.Path(path_type=Path))
@click.option(
    "--script", type=click.Path(path_type=Path), metavar="FILE.jsonl", help="What happens when: one JSON object a line."
)
@click.option("--token", "tokens", multiple=True, metavar="NAME=VALUE", help="Value for [[NAME]] in the bundle.")
@with_settings
def simulate(settings: Settings, plan: Path, script: Path | None, tokens: tuple[str, ...]) -> None:
    """Play a plan on virtual time, without broker or agents, and print what happens when."""
    from jobplan.simulate import cli_main  # loaded when needed

    code = cli_main(plan, script, pairs(tokens, "--token"), settings.json)
    if code:
        raise SystemExit(code)
