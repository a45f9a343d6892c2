"""Where labels, annotations, images and counts stand in objects (kustomize, `api/internal/konfig/builtinpluginconsts`).

A path is written `spec/template[]/image`; `\\/` is a slash inside a name.  Lists on the way are gone through, with `[]` or without.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from .items import Obj, id_of


class Spec(msgspec.Struct, frozen=True):
    """A path in objects of a kind ("" is any); `create` makes what is missing on the way."""

    path: str
    kind: str = ""
    group: str = ""
    create: bool = False
    version: str = ""

    def fits(self, obj: Obj) -> bool:
        """Whether it is about such objects."""
        one = id_of(obj)
        return self.kind in ("", one.kind) and self.group in ("", one.group) and self.version in ("", one.version)


_METADATA = (
    ("", "", "metadata"),
    ("ReplicationController", "", "spec/template/metadata"),
    ("Deployment", "", "spec/template/metadata"),
    ("ReplicaSet", "", "spec/template/metadata"),
    ("DaemonSet", "", "spec/template/metadata"),
    ("StatefulSet", "apps", "spec/template/metadata"),
    ("Job", "batch", "spec/template/metadata"),
    ("CronJob", "batch", "spec/jobTemplate/metadata"),
    ("CronJob", "batch", "spec/jobTemplate/spec/template/metadata"),
)
ANNOTATIONS = tuple(Spec(f"{where}/annotations", kind, group, True) for kind, group, where in _METADATA)
METADATA_LABELS = (Spec("metadata/labels", create=True),)
TEMPLATE_LABELS = (
    *(Spec(f"{where}/labels", kind, group, True) for kind, group, where in _METADATA),
    Spec("spec/volumeClaimTemplates[]/metadata/labels", "StatefulSet", "apps", True),
)
_AFFINE = (
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
)
COMMON_LABELS = (
    Spec("spec/selector", "Service", "", True, "v1"),
    Spec("spec/selector", "ReplicationController", "", True, "v1"),
    *(Spec("spec/selector/matchLabels", kind, "", True) for kind in ("Deployment", "ReplicaSet", "DaemonSet")),
    Spec("spec/selector/matchLabels", "StatefulSet", "apps", True),
    *(Spec(f"spec/template/spec/{path}", kind, "apps") for kind in ("Deployment", "StatefulSet") for path in _AFFINE),
    Spec("spec/selector/matchLabels", "Job", "batch"),
    Spec("spec/jobTemplate/spec/selector/matchLabels", "CronJob", "batch"),
    Spec("spec/selector/matchLabels", "PodDisruptionBudget", "policy"),
    Spec("spec/podSelector/matchLabels", "NetworkPolicy", "networking.k8s.io"),
    Spec("spec/ingress/from/podSelector/matchLabels", "NetworkPolicy", "networking.k8s.io"),
    Spec("spec/egress/to/podSelector/matchLabels", "NetworkPolicy", "networking.k8s.io"),
    *TEMPLATE_LABELS,
)
REPLICAS = tuple(
    Spec("spec/replicas", kind, create=True) for kind in ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
)
NAMESPACE = (
    Spec("spec/service/namespace", "APIService", "apiregistration.k8s.io", True),
    Spec("spec/conversion/webhook/clientConfig/service/namespace", "CustomResourceDefinition", "apiextensions.k8s.io"),
)


def split(path: str) -> list[str]:
    """The names of a path."""
    return [part.replace("\\/", "/") for part in re.split(r"(?<!\\)/", path)]


def visit(value: Any, parts: list[str], create: bool, act: Callable[[Obj, str], None]) -> None:
    """Call `act(mapping, key)` for each place that a path leads to; missing mappings are made where `create` says so."""
    if isinstance(value, list):
        for one in value:
            visit(one, parts, create, act)
        return
    if not isinstance(value, dict) or not parts:
        return
    key = parts[0].removesuffix("[]")
    if len(parts) == 1:
        if create or key in value:
            act(value, key)
        return
    if value.get(key) is None:
        if not create or parts[0].endswith("[]"):
            return
        value[key] = {}
    visit(value[key], parts[1:], create, act)


def add_pairs(obj: Obj, specs: Iterable[Spec], pairs: Obj) -> None:
    """Put labels or annotations at every place that is meant, names in order."""

    def act(at: Obj, key: str) -> None:
        at[key] = {**(at.get(key) or {}), **{name: str(value) for name, value in sorted(pairs.items())}}

    for spec in specs:
        if spec.fits(obj):
            visit(obj, split(spec.path), spec.create, act)


def put(obj: Obj, specs: Iterable[Spec], value: Any) -> None:
    """Set a value at every place that is meant."""

    def act(at: Obj, key: str) -> None:
        at[key] = value

    for spec in specs:
        if spec.fits(obj):
            visit(obj, split(spec.path), spec.create, act)
