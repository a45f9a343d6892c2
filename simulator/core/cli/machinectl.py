"""`hostnamectl` and `timedatectl` of systemd 255: what a machine says of itself."""

from __future__ import annotations

from ..host.invocation import Call
from ..kernel.clock import to_datetime
from ..kernel.errors import NotSimulated


def hostnamectl(call: Call) -> int:
    """`hostnamectl [status | hostname]`."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    host = call.host
    name = call.read_file("/etc/hostname").decode().strip() or host.name
    if words[:1] == ["hostname"] and len(words) == 1:
        call.out(name + "\n")
        return 0
    if words not in ([], ["status"]):
        raise NotSimulated(f"hostnamectl {words[0]}")
    rows = (
        ("Static hostname", name), ("Icon name", "computer-vm"), ("Chassis", "vm"), ("Machine ID", host.machine_id),
        ("Boot ID", host.boot_id.replace("-", "")), ("Virtualization", "kvm"), ("Operating System", host.os_image),
        ("Kernel", f"Linux {host.kernel}"), ("Architecture", "x86-64"),
    )  # fmt: skip
    call.out("".join(f"{title:>16}: {value}\n" for title, value in rows if value))
    return 0


def timedatectl(call: Call) -> int:
    """`timedatectl [status]`: the world's own clock."""
    words = [word for word in call.argv[1:] if not word.startswith("-")]
    if words not in ([], ["status"]):
        raise NotSimulated(f"timedatectl {words[0]}")
    now = to_datetime(call.world.wall + call.host.skew)
    rows = (
        ("Local time", f"{now:%a %Y-%m-%d %H:%M:%S} UTC"), ("Universal time", f"{now:%a %Y-%m-%d %H:%M:%S} UTC"),
        ("RTC time", f"{now:%a %Y-%m-%d %H:%M:%S}"), ("Time zone", "Etc/UTC (UTC, +0000)"), ("System clock synchronized", "no" if call.host.skew else "yes"),
        ("NTP service", "active"), ("RTC in local TZ", "no"),
    )  # fmt: skip
    call.out("".join(f"{title:>25}: {value}\n" for title, value in rows))
    return 0


def lsb_release(call: Call) -> int:
    """`lsb_release [-a|-c|-d|-i|-r] [-s]`."""
    words = {
        "Distributor ID": ("i", "Ubuntu"),
        "Description": ("d", "Ubuntu 24.04.1 LTS"),
        "Release": ("r", "24.04"),
        "Codename": ("c", "noble"),
    }
    given = "".join(word.lstrip("-") if not word.startswith("--") else word[2:3] for word in call.argv[1:])
    if "a" in given or not given:
        call.err("No LSB modules are available.\n")
    for title, (letter, value) in words.items():
        if letter in given or "a" in given:
            call.out(f"{value}\n" if "s" in given else f"{title}:\t{value}\n")
    return 0
