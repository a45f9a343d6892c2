"""OpenAPI v3: an index and one document a group version, made from the extracted definitions (`kube-openapi/pkg/handler3`).

Enough for kubectl: component schemas of every kind of the group version and all that they refer to, and paths whose
operations name their kind and, for writes, declare `fieldValidation`, which is how kubectl learns that the server validates.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Any

import orjson

from ...kernel.versions import VERSION
from ..api import packs, schema
from ..api.kinds import KindInfo
from . import discovery
from .server import Server

Obj = dict[str, Any]
REF = "#/components/schemas/"
_LIST_PARAMETERS = (
    "pretty", "allowWatchBookmarks", "continue", "fieldSelector", "labelSelector", "limit", "resourceVersion",
    "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds", "watch",
)  # fmt: skip
_WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def index(server: Server) -> Obj:
    """`/openapi/v3`."""
    paths: Obj = {}
    for name, versions in [("", ("v1",)), *discovery.groups(server)]:
        for version in versions:
            key = f"apis/{name}/{version}" if name else f"api/{version}"
            custom = any(k.group == name for k in server.custom_kinds())
            body = orjson.dumps(document(server, name, version)) if custom else cached(name, version, server.version)
            paths[key] = {"serverRelativeURL": f"/openapi/v3/{key}?hash={hashlib.sha512(body).hexdigest().upper()}"}
    return {"paths": paths}


@lru_cache(maxsize=64)
def cached(group: str, version: str, release: str) -> bytes:
    """The encoded document of a built-in group version; the same in every world of a release."""
    held = [kind for kind in packs.kinds_of(release) if kind.group == group and version in kind.versions]
    return orjson.dumps(build(held, group, version, {}, release))


def document(server: Server, group: str, version: str) -> Obj | None:
    """`/openapi/v3/apis/<group>/<version>`."""
    held = discovery.kinds_of(server, group, version)
    if not held:
        return None
    extra: Obj = {}
    for kind in held:
        if kind.custom:
            given = (server.definition(kind, version).get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}
            extra[custom_name(kind, version)] = custom_schema(kind, version, given)
    return build(held, group, version, extra, server.version)


def custom_name(kind: KindInfo, version: str) -> str:
    """`com.example.sea.v1.Boat`."""
    return ".".join([*reversed(kind.group.split(".")), version, kind.kind])


def custom_schema(kind: KindInfo, version: str, given: Obj) -> Obj:
    """A custom resource's schema with its type and metadata members."""
    properties = dict(given.get("properties") or {})
    definitions = schema.openapi_definitions()
    meta = definitions[schema.META + "ObjectMeta"]
    pod = definitions[schema.CORE + "Pod"]["properties"]
    properties["apiVersion"], properties["kind"] = pod["apiVersion"], pod["kind"]
    properties["metadata"] = {
        "description": pod["metadata"].get("description", ""),
        "allOf": [{"$ref": REF + schema.META + "ObjectMeta"}],
    }
    assert meta
    gvk = [{"group": kind.group, "version": version, "kind": kind.kind}]
    return {**given, "properties": dict(sorted(properties.items())), "x-kubernetes-group-version-kind": gvk}


def build(held: list[KindInfo], group: str, version: str, extra: Obj, release: str = VERSION) -> Obj:
    """The document of some kinds of a group version, as a release has them."""
    definitions = packs.definitions(release)
    wanted: Obj = dict(extra)
    queue: list[str] = [schema.META + name for name in ("DeleteOptions", "Status", "APIResourceList", "WatchEvent", "Patch")]
    paths: Obj = {}
    for kind in held:
        found = schema.type_for(group, version, kind.kind, packs.pack_of(release))
        name = custom_name(kind, version) if kind.custom else (found.name if found is not None else "")
        if not name:
            continue
        queue += [name, name + "List"]
        add_paths(paths, kind, version, name)
    queue += [ref for body in extra.values() for ref in references(body)]
    while queue:
        name = queue.pop()
        body = definitions.get(name)
        if name in wanted or body is None:
            continue
        wanted[name] = body
        queue += references(body)
    info = {"title": "Kubernetes", "version": release}
    return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": dict(sorted(wanted.items()))}}


@lru_cache(maxsize=4096)
def _refs(encoded: bytes) -> tuple[str, ...]:
    out: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            ref = value.get("$ref")
            if isinstance(ref, str):
                out.append(ref.removeprefix(REF))
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    walk(orjson.loads(encoded))
    return tuple(dict.fromkeys(out))


