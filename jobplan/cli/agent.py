"""``jobplan agent``: list."""

from __future__ import annotations

import click

from jobplan.cli.options import Noun, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.session import with_client
from jobplan.cli.symbols import NODE
from jobplan.client import Client
from jobplan.live import day_and_clock
from jobplan.settings import Settings
from schemas.documents import Presence


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan agent list")
def agent() -> None:
    """Agents: the nodes that watch files and clocks and run commands."""


@agent.command("list", epilog="\b\nExample:\n  jobplan agent list --json")
@with_settings
def list_(settings: Settings) -> None:
    """List the agents that are, or ever were, on this broker."""

    async def work(client: Client) -> list[Presence]:
        return list(client.picture.agents.values())

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return

    rows = [
        (
            one.node,
            f"[{NODE[one.state]}]{one.state.value}[/]",
            day_and_clock(one.since),
            one.host,
            one.version,
            one.zone,
            ", ".join([*one.labels, *(["dry run"] if one.dry_run else [])]),
        )
        for one in found
    ]
    columns = ("AGENT", "STATE", "SINCE", "HOST", "VERSION", "ZONE", "LABELS")
    put_table(columns, rows, empty="no agents yet: start one with 'jobplan serve agent NAME'")
