"""Root file systems of containers: each is one frozen reference to its image's tree, thawed where the container writes.

A container's tree costs one inode until something in it changes; bind mounts are entries of `FileSystem.mounts`.
"""

from __future__ import annotations

import posixpath

from ..host.base import BOX
from ..host.filesystem import BASES, FileSystem, Inode
from ..host.machine import Host
from ..kernel.world import World
from . import catalogue, images
from .pages import FILES
from .state import Container
from .userlands import APPLETS, COREUTILS, PROCPS, release_of

ELF = b"\x7fELF"
_PASSWD = (
    "root:x:0:0:root:/root:/bin/{shell}\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n"
)
_DIRECTORIES = (
    "bin",
    "dev",
    "etc",
    "home",
    "lib",
    "media",
    "mnt",
    "opt",
    "proc",
    "root",
    "run",
    "sbin",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var",
)


def _dir() -> Inode:
    return Inode("dir", 0o755, children={})


def _put(root: Inode, path: str, node: Inode) -> None:
    here = root
    *heads, name = [part for part in path.split("/") if part]
    for head in heads:
        assert here.children is not None
        here = here.children.setdefault(head, _dir())
    assert here.children is not None
    here.children[name] = node


def build_tree(name: str) -> Inode:
    """The tree of an image; the builder of the bases `image:<build>`."""
    build = catalogue.BUILDS[name]
    root = _dir()
    userland = build.userland
    if userland != "none":
        for directory in _DIRECTORIES:
            _put(root, directory, _dir())
        assert root.children is not None
        root.children["tmp"].mode = 0o1777
        _put(root, "/var/run", Inode("link", 0o777, target="/run"))
        _put(root, "/run/lock", _dir())
        shell = {"debian": "bash"}.get(userland, "sh")
        _put(root, "/etc/passwd", Inode("file", data=_PASSWD.format(shell=shell).encode()))
        _put(root, "/etc/group", Inode("file", data=b"root:x:0:\ndaemon:x:1:\n"))
        release = release_of(build)
        for path, text in release.files if release is not None else ():
            _put(root, path, Inode("file", data=text.encode()))
    commands = {"debian": COREUTILS, "alpine": APPLETS, "busybox": APPLETS}.get(userland, ())
    if "/ubuntu:" in name:
        commands += PROCPS
    for command in commands:
        folder = (
            "/bin"
            if userland == "busybox" or command in ("sh", "ash", "bash", "busybox", "ls", "cat", "echo", "sleep")
            else "/usr/bin"
        )
        _put(root, f"{folder}/{command}", Inode("exec", 0o755, data=ELF if userland == "debian" else BOX, target=command))
    if userland == "alpine":
        _put(root, "/sbin/apk", Inode("exec", 0o755, data=ELF, target="apk"))
    for path, program in build.programs:
        _put(root, path, Inode("exec", 0o755, data=ELF, target=program))
    for path, text in build.files:
        if text.startswith("->"):
            _put(root, path, Inode("link", 0o777, target=text[2:]))
            continue
        _put(root, path, Inode("file", data=(FILES[text[1:]] if text.startswith("@") else text).encode()))
    if build.cwd != "/" and not _has(root, build.cwd):
        _put(root, build.cwd, _dir())
    for volume in build.volumes:
        if not _has(root, volume):
            _put(root, volume, _dir())
    return root


def _has(root: Inode, path: str) -> bool:
    here: Inode | None = root
    for part in path.split("/"):
        if part and here is not None:
            here = (here.children or {}).get(part)
    return here is not None


BASES["image"] = build_tree


def create(world: World, host: Host, container: Container, files: dict[str, bytes]) -> None:
    """Make a container's root: the image's tree, `files` of its own (hosts, resolv.conf, hostname) and its mount points."""
    fs = FileSystem(images.root(world, container.build))
    for path, data in files.items():
        fs.write(path, data, parents=True)
    for mount in container.mounts:
        source = _host_inode(host, mount.source)
        target = _seat(fs, posixpath.normpath(mount.target))
        if not fs.exists(target):
            if source is not None and source.kind != "dir":
                fs.write(target, b"", parents=True)
            else:
                fs.mkdir(target, True)
        fs.mounts[target] = ("host", posixpath.normpath(mount.source))
    host.filesystems[container.id] = fs


def _seat(fs: FileSystem, path: str) -> str:
    """Where a mount point is once the links above it are followed: `/var/run` leads to `/run`."""
    tree, here = fs.tree(), "/"
    for name in path.split("/"):
        if name:
            here = posixpath.join(here, name)
            here = tree.realpath(here) if tree.exists(here) else here
    return here


def _host_inode(host: Host, path: str) -> Inode | None:
    try:
        return host.fs.lookup(posixpath.normpath(path))
    except OSError:
        return None


def remove(host: Host, ident: str) -> None:
    """Forget a container's root."""
    host.filesystems.pop(ident, None)


def exec_failure(host: Host, container: Container, argv0: str) -> str:
    """Why a command that `find_executable` has not found cannot be run, in the words of Go's exec.LookPath."""
    if "/" not in argv0:
        return f'exec: "{argv0}": executable file not found in $PATH'
    from ..host.files import tree

    try:
        node = tree(host, container.id).lookup(posixpath.normpath(posixpath.join(container.cwd, argv0)))
    except (OSError, KeyError):
        return f'exec: "{argv0}": stat {argv0}: no such file or directory'
    return f'exec: "{argv0}": {"is a directory" if node.kind == "dir" else "permission denied"}'


def find_executable(host: Host, container: Container, argv0: str) -> tuple[str, str] | None:
    """(path, program) of a command in a container, looked up in its PATH; None when there is none."""
    fs = host.filesystems.get(container.id)
    if fs is None:
        return None
    from ..host.files import tree

    files = tree(host, container.id)
    if "/" in argv0:
        candidates = [posixpath.normpath(posixpath.join(container.cwd, argv0))]
    else:
        path = container.env.get("PATH", catalogue.PATH)
        candidates = [posixpath.join(folder, argv0) for folder in path.split(":") if folder]
    for candidate in candidates:
        try:
            node = files.lookup(candidate)
        except OSError:
            continue
        if node.kind == "exec":
            return candidate, node.target
        if node.kind == "file" and node.mode & 0o111:
            return candidate, ""
    return None
