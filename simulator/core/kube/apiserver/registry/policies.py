"""Admission policies, their bindings and webhook configurations: defaults and validation (`pkg/apis/admissionregistration`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from ..admission import policies
from ..validation import affinity
from .others import Counted
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge", "Unauthorized")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _default_match(match: Obj) -> None:
    match.setdefault("matchPolicy", "Equivalent")
    match.setdefault("namespaceSelector", {})
    match.setdefault("objectSelector", {})
    for member in ("resourceRules", "excludeResourceRules", "rules"):
        for rule in match.get(member) or ():
            rule.setdefault("scope", "*")


class Kept(Strategy):
    """A kind that every write asks for: what is kept of it is read anew after a change."""

    status_fields: tuple[str, ...] = ("status",)
    unconditional_update = False

    def stored(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Read anew."""
        call.server.forget()

    def released(self, call: Call, obj: Obj) -> None:
        """Read anew."""
        call.server.forget()


class Policy(Kept, Counted):
    """What both policies share."""

    def default(self, obj: Obj) -> None:
        """Fail, Equivalent, everything."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("failurePolicy", "Fail")
        if spec.get("matchConstraints") is not None:
            _default_match(spec["matchConstraints"])

    def validate(self, obj: Obj) -> list[FieldError]:
        """What both policies must have."""
        spec = obj["spec"]
        out: list[FieldError] = []
        if spec.get("failurePolicy") not in ("Fail", "Ignore"):
            out.append(not_supported("spec.failurePolicy", spec.get("failurePolicy"), ("Fail", "Ignore")))
        kind = spec.get("paramKind")
        if kind is not None:
            out += [required(f"spec.paramKind.{member}") for member in ("apiVersion", "kind") if not kind.get(member)]
        match = spec.get("matchConstraints")
        if match is None:
            out.append(required("spec.matchConstraints"))
        else:
            out += _match(match, "spec.matchConstraints")
            if not match.get("resourceRules"):
                out.append(required("spec.matchConstraints.resourceRules"))
        out += _conditions(spec, "spec.matchConditions")
        for i, item in enumerate(spec.get("variables") or ()):
            at = f"spec.variables[{i}]"
            if not item.get("name"):
                out.append(required(f"{at}.name", "name is not specified"))
            elif not _NAME.match(item["name"]):
                out.append(invalid_value(f"{at}.name", item["name"], "must be a valid CEL identifier"))
            if not (item.get("expression") or "").strip():
                out.append(required(f"{at}.expression", "expression is not specified"))
            else:
                out += _expression(spec, item["expression"], f"{at}.expression", ())
        return out


class ValidatingPolicy(Policy):
    """ValidatingAdmissionPolicies."""

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """The controller that checks types looks at once here."""
        obj["status"] = {"observedGeneration": 1, "typeChecking": {}}

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """And again after a change."""
        if not call.info.subresource and obj["spec"] != old["spec"]:
            generation = old["metadata"].get("generation", 1) + 1
            obj["status"] = {**(old.get("status") or {}), "observedGeneration": generation}

    def validate(self, obj: Obj) -> list[FieldError]:
        """`validateValidatingAdmissionPolicySpec`."""
        spec, out = obj["spec"], super().validate(obj)
        rules, notes = spec.get("validations") or [], spec.get("auditAnnotations") or []
        if not rules and not notes:
            text = "validations or auditAnnotations must contain at least one item"
            out += [required("spec.validations", text), required("spec.auditAnnotations", text)]
        for i, rule in enumerate(rules):
            out += _validation(spec, rule, f"spec.validations[{i}]")
        for i, note in enumerate(notes):
            at = f"spec.auditAnnotations[{i}]"
            if not (note.get("valueExpression") or "").strip():
                out.append(required(f"{at}.valueExpression", "valueExpression is not specified"))
            else:
                out += _expression(spec, note["valueExpression"], f"{at}.valueExpression", ("string", "null_type"))
        return out


class MutatingPolicy(Policy):
    """MutatingAdmissionPolicies."""

    def default(self, obj: Obj) -> None:
        """Never asked again."""
        super().default(obj)
        obj["spec"].setdefault("reinvocationPolicy", "Never")

    def validate(self, obj: Obj) -> list[FieldError]:
        """`validateMutatingAdmissionPolicySpec`."""
        spec, out = obj["spec"], super().validate(obj)
        if not spec.get("mutations"):
            out.append(required("spec.mutations", "mutations must contain at least one item"))
        for i, item in enumerate(spec.get("mutations") or ()):
            at, kind = f"spec.mutations[{i}]", item.get("patchType")
            if kind not in ("ApplyConfiguration", "JSONPatch"):
                missing = required(f"{at}.patchType")
                out.append(not_supported(f"{at}.patchType", kind, ("ApplyConfiguration", "JSONPatch")) if kind else missing)
                continue
            mine, other = ("jsonPatch", "applyConfiguration") if kind == "JSONPatch" else ("applyConfiguration", "jsonPatch")
            if item.get(mine) is None:
                out.append(required(f"{at}.{mine}", f"must be specified when patchType is {kind}"))
            elif not (item[mine].get("expression") or "").strip():
                out.append(required(f"{at}.{mine}.expression", "expression is not specified"))
            else:
                out += _expression(spec, item[mine]["expression"], f"{at}.{mine}.expression", ("dyn", "list", "object", "map"))
            if item.get(other) is not None:
                out.append(invalid_value(f"{at}.{other}", f"{{{other}}}", f"must not be specified when patchType is {kind}"))
        return out


class PolicyBinding(Kept):
    """Bindings of policies."""

    generation = True
    status_fields = ()

    def default(self, obj: Obj) -> None:
        """Equivalent, everything."""
        if (obj.get("spec") or {}).get("matchResources") is not None:
            _default_match(obj["spec"]["matchResources"])

    def validate(self, obj: Obj) -> list[FieldError]:
        """`validateValidatingAdmissionPolicyBindingSpec`."""
        spec = obj.get("spec") or {}
        out: list[FieldError] = []
        if not spec.get("policyName"):
            out.append(required("spec.policyName"))
        ref = spec.get("paramRef")
        if ref is not None:
            if ref.get("name") and ref.get("selector") is not None:
                out += [
                    forbidden_field(f"spec.paramRef.{m}", "name and selector are mutually exclusive")
                    for m in ("name", "selector")
                ]
            elif not ref.get("name") and ref.get("selector") is None:
                out.append(required("spec.paramRef", "one of name or selector must be specified"))
            action = ref.get("parameterNotFoundAction")
            if not action:
                out.append(required("spec.paramRef.parameterNotFoundAction"))
            elif action not in ("Allow", "Deny"):
                out.append(not_supported("spec.paramRef.parameterNotFoundAction", action, ("Deny", "Allow")))
        if obj["kind"] == "ValidatingAdmissionPolicyBinding":
            out += _actions(spec.get("validationActions") or [])
        if spec.get("matchResources") is not None:
            out += _match(spec["matchResources"], "spec.matchResources")
        return out


class Webhooks(Kept, Counted):
    """Webhook configurations."""

    status_fields = ()

    def default(self, obj: Obj) -> None:
        """Fail, 10 seconds, port 443."""
        for hook in obj.get("webhooks") or ():
            hook.setdefault("failurePolicy", "Fail")
            _default_match(hook)
            hook.setdefault("timeoutSeconds", 10)
            service = (hook.get("clientConfig") or {}).get("service")
            if service is not None:
                service.setdefault("port", 443)
            if obj["kind"] == "MutatingWebhookConfiguration":
                hook.setdefault("reinvocationPolicy", "Never")

    def validate(self, obj: Obj) -> list[FieldError]:
        """`validateValidatingWebhook`, `validateMutatingWebhook`."""
        out: list[FieldError] = []
        names: set[str] = set()
        for i, hook in enumerate(obj.get("webhooks") or ()):
            at, name = f"webhooks[{i}]", hook.get("name", "")
            if name.count(".") < 2:
                out.append(invalid_value(f"{at}.name", name, "should be a domain with at least three segments separated by dots"))
            if name in names:
                out.append(FieldError("FieldValueDuplicate", f"{at}.name", f'Duplicate value: "{name}"'))
            names.add(name)
            out += _hook(hook, at)
        return out


# -- parts --------------------------------------------------------------------------------------------------------------


def _hook(hook: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    versions = hook.get("admissionReviewVersions") or []
    if not versions:
        out.append(required(f"{at}.admissionReviewVersions", "must specify one of v1, v1beta1"))
    elif not set(versions) & {"v1", "v1beta1"}:
        text = "must include at least one of v1, v1beta1"
        out.append(invalid_value(f"{at}.admissionReviewVersions", versions, text))
    for j, rule in enumerate(hook.get("rules") or ()):
        out += _rule(rule, f"{at}.rules[{j}]")
    if hook.get("failurePolicy") not in ("Fail", "Ignore"):
        out.append(not_supported(f"{at}.failurePolicy", hook.get("failurePolicy"), ("Fail", "Ignore")))
    if hook.get("matchPolicy") not in ("Equivalent", "Exact"):
        out.append(not_supported(f"{at}.matchPolicy", hook.get("matchPolicy"), ("Equivalent", "Exact")))
    effects = hook.get("sideEffects")
    if effects is None:
        out.append(required(f"{at}.sideEffects", "must specify one of None, NoneOnDryRun"))
    elif effects not in ("None", "NoneOnDryRun"):
        out.append(not_supported(f"{at}.sideEffects", effects, ("None", "NoneOnDryRun")))
    if not 1 <= hook.get("timeoutSeconds", 10) <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        out.append(invalid_value(f"{at}.timeoutSeconds", hook["timeoutSeconds"], why))
    for member in ("namespaceSelector", "objectSelector"):
        out += affinity.label_selector(hook.get(member), f"{at}.{member}")
    config = hook.get("clientConfig") or {}
    if (config.get("url") is None) is (config.get("service") is None):
        out.append(required(f"{at}.clientConfig", "exactly one of url or service is required"))
    elif config.get("url") is not None and not str(config["url"]).startswith("https://"):
        scheme = str(config["url"]).partition("://")[0]
        out.append(
            invalid_value(
                f"{at}.clientConfig.url", scheme, "'https' is the only allowed URL scheme; desired format: https://host[/path]"
            )
        )
    elif config.get("service") is not None:
        out += [
            required(f"{at}.clientConfig.service.{m}", f"service {m} is required")
            for m in ("name", "namespace")
            if not config["service"].get(m)
        ]
    return out + _conditions(hook, f"{at}.matchConditions")


def _rule(rule: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    operations = rule.get("operations") or []
    if not operations:
        out.append(required(f"{at}.operations"))
    if len(operations) > 1 and "*" in operations:
        out.append(invalid_value(f"{at}.operations", operations, "if '*' is present, must not specify other operations"))
    out += [
        not_supported(f"{at}.operations[{i}]", item, OPERATIONS) for i, item in enumerate(operations) if item not in OPERATIONS
    ]
    for member, words in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        held = rule.get(member) or []
        if not held:
            out.append(required(f"{at}.{member}"))
        elif len(held) > 1 and "*" in held:
            out.append(invalid_value(f"{at}.{member}", held, f"if '*' is present, must not specify other {words}"))
    held = rule.get("resources") or []
    if not held:
        out.append(required(f"{at}.resources"))
    elif len(held) > 1 and "*/*" in held:
        out.append(invalid_value(f"{at}.resources", held, "if '*/*' is present, must not specify other resources"))
    if rule.get("scope", "*") not in ("*", "Cluster", "Namespaced"):
        out.append(not_supported(f"{at}.scope", rule["scope"], ("*", "Cluster", "Namespaced")))
    return out


def _match(match: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    if match.get("matchPolicy") not in ("Equivalent", "Exact"):
        out.append(not_supported(f"{at}.matchPolicy", match.get("matchPolicy"), ("Equivalent", "Exact")))
    for member in ("namespaceSelector", "objectSelector"):
        out += affinity.label_selector(match.get(member), f"{at}.{member}")
    for member in ("resourceRules", "excludeResourceRules"):
        for i, rule in enumerate(match.get(member) or ()):
            out += _rule(rule, f"{at}.{member}[{i}]")
    return out


def _conditions(spec: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    for i, item in enumerate(spec.get("matchConditions") or ()):
        if not (item.get("expression") or "").strip():
            out.append(required(f"{at}[{i}].expression"))
        else:
            out += _expression(spec, item["expression"], f"{at}[{i}].expression", ("bool", "dyn"))
        if not item.get("name"):
            out.append(required(f"{at}[{i}].name"))
    return out


def _validation(spec: Obj, rule: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    text, message = (rule.get("expression") or "").strip(), rule.get("message") or ""
    if not text:
        out.append(required(f"{at}.expression", "expression is not specified"))
    else:
        out += _expression(spec, text, f"{at}.expression", ("bool", "dyn"))
    if rule.get("messageExpression"):
        if not rule["messageExpression"].strip():
            out.append(invalid_value(f"{at}.messageExpression", rule["messageExpression"], "must be non-empty if specified"))
        else:
            out += _expression(spec, rule["messageExpression"], f"{at}.messageExpression", ("string", "dyn"))
    if message and not message.strip():
        out.append(invalid_value(f"{at}.message", message, "must be non-empty if specified"))
    elif "\n" in message.strip():
        out.append(invalid_value(f"{at}.message", message, "must not contain line breaks"))
    elif "\n" in text and not message:
        out.append(required(f"{at}.message", "message must be specified if expression contains line breaks"))
    if rule.get("reason") is not None and rule["reason"] not in REASONS:
        out.append(not_supported(f"{at}.reason", rule["reason"], REASONS))
    return out


_WORDS: dict[tuple[str, ...], str] = {("bool", "dyn"): "must evaluate to bool", ("string", "dyn"): "must evaluate to string"}


def _expression(spec: Obj, text: str, at: str, results: tuple[str, ...]) -> list[FieldError]:
    found = policies.compiled(text, spec.get("paramKind") is not None)
    if isinstance(found, str):
        return [invalid_value(at, text, f"compilation failed: {found}")]
    if results and found.type.kind not in (*results, "dyn"):
        return [invalid_value(at, text, _WORDS.get(results, f"must evaluate to {' or '.join(results)}"))]
    return []


def _actions(actions: list[Any]) -> list[FieldError]:
    at = "spec.validationActions"
    out = [
        not_supported(f"{at}[{i}]", item, ("Audit", "Deny", "Warn"))
        for i, item in enumerate(actions)
        if item not in ("Audit", "Deny", "Warn")
    ]
    if "Deny" in actions and "Warn" in actions:
        why = (
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers "
            "serves no purpose)"
        )
        out.append(invalid_value(at, actions, why))
    if not actions:
        out.append(required(at, "at least one validation action is required"))
    return out
