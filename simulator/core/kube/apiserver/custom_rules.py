"""`x-kubernetes-validations` of custom resources: CEL rules beside the schema (`apiextensions-apiserver/pkg/apiserver/schema/cel`).

A rule stands at a node of the schema; `self` is the value there and `oldSelf` the value before an update.  Rules that use `oldSelf` run
only where there is an old value, unless `optionalOldSelf` asks for an optional.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import orjson

from ..api.errors import FieldError, duplicate, forbidden_field, invalid_value, required
from ..cel import types
from ..cel.evaluate import Budget, CelError, EvalError, Program, compile
from ..cel.values import Exhausted, MapList, Optional, SetList, parse_duration, parse_timestamp

Obj = dict[str, Any]
#: Steps of all rules of one object together.
TOTAL = 1_000_000
_MISSING = object()
_ROOT = ("apiVersion", "kind", "metadata")


def no_value(path: str, detail: str) -> FieldError:
    """`field.Invalid` without the value, as rules on objects and lists say it."""
    return FieldError("FieldValueInvalid", path or "<nil>", f"Invalid value: {detail}")


# -- values -------------------------------------------------------------------------------------------------------------


def value_of(value: Any, schema: Obj, *, root: bool = False) -> Any:
    """A JSON value as CEL sees it through its schema: times, bytes, sets, doubles."""
    if isinstance(value, dict):
        properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        out: Obj = {}
        for name, item in value.items():
            inner = properties.get(name) or (extra if isinstance(extra, dict) else None)
            if root and name in _ROOT:
                meta = ("name", "generateName")
                out[name] = {k: v for k, v in item.items() if k in meta} if name == "metadata" else item
            elif isinstance(inner, dict):
                out[name] = value_of(item, inner)
            elif schema.get("x-kubernetes-preserve-unknown-fields") and not properties:
                out[name] = item
        return out
    if isinstance(value, list):
        items = schema.get("items")
        listed = [value_of(item, items) for item in value] if isinstance(items, dict) else value
        kind = schema.get("x-kubernetes-list-type")
        if kind == "set":
            return SetList(listed)
        if kind == "map":
            mapped = MapList(listed)
            mapped.keys = tuple(schema.get("x-kubernetes-list-map-keys") or ())
            return mapped
        return listed
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and schema.get("type") == "string" and schema.get("format"):
        return _formatted(value, str(schema["format"]))
    return value


def _formatted(value: str, form: str) -> Any:
    try:
        if form == "date-time":
            return parse_timestamp(value)
        if form == "date":
            return parse_timestamp(value + "T00:00:00Z")
        if form == "duration":
            return parse_duration(value)
    except EvalError:
        return value
    return value.encode() if form == "byte" else value


# -- compiling ----------------------------------------------------------------------------------------------------------


def _environment(schema: Obj, *, root: bool, optional: bool) -> dict[str, types.Type]:
    kind = types.of_schema(schema, "selfType", root=root)
    return {"self": kind, "oldSelf": types.optional_of(kind) if optional else kind}


@lru_cache(maxsize=1024)
def _compiled(source: str, encoded: bytes, root: bool, optional: bool) -> Program | str:
    """The program of a rule at a schema, or why it cannot be compiled."""
    try:
        return compile(source, _environment(orjson.loads(encoded), root=root, optional=optional))
    except CelError as error:
        return str(error)


def program(rule: Obj, member: str, schema: Obj, *, root: bool) -> Program | str:
    """The program of a rule's `rule` or `messageExpression`."""
    return _compiled(str(rule.get(member, "")).strip(), orjson.dumps(schema), root, bool(rule.get("optionalOldSelf")))


def _uncorrelatable(schema: Obj, path: str) -> str:
    """Where below an array or map of atoms old values can no longer be told: the first such path, or ""."""
    kind = schema.get("x-kubernetes-list-type", "atomic")
    return path if schema.get("type") == "array" and kind != "map" else ""


