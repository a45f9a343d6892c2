"""The kubelet's flags, and the fields of KubeletConfiguration with their types and defaults.

From `cmd/kubelet/app/options/options.go`, `staging/src/k8s.io/kubelet/config/v1beta1/types.go` and
`pkg/kubelet/apis/config/v1beta1/defaults.go` of v1.36.
"""

from __future__ import annotations

from typing import Any

from .. import component

Obj = dict[str, Any]

_OWN_FLAGS = """
config:string config-dir:string kubeconfig:string bootstrap-kubeconfig:string hostname-override:string node-ip:string
cert-dir:string cloud-provider:string root-dir:string seccomp-default:bool node-labels:mapStringString lock-file:string
exit-on-lock-contention:bool minimum-container-ttl-duration:duration maximum-dead-containers-per-container:int32
maximum-dead-containers:int32 experimental-mounter-path:string experimental-allocatable-ignore-eviction:bool
runtime-cgroups:string image-credential-provider-config:string image-credential-provider-bin-dir:string
"""
#: Flags that a field of the configuration file stands for; all but a few say that they are deprecated.
_CONFIG_FLAGS = """
enable-server:bool fail-swap-on:bool pod-manifest-path:string sync-frequency:duration file-check-frequency:duration
http-check-frequency:duration manifest-url:string manifest-url-header:mapStringString address:ip port:int32
read-only-port:int32 fail-cgroupv1:bool container-runtime-endpoint:string image-service-endpoint:string anonymous-auth:bool
authentication-token-webhook:bool authentication-token-webhook-cache-ttl:duration client-ca-file:string
authorization-mode:string authorization-webhook-cache-authorized-ttl:duration
authorization-webhook-cache-unauthorized-ttl:duration tls-cert-file:string tls-private-key-file:string
rotate-server-certificates:bool tls-cipher-suites:strings tls-min-version:string rotate-certificates:bool registry-qps:int32
registry-burst:int32 event-qps:int32 event-burst:int32 enable-debugging-handlers:bool contention-profiling:bool
healthz-port:int32 healthz-bind-address:ip oom-score-adj:int32 cluster-domain:string volume-plugin-dir:string
cluster-dns:strings streaming-connection-idle-timeout:duration node-status-update-frequency:duration
minimum-image-ttl-duration:duration image-gc-high-threshold:int32 image-gc-low-threshold:int32
volume-stats-agg-period:duration feature-gates:mapStringBool kubelet-cgroups:string system-cgroups:string provider-id:string
cgroups-per-qos:bool cgroup-driver:string cgroup-root:string cpu-manager-policy:string
cpu-manager-policy-options:mapStringString cpu-manager-reconcile-period:duration qos-reserved:mapStringString
topology-manager-policy:string runtime-request-timeout:duration hairpin-mode:string max-pods:int32 pod-cidr:string
pod-max-pids:int resolv-conf:string runonce:bool cpu-cfs-quota:bool cpu-cfs-quota-period:duration
enable-controller-attach-detach:bool make-iptables-util-chains:bool container-log-max-size:string
container-log-max-files:int32 allowed-unsafe-sysctls:strings node-status-max-images:int32 kernel-memcg-notification:bool
local-storage-capacity-isolation:bool max-open-files:int kube-api-content-type:string kube-api-qps:int32 kube-api-burst:int32
serialize-image-pulls:bool eviction-hard:mapStringString eviction-soft:mapStringString
eviction-soft-grace-period:mapStringString eviction-pressure-transition-period:duration eviction-max-pod-grace-period:int32
eviction-minimum-reclaim:mapStringString pods-per-core:int32 protect-kernel-defaults:bool reserved-cpus:string
topology-manager-scope:string topology-manager-policy-options:mapStringString system-reserved:mapStringString
kube-reserved:mapStringString enforce-node-allocatable:strings system-reserved-cgroup:string kube-reserved-cgroup:string
memory-manager-policy:string reserved-memory:mapStringString register-node:bool register-with-taints:taints
"""
_CURRENT = ("cgroup-driver", "cgroup-root", "provider-id", "fail-cgroupv1", "v", "vmodule")
CONFIG_FLAGS = dict(item.split(":", 1) for item in _CONFIG_FLAGS.split())
FLAGS: component.FlagSpec = {
    **{name: kind for name, kind in component.GLOBAL_FLAGS.items() if name not in ("master", "profiling", "emulated-version")},
    **dict(item.split(":", 1) for item in _OWN_FLAGS.split()),
    **CONFIG_FLAGS,
}
DEPRECATED = tuple(name for name in CONFIG_FLAGS if name not in _CURRENT)
DEPRECATION = (
    "This parameter should be set via the config file specified by the Kubelet's --config flag. "
    "See https://kubernetes.io/docs/tasks/administer-cluster/kubelet-config-file/ for more information."
)

