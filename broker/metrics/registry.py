"""The metrics of one node as Prometheus has them; the only importer of prometheus_client.

Counters and histograms are moved as things happen; gauges are asked for when somebody looks. It knows no node's state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from broker.metrics.table import BUCKETS, Fact, Kind, of_role
from broker.topic_table import Role

Look = Callable[[], Iterable[Fact]]
"""What the gauges are now; called on the node's loop."""


class Registry(Collector):
    """Named metrics of one kind of node."""

    def __init__(self, role: Role, look: Look) -> None:
        """``look``: also of counters that somebody else counts."""
        self._metrics = {metric.name: metric for metric in of_role(role)}
        self._look = look
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._histograms: dict[str, Histogram] = {}
        self._registry.register(self)

    def count(self, name: str, by: float = 1.0, *labels: str) -> None:
        """Count up."""
        if name not in self._counters:
            metric = self._metrics[name]
            self._counters[name] = Counter(name, metric.means, metric.labels, registry=self._registry)
        counter = self._counters[name]
        (counter.labels(*labels) if labels else counter).inc(by)

    def observe(self, name: str, seconds: float, *labels: str) -> None:
        """Something took so long."""
        if name not in self._histograms:
            metric = self._metrics[name]
            self._histograms[name] = Histogram(
                name, metric.means, metric.labels, buckets=BUCKETS, registry=self._registry
            )
        histogram = self._histograms[name]
        (histogram.labels(*labels) if labels else histogram).observe(max(0.0, seconds))

    def text(self, accept: str) -> tuple[bytes, str]:
        """All of it in the format that is asked for, and its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        """Prometheus asks for the gauges."""
        found: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for fact in self._look():
            metric = self._metrics[fact.name]
            if fact.name not in found:
                family = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
                found[fact.name] = family(fact.name, metric.means, labels=metric.labels)
            found[fact.name].add_metric(list(fact.labels), fact.value)
        yield from found.values()

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: the state may not be there yet."""
        return ()
