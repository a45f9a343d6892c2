"""Controllers that keep roles, tokens, service ranges, policies and claims in order; on the real API server."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from simulator.core.kernel import clock
from simulator.core.kube.api.objects import Obj
from simulator.core.kube.client import ApiError, Credentials, KubeClient
from simulator.core.kube.controllers import table
from simulator.core.kube.controllers.bootstrap_signer import detached_signature

from ..real_plane import RealPlane

RBAC = "rbac.authorization.k8s.io/v1"


@pytest.fixture
def plane() -> RealPlane:
    """A running control plane."""
    plane = RealPlane()
    plane.all(nodes=2)
    return plane


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def role(name: str, rules: list[Obj], labels: dict[str, str] | None = None, **more: Any) -> Obj:
    return {"apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": name, "labels": labels or {}}, "rules": rules, **more}


def test_every_controller_of_a_real_manager_is_known_by_name() -> None:
    assert len(set(table.ALL_NAMES)) == len(table.ALL_NAMES)
    assert set(table.ALIASES.values()) <= set(table.ALL_NAMES)


def test_an_aggregated_role_has_the_rules_of_those_its_selectors_take(plane: RealPlane) -> None:
    pods = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    nodes = {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}
    selectors = [{"matchLabels": {"part": "yes"}}]
    plane.client.create("clusterroles", None, role("whole", [], aggregationRule={"clusterRoleSelectors": selectors}))
    plane.client.create("clusterroles", None, role("b", [nodes, pods], {"part": "yes"}))
    plane.client.create("clusterroles", None, role("a", [pods], {"part": "yes"}))
    plane.client.create("clusterroles", None, role("other", [{**pods, "verbs": ["delete"]}]))
    plane.run(1)
    assert plane.get("clusterroles", "whole", "")["rules"] == [pods, nodes]
    plane.client.delete("clusterroles", None, "b")
    plane.run(1)
    found = plane.get("clusterroles", "whole", "")
    assert found["rules"] == [pods]
    managers = {m["manager"]: m["operation"] for m in found["metadata"]["managedFields"]}
    assert managers["clusterrole-aggregation-controller"] == "Apply"


def test_a_token_secret_is_filled_and_its_token_is_the_accounts(plane: RealPlane) -> None:
    meta = {"name": "robot-token", "annotations": {"kubernetes.io/service-account.name": "robot"}}
    plane.client.create("serviceaccounts", "default", {"kind": "ServiceAccount", "metadata": {"name": "robot"}})
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": meta}
    plane.client.create("secrets", "default", secret)
    plane.run(1)
    made = plane.get("secrets", "robot-token")
    account = plane.get("serviceaccounts", "robot")
    assert made["metadata"]["annotations"]["kubernetes.io/service-account.uid"] == account["metadata"]["uid"]
    assert base64.b64decode(made["data"]["namespace"]) == b"default"
    assert b"BEGIN CERTIFICATE" in base64.b64decode(made["data"]["ca.crt"])
    token = base64.b64decode(made["data"]["token"]).decode()
    robot = KubeClient(plane.world, plane.host, plane.client.server, Credentials(token=token), "robot")
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    who = robot.create("selfsubjectreviews", None, review)["status"]["userInfo"]
    assert who["username"] == "system:serviceaccount:default:robot"
    plane.client.delete("serviceaccounts", "default", "robot")
    plane.run(1)
    assert "robot-token" not in plane.names("secrets")
    with pytest.raises(ApiError, match="Unauthorized"):
        robot.create("selfsubjectreviews", None, review)


def test_a_token_secret_without_its_account_goes(plane: RealPlane) -> None:
    meta = {"name": "lost", "annotations": {"kubernetes.io/service-account.name": "nobody"}}
    secret = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token", "metadata": meta}
    plane.client.create("secrets", "default", secret)
    plane.run(1)
    assert "lost" not in plane.names("secrets")


def bootstrap_token(ident: str, **data: str) -> Obj:
    full = {"token-id": ident, "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true", **data}
    meta = {"name": f"bootstrap-token-{ident}", "namespace": "kube-system"}
    kind = "bootstrap.kubernetes.io/token"
    return {"kind": "Secret", "type": kind, "metadata": meta, "data": {name: encoded(text) for name, text in full.items()}}


def test_cluster_info_is_signed_by_every_token_and_expired_ones_go(plane: RealPlane) -> None:
    body = {"kind": "ConfigMap", "metadata": {"name": "cluster-info"}, "data": {"kubeconfig": "server: here\n"}}
    plane.client.create("configmaps", "kube-public", body)
    soon = clock.rfc3339(plane.world.wall + 60 * clock.SECOND)
    plane.client.create("secrets", "kube-system", bootstrap_token("abcdef"))
    plane.client.create("secrets", "kube-system", bootstrap_token("fedcba", expiration=soon))
    plane.client.create("secrets", "kube-system", bootstrap_token("silent", **{"usage-bootstrap-signing": "false"}))
    plane.run(1)
    data = plane.get("configmaps", "cluster-info", "kube-public")["data"]
    assert sorted(data) == ["jws-kubeconfig-abcdef", "jws-kubeconfig-fedcba", "kubeconfig"]
    assert data["jws-kubeconfig-abcdef"] == detached_signature("server: here\n", "abcdef", "0123456789abcdef")
    plane.run(61)
    assert "bootstrap-token-fedcba" not in plane.names("secrets", "kube-system")
    assert sorted(plane.get("configmaps", "cluster-info", "kube-public")["data"]) == ["jws-kubeconfig-abcdef", "kubeconfig"]


def test_a_detached_signature_is_a_compact_token_without_its_middle() -> None:
    head, middle, signature = detached_signature("x", "abcdef", "s").split(".")
    assert base64.urlsafe_b64decode(head + "==") == b'{"alg":"HS256","kid":"abcdef"}'
    assert (middle, len(signature)) == ("", 43)


def test_a_service_range_is_ready_and_stays_while_it_has_addresses(plane: RealPlane) -> None:
    body = {"apiVersion": "networking.k8s.io/v1", "kind": "ServiceCIDR", "metadata": {"name": "more"}}
    plane.client.create("servicecidrs", None, {**body, "spec": {"cidrs": ["10.200.0.0/24"]}})
    plane.run(1)
    made = plane.get("servicecidrs", "more", "")
    assert made["metadata"]["finalizers"] == ["networking.k8s.io/service-cidr-finalizer"]
    (ready,) = made["status"]["conditions"]
    assert (ready["type"], ready["status"], ready["message"]) == ("Ready", "True", "Kubernetes Service CIDR is ready")
    labels = {"ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io", "ipaddress.kubernetes.io/ip-family": "IPv4"}
    spec = {"parentRef": {"resource": "services", "namespace": "default", "name": "x"}}
    address = {"apiVersion": "networking.k8s.io/v1", "kind": "IPAddress", "metadata": {"name": "10.200.0.9", "labels": labels}}
    plane.client.create("ipaddresses", None, {**address, "spec": spec})
    plane.client.delete("servicecidrs", None, "more")
    plane.run(30)
    (ready,) = plane.get("servicecidrs", "more", "")["status"]["conditions"]
    assert (ready["status"], ready["reason"]) == ("False", "Terminating")
    plane.client.delete("ipaddresses", None, "10.200.0.9")
    plane.run(15)
    assert "more" not in plane.names("servicecidrs", "")


def test_a_policy_learns_which_generation_was_checked(plane: RealPlane) -> None:
    rules = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["deployments"]}]
    spec = {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": "true"}]}
    body = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}}
    plane.client.create("validatingadmissionpolicies", None, {**body, "spec": spec})
    plane.run(1)
    assert plane.get("validatingadmissionpolicies", "p", "")["status"]["observedGeneration"] == 1


def test_a_pods_ephemeral_volume_gets_its_claim_and_a_stranger_of_that_name_is_an_error(plane: RealPlane) -> None:
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}
    volumes = [{"name": "scratch", "ephemeral": {"volumeClaimTemplate": template}}]
    plane.pod("p", volumes=volumes)
    plane.run(1)
    claim = plane.get("persistentvolumeclaims", "p-scratch")
    (owner,) = claim["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["controller"]) == ("Pod", "p", True)
    plane.client.create(
        "persistentvolumeclaims", "default", {"kind": "PersistentVolumeClaim", "metadata": {"name": "q-scratch"}, **template}
    )
    plane.pod("q", volumes=volumes)
    plane.run(1)
    texts = plane.messages("FailedBinding")
    wanted = "ephemeral volume scratch: PVC default/q-scratch was not created for pod default/q (pod is not owner)"
    assert wanted in texts


def test_a_volume_attributes_class_stays_while_a_claim_names_it(plane: RealPlane) -> None:
    body = {"apiVersion": "storage.k8s.io/v1", "kind": "VolumeAttributesClass", "metadata": {"name": "fast"}, "driverName": "d"}
    plane.client.create("volumeattributesclasses", None, {**body, "parameters": {"iops": "3000"}})
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "volumeAttributesClassName": "fast"}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": spec}
    plane.client.create("persistentvolumeclaims", "default", claim)
    plane.run(1)
    assert plane.get("volumeattributesclasses", "fast", "")["metadata"]["finalizers"] == ["kubernetes.io/vac-protection"]
    plane.client.delete("volumeattributesclasses", None, "fast")
    plane.run(1)
    assert plane.names("volumeattributesclasses", "") == ["fast"]
    plane.client.delete("persistentvolumeclaims", "default", "c")
    plane.run(1)
    assert plane.names("volumeattributesclasses", "") == []


def test_a_driverless_volume_is_asked_for_and_the_pod_is_told_that_nobody_attaches_it(plane: RealPlane) -> None:
    csi = {"driver": "disk.example.com", "volumeHandle": "vol-1"}
    spec = {"capacity": {"storage": "1Gi"}, "accessModes": ["ReadWriteOnce"], "csi": csi, "storageClassName": "disk"}
    spec["claimRef"] = {"namespace": "default", "name": "data"}
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "pv"}, "spec": spec}
    plane.client.create("persistentvolumes", None, volume)
    wanted = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": "disk"}
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {**wanted, "volumeName": "pv"},
    }
    plane.client.create("persistentvolumeclaims", "default", claim)
    plane.pod("p", volumes=[{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}])
    plane.run(2)
    (attachment,) = plane.client.list("volumeattachments").items
    node = plane.get("pods", "p")["spec"]["nodeName"]
    assert attachment["spec"] == {"attacher": "disk.example.com", "nodeName": node, "source": {"persistentVolumeName": "pv"}}
    plane.run(125)
    assert plane.messages("FailedAttachVolume") == [
        'AttachVolume.Attach failed for volume "pv" : timed out waiting for external-attacher of disk.example.com CSI driver to '
        "attach volume vol-1"
    ]
    done = {"status": {"attached": True}}
    plane.client.patch("volumeattachments", None, attachment["metadata"]["name"], done, kind="merge", subresource="status")
    plane.run(1)
    assert [v["name"] for v in plane.get("nodes", node, "")["status"]["volumesAttached"]] == [
        "kubernetes.io/csi/disk.example.com^vol-1"
    ]
    plane.client.delete("pods", "default", "p", grace=0)
    plane.run(2)
    assert plane.client.list("volumeattachments").items == []
    assert not plane.get("nodes", node, "")["status"].get("volumesAttached")
