"""One invocation of nerdctl: the connection, the namespace, finding containers, tables and errors (`pkg/clientutil`, `pkg/idutil`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...host.program import Invocation
from ...kernel.errors import ConnectError, NotSimulated
from ...runtime import containerd
from ...runtime.engine import core
from ...runtime.engine.core import EngineError
from ...runtime.state import Container, Image, Namespace, runtime
from ...runtime.state import namespace as make_namespace
from .. import human, tabwriter
from ..engine import registrycmds
from ..engine.session import EngineSession
from ..flags import Values

VERSION = "2.2.1"
DATA = core.NERDCTL


class NerdctlError(EngineError):
    """What nerdctl logs as fatal before it ends with status 1 (or `code`)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Session(EngineSession):
    """A parsed command line with its surroundings; the engine's namespace is containerd's."""

    docker = False
    tool = "nerdctl"

    def __init__(self, inv: Invocation, values: Values) -> None:
        space = values.text("namespace") or inv.env.get("CONTAINERD_NAMESPACE", "default")
        if "namespace" not in values.changed and inv.env.get("CONTAINERD_NAMESPACE"):
            space = inv.env["CONTAINERD_NAMESPACE"]
        super().__init__(inv, values, space)

    def like(self, values: Values) -> Session:
        """The same surroundings with another command line."""
        copy = Session.__new__(Session)
        EngineSession.__init__(copy, self.inv, values, self.space)
        return copy

    def connect(self) -> None:
        """Dial containerd; raises NerdctlError as nerdctl words it, and NotSimulated for what containerd here has not."""
        snapshotter = self.flag("snapshotter") or "overlayfs"
        if snapshotter not in ("overlayfs", "stargz", "native"):
            raise NotSimulated(f"nerdctl --snapshotter {snapshotter}")
        address = (self.flag("address") or containerd.SOCKET).removeprefix("unix://")
        call: Any = self.inv
        if call.proc.user != "root" and self.inv.host.fs.exists(containerd.SOCKET):
            raise NerdctlError(
                f"rootless containerd not running? (hint: use `containerd-rootless-setuptool.sh install` to start rootless containerd): "
                f"stat /run/user/{call.uid}/containerd-rootless: no such file or directory"
            )
        try:
            containerd.connect(self.world, self.host)
            if address not in (containerd.SOCKET, "/var" + containerd.SOCKET):
                raise ConnectError("refused", address, "no such file or directory")
        except ConnectError as failed:
            if failed.detail == "no such file or directory":
                raise NerdctlError(f'cannot access containerd socket "{address}": {failed.detail}') from None
            raise NerdctlError(
                f'failed to dial "{address}": connection error: desc = "transport: error while dialing: dial unix {address}: connect: {failed.detail}"'
            ) from None

    def namespace(self, *, make: bool = False) -> Namespace:
        """What is in the namespace."""
        if make:
            return make_namespace(self.world, self.host, self.space)
        return runtime(self.world, self.host).namespaces.get(self.space) or Namespace()

    def names(self, container: Container) -> str:
        """The name that `ps` shows."""
        if container.sandbox:
            labels = container.labels
            return f"k8s://{labels.get('io.kubernetes.pod.namespace', '')}/{labels.get('io.kubernetes.pod.name', '')}/{container.name}"
        return container.name

    def find(self, word: str) -> Container:
        """A container by name, id or id prefix; raises NerdctlError."""
        space = self.namespace().containers
        found = [c for c in space.values() if c.name == word and not c.sandbox] or [
            c for key, c in sorted(space.items()) if key.startswith(word)
        ]
        if len(found) > 1:
            raise NerdctlError(f"multiple IDs found with provided prefix: {word}")
        if not found:
            raise NerdctlError(f"no such container: {word}")
        return found[0]

    def login(self, domain: str) -> str:
        """Who is logged in to a registry (nerdctl keeps Docker's file)."""
        return registrycmds.login_name(self, domain)

    def inspect_container(self, container: Container) -> dict[str, Any]:
        """A container as `inspect` shows it."""
        from . import listing

        return listing.inspect_container(self, container)

    def inspect_image(self, image: Image) -> dict[str, Any]:
        """An image as `inspect` shows it."""
        from . import images

        return images.inspect_one(self, image)

    def status(self, container: Container) -> str:
        """A container's status in lists."""
        from . import listing

        return listing.status(self, container)

    def table(self, rows: Sequence[Sequence[str]], minwidth: int = 4) -> str:
        """Rows as `tabwriter.NewWriter(w, 4, 8, 4, ' ', 0)` aligns them."""
        return tabwriter.align("".join("\t".join(row) + "\n" for row in rows), minwidth=4, tabwidth=8, padding=4)

    def show(self, rows: Sequence[Sequence[str]]) -> None:
        """Print rows."""
        self.inv.out(self.table(rows))

    def print_error(self, text: str) -> None:
        """One of several failures."""
        human.logrus(self.inv, "error", text)

    def failed(self, failures: list[str]) -> int:
        """The failures of a command on several objects."""
        if not failures:
            return 0
        if len(self.args) > 1:
            for text in failures:
                self.print_error(text)
        raise NerdctlError(f"{len(failures)} errors:\n" + "\n".join(failures))
