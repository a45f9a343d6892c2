"""Answers about worlds from handing in to a regrade, on the real simulator, as a worker marks them."""

from __future__ import annotations

from typing import Any

import pytest

from lessons.grading import regrades
from lessons.grading.models import Grade
from lessons.models import Quiz
from lessons.quizzes import clusters, marking, services, tasks
from lessons.quizzes.models import Assignment, Produced, QuizAttempt, Response
from lessons.quizzes.types import Mark
from simulator import services as simulator
from simulator import trials
from tests.lessons.conftest import People
from tests.lessons.test_assessment import asked
from tests.lessons.test_taking import form

pytestmark = pytest.mark.postgres


def both(word: str) -> dict[str, str]:
    return {"ko": word, "en": word}


def replicas(number: int) -> list[dict[str, Any]]:
    look = {"resource": "deployments", "name": "web"}
    return [
        {
            "id": "r",
            "title": both("r"),
            "object": look,
            "expect": {"cel": f"value.spec.replicas == {number}"},
            "message": both("no"),
        }
    ]


def command(number: int) -> dict[str, Any]:
    solution = [f"kubectl create deployment web --image=nginx --replicas={number}"]
    checks = replicas(number)
    return {
        "id": "cmd",
        "type": "command",
        "text": both("t"),
        "points": 2,
        "scenario": "three-nodes",
        "checks": checks,
        "solution": solution,
    }


STATE = {
    "id": "state",
    "type": "state",
    "text": both("t"),
    "points": 3,
    "scenario": "three-nodes",
    "setup": ["kubectl create deployment web --image=nginx"],
    "checks": replicas(2),
    "solution": ["kubectl scale deployment web --replicas=2"],
}


@pytest.fixture
def given(people: People, quiz: Quiz) -> Assignment:
    return Assignment.objects.create(cohort=people.cohort, quiz=quiz)


def test_a_command_waits_is_marked_and_is_regraded_by_running_it_again(
    people: People, quiz: Quiz, given: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(quiz, given, command(2))
    attempt = services.start(people.learner, quiz)
    services.save(attempt, form(cmd="kubectl create deploy web --image nginx --replicas 3", cmd__seen=0))
    services.submit(attempt)
    assert marking.waiting(attempt) == {"world"}
    assert not Grade.objects.get().complete
    tasks.mark(attempt.pk)
    tasks.mark(attempt.pk)
    response = Response.objects.get()
    assert response.mark is not None
    assert (response.state, response.points) == ("marked", 0)
    assert response.mark["engine"] == trials.version()
    assert response.mark["verdicts"][0]["state"] == "failed"
    assert Grade.objects.get().complete
    # the author meant three
    version = asked(quiz, given, command(3))
    regrade = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="three were asked for")
    assert regrade.prepared_at is None  # a worker's part
    regrades.prepare(regrade)
    assert [(change["before"], change["after"]) for change in regrade.changes] == [(0, 2)]
    regrades.publish(regrade, by=people.owner)
    assert Grade.objects.get().points == 2
    # the mark names this question and this engine: nothing runs again unless everything is asked for
    same = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r")
    assert (same.prepared_at is None, same.changes, same.marked) == (False, [], 0)
    ran: list[str] = []

    def failing(item: Any) -> Any:
        ran.append(item.spec["id"])
        return Mark(0.0), {"engine": trials.version()}

    monkeypatch.setattr(marking, "run", failing)
    everything = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r", everything=True)
    assert everything.prepared_at is None
    regrades.prepare(everything)
    assert [(change["before"], change["after"]) for change in everything.changes] == [(2, 0)]
    assert (everything.marked, everything.replayed, ran) == (1, 1, ["cmd"])
    # another engine than the one that gave the mark is a reason, too
    monkeypatch.setattr(trials, "version", lambda: "another")
    assert regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r").prepared_at is None


def test_what_the_cluster_was_when_it_was_handed_in_is_what_counts(people: People, quiz: Quiz, given: Assignment) -> None:
    asked(quiz, given, STATE)
    attempt = services.start(people.learner, quiz)
    (item,) = services.asked(attempt)
    session = clusters.cluster(people.learner, attempt, item)
    assert clusters.cluster(people.learner, attempt, item) == session

    def type_line(text: str) -> None:
        simulator.append_input(session, kind="line", data={"terminal": "t", "text": text})

    simulator.append_input(session, kind="open", data={"terminal": "t", "host": "controlplane"})
    type_line("kubectl scale deployment web --replicas=2")
    # nobody can hand in another's cluster by its name
    forged = form(state="x", state__seen=0, state__session=str(session.pk), state__seq=1)
    services.save(attempt, forged)
    assert not Response.objects.exists()
    services.submit(attempt)
    type_line("kubectl scale deployment web --replicas=7")
    tasks.mark(attempt.pk)
    response = Response.objects.get()
    assert response.mark is not None
    assert (response.points, response.mark["world"]["session"]) == (3, str(session.pk))
    assert response.answer is not None
    assert response.answer["seq"] == response.mark["world"]["journal_seq"]


def test_a_cluster_that_was_never_opened_is_no_answer(people: People, quiz: Quiz, given: Assignment) -> None:
    asked(quiz, given, STATE)
    attempt = services.submit(services.start(people.learner, quiz))
    assert marking.waiting(attempt) == set()
    assert Response.objects.get().points == 0


def test_what_no_world_can_mark_goes_to_a_person(
    people: People, quiz: Quiz, given: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(quiz, given, command(2))
    attempt = services.start(people.learner, quiz)
    services.save(attempt, form(cmd="true", cmd__seen=0))
    services.submit(attempt)

    def away(_trial: Any) -> Any:
        raise trials.Unavailable("later")

    def broken(_trial: Any) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(trials, "run", away)
    tasks.mark(attempt.pk)
    assert marking.waiting(attempt) == {"world"}
    monkeypatch.setattr(trials, "run", broken)
    tasks.mark(attempt.pk)
    assert marking.waiting(attempt) == {"hand"}
    mark = Response.objects.get().mark
    assert mark is not None
    assert "a defect" in mark["error"]


def test_an_output_is_produced_once_and_kept_with_the_attempt(
    people: People, quiz: Quiz, given: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = {"id": "out", "type": "output", "text": both("t"), "scenario": "three-nodes", "as": "number"}
    spec |= {"show": ["kubectl get nodes"], "answer": {"run": "kubectl get nodes -o name | wc -l"}}
    asked(quiz, given, spec)
    attempt = services.start(people.learner, quiz, seed="same")
    assert Produced.objects.count() == 1
    services.save(attempt, form(out="3", out__seen=0))
    assert services.submit(attempt).points == 1
    services.start(people.other_learner, quiz, seed="same")
    assert Produced.objects.count() == 1

    def away(_trial: Any, **_more: Any) -> Any:
        raise simulator.EvaluationTimeout("no worker")

    Produced.objects.all().delete()
    monkeypatch.setattr(simulator, "trial", away)
    with pytest.raises(marking.NotProduced):
        services.start(people.learner, quiz)
    assert QuizAttempt.objects.filter(user=people.learner).count() == 1
