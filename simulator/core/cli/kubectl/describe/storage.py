"""Persistent volumes, claims and storage classes (`describe.go`)."""

from __future__ import annotations

from typing import Any

from ....kube.api import quantity
from .doc import Doc, list_text, time_text
from .volumes import affinity, modes, source

Obj = dict[str, Any]


def _phase(d: Doc, obj: Obj) -> str:
    gone = obj["metadata"].get("deletionTimestamp")
    return f"Terminating (lasts {d.since(gone)})" if gone else str((obj.get("status") or {}).get("phase", ""))


def volume(d: Doc, obj: Obj) -> None:
    """A PersistentVolume."""
    spec = obj["spec"]
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    d.line(0, f"Finalizers:\t{list_text(obj['metadata'].get('finalizers'))}")
    d.line(0, f"StorageClass:\t{spec.get('storageClassName', '')}")
    d.line(0, f"Status:\t{_phase(d, obj)}")
    claim = spec.get("claimRef")
    d.line(0, f"Claim:\t{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "Claim:\t")
    d.line(0, f"Reclaim Policy:\t{spec.get('persistentVolumeReclaimPolicy', '')}")
    d.line(0, f"Access Modes:\t{modes(spec.get('accessModes'))}")
    if spec.get("volumeMode"):
        d.line(0, f"VolumeMode:\t{spec['volumeMode']}")
    d.line(0, f"Capacity:\t{quantity.canonical((spec.get('capacity') or {}).get('storage', '0'))}")
    affinity(d, spec.get("nodeAffinity"))
    d.line(0, f"Message:\t{(obj.get('status') or {}).get('message', '')}")
    d.line(0, "Source:")
    source(d, spec)
    d.events(obj)


def claim(d: Doc, obj: Obj) -> None:
    """A PersistentVolumeClaim with the pods that use it."""
    meta, spec, status = obj["metadata"], obj["spec"], obj.get("status") or {}
    d.head(obj)
    d.line(0, f"StorageClass:\t{spec.get('storageClassName', '')}")
    d.line(0, f"Status:\t{_phase(d, obj)}")
    d.line(0, f"Volume:\t{spec.get('volumeName', '')}")
    d.labels_and_annotations(obj)
    d.line(0, f"Finalizers:\t{list_text(meta.get('finalizers'))}")
    bound = bool(spec.get("volumeName"))
    d.line(0, f"Capacity:\t{quantity.canonical((status.get('capacity') or {}).get('storage', '0')) if bound else ''}")
    d.line(0, f"Access Modes:\t{modes(status.get('accessModes')) if bound else ''}")
    if spec.get("volumeMode"):
        d.line(0, f"VolumeMode:\t{spec['volumeMode']}")
    if spec.get("dataSource"):
        d.line(0, "DataSource:")
        for title, key in (("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")):
            if spec["dataSource"].get(key) is not None:
                d.line(1, f"{title}:\t{spec['dataSource'][key]}")
    users = [item["metadata"]["name"] for item in d.s.list(d.s.kind("pods"), meta["namespace"])
             if any((v.get("persistentVolumeClaim") or {}).get("claimName") == meta["name"] for v in item["spec"].get("volumes") or ())]  # fmt: skip
    d.line(0, "Used By:\t" + ("\n\t".join(users) or "<none>"))
    if status.get("conditions"):
        d.line(0, "Conditions:")
        d.line(1, "Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage")
        d.line(1, "----\t------\t-----------------\t------------------\t------\t-------")
        for item in status["conditions"]:
            d.line(1, f"{item['type']} \t{item['status']} \t{time_text(item.get('lastProbeTime'))} \t{time_text(item.get('lastTransitionTime'))} "
                      f"\t{item.get('reason', '')} \t{item.get('message', '')}")  # fmt: skip
    d.events(obj)


def storage_class(d: Doc, obj: Obj) -> None:
    """A StorageClass."""
    annotations = obj["metadata"].get("annotations") or {}
    d.line(0, f"Name:\t{obj['metadata']['name']}")
    default = "true" in (
        annotations.get("storageclass.kubernetes.io/is-default-class"),
        annotations.get("storageclass.beta.kubernetes.io/is-default-class"),
    )
    d.line(0, f"IsDefaultClass:\t{'Yes' if default else 'No'}")
    d.line(0, f"Annotations:\t{_pairs(annotations)}")
    d.line(0, f"Provisioner:\t{obj.get('provisioner', '')}")
    d.line(0, f"Parameters:\t{_pairs(obj.get('parameters'))}")
    expansion = obj.get("allowVolumeExpansion")
    d.line(0, f"AllowVolumeExpansion:\t{'<unset>' if expansion is None else 'True' if expansion else 'False'}")
    options = obj.get("mountOptions") or []
    if not options:
        d.line(0, "MountOptions:\t<none>")
    else:
        d.line(0, "MountOptions:")
        for item in options:
            d.line(1, str(item))
    d.line(0, f"ReclaimPolicy:\t{obj.get('reclaimPolicy', '<unset>')}")
    d.line(0, f"VolumeBindingMode:\t{obj.get('volumeBindingMode', '<unset>')}")
    if obj.get("allowedTopologies") is not None:
        d.line(0, "AllowedTopologies:\t" + ("" if obj["allowedTopologies"] else "<none>"))
    for at, term in enumerate(obj.get("allowedTopologies") or ()):
        rows = [f"{item['key']} in" + (f" [{', '.join(item['values'])}]" if item.get("values") else "")
                for item in term.get("matchLabelExpressions") or ()]  # fmt: skip
        d.line(1, f"Term {at}:\t" + "\n  \t".join(rows or ["<none>"]))
    d.events(obj)


def _pairs(values: dict[str, str] | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((values or {}).items())) or "<none>"


def attributes_class(d: Doc, obj: Obj) -> None:
    """A VolumeAttributesClass."""
    d.line(0, f"Name:\t{obj['metadata']['name']}")
    d.line(0, f"Annotations:\t{_pairs(obj['metadata'].get('annotations'))}")
    d.line(0, f"DriverName:\t{obj.get('driverName', '')}")
    d.line(0, f"Parameters:\t{_pairs(obj.get('parameters'))}")
    d.events(obj)


def csi_node(d: Doc, obj: Obj) -> None:
    """A CSINode."""
    d.head(obj, namespace=False)
    d.labels_and_annotations(obj)
    d.line(0, f"CreationTimestamp:\t{time_text(obj['metadata'].get('creationTimestamp'))}")
    d.line(0, "Spec:")
    drivers = (obj.get("spec") or {}).get("drivers")
    if drivers is not None:
        d.line(1, "Drivers:")
    for item in drivers or ():
        d.line(2, f"{item['name']}:")
        d.line(3, f"Node ID:\t{item['nodeID']}")
        if (item.get("allocatable") or {}).get("count") is not None:
            d.line(3, "Allocatables:")
            d.line(4, f"Count:\t{item['allocatable']['count']}")
        if item.get("topologyKeys") is not None:
            d.line(3, f"Topology Keys:\t{list_text(item['topologyKeys'])}")
    d.events(obj)
