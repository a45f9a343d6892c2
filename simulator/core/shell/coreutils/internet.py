"""A small simulated internet: which addresses outside the cluster exist and what they serve.

A table of patterns of addresses, each with a builder of its content.  Everything else does not resolve.
"""

from __future__ import annotations

import base64
import hashlib
import pkgutil
import posixpath
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import yaml

from ...host import files
from ...host.dns import OUTSIDE
from ...host.filesystem import Inode
from ...host.machine import hosts
from ...kernel.clock import DAY, DEFAULT_EPOCH
from ...kernel.versions import KUSTOMIZE, NEWEST, NEXT, PATCH, VERSION, newest
from ...kernel.world import World
from ...runtime.addons import pages as addons
from ...runtime.more_images import INGRESS_NGINX
from . import downloads
from .archive import build

#: etcd releases that a learner may download.
ETCD_RELEASES = tuple(
    f"{line}.{patch}" for line, last in (("3.3", 27), ("3.4", 37), ("3.5", 21), ("3.6", 13)) for patch in range(last + 1)
)


def _armoured(key: str, owner: str) -> bytes:
    """A public key as its archive publishes it: made of its id and owner, so that a keyring shows whose it is."""
    raw = b"\x98\x8d\x04" + key.encode() + b"\0" + owner.encode() + b"\0"
    raw += b"".join(hashlib.sha256(f"{key}{n}".encode()).digest() for n in range(8))
    text = base64.b64encode(raw).decode()
    body = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    begin, end = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return f"{begin}\nVersion: GnuPG v2\n\n{body}\n{end}\n".encode()


#: The key that signs the Kubernetes packages.
KUBERNETES_KEY = _armoured("234654DA9A296436", "isv:kubernetes OBS Project <isv:kubernetes@build.opensuse.org>")


#: What is said of an address that this internet does not have, though the real one may.
ABSENT = "what is there is not simulated in Slipway yet"


class Page(msgspec.Struct):
    """An answer of the outside world."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = {}


def etcd_tarball(version: str, arch: str = "linux-amd64") -> bytes:
    """A release archive of etcd: `etcd`, `etcdctl`, from 3.5 on `etcdutl`, and its documents."""
    top = f"etcd-v{version}-{arch}"
    when = DEFAULT_EPOCH - 200 * DAY
    entries: list[tuple[str, Inode]] = [(top, Inode("dir", 0o755, 1000, 1000, when))]
    documents = {
        "README.md": f"# etcd {version}\n\nA distributed, reliable key-value store.\n",
        "README-etcdctl.md": "# etcdctl\n\nA command line client for etcd.\n",
    }
    minor = int(version.split(".")[1])
    programs = ["etcd", "etcdctl"] + (["etcdutl"] if minor >= 5 else [])
    if minor >= 5:
        documents["README-etcdutl.md"] = "# etcdutl\n\nA command line administration tool for etcd.\n"
    entries.append((f"{top}/Documentation", Inode("dir", 0o755, 1000, 1000, when)))
    entries.append(
        (f"{top}/Documentation/README.md", Inode("file", 0o644, 1000, 1000, when, b"Documentation: https://etcd.io/docs\n"))
    )
    entries += [(f"{top}/{name}", Inode("file", 0o644, 1000, 1000, when, text.encode())) for name, text in documents.items()]
    entries += [(f"{top}/{name}", Inode("exec", 0o755, 1000, 1000, when, b"", None, f"{name}:{version}")) for name in programs]
    return build(entries, compress=True)


def _etcd(match: re.Match[str]) -> Page:
    version, inner, arch = match.group(1), match.group(2), match.group(3)
    if version != inner or version not in ETCD_RELEASES or arch != "linux-amd64":
        return Page(404, b"Not Found")
    return Page(200, etcd_tarball(version), {"content-type": "application/octet-stream"})


def _etcd_sums(match: re.Match[str]) -> Page:
    version = match.group(1)
    if version not in ETCD_RELEASES:
        return Page(404, b"Not Found")
    digest = hashlib.sha256(etcd_tarball(version)).hexdigest()
    return Page(200, f"{digest}  etcd-v{version}-linux-amd64.tar.gz\n".encode())


def _redirect(match: re.Match[str]) -> Page:
    """GitHub sends a release asset elsewhere, which is why `curl` needs -L."""
    return Page(302, b"", {"location": f"https://objects.githubusercontent.com/etcd/{match.group(1)}/{match.group(2)}"})


def _asset(match: re.Match[str]) -> Page:
    found = re.fullmatch(r"etcd-v([\d.]+)-([\w-]+)\.tar\.gz", match.group(2))
    if found is not None:
        inner = re.fullmatch(r"(.+)/(.+)/(.+)", f"{match.group(1)}/{found.group(1)}/{found.group(2)}")
        assert inner is not None
        return _etcd(inner)
    if match.group(2) == "SHA256SUMS":
        return _etcd_sums(match)
    return Page(404, b"Not Found")


#: The newest patch release of each minor version of Kubernetes.
KUBERNETES_RELEASES = {minor: newest(minor) for minor in NEWEST if minor != "1.33"}


def _release(match: re.Match[str]) -> Page:
    """A label such as `stable-1.35` as the version that it means."""
    label, _, branch = match.group(1).partition("-")
    version = VERSION if branch in ("", "1") else KUBERNETES_RELEASES.get(branch, "")
    if label == "latest" and branch in ("", "1"):
        version = "v1.37.0-alpha.2"
    return Page(200, version.encode()) if version else Page(404, b"Not Found")


def _package_key(match: re.Match[str]) -> Page:
    """The key of the Kubernetes packages; the address sends elsewhere first, as the real one does."""
    if match.group(1) not in NEWEST | NEXT:
        return Page(403, b"Forbidden")
    return Page(200, KUBERNETES_KEY)


#: The release of flannel whose manifest is served.
FLANNEL = "v0.27.4"
#: The newest release of metrics-server.
METRICS = "v0.8.0"


def _flannel_redirect(match: re.Match[str]) -> Page:
    """The newest release by its own name."""
    return Page(302, b"", {"location": f"https://github.com/flannel-io/flannel/releases/download/{FLANNEL}/kube-flannel.yml"})


def _flannel(match: re.Match[str]) -> Page:
    """flannel's objects, as `kubectl apply -f` takes them; those of another release with its image."""
    text = _flannel_manifest()
    version = match.group(1) if match.lastindex else ""
    if re.fullmatch(r"v0\.(?:1[0-9]|2[0-9])\.\d+", version):
        text = text.replace(FLANNEL.encode(), version.encode())
    return Page(200, text, {"content-type": "application/octet-stream"})


