"""Admission policies and webhooks: what they refuse, warn of and change, and that a broken one can be mended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.core.sandbox import Sandbox

API = "admissionregistration.k8s.io/v1"
RULES = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["deployments"]}]


def policy(name: str, kind: str = "ValidatingAdmissionPolicy", **spec: Any) -> bytes:
    """A policy about deployments."""
    body = {"matchConstraints": {"resourceRules": RULES}, **spec}
    return json.dumps({"apiVersion": API, "kind": kind, "metadata": {"name": name}, "spec": body}).encode()


def binding(name: str, kind: str = "ValidatingAdmissionPolicyBinding", **spec: Any) -> bytes:
    """A binding of the policy of the same name, in namespaces labelled with it."""
    match = {"namespaceSelector": {"matchLabels": {"policy": name}}}
    body = {"policyName": name, "matchResources": match, **spec}
    return json.dumps({"apiVersion": API, "kind": kind, "metadata": {"name": f"{name}-binding"}, "spec": body}).encode()


@pytest.fixture(scope="module")
def sandbox() -> Sandbox:
    """A cluster with a namespace a policy."""
    made = Sandbox.boot("one-node")
    for name in ("few", "warn", "params", "change", "may"):
        made.run(f"kubectl create ns {name} && kubectl label ns {name} policy={name}")
    return made


def create(sandbox: Sandbox, *documents: bytes) -> None:
    """Create objects."""
    for document in documents:
        result = sandbox.run("kubectl create -f -", stdin=document)
        assert result.code == 0, result.stderr


def test_a_policy_denies_with_its_own_words(sandbox: Sandbox) -> None:
    """messageExpression, variables, reason."""
    rule = {"expression": "variables.n <= 3", "messageExpression": "'no more than 3, not ' + string(variables.n)"}
    variables = [{"name": "n", "expression": "object.spec.replicas"}]
    create(sandbox, policy("few", validations=[rule], variables=variables), binding("few", validationActions=["Deny"]))
    result = sandbox.run("kubectl create deployment web --image=nginx --replicas=5 -n few")
    text = "ValidatingAdmissionPolicy 'few' with binding 'few-binding' denied request: no more than 3, not 5"
    assert (result.code, result.stderr) == (
        1,
        f'error: failed to create deployment: deployments.apps "web" is forbidden: {text}\n',
    )
    assert sandbox.run("kubectl create deployment web --image=nginx --replicas=3 -n few").code == 0
    assert sandbox.run("kubectl create deployment web --image=nginx --replicas=5").code == 0
    result = sandbox.run("kubectl scale deployment web --replicas=9 -n few")
    assert result.code == 0, "the scale subresource is another resource"


def test_a_binding_may_only_warn(sandbox: Sandbox) -> None:
    """And the request goes through."""
    rule = {"expression": "has(object.metadata.labels) && 'team' in object.metadata.labels", "message": "say whose it is"}
    create(sandbox, policy("warn", validations=[rule]), binding("warn", validationActions=["Warn"]))
    result = sandbox.run("kubectl apply -n warn -f -", stdin=_deployment("web", {}))
    assert result.code == 0
    assert (
        result.stderr
        == "Warning: Validation failed for ValidatingAdmissionPolicy 'warn' with binding 'warn-binding': say whose it is\n"
    )


def _deployment(name: str, labels: dict[str, str]) -> bytes:
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "labels": labels}, "spec": spec}
    return json.dumps(body).encode()


def test_parameters_come_from_an_object(sandbox: Sandbox) -> None:
    """paramKind and paramRef; without the object, Deny."""
    rule = {"expression": "object.spec.replicas <= int(params.data.most)"}
    create(
        sandbox,
        policy("params", paramKind={"apiVersion": "v1", "kind": "ConfigMap"}, validations=[rule]),
        binding("params", paramRef={"name": "limits", "parameterNotFoundAction": "Deny"}, validationActions=["Deny"]),
    )
    result = sandbox.run("kubectl create deployment web --image=nginx -n params")
    assert "no params found for policy binding with `Deny` parameterNotFoundAction" in result.stderr
    sandbox.run("kubectl create cm limits --from-literal=most=1 -n params")
    assert sandbox.run("kubectl create deployment web --image=nginx -n params").code == 0
    result = sandbox.run("kubectl create deployment web2 --image=nginx --replicas=2 -n params")
    assert result.stderr.endswith("denied request: failed expression: object.spec.replicas <= int(params.data.most)\n")


def test_the_authorizer_can_be_asked(sandbox: Sandbox) -> None:
    """What else the requester may do."""
    rule = {"expression": "authorizer.group('apps').resource('deployments').namespace('may').check('delete').allowed()"}
    create(sandbox, policy("may", validations=[rule]), binding("may", validationActions=["Deny"]))
    sandbox.run("kubectl create role maker --verb=create,get --resource=deployments -n may")
    sandbox.run("kubectl create rolebinding maker --role=maker --user=ann -n may")
    assert "denied request" in sandbox.run("kubectl create deployment web --image=nginx -n may --as=ann").stderr
    assert sandbox.run("kubectl create deployment web --image=nginx -n may").code == 0


def test_a_mutating_policy_changes(sandbox: Sandbox) -> None:
    """By an apply configuration and by a JSON patch."""
    apply = {"expression": "Object{metadata: Object.metadata{labels: {'team': 'sea'}}, spec: Object.spec{replicas: 2}}"}
    steps = {
        "expression": "[JSONPatch{op: 'add', path: '/metadata/labels/' + jsonpatch.escapeKey('a/b'), value: 'x'}]",
    }
    create(
        sandbox,
        policy(
            "change",
            "MutatingAdmissionPolicy",
            reinvocationPolicy="Never",
            mutations=[
                {"patchType": "ApplyConfiguration", "applyConfiguration": apply},
                {"patchType": "JSONPatch", "jsonPatch": steps},
            ],
        ),
        binding("change", "MutatingAdmissionPolicyBinding"),
    )
    assert sandbox.run("kubectl create deployment web --image=nginx -n change").code == 0
    found = json.loads(sandbox.run("kubectl get deployment web -n change -o json").stdout)
    assert found["spec"]["replicas"] == 2
    assert found["metadata"]["labels"] == {"app": "web", "team": "sea", "a/b": "x"}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"validations": [{"expression": "object.spec.replicas >"}]}, "spec.validations[0].expression: Invalid value"),
        ({"validations": [{"expression": "1"}]}, "must evaluate to bool"),
        ({"validations": [{"expression": "params.x == 1"}]}, "undeclared reference to 'params'"),
        ({}, "validations or auditAnnotations must contain at least one item"),
        ({"validations": [{"expression": "request.nope == 1"}]}, "undefined field 'nope'"),
    ],
)
def test_a_wrong_policy_is_refused(sandbox: Sandbox, spec: Any, said: str) -> None:
    """Compiled when it is written."""
    result = sandbox.run("kubectl create -f -", stdin=policy("wrong", **spec))
    assert result.code == 1
    assert said in result.stderr


def _webhook(called: str, **hook: Any) -> bytes:
    body = {
        "name": f"{called}.example.org",
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]}],
        "clientConfig": {"service": {"namespace": "default", "name": "absent", "path": "/check"}},
        "namespaceSelector": {"matchLabels": {"hook": called}},
        **hook,
    }
    return json.dumps(
        {"apiVersion": API, "kind": "ValidatingWebhookConfiguration", "metadata": {"name": called}, "webhooks": [body]}
    ).encode()


def test_a_webhook_that_cannot_be_reached_stops_what_it_is_for(sandbox: Sandbox) -> None:
    """Unless it says Ignore; and it can always be deleted."""
    sandbox.run("kubectl create ns hooked && kubectl label ns hooked hook=gone")
    create(sandbox, _webhook("gone"))
    result = sandbox.run("kubectl create cm a -n hooked")
    assert result.stderr == (
        'error: failed to create configmap: Internal error occurred: failed calling webhook "gone.example.org": failed to call webhook: '
        'Post "https://absent.default.svc:443/check?timeout=10s": service "absent" not found\n'
    )
    assert sandbox.run("kubectl create cm a").code == 0
    sandbox.run("kubectl create svc clusterip absent --tcp=443:443")
    assert 'no endpoints available for service "absent"' in sandbox.run("kubectl create cm a -n hooked").stderr
    assert sandbox.run("kubectl delete validatingwebhookconfiguration gone").code == 0
    assert sandbox.run("kubectl create cm a -n hooked").code == 0
    create(sandbox, _webhook("gone", failurePolicy="Ignore"))
    assert sandbox.run("kubectl create cm b -n hooked").code == 0


def test_a_wrong_webhook_is_refused(sandbox: Sandbox) -> None:
    """Its name, its side effects, its address."""
    result = sandbox.run("kubectl create -f -", stdin=_webhook("x", name="short", sideEffects="Some", clientConfig={}))
    for said in (
        "should be a domain with at least three segments separated by dots",
        'sideEffects: Unsupported value: "Some"',
        "exactly one of url or service is required",
    ):
        assert said in result.stderr
