"""`kubectl create service …` and `ingress` (`create_service.go`, `create_ingress.go`)."""

from __future__ import annotations

import re
from typing import Any

from ....kube.api import names
from ...cobra import Command, Flag
from ...flags import quote
from ..errors import CommandError
from ..groups import group_run
from ..session import Session
from .base import generator, metadata

Obj = dict[str, Any]
TCP = Flag(name="tcp", kind="strings", usage="Ports as '<port>:<targetPort>'; may be repeated.")


def parse_port(text: str) -> int:
    """A port number of a service, 0 included; the errors are Go's (`utilsnet.ParsePort`)."""
    if not re.fullmatch(r"\d+", text):
        raise CommandError(f"strconv.ParseUint: parsing {quote(text)}: invalid syntax")
    if int(text) > 65535:
        raise CommandError(f"strconv.ParseUint: parsing {quote(text)}: value out of range")
    return int(text)


def parse_ports(text: str) -> tuple[int, int | str]:
    """`port` or `port:target`."""
    first, colon, second = text.partition(":")
    second = second.partition(":")[0]
    port = parse_port(first)
    if not colon:
        return port, port
    if re.fullmatch(r"[-+]?\d+", second):
        outside = names.port_number(int(second))
        if outside:
            raise CommandError(",".join(outside))
        return port, int(second)
    wrong = names.port_name(second)
    if wrong:
        raise CommandError(",".join(wrong))
    return port, second


def _service(s: Session, name: str, kind: str) -> Obj:
    values = s.values
    cluster_ip = values.text("clusterip") if values.has("clusterip") else ""
    tcp = values.items("tcp")
    if cluster_ip != "None" and not tcp and kind != "ExternalName":
        raise CommandError("at least one tcp port specifier must be provided")
    if kind == "ExternalName" and names.dns_subdomain(values.text("external-name")):
        raise CommandError(f"invalid service external name {values.text('external-name')}")
    ports = []
    for item in tcp:
        port, target = parse_ports(item)
        one: Obj = {"name": item.replace(":", "-"), "protocol": "TCP", "port": port, "targetPort": target}
        if values.has("node-port") and values.number("node-port"):
            one["nodePort"] = values.number("node-port")
        ports.append(one)
    spec: Obj = {"ports": ports} if ports else {}
    spec["selector"] = {"app": name}
    if cluster_ip:
        spec["clusterIP"] = cluster_ip
    spec["type"] = kind
    if kind == "ExternalName":
        spec["externalName"] = values.text("external-name")
    return {
        "kind": "Service",
        "apiVersion": "v1",
        "metadata": metadata(s, name, labels={"app": name}),
        "spec": spec,
        "status": {"loadBalancer": {}},
    }


def _kind(word: str, kind: str, use: str, article: str, flags: tuple[Flag, ...]) -> Command:
    return generator(
        f"{word} NAME {use}",
        f"Create {article} {kind} service",
        "services",
        lambda s, name: _service(s, name, kind),
        wrap=f"failed to create {kind} service: ",
        flags=flags,
    )


SERVICE = Command(
    "service [flags]",
    short="Create a service using a specified subcommand",
    long="Create a service using a specified subcommand.",
    aliases=("svc",),
    run=group_run("stderr", 1),
    commands=(
        _kind("clusterip", "ClusterIP", "[--tcp=<port>:<targetPort>] [--dry-run=server|client|none]", "a",
              (TCP, Flag(name="clusterip", usage="The ClusterIP, or 'None' for a headless service."))),
        _kind("nodeport", "NodePort", "[--tcp=port:targetPort] [--dry-run=server|client|none]", "a",
              (TCP, Flag(name="node-port", kind="int", usage="The port on every node."))),
        _kind("loadbalancer", "LoadBalancer", "[--tcp=port:targetPort] [--dry-run=server|client|none]", "a", (TCP,)),
        _kind("externalname", "ExternalName", "--external-name external.name [--dry-run=server|client|none]", "an",
              (TCP, Flag(name="external-name", required=True, usage="The external name"))),
    ),
)  # fmt: skip