@lru_cache(maxsize=1)
def _flannel_manifest() -> bytes:
    found = pkgutil.get_data(__package__, "flannel.yaml")
    assert found is not None
    return found


def _metrics_server(match: re.Match[str]) -> Page:
    """metrics-server's objects; the newest release by its own name, an older one with its image."""
    if match.group(1) == "latest/download":
        return Page(
            302,
            b"",
            {"location": f"https://github.com/kubernetes-sigs/metrics-server/releases/download/{METRICS}/components.yaml"},
        )
    version = match.group(1).removeprefix("download/")
    if not re.fullmatch(r"v0\.(?:8\.[01]|7\.[0-2]|6\.[0-4]|5\.[0-2]|4\.[0-6])", version):
        return Page(404, b"Not Found")
    found = pkgutil.get_data(__package__, "metrics-server.yaml")
    assert found is not None
    return Page(200, found.replace(METRICS.encode(), version.encode()), {"content-type": "application/octet-stream"})


def _ingress_nginx(match: re.Match[str]) -> Page:
    """ingress-nginx's objects for a provider: behind a load balancer, at node ports, or at the machine's own ports."""
    branch, provider = match.group(1), match.group(2)
    version = branch.removeprefix("controller-") if branch.startswith("controller-") else INGRESS_NGINX[0]
    if version not in INGRESS_NGINX:
        return Page(404, b"404: Not Found")
    found = pkgutil.get_data(__package__, "ingress-nginx.yaml")
    assert found is not None
    text = found.decode().replace("VERSION", version.removeprefix("v"))
    if provider in ("baremetal", "kind"):
        text = text.replace("  externalTrafficPolicy: Local\n", "").replace("  type: LoadBalancer\n", "  type: NodePort\n")
    if provider == "kind":
        text = re.sub(r"\{containerPort: (80|443), name", r"{containerPort: \1, hostPort: \1, name", text)
    return Page(200, text.encode(), {"content-type": "text/plain; charset=utf-8"})


#: The newest release of local-path-provisioner, and those with the same objects.
LOCAL_PATH = "v0.0.31"
LOCAL_PATH_RELEASES = tuple(f"v0.0.{patch}" for patch in (32, 31, 30, 29, 28, 26, 24, 23, 22, 19))


