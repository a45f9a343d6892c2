"""OpenAPI v2 at `/openapi/v2`, as JSON and as the protobuf of gnostic that kubectl asks for (`kube-openapi/pkg/handler`).

Made from the same definitions as version 3: references point to `#/definitions/`, a reference with a description is no `allOf`, writes take
a `body` parameter.  The built-in half is encoded once a process; custom resources are added to it.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import orjson

from ..api import packs, schema
from ..api.kinds import KindInfo
from . import openapi
from .server import Server

Obj = dict[str, Any]
PROTOBUF = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_V3, _V2 = b'"#/components/schemas/', b'"#/definitions/'


def _plain(value: Any) -> Any:
    """A schema of version 3 in version 2's terms."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    inner = value.get("allOf")
    if isinstance(inner, list) and len(inner) == 1 and "$ref" in inner[0]:
        out = {k: v for k, v in value.items() if k not in ("allOf", "default")}
        return {**{k: _plain(v) for k, v in out.items()}, "$ref": inner[0]["$ref"]}
    out = {k: _plain(v) for k, v in value.items() if k not in ("oneOf", "anyOf", "not", "nullable")}
    if isinstance(value.get("oneOf"), list) and "type" not in value and "properties" not in value:
        out["type"] = "string"  # quantities and IntOrString: version 2 has no choice of types
    return out


def definitions_of(bodies: Obj) -> Obj:
    """Definitions of version 2 of some component schemas."""
    found: Obj = orjson.loads(orjson.dumps(_plain(bodies)).replace(_V3, _V2))
    return found


