"""What kube-controller-manager, kube-scheduler and kube-proxy share: flags, klog lines, files, health, leader election.

A component is a daemon that holds a `KubeClient`.  Its flags are parsed as pflag does (k8s.io/component-base/cli): an unknown
flag ends the process with `Error: unknown flag: --name` and exit status 1.  Leader election follows
client-go/tools/leaderelection: one Lease in kube-system, renewed every 2 s by one optimistic update; a leader that could not
renew for 10 s ends its process, and a follower takes a Lease over that nobody renewed for 15 s.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ..host import files, processes
from ..host.process import Process
from ..host.program import Exited
from ..kernel import clock
from ..kernel.errors import ConnectError
from ..kernel.http import Request, Response
from ..kernel.world import World
from .client import ApiError, KubeClient

# -- log lines -----------------------------------------------------------------------------------------------------------


def log(world: World, proc: Process, text: str) -> None:
    """Write raw lines to the process's sink."""
    processes.log(world, proc, text)


def klog(world: World, proc: Process, level: str, where: str, message: str, **fields: Any) -> None:
    """One structured klog line: `I1102 09:00:00.000000       1 file.go:12] "Message" key="value"`."""
    stamp = clock.to_datetime(world.wall).strftime("%m%d %H:%M:%S.%f")
    pid = 1 if proc.container else proc.pid
    extra = "".join(f" {key}={_quoted(value)}" for key, value in fields.items())
    log(world, proc, f'{level}{stamp} {pid:7d} {where}] "{message}"{extra}')


