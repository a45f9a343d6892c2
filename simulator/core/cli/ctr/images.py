"""`ctr images`, `ctr content`, `ctr snapshots`, `ctr namespaces` (`cmd/ctr/commands/{images,content,snapshots,namespaces}`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel.clock import MS
from ...kernel.errors import BadInput, NotSimulated
from ...runtime import containerd, references
from ...runtime import images as stored
from ...runtime import state as store
from .. import human
from . import progress
from .session import CtrError, Session


def unsupported(session: Session) -> int:
    """A command of ctr that the simulator does not have."""
    raise NotSimulated(session.context.path)


def pull(session: Session) -> Generator[Wait, Any, int]:
    """`ctr images pull`."""
    if not session.args or not session.args[0]:
        raise CtrError("please provide an image reference to pull")
    session.connect()
    for name in ("max-concurrent-downloads", "print-chainid", "skip-verify", "tlscacert", "tlscert", "tlskey"):
        if name in session.context.given and not session.flag("local"):
            raise CtrError(f'"--{name}" requires "--local" flag')
    ref = session.args[0]
    one = containerd.begin_pull(session.world, session.host, session.space, ref, strict=True, wrap="transfer")
    yield from progress.show(session.inv, one)
    while not one.done:
        yield Sleep(max(1 * MS, one.ends - session.world.now))
    if one.error:
        raise CtrError(one.error)
    return 0


def listing(session: Session) -> int:
    """`ctr images ls`."""
    session.connect()
    images = session.namespace().images
    wanted = [word.removeprefix("name==") for word in session.args]
    chosen = [images[name] for name in sorted(images) if not wanted or name in wanted]
    if session.flag("quiet"):
        session.inv.out("".join(i.name + "\n" for i in chosen))
        return 0
    rows = [["REF", "TYPE", "DIGEST", "SIZE", "PLATFORMS", "LABELS"]]
    for image in chosen:
        build = stored.find(session.world, image.build)
        labels = ",".join(f"{k}={v}" for k, v in sorted(image.labels.items())) or "-"
        rows.append(
            [image.name, build.media_type, image.target, human.binary(build.size), ",".join(sorted(build.platforms)), labels]
        )
    session.table(rows, minwidth=1, padding=1)
    return 0


def check(session: Session) -> int:
    """`ctr images check`."""
    session.connect()
    images = session.namespace().images
    if session.flag("quiet"):
        session.inv.out("".join(name + "\n" for name in sorted(images)))
        return 0
    rows = [["REF", "TYPE", "DIGEST", "STATUS", "SIZE", "UNPACKED"]]
    for name in sorted(images):
        build = stored.find(session.world, images[name].build)
        count = len(build.layers) + 2
        size = human.binary(build.size)
        rows.append([name, build.media_type, images[name].target, f"complete ({count}/{count})", f"{size}/{size}", "true"])
    session.table(rows, minwidth=1, padding=1)
    return 0


def tag(session: Session) -> int:
    """`ctr images tag`."""
    if not session.args:
        raise CtrError("please provide an image reference to tag from")
    if len(session.args) < 2:
        raise CtrError("please provide an image reference to tag to")
    session.connect()
    image = session.image(session.args[0])
    for target in session.args[1:]:
        if not session.flag("skip-reference-check"):
            try:
                references.parse_strict(target)
                references.normalise(target)
            except BadInput as failed:
                raise CtrError(f'error parsing reference: "{target}" is not a valid repository/tag {failed}') from None
        if target in session.namespace().images and not session.flag("force"):
            raise CtrError(f'image "{target}": already exists')
        containerd.add_image(
            session.world, session.host, session.space, target, stored.find(session.world, image.build)
        ).labels = dict(image.labels)
        session.inv.out(target + "\n")
    return 0


def remove(session: Session) -> int:
    """`ctr images rm`."""
    session.connect()
    space = session.namespace()
    for name in session.args:
        if name in space.images:
            del space.images[name]
            session.inv.out(name + "\n")
        else:
            session.log("warning", f"{name}: image not found")
    containerd.collect_garbage(session.world, session.host, session.space)
    return 0


def content(session: Session) -> int:
    """`ctr content ls`."""
    session.connect()
    blobs = session.namespace().blobs
    if session.flag("quiet"):
        session.inv.out("".join(d + "\n" for d in sorted(blobs)))
        return 0
    rows = [["DIGEST", "SIZE", "AGE", "LABELS"]]
    for digest in sorted(blobs):
        blob = blobs[digest]
        labels = ",".join(f"{k}={v}" for k, v in sorted(blob.labels.items())) or "-"
        age = human.duration(session.world.wall - blob.created_at)
        rows.append([digest, human.size(blob.size), age, labels])
    from .. import tabwriter

    text = "".join("\t".join(row) + "\n" for row in rows)
    session.inv.out(tabwriter.align(text, minwidth=1, tabwidth=8, padding=1, padchar="\t"))
    return 0


def snapshots(session: Session) -> int:
    """`ctr snapshots ls`."""
    session.connect()
    rows = [["KEY", "PARENT", "KIND"]]
    found = session.namespace().snapshots
    rows += [[key, found[key].parent, found[key].kind] for key in sorted(found)]
    session.table(rows, minwidth=1, padding=1)
    return 0


def namespaces(session: Session) -> int:
    """`ctr namespaces ls`."""
    session.connect()
    spaces = store.spaces(session.world, session.host)
    if session.flag("quiet"):
        session.inv.out("".join(name + "\n" for name in sorted(spaces)))
        return 0
    rows = [["NAME", "LABELS"]]
    rows += [[name, ",".join(f"{k}={v}" for k, v in sorted(spaces[name].labels.items()))] for name in sorted(spaces)]
    session.table(rows, minwidth=1, padding=1)
    return 0


def namespace_create(session: Session) -> int:
    """`ctr namespaces create`."""
    if not session.args:
        raise CtrError("please specify a namespace")
    session.connect()
    spaces = store.runtime(session.world, session.host).namespaces
    name = session.args[0]
    if name in spaces:
        raise CtrError(f'namespace "{name}": already exists')
    labels = {word.partition("=")[0]: word.partition("=")[2] for word in session.args[1:]}
    spaces[name] = store.Namespace(labels=labels)
    return 0


def namespace_remove(session: Session) -> int:
    """`ctr namespaces rm`."""
    session.connect()
    spaces = store.runtime(session.world, session.host).namespaces
    for name in session.args:
        space = spaces.get(name)
        if space is None:
            session.log("warning", f"namespace {name}: not found")
            continue
        held = [
            what
            for what, there in (
                ("images", space.images),
                ("containers", space.containers),
                ("blobs", space.blobs),
                ('snapshots on "overlayfs" snapshotter', space.snapshots),
            )
            if there
        ]
        if held:
            text = f'namespace "{name}" must be empty, but it still has {", ".join(held)}: failed precondition'
            session.log("error", f"unable to delete {name}", text)
            raise CtrError(f"unable to delete {name}: {text}")
        del spaces[name]
        session.inv.out(name + "\n")
    return 0
