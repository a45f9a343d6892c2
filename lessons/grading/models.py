"""One grade for each learner and graded piece: the best attempt, with a pointer to its evidence."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from lessons.models import Course, Exercise, Quiz


class Grade(models.Model):
    """Points for an exercise or a quiz.  `evidence` names the rows it was computed from."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grades")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="grades")
    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, null=True, related_name="grades")
    quiz = models.ForeignKey(Quiz, on_delete=models.CASCADE, null=True, related_name="grades")
    points = models.FloatField()
    max_points = models.FloatField()
    evidence = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "exercise"], condition=models.Q(exercise__isnull=False), name="grade_exercise_once"
            ),
            models.UniqueConstraint(fields=["user", "quiz"], condition=models.Q(quiz__isnull=False), name="grade_quiz_once"),
            models.CheckConstraint(
                condition=models.Q(exercise__isnull=True, quiz__isnull=False)
                | models.Q(exercise__isnull=False, quiz__isnull=True),
                name="grade_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.points}/{self.max_points}"
