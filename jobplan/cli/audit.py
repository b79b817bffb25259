"""``jobplan audit``: list. And ``jobplan ticks``: what became of every start that was due."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click
from msgspec.structs import replace

from jobplan.cli.names import the_plan
from jobplan.cli.options import Noun, Verb, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.session import with_client
from jobplan.cli.times import moment
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock
from jobplan.settings import Settings
from schemas.names import PlanName
from schemas.queries import AuditEntry, ReadAudit
from schemas.status import Tick

_SINCE = click.option("--since", metavar="TIME", help="Only from this time on (ISO 8601).")
_COUNT = click.option(
    "-n",
    "--count",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    help="So many at most, the newest.",
)
_STYLES = {Tick.RAN: "green", Tick.SKIPPED: "yellow", Tick.MISSED: "bold red"}


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan audit list --kind request")
def audit() -> None:
    """The audit trail: what changed, why, and who asked."""


@audit.command(
    "list",
    epilog="\b\nExample:\n  jobplan audit list --user ann --since 2026-03-01\n  jobplan audit list --kind job",
)
@click.option("--kind", default="", metavar="KIND", help="job, context, instance, run, plan, request, tick, agent ...")
@click.option("--instance", default="", metavar="ID", help="Only of one instance.")
@click.option("--context", default="", metavar="CONTEXT", help="Only of one context.")
@click.option("--job", default="", metavar="JOB", help="Only of one job, by identifier.")
@click.option("--user", default="", metavar="USER", help="Only what one person asked for.")
@_SINCE
@_COUNT
@with_settings
def list_(settings: Settings, /, since: str | None, count: int, **filters: str) -> None:
    """List what happened, the oldest first."""
    begin = None if since is None else moment(since)
    query = replace(ReadAudit(since=begin), **filters)
    found = with_client(settings, lambda client: client.audit(query, count))
    if settings.json:
        put_json(found)
        return
    rows = [(day_and_clock(row.at), row.kind, _what(row), _change(row), row.detail, _who(row)) for row in found]
    put_table(("AT", "KIND", "WHAT", "CHANGE", "WHY", "BY"), _plain(rows), empty="nothing like that is on record")


def _what(row: AuditEntry) -> str:
    return " / ".join(part for part in (row.instance, row.context, row.job) if part)


def _change(row: AuditEntry) -> str:
    return f"{row.before} -> {row.after}" if row.before and row.after else row.after or row.before


def _who(row: AuditEntry) -> str:
    return row.user or row.cause


def _plain(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Texts that are no markup, whatever is in them."""
    return [tuple(text.replace("[", "\\[") for text in row) for row in rows]


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan ticks --plan Daily --since 2026-03-01")
@click.option("--plan", "plan_name", metavar="PLAN", help="Only of one plan and its clock jobs.")
@click.option("--outcome", type=click.Choice([one.value for one in Tick]), help="Only those that ran, or did not.")
@_SINCE
@_COUNT
@with_settings
def ticks(settings: Settings, plan_name: str | None, outcome: str | None, since: str | None, count: int) -> None:
    """List every start of a plan and every fire of its clock and file jobs that was due: ran, skipped or missed, and why."""
    query = ReadAudit(kind="tick", since=None if since is None else moment(since))

    async def work(client: Client) -> list[AuditEntry]:
        name = PlanName("")
        if plan_name is not None:
            await client.follow(Scope.PLANS)
            known = client.picture.plans
            name = the_plan(plan_name, known).plan if known else PlanName(plan_name)
        asked = ReadAudit(kind=query.kind, since=query.since, context=name)
        return await client.audit(asked, count, _only(outcome))

    found = with_client(settings, work)
    if settings.json:
        put_json(
            [
                {
                    "plan": row.context,
                    "job": row.job,
                    "due": row.before,
                    "decided": row.at,
                    "outcome": row.after,
                    "reason": row.detail,
                    "instance": row.instance,
                }
                for row in found
            ]
        )
        return
    rows = [_tick(row) for row in found]
    put_table(("DUE", "PLAN", "JOB", "OUTCOME", "WHY", "INSTANCE"), rows, empty="no start was due yet")


def _only(outcome: str | None) -> Callable[[AuditEntry], bool]:
    return lambda row: outcome is None or row.after == outcome


def _tick(row: AuditEntry) -> tuple[str, ...]:
    style = _STYLES.get(Tick(row.after), "")
    due, plan, job, why, instance = _plain(
        [(day_and_clock(moment(row.before)), row.context, row.job, row.detail, row.instance)]
    )[0]
    return (due, plan, job, f"[{style}]{row.after}[/]" if style else row.after, why, instance)
