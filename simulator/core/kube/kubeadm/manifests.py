"""Static pod manifests as kubeadm writes them (cmd/kubeadm/app/phases/{controlplane,etcd}, util/staticpod).

Everything follows from a ClusterConfiguration (v1beta4, as JSON) and the address of the node: `static_pods` gives all four.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from ...kernel.versions import VERSION
from . import images
from .images import COREDNS_IMAGE, ETCD_IMAGE, PAUSE_IMAGE

__all__ = [
    "COREDNS_IMAGE",
    "ETCD_IMAGE",
    "PAUSE_IMAGE",
    "VERSION",
    "apiserver",
    "controller_manager",
    "dump",
    "etcd",
    "scheduler",
]

Json = dict[str, Any]
#: An argument's name and value.
Arg = tuple[str, str]

KUBERNETES_DIR = "/etc/kubernetes"
#: `timeouts.controlPlaneComponentHealthCheck`, seconds.
PATIENCE = 240

#: Directories of certificate authorities that an Ubuntu host has, and the volumes that kubeadm makes of them.
_TRUST_DIRS = (
    ("ca-certs", "/etc/ssl/certs"),
    ("etc-ca-certificates", "/etc/ca-certificates"),
    ("usr-local-share-ca-certificates", "/usr/local/share/ca-certificates"),
    ("usr-share-ca-certificates", "/usr/share/ca-certificates"),
)


def flags(name: str, defaults: Sequence[Arg], section: Json) -> list[str]:
    """A component's command: its defaults by name, then the `extraArgs` as they were given, in place of theirs (`ArgumentsToCommand`)."""
    extra = [(str(a["name"]), str(a.get("value", ""))) for a in section.get("extraArgs") or ()]
    replaced = {arg for arg, _ in extra}
    return [name, *(f"--{arg}={value}" for arg, value in [*sorted(d for d in defaults if d[0] not in replaced), *extra])]


def argument(section: Json, name: str) -> str | None:
    """The last value of an extra argument, or None."""
    found = [str(a.get("value", "")) for a in section.get("extraArgs") or () if a.get("name") == name]
    return found[-1] if found else None


def _probe(host: str, path: str, scheme: str, *, failures: int, initial: int = 0, period: int = 10) -> Json:
    probe: Json = {
        "failureThreshold": failures,
        "httpGet": {"host": host, "path": path, "port": "probe-port", "scheme": scheme},
        "periodSeconds": period,
        "timeoutSeconds": 15,
    }
    if initial:
        probe["initialDelaySeconds"] = initial
    return probe


def _probes(host: str, scheme: str, patience: int, *, live: str, ready: str = "", start: str) -> Json:
    found = {
        "livenessProbe": _probe(host, live, scheme, failures=8, initial=10),
        "startupProbe": _probe(host, start, scheme, failures=-(-patience // 10), initial=10),
    }
    if ready:
        found["readinessProbe"] = _probe(host, ready, scheme, failures=3, period=1)
    return found


def _volumes(pairs: Sequence[tuple[str, str, str]], section: Json) -> tuple[list[Json], list[Json]]:
    """(mounts, volumes) of read-only host paths and of `extraVolumes`, by name."""
    mounts = {name: {"mountPath": path, "name": name, "readOnly": True} for name, path, _ in pairs}
    volumes: dict[str, Json] = {name: {"hostPath": {"path": path, "type": kind}, "name": name} for name, path, kind in pairs}
    for extra in section.get("extraVolumes") or ():
        name = str(extra.get("name", ""))
        mounts[name] = {"mountPath": extra.get("mountPath", ""), "name": name}
        if extra.get("readOnly"):
            mounts[name]["readOnly"] = True
        volumes[name] = {"hostPath": {"path": extra.get("hostPath", ""), "type": extra.get("pathType") or ""}, "name": name}
    return [mounts[name] for name in sorted(mounts)], [volumes[name] for name in sorted(volumes)]


def _pod(name: str, container: Json, volumes: list[Json], annotations: Json | None = None) -> Json:
    metadata: Json = {
        "labels": {"component": name, "tier": "control-plane"},
        "name": name,
        "namespace": "kube-system",
    }
    if annotations:
        metadata["annotations"] = annotations
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "containers": [container],
            "hostNetwork": True,
            "priority": 2000001000,
            "priorityClassName": "system-node-critical",
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "volumes": volumes,
        },
        "status": {},
    }


def _container(name: str, image: str, command: list[str], port: int, cpu: str, section: Json, **extra: Any) -> Json:
    container = {
        "command": command,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "ports": [{"containerPort": port, "name": "probe-port", "protocol": "TCP"}],
        "resources": {"requests": {"cpu": cpu}},
        **extra,
    }
    if section.get("extraEnvs"):
        container["env"] = sorted(section["extraEnvs"], key=lambda env: str(env.get("name", "")))
    return container


