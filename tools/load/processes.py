"""CPU and memory of processes and all that they started, from /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
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
    """`{kind: (CPU seconds, megabytes)}` of named processes; `web.0` and `web.1` count as `web`."""
    found: dict[str, tuple[float, float]] = {}
    for name, pid in parts.items():
        if pid:
            pids = tree(pid)
            seconds, megabytes = found.get(name.split(".")[0], (0.0, 0.0))
            found[name.split(".")[0]] = (seconds + cpu(pids), megabytes + memory(pids))
    return found
