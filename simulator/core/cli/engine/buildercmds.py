"""`builder prune`, `buildx ls` and `buildx version`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from ...runtime.engine import core, dockerd
from . import formats, lifecycle
from .session import CliError, EngineSession


# -- builder odds and ends -------------------------------------------------------------------------------------------------
def builder_prune(session: EngineSession) -> Generator[Wait, Any, int]:
    """`builder prune`."""
    session.connect()
    if not session.on("force"):
        session.inv.out(
            "WARNING! This will remove all dangling build cache.\n"
            if not session.on("all")
            else "WARNING! This will remove all build cache.\n"
        )
        if not (yield from lifecycle.confirmed(session)):
            return 0
    engine = core.engine(session.world, session.host, session.space)
    steps = [key for key in engine.cache if not key.startswith("base/")]
    if steps:
        session.inv.out(
            formats.table(
                [
                    ["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"],
                    *([key[:25], "true", "0B", "Less than a second ago"] for key in steps),
                ]
            )
        )
    engine.cache = {}
    session.inv.out("Total:\t0B\n")
    return 0


def buildx_list(session: EngineSession) -> int:
    """`buildx ls`."""
    rows = [
        ["NAME/NODE", "DRIVER/ENDPOINT", "STATUS", "BUILDKIT", "PLATFORMS"],
        ["default*", "docker", "", "", ""],
        [" \\_ default", " \\_ default", "running", "v0.25.1", "linux/amd64 (+4), linux/386"],
    ]
    session.inv.out(session.table(rows))
    return 0


def buildx_version(session: EngineSession) -> int:
    """`buildx version`."""
    session.inv.out(f"github.com/docker/buildx {dockerd.BUILDX} a32761aeb3debd39be1eca514af3693af0db334b\n")
    return 0


def buildx_usage(session: EngineSession) -> int:
    """`buildx du`: what the build cache holds."""
    session.connect()
    engine = core.engine(session.world, session.host, session.space)
    steps = [key for key in engine.cache if not key.startswith("base/")]
    if steps:
        rows = [["ID", "RECLAIMABLE", "SIZE", "LAST ACCESSED"], *([key[:25], "true", "0B", ""] for key in steps)]
        session.inv.out(formats.table(rows))
    session.inv.out("Reclaimable:\t0B\nTotal:\t\t0B\n")
    return 0


def buildx_inspect(session: EngineSession) -> int:
    """`buildx inspect`: the builder that Docker's engine has inside."""
    name = session.args[0] if session.args else "default"
    if name != "default":
        raise CliError(f'ERROR: no builder "{name}" found')
    session.connect()
    session.inv.out(
        "Name:   default\nDriver: docker\n\nNodes:\nName:             default\nEndpoint:         default\nStatus:           running\n"
        "BuildKit version: v0.25.1\nPlatforms:        linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/amd64/v4, linux/386\n"
        "Labels:\n org.mobyproject.buildkit.worker.moby.host-gateway-ip: 172.17.0.1\n"
    )
    return 0