def references(body: Obj) -> list[str]:
    """The schemas that a schema refers to."""
    return list(_refs(orjson.dumps(body)))


#: Query parameters: name → (type, what it does).
PARAMETERS: dict[str, tuple[str, str]] = {
    "allowWatchBookmarks": ("boolean", "Whether a watch may send BOOKMARK events."),
    "continue": ("string", "The token of an earlier answer, to get the page after it."),
    "dryRun": ("string", "With All, every stage is run and nothing is stored."),
    "fieldManager": ("string", "Who makes this change, for field ownership."),
    "fieldSelector": ("string", "Restricts the list of returned objects by their fields; everything by default."),
    "fieldValidation": ("string", "What to do about unknown and repeated fields: Ignore, Warn (default) or Strict."),
    "force": ("boolean", "Take fields over from other managers; for apply requests only."),
    "gracePeriodSeconds": ("integer", "Seconds until the object is deleted; zero means at once."),
    "labelSelector": ("string", "Restricts the list of returned objects by their labels; everything by default."),
    "limit": ("integer", "The most items of one answer; there is a continue token when there are more."),
    "pretty": ("string", "If true, the answer is indented."),
    "propagationPolicy": ("string", "What becomes of dependents: Orphan, Background or Foreground."),
    "resourceVersion": ("string", "How new the answer must be."),
    "resourceVersionMatch": ("string", "How resourceVersion is applied to lists."),
    "sendInitialEvents": ("boolean", "Whether a watch begins with what is there."),
    "timeoutSeconds": ("integer", "How long the call may take."),
    "watch": ("boolean", "Watch for changes to the described resources and return them as they come."),
}


def _parameters(*names: str) -> list[Obj]:
    return [
        {
            "name": name,
            "in": "query",
            "description": PARAMETERS[name][1],
            "schema": {"type": PARAMETERS[name][0], "uniqueItems": True},
        }
        for name in names
    ]


def _operation(action: str, kind: KindInfo, version: str, name: str, *parameters: str) -> Obj:
    content = {"application/json": {"schema": {"$ref": REF + name}}}
    where = kind.group.title().replace(".", "") or "Core"
    out: Obj = {
        "tags": [f"{kind.group.partition('.')[0] or 'core'}_{version}"],
        "operationId": "".join((action, where, version.title(), "Namespaced" if kind.namespaced else "", kind.kind)),
        "parameters": _parameters(*parameters),
        "responses": {"200": {"description": "OK", "content": content}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": {"group": kind.group, "version": version, "kind": kind.kind},
    }
    if action in ("post", "put"):
        out["requestBody"] = {"content": {"*/*": {"schema": {"$ref": REF + name}}}, "required": True}
    if action == "patch":
        # clients choose the patch type by this list: custom resources have no merge keys
        strategic = () if kind.custom else ("application/strategic-merge-patch+json",)
        types = ("application/json-patch+json", "application/merge-patch+json", *strategic, "application/apply-patch+yaml")
        body = {media: {"schema": {"$ref": REF + schema.META + "Patch"}} for media in types}
        out["requestBody"] = {"content": body, "required": True}
    return out


def add_paths(paths: Obj, kind: KindInfo, version: str, name: str) -> None:
    """The collection's and the object's paths of a kind."""
    collection = kind.path("{namespace}" if kind.namespaced else "", version=version)
    one = collection + "/{name}"
    held: Obj = {}
    if "list" in kind.verbs:
        held["get"] = _operation("list", kind, version, name + "List", *_LIST_PARAMETERS)
    if "create" in kind.verbs:
        held["post"] = _operation("post", kind, version, name, *_WRITE_PARAMETERS)
    if held:
        paths[collection] = held
    single: Obj = {}
    if "get" in kind.verbs:
        single["get"] = _operation("get", kind, version, name)
    if "update" in kind.verbs:
        single["put"] = _operation("put", kind, version, name, *_WRITE_PARAMETERS)
    if "patch" in kind.verbs:
        single["patch"] = _operation("patch", kind, version, name, *_WRITE_PARAMETERS, "force")
    if "delete" in kind.verbs:
        single["delete"] = _operation(
            "delete", kind, version, schema.META + "Status", "dryRun", "gracePeriodSeconds", "propagationPolicy"
        )
    if single:
        paths[one] = single
