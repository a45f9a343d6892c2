"""How a joining node comes to trust a control plane (app/discovery): by a token, a file, or a file behind HTTPS."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ...kernel.errors import BadInput, ConnectError
from ...kube.api import bootstrap_tokens
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient, load_kubeconfig
from ...kube.controllers.bootstrap_signer import detached_signature
from ...shell.coreutils import internet
from ..flag_kinds import format_duration, parse_duration
from . import certificates, kubeconfigs
from .config import TIMEOUTS
from .documents import TOKEN_PATTERN
from .run import Failure, Run, go_error, reason

Json = dict[str, Any]
#: DiscoveryRetryInterval.
INTERVAL = 5 * SECOND
CLUSTER_INFO = "cluster-info"
_NO_CREDENTIALS = (
    "could not find authentication credentials for the TLS bootstrap process. Please use Token discovery, a discovery file with embedded "
    "authentication credentials or a discovery file without authentication credentials but with the TLSBootstrapToken flag"
)


def timeout(body: Json, name: str) -> int:
    """One of a document's timeouts, ns."""
    return parse_duration(str((body.get("timeouts") or {}).get(name) or TIMEOUTS[name]))


def discover(run: Run, body: Json) -> Generator[Wait, Any, Json]:
    """The kubeconfig to bootstrap with, for a JoinConfiguration (`discovery.For`); raises Failure."""
    how = body["discovery"]
    try:
        config = yield from _validated(run, how, timeout(body, "discovery"))
    except Failure as failed:
        raise Failure(f"couldn't validate the identity of the API Server: {failed}") from None
    token = str(how.get("tlsBootstrapToken") or "")
    if token:
        run.info(
            "discovery.go:54", "[discovery] Using provided TLSBootstrapToken as authentication credentials for the join process"
        )
        _, cluster = kubeconfigs.current_cluster(config)
        config = kubeconfigs.with_token(
            str(cluster.get("server") or ""),
            "kubernetes",
            "tls-bootstrap-token-user",
            kubeconfigs.authority_of(run, cluster),
            token,
        )
    elif not _has_credentials(config):
        raise Failure(_NO_CREDENTIALS)
    ca = kubeconfigs.authority_of(run, kubeconfigs.current_cluster(config)[1])
    if b"-----BEGIN CERTIFICATE-----" not in ca:
        raise Failure(
            "could not get CA certificate from discovery kubeconfig: data does not contain any valid RSA or ECDSA certificates"
        )
    return config


def _has_credentials(config: Json) -> bool:
    user = kubeconfigs.current_user(config) or {}
    held = ("token", "tokenFile", "exec", "auth-provider", "client-certificate", "client-certificate-data")
    return any(user.get(name) for name in held)


def _validated(run: Run, how: Json, patience: int) -> Generator[Wait, Any, Json]:
    where = how.get("file")
    if where is None:
        return (yield from _by_token(run, how["bootstrapToken"], patience))
    path = str(where["kubeConfigPath"])
    if path.startswith("https://"):
        yield from run.pause(50, 200)
        page = internet.get(path)
        if page is None:
            host = path.removeprefix("https://").partition("/")[0]
            raise Failure(f'Get "{path}": dial tcp: lookup {host.partition(":")[0]}: no such host')
        try:
            config = load_kubeconfig(page.body)
        except BadInput as error:
            raise Failure(str(error)) from None
    else:
        config = kubeconfigs.load(run, path)
    return (yield from _by_file(run, config, patience))


def _client(run: Run, config: Json) -> KubeClient:
    context = kubeconfigs.named(config, "contexts", str(config.get("current-context"))) or {}
    name = str((context.get("context") or {}).get("user") or "")
    if kubeconfigs.named(config, "users", name) is None:  # nobody is asked who they are
        config = {**config, "users": [*(config.get("users") or ()), {"name": name, "user": {}}]}
    try:
        return run.client_of(kubeconfigs.dump(config).encode())
    except OSError as error:
        raise Failure(go_error(error)) from None
    except BadInput as error:
        raise Failure(str(error)) from None


# -- by token -----------------------------------------------------------------------------------------------------------------


