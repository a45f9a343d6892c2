"""What the simulated archives hold: literal tables of packages and versions (pkgs.k8s.io, Ubuntu noble, Docker's)."""

from __future__ import annotations

import msgspec

from ...host import webservers as web
from ...host.packaged import (
    CONTAINERD_UNIT,
    DOCKER_SOCKET,
    DOCKER_UNIT,
    HAPROXY_CONFIG,
    HAPROXY_UNIT,
    KUBELET_DROP_IN,
    KUBELET_UNIT,
)
from ...kernel.versions import NEWEST, NEXT, patches
from ...runtime.pages import NGINX_INDEX, NGINX_TYPES


class Package(msgspec.Struct, frozen=True):
    """A package: sizes in KiB (of the archive, installed); `programs` are paths of executables and the programs they run; `{v}` in a
    program's name is the upstream version."""

    name: str
    versions: tuple[str, ...]  # the newest first
    summary: str
    depends: tuple[str, ...] = ()
    size: int = 100
    installed: int = 400
    programs: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, str], ...] = ()
    units: tuple[str, ...] = ()  # files whose text begins with `->` are symbolic links
    section: str = "admin"


#: Patch releases by minor version, the newest first.
KUBERNETES: dict[str, tuple[str, ...]] = {minor: patches(minor) for minor in sorted(NEWEST | NEXT)}


def kubernetes(minor: str) -> tuple[Package, ...]:
    """The packages of `pkgs.k8s.io/core:/stable:/v<minor>/deb`."""
    releases = tuple(f"{release}-1.1" for release in KUBERNETES[minor])
    return (
        Package("cri-tools", (f"{minor}.0-1.1",), "Command-line utility for interacting with a container runtime", (), 16_900, 55_100,
                (("/usr/bin/crictl", "crictl"),)),
        Package("kubeadm", releases, "Command-line utility for administering a Kubernetes cluster", ("cri-tools",), 12_600, 74_400,
                (("/usr/bin/kubeadm", "kubeadm:{v}"),),
                (("/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", KUBELET_DROP_IN),)),
        Package("kubectl", releases, "Command-line utility for interacting with a Kubernetes cluster", (), 11_700, 60_400,
                (("/usr/bin/kubectl", "kubectl:{v}"),)),
        Package("kubelet", releases, "Node agent for Kubernetes clusters", ("iptables", "kubernetes-cni", "iproute2", "mount", "util-linux"),
                13_300, 61_200, (("/usr/bin/kubelet", "kubelet:{v}"),), (("/usr/lib/systemd/system/kubelet.service", KUBELET_UNIT),),
                ("kubelet.service",)),
        Package("kubernetes-cni", ("1.8.0-1.1",), "Binaries required to provision kubernetes container networking", (), 37_200, 96_000),
    )  # fmt: skip


def _tool(name: str, version: str, summary: str, *commands: str, size: int = 120, depends: tuple[str, ...] = ()) -> Package:
    programs = tuple(
        (command if command.startswith("/") else f"/usr/bin/{command}", command.rpartition("/")[2]) for command in commands
    )
    return Package(name, (version,), summary, depends, size, size * 3, programs, section="utils")


