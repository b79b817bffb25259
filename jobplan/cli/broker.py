"""``jobplan broker``: make a deployment of mosquitto, add and remove its users, check any broker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

import click

from jobplan.cli.broker_check import check
from jobplan.cli.options import Noun, with_settings
from jobplan.cli.output import put_json, say
from jobplan.errors import BadInputError
from jobplan.settings import Settings

if TYPE_CHECKING:
    from broker.deployment import Folder

_FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan broker init /etc/jobplan-broker --agent north --operator anna")
def broker() -> None:
    """The broker: a ready deployment of mosquitto, and its users; and whether any broker will do."""


broker.add_command(check)


@broker.command(
    epilog="\b\nExample:\n  jobplan broker init /etc/jobplan-broker --host broker.example --agent north --viewer bob"
)
@_FOLDER
@click.option("--agent", "agents", multiple=True, metavar="NAME", help="An agent; may be repeated.")
@click.option("--admin", "admins", multiple=True, metavar="NAME", help="A person who rules.  [default: admin]")
@click.option("--operator", "operators", multiple=True, metavar="NAME", help="A person who acts.  [default: operator]")
@click.option("--viewer", "viewers", multiple=True, metavar="NAME", help="A person who only looks.")
@click.option("--host", "hosts", multiple=True, metavar="NAME", help="Under what it is reached.  [default: this host]")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8883, show_default=True, metavar="PORT", help="Where it listens."
)
@click.option("--listen", default="", metavar="ADDRESS", help="Listen on this address only.  [default: on all]")
@click.option("--prefix", default="", metavar="PREFIX", help="Topics below which all stands.  [default: jobplan/v1]")
@click.option("--force", is_flag=True, help="Make certificates and passwords anew; the old files are put aside.")
@with_settings
def init(settings: Settings, /, folder: Path, *, force: bool, **wanted: object) -> None:
    """Make a ready deployment of mosquitto in DIR: configuration, certificates, users, access rules.

    The passwords are printed now and never again.
    """
    import msgspec

    from broker.deployment import Deployment, Folder
    from broker.topics import DEFAULT_PREFIX
    from jobplan.clock import now

    asked = {name: value for name, value in wanted.items() if value not in ((), "")}
    chosen = {
        "hosts": _own_names(),
        "admins": ("admin",),
        "operators": ("operator",),
        "prefix": DEFAULT_PREFIX,
        **asked,
    }
    place = Folder(folder)
    with _one_line_errors(), _unwritable(folder):
        passwords = place.make(msgspec.convert(chosen, Deployment, from_attributes=True), now(), force=force)
    _hand_out(settings, place, passwords)
    if not settings.json:
        _how_to_run(place)


@broker.command("add-agent", epilog="\b\nExample:\n  jobplan broker add-agent west /etc/jobplan-broker")
@click.argument("name")
@_FOLDER
@with_settings
def add_agent(settings: Settings, name: str, folder: Path) -> None:
    """Let the agent NAME log in; its password is printed now and never again."""
    from broker.deployment import Folder

    place = Folder(folder)
    with _one_line_errors(), _unwritable(folder):
        passwords = place.add(agents=[name])
    _hand_out(settings, place, passwords)
    _reload(place)


@broker.command("add-user", epilog="\b\nExample:\n  jobplan broker add-user bob /etc/jobplan-broker --viewer")
@click.argument("name")
@_FOLDER
@click.option("--viewer", is_flag=True, help="Who may look at everything and ask for nothing.")
@click.option("--admin", is_flag=True, help="Whom the dashboard is to be told of as an admin.")
@with_settings
def add_user(settings: Settings, name: str, folder: Path, *, viewer: bool, admin: bool) -> None:
    """Let the person NAME log in; the password is printed now and never again."""
    from broker.deployment import Folder

    if viewer and admin:
        raise click.UsageError("a user is a viewer or an admin, not both")
    place = Folder(folder)
    with _one_line_errors(), _unwritable(folder):
        kind = "viewers" if viewer else "admins" if admin else "operators"
        passwords = place.add(**{kind: [name]})
    _hand_out(settings, place, passwords)
    _reload(place)


@broker.command("remove-user", epilog="\b\nExample:\n  jobplan broker remove-user agent-west /etc/jobplan-broker")
@click.argument("name")
@_FOLDER
@with_settings
def remove_user(settings: Settings, name: str, folder: Path) -> None:
    """Let NAME log in no more: a person, or an agent as it logs in (agent-NAME)."""
    from broker.deployment import Folder

    place = Folder(folder)
    with _one_line_errors(), _unwritable(folder):
        place.remove(name)
    if settings.json:
        put_json({"removed": name})
    else:
        click.echo(f"removed {name}")
    _reload(place)


def _own_names() -> tuple[str, ...]:
    """What this machine is called, and what it calls itself."""
    import socket

    return tuple(dict.fromkeys((socket.gethostname(), "localhost", "127.0.0.1")))


@contextmanager
def _one_line_errors() -> Iterator[None]:
    from broker.access import AccessError
    from broker.deployment import DeploymentError

    try:
        yield
    except (AccessError, DeploymentError) as error:
        raise BadInputError(str(error)) from error


@contextmanager
def _unwritable(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BadInputError(
            f"{error.filename or folder}: {error.strerror}; give a folder that can be written"
        ) from error


def _hand_out(settings: Settings, place: Folder, passwords: dict[str, str]) -> None:
    """Each user's address, with the password: to be kept by whoever asked."""
    made = place.read()
    urls = {user: made.url(user, password).full() for user, password in passwords.items()}
    if settings.json:
        put_json({"folder": str(place.path), "caFile": str(place.authority), "users": urls})
        return
    say("These passwords are shown once. Each user needs its line, and the certificate:")
    for url in urls.values():
        click.echo(f"export JOBPLAN_BROKER={quote(url)}")
    click.echo(f"export JOBPLAN_CA_FILE={quote(str(place.authority))}")


def _how_to_run(place: Folder) -> None:
    config = quote(str(place.path / "mosquitto.conf"))
    unit = f"systemd-run --unit jobplan-broker --property Restart=on-failure mosquitto -c {config}"
    say(f"Made {place.path}. Run it in one of these ways:")
    say(f"  jobplan serve broker --data {quote(str(place.path))}")
    say(f"  mosquitto -c {config}")
    say(f"  {unit}")
    made = place.read()
    if made.admins:
        names = " ".join(f"--admin {quote(name)}" for name in made.admins)
        say("The dashboard has to be told who its admins are; they grant the others what they may do:")
        say(f"  jobplan serve dashboard {names}")
        for name in made.operators:
            say(f"  jobplan user grant {quote(name)} operator")


def _reload(place: Folder) -> None:
    """A broker that runs on this folder has to hear of it."""
    from broker.server import reload_running

    if reload_running(place.path):
        say("the running broker knows it already")
    else:
        say("a broker that runs on this folder has to be told: kill -HUP its process, or systemctl reload it")
