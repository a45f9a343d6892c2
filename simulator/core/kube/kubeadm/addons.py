"""The objects that `kubeadm init` creates through the API: configuration, RBAC, CoreDNS and kube-proxy.

Follows cmd/kubeadm/app/phases/{uploadconfig,kubelet,bootstraptoken,addons/dns,addons/proxy}.
"""

from __future__ import annotations

import hashlib
from typing import Any

from ...kernel.versions import VERSION
from .manifests import COREDNS_IMAGE, dump

Json = dict[str, Any]
RBAC = "rbac.authorization.k8s.io"


def _meta(name: str, namespace: str = "kube-system", **labels: str) -> Json:
    meta: Json = {"name": name, "namespace": namespace}
    if labels:
        meta["labels"] = {k.replace("_", "-"): v for k, v in labels.items()}
    return meta


def _role(name: str, namespace: str, rules: list[Json]) -> tuple[str, Json]:
    if namespace:
        obj = {"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": _meta(name, namespace), "rules": rules}
        return "roles", obj
    return "clusterroles", {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}


def _group(name: str) -> Json:
    return {"apiGroup": RBAC, "kind": "Group", "name": name}


def _account(name: str) -> Json:
    return {"kind": "ServiceAccount", "name": name, "namespace": "kube-system"}


def _binding(name: str, namespace: str, role: str, subjects: list[Json], kind: str = "") -> tuple[str, Json]:
    kind = kind or ("Role" if namespace else "ClusterRole")
    ref = {"apiGroup": RBAC, "kind": kind, "name": role}
    if namespace:
        obj = {"kind": "RoleBinding", "metadata": _meta(name, namespace)}
        return "rolebindings", {"apiVersion": f"{RBAC}/v1", **obj, "roleRef": ref, "subjects": subjects}
    obj = {"kind": "ClusterRoleBinding", "metadata": {"name": name}}
    return "clusterrolebindings", {"apiVersion": f"{RBAC}/v1", **obj, "roleRef": ref, "subjects": subjects}


def _rule(verbs: list[str], resources: list[str], groups: list[str] | None = None, names: list[str] | None = None) -> Json:
    rule: Json = {"apiGroups": groups or [""], "resources": resources, "verbs": verbs}
    if names:
        rule["resourceNames"] = names
    return rule


def cluster_configuration(*, pod_cidr: str, service_cidr: str, version: str = VERSION) -> Json:
    """The ClusterConfiguration that `kubeadm-config` holds."""
    return {
        "apiServer": {},
        "apiVersion": "kubeadm.k8s.io/v1beta4",
        "caCertificateValidityPeriod": "87600h0m0s",
        "certificateValidityPeriod": "8760h0m0s",
        "certificatesDir": "/etc/kubernetes/pki",
        "clusterName": "kubernetes",
        "controllerManager": {},
        "dns": {},
        "encryptionAlgorithm": "ECDSA-P256",
        "etcd": {"local": {"dataDir": "/var/lib/etcd"}},
        "imageRepository": "registry.k8s.io",
        "kind": "ClusterConfiguration",
        "kubernetesVersion": version,
        "networking": {"dnsDomain": "cluster.local", "podSubnet": pod_cidr, "serviceSubnet": service_cidr},
        "proxy": {},
        "scheduler": {},
    }


