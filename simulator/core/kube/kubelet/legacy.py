"""Kubelets of older versions as far as the container runtime goes: the flags that v1.24 and v1.27 took away, and dockershim.

The version is that of the installed program (`kubelet:1.23.17`).  Everything else about an older kubelet is as in v1.36.
"""

from __future__ import annotations

from ...host.process import Process
from .. import component

#: Flags that went with dockershim in v1.24.
_DOCKERSHIM = (
    "--network-plugin", "--cni-conf-dir", "--cni-bin-dir", "--cni-cache-dir", "--network-plugin-mtu", "--docker-endpoint", "--image-pull-progress-deadline",
    "--experimental-dockershim-root-directory", "--docker", "--non-masquerade-cidr", "--dynamic-config-dir",
)  # fmt: skip


class Unsupported(Exception):
    """A runtime that this version does not know; the text is the kubelet's."""


def minor(proc: Process) -> int:
    """23 for v1.23.17."""
    parts = component.version_of(proc).split(".")
    return int(parts[1]) if len(parts) > 1 and parts[1].isdigit() else 36


def arguments(proc: Process) -> tuple[list[str], bool]:
    """(command line without the flags that only this version has, whether it uses dockershim); raises Unsupported."""
    number = minor(proc)
    out, runtime, endpoint = [proc.argv[0]], "docker" if number < 24 else "remote", False
    rest = list(proc.argv[1:])
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if number < 24 and name in _DOCKERSHIM:
            if not equals and rest and not rest[0].startswith("--"):
                rest.pop(0)
            continue
        if number < 27 and name == "--container-runtime":
            runtime = value if equals else rest.pop(0) if rest else ""
            continue
        if number < 35 and name == "--pod-infra-container-image":
            if not equals and rest:
                rest.pop(0)
            continue
        endpoint = endpoint or name == "--container-runtime-endpoint"
        out.append(word)
    if runtime not in ("remote", "docker") or (runtime == "docker" and number >= 24):
        raise Unsupported(f'unsupported CRI runtime: "{runtime}"')
    return out, runtime == "docker" and number < 24
