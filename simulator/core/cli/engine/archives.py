"""Images as files: an OCI image layout in a tar, with Docker's `manifest.json` beside it (moby `image/tarexport`; opencontainers/image-spec).

The layout can be opened and read: `oci-layout`, `index.json`, manifests and configurations under `blobs/sha256` are real documents.
A layer's blob is a tar of what the layer added, for images made in the world; layers of the catalogue hold one file that names them.
"""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

from ...host.filesystem import Inode
from ...kernel import clock
from ...kernel.clock import SECOND
from ...kernel.world import World
from ...runtime import images as stored
from ...shell.coreutils import archive

Obj = dict[str, Any]


class BadArchive(Exception):
    """Not an archive of images."""


def config_of(world: World, build: stored.Build) -> Obj:
    """An image's configuration document (image-spec `config.md`)."""
    from .inspecting import image_config

    config = {key: value for key, value in image_config(build).items() if value not in (None, "")}
    made = build.created_at or world.epoch - (8 + int(build.digest("config")[7:11], 16) % 60) * 24 * 3600 * SECOND
    return {
        "architecture": "amd64",
        "config": config,
        "created": clock.rfc3339(made),
        "history": [
            {"created": clock.rfc3339(at or made), "created_by": text, **({} if layer >= 0 else {"empty_layer": True})}
            for text, layer, at, _ in history(build)
        ],
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [build.digest(f"diff/{n}") for n in range(len(build.layers))]},
    }


def manifest_of(build: stored.Build) -> Obj:
    """An image's manifest (image-spec `manifest.md`)."""
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": build.digest("config"),
            "size": 3000 + 350 * len(build.layers),
        },
        "layers": [
            {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": build.digest(f"layer/{n}"), "size": size}
            for n, size in enumerate(build.layer_bytes)
        ],
    }


def index_of(build: stored.Build) -> Obj:
    """What an image's name points at: an index of platforms, or (for an image made here) the manifest itself."""
    if build.made:
        return manifest_of(build)
    rows = []
    for platform in build.platforms:
        system, _, rest = platform.partition("/")
        machine, _, variant = rest.partition("/")
        digest = build.digest("manifest") if platform == "linux/amd64" else build.digest(f"manifest/{platform}")
        rows.append(
            {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 400 + 200 * len(build.layers),
             "platform": {"architecture": machine, "os": system, **({"variant": variant} if variant else {})}}
        )  # fmt: skip
    return {"schemaVersion": 2, "mediaType": build.media_type, "manifests": rows}


def history(build: stored.Build) -> list[tuple[str, int, int, str]]:
    """The steps that made an image, first to last: (created_by, layer or -1, Unix ns or 0, comment)."""
    if build.steps:
        return list(build.steps)
    rows: list[tuple[str, int, int, str]] = []
    base = {
        "debian": "debian.sh --arch 'amd64' out/ 'trixie' '@1763942400'",
        "alpine": "ADD alpine-minirootfs-3.23.0-x86_64.tar.gz / # buildkit",
        "busybox": "BusyBox 1.37.0 (glibc), Debian 13",
    }
    for number in range(len(build.layers)):
        if number == 0:
            rows.append(
                (
                    f"# {base[build.userland]}"
                    if build.userland == "debian"
                    else base.get(build.userland, f"COPY {build.repository.rpartition('/')[2]} / # buildkit"),
                    0,
                    0,
                    "",
                )
            )
            for key, value in build.env:
                if key != "PATH":
                    rows.append((f"ENV {key}={value}", -1, 0, "buildkit.dockerfile.v0"))
        else:
            text = (
                "RUN /bin/sh -c set -x     && # install packages # buildkit"
                if build.layers[number] > 500
                else f"COPY file{number} / # buildkit"
            )
            rows.append((text, number, 0, "buildkit.dockerfile.v0"))
    for port in build.ports:
        rows.append((f"EXPOSE map[{port}:{{}}]", -1, 0, "buildkit.dockerfile.v0"))
    if build.entrypoint:
        rows.append((f"ENTRYPOINT {json.dumps(list(build.entrypoint))}", -1, 0, "buildkit.dockerfile.v0"))
    if build.stop_signal:
        rows.append((f"STOPSIGNAL {build.stop_signal}", -1, 0, "buildkit.dockerfile.v0"))
    if build.cmd:
        rows.append((f"CMD {json.dumps(list(build.cmd))}", -1, 0, "buildkit.dockerfile.v0"))
    return rows


