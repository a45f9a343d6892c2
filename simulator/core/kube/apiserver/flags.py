"""The command line of `kube-apiserver` v1.36: which flags exist, and those that change what the simulated server does."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from ...kernel.clock import HOUR, SECOND
from ..component import check_type, parse_duration
from . import admission, audit, encryption
from .flag_types import TYPES
from .server import Config

#: Every flag of the binary (`kube-apiserver --help`); any other is refused.
KNOWN = frozenset(
    [
        "admission-control",
        "admission-control-config-file",
        "advertise-address",
        "aggregator-reject-forwarding-redirect",
        "allow-metric-labels",
        "allow-metric-labels-manifest",
        "allow-privileged",
        "anonymous-auth",
        "api-audiences",
        "apiserver-count",
        "audit-log-batch-buffer-size",
        "audit-log-batch-max-size",
        "audit-log-batch-max-wait",
        "audit-log-batch-throttle-burst",
        "audit-log-batch-throttle-enable",
        "audit-log-batch-throttle-qps",
        "audit-log-compress",
        "audit-log-format",
        "audit-log-maxage",
        "audit-log-maxbackup",
        "audit-log-maxsize",
        "audit-log-mode",
        "audit-log-path",
        "audit-log-truncate-enabled",
        "audit-log-truncate-max-batch-size",
        "audit-log-truncate-max-event-size",
        "audit-log-version",
        "audit-policy-file",
        "audit-webhook-batch-buffer-size",
        "audit-webhook-batch-initial-backoff",
        "audit-webhook-batch-max-size",
        "audit-webhook-batch-max-wait",
        "audit-webhook-batch-throttle-burst",
        "audit-webhook-batch-throttle-enable",
        "audit-webhook-batch-throttle-qps",
        "audit-webhook-config-file",
        "audit-webhook-initial-backoff",
        "audit-webhook-mode",
        "audit-webhook-truncate-enabled",
        "audit-webhook-truncate-max-batch-size",
        "audit-webhook-truncate-max-event-size",
        "audit-webhook-version",
        "authentication-config",
        "authentication-kubeconfig",
        "authentication-skip-lookup",
        "authentication-token-webhook-cache-ttl",
        "authentication-token-webhook-config-file",
        "authentication-token-webhook-version",
        "authentication-tolerate-lookup-failure",
        "authorization-always-allow-paths",
        "authorization-config",
        "authorization-kubeconfig",
        "authorization-mode",
        "authorization-policy-file",
        "authorization-webhook-cache-authorized-ttl",
        "authorization-webhook-cache-unauthorized-ttl",
        "authorization-webhook-config-file",
        "authorization-webhook-version",
        "bind-address",
        "cert-dir",
        "client-ca-file",
        "contention-profiling",
        "coordinated-leadership-lease-duration",
        "coordinated-leadership-renew-deadline",
        "coordinated-leadership-retry-period",
        "cors-allowed-origins",
        "debug-socket-path",
        "default-not-ready-toleration-seconds",
        "default-unreachable-toleration-seconds",
        "default-watch-cache-size",
        "delete-collection-workers",
        "disable-admission-plugins",
        "disable-http2-serving",
        "disabled-metrics",
        "egress-selector-config-file",
        "emulated-version",
        "emulation-forward-compatible",
        "enable-admission-plugins",
        "enable-aggregator-routing",
        "enable-bootstrap-token-auth",
        "enable-garbage-collector",
        "enable-logs-handler",
        "enable-priority-and-fairness",
        "encryption-provider-config",
        "encryption-provider-config-automatic-reload",
        "endpoint-reconciler-type",
        "etcd-cafile",
        "etcd-certfile",
        "etcd-compaction-interval",
        "etcd-count-metric-poll-period",
        "etcd-db-metric-poll-interval",
        "etcd-healthcheck-timeout",
        "etcd-keyfile",
        "etcd-prefix",
        "etcd-readycheck-timeout",
        "etcd-servers",
        "etcd-servers-overrides",
        "event-ttl",
        "external-hostname",
        "feature-gates",
        "goaway-chance",
        "help",
        "http2-max-streams-per-connection",
        "kubeconfig",
        "kubelet-certificate-authority",
        "kubelet-client-certificate",
        "kubelet-client-key",
        "kubelet-port",
        "kubelet-preferred-address-types",
        "kubelet-read-only-port",
        "kubelet-timeout",
        "kubernetes-service-node-port",
        "lease-reuse-duration-seconds",
        "livez-grace-period",
        "log-flush-frequency",
        "log-json-info-buffer-size",
        "log-json-split-stream",
        "log-text-info-buffer-size",
        "log-text-split-stream",
        "logging-format",
        "max-connection-bytes-per-sec",
        "max-mutating-requests-inflight",
        "max-requests-inflight",
        "min-compatibility-version",
        "min-request-timeout",
        "oidc-ca-file",
        "oidc-client-id",
        "oidc-groups-claim",
        "oidc-groups-prefix",
        "oidc-issuer-url",
        "oidc-required-claim",
        "oidc-signing-algs",
        "oidc-username-claim",
        "oidc-username-prefix",
        "peer-advertise-ip",
        "peer-advertise-port",
        "peer-ca-file",
        "permit-address-sharing",
        "permit-port-sharing",
        "profiling",
        "proxy-client-cert-file",
        "proxy-client-key-file",
        "request-timeout",
        "requestheader-allowed-names",
        "requestheader-client-ca-file",
        "requestheader-extra-headers-prefix",
        "requestheader-group-headers",
        "requestheader-uid-headers",
        "requestheader-username-headers",
        "runtime-config",
        "runtime-config-emulation-forward-compatible",
        "secure-port",
        "send-retry-after-while-not-ready-once",
        "service-account-extend-token-expiration",
        "service-account-issuer",
        "service-account-jwks-uri",
        "service-account-key-file",
        "service-account-lookup",
        "service-account-max-token-expiration",
        "service-account-signing-endpoint",
        "service-account-signing-key-file",
        "service-cluster-ip-range",
        "service-node-port-range",
        "show-hidden-metrics-for-version",
        "shutdown-delay-duration",
        "shutdown-send-retry-after",
        "shutdown-watch-termination-grace-period",
        "storage-backend",
        "storage-initialization-timeout",
        "storage-media-type",
        "strict-transport-security-directives",
        "tls-cert-file",
        "tls-cipher-suites",
        "tls-curve-preferences",
        "tls-min-version",
        "tls-private-key-file",
        "tls-sni-cert-key",
        "token-auth-file",
        "tracing-config-file",
        "v",
        "version",
        "vmodule",
        "watch-cache",
        "watch-cache-sizes",
    ]
)

#: Flags that may stand without a value.
BOOLEAN = frozenset(name for name, kind in TYPES.items() if kind == "bool")

TLS_VERSIONS = ("", "VersionTLS10", "VersionTLS11", "VersionTLS12", "VersionTLS13")


class FlagError(Exception):
    """The command line is refused; the message is what the binary prints after `Error: `."""


def parse(argv: list[str]) -> dict[str, str]:
    """Flag → value of a command line (`--name=value` or `--name value`); raises FlagError."""
    out: dict[str, str] = {}
    rest = list(argv[1:])
    while rest:
        word = rest.pop(0)
        if not word.startswith("-"):
            raise FlagError(f'unknown command "{word}" for "kube-apiserver"')
        if not word.startswith("--"):
            if word.startswith("-v"):
                continue
            raise FlagError(f"unknown shorthand flag: {word[1:2]!r} in {word}")
        name, equals, value = word[2:].partition("=")
        if name not in KNOWN:
            raise FlagError(f"unknown flag: --{name}")
        if not equals and name in BOOLEAN:
            value = "true"
        elif not equals:
            if not rest:
                raise FlagError(f"flag needs an argument: --{name}")
            value = rest.pop(0)
        try:
            check_type(TYPES.get(name, ""), value)
        except ValueError as error:
            shown = f"-{name}, --{name}" if name == "v" else f"--{name}"
            raise FlagError(f'invalid argument "{value}" for "{shown}" flag: {error}') from None
        out[name] = f"{out[name]},{value}" if name in ("etcd-servers", "enable-admission-plugins") and name in out else value
    return out


def config(flags: dict[str, str], read: Callable[[str], bytes]) -> Config:
    """What the flags say; `read` gives a file's content and raises OSError.  Raises FlagError."""
    out = Config()
    servers = [item for item in flags.get("etcd-servers", "").split(",") if item]
    if not servers:
        raise FlagError("--etcd-servers must be specified")
    out.etcd_servers = servers
    out.advertise_address = flags.get("advertise-address", "")
    port = flags.get("secure-port", "6443")
    if not port.isdigit() or not 1 <= int(port) <= 65535:
        raise FlagError(f"--secure-port {port} must be between 1 and 65535, inclusive. It cannot be turned off with 0")
    out.secure_port = int(port)
    _service_ranges(out, flags.get("service-cluster-ip-range", "10.0.0.0/24").split(","))
    out.node_port_low, out.node_port_high = _ports(flags.get("service-node-port-range", "30000-32767"))
    out.not_ready_seconds = _whole(flags, "default-not-ready-toleration-seconds", 300)
    out.unreachable_seconds = _whole(flags, "default-unreachable-toleration-seconds", 300)
    out.event_ttl = _duration(flags, "event-ttl", HOUR) // SECOND
    out.allow_privileged = flags.get("allow-privileged", "false") == "true"
    for name in ("tls-min-version",):
        if flags.get(name, "") not in TLS_VERSIONS:
            raise FlagError(f"unknown tls version {flags[name]!r}".replace("'", '"'))
    out.authorization_modes = flags.get("authorization-mode", "AlwaysAllow").split(",")
    for mode in out.authorization_modes:
        if mode not in ("Node", "RBAC", "AlwaysAllow", "AlwaysDeny", "ABAC", "Webhook"):
            raise FlagError(f'authorization-mode "{mode}" is not a valid mode')
    out.admission_plugins, out.disabled_plugins = _plugins(flags)
    out.anonymous = flags.get("anonymous-auth", "true") == "true"
    out.bootstrap_tokens = flags.get("enable-bootstrap-token-auth", "false") == "true"
    issuer = flags.get("service-account-issuer", "").split(",")[0]
    if not issuer:
        raise FlagError("service-account-issuer is a required flag")
    out.service_account_issuer = issuer
    if not flags.get("service-account-signing-key-file"):
        raise FlagError("service-account-signing-key-file is a required flag")
    return _files(out, flags, read)


