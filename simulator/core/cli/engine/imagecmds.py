"""`images`, `tag`, `rmi`, `history`, `save`, `load`, `import`, `push`, `commit`, `image prune` (docker/cli `cli/command/image`; moby `daemon/images`)."""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from ...host.filesystem import FileSystem, Inode
from ...host.program import Sleep, Wait
from ...kernel import clock
from ...kernel.clock import MS, SECOND
from ...kernel.errors import BadInput
from ...runtime import containerd, references, registry
from ...runtime import images as stored
from ...runtime.build import KIB, Build
from ...runtime.engine import core, diff
from ...runtime.engine.core import EngineError
from ...runtime.state import Image
from .. import human
from . import archives, formats, lifecycle, pulling
from .session import CliError, EngineSession, Steps

HEADER = {
    "Repository": "REPOSITORY", "Tag": "TAG", "Digest": "DIGEST", "ID": "IMAGE ID", "CreatedSince": "CREATED", "CreatedAt": "CREATED AT", "Size": "SIZE",
    "VirtualSize": "SIZE", "SharedSize": "SHARED SIZE", "UniqueSize": "UNIQUE SIZE", "Containers": "CONTAINERS",
}  # fmt: skip
DANGLING = "<none>@"


def dangling(image: Image) -> bool:
    """An image without a name."""
    return image.name.startswith(DANGLING)


def keep(session: EngineSession, name: str, build: Build) -> Image:
    """Give an image a name; the image that had it before stays as a dangling one (dockerd's own store)."""
    space = core.image_space(session.space)
    before = session.images.get(name)
    containerd.store_build(session.world, session.host, space, build)
    image = containerd.add_image(session.world, session.host, space, name, build)
    if session.docker:
        if (
            before is not None
            and before.image_id != image.image_id
            and not any(i.image_id == before.image_id for i in session.images.values())
        ):
            leave_dangling(session, before)
        session.images.pop(f"{DANGLING}{image.image_id}", None)
    return image


def leave_dangling(session: EngineSession, image: Image) -> None:
    """Keep an image that has lost its last name."""
    name = f"{DANGLING}{image.image_id}"
    session.images[name] = Image(name, image.target, image.image_id, image.build, image.created_at, dict(image.labels))


def row(session: EngineSession, image: Image, *, full: bool) -> dict[str, Any]:
    """The fields that `images --format` knows."""
    build = session.build(image)
    made = pulling.created(session, build)
    repository, tag, digest = "<none>", "<none>", "<none>"
    if not dangling(image):
        ref = references.normalise(image.name, default_tag=False)
        repository, tag = ref.familiar, ref.tag or "<none>"
        digest = image.target if not build.made or image.labels.get("pushed") else "<none>"
    users = sum(c.image_id == image.image_id for c in core.containers(session.world, session.host, session.space).values())
    return {
        "Repository": repository, "Tag": tag, "Digest": digest, "ID": image.image_id if full else image.image_id[7:19], "CreatedSince": human.ago(session.world, made),
        "CreatedAt": clock.to_datetime(made).strftime("%Y-%m-%d %H:%M:%S +0000 UTC"), "Size": human.size(build.unpacked, 3), "VirtualSize": human.size(build.unpacked, 3),
        "SharedSize": "N/A", "UniqueSize": "N/A", "Containers": str(users) if users else "N/A",
    }  # fmt: skip


