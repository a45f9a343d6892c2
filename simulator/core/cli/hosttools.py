"""The tools of this package that every host has, by name."""

from __future__ import annotations

from ..host.executor import Command
from . import (
    dig,
    disktools,
    interfaces,
    iptables,
    journalctl,
    machinectl,
    netcmds,
    nslookup,
    openssl,
    probing,
    ssh,
    systemctl,
    yq,
)
from .packages import apt, dpkg, keys

COMMANDS: dict[str, Command] = {
    "apt": apt.apt_get,
    "apt-cache": apt.apt_cache,
    "apt-get": apt.apt_get,
    "apt-mark": apt.apt_mark,
    "dpkg": dpkg.dpkg,
    "dpkg-query": dpkg.dpkg,
    "gpg": keys.gpg,
    "dig": dig.dig,
    "fallocate": disktools.fallocate,
    "getent": netcmds.getent,
    "host": dig.host,
    "hostnamectl": machinectl.hostnamectl,
    "ifconfig": interfaces.ifconfig,
    "ip": interfaces.ip,
    "iptables": iptables.iptables,
    "iptables-restore": iptables.iptables_restore,
    "iptables-save": iptables.iptables_save,
    "journalctl": journalctl.journalctl,
    "mkswap": disktools.mkswap,
    "nc": probing.nc,
    "netstat": netcmds.ss,
    "nslookup": nslookup.nslookup,
    "openssl": openssl.openssl,
    "ping": probing.ping,
    "ss": netcmds.ss,
    "ssh": ssh.ssh,
    "swapoff": disktools.swapoff,
    "swapon": disktools.swapon,
    "systemctl": systemctl.systemctl,
    "tc": disktools.tc,
    "timedatectl": machinectl.timedatectl,
    "traceroute": probing.traceroute,
    "yq": yq.yq,
}
