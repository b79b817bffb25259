"""Settings of the channels on which people are told: ``[notifications]`` of the configuration, and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from dashboard_node.core.routing import USUAL, Rules
from schemas.notifications import Monitor
from schemas.shapes import Place
from schemas.tables import Table


class Tls(StrEnum):
    """How a connection to the mail server is kept private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MailServer(Struct, frozen=True, kw_only=True, rename="kebab"):
    """``[notifications.mail]``. Without a host no mail is sent."""

    host: str = ""
    port: int = 0
    """0: what is usual for ``tls``: 587, 465, 25."""
    tls: Tls = Tls.STARTTLS
    ca_file: str = ""
    """Certificates (PEM) to trust in place of the system's."""
    user: str = ""
    password_file: str = ""
    """A file that holds the password, and nothing else. Read anew for each mail."""
    sender: str = ""
    to: tuple[str, ...] = ()
    """Who is told of plans that have no notifications of their own, and of the installation."""

    def password(self) -> str | None:
        """What the file says now. Raises OSError, UnicodeDecodeError."""
        return Path(self.password_file).read_text(encoding="utf-8").strip() if self.password_file else None

    @property
    def real_port(self) -> int:
        """The port that counts."""
        return self.port or {Tls.STARTTLS: 587, Tls.TLS: 465, Tls.NONE: 25}[self.tls]


class Webhook(Struct, frozen=True, kw_only=True, rename="kebab"):
    """``[notifications.webhooks.NAME]``."""

    url: str
    secret_file: str = ""
    """A file that holds the key of the signature; without it nothing is signed."""
    monitors: tuple[Monitor, ...] = ()
    """Only these; empty: whatever anybody is told of."""


def secret(hook: Webhook) -> bytes:
    """The key of a webhook as its file says now; empty: it is not signed. Raises OSError."""
    return Path(hook.secret_file).read_bytes().strip() if hook.secret_file else b""


class Channels(Struct, frozen=True, kw_only=True, rename="kebab"):
    """``[notifications]``."""

    monitors: tuple[Monitor, ...] = tuple(sorted(USUAL))
    mail: MailServer = MailServer()
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    overdue_tolerance_minutes: float = 0.0
    agent_gone_seconds: float = 60.0
    page: str = ""
    """Address of the page, for links."""

    def rules(self) -> Rules:
        """What the core has to know of them."""
        return Rules(
            monitors=frozenset(self.monitors),
            webhooks={name: frozenset(hook.monitors) for name, hook in self.webhooks.items()},
            mail=bool(self.mail.host),
            to=self.mail.to,
            overdue_tolerance=timedelta(minutes=self.overdue_tolerance_minutes),
            agent_gone_after=timedelta(seconds=self.agent_gone_seconds),
            page=self.page,
        )


_MAIL_VARIABLES = {
    "host": "JOBPLAN_MAIL_HOST",
    "port": "JOBPLAN_MAIL_PORT",
    "tls": "JOBPLAN_MAIL_TLS",
    "ca-file": "JOBPLAN_MAIL_CA_FILE",
    "user": "JOBPLAN_MAIL_USER",
    "password-file": "JOBPLAN_MAIL_PASSWORD_FILE",
    "sender": "JOBPLAN_MAIL_SENDER",
    "to": "JOBPLAN_MAIL_TO",
}


def load_channels(table: Table, environment: Mapping[str, str], folder: Path) -> Channels:
    """The settings of a table of the configuration file, outranked by variables. Files are meant from ``folder``.

    Raises SettingError.
    """
    given = dict(table.values)
    mail = given.get("mail", {})
    from_variables: dict[str, object] = {
        key: environment[name] for key, name in _MAIL_VARIABLES.items() if environment.get(name)
    }
    if isinstance(mail, dict) and from_variables:
        if "to" in from_variables:
            from_variables["to"] = [part.strip() for part in environment[_MAIL_VARIABLES["to"]].split(",")]
        given["mail"] = {**mail, **from_variables}
    if url := environment.get("JOBPLAN_WEBHOOK_URL"):
        hook = {"url": url, "secret-file": environment.get("JOBPLAN_WEBHOOK_SECRET_FILE", "")}
        hooks = given.get("webhooks", {})
        given["webhooks"] = {**(hooks if isinstance(hooks, dict) else {}), "environment": hook}
    outranked: dict[Place, str] = {("mail", key): _MAIL_VARIABLES[key] for key in from_variables}
    outranked["webhooks", "environment"] = "JOBPLAN_WEBHOOK_URL"
    whole = replace(table, values=given, outranked=outranked)
    return _checked(_placed(whole.read(Channels), folder), whole)


def _placed(found: Channels, folder: Path) -> Channels:
    def place(file: str) -> str:
        return str(folder / file) if file else ""

    mail = replace(found.mail, password_file=place(found.mail.password_file), ca_file=place(found.mail.ca_file))
    hooks = {name: replace(hook, secret_file=place(hook.secret_file)) for name, hook in found.webhooks.items()}
    return replace(found, mail=mail, webhooks=hooks)


def _checked(found: Channels, given: Table) -> Channels:
    mail = found.mail
    wrong: list[tuple[bool, Place, str]] = [
        (bool(mail.host) and "@" not in mail.sender, ("mail", "sender"), "the address that mails come from is wanted"),
        (
            bool(mail.user) != bool(mail.password_file),
            ("mail", "user"),
            "it goes together with password-file; give both or none",
        ),
        (
            bool(mail.user) and mail.tls is Tls.NONE,
            ("mail", "tls"),
            "a password is not sent in the open; write starttls or tls",
        ),
        (not 0 <= mail.port < 1 << 16, ("mail", "port"), "1 to 65535 is wanted"),
        (found.overdue_tolerance_minutes < 0, ("overdue-tolerance-minutes",), "0 or more is wanted"),
        (found.agent_gone_seconds < 0, ("agent-gone-seconds",), "0 or more is wanted"),
        _no_file(("mail", "password-file"), mail.password_file),
        _no_file(("mail", "ca-file"), mail.ca_file),
    ]
    for name, hook in found.webhooks.items():
        nowhere = not hook.url.startswith(("https://", "http://"))
        wrong.append((nowhere, ("webhooks", name, "url"), "https://... is wanted"))
        wrong.append(_no_file(("webhooks", name, "secret-file"), hook.secret_file))
    for is_wrong, place, message in wrong:
        if is_wrong:
            raise given.wrong(place, message)
    return found


def _no_file(place: Place, file: str) -> tuple[bool, Place, str]:
    return bool(file) and not Path(file).is_file(), place, f"{file}: there is no such file"
