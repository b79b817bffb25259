"""``jobplan doctor``: one page on what is wrong and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.session import with_client
from jobplan.errors import BrokerError, CannotLookError
from jobplan.settings import Settings
from jobplan.text_files import text_of

if TYPE_CHECKING:
    from jobplan.client import Client
    from jobplan.client.symptoms import Finding

_COLOURS = {"wrong": "bold red", "note": "yellow"}


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan doctor\n  jobplan doctor --json\n  jobplan doctor --conf /etc/mosquitto/mosquitto.conf",
)
@click.option(
    "--conf",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Look at this mosquitto.conf, too: does it let the broker drop messages?",
)
@with_settings
def doctor(settings: Settings, conf: Path | None) -> None:
    """Look at all that is retained, and ask who is there: what is wrong, and what to do about it.

    Nodes that are gone, silent, drain or pretend; clocks that differ; messages that the broker dropped; jobs in ERROR, lost or
    on agents that are gone; instances past their end; locks waited for too long; plans without their agent; topics that cannot be
    read or that nobody owns. Exit code 1: something is wrong; 2: nothing can be said, for the broker is not there.
    """
    from rich.markup import escape

    from jobplan.client import Scope
    from jobplan.client.checkup import check_up
    from jobplan.client.diagnosis import diagnose
    from jobplan.client.limits import limits
    from jobplan.client.symptoms import Grade
    from jobplan.clock import now

    wrong_limits = tuple(limits(text_of(conf))) if conf is not None else ()

    async def work(client: Client) -> tuple[Finding, ...]:
        await client.follow(Scope.ALL)
        asked = await check_up(client)
        return diagnose(client.picture, now(), asked, wrong_limits)

    try:
        found = with_client(settings, work)
    except BrokerError as error:
        raise CannotLookError(str(error)) from error
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
