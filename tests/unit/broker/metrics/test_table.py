"""The names of metrics, and the dashboard for Grafana that uses them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from broker.metrics.serving import MetricsError, parse
from broker.metrics.table import TABLE, Kind

ROOT = Path(__file__).resolve().parents[4]
GRAFANA = ROOT / "packaging" / "grafana" / "jobplan.json"


def test_names_are_distinct_and_say_their_unit() -> None:
    """Spans of time are in seconds; what counts up gets its suffix from its kind."""
    names = [metric.name for metric in TABLE]

    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"jobplan_[a-z_]+", name) for name in names)
    assert all(metric.name.endswith("_seconds") for metric in TABLE if metric.kind is Kind.HISTOGRAM)
    assert not any(metric.name.endswith("_total") for metric in TABLE)


def test_grafana_asks_for_metrics_that_there_are() -> None:
    """Each expression of the dashboard names series of the table."""
    dashboard = json.loads(GRAFANA.read_text(encoding="utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"jobplan_[a-z_]+", target["expr"])
    }
    there = {metric.series for metric in TABLE}
    there |= {f"{metric.name}_bucket" for metric in TABLE if metric.kind is Kind.HISTOGRAM}

    assert asked <= there
    assert len(asked) > 20


@pytest.mark.parametrize(("text", "where"), [
    ("9464", ("127.0.0.1", 9464)),
    (":9464", ("127.0.0.1", 9464)),
    ("0.0.0.0:0", ("0.0.0.0", 0)),  # noqa: S104  # what a person may ask for
    ("[::1]:9464", ("::1", 9464)),
])  # fmt: skip
def test_an_address_without_a_host_is_loopback(text: str, where: tuple[str, int]) -> None:
    """Nobody tells the world by mistake."""
    assert parse(text) == where


@pytest.mark.parametrize("text", ["", "here", "here:", "1:99999", "1:-1"])
def test_an_address_that_is_none_is_one_line(text: str) -> None:
    """It says what is wanted."""
    with pytest.raises(MetricsError, match="HOST:PORT is wanted"):
        parse(text)
