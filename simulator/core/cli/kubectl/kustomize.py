"""Building kustomizations (kustomize v5: `api/internal/target`, `api/filters`), the parts that people use.

resources (files and directories), namePrefix, nameSuffix, namespace, labels, commonLabels, commonAnnotations, images, replicas, generators
of config maps and secrets with name hashes, patches (inline, files, targets; strategic merge and JSON), patchesStrategicMerge, patchesJson6902.
Other fields say that they are not simulated.
"""

from __future__ import annotations

import base64
import posixpath
import re
from dataclasses import dataclass, field
from typing import Any

from ...kernel.errors import NotSimulated
from ...kube.api import kinds, patch
from ...kube.api.objects import clone
from .. import goyaml
from ..flags import quote
from .errors import CommandError
from .hashing import configmap_hash, secret_hash
from .manifests import parse
from .mapper import Mapping
from .patches import apply_local
from .session import Session

Obj = dict[str, Any]
FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KNOWN = frozenset((
    "apiVersion", "kind", "metadata", "resources", "bases", "namePrefix", "nameSuffix", "namespace", "labels", "commonLabels", "commonAnnotations",
    "images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "patches", "patchesStrategicMerge", "patchesJson6902", "sortOptions",
))  # fmt: skip
LATER = frozenset(("components", "replacements", "vars", "helmCharts", "helmGlobals", "transformers", "generators", "validators", "crds", "configurations",
                   "openapi", "buildMetadata"))  # fmt: skip
#: Fields that kustomize warns of, and what takes their place.
DEPRECATED = {
    "bases": "resources", "commonLabels": "labels", "imageTags": "images", "patchesJson6902": "patches", "patchesStrategicMerge": "patches",
}  # fmt: skip
MAX_DEPTH = 20
#: Where names of other objects stand: (kind that refers, path) by the kind referred to.
POD = ("spec.template.spec", "spec", "spec.jobTemplate.spec.template.spec")


def build(session: Session, folder: str) -> list[Obj]:
    """The objects of a kustomization directory."""
    path = session.inv.path(folder)
    if not session.inv.isdir(path):
        raise CommandError(
            f"must build at directory: not a valid directory: evalsymlink failure on '{folder}' : lstat {path}: no such file or directory"
        )
    items = _build(session, path, 0)
    _hash(items)
    return sorted((item.obj for item in items), key=_order)


@dataclass
class Item:
    """An object on its way; generated ones get their hash when all else is done, and are found by the names they had."""

    obj: Obj
    hashed: bool = False
    names: list[str] = field(default_factory=list)

    def called(self, kind: str, name: str, namespace: str) -> bool:
        """Whether this is, or was, the object of that name."""
        meta = self.obj["metadata"]
        return (
            self.obj["kind"] == kind
            and name in (meta["name"], *self.names)
            and (not namespace or namespace == meta.get("namespace"))
        )


def _hash(items: list[Item]) -> None:
    """Name suffixes of what generators made (`KustTarget.addHashesToNames`), and the references to it."""
    for item in items:
        if item.hashed:
            obj, old = item.obj, item.obj["metadata"]["name"]
            obj["metadata"]["name"] = f"{old}-{configmap_hash(obj) if obj['kind'] == 'ConfigMap' else secret_hash(obj)}"
            for other in items:
                _follow(other.obj, obj["kind"], old, obj["metadata"]["name"])


#: Namespaces and definitions first, webhooks last (`api/internal/builtins/SortOrderTransformer.go`: legacy order).
FIRST = ("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy", "Role", "ClusterRole",
         "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
         "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget")  # fmt: skip
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def _order(obj: Obj) -> tuple[int, str, str]:
    kind = obj["kind"]
    rank = FIRST.index(kind) - len(FIRST) if kind in FIRST else LAST.index(kind) + 1 if kind in LAST else 0
    meta = obj.get("metadata") or {}
    return rank, kind, f"{meta.get('namespace', '')}/{meta.get('name', '')}"