def _local_path(match: re.Match[str]) -> Page:
    """local-path-provisioner's objects; an older release with its image."""
    version = LOCAL_PATH if match.group(1) in ("master", "HEAD") else match.group(1)
    if version not in LOCAL_PATH_RELEASES:
        return Page(404, b"404: Not Found")
    found = pkgutil.get_data(__package__, "local-path-storage.yaml")
    assert found is not None
    return Page(200, found.replace(LOCAL_PATH.encode(), version.encode()), {"content-type": "text/plain; charset=utf-8"})


def _example_moved(match: re.Match[str]) -> Page:
    """k8s.io sends on to where the documentation's examples are kept."""
    return Page(
        302, b"", {"location": f"https://raw.githubusercontent.com/kubernetes/website/main/content/en/examples/{match.group(1)}"}
    )


def _example(match: re.Match[str]) -> Page:
    """An example of the Kubernetes documentation: its objects."""
    objects = _examples().get(match.group(1))
    if objects is None:  # the real site may have it
        return Page(404, f"{match.group(0)}: {ABSENT}\n".encode())
    return Page(200, yaml.safe_dump_all(objects, sort_keys=False).encode(), {"content-type": "text/plain; charset=utf-8"})


@lru_cache(maxsize=1)
def _examples() -> dict[str, Any]:
    found = yaml.safe_load(pkgutil.get_data(__package__, "examples.yaml") or b"")
    assert isinstance(found, dict)
    return found


def _file(make: Callable[[], bytes]) -> Callable[[re.Match[str]], Page]:
    """A release file of one version."""
    return lambda match: Page(200, make(), {"content-type": "application/octet-stream"})


def _moved(match: re.Match[str]) -> Page:
    """dl.k8s.io sends to where the files are."""
    return Page(302, b"", {"location": f"https://cdn.dl.k8s.io/release/v{match.group(1)}/{match.group(2)}"})


def _kubernetes(match: re.Match[str]) -> Page:
    """A binary of a Kubernetes release, its digest, or the archive of all."""
    version, path = match.group(1), match.group(2)
    if not downloads.released(version):
        return Page(404, b"Not Found")
    if path == "kubernetes-server-linux-amd64.tar.gz":
        return Page(200, downloads.server(version), {"content-type": "application/octet-stream"})
    name, _, suffix = path.removeprefix("bin/linux/amd64/").partition(".")
    if not path.startswith("bin/linux/amd64/") or name not in downloads.KUBERNETES or suffix not in ("", "sha256"):
        return Page(404, b"Not Found")
    data = downloads.binary(name, version)
    return Page(200, downloads.digest(data) if suffix else data, {"content-type": "application/octet-stream"})


#: K3s' installer: where a cluster is, its `k3s kubectl` and kubeconfig are put beside it.
K3S_INSTALLER = b"""#!/bin/sh
if [ ! -f /etc/kubernetes/admin.conf ]; then
  echo "k3s: a cluster of its own on this machine is not simulated in Slipway yet" >&2
  exit 1
fi
echo "Slipway: this machine's kubeadm cluster stands in for K3s's" >&2
curl -sLo /usr/local/bin/k3s https://github.com/k3s-io/k3s/releases/download/v1.36.2%2Bk3s1/k3s
chmod 755 /usr/local/bin/k3s
mkdir -p /etc/rancher/k3s
cp /etc/kubernetes/admin.conf /etc/rancher/k3s/k3s.yaml
"""

#: Helm's installer, for the one release that the worlds have.
HELM = "v3.19.2"
HELM_INSTALLER = f"""#!/usr/bin/env bash
if command -v helm >/dev/null 2>&1; then
  echo "Helm {HELM} is already latest"
  exit 0
fi
echo "Downloading https://get.helm.sh/helm-{HELM}-linux-amd64.tar.gz"
curl -sLo /tmp/helm.tar.gz https://get.helm.sh/helm-{HELM}-linux-amd64.tar.gz || exit 1
tar -xzf /tmp/helm.tar.gz -C /tmp
echo "Verifying checksum... Done."
echo "Preparing to install helm into /usr/local/bin"
cp /tmp/linux-amd64/helm /usr/local/bin/helm && chmod 755 /usr/local/bin/helm
echo "helm installed into /usr/local/bin/helm"
""".encode()


