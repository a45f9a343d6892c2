"""Every command of every lesson is typed in a fresh world, in order: it ends as the lesson says, prints what the lesson shows, and
nothing of it is "not simulated"."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from lessons.rendering.blocks import Expectation, expectation, options
from simulator.core.lab.checks import duration
from simulator.core.sandbox import Sandbox
from simulator.headless.run import Session

CONTENT = Path(__file__).parents[2] / "lessons" / "content"
LESSONS = sorted(CONTENT.glob("*/*/lesson-*.en.md"))
FENCE = re.compile(r"^```([a-z]+)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass
class Block:
    """A command block and the output that the lesson shows below it."""

    text: str
    host: str
    expected: Expectation
    shows: str | None = field(default=None)


def blocks(path: Path) -> list[Block]:
    """The run blocks of a lesson, in order."""
    found: list[Block] = []
    end = -1
    text = path.read_text("utf-8")
    for match in FENCE.finditer(text):
        kind, words, source = match.groups()
        if kind == "run":
            given = options(words.split())
            found.append(Block(source.strip("\n"), given.pop("host", "controlplane"), expectation(given)))
            end = match.end()
        elif kind == "output" and found and end >= 0 and not text[end : match.start()].strip():
            found[-1].shows = source.rstrip("\n")
            end = -1
    return found


def scenario(path: Path) -> str:
    """The scenario of a lesson: its own or its course's."""
    front = yaml.safe_load(path.read_text("utf-8").split("---")[1])
    course = yaml.safe_load((path.parents[1] / "course.yaml").read_text("utf-8"))
    return str(front.get("scenario") or course["scenario"])


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name.split('.')[0].removeprefix('lesson-')}"


def matches(shown: str, printed: str) -> bool:
    """Does what was printed agree with what the lesson shows? `…` is any text in a line, a line of it alone any lines."""
    parts = []
    for line in shown.split("\n"):
        if line.strip() == "…":
            parts.append(r"(?:.*\n)*?")
            continue
        words = [r"[ \t]+".join(map(re.escape, re.split(r"[ \t]+", part))) for part in line.rstrip().split("…")]
        parts.append(".*?".join(words) + r"[ \t]*\n")
    return re.fullmatch("".join(parts), printed.rstrip("\n") + "\n") is not None


def play(session: Session, block: Block) -> tuple[str, int]:
    """Type a block; what it printed and how its last line ended."""
    session.steer(f"#! host {block.host}")
    session.drain()
    for line in block.text.split("\n"):
        session.sandbox.apply("line", {"terminal": session.terminal, "text": line}, session.sandbox.now)
        if not block.expected.ends:
            limit = session.sandbox.now + duration("2m")
            while session.busy and session.sandbox.now < limit:
                due = session.sandbox.next_due()
                session.sandbox.advance(min(limit, max(due or limit, session.sandbox.now + duration("10ms"))))
            assert not session.busy, f"{line}: still runs after two minutes; say `ends=ctrl-c` if that is meant"
    session.sandbox.advance(session.sandbox.now + duration(block.expected.wait))
    if block.expected.ends:
        assert session.busy, f"{block.text}: has ended by itself; it needs no `ends`"
        session.sandbox.apply("key", {"terminal": session.terminal, "key": block.expected.ends}, session.sandbox.now)
        session.sandbox.advance(session.sandbox.now + duration("1s"))
        assert not session.busy, f"{block.text}: {block.expected.ends} does not end it"
    return "".join(chunk.data for chunk in session.drain() if chunk.fd in (1, 2)), session.status


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_the_commands_do_what_the_lesson_says(path: Path) -> None:
    session = Session(Sandbox.boot(scenario(path)), "", 0, 0)
    wrong = []
    for block in blocks(path):
        printed, status = play(session, block)
        if "not simulated" in printed:
            wrong.append(f"{block.text}\n  is not simulated: {printed[-300:]}")
        elif not block.expected.ends and status != block.expected.status:
            wrong.append(f"{block.text}\n  ended with status {status}, not {block.expected.status}: {printed[-300:]}")
        elif block.shows is not None and not matches(block.shows, printed):
            wrong.append(f"{block.text}\n  printed\n{printed}\n  and the lesson shows\n{block.shows}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", LESSONS, ids=name)
def test_both_languages_have_the_same_commands(path: Path) -> None:
    korean = path.with_name(path.name.replace(".en.md", ".ko.md"))
    assert blocks(path) == blocks(korean)


def test_what_is_shown_is_compared() -> None:
    assert matches("NAME  READY\nweb-…  1/1", "NAME    READY\nweb-abc   1/1\n")
    assert matches("a\n…\nz", "a\nb\nc\nz\n") and matches("a\n…\nz", "a\nz")
    assert not matches("web 1/1", "web 0/1\n") and not matches("a", "a\nb\n")
