"""``jobplan lock``: list."""

from __future__ import annotations

import click

from jobplan.cli.options import Noun, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.plan_status import doubts
from jobplan.cli.session import with_client
from jobplan.client import Client, Scope
from jobplan.settings import Settings
from schemas.documents import LockClaim, LockState


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


def _claims(claims: tuple[LockClaim, ...]) -> str:
    return "\n".join(f"{claim.job} ({claim.instance})" for claim in claims)
