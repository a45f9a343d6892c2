"""CustomResourceDefinitions of well-known projects from a short form, so that a page of fields stands for a thousand lines of schema.

A definition names `kind`, `plural`, `versions` (the first is stored; `v1alpha1-` is there but not served) and the fields of `spec` and
`status`.  A field is `name: type`, `name!` when it is required.  Types: `string`, `integer`, `boolean`, `number`, `any` (not looked into),
`quantity` (a number or a string), `strings`, `labels` (strings by name), `selector` (a LabelSelector), `conditions`, `Same|Cluster` (an
enumeration); a mapping is an object, a list of one type is an array.  `string=x` has the default x, ` - ` begins the description.
Names and types are those of each project's own definitions; the words are ours.
"""

from __future__ import annotations

import functools
import json
import pkgutil
from typing import Any

import yaml

Obj = dict[str, Any]

_STRINGS: Obj = {"type": "array", "items": {"type": "string"}}
_LABELS: Obj = {"type": "object", "additionalProperties": {"type": "string"}}
_SELECTOR: Obj = {
    "type": "object",
    "properties": {
        "matchLabels": _LABELS,
        "matchExpressions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["key", "operator"],
                "properties": {"key": {"type": "string"}, "operator": {"type": "string"}, "values": _STRINGS},
            },
        },
    },
}
_CONDITIONS: Obj = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["status", "type"],
        "properties": {
            "type": {"type": "string"},
            "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
            "reason": {"type": "string"},
            "message": {"type": "string"},
            "observedGeneration": {"type": "integer", "format": "int64"},
            "lastTransitionTime": {"type": "string", "format": "date-time"},
        },
    },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["type"],
}
_NAMED: dict[str, Obj] = {
    "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "quantity": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
    "strings": _STRINGS,
    "labels": _LABELS,
    "selector": _SELECTOR,
    "conditions": _CONDITIONS,
}


def schema(form: Any) -> Obj:
    """The OpenAPI schema of a type in the short form."""
    if isinstance(form, dict):
        if "$type" in form:  # a type with more said about it
            more = {name: value for name, value in form.items() if name != "$type"}
            return {**schema(form["$type"]), **more}
        properties: Obj = {}
        required: list[str] = []
        for name, inner in form.items():
            bare = name.removesuffix("!")
            properties[bare] = schema(inner)
            if bare != name:
                required.append(bare)
        found: Obj = {"type": "object", "properties": properties}
        return {**found, "required": required} if required else found
    if isinstance(form, list):
        return {"type": "array", "items": schema(form[0])}
    text, _, about = str(form).partition(" - ")
    kind, equals, default = text.partition("=")
    if "|" in kind:
        out: Obj = {"type": "string", "enum": kind.split("|")}
    elif kind in _NAMED:
        out = dict(_NAMED[kind])
    else:
        out = {"type": kind}
    if equals:
        out["default"] = default if out.get("type") == "string" else json.loads(default)
    return {"description": about, **out} if about else out


def definition(group: str, form: Obj, labels: Obj, annotations: Obj) -> Obj:
    """The CustomResourceDefinition of one kind."""
    kind, plural = form["kind"], form["plural"]
    names: Obj = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": form.get("singular", kind.lower())}
    if form.get("short"):
        names["shortNames"] = str(form["short"]).split()
    if form.get("categories"):
        names["categories"] = str(form["categories"]).split()
    top: Obj = {
        "description": form.get("about", f"{kind} of {group}."),
        "type": "object",
        "properties": {
            "apiVersion": {"type": "string", "description": "Version of the schema of this representation."},
            "kind": {"type": "string", "description": "The resource that this object represents."},
            "metadata": {"type": "object"},
        },
    }
    for part in ("spec", "status"):
        if part in form:
            top["properties"][part] = schema(form[part])
    more = {name: value for name, value in form.items() if name in ("data", "fields")}
    for fields in more.values():
        top["properties"] |= schema(fields)["properties"]
    if form.get("required", "spec" if form.get("spec") else ""):
        top["required"] = str(form.get("required", "spec")).split()
    columns = [
        {"name": column[0], "jsonPath": column[1], "type": "date" if column[1] == ".metadata.creationTimestamp" else "string"}
        | ({"priority": column[2]} if len(column) > 2 else {})
        for column in form.get("columns", ())
    ]
    versions: list[Obj] = []
    for number, name in enumerate(form["versions"]):
        version: Obj = {"name": name.removesuffix("-"), "served": not name.endswith("-"), "storage": number == 0}
        if columns:
            version["additionalPrinterColumns"] = columns
        version["schema"] = {"openAPIV3Schema": top}
        if "status" in form:
            version["subresources"] = {"status": {}}
        versions.append(version)
    meta: Obj = {"name": f"{plural}.{group}"}
    if annotations:
        meta["annotations"] = annotations
    if labels:
        meta["labels"] = labels
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": meta,
        "spec": {"group": group, "names": names, "scope": form.get("scope", "Namespaced"), "versions": versions},
    }


@functools.lru_cache(maxsize=32)
def definitions(name: str, channel: str = "") -> tuple[Obj, ...]:
    """The definitions of a file `<name>.crds.yaml`; those with a `channel` only when it is that one."""
    found = yaml.safe_load(pkgutil.get_data(__package__, f"{name}.crds.yaml") or b"")
    out: list[Obj] = []
    for form in found["kinds"]:
        if form.get("channel", channel) == channel:
            group = form.get("group", found["group"])
            out.append(definition(group, form, found.get("labels") or {}, found.get("annotations") or {}))
    return tuple(out)


class _Dumper(yaml.SafeDumper):
    """Without anchors: kubectl's reader takes them, people do not."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write the same object twice."""
        return True


def text(objects: tuple[Obj, ...] | list[Obj]) -> str:
    """Objects as a stream of YAML documents."""
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, explicit_start=True, width=200)
