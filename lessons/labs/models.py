"""Exercises as learners do them: attempts, every check that was run with its verdicts, and passes with their evidence."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from lessons.models import Exercise, Version


class ExerciseAttempt(models.Model):
    """One go at one version of an exercise.  A new one starts when the content changes."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exercise_attempts")
    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="attempts")
    version = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="+")
    number = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField(default=timezone.now)
    hints_shown = models.PositiveSmallIntegerField(default=0)
    failed_checks = models.PositiveSmallIntegerField(default=0)
    gave_up_at = models.DateTimeField(null=True)
    passed_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "exercise", "number"], name="exercise_attempt_number")]

    def __str__(self) -> str:
        return f"{self.user}: {self.exercise} #{self.number}"


class CheckRun(models.Model):
    """The checks of an attempt, run once.  `evidence` says on what: session, journal row, virtual time, digest, engine."""

    attempt = models.ForeignKey(ExerciseAttempt, on_delete=models.CASCADE, related_name="runs")
    at = models.DateTimeField(default=timezone.now)
    verdicts = models.JSONField()
    passed = models.PositiveSmallIntegerField()
    total = models.PositiveSmallIntegerField()
    evidence = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.attempt}: {self.passed}/{self.total}"


class ExercisePass(models.Model):
    """An exercise passed: the run that shows it, and the points it earned after hints.  The best one is kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="exercise_passes")
    exercise = models.ForeignKey(Exercise, on_delete=models.CASCADE, related_name="passes")
    run = models.ForeignKey(CheckRun, on_delete=models.PROTECT, related_name="+")
    points = models.FloatField()
    max_points = models.FloatField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "exercise"], name="exercise_pass_once")]

    def __str__(self) -> str:
        return f"{self.user} passed {self.exercise}"