def _build(session: Session, path: str, depth: int) -> list[Item]:
    if depth > MAX_DEPTH:
        raise CommandError("kustomizations nest too deeply")
    found = [name for name in FILES if session.inv.exists(posixpath.join(path, name))]
    if not found:
        raise CommandError(
            f"unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{path}'"
        )
    if len(found) > 1:
        raise CommandError(f"Found multiple kustomization files: {path}\n")
    try:
        spec = goyaml.load(session.inv.read_file(posixpath.join(path, found[0])).decode("utf-8", "replace")) or {}
    except goyaml.YamlError as error:
        raise CommandError(f"invalid Kustomization: error converting YAML to JSON: {error}") from None
    for key in sorted(spec):
        if key in LATER:
            raise NotSimulated(f"kustomize field {key}")
        if key not in KNOWN:
            raise CommandError(f"invalid Kustomization: json: unknown field {quote(key)}")
    for key, instead in DEPRECATED.items():
        if key in spec:
            session.err(f"# Warning: '{key}' is deprecated. Please use '{instead}' instead. Run 'kustomize edit fix' to update your Kustomization "
                        "automatically.\n")  # fmt: skip
    return Kustomization(session, path, spec, depth).build()


class Kustomization:
    """One directory."""

    def __init__(self, session: Session, path: str, spec: Obj, depth: int) -> None:
        self.s, self.path, self.spec, self.depth = session, path, spec, depth
        self.items: list[Item] = []

    @property
    def objects(self) -> list[Obj]:
        """The objects of the items."""
        return [item.obj for item in self.items]

    def build(self) -> list[Item]:
        """Resources, generators, patches, then the transformers in kustomize's order."""
        for item in [*(self.spec.get("resources") or ()), *(self.spec.get("bases") or ())]:
            self._resource(str(item))
        self._generators()
        if not self.items and self.depth == 0 and not self.spec:
            raise CommandError("kustomization.yaml is empty")
        self._patches()
        self._namespace()
        self._names()
        self._labels()
        self._annotations()
        self._replicas()
        self._images()
        return self.items

    def _resource(self, item: str) -> None:
        where = posixpath.normpath(posixpath.join(self.path, item))
        if self.s.inv.isdir(where):
            self.items += _build(self.s, where, self.depth + 1)
            return
        if not self.s.inv.exists(where):
            lost = f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
            raise CommandError(f"accumulating resources: accumulation err='accumulating resources from '{item}': {lost}': must build at directory: not a "
                               f"valid directory: {lost}")  # fmt: skip
        self.items += [Item(clone(obj)) for obj in parse(self.s.inv.read_file(where).decode("utf-8", "replace"), item, v3=True)]

    # -- generators -------------------------------------------------------------------------------------------------------
    def _generators(self) -> None:
        for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for item in self.spec.get(key) or ():
                self._generate(kind, item)

    def _generate(self, kind: str, item: Obj) -> None:
        data: dict[str, bytes] = {}
        for literal in item.get("literals") or ():
            name, _, value = str(literal).partition("=")
            data[name] = value.strip("\"'").encode()
        for entry in item.get("files") or ():
            name, equals, path = str(entry).partition("=")
            path = path if equals else name
            data[name if equals else posixpath.basename(path)] = self._file(path)
        for path in [*(item.get("envs") or ()), *([item["env"]] if item.get("env") else ())]:
            for line in self._file(path).decode("utf-8", "replace").splitlines():
                if line.strip() and not line.lstrip().startswith("#"):
                    name, _, value = line.partition("=")
                    data[name.strip()] = value.encode()
        options = {**(self.spec.get("generatorOptions") or {}), **(item.get("options") or {})}
        obj: Obj = {"apiVersion": "v1", "kind": kind, "metadata": {"name": item["name"]}}
        for key in ("labels", "annotations"):
            if options.get(key):
                obj["metadata"][key] = dict(options[key])
        if item.get("namespace"):
            obj["metadata"]["namespace"] = item["namespace"]
        if kind == "Secret":
            obj["type"] = item.get("type", "Opaque")
            obj["data"] = {name: base64.b64encode(value).decode() for name, value in data.items()}
        elif data:
            obj["data"] = {name: value.decode("utf-8", "replace") for name, value in data.items()}
        self._absorb(Item(obj, hashed=not options.get("disableNameSuffixHash")), str(item.get("behavior") or "create"))

    def _absorb(self, new: Item, behavior: str) -> None:
        """Add, merge or replace (`resWrangler.appendReplaceOrMerge`)."""
        meta = new.obj["metadata"]
        name, namespace = meta["name"], meta.get("namespace", "")
        found = [item for item in self.items if item.called(new.obj["kind"], name, namespace)]
        told = f'resid.ResId{{Gvk:resid.Gvk{{Group:"", Version:"v1", Kind:{quote(new.obj["kind"])}, isClusterScoped:false}}, Name:{quote(name)}, Namespace:{quote(namespace)}}}'  # fmt: skip
        if not found:
            if behavior in ("merge", "replace"):
                raise CommandError(f"merging from generator &{{}}: id {told} does not exist; cannot merge or replace")
            self.items.append(new)
            return
        if behavior not in ("merge", "replace"):
            raise CommandError(f"merging from generator &{{}}: id {told} exists; behavior must be merge or replace")
        old = found[0]
        for key in ("labels", "annotations"):
            both = {**(old.obj["metadata"].get(key) or {}), **(meta.get(key) or {})}
            if both:
                meta[key] = both
        meta.update({key: value for key, value in old.obj["metadata"].items() if key in ("name", "namespace")})
        if behavior == "merge":
            data = {**(old.obj.get("data") or {}), **(new.obj.get("data") or {})}
            new.obj.update({"data": data} if data else {})
        old.obj, old.hashed = new.obj, old.hashed or new.hashed

    def _file(self, path: str) -> bytes:
        where = posixpath.normpath(posixpath.join(self.path, path))
        try:
            return bytes(self.s.inv.read_file(where))
        except OSError:
            raise CommandError(
                f"loading KV pairs: file sources: [{path}]: evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
            ) from None

    # -- patches ----------------------------------------------------------------------------------------------------------
    def _patches(self) -> None:
        for item in self.spec.get("patches") or ():
            self._patch(item.get("patch") or self._file(item["path"]).decode("utf-8", "replace"), item.get("target"))
        for entry in self.spec.get("patchesStrategicMerge") or ():
            self._patch(str(entry) if "\n" in str(entry) else self._file(str(entry)).decode("utf-8", "replace"), None)
        for item in self.spec.get("patchesJson6902") or ():
            self._patch(item.get("patch") or self._file(item["path"]).decode("utf-8", "replace"), item.get("target"))

    def _patch(self, text: str, target: Obj | None) -> None:
        content = goyaml.load(text, v3=True)
        if isinstance(content, list):
            if not target:
                raise CommandError("must specify a target for JSON patch")
            for at in self._chosen(target):
                self.items[at].obj = patch.apply_json(self.items[at].obj, content)
            return
        wanted = target or {"kind": content.get("kind"), "name": (content.get("metadata") or {}).get("name")}
        chosen = self._chosen(wanted, exact=not target)
        if not chosen and not target:
            raise CommandError(f"no resource matches strategic merge patch {quote(str(wanted.get('kind')) + '.' + str(content.get('apiVersion')) + '/' + str(wanted.get('name')))}: "
                               "no matches for Id")  # fmt: skip
        for at in chosen:
            obj = self.items[at].obj
            meta = {key: value for key, value in (content.get("metadata") or {}).items() if key != "name"}
            found = kinds.by_kind(str(obj["apiVersion"]), obj["kind"])
            change = {key: value for key, value in content.items() if key not in ("apiVersion", "kind")}
            change["metadata"] = meta
            mapping = Mapping(found) if found is not None else None
            self.items[at].obj = (
                apply_local(mapping, obj, change, "strategic") if mapping is not None else patch.merge(obj, change)
            )

    def _chosen(self, target: Obj, exact: bool = False) -> list[int]:
        out = []
        for at, obj in enumerate(self.objects):
            group, version = kinds.split_api_version(str(obj.get("apiVersion", "")))
            meta = obj.get("metadata") or {}
            have = {
                "kind": obj.get("kind", ""),
                "name": meta.get("name", ""),
                "namespace": meta.get("namespace", ""),
                "group": group,
                "version": version,
            }
            if all(
                not target.get(key) or (value == target[key] if exact else re.fullmatch(str(target[key]), str(value)))
                for key, value in have.items()
            ):
                out.append(at)
        return out

    # -- transformers -----------------------------------------------------------------------------------------------------
    def _namespace(self) -> None:
        wanted = self.spec.get("namespace")
        if not wanted:
            return
        for obj in self.objects:
            found = kinds.by_kind(str(obj["apiVersion"]), obj["kind"])
            if obj["kind"] == "Namespace":
                obj["metadata"]["name"] = wanted
            elif found is None or found.namespaced:
                obj.setdefault("metadata", {})["namespace"] = wanted
            for subject in obj.get("subjects") or ():
                if subject.get("kind") == "ServiceAccount" and subject.get("name") == "default":
                    subject["namespace"] = wanted

    def _names(self) -> None:
        prefix, suffix = self.spec.get("namePrefix") or "", self.spec.get("nameSuffix") or ""
        if not prefix and not suffix:
            return
        for item in self.items:
            obj = item.obj
            if obj["kind"] in ("Namespace", "CustomResourceDefinition"):
                continue
            old = obj["metadata"]["name"]
            item.names.append(old)
            obj["metadata"]["name"] = f"{prefix}{old}{suffix}"
            self._renamed(obj["kind"], old, obj["metadata"]["name"])

    def _renamed(self, kind: str, old: str, new: str) -> None:
        """Follow the new name in references of the other objects."""
        for obj in self.objects:
            _follow(obj, kind, old, new)

    def _labels(self) -> None:
        groups = [(self.spec["commonLabels"], True, True)] if self.spec.get("commonLabels") else []
        for item in self.spec.get("labels") or ():
            selectors = bool(item.get("includeSelectors"))
            groups.append((item.get("pairs") or {}, selectors, selectors or bool(item.get("includeTemplates"))))
        for pairs, selectors, templates in groups:
            for obj in self.objects:
                obj.setdefault("metadata", {}).setdefault("labels", {}).update(pairs)
                _label_inside(obj, pairs, selectors, templates)

    def _annotations(self) -> None:
        pairs = self.spec.get("commonAnnotations") or {}
        for obj in self.objects if pairs else ():
            obj.setdefault("metadata", {}).setdefault("annotations", {}).update(pairs)
            template = _template(obj)
            if template is not None:
                template.setdefault("metadata", {}).setdefault("annotations", {}).update(pairs)

    def _replicas(self) -> None:
        for item in self.spec.get("replicas") or ():
            for obj in self.objects:
                name = (
                    obj["metadata"]["name"]
                    .removeprefix(self.spec.get("namePrefix") or "")
                    .removesuffix(self.spec.get("nameSuffix") or "")
                )
                if obj["kind"] in ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController") and item["name"] in (
                    name,
                    obj["metadata"]["name"],
                ):
                    obj.setdefault("spec", {})["replicas"] = item["count"]

    def _images(self) -> None:
        for item in self.spec.get("images") or ():
            for obj in self.objects:
                for container in _containers(obj):
                    container["image"] = _image(str(container.get("image", "")), item)


