"""What differs from kind to kind, with the common behaviour as default (`apiserver/pkg/registry/rest/{create,update}.go`).

A kind with behaviour of its own has one file here and one row in `registry/table.py`.  Methods get fresh objects that they
may change; `old` objects are shared and must not be changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ...api import names
from ...api.errors import FieldError
from ...api.objects import get_path

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


class Strategy:
    """The behaviour of a kind.  Class attributes are switches, methods are hooks."""

    #: The object has a spec whose changes count in metadata.generation.
    generation = False
    #: Changed annotations count as well.
    generation_by_annotations = False
    #: A PUT on an absent name creates it.
    create_on_update = False
    #: A PUT without resourceVersion overwrites whatever is there.
    unconditional_update = True
    #: DELETE answers with the object that was deleted instead of a Status.
    return_deleted = False
    #: Members of the object that only the status subresource may change.
    status_fields: tuple[str, ...] = ("status",)
    #: Object names: the check, and its field errors' text.
    check_name: Callable[[str], list[str]] = staticmethod(names.dns_subdomain)
    #: Selectable fields beyond metadata.name and metadata.namespace: field → path.
    fields: dict[str, tuple[str, ...]] = {}
    #: Defaults of selectable fields that are absent, where the kind gives them a value.
    field_defaults: dict[str, str] = {}
    #: A fixed life span in seconds (Events).
    expires = False
    #: Changes do not appear in the trace.
    quiet = False

    def __init__(self, kind: str) -> None:
        self.kind = kind

    # -- hooks ----------------------------------------------------------------------------------------------------------
    def default(self, obj: Obj) -> None:
        """Put in the defaults of v1.36."""

    def prepare_create(self, call: Call, obj: Obj) -> None:
        """Clear what a client may not set, fill what the server sets."""

    def begin(self, call: Call, obj: Obj) -> None:
        """What the registry fills in of a new object after admission and before validation (`Store.BeginCreate`)."""

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """Carry over what an update may not change."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """Errors of an object to be created."""
        return []

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Errors of an update; default: those of a creation."""
        return self.validate(obj)

    def check(self, call: Call, obj: Obj, old: Obj | None) -> list[FieldError]:
        """Errors that depend on what the server has read (schemas of custom resources)."""
        return []

    def validate_subresource(self, sub: str, obj: Obj, old: Obj) -> list[FieldError]:
        """Errors of a write through a subresource; those that change the spec are checked as a whole."""
        return self.validate_update(obj, old) if sub in ("scale", "resize", "ephemeralcontainers") else []

    def warnings(self, obj: Obj, old: Obj | None) -> list[str]:
        """Warning headers for an accepted object."""
        return []

    def allocate(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """Take what must be unique in the cluster (addresses); only for writes that are not dry runs."""

    def refused(self, call: Call, obj: Obj) -> None:
        """A new object was not valid."""

    def released(self, call: Call, obj: Obj) -> None:
        """The object has gone from storage."""

    def stored(self, call: Call, obj: Obj, old: Obj | None) -> None:
        """The object has been written."""

    def delete(self, call: Call, obj: Obj, revision: int) -> Obj | None:
        """A deletion of the kind's own: what it left; None for the common way."""
        return None

    def grace_period(self, obj: Obj, asked: int | None) -> int | None:
        """Seconds of graceful deletion; None when the kind is deleted at once."""
        return None

    def default_finalizers(self, obj: Obj) -> list[str]:
        """The finalizers that a deletion without propagation policy adds (`garbage collection policy`)."""
        return []

    def read_field(self, obj: Obj, field: str) -> str:
        """A selectable field's value as text."""
        if field == "metadata.name":
            return str(obj["metadata"].get("name", ""))
        if field == "metadata.namespace":
            return str(obj["metadata"].get("namespace", ""))
        found = get_path(obj, *self.fields[field])
        if found is None:
            return self.field_defaults.get(field, "")
        if isinstance(found, bool):
            return "true" if found else "false"
        return str(found)

    def selectable(self, field: str) -> bool:
        """Whether a field selector may name the field."""
        return field in ("metadata.name", "metadata.namespace") or field in self.fields
