"""The dpkg database, the lists of apt, and the sources: plain files of the host, read and written as the real tools do."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator

import msgspec

from ...host.filesystem import Inode
from ...host.invocation import Call
from ...kernel.versions import MINOR, PATCH
from . import catalogue, debian
from .catalogue import Package

STATUS = "/var/lib/dpkg/status"
LISTS = "/var/lib/apt/lists"


class Installed(msgspec.Struct):
    """A row of the database: `want` is install, hold or deinstall; `state` installed or config-files."""

    name: str
    version: str
    want: str = "install"
    state: str = "installed"
    auto: bool = False


class Offer(msgspec.Struct):
    """A version of a package that a fetched archive offers."""

    package: Package
    version: str
    url: str
    label: str


def number(version: str) -> list[tuple[int, int, str]]:
    """A key that orders versions as dpkg does, for the versions of the catalogue."""
    epoch, _, rest = version.rpartition(":")
    parts = [
        (1, int(part), "") if part.isdigit() else (0 if part.startswith("~") else 1, -1, part)
        for part in re.findall(r"\d+|\D+", rest)
    ]
    return [(1, int(epoch or 0), ""), *parts, (0, 0, "")]


def upstream(version: str) -> str:
    """The version of a program: without epoch and packaging."""
    return version.rpartition(":")[2].partition("-")[0].partition("+")[0]


def stanza(row: Installed, package: Package | None) -> str:
    """A paragraph of the status file."""
    text = f"Package: {row.name}\nStatus: {row.want} ok {row.state}\nPriority: optional\nSection: {package.section if package else 'admin'}\n"
    if package is not None:
        text += f"Installed-Size: {package.installed}\nMaintainer: Ubuntu Developers\nArchitecture: amd64\n"
    text += f"Version: {row.version}\n"
    if package is not None and package.depends:
        text += f"Depends: {', '.join(package.depends)}\n"
    if row.auto:
        text += "Auto-Installed: 1\n"
    return text + f"Description: {package.summary if package else row.name}\n\n"


def initial(kind: str) -> str:
    """The status file of a fresh host; `kind` is `k8s` for a kubeadm node."""
    rows = [(Installed(p.name, p.versions[0]), p) for p in catalogue.UBUNTU if p.name not in catalogue.NOT_INSTALLED]
    if kind == "k8s":
        rows += [(Installed(p.name, p.versions[0]), p) for p in catalogue.kubernetes(MINOR)]
        rows += [
            (Installed(p.name, p.versions[0]), p)
            for p in catalogue.UBUNTU
            if p.name in ("containerd", "runc", "socat", "conntrack", "ebtables")
        ]
        rows = [(Installed(r.name, r.version, "hold") if r.name in ("kubeadm", "kubelet", "kubectl") else r, p) for r, p in rows]
    return "".join(stanza(row, package) for row, package in sorted(rows, key=lambda item: item[0].name))


def _came_with(call: Call) -> str:
    """The status file of a host, or of a container's image, before anything was changed."""
    if call.proc.mnt == "host" or call.proc.mnt.startswith("chroot:"):
        return initial("k8s" if call.tree.exists("/usr/bin/kubeadm") else "")
    base = debian.UBUNTU_BASE if _ubuntu(call) else debian.BASE
    return "".join(stanza(Installed(p.name, p.versions[0]), p) for p in archive(call) if p.name in base)


def _release(call: Call) -> dict[str, str]:
    try:
        text = call.tree.read("/etc/os-release").decode(errors="replace")
    except OSError:
        return {}
    return {key: value.strip('"') for key, _, value in (line.partition("=") for line in text.splitlines())}


def _ubuntu(call: Call) -> bool:
    return _release(call).get("ID") != "debian"


def archive(call: Call) -> tuple[Package, ...]:
    """The packages of the distribution that the caller's files are of."""
    release = _release(call)
    return debian.packages(release.get("VERSION_CODENAME", "trixie")) if release.get("ID") == "debian" else catalogue.UBUNTU


class Database:
    """What is installed on the caller's host, or in the caller's container."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.rows: dict[str, Installed] = {}
        try:
            text = call.tree.read(STATUS).decode(errors="replace")
        except OSError:  # nothing was changed yet: what the host came with
            text = _came_with(call)
        release = self._release(call)
        for part in text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line and not line.startswith(" "))
            if "Package" in fields:
                words = fields.get("Status", "install ok installed").split()
                self.rows[fields["Package"]] = Installed(
                    fields["Package"], fields.get("Version", ""), words[0], words[-1], fields.get("Auto-Installed") == "1"
                )

        for name in ("kubeadm", "kubelet", "kubectl") if release else ():
            if name in self.rows and not call.tree.exists(STATUS):
                self.rows[name].version = f"{release}-1.1"

    @staticmethod
    def _release(call: Call) -> str:
        """The release that a host's kubeadm came with, "" for the world's own."""
        try:
            return (call.tree.lookup("/usr/bin/kubeadm").target or "").partition(":")[2]
        except OSError:
            return ""

    def installed(self, name: str) -> Installed | None:
        """The row of a package that is installed."""
        row = self.rows.get(name)
        return row if row is not None and row.state == "installed" else None

    def save(self) -> None:
        """Write the status file."""
        text = "".join(stanza(self.rows[name], self.package(name, self.rows[name].version)) for name in sorted(self.rows))
        self.call.tree.mkdir(posixpath.dirname(STATUS), True, now=self.call.world.wall)
        self.call.write_file(STATUS, text.encode(), mode=0o644)

    def package(self, name: str, version: str = "") -> Package | None:
        """What the catalogue knows of a package."""
        minor = ".".join(version.split(".")[:2])
        groups = [catalogue.kubernetes(minor if minor in catalogue.KUBERNETES else MINOR), archive(self.call)]
        return next((package for group in groups for package in group if package.name == name), None)

    # -- what programs and files a package has on this host -------------------------------------------------------------
    def unpack(self, package: Package, version: str) -> None:
        """Put a package's files on the host."""
        tree, wall = self.call.tree, self.call.world.wall
        for path, program in package.programs:
            target = program.format(v=upstream(version))
            if target in DEFAULTS:
                target = target.partition(":")[0]
            tree.mkdir(path.rpartition("/")[0], True, now=wall)
            tree.put(path, Inode("exec", 0o755, 0, 0, wall, target=target), wall)
        for path, text in package.files:
            tree.mkdir(path.rpartition("/")[0], True, now=wall)
            if text.startswith("->"):
                if not tree.exists(path):
                    tree.symlink(text[2:], path, now=wall)
            elif not (path.startswith(("/etc/", "/var/www/")) and tree.exists(path)):  # what a person has written is kept
                self.call.write_file(path, text.encode(), mode=0o644)

    def erase(self, package: Package) -> None:
        """Take a package's files away."""
        for path in [path for path, _ in package.programs] + [path for path, _ in package.files]:
            if self.call.tree.exists(path):
                self.call.tree.remove(path)


