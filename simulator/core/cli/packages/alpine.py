"""The packages of Alpine's repositories, as a literal table: what containers of Alpine install with apk.

Versions and sizes are those of v3.22, whatever the branch that a container's /etc/apk/repositories names.
"""

from __future__ import annotations

import msgspec

from ...kernel.versions import PATCH


class Alpine(msgspec.Struct, frozen=True):
    """A package: its installed size in KiB, what it needs, and `(path, program)` of its executables."""

    name: str
    version: str
    size: int
    depends: tuple[str, ...] = ()
    programs: tuple[tuple[str, str], ...] = ()
    summary: str = ""


def _row(name: str, version: str, size: int, depends: str = "", commands: str = "", summary: str = "") -> Alpine:
    programs = tuple((c if c.startswith("/") else f"/usr/bin/{c}", c.rpartition("/")[2]) for c in commands.split())
    return Alpine(name, version, size, tuple(depends.split()), programs, summary)


#: What the image of Alpine has (its world and what that needs).
BASE: tuple[Alpine, ...] = (
    _row("alpine-baselayout", "3.7.0-r0", 16, summary="Alpine base dir structure and init scripts"),
    _row("alpine-baselayout-data", "3.7.0-r0", 24, summary="Alpine base dir structure and init scripts"),
    _row("alpine-keys", "2.5-r0", 13, summary="Public keys for Alpine Linux packages"),
    _row("alpine-release", "3.22.2-r0", 1, summary="Alpine release data"),
    _row("apk-tools", "2.14.9-r3", 256, commands="/sbin/apk", summary="Alpine Package Keeper - package manager for alpine"),
    _row("busybox", "1.37.0-r19", 800, summary="Size optimized toolbox of many common UNIX utilities"),
    _row("busybox-binsh", "1.37.0-r19", 1, summary="busybox ash /bin/sh"),
    _row("ca-certificates-bundle", "20250911-r0", 216, summary="Pre generated bundle of Mozilla certificates"),
    _row("libapk2", "2.14.9-r3", 284, summary="Alpine Package Keeper - package manager for alpine (libraries)"),
    _row("libcrypto3", "3.5.4-r0", 4_600, summary="Crypto library from openssl"),
    _row("libssl3", "3.5.4-r0", 900, summary="SSL shared libraries"),
    _row("musl", "1.2.5-r10", 650, summary="the musl c library (libc) implementation"),
    _row("musl-utils", "1.2.5-r10", 140, summary="the musl c library (libc) implementation"),
    _row("scanelf", "1.3.8-r1", 94, summary="Scan ELF binaries for stuff"),
    _row("ssl_client", "1.37.0-r19", 14, summary="External ssl_client for busybox wget"),
    _row("zlib", "1.3.1-r2", 110, summary="A compression/decompression Library"),
)