def kubelet_configuration(
    *,
    dns: str = "10.96.0.10",
    domain: str = "cluster.local",
    ca: str = "/etc/kubernetes/pki/ca.crt",
    endpoint: str = "unix:///run/containerd/containerd.sock",
    resolver: str = "/run/systemd/resolve/resolv.conf",
) -> Json:
    """A KubeletConfiguration under kubeadm's defaults: /var/lib/kubelet/config.yaml, with `endpoint` "" what the cluster keeps."""
    found = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"cacheTTL": "0s", "enabled": True},
            "x509": {"clientCAFile": ca},
        },
        "authorization": {"mode": "Webhook", "webhook": {"cacheAuthorizedTTL": "0s", "cacheUnauthorizedTTL": "0s"}},
        "cgroupDriver": "systemd",
        "clusterDNS": [dns],
        "clusterDomain": domain,
        "containerRuntimeEndpoint": endpoint,
        "cpuManagerReconcilePeriod": "0s",
        "crashLoopBackOff": {},
        "evictionPressureTransitionPeriod": "0s",
        "fileCheckFrequency": "0s",
        "healthzBindAddress": "127.0.0.1",
        "healthzPort": 10248,
        "httpCheckFrequency": "0s",
        "imageMaximumGCAge": "0s",
        "imageMinimumGCAge": "0s",
        "kind": "KubeletConfiguration",
        "logging": {
            "flushFrequency": 0,
            "options": {"json": {"infoBufferSize": "0"}, "text": {"infoBufferSize": "0"}},
            "verbosity": 0,
        },
        "memorySwap": {},
        "nodeStatusReportFrequency": "0s",
        "nodeStatusUpdateFrequency": "0s",
        "rotateCertificates": True,
        "runtimeRequestTimeout": "0s",
        "shutdownGracePeriod": "0s",
        "shutdownGracePeriodCriticalPods": "0s",
        "staticPodPath": "/etc/kubernetes/manifests",
        "streamingConnectionIdleTimeout": "0s",
        "syncFrequency": "0s",
        "volumeStatsAggPeriod": "0s",
    }
    if resolver:
        found["resolvConf"] = resolver
    return found


def proxy_configuration(pod_cidr: str) -> Json:
    """A KubeProxyConfiguration under kubeadm's defaults, as its encoder writes it."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "bindAddress": "0.0.0.0",
        "bindAddressHardFail": False,
        "clientConnection": {
            "acceptContentTypes": "", "burst": 0, "contentType": "", "kubeconfig": "/var/lib/kube-proxy/kubeconfig.conf", "qps": 0,
        },
        "clusterCIDR": pod_cidr,
        "configSyncPeriod": "0s",
        "conntrack": {
            "maxPerCore": None, "min": None, "tcpBeLiberal": False, "tcpCloseWaitTimeout": None, "tcpEstablishedTimeout": None,
            "udpStreamTimeout": "0s", "udpTimeout": "0s",
        },
        "detectLocal": {"bridgeInterface": "", "interfaceNamePrefix": ""},
        "detectLocalMode": "",
        "enableProfiling": False,
        "healthzBindAddress": "",
        "hostnameOverride": "",
        "iptables": {
            "localhostNodePorts": None, "masqueradeAll": False, "masqueradeBit": None, "minSyncPeriod": "0s", "syncPeriod": "0s",
        },
        "ipvs": {
            "excludeCIDRs": None, "minSyncPeriod": "0s", "scheduler": "", "strictARP": False, "syncPeriod": "0s", "tcpFinTimeout": "0s",
            "tcpTimeout": "0s", "udpTimeout": "0s",
        },
        "kind": "KubeProxyConfiguration",
        "logging": {
            "flushFrequency": 0, "options": {"json": {"infoBufferSize": "0"}, "text": {"infoBufferSize": "0"}}, "verbosity": 0,
        },
        "metricsBindAddress": "",
        "mode": "",
        "nftables": {"masqueradeAll": False, "masqueradeBit": None, "minSyncPeriod": "0s", "syncPeriod": "0s"},
        "nodePortAddresses": None,
        "oomScoreAdj": None,
        "portRange": "",
        "showHiddenMetricsForVersion": "",
        "winkernel": {
            "enableDSR": False, "forwardHealthCheckVip": False, "networkName": "", "rootHnsEndpointName": "", "sourceVip": "",
        },
    }  # fmt: skip


COREFILE = """\
.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
"""


BOOTSTRAPPERS = "system:bootstrappers:kubeadm:default-node-token"
NODES = "system:nodes"


def _config_map(name: str, namespace: str, data: dict[str, str]) -> tuple[str, Json]:
    return "configmaps", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(name, namespace), "data": data}


#: What a generated component configuration is signed with, so that an upgrade knows whether somebody edited it.
HASH = "kubeadm.kubernetes.io/component-config.hash"


def checksum(config_map: Json) -> str:
    """The value of `HASH` for a ConfigMap (componentconfigs/checksums.go)."""
    data = config_map.get("data") or {}
    content = "".join(data[key] for key in sorted(data))
    return f"sha256:{hashlib.sha256(content.encode()).hexdigest()}"


def _signed(config_map: Json, supplied: bool) -> Json:
    if not supplied:
        config_map["metadata"]["annotations"] = {HASH: checksum(config_map)}
    return config_map


def cluster_admins() -> list[tuple[str, Json]]:
    """Who admin.conf's group is."""
    return [_binding("kubeadm:cluster-admins", "", "cluster-admin", [_group("kubeadm:cluster-admins")])]