def definition_problems(schema: Obj, path: str, *, root: bool = True, blind: str = "") -> list[FieldError]:
    """What is wrong with the rules of a schema (`ValidateCustomResourceDefinitionOpenAPISchema`)."""
    out: list[FieldError] = []
    for i, rule in enumerate(schema.get("x-kubernetes-validations") or ()):
        out += _rule_problems(rule, f"{path}.x-kubernetes-validations[{i}]", schema, root=root, blind=blind)
    inner_blind = blind or _uncorrelatable(schema, path)
    for name in sorted(schema.get("properties") or {}):
        out += definition_problems(schema["properties"][name], f"{path}.properties[{name}]", root=False, blind=blind)
    if isinstance(schema.get("items"), dict):
        out += definition_problems(schema["items"], f"{path}.items", root=False, blind=inner_blind)
    if isinstance(schema.get("additionalProperties"), dict):
        out += definition_problems(schema["additionalProperties"], f"{path}.additionalProperties", root=False, blind=blind)
    return out


def _rule_problems(rule: Obj, at: str, schema: Obj, *, root: bool, blind: str) -> list[FieldError]:
    out: list[FieldError] = []
    text, message = str(rule.get("rule", "")).strip(), str(rule.get("message", ""))
    if not text:
        out.append(required(f"{at}.rule", "rule is not specified"))
        return out
    if message and not message.strip():
        out.append(invalid_value(f"{at}.message", rule["message"], "message must be non-empty if specified"))
    elif "\n" in message.strip():
        out.append(invalid_value(f"{at}.message", rule["message"], "message must not contain line breaks"))
    elif "\n" in text and not message:
        out.append(required(f"{at}.message", "message must be specified if rule contains line breaks"))
    if rule.get("messageExpression") is not None and not str(rule["messageExpression"]).strip():
        out.append(required(f"{at}.messageExpression", "must be non-empty if specified"))
    found = program(rule, "rule", schema, root=root)
    if isinstance(found, str):
        out.append(invalid_value(f"{at}.rule", rule, f"compilation failed: {found}"))
        return out
    if found.type.kind not in ("bool", "dyn"):
        out.append(invalid_value(f"{at}.rule", rule, "cel expression must evaluate to a bool"))
    elif "oldSelf" in found.used and blind:
        why = f"oldSelf cannot be used on the uncorrelatable portion of the schema within {blind}"
        out.append(invalid_value(f"{at}.rule", rule["rule"], why))
    elif "oldSelf" not in found.used and rule.get("optionalOldSelf") is not None:
        out.append(
            invalid_value(f"{at}.optionalOldSelf", rule["optionalOldSelf"], "may not be set if oldSelf is not used in rule")
        )
    if str(rule.get("messageExpression") or "").strip():
        said = program(rule, "messageExpression", schema, root=root)
        if isinstance(said, str):
            out.append(invalid_value(f"{at}.messageExpression", rule, f"messageExpression compilation failed: {said}"))
        elif said.type.kind not in ("string", "dyn"):
            out.append(invalid_value(f"{at}.messageExpression", rule, "messageExpression must evaluate to a string"))
    return out


# -- running ------------------------------------------------------------------------------------------------------------


def validate(obj: Any, schema: Obj, old: Any = _MISSING) -> list[FieldError]:
    """What an object breaks of the rules of its schema."""
    return _Walk().walk(obj, schema, "", old, root=True)


