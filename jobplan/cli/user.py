"""``jobplan user``: list, grant, revoke, whoami."""

from __future__ import annotations

from collections.abc import Sequence

import click

from jobplan.cli.options import Noun, confirm, with_settings
from jobplan.cli.output import put_fields, put_json, put_table, say
from jobplan.cli.session import with_client
from jobplan.client import Client
from jobplan.client.live import day_and_clock
from jobplan.settings import Settings
from schemas.codec import decode
from schemas.grants import EVERYTHING, RANK, Extent, UserRole, may, told
from schemas.names import UserName
from schemas.queries import ListUsers, UserList, WhoAmI, You
from schemas.requests import GrantRole, RevokeRole, UserGrants

OPEN = (
    "nothing was granted to anybody: whoever the broker lets in may do everything but grant"
    " (see 'jobplan serve dashboard --help')"
)

_ROLE = click.Choice([role.value for role in UserRole])


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan user grant bob operator --plan 'Finance*'")
def user() -> None:
    """Users: who may do what.

    A viewer looks things up, an operator acts on instances and jobs, an admin imports and deletes plans. An admin of all
    plans grants.
    """


@user.command("list", epilog="\b\nExample:\n  jobplan user list --json")
@with_settings
def list_(settings: Settings) -> None:
    """List who was granted what, when, and by whom."""

    async def work(client: Client) -> UserList:
        return decode(bytes((await client.ask(ListUsers())).data), UserList)

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    rows = [
        (
            one.user,
            told(one.grants).replace("[", "\\["),
            day_and_clock(one.changed),
            one.by or ("settings" if one.named else ""),
        )
        for one in found.users
    ]
    put_table(("USER", "MAY", "SINCE", "BY"), rows, empty=OPEN)


@user.command(
    epilog="\b\nExample:\n  jobplan user grant bob operator --plan 'Finance*'\n  jobplan user grant '*' viewer       # everybody"
)
@click.argument("name", metavar="USER")
@click.argument("role", type=_ROLE)
@click.option(
    "--plan", "plans", default=EVERYTHING, metavar="PATTERN", help="Plans: * any letters, ? one.  [default: all]"
)
@with_settings
def grant(settings: Settings, name: str, role: str, plans: str) -> None:
    """Let USER (as the broker knows them; '*' is everybody) do what ROLE may."""

    async def work(client: Client) -> UserGrants:
        asked = GrantRole(user=UserName(name), role=UserRole(role), plans=plans)
        return decode(bytes((await client.ask(asked)).data), UserGrants)

    _tell(settings, with_client(settings, work))


@user.command(
    epilog="\b\nExample:\n  jobplan user revoke bob operator --plan 'Finance*'\n  jobplan user revoke bob --yes"
)
@click.argument("name", metavar="USER")
@click.argument("role", type=_ROLE, required=False)
@click.option("--plan", "plans", metavar="PATTERN", help="Only the grants for exactly this pattern.")
@click.option("--yes", is_flag=True, help="Without ROLE: do not ask first.")
@with_settings
def revoke(settings: Settings, name: str, role: str | None, plans: str | None, *, yes: bool) -> None:
    """Take back what USER was granted: all of it, or only ROLE. The last admin stays."""
    if role is None and plans is None:
        confirm(f"Take back all that {name} was granted?", yes=yes)

    async def work(client: Client) -> UserGrants:
        asked = RevokeRole(user=UserName(name), role=None if role is None else UserRole(role), plans=plans)
        return decode(bytes((await client.ask(asked)).data), UserGrants)

    _tell(settings, with_client(settings, work))


def _tell(settings: Settings, now: UserGrants) -> None:
    if settings.json:
        put_json(now)
    else:
        click.echo(f"{now.user} {'has' if now.changed else 'had already'}: {told(now.grants)}")


@user.command(epilog="\b\nExample:\n  jobplan user whoami")
@with_settings
def whoami(settings: Settings) -> None:
    """Say who you are here, and what you may do."""

    async def work(client: Client) -> You:
        return decode(bytes((await client.ask(WhoAmI())).data), You)

    you = with_client(settings, work)
    if settings.json:
        put_json(you)
        return
    put_fields([("user", you.user), ("granted", told(you.grants)), *_allowed(you)])
    if you.open:
        say(OPEN)


def _allowed(you: You) -> Sequence[tuple[str, str]]:
    """What the user may ask of all plans, of some, and not at all."""
    everywhere, somewhere, nowhere = list[str](), list[str](), list[str]()
    for ask, right in you.rights.items():
        grants = you.grants
        if you.open or (grants if right.of is Extent.ANY else may(grants, right.role, None)):
            everywhere.append(ask)
        elif right.of is Extent.PLAN and any(RANK[grant.role] >= RANK[right.role] for grant in grants):
            somewhere.append(ask)
        else:
            nowhere.append(ask)
    found = [("may", everywhere), ("for those plans", somewhere), ("may not", nowhere)]
    return [(name, ", ".join(asks)) for name, asks in found if asks]
