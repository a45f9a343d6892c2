"""The questions of one attempt, as it was drawn, with what was answered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lessons.models import Question
from lessons.quizzes import layout
from lessons.quizzes.models import QuizAttempt, Response
from lessons.quizzes.types import TYPES, QuestionType


@dataclass(slots=True)
class Asked:
    """One question of an attempt, its drawn values in place, with what the learner answered."""

    number: int
    spec: dict[str, Any]
    kind: QuestionType
    question_id: int
    seed: str
    response: Response | None = None
    values: dict[str, Any] = field(default_factory=dict)
    section: int = 0

    @property
    def name(self) -> str:
        """The prefix of its form fields."""
        return f"q.{self.spec['id']}"

    @property
    def points(self) -> float:
        """What it is worth."""
        return layout.points_of(self.spec)

    @property
    def answer(self) -> Any:
        """The saved answer, or None."""
        return self.response.answer if self.response else None


def spec_in(data: dict[str, Any], drawn: dict[str, Any]) -> dict[str, Any] | None:
    """A question of a quiz's data as it was drawn: with its values and with what its world printed; None when it is not there."""
    raw = next((item for item in data["questions"] if item["id"] == drawn["id"]), None)
    if raw is None:
        return None
    spec: dict[str, Any] = layout.fill(raw, drawn.get("values", {}))
    if "world" in drawn:
        spec["world"] = drawn["world"]
    return spec


def layout_of(attempt: QuizAttempt) -> list[dict[str, Any]]:
    """The attempt's drawn questions in order; drawn anew for attempts from before layouts were kept (the seed decides)."""
    found: list[dict[str, Any]] = attempt.layout or layout.draw(attempt.version.data, attempt.seed)
    return found


def asked(attempt: QuizAttempt) -> list[Asked]:
    """The attempt's questions in its own order."""
    ids = {item.slug: item.pk for item in Question.objects.filter(quiz_id=attempt.quiz_id)}
    saved = {item.question_id: item for item in attempt.responses.all()}
    out = []
    for number, drawn in enumerate(layout_of(attempt), 1):
        spec = spec_in(attempt.version.data, drawn)
        assert spec is not None, "a layout names questions of its version"
        pk = ids.get(spec["id"]) or _identity(attempt, spec["id"])
        seed = f"{attempt.seed}/{spec['id']}"
        response = saved.get(pk)
        out.append(Asked(number, spec, TYPES[spec["type"]], pk, seed, response, drawn.get("values", {}), drawn.get("section", 0)))
    return out


def _identity(attempt: QuizAttempt, slug: str) -> int:
    """The row of a question that no file holds (one that an instructor wrote)."""
    place = {"chapter_id": attempt.quiz.chapter_id, "position": 0, "version": attempt.version, "active": False}
    return int(Question.objects.get_or_create(quiz_id=attempt.quiz_id, slug=slug, defaults=place)[0].pk)
