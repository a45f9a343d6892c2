"""`ctr images export|import|push|mount|unmount|usage|inspect|label|prune`, `content`, `snapshots`, `leases` (`cmd/ctr/commands/*`)."""

from __future__ import annotations

import base64
import json
import posixpath
from collections.abc import Generator
from typing import Any

from ...host.filesystem import Changes, FileSystem
from ...host.program import Sleep, Wait
from ...kernel import clock
from ...kernel.clock import MS, SECOND
from ...runtime import containerd, references, registry
from ...runtime import images as stored
from ...runtime import state as store
from ...runtime.state import Image, Snapshot
from .. import human, tabwriter
from ..engine import archives
from .images import unsupported
from .session import CtrError, Session, ShowHelp

__all__ = ["unsupported"]
_DONE = "|\x1b[32m++++++++++++++++++++++++++++++++++++++\x1b[0m|"


def _build(session: Session, image: Image) -> stored.Build:
    return stored.find(session.world, image.build)


def _labelled(session: Session, labels: dict[str, str], words: list[str]) -> None:
    for word in words:
        key, equals, value = word.partition("=")
        if equals and value:
            labels[key] = value
        else:
            labels.pop(key, None)


# -- images -----------------------------------------------------------------------------------------------------------------
def export(session: Session) -> int:
    """`ctr images export`."""
    if not session.args:
        raise CtrError("please provide both an output filename and an image reference to export")
    if len(session.args) < 2:
        raise CtrError("please provide both an output filename and an image reference to export")
    session.connect()
    out, *names = session.args
    data = archives.pack(session.world, [(name, _build(session, session.image(name))) for name in names], docker=False)
    if out == "-":
        session.inv.out(data)
    else:
        session.inv.write_file(out, data)
    return 0


def import_images(session: Session) -> Generator[Wait, Any, int]:
    """`ctr images import`."""
    if not session.args:
        raise CtrError("please provide a filename to import")
    session.connect()
    path = session.args[0]
    try:
        data = (yield from session.inv.read()) if path == "-" else session.inv.read_file(path)
    except OSError as failed:
        raise CtrError(f"open {path}: {(failed.strerror or '').lower()}") from None
    try:
        found = archives.unpack(session.world, data)
    except archives.BadArchive as bad:
        text = "unrecognized image format" if "manifest.json" in str(bad) else f"archive/tar: invalid tar header: {bad}"
        raise CtrError(text) from None
    base = str(session.flag("base-name") or "")
    began = session.world.now
    yield Sleep(120 * MS + len(data) * SECOND // containerd.UNPACK)
    for names, build in found:
        wanted = [f"{base}:{name.rpartition(':')[2]}" if base else name for name in names]
        if session.flag("index-name"):
            wanted = [str(session.flag("index-name"))]
        containerd.store_build(session.world, session.host, session.space, build)
        if session.flag("digests") or (not wanted and base):
            wanted.append(f"{base or 'import-' + clock.rfc3339(session.world.wall)[:10]}@{build.digest('index')}")
        for name in wanted:
            containerd.add_image(session.world, session.host, session.space, name, build)
            session.inv.out(f"{name[:40]:<40}\tsaved\t\n")
        if session.space == "k8s.io":
            containerd.add_image(session.world, session.host, session.space, build.digest("config"), build)
        session.inv.out(f"{build.media_type} {build.digest('index')}\n")
    spent = (session.world.now - began) / SECOND
    session.inv.out(f"Importing\telapsed: {spent:<4.1f}s\ttotal: {human.binary(0)[:6]:>7}\t({human.binary(0)}/s)\t\n")
    session.world.ring(f"cri:{session.host}")
    return 0


def push(session: Session) -> Generator[Wait, Any, int]:
    """`ctr images push`."""
    if not session.args:
        raise CtrError("please provide a remote image reference to push")
    session.connect()
    remote = session.args[0]
    image = session.image(session.args[1] if len(session.args) > 1 else remote)
    build = _build(session, image)
    ref = references.parse_strict(remote)
    user = str(session.flag("user") or "").partition(":")[0]
    yield Sleep(350 * MS)
    try:
        registry.push(session.world, session.host, ref, build, user)
    except registry.ResolveError as failed:
        if failed.code == "denied":
            raise CtrError(
                "failed to copy: failed to do request: push access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed"
            ) from None
        raise CtrError(str(failed)) from None
    parts = ["manifest" if build.made else "index", *("layer" for _ in build.layers), "config"]
    digests = [build.digest("index"), *(build.digest(f"layer/{n}") for n in range(len(build.layers))), build.digest("config")]
    rows = "".join(f"{kind}-{digest}:\tdone\t{_DONE}\t\n" for kind, digest in zip(parts, digests, strict=True))
    rows += f"elapsed: {0.4:<4.1f}s\ttotal: {human.binary(build.size)[:6]:>7}\t({human.binary(int(build.size / 0.4))}/s)\t\n"
    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=1))
    return 0


