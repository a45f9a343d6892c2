"""The kinds that a kubeadm v1.36 cluster serves by default: one visible row a kind.

A row says what discovery says (`/api/v1`, `/apis/<group>/<version>`): group, versions, names, scope, verbs, categories and
subresources; and where the objects live in etcd (`pkg/registry/*/storage`).  Custom resources become rows of the same
type at run time (`from_crd`), held by the API server, never added to this table.
"""

from __future__ import annotations

from typing import Any

import msgspec

ALL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CREATE = ("create",)
GUP = ("get", "patch", "update")
PROXY = ("create", "delete", "get", "patch", "update")


class Subresource(msgspec.Struct, frozen=True):
    """One subresource: its name, verbs, and the kind it speaks when that differs from the resource's own."""

    name: str
    verbs: tuple[str, ...] = GUP
    kind: str = ""
    group: str = ""
    version: str = ""


class KindInfo(msgspec.Struct, frozen=True):
    """One kind of object and the resource that serves it.  `versions[0]` is preferred and stored."""

    kind: str
    plural: str
    group: str = ""
    versions: tuple[str, ...] = ("v1",)
    namespaced: bool = True
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL
    subresources: tuple[Subresource, ...] = ()
    etcd_prefix: str = ""
    singular: str = ""
    custom: bool = False
    #: The minor release that began to serve it by default, where one without it can be run (kernel/versions.py: PACKS).
    since: str = ""

    @property
    def version(self) -> str:
        """The preferred version."""
        return self.versions[0]

    @property
    def api_version(self) -> str:
        """`group/version`, or the bare version of the core group."""
        return f"{self.group}/{self.versions[0]}" if self.group else self.versions[0]

    @property
    def group_resource(self) -> str:
        """`deployments.apps`, or `pods` for the core group: how errors name a resource."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def prefix(self) -> str:
        """The etcd key prefix without a trailing slash."""
        return self.etcd_prefix or f"/registry/{self.plural}"

    @property
    def topic(self) -> str:
        """The doorbell that etcd rings for a change: `registry:<prefix>`."""
        return "registry:" + self.prefix.removeprefix("/registry/")

    @property
    def singular_name(self) -> str:
        """The singular resource name of discovery."""
        return self.singular or self.kind.lower()

    def subresource(self, name: str) -> Subresource | None:
        """The subresource of that name, or None."""
        for item in self.subresources:
            if item.name == name:
                return item
        return None

    def path(self, namespace: str = "", name: str = "", subresource: str = "", version: str = "") -> str:
        """The request path of a collection, an object or a subresource."""
        version = version or self.versions[0]
        base = f"/apis/{self.group}/{version}" if self.group else f"/api/{version}"
        if self.namespaced and namespace:
            base += f"/namespaces/{namespace}"
        base += "/" + self.plural
        if name:
            base += "/" + name
        if subresource:
            base += "/" + subresource
        return base


STATUS = Subresource("status")
SCALE = Subresource("scale", kind="Scale", group="autoscaling", version="v1")
WITH_STATUS = (STATUS,)
WITH_SCALE = (SCALE, STATUS)
POD_SUBRESOURCES = (
    Subresource("attach", ("create", "get"), "PodAttachOptions"),
    Subresource("binding", CREATE, "Binding"),
    Subresource("ephemeralcontainers", GUP),
    Subresource("eviction", CREATE, "Eviction", "policy", "v1"),
    Subresource("exec", ("create", "get"), "PodExecOptions"),
    Subresource("log", ("get",)),
    Subresource("portforward", ("create", "get"), "PodPortForwardOptions"),
    Subresource("proxy", PROXY, "PodProxyOptions"),
    Subresource("resize", GUP),
    STATUS,
)
EXT = ("api-extensions",)
K = KindInfo
ADM, AUTHN, AUTHZ = "admissionregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io"
NET, RBAC, STORE, RES = "networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io", "resource.k8s.io"
FLOW = "flowcontrol.apiserver.k8s.io"

# fmt: off
KINDS: tuple[KindInfo, ...] = (
    K("Binding", "bindings", verbs=CREATE),
    K("ComponentStatus", "componentstatuses", namespaced=False, short_names=("cs",), verbs=("get", "list")),
    K("ConfigMap", "configmaps", short_names=("cm",)),
    K("Endpoints", "endpoints", short_names=("ep",), etcd_prefix="/registry/services/endpoints", singular="endpoints"),
    K("Event", "events", short_names=("ev",)),
    K("LimitRange", "limitranges", short_names=("limits",)),
    K("Namespace", "namespaces", namespaced=False, short_names=("ns",),
      verbs=("create", "delete", "get", "list", "patch", "update", "watch"),
      subresources=(Subresource("finalize", ("update",)), STATUS)),
    K("Node", "nodes", namespaced=False, short_names=("no",), etcd_prefix="/registry/minions",
      subresources=(Subresource("proxy", PROXY, "NodeProxyOptions"), STATUS)),
    K("PersistentVolumeClaim", "persistentvolumeclaims", short_names=("pvc",), subresources=WITH_STATUS),
    K("PersistentVolume", "persistentvolumes", namespaced=False, short_names=("pv",), subresources=WITH_STATUS),
    K("Pod", "pods", short_names=("po",), categories=("all",), subresources=POD_SUBRESOURCES),
    K("PodTemplate", "podtemplates"),
    K("ReplicationController", "replicationcontrollers", short_names=("rc",), categories=("all",),
      etcd_prefix="/registry/controllers", subresources=WITH_SCALE),
    K("ResourceQuota", "resourcequotas", short_names=("quota",), subresources=WITH_STATUS),
    K("Secret", "secrets"),
    K("ServiceAccount", "serviceaccounts", short_names=("sa",),
      subresources=(Subresource("token", CREATE, "TokenRequest", AUTHN, "v1"),)),
    K("Service", "services", short_names=("svc",), categories=("all",), etcd_prefix="/registry/services/specs",
      subresources=(Subresource("proxy", PROXY, "ServiceProxyOptions"), STATUS)),
    K("MutatingAdmissionPolicy", "mutatingadmissionpolicies", ADM, namespaced=False, categories=EXT, since="1.36"),
    K("MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", ADM, namespaced=False, categories=EXT, since="1.36"),
    K("MutatingWebhookConfiguration", "mutatingwebhookconfigurations", ADM, namespaced=False, categories=EXT),
    K("ValidatingAdmissionPolicy", "validatingadmissionpolicies", ADM, namespaced=False, categories=EXT,
      subresources=WITH_STATUS),
    K("ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", ADM, namespaced=False, categories=EXT),
    K("ValidatingWebhookConfiguration", "validatingwebhookconfigurations", ADM, namespaced=False, categories=EXT),
    K("CustomResourceDefinition", "customresourcedefinitions", "apiextensions.k8s.io", namespaced=False,
      short_names=("crd", "crds"), categories=EXT, subresources=WITH_STATUS,
      etcd_prefix="/registry/apiextensions.k8s.io/customresourcedefinitions"),
    K("APIService", "apiservices", "apiregistration.k8s.io", namespaced=False, categories=EXT, subresources=WITH_STATUS,
      etcd_prefix="/registry/apiregistration.k8s.io/apiservices"),
    K("ControllerRevision", "controllerrevisions", "apps"),
    K("DaemonSet", "daemonsets", "apps", short_names=("ds",), categories=("all",), subresources=WITH_STATUS),
    K("Deployment", "deployments", "apps", short_names=("deploy",), categories=("all",), subresources=WITH_SCALE),
    K("ReplicaSet", "replicasets", "apps", short_names=("rs",), categories=("all",), subresources=WITH_SCALE),
    K("StatefulSet", "statefulsets", "apps", short_names=("sts",), categories=("all",), subresources=WITH_SCALE),
    K("SelfSubjectReview", "selfsubjectreviews", AUTHN, namespaced=False, verbs=CREATE),
    K("TokenReview", "tokenreviews", AUTHN, namespaced=False, verbs=CREATE),
    K("LocalSubjectAccessReview", "localsubjectaccessreviews", AUTHZ, verbs=CREATE),
    K("SelfSubjectAccessReview", "selfsubjectaccessreviews", AUTHZ, namespaced=False, verbs=CREATE),
    K("SelfSubjectRulesReview", "selfsubjectrulesreviews", AUTHZ, namespaced=False, verbs=CREATE),
    K("SubjectAccessReview", "subjectaccessreviews", AUTHZ, namespaced=False, verbs=CREATE),
    K("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", ("v2", "v1"), short_names=("hpa",),
      categories=("all",), subresources=WITH_STATUS),
    K("CronJob", "cronjobs", "batch", short_names=("cj",), categories=("all",), subresources=WITH_STATUS),
    K("Job", "jobs", "batch", categories=("all",), subresources=WITH_STATUS),
    K("CertificateSigningRequest", "certificatesigningrequests", "certificates.k8s.io", namespaced=False, short_names=("csr",),
      subresources=(Subresource("approval"), STATUS)),
    K("Lease", "leases", "coordination.k8s.io"),
    K("EndpointSlice", "endpointslices", "discovery.k8s.io"),
    K("Event", "events", "events.k8s.io", short_names=("ev",)),
    K("FlowSchema", "flowschemas", FLOW, namespaced=False, subresources=WITH_STATUS),
    K("PriorityLevelConfiguration", "prioritylevelconfigurations", FLOW, namespaced=False, subresources=WITH_STATUS),
    K("IngressClass", "ingressclasses", NET, namespaced=False),
    K("Ingress", "ingresses", NET, short_names=("ing",), etcd_prefix="/registry/ingress", subresources=WITH_STATUS),
    K("IPAddress", "ipaddresses", NET, namespaced=False, short_names=("ip",)),
    K("NetworkPolicy", "networkpolicies", NET, short_names=("netpol",)),
    K("ServiceCIDR", "servicecidrs", NET, namespaced=False, subresources=WITH_STATUS),
    K("RuntimeClass", "runtimeclasses", "node.k8s.io", namespaced=False),
    K("PodDisruptionBudget", "poddisruptionbudgets", "policy", short_names=("pdb",), subresources=WITH_STATUS),
    K("ClusterRoleBinding", "clusterrolebindings", RBAC, namespaced=False),
    K("ClusterRole", "clusterroles", RBAC, namespaced=False),
    K("RoleBinding", "rolebindings", RBAC),
    K("Role", "roles", RBAC),
    K("DeviceClass", "deviceclasses", RES, namespaced=False),
    K("ResourceClaim", "resourceclaims", RES, subresources=WITH_STATUS),
    K("ResourceClaimTemplate", "resourceclaimtemplates", RES),
    K("ResourceSlice", "resourceslices", RES, namespaced=False),
    K("PriorityClass", "priorityclasses", "scheduling.k8s.io", namespaced=False, short_names=("pc",)),
    K("CSIDriver", "csidrivers", STORE, namespaced=False),
    K("CSINode", "csinodes", STORE, namespaced=False),
    K("CSIStorageCapacity", "csistoragecapacities", STORE),
    K("StorageClass", "storageclasses", STORE, namespaced=False, short_names=("sc",)),
    K("VolumeAttachment", "volumeattachments", STORE, namespaced=False, subresources=WITH_STATUS),
    K("VolumeAttributesClass", "volumeattributesclasses", STORE, namespaced=False, short_names=("vac",)),
)

#: What releases after the default one serve besides: their GA kinds, as the definitions of `kubernetes-validate` have them.
LATER: tuple[KindInfo, ...] = (
    K("ClusterTrustBundle", "clustertrustbundles", "certificates.k8s.io", namespaced=False, since="1.37"),
    K("PodCertificateRequest", "podcertificaterequests", "certificates.k8s.io", subresources=WITH_STATUS, since="1.37"),
    K("DeviceTaintRule", "devicetaintrules", RES, namespaced=False, subresources=WITH_STATUS, since="1.37"),
    K("StorageVersionMigration", "storageversionmigrations", "storagemigration.k8s.io", namespaced=False,
      subresources=WITH_STATUS, since="1.37"),
)
# fmt: on

#: Discovery order of the groups (`pkg/controlplane/apiserver/aggregator.go`: apiVersionPriorities), highest first.
GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("apiregistration.k8s.io", ("v1",)),
    ("apps", ("v1",)),
    ("events.k8s.io", ("v1",)),
    ("authentication.k8s.io", ("v1",)),
    ("authorization.k8s.io", ("v1",)),
    ("autoscaling", ("v2", "v1")),
    ("batch", ("v1",)),
    ("certificates.k8s.io", ("v1",)),
    ("networking.k8s.io", ("v1",)),
    ("policy", ("v1",)),
    ("rbac.authorization.k8s.io", ("v1",)),
    ("storage.k8s.io", ("v1",)),
    ("admissionregistration.k8s.io", ("v1",)),
    ("apiextensions.k8s.io", ("v1",)),
    ("scheduling.k8s.io", ("v1",)),
    ("coordination.k8s.io", ("v1",)),
    ("node.k8s.io", ("v1",)),
    ("discovery.k8s.io", ("v1",)),
    ("flowcontrol.apiserver.k8s.io", ("v1",)),
    ("resource.k8s.io", ("v1",)),
)

#: Groups that only releases after the default one have; they follow GROUPS.
LATER_GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (("storagemigration.k8s.io", ("v1",)),)

BY_RESOURCE: dict[tuple[str, str], KindInfo] = {(item.group, item.plural): item for item in KINDS + LATER}
BY_KIND: dict[tuple[str, str], KindInfo] = {(item.group, item.kind): item for item in KINDS + LATER}

#: Plural → kind, the first row wins (`events` is the core one).
BY_PLURAL: dict[str, KindInfo] = {}
for _item in KINDS + LATER:
    BY_PLURAL.setdefault(_item.plural, _item)


def by_resource(resource: str) -> KindInfo:
    """The row of `plural` or `plural.group`; KeyError when there is none."""
    found = BY_PLURAL.get(resource)
    if found is None:
        plural, _, group = resource.partition(".")
        found = BY_RESOURCE[(group, plural)]
    return found


def by_kind(api_version: str, kind: str) -> KindInfo | None:
    """The row of an object's apiVersion and kind."""
    return BY_KIND.get((split_api_version(api_version)[0], kind))


