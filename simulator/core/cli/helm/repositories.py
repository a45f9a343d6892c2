"""Chart repositories: those that can be added in the simulated world, the file of added ones, and what they hold.

The charts are our own, made of the scaffold, under the names, versions and images of the projects: what they install runs here.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any

import msgspec

from ...host import users
from ...host.invocation import Call
from ...kernel.clock import to_datetime
from ...runtime.addons import pages as addons
from ...shell.coreutils import internet
from .. import goyaml
from . import databases, scaffold
from .charts import Chart, build
from .sprig import version_key

Obj = dict[str, Any]


class Offer(msgspec.Struct, frozen=True):
    """One version of a chart in a repository."""

    name: str
    version: str
    app_version: str
    description: str
    files: Callable[[], dict[str, bytes]]


def _web(name: str, version: str, app: str, description: str, image: str, **more: Any) -> Offer:
    return Offer(
        name,
        version,
        app,
        description,
        lambda: scaffold.files(name, version=version, app=app, image=image, description=description, **more),
    )


def _metrics_server(version: str, app: str) -> Offer:
    def make() -> dict[str, bytes]:
        page = internet.get(f"https://github.com/kubernetes-sigs/metrics-server/releases/download/v{app}/components.yaml")
        text = page.body.decode() if page is not None else ""
        text = text.replace(
            "        - --metric-resolution=15s\n",
            "        - --metric-resolution=15s\n        {{- range .Values.args }}\n        - {{ . }}\n        {{- end }}\n",
        )
        text = text.replace("namespace: kube-system", "namespace: {{ .Release.Namespace }}")
        meta = f'apiVersion: v2\nname: metrics-server\ndescription: Metrics Server is a scalable, efficient source of container resource metrics.\ntype: application\nversion: {version}\nappVersion: "{app}"\n'
        notes = "***********************************************************************\n* Metrics Server                                                      *\n***********************************************************************\n  Chart version: {{ .Chart.Version }}\n  App version:   {{ .Chart.AppVersion }}\n***********************************************************************\n"
        return {
            "Chart.yaml": meta.encode(),
            "values.yaml": b"# Arguments besides the default ones.\nargs: []\n",
            "templates/components.yaml": text.encode(),
            "templates/NOTES.txt": notes.encode(),
        }

    return Offer(
        "metrics-server", version, app, "Metrics Server is a scalable, efficient source of container resource metrics", make
    )


def _manifest(url: str) -> str:
    """A published manifest without its Namespace, in the release's namespace."""
    page = internet.get(url)
    text = page.body.decode() if page is not None else ""
    kept = [
        part for part in re.split(r"^---\n", text, flags=re.M) if part.strip() and not re.search(r"^kind: Namespace$", part, re.M)
    ]
    return re.sub(r"namespace: (?:ingress-nginx|cert-manager)\b", "namespace: {{ .Release.Namespace }}", "---\n".join(kept))


def _chart(name: str, version: str, app: str, description: str, values: bytes, templates: Callable[[], str]) -> Offer:
    """A chart of one template, made of a manifest."""

    def make() -> dict[str, bytes]:
        meta = f'apiVersion: v2\nname: {name}\ndescription: {description}\ntype: application\nversion: {version}\nappVersion: "{app}"\n'
        notes = f"{name} {{{{ .Chart.AppVersion }}}} has been installed in {{{{ .Release.Namespace }}}}.\n"
        return {
            "Chart.yaml": meta.encode(), "values.yaml": values, "templates/all.yaml": templates().encode(), "templates/NOTES.txt": notes.encode(),
        }  # fmt: skip

    return Offer(name, version, app, description, make)


