"""What kube-controller-manager, kube-scheduler and kube-proxy share: flags, klog lines, files, health, how they start.

A component is a daemon that holds a `KubeClient`.  Its flags are parsed as pflag does (k8s.io/component-base/cli): an unknown
flag ends the process with `Error: unknown flag: --name` and exit status 1.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from ..host import files, processes
from ..host.machine import wall_of
from ..host.process import Process
from ..host.program import Exited
from ..kernel import clock, network
from ..kernel.errors import BadInput, ConnectError
from ..kernel.http import Request, Response
from ..kernel.versions import VERSION
from ..kernel.world import World
from .api import goyaml
from .client import KubeClient

# -- log lines -----------------------------------------------------------------------------------------------------------


def log(world: World, proc: Process, text: str) -> None:
    """Write raw lines to the process's sink."""
    processes.log(world, proc, text)


def klog(world: World, proc: Process, level: str, where: str, message: str, **fields: Any) -> None:
    """One structured klog line: `I1102 09:00:00.000000       1 file.go:12] "Message" key="value"`."""
    extra = "".join(f" {key}={_quoted(value)}" for key, value in fields.items())
    plain(world, proc, level, where, f'"{message}"{extra}')


def plain(world: World, proc: Process, level: str, where: str, text: str) -> None:
    """One klog line as it is (`klog.Errorf`)."""
    stamp = clock.to_datetime(wall_of(world, proc.host)).strftime("%m%d %H:%M:%S.%f")
    pid = 1 if proc.container else proc.pid
    log(world, proc, f"{level}{stamp} {pid:7d} {where}] {text}")


class Raw(str):
    """A field's value that klog prints as it is (JSON of an object)."""


def _quoted(value: Any) -> str:
    if isinstance(value, Raw):
        return str(value)
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


def dialled(error: ConnectError) -> str:
    """What Go's dialler or TLS says of a connection that failed."""
    if error.kind == "tls":
        return error.detail
    if error.kind == "timeout" and error.detail == "headers":
        return "net/http: request canceled (Client.Timeout exceeded while awaiting headers)"
    if error.kind == "dns":
        return f"dial tcp: lookup {error.address}: no such host"
    return f"dial tcp {error.address}: {_DIAL.get(error.kind, error.detail or error.kind)}"


def explain(error: Exception, client: KubeClient) -> str:
    """An error of the client as Go prints it: a Status's message, or what the dialler said."""
    if isinstance(error, ConnectError):
        what = error.request or f'Get "{client.server}"'
        return f"{what}: {dialled(error)}"
    return str(error)


def yaml_error(failed: Exception) -> str:
    """A parse error in the words of Go's YAML library."""
    return f"error converting YAML to JSON: {goyaml.message(failed)}"


# -- flags ---------------------------------------------------------------------------------------------------------------

FlagSpec = dict[str, str]


def version_of(proc: Process | None) -> str:
    """The release of a process's binary: the program's name carries that of an older one (`kubelet:1.35.5`)."""
    own = proc.program.partition(":")[2] if proc is not None else ""
    return f"v{own}" if own else VERSION


#: Flags that every component takes (component-base/logs, featuregate, verflag); values are pflag's type names.
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


def check_type(kind: str, value: str) -> None:
    """Raise ValueError, in the words of pflag, when a value is none of that type; types without a check take everything."""
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
    """Parse `argv[1:]` as pflag does; raises FlagError with its message.  Of repeated flags lists are joined, the last of others wins."""
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
            check_type(kind, value)
        except ValueError as error:
            shown = f"-{name}, --{name}" if name == "v" else f"--{name}"
            raise FlagError(f'invalid argument "{value}" for "{shown}" flag: {error}') from None
        flags[name] = f"{flags[name]},{value}" if kind == "strings" and name in flags else value
    if extra:
        shown = " ".join(f'"{item}"' for item in extra)
        raise FlagError(f'"{argv[0].rsplit("/", 1)[-1]}" does not take any arguments, got [{shown}]')
    return flags


def usage(program: str, spec: FlagSpec) -> str:
    """What cobra prints before the error of a flag that it does not know: each flag with its type, without descriptions."""
    rows = []
    for name in sorted(spec):
        kind = {"bool": "", "mapStringBool": "mapStringBool"}.get(spec[name], spec[name])
        rows.append((f"  -v, --{name}" if name == "v" else f"      --{name}") + (f" {kind}" if kind else ""))
    return f"Usage:\n  {program.rsplit('/', 1)[-1]} [flags]\n\nFlags:\n" + "\n".join(rows) + "\n"


def flags_or_exit(world: World, proc: Process, spec: FlagSpec) -> dict[str, str]:
    """The process's flags, or its end with what the real component prints: an error, or its version."""
    try:
        flags = parse_flags(proc.argv, spec)
    except FlagError as error:
        if "does not take any arguments" not in str(error):
            log(world, proc, usage(proc.argv[0], spec))
        log(world, proc, f"Error: {error}")
        raise Exited(1) from None
    if truth(flags, "version", False):
        log(world, proc, f"Kubernetes {version_of(proc)}")
        raise Exited(0)
    return flags


def truth(flags: dict[str, str], name: str, default: bool) -> bool:
    """A boolean flag."""
    return flags[name][:1] in "1tT" if name in flags else default


def verbosity(flags: dict[str, str]) -> int:
    """How much is logged: `--v`, 0 when it is not given (klog)."""
    return int(flags.get("v", "0"))


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


# -- starting ------------------------------------------------------------------------------------------------------------


def connect(world: World, proc: Process, path: str, agent: str) -> KubeClient:
    """The client of the kubeconfig at `path`; what cannot be read or understood ends the process."""
    if not path:
        raise fail(world, proc, "run.go:72", "invalid configuration: no configuration has been provided")
    reader = partial(read_file, world, proc)
    try:
        if not reader(path).strip():
            why = "invalid configuration: no configuration has been provided, try setting KUBERNETES_MASTER environment variable"
            raise fail(world, proc, "run.go:72", why)
        return KubeClient.from_kubeconfig(world, proc.netns, reader(path), user_agent=agent, read_file=reader)
    except OSError as error:
        raise fail(world, proc, "run.go:72", f"stat {error.filename or path}: no such file or directory") from None
    except BadInput as error:
        raise fail(world, proc, "run.go:72", str(error)) from None


def listen(world: World, proc: Process, flags: dict[str, str], default: str) -> str:
    """Open the secure port (`--secure-port`, 0 for none) and return where it is, for the log; a taken one ends the process."""
    port, address = int(flags.get("secure-port", default)), flags.get("bind-address", "0.0.0.0")
    at = f"{address}:{port}"
    if port:
        try:
            network.listen(world, proc.netns, port, host=proc.host, pid=proc.pid, address=address)
        except OSError:
            why = f"failed to create listener: failed to listen on {at}: listen tcp {at}: bind: address already in use"
            raise fail(world, proc, "run.go:72", why) from None
    return at
