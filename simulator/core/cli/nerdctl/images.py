"""`nerdctl pull`, `images`, `rmi`, `tag`, `image inspect` (`pkg/cmd/image`, `pkg/imgutil`)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from ...kernel.errors import BadInput, NotSimulated
from ...runtime import containerd, logs, references
from ...runtime import images as stored
from ...runtime.state import Image
from .. import human
from ..crictl.images import image_config
from . import pulling
from .session import NerdctlError, Session


def reference(text: str) -> references.Reference:
    """A normalised name; raises NerdctlError."""
    if text.startswith(("ipfs://", "ipns://")):
        raise NotSimulated("nerdctl with an image of IPFS")
    try:
        return references.normalise(text)
    except BadInput as bad:
        raise NerdctlError(str(bad)) from None


def find(session: Session, word: str) -> Image | None:
    """A local image by name, or by (prefix of) its digest or id."""
    images = session.namespace().images
    try:
        name = references.normalise(word).name
        if name in images:
            return images[name]
    except BadInput:
        pass
    digits = word.removeprefix("sha256:")
    if digits and all(ch in "0123456789abcdef" for ch in digits):
        for name in sorted(images):
            if images[name].target[7:].startswith(digits) or images[name].image_id[7:].startswith(digits):
                return images[name]
    return None


def pull(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl pull`."""
    session.connect()
    name = reference(session.args[0]).name
    image = yield from pulling.fetch(session, name, quiet=session.values.on("quiet"))
    if session.values.on("quiet"):
        session.inv.out(image.name + "\n")
    return 0


def listing(session: Session) -> int:
    """`nerdctl images`."""
    session.connect()
    images = session.namespace().images
    chosen = sorted(images.values(), key=lambda i: (-i.created_at, i.name))
    if session.args:
        wanted = references.normalise(session.args[0], default_tag=False)
        chosen = [
            i
            for i in chosen
            if not i.name.startswith("sha256:") and (i.name == wanted.name or i.name.startswith(wanted.repository + ":"))
        ]
    quiet, full = session.values.on("quiet"), session.values.on("no-trunc")
    header = [
        "REPOSITORY",
        "TAG",
        *(["DIGEST"] if session.values.on("digests") else []),
        "IMAGE ID",
        "CREATED",
        "PLATFORM",
        "SIZE",
        "BLOB SIZE",
    ]
    rows = [header]
    if session.values.on("names"):
        rows = [["NAME", *header[2:]]]
    for image in chosen:
        build = stored.find(session.world, image.build)
        ident = image.target if full else image.target[7:19]
        if quiet:
            session.inv.out(ident + "\n")
            continue
        repo, tag = "<none>", "<none>"
        if not image.name.startswith("sha256:"):
            ref = references.normalise(image.name, default_tag=False)
            repo, tag = ref.familiar, ref.tag or "<none>"
        digest = [image.target] if session.values.on("digests") else []
        head = [image.name] if session.values.on("names") else [repo, tag]
        rows.append(
            [
                *head,
                *digest,
                ident,
                human.ago(session.world, image.created_at),
                "linux/amd64",
                human.size(build.unpacked),
                human.size(build.size),
            ]
        )
    if not quiet:
        session.show(rows)
    return 0


def remove(session: Session) -> int:
    """`nerdctl rmi`."""
    session.connect()
    failures: list[str] = []
    for word in session.args:
        image = find(session, word)
        if image is None:
            failures.append(f"no such image: {word}")
            continue
        users = [c for c in session.namespace().containers.values() if c.image == image.name]
        running = [c for c in users if c.state == "RUNNING"]
        if running:
            failures.append(
                f"conflict: unable to delete {word} (cannot be forced) - image is being used by running container {running[0].id}"
            )
            continue
        if users and not session.values.on("force"):
            failures.append(
                f"conflict: unable to delete {word} (must be forced) - image is being used by stopped container {users[0].id}"
            )
            continue
        build = stored.find(session.world, image.build)
        del session.namespace().images[image.name]
        session.inv.out(f"Untagged: {image.name}@{image.target}\n")
        if not any(i.build == image.build for i in session.namespace().images.values()):
            session.inv.out("".join(f"Deleted: {build.digest(f'diff/{n}')}\n" for n in range(len(build.layers))))
        containerd.collect_garbage(session.world, session.host, session.space)
    for text in failures[:-1]:
        human.logrus(session.inv, "error", text)
    if failures:
        human.logrus(session.inv, "error", failures[-1])
        raise NerdctlError(
            f"{len(failures)} errors:\n" + "\n".join(failures) if len(failures) > 1 else "1 errors:\n" + failures[0]
        )
    return 0


def tag(session: Session) -> int:
    """`nerdctl tag`."""
    session.connect()
    image = find(session, session.args[0])
    if image is None:
        raise NerdctlError(f"{session.args[0]}: not found")
    containerd.add_image(
        session.world, session.host, session.space, reference(session.args[1]).name, stored.find(session.world, image.build)
    )
    return 0


def inspect_one(session: Session, image: Image) -> dict[str, Any]:
    """An image as `docker inspect` shows it."""
    build = stored.find(session.world, image.build)
    return {
        "Id": image.image_id,
        "RepoTags": [image.name.removeprefix("docker.io/library/")],
        "RepoDigests": [f"{build.repository.removeprefix('docker.io/library/')}@{image.target}"],
        "Comment": "",
        "Created": logs.stamp(image.created_at),
        "Author": "",
        "Config": image_config(build),
        "Architecture": "amd64",
        "Os": "linux",
        "Size": build.unpacked,
        "RootFS": {"Type": "layers", "Layers": [build.digest(f"diff/{n}") for n in range(len(build.layers))]},
        "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
    }


def inspect(session: Session) -> int:
    """`nerdctl image inspect`."""
    session.connect()
    found = []
    for word in session.args:
        image = find(session, word)
        if image is None:
            raise NerdctlError(f"1 errors:\nno such image: {word}")
        found.append(inspect_one(session, image))
    session.inv.out(json.dumps(found, indent=4) + "\n")
    return 0
