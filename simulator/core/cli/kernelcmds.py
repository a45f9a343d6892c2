"""The kernel of a host: sysctl, modprobe, lsmod, dmesg, lscpu, lsblk, mount, lsof, vmstat."""

from __future__ import annotations

import fnmatch
import posixpath
import re

from ..host.invocation import Call
from ..host.machine import Host
from ..host.virtual import used_disk
from ..kernel import network
from ..kernel.clock import SECOND, to_datetime
from ..kernel.errors import NotSimulated
from ..kernel.world import World
from ..shell.coreutils.common import Code, parse
from ..shell.coreutils.ps import pid_of, table_of

#: Parameters and what they are on a fresh host; what a learner sets is in `Host.sysctl`.
PARAMETERS: dict[str, str] = {
    "fs.file-max": "9223372036854775807", "fs.inotify.max_user_instances": "128", "fs.inotify.max_user_watches": "65536",
    "kernel.keys.root_maxkeys": "1000000", "kernel.panic": "0", "kernel.panic_on_oops": "0", "kernel.pid_max": "4194304",
    "kernel.threads-max": "63389", "net.bridge.bridge-nf-call-arptables": "1", "net.bridge.bridge-nf-call-ip6tables": "1",
    "net.bridge.bridge-nf-call-iptables": "1", "net.core.somaxconn": "4096", "net.ipv4.conf.all.forwarding": "1",
    "net.ipv4.conf.all.rp_filter": "2", "net.ipv4.ip_forward": "1", "net.ipv4.ip_local_port_range": "32768\t60999",
    "net.ipv4.tcp_syncookies": "1", "net.ipv6.conf.all.disable_ipv6": "0", "net.ipv6.conf.all.forwarding": "0",
    "net.netfilter.nf_conntrack_max": "262144", "user.max_user_namespaces": "31694", "vm.max_map_count": "1048576",
    "vm.overcommit_memory": "1", "vm.panic_on_oom": "0", "vm.swappiness": "60",
}  # fmt: skip
#: Modules that a fresh node has loaded, and their sizes; others can be loaded from KNOWN.
LOADED: dict[str, int] = {"br_netfilter": 32768, "bridge": 421888, "overlay": 212992, "nf_conntrack": 196608, "nf_nat": 61440, "veth": 45056,
                          "xt_conntrack": 12288, "xt_MASQUERADE": 16384, "ip_tables": 32768, "x_tables": 65536, "vxlan": 147456}  # fmt: skip
KNOWN: dict[str, int] = {"ip_vs": 221184, "ip_vs_rr": 12288, "ip_vs_sh": 12288, "ip_vs_wrr": 12288, "nf_tables": 372736, "ipip": 24576,
                         "wireguard": 114688, "dummy": 12288, "nbd": 65536, "loop": 40960, "rbd": 126976, "nfs": 569344, "configs": 40960}  # fmt: skip


def parameter(host: Host, name: str) -> str | None:
    """The value of a kernel parameter."""
    if name == "kernel.hostname":
        return host.name
    if name == "kernel.osrelease":
        return host.kernel
    if name.startswith("net.bridge.") and "-br_netfilter" in host.modules:
        return None
    return host.sysctl.get(name, PARAMETERS.get(name))


def _name(text: str) -> str:
    return text.strip().replace("/", ".").removeprefix("proc.sys.")


def _set(call: Call, text: str, quiet: bool = False) -> int:
    key, _, value = text.partition("=")
    name, value = _name(key), value.strip()
    if parameter(call.host, name) is None:
        path = "/proc/sys/" + name.replace(".", "/")
        call.err(f"sysctl: cannot stat {path}: No such file or directory\n")
        return 255
    if call.uid:
        call.err(f'sysctl: permission denied on key "{name}"\n')
        return 255
    if name in ("kernel.hostname", "kernel.osrelease") or (PARAMETERS[name].isdigit() and not re.fullmatch(r"-?\d+", value)):
        call.err(f'sysctl: setting key "{name}": Invalid argument\n')
        return 255
    if value == PARAMETERS[name]:
        call.host.sysctl.pop(name, None)
    else:
        call.host.sysctl[name] = value
    if not quiet:
        call.out(f"{name} = {value}\n")
    return 0