CONTAINERD = "2.2.1-0ubuntu1~24.04.1"
UBUNTU: tuple[Package, ...] = (
    _tool("adduser", "3.137ubuntu1", "add and remove users and groups", "/usr/sbin/adduser", "/usr/sbin/deluser"),
    _tool("apt", "2.7.14build2", "commandline package manager", "apt", "apt-get", "apt-cache", "apt-mark", size=1_300),
    _tool("apt-transport-https", "2.8.3", "transitional package for https support", size=4),
    _tool("base-files", "13ubuntu10.1", "Debian base system miscellaneous files", size=73),
    _tool("bash", "5.2.21-2ubuntu4", "GNU Bourne Again SHell", "bash", size=794),
    _tool("bash-completion", "1:2.11-8", "programmable completion for the bash shell", size=180),
    _tool("bind9-dnsutils", "1:9.18.28-0ubuntu0.24.04.1", "Clients provided with BIND 9", "dig", "nslookup", size=156),
    _tool("bridge-utils", "1.7.1-1ubuntu2", "Utilities for configuring the Linux Ethernet bridge", size=34),
    _tool("bsdextrautils", "2.39.3-9ubuntu6.1", "extra utilities from 4.4BSD-Lite", "column", "hexdump", "hd", size=73),
    _tool("ca-certificates", "20240203", "Common CA certificates", size=158),
    _tool("conntrack", "1:1.4.8-1ubuntu1", "Program to modify the conntrack tables", size=37),
    Package("containerd", (CONTAINERD,), "daemon to control runC", ("runc",), 38_500, 124_000,
            (("/usr/bin/containerd", "containerd"), ("/usr/bin/ctr", "ctr")), (("/usr/lib/systemd/system/containerd.service", CONTAINERD_UNIT),),
            ("containerd.service",)),
    _tool("coreutils", "9.4-3ubuntu6", "GNU core utilities", *"""[ arch b2sum base32 base64 basename cat chgrp chmod chown cksum comm cp cut
        date dd df dirname du echo env expand expr factor false fmt fold groups head id install join ln ls md5sum mkdir mktemp mv nl nohup
        nproc numfmt od paste printenv printf pwd readlink realpath rm rmdir seq sha1sum sha256sum sha512sum shuf sleep sort split stat
        stdbuf sum sync tac tail tee test timeout touch tr true truncate tty uname unexpand uniq wc who whoami yes""".split(), size=1_500),
    _tool("cron", "3.0pl1-184ubuntu2", "process scheduling daemon", "crontab", size=84),
    _tool("curl", "8.5.0-2ubuntu10.6", "command line tool for transferring data with URL syntax", "curl", size=227),
    _tool("diffutils", "1:3.10-1build1", "File comparison utilities", "cmp", "diff", size=180),
    _tool("dnsutils", "1:9.18.28-0ubuntu0.24.04.1", "Transitional package for bind9-dnsutils", size=4, depends=("bind9-dnsutils",)),
    Package("docker.io", ("28.2.2-0ubuntu1~24.04.1",), "Linux container runtime", ("containerd", "runc"), 27_900, 112_000,
            (("/usr/bin/docker", "docker"), ("/usr/bin/dockerd", "dockerd")),
            (("/usr/lib/systemd/system/docker.service", DOCKER_UNIT), ("/usr/lib/systemd/system/docker.socket", DOCKER_SOCKET),
             ("/etc/docker/.keep", "")), ("docker.socket", "docker.service")),
    Package("docker-compose-v2", ("2.37.1+ds1-0ubuntu2~24.04.1",), "define and run multi-container Docker applications with YAML (v2)",
            ("docker.io",), 15_000, 60_000, (("/usr/libexec/docker/cli-plugins/docker-compose", "docker"),)),
    Package("docker-buildx", ("0.20.1-0ubuntu1~24.04.2",), "Docker CLI plugin for extended build capabilities with BuildKit", ("docker.io",),
            16_000, 60_000, (("/usr/libexec/docker/cli-plugins/docker-buildx", "docker"),)),
    Package("docker-compose", ("1.29.2-6ubuntu1",), "define and run multi-container Docker applications with YAML", (), 95, 580,
            (("/usr/bin/docker-compose", "docker-compose"),)),
    _tool("dpkg", "1.22.6ubuntu6", "Debian package management system", "dpkg", "dpkg-query", size=1_300),
    _tool("ebtables", "2.0.11-6", "Ethernet bridge frame table administration", size=84),
    Package("etcd-client", ("3.4.30-1ubuntu0.24.04.3",), "highly-available key value store -- client", (), 6_900, 24_000,
            (("/usr/bin/etcdctl", "etcdctl:{v}"),)),
    Package("etcd-server", ("3.4.30-1ubuntu0.24.04.3",), "highly-available key value store -- daemon", (), 8_000, 26_000,
            (("/usr/bin/etcd", "etcd:{v}"),)),
    _tool("ethtool", "1:6.7-1build1", "display or change Ethernet device settings", size=228),
    _tool("findutils", "4.9.0-5build1", "utilities for finding files", "find", "xargs", size=298),
    _tool("git", "1:2.43.0-1ubuntu7.1", "fast, scalable, distributed revision control system", "git", size=3_680),
    _tool("gnupg", "2.4.4-2ubuntu17", "GNU privacy guard", size=359, depends=("gpg",)),
    _tool("gpg", "2.4.4-2ubuntu17", "GNU Privacy Guard -- minimalist public key operations", "gpg", size=565),
    _tool("grep", "3.11-4build1", "GNU grep, egrep and fgrep", "grep", "egrep", "fgrep", size=163),
    _tool("gzip", "1.12-1ubuntu3", "GNU compression utilities", "gzip", "gunzip", "zcat", size=100),
    Package("haproxy", ("2.8.5-1ubuntu3.3",), "fast and reliable load balancing reverse proxy", (), 2_060, 4_500,
            (("/usr/sbin/haproxy", "haproxy"),),
            (("/usr/lib/systemd/system/haproxy.service", HAPROXY_UNIT), ("/etc/haproxy/haproxy.cfg", HAPROXY_CONFIG)),
            ("haproxy.service",)),
    _tool("htop", "3.3.0-4build1", "interactive processes viewer", "htop", size=171),
    _tool("iproute2", "6.1.0-1ubuntu6", "networking and traffic control tools", "/usr/sbin/ip", "/usr/sbin/tc", "ss", size=1_100),
    _tool("iptables", "1.8.10-3ubuntu2", "administration tools for packet filtering and NAT", "/usr/sbin/iptables", "/usr/sbin/iptables-save",
          "/usr/sbin/iptables-restore", size=381),
    _tool("iputils-ping", "3:20240117-1build1", "Tools to test the reachability of network hosts", "ping", size=45),
    _tool("ipset", "7.19-1ubuntu2", "administration tool for kernel IP sets", size=45),
    _tool("ipvsadm", "1:1.31-2build1", "Linux Virtual Server support programs", size=40),
    _tool("jq", "1.7.1-3build1", "lightweight and flexible command-line JSON processor", "jq", size=66),
    _tool("kubectx", "0.9.5-1", "fast way to switch between clusters and namespaces in kubectl", "kubectx", "kubens", size=12),
    _tool("less", "590-2ubuntu2.1", "pager program similar to more", "less", size=142),
    _tool("lsb-release", "12.0-2", "Linux Standard Base version reporting utility (minimal implementation)", "lsb_release", size=6),
    _tool("lsof", "4.95.0-1build3", "utility to list open files", "lsof", size=248),
    _tool("make", "4.3-4.1build2", "utility for directing compilation", "make", size=180),
    _tool("mawk", "1.3.4.20240123-1build1", "Pattern scanning and text processing language", "awk", size=128),
    _tool("mount", "2.39.3-9ubuntu6.1", "tools for mounting and manipulating filesystems", "mount", "umount", "/usr/sbin/swapon",
          "/usr/sbin/swapoff", size=118),
    _tool("nano", "7.2-2build1", "small, friendly text editor inspired by Pico", "nano", size=282),
    _tool("net-tools", "2.10-0.1ubuntu4", "NET-3 networking toolkit", "netstat", "/usr/sbin/ifconfig", size=204),
    _tool("netcat-openbsd", "1.226-1ubuntu2", "TCP/IP swiss army knife", "nc", size=44),
    Package("nginx", ("1.24.0-2ubuntu7.5",), "small, powerful, scalable web/proxy server", ("nginx-common",), 520, 1_600,
            (("/usr/sbin/nginx", "nginx"),), (("/usr/share/nginx/html/index.html", NGINX_INDEX),), ("nginx.service",)),
    Package("nginx-common", ("1.24.0-2ubuntu7.5",), "small, powerful, scalable web/proxy server - common files", (), 32, 230, (),
            (("/etc/nginx/nginx.conf", web.NGINX_CONF), ("/etc/nginx/mime.types", NGINX_TYPES), ("/etc/nginx/proxy_params", web.PROXY_PARAMS),
             ("/etc/nginx/sites-available/default", web.NGINX_SITE), ("/etc/nginx/sites-enabled/default", "->/etc/nginx/sites-available/default"),
             ("/usr/lib/systemd/system/nginx.service", web.NGINX_UNIT), ("/var/www/html/index.nginx-debian.html", NGINX_INDEX),
             ("/etc/nginx/conf.d/.keep", ""), ("/etc/nginx/modules-enabled/.keep", ""), ("/var/log/nginx/access.log", ""),
             ("/var/log/nginx/error.log", ""))),
    Package("apache2", ("2.4.58-1ubuntu8.8",), "Apache HTTP Server", ("apache2-utils",), 90, 460,
            (("/usr/sbin/apache2", "apache2"), ("/usr/sbin/apache2ctl", "apache2ctl"), ("/usr/sbin/apachectl", "apache2ctl"),
             ("/usr/sbin/a2ensite", "a2ensite"), ("/usr/sbin/a2dissite", "a2ensite"), ("/usr/sbin/a2enmod", "a2ensite"),
             ("/usr/sbin/a2dismod", "a2ensite")),
            (("/etc/apache2/apache2.conf", web.APACHE_CONF), ("/etc/apache2/ports.conf", "Listen 80\n"),
             ("/etc/apache2/sites-available/000-default.conf", web.APACHE_SITE),
             ("/etc/apache2/sites-enabled/000-default.conf", "->../sites-available/000-default.conf"),
             ("/etc/apache2/mods-enabled/.keep", ""), ("/etc/apache2/conf-enabled/.keep", ""), ("/var/www/html/index.html", web.APACHE_INDEX),
             ("/var/log/apache2/access.log", ""), ("/var/log/apache2/error.log", ""),
             ("/usr/lib/systemd/system/apache2.service", web.APACHE_UNIT)), ("apache2.service",)),
    _tool("apache2-utils", "2.4.58-1ubuntu8.8", "Apache HTTP Server (utility programs for web servers)", "htpasswd", size=97),
    _tool("nfs-common", "1:2.6.4-3ubuntu5", "NFS support files common to client and server", size=248),
    _tool("open-iscsi", "2.1.9-3ubuntu5.1", "iSCSI initiator tools", size=323),
    _tool("openssh-client", "1:9.6p1-3ubuntu13.5", "secure shell (SSH) client, for secure access to remote machines", "ssh", "scp", size=905),
    _tool("openssl", "3.0.13-0ubuntu3.4", "Secure Sockets Layer toolkit - cryptographic utility", "openssl", size=1_000),
    _tool("passwd", "1:4.13+dfsg1-4ubuntu3", "change and administer password and group data", "passwd", "/usr/sbin/useradd", "/usr/sbin/userdel",
          "/usr/sbin/usermod", "/usr/sbin/groupadd", size=845),
    _tool("patch", "2.7.6-7build3", "Apply a diff file to an original", size=104),
    _tool("podman", "4.9.3+ds1-1ubuntu0.2", "tool to manage containers and pods", "podman", size=13_600),
    _tool("procps", "2:4.0.4-4ubuntu3", "/proc file system utilities", "ps", "top", "free", "uptime", "w", "pgrep", "pkill", "watch",
          "/usr/sbin/sysctl", size=708),
    _tool("python3", "3.12.3-0ubuntu2", "interactive high-level object-oriented language", "python3", size=24),
    Package("python-is-python3", ("3.11.4-1",), "symlinks /usr/bin/python to python3", ("python3",), 3, 15, (("/usr/bin/python", "python3"),)),
    Package("runc", ("1.3.3-0ubuntu1~24.04.2",), "Open Container Project - runtime", (), 8_900, 29_000),
    _tool("sed", "4.9-2build1", "GNU stream editor for filtering/transforming text", "sed", size=195),
    _tool("socat", "1.8.0.0-4build3", "multipurpose relay for bidirectional data transfer", "socat", size=374),
    _tool("software-properties-common", "0.99.48", "manage the repositories that you install software from", "add-apt-repository",
          "apt-add-repository", size=14),
    _tool("strace", "6.8-0ubuntu2", "System call tracer", "strace", size=569),
    _tool("sudo", "1.9.15p5-3ubuntu5", "Provide limited super user privileges to specific users", "sudo", size=947),
    _tool("systemd", "255.4-1ubuntu8.4", "system and service manager", "systemctl", "journalctl", "hostnamectl", "timedatectl", size=3_500),
    _tool("tar", "1.35+dfsg-3build1", "GNU version of the tar archiving utility", "tar", size=253),
    _tool("tcpdump", "4.99.4-3ubuntu4", "command-line network traffic analyzer", "tcpdump", size=479),
    _tool("telnet", "0.17+2.5-3ubuntu4", "transitional dummy package for inetutils-telnet", "telnet", size=4),
    _tool("tmux", "3.4-1ubuntu0.1", "terminal multiplexer", "tmux", size=483),
    _tool("traceroute", "1:2.1.5-1", "Traces the route taken by packets over an IPv4/IPv6 network", "traceroute", size=59),
    _tool("tree", "2.1.1-2ubuntu3", "displays an indented directory tree, in color", "tree", size=48),
    _tool("ufw", "0.36.2-6", "program for managing a Netfilter firewall", "ufw", size=169),
    _tool("unzip", "6.0-28ubuntu4.1", "De-archiver for .zip files", "unzip", size=174),
    _tool("util-linux", "2.39.3-9ubuntu6.1", "miscellaneous system utilities", "lsblk", "more", "dmesg", size=1_100),
    _tool("vim", "2:9.1.0016-1ubuntu7.3", "Vi IMproved - enhanced vi editor", "vi", "vim", "view", "ex", "editor", size=1_900),
    _tool("wget", "1.21.4-1ubuntu4.1", "retrieves files from the web", "wget", size=334),
    _tool("xxd", "2:9.1.0016-1ubuntu7.3", "tool to make (or reverse) a hex dump", "xxd", size=63),
    _tool("zip", "3.0-13build1", "Archiver for .zip files", "zip", size=175),
)  # fmt: skip

