"""The kubelet's flags and configuration file (`cmd/kubelet/app/options`, `pkg/kubelet/apis/config/v1beta1/defaults.go`)."""

from __future__ import annotations

from typing import Any

import yaml

from ...host.process import Process
from ...host.program import Exited
from ...kernel import clock
from ...kernel.world import World
from .. import component

Obj = dict[str, Any]

FLAGS: component.FlagSpec = {
    **component.GLOBAL_FLAGS,
    "bootstrap-kubeconfig": "string",
    "config": "string",
    "config-dir": "string",
    "container-runtime-endpoint": "string",
    "image-service-endpoint": "string",
    "hostname-override": "string",
    "node-ip": "string",
    "node-labels": "string",
    "register-node": "bool",
    "register-with-taints": "string",
    "pod-infra-container-image": "string",
    "pod-manifest-path": "string",
    "root-dir": "string",
    "cert-dir": "string",
    "cloud-provider": "string",
    "cgroup-driver": "string",
    "cluster-dns": "strings",
    "cluster-domain": "string",
    "fail-swap-on": "bool",
    "max-pods": "int32",
    "pod-cidr": "string",
    "port": "int32",
    "resolv-conf": "string",
    "rotate-certificates": "bool",
    "rotate-server-certificates": "bool",
    "runtime-cgroups": "string",
    "kubelet-cgroups": "string",
    "tls-cert-file": "string",
    "tls-private-key-file": "string",
    "anonymous-auth": "bool",
    "authorization-mode": "string",
    "client-ca-file": "string",
    "read-only-port": "int32",
    "serialize-image-pulls": "bool",
    "sync-frequency": "duration",
    "system-reserved": "string",
    "kube-reserved": "string",
    "eviction-hard": "string",
    "lock-file": "string",
    "node-status-update-frequency": "duration",
    "address": "ip",
    "exit-on-lock-contention": "bool",
}

_DURATIONS: dict[str, int] = {
    "fileCheckFrequency": 20 * clock.SECOND,
    "nodeStatusUpdateFrequency": 10 * clock.SECOND,
    "nodeStatusReportFrequency": 5 * clock.MINUTE,
    "syncFrequency": clock.MINUTE,
}


def load(world: World, proc: Process) -> tuple[dict[str, str], Obj]:
    """(flags, configuration with defaults); a fault ends the kubelet with the real one's words."""
    flags = component.flags_or_exit(world, proc, FLAGS)
    config: Obj = {}
    path = flags.get("config")
    if path:
        try:
            text = component.read_file(world, proc, path)
        except OSError:
            raise _fail(
                world, proc, f'failed to load kubelet config file, path: {path}, error: failed to load Kubelet config file {path}, error failed to read kubelet config file "{path}", '
                f"error: open {path}: no such file or directory",
            ) from None  # fmt: skip
        config = _parse(world, proc, path, text)
    for key, default in _DURATIONS.items():
        try:
            config[key + "Ns"] = component.parse_duration(str(config.get(key) or "0s")) or default
        except ValueError:
            config[key + "Ns"] = default
    if "pod-manifest-path" in flags:
        config["staticPodPath"] = flags["pod-manifest-path"]
    if "cluster-dns" in flags:
        config["clusterDNS"] = flags["cluster-dns"].split(",")
    config.setdefault("clusterDomain", flags.get("cluster-domain", "cluster.local"))
    config.setdefault("maxPods", int(flags.get("max-pods", "110")))
    config.setdefault("port", 10250)
    config.setdefault("healthzPort", 10248)
    config.setdefault("healthzBindAddress", "127.0.0.1")
    return flags, config


def _parse(world: World, proc: Process, path: str, text: bytes) -> Obj:
    head = f"failed to load kubelet config file, path: {path}, error: failed to load Kubelet config file {path}, error "
    try:
        parsed = yaml.load(text[:1_000_000], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as failed:
        line = getattr(getattr(failed, "problem_mark", None), "line", 0) + 1
        problem = getattr(failed, "problem", "") or "did not find expected node content"
        raise _fail(world, proc, head + f"failed to decode: yaml: line {line}: {problem}") from None
    if not isinstance(parsed, dict):
        raise _fail(world, proc, head + "failed to decode: couldn't get version/kind; json parse error")
    if parsed.get("kind") != "KubeletConfiguration":
        kind, version = parsed.get("kind", ""), parsed.get("apiVersion", "")
        raise _fail(
            world,
            proc,
            head
            + f'failed to decode: no kind "{kind}" is registered for version "{version}" in scheme "k8s.io/kubernetes/pkg/kubelet/apis/config/scheme/scheme.go:33"',
        )
    return parsed


def _fail(world: World, proc: Process, message: str) -> Exited:
    return component.fail(world, proc, "run.go:72", message)
