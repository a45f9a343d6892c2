"""ApplySets: a parent object that names what was applied, and pruning by it (`kubectl/pkg/cmd/apply/applyset.go`, `applyset_pruner.go`).

Alpha: the flag exists where `KUBECTL_APPLYSET=true` is in the environment.  The parent is a Secret, a ConfigMap, or an object of a custom
resource whose definition has the label `applyset.kubernetes.io/is-parent-type`.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from ...kernel.versions import VERSION
from ...kube.api.errors import ApiError
from ..flags import quote
from .builder import Info
from .errors import CommandError, is_not_found
from .mapper import Mapping
from .patches import send
from .session import Session

Obj = dict[str, Any]
PREFIX = "applyset.kubernetes.io/"
TOOLING, NAMESPACES = PREFIX + "tooling", PREFIX + "additional-namespaces"
KINDS, RESOURCES = PREFIX + "contains-group-kinds", PREFIX + "contains-group-resources"
ID, PART_OF, PARENT_TYPE = PREFIX + "id", PREFIX + "part-of", PREFIX + "is-parent-type"
MANAGER = "kubectl-applyset"
BUILT_IN = ("secrets", "configmaps")


def enabled(s: Session) -> bool:
    """Whether the alpha is switched on."""
    return str(s.inv.env.get("KUBECTL_APPLYSET", "")).lower() in ("1", "t", "true")


def _group_kind(mapping: Mapping) -> str:
    return mapping.kind.kind + (f".{mapping.kind.group}" if mapping.kind.group else "")


class ApplySet:
    """One run's set: what it had (`current`) and what it has now (`updated`), by group and kind, and the namespaces of both."""

    def __init__(self, s: Session, reference: str, strategy: str, directive: str) -> None:
        self.s, self.strategy, self.directive = s, strategy, directive
        what, slash, name = reference.partition("/")
        if not slash:
            what, name = "secrets", reference
        if not name:
            raise CommandError(f"invalid parent reference {quote(reference)}: name cannot be blank")
        s.discover()
        found = s.mapper.find(what)
        if found is None:
            plural, _, group = what.partition(".")
            raise CommandError(f"invalid parent reference {quote(reference)}: no matches for {group}/, Resource={plural}")
        self.parent = found
        self.name = name
        self.namespace = s.values.text("namespace") if self.parent.kind.namespaced else ""
        self.current: dict[str, Mapping] = {}
        self.updated: dict[str, Mapping] = {}
        self.current_namespaces: set[str] = set()
        self.updated_namespaces: set[str] = set()

    def __str__(self) -> str:
        return f"{self.parent.kind.plural}.{self.parent.kind.group}/{self.name}"

    @property
    def id(self) -> str:
        """`applyset-<hash>-v1`."""
        text = ".".join((self.name, self.namespace, self.parent.kind.kind, self.parent.kind.group))
        return f"applyset-{base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')}-v1"

    def validate(self) -> None:
        """Whether such an object may be a parent; raises CommandError."""
        wrong = []
        kind = self.parent.kind
        if kind.namespaced and not self.namespace:
            wrong.append("namespace is required to use namespace-scoped ApplySet")
        if kind.group or kind.plural not in BUILT_IN:
            found = self.s.list(self.s.kind("customresourcedefinitions"), "", labels=PARENT_TYPE)
            if f"{kind.plural}.{kind.group}" not in [one["metadata"]["name"] for one in found]:
                told = f"{kind.group}/{self.parent.version}, Resource={kind.plural}"
                wrong.append(f"resource {quote(told)} is not permitted as an ApplySet parent")
        if wrong:
            raise CommandError(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")

    def label(self, infos: list[Info]) -> None:
        """Mark the objects as members."""
        for info in infos:
            meta = (info.obj or {}).setdefault("metadata", {})
            if PART_OF in (meta.get("labels") or {}):
                raise CommandError(f"ApplySet label {quote(PART_OF)} already set in input data")
            meta["labels"] = {**(meta.get("labels") or {}), PART_OF: self.id}

    def before(self, infos: list[Info]) -> None:
        """Read the parent, and note in it what it had and will have, before anything is applied."""
        self._read()
        for info in infos:
            self.updated.setdefault(_group_kind(info.mapping), info.mapping)
            if info.mapping.kind.namespaced and info.namespace:
                self.updated_namespaces.add(info.namespace)
        self._write({*self.current, *self.updated}, self.current_namespaces | self.updated_namespaces)

    def _read(self) -> None:
        info = Info(self.parent, self.namespace, self.name)
        try:
            held = self.s.call("GET", info.path())
        except ApiError as error:
            if not is_not_found(error):
                raise CommandError(f"failed to fetch ApplySet parent object {quote(str(self))}: {error.message}") from None
            if self.parent.kind.group or self.parent.kind.plural not in BUILT_IN:
                raise CommandError("custom resource ApplySet parents cannot be created automatically") from None
            return
        meta = held["metadata"]
        labels, notes = meta.get("labels") or {}, meta.get("annotations") or {}
        told = quote(str(self))
        if TOOLING not in notes:
            raise CommandError(
                f"ApplySet parent object {told} already exists and is missing required annotation {quote(TOOLING)}"
            )
        tool = notes[TOOLING].rpartition("/")[0] or notes[TOOLING]
        if tool != "kubectl":
            raise CommandError(
                f"ApplySet parent object {told} already exists and is managed by tooling {quote(tool)} instead of {quote('kubectl')}"
            )
        if ID not in labels:
            raise CommandError(f"ApplySet parent object {told} exists and does not have required label {ID}")
        if labels[ID] != self.id:
            raise CommandError(
                f"ApplySet parent object {told} exists and has incorrect value for label {quote(ID)} (got: {labels[ID]}, want: {self.id})"
            )
        if KINDS not in notes and not notes.get(RESOURCES):
            missing = f"kubectl requires the {quote(KINDS)} annotation to be set on all ApplySet parent objects"
            raise CommandError(f"parsing ApplySet annotation on {told}: {missing}")
        for word in (notes.get(KINDS) or notes.get(RESOURCES, "")).split(","):
            if word:
                self._had(word, told)
        self.current_namespaces = {one for one in notes.get(NAMESPACES, "").split(",") if one}
        if self.namespace:
            self.current_namespaces.add(self.namespace)

    def _had(self, word: str, told: str) -> None:
        kind, _, group = word.partition(".")
        for row in self.s.mapper.all():
            if row.group == group and kind in (row.kind, row.plural):
                self.current[row.kind + (f".{row.group}" if row.group else "")] = Mapping(row)
                return
        where = f"could not find mapping for kind in {quote(KINDS)} annotation: no matches for kind {quote(kind)} in group {quote(group)}"
        raise CommandError(f"parsing ApplySet annotation on {told}: {where}")

    def _write(self, kinds: set[str], namespaces: set[str]) -> None:
        if self.strategy == "client":
            return
        body = {
            "kind": self.parent.kind.kind,
            "apiVersion": self.parent.kind.api_version,
            "metadata": {
                "name": self.name,
                **({"namespace": self.namespace} if self.namespace else {}),
                "labels": {ID: self.id},
                "annotations": {
                    NAMESPACES: ",".join(sorted(namespaces - {self.namespace})),
                    KINDS: ",".join(sorted(kinds)),
                    TOOLING: f"kubectl/{VERSION}",
                },
            },
        }
        for force in (False, True):
            try:
                send(self.s, self.parent, self.namespace, self.name, body, "apply", manager=MANAGER, dry=self.strategy == "server",
                     directive=self.directive, force=force)  # fmt: skip
                return
            except ApiError as error:
                if force or error.reason != "Conflict":
                    raise CommandError(f"failed to update ApplySet: {error.message}") from None
                self.s.klog("W", "applyset.go:465", f"WARNING: failed to update ApplySet: {error.message}\nApplySet field manager {MANAGER} should own these fields. "
                            "Retrying with conflicts forced.")  # fmt: skip

    def gone(self, visited: set[str]) -> list[tuple[Mapping, Obj]]:
        """Members that were not applied this time."""
        found = []
        for _, mapping in sorted(self.current.items()):
            for namespace in sorted(self.current_namespaces) if mapping.kind.namespaced else [""]:
                for obj in self.s.list(mapping.kind, namespace, labels=f"{PART_OF}={self.id}"):
                    if obj["metadata"]["uid"] not in visited:
                        found.append((mapping, {"apiVersion": mapping.kind.api_version, "kind": mapping.kind.kind, **obj}))
        return found

    def finish(self) -> None:
        """Everything is applied and pruned: the parent names what is there now."""
        try:
            self._write(set(self.updated), self.updated_namespaces)
        except CommandError as error:
            raise CommandError(f"apply and prune succeeded, but ApplySet update failed: {error}") from None
