"""Loading: what is right goes up, what is wrong is named by file, line and field, and the old content stays."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from lessons.loading.marked import MAX_DEPTH, parse
from lessons.loading.problems import ContentError
from lessons.loading.publish import publish
from lessons.loading.reader import read_course
from lessons.models import Course, Exercise, Lesson, Quiz, Version
from tests.lessons.conftest import SAMPLE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the sample course that a test may break."""
    return Path(shutil.copytree(SAMPLE, tmp_path / "harbour-course"))


def change(path: Path, old: str, new: str) -> int:
    """Replace a text and return the line where it stood."""
    text = path.read_text()
    assert text.count(old) >= 1, old
    path.write_text(text.replace(old, new, 1))
    return text[: text.index(old)].count("\n") + 1


def complaints(folder: Path) -> list[str]:
    """What the reader says about a course."""
    with pytest.raises(ContentError) as caught:
        read_course(folder)
    return [str(problem) for problem in caught.value.problems]


CHAPTER = "01-harbour"
EXERCISE = f"{CHAPTER}/exercises/make-a-namespace.yaml"

# file, what to replace, by what, the line after the place, what the complaint says after file and line
WRONG = [
    ("course.yaml", "scenario: three-nodes", "scenari: three-nodes", 0, "scenari: no such field here"),
    ("course.yaml", "en: A small course for tests.", "fr: A small course.", 0, "about.en: is missing"),
    ("course.yaml", "scenario: three-nodes", "scenario: Three Nodes", 0, 'scenario: "Three Nodes" is not a slug'),
    (
        f"{CHAPTER}/chapter.yaml",
        "lessons: [ships, hub]",
        "lessons: [ships, hub, moon]",
        0,
        "lessons[2]: there is no lesson-moon.en.md",
    ),
    (EXERCISE, "expect: {exists: true}", "expect: {exist: true}", 0, "checks[0].expect.exist: no such field"),
    (EXERCISE, "needs: [exists]", "needs: [exist]", 0, "checks[1].needs[0]: `exist` is not"),
    (EXERCISE, "expect: {exists: true}", "expect: {exists: true, length: 3}", 0, "needs exactly one operator"),
    (
        EXERCISE,
        "    run: kubectl",
        "    user: root\n    file: {host: a, path: /b}\n    run: kubectl",
        -3,
        "needs exactly one probe",
    ),
    (EXERCISE, "fails: exists", "fails: nothing", 0, "wrong[0].fails: there is no check `nothing`"),
    (EXERCISE, ", en: It is not listed.}", "}", 0, "checks[1].message.en: is missing"),
    (f"{CHAPTER}/quiz.yaml", "{text: etcd, correct: true}", "{text: etcd}", -1, "questions[0].choices: exactly one choice has"),
    (f"{CHAPTER}/quiz.yaml", "answer: 2379", "answer: often", 0, 'questions[3].answer: must be a number, not "often"'),
    (f"{CHAPTER}/quiz.yaml", "type: matching", "type: pairing", 0, "questions[5].type: there is no type 'pairing'"),
    (f"{CHAPTER}/quiz.yaml", "lesson: hub", "lesson: moon", 0, "questions[0].lesson: there is no lesson `moon`"),
    (
        f"{CHAPTER}/quiz.yaml",
        "accept: [etcdctl]",
        "accept: [etcdctl]\n    patterns: ['(?=a)b']",
        1,
        "questions[4].patterns[0]: not a regular expression",
    ),
    (f"{CHAPTER}/lesson-ships.en.md", "minutes: 5", "minutes: soon", 0, 'minutes: must be a whole number, not "soon"'),
    (f"{CHAPTER}/lesson-ships.en.md", "```run host=node01", "```run hots=node01", 0, "no such option: hots"),
    (f"{CHAPTER}/lesson-ships.en.md", "```yaml", "```cobol", 0, "no block of kind `cobol`"),
    (f"{CHAPTER}/lesson-ships.en.md", "(lesson:hub)", "(lesson:moon)", 0, "links to lesson `moon`"),
    (f"{CHAPTER}/lesson-ships.en.md", "![A hub and two ships]", "![]", 0, "the picture says nothing"),
    (f"{CHAPTER}/lesson-ships.en.md", "## Who is here", "# Who is here", 0, "sections are `##`"),
]


@pytest.mark.parametrize(("file", "old", "new", "offset", "reason"), WRONG, ids=[f"{row[0]}-{row[4][:30]}" for row in WRONG])
def test_a_mistake_is_named_by_file_line_and_field(folder: Path, file: str, old: str, new: str, offset: int, reason: str) -> None:
    line = change(folder / file, old, new) + offset
    said = complaints(folder)
    assert any(f"harbour-course/{file}:{line}: " in one and reason in one for one in said), said


def test_all_mistakes_are_named_not_only_the_first(folder: Path) -> None:
    change(folder / "course.yaml", "scenario:", "scenari:")
    change(folder / CHAPTER / "quiz.yaml", "answer: 2379", "answer: often")
    change(folder / CHAPTER / "lesson-ships.ko.md", "```yaml", "```cobol")
    said = "\n".join(complaints(folder))
    for part in ("scenari", "scenario: is missing", "often", "cobol"):
        assert part in said


