"""What of the desk is whose, beyond the table of every address (`test_every_address.py`)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from lessons.desk.models import Column
from lessons.labs import services as labs
from lessons.models import Exercise, Membership, Quiz
from simulator import services as simulator
from simulator.models import ClusterSession
from tests.lessons.conftest import People
from tests.lessons.test_access import status

READERS = ("owner", "instructor", "assistant", "observer")
OTHERS = ("learner", "other_learner", "foreign_instructor", "stranger")


@pytest.fixture
def observed(people: People) -> dict[str, Any]:
    """Everybody by name, an observer too."""
    observer = get_user_model().objects.create_user("observer", "observer@example.org", "a long password")
    Membership.objects.create(cohort=people.cohort, user=observer, role=Membership.Role.OBSERVER)
    return {"observer": observer, **{name: getattr(people, name) for name in (*READERS[:3], *OTHERS)}}


@pytest.fixture
def values(people: People, quiz: Quiz, exercise: Exercise, standin: type) -> dict[str, Any]:
    """What the addresses need."""
    cohort, learner = people.cohort, people.learner
    session = labs.lesson_session(learner, exercise.lesson)
    simulator.append_input(session, kind="line", data={"terminal": "controlplane", "text": "ls"})
    simulator.settle(session)
    return {
        "quiz": quiz.pk,
        "exercise": exercise.pk,
        "column": Column.objects.create(cohort=cohort, name="Talk", max_points=10).pk,
        "learner": learner.pk,
        "session": session.pk,
    }


def address(people: People, what: str, values: dict[str, Any]) -> str:
    return f"/en/cohorts/{people.cohort.pk}/" + what.format(**values)


def test_a_copy_to_help_belongs_to_whoever_made_it(people: People, observed: dict[str, Any], values: dict[str, Any]) -> None:
    client = Client()
    client.force_login(people.assistant)
    where = client.post(address(people, "learners/{learner}/sessions/{session}/help/", values))["Location"]
    for name in ("owner", "instructor", "observer", *OTHERS):
        assert status(observed[name], "get", where) == 404, name
    assert status(people.assistant, "get", where) == 200
    assert status(None, "get", where) == 401
    copy = ClusterSession.objects.get(forked_from=values["session"])
    assert (copy.owner, ClusterSession.objects.get(pk=values["session"]).last_seq) == (people.assistant, 1)


def test_who_does_not_watch_asks_for_nothing(people: People, values: dict[str, Any]) -> None:
    watch = address(people, "learners/{learner}/sessions/{session}/watch/", values)
    assert status(people.assistant, "post", f"{watch}ask/") == 404
    assert status(people.assistant, "get", watch) == 200
    assert status(people.assistant, "post", f"{watch}ask/") == 302


def test_a_learner_is_not_deleted_without_their_name(people: People, values: dict[str, Any]) -> None:
    assert status(people.owner, "post", address(people, "learners/{learner}/delete/", values), {"name": "x"}) == 302
    assert Membership.objects.filter(cohort=people.cohort, user=people.learner).exists()


def test_sessions_of_others_are_not_found(people: People, observed: dict[str, Any], values: dict[str, Any]) -> None:
    """Another learner's number, staff's own clusters, and clusters outside the course do not open."""
    mine = simulator.session_for(people.owner, "three-nodes", "harbour-course/ships")
    sandbox = simulator.session_for(people.learner, "three-nodes", "elsewhere/x")
    pairs = [
        (people.other_learner.pk, values["session"]),
        (people.owner.pk, mine.pk),
        (people.learner.pk, mine.pk),
        (people.learner.pk, sandbox.pk),
    ]
    for user, session in pairs:
        for what in ("replay/", "replay/data/", "replay/look/?at=0", "watch/"):
            path = f"/en/cohorts/{people.cohort.pk}/learners/{user}/sessions/{session}/{what}"
            assert status(people.owner, "get", path) == 404, path


def test_of_another_course_or_cohort_nothing_is_found(people: People, values: dict[str, Any]) -> None:
    for what in (f"items/quizzes/{values['quiz'] + 99}/", f"items/exercises/{values['exercise'] + 99}/"):
        assert status(people.owner, "get", f"/en/cohorts/{people.cohort.pk}/{what}") == 404
    path = f"/en/cohorts/{people.foreign_cohort.pk}/gradebook/columns/{values['column']}/remove/"
    assert status(people.foreign_instructor, "post", path) == 404
    assert Column.objects.exists()
