"""``jobplan serve``: run a node in the foreground until SIGTERM or Ctrl-C."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from msgspec.structs import replace

from jobplan.cli.options import Noun, with_settings
from jobplan.client.wire import broker_at
from jobplan.errors import BadInputError
from jobplan.nodes import log_lines, supervisor
from jobplan.nodes.lifeline import end_with
from jobplan.settings import LOG_FORMATS, Settings, environment, read_table
from schemas.names import UserName, escape
from schemas.tables import SettingError

if TYPE_CHECKING:
    from dashboard_node.channels import Channels
    from jobplan.web.server import WebSettings

DATA: Final = Path("jobplan-data")
"""Where nodes keep their folders unless said otherwise: in the working directory."""

_STARTING: Final = 1.0
"""Seconds: bad settings, or a database in use, have ended a node by then."""
DAY: Final = 86_400.0
_LOG_FORMAT_GIVEN: Final = "jobplan.log-format"


@click.group(cls=Noun, epilog="\b\nExample:\n  jobplan serve agent north --broker mqtt://north:secret@broker.example")
def serve() -> None:
    """Run a node in the foreground; SIGTERM or Ctrl-C ends it cleanly.

    Each node keeps a folder of its own in --data DIR (without it: in ./jobplan-data). A broker that is not there yet, or is lost,
    is waited for.
    """


_METRICS = click.option(
    "--metrics",
    metavar="HOST:PORT",
    help="Tell metrics (Prometheus) and health there; without HOST: on this host alone.",
)


def _keep_log_format(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> None:
    ctx.meta[_LOG_FORMAT_GIVEN] = value


_LOG_FORMAT = click.option(
    "--log-format",
    type=click.Choice(LOG_FORMATS, case_sensitive=False),
    expose_value=False,
    callback=_keep_log_format,
    help="How the log is written: a line of text, or of JSON with ids as fields.",
)
_ENDS_WITH = click.option("--ends-with", "parent", type=int, hidden=True, help="End when this process has ended.")


@serve.command(
    epilog="\b\nExample:\n  jobplan serve broker --broker mqtt://127.0.0.1:1883 --data jobplan-data"
    "\n  jobplan serve broker --data /etc/jobplan-broker       # a folder of 'jobplan broker init'"
)
@_LOG_FORMAT
@_ENDS_WITH
@with_settings
def broker(settings: Settings, parent: int | None) -> None:
    """Run mosquitto with the project's settings, on the port that --broker names; restarts find what was retained.

    If --data names a folder made by 'jobplan broker init', what was decided there counts instead.
    """
    from jobplan.nodes.running import serve_broker  # nodes load slowly

    _run(settings, parent, lambda: serve_broker(broker_at(settings.broker), _data(settings)))


@serve.command(epilog="\b\nExample:\n  jobplan serve dashboard --broker mqtt://127.0.0.1 --retention 3600")
@click.option(
    "--retention",
    type=click.FloatRange(0),
    metavar="SECONDS",
    help="How long ended instances stay to be seen.  [default: 86400]",
)
@click.option(
    "--audit-days",
    type=click.FloatRange(0),
    metavar="N",
    help="How long the audit trail is kept.  [default: 0, for good]",
)
@click.option("--admin", "admins", multiple=True, metavar="USER", help="Who is an admin in any case; may be repeated.")
@_METRICS
@_LOG_FORMAT
@click.option("--web", "page", is_flag=True, help="Serve the page as well, as 'jobplan serve web' would.")
@click.option("--listen", metavar="HOST:PORT", help="Where the page is served.  [default: 127.0.0.1:8480]")
@_ENDS_WITH
@with_settings
def dashboard(  # noqa: PLR0913  # one for each option
    settings: Settings,
    retention: float | None,
    audit_days: float | None,
    admins: tuple[str, ...],
    metrics: str | None,
    parent: int | None,
    *,
    listen: str | None,
    page: bool,
) -> None:
    """Run the dashboard: it starts instances when their windows open, and decides what runs when.

    Until an admin is named, everybody whom the broker lets in may do everything but grant; then what admins grant counts.
    """
    from dashboard_node.config import DashboardConfig, DashboardTable
    from jobplan.nodes.running import serve_dashboard, serve_dashboard_with_page  # nodes load slowly

    table = read_table(settings.table("dashboard"), DashboardTable)
    config = DashboardConfig(
        broker=broker_at(settings.broker),
        data=dashboard_data(settings),
        retention_seconds=retention if retention is not None else table.retention,
        audit_days=audit_days if audit_days is not None else table.audit_days,
        admins=tuple(UserName(name) for name in admins or table.admins),
        channels=_channels(settings),
        metrics=_metrics(metrics, table.metrics),
        ca_file=settings.ca_file,
    )
    if listen is not None and not page:
        raise BadInputError("--listen without --web: it says where the page is served; give both, or neither")
    if page:
        shown = _page(settings, {"listen": listen})
        _run(settings, parent, lambda: serve_dashboard_with_page(config, shown))
    else:
        _run(settings, parent, lambda: serve_dashboard(config))


@serve.command(
    epilog="\b\nExample:\n  jobplan serve agent north --broker mqtt://broker.example --data /var/lib/jobplan"
)
@click.argument("name")
@_METRICS
@_LOG_FORMAT
@_ENDS_WITH
@with_settings
def agent(settings: Settings, name: str, metrics: str | None, parent: int | None) -> None:
    """Run the agent called NAME: it watches files and clocks and runs commands on this host.

    Commands outlive it: started again, it finds them, and what became of them.
    """
    from jobplan.nodes.running import serve_agent  # nodes load slowly

    folder = _data(settings) / f"agent-{escape(name)}"
    trusted = {} if settings.ca_file is None else {"ca-file": str(settings.ca_file)}
    given = settings.table("agent")
    table = replace(given, values=trusted | dict(given.values))
    _run(settings, parent, lambda: serve_agent(name, settings.broker, folder, table, _metrics(metrics)))


@serve.command(
    epilog="\b\nExample:\n  jobplan serve web --broker mqtts://broker.example"
    "\n  jobplan serve web --listen 0.0.0.0:443 --certificate page.pem --key page.key"
)
@click.option("--listen", metavar="HOST:PORT", help="Where the page is served.  [default: 127.0.0.1:8480]")
@click.option("--certificate", metavar="FILE", help="Serve by https: certificate (PEM), with what signed it.")
@click.option("--key", metavar="FILE", help="The certificate's key (PEM), if it is in a file of its own.")
@click.option("--connections", type=click.IntRange(1), metavar="N", help="Most browsers at once.  [default: 200]")
@_LOG_FORMAT
@click.option("--websockets", metavar="URL", help="The broker's own websockets listener, in place of our tunnel.")
@_ENDS_WITH
@with_settings
def web(  # noqa: PLR0913  # one for each option
    settings: Settings,
    parent: int | None,
    listen: str | None,
    certificate: str | None,
    key: str | None,
    connections: int | None,
    *,
    websockets: str | None,
) -> None:
    """Serve the page: people watch and act in a browser, logged in to the broker with their own name and password.

    The page is static files and a tunnel from the browser to the broker that --broker names; whoever it lets in, the page does.
    """
    from jobplan.nodes.running import serve_web

    options = {"listen": listen, "certificate": certificate, "key": key, "connections": connections}
    found = _page(settings, options | {"websockets": websockets})
    _run(settings, parent, lambda: serve_web(found))


def _page(settings: Settings, options: Mapping[str, object]) -> WebSettings:
    """How the page is served: by the options, else by [web] of the settings' file."""
    from jobplan.web.options import web_settings

    return web_settings(broker_at(settings.broker), settings.ca_file, options, settings.table("web"))


