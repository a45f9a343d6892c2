"""From a folder to a `CourseSource`, or to everything that is wrong with it.

Two passes: the first reads every YAML file and front matter and learns what exists, the second renders the lessons,
which refer to all of that.  A problem never stops the reading of the next file.
"""

from __future__ import annotations

import re
from pathlib import Path

from lessons.loading import exercises, questions, reference, validate
from lessons.loading.lesson import LessonReader
from lessons.loading.marked import Marked, parse
from lessons.loading.problems import ContentError, Problem
from lessons.loading.source import LANGUAGES, ChapterSource, CourseSource

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
CHAPTER = re.compile(r"([0-9]{2})-([a-z0-9]+(?:-[a-z0-9]+)*)\Z")
LESSON_FILE = re.compile(r"lesson-([a-z0-9]+(?:-[a-z0-9]+)*)\.(ko|en)\.md\Z")
FIGURE = re.compile(r"[a-z0-9][a-z0-9._-]*\.(svg|png|webp)\Z")
MAX_FIGURE = 200 * 1024
#: Parts of a chapter's addresses that cannot be a lesson's slug.
RESERVED = ("quiz", "figures", "commands", "print")


def read_course(folder: Path, *, shown_from: Path | None = None) -> CourseSource:
    """Read and check one course.  Raises `ContentError` with every problem; file names are shown from `shown_from`."""
    reader = _Reader(folder, shown_from or folder.parent)
    course = reader.read()
    if reader.problems or course is None:
        raise ContentError(reader.problems)
    return course