def _by_token(run: Run, how: Json, patience: int) -> Generator[Wait, Any, Json]:
    """`token.RetrieveValidatedConfigInfo`: cluster-info first from whoever answers, then from the one whose authority is pinned."""
    endpoint, token = str(how["apiServerEndpoint"]), str(how["token"])
    parts = bootstrap_tokens.split(token)
    if parts is None:
        raise Failure(f'the bootstrap token "{token}" was not of the form "{TOKEN_PATTERN}"')
    run.info("token.go:78", f'[discovery] Created cluster-info discovery client, requesting info from "{endpoint}"')
    open_config = kubeconfigs.basic(f"https://{endpoint}", "kubernetes", "token-bootstrap-client", b"")
    open_config["clusters"][0]["cluster"]["insecure-skip-tls-verify"] = True
    first = yield from _cluster_info(run, _client(run, open_config), parts[0], patience)
    pins = [str(item) for item in how.get("caCertHashes") or ()]
    for item in pins:
        _check_pin(item)
    text = _signed(first, parts)
    try:
        config = load_kubeconfig(text.encode())
    except BadInput as error:
        raise Failure(f"couldn't parse the kubeconfig file in the {CLUSTER_INFO} ConfigMap: {error}") from None
    try:
        _, cluster = kubeconfigs.current_cluster(config)
    except Failure as failed:
        raise Failure(f"malformed kubeconfig in the {CLUSTER_INFO} ConfigMap: {failed}") from None
    if not pins:
        return config
    ca = kubeconfigs.authority_of(run, cluster)
    try:
        found = certificates.pin(ca)
    except ValueError:
        raise Failure(
            f"failed to parse cluster CA from the {CLUSTER_INFO} ConfigMap: data does not contain any valid RSA or ECDSA certificates"
        ) from None
    if found not in {pin.lower() for pin in pins}:
        shown = f'"{found}"'
        raise Failure(f"cluster CA found in {CLUSTER_INFO} ConfigMap is invalid: none of the public keys {shown} are pinned")
    run.info("token.go:131", f'[discovery] Requesting info from "{endpoint}" again to validate TLS against the pinned public key')
    pinned = kubeconfigs.basic(f"https://{endpoint}", "kubernetes", "token-bootstrap-client", ca)
    second = yield from _cluster_info(run, _client(run, pinned), parts[0], patience)
    if (second.get("data") or {}).get("kubeconfig") != text:
        raise Failure(
            f"the second kubeconfig from the {CLUSTER_INFO} ConfigMap (using validated TLS) was different from the first"
        )
    return config


def _check_pin(text: str) -> None:
    """`pubkeypin.Set.Allow`."""
    head = "invalid discovery token CA certificate hash: "
    parts = text.split(":")
    if len(parts) != 2:
        raise Failure(f'{head}invalid hash, expected "format:hex-value". Known format(s) are: sha256')
    if parts[0].lower() != "sha256":
        raise Failure(f'{head}unknown hash format "{parts[0]}". Known format(s) are: sha256')
    length = len(parts[1]) // 2
    if length != 32:
        raise Failure(f'{head}invalid hash "{text}", expected a 32 byte SHA-256 hash, found {length} bytes')
    try:
        bytes.fromhex(parts[1])
    except ValueError:
        raise Failure(f'{head}invalid hash "{text}", could not decode SHA-256 from hex: {_hex_problem(parts[1])}') from None


def _hex_problem(value: str) -> str:
    for char in value:
        if char not in "0123456789abcdefABCDEF":
            return f"encoding/hex: invalid byte: U+{ord(char):04X} '{char}'"
    return "encoding/hex: odd length hex string"


def _signed(found: Json, parts: tuple[str, str]) -> str:
    """The kubeconfig of cluster-info, whose signature the token makes (`validateClusterInfoToken`)."""
    ident, secret = parts
    data = found.get("data") or {}
    text, signature = str(data.get("kubeconfig") or ""), str(data.get(f"jws-kubeconfig-{ident}") or "")
    if not text:
        raise Failure(
            f"there is no kubeconfig key in the {CLUSTER_INFO} ConfigMap. This API Server isn't set up for token bootstrapping, can't connect"
        )
    if not signature:
        raise Failure(
            f'token id "{ident}" is invalid for this cluster or it has expired. Use "kubeadm token create" on the control-plane node to create '
            "a new valid token"
        )
    if not hmac.compare_digest(signature, detached_signature(text, ident, secret)):
        raise Failure("failed to verify JWS signature of received cluster info object, can't trust this API Server")
    return text


