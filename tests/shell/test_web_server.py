"""The page's server: what it sends, whom it refuses, and that its tunnel changes no byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import pytest
from aiohttp import ClientSession, TCPConnector, WSMsgType, WSServerHandshakeError
from msgspec.structs import replace

from broker.address import BrokerUrl, parse_url
from broker.certificates import make_certificates
from jobplan.clock import now
from jobplan.errors import BadInputError, JobplanError
from jobplan.web.options import listening, web_settings
from jobplan.web.server import WebSettings, is_same_origin, running_page
from schemas.tables import Table

HOST = "127.0.0.1"
NOWHERE = BrokerUrl(host=HOST, port=1)


@pytest.fixture
def settings(tmp_path: Path) -> WebSettings:
    """A small page, about a broker that is not there."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>page</title>" + "<p>again</p>" * 50)
    (tmp_path / "assets" / "page-1a2b.js").write_text("let a = 1;")
    (tmp_path / "secret.key").write_text("not a file of a page")
    return WebSettings(broker=NOWHERE, port=0, folder=tmp_path)


@asynccontextmanager
async def an_echo(word: bytes = b"", *, identity: ssl.SSLContext | None = None) -> AsyncIterator[BrokerUrl]:
    """A broker that says what it is told, after a word of its own, and ends the connection when it is told to."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (data := await reader.read(65_536)) and data != b"end":
            writer.write(word + data)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0, ssl=identity)
    async with server:
        yield BrokerUrl(host=HOST, port=server.sockets[0].getsockname()[1])


async def test_files_have_the_headers_that_keep_a_page_safe(settings: WebSettings) -> None:
    """Types, a policy without anything inline, and caching by content; what is no page's file is not sent."""
    async with running_page(settings) as address, ClientSession(address) as browser:
        page = await browser.get("/")
        script = await browser.get("/assets/page-1a2b.js")
        again = await browser.get("/", headers={"If-None-Match": page.headers["ETag"]})
        missing = [(await browser.get(path)).status for path in ("/secret.key", "/../files.py", "/assets/")]

    assert (page.status, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["Cache-Control"] == "no-cache"
    assert page.headers["Content-Encoding"] == "gzip"
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert (script.headers["Content-Type"], again.status) == ("text/javascript; charset=utf-8", 304)
    assert "immutable" in script.headers["Cache-Control"]
    assert missing == [404, 404, 404]


async def test_the_page_learns_the_prefix_and_no_password(settings: WebSettings) -> None:
    """What the address of the broker holds besides stays here."""
    broker = parse_url("mqtt://dashboard:hidden@127.0.0.1:1/plant/two")
    async with running_page(replace(settings, broker=broker)) as address, ClientSession(address) as browser:
        facts = await (await browser.get("/settings.json")).text()

    assert facts == '{"prefix":"plant/two","tunnel":"/mqtt","servers":1}'


async def test_a_brokers_own_listener_stands_in_for_the_tunnel(settings: WebSettings) -> None:
    """The page is told its address, may connect there and nowhere else, and there is no tunnel."""
    own = "wss://broker.example:8884/mqtt"
    async with running_page(replace(settings, websockets=own)) as address, ClientSession(address) as browser:
        facts = await (await browser.get("/settings.json")).json()
        page = await browser.get("/")
        tunnel = await browser.get("/mqtt")

    assert facts["tunnel"] == own
    assert f"connect-src 'self' {own};" in page.headers["Content-Security-Policy"]
    assert tunnel.status == HTTPStatus.NOT_FOUND


async def test_the_tunnel_changes_no_byte(settings: WebSettings) -> None:
    """A megabyte goes through and comes back; the broker's end is the browser's end."""
    sent = bytes(range(256)) * 4096
    async with (
        an_echo() as broker,
        running_page(replace(settings, broker=broker)) as address,
        ClientSession(address) as browser,
        browser.ws_connect("/mqtt", protocols=("mqtt",), origin=address[:-1]) as socket,
    ):
        await socket.send_bytes(sent)
        back = b""
        while len(back) < len(sent):
            back += await socket.receive_bytes()
        await socket.send_bytes(b"end")
        closed = await socket.receive()

    assert socket.protocol == "mqtt"
    assert back == sent
    assert (closed.type, closed.data) == (WSMsgType.CLOSE, 1001)


@pytest.mark.parametrize(("asked", "reached"), [
    ("", 0), ("?server=0", 0), ("?server=1", 1), ("?server=-1", 0), ("?server=x", 0), ("?server=99999999999", 0),
])  # fmt: skip
async def test_a_browser_chooses_among_the_brokers_servers(settings: WebSettings, asked: str, reached: int) -> None:
    """By number, after the last comes the first again."""
    async with an_echo(b"first ") as first, an_echo(b"second ") as second:
        broker = replace(first, others=second.servers)
        async with (
            running_page(replace(settings, broker=broker)) as address,
            ClientSession(address) as browser,
            browser.ws_connect(f"/mqtt{asked}", protocols=("mqtt",), origin=address[:-1]) as socket,
        ):
            await socket.send_bytes(b"me")
            said = await socket.receive_bytes()

    assert said == (b"first me", b"second me")[reached]


@pytest.mark.parametrize(
    ("origin", "protocols", "status"),
    [("http://example.org", ("mqtt",), 403), (None, ("mqtt",), 403), ("own", ("chat",), 400), ("own", (), 400)],
)
async def test_who_is_not_the_page_gets_no_tunnel(
    settings: WebSettings, origin: str | None, protocols: tuple[str, ...], status: int
) -> None:
    """Another page's script, and what does not speak MQTT."""
    async with running_page(settings) as address, ClientSession(address) as browser:
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect("/mqtt", protocols=protocols, origin=address[:-1] if origin == "own" else origin)

    assert refused.value.status == status


async def test_there_are_only_so_many_tunnels(settings: WebSettings) -> None:
    """One more than allowed is told to come back; a place that was left is free again."""
    async with (
        an_echo() as broker,
        running_page(replace(settings, broker=broker, connections=1)) as address,
        ClientSession(address) as browser,
    ):
        first = await browser.ws_connect("/mqtt", protocols=("mqtt",), origin=address[:-1])
        with pytest.raises(WSServerHandshakeError) as refused:
            await browser.ws_connect("/mqtt", protocols=("mqtt",), origin=address[:-1])
        await first.send_bytes(b"end")
        await first.receive()
        second = await browser.ws_connect("/mqtt", protocols=("mqtt",), origin=address[:-1])
        await second.close()

    assert refused.value.status == 503


@pytest.mark.parametrize("told", ["text", "too much", "no broker"])
async def test_what_ends_a_tunnel(settings: WebSettings, told: str) -> None:
    """Text, a frame beyond all measure, and a broker that is not there."""
    async with an_echo() as broker:
        here = replace(settings, broker=NOWHERE if told == "no broker" else broker)
        async with running_page(here) as address, ClientSession(address) as browser:
            socket = await browser.ws_connect("/mqtt", protocols=("mqtt",), origin=address[:-1])
            if told == "text":
                await socket.send_str("hello")
            elif told == "too much":
                with suppress(ConnectionError):  # it is not even read to its end
                    await socket.send_bytes(b"\0" * 5_000_000)
            closed = await socket.receive()

    if told == "too much":
        assert closed.type is not WSMsgType.BINARY
    else:
        assert (closed.type, closed.data) == (WSMsgType.CLOSE, {"text": 1001, "no broker": 1013}[told])


async def test_the_end_of_the_server_is_told_to_those_who_are_connected(settings: WebSettings) -> None:
    """Nobody has to find out by silence."""
    async with an_echo() as broker, ClientSession() as browser, asyncio.TaskGroup() as group:
        async with running_page(replace(settings, broker=broker)) as address:
            socket = await browser.ws_connect(f"{address}mqtt", protocols=("mqtt",), origin=address[:-1])
            ending = group.create_task(socket.receive(), name="receive")
        closed = await ending

    assert (closed.type, closed.data) == (WSMsgType.CLOSE, 1001)


async def test_a_page_that_was_never_built_is_said_in_a_line(settings: WebSettings, tmp_path: Path) -> None:
    """And so is an address that is taken."""
    with pytest.raises(JobplanError, match="make web"):
        async with running_page(replace(settings, folder=tmp_path / "nothing")):
            pass
    async with running_page(settings) as address:
        taken = replace(settings, port=int(address.rstrip("/").rpartition(":")[2]))
        with pytest.raises(BadInputError, match="--listen"):
            async with running_page(taken):
                pass


def test_origins() -> None:
    """The same name and port as the one the browser asked for."""
    assert is_same_origin("http://127.0.0.1:8480", "127.0.0.1:8480")
    assert is_same_origin("https://Plans.example", "plans.example")
    assert not is_same_origin("http://127.0.0.1:8481", "127.0.0.1:8480")
    assert not is_same_origin("null", "127.0.0.1:8480")


def test_options() -> None:
    """Where to listen, in each way to say it; what cannot be meant is refused."""
    assert listening("0.0.0.0:443") == ("0.0.0.0", 443)  # noqa: S104  # text, nothing listens
    assert listening("[::1]:8480") == ("::1", 8480)
    assert listening("9000") == ("127.0.0.1", 9000)
    assert web_settings(NOWHERE, None, {"connections": 3, "listen": ":81"}, a_table()).connections == 3


def a_table(**values: object) -> Table:
    """[web] of a file."""
    return Table(name="web", values=values, file="jobplan.toml")


@pytest.mark.parametrize(
    ("values", "options", "said"),
    [
        ({"listen": "here"}, {}, "jobplan.toml: [web] listen: 'here': HOST:PORT is wanted, such as 127.0.0.1:8480"),
        ({}, {"listen": "here"}, "--listen: 'here': HOST:PORT is wanted, such as 127.0.0.1:8480"),
        ({"key": "page.key"}, {}, "jobplan.toml: [web] key: there is no certificate; give both, or neither"),
        ({"connections": 0}, {}, "jobplan.toml: [web] connections: 1 or more is wanted"),
        ({"connections": "many"}, {}, "jobplan.toml: [web] connections: 'many' where a whole number belongs"),
        ({"listne": "x"}, {}, "jobplan.toml: [web] listne: unknown key; did you mean 'listen'?"),
        ({"websockets": "http://h/"}, {}, "jobplan.toml: [web] websockets: 'http://h/': ws://HOST:PORT/PATH"),
        ({}, {"websockets": "ws://u:p@h/"}, "--websockets: 'ws://u:p@h/': ws://HOST:PORT/PATH"),
    ],
)
def test_an_option_or_setting_that_cannot_be(values: dict[str, object], options: dict[str, object], said: str) -> None:
    """It is said where it stands, what is wrong, and what to write."""
    with pytest.raises(BadInputError) as error:
        web_settings(NOWHERE, None, options, a_table(**values))

    assert str(error.value).startswith(said)


async def test_https_before_and_tls_behind(settings: WebSettings) -> None:
    """A browser that trusts the page's certificate gets through to a broker whose certificate the page trusts."""
    made = make_certificates([HOST], now())
    files = {name: settings.folder / f"{name}.pem" for name in ("authority", "certificate", "key")}
    for name, text in (("authority", made.authority), ("certificate", made.server), ("key", made.server_key)):
        files[name].write_text(text)
    identity = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    identity.load_cert_chain(files["certificate"], files["key"])
    trust = ssl.create_default_context(cafile=files["authority"])

    async with an_echo(identity=identity) as broker:
        secured = replace(
            settings,
            broker=replace(broker, tls=True),
            ca_file=files["authority"],
            certificate=files["certificate"],
            key=files["key"],
        )
        async with (
            running_page(secured) as address,
            ClientSession(address, connector=TCPConnector(ssl=trust)) as browser,
        ):
            socket = await browser.ws_connect("/mqtt", protocols=("mqtt",), origin=address[:-1])
            await socket.send_bytes(b"through")
            back = await socket.receive_bytes()
            await socket.close()

    assert address.startswith("https://")
    assert back == b"through"
