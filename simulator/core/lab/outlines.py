"""Outlines: the fields of one kind as the world's API server publishes them, small enough to be asked for while somebody writes YAML.

The schemas are those of `/openapi/v3` (of the server's release, and of its CustomResourceDefinitions), cut down to one kind and what it
refers to, without descriptions: 1 KB to 60 KB.  The description of one field is asked for by its path.  While no API server answers, what
the release itself has is told, so that a manifest that keeps it from starting can still be written with help.
"""

from __future__ import annotations

from typing import Any

from ..host import processes
from ..kernel.errors import BadInput
from ..kernel.versions import VERSION
from ..kernel.world import World
from ..kube.api import packs
from ..kube.api.kinds import KindInfo
from ..kube.apiserver import openapi, program
from ..kube.apiserver.server import Server
from ..shell.completion import unnoticed

Obj = dict[str, Any]
#: Members of a schema that say what may stand there.
KEPT = (
    *(
        "type",
        "format",
        "enum",
        "required",
        "properties",
        "items",
        "additionalProperties",
        "nullable",
        "pattern",
        "minimum",
        "maximum",
    ),
    *("allOf", "anyOf", "oneOf", "$ref", "x-kubernetes-int-or-string", "x-kubernetes-preserve-unknown-fields"),
    "x-kubernetes-embedded-resource",
)
#: The longest outline of a custom resource, in schema nodes, and the deepest path.
MAX_NODES = 6000
MAX_DEPTH = 40


def outline(world: World, api_version: str = "", kind: str = "", about: str = "") -> Obj:
    """All kinds (`{"kinds": [[apiVersion, kind], …]}`), one kind, or one field of it (`about` is its path: `spec.containers.image`).

    A kind is `{"root": name, "schemas": {name: schema}}`, where `$ref` holds names; a field `{"type", "text", "enum", "required"}`.
    What does not exist is an empty answer.  Changes nothing.
    """
    if len(about) > 1000 or len(api_version) > 320 or len(kind) > 200:
        raise BadInput("outline: too long")
    with unnoticed(world):
        server = _server(world)
        if not kind:
            return {"kinds": _kinds(server)}
        group, _, version = api_version.rpartition("/")
        schemas = _schemas(server, group, version)
        root = next((name for name, body in schemas.items() if _is_of(body, group, version, kind)), "")
        if not root:
            return {}
        return _field(schemas, root, about.split(".")) if about else {"root": root, "schemas": _cut(schemas, root)}


def _server(world: World) -> Server | None:
    """An API server that answers, the first by host and process."""
    for key, running in sorted(program.section(world).items()):
        host, _, pid = key.partition("/")
        proc = processes.find(world, host, int(pid))
        if running.ready and proc is not None:
            return program.server_of(world, proc)
    return None


def _kinds(server: Server | None) -> list[list[str]]:
    held: list[KindInfo] = [*packs.kinds_of(server.version if server is not None else VERSION)]
    held += server.custom_kinds() if server is not None else []
    written = {
        (f"{kind.group}/{version}" if kind.group else version, kind.kind)
        for kind in held
        if "create" in kind.verbs
        for version in kind.versions
    }
    return [list(pair) for pair in sorted(written, key=lambda pair: (pair[1], pair[0]))]


def _schemas(server: Server | None, group: str, version: str) -> Obj:
    """The component schemas of a group version."""
    if server is not None:
        document = openapi.document(server, group, version)
    else:
        held = [kind for kind in packs.kinds_of(VERSION) if kind.group == group and version in kind.versions]
        document = openapi.build(held, group, version, {}) if held else None
    return dict(document["components"]["schemas"]) if document else {}


def _is_of(body: Obj, group: str, version: str, kind: str) -> bool:
    return {"group": group, "version": version, "kind": kind} in (body.get("x-kubernetes-group-version-kind") or ())


def _plain(body: Any, budget: list[int]) -> Any:
    """A schema with what says what may stand there, and names for references."""
    if not isinstance(body, dict):
        return body
    budget[0] -= 1
    if budget[0] < 0:
        return {}
    out: Obj = {}
    for name in KEPT:
        if name not in body:
            continue
        held = body[name]
        if name == "properties":
            out[name] = {field: _plain(item, budget) for field, item in held.items()}
        elif name in ("allOf", "anyOf", "oneOf"):
            out[name] = [_plain(item, budget) for item in held]
        elif name in ("items", "additionalProperties"):
            out[name] = _plain(held, budget)
        elif name == "$ref":
            out[name] = held.removeprefix(openapi.REF)
        else:
            out[name] = held
    if set(out) == {"allOf"} and len(out["allOf"]) == 1:  # a reference with a description of its own
        return out["allOf"][0]
    return out


def _cut(schemas: Obj, root: str) -> Obj:
    """The schema of a kind and all that it refers to."""
    budget = [MAX_NODES]
    out: Obj = {}
    queue = [root]
    while queue:
        name = queue.pop()
        body = schemas.get(name)
        if name in out or body is None:
            continue
        out[name] = _plain(body, budget)
        queue += openapi.references(body)
    return dict(sorted(out.items()))


def _target(schemas: Obj, body: Obj) -> Obj:
    """What a schema refers to."""
    for _ in range(MAX_DEPTH):
        ref = body.get("$ref") or next((item["$ref"] for item in body.get("allOf") or () if "$ref" in item), None)
        if ref is None:
            break
        body = schemas.get(ref.removeprefix(openapi.REF)) or {}
    return body


def _field(schemas: Obj, root: str, path: list[str]) -> Obj:
    """What there is to say about a field; lists are passed through, a key of a map is any word."""
    body: Obj = schemas[root]
    told: Obj = body
    required = False
    for name in path[:MAX_DEPTH]:
        inner = _target(schemas, body)
        while isinstance(inner.get("items"), dict):
            inner = _target(schemas, inner["items"])
        found = (inner.get("properties") or {}).get(name)
        if found is None and isinstance(inner.get("additionalProperties"), dict):
            found = inner["additionalProperties"]
        if not isinstance(found, dict):
            return {}
        required = name in (inner.get("required") or ())
        body = told = found
    target = _target(schemas, body)
    return {
        "type": _named(schemas, told),
        "text": str(told.get("description") or target.get("description") or "")[:4000],
        "enum": [str(value) for value in (told.get("enum") or target.get("enum") or ())][:100],
        "required": required,
    }


def _named(schemas: Obj, body: Obj) -> str:
    """A type as `kubectl explain` names it: `string`, `[]Container`, `map[string]string`."""
    ref = body.get("$ref") or next((item["$ref"] for item in body.get("allOf") or () if "$ref" in item), "")
    if ref:
        return str(ref).rpartition(".")[2]
    if isinstance(body.get("items"), dict):
        return "[]" + _named(schemas, body["items"])
    if isinstance(body.get("additionalProperties"), dict):
        return f"map[string]{_named(schemas, body['additionalProperties'])}"
    return "IntOrString" if body.get("x-kubernetes-int-or-string") else str(body.get("type") or "Object")


__all__ = ["outline"]
