"""Binding a pod to a node (`pkg/registry/core/pod/storage/storage.go`: BindingREST.Create)."""

from __future__ import annotations

from typing import Any

from ....kernel import clock
from ....kernel.http import Response
from ...api import errors
from ...api.objects import clone
from .. import negotiate
from ..admission.more import PodTopologyLabels
from ..call import Call
from ..registry import store
from ..registry.conditions import set_condition
from ..request_info import RequestInfo

Obj = dict[str, Any]


def serve(call: Call, verb: str) -> Response:
    """POST of a Binding, on the pod's subresource or on the `bindings` collection."""
    body = negotiate.body_of(call.request)
    if not isinstance(body, dict) or not isinstance(body.get("target"), dict):
        raise errors.invalid("Binding", "", "", [errors.required("target.name")])
    target, name = body["target"], call.info.name or (body.get("metadata") or {}).get("name", "")
    problems = []
    if target.get("kind") not in (None, "", "Node"):
        problems.append(errors.not_supported("target.kind", target["kind"], ("Node", "<empty>")))
    if not target.get("name"):
        problems.append(errors.required("target.name"))
    if problems:
        raise errors.invalid("Binding", "", name, problems)
    pods = call.server.kind("", "v1", "pods")
    assert pods is not None
    info = call.info
    inner = Call(
        call.server, call.request,
        RequestInfo(True, "create", info.path, "", "v1", "pods", "binding", info.namespace, name), call.user, pods,
        call.server.strategy(pods),
    )  # fmt: skip
    inner.dry_run = call.dry_run
    bind(inner, name, body)
    return Response(status=201, obj=errors.status_success(201))


def bind(call: Call, name: str, body: Obj) -> Obj:
    """Set `spec.nodeName` once."""
    target = body["target"]["name"]

    def change(old: Obj) -> Obj:
        held = old["spec"].get("nodeName")
        if old["metadata"].get("deletionTimestamp"):
            raise errors.conflict("pods/binding", name, f"pod {name} is being deleted, cannot be assigned to a host")
        if held:
            raise errors.conflict("pods/binding", name, f'pod {name} is already assigned to node "{held}"')
        if old["spec"].get("schedulingGates"):
            raise errors.conflict("pods/binding", name, f"pod {name} has non-empty .spec.schedulingGates")
        uid = (body.get("metadata") or {}).get("uid")
        if uid and uid != old["metadata"]["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata']['uid']}"
            raise errors.conflict("pods", name, why)
        obj: Obj = clone(old)
        obj["spec"] = _with_node(obj["spec"], target)
        notes = (body.get("metadata") or {}).get("annotations")
        if notes:
            obj["metadata"]["annotations"] = {**(obj["metadata"].get("annotations") or {}), **notes}
        labels = (body.get("metadata") or {}).get("labels") or {}
        for plugin in call.server.plugins:
            if isinstance(plugin, PodTopologyLabels):
                labels = {**labels, **plugin.of_node(call, target)}
        if labels:
            obj["metadata"]["labels"] = {**(obj["metadata"].get("labels") or {}), **labels}
        now = clock.rfc3339(call.server.world.wall)
        obj.setdefault("status", {}).pop("nominatedNodeName", None)
        set_condition(obj["status"], {"type": "PodScheduled", "status": "True"}, now)
        return obj

    return store.update(call, change)[0]


def _with_node(spec: Obj, node: str) -> Obj:
    """The spec with nodeName in its place on the wire."""
    out: Obj = {}
    after = {"hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "securityContext", "imagePullSecrets", "hostname",
             "subdomain", "affinity", "schedulerName", "tolerations", "hostAliases", "priorityClassName", "priority"}  # fmt: skip
    for name, value in spec.items():
        if name in after and "nodeName" not in out:
            out["nodeName"] = node
        out[name] = value
    out["nodeName"] = node
    return out
