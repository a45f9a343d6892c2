"""Types of the API: fields, required, list and patch keys, wire form.

Joined from two sources: the schema cache that `scripts/extract_schema.py` makes from the pinned `kubernetes-validate`
definitions at set-up, and `wire.txt` (order of fields, which zero values are written).  Package data is read once a process
through `pkgutil`, as an import would be; nothing here depends on a world.
"""

from __future__ import annotations

import pkgutil
from functools import lru_cache
from typing import Any

import orjson

from ...kernel.errors import SimulatorError
from ...kernel.versions import MINOR

META = "io.k8s.apimachinery.pkg.apis.meta.v1."
CORE = "io.k8s.api.core.v1."

#: Types that are scalars on the wire though they are named types in Go.
SPECIAL = {
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "intorstr",
    META + "Time": "time",
    META + "MicroTime": "microtime",
    META + "FieldsV1": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "any",
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus": "any",
}
_SCALARS = {"string": "string", "boolean": "bool", "integer": "int", "number": "float"}


class Field:
    """One field of a type.

    `kind`: string, bool, int, float, bytes, quantity, intorstr, time, microtime, any, struct, list or map; `ref` the type of
    a struct, `elem` the item or value of a list or map.  `zero` says what an empty value is written as: None means left out.
    """

    __slots__ = ("always", "elem", "fmt", "kind", "list_keys", "list_type", "map_type", "merge_key", "name", "of", "pack", "pointer",
                 "ref", "required", "strategy", "zero")  # fmt: skip

    def __init__(self, name: str, raw: dict[str, Any], mark: str, pack: str) -> None:
        self.name = name
        #: The minor release whose type `ref` is.
        self.pack = pack
        self.ref: str = raw.get("$", "")
        #: The type that `ref` names, once `struct_of` has looked it up.
        self.of: Type | None = None
        self.elem: Field | None = None
        self.fmt: str = raw.get("o", "")
        self.kind = self._kind(raw)
        if self.kind == "list":
            self.elem = Field(name, raw.get("i", {}), "", pack)
        elif self.kind == "map":
            self.elem = Field(name, raw["v"], "", pack)
        self.list_type: str = raw.get("l", "")
        self.list_keys: tuple[str, ...] = tuple(raw.get("k", ()))
        self.map_type: str = raw.get("m", "")
        strategy, self.merge_key = raw.get("p", ("", ""))
        self.strategy: tuple[str, ...] = tuple(strategy.split(",")) if strategy else ()
        self.pointer = mark.startswith("*")
        self.always = mark in ("!", "{}", "?", "*!")
        self.zero: Any = None
        if mark == "!" and self.kind in ("string", "bool", "int", "float"):
            self.zero = {"string": "", "bool": False, "int": 0, "float": 0}[self.kind]
        self.required = False

    def _kind(self, raw: dict[str, Any]) -> str:
        if self.ref:
            return SPECIAL.get(self.ref, "struct")
        kind = raw.get("t", "")
        if kind == "array":
            return "list"
        if kind == "object":
            return "map" if "v" in raw else "any"
        if kind == "string" and self.fmt == "byte":
            return "bytes"
        return _SCALARS.get(kind, "any")

    def go_type(self) -> str:
        """The Go type as decoding errors name it: `int32`, `map[string]string`, `[]v1.Container`."""
        if self.kind == "list" and self.elem is not None:
            return "[]" + self.elem.go_type()
        if self.kind == "map" and self.elem is not None:
            return "map[string]" + self.elem.go_type()
        if self.kind == "struct":
            parts = self.ref.split(".")
            return f"{parts[-2]}.{parts[-1]}"
        if self.kind == "int":
            return self.fmt or "int64"
        return {"float": "float64", "bool": "bool", "bytes": "[]uint8", "any": "map[string]interface {}"}.get(self.kind, "string")


