"""Name suffixes from content (`kubectl/pkg/util/hash/hash.go`, kustomize's `hasher.go`)."""

from __future__ import annotations

import hashlib
from typing import Any

from .jsontext import compact

Obj = dict[str, Any]
_SAFE = str.maketrans("013ae", "ghkmt")


def _encode(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10].translate(_SAFE)


def configmap_hash(obj: Obj) -> str:
    """The suffix of a ConfigMap."""
    parts: Obj = {"kind": "ConfigMap", "name": obj["metadata"]["name"], "data": obj.get("data")}
    if not obj.get("data"):
        parts["data"] = ""
    if obj.get("binaryData"):
        parts["binaryData"] = obj["binaryData"]
    return _encode(compact(parts))


def secret_hash(obj: Obj) -> str:
    """The suffix of a Secret."""
    parts: Obj = {"kind": "Secret", "name": obj["metadata"]["name"], "type": obj.get("type", ""), "data": obj.get("data") or ""}
    if obj.get("stringData"):
        parts["stringData"] = obj["stringData"]
    return _encode(compact(parts))
