"""Static pod manifests as kubeadm 1.36 writes them (cmd/kubeadm/app/phases/{controlplane,etcd})."""

from __future__ import annotations

from typing import Any

import yaml

VERSION = "v1.36.2"
ETCD_IMAGE = "registry.k8s.io/etcd:3.6.8-0"
PAUSE_IMAGE = "registry.k8s.io/pause:3.10.2"
COREDNS_IMAGE = "registry.k8s.io/coredns/coredns:v1.14.2"
PKI = "/etc/kubernetes/pki"

Json = dict[str, Any]


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


def _volume(name: str, path: str, kind: str = "DirectoryOrCreate") -> tuple[Json, Json]:
    mount = {"mountPath": path, "name": name, "readOnly": True}
    return mount, {"hostPath": {"path": path, "type": kind}, "name": name}


_CERT_DIRS = (
    ("ca-certs", "/etc/ssl/certs"),
    ("etc-ca-certificates", "/etc/ca-certificates"),
    ("k8s-certs", PKI),
    ("usr-local-share-ca-certificates", "/usr/local/share/ca-certificates"),
    ("usr-share-ca-certificates", "/usr/share/ca-certificates"),
)


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


def _container(name: str, image: str, command: list[str], port: int, cpu: str, **extra: Any) -> Json:
    return {
        "command": command,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "name": name,
        "ports": [{"containerPort": port, "name": "probe-port", "protocol": "TCP"}],
        "resources": {"requests": {"cpu": cpu}},
        **extra,
    }


def apiserver(ip: str, *, etcd_servers: str = "https://127.0.0.1:2379", service_cidr: str = "10.96.0.0/12") -> Json:
    """kube-apiserver.yaml."""
    command = [
        "kube-apiserver",
        f"--advertise-address={ip}",
        "--allow-privileged=true",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={PKI}/ca.crt",
        "--enable-admission-plugins=NodeRestriction",
        "--enable-bootstrap-token-auth=true",
        f"--etcd-cafile={PKI}/etcd/ca.crt",
        f"--etcd-certfile={PKI}/apiserver-etcd-client.crt",
        f"--etcd-keyfile={PKI}/apiserver-etcd-client.key",
        f"--etcd-servers={etcd_servers}",
        f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
        f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
        "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
        f"--proxy-client-cert-file={PKI}/front-proxy-client.crt",
        f"--proxy-client-key-file={PKI}/front-proxy-client.key",
        "--requestheader-allowed-names=front-proxy-client",
        f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User",
        "--secure-port=6443",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={PKI}/sa.pub",
        f"--service-account-signing-key-file={PKI}/sa.key",
        f"--service-cluster-ip-range={service_cidr}",
        f"--tls-cert-file={PKI}/apiserver.crt",
        f"--tls-private-key-file={PKI}/apiserver.key",
    ]
    mounts, volumes = zip(*(_volume(n, p) for n, p in _CERT_DIRS), strict=True)
    container = _container(
        "kube-apiserver",
        f"registry.k8s.io/kube-apiserver:{VERSION}",
        command,
        6443,
        "250m",
        livenessProbe=_probe(ip, "/livez", "HTTPS", failures=8, initial=10),
        readinessProbe=_probe(ip, "/readyz", "HTTPS", failures=3, period=1),
        startupProbe=_probe(ip, "/livez", "HTTPS", failures=24, initial=10),
        volumeMounts=list(mounts),
    )
    annotations = {"kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint": f"{ip}:6443"}
    return _pod("kube-apiserver", container, list(volumes), annotations)


def controller_manager(*, pod_cidr: str, service_cidr: str = "10.96.0.0/12") -> Json:
    """kube-controller-manager.yaml."""
    conf = "/etc/kubernetes/controller-manager.conf"
    command = [
        "kube-controller-manager",
        "--allocate-node-cidrs=true",
        f"--authentication-kubeconfig={conf}",
        f"--authorization-kubeconfig={conf}",
        "--bind-address=127.0.0.1",
        f"--client-ca-file={PKI}/ca.crt",
        f"--cluster-cidr={pod_cidr}",
        "--cluster-name=kubernetes",
        f"--cluster-signing-cert-file={PKI}/ca.crt",
        f"--cluster-signing-key-file={PKI}/ca.key",
        "--controllers=*,bootstrapsigner,tokencleaner",
        f"--kubeconfig={conf}",
        "--leader-elect=true",
        f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
        f"--root-ca-file={PKI}/ca.crt",
        f"--service-account-private-key-file={PKI}/sa.key",
        f"--service-cluster-ip-range={service_cidr}",
        "--use-service-account-credentials=true",
    ]
    pairs = [_volume(n, p) for n, p in _CERT_DIRS]
    pairs.insert(3, _volume("kubeconfig", conf, "FileOrCreate"))
    container = _container(
        "kube-controller-manager",
        f"registry.k8s.io/kube-controller-manager:{VERSION}",
        command,
        10257,
        "200m",
        livenessProbe=_probe("127.0.0.1", "/healthz", "HTTPS", failures=8, initial=10),
        startupProbe=_probe("127.0.0.1", "/healthz", "HTTPS", failures=24, initial=10),
        volumeMounts=[m for m, _ in pairs],
    )
    return _pod("kube-controller-manager", container, [v for _, v in pairs])


