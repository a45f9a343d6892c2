"""kubeconfig files (phases/kubeconfig, util/kubeconfig): written, checked, and read for what they hold."""

from __future__ import annotations

import base64
import posixpath
from typing import Any

import msgspec

from ...host import x509
from ...host.x509 import KeyPair
from ...kernel.errors import BadInput
from ...kube.client import load_kubeconfig
from .. import goyaml
from . import certificates
from .certificates import BY_NAME
from .config import InitConfig
from .run import KUBERNETES_DIR, Failure, Run, go_error

Json = dict[str, Any]


class FileSpec(msgspec.Struct, frozen=True):
    """Who a kubeconfig file is for: user, groups, and whether it talks to this machine's own API server."""

    user: str
    groups: tuple[str, ...] = ()
    local: bool = False


def specs(config: InitConfig) -> dict[str, FileSpec]:
    """`getKubeConfigSpecsBase`."""
    return {
        "admin.conf": FileSpec("kubernetes-admin", ("kubeadm:cluster-admins",)),
        "super-admin.conf": FileSpec("kubernetes-super-admin", ("system:masters",)),
        "kubelet.conf": FileSpec(f"system:node:{config.node}", ("system:nodes",), True),
        "controller-manager.conf": FileSpec("system:kube-controller-manager", (), True),
        "scheduler.conf": FileSpec("system:kube-scheduler", (), True),
    }


def basic(server: str, cluster: str, user: str, ca: bytes, auth: Json | None = None) -> Json:
    """A kubeconfig of one cluster and one user (`CreateBasic`)."""
    inner: Json = {"server": server}
    if ca:
        inner["certificate-authority-data"] = base64.b64encode(ca).decode()
    context = f"{user}@{cluster}"
    return {
        "apiVersion": "v1",
        "clusters": [{"cluster": inner, "name": cluster}],
        "contexts": [{"context": {"cluster": cluster, "user": user}, "name": context}],
        "current-context": context,
        "kind": "Config",
        "users": None if auth is None else [{"name": user, "user": auth}],
    }


def with_certificate(server: str, cluster: str, user: str, ca: bytes, pair: KeyPair) -> Json:
    """`CreateWithCerts`."""
    auth = {}
    if pair.cert:
        auth["client-certificate-data"] = base64.b64encode(pair.cert).decode()
    auth["client-key-data"] = base64.b64encode(pair.key).decode()
    return basic(server, cluster, user, ca, auth)


def with_token(server: str, cluster: str, user: str, ca: bytes, token: str) -> Json:
    """`CreateWithToken`."""
    return basic(server, cluster, user, ca, {"token": token})


def dump(config: Json) -> str:
    """As client-go writes it."""
    return goyaml.dump(config)


def load(run: Run, path: str) -> Json:
    """A kubeconfig file; raises Failure with what client-go says."""
    try:
        return load_kubeconfig(run.read(path))
    except OSError as error:
        raise Failure(go_error(error)) from None
    except BadInput as error:
        raise Failure(f'error loading config file "{path}": {str(error).removeprefix("error loading config file: ")}') from None


def current_cluster(config: Json) -> tuple[str, Json]:
    """(name, cluster) of the current context (`GetClusterFromKubeConfig`)."""
    context = named(config, "contexts", str(config.get("current-context") or ""))
    if context is not None:
        name = str((context.get("context") or {}).get("cluster") or "")
        found = named(config, "clusters", name)
        if found is not None:
            return name, found.get("cluster") or {}
    for item in config.get("clusters") or ():
        if item.get("name") == "":
            return "", item.get("cluster") or {}
    raise Failure(f"no matching cluster for the current context: {config.get('current-context') or ''}")


def current_user(config: Json) -> Json | None:
    """The user of the current context."""
    context = named(config, "contexts", str(config.get("current-context") or ""))
    if context is None:
        return None
    found = named(config, "users", str((context.get("context") or {}).get("user") or ""))
    return None if found is None else found.setdefault("user", {})


def named(config: Json, section: str, name: str) -> Json | None:
    """An entry of a kubeconfig."""
    return next((item for item in config.get(section) or () if isinstance(item, dict) and item.get("name") == name), None)


def authority_of(run: Run, cluster: Json) -> bytes:
    """The authority's PEM of a cluster entry, embedded or in a file."""
    data = cluster.get("certificate-authority-data")
    if data:
        try:
            return base64.b64decode(str(data))
        except ValueError:
            return b""
    path = cluster.get("certificate-authority")
    if path:
        try:
            return run.read(str(path))
        except OSError:
            return b""
    return b""


def authority_pair(run: Run, folder: str) -> KeyPair:
    """The cluster's authority, for signing clients."""
    try:
        pair = certificates.load_pair(run, folder, "ca")
    except Failure as failed:
        raise Failure(f"couldn't create a kubeconfig; the CA files couldn't be loaded: {failed}") from None
    certificates.check_period(run, "ca", pair.cert)
    return pair


