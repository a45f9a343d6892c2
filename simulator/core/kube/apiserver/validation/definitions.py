"""Validation of CustomResourceDefinitions (`apiextensions-apiserver/pkg/apis/apiextensions/validation`, `pkg/apiserver/schema`)."""

from __future__ import annotations

from typing import Any

from ...api import names, regexp
from ...api.errors import FieldError, forbidden_field, invalid_value, not_supported, required
from .. import custom_rules, structural

Obj = dict[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
COLUMN_TYPES = ("boolean", "date", "integer", "number", "string")
COLUMN_FORMATS = ("byte", "date", "date-time", "double", "float", "int32", "int64", "password")
APPROVED = "api-approved.kubernetes.io"
_MISSING_APPROVAL = (
    f'protected groups must have approval annotation "{APPROVED}", see https://github.com/kubernetes/enhancements/pull/1111'
)
IMMUTABLE = "field is immutable"


def custom_resource_definition(obj: Obj) -> list[FieldError]:
    """`ValidateCustomResourceDefinition`."""
    spec = obj.get("spec") or {}
    called = spec.get("names") or {}
    plural, group = called.get("plural", ""), spec.get("group", "")
    out: list[FieldError] = []
    name = obj["metadata"].get("name", "")
    if name != f"{plural}.{group}":
        out.append(invalid_value("metadata.name", name, 'must be spec.names.plural+"."+spec.group'))
    if not group:
        out.append(required("spec.group"))
    elif problems := names.dns_subdomain(group):
        out.append(invalid_value("spec.group", group, ",".join(problems)))
    elif "." not in group:
        out.append(invalid_value("spec.group", group, "should be a domain with at least one dot"))
    if not spec.get("scope"):
        out.append(required("spec.scope"))
    elif spec["scope"] not in ("Cluster", "Namespaced"):
        out.append(not_supported("spec.scope", spec["scope"], ("Cluster", "Namespaced")))
    out += _versions(list(spec.get("versions") or ()))
    out += [required(f"spec.names.{member}") for member in ("plural", "singular", "kind", "listKind") if not called.get(member)]
    out += _names(called)
    out += _conversion(spec)
    if (group == "k8s.io" or group.endswith((".k8s.io", ".kubernetes.io")) or group == "kubernetes.io") and APPROVED not in (
        obj["metadata"].get("annotations") or {}
    ):
        out.append(required(f"metadata.annotations[{APPROVED}]", _MISSING_APPROVAL))
    if spec.get("preserveUnknownFields"):
        why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        out.append(invalid_value("spec.preserveUnknownFields", True, why))
    return out


def update(obj: Obj, old: Obj) -> list[FieldError]:
    """`ValidateCustomResourceDefinitionUpdate`."""
    out = custom_resource_definition(obj)
    new, before = obj["spec"], old["spec"]
    established = any(
        c.get("type") == "Established" and c.get("status") == "True" for c in (old.get("status") or {}).get("conditions") or ()
    )
    if established:
        if new.get("scope") != before.get("scope"):
            out.append(invalid_value("spec.scope", new.get("scope"), IMMUTABLE))
        if (new.get("names") or {}).get("kind") != before["names"].get("kind"):
            out.append(invalid_value("spec.names.kind", (new.get("names") or {}).get("kind"), IMMUTABLE))
    if new.get("group") != before.get("group"):
        out.append(invalid_value("spec.group", new.get("group"), IMMUTABLE))
    if (new.get("names") or {}).get("plural") != before["names"].get("plural"):
        out.append(invalid_value("spec.names.plural", (new.get("names") or {}).get("plural"), IMMUTABLE))
    return out + stored_versions(obj)


def stored_versions(obj: Obj) -> list[FieldError]:
    """Versions that objects may be stored in stay."""
    listed = (obj.get("status") or {}).get("storedVersions") or []
    known = {item.get("name") for item in obj["spec"].get("versions") or ()}
    text = (
        "missing from spec.versions; {0} was previously a storage version, and must remain in spec.versions until a storage migration "
        "ensures no data remains persisted in {0} and removes {0} from status.storedVersions"
    )
    return [
        invalid_value(f"status.storedVersions[{i}]", name, text.format(name))
        for i, name in enumerate(listed)
        if name not in known
    ]


def _versions(versions: list[Obj]) -> list[FieldError]:
    out: list[FieldError] = []

    def shared(member: str) -> bool:
        """Whether all versions say the same, which the server then keeps at the top."""
        return bool(versions) and all(item.get(member) == versions[0].get(member) for item in versions)

    for i, item in enumerate(versions):
        at = f"spec.versions[{i}]"
        if problems := names.dns1035_label(item.get("name", "")):
            out.append(invalid_value(f"{at}.name", item.get("name", ""), ",".join(problems)))
        warning = item.get("deprecationWarning")
        if warning is not None and not item.get("deprecated"):
            out.append(invalid_value(f"{at}.deprecationWarning", warning, "can only be set for deprecated versions"))
        elif warning is not None and (len(warning) > 256 or not warning):
            why = "must not be an empty string" if not warning else "must be <= 256 characters long"
            out.append(invalid_value(f"{at}.deprecationWarning", warning, why))
        if not (item.get("schema") or {}).get("openAPIV3Schema"):
            out.append(required(f"{at}.schema.openAPIV3Schema"))
        elif i == 0 or not shared("schema"):
            where = "spec.validation" if shared("schema") else f"{at}.schema"
            out += schema_problems(item["schema"]["openAPIV3Schema"], f"{where}.openAPIV3Schema")
        if i == 0 or not shared("subresources"):
            where = "spec.subresources" if shared("subresources") else f"{at}.subresources"
            out += _subresources(item.get("subresources") or {}, where)
        if i == 0 or not shared("additionalPrinterColumns"):
            where = "spec" if shared("additionalPrinterColumns") else at
            for j, column in enumerate(item.get("additionalPrinterColumns") or ()):
                out += _column(column, f"{where}.additionalPrinterColumns[{j}]")
        where = "spec" if shared("selectableFields") else at
        if i == 0 or not shared("selectableFields"):
            out += _selectable(item, f"{where}.selectableFields")
    if len({item.get("name") for item in versions}) != len(versions):
        out.append(invalid_value("spec.versions", versions, "must contain unique version names"))
    if sum(1 for item in versions if item.get("storage")) != 1:
        out.append(invalid_value("spec.versions", versions, "must have exactly one version marked as storage version"))
    return out


def _names(called: Obj) -> list[FieldError]:
    out: list[FieldError] = []
    for member in ("plural", "singular"):
        value = called.get(member, "")
        if value and (problems := names.dns1035_label(value)):
            out.append(invalid_value(f"spec.names.{member}", value, ",".join(problems)))
    for member in ("kind", "listKind"):
        value = called.get(member, "")
        if value and (problems := names.dns1035_label(value.lower())):
            why = "may have mixed case, but should otherwise match: " + ",".join(problems)
            out.append(invalid_value(f"spec.names.{member}", value, why))
    for member in ("shortNames", "categories"):
        for i, value in enumerate(called.get(member) or ()):
            if problems := names.dns1035_label(value):
                out.append(invalid_value(f"spec.names.{member}[{i}]", value, ",".join(problems)))
        if member == "shortNames" and called.get("kind") and called["kind"] == called.get("listKind"):
            out.append(invalid_value("spec.names.listKind", called["listKind"], "kind and listKind may not be the same"))
    return out


def _conversion(spec: Obj) -> list[FieldError]:
    conversion = spec.get("conversion") or {}
    strategy, hook = conversion.get("strategy", "None"), conversion.get("webhook")
    if strategy not in ("None", "Webhook"):
        return [not_supported("spec.conversion.strategy", strategy, ("None", "Webhook"))]
    if strategy == "None":
        return (
            []
            if hook is None
            else [forbidden_field("spec.conversion.webhook", "should not be set when strategy is not set to Webhook")]
        )
    if not (hook or {}).get("clientConfig"):
        return [required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook")]
    if not (hook or {}).get("conversionReviewVersions"):
        return [required("spec.conversion.conversionReviewVersions", "must specify at least one recognized version")]
    return []


def _column(column: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    if not column.get("name"):
        out.append(required(f"{at}.name"))
    kinds = f"must be one of {','.join(COLUMN_TYPES)}"
    if not column.get("type"):
        out.append(required(f"{at}.type", kinds))
    elif column["type"] not in COLUMN_TYPES:
        out.append(invalid_value(f"{at}.type", column["type"], kinds))
    if column.get("format") and column["format"] not in COLUMN_FORMATS:
        out.append(invalid_value(f"{at}.format", column["format"], f"must be one of {','.join(COLUMN_FORMATS)}"))
    path = column.get("jsonPath", "")
    if not path:
        out.append(required(f"{at}.JSONPath"))
    elif path[0] != ".":
        out.append(invalid_value(f"{at}.JSONPath", path, "must be a simple json path starting with ."))
    return out


def _subresources(held: Obj, at: str) -> list[FieldError]:
    scale = held.get("scale")
    if scale is None:
        return []
    out: list[FieldError] = []
    for member, prefixes, words in (
        ("specReplicasPath", (".spec.",), ".spec"),
        ("statusReplicasPath", (".status.",), ".status"),
        ("labelSelectorPath", (".spec.", ".status."), "either .spec or .status"),
    ):
        path = scale.get(member) or ""
        where = f"{at}.scale.{member}"
        if not path:
            out += [required(where)] if member != "labelSelectorPath" else []
        elif path[0] != ".":
            out.append(invalid_value(where, path, "must be a simple json path starting with ."))
        elif not path.startswith(prefixes):
            out.append(invalid_value(where, path, f"should be a json path under {words}"))
    return out


def _selectable(version: Obj, at: str) -> list[FieldError]:
    out: list[FieldError] = []
    fields = version.get("selectableFields") or ()
    if len(fields) > 8:
        out.append(FieldError("FieldValueTooMany", at, f"Too many: {len(fields)}: must have at most 8 items"))
    seen: set[str] = set()
    for i, field in enumerate(fields):
        path = field.get("jsonPath", "")
        where = f"{at}[{i}].jsonPath"
        if not path:
            out.append(required(where))
            continue
        if path in seen:
            out.append(FieldError("FieldValueDuplicate", where, f'Duplicate value: "{path}"'))
        seen.add(path)
        schema: Any = (version.get("schema") or {}).get("openAPIV3Schema") or {}
        for step in path.removeprefix(".").split("."):
            schema = (schema.get("properties") or {}).get(step) if isinstance(schema, dict) else None
        if not path.startswith(".") or not isinstance(schema, dict):
            out.append(
                invalid_value(
                    where,
                    path,
                    f"is an invalid path: {'does not refer to a valid field' if path.startswith('.') else 'must start with .'}",
                )
            )
        elif schema.get("type") not in ("string", "boolean", "integer"):
            out.append(
                invalid_value(
                    where,
                    path,
                    "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.",
                )
            )
    return out


# -- schemas ------------------------------------------------------------------------------------------------------------


def schema_problems(schema: Obj, path: str) -> list[FieldError]:
    """Structure, then what is not supported, then rules (only of schemas that are otherwise right)."""
    out: list[FieldError] = []
    if schema.get("nullable"):
        out.append(forbidden_field(f"{path}.nullable", "nullable cannot be true at the root"))
    plain = _supported(schema, path)
    shaped = sorted(_structure(schema, path, "root"), key=lambda error: error.text)
    out += plain + shaped
    return out if out else custom_rules.definition_problems(schema, path)


def _supported(schema: Obj, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    kind = schema.get("type")
    if kind == "null":
        out.append(forbidden_field(f"{path}.type", "type cannot be set to null, use nullable as an alternative"))
    elif kind and kind not in TYPES:
        out.append(not_supported(f"{path}.type", kind, TYPES))
    for member in ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"):
        if schema.get(member):
            out.append(forbidden_field(f"{path}.{member}", f"{member} is not supported"))
    if schema.get("uniqueItems"):
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        out.append(forbidden_field(f"{path}.uniqueItems", why))
    extra = schema.get("additionalProperties")
    if extra is not None and schema.get("properties"):
        out.append(forbidden_field(f"{path}.additionalProperties", "additionalProperties and properties are mutual exclusive"))
    elif extra is False:
        out.append(forbidden_field(f"{path}.additionalProperties", "additionalProperties cannot be set to false"))
    items = schema.get("items")
    if isinstance(items, list):
        out.append(forbidden_field(f"{path}.items", "items must be a schema object and not an array"))
    out += _list_rules(schema, path)
    for name in sorted(schema.get("properties") or {}):
        out += _supported(schema["properties"][name], f"{path}.properties[{name}]")
    if isinstance(items, dict):
        out += _supported(items, f"{path}.items")
    if isinstance(extra, dict):
        out += _supported(extra, f"{path}.additionalProperties")
    if "default" in schema:
        out += _default(schema, path)
    return out


def _list_rules(schema: Obj, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    kind, keys = schema.get("x-kubernetes-list-type"), schema.get("x-kubernetes-list-map-keys") or ()
    if kind is not None and schema.get("type") != "array":
        if not schema.get("type"):
            out.append(required(f"{path}.type", "must be array if x-kubernetes-list-type is specified"))
        else:
            out.append(invalid_value(f"{path}.type", schema.get("type"), "must be array if x-kubernetes-list-type is specified"))
    elif kind not in (None, "atomic", "set", "map"):
        out.append(not_supported(f"{path}.x-kubernetes-list-type", kind, ("atomic", "set", "map")))
    mapping = schema.get("x-kubernetes-map-type")
    if mapping not in (None, "atomic", "granular"):
        out.append(not_supported(f"{path}.x-kubernetes-map-type", mapping, ("atomic", "granular")))
    if keys and kind != "map":
        text = "must be map if x-kubernetes-list-map-keys is non-empty"
        where = f"{path}.x-kubernetes-list-type"
        out.append(required(where, text) if kind is None else invalid_value(where, kind, text))
    if kind == "map":
        if not keys:
            out.append(required(f"{path}.x-kubernetes-list-map-keys", "must not be empty if x-kubernetes-list-type is map"))
        items = schema.get("items") if isinstance(schema.get("items"), dict) else {}
        assert isinstance(items, dict)
        if items.get("type") != "object":
            why = "must be object if parent array's x-kubernetes-list-type is map"
            out.append(invalid_value(f"{path}.items.type", items.get("type", ""), why))
        for i, key in enumerate(keys):
            inner = (items.get("properties") or {}).get(key)
            if inner is None:
                why = "entries must all be names of item properties"
                out.append(invalid_value(f"{path}.x-kubernetes-list-map-keys[{i}]", key, why))
            elif key not in (items.get("required") or ()) and "default" not in inner:
                why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
                out.append(required(f"{path}.items.properties[{key}].default", why))
    return out


def _default(schema: Obj, path: str) -> list[FieldError]:
    value = schema["default"]
    pruned: list[str] = []
    structural.prune(value, schema, pruned)
    if pruned:
        return [invalid_value(f"{path}.default", value, "must be pruned")]
    return [
        FieldError(error.type, f"{path}.default" + (f".{error.field}" if error.field != "<nil>" else ""), error.body)
        for error in structural.validate(value, schema)
    ]


def _structure(schema: Obj, path: str, level: str) -> list[FieldError]:
    """`validateStructuralInvariants` and `validateStructuralCompleteness`."""
    out: list[FieldError] = []
    kind, items, extra = schema.get("type"), schema.get("items"), schema.get("additionalProperties")
    if kind == "array" and not isinstance(items, dict):
        out.append(required(f"{path}.items", "must be specified"))
    if isinstance(items, dict):
        out += _structure(items, f"{path}.items", "item")
    for name in sorted(schema.get("properties") or {}):
        if not (level == "root" and name == "metadata"):
            out += _structure(schema["properties"][name], f"{path}.properties[{name}]", "field")
    if extra is not None and level == "root":
        out.append(forbidden_field(f"{path}.additionalProperties", "must not be used at the root"))
    if isinstance(extra, dict):
        out += _structure(extra, f"{path}.additionalProperties", "field")
    either, keep = schema.get("x-kubernetes-int-or-string"), schema.get("x-kubernetes-preserve-unknown-fields")
    embedded = schema.get("x-kubernetes-embedded-resource")
    if either and keep:
        why = "must be false if x-kubernetes-int-or-string is true"
        out.append(invalid_value(f"{path}.x-kubernetes-preserve-unknown-fields", True, why))
    if embedded and kind != "object":
        why = "must be object if x-kubernetes-embedded-resource is true"
        out.append(required(f"{path}.type", why) if not kind else invalid_value(f"{path}.type", kind, why))
    elif not kind and not either and not keep:
        words = {"root": "at the root", "item": "for specified array items", "field": "for specified object fields"}[level]
        out.append(required(f"{path}.type", f"must not be empty {words}"))
    if level == "root" and kind and kind != "object":
        out.append(invalid_value(f"{path}.type", kind, "must be object at the root"))
    if level == "root":
        out += _root_members(schema, path)
    if embedded and not keep and not schema.get("properties"):
        text = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields"
        out.append(required(f"{path}.properties", text))
    pattern = schema.get("pattern")
    if pattern:
        try:
            regexp.compile(pattern)
        except regexp.BadPattern as error:
            text = f"must be a valid regular expression, but isn't: error parsing regexp: {error}"
            out.append(invalid_value(f"{path}.pattern", pattern, text))
    return out + _nested(schema, path, bool(either))


def _root_members(schema: Obj, path: str) -> list[FieldError]:
    out: list[FieldError] = []
    properties = schema.get("properties") or {}
    for name in ("kind", "apiVersion"):
        if name in properties and properties[name].get("type") != "string":
            out.append(invalid_value(f"{path}.properties[{name}].type", properties[name].get("type", ""), "must be string"))
    meta = properties.get("metadata")
    if meta is not None:
        at = f"{path}.properties[metadata]"
        if meta.get("type") != "object":
            out.append(invalid_value(f"{at}.type", meta.get("type", ""), "must be object"))
        if set(meta) - {"type", "properties"} or set(meta.get("properties") or {}) - {"name", "generateName"}:
            text = "must not specify anything other than name and generateName, but metadata is implicitly specified"
            out.append(forbidden_field(at, text))
    return out


def _nested(schema: Obj, path: str, either: bool) -> list[FieldError]:
    """What stands in allOf, anyOf, oneOf and not only restricts: it names no types and no fields of its own."""
    out: list[FieldError] = []
    for member in ("allOf", "anyOf", "oneOf"):
        for i, inner in enumerate(schema.get(member) or ()):
            if either and member == "anyOf":
                continue
            out += _value_only(inner, f"{path}.{member}[{i}]", schema)
    if isinstance(schema.get("not"), dict):
        out += _value_only(schema["not"], f"{path}.not", schema)
    return out


def _value_only(inner: Obj, path: str, outer: Obj) -> list[FieldError]:
    out: list[FieldError] = []
    for member, why in (
        ("type", "must be empty to be structural"),
        ("default", "must be undefined to be structural"),
        ("title", "must be empty to be structural"),
        ("description", "must be empty to be structural"),
        ("nullable", "must be false to be structural"),
        ("additionalProperties", "must be undefined to be structural"),
        ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
        ("x-kubernetes-embedded-resource", "must be false to be structural"),
        ("x-kubernetes-int-or-string", "must be false to be structural"),
    ):
        if inner.get(member):
            out.append(forbidden_field(f"{path}.{member}", why))
    known = outer.get("properties") or {}
    for name, item in sorted((inner.get("properties") or {}).items()):
        at = f"{path}.properties[{name}]"
        out += _value_only(item, at, known.get(name) or {})
        if name not in known:
            base = path.partition(".allOf[")[0].partition(".anyOf[")[0].partition(".oneOf[")[0].partition(".not")[0]
            out.append(required(f"{base}.properties[{name}]", f"because it is defined in {at}"))
    return out + _nested(inner, path, either=False)
