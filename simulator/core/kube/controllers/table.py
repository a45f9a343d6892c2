"""The controllers of kube-controller-manager, in one visible table (cmd/kube-controller-manager/app/controllermanager.go).

`CONTROLLERS` run when `--controllers` lets them; `NOT_YET` names those that the real one has and Slipway does not simulate yet.
"""

from __future__ import annotations

from .base import Controller
from .certificates import ApprovingController, CleanerController, SigningController
from .cronjob import CronJobController
from .daemonset import DaemonSetController
from .deployment import DeploymentController
from .disruption import DisruptionController
from .endpoints import EndpointsController
from .endpointslice import EndpointSliceController
from .endpointslice_mirroring import EndpointSliceMirroringController
from .garbagecollector import GarbageCollector
from .job import JobController
from .namespace import NamespaceController
from .node_ipam import NodeIpamController
from .nodelifecycle import NodeLifecycleController
from .podgc import PodGCController
from .replicaset import ReplicaSetController, ReplicationControllerController
from .resourcequota import ResourceQuotaController
from .root_ca import RootCAPublisher
from .serviceaccount import ServiceAccountController
from .statefulset import StatefulSetController
from .tainteviction import TaintEvictionController
from .ttl import TTLController
from .ttl_after_finished import TTLAfterFinishedController
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
)

NOT_YET: tuple[str, ...] = (
    "bootstrap-signer-controller",
    "clusterrole-aggregation-controller",
    "ephemeral-volume-controller",
    "horizontal-pod-autoscaler-controller",
    "legacy-serviceaccount-token-cleaner-controller",
    "persistentvolume-attach-detach-controller",
    "persistentvolume-expander-controller",
    "resourceclaim-controller",
    "service-cidr-controller",
    "serviceaccount-token-controller",
    "storage-version-migrator-controller",
    "token-cleaner-controller",
    "validatingadmissionpolicy-status-controller",
    "volumeattributesclass-protection-controller",
)

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
