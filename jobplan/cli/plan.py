"""``jobplan plan``: validate, import, export, list, show."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import click

from jobplan.cli.names import the_plan
from jobplan.cli.options import Noun, confirm, pairs, with_settings
from jobplan.cli.output import put_fields, put_json, put_table, say
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.errors import BadInputError
from jobplan.live import day_and_clock, doubt, span
from jobplan.settings import Settings
from schemas.documents import PlanStatus
from schemas.names import PlanName
from schemas.requests import DeletePlan, EnablePlan


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan plan import daily.zip")
def plan() -> None:
    """Job plans: what people author."""


_TOKENS = click.option(
    "--token", "tokens", multiple=True, metavar="NAME=VALUE", help="Value for [[NAME]] in the bundle; repeat for more."
)


@plan.command(epilog="\b\nExample:\n  jobplan plan validate daily.zip --token agent.name=north")
@click.argument("file", type=click.Path(path_type=Path))
@_TOKENS
@with_settings
def validate(settings: Settings, file: Path, tokens: tuple[str, ...]) -> None:
    """Say what is wrong in a bundle: a .zip, an unpacked folder, or one plan file with its jobs inside.

    Needs no broker. Exit code 2 when it could not be imported.
    """
    from jobplan.cli.bundles import put_validation  # the reader loads slowly

    if not put_validation(file, pairs(tokens, "--token"), as_json=settings.json):
        raise SystemExit(BadInputError.exit_code)


@plan.command("import", epilog="\b\nExample:\n  jobplan plan import daily.zip --token agent.name=north")
@click.argument("bundle", type=click.Path(path_type=Path))
@_TOKENS
@with_settings
def import_(settings: Settings, bundle: Path, tokens: tuple[str, ...]) -> None:
    """Give a bundle to the dashboard: a new version of its plan.

    A bundle is a .zip as Ikasan exports it, an unpacked folder, or one plan file with its jobs inside. Exit code 2 when the
    bundle is faulty, 1 when the dashboard refuses it; nothing is stored then.
    """
    from jobplan.cli.bundles import checked, warn  # the reader loads slowly

    read, warnings = checked(bundle, pairs(tokens, "--token"))
    warn(warnings)
    done = with_client(settings, lambda client: client.import_plan(read.source, read.raw))
    if settings.json:
        put_json(done)
    elif done.changed:
        click.echo(f"imported {done.plan}, version {done.version}")
    else:
        click.echo(f"{done.plan} is unchanged: still version {done.version}")


@plan.command("list", epilog="\b\nExample:\n  jobplan plan list --json")
@with_settings
def list_(settings: Settings) -> None:
    """List the plans: when they start next, what runs, how the last instance ended."""

    async def work(client: Client) -> list[PlanStatus]:
        await client.follow(Scope.PLANS)
        doubts(client)
        return list(client.picture.plans.values())

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    rows = [
        (
            one.plan,
            str(one.version),
            "yes" if one.enabled else "no",
            _schedule(one),
            day_and_clock(one.next_start),
            str(len(one.running) or ""),
            _last(one),
            str(one.job_count),
        )
        for one in found
    ]
    columns = ("PLAN", "VERSION", "ENABLED", "SCHEDULE", "NEXT START", "RUNNING", "LAST", "JOBS")
    put_table(columns, rows, empty="no plans yet: import one with 'jobplan plan import BUNDLE'")


@plan.command(epilog="\b\nExample:\n  jobplan plan show Daily")
@click.argument("name", metavar="PLAN")
@with_settings
def show(settings: Settings, name: str) -> None:
    """Show one plan."""

    async def work(client: Client) -> PlanStatus:
        await client.follow(Scope.PLANS)
        doubts(client)
        return the_plan(name, client.picture.plans)

    one = with_client(settings, work)
    if settings.json:
        put_json(one)
        return

    put_fields(
        [
            ("plan", one.plan),
            ("version", str(one.version)),
            ("description", one.description),
            ("enabled", "yes" if one.enabled else "no"),
            ("schedule", _schedule(one)),
            ("window", span(timedelta(seconds=one.window_seconds)) if one.window_seconds else ""),
            ("next start", day_and_clock(one.next_start)),
            ("running", ", ".join(one.running)),
            ("last", _last(one)),
            ("agents", ", ".join(one.agents)),
            ("jobs", str(one.job_count)),
        ]
    )


@plan.command(epilog="\b\nExample:\n  jobplan plan export daily.zip daily-tokens.zip --tokens")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("to", type=click.Path(path_type=Path), metavar="ZIP")
@click.option(
    "--tokens", "suggest", is_flag=True, help="Put tokens where Ikasan would: agents' names, the plan's environment."
)
@click.option(
    "--token",
    "tokens",
    multiple=True,
    metavar="NAME=VALUE",
    help="Put [[NAME]] in the place of VALUE.",
)
@with_settings
def export(settings: Settings, bundle: Path, to: Path, tokens: tuple[str, ...], *, suggest: bool) -> None:
    """Write a bundle (.zip, folder or plan file) as Ikasan's zip, plain or with tokens for another environment."""
    from jobplan.cli.bundles import exported  # the reader loads slowly

    used = exported(bundle, to, pairs(tokens, "--token"), suggest=suggest)
    if settings.json:
        put_json({"file": str(to), "tokens": used})
        return
    click.echo(f"wrote {to}")
    for name, value in used.items():
        click.echo(f"  [[{name}]] stands for {value}")


def _ask(settings: Settings, name: str, asking: Callable[[PlanName], EnablePlan | DeletePlan], done: str) -> None:
    """Ask something of a plan, and say that it is done."""

    async def work(client: Client) -> PlanName:
        await client.follow(Scope.PLANS)
        found = the_plan(name, client.picture.plans).plan
        await client.ask(asking(found))
        return found

    found = with_client(settings, work)
    if settings.json:
        put_json({"plan": found, "done": done})
    else:
        click.echo(f"{done} {found}")


@plan.command(epilog="\b\nExample:\n  jobplan plan enable Daily")
@click.argument("name", metavar="PLAN")
@with_settings
def enable(settings: Settings, name: str) -> None:
    """Let a plan's windows open again."""
    _ask(settings, name, lambda found: EnablePlan(plan=found), "enabled")


@plan.command(epilog="\b\nExample:\n  jobplan plan disable Daily")
@click.argument("name", metavar="PLAN")
@with_settings
def disable(settings: Settings, name: str) -> None:
    """Let no more windows of a plan open; its running instances go on."""
    _ask(settings, name, lambda found: EnablePlan(plan=found, enabled=False), "disabled")


@plan.command(epilog="\b\nExample:\n  jobplan plan delete Daily --yes")
@click.argument("name", metavar="PLAN")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@with_settings
def delete(settings: Settings, name: str, *, yes: bool) -> None:
    """Forget a plan with all its versions; refused while it has an active instance."""
    confirm(f"Forget plan {name} with all its versions?", yes=yes)
    _ask(settings, name, lambda found: DeletePlan(plan=found), "deleted")


def _schedule(one: PlanStatus) -> str:
    return f"{one.schedule} {one.zone}".strip() if one.schedule else ""


def _last(one: PlanStatus) -> str:
    last = one.last_outcome
    return "" if last is None else f"{last.status.value} {day_and_clock(last.ended)}"


def doubts(client: Client) -> None:
    """Say on standard error when what is read may be old."""
    reason = doubt(client.picture, client.link.reason)
    if reason:
        say(f"jobplan: {reason}")
