"""PATCH: read, apply one of four patch types, decode, store (`apiserver/pkg/endpoints/handlers/patch.go`)."""

from __future__ import annotations

import json
from typing import Any

from ..api import errors, patch, schema, strategic
from ..api.decode import DecodeError, Decoder
from ..api.errors import ApiError
from . import convert, managed, negotiate, options
from .call import Call
from .registry import store

Obj = dict[str, Any]

JSON, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"
CBOR = "application/apply-patch+cbor"


def patch_type(call: Call) -> str:
    """The patch type of the request; raises 415."""
    media = call.request.headers.get("content-type", "").partition(";")[0].strip()
    allowed = [JSON, MERGE, APPLY] if call.kind.custom else [JSON, MERGE, STRATEGIC, APPLY, CBOR]
    if media not in allowed or media == CBOR:
        raise errors.unsupported_media_type(", ".join(allowed))
    return media


def patch_object(call: Call) -> tuple[Obj, bool]:
    """Apply the request's patch to the stored object; (object, whether it was created)."""
    media = patch_type(call)
    options.check_write("PatchOptions", call.request, apply=media == APPLY)
    body = negotiate.body_of(call.request)
    if media == APPLY:
        return apply(call, body)

    def change(old: Obj) -> Obj:
        current = convert.from_storage(call.server, call.kind, call.version, old)
        return redecode(call, applied(call, media, current, body), body if media == STRATEGIC else None)

    return store.update(call, change, create_missing=False)


def applied(call: Call, media: str, current: Obj, body: Any) -> Any:
    """The patched object, not yet decoded."""
    if media == JSON:
        return patch.apply_json(current, body)
    if not isinstance(body, dict):
        what = {str: "string", list: "array", bool: "bool"}.get(type(body), "number")
        raise errors.bad_request(f"json: cannot unmarshal {what} into Go value of type map[string]interface {{}}")
    kind = schema.type_for(call.kind.group, call.version, call.kind.kind, call.server.pack)
    if media == STRATEGIC and kind is not None:
        return strategic.strategic_merge(current, body, kind)
    return patch.merge(current, body)


def redecode(call: Call, patched: Any, body: Any = None) -> Obj:
    """The typed form of a patched object; a wrong type is a 422 for strategic patches, 400 for the others."""
    from . import resource

    if not isinstance(patched, dict):
        raise patch.rejected()
    kind = schema.type_for(call.kind.group, call.version, call.kind.kind, call.server.pack)
    group = call.kind.group
    api_version = f"{group}/{call.version}" if group else call.version
    if patched.get("apiVersion", api_version) != api_version or patched.get("kind", call.kind.kind) != call.kind.kind:
        given = f"{patched.get('apiVersion')}, Kind={patched.get('kind')}"
        raise errors.bad_request(
            f'the object provided is unrecognized (must be of type {call.kind.kind}): no kind "{given}" is registered'
        )
    patched = managed.without_owners(call, patched)
    decoder = Decoder()
    try:
        obj = decoder.decode(kind, patched) if kind is not None else resource.custom(call, decoder, patched)
    except DecodeError as error:
        raise wrong_type(call, str(error), body) from None
    if decoder.unknown:
        report_unknown(call, decoder.unknown, patched, body)
    obj["kind"], obj["apiVersion"] = call.kind.kind, api_version
    meta = obj.setdefault("metadata", {})
    if meta.get("name", call.info.name) != call.info.name:
        text = f"the name of the object ({meta['name']}) does not match the name on the URL ({call.info.name})"
        raise errors.bad_request(text)
    meta["name"] = call.info.name
    if call.kind.namespaced:
        meta["namespace"] = call.namespace
    return convert.to_storage(call.kind, call.version, {"kind": obj["kind"], "apiVersion": obj["apiVersion"], **obj})


def report_unknown(call: Call, unknown: list[str], patched: Obj, body: Any) -> None:
    """Unknown fields in a patched object: an invalid patch, shown as it is (strategic) or by what came out (`patch.go`)."""
    mode = call.request.param("fieldValidation", "Warn")
    if mode == "Strict":
        shown = go_value(body) if body is not None else json.dumps(patched, separators=(",", ":"), ensure_ascii=False)
        raise invalid_patch(shown, "strict decoding error: " + ", ".join(unknown))
    if mode == "Warn":
        call.warnings.extend(unknown)


def wrong_type(call: Call, why: str, body: Any) -> ApiError:
    """The error of a patched object that cannot be decoded."""
    if body is None:
        return errors.bad_request(f'{call.kind.kind} in version "{call.version}" cannot be handled as a {call.kind.kind}: {why}')
    kind = why.rpartition(" of type ")[2] if " of type " in why else why
    given = why.partition("cannot unmarshal ")[2].partition(" ")[0]
    given = {"number": "int64", "array": "slice", "object": "map"}.get(given, given)
    text = f"unrecognized type: {kind}"
    if kind.startswith("map["):
        text = f"cannot restore map from {given}"
    elif kind.startswith("[]"):
        text = f"cannot restore slice from {given}"
    elif "." in kind:
        text = f"cannot restore struct from: {given}"
    return invalid_patch(go_value(body), text)


def invalid_patch(shown: str, text: str) -> ApiError:
    """A 422 about the patch itself."""
    problem = errors.FieldError("FieldValueInvalid", "patch", f"Invalid value: {json.dumps(shown, ensure_ascii=False)}: {text}")
    return ApiError(errors.status(422, "Invalid", f' "" is invalid: {problem.text}', {"causes": [
        {"reason": problem.type, "message": problem.body, "field": problem.field}
    ]}))  # fmt: skip


def go_value(value: Any) -> str:
    """A value as Go's %v prints it: `map[spec:map[replicas:three]]`."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{k}:{go_value(v)}" for k, v in sorted(value.items())) + "]"
    if isinstance(value, list):
        return "[" + " ".join(go_value(v) for v in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


# -- server-side apply --------------------------------------------------------------------------------------------------


def apply(call: Call, body: Any) -> tuple[Obj, bool]:
    """Server-side apply: merge what the manager says, refuse conflicts unless forced, create what is absent."""
    from . import resource

    manager = call.request.param("fieldManager")
    if not isinstance(body, dict):
        raise errors.bad_request("error decoding YAML: yaml: cannot unmarshal into map")
    if (body.get("metadata") or {}).get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    if call.version == call.kind.version:
        managed.check_declared(call, body)
    wanted = resource.decode_object(call, body)
    force = call.request.param("force") == "true"
    meta = wanted["metadata"]
    if meta.get("name", call.info.name) != call.info.name:
        raise errors.bad_request(f"the name of the object ({meta['name']}) does not match the name on the URL ({call.info.name})")
    call.applying = managed.Applying(manager, body, force)

    def change(old: Obj) -> Obj:
        return managed.apply(call, old, wanted)

    return store.update(call, change, create_missing=True)
