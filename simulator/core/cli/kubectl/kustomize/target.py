"""One kustomization: what it takes in, makes and changes, in kustomize's order (`api/internal/target`)."""

from __future__ import annotations

import posixpath
import re

from ....kernel.errors import NotSimulated
from ....kube.api.objects import clone
from ....runtime.addons import pages as addons
from ... import goyaml
from ...flags import quote
from ..errors import CommandError
from ..hashing import suffix
from ..manifests import download, parse
from ..session import Session
from . import fieldspecs, generators, images, merging, references, replacements, shapes
from .fieldspecs import Spec
from .items import Item, Obj, Selector, clustered, id_of

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KNOWN = frozenset((
    "apiVersion", "kind", "metadata", "resources", "bases", "components", "namePrefix", "nameSuffix", "namespace", "labels", "commonLabels",
    "commonAnnotations", "images", "replicas", "configMapGenerator", "secretGenerator", "generatorOptions", "patches", "patchesStrategicMerge",
    "patchesJson6902", "replacements", "sortOptions",
))  # fmt: skip
LATER = frozenset(("vars", "helmCharts", "helmGlobals", "helmChartInflationGenerator", "transformers", "generators", "validators", "crds",
                   "configurations", "openapi", "buildMetadata"))  # fmt: skip
#: Fields that kustomize warns of, and what takes their place.
DEPRECATED = {
    "bases": "resources", "commonLabels": "labels", "imageTags": "images", "patchesJson6902": "patches", "patchesStrategicMerge": "patches",
}  # fmt: skip
MAX_DEPTH = 20
#: Kinds whose names stay as they are.
UNNAMED = ("CustomResourceDefinition", "Namespace", "APIService")
#: Namespaces and definitions first, webhooks last (`api/internal/builtins/SortOrderTransformer.go`: legacy order).
FIRST = ("Namespace", "ResourceQuota", "StorageClass", "CustomResourceDefinition", "ServiceAccount", "PodSecurityPolicy", "Role", "ClusterRole",
         "RoleBinding", "ClusterRoleBinding", "ConfigMap", "Secret", "Endpoints", "Service", "LimitRange", "PriorityClass", "PersistentVolume",
         "PersistentVolumeClaim", "Deployment", "StatefulSet", "CronJob", "PodDisruptionBudget")  # fmt: skip
LAST = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")


def build(session: Session, folder: str) -> list[Obj]:
    """The objects of a kustomization directory; raises CommandError or NotSimulated."""
    if _remote(folder):
        return [clone(obj) for obj in _definitions(folder)]
    path = session.inv.path(folder)
    if session.inv.exists(path) and not session.inv.isdir(path):
        raise CommandError(f"must build at directory: '{folder}': file is not directory")
    if not session.inv.isdir(path):
        raise CommandError(
            f"must build at directory: not a valid directory: evalsymlink failure on '{folder}' : lstat {path}: no such file or directory"
        )
    top = Kustomization(session, path, 0)
    top.build([])
    for item in top.items:
        if item.hashed:
            item.keep()
            meta = item.obj["metadata"]
            meta["name"] += f"-{suffix(item.obj, kustomize=True)}"
    references.follow(top.items)
    objects = [item.obj for item in top.items if not _local(item.obj)]
    return _in_order(objects, top.spec.get("sortOptions") or {})


def _remote(item: str) -> bool:
    """Whether a resource is an address or a repository."""
    return "://" in item or item.startswith(("github.com/", "git@"))


def _definitions(item: str) -> tuple[Obj, ...]:
    """The objects of a folder in a repository: those that are there (runtime/addons); raises NotSimulated."""
    found = addons.kustomization(item)
    if found is None:
        raise NotSimulated(f"kustomize resource {item}")
    return found


def _local(obj: Obj) -> bool:
    return "config.kubernetes.io/local-config" in ((obj.get("metadata") or {}).get("annotations") or {})


