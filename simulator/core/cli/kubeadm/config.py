"""Configurations as commands use them: defaults, what depends on the machine, and loading (util/config, v1beta4/defaults.go)."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from typing import Any

from ...kernel import network, versions
from ...kube.component import parse_duration
from ...kube.kubeadm import addons
from . import documents, types, validation
from .online import resolve_label
from .run import Failure, Run, go_error

Json = dict[str, Any]

DEFAULT_SOCKET = "unix:///var/run/containerd/containerd.sock"
#: Sockets that kubeadm looks for, on Linux.
SOCKETS = (
    "unix:///var/run/containerd/containerd.sock",
    "unix:///var/run/crio/crio.sock",
    "unix:///var/run/cri-dockerd.sock",
)
CONTROL_PLANE_TAINT = {"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}
PLACEHOLDER = "abcdef.0123456789abcdef"
TIMEOUTS = {
    "controlPlaneComponentHealthCheck": "4m0s", "discovery": "5m0s", "etcdAPICall": "2m0s", "kubeletHealthCheck": "4m0s",
    "kubernetesAPICall": "1m0s", "tlsBootstrap": "5m0s", "upgradeManifests": "5m0s",
}  # fmt: skip


class InitConfig:
    """What init, certs, tokens … work from: the InitConfiguration and the ClusterConfiguration (JSON of v1beta4), and the kubelet's and
    kube-proxy's configuration."""

    def __init__(self, init: Json, cluster: Json) -> None:
        self.init, self.cluster = init, cluster
        self.kubelet: Json = {}
        self.proxy: Json = {}
        self.user_supplied: set[str] = set()

    @property
    def node(self) -> str:
        """The node's name."""
        return str(self.init["nodeRegistration"]["name"])

    @property
    def ip(self) -> str:
        """The address that this machine's API server advertises."""
        return str(self.init["localAPIEndpoint"]["advertiseAddress"])

    @property
    def port(self) -> int:
        """The port of this machine's API server."""
        return int(self.init["localAPIEndpoint"]["bindPort"])

    @property
    def local_server(self) -> str:
        """`https://IP:PORT` of this machine's API server."""
        return f"https://{self.ip}:{self.port}"

    @property
    def server(self) -> str:
        """`https://…` of the cluster: its control plane endpoint, or this machine's API server."""
        endpoint = self.cluster.get("controlPlaneEndpoint")
        return f"https://{endpoint}" if endpoint else self.local_server

    @property
    def pki(self) -> str:
        """The directory of certificates."""
        return str(self.cluster["certificatesDir"])

    @property
    def external_etcd(self) -> Json | None:
        """The external etcd, if it is that."""
        return (self.cluster.get("etcd") or {}).get("external")

    @property
    def socket(self) -> str:
        """The runtime's endpoint."""
        return str(self.init["nodeRegistration"]["criSocket"])

    def timeout(self, name: str) -> int:
        """One of the timeouts, ns."""
        return parse_duration(str((self.init.get("timeouts") or TIMEOUTS).get(name) or TIMEOUTS[name]))

    def validity(self, *, authority: bool) -> int:
        """How long certificates are good for, seconds."""
        name = "caCertificateValidityPeriod" if authority else "certificateValidityPeriod"
        return parse_duration(str(self.cluster[name])) // 10**9


# -- defaults ---------------------------------------------------------------------------------------------------------------


def default_registration(body: Json) -> Json:
    """A nodeRegistration's static defaults."""
    registration: Json = body.setdefault("nodeRegistration", {})
    registration.setdefault("imagePullPolicy", "IfNotPresent")
    if registration.get("imagePullSerial") is None:
        registration["imagePullSerial"] = True
    return registration


def default_timeouts(body: Json) -> None:
    """All timeouts."""
    body["timeouts"] = {**TIMEOUTS, **(body.get("timeouts") or {})}


def default_token(token: Json) -> Json:
    """A bootstrap token's static defaults."""
    if not token.get("expires"):
        token.setdefault("ttl", "24h0m0s")
    token.setdefault("usages", ["signing", "authentication"])
    token.setdefault("groups", ["system:bootstrappers:kubeadm:default-node-token"])
    return token


def default_init(body: Json) -> Json:
    """SetDefaults_InitConfiguration."""
    tokens = body.get("bootstrapTokens") or [{}]
    body["bootstrapTokens"] = [default_token(token) for token in tokens]
    default_registration(body)
    endpoint = body.setdefault("localAPIEndpoint", {})
    endpoint["bindPort"] = endpoint.get("bindPort") or 6443
    default_timeouts(body)
    return body


