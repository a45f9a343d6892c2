"""`kubectl rollout status` (`kubectl/pkg/cmd/rollout/rollout_status.go`, `polymorphichelpers/rollout_status.go`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ....host.program import Wait, WaitTopic
from ....kube.api.errors import ApiError
from ...flags import quote
from ..builder import Builder, Info
from ..errors import CommandError
from ..flagsets import (
    file_arguments,
)
from ..session import Session
from ..waiting import WEEK

Obj = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"


def infos_of(s: Session) -> tuple[Builder, list[Info]]:
    values = s.values
    if not values.args and not values.items("filename") and not values.text("kustomize"):
        raise CommandError("required resource not specified")
    builder = Builder(s, args=values.args, **file_arguments(s), selector=values.text("selector"), latest=True, allow_empty=True)
    return builder, builder.infos()


def progress(kind: str, obj: Obj, revision: int) -> tuple[str, bool]:
    """What is told of a rollout, and whether it is done; raises when it failed."""
    meta, spec, status = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    name = meta["name"]
    if kind == "Deployment":
        return _deployment(name, meta, spec, status, revision)
    if kind == "DaemonSet":
        if (spec.get("updateStrategy") or {}).get("type") != "RollingUpdate":
            raise CommandError("rollout status is only available for RollingUpdate strategy type")
        if meta.get("generation", 0) > status.get("observedGeneration", 0):
            return "Waiting for daemon set spec update to be observed...\n", False
        desired, updated, available = (
            status.get(key, 0) for key in ("desiredNumberScheduled", "updatedNumberScheduled", "numberAvailable")
        )
        if updated < desired:
            return (
                f'Waiting for daemon set "{name}" rollout to finish: {updated} out of {desired} new pods have been updated...\n',
                False,
            )
        if available < desired:
            return (
                f'Waiting for daemon set "{name}" rollout to finish: {available} of {desired} updated pods are available...\n',
                False,
            )
        return f'daemon set "{name}" successfully rolled out\n', True
    if kind == "StatefulSet":
        return _stateful_set(meta, spec, status)
    group = str(obj.get("apiVersion") or "").rpartition("/")[0]
    raise CommandError(f"no status viewer has been implemented for {kind}{'.' + group if group else ''}")


def _deployment(name: str, meta: Obj, spec: Obj, status: Obj, revision: int) -> tuple[str, bool]:
    if revision > 0:
        have = int((meta.get("annotations") or {}).get(REVISION, 0))
        if have != revision:
            raise CommandError(f"desired revision ({revision}) is different from the running revision ({have})")
    if meta.get("generation", 0) > status.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    for item in status.get("conditions") or ():
        if item["type"] == "Progressing" and item.get("reason") == "ProgressDeadlineExceeded":
            raise CommandError(f"deployment {quote(name)} exceeded its progress deadline")
    replicas, updated, total, available = (
        spec.get("replicas", 0),
        status.get("updatedReplicas", 0),
        status.get("replicas", 0),
        status.get("availableReplicas", 0),
    )
    head = f"Waiting for deployment {quote(name)} rollout to finish: "
    if updated < replicas:
        return f"{head}{updated} out of {replicas} new replicas have been updated...\n", False
    if total > updated:
        return f"{head}{total - updated} old replicas are pending termination...\n", False
    if available < updated:
        return f"{head}{available} of {updated} updated replicas are available...\n", False
    return f"deployment {quote(name)} successfully rolled out\n", True


def _stateful_set(meta: Obj, spec: Obj, status: Obj) -> tuple[str, bool]:
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        raise CommandError("rollout status is only available for RollingUpdate strategy type")
    if not status.get("observedGeneration") or meta.get("generation", 0) > status["observedGeneration"]:
        return "Waiting for statefulset spec update to be observed...\n", False
    replicas = spec.get("replicas", 0)
    if status.get("readyReplicas", 0) < replicas:
        return f"Waiting for {replicas - status.get('readyReplicas', 0)} pods to be ready...\n", False
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    if partition is not None and replicas:
        if status.get("updatedReplicas", 0) < replicas - partition:
            return (f"Waiting for partitioned roll out to finish: {status.get('updatedReplicas', 0)} out of {replicas - partition} new pods have been "
                    "updated...\n"), False  # fmt: skip
        return f"partitioned roll out complete: {status.get('updatedReplicas', 0)} new pods have been updated...\n", True
    if status.get("updateRevision") != status.get("currentRevision"):
        return (
            f"waiting for statefulset rolling update to complete {status.get('updatedReplicas', 0)} pods at revision {status.get('updateRevision', '')}...\n",
            False,
        )
    return (
        f"statefulset rolling update complete {status.get('currentReplicas', 0)} pods at revision {status.get('currentRevision', '')}...\n",
        True,
    )


def run_status(s: Session) -> Generator[Wait, Any, int]:
    """`kubectl rollout status`."""
    revision = s.values.number("revision")
    if revision < 0:
        raise CommandError(f"revision must be a positive integer: {revision}")
    builder, infos = infos_of(s)
    for info in infos:
        try:
            yield from _follow(s, info, revision)
        except (CommandError, ApiError) as error:
            builder.fail(info, error)
    builder.finish()
    if not infos:
        s.err(f"No resources found in {s.namespace} namespace.\n")
    return 0


def _follow(s: Session, info: Info, revision: int) -> Generator[Wait, Any, None]:
    """Tell of one object until its rollout is done."""
    deadline = s.world.now + (s.values.number("timeout") or WEEK)
    last = ""
    obj = info.obj or {}
    while True:
        text, done = progress(info.mapping.kind.kind, obj, revision)
        if text != last:
            s.out(text)
            last = text
        if done or not s.values.on("watch"):
            return
        if s.world.now >= deadline:
            raise CommandError("timed out waiting for the condition")
        yield WaitTopic((info.mapping.kind.topic,), deadline)
        try:
            obj = s.call("GET", info.path())
        except ApiError as error:
            if error.reason == "NotFound":
                raise CommandError("object has been deleted") from None
            raise
