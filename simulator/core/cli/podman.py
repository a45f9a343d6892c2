"""podman: Docker's commands on an engine of its own (containers, images and networks apart from Docker's), without a daemon.

The tree of commands and flags is docker's (`cli/docker`); names are written in full as podman writes them (`localhost/app:latest`,
`docker.io/library/nginx:latest`), pulls, builds, archives and errors are its own (podman 4.9: `cmd/podman`, `libimage`).  Pods,
`play kube`, `generate` and what else Docker has not says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from types import GeneratorType
from typing import Any

from ..host.program import Invocation
from ..kernel.errors import BadInput, ConnectError, NotSimulated
from ..runtime import containerd, references
from ..runtime.engine.core import EngineError
from ..runtime.engine.creation import BadSpec
from ..runtime.state import Image
from .cobra import Command, UsageError
from .docker.main import find_command
from .docker.session import Session
from .engine import builds, formats, imagecmds, listing, pulling
from .engine.session import CliError, Steps
from .flags import FlagError, HelpRequested, Values

VERSION = "4.9.3"
SPACE = "podman"
_ABSENT = frozenset(
    "auto-update farm generate healthcheck init kube machine manifest mount pod play secret systemd system unmount unshare untag compose".split()
)
_FOREIGN = frozenset("swarm service node stack config buildx builder context plugin trust checkpoint scout".split())
#: Flags that podman has and Docker has not, and that change nothing here: with a value of their own, and without.
_VALUED = frozenset(
    (
        "--format",
        "--authfile",
        "--creds",
        "--cert-dir",
        "--isolation",
        "--log-level",
        "--root",
        "--storage-driver",
        "--cgroup-manager",
    )
)
_BARE = frozenset(
    ("--layers", "--squash-all", "--replace", "--noheading", "--compress", "--remove-signatures", "--events-backend")
)


class Podman(Session):
    """podman's session."""

    tool = "podman"

    def __init__(self, inv: Invocation, values: Values) -> None:
        super().__init__(inv, values, "")
        self.space = SPACE

    def connect(self) -> None:
        """There is no daemon; what runs containers on this machine has to be there all the same."""
        try:
            containerd.connect(self.world, self.host)
        except ConnectError:
            raise NotSimulated("podman on a machine without containerd") from None

    def like(self, values: Values) -> Podman:
        """The same surroundings with another command line."""
        return Podman(self.inv, values)

    def print_error(self, text: str) -> None:
        """One of several failures."""
        self.inv.err(f"Error: {text}\n")

    def familiar(self, name: str) -> str:
        """Names are shown in full."""
        return name

    def image(self, word: str) -> Image | None:
        """A local image: a short name is first one of this machine (`localhost/…`)."""
        return super().image(local(word)) or super().image(word)

    def needs_image(self, word: str) -> Image:
        """A local image, or podman's refusal."""
        found = self.image(word)
        if found is None:
            raise EngineError(f"{word}: image not known", 404)
        return found


def local(word: str) -> str:
    """A short name as one of this machine: `app` → `localhost/app`; others as they are."""
    first = word.partition("/")[0]
    full = "/" in word and ("." in first or ":" in first or first == "localhost")
    return word if full or re.fullmatch(r"(?:sha256:)?[0-9a-f]{12,64}", word) else f"localhost/{word}"


