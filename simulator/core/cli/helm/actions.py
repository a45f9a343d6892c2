"""install, upgrade, rollback, uninstall and test of releases (helm `pkg/action`)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ...kernel.versions import VERSION
from ...kube.api.errors import ApiError
from .. import goyaml
from . import charts, engine, given, sprig
from .cluster import Cluster, HelmError, Piece, hooks_of, in_order, lookup, manifest, parse, pieces
from .releases import Release, Storage, stamp
from .session import Helm

Obj = dict[str, Any]
Steps = Generator[Wait, Any, int]
NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")


def capabilities(helm: Helm, *, offline: bool = False) -> Obj:
    """`.Capabilities`: the cluster's version and the APIs it serves."""
    version = VERSION
    if not offline:
        answer = helm.s.call("GET", "/version")
        version = answer.get("gitVersion", VERSION) if isinstance(answer, dict) else VERSION
    major, minor = version.lstrip("v").split(".")[:2]

    def has(name: str) -> bool:
        rows = helm.s.mapper.all() if not offline else helm.rows
        for row in rows:
            for served in row.versions:
                api = f"{row.group}/{served}" if row.group else served
                if name == api or name == f"{api}/{row.kind}":
                    return True
        return False

    kube = {"Version": version, "Major": major, "Minor": minor, "GitVersion": version}
    return {"KubeVersion": kube, "APIVersions": {"Has": has}, "HelmVersion": {"Version": helm.VERSION, "GoVersion": "go1.24.9"}}


def rendered(
    helm: Helm,
    chart: charts.Chart,
    config: Obj,
    name: str,
    namespace: str,
    revision: int,
    *,
    upgrade: bool = False,
    offline: bool = False,
) -> tuple[list[Piece], list[Piece], str]:
    """(objects in order, hooks, notes) of a chart; raises HelmError."""
    wanted = str(chart.meta.get("kubeVersion") or "")
    found = capabilities(helm, offline=offline)
    if wanted:
        try:
            fits = sprig.satisfies(wanted, found["KubeVersion"]["Version"])
        except ValueError:
            fits = False
        if not fits:
            raise HelmError(
                f"chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {found['KubeVersion']['Version']}"
            )
    release = {
        "Name": name,
        "Namespace": namespace,
        "IsUpgrade": upgrade,
        "IsInstall": not upgrade,
        "Revision": revision,
        "Service": "Helm",
    }
    values = charts.effective(chart, config)
    try:
        texts = engine.render(helm.call.world, chart, values, release, found, None if offline else lookup(helm.s))
    except engine.RenderError as bad:
        raise HelmError(str(bad)) from None
    notes = texts.get(f"{chart.name}/templates/NOTES.txt", "")
    objects, hooks = hooks_of(pieces(texts))
    return in_order(objects), hooks, notes


def _stored_hooks(hooks: list[Piece]) -> list[Obj]:
    return [
        {
            "name": one.name,
            "kind": one.kind,
            "path": one.source,
            "manifest": one.text,
            "events": [w.strip() for w in str(one.annotations["helm.sh/hook"]).split(",")],
        }
        for one in hooks
    ]


def _render_into(release: Release, helm: Helm, *, offline: bool = False) -> tuple[list[Piece], list[Piece]]:
    """Fill a new release with what its chart makes, at this moment; returns (objects in order, hooks).  Raises HelmError."""
    objects, hooks, release.notes = rendered(
        helm,
        release.chart,
        release.config,
        release.name,
        release.namespace,
        release.revision,
        upgrade=release.status == "pending-upgrade",
        offline=offline,
    )
    release.manifest, release.hooks = manifest(objects), _stored_hooks(hooks)
    release.last = stamp(helm.call.world.wall)
    release.first = release.first or release.last
    return objects, hooks


def hooks_from(release: Release) -> list[Piece]:
    """The hooks of a stored release."""
    return [Piece(one["path"], one["manifest"], goyaml.load(one["manifest"])) for one in release.hooks]


def _new_namespace(helm: Helm, namespace: str) -> None:
    kind = helm.s.kind("namespaces")
    try:
        helm.s.call(
            "POST",
            kind.path(""),
            obj={"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": {"name": namespace}}},
        )
    except ApiError as error:
        if error.code != 409:
            raise


