"""A learner's way: course page, lesson, questions, exercise with hints and solution, quiz, progress."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from lessons.grading.models import Grade
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.loading.publish import publish
from lessons.loading.reader import read_course
from lessons.models import Enrollment, Exercise, Lesson, LessonProgress, Question, Quiz, Version
from lessons.quizzes import services as quizzes
from lessons.quizzes.models import QuizAttempt, Response
from simulator.models import ClusterSession
from simulator.services import EvaluationTimeout
from tests.lessons.conftest import SAMPLE, Cluster, People

pytestmark = pytest.mark.postgres

LESSON = "/en/courses/harbour-course/harbour/ships/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def client(people: People) -> Client:
    found = Client()
    found.force_login(people.learner)
    return found


def page(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


class TestLessonPage:
    def test_the_bench_gets_what_its_script_needs(self, client: Client, people: People, cluster: Cluster) -> None:
        out = page(client, LESSON)
        session = ClusterSession.objects.get(owner=people.learner)
        assert (session.scenario, session.slot) == ("three-nodes", "harbour-course/ships")
        assert f'data-ws="/ws/cluster/{session.pk}/"' in out
        assert 'data-hosts="controlplane node01"' in out
        assert f'data-reset="/clusters/{session.pk}/reset/"' in out
        assert re.search(r'<style nonce="[^"]+" id="csp-nonce">', out)

    def test_the_same_cluster_the_next_time(self, client: Client, cluster: Cluster) -> None:
        page(client, LESSON)
        page(client, LESSON)
        assert ClusterSession.objects.count() == 1

    def test_a_reader_without_an_account_gets_the_text_and_no_cluster(self, people: People) -> None:
        out = page(Client(), LESSON)
        assert "data-ws" not in out
        assert "A worker carries" in out
        assert not ClusterSession.objects.exists()

    def test_an_unknown_scenario_leaves_the_text(self, client: Client, ships: Lesson, cluster: Cluster) -> None:
        version = Version.objects.create(
            kind="lesson", digest="x", data={**ships.data, "scenario": "moon"}, body=ships.version.body
        )
        Lesson.objects.filter(pk=ships.pk).update(version=version)
        out = page(client, LESSON)
        assert "There is no scenario named moon" in out
        assert "A worker carries" in out

    def test_no_inline_script_or_style(self, client: Client, cluster: Cluster) -> None:
        out = page(client, LESSON)
        assert not re.search(r"<script(?![^>]*\bsrc=)", out)
        assert "style=" not in out
        assert not re.search(r"\son[a-z]+=", out)

    def test_both_languages(self, client: Client, cluster: Cluster) -> None:
        out = page(client, LESSON.replace("/en/", "/ko/"))
        assert '<html lang="ko">' in out
        assert "두 가지 배" in out
        assert "다시 검사" not in out
        assert "실습:" in out

    def test_opening_remembers_where_one_was(self, client: Client, people: People, ships: Lesson, cluster: Cluster) -> None:
        page(client, LESSON)
        assert Enrollment.objects.get(user=people.learner).last_lesson == ships
        assert LessonProgress.objects.get(user=people.learner).read_at is None
        assert "1.1 Two kinds of ship" in page(client, "/en/courses/harbour-course/")

    def test_a_page_asks_the_database_little(self, client: Client, cluster: Cluster, django_assert_max_num_queries: Any) -> None:
        page(client, LESSON)
        with django_assert_max_num_queries(22):
            page(client, LESSON)

    def test_read_and_not_read_after_all(self, client: Client, people: People) -> None:
        out = client.post(LESSON + "read/", headers=HTMX).content.decode()
        assert "Mark as not read" in out
        assert "<html" not in out
        assert LessonProgress.objects.get().read_at is not None
        client.post(LESSON + "read/", {"undo": "1"})
        assert LessonProgress.objects.get().read_at is None


class TestInlineQuestion:
    def answer(self, client: Client, value: str, **extra: Any) -> Any:
        question = Question.objects.get(slug="who-binds")
        lesson = Lesson.objects.get(slug="ships")
        return client.post(f"/en/questions/{question.pk}/answer/", {"q.who-binds": value, "lesson": lesson.pk}, **extra)

    def test_right_and_wrong_in_place(self, client: Client) -> None:
        assert "Right" in self.answer(client, "1", headers=HTMX).content.decode()
        out = self.answer(client, "0", headers=HTMX).content.decode()
        assert "Not right" in out
        assert "The kubelet only reads it." in out

    def test_without_script_the_page_shows_it(self, client: Client, cluster: Cluster) -> None:
        response = self.answer(client, "0")
        assert response["Location"] == LESSON + "#q-who-binds"
        assert "The kubelet only reads it." in page(client, LESSON)

    def test_nothing_chosen_is_no_answer(self, client: Client) -> None:
        out = self.answer(client, "", headers=HTMX).content.decode()
        assert "Choose or write an answer first." in out
        assert "Not right" not in out


class TestExercise:
    def do(self, client: Client, exercise: Exercise, action: str = "check") -> str:
        return str(client.post(f"/en/exercises/{exercise.pk}/{action}/", headers=HTMX).content.decode())

    def test_a_failed_check_says_expected_found_and_evidence(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        out = self.do(client, exercise)
        assert "0 of 2 checks pass" in out
        for part in (
            "Expected",
            "the object",
            "Found",
            "null &lt;b&gt;",
            "Evidence",
            'data-event="7"',
            "There is no namespace called dock.",
        ):
            assert part in out
        assert "not yet" in out
        assert not ExercisePass.objects.exists()
        assert not Grade.objects.exists()

    def test_the_program_of_the_file_is_what_runs(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        self.do(client, exercise)
        session, program = cluster.asked[0]
        assert session.slot == "harbour-course/ships"
        assert program == {"settle": "0s", "checks": exercise.data["checks"]}

    def test_a_pass_is_kept_with_its_evidence(self, client: Client, people: People, exercise: Exercise, cluster: Cluster) -> None:
        self.do(client, exercise)
        cluster.passing = {"exists", "listed"}
        out = self.do(client, exercise)
        assert "Passed, 10 of 10 points" in out
        won = ExercisePass.objects.get()
        assert won.user == people.learner
        assert won.run.evidence["digest"] == "abc"
        assert won.run.attempt.version == exercise.version
        grade = Grade.objects.get(exercise=exercise)
        assert (grade.points, grade.max_points, grade.evidence["run"]) == (10, 10, won.run.pk)
        assert CheckRun.objects.count() == 2

    def test_a_later_failure_takes_nothing_away(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        cluster.passing = {"exists", "listed"}
        self.do(client, exercise)
        cluster.passing = set()
        assert "Passed, 10 of 10 points" in self.do(client, exercise)
        assert Grade.objects.get().points == 10

    def test_a_check_that_the_evaluator_leaves_out_is_not_passed(
        self, client: Client, exercise: Exercise, monkeypatch: Any, cluster: Cluster
    ) -> None:
        monkeypatch.setattr("simulator.services.evaluate", lambda *_a, **_k: {"verdicts": [{"id": "exists", "state": "passed"}]})
        out = self.do(client, exercise)
        assert "1 of 2 checks pass" in out
        assert "not decided" in out
        assert ExerciseAttempt.objects.get().failed_checks == 0

    def test_checks_that_do_not_end_decide_nothing(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        cluster.error = EvaluationTimeout("late")
        out = self.do(client, exercise)
        assert "Nothing was decided" in out
        assert not CheckRun.objects.exists()
        assert ExerciseAttempt.objects.get().failed_checks == 0

    def test_the_first_hint_is_free_and_the_second_costs(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        assert "Look at kubectl create." in self.do(client, exercise, "hint")
        assert "It costs 10% of the points." in self.do(client, exercise)
        self.do(client, exercise, "hint")
        self.do(client, exercise, "hint")
        assert ExerciseAttempt.objects.get().hints_shown == 2
        cluster.passing = {"exists", "listed"}
        assert "Passed, 9 of 10 points" in self.do(client, exercise)

    def test_hints_are_offered_after_two_failures(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        assert "is-offered" not in self.do(client, exercise)
        assert "is-offered" in self.do(client, exercise)

    def test_after_the_solution_a_pass_counts_without_points(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        assert "kubectl create namespace dock" in self.do(client, exercise, "solution")
        cluster.passing = {"exists", "listed"}
        assert "Passed, 0 of 10 points" in self.do(client, exercise)

    def test_after_a_pass_the_solution_costs_nothing(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        cluster.passing = {"exists", "listed"}
        self.do(client, exercise)
        assert "kubectl create namespace dock" in self.do(client, exercise, "solution")
        assert ExerciseAttempt.objects.get().gave_up_at is None
        assert Grade.objects.get().points == 10

    def test_the_solution_is_not_in_the_page_before(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        assert "kubectl create namespace dock" not in page(client, LESSON)

    def test_new_content_starts_a_new_attempt_and_keeps_the_old_one(
        self, client: Client, exercise: Exercise, cluster: Cluster
    ) -> None:
        self.do(client, exercise)
        old = exercise.version_id
        version = Version.objects.create(kind="exercise", digest="new", data={**exercise.data, "points": 20})
        Exercise.objects.filter(pk=exercise.pk).update(version=version)
        cluster.passing = {"exists", "listed"}
        assert "Passed, 20 of 20 points" in self.do(client, exercise)
        assert list(ExerciseAttempt.objects.order_by("number").values_list("number", "version_id")) == [(1, old), (2, version.pk)]

    def test_an_exercise_with_a_scenario_has_a_cluster_of_its_own(
        self, client: Client, people: People, exercise: Exercise, cluster: Cluster
    ) -> None:
        data = {
            **exercise.data,
            "scenario": "three-nodes",
            "setup": ["echo a\necho b", {"wait": "5s"}, {"host": "node01", "run": "ls"}],
        }
        version = Version.objects.create(kind="exercise", digest="own", data=data)
        Exercise.objects.filter(pk=exercise.pk).update(version=version)
        assert "Start this exercise" in page(client, LESSON)
        for _ in range(2):
            out = self.do(client, exercise, "cluster")
        session = ClusterSession.objects.get(slot="harbour-course/ships/make-a-namespace")
        assert f'data-cluster="/ws/cluster/{session.pk}/"' in out
        rows = list(session.journal.order_by("seq").values_list("kind", "data"))
        # after each line the world goes on until its terminal is idle; the wait is a skip as well
        first, second = ["open", "line", "skip", "line", "skip", "skip", "close"], ["open", "line", "skip", "close"]
        assert [kind for kind, _ in rows] == first + second
        self.do(client, exercise)
        assert cluster.asked[-1][0] == session


def form_of(attempt: QuizAttempt, **answers: Any) -> dict[str, Any]:
    """The page's form: `answers` by question id, everything else as the page starts."""
    form: dict[str, Any] = {}
    for item in quizzes.asked(attempt):
        key = item.spec["id"].replace("-", "_")
        if item.kind.name == "ordering":
            rows = item.kind.present(item.spec, "en", item.seed, item.answer)["rows"]
            form[f"{item.name}.shown"] = [row["index"] for row in rows]
            wanted = answers.get(key) or [row["index"] for row in rows]
            form.update({f"{item.name}.{index}": place for place, index in enumerate(wanted, 1)})
        elif item.kind.name == "matching":
            form.update(
                {
                    f"{item.name}.{index}": "" if pick is None else pick
                    for index, pick in enumerate(answers.get(key, [None, None]))
                }
            )
        elif key in answers:
            form[item.name] = answers[key]
    return form


