"""A host: its name, addresses, capacity, files, processes, units and journal; the section `hosts` maps names to hosts.

The file system is `filesystem.FileSystem` (trees of inodes, one for the host, one for each container root).
"""

from __future__ import annotations

import msgspec

from ..kernel.world import World
from .filesystem import FileSystem
from .process import Process


class UnitState(msgspec.Struct, omit_defaults=True):
    """What systemd knows of a unit beyond its file: whether it is enabled, running, and since when (virtual ns)."""

    enabled: bool = False
    active: str = "inactive"
    sub: str = "dead"
    since: int = 0
    main_pid: int = 0
    result: str = "success"
    restarts: int = 0
    #: The main process that ended last, what it was, and with which status.
    ended_pid: int = 0
    ended_code: int = 0
    ended_argv: list[str] = []
    #: Of a timer unit: when it elapses next and did last (virtual ns), and the world's timer for it.
    due: int = 0
    fired: int = 0
    timer: int = 0


class JournalLine(msgspec.Struct, array_like=True):
    """One line of the journal: Unix time in ns, the unit (or identifier), the pid, the text; `ident` when it is not the unit's."""

    at: int
    unit: str
    pid: int
    text: str
    ident: str = ""


class Host(msgspec.Struct, omit_defaults=True):
    """One machine.  `ip` is its first address; memory and disk are in KiB; `up` is False when it is powered off."""

    name: str
    ip: str
    cpus: int = 4
    # what the kernel and the file system leave of 8 GiB and 40 GiB
    memory_kib: int = 8_132_556
    disk_kib: int = 40_470_732
    up: bool = True
    boot_at: int = 0
    next_pid: int = 300
    processes: dict[int, Process] = {}
    filesystems: dict[str, FileSystem] = {}
    units: dict[str, UnitState] = {}
    journal: list[JournalLine] = []
    machine_id: str = ""
    boot_id: str = ""
    system_uuid: str = ""
    kernel: str = "6.8.0-45-generic"
    os_image: str = "Ubuntu 24.04.1 LTS"
    #: Swap areas that are on: path → KiB.
    swap: dict[str, int] = {}
    #: What `fallocate` and its like have reserved on the disk: path → bytes; faults fill memory and disk under names of their own.
    reserved: dict[str, int] = {}
    #: Kernel parameters that differ from a fresh host's; modules loaded besides them, `-name` for one that was taken out.
    sysctl: dict[str, str] = {}
    modules: list[str] = []
    #: Units whose files changed since systemd read them: name → (path, text) of the fragment and the drop-ins that it still has.
    kept: dict[str, list[tuple[str, str]]] = {}
    #: The world's timers of cron's next job and of a shutdown that was asked for.
    cron: int = 0
    shutdown: int = 0
    #: A shutdown that has begun and waits (`reboot`, `poweroff`, `halt`), and for whom: pid → ns at most (systemd's delay locks).
    going: str = ""
    inhibitors: dict[int, int] = {}
    #: Containers without a PID namespace of their own, and whose they are in: "" is the host's, else a sandbox's.
    pid_spaces: dict[str, str] = {}
    #: How far this machine's clock is from the world's, in ns.
    skew: int = 0

    @property
    def fs(self) -> FileSystem:
        """The host's own root file system."""
        return self.filesystems["host"]


def wall_of(world: World, netns: str) -> int:
    """Unix time in ns by the clock of the machine of a network namespace."""
    host = hosts(world).get(netns.partition("/")[0])
    return world.wall + (host.skew if host is not None else 0)


def hosts(world: World) -> dict[str, Host]:
    """All hosts of the world by name."""
    return world.section("hosts", dict)
