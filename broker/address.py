"""Where a broker is and how to log in: ``mqtt[s]://[user[:password]@]host[:port][/prefix]``. Text only, nothing connects."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from msgspec import Struct

from broker.errors import BrokerUrlError, TopicError
from broker.topics import DEFAULT_PREFIX, check_prefix

_PORTS = {"mqtt": 1883, "mqtts": 8883}
_FORM = "mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT][/PREFIX]"
_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://"
    r"(?:(?P<user>[^/?#@:]*)(?::(?P<password>[^/?#@]*))?@)?"
    r"(?:\[(?P<six>[0-9A-Fa-f:.]+(?:%25[^\]/@]+)?)\]|(?P<host>[^\[\]/?#@:]*))"
    r"(?::(?P<port>[^/?#@:]*))?"
    r"(?:/(?P<prefix>[^?#]*))?"
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

    def __str__(self) -> str:
        return self._spelt(quote(self.user, safe=""))

    def __repr__(self) -> str:
        return f"BrokerUrl({str(self)!r})"

    def full(self) -> str:
        """The address with its password: for a program's environment, never for a log."""
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        return self._spelt(quote(self.user, safe="") + secret)

    def _spelt(self, login: str) -> str:
        host = "[" + self.host.replace("%", "%25") + "]" if ":" in self.host else quote(self.host, safe="")
        prefix = "" if self.prefix == DEFAULT_PREFIX else "/" + quote(self.prefix, safe="/")
        return f"{'mqtts' if self.tls else 'mqtt'}://{login}{'@' if login else ''}{host}:{self.port}{prefix}"


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
    host = _decoded(match["six"] or match["host"] or "", "host")
    if not host:
        raise BrokerUrlError(f"the broker's address names no host; it is {_FORM}")
    user, password = _decoded(match["user"] or "", "user"), _decoded(match["password"] or "", "password")
    if password and not user:
        raise BrokerUrlError("the broker's address has a password but no user")
    return BrokerUrl(
        host=host,
        port=_port(match["port"], _PORTS[scheme]),
        tls=scheme == "mqtts",
        user=user,
        password=password,
        prefix=_prefix(match["prefix"] or ""),
    )


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
