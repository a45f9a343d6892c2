"""Who may open what of the desk: every address for every relation to the cohort."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.urls import get_resolver
from django.utils import translation

from lessons.dashboards import urls
from lessons.desk.models import Column
from lessons.models import Exercise, Membership, Quiz
from tests.lessons.conftest import People
from tests.lessons.test_access import status

READERS = ("owner", "instructor", "assistant", "observer")
OTHERS = ("learner", "other_learner", "foreign_instructor", "stranger")

#: Pages that all staff and observers read.
READ = [
    "",
    "items/",
    "items/quizzes/{quiz}/",
    "items/quizzes/{quiz}/table.csv",
    "items/exercises/{exercise}/",
    "gradebook/",
    "gradebook/grades.csv",
    "gradebook/grades.xlsx",
]
#: What only owners and instructors may do (POST).
MANAGE = ["gradebook/columns/", "gradebook/columns/{column}/remove/"]


@pytest.fixture
def observed(people: People) -> dict[str, Any]:
    """Everybody by name, an observer too."""
    observer = get_user_model().objects.create_user("observer", "observer@example.org", "a long password")
    Membership.objects.create(cohort=people.cohort, user=observer, role=Membership.Role.OBSERVER)
    return {"observer": observer, **{name: getattr(people, name) for name in (*READERS[:3], *OTHERS)}}


@pytest.fixture
def values(people: People, quiz: Quiz, exercise: Exercise) -> dict[str, Any]:
    """What the addresses need."""
    column = Column.objects.create(cohort=people.cohort, name="Talk", max_points=10)
    return {"quiz": quiz.pk, "exercise": exercise.pk, "column": column.pk, "learner": people.learner.pk}


def address(people: People, what: str, values: dict[str, Any]) -> str:
    return f"/en/cohorts/{people.cohort.pk}/" + what.format(**values)


@pytest.mark.parametrize("what", READ)
def test_reading(people: People, observed: dict[str, Any], values: dict[str, Any], what: str) -> None:
    path = address(people, what, values)
    for name in READERS:
        assert status(observed[name], "get", path) == 200, name
        assert status(observed[name], "get", path.replace("/en/", "/ko/")) == 200, name
    for name in OTHERS:
        assert status(observed[name], "get", path) == 404, name
    assert status(None, "get", path) == 401


@pytest.mark.parametrize("what", MANAGE)
def test_managing(people: People, observed: dict[str, Any], values: dict[str, Any], what: str) -> None:
    path = address(people, what, values)
    for name in ("assistant", "observer", *OTHERS):
        assert status(observed[name], "post", path) == 404, name
    assert status(None, "post", path) == 401
    assert status(observed["owner"], "get", path) == 405
    assert status(observed["instructor"], "post", path) in (200, 302, 422)


def test_every_address_of_the_desk_is_in_a_list_here() -> None:
    named = {pattern.name for pattern in urls.urlpatterns}
    listed = set()
    resolver = get_resolver()
    for what in (*READ, *MANAGE):
        path = "/en/cohorts/1/" + what.format(quiz=1, exercise=1, column=1, learner=1)
        with translation.override("en"):
            listed.add(resolver.resolve(path).url_name)
    assert named <= listed, named - listed


def test_of_another_course_or_cohort_nothing_is_found(people: People, values: dict[str, Any]) -> None:
    for what in (f"items/quizzes/{values['quiz'] + 99}/", f"items/exercises/{values['exercise'] + 99}/"):
        assert status(people.owner, "get", f"/en/cohorts/{people.cohort.pk}/{what}") == 404
    path = f"/en/cohorts/{people.foreign_cohort.pk}/gradebook/columns/{values['column']}/remove/"
    assert status(people.foreign_instructor, "post", path) == 404
    assert Column.objects.exists()