def mount(session: Session) -> int:
    """`ctr images mount`."""
    if not session.args:
        raise CtrError("please provide an image reference to mount")
    session.connect()
    image = session.image(session.args[0])
    build = _build(session, image)
    chain = build.digest(f"chain/{len(build.layers) - 1}")
    session.inv.out(chain + "\n")
    if len(session.args) < 2:
        return 0
    target = posixpath.normpath(posixpath.join(session.inv.cwd, session.args[1]))
    host = session.inv.host
    if not host.fs.isdir(target):
        raise CtrError("no such file or directory")
    space = session.namespace()
    if target in host.fs.mounts:
        raise CtrError(f'snapshot "{session.args[1]}": already exists')
    key = f"image-mount:{target}"
    host.filesystems[key] = FileSystem(stored.root(session.world, build.name))
    host.fs.mount(target, key, "/", now=session.world.wall)
    space.snapshots[session.args[1]] = Snapshot(session.args[1], chain, "Active" if session.flag("rw") else "View")
    session.inv.out(session.args[1] + "\n")
    return 0


def unmount(session: Session) -> int:
    """`ctr images unmount`."""
    if not session.args:
        raise CtrError("please provide a target path to unmount from")
    session.connect()
    host = session.inv.host
    target = posixpath.normpath(posixpath.join(session.inv.cwd, session.args[0]))
    key = f"image-mount:{target}"
    if key in host.filesystems:
        del host.filesystems[key]
        host.fs.mounts.pop(target, None)
        Changes.count += 1
    if session.flag("rm"):
        session.namespace().snapshots.pop(session.args[0], None)
    session.inv.out(session.args[0] + "\n")
    return 0


def label(session: Session) -> int:
    """`ctr images label`."""
    if not session.args:
        raise CtrError("please specify an image")
    session.connect()
    image = session.image(session.args[0])
    image.labels = dict(image.labels)
    _labelled(session, image.labels, session.args[1:])
    session.inv.out(",".join(f"{k}={v}" for k, v in sorted(image.labels.items())) + "\n")
    return 0


def usage(session: Session) -> int:
    """`ctr images usage`."""
    if not session.args:
        raise CtrError("please provide an image reference to mount")
    session.connect()
    build = _build(session, session.image(session.args[0]))
    rows = "KEY\tSIZE\tINODES\t\n"
    for number in reversed(range(len(build.layers))):
        rows += f"{build.digest(f'chain/{number}')}\t{human.binary(build.layer_bytes[number] * 2.62)}\t{20 + build.layers[number] // 12}\t\n"
    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=1))
    return 0


