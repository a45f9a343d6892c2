"""The configuration API of kubeadm (apis/kubeadm/v1beta4 and v1beta3 `types.go`) as data: fields, their types, and what is printed.

A type is a name (`string`, `bool`, `int`, `duration`, `time`, `token`), `[]TYPE`, `map`, or the name of a struct in `STRUCTS`.
A field that ends in `!` is printed although it is empty.
"""

from __future__ import annotations

GROUP = "kubeadm.k8s.io"
CURRENT = "v1beta4"
#: Old versions and the release that read them last.
OLD = {"v1alpha1": "v1.11", "v1alpha2": "v1.12", "v1alpha3": "v1.14", "v1beta1": "v1.15", "v1beta2": "v1.22"}
DEPRECATED = ("v1beta3",)

Fields = dict[str, str]

_COMPONENT: Fields = {"extraArgs": "[]Arg", "extraVolumes": "[]HostPathMount", "extraEnvs": "[]map"}
_TIMEOUTS = (
    "controlPlaneComponentHealthCheck", "kubeletHealthCheck", "kubernetesAPICall", "etcdAPICall", "tlsBootstrap", "discovery",
    "upgradeManifests",
)  # fmt: skip

STRUCTS: dict[str, Fields] = {
    "Arg": {"name!": "string", "value!": "string"},
    "HostPathMount": {"name!": "string", "hostPath!": "string", "mountPath!": "string", "readOnly": "bool", "pathType": "string"},
    "Taint": {"key!": "string", "value": "string", "effect!": "string", "timeAdded": "time"},
    "BootstrapToken": {
        "token!": "token", "description": "string", "ttl": "duration", "expires": "time", "usages": "[]string", "groups": "[]string",
    },
    "Timeouts": dict.fromkeys(_TIMEOUTS, "duration"),
    "Patches": {"directory": "string"},
    "APIEndpoint": {"advertiseAddress": "string", "bindPort": "int"},
    "NodeRegistration": {
        "name": "string", "criSocket": "string", "taints!": "[]Taint", "kubeletExtraArgs": "[]Arg", "ignorePreflightErrors": "[]string",
        "imagePullPolicy": "string", "imagePullSerial": "bool",
    },
    "Networking": {"serviceSubnet": "string", "podSubnet": "string", "dnsDomain": "string"},
    "APIServer": {**_COMPONENT, "certSANs": "[]string"},
    "ControlPlaneComponent": _COMPONENT,
    "DNS": {"imageRepository": "string", "imageTag": "string", "disabled": "bool"},
    "Proxy": {"disabled": "bool"},
    "LocalEtcd": {
        "imageRepository": "string", "imageTag": "string", "dataDir!": "string", "extraArgs": "[]Arg", "extraEnvs": "[]map",
        "serverCertSANs": "[]string", "peerCertSANs": "[]string",
    },
    "ExternalEtcd": {
        "endpoints!": "[]string", "httpEndpoints": "[]string", "caFile!": "string", "certFile!": "string", "keyFile!": "string",
    },
    "Etcd": {"local": "LocalEtcd", "external": "ExternalEtcd"},
    "BootstrapTokenDiscovery": {
        "token!": "string", "apiServerEndpoint": "string", "caCertHashes": "[]string", "unsafeSkipCAVerification": "bool",
    },
    "FileDiscovery": {"kubeConfigPath!": "string"},
    "Discovery": {"bootstrapToken": "BootstrapTokenDiscovery", "file": "FileDiscovery", "tlsBootstrapToken": "string"},
    "JoinControlPlane": {"localAPIEndpoint!": "APIEndpoint", "certificateKey": "string"},
    "UpgradeApply": {
        "kubernetesVersion": "string", "allowExperimentalUpgrades": "bool", "allowRCUpgrades": "bool", "certificateRenewal": "bool",
        "dryRun": "bool", "etcdUpgrade": "bool", "forceUpgrade": "bool", "ignorePreflightErrors": "[]string", "patches": "Patches",
        "printConfig": "bool", "skipPhases": "[]string", "imagePullPolicy": "string", "imagePullSerial": "bool",
    },
    "UpgradeDiff": {"kubernetesVersion": "string", "contextLines": "int"},
    "UpgradeNode": {
        "certificateRenewal": "bool", "dryRun": "bool", "etcdUpgrade": "bool", "ignorePreflightErrors": "[]string", "skipPhases": "[]string",
        "patches": "Patches", "imagePullPolicy": "string", "imagePullSerial": "bool",
    },
    "UpgradePlan": {
        "kubernetesVersion": "string", "allowExperimentalUpgrades": "bool", "allowRCUpgrades": "bool", "dryRun": "bool",
        "etcdUpgrade": "bool", "ignorePreflightErrors": "[]string", "printConfig": "bool",
    },
    "InitConfiguration": {
        "bootstrapTokens": "[]BootstrapToken", "dryRun": "bool", "nodeRegistration!": "NodeRegistration", "localAPIEndpoint!": "APIEndpoint",
        "certificateKey": "string", "skipPhases": "[]string", "patches": "Patches", "timeouts": "Timeouts",
    },
    "ClusterConfiguration": {
        "etcd!": "Etcd", "networking!": "Networking", "kubernetesVersion": "string", "controlPlaneEndpoint": "string",
        "apiServer!": "APIServer", "controllerManager!": "ControlPlaneComponent", "scheduler!": "ControlPlaneComponent", "dns!": "DNS",
        "proxy!": "Proxy", "certificatesDir": "string", "imageRepository": "string", "featureGates": "map", "clusterName": "string",
        "encryptionAlgorithm": "string", "certificateValidityPeriod": "duration", "caCertificateValidityPeriod": "duration",
    },
    "JoinConfiguration": {
        "dryRun": "bool", "nodeRegistration!": "NodeRegistration", "caCertPath!": "string", "discovery!": "Discovery",
        "controlPlane": "JoinControlPlane", "skipPhases": "[]string", "patches": "Patches", "timeouts": "Timeouts",
    },
    "ResetConfiguration": {
        "cleanupTmpDir": "bool", "certificatesDir": "string", "criSocket": "string", "dryRun": "bool", "force": "bool",
        "ignorePreflightErrors": "[]string", "skipPhases": "[]string", "unmountFlags": "[]string", "timeouts": "Timeouts",
    },
    "UpgradeConfiguration": {
        "apply!": "UpgradeApply", "diff!": "UpgradeDiff", "node!": "UpgradeNode", "plan!": "UpgradePlan", "timeouts": "Timeouts",
    },
}  # fmt: skip

