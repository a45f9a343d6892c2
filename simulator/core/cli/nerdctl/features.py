"""What nerdctl can besides Docker: BuildKit as a service of its own, lazy pulling (eStargz), encrypted images, signatures, IPFS.

Each has its real conditions: lazy pulling wants the stargz snapshotter running and named in containerd's configuration, encryption a
key, signatures cosign, IPFS a daemon.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Generator
from typing import Any

import msgspec

from ...host import processes
from ...host.machine import hosts
from ...host.program import Sleep, Wait
from ...kernel.clock import MS, SECOND
from ...kernel.errors import NotSimulated
from ...kernel.network import network
from ...runtime import containerd, crypt, references, registry
from ...runtime import images as stored
from ...runtime.build import Build
from ...runtime.engine import core
from ...runtime.state import Image
from .. import human
from ..engine import builds, lifecycle
from ..engine.session import Steps
from . import images, pulling
from .session import NerdctlError, Session

_HINT = "`buildctl` needs to be installed and `buildkitd` needs to be running, see https://github.com/moby/buildkit"


# -- run, create, pull ------------------------------------------------------------------------------------------------------
def _prepare(session: Session) -> Generator[Wait, Any, None]:
    """What has to be done about the image before a container is made of it: verify it, get it from peers, decrypt it, set up lazy pulling."""
    session.connect()
    word = session.args[0]
    snapshotter(session)
    if word.startswith(("ipfs://", "ipns://")):
        image = yield from from_ipfs(session, word, quiet=session.on("quiet"))
        session.args[0] = image.name
        return
    yield from verify(session, images.reference(word).name)
    image_found = session.image(word)
    if image_found is not None:
        problem = crypt.locked(session.world, session.host, session.build(image_found))
        if problem:
            raise NerdctlError(problem)


def run(session: Session) -> Steps:
    """`nerdctl run`."""
    yield from _prepare(session)
    return (yield from lifecycle.run(session))


def create(session: Session) -> Steps:
    """`nerdctl create`."""
    yield from _prepare(session)
    return (yield from lifecycle.create(session))


def pull(session: Session) -> Steps:
    """`nerdctl pull`."""
    session.connect()
    snapshotter(session)
    word = session.args[0]
    if word.startswith(("ipfs://", "ipns://")):
        image = yield from from_ipfs(session, word, quiet=session.on("quiet"))
    else:
        name = images.reference(word).name
        yield from verify(session, name)
        image = yield from pulling.fetch(session, name, quiet=session.on("quiet"))
    if session.on("quiet"):
        session.inv.out(image.name + "\n")
    return 0


# -- lazy pulling -----------------------------------------------------------------------------------------------------------
def snapshotter(session: Session) -> None:
    """`--snapshotter=stargz` needs containerd's proxy plugin and the daemon behind it."""
    name = session.flag("snapshotter") or "overlayfs"
    if name == "stargz" and not containerd.lazy_ready(session.world, session.host):
        raise NerdctlError("snapshotter not loaded: stargz: invalid argument")


