"""What Docker's client refuses by itself, before it asks the engine (docker/cli `opts`, `cli/command/container/opts.go: parse`)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import Any

from ...runtime.engine.creation import BadSpec
from ..flag_kinds import quote

_NAMESPACED_SYSCTLS = (
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
)  # fmt: skip
_ULIMITS = (
    "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending", "stack",
)  # fmt: skip


def _filter(text: str) -> None:
    if "=" not in text and text.strip():
        raise ValueError("bad format of filter (expected name=value)")


def _ulimit(text: str) -> None:
    name, equals, limits = text.partition("=")
    if not equals:
        raise ValueError(f"invalid ulimit argument: {text}")
    if name not in _ULIMITS:
        raise ValueError(f"invalid ulimit type: {name}")
    parts = limits.split(":")
    if len(parts) > 2:
        raise ValueError(f"too many limit value arguments - {limits}, can only have up to two, `soft[:hard]`")
    numbers = []
    for part in parts:
        if not re.fullmatch(r"[-+]?\d+", part):
            raise ValueError(f"strconv.ParseInt: parsing {quote(part)}: invalid syntax")
        numbers.append(int(part))
    if len(numbers) == 2 and numbers[1] != -1 and numbers[0] > numbers[1]:
        raise ValueError(f"ulimit soft limit must be less than or equal to hard limit: {numbers[0]} > {numbers[1]}")


def _sysctl(text: str) -> None:
    known = text.partition("=")[0] in _NAMESPACED_SYSCTLS or text.startswith(("net.", "fs.mqueue."))
    if not known or "=" not in text:
        raise ValueError(f"sysctl '{text}' is not allowed")


def _gpus(text: str) -> None:
    for part in text.split(","):
        key, equals, value = part.partition("=")
        count = value if equals and key == "count" else "" if equals else part
        if count and count != "all" and not re.fullmatch(r"[-+]?\d+", count):
            raise ValueError(f'invalid count ({count}): value must be either "all" or an integer: invalid syntax')


def _address(text: str) -> None:
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        raise ValueError(f"IP address is not correctly formatted: {text}") from None


def _extra_host(text: str) -> None:
    name, separator, address = text.partition("=") if "=" in text else text.partition(":")
    if not separator or not name:
        raise ValueError(f'bad format for add-host: "{text}"')
    if address != "host-gateway":
        try:
            ipaddress.ip_address(address.strip("[]"))
        except ValueError:
            raise ValueError(f'invalid IP address in add-host: "{address}"') from None


#: The checks of values by the name of a flag, or by its type.
CHECKS: dict[str, Callable[[str], None]] = {
    "filter": _filter, "ulimit": _ulimit, "sysctl": _sysctl, "gpus": _gpus, "dns": _address, "add-host": _extra_host,
}  # fmt: skip
#: `--pid`, `--uts`, …: what they may be besides "", and their name in the message.
_MODES = {
    "pid": ("PID", r"host|container:.+"),
    "uts": ("UTS", r"host"),
    "userns": ("USER", r"host"),
    "cgroupns": ("CGROUP", r"host|private"),
}


def run_flags(session: Any) -> None:
    """The flags of `run` and `create` together; raises BadSpec."""
    for name in ("attach",):
        for stream in session.items(name):
            if stream.lower() not in ("stdin", "stdout", "stderr"):
                raise BadSpec(f'invalid argument "{stream}" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR')
    text = session.flag("mac-address")
    if text and not re.fullmatch(r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}", text):
        raise BadSpec(f"{text} is not a valid mac address")
    for one in session.items("expose"):
        if ":" in one:
            raise BadSpec(f"invalid port format for --expose: {one}")
        for number in one.partition("/")[0].split("-"):
            if not number.isdigit():
                raise BadSpec(
                    f"invalid range format for --expose: {one}, error: strconv.ParseUint: parsing {quote(number)}: invalid syntax"
                )
    for name, (shown, allowed) in _MODES.items():
        if session.flag(name) and not re.fullmatch(allowed, session.flag(name)):
            raise BadSpec(f"--{name}: invalid {shown} mode")
    if session.flag("log-driver") == "none" and session.items("log-opt"):
        raise BadSpec("invalid logging opts for driver none")
    for one in session.items("storage-opt"):
        if "=" not in one:
            raise BadSpec("invalid storage option")
