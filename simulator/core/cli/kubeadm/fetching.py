"""Configuration from the cluster (util/config/cluster.go): kubeadm-config, kubelet-config, kube-proxy, this node's registration."""

from __future__ import annotations

import base64
from collections.abc import Callable, Generator
from typing import Any

from ...host import x509
from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ...kube.kubeadm import addons
from .. import goyaml
from . import cluster, config, documents, kubeconfigs
from .config import InitConfig
from .run import KUBELET_CONF, KUBELET_DIR, MANIFESTS, RETRY, Failure, Run, go_error, reason

Json = dict[str, Any]
NAMESPACE = "kube-system"
SOCKET_ANNOTATION = "kubeadm.alpha.kubernetes.io/cri-socket"


class NotFound(Failure):
    """The ConfigMap is not there."""


def is_control_plane(run: Run) -> bool:
    """Whether this machine has an API server's manifest."""
    return run.exists(f"{MANIFESTS}/kube-apiserver.yaml")


def fetch(
    run: Run,
    client: KubeClient,
    prefix: str,
    *,
    registration: bool,
    endpoint: bool,
    components: bool,
    say: Callable[[str], None] | None = None,
) -> Generator[Wait, Any, InitConfig]:
    """`FetchInitConfigurationFromCluster`; raises Failure."""
    tell = say or run.out
    tell(f'[{prefix}] Reading configuration from the "kubeadm-config" ConfigMap in namespace "kube-system"...\n')
    tell(f"[{prefix}] Use 'kubeadm init phase upload-config kubeadm --config your-config-file' to re-upload it.\n")
    found = yield from _config_map(run, client, "kubeadm-config", "failed to get config map")
    text = (found.get("data") or {}).get("ClusterConfiguration")
    if text is None:
        raise Failure("unexpected error when reading kubeadm-config ConfigMap: ClusterConfiguration key value pair missing")
    cfg = InitConfig(config.default_init({}), config.default_cluster(_cluster(run, text)))
    if components:
        yield from _components(run, client, cfg)
    if registration:
        try:
            _register(run, client, cfg)
        except Failure as failed:
            raise Failure(f"failed to get node registration: {failed}") from None
    if endpoint:
        yield from _endpoint(run, client, cfg)
    return config.complete(run, cfg, detect=False, endpoint=endpoint)


def _config_map(run: Run, client: KubeClient, name: str, text: str) -> Generator[Wait, Any, Json]:
    deadline = run.world.now + 10 * SECOND
    while True:
        try:
            found = client.get("configmaps", NAMESPACE, name)
            yield Sleep(client.take_latency())
            return found
        except ApiError as error:
            if error.code == 404:
                raise NotFound(f"{text}: {error}") from None
            last = f"{text}: {error}"
            if error.code in (401, 403):
                raise Failure(last) from None
        except ConnectError as error:
            last = f"{text}: {reason(error, client)}"
        if run.world.now + RETRY > deadline:
            raise Failure(last)
        yield Sleep(RETRY)


def _cluster(run: Run, text: str) -> Json:
    try:
        document = goyaml.load(text)
    except goyaml.YamlError as error:
        raise Failure(f"failed to decode cluster configuration data: {error}") from None
    if not isinstance(document, dict):
        raise Failure("failed to decode cluster configuration data: not an object")
    group, _, version = str(document.get("apiVersion") or "").rpartition("/")
    gvk = (group, version, str(document.get("kind") or ""))
    if not documents.known(gvk):
        raise Failure(
            f'failed to decode cluster configuration data: no kind "{gvk[2]}" is registered for version "{group}/{version}"'
        )
    problem = documents.strict_problems(gvk, document)
    if problem:
        run.warn("cluster.go:100", problem)
    body = documents.decode(gvk, document)
    body.pop("_timeout", None)
    return body


def _mark_supplied(cfg: InitConfig, kind: str, config_map: Json) -> None:
    """A configuration without kubeadm's signature, or changed since, is the user's own."""
    signature = (config_map["metadata"].get("annotations") or {}).get(addons.HASH)
    if signature != addons.checksum(config_map):
        cfg.user_supplied.add(kind)


