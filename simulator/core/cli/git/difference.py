"""Differences as git shows them: patches, `--stat`, names."""

from __future__ import annotations

import re
from collections.abc import Callable

from ...shell.coreutils.common import text_lines
from ...shell.coreutils.diff import compare
from ...shell.coreutils.diffviews import grouped
from .store import Entry, Repository
from .worktree import Files, between, content

#: What a file's bytes are read with: an entry of the index or a tree, or the working folder.
Reader = Callable[[Entry], bytes]
BOLD, RED, GREEN, CYAN, YELLOW, RESET = "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[36m", "\x1b[33m", "\x1b[m"


class Change:
    """One file on both sides; None where it is not there."""

    def __init__(self, path: str, old: Entry | None, new: Entry | None, before: bytes, after: bytes) -> None:
        self.path, self.old, self.new, self.before, self.after = path, old, new, before, after
        self.name = path  # with `old => new` when it was renamed
        self.source = path

    @property
    def binary(self) -> bool:
        """Whether it is no text."""
        return b"\0" in self.before[:8000] or b"\0" in self.after[:8000]

    def counts(self) -> tuple[int, int]:
        """Lines added and removed."""
        plus = minus = 0
        for tag, i1, i2, j1, j2 in compare(text_lines(self.before), text_lines(self.after), [self.before, self.after]):
            if tag != "equal":
                plus, minus = plus + j2 - j1, minus + i2 - i1
        return plus, minus


def changes(repo: Repository, old: Files, new: Files, *, working: bool = False) -> list[Change]:
    """What differs; with `working` the new side's content is that of the working folder."""
    out = []
    for path, how in sorted(between(old, new).items()):
        one, other = old.get(path), new.get(path)
        before = repo.blob(one.sha) if one is not None else b""
        after = b"" if other is None else content(repo, path) if working else repo.blob(other.sha)
        out.append(Change(path, one, other, before, after))
        assert how
    return out


def renamed(found: list[Change]) -> list[Change]:
    """Files that went and came with the same content are one that was moved."""
    gone = [one for one in found if one.new is None and one.before]
    out: list[Change] = []
    used: set[str] = set()
    for one in found:
        if one.old is None and one.new is not None:
            source = next((g for g in gone if g.path not in used and g.old is not None and g.old.sha == one.new.sha), None)
            if source is not None:
                used.add(source.path)
                moved = Change(one.path, source.old, one.new, source.before, one.after)
                moved.source, moved.name = source.path, f"{source.path} => {one.path}"
                out.append(moved)
                continue
        out.append(one)
    return [one for one in out if not (one.new is None and one.path in used)]


def patch(repo: Repository, found: list[Change], *, colour: bool = False, around: int = 3) -> str:
    """`git diff`."""
    paint = (lambda text, code: f"{code}{text}{RESET}") if colour else (lambda text, code: text)
    out: list[str] = []
    for one in found:
        out.append(paint(f"diff --git a/{one.source} b/{one.path}", BOLD))
        short = [repo.short(side.sha) if side is not None else "0000000" for side in (one.old, one.new)]
        if one.source != one.path:
            out += [paint(text, BOLD) for text in ("similarity index 100%", f"rename from {one.source}", f"rename to {one.path}")]
            continue
        if one.old is None or one.new is None:
            mode = one.new.mode if one.new is not None else one.old.mode if one.old is not None else 0
            out.append(paint(f"{'new' if one.old is None else 'deleted'} file mode {mode:o}", BOLD))
            tail = ""
        else:
            if one.old.mode != one.new.mode:
                out += [paint(f"old mode {one.old.mode:o}", BOLD), paint(f"new mode {one.new.mode:o}", BOLD)]
            tail = f" {one.old.mode:o}" if one.old.mode == one.new.mode else ""
            if one.old.sha == one.new.sha:
                continue
        out.append(paint(f"index {short[0]}..{short[1]}{tail}", BOLD))
        if one.binary:
            left, right = (
                "/dev/null" if side is None else f"{letter}/{one.path}" for side, letter in ((one.old, "a"), (one.new, "b"))
            )
            out.append(f"Binary files {left} and {right} differ")
            continue
        if not one.before and not one.after:
            continue
        out.append(paint(f"--- a/{one.path}" if one.old is not None else "--- /dev/null", BOLD))
        out.append(paint(f"+++ b/{one.path}" if one.new is not None else "+++ /dev/null", BOLD))
        out += hunks(one.before, one.after, paint, around)
    return "".join(line + "\n" for line in out)