_FIELDS = """
enableServer:bool staticPodPath:string podLogsDir:string syncFrequency:duration fileCheckFrequency:duration
httpCheckFrequency:duration staticPodURL:string staticPodURLHeader:map address:string port:int32 readOnlyPort:int32
tlsCertFile:string tlsPrivateKeyFile:string tlsCipherSuites:list tlsCurvePreferences:list tlsMinVersion:string
rotateCertificates:bool serverTLSBootstrap:bool authentication:map authorization:map registryPullQPS:int32 registryBurst:int32
imagePullCredentialsVerificationPolicy:string preloadedImagesVerificationAllowlist:list eventRecordQPS:int32 eventBurst:int32
enableDebuggingHandlers:bool enableContentionProfiling:bool healthzPort:int32 healthzBindAddress:string oomScoreAdj:int32
clusterDomain:string clusterDNS:list streamingConnectionIdleTimeout:duration nodeStatusUpdateFrequency:duration
nodeStatusReportFrequency:duration nodeLeaseDurationSeconds:int32 imageMinimumGCAge:duration imageMaximumGCAge:duration
imageGCHighThresholdPercent:int32 imageGCLowThresholdPercent:int32 volumeStatsAggPeriod:duration kubeletCgroups:string
systemCgroups:string cgroupRoot:string cgroupsPerQOS:bool cgroupDriver:string cpuManagerPolicy:string
singleProcessOOMKill:bool cpuManagerPolicyOptions:map cpuManagerReconcilePeriod:duration memoryManagerPolicy:string
topologyManagerPolicy:string topologyManagerScope:string topologyManagerPolicyOptions:map qosReserved:map
runtimeRequestTimeout:duration hairpinMode:string maxPods:int32 podCIDR:string podPidsLimit:int64 resolvConf:string
runOnce:bool cpuCFSQuota:bool cpuCFSQuotaPeriod:duration nodeStatusMaxImages:int32 maxOpenFiles:int64 contentType:string
kubeAPIQPS:int32 kubeAPIBurst:int32 serializeImagePulls:bool maxParallelImagePulls:int32 evictionHard:map evictionSoft:map
evictionSoftGracePeriod:map evictionPressureTransitionPeriod:duration evictionMaxPodGracePeriod:int32
evictionMinimumReclaim:map mergeDefaultEvictionSettings:bool podsPerCore:int32 enableControllerAttachDetach:bool
protectKernelDefaults:bool makeIPTablesUtilChains:bool iptablesMasqueradeBit:int32 iptablesDropBit:int32 featureGates:map
failSwapOn:bool memorySwap:map containerLogMaxSize:string containerLogMaxFiles:int32 containerLogMaxWorkers:int32
containerLogMonitorInterval:duration configMapAndSecretChangeDetectionStrategy:string systemReserved:map kubeReserved:map
reservedSystemCPUs:string showHiddenMetricsForVersion:string systemReservedCgroup:string kubeReservedCgroup:string
enforceNodeAllocatable:list allowedUnsafeSysctls:list volumePluginDir:string providerID:string kernelMemcgNotification:bool
logging:map enableSystemLogHandler:bool enableSystemLogQuery:bool shutdownGracePeriod:duration
shutdownGracePeriodCriticalPods:duration shutdownGracePeriodByPodPriority:list crashLoopBackOff:map reservedMemory:list
enableProfilingHandler:bool enableDebugFlagsHandler:bool seccompDefault:bool memoryThrottlingFactor:float64
memoryReservationPolicy:string registerWithTaints:list registerNode:bool tracing:map localStorageCapacityIsolation:bool
containerRuntimeEndpoint:string imageServiceEndpoint:string failCgroupV1:bool userNamespaces:map
"""
FIELDS: dict[str, str] = dict(item.split(":", 1) for item in _FIELDS.split())
#: Fields below the maps that matter here, for the strict decoder's warnings.
NESTED: dict[str, tuple[str, ...]] = {
    "authentication": ("x509", "webhook", "anonymous"),
    "authentication.x509": ("clientCAFile",),
    "authentication.webhook": ("enabled", "cacheTTL"),
    "authentication.anonymous": ("enabled",),
    "authorization": ("mode", "webhook"),
    "authorization.webhook": ("cacheAuthorizedTTL", "cacheUnauthorizedTTL"),
    "memorySwap": ("swapBehavior",),
    "crashLoopBackOff": ("maxContainerRestartPeriod",),
}

