"""`/proc/<pid>` of a host's processes, made when it is looked at (fs/proc/base.c).

A directory of files and links agrees with the process table; `self` is the process that looks.  Nothing of it is stored.
"""

from __future__ import annotations

import posixpath
import zlib

from ..kernel.clock import SECOND
from . import pidspace, users
from .filesystem import Tree
from .inodes import Inode
from .machine import Host
from .process import Process

#: The inode numbers of the namespaces that the kernel makes at boot (include/linux/proc_ns.h).
FIRST = {
    "cgroup": 4026531835,
    "ipc": 4026531839,
    "mnt": 4026531841,
    "net": 4026531840,
    "pid": 4026531836,
    "time": 4026531834,
    "user": 4026531837,
    "uts": 4026531838,
}
STATES = {"S": "S (sleeping)", "R": "R (running)", "T": "T (stopped)", "X": "Z (zombie)"}


def init(host: Host) -> Process:
    """PID 1, which the process table does not keep."""
    return Process(
        1, 0, host.name, "systemd", ["/sbin/init"], started=host.boot_at, memory_kib=13_180, netns=host.name, mnt="host"
    )


def find(host: Host, pid: int) -> Process | None:
    """A process of the host, PID 1 among them."""
    return init(host) if pid == 1 else host.processes.get(pid)


def seen(host: Host, mnt: str, looks: Process | None) -> dict[int, Process]:
    """The processes that /proc of a mount namespace shows by PID: a container's main process is 1 there."""
    if mnt == "host" or mnt.startswith("chroot:"):
        return {1: init(host), **host.processes}
    own = next((proc for proc in host.processes.values() if proc.mnt == mnt), looks)
    if own is None:
        return {}
    less = pidspace.base(host, own)
    inside = {proc.pid - less: proc for proc in pidspace.members(host, own)}
    return inside if less else {1: init(host), **inside}


def name_of(proc: Process) -> str:
    """The short name (`comm`), fifteen characters."""
    if proc.pid == 1 and proc.argv == ["/sbin/init"]:
        return "systemd"
    if proc.program == "nginx-worker":
        return "nginx"
    return posixpath.basename(proc.argv[0]).lstrip("-")[:15] if proc.argv else proc.program[:15]


def namespace(proc: Process, kind: str, host: Host | None = None) -> int:
    """The inode number of a process's namespace: a pod's processes share network, IPC and hostname, a container's the rest."""
    if kind in ("user", "time"):
        return FIRST[kind]
    if kind in ("net", "uts", "ipc"):
        own = "" if proc.netns in ("", proc.host) else proc.netns
    elif kind in ("pid", "cgroup"):
        own = proc.container if kind == "cgroup" or host is None else pidspace.space(host, proc)
    else:
        own = "" if proc.mnt == "host" else proc.mnt
    return FIRST[kind] if not own else 4026532100 + zlib.crc32(f"{proc.host}/{kind}/{own}".encode()) % 900


def executable(proc: Process) -> str:
    """Where its program lies."""
    if proc.pid == 1:
        return "/usr/lib/systemd/systemd"
    path = proc.argv[0] if proc.argv else proc.program
    return path if path.startswith("/") else f"/usr/bin/{path.lstrip('-')}"


def cgroup(proc: Process) -> str:
    """Its control group's path, of a process that is in no container (those are `tables['virtual']['cgroup']`)."""
    if proc.pid == 1:
        return "/init.scope"
    if proc.unit:
        return f"/system.slice/{proc.unit}"
    return "/user.slice/user-0.slice/session-1.scope" if proc.tty else "/system.slice/containerd.service"


def _status(host: Host, proc: Process, uid: int, less: int) -> str:
    """`status` for who sees the process `less` below its number on the host; the host sees the number in the namespace too."""
    size = proc.memory_kib
    pid, inner = proc.pid - less, proc.pid - pidspace.base(host, proc)
    group = (proc.pgid or proc.pid) - less
    inside = f"{pid}\t{inner}" if not less and inner != pid else f"{pid}"
    parent = pidspace.number(host, proc, proc.ppid) if less else proc.ppid
    return (
        f"Name:\t{name_of(proc)}\nUmask:\t{proc.umask:04o}\nState:\t{STATES.get(proc.state, proc.state)}\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\nPPid:\t{parent}\nTracerPid:\t0\n"
        f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\nFDSize:\t64\nGroups:\t\nNStgid:\t{inside}\nNSpid:\t{inside}\nNSpgid:\t{group}\n"
        f"NSsid:\t{group}\nVmPeak:\t{size * 6:>8} kB\nVmSize:\t{size * 6:>8} kB\nVmRSS:\t{size:>8} kB\nThreads:\t{8 + proc.pid % 9 if proc.unit else 1}\n"
        "CapInh:\t0000000000000000\n" + "".join(f"{name}:\t{'000001ffffffffff' if not uid else '0000000000000000'}\n" for name in ("CapPrm", "CapEff"))
        + "CapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\n"
    )  # fmt: skip