def _components(run: Run, client: KubeClient, cfg: InitConfig) -> Generator[Wait, Any, None]:
    try:
        found = yield from _config_map(
            run, client, "kubelet-config", 'could not download the kubelet configuration from ConfigMap "kubelet-config"'
        )
        cfg.kubelet = _loaded(found, "kubelet")
        _mark_supplied(cfg, "KubeletConfiguration", found)
    except Failure as failed:
        raise Failure(f"failed to get component configs: {failed}") from None
    try:
        proxy = yield from _config_map(run, client, "kube-proxy", "")
        cfg.proxy = _loaded(proxy, "config.conf")
        _mark_supplied(cfg, "KubeProxyConfiguration", proxy)
    except Failure:
        pass  # the add-on may have been left out


def _loaded(found: Json, key: str) -> Json:
    try:
        value = goyaml.load(str((found.get("data") or {}).get(key) or ""))
    except goyaml.YamlError as error:
        raise Failure(f"could not decode {key}: {error}") from None
    return {name: item for name, item in value.items() if item is not None} if isinstance(value, dict) else {}


def node_name(run: Run, path: str = KUBELET_CONF) -> str:
    """This machine's node, from the kubelet's certificate, or the host's name (`GetNodeName`)."""
    try:
        user = kubeconfigs.current_user(kubeconfigs.load(run, path)) or {}
        data = user.get("client-certificate-data")
        pem = base64.b64decode(data) if data else run.read(str(user.get("client-certificate") or ""))
        return x509.subject_of(pem).common_name.removeprefix("system:node:")
    except (Failure, OSError, ValueError):
        return config.hostname(run)


def _register(run: Run, client: KubeClient, cfg: InitConfig) -> None:
    name = node_name(run)
    try:
        node = client.get("nodes", None, name)
    except (ApiError, ConnectError) as error:
        raise Failure(f"failed to get corresponding node: {reason(error, client)}") from None
    socket = (node["metadata"].get("annotations") or {}).get(SOCKET_ANNOTATION)
    path = f"{KUBELET_DIR}/instance-config.yaml"
    if not socket and run.exists(path):
        try:
            held = goyaml.load(run.read(path).decode("utf-8", "replace"))
        except (OSError, goyaml.YamlError) as error:
            text = go_error(error) if isinstance(error, OSError) else str(error)
            raise Failure(f'could not read kubelet instance configuration on node "{name}": {text}') from None
        socket = held.get("containerRuntimeEndpoint") if isinstance(held, dict) else None
    elif not socket:
        run.warn(
            "cluster.go:203",
            f'node "{name}" lacks annotation "{SOCKET_ANNOTATION}" and kubelet config file "{path}"; attempting auto-detection',
        )
        socket = config.detect_socket(run)
    cfg.init["nodeRegistration"] |= {
        "name": name, "criSocket": socket or config.DEFAULT_SOCKET, "taints": (node.get("spec") or {}).get("taints") or [],
    }  # fmt: skip


def _endpoint(run: Run, client: KubeClient, cfg: InitConfig) -> Generator[Wait, Any, None]:
    """The address of this machine's API server, from its pod's annotation."""
    name, last = cfg.node, ""
    deadline = run.world.now + cfg.timeout("kubernetesAPICall")
    key = "kubeadm.kubernetes.io/kube-apiserver.advertise-address.endpoint"
    while True:
        try:
            pods = client.list(
                "pods",
                NAMESPACE,
                label_selector="component=kube-apiserver,tier=control-plane",
                field_selector=f"spec.nodeName={name}",
            ).items
            if len(pods) != 1:
                last = f'API server pod for node name "{name}" has {len(pods)} entries, only one was expected'
            else:
                text = (pods[0]["metadata"].get("annotations") or {}).get(key)
                if text:
                    ip, _, port = str(text).rpartition(":")
                    cfg.init["localAPIEndpoint"] = {"advertiseAddress": ip, "bindPort": int(port)}
                    return
                last = f'API server pod for node name "{name}" hasn\'t got a "{key}" annotation, cannot retrieve API endpoint'
        except (ApiError, ConnectError) as error:
            last = f"could not retrieve list of pods to determine api server endpoints: {reason(error, client)}"
        if run.world.now + RETRY > deadline:
            raise Failure(
                f'failed to getAPIEndpoint: could not retrieve API endpoints for node "{name}" using pod annotations: timed out waiting for '
                f"the condition" if not last else f'failed to getAPIEndpoint: could not retrieve API endpoints for node "{name}" using pod '
                "annotations: context deadline exceeded"
            )  # fmt: skip
        yield Sleep(RETRY)


__all__ = ["NotFound", "cluster", "fetch", "is_control_plane", "node_name"]