def _service_ranges(out: Config, texts: list[str]) -> None:
    """One range, or two of both families (`cmd/kube-apiserver/app/options/completion.go`, `validation.go`); raises FlagError."""
    found = []
    for number, text in enumerate(texts):
        try:
            if "/" not in text:
                raise ValueError(text)
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            what = "a valid cidr" if number == 0 else "an ip net"
            raise FlagError(f"service-cluster-ip-range[{number}] is not {what}") from None
    if found[0].num_addresses < 8:
        why = "the service cluster IP range must be at least 8 IP addresses"
        raise FlagError(f"error determining service IP ranges for primary service cidr: {why}")
    if len(found) > 2:
        raise FlagError("--service-cluster-ip-range must not contain more than two entries")
    if len(found) == 2 and found[0].version == found[1].version:
        raise FlagError("--service-cluster-ip-range[0] and --service-cluster-ip-range[1] must be of different IP family")
    out.service_cidr, out.second_service_cidr = str(found[0]), str(found[1]) if len(found) > 1 else ""


def _duration(flags: dict[str, str], name: str, default: int) -> int:
    """A duration flag in nanoseconds; raises FlagError."""
    text = flags.get(name, "")
    if not text:
        return default
    try:
        return parse_duration(text)
    except ValueError as error:
        raise FlagError(f'invalid argument "{text}" for "--{name}" flag: {error}') from None