def _etcd_arguments(cluster: Json, pki: str) -> list[Arg]:
    """How the API server reaches etcd."""
    external = (cluster.get("etcd") or {}).get("external")
    if external:
        found = [("etcd-servers", ",".join(external.get("endpoints") or ()))]
        if external.get("caFile"):
            found.append(("etcd-cafile", external["caFile"]))
        if external.get("certFile") and external.get("keyFile"):
            found += [("etcd-certfile", external["certFile"]), ("etcd-keyfile", external["keyFile"])]
        return found
    advertised = argument((cluster.get("etcd") or {}).get("local") or {}, "advertise-client-urls")
    return [
        ("etcd-servers", advertised or "https://127.0.0.1:2379"),
        ("etcd-cafile", f"{pki}/etcd/ca.crt"),
        ("etcd-certfile", f"{pki}/apiserver-etcd-client.crt"),
        ("etcd-keyfile", f"{pki}/apiserver-etcd-client.key"),
    ]


def apiserver(cluster: Json, ip: str, port: int = 6443, *, patience: int = PATIENCE) -> Json:
    """kube-apiserver.yaml."""
    pki, section = cluster["certificatesDir"], cluster.get("apiServer") or {}
    defaults = [
        ("advertise-address", ip),
        ("allow-privileged", "true"),
        ("client-ca-file", f"{pki}/ca.crt"),
        ("enable-admission-plugins", "NodeRestriction"),
        ("enable-bootstrap-token-auth", "true"),
        *_etcd_arguments(cluster, pki),
        ("kubelet-client-certificate", f"{pki}/apiserver-kubelet-client.crt"),
        ("kubelet-client-key", f"{pki}/apiserver-kubelet-client.key"),
        ("kubelet-preferred-address-types", "InternalIP,ExternalIP,Hostname"),
        ("proxy-client-cert-file", f"{pki}/front-proxy-client.crt"),
        ("proxy-client-key-file", f"{pki}/front-proxy-client.key"),
        ("requestheader-allowed-names", "front-proxy-client"),
        ("requestheader-client-ca-file", f"{pki}/front-proxy-ca.crt"),
        ("requestheader-extra-headers-prefix", "X-Remote-Extra-"),
        ("requestheader-group-headers", "X-Remote-Group"),
        ("requestheader-username-headers", "X-Remote-User"),
        ("secure-port", str(port)),
        ("service-account-issuer", f"https://kubernetes.default.svc.{cluster['networking']['dnsDomain']}"),
        ("service-account-key-file", f"{pki}/sa.pub"),
        ("service-account-signing-key-file", f"{pki}/sa.key"),
        ("service-cluster-ip-range", cluster["networking"]["serviceSubnet"]),
        ("tls-cert-file", f"{pki}/apiserver.crt"),
        ("tls-private-key-file", f"{pki}/apiserver.key"),
    ]
    if argument(section, "authorization-config") is None:
        defaults.append(("authorization-mode", "Node,RBAC"))
    pairs = [(name, path, "DirectoryOrCreate") for name, path in (*_TRUST_DIRS, ("k8s-certs", pki))]
    mounts, volumes = _volumes(pairs, section)
    container = _container(
        "kube-apiserver",
        images.component("kube-apiserver", cluster),
        flags("kube-apiserver", defaults, section),
        port,
        "250m",
        section,
        volumeMounts=mounts,
        **_probes(ip, "HTTPS", patience, live="/livez", ready="/readyz", start="/livez"),
    )
    annotations = {"kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": f"{ip}:{port}"}
    return _pod("kube-apiserver", container, volumes, annotations)


def controller_manager(cluster: Json, *, external_ca: bool = False, patience: int = PATIENCE) -> Json:
    """kube-controller-manager.yaml; without the CA's key it signs nothing."""
    pki, section = cluster["certificatesDir"], cluster.get("controllerManager") or {}
    conf, net = f"{KUBERNETES_DIR}/controller-manager.conf", cluster["networking"]
    defaults = [
        ("authentication-kubeconfig", conf),
        ("authorization-kubeconfig", conf),
        ("bind-address", "127.0.0.1"),
        ("client-ca-file", f"{pki}/ca.crt"),
        ("cluster-name", cluster["clusterName"]),
        ("cluster-signing-cert-file", "" if external_ca else f"{pki}/ca.crt"),
        ("cluster-signing-key-file", "" if external_ca else f"{pki}/ca.key"),
        ("controllers", "*,bootstrapsigner,tokencleaner"),
        ("kubeconfig", conf),
        ("leader-elect", "true"),
        ("requestheader-client-ca-file", f"{pki}/front-proxy-ca.crt"),
        ("root-ca-file", f"{pki}/ca.crt"),
        ("service-account-private-key-file", f"{pki}/sa.key"),
        ("use-service-account-credentials", "true"),
    ]
    if net.get("podSubnet"):
        defaults += [("allocate-node-cidrs", "true"), ("cluster-cidr", net["podSubnet"])]
        if net.get("serviceSubnet"):
            defaults.append(("service-cluster-ip-range", net["serviceSubnet"]))
    pairs = [(name, path, "DirectoryOrCreate") for name, path in (*_TRUST_DIRS, ("k8s-certs", pki))]
    mounts, volumes = _volumes([*pairs, ("kubeconfig", conf, "FileOrCreate")], section)
    address = argument(section, "bind-address") or "127.0.0.1"
    container = _container(
        "kube-controller-manager",
        images.component("kube-controller-manager", cluster),
        flags("kube-controller-manager", defaults, section),
        10257,
        "200m",
        section,
        volumeMounts=mounts,
        **_probes(_probed(address), "HTTPS", patience, live="/healthz", start="/healthz"),
    )
    return _pod("kube-controller-manager", container, volumes)


