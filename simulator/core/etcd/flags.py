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


class FlagError(Exception):
    """A flag that etcd refuses, with Go's flag package's text."""


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
            raise FlagError(f"'{word}' is not a valid flag")
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
        flags[name] = value
        given.add(name)
    if "listen-client-urls" in given and "advertise-client-urls" not in given:
        flags["advertise-client-urls"] = ""  # the default is for the default listener only (etcdmain/config.go)
    if not flags["data-dir"]:
        flags["data-dir"] = f"{flags['name']}.etcd"
    if not flags["initial-cluster"]:
        flags["initial-cluster"] = f"{flags['name']}={flags['initial-advertise-peer-urls']}"
    return flags
