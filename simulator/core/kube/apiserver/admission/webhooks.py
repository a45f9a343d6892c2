"""Admission webhooks: asked over the simulated network, with the consequences and messages of those that cannot be reached
(`admission/plugin/webhook`).

A webhook behind a service is looked up as the API server does: the Service, then an endpoint that is ready.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

import orjson

from ...api import errors, patch
from ...api.errors import ApiError
from ...api.objects import clone
from ...cel.evaluate import Budget
from .. import service_endpoints
from ..call import Call
from . import matching, policies

Obj = dict[str, Any]
VALIDATING, MUTATING = "validatingwebhookconfigurations/", "mutatingwebhookconfigurations/"


class CannotCall(Exception):
    """The webhook gave no answer that can be used; the message is the real one's reason."""


def hooks(call: Call, prefix: str, obj: Obj | None, old: Obj | None) -> Iterator[Obj]:
    """The webhooks that a request is for, by name of the configuration."""
    for configuration in call.server.held(prefix):
        for hook in configuration.get("webhooks") or ():
            if hook.get("rules") is None or not matching.resources_match(call, hook, obj, old, "rules"):
                continue
            scope = policies.scope_of(call, obj, old, None, {}, Budget())
            try:
                if policies.conditions_hold(hook, scope, Budget()):
                    yield hook
            except policies.Failed as error:
                if hook.get("failurePolicy", "Fail") == "Fail":
                    raise errors.forbidden(call.kind.group_resource, call.info.name, str(error)) from None


def ask(call: Call, hook: Obj, obj: Obj | None, old: Obj | None) -> Obj:
    """The response of a webhook; raises CannotCall."""
    timeout = hook.get("timeoutSeconds", 10)
    if call.dry_run and hook.get("sideEffects") not in ("None", "NoneOnDryRun"):
        name = hook.get("name", "")
        raise errors.bad_request(f'admission webhook "{name}" does not support dry run')
    review: Obj = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}
    uid = call.server.world.rng("apiserver/webhooks").uuid()
    review["request"] = {"uid": uid, **matching.request_of(call, obj, old), "object": obj, "oldObject": old}
    server = call.server
    try:
        answer = service_endpoints.post(
            server.world, server.netns, server.storage, hook.get("clientConfig") or {}, orjson.dumps(review), timeout
        )
    except service_endpoints.CannotPost as why:
        raise CannotCall(str(why)) from None
    try:
        body = answer.obj if answer.obj is not None else orjson.loads(answer.body)
        found = body["response"]
        if not isinstance(found, dict) or found.get("uid") != uid:
            raise ValueError
    except (ValueError, KeyError, TypeError):
        raise CannotCall(f"the server rejected our request for an unknown reason (code {answer.status})") from None
    return found


def denied(hook: Obj, response: Obj) -> ApiError:
    """The Status of a refusal (`webhook/errors/statuserror.go`)."""
    held = response.get("status") or {}
    said = f'admission webhook "{hook.get("name", "")}" denied the request'
    if held.get("message"):
        text = f"{said}: {held['message']}"
    elif held.get("reason"):
        text = f"{said}: {held['reason']}"
    else:
        text = f"{said} without explanation"
    code = held.get("code")
    code = code if isinstance(code, int) and code >= 400 else 403
    return ApiError(errors.status(code, str(held.get("reason") or ("Forbidden" if code == 403 else "")), text))


def answers(call: Call, prefix: str, obj: Obj | None, old: Obj | None) -> Iterator[tuple[Obj, Obj]]:
    """(webhook, its response) of every webhook that let the request pass; raises for those that do not."""
    if matching.exempt(call) or not call.server.held(prefix):
        return
    for hook in list(hooks(call, prefix, obj, old)):
        try:
            response = ask(call, hook, obj, old)
        except CannotCall as error:
            if hook.get("failurePolicy", "Fail") == "Ignore":
                continue
            text = f'failed calling webhook "{hook.get("name", "")}": failed to call webhook: {error}'
            raise errors.internal_error(text) from None
        call.warnings += [str(item) for item in response.get("warnings") or ()]
        if not response.get("allowed"):
            raise denied(hook, response)
        yield hook, response


class MutatingAdmissionWebhook:
    """The plugin."""

    name = "MutatingAdmissionWebhook"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Apply the JSON patches that webhooks answer with."""
        if call.server.held(MUTATING):
            call.operation = "UPDATE" if old is not None else "CREATE"
        for hook, response in answers(call, MUTATING, obj, old):
            if not response.get("patch"):
                continue
            try:
                steps = orjson.loads(base64.b64decode(response["patch"]))
                changed = patch.apply_json(clone(obj), steps)
            except (ValueError, TypeError, binascii.Error, ApiError) as error:
                raise errors.internal_error(f'webhook "{hook.get("name", "")}": {error}') from None
            if isinstance(changed, dict) and isinstance(changed.get("metadata"), dict):
                obj.clear()
                obj.update(changed)
                call.strategy.default(obj)

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Deletions are asked about here too: they have nothing to change."""
        if obj is None:
            for _ in answers(call, MUTATING, obj, old):
                pass


class ValidatingAdmissionWebhook:
    """The plugin."""

    name = "ValidatingAdmissionWebhook"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Ask each."""
        for _ in answers(call, VALIDATING, obj, old):
            pass
