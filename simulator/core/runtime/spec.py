"""A container's OCI runtime configuration (`config.json`) and where runc keeps its state (opencontainers/runtime-spec; containerd `pkg/oci`)."""

from __future__ import annotations

from typing import Any

from ..kernel.world import World
from . import cgroups
from .state import Container, Sandbox, runtime

Obj = dict[str, Any]
CAPABILITIES = [
    "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP",
    "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL", "CAP_AUDIT_WRITE",
]  # fmt: skip
_MASKED = ["/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
           "/sys/firmware", "/sys/devices/virtual/powercap", "/proc/scsi"]  # fmt: skip
_READONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def _mounts() -> list[Obj]:
    return [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid", "noexec", "nodev"]},
        {
            "destination": "/dev",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
        {
            "destination": "/dev/pts",
            "type": "devpts",
            "source": "devpts",
            "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        },
        {
            "destination": "/dev/shm",
            "type": "tmpfs",
            "source": "shm",
            "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
        },
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
        {
            "destination": "/run",
            "type": "tmpfs",
            "source": "tmpfs",
            "options": ["nosuid", "strictatime", "mode=755", "size=65536k"],
        },
    ]


def config(
    *, args: list[str], env: list[str], cwd: str = "/", uid: int = 0, tty: bool = False, hostname: str = "", mounts: list[Obj] | None = None,
    cgroup: str = "/default", memory: int = 0, annotations: dict[str, str] | None = None, host_network: bool = False, netns: str = "",
) -> Obj:  # fmt: skip
    """A `config.json`."""
    namespaces: list[Obj] = [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}]
    if not host_network:
        namespaces.append({"type": "network", **({"path": netns} if netns else {})})
    namespaces.append({"type": "cgroup"})
    capabilities = dict.fromkeys(("bounding", "effective", "permitted"), CAPABILITIES)
    process: Obj = {
        **({"terminal": True} if tty else {}), "user": {"uid": uid, "gid": uid, "additionalGids": [uid]}, "args": args, "env": env, "cwd": cwd, "capabilities": capabilities,
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}], "noNewPrivileges": True,
    }  # fmt: skip
    resources: Obj = {"devices": [{"allow": False, "access": "rwm"}]}
    if memory:
        resources["memory"] = {"limit": memory}
    return {
        "ociVersion": "1.2.1", "process": process, "root": {"path": "rootfs"}, **({"hostname": hostname} if hostname else {}), "mounts": _mounts() + (mounts or []),
        **({"annotations": annotations} if annotations else {}),
        "linux": {"resources": resources, "cgroupsPath": cgroup, "namespaces": namespaces, "maskedPaths": _MASKED, "readonlyPaths": _READONLY},
    }  # fmt: skip


def cgroup_path(world: World, host: str, container: Container | Sandbox) -> str:
    """A container's cgroup as `cgroupsPath` has it: slice, prefix and name with the systemd driver, a plain path without."""
    path = cgroups.path_of(world, host, container)
    folder, _, scope = path.rpartition("/")
    if not scope.endswith(".scope"):
        return path
    kind = "docker" if scope.startswith("docker-") else "cri-containerd"
    return f"{folder.rpartition('/')[2]}:{kind}:{container.id}"


def of_container(world: World, host: str, container: Container) -> Obj:
    """The configuration that a container's bundle holds."""
    uid = container.user.partition(":")[0]
    mounts = [
        {
            "destination": m.target,
            "type": "bind",
            "source": m.source,
            "options": ["rbind", "rprivate", "ro" if m.readonly else "rw"],
        }
        for m in container.mounts
    ]
    annotations = dict(sorted(container.annotations.items()))
    if container.sandbox:
        annotations |= {
            "io.kubernetes.cri.container-name": container.name, "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.image-name": container.image,
            "io.kubernetes.cri.sandbox-id": container.sandbox, "io.kubernetes.cri.sandbox-name": container.labels.get("io.kubernetes.pod.name", ""),
            "io.kubernetes.cri.sandbox-namespace": container.labels.get("io.kubernetes.pod.namespace", ""), "io.kubernetes.cri.sandbox-uid": container.labels.get("io.kubernetes.pod.uid", ""),
        }  # fmt: skip
    sandbox = runtime(world, host).sandboxes.get(container.sandbox)
    return config(
        args=container.argv, env=[f"{k}={v}" for k, v in container.env.items()], cwd=container.cwd, uid=int(uid) if uid.isdigit() else 0, tty=container.tty,
        hostname="" if container.sandbox else container.hostname, mounts=mounts, cgroup=cgroup_path(world, host, container), memory=container.memory_limit, annotations=annotations,
        host_network=container.netns == host, netns=f"/proc/{sandbox.pid}/ns/net" if sandbox is not None and not sandbox.host_network else "",
    )  # fmt: skip


def of_sandbox(sandbox: Sandbox) -> Obj:
    """The configuration of a pod's pause container."""
    return config(
        args=["/pause"], env=["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"], uid=65535, hostname=sandbox.hostname or sandbox.name,
        cgroup=f"{cgroups.pod_slice(sandbox)}:cri-containerd:{sandbox.id}", host_network=sandbox.host_network,
        annotations={
            "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": sandbox.id, "io.kubernetes.cri.sandbox-name": sandbox.name,
            "io.kubernetes.cri.sandbox-namespace": sandbox.namespace, "io.kubernetes.cri.sandbox-uid": sandbox.uid,
        },
    )  # fmt: skip


def bundle(space: str, ident: str) -> str:
    """The directory of a task's bundle."""
    return f"/run/containerd/io.containerd.runtime.v2.task/{space}/{ident}"
