"""The gradebook: learners × exercises, quizzes and columns from elsewhere, with a weighted sum.  Page and exports read the same `Book`.

A constant number of queries, whatever the number of learners and items.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, cast

from django.utils.translation import gettext as _

from lessons.desk.anonymous import alias
from lessons.desk.models import Column, ColumnMark
from lessons.desk.table import Cell as TableCell
from lessons.grading.selectors import Cell, Item, grade_sheet, total
from lessons.models import Cohort

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: The first letter of a column's key.
KINDS = {"exercise": "x", "quiz": "q", "column": "c"}


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
    #: where its evidence is, after `learners/<number>/`; nothing for a column from elsewhere
    evidence: str = ""

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
    """One learner's mark in one column; `points` is None where there is none.  `state` as in `lessons.grading.selectors.Cell`."""

    points: float | None
    state: str
    note: str = ""
    late: float = 0.0
    dropped: bool = False
    most: float = 0.0

    @property
    def excused(self) -> bool:
        """Whether it does not count."""
        return self.state == "excused"


@dataclass(slots=True)
class Line:
    """One learner's row; `percent` is the weighted total, 0 to 100, None while nothing counts."""

    user: User
    marks: dict[str, Mark]
    total: float
    of: float
    percent: float | None


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


def heads(items: list[Item]) -> list[Head]:
    """The columns of the graded items, in the course's order."""
    out: list[Head] = []
    for item in items:
        thing: Any = item.thing
        if item.kind == "quiz":
            number = thing.chapter.number
            place = sum(1 for head in out if head.chapter == number and head.kind == "quiz") + 1
            slug = thing.slug if thing.cohort_id else thing.chapter.slug
            label, evidence = f"{number}.Q{place if place > 1 else ''}", f"quizzes/{item.pk}/"
        else:
            number = thing.lesson.chapter.number
            label, slug = f"{thing.lesson.label}/{thing.number}", thing.slug
            evidence = f"lessons/{thing.lesson_id}/#x{item.pk}"
        out.append(Head(f"{KINDS[item.kind]}{item.pk}", label, item.title, slug, item.max_points, item.weight, number, evidence))
    return out


def from_elsewhere(cohort: Cohort, users: Sequence[User], columns: list[Column] | None = None) -> dict[int, list[Cell]]:
    """The cells of the columns from elsewhere, by learner; empty where the cohort has none."""
    columns = list(cohort.columns.all()) if columns is None else columns
    if not columns:
        return {}
    items = [Item("column", column.pk, cast(Any, column), column.max_points, column.weight) for column in columns]
    rows = ColumnMark.objects.filter(column__cohort=cohort, user__in=[user.pk for user in users])
    given: dict[tuple[int, int], float] = {(mark.user_id, mark.column_id): mark.points for mark in rows}
    out: dict[int, list[Cell]] = {}
    for user in users:
        points = [given.get((user.pk, item.pk)) for item in items]
        out[user.pk] = [
            Cell(item, user.pk, "none" if value is None else "graded", value, item.max_points)
            for item, value in zip(items, points, strict=True)
        ]
    return out


def book(cohort: Cohort) -> Book:
    """Everything, learners by name: the sheet of grades with the columns from elsewhere, which count as items outside groups."""
    sheet = grade_sheet(cohort)
    columns = list(cohort.columns.all())
    all_heads = heads(sheet.items) + [
        Head(f"c{column.pk}", column.name, column.name, column.name, column.max_points, column.weight, 0) for column in columns
    ]
    elsewhere = from_elsewhere(cohort, sheet.users, columns)
    lines = []
    for user in sheet.users:
        cells = [*sheet.row(user.pk), *elsewhere.get(user.pk, [])]
        sum_ = total(cells) if columns else sheet.totals[user.pk]
        marks = {head.key: _mark(cell) for head, cell in zip(all_heads, cells, strict=True)}
        lines.append(Line(user, marks, round(sum_.points, 2), round(sum_.max_points, 2), sum_.percent))
    titles = {}
    for item in sheet.items:
        thing: Any = item.thing
        chapter = thing.chapter if item.kind == "quiz" else thing.lesson.chapter
        titles[chapter.number] = chapter.title
    return Book(cohort, all_heads, lines, sorted(titles.items()))


def _mark(cell: Cell) -> Mark:
    points = None if cell.points is None else round(cell.points, 2)
    return Mark(points, cell.state, cell.reason, cell.late, cell.dropped, cell.max_points)


# -- what is shown ------------------------------------------------------------------------------------------------------------


def narrowed(found: Book, *, show: str = "", who: str = "", only: str = "") -> Book:
    """Columns by `show` (`exercises`, `quizzes`, `columns`, a chapter's number), learners by `who` (part of a name) and `only`
    (`missing`: something not graded yet; `below`: under half of the points)."""
    if show.isdecimal() and show.isascii():
        columns = [head for head in found.heads if head.chapter == int(show[:4])]
    else:
        columns = [head for head in found.heads if not show or f"{head.kind}s".replace("quizs", "quizzes") == show]
    wanted = who.casefold()
    lines = [line for line in found.lines if wanted in f"{line.user.username} {line.user.get_full_name()}".casefold()]
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


def export_rows(found: Book, *, named: bool = True) -> list[list[TableCell]]:
    """The table that CSV and XLSX hold: a head, then a row for each learner; without names aliases stand for them (`lessons.desk.anonymous`)."""
    who = ["learner", "name", "email"] if named else ["learner"]
    out: list[list[TableCell]] = [[*who, *(head.export_name for head in found.heads), "sum", "of", "percent"]]
    for line in found.lines if named else sorted(found.lines, key=lambda line: alias(found.cohort, line.user.pk)):
        marks: list[TableCell] = ["excused" if (mark := line.marks[head.key]).excused else mark.points for head in found.heads]
        percent = None if line.percent is None else round(line.percent, 2)
        names = [line.user.username, line.user.get_full_name(), line.user.email] if named else [alias(found.cohort, line.user.pk)]
        out.append([*names, *marks, line.total, line.of, percent])
    return out


def words(name: str) -> str:
    """Names of the filters as the page says them."""
    return {"exercises": _("Exercises"), "quizzes": _("Quizzes"), "columns": _("From elsewhere")}.get(name, name)