def default_cluster(body: Json) -> Json:
    """SetDefaults_ClusterConfiguration."""
    for name in ("apiServer", "controllerManager", "scheduler", "dns", "proxy"):
        body.setdefault(name, {})
    defaults = {
        "kubernetesVersion": "stable-1", "certificatesDir": "/etc/kubernetes/pki", "imageRepository": "registry.k8s.io",
        "clusterName": "kubernetes", "encryptionAlgorithm": "RSA-2048", "certificateValidityPeriod": "8760h0m0s",
        "caCertificateValidityPeriod": "87600h0m0s",
    }  # fmt: skip
    for name, value in defaults.items():
        body[name] = body.get(name) or value
    net = body.setdefault("networking", {})
    net["serviceSubnet"] = net.get("serviceSubnet") or "10.96.0.0/12"
    net["dnsDomain"] = net.get("dnsDomain") or "cluster.local"
    etcd = body.setdefault("etcd", {})
    if not etcd.get("external") and "local" not in etcd:
        etcd["local"] = {}
    if "local" in etcd and etcd["local"] is not None:
        etcd["local"]["dataDir"] = etcd["local"].get("dataDir") or "/var/lib/etcd"
    return body


# -- what depends on the machine ----------------------------------------------------------------------------------------------


def new_token(run: Run) -> str:
    """A random bootstrap token."""
    alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"
    rng = run.world.rng("kubeadm")
    return f"{rng.token(6, alphabet)}.{rng.token(16, alphabet)}"


def hostname(run: Run, override: str = "") -> str:
    """`nodeutil.GetHostname`."""
    name = (override or run.host.name).strip().lower()
    if not name:
        raise Failure("empty hostname is invalid")
    return name


def detect_socket(run: Run) -> str:
    """The one runtime socket of the machine (`DetectCRISocket`)."""
    found = [socket for socket in SOCKETS if run.exists(socket.removeprefix("unix://"))]
    if len(found) > 1:
        raise Failure(
            "found multiple CRI endpoints on the host. Please define which one do you wish to use by setting the 'criSocket' field in the "
            f"kubeadm configuration file: {', '.join(item.replace('/var/run/', '/var/run/') for item in found)}"
        )
    return found[0] if found else DEFAULT_SOCKET


def dynamic_registration(run: Run, registration: Json, *, control_plane: bool, detect: bool) -> None:
    """Node name, taints, socket (`SetNodeRegistrationDynamicDefaults`)."""
    registration["name"] = hostname(run, str(registration.get("name") or ""))
    if control_plane and registration.get("taints") is None:
        registration["taints"] = [dict(CONTROL_PLANE_TAINT)]
    socket = registration.get("criSocket")
    if not socket:
        registration["criSocket"] = detect_socket(run) if detect else DEFAULT_SOCKET
    elif not socket.startswith("unix"):
        run.warn(
            "initconfiguration.go:131",
            "Usage of CRI endpoints without URL scheme is deprecated and can cause kubelet errors in the future. Automatically prepending "
            f'scheme "unix" to the "criSocket" with value "{socket}". Please update your configuration!',
        )
        registration["criSocket"] = f"unix://{socket}"


def own_address(run: Run) -> str:
    """The address of the default route's interface."""
    found = network.network(run.world).namespaces.get(run.inv.proc.netns)
    return found.ips[0] if found and found.ips else "0.0.0.0"


def dynamic_endpoint(run: Run, endpoint: Json) -> None:
    """The address to advertise (`SetAPIEndpointDynamicDefaults`)."""
    given = str(endpoint.get("advertiseAddress") or "")
    if given:
        try:
            ipaddress.ip_address(given)
        except ValueError:
            raise Failure(f'couldn\'t use "{given}" as "apiserver-advertise-address", must be ipv4 or ipv6 address') from None
        if ipaddress.ip_address(given).is_loopback:
            raise Failure("unable to select an IP from lo network interface")
    if not given or given == "0.0.0.0":
        endpoint["advertiseAddress"] = own_address(run)


_SEMANTIC = re.compile(r"v?([0-9]+)\.([0-9]+)\.([0-9]+)([-+][-+0-9A-Za-z.]*)?")
_LABEL = re.compile(r"(?:(?:ci|release)/)?((?:k8s-master)|((?:latest|stable)+(?:-[1-9](?:\.[1-9](?:[0-9])?)?)?))")


def release_version(run: Run, text: str) -> str:
    """A version or a label of one, as a version (`KubernetesReleaseVersion`): dl.k8s.io says what is stable."""
    if _SEMANTIC.fullmatch(text):
        return text if text.startswith("v") else f"v{text}"
    if _LABEL.fullmatch(text) is None:
        raise Failure(f'version "{text}" doesn\'t match patterns for neither semantic version nor labels (stable, latest, ...)')
    return resolve_label(run, text)