def convert(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl image convert`."""
    session.connect()
    kinds = [kind for kind in ("estargz", "zstd", "zstdchunked", "nydus", "overlaybd", "uncompress", "oci") if session.on(kind)]
    source, target = session.args[0], session.args[1]
    image = _source(session, source)
    wanted = images.reference(target).name
    if "nydus" in kinds or "overlaybd" in kinds:
        raise NotSimulated(f"nerdctl image convert --{kinds[0]}")
    if "estargz" in kinds and not session.on("oci"):
        human.logrus(session.inv, "warning", "option --estargz should be used in conjunction with --oci")
    if not kinds:
        raise NerdctlError("no conversion option is specified")
    build = session.build(image)
    form = next((kind for kind in kinds if kind in ("estargz", "zstd", "zstdchunked", "uncompress")), build.form)
    yield Sleep(300 * MS + build.size * SECOND // 40_000_000)
    made = variant(session, build, form=form, scale=1.04 if form == "estargz" else 2.6 if form == "uncompress" else 0.95)
    _name(session, wanted, made)
    session.inv.out(made.digest("index") + "\n")
    return 0


def _source(session: Session, word: str) -> Image:
    name = images.reference(word).name
    image = session.images.get(name)
    if image is None:
        raise NerdctlError(f'image "{name}": not found')
    return image


def variant(session: Session, build: Build, *, form: str, scale: float = 1.0, secret: str = "") -> Build:
    """The same image with its layers in another form."""
    name = stored.name_of(f"{build.name}/{form}/{secret}".encode())
    known = stored.known(session.world, name)
    if known is not None:
        return known
    owners = tuple((f"{form}/{secret[:12]}/{build.digest(f'layer/{n}')}", 0) for n in range(len(build.layers)))
    sizes = tuple(int(size * scale) for size in build.layer_bytes)
    made = msgspec.structs.replace(
        build,
        name=name,
        owners=owners,
        sizes=sizes,
        form=form,
        secret=secret,
        created_at=build.created_at,
        platforms=("linux/amd64",),
        pinned=False,
    )
    return stored.keep(session.world, made, stored.root(session.world, build.name))


def _name(session: Session, name: str, build: Build) -> None:
    containerd.store_build(session.world, session.host, session.space, build)
    containerd.add_image(session.world, session.host, session.space, name, build)


# -- encryption -------------------------------------------------------------------------------------------------------------
def encrypt(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl image encrypt`."""
    session.connect()
    recipients = session.items("recipient")
    if not recipients:
        raise NerdctlError("at least one recipient must be specified (e.g., --recipient=jwe:mypubkey.pem)")
    image = _source(session, session.args[0])
    wanted = images.reference(session.args[1]).name
    marks = []
    for text in recipients:
        scheme, _, path = text.partition(":")
        if scheme not in ("jwe", "pkcs7", "pgp", "pkcs11", "provider"):
            raise NerdctlError("Provided protocol not recognized" if path else f"Invalid recipient format: {text}")
        if scheme != "jwe":
            raise NotSimulated(f"nerdctl image encrypt --recipient={scheme}:…")
        try:
            data = session.inv.read_file(path)
        except OSError as failed:
            raise NerdctlError(f"unable to read file: open {path}: {(failed.strerror or '').lower()}") from None
        mark = crypt.public_mark(data)
        if not mark:
            raise NerdctlError("Public key could not be parsed")
        marks.append(mark)
    build = session.build(image)
    yield Sleep(200 * MS + build.size * SECOND // 120_000_000)
    made = variant(session, build, form="encrypted", secret=",".join(marks))
    _name(session, wanted, made)
    session.inv.out(made.digest("index") + "\n")
    return 0


def decrypt(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl image decrypt`."""
    session.connect()
    image = _source(session, session.args[0])
    wanted = images.reference(session.args[1]).name
    build = session.build(image)
    marks = []
    for text in session.items("key"):
        path = text.partition(":")[0]
        try:
            marks.append(crypt.private_mark(session.inv.read_file(path)))
        except OSError as failed:
            raise NerdctlError(f"open {path}: {(failed.strerror or '').lower()}") from None
    if build.form == "encrypted" and not set(marks) & set(build.secret.split(",")):
        raise NerdctlError(
            "missing private key needed for decryption:\nno suitable key unwrapper found or none of the private keys could be used for decryption"
        )
    yield Sleep(200 * MS + build.size * SECOND // 120_000_000)
    made = variant(session, build, form="plain") if build.form == "encrypted" else build
    _name(session, wanted, made)
    session.inv.out(made.digest("index") + "\n")
    return 0


# -- signatures -------------------------------------------------------------------------------------------------------------
def verify(session: Session, name: str) -> Generator[Wait, Any, None]:
    """`--verify=cosign`: cosign is run with the key; nothing is pulled when it fails."""
    kind = session.flag("verify") or "none"
    if kind == "none":
        return
    if kind == "notation":
        raise NotSimulated("nerdctl --verify=notation")
    if kind != "cosign":
        raise NerdctlError(f"no verifier found: {kind}")
    ref = references.normalise(name)
    try:
        build = registry.resolve(session.world, session.host, ref)
    except registry.ResolveError as failed:
        human.logrus(session.inv, "error", f"unable to resolve digest for an image {name}: {failed}")
        raise NerdctlError(str(failed)) from None
    key = session.flag("cosign-key")
    if not key and not session.flag("cosign-certificate-identity"):
        raise NerdctlError(
            "--cosign-certificate-identity or --cosign-certificate-identity-regexp is required for Cosign verification in keyless mode"
        )
    yield from _cosign(session, ["verify", "--key", key, f"{name}@{build.digest('index')}"])


def _cosign(session: Session, words: list[str]) -> Generator[Wait, Any, None]:
    if not any(session.inv.host.fs.exists(f"{folder}/cosign") for folder in ("/usr/local/bin", "/usr/bin")):
        human.logrus(session.inv, "error", "cosign executable not found in path $PATH")
        human.logrus(
            session.inv, "info", "you might consider installing cosign from: https://docs.sigstore.dev/cosign/installation"
        )
        raise NerdctlError('exec: "cosign": executable file not found in $PATH')
    code, out, err = yield from session.inv.capture(["cosign", *words])
    for line in (out + err).decode(errors="replace").splitlines():
        human.logrus(session.inv, "info", "cosign: " + line)
    if code:
        raise NerdctlError(f"exit status {code}")


def push(session: Session) -> Generator[Wait, Any, int]:
    """`nerdctl push`."""
    session.connect()
    word = session.args[0]
    if word.startswith("ipfs://"):
        return (yield from to_ipfs(session, word.removeprefix("ipfs://")))
    name = images.reference(word).name
    ref = references.normalise(name)
    image = session.images.get(name)
    if image is None:
        raise NerdctlError(
            f'failed to create a tmp single-platform image "{name}-tmp-reduced-platform": image "{name}": not found'
        )
    build = session.build(image)
    if session.on("estargz"):
        build = variant(session, build, form="estargz", scale=1.04)
    quiet = session.on("quiet")
    if not quiet:
        human.logrus(session.inv, "info", f"pushing as a reduced-platform image ({build.media_type}, {build.digest('index')})")
    yield Sleep(400 * MS)
    try:
        registry.push(session.world, session.host, ref, build, session.login(ref.domain))
    except registry.ResolveError as failed:
        raise NerdctlError(
            f"push access denied, repository does not exist or may require authorization: {failed}"
            if failed.code == "denied"
            else str(failed)
        ) from None
    parts = [
        ("index" if not build.made else "manifest", build.digest("index")),
        *(("layer", build.digest(f"layer/{n}")) for n in range(len(build.layers))),
        ("config", build.digest("config")),
    ]
    if not quiet:
        bar = "|\x1b[32m++++++++++++++++++++++++++++++++++++++\x1b[0m|"
        for kind, digest in parts:
            session.inv.out(f"{kind}-{digest}: done           {bar} \n")
        session.inv.out(
            f"elapsed: {(400 * MS) / SECOND:<4.1f}s                           total:  {human.binary(build.size)[:6]}  ({human.binary(build.size)}/s)\n"
        )
    sign = session.flag("sign") or "none"
    if sign == "cosign":
        words = [
            "sign",
            *(["--key", session.flag("cosign-key")] if session.flag("cosign-key") else []),
            "--yes",
            f"{name}@{build.digest('index')}",
        ]
        yield from _cosign(session, words)
    elif sign != "none":
        raise NotSimulated(f"nerdctl push --sign={sign}")
    return 0


# -- IPFS -------------------------------------------------------------------------------------------------------------------
def cid_of(build: Build) -> str:
    """The content identifier (CIDv1, raw) of an image on IPFS."""
    digest = hashlib.sha256(build.digest("index").encode()).digest()
    return "bafkrei" + base64.b32encode(digest).decode().lower().rstrip("=")[:52]


def _daemon(session: Session) -> None:
    if not network(session.world).namespaces[session.host].listeners.get("5001/tcp"):
        raise NerdctlError(
            'failed to connect to ipfs API: Post "http://127.0.0.1:5001/api/v0/add": dial tcp 127.0.0.1:5001: connect: connection refused'
        )


def to_ipfs(session: Session, word: str) -> Generator[Wait, Any, int]:
    """`nerdctl push ipfs://IMAGE`: add the image to this host's IPFS node; prints its CID."""
    image = _source(session, word)
    _daemon(session)
    build = session.build(image)
    if session.on("estargz"):
        build = variant(session, build, form="estargz", scale=1.04)
    human.logrus(session.inv, "info", f'pushing image "{image.name}" to IPFS')
    human.logrus(session.inv, "info", "ensuring image contents")
    yield Sleep(300 * MS + build.size * SECOND // 200_000_000)
    cid = cid_of(build)
    known: dict[str, str] = session.world.section("hub", dict)
    holders = known.get(f"ipfs/{cid}", build.name + "@").rpartition("@")[2].split(",")
    known[f"ipfs/{cid}"] = build.name + "@" + ",".join(sorted({h for h in [*holders, session.host] if h}))
    session.inv.out(cid + "\n")
    return 0


def from_ipfs(session: Session, word: str, *, quiet: bool) -> Generator[Wait, Any, Image]:
    """Get an image from the IPFS nodes that hold it; this node holds it afterwards."""
    cid = word.partition("://")[2]
    _daemon(session)
    known: dict[str, str] = session.world.sections.get("hub", {})
    name, _, holders = known.get(f"ipfs/{cid}", "@").rpartition("@")
    spaces = network(session.world).namespaces
    peers = [h for h in holders.split(",") if h and h in hosts(session.world) and spaces[h].listeners.get("5001/tcp")]
    if not name or not peers:
        yield Sleep(60 * SECOND)
        raise NerdctlError(f'failed to get image with ipfs CID "{cid}": context deadline exceeded')
    build = stored.find(session.world, name)
    local = session.host in peers
    yield Sleep(
        200 * MS + (0 if local else build.size * SECOND // (60_000_000 * len(peers))) + build.size * SECOND // containerd.UNPACK
    )
    name = references.normalise(cid).name
    _name(session, name, build)
    image = session.images[name]
    if not quiet:
        session.inv.out(f"{cid}: resolved       |\x1b[32m++++++++++++++++++++++++++++++++++++++\x1b[0m| \n")
    everyone: dict[str, str] = session.world.section("hub", dict)
    everyone[f"ipfs/{cid}"] = build.name + "@" + ",".join(sorted({*peers, session.host}))
    return image


def ipfs_registry(session: Session) -> int:
    """`nerdctl ipfs registry serve`."""
    raise NotSimulated("nerdctl ipfs registry serve")


# -- BuildKit ---------------------------------------------------------------------------------------------------------------
def build(session: Session) -> Steps:
    """`nerdctl build`: BuildKit has to run, Docker's engine would have it built in."""
    if len(session.args) != 1:
        raise NerdctlError("context needs to be specified")
    session.connect()
    running = processes.by_program(session.world, session.host, "buildkitd")
    if not running:
        sockets = ["unix:///run/buildkit-default/buildkitd.sock", "unix:///run/buildkit/buildkitd.sock"]
        if session.space != "default":
            sockets[0] = f"unix:///run/buildkit-{session.space}/buildkitd.sock"
        installed = session.inv.host.fs.exists("/usr/local/bin/buildctl")
        why = "exit status 1" if installed else 'exec: "buildctl": executable file not found in $PATH'
        rows = "\n".join(f"failed to ping to host {socket}: {why}" for socket in sockets)
        if session.inv.stdout_tty:
            human.logrus(session.inv, "error", f'{_HINT}  error="{rows}"')
        else:
            human.logrus(session.inv, "error", _HINT)
        raise NerdctlError(f"no buildkit host is available, tried 2 candidates: {rows}")
    code = yield from builds.build(session)
    for tag in session.items("tag"):
        name = references.normalise(tag).name
        session.inv.out(f"Loaded image: {name}\n")
    return code


__all__ = ["build", "convert", "core", "create", "decrypt", "encrypt", "ipfs_registry", "pull", "push", "run"]
