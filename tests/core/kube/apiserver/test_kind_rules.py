"""What the server refuses of the smaller kinds: on creation, on update and of their status; and what it fills in."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from simulator.core.kube.api import kinds
from simulator.core.kube.client import ApiError, KubeClient
from tests.core.kube.apiserver.cluster import ControlPlane

Obj = dict[str, Any]
NO_LABEL = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"  # fmt: skip
POD = {"containers": [{"name": "c", "image": "nginx"}]}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
MATCH = {"matchLabels": {"a": "b"}}
SET = {"serviceName": "x", "selector": MATCH, "template": TEMPLATE}
LIMITED = {"type": "Limited", "limited": {"limitResponse": {"type": "Reject"}}}
CLAIM = {"metadata": {"name": "d"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
FLOW = {"priorityLevelConfiguration": {"name": "global-default"}, "matchingPrecedence": 500}
EVENT = {"involvedObject": {"kind": "Pod", "namespace": "default", "name": "p"}, "reason": "Test"}


@pytest.fixture(scope="module")
def client() -> KubeClient:
    return ControlPlane().client()


def body(kind: str, content: Obj, name: str = "x") -> Obj:
    row = kinds.by_resource(kind)
    version = f"{row.group}/{row.versions[0]}" if row.group else "v1"
    return {"apiVersion": version, "kind": row.kind, "metadata": {"name": name}, **content}


def refused(call: Any) -> list[str]:
    with pytest.raises(ApiError) as caught:
        call()
    assert caught.value.code == 422, caught.value.message
    return [
        f"{item['reason'].removeprefix('FieldValue')} {item['field']}: {item['message']}"
        for item in caught.value.status["details"]["causes"]
    ]


def where(kind: str) -> str | None:
    return "default" if kinds.by_resource(kind).namespaced else None


CREATIONS: list[tuple[str, Obj, list[str]]] = [
    ("configmaps", {"metadata": {"name": "x", "finalizers": ["mine"]}},
     ['Invalid metadata.finalizers[0]: Invalid value: "mine": name is neither a standard finalizer name nor is it fully qualified']),
    ("deployments", {"spec": {"selector": {}, "template": TEMPLATE}},
     ["Invalid spec.selector: Invalid value: {}: empty selector is invalid for deployment"]),
    ("deployments", {"spec": {"selector": MATCH}},
     ["Invalid spec.template.metadata.labels: Invalid value: null: `selector` does not match template `labels`",
      "Required spec.template.spec.containers: Required value"]),
    ("deployments", {"spec": {"selector": MATCH, "template": {**TEMPLATE, "spec": {**POD, "restartPolicy": "Never", "activeDeadlineSeconds": 3}}}},
     ['NotSupported spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
      "Forbidden spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported"]),
    ("deployments", {"spec": {"selector": MATCH, "template": TEMPLATE, "strategy": {"rollingUpdate": {"maxUnavailable": "101%", "maxSurge": "x"}}}},
     ['Invalid spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric string followed by an ending \'%\' '
      "(e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
      'Invalid spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%']),
    ("daemonsets", {"spec": {"selector": {}, "template": TEMPLATE}},
     ["Invalid spec.selector: Invalid value: {}: empty selector is invalid for daemonset"]),
    ("statefulsets", {"spec": {**SET, "podManagementPolicy": "Any", "updateStrategy": {"type": "OnDelete", "rollingUpdate": {"partition": 1}}}},
     ["Invalid spec.podManagementPolicy: Invalid value: \"Any\": must be 'OrderedReady' or 'Parallel'",
      "Invalid spec.updateStrategy.rollingUpdate: Invalid value: {\"Partition\":1,\"MaxUnavailable\":null}: only allowed for updateStrategy 'RollingUpdate'"]),
    ("statefulsets", {"spec": {**SET, "updateStrategy": {"rollingUpdate": {"partition": -1, "maxUnavailable": 0}}, "ordinals": {"start": -1},
                               "serviceName": "A", "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Keep"}}},
     ["Invalid spec.updateStrategy.rollingUpdate.partition: Invalid value: -1: must be greater than or equal to 0",
      "Invalid spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: 0: cannot be 0",
      'NotSupported spec.persistentVolumeClaimRetentionPolicy.whenScaled: Unsupported value: "Keep": supported values: "Retain", "Delete"',
      "Invalid spec.ordinals.start: Invalid value: -1: must be greater than or equal to 0",
      f'Invalid spec.serviceName: Invalid value: "A": {NO_LABEL}']),
    ("statefulsets", {"spec": {**SET, "volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {}}]}},
     ["Required spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required",
      "Required spec.volumeClaimTemplates[0].spec.resources[storage]: Required value"]),
    ("secrets", {"type": "kubernetes.io/basic-auth"}, ["Required data[username]: Required value", "Required data[password]: Required value"]),
    ("secrets", {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": base64.b64encode(b"{x").decode()}},
     ['Invalid data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": invalid character \'x\' looking for beginning of object key string']),
    ("resourcequotas", {"spec": {"hard": {"podz": "1", "pods": "1.5", "cpu": "-1"}}},
     ['Invalid spec.hard[cpu]: Invalid value: "-1": must be greater than or equal to 0',
      'Invalid spec.hard[pods]: Invalid value: "1500m": must be an integer',
      'Invalid spec.hard[podz]: Invalid value: "podz": must be a standard resource for quota']),
    ("nodes", {"spec": {"podCIDRs": ["10.0.0.0/24", "10.1.0.0/24"]}},
     ['Invalid spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one CIDR for each IP family']),
    ("events", {**EVENT, "involvedObject": {"namespace": "elsewhere"}},
     ['Invalid involvedObject.namespace: Invalid value: "elsewhere": does not match event.namespace']),
    ("events.events.k8s.io", {"regarding": {"namespace": "default"}, "type": "Odd"},
     ["Required eventTime: Required value", 'Invalid type: Invalid value: "": has invalid value: Odd']),
    ("events.events.k8s.io", {"regarding": {"namespace": "default"}, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "series": {"count": 1}},
     ["Required reportingController: Required value",
      "Invalid reportingController: Invalid value: \"\": name part must be non-empty",
      "Invalid reportingController: Invalid value: \"\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
      "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "Required reportingInstance: Required value", "Required action: Required value", "Required reason: Required value",
      'Invalid series.count: Invalid value: "": should be at least 2', "Required series.lastObservedTime: Required value"]),
    ("ipaddresses", {"metadata": {"name": "010.0.0.1"}, "spec": {}},
     ['Invalid metadata.name: Invalid value: "010.0.0.1": must not have leading 0s', "Required spec.parentRef: Required value"]),
    ("servicecidrs", {"spec": {"cidrs": ["10.0.0.0/24", "10.1.0.1/24"]}},
     ['Invalid spec.cidrs[1]: Invalid value: "10.1.0.1/24": must not have bits set beyond the prefix length',
      'Invalid spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.1/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and '
      "2001:db8::/64"]),
    ("networkpolicies", {"spec": {"podSelector": {}, "policyTypes": ["Both"], "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.1/8"}}]}]}},
     ['Invalid spec.ingress[0].from[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
      'NotSupported spec.policyTypes[0]: Unsupported value: "Both": supported values: "Ingress", "Egress"']),
    ("storageclasses", {"provisioner": "", "volumeBindingMode": "Later", "allowedTopologies": [{"matchLabelExpressions": [{"key": "zone", "values": ["a", "a"]}]}]},
     ["Required provisioner: Required value",
      'NotSupported volumeBindingMode: Unsupported value: "Later": supported values: "Immediate", "WaitForFirstConsumer"',
      'Duplicate allowedTopologies[0].matchLabelExpressions[0].values[1]: Duplicate value: "a"']),
    ("csidrivers", {"spec": {"fsGroupPolicy": "Any", "tokenRequests": [{"audience": "a", "expirationSeconds": 10}, {"audience": "a"}],
                             "volumeLifecycleModes": ["Odd"], "nodeAllocatableUpdatePeriodSeconds": 5}},
     ['NotSupported spec.fsGroupPolicy: Unsupported value: "Any": supported values: "File", "None", "ReadWriteOnceWithFSType"',
      "Invalid spec.tokenRequests[0].expirationSeconds: Invalid value: 10: may not specify a duration less than 10 minutes",
      'Duplicate spec.tokenRequests[1].audience: Duplicate value: "a"',
      'NotSupported spec.volumeLifecycleModes: Unsupported value: "Odd": supported values: "Persistent", "Ephemeral"',
      "Invalid spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 5: must be greater than or equal to 10 seconds"]),
    ("csinodes", {"spec": {"drivers": [{"name": "a", "nodeID": ""}, {"name": "a", "nodeID": "n", "allocatable": {"count": -1}}]}},
     ["Required spec.drivers[0].nodeID: Required value",
      "Invalid spec.drivers[1].allocatable.count: Invalid value: -1: must be greater than or equal to 0",
      'Duplicate spec.drivers[1].name: Duplicate value: "a"']),
    ("volumeattachments", {"spec": {"attacher": "", "nodeName": "n", "source": {}}},
     ["Required spec.attacher: Required value",
      "Required spec.source: Required value: must specify exactly one of inlineVolumeSpec and persistentVolumeName"]),
    ("volumeattributesclasses", {"driverName": "d.example.com"}, ["Required parameters: Required value: must contain at least one key/value pair"]),
    ("flowschemas", {"spec": {"matchingPrecedence": 10001, "rules": [{"subjects": [{"kind": "Robot"}]}]}},
     ["Invalid spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000",
      "Required spec.priorityLevelConfiguration.name: Required value: must reference a priority level",
      'NotSupported spec.rules[0].subjects[0].kind: Unsupported value: "Robot": supported values: "Group", "ServiceAccount", "User"',
      "Required spec.rules[0]: Required value: at least one of resourceRules and nonResourceRules has to be non-empty"]),
    ("flowschemas", {"spec": {**FLOW, "rules": [{"subjects": [{"kind": "User", "user": {"name": "u"}, "group": {"name": "g"}}],
                                                 "nonResourceRules": [{"verbs": ["look"], "nonResourceURLs": ["a", "/b*"]}]}]}},
     ["Forbidden spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind is not 'Group'",
      'NotSupported spec.rules[0].nonResourceRules[0].verbs: Unsupported value: ["look"]: supported values: "create", "delete", "deletecollection", "get", '
      '"list", "patch", "proxy", "update", "watch"',
      'Invalid spec.rules[0].nonResourceRules[0].nonResourceURLs[0]: Invalid value: "a": must start with slash',
      'Invalid spec.rules[0].nonResourceRules[0].nonResourceURLs[1]: Invalid value: "/b*": wildcard can only do suffix matching']),
    ("prioritylevelconfigurations", {"spec": {"type": "Exempt", "limited": {}}},
     ["Invalid spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
      "Forbidden spec.limited: Forbidden: must be nil if the type is not Limited"]),
    ("prioritylevelconfigurations",
     {"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": -1, "lendablePercent": 101, "borrowingLimitPercent": -1,
                                              "limitResponse": {"type": "Queue", "queuing": {"queues": 4, "handSize": 5}}}}},
     ["Invalid spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer",
      "Invalid spec.limited.limitResponse.queuing.handSize: Invalid value: 5: should not be greater than queues (4)",
      "Invalid spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive",
      "Invalid spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer"]),
    ("podtemplates", {}, ["Required template.spec.containers: Required value"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "wanted"), CREATIONS)
def test_creations_that_are_refused(client: KubeClient, kind: str, content: Obj, wanted: list[str]) -> None:
    assert refused(lambda: client.create(kind, where(kind), body(kind, content))) == wanted


UPDATES: list[tuple[str, Obj, Obj, list[str]]] = [
    ("statefulsets", {"spec": SET}, {"spec": {"serviceName": "y"}},
     ["Forbidden spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', "
      "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"]),
    ("resourcequotas", {"spec": {"hard": {"pods": "1"}, "scopes": ["BestEffort"]}}, {"spec": {"scopes": ["NotBestEffort"]}},
     ['Invalid spec.scopes: Invalid value: ["NotBestEffort"]: field is immutable']),
    ("nodes", {"spec": {"podCIDR": "10.9.0.0/24", "podCIDRs": ["10.9.0.0/24"], "providerID": "a://b"}},
     {"spec": {"podCIDR": "10.8.0.0/24", "podCIDRs": ["10.8.0.0/24"], "providerID": "a://c"}},
     ['Forbidden spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
      'Forbidden spec.providerID: Forbidden: node updates may not change providerID except from "" to valid']),
    ("ipaddresses", {"metadata": {"name": "192.168.4.4"}, "spec": {"parentRef": {"resource": "services", "namespace": "default", "name": "s"}}},
     {"spec": {"parentRef": {"name": "t"}}},
     ['Invalid spec.parentRef: Invalid value: {"Group":"","Resource":"services","Namespace":"default","Name":"t"}: field is immutable']),
    ("servicecidrs", {"spec": {"cidrs": ["10.200.0.0/24"]}}, {"spec": {"cidrs": ["10.201.0.0/24"]}},
     ['Invalid spec.cidrs[0]: Invalid value: "10.201.0.0/24": field is immutable']),
    ("storageclasses", {"provisioner": "a.example.com"}, {"provisioner": "b.example.com", "reclaimPolicy": "Retain", "parameters": {"a": "b"}},
     ['Invalid parameters: Invalid value: {"a":"b"}: field is immutable', 'Invalid provisioner: Invalid value: "b.example.com": field is immutable',
      'Invalid reclaimPolicy: Invalid value: "Retain": field is immutable']),
    ("csidrivers", {"spec": {}}, {"spec": {"attachRequired": False}},
     ["Invalid spec.attachedRequired: Invalid value: false: field is immutable"]),
    ("csinodes", {"spec": {"drivers": [{"name": "d", "nodeID": "n"}]}}, {"spec": {"drivers": [{"name": "d", "nodeID": "m", "allocatable": {"count": 3}}]}},
     ['Invalid spec.drivers: Invalid value: {"Name":"d","NodeID":"m","TopologyKeys":null,"Allocatable":null}: field is immutable']),
    ("csistoragecapacities", {"storageClassName": "a"}, {"storageClassName": "b"}, ['Invalid storageClassName: Invalid value: "b": field is immutable']),
    ("volumeattachments", {"spec": {"attacher": "a", "nodeName": "n", "source": {"persistentVolumeName": "p"}}}, {"spec": {"nodeName": "m"}},
     ['Invalid spec: Invalid value: {"Attacher":"a","Source":{"PersistentVolumeName":"p","InlineVolumeSpec":null},"NodeName":"m"}: field is immutable']),
    ("volumeattributesclasses", {"driverName": "d.example.com", "parameters": {"a": "b"}}, {"parameters": {"a": "c"}},
     ["Forbidden parameters: Forbidden: updates to parameters are forbidden."]),
    ("events.events.k8s.io", {"regarding": {"namespace": "default"}, "eventTime": "2026-01-01T00:00:00.000000Z", "type": "Normal", "reason": "R",
                              "action": "A", "reportingController": "c", "reportingInstance": "i"},
     {"reason": "S", "note": "n"},
     ['Invalid reason: Invalid value: "S": field is immutable', 'Invalid message: Invalid value: "n": field is immutable']),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "change", "wanted"), UPDATES)
def test_updates_that_are_refused(client: KubeClient, kind: str, content: Obj, change: Obj, wanted: list[str]) -> None:
    made = client.create(kind, where(kind), body(kind, content, "updated"))
    name = made["metadata"]["name"]
    assert refused(lambda: client.patch(kind, where(kind), name, change, kind="merge")) == wanted
    client.delete(kind, where(kind), name)


STATUSES: list[tuple[str, Obj, Obj, list[str]]] = [
    ("deployments", {"spec": {"selector": MATCH, "template": TEMPLATE}}, {"replicas": 1, "readyReplicas": 2, "availableReplicas": 3},
     ["Invalid status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas",
      "Invalid status.availableReplicas: Invalid value: 3: cannot be greater than status.replicas",
      "Invalid status.availableReplicas: Invalid value: 3: cannot be greater than readyReplicas"]),
    ("daemonsets", {"spec": {"selector": MATCH, "template": TEMPLATE}}, {"numberReady": -1},
     ["Invalid status.numberReady: Invalid value: -1: must be greater than or equal to 0"]),
    ("resourcequotas", {"spec": {"hard": {"pods": "1"}}}, {"used": {"pods": "-1"}},
     ['Invalid status.used[pods]: Invalid value: "-1": must be greater than or equal to 0']),
    ("nodes", {}, {"addresses": [{"type": "InternalIP", "address": "1.2.3.4"}, {"type": "InternalIP", "address": "1.2.3.4"}]},
     ['Duplicate status.addresses[1]: Duplicate value: {"Type":"InternalIP","Address":"1.2.3.4"}']),
    ("flowschemas", {"spec": FLOW}, {"conditions": [{"type": "A"}, {"type": "A"}]},
     ['Duplicate status.conditions[1].type: Duplicate value: "A"']),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "status", "wanted"), STATUSES)
def test_statuses_that_are_refused(client: KubeClient, kind: str, content: Obj, status: Obj, wanted: list[str]) -> None:
    client.create(kind, where(kind), body(kind, content, "counted"))
    call = {"status": status}
    assert refused(lambda: client.patch(kind, where(kind), "counted", call, kind="merge", subresource="status")) == wanted
    client.delete(kind, where(kind), "counted")


def test_what_the_server_itself_made_is_fixed(client: KubeClient) -> None:
    (said,) = refused(
        lambda: client.patch("flowschemas", None, "catch-all", {"spec": {"matchingPrecedence": 9999}}, kind="merge")
    )
    assert said.startswith("Invalid spec: Invalid value: {") and said.endswith("spec of 'catch-all' must equal the fixed value")
    exempt = client.patch(
        "prioritylevelconfigurations", None, "exempt", {"spec": {"exempt": {"lendablePercent": 5}}}, kind="merge"
    )
    assert exempt["spec"]["exempt"]["lendablePercent"] == 5
    client.patch("flowschemas", None, "service-accounts", {"metadata": {"labels": {"a": "b"}}}, kind="merge")


def test_defaults_and_generations(client: KubeClient) -> None:
    level = client.create("prioritylevelconfigurations", None, body("prioritylevelconfigurations", {"spec": {
        "type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {}}}}}))["spec"]["limited"]  # fmt: skip
    assert (level["nominalConcurrencyShares"], level["lendablePercent"]) == (30, 0)
    assert level["limitResponse"]["queuing"] == {"queues": 64, "handSize": 8, "queueLengthLimit": 50}
    flow = client.create("flowschemas", None, body("flowschemas", {"spec": {"priorityLevelConfiguration": {"name": "x"}}}))
    assert flow["spec"]["matchingPrecedence"] == 1000
    driver = client.create("csidrivers", None, body("csidrivers", {"spec": {}}))
    assert "generation" not in driver["metadata"]
    changed = client.patch("csidrivers", None, "x", {"spec": {"podInfoOnMount": True}}, kind="merge")
    assert changed["metadata"]["generation"] == 1
    template = client.create("podtemplates", "default", body("podtemplates", {"template": TEMPLATE}))
    assert template["template"]["spec"]["restartPolicy"] == "Always" and template["metadata"]["generation"] == 1


def test_some_kinds_want_to_know_what_they_replace(client: KubeClient) -> None:
    """`AllowUnconditionalUpdate` and `AllowCreateOnUpdate`."""
    handler = client.update("runtimeclasses", body("runtimeclasses", {"handler": "h"}, "new"))
    assert handler["metadata"]["uid"]
    wanted = ["Invalid metadata.resourceVersion: Invalid value: 0: must be specified for an update"]
    assert refused(lambda: client.update("runtimeclasses", body("runtimeclasses", {"handler": "h"}, "new"))) == wanted
    hooks = body("validatingwebhookconfigurations", {"webhooks": []})
    client.create("validatingwebhookconfigurations", None, hooks)
    assert refused(lambda: client.update("validatingwebhookconfigurations", hooks)) == wanted
