"""One lock on its own."""

from __future__ import annotations

from dashboard_node.core.locks import Lock


def test_what_plans_say_of_a_lock() -> None:
    """The smallest capacity counts, and whoever wants it alone has it alone; without anybody it lets one in."""
    assert Lock().capacity == 1
    assert not Lock().exclusive
    assert Lock(terms={(3, False): 1, (2, True): 1}).capacity == 2
    assert Lock(terms={(3, False): 1, (2, True): 1}).exclusive
    assert not Lock(terms={(3, False): 2}).exclusive