def client_pair(run: Run, config: InitConfig, user: str, groups: tuple[str, ...], ca: KeyPair, seconds: int = 0) -> KeyPair:
    """A client certificate of the cluster's authority."""
    return x509.issue(
        run.world,
        user,
        issuer=ca,
        organizations=groups,
        client=True,
        seconds=seconds or config.validity(authority=False),
        algorithm=config.cluster["encryptionAlgorithm"],
        identifiers=True,
        skew=run.skew,
    )


def create(run: Run, config: InitConfig, name: str, folder: str, pki: str, *, local_only: bool = False) -> None:
    """One file, or the one that is there when it is right (`createKubeConfigFiles`)."""
    ca, spec = authority_pair(run, pki), specs(config)[name]
    if not spec.local or name != "kubelet.conf":
        warn_endpoint(run, config)
    server = config.local_server if spec.local or local_only else config.server
    path = posixpath.join(folder, name)
    if run.exists(path):
        _check(run, path, ca.cert, server)
        run.say(f'[kubeconfig] Using existing kubeconfig file: "{path}"')
        return
    pair = client_pair(run, config, spec.user, spec.groups, ca)
    run.say(f'[kubeconfig] Writing "{name}" kubeconfig file')
    content = with_certificate(server, config.cluster["clusterName"], spec.user, ca.cert, pair)
    try:
        run.write(path, dump(content), 0o600)
    except OSError as error:
        raise Failure(f'failed to save kubeconfig file "{path}" on disk: {go_error(error)}') from None


def warn_endpoint(run: Run, config: InitConfig) -> None:
    """Say that the endpoint's own port counts (`GetControlPlaneEndpoint`)."""
    endpoint = str(config.cluster.get("controlPlaneEndpoint") or "")
    if endpoint and endpoint.rpartition(":")[2] != str(config.port):
        run.warn(
            "endpoint.go:56",
            "[endpoint] WARNING: port specified in controlPlaneEndpoint overrides bindPort in the controlplane address",
        )


def _check(run: Run, path: str, ca: bytes, server: str) -> None:
    """`validateKubeConfig`."""
    try:
        found = load(run, path)
    except Failure as failed:
        raise Failure(f"failed to load kubeconfig file {path} that already exists on disk: {failed}") from None
    context = named(found, "contexts", str(found.get("current-context") or ""))
    if context is None:
        raise Failure(f"failed to find CurrentContext in Contexts of the kubeconfig file {path}")
    entry = named(found, "clusters", str((context.get("context") or {}).get("cluster") or ""))
    if entry is None:
        raise Failure(f"failed to find the given CurrentContext Cluster in Clusters of the kubeconfig file {path}")
    cluster = entry.get("cluster") or {}
    try:
        own = x509.load_cert(authority_of(run, cluster))
    except ValueError:
        raise Failure(f'the kubeconfig file "{path}" contains an invalid CA cert') from None
    if own != x509.load_cert(ca):
        raise Failure(
            f'a kubeconfig file "{path}" exists but does not contain a trusted CA in its current context\'s cluster. Total CA '
            "certificates found: 1"
        )
    if cluster.get("server") != server:
        run.warn(
            "kubeconfig.go:303",
            f'a kubeconfig file "{path}" exists already but has an unexpected API Server URL: expected: {server}, got: '
            f"{cluster.get('server') or ''}",
        )


def join_command(
    run: Run,
    path: str,
    token: str,
    key: str = "",
    *,
    control_plane: bool = False,
    hide_token: bool = False,
    hide_key: bool = False,
) -> str:
    """`kubeadm join …` as init prints it, on two or three lines (cmd/util/join.go)."""
    try:
        config = load(run, path)
    except Failure as failed:
        raise Failure(f"failed to load kubeconfig: {failed}") from None
    try:
        _, cluster = current_cluster(config)
    except Failure as failed:
        raise Failure(f"malformed kubeconfig file: {path}: {failed}") from None
    ca = authority_of(run, cluster)
    if not ca:
        raise Failure("no CA certificates found in kubeconfig")
    host = str(cluster.get("server") or "").replace("https://", "")
    shown = "<value withheld>" if hide_token else token
    text = f"kubeadm join {host} --token {shown} \\\n\t--discovery-token-ca-cert-hash {certificates.pin(ca)} "
    if control_plane:
        text += "\\\n\t--control-plane "
        if key:
            text += f"--certificate-key {'<value withheld>' if hide_key else key}"
    return text


__all__ = [
    "BY_NAME",
    "KUBERNETES_DIR",
    "basic",
    "create",
    "dump",
    "join_command",
    "load",
    "specs",
    "with_certificate",
    "with_token",
]
