"""``jobplan doctor``: one page on what is wrong and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.session import with_client
from jobplan.settings import Settings

if TYPE_CHECKING:
    from jobplan.client import Client
    from jobplan.client.symptoms import Finding

_COLOURS = {"wrong": "bold red", "note": "yellow"}


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan doctor\n  jobplan doctor --json")
@with_settings
def doctor(settings: Settings) -> None:
    """Look at all that is retained: what is wrong, and what to do about it.

    Nodes that are gone, drain or pretend; jobs in ERROR or on agents that are gone; instances past their end; locks waited for
    too long; plans without their agent; topics that cannot be read or that nobody owns. Exit 1: something is wrong.
    """
    from rich.markup import escape

    from jobplan.client import Scope
    from jobplan.client.diagnosis import diagnose
    from jobplan.client.symptoms import Grade
    from jobplan.clock import now

    async def work(client: Client) -> tuple[Finding, ...]:
        await client.follow(Scope.ALL)
        return diagnose(client.picture, now())

    found = with_client(settings, work)
    wrong = any(one.grade is Grade.WRONG for one in found)
    if settings.json:
        put_json({"well": not wrong, "findings": found})
    else:
        rows = [
            (
                f"[{_COLOURS[one.grade.value]}]{one.grade.value}[/]",
                escape(one.what),
                escape(one.detail),
                escape(one.advice),
            )
            for one in found
        ]
        put_table(("", "WHAT", "HOW IT IS", "WHAT TO DO"), rows, empty="all is well")
    if wrong:
        raise SystemExit(1)
