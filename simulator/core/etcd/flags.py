"""The flags of the `etcd` binary (server/etcdmain/config.go): which exist, which act here, and their defaults."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
import yaml

from . import usage

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

#: Flags that the list of `--help` leaves out.
UNLISTED = frozenset(
    {"config-file", "version", "log-output", "cluster-active-size", "cluster-remove-delay", "cluster-sync-interval", "config", "force",
     "max-result-buffer", "max-retry-attempts", "peer-heartbeat-interval", "peer-election-timeout", "retry-interval", "snapshot", "v", "vv",
     "experimental-enable-lease-checkpoint-persist"}
)  # fmt: skip

BOOLEAN = frozenset(
    {"auto-tls", "client-cert-auth", "debug", "discovery-insecure-skip-tls-verify", "discovery-insecure-transport",
     "enable-distributed-tracing", "enable-grpc-gateway", "enable-log-rotation", "enable-pprof", "enable-v2",
     "experimental-compact-hash-check-enabled", "experimental-enable-distributed-tracing", "experimental-enable-lease-checkpoint",
     "experimental-enable-lease-checkpoint-persist", "experimental-initial-corrupt-check", "experimental-memory-mlock",
     "experimental-peer-skip-client-san-verification", "experimental-stop-grpc-service-on-defrag",
     "experimental-txn-mode-write-with-shared-buffer", "force-new-cluster", "initial-election-tick-advance", "memory-mlock",
     "peer-auto-tls", "peer-client-cert-auth", "peer-skip-client-san-verification", "pre-vote", "socket-reuse-address",
     "socket-reuse-port", "strict-reconfig-check", "unsafe-no-fsync", "version"}
)  # fmt: skip
_NUMBERS = frozenset(
    {"auth-token-ttl", "bcrypt-cost", "bootstrap-defrag-threshold-megabytes", "election-timeout", "heartbeat-interval",
     "experimental-bootstrap-defrag-threshold-megabytes", "max-request-bytes", "max-snapshots", "max-txn-ops", "max-wals",
     "proxy-dial-timeout", "proxy-failure-wait", "proxy-read-timeout", "proxy-refresh-interval", "proxy-write-timeout",
     "self-signed-cert-validity", "experimental-snapshot-catchup-entries", "snapshot-catchup-entries", "snapshot-count",
     "max-concurrent-streams"}
)  # fmt: skip
_SIGNED = frozenset(
    {"backend-batch-limit", "compaction-batch-limit", "distributed-tracing-sampling-rate", "experimental-compaction-batch-limit",
     "experimental-distributed-tracing-sampling-rate", "max-learners", "quota-backend-bytes"}
)  # fmt: skip
_DURATIONS = frozenset(
    {"backend-batch-interval", "compact-hash-check-time", "compaction-sleep-interval", "corrupt-check-time", "discovery-dial-timeout",
     "discovery-keepalive-time", "discovery-keepalive-timeout", "discovery-request-timeout", "downgrade-check-time",
     "experimental-compact-hash-check-time", "experimental-compaction-sleep-interval", "experimental-corrupt-check-time",
     "experimental-downgrade-check-time", "experimental-warning-apply-duration", "experimental-warning-unary-request-duration",
     "experimental-watch-progress-notify-interval", "grpc-keepalive-interval", "grpc-keepalive-min-time", "grpc-keepalive-timeout",
     "raft-read-timeout", "raft-write-timeout", "warning-apply-duration", "warning-unary-request-duration",
     "watch-progress-notify-interval"}
)  # fmt: skip
_WORDS = ("true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE", "True", "False")
_DURATION = re.compile(r"[-+]?(0|(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h))+$")
_URLS = ("listen-peer-urls", "listen-client-urls", "listen-metrics-urls", "initial-advertise-peer-urls", "advertise-client-urls")


#: embed.ErrUnsetAdvertiseClientURLsFlag
UNADVERTISED = "--advertise-client-urls is required when --listen-client-urls is set explicitly"


def unadvertised(flags: dict[str, str]) -> bool:
    """Whether clients would be told nothing of where the member listens (embed/config.go: Validate)."""
    return not flags["advertise-client-urls"]


_CHOICES = {"initial-cluster-state": ("new", "existing")}


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


def _url_error(text: str) -> str:
    """What is wrong with a list of URLs (client/pkg/types: NewURLs); "" when nothing."""
    for url in text.split(","):
        scheme, found, rest = url.strip().partition("://")
        if not found or scheme not in ("http", "https", "unix", "unixs"):
            return f"URL scheme must be http, https, unix, or unixs: {url.strip()}"
        host, slash, _ = rest.partition("/")
        if scheme in ("http", "https"):
            if ":" not in host.rpartition("]")[2]:
                return f'URL address does not have the form "host:port": {url.strip()}'
            if slash:
                return f"URL must not contain a path: {url.strip()}"
    return ""


def _refused(name: str, value: str) -> str:
    """Why a value is not of its flag's kind, in the words of Go's flag package; "" when it is."""
    if name in _CHOICES and value not in _CHOICES[name]:
        return "invalid value"
    if name in _URLS and value:
        return _url_error(value)
    wrong = (
        (name in _NUMBERS and not value.isdigit())
        or (name in _SIGNED and not value.lstrip("+-").isdigit())
        or (name in _DURATIONS and not _DURATION.match(value))
        or (name in BOOLEAN and value not in _WORDS)
    )
    return "parse error" if wrong else ""


class Parsed(msgspec.Struct):
    """The flags with their values, and what is logged about them first: level, caller, message and fields."""

    flags: dict[str, str]
    notes: list[tuple[str, str, str, dict[str, str]]] = []


def parse(argv: list[str], env: dict[str, str], version: str, read: Callable[[str], bytes]) -> Parsed:
    """Flags of a command line over `ETCD_*` environment variables over defaults, or those of a configuration file alone.

    `read` opens a file; raises FlagError.  Follows server/etcdmain/config.go (parse) and pkg/flags (SetFlagsFromEnv).
    """
    known = usage.names(version) | UNLISTED
    given = _command_line(argv, known)
    if "help" in given or "version" in given:
        return Parsed(given)
    path = given.get("config-file") or env.get("ETCD_CONFIG_FILE", "")
    parsed = Parsed(dict(DEFAULTS))
    if path:
        given = _from_file(path, read)
        text = "loaded server configuration, other configuration command line flags and environment variables will be ignored if provided"
        parsed.notes.append(("info", "etcdmain/config.go:175", text, {"path": path}))
    else:
        _environment(given, env, known, parsed)
    parsed.flags.update(given)
    _finish(parsed.flags, given)
    return parsed


def _command_line(argv: list[str], known: frozenset[str]) -> dict[str, str]:
    given: dict[str, str] = {}
    at = 1
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "--" and at == len(argv):
            break
        if not word.startswith("-") or word in ("-", "--"):
            rest = argv[at] if word == "--" else word
            raise FlagError(f'"{rest}" is not a valid flag', usage=False)
        name, eq, value = word.removeprefix("-").removeprefix("-").partition("=")
        if not name or name.startswith("-"):
            raise FlagError(f"bad flag syntax: {word}")
        if name in ("help", "h"):
            return {"help": "true"}
        if name not in known:
            raise FlagError(f"flag provided but not defined: -{name}")
        if not eq:
            if name in BOOLEAN:
                value = "true"
            elif at < len(argv):
                value = argv[at]
                at += 1
            else:
                raise FlagError(f"flag needs an argument: -{name}")
        wrong = _refused(name, value)
        if wrong and name in BOOLEAN:
            raise FlagError(f'invalid boolean value "{value}" for -{name}: {wrong}')
        if wrong:
            raise FlagError(f'invalid value "{value}" for flag -{name}: {wrong}')
        given[name] = value
    return given


def _environment(given: dict[str, str], env: dict[str, str], known: frozenset[str], parsed: Parsed) -> None:
    """Variables fill in for flags; one that a flag shadows ends the process, one that is no flag's is told of."""
    set_already = {_variable(name) for name in given}
    used = set()
    for name in sorted(known):
        key = _variable(name)
        value = env.get(key, "")
        if not value or key in set_already:
            continue
        if wrong := _refused(name, value):
            raise FlagError(f'invalid value "{value}" for {key}: {wrong}', usage=False)
        used.add(key)
        given[name] = value
        fields = {"variable-name": key, "variable-value": value}
        parsed.notes.append(("info", "flags/flag.go:114", "recognized and used environment variable", fields))
    for key, value in env.items():
        if key in used:
            continue
        if key in set_already:
            text = "conflicting environment variable is shadowed by corresponding command-line flag (either unset environment variable or disable flag))"
            parsed.notes.append(("fatal", "flags/flag.go:86", text, {"environment-variable": key}))
            return
        if key.startswith("ETCD_"):
            parsed.notes.append(
                ("warn", "flags/flag.go:94", "unrecognized environment variable", {"environment-variable": f"{key}={value}"})
            )


