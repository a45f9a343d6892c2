"""CustomResourceDefinitions and the resources that they define (`apiextensions-apiserver/pkg/{registry,controller}`).

The naming and the establishing controller run inside the write here, so conditions are there at once; in reality it takes a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api.errors import FieldError
from ...api.objects import clone
from .. import custom_rules, structural
from ..defaults import others
from ..validation import definitions as rules
from .others import Counted

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]
PREFIX = b"/registry/apiextensions.k8s.io/customresourcedefinitions/"
CLEANUP = "customresourcecleanup.apiextensions.k8s.io"


class CustomResourceDefinition(Counted):
    """CustomResourceDefinitions."""

    def default(self, obj: Obj) -> None:
        """Names and conversion."""
        others.custom_resource_definition(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """Group, names, versions, schemas, rules."""
        return rules.custom_resource_definition(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Group, plural, and once established scope and kind stay."""
        return rules.update(obj, old)

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """Stored versions are served ones."""
        return rules.stored_versions(obj) if sub == "status" else []

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """No status of the client's; the names are looked at."""
        obj["status"] = {}
        self._refresh(call, obj)

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """Names that changed are looked at again; a new storage version is noted."""
        if not call.info.subresource:
            obj["status"] = clone(old.get("status") or {})
            self._refresh(call, obj)

    def _refresh(self, call: Call, obj: Obj) -> None:
        now, status, spec = call.server.world.timestamp(), obj["status"], obj.get("spec") or {}
        accepted, problem = accept(call, obj)
        held = {c.get("type"): c for c in status.get("conditions") or ()}

        def put(kind: str, value: bool, reason: str, message: str) -> None:
            before = held.get(kind) or {}
            same = before.get("status") == ("True" if value else "False") and before.get("lastTransitionTime")
            held[kind] = {
                "type": kind,
                "status": "True" if value else "False",
                "lastTransitionTime": same or now,
                "reason": reason,
                "message": message,
            }

        put("NamesAccepted", problem is None, *(problem or ("NoConflicts", "no conflicts found")))
        if (held.get("Established") or {}).get("status") != "True":
            if problem is None:
                put("Established", True, "InitialNamesAccepted", "the initial names have been accepted")
            else:
                put("Established", False, "NotAccepted", "not all names are accepted")
        status["conditions"] = list(held.values())
        status["acceptedNames"] = accepted
        stored = list(status.get("storedVersions") or ())
        stored += [v["name"] for v in spec.get("versions") or () if v.get("storage") and v.get("name") not in stored]
        status["storedVersions"] = stored

    def stored(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Serve it from now on; definitions that wait for its names look again."""
        call.server.load_custom()

    def released(self, call: Call, obj: Obj) -> None:
        """Its objects go with it (`pkg/controller/finalizer`), and it is served no more."""
        storage, spec = call.server.storage, obj["spec"]
        prefix = f"/registry/{spec['group']}/{spec['names']['plural']}/"
        for item in storage.list(prefix.encode())[0]:
            meta = item["metadata"]
            key = prefix + (f"{meta['namespace']}/" if meta.get("namespace") else "") + meta["name"]
            storage.delete(key.encode(), int(meta["resourceVersion"]))
        call.server.load_custom()


def accept(call: Call, obj: Obj) -> tuple[Obj, tuple[str, str] | None]:
    """The names that a definition gets in its group, and (reason, message) of the last conflict (`calculateNamesAndConditions`)."""
    spec, mine = obj.get("spec") or {}, str(obj["metadata"].get("name", ""))
    taken: set[str] = set()
    kinds: set[str] = set()
    for other in call.server.storage.list(PREFIX)[0]:
        if other["metadata"]["name"] == mine or other["spec"]["group"] != spec.get("group"):
            continue
        held = (other.get("status") or {}).get("acceptedNames") or {}
        taken.update(item for item in (held.get("plural"), held.get("singular"), *(held.get("shortNames") or ())) if item)
        kinds.update(item for item in (held.get("kind"), held.get("listKind")) if item)
    wanted = spec.get("names") or {}
    accepted = dict((obj.get("status") or {}).get("acceptedNames") or {})
    problem: tuple[str, str] | None = None

    def claim(member: str, used: set[str], reason: str) -> None:
        nonlocal problem
        value = wanted.get(member, "")
        if value and value != accepted.get(member) and value in used:
            problem = (reason, f'"{value}" is already in use')
        elif value:
            accepted[member] = value

    claim("plural", taken, "PluralConflict")
    claim("singular", taken, "SingularConflict")
    short = list(wanted.get("shortNames") or ())
    clashes = [
        f'"{item}" is already in use' for item in short if item in taken and item not in (accepted.get("shortNames") or ())
    ]
    if clashes:
        problem = ("ShortNamesConflict", clashes[0] if len(clashes) == 1 else f"[{', '.join(clashes)}]")
    else:
        accepted.pop("shortNames", None)
        if short:
            accepted["shortNames"] = short
    claim("kind", kinds, "KindConflict")
    claim("listKind", kinds, "ListKindConflict")
    accepted.pop("categories", None)
    if wanted.get("categories"):
        accepted["categories"] = list(wanted["categories"])
    order = ("plural", "singular", "shortNames", "kind", "listKind", "categories")
    out = {name: accepted[name] for name in order if name in accepted}
    for name in ("plural", "kind"):
        out.setdefault(name, "")
    return out, problem


class Custom(Counted):
    """Custom resources."""

    unconditional_update = False

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """A status is the controller's to write; the schema's defaults."""
        if call.kind.subresource("status") is not None:
            obj.pop("status", None)
        structural.default(obj, call.server.schema(call.kind, call.version))

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """The schema's defaults."""
        structural.default(obj, call.server.schema(call.kind, call.version))

    def check(self, call: Call, obj: Obj, old: Obj | None) -> list[FieldError]:
        """The schema, then (where it holds) its rules."""
        schema = call.server.schema(call.kind, call.version)
        if old is None:
            return structural.validate(obj, schema, root=True) or custom_rules.validate(obj, schema)
        return structural.validate(obj, schema, "", old, root=True) or custom_rules.validate(obj, schema, old)