def kubeadm_config(cluster: str) -> list[tuple[str, Json]]:
    """The uploaded ClusterConfiguration (YAML) and who may read it (phases/uploadconfig)."""
    name = "kubeadm:nodes-kubeadm-config"
    return [
        _config_map("kubeadm-config", "kube-system", {"ClusterConfiguration": cluster}),
        _role(name, "kube-system", [_rule(["get"], ["configmaps"], names=["kubeadm-config"])]),
        _binding(name, "kube-system", name, [_group(BOOTSTRAPPERS), _group(NODES)]),
    ]


def kubelet_config(kubelet: str, *, supplied: bool = False) -> list[tuple[str, Json]]:
    """The uploaded KubeletConfiguration (YAML; `supplied` by the user) and who may read it (phases/kubelet)."""
    name = "kubeadm:kubelet-config"
    resource, held = _config_map("kubelet-config", "kube-system", {"kubelet": kubelet})
    return [
        (resource, _signed(held, supplied)),
        _role(name, "kube-system", [_rule(["get"], ["configmaps"], names=["kubelet-config"])]),
        _binding(name, "kube-system", name, [_group(NODES), _group(BOOTSTRAPPERS)]),
    ]


#: What the RBAC rules of the bootstrap-token phase are for, in the order in which it says so.
BOOTSTRAP_RULES: tuple[str, ...] = (
    "get-nodes", "kubelet-bootstrap", "node-autoapprove-bootstrap", "node-autoapprove-certificate-rotation",
    "apiserver-kubelet-client",
)  # fmt: skip


def bootstrap_rule(name: str) -> list[tuple[str, Json]]:
    """One of `BOOTSTRAP_RULES` (phases/bootstraptoken/node/tlsbootstrap.go)."""
    full, certificates = f"kubeadm:{name}", "system:certificates.k8s.io:certificatesigningrequests"
    if name == "get-nodes":
        return [_role(full, "", [_rule(["get"], ["nodes"])]), _binding(full, "", full, [_group(BOOTSTRAPPERS)])]
    if name == "apiserver-kubelet-client":
        user = {"apiGroup": RBAC, "kind": "User", "name": "kube-apiserver-kubelet-client"}
        return [_binding(full, "", "system:kubelet-api-admin", [user])]
    role, group = {
        "kubelet-bootstrap": ("system:node-bootstrapper", BOOTSTRAPPERS),
        "node-autoapprove-bootstrap": (f"{certificates}:nodeclient", BOOTSTRAPPERS),
        "node-autoapprove-certificate-rotation": (f"{certificates}:selfnodeclient", NODES),
    }[name]
    return [_binding(full, "", role, [_group(group)])]


