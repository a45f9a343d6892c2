"""Taking quizzes: start, save, submit.  The attempt's version is the text that counts, whatever is loaded later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from lessons.models import Question, Quiz
from lessons.models.content import in_language
from lessons.quizzes.models import InlineAnswer, QuizAttempt, Response
from lessons.quizzes.types import TYPES, Mark, QuestionType
from lessons.quizzes.types.base import Form, shuffled

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class Closed(Exception):
    """The attempt was submitted; nothing can be added."""


class NoMoreAttempts(Exception):
    """All attempts that the quiz allows were taken."""


def open_attempt(user: User, quiz: Quiz) -> QuizAttempt | None:
    """The attempt that was started and not submitted."""
    return QuizAttempt.objects.filter(user=user, quiz=quiz, submitted_at=None).select_related("version").first()


def attempts_left(user: User, quiz: Quiz) -> int | None:
    """How many more attempts may be started; None when there is no limit."""
    allowed = int(quiz.data.get("attempts", 0))
    if not allowed:
        return None
    return max(0, allowed - QuizAttempt.objects.filter(user=user, quiz=quiz).count())


def start(user: User, quiz: Quiz) -> QuizAttempt:
    """The open attempt, or a new one.  Raises `NoMoreAttempts`."""
    found = open_attempt(user, quiz)
    if found is not None:
        return found
    if attempts_left(user, quiz) == 0:
        raise NoMoreAttempts
    last = QuizAttempt.objects.filter(user=user, quiz=quiz).order_by("-number").first()
    try:
        with transaction.atomic():
            return QuizAttempt.objects.create(user=user, quiz=quiz, version=quiz.version, number=(last.number if last else 0) + 1)
    except IntegrityError:  # two clicks at once: the other one started it
        return QuizAttempt.objects.get(user=user, quiz=quiz, submitted_at=None)


@dataclass(slots=True)
class Asked:
    """One question of an attempt, with what the learner answered."""

    number: int
    spec: dict[str, Any]
    kind: QuestionType
    question_id: int | None
    seed: str
    response: Response | None = None

    @property
    def name(self) -> str:
        """The prefix of its form fields."""
        return f"q.{self.spec['id']}"

    @property
    def points(self) -> float:
        """What it is worth."""
        return float(self.spec.get("points", 1))

    @property
    def answer(self) -> Any:
        """The saved answer, or None."""
        return self.response.answer if self.response else None


def asked(attempt: QuizAttempt) -> list[Asked]:
    """The attempt's questions in its own order."""
    specs = attempt.version.data["questions"]
    order = shuffled(len(specs), attempt.seed) if attempt.version.data.get("shuffle", True) else range(len(specs))
    rows = {item.slug: item.pk for item in Question.objects.filter(quiz_id=attempt.quiz_id)}
    saved = {item.question_id: item for item in attempt.responses.all()}
    out = []
    for number, index in enumerate(order, 1):
        spec = specs[index]
        pk = rows.get(spec["id"])
        seed = f"{attempt.seed}/{spec['id']}"
        out.append(Asked(number, spec, TYPES[spec["type"]], pk, seed, saved.get(pk) if pk else None))
    return out


def save(attempt: QuizAttempt, form: Form) -> None:
    """Keep what the page holds, every question of it.  Raises `Closed` once submitted."""
    now = timezone.now()
    with transaction.atomic():
        locked = QuizAttempt.objects.select_for_update().get(pk=attempt.pk)
        if locked.submitted_at is not None:
            raise Closed
        for item in asked(attempt):
            answer = item.kind.parse(form, item.name, item.spec)
            if answer is not None and item.response is None and item.kind.untouched(item.spec, answer, item.seed):
                answer = None
            flagged = form.get(f"{item.name}.flag", "") == "on"
            if item.question_id is None or (item.response is None and answer is None and not flagged):
                continue
            if item.response is None or item.response.answer != answer or item.response.flagged != flagged:
                Response.objects.update_or_create(
                    attempt=attempt,
                    question_id=item.question_id,
                    defaults={"answer": answer, "flagged": flagged, "saved_at": now},
                )
        QuizAttempt.objects.filter(pk=attempt.pk).update(saved_at=now)
    attempt.saved_at = now


def submit(attempt: QuizAttempt) -> QuizAttempt:
    """Mark every question and close the attempt.  A second call changes nothing."""
    with transaction.atomic():
        locked = QuizAttempt.objects.select_for_update().select_related("version").get(pk=attempt.pk)
        if locked.submitted_at is not None:
            return locked
        total = most = 0.0
        for item in asked(locked):
            mark = item.kind.grade(item.spec, item.answer)
            points = round(item.points * mark.fraction, 4)
            total, most = total + points, most + item.points
            if item.question_id is None:
                continue
            values = {"points": points, "max_points": item.points, "mark": {"fraction": mark.fraction, **mark.detail}}
            Response.objects.update_or_create(attempt=locked, question_id=item.question_id, defaults=values)
        locked.points, locked.max_points, locked.submitted_at = round(total, 2), round(most, 2), timezone.now()
        locked.save(update_fields=["points", "max_points", "submitted_at"])
    return locked


# -- questions asked in lessons ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Inline:
    """A question in a lesson's text, with the last answer and what to say about it."""

    question: Question
    spec: dict[str, Any]
    kind: QuestionType
    shown: dict[str, Any]
    answer: Any = None
    mark: Mark | None = None
    #: why the answer is right or wrong: of the choice, then of the question
    remarks: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The prefix of its form fields."""
        return f"q.{self.spec['id']}"


def inline(user: User | AnonymousUser, question: Question, language: str, *, answer: Any = None) -> Inline:
    """The question as one reader sees it: with `answer`, or with the one that was kept."""
    spec = question.data
    kind = TYPES[spec["type"]]
    if answer is None and user.is_authenticated:
        kept = InlineAnswer.objects.filter(user=user, question=question, version_id=question.version_id).first()
        answer = kept.answer if kept else None
    shown = kind.present(spec, language, f"inline/{question.pk}", answer)
    if answer is None:
        return Inline(question, spec, kind, shown)
    mark = kind.grade(spec, answer)
    feedback = spec.get("feedback", {}).get("right" if mark.right else "wrong")
    remarks = [*kind.why(spec, answer, language), *([in_language(feedback)] if feedback else [])]
    return Inline(question, spec, kind, shown, answer, mark, remarks)


def answer_inline(user: User | AnonymousUser, question: Question, form: Form) -> Any:
    """Take an answer; of somebody who is logged in it is kept."""
    spec = question.data
    kind = TYPES[spec["type"]]
    answer = kind.parse(form, f"q.{spec['id']}", spec)
    if answer is not None and user.is_authenticated:
        tries = InlineAnswer.objects.filter(user=user, question=question).values_list("tries", flat=True).first() or 0
        values = {
            "version_id": question.version_id,
            "answer": answer,
            "fraction": kind.grade(spec, answer).fraction,
            "tries": tries + 1,
            "at": timezone.now(),
        }
        InlineAnswer.objects.update_or_create(user=user, question=question, defaults=values)
    return answer
