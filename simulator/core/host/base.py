"""The base file system of an Ubuntu-like host: built once a process, shared by all hosts and worlds, in no snapshot.

`build(host)` gives a host its root (a frozen reference to the base) and the few files that differ from host to host.  An
executable is an inode of kind `exec` whose target names an entry of `tables['commands']` or `tables['programs']`.
"""

from __future__ import annotations

import posixpath

from ..kernel.clock import DAY, DEFAULT_EPOCH
from ..kernel.versions import MINOR
from . import filesystem, sudoers
from .filesystem import FileSystem, Inode
from .machine import Host

#: When the image of the base was made.
MADE = DEFAULT_EPOCH - 24 * DAY

#: Commands of Ubuntu packages, all in /usr/bin.
COMMANDS: tuple[str, ...] = tuple(
    """[ arch awk base32 base64 basename basenc bash cat chgrp chmod chown cksum clear cmp comm cp curl cut date dd df diff dig dirname du
    echo egrep env expand expr factor false fallocate fgrep file find fmt fold free getent grep groups gunzip gzip head hostname
    host hostnamectl id install join journalctl jq kill killall less ln logger ls lsof md5sum mkdir mktemp more mv nano nc
    link netstat nl nohup nproc nslookup numfmt od openssl paste pgrep ping pkill pr printenv printf ps pwd readlink realpath rev rm
    rmdir sed seq sh sha1sum sha256sum sha512sum shuf sleep sort split ss ssh stat stdbuf strings su sudo sync systemctl tac
    tail tar tee test timedatectl time timeout top touch tr traceroute tree true truncate tty uname unexpand uniq unlink uptime vi vim
    w watch wc wget whereis which who whoami xargs xxd yes yq zcat""".split()
)
#: More of them: editors and tools that the first list has not.
MORE_COMMANDS: tuple[str, ...] = tuple(
    "apt apt-cache apt-get apt-mark b2sum column crontab dmesg dpkg dpkg-query gpg last lsblk lscpu mount passwd pidof editor ex rsync scp ssh-copy-id ssh-keygen systemd-analyze systemd-cgls patch lsns nsenter pstree lsb_release hd hexdump sha224sum sha384sum sum view bc colrm csplit envsubst findmnt getopt bzip2 bunzip2 bzcat xz unxz xzcat nice renice snap stty tput wall gpasswd newgrp tsort git python3 podman add-apt-repository apt-add-repository apt-key chage dircolors getconf locale logname man mountpoint setsid unlink users vmstat zgrep telnet".split()
)
#: Administrators' commands of /usr/sbin.
ADMIN_COMMANDS: tuple[str, ...] = tuple(
    "visudo adduser chpasswd chroot deluser groupadd groupdel halt service shutdown poweroff useradd userdel usermod sshd groupmod locale-gen update-locale blkid addgroup delgroup arp route".split()
)
#: Other names of a program: path → program.
ALIASES: dict[str, str] = {"/usr/bin/netcat": "nc", "/usr/bin/mawk": "awk", "/usr/bin/vim.tiny": "vi", "/usr/bin/pager": "less"}
SBIN_COMMANDS: tuple[str, ...] = (
    "ip",
    "sysctl",
    "mkswap",
    "nft",
    "swapoff",
    "swapon",
    "tc",
    "modprobe",
    "lsmod",
    "reboot",
    "ifconfig",
    "iptables",
    "iptables-save",
    "iptables-restore",
)
#: What a kubeadm node has besides: path → program.
KUBERNETES: dict[str, str] = {
    "/usr/bin/kubectl": "kubectl",
    "/usr/bin/kubeadm": "kubeadm",
    "/usr/bin/kubelet": "kubelet",
    "/usr/bin/crictl": "crictl",
    "/usr/bin/containerd": "containerd",
    "/usr/bin/ctr": "ctr",
    "/usr/sbin/runc": "runc",
    # the full nerdctl distribution, and cosign
    "/usr/local/bin/nerdctl": "nerdctl",
    "/usr/local/bin/buildctl": "buildctl",
    "/usr/local/bin/buildkitd": "buildkitd",
    "/usr/local/bin/containerd-stargz-grpc": "containerd-stargz-grpc",
    "/usr/local/bin/ctd-decoder": "ctd-decoder",
    "/usr/local/bin/ipfs": "ipfs",
    "/usr/local/bin/cosign": "cosign",
    "/usr/local/bin/helm": "helm",
    "/usr/bin/etcdctl": "etcdctl",
    "/usr/bin/etcdutl": "etcdutl",
}
#: Units that the full nerdctl distribution brings; none is enabled.
NERDCTL_UNITS: dict[str, str] = {
    "/usr/local/lib/systemd/system/buildkit.service": "[Unit]\nDescription=BuildKit\nDocumentation=https://github.com/moby/buildkit\n\n[Service]\nExecStart=/usr/local/bin/buildkitd --oci-worker=false --containerd-worker=true\n\n[Install]\nWantedBy=multi-user.target\n",
    "/usr/local/lib/systemd/system/stargz-snapshotter.service": "[Unit]\nDescription=stargz snapshotter\nAfter=network.target\nBefore=containerd.service\n\n[Service]\nType=notify\nExecStart=/usr/local/bin/containerd-stargz-grpc\nRestart=always\nRestartSec=1\n\n[Install]\nWantedBy=multi-user.target\n",
}
DIRECTORIES: tuple[str, ...] = (
    "/boot", "/dev", "/etc", "/etc/apt", "/etc/default", "/etc/systemd/system/multi-user.target.wants", "/etc/modules-load.d", "/etc/profile.d", "/etc/sudoers.d", "/etc/sysctl.d", "/home", "/media", "/mnt",
    "/opt", "/proc", "/root", "/run", "/run/systemd/system", "/srv", "/sys", "/usr/bin", "/usr/sbin", "/usr/lib/systemd/system",
    "/usr/local/bin", "/usr/local/sbin", "/usr/share/doc", "/var/cache", "/var/lib", "/var/log", "/var/spool",
)  # fmt: skip
DEVICES: tuple[str, ...] = ("null", "zero", "full", "random", "urandom", "tty", "stdin", "stdout", "stderr")

