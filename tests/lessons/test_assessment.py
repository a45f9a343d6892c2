"""The instructor's side: who may what, terms, marking by hand, a wrong key mended and regraded, questions in the browser."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from lessons.grading import adjusting, regrades
from lessons.grading.models import Adjustment, Grade, GradeEvent, GradeGroup, Regrade
from lessons.grading.selectors import grade_sheet
from lessons.models import Membership, Question, Quiz, Version
from lessons.quizzes import marking, services
from lessons.quizzes.models import Assignment, Extension, QuizAttempt, Response
from tests.lessons.conftest import People
from tests.lessons.test_access import status
from tests.lessons.test_taking import form

HANGUL = re.compile("[가-힣]")

pytestmark = pytest.mark.postgres

STAFF = ("owner", "instructor", "assistant")
MANAGERS = ("owner", "instructor")
OTHERS = ("learner", "other_learner", "foreign_instructor", "stranger")


@pytest.fixture
def given(people: People, quiz: Quiz) -> Assignment:
    return Assignment.objects.create(cohort=people.cohort, quiz=quiz)


def signed_in(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


class Paths:
    def __init__(self, people: People, quiz: Quiz) -> None:
        self.cohort = f"/en/cohorts/{people.cohort.pk}/"
        self.quiz = f"{self.cohort}assignments/{quiz.pk}/"


@pytest.fixture
def at(people: People, quiz: Quiz) -> Paths:
    return Paths(people, quiz)


class TestAccess:
    @pytest.fixture
    def path(self, people: People, quiz: Quiz, given: Assignment) -> Any:
        regrade = Regrade.objects.create(cohort=people.cohort, quiz=quiz, version=quiz.version, reason="r", by=people.owner)
        group = GradeGroup.objects.create(cohort=people.cohort, name="g")
        names = {"quiz": quiz.pk, "learner": people.learner.pk, "regrade": regrade.pk, "group": group.pk}
        return lambda what, cohort=people.cohort: f"/en/cohorts/{cohort.pk}/" + what.format(**names)

    def test_a_regrade_of_another_cohort_is_not_there(self, people: People, path: Any) -> None:
        regrade = "assignments/{quiz}/regrades/{regrade}/"
        assert status(people.foreign_instructor, "get", path(regrade, people.foreign_cohort)) == 404
        assert status(people.foreign_instructor, "post", path(regrade + "publish/", people.foreign_cohort)) == 404

    def test_time_and_cluster_of_an_attempt_are_its_learners(self, people: People, quiz: Quiz) -> None:
        attempt = services.start(people.learner, quiz)
        for name in ("time/", "world/port/"):
            for user in (people.owner, people.other_learner, people.stranger):
                assert status(user, "get", f"/en/quiz-attempts/{attempt.pk}/{name}") == 404
            assert status(None, "get", f"/en/quiz-attempts/{attempt.pk}/{name}") == 401
        assert status(people.learner, "get", f"/en/quiz-attempts/{attempt.pk}/world/port/") == 404


class TestTermsForm:
    def test_giving_out_and_changing(self, people: People, quiz: Quiz, at: Paths) -> None:
        client = signed_in(people.instructor)
        body: dict[str, Any] = {"due_at": "2026-03-02T12:00", "closes_at": "2026-03-05T12:00", "minutes": "45", "counts": "last"}
        body |= {"late": "percent", "late_percent": "20", "late_most": "60", "review_closed": ["points", "key"]}
        assert client.post(at.quiz, body).status_code == 302
        found = Assignment.objects.get()
        assert (found.minutes, found.counts, found.late_percent) == (45, "last", 20)
        assert found.review == {"submitted": [], "due": [], "closed": ["points", "key"]}
        assert found.created_by == people.instructor
        assert client.post(at.quiz, {**body, "minutes": "50"}).status_code == 302
        assert Assignment.objects.get().minutes == 50

    @pytest.mark.parametrize(
        "change",
        [{"closes_at": "2026-03-01T12:00"}, {"minutes": "0"}, {"late_percent": "101"}, {"counts": "luck"}, {"due_at": "x"}],
    )
    def test_what_makes_no_sense_is_said_at_its_field(self, people: People, at: Paths, change: dict[str, str]) -> None:
        body = {"due_at": "2026-03-02T12:00", "counts": "best", "late": "accept", "late_percent": "10", "late_most": "100"}
        response = signed_in(people.owner).post(at.quiz, {**body, **change})
        assert response.status_code == 422
        assert list(response.context["form"].errors) == list(change)
        assert not Assignment.objects.exists()

    def test_a_changed_rule_counts_grades_anew(self, people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
        for port in ("2379", "0"):
            attempt = services.start(people.learner, quiz)
            services.save(attempt, form(port=port, port__seen=0))
            services.submit(attempt)
        assert Grade.objects.get().points == 1
        body = {"counts": "last", "late": "accept", "late_percent": "10", "late_most": "100"}
        signed_in(people.owner).post(at.quiz, body)
        assert Grade.objects.get().points == 0

    def test_granting(self, people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
        path = f"{at.quiz}learners/{people.learner.pk}/"
        client = signed_in(people.owner)
        assert client.post(path, {"extra_minutes": "15", "extra_attempts": "1"}).status_code == 422  # no reason
        assert client.post(path, {"extra_minutes": "15", "extra_attempts": "1", "reason": "dyslexia"}).status_code == 302
        found = Extension.objects.get()
        assert (found.user, found.extra_minutes, found.by) == (people.learner, 15, people.owner)
        event = GradeEvent.objects.get()
        assert (event.kind, event.after["extra_minutes"], event.reason) == ("extension", 15, "dyslexia")


class TestAdjusting:
    def test_override_excuse_and_back(self, people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
        path = f"{at.cohort}grades/{people.learner.pk}/quiz/{quiz.pk}/"
        client = signed_in(people.owner)
        assert client.post(path, {"kind": "override", "reason": "r"}).status_code == 422
        assert client.post(path, {"kind": "override", "points": "7"}).status_code == 422
        assert client.post(path, {"kind": "override", "points": "7", "reason": "said it aloud"}).status_code == 302
        cell = grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk)
        assert (cell.points, cell.state) == (7, "override")
        mine = signed_in(people.learner).get(f"{at.cohort}my-grades/").content.decode()
        assert "said it aloud" in mine
        assert "set by hand" in mine
        client.post(path, {"kind": "excused", "reason": "ill"})
        client.post(path, {"kind": "", "reason": "a mistake"})
        assert not Adjustment.objects.exists()
        kinds = list(GradeEvent.objects.order_by("id").values_list("kind", "before__points", "reason"))
        assert kinds == [("override", None, "said it aloud"), ("excuse", 7, "ill"), ("clear", None, "a mistake")]


ESSAY = {
    "id": "essay",
    "type": "freetext",
    "text": {"ko": "왜", "en": "Why?"},
    "points": 4,
    "rubric": [
        {"id": "fact", "text": {"ko": "사실", "en": "the fact"}, "points": 2},
        {"id": "cause", "text": {"ko": "원인", "en": "the cause"}, "points": 2},
    ],
}


def asked(quiz: Quiz, given: Assignment, *specs: dict[str, Any]) -> Version:
    """Give the cohort a text of its own."""
    from lessons.assessment.editing import keep

    return keep(given, {**quiz.data, "questions": list(specs)})


class TestMarkingByHand:
    def test_a_text_waits_for_a_person(self, people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
        asked(quiz, given, ESSAY)
        attempt = services.start(people.learner, quiz)
        services.save(attempt, form(essay="Because of <b>etcd</b>.", essay__seen=0))
        services.submit(attempt)
        cell = grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk)
        assert (cell.state, cell.points, cell.max_points) == ("pending", 0, 4)
        client = signed_in(people.assistant)
        out = client.get(f"{at.quiz}marking/").content.decode()
        assert "Because of &lt;b&gt;etcd" in out
        assert f">{people.learner.username}<" not in out
        assert f">{people.learner.username}<" in client.get(f"{at.quiz}marking/?names=1").content.decode()
        response = Response.objects.get()
        path = f"{at.quiz}marking/{response.pk}/"
        for bad in ("3", "-1", "x"):
            client.post(path, {"points.fact": bad})
            assert Response.objects.get().state == "hand"
        client.post(path, {"points.fact": "2", "points.cause": "1,5", "comment": "Say which member."})
        cell = grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk)
        assert (cell.state, cell.points) == ("graded", 3.5)
        assert GradeEvent.objects.get().kind == "hand"
        result = signed_in(people.learner).get(f"/en/quiz-attempts/{attempt.pk}/result/").content.decode()
        assert "Say which member." in result
        assert "the cause: 1.5 / 2" in result

    def test_nothing_written_needs_nobody(self, people: People, quiz: Quiz, given: Assignment) -> None:
        asked(quiz, given, ESSAY)
        services.submit(services.start(people.learner, quiz))
        assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).state == "graded"

    def test_only_members_work_can_be_marked_here(self, people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
        asked(quiz, given, ESSAY)
        attempt = services.start(people.learner, quiz)
        services.save(attempt, form(essay="x", essay__seen=0))
        services.submit(attempt)
        pk = Response.objects.get().pk
        for name in OTHERS:
            assert status(getattr(people, name), "post", f"{at.quiz}marking/{pk}/", {"points.fact": "2"}) == 404
        Membership.objects.filter(user=people.learner).delete()
        assert status(people.owner, "post", f"{at.quiz}marking/{pk}/", {"points.fact": "2"}) == 404


def port(answer: int, **more: Any) -> dict[str, Any]:
    return {"id": "port", "type": "numeric", "text": {"ko": "포트", "en": "Port?"}, "points": 2, "answer": answer, **more}


class TestRegrade:
    def taken(self, people: People, quiz: Quiz, given: Assignment, answers: dict[str, str]) -> None:
        for name, value in answers.items():
            attempt = services.start(getattr(people, name), quiz)
            services.save(attempt, form(port=value, port__seen=0))
            services.submit(attempt)

    def test_a_wrong_key_is_mended_previewed_and_published(
        self, people: People, quiz: Quiz, given: Assignment, at: Paths
    ) -> None:
        asked(quiz, given, port(2380))
        self.taken(people, quiz, given, {"learner": "2379", "other_learner": "2380"})
        before = {row.user_id: row.points for row in Grade.objects.all()}
        assert before == {people.learner.pk: 0, people.other_learner.pk: 2}
        asked(quiz, given, port(2379))
        client = signed_in(people.instructor)
        client.post(f"{at.quiz}regrades/", {"reason": "the client port is 2379"})
        regrade = Regrade.objects.get()
        assert {row.user_id: row.points for row in Grade.objects.all()} == before
        found = {item.user_id: (item.before, item.after, item.delta) for item in regrades.people(regrade)}
        assert found == {people.learner.pk: (0, 2, 2), people.other_learner.pk: (2, 0, -2)}
        out = client.get(f"{at.quiz}regrades/{regrade.pk}/").content.decode()
        assert "+2" in out
        client.post(f"{at.quiz}regrades/{regrade.pk}/publish/")
        client.post(f"{at.quiz}regrades/{regrade.pk}/publish/")
        assert {row.user_id: row.points for row in Grade.objects.all()} == {people.learner.pk: 2, people.other_learner.pk: 0}
        events = GradeEvent.objects.filter(kind="regrade")
        assert {(event.user_id, event.before["points"], event.after["points"]) for event in events} == {
            (people.learner.pk, 0, 2),
            (people.other_learner.pk, 2, 0),
        }
        mark = Response.objects.get(attempt__user=people.learner).mark
        assert mark is not None
        assert mark["regrade"] == regrade.pk
        # the attempt keeps the text that it saw
        assert QuizAttempt.objects.get(user=people.learner).version.data["questions"][0]["answer"] == 2380
        assert "the client port is 2379" in signed_in(people.learner).get(f"{at.cohort}my-grades/").content.decode()

    def test_mended_code_marks_unchanged_questions_again(
        self, people: People, quiz: Quiz, given: Assignment, at: Paths, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The key was right all the time; what read the answers was not."""
        version = asked(quiz, given, port(10250))
        with monkeypatch.context() as broken:
            broken.setattr("lessons.quizzes.types.numeric.number", lambda word: Decimal(word) if word.isdecimal() else None)
            self.taken(people, quiz, given, {"learner": "10,250", "other_learner": "10250"})
        assert Grade.objects.get(user=people.learner).points == 0
        client = signed_in(people.instructor)
        client.post(f"{at.quiz}regrades/", {"reason": "10,250 is a number", "question": "port"})
        regrade = Regrade.objects.get()
        assert (regrade.question, regrade.marked, regrade.replayed) == ("port", 2, 0)
        (row,) = regrades.people(regrade)
        assert (row.user_id, row.before, row.after, row.delta) == (people.learner.pk, 0, 2, 2)
        page = client.get(f"{at.quiz}regrades/{regrade.pk}/").content.decode()
        assert "+2" in page
        assert Grade.objects.get(user=people.learner).points == 0
        client.post(f"{at.quiz}regrades/{regrade.pk}/publish/")
        assert Grade.objects.get(user=people.learner).points == 2
        event = GradeEvent.objects.get(kind="regrade")
        assert (event.user, event.by, event.before["points"]) == (people.learner, people.instructor, 0)
        assert event.after == {"points": 2, "regrade": regrade.pk}
        response = Response.objects.get(attempt__user=people.learner)
        assert response.mark is not None
        assert response.mark["question"] == marking.digest_of(services.asked(response.attempt)[0].spec)
        # what the code gives now is what is kept: once more changes nobody
        again = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r")
        assert (again.changes, again.marked) == ([], 2)

    def test_a_key_taken_back_is_regraded_though_the_attempts_text_is_the_same(
        self, people: People, quiz: Quiz, given: Assignment
    ) -> None:
        old = asked(quiz, given, port(2380))
        self.taken(people, quiz, given, {"learner": "2380"})
        new = asked(quiz, given, port(2379))
        regrades.publish(regrades.begin(people.cohort, quiz, new, by=people.owner, reason="r"), by=people.owner)
        assert Grade.objects.get().points == 0
        regrades.publish(regrades.begin(people.cohort, quiz, old, by=people.owner, reason="r"), by=people.owner)
        assert Grade.objects.get().points == 2

    def test_what_a_person_marked_stays_while_its_question_does(self, people: People, quiz: Quiz, given: Assignment) -> None:
        version = asked(quiz, given, port(2380))
        self.taken(people, quiz, given, {"learner": "about 2380"})
        adjusting.mark_by_hand(Response.objects.get(), by=people.owner, given={"points": 1})
        same = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r", everything=True)
        assert (same.changes, same.marked) == ([], 0)
        other = regrades.begin(people.cohort, quiz, asked(quiz, given, port(2379)), by=people.owner, reason="r")
        assert [(change["before"], change["after"]) for change in other.changes] == [(1, 0)]

    def test_only_the_chosen_question_and_only_one_that_is_there(
        self, people: People, quiz: Quiz, given: Assignment, at: Paths
    ) -> None:
        asked(quiz, given, port(2380), {**port(1), "id": "other"})
        self.taken(people, quiz, given, {"learner": "2379"})
        version = asked(quiz, given, port(2379), {**port(1, credit="all"), "id": "other"})
        found = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r", question="port")
        assert [change["question"] for change in found.changes] == ["port"]
        client = signed_in(people.instructor)
        client.post(f"{at.quiz}regrades/", {"reason": "r", "question": "gone"})
        assert Regrade.objects.get() == found
        assert "all questions" in client.get(at.quiz).content.decode()

    def test_marks_that_changed_since_the_preview_stop_it(self, people: People, quiz: Quiz, given: Assignment) -> None:
        asked(quiz, given, port(2380))
        self.taken(people, quiz, given, {"learner": "2379"})
        version = asked(quiz, given, port(2379))
        first = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="a")
        second = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="b")
        regrades.publish(first, by=people.owner)
        with pytest.raises(regrades.Stale):
            regrades.publish(second, by=people.owner)

    def test_everybody_gets_the_points_of_a_broken_question(self, people: People, quiz: Quiz, given: Assignment) -> None:
        asked(quiz, given, port(2380))
        self.taken(people, quiz, given, {"learner": "1", "other_learner": ""})
        version = asked(quiz, given, port(2380, credit="all"))
        regrades.publish(regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r"), by=people.owner)
        assert set(Grade.objects.values_list("points", flat=True)) == {2}

    def test_what_cannot_be_marked_by_the_new_text_is_named(self, people: People, quiz: Quiz, given: Assignment) -> None:
        one = {"id": "port", "type": "single", "text": {"ko": "a", "en": "a"}}
        asked(quiz, given, {**one, "choices": [{"text": "a"}, {"text": "b", "correct": True}]})
        self.taken(people, quiz, given, {"learner": "0"})
        version = asked(quiz, given, {**one, "choices": [{"text": "a", "correct": True}, {"text": "b"}, {"text": "c"}]})
        found = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r")
        assert found.changes == []
        assert found.skipped[0]["question"] == "port"

    def test_a_mended_formula_uses_each_attempts_own_values(self, people: People, quiz: Quiz, given: Assignment) -> None:
        drawn = {"values": {"n": {"from": 3, "to": 9, "step": 2}}}
        asked(quiz, given, port("{{ q }}", **drawn, let={"q": "n / 2"}))  # type: ignore[arg-type]
        attempt = services.start(people.learner, quiz)
        n = services.asked(attempt)[0].values["n"]
        services.save(attempt, form(port=n // 2 + 1, port__seen=0))
        assert services.submit(attempt).points == 0
        version = asked(quiz, given, port("{{ q }}", **drawn, let={"q": "n / 2 + 1"}))  # type: ignore[arg-type]
        found = regrades.begin(people.cohort, quiz, version, by=people.owner, reason="r")
        assert [change["after"] for change in found.changes] == [2]


class TestEditing:
    def source(self, client: Client, path: str) -> str:
        return str(client.get(path).context["draft"].source)

    def test_a_question_is_changed_for_this_cohort_only(self, people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
        client = signed_in(people.owner)
        running = services.start(people.learner, quiz)
        path = f"{at.quiz}questions/port/"
        source = self.source(client, path).replace("answer: 2379", "answer: 2380")
        assert client.post(path, {"source": source, "do": "save"}).status_code == 302
        given.refresh_from_db()
        assert given.version is not None
        changed = next(item for item in given.version.data["questions"] if item["id"] == "port")
        assert changed["answer"] == 2380
        quiz.refresh_from_db()
        assert next(item for item in quiz.data["questions"] if item["id"] == "port")["answer"] == 2379
        assert next(item.spec for item in services.asked(running) if item.spec["id"] == "port")["answer"] == 2379
        assert services.start(people.other_learner, quiz).version == given.version
        client.post(f"{at.quiz}questions/take-over/")
        given.refresh_from_db()
        assert given.version is None

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            ("id: port\ntype: numeric\ntext: {ko: a, en: a}\n", "answer"),
            ("id: port\ntype: guess\ntext: {ko: a, en: a}\n", "there is no type"),
            ("id: port\ntype: [", "not YAML"),
            ("- 1", "a question is a group of fields"),
            ("id: store\ntype: numeric\ntext: {ko: a, en: a}\nanswer: 1\n", "another question is already called"),
            ("id: port\ntype: numeric\ntext: {ko: a, en: '{{ n }}'}\nanswer: 1\nvalues: {n: {from: 3, to: 1}}\n", "the larger"),
            ("a: &a 1\nb: *a\n", "anchors"),
        ],
    )
    def test_what_is_wrong_is_said_and_nothing_is_saved(
        self, people: People, given: Assignment, at: Paths, source: str, said: str
    ) -> None:
        client = signed_in(people.owner)
        response = client.post(f"{at.quiz}questions/port/", {"source": source, "do": "save"})
        assert response.status_code == 422
        assert said in response.content.decode()
        given.refresh_from_db()
        assert given.version is None
        korean = client.post(f"{at.quiz}questions/port/".replace("/en/", "/ko/"), {"source": source, "do": "look"})
        complaints = korean.context["draft"].complaints
        assert complaints
        assert all(HANGUL.search(reason) for _problem, reason in complaints), complaints

    def test_of_two_who_edit_one_question_the_second_is_told(self, people: People, given: Assignment, at: Paths) -> None:
        first, second = signed_in(people.owner), signed_in(people.instructor)
        path = f"{at.quiz}questions/port/"
        begun = first.get(path).context["draft"]
        mine = begun.source.replace("answer: 2379", "answer: 2380")
        theirs = begun.source.replace("answer: 2379", "answer: 2381")
        assert first.post(path, {"source": mine, "do": "save", "seen": begun.seen}).status_code == 302
        told = second.post(path, {"source": theirs, "do": "save", "seen": begun.seen})
        assert told.status_code == 409
        assert "Somebody else has changed this question" in told.content.decode()
        draft = told.context["draft"]
        assert "answer: 2380" in draft.theirs
        assert draft.source == theirs
        assert second.post(path, {"source": theirs, "do": "save", "seen": draft.seen}).status_code == 302
        given.refresh_from_db()
        assert given.version is not None
        assert next(item for item in given.version.data["questions"] if item["id"] == "port")["answer"] == 2381
        # and one who edits what another has taken out
        first.post(path, {"do": "remove"})
        gone = second.post(path, {"source": theirs, "do": "save", "seen": draft.seen})
        assert gone.status_code == 409
        assert "taken this question out" in gone.content.decode()
        assert "answer: 2381" in gone.content.decode()

    def test_the_preview_comes_while_typing(self, people: People, given: Assignment, at: Paths) -> None:
        client = signed_in(people.owner)
        path = f"{at.quiz}questions/port/"
        source = self.source(client, path)
        out = client.post(path, {"source": source}, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in out
        assert 'id="draft"' in out
        given.refresh_from_db()
        assert given.version is None

    def test_a_new_question_and_its_removal(self, people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
        client = signed_in(people.owner)
        path = f"{at.quiz}questions/new-question/"
        source = self.source(client, path).replace("new-question", "mine")
        assert client.post(path, {"source": source, "do": "save"}).status_code == 302
        assert Question.objects.filter(quiz=quiz, slug="mine").exists()
        attempt = services.start(people.learner, quiz)
        assert "mine" in {item.spec["id"] for item in services.asked(attempt)}
        services.save(attempt, form(mine="0", mine__seen=0))
        assert services.submit(attempt).points == 1
        client.post(f"{at.quiz}questions/mine/", {"do": "remove"})
        again = services.start(people.learner, quiz)
        assert "mine" not in {item.spec["id"] for item in services.asked(again)}

    def test_what_is_downloaded_can_be_loaded(self, people: People, given: Assignment, at: Paths) -> None:
        from lessons.loading import questions, validate
        from lessons.loading.marked import parse

        text = signed_in(people.owner).get(f"{at.quiz}questions/download/").content.decode()
        marked = parse(text, "quiz.yaml")
        assert marked.problems == []
        assert list(validate.problems(marked, validate.schema("quiz"))) == []
        assert list(questions.problems(marked, {"ships", "hub"})) == []


def test_weights(people: People, quiz: Quiz, given: Assignment, at: Paths) -> None:
    client = signed_in(people.owner)
    client.post(f"{at.cohort}weights/", {"what": "group", "name": "Quizzes", "weight": "60", "drop_lowest": "1"})
    group = GradeGroup.objects.get()
    body = {"what": "items", f"quiz-{quiz.pk}.weight": "2.5", f"quiz-{quiz.pk}.group": str(group.pk)}
    client.post(f"{at.cohort}weights/", body)
    item = grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).item
    assert (item.weight, item.group) == (2.5, group)
    client.post(f"{at.cohort}weights/", {**body, f"quiz-{quiz.pk}.weight": "nan"})
    assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).item.weight == 2.5
    assert client.post(f"{at.cohort}weights/", {"what": "group", "name": "", "weight": "-1"}).status_code == 422
    client.post(f"{at.cohort}weights/{group.pk}/delete/")
    assert grade_sheet(people.cohort).cell(people.learner.pk, "quiz", quiz.pk).item.group is None