def test_the_two_languages_must_embed_the_same(folder: Path) -> None:
    change(folder / CHAPTER / "lesson-ships.ko.md", ":::question who-binds\n", "")
    assert any("lesson-ships.ko.md" in one and "embeds other questions" in one for one in complaints(folder))


def test_a_missing_language_is_named(folder: Path) -> None:
    (folder / CHAPTER / "lesson-hub.ko.md").unlink()
    assert any("chapter.yaml:3: lessons[1]: there is no lesson-hub.ko.md" in one for one in complaints(folder))


def test_a_chapter_names_the_lens_of_its_lessons_and_a_lesson_another(folder: Path) -> None:
    change(folder / CHAPTER / "chapter.yaml", "lessons:", "lens: etcd\nlessons:")
    for language in ("ko", "en"):
        change(folder / CHAPTER / f"lesson-hub.{language}.md", "minutes:", "lens: ships\nminutes:")
    (chapter,) = [one for one in read_course(folder).chapters if one.slug == "harbour"]
    assert {lesson.slug: lesson.data.get("lens") for lesson in chapter.lessons} == {"ships": "etcd", "hub": None}
    change(folder / CHAPTER / "chapter.yaml", "lens: etcd", "lens: sonar")
    assert any("lens" in one and "sonar" in one for one in complaints(folder))


def test_an_exercise_that_no_lesson_embeds_is_named(folder: Path) -> None:
    for language in ("ko", "en"):
        change(folder / CHAPTER / f"lesson-ships.{language}.md", ":::try make-a-namespace\n", "")
    assert any("make-a-namespace.yaml: is embedded in no lesson" in one for one in complaints(folder))


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: &x 1\nb: *x\n", 1, "anchors and aliases are not allowed"),
        ("a: 1\nb: !!python/object:os.system x\n", 2, "tags are not allowed"),
        ("a: 1\nb: 2\na: 3\n", 3, "this key is here twice"),
        ("a: 1\nb: [1, 2\n", 3, "not YAML"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), 1, "nested deeper"),
        ("- 1\n" * 20_001, 20_000, "more than 20000 values"),
        ("x" * 300_000, 0, "longer than 256 KB"),
        ("a: \x07\n", 0, "not YAML"),
        ("? [a]\n: 1\n", 1, "a key must be text"),
    ],
)
def test_yaml_has_limits(text: str, line: int, reason: str) -> None:
    found = parse(text, "f.yaml").problems
    assert found, reason
    assert reason in found[0].reason
    assert found[0].line == line


def test_yaml_keeps_words_as_text() -> None:
    assert parse('a: no\nb: on\nc: 1.27.3\nd: "1.27"\ne: 012\nf: 3\ng: true\nh: 1.5\ni: 2026-01-01\n', "f").data == {
        "a": "no", "b": "on", "c": "1.27.3", "d": "1.27", "e": "012", "f": 3, "g": True, "h": 1.5, "i": "2026-01-01",
    }  # fmt: skip


@pytest.mark.postgres
@pytest.mark.django_db
class TestPublish:
    def test_everything_is_up(self) -> None:
        done = publish(read_course(SAMPLE))
        assert (done.lessons, done.exercises, done.questions) == (2, 1, 8)
        ships = Lesson.objects.get(slug="ships")
        assert ships.label == "1.1"
        assert ships.data["scenario"] == "three-nodes"
        assert ships.version.body is not None
        assert [next(iter(part)) for part in ships.version.body["ko"]] == ["html", "question", "html", "try", "html"]

    def test_twice_changes_nothing(self) -> None:
        publish(read_course(SAMPLE))
        before = list(Version.objects.order_by("pk").values_list("pk", "digest"))
        assert publish(read_course(SAMPLE)).new_versions == 0
        assert list(Version.objects.order_by("pk").values_list("pk", "digest")) == before

    def test_only_what_changed_gets_a_new_version(self, folder: Path) -> None:
        publish(read_course(folder))
        kept = Exercise.objects.get().version_id
        old = Lesson.objects.get(slug="hub").version_id
        change(folder / CHAPTER / "lesson-hub.en.md", "Everything", "All that moves")
        assert publish(read_course(folder)).new_versions == 1
        assert Exercise.objects.get().version_id == kept
        assert Lesson.objects.get(slug="hub").version_id != old
        assert Version.objects.filter(pk=old).exists()

    def test_what_goes_away_is_taken_down_and_not_deleted(self, folder: Path) -> None:
        publish(read_course(folder))
        (folder / CHAPTER / "quiz.yaml").unlink()
        for language in ("ko", "en"):
            (folder / CHAPTER / f"lesson-hub.{language}.md").unlink()
            change(folder / CHAPTER / f"lesson-ships.{language}.md", "(lesson:hub)", "(lesson:ships)")
            change(folder / CHAPTER / f"lesson-ships.{language}.md", "(quiz:harbour)", "(lesson:ships)")
        change(folder / CHAPTER / "chapter.yaml", "[ships, hub]", "[ships]")
        publish(read_course(folder))
        assert not Lesson.objects.get(slug="hub").active
        assert not Quiz.objects.get().active

    def test_a_failed_load_leaves_the_old_content_up(self, folder: Path) -> None:
        call_command("loadcourse", str(folder), stdout=StringIO())
        before = Lesson.objects.get(slug="ships").version_id
        change(folder / CHAPTER / "lesson-ships.en.md", "A worker carries", "A worker bears")
        line = change(folder / CHAPTER / "quiz.yaml", "answer: 2379", "answer: often")
        errors = StringIO()
        with pytest.raises(CommandError, match="what was up stays up"):
            call_command("loadcourse", str(folder), stdout=StringIO(), stderr=errors)
        assert f"quiz.yaml:{line}: questions[3].answer: must be a number" in errors.getvalue()
        assert Lesson.objects.get(slug="ships").version_id == before
        assert Course.objects.get().active

    def test_check_changes_nothing(self, folder: Path) -> None:
        call_command("loadcourse", str(folder), "--check", stdout=StringIO())
        assert not Course.objects.exists()

    def test_an_empty_folder_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match=r"no course\.yaml"):
            call_command("loadcourse", str(tmp_path))


