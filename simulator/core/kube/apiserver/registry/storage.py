"""Kinds of storage.k8s.io and resource.k8s.io (`pkg/registry/storage`, `pkg/registry/resource`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...api.errors import FieldError
from ..defaults import others
from ..validation import storage as rules
from .strategy import Strategy

if TYPE_CHECKING:
    from ..call import Call

Obj = dict[str, Any]


class Deleted(Strategy):
    """A kind whose deletion answers with the object."""

    return_deleted = True


class Device(Deleted):
    """DeviceClasses and ResourceSlices: changes of the spec are counted."""

    generation = True


class StorageClass(Deleted):
    """StorageClasses."""

    def default(self, obj: Obj) -> None:
        """Delete, Immediate."""
        others.storage_class(obj)

    def validate(self, obj: Obj) -> list[FieldError]:
        """A provisioner, known modes."""
        return rules.storage_class(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """What provisions stays."""
        return rules.storage_class_update(obj, old)


class AttributesClass(Deleted):
    """VolumeAttributesClasses."""

    def validate(self, obj: Obj) -> list[FieldError]:
        """A driver and parameters."""
        return rules.attributes_class(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Both stay."""
        return rules.attributes_class_update(obj, old)


class CsiDriver(Deleted):
    """CSIDrivers; their generation is counted from the first change on."""

    unconditional_update = False

    def default(self, obj: Obj) -> None:
        """CSIDriver defaults."""
        others.csi_driver(obj)

    def prepare_update(self, call: Call, obj: Obj, old: Obj) -> None:
        """A change of the spec counts."""
        before = old["metadata"].get("generation", 0)
        if before or obj["spec"] != old["spec"]:
            obj["metadata"]["generation"] = before + (obj["spec"] != old["spec"])

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateCSIDriver`."""
        return rules.csi_driver(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Whether volumes are attached stays."""
        return rules.csi_driver_update(obj, old)


class CsiNode(Deleted):
    """CSINodes."""

    unconditional_update = False

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateCSINode`."""
        return rules.csi_node(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """Drivers stay what they said they are."""
        return rules.csi_node_update(obj, old)


class StorageCapacity(Strategy):
    """CSIStorageCapacities."""

    unconditional_update = False

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateCSIStorageCapacity`."""
        return rules.storage_capacity(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """What was asked for stays."""
        return rules.storage_capacity_update(obj, old)


class Attachment(Deleted):
    """VolumeAttachments."""

    unconditional_update = False

    def validate(self, obj: Obj) -> list[FieldError]:
        """`ValidateVolumeAttachment`."""
        return rules.attachment(obj)

    def validate_update(self, obj: Obj, old: Obj) -> list[FieldError]:
        """The spec is immutable."""
        return rules.attachment_update(obj, old)
