"""`reboot`, `shutdown`, `poweroff`, `halt`: the machine goes away, and comes back after a reboot."""

from __future__ import annotations

import re

from ..host import power
from ..host.invocation import Call
from ..kernel.clock import DAY, MINUTE, to_datetime
from ..shell.coreutils.common import name_of, parse


def begin(call: Call, how: str) -> int:
    """What `reboot`, `poweroff`, `halt` and `systemctl` with these verbs do."""
    if call.uid:
        call.err(
            f"Call to {'Reboot' if how == 'reboot' else 'PowerOff' if how == 'poweroff' else 'Halt'} failed: Interactive authentication required.\n"
        )
        return 1
    if call.proc.container:
        call.err(
            "System has not been booted with systemd as init system (PID 1). Can't operate.\nFailed to connect to bus: Host is down\n"
        )
        return 1
    power.shut_down(call.world, call.host, how)
    return 0


def _when(call: Call, text: str) -> int | None:
    """Nanoseconds until `now`, `+5`, `5` or `23:30`."""
    if text == "now":
        return 0
    match = re.fullmatch(r"\+?(\d+)", text)
    if match:
        return int(match.group(1)) * MINUTE
    match = re.fullmatch(r"(\d\d?):(\d\d)", text)
    if match is None or int(match.group(1)) > 23 or int(match.group(2)) > 59:
        return None
    wanted = (int(match.group(1)) * 60 + int(match.group(2))) * MINUTE
    return (wanted - call.world.wall % DAY) % DAY


def shutdown(call: Call) -> int:
    """`shutdown [-h|-P|-r|-H|-c|-k] [now|+minutes|hh:mm] [message]`; `reboot`, `poweroff`, `halt [-f]`."""
    name = name_of(call)
    if name != "shutdown":
        parse(call, "fpwdn", "force:f poweroff:p reboot halt no-wall no-sync:n wtmp-only:w")
        return begin(call, name)
    options, names = parse(call, "hPrHckt:", "halt:H poweroff:P reboot:r no-wall show")
    if "c" in options:
        power.cancel(call.world, call.host)
        return 0
    how = "reboot" if "r" in options else "halt" if "H" in options else "poweroff"
    delay = _when(call, names[0] if names else "+1")
    if delay is None:
        call.err(f"Failed to parse time specification: {names[0]}\n")
        return 1
    if call.uid:
        call.err("Failed to schedule shutdown: Interactive authentication required.\n")
        return 1
    if not delay:
        return begin(call, how)
    at = to_datetime(call.world.wall + delay)
    power.shut_down(call.world, call.host, how, delay)
    what = "Reboot" if how == "reboot" else "Shutdown"
    call.err(f"{what} scheduled for {at:%a %Y-%m-%d %H:%M:%S} UTC, use 'shutdown -c' to cancel.\n")
    return 0
