"""Who may do what: certificates, tokens, impersonation, RBAC and the node authoriser."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.core.host import x509
from simulator.core.host.x509 import KeyPair
from simulator.core.kernel.http import Request
from simulator.core.kube.client import ApiError, Credentials, KubeClient
from simulator.core.kube.kubeadm import pki
from tests.core.kube.apiserver.cluster import IP, NODE, ControlPlane, pod

SERVER = f"https://{IP}:6443"


def client_as(plane: ControlPlane, credentials: Credentials) -> KubeClient:
    return KubeClient(plane.world, NODE, SERVER, credentials, "test")


def acting(plane: ControlPlane, user: str, *groups: str) -> KubeClient:
    held = plane.client().credentials
    return client_as(plane, Credentials(cert=held.cert, impersonate=user, impersonate_groups=list(groups)))


def denied(client: KubeClient, resource: str, namespace: str = "default") -> str:
    with pytest.raises(ApiError) as caught:
        client.list(resource, namespace)
    return f"{caught.value.code} {caught.value.message}"


def test_nobody_is_anonymous_and_may_only_look_at_health(plane: ControlPlane) -> None:
    nobody = client_as(plane, Credentials())
    assert denied(nobody, "pods") == (
        '403 pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"'
    )
    assert nobody.request(Request(method="GET", path="/healthz")).status == 200
    assert nobody.request(Request(method="GET", path="/metrics")).status == 403


def test_a_certificate_of_another_authority_is_refused(plane: ControlPlane) -> None:
    other = x509.issue(plane.world, "other-ca", days=10)
    pair = x509.issue(plane.world, "admin", issuer=other, organizations=("system:masters",), client=True)
    assert denied(client_as(plane, Credentials(cert=pair.cert)), "pods") == "401 Unauthorized"
    assert denied(client_as(plane, Credentials(token="rubbish")), "pods") == "401 Unauthorized"


def test_rbac_grants_and_takes_back(plane: ControlPlane) -> None:
    admin, jane = plane.client(), acting(plane, "jane")
    rule = {"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}
    admin.create("roles", "default", {"metadata": {"name": "reader"}, "rules": [rule]})
    assert denied(jane, "pods").startswith("403 ")
    subject = {"kind": "User", "name": "jane"}
    binding = {"metadata": {"name": "jane"}, "roleRef": {"kind": "Role", "name": "reader"}, "subjects": [subject]}
    admin.create("rolebindings", "default", binding)
    assert jane.list("pods", "default").items == []
    assert denied(jane, "pods", "kube-system").startswith("403 ")
    admin.delete("rolebindings", "default", "jane")
    assert denied(jane, "pods").startswith("403 ")


def test_a_service_account_token_is_its_account_until_the_account_goes(plane: ControlPlane) -> None:
    admin = plane.client()
    token = admin.create("serviceaccounts", "default", {"spec": {}}, subresource="token", name="default")["status"]["token"]
    robot = client_as(plane, Credentials(token=token))
    assert 'User "system:serviceaccount:default:default" cannot list' in denied(robot, "pods")
    broken = client_as(plane, Credentials(token=token[:-3] + "abc"))
    assert denied(broken, "pods") == "401 Unauthorized"
    admin.delete("serviceaccounts", "default", "default")
    assert denied(robot, "pods") == "401 Unauthorized"


def test_a_kubelet_reads_only_what_its_pods_refer_to(plane: ControlPlane) -> None:
    admin = plane.client()
    for name in ("mine", "other"):
        admin.create("secrets", "default", {"metadata": {"name": name}})
    volume = {"name": "v", "secret": {"secretName": "mine"}}
    admin.create("pods", "default", pod(nodeName="node01", volumes=[volume]))
    ca = KeyPair(plane.read("/etc/kubernetes/pki/ca.crt"), plane.read("/etc/kubernetes/pki/ca.key"))
    text = pki.kubelet_kubeconfig(plane.world, ca, SERVER, "node01")
    kubelet = KubeClient.from_kubeconfig(plane.world, NODE, text, user_agent="kubelet")
    assert kubelet.get("secrets", "default", "mine")["metadata"]["name"] == "mine"
    with pytest.raises(ApiError) as caught:
        kubelet.get("secrets", "default", "other")
    assert "no relationship found between node 'node01' and this object" in caught.value.message
    assert kubelet.list("pods", field_selector="spec.nodeName=node01").items


NODE_CALLS = [
    ("list", "pods", {}, "can only list/watch pods with spec.nodeName field selector"),
    ("list", "pods", {"field_selector": "spec.nodeName=node02"}, "can only list/watch pods with spec.nodeName field selector"),
    ("list", "pods", {"field_selector": "spec.nodeName=node01"}, ""),
    ("list", "nodes", {}, "node 'node01' cannot read all nodes, only its own Node object"),
    ("list", "nodes", {"field_selector": "metadata.name=node02"}, "node 'node01' cannot read 'node02', only its own Node object"),
    ("list", "nodes", {"field_selector": "metadata.name=node01"}, ""),
    ("list", "leases", {}, "can only get, create, update, patch, or delete a node lease"),
    ("list", "services", {}, ""),
    ("list", "secrets", {}, "can only read namespaced object of this type"),
    ("list", "secrets", {"namespace": "default"}, "No Object name found"),
    (
        "list",
        "configmaps",
        {"namespace": "default", "field_selector": "metadata.name=no"},
        "no relationship found between node 'node01' and this object",
    ),
    ("list", "persistentvolumeclaims", {}, "can only get individual resources of this type"),
]


@pytest.mark.parametrize(("verb", "resource", "options", "said"), NODE_CALLS)
def test_a_kubelet_sees_its_own_node_and_pods_only(
    plane: ControlPlane, verb: str, resource: str, options: Any, said: str
) -> None:
    """AuthorizeNodeWithSelectors, stable since v1.34."""
    ca = KeyPair(plane.read("/etc/kubernetes/pki/ca.crt"), plane.read("/etc/kubernetes/pki/ca.key"))
    text = pki.kubelet_kubeconfig(plane.world, ca, SERVER, "node01")
    kubelet = KubeClient.from_kubeconfig(plane.world, NODE, text, user_agent="kubelet")
    try:
        getattr(kubelet, verb)(resource, **options)
        heard = ""
    except ApiError as refused:
        heard = refused.message
    assert heard.endswith(said) and bool(heard) == bool(said)


def test_reviews_answer_what_the_authoriser_would(plane: ControlPlane) -> None:
    asked = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "default"}}}
    assert plane.client().create("selfsubjectaccessreviews", None, asked)["status"]["allowed"]
    assert not acting(plane, "jane").create("selfsubjectaccessreviews", None, asked)["status"]["allowed"]
    who = acting(plane, "jane", "devs").create("selfsubjectreviews", None, {})
    assert who["status"]["userInfo"] == {"username": "jane", "groups": ["devs", "system:authenticated"]}
