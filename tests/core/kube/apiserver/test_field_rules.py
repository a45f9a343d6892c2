"""What the server refuses of autoscalers, Ingresses, Jobs, limit ranges, endpoints and the small kinds: the messages of v1.36."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kube.apiserver.validation import (
    core,
    endpoints,
    ingress,
    jobs,
    limits,
    others,
    pod,
    podparts,
    scaling,
    storage,
    workloads,
)

Obj = dict[str, Any]


def texts(errors: list[Any]) -> list[str]:
    return [error.text for error in errors]


TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
POLICY = {"type": "Pods", "value": 1, "periodSeconds": 60}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"maxReplicas": 3}, []),
        ({}, ["spec.maxReplicas: Required value: must be set and greater than 0",
              "spec.maxReplicas: Invalid value: 0: must be greater than or equal to `minReplicas`"]),
        ({"maxReplicas": 2, "minReplicas": 3}, ["spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`"]),
        ({"maxReplicas": 2, "scaleTargetRef": {**TARGET, "apiVersion": "v1"}},
         ['spec.scaleTargetRef.apiVersion: Invalid value: "v1": apiVersion must specify API group']),
        ({"maxReplicas": 2, "scaleTargetRef": {"apiVersion": "v1", "kind": "ReplicationController", "name": "x"}}, []),
        ({"maxReplicas": 2, "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization"}}}]},
         ["spec.metrics[0].resource.target.averageUtilization: Required value: must set either a target raw value or a target utilization"]),
        ({"maxReplicas": 2, "metrics": [{"type": "Pods", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 9}}}]},
         ["spec.metrics[0].pods: Required value: must populate information for the given metric source"]),
        ({"maxReplicas": 2, "metrics": [{"type": "Object", "object": {"describedObject": {"kind": "Service", "name": "s"}, "metric": {"name": "m"},
                                                                      "target": {"type": "Value", "value": "0"}}}]},
         ['spec.metrics[0].object.target.value: Invalid value: "0": must be positive']),
        ({"maxReplicas": 2, "behavior": {"scaleDown": {"policies": [{**POLICY, "periodSeconds": 1801}]}}},
         ["spec.behavior.scaleDown.policies[0].periodSeconds: Invalid value: 1801: must be less than or equal to 1800"]),
    ],
)  # fmt: skip
def test_autoscalers(spec: Obj, said: list[str]) -> None:
    assert texts(scaling.autoscaler({"spec": {"scaleTargetRef": TARGET, **spec}})) == said


def test_the_target_of_an_autoscaler_is_looked_at_when_it_is_new() -> None:
    old = {"spec": {"maxReplicas": 2, "scaleTargetRef": {"kind": "Deployment", "name": "web"}}}
    assert scaling.autoscaler(old, old) == [] and len(scaling.autoscaler(old)) == 1


SERVICE = {"service": {"name": "s", "port": {"number": 80}}}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ({"path": "/a", "pathType": "Prefix", "backend": SERVICE}, []),
        ({"pathType": "ImplementationSpecific", "backend": SERVICE}, []),
        ({"backend": SERVICE}, [".pathType: Required value: pathType must be specified"]),
        ({"path": "a", "pathType": "Exact", "backend": SERVICE}, ['.path: Invalid value: "a": must be an absolute path']),
        ({"path": "/a/..", "pathType": "Exact", "backend": SERVICE}, ['.path: Invalid value: "/a/..": cannot end with \'/..\'']),
        ({"path": "/a", "pathType": "Exact"}, ['.backend: Invalid value: "": resource or service backend is required']),
        ({"path": "/a", "pathType": "Exact", "backend": {"service": {"name": "s"}}},
         [".backend: Required value: port name or number is required"]),
        ({"path": "/a", "pathType": "Exact", "backend": {**SERVICE, "resource": {"kind": "K", "name": "n"}}},
         ['.backend: Invalid value: "": cannot set both resource and service backends']),
        ({"path": "/a", "pathType": "Exact", "backend": {"resource": {"kind": "K"}}}, [".backend.resource.name: Required value"]),
    ],
)  # fmt: skip
def test_paths_of_ingresses(path: Obj, said: list[str]) -> None:
    found = texts(ingress.ingress({"spec": {"rules": [{"host": "a.com", "http": {"paths": [path]}}]}}))
    assert found == [f"spec.rules[0].http.paths[0]{text}" for text in said]


def test_hosts_of_ingresses() -> None:
    spec = {
        "defaultBackend": SERVICE,
        "rules": [{"host": "1.2.3.4"}, {"host": "*.a.com"}, {"host": "a.*.com"}],
        "tls": [{"hosts": ["A"]}],
    }
    address, wild, tls = texts(ingress.ingress({"spec": spec}))
    assert address.endswith("must be a DNS name, not an IP address")
    assert wild.startswith('spec.rules[2].host: Invalid value: "a.*.com": a wildcard DNS-1123 subdomain must start with')
    assert tls.startswith('spec.tls[0].hosts[0]: Invalid value: "A": a lowercase RFC 1123 subdomain')


def test_ingress_classes() -> None:
    wrong = {"spec": {"controller": "x", "parameters": {"kind": "K", "name": "n", "scope": "Namespace"}}}
    assert texts(ingress.ingress_class(wrong)) == [
        'spec.controller: Invalid value: "x": must be a domain-prefixed path (such as "acme.io/foo")',
        "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
    ]
    one, other = ({"spec": {"controller": f"a.com/{name}"}} for name in "bc")
    assert texts(ingress.ingress_class_update(other, one)) == ['spec.controller: Invalid value: "a.com/c": field is immutable']


TEMPLATE = {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "b", "terminationMessagePolicy": "File",
                                                               "imagePullPolicy": "Always"}], "dnsPolicy": "ClusterFirst"}}  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, []),
        ({"completionMode": "Indexed"}, ["completions: Required value: when completion mode is Indexed"]),
        ({"backoffLimitPerIndex": 1}, ["backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode"]),
        ({"podReplacementPolicy": "X"}, ['podReplacementPolicy: Unsupported value: "X": supported values: "Failed", "TerminatingOrFailed"']),
        ({"podFailurePolicy": {"rules": [{"action": "Ignore"}]}},
         ["podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required"]),
        ({"podFailurePolicy": {"rules": [{"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2, 1], "containerName": "z"}}]}},
         ['podFailurePolicy.rules[0].onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod '
          "template", "podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,1]: must be ordered"]),
        ({"completionMode": "Indexed", "completions": 3, "successPolicy": {"rules": [{"succeededIndexes": "0-2,2"}, {"succeededCount": 4}]}},
         ['successPolicy.rules[0].succeededIndexes: Invalid value: "0-2,2": error parsing succeededIndexes: non-increasing order, previous: 2, '
          "current: 2", "successPolicy.rules[1].succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of specified completions)"]),
        ({"successPolicy": {"rules": []}}, ['successPolicy: Invalid value: {"rules":[]}: requires indexed completion mode']),
    ],
)  # fmt: skip
def test_jobs(spec: Obj, said: list[str]) -> None:
    found = [text for text in texts(jobs.spec_errors({"template": TEMPLATE, **spec}, "spec")) if ".template." not in text]
    assert found == [f"spec.{text}" for text in said]


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "100m"}}, []),
        ({"type": "Foo"}, ['.type: Invalid value: "Foo": must be a standard limit type or fully qualified']),
        ({"type": "Container", "max": {"cpu": "1"}, "min": {"cpu": "2"}}, ['.min[cpu]: Invalid value: "2": min value 2 is greater than max value 1']),
        ({"type": "Container", "default": {"memory": "2Gi"}, "max": {"memory": "1Gi"}},
         ['.default[memory]: Invalid value: "1Gi": default value 2Gi is greater than max value 1Gi']),
        ({"type": "Container", "max": {"pods": "1"}}, ['.max[pods]: Invalid value: "pods": must be a standard resource for containers']),
        ({"type": "Container", "max": {"cpu": "2"}, "min": {"cpu": "1"}, "maxLimitRequestRatio": {"cpu": "3"}},
         ['.maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000']),
        ({"type": "Pod", "default": {"cpu": "1"}}, [".default: Forbidden: may not be specified when `type` is 'Pod'"]),
        ({"type": "PersistentVolumeClaim"}, [".limits: Required value: either minimum or maximum storage value is required, but neither was provided"]),
    ],
)  # fmt: skip
def test_limit_ranges(limit: Obj, said: list[str]) -> None:
    assert texts(limits.limit_range({"spec": {"limits": [limit]}})) == [f"spec.limits[0]{text}" for text in said]


def test_endpoints_and_slices() -> None:
    subset = {"addresses": [{"ip": "169.254.1.1"}], "ports": [{"port": 80, "protocol": "TCP"}]}
    (error,) = texts(endpoints.endpoints({"subsets": [subset]}))
    assert error.endswith("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    found = {
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["fd00::1"]}, {"addresses": []}],
        "ports": [{"name": "", "protocol": "TCP"}],
    }
    assert texts(endpoints.slice_errors(found)) == [
        'endpoints[0].addresses: Invalid value: "fd00::1": must be an IPv4 address',
        "endpoints[1].addresses: Required value: must contain at least 1 address",
    ]


def test_replication_controllers_and_daemon_sets() -> None:
    controller = {"spec": {"replicas": 1, "selector": {"a": "b"}, "template": {"metadata": {"labels": {"a": "c"}}, **TEMPLATE}}}
    said = texts(workloads.replication_controller(controller))
    assert 'spec.template.metadata.labels: Invalid value: {"a":"c"}: `selector` does not match template `labels`' in said
    assert 'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"' in said
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": "10%"}}
    (both,) = [text for text in texts(workloads.daemon_set({"spec": {"updateStrategy": rolling}})) if "updateStrategy" in text]
    assert (
        both == 'spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: "10%": may not be set when maxUnavailable is non-zero'
    )


def test_small_kinds() -> None:
    assert texts(others.lease({"spec": {"leaseDurationSeconds": 0}})) == [
        "spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0"
    ]
    assert texts(others.runtime_class({"handler": ""})) == ["handler: Required value"]
    assert texts(others.runtime_class_update({"handler": "a"}, {"handler": "b"})) == [
        'handler: Invalid value: "a": field is immutable'
    ]
    assert texts(others.disruption_budget({"spec": {"maxUnavailable": "101%", "selector": {}}})) == [
        'spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%'
    ]
    (error,) = texts(storage.storage_class({"provisioner": "a b", "reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"}))
    assert error.startswith('provisioner: Invalid value: "a b": name part must consist of')
    spec = {
        "accessModes": ["ReadWriteOncePod", "ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "volumeMode": "X",
    }
    assert texts(core.claim({"spec": spec})) == [
        "spec.accessModes: Forbidden: may not use ReadWriteOncePod with other access modes",
        'spec.volumeMode: Unsupported value: "X": supported values: "Block", "Filesystem"',
    ]


def container(**more: Any) -> list[str]:
    """What is said of a pod with one such container."""
    held = {"name": "a", "image": "b", "imagePullPolicy": "Always", **more}
    spec = {"containers": [held], "restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "terminationGracePeriodSeconds": 30}
    return [text.removeprefix("spec.containers[0]") for text in texts(pod.pod_spec(spec, "spec"))]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"env": [{"name": "1 printable.name", "value": "x"}]}, []),
        ({"env": [{"name": "a=b"}]},
         [".env[0].name: Invalid value: \"a=b\": a valid environment variable name must consist only of printable ASCII characters other than '='"]),
        ({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.labels['x']"}}}]}, []),
        ({"env": [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "status.nope"}}}]},
         ['.env[0].valueFrom.fieldRef.fieldPath: Invalid value: "status.nope": error converting fieldPath: field label not supported: status.nope']),
        ({"envFrom": [{}]}, ['.envFrom: Invalid value: "": must specify one of: `configMapRef` or `secretRef`']),
        ({"lifecycle": {"preStop": {}}}, [".lifecycle.preStop: Required value: must specify a handler type"]),
        ({"ports": [{"containerPort": 0, "protocol": "TCP"}], "livenessProbe": {"exec": {}}},
         [".ports[0].containerPort: Required value", ".livenessProbe.exec.command: Required value"]),
        ({"securityContext": {"privileged": True, "allowPrivilegeEscalation": False}},
         ['.securityContext: Invalid value: {"privileged":true,"allowPrivilegeEscalation":false}: cannot set `allowPrivilegeEscalation` to false and '
          "`privileged` to true"]),
        ({"resources": {"limits": {"foo": "1"}}},
         ['.resources.limits[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
          '.resources.limits[foo]: Invalid value: "foo": must be a standard resource for containers']),
    ],
)  # fmt: skip
def test_containers(more: Obj, said: list[str]) -> None:
    assert container(**more) == said


@pytest.mark.parametrize(
    ("volume", "said"),
    [
        ({"hostPath": {"path": "/x"}, "emptyDir": {}}, [".hostPath: Forbidden: may not specify more than 1 volume type"]),
        ({"hostPath": {"path": "/x", "type": "Foo"}},
         ['.hostPath.type: Unsupported value: "Foo": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", '
          '"FileOrCreate", "Socket"']),
        ({"configMap": {"name": "c", "items": [{"key": "k", "path": "../x"}]}},
         ['.configMap.items[0].path: Invalid value: "../x": must not contain \'..\'']),
        ({"secret": {"secretName": "s", "defaultMode": 1000}},
         [".secret.defaultMode: Invalid value: 1000: must be a number between 0 and 0777 (octal), both inclusive"]),
        ({"projected": {"sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 5}}]}},
         [".projected.sources[0].serviceAccountToken.expirationSeconds: Invalid value: 5: may not specify a duration less than 10 minutes"]),
    ],
)  # fmt: skip
def test_sources_of_volumes(volume: Obj, said: list[str]) -> None:
    assert texts(podparts.source({"name": "v", **volume}, "at")) == [f"at{text}" for text in said]
