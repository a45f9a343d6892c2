"""Volumes of pods and persistent volumes: one row a kind of volume (`describe.go`: `describeVolumes`, `print*VolumeSource`)."""

from __future__ import annotations

from typing import Any

from ....kube.api import quantity
from ..jsonpath import go_value
from .doc import Doc

Obj = dict[str, Any]
#: A longer attribute is cut (`maxAnnotationLen`).
LONGEST = 140

#: Volume sources that print plain fields: heading, then (title, key) pairs.
PLAIN: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "nfs": (
        "NFS (an NFS mount that lasts the lifetime of a pod)",
        (("Server", "server"), ("Path", "path"), ("ReadOnly", "readOnly?")),
    ),
    "persistentVolumeClaim": (
        "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        (("ClaimName", "claimName"), ("ReadOnly", "readOnly?")),
    ),
    "secret": ("Secret (a volume populated by a Secret)", (("SecretName", "secretName"), ("Optional", "optional?"))),
    "configMap": ("ConfigMap (a volume populated by a ConfigMap)", (("Name", "name"), ("Optional", "optional?"))),
    "local": ("LocalVolume (a persistent volume backed by local storage on a node)", (("Path", "path"),)),
    "image": ("Image (a container image or OCI artifact)", (("Reference", "reference"), ("PullPolicy", "pullPolicy"))),
    "gitRepo": (
        "GitRepo (a volume that is pulled from git when the pod is created)",
        (("Repository", "repository"), ("Revision", "revision")),
    ),
    "awsElasticBlockStore": (
        "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
        (("VolumeID", "volumeID"), ("FSType", "fsType"), ("Partition", "partition#"), ("ReadOnly", "readOnly?")),
    ),
    "quobyte": (
        "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
        (("Registry", "registry"), ("Volume", "volume"), ("ReadOnly", "readOnly?")),
    ),
    "portworxVolume": ("PortworxVolume (a Portworx Volume resource)", (("VolumeID", "volumeID"),)),
    "glusterfs": (
        "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
        (("EndpointsName", "endpoints"), ("Path", "path"), ("ReadOnly", "readOnly?")),
    ),
    "rbd": (
        "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
        (
            ("CephMonitors", "monitors[]"),
            ("RBDImage", "image"),
            ("FSType", "fsType"),
            ("RBDPool", "pool"),
            ("RadosUser", "user"),
            ("Keyring", "keyring"),
            ("SecretRef", "secretRef&"),
            ("ReadOnly", "readOnly?"),
        ),
    ),
    "azureDisk": (
        "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
        (
            ("DiskName", "diskName"),
            ("DiskURI", "diskURI"),
            ("Kind", "kind"),
            ("FSType", "fsType"),
            ("CachingMode", "cachingMode"),
            ("ReadOnly", "readOnly?"),
        ),
    ),
    "vsphereVolume": (
        "vSphereVolume (a Persistent Disk resource in vSphere)",
        (("VolumePath", "volumePath"), ("FSType", "fsType"), ("StoragePolicyName", "storagePolicyName")),
    ),
    "photonPersistentDisk": (
        "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
        (("PdID", "pdID"), ("FSType", "fsType")),
    ),
    "cinder": (
        "Cinder (a Persistent Disk resource in OpenStack)",
        (("VolumeID", "volumeID"), ("FSType", "fsType"), ("ReadOnly", "readOnly?"), ("SecretRef", "secretRef&")),
    ),
    "cephfs": (
        "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
        (
            ("Monitors", "monitors[]"),
            ("Path", "path"),
            ("User", "user"),
            ("SecretFile", "secretFile"),
            ("SecretRef", "secretRef&"),
            ("ReadOnly", "readOnly?"),
        ),
    ),
    "storageos": (
        "StorageOS (a StorageOS Persistent Disk resource)",
        (
            ("VolumeName", "volumeName"),
            ("VolumeNamespace", "volumeNamespace"),
            ("FSType", "fsType"),
            ("ReadOnly", "readOnly?"),
        ),
    ),
    "fc": (
        "FC (a Fibre Channel disk)",
        (("TargetWWNs", "targetWWNs,"), ("LUN", "lun-"), ("FSType", "fsType"), ("ReadOnly", "readOnly?")),
    ),
    "flexVolume": (
        "FlexVolume (a generic volume resource that is provisioned/attached using an exec based plugin)",
        (
            ("Driver", "driver"),
            ("FSType", "fsType"),
            ("SecretRef", "secretRef&"),
            ("ReadOnly", "readOnly?"),
            ("Options", "options{}"),
        ),
    ),
    "flocker": (
        "Flocker (a Flocker volume mounted by the Flocker agent)",
        (("DatasetName", "datasetName"), ("DatasetUUID", "datasetUUID")),
    ),
    "gcePersistentDisk": (
        "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
        (("PDName", "pdName"), ("FSType", "fsType"), ("Partition", "partition#"), ("ReadOnly", "readOnly?")),
    ),
}


