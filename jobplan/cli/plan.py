"""``jobplan plan``: validate, import, list, enable, disable, delete; versions and authoring stand in files of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from jobplan.cli.names import the_plan
from jobplan.cli.options import Noun, confirm, pairs, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.plan_authoring import AUTHORING
from jobplan.cli.plan_graph import graph
from jobplan.cli.plan_status import doubts, last_of, schedule_of
from jobplan.cli.plan_versions import VERSIONS
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.client.live import day_and_clock
from jobplan.errors import BadInputError
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

_REFUSE_SECRETS = click.option(
    "--refuse-secrets", is_flag=True, help="Literals that look like secrets are faults, not warnings."
)


@plan.command(epilog="\b\nExample:\n  jobplan plan validate daily.zip --token agent.name=north")
@click.argument("file", type=click.Path(path_type=Path))
@_TOKENS
@_REFUSE_SECRETS
@with_settings
def validate(settings: Settings, file: Path, tokens: tuple[str, ...], *, refuse_secrets: bool) -> None:
    """Say what is wrong in a bundle: a .zip, an unpacked folder, or one plan file with its jobs inside.

    Needs no broker. Exit code 2 when it could not be imported.
    """
    from jobplan.cli.bundles import put_validation  # the reader loads slowly

    given = pairs(tokens, "--token")
    if not put_validation(file, given, as_json=settings.json, refuse_secrets=refuse_secrets):
        raise SystemExit(BadInputError.exit_code)


@plan.command("import", epilog="\b\nExample:\n  jobplan plan import daily.zip --token agent.name=north")
@click.argument("bundle", type=click.Path(path_type=Path))
@_TOKENS
@_REFUSE_SECRETS
@with_settings
def import_(settings: Settings, bundle: Path, tokens: tuple[str, ...], *, refuse_secrets: bool) -> None:
    """Give a bundle to the dashboard: a new version of its plan.

    A bundle is a .zip as Ikasan exports it, an unpacked folder, or one plan file with its jobs inside. Exit code 2 when the
    bundle is faulty, 1 when the dashboard refuses it; nothing is stored then.
    """
    from jobplan.cli.bundles import checked, warn  # the reader loads slowly

    read, warnings = checked(bundle, pairs(tokens, "--token"), refuse_secrets=refuse_secrets)
    warn(warnings)
    done = with_client(settings, lambda client: client.import_plan(read.source, read.raw))
    warn(done.warnings)
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
            schedule_of(one),
            day_and_clock(one.next_start),
            str(one.running_count or ""),
            last_of(one),
            str(one.job_count),
        )
        for one in found
    ]
    columns = ("PLAN", "VERSION", "ENABLED", "SCHEDULE", "NEXT START", "RUNNING", "LAST", "JOBS")
    put_table(columns, rows, empty="no plans yet: import one with 'jobplan plan import BUNDLE'")


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


for _command in (*VERSIONS, graph, *AUTHORING):
    plan.add_command(_command)
