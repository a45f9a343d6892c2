"""Name suffixes from content (`kubectl/pkg/util/hash/hash.go`, kustomize's `hasher.go`)."""

from __future__ import annotations

import hashlib
from typing import Any

from .jsontext import compact

Obj = dict[str, Any]
_SAFE = str.maketrans("013ae", "ghkmt")


def _encode(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_SAFE)


def suffix(obj: Obj, *, kustomize: bool = False) -> str:
    """The suffix of a ConfigMap or Secret.  kustomize's leaves the name out (it looks for a field `metadata/name`) and has "" for no data."""
    parts: Obj = {"kind": obj["kind"], "name": "" if kustomize else obj["metadata"]["name"]}
    parts["data"] = obj.get("data") or ("" if kustomize else {})
    if obj["kind"] == "Secret":
        parts["type"] = obj.get("type", "")
    if "immutable" in obj and not kustomize:
        parts["immutable"] = obj["immutable"]
    for key in ("binaryData", "stringData"):
        if obj.get(key):
            parts[key] = obj[key]
    return _encode(compact(parts))