#: Flag → field, where the name is not simply in camel case.
_RENAMED = {
    "pod-manifest-path": "staticPodPath",
    "manifest-url": "staticPodURL",
    "cluster-dns": "clusterDNS",
    "resolv-conf": "resolvConf",
    "rotate-server-certificates": "serverTLSBootstrap",
    "registry-qps": "registryPullQPS",
    "event-qps": "eventRecordQPS",
    "minimum-image-ttl-duration": "imageMinimumGCAge",
    "image-gc-high-threshold": "imageGCHighThresholdPercent",
    "image-gc-low-threshold": "imageGCLowThresholdPercent",
    "pod-cidr": "podCIDR",
    "pod-max-pids": "podPidsLimit",
    "cpu-cfs-quota": "cpuCFSQuota",
    "oom-score-adj": "oomScoreAdj",
    "fail-cgroupv1": "failCgroupV1",
    "image-service-endpoint": "imageServiceEndpoint",
    "cgroups-per-qos": "cgroupsPerQOS",
    "runonce": "runOnce",
    "provider-id": "providerID",
}
#: Flags of fields that lie deeper.
_DEEP: dict[str, tuple[str, ...]] = {
    "anonymous-auth": ("authentication", "anonymous", "enabled"),
    "authentication-token-webhook": ("authentication", "webhook", "enabled"),
    "client-ca-file": ("authentication", "x509", "clientCAFile"),
    "authorization-mode": ("authorization", "mode"),
}

DEFAULTS: Obj = {
    "enableServer": True,
    "syncFrequency": "1m0s",
    "fileCheckFrequency": "20s",
    "httpCheckFrequency": "20s",
    "address": "0.0.0.0",
    "port": 10250,
    "authentication": {
        "x509": {},
        "webhook": {"enabled": True, "cacheTTL": "2m0s"},
        "anonymous": {"enabled": False},
    },
    "authorization": {"mode": "Webhook", "webhook": {"cacheAuthorizedTTL": "5m0s", "cacheUnauthorizedTTL": "30s"}},
    "registryPullQPS": 5,
    "registryBurst": 10,
    "eventRecordQPS": 50,
    "eventBurst": 100,
    "enableDebuggingHandlers": True,
    "healthzPort": 10248,
    "healthzBindAddress": "127.0.0.1",
    "oomScoreAdj": -999,
    "clusterDomain": "cluster.local",
    "streamingConnectionIdleTimeout": "4h0m0s",
    "nodeStatusUpdateFrequency": "10s",
    "nodeStatusReportFrequency": "5m0s",
    "nodeLeaseDurationSeconds": 40,
    "imageMinimumGCAge": "2m0s",
    "imageMaximumGCAge": "0s",
    "imageGCHighThresholdPercent": 85,
    "imageGCLowThresholdPercent": 80,
    "volumeStatsAggPeriod": "1m0s",
    "cgroupsPerQOS": True,
    "cgroupDriver": "cgroupfs",
    "cpuManagerPolicy": "none",
    "cpuManagerReconcilePeriod": "10s",
    "memoryManagerPolicy": "None",
    "topologyManagerPolicy": "none",
    "topologyManagerScope": "container",
    "runtimeRequestTimeout": "2m0s",
    "hairpinMode": "promiscuous-bridge",
    "maxPods": 110,
    "podPidsLimit": -1,
    "resolvConf": "/etc/resolv.conf",
    "cpuCFSQuota": True,
    "cpuCFSQuotaPeriod": "100ms",
    "nodeStatusMaxImages": 50,
    "maxOpenFiles": 1000000,
    "contentType": "application/vnd.kubernetes.protobuf",
    "kubeAPIQPS": 50,
    "kubeAPIBurst": 100,
    "serializeImagePulls": True,
    "evictionHard": {
        "imagefs.available": "15%",
        "imagefs.inodesFree": "5%",
        "memory.available": "100Mi",
        "nodefs.available": "10%",
        "nodefs.inodesFree": "5%",
    },
    "evictionPressureTransitionPeriod": "5m0s",
    "mergeDefaultEvictionSettings": False,
    "enableControllerAttachDetach": True,
    "makeIPTablesUtilChains": True,
    "iptablesMasqueradeBit": 14,
    "iptablesDropBit": 15,
    "failSwapOn": True,
    "memorySwap": {},
    "containerLogMaxSize": "10Mi",
    "containerLogMaxFiles": 5,
    "containerLogMaxWorkers": 1,
    "containerLogMonitorInterval": "10s",
    "configMapAndSecretChangeDetectionStrategy": "Watch",
    "enforceNodeAllocatable": ["pods"],
    "volumePluginDir": "/usr/libexec/kubernetes/kubelet-plugins/volume/exec/",
    "logging": {
        "format": "text",
        "flushFrequency": "5s",
        "verbosity": 0,
        "options": {"text": {"infoBufferSize": "0"}, "json": {"infoBufferSize": "0"}},
    },
    "enableSystemLogHandler": True,
    "enableSystemLogQuery": False,
    "shutdownGracePeriod": "0s",
    "shutdownGracePeriodCriticalPods": "0s",
    "crashLoopBackOff": {},
    "enableProfilingHandler": True,
    "enableDebugFlagsHandler": True,
    "seccompDefault": False,
    "registerNode": True,
    "localStorageCapacityIsolation": True,
    "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
    "failCgroupV1": True,
    "podLogsDir": "/var/log/pods",
}


