"""Quizzes as learners take them: attempts, responses with their marks, and answers to questions asked in passing."""

from __future__ import annotations

import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from lessons.models import Question, Quiz, Version


def new_seed() -> str:
    """Decides the order of questions and choices of one attempt."""
    return secrets.token_hex(8)


class QuizAttempt(models.Model):
    """One go at one version of a quiz.  At most one is open for a learner and quiz; the database sees to it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="quiz_attempts")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, related_name="attempts")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField()
    seed = models.CharField(max_length=32, default=new_seed)
    started_at = models.DateTimeField(default=timezone.now)
    saved_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    points = models.FloatField(null=True)
    max_points = models.FloatField(null=True)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "quiz", "number"], name="quiz_attempt_number"),
            models.UniqueConstraint(
                fields=["user", "quiz"], condition=models.Q(submitted_at=None), name="quiz_attempt_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.quiz} #{self.number}"


class Response(models.Model):
    """The answer to one question of an attempt, and after submission its mark with the evidence for it."""

    attempt = models.ForeignKey(QuizAttempt, on_delete=models.CASCADE, related_name="responses")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="responses")
    answer = models.JSONField(null=True)
    flagged = models.BooleanField(default=False)
    saved_at = models.DateTimeField(default=timezone.now)
    points = models.FloatField(null=True)
    max_points = models.FloatField(null=True)
    mark = models.JSONField(null=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["attempt", "question"], name="response_once")]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.question}"


class InlineAnswer(models.Model):
    """The last answer to a question asked in a lesson; ungraded, kept so that the page shows it again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="inline_answers")
    question = models.ForeignKey(Question, on_delete=models.CASCADE, related_name="inline_answers")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    answer = models.JSONField()
    fraction = models.FloatField()
    tries = models.PositiveSmallIntegerField(default=1)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "question"], name="inline_answer_once")]

    def __str__(self) -> str:
        return f"{self.user}: {self.question}"
