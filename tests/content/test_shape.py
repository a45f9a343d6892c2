"""What each chapter of the course must have, counted: short lessons with a figure among them, predictions, exercises of all four kinds
with solution, wrong attempts and hints, a page to review, and a quiz that is drawn from a bank."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

COURSE = Path(__file__).parents[2] / "lessons" / "content" / "cluster-architecture"
CHAPTERS = sorted(COURSE.glob("[0-9][0-9]-*"))
#: The chapters of the notes, in their order.
SLUGS = [
    *(
        "architecture",
        "runtimes",
        "etcd",
        "etcd-in-kubernetes",
        "etcdctl",
        "apiserver",
        "controllers",
        "scheduler",
        "kubelet",
        "kube-proxy",
    )
]
KINDS = {"do", "find", "repair", "explain"}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def text_of(chapter: Path, lesson: str) -> str:
    return (chapter / f"lesson-{lesson}.en.md").read_text("utf-8")


def test_the_chapters_are_those_of_the_notes_in_their_order() -> None:
    assert [path.name.partition("-")[2] for path in CHAPTERS] == SLUGS


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.name)
class TestChapter:
    def test_lessons(self, chapter: Path) -> None:
        """Three to six, each short; each asks before it shows and has something to run; at least one figure of our own."""
        lessons = load(chapter / "chapter.yaml")["lessons"]
        assert 3 <= len(lessons) <= 6
        for lesson in lessons:
            text = text_of(chapter, lesson)
            words = re.findall(r"\w+", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
            assert len(words) <= 1000, lesson
            assert ":::question" in text and "```run" in text, lesson
            assert text.index(":::question") < text.rindex("```run"), f"{lesson}: nothing is run after it was asked"
        assert any("](figures/" in text_of(chapter, lesson) for lesson in lessons)

    def test_exercises(self, chapter: Path) -> None:
        """At least four, of all kinds and of rising weight, each with what a learner and a test need."""
        exercises = {path.stem: load(path) for path in (chapter / "exercises").glob("*.yaml")}
        assert len(exercises) >= 4 and {one["kind"] for one in exercises.values()} == KINDS
        assert len({one["points"] for one in exercises.values()}) >= 2
        for slug, one in exercises.items():
            assert 1 <= len(one["hints"]) <= 3, slug
            assert one["solution"]["why"] and one.get("wrong"), slug
        order = [
            slug
            for lesson in load(chapter / "chapter.yaml")["lessons"]
            for slug in re.findall(r":::try (\S+)", text_of(chapter, lesson))
        ]
        assert sorted(order) == sorted(exercises)
        points = [exercises[slug]["points"] for slug in order]
        assert max(points[len(points) // 2 :]) == max(points), "the weightiest exercises come in the second half"

    def test_review_and_quiz(self, chapter: Path) -> None:
        """A page to review; a quiz of ten or more from a bank of at least twice as many, with questions about worlds among them."""
        assert len(load(chapter / "review.yaml")["commands"]) >= 8
        quiz = load(chapter / "quiz.yaml")
        banks = Counter(question.get("bank") for question in quiz["questions"])
        asked = {section["draw"]["bank"]: section["draw"]["count"] for section in quiz["sections"]}
        assert sum(asked.values()) >= 10 and len(quiz["questions"]) >= 2 * sum(asked.values())
        assert all(banks[bank] > count for bank, count in asked.items())
        assert {"output", "command", "state"} & {question["type"] for question in quiz["questions"]}
        assert len({question["type"] for question in quiz["questions"]}) >= 7
