"""What the server has done, and what its database owes, as Prometheus reads it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from leanbe_emitter.delivery.worker.metrics import Histogram, Metrics
from leanbe_emitter.library import Leanbe
from leanbe_emitter.server.http.routing import READING, Routes
from leanbe_emitter.server.schemas.json_schema import text

MEDIA_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: What the names of all metrics begin with.
PREFIX: Final = "leanbe_emitter_"
#: What each is, as the library says it.
_MEANINGS: Final = dict(re.findall(r"^ +(\w+): (.*)$", Metrics.__doc__ or "", re.MULTILINE))


def add_to(app: FastAPI, leanbe: Leanbe) -> None:
    """Add the operation that tells of metrics."""
    # One of its own: what other servers of a process have done is not this one's.
    registry = CollectorRegistry()
    registry.register(_Collector(leanbe))

    @Routes(app, leanbe, "Server").add(
        "GET",
        "/metrics",
        gives=text("leanbe_emitter_due 0.0\n", "Metrics, a line each."),
        refuses=READING,
        prefix="",
        media_type=MEDIA_TYPE,
    )
    def metrics() -> Response:
        """Show counters, histograms and gauges in Prometheus' text format.

        They are of this server and the worker inside it; what is due or in flight, of the database.
        """
        return Response(generate_latest(registry), headers={"Content-Type": MEDIA_TYPE})


class _Collector(Collector):
    """Reads the library's metrics whenever they are asked for."""

    def __init__(self, leanbe: Leanbe) -> None:
        self._leanbe = leanbe

    def describe(self) -> Iterator[Metric]:
        """Name none: the registry is not to ask the database while it is made."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield all that there is to say at present."""
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
