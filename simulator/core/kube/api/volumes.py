"""Which volume a claim takes: shared by the binder and the scheduler (component-helpers/storage/volume/pv_helpers.go)."""

from __future__ import annotations

from . import quantity
from .objects import Obj, is_deleting, labels_of
from .selectors import from_object


def claims_of(pod: Obj) -> list[str]:
    """The names of the claims that a pod uses."""
    out = []
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim"):
            out.append(str(volume["persistentVolumeClaim"].get("claimName")))
        elif "ephemeral" in volume:
            out.append(f"{pod['metadata']['name']}-{volume['name']}")
    return out


def default_class(classes: list[Obj]) -> str:
    """The name of the newest class that is marked as default, the first by name among equals; "" without one."""
    key = "storageclass.kubernetes.io/is-default-class"
    marked = [one["metadata"] for one in classes if (one["metadata"].get("annotations") or {}).get(key) == "true"]
    newest = max((meta["creationTimestamp"] for meta in marked), default="")
    return min((meta["name"] for meta in marked if meta["creationTimestamp"] == newest), default="")


def bound_to(volume: Obj, claim: Obj) -> bool:
    """Whether a volume names a claim (IsVolumeBoundToClaim)."""
    ref, meta = volume["spec"].get("claimRef") or {}, claim["metadata"]
    same = (ref.get("namespace"), ref.get("name")) == (meta["namespace"], meta["name"])
    return same and ref.get("uid") in (None, "", meta["uid"])


def unsuitable(volume: Obj, claim: Obj) -> str:
    """Why a volume that a claim asks for by name cannot serve it, "" when it can (checkVolumeSatisfyClaim)."""
    have, want = volume["spec"], claim["spec"]
    asked = ((want.get("resources") or {}).get("requests") or {}).get("storage", "0")
    if is_deleting(volume):
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if quantity.compare((have.get("capacity") or {}).get("storage", "0"), asked) < 0:
        return "requested PV is too small"
    if (have.get("storageClassName") or "") != (want.get("storageClassName") or ""):
        return "storageClassName does not match"
    if (have.get("volumeAttributesClassName") or "") != (want.get("volumeAttributesClassName") or ""):
        return "volumeAttributesClassName does not match"
    if mode_of(volume) != mode_of(claim):
        return "incompatible volumeMode"
    if not set(want.get("accessModes") or ()) <= set(have.get("accessModes") or ()):
        return "incompatible accessMode"
    return ""


def mode_of(obj: Obj) -> str:
    """A volume's or claim's volumeMode."""
    return obj["spec"].get("volumeMode") or "Filesystem"


def fits(volume: Obj, claim: Obj) -> bool:
    """Whether a free volume can serve a claim (index.go, FindMatchingVolume)."""
    want = claim["spec"].get("selector")
    return not unsuitable(volume, claim) and (want is None or from_object(want).matches(labels_of(volume)))


def best(volumes: list[Obj], claim: Obj) -> Obj | None:
    """The volume that names the claim, else the smallest free one that fits, by name among equals (findBestMatchForClaim)."""
    fitting: list[Obj] = []
    for volume in volumes:
        if volume["spec"].get("claimRef") is not None:
            class_of = {**claim, "spec": {**claim["spec"], "storageClassName": volume["spec"].get("storageClassName")}}
            if bound_to(volume, claim) and not unsuitable(volume, class_of):
                return volume
        elif (volume.get("status") or {}).get("phase") == "Available" and fits(volume, claim):
            fitting.append(volume)
    return min(fitting, key=lambda v: (quantity.nano(v["spec"]["capacity"]["storage"]), v["metadata"]["name"]), default=None)