_LIMITS = (
    ("Max cpu time", "unlimited", "unlimited", "seconds"), ("Max file size", "unlimited", "unlimited", "bytes"), ("Max data size", "unlimited", "unlimited", "bytes"),
    ("Max stack size", "8388608", "unlimited", "bytes"), ("Max core file size", "0", "unlimited", "bytes"), ("Max resident set", "unlimited", "unlimited", "bytes"),
    ("Max processes", "31694", "31694", "processes"), ("Max open files", "1024", "524288", "files"), ("Max locked memory", "8388608", "8388608", "bytes"),
    ("Max address space", "unlimited", "unlimited", "bytes"),
)  # fmt: skip


def _limits() -> str:
    return f"{'Limit':<25} {'Soft Limit':<20} {'Hard Limit':<20} Units     \n" + "".join(
        f"{a:<25} {b:<20} {c:<20} {d:<10}\n" for a, b, c, d in _LIMITS
    )


def _stat(proc: Process, less: int) -> str:
    group = (proc.pgid or proc.pid) - less
    ticks = proc.started // (SECOND // 100)
    return f"{proc.pid - less} ({name_of(proc)}) {proc.state} {max(proc.ppid - less, 0)} {group} {group} 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 {ticks} {proc.memory_kib * 6144} {proc.memory_kib // 4} 18446744073709551615\n"


def _file(text: str, mode: int = 0o444) -> Inode:
    return Inode("file", mode, 0, 0, 0, text.encode("utf-8", "surrogateescape"))


def _link(target: str) -> Inode:
    return Inode("link", 0o777, 0, 0, 0, target=target)


def _descriptors(proc: Process) -> dict[str, Inode]:
    number = 20_000 + proc.pid
    if proc.tty:
        return {str(fd): _link("/dev/pts/0") for fd in (0, 1, 2)}
    if proc.container:
        return {"0": _link("/dev/null"), "1": _link(f"pipe:[{number}]"), "2": _link(f"pipe:[{number + 1}]")}
    return {
        "0": _link("/dev/null"),
        "1": _link(f"socket:[{number}]"),
        "2": _link(f"socket:[{number}]"),
        "3": _link("anon_inode:[eventpoll]"),
    }


def content(host: Host, pid: int, what: str) -> bytes:
    """A file of `/proc/<pid>`, computed when it is read."""
    proc = find(host, pid)
    if proc is None:
        return b""
    what, _, less = what.partition(":")
    if what == "cgroup":
        text = f"0::{cgroup(proc)}\n"
    elif what == "cmdline":
        text = "".join(word + "\0" for word in proc.argv) if proc.title == " ".join(proc.argv) else proc.title + "\0"
    elif what == "environ":
        text = "".join(f"{key}={value}\0" for key, value in proc.env.items())
    elif what == "limits":
        text = _limits()
    elif what == "stat":
        text = _stat(proc, int(less or 0))
    else:
        text = _status(host, proc, users.uid_of(Tree(host.filesystems, proc.mnt), proc.user), int(less or 0))
    return text.encode("utf-8", "surrogateescape")


def _computed(proc: Process, what: str, mode: int = 0o444, less: int = 0) -> Inode:
    return Inode("virtual", mode, target=f"pid:{proc.pid}:{what}" + (f":{less}" if less else ""))


def directory(host: Host, proc: Process, less: int = 0) -> Inode:
    """The directory of one process, for who sees it `less` below its number on the host."""
    uid = 0 if proc.user == "root" else users.uid_of(Tree(host.filesystems, proc.mnt), proc.user)
    children: dict[str, Inode] = {
        "cgroup": Inode("virtual", 0o444, target=f"cgroup:{proc.pid}") if proc.container else _computed(proc, "cgroup"),
        "cmdline": _computed(proc, "cmdline"),
        "comm": _file(name_of(proc) + "\n", 0o644),
        "cwd": _link(proc.cwd),
        "environ": _computed(proc, "environ", 0o400),
        "exe": _link(executable(proc)),
        "fd": Inode("dir", 0o500, uid, uid, 0, b"", _descriptors(proc)),
        "limits": _computed(proc, "limits"),
        "mounts": Inode("virtual", 0o444, target="mounts"),
        "ns": Inode(
            "dir", 0o511, uid, uid, 0, b"", {kind: _link(f"{kind}:[{namespace(proc, kind, host)}]") for kind in sorted(FIRST)}
        ),
        "oom_adj": _file("0\n", 0o644),
        "oom_score": Inode("virtual", 0o444, target=f"oom:{proc.pid}:score"),
        "oom_score_adj": Inode("virtual", 0o644, target=f"oom:{proc.pid}:adj"),
        "root": _link("/"),
        "stat": _computed(proc, "stat", less=less),
        "status": _computed(proc, "status", less=less),
    }
    for node in children.values():
        node.uid = node.gid = uid
    return Inode("dir", 0o555, uid, uid, 0, b"", children)
