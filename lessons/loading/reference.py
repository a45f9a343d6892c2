"""The glossary of a course and the review pages of its chapters: what a schema cannot say about them, and what lessons add.

A review names only commands that a lesson of its chapter shows: a line of a block, or a whole block.  Where it was taught, on which
machine it is typed and to which tool it belongs comes from the lessons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lessons.loading.marked import Marked
from lessons.loading.problems import Problem
from lessons.loading.source import LANGUAGES, ChapterSource, LessonSource
from lessons.rendering.markdown import Shown
from lessons.rendering.terms import forms

#: What stands before the program on a command line: assignments, `export`, a path, a shell's own words.
_BEFORE = re.compile(r"(?:export\s+)?[A-Za-z_]\w*=(?:\$\([^)]*\)|'[^']*'|\"[^\"]*\"|\S*)\s+|for\s.*?;\s*do\s+|(?:\./)")
#: The group of commands that are the shell's or the system's own.
SHELL = "shell"
TOOLS = (
    *("kubectl", "kubeadm", "crictl", "ctr", "nerdctl", "docker", "etcdctl", "etcdutl", "etcd", "systemctl", "journalctl"),
    *("iptables", "iptables-save", "ipvsadm", "nft", "conntrack", "curl", "openssl"),
)
_JOINED = {"iptables-save": "iptables"}


def glossary_problems(marked: Marked, lessons: set[str]) -> Iterator[Problem]:
    """A glossary's terms are its own, and refer to what there is."""
    terms = marked.data["terms"]
    ids = [term["id"] for term in terms]
    for index, term in enumerate(terms):
        if term["id"] in ids[:index]:
            yield marked.problem(("terms", index, "id"), f"another term is already called `{term['id']}`")
        if "lesson" in term and term["lesson"] not in lessons:
            yield marked.problem(("terms", index, "lesson"), f"there is no lesson `{term['lesson']}`")
        for position, other in enumerate(term.get("see", [])):
            if other not in ids or other == term["id"]:
                yield marked.problem(("terms", index, "see", position), f"there is no other term `{other}`")
    for language in LANGUAGES:
        for index, term in enumerate(terms):
            for before in terms[:index]:
                both = {*forms(term, language)} & {*forms(before, language)}
                if both and before["id"] != term["id"] and _meet(before, term):
                    reason = f"`{min(both)}` ({language}) is a name of `{before['id']}` already; `chapters` can tell them apart"
                    yield marked.problem(("terms", index), reason)


def _meet(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether there is a chapter in which both are linked."""
    return "chapters" not in one or "chapters" not in other or bool({*one["chapters"]} & {*other["chapters"]})


def tool_of(command: str) -> str:
    """The program that a command line is about: `etcdctl` of `ETCDCTL_API=3 ./etcdctl version`."""
    line = command.strip().split("\n")[0]
    while (match := _BEFORE.match(line)) is not None:
        line = line[match.end() :]
    word = (line.split() or [""])[0].rsplit("/", 1)[-1]
    return _JOINED.get(word, word) if word in TOOLS else SHELL


def _places(chapter: ChapterSource) -> Iterator[tuple[LessonSource, Shown]]:
    for lesson in chapter.lessons:
        for shown in lesson.shown:
            yield lesson, shown


def _find(command: str, chapter: ChapterSource) -> tuple[LessonSource, Shown] | None:
    """The first block that shows `command`, whole or as one of its lines."""
    wanted = command.strip("\n")
    found = ((lesson, shown) for lesson, shown in _places(chapter) if wanted == shown.text or wanted in shown.text.split("\n"))
    return next(found, None)


def review_problems(marked: Marked, chapter: ChapterSource) -> Iterator[Problem]:
    """Each command is one that a lesson of the chapter shows, and is there once."""
    seen: set[str] = set()
    for index, item in enumerate(marked.data["commands"]):
        path = ("commands", index, "command")
        if item["command"] in seen:
            yield marked.problem(path, "is here twice")
        seen.add(item["command"])
        if chapter.lessons and _find(item["command"], chapter) is None:
            yield marked.problem(path, "no lesson of this chapter shows this command")


def _row(command: str, lesson: LessonSource, shown: Shown) -> dict[str, Any]:
    return {
        "command": command.strip("\n"),
        "host": shown.host,
        "runs": shown.runs,
        "tool": tool_of(command),
        "lesson": lesson.slug,
        "section": shown.section,
        "scenario": lesson.data.get("scenario"),
    }


def review(data: dict[str, Any], chapter: ChapterSource) -> dict[str, Any]:
    """A review page's data: what is said of the commands, and the others that the lessons show (`others`)."""
    rows: list[dict[str, Any]] = []
    covered: set[str] = set()
    for item in data["commands"]:
        if (found := _find(item["command"], chapter)) is not None:
            rows.append({**_row(item["command"], *found), "does": item["does"]})
            covered.add(item["command"].strip("\n"))
    others: list[dict[str, Any]] = []
    for lesson, shown in _places(chapter):
        if shown.text not in covered and not set(shown.text.split("\n")) <= covered:
            covered.add(shown.text)
            others.append(_row(shown.text, lesson, shown))
    kept: dict[str, Any] = {key: data[key] for key in ("scenario", "hosts", "setup", "remember") if key in data}
    return {**kept, "commands": rows, "others": others}
