"""`crictl images`, `pull`, `inspecti`, `rmi` (`cmd/crictl/image.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Wait, WaitTopic
from ...kernel.errors import BadInput
from ...runtime import cri, references
from ...runtime import images as stored
from .. import human
from .messages import output, statuses
from .session import CrictlError, Session

Obj = dict[str, Any]


def _help() -> Exception:
    from .main import ShowHelp

    return ShowHelp()


def _matching(session: Session) -> list[Obj]:
    images = cri.list_images(session.world, session.host)
    wanted = session.args[0] if session.args else str(session.context.values.get("name") or "")
    if wanted:
        try:
            ref = references.normalise(wanted, default_tag=False)
        except BadInput as failed:
            raise CrictlError(f"listing images: {failed}") from None
        full = references.normalise(wanted).name
        images = [
            i
            for i in images
            if full in i["repoTags"] or (not ref.tag and any(t.startswith(ref.repository + ":") for t in i["repoTags"]))
        ]
    for condition in session.context.values.get("filter") or ():
        key, _, value = str(condition).partition("=")
        if key == "dangling":
            images = [i for i in images if bool(i["repoTags"]) != (value == "true")]
        elif key == "reference":
            from .lists import pattern

            found = pattern(value)
            images = [i for i in images if found is None or any(found.search(t) for t in i["repoTags"])]
        else:
            raise CrictlError(f"--filter {key}: not simulated in Slipway yet")
    return sorted(images, key=lambda i: (i["repoTags"] or i["repoDigests"] or [""])[0])


def list_images(session: Session) -> int:
    """`crictl images`."""
    if len(session.args) > 1:
        raise _help()
    session.runtime("image")
    images = _matching(session)
    form = str(session.flag("output"))
    if form in ("json", "yaml"):
        output(session, {"images": images}, form)
        return 0
    if session.flag("quiet"):
        session.inv.out("".join(i["id"] + "\n" for i in images))
        return 0
    if session.flag("verbose"):
        for i in images:
            lines = [
                f"ID: {i['id']}",
                *(f"RepoTags: {t}" for t in i["repoTags"]),
                *(f"RepoDigests: {d}" for d in i["repoDigests"]),
                f"Size: {i['size']}",
            ]
            lines += [f"Username: {i['username']}"] if i["username"] else []
            lines += ["Pinned: true"] if i["pinned"] else []
            session.inv.out("\n".join(lines) + "\n\n")
        return 0
    digests, pinned = bool(session.flag("digests")), bool(session.flag("pinned"))
    rows = [["IMAGE", "TAG", *(["DIGEST"] if digests else []), "IMAGE ID", "SIZE", *(["PINNED"] if pinned else [])]]
    for i in images:
        name, _, digest = i["repoDigests"][0].partition("@") if i["repoDigests"] else ("<none>", "", "<none>")
        ident = str(i["id"])
        if not session.flag("no-trunc"):
            ident, digest = references.short_id(ident, 13), references.short_id(digest, 13)
        for tag in i["repoTags"] or [f"{name}:<none>"]:
            repo, _, label = tag.rpartition(":")
            row = [repo, label, *([digest] if digests else []), ident, human.size(int(i["size"]), 3)]
            rows.append(row + ([str(i["pinned"]).lower()] if pinned else []))
    session.table(rows)
    return 0


def pull(session: Session) -> Generator[Wait, Any, int]:
    """`crictl pull`."""
    if not session.args or not session.args[0]:
        raise CrictlError("image name cannot be empty")
    if len(session.args) > 1:
        raise _help()
    session.runtime("image")
    yield from pull_image(session, session.args[0])
    image = cri.find_image(session.world, session.host, session.args[0])
    assert image is not None
    session.inv.out(f"Image is up to date for {image.image_id}\n")
    return 0


def pull_image(session: Session, name: str) -> Generator[Wait, Any, None]:
    """Pull and wait; raises CrictlError with the runtime's words."""
    one = cri.pull_image(session.world, session.host, name)
    while not one.done:
        yield WaitTopic((f"pull:{session.host}:{one.id}",))
    if one.error:
        text = f"rpc error: code = {one.code} desc = {one.error}"
        session.rpc_failed("PullImage from image service", text, image=name)
        raise CrictlError(f"pulling image: {text}")


def inspect(session: Session) -> int:
    """`crictl inspecti`."""
    session.runtime("image")
    ids = session.args or [i["id"] for i in _matching(session)]
    if not ids:
        human.logrus(session.inv, "error", "No IDs provided or nothing found per filter")
        raise _help()
    found = []
    for ident in ids:
        image = cri.image_status(session.world, session.host, ident)
        if image is None:
            raise CrictlError(f'no such image "{ident}" present')
        message = next(i for i in cri.list_images(session.world, session.host) if i["id"] == image.image_id)
        if session.flag("output") == "table":
            lines = [
                f"ID: {message['id']}",
                *(f"Tag: {t}" for t in message["repoTags"]),
                *(f"Digest: {d}" for d in message["repoDigests"]),
                f"Size: {human.size(int(message['size']), 3)}",
            ]
            session.inv.out("\n".join(lines) + "\n")
            continue
        entry: Obj = {"status": message}
        if not session.flag("quiet"):
            build = stored.find(session.world, image.build)
            entry["info"] = {
                "chainID": build.digest(f"chain/{len(build.layers) - 1}"),
                "imageSpec": {
                    "architecture": "amd64",
                    "os": "linux",
                    "config": image_config(build),
                    "rootfs": {"type": "layers", "diff_ids": [build.digest(f"diff/{n}") for n in range(len(build.layers))]},
                },
            }
        found.append(entry)
    if found:
        statuses(session, found, str(session.flag("output")))
    return 0


def image_config(build: stored.Build) -> Obj:
    """The `config` object of an image's OCI configuration."""
    config: Obj = {}
    if build.cmd:
        config["Cmd"] = list(build.cmd)
    if build.entrypoint:
        config["Entrypoint"] = list(build.entrypoint)
    config["Env"] = [f"{k}={v}" for k, v in build.env]
    if build.ports:
        config["ExposedPorts"] = {p: {} for p in build.ports}
    if build.stop_signal:
        config["StopSignal"] = build.stop_signal
    if build.user:
        config["User"] = build.user
    if build.volumes:
        config["Volumes"] = {v: {} for v in build.volumes}
    if build.cwd != "/":
        config["WorkingDir"] = build.cwd
    return config


def remove(session: Session) -> int:
    """`crictl rmi`."""
    session.runtime("image")
    ids = list(session.args)
    if session.flag("all") or session.flag("prune"):
        if session.flag("prune"):
            session.runtime()
        used = {c.image_id for c in cri.list_containers(session.world, session.host)} if session.flag("prune") else set()
        ids += [
            i["id"]
            for i in cri.list_images(session.world, session.host)
            if not (session.flag("prune") and (i["pinned"] or i["id"] in used))
        ]
    if not ids:
        if session.flag("all") or session.flag("prune"):
            human.logrus(session.inv, "info", "No images to remove")
            return 0
        raise _help()
    for ident in ids:
        image = cri.image_status(session.world, session.host, ident)
        if image is None:
            raise CrictlError(f"no such image {ident}")
        message = next(i for i in cri.list_images(session.world, session.host) if i["id"] == image.image_id)
        cri.remove_image(session.world, session.host, ident)
        names = message["repoTags"] or [message["id"]]
        session.inv.out("".join(f"Deleted: {name}\n" for name in names))
    return 0
