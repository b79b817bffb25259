"""What `jobplan serve web` is told, by options and by the table [web] of jobplan.toml, as settings of its server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from broker.address import BrokerUrl
from jobplan.errors import BadInputError
from jobplan.web.server import WebSettings

KNOWN = ("listen", "certificate", "key", "connections", "websockets")


def web_settings(
    broker: BrokerUrl, ca_file: Path | None, wishes: Mapping[str, object], file: Path | None
) -> WebSettings:
    """The settings; ``file`` is where the wishes may come from. Raises BadInputError."""
    unknown = sorted(set(wishes) - set(KNOWN))
    if unknown:
        raise BadInputError(f"{file}: [web] has no '{unknown[0]}'; it has {', '.join(KNOWN)}")
    host, port = listening(str(wishes.get("listen", "127.0.0.1:8480")))
    certificate, key = (Path(str(wishes[name])) if name in wishes else None for name in ("certificate", "key"))
    if key is not None and certificate is None:
        raise BadInputError("--key without --certificate: give both, or neither")
    connections = wishes.get("connections", 200)
    if not isinstance(connections, int) or connections < 1:
        raise BadInputError(f"--connections: a number from 1 is wanted, not {connections!r}")
    return WebSettings(
        broker=broker,
        host=host,
        port=port,
        ca_file=ca_file,
        certificate=certificate,
        key=key,
        connections=connections,
        websockets=websockets(str(wishes.get("websockets", ""))),
    )


def websockets(text: str) -> str:
    """The address of a broker's own websockets listener; empty: none. Raises BadInputError."""
    if not text:
        return ""
    parts = urlsplit(text)
    plain = text.isascii() and not any(mark in text for mark in " ;,'\"") and "@" not in parts.netloc
    if parts.scheme not in {"ws", "wss"} or not parts.hostname or parts.query or parts.fragment or not plain:
        raise BadInputError(f"--websockets {text}: ws://HOST:PORT/PATH or wss://... is wanted, without a user")
    return text


def listening(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``[HOST]:PORT``, ``:PORT`` or ``PORT``. Raises BadInputError."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 65536):  # noqa: PLR2004  # TCP's own
        raise BadInputError(f"--listen {text}: HOST:PORT is wanted, such as 127.0.0.1:8480")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)
