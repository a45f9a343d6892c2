"""The shared certificates as an encrypted Secret for two hours (phases/copycerts)."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ...kube.kubeadm import addons
from . import cluster, config, tokens
from .config import InitConfig
from .run import Failure, Run, Steps, go_error, reason

Json = dict[str, Any]
NAME, NAMESPACE = "kubeadm-certs", "kube-system"
NONCE = 12


def new_key(run: Run) -> str:
    """32 random bytes in hex."""
    return run.world.rng("kubeadm").hex(64)


def files_of(cfg: InitConfig) -> dict[str, str]:
    """Entry of the Secret → path of the file (`certsToTransfer`)."""
    names = ["ca.crt", "ca.key", "front-proxy-ca.crt", "front-proxy-ca.key", "sa.pub", "sa.key"]
    external = cfg.external_etcd
    found = {name: f"{cfg.pki}/{name}" for name in names}
    if external is None:
        return found | {name.replace("/", "-"): f"{cfg.pki}/{name}" for name in ("etcd/ca.crt", "etcd/ca.key")}
    return found | {
        "external-etcd-ca.crt": external.get("caFile") or "",
        "external-etcd.crt": external.get("certFile") or "",
        "external-etcd.key": external.get("keyFile") or "",
    }


def upload(run: Run, cfg: InitConfig, client: KubeClient, key: str) -> Steps:
    """Encrypt and store; a token that lasts two hours owns the Secret."""
    run.say(f'[upload-certs] Storing the certificates in Secret "{NAME}" in the "{NAMESPACE}" Namespace')
    raw = bytes.fromhex(key)
    proxy = {"token": config.new_token(run), "description": f"Proxy for managing TTL for the {NAME} secret", "ttl": "2h0m0s"}
    try:
        yield from tokens.create(run, client, [proxy], fail_if_exists=True)
    except Failure as failed:
        raise Failure(f"error creating token: {failed}") from None
    data = {}
    for name, path in files_of(cfg).items():
        try:
            content = run.read(path)
        except OSError as error:
            if not run.exists(path):
                data[name] = ""
                continue
            raise Failure(go_error(error)) from None
        nonce = bytes.fromhex(run.world.rng("kubeadm").hex(2 * NONCE))
        data[name] = base64.b64encode(nonce + AESGCM(raw).encrypt(nonce, content, None)).decode()
    owner = client.get("secrets", NAMESPACE, tokens.secret_name(proxy["token"].split(".")[0]))
    ref = {
        "apiVersion": "v1", "blockOwnerDeletion": True, "controller": True, "kind": "Secret", "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }  # fmt: skip
    meta = {"name": NAME, "namespace": NAMESPACE, "ownerReferences": [ref]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": "Opaque", "data": data}
    yield from cluster.apply(run, client, [("secrets", secret), *addons.certificates_rules()])


def download(run: Run, cfg: InitConfig, client: KubeClient, key: str, shown: str) -> Steps:
    """Fetch, decrypt, save; raises Failure."""
    run.say(f'[download-certs] Downloading the certificates in Secret "{NAME}" in the "{NAMESPACE}" Namespace')
    yield from run.pause(5, 30)
    try:
        raw = bytes.fromhex(key)
    except ValueError:
        raise Failure("error decoding certificate key: encoding/hex: invalid byte") from None
    try:
        secret = client.get("secrets", NAMESPACE, NAME)
    except (ApiError, ConnectError) as error:
        text = reason(error, client)
        if isinstance(error, ApiError) and error.code == 404:
            text = (
                f'Secret "{NAME}" was not found in the "{NAMESPACE}" Namespace. This Secret might have expired. Please, run `kubeadm init '
                "phase upload-certs --upload-certs` on a control plane to generate a new one"
            )
        raise Failure(f"error downloading the secret: {text}") from None
    found = {}
    for name, value in (secret.get("data") or {}).items():
        sealed = base64.b64decode(value or "")
        if sealed:
            try:
                found[name] = AESGCM(raw).decrypt(sealed[:NONCE], sealed[NONCE:], None)
            except (InvalidTag, ValueError):
                raise Failure("error decoding secret data with provided key: cipher: message authentication failed") from None
    run.say(f'[download-certs] Saving the certificates to the folder: "{shown}"')
    for name, path in files_of(cfg).items():
        if name not in (secret.get("data") or {}):
            raise Failure(f"the Secret does not include the required certificate or key - name: {name}, path: {path}")
        if found.get(name):
            run.write(path, found[name], 0o600 if path.endswith(".key") else 0o644)
