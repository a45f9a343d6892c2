"""The verbs on resources: decode, call the registry, answer (`apiserver/pkg/endpoints/handlers`)."""

from __future__ import annotations

import base64
from typing import Any

import orjson

from ...kernel.http import Request, Response
from ..api import decode as typed
from ..api import errors, kinds, schema
from ..api.decode import DecodeError, Decoder
from ..api.errors import ApiError, FieldError
from ..api.schema import Type
from . import convert, managed, negotiate, options, patching, structural, subresources, tables, watching
from .call import Call
from .registry import notify, store
from .storage import too_large

Obj = dict[str, Any]
INCONSISTENT = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
    "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided "
    "token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was "
    "returned and now may show up in the list."
)


def serve(call: Call, verb: str) -> Response:
    """Answer a request on a resource."""
    if call.sub is not None and call.info.subresource != "status":
        handler = subresources.HANDLERS.get(call.info.subresource)
        if handler is not None:
            return handler(call, verb)
    special = subresources.REVIEWS.get((call.kind.group, call.kind.kind))
    if special is not None:
        return special(call, verb)
    if verb in ("get", "list", "watch"):
        notify.read(call, verb)
    return _VERBS[verb](call)


# -- decoding -----------------------------------------------------------------------------------------------------------


def type_of(call: Call) -> Type | None:
    """The type of the request's kind and version; None for custom resources."""
    return schema.type_for(call.kind.group, call.version, call.kind.kind, call.server.pack)


def decode_body(call: Call) -> Obj:
    """The request's object in typed form, metadata present."""
    try:
        body = negotiate.body_of(call.request)
    except negotiate.BadBody as error:
        data = call.request.body
        shown = "<empty>" if not data else data[:30].decode("utf-8", "replace") if data[:1] == b"{" else data[:30].hex()
        more = " ..." if len(data) > 30 else ""
        what = f"couldn't get version/kind; json parse error: {error}"
        text = f"the object provided is unrecognized (must be of type {call.kind.kind}): {what} ({shown}{more})"
        raise errors.bad_request(text) from None
    return decode_object(call, body)


def repeated(call: Call) -> list[str]:
    """What strict decoding says of members that stand twice in a JSON body."""
    request = call.request
    if request.obj is not None or call.request.param("fieldValidation", "Warn") == "Ignore" or call.applying is not None:
        return []
    return [f'duplicate field "{path}"' for path in negotiate.duplicates(request.body)]


def _package(group: str) -> str:
    """The package of a group's internal types, as Go prints them."""
    return group.partition(".")[0] or "core"


def decode_object(call: Call, body: Any) -> Obj:
    """Check apiVersion and kind, then decode with field validation."""
    kind, version = call.kind.kind, call.version
    expected = f"{call.kind.group}/{version}" if call.kind.group else version
    if not isinstance(body, dict):
        text = f"json: cannot unmarshal {typed.json_type(body)} into Go value of type struct {{ APIVersion string; Kind string }}"
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {text}")
    given_version, given_kind = body.get("apiVersion") or expected, body.get("kind") or kind
    for member, value in (("apiVersion", given_version), ("kind", given_kind)):
        if not isinstance(value, str):
            what = f"json: cannot unmarshal {typed.json_type(value)} into Go struct field .{member} of type string"
            text = f"couldn't get version/kind; json parse error: {what}"
            raise errors.bad_request(f"the object provided is unrecognized (must be of type {kind}): {text}")
    if given_version != expected:
        text = f"the API version in the data ({given_version}) does not match the expected API version ({expected})"
        raise errors.bad_request(text)
    if given_kind != kind:
        known = kinds.by_kind(given_version, given_kind)
        if known is not None:
            why = f"converting ({version}.{given_kind}) to ({_package(call.kind.group)}.{kind}): unknown conversion"
        else:
            scheme = 'in scheme "pkg/api/legacyscheme/scheme.go:30"'
            why = f'no kind "{given_kind}" is registered for version "{given_version}" {scheme}'
        raise errors.bad_request(f'{given_kind} in version "{version}" cannot be handled as a {kind}: {why}')
    return decode_typed(call, body, expected)


