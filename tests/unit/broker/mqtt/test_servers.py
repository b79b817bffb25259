"""Which server of a broker is next."""

from __future__ import annotations

from broker.mqtt.servers import Servers


def test_one_server_has_nothing_to_prove() -> None:
    """And there is none to go to."""
    alone = Servers(1)

    assert not alone.several
    assert not alone.stands_still()
    assert alone.number == 0


def test_who_meets_an_old_state_tries_each_other_server_once() -> None:
    """Then makes do with the last one, until a list moves again."""
    servers = Servers(3)

    assert [servers.stands_still() for _ in range(4)] == [True, True, False, False]
    assert servers.number == 2
    servers.moves()
    assert servers.stands_still()
    assert servers.number == 3


def test_server_that_lets_nobody_in_is_passed_over() -> None:
    """It proves nothing either way."""
    servers = Servers(2)
    servers.refused()

    assert servers.number == 1
    assert servers.stands_still()
