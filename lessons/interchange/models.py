"""Sets of questions that came from elsewhere, kept as they came."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.urls import reverse

from lessons.interchange.items import Item, from_json


class QuestionSet(models.Model):
    """The questions of one file.  `items` holds everything that the file said (`lessons.interchange.items`)."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=160)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="question_sets")
    source = models.CharField(max_length=200)
    form = models.CharField(max_length=16)
    items = models.JSONField(default=list)
    #: what did not carry over: [line, question, reason]
    notes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering: ClassVar = ["-updated_at", "-id"]

    def __str__(self) -> str:
        return self.slug

    def get_absolute_url(self) -> str:
        """The set's page."""
        return reverse("interchange:set", args=[self.slug])

    def questions(self) -> list[Item]:
        """The questions as items."""
        return from_json(self.items)

    @property
    def report(self) -> list[dict[str, Any]]:
        """The notes by name."""
        return [{"line": line, "question": question, "reason": reason} for line, question, reason in self.notes]
