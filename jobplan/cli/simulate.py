"""``jobplan simulate``: a plan on virtual time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from jobplan.cli.options import Verb, pairs, with_settings
from jobplan.cli.session import with_client
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.estimates import Durations, ReadDurations
from schemas.names import PlanName


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan simulate daily.zip --script night.jsonl")
@click.argument("plan", type=click.Path(path_type=Path), metavar="BUNDLE")
@click.option(
    "--script", type=click.Path(path_type=Path), metavar="FILE.jsonl", help="What happens when: one JSON object a line."
)
@click.option("--token", "tokens", multiple=True, metavar="NAME=VALUE", help="Value for [[NAME]] in the bundle.")
@click.option(
    "--durations",
    type=click.Choice(["history"]),
    help="Commands take the median of their past runs, asked of the dashboard; else, and without any, a minute.",
)
@with_settings
def simulate(
    settings: Settings, plan: Path, script: Path | None, tokens: tuple[str, ...], durations: str | None
) -> None:
    """Play a plan on virtual time, without broker or agents, and print what happens when."""
    from jobplan.simulate import cli_main  # loaded when needed

    if durations is not None and script is not None:
        raise BadInputError("--durations is for a whole night: a --script says itself how long things take")
    medians = (lambda name: _medians(settings, name)) if durations is not None else None
    cli_main(plan, script, pairs(tokens, "--token"), settings.json, medians)


def _medians(settings: Settings, plan: PlanName) -> dict[str, timedelta]:
    """How long each job of a plan usually takes, by identifier."""
    answer = with_client(settings, lambda client: client.ask(ReadDurations(plan=plan)))
    found = decode(bytes(answer.data), Durations)
    return {one.job: timedelta(seconds=one.median_seconds) for one in found.jobs}
