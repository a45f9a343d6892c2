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


def _quiet(world: World, host: str) -> Obj:
    try:
        return load(world, host)
    except BadConfig:
        return {}


def proxy_plugins(world: World, host: str) -> Obj:
    """`[proxy_plugins]`."""
    found = _quiet(world, host).get("proxy_plugins") or {}
    return dict(found) if isinstance(found, dict) else {}


def plugin(found: Obj, *names: str) -> Obj:
    """A plugin's table under any of its names (version 3's and version 2's)."""
    plugins = found.get("plugins") or {}
    for name in names:
        if isinstance(plugins.get(name), dict):
            return dict(plugins[name])
    return {}
