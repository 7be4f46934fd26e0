"""Metrics of the server, its worker and its database, for Prometheus."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.responses import Response

from leanbe_emitter.delivery.worker.metrics import Histogram, Metrics
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.schemas.json_schema import string

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: Prefix of all names of metrics.
PREFIX: Final = "leanbe_emitter_"
#: Descriptions of the metrics, from the library's docstring.
_MEANINGS: Final = dict(re.findall(r"^ +(\w+): (.*)$", Metrics.__doc__ or "", re.MULTILINE))


def add_routes(app: Starlette, leanbe: Leanbe) -> None:
    """Add the operation for metrics."""
    # A registry of its own: Prometheus' default one is shared by all servers of a process.
    registry = CollectorRegistry()
    registry.register(_Collector(leanbe))

    @Routes(app, leanbe, "Server").add(
        "GET",
        "/metrics",
        returns=string("leanbe_emitter_due 0.0\n", "Metrics, one per line."),
        errors=READING,
        prefix="",
        media_type=MEDIA_TYPE,
    )
    def metrics() -> Response:
        """Show counters, histograms and gauges in Prometheus' text format.

        They describe this server and its worker. The numbers of deliveries that are due or in
        flight describe the whole database.
        """
        return Response(generate_latest(registry), headers={"Content-Type": MEDIA_TYPE})


class _Collector(Collector):
    """Reads the library's metrics at each scrape."""

    def __init__(self, leanbe: Leanbe) -> None:
        self._leanbe = leanbe

    def describe(self) -> Iterator[Metric]:
        """Describe nothing: else the registry would read the database when it is built."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the present value of each metric."""
        for name, value in vars(self._leanbe.metrics()).items():
            if value is not None:
                yield _family(name, value)


def _family(name: str, value: float | Histogram | Mapping[str, int]) -> Metric:
    about = (PREFIX + name, _MEANINGS.get(name, name))
    match value:
        case Histogram():
            bounds = [*map(str, value.bounds), "+Inf"]
            buckets = list(zip(bounds, map(float, value.counts), strict=True))
            return HistogramMetricFamily(*about, buckets=buckets, sum_value=value.sum)
        case Mapping():
            counter = CounterMetricFamily(*about, labels=["outcome"])
            for outcome, count in value.items():
                counter.add_metric([outcome], count)
            return counter
        case _ if name.endswith("_total"):
            return CounterMetricFamily(*about, value=value)
        case _:
            return GaugeMetricFamily(*about, value=value)
