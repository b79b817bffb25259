"""The page's server: static files, what the page has to know of its broker, and the tunnel to that.

One origin for all of it: a page of somebody else's cannot open the tunnel, and this page cannot reach anything else.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec
from aiohttp import WSCloseCode, web
from aiohttp.abc import AbstractAccessLogger
from aiohttp.typedefs import Middleware
from msgspec import Struct

from broker.address import BrokerUrl
from jobplan.errors import BadInputError
from jobplan.web.files import EVERYWHERE, FOLDER, PageFile, policy, read_files
from jobplan.web.tunnel import CONNECTING, close, tunnel

FRAME_BYTES: Final = 4 * 1_048_576
"""Largest frame that a browser may send: a plan to import is the most that anybody has to say at once."""
PING_SECONDS: Final = 30.0
STOP_SECONDS: Final = 3.0
SUBPROTOCOL: Final = "mqtt"
TUNNEL: Final = "/mqtt"
FACTS: Final = "/settings.json"
_DIGITS: Final = 10
"""A server's number has fewer."""

log = logging.getLogger(__name__)


class WebSettings(Struct, frozen=True, kw_only=True):
    """Where the page is served, and which broker it is about."""

    broker: BrokerUrl
    """Its user and password are not used: a browser brings its own."""
    host: str = "127.0.0.1"
    port: int = 8480
    """0: any that is free."""
    ca_file: Path | None = None
    certificate: Path | None = None
    """With ``key``: the page is served by https."""
    key: Path | None = None
    connections: int = 200
    """How many tunnels there may be at once."""
    websockets: str = ""
    """The broker's own websockets listener, to which browsers connect in place of the tunnel; empty: the tunnel."""
    folder: Path = FOLDER


class Page:
    """The answers to a browser."""

    def __init__(self, settings: WebSettings) -> None:
        """Read the files. Raises JobplanError, BadInputError."""
        self._settings = settings
        self._files = read_files(settings.folder)
        self._facts = msgspec.json.encode(
            {
                "prefix": settings.broker.prefix,
                "tunnel": settings.websockets or TUNNEL,
                "servers": len(settings.broker.servers),
            }
        )
        self._headers = EVERYWHERE | {"Content-Security-Policy": policy(settings.websockets)}
        self._trust = _trust(settings)
        self._open: set[web.WebSocketResponse] = set()
        self._taken = 0

    def application(self) -> web.Application:
        """All routes."""
        application = web.Application(middlewares=[_with(self._headers)], client_max_size=1024)
        application.router.add_get(FACTS, self._tell_facts)
        if not self._settings.websockets:
            application.router.add_get(TUNNEL, self._tunnel)
        application.router.add_get("/{path:.*}", self._send_file)
        application.on_shutdown.append(self._say_good_bye)
        return application

    async def _send_file(self, request: web.Request) -> web.Response:
        file = self._files.get(request.path)
        if file is None:
            return web.Response(status=404, text="there is no such page here\n")
        return _sent(request, file)

    async def _tell_facts(self, _: web.Request) -> web.Response:
        return web.Response(body=self._facts, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def _tunnel(self, request: web.Request) -> web.StreamResponse:
        if not is_same_origin(request.headers.get("Origin", ""), request.host):
            log.warning("refused a tunnel to a page of %s", request.headers.get("Origin", "no origin"))
            return web.Response(status=403, text="only the page of this server may connect here\n")
        if SUBPROTOCOL not in _offered(request):
            return web.Response(status=400, text="this is a WebSocket with the subprotocol mqtt\n")
        if self._taken >= self._settings.connections:
            log.warning("refused a tunnel: there are %d already", self._taken)
            return web.Response(status=503, text="too many connections; try again later\n")
        self._taken += 1
        try:
            return await self._join(request)
        finally:
            self._taken -= 1

    async def _join(self, request: web.Request) -> web.StreamResponse:
        browser = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,), max_msg_size=FRAME_BYTES, heartbeat=PING_SECONDS, compress=False
        )
        await browser.prepare(request)
        self._open.add(browser)
        try:
            code, reason = await self._pass_on(browser, request.query.get("server", ""))
        finally:
            self._open.discard(browser)
        log.info("a tunnel ended: %s", reason)
        await browser.close(code=code, message=reason.encode())
        return browser

    async def _pass_on(self, browser: web.WebSocketResponse, wanted: str) -> tuple[WSCloseCode, str]:
        """Join the browser to the broker, to the server it wants, until one of them leaves; how that is said to the browser."""
        broker = self._settings.broker
        try:
            async with asyncio.timeout(CONNECTING):
                number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < _DIGITS else 0
                reader, writer = await _reach(broker, self._trust, number)
        except (OSError, TimeoutError) as error:
            log.warning("no connection to the broker %s: %s", broker, str(error) or "it does not answer")
            return WSCloseCode.TRY_AGAIN_LATER, "the broker cannot be reached"
        try:
            return WSCloseCode.GOING_AWAY, await tunnel(browser, reader, writer)
        finally:
            await close(writer)

    async def _say_good_bye(self, _: web.Application) -> None:
        """Those who are connected need not wait to notice that we end."""
        for browser in tuple(self._open):
            await browser.close(code=WSCloseCode.GOING_AWAY, message=b"the page's server ends")


