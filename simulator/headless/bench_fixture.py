"""What a test with the pytest fixture costs: a fresh cluster, and create, watch, patch and delete with the official Python client.

Client and server share this process, as they do in a test.  Without the client (`pip install kubernetes`) there is no figure.
"""

from __future__ import annotations

import importlib
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from simulator.testing.cluster import Cluster, Server

RUNS = 15


def work(cluster: Cluster, library: Any) -> int:
    """Create, watch, patch and delete a ConfigMap; how many events the watch told of."""
    client, config, watch = library.client, library.config, library.watch
    api = client.CoreV1Api(config.new_client_from_config(str(cluster.kubeconfig)))
    begun = api.list_namespaced_config_map("default").metadata.resource_version
    api.create_namespaced_config_map("default", {"metadata": {"name": "settings"}, "data": {"a": "1"}})
    api.patch_namespaced_config_map("settings", "default", {"data": {"a": "2"}})
    api.delete_namespaced_config_map("settings", "default")
    told = 0
    watcher = watch.Watch()
    for event in watcher.stream(api.list_namespaced_config_map, "default", resource_version=begun, timeout_seconds=5):
        told += 1
        if event["type"] == "DELETED":
            watcher.stop()
    return told


def measure() -> dict[str, float]:
    """Median seconds of a fresh cluster, and of a whole test with one."""
    try:
        library = importlib.import_module("kubernetes")
        for name in ("client", "config", "watch"):
            importlib.import_module(f"kubernetes.{name}")
    except ImportError:
        return {}
    fresh, whole = [], []
    with tempfile.TemporaryDirectory() as name:
        server = Server(Path(name))
        try:
            for run in range(RUNS + 1):
                began = time.perf_counter()
                cluster = server.fresh()
                made = time.perf_counter()
                if work(cluster, library) != 3:
                    raise RuntimeError("the watch did not tell of three events")
                if run:  # the first one fills the caches
                    fresh.append(made - began)
                    whole.append(time.perf_counter() - began)
        finally:
            server.close()
    return {"fixture_cluster_s": statistics.median(fresh), "fixture_test_s": statistics.median(whole)}


#: A test of an operator with a cluster of its own.
TARGETS = {"fixture_test_s": 0.1}
