"""The REST verbs as a client sees them."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kernel.http import Request
from simulator.core.kube.api import kinds
from simulator.core.kube.api.objects import clone
from simulator.core.kube.client import ApiError, KubeClient
from tests.core.kube.apiserver.cluster import ControlPlane, deployment, pod

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def config(name: str = "c", **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def refused(call: Any, *args: Any, **options: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*args, **options)
    return caught.value


def raw(client: KubeClient, method: str, path: str, body: bytes = b"", accept: str = "", **query: str) -> Any:
    headers = {"accept": accept} if accept else {}
    return client.request(Request(method=method, path=path, query={k: [v] for k, v in query.items()}, headers=headers, body=body))


def test_created_objects_carry_what_the_server_sets(plane: ControlPlane) -> None:
    made = plane.client().create("deployments", "default", deployment())
    meta = made["metadata"]
    assert meta["generation"] == 1
    assert meta["uid"]
    assert meta["creationTimestamp"].endswith("Z")
    assert made["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert made["spec"]["template"]["spec"]["containers"][0]["terminationMessagePath"] == "/dev/termination-log"
    assert plane.client().get("deployments", "default", "web") == made


def test_pods_get_an_account_a_token_and_patience(plane: ControlPlane) -> None:
    spec = plane.client().create("pods", "default", pod())["spec"]
    assert spec["serviceAccountName"] == "default"
    assert spec["priority"] == 0
    assert spec["volumes"][0]["name"].startswith("kube-api-access-")
    assert {t["key"] for t in spec["tolerations"]} == {"node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"}
    assert plane.client().get("pods", "default", "web")["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_a_stale_update_conflicts_with_the_real_words(plane: ControlPlane) -> None:
    client = plane.client()
    first = client.create("configmaps", "default", config(a="1"))
    client.update("configmaps", {**first, "data": {"a": "2"}})
    error = refused(client.update, "configmaps", {**first, "data": {"a": "3"}})
    assert (error.code, error.reason) == (409, "Conflict")
    assert error.message == (
        'Operation cannot be fulfilled on configmaps "c": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_an_update_that_changes_nothing_writes_nothing(plane: ControlPlane) -> None:
    client = plane.client()
    made = client.create("configmaps", "default", config(a="1"))
    assert client.update("configmaps", clone(made))["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_generation_counts_spec_changes_only(plane: ControlPlane) -> None:
    client = plane.client()
    client.create("deployments", "default", deployment())
    client.patch("deployments", "default", "web", {"metadata": {"labels": {"x": "y"}}})
    assert client.get("deployments", "default", "web")["metadata"]["generation"] == 1
    client.patch("deployments", "default", "web", {"spec": {"replicas": 3}})
    held = client.get("deployments", "default", "web")
    assert held["metadata"]["generation"] == 2
    status = {**held, "status": {"observedGeneration": 2, "replicas": 3, "readyReplicas": 0}, "spec": {"replicas": 9}}
    after = client.update("deployments", status, subresource="status")
    assert after["spec"]["replicas"] == 3
    assert after["metadata"]["generation"] == 2
    assert after["status"] == {"observedGeneration": 2, "replicas": 3}


def test_names_are_generated_and_absent_things_named(plane: ControlPlane) -> None:
    client = plane.client()
    body = config(a="1")
    body["metadata"] = {"generateName": "conf-"}
    names = {client.create("configmaps", "default", body)["metadata"]["name"] for _ in range(5)}
    assert len(names) == 5
    assert all(len(name) == 10 for name in names)
    assert refused(client.get, "pods", "default", "nope").message == 'pods "nope" not found'
    assert refused(client.create, "configmaps", "gone", config()).message == 'namespaces "gone" not found'
    client.create("configmaps", "default", config())
    assert refused(client.create, "configmaps", "default", config()).message == 'configmaps "c" already exists'


def test_invalid_objects_are_refused_with_causes(plane: ControlPlane) -> None:
    client = plane.client()
    error = refused(client.create, "pods", "default", pod(containers=[{"name": "c", "image": "x", "imagePullPolicy": "Perhaps"}]))
    assert error.code == 422
    assert error.status["details"]["causes"][0]["field"] == "spec.containers[0].imagePullPolicy"
    assert error.message == (
        'Pod "web" is invalid: spec.containers[0].imagePullPolicy: Unsupported value: "Perhaps": '
        'supported values: "Always", "IfNotPresent", "Never"'
    )
    client.create("deployments", "default", deployment())
    error = refused(client.patch, "deployments", "default", "web", {"spec": {"selector": {"matchLabels": {"app": "other"}}}})
    assert [cause["field"] for cause in error.status["details"]["causes"]] == ["spec.template.metadata.labels", "spec.selector"]
    client.create("pods", "default", pod())
    error = refused(client.patch, "pods", "default", "web", {"spec": {"schedulerName": "x"}})
    assert "pod updates may not change fields other than" in error.message


@pytest.mark.parametrize(("mode", "code"), [("Strict", 400), ("Warn", 201), ("Ignore", 201)])
def test_unknown_fields_follow_field_validation(plane: ControlPlane, mode: str, code: int) -> None:
    body = b'{"metadata":{"name":"c"},"dato":{"a":"b"}}'
    answer = raw(plane.client(), "POST", "/api/v1/namespaces/default/configmaps", body, fieldValidation=mode)
    assert answer.status == code
    if mode == "Strict":
        text = 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dato"'
        assert answer.obj["message"] == text
    assert ("warning" in answer.headers) == (mode == "Warn")


def test_wrong_json_types_are_named_as_go_names_them(plane: ControlPlane) -> None:
    answer = raw(plane.client(), "POST", "/api/v1/namespaces/default/configmaps", b'{"metadata":{"name":"c"},"data":{"n":5}}')
    assert answer.obj["message"] == (
        'ConfigMap in version "v1" cannot be handled as a ConfigMap: '
        "json: cannot unmarshal number into Go struct field ConfigMap.data of type string"
    )


def test_dry_run_stores_nothing(plane: ControlPlane) -> None:
    client = plane.client()
    before = client.list("configmaps").resource_version
    assert client.create("configmaps", "default", config(), dry_run=True)["metadata"]["uid"]
    assert refused(client.get, "configmaps", "default", "c").code == 404
    assert client.list("configmaps").resource_version == before


def test_selectors_choose(plane: ControlPlane) -> None:
    client = plane.client()
    for i in range(4):
        client.create("configmaps", "default", {**config(f"c{i}"), "metadata": {"name": f"c{i}", "labels": {"n": str(i % 2)}}})
    names = [o["metadata"]["name"] for o in client.list("configmaps", "default", label_selector="n in (1)").items]
    assert names == ["c1", "c3"]
    assert len(client.list("configmaps", "default", field_selector="metadata.name=c2").items) == 1
    assert refused(client.list, "pods", field_selector="spec.foo=1").message == "field label not supported: spec.foo"
    error = refused(client.list, "pods", label_selector="tier in front")
    assert error.message == "unable to parse requirement: found 'front' expected: '('"


def test_pages_are_consistent_and_expire(plane: ControlPlane) -> None:
    client = plane.client()
    for i in range(7):
        client.create("configmaps", "default", config(f"c{i}"))
    page = client.list("configmaps", "default", limit=3)
    assert len(page.items) == 3
    assert page.remaining == 4
    client.delete("configmaps", "default", "c6")
    rest = client.list("configmaps", "default", limit=9, continue_token=page.continue_token)
    assert [o["metadata"]["name"] for o in rest.items] == ["c3", "c4", "c5", "c6"]
    plane.server.client.compact(plane.server.client.current_revision())
    error = refused(client.list, "configmaps", "default", limit=3, continue_token=page.continue_token)
    assert (error.code, error.reason) == (410, "Expired")
    assert refused(client.list, "configmaps", continue_token="rubbish").code == 400


def test_finalizers_and_grace_hold_objects(plane: ControlPlane) -> None:
    client = plane.client()
    held = config("held")
    held["metadata"]["finalizers"] = ["example.com/wait"]
    client.create("configmaps", "default", held)
    assert client.delete("configmaps", "default", "held")["metadata"]["deletionTimestamp"]
    client.patch("configmaps", "default", "held", {"metadata": {"finalizers": None}}, kind="merge")
    assert refused(client.get, "configmaps", "default", "held").code == 404
    client.create("pods", "default", pod("bound", nodeName="node01"))
    ending = client.delete("pods", "default", "bound")
    assert ending["metadata"]["deletionGracePeriodSeconds"] == 30
    client.delete("pods", "default", "bound", grace=0)
    assert refused(client.get, "pods", "default", "bound").code == 404
    error = refused(client.delete, "namespaces", None, "default")
    assert error.message == 'namespaces "default" is forbidden: this namespace may not be deleted'


def test_deletion_preconditions(plane: ControlPlane) -> None:
    client = plane.client()
    made = client.create("configmaps", "default", config())
    assert "Precondition failed: UID in precondition" in refused(client.delete, "configmaps", "default", "c", uid="x").message
    gone = client.delete("configmaps", "default", "c", uid=made["metadata"]["uid"])
    assert gone["status"] == "Success"
    assert gone["details"]["kind"] == "configmaps"


def test_a_namespace_goes_when_its_finalizer_goes(plane: ControlPlane) -> None:
    client = plane.client()
    client.create("namespaces", None, {"metadata": {"name": "team"}})
    ending = client.delete("namespaces", None, "team")
    assert ending["status"]["phase"] == "Terminating"
    assert ending["spec"]["finalizers"] == ["kubernetes"]
    error = refused(client.create, "configmaps", "team", config())
    assert "because it is being terminated" in error.message
    client.update("namespaces", {**ending, "spec": {}}, subresource="finalize")
    assert refused(client.get, "namespaces", None, "team").code == 404


def test_services_get_addresses_and_give_them_back(plane: ControlPlane) -> None:
    client = plane.client()
    body = {"metadata": {"name": "web"}, "spec": {"type": "NodePort", "ports": [{"port": 80}]}}
    spec = client.create("services", "default", body)["spec"]
    assert spec["clusterIP"].startswith("10.")
    assert 30000 <= spec["ports"][0]["nodePort"] <= 32767
    assert client.get("ipaddresses", None, spec["clusterIP"])["spec"]["parentRef"]["name"] == "web"
    taken = {"metadata": {"name": "b"}, "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": 80}]}}
    assert "provided IP is already allocated" in refused(client.create, "services", "default", taken).message
    client.delete("services", "default", "web")
    assert refused(client.get, "ipaddresses", None, spec["clusterIP"]).code == 404


def test_scale_and_binding(plane: ControlPlane) -> None:
    client = plane.client()
    client.create("deployments", "default", deployment())
    scale = client.get("deployments", "default", "web", subresource="scale")
    client.update("deployments", {**scale, "spec": {"replicas": 4}}, subresource="scale")
    assert client.get("deployments", "default", "web")["spec"]["replicas"] == 4
    client.create("pods", "default", pod())
    bind = {"metadata": {"name": "web"}, "target": {"kind": "Node", "name": "node01"}}
    client.create("pods", "default", bind, subresource="binding", name="web")
    held = client.get("pods", "default", "web")
    assert held["spec"]["nodeName"] == "node01"
    assert held["status"]["conditions"][0]["type"] == "PodScheduled"
    assert refused(client.create, "pods", "default", bind, subresource="binding", name="web").code == 409


@pytest.mark.parametrize("kind", [k for k in kinds.KINDS if "list" in k.verbs], ids=lambda k: k.group_resource)
def test_every_kind_lists_as_a_table(plane: ControlPlane, kind: kinds.KindInfo) -> None:
    for version in kind.versions:
        answer = raw(plane.client(), "GET", kind.path(version=version), accept=TABLE)
        assert answer.status == 200
        assert answer.obj["kind"] == "Table"
        for row in answer.obj["rows"]:
            assert len(row["cells"]) == len(answer.obj["columnDefinitions"])
            assert row["object"]["kind"] == "PartialObjectMetadata"


def test_media_types_that_cannot_be_served(plane: ControlPlane) -> None:
    client = plane.client()
    assert raw(client, "GET", "/api/v1/pods", accept="application/vnd.kubernetes.protobuf").status == 406
    request = Request(method="POST", path="/api/v1/namespaces", headers={"content-type": "text/csv"}, body=b"a,b")
    assert client.request(request).status == 415
    assert raw(client, "PATCH", "/api/v1/namespaces/default").status == 415


def test_discovery_names_what_is_served(plane: ControlPlane) -> None:
    client = plane.client()
    served = {r["name"] for r in raw(client, "GET", "/api/v1").obj["resources"]}
    assert {"pods", "pods/log", "pods/exec", "namespaces/finalize", "serviceaccounts/token"} <= served
    assert raw(client, "GET", "/apis").obj["groups"][1]["name"] == "apps"
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
    assert raw(client, "GET", "/apis", accept=accept).obj["kind"] == "APIGroupDiscoveryList"
    assert raw(client, "GET", "/version").obj["gitVersion"] == "v1.36.2"
    index = raw(client, "GET", "/openapi/v3").obj["paths"]
    assert "apis/apps/v1" in index
    assert b'"swagger":"2.0"' in raw(client, "GET", "/openapi/v2").body


def test_custom_resources_are_served_once_defined(plane: ControlPlane) -> None:
    client = plane.client()
    spec = {"type": "object", "properties": {"length": {"type": "integer"}}}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "boats", "kind": "Boat"}
    crd = {"metadata": {"name": "boats.sea.example.com"},
           "spec": {"group": "sea.example.com", "scope": "Namespaced", "names": names, "versions": [version]}}  # fmt: skip
    client.create("customresourcedefinitions", None, crd)
    path = "/apis/sea.example.com/v1/namespaces/default/boats"
    assert raw(client, "POST", path, b'{"metadata":{"name":"b"},"spec":{"length":3}}').status == 201
    assert raw(client, "GET", path).obj["items"][0]["spec"] == {"length": 3}
    client.delete("customresourcedefinitions", None, "boats.sea.example.com")
    assert raw(client, "GET", path).status == 404
