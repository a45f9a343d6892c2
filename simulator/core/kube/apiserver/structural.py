"""Structural schemas of custom resources: pruning, defaults, validation (`apiextensions-apiserver/pkg/apiserver/schema`,
`pkg/apiserver/validation`, kube-openapi's validators).

Simulated: types, nullable, required, enum, numeric, string, item and property limits, pattern, additionalProperties, int-or-string,
preserve-unknown-fields, embedded resources, allOf/anyOf/oneOf/not, formats, set and map lists.  CEL rules stand in `custom_rules`.
"""

from __future__ import annotations

from typing import Any

from ..api import regexp
from ..api.errors import FieldError, invalid_value, not_supported, required, too_long, too_many, type_invalid
from ..api.objects import clone

Obj = dict[str, Any]
_MISSING = object()
_ROOT = ("apiVersion", "kind", "metadata")
_NAMES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


# -- pruning ------------------------------------------------------------------------------------------------------------


def prune(value: Any, schema: Obj, unknown: list[str], path: str = "", *, root: bool = False) -> Any:
    """The value without fields that the schema does not name; their paths go to `unknown`."""
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, dict):
            return value
        return [prune(item, items, unknown, f"{path}[{i}]") for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    keep = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    embedded = root or bool(schema.get("x-kubernetes-embedded-resource"))
    out: Obj = {}
    for name, item in value.items():
        at = _join(path, name)
        if embedded and name in _ROOT:
            out[name] = item
        elif name in properties:
            out[name] = prune(item, properties[name], unknown, at)
        elif isinstance(extra, dict):
            out[name] = prune(item, extra, unknown, at)
        elif extra is True or keep:
            out[name] = item
        else:
            unknown.append(f'unknown field "{at}"')
    return out


# -- defaults -----------------------------------------------------------------------------------------------------------


def default(value: Any, schema: Obj) -> None:
    """Put in, in place, the defaults of absent fields (and of null ones that may not be null)."""
    if isinstance(value, list):
        items = schema.get("items")
        for item in value if isinstance(items, dict) else ():
            default(item, items)  # type: ignore[arg-type]
        return
    if not isinstance(value, dict):
        return
    properties = schema.get("properties") or {}
    for name, inner in properties.items():
        absent = name not in value or (value[name] is None and not inner.get("nullable"))
        if absent and "default" in inner:
            value[name] = clone(inner["default"])
        if name in value:
            default(value[name], inner)
    extra = schema.get("additionalProperties")
    if isinstance(extra, dict):
        for name, item in value.items():
            if name not in properties:
                default(item, extra)


# -- validation ---------------------------------------------------------------------------------------------------------


def validate(value: Any, schema: Obj, path: str = "", old: Any = _MISSING, *, root: bool = False) -> list[FieldError]:
    """What a value violates; what has not changed since `old` is let pass (ratcheting)."""
    if old is not _MISSING and old == value and not root:
        return []
    if value is None and schema.get("nullable"):
        return []
    wrong = _type(value, schema, path)
    if wrong is not None:
        return [wrong]
    out = _scalar(value, schema, path)
    if schema.get("enum") is not None and value not in schema["enum"]:
        out.append(not_supported(path, value, list(schema["enum"])))
    if isinstance(value, list):
        out += _items(value, schema, path, old)
    elif isinstance(value, dict):
        out += _object(value, schema, path, old, root=root)
    return out + _combined(value, schema, path)


def _type(value: Any, schema: Obj, path: str) -> FieldError | None:
    wanted = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if isinstance(value, bool) or not isinstance(value, int | str):
            found = _NAMES.get(type(value), "null")
            return type_invalid(path, found, f'{path} in body must be of type integer,string: "{found}"')
        return None
    if not wanted:
        return None
    found = "null" if value is None else _NAMES.get(type(value), "object")
    if found == wanted or (wanted == "number" and found == "integer"):
        return None
    if wanted == "integer" and isinstance(value, float) and value.is_integer():
        return None
    return type_invalid(path, found, f'{path} in body must be of type {wanted}: "{found}"')


def _scalar(value: Any, schema: Obj, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    if isinstance(value, str):
        if schema.get("maxLength") is not None and len(value) > schema["maxLength"]:
            out.append(too_long(path, schema["maxLength"]))
        if schema.get("minLength") is not None and len(value) < schema["minLength"]:
            out.append(invalid_value(path, value, f"{path} in body should be at least {schema['minLength']} chars long"))
        pattern = schema.get("pattern")
        if pattern and not _matches(pattern, value):
            out.append(invalid_value(path, value, f"{path} in body should match '{pattern}'"))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        high, low = schema.get("maximum"), schema.get("minimum")
        if high is not None and (value >= high if schema.get("exclusiveMaximum") else value > high):
            words = "less than" if schema.get("exclusiveMaximum") else "less than or equal to"
            out.append(invalid_value(path, value, f"{path} in body should be {words} {high}"))
        if low is not None and (value <= low if schema.get("exclusiveMinimum") else value < low):
            words = "greater than" if schema.get("exclusiveMinimum") else "greater than or equal to"
            out.append(invalid_value(path, value, f"{path} in body should be {words} {low}"))
        if schema.get("multipleOf") and value % schema["multipleOf"]:
            out.append(invalid_value(path, value, f"{path} in body should be a multiple of {schema['multipleOf']}"))
    return out


def _matches(pattern: str, value: str) -> bool:
    try:
        return regexp.compile(pattern).search(value)
    except regexp.BadPattern:  # refused when the definition was written
        return True


def _items(value: list[Any], schema: Obj, path: str, old: Any) -> list[FieldError]:
    out: list[FieldError] = []
    if schema.get("maxItems") is not None and len(value) > schema["maxItems"]:
        out.append(too_many(path, len(value), schema["maxItems"]))
    if schema.get("minItems") is not None and len(value) < schema["minItems"]:
        out.append(invalid_value(path, value, f"{path} in body should have at least {schema['minItems']} items"))
    if schema.get("uniqueItems") and any(item in value[:i] for i, item in enumerate(value)):
        out.append(invalid_value(path, value, f"{path} in body shouldn't contain duplicates"))
    items = schema.get("items")
    if isinstance(items, dict):
        for i, item in enumerate(value):
            before = old[i] if isinstance(old, list) and i < len(old) else _MISSING
            out += validate(item, items, f"{path}[{i}]", before)
    return out


def _object(value: Obj, schema: Obj, path: str, old: Any, *, root: bool) -> list[FieldError]:
    out: list[FieldError] = []
    properties, extra = schema.get("properties") or {}, schema.get("additionalProperties")
    embedded = root or bool(schema.get("x-kubernetes-embedded-resource"))
    for name in schema.get("required") or ():
        if name not in value:
            out.append(required(_join(path, name)))
    for name in sorted(value):
        if embedded and name in _ROOT:
            continue
        inner = properties.get(name, extra if isinstance(extra, dict) else None)
        if isinstance(inner, dict):
            before = old.get(name, _MISSING) if isinstance(old, dict) else _MISSING
            at = _join(path, name) if name in properties else f"{path}.{name}"
            out += validate(value[name], inner, at, before)
    if schema.get("maxProperties") is not None and len(value) > schema["maxProperties"]:
        out.append(too_many(path, len(value), schema["maxProperties"]))
    if schema.get("minProperties") is not None and len(value) < schema["minProperties"]:
        out.append(invalid_value(path, value, f"{path} in body should have at least {schema['minProperties']} properties"))
    return out


def _combined(value: Any, schema: Obj, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    shown = f'"{path}"'
    for inner in schema.get("allOf") or ():
        out += validate(value, inner, path)
    options = schema.get("anyOf")
    if options and not schema.get("x-kubernetes-int-or-string") and all(validate(value, inner, path) for inner in options):
        out.append(invalid_value(path, value, f"{shown} must validate at least one schema (anyOf)"))
    options = schema.get("oneOf")
    if options and sum(not validate(value, inner, path) for inner in options) != 1:
        out.append(invalid_value(path, value, f"{shown} must validate one and only one schema (oneOf)"))
    if schema.get("not") and not validate(value, schema["not"], path):
        out.append(invalid_value(path, value, f"{shown} must not validate the schema (not)"))
    return out