#: kustomize's installer, for the release that kubectl has built in.
KUSTOMIZE_INSTALLER = f"""#!/usr/bin/env bash
set -e
if [ -e kustomize ]; then
  echo "$PWD/kustomize exists. Remove it first."
  exit 1
fi
curl -sLo kustomize.tar.gz https://github.com/kubernetes-sigs/kustomize/releases/download/kustomize%2F{KUSTOMIZE}/kustomize_{KUSTOMIZE}_linux_amd64.tar.gz
tar xzf kustomize.tar.gz
rm kustomize.tar.gz
echo "{KUSTOMIZE}"
echo "kustomize installed to $PWD/kustomize"
""".encode()

#: Docker's installer; Ubuntu's own packages are what it brings here.
DOCKER_INSTALLER = b"""#!/bin/sh
if command -v docker >/dev/null 2>&1; then
  echo 'Warning: the "docker" command appears to already exist on this system.' >&2
  exit 0
fi
echo "# Executing docker install script"
echo "Slipway: Ubuntu's packages docker.io, docker-buildx and docker-compose-v2 stand in for Docker's own" >&2
apt-get update -qq >/dev/null
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq docker.io docker-buildx docker-compose-v2 >/dev/null || exit 1
docker version
"""


#: The newest release of a project at GitHub, as its API tells scripts that ask for it.
LATEST = {
    "etcd-io/etcd": f"v{ETCD_RELEASES[-1]}", "kubernetes/kubernetes": VERSION, "helm/helm": HELM, "flannel-io/flannel": FLANNEL,
    "kubernetes-sigs/metrics-server": METRICS, "metallb/metallb": "v0.15.3", "cert-manager/cert-manager": addons.CERT_MANAGER[0],
    "containerd/containerd": "v2.2.1", "opencontainers/runc": "v1.3.4", "containernetworking/plugins": "v1.8.0",
    "kubernetes-sigs/cri-tools": "v1.36.0", "docker/compose": "v2.40.2", "mikefarah/yq": "v4.48.1", "jqlang/jq": "jq-1.7.1",
    "ahmetb/kubectx": "v0.9.5", "kubernetes-sigs/kustomize": f"kustomize/{KUSTOMIZE}", "kubernetes-sigs/kind": "v0.30.0", "kubernetes/minikube": "v1.37.0", "kubernetes-sigs/gateway-api": addons.GATEWAY_API[0],
}  # fmt: skip


def _latest(match: re.Match[str]) -> Page:
    """What the API says of a project's newest release."""
    name = match[1].lower()
    tag = LATEST.get(name)
    if tag is None:
        return Page(404, ABSENT.encode())
    said = {
        "url": f"https://api.github.com/repos/{name}/releases/latest",
        "html_url": f"https://github.com/{name}/releases/tag/{tag}",
        "tag_name": tag,
    }
    rows = ",\n".join(f'  "{key}": "{value}"' for key, value in (said | {"name": tag}).items())
    return Page(
        200,
        f'{{\n{rows},\n  "draft": false,\n  "prerelease": false\n}}\n'.encode(),
        {"content-type": "application/json; charset=utf-8"},
    )