def _load_file(call: Call, path: str, quiet: bool) -> int:
    code = 0
    for raw in call.read_file(path).decode(errors="replace").splitlines():
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if "=" not in line:
            call.err(f"sysctl: {path}: invalid syntax, continuing...\n")
            continue
        code = _set(call, line.lstrip("-"), quiet) or code
    return code


def sysctl(call: Call) -> int:
    """`sysctl [-a] [-n] [-w] [-p [file]] [--system] [name[=value] …]`."""
    options, names = parse(call, "anNwp?eqf?r:", "all:a values:n names:N write:w system quiet:q load?p ignore:e")
    quiet = "q" in options
    if "system" in options:
        for folder in ("/run/sysctl.d", "/etc/sysctl.d", "/usr/local/lib/sysctl.d", "/usr/lib/sysctl.d"):
            if call.tree.isdir(folder):
                for name in call.tree.listdir(folder):
                    if name.endswith(".conf"):
                        call.out(f"* Applying {folder}/{name} ...\n")
                        _load_file(call, f"{folder}/{name}", quiet)
        if call.exists("/etc/sysctl.conf"):
            call.out("* Applying /etc/sysctl.conf ...\n")
            _load_file(call, "/etc/sysctl.conf", quiet)
        return 0
    if "p" in options:
        code = 0
        for path in names or [options["p"] if options["p"].startswith("/") else "/etc/sysctl.conf"]:
            try:
                code = _load_file(call, path, quiet) or code
            except OSError:
                call.err(f'sysctl: cannot open "{path}": No such file or directory\n')
                code = 255
        return code
    if "a" in options:
        names = sorted({*PARAMETERS, "kernel.hostname", "kernel.osrelease"})
    code = 0
    for text in names:
        if "=" in text:
            code = _set(call, text, quiet) or code
            continue
        name = _name(text)
        value = parameter(call.host, name)
        if value is None:
            call.err(f"sysctl: cannot stat /proc/sys/{name.replace('.', '/')}: No such file or directory\n")
            code = 255
        else:
            call.out(f"{value}\n" if "n" in options else f"{name}\n" if "N" in options else f"{name} = {value}\n")
    if not names:
        call.err("\nUsage:\n sysctl [options] [variable[=value] ...]\n")
        return 1
    return code


def loaded(host: Host) -> dict[str, int]:
    """The modules that are loaded, and their sizes."""
    gone = {name[1:] for name in host.modules if name.startswith("-")}
    return {
        name: size for name, size in {**LOADED, **{m: KNOWN[m] for m in host.modules if m in KNOWN}}.items() if name not in gone
    }


def modprobe(call: Call) -> int:
    """`modprobe [-r] [-a] module …`."""
    options, names = parse(call, "rav nq", "remove:r all:a verbose:v dry-run:n quiet:q first-time")
    if not names:
        call.err("modprobe: ERROR: missing parameters. See -h.\n")
        return 1
    for name in names if "a" in options or "r" in options else names[:1]:
        plain = name.replace("-", "_")
        if plain not in LOADED and plain not in KNOWN:
            call.err(f"modprobe: FATAL: Module {name} not found in directory /lib/modules/{call.host.kernel}\n")
            return 1
        if call.uid:
            call.err(
                f"modprobe: ERROR: could not {'remove' if 'r' in options else 'insert'} '{plain}': Operation not permitted\n"
            )
            return 1
        host = call.host
        if "r" in options:
            host.modules = [m for m in host.modules if m != plain] + ([f"-{plain}"] if plain in LOADED else [])
        else:
            host.modules = [m for m in host.modules if m != f"-{plain}"]
            if plain in KNOWN and plain not in host.modules:
                host.modules.append(plain)
    return 0


def lsmod(call: Call) -> int:
    """`lsmod`."""
    users = {
        "bridge": ["br_netfilter"],
        "nf_conntrack": ["nf_nat", "xt_conntrack", "xt_MASQUERADE"],
        "x_tables": ["ip_tables", "xt_conntrack"],
    }
    call.out(f"{'Module':<24}{'Size':<8}Used by\n")
    modules = loaded(call.host)
    for name in sorted(modules):
        by = [user for user in users.get(name, []) if user in modules]
        call.out(f"{name:<22}{modules[name]:>8}  {len(by)}{' ' + ','.join(by) if by else ''}\n")
    return 0


