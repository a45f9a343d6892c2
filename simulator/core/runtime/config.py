"""containerd's configuration: what `config default` prints, what /etc/containerd/config.toml changes in it (containerd `cmd/containerd/server/config`).

A file of `version = 2` or without a version is migrated in memory, as containerd 2 does.
"""

from __future__ import annotations

import tomllib
from typing import Any

from ..host.machine import hosts
from ..kernel.world import World

PATH = "/etc/containerd/config.toml"
Obj = dict[str, Any]


class BadConfig(Exception):
    """A configuration that containerd refuses to start with."""


def load(world: World, host: str) -> Obj:
    """The file's tables; raises BadConfig."""
    fs = hosts(world)[host].fs
    if not fs.exists(PATH):
        return {}
    try:
        return tomllib.loads(fs.read(PATH).decode(errors="replace"))
    except tomllib.TOMLDecodeError as bad:
        raise BadConfig(f"containerd: failed to load TOML from {PATH}: failed to unmarshal TOML: toml: {bad}") from None


def load_quietly(world: World, host: str) -> Obj:
    """The file's tables, none when it is damaged."""
    try:
        return load(world, host)
    except BadConfig:
        return {}


def proxy_plugins(world: World, host: str) -> Obj:
    """`[proxy_plugins]`."""
    found = load_quietly(world, host).get("proxy_plugins") or {}
    return dict(found) if isinstance(found, dict) else {}


def plugin(found: Obj, *names: str) -> Obj:
    """A plugin's table under any of its names (version 3's and version 2's)."""
    plugins = found.get("plugins") or {}
    for name in names:
        if isinstance(plugins.get(name), dict):
            return dict(plugins[name])
    return {}


def systemd_cgroup(world: World, host: str) -> bool:
    """`SystemdCgroup` of the runtime runc."""
    found = plugin(load_quietly(world, host), "io.containerd.cri.v1.runtime", "io.containerd.grpc.v1.cri", "cri")
    runtimes = (found.get("containerd") or {}).get("runtimes") or {}
    return bool(((runtimes.get("runc") or {}).get("options") or {}).get("SystemdCgroup"))
