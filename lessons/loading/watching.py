"""Live reload while a course is written: `manage.py loadcourse --watch` beside a site on the same machine.

A `Watcher` looks at a course's files; after each change it reads the course, puts it up when it is in order, plays the lessons,
exercises and questions whose files changed, and leaves a note (`lessons/authoring.py`).  Pages of the course ask for that note
(`lessons/pages/authoring.py`), load themselves again when its stamp changes, and show its problems.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from lessons.authoring import Note, leave
from lessons.loading import played, proof
from lessons.loading.problems import ContentError
from lessons.loading.publish import publish
from lessons.loading.reader import read_course
from lessons.loading.source import ChapterSource, CourseSource
from lessons.quizzes import proof as questions

#: A watch looks at the files this often, in seconds.
EVERY = 0.5
MOST_PROBLEMS = 20

Seen = dict[Path, tuple[int, int]]


def _seen(folder: Path) -> Seen:
    """Time and size of every file of a course; files that come and go in between are passed over."""
    found: Seen = {}
    for path in sorted(folder.rglob("*")):
        try:
            stat = path.stat()
        except OSError:
            continue
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(("~", ".swp")):
            found[path] = (stat.st_mtime_ns, stat.st_size)
    return found


class Watcher:
    """One course folder; `look` is called again and again, `say` prints a line."""

    def __init__(self, folder: Path, shown_from: Path, say: Callable[[str], object]) -> None:
        self.folder, self.shown_from, self.say = folder, shown_from, say
        self.slug = folder.resolve().name
        self.seen = _seen(folder)
        self.note = Note(str(time.time_ns()))
        leave(self.slug, self.note)

    def look(self) -> bool:
        """Whether something had changed; if so it has been read, put up and played."""
        now = _seen(self.folder)
        if now == self.seen:
            leave(self.slug, self.note)
            return False
        changed = sorted(path for path in {*now, *self.seen} if now.get(path) != self.seen.get(path))
        self.seen = now
        self.load(changed)
        return True

    def load(self, changed: list[Path]) -> None:
        """Read, put up, play what changed.  What was up stays up when the course is not in order."""
        names = ", ".join(path.name for path in changed[:3]) + (" …" if len(changed) > 3 else "")
        try:
            source = read_course(self.folder, shown_from=self.shown_from)
        except ContentError as error:
            self.tell(f"{names}: not loaded", [str(problem) for problem in error.problems], self.note.stamp)
            return
        done = publish(source)
        self.tell(f"{names}: {done.new_versions} new versions", [], str(time.time_ns()))
        problems = [f"{what}: {problem}" for what, found in self.plays(source, changed) for problem in found]
        if problems:
            self.tell(f"{names}: played", problems, self.note.stamp)

    def tell(self, line: str, problems: list[str], stamp: str) -> None:
        """Say it here and on the pages."""
        self.note = Note(stamp, problems[:MOST_PROBLEMS])
        leave(self.slug, self.note)
        self.say(line)
        for problem in problems:
            self.say(f"  {problem}")

    def plays(self, source: CourseSource, changed: list[Path]) -> Iterator[tuple[str, Iterator[str]]]:
        """What the changed files say of worlds, played: (its name, what is wrong with it)."""
        for chapter in source.chapters:
            for path in changed:
                if path.exists() and path.relative_to(self.folder).parts[0].partition("-")[2] == chapter.slug:
                    yield from self._file(chapter, path)

    def _file(self, chapter: ChapterSource, path: Path) -> Iterator[tuple[str, Iterator[str]]]:
        if path.parent.name == "exercises":
            lesson = next((item for item in chapter.lessons if path.stem in item.exercises), None)
            if lesson:
                yield path.stem, proof.prove(chapter.exercises[path.stem], str(lesson.data["scenario"]))
        elif path.name.startswith("lesson-") and path.suffix == ".md":
            yield path.name, played.prove(path)
        elif path.name == "questions.yaml":
            yield path.name, (said for spec in chapter.questions.values() for said in questions.prove(spec))
        elif path.name == "quiz.yaml" and chapter.quiz:
            yield path.name, (said for spec in chapter.quiz["questions"] for said in questions.prove(spec))
