"""Userlands of images: which commands they have, and what says which distribution they are (`/etc/os-release`, sources of packages).

Sources: `busybox --list` of busybox 1.37; the packages of Debian's and Ubuntu's base images; os-release(5) of each release.
"""

from __future__ import annotations

import msgspec

from .build import Build

#: Commands that a busybox userland has: what `busybox --list` of the image's 1.37 prints. One that the table of commands lacks says that it
#: is not simulated.
APPLETS = tuple(
    """
    [ [[ acpid add-shell addgroup adduser adjtimex ar arch arp arping ascii ash awk base32 base64 basename bc beep blkdiscard blkid
    blockdev bootchartd brctl bunzip2 busybox bzcat bzip2 cal cat chat chattr chgrp chmod chown chpasswd chpst chroot chrt chvt
    cksum clear cmp comm conspy cp cpio crc32 crond crontab cryptpw cttyhack cut date dc dd deallocvt delgroup deluser depmod devmem
    df dhcprelay diff dirname dmesg dnsd dnsdomainname dos2unix dpkg dpkg-deb du dumpkmap dumpleases echo ed egrep eject env envdir
    envuidgid ether-wake expand expr factor fakeidentd fallocate false fatattr fbset fbsplash fdflush fdformat fdisk fgconsole fgrep
    find findfs flock fold free freeramdisk fsck fsck.minix fsfreeze fstrim fsync ftpd ftpget ftpput fuser getfattr getopt getty
    grep groups gunzip gzip halt hd hdparm head hexdump hexedit hostid hostname httpd hush hwclock i2cdetect i2cdump i2cget i2cset
    i2ctransfer id ifconfig ifdown ifenslave ifplugd ifup inetd init insmod install ionice iostat ip ipaddr ipcalc ipcrm ipcs iplink
    ipneigh iproute iprule iptunnel kbd_mode kill killall killall5 klogd last less link linux32 linux64 linuxrc ln loadfont loadkmap
    logger login logname logread losetup lpd lpq lpr ls lsattr lsmod lsof lspci lsscsi lsusb lzcat lzma lzop makedevs makemime man
    md5sum mdev mesg microcom mim mkdir mkdosfs mke2fs mkfifo mkfs.ext2 mkfs.minix mkfs.vfat mknod mkpasswd mkswap mktemp modinfo
    modprobe more mount mountpoint mpstat mt mv nameif nanddump nandwrite nbd-client nc netstat nice nl nmeter nohup nologin nproc
    nsenter nslookup ntpd od openvt partprobe passwd paste patch pgrep pidof ping ping6 pipe_progress pivot_root pkill pmap
    popmaildir poweroff powertop printenv printf ps pscan pstree pwd pwdx raidautorun rdate rdev readahead readlink readprofile
    realpath reboot reformime remove-shell renice reset resize resume rev rm rmdir rmmod route rpm rpm2cpio rtcwake run-init
    run-parts runlevel runsv runsvdir rx script scriptreplay sed seedrng sendmail seq setarch setconsole setfattr setfont
    setkeycodes setlogcons setpriv setserial setsid setuidgid sh sha1sum sha256sum sha3sum sha512sum showkey shred shuf slattach
    sleep smemcap softlimit sort split ssl_client start-stop-daemon stat strings stty su sulogin sum sv svc svlogd svok swapoff
    swapon switch_root sync sysctl syslogd tac tail tar taskset tc tcpsvd tee telnet telnetd test tftp tftpd time timeout top touch
    tr traceroute traceroute6 tree true truncate ts tsort tty ttysize tunctl ubiattach ubidetach ubimkvol ubirename ubirmvol
    ubirsvol ubiupdatevol udhcpc udhcpc6 udhcpd udpsvd uevent umount uname unexpand uniq unix2dos unlink unlzma unshare unxz unzip
    uptime users usleep uudecode uuencode vconfig vi vlock volname w wall watch watchdog wc wget which who whoami whois xargs xxd xz
    xzcat yes zcat zcip
    """.split()
)
#: What Debian and Ubuntu images have (coreutils, util-linux, findutils, diffutils, passwd, dpkg, apt …); the network tools are absent
#: there, as in reality, and Debian's have no tools for processes either.
COREUTILS = tuple(
    """
    [ apt apt-cache apt-get apt-mark arch awk b2sum base32 base64 basename basenc bash cat chcon chgrp chmod chown chpasswd chroot
    cksum clear cmp comm cp csplit cut date dd df diff dir dircolors dirname dmesg dpkg dpkg-query du echo egrep env expand expr
    factor false fgrep find findmnt flock fmt fold getent getopt grep groupadd groupdel groups gunzip gzip head hostid hostname id
    install ionice join link ln logname ls lsblk lscpu lsns md5sum mkdir mkfifo mknod mktemp more mount mountpoint mv nice nl nohup
    nproc nsenter numfmt od passwd paste pathchk perl pidof pinky printenv printf prlimit ptx pwd readlink realpath renice rm rmdir
    runcon script sed seq service setpriv setsid sh sha1sum sha224sum sha256sum sha384sum sha512sum shred shuf sleep sort split
    start-stop-daemon stat stdbuf stty su sum swapoff swapon sync tac tail tar taskset tee test timeout touch tr true truncate tsort
    tty umount uname unexpand uniq unlink unshare useradd userdel usermod users vdir wc which who whoami xargs yes zcat
    """.split()
)

