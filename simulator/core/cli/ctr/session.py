"""One invocation of ctr: the connection, the namespace, tables and errors (`cmd/ctr/commands/client.go`)."""

from __future__ import annotations

from typing import Any

from ...host.program import Invocation
from ...kernel.clock import rfc3339
from ...kernel.errors import ConnectError
from ...runtime import containerd, shims
from ...runtime.state import Container, Image, Namespace, runtime
from .. import tabwriter
from ..urfave import Context


class ShowHelp(Exception):
    """The command shows its own help (`cli.ShowSubcommandHelp`) and ends with 0."""


class CtrError(Exception):
    """What ctr prints after `ctr: ` before it ends with status 1."""


class Session:
    """A parsed command line with its surroundings."""

    def __init__(self, inv: Invocation, context: Context) -> None:
        self.inv, self.context = inv, context
        self.world, self.host = inv.world, inv.host.name
        self.space = str(context.globals["namespace"])

    @property
    def args(self) -> list[str]:
        """Positional arguments."""
        return self.context.args

    def flag(self, name: str) -> Any:
        """A flag of the command."""
        return self.context.values[name]

    def connect(self) -> None:
        """Dial containerd; raises CtrError in containerd's words."""
        address = str(self.context.globals["address"])
        if address != containerd.SOCKET and not self.inv.host.fs.exists(address):
            raise CtrError(f"cannot access socket {address}: stat {address}: no such file or directory")
        if not self.space:
            raise CtrError("namespace is required: failed precondition")
        call: Any = self.inv
        if call.proc.user != "root" and self.inv.host.fs.exists(address):
            raise CtrError(
                f'failed to dial "{address}": connection error: desc = "transport: error while dialing: dial unix {address}: connect: permission denied"'
            )
        try:
            containerd.connect(self.world, self.host)
        except ConnectError as failed:
            if failed.detail == "no such file or directory":
                raise CtrError(f"cannot access socket {address}: stat {address}: no such file or directory") from None
            raise CtrError(
                f'failed to dial "{address}": context deadline exceeded: connection error: desc = "transport: error while dialing: dial unix {address}: connect: {failed.detail}"'
            ) from None

    def namespace(self) -> Namespace:
        """What is in the namespace; under dockershim and cri-dockerd pods' containers are in `moby`."""
        state = runtime(self.world, self.host)
        found = state.namespaces.get(self.space) or Namespace()
        if not state.shim:
            return found
        if self.space == "moby":
            return Namespace(
                found.images,
                {**found.containers, **shims.docker_view(self.world, self.host)},
                found.labels,
                found.snapshots,
                found.blobs,
            )
        return Namespace() if self.space == "k8s.io" else found

    def image(self, name: str) -> Image:
        """An image by its exact name."""
        found = self.namespace().images.get(name)
        if found is None:
            raise CtrError(f'image "{name}": not found')
        return found

    def container(self, ident: str) -> Container:
        """A container by its id."""
        found = self.namespace().containers.get(ident)
        if found is None:
            raise CtrError(f'container "{ident}" in namespace "{self.space}": not found')
        return found

    def table(self, rows: list[list[str]], *, minwidth: int = 4, padding: int = 4) -> None:
        """Print rows, each cell ended by a tab."""
        text = "".join("\t".join(row) + "\t\n" for row in rows)
        self.inv.out(tabwriter.align(text, minwidth=minwidth, tabwidth=8, padding=padding))

    def log(self, level: str, message: str, error: str = "") -> None:
        """A logrus line of containerd's log package."""
        if self.inv.stdout_tty:
            extra = f' error="{error}"' if error else ""
            self.inv.err(f"{level.upper()[:4]}[0000] {message} {extra}\n")
            return
        quoted = '"' + message.replace('"', '\\"') + '"'
        extra = ' error="' + error.replace('"', '\\"') + '"' if error else ""
        self.inv.err(f'time="{rfc3339(self.world.wall)}" level={level} msg={quoted}{extra}\n')