def _definitions(helm: Helm, chart: charts.Chart, cluster: Cluster) -> Steps:
    made = []
    for one, _ in [(chart, ""), *chart.children]:
        for text in one.crds.values():
            for piece in pieces({"crds": text}):
                if cluster.live(piece) is None:
                    helm.s.call("POST", cluster.mapping(piece).path("", ""), obj=piece.obj)
                    made.append(piece)
    if made:
        yield Sleep(2 * SECOND)
        helm.forget()
    return 0


def install(helm: Helm, name: str, chart: charts.Chart, config: Obj, namespace: str) -> Generator[Wait, Any, Release]:
    """A new release; raises HelmError without the words `INSTALLATION FAILED: `."""
    values = helm.values
    given.check(chart)
    if len(name) > 53 or not NAME.fullmatch(name):
        raise HelmError(
            f'release name "{name}": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53'
        )
    dry = values.text("dry-run") not in ("", "none", "false")
    storage = Storage(helm.s)
    if not dry or values.text("dry-run") == "server":
        before = storage.history(namespace, name)
        if before and not (values.on("replace") and before[-1].status in ("uninstalled", "failed")):
            raise HelmError("cannot re-use a name that is still in use")
        revision = before[-1].revision + 1 if before else 1
    else:
        revision = 1
    cluster = Cluster(helm.s, name, namespace)
    if not dry and not values.on("skip-crds"):
        yield from _definitions(helm, chart, cluster)
    release = Release(
        name, namespace, revision, chart, config, "", status="pending-install", description="Initial install underway"
    )
    objects, hooks = _render_into(release, helm, offline=dry and values.text("dry-run") != "server")
    if dry:
        release.status, release.description = "pending-install", "Dry run complete"
        return release
    for piece in objects:
        cluster.mapping(piece)
    if not values.on("take-ownership"):
        cluster.check_owner(objects)
    if values.on("create-namespace"):
        _new_namespace(helm, namespace)
    storage.save(release)
    try:
        if not values.on("no-hooks"):
            yield from cluster.run_hooks(hooks, "pre-install", values.number("timeout"))
        for piece in objects:
            if cluster.live(piece) is None:
                cluster.create(piece)
            else:
                cluster.update([piece], [piece])
        if values.on("wait") or values.on("atomic"):
            yield from cluster.wait(objects, values.number("timeout"))
        if not values.on("no-hooks"):
            yield from cluster.run_hooks(hooks, "post-install", values.number("timeout"))
    except (HelmError, ApiError) as error:
        text = str(error) if isinstance(error, HelmError) else error.message
        release.status, release.description = "failed", f'Release "{name}" failed: {text}'
        storage.save(release)
        if values.on("atomic"):
            cluster.delete(objects)
            storage.forget(release)
            raise HelmError(f"release {name} failed, and has been uninstalled due to atomic being set: {text}") from None
        raise HelmError(text) from None
    release.status, release.description = "deployed", values.text("description") or "Install complete"
    storage.save(release)
    return release


def upgrade(helm: Helm, name: str, chart: charts.Chart, config: Obj, namespace: str) -> Generator[Wait, Any, Release]:
    """A new revision of a release; raises HelmError without `UPGRADE FAILED: `."""
    values = helm.values
    given.check(chart)
    storage = Storage(helm.s)
    before = storage.history(namespace, name)
    if not before or before[-1].status == "uninstalled":
        raise HelmError(f'"{name}" has no deployed releases')
    last = next((one for one in reversed(before) if one.status == "deployed"), before[-1])
    if before[-1].status.startswith("pending"):
        raise HelmError("another operation (install/upgrade/rollback) is in progress")
    if values.on("reuse-values"):
        chart.values = charts.coalesce(last.chart.values, chart.values)
        config = charts.coalesce(config, last.config)
    elif values.on("reset-then-reuse-values") or (not config and not values.on("reset-values")):
        config = charts.coalesce(config, last.config)
    revision = before[-1].revision + 1
    cluster = Cluster(helm.s, name, namespace)
    release = Release(
        name, namespace, revision, chart, config, "", status="pending-upgrade", description="Preparing upgrade", first=last.first
    )
    objects, hooks = _render_into(release, helm)
    if values.text("dry-run") not in ("", "none", "false"):
        release.description = "Dry run complete"
        return release
    for piece in objects:
        cluster.mapping(piece)
    old = parse(last.manifest)
    known = {(one.kind, one.name) for one in old}
    if not values.on("take-ownership"):
        cluster.check_owner([one for one in objects if (one.kind, one.name) not in known])
    storage.save(release)
    try:
        if not values.on("no-hooks"):
            yield from cluster.run_hooks(hooks, "pre-upgrade", values.number("timeout"))
        cluster.update(old, objects)
        if values.on("wait") or values.on("atomic"):
            yield Sleep(SECOND)
            yield from cluster.wait(objects, values.number("timeout"))
        if not values.on("no-hooks"):
            yield from cluster.run_hooks(hooks, "post-upgrade", values.number("timeout"))
    except (HelmError, ApiError) as error:
        text = str(error) if isinstance(error, HelmError) else error.message
        release.status, release.description = "failed", f'Upgrade "{name}" failed: {text}'
        storage.save(release)
        if values.on("atomic"):
            yield from roll_back(helm, name, last.revision, namespace, atomic=True)
            raise HelmError(f"release {name} failed, and has been rolled back due to atomic being set: {text}") from None
        raise HelmError(text) from None
    _supersede(storage, before, release, values.text("description") or "Upgrade complete", values.number("history-max"))
    return release


