"""Validation of metadata (`apimachinery/pkg/api/validation/objectmeta.go`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...api import names
from ...api.errors import FieldError, duplicate, forbidden_field, invalid_value, required, too_long
from ...api.kinds import KindInfo

Obj = dict[str, Any]
TOTAL_ANNOTATIONS = 256 * 1024


def object_meta(kind: KindInfo, meta: Obj, check_name: Callable[[str], list[str]]) -> list[FieldError]:
    """Errors of the metadata of an object to be created."""
    out: list[FieldError] = []
    generate = meta.get("generateName", "")
    if generate:
        masked = generate[:-1] + "a" if generate.endswith("-") and len(generate) > 1 else generate
        out += [invalid_value("metadata.generateName", generate, text) for text in check_name(masked)]
    name = meta.get("name", "")
    if not name:
        out.append(required("metadata.name", "name or generateName is required"))
    else:
        out += [invalid_value("metadata.name", name, text) for text in check_name(name)]
    namespace = meta.get("namespace", "")
    if kind.namespaced:
        if not namespace:
            out.append(required("metadata.namespace"))
        else:
            out += [invalid_value("metadata.namespace", namespace, text) for text in names.dns_label(namespace)]
    elif namespace:
        out.append(forbidden_field("metadata.namespace", "not allowed on this type"))
    return out + common(meta) + finalizer_names(kind, meta)


def common(meta: Obj) -> list[FieldError]:
    """Errors that creations and updates share."""
    out = check_labels(meta.get("labels"), "metadata.labels") + check_annotations(meta.get("annotations"), "metadata.annotations")
    out += owner_references(meta.get("ownerReferences"), "metadata.ownerReferences")
    held = meta.get("finalizers") or ()
    for item in held:
        out += [invalid_value("metadata.finalizers", item, t) for t in names.qualified_name(item)]
    if "orphan" in held and "foregroundDeletion" in held:
        text = "finalizer foregroundDeletion and orphan cannot be both set"
        out.append(invalid_value("metadata.finalizers", list(held), text))
    return out


#: Finalizers without a domain that the server knows (`core/helper.IsStandardFinalizerName`).
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")


def finalizer_names(kind: KindInfo, meta: Obj) -> list[FieldError]:
    """`validateKubeFinalizerName`: those of built-in kinds are standard or have a domain."""
    if kind.custom or kind.group in _APIMACHINERY:
        return []
    text = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        invalid_value(f"metadata.finalizers[{i}]", item, text)
        for i, item in enumerate(meta.get("finalizers") or ())
        if "/" not in item and item not in STANDARD_FINALIZERS
    ]


#: Groups whose servers validate metadata without the core group's additions.
_APIMACHINERY = ("apiextensions.k8s.io", "apiregistration.k8s.io")


def check_labels(held: Obj | None, path: str) -> list[FieldError]:
    """`ValidateLabels`."""
    out: list[FieldError] = []
    for key, value in sorted((held or {}).items()):
        out += [invalid_value(path, key, text) for text in names.qualified_name(key)]
        out += [invalid_value(path, value, text) for text in names.label_value(value)]
    return out


def check_annotations(held: Obj | None, path: str) -> list[FieldError]:
    """`ValidateAnnotations`."""
    out: list[FieldError] = []
    total = 0
    for key, value in sorted((held or {}).items()):
        out += [invalid_value(path, key, text) for text in names.qualified_name(key.lower())]
        total += len(key) + len(value)
    if total > TOTAL_ANNOTATIONS:
        out.append(too_long(path, TOTAL_ANNOTATIONS))
    return out


def owner_references(refs: list[Obj] | None, path: str) -> list[FieldError]:
    """`ValidateOwnerReferences`."""
    out: list[FieldError] = []
    controller = ""
    for i, ref in enumerate(refs or ()):
        for member, text in (
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ):
            if not ref.get(member):
                out.append(invalid_value(f"{path}[{i}].{member}", ref.get(member, ""), text))
        if ref.get("controller"):
            if controller:
                both = f"{controller} and {ref.get('name')}"
                text = f'Only one reference can have Controller set to true. Found "true" in references for {both}'
                out.append(invalid_value(path, refs, text))
            controller = str(ref.get("name"))
    return out


def update_meta(kind: KindInfo, meta: Obj, old: Obj) -> list[FieldError]:
    """Errors of the metadata of an update (`ValidateObjectMetaUpdate`); system members were carried over already."""
    out: list[FieldError] = []
    for member in ("name", "namespace"):
        if meta.get(member, "") != old.get(member, ""):
            out.append(invalid_value(f"metadata.{member}", meta.get(member, ""), "field is immutable"))
    if old.get("deletionTimestamp"):
        added = [item for item in meta.get("finalizers") or () if item not in (old.get("finalizers") or ())]
        if added:
            text = f"no new finalizers can be added if the object is being deleted, found new finalizers {_go_list(added)}"
            out.append(forbidden_field("metadata.finalizers", text))
    if (
        meta.get("labels") != old.get("labels")
        or meta.get("annotations") != old.get("annotations")
        or meta.get("ownerReferences") != old.get("ownerReferences")
        or meta.get("finalizers") != old.get("finalizers")
    ):
        out += common(meta) + finalizer_names(kind, meta)
    return out


def _go_list(items: list[str]) -> str:
    return "[]string{" + ", ".join(f'"{item}"' for item in items) + "}"


def unique(values: list[Any], path: str, member: str) -> list[FieldError]:
    """Duplicates among the members of a list of objects."""
    out: list[FieldError] = []
    seen: set[Any] = set()
    for i, value in enumerate(values):
        if value in seen:
            out.append(duplicate(f"{path}[{i}].{member}", value))
        seen.add(value)
    return out
