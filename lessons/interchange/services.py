"""Bringing sets in, putting them up as quizzes, and writing quizzes for other systems."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml
from django.db import IntegrityError, transaction
from django.utils.text import slugify

from lessons.interchange import gift, qti, specs
from lessons.interchange.gift.read import decode
from lessons.interchange.items import Item, Note, to_json
from lessons.interchange.models import QuestionSet
from lessons.loading.problems import Problem
from lessons.loading.publish import QUIZ_SLUG, publish_chapter
from lessons.loading.source import ChapterSource
from lessons.models import Course, Quiz

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: A quiz is one page; longer sets are split by whoever puts them up.
MAX_QUIZ = 50
#: Estimated minutes for a question of a quiz that came from elsewhere, which says nothing about time.
MINUTES_EACH = 1.5
MAX_FILE = 8 * 1024 * 1024


class Refused(Exception):
    """A file or a wish that cannot be fulfilled; `problems` says why, each with file and line where there is one."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


@dataclass(slots=True)
class Brought:
    """A file that was read."""

    form: str
    items: list[Item]
    notes: list[Note] = field(default_factory=list)
    title: str = ""


def read(content: bytes, file: str) -> Brought:
    """The questions of a file in any format that we read, told by its first bytes.  Raises `Refused`."""
    if len(content) > MAX_FILE:
        raise Refused([Problem(file, 0, "", f"is larger than {MAX_FILE // 1024 // 1024} MB")])
    try:
        if content[:2] == b"PK" or content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            read_qti = qti.read(content, file)
            return Brought(f"qti {read_qti.version}", read_qti.items, read_qti.notes, read_qti.title)
        found = gift.read(decode(content, file), file)
    except (gift.GiftError, qti.QtiError) as error:
        raise Refused(error.problems) from None
    return Brought("gift", found.items, found.notes)


def bring(content: bytes, file: str, *, owner: User | None = None, title: str = "", slug: str = "") -> QuestionSet:
    """Keep the questions of a file as a set.  With the `slug` of a set of the same owner, that one is replaced.  Raises `Refused`."""
    brought = read(content, file)
    _specs, more = specs.to_specs(brought.items)
    title = (
        title
        or brought.title
        or re.sub(r"[-_.]+", " ", re.sub(r"\.[a-z0-9]{1,8}\Z", "", file, flags=re.IGNORECASE)).strip()
        or "questions"
    )
    values: dict[str, Any] = {
        "title": title[:160],
        "source": file[:200],
        "form": brought.form,
        "items": to_json(brought.items),
        "notes": [[note.line, note.question, note.reason] for note in [*brought.notes, *more]],
    }
    wanted = slugify(slug or title)[:50].strip("-") or "questions"
    if slug and (found := QuestionSet.objects.filter(slug=wanted, owner=owner).first()):
        for name, value in values.items():
            setattr(found, name, value)
        found.save()
        return found
    for number in range(1, 1000):
        name = wanted if number == 1 else f"{wanted}-{number}"
        try:
            with transaction.atomic():
                return QuestionSet.objects.create(slug=name, owner=owner, **values)
        except IntegrityError:
            continue
    raise Refused([Problem(file, 0, "", f"there are too many sets called {wanted}")])


# -- putting up -------------------------------------------------------------------------------------------------------------------


def quiz_data(found: QuestionSet) -> dict[str, Any]:
    """A set as the data of a quiz file (docs/authoring.md).  Raises `Refused` for one that cannot be a quiz."""
    questions, _notes = specs.to_specs(found.questions())
    if not questions:
        raise Refused([Problem(found.source, 0, "", "no question of this set can stand in a quiz")])
    if len(questions) > MAX_QUIZ:
        reason = f"a quiz has at most {MAX_QUIZ} questions, and this set makes {len(questions)}; split the file"
        raise Refused([Problem(found.source, 0, "", reason)])
    minutes = min(240, max(1, round(len(questions) * MINUTES_EACH)))
    return {"title": specs.both(found.title), "minutes": minutes, "questions": questions}


@transaction.atomic
def put_up(found: QuestionSet, course: Course) -> Quiz:
    """Make the set the quiz of a chapter of its own at the end of a course, or renew that chapter.  Raises `Refused`."""
    data = quiz_data(found)
    chapters = {chapter.slug: chapter for chapter in course.chapters.select_related("version")}
    names = (found.slug, f"{found.slug[:50]}-set", *(f"{found.slug[:50]}-set-{number}" for number in range(2, 100)))
    slug = next(
        name for name in names if name not in chapters or chapters[name].data.get("origin") == f"interchange/{found.slug}"
    )
    chapter = chapters.get(slug)
    last = course.chapters.order_by("-number").values_list("number", flat=True).first() or 0
    number = chapter.number if chapter else last + 1
    about = specs.both(found.title)
    said = {"title": specs.both(found.title), "about": about, "lessons": [], "origin": f"interchange/{found.slug}"}
    made = publish_chapter(course, ChapterSource(slug, number, said, quiz=data))
    return made.quizzes.get(slug=QUIZ_SLUG)


# -- writing ----------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Written:
    """A file for another system, and what it could not say."""

    name: str
    content_type: str
    content: bytes
    notes: list[Note]


def _gift(title: str, slug: str, items: list[Item], language: str) -> Written:
    text, notes = gift.write(items)
    return Written(f"{slug}.gift", "text/plain; charset=utf-8", text.encode(), notes)


def _qti(version: str) -> Callable[[str, str, list[Item], str], Written]:
    def written(title: str, slug: str, items: list[Item], language: str) -> Written:
        content, notes = qti.write(title, items, version)
        return Written(f"{slug}-qti{version.replace('.', '')}.zip", "application/zip", content, notes)

    return written


def _yaml(title: str, slug: str, items: list[Item], language: str) -> Written:
    questions, notes = specs.to_specs(items)
    minutes = min(240, max(1, round(len(questions) * MINUTES_EACH)))
    data = {"title": specs.both(title), "minutes": minutes, "questions": questions}
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)
    return Written("quiz.yaml", "application/yaml; charset=utf-8", text.encode(), notes)


#: The formats that can be written: (title, slug, items, language) to a file.
WRITERS: dict[str, Callable[[str, str, list[Item], str], Written]] = {
    "gift": _gift,
    "qti21": _qti("2.1"),
    "qti30": _qti("3.0"),
    "yaml": _yaml,
}


def find(name: str) -> QuestionSet | Quiz | None:
    """A set by its slug, or a quiz by `course/chapter`, `chapter` or its number."""
    if found := QuestionSet.objects.filter(slug=name).first():
        return found
    quizzes = Quiz.objects.filter(active=True).select_related("version", "chapter__course", "chapter__version")
    course, slash, chapter = name.partition("/")
    if slash:
        return quizzes.filter(chapter__course__slug=course, chapter__slug=chapter).first()
    found_quizzes = list(quizzes.filter(chapter__slug=name)[:2])
    if len(found_quizzes) == 1:
        return found_quizzes[0]
    return quizzes.filter(pk=int(name)).first() if name.isdecimal() and len(name) < 16 else None


def write(source: QuestionSet | Quiz, form: str, language: str = "en") -> Written:
    """A set or a quiz in one of the formats of `WRITERS`."""
    if isinstance(source, QuestionSet):
        return WRITERS[form](source.title, source.slug, source.questions(), language)
    data = source.data
    title = str(data["title"][language])
    items, notes = specs.from_specs(data["questions"], language, category=f"$course$/{title.replace('/', '//')}")
    written = WRITERS[form](title, source.chapter.slug, items, language)
    written.notes = [*notes, *written.notes]
    return written