def main(inv: Invocation) -> Generator[Any, Any, int]:
    """The command `podman`."""
    words = list(inv.argv[1:])
    try:
        if words[:1] in (["--version"], ["-v"], ["version"]):
            inv.out(
                f"podman version {VERSION}\n"
                if words[0] != "version"
                else f"Client:       Podman Engine\nVersion:      {VERSION}\nAPI Version:  {VERSION}\nGo Version:   go1.22.2\nOS/Arch:      linux/amd64\n"
            )
            return 0
        words, form = _own_flags(words)
        name = next((word for word in words if not word.startswith("-")), "")
        if name in _ABSENT:
            raise NotSimulated(f"podman {name}")
        from .docker.tree import ROOT

        if not name or name in _FOREIGN or ROOT.child(name) is None:
            if not name:
                inv.out("Manage pods, containers and images\n\nUsage:\n  podman [options] [command]\n")
                return 0 if words else 125
            raise CliError(f"unrecognized command `podman {name}`\nTry 'podman --help' for more information", 125)
        leading = ROOT.persistent.parse(words, interspersed=False)
        command, rest = find_command(ROOT, leading.args, leading)
        values = command.parse(rest)
        if command.run is None:
            raise CliError(f"missing command '{command.path.replace('docker', 'podman')} COMMAND'", 125)
        command.validate(values)
        return (yield from _run(Podman(inv, values), command, form))
    except HelpRequested:
        inv.out("Manage pods, containers and images\n\nUsage:\n  podman [options] [command]\n")
        return 0
    except NotSimulated as failed:
        inv.err(f"podman: {failed}\n" if "podman" not in str(failed) else f"{failed}\n")
        return 1
    except (CliError, EngineError, FlagError, UsageError, BadSpec, BadInput) as failed:
        text = re.sub(r"^(?:Error response from daemon: |ERROR: failed to build: failed to solve: |Error: )+", "", str(failed))
        inv.err(f"Error: {text}\n")
        low = text.lower()
        return 127 if "executable file not found" in low else 126 if "permission denied" in low and "exec" in low else 125


def _own_flags(words: list[str]) -> tuple[list[str], str]:
    """Words without the flags that only podman has, and the archive's format (`save --format`)."""
    out: list[str] = []
    form, at = "", 0
    saves = "save" in words[:2] or "push" in words[:2] or "build" in words[:2]
    while at < len(words):
        key, equals, value = words[at].partition("=")
        at += 1
        if key in ("--tls-verify", *_BARE):
            continue
        if key in _VALUED and (key != "--format" or saves):
            if not equals and at < len(words):
                value, at = words[at], at + 1
            form = value if key == "--format" else form
            continue
        out.append(words[at - 1])
    return out, form


def _run(session: Podman, command: Command, form: str) -> Steps:
    name, args = command.name, session.values.args
    path = command.path.removeprefix("docker ")
    if path in ("run", "create", "container run", "container create"):
        image = session.image(args[0])
        if image is None or session.flag("pull") == "always":
            image = yield from _pull(session, args[0])
        args[0] = image.name
    elif name == "tag":
        args[:] = [session.needs_image(args[0]).name, local(args[1])]
    elif name in ("push", "history", "save") or path == "image inspect":
        args[:] = [one.name if (one := session.image(word)) is not None else word for word in args]
    elif name in ("rmi",) or path == "image rm":
        args[:] = [
            one.name if (one := session.image(word)) is not None and not one.image_id[7:].startswith(word) else word
            for word in args
        ]
    own: dict[str, Callable[[Podman], int | Steps]] = {
        "pull": _pulled, "image pull": _pulled, "build": _build, "image build": _build, "images": _images, "image ls": _images, "ps": _ps,
        "container ls": _ps, "info": _info,
    }  # fmt: skip
    if name == "save":
        if form not in ("", "docker-archive", "oci-archive"):
            raise NotSimulated(f"podman save --format {form}")
        session.docker = form != "oci-archive"
    result: Any = own[path](session) if path in own else command.run(session) if command.run is not None else 0
    if isinstance(result, GeneratorType):
        result = yield from result
    return int(result or 0)


