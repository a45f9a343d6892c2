"""Tokens and kubeconfigs for learners' own tools: each is good for one cluster, is shown once, and can be revoked."""

from __future__ import annotations

import datetime
import functools
import hashlib
import secrets
import uuid

import yaml
from django.db import transaction
from django.utils import timezone

from . import doorbell
from .models import ClusterSession, EdgeToken

#: Tokens of one cluster that may be good at a time; the oldest makes room.
MOST = 5
#: Says that a token was taken back.
REVOKED = "tokens.revoked"
#: `used_at` is written at most this often.
USED_EVERY = datetime.timedelta(minutes=1)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def issue(session: ClusterSession) -> str:
    """A new token; whoever holds it administers this cluster and nothing else."""
    token = secrets.token_urlsafe(32)
    EdgeToken.objects.create(session=session, digest=_digest(token))
    old = EdgeToken.objects.filter(session=session, revoked_at=None).values_list("pk", flat=True)[MOST:]
    if EdgeToken.objects.filter(pk__in=list(old)).update(revoked_at=timezone.now()):
        _tell(session)
    return token


def revoke(session: ClusterSession, pk: int | None = None) -> int:
    """Take back one token of a cluster, or all; returns how many were good until now."""
    tokens = EdgeToken.objects.filter(session=session, revoked_at=None)
    count = (tokens if pk is None else tokens.filter(pk=pk)).update(revoked_at=timezone.now())
    if count:
        _tell(session)
    return count


def group(session_id: uuid.UUID) -> str:
    """The channel layer's group of what is open with a token of this cluster."""
    return f"tokens.{session_id.hex}"


def _tell(session: ClusterSession) -> None:
    """Whoever holds something open asks whether its token is still good."""
    transaction.on_commit(functools.partial(doorbell.ring_group, group(session.pk), {"type": REVOKED}))


def session_of(session_id: uuid.UUID, token: str) -> ClusterSession | None:
    """The cluster that a token is good for, if it is this one and takes inputs."""
    rows = EdgeToken.objects.select_related("session")
    found = rows.filter(digest=_digest(token), session_id=session_id, revoked_at=None, session__archived_at=None).first()
    if found is None:
        return None
    now = timezone.now()
    if found.used_at is None or now - found.used_at > USED_EVERY:
        EdgeToken.objects.filter(pk=found.pk).update(used_at=now)
    return found.session


def server_url(base: str, session: ClusterSession, token: str) -> str:
    """The address of the cluster's API server under the site's `base` (`https://host`).

    kubectl sends no token over plain HTTP (client-go: DirectClientConfig.ClientConfig), so there the token is part of the address.
    """
    path = f"/clusters/{session.pk}/kube"
    return f"{base}{path}" if base.startswith("https:") else f"{base}{path}/~{token}"


def kubeconfig(base: str, session: ClusterSession, token: str) -> bytes:
    """A kubeconfig whose only context is this cluster."""
    name = f"slipway-{session.scenario}"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server_url(base, session, token)}}],
        "users": [{"name": name, "user": {"token": token}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }
    return yaml.safe_dump(config, sort_keys=False).encode()