def _supersede(storage: Storage, before: list[Release], release: Release, description: str, most: int) -> None:
    for one in before:
        if one.status == "deployed":
            one.status = "superseded"
            storage.save(one)
    release.status, release.description = "deployed", description
    storage.save(release)
    if most:
        for one in before[: max(len(before) + 1 - most, 0)]:
            storage.forget(one)


def roll_back(helm: Helm, name: str, revision: int, namespace: str, *, atomic: bool = False) -> Generator[Wait, Any, Release]:
    """A new revision with what an earlier one had; 0 is the one before the last."""
    storage = Storage(helm.s)
    before = storage.history(namespace, name)
    if not before:
        raise HelmError("release: not found")
    last = before[-1]
    wanted = revision or last.revision - 1
    found = next((one for one in before if one.revision == wanted), None)
    if found is None:
        raise HelmError("release has no " + str(wanted) + " version" if revision else "release: not found")
    now = stamp(helm.call.world.wall)
    release = Release(
        name,
        namespace,
        last.revision + 1,
        found.chart,
        found.config,
        found.manifest,
        found.hooks,
        found.notes,
        "pending-rollback",
        f"Rollback to {wanted}",
        last.first,
        now,
    )
    if not atomic and helm.values.on("dry-run"):
        return release
    storage.save(release)
    cluster = Cluster(helm.s, name, namespace)
    current = next((one for one in reversed(before) if one.status == "deployed"), last)
    hooks, timeout = hooks_from(found), helm.values.number("timeout")
    if not helm.values.on("no-hooks"):
        yield from cluster.run_hooks(hooks, "pre-rollback", timeout)
    cluster.update(parse(last.manifest if last.status == "failed" else current.manifest), parse(found.manifest))
    if helm.values.on("wait"):
        yield from cluster.wait(parse(found.manifest), timeout)
    if not helm.values.on("no-hooks"):
        yield from cluster.run_hooks(hooks, "post-rollback", timeout)
    _supersede(storage, before, release, f"Rollback to {wanted}", helm.values.number("history-max"))
    return release


def uninstall(helm: Helm, name: str, namespace: str) -> Generator[Wait, Any, list[str]]:
    """Delete a release; returns the objects that are kept.  Raises HelmError."""
    values, storage = helm.values, Storage(helm.s)
    before = storage.history(namespace, name)
    if not before:
        raise HelmError(f"uninstall: Release not loaded: {name}: release: not found")
    last = before[-1]
    if last.status == "uninstalled" and values.on("keep-history"):
        raise HelmError(f"the release named {name!r} is already deleted".replace("'", '"'))
    if values.on("dry-run"):
        return []
    cluster = Cluster(helm.s, name, namespace)
    hooks = hooks_from(last)
    if not values.on("no-hooks"):
        yield from cluster.run_hooks(hooks, "pre-delete", values.number("timeout"))
    objects = parse(last.manifest)
    kept = cluster.delete(objects) if last.status != "uninstalled" else []
    end = helm.call.world.now + values.number("timeout")
    while values.on("wait") and any(cluster.live(one) is not None for one in objects if f"[{one.kind}] {one.name}" not in kept):
        if helm.call.world.now >= end:
            raise HelmError("context deadline exceeded")
        yield Sleep(SECOND)
    if not values.on("no-hooks"):
        yield from cluster.run_hooks(hooks, "post-delete", values.number("timeout"))
    if values.on("keep-history"):
        last.status, last.description = "uninstalled", values.text("description") or "Uninstallation complete"
        storage.save(last)
    else:
        for one in before:
            storage.forget(one)
    return kept