def _image(image: str, item: Obj) -> str:
    match = re.fullmatch(r"(.*?)(:[\w][\w.-]*)?(@.*)?", image)
    name, tag, digest = (match[1], match[2] or "", match[3] or "") if match else (image, "", "")
    if name != item["name"]:
        return image
    name = item.get("newName") or name
    if item.get("digest"):
        return f"{name}@{item['digest']}"
    return f"{name}:{item['newTag']}" if item.get("newTag") else name + tag + digest


def _template(obj: Obj) -> Obj | None:
    spec = obj.get("spec") or {}
    if "jobTemplate" in spec:
        spec = spec["jobTemplate"].get("spec") or {}
    found = spec.get("template")
    return found if isinstance(found, dict) else None


def _pod_spec(obj: Obj) -> Obj | None:
    if obj["kind"] == "Pod":
        return obj.get("spec")
    template = _template(obj)
    return template.get("spec") if template is not None else None


def _containers(obj: Obj) -> list[Obj]:
    spec = _pod_spec(obj) or {}
    return [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]


def _label_inside(obj: Obj, pairs: Obj, selectors: bool, templates: bool) -> None:
    spec = obj.get("spec") or {}
    if selectors:
        if obj["kind"] in ("Service", "ReplicationController") and spec.get("selector") is not None:
            spec["selector"].update(pairs)
        elif obj["kind"] in ("Deployment", "ReplicaSet", "DaemonSet", "StatefulSet"):
            spec.setdefault("selector", {}).setdefault("matchLabels", {}).update(pairs)
        elif obj["kind"] in ("NetworkPolicy",) and spec.get("podSelector", {}).get("matchLabels"):
            spec["podSelector"]["matchLabels"].update(pairs)
        elif obj["kind"] == "PodDisruptionBudget" and (spec.get("selector") or {}).get("matchLabels"):
            spec["selector"]["matchLabels"].update(pairs)
    template = _template(obj)
    if templates and template is not None:
        template.setdefault("metadata", {}).setdefault("labels", {}).update(pairs)


