"""Who may open what: every page for the owner, staff of the cohort, staff of another cohort, a stranger and nobody."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from lessons.labs.models import ExerciseAttempt
from lessons.models import Exercise, Invite, Lesson, LessonProgress, Membership, Question, Quiz
from lessons.quizzes import services as quizzes
from lessons.quizzes.models import QuizAttempt
from tests.lessons.conftest import Cluster, People

STAFF = ("owner", "instructor", "assistant")
OTHERS = ("learner", "other_learner", "foreign_instructor", "stranger")


def status(user: Any, method: str, path: str, data: dict[str, Any] | None = None) -> int:
    client = Client()
    if user is not None:
        client.force_login(user)
    response = getattr(client, method)(path, data or {})
    if response.status_code == 302 and "/accounts/login/" in response["Location"]:
        return 401
    return int(response.status_code)


def test_public_pages(people: People, ships: Lesson) -> None:
    for path in (
        "/en/",
        "/ko/courses/harbour-course/",
        "/en/courses/harbour-course/harbour/quiz/",
        "/ko/courses/harbour-course/harbour/ships/",
        "/en/courses/harbour-course/harbour/figures/hub.svg",
        f"/en/join/{people.invite.token}/",
    ):
        assert status(None, "get", path) == 200, path


@pytest.mark.parametrize("path", ["/en/progress/", "/ko/cohorts/"])
def test_own_pages_need_a_log_in(people: People, path: str) -> None:
    assert status(None, "get", path) == 401
    assert status(people.stranger, "get", path) == 200


@pytest.mark.parametrize(
    "what", ["", "members/", "learners/{learner}/", "learners/{learner}/lessons/{lesson}/", "learners/{learner}/quizzes/{quiz}/"]
)
def test_a_cohorts_pages_are_for_its_staff(people: People, ships: Lesson, quiz: Quiz, what: str) -> None:
    path = f"/en/cohorts/{people.cohort.pk}/" + what.format(learner=people.learner.pk, lesson=ships.pk, quiz=quiz.pk)
    for name in STAFF:
        assert status(getattr(people, name), "get", path) == 200, name
    for name in OTHERS:
        assert status(getattr(people, name), "get", path) == 404, name
    assert status(None, "get", path) == 401


def test_evidence_of_somebody_who_is_no_learner_here_is_not_there(people: People, ships: Lesson) -> None:
    for user in (people.stranger, people.instructor, people.foreign_instructor):
        path = f"/en/cohorts/{people.cohort.pk}/learners/{user.pk}/lessons/{ships.pk}/"
        assert status(people.owner, "get", path) == 404


def test_evidence_of_another_course_is_not_there(people: People, ships: Lesson) -> None:
    path = f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/lessons/{ships.pk + 1000}/"
    assert status(people.owner, "get", path) == 404


def test_only_managers_make_and_close_links(people: People) -> None:
    make = f"/en/cohorts/{people.cohort.pk}/invites/"
    close = f"{make}{people.invite.pk}/revoke/"
    for path in (make, close):
        for name in ("assistant", *OTHERS):
            assert status(getattr(people, name), "post", path) == 404, name
        assert status(None, "post", path) == 401
        assert status(people.owner, "get", path) == 405
    assert Invite.objects.filter(revoked_at=None).count() == 1
    assert status(people.instructor, "post", make, {"role": "assistant"}) == 302
    assert status(people.owner, "post", make, {"role": "owner"}) == 404
    assert status(people.owner, "post", close) == 302
    assert Invite.objects.filter(revoked_at=None).values_list("role", flat=True).get() == "assistant"


def test_a_link_of_another_cohort_cannot_be_closed_from_here(people: People) -> None:
    path = f"/en/cohorts/{people.foreign_cohort.pk}/invites/{people.invite.pk}/revoke/"
    assert status(people.foreign_instructor, "post", path) == 404
    people.invite.refresh_from_db()
    assert people.invite.revoked_at is None


def test_an_attempt_belongs_to_its_learner(people: People, quiz: Quiz) -> None:
    attempt = quizzes.start(people.learner, quiz)
    for name in ("", "save/", "submit/", "result/"):
        path = f"/en/quiz-attempts/{attempt.pk}/{name}"
        method = "post" if name == "save/" else "get"
        for user in (people.owner, people.instructor, people.foreign_instructor, people.other_learner, people.stranger):
            assert status(user, method, path) == 404, (name, user)
        assert status(None, method, path) == 401
        assert status(people.learner, method, path) in (200, 302)
    for user in (people.owner, people.stranger):
        assert status(user, "post", f"/en/quiz-attempts/{attempt.pk}/submit/") == 404
    attempt.refresh_from_db()
    assert attempt.submitted_at is None


@pytest.mark.parametrize("action", ["check", "hint", "solution", "cluster"])
def test_exercises_need_a_log_in_and_touch_only_ones_own(
    people: People, exercise: Exercise, cluster: Cluster, action: str
) -> None:
    path = f"/en/exercises/{exercise.pk}/{action}/"
    assert status(None, "post", path) == 401
    assert status(people.learner, "get", path) == 405
    for user in (people.learner, people.owner, people.instructor, people.foreign_instructor, people.stranger):
        assert status(user, "post", path) == 302
    owners = {attempt.user_id for attempt in ExerciseAttempt.objects.all()}
    expected = {user.pk for user in (people.learner, people.owner, people.instructor, people.foreign_instructor, people.stranger)}
    assert owners == (set() if action == "cluster" else expected)
    assert {session.owner_id for session, _program in cluster.asked} == (expected if action == "check" else set())


def test_marking_a_lesson_as_read(people: People, ships: Lesson) -> None:
    path = "/en/courses/harbour-course/harbour/ships/read/"
    assert status(None, "post", path) == 401
    assert not LessonProgress.objects.exists()
    assert status(people.learner, "post", path) == 302
    assert set(LessonProgress.objects.values_list("user_id", flat=True)) == {people.learner.pk}


def test_anybody_may_answer_in_passing_and_only_accounts_keep_it(people: People, course: Any) -> None:
    question = Question.objects.get(slug="who-binds")
    lesson = Lesson.objects.get(slug="ships")
    path = f"/en/questions/{question.pk}/answer/"
    assert status(None, "post", path, {"q.who-binds": "1", "lesson": lesson.pk}) == 302
    assert question.inline_answers.count() == 0
    assert status(people.learner, "post", path, {"q.who-binds": "1", "lesson": lesson.pk}) == 302
    assert question.inline_answers.get().user == people.learner


def test_a_quiz_question_cannot_be_answered_in_passing(people: People, quiz: Quiz) -> None:
    question = Question.objects.filter(quiz=quiz).first()
    assert question is not None
    assert status(people.learner, "post", f"/en/questions/{question.pk}/answer/", {"q.store": "0"}) == 404


def test_what_was_taken_down_is_not_there(people: People, ships: Lesson, exercise: Exercise, quiz: Quiz) -> None:
    for row in (ships, exercise, quiz):
        type(row).objects.filter(pk=row.pk).update(active=False)
    for method, path in (
        ("get", "/en/courses/harbour-course/harbour/ships/"),
        ("post", "/en/courses/harbour-course/harbour/ships/read/"),
        ("post", f"/en/exercises/{exercise.pk}/check/"),
        ("get", "/en/courses/harbour-course/harbour/quiz/"),
        ("post", "/en/courses/harbour-course/harbour/quiz/start/"),
    ):
        assert status(people.learner, method, path) == 404, path
    assert not QuizAttempt.objects.exists()


class TestJoin:
    def test_joining_makes_a_learner_once(self, people: People) -> None:
        path = people.invite.get_absolute_url()
        for _ in range(2):
            assert status(people.stranger, "post", path) == 302
        row = Membership.objects.get(user=people.stranger)
        assert (row.cohort, row.role) == (people.cohort, Membership.Role.LEARNER)

    def test_looking_at_a_link_joins_nothing(self, people: People) -> None:
        assert status(people.stranger, "get", people.invite.get_absolute_url()) == 200
        assert not Membership.objects.filter(user=people.stranger).exists()

    def test_nobody_is_sent_to_log_in_and_back(self, people: People) -> None:
        response = Client().post(people.invite.get_absolute_url())
        assert response["Location"].endswith(f"?next={people.invite.get_absolute_url()}")

    def test_staff_keep_their_role(self, people: People) -> None:
        assert status(people.owner, "post", people.invite.get_absolute_url()) == 302
        assert Membership.objects.get(user=people.owner).role == Membership.Role.OWNER

    def test_a_closed_or_unknown_link_lets_nobody_in(self, people: People) -> None:
        path = people.invite.get_absolute_url()
        status(people.owner, "post", f"/en/cohorts/{people.cohort.pk}/invites/{people.invite.pk}/revoke/")
        assert status(people.stranger, "post", path) == 410
        assert status(people.stranger, "post", "/en/join/nonsense/") == 404
        assert not Membership.objects.filter(user=people.stranger).exists()
