"""`namespaces/finalize` and `certificatesigningrequests/approval`: updates of one part of an object."""

from __future__ import annotations

from typing import Any

from ....kernel.http import Response
from ...api.objects import clone
from .. import resource
from ..call import Call
from ..registry import store

Obj = dict[str, Any]


def serve(call: Call, verb: str) -> Response:
    """PUT of a namespace's spec.finalizers; the last one gone, a terminating namespace is deleted."""
    body = resource.decode_body(call)

    def change(old: Obj) -> Obj:
        out: Obj = clone(old)
        out["metadata"]["resourceVersion"] = body["metadata"].get("resourceVersion", "")
        out["spec"] = body.get("spec") or {}
        return out

    return resource.answer(call, store.update(call, change)[0])


def approval(call: Call, verb: str) -> Response:
    """GET, PUT and PATCH of a request's conditions."""
    if verb == "get":
        return resource.get(call)
    if verb == "patch":
        return resource.patch(call)
    body = resource.decode_body(call)

    def change(old: Obj) -> Obj:
        out: Obj = clone(old)
        out["metadata"]["resourceVersion"] = body["metadata"].get("resourceVersion", "")
        out.setdefault("status", {})["conditions"] = (body.get("status") or {}).get("conditions") or []
        return out

    return resource.answer(call, store.update(call, change)[0])