def _filtered(session: EngineSession, found: list[Image]) -> list[Image]:
    for text in session.items("filter"):
        key, equals, value = text.partition("=")
        if not equals:
            raise CliError(f'invalid argument "{text}" for "-f, --filter" flag: invalid filter \'{text}\'', 125)
        if key == "dangling":
            if value not in ("true", "false", "1", "0"):
                raise EngineError(f"invalid filter 'dangling=[{value}]'", 400)
            found = [i for i in found if dangling(i) == (value in ("true", "1"))]
        elif key == "reference":
            found = [i for i in found if not dangling(i) and _matches(session, i, value)]
        elif key == "label":
            name, has, wanted = value.partition("=")
            found = [
                i
                for i in found
                if dict(session.build(i).labels).get(name) is not None
                and (not has or dict(session.build(i).labels)[name] == wanted)
            ]
        elif key in ("before", "since"):
            other = session.build(session.needs_image(value))
            at = pulling.created(session, other)
            found = [
                i
                for i in found
                if (pulling.created(session, session.build(i)) < at) == (key == "before") and i.build != other.name
            ]
        elif key not in ("until",):
            raise EngineError(f"invalid filter '{key}'", 400)
    return found


def _matches(session: EngineSession, image: Image, pattern: str) -> bool:
    from ...shell import patterns

    ref = references.normalise(image.name, default_tag=False)
    return any(
        patterns.matches(pattern, text) for text in (ref.familiar, f"{ref.familiar}:{ref.tag}", image.name, ref.repository)
    )


def listing(session: EngineSession) -> int:
    """`docker images`."""
    session.connect()
    found = list(session.all_images().values())
    if session.args:
        word = session.args[0]
        try:
            wanted = references.normalise(word, default_tag=False)
        except BadInput:
            raise EngineError("invalid reference format", 400) from None
        if "*" not in word:
            found = [
                i
                for i in found
                if not dangling(i) and (i.name == wanted.name if wanted.tag else i.name.rpartition(":")[0] == wanted.repository)
            ]
    found = _filtered(session, found)
    if not session.on("all") and not any(text.startswith("dangling=") for text in session.items("filter")):
        found = [i for i in found if not dangling(i) or True]
    found.sort(key=lambda i: (-pulling.created(session, session.build(i)), i.name))
    rows = [row(session, i, full=session.on("no-trunc")) for i in found]
    columns = ["Repository", "Tag", *(["Digest"] if session.on("digests") else []), "ID", "CreatedSince", "Size"]
    session.inv.out(
        formats.listing(
            session.flag("format"),
            HEADER,
            columns,
            rows,
            quiet="ID" if session.on("quiet") else "",
            kind="*formatter.imageContext" if session.docker else "",
        )
    )
    return 0


def tag(session: EngineSession) -> int:
    """`tag`."""
    session.connect()
    if not session.docker:
        session.needs_image(session.args[0])
    try:
        target = references.normalise(session.args[1])
    except BadInput as bad:
        text = f'Error parsing reference: "{session.args[1]}" is not a valid repository/tag: {bad}'
        raise (CliError(text) if session.docker else EngineError(str(bad))) from None
    image = session.needs_image(session.args[0])
    keep(session, target.name, session.build(image))
    core.event(
        session.world, session.host, session.space, "image", "tag", image.image_id, {"name": session.familiar(target.name)}
    )
    return 0


def remove(session: EngineSession) -> Steps:
    """`rmi`: a name is untagged; with the last name the image goes."""
    session.connect()
    failures = []
    for word in session.args:
        try:
            remove_one(session, word, force=session.on("force"))
        except EngineError as failed:
            failures.append(str(failed))
    yield from ()
    return session.failed(failures)


