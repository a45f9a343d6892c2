"""`manage.py importscenario`: scenarios of others as a course, and archives that mean harm."""

from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lessons.models import Course, Exercise, Lesson, Question
from lessons.scenarios import course, unpack
from simulator.core.kernel.errors import BadInput
from simulator.katacoda.files import Folder

OURS = Path(__file__).parent.parent / "katacoda" / "scenarios"


def bring(*arguments: str) -> str:
    """Run the command; what it printed."""
    out = io.StringIO()
    call_command("importscenario", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.django_db
def test_scenarios_become_a_course() -> None:
    """Lessons on their worlds, exercises from verify scripts, questions from quizzes, remarks by file and line; twice is once."""
    said = bring(str(OURS), "--course", "harbours")
    assert "note: quay/index.json:17: extra: unknown key; left out" in said
    assert said.endswith("harbours: 2 lessons, 3 exercises, 4 questions; 7 notes\n")
    found = Course.objects.get(slug="harbours")
    lessons = list(Lesson.objects.filter(chapter__course=found).order_by("number"))
    assert [(one.slug, one.data["scenario"]) for one in lessons] == [
        ("harbour", "playground-2nodes"),
        ("quay", "playground-ubuntu"),
    ]
    assert Exercise.objects.filter(course=found, active=True).count() == 3
    types = [q.data["type"] for q in Question.objects.filter(chapter__course=found).order_by("pk")]
    assert types == ["short", "short", "multiple", "single"]
    html = "".join(part.get("html", "") for part in (lessons[0].version.body or {})["en"])
    assert "data-run" in html and "crane.sh $amp;BERTH".replace("amp;", "") in html
    assert "echo &quot;$TEXT&quot;" not in html, "the solution is the exercise's, not the page's"
    assert bring(str(OURS), "--course", "harbours").count("harbours: 2 lessons") == 1
    assert Lesson.objects.filter(chapter__course=found, active=True).count() == 2


def test_a_lessons_setup_and_its_exercises_work_on_a_real_world(tmp_path: Path) -> None:
    """What the course's files say, played: set-up, clicks, and each exercise's solution makes its check pass."""
    import yaml

    from simulator.core.lab.checks import duration, evaluate
    from simulator.core.sandbox import Sandbox

    brought = course.Importer(Folder(OURS), "x").run()
    course.write(brought, tmp_path)
    text = (tmp_path / "01-harbour-course" / "lesson-harbour.en.md").read_text()
    front = yaml.safe_load(text.split("---\n")[1])
    sandbox = Sandbox.boot(front["scenario"])
    for step in front["setup"]:
        if "wait" in step:
            sandbox.advance(sandbox.now + duration(step["wait"]))
        else:
            assert sandbox.run(step["run"], host=step["host"]).code == 0
    assert sandbox.run("cat /root/berth.txt; stat -c %a /root/berth.txt", host="node01").stdout == "berth seven\n600\n"
    assert "harbour" in sandbox.run("kubectl get namespaces -o name").stdout
    for name in ("harbour-step1", "harbour-step2"):
        exercise = yaml.safe_load((tmp_path / "01-harbour-course" / "exercises" / f"{name}.yaml").read_text())
        program = {"settle": "0s", "checks": exercise["checks"]}
        assert evaluate(sandbox, program)["verdicts"][0]["state"] == "failed"
        for step in exercise["solution"]["commands"]:
            if not step["run"].endswith("-w"):
                sandbox.run(step["run"], host=step["host"], limit=130 * 10**9)
        sandbox.settle(60 * 10**9)
        assert evaluate(sandbox, program)["verdicts"][0]["state"] == "passed", name


@pytest.mark.django_db
def test_an_archive_is_taken_like_a_folder(tmp_path: Path) -> None:
    """A ZIP of a folder with scenarios."""
    archive = tmp_path / "harbours.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(OURS.rglob("*")):
            if path.is_file():
                out.write(path, f"repo/{path.relative_to(OURS)}")
    assert bring(str(archive), "--check").splitlines()[-1].startswith("harbours: in order: 2 lessons, 3 exercises, 4 questions")
    assert not Course.objects.filter(slug="harbours").exists()


def pack(path: Path, *entries: tuple[str, bytes, int]) -> Path:
    """An archive of (name, content, mode)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(info, data)
    return path


def test_paths_out_of_an_archive_and_links_are_left_out(tmp_path: Path) -> None:
    """Nothing is written outside the folder, and no link is made."""
    target = tmp_path / "out"
    target.mkdir()
    archive = pack(
        tmp_path / "a.zip",
        ("../evil", b"x", 0o644),
        ("/etc/evil", b"x", 0o644),
        ("a/../../evil", b"x", 0o644),
        ("link", b"/etc/passwd", stat.S_IFLNK | 0o777),
        ("a/ok.txt", b"ok", stat.S_IFREG | 0o644),
    )
    left_out = unpack.unpack(archive, target)
    assert len(left_out) == 4 and sum("leads out" in line for line in left_out) == 3
    assert [str(p.relative_to(target)) for p in sorted(target.rglob("*"))] == ["a", "a/ok.txt"]
    assert not (tmp_path / "evil").exists()


def test_bombs_and_broken_archives_are_refused(tmp_path: Path) -> None:
    """By size, by number, by ratio, by lies; each with a message and nothing else."""
    for archive, said in (
        (pack(tmp_path / "bomb.zip", ("zeros", b"\0" * (8 << 20), 0o644)), "unpacks to more than is taken"),
        (pack(tmp_path / "big.zip", ("big", bytes(range(256)) * (40 << 10), 0o644)), "unpacks to more than is taken"),
        (tmp_path / "none.zip", "cannot be unpacked"),
    ):
        if not archive.exists():
            archive.write_bytes(b"PK\x03\x04 nonsense")
        target = tmp_path / f"out-{archive.stem}"
        target.mkdir()
        with pytest.raises(BadInput, match=said):
            unpack.unpack(archive, target)
    with pytest.raises(CommandError, match="no such file or folder"):
        bring(str(tmp_path / "gone"))
    with pytest.raises(CommandError, match="no index"):
        bring(str(tmp_path / "out-none"))


SAMPLE = Path(__file__).parent / "sample" / "harbour-course"


def export(*arguments: str) -> str:
    """Run the other command; what it printed."""
    out = io.StringIO()
    call_command("exportscenario", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def played(folder: Path) -> dict[str, Any]:
    """The counts of all scenarios below a folder, played with their solutions."""
    from simulator.katacoda import package, reporting
    from simulator.katacoda.player import Player

    found = Folder(folder)
    reports = [Player(found, package.read(found, index), with_answers=True).play() for index in package.indexes(found)]
    return reporting.summary(reports)


def test_a_course_goes_out_and_comes_back(tmp_path: Path) -> None:
    """Scenarios to a course, the course to scenarios: they play, their verify scripts hold after the work and not before it."""
    course.write(course.Importer(Folder(OURS), "x").run(), tmp_path / "course")
    said = export(str(tmp_path / "course"), "--out", str(tmp_path / "out"))
    assert "lesson-quay.en.md:58: the question quay-q1 is left out: a question of the type short cannot be asked there" in said
    assert said.endswith("out: 2 scenarios, 3 verify scripts; 2 notes\n")
    counts = played(tmp_path / "out")
    assert counts["verifies"] == counts["verifies_passed"] == 3 and counts["verifies_idle"] == 0
    again = course.Importer(Folder(tmp_path / "out"), "y").run()
    assert (again.lessons, again.exercises, again.questions) == (2, 3, 2)


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_course_of_ours_as_scenarios(tmp_path: Path, language: str) -> None:
    """Commands, questions, hints and solutions, checks of objects as scripts; what does not go along is named."""
    said = export(str(SAMPLE), "--out", str(tmp_path / "out"), "--language", language)
    assert "figures/hub.svg is left out" in said and "1 verify scripts" in said
    texts = {path.name: path.read_text("utf-8") for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert "{{exec}}" in "".join(texts.values()) and ":::" not in "".join(texts.values())
    page = texts["make-a-namespace.md"]
    assert "<details>" in page and ("Solution" if language == "en" else "풀이") in page
    counts = played(tmp_path / "out")
    assert counts["verifies"] == counts["verifies_passed"] == 1 and counts["verifies_idle"] == 0
    with pytest.raises(CommandError, match="is not an empty folder"):
        export(str(SAMPLE), "--out", str(tmp_path / "out"))


@pytest.mark.parametrize(
    ("check", "line"),
    [
        ({"run": "hostname", "expect": {"path": "stdout", "equals": "a b"}}, '[ "$out" = \'a b\' ] || fail no'),
        ({"run": "x", "host": "node01", "expect": {"code": 0, "stderr_contains": "y"}}, "look 'ssh node01 x'"),
        ({"object": {"resource": "pods", "name": "web"}, "expect": {"path": "spec.containers[name=c].image", "equals": "nginx"}},
         """look 'kubectl get pods web -o jsonpath='"'"'{.spec.containers[?(@.name=="c")].image}'"'"''"""),
        ({"object": {"resource": "pods", "name": "web"}, "expect": {"exists": False}}, '[ -z "$out" ] || fail no'),
        ({"objects": {"resource": "pods", "namespace": "*", "selector": "app=web"}, "expect": {"path": "count", "at_least": 2}},
         '[ "$out" -ge 2 ] || fail no'),
        ({"file": {"path": "/etc/x"}, "expect": {"path": "exists", "equals": True}}, "[ $code -eq 0 ] || fail no"),
        ({"process": {"name": "kubelet", "host": "node01"}, "expect": {"path": "running", "equals": False}}, "[ $code -ne 0 ] || fail no"),
        ({"run": "x", "expect": {"stdout_matches": "^\\d+$"}}, ""),
        ({"run": "x", "expect": {"cel": "value.code == 0"}}, ""),
        ({"never": {"actor": "etcd"}}, ""),
        ({"etcd": {"key": "a"}, "expect": {"path": "count", "equals": 1}}, ""),
    ],
)  # fmt: skip
def test_checks_as_a_script(check: dict[str, Any], line: str) -> None:
    """Each form that a script can say, and a reason for each that it cannot."""
    from lessons.scenarios import verifying

    text, problems = verifying.script({"checks": [{"id": "c", "message": "no", **check}]}, "controlplane", "en")
    if line:
        assert line in text.splitlines() and not problems
    else:
        assert text == "" and problems[0].startswith("the check c is left out: ")


def test_downloads_from_the_scenarios_own_repository_and_unnamed_assets(tmp_path: Path) -> None:
    """What the tree has answers at its raw address in the lesson's world; anything else says that it is not simulated."""
    import json

    import yaml

    from simulator.core.sandbox import Sandbox

    where = "https://raw.githubusercontent.com/someone/labs/main"
    tree = tmp_path / "tree" / "lab"
    (tree / "assets").mkdir(parents=True)
    details = {"intro": {"text": "intro.md"}, "steps": [{"text": "one.md"}]}
    (tree / "index.json").write_text(json.dumps({"title": "Lab", "details": details, "backend": {"imageid": "ubuntu"}}))
    (tree / "intro.md").write_text(f"See `curl -s {where}/../../etc/passwd`.\n")
    (tree / "one.md").write_text(
        f"`curl -s {where}/lab/files/pod.yaml?x=1`{{{{exec}}}} `cat assets/a.txt`{{{{exec}}}} {where}/lab/gone.yaml\n"
    )
    (tree / "files").mkdir()
    (tree / "files" / "pod.yaml").write_text("kind: Pod\n")
    (tree / "assets" / "a.txt").write_text("asset\n")
    brought = course.Importer(Folder(tmp_path / "tree"), "x").run()
    assert any("pod.yaml of this tree" in str(note) for note in brought.notes)
    text = next(text for name, text in brought.files.items() if name.endswith(".en.md"))
    world = Sandbox.boot("playground-ubuntu")
    for step in yaml.safe_load(text.split("---\n")[1])["setup"]:
        assert world.run(step["run"], host=step["host"]).code == 0
    world = Sandbox.restore(world.snapshot())
    assert world.run(f"curl -s {where}/lab/files/pod.yaml; cat assets/a.txt").stdout == "kind: Pod\nasset\n"
    for path in ("lab/gone.yaml", "../../../../../etc/passwd", "lab/files", "lab/%2e%2e/x"):
        assert "not simulated in Slipway yet" in world.run(f"curl -s '{where}/{path}'").stdout, path