def hunks(before: bytes, after: bytes, paint: Callable[[str, str], str], around: int) -> list[str]:
    """The `@@` blocks of two texts."""
    left, right = text_lines(before), text_lines(after)
    out: list[str] = []
    no_end = "\\ No newline at end of file"

    def span(start: int, stop: int) -> str:
        size = stop - start
        return f"{start + 1 if size else start}" + ("" if size == 1 else f",{size}")

    def marked(mark: str, rows: list[str], start: int, stop: int, data: bytes, code: str) -> None:
        out.extend(paint(f"{mark}{line}", code) if code else f"{mark}{line}" for line in rows[start:stop])
        if stop == len(rows) and stop > start and not data.endswith(b"\n"):
            out.append(no_end)

    for group in grouped(compare(left, right, [before, after]), around):
        above = next((line for line in reversed(left[: group[0][1]]) if re.match(r"[A-Za-z_$]", line)), "")
        head = f"@@ -{span(group[0][1], group[-1][2])} +{span(group[0][3], group[-1][4])} @@"
        out.append(paint(head, CYAN) + (f" {above[:80].rstrip()}" if above else ""))
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                marked(" ", left, i1, i2, before, "")
            else:
                marked("-", left, i1, i2, before, RED)
                marked("+", right, j1, j2, after, GREEN)
    return out


def totals(found: list[Change]) -> str:
    """` 2 files changed, 3 insertions(+), 1 deletion(-)`."""
    counts = [(0, 0) if one.binary else one.counts() for one in found]
    plus, minus = sum(p for p, _ in counts), sum(m for _, m in counts)
    out = f" {len(found)} file{'s' * (len(found) != 1)} changed"
    if plus or not minus:
        out += f", {plus} insertion{'s' * (plus != 1)}(+)"
    if minus or not plus:
        out += f", {minus} deletion{'s' * (minus != 1)}(-)"
    return out + "\n"


def stat(found: list[Change], *, colour: bool = False) -> str:
    """`--stat`: a bar for each file and the totals."""
    if not found:
        return ""
    width = max(len(one.name) for one in found)
    counts = {one.name: one.counts() for one in found if not one.binary}
    most = max((sum(pair) for pair in counts.values()), default=0)
    room = 80 - width - 5 - len(str(most))
    out = ""
    for one in found:
        if one.binary:
            out += f" {one.name:{width}} | Bin {len(one.before)} -> {len(one.after)} bytes\n"
            continue
        plus, minus = counts[one.name]
        total, scale = plus + minus, 1.0 if most <= room else room / most
        shown = [max(1, round(part * scale)) if part else 0 for part in (plus, minus)]
        bar = [mark * count for mark, count in zip("+-", shown, strict=True)]
        if colour:
            bar = [f"{code}{text}{RESET}" if text else "" for text, code in zip(bar, (GREEN, RED), strict=True)]
        out += f" {one.name:{width}} | {total:>{len(str(most))}}{' ' if total else ''}{''.join(bar)}\n"
    return out + totals(found)


def summary(found: list[Change]) -> str:
    """` create mode 100644 a`, ` delete mode …`, ` rename a => b (100%)`."""
    out = ""
    for one in found:
        if one.source != one.path:
            out += f" rename {one.name} (100%)\n"
        elif one.old is None and one.new is not None:
            out += f" create mode {one.new.mode:o} {one.path}\n"
        elif one.new is None and one.old is not None:
            out += f" delete mode {one.old.mode:o} {one.path}\n"
        elif one.old is not None and one.new is not None and one.old.mode != one.new.mode:
            out += f" mode change {one.old.mode:o} => {one.new.mode:o} {one.path}\n"
    return out


def letters(found: list[Change]) -> str:
    """`--name-status`."""
    out = ""
    for one in found:
        if one.source != one.path:
            out += f"R100\t{one.source}\t{one.path}\n"
        else:
            out += f"{'A' if one.old is None else 'D' if one.new is None else 'M'}\t{one.path}\n"
    return out