def _probed(address: str) -> str:
    """Where a component that listens on `address` is asked for its health."""
    return "127.0.0.1" if address in ("0.0.0.0", "") else "::1" if address == "::" else address


def scheduler(cluster: Json, *, patience: int = PATIENCE) -> Json:
    """kube-scheduler.yaml."""
    conf, section = f"{KUBERNETES_DIR}/scheduler.conf", cluster.get("scheduler") or {}
    defaults = [
        ("authentication-kubeconfig", conf),
        ("authorization-kubeconfig", conf),
        ("bind-address", "127.0.0.1"),
        ("kubeconfig", conf),
        ("leader-elect", "true"),
    ]
    mounts, volumes = _volumes([("kubeconfig", conf, "FileOrCreate")], section)
    address = argument(section, "bind-address") or "127.0.0.1"
    container = _container(
        "kube-scheduler",
        images.component("kube-scheduler", cluster),
        flags("kube-scheduler", defaults, section),
        10259,
        "100m",
        section,
        volumeMounts=mounts,
        **_probes(_probed(address), "HTTPS", patience, live="/livez", ready="/readyz", start="/livez"),
    )
    return _pod("kube-scheduler", container, volumes)


def etcd(
    cluster: Json, node: str, ip: str, *, members: Sequence[tuple[str, str]] = (), patience: int = PATIENCE, tool: str = VERSION
) -> Json:
    """etcd.yaml of a stacked member; `members` (name, peer URL) are those of the cluster that it joins, itself among them."""
    local, pki = (cluster.get("etcd") or {}).get("local") or {}, f"{cluster['certificatesDir']}/etcd"
    data = local.get("dataDir") or "/var/lib/etcd"
    defaults = [
        ("advertise-client-urls", f"https://{ip}:2379"),
        ("cert-file", f"{pki}/server.crt"),
        ("client-cert-auth", "true"),
        ("data-dir", data),
        ("feature-gates", "InitialCorruptCheck=true"),
        ("initial-advertise-peer-urls", f"https://{ip}:2380"),
        ("initial-cluster", ",".join(f"{name}={url}" for name, url in members) or f"{node}=https://{ip}:2380"),
        ("key-file", f"{pki}/server.key"),
        ("listen-client-urls", f"https://127.0.0.1:2379,https://{ip}:2379"),
        ("listen-metrics-urls", "http://127.0.0.1:2381"),
        ("listen-peer-urls", f"https://{ip}:2380"),
        ("name", node),
        ("peer-cert-file", f"{pki}/peer.crt"),
        ("peer-client-cert-auth", "true"),
        ("peer-key-file", f"{pki}/peer.key"),
        ("peer-trusted-ca-file", f"{pki}/ca.crt"),
        ("snapshot-count", "10000"),
        ("trusted-ca-file", f"{pki}/ca.crt"),
        ("watch-progress-notify-interval", "5s"),
    ]
    if members:
        defaults.append(("initial-cluster-state", "existing"))
    container = _container(
        "etcd",
        images.etcd(cluster, tool),
        flags("etcd", defaults, local),
        2381,
        "100m",
        local,
        volumeMounts=[{"mountPath": data, "name": "etcd-data"}, {"mountPath": pki, "name": "etcd-certs"}],
        **_probes("127.0.0.1", "HTTP", patience, live="/livez", ready="/readyz", start="/readyz"),
    )
    container["resources"]["requests"]["memory"] = "100Mi"
    volumes = [
        {"hostPath": {"path": pki, "type": "DirectoryOrCreate"}, "name": "etcd-certs"},
        {"hostPath": {"path": data, "type": "DirectoryOrCreate"}, "name": "etcd-data"},
    ]
    return _pod("etcd", container, volumes, {"kubeadm.kubernetes.io/etcd.advertise-client-urls": f"https://{ip}:2379"})


#: Scalars that PyYAML puts into single quotes and go-yaml into double ones: empty, numbers, words of another type.
_OTHER_TYPE = re.compile(r"(?m)(: |- )'([\w.+:-]*)'$")


def dump(obj: Json) -> bytes:
    """YAML as kubeadm writes it: sorted keys, lists not indented, texts that look like another type in double quotes."""
    text: str = yaml.dump(obj, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), default_flow_style=False, width=10_000)
    return _OTHER_TYPE.sub(r'\1"\2"', text).encode()
