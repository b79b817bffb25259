"""Answers to who asks a node over HTTP how it is: metrics, health, readiness. The only user of aiohttp outside the page."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct

from broker.metrics.node import NodeMetrics
from broker.metrics.registry import Registry

HOST: Final = "127.0.0.1"
_MOST_PORT: Final = 65_535
_SHORTLY: Final = 1.0


class MetricsError(ValueError):
    """The address cannot be listened on; the message is one line that says what to write instead."""


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer of ``/healthz`` and ``/readyz``."""

    status: str
    reason: str = ""


def parse(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``[HOST]:PORT``, ``:PORT`` or ``PORT``; without a host: loopback. Raises MetricsError."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= _MOST_PORT):
        raise MetricsError(f"metrics: '{text}': HOST:PORT is wanted, such as {HOST}:9464")
    return host.removeprefix("[").removesuffix("]") or HOST, int(port)


@contextlib.asynccontextmanager
async def answering(address: str, metrics: NodeMetrics, registry: Registry) -> AsyncIterator[str]:
    """Answer at ``/metrics``, ``/healthz`` and ``/readyz`` until the block ends; the URL. Raises MetricsError."""
    host, port = parse(address)

    async def show(request: web.Request) -> web.Response:
        body, content_type = registry.text(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def healthy(_request: web.Request) -> web.Response:
        return _answer(Health(status="ok"), 200)  # the loop turns: it has answered

    async def ready(_request: web.Request) -> web.Response:
        reason = metrics.ready()
        return _answer(Health(status="not ready", reason=reason), 503) if reason else _answer(Health(status="ok"), 200)

    app = web.Application()
    app.add_routes([web.get("/metrics", show), web.get("/healthz", healthy), web.get("/readyz", ready)])
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_SHORTLY)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise MetricsError(f"metrics: {host}:{port} cannot be listened on: {error.strerror}") from error
        found = runner.addresses[0]
        yield f"http://{f'[{found[0]}]' if ':' in found[0] else found[0]}:{found[1]}"
    finally:
        await runner.cleanup()


def _answer(health: Health, status: int) -> web.Response:
    return web.Response(body=msgspec.json.encode(health), status=status, content_type="application/json")
