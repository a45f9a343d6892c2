"""Helpers over JSON-shaped objects.  Objects that a client gave you are frozen by convention: `clone` before changing."""

from __future__ import annotations

from typing import Any

Obj = dict[str, Any]


def clone(value: Any) -> Any:
    """A deep copy of a JSON value (several times faster than copy.deepcopy)."""
    if isinstance(value, dict):
        return {k: clone(v) if isinstance(v, dict | list) else v for k, v in value.items()}
    if isinstance(value, list):
        return [clone(v) if isinstance(v, dict | list) else v for v in value]
    return value


def name_of(obj: Obj) -> str:
    """`metadata.name`, or ""."""
    return str((obj.get("metadata") or {}).get("name") or "")


def namespace_of(obj: Obj) -> str:
    """`metadata.namespace`, or ""."""
    return str((obj.get("metadata") or {}).get("namespace") or "")


def key_of(obj: Obj) -> str:
    """`namespace/name`, or the bare name of a cluster-scoped object: the key of work queues (`cache.MetaNamespaceKeyFunc`)."""
    meta = obj.get("metadata") or {}
    namespace = meta.get("namespace")
    return f"{namespace}/{meta.get('name', '')}" if namespace else str(meta.get("name", ""))


def split_key(key: str) -> tuple[str, str]:
    """`namespace/name` → its parts; a bare name has the namespace ""."""
    namespace, slash, name = key.partition("/")
    return (namespace, name) if slash else ("", namespace)


def labels_of(obj: Obj) -> dict[str, str]:
    """`metadata.labels`, never None."""
    return (obj.get("metadata") or {}).get("labels") or {}


def annotations_of(obj: Obj) -> dict[str, str]:
    """`metadata.annotations`, never None."""
    return (obj.get("metadata") or {}).get("annotations") or {}


def uid_of(obj: Obj) -> str:
    """`metadata.uid`, or ""."""
    return str((obj.get("metadata") or {}).get("uid") or "")


def get_path(obj: Any, *path: str | int, default: Any = None) -> Any:
    """The value at a path of keys and indexes, or `default` where something on the way is missing."""
    for step in path:
        try:
            obj = obj[step]
        except (KeyError, IndexError, TypeError):
            return default
        if obj is None:
            return default
    return obj


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference with `controller: true` (`metav1.GetControllerOf`)."""
    for ref in (obj.get("metadata") or {}).get("ownerReferences") or ():
        if ref.get("controller"):
            return ref  # type: ignore[no-any-return]
    return None


def owner_reference(owner: Obj, *, controller: bool = True) -> Obj:
    """A controller's reference to `owner` (`metav1.NewControllerRef`)."""
    meta = owner["metadata"]
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": meta["name"],
        "uid": meta["uid"],
        "controller": controller,
        "blockOwnerDeletion": controller,
    }


def condition(obj: Obj, kind: str) -> Obj | None:
    """The status condition of that type."""
    for item in (obj.get("status") or {}).get("conditions") or ():
        if item.get("type") == kind:
            return item  # type: ignore[no-any-return]
    return None


def is_condition_true(obj: Obj, kind: str) -> bool:
    """Whether the condition is there with status `True`."""
    found = condition(obj, kind)
    return found is not None and found.get("status") == "True"


def is_deleting(obj: Obj) -> bool:
    """Whether deletion has been asked for (`metadata.deletionTimestamp`)."""
    return bool((obj.get("metadata") or {}).get("deletionTimestamp"))


def resource_version(obj: Obj) -> int:
    """`metadata.resourceVersion` as a number; 0 when absent."""
    text = (obj.get("metadata") or {}).get("resourceVersion")
    return int(text) if text else 0
