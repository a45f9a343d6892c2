"""Fields of a kustomization file and the Go types that they are decoded into (`api/types/kustomization.go`)."""

from __future__ import annotations

from typing import Any

from ..errors import CommandError
from .items import Obj

#: Fields that are lists of texts, lists of objects, maps of texts, texts.
SHAPES: dict[str, tuple[str, ...]] = {
    "[]string": (
        "resources",
        "bases",
        "components",
        "patchesStrategicMerge",
        "transformers",
        "generators",
        "validators",
        "crds",
        "configurations",
        "buildMetadata",
    ),
    "map[string]string": ("commonLabels", "commonAnnotations"),
    "string": ("namePrefix", "nameSuffix", "namespace", "kind", "apiVersion"),
}
OBJECTS = {"images": "Image", "replicas": "Replica", "patches": "Patch", "patchesJson6902": "Patch", "labels": "Label", "replacements": "ReplacementField",
           "vars": "Var", "helmCharts": "HelmChart", "helmChartInflationGenerator": "HelmChartArgs", "configMapGenerator": "ConfigMapArgs", "secretGenerator": "SecretArgs"}  # fmt: skip


def check(spec: Obj) -> None:
    """Refuse values of the wrong type as Go's decoder does."""

    def wrong(value: Any, field: str, kind: str) -> None:
        have = {dict: "object", list: "array", str: "string", bool: "bool"}.get(type(value), "number")
        raise CommandError(
            f"invalid Kustomization: json: cannot unmarshal {have} into Go struct field Kustomization.{field} of type {kind}"
        )

    for kind, fields in SHAPES.items():
        for field in fields:
            value = spec.get(field)
            holder = list if kind == "[]string" else dict if kind.startswith("map") else str
            if value is not None and not isinstance(value, holder):
                wrong(value, field, kind)
            for one in value if isinstance(value, list) else value.values() if isinstance(value, dict) else ():
                if one is not None and not isinstance(one, str):
                    wrong(one, field, "string")
    for field, name in OBJECTS.items():
        value = spec.get(field)
        if value is not None and not isinstance(value, list):
            wrong(value, field, f"[]types.{name}")
        for one in value or ():
            if not isinstance(one, dict):
                wrong(one, field, f"types.{name}")