async def _reach(
    broker: BrokerUrl, trust: ssl.SSLContext | None, number: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the first of the broker's servers, from that number on, that takes one. Raises OSError as the last did."""
    number %= len(broker.servers)
    *first, last = broker.servers[number:] + broker.servers[:number]
    for host, port in first:
        with suppress(OSError):
            return await asyncio.open_connection(host, port, ssl=trust)
    return await asyncio.open_connection(*last, ssl=trust)


def is_same_origin(origin: str, host: str) -> bool:
    """Whether a page of this origin is one of ours, which the browser reached by the name ``host``."""
    parts = urlsplit(origin)
    return parts.scheme in {"http", "https"} and parts.netloc.casefold() == host.casefold()


def _with(headers: Mapping[str, str]) -> Middleware:
    """Every answer has these headers, a refusal as well."""

    @web.middleware
    async def add_headers(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            answer = await handler(request)
        except web.HTTPException as refusal:
            refusal.headers.update(headers)
            raise
        if not answer.prepared:
            answer.headers.update(headers)
        return answer

    return add_headers


def _sent(request: web.Request, file: PageFile) -> web.Response:
    headers = {"Cache-Control": file.cache, "ETag": f'"{file.tag}"', "Vary": "Accept-Encoding"}
    if file.tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    body = file.content
    if file.packed and "gzip" in request.headers.get("Accept-Encoding", ""):
        body, headers["Content-Encoding"] = file.packed, "gzip"
    return web.Response(body=body, headers=headers | {"Content-Type": file.content_type})


def _offered(request: web.Request) -> set[str]:
    return {word.strip() for word in request.headers.get("Sec-WebSocket-Protocol", "").split(",")}


def _trust(settings: WebSettings) -> ssl.SSLContext | None:
    """What the broker's certificate is checked against; None: it has none."""
    if not settings.broker.tls:
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise BadInputError(f"{settings.ca_file}: no certificates to trust: {error.strerror or error}") from error


def _identity(settings: WebSettings) -> ssl.SSLContext | None:
    """By what browsers know us; None: plain http."""
    if settings.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise BadInputError(
            f"{settings.certificate}: no certificate with its key: {error.strerror or error}"
        ) from error
    return context


class _Requests(AbstractAccessLogger):
    """One line a request, for those who want to see all."""

    def log(self, request: web.BaseRequest, response: web.StreamResponse, time: float) -> None:
        """Say what was asked."""
        self.logger.debug("%s %s %d in %.3f s", request.method, request.path, response.status, time)


@asynccontextmanager
async def running_page(settings: WebSettings) -> AsyncIterator[str]:
    """Serve the page; gives its address. Raises JobplanError, BadInputError."""
    identity = _identity(settings)
    runner = web.AppRunner(
        Page(settings).application(), access_log_class=_Requests, access_log=log, shutdown_timeout=STOP_SECONDS
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port, ssl_context=identity)
        try:
            await site.start()
        except OSError as error:
            where = f"{settings.host}:{settings.port}"
            raise BadInputError(f"cannot listen on {where}: {error.strerror}; give --listen another") from error
        host, port = runner.addresses[0][:2]
        shown = f"[{host}]" if ":" in str(host) else host
        yield f"{'https' if identity else 'http'}://{shown}:{port}/"
    finally:
        await runner.cleanup()
