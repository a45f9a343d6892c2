"""`kubectl expose` (`kubectl/pkg/cmd/expose/expose.go`)."""

from __future__ import annotations

import re
from typing import Any

from ....kube.api.errors import ApiError
from ...cobra import Command, Flag
from ...flags import quote
from ..builder import Builder, Info
from ..create.base import with_last_applied
from ..errors import CommandError
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
EXPOSABLE = frozenset(
    {("Deployment", "apps"), ("ReplicaSet", "apps"), ("ReplicationController", ""), ("Pod", ""), ("Service", "")}
)


class Exposer:
    """The options of one run.

    As in the real one, a selector, ports and labels that were read off the first object stay for those after it.
    """

    def __init__(self, s: Session) -> None:
        values = s.values
        self.s, self.values = s, values
        self.selector, self.labels = values.text("selector"), values.text("labels")
        #: `--port` or the only port of an object; several ports of an object go before it.
        self.port, self.ports = values.text("port"), ""

    def service(self, info: Info) -> Obj:
        """The service of an object; raises CommandError."""
        obj, kind = info.obj or {}, info.mapping.kind
        if (kind.kind, kind.group) not in EXPOSABLE:
            raise CommandError(f"cannot expose a {kind.kind}.{kind.group}" if kind.group else f"cannot expose a {kind.kind}")
        self.selector = self.selector or _selector(obj, kind.kind)
        protocols = _protocols(obj, kind.kind)
        if not self.port:
            if not protocols and self.values.text("cluster-ip") != "None":
                raise CommandError("couldn't find port via --port flag or introspection")
            if len(protocols) == 1:
                self.port = next(iter(protocols))
            elif protocols:
                self.ports = ",".join(protocols)
        self.labels = self.labels or _joined(obj["metadata"].get("labels") or {})
        return self._made(info, protocols)

    def _made(self, info: Info, protocols: dict[str, list[str]]) -> Obj:
        values = self.values
        if not self.selector:
            raise CommandError("selector must be specified")
        selector = _labels(self.selector)
        meta: Obj = {"name": values.text("name") or info.name[:63]}
        if self.labels:
            meta["labels"] = _labels(self.labels)
        ports = self._ports(protocols)
        spec: Obj = {"ports": ports} if ports else {}
        spec["selector"] = selector
        if values.text("cluster-ip"):
            spec["clusterIP"] = values.text("cluster-ip")
        if values.text("type"):
            spec["type"] = values.text("type")
        if values.text("session-affinity"):
            if values.text("session-affinity") not in ("None", "ClientIP"):
                raise CommandError(f"unknown session affinity: {values.text('session-affinity')}")
            spec["sessionAffinity"] = values.text("session-affinity")
        if values.text("load-balancer-ip") and values.text("type") == "LoadBalancer":
            spec["loadBalancerIP"] = values.text("load-balancer-ip")
        if values.text("external-ip"):
            spec["externalIPs"] = [values.text("external-ip")]
        return {"kind": "Service", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": {"loadBalancer": {}}}

    def _ports(self, protocols: dict[str, list[str]]) -> list[Obj]:
        out: list[Obj] = []
        given, asked = self.values.text("protocol"), (self.ports or self.port)
        words = asked.split(",") if asked else []
        for at, word in enumerate(words):
            port = atoi(word)
            name = f"port-{at + 1}" if len(words) > 1 else ""
            found = protocols.get(word, []) if not given else []
            if len(found) > 1:
                out += [{"name": f"port-{at + 1}-{one.lower()}", "protocol": one, "port": port} for one in found]
                continue
            out.append({**({"name": name} if name else {}), "protocol": given or (found[0] if found else "TCP"), "port": port})
        target = self.values.text("target-port")
        for one in out:
            one["targetPort"] = one["port"] if not target else int(target) if _NUMBER.fullmatch(target) else target
        return out


#: What `intstr.Parse` takes for a number.
_NUMBER = re.compile(r"[-+]?[0-9]+")


def atoi(text: str) -> int:
    """`strconv.Atoi`; raises CommandError with its words."""
    if not _NUMBER.fullmatch(text):
        raise CommandError(f"strconv.Atoi: parsing {quote(text)}: invalid syntax")
    if not -(1 << 63) <= int(text) < 1 << 63:
        raise CommandError(f"strconv.Atoi: parsing {quote(text)}: value out of range")
    return int(text)


def run(s: Session) -> int:
    """Make a service of each object."""
    values = s.values
    strategy, output = dry_run(s), Output(s, typed=True)
    builder = Builder(s, args=values.args, **file_arguments(s))
    exposer = Exposer(s)
    for info in builder.infos():
        try:
            obj = exposer.service(info)
            if values.text("overrides"):
                obj = overridden(s, obj, values.text("overrides"), values.text("override-type"), Mapping(s.kind("services")))
            obj = recorded(s, obj)
            if strategy != "client":
                if values.on("save-config"):
                    obj = with_last_applied(obj, typed=True)
                query = {"fieldManager": values.text("field-manager"), **({"dryRun": "All"} if strategy == "server" else {})}
                obj = s.call("POST", s.kind("services").path(s.namespace), query=query, obj=obj)
            elif s.explicit_namespace:
                obj = {**obj, "metadata": {**obj["metadata"], "namespace": s.namespace}}
        except (CommandError, ApiError) as error:
            builder.fail(info, error)
            continue
        output.done(obj, "exposed" + dry_run_suffix(strategy))
    builder.finish()
    return 0


def _labels(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    for word in text.split(","):
        parts = word.split("=")
        if len(parts) != 2:
            raise CommandError(f"unexpected label spec: {word}")
        if not parts[0]:
            raise CommandError("unexpected empty label key")
        out[parts[0]] = parts[1]
    return out


def _joined(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items())


def _protocols(obj: Obj, kind: str) -> dict[str, list[str]]:
    """Port → its protocols, in the order of the object (`MultiProtocolsForObjectFn`, `PortsForObjectFn`)."""
    spec = obj.get("spec") or {}
    if kind == "Service":
        found = [(port.get("port"), port) for port in spec.get("ports") or ()]
    else:
        pod = spec if kind == "Pod" else (spec.get("template") or {}).get("spec") or {}
        found = [(port.get("containerPort"), port) for item in pod.get("containers") or () for port in item.get("ports") or ()]
    out: dict[str, list[str]] = {}
    for number, port in found:
        out.setdefault(str(number or 0), []).append(port.get("protocol") or "TCP")
    return out


def _selector(obj: Obj, kind: str) -> str:
    """The selector of an object as text (`MapBasedSelectorForObjectFn`)."""
    spec = obj.get("spec") or {}
    head = "couldn't retrieve selectors via --selector flag or introspection: "
    if kind == "Pod":
        labels: dict[str, str] = obj["metadata"].get("labels") or {}
        if not labels:
            raise CommandError(head + "the pod has no labels and cannot be exposed")
        return _joined(labels)
    selector = spec.get("selector")
    if kind == "ReplicationController":
        return _joined(selector or {})
    if kind == "Service":
        if selector is None:
            raise CommandError(head + "the service has no pod selector set")
        return _joined(selector)
    selector = selector or {}
    if not selector.get("matchLabels"):
        raise CommandError(f"{head}invalid {kind.lower()}: no selectors, therefore cannot be exposed")
    expressions = selector.get("matchExpressions")
    if expressions:
        shown = " ".join(
            f"{{Key:{e.get('key', '')} Operator:{e.get('operator', '')} Values:[{' '.join(e.get('values') or ())}]}}"
            for e in expressions
        )
        raise CommandError(f'{head}couldn\'t convert expressions - "[{shown}]" to map-based selector format')
    return _joined(selector["matchLabels"])


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
