"""Bootstrap tokens as Secrets (apis/bootstraptoken/v1/utils.go, phases/bootstraptoken/node/token.go)."""

from __future__ import annotations

import base64
from typing import Any

from ...kernel import clock
from ...kernel.errors import ConnectError
from ...kube.api.errors import ApiError
from ...kube.client import KubeClient
from ...kube.component import parse_duration
from . import cluster
from .documents import TOKEN
from .run import Failure, Run, Steps

Json = dict[str, Any]
NAMESPACE = "kube-system"
TYPE = "bootstrap.kubernetes.io/token"


def secret_name(token_id: str) -> str:
    """`bootstrap-token-abcdef`."""
    return f"bootstrap-token-{token_id}"


def to_secret(run: Run, token: Json) -> Json:
    """The Secret of a token."""
    token_id, secret = str(token["token"]).split(".")
    data = {"token-id": token_id, "token-secret": secret}
    if token.get("description"):
        data["description"] = token["description"]
    if token.get("expires"):
        data["expiration"] = token["expires"]
    elif token.get("ttl") and parse_duration(token["ttl"]) > 0:
        data["expiration"] = clock.rfc3339(run.world.wall + parse_duration(token["ttl"]))
    for usage in token.get("usages") or ():
        data[f"usage-bootstrap-{usage}"] = "true"
    if token.get("groups"):
        data["auth-extra-groups"] = ",".join(token["groups"])
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret_name(token_id), "namespace": NAMESPACE},
        "type": TYPE,
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in sorted(data.items())},
    }


def from_secret(secret: Json) -> Json:
    """The token of a Secret; raises Failure when it is none."""
    held = {key: base64.b64decode(value).decode("utf-8", "replace") for key, value in (secret.get("data") or {}).items()}
    name, token_id = secret["metadata"]["name"], held.get("token-id", "")
    if not token_id:
        raise Failure(f"bootstrap Token Secret has no token-id data: {name}")
    if name != secret_name(token_id):
        raise Failure(
            f'bootstrap token name is not of the form \'bootstrap-token-(token-id)\'. Actual: "{name}". Expected: "{secret_name(token_id)}"'
        )
    if not held.get("token-secret"):
        raise Failure(f"bootstrap Token Secret has no token-secret data: {name}")
    text = f"{token_id}.{held['token-secret']}"
    if TOKEN.fullmatch(text) is None:
        raise Failure("bootstrap Token Secret is invalid and couldn't be parsed")
    prefix = "usage-bootstrap-"
    return {
        "token": text,
        "description": held.get("description", ""),
        "expires": held.get("expiration", ""),
        "usages": sorted(key[len(prefix) :] for key, value in held.items() if key.startswith(prefix) and value == "true"),
        "groups": [group for group in held.get("auth-extra-groups", "").split(",") if group],
    }


def create(run: Run, client: KubeClient, tokens: list[Json], *, fail_if_exists: bool) -> Steps:
    """Make (or renew) the Secrets of tokens (`UpdateOrCreateTokens`)."""
    for token in tokens:
        token_id = str(token["token"]).split(".")[0]
        try:
            client.get("secrets", NAMESPACE, secret_name(token_id))
        except (ApiError, ConnectError):
            pass
        else:
            if fail_if_exists:
                raise Failure(f'a token with id "{token_id}" already exists')
        try:
            yield from cluster.apply(run, client, [("secrets", to_secret(run, token))])
        except Failure as failed:
            raise Failure(f"failed to create or update bootstrap token with name {secret_name(token_id)}: {failed}") from None
