"""Watches and informers: every change once, in order, from any revision."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.core.kernel.http import Request
from simulator.core.kube.client import ApiError, Informer, InformerState
from tests.core.kube.apiserver.cluster import ControlPlane


def body(name: str, value: int, **labels: str) -> dict[str, Any]:
    return {"metadata": {"name": name, "labels": labels}, "data": {"v": str(value)}}


def test_a_selector_turns_changes_into_additions_and_deletions(plane: ControlPlane) -> None:
    client = plane.client()
    start = client.list("configmaps").resource_version
    watch = client.watch("configmaps", "default", resource_version=start, label_selector="on=yes")
    client.create("configmaps", "default", body("a", 1))
    client.patch("configmaps", "default", "a", {"metadata": {"labels": {"on": "yes"}}})
    client.patch("configmaps", "default", "a", {"data": {"v": "2"}})
    client.patch("configmaps", "default", "a", {"metadata": {"labels": {"on": "no"}}})
    client.delete("configmaps", "default", "a")
    assert [event.type for event in watch.poll()] == ["ADDED", "MODIFIED", "DELETED"]
    assert watch.poll() == []


def test_compaction_ends_old_watches_only(plane: ControlPlane) -> None:
    client = plane.client()
    start = client.list("configmaps").resource_version
    open_watch = client.watch("configmaps", resource_version=start, bookmarks=True)
    client.create("configmaps", "default", body("a", 1))
    plane.settle(11 * 60)
    client.create("configmaps", "default", body("b", 1))
    assert [e.object["metadata"]["name"] for e in open_watch.poll() if e.type == "ADDED"] == ["a", "b"]
    events = client.watch("configmaps", resource_version="2").poll()
    assert events[0].type == "ERROR"
    assert events[0].object["code"] == 410
    assert events[0].object["reason"] == "Expired"


def test_initial_events_end_with_a_bookmark(plane: ControlPlane) -> None:
    query = {"watch": ["1"], "sendInitialEvents": ["true"], "allowWatchBookmarks": ["true"]}
    query["resourceVersionMatch"] = ["NotOlderThan"]
    events = plane.client().call("GET", "/api/v1/namespaces", query).poll()
    assert [e["type"] for e in events] == ["ADDED"] * 4 + ["BOOKMARK"]
    assert events[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


def test_an_informer_survives_a_restore(plane: ControlPlane) -> None:
    client = plane.client()
    state = InformerState("configmaps", "default")
    informer = Informer(client, state, "test")
    client.create("configmaps", "default", body("a", 1))
    assert [e.type for e in informer.sync()] == ["ADDED"]
    client.create("configmaps", "default", body("b", 1))
    plane.world.warm.clear()
    again = Informer(client, state, "test")
    assert [(e.type, e.object["metadata"]["name"]) for e in again.sync()] == [("ADDED", "b")]
    assert [o["metadata"]["name"] for o in again.list()] == ["a", "b"]


STEPS = st.lists(st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from("abcd"), st.integers(0, 3)), max_size=25)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, data=st.data())
def test_a_watch_from_any_revision_equals_the_difference_of_lists(steps: list[tuple[str, str, int]], data: st.DataObject) -> None:
    plane = ControlPlane()
    client = plane.client()
    snapshots: list[tuple[str, dict[str, str]]] = []

    def look() -> None:
        found = client.list("configmaps", "default")
        snapshots.append((found.resource_version, {o["metadata"]["name"]: o["data"]["v"] for o in found.items}))

    look()
    for kind, name, value in steps:
        try:
            if kind == "delete":
                client.delete("configmaps", "default", name)
            elif name in snapshots[-1][1]:
                client.patch("configmaps", "default", name, {"data": {"v": str(value)}}, kind="merge")
            else:
                client.create("configmaps", "default", body(name, value))
        except ApiError as error:
            assert error.code == 404  # noqa: PT017 - a deletion of what is not there
        look()
    version, held = data.draw(st.sampled_from(snapshots))
    replay = dict(held)
    seen = int(version)
    for event in client.watch("configmaps", "default", resource_version=version).poll():
        meta = event.object["metadata"]
        assert int(meta["resourceVersion"]) > seen
        seen = int(meta["resourceVersion"])
        if event.type == "DELETED":
            del replay[meta["name"]]
        else:
            assert (event.type == "ADDED") == (meta["name"] not in replay)
            replay[meta["name"]] = event.object["data"]["v"]
    assert replay == snapshots[-1][1]


def test_an_expired_continue_token_brings_another(plane: ControlPlane) -> None:
    """The rest can be had as it is now; ill-matched options are refused with the real words."""
    client = plane.client()

    def page(**query: str) -> Any:
        wanted = Request(method="GET", path="/api/v1/namespaces/default/configmaps", query={k: [v] for k, v in query.items()})
        return client.request(wanted).obj

    for name in ("a", "b", "c"):
        client.create("configmaps", "default", body(name, 1))
    first = page(limit="1")
    token = first["metadata"]["continue"]
    assert first["metadata"]["remainingItemCount"] == len(page()["items"]) - 1
    plane.settle(11 * 60)
    gone = page(limit="1", **{"continue": token})
    assert (gone["code"], gone["reason"]) == (410, "Expired")
    assert gone["message"].startswith("The provided continue parameter is too old to display a consistent list result. You can")
    client.create("configmaps", "default", body("d", 1))
    rest = page(**{"continue": gone["metadata"]["continue"]})
    assert [item["metadata"]["name"] for item in [*first["items"], *rest["items"]]][:4] == ["a", "b", "c", "d"]
    assert page(resourceVersion="5", **{"continue": token})["message"] == (
        "specifying resource version is not allowed when using continue"
    )
    assert 'resourceVersionMatch "exact" is forbidden' in page(resourceVersion="0", resourceVersionMatch="Exact")["message"]
