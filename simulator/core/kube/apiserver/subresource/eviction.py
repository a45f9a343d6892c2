"""Eviction: a deletion that respects disruption budgets (`pkg/registry/core/pod/storage/eviction.go`)."""

from __future__ import annotations

from typing import Any

from ....kernel.http import Response
from ...api import errors, selectors
from .. import negotiate
from ..call import Call
from ..registry import store

Obj = dict[str, Any]


def serve(call: Call, verb: str) -> Response:
    """POST of an Eviction."""
    body = negotiate.body_of(call.request)
    if not isinstance(body, dict):
        raise errors.bad_request("not an Eviction object")
    name = (body.get("metadata") or {}).get("name") or call.info.name
    if name != call.info.name:
        raise errors.bad_request(f"name in URL does not match name in Eviction object: {call.info.name} vs {name}")
    options = body.get("deleteOptions") or {}
    if options.get("dryRun"):
        call.dry_run = True
    pod = store.get(call)
    if not _ignores_budget(pod):
        _check_budgets(call, pod)
    call.operation = "DELETE"
    key = call.key(call.namespace, call.info.name)
    found = call.server.storage.get(key)
    if found is None:
        raise errors.not_found("pods", call.info.name)
    store.delete_found(call, key, found[0], found[1], options)
    return Response(status=201, obj=errors.status_success(201))


def _ignores_budget(pod: Obj) -> bool:
    phase = (pod.get("status") or {}).get("phase")
    return phase in ("Succeeded", "Failed", "Pending") or bool(pod["metadata"].get("deletionTimestamp"))


def _check_budgets(call: Call, pod: Obj) -> None:
    prefix = f"/registry/poddisruptionbudgets/{call.namespace}/".encode()
    budgets = []
    for budget in call.server.storage.list(prefix)[0]:
        if selectors.from_object(budget["spec"].get("selector")).matches(pod["metadata"].get("labels")):
            budgets.append(budget)
    if not budgets:
        return
    if len(budgets) > 1:
        text = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
        raise errors.internal_error(text)
    budget = budgets[0]
    name, state = budget["metadata"]["name"], budget.get("status") or {}
    if state.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        text = "Cannot evict pod as it would violate the pod's disruption budget."
        cause = {"reason": "DisruptionBudget", "message": f"The disruption budget {name} is still being processed by the server."}
        raise errors.too_many_requests(text, 10, [cause])
    allowed = state.get("disruptionsAllowed", 0)
    if allowed <= 0:
        needed, healthy = state.get("desiredHealthy", 0), state.get("currentHealthy", 0)
        message = f"The disruption budget {name} needs {needed} healthy pods and has {healthy} currently"
        text = "Cannot evict pod as it would violate the pod's disruption budget."
        raise errors.too_many_requests(text, 0, [{"reason": "DisruptionBudget", "message": message}])
    if not call.dry_run:
        _spend(call, budget, pod["metadata"]["name"])


def _spend(call: Call, budget: Obj, pod: str) -> None:
    kind = call.server.kind("policy", "v1", "poddisruptionbudgets")
    assert kind is not None
    key = f"{kind.prefix}/{call.namespace}/{budget['metadata']['name']}".encode()
    found = call.server.storage.get(key)
    if found is None:
        return
    state = dict(budget["status"])
    state["disruptionsAllowed"] = state.get("disruptionsAllowed", 0) - 1
    state["disruptedPods"] = {**(state.get("disruptedPods") or {}), pod: call.server.world.timestamp()}
    call.server.storage.update(key, {**budget, "status": state}, found[1])
