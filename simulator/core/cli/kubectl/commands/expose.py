"""`kubectl expose` (`kubectl/pkg/cmd/expose/expose.go`)."""

from __future__ import annotations

import json
from typing import Any

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
)
from ..mapper import Mapping
from ..printers import Output
from ..recording import recorded
from ..session import Session
from .run import overridden

Obj = dict[str, Any]
EXPOSABLE = ("Deployment", "ReplicaSet", "ReplicationController", "Pod", "Service")


def run(s: Session) -> int:
    """Make a service of each object."""
    values = s.values
    strategy, output = dry_run(s), Output(s, typed=True)
    builder = Builder(s, args=values.args, **file_arguments(s))
    infos = builder.infos()
    errors = builder.errors
    for info in infos:
        try:
            obj = recorded(s, _service(s, info))
            if values.on("save-config"):
                obj = with_last_applied(obj)
            if values.text("overrides"):
                obj = overridden(obj, values.text("overrides"), values.text("override-type"), Mapping(s.kind("services")))
            if strategy != "client":
                query = {"fieldManager": values.text("field-manager"), **({"dryRun": "All"} if strategy == "server" else {})}
                obj = s.call("POST", s.kind("services").path(info.namespace), query=query, obj=obj)
        except CommandError as error:
            errors.append(error)
            continue
        output.done(obj, "exposed" + dry_run_suffix(strategy))
    raise_all(errors)
    return 0


def _service(s: Session, info: Info) -> Obj:
    values, obj, kind = s.values, info.obj or {}, info.mapping.kind
    if kind.kind not in EXPOSABLE:
        where = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
        raise CommandError(f"cannot expose a {where}")
    spec = obj.get("spec") or {}
    selector = _selector(s, obj, kind.kind)
    containers = (
        spec.get("containers") if kind.kind == "Pod" else ((spec.get("template") or {}).get("spec") or {}).get("containers")
    )
    own = spec.get("ports") or [] if kind.kind == "Service" else []
    found = [port for item in containers or () for port in item.get("ports") or ()]
    listed = [(port.get("port"), port.get("protocol", "TCP")) for port in own] or [
        (port["containerPort"], port.get("protocol", "TCP")) for port in found
    ]
    ports = [int(text) for text in values.text("port").split(",")] if values.text("port") else [int(port) for port, _ in listed]
    if not ports and values.text("cluster-ip") != "None":
        raise CommandError("couldn't find port via --port flag or introspection")
    by_port = dict(listed)
    name = values.text("name") or info.name
    out_ports = []
    for at, port in enumerate(dict.fromkeys(ports)):
        protocol = values.text("protocol") or by_port.get(port, "TCP")
        one: Obj = {"name": f"port-{at + 1}"} if len(ports) > 1 else {}
        target: int | str = port
        if values.text("target-port"):
            target = int(values.text("target-port")) if values.text("target-port").isdigit() else values.text("target-port")
        out_ports.append({**one, "protocol": protocol, "port": port, "targetPort": target})
    if values.text("session-affinity") not in ("", "None", "ClientIP"):
        raise CommandError(f"unknown session affinity: {values.text('session-affinity')}")
    meta: Obj = {"name": name}
    labels = _labels(values.text("labels")) if "labels" in values.changed else obj["metadata"].get("labels")
    if labels:
        meta["labels"] = labels
    out: Obj = {"ports": out_ports} if out_ports else {}
    out["selector"] = selector
    for flag, key in (
        ("cluster-ip", "clusterIP"),
        ("type", "type"),
        ("session-affinity", "sessionAffinity"),
        ("load-balancer-ip", "loadBalancerIP"),
    ):
        if values.text(flag):
            out[key] = values.text(flag)
    if values.text("external-ip"):
        out["externalIPs"] = [values.text("external-ip")]
    return {"kind": "Service", "apiVersion": "v1", "metadata": meta, "spec": out, "status": {"loadBalancer": {}}}


def _labels(text: str) -> dict[str, str]:
    return dict(item.split("=", 1) for item in text.split(",") if "=" in item)


def _selector(s: Session, obj: Obj, kind: str) -> dict[str, str]:
    if s.values.text("selector"):
        return _labels(s.values.text("selector"))
    spec = obj.get("spec") or {}
    if kind == "Pod":
        labels: dict[str, str] = obj["metadata"].get("labels") or {}
        if not labels:
            raise CommandError(
                "couldn't retrieve selectors via --selector flag or introspection: the pod has no labels and cannot be exposed"
            )
        return labels
    selector = spec.get("selector") or {}
    if kind in ("Service", "ReplicationController"):
        if not selector:
            raise CommandError(
                "couldn't retrieve selectors via --selector flag or introspection: the service has no pod selector set"
            )
        return dict(selector)
    if selector.get("matchExpressions"):
        shown = json.dumps(selector["matchExpressions"])
        raise CommandError(
            f"couldn't retrieve selectors via --selector flag or introspection: couldn't convert expressions - \"{shown}\" to map-based selector format"
        )
    return dict(selector.get("matchLabels") or {})


COMMAND = Command(
    "expose (-f FILENAME | TYPE NAME) [--port=port] [--protocol=TCP|UDP|SCTP] [--target-port=number-or-name] [--name=name] [--external-ip=external-ip-of-service] "
    "[--type=type]",
    short="Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
    long="""Expose a resource as a new Kubernetes service.

 Uses the selector of a deployment, service, replica set, replication controller or pod. Without --port the ports of its containers are taken.

 Possible resources include (case insensitive):

 pod (po), service (svc), replicationcontroller (rc), deployment (deploy), replicaset (rs)""",
    example="""# Port 80 to port 8000 of the containers
kubectl expose rc nginx --port=80 --target-port=8000

# A pod, with a name of its own
kubectl expose pod valid-pod --port=444 --name=frontend

# A deployment
kubectl expose deployment nginx --port=80 --target-port=8000""",
    flags=(
        *print_flags(),
        *file_flags("Files, directories or URLs that name what to expose"),
        Flag(name="cluster-ip", usage="ClusterIP of the service; 'None' for a headless one."),
        Flag(name="external-ip", usage="A further address that the service accepts."),
        Flag(name="labels", short="l", usage="Labels of the service."),
        Flag(name="load-balancer-ip", usage="Address for the load balancer."),
        Flag(name="name", usage="Name of the service."),
        Flag(name="override-type", default="merge", usage="How --overrides is merged: json, merge, or strategic."),
        Flag(name="overrides", usage="JSON that changes the generated object."),
        Flag(name="port", usage="Port of the service; several separated by commas."),
        Flag(name="protocol", usage="Protocol of the service; 'TCP' by default."),
        Flag(name="selector", usage="Label selector of the service."),
        Flag(name="session-affinity", usage="'None' or 'ClientIP'."),
        Flag(name="target-port", usage="Port of the containers, by number or name."),
        Flag(name="type", usage="ClusterIP, NodePort, LoadBalancer, or ExternalName. 'ClusterIP' by default."),
        save_config_flag(),
        record_flag(),
        dry_run_flag(),
        field_manager_flag("kubectl-expose"),
    ),
    run=run,
)
