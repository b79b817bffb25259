"""What the dashboard's core may ask of the world, besides saving and showing, and what comes back of it."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from broker.runtime.core import Reply
from schemas.asked import Instant
from schemas.names import InstanceId, RequestId, UserName
from schemas.notifications import Mail, Notification
from schemas.queries import ReadAudit


class LookUpAudit(Struct, frozen=True):
    """Answer a request with rows of the audit trail, which the store has and the core has not."""

    user: UserName
    request: RequestId
    query: ReadAudit


class Deliver(Struct, frozen=True):
    """Tell people, on one channel; how it went comes back as `Delivered`. It may be asked for again after a while."""

    notification: Notification
    channel: str
    mail: Mail = Mail()


class Delivered(Struct, frozen=True):
    """Event: how the delivery of a notification went on one channel. Without an error it has arrived as far as we can see."""

    now: datetime
    notification: str
    channel: str
    error: str = ""
    hopeless: bool = False
    """Trying again would not help."""


class ForgetAudit(Struct, frozen=True):
    """Remove rows of the audit trail that are older than the settings keep them, but for those that are needed."""

    before: Instant
    instances: tuple[InstanceId, ...]
    """All that are kept: their rows stay."""
    kinds: tuple[str, ...] = ("tick", "user")
    """What became of starts, and who may do what, is kept for good."""


Effect = Reply | LookUpAudit | Deliver | ForgetAudit