def normalise_version(run: Run, cluster: Json) -> None:
    """`NormalizeKubernetesVersion`."""
    cluster["kubernetesVersion"] = release_version(run, str(cluster["kubernetesVersion"]))
    minor = documents.tool_minor(cluster["kubernetesVersion"])
    least = documents.tool_minor(run.version) - 1
    if minor < least:
        raise Failure(
            f"this version of kubeadm only supports deploying clusters with the control plane version >= 1.{least}.0. "
            f"Current version: {cluster['kubernetesVersion']}"
        )


def component_defaults(config: InitConfig) -> None:
    """The kubelet's and kube-proxy's configuration under kubeadm's defaults (componentconfigs)."""
    cluster = config.cluster
    first = ipaddress.ip_network(cluster["networking"]["serviceSubnet"].split(",")[0], strict=False)
    kubelet = addons.kubelet_configuration(
        dns=str(first[10]) if first.num_addresses > 10 else "10.96.0.10",
        domain=cluster["networking"]["dnsDomain"],
        ca=f"{cluster['certificatesDir']}/ca.crt",
    )
    config.kubelet = _over(kubelet, config.kubelet)
    proxy = addons.proxy_configuration(cluster["networking"].get("podSubnet") or "")
    config.proxy = _over(proxy, config.proxy)


