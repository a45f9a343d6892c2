"""Taking quizzes on terms: dates, clock, extensions, codes, several devices, lost connections, many at once."""

from __future__ import annotations

import datetime
import os
import threading
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.utils import timezone

from coursesite import celery
from lessons.grading import adjusting
from lessons.grading.models import Grade
from lessons.loading.publish import digest
from lessons.models import Quiz, Version
from lessons.quizzes import marking, services, tasks, terms
from lessons.quizzes.models import Assignment, QuizAttempt, Response, SavedAnswer
from simulator import doorbell
from tests.lessons.conftest import People

pytestmark = pytest.mark.postgres
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def given(people: People, quiz: Quiz) -> Assignment:
    return Assignment.objects.create(cohort=people.cohort, quiz=quiz)


def put(given: Assignment, **values: Any) -> Assignment:
    Assignment.objects.filter(pk=given.pk).update(**values)
    given.refresh_from_db()
    return given


def form(words: dict[str, str] | None = None, **fields: Any) -> QueryDict:
    """A page's form: `words` as they are, and fields of questions (`port__seen` is `q.port.seen`)."""
    out = QueryDict(mutable=True)
    out.update(words or {})
    for name, value in fields.items():
        out["q." + name.replace("__", ".").replace("_", "-")] = str(value)
    return out


def answer(attempt: QuizAttempt, slug: str) -> Any:
    return Response.objects.filter(attempt=attempt, question__slug=slug).values_list("answer", flat=True).first()


class TestTerms:
    def test_not_before_it_opens_and_not_after_it_closes(self, people: People, quiz: Quiz, given: Assignment) -> None:
        now = timezone.now()
        put(given, opens_at=now + MINUTE)
        with pytest.raises(services.NotNow):
            services.start(people.learner, quiz)
        put(given, opens_at=None, closes_at=now - MINUTE)
        with pytest.raises(services.NotNow):
            services.start(people.learner, quiz, given)
        # who has no assignment that is still to come may practise
        assert services.start(people.learner, quiz).assignment is None
        assert services.start(people.stranger, quiz).assignment is None

    def test_no_practice_before_it_counts(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, opens_at=timezone.now() + MINUTE)
        assert [item.assignment for item in terms.offers(people.learner, quiz)] == [given]

    def test_attempts_are_counted_by_assignment(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, attempts=1)
        services.submit(services.start(people.learner, quiz))
        with pytest.raises(services.NoMoreAttempts):
            services.start(people.learner, quiz)
        adjusting.grant(given, people.learner, by=people.owner, reason="fell ill", extra_attempts=1)
        assert services.start(people.learner, quiz).number == 2

    def test_an_access_code(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, access_code="Blue Anchor")
        for code in ("", "blue"):
            with pytest.raises(services.WrongCode):
                services.start(people.learner, quiz, given, code)
        assert services.start(people.learner, quiz, given, " blue  ANCHOR ").assignment == given
        # an attempt that is open needs no code on the next device
        assert services.start(people.learner, quiz, given).number == 1

    def test_the_page_tells_the_terms(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, minutes=30, access_code="x", due_at=timezone.now() + MINUTE, late="percent", late_percent=25)
        adjusting.grant(given, people.learner, by=people.owner, reason="r", extra_minutes=15)
        client = Client()
        client.force_login(people.learner)
        out = client.get(quiz.get_absolute_url()).content.decode()
        for part in ("45 min from the start", "15 min of them granted to you", "takes 25% of the points", "Access code"):
            assert part in out
        wrong = client.post(quiz.get_absolute_url() + "start/", {"assignment": given.pk, "code": "y"}, follow=True)
        assert "That is not the access code" in wrong.content.decode()