def _operation(held: Obj) -> Obj:
    """An operation of version 3 in version 2's terms."""
    out = {k: v for k, v in held.items() if k not in ("requestBody", "responses", "parameters")}
    out["parameters"] = [
        {**{k: item[k] for k in ("name", "in", "description")}, **item["schema"]} for item in held.get("parameters") or ()
    ]
    body = held.get("requestBody")
    if body is not None:
        kind = next(iter(body["content"].values()))["schema"]
        out["parameters"].insert(0, {"name": "body", "in": "body", "required": True, "schema": kind})
        out["consumes"] = list(body["content"])
    out["produces"] = ["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]
    responses = {}
    for code, answer in (held.get("responses") or {}).items():
        content = next(iter((answer.get("content") or {"": {}}).values()))
        responses[code] = {"description": answer.get("description", ""), **({"schema": content["schema"]} if content else {})}
    out["responses"] = responses
    return out


def _paths(kinds: list[tuple[KindInfo, str]], pack: str) -> Obj:
    held: Obj = {}
    for kind, version in kinds:
        found = schema.type_for(kind.group, version, kind.kind, pack)
        name = openapi.custom_name(kind, version) if kind.custom else (found.name if found is not None else "")
        if name:
            openapi.add_paths(held, kind, version, name)
    out: Obj = {}
    for path, item in held.items():
        out[path] = {method: _operation(operation) for method, operation in item.items()}
    found_paths: Obj = orjson.loads(orjson.dumps(out).replace(_V3, _V2))
    return found_paths


@lru_cache(maxsize=2)
def _built_in(release: str) -> tuple[Obj, Obj]:
    """(definitions, paths) of a release's built-in kinds."""
    paths = _paths([(kind, version) for kind in packs.kinds_of(release) for version in kind.versions], packs.pack_of(release))
    return definitions_of(packs.definitions(release)), paths


@lru_cache(maxsize=2)
def _built_in_encoded(release: str) -> tuple[bytes, bytes]:
    definitions, paths = _built_in(release)
    return _encode_definitions(definitions), _encode_paths(paths)


def _opened(given: Any) -> Any:
    """A structural schema without the members of what may hold anything: kubectl would refuse all others (`openapi/v2/conversion.go`)."""
    if isinstance(given, list):
        return [_opened(item) for item in given]
    if not isinstance(given, dict):
        return given
    closed = (
        ("properties", "required", "additionalProperties") if given.get("x-kubernetes-preserve-unknown-fields") is True else ()
    )
    return {k: _opened(v) for k, v in given.items() if k not in closed}


def _custom(server: Server) -> tuple[Obj, Obj]:
    bodies: Obj = {}
    kinds: list[tuple[KindInfo, str]] = []
    for kind in server.custom_kinds():
        for version in kind.versions:
            given = server.schema(kind, version) or {"type": "object"}
            body = openapi.custom_schema(kind, version, _opened(given))
            if given.get("x-kubernetes-preserve-unknown-fields"):
                body = {k: v for k, v in body.items() if k != "properties"}
            bodies[openapi.custom_name(kind, version)] = body
            kinds.append((kind, version))
    return definitions_of(bodies), _paths(kinds, server.pack)


def as_json(server: Server) -> bytes:
    """The document as JSON."""
    definitions, paths = _built_in(server.version)
    more, more_paths = _custom(server)
    return orjson.dumps(
        {
            "swagger": "2.0",
            "info": {"title": "Kubernetes", "version": server.version},
            "paths": {**paths, **more_paths},
            "definitions": dict(sorted({**definitions, **more}.items())),
            "securityDefinitions": {
                "BearerToken": {
                    "description": "Bearer Token authentication",
                    "type": "apiKey",
                    "name": "authorization",
                    "in": "header",
                }
            },
            "security": [{"BearerToken": []}],
        }
    )


# -- protobuf (gnostic-models/openapiv2/OpenAPIv2.proto) ------------------------------------------------------------------


def as_protobuf(server: Server) -> bytes:
    """The document as `openapi.v2.Document`."""
    definitions, paths = _built_in_encoded(server.version)
    more, more_paths = _custom(server)
    info = _text(1, "Kubernetes") + _text(2, server.version)
    return b"".join(
        (
            _text(1, "2.0"),
            _field(2, info),
            _field(8, paths + _encode_paths(more_paths)),
            _field(9, definitions + _encode_definitions(more)),
        )
    )


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, data: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _text(number: int, value: Any) -> bytes:
    return _field(number, str(value).encode()) if value else b""


def _flag(number: int, value: Any) -> bytes:
    return _varint(number << 3) + b"\x01" if value else b""


def _any(number: int, value: Any) -> bytes:
    """An `Any`: its YAML text (JSON is YAML)."""
    return _field(number, _text(2, json.dumps(value)))


def _extensions(number: int, held: Obj) -> bytes:
    """Vendor extensions as NamedAny."""
    return b"".join(_field(number, _text(1, name) + _any(2, value)) for name, value in held.items() if name.startswith("x-"))


def _encode_definitions(definitions: Obj) -> bytes:
    return b"".join(_field(1, _text(1, name) + _field(2, _schema(body))) for name, body in sorted(definitions.items()))


def _schema(body: Obj) -> bytes:
    out = [
        _text(1, body.get("$ref")),
        _text(2, body.get("format")),
        _text(3, body.get("title")),
        _text(4, body.get("description")),
    ]
    if "default" in body:
        out.append(_any(5, body["default"]))
    out.append(_text(13, body.get("pattern")))
    out += [_text(19, name) for name in body.get("required") or ()]
    out += [_any(20, value) for value in body.get("enum") or ()]
    extra = body.get("additionalProperties")
    if isinstance(extra, dict):
        out.append(_field(21, _field(1, _schema(extra))))
    elif extra is True:
        out.append(_field(21, _flag(2, True)))
    if body.get("type"):
        out.append(_field(22, _text(1, body["type"])))
    if isinstance(body.get("items"), dict):
        out.append(_field(23, _field(1, _schema(body["items"]))))
    out += [_field(24, _schema(item)) for item in body.get("allOf") or ()]
    if body.get("properties"):
        pairs = body["properties"].items()
        out.append(_field(25, b"".join(_field(1, _text(1, name) + _field(2, _schema(item))) for name, item in pairs)))
    out.append(_extensions(31, body))
    return b"".join(out)


_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}


def _encode_paths(paths: Obj) -> bytes:
    out = []
    for path, item in sorted(paths.items()):
        body = b"".join(_field(_METHODS[method], _encode_operation(operation)) for method, operation in item.items())
        out.append(_field(2, _text(1, path) + _field(2, body)))
    return b"".join(out)


def _encode_operation(operation: Obj) -> bytes:
    out = [_text(1, tag) for tag in operation.get("tags") or ()]
    out.append(_text(5, operation.get("operationId")))
    out += [_text(6, media) for media in operation.get("produces") or ()]
    out += [_text(7, media) for media in operation.get("consumes") or ()]
    for item in operation["parameters"]:
        if item["in"] == "body":
            body = _text(2, "body") + _text(3, "body") + _flag(4, True) + _field(5, _schema(item["schema"]))
            out.append(_field(8, _field(1, _field(1, body))))
        else:
            query = _text(2, "query") + _text(3, item["description"]) + _text(4, item["name"])
            query += _text(6, item["type"]) + _flag(20, True)
            out.append(_field(8, _field(1, _field(2, _field(3, query)))))
    answers = b""
    for code, answer in operation["responses"].items():
        body = _text(1, answer["description"])
        if "schema" in answer:
            body += _field(2, _field(1, _schema(answer["schema"])))
        answers += _field(1, _text(1, code) + _field(2, _field(1, body)))
    out.append(_field(9, answers))
    out.append(_extensions(13, operation))
    return b"".join(out)
