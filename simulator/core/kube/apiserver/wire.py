"""Bytes of a response for clients that read bytes (curl, the gateway): what the real server would have sent."""

from __future__ import annotations

from typing import Any

import orjson

from ...kernel.http import Response

Obj = dict[str, Any]


def body_of(response: Response) -> bytes:
    """The body of a response; decoded answers are encoded as the real server writes them."""
    if response.obj is None:
        return response.body
    if response.headers.get("x-pretty"):
        return orjson.dumps(bare(response.obj), option=orjson.OPT_INDENT_2)
    return orjson.dumps(bare(response.obj)) + b"\n"


def bare(obj: Any) -> Any:
    """A list as typed clients get it: its items do not repeat kind and apiVersion."""
    if not isinstance(obj, dict):
        return obj
    kind = obj.get("kind", "")
    if (
        kind.endswith("List")
        and isinstance(obj.get("items"), list)
        and kind not in ("APIGroupDiscoveryList", "APIGroupList", "APIResourceList")
    ):
        return {**obj, "items": [{k: v for k, v in item.items() if k not in ("kind", "apiVersion")} for item in obj["items"]]}
    return obj


def content_type(response: Response) -> str:
    """The Content-Type of a response."""
    return response.headers.get("content-type") or (
        "application/json" if response.obj is not None else "text/plain; charset=utf-8"
    )
