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


def fits(volume: Obj, claim: Obj) -> bool:
    """Whether a free volume can serve a claim (index.go, checkVolumeSatisfyClaim)."""
    have, want = volume["spec"], claim["spec"]
    if (have.get("storageClassName") or "") != (want.get("storageClassName") or ""):
        return False
    if (have.get("volumeMode") or "Filesystem") != (want.get("volumeMode") or "Filesystem"):
        return False
    if not set(want.get("accessModes") or ()) <= set(have.get("accessModes") or ()):
        return False
    if want.get("selector") is not None and not from_object(want["selector"]).matches(labels_of(volume)):
        return False
    asked = ((want.get("resources") or {}).get("requests") or {}).get("storage", "0")
    return quantity.compare((have.get("capacity") or {}).get("storage", "0"), asked) >= 0


def best(volumes: list[Obj], claim: Obj) -> Obj | None:
    """The volume that names the claim, else the smallest free one that fits, by name among equals (findBestMatchForClaim)."""
    meta = claim["metadata"]
    fitting: list[Obj] = []
    for volume in volumes:
        ref = volume["spec"].get("claimRef")
        if ref is not None:
            if (ref.get("namespace"), ref.get("name")) == (meta["namespace"], meta["name"]) and ref.get("uid") in (
                None,
                "",
                meta["uid"],
            ):
                return volume
        elif not is_deleting(volume) and (volume.get("status") or {}).get("phase") == "Available" and fits(volume, claim):
            fitting.append(volume)
    return min(fitting, key=lambda v: (quantity.nano(v["spec"]["capacity"]["storage"]), v["metadata"]["name"]), default=None)
