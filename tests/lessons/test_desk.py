"""The desk's figures: gradebook, exports, columns from elsewhere, item analysis; each against what a hand would count."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from openpyxl import load_workbook

from lessons.desk import gradebook as books
from lessons.desk.analysis import analyse
from lessons.desk.columns import BadFile, import_column, read_lines
from lessons.desk.models import Column
from lessons.desk.table import csv_text, safe, xlsx_bytes
from lessons.grading import services as grading
from lessons.models import Exercise, Membership, Quiz
from lessons.quizzes import services as quizzes
from lessons.quizzes.models import QuizAttempt
from tests.lessons.conftest import Cluster, People
from tests.lessons.test_dashboards import sign_in
from tests.lessons.test_learning import RIGHT, form_of

pytestmark = pytest.mark.postgres


def take(user: Any, quiz: Quiz, **answers: Any) -> QuizAttempt:
    """One attempt with these answers."""
    attempt = quizzes.start(user, quiz)
    attempt.seed = "a"
    attempt.save()
    client = sign_in(user)
    client.post(f"/en/quiz-attempts/{attempt.pk}/save/", form_of(attempt, **answers))
    client.post(f"/en/quiz-attempts/{attempt.pk}/submit/", {"blank": "on"})
    attempt.refresh_from_db()
    return attempt


@pytest.fixture
def graded(people: People, exercise: Exercise, quiz: Quiz, cluster: Cluster) -> People:
    """One learner passed the exercise with two hints (9 of 10); the other has 11 of 11 in the quiz, and 1 at first."""
    client = sign_in(people.learner)
    client.post(f"/en/exercises/{exercise.pk}/hint/")
    client.post(f"/en/exercises/{exercise.pk}/hint/")
    cluster.passing = {"exists", "listed"}
    client.post(f"/en/exercises/{exercise.pk}/check/")
    take(people.other_learner, quiz, port="2379")
    take(people.other_learner, quiz, **RIGHT)
    take(people.instructor, quiz)
    return people


class TestGradebook:
    def test_marks_and_sums(self, graded: People, exercise: Exercise, quiz: Quiz) -> None:
        found = books.book(graded.cohort)
        assert [(head.key, head.most) for head in found.heads] == [(f"x{exercise.pk}", 10), (f"q{quiz.pk}", 11)]
        assert [[mark.points for mark in line.marks.values()] for line in found.lines] == [[9, None], [None, 11]]
        assert [(line.total, line.of) for line in found.lines] == [(9, 21), (11, 21)]
        assert found.lines[0].percent == pytest.approx(9 / 21 * 100)
        assert found.medians() == {f"x{exercise.pk}": 9, f"q{quiz.pk}": 11}

    def test_columns_from_elsewhere_count_with_their_weight(self, graded: People) -> None:
        import_column(graded.cohort, "Talk", 20, 0.5, b"learner,points\nlearner,15\nother_learner@example.org,20\n")
        found = books.book(graded.cohort)
        assert [(line.total, line.of) for line in found.lines] == [(9 + 15, 41), (11 + 20, 41)]
        assert found.lines[0].percent == pytest.approx(100 * (9 + 0.5 * 15) / (21 + 0.5 * 20))
        import_column(graded.cohort, "Talk", 20, 0.5, "\ufefflearner;10,5\n".encode())
        assert [(line.total, line.of) for line in books.book(graded.cohort).lines] == [(9 + 10.5, 41), (11, 41)]

    def test_order_and_filters(self, graded: People, exercise: Exercise) -> None:
        found = books.book(graded.cohort)

        def names(other: books.Book) -> list[str]:
            return [line.user.username for line in other.lines]

        assert names(books.ordered(found, "-sum")) == ["other_learner", "learner"]
        assert names(books.ordered(found, "-name")) == ["other_learner", "learner"]
        assert names(books.ordered(found, f"x{exercise.pk}")) == ["learner", "other_learner"]
        assert names(books.ordered(found, f"-x{exercise.pk}")) == ["learner", "other_learner"]  # without a mark: last
        assert names(books.ordered(found, "nonsense")) == ["learner", "other_learner"]
        assert names(books.narrowed(found, only="below")) == ["learner"]
        assert names(books.narrowed(found, show="quizzes", only="missing")) == ["learner"]
        assert names(books.narrowed(found, who="OTHER")) == ["other_learner"]
        assert [head.kind for head in books.narrowed(found, show="exercises").heads] == ["exercise"]
        assert len(books.narrowed(found, show="1").heads) == 2
        assert books.narrowed(found, show="7").heads == []

    def test_command_page_csv_and_xlsx_say_the_same(
        self, graded: People, capsys: pytest.CaptureFixture[str], tmp_path: Any
    ) -> None:
        expected = books.export_rows(books.book(graded.cohort))
        assert expected[0][3:] == ["exercise make-a-namespace (/10)", "quiz harbour (/11)", "sum", "of", "percent"]
        assert expected[1] == ["learner", "", "learner@example.org", 9, None, 9, 21, 42.86]
        call_command("exportgrades", "autumn")
        printed = capsys.readouterr().out
        client = sign_in(graded.assistant)
        page = client.get(f"/ko/cohorts/{graded.cohort.pk}/gradebook/grades.csv")
        assert page.content.decode() == printed == csv_text(expected)
        assert list(csv.reader(io.StringIO(printed)))[1] == ["learner", "", "learner@example.org", "9", "", "9", "21", "42.86"]
        call_command("exportgrades", str(graded.cohort.pk), format="xlsx", output=tmp_path / "grades.xlsx")
        for blob in (
            (tmp_path / "grades.xlsx").read_bytes(),
            client.get(f"/en/cohorts/{graded.cohort.pk}/gradebook/grades.xlsx").content,
        ):
            sheet = load_workbook(io.BytesIO(blob)).active
            assert sheet is not None
            assert [[cell or None for cell in row] for row in sheet.iter_rows(values_only=True)] == [
                [cell or None for cell in row] for row in expected
            ]

    def test_the_export_follows_the_pages_filters(self, graded: People) -> None:
        client = sign_in(graded.owner)
        text = client.get(f"/en/cohorts/{graded.cohort.pk}/gradebook/grades.csv?show=quizzes&who=other").content.decode()
        assert [row[0] for row in csv.reader(io.StringIO(text))] == ["learner", "other_learner"]
        assert "exercise" not in text

    def test_the_page(self, graded: People, exercise: Exercise) -> None:
        out = sign_in(graded.owner).get(f"/en/cohorts/{graded.cohort.pk}/gradebook/?sort=-sum").content.decode()
        assert out.index(">other_learner</a>") < out.index(">learner</a>")
        assert 'aria-sort="descending"' in out
        assert f"/learners/{graded.learner.pk}/lessons/{exercise.lesson_id}/#x{exercise.pk}" in out

    def test_queries_do_not_grow(self, people: People, quiz: Quiz, django_assert_max_num_queries: Any) -> None:
        for number in range(25):
            user = get_user_model().objects.create_user(f"many-{number}")
            Membership.objects.create(cohort=people.cohort, user=user, role=Membership.Role.LEARNER)
            quizzes.submit(quizzes.start(user, quiz))
            grading.record_quiz(user, quiz)
        with django_assert_max_num_queries(15):
            assert len(books.book(people.cohort).lines) == 27

    def test_commands_say_what_there_is(self, people: People) -> None:
        with pytest.raises(CommandError, match=r"no cohort is called moon; there are: .*autumn"):
            call_command("exportgrades", "moon")
        with pytest.raises(CommandError, match=r"no quiz is called moon; there are: harbour-course/harbour"):
            call_command("itemanalysis", "moon")


class TestColumns:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("nobody,5", "line 1: nobody is no learner of this cohort"),
            ("learner,5\ninstructor,5", "line 2: instructor is no learner of this cohort"),
            ("learner,5\nother_learner,x", "line 2: x is not a number"),
            ("learner,5\nother_learner,nan", "line 2: nan is not a number"),
            ("learner,21", "line 1: 21 is not between 0 and 20"),
            ("learner,-1", "line 1: -1 is not between 0 and 20"),
            ("learner,5\nlearner@example.org,6", "line 2: learner@example.org is there twice"),
            ("learner,5\n\n\nlearner", "line 4: a learner and points are needed"),
            ("", "The file is empty."),
            ('learner,"5', "unexpected end of data"),
            ("learner,\0", "The file is not text in UTF-8."),
        ],
    )
    def test_what_is_wrong_is_said_by_line_and_nothing_is_kept(self, people: People, text: str, said: str) -> None:
        with pytest.raises(BadFile) as found:
            import_column(people.cohort, "Talk", 20, 1, text.encode())
        assert said in "\n".join(found.value.problems)
        assert not Column.objects.exists()

    def test_bounds(self) -> None:
        for blob in (b"x" * 600_000, b"learner,1\n" * 5_002, b"\xff\xfe"):
            with pytest.raises(BadFile):
                read_lines(blob)
        assert len(BadFile([str(number) for number in range(100)]).problems) == 21

    def test_through_the_page(self, people: People) -> None:
        client = sign_in(people.instructor)
        path = f"/en/cohorts/{people.cohort.pk}/gradebook/columns/"

        def send(text: str) -> Any:
            file = SimpleUploadedFile("talk.csv", text.encode())
            return client.post(path, {"name": "Talk", "most": "20", "weight": "1", "file": file})

        bad = send("nobody,5")
        assert bad.status_code == 422
        assert "line 1: nobody is no learner of this cohort" in bad.content.decode()
        assert send("learner,5").status_code == 302
        column = Column.objects.get()
        assert column.marks.get().points == 5
        # the learner's own page counts it as the gradebook does
        mine = sign_in(people.learner).get(f"/en/cohorts/{people.cohort.pk}/my-grades/").content.decode()
        line = books.book(people.cohort).lines[0]
        assert line.user == people.learner
        assert "It was marked elsewhere" in mine
        assert f"{line.percent:.2f}".rstrip("0").rstrip(".") + "% of everything" in mine
        assert client.post(path, {"name": "Talk"}).status_code == 422
        assert client.post(f"{path}{column.pk}/remove/").status_code == 302
        assert not Column.objects.exists()


class TestTables:
    def test_a_cell_is_never_a_formula(self, people: People) -> None:
        assert safe("=1+1") == "'=1+1"
        assert csv_text([["@x", -1.5, None, "a,b"]]) == '\'@x,-1.5,,"a,b"\r\n'
        sheet: Any = load_workbook(io.BytesIO(xlsx_bytes("a/b:[c]", [["=1+1", 2.5, "\x07bell"]]))).active
        assert (sheet.title, sheet["A1"].data_type, sheet["A1"].value) == ("a_b__c_", "s", "=1+1")
        assert (sheet["B1"].value, sheet["C1"].value) == (2.5, "bell")


class TestItemAnalysis:
    @pytest.fixture
    def taken(self, people: People, quiz: Quiz) -> People:
        """Four learners: all right; all but the order; store and port wrong, no order; nothing.  One tries again."""
        more = [get_user_model().objects.create_user(f"more-{number}") for number in range(2)]
        for user in more:
            Membership.objects.create(cohort=people.cohort, user=user, role=Membership.Role.LEARNER)
        take(people.learner, quiz, **RIGHT)
        take(people.other_learner, quiz, **{key: value for key, value in RIGHT.items() if key != "order"})
        wrong = {**RIGHT, "store": 1, "port": "2380"}
        take(more[0], quiz, **{key: value for key, value in wrong.items() if key != "order"})
        take(more[1], quiz)
        take(more[1], quiz, **RIGHT)
        take(people.owner, quiz, **RIGHT)
        take(people.stranger, quiz, **RIGHT)
        return people

    def test_first_attempts_of_learners(self, taken: People, quiz: Quiz) -> None:
        found = analyse(quiz, cohort=taken.cohort)
        assert found.people == 4
        items = {item.slug: item for item in found.items}
        assert items["store"].facility == pytest.approx(0.5)
        assert items["port"].facility == pytest.approx(0.5)
        assert items["store"].blank == 1
        answers = {answer.words: (answer.right, answer.count) for answer in items["port"].answers}
        assert answers == {"2379": (True, 2), "2380": (False, 1)}
        # store: 1 1 0 0 of those with totals 11, 11−order, that − store − port, 0
        totals = [
            attempt.points
            for attempt in QuizAttempt.objects.filter(
                number=1, user__in=[row.user_id for row in taken.cohort.memberships.filter(role="learner")]
            ).order_by("pk")
        ]
        own = [items["store"].points, items["store"].points, 0, 0]
        rest = [float(total or 0) - mine for total, mine in zip(totals, own, strict=True)]
        mean, centre = sum(own) / 4, sum(rest) / 4
        cross = sum((a - mean) * (b - centre) for a, b in zip(own, rest, strict=True))
        spread = (sum((a - mean) ** 2 for a in own) * sum((b - centre) ** 2 for b in rest)) ** 0.5
        assert items["store"].discrimination == pytest.approx(cross / spread)
        assert sum(found.histogram) == 4
        assert found.alpha is not None
        assert all(item.flags == [] for item in found.items)

    def test_which_attempts(self, taken: People, quiz: Quiz) -> None:
        assert [analyse(quiz, cohort=taken.cohort, which=which).people for which in ("first", "last", "best", "all")] == [
            4,
            4,
            4,
            5,
        ]
        assert analyse(quiz, cohort=taken.cohort, which="best").histogram[-1] == 2
        assert analyse(quiz, cohort=taken.cohort, which="first").histogram[0] == 1
        assert analyse(quiz).people == 5  # the stranger learns too, in no cohort; staff do not count
        assert analyse(quiz, cohort=taken.foreign_cohort).people == 0

    def test_page_and_command_print_the_same_table(self, taken: People, quiz: Quiz, capsys: pytest.CaptureFixture[str]) -> None:
        call_command("itemanalysis", "harbour-course/harbour", cohort="autumn")
        printed = capsys.readouterr().out
        client = sign_in(taken.owner)
        table = f"/en/cohorts/{taken.cohort.pk}/items/quizzes/{quiz.pk}/table.csv"
        assert client.get(table).content.decode() == printed
        # the points that they are made of, without names: the same learner has the same alias in the gradebook
        call_command("itemanalysis", "harbour-course/harbour", cohort="autumn", points=True)
        points = client.get(table + "?of=points").content.decode()
        assert points == capsys.readouterr().out
        rows = list(csv.DictReader(io.StringIO(points.lstrip("\ufeff"))))
        assert sorted(float(row["store"]) for row in rows) == [0, 0, 2, 2]
        call_command("exportgrades", "autumn", without_names=True)
        grades = list(csv.DictReader(io.StringIO(capsys.readouterr().out.lstrip("\ufeff"))))
        assert {row["learner"] for row in grades} == {row["learner"] for row in rows}
        for text in (points, client.get(f"/en/cohorts/{taken.cohort.pk}/gradebook/grades.csv?names=no").content.decode()):
            assert not any(name in text for name in ("more-0", "more-1", "other_learner", "@"))
        rows = list(csv.DictReader(io.StringIO(printed)))
        assert [row["question"] for row in rows][-1] == "*"
        assert rows[0]["learners"] == "4"
        out = client.get(f"/en/cohorts/{taken.cohort.pk}/items/quizzes/{quiz.pk}/").content.decode()
        assert "Cronbach" in out
        assert f"/learners/{taken.learner.pk}/quizzes/{quiz.pk}/" in out
        assert client.get(f"/en/cohorts/{taken.cohort.pk}/items/").status_code == 200

    def test_nobody_yet(self, people: People, quiz: Quiz) -> None:
        found = analyse(quiz, cohort=people.cohort)
        assert (found.people, found.mean, found.alpha, found.items) == (0, None, None, [])
        out = sign_in(people.owner).get(f"/en/cohorts/{people.cohort.pk}/items/quizzes/{quiz.pk}/").content.decode()
        assert "Nobody has submitted an attempt yet." in out

    def test_an_exercise(self, people: People, exercise: Exercise, cluster: Cluster) -> None:
        one, other = sign_in(people.learner), sign_in(people.other_learner)
        one.post(f"/en/exercises/{exercise.pk}/check/")
        cluster.passing = {"exists", "listed"}
        one.post(f"/en/exercises/{exercise.pk}/check/")
        cluster.passing = {"exists"}
        other.post(f"/en/exercises/{exercise.pk}/check/")
        sign_in(people.owner).post(f"/en/exercises/{exercise.pk}/check/")
        out = Client()
        out.force_login(people.owner)
        context = out.get(f"/en/cohorts/{people.cohort.pk}/items/exercises/{exercise.pk}/").context
        figures = context["figures"]
        assert (figures.tried, figures.passed, figures.first_time, figures.failed_checks) == (2, 1, 0, 1)
        checks = {check.slug: (check.failed, check.reached, check.people) for check in figures.checks}
        assert checks == {"exists": (1, 3, []), "listed": (1, 2, [people.other_learner.pk])}


@pytest.mark.slow
def test_wrong_commands_are_those_that_the_machine_refused(people: People, exercise: Exercise) -> None:
    from lessons.desk.commandlines import wrong_commands
    from lessons.labs import services as labs
    from simulator import services as simulator
    from simulator import worlds

    for user, lines in (
        (people.learner, ["kubctl get pods", "kubectl get nodes", "kubectl  get pod  nope"]),
        (people.other_learner, ["kubctl get pods", "kubctl get pods", "ls"]),
        (people.owner, ["kubctl get pods"]),
    ):
        session = labs.exercise_session(user, exercise)
        for text in lines:
            simulator.append_input(session, kind="line", data={"terminal": "controlplane", "text": text})
        simulator.settle(session)
    worlds.cache.clear()
    found = wrong_commands(exercise, [people.learner.pk, people.other_learner.pk])
    assert [(wrong.text, wrong.count, len(wrong.people)) for wrong in found] == [
        ("kubctl get pods", 3, 2),
        ("kubectl get pod nope", 1, 1),
    ]
    assert "command not found" in found[0].said
    assert 'pods "nope" not found' in found[1].said
