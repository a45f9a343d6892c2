"""The flags of the `etcd` binary (server/etcdmain/config.go): which exist, which act here, and their defaults."""

from __future__ import annotations

#: Flags that change what the simulated member does, with etcd's defaults.
DEFAULTS: dict[str, str] = {
    "name": "default",
    "data-dir": "",
    "wal-dir": "",
    "listen-client-urls": "http://localhost:2379",
    "advertise-client-urls": "http://localhost:2379",
    "listen-peer-urls": "http://localhost:2380",
    "initial-advertise-peer-urls": "http://localhost:2380",
    "initial-cluster": "",
    "initial-cluster-state": "new",
    "initial-cluster-token": "etcd-cluster",
    "listen-metrics-urls": "",
    "cert-file": "",
    "key-file": "",
    "trusted-ca-file": "",
    "client-cert-auth": "false",
    "peer-cert-file": "",
    "peer-key-file": "",
    "peer-trusted-ca-file": "",
    "peer-client-cert-auth": "false",
    "snapshot-count": "10000",
    "quota-backend-bytes": "0",
    "heartbeat-interval": "100",
    "election-timeout": "1000",
    "auto-compaction-mode": "periodic",
    "auto-compaction-retention": "0",
    "log-level": "info",
    "force-new-cluster": "false",
    "feature-gates": "",
    "watch-progress-notify-interval": "10m",
    "max-request-bytes": "1572864",
    "max-txn-ops": "128",
}

#: Flags that exist and are accepted but change nothing that can be seen in the simulator.
ACCEPTED = frozenset(
    [
        "max-snapshots",
        "max-wals",
        "strict-reconfig-check",
        "pre-vote",
        "discovery",
        "discovery-fallback",
        "discovery-proxy",
        "discovery-srv",
        "cors",
        "host-whitelist",
        "auto-tls",
        "peer-auto-tls",
        "cipher-suites",
        "tls-min-version",
        "tls-max-version",
        "log-outputs",
        "logger",
        "log-format",
        "enable-pprof",
        "metrics",
        "enable-log-rotation",
        "log-rotation-config-json",
        "auth-token",
        "bcrypt-cost",
        "auth-token-ttl",
        "initial-election-tick-advance",
        "enable-grpc-gateway",
        "experimental-initial-corrupt-check",
        "experimental-watch-progress-notify-interval",
        "grpc-keepalive-min-time",
        "grpc-keepalive-interval",
        "grpc-keepalive-timeout",
        "socket-reuse-port",
        "socket-reuse-address",
        "client-crl-file",
        "peer-crl-file",
        "peer-cert-allowed-cn",
        "peer-cert-allowed-hostname",
        "client-cert-allowed-hostname",
        "self-signed-cert-validity",
        "unsafe-no-fsync",
        "backend-batch-interval",
        "backend-batch-limit",
        "backend-bbolt-freelist-type",
        "max-concurrent-streams",
        "corrupt-check-time",
        "compact-hash-check-time",
        "compaction-batch-limit",
        "compaction-sleep-interval",
        "warning-apply-duration",
        "warning-unary-request-duration",
        "downgrade-check-time",
        "memory-mlock",
        "bootstrap-defrag-threshold-megabytes",
        "max-learners",
        "snapshot-catchup-entries",
        "listen-client-http-urls",
        "raft-read-timeout",
        "raft-write-timeout",
        "distributed-tracing-address",
        "distributed-tracing-sampling-rate",
        "distributed-tracing-service-name",
        "distributed-tracing-instance-id",
        "enable-distributed-tracing",
    ]
)

#: Only in etcd 3.4 and 3.5.
V2_ONLY = frozenset({"enable-v2", "proxy", "experimental-enable-v2v3"})

BOOLEAN = frozenset(
    {"client-cert-auth", "peer-client-cert-auth", "force-new-cluster", "auto-tls", "peer-auto-tls", "enable-v2", "pre-vote",
     "strict-reconfig-check", "enable-pprof", "experimental-initial-corrupt-check", "unsafe-no-fsync", "enable-grpc-gateway",
     "socket-reuse-port", "socket-reuse-address", "enable-log-rotation", "initial-election-tick-advance", "memory-mlock"}
)  # fmt: skip


#: embed.ErrUnsetAdvertiseClientURLsFlag
UNADVERTISED = "--advertise-client-urls is required when --listen-client-urls is set explicitly"