def configuration(*, pod_cidr: str, service_cidr: str, version: str = VERSION) -> list[tuple[str, Json]]:
    """Uploaded configuration and the RBAC that joining nodes need."""
    cluster = dump(cluster_configuration(pod_cidr=pod_cidr, service_cidr=service_cidr, version=version)).decode()
    rules = [item for name in BOOTSTRAP_RULES for item in bootstrap_rule(name)]
    return [*cluster_admins(), *kubeadm_config(cluster), *kubelet_config(dump(kubelet_configuration()).decode()), *rules]


def cluster_info(kubeconfig: str) -> list[tuple[str, Json]]:
    """The public cluster-info of kube-public (phases/bootstraptoken/clusterinfo)."""
    return [_config_map("cluster-info", "kube-public", {"kubeconfig": kubeconfig})]


def cluster_info_rules() -> list[tuple[str, Json]]:
    """Everybody may read cluster-info."""
    subject = {"apiGroup": RBAC, "kind": "User", "name": "system:anonymous"}
    name = "kubeadm:bootstrap-signer-clusterinfo"
    return [
        _role(name, "kube-public", [_rule(["get"], ["configmaps"], names=["cluster-info"])]),
        _binding(name, "kube-public", name, [subject]),
    ]


def certificates_rules() -> list[tuple[str, Json]]:
    """Joining nodes may read the uploaded certificates (phases/copycerts)."""
    name = "kubeadm:kubeadm-certs"
    return [
        _role(name, "kube-system", [_rule(["get"], ["secrets"], names=["kubeadm-certs"])]),
        _binding(name, "kube-system", name, [_group(BOOTSTRAPPERS)]),
    ]


def coredns(
    *, image: str = COREDNS_IMAGE, domain: str = "cluster.local", address: str = "10.96.0.10", replicas: int = 2
) -> list[tuple[str, Json]]:
    """The cluster DNS add-on."""
    rules = [
        _rule(["list", "watch"], ["endpoints", "services", "pods", "namespaces"]),
        _rule(["list", "watch"], ["endpointslices"], ["discovery.k8s.io"]),
    ]
    return [
        (
            "configmaps",
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": _meta("coredns"),
                "data": {"Corefile": COREFILE.replace("cluster.local", domain)},
            },
        ),
        _role("system:coredns", "", rules),
        _binding("system:coredns", "", "system:coredns", [_account("coredns")]),
        ("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta("coredns")}),
        ("deployments", _coredns_deployment(image, replicas)),
        ("services", _dns_service(address)),
    ]