#: Programs whose version is the world's own: they need no version in their name.
DEFAULTS = frozenset(f"{tool}:{PATCH}" for tool in ("kubeadm", "kubelet", "kubectl"))


class Line(msgspec.Struct):
    """An entry of the sources: address, suite, components, the key it must be signed by, the file it stands in."""

    url: str
    suite: str
    components: str
    signed_by: str
    file: str
    line: int


def sources(call: Call) -> tuple[list[Line], list[str]]:
    """The entries of sources.list and sources.list.d, and what is wrong with them in apt's words."""
    found: list[Line] = []
    wrong: list[str] = []
    tree = call.tree
    names = ["/etc/apt/sources.list"]
    if tree.isdir("/etc/apt/sources.list.d"):
        names += [f"/etc/apt/sources.list.d/{name}" for name in tree.listdir("/etc/apt/sources.list.d")]
    for name in names:
        if not tree.exists(name):
            continue
        text = tree.read(name).decode(errors="replace")
        if name.endswith(".sources"):
            found += list(_stanzas(name, text))
            continue
        if not name.endswith(".list"):
            continue
        for n, raw in enumerate(text.splitlines(), 1):
            line = raw.partition("#")[0].strip()
            if not line:
                continue
            match = re.fullmatch(r"(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)", line)
            if match is None:
                kind = line.split()[0]
                why = (
                    "Malformed line"
                    if kind in ("deb", "deb-src")
                    else f"Type '{kind}' is not known on line {n} in source list {name}"
                )
                wrong.append(f"E: {why}" if "Type" in why else f"E: Malformed entry {n} in list file {name} (URI parse)")
                continue
            if match.group(1) == "deb-src":
                continue
            options = dict(part.split("=", 1) for part in (match.group(2) or "").split() if "=" in part)
            found.append(Line(match.group(3).rstrip("/"), match.group(4), match.group(5), options.get("signed-by", ""), name, n))
    return found, wrong


def _stanzas(name: str, text: str) -> Iterator[Line]:
    for part in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line and not line.startswith("#"))
        for url in fields.get("URIs", "").split():
            for suite in fields.get("Suites", "").split():
                yield Line(url.rstrip("/"), suite, fields.get("Components", ""), fields.get("Signed-By", ""), name, 1)


def list_file(line: Line) -> str:
    """Where apt keeps what it fetched of an entry."""
    name = re.sub(r"^https?://", "", line.url).replace("/", "_")
    middle = "" if line.suite == "/" else f"_dists_{line.suite}_{(line.components or 'main').split()[0]}_binary-amd64"
    return f"{LISTS}/{name}{middle}_Packages"


def fetched(call: Call, line: Line) -> bool:
    """Whether `apt-get update` has read an entry; a fresh host has read those that it came with."""
    if not call.tree.isdir(LISTS):
        return (  # images come without lists
            call.proc.mnt == "host"
            and line.file in ("/etc/apt/sources.list.d/ubuntu.sources", "/etc/apt/sources.list.d/kubernetes.list")
            and line.url in FRESH
        )
    return call.tree.exists(list_file(line))


#: The archives whose lists a fresh host has.
FRESH = frozenset(
    {"http://archive.ubuntu.com/ubuntu", "http://security.ubuntu.com/ubuntu", f"https://pkgs.k8s.io/core:/stable:/v{MINOR}/deb"}
)


def offers(call: Call) -> dict[str, list[Offer]]:
    """What the fetched lists of the present sources offer, by package, the newest first."""
    found: dict[str, list[Offer]] = {}
    lines, _ = sources(call)
    seen: set[str] = set()
    for line in lines:
        source = catalogue.source(line.url, line.suite)
        if source is None or not source.packages or not fetched(call, line) or line.url in seen:
            continue
        seen.add(line.url)
        for package in source.packages:
            for version in package.versions:
                found.setdefault(package.name, []).append(Offer(package, version, line.url, source.label))
    for rows in found.values():
        rows.sort(key=lambda offer: number(offer.version), reverse=True)
    return found


def pick(rows: list[Offer], wanted: str) -> Offer | None:
    """The newest offer whose version fits (`1.36.2-1.1`, `1.36.*`); the newest of all for ""."""
    return next(
        (offer for offer in rows if not wanted or offer.version == wanted or fnmatch.fnmatchcase(offer.version, wanted)), None
    )
