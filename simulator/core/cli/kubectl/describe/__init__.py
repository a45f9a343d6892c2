"""`kubectl describe`: one row a kind in `DESCRIBERS` (`kubectl/pkg/describe/describe.go`: `describerMap`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..mapper import Mapping
from ..session import Session
from . import cluster, config, networking, pods, policy, storage, workloads
from .doc import Doc
from .generic import generic

Obj = dict[str, Any]
Describer = Callable[[Doc, Obj], None]

DESCRIBERS: dict[tuple[str, str], Describer] = {
    ("", "Pod"): pods.pod,
    ("", "ReplicationController"): workloads.replication_controller,
    ("", "Secret"): config.secret,
    ("", "Service"): networking.service,
    ("", "ServiceAccount"): config.service_account,
    ("", "Node"): cluster.node,
    ("", "LimitRange"): cluster.limit_range,
    ("", "ResourceQuota"): cluster.quota,
    ("", "PersistentVolume"): storage.volume,
    ("", "PersistentVolumeClaim"): storage.claim,
    ("", "Namespace"): cluster.namespace,
    ("", "Endpoints"): networking.endpoints,
    ("", "ConfigMap"): config.config_map,
    ("scheduling.k8s.io", "PriorityClass"): cluster.priority_class,
    ("discovery.k8s.io", "EndpointSlice"): networking.endpoint_slice,
    ("autoscaling", "HorizontalPodAutoscaler"): policy.autoscaler,
    ("networking.k8s.io", "Ingress"): networking.ingress,
    ("networking.k8s.io", "IngressClass"): networking.ingress_class,
    ("networking.k8s.io", "ServiceCIDR"): networking.service_cidr,
    ("networking.k8s.io", "IPAddress"): networking.ip_address,
    ("networking.k8s.io", "NetworkPolicy"): networking.network_policy,
    ("batch", "Job"): workloads.job,
    ("batch", "CronJob"): workloads.cron_job,
    ("apps", "StatefulSet"): workloads.stateful_set,
    ("apps", "Deployment"): workloads.deployment,
    ("apps", "DaemonSet"): workloads.daemon_set,
    ("apps", "ReplicaSet"): workloads.replica_set,
    ("certificates.k8s.io", "CertificateSigningRequest"): config.signing_request,
    ("storage.k8s.io", "StorageClass"): storage.storage_class,
    ("storage.k8s.io", "CSINode"): storage.csi_node,
    ("storage.k8s.io", "VolumeAttributesClass"): storage.attributes_class,
    ("policy", "PodDisruptionBudget"): policy.budget,
    ("rbac.authorization.k8s.io", "Role"): policy.role,
    ("rbac.authorization.k8s.io", "ClusterRole"): policy.role,
    ("rbac.authorization.k8s.io", "RoleBinding"): policy.binding,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): policy.binding,
}


def describe(session: Session, mapping: Mapping, obj: Obj, *, events: bool = True) -> str:
    """The description of one object."""
    doc = Doc(session, events)
    obj = {"apiVersion": mapping.api_version, "kind": mapping.kind.kind, **obj}
    DESCRIBERS.get((mapping.kind.group, mapping.kind.kind), generic)(doc, obj)
    return doc.text()
