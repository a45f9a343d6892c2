"""What counts in a cohort: for each learner and item the grade with its evidence, and the total by weights, groups and drops.

`grade_sheet(cohort)` is the one reading of grades: gradebook, exports, item lists and learners' own pages use it.  It takes a
fixed number of queries.  Only learners have rows.

    sheet = grade_sheet(cohort)
    cell = sheet.cell(user_id, "quiz", quiz.pk)      # state, points, max_points, evidence, adjustment, late …
    sheet.totals[user_id].percent                    # None while nothing counts
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import Q

from lessons.grading.models import Adjustment, Grade, GradeGroup, GradeItem
from lessons.grading.progress import outline
from lessons.models import Cohort, Exercise, Membership, Quiz
from lessons.quizzes.layout import size
from lessons.quizzes.models import Assignment, QuizAttempt
from lessons.quizzes.services import close_expired

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Points of an exercise whose file says nothing.
EXERCISE_POINTS = 10.0

Key = tuple[str, int]


@dataclass(slots=True)
class Item:
    """One graded thing of a cohort."""

    kind: str
    pk: int
    thing: Quiz | Exercise
    max_points: float
    weight: float = 1.0
    group: GradeGroup | None = None
    assignment: Assignment | None = None

    @property
    def key(self) -> Key:
        """`("quiz", 3)`."""
        return (self.kind, self.pk)

    @property
    def title(self) -> str:
        """Its title in the page's language."""
        return self.thing.title


@dataclass(slots=True)
class Cell:
    """What counts for one learner and item.

    `state`: `none` nothing handed in, `begun` an attempt is open, `pending` something waits to be marked, `graded`, `override`,
    `excused`.  `computed` is what the work earned before anybody decided otherwise; `late` the share that lateness took.
    """

    item: Item
    user_id: int
    state: str
    points: float | None
    max_points: float
    computed: float | None = None
    late: float = 0.0
    dropped: bool = False
    evidence: dict[str, Any] = field(default_factory=dict)
    adjustment: Adjustment | None = None

    @property
    def share(self) -> float:
        """Points as a share of what there is: 0 where nothing was handed in."""
        return (self.points or 0.0) / self.max_points if self.max_points else 0.0

    @property
    def reason(self) -> str:
        """Why a person changed it."""
        return self.adjustment.reason if self.adjustment else ""


@dataclass(slots=True)
class Total:
    """One learner's sum.  `percent` counts everything that is not excused or dropped, work not handed in as nothing;
    `so_far` only what was handed in."""

    points: float = 0.0
    max_points: float = 0.0
    percent: float | None = None
    so_far: float | None = None


@dataclass(slots=True)
class Sheet:
    """All grades of a cohort."""

    cohort: Cohort
    items: list[Item]
    groups: list[GradeGroup]
    users: list[User]
    cells: dict[tuple[int, str, int], Cell]
    totals: dict[int, Total]

    def cell(self, user_id: int, kind: str, pk: int) -> Cell:
        """One cell; raises KeyError for who is no learner or what is no item here."""
        return self.cells[user_id, kind, pk]

    def row(self, user_id: int) -> list[Cell]:
        """A learner's cells in the order of the items."""
        return [self.cells[user_id, item.kind, item.pk] for item in self.items]


def items_of(cohort: Cohort) -> list[Item]:
    """What is graded in a cohort, in the order of the course, with its weights."""
    plan = outline(cohort.course, cohort)
    settings = {
        ("exercise", row.exercise_id) if row.exercise_id else ("quiz", row.quiz_id): row
        for row in GradeItem.objects.filter(cohort=cohort).select_related("group")
    }
    given = {row.quiz_id: row for row in Assignment.objects.filter(cohort=cohort).select_related("version")}
    out = []
    for chapter in plan.chapters:
        things: list[Quiz | Exercise] = [item for row in chapter.lessons for item in row.exercises]
        for thing in [*things, *(quiz for _label, quiz in chapter.quizzes)]:
            kind = "quiz" if isinstance(thing, Quiz) else "exercise"
            row, assignment = settings.get((kind, thing.pk)), None
            if isinstance(thing, Quiz):
                assignment = given.get(thing.pk)
                most = size(assignment.version.data if assignment and assignment.version else thing.data)[1]
            else:
                most = float(thing.data.get("points", EXERCISE_POINTS))
            out.append(Item(kind, thing.pk, thing, most, row.weight if row else 1.0, row.group if row else None, assignment))
    return out