def _whole(flags: dict[str, str], name: str, default: int) -> int:
    """An int64 flag; raises FlagError."""
    text = flags.get(name, str(default))
    if not re.fullmatch(r"[+-]?\d+", text):
        why = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        raise FlagError(f'invalid argument "{text}" for "--{name}" flag: {why}')
    return int(text)


def _ports(text: str) -> tuple[int, int]:
    """First and last of `30000-32767`, `30000+2767` or one port (apimachinery/pkg/util/net/port_range.go); raises FlagError."""
    found = re.fullmatch(r"(\d+)(?:([-+])(\d+))?", text.strip())
    flag = f'invalid argument "{text}" for "--service-node-port-range" flag'
    if found is None:
        raise FlagError(f"{flag}: unable to parse port range: {text}")
    low = int(found[1])
    high = low if found[2] is None else int(found[3]) if found[2] == "-" else low + int(found[3])
    if low > 65535 or high > 65535:
        raise FlagError(f"{flag}: the port range cannot be greater than 65535: {text}")
    if high < low:
        raise FlagError(f"{flag}: end port cannot be less than start port: {text}")
    return low, high


def _optional(out: Config, flags: dict[str, str], read: Callable[[str], bytes]) -> None:
    """The audit policy and the encryption configuration."""
    policy = flags.get("audit-policy-file", "")
    out.audit_log = flags.get("audit-log-path", "")
    if policy:
        try:
            out.audit_rules = audit.parse(read(policy), policy)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise FlagError(f'loading audit policy file: failed to read file path "{policy}": open {policy}: {reason}') from None
        except audit.BadPolicy as problem:
            raise FlagError(f"loading audit policy file: {problem}") from None
    config_path = flags.get("encryption-provider-config", "")
    if config_path:
        try:
            out.encryption = encryption.parse(read(config_path))
        except OSError as error:
            reason = (error.strerror or "").lower()
            why = f'error opening encryption provider configuration file "{config_path}": open {config_path}: {reason}'
            raise FlagError(f"failed to create storage factory: {why}") from None
        except encryption.BadConfig as wrong:
            raise FlagError(f"failed to create storage factory: {wrong}") from None