def _follow(obj: Obj, kind: str, old: str, new: str) -> None:
    spec = _pod_spec(obj) or {}
    keys = {"ConfigMap": ("configMap", "configMapKeyRef", "configMapRef"), "Secret": ("secret", "secretKeyRef", "secretRef")}.get(
        kind, ()
    )
    if keys:
        _rename_refs(spec, keys, old, new)
    if kind == "Secret":
        for item in (obj.get("spec") or {}).get("tls") or () if obj["kind"] == "Ingress" else ():
            if item.get("secretName") == old:
                item["secretName"] = new
    if kind == "ServiceAccount":
        if spec.get("serviceAccountName") == old:
            spec["serviceAccountName"] = new
        for subject in obj.get("subjects") or ():
            if subject.get("kind") == "ServiceAccount" and subject.get("name") == old:
                subject["name"] = new
    if kind in ("Role", "ClusterRole") and (obj.get("roleRef") or {}).get("kind") == kind and obj["roleRef"].get("name") == old:
        obj["roleRef"]["name"] = new
    if kind == "Service":
        if obj["kind"] == "Ingress":
            _rename_refs(obj.get("spec") or {}, ("service",), old, new)
        elif obj["kind"] == "StatefulSet" and (obj.get("spec") or {}).get("serviceName") == old:
            obj["spec"]["serviceName"] = new
    if kind == "PersistentVolumeClaim":
        for volume in spec.get("volumes") or ():
            if (volume.get("persistentVolumeClaim") or {}).get("claimName") == old:
                volume["persistentVolumeClaim"]["claimName"] = new
    target = (obj.get("spec") or {}).get("scaleTargetRef") if obj["kind"] == "HorizontalPodAutoscaler" else None
    if target and target.get("kind") == kind and target.get("name") == old:
        target["name"] = new


def _rename_refs(value: Any, keys: tuple[str, ...], old: str, new: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if key in keys and isinstance(item, dict):
                for name in ("name", "secretName"):
                    if item.get(name) == old:
                        item[name] = new
            _rename_refs(item, keys, old, new)
    elif isinstance(value, list):
        for item in value:
            _rename_refs(item, keys, old, new)
