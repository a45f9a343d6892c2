"""ValidatingAdmissionPolicy and MutatingAdmissionPolicy: CEL in the admission chain (`admission/plugin/policy`).

A policy says what is checked, a binding where and with which parameters.  Expressions see `object`, `oldObject`, `request`, `params`,
`namespaceObject`, `authorizer` and the policy's own `variables`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from ...api import errors, fieldset, kinds, packs, patch, schema, selectors
from ...api.decode import DecodeError, Decoder
from ...api.errors import ApiError
from ...api.objects import clone
from ...cel import types
from ...cel.authorizer import Authorizer
from ...cel.evaluate import Budget, CelError, EvalError, Lazy, Program, compile
from ..authz import Attributes
from ..call import Call, User
from . import matching

Obj = dict[str, Any]
VALIDATING, MUTATING = "validatingadmissionpolicies", "mutatingadmissionpolicies"
_CODES = {"Unauthorized": 401, "Forbidden": 403, "Invalid": 422, "RequestEntityTooLarge": 413}
#: Members of metadata that no policy changes.
KEPT = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "generateName")
_GVK = types.Type("object", name="kubernetes.GroupVersionKind", fields=dict.fromkeys(("group", "version", "kind"), types.STRING))
_GVR = types.Type(
    "object", name="kubernetes.GroupVersionResource", fields=dict.fromkeys(("group", "version", "resource"), types.STRING)
)
_USER = types.Type(
    "object",
    name="kubernetes.UserInfo",
    fields={
        "username": types.STRING,
        "uid": types.STRING,
        "groups": types.list_of(types.STRING),
        "extra": types.map_of(types.STRING, types.list_of(types.STRING)),
    },
)
REQUEST = types.Type(
    "object",
    name="kubernetes.AdmissionRequest",
    fields={
        "kind": _GVK,
        "resource": _GVR,
        "subResource": types.STRING,
        "requestKind": _GVK,
        "requestResource": _GVR,
        "requestSubResource": types.STRING,
        "name": types.STRING,
        "namespace": types.STRING,
        "operation": types.STRING,
        "userInfo": _USER,
        "dryRun": types.BOOL,
        "options": types.DYN,
    },
)
ENV = {
    "object": types.DYN,
    "oldObject": types.DYN,
    "request": REQUEST,
    "namespaceObject": types.DYN,
    "authorizer": types.Type(Authorizer.type_name),
    "variables": types.DYN,
}


@lru_cache(maxsize=2048)
def compiled(source: str, params: bool) -> Program | str:
    """The program of an expression, or the compiler's message."""
    try:
        return compile(source.strip(), {**ENV, "params": types.DYN} if params else ENV)
    except CelError as error:
        return str(error)


class Failed(Exception):
    """An expression could not be evaluated; what happens depends on the failure policy."""


def evaluate(source: str, scope: Obj, *, params: bool, budget: Budget) -> Any:
    """The value of an expression; raises Failed."""
    program = compiled(source, params)
    if isinstance(program, str):
        raise Failed(f"compilation error: compilation failed: {program}")
    try:
        return program.run(scope, budget)
    except EvalError as error:
        raise Failed(f"expression '{source.strip()}' resulted in error: {error}") from None


_ASKED = ("verb", "group", "resource", "subresource", "namespace", "name", "path")


def scope_of(call: Call, obj: Obj | None, old: Obj | None, params: Obj | None, spec: Obj, budget: Budget) -> Obj:
    """What expressions of a policy see."""

    def ask(user: str, wanted: dict[str, str]) -> tuple[bool, str]:
        who = call.user if not user else User(user, ("system:serviceaccounts", "system:authenticated"))
        verb, group, resource, sub, namespace, name, path = (wanted.get(key, "") for key in _ASKED)
        return call.server.authorizer.allowed(Attributes(who, verb, group, resource, sub, namespace, name, path))

    info = call.info
    here = {"group": call.kind.group, "resource": call.kind.plural, "subresource": info.subresource, "name": info.name}
    scope: Obj = {
        "object": obj,
        "oldObject": old,
        "request": matching.request_of(call, obj, old),
        "params": params,
        "namespaceObject": Lazy(lambda: matching.namespace_object(call)),
        "authorizer": Authorizer(ask, "", {**here, "namespace": call.namespace}),
    }
    has_params = spec.get("paramKind") is not None
    held: Obj = {}
    for item in spec.get("variables") or ():
        held[item["name"]] = Lazy(lambda text=item["expression"]: evaluate_inner(text, scope, params=has_params, budget=budget))
    scope["variables"] = held
    return scope


def evaluate_inner(source: str, scope: Obj, *, params: bool, budget: Budget) -> Any:
    """A variable's value; its failure is the failure of what uses it."""
    try:
        return evaluate(source, scope, params=params, budget=budget)
    except Failed as failed:
        raise EvalError(str(failed)) from None


