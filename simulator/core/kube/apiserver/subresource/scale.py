"""The `scale` subresource of workloads (`pkg/registry/apps/deployment/storage/storage.go`: ScaleREST)."""

from __future__ import annotations

from typing import Any

from ....kernel.http import Response
from ...api import errors, patch, schema, selectors, strategic
from ...api.decode import DecodeError, Decoder
from ...api.objects import clone, get_path
from .. import managed, negotiate, options, patching, tables
from ..call import Call
from ..registry import store

Obj = dict[str, Any]


def scale_of(call: Call, obj: Obj) -> Obj:
    """The autoscaling/v1 Scale of a workload."""
    meta = obj["metadata"]
    names = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    if call.kind.custom:
        return _custom_scale(call, obj, {name: meta[name] for name in names if name in meta})
    selector = obj["spec"].get("selector")
    labels = selectors.from_map(selector) if call.kind.kind == "ReplicationController" else selectors.from_object(selector)
    status: Obj = {"replicas": (obj.get("status") or {}).get("replicas", 0)}
    if labels.terms:
        status["selector"] = str(labels)
    replicas = obj["spec"].get("replicas", 0)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in names if name in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def _paths(call: Call) -> Obj:
    """Where a custom resource keeps what a Scale shows (`spec.versions[].subresources.scale`)."""
    found: Obj = (call.server.definition(call.kind, call.version).get("subresources") or {}).get("scale") or {}
    return found


def _steps(path: str) -> list[str]:
    return [step for step in path.split(".") if step]


def _custom_scale(call: Call, obj: Obj, meta: Obj) -> Obj:
    """The Scale of a custom resource (`apiextensions-apiserver/pkg/registry/customresource/etcd.go`: scaleFromCustomResource)."""
    paths = _paths(call)
    replicas = get_path(obj, *_steps(paths.get("specReplicasPath", "")))
    status: Obj = {"replicas": get_path(obj, *_steps(paths.get("statusReplicasPath", ""))) or 0}
    selector = get_path(obj, *_steps(paths["labelSelectorPath"])) if paths.get("labelSelectorPath") else None
    if selector:
        status["selector"] = selector
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": meta, "spec": spec, "status": status}


def _set_replicas(call: Call, obj: Obj, replicas: int) -> None:
    """Write the number where the kind keeps it."""
    steps = _steps(_paths(call).get("specReplicasPath", "")) if call.kind.custom else ["spec", "replicas"]
    inner = obj
    for step in steps[:-1]:
        inner = inner.setdefault(step, {})
    inner[steps[-1]] = replicas


def serve(call: Call, verb: str) -> Response:
    """GET, PUT and PATCH of a scale."""
    if verb == "get":
        return _answer(call, scale_of(call, store.get(call)))
    kind = schema.type_for("autoscaling", "v1", "Scale")
    assert kind is not None
    media = call.request.headers.get("content-type", "").partition(";")[0]
    applied = verb == "patch" and media == patching.APPLY
    options.check_write("UpdateOptions" if verb == "update" else "PatchOptions", call.request, apply=applied)
    body = negotiate.body_of(call.request)

    def change(old: Obj) -> Obj:
        current = scale_of(call, old)
        if verb == "update":
            wanted: Any = body
        elif call.request.headers.get("content-type", "").startswith("application/json-patch"):
            wanted = patch.apply_json(current, body)
        elif call.request.headers.get("content-type", "").startswith("application/merge-patch"):
            wanted = patch.merge(current, body)
        else:
            wanted = strategic.strategic_merge(current, body, kind)
        try:
            scale = Decoder().decode(kind, wanted)
        except DecodeError as error:
            raise errors.bad_request(f'Scale in version "v1" cannot be handled as a Scale: {error}') from None
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        if replicas < 0:
            problem = errors.invalid_value("spec.replicas", replicas, "must be greater than or equal to 0")
            raise errors.invalid("Scale", "autoscaling", call.info.name, [problem])
        if applied:
            return _apply(call, old, replicas)
        out: Obj = clone(old)
        version = (scale.get("metadata") or {}).get("resourceVersion")
        if version and verb == "update":
            out["metadata"]["resourceVersion"] = version
        _set_replicas(call, out, replicas)
        return out

    stored, _ = store.update(call, change)
    return _answer(call, scale_of(call, stored))


def _apply(call: Call, old: Obj, replicas: int) -> Obj:
    """Server-side apply of a Scale: one that states the number alone, of the object itself (`managedfields/scalehandler.go`)."""
    stated: Obj = {}
    _set_replicas(call, stated, replicas)
    call.applying = managed.Applying(call.manager, stated, call.request.param("force") == "true")
    return managed.apply(call, old, stated)


def _answer(call: Call, scale: Obj) -> Response:
    header = call.request.headers.get("accept", "")
    if header and negotiate.accepted(header).kind == "Table":
        return Response(obj=tables.plain_table([scale]))
    return Response(obj=scale)