def scheduler() -> Json:
    """kube-scheduler.yaml."""
    conf = "/etc/kubernetes/scheduler.conf"
    command = [
        "kube-scheduler",
        f"--authentication-kubeconfig={conf}",
        f"--authorization-kubeconfig={conf}",
        "--bind-address=127.0.0.1",
        f"--kubeconfig={conf}",
        "--leader-elect=true",
    ]
    mount, volume = _volume("kubeconfig", conf, "FileOrCreate")
    container = _container(
        "kube-scheduler",
        f"registry.k8s.io/kube-scheduler:{VERSION}",
        command,
        10259,
        "100m",
        livenessProbe=_probe("127.0.0.1", "/livez", "HTTPS", failures=8, initial=10),
        readinessProbe=_probe("127.0.0.1", "/readyz", "HTTPS", failures=3, period=1),
        startupProbe=_probe("127.0.0.1", "/livez", "HTTPS", failures=24, initial=10),
        volumeMounts=[mount],
    )
    return _pod("kube-scheduler", container, [volume])


def etcd(node: str, ip: str) -> Json:
    """etcd.yaml of a stacked member."""
    pki = f"{PKI}/etcd"
    command = [
        "etcd",
        f"--advertise-client-urls=https://{ip}:2379",
        f"--cert-file={pki}/server.crt",
        "--client-cert-auth=true",
        "--data-dir=/var/lib/etcd",
        "--feature-gates=InitialCorruptCheck=true",
        f"--initial-advertise-peer-urls=https://{ip}:2380",
        f"--initial-cluster={node}=https://{ip}:2380",
        f"--key-file={pki}/server.key",
        f"--listen-client-urls=https://127.0.0.1:2379,https://{ip}:2379",
        "--listen-metrics-urls=http://127.0.0.1:2381",
        f"--listen-peer-urls=https://{ip}:2380",
        f"--name={node}",
        f"--peer-cert-file={pki}/peer.crt",
        "--peer-client-cert-auth=true",
        f"--peer-key-file={pki}/peer.key",
        f"--peer-trusted-ca-file={pki}/ca.crt",
        "--snapshot-count=10000",
        f"--trusted-ca-file={pki}/ca.crt",
        "--watch-progress-notify-interval=5s",
    ]
    container = _container(
        "etcd",
        ETCD_IMAGE,
        command,
        2381,
        "100m",
        livenessProbe=_probe("127.0.0.1", "/livez", "HTTP", failures=8, initial=10),
        readinessProbe=_probe("127.0.0.1", "/readyz", "HTTP", failures=3, period=1),
        startupProbe=_probe("127.0.0.1", "/readyz", "HTTP", failures=24, initial=10),
        volumeMounts=[{"mountPath": "/var/lib/etcd", "name": "etcd-data"}, {"mountPath": pki, "name": "etcd-certs"}],
    )
    container["resources"]["requests"]["memory"] = "100Mi"
    volumes = [
        {"hostPath": {"path": pki, "type": "DirectoryOrCreate"}, "name": "etcd-certs"},
        {"hostPath": {"path": "/var/lib/etcd", "type": "DirectoryOrCreate"}, "name": "etcd-data"},
    ]
    return _pod("etcd", container, volumes, {"kubeadm.kubernetes.io/etcd.advertise-client-urls": f"https://{ip}:2379"})


def dump(obj: Json) -> bytes:
    """YAML as kubeadm writes it: sorted keys, lists not indented."""
    text: str = yaml.dump(obj, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), default_flow_style=False, width=10_000)
    return text.encode()
