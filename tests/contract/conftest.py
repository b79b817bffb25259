"""The brokers on which the suites of the bus run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.broker_under_test import KINDS, OPEN, TELLING, BrokerUnderTest, Kind, broker_under_test


@pytest.fixture(params=KINDS)
def broker_kind(request: pytest.FixtureRequest) -> Kind:
    """Each test runs on both."""
    kind: Kind = request.param
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