def split_api_version(api_version: str) -> tuple[str, str]:
    """`apps/v1` → (`apps`, `v1`); `v1` → (``, `v1`)."""
    group, slash, version = api_version.partition("/")
    return (group, version) if slash else ("", group)


def matches(item: KindInfo, word: str) -> bool:
    """Whether `word` is this row's plural, singular, short name or kind, in any letter case as kubectl accepts it."""
    word = word.lower()
    return word in (item.plural, item.singular_name, item.kind.lower()) or word in item.short_names


def find(word: str, kinds: tuple[KindInfo, ...] = KINDS) -> KindInfo | None:
    """The row that `word` names: plural, singular, short name or kind, optionally `.group` or `.version.group`."""
    word = word.lower()
    for item in kinds:
        if matches(item, word):
            return item
    name, dot, rest = word.partition(".")
    if not dot:
        return None
    for item in kinds:
        if not matches(item, name):
            continue
        if rest == item.group or (item.group and item.group.startswith(rest)):
            return item
        version, _, group = rest.partition(".")
        if version in item.versions and group == item.group:
            return item
    return None


def from_crd(crd: dict[str, Any]) -> KindInfo:
    """The row of an established CustomResourceDefinition; the storage version need not be the preferred one."""
    spec = crd["spec"]
    names = spec["names"]
    served = sorted((v for v in spec["versions"] if v.get("served")), key=lambda v: version_order(v["name"]))
    subresources: list[Subresource] = []
    for name in sorted({n for v in served for n in v.get("subresources") or {}}):
        subresources.append(SCALE if name == "scale" else Subresource(name))
    return KindInfo(
        kind=names["kind"],
        plural=names["plural"],
        group=spec["group"],
        versions=tuple(v["name"] for v in served),
        namespaced=spec["scope"] == "Namespaced",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        subresources=tuple(subresources),
        etcd_prefix=f"/registry/{spec['group']}/{names['plural']}",
        singular=names.get("singular") or names["kind"].lower(),
        custom=True,
    )


def version_order(version: str) -> tuple[int, int, int, str]:
    """Sort key of Kubernetes versions: GA before beta before alpha, newest first (`apimachinery/pkg/version/helpers.go`)."""
    body = version[1:] if version.startswith("v") else ""
    for rank, word in ((1, "beta"), (2, "alpha")):
        if word in body:
            major, _, minor = body.partition(word)
            if major.isdigit() and minor.isdigit():
                return (rank, -int(major), -int(minor), version)
    if body.isdigit():
        return (0, -int(body), 0, version)
    return (3, 0, 0, version)