def dmesg_lines(world: World, host: Host) -> list[tuple[float, str]]:
    """The kernel's messages since boot, the first ones and what it has said since: seconds since boot and text."""
    start = world.epoch + host.boot_at + host.skew
    since = [((line.at - start) / SECOND, line.text) for line in host.journal if line.ident == "kernel" and line.at >= start]
    return _first_lines(host) + since


def _first_lines(host: Host) -> list[tuple[float, str]]:
    return [
        (0.0, f"Linux version {host.kernel} (buildd@lcy02-amd64-009) #45-Ubuntu SMP PREEMPT_DYNAMIC"),
        (0.0, f"Command line: BOOT_IMAGE=/boot/vmlinuz-{host.kernel} root=LABEL=cloudimg-rootfs ro console=tty1"),
        (0.0, "KERNEL supported cpus:"),
        (0.013112, f"Memory: {host.memory_kib}K/{host.memory_kib + 262_144}K available"),
        (0.021911, f"smpboot: Allowing {host.cpus} CPUs, 0 hotplug CPUs"),
        (0.512884, "systemd[1]: Detected virtualization kvm."),
        (0.811307, "EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none."),
        (1.204551, f"systemd[1]: Hostname set to <{host.name}>."),
        (
            3.118274,
            "bridge: filtering via arp/ip/ip6tables is no longer available by default. Update your scripts to load br_netfilter if you need this.",
        ),
        (3.119530, "Bridge firewalling registered"),
    ]


def dmesg(call: Call) -> int:
    """`dmesg [-T] [-H]`."""
    options, _ = parse(call, "THwnkl:xtS", "ctime:T human:H follow:w level=l notime:t")
    if "w" in options:
        raise NotSimulated("dmesg -w")
    if call.uid:
        call.err("dmesg: read kernel buffer failed: Operation not permitted\n")
        return 1
    for at, text in dmesg_lines(call.world, call.host):
        moment = to_datetime(call.world.epoch + call.host.boot_at + int(at * SECOND))
        stamp = "" if "t" in options else f"[{moment:%a %b %e %H:%M:%S %Y}] " if "T" in options else f"[{at:12.6f}] "
        call.out(stamp + text + "\n")
    return 0


def lscpu(call: Call) -> int:
    """`lscpu`."""
    rows = {
        "Architecture": "x86_64", "  CPU op-mode(s)": "32-bit, 64-bit", "  Byte Order": "Little Endian", "CPU(s)": str(call.host.cpus),
        "  On-line CPU(s) list": f"0-{call.host.cpus - 1}" if call.host.cpus > 1 else "0", "Vendor ID": "GenuineIntel",
        "  Model name": "Intel(R) Xeon(R) Processor", "Virtualization features": "", "  Hypervisor vendor": "KVM", "  Virtualization type": "full",
    }  # fmt: skip
    for name, value in rows.items():
        call.out(f"{name + ':':<26}{value}".rstrip() + "\n")
    return 0


def lsblk(call: Call) -> int:
    """`lsblk [-f]`."""
    options, _ = parse(call, "fao:nlpbd", "fs:f all:a output=o noheadings:n")
    size = f"{(call.host.disk_kib + 1_472_000) / 1024 / 1024:.0f}G"
    if "f" in options:
        used = used_disk(call.host)
        free = f"{(call.host.disk_kib - used) / 1024 / 1024:.1f}G"
        call.out("NAME    FSTYPE FSVER LABEL           UUID                                 FSAVAIL FSUSE% MOUNTPOINTS\nvda\n")
        call.out(
            f"└─vda1  ext4   1.0   cloudimg-rootfs 7d2a1f4e-5b0c-4f64-9a34-2f1d6c0e9b11 {free:>7} {used * 100 // call.host.disk_kib:>5}% /\n"
        )
        return 0
    call.out("NAME   MAJ:MIN RM  SIZE RO TYPE MOUNTPOINTS\n")
    call.out(f"vda    253:0    0 {size:>4}  0 disk \n└─vda1 253:1    0 {size:>4}  0 part /\n")
    return 0


