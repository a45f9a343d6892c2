"""A loaded sample course, people in every relation to it, and a cluster whose checks answer what a test says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.utils import translation

from lessons.loading.publish import publish
from lessons.loading.reader import read_course
from lessons.models import Cohort, Course, Exercise, Invite, Lesson, Membership, Quiz

SAMPLE = Path(__file__).parent / "sample" / "harbour-course"


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    """A page that was asked for in one language leaves it active in its thread: the next test begins with the site's own."""
    yield
    translation.deactivate()


@pytest.fixture
def course(db: None) -> Course:
    """The sample course, put up."""
    return publish(read_course(SAMPLE)).course


@pytest.fixture
def ships(course: Course) -> Lesson:
    """The lesson with everything in it."""
    return Lesson.objects.get(slug="ships")


@pytest.fixture
def exercise(course: Course) -> Exercise:
    """The only exercise."""
    return Exercise.objects.get(slug="make-a-namespace")


@pytest.fixture
def quiz(course: Course) -> Quiz:
    """The only quiz."""
    return Quiz.objects.get()


@dataclass
class People:
    """Everybody whom a view may meet."""

    owner: Any
    instructor: Any
    assistant: Any
    learner: Any
    other_learner: Any
    foreign_instructor: Any
    stranger: Any
    cohort: Cohort
    foreign_cohort: Cohort
    invite: Invite


@pytest.fixture
def people(course: Course) -> People:
    """Two cohorts of one course with their staff and learners, and a stranger."""
    create = get_user_model().objects.create_user
    names = ("owner", "instructor", "assistant", "learner", "other_learner", "foreign_instructor", "stranger")
    users = {name: create(name, f"{name}@example.org", "a long password") for name in names}
    cohort, foreign = Cohort.objects.create(course=course, name="autumn"), Cohort.objects.create(course=course, name="winter")
    role = Membership.Role
    rows = [("owner", role.OWNER), ("instructor", role.INSTRUCTOR), ("assistant", role.ASSISTANT)]
    rows += [("learner", role.LEARNER), ("other_learner", role.LEARNER)]
    for name, what in rows:
        Membership.objects.create(cohort=cohort, user=users[name], role=what)
    Membership.objects.create(cohort=foreign, user=users["foreign_instructor"], role=role.INSTRUCTOR)
    invite = Invite.objects.create(cohort=cohort, created_by=users["owner"])
    return People(**users, cohort=cohort, foreign_cohort=foreign, invite=invite)


@dataclass
class Cluster:
    """What the cluster will answer to checks: the ids that pass, or an exception."""

    passing: set[str] = field(default_factory=set)
    error: Exception | None = None
    asked: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)

    def evaluate(self, session: Any, program: dict[str, Any], *, timeout: float = 20.0) -> dict[str, Any]:
        """Stands in for `simulator.services.evaluate` at its contract (docs/protocol.md)."""
        self.asked.append((session, program))
        if self.error:
            raise self.error
        verdicts: list[dict[str, Any]] = []
        passed: set[str] = set()
        for check in program["checks"]:
            if not set(check.get("needs", [])) <= passed:
                verdicts.append({"id": check["id"], "state": "waiting"})
            elif check["id"] in self.passing:
                passed.add(check["id"])
                verdicts.append({"id": check["id"], "state": "passed"})
            else:
                event = {"seq": 7, "at": 5, "actor": "kubectl", "action": "api.request", "ref": "namespaces/dock"}
                found = {"id": check["id"], "state": "failed", "expected": "the object", "found": "null <b>"}
                verdicts.append({**found, "message": check["message"], "evidence": [event]})
        evidence = {"session": str(session.pk), "journal_seq": 3, "now": 10**9, "digest": "abc", "engine": "1"}
        return {"verdicts": verdicts, "evidence": evidence}


@pytest.fixture
def cluster(standin: type, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """A cluster for every learner, on the stand-in simulator, with answers that the test decides."""
    found = Cluster()
    monkeypatch.setattr("simulator.services.evaluate", found.evaluate)
    return found