#: Where v1beta3 differs: fields that it lacks, has besides, or that hold something else.
_V1BETA3: dict[str, tuple[tuple[str, ...], Fields]] = {
    "InitConfiguration": (("dryRun", "timeouts"), {}),
    "ClusterConfiguration": (
        ("proxy", "encryptionAlgorithm", "certificateValidityPeriod", "caCertificateValidityPeriod"), {},
    ),
    "JoinConfiguration": (("dryRun", "timeouts"), {}),
    "NodeRegistration": (("imagePullSerial",), {"kubeletExtraArgs": "map"}),
    "APIServer": (("extraEnvs",), {"extraArgs": "map", "timeoutForControlPlane": "duration"}),
    "ControlPlaneComponent": (("extraEnvs",), {"extraArgs": "map"}),
    "DNS": (("disabled",), {}),
    "LocalEtcd": (("extraEnvs",), {"extraArgs": "map"}),
    "ExternalEtcd": (("httpEndpoints",), {}),
    "Discovery": ((), {"timeout": "duration"}),
}  # fmt: skip

KINDS = ("InitConfiguration", "ClusterConfiguration", "JoinConfiguration", "ResetConfiguration", "UpgradeConfiguration")
#: The kinds of each version.
KINDS_OF = {CURRENT: KINDS, "v1beta3": KINDS[:3]}


def fields_of(struct: str, version: str = CURRENT) -> Fields:
    """The fields of a struct, without the marks of what is always printed."""
    found = {name.rstrip("!"): kind for name, kind in STRUCTS[struct].items()}
    if version == "v1beta3" and struct in _V1BETA3:
        lacks, has = _V1BETA3[struct]
        found = {name: kind for name, kind in found.items() if name not in lacks} | has
    return found


def always_printed(struct: str) -> set[str]:
    """The fields without `omitempty`, or of struct type."""
    return {name[:-1] for name in STRUCTS[struct] if name.endswith("!")}
