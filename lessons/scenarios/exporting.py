"""A course's lessons as scenarios of Killercoda: each a folder with `index.json`, pages, set-up and verify scripts; what cannot go along is said.

The format has one language, so one is chosen.  Sections become pages; an exercise becomes a page of its own, with its hints and its solution
behind `<details>` and its checks as a script that ends with 0 when all hold.
"""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lessons.loading.source import ChapterSource, CourseSource, LessonSource
from lessons.scenarios import verifying
from simulator.katacoda.notes import Note

#: The platform's image for a world of ours, and what is different there.
IMAGES: dict[str, tuple[str, str]] = {
    "playground-1node": ("kubernetes-kubeadm-1node", ""),
    "playground-2nodes": ("kubernetes-kubeadm-2nodes", ""),
    "playground-ubuntu": ("ubuntu", ""),
    "two-nodes": ("kubernetes-kubeadm-2nodes", ""),
    "one-node": ("kubernetes-kubeadm-1node", ""),
    "three-nodes": ("kubernetes-kubeadm-2nodes", "the lesson has three nodes, the platform two: node02 is missing"),
}


def _image(world: str) -> tuple[str, str]:
    return IMAGES.get(world, ("kubernetes-kubeadm-2nodes", f"the platform has no world like {world}"))


_FENCE = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```[ \t]*$", re.M | re.S)
_EMBED = re.compile(r"^:::(question|try) ([a-z0-9-]+)[ \t]*$", re.M)
_REMARK = re.compile(r"^:::(note|tip|warning)([^\n]*)\n(.*?)^:::[ \t]*$", re.M | re.S)
_FIGURE = re.compile(r"!\[([^\]]*)\]\((figures/[\w./-]+)(?:\s+\"([^\"]*)\")?\)")


@dataclass(slots=True)
class Made:
    """What an export made: files by path below the target folder, and remarks."""

    files: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    scenarios: int = 0
    verifies: int = 0


class Exporter:
    """Makes scenarios of a course that has been read from `folder`."""

    def __init__(self, folder: Path, course: CourseSource, language: str) -> None:
        self.folder, self.course, self.language = folder, course, language
        self.made = Made()

    def run(self) -> Made:
        """Every chapter a folder with a `structure.json`, every lesson a scenario in it."""
        for chapter in self.course.chapters:
            base = f"{chapter.number:02}-{chapter.slug}"
            items = []
            for lesson in chapter.lessons:
                self._lesson(base, chapter, lesson)
                items.append({"path": lesson.slug, "title": self._words(lesson.data["title"])})
                for name in lesson.exercises:
                    if chapter.exercises[name].get("scenario"):
                        self._alone(base, chapter, lesson, name)
                        items.append({"path": name, "title": self._words(chapter.exercises[name]["title"])})
            self.made.files[f"{base}/structure.json"] = _json({
                "title": self._words(chapter.data["title"]), "description": self._words(chapter.data["about"]), "items": items,
            })  # fmt: skip
        return self.made

    def _words(self, value: Any) -> str:
        return str(value[self.language]) if isinstance(value, dict) and self.language in value else str(value)

    def _lesson(self, base: str, chapter: ChapterSource, lesson: LessonSource) -> None:
        source = f"{base}/lesson-{lesson.slug}.{self.language}.md"
        head, body, first = _split((self.folder / source).read_text("utf-8"))
        where = f"{base}/{lesson.slug}"
        page = _Page(self, chapter, source, where)
        world = str(head.get("scenario") or self.course.data.get("scenario") or "three-nodes")
        image, remark = _image(world)
        if remark:
            page.note(1, remark)
        hosts = head.get("hosts") or self.course.data.get("hosts") or ["controlplane"]
        page.host = str(hosts[0])
        intro, sections = _sections(body, first)
        steps: list[dict[str, Any]] = []
        for title, text, line in sections:
            steps += page.steps(title, text, line)
        details: dict[str, Any] = {"intro": {"text": "intro.md"}, "steps": steps, "finish": {"text": "finish.md"}}
        text = page.markdown(*intro)
        for exercise in page.left:  # of the part before the first section
            steps.insert(0, page.exercise(exercise))
        self.made.files[f"{where}/intro.md"] = text
        self.made.files[f"{where}/finish.md"] = _FINISH[self.language]
        if head.get("setup"):
            self.made.files[f"{where}/setup.sh"] = _setup(head["setup"], page.host)
            details["intro"]["background"] = "setup.sh"
        index: dict[str, Any] = {
            "title": str(head["title"]), "description": str(head.get("summary") or head["title"]), "time": f"{head.get('minutes', 10)} minutes",
            "details": details, "backend": {"imageid": image},
        }  # fmt: skip
        if not steps:
            details["steps"] = [{"title": str(head["title"]), "text": "intro.md"}]
            del details["intro"]["text"]
        self.made.files[f"{where}/index.json"] = _json(index)
        self.made.scenarios += 1

    def _alone(self, base: str, chapter: ChapterSource, lesson: LessonSource, name: str) -> None:
        """An exercise with a cluster of its own: a scenario of its own."""
        data = chapter.exercises[name]
        where = f"{base}/{name}"
        page = _Page(self, chapter, f"{base}/exercises/{name}.yaml", where)
        image, remark = _image(str(data["scenario"]))
        if remark:
            page.note(1, remark)
        step = page.exercise(name)
        details: dict[str, Any] = {"steps": [step], "finish": {"text": "finish.md"}}
        if data.get("setup"):
            self.made.files[f"{where}/setup.sh"] = _setup(data["setup"], page.host)
            details["intro"] = {"background": "setup.sh"}
        self.made.files[f"{where}/finish.md"] = _FINISH[self.language]
        self.made.files[f"{where}/index.json"] = _json({
            "title": step["title"], "description": self._words(lesson.data["title"]), "time": f"{data.get('minutes', 10)} minutes",
            "details": details, "backend": {"imageid": image},
        })  # fmt: skip
        self.made.scenarios += 1


class _Page:
    """The Markdown of one lesson as pages of a scenario."""

    def __init__(self, exporter: Exporter, chapter: ChapterSource, source: str, where: str) -> None:
        self.exporter, self.chapter, self.source, self.where = exporter, chapter, source, where
        self.host = "controlplane"
        self.left: list[str] = []
        self.runs_on = False
        self.number = 0

    def note(self, line: int, text: str) -> None:
        """What does not go along, at a line of the lesson."""
        self.exporter.made.notes.append(Note(self.source, line, text))

    def words(self, value: Any) -> str:
        """A text in the chosen language."""
        return self.exporter._words(value)

    def steps(self, title: str, text: str, line: int) -> list[dict[str, Any]]:
        """The pages of a section: its text, then a page for each of its exercises."""
        self.left = []
        self.number += 1
        name = f"step{self.number}.md"
        self.exporter.made.files[f"{self.where}/{name}"] = self.markdown(text, line)
        return [{"title": title, "text": name}, *(self.exercise(one) for one in self.left)]

    def markdown(self, text: str, line: int) -> str:
        """A part of a lesson as the platform's Markdown."""
        self.left = []

        def at(match: re.Match[str]) -> int:
            return line + text.count("\n", 0, match.start())

        def fence(match: re.Match[str]) -> str:
            return self._fence(match, at(match))

        def embed(match: re.Match[str]) -> str:
            if match[1] == "try":
                if not self.chapter.exercises[match[2]].get("scenario"):
                    self.left.append(match[2])
                title = self.words(self.chapter.exercises[match[2]]["title"])
                return f"**{_NEXT[self.exporter.language]}** {title}"
            return self._question(match[2], at(match))

        def figure(match: re.Match[str]) -> str:
            self.note(at(match), f"the figure {match[2]} is left out: pictures have to be at an address of their own there")
            return f"*{match[3] or match[1]}*"

        def remark(match: re.Match[str]) -> str:
            lines = (f"**{match[2].strip()}** " if match[2].strip() else "") + match[3].strip()
            return "\n".join(f"> {one}" if one else ">" for one in lines.split("\n"))

        out = _FENCE.sub(fence, text)
        out = _REMARK.sub(remark, _EMBED.sub(embed, _FIGURE.sub(figure, out)))
        return re.sub(r"\[([^\]]+)\]\((?:lesson|quiz|term):[\w-]+\)", r"\1", out).strip() + "\n"

    def _fence(self, match: re.Match[str], line: int) -> str:
        language, options, body = match[1], match[2], match[3]
        if language == "cmd":
            return f"```bash\n{body}```{{{{copy}}}}"
        if language != "run":
            return match[0] if language != "output" else f"```plain\n{body}```"
        host = re.search(r"\bhost=([\w-]+)", options)
        if host and host[1] != self.host:
            body = f"ssh {host[1]} {shlex.quote(body.strip())}\n"
        action = "exec interrupt" if self.runs_on else "exec"
        self.runs_on = "ends=" in options
        return f"```bash\n{body}```{{{{{action}}}}}"

    def _question(self, name: str, line: int) -> str:
        question = self.chapter.questions.get(name) or {}
        choices = question.get("choices")
        if question.get("type") == "truefalse" and "draw" not in question:
            words = {"en": ("True", "False"), "ko": ("참", "거짓")}[self.exporter.language]
            choices = [{"text": word, "correct": bool(question.get("answer")) is (n == 0)} for n, word in enumerate(words)]
            question = {**question, "type": "single"}
        if question.get("type") not in ("single", "multiple") or not choices or "draw" in question:
            self.note(
                line, f"the question {name} is left out: a question of the type {question.get('type')} cannot be asked there"
            )
            return ""
        mark = ("(", ")") if question["type"] == "single" else ("[", "]")
        rows = [
            f"{mark[0]}{'*' if one.get('correct') else ' '}{mark[1]} {' '.join(self.words(one['text']).split())}"
            for one in choices
        ]
        return f">>{' '.join(self.words(question['text']).split())}<<\n" + "\n".join(rows)

    def exercise(self, name: str) -> dict[str, Any]:
        """The page of an exercise, and its script."""
        data = self.chapter.exercises[name]
        parts = [self.words(data["goal"])]
        parts += [f"{n}. {self.words(step)}" for n, step in enumerate(data.get("steps") or (), 1)]
        hints = [self.words(one["text"]) for one in data.get("hints") or ()]
        parts += [_details(f"{_HINT[self.exporter.language]} {n}", hint) for n, hint in enumerate(hints, 1)]
        solution = data.get("solution") or {}
        commands = [_command(one, self.host) for one in solution.get("commands") or ()]
        text = "```bash\n" + "\n".join(filter(None, commands)) + "\n```"
        parts.append(_details(_SOLUTION[self.exporter.language], f"{text}\n\n{self.words(solution.get('why', ''))}"))
        files = self.exporter.made.files
        files[f"{self.where}/{name}.md"] = "\n\n".join(parts) + "\n"
        page: dict[str, Any] = {"title": self.words(data["title"]), "text": f"{name}.md"}
        script, problems = verifying.script(data, self.host, self.exporter.language)
        for problem in problems:
            self.note(0, f"exercise {name}: {problem}")
        if script:
            files[f"{self.where}/{name}.sh"] = script
            page["verify"] = f"{name}.sh"
            self.exporter.made.verifies += 1
        return page


_NEXT = {"en": "Now it is your turn:", "ko": "이제 직접 해 봅니다:"}
_HINT = {"en": "Hint", "ko": "힌트"}
_SOLUTION = {"en": "Solution", "ko": "풀이"}
_FINISH = {"en": "You have come to the end of this lesson.\n", "ko": "이 레슨을 마쳤습니다.\n"}


def _details(summary: str, text: str) -> str:
    return f"<details>\n<summary>{summary}</summary>\n\n{text.strip()}\n\n</details>"


def _setup(commands: Any, host: str) -> str:
    return "#!/bin/bash\n" + "\n".join(_command(one, host) for one in commands) + "\n"


def _command(one: Any, host: str) -> str:
    if isinstance(one, str):
        return one.strip()
    if "run" in one:
        command = str(one["run"]).strip()
        return command if one.get("host", host) == host else f"ssh {one['host']} {shlex.quote(command)}"
    found = re.fullmatch(r"(\d+)(s|m|h)", str(one.get("wait", "")))
    return f"sleep {found[1]}{found[2]}" if found else ""


def _split(text: str) -> tuple[dict[str, Any], str, int]:
    """Front matter, body, and the body's first line."""
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body, head.count("\n") + 3


def _sections(body: str, first: int) -> tuple[tuple[str, int], list[tuple[str, str, int]]]:
    """What stands before the first `##`, and each section's title, text and line; headings in code are none."""
    starts: list[tuple[int, str]] = []
    fenced = False
    lines = body.split("\n")
    for number, line in enumerate(lines):
        if line.startswith("```"):
            fenced = not fenced
        elif line.startswith("## ") and not fenced:
            starts.append((number, line[3:].strip()))
    ends = [number for number, _ in starts[1:]] + [len(lines)][: len(starts)]
    intro = "\n".join(lines[: starts[0][0]] if starts else lines)
    return (intro, first), [
        (title, "\n".join(lines[number + 1 : end]), first + number + 1) for (number, title), end in zip(starts, ends, strict=True)
    ]


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"