def remove_one(session: EngineSession, word: str, *, force: bool, quiet: bool = False) -> int:
    """Remove a name or an image (moby `daemon/images/image_delete.go`); returns the bytes freed."""
    image = session.needs_image(word)
    names = sorted(i.name for i in session.images.values() if i.image_id == image.image_id)
    by_id = _is_id(word, image)
    users = [c for c in core.containers(session.world, session.host, session.space).values() if c.image_id == image.image_id]
    short = image.image_id[7:19]
    repositories = {name.rpartition(":")[0] for name in names if not name.startswith(DANGLING)}
    if by_id and len(names) > 1 and not force and len(repositories) > 1:
        raise EngineError(
            f"conflict: unable to delete {short} (must be forced) - image is referenced in multiple repositories", 409
        )
    running = [c for c in users if c.state == "RUNNING"]
    last = by_id or len(names) == 1
    if last and running and (by_id or not force or len(names) == 1):
        text = f'conflict: unable to remove repository reference "{word}" (must force) - container {running[0].id[:12]} is using its referenced image {short}'
        if by_id or force:
            text = f"conflict: unable to delete {short} (cannot be forced) - image is being used by running container {running[0].id[:12]}"
        raise EngineError(text, 409)
    if last and users and not force:
        text = f'conflict: unable to remove repository reference "{word}" (must force) - container {users[0].id[:12]} is using its referenced image {short}'
        if by_id:
            text = f"conflict: unable to delete {short} (must be forced) - image is being used by stopped container {users[0].id[:12]}"
        raise EngineError(text, 409)
    build = session.build(image)
    out = []
    for name in names if by_id else [image.name]:
        del session.images[name]
        if not name.startswith(DANGLING):
            out.append(f"Untagged: {session.familiar(name)}")
            core.event(
                session.world, session.host, session.space, "image", "untag", image.image_id, {"name": session.familiar(name)}
            )
    if not any(i.image_id == image.image_id for i in session.images.values()):
        if not build.made:
            out += [f"Untagged: {session.familiar(build.repository)}@{image.target}"]
        if not users:
            out.append(f"Deleted: {image.image_id}")
            shared = {
                session.build(i).digest(f"chain/{n}")
                for i in session.images.values()
                for n in range(len(session.build(i).layers))
            }
            chains = [build.digest(f"chain/{n}") for n in range(len(build.layers))]
            out += [f"Deleted: {chain}" for chain in reversed(chains) if chain not in shared]
            core.event(session.world, session.host, session.space, "image", "delete", image.image_id, {"name": image.image_id})
        else:
            leave_dangling(session, image)
    containerd.collect_garbage(session.world, session.host, core.image_space(session.space))
    if not quiet:
        session.inv.out("".join(line + "\n" for line in out))
    return build.unpacked


def _is_id(word: str, image: Image) -> bool:
    digits = word.removeprefix("sha256:")
    return (
        all(ch in "0123456789abcdef" for ch in digits)
        and image.image_id[7:].startswith(digits)
        and f"docker.io/library/{word}:latest" != image.name
    )


def history(session: EngineSession) -> int:
    """`history`."""
    session.connect()
    image = session.needs_image(session.args[0])
    build = session.build(image)
    full = session.on("no-trunc")
    whole = session.on("human") if session.given("human") else True
    rows = []
    made = pulling.created(session, build)
    sizes = build.layer_bytes
    mine = build.own_bytes
    scale = (build.unpacked - mine) / max(1, sum(sizes) - mine)
    own = {n for n, (owner, _) in enumerate(build.owners) if "/" not in owner}
    for number, (text, layer, at, comment) in enumerate(reversed(archives.history(build))):
        size = 0 if layer < 0 else sizes[layer] if layer in own else int(sizes[layer] * scale)
        ident = image.image_id if number == 0 else "<missing>"
        short = text if full or len(text) <= 45 else text[:44] + "…"
        rows.append({
            "ID": ident if full or number else ident[7:19], "CreatedSince": human.ago(session.world, at or made) if whole else clock.rfc3339(at or made),
            "CreatedAt": clock.rfc3339(at or made), "CreatedBy": short, "Size": human.size(size, 3) if whole else str(size), "Comment": comment,
        })  # fmt: skip
    header = {
        "ID": "IMAGE",
        "CreatedSince": "CREATED",
        "CreatedAt": "CREATED AT",
        "CreatedBy": "CREATED BY",
        "Size": "SIZE",
        "Comment": "COMMENT",
    }
    session.inv.out(
        formats.listing(
            session.flag("format"),
            header,
            ("ID", "CreatedSince", "CreatedBy", "Size", "Comment"),
            rows,
            quiet="ID" if session.on("quiet") else "",
        )
    )
    return 0


