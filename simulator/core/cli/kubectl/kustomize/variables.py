"""`vars`: values of fields put where `$(NAME)` stands (`accumulator/resaccumulator.go`, `filters/refvar`)."""

from __future__ import annotations

import re
from typing import Any

from ....kube.api import kinds
from ..errors import CommandError
from .fieldspecs import Spec, split, visit
from .items import Item, Obj

_TEMPLATES = {
    "CronJob": "spec/jobTemplate/spec/template/spec",
    "Pod": "spec",
    **dict.fromkeys(("DaemonSet", "Deployment", "Job", "ReplicaSet", "StatefulSet"), "spec/template/spec"),
}
#: Where variables are looked for (`konfig/builtinpluginconsts/varreference.go`).
PLACES: tuple[Spec, ...] = (
    *(
        Spec(f"{where}/{containers}/{path}", kind)
        for kind, where in _TEMPLATES.items()
        for containers in ("containers", "initContainers")
        for path in ("args", "command", "env/value", "volumeMounts/mountPath")
    ),
    *(Spec(f"{where}/volumes/nfs/server", kind) for kind, where in _TEMPLATES.items() if kind not in ("CronJob", "StatefulSet")),
    Spec("spec/jobTemplate/spec/template/volumes/nfs/server", "CronJob"),
    Spec("spec/template/metadata/annotations", "Deployment"),
    Spec("spec/rules/host", "Ingress"),
    Spec("spec/tls/hosts", "Ingress"),
    Spec("spec/tls/secretName", "Ingress"),
    Spec("spec/ports/port", "Service"),
    Spec("spec/ports/targetPort", "Service"),
    Spec("spec/volumeClaimTemplates/spec/nfs/server", "StatefulSet"),
    Spec("spec/nfs/server", "PersistentVolume"),
    Spec("metadata/labels"),
    Spec("metadata/annotations"),
)
_REFERENCE = re.compile(r"\$(?:\$|\(([^)]*)\))")


class Var:
    """One variable: the object that it means and the field of it."""

    def __init__(self, raw: Obj) -> None:
        target = raw.get("objref") or {}
        group, version = kinds.split_api_version(str(target.get("apiVersion") or ""))
        self.name = str(raw.get("name") or "")
        self.kind, self.group, self.version = str(target.get("kind") or ""), group, version
        self.target, self.namespace = str(target.get("name") or ""), str(target.get("namespace") or "")
        self.given = str((raw.get("fieldref") or {}).get("fieldpath") or "")
        self.path = self.given or "metadata.name"
        self.item: Item | None = None

    def told(self, path: str, version: bool = True) -> str:
        """As Go prints it."""
        gvk = ".".join(
            (
                self.kind or "[noKind]",
                (self.version if version else "") or "[noVer]",
                (self.group if version else "") or "[noGrp]",
            )
        )
        return f"{{{self.name} {gvk} {{{path}}}}}"

    def find(self, items: list[Item]) -> None:
        """Remember the object that it means (`MergeVars`)."""
        found = [
            item
            for item in items
            if any(
                (one.group, one.version, one.kind, one.name) == (self.group, self.version, self.kind, self.target)
                and (not self.namespace or one.namespace == self.namespace)
                for one in (*item.before, item.id)
            )
        ]
        if len(found) > 1:
            raise CommandError(f"found {len(found)} resId matches for var {self.told(self.path)} (unable to disambiguate)")
        self.item = found[0] if found else None

    def value(self) -> Any:
        """The field's value; raises CommandError."""
        if self.item is None:
            raise CommandError(f"var '{self.told(self.path)}' cannot be mapped to a field in the set of known resources")
        value: Any = self.item.obj
        for part in re.findall(r"[^.\[\]]+", self.path):
            if isinstance(value, list):
                value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        if value is None:
            raise CommandError(f"field specified in var '{self.told(self.path)}' not found in corresponding resource")
        return value


def merged(held: list[Var], raw: list[Obj], items: list[Item]) -> list[Var]:
    """The variables of a kustomization after those of what it takes in."""
    new = [Var(one) for one in raw]
    for one in new:
        one.find(items)
    out = list(held)
    for one in new:
        if any(one.name == old.name for old in out):
            told = " ".join(var.told(var.given, version=False) for var in new)
            raise CommandError(f"merging vars [{told}]: var '{one.name}' already encountered")
        out.append(one)
    return out


def resolve(items: list[Item], variables: list[Var], places: tuple[Spec, ...]) -> list[str]:
    """Put the values in; returns the names of variables that stand nowhere."""
    values = {one.name: one.value() for one in sorted(variables, key=lambda one: one.name)}
    used: set[str] = set()

    def replaced(text: Any) -> Any:
        if not isinstance(text, str):
            return text
        whole = _REFERENCE.fullmatch(text)
        if whole is not None and whole[1] in values:
            used.add(whole[1])
            return values[whole[1]]

        def one(match: re.Match[str]) -> str:
            if match[0] == "$$":
                return "$"
            if match[1] not in values:
                return match[0]
            used.add(match[1])
            return str(values[match[1]])

        return _REFERENCE.sub(one, text)

    def act(at: Obj, key: str) -> None:
        value = at[key]
        if isinstance(value, dict):
            at[key] = {name: replaced(inner) for name, inner in value.items()}
        elif isinstance(value, list):
            if not all(isinstance(inner, str) for inner in value):
                raise CommandError("invalid value type expect a string")
            at[key] = [replaced(inner) for inner in value]
        else:
            at[key] = replaced(value)

    for item in items if variables else ():
        for spec in (*PLACES, *places):
            if spec.fits(item.obj):
                visit(item.obj, split(spec.path), False, act)
    return sorted(name for name in values if name not in used)
