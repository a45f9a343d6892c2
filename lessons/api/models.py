"""Tokens of programs, and the addresses that want to be told of events."""

from __future__ import annotations

import hashlib
import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

#: What a token may be for.
SCOPES = {
    "courses:read": "Courses with their chapters, lessons, exercises and quizzes",
    "cohorts:read": "Cohorts in which one is staff, and their members",
    "progress:read": "Progress: one's own, and of learners in those cohorts",
    "grades:read": "Grades: one's own, and of learners in those cohorts",
    "clusters:read": "Clusters and transcripts: one's own, and of learners in those cohorts, of their course",
    "webhooks": "Webhooks of cohorts in which one is owner or instructor",
}
#: How every token begins, so that scanners for leaked secrets know it.
PREFIX = "slw_"


def hashed(token: str) -> str:
    """What is kept of a token.  It is random, 256 bits, so that a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


class Token(models.Model):
    """Lets a program act for somebody, within its scopes.  The token itself is shown once and never kept."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    #: its first characters, to tell tokens apart
    hint = models.CharField(max_length=12)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @classmethod
    def make(cls, user_id: int, name: str, scopes: list[str], **more: object) -> tuple[Token, str]:
        """A new token and its secret, which nobody can read again."""
        assert set(scopes) <= set(SCOPES)
        secret = PREFIX + secrets.token_urlsafe(32)
        made = cls.objects.create(
            user_id=user_id, name=name, digest=hashed(secret), hint=secret[:10], scopes=sorted(scopes), **more
        )
        return made, secret

    @property
    def live(self) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())


def new_secret() -> str:
    """The key of a webhook's signatures."""
    return "whsec_" + secrets.token_urlsafe(32)


class Webhook(models.Model):
    """An address that is told of events of a cohort's learners.  The secret signs, so it has to be kept as it is."""

    cohort = models.ForeignKey("lessons.Cohort", on_delete=models.CASCADE, related_name="webhooks")
    url = models.URLField(max_length=500)
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=80, default=new_secret)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.url} of {self.cohort}"