def save(session: EngineSession) -> int:
    """`save`."""
    if not session.flag("output") and session.inv.stdout_tty:
        raise CliError("cowardly refusing to save to a terminal. Use the -o flag or redirect")
    session.connect()
    names: list[tuple[str, Build]] = []
    for word in session.args:
        image = session.needs_image(word)
        named = not _is_id(word, image) and not dangling(image)
        if named and ":" not in word.rpartition("/")[2] and "@" not in word and session.docker:
            repository = image.name.rpartition(":")[0]
            names += [
                (i.name, session.build(i))
                for i in sorted(session.images.values(), key=lambda i: i.name)
                if i.name.rpartition(":")[0] == repository
            ]
        else:
            names.append((image.name if named else "", session.build(image)))
    data = archives.pack(session.world, names, docker=session.docker)
    if session.flag("output"):
        try:
            session.inv.write_file(session.flag("output"), data)
        except OSError as failed:
            raise CliError(f"failed to save image: invalid output path: {failed.strerror}".lower()) from None
    else:
        session.inv.out(data)
    return 0


def load(session: EngineSession) -> Generator[Wait, Any, int]:
    """`load`."""
    session.connect()
    path = session.flag("input")
    if path:
        try:
            data = session.inv.read_file(path)
        except OSError as failed:
            raise CliError(f"open {path}: {(failed.strerror or '').lower()}") from None
    else:
        if session.inv.stdin_tty:
            raise CliError("requested load from stdin, but stdin is empty")
        data = yield from session.inv.read()
    try:
        found = archives.unpack(session.world, data)
    except archives.BadArchive as bad:
        raise EngineError(str(bad), 500) from None
    for names, build in found:
        for name in names:
            keep(session, name, build)
            text = session.familiar(name)
            session.inv.out(
                f"Loaded image: {text}\n"
                if session.docker
                else f"unpacking {name} ({build.digest('index')})...\nLoaded image: {text}\n"
            )
        if not names:
            image = Image(
                f"{DANGLING}{build.digest('config')}",
                build.digest("index"),
                build.digest("config"),
                build.name,
                session.world.wall,
            )
            containerd.store_build(session.world, session.host, core.image_space(session.space), build)
            session.images[image.name] = image
            session.inv.out(f"Loaded image ID: {build.digest('config')}\n")
    return 0


def import_tar(session: EngineSession) -> Generator[Wait, Any, int]:
    """`import`: a tar of files becomes an image of one layer."""
    session.connect()
    source = session.args[0]
    if source == "-":
        data = yield from session.inv.read()
    else:
        try:
            data = session.inv.read_file(source)
        except OSError as failed:
            raise CliError(f"open {source}: {(failed.strerror or '').lower()}") from None
    try:
        entries = archives.read_entries(data)
    except archives.BadArchive as bad:
        raise EngineError(f"Error processing tar file(exit status 1): {bad}", 500) from None
    fs = FileSystem(Inode("dir", 0o755, children={}))
    for name, node in entries:
        path = "/" + name
        if node.kind == "dir":
            fs.mkdir(path, True, mode=node.mode)
        else:
            fs.mkdir(path.rpartition("/")[0] or "/", True)
            fs.tree().put(path, node)
    message = session.flag("message") or f"Imported from {source}"
    changed: dict[str, Any] = apply_changes(session, {}, session.items("change"))
    layer = stored.name_of(data)
    build = made_build(session, base=None, layer=layer, size=len(data), text="", comment=message, config=changed)
    stored.keep(session.world, build, fs.root)
    if len(session.args) > 1:
        keep(session, references.normalise(session.args[1]).name, build)
    else:
        containerd.store_build(session.world, session.host, core.image_space(session.space), build)
        leave_dangling(session, Image("", build.digest("index"), build.digest("config"), build.name, session.world.wall))
    session.inv.out(build.digest("config") + "\n")
    return 0


