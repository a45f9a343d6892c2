"""`kubectl scale` and `kubectl autoscale` (`kubectl/pkg/cmd/scale/scale.go`, `autoscale/autoscale.go`)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ....host.program import Wait, WaitTopic
from ....kube.api import quantity
from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ..builder import Builder, Info
from ..create.base import with_last_applied
from ..errors import CommandError, raise_all
from ..flagsets import (
    dry_run,
    dry_run_flag,
    dry_run_suffix,
    field_manager_flag,
    file_arguments,
    file_flags,
    print_flags,
    record_flag,
    save_config_flag,
    selector_flag,
)
from ..patches import send
from ..printers import Output
from ..recording import record_after, recorded
from ..session import Session

Obj = dict[str, Any]


def run(s: Session) -> Generator[Wait, Any, int]:
    """Set the size of each object."""
    values = s.values
    replicas, current = values.number("replicas"), values.number("current-replicas")
    if replicas < 0:
        raise CommandError("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    if current < -1:
        raise CommandError("The --current-replicas must specify an integer of -1 or greater")
    strategy, output = dry_run(s), Output(s)
    builder = Builder(
        s, args=values.args, **file_arguments(s), selector=values.text("selector"), allow_empty=values.on("all"), eager=True
    )
    infos = builder.infos()
    if len(infos) > 1 and values.text("resource-version"):
        raise CommandError("cannot use --resource-version with multiple resources")
    if not infos:
        raise_all(builder.errors)
        raise CommandError("no objects passed to scale")
    for info in infos:
        obj = info.obj or {}
        obj = {**obj, "spec": {**(obj.get("spec") or {}), "replicas": replicas}}
        if strategy == "client":
            output.done(obj, "scaled" + dry_run_suffix(strategy))
            continue
        _scale(s, info, replicas, current, strategy)
        if strategy == "none":
            record_after(s, info.mapping, obj)
        if values.number("timeout") and strategy == "none":
            yield from _wait(s, info, replicas)
        output.done(obj, "scaled" + dry_run_suffix(strategy))
    raise_all(builder.errors)
    return 0


def _scale(s: Session, info: Info, replicas: int, current: int, strategy: str) -> None:
    wanted_version = s.values.text("resource-version")
    if current >= 0 or wanted_version:
        scale = s.call("GET", info.path("scale"))
        have = (scale.get("spec") or {}).get("replicas", 0)
        if current >= 0 and have != current:
            raise CommandError(f"Expected replicas to be {current}, was {have}")
        version = scale["metadata"].get("resourceVersion", "")
        if wanted_version and version != wanted_version:
            raise CommandError(f"Expected resource version to be {wanted_version}, was {version}")
        query = {"dryRun": "All"} if strategy == "server" else {}
        try:
            s.call(
                "PUT", info.path("scale"), query=query, obj={**scale, "spec": {**(scale.get("spec") or {}), "replicas": replicas}}
            )
        except ApiError as error:
            raise error from None
        return
    patch = {"spec": {"replicas": replicas}}
    send(s, info.mapping, info.namespace, info.name, patch, "merge", manager="", dry=strategy == "server", subresource="scale")


def _wait(s: Session, info: Info, replicas: int) -> Generator[Wait, Any, None]:
    deadline = s.world.now + s.values.number("timeout")
    while True:
        found = s.call("GET", info.path())
        if (found.get("status") or {}).get("replicas", 0) == replicas:
            return
        if s.world.now >= deadline:
            raise CommandError("timed out waiting for " + f'"{info.name}" to be synced')
        yield WaitTopic((info.mapping.kind.topic,), deadline)


COMMAND = Command(
    "scale [--resource-version=version] [--current-replicas=count] --replicas=COUNT (-f FILENAME | TYPE NAME)",
    short="Set a new size for a deployment, replica set, or replication controller",
    long="""Set a new size for a deployment, replica set, replication controller, or stateful set.

 With --current-replicas or --resource-version the size is changed only if these are right.""",
    example="""# A replica set named foo
kubectl scale --replicas=3 rs/foo

# What foo.yaml names
kubectl scale --replicas=3 -f foo.yaml

# Only if the size is 2
kubectl scale --current-replicas=2 --replicas=3 deployment/mysql

# Several
kubectl scale --replicas=5 rc/example1 rc/example2 rc/example3""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs that name what to scale"),
        Flag(name="all", kind="bool", usage="All resources of the given types in the namespace"),
        selector_flag(),
        Flag(name="resource-version", usage="Succeed only if this is the object's resourceVersion."),
        Flag(name="current-replicas", kind="int", default=-1, usage="Succeed only if this is the present size; -1 for any."),
        Flag(name="replicas", kind="int", required=True, usage="The new size."),
        Flag(name="timeout", kind="duration", usage="How long to wait for the new size; zero does not wait."),
        record_flag(),
        dry_run_flag(),
    ),
    run=run,
)


