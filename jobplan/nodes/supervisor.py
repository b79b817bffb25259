"""Tells the service manager how a node is: systemd's notification protocol, a datagram to the socket it names. Else nothing."""

from __future__ import annotations

import socket
from collections.abc import MutableMapping
from typing import Final

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
_VARIABLE: Final = "NOTIFY_SOCKET"


def take_address(environment: MutableMapping[str, str]) -> str:
    """Where the manager listens; empty: nobody does. It is taken out: what we start has nothing to tell in our name."""
    return environment.pop(_VARIABLE, "")


def tell(address: str, state: str) -> bool:
    """Say a state; whether it could be said. A manager that is gone is no reason to end."""
    if not address.startswith(("/", "@")):
        return False
    target = "\0" + address[1:] if address.startswith("@") else address  # a name without a file
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line:
            line.sendto(state.encode(), target)
    except OSError:
        return False
    return True
