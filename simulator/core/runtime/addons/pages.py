"""Manifests of add-ons as their projects publish them: what `kubectl apply -f https://…` finds in the simulated internet.

A stand-in is served only when its objects do in the world what the project's do (docs/adr: stand-ins): definitions of custom resources
are stored and validated, controllers act through the API server and say in their log what they leave out.  Every other address of a
project says that it is not simulated.  The objects are written anew: names, labels, images and ports as in the originals.
"""

from __future__ import annotations

import pkgutil
import re
from collections.abc import Callable
from functools import lru_cache

import yaml

from . import crds

#: What is answered: the body, the place that it moved to, or None for a version that does not exist.
Found = tuple[bytes, str] | None

#: Releases of each project, the newest first; a label such as `latest` means the first.
GATEWAY_API = tuple("v1.4.1 v1.4.0 v1.3.0 v1.2.1 v1.2.0 v1.1.1 v1.1.0 v1.0.0".split())
METALLB = tuple("v0.15.3 v0.15.2 v0.14.9 v0.14.8 v0.14.5 v0.14.3 v0.13.12 v0.13.11 v0.13.10 v0.13.9 v0.13.7".split())
CERT_MANAGER = tuple(
    "v1.19.1 v1.18.2 v1.18.1 v1.18.0 v1.17.4 v1.17.3 v1.17.2 v1.17.1 v1.17.0 v1.16.5 v1.16.4 v1.16.3 v1.16.2 "
    "v1.16.1 v1.16.0 v1.15.5 v1.15.4 v1.15.3 v1.15.2 v1.15.1 v1.15.0 v1.14.7 v1.14.6 v1.14.5 v1.14.4 v1.14.3 "
    "v1.14.2 v1.14.1 v1.14.0 v1.13.6 v1.13.5 v1.13.4 v1.13.3 v1.13.2 v1.13.1 v1.13.0 v1.12.16 v1.12.15 v1.12.14 "
    "v1.12.13 v1.12.12 v1.12.11 v1.12.10 v1.12.9 v1.12.8 v1.12.7 v1.12.6 v1.12.5 v1.12.4 v1.12.3 v1.12.2 v1.12.1 "
    "v1.12.0 v1.11.5 v1.11.4 v1.11.3 v1.11.2 v1.11.1 v1.11.0 v1.10.2 v1.10.1 v1.10.0 v1.9.2 v1.9.1 v1.9.0 v1.8.2 "
    "v1.8.1 v1.8.0".split()
)
CALICO = tuple(
    """v3.32.1 v3.31.3 v3.31.2 v3.31.0 v3.30.4 v3.30.3 v3.30.2 v3.30.0 v3.29.3 v3.29.2 v3.29.1 v3.29.0 v3.28.2 v3.28.1 v3.28.0 v3.27.4
    v3.27.3 v3.27.2 v3.27.0 v3.26.4 v3.26.1 v3.26.0 v3.25.1 v3.25.0""".split()
)


def _own(name: str) -> str:
    return (pkgutil.get_data(__package__, name) or b"").decode()


@lru_cache(maxsize=32)
def gateway_api(version: str, channel: str) -> bytes:
    """The definitions of Gateway API; BackendTLSPolicy belongs to the standard ones since v1.4."""
    kinds = crds.definitions("gateway-api", "experimental" if channel == "experimental" else "standard")
    kept = [
        one
        for one in kinds
        if one["spec"]["names"]["kind"] != "BackendTLSPolicy" or version >= "v1.4" or channel == "experimental"
    ]
    text = crds.text(kept).replace("bundle-version: VERSION", f"bundle-version: {version}")
    return text.replace("channel: standard", f"channel: {channel}").encode()


@lru_cache(maxsize=32)
def _joined(definitions: str, manifest: str, version: str) -> bytes:
    text = crds.text(crds.definitions(definitions)) if definitions else ""
    return (f"{text}---\n{_own(manifest)}" if manifest else text).replace("VERSION", version).encode()


def _gateway(match: re.Match[str]) -> Found:
    version, channel = match[1], match[2]
    return (gateway_api(version, channel), "") if version in GATEWAY_API else None


