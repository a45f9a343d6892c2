"""One invocation of nerdctl: the connection, the namespace, finding containers, tables and errors (`pkg/clientutil`, `pkg/idutil`)."""

from __future__ import annotations

from ...host.program import Invocation
from ...kernel.errors import ConnectError, NotSimulated
from ...runtime import containerd
from ...runtime.state import Container, Namespace, runtime
from ...runtime.state import namespace as make_namespace
from .. import tabwriter
from ..flags import Values

VERSION = "2.2.1"
DATA = "/var/lib/nerdctl/1935db59"


class NerdctlError(Exception):
    """What nerdctl logs as fatal before it ends with status 1 (or `code`)."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class Session:
    """A parsed command line with its surroundings."""

    def __init__(self, inv: Invocation, values: Values) -> None:
        self.inv, self.values = inv, values
        self.world, self.host = inv.world, inv.host.name
        self.space = values.text("namespace") or inv.env.get("CONTAINERD_NAMESPACE", "default")
        if "namespace" not in values.changed and inv.env.get("CONTAINERD_NAMESPACE"):
            self.space = inv.env["CONTAINERD_NAMESPACE"]

    @property
    def args(self) -> list[str]:
        """Positional arguments."""
        return self.values.args

    def connect(self) -> None:
        """Dial containerd; raises NerdctlError as nerdctl words it, and NotSimulated for what containerd here has not."""
        snapshotter = self.values.text("snapshotter")
        if snapshotter != "overlayfs":
            raise NotSimulated(f"nerdctl --snapshotter {snapshotter}")
        if self.values.has("verify") and self.values.text("verify") != "none":
            raise NotSimulated(f"nerdctl --verify {self.values.text('verify')}")
        address = self.values.text("address").removeprefix("unix://")
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

    def table(self, rows: list[list[str]]) -> None:
        """Print rows as `tabwriter.NewWriter(w, 4, 8, 4, ' ', 0)` does."""
        text = "".join("\t".join(row) + "\n" for row in rows)
        self.inv.out(tabwriter.align(text, minwidth=4, tabwidth=8, padding=4))
