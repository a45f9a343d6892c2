"""Platforms, our keys, log-ins under way, and what of a platform is what of ours."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class Platform(models.Model):
    """A registration at a learning platform.  All its addresses were configured by staff."""

    name = models.CharField(max_length=80)
    issuer = models.URLField(max_length=255)
    client_id = models.CharField(max_length=255)
    auth_url = models.URLField(max_length=500)
    token_url = models.URLField(max_length=500)
    jwks_url = models.URLField(max_length=500)
    deployments = models.JSONField(default=list)
    active = models.BooleanField(default=True)
    #: the platform's public keys as they were last fetched
    jwks = models.JSONField(default=dict)
    jwks_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["issuer", "client_id"], name="lti_platform_once")]

    def __str__(self) -> str:
        return self.name


class Key(models.Model):
    """A key of ours, private half encrypted with the site's secret.  Retired keys are published until platforms forgot them."""

    KEPT: ClassVar = datetime.timedelta(days=7)

    kid = models.CharField(max_length=40, unique=True)
    private = models.BinaryField()
    public = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.kid


class Login(models.Model):
    """A log-in that was sent to a platform; used once, within ten minutes."""

    LASTS: ClassVar = datetime.timedelta(minutes=10)

    state = models.CharField(max_length=64, unique=True)
    nonce = models.CharField(max_length=64)
    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="logins")
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"log-in at {self.platform}"


class RegistrationLink(models.Model):
    """Lets a platform register itself, once and within a day.  Only a hash of its secret is kept."""

    LASTS: ClassVar = datetime.timedelta(days=1)

    digest = models.CharField(max_length=64, unique=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"registration link of {self.created_at:%Y-%m-%d}"

    @staticmethod
    def digest_of(secret: str) -> str:
        """What is kept of a secret of 256 random bits."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def make(cls, user_id: int) -> str:
        """A new link's secret."""
        secret = secrets.token_urlsafe(32)
        cls.objects.filter(created_at__lt=timezone.now() - cls.LASTS).delete()
        cls.objects.create(digest=cls.digest_of(secret), made_by_id=user_id)
        return secret

    @property
    def live(self) -> bool:
        """Whether it still registers anybody."""
        return self.used_at is None and self.created_at > timezone.now() - self.LASTS


class Person(models.Model):
    """Who a platform's `sub` is here.  Never found by e-mail address: a platform may say any."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="people")
    sub = models.CharField(max_length=255)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lti_people")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["platform", "sub"], name="lti_person_once")]

    def __str__(self) -> str:
        return f"{self.user} at {self.platform}"


class Context(models.Model):
    """A course of a platform, which is a cohort here."""

    platform = models.ForeignKey(Platform, on_delete=models.CASCADE, related_name="contexts")
    deployment = models.CharField(max_length=255)
    ident = models.CharField(max_length=255)
    cohort = models.ForeignKey("lessons.Cohort", on_delete=models.CASCADE, related_name="lti_contexts")
    memberships_url = models.URLField(max_length=500, blank=True, default="")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["platform", "deployment", "ident", "cohort"], name="lti_context_once")
        ]

    def __str__(self) -> str:
        return f"{self.ident} of {self.platform}"


class Link(models.Model):
    """A link in a platform's course: what of ours it opens, and where its grades go."""

    context = models.ForeignKey(Context, on_delete=models.CASCADE, related_name="links")
    ident = models.CharField(max_length=255)
    #: `lesson|exercise|quiz|course:course[/slug]`
    target = models.CharField(max_length=140)
    line_item = models.URLField(max_length=500, blank=True, default="")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["context", "ident"], name="lti_link_once")]

    def __str__(self) -> str:
        return f"{self.target} in {self.context}"