def inspect(session: Session) -> int:
    """`ctr images inspect`: the image's tree of descriptors."""
    if not session.args:
        raise CtrError("image reference is required")
    session.connect()
    image = session.image(session.args[0])
    build = _build(session, image)
    out = [image.name]
    top = f"{build.media_type} @{build.digest('index')} ({human.binary(len(json.dumps(archives.index_of(build))))})"
    out.append(f"└──{top}")
    pad = "   "
    if not build.made:
        out.append(
            f"   └──application/vnd.oci.image.manifest.v1+json @{build.digest('manifest')} ({400 + 200 * len(build.layers)} bytes)\n          Platform: linux/amd64"
        )
        pad = "      "
    out.append(
        f"{pad}├──application/vnd.oci.image.config.v1+json @{build.digest('config')} ({3000 + 350 * len(build.layers)} bytes)"
    )
    for number, size in enumerate(build.layer_bytes):
        out.append(
            f"{pad}{'└──' if number == len(build.layers) - 1 else '├──'}application/vnd.oci.image.layer.v1.tar+gzip @{build.digest(f'layer/{number}')} ({human.binary(size)})"
        )
    session.inv.out("\n".join(out) + "\n")
    return 0


def prune(session: Session) -> int:
    """`ctr images prune --all`."""
    if not session.flag("all"):
        raise CtrError("Prune requires --all flag: not implemented")
    session.connect()
    space = session.namespace()
    used = {c.image for c in space.containers.values()} | {c.image_id for c in space.containers.values()}
    for name in [n for n, i in sorted(space.images.items()) if n not in used and i.image_id not in used]:
        del space.images[name]
        session.inv.out(name + "\n")
    containerd.collect_garbage(session.world, session.host, session.space)
    return 0


# -- content ----------------------------------------------------------------------------------------------------------------
def blob(session: Session, digest: str) -> bytes:
    """A blob of the store as bytes; raises CtrError."""
    space = session.namespace()
    if digest not in space.blobs:
        raise CtrError(f"content digest {digest}: not found")
    for build in {i.build: _build(session, i) for i in space.images.values()}.values():
        for part, work in (("index", archives.index_of), ("manifest", archives.manifest_of)):
            if build.digest(part) == digest:
                return json.dumps(work(build), indent=2).encode()
        if build.digest("config") == digest:
            return json.dumps(archives.config_of(session.world, build), separators=(",", ":")).encode()
        for number in range(len(build.layers)):
            if build.digest(f"layer/{number}") == digest:
                return archives._layer(build, number)
    raise CtrError(f"content digest {digest}: not found")


def content_get(session: Session) -> int:
    """`ctr content get`."""
    if not session.args:
        raise CtrError("invalid checksum digest format")
    session.connect()
    digest = session.args[0]
    if not digest.startswith("sha256:"):
        raise CtrError("invalid checksum digest format")
    if len(digest) != 71:
        raise CtrError("invalid checksum digest length")
    session.inv.out(blob(session, digest))
    return 0


def content_fetch(session: Session) -> Generator[Wait, Any, int]:
    """`ctr content fetch`: the blobs of an image without unpacking it."""
    if not session.args:
        raise CtrError("object required")
    session.connect()
    try:
        ref = references.parse_strict(session.args[0])
        build = registry.resolve(session.world, session.host, ref)
    except registry.ResolveError as failed:
        raise CtrError(f'failed to resolve reference "{session.args[0]}": {failed}') from None
    yield Sleep(500 * MS + build.size * SECOND // containerd.BANDWIDTH)
    containerd.store_build(session.world, session.host, session.space, build)
    containerd.add_image(session.world, session.host, session.space, session.args[0], build)
    rows = f"{session.args[0]}:\tresolved\t{_DONE}\t\n"
    rows += "".join(f"layer-{build.digest(f'layer/{n}')}:\tdone\t{_DONE}\t\n" for n in range(len(build.layers)))
    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=1))
    return 0


