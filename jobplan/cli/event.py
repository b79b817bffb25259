"""``jobplan event``: raise."""

from __future__ import annotations

import click

from jobplan.cli.options import Noun, with_settings
from jobplan.cli.output import counted, put_json, say
from jobplan.cli.session import with_client
from jobplan.settings import Settings


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan event raise MarketsClosed")
def event() -> None:
    """Global events: what instances of several plans hear."""


@event.command("raise", epilog="\b\nExample:\n  jobplan event raise MarketsClosed")
@click.argument("name", metavar="EVENT")
@with_settings
def raise_(settings: Settings, name: str) -> None:
    """Raise a global event in every running instance that has it, whatever its plan."""
    heard = with_client(settings, lambda client: client.raise_event(name))
    if settings.json:
        put_json({"event": name, "instances": heard})
    elif heard:
        click.echo(f"raised {name} in {counted(heard, 'instance')}")
    else:
        say(f"no running instance has the global event '{name}': nothing has happened")
