"""One invocation of docker: the daemon's socket, and who may use it (docker/cli `cli/command`, moby `client`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...host.invocation import Call
from ...host.program import Invocation
from ...kernel.errors import ConnectError
from ...runtime.engine import core, dockerd
from ...runtime.state import Container, Image
from ..engine import contexts, formats, inspecting, listing, registrycmds
from ..engine.session import CliError, EngineSession
from ..flags import Values
from . import checks

SOCKET = "/var/run/docker.sock"


class Session(EngineSession):
    """docker's own session: the engine's namespace is `moby`."""

    docker = True
    tool = "docker"

    def __init__(self, inv: Invocation, values: Values, api: str = "containers/json") -> None:
        super().__init__(inv, values, core.MOBY)
        self.api = api

    def check_run(self) -> None:
        """docker's own checks of the flags of `run`."""
        checks.run_flags(self)

    def context_name(self) -> str:
        """The context in use."""
        named = self.flag("context") if self.values.has("context") else ""
        return (
            named
            or self.inv.env.get("DOCKER_CONTEXT", "")
            or str(registrycmds.client_config(self).get("currentContext") or "default")
        )

    def endpoint(self) -> str:
        """Where the daemon is looked for."""
        given = (self.items("host") or [""])[0] if self.values.has("host") and self.values.declared("host").short == "H" else ""
        if given or self.inv.env.get("DOCKER_HOST"):
            return given or self.inv.env["DOCKER_HOST"]
        name = self.context_name()
        known = contexts.contexts(self)
        if name not in known:
            raise CliError(f'context "{name}": context not found')
        return known[name]["Endpoint"]

    def connect(self) -> None:
        """Ping the daemon."""
        endpoint = self.endpoint()
        if endpoint not in ("unix:///var/run/docker.sock", "unix:///run/docker.sock"):
            if endpoint.startswith(("tcp://", "ssh://")):
                raise CliError(f"Cannot connect to the Docker daemon at {endpoint}. Is the docker daemon running?")
            raise CliError(f"Cannot connect to the Docker daemon at {endpoint}. Is the docker daemon running?")
        call: Any = self.inv
        node = self.inv.host.fs.lookup(dockerd.SOCKET) if self.inv.host.fs.exists(dockerd.SOCKET) else None
        if node is not None and isinstance(call, Call) and call.proc.user != "root" and not in_group(call, "docker"):
            raise CliError(
                f"permission denied while trying to connect to the Docker daemon socket at unix://{SOCKET}: "
                f'Get "http://%2Fvar%2Frun%2Fdocker.sock/v{dockerd.API_VERSION}/{self.api}": dial unix {SOCKET}: connect: permission denied'
            )
        try:
            dockerd.connect(self.world, self.host)
        except ConnectError:
            raise CliError(f"Cannot connect to the Docker daemon at unix://{SOCKET}. Is the docker daemon running?") from None

    def like(self, values: Values) -> Session:
        """The same surroundings with another command line."""
        return Session(self.inv, values, self.api)

    def login(self, domain: str) -> str:
        """Who is logged in to a registry."""
        return registrycmds.login_name(self, domain)

    def inspect_container(self, container: Container) -> dict[str, Any]:
        """A container as `inspect` shows it."""
        return inspecting.container(self, container)

    def inspect_image(self, image: Image) -> dict[str, Any]:
        """An image as `inspect` shows it."""
        return inspecting.image(self, image)

    def status(self, container: Container) -> str:
        """A container's status in lists."""
        return listing.status(self, container)

    def table(self, rows: Sequence[Sequence[str]], minwidth: int = 10) -> str:
        """Aligned rows."""
        return formats.table(rows, minwidth=minwidth)


def in_group(call: Call, group: str) -> bool:
    """Whether the caller's user is a member of a group of the host."""
    try:
        lines = call.host.fs.read("/etc/group").decode().splitlines()
    except OSError:
        return False
    for line in lines:
        name, _, rest = line.partition(":")
        if name == group:
            return call.proc.user in rest.rpartition(":")[2].split(",")
    return False
