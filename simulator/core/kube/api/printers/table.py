"""Which printer prints which kind: one visible row a kind; those without one show their name and age."""

from __future__ import annotations

from typing import Any

from ..kinds import KindInfo
from . import core, custom, others, pods, workloads
from .base import Printer, age, name

Obj = dict[str, Any]
ADM, NET, RBAC = "admissionregistration.k8s.io", "networking.k8s.io", "rbac.authorization.k8s.io"
STORE, RES, FLOW = "storage.k8s.io", "resource.k8s.io", "flowcontrol.apiserver.k8s.io"

DEFAULT = Printer("Name|Age", lambda obj, wall: [name(obj), age(obj, wall)])
CREATED = Printer("Name|Created At:date", lambda obj, wall: [name(obj), obj["metadata"].get("creationTimestamp", "")])

PRINTERS: dict[tuple[str, str], Printer] = {
    ("", "ComponentStatus"): core.COMPONENT,
    ("", "ConfigMap"): core.CONFIG_MAP,
    ("", "Endpoints"): core.ENDPOINTS,
    ("", "Event"): core.EVENT,
    ("", "LimitRange"): CREATED,
    ("", "Namespace"): core.NAMESPACE,
    ("", "Node"): core.NODE,
    ("", "PersistentVolume"): core.VOLUME,
    ("", "PersistentVolumeClaim"): core.CLAIM,
    ("", "Pod"): pods.POD,
    ("", "PodTemplate"): pods.POD_TEMPLATE,
    ("", "ReplicationController"): workloads.CONTROLLER,
    ("", "ResourceQuota"): core.QUOTA,
    ("", "Secret"): core.SECRET,
    ("", "Service"): core.SERVICE,
    (ADM, "MutatingAdmissionPolicy"): others.MUTATING_POLICY,
    (ADM, "MutatingAdmissionPolicyBinding"): others.POLICY_BINDING,
    (ADM, "MutatingWebhookConfiguration"): others.WEBHOOKS,
    (ADM, "ValidatingAdmissionPolicy"): others.VALIDATING_POLICY,
    (ADM, "ValidatingAdmissionPolicyBinding"): others.POLICY_BINDING,
    (ADM, "ValidatingWebhookConfiguration"): others.WEBHOOKS,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): others.CRD,
    ("apiregistration.k8s.io", "APIService"): others.API_SERVICE,
    ("apps", "ControllerRevision"): workloads.REVISION,
    ("apps", "DaemonSet"): workloads.DAEMON_SET,
    ("apps", "Deployment"): workloads.DEPLOYMENT,
    ("apps", "ReplicaSet"): workloads.REPLICA_SET,
    ("apps", "StatefulSet"): workloads.STATEFUL_SET,
    ("autoscaling", "HorizontalPodAutoscaler"): workloads.AUTOSCALER,
    ("batch", "CronJob"): workloads.CRON_JOB,
    ("batch", "Job"): workloads.JOB,
    ("certificates.k8s.io", "CertificateSigningRequest"): others.CSR,
    ("coordination.k8s.io", "Lease"): others.LEASE,
    ("discovery.k8s.io", "EndpointSlice"): others.SLICE,
    ("events.k8s.io", "Event"): core.EVENT,
    (FLOW, "FlowSchema"): others.FLOW_SCHEMA,
    (FLOW, "PriorityLevelConfiguration"): others.LEVEL,
    (NET, "Ingress"): others.INGRESS,
    (NET, "IngressClass"): others.INGRESS_CLASS,
    (NET, "IPAddress"): others.IP,
    (NET, "NetworkPolicy"): others.NETWORK_POLICY,
    (NET, "ServiceCIDR"): others.CIDR,
    ("node.k8s.io", "RuntimeClass"): others.RUNTIME,
    ("policy", "PodDisruptionBudget"): others.BUDGET,
    (RBAC, "ClusterRole"): CREATED,
    (RBAC, "ClusterRoleBinding"): others.ROLE_BINDING,
    (RBAC, "Role"): CREATED,
    (RBAC, "RoleBinding"): others.ROLE_BINDING,
    (RES, "ResourceClaim"): others.RESOURCE_CLAIM,
    (RES, "ResourceSlice"): others.RESOURCE_SLICE,
    ("scheduling.k8s.io", "PriorityClass"): others.PRIORITY,
    (STORE, "CSIDriver"): others.CSI_DRIVER,
    (STORE, "CSINode"): others.CSI_NODE,
    (STORE, "CSIStorageCapacity"): others.CAPACITY,
    (STORE, "StorageClass"): others.STORAGE_CLASS,
    (STORE, "VolumeAttachment"): others.ATTACHMENT,
    (STORE, "VolumeAttributesClass"): others.ATTRIBUTES,
}


def columns_of(kind: KindInfo, version: str, columns: list[Obj] | None) -> Printer:
    """The printer of a kind; `columns` are the additional printer columns of a custom resource's version."""
    if columns is not None:
        return custom.printer(columns)
    return PRINTERS.get((kind.group, kind.kind), DEFAULT)
