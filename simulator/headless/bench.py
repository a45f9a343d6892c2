"""`python -m simulator bench`: what a world costs, each figure the median of several runs in this process."""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

from simulator.core.kernel.clock import HOUR, SECOND
from simulator.core.sandbox import Sandbox

from . import bench_api, bench_client, bench_etcd, bench_fixture, bench_loop


def _time(work: Callable[[], Any], runs: int) -> float:
    """Median seconds of `runs` runs."""
    times = []
    for _ in range(runs):
        gc.collect()
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def measure() -> dict[str, float]:
    """All figures: seconds, bytes, ratios."""
    Sandbox.build("three-nodes", 1)  # imports and pure caches
    seeds = iter(range(1000, 2000))
    out: dict[str, float] = {"boot_s": _time(lambda: Sandbox.build("three-nodes", next(seeds)), 5)}
    sandbox = Sandbox.boot("three-nodes", 1)
    image = sandbox.snapshot()
    out["snapshot_s"] = _time(sandbox.snapshot, 15)
    out["restore_s"] = _time(lambda: Sandbox.restore(image), 15)
    out["fork_s"] = _time(sandbox.fork, 15)
    out["at_rest_bytes"] = len(image)
    out["get_pods_s"] = _time(lambda: sandbox.run("kubectl get pods -A"), 30)
    out["echo_s"] = _time(lambda: sandbox.run("echo hello"), 30)
    began = time.perf_counter()
    sandbox.advance(sandbox.now + HOUR)
    out["idle_hour_s"] = time.perf_counter() - began
    out["virtual_seconds_per_second"] = HOUR / SECOND / out["idle_hour_s"]
    gc.collect()
    tracemalloc.start()
    held = []
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        world = Sandbox.restore(image)
        world.run("kubectl get pods -A")
        world.advance(world.now + 60 * SECOND)
        held.append(world)
    gc.collect()
    out["warm_world_bytes"] = (tracemalloc.get_traced_memory()[0] - before) / 5
    tracemalloc.stop()
    out.update(bench_api.measure())
    out.update(bench_etcd.measure())
    out.update(bench_client.measure())
    out.update(bench_fixture.measure())
    return out


TARGETS = {
    **bench_api.TARGETS,
    **bench_client.TARGETS,
    **bench_etcd.TARGETS,
    **bench_fixture.TARGETS,
    **bench_loop.TARGETS,
    "boot_s": 0.5,
    "restore_s": 0.02,
    "at_rest_bytes": 100_000,
    "warm_world_bytes": 5_000_000,
    "idle_hour_s": 2.0,
}


def main(args: argparse.Namespace) -> int:
    """Print the figures and the targets of the plan."""
    figures = bench_loop.measure(args.nodes, args.pods) if args.large else measure()
    if args.json:
        print(json.dumps(figures))
        return 0
    for name, value in figures.items():
        target = TARGETS.get(name)
        floor = {**bench_api.FLOORS, **bench_etcd.FLOORS, **bench_loop.FLOORS}.get(name)
        if name.endswith("times"):
            print(f"{name:28} {value:>14.2f}" + (f"  (target below {target})" if target is not None else ""))
            continue
        shown = f"{value:,.0f}" if name.endswith(("bytes", "second", "ratio")) else f"{value * 1000:,.2f} ms"
        want = (
            ("" if floor is None else f"  (target above {floor:,.0f})")
            if target is None
            else f"  (target below {target * 1000:,.0f} ms)"
            if name.endswith("_s")
            else f"  (target below {target:,.0f})"
        )
        print(f"{name:28} {shown:>14}{want}")
    return 0