PASSWD = """root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
systemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin
ubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash
"""
GROUP = """root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:syslog,ubuntu
sudo:x:27:ubuntu
www-data:x:33:
nogroup:x:65534:
systemd-network:x:998:
ubuntu:x:1000:
"""
OS_RELEASE = """PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.1 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
HOME_URL="https://www.ubuntu.com/"
SUPPORT_URL="https://help.ubuntu.com/"
BUG_REPORT_URL="https://bugs.launchpad.net/ubuntu/"
UBUNTU_CODENAME=noble
LOGO=ubuntu-logo
"""
BASHRC = """# ~/.bashrc: read by interactive shells
PS1='\\h:\\w$ '
alias ls='ls --color=auto'
alias ll='ls -alF'
alias la='ls -A'
alias l='ls -CF'
alias grep='grep --color=auto'
alias k=kubectl
"""
PROFILE = """# ~/.profile: read by login shells
if [ -f ~/.bashrc ]; then
  . ~/.bashrc
fi
"""
UBUNTU_SOURCES = """Types: deb
URIs: http://archive.ubuntu.com/ubuntu/
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.ubuntu.com/ubuntu/
Suites: noble-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
"""
#: Where a kubeadm node's packages come from, and the key of it.
KUBERNETES_FILES: dict[str, str] = {
    "/etc/apt/sources.list.d/kubernetes.list": (
        f"deb [signed-by=/etc/apt/keyrings/kubernetes-apt-keyring.gpg] https://pkgs.k8s.io/core:/stable:/v{MINOR}/deb/ /\n"
    ),
    "/etc/apt/keyrings/kubernetes-apt-keyring.gpg": (
        "\x04234654DA9A296436\0isv:kubernetes OBS Project <isv:kubernetes@build.opensuse.org>\0"
    ),
}
FILES: dict[str, str] = {
    "/etc/passwd": PASSWD,
    "/etc/group": GROUP,
    "/usr/lib/os-release": OS_RELEASE,
    "/etc/lsb-release": 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\nDISTRIB_CODENAME=noble\nDISTRIB_DESCRIPTION="Ubuntu 24.04.1 LTS"\n',
    "/etc/issue": "Ubuntu 24.04.1 LTS \\n \\l\n\n",
    "/etc/debian_version": "trixie/sid\n",
    "/etc/shells": "# /etc/shells: valid login shells\n/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n",
    "/etc/environment": 'PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"\n',
    "/etc/profile": "# /etc/profile: system-wide settings of login shells\n",
    "/etc/fstab": "LABEL=cloudimg-rootfs\t/\text4\tdiscard,commit=30,errors=remount-ro\t0 1\n",
    "/etc/nsswitch.conf": "passwd:         files systemd\ngroup:          files systemd\nhosts:          files dns\n",
    "/etc/resolv.conf": "nameserver 8.8.8.8\n",
    "/etc/timezone": "Etc/UTC\n",
    "/etc/apt/sources.list": "# Ubuntu sources have moved to /etc/apt/sources.list.d/ubuntu.sources\n",
    "/etc/apt/sources.list.d/ubuntu.sources": UBUNTU_SOURCES,
    "/root/.bashrc": BASHRC,
    "/root/.profile": PROFILE,
    "/etc/skel/.bashrc": BASHRC,
    "/etc/skel/.profile": PROFILE,
    "/home/ubuntu/.bashrc": BASHRC,
    "/home/ubuntu/.profile": PROFILE,
    "/var/log/dpkg.log": "",
    sudoers.MAIN: sudoers.SUDOERS,
    "/etc/sudoers.d/90-cloud-init-users": sudoers.CLOUD_USERS,
}
LINKS: dict[str, str] = {
    "/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib", "/etc/os-release": "../usr/lib/os-release",
    "/var/run": "/run", "/var/lock": "/run/lock", "/etc/mtab": "../proc/self/mounts", "/etc/localtime": "/usr/share/zoneinfo/Etc/UTC",
}  # fmt: skip
#: Computed files: path → entry of `virtual.VIRTUAL`.
VIRTUAL: dict[str, str] = {
    "/proc/uptime": "uptime",
    "/proc/loadavg": "loadavg",
    "/proc/meminfo": "meminfo",
    "/proc/cpuinfo": "cpuinfo",
    "/proc/version": "version",
    "/proc/self/mounts": "mounts",
    "/proc/mounts": "mounts",
    "/proc/swaps": "swaps",
    "/proc/sys/net/ipv4/ip_forward": "one",
    "/proc/modules": "modules",
    "/proc/sys/kernel/hostname": "hostname",
    "/sys/fs/cgroup/cgroup.controllers": "controllers",
    "/var/log/syslog": "syslog",
}
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 9
#: What the executables of a busybox userland hold: they are all one program, which is how its applets are told from fuller tools.
BOX = b"\x7fELF busybox"


