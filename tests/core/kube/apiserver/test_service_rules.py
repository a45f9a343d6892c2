"""What the server says of Services: defaults, what it gives them, what it refuses, and what updates may change."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.kernel.http import Request
from simulator.core.kube.client import ApiError, KubeClient
from tests.core.kube.apiserver.cluster import ControlPlane

Obj = dict[str, Any]
PATH = "/api/v1/namespaces/default/services"


@pytest.fixture(scope="module")
def client() -> KubeClient:
    return ControlPlane().client()


def service(name: str = "web", **spec: Any) -> Obj:
    body = {"selector": {"app": "web"}, "ports": [{"port": 80}], **spec}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {k: v for k, v in body.items() if v is not None},
    }


def refusals(call: Any) -> list[str]:
    with pytest.raises(ApiError) as caught:
        call()
    assert caught.value.code == 422
    return [
        f"{item['reason'].removeprefix('FieldValue')} {item['field']}: {item['message']}"
        for item in caught.value.status["details"]["causes"]
    ]


CREATIONS: list[tuple[Obj, list[str]]] = [
    ({"ports": None}, ["Required spec.ports: Required value"]),
    ({"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}},
     ["Invalid spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400"]),
    ({"type": "ExternalName", "ports": None}, ["Required spec.externalName: Required value"]),
    ({"type": "ExternalName", "externalName": "a.example.com.", "clusterIP": "10.96.9.9"},
     ["Forbidden spec.clusterIPs: Forbidden: may not be set for ExternalName services"]),
    ({"type": "LoadBalancer", "clusterIP": "None"},
     ["Invalid spec.clusterIPs[0]: Invalid value: \"None\": may not be set to 'None' for LoadBalancer services"]),
    ({"ipFamilyPolicy": "RequireDualStack"},
     ['Invalid spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services']),
    ({"ipFamilies": ["IPv6"]}, ['Invalid spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']),
    ({"ipFamilies": ["IPv4", "IPv4"], "ipFamilyPolicy": "Both"},
     ['Duplicate spec.ipFamilies[1]: Duplicate value: "IPv4"',
      'NotSupported spec.ipFamilyPolicy: Unsupported value: "Both": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"']),
    ({"clusterIP": "10.96.1.1", "clusterIPs": ["10.96.1.2"]},
     ['Invalid spec.clusterIPs: Invalid value: ["10.96.1.2"]: first value must match `clusterIP`']),
    ({"clusterIPs": ["10.96.1.2"]},
     ['Invalid spec.clusterIPs: Invalid value: ["10.96.1.2"]: must be empty when `clusterIP` is not specified']),
    ({"clusterIP": "x"}, ['Invalid spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']),
    ({"clusterIP": "010.96.1.1"}, ['Invalid spec.clusterIPs[0]: Invalid value: "010.96.1.1": must not have leading 0s']),
    ({"clusterIP": "fd00::1"}, ['Invalid spec.clusterIPs[0]: Invalid value: ["fd00::1"]: IPv6 is not configured on this cluster']),
    ({"clusterIP": "10.96.0.0"},
     ['Invalid spec.clusterIPs: Invalid value: ["10.96.0.0"]: failed to allocate IP 10.96.0.0: the provided IP (10.96.0.0) is not in the valid '
      "range. The range of valid IPs is 10.96.0.0/12"]),
    ({"ports": [{"port": 80, "nodePort": 30001}]}, ["Forbidden spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]),
    ({"ports": [{"name": "a", "port": 80}, {"name": "b", "port": 80}]},
     ['Duplicate spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}']),
    ({"ports": [{"port": 80, "appProtocol": "-x"}]},
     ['Invalid spec.ports[0].appProtocol: Invalid value: "-x": name part must consist of alphanumeric characters, \'-\', \'_\' or \'.\', and must '
      "start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
      "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"]),
    ({"externalIPs": ["127.0.0.1"]},
     ['Invalid spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']),
    ({"loadBalancerSourceRanges": ["10.0.0.1/8"]},
     ["Forbidden spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
      'Invalid spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length']),
    ({"allocateLoadBalancerNodePorts": False, "loadBalancerClass": "a/b"},
     ["Forbidden spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
      "Forbidden spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"]),
    ({"externalTrafficPolicy": "Local", "internalTrafficPolicy": "Near", "healthCheckNodePort": 30000, "trafficDistribution": "Far"},
     ['Invalid spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
      "Invalid spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      'NotSupported spec.internalTrafficPolicy: Unsupported value: "Near": supported values: "Cluster", "Local"',
      'NotSupported spec.trafficDistribution: Unsupported value: "Far": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"']),
    ({"type": "NodePort", "externalTrafficPolicy": "Both"},
     ['NotSupported spec.externalTrafficPolicy: Unsupported value: "Both": supported values: "Cluster", "Local"']),
    ({"type": "Other"}, ['NotSupported spec.type: Unsupported value: "Other": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "wanted"), CREATIONS)
def test_creations_that_are_refused(client: KubeClient, spec: Obj, wanted: list[str]) -> None:
    before = [item["metadata"]["name"] for item in client.list("ipaddresses").items]
    assert refusals(lambda: client.create("services", "default", service(**spec))) == wanted
    assert [item["metadata"]["name"] for item in client.list("ipaddresses").items] == before


def test_what_a_service_is_given(client: KubeClient) -> None:
    made = client.create("services", "default", service("plain"))["spec"]
    assert made["clusterIPs"] == [made["clusterIP"]] and client.get("ipaddresses", None, made["clusterIP"])
    assert (made["ipFamilies"], made["ipFamilyPolicy"], made["internalTrafficPolicy"]) == (["IPv4"], "SingleStack", "Cluster")
    bare = client.create("services", "default", service("bare", clusterIP="None", selector=None))["spec"]
    assert (bare["ipFamilies"], bare["ipFamilyPolicy"], bare["clusterIPs"]) == (["IPv4", "IPv6"], "RequireDualStack", ["None"])
    prefer = client.create("services", "default", service("prefer", ipFamilyPolicy="PreferDualStack"))["spec"]
    assert (prefer["ipFamilies"], len(prefer["clusterIPs"])) == (["IPv4"], 1)
    both = [{"name": "t", "port": 53, "protocol": "TCP"}, {"name": "u", "port": 53, "protocol": "UDP"}]
    dns = client.create("services", "default", service("dns", type="NodePort", ports=both))["spec"]["ports"]
    assert dns[0]["nodePort"] == dns[1]["nodePort"]  # one number for both protocols of a port
    local = client.create("services", "default", service("local", type="LoadBalancer", externalTrafficPolicy="Local"))["spec"]
    assert 30000 <= local["healthCheckNodePort"] <= 32767 and local["allocateLoadBalancerNodePorts"] is True
    without = client.create("services", "default", service("without", type="LoadBalancer", allocateLoadBalancerNodePorts=False))[
        "spec"
    ]
    assert "nodePort" not in without["ports"][0]
    taken = service("again", type="NodePort", ports=[{"port": 80, "nodePort": local["healthCheckNodePort"]}])
    assert refusals(lambda: client.create("services", "default", taken)) == [
        f"Invalid spec.ports[0].nodePort: Invalid value: {local['healthCheckNodePort']}: provided port is already allocated"
    ]


def test_types_that_change(client: KubeClient) -> None:
    made = client.create("services", "default", service("turning", type="NodePort"))
    address, port = made["spec"]["clusterIP"], made["spec"]["ports"][0]["nodePort"]
    out = client.patch("services", "default", "turning", {"spec": {"type": "ClusterIP"}})["spec"]
    assert "nodePort" not in out["ports"][0] and "externalTrafficPolicy" not in out and out["clusterIP"] == address
    out = client.patch("services", "default", "turning", {"spec": {"type": "ExternalName", "externalName": "a.example.com"}})[
        "spec"
    ]
    assert not {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"} & set(out)
    with pytest.raises(ApiError, match="not found"):
        client.get("ipaddresses", None, address)
    out = client.patch("services", "default", "turning", {"spec": {"type": "LoadBalancer", "externalName": None}})["spec"]
    assert client.get("ipaddresses", None, out["clusterIP"])["spec"]["parentRef"]["name"] == "turning"
    assert out["ports"][0]["nodePort"] and port
    renamed = client.patch("services", "default", "turning", {"spec": {"ports": [{"port": 80, "targetPort": 8080}]}})["spec"]
    assert renamed["ports"][0]["nodePort"] == out["ports"][0]["nodePort"]
    client.delete("services", "default", "turning")
    assert out["clusterIP"] not in [item["metadata"]["name"] for item in client.list("ipaddresses").items]


CHANGES: list[tuple[Obj, list[str]]] = [
    ({"clusterIP": "10.96.3.3", "clusterIPs": ["10.96.3.3"]},
     ['Invalid spec.clusterIPs[0]: Invalid value: ["10.96.3.3"]: may not change once set']),
    ({"clusterIP": "10.96.3.3"}, ['Invalid spec.clusterIPs[0]: Invalid value: ["10.96.3.3"]: may not change once set']),
    ({"ipFamilyPolicy": "RequireDualStack"},
     ['Invalid spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services']),
    ({"loadBalancerClass": "other.example/c"},
     ['Invalid spec.loadBalancerClass: Invalid value: "other.example/c": may not change once set']),
    ({"healthCheckNodePort": 31999}, ["Forbidden spec.healthCheckNodePort: Forbidden: field is immutable"]),
    ({"type": "ClusterIP", "healthCheckNodePort": 31999},
     ["Invalid spec.healthCheckNodePort: Invalid value: 31999: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def balanced(client: KubeClient) -> Obj:
    spec = {"type": "LoadBalancer", "loadBalancerClass": "example.com/class", "externalTrafficPolicy": "Local"}
    return client.create("services", "default", service("balanced", **spec))


@pytest.mark.parametrize(("change", "wanted"), CHANGES)
def test_updates_that_are_refused(client: KubeClient, balanced: Obj, change: Obj, wanted: list[str]) -> None:
    assert refusals(lambda: client.patch("services", "default", "balanced", {"spec": change}, kind="merge")) == wanted


def test_the_load_balancers_status(client: KubeClient, balanced: Obj) -> None:
    def put(*ingress: Obj) -> Obj:
        patch = {"status": {"loadBalancer": {"ingress": list(ingress)}}}
        return client.patch("services", "default", "balanced", patch, kind="merge", subresource="status")

    assert put({"ip": "203.0.113.5"})["status"]["loadBalancer"]["ingress"] == [{"ip": "203.0.113.5", "ipMode": "VIP"}]
    assert refusals(lambda: put({"ipMode": "Proxy"}, {"hostname": "10.0.0.1"}, {"ip": "1.2.3.4", "ipMode": "Odd"})) == [
        "Forbidden status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set",
        'Invalid status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
        'NotSupported status.loadBalancer.ingress[2].ipMode: Unsupported value: "Odd": supported values: "Proxy", "VIP"',
    ]


def test_warnings_and_dry_runs(client: KubeClient) -> None:
    body = service(
        "warned", externalIPs=["203.0.113.9"], externalName="x.example", trafficDistribution="PreferClose", type="NodePort"
    )
    answer = client.request(Request(method="POST", path=PATH, query={"dryRun": ["All"]}, obj=body))
    assert answer.status == 201 and answer.obj is not None
    assert answer.headers["warning"].split('299 - "')[1:] == [
        'spec.externalIPs is deprecated and may no longer be implemented in some clusters", ',
        'spec.externalName is ignored when spec.type is not \\"ExternalName\\"", ',
        'spec.trafficDistribution: \\"PreferClose\\" is deprecated; use \\"PreferSameZone\\""',
    ]
    assert (answer.obj["spec"]["clusterIP"], answer.obj["spec"]["ports"][0]["nodePort"]) == ("10.96.0.0", 32769)
    assert "10.96.0.0" not in [item["metadata"]["name"] for item in client.list("ipaddresses").items]


def test_two_families() -> None:
    plane = ControlPlane()
    plane.server.config.second_service_cidr = "fd00:10:96::/112"
    client = plane.client()
    two = client.create("services", "default", service("two", ipFamilyPolicy="RequireDualStack"))["spec"]
    assert two["ipFamilies"] == ["IPv4", "IPv6"] and two["clusterIPs"][1].startswith("fd00:10:96::")
    assert (
        client.get("ipaddresses", None, two["clusterIPs"][1])["metadata"]["labels"]["ipaddress.kubernetes.io/ip-family"] == "IPv6"
    )
    one = client.patch("services", "default", "two", {"spec": {"ipFamilyPolicy": "SingleStack"}})["spec"]
    assert (one["ipFamilies"], one["clusterIPs"]) == (["IPv4"], two["clusterIPs"][:1])
    assert two["clusterIPs"][1] not in [item["metadata"]["name"] for item in client.list("ipaddresses").items]
    assert (
        len(client.patch("services", "default", "two", {"spec": {"ipFamilyPolicy": "PreferDualStack"}})["spec"]["clusterIPs"])
        == 2
    )
    kept = {"ipFamilies": ["IPv6", "IPv4"]}
    assert refusals(lambda: client.patch("services", "default", "two", {"spec": kept}, kind="merge"))
