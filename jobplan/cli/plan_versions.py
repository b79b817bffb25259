"""``jobplan plan``: history, diff, show, export: what the dashboard keeps of a plan and its versions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from jobplan.cli.names import the_plan
from jobplan.cli.options import Verb, pairs, with_settings
from jobplan.cli.output import put_fields, put_json, put_rich, put_table
from jobplan.cli.plan_status import doubts, last_of, schedule_of
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock, span
from jobplan.errors import BadInputError
from jobplan.plan_diff import Change, ChangeKind, differences, told
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.documents import PlanStatus
from schemas.names import PlanName
from schemas.plan import PlanSource
from schemas.queries import ListVersions, ReadVersion, Version, Versions

_PLAN = click.argument("name", metavar="PLAN")


async def _named(client: Client, name: str) -> PlanStatus:
    await client.follow(Scope.PLANS)
    return the_plan(name, client.picture.plans)


async def _version(client: Client, plan: PlanName, number: int, *, bundle: bool = False) -> Version:
    answer = await client.ask(ReadVersion(plan=plan, version=number, bundle=bundle))
    return decode(bytes(answer.data), Version)


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan plan history Daily")
@_PLAN
@with_settings
def history(settings: Settings, name: str) -> None:
    """List the versions of a plan: when each was imported, and by whom."""

    async def work(client: Client) -> Versions:
        answer = await client.ask(ListVersions(plan=(await _named(client, name)).plan))
        return decode(bytes(answer.data), Versions)

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    rows = [
        (str(one.version), day_and_clock(one.imported), one.by, str(one.jobs), str(one.instances or ""))
        for one in found.versions
    ]
    put_table(("VERSION", "IMPORTED", "BY", "JOBS", "INSTANCES"), rows, empty="no versions")


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan plan diff Daily\n  jobplan plan diff Daily 3 5")
@_PLAN
@click.argument("first", type=click.IntRange(min=1), required=False)
@click.argument("second", type=click.IntRange(min=1), required=False)
@with_settings
def diff(settings: Settings, name: str, first: int | None, second: int | None) -> None:
    """Say what changed between two versions: the last two, FIRST and the newest, or FIRST and SECOND."""

    async def work(client: Client) -> tuple[PlanName, Version, Version]:
        plan = await _named(client, name)
        later = second or plan.version
        earlier = first or later - 1
        if earlier < 1:
            raise BadInputError(f"plan '{plan.plan}' has only one version: there is nothing to compare it with")
        return plan.plan, await _version(client, plan.plan, earlier), await _version(client, plan.plan, later)

    plan, old, new = with_client(settings, work)
    found = differences(_source(old), _source(new))
    if settings.json:
        put_json({"plan": plan, "from": old.version, "to": new.version, "changes": found})
        return
    from rich.text import Text  # rich takes its time to load

    text = Text(f"{plan}: version {old.version} -> {new.version}")
    text.append(f", {len(found)} change{'s' * (len(found) != 1)}\n" if found else ", no difference\n")
    where = ""
    for change in found:
        if change.field and change.where != where:
            text.append(f"~ {change.where}\n", style="yellow")
            where = change.where
        text.append(*_line(change))
    text.rstrip()
    put_rich(text)


_LOOKS: Final = {
    ChangeKind.ADDED: ("+", "green"),
    ChangeKind.REMOVED: ("-", "red"),
    ChangeKind.CHANGED: ("~", "yellow"),
}


def _line(change: Change) -> tuple[str, str]:
    sign, style = _LOOKS[change.change]
    if not change.field:
        return f"{sign} {change.where}\n", style
    sides = [told(side) for side in (change.before, change.after) if side is not None]
    what = " -> ".join(sides)
    return f"    {sign} {change.field}: {what}\n", style


def _source(version: Version) -> PlanSource:
    if version.source is None:
        raise BadInputError(f"version {version.version} came as a bundle, and was not asked for so")
    return version.source


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan plan show Daily\n  jobplan plan show Daily --version 3 --json")
@_PLAN
@click.option("--version", "number", type=click.IntRange(min=1), metavar="N", help="What one version says, as JSON.")
@with_settings
def show(settings: Settings, name: str, number: int | None) -> None:
    """Show one plan: how it stands, or what a version of it says."""

    async def work(client: Client) -> tuple[PlanStatus, Version | None]:
        one = await _named(client, name)
        doubts(client)
        return one, None if number is None else await _version(client, one.plan, number)

    one, version = with_client(settings, work)
    if version is not None or settings.json:
        put_json(one if version is None else version)
        return
    put_fields(
        [
            ("plan", one.plan),
            ("version", str(one.version)),
            ("description", one.description),
            ("enabled", "yes" if one.enabled else "no"),
            ("schedule", schedule_of(one)),
            ("window", span(timedelta(seconds=one.window_seconds)) if one.window_seconds else ""),
            ("next start", day_and_clock(one.next_start)),
            ("running", _running(one)),
            ("last", last_of(one)),
            ("agents", ", ".join(one.agents)),
            ("jobs", str(one.job_count)),
        ]
    )


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan plan export Daily --version 3 -o daily.zip\n  jobplan plan export daily.zip copy.zip",
)
@click.argument("what", metavar="PLAN|BUNDLE")
@click.argument("to", type=click.Path(path_type=Path), metavar="[ZIP]", required=False)
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="ZIP", help="The same; PLAN.zip without it.")
@click.option(
    "--version", "number", type=click.IntRange(min=1), metavar="N", help="Of a plan: another version than the newest."
)
@click.option("--tokens", "suggest", is_flag=True, help="Put tokens where Ikasan would: agents, environment.")
@click.option("--token", "tokens", multiple=True, metavar="NAME=VALUE", help="Put [[NAME]] in the place of VALUE.")
@with_settings
def export(  # noqa: PLR0913  # one an option
    settings: Settings,
    what: str,
    to: Path | None,
    output: Path | None,
    *,
    number: int | None,
    suggest: bool,
    tokens: tuple[str, ...],
) -> None:
    """Write a plan of the dashboard, or a bundle (.zip, folder or plan file), as Ikasan's zip.

    Plain, or with tokens for another environment. What stands at a path is a bundle; anything else is a plan's name.
    """
    from jobplan.bundle import load
    from jobplan.cli.bundles import exported, from_version  # the reader loads slowly

    given = pairs(tokens, "--token")
    if number is None and Path(what).exists():
        bundle, name = load(Path(what)), Path(what).stem
    else:

        async def work(client: Client) -> Version:
            return await _version(client, (await _named(client, what)).plan, number or 0, bundle=True)

        version = with_client(settings, work)
        bundle, name = from_version(version), version.plan
    target = output or to or Path(f"{name.replace('/', '_')}.zip")
    if target.exists() and Path(what).exists() and target.samefile(what):
        raise BadInputError(f"{target}: the bundle itself; name another file with -o")
    used = exported(bundle, target, given, suggest=suggest)
    if settings.json:
        put_json({"file": str(target), "tokens": used})
        return
    click.echo(f"wrote {target}")
    for token, value in used.items():
        click.echo(f"  [[{token}]] stands for {value}")


VERSIONS: Final[tuple[click.Command, ...]] = (show, history, diff, export)
"""The commands, in the order of the help."""


def _running(one: PlanStatus) -> str:
    """The newest instances by name, the others by their number."""
    others = one.running_count - len(one.running)
    return ", ".join((*one.running, *([f"and {others} older ones"] if others > 0 else [])))