def apply_flags(config: Obj, flags: dict[str, str]) -> Obj:
    """The configuration with what the command line says of its fields (flags win over the file)."""
    out = dict(config)
    for name, text in flags.items():
        if name not in CONFIG_FLAGS:
            continue
        if name in _DEEP:
            _put(out, _DEEP[name], _value(CONFIG_FLAGS[name], text))
            continue
        field = _RENAMED.get(name) or _camel(name)
        if field in FIELDS:
            out[field] = _value(CONFIG_FLAGS[name], text)
    return out


def _camel(name: str) -> str:
    head, *rest = name.split("-")
    return head + "".join({"tls": "TLS", "qos": "QOS"}.get(word, word.capitalize()) if word != "tls" else "TLS" for word in rest)


def _put(out: Obj, path: tuple[str, ...], value: Any) -> None:
    for key in path[:-1]:
        out[key] = dict(out.get(key) or {})
        out = out[key]
    out[path[-1]] = value


def _value(kind: str, text: str) -> Any:
    if kind == "bool":
        return text[:1] in "1tT"
    if kind in ("int", "int32"):
        return int(text)
    if kind == "strings":
        return [item for item in text.split(",") if item]
    if kind in ("mapStringString", "mapStringBool"):
        pairs = [item.replace("<", "=", 1) for item in text.split(",") if item]
        return {key: value for key, _, value in (pair.partition("=") for pair in pairs)}
    if kind == "taints":
        return [taint(item) for item in text.split(",") if item]
    return text


def taint(text: str) -> Obj:
    """`key=value:Effect` as a taint."""
    head, _, effect = text.rpartition(":")
    key, _, value = head.partition("=")
    return {"key": key, **({"value": value} if value else {}), "effect": effect}


def complete(config: Obj) -> Obj:
    """The configuration as `/configz` shows it: what is given over the defaults; a zero duration means the default."""
    out = _merge(DEFAULTS, config)
    out.pop("kind", None)
    out.pop("apiVersion", None)
    return out


def _merge(base: Obj, over: Obj) -> Obj:
    out = dict(base)
    for key, value in over.items():
        if key.endswith("Ns") or (value in ("0s", 0) and key in base and FIELDS.get(key, "duration") == "duration"):
            continue
        old = base.get(key)
        out[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) and key != "evictionHard" else value
    return out


def setting(config: Obj, *path: str) -> Any:
    """One setting: from the configuration, or its default."""
    for source in (config, DEFAULTS):
        found: Any = source
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if found is not None and not (found == "0s" and source is config):
            return found
    return None
