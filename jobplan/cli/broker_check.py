"""``jobplan broker check``: whether a broker is one that jobplan can stand on, as a table."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from jobplan.cli.options import Verb, with_settings
from jobplan.cli.output import put_json, put_table, say
from jobplan.errors import BadInputError, BrokerError
from jobplan.settings import Settings

if TYPE_CHECKING:
    from broker.address import BrokerUrl
    from broker.conformance.bench import Restart
    from broker.conformance.findings import Finding
    from broker.conformance.run import OnFinding, UnderTest

_COLOURS = {"good": "green", "note": "yellow", "bad": "red", "skipped": "dim"}
_TOPICS = click.IntRange(1, 1_000_000)


@click.command(
    cls=Verb,
    epilog="\b\nExample:\n  jobplan broker check mqtt://127.0.0.1:1883"
    "\n  jobplan broker check mqtts://dashboard:...@broker.example --user2 mqtts://bob:...@broker.example",
)
@click.argument("url", required=False)
@click.option("--user2", metavar="URL", help="The same broker, for a user who may do less: are access rules in force?")
@click.option("--restart", "command", metavar="COMMAND", help="A shell command that restarts it: is all still there?")
@click.option("--topics", type=_TOPICS, default=10_000, show_default=True, metavar="N", help="So many in one replay.")
@with_settings
def check(settings: Settings, url: str | None, user2: str | None, command: str | None, topics: int) -> None:
    """Try out on the broker at URL (or --broker) everything that jobplan assumes of one.

    It works below PREFIX/_check and clears up after itself; on a deployment of 'jobplan broker init' only the dashboard's user
    may do that. Exit 0: jobplan can stand on this broker; 1: it cannot, and what to change is said.
    """
    from broker.conformance.findings import Verdict, conforms
    from jobplan.client.wire import broker_at

    def tell(finding: Finding) -> None:
        if not settings.json:
            say(f"{finding.check}: {finding.verdict.value}")

    where = broker_at(url or settings.broker)
    under_test = _under_test(settings, where, user2, _restarting(command))
    findings = asyncio.run(_checked(under_test, topics, tell))
    good = conforms(findings)
    if settings.json:
        put_json({"broker": str(where), "conforms": good, "findings": findings})
    else:
        rows = [
            (one.check, f"[{_COLOURS[one.verdict.value]}]{one.verdict.value}[/]", _escaped(one.detail))
            for one in findings
        ]
        put_table(("CHECK", "RESULT", "WHAT WAS SEEN"), rows, empty="nothing was checked")
        for one in findings:
            if one.verdict is Verdict.BAD:
                say(f"{one.check}: {one.detail}" + (f"; set {one.advice}" if one.advice else ""))
    if not good:
        raise SystemExit(1)


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _restarting(command: str | None) -> Restart | None:
    if command is None:
        return None

    async def restart() -> None:
        process = await asyncio.create_subprocess_shell(command)
        if await process.wait() != 0:
            raise BadInputError(f"--restart: '{command}' ended with {process.returncode}")

    return restart


def _under_test(settings: Settings, where: BrokerUrl, user2: str | None, restart: Restart | None) -> UnderTest:
    from broker.conformance.run import UnderTest
    from broker.errors import BusError
    from broker.mqtt.bus import MqttBus, hang_up
    from jobplan.client.wire import broker_at

    try:
        return UnderTest(
            bus=MqttBus(where, ca_file=settings.ca_file),
            prefix=where.prefix,
            hang_up=hang_up,
            other=None if user2 is None else MqttBus(broker_at(user2), ca_file=settings.ca_file),
            restart=restart,
        )
    except BusError as error:
        raise BadInputError(str(error)) from error


async def _checked(under_test: UnderTest, topics: int, tell: OnFinding) -> list[Finding]:
    import secrets

    from broker.conformance.bench import Limits
    from broker.conformance.run import check_broker
    from broker.errors import BusError

    try:
        return await check_broker(under_test, secrets.token_hex(6), limits=Limits(many=topics), on_finding=tell)
    except BusError as error:
        raise BrokerError(str(error)) from error