def grade_sheet(cohort: Cohort, users: Iterable[User] | None = None) -> Sheet:
    """Every counting grade of a cohort's learners (or of `users` among them)."""
    rows = cohort.memberships.filter(role=Membership.Role.LEARNER).select_related("user").order_by("user__username")
    wanted = None if users is None else {user.pk for user in users}
    people = [row.user for row in rows if wanted is None or row.user_id in wanted]
    ids = [user.pk for user in people]
    items = items_of(cohort)
    close_expired([item.assignment for item in items if item.assignment])
    grades = _grades(ids, cohort, evidence=users is not None)
    decided = {
        (row.user_id, "exercise" if row.exercise_id else "quiz", int(row.exercise_id or row.quiz_id or 0)): row
        for row in Adjustment.objects.filter(cohort=cohort, user__in=ids).select_related("by")
    }
    begun = set(
        QuizAttempt.objects.filter(user__in=ids, quiz__chapter__course=cohort.course, submitted_at=None).values_list(
            "user_id", "quiz_id", "assignment_id"
        )
    )
    cells = {}
    for user in people:
        for item in items:
            key = (user.pk, item.kind, item.pk)
            # a quiz that was given to the cohort counts by that; one that was not, as it was taken freely
            name = "free" if item.kind == "quiz" and item.assignment is None else item.kind
            open_ = (user.pk, item.pk, item.assignment.pk if item.assignment else None) in begun
            cells[key] = _cell(item, user.pk, grades.get((user.pk, name, item.pk)), decided.get(key), open_)
    groups = list(GradeGroup.objects.filter(cohort=cohort))
    sheet = Sheet(cohort, items, groups, people, cells, {})
    for user in people:
        sheet.totals[user.pk] = total(sheet.row(user.pk))
    return sheet


class _Graded(NamedTuple):
    """What is read of a grade: of a class there are tens of thousands, so they come as tuples."""

    points: float
    max_points: float
    complete: bool
    evidence: dict[str, Any]


_NO_EVIDENCE: dict[str, Any] = {}


def _grades(ids: list[int], cohort: Cohort, *, evidence: bool) -> dict[tuple[int, str, int], _Graded]:
    """Grades by learner, kind (`free` for a quiz taken without an assignment) and item.  The evidence of exercises is read when asked for;
    that of quizzes says how late they were."""
    out: dict[tuple[int, str, int], _Graded] = {}
    rows = Grade.objects.filter(user__in=ids, course=cohort.course)
    passed = rows.filter(exercise__isnull=False)
    if evidence:
        for user, item, *grade in passed.values_list("user_id", "exercise_id", "points", "max_points", "complete", "evidence"):
            out[user, "exercise", item] = _Graded._make(grade)
    else:
        for user, item, *grade in passed.values_list("user_id", "exercise_id", "points", "max_points", "complete"):
            out[user, "exercise", item] = _Graded._make((*grade, _NO_EVIDENCE))
    here = rows.filter(Q(assignment=None) | Q(assignment__cohort=cohort), quiz__isnull=False)
    for user, item, given, *grade in here.values_list(
        "user_id", "quiz_id", "assignment_id", "points", "max_points", "complete", "evidence"
    ):
        out[user, "quiz" if given else "free", item] = _Graded._make(grade)
    return out


def _cell(item: Item, user_id: int, grade: _Graded | None, decided: Adjustment | None, begun: bool) -> Cell:
    if grade is None:
        cell = Cell(item, user_id, "begun" if begun and item.kind == "quiz" else "none", None, item.max_points)
    else:
        cell = Cell(item, user_id, "graded" if grade.complete else "pending", grade.points, grade.max_points)
        cell.computed, cell.late = grade.points, float(grade.evidence.get("late", 0.0))
        cell.evidence = grade.evidence
    if decided is not None:
        cell.adjustment = decided
        cell.state = "excused" if decided.kind == Adjustment.Kind.EXCUSED else "override"
        cell.points = decided.points
    return cell


def total(cells: list[Cell]) -> Total:
    """A learner's total; marks the cells that drop out.

    Inside a group an item counts by `weight × its points`; groups count by their weights, the items outside groups as one that weighs 1.
    The lowest `drop_lowest` shares of a group are left out, of equal ones the later item.
    """
    by_group: dict[int, list[Cell]] = {}
    for cell in cells:
        if cell.state != "excused" and cell.item.weight > 0:
            by_group.setdefault(cell.item.group.pk if cell.item.group else 0, []).append(cell)
    out = Total()
    whole: list[tuple[float, float]] = []  # share and weight of each group
    begun: list[tuple[float, float]] = []
    for members in by_group.values():
        group = members[0].item.group
        drop = min(group.drop_lowest, len(members) - 1) if group else 0
        if drop:
            later_first = list(reversed(members))
            for cell in sorted(later_first, key=lambda item: item.share)[:drop]:
                cell.dropped = True
            members = [cell for cell in members if not cell.dropped]
        weight = group.weight if group else 1.0
        earned = most = weighed = possible = reached = 0.0
        for cell in members:
            points, factor = cell.points or 0.0, cell.item.weight
            earned, most = earned + points, most + cell.max_points
            weighed, possible = weighed + factor * points, possible + factor * cell.max_points
            if cell.points is not None:
                reached += factor * cell.max_points
        out.points, out.max_points = out.points + earned, out.max_points + most
        whole.append((weighed / possible if possible else 0.0, weight))
        if any(cell.points is not None for cell in members):
            begun.append((weighed / reached if reached else 0.0, weight))
    out.percent, out.so_far = _mean(whole), _mean(begun)
    return out


def _mean(parts: list[tuple[float, float]]) -> float | None:
    weight = sum(part[1] for part in parts)
    return 100 * sum(share * part for share, part in parts) / weight if weight else None