def _field(source: Obj, key: str) -> str:
    if key.endswith("?"):
        return "true" if source.get(key[:-1]) else "false"
    if key.endswith("#"):
        return str(source.get(key[:-1], 0))
    if key.endswith("[]"):
        return go_value(source.get(key[:-2]) or [])
    if key.endswith("{}"):
        return go_value(source.get(key[:-2]) or {})
    if key.endswith("&"):
        return _reference(source.get(key[:-1]))
    if key.endswith(","):
        return ", ".join(source.get(key[:-1]) or ())
    if key.endswith("-"):
        return str(source.get(key[:-1], "<none>"))
    return str(source.get(key, ""))


def _reference(found: Obj | None) -> str:
    """A reference to a Secret, as Go prints the struct behind a pointer."""
    if found is None:
        return "nil"
    if "namespace" in found:
        return f"&SecretReference{{Name:{found.get('name', '')},Namespace:{found['namespace']},}}"
    return f"&LocalObjectReference{{Name:{found.get('name', '')},}}"


def source(d: Doc, item: Obj) -> None:
    """One volume source, indented under its volume."""
    for name, (heading, fields) in PLAIN.items():
        if name in item:
            d.line(2, f"Type:\t{heading}")
            for title, key in fields:
                d.line(2, f"{title}:\t{_field(item[name] or {}, key)}")
                if title == "EndpointsName" and "name" not in item:  # a persistent volume's, which may be of another namespace
                    d.line(2, f"EndpointsNamespace:\t{item[name].get('endpointsNamespace', '<unset>')}")
            return
    if "hostPath" in item:
        found = item["hostPath"]
        d.line(2, "Type:\tHostPath (bare host directory volume)")
        d.line(2, f"Path:\t{found['path']}")
        d.line(2, f"HostPathType:\t{found['type'] if found.get('type') is not None else '<none>'}")
    elif "emptyDir" in item:
        found = item["emptyDir"] or {}
        limit = found.get("sizeLimit")
        d.line(2, "Type:\tEmptyDir (a temporary directory that shares a pod's lifetime)")
        d.line(2, f"Medium:\t{found.get('medium', '')}")
        d.line(2, f"SizeLimit:\t{quantity.canonical(limit) if limit else '<unset>'}")
    elif "projected" in item:
        _projected(d, item["projected"].get("sources") or [])
    elif "downwardAPI" in item:
        d.line(2, "Type:\tDownwardAPI (a volume populated by information about the pod)")
        d.line(2, "Items:")
        for entry in item["downwardAPI"].get("items") or ():
            field = (entry.get("fieldRef") or {}).get("fieldPath") or (entry.get("resourceFieldRef") or {}).get("resource", "")
            d.line(3, f"{field} -> {entry['path']}")
    elif "iscsi" in item:
        _iscsi(d, item["iscsi"])
    elif "scaleIO" in item:
        _scale_io(d, item["scaleIO"])
    elif "azureFile" in item:
        _azure_file(d, item["azureFile"])
    elif "csi" in item:
        _csi(d, item["csi"])
    elif "ephemeral" in item:
        _ephemeral(d, item["ephemeral"].get("volumeClaimTemplate") or {})
    else:
        d.line(1, "<unknown>")


def _projected(d: Doc, sources: list[Obj]) -> None:
    d.line(2, "Type:\tProjected (a volume that contains injected data from multiple sources)")
    for entry in sources:
        if "secret" in entry:
            d.line(2, f"SecretName:\t{entry['secret'].get('name', '')}")
            d.line(2, f"Optional:\t{_field(entry['secret'], 'optional?')}")
        elif "downwardAPI" in entry:
            d.line(2, "DownwardAPI:\ttrue")
        elif "configMap" in entry:
            d.line(2, f"ConfigMapName:\t{entry['configMap'].get('name', '')}")
            d.line(2, f"Optional:\t{_field(entry['configMap'], 'optional?')}")
        elif "serviceAccountToken" in entry:
            d.line(2, f"TokenExpirationSeconds:\t{entry['serviceAccountToken'].get('expirationSeconds', 3600)}")


def _iscsi(d: Doc, found: Obj) -> None:
    d.line(2, "Type:\tISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)")
    for title, key in (("TargetPortal:", "targetPortal"), ("IQN:", "iqn"), ("Lun:", "lun#"), ("ISCSIInterface", "iscsiInterface"),
                       ("FSType:", "fsType"), ("ReadOnly:", "readOnly?"), ("Portals:", "portals[]"), ("DiscoveryCHAPAuth:", "chapAuthDiscovery?"),
                       ("SessionCHAPAuth:", "chapAuthSession?"), ("SecretRef:", "secretRef&"), ("InitiatorName:", "initiatorName-")):  # fmt: skip
        d.line(2, f"{title}\t{_field(found, key)}")