def made_build(
    session: EngineSession,
    *,
    base: Build | None,
    layer: str,
    size: int,
    text: str,
    comment: str,
    config: dict[str, Any],
    author: str = "",
) -> Build:
    """A new image on `base` with one layer more; `config` are fields of `Build` that differ from the base's."""
    now = session.world.wall
    owners = list(base.owners or [(base.name, n) for n in range(len(base.layers))]) if base is not None else []
    sizes = list(base.layer_bytes) if base is not None else []
    own = base.own_bytes if base is not None else 0
    steps = [
        (t, n, at or (pulling.created(session, base) if base is not None else 0), c)
        for t, n, at, c in (archives.history(base) if base is not None else [])
    ]
    fields = fields_of(base)
    fields.update(config)
    if layer:
        owners.append((layer, 0))
        sizes.append(size)
        own += size
        steps.append((text, len(sizes) - 1, now, comment))
    else:
        steps.append((text, -1, now, comment))
    name = stored.name_of(json.dumps([owners, steps, {k: str(v) for k, v in fields.items()}, author], default=str).encode())
    return Build(
        name=name,
        layers=tuple(one // KIB for one in sizes),
        sizes=tuple(sizes),
        own_bytes=own,
        owners=tuple(owners),
        steps=tuple(steps),
        created_at=now,
        author=author,
        platforms=("linux/amd64",),
        **fields,
    )


def fields_of(base: Build | None) -> dict[str, Any]:
    """The configuration of an image as fields of `Build`."""
    if base is None:
        return {"env": ()}
    return {
        key: getattr(base, key)
        for key in (
            "entrypoint",
            "cmd",
            "env",
            "cwd",
            "user",
            "ports",
            "volumes",
            "stop_signal",
            "userland",
            "labels",
            "healthcheck",
            "shell",
            "onbuild",
        )
    }


def apply_changes(session: EngineSession, fields: dict[str, Any], changes: list[str]) -> dict[str, Any]:
    """`--change` instructions of `commit` and `import`; raises EngineError for one that may not stand there."""
    from . import dockerfile, instructions

    for text in changes:
        try:
            one = dockerfile.instruction(text, 1)
        except dockerfile.DockerfileError as bad:
            raise EngineError(str(bad), 400) from None
        if one.name not in (
            "CMD",
            "ENTRYPOINT",
            "ENV",
            "EXPOSE",
            "HEALTHCHECK",
            "LABEL",
            "ONBUILD",
            "STOPSIGNAL",
            "USER",
            "VOLUME",
            "WORKDIR",
        ):
            raise EngineError(
                f"{one.name} is not a valid change command"
                if one.name in dockerfile.KNOWN
                else f"unknown instruction: {one.name}",
                400,
            )
        instructions.configure(fields, one)
    return fields


def commit(session: EngineSession) -> int:
    """`commit`: a container's changes as a new layer."""
    session.connect()
    container = session.find(session.args[0])
    base = session.build(container)
    changed = diff.of_container(session.world, session.host, container)
    tree = diff.tree(session.world, session.host, container)
    fields = fields_of(base)
    fields["env"] = tuple((k, v) for k, v in container.env.items() if k not in ("HOSTNAME", "TERM"))
    fields["entrypoint"], fields["cmd"] = (
        tuple(container.options.get("entrypoint") or ()),
        tuple(container.options.get("cmd") or ()),
    )
    fields["cwd"], fields["labels"] = container.cwd, tuple(sorted(container.labels.items()))
    apply_changes(session, fields, session.items("change"))
    size = diff.size(changed)
    layer = stored.name_of(f"{container.id}/{session.world.now}".encode())
    build = made_build(
        session,
        base=base,
        layer=layer,
        size=size,
        text=" ".join(container.argv),
        comment=session.flag("message"),
        config=fields,
        author=session.flag("author"),
    )
    stored.keep(session.world, build, tree)
    if len(session.args) > 1:
        try:
            keep(session, references.normalise(session.args[1]).name, build)
        except BadInput as bad:
            raise EngineError(str(bad), 400) from None
    else:
        containerd.store_build(session.world, session.host, core.image_space(session.space), build)
        leave_dangling(session, Image("", build.digest("index"), build.digest("config"), build.name, session.world.wall))
    core.container_event(session.world, session.host, container, "commit")
    session.inv.out(build.digest("config") + "\n")
    return 0


def push(session: EngineSession) -> Generator[Wait, Any, int]:
    """`push`."""
    session.connect()
    word = session.args[0]
    ref = references.normalise(word, default_tag=False)
    quiet = session.on("quiet")
    if not ref.tag and not session.on("all-tags"):
        if not quiet:
            session.inv.out("Using default tag: latest\n")
        ref = references.normalise(word)
    image = session.images.get(ref.name)
    if not quiet:
        session.inv.out(f"The push refers to repository [{ref.repository}]\n")
    if image is None:
        raise EngineError(f"An image does not exist locally with the tag: {ref.familiar}", 404)
    build = session.build(image)
    yield Sleep(300 * MS)
    rows = [build.digest(f"layer/{n}")[7:19] for n in reversed(range(len(build.layers)))]
    try:
        there = registry.push(session.world, session.host, ref, build, session.login(ref.domain))
    except registry.ResolveError as failed:
        if not quiet and failed.code in ("denied", "insecure"):
            session.inv.out("".join(f"{ident}: {'Waiting' if n > 4 else 'Preparing'}\n" for n, ident in enumerate(rows)))
        raise EngineError(failed.docker, 500) from None
    if not quiet:
        session.inv.out("".join(f"{ident}: Preparing\n" for ident in rows))
        for number, ident in enumerate(rows):
            yield Sleep(40 * MS + build.layer_bytes[len(rows) - 1 - number] * SECOND // containerd.BANDWIDTH)
            session.inv.out(f"{ident}: {'Layer already exists' if there else 'Pushed'}\n")
        size = 400 + 200 * len(build.layers)
        session.inv.out(f"{ref.tag}: digest: {build.digest('index')} size: {size}\n")
    else:
        session.inv.out(ref.name + "\n")
    image.labels["pushed"] = "true"
    core.event(session.world, session.host, session.space, "image", "push", session.familiar(ref.name), {"name": ref.familiar})
    return 0


def prune(session: EngineSession) -> Generator[Wait, Any, int]:
    """`image prune`."""
    session.connect()
    everything = session.on("all")
    if not session.on("force"):
        what = "all images without at least one container associated to them" if everything else "all dangling images"
        session.inv.out(f"WARNING! This will remove {what}.\n")
        if not (yield from lifecycle.confirmed(session)):
            return 0
    lines, freed = prune_images(session, everything)
    session.inv.out(
        ("Deleted Images:\n" + "".join(line + "\n" for line in lines) + "\n" if lines else "")
        + f"Total reclaimed space: {human.size(freed)}\n"
    )
    return 0


def prune_images(session: EngineSession, everything: bool) -> tuple[list[str], int]:
    """Remove unused images: (lines of the report, bytes freed)."""
    used = {c.image_id for c in core.containers(session.world, session.host, session.space).values()}
    lines, freed = [], 0
    gone = [i for i in session.images.values() if i.image_id not in used and (everything or dangling(i))]
    for image in sorted(gone, key=lambda i: i.name):
        build = session.build(image)
        del session.images[image.name]
        if not dangling(image):
            lines.append(f"untagged: {session.familiar(image.name)}")
            if not build.made:
                lines.append(f"untagged: {session.familiar(build.repository)}@{image.target}")
        if not any(i.image_id == image.image_id for i in session.images.values()):
            lines.append(f"deleted: {image.image_id}")
            lines += [f"deleted: {build.digest(f'chain/{n}')}" for n in reversed(range(len(build.layers)))]
            freed += build.unpacked
    containerd.collect_garbage(session.world, session.host, core.image_space(session.space))
    return lines, freed
