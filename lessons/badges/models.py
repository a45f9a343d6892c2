"""Keys that sign credentials.  They are never thrown away: a credential of years ago has to verify."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Key(models.Model):
    """A key of ours, private half encrypted with the site's secret; the newest signs."""

    kid = models.CharField(max_length=40, unique=True)
    private = models.BinaryField()
    public = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]

    def __str__(self) -> str:
        return self.kid