def _ingress_nginx(version: str, app: str) -> Offer:
    def templates() -> str:
        text = _manifest(
            f"https://raw.githubusercontent.com/kubernetes/ingress-nginx/controller-v{app}/deploy/static/provider/cloud/deploy.yaml"
        )
        text = text.replace("  externalTrafficPolicy: Local\n", "").replace(
            "type: LoadBalancer", "type: {{ .Values.controller.service.type }}"
        )
        for port in ("http", "https"):
            more = f"{{{{ with .Values.controller.service.nodePorts.{port} }}}}, nodePort: {{{{ . }}}}{{{{ end }}}}"
            text = text.replace(f"protocol: TCP, targetPort: {port}}}", f"protocol: TCP, targetPort: {port}{more} }}")
        return text

    values = b'controller:\n  service:\n    # LoadBalancer or NodePort.\n    type: LoadBalancer\n    nodePorts:\n      http: ""\n      https: ""\n'
    about = "Ingress controller for Kubernetes using NGINX as a reverse proxy and load balancer"
    return _chart("ingress-nginx", version, app, about, values, templates)


def _cert_manager(version: str) -> Offer:
    def templates() -> str:
        base = f"https://github.com/cert-manager/cert-manager/releases/download/{version}/cert-manager"
        own = "---\n".join(
            part
            for part in re.split(r"^---\n", _manifest(f"{base}.yaml"), flags=re.M)
            if "kind: CustomResourceDefinition" not in part
        )
        condition = "{{- if or .Values.installCRDs .Values.crds.enabled }}\n"
        return f"{condition}{_manifest(f'{base}.crds.yaml')}\n{{{{- end }}}}\n---\n{own}"

    values = b"# Whether the definitions come with the release.\ninstallCRDs: false\ncrds:\n  enabled: false\n  keep: true\n"
    return _chart("cert-manager", version, version, "A Helm chart for cert-manager", values, templates)


def _database(db: databases.Database, version: str, app: str, about: str) -> Offer:
    return Offer(db.chart, version, app, about, lambda: databases.files(db, version, app, about))


#: Repositories that answer, by address.
OFFERS: dict[str, tuple[Offer, ...]] = {
    "https://charts.bitnami.com/bitnami": (
        _web("nginx", "22.3.3", "1.29.3", "NGINX Open Source is a web server that can be also used as a reverse proxy, load balancer, and HTTP cache", "nginx", tag="1.29", kind="LoadBalancer"),
        _web("nginx", "22.0.11", "1.29.1", "NGINX Open Source is a web server that can be also used as a reverse proxy, load balancer, and HTTP cache", "nginx", tag="1.29", kind="LoadBalancer"),
        _web("nginx", "21.1.23", "1.29.0", "NGINX Open Source is a web server that can be also used as a reverse proxy, load balancer, and HTTP cache", "nginx", tag="1.29", kind="LoadBalancer"),
        _web("apache", "11.4.29", "2.4.65", "Apache HTTP Server is an open-source HTTP server", "httpd", tag="2.4", kind="LoadBalancer"),
        _web("wordpress", "27.0.4", "6.8.3", "WordPress is the world's most popular blogging and content management platform.", "wordpress", tag="6.8", kind="LoadBalancer"),
        _database(databases.MARIADB, "23.1.1", "12.0.2", "MariaDB is an open source, community-developed SQL database server that is widely in use around the world."),
        _database(databases.MONGODB, "18.0.2", "8.0.13", "MongoDB(R) is a relational open source NoSQL database."),
        _database(databases.MYSQL, "14.0.3", "9.4.0", "MySQL is a fast, reliable, scalable, and easy to use open source relational database system."),
        _database(databases.POSTGRESQL, "18.0.8", "18.0.0", "PostgreSQL (Postgres) is an open source object-relational database known for reliability and data integrity."),
        _database(databases.REDIS, "23.1.1", "8.2.1", "Redis(R) is an open source, advanced key-value store. It is often referred to as a data structure server."),
        _metrics_server("7.4.11", "0.8.0"),
    ),
    "https://stefanprodan.github.io/podinfo": (
        _web("podinfo", "6.9.4", "6.9.4", "Podinfo Helm chart for Kubernetes", "ghcr.io/stefanprodan/podinfo", port=9898, service_port=9898, probe="/healthz"),
        _web("podinfo", "6.9.3", "6.9.3", "Podinfo Helm chart for Kubernetes", "ghcr.io/stefanprodan/podinfo", port=9898, service_port=9898, probe="/healthz"),
    ),
    "https://helm.github.io/examples": (_web("hello-world", "0.1.0", "1.16.0", "A Helm chart for Kubernetes", "nginx", tag="1.29"),),
    "https://kubernetes.github.io/ingress-nginx": (_ingress_nginx("4.14.0", "1.14.0"), _ingress_nginx("4.13.3", "1.13.3"), _ingress_nginx("4.12.1", "1.12.1"), _ingress_nginx("4.11.3", "1.11.3")),
    "https://charts.jetstack.io": tuple(_cert_manager(version) for version in addons.CERT_MANAGER),
    "https://kubernetes-sigs.github.io/metrics-server": (_metrics_server("3.13.0", "0.8.0"), _metrics_server("3.12.2", "0.7.2")),
    "https://traefik.github.io/charts": (_web("traefik", "37.4.0", "v3.6.2", "A Traefik based Kubernetes ingress controller", "traefik", tag="v3.6.2", probe="/ping", kind="LoadBalancer"),),
}  # fmt: skip


