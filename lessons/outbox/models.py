"""Deliveries: one row for each thing to tell, written in the transaction of what it tells of."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone


class Delivery(models.Model):
    """A request to be made.  `done_at` says that it was taken, `failed_at` that it is given up; both empty: still to do."""

    #: who makes the request of it: a row of `lessons.outbox.services.CHANNELS`
    channel = models.CharField(max_length=16)
    #: the receiver, as the channel knows it
    target = models.CharField(max_length=64)
    payload = models.JSONField()
    #: a newer one with the same key takes the place of one that waits
    key = models.CharField(max_length=120, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], condition=models.Q(done_at__isnull=True, failed_at__isnull=True), name="delivery_waiting"
            ),
            models.Index(fields=["channel", "target"], name="delivery_receiver"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.target}: {self.state}"

    @property
    def state(self) -> str:
        """`delivered`, `failed`, `retrying` or `waiting`."""
        if self.done_at:
            return "delivered"
        return "failed" if self.failed_at else "retrying" if self.attempts else "waiting"