class Type:
    """A struct: its fields in wire order, and whether server-side apply treats it as one value."""

    __slots__ = ("always", "atomic", "fields", "go_name", "name", "pack")

    def __init__(self, name: str, raw: dict[str, Any], order: dict[str, str], pack: str) -> None:
        self.name = name
        self.pack = pack
        self.go_name = name.rpartition(".")[2]
        self.atomic = bool(raw.get("a"))
        found: dict[str, Any] = raw.get("f", {})
        required = set(raw.get("r", ()))
        self.fields: dict[str, Field] = {}
        for field in [*(n for n in order if n in found), *(n for n in found if n not in order)]:
            self.fields[field] = Field(field, found[field], order.get(field, "!" if field in required else ""), pack)
            self.fields[field].required = field in required
        self.always = tuple(f for f in self.fields.values() if f.always)


def _data(name: str) -> bytes:
    try:
        data = pkgutil.get_data(__package__, name)
    except OSError:
        data = None
    if data is None:
        raise SimulatorError(f"the schema cache {name} is missing: run `python scripts/extract_schema.py`")
    return data


def package_text(name: str) -> str:
    """A table of this package as text."""
    return _data(name).decode()


@lru_cache(maxsize=4)
def _raw(pack: str) -> dict[str, Any]:
    loaded: dict[str, Any] = orjson.loads(_data(f"data/v{pack}.schema.json"))
    return loaded


@lru_cache(maxsize=1)
def _wire() -> dict[str, dict[str, str]]:
    out: dict[str, dict[str, str]] = {}
    for line in _data("wire.txt").decode().splitlines():
        name, colon, rest = line.partition(": ")
        if not colon or line.startswith("#"):
            continue
        fields: dict[str, str] = {}
        for word in rest.split():
            bare = word.rstrip("!*?{}")
            fields[bare] = word[len(bare) :]
        out[name] = fields
    return out


@lru_cache(maxsize=4)
def openapi_definitions(pack: str = MINOR) -> dict[str, Any]:
    """The component schemas of a minor release with descriptions, for OpenAPI v3."""
    loaded: dict[str, Any] = orjson.loads(_data(f"data/v{pack}.openapi.json"))
    for where, part, values in enums():
        name, _, field = where.rpartition(".")
        body = ((loaded.get(name) or {}).get("properties") or {}).get(field)
        if body is None:
            continue
        if part:
            body[part]["enum"] = values
            continue
        body["enum"] = values
        listed = "".join(f'\n - `"{value}"`' for value in values)
        body["description"] = f"{body.get('description', '')}\n\nPossible enum values:{listed}"
    return loaded


def enums() -> list[tuple[str, str, list[str]]]:
    """The rows of `enums.txt`: (type and field, "" or the part of the field that is meant: `items`, `additionalProperties`; values)."""
    parts = {"[]": "items", "{}": "additionalProperties"}
    out: list[tuple[str, str, list[str]]] = []
    for line in _data("enums.txt").decode().splitlines():
        where, colon, rest = line.partition(": ")
        if not colon or line.startswith("#"):
            continue
        part = parts.get(where[-2:], "")
        values = ["" if value == '""' else value for value in rest.split(", ")]
        out.append((where[:-2] if part else where, part, values))
    return out


@lru_cache(maxsize=4096)
def type_of(name: str, pack: str = MINOR) -> Type:
    """The type of a full name (`io.k8s.api.core.v1.Pod`) in a minor release; KeyError when there is none."""
    return Type(name, _raw(pack)[name], _wire().get(name, {}), pack)


@lru_cache(maxsize=4)
def _by_gvk(pack: str) -> dict[tuple[str, str, str], str]:
    out: dict[tuple[str, str, str], str] = {}
    for name, raw in _raw(pack).items():
        found = raw.get("g", ())
        if len(found) == 1:
            out.setdefault((found[0][0], found[0][1], found[0][2]), name)
    return out


@lru_cache(maxsize=1024)
def type_for(group: str, version: str, kind: str, pack: str = MINOR) -> Type | None:
    """The type of a group, version and kind in a minor release; None for custom resources."""
    name = _by_gvk(pack).get((group, version, kind))
    return type_of(name, pack) if name else None


def struct_of(field: Field) -> Type:
    """The type of a struct field."""
    found = field.of
    if found is None:
        found = field.of = type_of(field.ref, field.pack)
    return found
