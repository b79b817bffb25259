"""``jobplan forecast``: the windows and clock jobs that are coming."""

from __future__ import annotations

import click

from jobplan.cli.names import the_plan
from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import counted, put_json, put_table, say
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.queries import Coming, Forecast, Foretold, What

_STYLES = {What.OPENS: "bold green", What.FIRES: "", What.SKIPPED: "yellow"}


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan forecast --days 14 --plan Daily")
@click.option("--days", type=click.IntRange(1, 400), default=7, show_default=True, metavar="N", help="How far to look.")
@click.option("--plan", "plan_name", metavar="PLAN", help="Only of one plan.")
@click.option(
    "--each",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    metavar="N",
    help="So many fires of a clock job in a window at most.",
)
@with_settings
def forecast(settings: Settings, days: int, plan_name: str | None, each: int) -> None:
    """List the windows and clock jobs that are coming, in their own zones; calendars and blackouts are applied."""

    async def work(client: Client) -> Foretold:
        name = None
        if plan_name is not None:
            await client.follow(Scope.PLANS)
            name = the_plan(plan_name, client.picture.plans).plan
        answer = await client.ask(Forecast(days=days, plan=name, each=each))
        return decode(bytes(answer.data), Foretold)

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    rows = [_row(one) for one in found.rows]
    put_table(
        ("LOCAL TIME", "ZONE", "PLAN", "JOB", "WHAT", "NOTE", "INSTANCE"),
        rows,
        empty=f"nothing is due in {counted(days, 'day')}",
    )
    if found.more:
        say(f"and more until {day_and_clock(found.until)}: name a plan, or fewer days")


def _row(one: Coming) -> tuple[str, ...]:
    style = _STYLES[one.what]
    what = f"[{style}]{one.what}[/]" if style else one.what.value
    until = f"until {day_and_clock(one.closes)}" if one.closes is not None else ""
    note = (one.note or until).replace("[", "\\[")
    plan, job, instance = (text.replace("[", "\\[") for text in (one.plan, one.name or one.job, one.instance or ""))
    return (one.local, one.zone, plan, job, what, note, instance)
