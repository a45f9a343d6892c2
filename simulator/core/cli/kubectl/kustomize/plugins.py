"""`generators`, `transformers` and `validators`: configurations of kustomize's own plug-ins (`plugins/loader`, `api/internal/builtins`).

Programs and containers as plug-ins are refused, as kubectl refuses them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ....kernel.errors import NotSimulated
from ....kube.api.objects import clone
from ... import goyaml
from ..errors import CommandError
from . import fieldspecs, generators, images, merging, replacements
from .configuration import spec_of
from .fieldspecs import Spec
from .items import Item, Obj, Selector, clustered, id_of

if TYPE_CHECKING:
    from .target import Kustomization

HELM = "HelmChartInflationGenerator"
GENERATORS = ("ConfigMapGenerator", "SecretGenerator", "IAMPolicyGenerator", HELM)


def named(obj: Obj) -> str:
    """`PrefixTransformer.builtin.[noGrp]/p.[noNs]`."""
    return str(id_of(obj))


def check(obj: Obj) -> str:
    """The plug-in that a configuration is of; raises CommandError."""
    one = id_of(obj)
    if one.group or one.version != "builtin":
        raise CommandError(f"external plugins disabled; unable to load external plugin '{one.kind}'")
    if one.kind not in GENERATORS and one.kind not in TRANSFORMERS:
        raise CommandError(f"unable to load builtin {one.kind}.builtin.[noGrp]")
    return one.kind


def _failed(obj: Obj, why: str) -> CommandError:
    return CommandError(f"plugin {named(obj)} fails configuration: {why}")


def generate(target: Kustomization, obj: Obj) -> Item:
    """The object of a generator's configuration."""
    kind = check(obj)
    if kind not in GENERATORS:
        raise CommandError(f"failed to load generator: plugin {named(obj)} not a generator")
    if kind == HELM:
        raise CommandError(f"failed to load generator: {_failed(obj, 'must specify --enable-helm')}")
    if kind == "IAMPolicyGenerator":
        raise NotSimulated("kustomize IAMPolicyGenerator")
    meta = obj.get("metadata") or {}
    args = {**obj, "name": obj.get("name") or meta.get("name"), "namespace": obj.get("namespace") or meta.get("namespace")}
    return generators.generate(kind.removesuffix("Generator"), args, {}, target.file)


def transformer(target: Kustomization, obj: Obj) -> Callable[[], None]:
    """What a transformer's configuration does, checked; raises CommandError."""
    kind = check(obj)
    if kind in GENERATORS:
        raise CommandError(f"plugin {named(obj)} not a transformer")
    return TRANSFORMERS[kind](target, obj)


def _specs(obj: Obj) -> tuple[Spec, ...]:
    return tuple(spec_of(raw) for raw in obj.get("fieldSpecs") or ())


def _pairs(field: str) -> Callable[[Kustomization, Obj], Callable[[], None]]:
    def make(target: Kustomization, obj: Obj) -> Callable[[], None]:
        def run() -> None:
            for item in target.items if obj.get(field) else ():
                fieldspecs.add_pairs(item.obj, _specs(obj), obj[field])

        return run

    return make


def _affix(word: str) -> Callable[[Kustomization, Obj], Callable[[], None]]:
    def make(target: Kustomization, obj: Obj) -> Callable[[], None]:
        if obj.get("fieldSpecs") is None:
            raise _failed(obj, "fieldSpecs is not expected to be nil")
        text = str(obj.get(word) or "")
        return lambda: target.affix(*((text, "") if word == "prefix" else ("", text)), _specs(obj))

    return make


def _namespace(target: Kustomization, obj: Obj) -> Callable[[], None]:
    wanted = str((obj.get("metadata") or {}).get("namespace") or "")
    mode = obj.get("setRoleBindingSubjects") or "defaultOnly"
    if mode not in ("defaultOnly", "allServiceAccounts", "none"):
        raise _failed(
            obj,
            f'invalid value "{mode}" for setRoleBindingSubjects: must be one of "defaultOnly", "none" or "allServiceAccounts"',
        )

    def run() -> None:
        for item in target.items if wanted else ():
            _put_namespace(item, wanted, str(mode), bool(obj.get("unsetOnly")), _specs(obj))

    return run


def _put_namespace(item: Item, wanted: str, mode: str, unset_only: bool, specs: tuple[Spec, ...]) -> None:
    obj = item.obj
    item.keep()
    meta = obj.setdefault("metadata", {})
    if obj["kind"] == "Namespace":
        meta["name"] = wanted
    elif not clustered(obj) and not (unset_only and meta.get("namespace")):
        meta["namespace"] = wanted
    fieldspecs.put(obj, tuple(spec for spec in specs if spec.path not in ("metadata/namespace", "metadata/name")), wanted)
    for subject in obj.get("subjects") or () if obj["kind"].endswith("RoleBinding") else ():
        meant = subject.get("kind") == "ServiceAccount" if mode == "allServiceAccounts" else subject.get("name") == "default"
        if mode != "none" and meant and not (unset_only and subject.get("namespace")):
            subject["namespace"] = wanted


