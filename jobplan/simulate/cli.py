"""``jobplan simulate``: arguments to a played script or night, and what is printed of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import click
import msgspec
from rich.console import Console

from dashboard_node.core.plan_rules import faults
from jobplan.bundle import BundleError, describe_faults, load
from jobplan.simulate.gantt import render
from jobplan.simulate.night import NightPlay
from jobplan.simulate.script import Play, Script, ScriptError, read
from schemas.names import PlanName
from schemas.plan import PlanSource
from schemas.requests import Fault

BAD_INPUT = 2
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
) -> int:
    """Play a script, or without one a whole night, and print it. The exit code: 0 when it was played, 2 for bad input."""
    try:
        source = _load(plan, tokens)
        lines = read(script.read_text(encoding="utf-8")) if script is not None else None
    except (BundleError, _InvalidPlanError) as error:
        for line in describe_faults(error.faults):
            click.echo(line, err=True)
        return BAD_INPUT
    except (OSError, UnicodeDecodeError, ScriptError) as error:
        click.echo(f"{script}: {error}", err=True)
        return BAD_INPUT
    if lines is not None:
        _print_script(source, lines)
    else:
        _print_night(source, medians(PlanName(source.plan.name)) if medians is not None else {}, as_json=as_json)
    return 0


class _InvalidPlanError(Exception):
    """A plan that would be refused at import."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("the plan has faults")
        self.faults = faults


def _load(plan: Path, tokens: Mapping[str, str]) -> PlanSource:
    bundle = load(plan, tokens)
    wrong = tuple(fault for fault in faults(bundle.source) if not fault.warning)
    if wrong:
        raise _InvalidPlanError(bundle.located(wrong))
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
