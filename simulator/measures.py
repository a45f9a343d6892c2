"""What this process counts and times, for Prometheus (`/metrics`; docs/operations.md lists every name).

Web and worker processes of one machine write to files in `PROMETHEUS_MULTIPROC_DIR`, and whoever is asked adds them up.  Without
`prometheus_client` nothing is counted and everything else works.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import Any

try:
    from prometheus_client import Counter, Gauge, Histogram
except ImportError:  # optional
    Counter = Gauge = Histogram = None  # type: ignore[assignment,misc]

#: Seconds: from a frame's millisecond to a learner's patience.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class _Nothing:
    """Stands in for every metric where there is no library."""

    def labels(self, *_args: Any, **_labels: Any) -> _Nothing:
        return self

    def inc(self, _amount: float = 1) -> None: ...
    def dec(self, _amount: float = 1) -> None: ...
    def set(self, _value: float) -> None: ...
    def observe(self, _value: float) -> None: ...


def _counter(name: str, text: str, *labels: str) -> Any:
    return Counter(name, text, labels) if Counter is not None else _Nothing()


def _gauge(name: str, text: str, *labels: str) -> Any:
    return Gauge(name, text, labels, multiprocess_mode="livesum") if Gauge is not None else _Nothing()


def _timer(name: str, text: str, *labels: str) -> Any:
    return Histogram(name, text, labels, buckets=BUCKETS) if Histogram is not None else _Nothing()


requests = _timer("slipway_http_request_seconds", "Time to answer an HTTP request.", "method", "status")
sockets = _gauge("slipway_sockets", "WebSockets that are open.")
inputs = _counter("slipway_inputs_total", "Inputs by what became of them: a kind that was written, or why not.", "result")
command = _timer("slipway_command_seconds", "From an input's frame to the doorbell after which it has taken effect.")
tasks = _timer("slipway_task_seconds", "Time of a worker's task.", "task")
worlds = _gauge("slipway_worlds_warm", "Clusters in workers' memory.")
loads = _timer("slipway_world_load_seconds", "Time to rebuild a cluster from its rows.")
lost = _counter("slipway_results_lost_total", "Results thrown away because another worker was first.")
set_aside = _counter("slipway_inputs_set_aside_total", "Inputs that were set aside, by why.", "why")
frozen = _counter("slipway_clusters_frozen_total", "Clusters that were frozen, by why.", "why")


@contextlib.contextmanager
def timed(metric: Any) -> Iterator[None]:
    """Time a block."""
    began = time.perf_counter()
    try:
        yield
    finally:
        metric.observe(time.perf_counter() - began)
