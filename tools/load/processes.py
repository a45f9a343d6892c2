"""CPU and memory of processes and all that they started, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


def tree(root: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += children.get(pid, [])
    return found


def cpu(pids: Iterable[int]) -> float:
    """Seconds of CPU that these processes (and their ended children) have used."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(value) for value in fields[11:15])
    return total / _TICK


def memory(pids: Iterable[int]) -> float:
    """Megabytes: the proportional set size, which counts what processes share once."""
    total = 0
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total / 1024


def usage(parts: Mapping[str, int]) -> dict[str, tuple[float, float]]:
    """`{kind: (CPU seconds, megabytes)}` of named processes; `web.0` and `web.1` count as `web`.

    A worker's own process, which fetches tasks and hands them out, counts as `worker`, the one in which they run as `tasks`.
    """
    found: dict[str, tuple[float, float]] = {}
    for group, members in _groups(parts):
        seconds, megabytes = found.get(group, (0.0, 0.0))
        found[group] = (seconds + cpu(members), megabytes + memory(members))
    return found


def _groups(parts: Mapping[str, int]) -> Iterator[tuple[str, list[int]]]:
    for name, pid in parts.items():
        if pid:
            kind, pids = name.split(".")[0], tree(pid)
            yield kind, pids[:1] if kind == "worker" else pids
            if kind == "worker":
                yield "tasks", pids[1:]


def spent(parts: Mapping[str, int]) -> dict[str, float]:
    """The same without memory, which takes the kernel longer to find out: `{kind: CPU seconds}`."""
    found: dict[str, float] = {}
    for group, members in _groups(parts):
        found[group] = found.get(group, 0.0) + cpu(members)
    return found
