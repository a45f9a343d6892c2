"""A quiz that a cohort's instructors write themselves: made, given, taken, counted; and seen by nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse

from lessons.assessment import templates
from lessons.assessment.editing import draft
from lessons.assessment.views import text_of
from lessons.dashboards.selectors import board
from lessons.desk.analysis import analyse
from lessons.desk.gradebook import book
from lessons.grading.selectors import grade_sheet
from lessons.loading.publish import publish
from lessons.loading.reader import read_course
from lessons.models import Chapter, Course, Question, Quiz
from lessons.quizzes import services
from lessons.quizzes.models import Assignment
from simulator.local import in_this_process
from tests.lessons.conftest import SAMPLE, People
from tests.lessons.test_access import status
from tests.lessons.test_dashboards import row, sign_in

pytestmark = pytest.mark.postgres
QUESTION = """id: port
type: numeric
points: 2
text: {ko: "포트는?", en: "Which port?"}
answer: 6443
"""


@pytest.fixture
def own(people: People) -> Quiz:
    """A quiz with one question."""
    owner = sign_in(people.owner)
    chapter = Chapter.objects.get()
    there = f"/en/cohorts/{people.cohort.pk}/assignments/"
    made = owner.post(f"{there}new/", {"title_en": "Week one", "chapter": chapter.pk, "minutes": "10"})
    quiz = Quiz.objects.get(cohort=people.cohort)
    assert made["Location"] == f"{there}{quiz.pk}/questions/"
    assert "No question yet" in owner.get(made["Location"]).content.decode()
    assert "no question yet" in owner.get(there).content.decode()
    with pytest.raises(services.NotNow):
        services.start(people.learner, quiz)
    saved = owner.post(f"{there}{quiz.pk}/questions/new-question/", {"source": QUESTION, "do": "save"})
    assert saved.status_code == 302, saved.content.decode()[-3000:]
    quiz.refresh_from_db()
    return quiz


def test_it_is_taken_and_counts_like_the_others(people: People, own: Quiz) -> None:
    learner = sign_in(people.learner)
    assert own.get_absolute_url() in learner.get(people.cohort.course.get_absolute_url()).content.decode()
    assert own.get_absolute_url() in learner.get(f"/en/cohorts/{people.cohort.pk}/my-grades/").content.decode()
    assert "Which port" not in learner.get(own.get_absolute_url()).content.decode()
    went = learner.post(own.get_absolute_url() + "start/", {"assignment": Assignment.objects.get().pk})
    assert "Which port?" in learner.get(went["Location"]).content.decode()
    learner.post(went["Location"] + "save/", {"q.port": "6443", "q.port.seen": "0"})
    learner.post(went["Location"] + "submit/")
    assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", own.pk).points == 2
    found = board(people.cohort)
    assert [cell.label for cell in row(found, people.learner).quizzes] == ["1.Q", "1.Q2"]
    assert (row(found, people.learner).points, found.most_points) == (2, 23)
    assert [head.label for head in book(people.cohort).heads] == ["1.1/1", "1.Q", "1.Q2"]
    out = sign_in(people.owner).get(f"/en/cohorts/{people.cohort.pk}/items/quizzes/{own.pk}/")
    assert "Which port?" in out.content.decode()
    page = sign_in(people.owner).get(f"/en/cohorts/{people.cohort.pk}/").content.decode()
    assert page.count('data-quiz="harbour"') == page.count(f'data-quiz="{own.slug}"') == 2
    # a question that is mended is shown as mended
    mended = QUESTION.replace("6443", "2379")
    sign_in(people.owner).post(
        f"/en/cohorts/{people.cohort.pk}/assignments/{own.pk}/questions/port/", {"source": mended, "do": "save"}
    )
    own.refresh_from_db()
    assert own.data["questions"][0]["answer"] == 2379
    assert Question.objects.get(quiz=own).data["answer"] == 2379
    assert analyse(own, cohort=people.cohort).people == 1


def test_nobody_else_sees_it(people: People, own: Quiz, course: Course) -> None:
    for user in (people.owner, people.foreign_instructor, people.stranger):
        assert status(user, "get", own.get_absolute_url()) == 404
        assert status(user, "post", own.get_absolute_url() + "start/") == 404
    assert status(None, "get", own.get_absolute_url()) == 401
    for what in ("assignments/{}/", "items/quizzes/{}/", "assignments/{}/questions/"):
        path = f"/en/cohorts/{people.foreign_cohort.pk}/" + what.format(own.pk)
        assert status(people.foreign_instructor, "get", path) == 404
    assert own.pk not in [item.pk for item in grade_sheet(people.foreign_cohort).items if item.kind == "quiz"]
    # the course is what it was, also after a load
    publish(read_course(SAMPLE))
    assert Quiz.objects.get(chapter__course=course, active=True).cohort_id is None
    assert status(people.learner, "get", reverse("lessons:quiz", args=["harbour-course", "harbour"])) == 200
    assert services.start(people.learner, own).quiz == own


def test_only_one_that_nobody_has_begun_goes_away(people: People, own: Quiz) -> None:
    path = f"/en/cohorts/{people.cohort.pk}/assignments/{own.pk}/remove/"
    assert status(people.foreign_instructor, "post", path) == 404
    assert status(people.assistant, "post", path) == 404
    services.start(people.learner, own)
    assert status(people.owner, "post", path) == 302
    assert Quiz.objects.filter(pk=own.pk).exists()
    own.attempts.all().delete()
    assert status(people.owner, "post", path) == 302
    assert not Quiz.objects.filter(pk=own.pk).exists()


def test_a_form_without_a_title_says_so(people: People) -> None:
    out = sign_in(people.owner).post(f"/ko/cohorts/{people.cohort.pk}/assignments/new/", {"title_ko": "", "minutes": "0"})
    assert out.status_code == 422
    assert not Quiz.objects.filter(cohort=people.cohort).exists()


@pytest.mark.parametrize("kind", [*templates.kinds(), "nonsense"])
def test_what_the_editor_begins_with_is_right(people: People, quiz: Quiz, kind: str) -> None:
    made: Any = draft(people.cohort, quiz, templates.of(kind), "new-question")
    assert made.problems == []
    assert made.shown is not None


def test_a_question_is_played_before_it_is_saved(people: People, own: Quiz) -> None:
    """In the page's language: what passes and should not, and what does not and should."""
    there = f"/en/cohorts/{people.cohort.pk}/assignments/{own.pk}/questions/new-question/"
    source = templates.of("command")
    with in_this_process():
        right = sign_in(people.owner).post(there, {"source": source, "do": "play"})
        assert "The solution passes; doing nothing and the wrong answers do not." in right.content.decode()
        broken = source.replace("web --replicas=2", "web --replicas=3").replace("solution: [kubectl", "solution: [kubect")
        said = sign_in(people.owner).post(there.replace("/en/", "/ko/"), {"source": broken, "do": "play"}).content.decode()
    assert "풀이 <code>kubect scale deployment web --replicas=3</code>이(가) 통과하지 못합니다" in said
    assert "<code>kubectl scale deployment web --replicas=3</code>은(는) 통과하면 안 되는데 통과합니다" in said
    assert [spec["id"] for spec in text_of(people.cohort, own).data["questions"]] == ["port"]