def ubuntu(kind: str) -> Inode:
    """Build the base tree; `kind` is `k8s` for a kubeadm node, empty for a bare host."""
    root = Inode("dir", 0o755, 0, 0, MADE, b"", {})
    fs = FileSystem(root)
    for path in DIRECTORIES:
        fs.mkdir(path, True, now=MADE)
    fs.mkdir("/tmp", now=MADE, mode=0o1777)
    fs.mkdir("/var/tmp", now=MADE, mode=0o1777)
    fs.mkdir("/run/lock", now=MADE, mode=0o1777)
    for name in (*COMMANDS, *MORE_COMMANDS):
        fs.install(f"/usr/bin/{name}", name, now=MADE)
    for name in (*SBIN_COMMANDS, *ADMIN_COMMANDS):
        fs.install(f"/usr/sbin/{name}", name, now=MADE)
    for path, program in ALIASES.items():
        fs.install(path, program, now=MADE)
    if kind == "k8s":
        for path, program in KUBERNETES.items():
            fs.install(path, program, now=MADE)
        for path, text in {**KUBERNETES_FILES, **NERDCTL_UNITS}.items():
            fs.write(path, text.encode(), now=MADE, parents=True)
    for path, text in FILES.items():
        fs.write(path, text.encode(), now=MADE, parents=True)
    for path, target in LINKS.items():
        fs.symlink(target, path, now=MADE)
    tree = fs.tree()
    for path, name in VIRTUAL.items():
        tree.mkdir(posixpath.dirname(path), True, now=MADE)
        mode, group = (0o640, 4) if path.startswith("/var/log/") else (0o444, 0)
        tree.put(path, Inode("virtual", mode, 0, group, MADE, target=name), MADE)
    for name in DEVICES:
        tree.put(f"/dev/{name}", Inode("virtual", 0o666, 0, 0, MADE, target=f"dev:{name}"), MADE)
    tree.edit("/root").mode = 0o700
    for path in (sudoers.MAIN, "/etc/sudoers.d/90-cloud-init-users"):
        tree.edit(path).mode = 0o440
    for _, node in list(tree.walk("/home/ubuntu")):
        node.uid = node.gid = 1000
    return root


filesystem.BASES["ubuntu"] = ubuntu


def build(host: Host, *, kubernetes: bool = True) -> None:
    """Give a host its root file system."""
    fs = FileSystem(filesystem.frozen("ubuntu:k8s" if kubernetes else "ubuntu:"))
    host.filesystems["host"] = fs
    fs.write("/etc/hostname", f"{host.name}\n".encode(), now=MADE)
    text = f"127.0.0.1 localhost\n\n::1 ip6-localhost ip6-loopback\n127.0.0.1 {host.name}\n"
    fs.write("/etc/hosts", text.encode(), now=MADE)
    if host.machine_id:
        fs.write("/etc/machine-id", f"{host.machine_id}\n".encode(), now=MADE)