def run_autoscale(s: Session) -> int:
    """`kubectl autoscale`."""
    values = s.values
    low, high = values.number("min"), values.number("max")
    if high < 1:
        raise CommandError(f"--max=MAXPODS is required and must be at least 1, max: {high}")
    if high < low:
        raise CommandError(f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {high}, min: {low}")
    if values.number("cpu-percent") > 0 and values.text("cpu"):
        raise CommandError("--cpu-percent and --cpu are mutually exclusive")
    metrics = _metrics(s)
    strategy, output = dry_run(s), Output(s, typed=True)
    builder = Builder(s, args=values.args, **file_arguments(s))
    infos = builder.infos()
    errors = builder.errors
    for info in infos:
        obj = recorded(s, _autoscaler(s, info, low, high, metrics))
        if values.on("save-config") and strategy != "client":
            obj = with_last_applied(obj, typed=True)
        try:
            if strategy != "client":
                obj = _create_autoscaler(s, info, obj, strategy)
            output.done(obj, ("created" if strategy == "client" else "autoscaled") + dry_run_suffix(strategy))
        except (ApiError, CommandError) as error:
            errors.append(error)
    raise_all(errors)
    if not infos:
        raise CommandError("no objects passed to autoscale")
    return 0


#: A number that `strconv.ParseFloat` takes.
_BARE = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")


def _metrics(s: Session) -> list[Obj]:
    """The metrics that the flags ask for."""
    out: list[Obj] = []
    values = s.values
    for flag in ("cpu", "memory"):
        text = values.text(flag)
        if flag == "cpu" and not text and values.number("cpu-percent") > 0:
            text = f"{values.number('cpu-percent')}%"
        if not text:
            continue
        out.append({"type": "Resource", "resource": {"name": flag, "target": _target(flag, text.strip())}})
    return out


def _target(resource: str, text: str) -> Obj:
    """`70%`, `500m`, or a bare number of milli-CPU or mebibytes (`parseResourceInput`)."""
    if text.endswith("%"):
        share = text[:-1]
        if not share.isdecimal() or int(share) >= 1 << 31:
            raise CommandError(f"invalid percentage value: {share}")
        return {"type": "Utilization", "averageUtilization": int(share)}
    unit = "m" if resource == "cpu" else "Mi"
    try:
        amount = f"{float(text):g}{unit}" if _BARE.fullmatch(text) else text
        return {"type": "AverageValue", "averageValue": quantity.canonical(amount)}
    except ValueError:
        raise CommandError(f"invalid resource {resource} value: {text}") from None


def _create_autoscaler(s: Session, info: Info, obj: Obj, strategy: str) -> Obj:
    """Create it by autoscaling/v2, or as kubectl falls back to autoscaling/v1 whenever that failed."""
    values = s.values
    query = {"fieldManager": values.text("field-manager"), **({"dryRun": "All"} if strategy == "server" else {})}
    kind = s.kind("horizontalpodautoscalers.autoscaling")
    failed = "failed to create autoscaling/v2 HPA and the configuration is incompatible with autoscaling/v1: "
    try:
        created: Obj = s.call("POST", kind.path(info.namespace), query=query, obj=obj)
    except ApiError:
        cpu, share = values.text("cpu").strip(), values.number("cpu-percent")
        if not cpu:
            raise CommandError(failed + "empty input") from None
        if values.text("memory") or (share < 0 and not cpu.endswith("%")):
            raise CommandError(failed + "%!w(<nil>)") from None
        spec = {key: value for key, value in obj["spec"].items() if key != "metrics"}
        if share >= 0:
            spec["targetCPUUtilizationPercentage"] = share
        older = {"kind": obj["kind"], "apiVersion": "autoscaling/v1", "metadata": obj["metadata"], "spec": spec}
        created = s.call("POST", kind.path(info.namespace, version="v1"), query=query, obj=older)
    return created


def _autoscaler(s: Session, info: Info, low: int, high: int, metrics: list[Obj]) -> Obj:
    kind = info.mapping.kind
    if kind.subresource("scale") is None:
        where = f"{info.mapping.kind.group}/{info.mapping.version}, Resource={kind.plural}"
        raise CommandError(
            f"cannot autoscale a {kind.kind}: could not find scale subresource for {where} in discovery information"
        )
    name = s.values.text("name") or info.name
    target = {"kind": kind.kind, "name": info.name, "apiVersion": info.mapping.api_version}
    spec: Obj = {"scaleTargetRef": target}
    if low > 0:
        spec["minReplicas"] = low
    spec["maxReplicas"] = high
    if metrics:
        spec["metrics"] = metrics
    status = {"desiredReplicas": 0, "currentMetrics": None}
    meta = {"name": name}
    return {"kind": "HorizontalPodAutoscaler", "apiVersion": "autoscaling/v2", "metadata": meta, "spec": spec, "status": status}


AUTOSCALE = Command(
    "autoscale (-f FILENAME | TYPE NAME | TYPE/NAME) [--min=MINPODS] --max=MAXPODS [--cpu=CPU] [--memory=MEMORY]",
    short="Auto-scale a deployment, replica set, stateful set, or replication controller",
    long="Create an autoscaler that sets the number of pods by their use of cpu or memory.",
    example="""# Between 2 and 10 pods, by the default policy
kubectl autoscale deployment foo --min=2 --max=10

# At most 5 pods, at 80% of the requested cpu
kubectl autoscale rc foo --max=5 --cpu=80%""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs that name what to scale."),
        Flag(name="min", kind="int32", default=-1, usage="Fewest pods; negative for the server's default."),
        Flag(name="max", kind="int32", default=-1, required=True, usage="Most pods."),
        Flag(name="cpu", usage="Target use of cpu, as a percentage of the request or a quantity."),
        Flag(name="memory", usage="Target use of memory, as a percentage of the request or a quantity."),
        Flag(
            name="cpu-percent",
            kind="int32",
            default=-1,
            deprecated="Use --cpu with percentage or resource quantity format (e.g., '70%' for utilization "
            "or '500m' for milliCPU).",
            usage="Target use of cpu in percent.",
        ),
        Flag(name="name", usage="Name of the autoscaler; by default that of the object."),
        record_flag(),
        save_config_flag(),
        dry_run_flag(),
        field_manager_flag("kubectl-autoscale"),
    ),
    run=run_autoscale,
)
