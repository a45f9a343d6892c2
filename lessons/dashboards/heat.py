"""The heat map: learners × lessons and quizzes, or × exercises and quizzes.

Cells are written here, not in a template: a class of 500 has tens of thousands, and a template takes a hundred times as long for each.
Everything that comes from people or lesson files is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from lessons.dashboards.selectors import Board, ExerciseCell, LearnerRow, LessonCell, QuizCell
from lessons.grading.progress import ChapterRow
from lessons.templatetags.slipway import points

BY = ("lessons", "exercises")
#: Learners on one page.
PAGE = 100
SORTS = ("name", "stuck", "points", "points-up")


@dataclass(slots=True)
class HeatHead:
    """The columns of a chapter."""

    chapter: ChapterRow
    labels: list[tuple[str, str]]


@dataclass(slots=True)
class Heat:
    """What of the heat map is shown."""

    heads: list[HeatHead]
    rows: list[SafeString]
    page: int
    pages: int
    shown: int
    of: int

    @property
    def columns(self) -> int:
        """How many cells a row has."""
        return sum(len(head.labels) for head in self.heads)


def heat(board: Board, *, by: str = "lessons", sort: str = "name", who: str = "", page: int = 1) -> Heat:
    """A page of the heat map."""
    rows = [row for row in board.rows if who.casefold() in row.user.username.casefold()]
    stuck = {item.user.pk for item in board.stuck} | {item.user_id for item in board.signals if item.kind == "help"}
    if sort == "stuck":
        rows.sort(key=lambda row: row.user.pk not in stuck)
    elif sort.startswith("points"):
        rows.sort(key=lambda row: row.points, reverse=sort == "points")
    pages = max(1, -(-len(rows) // PAGE))
    page = min(max(1, page), pages)
    shown = rows[(page - 1) * PAGE : page * PAGE]
    signals = {item.user_id: item for item in board.signals}
    heads = [_head(chapter, by) for chapter in board.outline.chapters]
    written = _Writer(board, by)
    return Heat(heads, [written.row(row, signals) for row in shown], page, pages, len(shown), len(rows))


def _head(chapter: ChapterRow, by: str) -> HeatHead:
    if by == "lessons":
        labels = [(row.lesson.label, row.lesson.title) for row in chapter.lessons]
    else:
        labels = [(f"{row.lesson.label}/{item.number}", item.title) for row in chapter.lessons for item in row.exercises]
    if chapter.quiz:
        labels.append((f"{chapter.chapter.number}.Q", chapter.quiz.title))
    return HeatHead(chapter, labels)


class _Writer:
    """Writes rows; the words that all cells share are translated once."""

    def __init__(self, board: Board, by: str) -> None:
        self.board, self.by = board, by
        self.hatched = {(item.user.pk, item.exercise.pk) for item in board.stuck if item.exercise is not None}
        self.stuck, self.passed, self.none, self.begun = _("stuck"), _("passed"), _("not yet"), _("begun")
        self.checks, self.signal = _("%(done)s of %(all)s checks"), {"help": _("Help me"), "done": _("I am done")}

    def row(self, row: LearnerRow, signals: Mapping[int, object]) -> SafeString:
        name, base = escape(row.user.username), f"learners/{row.user.pk}/"
        signal = getattr(signals.get(row.user.pk), "kind", "")
        mark = f' <span class="sig is-{signal}">{escape(self.signal[signal])}</span>' if signal else ""
        parts = [f'<tr data-learner="{name}"><th scope="row"><a href="{base}">{name}</a>{mark}</th>']
        exercises = {cell.exercise.pk: cell for cell in row.exercises}
        for chapter in row.chapters:
            parts.append("<td></td>")
            for lesson in chapter.lessons:
                if self.by == "lessons":
                    parts.append(self.lesson(row, base, lesson))
                    continue
                for item in next(one for one in chapter.row.lessons if one.lesson.pk == lesson.lesson.pk).exercises:
                    parts.append(self.exercise(row, base, exercises[item.pk]))
            if chapter.quiz:
                parts.append(self.quiz(base, chapter.row, chapter.quiz))
        parts.append(f'<td></td><td class="tot">{row.passes}</td><td class="tot">{points(row.points)}</td></tr>')
        return mark_safe("".join(parts))

    def lesson(self, row: LearnerRow, base: str, cell: LessonCell) -> str:
        hatched = cell.state.stuck or (row.user.pk, cell.lesson.pk) in self.board.hatched
        words = cell.words + (f", {self.stuck}" if hatched and not cell.state.stuck else "")
        say = escape(f"{row.user.username}, {cell.lesson.label}: {words}")
        state = f"{' data-s' if hatched else ''}{' data-a' if cell.active else ''}"
        slug = escape(cell.lesson.slug)
        return (
            f'<td data-l="{cell.state.level}" data-lesson="{slug}"{state}>'
            f'<a href="{base}lessons/{cell.lesson.pk}/" aria-label="{say}" title="{say}"></a></td>'
        )

    def exercise(self, row: LearnerRow, base: str, cell: ExerciseCell) -> str:
        run, attempt = cell.run, cell.attempt
        stuck = cell.passed is None and (row.user.pk, cell.exercise.pk) in self.hatched
        if cell.passed:
            level, words = 4, f"{self.passed}, {points(cell.passed.points)} / {points(cell.passed.max_points)}"
        elif run:
            level = max(1, min(3, int(4 * run.passed / run.total))) if run.total else 1
            words = self.checks % {"done": run.passed, "all": run.total}
        else:
            level, words = (1, self.begun) if attempt else (0, self.none)
        say = escape(f"{row.user.username}, {cell.exercise.title}: {words}" + (f", {self.stuck}" if stuck else ""))
        href = f"{base}lessons/{cell.exercise.lesson_id}/#x{cell.exercise.pk}"
        return f'<td data-l="{level}"{" data-s" if stuck else ""}><a href="{href}" aria-label="{say}" title="{say}"></a></td>'

    def quiz(self, base: str, chapter: ChapterRow, cell: QuizCell) -> str:
        if cell.grade:
            shown = f"{cell.grade.points:.1f}".removesuffix(".0")  # a cell has room for one decimal; the words are exact
            said = f"{points(cell.grade.points)} / {points(cell.grade.max_points)}"
        else:
            shown, said = ("…", self.begun) if cell.begun else ("–", self.none)
        slug, label = escape(chapter.chapter.slug), f"{chapter.chapter.number}.Q"
        href = f"{base}quizzes/{cell.quiz.pk}/"
        return f'<td class="grade" data-quiz="{slug}"><a href="{href}" aria-label="{label}: {escape(said)}">{shown}</a></td>'
