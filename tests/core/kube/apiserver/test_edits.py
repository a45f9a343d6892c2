"""Random edits, each through a random way to write, come to what a plain dict comes to."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.core.kernel.http import Request
from simulator.core.kube.api.objects import clone
from simulator.core.kube.client import KubeClient

from .cluster import ControlPlane, deployment

Obj = dict[str, Any]
KEYS, VALUES = st.sampled_from("abcd"), st.sampled_from(["", "1", "two"])
#: (where, name, value; None takes it away).
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["put", "merge", "json", "strategic", "apply"]),
        st.sampled_from(["label", "env", "replicas"]),
        KEYS,
        st.one_of(st.none(), VALUES),
    ),
    min_size=1,
    max_size=8,
)
PATH = "/apis/apps/v1/namespaces/default/deployments/web"
MEDIA = {
    "put": "application/json",
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "apply": "application/apply-patch+yaml",
}


def model(obj: Obj) -> Obj:
    """The part of a deployment that is edited here."""
    container = obj["spec"]["template"]["spec"]["containers"][0]
    return {
        "labels": {k: v for k, v in (obj["metadata"].get("labels") or {}).items() if k != "app"},
        "env": {item["name"]: item.get("value", "") for item in container.get("env") or ()},
        "replicas": obj["spec"]["replicas"],
    }


def expected(held: Obj, what: str, key: str, value: str | None) -> Obj:
    """The reference: what an edit means."""
    if what == "replicas":
        return {**held, "replicas": len(key + (value or ""))}
    name = "labels" if what == "label" else "env"
    rest = {k: v for k, v in held[name].items() if k != key}
    return {**held, name: rest if value is None else {**rest, key: value}}


def body(way: str, live: Obj, want: Obj, what: str, key: str, value: str | None) -> Any:
    """The same edit as each way to write says it."""
    container = live["spec"]["template"]["spec"]["containers"][0]
    env = [{"name": k, **({"value": v} if v else {})} for k, v in want["env"].items()]
    if way == "put":
        obj = clone(live)
        obj["metadata"]["labels"] = {"app": "web", **want["labels"]}
        obj["spec"]["replicas"] = want["replicas"]
        obj["spec"]["template"]["spec"]["containers"][0]["env"] = env
        return obj
    if way == "json":
        ops: list[Obj] = [{"op": "test", "path": "/kind", "value": "Deployment"}]
        if what == "label":
            there = key in live["metadata"]["labels"]
            if value is not None or there:
                ops.append({"op": "remove" if value is None else "add", "path": f"/metadata/labels/{key}", "value": value})
        elif what == "replicas":
            ops.append({"op": "replace", "path": "/spec/replicas", "value": want["replicas"]})
        else:
            ops.append({"op": "add", "path": "/spec/template/spec/containers/0/env", "value": env})
        return ops
    if what == "label":
        return {"metadata": {"labels": {key: value}}}
    if what == "replicas":
        return {"spec": {"replicas": want["replicas"]}}
    if way == "merge":  # a list is replaced whole
        return {"spec": {"template": {"spec": {"containers": [{**container, "env": env}]}}}}
    entry: Obj = {"name": key, "$patch": "delete"} if value is None else {"name": key, "value": value}
    return {"spec": {"template": {"spec": {"containers": [{"name": container["name"], "env": [entry]}]}}}}


def write(client: KubeClient, way: str, content: Any) -> Obj:
    query = {"fieldManager": ["edits"], **({"force": ["true"]} if way == "apply" else {})}
    request = Request(
        method="PUT" if way == "put" else "PATCH", path=PATH, query=query, headers={"content-type": MEDIA[way]},
        body=orjson.dumps(content),
    )  # fmt: skip
    answer = client.request(request)
    assert answer.status == 200, answer.obj
    found: Obj = answer.obj
    return found


_PLANE: list[ControlPlane] = []


@settings(max_examples=40, deadline=None)
@given(EDITS)
def test_edits_through_any_way_agree_with_a_dict(edits: list[tuple[str, str, str, str | None]]) -> None:
    if not _PLANE:
        _PLANE.append(ControlPlane())
    client = _PLANE[0].client()
    made = client.create("deployments", "default", deployment("web"))
    try:
        held = model(made)
        for way, what, key, value in edits:
            if way == "apply":  # an applier states all that is to be its own
                held = {"labels": {**held["labels"], key: value or ""}, "env": held["env"], "replicas": held["replicas"]}
                content = {
                    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": held["labels"]},
                }  # fmt: skip
            else:
                held = expected(held, what, key, value)
                content = body(way, client.get("deployments", "default", "web"), held, what, key, value)
            before = client.get("deployments", "default", "web")
            after = write(client, way, content)
            assert model(after) == held, (way, what, key, value)
            same_spec = before["spec"] == after["spec"]
            assert (after["metadata"]["generation"] == before["metadata"]["generation"]) == same_spec
            assert after == client.get("deployments", "default", "web")
    finally:
        client.delete("deployments", "default", "web")
