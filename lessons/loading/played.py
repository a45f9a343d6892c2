"""Commands of lessons, played: each ends as the lesson says and prints what the lesson shows.

A `run` block may have an `output` block right below it.  What stands there is compared line by line: `…` is any text, a line of it
alone any lines, and the width of gaps does not count.  A reader wants to see real names and times, and another world prints others: so
commands are played in worlds of two seeds, and where these differ the text may say anything.  `manage.py checkcourse` proves lessons
with it, `manage.py lessonoutputs` writes the blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import yaml

from lessons.loading import proof
from lessons.rendering.blocks import Expectation, expectation, options
from simulator.core.lab.checks import duration
from simulator.core.sandbox import Sandbox
from simulator.headless.run import Session

FENCE = re.compile(r"^```([a-z]+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: An output in a text has at most so many lines and columns; the middle of a longer one and the end of a longer line are `…`.
LINES, COLUMNS = 18, 320
_PIECE = re.compile(r"\x1b\[(?P<count>\d*)(?P<move>[A-KSTf])|\x1b\[[0-9;]*m|(?P<control>[\r\n])|(?P<text>[^\x1b\r\n]+)|\x1b")


@dataclass(slots=True)
class Block:
    """A command block, where it ends in its file, and the output that stands below it."""

    text: str
    host: str
    expected: Expectation
    end: int
    shows: str | None = None
    #: Where that output ends; `end` without one.
    until: int = 0

    @property
    def said(self) -> tuple[str, str, Expectation, str | None]:
        """What both languages must have in common."""
        return self.text, self.host, self.expected, self.shows


def blocks(source: str) -> list[Block]:
    """The run blocks of a lesson's text, in order."""
    found: list[Block] = []
    open_ = False
    for match in FENCE.finditer(source):
        kind, words, inner = match.groups()
        if kind == "run":
            given = options(words.split())
            end = match.end()
            found.append(Block(inner.strip("\n"), given.pop("host", "controlplane"), expectation(given), end, until=end))
            open_ = True
        elif kind == "output" and open_ and not source[found[-1].end : match.start()].strip():
            found[-1].shows, found[-1].until = inner.rstrip("\n"), match.end()
            open_ = False
    return found


def world(path: Path, seed: int = 1) -> Sandbox:
    """The world in which a lesson begins: of its own scenario or its course's, after its set-up."""
    front = yaml.safe_load(path.read_text("utf-8").split("---")[1])
    scenario = front.get("scenario") or yaml.safe_load((path.parents[1] / "course.yaml").read_text("utf-8"))["scenario"]
    sandbox = Sandbox.boot(str(scenario), seed)
    proof.set_up(sandbox, front.get("setup", ()))
    return sandbox


#: Times and numbers of processes: they move with every change of a component's latency, and no reader compares them.
_VOLATILE = re.compile(
    r"(?:About an? \w+|Less than a second|\d+ \w+)(?= ago)|\b(?:\d+(?:\.\d+)?(?:ms|µs|us|ns|s|m|h|d))+\b|\d\d:\d\d:\d\d(?:\.\d+)?"
    r"|(?<=\[)\d+(?=\]:)|(?<=\d\s)\s*\d+(?= \w+\.go:\d)"
)


def _still(text: str) -> str:
    return _VOLATILE.sub("#", text)


def matches(shown: str, printed: str) -> bool:
    """Does what was printed agree with what the lesson shows?

    Whatever lies between two `…` is looked for from the left, pieces in a line as well as lines in the whole: with gaps of any length that
    finds an agreement where there is one, and takes no longer where there is none.
    """
    lines = _still(printed).rstrip("\n").split("\n")
    runs: list[list[_Line]] = [[]]
    for line in _still(shown).split("\n"):
        if line.strip() == "…":
            runs.append([])
        else:
            runs[-1].append(_Line(line))

    def at(run: list[_Line], place: int) -> bool:
        return place + len(run) <= len(lines) and all(map(_Line.says, run, lines[place : place + len(run)]))

    if len(runs) == 1:
        return len(lines) == len(runs[0]) and at(runs[0], 0)
    first, *middle, last = runs
    if not at(first, 0):
        return False
    done = len(first)
    for run in middle:
        place = next((place for place in range(done, len(lines) - len(run) + 1) if at(run, place)), None)
        if place is None:
            return False
        done = place + len(run)
    return len(lines) - len(last) >= done and at(last, len(lines) - len(last))


