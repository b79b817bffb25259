"""``jobplan simulate``: arguments to a played script or night, and what is printed of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import click
import msgspec
from rich.console import Console

from dashboard_node.core.plan_rules import faults
from jobplan.bundle import BundleError, load
from jobplan.errors import BadInputError
from jobplan.simulate.gantt import render
from jobplan.simulate.night import NightPlay
from jobplan.simulate.script import Play, Script, ScriptError, read
from jobplan.text_files import text_of
from schemas.names import PlanName
from schemas.plan import PlanSource

_PAGE = 120
"""Columns of the timeline where no terminal says how many."""


Medians = Callable[[PlanName], Mapping[str, timedelta]]
"""How long the jobs of a plan usually take, by identifier."""


def cli_main(
    plan: Path,
    script: Path | None,
    tokens: Mapping[str, str],
    as_json: bool,  # noqa: FBT001  # one call site, positional
    medians: Medians | None = None,
) -> None:
    """Play a script, or without one a whole night, and print it. Raises BadInputError for a faulty plan or script."""
    source = _load(plan, tokens)
    if script is not None:
        _print_script(source, _script(script))
    else:
        _print_night(source, medians(PlanName(source.plan.name)) if medians is not None else {}, as_json=as_json)


def _script(file: Path) -> Script:
    """What a file says happens. Raises BadInputError."""
    try:
        return read(text_of(file))
    except ScriptError as error:
        raise BadInputError(f"{file}: {error}") from error


def _load(plan: Path, tokens: Mapping[str, str]) -> PlanSource:
    """A plan that could be imported. Raises BundleError, with the words of an import."""
    bundle = load(plan, tokens)
    wrong = [fault for fault in faults(bundle.source) if not fault.warning]
    if wrong:
        raise BundleError(bundle.located(wrong))
    return bundle.source


def _print_script(source: PlanSource, lines: Script) -> None:
    """A line of JSON for each line of the script, then how everything stands."""
    play = Play(source)
    for outcome in play.play(lines):
        click.echo(msgspec.json.encode(outcome))
    click.echo(msgspec.json.encode({"final": play.final()}))


def _print_night(source: PlanSource, durations: Mapping[str, timedelta], *, as_json: bool) -> None:
    night = NightPlay(source, durations=durations).play()
    if as_json:
        click.echo(msgspec.json.encode(night))
    else:
        console = Console()
        if not console.is_terminal:
            console.width = _PAGE
        console.print(render(night, console.width))