def _gateway_latest(match: re.Match[str]) -> Found:
    return b"", f"https://github.com/kubernetes-sigs/gateway-api/releases/download/{GATEWAY_API[0]}/{match[1]}-install.yaml"


def _metallb(match: re.Match[str]) -> Found:
    version = METALLB[0] if match[1] == "main" else match[1]
    return (_joined("metallb", "metallb.yaml", version), "") if version in METALLB else None


def _cert_manager(match: re.Match[str]) -> Found:
    if match[1] == "latest/download":
        return (
            b"",
            f"https://github.com/cert-manager/cert-manager/releases/download/{CERT_MANAGER[0]}/cert-manager{match[2] or ''}.yaml",
        )
    version = match[1].removeprefix("download/")
    if version not in CERT_MANAGER:
        return None
    return _joined("cert-manager", "" if match[2] else "cert-manager.yaml", version), ""


def _calico(match: re.Match[str]) -> Found:
    version = CALICO[0] if match[1] in ("master", "latest") else match[1]
    if version not in CALICO:
        return None
    parts = {
        "calico": ("calico", "calico.yaml"), "tigera-operator": ("tigera", "tigera-operator.yaml"),
        "operator-crds": ("tigera", ""), "custom-resources": ("", "custom-resources.yaml"),
    }  # fmt: skip
    return _joined(*parts[match[2]], version), ""


@lru_cache(maxsize=4)
def calico_objects(version: str) -> tuple[crds.Obj, ...]:
    """The objects of calico.yaml, which the operator puts into a namespace of its own."""
    return tuple(one for one in yaml.safe_load_all(_joined("calico", "calico.yaml", version)) if one)


_CALICO_PART = r"(calico|tigera-operator|operator-crds|custom-resources)\.yaml"
PAGES: tuple[tuple[str, Callable[[re.Match[str]], Found]], ...] = (
    (
        r"https?://github\.com/kubernetes-sigs/gateway-api/releases/download/(v[\d.]+)/(standard|experimental)-install\.yaml",
        _gateway,
    ),
    (
        r"https?://github\.com/kubernetes-sigs/gateway-api/releases/latest/download/(standard|experimental)-install\.yaml",
        _gateway_latest,
    ),
    (r"https?://raw\.githubusercontent\.com/metallb/metallb/(v[\d.]+|main)/config/manifests/metallb-native\.yaml", _metallb),
    (
        r"https?://github\.com/(?:cert-manager|jetstack)/cert-manager/releases/(latest/download|download/v[\d.]+)/cert-manager(\.crds)?\.yaml",
        _cert_manager,
    ),
    (rf"https?://raw\.githubusercontent\.com/projectcalico/calico/(v[\d.]+|master)/manifests/{_CALICO_PART}", _calico),
)


#: Folders of repositories that kustomize builds from: those of Gateway API's definitions, its own and NGINX Gateway Fabric's.
_FOLDERS = re.compile(
    r"(?:https?://)?github\.com/(?:kubernetes-sigs/gateway-api/+config/crd(?:/(?P<own>standard|experimental))?"
    r"|nginx(?:inc)?/nginx-gateway-fabric/+config/crd/gateway-api/(?P<fabric>standard|experimental))/?(?:\?ref=(?P<ref>[\w.-]+))?"
)


def kustomization(address: str) -> tuple[crds.Obj, ...] | None:
    """The objects of a repository's folder; None when it is not one of these."""
    match = _FOLDERS.fullmatch(address)
    if match is None:
        return None
    version = match["ref"] if match["own"] is not None or match["fabric"] is None else GATEWAY_API[2]
    text = gateway_api(version if version in GATEWAY_API else GATEWAY_API[0], match["own"] or match["fabric"] or "standard")
    return tuple(one for one in yaml.safe_load_all(text) if one)


def find(url: str) -> tuple[bool, Found]:
    """Whether an address is one of an add-on, and what it answers."""
    for pattern, build in PAGES:
        match = re.fullmatch(pattern, url)
        if match is not None:
            return True, build(match)
    return False, None
