"""Where a broker is and how to log in: ``mqtt[s]://[user[:password]@]host[:port][,host[:port]...][/prefix]``.

Several hosts are one broker of several servers: who loses one of them goes to the next. Text only, nothing connects.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct
from msgspec.structs import replace

from broker.errors import BrokerUrlError, TopicError
from broker.topics import DEFAULT_PREFIX, check_prefix

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FORM = "mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]...][/PREFIX]"
_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<user>[^/?#@:]*)(?::(?P<password>[^/?#@]*))?@)?"
    r"(?P<hosts>[^/?#@]*)"
    r"(?:/(?P<prefix>[^?#]*))?"
)
_HOST = re.compile(
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%25[^\]/@]+)?)\]|(?P<host>[^\[\]:,]*))"
    r"(?::(?P<port>[^:]*))?"
)


class BrokerUrl(Struct, frozen=True, kw_only=True):
    """A parsed address. ``str`` and ``repr`` give it back without the password; ``full`` gives all of it."""

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = ""
    prefix: str = DEFAULT_PREFIX
    """Under which topic all of ours stand."""
    others: tuple[tuple[str, int], ...] = ()
    """Host and port of the broker's further servers, in the order in which they are tried."""

    @property
    def servers(self) -> tuple[tuple[str, int], ...]:
        """Host and port of each server, the first one first."""
        return ((self.host, self.port), *self.others)

    def server(self, number: int) -> BrokerUrl:
        """The address with one of its servers alone: the first is 0, and after the last comes the first again."""
        host, port = self.servers[number % len(self.servers)]
        return replace(self, host=host, port=port, others=())

    def __str__(self) -> str:
        return self._spelt(quote(self.user, safe=""))

    def __repr__(self) -> str:
        return f"BrokerUrl({str(self)!r})"

    def full(self) -> str:
        """The address with its password: for a program's environment, never for a log."""
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        return self._spelt(quote(self.user, safe="") + secret)

    def _spelt(self, login: str) -> str:
        servers = ",".join(f"{_spelt_host(host)}:{port}" for host, port in self.servers)
        prefix = "" if self.prefix == DEFAULT_PREFIX else "/" + quote(self.prefix, safe="/")
        return f"{'mqtts' if self.tls else 'mqtt'}://{login}{'@' if login else ''}{servers}{prefix}"


def _spelt_host(host: str) -> str:
    return "[" + host.replace("%", "%25") + "]" if ":" in host else quote(host, safe="")


def parse_url(text: str) -> BrokerUrl:
    """Parse a broker's address; raises BrokerUrlError."""
    if any(character.isspace() or not character.isprintable() for character in text):
        raise BrokerUrlError(f"a broker's address has no spaces or control characters; it is {_FORM}")
    match = _PARTS.fullmatch(text)
    if match is None:
        raise BrokerUrlError(f"not a broker's address; it is {_FORM}, with %XX for special characters in a password")
    scheme = match["scheme"].lower()
    if scheme not in _PORTS:
        raise BrokerUrlError(f"'{scheme}' is not a way to reach a broker; it is {_FORM}")
    (host, port), *others = [_server(part, _PORTS[scheme]) for part in match["hosts"].split(",")]
    user, password = _decoded(match["user"] or "", "user"), _decoded(match["password"] or "", "password")
    if password and not user:
        raise BrokerUrlError("the broker's address has a password but no user")
    return BrokerUrl(
        host=host,
        port=port,
        tls=scheme == "mqtts",
        user=user,
        password=password,
        prefix=_prefix(match["prefix"] or ""),
        others=tuple(others),
    )


def _server(text: str, default: int) -> tuple[str, int]:
    """Host and port of one server."""
    match = _HOST.fullmatch(text)
    if match is None:
        raise BrokerUrlError(f"not a broker's address; it is {_FORM}, with %XX for special characters in a password")
    host = _decoded(match["six"] or match["host"] or "", "host")
    if not host:
        raise BrokerUrlError(f"the broker's address names no host; it is {_FORM}")
    return host, _port(match["port"], default)


def _port(text: str | None, default: int) -> int:
    """The port; no text means the scheme's default."""
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):  # noqa: PLR2004  # TCP's own
        raise BrokerUrlError("the port in the broker's address is not a number from 1 to 65535")
    return int(text)


def _prefix(text: str) -> str:
    """The topic prefix; nothing, or just slashes, means the default one."""
    prefix = _decoded(text.strip("/"), "prefix")
    if not prefix:
        return DEFAULT_PREFIX
    try:
        check_prefix(prefix)
    except TopicError as error:
        raise BrokerUrlError(f"in the broker's address: {error}") from error
    return prefix


def _decoded(text: str, part: str) -> str:
    """Undo percent-encoding."""
    if re.search("%(?![0-9A-Fa-f]{2})", text):
        raise BrokerUrlError(f"the {part} in the broker's address has a '%' that starts no %XX; write it as %25")
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise BrokerUrlError(f"the {part} in the broker's address is not percent-encoded UTF-8") from None
    if not decoded.isprintable():
        raise BrokerUrlError(f"the {part} in the broker's address has control characters")
    return decoded