class _Line:
    """One line that a lesson shows: pieces with any text between them."""

    def __init__(self, line: str) -> None:
        texts = line.rstrip().split("…")
        # a gap beside any text is one blank and the rest of it
        pieces = [_piece(text) + (r"[ \t]" if text[-1:] in (" ", "\t") else "") for text in texts[:-1]]
        self.pieces = [re.compile(piece) for piece in pieces]
        self.last = re.compile(_piece(texts[-1]) + r"[ \t]*\Z")

    def says(self, line: str) -> bool:
        """Is this what the line says?"""
        done = 0
        for number, piece in enumerate(self.pieces):
            found = piece.search(line, done) if number else piece.match(line)
            if found is None:
                return False
            done = found.end()
        return (self.last.search(line, done) if self.pieces else self.last.match(line)) is not None


def _piece(text: str) -> str:
    """A pattern of a text in which the width of gaps does not count, but for a gap at its end."""
    return r"[ \t]+".join(map(re.escape, re.split(r"[ \t]+", text.rstrip(" \t"))))


class StillRunsError(Exception):
    """A command that does not end as its lesson says."""


def play(session: Session, block: Block) -> tuple[str, int]:
    """Type a block; what it printed and how its last line ended.  Raises StillRunsError."""
    session.steer(f"#! host {block.host}")
    session.drain()
    for line in block.text.split("\n"):
        session.sandbox.apply("line", {"terminal": session.terminal, "text": line}, session.sandbox.now)
        if not block.expected.ends:
            limit = session.sandbox.now + duration("2m")
            while session.busy and session.sandbox.now < limit:
                due = session.sandbox.next_due()
                session.sandbox.advance(min(limit, max(due or limit, session.sandbox.now + duration("10ms"))))
            if session.busy:
                raise StillRunsError(f"{line}: still runs after two minutes; say `ends=ctrl-c` if that is meant")
    session.sandbox.advance(session.sandbox.now + duration(block.expected.wait))
    if block.expected.ends:
        if not session.busy:
            raise StillRunsError(f"{block.text}: has ended by itself; it needs no `ends`")
        session.sandbox.apply("key", {"terminal": session.terminal, "key": block.expected.ends}, session.sandbox.now)
        session.sandbox.advance(session.sandbox.now + duration("1s"))
        if session.busy:
            raise StillRunsError(f"{block.text}: {block.expected.ends} does not end it")
    printed = "".join(chunk.data for chunk in session.drain() if chunk.fd in (1, 2))
    return settled(printed), session.status


def settled(printed: str) -> str:
    """What is left of a text once a terminal has shown it: progress that was written over is gone, and so are colours."""
    lines, row, column = [""], 0, 0
    for piece in _PIECE.finditer(printed):
        if piece["control"] == "\r":
            column = 0
        elif piece["control"]:
            row, column = row + 1, 0
            lines += [""] if row == len(lines) else []
        elif piece["move"] == "A":
            row = max(0, row - int(piece["count"] or 1))
        elif piece["move"] == "K":
            lines[row] = "" if piece["count"] == "2" else lines[row][:column]
        elif piece["text"]:
            before = lines[row].ljust(column)
            column += len(piece["text"])
            lines[row] = before[: column - len(piece["text"])] + piece["text"] + before[column:]
    return "\n".join(lines)