def mount(call: Call) -> int:
    """`mount` without arguments, or `mount -t type`: what is mounted."""
    options, names = parse(call, "t:o:alvr", "types=t options=o bind all:a")
    if names:
        raise NotSimulated("mounting")
    for line in (call.tree.exists("/proc/mounts") and call.read_file("/proc/mounts").decode().splitlines()) or []:
        device, where, kind, flags = line.split()[:4]
        if "t" not in options or kind in options["t"].split(","):
            call.out(f"{device} on {where} type {kind} ({flags})\n")
    return 0


def lsof(call: Call) -> int:
    """`lsof [-i [:port]] [-p pid] [-P] [-n] [-t] [file]`: sockets and programs of processes."""
    words = [word for word in call.argv[1:] if re.match(r"-i|:", word)]
    call.argv = [word for word in call.argv if word not in words]
    options, _ = parse(call, "p:Pntu:c:s", "")
    rows: list[tuple[str, int, str, str, str, str, str]] = []
    match = re.search(r":(\d+)", " ".join(words))
    wanted_port = match.group(1) if match else ""
    for proc in sorted(call.host.processes.values(), key=lambda p: p.pid):
        if "p" in options and str(proc.pid) not in options["p"].split(","):
            continue
        if "c" in options and not processes_name(proc.argv).startswith(options["c"]):
            continue
        name = processes_name(proc.argv)
        if words:
            for port, protocol, address in sorted(_ports(call, proc.pid)):
                if not wanted_port or wanted_port == str(port):
                    state = " (LISTEN)" if protocol == "tcp" else ""
                    where = "*" if address in ("", "0.0.0.0", "::") else address
                    rows.append((name, proc.pid, proc.user, "7u", "IPv4", protocol.upper(), f"{where}:{port}{state}"))
        else:
            rows.append((name, proc.pid, proc.user, "cwd", "DIR", "253,1", proc.cwd))
            rows.append((name, proc.pid, proc.user, "txt", "REG", "253,1", proc.argv[0] if proc.argv else proc.program))
    if "t" in options:
        call.out("".join(f"{pid}\n" for pid in dict.fromkeys(row[1] for row in rows)))
        return int(not rows)
    if rows:
        call.out("COMMAND       PID USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n")
    for name, pid, user, fd, kind, device, where in rows:
        call.out(f"{name[:9]:<9} {pid:>7} {user:>4} {fd:>4} {kind:>6} {device:>6}      0t0      {where}\n")
    return int(not rows)


def processes_name(argv: list[str]) -> str:
    """The short name of a process."""
    return posixpath.basename(argv[0]) if argv else ""


def _ports(call: Call, pid: int) -> list[tuple[int, str, str]]:
    found = []
    for space in network.network(call.world).namespaces.values():
        for key, listeners in space.listeners.items():
            for item in listeners:
                if item.host == call.host.name and item.pid == pid:
                    found.append((int(key.partition("/")[0]), item.protocol, item.address))
    return found


def pidof(call: Call) -> int:
    """`pidof [-s] name …`."""
    options, names = parse(call, "sx", "")
    found = [
        pid_of(call, proc)
        for proc in reversed(table_of(call))
        if proc.pid != 1 and any(fnmatch.fnmatchcase(processes_name(proc.argv), posixpath.basename(name)) for name in names)
    ]
    if {"systemd", "init"} & {posixpath.basename(name) for name in names}:
        found.append(1)
    if found:
        call.out(" ".join(str(pid) for pid in (found[:1] if "s" in options else found)) + "\n")
    return int(not found)


def service(call: Call) -> Code:
    """`service name start|stop|restart|status`: systemctl by its older name."""
    args = call.argv[1:]
    if args == ["--status-all"]:
        for name in sorted(call.host.units):
            if name.endswith(".service"):
                call.out(f" [ {'+' if call.host.units[name].active == 'active' else '-'} ]  {name.removesuffix('.service')}\n")
        return 0
    if len(args) < 2:
        call.err("Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n")
        return 1
    return (yield from call.run(["systemctl", args[1], args[0]]))


__all__ = ["dmesg", "lsblk", "lscpu", "lsmod", "lsof", "modprobe", "mount", "pidof", "service", "sysctl"]
