"""Read a chapter's lessons: front matter, Markdown in both languages, and what they embed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lessons.loading import exercises, validate
from lessons.loading.marked import Marked, parse
from lessons.loading.problems import Problem
from lessons.loading.source import LANGUAGES, ChapterSource, CourseSource, LessonSource
from lessons.rendering.markdown import Rendered, render
from lessons.rendering.terms import TermLinker

MAX_BYTES = 256 * 1024
_FRONT = re.compile(r"---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.DOTALL)


class LessonReader:
    """Reads the lessons of one chapter; problems go to the list that it was given."""

    def __init__(
        self,
        problems: list[Problem],
        name: Callable[[Path], str],
        course: CourseSource,
        places: dict[str, ChapterSource],
        quizzes: set[str],
    ) -> None:
        self.problems, self.name, self.course = problems, name, course
        self.places, self.quizzes = places, quizzes

    def read(self, chapter: ChapterSource, folder: Path) -> list[LessonSource]:
        """All lessons that chapter.yaml lists and whose files could be read."""
        out = []
        for number, slug in enumerate(chapter.data["lessons"], 1):
            lesson = self.lesson(chapter, folder, slug, number)
            if lesson is not None:
                out.append(lesson)
        return out

    def lesson(self, chapter: ChapterSource, folder: Path, slug: str, number: int) -> LessonSource | None:
        fronts: dict[str, Marked] = {}
        bodies: dict[str, Rendered] = {}
        for language in LANGUAGES:
            path = folder / f"lesson-{slug}.{language}.md"
            if not path.exists():
                return None
            found = self.file(path, chapter, language, f"{chapter.number}.{number}")
            if found is not None:
                fronts[language], bodies[language] = found
        if len(fronts) < len(LANGUAGES):
            return None
        self.compare(fronts, bodies)
        self.references(chapter, folder, slug, bodies)
        body = {language: bodies[language].parts for language in LANGUAGES}
        english = bodies["en"]
        return LessonSource(
            slug, number, self.merge(fronts, chapter), body, english.embeds("try"), english.embeds("question"), english.shown
        )

    def file(self, path: Path, chapter: ChapterSource, language: str, number: str) -> tuple[Marked, Rendered] | None:
        name = self.name(path)
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.problems.append(Problem(name, 0, "", f"cannot be read: {error}"))
            return None
        if len(text) > MAX_BYTES:
            self.problems.append(Problem(name, 0, "", f"longer than {MAX_BYTES // 1024} KB"))
            return None
        match = _FRONT.match(text.replace("\r\n", "\n"))
        if not match:
            self.problems.append(Problem(name, 1, "", "starts with front matter between two lines of ---"))
            return None
        front = parse(match.group(1), name, first_line=2)
        bad = front.problems or list(validate.problems(front, validate.schema("lesson")))
        if not bad:
            bad = list(exercises.steps(front, ("setup",), front.data.get("setup", [])))
        self.problems += bad
        body = text.replace("\r\n", "\n")[match.end() :]
        before = match.group(0).count("\n")
        terms = TermLinker.of(self.course.glossary, language, chapter.number)
        rendered = render(body, language=language, number=number, link=self.linker(chapter), terms=terms)
        self.problems += [Problem(name, line + before, "", reason) for line, reason in rendered.problems]
        if not rendered.parts:
            self.problems.append(Problem(name, before + 1, "", "the lesson has no text"))
        return None if bad else (front, rendered)

    def linker(self, chapter: ChapterSource) -> Callable[[str, str], str | None]:
        """Addresses relative to a lesson's page, /<lang>/courses/<course>/<chapter>/<lesson>/."""

        def link(kind: str, slug: str) -> str | None:
            if kind == "quiz":
                return f"../../{slug}/quiz/" if slug in self.quizzes else None
            place = self.places.get(slug)
            return f"../../{place.slug}/{slug}/" if place else None

        return link

    def compare(self, fronts: dict[str, Marked], bodies: dict[str, Rendered]) -> None:
        korean, english = fronts["ko"], fronts["en"]
        for key in ("scenario", "hosts", "minutes", "setup", "lens"):
            if korean.data.get(key) != english.data.get(key):
                reason = f"differs from the English file ({korean.data.get(key)} and {english.data.get(key)})"
                self.problems.append(korean.problem((key,), reason))
        if ("summary" in korean.data) != ("summary" in english.data):
            self.problems.append(korean.problem(("summary",), "is in one of the two languages only"))
        for kind, what in (("try", "exercises"), ("question", "questions")):
            mine, theirs = bodies["ko"].embeds(kind), bodies["en"].embeds(kind)
            if mine != theirs:
                reason = (
                    f"embeds other {what} than the English file: {', '.join(mine) or 'none'} and {', '.join(theirs) or 'none'}"
                )
                self.problems.append(Problem(korean.file, 0, "", reason))

    def references(self, chapter: ChapterSource, folder: Path, slug: str, bodies: dict[str, Rendered]) -> None:
        for language in LANGUAGES:
            file = self.name(folder / f"lesson-{slug}.{language}.md")
            for name in bodies[language].embeds("try"):
                if name not in chapter.exercises and not (folder / "exercises" / f"{name}.yaml").exists():
                    self.problems.append(Problem(file, 0, "", f":::try {name}: there is no exercises/{name}.yaml"))
            for name in bodies[language].embeds("question"):
                if name not in chapter.questions and not chapter.questions_broken:
                    self.problems.append(Problem(file, 0, "", f":::question {name}: there is no such question in questions.yaml"))

    def merge(self, fronts: dict[str, Marked], chapter: ChapterSource) -> dict[str, Any]:
        korean, english = fronts["ko"].data, fronts["en"].data
        data: dict[str, Any] = {
            "title": {"ko": korean["title"], "en": english["title"]},
            "minutes": english["minutes"],
            "scenario": english.get("scenario") or self.course.data.get("scenario"),
            "hosts": english.get("hosts") or self.course.data.get("hosts"),
        }
        lens = english.get("lens") or chapter.data.get("lens") or "ships"
        if lens != "ships":
            data["lens"] = lens
        if "setup" in english:
            data["setup"] = english["setup"]
        if "summary" in english and "summary" in korean:
            data["summary"] = {"ko": korean["summary"], "en": english["summary"]}
        return data
