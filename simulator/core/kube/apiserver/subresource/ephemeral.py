"""`pods/ephemeralcontainers` and `pods/resize`: the parts of a pod's spec that only these may change."""

from __future__ import annotations

from typing import Any

from ....kernel.http import Response
from .. import resource
from ..call import Call

Obj = dict[str, Any]


def serve(call: Call, verb: str) -> Response:
    """GET, PUT and PATCH; what may change is the pod strategy's business."""
    if verb == "get":
        return resource.get(call)
    return resource.patch(call) if verb == "patch" else resource.update(call)
