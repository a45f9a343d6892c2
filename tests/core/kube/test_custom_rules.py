"""CEL rules, names, versions and selectable fields of custom resources, through kubectl."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.sandbox import Sandbox

SPEC = {
    "type": "object",
    "x-kubernetes-validations": [
        {"rule": "self.min <= self.max", "message": "min must not exceed max"},
        {"rule": "self.min >= 0", "messageExpression": "'min is ' + string(self.min)", "fieldPath": ".min"},
    ],
    "properties": {
        "min": {"type": "integer"},
        "max": {"type": "integer"},
        "class": {"type": "string", "x-kubernetes-validations": [{"rule": "self == oldSelf", "message": "class is immutable"}]},
        "colour": {"type": "string"},
        "ports": {
            "type": "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "number": {"type": "integer"}},
                "x-kubernetes-validations": [{"rule": "self.number < 65536", "reason": "FieldValueForbidden"}],
            },
        },
    },
}


def definition(plural: str = "masts", kind: str = "Mast", spec: Any = SPEC, **names: Any) -> bytes:
    """A CustomResourceDefinition with two versions."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    fields = [{"jsonPath": ".spec.colour"}] if spec is SPEC else []
    versions = [
        {"name": "v1", "served": True, "storage": True, "schema": schema, "selectableFields": fields},
        {"name": "v1alpha1", "served": True, "storage": False, "schema": schema, "deprecated": True},
    ]
    body = {
        "group": "sea.example.org",
        "scope": "Namespaced",
        "names": {"plural": plural, "kind": kind, **names},
        "versions": versions,
    }
    return json.dumps(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.sea.example.org"},
            "spec": body,
        }
    ).encode()


def mast(name: str, version: str = "v1", **spec: Any) -> bytes:
    """A Mast."""
    spec = {"min": 1, "max": 2, **spec}
    return json.dumps(
        {"apiVersion": f"sea.example.org/{version}", "kind": "Mast", "metadata": {"name": name}, "spec": spec}
    ).encode()


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """A cluster that knows masts."""
    made = Sandbox.boot("one-node")
    assert made.run("kubectl apply -f -", stdin=definition(shortNames=["ms"])).code == 0
    return made


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"min": 3}, 'The Mast "x" is invalid: spec: Invalid value: min must not exceed max\n'),
        ({"min": -1}, 'The Mast "x" is invalid: spec.min: Invalid value: min is -1\n'),
        (
            {"ports": [{"name": "a", "number": 1}, {"name": "b", "number": 99999}]},
            'The Mast "x" is invalid: spec.ports[1]: Forbidden: failed rule: self.number < 65536\n',
        ),
    ],
)
def test_rules_refuse(sandbox: Sandbox, spec: Any, said: str) -> None:
    """With their message, their expression's message, their reason and their field."""
    result = sandbox.run("kubectl create -f -", stdin=mast("x", **spec))
    assert (result.code, result.stderr) == (1, said)


def test_a_rule_compares_with_what_was(sandbox: Sandbox) -> None:
    """Transition rules run on updates only, and only where there was a value."""
    assert sandbox.run("kubectl create -f -", stdin=mast("one")).code == 0
    assert sandbox.run('kubectl patch mast one --type=merge -p \'{"spec":{"class":"a"}}\'').code == 0
    result = sandbox.run('kubectl patch mast one --type=merge -p \'{"spec":{"class":"b"}}\'')
    assert result.stderr == 'The Mast "one" is invalid: spec.class: Invalid value: "b": class is immutable\n'


def test_a_deprecated_version_warns_and_converts(sandbox: Sandbox) -> None:
    """The same object in another version."""
    result = sandbox.run("kubectl create -f -", stdin=mast("old", "v1alpha1"))
    assert result.code == 0
    assert result.stderr == "Warning: sea.example.org/v1alpha1 Mast is deprecated\n"
    assert sandbox.run("kubectl get masts.v1.sea.example.org old -o jsonpath={.apiVersion}").stdout == "sea.example.org/v1"


def test_fields_can_be_selected_when_the_definition_says_so(sandbox: Sandbox) -> None:
    """selectableFields"""
    sandbox.run("kubectl create -f -", stdin=mast("red", colour="red"))
    assert sandbox.run("kubectl get ms --field-selector spec.colour=red -o name").stdout == "mast.sea.example.org/red\n"
    result = sandbox.run("kubectl get masts --field-selector spec.min=1")
    assert "field label not supported: spec.min" in result.stderr


def test_a_taken_name_is_not_accepted(sandbox: Sandbox) -> None:
    """NamesAccepted is false with the conflict, and the kind is not served."""
    assert sandbox.run("kubectl create -f -", stdin=definition("spars", "Mast")).code == 0
    conditions = json.loads(sandbox.run("kubectl get crd spars.sea.example.org -o jsonpath='{.status.conditions}'").stdout)
    found = {c["type"]: (c["status"], c["reason"], c["message"]) for c in conditions}
    assert found["NamesAccepted"] == ("False", "ListKindConflict", '"MastList" is already in use')
    assert found["Established"] == ("False", "NotAccepted", "not all names are accepted")
    assert sandbox.run("kubectl get spars").code == 1


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            {"type": "object", "x-kubernetes-validations": [{"rule": "self.foo > 1"}]},
            'rule: Invalid value: {"rule":"self.foo > 1"}: compilation failed: ERROR: <input>:1:5: undefined field \'foo\'\n'
            " | self.foo > 1\n | ....^",
        ),
        ({"type": "object", "x-kubernetes-validations": [{"rule": "1"}]}, "cel expression must evaluate to a bool"),
        ({"type": "objekt"}, 'type: Unsupported value: "objekt": supported values: "array", "boolean", "integer", "number"'),
        ({"type": "array"}, "items: Required value: must be specified"),
        (
            {"type": "string", "pattern": "("},
            "must be a valid regular expression, but isn't: error parsing regexp: missing closing )",
        ),
        ({"type": "string", "default": 3}, "default: Invalid value"),
        (
            {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}},
            "x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
        ),
    ],
)
def test_a_wrong_definition_is_refused(sandbox: Sandbox, spec: Any, said: str) -> None:
    """Schemas, rules, patterns, defaults, list keys."""
    result = sandbox.run("kubectl create -f -", stdin=definition("booms", "Boom", spec))
    assert result.code == 1
    assert said in result.stderr


def test_what_a_definition_is_stays(sandbox: Sandbox) -> None:
    """Scope and stored versions."""
    result = sandbox.run('kubectl patch crd masts.sea.example.org --type=merge -p \'{"spec":{"scope":"Cluster"}}\'')
    assert 'spec.scope: Invalid value: "Cluster": field is immutable' in result.stderr
