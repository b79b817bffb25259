"""``jobplan audit``: list, export. And ``jobplan ticks``: what became of every start that was due."""

from __future__ import annotations

import csv
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click
import msgspec
from msgspec.structs import replace

from jobplan.cli.names import the_agent, the_plan
from jobplan.cli.options import Noun, Verb, with_settings
from jobplan.cli.output import counted, put_json, put_table
from jobplan.cli.session import with_client
from jobplan.cli.times import moment
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.names import InstanceId, NameFormatError, NodeName, PlanName, plan_of
from schemas.queries import AuditEntry, ReadAudit
from schemas.status import Tick

_SINCE = click.option("--since", metavar="TIME", help="Only from this time on (ISO 8601).")
_COUNT = click.option(
    "-n",
    "--count",
    type=click.IntRange(1, 100_000),
    default=200,
    show_default=True,
    metavar="N",
    help="So many at most, the newest.",
)
_STYLES = {Tick.RAN: "green", Tick.SKIPPED: "yellow", Tick.MISSED: "bold red"}


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan audit list --kind request")
def audit() -> None:
    """The audit trail: what changed, why, and who asked."""


def _filters(command: Callable[..., None]) -> Callable[..., None]:
    """The options that choose rows."""
    kinds = "job, context, instance, run, plan, user, request, tick, agent ..."
    options = (
        click.option("--kind", default="", metavar="KIND", help=kinds),
        click.option("--plan", default="", metavar="PLAN", help="Only of one plan and its instances."),
        click.option("--instance", default="", metavar="ID", help="Only of one instance."),
        click.option("--context", default="", metavar="CONTEXT", help="Only of one context."),
        click.option("--job", default="", metavar="JOB", help="Only of one job, by identifier."),
        click.option("--user", default="", metavar="USER", help="Only what one person asked for."),
        click.option("--agent", metavar="AGENT", help="The trail that an agent keeps: drained by whom, refused what."),
        _SINCE,
        click.option("--until", metavar="TIME", help="Only before this time."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def _query(filters: dict[str, str], since: str | None, until: str | None) -> ReadAudit:
    begin, end = (None if text is None else moment(text) for text in (since, until))
    return replace(ReadAudit(since=begin, until=end), **filters)


def _node(client: Client, agent: str | None) -> NodeName | None:
    return None if agent is None else the_agent(agent, client.picture.agents).node


def of_plan(row: AuditEntry, plan: str) -> bool:
    """Whether a row tells of a plan, or of an instance of it; of none in particular (empty): always."""
    if not plan:
        return True
    if row.instance:
        try:
            return plan_of(InstanceId(row.instance)) == plan
        except NameFormatError:
            return False
    about = row.context if row.kind == "tick" else row.detail if row.kind == "plan" else ""
    return about == plan or about.startswith(f"{plan}: ")


@audit.command(
    epilog="\b\nExample:\n  jobplan audit export --since 2026-03-01 -o march.jsonl\n  jobplan audit export --csv -o all.csv"
)
@_filters
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Standard output without it.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV instead of one JSON object a line.")
@with_settings
def export(  # noqa: PLR0913  # one an option
    settings: Settings,
    /,
    since: str | None,
    until: str | None,
    plan: str,
    agent: str | None,
    output: Path | None,
    *,
    as_csv: bool,
    **filters: str,
) -> None:
    """Write all rows that match, the oldest first: as many as there are."""
    query = replace(_query(filters, since, until), oldest_first=True)

    async def work(client: Client) -> int:
        node = _node(client, agent)
        with _opened(output) as file:
            return await _write(client.audit_pages(query, agent=node), file, plan, as_csv=as_csv)

    count = with_client(settings, work)
    if output is not None:
        put_json({"file": str(output), "rows": count}) if settings.json else click.echo(
            f"wrote {output}: {counted(count, 'row')}"
        )


async def _write(pages: AsyncIterator[tuple[AuditEntry, ...]], file: IO[str], plan: str, *, as_csv: bool) -> int:
    """The rows of all pages; how many."""
    names = AuditEntry.__struct_fields__
    table = csv.DictWriter(file, names)
    if as_csv:
        table.writeheader()
    count = 0
    async for rows in pages:
        for row in rows:
            if not of_plan(row, plan):
                continue
            count += 1
            if as_csv:
                table.writerow(msgspec.structs.asdict(row) | {"at": row.at.isoformat()})
            else:
                file.write(msgspec.json.encode(row).decode() + "\n")
    return count


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """The file to write to. Raises BadInputError."""
    if output is None:
        yield sys.stdout
        return
    try:
        with output.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise BadInputError(f"{output}: cannot be written: {error.strerror}") from error


@audit.command(
    "list",
    epilog="\b\nExample:\n  jobplan audit list --user ann --since 2026-03-01\n  jobplan audit list --kind job",
)
@_filters
@_COUNT
@with_settings
def list_(  # one an option
    settings: Settings,
    /,
    since: str | None,
    until: str | None,
    plan: str,
    agent: str | None,
    count: int,
    **filters: str,
) -> None:
    """List what happened, the oldest first."""
    query = _query(filters, since, until)
    found = with_client(
        settings, lambda client: client.audit(query, count, lambda row: of_plan(row, plan), agent=_node(client, agent))
    )
    if settings.json:
        put_json(found)
        return
    rows = [(day_and_clock(row.at), row.kind, where(row), _change(row), row.detail, _who(row)) for row in found]
    put_table(("AT", "KIND", "WHAT", "CHANGE", "WHY", "BY"), _plain(rows), empty="nothing like that is on record")


def where(row: AuditEntry) -> str:
    """What a row is about: instance, context, job; of a run's end, whose row names no job, the run."""
    if row.run and not row.job:
        return row.run
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