def _data(settings: Settings) -> Path:
    return (settings.data or DATA).absolute()


def _channels(settings: Settings) -> Channels:
    """How people are told; files are meant from where the configuration file is. Raises BadInputError."""
    from dashboard_node.channels import load_channels

    folder = settings.file.absolute().parent if settings.file is not None else Path.cwd()
    try:
        return load_channels(settings.table("notifications"), environment(), folder)
    except SettingError as error:
        raise BadInputError(str(error)) from error


def _metrics(option: str | None, in_file: str = "") -> str:
    """Where metrics are told: option, variable, file; empty: nowhere."""
    return option or os.environ.get("JOBPLAN_METRICS") or in_file


def _run(settings: Settings, parent: int | None, node: Callable[[], Coroutine[None, None, int]]) -> None:
    """Run a node, and leave with its exit code."""
    if parent is not None:
        end_with(parent)
    form = click.get_current_context().meta.get(_LOG_FORMAT_GIVEN) or settings.log_format
    log_lines.begin(settings.log_level, as_json=form == "json")
    try:
        code = asyncio.run(_supervised(node, supervisor.take_address(os.environ)))
    except KeyboardInterrupt:
        code = 130
    if code:
        raise SystemExit(code)


async def _supervised(node: Callable[[], Coroutine[None, None, int]], address: str) -> int:
    """Live, and tell a service manager when we are there - through all that keeps a node from starting - and when we stop."""
    ready = asyncio.get_running_loop().call_later(_STARTING, supervisor.tell, address, supervisor.READY)
    try:
        return await node()
    finally:
        ready.cancel()
        supervisor.tell(address, supervisor.STOPPING)


def dashboard_data(settings: Settings) -> Path:
    """The folder of the dashboard that ``serve dashboard`` runs with these settings."""
    return _data(settings) / "dashboard"
