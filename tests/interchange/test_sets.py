"""Sets: kept whole, put up as quizzes that mark as Moodle would, reached by those who teach and nobody else."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from lessons.interchange import gift, services, specs
from lessons.interchange.items import Kind
from lessons.interchange.models import QuestionSet
from lessons.loading.publish import publish
from lessons.loading.reader import read_course
from lessons.models import Course, Quiz
from lessons.quizzes.types import TYPES
from tests.lessons.conftest import SAMPLE, People
from tests.lessons.conftest import course as course
from tests.lessons.conftest import people as people
from tests.lessons.conftest import quiz as quiz

HARBOUR = Path(__file__).parent / "data" / "harbour.gift"


def run(command: str, *args: Any) -> str:
    out = io.StringIO()
    call_command(command, *args, stdout=out, stderr=out)
    return out.getvalue()


def test_import_and_export_lose_nothing(db: None, tmp_path: Path) -> None:
    assert "harbour.gift: 21 questions as the set `harbour`" in run("importgift", HARBOUR)
    run("exportgift", "harbour", "--out", tmp_path / "again.gift")
    before, after = gift.read(HARBOUR.read_text()).items, gift.read((tmp_path / "again.gift").read_text()).items
    kept = [
        (item.kind, item.name, item.text, item.answers, item.numbers, item.pairs, item.feedback, item.category) for item in before
    ]
    assert kept == [
        (item.kind, item.name, item.text, item.answers, item.numbers, item.pairs, item.feedback, item.category) for item in after
    ]


def test_a_second_import_replaces_the_set(db: None) -> None:
    run("importgift", HARBOUR)
    run("importgift", HARBOUR)
    assert QuestionSet.objects.count() == 1


def test_errors_name_file_and_line(db: None, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.gift"
    wrong.write_text("fine{=a}\n\nbroken{~a}\n")
    with pytest.raises(CommandError, match=rf"{wrong}:3: needs at least 2 answers"):
        run("importgift", wrong)
    with pytest.raises(CommandError, match="No such file"):
        run("importgift", tmp_path / "none.gift")
    with pytest.raises(CommandError, match="no question set or quiz `nothing`"):
        run("exportgift", "nothing")
    assert not QuestionSet.objects.exists()


def test_up_as_a_quiz_and_there_after_the_course_is_loaded_again(course: Course) -> None:
    said = run("importgift", HARBOUR, "--course", course.slug)
    assert f"up as {course.slug}/harbour-set" in said  # the course has a chapter `harbour` of its own
    publish(read_course(SAMPLE))
    run("importgift", HARBOUR, "--course", course.slug)
    quiz = Quiz.objects.get(chapter__slug="harbour-set")
    assert quiz.active
    assert quiz.chapter.active
    assert len(quiz.data["questions"]) == 20  # the last text has no question after it
    assert quiz.questions.filter(active=True).count() == 20
    assert Client().get(quiz.get_absolute_url()).status_code == 200
    assert Client().get(course.get_absolute_url()).status_code == 200


def spec_of(text: str) -> dict[str, Any]:
    made, notes = specs.to_specs(gift.read(text).items)
    assert notes == []
    return made[0]


@pytest.mark.parametrize(
    ("text", "answer", "share"),
    [
        ("q{=a ~%50%b ~c}", [0], 1.0),
        ("q{=a ~%50%b ~c}", [1], 0.5),
        ("q{=a ~%-50%b ~c}", [1], 0.0),
        ("q{~%50%a ~%50%b ~%-50%c}", [0, 1], 1.0),
        ("q{~%50%a ~%50%b ~%-50%c}", [0, 1, 2], 0.5),
        ("q{~%50%a ~%50%b ~c}", [0, 1, 2], 1.0),
        ("q{~%33.33333%a ~%33.33333%b ~%33.33333%c ~%-100%d}", [0, 1, 2], 1.0),
        ("q{~%70%a ~%30%b ~%-100%d}", [0], 0.7),
        ("q{=Nazareth =%75%Nazereth}", "nazareth", 1.0),
        ("q{=Nazareth =%75%Nazereth}", "Nazereth", 0.75),
        ("q{=name\\=*}", "name=value", 1.0),
        ("q{#=1822:0 =%50%1822:2}", "1822", 1.0),
        ("q{#=1822:0 =%50%1822:2}", "1823", 0.5),
        ("q{#=1822:0 =%50%1822:2}", "1830", 0.0),
        ("q{#3.141..3.142}", "3.1415", 1.0),
        ("q{#3.141..3.142}", "3.143", 0.0),
        ("q{F#no#yes}", False, 1.0),
        ("q{=a -> 1\n=b -> 2\n= -> 3}", [0, 1], 1.0),
        ("q{=a -> 1\n=b -> 2\n= -> 3}", [0, 2], 0.5),
    ],
)
def test_marks_are_those_of_the_file(text: str, answer: Any, share: float) -> None:
    spec = spec_of(text)
    assert TYPES[spec["type"]].grade(spec, answer).fraction == pytest.approx(share)


def test_what_is_said_to_answers() -> None:
    spec = spec_of("q{=a =%50%b#nearly =%0%c#not at all}")
    assert TYPES["short"].why(spec, "b", "en") == ["nearly"]
    assert TYPES["short"].why(spec, "c", "en") == ["not at all"]
    spec = spec_of("q{#=4:0#right =%50%4:1#close ~#far off}")
    assert TYPES["numeric"].why(spec, "5", "en") == ["close"]
    assert spec["feedback"] == {"wrong": specs.both("far off"), "right": specs.both("right")}


def test_html_is_told_apart_from_text() -> None:
    spec = spec_of("[html]<p>A <b>pod</b><br>&lt;name&gt; <code>a_b</code></p>{=x}")
    assert spec["text"]["en"] == "A **pod**  \n\\<name\\> `a_b`"
    assert spec_of("a_b *c*{=x}")["text"]["en"] == r"a\_b \*c\*"
    _made, notes = specs.to_specs(gift.read('[html]<img src\\="x.png" alt\\="a map">{=x}').items)
    assert "img" in notes[0].reason


def test_texts_between_questions_go_with_the_next_one() -> None:
    made, notes = specs.to_specs(gift.read("Read this.\n\nq{=a}\n\nAnd this.").items)
    assert made[0]["text"]["en"] == "Read this.\n\nq"
    assert [note.reason for note in notes] == ["stands before the question q", "is left out: no question follows this text"]


def test_a_quiz_of_ours_as_gift_and_back(quiz: Quiz) -> None:
    written = services.write(quiz, "gift")
    items = gift.read(written.content.decode()).items
    kinds = {spec["type"] for spec in quiz.data["questions"]}
    made, _notes = specs.to_specs(items)
    assert len(items) == len(quiz.data["questions"])
    assert kinds - {spec["type"] for spec in made} <= {"ordering"}
    by_id = {spec["id"]: spec for spec in made}
    for spec in quiz.data["questions"]:
        again, kind = by_id[spec["id"]], TYPES[spec["type"]]
        if spec["type"] in {"single", "multiple"}:
            right = [index for index, choice in enumerate(spec["choices"]) if choice.get("correct")]
            for answer in (right, right[:1], [0], [1], [0, 1]):
                assert kind.grade(again, answer).fraction == pytest.approx(kind.grade(spec, answer).fraction), (
                    spec["id"],
                    answer,
                )
        assert TYPES[again["type"]].key(again, "en")


def test_yaml_is_a_quiz_file(db: None) -> None:
    found = services.bring(HARBOUR.read_bytes(), "harbour.gift")
    data = yaml.safe_load(services.write(found, "yaml").content)
    assert len(data["questions"]) == 20


# -- pages ----------------------------------------------------------------------------------------------------------------------


def upload(client: Client, content: bytes, name: str = "harbour.gift") -> Any:
    return client.post(reverse("interchange:sets"), {"file": SimpleUploadedFile(name, content), "title": ""})


def test_an_instructor_brings_a_file_in(people: People, client: Client) -> None:
    client.force_login(people.instructor)
    answer = upload(client, HARBOUR.read_bytes())
    found = QuestionSet.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == found.get_absolute_url()
    page = client.get(found.get_absolute_url()).content.decode()
    assert "Who keeps the keys" in page
    written = client.get(reverse("interchange:download", args=[found.slug, "gift"]))
    assert len(gift.read(written.content.decode()).items) == len(found.items)
    assert written["Content-Disposition"] == 'attachment; filename="harbour.gift"'


def test_a_wrong_file_is_refused_with_its_lines(people: People, client: Client) -> None:
    client.force_login(people.instructor)
    answer = upload(client, b"fine{=a}\n\nbroken{~<b>}\n", "x.gift")
    assert answer.status_code == 422
    assert "x.gift:3: needs at least 2 answers" in answer.content.decode()
    assert upload(client, "q{=é}".encode("latin-1"), "x.gift").status_code == 422
    assert not QuestionSet.objects.exists()


def test_who_sees_sets(people: People, client: Client) -> None:
    found = services.bring(HARBOUR.read_bytes(), "harbour.gift", owner=people.instructor)
    boss = get_user_model().objects.create_user("boss", "boss@example.org", "a long password", is_staff=True)
    pages = [found.get_absolute_url(), reverse("interchange:download", args=[found.slug, "gift"])]
    expected = {
        people.instructor: 200, boss: 200, people.owner: 404, people.assistant: 404, people.foreign_instructor: 404,
        people.learner: 404, people.stranger: 404,
    }  # fmt: skip
    for user, status in expected.items():
        client.force_login(user)
        assert [client.get(page).status_code for page in pages] == [status, status], user
        if user not in (people.instructor, boss):
            assert client.post(reverse("interchange:delete", args=[found.slug])).status_code == 404
    client.logout()
    assert [client.get(page).status_code for page in pages] == [302, 302]
    client.force_login(people.learner)
    assert client.get(reverse("interchange:sets")).status_code == 404
    assert upload(client, b"q{=a}").status_code == 404
    assert QuestionSet.objects.count() == 1


def test_only_who_runs_the_site_puts_a_set_up(people: People, course: Course, client: Client) -> None:
    found = services.bring(HARBOUR.read_bytes(), "harbour.gift", owner=people.instructor)
    address = reverse("interchange:put-up", args=[found.slug])
    client.force_login(people.instructor)
    assert client.post(address, {"course": course.slug}).status_code == 404
    client.force_login(get_user_model().objects.create_user("boss", "boss@example.org", "a long password", is_staff=True))
    assert client.post(address, {"course": course.slug}).status_code == 302
    assert Quiz.objects.filter(chapter__slug="harbour-set", active=True).exists()


def test_every_kind_is_named() -> None:
    from lessons.interchange.views import WORDS

    assert set(WORDS) == set(Kind)