def decode_typed(call: Call, body: Obj, api_version: str) -> Obj:
    """The typed form, unknown fields handled as `fieldValidation` says."""
    kind = type_of(call)
    body = managed.without_owners(call, body)
    decoder = Decoder()
    try:
        if kind is None:
            obj = custom(call, decoder, body)
        else:
            obj = decoder.decode(kind, body)
    except DecodeError as error:
        raise handled_as(call, str(error)) from None
    found = decoder.unknown + repeated(call)
    if found:
        report_unknown(call, found)
    out: Obj = {"kind": call.kind.kind, "apiVersion": api_version}
    out.update(obj)
    out["kind"], out["apiVersion"] = call.kind.kind, api_version
    if not isinstance(out.get("metadata"), dict):
        out["metadata"] = {}
    return convert.to_storage(call.kind, call.version, out)


def custom(call: Call, decoder: Decoder, body: Obj) -> Obj:
    """A custom resource: metadata is typed, the rest is what the schema knows of it."""
    obj: Obj = {k: typed.checked_any(v, 0) for k, v in body.items() if k != "metadata"}
    obj = structural.prune(obj, call.server.schema(call.kind, call.version), decoder.unknown, root=True)
    meta = body.get("metadata")
    if meta is not None and not isinstance(meta, dict):
        raise DecodeError(f"json: cannot unmarshal {typed.json_type(meta)} into Go struct field .metadata of type v1.ObjectMeta")
    obj["metadata"] = decoder.struct(schema.type_of(schema.META + "ObjectMeta"), meta or {}, "metadata.", "metadata.", 1)
    return obj


def handled_as(call: Call, why: str) -> errors.ApiError:
    """400 of an object that cannot be decoded."""
    return errors.bad_request(f'{call.kind.kind} in version "{call.version}" cannot be handled as a {call.kind.kind}: {why}')


def report_unknown(call: Call, unknown: list[str]) -> None:
    """Unknown fields: refuse, warn or ignore."""
    mode = call.request.param("fieldValidation", "Warn")
    if mode == "Strict":
        raise handled_as(call, "strict decoding error: " + ", ".join(unknown))
    if mode == "Warn":
        call.warnings.extend(unknown)


# -- answering ----------------------------------------------------------------------------------------------------------


def answer(call: Call, obj: Obj, code: int = 200) -> Response:
    """One object in the form that the client accepts."""
    header = call.request.headers.get("accept", "")
    obj = convert.from_storage(call.server, call.kind, call.version, obj)
    if not header:
        return Response(status=code, obj=obj)
    form = negotiate.accepted(header)
    if form.kind == "Table" and obj.get("kind") != "Status":
        obj = tables.table_of(call, [obj], obj["metadata"], include=call.request.param("includeObject", "Metadata"))
    elif form.kind == "PartialObjectMetadata":
        obj = tables.partial(obj)
    return Response(status=code, obj=obj)


# -- verbs --------------------------------------------------------------------------------------------------------------


def get(call: Call) -> Response:
    """GET one object; not older than a version that the client names."""
    version = call.request.param("resourceVersion")
    if version and version.isdigit() and int(version) > (current := call.server.storage.revision()):
        raise too_large(int(version), current)
    return answer(call, store.get(call))


def create(call: Call) -> Response:
    """POST to a collection."""
    options.check_write("CreateOptions", call.request)
    obj = decode_body(call)
    if call.info.name and not call.info.subresource:
        raise errors.method_not_allowed()
    given = obj["metadata"].get("namespace")
    if call.kind.namespaced and given and given != call.namespace:
        text = "the namespace of the provided object does not match the namespace sent on the request"
        raise errors.bad_request(text)
    return answer(call, store.create(call, obj), 201)


def update(call: Call) -> Response:
    """PUT an object or its status."""
    options.check_write("UpdateOptions", call.request)
    if not call.info.name:
        raise errors.method_not_allowed()
    obj = decode_body(call)
    meta = obj["metadata"]
    name = meta.get("name")
    if not name:
        meta["name"] = call.info.name
    elif name != call.info.name:
        text = f"the name of the object ({name}) does not match the name on the URL ({call.info.name})"
        raise errors.bad_request(text)
    if call.kind.namespaced:
        if meta.get("namespace", call.namespace) != call.namespace:
            raise errors.bad_request("the namespace of the provided object does not match the namespace sent on the request")
        meta["namespace"] = call.namespace
    stored, created = store.update(call, lambda old: obj)
    return answer(call, stored, 201 if created else 200)


