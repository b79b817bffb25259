"""``jobplan cron``: next, explain, check."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

import click

from jobplan.cli.options import Noun, with_settings
from jobplan.cli.output import put_json
from jobplan.cli.times import moment
from jobplan.clock import now
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.cron import Cron, CronError, DstPolicy, Gap, Overlap, next_fire, parse
from schemas.near import nearest


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan cron explain '0 0 1 ? * MON-FRI'")
def cron() -> None:
    """Quartz cron expressions: seconds minutes hours day month weekday [year]."""


_ZONE = click.option(
    "--zone", metavar="ZONE", default="UTC", show_default=True, help="Time zone, such as Europe/London."
)


@cron.command("next", epilog="\b\nExample:\n  jobplan cron next '0 0 1 ? * MON-FRI' --zone Europe/London -n 3")
@click.argument("expression")
@_ZONE
@click.option(
    "-n", "--count", type=click.IntRange(1, 1000), default=8, show_default=True, metavar="N", help="How many."
)
@click.option("--from", "begin", metavar="TIME", help="Begin after this time (ISO 8601); now without it.")
@click.option(
    "--on-gap",
    type=click.Choice([one.value for one in Gap]),
    default="skip",
    show_default=True,
    help="Times that the clock skips.",
)
@click.option(
    "--on-overlap",
    type=click.Choice([one.value for one in Overlap]),
    default="second",
    show_default=True,
    help="Which of the times that the clock shows twice.",
)
@with_settings
def next_(  # noqa: PLR0913  # what a person may say, each by name
    settings: Settings, expression: str, *, zone: str, count: int, begin: str | None, on_gap: str, on_overlap: str
) -> None:
    """Print when EXPRESSION fires next. Clock changes: as a plan's or job's onGap and onOverlap have it."""
    parsed, place = _parsed(expression), _zone(zone)
    policy = DstPolicy(gap=Gap(on_gap), overlap=Overlap(on_overlap))
    last, found = now() if begin is None else moment(begin, place), list[datetime]()
    while len(found) < count and (following := next_fire(parsed, last, place, policy)) is not None:
        found.append(following)
        last = following
    if settings.json:
        put_json(found)
        return
    for fire in found:
        click.echo(fire.astimezone(place).strftime("%a %Y-%m-%d %H:%M:%S %Z"))
    if not found:
        click.echo("it never fires again", err=True)


@cron.command(epilog="\b\nExample:\n  jobplan cron explain '0 0/15 8-18 ? * MON-FRI'")
@click.argument("expression")
@with_settings
def explain(settings: Settings, expression: str) -> None:
    """Say in English what EXPRESSION means."""
    from jobplan.cron.words import explain as in_words  # loaded when needed

    words = in_words(_parsed(expression))
    if settings.json:
        put_json({"expression": expression, "words": words})
    else:
        click.echo(words)


@cron.command(epilog="\b\nExample:\n  jobplan cron check cases.jsonl --without year,leap")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--without", multiple=True, metavar="TAG,...", help="Leave out cases with one of these tags.")
@with_settings
def check(settings: Settings, file: Path, without: tuple[str, ...]) -> None:
    """Compare our answers with a FILE of recorded ones, one JSON object a line. Exit code 1 when some differ."""
    from jobplan.cron.check import CheckInputError, check_file  # loaded when needed

    try:
        result = check_file(file, [tag.strip() for tags in without for tag in tags.split(",") if tag.strip()])
    except CheckInputError as error:
        raise BadInputError(str(error)) from error
    if settings.json:
        put_json(result)
    else:
        for one in result.disagreements:
            click.echo(f"{one.id}: {one.expression}\n  expected {one.expected}\n  got      {one.got}")
        click.echo(f"{result.agree} agree, {result.differ} differ, {result.left_out} left out")
    if result.differ:
        raise SystemExit(1)


def _parsed(expression: str) -> Cron:
    try:
        return parse(expression)
    except CronError as error:
        raise BadInputError(str(error)) from error


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = nearest(name, sorted(available_timezones()))
        hint = f"; did you mean '{near}'?" if near else "; give one such as Europe/London"
        raise BadInputError(f"time zone '{name}' is unknown{hint}") from None
