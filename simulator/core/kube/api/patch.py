"""JSON patch (RFC 6902) and JSON merge patch (RFC 7386), bounded; strategic merge is in `strategic.py`.

Follows `apiserver/pkg/endpoints/handlers/patch.go` and the error texts of evanphx/json-patch that it shows.
"""

from __future__ import annotations

from typing import Any

from .errors import ApiError, bad_request, status
from .objects import clone

MAX_OPERATIONS = 10_000


class PatchError(Exception):
    """A JSON patch that does not apply; the API answers it with 422 and says no more."""


def rejected() -> ApiError:
    """What the API server says of a JSON patch that does not apply to the object."""
    return ApiError(status(422, "Invalid", "the server rejected our request due to an error in our request", {}))


def merge(target: Any, patch: Any) -> Any:
    """RFC 7386: objects merge, null deletes, everything else replaces.  Neither argument is changed."""
    if not isinstance(patch, dict):
        return clone(patch)
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        elif isinstance(value, dict):
            out[key] = merge(out.get(key), value)
        else:
            out[key] = clone(value)
    return out


def apply_json(target: Any, operations: Any) -> Any:
    """Apply a JSON patch to a copy; raises ApiError 400 for a malformed patch, 422 for one that does not apply."""
    if not isinstance(operations, list):
        what = {dict: "object", str: "string", bool: "bool"}.get(type(operations), "number")
        raise bad_request(f"error decoding patch: json: cannot unmarshal {what} into Go value of type []handlers.jsonPatchOp")
    if len(operations) > MAX_OPERATIONS:
        text = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise ApiError(status(413, "RequestEntityTooLarge", f"Request entity too large: {text}"))
    out = clone(target)
    try:
        for operation in operations:
            if not isinstance(operation, dict):
                raise PatchError("operation is not an object")
            out = _step(out, operation)
    except PatchError:
        raise rejected() from None
    return out


def _step(target: Any, operation: dict[str, Any]) -> Any:
    kind = operation.get("op")
    path = _pointer(operation.get("path"))
    if kind == "add":
        return _add(target, path, clone(_member(operation, "value")))
    if kind == "remove":
        return _remove(target, path)
    if kind == "replace":
        value = clone(_member(operation, "value"))
        _read(target, path)
        return _add(_remove(target, path), path, value) if path else value
    if kind == "test":
        try:
            found = _read(target, path)
        except PatchError:
            found = None
        if not same(found, operation.get("value")):
            raise PatchError("test failed")
        return target
    source = _pointer(operation.get("from"))
    if kind == "copy":
        return _add(target, path, clone(_read(target, source)))
    if kind == "move":
        value = _read(target, source)
        return _add(_remove(target, source), path, value)
    raise PatchError(f"unexpected kind {kind}")


def same(a: Any, b: Any) -> bool:
    """JSON equality: true is not 1."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(v, b[k]) for k, v in a.items())
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _member(operation: dict[str, Any], name: str) -> Any:
    if name not in operation:
        raise PatchError(f"missing {name}")
    return operation[name]


def _pointer(path: Any) -> list[str]:
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise PatchError("bad pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _index(held: list[Any], part: str, *, end: bool = False) -> int:
    if end and part == "-":
        return len(held)
    if not part.lstrip("-").isdigit() or len(part) > 9:
        raise PatchError("bad index")
    at = int(part)
    if at < 0:
        at += len(held)
    if not 0 <= at < len(held) + (1 if end else 0):
        raise PatchError("index out of range")
    return at


def _read(target: Any, path: list[str]) -> Any:
    for part in path:
        if isinstance(target, dict) and part in target:
            target = target[part]
        elif isinstance(target, list):
            target = target[_index(target, part)]
        else:
            raise PatchError("no such path")
    return target


def _add(target: Any, path: list[str], value: Any) -> Any:
    if not path:
        return value
    parent = _read(target, path[:-1])
    if isinstance(parent, dict):
        parent[path[-1]] = value
    elif isinstance(parent, list):
        parent.insert(_index(parent, path[-1], end=True), value)
    else:
        raise PatchError("no such parent")
    return target


def _remove(target: Any, path: list[str]) -> Any:
    if not path:
        return None
    parent = _read(target, path[:-1])
    if isinstance(parent, dict) and path[-1] in parent:
        del parent[path[-1]]
    elif isinstance(parent, list):
        del parent[_index(parent, path[-1])]
    else:
        raise PatchError("no such member")
    return target