PAGES: tuple[tuple[str, Callable[[re.Match[str]], Page]], ...] = (
    (r"https?://github\.com/(?:etcd-io|coreos)/etcd/releases/download/v([\d.]+)/([\w.-]+)", _redirect),
    (r"https://objects\.githubusercontent\.com/etcd/([\d.]+)/([\w.-]+)", _asset),
    (r"https?://storage\.googleapis\.com/etcd/v([\d.]+)/etcd-v([\d.]+)-([\w-]+)\.tar\.gz", _etcd),
    (
        r"https?://pkgs\.k8s\.io/core:/stable:/v([\d.]+)/(?:deb|rpm)/(?:Release\.key|repodata/repomd\.xml\.key)",
        lambda match: Page(
            302,
            b"",
            {
                "location": f"https://prod-cdn.packages.k8s.io/repositories/isv:/kubernetes:/core:/stable:/v{match.group(1)}/deb/Release.key"
            },
        ),
    ),
    (r"https://prod-cdn\.packages\.k8s\.io/repositories/isv:/kubernetes:/core:/stable:/v([\d.]+)/deb/Release\.key", _package_key),
    (r"https?://github\.com/flannel-io/flannel/releases/latest/download/kube-flannel\.yml", _flannel_redirect),
    (r"https?://github\.com/(?:flannel-io|coreos)/flannel/releases/download/(v0\.[12]\d\.\d+)/kube-flannel\.yml", _flannel),
    (
        r"https?://raw\.githubusercontent\.com/(?:flannel-io|coreos)/flannel/(master|v0\.[12]\d\.\d+|[0-9a-f]{40})/Documentation/kube-flannel\.yml",
        _flannel,
    ),
    (
        r"https?://github\.com/kubernetes-sigs/metrics-server/releases/(latest/download|download/v[\d.]+)/(?:components|high-availability(?:-1\.21\+)?)\.yaml",
        _metrics_server,
    ),
    (
        r"https?://raw\.githubusercontent\.com/kubernetes/ingress-nginx/(main|master|controller-v[\d.]+)/deploy/static/provider/"
        r"(cloud|baremetal|kind|aws|do|scw|exoscale)/(?:1\.\d+/)?deploy\.yaml",
        _ingress_nginx,
    ),
    (
        r"https?://raw\.githubusercontent\.com/rancher/local-path-provisioner/(?:refs/(?:heads|tags)/)?([\w.]+)/deploy/local-path-storage\.yaml",
        _local_path,
    ),
    (r"https?://(?:www\.)?(?:k8s\.io|kubernetes\.io)/(?:docs/)?examples/([\w./-]+)", _example_moved),
    (
        r"https?://raw\.githubusercontent\.com/kubernetes/website/(?:main|master|release-[\d.]+)/content/en/examples/([\w./-]+)",
        _example,
    ),
    (r"https?://dl\.k8s\.io/(?:release/)?v([\d.]+)/([\w./-]+)", _moved),
    (r"https?://cdn\.dl\.k8s\.io/release/v([\d.]+)/([\w./-]+)", _kubernetes),
    (
        r"https?://github\.com/containerd/containerd/releases/download/v2\.2\.1/containerd-2\.2\.1-linux-amd64\.tar\.gz",
        _file(downloads.containerd),
    ),
    (
        r"https?://raw\.githubusercontent\.com/containerd/containerd/(?:main|v2\.2\.1)/containerd\.service",
        _file(downloads.containerd_unit),
    ),
    (r"https?://github\.com/opencontainers/runc/releases/download/v1\.3\.4/runc\.amd64", _file(downloads.runc)),
    (
        r"https?://github\.com/containernetworking/plugins/releases/download/v1\.8\.0/cni-plugins-linux-amd64-v1\.8\.0\.tgz",
        _file(downloads.plugins),
    ),
    (
        r"https?://github\.com/kubernetes-sigs/cri-tools/releases/download/v1\.36\.0/crictl-v1\.36\.0-linux-amd64\.tar\.gz",
        _file(downloads.crictl),
    ),
    (
        r"https?://storage\.googleapis\.com/minikube/releases/(?:latest|v[\d.]+)/minikube-linux-amd64",
        _file(lambda: downloads.binary("minikube", PATCH)),
    ),
    (r"https?://kind\.sigs\.k8s\.io/dl/v[\d.]+/kind-linux-amd64", _file(lambda: downloads.binary("kind", PATCH))),
    (r"https?://github\.com/k3s-io/k3s/releases/download/[^/]+/k3s", _file(lambda: downloads.binary("k3s", PATCH))),
    (
        r"https?://raw\.githubusercontent\.com/helm/helm/(?:main|master|v[\d.]+|HEAD)/scripts/get(?:-helm-3)?|https?://get\.helm\.sh/get-helm-3",
        _file(lambda: HELM_INSTALLER),
    ),
    (r"https?://get\.helm\.sh/helm-v3\.[\d.]+-linux-amd64\.tar\.gz", _file(downloads.helm)),
    (
        r"https?://(?:www\.)?google\.com/?.*",
        lambda match: Page(200, b"<!doctype html><title>Google</title>\n", {"content-type": "text/html; charset=ISO-8859-1"}),
    ),
    (r"https?://api\.github\.com/repos/([\w.-]+/[\w.-]+)/releases/latest", _latest),
    (r"https?://get\.docker\.com/?", _file(lambda: DOCKER_INSTALLER)),
    (
        r"https?://github\.com/docker/compose/releases/(?:latest/download|download/v?[\d.]+)/docker-compose-[Ll]inux-x86_64",
        _file(lambda: downloads.binary("docker-compose", PATCH)),
    ),
    (
        r"https?://github\.com/mikefarah/yq/releases/(?:latest/download|download/v4[\d.]+)/yq_linux_amd64",
        _file(lambda: downloads.binary("yq", PATCH)),
    ),
    (
        r"https?://github\.com/(?:jqlang|stedolan)/jq/releases/(?:latest/download|download/jq-1\.[\d.]+)/jq-linux(?:64|-amd64)",
        _file(lambda: downloads.binary("jq", PATCH)),
    ),
    (
        r"https?://github\.com/sigstore/cosign/releases/(?:latest/download|download/v[\d.]+)/cosign-linux-amd64",
        _file(lambda: downloads.binary("cosign", PATCH)),
    ),
    (
        r"https?://raw\.githubusercontent\.com/kubernetes-sigs/kustomize/(?:master|HEAD|[\w./]+)/hack/install_kustomize\.sh",
        _file(lambda: KUSTOMIZE_INSTALLER),
    ),
    (
        r"https?://github\.com/kubernetes-sigs/kustomize/releases/download/kustomize(?:%2F|/)v[\d.]+/kustomize_v[\d.]+_linux_amd64\.tar\.gz",
        _file(lambda: downloads.packed("kustomize")),
    ),
    (
        r"https?://github\.com/ahmetb/kubectx/releases/download/v[\d.]+/(kubectx|kubens)(?:_v[\d.]+_linux_x86_64\.tar\.gz)?",
        lambda match: Page(
            200,
            downloads.packed(match[1]) if match[0].endswith(".gz") else downloads.binary(match[1], PATCH),
            {"content-type": "application/octet-stream"},
        ),
    ),
    (
        r"https?://raw\.githubusercontent\.com/ahmetb/kubectx/[\w./-]+/(kubectx|kubens)",
        lambda match: Page(200, downloads.binary(match[1], PATCH), {"content-type": "text/plain; charset=utf-8"}),
    ),
    (r"https?://get\.k3s\.io/?", _file(lambda: K3S_INSTALLER)),
    (r"https?://dl\.k8s\.io/release/((?:stable|latest)(?:-1(?:\.\d+)?)?)\.txt", _release),
    (
        r"https?://(?:www\.)?example\.com/?",
        lambda match: Page(200, b"<!doctype html><title>Example Domain</title><h1>Example Domain</h1>\n"),
    ),
)


