"""The tools of this package that every host has, by name."""

from __future__ import annotations

from ..host.executor import Command
from . import journalctl, netcmds, nslookup, ssh, systemctl

COMMANDS: dict[str, Command] = {
    "getent": netcmds.getent,
    "ifconfig": netcmds.ifconfig,
    "ip": netcmds.ip,
    "journalctl": journalctl.journalctl,
    "nc": netcmds.nc,
    "netstat": netcmds.ss,
    "nslookup": nslookup.nslookup,
    "ping": netcmds.ping,
    "ss": netcmds.ss,
    "ssh": ssh.ssh,
    "systemctl": systemctl.systemctl,
}
