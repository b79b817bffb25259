"""Runs the checks of a broker one after the other, tells each finding as it comes, and clears up after them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from msgspec import Struct

from broker.bus import Bus, Publication
from broker.conformance import checks
from broker.conformance.bench import Bench, HangUp, Limits, Restart
from broker.conformance.findings import Finding, NotConformError, Remark, Verdict
from broker.errors import BusError, RefusedError

OnFinding = Callable[[Finding], None]
_LIMIT = 120.0
"""Seconds after which a check has failed."""


class UnderTest(Struct, frozen=True, kw_only=True):
    """A broker, and what is known of it."""

    bus: Bus
    prefix: str
    hang_up: HangUp
    other: Bus | None = None
    """Of a second user, who may not do what the first one may."""
    restart: Restart | None = None


async def check_broker(
    broker: UnderTest, token: str, *, limits: Limits | None = None, on_finding: OnFinding = lambda _finding: None
) -> list[Finding]:
    """Everything we assume, tried out below ``{prefix}/_check/{token}``.

    Raises BusError if the broker is not there at all, RefusedError if it does not let us publish there.
    """
    bench = Bench(broker.bus, f"{broker.prefix}/_check/{token}", broker.hang_up, limits or Limits())
    async with bench.session("a") as session:
        try:
            await session.publish([Publication(bench.topic("allowed"), b"")])
        except RefusedError as error:
            raise RefusedError(f"{error}: try it as a user who may; 'jobplan broker init' lets 'dashboard'") from error
    findings: list[Finding] = []
    try:
        for name, check in _checks(broker):
            if isinstance(check, str):
                finding = Finding(check=name, verdict=Verdict.SKIPPED, detail=check)
            else:
                finding = await _tried(name, check, bench)
            findings.append(finding)
            on_finding(finding)
    finally:
        with contextlib.suppress(BusError):  # a broker that is gone has been told of
            await bench.clear()
    return findings


def _checks(broker: UnderTest) -> Iterator[tuple[str, Callable[[Bench], Awaitable[Remark]] | str]]:
    """Each check with its name; a text instead says why it is left out."""
    yield "retained topics", checks.retains
    yield "clearing", checks.clears
    yield "complete replays", checks.replays_all
    yield "subscribing", checks.misses_nothing
    yield "acknowledgments", checks.acknowledges
    yield "order", checks.keeps_order
    yield "will", checks.reads_out_wills
    yield "goodbye", checks.spares_wills
    yield "takeover", checks.hands_over
    yield "sizes", checks.carries_sizes
    yield "odd names", checks.carries_names
    yield "counters", checks.counts_what_it_drops
    yield "access rules", partial(checks.keeps_apart, other=broker.other) if broker.other else "no second user is given"
    yield (
        "restart",
        partial(checks.survives_restart, restart=broker.restart) if broker.restart else "no way to restart it is given",
    )


async def _tried(name: str, check: Callable[[Bench], Awaitable[Remark]], bench: Bench) -> Finding:
    try:
        async with asyncio.timeout(_LIMIT):
            remark = await check(bench)
    except NotConformError as error:
        return Finding(check=name, verdict=Verdict.BAD, detail=error.detail, advice=error.advice)
    except BusError as error:
        return Finding(check=name, verdict=Verdict.BAD, detail=str(error))
    except TimeoutError:
        return Finding(check=name, verdict=Verdict.BAD, detail=f"not done after {_LIMIT:g} s")
    return Finding(check=name, verdict=Verdict.NOTE if remark.note else Verdict.GOOD, detail=remark.text)
