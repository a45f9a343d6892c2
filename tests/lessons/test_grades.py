"""What counts in a cohort: the sheet of grades, its rules and its sums, against figures worked out by hand."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.utils import timezone

from lessons.grading.models import Adjustment, Grade, GradeGroup, GradeItem
from lessons.grading.selectors import Cell, Item, grade_sheet, total
from lessons.grading.services import record_quiz
from lessons.models import Exercise, Quiz
from lessons.quizzes.models import Assignment, Extension, QuizAttempt
from tests.lessons.conftest import People

pytestmark = pytest.mark.postgres
NOW = datetime.datetime(2026, 3, 2, 12, tzinfo=datetime.UTC)
HOUR = datetime.timedelta(hours=1)


def handed_in(user: Any, quiz: Quiz, points: float, at: datetime.datetime, assignment: Assignment | None) -> QuizAttempt:
    number = QuizAttempt.objects.filter(user=user, quiz=quiz).count() + 1
    values = {"points": points, "max_points": 11.0, "started_at": at - HOUR, "submitted_at": at}
    return QuizAttempt.objects.create(user=user, quiz=quiz, version=quiz.version, number=number, assignment=assignment, **values)


@pytest.mark.parametrize(("rule", "points"), [("best", 9.9), ("first", 5.5), ("last", 7.7), ("average", 7.7)])
def test_which_attempt_counts(people: People, quiz: Quiz, rule: str, points: float) -> None:
    given = Assignment.objects.create(cohort=people.cohort, quiz=quiz, counts=rule)
    for index, earned in enumerate((5.5, 9.9, 7.7)):
        handed_in(people.learner, quiz, earned, NOW + index * HOUR, given)
    grade = record_quiz(people.learner, quiz, given)
    assert grade is not None
    assert grade.points == pytest.approx(points)
    assert len(grade.evidence["attempts"]) == (3 if rule == "average" else 1)
    cell = grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk)
    assert (cell.state, cell.points, cell.evidence["rule"]) == ("graded", grade.points, rule)


def test_late_work_loses_a_share_for_each_day_begun(people: People, quiz: Quiz) -> None:
    given = Assignment.objects.create(cohort=people.cohort, quiz=quiz, due_at=NOW, late="percent", late_percent=20, late_most=50)
    for hours, points in ((0, 10), (1, 8), (24, 8), (25, 6), (100, 5)):
        QuizAttempt.objects.all().delete()
        handed_in(people.learner, quiz, 10, NOW + hours * HOUR, given)
        grade = record_quiz(people.learner, quiz, given)
        assert grade is not None
        assert grade.points == points, hours
    Extension.objects.create(assignment=given, user=people.learner, due_at=NOW + 100 * HOUR, reason="ill")
    again = record_quiz(people.learner, quiz, given)
    assert again is not None
    assert again.points == 10


def test_a_quiz_given_to_a_cohort_counts_there_and_nowhere_else(people: People, quiz: Quiz) -> None:
    handed_in(people.learner, quiz, 11, NOW, None)
    record_quiz(people.learner, quiz)
    assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).points == 11
    given = Assignment.objects.create(cohort=people.cohort, quiz=quiz)
    assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).state == "none"
    handed_in(people.learner, quiz, 3, NOW, given)
    record_quiz(people.learner, quiz, given)
    assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).points == 3
    assert Grade.objects.filter(user=people.learner, quiz=quiz).count() == 2


def test_only_learners_have_rows(people: People) -> None:
    sheet = grade_sheet(people.cohort)
    assert [user.pk for user in sheet.users] == [people.learner.pk, people.other_learner.pk]
    with pytest.raises(KeyError):
        sheet.cell(people.owner.pk, "quiz", sheet.items[-1].pk)


def test_an_open_attempt_whose_time_is_over_is_submitted_by_reading(people: People, quiz: Quiz) -> None:
    given = Assignment.objects.create(cohort=people.cohort, quiz=quiz, minutes=10)
    begun = timezone.now() - HOUR
    attempt = QuizAttempt.objects.create(
        user=people.learner, quiz=quiz, version=quiz.version, number=1, assignment=given, started_at=begun
    )
    assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).points == 0
    attempt.refresh_from_db()
    assert (attempt.closed_by, attempt.submitted_at) == ("clock", begun + datetime.timedelta(minutes=10))


def test_excused_and_set_by_hand(people: People, quiz: Quiz, exercise: Exercise) -> None:
    handed_in(people.learner, quiz, 5.5, NOW, None)
    record_quiz(people.learner, quiz)
    before = grade_sheet(people.cohort).totals[people.learner.pk]
    assert before.percent == pytest.approx(100 * 5.5 / 21)
    assert before.so_far == pytest.approx(50)
    given = {"cohort": people.cohort, "user": people.learner, "reason": "r", "by": people.owner}
    Adjustment.objects.create(exercise=exercise, kind="excused", **given)
    assert grade_sheet(people.cohort).totals[people.learner.pk].percent == pytest.approx(50)
    Adjustment.objects.create(quiz=quiz, kind="override", points=8.25, **given)
    sheet = grade_sheet(people.cohort)
    assert sheet.totals[people.learner.pk].percent == pytest.approx(75)
    cell = sheet.cell(people.learner.pk, "quiz", quiz.pk)
    assert (cell.state, cell.points, cell.computed, cell.reason) == ("override", 8.25, 5.5, "r")


def test_the_sheet_reads_in_a_fixed_number_of_queries(people: People, quiz: Quiz, django_assert_max_num_queries: Any) -> None:
    Assignment.objects.create(cohort=people.cohort, quiz=quiz)
    with django_assert_max_num_queries(16):
        grade_sheet(people.cohort)


def made(rows: list[tuple[float | None, float, float, GradeGroup | None, str]]) -> list[Cell]:
    out = []
    for number, (points, most, weight, group, state) in enumerate(rows):
        item = Item("quiz", number, Quiz(), most, weight, group)
        out.append(Cell(item, 1, state, points, most))
    return out


def test_groups_weights_and_drops() -> None:
    quizzes, labs = GradeGroup(pk=1, name="q", weight=60, drop_lowest=1), GradeGroup(pk=2, name="l", weight=40)
    cells = made(
        [
            (8, 10, 1, quizzes, "graded"),
            (None, 10, 1, quizzes, "none"),  # the lowest: dropped
            (5, 10, 2, quizzes, "graded"),
            (9, 10, 1, labs, "graded"),
            (None, 10, 1, labs, "excused"),
            (1, 10, 0, labs, "graded"),  # weighs nothing
        ]
    )
    found = total(cells)
    # quizzes: (1·8 + 2·5) / (10 + 20) = 0.6; labs 0.9; 60·0.6 + 40·0.9 = 72
    assert found.percent == pytest.approx(72)
    assert [cell.dropped for cell in cells] == [False, True, False, False, False, False]
    assert (found.points, found.max_points) == (22, 30)


def test_of_equal_shares_the_later_item_is_dropped_and_never_all() -> None:
    group = GradeGroup(pk=1, name="q", weight=1, drop_lowest=5)
    cells = made([(5, 10, 1, group, "graded"), (5, 10, 1, group, "graded")])
    assert total(cells).percent == pytest.approx(50)
    assert [cell.dropped for cell in cells] == [False, True]


def test_nothing_that_counts_is_no_percentage() -> None:
    assert total(made([(None, 10, 1, None, "excused")])).percent is None
    assert total([]).percent is None


def test_weights_of_items_come_from_the_cohort(people: People, quiz: Quiz, exercise: Exercise) -> None:
    group = GradeGroup.objects.create(cohort=people.cohort, name="Quizzes", weight=3)
    GradeItem.objects.create(cohort=people.cohort, quiz=quiz, group=group, weight=2)
    found = {item.key: item for item in grade_sheet(people.cohort).items}
    assert (found["quiz", quiz.pk].group, found["quiz", quiz.pk].weight) == (group, 2)
    assert found["exercise", exercise.pk].group is None