def prove(path: Path) -> Iterator[str]:
    """What is wrong with a lesson's commands, typed in order in a fresh world.  `path` is the file of either language."""
    listed = blocks(path.read_text("utf-8"))
    seeds = (1, 2) if any(block.shows is not None for block in listed) else (1,)
    sessions = [Session(world(path, seed), "", 0, 0) for seed in seeds]
    for block in listed:
        try:
            played = [play(session, block) for session in sessions]
            (printed, status), texts = played[0], [text for text, _ in played]
        except StillRunsError as error:
            yield str(error)
            return
        if "not simulated" in printed:
            yield f"{block.text}\n  is not simulated: {printed[-300:]}"
        elif not block.expected.ends and status != block.expected.status:
            yield f"{block.text}\n  ended with status {status}, not {block.expected.status}: {printed[-300:]}"
        elif block.shows is not None and not (matches(block.shows, printed) or matches(_common_of(texts), block.shows)):
            yield f"{block.text}\n  printed\n{printed}\n  and the lesson shows\n{block.shows}"


def shown(printed: str) -> str:
    """What a lesson shows of what its command printed, cut to a size that can be read; "" when there is nothing to show."""
    return "\n".join(_cut(_lines(printed))).strip("\n")


def _lines(printed: str) -> list[str]:
    return [line.rstrip().expandtabs() for line in printed.rstrip("\n").split("\n")]


def _cut(lines: list[str]) -> list[str]:
    lines = [line if len(line) <= COLUMNS else line[:COLUMNS].rstrip() + "…" for line in lines]
    return lines if len(lines) <= LINES else [*lines[: LINES - 6], "…", *lines[-5:]]


def _common_of(printed: list[str]) -> str:
    """What several worlds print alike, cut as `shown` cuts it, with `…` for the rest."""
    lines = _lines(printed[0])
    for other in printed[1:]:
        lines = _common(lines, _lines(other))
    return "\n".join(_cut(lines)).strip("\n")


def _common(mine: list[str], other: list[str]) -> list[str]:
    """My lines, with `…` for what the other world printed otherwise."""
    if len(mine) == len(other):
        return [_line(a, b) for a, b in zip(mine, other, strict=True)]
    masked = [[re.sub(r"[0-9a-f]{4,}|\d+", "#", line) for line in lines] for lines in (mine, other)]
    out: list[str] = []
    for kind, start, end, begin, stop in SequenceMatcher(None, masked[0], masked[1], autojunk=False).get_opcodes():
        if kind == "equal":
            out += [_line(a, b) for a, b in zip(mine[start:end], other[begin:stop], strict=True)]
        else:
            out.append("…")
    return out


def _line(mine: str, other: str) -> str:
    """One line, with `…` in the words that differ."""
    if mine == other or mine == "…":
        return mine
    words, others = re.split(r"(\s+)", mine), re.split(r"(\s+)", other)
    if len(words) != len(others):
        return "…"
    for index in range(0, len(words), 2):
        if words[index] != others[index]:
            width = len(words[index])
            words[index] = _word(words[index], others[index])
            if index + 1 < len(words):
                words[index + 1] += " " * (width - len(words[index]))
    return "".join(words).rstrip()


def _word(mine: str, other: str) -> str:
    """A word, with `…` for the parts between separators that differ."""
    parts, others = re.split(r"([^0-9A-Za-z…]+)", mine), re.split(r"([^0-9A-Za-z…]+)", other)
    if len(parts) != len(others):
        return "…"
    return re.sub(r"…[…:.]*…", "…", "".join(a if a == b or (a == "…") else "…" for a, b in zip(parts, others, strict=True)))


def write(path: Path) -> int:
    """Put the outputs into a lesson's files of all languages beside `path`; how many there are.  Raises StillRunsError."""
    source = path.read_text("utf-8")
    session = Session(world(path), "", 0, 0)
    texts = []
    for block in blocks(source):
        printed, _ = play(session, block)
        texts.append("" if block.expected.ends else shown(printed))
    for file in sorted(path.parent.glob(path.name.replace(".en.md", ".*.md"))):
        _put(file, texts)
    return sum(map(bool, texts))


def _put(file: Path, texts: list[str]) -> None:
    """Outputs below their commands, from the last to the first, so that places stay true."""
    source = file.read_text("utf-8")
    for block, text in reversed(list(zip(blocks(source), texts, strict=True))):
        below = f"\n\n```output\n{text}\n```" if text else ""
        source = source[: block.end] + below + source[block.until :]
    file.write_text(source, encoding="utf-8")