def bound(call: Call, plural: str, obj: Obj | None, old: Obj | None) -> Iterator[tuple[Obj, Obj, list[Obj | None]]]:
    """(policy, binding, parameters) that are about a request; parameters [None] where there are none to be had."""
    policies = call.server.held(f"{plural}/")
    if not policies:
        return
    bindings = call.server.held(f"{plural.removesuffix('ies')}ybindings/")
    for policy in policies:
        spec = policy["spec"]
        if not matching.resources_match(call, spec.get("matchConstraints"), obj, old):
            continue
        for binding in bindings:
            inner = binding["spec"]
            if inner.get("policyName") == policy["metadata"]["name"] and matching.resources_match(
                call, inner.get("matchResources"), obj, old
            ):
                yield policy, binding, parameters(call, policy, binding)


def parameters(call: Call, policy: Obj, binding: Obj) -> list[Obj | None]:
    """The parameter objects of a binding; raises 403 where one is asked for and absent (`CollectParams`)."""
    kind, ref = policy["spec"].get("paramKind"), binding["spec"].get("paramRef")
    if kind is None or ref is None:
        return [None]
    group, version = kinds.split_api_version(str(kind.get("apiVersion", "")))
    row = next(
        (
            k
            for k in (*packs.kinds_of(call.server.version), *call.server.custom_kinds())
            if k.group == group and k.kind == kind.get("kind") and version in k.versions
        ),
        None,
    )
    if row is None:
        text = f"failed to configure binding: paramKind kind `{group}/{version}, Kind={kind.get('kind')}` not known"
        raise Failed(text)
    namespace = (ref.get("namespace") or call.namespace) if row.namespaced else ""
    prefix = f"{row.prefix}/{namespace}/" if namespace else f"{row.prefix}/"
    found: list[Obj] = []
    if ref.get("name"):
        held = call.server.storage.get(f"{prefix}{ref['name']}".encode())
        found = [held[0]] if held is not None else []
    else:
        wanted = selectors.from_object(ref.get("selector") or {})
        found = [
            item for item in call.server.storage.list(prefix.encode())[0] if wanted.matches(item["metadata"].get("labels") or {})
        ]
    if not found and ref.get("parameterNotFoundAction") == "Deny":
        raise Failed("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction")
    return list(found)


def conditions_hold(spec: Obj, scope: Obj, budget: Budget) -> bool:
    """Whether every matchCondition holds; raises Failed only when none is false."""
    failed: Failed | None = None
    for item in spec.get("matchConditions") or ():
        try:
            if evaluate(item["expression"], scope, params=spec.get("paramKind") is not None, budget=budget) is not True:
                return False
        except Failed as error:
            failed = error
    if failed is not None:
        raise failed
    return True


class ValidatingAdmissionPolicy:
    """The plugin."""

    name = "ValidatingAdmissionPolicy"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Nothing to change."""

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Refuse what a policy denies; warn where a binding only warns."""
        if matching.exempt(call) or not call.server.held(f"{VALIDATING}/"):
            return
        denied: list[tuple[str, str, str]] = []
        stream = bound(call, VALIDATING, obj, old)
        while True:
            try:
                found = next(stream, None)
            except Failed as error:
                denied.append(("", str(error), "Invalid"))
                break
            if found is None:
                break
            policy, binding, params = found
            for param in params:
                self._one(call, policy, binding, param, (obj, old), denied)
        if denied:
            where, message, reason = denied[0]
            raise refusal(call, obj or old or {}, f"{where}{message}", reason)

    def _one(
        self,
        call: Call,
        policy: Obj,
        binding: Obj,
        param: Obj | None,
        pair: tuple[Obj | None, Obj | None],
        denied: list[tuple[str, str, str]],
    ) -> None:
        spec, budget = policy["spec"], Budget()
        scope = scope_of(call, pair[0], pair[1], param, spec, budget)
        strict = spec.get("failurePolicy", "Fail") == "Fail"
        decisions: list[tuple[str, str]] = []
        try:
            if not conditions_hold(spec, scope, budget):
                return
            for rule in spec.get("validations") or ():
                try:
                    held = evaluate(rule["expression"], scope, params=spec.get("paramKind") is not None, budget=budget)
                except Failed as error:
                    if strict:
                        decisions.append((str(error), "Invalid"))
                    continue
                if held is not True:
                    decisions.append((message_of(rule, scope, spec, budget), rule.get("reason") or "Invalid"))
        except Failed as error:
            if strict:
                decisions.append((str(error), "Invalid"))
        names = policy["metadata"]["name"], binding["metadata"]["name"]
        for message, reason in decisions:
            for action in binding["spec"].get("validationActions") or ():
                if action == "Deny":
                    where = f"ValidatingAdmissionPolicy '{names[0]}' with binding '{names[1]}' denied request: "
                    denied.append((where, message, reason))
                elif action == "Warn":
                    text = f"Validation failed for ValidatingAdmissionPolicy '{names[0]}' with binding '{names[1]}': {message}"
                    call.warnings.append(text)


