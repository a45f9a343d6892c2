"""The dashboard is correct to the row: it equals a count that this test makes by itself, and each cell leads to its evidence."""

from __future__ import annotations

import datetime
import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from lessons.dashboards.selectors import Board, LearnerRow, board
from lessons.grading.models import Grade
from lessons.labs import services as labs
from lessons.models import Cohort, Exercise, Invite, Lesson, LessonProgress, Membership, Quiz
from lessons.quizzes import services as quizzes
from lessons.quizzes.models import Assignment
from tests.lessons.conftest import Cluster, People
from tests.lessons.test_learning import RIGHT, form_of

pytestmark = pytest.mark.postgres


@pytest.fixture
def owner(people: People) -> Client:
    found = Client()
    found.force_login(people.owner)
    return found


def sign_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]
    return client


def row(found: Board, user: object) -> LearnerRow:
    return next(item for item in found.rows if item.user == user)


def test_a_row_for_each_learner_and_none_for_staff(people: People) -> None:
    assert [item.user for item in board(people.cohort).rows] == [people.learner, people.other_learner]
    assert board(people.foreign_cohort).rows == []


def test_staff_who_try_things_out_do_not_count(people: People, exercise: Exercise, cluster: Cluster) -> None:
    cluster.passing = {"exists", "listed"}
    sign_in(people.owner).post(f"/en/exercises/{exercise.pk}/check/")
    found = board(people.cohort)
    assert sum(item.passes for item in found.rows) == 0
    assert not found.active


def test_progress_passes_and_grades_reach_the_right_row(
    people: People, ships: Lesson, exercise: Exercise, quiz: Quiz, cluster: Cluster
) -> None:
    one, other = sign_in(people.learner), sign_in(people.other_learner)
    one.post("/en/courses/harbour-course/harbour/ships/read/")
    one.post(f"/en/exercises/{exercise.pk}/hint/")
    one.post(f"/en/exercises/{exercise.pk}/hint/")
    cluster.passing = {"exists", "listed"}
    one.post(f"/en/exercises/{exercise.pk}/check/")
    other.get("/en/courses/harbour-course/harbour/hub/")
    attempt = quizzes.start(people.other_learner, quiz)
    other.post(f"/en/quiz-attempts/{attempt.pk}/save/", form_of(attempt, **RIGHT))
    other.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
    found = board(people.cohort)
    mine, theirs = row(found, people.learner), row(found, people.other_learner)
    assert (mine.read, mine.passes, mine.points) == (1, 1, 9)
    assert (theirs.read, theirs.passes, theirs.points) == (0, 0, 11)
    assert [cell.state.level for cell in mine.chapters[0].lessons] == [4, 0]
    assert [cell.state.level for cell in theirs.chapters[0].lessons] == [0, 1]
    assert mine.quizzes[0].grade is None
    assert theirs.quizzes[0].grade is not None
    assert found.most_points == 21


def test_a_cell_fills_with_the_checks(people: People, exercise: Exercise, cluster: Cluster) -> None:
    client = sign_in(people.learner)
    cluster.passing = {"exists"}
    client.post(f"/en/exercises/{exercise.pk}/check/")
    state = row(board(people.cohort), people.learner).chapters[0].lessons[0].state
    assert (state.checks_done, state.checks, state.passed, state.level) == (1, 2, 0, 1)
    client.post("/en/courses/harbour-course/harbour/ships/read/")
    assert row(board(people.cohort), people.learner).chapters[0].lessons[0].state.level == 3


def test_stuck_is_three_failed_checks_without_a_pass(people: People, exercise: Exercise, cluster: Cluster) -> None:
    client = sign_in(people.learner)
    for _ in range(2):
        client.post(f"/en/exercises/{exercise.pk}/check/")
    assert not board(people.cohort).stuck
    client.post(f"/en/exercises/{exercise.pk}/check/")
    (stuck,) = board(people.cohort).stuck
    assert (stuck.user, stuck.failed) == (people.learner, 3)
    cluster.passing = {"exists", "listed"}
    client.post(f"/en/exercises/{exercise.pk}/check/")
    assert not board(people.cohort).stuck


def test_active_is_who_was_here_in_the_last_minutes(people: People, cluster: Cluster) -> None:
    sign_in(people.learner).get("/en/courses/harbour-course/harbour/ships/")
    assert [(here.user, here.place) for here in board(people.cohort).active] == [(people.learner, "1.1")]
    later = timezone.now() + datetime.timedelta(minutes=10)
    assert board(people.cohort, now=later).active == []


def test_the_page_says_what_the_rows_say(
    owner: Client, people: People, ships: Lesson, exercise: Exercise, cluster: Cluster
) -> None:
    client = sign_in(people.learner)
    cluster.passing = {"exists", "listed"}
    client.post("/en/courses/harbour-course/harbour/ships/read/")
    client.post(f"/en/exercises/{exercise.pk}/check/")
    out = owner.get(f"/en/cohorts/{people.cohort.pk}/").content.decode()
    rows = re.findall(r'<tr data-learner="([^"]+)">(.*?)</tr>', out, re.DOTALL)
    assert [name for name, _ in rows] == ["learner", "other_learner"]
    cells = re.findall(r'data-l="(\d)" data-lesson="(\w+)"', rows[0][1])
    assert cells == [("4", "ships"), ("0", "hub")]
    assert "learner, 1.1: read, 1 of 1 exercise passed" in rows[0][1]
    assert re.findall(r'<td class="tot">([^<]+)</td>', rows[0][1]) == ["1", "10"]
    assert re.findall(r'<td class="tot">([^<]+)</td>', rows[1][1]) == ["0", "0"]


