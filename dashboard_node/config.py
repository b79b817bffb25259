"""What a dashboard node is told from outside."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from broker.address import BrokerUrl

DAY = 86_400.0


class ConfigError(ValueError):
    """A setting that cannot be; the message is one line that says what to write instead."""


class DashboardConfig(Struct, frozen=True, kw_only=True):
    """Settings of a dashboard node."""

    broker: BrokerUrl
    data: Path
    """Folder of its database; made when it is not there."""
    retention_seconds: float = DAY
    """How long an ended instance stays on the bus and in the store."""
    ca_file: Path | None = None
    """Certificates (PEM) to trust besides the system's, for ``mqtts``."""

    def validated(self) -> DashboardConfig:
        """These settings, if they can be. Raises ConfigError."""
        if not 0 <= self.retention_seconds <= 10 * 366 * DAY:
            raise ConfigError("retention: a number of seconds from 0 to ten years is wanted")
        return self