def _document(value: Obj) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def pack(world: World, names: list[tuple[str, stored.Build]], *, docker: bool = True) -> bytes:
    """The tar of images; `names` are (full name or "", build)."""
    blobs: dict[str, bytes] = {}
    index: list[Obj] = []
    legacy: list[Obj] = []
    repositories: dict[str, dict[str, str]] = {}
    order: list[stored.Build] = []
    for _, build in names:
        if build not in order:
            order.append(build)
    for build in order:
        tags = [name for name, other in names if other is build and name]
        blobs[build.digest("config")] = _document(config_of(world, build))
        blobs[build.digest("manifest")] = _document(manifest_of(build))
        blobs[build.digest("index")] = _document(index_of(build))
        for number in range(len(build.layers)):
            blobs[build.digest(f"layer/{number}")] = _layer(build, number)
        for name in tags or [""]:
            row: Obj = {"mediaType": build.media_type, "digest": build.digest("index"), "size": len(blobs[build.digest("index")])}
            if name:
                row["annotations"] = {
                    "io.containerd.image.name": name,
                    "org.opencontainers.image.ref.name": name.rpartition(":")[2],
                }
                repository, _, tag = _short(name).rpartition(":")
                repositories.setdefault(repository, {})[tag] = build.digest(f"layer/{len(build.layers) - 1}")[7:]
            index.append(row)
        legacy.append(
            {"Config": f"blobs/sha256/{build.digest('config')[7:]}", "RepoTags": [_short(name) for name in tags] or None,
             "Layers": [f"blobs/sha256/{build.digest(f'layer/{n}')[7:]}" for n in range(len(build.layers))]}
        )  # fmt: skip
    entries: list[tuple[str, Inode]] = [
        ("blobs/", Inode("dir", 0o755, children={})),
        ("blobs/sha256/", Inode("dir", 0o755, children={})),
    ]
    entries += [
        (f"blobs/sha256/{digest[7:]}", Inode("file", 0o644, mtime=world.epoch, data=data))
        for digest, data in sorted(blobs.items())
    ]
    entries.append(
        (
            "index.json",
            Inode(
                "file",
                0o644,
                data=_document({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": index}),
            ),
        )
    )
    entries.append(("manifest.json", Inode("file", 0o644, data=json.dumps(legacy, separators=(",", ":")).encode())))
    entries.append(("oci-layout", Inode("file", 0o444, data=b'{"imageLayoutVersion":"1.0.0"}')))
    if docker:
        entries.append(("repositories", Inode("file", 0o644, data=_document(repositories))))
    return archive.build(entries, compress=False)


def _short(name: str) -> str:
    return name.removeprefix("docker.io/library/").removeprefix("docker.io/")


def _layer(build: stored.Build, number: int) -> bytes:
    text = f"layer {number} of {build.name}\ndiff_id {build.digest(f'diff/{number}')}\n".encode()
    return archive.build([(".layer", Inode("file", 0o644, data=text))], compress=False)


def read_entries(data: bytes) -> list[tuple[str, Inode]]:
    """(path, inode) of a tar's members, directories included; raises BadArchive."""
    try:
        if data[:2] == b"\x1f\x8b":
            data = archive.inflate(data)
        out: list[tuple[str, Inode]] = []
        with tarfile.open(fileobj=io.BytesIO(data)) as opened:
            for info in opened.getmembers()[:20_000]:
                name = "/".join(part for part in info.name.split("/") if part not in ("", ".", ".."))
                if not name:
                    continue
                stamp = int(info.mtime) * SECOND
                if info.isdir():
                    out.append((name, Inode("dir", info.mode, info.uid, info.gid, stamp, b"", {})))
                elif info.issym():
                    out.append((name, Inode("link", 0o777, info.uid, info.gid, stamp, target=info.linkname)))
                elif info.isfile():
                    content = opened.extractfile(info)
                    out.append(
                        (
                            name,
                            archive.unpack(content.read() if content is not None else b"", info.mode, info.uid, info.gid, stamp),
                        )
                    )
        return out
    except (tarfile.TarError, ValueError, EOFError):
        raise BadArchive("unexpected EOF" if data[:1] else "EOF") from None


def unpack(world: World, data: bytes) -> list[tuple[list[str], stored.Build]]:
    """The images of an archive: (full names, build); raises BadArchive."""
    files = {name: node.data for name, node in read_entries(data) if node.kind == "file"}
    out: list[tuple[list[str], stored.Build]] = []
    try:
        if "manifest.json" in files:
            for row in json.loads(files["manifest.json"]):
                digest = "sha256:" + str(row["Config"]).rpartition("/")[2].removesuffix(".json")
                out.append(([_full(name) for name in row.get("RepoTags") or []], _known(world, digest)))
            return out
        if "index.json" in files:
            for row in json.loads(files["index.json"])["manifests"]:
                name = (row.get("annotations") or {}).get("io.containerd.image.name") or ""
                out.append(([name] if name else [], _known(world, row["digest"])))
            return out
    except (ValueError, KeyError, TypeError):
        raise BadArchive("invalid manifest") from None
    raise BadArchive("open manifest.json: no such file or directory")


def _full(name: str) -> str:
    from ...runtime import references

    return references.normalise(name).name


def _known(world: World, digest: str) -> stored.Build:
    found = stored.by_digest(world, digest)
    if found is None:
        raise BadArchive(f"content digest {digest}: not found")
    return found