def _images(target: Kustomization, obj: Obj) -> Callable[[], None]:
    def run() -> None:
        for item in target.items:
            target.retag(item, obj.get("imageTag") or {}, _specs(obj))

    return run


def _replicas(target: Kustomization, obj: Obj) -> Callable[[], None]:
    return lambda: target.count(obj.get("replica") or {}, _specs(obj))


def _patch(target: Kustomization, obj: Obj) -> Callable[[], None]:
    entry: Obj = {key: obj[key] for key in ("patch", "path", "target", "options") if key in obj}
    if not entry.get("patch") and not entry.get("path"):
        raise _failed(obj, f"must specify one of patch and path in\n{goyaml.dump(obj)}")
    return lambda: target.patch(entry)


def _json6902(target: Kustomization, obj: Obj) -> Callable[[], None]:
    wanted = obj.get("target") or {}
    if not wanted.get("name"):
        raise _failed(obj, "must specify the target name")
    text, path = str(obj.get("jsonOp") or ""), str(obj.get("path") or "")
    if not text and not path:
        raise _failed(obj, "empty file path and empty jsonOp")
    if text and path:
        raise _failed(obj, "must specify a file path or jsonOp, not both")
    operations = goyaml.load(text or target.file(path).decode("utf-8", "replace"), v3=True)

    def run() -> None:
        selector = Selector(wanted)
        for item in target.items:
            if selector.chooses(item):
                item.keep()
                item.obj = merging.operated(item.obj, operations)

    return run


def _strategic(target: Kustomization, obj: Obj) -> Callable[[], None]:
    entries: list[Obj] = []
    for one in obj.get("paths") or ():
        text = str(one)
        entries.append({"patch": text} if "\n" in text else {"path": text})
    if obj.get("patches"):
        entries.append({"patch": str(obj["patches"])})
    if not entries:
        raise _failed(obj, "empty file path and empty patch content")

    def run() -> None:
        for entry in entries:
            target.patch(entry)

    return run


def _replacement(target: Kustomization, obj: Obj) -> Callable[[], None]:
    return lambda: replacements.apply(target.items, target.replacements_of(obj.get("replacements") or []))


def _value(target: Kustomization, obj: Obj) -> Callable[[], None]:
    targets = obj.get("targets") or []
    if not targets:
        raise _failed(obj, "must specify at least one target")
    value = str(obj.get("value") or "").strip() or target.path.rpartition("/")[2]
    for one in targets:
        if not one.get("fieldPath"):
            raise _failed(obj, "fieldPath cannot be empty")

    def run() -> None:
        for one in targets:
            chosen = Selector(one.get("selector") or {})
            for item in target.items:
                if chosen.chooses(item):
                    item.keep()
                    _add_value(item.obj, str(one["fieldPath"]), value, int(one.get("filePathPosition") or 0))

    return run


def _add_value(obj: Obj, path: str, value: str, position: int) -> None:
    def act(at: Obj, key: str) -> None:
        if not position:
            at[key] = value
            return
        parts = str(at.get(key) or "").split("/")
        parts.insert(min(position - 1 + (1 if parts[0] == "" else 0), len(parts)), value)
        at[key] = "/".join(parts)

    fieldspecs.visit(obj, fieldspecs.split(path), True, act)


def _hash(target: Kustomization, obj: Obj) -> Callable[[], None]:
    return target.add_hashes


TRANSFORMERS: dict[str, Callable[[Any, Obj], Callable[[], None]]] = {
    "AnnotationsTransformer": _pairs("annotations"),
    "HashTransformer": _hash,
    "ImageTagTransformer": _images,
    "LabelTransformer": _pairs("labels"),
    "NamespaceTransformer": _namespace,
    "PatchJson6902Transformer": _json6902,
    "PatchStrategicMergeTransformer": _strategic,
    "PatchTransformer": _patch,
    "PrefixTransformer": _affix("prefix"),
    "ReplacementTransformer": _replacement,
    "ReplicaCountTransformer": _replicas,
    "SuffixTransformer": _affix("suffix"),
    "ValueAddTransformer": _value,
}


def retag_places(obj: Obj, change: Obj, specs: tuple[Spec, ...]) -> None:
    """New images at places that a configuration names."""

    def act(at: Obj, key: str) -> None:
        if isinstance(at.get(key), str):
            at[key] = images.renamed(at[key], change)

    for spec in specs:
        if spec.fits(obj):
            fieldspecs.visit(obj, fieldspecs.split(spec.path), spec.create, act)


def copies(items: list[Item]) -> list[Obj]:
    """The objects as they are now, to tell later which of them changed."""
    return [clone(item.obj) for item in items]
