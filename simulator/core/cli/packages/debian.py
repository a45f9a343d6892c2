"""The packages of Debian's archive (trixie, bookworm), as a literal table: what containers of Debian install with apt-get.

A package has the programs and the summary of Ubuntu's of the same name (`catalogue.py`) and a version of its own for each release.
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from .catalogue import UBUNTU, Package

#: Codenames of the releases that have a column below.
RELEASES = ("trixie", "bookworm")
#: Package → its version in trixie and in bookworm.
VERSIONS: dict[str, tuple[str, str]] = {
    "apt": ("3.0.3", "2.6.1"),
    "base-files": ("13.8+deb13u2", "12.4+deb12u12"),
    "bash": ("5.2.37-2+b5", "5.2.15-2+b9"),
    "bash-completion": ("1:2.16.0-7", "1:2.11-6"),
    "bind9-dnsutils": ("1:9.20.15-1~deb13u1", "1:9.18.41-1~deb12u1"),
    "bsdextrautils": ("2.41-5", "2.38.1-5+deb12u3"),
    "ca-certificates": ("20250419", "20230311+deb12u1"),
    "coreutils": ("9.7-3", "9.1-1"),
    "cron": ("3.0pl1-197", "3.0pl1-162"),
    "curl": ("8.14.1-2+deb13u2", "7.88.1-10+deb12u14"),
    "diffutils": ("1:3.10-4", "1:3.8-4"),
    "dnsutils": ("1:9.20.15-1~deb13u1", "1:9.18.41-1~deb12u1"),
    "dpkg": ("1.22.21", "1.21.22"),
    "findutils": ("4.10.0-3", "4.9.0-4"),
    "git": ("1:2.47.3-0+deb13u1", "1:2.39.5-0+deb12u3"),
    "gnupg": ("2.4.7-21", "2.2.40-1.1+deb12u1"),
    "gpg": ("2.4.7-21+b3", "2.2.40-1.1+deb12u1"),
    "grep": ("3.11-4", "3.8-5"),
    "gzip": ("1.13-1", "1.12-1"),
    "htop": ("3.4.1-5", "3.2.2-2"),
    "iproute2": ("6.15.0-1", "6.1.0-3"),
    "iptables": ("1.8.11-2", "1.8.9-2"),
    "iputils-ping": ("3:20240905-3", "3:20221126-1+deb12u1"),
    "jq": ("1.7.1-6+deb13u1", "1.6-2.1+deb12u1"),
    "less": ("668-1", "590-2.1~deb12u2"),
    "lsof": ("4.99.4+dfsg-2", "4.95.0-1"),
    "mawk": ("1.3.4.20250131-1", "1.3.4.20200120-3.1"),
    "mount": ("2.41-5", "2.38.1-5+deb12u3"),
    "nano": ("8.4-1", "7.2-1+deb12u1"),
    "net-tools": ("2.10-1.3", "2.10-0.1+deb12u2"),
    "netcat-openbsd": ("1.229-1", "1.219-1"),
    "openssh-client": ("1:10.0p1-7", "1:9.2p1-2+deb12u7"),
    "openssl": ("3.5.4-1~deb13u1", "3.0.17-1~deb12u3"),
    "passwd": ("1:4.17.4-2", "1:4.13+dfsg1-1+deb12u1"),
    "patch": ("2.8-2", "2.7.6-7"),
    "procps": ("2:4.0.4-9", "2:4.0.2-3"),
    "python3": ("3.13.5-1", "3.11.2-1+b1"),
    "sed": ("4.9-2", "4.9-1"),
    "socat": ("1.8.0.3-1", "1.7.4.4-2"),
    "strace": ("6.13+ds-1", "6.1-0.1"),
    "sudo": ("1.9.16p2-3", "1.9.13p3-1+deb12u2"),
    "tar": ("1.35+dfsg-3.1", "1.34+dfsg-1.2+deb12u1"),
    "tcpdump": ("4.99.5-2", "4.99.3-1"),
    "telnet": ("0.17+2.6-3+deb13u1", "0.17+2.4-2+deb12u1"),
    "tmux": ("3.5a-3", "3.3a-3"),
    "traceroute": ("1:2.1.6-1", "1:2.1.2-1"),
    "tree": ("2.2.1-1", "2.1.0-1"),
    "unzip": ("6.0-29", "6.0-28"),
    "util-linux": ("2.41-5", "2.38.1-5+deb12u3"),
    "vim": ("2:9.1.1230-2", "2:9.0.1378-2+deb12u2"),
    "wget": ("1.25.0-2", "1.21.3-1+deb12u1"),
    "xxd": ("2:9.1.1230-2", "2:9.0.1378-2+deb12u2"),
    "zip": ("3.0-15", "3.0-13"),
}
#: What the base images bring: Debian's, and Ubuntu's besides.
BASE = frozenset("apt base-files bash coreutils diffutils dpkg findutils grep gzip mawk mount passwd sed tar util-linux".split())
UBUNTU_BASE = BASE | {"procps"}


@lru_cache(maxsize=len(RELEASES))
def packages(codename: str) -> tuple[Package, ...]:
    """The packages of a release; of one without a column (bullseye) those of the oldest that has one."""
    column = RELEASES.index(codename) if codename in RELEASES else len(RELEASES) - 1
    return tuple(
        msgspec.structs.replace(package, versions=(VERSIONS[package.name][column],))
        for package in UBUNTU
        if package.name in VERSIONS
    )
