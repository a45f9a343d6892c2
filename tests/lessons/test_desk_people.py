"""Signals, why somebody is stuck, replays and their links, rosters, roles, dates, data, certificates."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from lessons.dashboards.heat import heat
from lessons.dashboards.selectors import board
from lessons.desk import replays
from lessons.desk.columns import BadFile
from lessons.desk.models import Announcement, Certificate, ChapterDates, Message, ReplayLink, RosterEntry, Signal
from lessons.desk.roster import upload
from lessons.grading import adjusting
from lessons.grading.models import Adjustment, Grade, GradeEvent, Regrade
from lessons.labs import services as labs
from lessons.labs.models import CheckRun
from lessons.models import Exercise, Invite, Lesson, Membership, Quiz
from lessons.quizzes.models import Assignment, Extension
from simulator import services as simulator
from simulator.models import ClusterSession, JournalEntry, OutputBatch
from simulator.packing import pack
from tests.lessons.conftest import Cluster, People
from tests.lessons.test_dashboards import sign_in
from tests.lessons.test_desk import take
from tests.lessons.test_learning import RIGHT

pytestmark = pytest.mark.postgres


class TestStuck:
    def test_a_distance_that_does_not_fall(self, people: People, exercise: Exercise) -> None:
        attempt = labs.current_attempt(people.learner, exercise)
        attempt.failed_checks = 2
        attempt.save()
        for passed in (1, 0, 1):
            CheckRun.objects.create(attempt=attempt, verdicts=[], passed=passed, total=2)
        (stuck,) = board(people.cohort).stuck
        assert (stuck.level, stuck.left, stuck.failed) == (True, 1, 2)
        attempt.runs.all().delete()
        for passed in (0, 0, 1):  # nearer at last
            CheckRun.objects.create(attempt=attempt, verdicts=[], passed=passed, total=2)
        assert board(people.cohort).stuck == []

    def test_silence_after_an_error(self, people: People, exercise: Exercise, standin: type) -> None:
        session = labs.lesson_session(people.learner, exercise.lesson)
        simulator.append_input(session, kind="line", data={"terminal": "t1", "text": "kubctl"})
        simulator.settle(session)
        session.refresh_from_db()
        row = JournalEntry.objects.get()
        cursor = session.output_cursor + 1
        chunk = [cursor, 5, "t1", 2, "bash: kubctl: command not found\n"]
        OutputBatch.objects.create(session=session, first=cursor, last=cursor, chunks=pack([chunk]))
        ClusterSession.objects.filter(pk=session.pk).update(output_cursor=cursor)
        now = row.created_at
        assert board(people.cohort, now=now + datetime.timedelta(minutes=4)).stuck == []
        (stuck,) = board(people.cohort, now=now + datetime.timedelta(minutes=9)).stuck
        assert stuck.silence is not None
        assert (stuck.user, stuck.silence.command, stuck.session) == (people.learner, "kubctl", str(session.pk))
        assert "command not found" in stuck.silence.said
        assert board(people.cohort, now=now + datetime.timedelta(hours=3)).stuck == []
        simulator.append_input(session, kind="line", data={"terminal": "t1", "text": "echo well"})
        simulator.settle(session)
        assert board(people.cohort, now=now + datetime.timedelta(minutes=9)).stuck == []

    def test_silence_in_the_cluster_of_an_exercise_counts_until_it_is_passed(
        self, people: People, exercise: Exercise, standin: type, cluster: Cluster
    ) -> None:
        slot = f"{people.cohort.course.slug}/{exercise.lesson.slug}/{exercise.slug}"
        session = simulator.session_for(people.learner, "three-nodes", slot)
        simulator.append_input(session, kind="line", data={"terminal": "t1", "text": "kubctl"})
        simulator.settle(session)
        session.refresh_from_db()
        cursor = session.output_cursor + 1
        chunks = pack([[cursor, 5, "t1", 2, "bash: kubctl: command not found\n"]])
        OutputBatch.objects.create(session=session, first=cursor, last=cursor, chunks=chunks)
        ClusterSession.objects.filter(pk=session.pk).update(output_cursor=cursor)
        later = timezone.now() + datetime.timedelta(minutes=9)
        (stuck,) = board(people.cohort, now=later).stuck
        assert (stuck.exercise, stuck.silence and stuck.silence.command) == (exercise, "kubctl")
        cluster.passing = {"exists", "listed"}
        sign_in(people.learner).post(f"/en/exercises/{exercise.pk}/check/")
        assert board(people.cohort, now=later).stuck == []

    def test_the_heat_map_in_both_ways_pages_and_orders(self, people: People, exercise: Exercise, cluster: Cluster) -> None:
        for number in range(105):
            user = get_user_model().objects.create_user(f"many-{number:03}")
            Membership.objects.create(cohort=people.cohort, user=user, role=Membership.Role.LEARNER)
        last = get_user_model().objects.get(username="many-104")
        Signal.objects.create(user=last, course=people.cohort.course, kind="help", note="<b>")
        found = board(people.cohort)
        first = heat(found)
        assert (first.shown, first.of, first.pages) == (100, 107, 2)
        assert len(heat(found, page=2).rows) == 7
        assert 'data-learner="many-104"' in heat(found, sort="stuck").rows[0]
        assert heat(found, who="many-10").of == 5
        assert first.columns == 3
        assert heat(found, by="exercises").columns == 2
        out = sign_in(people.owner).get(f"/en/cohorts/{people.cohort.pk}/?by=exercises&sort=stuck&page=zz").content.decode()
        assert "“&lt;b&gt;”" in out


class TestSignals:
    def test_one_stands_at_a_time_and_staff_clear_it(self, people: People, ships: Lesson) -> None:
        learner, assistant = sign_in(people.learner), sign_in(people.assistant)
        path = f"/en/lessons/{ships.pk}/signal/"
        learner.post(path, {"kind": "help", "note": "why?"})
        learner.post(path, {"kind": "done"}, headers={"HX-Request": "true"})
        assert [row.kind for row in Signal.objects.filter(cleared_at=None)] == ["done"]
        row = Signal.objects.get(cleared_at=None)
        assert "I am done" in assistant.get(f"/en/cohorts/{people.cohort.pk}/").content.decode()
        assistant.post(f"/en/cohorts/{people.cohort.pk}/signals/{row.pk}/clear/")
        row.refresh_from_db()
        assert row.cleared_by == people.assistant
        learner.post(path, {"kind": "help"})
        learner.post(path, {"kind": ""})
        assert not Signal.objects.filter(cleared_at=None).exists()
        assert learner.post(path, {"kind": "<x>"}).status_code == 404

    def test_a_message_reaches_the_next_lesson_until_it_is_read(self, people: People, ships: Lesson, standin: type) -> None:
        sign_in(people.assistant).post(
            f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/message/", {"text": "Look at <events>"}
        )
        learner = sign_in(people.learner)
        page = "/en/courses/harbour-course/harbour/ships/"
        assert "Look at &lt;events&gt;" in learner.get(page).content.decode()
        row = Message.objects.get()
        learner.post(f"/en/messages/{row.pk}/read/", {"lesson": ships.pk})
        assert "Look at" not in learner.get(page).content.decode()


class TestReplay:
    @pytest.fixture
    def session(self, people: People, ships: Lesson, standin: type) -> ClusterSession:
        found = labs.lesson_session(people.learner, ships)
        for text in ("echo one", "echo two"):
            simulator.append_input(found, kind="line", data={"terminal": "t1", "text": text})
        simulator.settle(found)
        found.refresh_from_db()
        return found

    def test_what_a_page_plays(self, people: People, exercise: Exercise, session: ClusterSession) -> None:
        attempt = labs.current_attempt(people.learner, exercise)
        evidence = {"session": str(session.pk), "journal_seq": 2, "now": session.advanced_to}
        CheckRun.objects.create(attempt=attempt, verdicts=[], passed=0, total=2, evidence=evidence)
        found = replays.data(session)
        assert [(moment["kind"], moment["text"]) for moment in found["moments"]] == [
            ("line", "echo one"),
            ("line", "echo two"),
            ("check", "Make a namespace"),
        ]
        assert found["moments"][2]["failed"]
        assert "one" in "".join(chunk[3] for chunk in found["chunks"])
        base = f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/sessions/{session.pk}/replay/"
        client = sign_in(people.assistant)
        assert client.get(base + "data/").json()["end"] == session.advanced_to
        assert "view" in client.get(base + f"look/?at={session.advanced_to}").json()
        for bad in ("", "x", "-1", "9" * 30, "１"):
            assert client.get(base + "look/", {"at": bad}).status_code == 400

    def test_a_link_shows_no_name_and_ends(self, people: People, session: ClusterSession) -> None:
        owner, nobody = sign_in(people.owner), Client()
        base = f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/sessions/{session.pk}/"
        assert owner.post(base + "share/", {"days": "365"}).status_code == 404
        assert owner.post(base + "share/", {"days": "1"}).status_code == 302
        link = ReplayLink.objects.get()
        path = f"/en/replays/{replays.signed(link)}/"
        out = nobody.get(path).content.decode()
        assert "data-replay=" in out
        assert people.learner.username + "<" not in out
        assert nobody.get(path + "data/").json()["moments"]
        assert nobody.get(path + "look/?at=0").status_code == 200
        forged = f"/en/replays/{replays.signed(link)[:-1]}x/"
        assert nobody.get(forged).status_code == nobody.get(forged + "data/").status_code == 404
        ReplayLink.objects.update(expires_at=timezone.now() - datetime.timedelta(seconds=1))
        assert nobody.get(path).status_code == nobody.get(path + "look/?at=0").status_code == 404
        ReplayLink.objects.update(expires_at=timezone.now() + datetime.timedelta(days=1))
        owner.post(f"/en/cohorts/{people.cohort.pk}/replays/{link.pk}/close/")
        assert nobody.get(path).status_code == 404


class TestRoster:
    def test_who_is_there_is_in_and_others_come_when_they_log_in(self, people: People) -> None:
        done = upload(people.cohort, b"email,name\nstranger@example.org,Jun\nnew@example.org,Mina\n")
        assert (done.new, done.joined) == (2, 1)
        assert Membership.objects.get(user=people.stranger).role == "learner"
        user = get_user_model().objects.create_user("new", "New@Example.org", "a long password")
        Client().login(username="new", password="a long password")
        assert Membership.objects.get(user=user).cohort == people.cohort
        assert RosterEntry.objects.get(email="new@example.org").joined == user

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("a@example.org\nnobody", "line 2: nobody is no e-mail address"),
            ("a@example.org,A,boss", "line 1: boss is no role"),
            ("a@example.org,A,owner", "line 1: owner is no role"),
            ("a@example.org,A,instructor", "line 1: you may not give the role instructor"),
            ("a@example.org\nA@Example.org", "line 2: a@example.org is there twice"),
        ],
    )
    def test_what_is_wrong_is_said_by_line(self, people: People, text: str, said: str) -> None:
        with pytest.raises(BadFile, match=said):
            upload(people.cohort, text.encode())
        assert not RosterEntry.objects.exists()

    def test_through_the_page(self, people: People) -> None:
        client = sign_in(people.instructor)
        path = f"/en/cohorts/{people.cohort.pk}/roster/"
        for text, expected in (("x", 422), ("a@example.org,A,instructor", 422), ("a@example.org,A,assistant", 302)):
            assert client.post(path, {"file": SimpleUploadedFile("r.csv", text.encode())}).status_code == expected
        assert RosterEntry.objects.get().role == "assistant"


class TestMembers:
    def test_only_owners_make_owners_and_one_stays(self, people: People) -> None:
        rows = {row.user_id: row.pk for row in people.cohort.memberships.all()}
        base = f"/en/cohorts/{people.cohort.pk}/members/"

        def change(who: Any, whom: Any, role: str) -> str:
            sign_in(who).post(f"{base}{rows[whom.pk]}/role/", {"role": role})
            return people.cohort.memberships.filter(user=whom).values_list("role", flat=True).first() or ""

        assert change(people.instructor, people.learner, "instructor") == "learner"
        assert change(people.instructor, people.owner, "learner") == "owner"
        assert change(people.owner, people.owner, "learner") == "owner"
        assert change(people.owner, people.owner, "remove") == "owner"
        assert change(people.instructor, people.assistant, "observer") == "observer"
        assert change(people.owner, people.instructor, "owner") == "owner"
        assert change(people.instructor, people.owner, "learner") == "learner"
        assert change(people.instructor, people.learner, "remove") == ""

    def test_codes_domains_and_ends_of_invites(self, people: People) -> None:
        owner, stranger = sign_in(people.owner), sign_in(people.stranger)
        make = f"/en/cohorts/{people.cohort.pk}/invites/"
        owner.post(make, {"role": "observer", "domain": "@Uni.example", "days": "7"})
        invite = Invite.objects.exclude(pk=people.invite.pk).get()
        assert (invite.role, invite.email_domain, invite.expires_at is not None) == ("observer", "uni.example", True)
        owner.post(make, {"role": "learner", "domain": "not a domain"})
        assert Invite.objects.count() == 2
        code = f" {(invite.code or '')[:4].lower()}-{(invite.code or '')[4:]} "
        assert stranger.post("/en/join/", {"code": code})["Location"] == invite.get_absolute_url()
        assert stranger.post(invite.get_absolute_url()).status_code == 403
        people.stranger.email = "jun@UNI.example"
        people.stranger.save()
        assert stranger.post(invite.get_absolute_url()).status_code == 302
        assert Membership.objects.get(user=people.stranger).role == "observer"
        Invite.objects.update(expires_at=timezone.now() - datetime.timedelta(minutes=1))
        assert stranger.get(invite.get_absolute_url()).status_code == 410
        assert stranger.post("/en/join/", {"code": invite.code})["Location"] == "/en/cohorts/"


class TestPlan:
    def test_a_chapter_that_opens_later(self, people: People, ships: Lesson, standin: type) -> None:
        owner, chapter = sign_in(people.owner), ships.chapter
        save = f"/en/cohorts/{people.cohort.pk}/plan/dates/"
        owner.post(save, {f"opens-{chapter.pk}": "2090-01-01T10:00", f"due-{chapter.pk}": "2089-01-01T10:00"})
        owner.post(save, {f"opens-{chapter.pk}": "soon"})
        assert not ChapterDates.objects.exists()
        owner.post(save, {f"opens-{chapter.pk}": "2090-01-01T10:00", f"due-{chapter.pk}": "2090-02-01T10:00"})
        page = "/en/courses/harbour-course/harbour/ships/"
        closed = sign_in(people.learner).get(page)
        assert closed.status_code == 403
        assert "This chapter opens" in closed.content.decode()
        for user in (people.owner, people.assistant, people.stranger):
            assert sign_in(user).get(page).status_code == 200
        preview = f"/en/cohorts/{people.cohort.pk}/plan/preview/?at="
        assert "opens 1 Jan" in owner.get(preview + "2089-12-01T10:00").content.decode()
        assert "to be done by" in owner.get(preview + "2090-01-10T10:00").content.decode()
        assert "was to be done by" in owner.get(preview + "2090-03-01T10:00").content.decode()
        owner.post(save, {})
        assert sign_in(people.learner).get(page).status_code == 200

    def test_quizzes_and_announcements_at_a_date(self, people: People, quiz: Quiz) -> None:
        owner = sign_in(people.owner)
        opens, due, closes = (datetime.datetime(2090, month, 1, tzinfo=datetime.UTC) for month in (1, 2, 3))
        Assignment.objects.create(cohort=people.cohort, quiz=quiz, opens_at=opens, due_at=due, closes_at=closes)
        owner.post(f"/en/cohorts/{people.cohort.pk}/plan/announcements/", {"text": "The quiz is near", "at": "2090-01-10T10:00"})

        def seen(month: int) -> str:
            at = f"/en/cohorts/{people.cohort.pk}/plan/preview/?at=2090-{month:02}-15T10:00"
            return str(owner.get(at).content.decode())

        assert "opens 1 Jan" in owner.get(f"/en/cohorts/{people.cohort.pk}/plan/preview/?at=2089-12-01T10:00").content.decode()
        assert "open, due 1 Feb" in seen(1)
        assert "The quiz is near" in seen(1)
        assert "was due 1 Feb" in seen(2)
        assert "closed" in seen(3)

    def test_announcements(self, people: People, ships: Lesson, standin: type) -> None:
        owner = sign_in(people.owner)
        path = f"/en/cohorts/{people.cohort.pk}/plan/announcements/"
        owner.post(path, {"text": "Tomorrow at ten <b>"})
        owner.post(path, {"text": "Later", "at": "2090-01-01T10:00"})
        owner.post(path, {"text": " "})
        owner.post(path, {"text": "x", "at": "soon"})
        assert Announcement.objects.count() == 2
        out = sign_in(people.learner).get("/en/courses/harbour-course/harbour/ships/").content.decode()
        assert "Tomorrow at ten &lt;b&gt;" in out
        assert "Later" not in out


class TestData:
    def test_everything_of_mine(self, people: People, exercise: Exercise, quiz: Quiz, cluster: Cluster) -> None:
        client = sign_in(people.learner)
        cluster.passing = {"exists", "listed"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        take(people.learner, quiz, **RIGHT)
        found = json.loads(client.get("/en/my-data/slipway-data.json").content)
        assert found["account"]["username"] == "learner"
        assert len(found["checks"]) == len(found["quizzes"]) == 1
        assert len(found["answers"]) == 7
        assert "other_learner" not in json.dumps(found)
        hers = sign_in(people.owner).get(f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/data.json").json()
        assert len(hers["answers"]) == 7
        assert "email" not in hers["account"]

    def test_deleting_a_learners_work(self, people: People, exercise: Exercise, quiz: Quiz, cluster: Cluster) -> None:
        client = sign_in(people.learner)
        cluster.passing = {"exists", "listed"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        attempt = take(people.learner, quiz, **RIGHT)
        asked = simulator.session_for(people.learner, "three-nodes", f"quiz/{attempt.pk}/uncordon")  # a question's cluster
        adjusting.adjust(people.cohort, people.learner, quiz, by=people.owner, reason="was ill", kind="excused")
        given = Assignment.objects.create(cohort=people.cohort, quiz=quiz)
        adjusting.grant(given, people.learner, by=people.owner, reason="reads slowly", extra_minutes=5)
        change = {"user": people.learner.pk, "username": "learner", "attempt": attempt.pk}
        others = {"user": people.other_learner.pk, "username": "other_learner", "attempt": 0}
        regrade = Regrade.objects.create(cohort=people.cohort, quiz=quiz, version=quiz.version, changes=[change, others])
        RosterEntry.objects.create(cohort=people.cohort, email=people.learner.email, role="learner", joined=people.learner)
        owner = sign_in(people.owner)
        learner = f"/en/cohorts/{people.cohort.pk}/learners/{people.learner.pk}/"
        assert owner.get(f"{learner}sessions/{asked.pk}/replay/").status_code == 200
        hers = owner.get(f"{learner}data.json").content.decode()
        assert all(word in hers for word in (str(asked.pk), "was ill", "reads slowly", people.learner.email))
        owner.post(f"{learner}delete/", {"name": "learner"})
        for model in (Grade, Adjustment, GradeEvent, Extension):
            assert not model.objects.filter(user=people.learner).exists()
        assert not RosterEntry.objects.exists()
        regrade.refresh_from_db()
        assert [row["username"] for row in regrade.changes] == ["other_learner"]
        assert not ClusterSession.objects.filter(owner=people.learner).exists()
        assert [row.user for row in board(people.cohort).rows] == [people.other_learner]
        assert get_user_model().objects.filter(pk=people.learner.pk).exists()

    def test_deleting_oneself(self, people: People, exercise: Exercise, cluster: Cluster) -> None:
        client = sign_in(people.learner)
        cluster.passing = {"exists", "listed"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        client.post("/en/my-data/delete/", {"name": "somebody"})
        assert get_user_model().objects.filter(pk=people.learner.pk).exists()
        client.post("/en/my-data/delete/", {"name": "learner"})
        assert not get_user_model().objects.filter(pk=people.learner.pk).exists()
        assert not CheckRun.objects.exists()
        owner = sign_in(people.owner)
        owner.post("/en/my-data/delete/", {"name": "owner"})
        assert get_user_model().objects.filter(pk=people.owner.pk).exists()  # the cohort would be nobody's


class TestCertificate:
    def test_progress_then_completion_that_stays(self, people: People, exercise: Exercise, quiz: Quiz, cluster: Cluster) -> None:
        client = sign_in(people.learner)
        client.get("/en/courses/harbour-course/harbour/ships/")
        assert "Certificate of progress" in client.get("/en/courses/harbour-course/certificate/").content.decode()
        cluster.passing = {"exists", "listed"}
        client.post(f"/en/exercises/{exercise.pk}/check/")
        take(people.learner, quiz, **RIGHT)
        out = client.get("/en/courses/harbour-course/certificate/").content.decode()
        assert "has completed the course" in out
        row = Certificate.objects.get()
        assert row.facts["exercises"] == [1, 1]
        issued = row.issued_at
        Grade.objects.all().delete()
        client.get("/en/courses/harbour-course/certificate/")
        row.refresh_from_db()
        assert (row.facts["complete"], row.issued_at) == (True, issued)
        shown = Client().get(f"/ko/certificates/{row.number.lower()}/")
        assert shown.status_code == 200
        assert row.number in shown.content.decode()
        assert Client().get("/en/certificates/AAAA-AAAA-AAAA/").status_code == 404
