"""The tools of this package that every host has, by name."""

from __future__ import annotations

from ..host.executor import Command
from . import iptables, journalctl, machinectl, netcmds, nslookup, openssl, ssh, systemctl, yq

COMMANDS: dict[str, Command] = {
    "getent": netcmds.getent,
    "hostnamectl": machinectl.hostnamectl,
    "ifconfig": netcmds.ifconfig,
    "ip": netcmds.ip,
    "iptables": iptables.iptables,
    "iptables-restore": iptables.iptables_restore,
    "iptables-save": iptables.iptables_save,
    "journalctl": journalctl.journalctl,
    "nc": netcmds.nc,
    "netstat": netcmds.ss,
    "nslookup": nslookup.nslookup,
    "openssl": openssl.openssl,
    "ping": netcmds.ping,
    "ss": netcmds.ss,
    "ssh": ssh.ssh,
    "systemctl": systemctl.systemctl,
    "timedatectl": machinectl.timedatectl,
    "yq": yq.yq,
}