#: What a fresh host has not: everything else of Ubuntu's table is installed.
NOT_INSTALLED = frozenset(
    """kubectx containerd runc etcd-client etcd-server git haproxy htop podman python3 tcpdump tmux strace unzip zip nfs-common open-iscsi ipvsadm
bridge-utils nginx nginx-common apache2 apache2-utils docker-compose docker.io docker-compose-v2 docker-buildx python-is-python3 make  socat ebtables conntrack ipset apt-transport-https dnsutils""".split()
)


class Source(msgspec.Struct, frozen=True):
    """An archive: the address as sources name it, its label in versions, who signs it, and what it serves."""

    label: str
    packages: tuple[Package, ...]
    key: str = ""


def source(url: str, suite: str = "") -> Source | None:
    """The archive at an address; None when there is none. Updates of a release are in its first suite here."""
    url = url.rstrip("/")
    for minor in KUBERNETES:
        if url == f"https://pkgs.k8s.io/core:/stable:/v{minor}/deb":
            return Source(f"isv:kubernetes:core:stable:v{minor}:pkgs.k8s.io", kubernetes(minor), "234654DA9A296436")
    codename, _, pocket = suite.partition("-")
    if url in ("http://archive.ubuntu.com/ubuntu", "http://us.archive.ubuntu.com/ubuntu"):
        return Source(
            {"noble": "Ubuntu:24.04/noble", "": "Ubuntu:24.04/noble"}.get(codename, f"Ubuntu:{codename}"),
            () if pocket else UBUNTU,
        )
    if url == "http://security.ubuntu.com/ubuntu":
        return Source("Ubuntu:24.04/noble-security" if codename in ("", "noble") else f"Ubuntu:{suite}", ())
    if url == "http://deb.debian.org/debian":
        from .debian import packages  # it takes its rows from this table

        return Source(f"Debian:{suite}", () if pocket else packages(codename))
    if url in ("http://deb.debian.org/debian-security", "http://security.debian.org/debian-security"):
        return Source(f"Debian-Security:{suite}", ())
    return None


def archive(name: str) -> Package | None:
    """A package of Ubuntu's table."""
    return next((package for package in UBUNTU if package.name == name), None)