def _variable(name: str) -> str:
    return "ETCD_" + name.upper().replace("-", "_")


def _from_file(path: str, read: Callable[[str], bytes]) -> dict[str, str]:
    """The fields of a configuration file as flags (embed/config.go: configFromFile); fields that it does not know are passed over."""
    try:
        content = yaml.safe_load(read(path))
    except OSError as error:
        raise FlagError(f"open {path}: {(error.strerror or '').lower()}", usage=False) from None
    except (yaml.YAMLError, ValueError) as error:
        where = getattr(error, "problem_mark", None)
        line = f"line {where.line + 1}: " if where is not None else ""
        raise FlagError(
            f"error converting YAML to JSON: yaml: {line}{getattr(error, 'problem', None) or error}", usage=False
        ) from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise FlagError(
            "error unmarshaling JSON: json: cannot unmarshal the file into Go value of type embed.configYAML", usage=False
        )
    given = {str(key): _scalar(value) for key, value in content.items() if not isinstance(value, dict)}
    for section, prefix in (("client-transport-security", ""), ("peer-transport-security", "peer-")):
        inside = content.get(section)
        if inside is not None and not isinstance(inside, dict):
            raise FlagError(f"invalid {section}", usage=False)
        given.update({prefix + str(key): _scalar(value) for key, value in (inside or {}).items()})
    for name in _URLS:
        if wrong := _url_error(given[name]) if given.get(name) else "":
            raise FlagError(f"unexpected error setting up {name}: {wrong}", usage=False)
    for name, value in given.items():
        if name in DEFAULTS and _refused(name, value):
            raise FlagError(
                f"error unmarshaling JSON: json: cannot unmarshal {value!r} into Go struct field configYAML.{name}", usage=False
            )
    return {name: value for name, value in given.items() if value}


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _finish(flags: dict[str, str], given: dict[str, str]) -> None:
    """What follows from the flags together."""
    _check(flags)
    if "listen-client-urls" in given and "advertise-client-urls" not in given:
        flags["advertise-client-urls"] = ""  # the default is for the default listener only (etcdmain/config.go)
    if not flags["data-dir"]:
        flags["data-dir-defaulted"] = "true"
        flags["data-dir"] = f"{flags['name']}.etcd"
    if not flags["initial-cluster"]:
        flags["initial-cluster"] = f"{flags['name']}={flags['initial-advertise-peer-urls']}"
