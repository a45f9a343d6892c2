"""`git log --graph`: lanes of commits (graph.c).

Columns hold the commits that are awaited.  A commit stands in the column that awaits it; its first parent takes the column over, further
ones get columns of their own to its right; columns that await the same commit meet in the leftmost.
"""

from __future__ import annotations

from .store import Commit


def draw(rows: list[tuple[Commit, str]], flat: bool) -> str:
    """Each commit's text behind its lanes."""
    lanes: list[str] = []
    out: list[str] = []
    known = {one.sha for one, _ in rows}
    for number, (one, text) in enumerate(rows):
        if one.sha not in lanes:
            lanes.append(one.sha)
        at = lanes.index(one.sha)
        parents = [sha for sha in one.parents if sha in known]
        before = len(lanes)
        width = 2 * max(before, before + len(parents) - 1)
        head, *rest = text.rstrip("\n").split("\n")
        out.append(" ".join("*" if n == at else "|" for n in range(before)).ljust(width) + head)
        lanes[at : at + 1] = parents[:1]
        for n, extra in enumerate(parents[1:], 1):
            lanes.insert(at + n, extra)
            out.append(("| " * at + "|\\" + " \\" * (len(lanes) - at - 2)).ljust(width))
        bars = "".join("| " for _ in lanes)
        out += [(bars if lanes else "  ").ljust(width) + line for line in rest]
        if not flat and number < len(rows) - 1:
            out.append(bars.ljust(width))
        out += _meetings(lanes)
    return "".join(line + "\n" for line in out)


def _meetings(lanes: list[str]) -> list[str]:
    """The rows in which columns that await the same commit come together; `lanes` keeps one of each."""
    out: list[str] = []
    while len(set(lanes)) < len(lanes):
        twin = next(n for n, sha in enumerate(lanes) if sha in lanes[:n])
        first = lanes.index(lanes[twin])
        width = 2 * len(lanes)
        cells = "| " * (twin - 1) + "|/" + " /" * (len(lanes) - twin - 1)
        if first < twin - 1:  # it crosses the columns between them
            cells = "| " * first + "|_" * (twin - 1 - first) + "|/" + " /" * (len(lanes) - twin - 1)
        out.append(cells.ljust(width))
        del lanes[twin]
    return out