def repository(url: str) -> dict[str, tuple[bytes, int]] | None:
    """What a clone of a well-known repository brings: path → (content, mode); None for every other one.  kubectx's scripts are programs here."""
    if not re.fullmatch(r"https?://github\.com/ahmetb/kubectx(?:\.git)?/?", url):
        return None
    return {name: (downloads.binary(name, PATCH), 0o755) for name in ("kubectx", "kubens")}


#: Where a lesson's set-up puts what answers at addresses outside: `WEB/<host>/<path>`.
WEB = "/usr/local/share/internet"


def _brought(world: World, url: str) -> bytes | None:
    """A page that a machine of this world holds; None when there is none."""
    path = posixpath.normpath(f"{WEB}/{url.partition('://')[2].partition('?')[0]}")
    if not path.startswith(WEB + "/"):
        return None
    for name in sorted(hosts(world)):
        held = files.tree(hosts(world)[name])
        if held.isdir(WEB) and held.exists(path) and not held.isdir(path):
            return held.read(path)
    return None


def get(url: str, world: World | None = None) -> Page | None:
    """The answer of an address; None when its host does not exist out there.

    What the world brings along answers first: a file below `WEB` of one of its machines, then `world.tables["pages"]` (url → bytes or
    None), where whoever runs the world has put it.  Nothing here ever leaves the process.
    """
    given = _brought(world, url) if world is not None else None
    if given is None and world is not None and "pages" in world.tables:
        given = world.tables["pages"](url)
    if given is not None:
        return Page(200, given, {"content-type": "text/plain; charset=utf-8"})
    host = re.match(r"https?://([^/:?#]+)", url)
    if host is None or host.group(1) not in OUTSIDE:
        return None
    address = url.split("?")[0]
    for pattern, builder in PAGES:
        match = re.fullmatch(pattern, address)
        if match is not None:
            return builder(match)
    of_addon, found = addons.find(address)
    if found is not None:
        body, moved = found
        return Page(302, b"", {"location": moved}) if moved else Page(200, body, {"content-type": "text/plain; charset=utf-8"})
    return Page(404, b"Not Found") if of_addon else Page(404, f"{url}: {ABSENT}\n".encode())