def message_of(rule: Obj, scope: Obj, spec: Obj, budget: Budget) -> str:
    """Why a validation failed: its expression's text, its message, or the expression itself."""
    text = rule.get("messageExpression")
    if text:
        try:
            said = evaluate(text, scope, params=spec.get("paramKind") is not None, budget=budget)
        except Failed:
            said = ""
        if isinstance(said, str) and said.strip() and "\n" not in said.strip() and len(said) <= 5 * 1024:
            return said.strip()
    if rule.get("message"):
        return str(rule["message"]).strip()
    return f"failed expression: {str(rule['expression']).strip()}"


def refusal(call: Call, obj: Obj, message: str, reason: str) -> ApiError:
    """The Status of a denied request, with the policy's reason."""
    name = str((obj.get("metadata") or {}).get("name") or call.info.name)
    error = errors.forbidden(call.kind.group_resource, name, message)
    error.status["reason"] = reason
    error.status["code"] = _CODES.get(reason, 422)
    error.status["details"] = {**(error.status.get("details") or {}), "causes": [{"message": message}]}
    return error


# -- mutating -----------------------------------------------------------------------------------------------------------


class MutatingAdmissionPolicy:
    """The plugin: policies in order of name, each on what the ones before left."""

    name = "MutatingAdmissionPolicy"

    def mutate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Apply what the policies give, then defaults again."""
        if matching.exempt(call) or not call.server.held(f"{MUTATING}/"):
            return
        call.operation = "UPDATE" if old is not None else "CREATE"
        try:
            for policy, binding, params in bound(call, MUTATING, obj, old):
                for param in params:
                    self._one(call, policy, binding, param, obj, old)
        except Failed as error:
            raise refusal(call, obj, str(error), "Invalid") from None

    def _one(self, call: Call, policy: Obj, binding: Obj, param: Obj | None, obj: Obj, old: Obj | None) -> None:
        spec, budget = policy["spec"], Budget()
        strict = spec.get("failurePolicy", "Fail") == "Fail"
        for mutation in spec.get("mutations") or ():
            scope = scope_of(call, clone(obj), old, param, spec, budget)
            try:
                if not conditions_hold(spec, scope, budget):
                    return
                changed = _mutated(call, mutation, scope, spec, obj, budget)
            except (Failed, ApiError) as error:
                if not strict:
                    continue
                names = f"policy '{policy['metadata']['name']}' with binding '{binding['metadata']['name']}'"
                raise refusal(call, obj, f"{names} denied request: {error}", "Invalid") from None
            obj.clear()
            obj.update(changed)
        call.strategy.default(obj)

    def validate(self, call: Call, obj: Obj | None, old: Obj | None) -> None:
        """Nothing to refuse."""


def _mutated(call: Call, mutation: Obj, scope: Obj, spec: Obj, obj: Obj, budget: Budget) -> Obj:
    """The object after one mutation."""
    has_params = spec.get("paramKind") is not None
    if mutation.get("patchType") == "JSONPatch":
        steps = evaluate(mutation["jsonPatch"]["expression"], scope, params=has_params, budget=budget)
        if not isinstance(steps, list):
            raise Failed("JSONPatch expression must return a list")
        plain = [{k: v for k, v in step.items() if k != "@type"} for step in steps]
        return _checked(call, patch.apply_json(clone(obj), plain), obj)
    stated = evaluate(mutation["applyConfiguration"]["expression"], scope, params=has_params, budget=budget)
    if not isinstance(stated, dict):
        raise Failed("ApplyConfiguration expression must return an Object")
    root = fieldset.root(schema.type_for(call.kind.group, call.kind.version, call.kind.kind, call.server.pack))
    merged = fieldset.merge(obj, {**stated, "kind": obj["kind"], "apiVersion": obj["apiVersion"]}, root)
    return _checked(call, clone(merged), obj)


def _checked(call: Call, changed: Any, obj: Obj) -> Obj:
    """The changed object in typed form; what it is and whose it is stays."""
    kind = schema.type_for(call.kind.group, call.kind.version, call.kind.kind, call.server.pack)
    if not isinstance(changed, dict) or not isinstance(changed.get("metadata"), dict):
        raise Failed("the result is no object")
    meta = {**changed["metadata"], **{k: v for k, v in obj["metadata"].items() if k in KEPT}}
    changed = {**changed, "metadata": meta}
    owners = meta.pop("managedFields", None)
    try:
        out = Decoder().decode(kind, changed) if kind is not None else changed
    except DecodeError as error:
        raise Failed(str(error)) from None
    out = {"kind": obj["kind"], "apiVersion": obj["apiVersion"], **out}
    if owners is not None:
        out["metadata"]["managedFields"] = owners
    return out
