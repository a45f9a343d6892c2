"""`kubectl version` and `kubectl cluster-info` (`kubectl/pkg/cmd/version`, `cmd/clusterinfo`)."""

from __future__ import annotations

from typing import Any

from ....kernel import versions
from ....kube.api.errors import ApiError
from ....kube.component import version_of
from ... import goyaml
from ...cobra import Command, Flag
from ..errors import CommandError, UrlError
from ..jsontext import indented
from ..session import Session
from .dump import DUMP

CLIENT: dict[str, str] = {**versions.info(), "goVersion": "go1.27.3"}


def run_version(s: Session) -> int:
    """`kubectl version`."""
    values = s.values
    if values.args:
        raise CommandError(f"extra arguments: [{' '.join(values.args)}]")
    form = values.text("output")
    if form not in ("", "json", "yaml"):
        raise CommandError("--output must be 'yaml' or 'json'")
    own = version_of(s.inv.proc)
    client = {**CLIENT, "minor": own.split(".")[1], "gitVersion": own}
    found: dict[str, Any] = {"clientVersion": client, "kustomizeVersion": versions.KUSTOMIZE}
    failed: Exception | None = None
    if not values.on("client"):
        try:
            found["serverVersion"] = s.call("GET", "/version")
        except (ApiError, UrlError) as error:
            failed = error
    if form == "json":
        s.out(indented(found, 2, sort=False) + "\n")
    elif form == "yaml":
        s.out(goyaml.dump(found) + "\n")
    else:
        s.out(f"Client Version: {own}\nKustomize Version: {versions.KUSTOMIZE}\n")
        if "serverVersion" in found:
            server = found["serverVersion"]
            s.out(f"Server Version: {server['gitVersion']}\n")
            _skew(s, server)
    if failed is not None:
        raise failed
    return 0


def _skew(s: Session, server: dict[str, Any]) -> None:
    theirs, ours = int(str(server["minor"]).rstrip("+")), int(CLIENT["minor"])
    if abs(theirs - ours) > 1:
        s.err(f"WARNING: version difference between client ({CLIENT['major']}.{ours}) and server ({server['major']}.{theirs}) exceeds the supported "
              "minor version skew of +/-1\n")  # fmt: skip


def run_info(s: Session) -> int:
    """`kubectl cluster-info`."""
    try:
        s.discover()
        services = s.list(
            s.kind("services"), s.values.text("namespace") or "kube-system", labels="kubernetes.io/cluster-service=true"
        )
        s.out(f"Kubernetes control plane is running at {s.connection.server}\n")
        for service in services:
            s.out(_service(s, service))
    finally:
        s.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n")
    return 0


def _service(s: Session, service: dict[str, Any]) -> str:
    """The line of an add-on with `kubernetes.io/cluster-service`."""
    meta, spec = service["metadata"], service.get("spec") or {}
    ports = spec.get("ports") or []
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    link = ""
    if ingress:
        address = ingress[0].get("ip") or ingress[0].get("hostname", "")
        link = " ".join(f"http://{address}:{port['port']}" for port in ports)
    else:
        name = meta["name"]
        if ports:
            scheme = "https:" if ports[0].get("name") == "https" or ports[0].get("port") == 443 else ""
            name = f"{scheme}{name}:{ports[0].get('name', '')}" if scheme or ports[0].get("name") else name
        link = f"{s.connection.server}/api/v1/namespaces/{meta['namespace']}/services/{name}/proxy"
    label = (meta.get("labels") or {}).get("kubernetes.io/name") or meta["name"]
    return f"{label} is running at {link}\n"


COMMAND = Command(
    "version [flags]",
    short="Print the client and server version information",
    long="Print the versions of the client and of the server in the current context.",
    example="# Print the client and server versions for the current context\nkubectl version",
    flags=(
        Flag(name="client", kind="bool", usage="If true, shows client version only (no server required)."),
        Flag(name="output", short="o", usage="One of 'yaml' or 'json'."),
    ),
    run=run_version,
)

INFO = Command(
    "cluster-info [flags]",
    short="Display cluster information",
    long="Show the addresses of the control plane and of services with the label kubernetes.io/cluster-service=true. 'kubectl cluster-info dump' gives more.",
    example="# Print the address of the control plane and cluster services\nkubectl cluster-info",
    commands=(DUMP,),
    run=run_info,
)