def _pull(session: Podman, word: str) -> Generator[Any, Any, Image]:
    session.connect()
    name = references.normalise(word).name
    session.inv.err(f"Trying to pull {name}...\n")
    try:
        image = yield from pulling.fetch(session, name, quiet=True, show=session.inv.err)
    except EngineError as failed:
        repository, _, tag = name.rpartition(":")
        why = "requested access to the resource is denied" if "access denied" in str(failed) else str(failed)
        raise EngineError(f"initializing source docker://{name}: reading manifest {tag} in {repository}: {why}") from None
    build = session.build(image)
    rows = "".join(f"Copying blob {build.digest(f'layer{n}')[:19].removeprefix('sha256:')} done   | \n" for n in range(1))
    session.inv.err(
        f"Getting image source signatures\n{rows}Copying config {image.image_id[7:17]} done   | \nWriting manifest to image destination\n"
    )
    return image


def _pulled(session: Podman) -> Steps:
    image = session.image(session.args[0]) if local(session.args[0]) in session.images else None
    image = image or (yield from _pull(session, session.args[0]))
    session.inv.out(image.image_id[7:] + "\n")
    return 0


def _build(session: Podman) -> Steps:
    """STEP lines, then what was made; the instructions' own output is not shown."""
    inv: Any = session.inv
    tags = [local(tag) for tag in session.items("tag")]
    session.values.assign("tag", tags)
    if not session.args:
        session.values.args.append(".")
    file = session.flag("file")
    at = file or next(
        (
            f"{session.args[0].rstrip('/')}/{n}"
            for n in ("Containerfile", "Dockerfile")
            if inv.exists(f"{session.args[0].rstrip('/')}/{n}")
        ),
        "",
    )
    if not at or not inv.exists(at):
        raise CliError(
            f"no Containerfile or Dockerfile specified or found in context directory, {inv.path(session.args[0])}: no such file or directory"
            if not file
            else f"the specified Containerfile or Dockerfile does not exist, {inv.path(file)}: no such file or directory",
            125,
        )
    session.values.assign("file", at)
    text = re.sub(r"\\\n\s*", "", inv.read_file(at).decode("utf-8", "replace"))
    steps = [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if not session.on("quiet"):
        inv.out("".join(f"STEP {n}/{len(steps)}: {step}\n" for n, step in enumerate(steps, 1)))
    wanted = session.on("quiet")
    session.values.assign("quiet", True)
    said: list[str] = []
    out, inv.out = inv.out, lambda text: said.append(text if isinstance(text, str) else text.decode())
    try:
        code = yield from builds.build(session)
    finally:
        inv.out = out
    ident = "".join(said).strip().removeprefix("sha256:")
    names = [references.normalise(tag).name for tag in tags]
    if not wanted:
        inv.out(
            (f"COMMIT {names[0]}\n" if names else "COMMIT\n")
            + f"--> {ident[:12]}\n"
            + "".join(f"Successfully tagged {name}\n" for name in names)
        )
    inv.out(f"{ident}\n")
    return code


def _images(session: Podman) -> int:
    session.connect()
    found = [
        one
        for one in session.images.values()
        if not session.args
        or one is session.image(session.args[0])
        or one.name.rpartition(":")[0]
        in (local(session.args[0]), references.normalise(session.args[0], default_tag=False).repository)
    ]
    rows = []
    for one in sorted(imagecmds._filtered(session, found), key=lambda i: (-pulling.created(session, session.build(i)), i.name)):
        row = imagecmds.row(session, one, full=session.on("no-trunc"))
        if not imagecmds.dangling(one):
            row["Repository"] = one.name.rpartition(":")[0]
        row["Size"] = re.sub(r"(?<=\d)(?=[kMGTB])", " ", row["Size"])
        rows.append(row | {"Created": row["CreatedSince"], "Id": row["ID"]})
    columns = ["Repository", "Tag", *(["Digest"] if session.on("digests") else []), "ID", "CreatedSince", "Size"]
    session.inv.out(
        formats.listing(session.flag("format"), imagecmds.HEADER, columns, rows, quiet="ID" if session.on("quiet") else "")
    )
    return 0


def _ps(session: Podman) -> int | Steps:
    return listing.ps(session)


def _info(session: Podman) -> int:
    raise NotSimulated("podman info")