def content_remove(session: Session) -> int:
    """`ctr content rm`."""
    session.connect()
    code = ""
    space = session.namespace()
    for digest in session.args:
        if digest in space.blobs:
            del space.blobs[digest]
            session.inv.out(digest + "\n")
        else:
            session.log("error", f"failed to delete {digest!r}".replace("'", '"'), f"content digest {digest}: not found")
            code = code or f"content digest {digest}: not found"
    if code:
        raise CtrError(code)
    return 0


def content_label(session: Session) -> int:
    """`ctr content label`."""
    if not session.args:
        raise CtrError("invalid checksum digest format")
    session.connect()
    found = session.namespace().blobs.get(session.args[0])
    if found is None:
        raise CtrError(f"content digest {session.args[0]}: not found")
    found.labels = dict(found.labels)
    _labelled(session, found.labels, session.args[1:])
    session.inv.out(",".join(f"{k}={v}" for k, v in sorted(found.labels.items())) + "\n")
    return 0


def content_active(session: Session) -> int:
    """`ctr content active`: pulls under way."""
    session.connect()
    rows = "REF\tSIZE\tAGE\t\n"
    now = session.world.now
    for pull in store.runtime(session.world, session.host).pulls.values():
        for layer in pull.layers:
            if pull.namespace == session.space and layer.start <= now < layer.fetched:
                got = layer.size * (now - layer.start) // max(1, layer.fetched - layer.start)
                rows += f"layer-{layer.digest}\t{human.size(got)}\t{human.duration(now - layer.start)}\t\n"
    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=1))
    return 0


# -- snapshots --------------------------------------------------------------------------------------------------------------
def _snapshot(session: Session, key: str) -> Snapshot:
    found = session.namespace().snapshots.get(key)
    if found is None:
        raise CtrError(f"snapshot {key} does not exist: not found")
    return found


def snapshot_info(session: Session) -> int:
    """`ctr snapshots info`."""
    if len(session.args) != 1:
        raise ShowHelp
    session.connect()
    one = _snapshot(session, session.args[0])
    stamp = clock.rfc3339(session.world.epoch)
    row: dict[str, Any] = {
        "Kind": one.kind,
        "Name": one.key,
        **({"Parent": one.parent} if one.parent else {}),
        "Created": stamp,
        "Updated": stamp,
    }
    session.inv.out(json.dumps(row, indent=4) + "\n")
    return 0


def snapshot_usage(session: Session) -> int:
    """`ctr snapshots usage`."""
    session.connect()
    sizes: dict[str, tuple[int, int]] = {}
    for image in session.namespace().images.values():
        build = _build(session, image)
        for number, size in enumerate(build.layer_bytes):
            sizes[build.digest(f"chain/{number}")] = (int(size * 2.62), 20 + build.layers[number] // 12)
    rows = "KEY\tSIZE\tINODES\t\n"
    for key in session.args or sorted(session.namespace().snapshots):
        _snapshot(session, key)
        size, count = sizes.get(key, (16384, 5))
        rows += f"{key}\t{human.binary(size)}\t{count}\t\n"
    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=1))
    return 0


def snapshot_remove(session: Session) -> int:
    """`ctr snapshots rm`."""
    session.connect()
    space = session.namespace()
    for key in session.args:
        _snapshot(session, key)
        if any(other.parent == key for other in space.snapshots.values()):
            raise CtrError(f'failed to delete "{key}": cannot remove snapshot with child: failed precondition')
        del space.snapshots[key]
    return 0


def snapshot_make(kind: str) -> Any:
    """`ctr snapshots prepare|view`."""

    def run(session: Session) -> int:
        if not session.args:
            raise ShowHelp
        session.connect()
        key, parent = session.args[0], session.args[1] if len(session.args) > 1 else ""
        if parent:
            _snapshot(session, parent)
        space = store.namespace(session.world, session.host, session.space)
        if key in space.snapshots:
            raise CtrError(f'snapshot "{key}": already exists')
        space.snapshots[key] = Snapshot(key, parent, kind)
        if session.flag("target"):
            _mounts(session, str(session.flag("target")), space.snapshots[key])
        return 0

    return run