def unadvertised(flags: dict[str, str]) -> bool:
    """Whether clients would be told nothing of where the member listens (embed/config.go: Validate)."""
    return not flags["advertise-client-urls"]


#: What follows a flag that cannot be read (server/etcdmain/help.go).
USAGE = """\
Usage:

  etcd [flags]
    Start an etcd server.

  etcd --version
    Show the version of etcd.

  etcd -h | --help
    Show the help information about etcd.

  etcd --config-file
    Path to the server configuration file. Note that if a configuration file is provided, other command line flags and environment variables will be ignored.

  etcd gateway
    Run the stateless pass-through etcd TCP connection forwarding proxy.

  etcd grpc-proxy
    Run the stateless etcd v3 gRPC L7 reverse proxy.
"""

_CHOICES = {"initial-cluster-state": ("new", "existing"), "auto-compaction-mode": ("periodic", "revision")}
_NUMBERS = frozenset({"heartbeat-interval", "election-timeout", "snapshot-count", "max-txn-ops", "max-request-bytes"})


class FlagError(Exception):
    """A flag that etcd refuses, with Go's flag package's text; `usage` where the flag package prints that after it."""

    def __init__(self, text: str, *, usage: bool = True) -> None:
        super().__init__(text)
        self.usage = usage


def _check(flags: dict[str, str]) -> None:
    """What the configuration's validation refuses (embed/config.go: Validate)."""
    beat, election = int(flags["heartbeat-interval"]), int(flags["election-timeout"])
    if 5 * beat > election:
        raise FlagError(
            f"--election-timeout[{election}ms] should be at least as 5 times as --heartbeat-interval[{beat}ms]", usage=False
        )
    if election > 50_000:
        raise FlagError(f"--election-timeout[{election}ms] is too long, and should be set less than 50000ms", usage=False)
    for name in ("listen-peer-urls", "listen-client-urls", "listen-metrics-urls"):
        for url in filter(None, flags[name].split(",")):
            host = url.partition("://")[2].rpartition(":")[0].strip("[]")
            if host and host != "localhost" and not all(part.isdigit() for part in host.split(".")) and ":" not in host:
                raise FlagError(f"expected IP in URL for binding ({url})", usage=False)


def _value(name: str, value: str) -> str:
    """A value of the right kind, or Go's complaint."""
    choices = _CHOICES.get(name, ())
    if choices and value not in choices and name == "initial-cluster-state":
        raise FlagError(f'invalid value "{value}" for flag -{name}: invalid value "{value}"')
    if name in _NUMBERS and not value.isdigit():
        raise FlagError(f'invalid value "{value}" for flag -{name}: parse error')
    if name in BOOLEAN and value not in ("true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE", "True", "False"):
        raise FlagError(f'invalid boolean value "{value}" for -{name}: parse error')
    return value


def parse(argv: list[str], env: dict[str, str], version: str) -> dict[str, str]:
    """Flags of a command line over `ETCD_*` environment variables over defaults; raises FlagError."""
    flags = dict(DEFAULTS)
    given: set[str] = set()
    for name in flags:
        value = env.get("ETCD_" + name.upper().replace("-", "_"))
        if value:
            flags[name] = value
            given.add(name)
    at = 1
    while at < len(argv):
        word = argv[at]
        at += 1
        if not word.startswith("-") or word == "-":
            raise FlagError(f'"{word}" is not a valid flag', usage=False)
        name, eq, value = word.lstrip("-").partition("=")
        known = name in DEFAULTS or name in ACCEPTED or (name in V2_ONLY and version < "3.6")
        if name in ("version", "help", "h"):
            flags[name] = "true"
            continue
        if not known:
            raise FlagError(f"flag provided but not defined: -{name}")
        if not eq:
            if name in BOOLEAN:
                value = "true"
            elif at < len(argv):
                value = argv[at]
                at += 1
            else:
                raise FlagError(f"flag needs an argument: -{name}")
        flags[name] = _value(name, value)
        given.add(name)
    _check(flags)
    if "listen-client-urls" in given and "advertise-client-urls" not in given:
        flags["advertise-client-urls"] = ""  # the default is for the default listener only (etcdmain/config.go)
    if not flags["data-dir"]:
        flags["data-dir-defaulted"] = "true"
        flags["data-dir"] = f"{flags['name']}.etcd"
    if not flags["initial-cluster"]:
        flags["initial-cluster"] = f"{flags['name']}={flags['initial-advertise-peer-urls']}"
    return flags
