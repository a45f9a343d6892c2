"""The gradebook: learners × exercises, quizzes and columns from elsewhere, with a weighted sum.  Page and exports read the same `Book`.

A constant number of queries, whatever the number of learners and items.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from django.urls import reverse
from django.utils.translation import gettext as _

from lessons.desk.models import ColumnMark
from lessons.desk.table import Cell as TableCell
from lessons.grading.models import Grade
from lessons.grading.progress import Outline, outline
from lessons.models import Cohort, Membership

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@dataclass(slots=True)
class Head:
    """A column: its key (`x7` an exercise, `q3` a quiz, `c1` from elsewhere), names and what it is worth."""

    key: str
    label: str
    title: str
    slug: str
    most: float
    weight: float
    chapter: int

    @property
    def kind(self) -> str:
        """`exercise`, `quiz` or `column`."""
        return {"x": "exercise", "q": "quiz", "c": "column"}[self.key[0]]

    @property
    def export_name(self) -> str:
        """The column's name in an export: the same in every language."""
        return f"{self.kind} {self.slug} (/{self.most:g})"


@dataclass(slots=True)
class Mark:
    """One learner's mark in one column; `points` is None where there is none."""

    points: float | None
    href: str
    excused: bool = False
    note: str = ""


@dataclass(slots=True)
class Line:
    """One learner's row."""

    user: User
    marks: dict[str, Mark]
    total: float
    of: float

    @property
    def percent(self) -> float | None:
        """The sum as a share of what there was, 0 to 100."""
        return 100 * self.total / self.of if self.of else None


@dataclass(slots=True)
class Book:
    """The whole gradebook."""

    cohort: Cohort
    heads: list[Head]
    lines: list[Line]
    chapters: list[tuple[int, str]] = field(default_factory=list)

    def medians(self) -> dict[str, float]:
        """The median of the marks there are, by column."""
        out = {}
        for head in self.heads:
            points = [mark.points for line in self.lines if (mark := line.marks[head.key]).points is not None]
            if points:
                out[head.key] = float(median([value for value in points if value is not None]))
        return out


def heads(course: Outline, cohort: Cohort) -> list[Head]:
    """The columns in the course's order, then those from elsewhere."""
    out = []
    for chapter in course.chapters:
        number = chapter.chapter.number
        for row in chapter.lessons:
            for item in row.exercises:
                label = row.lesson.label + (f"/{item.number}" if len(row.exercises) > 1 else "")
                out.append(Head(f"x{item.pk}", label, item.title, item.slug, float(item.data.get("points", 10)), 1.0, number))
        if chapter.quiz:
            most = sum(float(spec.get("points", 1)) for spec in chapter.quiz.data.get("questions", []))
            out.append(Head(f"q{chapter.quiz.pk}", f"{number}.Q", chapter.quiz.title, chapter.chapter.slug, most, 1.0, number))
    for column in cohort.columns.all():
        out.append(Head(f"c{column.pk}", column.name, column.name, column.name, column.max_points, column.weight, 0))
    return out


def book(cohort: Cohort) -> Book:
    """Everything, learners by name."""
    course = outline(cohort.course)
    columns = heads(course, cohort)
    members = cohort.memberships.filter(role=Membership.Role.LEARNER).select_related("user").order_by("user__username")
    users = [row.user for row in members]
    got: dict[tuple[int, str], tuple[float, float]] = {}
    for grade in Grade.objects.filter(user__in=users, course=cohort.course):
        key = f"x{grade.exercise_id}" if grade.exercise_id else f"q{grade.quiz_id}"
        got[grade.user_id, key] = (grade.points, grade.max_points)
    for mark in ColumnMark.objects.filter(column__cohort=cohort, user__in=users):
        got[mark.user_id, f"c{mark.column_id}"] = (mark.points, 0.0)
    lessons = {f"x{item.pk}": item.lesson_id for item in course.exercises}
    lines = []
    for user in users:
        marks, total, of = {}, 0.0, 0.0
        for head in columns:
            points, most = got.get((user.pk, head.key), (None, 0.0))
            if points is not None and most and most != head.most:  # graded when the item was worth something else
                points = points / most * head.most
            marks[head.key] = Mark(None if points is None else round(points, 2), _href(cohort, user, head, lessons))
            total += (points or 0.0) * head.weight
            of += head.most * head.weight
        lines.append(Line(user, marks, round(total, 2), round(of, 2)))
    titles = [(chapter.chapter.number, chapter.chapter.title) for chapter in course.chapters]
    return Book(cohort, columns, lines, titles)


def _href(cohort: Cohort, user: User, head: Head, lessons: dict[str, int]) -> str:
    if head.key[0] == "x":
        return reverse("lessons:learner-lesson", args=[cohort.pk, user.pk, lessons[head.key]]) + f"#x{head.key[1:]}"
    if head.key[0] == "q":
        return reverse("lessons:learner-quiz", args=[cohort.pk, user.pk, int(head.key[1:])])
    return ""


# -- what is shown ------------------------------------------------------------------------------------------------------------


def narrowed(found: Book, *, show: str = "", who: str = "", only: str = "") -> Book:
    """Columns by `show` (`exercises`, `quizzes`, `columns`, a chapter's number), learners by `who` (part of a name) and `only`
    (`missing`: something not graded yet; `below`: under half of the points)."""
    if show.isdecimal() and show.isascii():
        columns = [head for head in found.heads if head.chapter == int(show[:4])]
    else:
        columns = [head for head in found.heads if not show or f"{head.kind}s".replace("quizs", "quizzes") == show]
    lines = [line for line in found.lines if who.casefold() in line.user.username.casefold()]
    if only == "missing":
        lines = [line for line in lines if any(line.marks[head.key].points is None for head in columns)]
    elif only == "below":
        lines = [line for line in lines if (line.percent or 0.0) < 50]
    return Book(found.cohort, columns, lines, found.chapters)


def ordered(found: Book, sort: str) -> Book:
    """Lines sorted by `name`, `sum` or a column's key; `-` before it turns the order round; without a mark comes last."""
    backwards, key = sort.startswith("-"), sort.lstrip("-")
    lines = sorted(found.lines, key=lambda line: line.user.username.casefold(), reverse=backwards and key == "name")
    if key == "sum":
        lines.sort(key=lambda line: line.total, reverse=backwards)
    elif any(head.key == key for head in found.heads):
        have = [line for line in lines if line.marks[key].points is not None]
        have.sort(key=lambda line: line.marks[key].points or 0.0, reverse=backwards)
        lines = have + [line for line in lines if line.marks[key].points is None]
    return Book(found.cohort, found.heads, lines, found.chapters)


def export_rows(found: Book) -> list[list[TableCell]]:
    """The table that CSV and XLSX hold: a head, then a row for each learner."""
    out: list[list[TableCell]] = [
        ["learner", "name", "email", *(head.export_name for head in found.heads), "sum", "of", "percent"]
    ]
    for line in found.lines:
        marks: list[TableCell] = ["excused" if (mark := line.marks[head.key]).excused else mark.points for head in found.heads]
        percent = None if line.percent is None else round(line.percent, 2)
        out.append([line.user.username, line.user.get_full_name(), line.user.email, *marks, line.total, line.of, percent])
    return out


def words(name: str) -> str:
    """Names of the filters as the page says them."""
    return {"exercises": _("Exercises"), "quizzes": _("Quizzes"), "columns": _("From elsewhere")}.get(name, name)
