"""The brokers on which the suites of the bus run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker_under_test import KINDS, OPEN, TELLING, BrokerUnderTest, Kind, broker_under_test

NATS_DIFFERS = {
    "test_takeover_ends_the_former_connection": "no will on a takeover: nobody needs it, the new connection outranks it",
    "test_orderly_stop_publishes_wills": "no wills when it stops: who does not come back is doubted (broker/runtime/doubt.py)",
}
"""Where NATS is not as mosquitto and the model are, and why that does no harm."""


@pytest.fixture(params=KINDS)
def broker_kind(request: pytest.FixtureRequest) -> Kind:
    """Each test runs on all of them."""
    kind: Kind = request.param
    if kind == "nats" and not os.environ.get("NATS"):
        pytest.skip("'make nats' runs the suite of the bus on NATS, by itself")
    reason = NATS_DIFFERS.get(request.node.originalname) if kind == "nats" else None
    if reason is not None:
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    return kind


@pytest.fixture(params=TELLING)
def telling_broker_kind(request: pytest.FixtureRequest) -> Kind:
    """For tests of what the broker says when it denies something; with MQTT 3.1.1 it does not."""
    kind: Kind = request.param
    return kind


@pytest.fixture
def broker(broker_kind: Kind, tmp_path: Path) -> Iterator[BrokerUnderTest]:
    """A broker for this test alone that lets anybody do anything."""
    with broker_under_test(broker_kind, tmp_path / "broker", OPEN) as broker:
        yield broker
