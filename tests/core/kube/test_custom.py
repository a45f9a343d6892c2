"""Custom resources: schemas are obeyed, defaults put in, unknown fields dropped or refused."""

from __future__ import annotations

import json

import pytest

from simulator.core.sandbox import Sandbox

SCHEMA = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "required": ["size"],
            "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 9},
                "sail": {"type": "string", "pattern": "^[a-z]+$", "maxLength": 5},
                "colour": {"type": "string", "default": "white", "enum": ["white", "red"]},
                "tags": {"type": "array", "maxItems": 2, "items": {"type": "string"}},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "port": {"x-kubernetes-int-or-string": True},
            },
        }
    },
}


def definition(schema: object = SCHEMA) -> bytes:
    """A CustomResourceDefinition for kites."""
    version: dict[str, object] = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    version["subresources"] = {"scale": {"specReplicasPath": ".spec.size", "statusReplicasPath": ".status.size"}}
    names = {"plural": "kites", "kind": "Kite"}
    spec = {"group": "sky.example.org", "scope": "Namespaced", "names": names, "versions": [version]}
    body = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
    return json.dumps({**body, "metadata": {"name": "kites.sky.example.org"}, "spec": spec}).encode()


def kite(name: str, **spec: object) -> bytes:
    """A Kite."""
    body = {"apiVersion": "sky.example.org/v1", "kind": "Kite", "metadata": {"name": name}, "spec": spec}
    return json.dumps(body).encode()


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """A cluster that knows kites."""
    made = Sandbox.boot()
    assert made.run("kubectl apply -f -", stdin=definition()).code == 0
    return made


def test_defaults_are_put_in_and_free_fields_kept(sandbox: Sandbox) -> None:
    """Only what the schema leaves open may be anything."""
    assert sandbox.run("kubectl apply -f -", stdin=kite("one", size=3, free={"a": {"b": 1}}, port="http")).code == 0
    found = json.loads(sandbox.run("kubectl get kite one -o jsonpath='{.spec}'").stdout)
    assert found == {"colour": "white", "free": {"a": {"b": 1}}, "port": "http", "size": 3}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.size: Required value"),
        ({"size": 12}, "spec.size: Invalid value: 12: spec.size in body should be less than or equal to 9"),
        ({"size": "x"}, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'),
        ({"size": 1, "sail": "A1"}, "spec.sail: Invalid value: \"A1\": spec.sail in body should match '^[a-z]+$'"),
        ({"size": 1, "sail": "toolong"}, "spec.sail: Too long: may not be more than 5 bytes"),
        ({"size": 1, "colour": "blue"}, 'spec.colour: Unsupported value: "blue": supported values: "white", "red"'),
        ({"size": 1, "tags": ["a", "b", "c"]}, "spec.tags: Too many: 3: must have at most 2 items"),
        ({"size": 1, "wings": 2}, 'strict decoding error: unknown field "spec.wings"'),
        ({"size": 1, "port": 1.5}, "must be of type integer,string"),
    ],
)
def test_what_the_schema_forbids_is_refused(sandbox: Sandbox, spec: dict[str, object], said: str) -> None:
    """In the words of the real validators."""
    answer = sandbox.run("kubectl create -f -", stdin=kite("bad", **spec))
    assert answer.code == 1
    assert said in answer.stderr


def test_unknown_fields_are_pruned_where_nobody_looks(sandbox: Sandbox) -> None:
    """Without strict validation they just go."""
    assert sandbox.run("kubectl create --validate=false -f -", stdin=kite("quiet", size=1, wings=2)).code == 0
    assert "wings" not in sandbox.run("kubectl get kite quiet -o json").stdout


def test_scaling_writes_where_the_definition_says(sandbox: Sandbox) -> None:
    """`specReplicasPath` is not always .spec.replicas."""
    assert sandbox.run("kubectl apply -f -", stdin=kite("scaled", size=2)).code == 0
    assert sandbox.run("kubectl scale kite scaled --replicas=5").code == 0
    assert sandbox.run("kubectl get kite scaled -o jsonpath='{.spec}'").stdout == '{"colour":"white","size":5}'


def test_a_schema_without_types_is_no_structural_schema(sandbox: Sandbox) -> None:
    """Every field has a type."""
    answer = sandbox.run("kubectl replace -f -", stdin=definition({"type": "object", "properties": {"spec": {}}}))
    assert "openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields" in answer.stderr


def test_kites_go_with_their_definition(sandbox: Sandbox) -> None:
    """Made anew, the kind begins empty; while it is gone nothing is served."""
    assert sandbox.run("kubectl delete crd kites.sky.example.org").code == 0
    assert "sky.example.org" not in sandbox.run("kubectl api-versions").stdout
    assert sandbox.run("kubectl apply -f -", stdin=definition()).code == 0
    assert sandbox.run("kubectl get kites").stderr == "No resources found in default namespace.\n"


def test_openapi_offers_no_strategic_patch_for_custom_resources(sandbox: Sandbox) -> None:
    """Clients take their patch type from it; `kubectl apply` of a change goes through."""
    path = "/apis/sky.example.org/v1/namespaces/{namespace}/kites/{name}"
    body = json.loads(sandbox.run("kubectl get --raw /openapi/v3/apis/sky.example.org/v1").stdout)
    types = list(body["paths"][path]["patch"]["requestBody"]["content"])
    assert types == ["application/json-patch+json", "application/merge-patch+json", "application/apply-patch+yaml"]
    whole = json.loads(sandbox.run("kubectl get --raw /openapi/v2").stdout)
    assert whole["paths"][path]["patch"]["consumes"] == types
    assert "application/strategic-merge-patch+json" in whole["paths"]["/api/v1/nodes/{name}"]["patch"]["consumes"]


def test_openapi_v2_leaves_open_what_may_hold_anything(sandbox: Sandbox) -> None:
    """Old validation would refuse every member that is not named."""
    whole = json.loads(sandbox.run("kubectl get --raw /openapi/v2").stdout)
    held = whole["definitions"]["org.example.sky.v1.Kite"]["properties"]["spec"]["properties"]
    assert "properties" not in held["free"]
    assert held["size"]["type"] == "integer"
