"""Control groups as the kubelet and systemd lay them out (cgroup v2, systemd driver), and `/sys/fs/cgroup` over them.

Nothing is stored: the tree is made from the units, sandboxes and containers whenever somebody looks.  A pod's slice follows its QoS class
(pkg/kubelet/cm/qos_container_manager_linux.go), as does `oom_score_adj` (pkg/kubelet/qos/policy.go).  A container sees its own group as `/`.
"""

from __future__ import annotations

from collections.abc import Callable

from ..host import pidspace, procfs
from ..host.inodes import Inode
from ..host.machine import Host
from ..host.process import Process
from ..kernel.world import World
from .state import Container, RuntimeState, Sandbox, find_container, runtime, runtimes
from .usage import of_container

ROOT = "/sys/fs/cgroup"
CONTROLLERS = "cpuset cpu io memory hugetlb pids rdma misc"
#: What units have in their `OOMScoreAdjust=`.
UNITS = {"kubelet.service": -999, "containerd.service": -999, "docker.service": -500, "ssh.service": -1000, "dbus.service": -900,
         "systemd-journald.service": -250, "systemd-udevd.service": -1000}  # fmt: skip
#: Files of every group but the root's, in the order of the directory.
FILES = ("cgroup.controllers", "cgroup.events", "cgroup.max.depth", "cgroup.max.descendants", "cgroup.procs", "cgroup.stat", "cgroup.subtree_control",
         "cgroup.threads", "cgroup.type", "cpu.max", "cpu.stat", "cpu.weight", "memory.current", "memory.events", "memory.high", "memory.low", "memory.max",
         "memory.min", "memory.peak", "memory.stat", "memory.swap.current", "memory.swap.max", "pids.current", "pids.max", "pids.peak")  # fmt: skip
PAUSE_SCORE = -998


def pod_slice(sandbox: Sandbox) -> str:
    """A pod's slice below `/kubepods.slice`, such as `kubepods-burstable-pod<uid>.slice`; guaranteed pods have no class in it."""
    middle = "" if sandbox.qos == "guaranteed" else f"-{sandbox.qos or 'besteffort'}"
    return f"kubepods{middle}-pod{sandbox.uid.replace('-', '_')}.slice"


def above(folder: str) -> str:
    """The directory of a pod's slice."""
    for kind in ("besteffort", "burstable"):
        if folder.startswith(f"kubepods-{kind}-"):
            return f"/kubepods.slice/kubepods-{kind}.slice"
    return "/kubepods.slice"


def path_of(world: World, host: str, container: Container | Sandbox) -> str:
    """A container's (or pause container's) group from the root of the hierarchy."""
    if isinstance(container, Sandbox):
        folder = pod_slice(container)
        return f"{above(folder)}/{folder}/cri-containerd-{container.id}.scope"
    if container.sandbox:
        sandbox = runtime(world, host).sandboxes.get(container.sandbox)
        if sandbox is not None:
            folder = pod_slice(sandbox)
            return f"{above(folder)}/{folder}/cri-containerd-{container.id}.scope"
    if container.namespace == "moby":
        return f"/system.slice/docker-{container.id}.scope"
    return f"/{container.namespace}/{container.id}"


def group_of(world: World, host: Host, proc: Process) -> str:
    """The group of any process of the host."""
    if not proc.container:
        return procfs.cgroup(proc)
    container = find_container(world, host.name, proc.container)
    found: Container | Sandbox | None = container or runtime(world, host.name).sandboxes.get(proc.container)
    return "/system.slice/containerd.service" if found is None else path_of(world, host.name, found)


def score(world: World, host: Host, proc: Process) -> int:
    """A process's `oom_score_adj`."""
    if not proc.container:
        return UNITS.get(proc.unit, 0)
    container = find_container(world, host.name, proc.container)
    return container.oom if container is not None else PAUSE_SCORE


def proc_cgroup(world: World, host: Host, pid: str, mnt: str) -> bytes:
    """`/proc/<pid>/cgroup` of a process in a container: its scope as the host sees it, `/` as it does itself (cgroup namespaces)."""
    proc = host.processes.get(int(pid))
    return b"0::/\n" if mnt != "host" or proc is None else f"0::{group_of(world, host, proc)}\n".encode()


