"""The controllers of kube-controller-manager, in one visible table (cmd/kube-controller-manager/app/controllermanager.go).

`CONTROLLERS` run when `--controllers` lets them; `NOT_YET` names those that the real one has and Slipway does not simulate yet.
"""

from __future__ import annotations

from .admission_policy_status import AdmissionPolicyStatusController
from .attach_detach import AttachDetachController
from .attributes_class_protection import AttributesClassProtectionController
from .base import Controller
from .bootstrap_signer import BootstrapSignerController
from .certificates import ApprovingController, CleanerController, SigningController
from .clusterrole_aggregation import ClusterRoleAggregationController
from .cronjob import CronJobController
from .daemonset import DaemonSetController
from .deployment import DeploymentController
from .disruption import DisruptionController
from .endpoints import EndpointsController
from .endpointslice import EndpointSliceController
from .endpointslice_mirroring import EndpointSliceMirroringController
from .ephemeral_volume import EphemeralVolumeController
from .garbagecollector import GarbageCollector
from .job import JobController
from .legacy_token_cleaner import LegacyTokenCleaner
from .namespace import NamespaceController
from .node_ipam import NodeIpamController
from .nodelifecycle import NodeLifecycleController
from .podautoscaler import HorizontalPodAutoscalerController
from .podgc import PodGCController
from .replicaset import ReplicaSetController, ReplicationControllerController
from .resourcequota import ResourceQuotaController
from .root_ca import RootCAPublisher
from .service_cidr import ServiceCidrController
from .serviceaccount import ServiceAccountController
from .serviceaccount_token import ServiceAccountTokenController
from .statefulset import StatefulSetController
from .tainteviction import TaintEvictionController
from .token_cleaner import TokenCleanerController
from .ttl import TTLController
from .ttl_after_finished import TTLAfterFinishedController
from .volume_expand import VolumeExpandController
from .volumes import BinderController, ClaimProtectionController, VolumeProtectionController

CONTROLLERS: tuple[type[Controller], ...] = (
    NamespaceController,
    ServiceAccountController,
    RootCAPublisher,
    DeploymentController,
    ReplicaSetController,
    DaemonSetController,
    StatefulSetController,
    JobController,
    CronJobController,
    TTLAfterFinishedController,
    DisruptionController,
    ResourceQuotaController,
    NodeIpamController,
    TTLController,
    NodeLifecycleController,
    TaintEvictionController,
    PodGCController,
    EndpointsController,
    EndpointSliceController,
    EndpointSliceMirroringController,
    GarbageCollector,
    SigningController,
    ApprovingController,
    CleanerController,
    ReplicationControllerController,
    BinderController,
    ClaimProtectionController,
    VolumeProtectionController,
    ServiceAccountTokenController,
    LegacyTokenCleaner,
    HorizontalPodAutoscalerController,
    BootstrapSignerController,
    TokenCleanerController,
    AttachDetachController,
    VolumeExpandController,
    ClusterRoleAggregationController,
    EphemeralVolumeController,
    AdmissionPolicyStatusController,
    AttributesClassProtectionController,
    ServiceCidrController,
)

NOT_YET: tuple[str, ...] = (
    "cloud-node-lifecycle-controller",
    "device-taint-eviction-controller",
    "kube-apiserver-serving-clustertrustbundle-publisher-controller",
    "node-route-controller",
    "podcertificaterequest-cleaner-controller",
    "podgroup-protection-controller",
    "resourceclaim-controller",
    "resourcepoolstatusrequest-controller",
    "selinux-warning-controller",
    "service-lb-controller",
    "storage-version-migrator-controller",
    "storageversion-garbage-collector-controller",
)

#: Those that a cloud's own manager runs; this program only passes them over.
CLOUD: tuple[str, ...] = ("service-lb-controller", "node-route-controller", "cloud-node-lifecycle-controller")

ALL_NAMES: tuple[str, ...] = tuple(kind.name for kind in CONTROLLERS) + NOT_YET

#: Deprecated names that `--controllers` still takes (cmd/kube-controller-manager/names).
ALIASES: dict[str, str] = {
    "attachdetach": "persistentvolume-attach-detach-controller",
    "bootstrapsigner": "bootstrap-signer-controller",
    "cronjob": "cronjob-controller",
    "csrapproving": "certificatesigningrequest-approving-controller",
    "csrcleaner": "certificatesigningrequest-cleaner-controller",
    "csrsigning": "certificatesigningrequest-signing-controller",
    "daemonset": "daemonset-controller",
    "deployment": "deployment-controller",
    "disruption": "disruption-controller",
    "endpoint": "endpoints-controller",
    "endpointslice": "endpointslice-controller",
    "endpointslicemirroring": "endpointslice-mirroring-controller",
    "garbagecollector": "garbage-collector-controller",
    "horizontalpodautoscaling": "horizontal-pod-autoscaler-controller",
    "job": "job-controller",
    "namespace": "namespace-controller",
    "nodeipam": "node-ipam-controller",
    "nodelifecycle": "node-lifecycle-controller",
    "persistentvolume-binder": "persistentvolume-binder-controller",
    "persistentvolume-expander": "persistentvolume-expander-controller",
    "podgc": "pod-garbage-collector-controller",
    "pv-protection": "persistentvolume-protection-controller",
    "pvc-protection": "persistentvolumeclaim-protection-controller",
    "replicaset": "replicaset-controller",
    "replicationcontroller": "replicationcontroller-controller",
    "resourcequota": "resourcequota-controller",
    "root-ca-cert-publisher": "root-ca-certificate-publisher-controller",
    "serviceaccount": "serviceaccount-controller",
    "serviceaccount-token": "serviceaccount-token-controller",
    "statefulset": "statefulset-controller",
    "tokencleaner": "token-cleaner-controller",
    "ttl": "ttl-controller",
    "ttl-after-finished": "ttl-after-finished-controller",
}
