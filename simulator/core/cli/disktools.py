"""What fills a machine: `fallocate`, `mkswap`, `swapon`, `swapoff`, and `tc … netem` for its link."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ..host import files
from ..host.invocation import Call
from ..host.program import Wait
from ..host.virtual import used_disk
from ..kernel import network
from ..kernel.clock import MS, SECOND, US
from ..kernel.errors import NotSimulated
from ..kernel.network import Shape
from .interfaces import LINK

Code = Generator[Wait, Any, int]
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def size(text: str) -> int:
    """Bytes of `30G`, `512MiB`, `10MB` (powers of ten with a B); raises ValueError."""
    match = re.fullmatch(r"(\d+)\s*([kmgt]?)(i?b)?", text.lower())
    if match is None:
        raise ValueError(text)
    number, unit, suffix = int(match.group(1)), match.group(2), match.group(3)
    if suffix == "b" and unit:
        return number * int(1000 ** ("kmgt".index(unit) + 1))
    return number * _UNITS[unit]


def fallocate(call: Call) -> int:
    """`fallocate -l SIZE FILE`: space on the disk that nothing is written to."""
    words = call.argv[1:]
    length, paths = "", []
    while words:
        word = words.pop(0)
        if word in ("-l", "--length") and words:
            length = words.pop(0)
        elif word.startswith("--length="):
            length = word[9:]
        elif re.fullmatch(r"-l.+", word):
            length = word[2:]
        elif word.startswith("-"):
            raise NotSimulated(f"fallocate {word}")
        else:
            paths.append(word)
    if not paths:
        call.err("fallocate: no filename specified\n")
        return 1
    try:
        wanted = size(length)
    except ValueError:
        call.err("fallocate: invalid length value specified\n" if length else "fallocate: no length argument specified\n")
        return 1
    path = call.path(paths[0])
    if call.proc.mnt != "host":
        raise NotSimulated("fallocate in a container")
    free = (call.host.disk_kib - used_disk(call.host)) * 1024
    if wanted > free:
        call.err("fallocate: fallocate failed: No space left on device\n")
        return 1
    call.write_file(paths[0], b"")
    call.host.reserved[path] = wanted
    files.tree(call.host).edit(path).target = f"hole:{wanted}"
    call.world.ring(f"disk:{call.host.name}")
    return 0


def mkswap(call: Call) -> int:
    """`mkswap FILE`."""
    paths = [word for word in call.argv[1:] if not word.startswith("-")]
    if not paths:
        call.err("mkswap: error: Nowhere to set up swap on?\n")
        return 1
    path = call.path(paths[0])
    amount = _length(call, path)
    if amount < 0:
        call.err(f"mkswap: cannot open {paths[0]}: No such file or directory\n")
        return 1
    if amount < 40 * 1024:
        call.err("mkswap: error: swap area needs to be at least 40 KiB\n")
        return 1
    ident = call.world.rng("mkswap").uuid()
    call.out(
        f"Setting up swapspace version 1, size = {amount / 1024**2:.0f} MiB ({amount - 4096} bytes)\nno label, UUID={ident}\n"
    )
    return 0


def _length(call: Call, path: str) -> int:
    if path in call.host.reserved:
        return call.host.reserved[path]
    try:
        return len(files.tree(call.host).read(path))
    except OSError:
        return -1


def swapon(call: Call) -> int:
    """`swapon FILE`, `swapon -a`, `swapon [--show]`."""
    words = call.argv[1:]
    if not words or words == ["--show"] or words == ["-s"]:
        if call.host.swap:
            call.out("NAME      TYPE SIZE USED PRIO\n")
            for number, (path, kib) in enumerate(call.host.swap.items()):
                shown = f"{kib // 1024**2}G" if kib >= 1024**2 else f"{kib // 1024}M"
                call.out(f"{path:<9} file {shown:>4}   0B {-2 - number:>4}\n")
        return 0
    paths = [word for word in words if not word.startswith("-")]
    if "-a" in words:
        table = call.read_file("/etc/fstab").decode().splitlines()
        rows = [line.split() for line in table if line.strip() and not line.startswith("#")]
        paths = [row[0] for row in rows if len(row) > 2 and row[2] == "swap" and call.path(row[0]) not in call.host.swap]
    code = 0
    for word in paths:
        path = call.path(word)
        amount = _length(call, path)
        if amount < 0:
            call.err(f"swapon: cannot open {word}: No such file or directory\n")
            code = 255
        elif path in call.host.swap:
            call.err(f"swapon: {word}: swapon failed: Device or resource busy\n")
            code = 255
        else:
            call.host.swap[path] = max(amount // 1024 - 4, 1)
    return code


def swapoff(call: Call) -> int:
    """`swapoff -a`, `swapoff FILE`."""
    if "-a" in call.argv[1:] or "--all" in call.argv[1:]:
        call.host.swap.clear()
        return 0
    code = 0
    for word in [word for word in call.argv[1:] if not word.startswith("-")]:
        if call.host.swap.pop(call.path(word), None) is None:
            call.err(f"swapoff: {word}: swapoff failed: Invalid argument\n")
            code = 4
    return code


def parse_time(text: str) -> int:
    """tc's times in ns: `100ms`, `1s`, `250us`; raises ValueError."""
    match = re.fullmatch(r"([\d.]+)(s|sec|ms|msec|us|usec)?", text)
    if match is None:
        raise ValueError(text)
    unit = {"s": SECOND, "sec": SECOND, "ms": MS, "msec": MS}.get(match.group(2) or "us", US)
    return int(float(match.group(1)) * unit)