def test_the_course_of_this_repository_is_in_order() -> None:
    content = Path(__file__).parents[2] / "lessons" / "content" / "cluster-architecture"
    read_course(content)


def quiz_problems(**changes: object) -> list[str]:
    """What the loader says about the questions and sections of a small quiz."""
    from lessons.loading import questions, validate
    from lessons.loading.marked import Marked

    port = {"id": "port", "type": "numeric", "text": {"ko": "a", "en": "a"}, "answer": 1}
    marked = Marked("quiz.yaml", {"title": {"ko": "a", "en": "a"}, "minutes": 1, "questions": [port], **changes})
    found = [*validate.problems(marked, validate.schema("quiz")), *questions.problems(marked, set())]
    return [f"{item.field}: {item.reason}" for item in found]


def numeric(slug: str, **more: object) -> dict[str, object]:
    return {"id": slug, "type": "numeric", "text": {"ko": "a", "en": "a"}, "answer": 1, **more}


DRAW = {"draw": {"bank": "b", "count": 2}}
N = {"n": {"from": 1, "to": 3}}
CHECK = {
    "id": "c",
    "title": {"ko": "a", "en": "a"},
    "message": {"ko": "a", "en": "a"},
    "object": {"resource": "pods", "name": "x"},
}
COMMAND = {"id": "q", "type": "command", "text": {"ko": "a", "en": "a"}, "scenario": "three-nodes", "solution": ["true"]}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"sections": [{"pick": ["port"]}]}, ""),
        ({"sections": [{"pick": ["port", "prot"]}]}, "sections[0].pick[1]: there is no question `prot`"),
        ({"sections": [{"pick": ["port"]}, {"pick": ["port"]}]}, "asked in another section already"),
        ({"sections": [{}]}, "sections[0]: has either `pick` or `draw`"),
        ({"questions": [numeric("a", bank="b")], "sections": [DRAW]}, "the bank `b` has 1 questions, not 2"),
        (
            {"questions": [numeric("a", bank="b"), numeric("c", bank="b", points=2)], "sections": [DRAW]},
            "give the same points, not 1, 2",
        ),
        ({"questions": [numeric("a"), numeric("c")], "sections": [{"pick": ["a"]}]}, "`c` is never asked"),
        ({"questions": [numeric("a", values=N, answer="{{ n }}")]}, ""),
        ({"questions": [numeric("a", values=N, answer="{{ m }}")]}, "`{{ m }}` is neither in `values` nor in `let`"),
        ({"questions": [numeric("a", values=N, let={"q": "n / 0"}, answer="{{ q }}")]}, "questions[0].let: "),
        (
            {"questions": [numeric("a", values=N, let={"q": "'x'"}, answer="{{ q }}")]},
            'must be a number, not "x" (with n = 1, q = x)',
        ),
        ({"questions": [numeric("a", values={"n": {"choose": [1, 2], "from": 1}}, answer=1)]}, "has either `choose: [...]` or"),
        ({"questions": [{**COMMAND, "checks": [{**CHECK, "expect": {"cel": "value.status.phase == 'Running'"}}]}]}, ""),
        (
            {"questions": [{**COMMAND, "checks": [{**CHECK, "expect": {"cel": "valu.x"}}]}]},
            "questions[0].checks[0].expect.cel: cel: ",
        ),
        ({"questions": [{**COMMAND, "checks": [CHECK]}]}, "questions[0].checks[0].expect: is missing"),
        (
            {"questions": [{**COMMAND, "checks": [{**CHECK, "expect": {"exists": True}, "what_if": [{"fault": "sink"}]}]}]},
            "does not exist",
        ),
        ({"questions": [COMMAND]}, "questions[0].checks: is missing"),
    ],
)
def test_sections_values_and_checks_of_a_quiz(changes: dict[str, object], said: str) -> None:
    found = quiz_problems(**changes)
    assert any(said in item for item in found) if said else found == [], found
