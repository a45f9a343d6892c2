"""Which requests a policy or webhook is about: rules, selectors, and what admission says of a request (`admission/plugin/webhook`)."""

from __future__ import annotations

from typing import Any

from ...api import selectors
from ..call import Call

Obj = dict[str, Any]
#: Kinds that policies are never asked about, so that a wrong policy can be mended.
EXEMPT = frozenset(
    "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding "
    "ValidatingWebhookConfiguration MutatingWebhookConfiguration".split()
)
_QUIET = ("TokenReview", "SubjectAccessReview", "SelfSubjectAccessReview", "LocalSubjectAccessReview", "SelfSubjectRulesReview")


def exempt(call: Call) -> bool:
    """Whether a request is left alone."""
    return call.server.booting or call.kind.kind in EXEMPT or call.kind.kind in _QUIET


def rule_matches(call: Call, rule: Obj, *, equivalent: bool) -> bool:
    """Whether a rule names the request's operation, resource and scope (`rules.Matcher`)."""
    operations = rule.get("operations") or ()
    if "*" not in operations and call.operation not in operations:
        return False
    groups, versions = rule.get("apiGroups") or (), rule.get("apiVersions") or ()
    if "*" not in groups and call.kind.group not in groups:
        return False
    if "*" not in versions and call.version not in versions and not (equivalent and set(versions) & set(call.kind.versions)):
        return False
    scope = rule.get("scope", "*")
    if scope != "*" and (scope == "Namespaced") is not (call.kind.namespaced and call.kind.kind != "Namespace"):
        return False
    names = rule.get("resourceNames") or ()
    if names and call.info.name not in names:
        return False
    plural, sub = call.kind.plural, call.info.subresource
    return any(_resource(item, plural, sub) for item in rule.get("resources") or ())


def _resource(pattern: str, plural: str, sub: str) -> bool:
    wanted, _, wanted_sub = pattern.partition("/")
    if pattern == "*/*":
        return True
    return wanted in ("*", plural) and (wanted_sub == sub or wanted_sub == "*")


def resources_match(call: Call, wanted: Obj | None, obj: Obj | None, old: Obj | None, rules: str = "resourceRules") -> bool:
    """Whether `matchConstraints` (or a webhook's rules and selectors) are about this request."""
    if wanted is None:
        return True
    equivalent = wanted.get("matchPolicy", "Equivalent") == "Equivalent"
    if any(rule_matches(call, rule, equivalent=equivalent) for rule in wanted.get("excludeResourceRules") or ()):
        return False
    held = wanted.get(rules)
    if held is not None and not any(rule_matches(call, rule, equivalent=equivalent) for rule in held):
        return False
    return _namespace(call, wanted.get("namespaceSelector"), obj, old) and _object(wanted.get("objectSelector"), obj, old)


def _namespace(call: Call, selector: Obj | None, obj: Obj | None, old: Obj | None) -> bool:
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        return True
    if call.kind.kind == "Namespace" and not call.kind.group:
        labels = ((obj or old or {}).get("metadata") or {}).get("labels") or {}
    elif not call.namespace:
        return True
    else:
        found = namespace_object(call)
        labels = ((found or {}).get("metadata") or {}).get("labels") or {}
    return selectors.from_object(selector).matches(labels)


def _object(selector: Obj | None, obj: Obj | None, old: Obj | None) -> bool:
    if not selector or not (selector.get("matchLabels") or selector.get("matchExpressions")):
        return True
    wanted = selectors.from_object(selector)
    return any(item is not None and wanted.matches(item["metadata"].get("labels") or {}) for item in (obj, old))


def namespace_object(call: Call) -> Obj | None:
    """The Namespace of a request, as expressions see it."""
    if not call.namespace:
        return None
    found = call.server.storage.get(b"/registry/namespaces/" + call.namespace.encode())
    return found[0] if found is not None else None


def request_of(call: Call, obj: Obj | None, old: Obj | None) -> Obj:
    """The `AdmissionRequest` without the objects."""
    kind = {
        "group": call.kind.group,
        "version": call.version,
        "kind": call.sub.kind if call.sub and call.sub.kind else call.kind.kind,
    }
    resource = {"group": call.kind.group, "version": call.version, "resource": call.kind.plural}
    user: Obj = {"username": call.user.name, "groups": list(call.user.groups)}
    if call.user.uid:
        user["uid"] = call.user.uid
    if call.user.extra:
        user["extra"] = {name: list(values) for name, values in call.user.extra}
    name = str(((obj or old or {}).get("metadata") or {}).get("name") or call.info.name)
    return {
        "kind": kind,
        "resource": resource,
        "subResource": call.info.subresource,
        "requestKind": kind,
        "requestResource": resource,
        "requestSubResource": call.info.subresource,
        "name": name,
        "namespace": call.namespace,
        "operation": call.operation,
        "userInfo": user,
        "dryRun": call.dry_run,
    }