RIGHT = {
    "store": 0,
    "on_nodes": [0, 1],
    "direct": "false",
    "port": "2379",
    "tool": "etcdctl",
    "match": [0, 1],
    "order": [0, 1, 2],
}


class TestQuiz:
    def start(self, client: Client) -> QuizAttempt:
        response = client.post("/en/courses/harbour-course/harbour/quiz/start/")
        attempt = QuizAttempt.objects.get(submitted_at=None)
        assert response["Location"] == f"/en/quiz-attempts/{attempt.pk}/"
        attempt.seed = "a"  # some seeds start the ordering with what a test gives as its answer
        attempt.save()
        return attempt

    def save(self, client: Client, attempt: QuizAttempt, form: dict[str, Any]) -> Any:
        return client.post(f"/en/quiz-attempts/{attempt.pk}/save/", form, HTTP_X_AUTOSAVE="1")

    def test_one_open_attempt_at_a_time(self, client: Client, quiz: Quiz) -> None:
        assert self.start(client).pk == self.start(client).pk

    def test_answers_are_saved_and_shown_again(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        assert self.save(client, attempt, form_of(attempt, port="2379", store=0)).status_code == 200
        out = page(client, f"/en/quiz-attempts/{attempt.pk}/")
        assert 'value="2379"' in out
        assert re.search(r'name="q\.store" value="0"[^>]*checked', out)
        assert "2 / 7" in out

    def test_an_answer_can_be_taken_back(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        self.save(client, attempt, form_of(attempt, on_nodes=[0]))
        self.save(client, attempt, form_of(attempt))
        assert Response.objects.get().answer is None

    def test_an_untouched_ordering_is_no_answer(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        self.save(client, attempt, form_of(attempt))
        assert not Response.objects.exists()

    def test_everything_right_earns_everything(self, client: Client, people: People, quiz: Quiz) -> None:
        attempt = self.start(client)
        form = {**form_of(attempt, **RIGHT), "then": "submit"}
        assert client.post(f"/en/quiz-attempts/{attempt.pk}/save/", form)["Location"].endswith("/submit/")
        assert "Every question has an answer." in page(client, f"/en/quiz-attempts/{attempt.pk}/submit/")
        assert QuizAttempt.objects.get().submitted_at is None
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        out = page(client, f"/en/quiz-attempts/{attempt.pk}/result/")
        assert "11 of 11 points" in out
        grade = Grade.objects.get(user=people.learner, quiz=quiz)
        assert (grade.points, grade.max_points, grade.evidence["attempt"]) == (11, 11, attempt.pk)

    def test_part_marks_and_feedback(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        self.save(client, attempt, form_of(attempt, store=1, on_nodes=[0], match=[0, 2], order=[1, 2, 0], direct="true"))
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        attempt.refresh_from_db()
        assert attempt.points == pytest.approx(0 + 1 + 1 + 1 + 0)
        out = page(client, f"/en/quiz-attempts/{attempt.pk}/result/")
        for part in (
            "It runs on nodes.",
            "It is etcd.",
            "Only the API server does.",
            "1.2 The hub",
            "no answer",
            "partly right",
            "not passed",
        ):
            assert part in out, part

    def test_blank_questions_are_named_before_submitting(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        assert "7 questions have no answer." in page(client, f"/en/quiz-attempts/{attempt.pk}/submit/")

    def test_nothing_can_be_added_after_submitting(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        late = self.save(client, attempt, form_of(attempt, **RIGHT))
        assert late.status_code == 409
        assert late["Content-Type"].startswith("text/plain")
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        attempt.refresh_from_db()
        assert attempt.points == 0

    def test_the_best_attempt_counts(self, client: Client, people: People, quiz: Quiz) -> None:
        for answers in ({"port": "2379"}, RIGHT, {}):
            attempt = self.start(client)
            self.save(client, attempt, form_of(attempt, **answers))
            client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        assert Grade.objects.get(quiz=quiz).points == 11
        assert Grade.objects.get(quiz=quiz).evidence["number"] == 2

    def test_attempts_can_be_limited(self, client: Client, quiz: Quiz) -> None:
        version = Version.objects.create(kind="quiz", digest="few", data={**quiz.data, "attempts": 1})
        Quiz.objects.filter(pk=quiz.pk).update(version=version)
        attempt = self.start(client)
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        client.post("/en/courses/harbour-course/harbour/quiz/start/")
        assert QuizAttempt.objects.count() == 1
        assert "All attempts at this quiz were taken." in page(client, "/en/courses/harbour-course/harbour/quiz/")

    def test_an_attempt_keeps_the_version_it_saw(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        questions = [dict(item) for item in quiz.data["questions"]]
        questions[3]["answer"] = 2380
        version = Version.objects.create(kind="quiz", digest="new key", data={**quiz.data, "questions": questions})
        Quiz.objects.filter(pk=quiz.pk).update(version=version)
        self.save(client, attempt, form_of(attempt, port="2379"))
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        attempt.refresh_from_db()
        assert attempt.points == 1

    def test_the_page_does_not_hold_the_key(self, client: Client, quiz: Quiz) -> None:
        attempt = self.start(client)
        out = page(client, f"/en/quiz-attempts/{attempt.pk}/")
        for part in ("2379", "etcdctl", "It runs on nodes.", "That is so.", "Only the API server does."):
            assert part not in out, part

    def test_points_only_when_the_author_says_so(self, client: Client, quiz: Quiz) -> None:
        version = Version.objects.create(kind="quiz", digest="quiet", data={**quiz.data, "feedback": "never"})
        Quiz.objects.filter(pk=quiz.pk).update(version=version)
        attempt = self.start(client)
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        out = page(client, f"/en/quiz-attempts/{attempt.pk}/result/")
        assert "2379" not in out
        assert "It is etcd." not in out


class TestProgress:
    def test_the_course_page_follows(self, client: Client, exercise: Exercise, quiz: Quiz, cluster: Cluster) -> None:
        assert "Begin here" in page(client, "/en/courses/harbour-course/")
        page(client, LESSON)
        client.post(LESSON + "read/")
        out = page(client, "/en/courses/harbour-course/")
        assert "Go on where you stopped" in out
        assert "read, exercises open" in out
        cluster.passing = {"exists"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        assert "1 of 2 checks" in page(client, "/en/courses/harbour-course/")
        cluster.passing = {"exists", "listed"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        out = page(client, "/en/courses/harbour-course/")
        assert "read and passed" in out
        assert "1.2 The hub" in out
        client.post("/en/courses/harbour-course/harbour/hub/read/")
        attempt = quizzes.start(ExercisePass.objects.get().user, quiz)
        client.post(f"/en/quiz-attempts/{attempt.pk}/save/", form_of(attempt, **RIGHT))
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        out = page(client, "/en/courses/harbour-course/")
        assert "all passed" in out
        out = page(client, "/en/progress/")
        assert "10 / 10" in out
        assert "11 / 11" in out

    def test_what_to_look_at_again(
        self, client: Client, people: People, exercise: Exercise, quiz: Quiz, cluster: Cluster
    ) -> None:
        assert "To look at again" not in page(client, "/en/courses/harbour-course/")
        cluster.passing = {"exists", "listed"}
        for action in ("hint", "hint", "check"):
            client.post(f"/en/exercises/{exercise.pk}/{action}/")
        attempt = quizzes.start(people.learner, quiz)
        client.post(f"/en/quiz-attempts/{attempt.pk}/save/", form_of(attempt, **{**RIGHT, "store": 1}))
        client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
        out = page(client, "/en/courses/harbour-course/")
        assert "passed with 2 hints" in out
        assert re.search(r"1\.2 The hub</a><br><span class=\"meta\">1 quiz question missed", out)

    def test_a_new_load_keeps_what_was_done(self, client: Client, exercise: Exercise, cluster: Cluster) -> None:
        cluster.passing = {"exists", "listed"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        publish(read_course(SAMPLE))
        page(client, LESSON)
        assert "10 / 10" in page(client, "/en/progress/")
