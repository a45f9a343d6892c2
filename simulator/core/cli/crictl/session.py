"""One invocation of crictl: its configuration, the connection to the runtime, and how it prints errors (`cmd/crictl/{main,crictl_config}.go`)."""

from __future__ import annotations

import posixpath
from typing import Any

import yaml

from ...host.program import Invocation
from ...kernel.clock import to_datetime
from ...kernel.errors import ConnectError
from ...runtime import containerd, shims
from ...runtime.state import Container, Sandbox, runtime
from .. import human, tabwriter
from ..flags import quote
from ..urfave import Context

DEFAULT_ENDPOINTS = ("unix:///run/containerd/containerd.sock", "unix:///run/crio/crio.sock", "unix:///var/run/cri-dockerd.sock")
CONFIG_KEYS: tuple[tuple[str, Any], ...] = (
    ("runtime-endpoint", ""),
    ("image-endpoint", ""),
    ("timeout", 0),
    ("debug", False),
    ("pull-image-on-create", False),
    ("disable-pull-on-run", False),
    ("max-retries", 3),
)


class CrictlError(Exception):
    """What crictl logs before it ends with status 1."""


class Session:
    """A parsed command line with its surroundings."""

    def __init__(self, inv: Invocation, context: Context) -> None:
        self.inv, self.context = inv, context
        self.world, self.host = inv.world, inv.host.name
        self.config: dict[str, Any] = {}
        path = str(context.globals["config"])
        beside = "/usr/bin/crictl.yaml"
        if not inv.host.fs.exists(posixpath.join(inv.cwd, path)):
            human.logrus(inv, "warning", f'Config "{path}" does not exist, trying next: "{beside}"')
            if not inv.host.fs.exists(beside):
                if "config" in context.given and context.path.split(" ")[1:2] != ["config"]:
                    raise CrictlError(f"get server config: load config file: stat {beside}: no such file or directory")
                return
            path = beside
        try:
            loaded = yaml.load(inv.read_file(path)[:100_000], Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
            self.config = loaded if isinstance(loaded, dict) else {}
        except OSError as failed:
            if "config" in context.given and context.path.split(" ")[1:2] != ["config"]:
                raise CrictlError(
                    f"get server config: load config file: open {path}: {(failed.strerror or '').lower()}"
                ) from None
        except yaml.YAMLError as failed:
            raise CrictlError(f"get server config: load config file: yaml: {failed}".splitlines()[0]) from None

    @property
    def args(self) -> list[str]:
        """Positional arguments."""
        return self.context.args

    def flag(self, name: str) -> Any:
        """A flag of the command."""
        return self.context.values[name]

    def _endpoint(self, key: str) -> str:
        if key in self.context.given:
            return str(self.context.globals[key])
        return str(self.config.get(key) or self.context.globals.get(key) or "")

    def runtime(self, kind: str = "runtime") -> None:
        """Connect to the runtime or image service; raises CrictlError as the probing of endpoints does."""
        endpoint = self._endpoint("image-endpoint") if kind == "image" else ""
        endpoint = endpoint or self._endpoint("runtime-endpoint")
        if endpoint:
            self._dial(endpoint, kind)
            return
        title = "runtime" if kind == "runtime" else "Image"
        human.logrus(
            self.inv, "warning",
            f"{title} connect using default endpoints: [{' '.join(DEFAULT_ENDPOINTS)}]. "
            "As the default settings are now deprecated, you should set the endpoint instead.",
        )  # fmt: skip
        last: CrictlError | None = None
        for candidate in DEFAULT_ENDPOINTS:
            try:
                self._dial(candidate, kind)
                return
            except CrictlError as failed:
                human.logrus(self.inv, "error", str(failed))
                last = failed
        assert last is not None
        raise last

    def _dial(self, endpoint: str, kind: str) -> None:
        path = endpoint.removeprefix("unix://")
        detail = ""
        call: Any = self.inv
        if call.proc.user != "root" and self.inv.host.fs.exists(path):
            detail = "permission denied"
        elif path == containerd.SOCKET:
            try:
                containerd.connect(self.world, self.host)
            except ConnectError as failed:
                detail = failed.detail
        elif path.replace("/var/run/", "/run/", 1) in shims.SOCKETS.values() and runtime(self.world, self.host).shim:
            shim = runtime(self.world, self.host).shim
            if shims.SOCKETS[shim] != path.replace("/var/run/", "/run/", 1):
                detail = "no such file or directory"
            else:
                try:
                    shims.connect(self.world, self.host)
                except ConnectError as failed:
                    detail = failed.detail
        else:
            detail = "connection refused" if self.inv.host.fs.exists(path) else "no such file or directory"
        if not detail and path == containerd.SOCKET and "cri" in containerd.disabled_plugins(self.world, self.host):
            raise CrictlError(
                f'validate service connection: validate CRI v1 {kind} API for endpoint "{endpoint}": rpc error: code = Unimplemented '
                f"desc = unknown service runtime.v1.{'RuntimeService' if kind == 'runtime' else 'ImageService'}"
            )
        if detail:
            raise CrictlError(
                f'validate service connection: validate CRI v1 {kind} API for endpoint "{endpoint}": rpc error: code = Unavailable '
                f'desc = connection error: desc = "transport: Error while dialing: dial unix {path}: connect: {detail}"'
            )

    def sandbox_of(self, container: Container | None) -> Sandbox | None:
        """The pod sandbox of a container."""
        return runtime(self.world, self.host).sandboxes.get(container.sandbox) if container is not None else None

    def rpc_failed(self, call: str, error: object, **fields: str) -> None:
        """The klog line that the CRI client writes before crictl reports the error itself (`k8s.io/cri-client/pkg`)."""
        stamp = to_datetime(self.world.wall).strftime("%m%d %H:%M:%S.%f")
        extra = "".join(f" {key}={quote(value)}" for key, value in fields.items())
        self.inv.err(f'E{stamp} {self.inv.proc.pid:7d} log.go:32] "{call} failed" err={quote(str(error))}{extra}\n')

    def table(self, rows: list[list[str]]) -> None:
        """Print rows as crictl's display does: `tabwriter.NewWriter(os.Stdout, 20, 1, 3, ' ', 0)`."""
        text = "".join("\t".join(row) + "\n" for row in rows)
        self.inv.out(tabwriter.align(text, minwidth=20, tabwidth=1, padding=3))