def patch(call: Call) -> Response:
    """PATCH an object or its status."""
    if not call.info.name:
        raise errors.method_not_allowed()
    stored, created = patching.patch_object(call)
    return answer(call, stored, 201 if created else 200)


def delete(call: Call) -> Response:
    """DELETE one object."""
    obj, gone = store.delete(call, delete_options(call))
    if gone and not call.strategy.return_deleted:
        meta = obj["metadata"]
        details = {"name": meta["name"], "group": call.kind.group, "kind": call.kind.plural, "uid": meta["uid"]}
        return Response(obj=errors.success({k: v for k, v in details.items() if v}))
    return answer(call, obj, 200)


def delete_options(call: Call) -> Obj:
    """DeleteOptions of the body and of query parameters (which the real server reads when there is no body)."""
    out: Obj = {}
    if call.request.obj is not None or call.request.body:
        body = negotiate.body_of(call.request)
        if not isinstance(body, dict):
            raise errors.bad_request("the object provided is unrecognized (must be of type DeleteOptions)")
        try:
            out = Decoder().decode(schema.type_of(schema.META + "DeleteOptions"), body)
        except DecodeError as error:
            raise errors.bad_request(f'DeleteOptions in version "v1" cannot be handled as a DeleteOptions: {error}') from None
    for name in ("gracePeriodSeconds", "propagationPolicy", "orphanDependents"):
        text = call.request.param(name)
        if not text or name in out:
            continue
        if name == "gracePeriodSeconds":
            out[name] = options.whole(call.request, name)
        else:
            out[name] = text == "true" if name == "orphanDependents" else text
    if call.dry_run:
        out.setdefault("dryRun", call.request.query.get("dryRun"))
    options.check_delete(out)
    if out.get("dryRun"):
        call.dry_run = True
    return out


def delete_collection(call: Call) -> Response:
    """DELETE a collection: each object that the selectors match."""
    wanted = delete_options(call)
    match = watching.matcher(call)
    objects, revision, _, _ = call.server.storage.list(prefix_of(call))
    gone: list[Obj] = []
    for obj in objects:
        if match is not None and not match(obj):
            continue
        meta = obj["metadata"]
        key = call.key(meta.get("namespace", ""), meta["name"])
        found = call.server.storage.get(key)
        if found is not None:
            gone.append(store.delete_found(call, key, found[0], found[1], wanted)[0])
    return Response(obj=list_object(call, gone, str(revision)))


def prefix_of(call: Call) -> bytes:
    """The etcd prefix of the collection."""
    if call.kind.namespaced and call.info.namespace:
        return f"{call.kind.prefix}/{call.info.namespace}/".encode()
    return f"{call.kind.prefix}/".encode()


def list_object(call: Call, items: list[Obj], revision: str) -> Obj:
    """`PodList` and its like."""
    group = call.kind.group
    version = f"{group}/{call.version}" if group else call.version
    if convert.needed(call.kind, call.version):
        items = convert.all_from_storage(call.server, call.kind, call.version, items)
    return {"kind": call.kind.kind + "List", "apiVersion": version, "metadata": {"resourceVersion": revision}, "items": items}


def list_(call: Call) -> Response:
    """GET a collection."""
    query = call.request.query
    revision, start, limit = 0, b"", 0
    prefix = prefix_of(call)
    if query:
        revision, start, limit = paging(call, prefix)
    match = watching.matcher(call) if query or call.info.name else None
    if match is None:
        items, revision, more, count = _page(call, prefix, start, revision, limit)
        remaining: int | None = count - len(items) if more else None
    else:
        items, revision, more = filtered(call, prefix, start, revision, limit, match)
        remaining = None
    out = list_object(call, items, str(revision))
    if more and items:
        meta = items[-1]["metadata"]
        last = call.key(meta.get("namespace", ""), meta["name"]) + b"\0"
        out["metadata"]["continue"] = continue_token(revision, last[len(prefix) :])
        if remaining is not None:
            out["metadata"]["remainingItemCount"] = remaining
    header = call.request.headers.get("accept", "")
    if header:
        form = negotiate.accepted(header)
        if form.kind == "Table":
            include = call.request.param("includeObject", "Metadata")
            return Response(obj=tables.table_of(call, out["items"], out["metadata"], include=include))
        if form.kind == "PartialObjectMetadataList":
            return Response(obj=tables.partial_list(out))
    return Response(obj=out)