def _scale_io(d: Doc, found: Obj) -> None:
    d.line(2, "Type:\tScaleIO (a persistent volume backed by a block device in ScaleIO)")
    rows = [("Gateway", "gateway"), ("System", "system"), ("Protection Domain", "protectionDomain"), ("Storage Pool", "storagePool"),
            ("Storage Mode", "storageMode"), ("VolumeName", "volumeName")]  # fmt: skip
    for title, key in rows:
        d.line(2, f"{title}:\t{_field(found, key)}")
    secret = found.get("secretRef") or {}
    if "namespace" in secret:
        d.line(2, f"SecretName:\t{secret.get('name', '')}")
        d.line(2, f"SecretNamespace:\t{secret['namespace']}")
    for title, key in (("FSType", "fsType"), ("ReadOnly", "readOnly?")):
        d.line(2, f"{title}:\t{_field(found, key)}")


def _azure_file(d: Doc, found: Obj) -> None:
    d.line(2, "Type:\tAzureFile (an Azure File Service mount on the host and bind mount to the pod)")
    d.line(2, f"SecretName:\t{found.get('secretName', '')}")
    if "secretNamespace" in found:
        d.line(2, f"SecretNamespace:\t{found['secretNamespace'] or ''}")
    d.line(2, f"ShareName:\t{found.get('shareName', '')}")
    d.line(2, f"ReadOnly:\t{_field(found, 'readOnly?')}")


def _csi(d: Doc, found: Obj) -> None:
    d.line(2, "Type:\tCSI (a Container Storage Interface (CSI) volume source)")
    d.line(2, f"Driver:\t{found['driver']}")
    d.line(2, f"FSType:\t{found.get('fsType', '')}")
    if "volumeHandle" in found:
        d.line(2, f"VolumeHandle:\t{found['volumeHandle']}")
    d.line(2, f"ReadOnly:\t{_field(found, 'readOnly?')}")
    pairs = [f"{key}={value}" for key, value in sorted((found.get("volumeAttributes") or {}).items())]
    cut = ["    " + (pair if len(pair) <= LONGEST else pair[:LONGEST] + "...") for pair in pairs] or ["<none>"]
    d.add("    VolumeAttributes:\t" + "\n        \t".join(cut) + "\n")


def _ephemeral(d: Doc, template: Obj) -> None:
    spec = template.get("spec") or {}
    d.line(2, "Type:\tEphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)")
    d.line(2, f"StorageClass:\t{spec.get('storageClassName', '')}")
    d.line(2, f"Volume:\t{spec.get('volumeName', '')}")
    d.labels("    Labels", (template.get("metadata") or {}).get("labels"))
    d.annotations("    Annotations", (template.get("metadata") or {}).get("annotations"))
    d.line(2, "Capacity:\t")
    d.line(2, "Access Modes:\t")
    if spec.get("volumeMode"):
        d.line(2, f"VolumeMode:\t{spec['volumeMode']}")


def volumes(d: Doc, items: list[Obj] | None, indent: str = "") -> None:
    """`Volumes:` of a pod or template."""
    if not items:
        d.add(f"{indent}Volumes:\t<none>\n")
        return
    d.add(f"{indent}Volumes:\n")
    for item in items:
        d.line(1, f"{' ' if indent else ''}{item['name']}:")
        source(d, item)


MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def modes(values: list[str] | None) -> str:
    """Access modes, shortened, in their fixed order."""
    return ",".join(short for name, short in MODES.items() if name in (values or ()))


def affinity(d: Doc, found: Obj | None) -> None:
    """`Node Affinity:` of a persistent volume."""
    required = (found or {}).get("required")
    if not required:
        d.line(0, "Node Affinity:\t<none>")
        return
    d.line(0, "Node Affinity:\t")
    terms = required.get("nodeSelectorTerms") or []
    d.line(1, "Required Terms:\t" + ("" if terms else "<none>"))
    for at, term in enumerate(terms):
        texts = []
        for entry in term.get("matchExpressions") or ():
            values = f" [{', '.join(entry['values'])}]" if entry.get("values") else ""
            texts.append(f"{entry['key']} {str(entry['operator']).lower()}{values}")
        d.add(f"    Term {at}:\t" + ("\n    \t".join(texts) or "<none>") + "\n")


def finalizers(values: list[str] | None) -> str:
    """A Go slice."""
    return go_value(values or [])