_RULE = re.compile(r"[\w*\-.]*/.*=[\w\-]+:[\w\-]+", re.ASCII)


def _backend(text: str) -> Obj:
    name, port = text.split(":")[:2]
    return {"service": {"name": name, "port": {"number": int(port)} if port.isdigit() else {"name": port}}}


def ingress(s: Session, name: str) -> Obj:
    """An Ingress from `--rule host/path=service:port[,tls[=secret]]`."""
    values = s.values
    rules, default = values.items("rule"), values.text("default-backend")
    if not rules and not default:
        raise CommandError("not enough information provided: every ingress has to either specify a default-backend (which catches all traffic) or a "
                           "list of rules (which catch specific paths)")  # fmt: skip
    for rule in rules:
        if not _RULE.match(rule):
            raise CommandError(f"rule {rule} is invalid and should be in format host/path=svcname:svcport[,tls[=secret]]")
    for item in values.items("annotation"):
        if "=" not in item:
            raise CommandError(f"annotation {item} is invalid and should be in format key=[value]")
    if default and len(default.split(":")) != 2:
        raise CommandError("default-backend should be in format servicename:serviceport")
    spec: Obj = {}
    if values.text("class"):
        spec["ingressClassName"] = values.text("class")
    if default:
        spec["defaultBackend"] = _backend(default)
    tls = _tls(rules)
    if tls:
        spec["tls"] = tls
    if rules:
        spec["rules"] = _rules(rules)
    meta = metadata(s, name)
    if values.items("annotation"):
        meta["annotations"] = dict(item.split("=", 1) for item in values.items("annotation"))
    return {
        "kind": "Ingress",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": meta,
        "spec": spec,
        "status": {"loadBalancer": {}},
    }


def _tls(rules: list[str]) -> list[Obj]:
    out: list[Obj] = []
    seen: set[str] = set()
    for rule in rules:
        parts = rule.split(",")
        host = rule.split("/", 1)[0]
        if len(parts) != 2 or host in seen:
            continue
        seen.add(host)
        secret = parts[1].partition("=")[2]
        same = next((item for item in out if item.get("secretName", "") == secret), None)
        if same is not None:
            same.setdefault("hosts", []).append(host)
            continue
        one: Obj = {"hosts": [host]} if host else {}
        if secret:
            one["secretName"] = secret
        if one:
            out.append(one)
    return out


def _rules(rules: list[str]) -> list[Obj]:
    out: list[Obj] = []
    for rule in rules:
        host, _, rest = rule.split(",")[0].partition("/")
        path, _, service = rest.partition("=")
        path = "/" + path
        prefix = path.endswith("*")
        one = {
            "path": path.rstrip("*") if prefix else path,
            "pathType": "Prefix" if prefix else "Exact",
            "backend": _backend(service),
        }
        same = next((item for item in out if item.get("host", "") == host), None)
        if same is not None:
            same["http"]["paths"].append(one)
        else:
            out.append({**({"host": host} if host else {}), "http": {"paths": [one]}})
    return out


INGRESS = generator(
    "ingress NAME --rule=host/path=service:port[,tls[=secret]] ",
    "Create an ingress with the specified name",
    "ingresses.networking.k8s.io",
    ingress,
    wrap="failed to create ingress: ",
    aliases=("ing",),
    flags=(
        Flag(name="class", usage="Ingress class"),
        Flag(
            name="rule",
            kind="array",
            usage="host/path=service:port[,tls=secretname]; a path that ends with '*' is of type Prefix.",
        ),
        Flag(name="default-backend", usage="Service for everything else, as svcname:port"),
        Flag(name="annotation", kind="array", usage="An annotation, key=value"),
    ),
)
