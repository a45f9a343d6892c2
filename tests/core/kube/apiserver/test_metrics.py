"""Metrics: counted from the first look on, and kept in snapshots."""

from __future__ import annotations

from simulator.core.sandbox import Sandbox

POD_LISTS = (
    'apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="namespace",subresource="",'
    'verb="LIST",version="v1"}'
)


def test_requests_are_counted_from_the_first_look_on() -> None:
    """A restored world goes on counting where it was."""
    sandbox = Sandbox.boot("bare")
    first = sandbox.run("kubectl get --raw /metrics").stdout
    assert POD_LISTS not in first
    assert 'apiserver_storage_objects{resource="nodes"} 1\n' in first
    for _ in range(3):
        sandbox.run("kubectl get pods")
    assert f"{POD_LISTS} 3\n" in sandbox.run("kubectl get --raw /metrics").stdout
    again = Sandbox.restore(sandbox.snapshot())
    again.run("kubectl get pods")
    found = again.run("kubectl get --raw /metrics").stdout
    assert f"{POD_LISTS} 4\n" in found
    assert 'apiserver_request_duration_seconds_bucket{component="apiserver",dry_run="",group="",le="+Inf"' in found
    assert all(line.startswith("#") or " " in line for line in found.splitlines())