def stand_in(url: str) -> str:
    """What is said when charts of a repository are used: they are not the project's."""
    return f"Slipway: the charts of {url.rstrip('/')} here are stand-ins of Slipway's own, under the project's names; their templates and values differ.\n"


def absent(url: str) -> str:
    """What is said of a repository that the simulated world has not got; nobody asked the Internet for it."""
    return f"chart repository {url}: not simulated in Slipway yet (there are: {', '.join(OFFERS)})"


def offers(url: str) -> tuple[Offer, ...] | None:
    """What a repository holds; None when nothing answers there."""
    return OFFERS.get(url.rstrip("/"))


@functools.lru_cache(maxsize=32)
def _raw(url: str, name: str, version: str) -> tuple[tuple[str, bytes], ...]:
    offer = next(one for one in OFFERS[url] if one.name == name and one.version == version)
    made = offer.files()
    note = f"# A stand-in of Slipway for {name} of {url}: its name, versions and image, but not its templates and values.\n"
    made["values.yaml"] = note.encode() + made["values.yaml"]
    return tuple(made.items())


def chart(url: str, offer: Offer) -> Chart:
    """The chart that is offered."""
    return build(dict(_raw(url.rstrip("/"), offer.name, offer.version)))


def newest(found: list[Offer]) -> list[Offer]:
    """Versions, the newest first."""
    return sorted(found, key=lambda one: version_key(one.version), reverse=True)


# -- the file -------------------------------------------------------------------------------------------------------------
def config_path(call: Call) -> str:
    """`repositories.yaml`."""
    home = call.env.get("HOME") or users.home_of(call.tree, call.proc.user)
    return (
        call.env.get("HELM_REPOSITORY_CONFIG")
        or (call.env.get("HELM_CONFIG_HOME") or f"{call.env.get('XDG_CONFIG_HOME') or home + '/.config'}/helm")
        + "/repositories.yaml"
    )


def added(call: Call) -> list[Obj]:
    """The repositories that have been added, in order."""
    path = config_path(call)
    if not call.exists(path):
        return []
    found = goyaml.load(call.read_file(path).decode("utf-8", "replace"))
    return list((found or {}).get("repositories") or [])


def save(call: Call, rows: list[Obj]) -> None:
    """Write the file."""
    path = call.path(config_path(call))
    call.tree.mkdir(path.rpartition("/")[0], True, now=call.world.wall)
    stamp = to_datetime(call.world.wall).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    call.write_file(path, goyaml.dump({"apiVersion": "", "generated": stamp, "repositories": rows}).encode(), mode=0o600)
