"""What `jobplan serve web` is told, by options and by the table [web] of jobplan.toml, as settings of its server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from broker.address import BrokerUrl
from jobplan.errors import BadInputError
from jobplan.settings import read_table
from jobplan.web.server import WebSettings
from schemas.tables import Table


class WebTable(Struct, frozen=True, kw_only=True, rename="kebab"):
    """The settings of ``[web]`` in a TOML file; each is also an option, which outranks it."""

    listen: str = "127.0.0.1:8480"
    certificate: str = ""
    key: str = ""
    connections: int = 200
    websockets: str = ""


def web_settings(broker: BrokerUrl, ca_file: Path | None, options: Mapping[str, object], table: Table) -> WebSettings:
    """The settings: by the options that were given (not None), else by the table. Raises BadInputError."""
    given = {name: value for name, value in options.items() if value is not None}
    table = replace(table, values={**table.values, **given}, outranked={(name,): f"--{name}" for name in given})
    wishes = read_table(table, WebTable)
    address, away = listening(wishes.listen), websockets(wishes.websockets)
    if address is None:
        raise _wrong(table, "listen", f"{wishes.listen!r}: HOST:PORT is wanted, such as 127.0.0.1:8480")
    if away is None:
        shown = f"{wishes.websockets!r}: ws://HOST:PORT/PATH or wss://... is wanted, without a user"
        raise _wrong(table, "websockets", shown)
    if wishes.key and not wishes.certificate:
        raise _wrong(table, "key", "there is no certificate; give both, or neither")
    if wishes.connections < 1:
        raise _wrong(table, "connections", "1 or more is wanted")
    return WebSettings(
        broker=broker,
        host=address[0],
        port=address[1],
        ca_file=ca_file,
        certificate=Path(wishes.certificate) if wishes.certificate else None,
        key=Path(wishes.key) if wishes.key else None,
        connections=wishes.connections,
        websockets=away,
    )


def _wrong(table: Table, key: str, message: str) -> BadInputError:
    return BadInputError(str(table.wrong((key,), message)))


def websockets(text: str) -> str | None:
    """The address of a broker's own websockets listener; empty: none; None: the text is no such address."""
    if not text:
        return ""
    parts = urlsplit(text)
    plain = text.isascii() and not any(mark in text for mark in " ;,'\"") and "@" not in parts.netloc
    good = parts.scheme in {"ws", "wss"} and parts.hostname and not parts.query and not parts.fragment and plain
    return text if good else None


def listening(text: str) -> tuple[str, int] | None:
    """Host and port of ``HOST:PORT``, ``[HOST]:PORT``, ``:PORT`` or ``PORT``; None: the text is nothing of these."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):  # noqa: PLR2004  # TCP's own
        return None
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)
