"""What a dashboard node is told from outside."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from broker.access import AccessError, check_person
from broker.address import BrokerUrl
from dashboard_node.channels import Channels
from schemas.names import UserName
from schemas.tables import SettingError

DAY = 86_400.0


class DashboardTable(Struct, frozen=True, kw_only=True, rename="kebab"):
    """The settings of ``[dashboard]`` in a TOML file."""

    retention: float = DAY
    """Seconds."""
    audit_days: float = 0.0
    admins: tuple[str, ...] = ()
    metrics: str = ""


class DashboardConfig(Struct, frozen=True, kw_only=True):
    """Settings of a dashboard node."""

    broker: BrokerUrl
    data: Path
    """Folder of its database; made when it is not there."""
    retention_seconds: float = DAY
    """How long an ended instance stays on the bus and in the store."""
    audit_days: float = 0.0
    """How many days rows of the audit trail are kept; 0: for good."""
    admins: tuple[UserName, ...] = ()
    """People who are admins whatever was granted: how the first one comes to be. Named as the broker knows them."""
    channels: Channels = Channels()
    """How people are told of what went wrong."""
    metrics: str = ""
    """HOST:PORT at which metrics and health are told; empty: nowhere."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust besides the system's, for ``mqtts``."""

    def validated(self) -> DashboardConfig:
        """These settings, if they can be. Raises SettingError."""
        if not 0 <= self.retention_seconds <= 10 * 366 * DAY:
            raise SettingError("[dashboard] retention: a number of seconds from 0 to ten years is wanted")
        if not 0 <= self.audit_days <= 100 * 366:
            raise SettingError(
                "[dashboard] audit-days: a number of days from 0 (for good) to a hundred years is wanted"
            )
        for name in self.admins:
            try:
                check_person(name)
            except AccessError as error:
                raise SettingError(f"[dashboard] admins: {error}") from error
        return self