#: What Ubuntu's image has besides: the package procps.
PROCPS = tuple("free pgrep pkill pmap ps pwdx skill slabtop snice sysctl tload top uptime vmstat w watch".split())


class Release(msgspec.Struct, frozen=True):
    """A release of a distribution: `(path, text)` of the files that tell which one it is, and where its packages come from."""

    files: tuple[tuple[str, str], ...]


def _release(identity: str, version: str, codename: str, pretty: str, **more: str) -> str:
    rows = {"PRETTY_NAME": pretty, "NAME": {"ubuntu": "Ubuntu", "debian": "Debian GNU/Linux", "alpine": "Alpine Linux"}[identity],
            "VERSION_ID": version} | more  # fmt: skip
    text = "".join(f'{key}="{value}"\n' for key, value in rows.items())
    return text + (f"VERSION_CODENAME={codename}\n" if codename else "") + f"ID={identity}\n"


def _ubuntu(version: str, point: str, codename: str, name: str) -> Release:
    def stanza(url: str, suites: str) -> str:
        return f"Types: deb\nURIs: {url}\nSuites: {suites}\nComponents: main universe restricted multiverse\nSigned-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg\n"

    return Release(
        (
            (
                "/etc/os-release",
                _release("ubuntu", version, codename, f"Ubuntu {point} LTS", VERSION=f"{point} LTS ({name})")
                + "ID_LIKE=debian\n",
            ),
            (
                "/etc/lsb-release",
                f'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE={version}\nDISTRIB_CODENAME={codename}\nDISTRIB_DESCRIPTION="Ubuntu {point} LTS"\n',
            ),
            (
                "/etc/apt/sources.list.d/ubuntu.sources",
                stanza("http://archive.ubuntu.com/ubuntu", f"{codename} {codename}-updates {codename}-backports")
                + "\n"
                + stanza("http://security.ubuntu.com/ubuntu", f"{codename}-security"),
            ),
        )
    )


def _debian(version: str, point: str, codename: str) -> Release:
    def stanza(url: str, suites: str) -> str:
        return f"Types: deb\nURIs: {url}\nSuites: {suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.pgp\n"

    title = f"{version} ({codename})"
    return Release(
        (
            (
                "/etc/os-release",
                _release("debian", version, codename, f"Debian GNU/Linux {title}", VERSION=title, DEBIAN_VERSION_FULL=point),
            ),
            ("/etc/debian_version", f"{point}\n"),
            (
                "/etc/apt/sources.list.d/debian.sources",
                stanza("http://deb.debian.org/debian", f"{codename} {codename}-updates")
                + "\n"
                + stanza("http://deb.debian.org/debian-security", f"{codename}-security"),
            ),
        )
    )


def _alpine(version: str) -> Release:
    branch = ".".join(version.split(".")[:2])
    mirror = f"https://dl-cdn.alpinelinux.org/alpine/v{branch}"
    return Release(
        (
            ("/etc/os-release", _release("alpine", version, "", f"Alpine Linux v{branch}")),
            ("/etc/alpine-release", f"{version}\n"),
            ("/etc/apk/repositories", f"{mirror}/main\n{mirror}/community\n"),
            ("/etc/apk/world", "alpine-baselayout\nalpine-keys\nalpine-release\napk-tools\nbusybox\nlibc-utils\nmusl-utils\n"),
        )
    )


UBUNTU = {
    "24.04": _ubuntu("24.04", "24.04.3", "noble", "Noble Numbat"),
    "22.04": _ubuntu("22.04", "22.04.5", "jammy", "Jammy Jellyfish"),
    "20.04": _ubuntu("20.04", "20.04.6", "focal", "Focal Fossa"),
    "18.04": _ubuntu("18.04", "18.04.6", "bionic", "Bionic Beaver"),
}
DEBIAN = {
    "13": _debian("13", "13.2", "trixie"),
    "12": _debian("12", "12.12", "bookworm"),
    "11": _debian("11", "11.11", "bullseye"),
}
CODENAMES = {"bookworm": "12", "bullseye": "11"}
#: The release that images of others are built on where their name does not say.
ALPINE_NOW = "3.23.0"


def release_of(build: Build) -> Release | None:
    """The release that an image is made of; None for one without a distribution (busybox, distroless)."""
    if build.userland == "alpine":
        return _alpine(build.version if build.repository.endswith("/alpine") and build.version[:2] == "3." else ALPINE_NOW)
    if build.userland != "debian":
        return None
    if build.repository.endswith("/ubuntu"):
        return UBUNTU.get(build.version, UBUNTU["24.04"])
    if build.repository.endswith("/debian"):
        return DEBIAN.get(build.version[:2], DEBIAN["13"])
    return DEBIAN[next((number for name, number in CODENAMES.items() if name in build.version), "13")]
