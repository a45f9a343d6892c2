"""Validation of configurations, in kubeadm's words (apis/kubeadm/validation/validation.go)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ...host.x509 import ALGORITHMS
from ...kube.kubeadm.manifests import argument
from .documents import TOKEN
from .run import Failure, Run

if TYPE_CHECKING:
    from .config import InitConfig

Json = dict[str, Any]
FEATURES = ("NodeLocalCRISocket", "PublicKeysECDSA", "RootlessControlPlane")

_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_WILDCARD = re.compile(r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_WILDCARD_TEXT = (
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric "
    "characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is "
    "'\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_REPOSITORY = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9.]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_GROUP = re.compile(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]")
USAGES = ("signing", "authentication")


def raise_for(problems: list[str]) -> None:
    """Raise what an ErrorList's aggregate says: one as it is, more in brackets, each once."""
    unique = list(dict.fromkeys(problems))
    if unique:
        raise Failure(unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]")


def invalid(path: str, value: Any, text: str) -> str:
    """`field.Invalid`."""
    shown = value if isinstance(value, int) else _go_value(value)
    return f"{path}: Invalid value: {shown}: {text}"


def _go_value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ",".join(f'"{item}"' for item in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def required(path: str, text: str) -> str:
    """`field.Required`."""
    return f"{path}: Required value: {text}"


def is_address(text: str) -> bool:
    """Whether it is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def parse_host_port(text: str) -> tuple[str, str]:
    """(host, port or "") of an endpoint (`ParseHostPort`); raises Failure."""
    host, port = text, ""
    match = re.fullmatch(r"\[([^\]]*)\]:(.*)|([^:]*):(.*)", text)
    if match:
        host, port = (match[1] or match[3] or ""), (match[2] or match[4] or "")
        if not port.isdigit() or not 1 <= int(port) <= 65535:
            raise Failure(f"hostport {text}: port {port} must be a valid number between 1 and 65535, inclusive")
    host = host.strip("[]")
    if is_address(host):
        return host, port
    if _SUBDOMAIN.fullmatch(host):
        return host, port
    raise Failure(f"hostport {text}: host '{host}' must be a valid IP address or a valid RFC-1123 DNS subdomain")


def subdomain(path: str, value: str) -> list[str]:
    """IsDNS1123Subdomain."""
    out = []
    if len(value) > 253:
        out.append(invalid(path, value, "must be no more than 253 characters"))
    if _SUBDOMAIN.fullmatch(value) is None:
        out.append(invalid(path, value, SUBDOMAIN_TEXT))
    return out


def token(path: str, value: str) -> list[str]:
    """A bootstrap token."""
    return [] if TOKEN.fullmatch(value) else [invalid(path, value, "the bootstrap token is invalid")]


def registration(value: Json, path: str = "nodeRegistration") -> list[str]:
    """A nodeRegistration."""
    name = str(value.get("name") or "")
    out = (
        subdomain(f"{path}.name", name)
        if name
        else [
            required(
                path,
                "--node-name or .nodeRegistration.name in the config file is a required value. It seems like this value couldn't be "
                "automatically detected in your environment, please specify the desired value using the CLI or config file.",
            )
        ]
    )
    out += socket(str(value.get("criSocket") or ""), f"{path}.criSocket")
    out += extra_args(value.get("kubeletExtraArgs"), f"{path}.kubeletExtraArgs")
    return out + pull_policy(value.get("imagePullPolicy"), f"{path}.imagePullPolicy")


def socket(value: str, path: str) -> list[str]:
    """A runtime endpoint."""
    if not value:
        return [invalid(path, value, "empty CRI socket")]
    scheme = urlsplit(value).scheme
    return [] if scheme == "unix" else [invalid(path, value, f'only URL scheme "unix" is supported, got "{scheme}"')]


def pull_policy(value: Any, path: str) -> list[str]:
    """An imagePullPolicy."""
    return [] if value in (None, "", "Always", "IfNotPresent", "Never") else [invalid(path, value, "invalid pull policy")]


def extra_args(value: Iterable[Json] | None, path: str) -> list[str]:
    """Extra arguments have names."""
    return [invalid(path, f"index {at}", "argument has no name") for at, arg in enumerate(value or ()) if not arg.get("name")]


def sans(names: Iterable[str] | None, path: str) -> list[str]:
    """Alternative names of a certificate."""
    out = []
    for name in names or ():
        if not (_SUBDOMAIN.fullmatch(name) or _WILDCARD.fullmatch(name) or is_address(name)):
            text = "altname is not a valid IP address, DNS label or a DNS label with subdomain wildcards"
            out.append(invalid(path, name, f"{text}: {SUBDOMAIN_TEXT}; {_WILDCARD_TEXT}"))
    return out


def subnets(value: str, least: int, path: str) -> list[str]:
    """One CIDR, or one of each family."""
    try:
        found = [ipaddress.ip_network(part.strip(), strict=False) for part in value.split(",")]
    except ValueError:
        return [invalid(path, value, "couldn't parse subnet")]
    out = []
    if len(found) > 2 or (len(found) == 2 and found[0].version == found[1].version):
        text = "expected one (IPv4 or IPv6) CIDR or two CIDRs from each family for dual-stack networking"
        out.append(invalid(path, value, text))
    for net in found:
        if net.num_addresses < least:
            text = f"subnet with {net.num_addresses} address(es) is too small, the minimum is {least}"
            out.append(invalid(path, str(net), text))
    return out


def networking(cluster: Json) -> list[str]:
    """Subnets and the domain."""
    net = cluster["networking"]
    out = subdomain("networking.dnsDomain", str(net.get("dnsDomain") or ""))
    service, pods = str(net.get("serviceSubnet") or ""), str(net.get("podSubnet") or "")
    if service:
        found = subnets(service, 10, "networking.serviceSubnet")
        out += found
        if not any("couldn't parse" in text for text in found):
            for one in (ipaddress.ip_network(part.strip(), strict=False) for part in service.split(",")):
                if one.max_prefixlen - one.prefixlen > 20:
                    text = (
                        f"specified service subnet is too large; for {one.max_prefixlen}-bit addresses, the mask must be >= "
                        f"{one.max_prefixlen - 20}"
                    )
                    out.append(invalid("networking.serviceSubnet", str(one), text))
    if pods:
        found = subnets(pods, 14, "networking.podSubnet")
        out += found
        manager = cluster.get("controllerManager") or {}
        if argument(manager, "allocate-node-cidrs") != "false" and not any("couldn't parse" in text for text in found):
            out += _node_masks(pods, manager)
    return out


def _node_masks(pods: str, manager: Json) -> list[str]:
    out = []
    for one in (ipaddress.ip_network(part.strip(), strict=False) for part in pods.split(",")):
        given = argument(manager, f"node-cidr-mask-size-ipv{one.version}")
        mask = int(given) if given and given.isdigit() else 24 if one.version == 4 else 64
        if one.prefixlen > mask:
            text = f"the size of pod subnet with mask {one.prefixlen} is smaller than the size of node subnet with mask {mask}"
        elif mask - one.prefixlen > 16:
            text = f"pod subnet mask ({one.prefixlen}) and node-mask ({mask}) difference is greater than 16"
        else:
            continue
        out.append(invalid("networking.podSubnet", str(one), text))
    return out


def repository(value: str, path: str) -> list[str]:
    """An image repository."""
    return [] if _REPOSITORY.fullmatch(value) else [invalid(path, value, "invalid image repository format")]


def absolute(value: str, path: str) -> list[str]:
    """A path that begins with a slash."""
    return [] if value.startswith("/") else [invalid(path, value, "path is not absolute")]


def etcd(value: Json) -> list[str]:
    """Local or external, not both."""
    local, external = value.get("local"), value.get("external")
    if local is None and external is None:
        return [invalid("etcd", "", "either .Etcd.Local or .Etcd.External is required")]
    if local is not None and external is not None:
        return [invalid("etcd", "", ".Etcd.Local and .Etcd.External are mutually exclusive")]
    if local is not None:
        out = absolute(str(local.get("dataDir") or ""), "etcd.local.dataDir")
        out += sans(local.get("serverCertSANs"), "etcd.local.serverCertSANs")
        out += sans(local.get("peerCertSANs"), "etcd.local.peerCertSANs")
        if local.get("imageRepository"):
            out += repository(local["imageRepository"], "etcd.local.imageRepository")
        return out + extra_args(local.get("extraArgs"), "etcd.local.extraArgs")
    assert external is not None
    return _external_etcd(external)


def _external_etcd(value: Json) -> list[str]:
    path, out = "etcd.external", []
    ca, cert, key = (str(value.get(name) or "") for name in ("caFile", "certFile", "keyFile"))
    if bool(cert) != bool(key):
        out.append(invalid(path, "", "either both or none of .Etcd.External.CertFile and .Etcd.External.KeyFile must be set"))
    if cert and key and not ca:
        out.append(invalid(path, "", "setting .Etcd.External.CertFile and .Etcd.External.KeyFile requires .Etcd.External.CAFile"))
    if not value.get("endpoints"):
        out.append(invalid(f"{path}.endpoints", "", "at least one endpoint must be specified"))
    for url in value.get("endpoints") or ():
        scheme = urlsplit(url).scheme
        if (ca or cert or key) and scheme != "https":
            out.append(invalid(f"{path}.endpoints", url, "the URL must be using the HTTPS scheme"))
        if not scheme:
            out.append(invalid(f"{path}.endpoints", url, "the URL without scheme is not allowed"))
    for name, text in (("caFile", ca), ("certFile", cert), ("keyFile", key)):
        if text:
            out += absolute(text, f"{path}.{name}")
    return out


def cluster_configuration(run: Run, cluster: Json) -> list[str]:
    """A ClusterConfiguration."""
    out: list[str] = []
    if (cluster.get("dns") or {}).get("imageRepository"):
        out += repository(cluster["dns"]["imageRepository"], "dns.imageRepository")
    out += networking(cluster)
    out += sans((cluster.get("apiServer") or {}).get("certSANs"), "apiServer.certSANs")
    for name in ("apiServer", "controllerManager", "scheduler"):
        out += extra_args((cluster.get(name) or {}).get("extraArgs"), f"{name}.extraArgs")
    out += absolute(cluster["certificatesDir"], "certificatesDir")
    gates = cluster.get("featureGates") or {}
    for name in sorted(gates):
        if name not in FEATURES:
            shown = "{" + ",".join(f'"{key}":{str(value).lower()}' for key, value in sorted(gates.items())) + "}"
            out.append(f"featureGates: Invalid value: {shown}: {name} is not a valid feature name.")
    endpoint = str(cluster.get("controlPlaneEndpoint") or "")
    if endpoint:
        try:
            parse_host_port(endpoint)
        except Failure:
            out.append(invalid("controlPlaneEndpoint", endpoint, "endpoint is not valid"))
    out += repository(cluster["imageRepository"], "imageRepository")
    out += etcd(cluster["etcd"])
    algorithm = cluster["encryptionAlgorithm"]
    if algorithm not in ALGORITHMS:
        text = f'Invalid encryption algorithm "{algorithm}". Must be one of [{" ".join(ALGORITHMS)}]'
        out.append(invalid("encryptionAlgorithm", algorithm, text))
    _warn_of_validity(run, cluster)
    return out


def _warn_of_validity(run: Run, cluster: Json) -> None:
    from ...kube.component import parse_duration

    own, ca = (parse_duration(cluster[name]) for name in ("certificateValidityPeriod", "caCertificateValidityPeriod"))
    if own > 8760 * 3600 * 10**9:
        text = "is more than the recommended default for certificate expiration: 8760h0m0s"
        _validity(run, f"certificateValidityPeriod: the value {cluster['certificateValidityPeriod']} {text}")
    if ca > 87600 * 3600 * 10**9:
        text = "is more than the recommended default for CA certificate expiration: 87600h0m0s"
        _validity(run, f"caCertificateValidityPeriod: the value {cluster['caCertificateValidityPeriod']} {text}")
    if own > ca:
        text = f"is more than the caCertificateValidityPeriod: {cluster['caCertificateValidityPeriod']}"
        _validity(run, f"certificateValidityPeriod: the value {cluster['certificateValidityPeriod']} {text}")


def _validity(run: Run, text: str) -> None:
    run.warn("validation.go:85", f"WARNING: {text}")


def api_endpoint(value: Json, path: str) -> list[str]:
    """An address and a port."""
    address, port = str(value.get("advertiseAddress") or ""), int(value.get("bindPort") or 0)
    out = [] if is_address(address) else [invalid(f"{path}.advertiseAddress", address, "ip address is not valid")]
    return out if 1 <= port <= 65535 else [*out, invalid(f"{path}.bindPort", port, "port number is not valid")]


def certificate_key(value: str, path: str) -> list[str]:
    """A hex key of 32 bytes, or none."""
    if not value:
        return []
    wrong = next((char for char in value if char not in "0123456789abcdefABCDEF"), "")
    if wrong:
        text = f"certificate key decoding error: encoding/hex: invalid byte: U+{ord(wrong):04X} '{wrong}'"
        return [invalid(path, value, text)]
    if len(value) % 2:
        return [invalid(path, value, "certificate key decoding error: encoding/hex: odd length hex string")]
    if len(value) != 64:
        text = f"invalid certificate key size {len(value) // 2}, the key must be an AES key of size 32"
        return [invalid(path, value, text)]
    return []


def bootstrap_tokens(tokens: list[Json], path: str) -> list[str]:
    """Tokens, their usages and groups."""
    out = []
    for at, item in enumerate(tokens):
        where = f"{path}.{at}"
        out += token(f"{where}.token", str(item.get("token") or ""))
        usages, groups = list(item.get("usages") or ()), list(item.get("groups") or ())
        bad = [usage for usage in usages if usage not in USAGES]
        if bad:
            text = f"invalid bootstrap token usage string: {', '.join(sorted(bad))}, valid usage options: {', '.join(USAGES)}"
            out.append(invalid(f"{where}.usages", usages, text))
        if groups and "authentication" not in usages:
            out.append(
                invalid(f"{where}.groups", groups, 'token groups cannot be specified unless --usages includes "authentication"')
            )
        for group in groups:
            if _GROUP.fullmatch(group) is None:
                text = f'bootstrap group "{group}" is invalid (must match \\Asystem:bootstrappers:[a-z0-9:-]{{0,255}}[a-z0-9]\\z)'
                out.append(invalid(f"{where}.groups", groups, text))
        if item.get("expires") and item.get("ttl"):
            out.append(invalid(where, "", "the BootstrapToken .TTL and .Expires fields are mutually exclusive"))
    return out


def init_configuration(run: Run, config: InitConfig) -> list[str]:
    """An InitConfiguration and its ClusterConfiguration."""
    out = registration(config.init["nodeRegistration"])
    out += bootstrap_tokens(config.init["bootstrapTokens"], "bootstrapTokens")
    out += cluster_configuration(run, config.cluster)
    out += api_endpoint(config.init["localAPIEndpoint"], "localAPIEndpoint")
    return out + certificate_key(str(config.init.get("certificateKey") or ""), "certificateKey")


def join_configuration(run: Run, body: Json) -> list[str]:
    """A JoinConfiguration."""
    out = _discovery(run, body["discovery"])
    out += registration(body["nodeRegistration"])
    plane = body.get("controlPlane")
    if plane is not None:
        out += api_endpoint(plane["localAPIEndpoint"], "controlPlane.localAPIEndpoint")
        out += certificate_key(str(plane.get("certificateKey") or ""), "controlPlane.certificateKey")
    if not (body["caCertPath"].startswith("/") and body["caCertPath"].endswith(".crt")):
        out.append(invalid("caCertPath", body["caCertPath"], "the ca certificate path must be an absolute path"))
    return out


def _discovery(run: Run, value: Json) -> list[str]:
    out: list[str] = []
    by_token, by_file = value.get("bootstrapToken"), value.get("file")
    if by_token is None and by_file is None:
        out.append(invalid("discovery", "", "bootstrapToken or file must be set"))
    if by_token is not None and by_file is not None:
        out.append(invalid("discovery", "", "bootstrapToken and file cannot both be set"))
    bootstrap = str(value.get("tlsBootstrapToken") or "")
    if by_token is not None:
        path, endpoint = "discovery.bootstrapToken", str(by_token.get("apiServerEndpoint") or "")
        if not endpoint:
            out.append(required(path, "APIServerEndpoint is not set"))
        if not by_token.get("caCertHashes") and not by_token.get("unsafeSkipCAVerification"):
            text = (
                "using token-based discovery without caCertHashes can be unsafe. Set unsafeSkipCAVerification as true in your kubeadm "
                "config file or pass --discovery-token-unsafe-skip-ca-verification flag to continue"
            )
            out.append(invalid(f"{path}.caCertHashes", "", text))
        out += token(f"{path}.token", str(by_token.get("token") or ""))
        if ":" not in endpoint:
            out.append(
                invalid(
                    f"{path}.apiServerEndpoint",
                    endpoint,
                    f"address {endpoint}: missing port in address" if endpoint else "missing port in address",
                )
            )
        out += token("discovery.tlsBootstrapToken", bootstrap)
    if by_file is not None:
        where = str(by_file.get("kubeConfigPath") or "")
        scheme = urlsplit(where).scheme
        if (not scheme and not run.exists(where)) or not where:
            out.append(invalid("discovery.file.kubeConfigPath", where, "not a valid HTTPS URL or a file on disk"))
        elif scheme and scheme != "https":
            out.append(invalid("discovery.file.kubeConfigPath", where, "if a URL is used, the scheme must be https"))
        if bootstrap:
            out += token("discovery.tlsBootstrapToken", bootstrap)
    return out


#: Flags that may stand beside --config (isAllowedFlag).
_BESIDE_CONFIG = frozenset(
    "config ignore-preflight-errors dry-run kubeconfig node-name kubeconfig-dir upload-certs print-manifest allow-missing-template-keys "
    "output show-managed-fields print-join-command rootfs v log-file yes".split()
)


def mixed_arguments(run: Run) -> None:
    """Refuse flags that a configuration file replaces."""
    if "config" not in run.values.changed:
        return
    mixed = sorted(name for name in run.values.changed if name not in _BESIDE_CONFIG and not name.startswith("skip-"))
    if mixed:
        raise Failure(f"can not mix '--config' with arguments [{' '.join(mixed)}]")


def ignored_checks(given: Iterable[str], configured: Iterable[str] = ()) -> set[str]:
    """The checks whose errors are warnings, in lower case."""
    found = {item.lower() for item in (*configured, *given)}
    if "all" in found and len(found) > 1:
        raise Failure(
            invalid("ignore-preflight-errors", ",".join(sorted(found)), "don't specify individual checks if 'all' is used")
        )
    return found


def feature_gates(run: Run, text: str) -> dict[str, bool]:
    """`--feature-gates` (features.NewFeatureGate)."""
    out: dict[str, bool] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise Failure(f"missing bool value for feature-gate key:{part}")
        if name not in FEATURES:
            raise Failure(f"unrecognized feature-gate key: {name}")
        if name == "PublicKeysECDSA":
            run.warn(
                "features.go:166", f"Setting deprecated feature gate {name}={value}. It will be removed in a future release."
            )
        if value.lower() not in ("true", "false", "1", "0", "t", "f"):
            raise Failure(f"invalid value {value} for feature-gate key: {name}, use true|false instead")
        out[name] = value.lower() in ("true", "1", "t")
    return out
