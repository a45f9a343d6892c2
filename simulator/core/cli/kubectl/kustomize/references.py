"""Names of other objects: where they stand, and following the names that changed (`konfig/builtinpluginconsts/namereference.go`, `filters/nameref`)."""

from __future__ import annotations

from functools import partial

from .fieldspecs import Spec, split, visit
from .items import Item, Obj, clustered

_TEMPLATES = {
    "Pod": "spec",
    "PodTemplate": "template/spec",
    "CronJob": "spec/jobTemplate/spec/template/spec",
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"), "spec/template/spec"
    ),
}
#: Kinds whose pods refer to config maps and secrets; the other references leave out two and have one more.
_FILES = ("Pod", "PodTemplate", "Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "CronJob")
_PODS = ("Pod", "StatefulSet", "Deployment", "ReplicationController", "CronJob", "Job", "DaemonSet")


def _in_pods(kinds: tuple[str, ...], *paths: str) -> tuple[Spec, ...]:
    return tuple(Spec(f"{_TEMPLATES[kind]}/{path}", kind) for kind in kinds for path in paths)


def _keyed(kind: str) -> tuple[str, ...]:
    return tuple(
        f"{containers}/{where}/name"
        for containers in ("containers", "initContainers")
        for where in (f"env/valueFrom/{kind}KeyRef", f"envFrom/{kind}Ref")
    )


_RBAC = "rbac.authorization.k8s.io"
_SCALED = (Spec("spec/scaleTargetRef/name", "HorizontalPodAutoscaler"),)
_HOOKS = tuple(
    Spec("webhooks/clientConfig/service", kind, "admissionregistration.k8s.io")
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration")
)
_NAMED = (Spec("rules/resourceNames", "Role"), Spec("rules/resourceNames", "ClusterRole"))
#: The kind that is referred to → where.
REFERENCES: dict[str, tuple[Spec, ...]] = {
    **dict.fromkeys(("Deployment", "ReplicationController", "ReplicaSet", "StatefulSet"), _SCALED),
    "ConfigMap": (
        *_in_pods(_FILES, "volumes/configMap/name", "volumes/projected/sources/configMap/name", *_keyed("configMap")),
        Spec("spec/configSource/configMap", "Node"),
        *_NAMED,
        Spec("metadata/annotations/nginx.ingress.kubernetes.io\\/fastcgi-params-configmap", "Ingress"),
    ),
    "Secret": (
        *_in_pods(_FILES, "volumes/secret/secretName", "volumes/projected/sources/secret/name", "imagePullSecrets/name", *_keyed("secret")),
        Spec("spec/tls/secretName", "Ingress"),
        *(Spec(f"metadata/annotations/{name}", "Ingress") for name in (
            "ingress.kubernetes.io\\/auth-secret", "nginx.ingress.kubernetes.io\\/auth-secret", "nginx.ingress.kubernetes.io\\/auth-tls-secret")),
        Spec("imagePullSecrets/name", "ServiceAccount"),
        *(Spec(f"parameters/{name}", "StorageClass") for name in ("secretName", "adminSecretName", "userSecretName", "secretRef")),
        *_NAMED,
        Spec("spec/azureFile/secretName", "PersistentVolume"),
    ),
    "Service": (
        Spec("spec/serviceName", "StatefulSet", "apps"),
        *(Spec(path, "Ingress") for path in (
            "spec/rules/http/paths/backend/serviceName", "spec/backend/serviceName", "spec/rules/http/paths/backend/service/name",
            "spec/defaultBackend/service/name")),
        Spec("spec/service/name", "APIService", "apiregistration.k8s.io"),
        *_HOOKS,
    ),
    "Role": (Spec("roleRef/name", "RoleBinding", _RBAC),),
    "ClusterRole": (Spec("roleRef/name", "RoleBinding", _RBAC), Spec("roleRef/name", "ClusterRoleBinding", _RBAC)),
    "ServiceAccount": (
        Spec("subjects", "RoleBinding", _RBAC), Spec("subjects", "ClusterRoleBinding", _RBAC), *_in_pods(_PODS, "serviceAccountName")),
    "PersistentVolumeClaim": _in_pods(_PODS, "volumes/persistentVolumeClaim/claimName"),
    "PersistentVolume": (Spec("spec/volumeName", "PersistentVolumeClaim"), Spec("rules/resourceNames", "ClusterRole")),
    "StorageClass": (
        Spec("spec/storageClassName", "PersistentVolume"), Spec("spec/storageClassName", "PersistentVolumeClaim"),
        Spec("spec/volumeClaimTemplates/spec/storageClassName", "StatefulSet")),
    "PriorityClass": _in_pods(_PODS, "priorityClassName"),
    "IngressClass": (Spec("spec/ingressClassName", "Ingress"),),
    "ValidatingAdmissionPolicy": (
        Spec("spec/policyName", "ValidatingAdmissionPolicyBinding", "admissionregistration.k8s.io"),),
}  # fmt: skip


def follow(items: list[Item], more: list[tuple[str, Spec]]) -> None:
    """Put the present names wherever the former ones are referred to; `more` are places that the kustomization names, by kind."""
    places = dict(REFERENCES)
    for kind, spec in more:
        places[kind] = (*places.get(kind, ()), spec)
    renamed: dict[str, list[Item]] = {}
    for item in items:
        if item.before and item.id.kind in places:
            renamed.setdefault(item.id.kind, []).append(item)
    for referrer in items:
        for kind, candidates in renamed.items():
            for spec in places[kind]:
                if spec.fits(referrer.obj):
                    act = partial(_set, candidates=candidates, spec=spec, referrer=referrer)
                    visit(referrer.obj, split(spec.path), False, act)


def _set(at: Obj, key: str, candidates: list[Item], spec: Spec, referrer: Item) -> None:
    value = at[key]
    if isinstance(value, str):
        found = _meant(value, candidates, spec, referrer)
        if found is not None:
            at[key] = found.id.name
    elif isinstance(value, list):
        at[key] = [_one(one, candidates, spec, referrer) for one in value]
    elif isinstance(value, dict):
        at[key] = _one(value, candidates, spec, referrer)


def _one(value: object, candidates: list[Item], spec: Spec, referrer: Item) -> object:
    """An element of a list of names, or of objects with name and namespace (subjects, services of webhooks)."""
    if isinstance(value, str):
        found = _meant(value, candidates, spec, referrer)
        return value if found is None else found.id.name
    if not isinstance(value, dict) or "name" not in value:
        return value
    if "namespace" in value:
        first = [one for one in candidates if one.original.namespace == value["namespace"]]
        candidates = first or [one for one in candidates if one.id.namespace == value["namespace"]]
    found = _meant(str(value["name"]), candidates, spec, referrer)
    if found is None:
        return value
    return {**value, "name": found.id.name, **({"namespace": found.id.namespace} if found.id.namespace else {})}


def _meant(name: str, candidates: list[Item], spec: Spec, referrer: Item) -> Item | None:
    """The object of a former name: of the same namespace, else of the same prefixes and suffixes."""
    found = [one for one in candidates if any(before.name == name for before in one.before)]
    if spec.path.endswith("roleRef/name"):
        role = referrer.obj.get("roleRef") or {}
        found = [one for one in found if one.id.kind == role.get("kind")]
    if not clustered(referrer.obj):
        here = referrer.id.namespace or "default"
        found = [
            one
            for one in found
            if clustered(one.obj) or one.id.kind == "ServiceAccount" or (one.id.namespace or "default") == here
        ]
    if len(found) > 1:
        alike = [
            one
            for one in found
            if (not one.prefixes or one.prefixes == referrer.prefixes) and (not one.suffixes or one.suffixes == referrer.suffixes)
        ]
        found = (
            [one for one in alike if (one.prefixes, one.suffixes) == (referrer.prefixes, referrer.suffixes)]
            if len(alike) > 1
            else alike
        )
    return found[0] if found and len({one.id.name for one in found}) == 1 else None