def test_the_number_of_queries_does_not_grow_with_learners(
    people: People, exercise: Exercise, quiz: Quiz, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        user = get_user_model().objects.create_user(f"many-{number}")
        Membership.objects.create(cohort=people.cohort, user=user, role=Membership.Role.LEARNER)
        attempt = labs.current_attempt(user, exercise)
        attempt.runs.create(verdicts=[], passed=1, total=2)
        quizzes.submit(quizzes.start(user, quiz))
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert len(board(people.cohort).rows) == 32


def test_the_parts_bell_brings_one_row_and_leaves_the_others(owner: Client, people: People) -> None:
    path = f"/en/cohorts/{people.cohort.pk}/"
    sign_in(people.learner).post("/en/courses/harbour-course/harbour/ships/read/")
    out = owner.get(path, headers={"X-Part": "board", "X-Changed": f"{people.learner.pk},x"}).content.decode()
    rows = re.findall(r'<tr data-learner="([^"]+)"( data-kept)?>(.*?)</tr>', out, re.DOTALL)
    assert [(name, bool(kept)) for name, kept, _cells in rows] == [("learner", False), ("other_learner", True)]
    assert "data-l=" in rows[0][2]
    assert rows[1][2] == ""


def test_grades_of_another_cohort_do_not_count_here(people: People, quiz: Quiz) -> None:
    given = [Assignment.objects.create(cohort=cohort, quiz=quiz) for cohort in (people.cohort, people.foreign_cohort)]
    for assignment, points in zip(given, (3.0, 8.0), strict=True):
        Grade.objects.create(
            user=people.learner,
            course=people.cohort.course,
            quiz=quiz,
            assignment=assignment,
            points=points,
            max_points=11,
            evidence={},
        )
    found = row(board(people.cohort), people.learner)
    assert (found.points, found.quizzes[0].grade and found.quizzes[0].grade.points) == (3, 3)


class TestEvidence:
    def test_of_an_exercise(self, owner: Client, people: People, ships: Lesson, exercise: Exercise, cluster: Cluster) -> None:
        client = sign_in(people.learner)
        client.post(f"/en/exercises/{exercise.pk}/check/")
        cluster.passing = {"exists", "listed"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        out = owner.get(f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/lessons/{ships.pk}/").content.decode()
        for part in (
            "2 of 2 checks",
            "0 of 2 checks",
            "There is no namespace called dock.",
            "digest abc",
            "journal_seq 3",
            "this run is the graded one",
        ):
            assert part in out, part

    def test_of_a_lesson_that_was_not_opened(self, owner: Client, people: People, ships: Lesson) -> None:
        out = owner.get(f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/lessons/{ships.pk}/").content.decode()
        assert "Not opened yet." in out
        assert "The checks were never run." in out
        assert not LessonProgress.objects.exists()

    def test_of_a_quiz(self, owner: Client, people: People, quiz: Quiz) -> None:
        client = sign_in(people.learner)
        attempt = quizzes.start(people.learner, quiz)
        client.post(f"/en/quiz-attempts/{attempt.pk}/save/", form_of(attempt, tool="etcdcli", port="2379"))
        path = f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/quizzes/{quiz.pk}/"
        assert "Begun, not submitted." in owner.get(path).content.decode()
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        out = owner.get(path).content.decode()
        assert "Grade: 1 of 11 points, from attempt 1." in out
        assert "etcdcli" in out

    def test_an_answer_cannot_bring_a_script(self, owner: Client, people: People, quiz: Quiz) -> None:
        attempt = quizzes.start(people.learner, quiz)
        client = sign_in(people.learner)
        client.post(f"/en/quiz-attempts/{attempt.pk}/save/", form_of(attempt, tool="<img src=x onerror=alert(1)>"))
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        out = owner.get(f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/quizzes/{quiz.pk}/").content.decode()
        assert "<img src=x" not in out
        assert "&lt;img src=x" in out


class TestCohort:
    def test_whoever_makes_one_owns_it_and_has_a_link(self, people: People) -> None:
        client = sign_in(people.stranger)
        course = people.cohort.course
        response = client.post("/en/cohorts/new/", {"name": "spring", "course": course.pk})
        cohort = Cohort.objects.get(name="spring")
        assert response["Location"] == f"/en/cohorts/{cohort.pk}/members/"
        assert cohort.memberships.get().role == Membership.Role.OWNER
        invite = Invite.objects.get(cohort=cohort)
        assert f'value="http://testserver/join/{invite.token}/"' in client.get(response["Location"]).content.decode()

    @pytest.mark.parametrize("language", ["ko", "en"])
    def test_the_link_opens_in_the_language_of_who_follows_it(self, people: People, language: str) -> None:
        response = Client().get(f"/join/{people.invite.token}/", headers={"Accept-Language": language})
        assert response["Location"] == f"/{language}/join/{people.invite.token}/"

    def test_a_wrong_form_says_what_is_missing(self, people: People) -> None:
        response = sign_in(people.stranger).post("/ko/cohorts/new/", {"name": "", "course": "9999"})
        assert response.status_code == 422
        assert Cohort.objects.count() == 2
