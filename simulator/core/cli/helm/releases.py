"""Releases as Helm keeps them: Secrets `sh.helm.release.v1.<name>.v<revision>` (helm `pkg/storage/driver/secrets.go`, `util.go`)."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import msgspec

from ...kernel.clock import to_datetime
from ...kube.api.errors import ApiError
from ..kubectl.session import Session
from .charts import Chart, build

Obj = dict[str, Any]
TYPE = "helm.sh/release.v1"


class Release(msgspec.Struct):
    """One revision of a release."""

    name: str
    namespace: str
    revision: int
    chart: Chart
    config: Obj
    manifest: str
    hooks: list[Obj] = []
    notes: str = ""
    status: str = "deployed"
    description: str = ""
    first: str = ""
    last: str = ""


def stamp(wall: int) -> str:
    """A time as Go's JSON has it."""
    return to_datetime(wall).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")


def shown(text: str) -> str:
    """`2026-11-02 09:00:38.750000 +0000 UTC`, as tables show a time."""
    day, _, clock = text.rstrip("Z").partition("T")
    return f"{day} {clock.rstrip('0').rstrip('.') if '.' in clock else clock} +0000 UTC"


def key(name: str, revision: int) -> str:
    """The Secret's name."""
    return f"sh.helm.release.v1.{name}.v{revision}"


def encode(release: Release) -> str:
    """`data.release`: base64 of base64 of gzip of JSON, the last one as every value of a Secret."""
    chart = {
        "metadata": release.chart.meta,
        "raw": {path: base64.b64encode(data).decode() for path, data in sorted(release.chart.raw.items())},
    }
    body = {
        "name": release.name, "info": {"first_deployed": release.first, "last_deployed": release.last, "deleted": "", "description": release.description, "status": release.status, "notes": release.notes},
        "chart": chart, "config": release.config, "manifest": release.manifest, "hooks": release.hooks, "version": release.revision, "namespace": release.namespace,
    }  # fmt: skip
    packed = gzip.compress(json.dumps(body, separators=(",", ":")).encode(), mtime=0)
    return base64.b64encode(base64.b64encode(packed)).decode()


def decode(text: str) -> Release:
    """A release of a Secret's value; raises ValueError."""
    body = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(text))))
    info = body["info"]
    chart = build({path: base64.b64decode(data) for path, data in body["chart"]["raw"].items()})
    return Release(
        body["name"],
        body["namespace"],
        body["version"],
        chart,
        body["config"] or {},
        body["manifest"],
        body["hooks"] or [],
        info["notes"],
        info["status"],
        info["description"],
        info["first_deployed"],
        info["last_deployed"],
    )


def _secret(release: Release, wall: int) -> Obj:
    seconds = str(wall // 1_000_000_000)
    labels = {
        "modifiedAt": seconds,
        "name": release.name,
        "owner": "helm",
        "status": release.status,
        "version": str(release.revision),
    }
    meta = {"name": key(release.name, release.revision), "namespace": release.namespace, "labels": labels}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": meta, "type": TYPE, "data": {"release": encode(release)}}


class Storage:
    """The releases of a namespace, or of all."""

    def __init__(self, session: Session) -> None:
        self.s = session
        self.kind = session.kind("secrets")

    def save(self, release: Release) -> None:
        """Create or replace a revision."""
        secret = _secret(release, self.s.world.wall)
        try:
            live = self.s.get(self.kind, release.namespace, secret["metadata"]["name"])
        except ApiError as error:
            if error.code != 404:
                raise
            self.s.call("POST", self.kind.path(release.namespace), obj=secret)
            return
        meta = {**live["metadata"], "labels": secret["metadata"]["labels"]}
        self.s.call(
            "PUT", self.kind.path(release.namespace, meta["name"]), obj={**live, "metadata": meta, "data": secret["data"]}
        )

    def forget(self, release: Release) -> None:
        """Delete a revision."""
        self.s.call("DELETE", self.kind.path(release.namespace, key(release.name, release.revision)))

    def all(self, namespace: str) -> list[Release]:
        """Every revision of a namespace ("" for all)."""
        found = []
        for secret in self.s.list(self.kind, namespace, labels="owner=helm"):
            try:
                found.append(decode((secret.get("data") or {}).get("release", "")))
            except (ValueError, KeyError, OSError):
                continue
        return found

    def history(self, namespace: str, name: str) -> list[Release]:
        """The revisions of one release, the oldest first."""
        return sorted((one for one in self.all(namespace) if one.name == name), key=lambda one: one.revision)
