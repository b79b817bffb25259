"""``jobplan lock``: list, release."""

from __future__ import annotations

import click
from msgspec.structs import replace

from jobplan.cli.names import the_lock
from jobplan.cli.options import Noun, confirm, with_settings
from jobplan.cli.output import put_json, put_table, say
from jobplan.cli.plan_status import doubts
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.errors import RefusedByNodeError
from jobplan.settings import Settings
from schemas.acted import ActedOn
from schemas.blockers import LockClaim
from schemas.documents import LockState
from schemas.names import InstanceId
from schemas.requests import Act, Action


class Freed(ActedOn, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """A job that held a lock or waited for it, in which instance, and what became of it."""

    instance: InstanceId


Released = tuple[list[Freed], list[Freed]]


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan lock list")
def lock() -> None:
    """Locks: what only so many jobs may hold at a time."""


@lock.command("list", epilog="\b\nExample:\n  jobplan lock list")
@with_settings
def list_(settings: Settings) -> None:
    """List the locks: who holds them, and who waits in which order."""

    async def work(client: Client) -> tuple[LockState, ...]:
        await client.follow(Scope.LOCKS)
        doubts(client)
        return client.picture.locks

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    rows = [
        (
            one.lock,
            one.group,
            "exclusive" if one.exclusive else f"{sum(claim.weight for claim in one.holders)}/{one.capacity}",
            _claims(one.holders),
            _claims(one.queue),
        )
        for one in found
    ]
    put_table(("LOCK", "GROUP", "TAKEN", "HELD BY", "WAITING"), rows, empty="no locks")


@lock.command(epilog="\b\nExample:\n  jobplan lock release ledger --yes\n  jobplan lock release ledger --queue")
@click.argument("name", metavar="LOCK")
@click.option("--group", default="", metavar="GROUP", help="The environment group in which it is shared.")
@click.option("--queue", is_flag=True, help="Not its holders: take those that wait out of its queue.")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@with_settings
def release(settings: Settings, name: str, group: str, *, queue: bool, yes: bool) -> None:
    """Free a lock: kill the runs that hold it, which give it back as they end; whoever waits goes next.

    With --queue: put the jobs that wait for it back to WAITING, as if they had not been due.
    """

    async def work(client: Client) -> Released:
        await client.follow(Scope.LOCKS)
        one = the_lock(name, group, client.picture.locks)
        claims = one.queue if queue else one.holders
        if claims:
            confirm(f"{'Reset' if queue else 'Kill'} {', '.join(claim.called for claim in claims)}?", yes=yes)
        return await _release(client, claims, Action.RESET if queue else Action.KILL)

    done, refused = with_client(settings, work)
    if settings.json:
        put_json({"lock": name, "done": done, "refused": refused})
    for one in () if settings.json else done:
        click.echo(f"{'reset' if queue else 'killed'} {one.name} ({one.instance})")
    for one in () if settings.json else refused:
        say(f"not {'reset' if queue else 'killed'}: {one.name} ({one.instance}): {one.reason}")
    if not done and not refused:
        say(f"nobody {'waits for' if queue else 'holds'} {name}")
    if refused:
        raise SystemExit(1)


async def _release(client: Client, claims: tuple[LockClaim, ...], action: Action) -> Released:
    """Each claim for itself; some may have gone meanwhile."""
    done: list[Freed] = []
    refused: list[Freed] = []
    for claim in claims:
        one = Freed(instance=claim.instance, context=claim.context, job=claim.job, name=claim.called)
        asked = Act(action=action, instance=claim.instance, context=claim.context, job=claim.job)
        try:
            await client.act(asked)
        except RefusedByNodeError as error:
            refused.append(replace(one, reason=str(error)))
        else:
            done.append(one)
    return done, refused


def _claims(claims: tuple[LockClaim, ...]) -> str:
    return "\n".join(f"{claim.called} ({claim.instance})" for claim in claims)
