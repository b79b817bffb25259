"""A port to listen on that nobody else has: the one rule by which the broker, the demo and the tests choose. Starts nothing."""

from __future__ import annotations

import errno
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

PORTS: Final = range(15_000, 32_000)
"""Below those that systems give to outgoing connections: none takes a port between the choice and its use."""
_TRIES: Final = 100


def free_port(host: str = "127.0.0.1", *, ports: Sequence[int] = PORTS) -> int:
    """One of the ports, drawn by lot, that nobody listens on at the address. Raises OSError when none is found."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in secrets.SystemRandom().sample(ports, min(_TRIES, len(ports))):
        with socket.socket(family) as probe, suppress(OSError):
            probe.bind((host, port))
            return port
    raise OSError(errno.EADDRINUSE, f"no free port found on {host}")