class TestClock:
    def begun(self, people: People, quiz: Quiz, minutes_ago: float) -> QuizAttempt:
        attempt = services.start(people.learner, quiz)
        QuizAttempt.objects.filter(pk=attempt.pk).update(started_at=timezone.now() - minutes_ago * MINUTE)
        attempt.refresh_from_db()
        return attempt

    def test_what_comes_too_late_is_on_record_and_not_counted(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, minutes=10)
        attempt = self.begun(people, quiz, 9)
        services.save(attempt, form(port="2379", port__seen=0))
        QuizAttempt.objects.filter(pk=attempt.pk).update(started_at=timezone.now() - 11 * MINUTE)
        attempt.refresh_from_db()
        with pytest.raises(services.Closed):
            services.save(attempt, form(port="1", port__seen=1))
        assert answer(attempt, "port") == "2379"
        late = SavedAnswer.objects.get(attempt=attempt, kept=False)
        assert (late.answer, late.why) == ("1", "late")
        attempt.refresh_from_db()
        assert (attempt.closed_by, attempt.points) == ("clock", 1)

    def test_what_was_on_its_way_at_the_deadline_counts(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, minutes=10)
        attempt = self.begun(people, quiz, 10 + 5 / 60)
        services.save(attempt, form(port="2379", port__seen=0))
        assert answer(attempt, "port") == "2379"

    def test_what_is_over_is_closed_when_nobody_looks(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, minutes=10)
        attempt = self.begun(people, quiz, 5)
        services.save(attempt, form(port="2379", port__seen=0))
        other = services.start(people.other_learner, quiz)
        practice = services.start(people.stranger, quiz)
        hour = timezone.now() - 60 * MINUTE
        QuizAttempt.objects.update(started_at=hour)
        adjusting.grant(given, people.other_learner, by=people.owner, reason="r", extra_minutes=90)
        tasks.close_over()
        for row in (attempt, other, practice):
            row.refresh_from_db()
        assert (attempt.closed_by, attempt.points, attempt.submitted_at) == ("clock", 1, hour + 10 * MINUTE)
        assert other.submitted_at is None  # has been granted time
        assert practice.submitted_at is None  # has no end
        assert services.close_expired() == 0  # once more changes nothing
        assert Grade.objects.get(assignment=given).points == 1

    def test_one_that_cannot_be_closed_does_not_keep_the_others_open(
        self, people: People, quiz: Quiz, given: Assignment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(given, minutes=10)
        first, second = services.start(people.learner, quiz), services.start(people.other_learner, quiz)
        QuizAttempt.objects.update(started_at=timezone.now() - 60 * MINUTE)
        begin = marking.begin

        def broken(attempt: QuizAttempt) -> None:
            if attempt.pk == first.pk:
                raise RuntimeError("a defect")
            begin(attempt)

        monkeypatch.setattr(marking, "begin", broken)
        assert services.close_expired() == 1
        for row in (first, second):
            row.refresh_from_db()
        assert (first.submitted_at, second.closed_by) == (None, "clock")

    def test_workers_send_the_closing_once_in_a_while(self, monkeypatch: pytest.MonkeyPatch) -> None:
        held: dict[str, int] = {}

        class Redis:
            def set(self, name: str, value: int, nx: bool, ex: int) -> bool:
                return nx and ex > 0 and held.setdefault(name, value) == value and not held.update({name: -1})

        sent: list[tuple[str, str, int]] = []
        monkeypatch.setattr(doorbell, "connection", Redis)
        monkeypatch.setattr(celery.app, "send_task", lambda name, queue, expires, priority: sent.append((name, queue, priority)))
        for queue in ("cluster.0", "cluster.1"):
            celery.send_periodic(queue)
        assert sent == [
            ("quizzes.close_over", "cluster.0", 0),
            ("grading.prepare_late", "cluster.0", 6),
            ("site.tidy", "cluster.0", 9),
        ]
        celery.app.loader.import_default_modules()
        assert set(celery.PERIODIC) <= set(celery.app.tasks)

    def test_more_time_in_the_middle_of_an_attempt(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, minutes=10)
        attempt = self.begun(people, quiz, 9)
        client = Client()
        client.force_login(people.learner)
        path = f"/en/quiz-attempts/{attempt.pk}/time/"
        assert client.get(path).json()["left"] <= 60
        adjusting.grant(given, people.learner, by=people.owner, reason="slow machine", extra_minutes=20)
        assert 1100 < client.get(path).json()["left"] <= 1260

    def test_time_granted_after_the_clock_closed_it_opens_it_again(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, minutes=10)
        attempt = self.begun(people, quiz, 9)
        services.save(attempt, form(port="2379", port__seen=0))
        QuizAttempt.objects.filter(pk=attempt.pk).update(started_at=timezone.now() - 12 * MINUTE)
        assert services.open_attempt(people.learner, quiz) is None
        assert Grade.objects.get(assignment=given).points == 1
        adjusting.grant(given, people.learner, by=people.owner, reason="power cut", extra_minutes=30)
        again = services.open_attempt(people.learner, quiz)
        assert again is not None
        assert (again.pk, answer(again, "port")) == (attempt.pk, "2379")
        assert not Grade.objects.filter(assignment=given).exists()

    def test_what_the_learner_submitted_stays_submitted(self, people: People, quiz: Quiz, given: Assignment) -> None:
        services.submit(services.start(people.learner, quiz))
        adjusting.grant(given, people.learner, by=people.owner, reason="r", extra_minutes=30)
        assert services.open_attempt(people.learner, quiz) is None

    def test_the_clock_does_not_let_a_late_submission_look_early(self, people: People, quiz: Quiz, given: Assignment) -> None:
        put(given, minutes=10)
        attempt = self.begun(people, quiz, 60)
        done = services.submit(attempt)
        assert done.closed_by == "clock"
        assert done.submitted_at == attempt.started_at + 10 * MINUTE


class TestTwoDevices:
    def test_a_page_that_changed_nothing_undoes_nothing(self, people: People, quiz: Quiz) -> None:
        attempt = services.start(people.learner, quiz)
        services.save(attempt, form(port="2379", port__seen=0, tool="", tool__seen=0))
        # the other device still shows both empty and answers only `tool`
        saved = services.save(attempt, form(port="", port__seen=0, tool="etcdctl", tool__seen=0))
        assert (answer(attempt, "port"), answer(attempt, "tool")) == ("2379", "etcdctl")
        assert saved.revisions["q.port"] == 1

    def test_of_two_changes_the_later_one_stays_and_the_other_is_on_record(self, people: People, quiz: Quiz) -> None:
        attempt = services.start(people.learner, quiz)
        QuizAttempt.objects.filter(pk=attempt.pk).update(started_at=timezone.now() - 60 * MINUTE)
        attempt.refresh_from_db()
        services.save(attempt, form(port="2379", port__seen=0, port__age=60_000))
        # a telephone that had no network: what it sends was typed ten minutes ago
        saved = services.save(attempt, form(port="2380", port__seen=0, port__age=600_000))
        assert (answer(attempt, "port"), saved.elsewhere) == ("2379", ["q.port"])
        # and one whose reader changed it just now
        services.save(attempt, form(port="2381", port__seen=0, port__age=1_000))
        assert answer(attempt, "port") == "2381"
        kept = list(SavedAnswer.objects.filter(attempt=attempt).values_list("answer", "kept"))
        assert kept == [("2379", True), ("2380", False), ("2381", True)]

    def test_a_request_that_was_held_up_does_not_undo_a_later_change_of_the_same_browser(
        self, people: People, quiz: Quiz
    ) -> None:
        attempt = services.start(people.learner, quiz)
        browser = {"device": "ab" * 16}
        # both were changed from the same revision; the earlier one arrives last, and its age says nothing of its time on the way
        services.save(attempt, form(browser, port="2380", port__seen=0, port__age=5, port__at=1_790_000_002_000))
        saved = services.save(attempt, form(browser, port="2379", port__seen=0, port__age=5, port__at=1_790_000_001_000))
        assert (answer(attempt, "port"), saved.elsewhere) == ("2380", ["q.port"])
        # another browser's clock says nothing about this one's, so there the ages count
        other = {"device": "cd" * 16}
        services.save(attempt, form(other, port="2381", port__seen=0, port__age=5, port__at=1_700_000_000_000))
        assert answer(attempt, "port") == "2381"

    @pytest.mark.parametrize("words", [{"device": "me"}, {"device": "ab" * 16, "q.port.at": "soon"}, {"q.port.at": "9" * 400}])
    def test_a_browser_that_says_nonsense_about_itself_is_taken_by_age(
        self, people: People, quiz: Quiz, words: dict[str, str]
    ) -> None:
        attempt = services.start(people.learner, quiz)
        QuizAttempt.objects.update(started_at=timezone.now() - 30 * MINUTE)
        attempt.refresh_from_db()
        services.save(attempt, form(words, port="2379", port__seen=0, port__age=60_000))
        services.save(attempt, form(words, port="2380", port__seen=0, port__age=600_000))
        assert answer(attempt, "port") == "2379"

    def test_sending_the_same_page_twice_changes_nothing(self, people: People, quiz: Quiz) -> None:
        attempt = services.start(people.learner, quiz)
        for _ in range(3):
            services.save(attempt, form(port="2379", port__seen=0))
        assert SavedAnswer.objects.count() == 1
        assert Response.objects.get().revision == 1

    def test_taking_an_answer_back(self, people: People, quiz: Quiz) -> None:
        attempt = services.start(people.learner, quiz)
        services.save(attempt, form(port="2379", port__seen=0))
        services.save(attempt, form(port="", port__seen=1))
        assert answer(attempt, "port") is None

    def test_a_question_that_the_page_does_not_send_is_left_alone(self, people: People, quiz: Quiz) -> None:
        attempt = services.start(people.learner, quiz)
        services.save(attempt, form(port="2379", port__seen=0))
        services.save(attempt, form(tool="etcdctl", tool__seen=0))
        assert answer(attempt, "port") == "2379"

    def test_the_page_hears_which_questions_are_answered_and_marked(self, people: People, quiz: Quiz) -> None:
        attempt = services.start(people.learner, quiz)
        client = Client()
        client.force_login(people.learner)
        path = f"/en/quiz-attempts/{attempt.pk}/save/"
        body = {"q.port": "2379", "q.port.seen": "0", "q.tool": "", "q.tool.seen": "0", "q.tool.flag": "on"}
        said = client.post(path, body, HTTP_X_AUTOSAVE="1").json()
        assert (said["answered"], said["flagged"]) == (["q.port"], ["q.tool"])
        said = client.post(path, {"q.port": "", "q.port.seen": "1", "q.tool.seen": "0"}, HTTP_X_AUTOSAVE="1").json()
        assert (said["answered"], said["flagged"]) == ([], [])


class TestReview:
    def shown(self, people: People, attempt: QuizAttempt) -> str:
        client = Client()
        client.force_login(people.learner)
        return client.get(f"/en/quiz-attempts/{attempt.pk}/result/").content.decode()

    def test_each_phase_shows_what_it_may(self, people: People, quiz: Quiz, given: Assignment) -> None:
        now = timezone.now()
        review = {"submitted": [], "due": ["points"], "closed": ["points", "answers", "marks", "key", "feedback"]}
        put(given, review=review, due_at=now + MINUTE, closes_at=now + 2 * MINUTE)
        attempt = services.start(people.learner, quiz)
        services.save(attempt, form(port="1", port__seen=0))
        services.submit(attempt)
        out = self.shown(people, attempt)
        assert "points" not in out.split("<main")[1].split("</main>")[0]
        assert "2379" not in out
        put(given, due_at=now - MINUTE)
        assert "0 of 11 points" in self.shown(people, attempt)
        assert "2379" not in self.shown(people, attempt)
        put(given, closes_at=now - MINUTE / 2)
        assert "2379" in self.shown(people, attempt)

    def test_a_blank_submission_must_be_meant(self, people: People, quiz: Quiz) -> None:
        client = Client()
        client.force_login(people.learner)
        attempt = services.start(people.learner, quiz)
        path = f"/en/quiz-attempts/{attempt.pk}/submit/"
        assert client.post(path).status_code == 422
        attempt.refresh_from_db()
        assert attempt.submitted_at is None
        assert client.post(path, {"blank": "on"}).status_code == 302

    def test_i_am_done_is_a_signal_and_no_submission(self, people: People, quiz: Quiz) -> None:
        client = Client()
        client.force_login(people.learner)
        attempt = services.start(people.learner, quiz)
        client.post(f"/en/quiz-attempts/{attempt.pk}/save/", {"then": "submit"})
        attempt.refresh_from_db()
        assert attempt.done_at is not None
        assert attempt.submitted_at is None

    def test_enter_in_a_field_saves_and_does_not_leave(self, people: People, quiz: Quiz) -> None:
        client = Client()
        client.force_login(people.learner)
        attempt = services.start(people.learner, quiz)
        out = client.get(f"/en/quiz-attempts/{attempt.pk}/").content.decode()
        first = out.split('<form method="post" action="/en/quiz-attempts/')[1].split("<button")[1]
        assert 'value="stay"' in first


def version(quiz: Quiz, **changes: Any) -> Version:
    data = {**quiz.data, **changes}
    made = Version.objects.get_or_create(kind="quiz", digest=digest(data), defaults={"data": data})[0]
    Quiz.objects.filter(pk=quiz.pk).update(version=made)
    quiz.refresh_from_db()
    return made


class TestDraws:
    def test_sections_draw_and_every_attempt_keeps_what_it_drew(self, people: People, quiz: Quiz) -> None:
        rows = [{**item, "bank": "ports" if item["id"] in ("port", "tool") else "rest"} for item in quiz.data["questions"]]
        rows = [item if item["bank"] == "ports" else {k: v for k, v in item.items() if k != "bank"} for item in rows]
        sections = [
            {"title": {"ko": "하나", "en": "Part one"}, "draw": {"bank": "ports", "count": 1}},
            {"pick": [item["id"] for item in rows if "bank" not in item], "shuffle": False},
        ]
        version(quiz, questions=rows, sections=sections)
        seen = set()
        for number in range(12):
            attempt = services.start(people.learner, quiz, seed=f"s{number}")
            asked = [item.spec["id"] for item in services.asked(attempt)]
            seen.add(asked[0])
            assert asked[1:] == sections[1]["pick"]
            version(quiz, shuffle=bool(number % 2), minutes=number + 1)
            assert [item.spec["id"] for item in services.asked(QuizAttempt.objects.get(pk=attempt.pk))] == asked
            services.submit(attempt)
        assert seen == {"port", "tool"}

    def test_drawn_values_stand_in_text_and_key(self, people: People, quiz: Quiz) -> None:
        spec = {
            "id": "quorum",
            "type": "numeric",
            "text": {"ko": "{{ n }}개", "en": "Quorum of {{ n }} members?"},
            "values": {"n": {"from": 3, "to": 9, "step": 2}},
            "let": {"q": "n / 2 + 1"},
            "answer": "{{ q }}",
        }
        version(quiz, questions=[spec])
        found = {}
        for number in range(10):
            attempt = services.start(people.learner, quiz, seed=f"v{number}")
            (item,) = services.asked(attempt)
            n = item.values["n"]
            assert item.spec["answer"] == n // 2 + 1
            assert item.spec["text"]["en"] == f"Quorum of {n} members?"
            services.save(attempt, form(quorum=n // 2 + 1, quorum__seen=0))
            assert services.submit(attempt).points == 1
            found[n] = True
        assert len(found) > 1


@pytest.mark.django_db(transaction=True)
def test_many_who_submit_at_once_lose_nothing(django_user_model: Any, people: People, quiz: Quiz) -> None:
    """Forty (or SUBMITTERS) at once, by as many threads as a server's processes have: every answer, every mark, every grade is there."""
    workers, count = 16, int(os.environ.get("SUBMITTERS", "40"))
    given = Assignment.objects.create(cohort=people.cohort, quiz=quiz)
    people_ = [django_user_model.objects.create_user(f"many{n}", f"many{n}@example.org", "a long password") for n in range(count)]
    for user in people_:
        people.cohort.memberships.create(user=user, role="learner")
    failures: list[str] = []

    def take(users: list[Any]) -> None:
        try:
            for user in users:
                client = Client()
                client.force_login(user)
                attempt = services.start(user, quiz)
                path = f"/en/quiz-attempts/{attempt.pk}/"
                body = {"q.port": "2379", "q.port.seen": "0", "q.tool": "etcdctl", "q.tool.seen": "0"}
                for _ in range(2):  # a retry after a lost answer
                    if client.post(path + "save/", body, HTTP_X_AUTOSAVE="1").status_code != 200:
                        failures.append(f"{user}: save")
                for _ in range(2):
                    if client.post(path + "submit/", {"blank": "on"}).status_code != 302:
                        failures.append(f"{user}: submit")
        except Exception as error:
            failures.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=take, args=(people_[n::workers],)) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert QuizAttempt.objects.filter(assignment=given, submitted_at__isnull=False, points=2).count() == count
    assert Grade.objects.filter(assignment=given, points=2).count() == count
    assert SavedAnswer.objects.filter(kept=True).count() == 2 * count