class _Walk:
    """One walk over an object: errors, and the steps that are left for all rules together."""

    def __init__(self) -> None:
        self.left = TOTAL
        self.over = False

    def walk(self, value: Any, schema: Obj, path: str, old: Any, *, root: bool = False) -> list[FieldError]:
        """The rules of a node, then of what is below."""
        if value is None or self.over or not _has_rules(orjson.dumps(schema)):
            return []
        out: list[FieldError] = []
        rules = schema.get("x-kubernetes-validations")
        if rules:
            out += self.node(value, schema, path, old, rules, root=root)
        if isinstance(value, dict):
            properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
            for name in sorted(value):
                inner = properties.get(name) or (extra if isinstance(extra, dict) else None)
                if isinstance(inner, dict) and not (root and name == "metadata"):
                    before = old.get(name, _MISSING) if isinstance(old, dict) else _MISSING
                    at = f"{path}.{name}" if path else name
                    if name not in properties:
                        at = f"{path}[{name}]"
                    out += self.walk(value[name], inner, at, before)
        elif isinstance(value, list) and isinstance(schema.get("items"), dict):
            found = _by_key(old, schema)
            for i, item in enumerate(value):
                before = found.get(_key(item, schema), _MISSING) if found is not None else _MISSING
                out += self.walk(item, schema["items"], f"{path}[{i}]", before)
        return out

    def node(self, value: Any, schema: Obj, path: str, old: Any, rules: list[Obj], *, root: bool) -> list[FieldError]:
        """The rules of one node."""
        out: list[FieldError] = []
        before = _MISSING if old is _MISSING or old is None else value_of(old, schema, root=root)
        scope: Obj = {"self": value_of(value, schema, root=root)}
        for rule in rules:
            found = program(rule, "rule", schema, root=root)
            if isinstance(found, str):
                out.append(invalid_value(path, schema.get("type", ""), f"rule compile error: compilation failed: {found}"))
                continue
            optional = bool(rule.get("optionalOldSelf"))
            if "oldSelf" in found.used and before is _MISSING and not optional:
                continue
            if optional:
                inner = {**scope, "oldSelf": Optional() if before is _MISSING else Optional(before, True)}
            else:
                inner = {**scope, "oldSelf": None if before is _MISSING else before}
            out += self.one(found, rule, inner, schema, path, value)
            if self.over:
                break
            if out and "oldSelf" not in found.used and old is not _MISSING and old == value:
                out.pop()  # what was broken before and has not changed is let pass
        return out

    def one(self, found: Program, rule: Obj, scope: Obj, schema: Obj, path: str, value: Any) -> list[FieldError]:
        """One rule."""
        kind, text = schema.get("type", ""), _shown(rule)
        budget = Budget(min(self.left, 100_000))
        try:
            held = found.run(scope, budget)
        except Exhausted as error:
            self.over = True
            why = f"'{error}': no further validation rules will be run due to call cost exceeds limit for rule: {text}"
            return [invalid_value(path, kind, why)]
        except EvalError as error:
            if str(error).startswith("no such overload"):
                words = "call arguments did not match a supported operator, function or macro signature for rule"
                return [invalid_value(path, kind, f"'{error}': {words}: {text}")]
            return [invalid_value(path, kind, f"{error} evaluating rule: {text}")]
        finally:
            self.left -= 100_000 - budget.left if self.left > 100_000 else 0
        if held is True:
            return []
        return [self.failed(rule, scope, schema, path, value)]

    def failed(self, rule: Obj, scope: Obj, schema: Obj, path: str, value: Any) -> FieldError:
        """The error of a rule that gave false: its message, its reason, its field."""
        detail = rule["message"].strip() if rule.get("message") else f"failed rule: {_shown(rule)}"
        if str(rule.get("messageExpression") or "").strip():
            said = program(rule, "messageExpression", schema, root=path == "")
            if isinstance(said, Program):
                try:
                    text = said.run(scope)
                except EvalError:
                    text = ""
                if isinstance(text, str) and text.strip() and "\n" not in text.strip() and len(text) <= 5 * 1024:
                    detail = text.strip()
        if rule.get("fieldPath"):
            path = (path + str(rule["fieldPath"])).removeprefix(".")
        reason = rule.get("reason")
        if reason == "FieldValueForbidden":
            return forbidden_field(path, detail)
        if reason == "FieldValueRequired":
            return required(path, detail)
        if reason == "FieldValueDuplicate":
            return duplicate(path, value)
        if schema.get("type") in ("object", "array"):
            return no_value(path, detail)
        return invalid_value(path, value, detail)


def _shown(rule: Obj) -> str:
    return str(rule.get("message") or rule.get("rule") or "").strip()


@lru_cache(maxsize=4096)
def _has_rules(encoded: bytes) -> bool:
    return b'"x-kubernetes-validations"' in encoded


def _key(item: Any, schema: Obj) -> str:
    keys = schema.get("x-kubernetes-list-map-keys") or ()
    return repr([item.get(key) for key in keys]) if isinstance(item, dict) else ""


def _by_key(old: Any, schema: Obj) -> dict[str, Any] | None:
    """The old items of a map list by their keys; None when items cannot be told apart."""
    if not isinstance(old, list) or schema.get("x-kubernetes-list-type") != "map":
        return None
    return {_key(item, schema): item for item in old}
