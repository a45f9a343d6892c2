"""CustomResourceDefinitions and the resources that they define (`apiextensions-apiserver/pkg/{registry,controller}`).

What follows a write of a definition is in `definition_controllers`; conditions are there at once, in reality it takes a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api import errors
from ...api.errors import ApiError, FieldError
from ...api.objects import clone
from .. import custom_rules, structural
from ..defaults import others
from ..validation import definitions as rules
from . import definition_controllers as controllers
from . import notify
from .others import Counted

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


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
        """No status of the client's but the storage version."""
        obj["status"] = {"conditions": None, "acceptedNames": {"plural": "", "kind": ""}, "storedVersions": None}
        _note_versions(obj)

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """The status stays; a new storage version is noted."""
        if not call.info.subresource:
            obj["status"] = clone(old.get("status") or {})
            _note_versions(obj)

    def stored(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """The server's controllers take it up: it is served from now on."""
        before, now = old or {}, obj
        if before.get("spec") != now["spec"]:
            versions = {v["name"] for side in (before, now) for v in (side.get("spec") or {}).get("versions") or ()}
            controllers.settle(call.server, obj["metadata"]["name"], versions)
        else:
            call.server.load_custom()

    def delete(self, call: Call, obj: Obj, revision: int) -> Obj | None:
        """It stays until its objects are gone."""
        if obj["metadata"].get("deletionTimestamp"):
            return None
        if call.dry_run:
            return obj
        before = notify.begin(call, "delete", obj["metadata"])
        try:
            marked = controllers.mark(call.server, obj, revision)
            if marked is None:
                raise errors.conflict(call.kind.group_resource, call.info.name)
            controllers.finish(call.server, obj["metadata"]["name"])
        finally:
            notify.end(call, before)
        return marked

    def released(self, call: Call, obj: Obj) -> None:
        """It is served no more; objects that somebody left behind by taking the finalizer away stay in the store."""
        controllers.gone(call.server, obj)


def _note_versions(obj: Obj) -> None:
    status = obj["status"]
    stored = list(status.get("storedVersions") or ())
    versions = (obj.get("spec") or {}).get("versions") or ()
    stored += [v["name"] for v in versions if v.get("storage") and v.get("name") not in stored]
    status["storedVersions"] = stored


class Custom(Counted):
    """Custom resources."""

    unconditional_update = False

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """A status is the controller's to write; the schema's defaults; nothing new of a kind that is going."""
        if call.server.leaving(call.kind):
            refusal = errors.method_not_supported(call.kind.group_resource, "create")
            refusal.status["message"] = "create not allowed while custom resource definition is terminating"
            raise ApiError(refusal.status)
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

    def released(self, call: Call, obj: Obj) -> None:
        """The last object of a kind that is going takes its definition with it."""
        if call.server.leaving(call.kind):
            controllers.finish(call.server, f"{call.kind.plural}.{call.kind.group}")