#: What can be added.
MORE: tuple[Alpine, ...] = (
    _row("bash", "5.2.37-r0", 1_400, "readline", "/bin/bash", "The GNU Bourne Again shell"),
    _row("bind-libs", "9.20.15-r0", 3_600, "fstrm json-c libuv libxml2 nghttp2-libs protobuf-c userspace-rcu", summary="The ISC DNS server (libraries)"),
    _row("bind-tools", "9.20.15-r0", 420, "bind-libs", "dig host nslookup", "The ISC DNS tools"),
    _row("brotli-libs", "1.1.0-r2", 900, summary="Generic lossless compressor (libraries)"),
    _row("busybox-extras", "1.37.0-r19", 70, commands="telnet", summary="Additional binaries of Busybox"),
    _row("c-ares", "1.34.5-r0", 180, summary="Asynchronous DNS/names resolver library"),
    _row("ca-certificates", "20250911-r0", 700, summary="Common CA certificates PEM files from Mozilla"),
    _row("coreutils", "9.7-r1", 1_100, "acl-libs libattr skalibs utmps-libs", "", "The basic file, shell and text manipulation utilities"),
    _row("curl", "8.14.1-r2", 300, "ca-certificates libcurl", "curl", "URL retrival utility and library"),
    _row("diffutils", "3.12-r0", 320, commands="diff cmp", summary="The GNU diff utilities"),
    _row("findutils", "4.10.0-r0", 480, commands="find xargs", summary="GNU utilities for finding files"),
    _row("file", "5.46-r2", 80, "libmagic", "file", "File type identification utility"),
    _row("gettext", "0.24.1-r0", 1_900, "gettext-libs libintl libunistring", "", "GNU locale utilities"),
    _row("gettext-envsubst", "0.24.1-r0", 40, "libintl", "envsubst", "GNU locale utilities (envsubst)"),
    _row("grep", "3.12-r0", 300, "pcre2", "grep egrep fgrep", "Searches input files for lines containing a match to a specified pattern"),
    _row("iproute2", "6.15.0-r0", 500, "iproute2-minimal iproute2-ss iproute2-tc", summary="IP Routing Utilities"),
    _row("iproute2-minimal", "6.15.0-r0", 640, "libcap2 libmnl", "/sbin/ip", "IP Routing Utilities (minimal)"),
    _row("iproute2-ss", "6.15.0-r0", 220, "libcap2 libmnl", "/sbin/ss", "IP Routing Utilities (ss)"),
    _row("iproute2-tc", "6.15.0-r0", 780, "libcap2 libmnl", "/sbin/tc", "IP Routing Utilities (tc)"),
    _row("iptables", "1.8.11-r1", 1_700, "libmnl libnftnl libxtables", "/usr/sbin/iptables /usr/sbin/iptables-save /usr/sbin/iptables-restore",
         "Linux kernel firewall, NAT and packet mangling tools"),
    _row("iputils", "20240905-r0", 60, "iputils-ping", summary="IP Configuration Utilities"),
    _row("iputils-ping", "20240905-r0", 90, "libcap2", "/bin/ping", "IP Configuration Utilities (ping)"),
    _row("jq", "1.8.1-r0", 310, "oniguruma", "jq", "A lightweight and flexible command-line JSON processor"),
    _row("kubectl", f"{PATCH}-r0", 58_000, commands="kubectl", summary="CLI to manage Kubernetes clusters"),
    _row("helm", "3.19.2-r0", 58_000, commands="helm", summary="The Kubernetes Package Manager"),
    _row("less", "679-r0", 160, "libncursesw", "less", "File pager"),
    _row("libcurl", "8.14.1-r2", 620, "brotli-libs c-ares libidn2 libpsl nghttp2-libs zstd-libs", summary="The multiprotocol file transfer library"),
    _row("libidn2", "2.3.7-r0", 250, "libunistring", summary="Encode/Decode library for internationalized domain names"),
    _row("libncursesw", "6.5_p20250503-r0", 300, "ncurses-terminfo-base", summary="Console display library (libncursesw)"),
    _row("libpsl", "0.21.5-r3", 80, "libidn2", summary="C library for the Publix Suffix List"),
    _row("nano", "8.4-r0", 700, "libncursesw", "nano", "Enhanced clone of the Pico text editor"),
    _row("netcat-openbsd", "1.229.1-r0", 44, "libbsd libmd", "nc", "The TCP/IP swiss army knife"),
    _row("net-tools", "2.10-r3", 520, "mii-tool", "/bin/netstat /sbin/ifconfig", "Linux Networking utilities"),
    _row("openssh-client-default", "10.0_p1-r9", 800, "openssh-client-common openssh-keygen", "ssh scp", "Port of OpenBSD's free SSH release - client"),
    _row("openssh-client", "10.0_p1-r9", 1, "openssh-client-default", summary="Port of OpenBSD's free SSH release - client"),
    _row("openssl", "3.5.4-r0", 900, commands="openssl", summary="Toolkit for Transport Layer Security (TLS)"),
    _row("procps", "4.0.4-r3", 1, "procps-ng", summary="System and process monitoring utilities (meta package)"),
    _row("procps-ng", "4.0.4-r3", 700, "libncursesw libproc2", "/bin/ps free pgrep pkill top uptime w watch /sbin/sysctl",
         "System and process monitoring utilities"),
    _row("python3", "3.12.12-r0", 38_000, "gdbm libbz2 libexpat libffi libpanelw mpdecimal readline sqlite-libs xz-libs", "python3",
         "High-level scripting language"),
    _row("readline", "8.2.13-r1", 320, "libncursesw", summary="The GNU readline library"),
    _row("sed", "4.9-r2", 130, commands="/bin/sed", summary="GNU stream editor"),
    _row("shadow", "4.17.3-r0", 520, "libbsd linux-pam skalibs", "/usr/sbin/useradd /usr/sbin/userdel /usr/sbin/usermod /usr/sbin/groupadd",
         "User and group management related tools"),
    _row("sudo", "1.9.17_p2-r0", 2_100, commands="sudo", summary="Give certain users the ability to run some commands as root"),
    _row("tar", "1.35-r3", 480, "libacl", "tar", "Utility used to store, backup, and transport files"),
    _row("tcpdump", "4.99.5-r1", 1_100, "libpcap", "tcpdump", "Tool for network monitoring and data acquisition"),
    _row("tree", "2.2.1-r0", 70, commands="tree", summary="A recursive directory indented listing program"),
    _row("tzdata", "2025b-r0", 1_400, summary="Timezone data"),
    _row("unzip", "6.0-r15", 320, commands="unzip", summary="Extract PKZIP-compatible .zip files"),
    _row("util-linux", "2.41-r9", 100, "lsblk findmnt", summary="Random collection of Linux utilities"),
    _row("findmnt", "2.41-r9", 80, commands="findmnt", summary="Tool to list mounted filesystems"),
    _row("lsblk", "2.41-r9", 150, commands="lsblk", summary="Block device list tool"),
    _row("vim", "9.1.1566-r0", 2_600, "libncursesw vim-common xxd", "vim vi view", "Improved vi-style text editor"),
    _row("vim-common", "9.1.1566-r0", 5_400, summary="Improved vi-style text editor (common files)"),
    _row("wget", "1.25.0-r1", 520, "libidn2 pcre2", "wget", "Network utility to retrieve files from the Web"),
    _row("xxd", "9.1.1566-r0", 26, commands="xxd", summary="Hexdump utility from vim"),
    _row("yq", "4.46.1-r4", 10_500, commands="yq", summary="Portable command-line YAML processor"),
    _row("nghttp2-libs", "1.65.0-r0", 180, summary="Experimental HTTP/2 client, server and proxy (libraries)"),
    _row("zstd-libs", "1.5.7-r0", 650, summary="Zstandard - Fast real-time compression algorithm (libraries)"),
    *(
        _row(name, version, size)
        for name, version, size in (
            ("acl-libs", "2.3.2-r1", 36), ("fstrm", "0.6.1-r4", 60), ("gdbm", "1.24-r0", 170), ("gettext-libs", "0.24.1-r0", 1_500),
            ("json-c", "0.18-r1", 70), ("libacl", "2.3.2-r1", 36), ("libattr", "2.5.2-r2", 24), ("libbsd", "0.12.2-r0", 70), ("libbz2", "1.0.8-r6", 72),
            ("libcap2", "2.76-r0", 44), ("libexpat", "2.7.3-r0", 170), ("libffi", "3.4.8-r0", 52), ("libintl", "0.24.1-r0", 50),
            ("libmagic", "5.46-r2", 9_300), ("libmd", "1.1.0-r0", 48), ("libmnl", "1.0.5-r2", 24), ("libnftnl", "1.2.9-r0", 160),
            ("libpanelw", "6.5_p20250503-r0", 16), ("libpcap", "1.10.5-r1", 300), ("libproc2", "4.0.4-r3", 100), ("libunistring", "1.3-r0", 1_700),
            ("libuv", "1.51.0-r0", 200), ("libxml2", "2.13.9-r0", 1_100), ("libxtables", "1.8.11-r1", 50), ("linux-pam", "1.7.0-r4", 900),
            ("mii-tool", "2.10-r3", 20), ("mpdecimal", "4.0.1-r0", 200), ("ncurses-terminfo-base", "6.5_p20250503-r0", 70),
            ("oniguruma", "6.9.10-r0", 560), ("openssh-client-common", "10.0_p1-r9", 3_300), ("openssh-keygen", "10.0_p1-r9", 480),
            ("pcre2", "10.46-r0", 640), ("protobuf-c", "1.5.2-r0", 40), ("skalibs", "2.14.4.0-r0", 260), ("sqlite-libs", "3.49.2-r1", 1_100),
            ("userspace-rcu", "0.15.2-r0", 140), ("utmps-libs", "0.1.3.1-r0", 30), ("xz-libs", "5.8.1-r0", 200),
        )
    ),
)  # fmt: skip
PACKAGES: dict[str, Alpine] = {package.name: package for package in (*BASE, *MORE)}
#: Packages of the real repositories that ours lack: their absence is told as what it is.
OTHERS = frozenset(
    """apache2 apache2-utils bc build-base cargo conntrack-tools docker docker-cli ethtool g++ gawk gcc git go htop iperf iperf3 linux-headers
    lsof make mariadb mariadb-client mongodb mtr musl-dev mysql mysql-client nginx nmap nodejs npm openjdk17 openssh openssh-server perl php82
    pip postgresql postgresql-client py3-pip redis ruby rust socat strace stress-ng su-exec supervisor tini tmux wrk""".split()
)
