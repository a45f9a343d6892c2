"""Pulling with containerd's progress display, as nerdctl draws it (`pkg/imgutil/jobs`)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel.clock import MS, SECOND
from ...kernel.world import World
from ...runtime import containerd
from ...runtime import images as stored
from ...runtime.state import Image, Pull
from .. import human, tabwriter
from ..ctr.progress import bar, screen_lines
from ..engine.session import EngineSession
from .session import NerdctlError


def _frame(world: World, pull: Pull, now: int) -> str:
    build = stored.find(world, pull.build)
    resolved = min((layer.start for layer in pull.layers), default=pull.started)
    rows = [f"{pull.ref}:\t{'resolved' if now >= resolved else 'resolving'}\t{bar(1.0 if now >= resolved else 0.0)}\t\n"]
    total = 0
    if now >= resolved:
        for part in ("index", "manifest", "config"):
            rows.append(f"{part}-{build.digest(part)}:\tdone\t{bar(1.0)}\t\n")
        for layer in pull.layers:
            name = f"layer-{layer.digest}"
            if now < layer.start:
                rows.append(f"{name}:\twaiting\t{bar(0.0)}\t\n")
            elif now < layer.fetched:
                got = layer.size * (now - layer.start) // max(1, layer.fetched - layer.start)
                total += got
                rows.append(
                    f"{name}:\tdownloading\t{bar(got / layer.size)}\t{human.binary(got)[:8]:>8}/{human.binary(layer.size)}\t\n"
                )
            else:
                total += layer.size
                rows.append(f"{name}:\tdone\t{bar(1.0)}\t\n")
    spent = max(now - pull.started, 1) / SECOND
    rows.append(f"elapsed: {spent:<4.1f}s\ttotal: {human.binary(total)[:6]:>7}\t({human.binary(int(total / spent))}/s)\t\n")
    return tabwriter.align("".join(rows), minwidth=1, tabwidth=8, padding=1)


def fetch(session: EngineSession, name: str, *, quiet: bool = False) -> Generator[Wait, Any, Image]:
    """Pull an image with nerdctl's display; raises NerdctlError."""
    lazy = session.flag("snapshotter") == "stargz"
    one = containerd.begin_pull(session.world, session.host, session.space, name, lazy=lazy)
    lines = 0
    while not one.done:
        yield Sleep(min(500 * MS, max(1 * MS, one.ends - session.world.now + MS)))
        if quiet or one.error or one.build == "":
            continue
        text = _frame(session.world, one, min(session.world.now, one.ends))
        session.inv.out(("\x1b[1A\x1b[2K\r" * lines if session.inv.stdin_tty else "") + text)
        lines = screen_lines(text, session.inv.columns)
    if one.error:
        text = one.error.partition("failed to resolve reference")[1] + one.error.partition("failed to resolve reference")[2]
        raise NerdctlError(text or one.error)
    return session.images[one.ref]
