"""The heat map: learners × lessons and quizzes, or × exercises and quizzes.

Cells are written here, not in a template: a class of 500 has tens of thousands, and a template takes a hundred times as long for each.
Everything that comes from people or lesson files is escaped.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
    #: whose rows are the same as before and were left out
    kept: int = 0

    @property
    def columns(self) -> int:
        """How many cells a row has."""
        return sum(len(head.labels) for head in self.heads)


def heat(
    board: Board, *, by: str = "lessons", sort: str = "name", who: str = "", page: int = 1, changed: Collection[int] | None = None
) -> Heat:
    """A page of the heat map.  With `changed` only the rows of these learners are read and written; of the others there is a row that
    the page fills with what it shows already (`static/js/desk.js`)."""
    wanted = who.casefold()
    users = [user for user in board.users if wanted in f"{user.username} {user.get_full_name()}".casefold()]
    stuck = {item.user.pk for item in board.stuck} | {item.user_id for item in board.signals if item.kind == "help"}
    if sort == "stuck":
        users.sort(key=lambda user: user.pk not in stuck)
    elif sort.startswith("points"):
        users.sort(key=lambda user: board.sums[user.pk].points, reverse=sort == "points")
    pages = max(1, -(-len(users) // PAGE))
    page = min(max(1, page), pages)
    shown = users[(page - 1) * PAGE : page * PAGE]
    signals = {item.user_id: item for item in board.signals}
    heads = [_head(chapter, by) for chapter in board.outline.chapters]
    written = _Writer(board, by)
    fresh = [user for user in shown if changed is None or user.pk in changed]
    cells = {row.user.pk: row for row in board.rows_of(fresh)}
    rows = [
        written.row(cells[user.pk], signals)
        if user.pk in cells
        else SafeString(f'<tr data-learner="{escape(user.username)}" data-kept></tr>')
        for user in shown
    ]
    return Heat(heads, rows, page, pages, len(shown), len(users), len(shown) - len(fresh))


def _head(chapter: ChapterRow, by: str) -> HeatHead:
    if by == "lessons":
        labels = [(row.lesson.label, row.lesson.title) for row in chapter.lessons]
    else:
        labels = [(f"{row.lesson.label}/{item.number}", item.title) for row in chapter.lessons for item in row.exercises]
    labels += [(label, quiz.title) for label, quiz in chapter.quizzes]
    return HeatHead(chapter, labels)


class _Writer:
    """Writes rows; the words that all cells share are translated once."""

    def __init__(self, board: Board, by: str) -> None:
        self.board, self.by = board, by
        self.hatched = {(item.user.pk, item.exercise.pk) for item in board.stuck if item.exercise is not None}
        self.stuck, self.passed, self.none, self.begun = _("stuck"), _("passed"), _("not yet"), _("begun")
        self.said: dict[tuple[object, ...], str] = {}
        self.lessons = {row.lesson.pk: (escape(row.lesson.label), escape(row.lesson.slug)) for row in board.outline.lessons}
        self.titles = {item.pk: escape(item.title) for item in board.outline.exercises}
        self.checks, self.signal = _("%(done)s of %(all)s checks"), {"help": _("Help me"), "done": _("I am done")}

    def row(self, row: LearnerRow, signals: Mapping[int, object]) -> SafeString:
        name, base = escape(row.user.username), f"learners/{row.user.pk}/"
        title = f' title="{escape(row.user.get_full_name())}"' if row.user.get_full_name() else ""
        signal = getattr(signals.get(row.user.pk), "kind", "")
        mark = f' <span class="sig is-{signal}">{escape(self.signal[signal])}</span>' if signal else ""
        parts = [f'<tr data-learner="{name}"><th scope="row"><a href="{base}"{title}>{name}</a>{mark}</th>']
        exercises = {cell.exercise.pk: cell for cell in row.exercises}
        for chapter in row.chapters:
            parts.append("<td></td>")
            if self.by == "lessons":
                parts += [self.lesson(row, name, base, cell) for cell in chapter.lessons]
            else:
                inside = [item.pk for lesson in chapter.row.lessons for item in lesson.exercises]
                parts += [self.exercise(row, name, base, exercises[pk]) for pk in inside]
            parts += [self.quiz(base, chapter.row, cell) for cell in chapter.quizzes]
        parts.append(f'<td></td><td class="tot">{row.passes}</td><td class="tot">{points(row.points)}</td></tr>')
        return mark_safe("".join(parts))

    def words(self, cell: LessonCell, also_stuck: bool) -> str:
        """A lesson's cell in words, escaped; cells that say the same are put into words once."""
        state = cell.state
        key = (
            state.opened,
            state.read,
            state.passed,
            state.exercises,
            state.checks_done > 0,
            state.stuck,
            cell.active,
            also_stuck,
        )
        said = self.said.get(key)
        if said is None:
            said = self.said[key] = escape(cell.words + (f", {self.stuck}" if also_stuck else ""))
        return said

    def lesson(self, row: LearnerRow, name: str, base: str, cell: LessonCell) -> str:
        state, pk = cell.state, cell.lesson.pk
        hatched = state.stuck or (row.user.pk, pk) in self.board.hatched
        label, slug = self.lessons[pk]
        say = f"{name}, {label}: {self.words(cell, hatched and not state.stuck)}"
        marks = f"{' data-s' if hatched else ''}{' data-a' if cell.active else ''}"
        return (
            f'<td data-l="{state.level}" data-lesson="{slug}"{marks}>'
            f'<a href="{base}lessons/{pk}/" aria-label="{say}" title="{say}"></a></td>'
        )

    def exercise(self, row: LearnerRow, name: str, base: str, cell: ExerciseCell) -> str:
        run, attempt = cell.run, cell.attempt
        stuck = cell.passed is None and (row.user.pk, cell.exercise.pk) in self.hatched
        if cell.passed:
            level, words = 4, f"{self.passed}, {points(cell.passed.points)} / {points(cell.passed.max_points)}"
        elif run:
            level = max(1, min(3, int(4 * run.passed / run.total))) if run.total else 1
            words = self.checks % {"done": run.passed, "all": run.total}
        else:
            level, words = (1, self.begun) if attempt else (0, self.none)
        say = f"{name}, {self.titles[cell.exercise.pk]}: {escape(words)}" + (f", {escape(self.stuck)}" if stuck else "")
        href = f"{base}lessons/{cell.exercise.lesson_id}/#x{cell.exercise.pk}"
        return f'<td data-l="{level}"{" data-s" if stuck else ""}><a href="{href}" aria-label="{say}" title="{say}"></a></td>'

    def quiz(self, base: str, chapter: ChapterRow, cell: QuizCell) -> str:
        if cell.grade:
            shown = f"{cell.grade.points:.1f}".removesuffix(".0")  # a cell has room for one decimal; the words are exact
            said = f"{points(cell.grade.points)} / {points(cell.grade.max_points)}"
        else:
            shown, said = ("…", self.begun) if cell.begun else ("–", self.none)
        own = cell.quiz.cohort_id is not None  # written for this cohort: its own name, since the chapter's quiz has the chapter's
        slug, label = escape(cell.quiz.slug if own else chapter.chapter.slug), cell.label
        href = f"{base}quizzes/{cell.quiz.pk}/"
        return f'<td class="grade" data-quiz="{slug}"><a href="{href}" aria-label="{label}: {escape(said)}">{shown}</a></td>'