def _dns_service(address: str) -> Json:
    meta = _meta("kube-dns")
    meta["labels"] = {"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"}
    meta["annotations"] = {"prometheus.io/port": "9153", "prometheus.io/scrape": "true"}
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": 53},
        {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": 53},
        {"name": "metrics", "port": 9153, "protocol": "TCP", "targetPort": 9153},
    ]
    spec = {"clusterIP": address, "ports": ports, "selector": {"k8s-app": "kube-dns"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec}


def _http_probe(port: str, path: str, **extra: int) -> Json:
    return {"httpGet": {"path": path, "port": port, "scheme": "HTTP"}, **extra}


def _coredns_deployment(image: str, replicas: int) -> Json:
    container = {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "resources": {"limits": {"memory": "170Mi"}, "requests": {"cpu": "100m", "memory": "70Mi"}},
        "args": ["-conf", "/etc/coredns/Corefile"],
        "volumeMounts": [{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
        "ports": [
            {"containerPort": 53, "name": "dns", "protocol": "UDP"},
            {"containerPort": 53, "name": "dns-tcp", "protocol": "TCP"},
            {"containerPort": 9153, "name": "metrics", "protocol": "TCP"},
            {"containerPort": 8080, "name": "liveness-probe", "protocol": "TCP"},
            {"containerPort": 8181, "name": "readiness-probe", "protocol": "TCP"},
        ],
        "livenessProbe": _http_probe(
            "liveness-probe", "/health", initialDelaySeconds=60, timeoutSeconds=5, successThreshold=1, failureThreshold=5
        ),
        "readinessProbe": _http_probe("readiness-probe", "/ready"),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    labels = {"k8s-app": "kube-dns"}
    affinity = {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "podAffinityTerm": {
                        "labelSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]},
                        "topologyKey": "kubernetes.io/hostname",
                    },
                }
            ]
        }
    }
    pod = {
        "priorityClassName": "system-cluster-critical",
        "serviceAccountName": "coredns",
        "affinity": affinity,
        "tolerations": [
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
        ],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "containers": [container],
        "dnsPolicy": "Default",
        "volumes": [
            {"name": "config-volume", "configMap": {"name": "coredns", "items": [{"key": "Corefile", "path": "Corefile"}]}}
        ],
    }
    meta = _meta("coredns")
    meta["labels"] = labels
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": replicas,
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


def kube_proxy(
    server: str,
    *,
    pod_cidr: str = "",
    config: Json | None = None,
    supplied: bool = False,
    image: str = f"registry.k8s.io/kube-proxy:{VERSION}",
) -> list[tuple[str, Json]]:
    """The kube-proxy add-on; its configuration may be `supplied` by the user."""
    config = config or proxy_configuration(pod_cidr)
    secrets = "/var/run/secrets/kubernetes.io/serviceaccount"
    kubeconfig = (
        f"apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n    certificate-authority: {secrets}/ca.crt\n    server: {server}\n"
        "  name: default\ncontexts:\n- context:\n    cluster: default\n    namespace: default\n    user: default\n  name: default\n"
        f"current-context: default\nusers:\n- name: default\n  user:\n    tokenFile: {secrets}/token"
    )
    meta = _meta("kube-proxy")
    meta["labels"] = {"app": "kube-proxy"}
    data = {"config.conf": dump(config).decode().rstrip("\n"), "kubeconfig.conf": kubeconfig}
    return [
        ("configmaps", _signed({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}, supplied)),
        ("serviceaccounts", {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _meta("kube-proxy")}),
        _binding("kubeadm:node-proxier", "", "system:node-proxier", [_account("kube-proxy")]),
        _role("kube-proxy", "kube-system", [_rule(["get"], ["configmaps"], names=["kube-proxy"])]),
        _binding("kube-proxy", "kube-system", "kube-proxy", [_group("system:bootstrappers:kubeadm:default-node-token")]),
        ("daemonsets", _kube_proxy_daemonset(image)),
    ]


def _kube_proxy_daemonset(image: str) -> Json:
    labels = {"k8s-app": "kube-proxy"}
    container = {
        "name": "kube-proxy",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": [
            "/usr/local/bin/kube-proxy",
            "--config=/var/lib/kube-proxy/config.conf",
            "--hostname-override=$(NODE_NAME)",
        ],
        "env": [{"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
        "securityContext": {"privileged": True},
        "volumeMounts": [
            {"mountPath": "/var/lib/kube-proxy", "name": "kube-proxy"},
            {"mountPath": "/run/xtables.lock", "name": "xtables-lock"},
            {"mountPath": "/lib/modules", "name": "lib-modules", "readOnly": True},
        ],
    }
    pod = {
        "priorityClassName": "system-node-critical",
        "containers": [container],
        "hostNetwork": True,
        "serviceAccountName": "kube-proxy",
        "volumes": [
            {"name": "kube-proxy", "configMap": {"name": "kube-proxy"}},
            {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
            {"name": "lib-modules", "hostPath": {"path": "/lib/modules", "type": ""}},
        ],
        "tolerations": [{"operator": "Exists"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
    }
    meta = _meta("kube-proxy")
    meta["labels"] = labels
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": meta,
        "spec": {
            "selector": {"matchLabels": labels},
            "updateStrategy": {"type": "RollingUpdate"},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
