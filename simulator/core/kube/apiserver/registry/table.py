"""Which strategy serves which kind: one visible row a kind with behaviour of its own; all others get the plain `Strategy`."""

from __future__ import annotations

from ...api.kinds import KindInfo
from . import core, definitions, others, policies, storage, workloads
from .pod import PodStrategy
from .service import ServiceStrategy
from .strategy import Strategy

_TABLE: dict[tuple[str, str], type[Strategy]] = {
    ("", "ConfigMap"): core.ConfigMap,
    ("", "Endpoints"): core.Endpoints,
    ("", "Event"): core.LegacyEvent,
    ("", "LimitRange"): core.LimitRange,
    ("", "Namespace"): core.Namespace,
    ("", "Node"): core.Node,
    ("", "PersistentVolume"): core.PersistentVolume,
    ("", "PersistentVolumeClaim"): core.Claim,
    ("", "Pod"): PodStrategy,
    ("", "PodTemplate"): core.PodTemplate,
    ("", "ReplicationController"): workloads.ReplicationController,
    ("", "ResourceQuota"): core.ResourceQuota,
    ("", "Secret"): core.Secret,
    ("", "Service"): ServiceStrategy,
    ("", "ServiceAccount"): core.ServiceAccount,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"): policies.ValidatingPolicy,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): policies.MutatingPolicy,
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"): policies.Webhooks,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): policies.Webhooks,
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"): policies.PolicyBinding,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"): policies.PolicyBinding,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): definitions.CustomResourceDefinition,
    ("apps", "DaemonSet"): workloads.DaemonSet,
    ("apps", "Deployment"): workloads.Deployment,
    ("apps", "ReplicaSet"): workloads.ReplicaSet,
    ("apps", "StatefulSet"): workloads.StatefulSet,
    ("autoscaling", "HorizontalPodAutoscaler"): workloads.Autoscaler,
    ("batch", "CronJob"): workloads.CronJob,
    ("batch", "Job"): workloads.Job,
    ("certificates.k8s.io", "CertificateSigningRequest"): others.SigningRequest,
    ("coordination.k8s.io", "Lease"): others.Lease,
    ("discovery.k8s.io", "EndpointSlice"): others.EndpointSlice,
    ("events.k8s.io", "Event"): core.NewEvent,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): others.FlowSchema,
    ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): others.PriorityLevel,
    ("networking.k8s.io", "Ingress"): others.Ingress,
    ("networking.k8s.io", "IngressClass"): others.IngressClass,
    ("node.k8s.io", "RuntimeClass"): others.RuntimeClass,
    ("networking.k8s.io", "IPAddress"): others.IPAddress,
    ("networking.k8s.io", "NetworkPolicy"): others.NetworkPolicy,
    ("networking.k8s.io", "ServiceCIDR"): others.ServiceCidr,
    ("policy", "PodDisruptionBudget"): others.DisruptionBudget,
    ("rbac.authorization.k8s.io", "ClusterRole"): others.Rbac,
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): others.Binding,
    ("rbac.authorization.k8s.io", "Role"): others.Rbac,
    ("rbac.authorization.k8s.io", "RoleBinding"): others.Binding,
    ("scheduling.k8s.io", "PriorityClass"): others.PriorityClass,
    ("resource.k8s.io", "DeviceClass"): storage.Device,
    ("resource.k8s.io", "ResourceClaim"): storage.Deleted,
    ("resource.k8s.io", "ResourceClaimTemplate"): storage.Deleted,
    ("resource.k8s.io", "ResourceSlice"): storage.Device,
    ("storage.k8s.io", "CSIDriver"): storage.CsiDriver,
    ("storage.k8s.io", "CSINode"): storage.CsiNode,
    ("storage.k8s.io", "CSIStorageCapacity"): storage.StorageCapacity,
    ("storage.k8s.io", "StorageClass"): storage.StorageClass,
    ("storage.k8s.io", "VolumeAttachment"): storage.Attachment,
    ("storage.k8s.io", "VolumeAttributesClass"): storage.AttributesClass,
}

_MADE: dict[tuple[str, str], Strategy] = {}


def strategy_of(kind: KindInfo) -> Strategy:
    """The (shared, stateless) strategy of a kind."""
    key = (kind.group, kind.kind)
    found = _MADE.get(key)
    if found is None:
        found = definitions.Custom(kind.kind) if kind.custom else _TABLE.get(key, Strategy)(kind.kind)
        _MADE[key] = found
    return found
