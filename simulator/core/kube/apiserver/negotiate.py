"""Content negotiation: what the client accepts, bodies in, warnings out (`endpoints/handlers/negotiation`)."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import msgspec
import orjson
import yaml

from ...kernel.http import Request
from ..api import errors, gojson, protobuf
from ..api.protobuf import ProtobufError

Obj = dict[str, Any]
MAX_BODY = 3 * 1024 * 1024
ACCEPTED = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
PROTOBUF = "application/vnd.kubernetes.protobuf"
_JSON = ("application/json", "application/*", "*/*", "application/yaml", "")


class Accepted(msgspec.Struct, frozen=True):
    """The form of the answer: `kind` is "", Table, PartialObjectMetadata or PartialObjectMetadataList; `yaml` the syntax."""

    kind: str = ""
    version: str = "v1"
    yaml: bool = False


@lru_cache(maxsize=256)
def accepted(header: str) -> Accepted:
    """The first media type of an Accept header that can be served; raises 406."""
    if not header:
        return Accepted()
    for item in header.split(","):
        media, *parameters = [part.strip() for part in item.split(";")]
        if media not in _JSON:
            continue
        params = dict(part.split("=", 1) for part in parameters if "=" in part)
        kind = params.get("as", "")
        if kind and (params.get("g") != "meta.k8s.io" or params.get("v") not in ("v1", "v1beta1")):
            continue
        if kind and kind not in ("Table", "PartialObjectMetadata", "PartialObjectMetadataList"):
            continue
        return Accepted(kind, params.get("v", "v1"), media == "application/yaml")
    raise errors.not_acceptable(ACCEPTED)


def body_of(request: Request) -> Any:
    """The decoded body; raises 400, 413 or 415."""
    if request.obj is not None:
        return request.obj
    data = request.body
    if len(data) > MAX_BODY:
        raise errors.entity_too_large(f"limit is {MAX_BODY}")
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    if media in ("application/yaml", "application/apply-patch+yaml"):
        return parse_yaml(data)
    if media == PROTOBUF:
        try:
            return protobuf.decode(data)
        except ProtobufError as error:
            raise errors.bad_request(str(error)) from None
    if media and not (media.endswith("json") or media in ("*/*", "application/*")):
        raise errors.unsupported_media_type(ACCEPTED)
    return parse_json(data)


def parse_json(data: bytes) -> Any:
    """JSON, or 400 with the text of Go's decoder."""
    try:
        return orjson.loads(data)
    except ValueError:
        raise BadBody(json_problem(data)) from None


class BadBody(errors.ApiError):
    """The body is not JSON: a 400 with the decoder's text, which creations say with more words."""

    def __init__(self, text: str) -> None:
        super().__init__(errors.bad_request(text).status)


class _Twice(dict[str, Any]):
    """A JSON object that knows which of its members stood twice."""

    twice: tuple[str, ...] = ()


def _noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    out = _Twice(plain)
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            out.twice = (*out.twice, name)
        seen.add(name)
    return out


def duplicates(data: bytes) -> list[str]:
    """The paths of members that stand twice in JSON text."""
    if data[:1] not in (b"{", b" ", b"\n"):
        return []
    try:
        tree = json.loads(data, object_pairs_hook=_noted)
    except (ValueError, RecursionError):
        return []
    out: list[str] = []

    def walk(value: Any, path: str) -> None:
        if isinstance(value, dict):
            if isinstance(value, _Twice):
                out.extend(path + name for name in dict.fromkeys(value.twice))
            for name, item in value.items():
                walk(item, f"{path}{name}.")
        elif isinstance(value, list):
            for i, item in enumerate(value):
                walk(item, f"{path[:-1]}[{i}].")

    walk(tree, "")
    return out


def json_problem(data: bytes) -> str:
    """What Go says of bytes that are not JSON."""
    try:
        json.loads(data)
    except json.JSONDecodeError as error:
        return gojson.problem(error)[0]
    except (ValueError, RecursionError):
        pass
    return "invalid character in literal"


def parse_yaml(data: bytes) -> Any:
    """YAML without aliases beyond reason, or 400."""
    if data[:1] in (b"{", b"["):
        try:
            return orjson.loads(data)
        except ValueError:
            pass
    if data.count(b"*") > 1000 and data.count(b"&") > 10:
        raise errors.bad_request("error decoding YAML: document contains excessive aliasing")
    try:
        found = yaml.load(data, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return orjson.loads(orjson.dumps(found, option=orjson.OPT_NON_STR_KEYS))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise errors.bad_request(f"error decoding YAML: {str(error).splitlines()[0]}") from None


def warning(text: str) -> str:
    """A Warning header's value (RFC 7234): code 299, no agent."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{escaped}"'