def _quoted(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{text}"'


def fail(world: World, proc: Process, where: str, error: str) -> Exited:
    """The end of a component whose command failed after logging was set up (component-base/cli/run.go)."""
    klog(world, proc, "E", where, "command failed", err=error)
    return Exited(1)


_DIAL = {
    "refused": "connect: connection refused",
    "timeout": "i/o timeout",
    "no-route": "connect: no route to host",
    "reset": "read: connection reset by peer",
}


def explain(error: Exception, client: KubeClient) -> str:
    """An error of the client as Go prints it: a Status's message, or what the dialler said."""
    if isinstance(error, ConnectError):
        return f'Get "{client.server}": dial tcp {error.address}: {_DIAL.get(error.kind, error.detail or error.kind)}'
    return str(error)


# -- flags ---------------------------------------------------------------------------------------------------------------

FlagSpec = dict[str, str]

#: Flags that every component takes (component-base/logs, featuregate, verflag); values are pflag's type names.
VERSION = "v1.36.2"

GLOBAL_FLAGS: FlagSpec = {
    "feature-gates": "mapStringBool",
    "emulated-version": "strings",
    "v": "int32",
    "vmodule": "string",
    "version": "bool",
    "logging-format": "string",
    "log-flush-frequency": "duration",
    "log-text-info-buffer-size": "string",
    "log-text-split-stream": "bool",
    "log-json-info-buffer-size": "string",
    "log-json-split-stream": "bool",
    "show-hidden-metrics-for-version": "string",
    "disabled-metrics": "strings",
    "allow-metric-labels": "string",
    "allow-metric-labels-manifest": "string",
    "profiling": "bool",
    "contention-profiling": "bool",
    "kube-api-qps": "float32",
    "kube-api-burst": "int32",
    "kube-api-content-type": "string",
    "kubeconfig": "string",
    "master": "string",
}

SERVING_FLAGS: FlagSpec = {
    "bind-address": "ip",
    "secure-port": "int",
    "cert-dir": "string",
    "tls-cert-file": "string",
    "tls-private-key-file": "string",
    "tls-cipher-suites": "strings",
    "tls-min-version": "string",
    "tls-sni-cert-key": "string",
    "http2-max-streams-per-connection": "int",
    "disable-http2-serving": "bool",
    "permit-address-sharing": "bool",
    "permit-port-sharing": "bool",
    "authentication-kubeconfig": "string",
    "authentication-skip-lookup": "bool",
    "authentication-token-webhook-cache-ttl": "duration",
    "authentication-tolerate-lookup-failure": "bool",
    "authorization-kubeconfig": "string",
    "authorization-always-allow-paths": "strings",
    "authorization-webhook-cache-authorized-ttl": "duration",
    "authorization-webhook-cache-unauthorized-ttl": "duration",
    "client-ca-file": "string",
    "requestheader-allowed-names": "strings",
    "requestheader-client-ca-file": "string",
    "requestheader-extra-headers-prefix": "strings",
    "requestheader-group-headers": "strings",
    "requestheader-uid-headers": "strings",
    "requestheader-username-headers": "strings",
}

LEADER_FLAGS: FlagSpec = {
    "leader-elect": "bool",
    "leader-elect-lease-duration": "duration",
    "leader-elect-renew-deadline": "duration",
    "leader-elect-retry-period": "duration",
    "leader-elect-resource-lock": "string",
    "leader-elect-resource-name": "string",
    "leader-elect-resource-namespace": "string",
}


class FlagError(Exception):
    """A command line that pflag refuses; the message is pflag's."""


_DURATION = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": clock.US, "µs": clock.US, "ms": clock.MS, "s": clock.SECOND, "m": clock.MINUTE, "h": clock.HOUR}


def parse_duration(text: str) -> int:
    """Nanoseconds of a Go duration (`1h2m3.5s`); raises ValueError with time.ParseDuration's message."""
    body = text[1:] if text[:1] in "+-" else text
    if body == "0":
        return 0
    found = _DURATION.findall(body)
    if not found or "".join(number + unit for number, unit in found) != body:
        missing = re.fullmatch(r"(\d+(?:\.\d*)?(ns|us|ms|s|m|h)?)*", body) and body
        raise ValueError(f'time: missing unit in duration "{text}"' if missing else f'time: invalid duration "{text}"')
    total = sum(int(float(number) * _UNITS[unit]) for number, unit in found)
    return -total if text.startswith("-") else total


def _check(kind: str, value: str) -> None:
    if kind == "bool":
        if value not in ("1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"):
            raise ValueError(f'strconv.ParseBool: parsing "{value}": invalid syntax')
    elif kind in ("int", "int32"):
        if not re.fullmatch(r"[+-]?\d+", value):
            raise ValueError(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    elif kind == "float32":
        try:
            float(value)
        except ValueError:
            raise ValueError(f'strconv.ParseFloat: parsing "{value}": invalid syntax') from None
    elif kind == "duration":
        parse_duration(value)
    elif kind == "ip" and not re.fullmatch(r"\d+\.\d+\.\d+\.\d+|[0-9a-fA-F:]*:[0-9a-fA-F:.]*", value):
        raise ValueError(f'failed to parse IP: "{value}"')


def parse_flags(argv: list[str], spec: FlagSpec) -> dict[str, str]:
    """Parse `argv[1:]` as pflag does; raises FlagError with its message.  The last of repeated flags wins."""
    flags: dict[str, str] = {}
    rest = list(argv[1:])
    extra: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            extra += rest
            break
        if not word.startswith("-") or word == "-":
            extra.append(word)
            continue
        if not word.startswith("--"):
            if word[1] != "v":
                raise FlagError(f"unknown shorthand flag: '{word[1]}' in {word}")
            word = "--v=" + word[2:].lstrip("=") if len(word) > 2 else "--v"
        name, has_value, value = word[2:].partition("=")
        name = name.replace("_", "-")
        if name not in spec:
            raise FlagError(f"unknown flag: --{name}")
        kind = spec[name]
        if not has_value:
            if kind == "bool":
                value = "true"
            elif rest:
                value = rest.pop(0)
            else:
                raise FlagError(f"flag needs an argument: --{name}")
        try:
            _check(kind, value)
        except ValueError as error:
            shown = f"-{name}, --{name}" if name == "v" else f"--{name}"
            raise FlagError(f'invalid argument "{value}" for "{shown}" flag: {error}') from None
        flags[name] = value
    if extra:
        shown = " ".join(f'"{item}"' for item in extra)
        raise FlagError(f'"{argv[0].rsplit("/", 1)[-1]}" does not take any arguments, got [{shown}]')
    return flags


def flags_or_exit(world: World, proc: Process, spec: FlagSpec) -> dict[str, str]:
    """The process's flags, or its end with what the real component prints: an error, or its version."""
    try:
        flags = parse_flags(proc.argv, spec)
    except FlagError as error:
        log(world, proc, f"Error: {error}")
        raise Exited(1) from None
    if truth(flags, "version", False):
        log(world, proc, f"Kubernetes {VERSION}")
        raise Exited(0)
    return flags


def truth(flags: dict[str, str], name: str, default: bool) -> bool:
    """A boolean flag."""
    return flags[name][:1] in "1tT" if name in flags else default


def duration(flags: dict[str, str], name: str, default: int) -> int:
    """A duration flag in nanoseconds."""
    return parse_duration(flags[name]) if name in flags else default


# -- files and health ----------------------------------------------------------------------------------------------------


def read_file(world: World, proc: Process, path: str) -> bytes:
    """A file as the process sees it (its container's root with its mounts, or the host's); raises OSError."""
    return files.read_file(world, proc.host, path, mnt=proc.mnt)


def health(request: Request, checks: dict[str, str]) -> Response:
    """Answer /healthz, /livez and /readyz; `checks` maps the name of each check to "" or the reason why it fails."""
    parts = request.path.strip("/").split("/")
    if parts[0] not in ("healthz", "livez", "readyz"):
        return Response(status=404, body=b"404 page not found\n")
    failed = {name: why for name, why in checks.items() if why}
    if not failed and "verbose" not in request.query:
        return Response(status=200, body=b"ok", headers={"content-type": "text/plain; charset=utf-8"})
    lines = [f"[-]{name} failed: reason withheld" if checks[name] else f"[+]{name} ok" for name in checks]
    lines.append(f"{parts[0]} check {'failed' if failed else 'passed'}")
    return Response(status=500 if failed else 200, body=("\n".join(lines) + "\n").encode())


# -- leader election -----------------------------------------------------------------------------------------------------


class LeaderState(msgspec.Struct):
    """What an elector remembers: its identity, whether it leads, the Lease as last seen, and when it saw that change."""

    identity: str = ""
    leading: bool = False
    holder: str = ""
    renew_time: str = ""
    observed_at: int = 0
    renewed_at: int = 0
    said_waiting: bool = False


class Lost(Exception):
    """The leader could not renew its Lease in time; the component ends."""


class Elector:
    """One candidate for the Lease `name` in `kube-system` (client-go/tools/leaderelection/leaderelection.go).

    `step` is called at once and then every retry period; it returns "leading", "acquired" or "waiting", and raises `Lost`.
    """

    def __init__(
        self, world: World, proc: Process, client: KubeClient, flags: dict[str, str], state: LeaderState, name: str
    ) -> None:
        self.world = world
        self.proc = proc
        self.client = client
        self.state = state
        self.name = flags.get("leader-elect-resource-name", name)
        self.namespace = flags.get("leader-elect-resource-namespace", "kube-system")
        self.lease_duration = duration(flags, "leader-elect-lease-duration", 15 * clock.SECOND)
        self.renew_deadline = duration(flags, "leader-elect-renew-deadline", 10 * clock.SECOND)
        self.retry = duration(flags, "leader-elect-retry-period", 2 * clock.SECOND)
        self.lease: dict[str, Any] | None = None

    @property
    def lock(self) -> str:
        """`namespace/name`, as log lines show the lock."""
        return f"{self.namespace}/{self.name}"

    def step(self) -> str:
        """Try to acquire or renew once."""
        now, state = self.world.now, self.state
        try:
            held = self._try()
        except (ConnectError, ApiError) as error:
            self.lease = None
            if not isinstance(error, ApiError) or error.code != 409:
                klog(
                    self.world,
                    self.proc,
                    "E",
                    "leaderelection.go:448",
                    "Error retrieving lease lock",
                    err=explain(error, self.client),
                    lock=self.lock,
                )
            held = False
        if held:
            state.renewed_at = now
            if not state.leading:
                state.leading = True
                klog(self.world, self.proc, "I", "leaderelection.go:272", "Successfully acquired lease", lock=self.lock)
                return "acquired"
            return "leading"
        if state.leading and now - state.renewed_at >= self.renew_deadline:
            state.leading = False
            error_text = "context deadline exceeded"
            klog(self.world, self.proc, "I", "leaderelection.go:304", "Failed to renew lease", lock=self.lock, err=error_text)
            raise Lost
        return "leading" if state.leading else "waiting"

    def _try(self) -> bool:
        state, now = self.state, self.world.now
        if state.leading and self.lease is not None:
            self.lease = self._write(self.lease, self.lease["spec"])
            return True
        try:
            lease: dict[str, Any] | None = self.client.get("leases", self.namespace, self.name)
        except ApiError as error:
            if error.code != 404:
                raise
            lease = None
        if lease is None:
            stamp = clock.rfc3339_micro(self.world.wall)
            spec = self._spec(stamp, stamp, 0)
            meta = {"name": self.name, "namespace": self.namespace}
            body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
            self.lease = self.client.create("leases", self.namespace, body)
            return True
        spec = lease.get("spec") or {}
        if (spec.get("holderIdentity", ""), spec.get("renewTime", "")) != (state.holder, state.renew_time):
            state.holder, state.renew_time = spec.get("holderIdentity") or "", spec.get("renewTime") or ""
            state.observed_at = now
        if state.holder and state.holder != state.identity and state.observed_at + self.lease_duration > now:
            return False
        self.lease = self._write(lease, spec)
        return True

    def _spec(self, acquired: str, renewed: str, transitions: int, holder: str | None = None) -> dict[str, Any]:
        return {
            "holderIdentity": self.state.identity if holder is None else holder,
            "leaseDurationSeconds": self.lease_duration // clock.SECOND if holder is None else 1,
            "acquireTime": acquired,
            "renewTime": renewed,
            "leaseTransitions": transitions,
        }

    def _write(self, lease: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
        stamp = clock.rfc3339_micro(self.world.wall)
        mine = old.get("holderIdentity") == self.state.identity
        acquired = old.get("acquireTime") if mine else stamp
        transitions = (old.get("leaseTransitions") or 0) + (0 if mine else 1)
        written: dict[str, Any] = self.client.update(
            "leases", {**lease, "spec": self._spec(acquired or stamp, stamp, transitions)}
        )
        return written

    def release(self) -> None:
        """Give the Lease back (ReleaseOnCancel), so that the next candidate need not wait for it to expire."""
        if not self.state.leading:
            return
        stamp = clock.rfc3339_micro(self.world.wall)
        try:
            # a restored world does not hold what it wrote last
            lease = self.lease or self.client.get("leases", self.namespace, self.name)
            spec = self._spec(stamp, stamp, lease["spec"].get("leaseTransitions") or 0, holder="")
            self.client.update("leases", {**lease, "spec": spec})
        except (ConnectError, ApiError):
            pass
        self.state.leading = False
