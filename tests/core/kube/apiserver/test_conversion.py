"""Custom resources with two versions and a webhook that converts between them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from simulator.core.host.process import Process
from simulator.core.kernel import network
from simulator.core.kernel.http import Request, Response
from simulator.core.kernel.world import World
from simulator.core.kube.client import ApiError, KubeClient

from .cluster import IP, ControlPlane

Obj = dict[str, Any]
GROUP = "stable.example.com"


class Converter:
    """v1 says `host` and `port`, v2 `address: host:port`; `broken` is what it does wrong."""

    broken = ""

    def start(self, world: World, proc: Process) -> None:
        network.listen(world, proc.netns, 9443, host=proc.host, pid=proc.pid)

    def timer(self, world: World, proc: Process, payload: Any) -> None: ...

    def stop(self, world: World, proc: Process, signal: int) -> int:
        return 0

    def http(self, world: World, proc: Process, request: Request) -> Response:
        asked = orjson.loads(request.body)["request"]
        wanted, found = asked["desiredAPIVersion"], []
        for obj in asked["objects"]:
            spec = dict(obj["spec"])
            if wanted.endswith("v2"):
                spec = {"address": f"{spec['host']}:{spec['port']}"}
            else:
                host, _, port = spec["address"].partition(":")
                spec = {"host": host, "port": int(port)}
            meta = {**obj["metadata"], "labels": {"converted": "yes"}, **({"name": "other"} if self.broken == "name" else {})}
            found.append({**obj, "apiVersion": wanted, "spec": spec, "metadata": meta})
        result = {"status": "Failed", "message": "no way"} if self.broken == "result" else {"status": "Success"}
        answer = {"uid": asked["uid"], "result": result, "convertedObjects": found[1:] if self.broken == "count" else found}
        return Response(obj={"kind": "ConversionReview", "apiVersion": "apiextensions.k8s.io/v1", "response": answer})


def definition(client_config: Obj) -> Obj:
    def version(name: str, members: Obj, storage: bool) -> Obj:
        spec = {"type": "object", "properties": {member: {"type": kind} for member, kind in members.items()}}
        schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
        return {"name": name, "served": True, "storage": storage, "schema": schema}

    webhook = {"conversionReviewVersions": ["v1"], "clientConfig": client_config}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"crontabs.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "singular": "crontab", "kind": "CronTab"},
            "versions": [
                version("v1", {"host": "string", "port": "integer"}, True),
                version("v2", {"address": "string"}, False),
            ],
            "conversion": {"strategy": "Webhook", "webhook": webhook},
        },
    }


def path(version: str, name: str = "") -> str:
    return f"/apis/{GROUP}/{version}/namespaces/default/crontabs" + (f"/{name}" if name else "")


def ask(client: KubeClient, method: str, where: str, obj: Obj | None = None, **query: str) -> Any:
    media = "application/merge-patch+json" if method == "PATCH" else "application/json"
    answer = client.request(
        Request(method=method, path=where, obj=obj, headers={"content-type": media}, query={k: [v] for k, v in query.items()})
    )
    if answer.status >= 400:
        raise ApiError(answer.obj)
    return answer.stream if answer.stream is not None else answer.obj


def old(name: str) -> Obj:
    return {"apiVersion": f"{GROUP}/v1", "kind": "CronTab", "metadata": {"name": name}, "spec": {"host": name, "port": 80}}


def new(name: str) -> Obj:
    return {"apiVersion": f"{GROUP}/v2", "kind": "CronTab", "metadata": {"name": name}, "spec": {"address": f"{name}:8080"}}


@pytest.fixture
def converter(plane: ControlPlane) -> Converter:
    found = Converter()
    plane.world.tables["programs"]["converter"] = found
    plane.start("converter", ["converter"])
    plane.client().create("customresourcedefinitions", "", definition({"url": f"https://{IP}:9443/convert"}))
    return found


@pytest.mark.usefixtures("converter")
def test_each_version_is_read_and_written(plane: ControlPlane) -> None:
    client = plane.client()
    ask(client, "POST", path("v1"), old("a"))
    made = ask(client, "POST", path("v2"), new("b"))
    assert made["apiVersion"] == f"{GROUP}/v2" and made["spec"] == {"address": "b:8080"}
    stored = plane.server.storage.get(f"/registry/{GROUP}/crontabs/default/b".encode())
    assert stored is not None and stored[0]["apiVersion"] == f"{GROUP}/v1" and stored[0]["spec"] == {"host": "b", "port": 8080}
    assert [item["spec"] for item in ask(client, "GET", path("v2"))["items"]] == [{"address": "a:80"}, {"address": "b:8080"}]
    assert [item["spec"]["port"] for item in ask(client, "GET", path("v1"))["items"]] == [80, 8080]
    seen = ask(client, "GET", path("v2"), watch="true", resourceVersion="0")
    changed = ask(client, "PATCH", path("v2", "a"), {"spec": {"address": "a:81"}})
    assert changed["spec"] == {"address": "a:81"} and changed["metadata"]["labels"] == {"converted": "yes"}
    assert changed["metadata"]["uid"] == ask(client, "GET", path("v1", "a"))["metadata"]["uid"]
    assert ask(client, "GET", path("v1", "a"))["spec"] == {"host": "a", "port": 81}
    assert [event["object"]["spec"]["address"] for event in seen.poll()] == ["a:80", "b:8080", "a:81"]
    assert ask(client, "DELETE", path("v2", "a"))["status"] == "Success"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ("result", "failed: no way"),
        ("count", "returned 0 objects, expected 1"),
        ("name", "returned an invalid converted object: must have the same name: a"),
    ],
)
def test_a_webhook_that_converts_wrongly(plane: ControlPlane, converter: Converter, broken: str, words: str) -> None:
    client = plane.client()
    ask(client, "POST", path("v1"), old("a"))
    converter.broken = broken
    with pytest.raises(ApiError) as failed:
        ask(client, "GET", path("v2", "a"))
    assert (failed.value.code, failed.value.message) == (
        500,
        f"conversion webhook for {GROUP}/v1, Kind=CronTab {words}",
    )
    assert ask(client, "GET", path("v1", "a"))["spec"]["host"] == "a", "the stored version needs no webhook"


def test_a_webhook_that_is_not_there(plane: ControlPlane) -> None:
    client = plane.client()
    config = {"service": {"namespace": "default", "name": "nobody", "path": "/convert"}}
    client.create("customresourcedefinitions", "", definition(config))
    ask(client, "POST", path("v1"), old("a"))
    text = 'Post "https://nobody.default.svc:443/convert?timeout=30s": service "nobody" not found'
    for method, where, body in (("GET", path("v2", "a"), None), ("GET", path("v2"), None), ("POST", path("v2"), new("b"))):
        with pytest.raises(ApiError) as failed:
            ask(client, method, where, body)
        version = "v2" if body else "v1"
        assert failed.value.message == f"conversion webhook for {GROUP}/{version}, Kind=CronTab failed: {text}"
    assert [event["type"] for event in ask(client, "GET", path("v2"), watch="true", resourceVersion="0").poll()] == ["ERROR"]
