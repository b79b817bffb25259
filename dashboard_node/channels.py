"""Settings of the channels on which people are told: ``[notifications]`` of the configuration, and the environment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from dashboard_node.core.routing import USUAL, Rules
from schemas.notifications import Monitor


class ChannelError(ValueError):
    """A setting that cannot be; the message is one line that says what to write instead."""


class Tls(StrEnum):
    """How a connection to the mail server is kept private."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class MailServer(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
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


class Webhook(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
    """``[notifications.webhooks.NAME]``."""

    url: str
    secret_file: str = ""
    """A file that holds the key of the signature; without it nothing is signed."""
    monitors: tuple[Monitor, ...] = ()
    """Only these; empty: whatever anybody is told of."""


def secret(hook: Webhook) -> bytes:
    """The key of a webhook as its file says now; empty: it is not signed. Raises OSError."""
    return Path(hook.secret_file).read_bytes().strip() if hook.secret_file else b""


class Channels(Struct, frozen=True, kw_only=True, rename="kebab", forbid_unknown_fields=True):
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


def load_channels(table: Mapping[str, object], environment: Mapping[str, str], folder: Path) -> Channels:
    """The settings of a table of the configuration file, outranked by variables. Files are meant from ``folder``.

    Raises ChannelError.
    """
    given = dict(table)
    mail = given.get("mail", {})
    from_variables = {key: environment[name] for key, name in _MAIL_VARIABLES.items() if environment.get(name)}
    if isinstance(mail, dict) and from_variables:
        to = {"to": [part.strip() for part in from_variables["to"].split(",")]} if "to" in from_variables else {}
        given["mail"] = {**mail, **from_variables, **to}
    if url := environment.get("JOBPLAN_WEBHOOK_URL"):
        hook = {"url": url, "secret-file": environment.get("JOBPLAN_WEBHOOK_SECRET_FILE", "")}
        hooks = given.get("webhooks", {})
        given["webhooks"] = {**(hooks if isinstance(hooks, dict) else {}), "environment": hook}
    try:
        found = msgspec.convert(given, Channels, strict=False)
    except msgspec.ValidationError as error:
        raise ChannelError(f"[notifications]: {error}") from error
    return _checked(_placed(found, folder))


def _placed(found: Channels, folder: Path) -> Channels:
    def place(file: str) -> str:
        return str(folder / file) if file else ""

    mail = replace(found.mail, password_file=place(found.mail.password_file), ca_file=place(found.mail.ca_file))
    hooks = {name: replace(hook, secret_file=place(hook.secret_file)) for name, hook in found.webhooks.items()}
    return replace(found, mail=mail, webhooks=hooks)


def _checked(found: Channels) -> Channels:
    mail = found.mail
    wrong = [
        (bool(mail.host) and "@" not in mail.sender, "mail: sender: the address that mails come from is wanted"),
        (bool(mail.user) != bool(mail.password_file), "mail: user and password-file go together; give both or none"),
        (
            bool(mail.user) and mail.tls is Tls.NONE,
            "mail: tls: a password is not sent in the open; write starttls or tls",
        ),
        (not 0 <= mail.port < 1 << 16, "mail: port: 1 to 65535 is wanted"),
        (found.overdue_tolerance_minutes < 0, "overdue-tolerance-minutes: 0 or more is wanted"),
        (found.agent_gone_seconds < 0, "agent-gone-seconds: 0 or more is wanted"),
    ]
    wrong += [
        (not hook.url.startswith(("https://", "http://")), f"webhooks.{name}: url: https://... is wanted")
        for name, hook in found.webhooks.items()
    ]
    for file in (mail.password_file, mail.ca_file, *(hook.secret_file for hook in found.webhooks.values())):
        wrong.append((bool(file) and not Path(file).is_file(), f"{file}: there is no such file"))
    for is_wrong, message in wrong:
        if is_wrong:
            raise ChannelError(f"[notifications] {message}")
    return found
