"""The progress display of `ctr images pull` (`cmd/ctr/commands/images/pull.go: DisplayHierarchy`, `pkg/progress`)."""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host.program import Invocation, Sleep, Wait
from ...kernel.clock import MS, SECOND
from ...kernel.world import World
from ...runtime import images
from ...runtime.state import Pull
from .. import human, tabwriter

#: containerd sends progress this often.
TICK = 300 * MS
_WIDTH = 40


def bar(part: float) -> str:
    """A bar of 40 columns, green as `progress.Bar` draws it."""
    inner = _WIDTH - 2
    positive = int(inner * min(max(part, 0.0), 1.0))
    return "|\x1b[32m" + "+" * positive + "\x1b[0m" + "-" * (inner - positive) + "|"


def screen_lines(text: str, columns: int) -> int:
    """How many lines a picture takes on a terminal, wrapped ones counted (`countLines` of `pkg/progress/writer.go`)."""
    plain = re.sub(r"\x1b\[[0-9]+m", "", text)
    return sum(max(0, len(line) - 1) // max(1, columns) + 1 for line in plain.split("\n")) - 1


def _line(prefix: str, name: str, event: str, part: float | None = None, extra: str = "") -> str:
    label = f"{(prefix + name)[:40]:<40}"
    if part is None:
        return f"{label}\t{event}\t\n"
    return f"{label}\t{event:<11}\t{bar(part)}\t{extra}\n"


def frame(world: World, pull: Pull, now: int, status: str) -> str:
    """One picture of a pull: the tree of its descriptors, the digest when it is saved, the status line."""
    build = images.find(world, pull.build)
    done = now >= pull.ends
    resolved = min((layer.start for layer in pull.layers), default=pull.ends)
    total = 0
    if now < resolved:
        spent = (now - pull.started) / SECOND
        return _aligned(f"{status}\telapsed: {spent:<4.1f}s\ttotal: {human.binary(0)[:6]:>7}\t({human.binary(0)}/s)\t\n")

    def short(part: str) -> str:
        return f"({build.digest(part)[7:19]})"

    lines = [_line("", pull.ref, "saved" if done else "fetching image content")]
    lines.append(_line("└──", f"index {short('index')}", "complete", 1.0))
    lines.append(_line("   └──", f"manifest {short('manifest')}", "complete", 1.0))
    lines.append(_line("      ├──", f"config {short('config')}", "complete", 1.0))
    for index, layer in enumerate(pull.layers):
        prefix = "      └──" if index == len(pull.layers) - 1 else "      ├──"
        name = f"layer ({layer.digest[7:19]})"
        if now < layer.start:
            lines.append(_line(prefix, name, "waiting", 0.0))
        elif now < layer.fetched:
            got = layer.size * (now - layer.start) // max(1, layer.fetched - layer.start)
            total += got
            lines.append(
                _line(prefix, name, "downloading", got / layer.size, f"{human.binary(got)[:8]:>8}/{human.binary(layer.size)}\t")
            )
        else:
            total += layer.size
            lines.append(_line(prefix, name, "extracted" if now >= layer.unpacked else "complete", 1.0))
    lines.append(f"{build.media_type} {build.digest('index')}\n")
    spent = max(now - pull.started, 1) / SECOND
    rate = human.binary(int(total / spent))
    lines.append(f"{status}\telapsed: {spent:<4.1f}s\ttotal: {human.binary(total)[:6]:>7}\t({rate}/s)\t\n")
    return _aligned("".join(lines))


def _aligned(text: str) -> str:
    """Columns by blanks, as the picture's tabwriter sets them (a terminal's own tab stops would widen wrapped lines)."""
    return tabwriter.align(text, minwidth=1, tabwidth=8, padding=1)


def show(inv: Invocation, pull: Pull) -> Generator[Wait, Any, None]:
    """Draw the pull until it ends; on a terminal each picture replaces the one before."""
    lines = 0
    where = f"OCI Registry ({pull.ref})"

    def draw(status: str) -> int:
        text = frame(inv.world, pull, inv.world.now, status)
        clear = "\x1b[1A\x1b[2K\r" * lines if inv.stdin_tty else ""
        inv.out(clear + text)
        return screen_lines(text, inv.columns)

    while not pull.done and not pull.error:
        yield Sleep(min(TICK, max(1 * MS, pull.ends - inv.world.now + MS)))
        if not pull.done:
            lines = draw(
                f"Pulling from {where}" if pull.layers and inv.world.now >= pull.layers[0].start else f"Resolving from {where}"
            )
    if not pull.error:
        draw(f"Completed pull from {where}")