def tc(call: Call) -> int:
    """`tc qdisc add|change|replace|del|show dev enp1s0 root netem [delay TIME [JITTER]] [loss PERCENT]`."""
    words = call.argv[1:]
    shapes = network.network(call.world).shapes
    if words[:1] != ["qdisc"]:
        raise NotSimulated(" ".join(["tc", *words[:1]]))
    what = words[1] if len(words) > 1 else "show"
    device = words[words.index("dev") + 1] if "dev" in words[:-1] else ""
    own = call.host.name
    if what in ("show", "list", "ls"):
        shape = shapes.get(own)
        call.out("qdisc noqueue 0: dev lo root refcnt 2 \n" if not device else "")
        if shape is None:
            call.out(
                f"qdisc fq_codel 0: dev {LINK} root refcnt 2 limit 10240p flows 1024 quantum 1514 target 5ms interval 100ms memory_limit 32Mb ecn drop_batch 64 \n"
            )
        else:
            delay = f" delay {shape.delay // MS}ms" + (f"  {shape.jitter // MS}ms" if shape.jitter else "") if shape.delay else ""
            loss = f" loss {shape.loss:g}%" if shape.loss else ""
            call.out(f"qdisc netem 8001: dev {LINK} root refcnt 2 limit 1000{delay}{loss}\n")
        return 0
    if call.uid:
        call.err("RTNETLINK answers: Operation not permitted\n")
        return 2
    if device != LINK or call.proc.netns != own:
        call.err(f'Cannot find device "{device}"\n' if device != "lo" else "RTNETLINK answers: Operation not supported\n")
        return 1
    if what in ("del", "delete"):
        if shapes.pop(own, None) is None:
            call.err("Error: Cannot delete qdisc with handle of zero.\n")
            return 2
        network.changed(call.world)
        return 0
    if what == "add" and own in shapes:
        call.err("Error: Exclusivity flag on, cannot modify.\n")
        return 2
    if what not in ("add", "change", "replace") or "netem" not in words:
        raise NotSimulated(" ".join(["tc", *words]))
    shape = Shape()
    rest = words[words.index("netem") + 1 :]
    try:
        while rest:
            word = rest.pop(0)
            if word in ("delay", "latency"):
                shape.delay = parse_time(rest.pop(0))
                if rest and re.fullmatch(r"[\d.]+(s|ms|us)", rest[0]):
                    shape.jitter = parse_time(rest.pop(0))
            elif word == "loss":
                rest = rest[1:] if rest[:1] == ["random"] else rest
                shape.loss = float(rest.pop(0).rstrip("%"))
            else:
                raise NotSimulated(f"tc … netem {word}")
    except (ValueError, IndexError):
        call.err('Illegal "latency"\nUsage: ... netem [ limit PACKETS ]\n')
        return 1
    shapes[own] = shape
    network.changed(call.world)
    return 0