def _cluster_info(run: Run, client: KubeClient, ident: str, patience: int) -> Generator[Wait, Any, Json]:
    """The ConfigMap, as soon as it has the token's signature (`getClusterInfo`)."""
    deadline = run.world.now + patience
    while True:
        run.info(
            "token.go:217",
            f'[discovery] Waiting for the cluster-info ConfigMap to receive a JWS signature for token ID "{ident}"',
        )
        try:
            found = client.get("configmaps", "kube-public", CLUSTER_INFO)
            yield Sleep(client.take_latency())
            if f"jws-kubeconfig-{ident}" in (found.get("data") or {}):
                return found
            last = f'could not find a JWS signature in the cluster-info ConfigMap for token ID "{ident}"'
        except (ApiError, ConnectError) as error:
            last = f"failed to request the cluster-info ConfigMap: {reason(error, client)}"
        run.info("token.go:232", f"[discovery] Retrying due to error: {last}")
        if run.world.now + INTERVAL > deadline:
            yield Sleep(max(deadline - run.world.now, 0))
            raise Failure(last)
        yield Sleep(INTERVAL)


# -- by file ------------------------------------------------------------------------------------------------------------------


def _by_file(run: Run, config: Json, patience: int) -> Generator[Wait, Any, Json]:
    """`file.ValidateConfigInfo`."""
    if not config.get("clusters"):
        raise Failure("the provided kubeconfig file must have at least one Cluster defined")
    try:
        _, cluster = kubeconfigs.current_cluster(config)
    except Failure as failed:
        raise Failure(f"the provided kubeconfig file is malformed: {failed}") from None
    _embed(run, cluster)
    client, deadline, found = _client(run, config), run.world.now + patience, None
    while found is None:
        try:
            found = client.get("configmaps", "kube-public", CLUSTER_INFO)
            yield Sleep(client.take_latency())
        except (ApiError, ConnectError) as error:
            if isinstance(error, ApiError) and error.code == 403:
                run.warn(
                    "file.go:108",
                    f"[discovery] Could not access the {CLUSTER_INFO} ConfigMap for refreshing the cluster-info information, but the TLS cert "
                    "is valid so proceeding...\n",
                )
                return config
            if run.world.now + INTERVAL > deadline:
                yield Sleep(max(deadline - run.world.now, 0))
                raise Failure(
                    f"Abort reading the {CLUSTER_INFO} ConfigMap after timeout of {format_duration(patience)}: {reason(error, client)}"
                ) from None
            yield Sleep(INTERVAL)
    try:
        fresh = load_kubeconfig(str((found.get("data") or {}).get("kubeconfig") or "").encode())
        _, newer = kubeconfigs.current_cluster(fresh)
    except (BadInput, Failure):
        return config
    if cluster.get("server") != newer.get("server"):
        run.warn(
            "file.go:134",
            f'[discovery] the API Server endpoint "{cluster.get("server")}" in use is different from the endpoint "{newer.get("server")}" which '
            f"defined in the {CLUSTER_INFO} ConfigMap",
        )
    if not cluster.get("certificate-authority-data") and newer.get("certificate-authority-data"):
        cluster["certificate-authority-data"] = newer["certificate-authority-data"]
    return config


def _embed(run: Run, cluster: Json) -> None:
    """The authority's file becomes part of the kubeconfig (`EnsureCertificateAuthorityIsEmbedded`)."""
    path = cluster.get("certificate-authority")
    if not path or cluster.get("certificate-authority-data"):
        return
    try:
        data = run.read(str(path))
    except OSError as error:
        raise Failure(f"error while reading certificate authority file defined in kubeconfig: {go_error(error)}") from None
    del cluster["certificate-authority"]
    cluster["certificate-authority-data"] = base64.b64encode(data).decode()
