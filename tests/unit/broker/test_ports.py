"""Choosing a port to listen on."""

from __future__ import annotations

import socket

import pytest

from broker.ports import PORTS, free_port


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_port_that_is_listened_on_is_not_chosen(host: str, family: socket.AddressFamily) -> None:
    """Of several, another one; of that one alone, none."""
    taken = free_port(host)
    with socket.create_server((host, taken), family=family):
        others = {free_port(host, ports=range(taken - 1, taken + 2)) for _ in range(20)}
        with pytest.raises(OSError, match="no free port"):
            free_port(host, ports=[taken])

    assert taken in PORTS
    assert others <= {taken - 1, taken + 1}