def proc_oom(world: World, host: Host, rest: str, mnt: str) -> bytes:
    """`/proc/<pid>/oom_score_adj` and `oom_score` (mm/oom_kill.c: the share of memory in thousandths, plus the adjustment, scaled to 0–2000)."""
    pid, _, what = rest.partition(":")
    proc = procfs.find(host, int(pid))
    if proc is None:
        return b""
    adjustment = score(world, host, proc) if proc.pid != 1 else 0
    if what == "adj":
        return b"%d\n" % adjustment
    return b"%d\n" % (
        0 if adjustment == -1000 else max((1000 + adjustment + 1000 * proc.memory_kib // host.memory_kib) * 2 // 3, 0)
    )


# -- /sys/fs/cgroup -----------------------------------------------------------------------------------------------------------------
def _groups(world: World, host: Host) -> dict[str, Container | Sandbox | None]:
    """Every group of a host: what it is the scope of, None for a slice or a unit."""
    found: dict[str, Container | Sandbox | None] = {"/init.scope": None, "/system.slice": None, "/user.slice": None}
    for proc in host.processes.values():
        found.setdefault(group_of(world, host, proc), None)
    state = runtimes(world).get(host.name, RuntimeState())
    scopes: list[Container | Sandbox] = [s for s in state.sandboxes.values() if s.state == "READY"]
    scopes += [c for space in state.namespaces.values() for c in space.containers.values() if c.state == "RUNNING"]
    for scope in scopes:
        found[path_of(world, host.name, scope)] = scope
    if any(path.startswith("/kubepods.slice") for path in found) or any(p.program == "kubelet" for p in host.processes.values()):
        found |= dict.fromkeys(
            ("/kubepods.slice", "/kubepods.slice/kubepods-besteffort.slice", "/kubepods.slice/kubepods-burstable.slice")
        )
    for path in list(found):
        parts = path.split("/")
        for end in range(2, len(parts)):
            found.setdefault("/".join(parts[:end]), None)
    return found


def directory(world: World, host: Host, mnt: str) -> Inode | None:
    """What `/sys/fs/cgroup` is in a mount namespace; None where nothing is mounted (a chroot)."""
    top = ""
    if mnt != "host":
        proc = next((p for p in host.processes.values() if p.mnt == mnt and p.container), None)
        if proc is None:
            return None
        top = group_of(world, host, proc)
    root = Inode("dir", 0o555, children={})
    for path in sorted(_groups(world, host)):
        if not (path + "/").startswith(top + "/"):
            continue
        here = root
        for part in path[len(top) :].split("/"):
            if part:
                assert here.children is not None
                here = here.children.setdefault(part, Inode("dir", 0o755, children={}))
        _fill(here, path, mnt)
    if not top:
        _fill(root, "", mnt)
    return root


def _fill(folder: Inode, path: str, mnt: str) -> None:
    assert folder.children is not None
    for name in (
        FILES
        if path
        else ("cgroup.controllers", "cgroup.procs", "cgroup.stat", "cgroup.subtree_control", "cpu.stat", "memory.stat")
    ):
        folder.children[name] = Inode("virtual", 0o444 if mnt != "host" else 0o644, target=f"cgroupfs:{path}:{name}")


def content(world: World, host: Host, rest: str, mnt: str) -> bytes:
    """A file of a group, computed when it is read."""
    path, _, name = rest.rpartition(":")
    groups = _groups(world, host)
    below = [scope for key, scope in groups.items() if scope is not None and (key + "/").startswith(path + "/")]
    procs = [p for p in host.processes.values() if group_of(world, host, p) == path]
    inside = [p for p in host.processes.values() if (group_of(world, host, p) + "/").startswith(path + "/")]
    scope = groups.get(path)
    used = [of_container(world, host.name, c) for c in below if isinstance(c, Container)]
    memory = sum(p.memory_kib for p in inside) * 1024
    limit, quota, weight = _limits(path, scope, below)
    cpu = sum(use.cpu_ns for use in used) // 1000
    makers: dict[str, Callable[[], str]] = {
        "cgroup.controllers": lambda: CONTROLLERS, "cgroup.subtree_control": lambda: "" if scope is not None else CONTROLLERS, "cgroup.type": lambda: "domain",
        "cgroup.procs": lambda: "\n".join(str(n) for n in _numbers(host, procs, mnt)), "cgroup.threads": lambda: "\n".join(str(n) for n in _numbers(host, procs, mnt)),
        "cgroup.events": lambda: f"populated {int(bool(inside))}\nfrozen {int(isinstance(scope, Container) and scope.paused)}",
        "cgroup.stat": lambda: f"nr_descendants {sum(key.startswith(path + '/') for key in groups)}\nnr_dying_descendants 0",
        "cgroup.max.depth": lambda: "max", "cgroup.max.descendants": lambda: "max", "cpu.max": lambda: f"{quota * 100 if quota else 'max'} 100000",
        "cpu.weight": lambda: str(weight), "cpu.stat": lambda: f"usage_usec {cpu}\nuser_usec {cpu * 3 // 5}\nsystem_usec {cpu - cpu * 3 // 5}\nnr_periods 0\nnr_throttled 0\nthrottled_usec 0\nnr_bursts 0\nburst_usec 0",
        "memory.current": lambda: str(memory), "memory.peak": lambda: str(memory), "memory.max": lambda: str(limit or "max"), "memory.high": lambda: "max", "memory.min": lambda: "0", "memory.low": lambda: "0",
        "memory.events": lambda: "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0", "memory.stat": lambda: f"anon {memory}\nfile 0\nkernel 0\nshmem 0\ninactive_file 0",
        "memory.swap.current": lambda: "0", "memory.swap.max": lambda: "0" if path.startswith("/kubepods") else "max",
        "pids.current": lambda: str(len(inside)), "pids.peak": lambda: str(len(inside)), "pids.max": lambda: "max" if scope is None or not path.startswith("/kubepods") else "9512",
    }  # fmt: skip
    text = makers[name]()
    return f"{text}\n".encode() if text else b""


def _numbers(host: Host, procs: list[Process], mnt: str) -> list[int]:
    """PIDs as the host or a container's own namespace has them."""
    return sorted(p.pid if mnt == "host" else pidspace.number(host, p, p.pid) for p in procs)


def _limits(path: str, scope: Container | Sandbox | None, below: list[Container | Sandbox]) -> tuple[int, int, int]:
    """(memory limit in bytes, processor limit in thousandths, weight) of a group; a pod has the sum of its containers' where all have one."""
    held = [c for c in below if isinstance(c, Container)]
    if scope is None and "-pod" not in path:
        return 0, 0, weight_of(2) if path.endswith("besteffort.slice") else 100
    if not held:
        return 0, 0, weight_of(2)
    memory = sum(c.memory_limit for c in held) if all(c.memory_limit for c in held) else 0
    processor = sum(c.cpu_limit for c in held) if all(c.cpu_limit for c in held) else 0
    return memory, processor, weight_of(sum(c.cpu_shares for c in held) or 2)


def weight_of(shares: int) -> int:
    """`cpu.weight` of cgroup v1's shares (runc's conversion of 2–262144 to 1–10000)."""
    return 1 + (shares - 2) * 9999 // 262142