class _Reader:
    def __init__(self, folder: Path, shown_from: Path) -> None:
        self.folder = folder
        self.shown_from = shown_from
        self.problems: list[Problem] = []

    # -- small parts ------------------------------------------------------------------------------------------------

    def name(self, path: Path) -> str:
        try:
            return str(path.relative_to(self.shown_from))
        except ValueError:
            return str(path)

    def complain(self, path: Path, reason: str) -> None:
        self.problems.append(Problem(self.name(path), 0, "", reason))

    def text(self, path: Path) -> str | None:
        try:
            return path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self.complain(path, "is missing")
        except UnicodeDecodeError as error:
            self.complain(path, f"is not UTF-8 (byte {error.start})")
        except OSError as error:
            self.complain(path, f"cannot be read: {error.strerror}")
        return None

    def yaml(self, path: Path, kind: str) -> Marked | None:
        """A YAML file that keeps the rules of its kind, else nothing (and the problems are noted)."""
        text = self.text(path)
        if text is None:
            return None
        marked = parse(text, self.name(path))
        found = marked.problems or list(validate.problems(marked, validate.schema(kind)))
        self.problems += found
        return None if found else marked

    # -- the passes -------------------------------------------------------------------------------------------------

    def read(self) -> CourseSource | None:
        if not self.folder.is_dir():
            self.complain(self.folder, "is not a folder")
            return None
        if not SLUG.match(self.folder.name):
            self.complain(self.folder, "a course's folder is its slug: lower-case letters, digits, hyphens")
        marked = self.yaml(self.folder / "course.yaml", "course")
        course = CourseSource(self.folder.name, marked.data if marked else {})
        folders: list[tuple[ChapterSource, Path]] = []
        for path in sorted(item for item in self.folder.iterdir() if item.is_dir() and not item.name.startswith(".")):
            match = CHAPTER.match(path.name)
            if not match:
                self.complain(path, "a chapter's folder is <nn>-<slug>, such as 01-harbour")
            elif chapter := self.chapter(path, int(match.group(1)), match.group(2)):
                folders.append((chapter, path))
        if not folders:
            self.complain(self.folder, "has no chapter")
        course.chapters = [chapter for chapter, _ in folders]
        self.unique(folders)
        places = {slug: chapter for chapter, _ in folders for slug in chapter.data["lessons"]}
        quizzes = {chapter.slug for chapter, path in folders if (path / "quiz.yaml").exists()}
        self.glossary(course, set(places))
        for chapter, path in folders:
            self.asked(chapter, path, set(places))
            reader = LessonReader(self.problems, self.name, course, places, quizzes)
            chapter.lessons = reader.read(chapter, path)
            self.review(chapter, path)
        self.embedded_once(folders)
        return course

    def unique(self, folders: list[tuple[ChapterSource, Path]]) -> None:
        for kind in ("lessons", "exercises", "slug"):
            seen: dict[str, Path] = {}
            for chapter, path in folders:
                slugs = (
                    [chapter.slug]
                    if kind == "slug"
                    else chapter.data["lessons"]
                    if kind == "lessons"
                    else list(chapter.exercises)
                )
                for slug in slugs:
                    if slug in seen:
                        what = {"slug": "chapter", "lessons": "lesson", "exercises": "exercise"}[kind]
                        self.complain(path, f"the {what} `{slug}` is also in {seen[slug].name}")
                    seen[slug] = path

    def chapter(self, path: Path, number: int, slug: str) -> ChapterSource | None:
        marked = self.yaml(path / "chapter.yaml", "chapter")
        chapter = ChapterSource(slug, number, marked.data if marked else {"lessons": []})
        for item in sorted((path / "exercises").glob("*")) if (path / "exercises").is_dir() else []:
            if item.suffix != ".yaml" or not SLUG.match(item.stem):
                self.complain(item, "an exercise's file is <slug>.yaml")
            elif exercise := self.yaml(item, "exercise"):
                self.problems += exercises.problems(exercise)
                chapter.exercises[item.stem] = exercise.data
        for item in sorted((path / "figures").glob("*")) if (path / "figures").is_dir() else []:
            self.figure(chapter, item)
        if marked:
            self.lesson_files(path, marked)
        return chapter

    def figure(self, chapter: ChapterSource, item: Path) -> None:
        if not FIGURE.match(item.name):
            self.complain(item, "a figure is .svg, .png or .webp with a plain name")
        elif item.stat().st_size > MAX_FIGURE:
            self.complain(item, f"is larger than {MAX_FIGURE // 1024} KB")
        else:
            chapter.figures[item.name] = item.read_bytes()

    def lesson_files(self, path: Path, chapter: Marked) -> None:
        files = {(match.group(1), match.group(2)) for item in path.iterdir() if (match := LESSON_FILE.match(item.name))}
        for index, slug in enumerate(chapter.data["lessons"]):
            for language in LANGUAGES:
                if (slug, language) not in files:
                    reason = f"there is no lesson-{slug}.{language}.md"
                    self.problems.append(chapter.problem(("lessons", index), reason))
        for slug in RESERVED:
            if slug in chapter.data["lessons"]:
                self.problems.append(
                    chapter.problem(("lessons",), f"`{slug}` is an address of the chapter's own; call the lesson otherwise")
                )
        for slug, language in sorted(files):
            if slug not in chapter.data["lessons"]:
                self.complain(path / f"lesson-{slug}.{language}.md", "is not in `lessons` of chapter.yaml")

    def glossary(self, course: CourseSource, lessons: set[str]) -> None:
        path = self.folder / "glossary.yaml"
        marked = self.yaml(path, "glossary") if path.exists() else None
        if marked is not None:
            self.problems += reference.glossary_problems(marked, lessons)
            course.glossary = marked.data["terms"]

    def review(self, chapter: ChapterSource, path: Path) -> None:
        file = path / "review.yaml"
        marked = self.yaml(file, "review") if file.exists() else None
        if marked is not None:
            self.problems += reference.review_problems(marked, chapter)
            chapter.review = reference.review(marked.data, chapter)

    def asked(self, chapter: ChapterSource, path: Path, lessons: set[str]) -> None:
        for name in ("quiz", "questions"):
            if not (path / f"{name}.yaml").exists():
                continue
            marked = self.yaml(path / f"{name}.yaml", name)
            if marked is None:
                chapter.questions_broken |= name == "questions"
                continue
            found = list(questions.problems(marked, lessons))
            self.problems += found
            if name == "quiz":
                chapter.quiz = marked.data
            else:
                chapter.questions = {item["id"]: item for item in marked.data["questions"] if isinstance(item.get("id"), str)}

    def embedded_once(self, folders: list[tuple[ChapterSource, Path]]) -> None:
        places: dict[str, list[str]] = {}
        for chapter, _ in folders:
            for lesson in chapter.lessons:
                for slug in lesson.exercises:
                    places.setdefault(slug, []).append(lesson.slug)
        for chapter, path in folders:
            for slug in chapter.exercises:
                count = len(places.get(slug, []))
                if count != 1:
                    where = ", ".join(places.get(slug, [])) or "no lesson"
                    self.complain(
                        path / "exercises" / f"{slug}.yaml", f"is embedded in {where}; it belongs into exactly one lesson"
                    )


def courses_under(folder: Path) -> list[Path]:
    """The course folders under `folder`: itself when it holds a course.yaml, else its children that do."""
    if (folder / "course.yaml").exists():
        return [folder]
    return sorted(child for child in folder.iterdir() if (child / "course.yaml").exists()) if folder.is_dir() else []