def _in_order(objects: list[Obj], options: Obj) -> list[Obj]:
    order = options.get("order") or "legacy"
    if order == "fifo":
        return objects
    if order != "legacy":
        raise CommandError(f"the field 'sortOptions.order' must be one of [fifo, legacy, ]: got {order}")
    legacy = options.get("legacySortOptions") or {}
    first, last = (legacy.get("orderFirst") or (), legacy.get("orderLast") or ()) if legacy else (FIRST, LAST)
    rank = {kind: at - len(first) for at, kind in enumerate(first)} | {kind: at + 1 for at, kind in enumerate(last)}

    def key(obj: Obj) -> tuple[int, str, str]:
        one = id_of(obj)
        return (
            rank.get(one.kind, 0),
            f"{one.group or '~G'}_{one.version or '~V'}_{one.kind}",
            f"{one.namespace or '~X'}|{one.name or '~N'}",
        )

    return sorted(objects, key=key)


class Kustomization:
    """One directory."""

    def __init__(self, session: Session, path: str, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise CommandError("kustomizations nest too deeply")
        self.s, self.path, self.depth = session, path, depth
        self.items: list[Item] = []
        self.spec = self._load()

    def _load(self) -> Obj:
        inv = self.s.inv
        found = [name for name in FILES if inv.exists(posixpath.join(self.path, name))]
        if not found:
            raise CommandError(
                f"unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '{self.path}'"
            )
        if len(found) > 1:
            raise CommandError(f"Found multiple kustomization files under: {self.path}\n")
        try:
            spec = goyaml.load(inv.read_file(posixpath.join(self.path, found[0])).decode("utf-8", "replace")) or {}
        except goyaml.YamlError as error:
            raise CommandError(f"invalid Kustomization: {error}") from None
        if not isinstance(spec, dict):
            kind = "array" if isinstance(spec, list) else "string" if isinstance(spec, str) else "number"
            raise CommandError(f"invalid Kustomization: json: cannot unmarshal {kind} into Go value of type types.Kustomization")
        for key in sorted(spec):
            if key in LATER:
                raise NotSimulated(f"kustomize field {key}")
            if key not in KNOWN:
                raise CommandError(f"invalid Kustomization: json: unknown field {quote(key)}")
        for key, instead in DEPRECATED.items():
            if key in spec:
                self.s.err(f"# Warning: '{key}' is deprecated. Please use '{instead}' instead. Run 'kustomize edit fix' to update your Kustomization "
                           "automatically.\n")  # fmt: skip
        shapes.check(spec)
        if not {
            key: value for key, value in spec.items() if key not in ("apiVersion", "kind") and value not in (None, [], {}, "")
        }:
            raise CommandError("kustomization.yaml is empty")
        self._check_type(spec)
        return spec

    def _check_type(self, spec: Obj) -> None:
        kind, version = spec.get("kind") or "Kustomization", spec.get("apiVersion")
        wrong = []
        if kind not in ("Kustomization", "Component"):
            wrong.append("kind should be Kustomization or Component")
        needed = "kustomize.config.k8s.io/v1alpha1" if kind == "Component" else "kustomize.config.k8s.io/v1beta1"
        if version and version != needed:
            wrong.append(f"apiVersion for {kind} should be {needed}")
        if wrong:
            raise CommandError(f"Failed to read kustomization file under {self.path}:\n" + "\n".join(wrong))

    @property
    def component(self) -> bool:
        """Whether it is a component, which changes what its user has."""
        return bool(self.spec.get("kind") == "Component")

    def build(self, given: list[Item]) -> None:
        """Fill `items`; a component begins with what its user has."""
        self.items = given
        for item in [*(self.spec.get("resources") or ()), *(self.spec.get("bases") or ())]:
            self._resource(str(item))
        for key, kind in (("configMapGenerator", "ConfigMap"), ("secretGenerator", "Secret")):
            for args in self.spec.get(key) or ():
                self._absorb(
                    generators.generate(kind, args, self.spec.get("generatorOptions") or {}, self._file),
                    str(args.get("behavior") or "create"),
                )
        for path in self.spec.get("components") or ():
            self._component(str(path))
        self._patches()
        self._namespace()
        self._names()
        self._labels()
        if self.spec.get("commonAnnotations"):
            for item in self.items:
                fieldspecs.add_pairs(item.obj, fieldspecs.ANNOTATIONS, self.spec["commonAnnotations"])
        for one in self.spec.get("patchesJson6902") or ():
            self._patch(one)
        self._replicas()
        self._images()
        replacements.apply(self.items, self._replacements())

    # -- what comes in ----------------------------------------------------------------------------------------------------
    def _resource(self, item: str) -> None:
        where = posixpath.normpath(posixpath.join(self.path, item))
        if self.s.inv.isdir(where):
            self._directory(where, item)
            return
        if _remote(item):
            plain = item.startswith(("http://", "https://")) and item.partition("?")[0].endswith((".yaml", ".yml", ".json"))
            found = parse(download(self.s, item).decode("utf-8", "replace"), item, v3=True) if plain else _definitions(item)
            self.items += [Item(clone(obj)) for obj in found]
            return
        if not self.s.inv.exists(where):
            lost = f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
            raise CommandError(f"accumulating resources: accumulation err='accumulating resources from '{item}': {lost}': must build at directory: not a "
                               f"valid directory: {lost}")  # fmt: skip
        self._outside(item, where)
        new = [Item(clone(obj)) for obj in parse(self.s.inv.read_file(where).decode("utf-8", "replace"), item, v3=True)]
        for one in new:
            if any(one.id == old.id for old in self.items):
                raise CommandError(
                    f"accumulating resources: accumulation err='merging resources from '{item}': may not add resource with an already registered id: {one.id}': "
                    f"must build at directory: '{where}': file is not directory"
                )
            self.items.append(one)

    def _outside(self, item: str, where: str) -> None:
        """Files outside the directory are refused (`LoadRestrictionsRootOnly`)."""
        if not where.startswith(self.path.rstrip("/") + "/"):
            raise CommandError(
                f"accumulating resources: accumulation err='accumulating resources from '{item}': security; file '{where}' is not in or below '{self.path}'': "
                f"must build at directory: '{where}': file is not directory"
            )

    def _directory(self, where: str, item: str) -> None:
        if self.path == where or self.path.startswith(where.rstrip("/") + "/"):
            raise CommandError(f"accumulating resources: accumulation err='accumulating resources from '{item}': '{where}' must resolve to a file': "
                               f"cycle detected: candidate root '{where}' contains visited root '{self.path}'")  # fmt: skip
        inner = Kustomization(self.s, where, self.depth + 1)
        if inner.component:
            raise CommandError(f"accumulating resources: accumulation err='accumulating resources from '{item}': '{where}' must resolve to a file': "
                               f"expected kind != 'Component' for path '{where}'")  # fmt: skip
        inner.build([])
        for one in inner.items:
            if any(one.id == old.id for old in self.items):
                raise CommandError(
                    f"accumulating resources: accumulation err='accumulating resources from '{item}': '{where}' must resolve to a file': "
                    f"recursed merging from path '{where}': may not add resource with an already registered id: {one.id}"
                )
        self.items += inner.items

    def _component(self, item: str) -> None:
        where = posixpath.normpath(posixpath.join(self.path, item))
        if not self.s.inv.isdir(where):
            if self.s.inv.exists(where):
                why = f"must build at directory: '{where}': file is not directory"
            else:
                why = f"must build at directory: not a valid directory: evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
            raise CommandError(f"accumulating components: loader.New {quote(why)}")
        inner = Kustomization(self.s, where, self.depth + 1)
        if not inner.component:
            told = f"expected kind 'Component' for path '{where}' but got '{inner.spec.get('kind') or 'Kustomization'}'"
            raise CommandError(f"accumulating components: accumulateDirectory: {quote(told)}")
        try:
            inner.build(self.items)
        except CommandError as error:
            told = f"recursed accumulation of path '{where}': {error}"
            raise CommandError(f"accumulating components: accumulateDirectory: {quote(told)}") from None
        self.items = inner.items

    def _file(self, path: str) -> bytes:
        where = posixpath.normpath(posixpath.join(self.path, path))
        try:
            return bytes(self.s.inv.read_file(where))
        except OSError:
            raise CommandError(f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory") from None

    def _absorb(self, new: Item, behavior: str) -> None:
        """Add, merge or replace (`resWrangler.appendReplaceOrMerge`)."""
        found = [item for item in self.items if item.is_called(new.id)]
        told = f'resid.ResId{{Gvk:resid.Gvk{{Group:"", Version:"v1", Kind:{quote(new.id.kind)}, isClusterScoped:false}}, Name:{quote(new.id.name)}, Namespace:{quote(new.id.namespace)}}}'  # fmt: skip
        if not found:
            if behavior in ("merge", "replace"):
                raise CommandError(
                    f"merging from generator &{{0xc000a3c510 <nil>}}: id {told} does not exist; cannot merge or replace"
                )
            self.items.append(new)
            return
        if behavior not in ("merge", "replace"):
            raise CommandError(
                f"merging from generator &{{0xc000a3c510 <nil>}}: id {told} exists; behavior must be merge or replace"
            )
        old, meta = found[0], new.obj["metadata"]
        for key in ("labels", "annotations"):
            both = {**(old.obj["metadata"].get(key) or {}), **(meta.get(key) or {})}
            if both:
                meta[key] = both
        meta.update({key: value for key, value in old.obj["metadata"].items() if key in ("name", "namespace")})
        if behavior == "merge":
            for key in ("data", "binaryData"):
                data = {**(old.obj.get(key) or {}), **(new.obj.get(key) or {})}
                new.obj.update({key: data} if data else {})
        old.obj, old.hashed = new.obj, old.hashed or new.hashed

    # -- patches ----------------------------------------------------------------------------------------------------------
    def _patches(self) -> None:
        for entry in self.spec.get("patchesStrategicMerge") or ():
            inline = "\n" in str(entry) or (
                not self.s.inv.exists(posixpath.join(self.path, str(entry))) and str(entry).lstrip().startswith("{")
            )
            self._patch({"patch" if inline else "path": str(entry)})
        for one in self.spec.get("patches") or ():
            self._patch(one)

    def _patch(self, one: Obj) -> None:
        """An entry of `patches`: a strategic merge of one object or of a target's, or JSON operations on a target's."""
        text, target = str(one.get("patch") or "").strip(), one.get("target")
        told = f"[patch: {quote(text)}]" if text else f"[path: {quote(str(one.get('path') or ''))}]"
        if not text and not one.get("path"):
            raise CommandError(
                f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: must specify one of patch and path in\n{goyaml.dump(one)}"
            )
        if text and one.get("path"):
            raise CommandError(
                f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: patch and path can't be set at the same time\n{goyaml.dump(one)}"
            )
        if not text:
            where = posixpath.normpath(posixpath.join(self.path, str(one["path"])))
            if not self.s.inv.exists(where):
                lost = f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
                raise CommandError(
                    f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: failed to get the patch file from path({one['path']}): {lost}"
                )
            text = self.s.inv.read_file(where).decode("utf-8", "replace")
        documents = [goyaml.load(part, v3=True) for part in re.split(r"(?m)^---.*$", text) if part.strip()]
        if len(documents) == 1 and isinstance(documents[0], list):
            if not target:
                raise CommandError(f"must specify a target for JSON patch {told}")
            for item in self._targets(target):
                item.keep()
                item.obj = merging.operated(item.obj, documents[0])
            return
        if not all(isinstance(document, dict) and document.get("kind") for document in documents):
            raise CommandError(
                f"trouble configuring builtin PatchTransformer with config: `\n{goyaml.dump(one)}`: unable to parse SM or JSON patch from {told}"
            )
        options = one.get("options") or {}
        if target:
            if len(documents) > 1:
                raise CommandError(
                    f"Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field: {told}"
                )
            for item in self._targets(target):
                self._merge(item, documents[0], options)
            return
        for document in documents:
            wanted = id_of(document)
            found = [item for item in self.items if item.is_called(wanted)]
            if len(found) != 1:
                why = f"multiple matches for Id {wanted}" if found else f"no matches for Id {wanted}"
                raise CommandError(
                    f"no resource matches strategic merge patch {quote(str(wanted))}: {why}; failed to find unique target for patch {wanted}"
                )
            self._merge(found[0], document, options)

    def _merge(self, item: Item, change: Obj, options: Obj) -> None:
        """A strategic merge patch on one object; its name and kind stay unless the options let them change."""
        before = item.id
        item.keep()
        wanted = {key: value for key, value in change.items() if key not in ("apiVersion", "kind")}
        wanted["metadata"] = {
            key: value for key, value in (change.get("metadata") or {}).items() if key not in ("name", "namespace")
        }
        if not wanted["metadata"]:
            wanted.pop("metadata")
        merged = merging.merge(item.obj, wanted)
        if merged is None:
            self.items.remove(item)
            return
        item.obj = merged
        if options.get("allowNameChange") and (change.get("metadata") or {}).get("name"):
            item.obj["metadata"]["name"] = change["metadata"]["name"]
        if options.get("allowKindChange"):
            item.obj["kind"] = change.get("kind", before.kind)

    def _targets(self, target: Obj) -> list[Item]:
        selector = Selector(target)
        return [item for item in self.items if selector.chooses(item)]

    # -- transformers -----------------------------------------------------------------------------------------------------
    def _namespace(self) -> None:
        wanted = self.spec.get("namespace")
        for item in self.items if wanted else ():
            obj = item.obj
            item.keep()
            if obj["kind"] == "Namespace":
                obj["metadata"]["name"] = wanted
            elif not clustered(obj):
                obj.setdefault("metadata", {})["namespace"] = wanted
            fieldspecs.put(obj, fieldspecs.NAMESPACE, wanted)
            for subject in obj.get("subjects") or () if obj["kind"].endswith("RoleBinding") else ():
                if subject.get("name") == "default":
                    subject["namespace"] = wanted

    def _names(self) -> None:
        prefix, suffix = str(self.spec.get("namePrefix") or ""), str(self.spec.get("nameSuffix") or "")
        for item in self.items if prefix or suffix else ():
            if item.obj["kind"] in UNNAMED:
                continue
            item.keep()
            item.obj["metadata"]["name"] = f"{prefix}{item.obj['metadata']['name']}{suffix}"
            item.prefixes += [prefix] if prefix else []
            item.suffixes += [suffix] if suffix else []

    def _labels(self) -> None:
        for one in self.spec.get("labels") or ():
            if one.get("includeSelectors"):
                specs = fieldspecs.COMMON_LABELS
            else:
                specs = fieldspecs.TEMPLATE_LABELS if one.get("includeTemplates") else fieldspecs.METADATA_LABELS
            more = tuple(
                Spec(f["path"], f.get("kind", ""), f.get("group", ""), bool(f.get("create")), f.get("version", ""))
                for f in one.get("fields") or ()
            )
            for item in self.items:
                fieldspecs.add_pairs(item.obj, (*specs, *more), one.get("pairs") or {})
        for item in self.items if self.spec.get("commonLabels") else ():
            fieldspecs.add_pairs(item.obj, fieldspecs.COMMON_LABELS, self.spec["commonLabels"])

    def _replicas(self) -> None:
        for one in self.spec.get("replicas") or ():
            found = [
                item for item in self.items for spec in fieldspecs.REPLICAS
                if spec.fits(item.obj) and any(had.name == one.get("name") for had in (*item.before, item.id))
            ]  # fmt: skip
            if not found:
                kinds_ = " ".join(
                    f"{kind}.[noVer].[noGrp]" for kind in ("Deployment", "StatefulSet", "ReplicaSet", "ReplicationController")
                )
                raise CommandError(
                    f"resource with name {one.get('name')} does not match a config with the following GVK [{kinds_}]"
                )
            for item in found:
                fieldspecs.put(item.obj, fieldspecs.REPLICAS, one.get("count", 0))

    def _images(self) -> None:
        for one in self.spec.get("images") or ():
            for item in self.items:
                if item.obj["kind"] != "CustomResourceDefinition":
                    images.retag(item.obj, one)

    def _replacements(self) -> list[Obj]:
        found: list[Obj] = []
        for one in self.spec.get("replacements") or ():
            if not one.get("path"):
                found.append(one)
                continue
            where = posixpath.normpath(posixpath.join(self.path, str(one["path"])))
            if not self.s.inv.exists(where):
                lost = f"evalsymlink failure on '{where}' : lstat {where}: no such file or directory"
                raise CommandError(
                    f"trouble configuring builtin ReplacementTransformer with config: `\n{goyaml.dump({'replacements': self.spec['replacements']})}`: {lost}"
                )
            content = goyaml.load(self.s.inv.read_file(where).decode("utf-8", "replace"))
            found += content if isinstance(content, list) else [content]
        return found