def _mounts(session: Session, target: str, one: Snapshot) -> None:
    number = sorted(session.namespace().snapshots).index(one.key) + 1
    root = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots"
    if one.kind == "Active" and one.parent:
        options = f"index=off,workdir={root}/{number}/work,upperdir={root}/{number}/fs,lowerdir={root}/{max(1, number - 1)}/fs"
        session.inv.out(f"mount -t overlay overlay {target} -o {options}\n")
    else:
        session.inv.out(f"mount -t bind {root}/{number}/fs {target} -o {'rw' if one.kind == 'Active' else 'ro'},rbind\n")


def snapshot_mounts(session: Session) -> int:
    """`ctr snapshots mounts`."""
    if len(session.args) < 2:
        raise ShowHelp
    session.connect()
    _mounts(session, session.args[0], _snapshot(session, session.args[1]))
    return 0


def snapshot_commit(session: Session) -> int:
    """`ctr snapshots commit`."""
    if len(session.args) < 2:
        raise ShowHelp
    session.connect()
    name, active = session.args[:2]
    one = _snapshot(session, active)
    if one.kind == "Committed":
        raise CtrError(f"failed to commit snapshot {active}: snapshot {active} is not active: failed precondition")
    space = session.namespace()
    del space.snapshots[active]
    space.snapshots[name] = Snapshot(name, one.parent, "Committed")
    return 0


def snapshot_tree(session: Session) -> int:
    """`ctr snapshots tree`."""
    session.connect()
    found = session.namespace().snapshots

    def below(parent: str, depth: int) -> None:
        for key in sorted(k for k, s in found.items() if s.parent == parent):
            session.inv.out("  " * depth + ("\\_ " if depth else " ") + f"{key}\n")
            below(key, depth + 1)

    below("", 0)
    return 0


# -- leases -----------------------------------------------------------------------------------------------------------------
def lease_list(session: Session) -> int:
    """`ctr leases ls`."""
    session.connect()
    leases = {k: v for k, v in store.runtime(session.world, session.host).leases.items() if v.namespace == session.space}
    if session.flag("quiet"):
        session.inv.out("".join(f"{key}\n" for key in sorted(leases)))
        return 0
    rows = "ID\tCREATED AT\tLABELS\t\n"
    for key in sorted(leases):
        labels = ",".join(f"{k}={v}" for k, v in sorted(leases[key].labels.items())) or "-"
        rows += f"{key}\t{clock.rfc3339(leases[key].created_at)}\t{labels}\t\n"
    session.inv.out(tabwriter.align(rows, minwidth=1, tabwidth=8, padding=1))
    return 0


def lease_create(session: Session) -> int:
    """`ctr leases create`."""
    session.connect()
    ident = str(session.flag("id") or "")
    if not ident:
        digits = base64.urlsafe_b64encode(bytes.fromhex(session.world.rng("containerd").hex(6))).decode()
        ident = f"{session.world.wall % SECOND}-{digits}"
    leases = store.runtime(session.world, session.host).leases
    if ident in leases:
        raise CtrError(f'lease "{ident}": already exists')
    labels: dict[str, str] = {}
    _labelled(session, labels, session.args)
    expires = int(session.flag("expires") or 0)
    if expires > 0:
        labels["containerd.io/gc.expire"] = clock.rfc3339(session.world.wall + expires)
    leases[ident] = store.Lease(session.space, session.world.wall, labels)
    session.inv.out(ident + "\n")
    return 0


def lease_remove(session: Session) -> int:
    """`ctr leases rm`."""
    if not session.args:
        raise ShowHelp
    session.connect()
    leases = store.runtime(session.world, session.host).leases
    for ident in session.args:
        if ident not in leases:
            session.log("error", f"lease {ident}: not found")
            raise CtrError(f'lease "{ident}": not found')
        del leases[ident]
        session.inv.out(ident + "\n")
    return 0