def _plugins(flags: dict[str, str]) -> tuple[list[str], list[str]]:
    """The admission plugins that are switched on and off (`kubeapiserver/options/admission.go`)."""
    found: list[list[str]] = []
    for flag in ("enable-admission-plugins", "disable-admission-plugins"):
        names = [name for name in flags.get(flag, "").split(",") if name]
        for name in names:
            if name not in admission.KNOWN:
                raise FlagError(f'{flag} plugin "{name}" is unknown')
        found.append(names)
    on, off = found
    both = sorted(set(on) & set(off))
    if both:
        raise FlagError(f"[{' '.join(both)}] in enable-admission-plugins and disable-admission-plugins overlapped")
    missing = [name for name in on if name in admission.NOT_SIMULATED_OFF]
    if missing:
        raise FlagError(f"admission plugin {missing[0]}: not simulated in Slipway yet")
    return on, off


def _files(out: Config, flags: dict[str, str], read: Callable[[str], bytes]) -> Config:
    """Read the files that the flags name."""

    def content(flag: str, message: str) -> bytes:
        path = flags.get(flag, "")
        if not path:
            return b""
        try:
            return read(path)
        except OSError as error:
            raise FlagError(message.format(path=path, error=(error.strerror or "no such file or directory").lower())) from None

    out.client_ca = content("client-ca-file", "open {path}: {error}")
    content("tls-cert-file", "failed to load tls cert/key pair: open {path}: {error}")
    content("tls-private-key-file", "failed to load tls cert/key pair: open {path}: {error}")
    content("etcd-cafile", "open {path}: {error}")
    content("etcd-certfile", "open {path}: {error}")
    out.service_account_key = content(
        "service-account-signing-key-file", "failed to parse service-account-issuer-key-file: open {path}: {error}"
    )
    out.kubelet_cert = content("kubelet-client-certificate", "open {path}: {error}")
    out.front_proxy_ca = content("requestheader-client-ca-file", "open {path}: {error}")
    _optional(out, flags, read)
    tokens = content("token-auth-file", "open {path}: {error}")
    for line in tokens.decode("utf-8", "replace").splitlines():
        cells = [cell.strip().strip('"') for cell in line.split(",", 3)]
        if len(cells) >= 3 and cells[0]:
            groups = [g.strip() for g in cells[3].split(",")] if len(cells) > 3 else []
            out.tokens[cells[0]] = [cells[1], cells[2], *[g for g in groups if g]]
    return out
