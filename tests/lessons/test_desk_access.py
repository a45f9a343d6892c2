"""Who may open what of the desk: every address for every relation to the cohort."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import get_resolver
from django.utils import translation

from lessons.dashboards import urls
from lessons.desk import live, replays
from lessons.desk.models import Announcement, Column, Message, RosterEntry, Signal
from lessons.labs import services as labs
from lessons.models import Enrollment, Exercise, Membership, Quiz
from simulator import services as simulator
from simulator.models import ClusterSession
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
    "learners/{learner}/",
    "learners/{learner}/sessions/{session}/replay/",
    "learners/{learner}/sessions/{session}/replay/data/",
    "learners/{learner}/sessions/{session}/replay/look/?at=0",
    "plan/",
    "plan/preview/?at=2030-01-01T10:00",
]
#: Pages of those who work with learners; observers have none.
HELP_READ = ["wall/", "learners/{learner}/sessions/{session}/watch/", "members/"]
HELP = [
    "signals/{signal}/clear/",
    "learners/{learner}/message/",
    "learners/{learner}/sessions/{session}/watch/ask/",
    "learners/{learner}/sessions/{session}/help/",
]
#: What only owners and instructors may do (POST).
MANAGE = [
    "gradebook/columns/",
    "gradebook/columns/{column}/remove/",
    "learners/{learner}/sessions/{session}/share/",
    "replays/{link}/close/",
    "plan/dates/",
    "plan/announcements/",
    "plan/announcements/{announcement}/remove/",
    "roster/",
    "roster/{entry}/remove/",
    "members/{member}/role/",
]
#: What only owners may.
OWN = ["learners/{learner}/delete/"]


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
    member = Membership.objects.get(cohort=cohort, user=learner)
    return {
        "quiz": quiz.pk,
        "exercise": exercise.pk,
        "column": Column.objects.create(cohort=cohort, name="Talk", max_points=10).pk,
        "learner": learner.pk,
        "session": session.pk,
        "signal": Signal.objects.create(user=learner, course=cohort.course, kind="help").pk,
        "link": replays.share(session, cohort=cohort, by=people.owner, days=7).pk,
        "announcement": Announcement.objects.create(cohort=cohort, text="Hello").pk,
        "entry": RosterEntry.objects.create(cohort=cohort, email="who@example.org", role="learner").pk,
        "member": member.pk,
    }


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
    assert status(observed["instructor"], "post", path, {"role": "learner", "days": "7"}) in (200, 302, 422)


@pytest.mark.parametrize("what", HELP_READ)
def test_working_with_learners(people: People, observed: dict[str, Any], values: dict[str, Any], what: str) -> None:
    path = address(people, what, values)
    for name in READERS[:3]:
        assert status(observed[name], "get", path) == 200, name
    for name in ("observer", *OTHERS):
        assert status(observed[name], "get", path) == 404, name
    assert status(None, "get", path) == 401


@pytest.mark.parametrize("what", HELP)
def test_helping(people: People, observed: dict[str, Any], values: dict[str, Any], what: str) -> None:
    path = address(people, what, values)
    for name in ("observer", *OTHERS):
        assert status(observed[name], "post", path) == 404, name
    assert status(None, "post", path) == 401
    assert status(observed["owner"], "get", path) == 405
    if "ask" in what:
        assert status(observed["assistant"], "post", path) == 404  # who does not watch asks for nothing
        assert status(observed["assistant"], "get", path.removesuffix("ask/")) == 200
    assert status(observed["assistant"], "post", path) == 302


@pytest.mark.parametrize("what", OWN)
def test_owning(people: People, observed: dict[str, Any], values: dict[str, Any], what: str) -> None:
    path = address(people, what, values)
    for name in ("instructor", "assistant", "observer", *OTHERS):
        assert status(observed[name], "post", path, {"name": "learner"}) == 404, name
    assert status(None, "post", path) == 401
    assert status(observed["owner"], "post", path) == 302
    assert Membership.objects.filter(cohort=people.cohort, user=people.learner).exists()


def test_a_learners_data_is_for_the_owner(people: People, observed: dict[str, Any], values: dict[str, Any]) -> None:
    path = address(people, "learners/{learner}/data.json", values)
    for name in ("instructor", "assistant", "observer", *OTHERS):
        assert status(observed[name], "get", path) == 404, name
    assert status(None, "get", path) == 401
    assert status(observed["owner"], "get", path) == 200


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


#: Addresses that the learner has; `own` asks for a log-in.
@pytest.mark.parametrize(
    ("path", "method", "inside", "outside"),
    [
        ("lessons/{lesson}/signal/", "post", 302, 404),
        ("courses/harbour-course/certificate/", "get", 200, 404),
        ("messages/{message}/read/", "post", 302, 404),
        ("watchings/{watching}/", "post", 204, 404),
        ("my-data/", "get", 200, 200),
        ("my-data/slipway-data.json", "get", 200, 200),
    ],
)
def test_the_learners_side(
    people: People, values: dict[str, Any], exercise: Exercise, path: str, method: str, inside: int, outside: int
) -> None:
    message = Message.objects.create(cohort=people.cohort, learner=people.learner, sender=people.owner, text="Hello")
    session = ClusterSession.objects.get(pk=values["session"])
    watching = live.watch(session, people.owner, people.cohort)
    Enrollment.objects.get_or_create(user=people.learner, course=people.cohort.course)
    where = "/en/" + path.format(lesson=exercise.lesson_id, message=message.pk, watching=watching.pk)
    assert status(None, method, where) == 401
    assert status(people.learner, method, where, {"kind": "help"}) == inside
    for user in (people.stranger, people.owner, people.foreign_instructor):
        assert status(user, method, where, {"kind": "help"}) == outside


def test_every_address_of_the_desk_is_in_a_list_here() -> None:
    named = {pattern.name for pattern in urls.urlpatterns}
    listed: set[str | None] = {"learner-data", "help-bench"}
    values = dict.fromkeys(("quiz", "exercise", "column", "learner", "signal", "link", "announcement", "entry", "member"), 1)
    values["session"] = "12345678-1234-5678-1234-567812345678"  # type: ignore[assignment]
    resolver = get_resolver()
    for what in (*READ, *MANAGE, *HELP_READ, *HELP, *OWN):
        path = "/en/cohorts/1/" + what.format(**values).partition("?")[0]
        with translation.override("en"):
            listed.add(resolver.resolve(path).url_name)
    assert named <= listed, named - listed


def test_of_another_course_or_cohort_nothing_is_found(people: People, values: dict[str, Any]) -> None:
    for what in (f"items/quizzes/{values['quiz'] + 99}/", f"items/exercises/{values['exercise'] + 99}/"):
        assert status(people.owner, "get", f"/en/cohorts/{people.cohort.pk}/{what}") == 404
    path = f"/en/cohorts/{people.foreign_cohort.pk}/gradebook/columns/{values['column']}/remove/"
    assert status(people.foreign_instructor, "post", path) == 404
    assert Column.objects.exists()
