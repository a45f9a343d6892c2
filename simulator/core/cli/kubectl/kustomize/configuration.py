"""What a kustomization adds to the places that transformers know: `configurations`, `crds` and `openapi` (`plugins/builtinconfig`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ... import goyaml
from ...flags import quote
from ..errors import CommandError
from .fieldspecs import Spec
from .items import Obj

#: Members of a configuration that are lists of places.
PLACES = ("namePrefix", "nameSuffix", "namespace", "commonLabels", "labels", "templateLabels", "commonAnnotations", "varReference",
          "images", "replicas")  # fmt: skip


@dataclass
class Config:
    """Places beyond the built-in ones, by transformer, and the kinds that are referred to with where; `merge_keys` by kind."""

    places: dict[str, tuple[Spec, ...]] = field(default_factory=dict)
    references: list[tuple[str, Spec]] = field(default_factory=list)
    merge_keys: dict[tuple[str, str, str], Obj] = field(default_factory=dict)

    def of(self, name: str) -> tuple[Spec, ...]:
        """The places of one transformer."""
        return self.places.get(name, ())

    def add(self, name: str, specs: tuple[Spec, ...]) -> None:
        """More places, each once."""
        had = self.of(name)
        self.places[name] = (*had, *(spec for spec in specs if spec not in had))

    def merge(self, other: Config) -> None:
        """Take over what a part of the build knows (`MergeConfig`)."""
        for name, specs in other.places.items():
            self.add(name, specs)
        self.references += [one for one in other.references if one not in self.references]
        self.merge_keys.update(other.merge_keys)


def spec_of(raw: Any) -> Spec:
    """A field specification as it is written."""
    return Spec(
        str(raw.get("path") or ""),
        str(raw.get("kind") or ""),
        str(raw.get("group") or ""),
        bool(raw.get("create")),
        str(raw.get("version") or ""),
    )


def load(text: str, config: Config) -> None:
    """A file of `configurations`."""
    found = goyaml.load(text) or {}
    for key, value in found.items() if isinstance(found, dict) else ():
        if key == "nameReference":
            for one in value or ():
                config.references += [(str(one.get("kind") or ""), spec_of(raw)) for raw in one.get("fieldSpecs") or ()]
        elif key in PLACES:
            config.add(key, tuple(spec_of(raw) for raw in value or ()))
        else:
            raise CommandError(f"error unmarshaling JSON: while decoding JSON: json: unknown field {quote(key)}")


def load_definitions(text: str, config: Config) -> None:
    """A file of `crds`: OpenAPI definitions whose extensions say what members mean (`accumulator/loadconfigfromcrds.go`)."""
    types = goyaml.load(text) or {}
    for name, body in types.items() if isinstance(types, dict) else ():
        if {"kind", "apiVersion", "metadata"} <= _properties(body).keys():
            _members(types, name, name.rpartition(".")[2], (), config)


def _properties(body: Any) -> Obj:
    schema = (body or {}).get("Schema") or (body or {}).get("schema") or {}
    found: Obj = schema.get("properties") or {}
    return found


def _members(types: Obj, name: str, kind: str, path: tuple[str, ...], config: Config) -> None:
    for key, body in _properties(types.get(name)).items():
        here = (*path, key)
        spec = Spec("/".join(here), kind)
        for extension, place in (
            ("x-kubernetes-annotation", "commonAnnotations"),
            ("x-kubernetes-label-selector", "commonLabels"),
            ("x-kubernetes-identity", "namePrefix"),
        ):
            if extension in body:
                config.add(place, (spec,))
        if body.get("x-kubernetes-object-ref-api-version") and body.get("x-kubernetes-object-ref-kind"):
            called = str(body.get("x-kubernetes-object-ref-name-key") or "name")
            config.references.append((str(body["x-kubernetes-object-ref-kind"]), Spec("/".join((*here, called)), kind)))
        if body.get("$ref") and len(here) < 20:
            _members(types, str(body["$ref"]), kind, here, config)


def load_openapi(text: str, config: Config) -> None:
    """The file of `openapi`: schemas of kinds, whose lists then merge by their keys."""
    found = goyaml.load(text) or {}
    types = found.get("definitions") or {} if isinstance(found, dict) else {}
    for body in types.values():
        for gvk in body.get("x-kubernetes-group-version-kind") or ():
            whole = {"definitions": types, "schema": body}
            config.merge_keys[(str(gvk.get("group") or ""), str(gvk.get("version") or ""), str(gvk.get("kind") or ""))] = whole
