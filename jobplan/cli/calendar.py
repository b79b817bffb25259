"""``jobplan calendar``: import, list, show, delete."""

from __future__ import annotations

from pathlib import Path

import click

from jobplan.calendar_files import read_calendar
from jobplan.cli.options import Noun, confirm, with_settings
from jobplan.cli.output import counted, put_json, put_table
from jobplan.cli.session import with_client
from jobplan.client import Client
from jobplan.client.live import day_and_clock
from jobplan.settings import Settings
from jobplan.text_files import text_of
from schemas.codec import decode
from schemas.queries import CalendarList, CalendarVersion, ListCalendars, ReadCalendar
from schemas.requests import CalendarImported, DeleteCalendar, ImportCalendar


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan calendar import bank-holidays.ics --name 'UK holidays'")
def calendar() -> None:
    """Business calendars: named days that plans, clock and file jobs leave out, or keep to."""


@calendar.command(
    "import",
    epilog="\b\nExample:\n  jobplan calendar import holidays.ics\n  jobplan calendar import days.csv --name Trading",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What plans call it; the file's name without it.")
@with_settings
def import_(settings: Settings, file: Path, name: str | None) -> None:
    """Give the days of an iCalendar or CSV (date,name) file to the dashboard: a new version of a calendar."""
    request = ImportCalendar(name=name or file.stem, days=read_calendar(file.name, text_of(file)))

    async def work(client: Client) -> CalendarImported:
        return decode(bytes((await client.ask(request)).data), CalendarImported)

    done = with_client(settings, work)
    if settings.json:
        put_json(done)
    elif done.changed:
        click.echo(f"imported {done.name}, version {done.version}: {counted(len(request.days), 'day')}")
    else:
        click.echo(f"{done.name} is unchanged: still version {done.version}")


@calendar.command("list", epilog="\b\nExample:\n  jobplan calendar list")
@with_settings
def list_(settings: Settings) -> None:
    """List the calendars: how far they reach, and which plans name them."""

    async def work(client: Client) -> CalendarList:
        return decode(bytes((await client.ask(ListCalendars())).data), CalendarList)

    found = with_client(settings, work).calendars
    if settings.json:
        put_json(found)
        return
    rows = [
        (
            one.name,
            str(one.version),
            str(one.days),
            str(one.first or ""),
            str(one.last or ""),
            ", ".join(one.plans),
            day_and_clock(one.imported),
        )
        for one in found
    ]
    columns = ("CALENDAR", "VERSION", "DAYS", "FIRST", "LAST", "PLANS", "IMPORTED")
    put_table(columns, rows, empty="no calendars yet: import one with 'jobplan calendar import FILE'")


@calendar.command(epilog="\b\nExample:\n  jobplan calendar show 'UK holidays'")
@click.argument("name", metavar="CALENDAR")
@click.option("--version", "number", type=click.IntRange(min=1), metavar="N", help="Another version than the newest.")
@with_settings
def show(settings: Settings, name: str, number: int | None) -> None:
    """Print the days of a calendar."""

    async def work(client: Client) -> CalendarVersion:
        answer = await client.ask(ReadCalendar(name=name, version=number or 0))
        return decode(bytes(answer.data), CalendarVersion)

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    for day, title in sorted(found.days.items()):
        click.echo(f"{day:%a %Y-%m-%d}  {title}".rstrip())


@calendar.command(epilog="\b\nExample:\n  jobplan calendar delete 'UK holidays' --yes")
@click.argument("name", metavar="CALENDAR")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@with_settings
def delete(settings: Settings, name: str, *, yes: bool) -> None:
    """Forget a calendar with all its versions; refused while a plan names it."""
    confirm(f"Forget calendar {name}?", yes=yes)
    with_client(settings, lambda client: client.ask(DeleteCalendar(name=name)))
    if settings.json:
        put_json({"calendar": name, "done": "deleted"})
    else:
        click.echo(f"deleted {name}")
