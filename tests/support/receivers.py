"""Where notifications arrive: a mail server and a web server of the test's own, on free ports of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from threading import Event, Thread

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from msgspec import Struct, field

from broker.address import BrokerUrl
from broker.bus import Delivery
from broker.mqtt.bus import MqttBus
from broker.ports import free_port
from tests.support.mosquitto import HOST


class Mailbox:
    """Keeps every mail; refuses addresses of ``nowhere.example``."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address, or not."""
        if address.endswith("@nowhere.example"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's
        """Keep a mail."""
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


def _knows(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: object) -> AuthResult:
    """Whether somebody may send mails."""
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"jobplan", b"pass word")
    return AuthResult(success=right, handled=False)


@contextmanager
def a_mail_server(tls: SSLContext | None = None, *, at_once: bool = False) -> Iterator[tuple[int, Mailbox]]:
    """Its port, and what it gets; with ``tls`` it wants ``jobplan`` with ``pass word``, and STARTTLS, or TLS ``at_once``."""
    box = Mailbox()
    controller = (
        Controller(box, hostname=HOST, port=free_port())
        if tls is None
        else Controller(
            box,
            hostname=HOST,
            port=free_port(),
            ssl_context=tls if at_once else None,
            tls_context=None if at_once else tls,
            require_starttls=not at_once,
            authenticator=_knows,
            auth_required=True,
            auth_require_tls=not at_once,  # it knows of STARTTLS only
        )
    )
    controller.start()
    try:
        yield controller.port, box
    finally:
        controller.stop()


class Post(Struct):
    """One post: headers by lower-case name, and the body."""

    headers: dict[str, str]
    body: bytes


class Hook(Struct):
    """What a web server got, and what it answers."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    """Taken one by one; then 204."""


@contextmanager
def a_web_server() -> Iterator[Hook]:
    """Takes posts."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.posts.append(Post({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(hook.answers.pop(0) if hook.answers else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quietly."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    server.daemon_threads = False
    hook.url = f"http://{HOST}:{server.server_address[1]}/hook"
    thread = Thread(target=server.serve_forever, name="hook", kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def a_listener(url: BrokerUrl, topics: str) -> Iterator[list[Delivery]]:
    """All that comes on some topics of a broker from now on, in a thread of its own."""
    heard: list[Delivery] = []
    listens, over = Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def listen() -> None:
        async with MqttBus(url).connect(client="listener", will=None, on_delivery=heard.append) as session:
            await session.subscribe([topics])
            listens.set()
            await over.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(listen())

    thread = Thread(target=run, name="listener")
    thread.start()
    try:
        assert listens.wait(10.0), "nobody listens"
        yield heard
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