def _page(call: Call, prefix: bytes, start: bytes, revision: int, limit: int) -> tuple[list[Obj], int, bool, int]:
    """A page of the store; a token that is too old is answered with one that is not."""
    try:
        return call.server.storage.list(prefix, start=start, revision=revision, limit=limit)
    except ApiError as error:
        if error.code == 410 and start:
            raise inconsistent(error, call.request.param("continue")) from None
        raise


def filtered(call: Call, prefix: bytes, start: bytes, revision: int, limit: int, match: Any) -> tuple[list[Obj], int, bool]:
    """A page of the objects that match."""
    objects, revision, _, _ = _page(call, prefix, start, revision, 0)
    found = [obj for obj in objects if match(obj)]
    more = bool(limit) and len(found) > limit
    return (found[:limit] if more else found), revision, more


def paging(call: Call, prefix: bytes) -> tuple[int, bytes, int]:
    """(revision to read at or 0, key to start from, limit) of the query; raises 400."""
    request = call.request
    limit = max(0, options.whole(request, "limit") or 0)
    options.whole(request, "timeoutSeconds")
    token, version = request.param("continue"), request.param("resourceVersion")
    match = request.param("resourceVersionMatch")
    problems = option_problems(request)
    if problems:
        raise errors.invalid("ListOptions", "meta.k8s.io", "", problems)
    if version and not version.isdigit():
        problem = errors.invalid_value("resourceVersion", version, f'strconv.ParseUint: parsing "{version}": invalid syntax')
        raise errors.bad_request(problem.text)
    if token:
        if version not in ("", "0"):
            raise errors.bad_request("specifying resource version is not allowed when using continue")
        revision, start = read_token(token)
        return max(revision, 0), prefix + start, limit
    if version and version != "0" and match == "Exact":
        return int(version), b"", limit
    if version and version != "0" and int(version) > (current := call.server.storage.revision()):
        raise too_large(int(version), current)
    return 0, b"", limit


def option_problems(request: Request) -> list[FieldError]:
    """What is wrong with the options of a list (`internalversion/validation`: ValidateListOptions)."""
    match, version, at = request.param("resourceVersionMatch"), request.param("resourceVersion"), "resourceVersionMatch"
    out: list[FieldError] = []
    if match and not version:
        out.append(errors.forbidden_field(at, "resourceVersionMatch is forbidden unless resourceVersion is provided"))
    if match and request.param("continue"):
        out.append(errors.forbidden_field(at, "resourceVersionMatch is forbidden when continue is provided"))
    if match and match not in ("Exact", "NotOlderThan"):
        out.append(errors.not_supported(at, match, ("Exact", "NotOlderThan", "")))
    if match == "Exact" and version == "0":
        out.append(errors.forbidden_field(at, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
    if request.param("sendInitialEvents"):
        out.append(errors.forbidden_field("sendInitialEvents", "sendInitialEvents is forbidden for list"))
    return out


def inconsistent(error: ApiError, token: str) -> ApiError:
    """A continue token that is too old: the answer holds one that goes on with what is there now (`etcd3/errors.go`)."""
    _, start = read_token(token)
    held = {**error.status, "message": INCONSISTENT, "metadata": {"continue": continue_token(-1, start)}}
    return ApiError(held)


def continue_token(revision: int, start: bytes) -> str:
    """The opaque token of the next page (`storage/continue.go`)."""
    body = {"v": "meta.k8s.io/v1", "rv": revision, "start": start.decode("utf-8", "replace")}
    return base64.urlsafe_b64encode(orjson.dumps(body)).rstrip(b"=").decode()


def read_token(token: str) -> tuple[int, bytes]:
    """(revision, start) of a token; raises 400."""
    try:
        body = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        revision, start = body["rv"], body["start"]
        if body["v"] != "meta.k8s.io/v1" or not isinstance(revision, int) or not isinstance(start, str) or "/../" in start:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise errors.bad_request("continue key is not valid: invalid token") from None
    return revision, start.encode()


def watch(call: Call) -> Response:
    """GET a collection with `watch=true`."""
    return watching.watch(call)


_VERBS = {
    "get": get,
    "list": list_,
    "watch": watch,
    "create": create,
    "update": update,
    "patch": patch,
    "delete": delete,
    "deletecollection": delete_collection,
}
