"""``jobplan notification``: list, mute, unmute, test."""

from __future__ import annotations

from datetime import datetime

import click

from jobplan.cli.names import the_plan
from jobplan.cli.options import Noun, with_settings
from jobplan.cli.output import put_json, put_table, say
from jobplan.cli.session import with_client
from jobplan.cli.times import duration, moment
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock
from jobplan.clock import now
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.names import PlanName
from schemas.notifications import DeliveryState
from schemas.queries import ListNotifications, NotificationEntry, NotificationList
from schemas.requests import MuteNotifications, NotificationRaised, TestNotification, UnmuteNotifications

_STYLES = {"sent": "green", "pending": "yellow", "failed": "bold red", "muted": "dim"}
_ALL = click.option("--all", "everything", is_flag=True, help="Of every plan, and of the installation.")


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan notification mute Daily --until 2h --reason 'new disks'")
def notification() -> None:
    """What people are told of: list it, mute it during maintenance, try it out."""


@notification.command("list", epilog="\b\nExample:\n  jobplan notification list --state failed")
@click.argument("plan", required=False)
@click.option("--state", type=click.Choice([state.value for state in DeliveryState]), help="Only what stands so.")
@click.option(
    "-n", "--count", type=click.IntRange(1, 500), default=50, show_default=True, metavar="N", help="So many at most."
)
@with_settings
def list_(settings: Settings, plan: str | None, state: str | None, count: int) -> None:
    """List what was sent, waits, failed or was muted, the newest first; and what is muted now."""

    async def work(client: Client) -> NotificationList:
        named = await _named(client, plan)
        query = ListNotifications(plan=named, state=DeliveryState(state) if state else None, limit=count)
        return decode(bytes((await client.ask(query)).data), NotificationList)

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    for mute in found.mutes:
        why = f": {mute.reason}" if mute.reason else ""
        say(f"muted until {day_and_clock(mute.until)}: {mute.plan or 'everything'}, by {mute.by or 'a person'}{why}")
    rows = [
        (day_and_clock(one.notification.at), one.notification.monitor, one.notification.text, _ways(one))
        for one in found.notifications
    ]
    empty = "nothing like that is on record" if plan or state else "nobody was told of anything yet"
    put_table(("AT", "MONITOR", "WHAT", "HOW IT WENT"), rows, empty=empty)


def _ways(entry: NotificationEntry) -> str:
    """Each channel, and how far it has come."""
    parts = []
    for channel, one in entry.deliveries.items():
        error = f" ({one.error.replace('[', chr(92) + '[')})" if one.error else ""
        style = _STYLES[one.state]
        parts.append(f"{channel} [{style}]{one.state}[/]{error}")
    return ", ".join(parts)


@notification.command(epilog="\b\nExample:\n  jobplan notification mute --all --until 2026-12-24T18:00")
@click.argument("plan", required=False)
@_ALL
@click.option("--until", required=True, metavar="TIME", help="A time (ISO 8601), or for how long: 90m, 2h.")
@click.option("--reason", default="", metavar="TEXT", help="Why; for those who wonder.")
@with_settings
def mute(settings: Settings, plan: str | None, *, everything: bool, until: str, reason: str) -> None:
    """Tell nobody of PLAN, or of anything, until a time; what would have been told is listed as muted."""
    _plan_or_all(plan, everything=everything)
    end = _until(until)

    async def work(client: Client) -> PlanName | None:
        named = await _named(client, plan)
        await client.ask(MuteNotifications(plan=named, until=end, reason=reason))
        return named

    muted = with_client(settings, work)
    if settings.json:
        put_json({"muted": muted or "", "until": end})
    else:
        click.echo(f"muted {muted or 'everything'} until {day_and_clock(end)}")


@notification.command(epilog="\b\nExample:\n  jobplan notification unmute Daily")
@click.argument("plan", required=False)
@_ALL
@with_settings
def unmute(settings: Settings, plan: str | None, *, everything: bool) -> None:
    """Tell people again."""
    _plan_or_all(plan, everything=everything)

    async def work(client: Client) -> PlanName | None:
        named = await _named(client, plan)
        await client.ask(UnmuteNotifications(plan=named))
        return named

    unmuted = with_client(settings, work)
    if settings.json:
        put_json({"unmuted": unmuted or ""})
    else:
        click.echo(f"unmuted {unmuted or 'everything'}")


@notification.command(epilog="\b\nExample:\n  jobplan notification test Daily")
@click.argument("plan", required=False)
@with_settings
def test(settings: Settings, plan: str | None) -> None:
    """Send a test to all whom PLAN ever wants told; without PLAN, to those whom the dashboard's settings name."""

    async def work(client: Client) -> NotificationRaised:
        answer = await client.ask(TestNotification(plan=await _named(client, plan)))
        return decode(bytes(answer.data), NotificationRaised)

    raised = with_client(settings, work)
    if settings.json:
        put_json(raised)
    else:
        click.echo("on its way; 'jobplan notification list' says how it went")


def _plan_or_all(plan: str | None, *, everything: bool) -> None:
    if everything is (plan is not None):
        raise click.UsageError("name a PLAN, or give --all")


async def _named(client: Client, plan: str | None) -> PlanName | None:
    """The plan meant; None: none was named."""
    if plan is None:
        return None
    await client.follow(Scope.PLANS)
    return the_plan(plan, client.picture.plans).plan


def _until(text: str) -> datetime:
    """A moment, or so long from now."""
    return now() + duration(text) if text[:1].isdigit() and text[-1:].isalpha() and "T" not in text else moment(text)