def _over(base: Json, given: Json) -> Json:
    """`given` laid over `base`, maps merged."""
    out = dict(base)
    for key, value in given.items():
        out[key] = _over(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


def dynamic_cluster(run: Run, config: InitConfig) -> None:
    """Version, endpoint's port, lower-case names (`SetClusterDynamicDefaults`)."""
    cluster = config.cluster
    with contextlib.suppress(ValueError):  # validation says what is wrong with the subnet
        component_defaults(config)
    normalise_version(run, cluster)
    endpoint = str(cluster.get("controlPlaneEndpoint") or "")
    if endpoint:
        host, port = validation.parse_host_port(endpoint)
        if not port:
            cluster["controlPlaneEndpoint"] = f"{host}:{config.port}"
    names = (cluster.get("apiServer") or {}).get("certSANs")
    if names:
        cluster["apiServer"]["certSANs"] = [str(name).lower() for name in names]


def complete(run: Run, config: InitConfig, *, detect: bool, endpoint: bool = True) -> InitConfig:
    """Everything that the machine decides (`SetInitDynamicDefaults`)."""
    for token in config.init["bootstrapTokens"]:
        token["token"] = token.get("token") or new_token(run)
    dynamic_registration(run, config.init["nodeRegistration"], control_plane=True, detect=detect)
    if endpoint:
        dynamic_endpoint(run, config.init["localAPIEndpoint"])
    dynamic_cluster(run, config)
    return config


# -- loading ------------------------------------------------------------------------------------------------------------------


def from_flags(run: Run, init: Json, cluster: Json, *, detect: bool) -> InitConfig:
    """`DefaultedInitConfiguration`: from what flags say."""
    config = complete(run, InitConfig(default_init(init), default_cluster(cluster)), detect=detect)
    validation.raise_for(validation.init_configuration(run, config))
    return config


def load_init(run: Run, path: str, *, detect: bool) -> InitConfig:
    """`LoadInitConfigurationFromFile`."""
    try:
        text = run.read(path)
    except OSError as error:
        raise Failure(f'unable to read config from "{path}" : {go_error(error)}') from None
    return init_of(run, documents.split(text.decode("utf-8", "replace")), detect=detect)


def init_of(
    run: Run, found: dict[documents.Gvk, Json], *, detect: bool, strict: bool = False, allow_deprecated: bool = False
) -> InitConfig:
    """`documentMapToInitConfiguration`."""
    init: Json | None = None
    cluster: Json | None = None
    components: dict[str, Json] = {}
    for gvk in sorted(found, key=lambda item: f"{item[0]}/{item[1]}, Kind={item[2]}"):
        documents.check_version(run, gvk, allow_deprecated=allow_deprecated)
        if not documents.known(gvk):
            problem = f"unknown configuration {documents.go_gvk(gvk)}"
        else:
            problem = documents.strict_problems(gvk, found[gvk])
        if problem and strict:
            raise Failure(problem)
        if problem:
            run.warn("initconfiguration.go:361", problem)
        if gvk[2] == "InitConfiguration":
            init = documents.decode(gvk, found[gvk])
        elif gvk[2] == "ClusterConfiguration":
            cluster = documents.decode(gvk, found[gvk])
        elif gvk[2] in documents.COMPONENT_KINDS:
            components[gvk[2]] = {k: v for k, v in found[gvk].items() if v is not None}
        elif gvk[0] != types.GROUP or gvk[2] not in types.KINDS:
            run.warn(
                "initconfiguration.go:384",
                f"[config] WARNING: Ignored configuration document with GroupVersionKind {gvk[0]}/{gvk[1]}, Kind={gvk[2]}\n",
            )
    if init is None and cluster is None:
        raise Failure("no InitConfiguration or ClusterConfiguration kind was found in the configuration file")
    waited = (cluster or {}).pop("_timeout", None)
    config = InitConfig(default_init(init or {}), default_cluster(cluster or {}))
    if waited and waited != "4m0s":
        config.init["timeouts"]["controlPlaneComponentHealthCheck"] = waited
    config.kubelet, config.proxy = components.get("KubeletConfiguration", {}), components.get("KubeProxyConfiguration", {})
    config.user_supplied = set(components)
    complete(run, config, detect=detect)
    validation.raise_for(validation.init_configuration(run, config))
    return config


def static_init() -> InitConfig:
    """What `config print init-defaults` shows: nothing of it comes from the machine."""
    config = InitConfig(default_init({"bootstrapTokens": [{"token": PLACEHOLDER}]}), default_cluster({}))
    config.init["localAPIEndpoint"]["advertiseAddress"] = "1.2.3.4"
    config.init["nodeRegistration"] |= {"criSocket": DEFAULT_SOCKET, "name": "node"}
    return config


def default_join(run: Run, body: Json, *, detect: bool) -> Json:
    """`DefaultedJoinConfiguration`: static and dynamic defaults; not yet validated."""
    body["caCertPath"] = body.get("caCertPath") or "/etc/kubernetes/pki/ca.crt"
    plane = body.get("controlPlane")
    if plane is not None:
        plane.setdefault("localAPIEndpoint", {})
        plane["localAPIEndpoint"]["bindPort"] = plane["localAPIEndpoint"].get("bindPort") or 6443
    discovery = body.setdefault("discovery", {})
    if not discovery.get("tlsBootstrapToken") and discovery.get("bootstrapToken"):
        discovery["tlsBootstrapToken"] = discovery["bootstrapToken"].get("token") or ""
    where = discovery.get("file")
    if where and str(where.get("kubeConfigPath", "")).startswith("file://"):
        where["kubeConfigPath"] = where["kubeConfigPath"].removeprefix("file://")
    default_registration(body)
    default_timeouts(body)
    dynamic_registration(run, body["nodeRegistration"], control_plane=plane is not None, detect=detect)
    if plane is not None:
        dynamic_endpoint(run, plane["localAPIEndpoint"])
    return body


def single(run: Run, found: dict[documents.Gvk, Json], kind: str, *, strict: bool, allow_deprecated: bool) -> Json:
    """The one document of a kind that a file must hold."""
    out: Json | None = None
    for gvk, document in found.items():
        if gvk[2] != kind:
            run.warn(
                "joinconfiguration.go:110",
                f"[config] WARNING: Ignored configuration document with GroupVersionKind {gvk[0]}/{gvk[1]}, Kind={gvk[2]}\n",
            )
            continue
        documents.check_version(run, gvk, allow_deprecated=allow_deprecated)
        problem = documents.strict_problems(gvk, document)
        if problem and strict:
            raise Failure(problem)
        if problem:
            run.warn("joinconfiguration.go:120", problem)
        out = documents.decode(gvk, document)
    if out is None:
        raise Failure(f"no {kind} found in the supplied config")
    return out


def default_reset(run: Run, body: Json, *, detect: bool) -> Json:
    """`DefaultedResetConfiguration`."""
    body["certificatesDir"] = body.get("certificatesDir") or "/etc/kubernetes/pki"
    default_timeouts(body)
    if not body.get("criSocket"):
        body["criSocket"] = detect_socket(run) if detect else DEFAULT_SOCKET
    return body


def default_upgrade(body: Json) -> Json:
    """SetDefaults_UpgradeConfiguration."""
    for name in ("apply", "node", "plan", "diff"):
        body.setdefault(name, {})
    for name in ("apply", "node"):
        section = body[name]
        for key, value in (
            ("certificateRenewal", True),
            ("etcdUpgrade", True),
            ("imagePullPolicy", "IfNotPresent"),
            ("imagePullSerial", True),
        ):
            if section.get(key) is None:
                section[key] = value
    if body["plan"].get("etcdUpgrade") is None:
        body["plan"]["etcdUpgrade"] = True
    default_timeouts(body)
    return body


def minor_of(version: str) -> int:
    """36 of `v1.36.2`."""
    return int(versions.minor_of(version).split(".")[1])
