"""``jobplan topics``: what is retained, as a tree, for inspection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import msgspec

from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import counted, put_json, put_rich, say
from jobplan.cli.session import with_client
from jobplan.client import Scope
from jobplan.settings import Settings

if TYPE_CHECKING:
    from rich.tree import Tree

    from jobplan.client import Client


@click.command(cls=Verb, epilog="\b\nExample:\n  jobplan topics instance\n  jobplan topics --values")
@click.argument("below", required=False, default="", metavar="[LEVEL/LEVEL...]")
@click.option("--values", is_flag=True, help="With what each topic shows.")
@with_settings
def topics(settings: Settings, below: str, *, values: bool) -> None:
    """Show the topics that are retained on the broker, below some level or all."""

    async def work(client: Client) -> dict[str, object]:
        await client.follow(Scope.ALL)
        picture = client.picture
        found = {client.wire.topic(address): picture.get(address, object) for address in picture.addresses()}
        found |= {topic: {"unreadable": reason} for topic, reason in picture.unreadable.items()}
        root = f"{client.wire.prefix}/"
        shown = {topic.removeprefix(root): document for topic, document in sorted(found.items())}
        return {topic: document for topic, document in shown.items() if _is_below(topic, below.strip("/"))}

    found = with_client(settings, work)
    if settings.json:
        put_json(found)
        return
    if found:
        put_rich(_tree(found, values=values))
    say(counted(len(found), "retained topic"))


def _is_below(topic: str, level: str) -> bool:
    return not level or topic == level or topic.startswith(f"{level}/")


def _tree(found: dict[str, object], *, values: bool) -> Tree:
    from rich.text import Text  # rich takes its time to load
    from rich.tree import Tree  # rich takes its time to load

    root = Tree("", hide_root=True)
    nodes: dict[str, Tree] = {"": root}
    for topic, document in found.items():
        above = ""
        for level in topic.split("/"):
            path = f"{above}/{level}" if above else level
            if path not in nodes:
                nodes[path] = nodes[above].add(Text(level))
            above = path
        if values:
            shown = msgspec.json.encode(document).decode()
            nodes[topic].label = Text.assemble(topic.rsplit("/", 1)[-1], "  ", (shown, "dim"))
    return root
