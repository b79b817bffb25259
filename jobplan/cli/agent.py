"""``jobplan agent``: list, show; drain, pretend, start and stop watches by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import click

from jobplan.cli.acting import following
from jobplan.cli.names import the_agent, the_copies
from jobplan.cli.options import Noun, with_settings
from jobplan.cli.output import put_json, put_table
from jobplan.cli.session import with_client
from jobplan.cli.symbols import NODE
from jobplan.client import Client
from jobplan.client.live import day_and_clock
from jobplan.errors import BadInputError
from jobplan.settings import Settings
from schemas.documents import Presence
from schemas.names import NodeName
from schemas.requests import AgentRequest, Drain, SetDryRun, SwitchWatch
from schemas.status import NodeState


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
            ", ".join([f"[{NODE[one.state]}]{one.state.value}[/]", *_switched(one)]),
            day_and_clock(one.since),
            one.host,
            one.version,
            one.zone,
            _counted(one),
            f"{one.condition.load:g}",
            _size(one.condition.disk_free),
            ", ".join(one.labels),
        )
        for one in found
    ]
    columns = ("AGENT", "STATE", "SINCE", "HOST", "VERSION", "ZONE", "RUNS", "LOAD", "DISK FREE", "LABELS")
    put_table(columns, rows, empty="no agents yet: start one with 'jobplan serve agent NAME'")


@agent.command(epilog="\b\nExample:\n  jobplan agent show north")
@click.argument("name", metavar="AGENT")
@with_settings
def show(settings: Settings, name: str) -> None:
    """Show one agent: whether it is there, its host, load, disk, labels, and what operators have switched."""

    async def work(client: Client) -> Presence:
        return the_agent(name, client.picture.agents)

    one = with_client(settings, work)
    if settings.json:
        put_json(one)
        return
    facts = (
        ("state", one.state.value + ("" if one.complete or one.state is NodeState.GONE else ", not complete yet")),
        ("since", day_and_clock(one.since)),
        ("host", one.host),
        ("version", one.version),
        ("zone", one.zone),
        ("labels", ", ".join(one.labels)),
        ("runs", _counted(one)),
        ("load", f"{one.condition.load:g}"),
        ("disk free", _size(one.condition.disk_free)),
        ("switched", ", ".join(_switched(one))),
    )
    put_table(("", one.node), [fact for fact in facts if fact[1]], empty="")


def _switched(one: Presence) -> list[str]:
    """What operators have switched there."""
    words = ["dry run"] if one.dry_run else []
    words += [f"dry run of {job}" for job in one.condition.dry_jobs]
    words += ["disk full"] if one.condition.disk_full else []
    return words + (["draining"] if one.condition.draining else [])


def _counted(one: Presence) -> str:
    running, capacity = one.condition.running, one.capacity
    return f"{running} of {capacity}" if capacity else str(running or "")


def _size(free: int | None) -> str:
    return "" if free is None else f"{free / 1_073_741_824:.1f} GiB"


Asking = Callable[[Client], Awaitable[AgentRequest]]


def _ask(settings: Settings, name: str, asking: Asking | AgentRequest, done: str) -> None:
    """Ask something of an agent, what has to be looked up for it first, and say that it is done."""

    async def work(client: Client) -> None:
        if the_agent(name, client.picture.agents).state is NodeState.GONE:
            raise BadInputError(f"agent '{name}' is gone: it cannot be asked")
        request = await asking(client) if callable(asking) else asking
        async for _ in client.answers(request, to=NodeName(name)):
            return

    with_client(settings, work)
    if settings.json:
        put_json({"agent": name, "done": done})
    else:
        click.echo(f"{name} {done}")


@agent.command(epilog="\b\nExample:\n  jobplan agent drain north")
@click.argument("name", metavar="AGENT")
@with_settings
def drain(settings: Settings, name: str) -> None:
    """Let an agent start no more runs; those that live finish. For maintenance; outlives a restart of the agent."""
    _ask(settings, name, Drain(), "drains")


@agent.command(epilog="\b\nExample:\n  jobplan agent undrain north")
@click.argument("name", metavar="AGENT")
@with_settings
def undrain(settings: Settings, name: str) -> None:
    """Let an agent start runs again."""
    _ask(settings, name, Drain(draining=False), "drains no more")


_PRETENDING: Final = {"on": "pretends", "off": "pretends no more", "default": "goes by its settings"}


@agent.command(
    "dry-run", epilog="\b\nExample:\n  jobplan agent dry-run north on --job north-Load --return-code 3 --seconds 10"
)
@click.argument("name", metavar="AGENT")
@click.argument("switch", metavar="on|off|default", type=click.Choice(["on", "off", "default"]))
@click.option("--job", default="", help="One command or file job, by identifier (AGENT-NAME).")
@click.option("--seconds", default=0.0, metavar="SECONDS", help="How long each run pretends to take.")
@click.option("--return-code", type=int, metavar="CODE", help="What each run pretends to return.")
@click.option("--errors", default=0, metavar="PERCENT", help="How many of a hundred pretend to fail.")
@click.option(
    "--file", "files", multiple=True, metavar="FILE", help="For a file job: fire with this now; repeat for more."
)
@with_settings
def dry_run(  # noqa: PLR0913 - one a word of the command line
    settings: Settings,
    name: str,
    switch: str,
    *,
    job: str,
    seconds: float,
    return_code: int | None,
    errors: int,
    files: tuple[str, ...],
) -> None:
    """Let an agent pretend to run commands, all or those of a job; "default" is what its settings say."""
    asked = SetDryRun(
        on={"on": True, "off": False}.get(switch),
        job=job,
        seconds=seconds,
        return_code=return_code,
        error_percentage=errors,
        files=files,
    )
    _ask(settings, name, asked, _PRETENDING[switch] + (f" for {job}" if job else ""))


@agent.command(
    epilog="\b\nExample:\n  jobplan agent watch north Daily Arrival\n  jobplan agent watch north Daily Arrival --off"
)
@click.argument("name", metavar="AGENT")
@click.argument("instance")
@click.argument("job")
@click.option("--off", is_flag=True, help="Stop it instead.")
@with_settings
def watch(settings: Settings, name: str, instance: str, job: str, *, off: bool) -> None:
    """Start a clock or file job of an instance by hand, as MANUAL ones have to be."""

    async def asked(client: Client) -> SwitchWatch:
        one = await following(client, instance)
        copy = the_copies(job, client.picture.jobs(one.instance))[0]
        return SwitchWatch(instance=one.instance, job=copy.job, on=not off)

    _ask(settings, name, asked, f"{'watches no more' if off else 'watches'} {job}")
