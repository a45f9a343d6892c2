"""The API server lens: the last requests, each with who asked and what authentication, authorisation, admission and etcd made of it."""

from __future__ import annotations

from typing import Any

import msgspec

from ...kernel.world import World
from ...kube.apiserver import admission
from ...kube.apiserver.program import Running
from .common import choose

Json = dict[str, Any]

#: Requests that are shown of each server: people's and components', so that a rollout's many writes do not hide the command.
PEOPLE, OTHERS = 8, 6


def lens(world: World, about: str) -> Json:
    """The requests of all API servers by time, or of the one on the host `about`."""
    running: dict[str, Running] = world.sections.get("apiserver", {})
    hosts = sorted({key.partition("/")[0] for key, one in running.items() if one.ready})
    choices = ["", *hosts] if len(hosts) > 1 else hosts
    about = choose(choices, about)
    found = [
        (row, key.partition("/")[0])
        for key, one in running.items()
        for row in [*one.recent.people[-PEOPLE:], *one.recent.others[-OTHERS:]]
    ]
    rows = sorted((pair for pair in found if about in ("", pair[1])), key=lambda pair: (pair[0].at, pair[0].event))
    config = next((one.config for key, one in sorted(running.items()) if about in ("", key.partition("/")[0])), None)
    plugins = admission.enabled(tuple(config.admission_plugins), tuple(config.disabled_plugins)) if config is not None else ()
    return {
        "about": about,
        "choices": choices,
        "servers": hosts,
        "modes": config.authorization_modes if config is not None else [],
        "plugins": [plugin.name for plugin in plugins],
        "requests": [
            {**msgspec.structs.asdict(row), "server": host, "id": f"{host}/{row.at}/{row.event}/{row.ref}", "reads": _reads(row.verb)}
            for row, host in rows
        ],
    }  # fmt: skip


def _reads(verb: str) -> bool:
    return verb in ("get", "list", "watch", "head", "options")
