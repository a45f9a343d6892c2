"""The objects of a build on their way, and how they are named (`api/resource`, `kyaml/resid`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ....kube.api import kinds, regexp, selectors
from ..errors import CommandError

Obj = dict[str, Any]


@dataclass(frozen=True)
class Id:
    """What identifies an object: `Deployment.v1.apps/web.default` in messages."""

    group: str
    version: str
    kind: str
    name: str
    namespace: str

    def __str__(self) -> str:
        gvk = ".".join((self.kind or "[noKind]", self.version or "[noVer]", self.group or "[noGrp]"))
        return f"{gvk}/{self.name or '[noName]'}.{self.namespace or '[noNs]'}"


def id_of(obj: Obj) -> Id:
    """The present identity of an object."""
    group, version = kinds.split_api_version(str(obj.get("apiVersion") or ""))
    meta = obj.get("metadata") or {}
    return Id(group, version, str(obj.get("kind") or ""), str(meta.get("name") or ""), str(meta.get("namespace") or ""))


def clustered(obj: Obj) -> bool:
    """Whether its kind is known not to live in namespaces."""
    found = kinds.by_kind(str(obj.get("apiVersion") or ""), str(obj.get("kind") or ""))
    return found is not None and not found.namespaced


@dataclass
class Item:
    """An object, the identities that it had, and the prefixes and suffixes that its name was given."""

    obj: Obj
    hashed: bool = False
    before: list[Id] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    suffixes: list[str] = field(default_factory=list)
    #: Where it came from and what changed it, as annotations tell it (`origins.py`).
    origin: str = ""
    changes: list[str] = field(default_factory=list)

    @property
    def id(self) -> Id:
        """What it is now."""
        return id_of(self.obj)

    @property
    def original(self) -> Id:
        """What it was first."""
        return self.before[0] if self.before else self.id

    def keep(self) -> None:
        """Remember the present identity: it is about to change."""
        if not self.before or self.before[-1] != self.id:
            self.before.append(self.id)

    def is_called(self, wanted: Id) -> bool:
        """Whether this is, or was, what an identity means (`GetById`: by any id)."""
        return any(
            (one.group, one.version, one.kind, one.name) == (wanted.group, wanted.version, wanted.kind, wanted.name)
            and (one.namespace or "default") == (wanted.namespace or "default")
            for one in (*self.before, self.id)
        )


class Selector:
    """What chooses objects: regular expressions for kind, version and names, and label and annotation selectors (`types.Selector`)."""

    def __init__(self, raw: Obj) -> None:
        self.raw = raw
        self.patterns: dict[str, regexp.Pattern | None] = {}
        for key in ("group", "version", "kind", "name", "namespace"):
            text = str(raw.get(key) or "")
            try:
                self.patterns[key] = regexp.compile(f"^(?:{text})$") if text else None
            except regexp.BadPattern as error:
                raise CommandError(f"error parsing regexp: {error}") from None
        self.labels = selectors.parse_labels(str(raw.get("labelSelector") or ""))
        self.annotations = selectors.parse_labels(str(raw.get("annotationSelector") or ""))

    def chooses_id(self, one: Id) -> bool:
        """Whether an identity matches."""
        return all(pattern is None or pattern.search(getattr(one, key)) for key, pattern in self.patterns.items())

    def chooses(self, item: Item) -> bool:
        """Whether an object is chosen, by what it is called or was."""
        meta = item.obj.get("metadata") or {}
        return (
            any(self.chooses_id(one) for one in (*item.before, item.id))
            and self.labels.matches(meta.get("labels") or {})
            and self.annotations.matches(meta.get("annotations") or {})
        )
