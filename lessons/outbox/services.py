"""Telling other systems: put in, taken out, tried again.

`put` writes a row in the caller's transaction, so nothing is told that did not happen and nothing that happened is
forgotten.  `deliver_due` (the process `manage.py deliver`) claims rows by moving their `due_at`, makes the request, and
marks them.  Deliveries are made at least once; every receiver gets an id by which it knows a second one.
"""

from __future__ import annotations

import datetime
import logging
import random
from collections.abc import Callable
from importlib import import_module

from django.db.models import Q
from django.utils import timezone

from lessons.outbox import http
from lessons.outbox.models import Delivery

logger = logging.getLogger(__name__)

#: Waits between tries, in seconds; after the last one a delivery is given up (staff may try it again).
WAITS = (10, 30, 120, 600, 1_800, 3_600, 3 * 3_600, 6 * 3_600, 12 * 3_600, 24 * 3_600)
#: How long a claimed delivery is left alone by others.
CLAIM = datetime.timedelta(minutes=2)

Send = Callable[[Delivery], http.Answer]

#: channel: the function that makes the request, named so that nothing is imported before it is needed
CHANNELS = {"webhook": "lessons.api.webhooks:send", "ags": "lessons.lti.grades:send", "xapi": "lessons.records.xapi:send"}


class GiveUp(Exception):
    """Trying again will not help: the receiver is gone or refuses for good."""


def put(channel: str, target: str, payload: dict[str, object], *, key: str = "") -> Delivery:
    """Have something told.  One that waits with the same `key` is replaced: only the last state matters there."""
    assert channel in CHANNELS
    if key:
        waiting = Delivery.objects.filter(channel=channel, target=target, key=key, done_at=None, failed_at=None, attempts=0)
        waiting.delete()
    return Delivery.objects.create(channel=channel, target=target, payload=payload, key=key)


def sender(channel: str) -> Send:
    """The function that makes the requests of a channel."""
    module, _, name = CHANNELS[channel].partition(":")
    found: Send = getattr(import_module(module), name)
    return found


def deliver_due(*, now: datetime.datetime | None = None, limit: int = 100) -> int:
    """Make the requests that are due.  Returns how many were tried."""
    now = now or timezone.now()
    waiting = Delivery.objects.filter(done_at=None, failed_at=None, due_at__lte=now).order_by("due_at", "id")
    tried = 0
    for delivery in list(waiting[:limit]):
        claimed = Delivery.objects.filter(pk=delivery.pk, due_at=delivery.due_at, done_at=None, failed_at=None)
        if claimed.update(due_at=now + CLAIM):
            tried += 1
            _deliver(delivery, now)
    return tried


def _deliver(delivery: Delivery, now: datetime.datetime) -> None:
    attempts = delivery.attempts + 1
    try:
        answer = sender(delivery.channel)(delivery)
        if answer.ok:
            Delivery.objects.filter(pk=delivery.pk).update(done_at=timezone.now(), attempts=attempts, error="")
            return
        error, final = f"answered {answer.status}", answer.status == 410
    except http.Refused as refused:
        error, final = str(refused), True
    except GiveUp as gone:
        error, final = str(gone), True
    except http.Unreachable as away:
        error, final = str(away), False
    except Exception as broken:  # a defect of ours must not stop the others' deliveries
        logger.exception("delivery %s", delivery.pk)
        error, final = type(broken).__name__, False
    values: dict[str, object] = {"attempts": attempts, "error": error[:300]}
    if final or attempts > len(WAITS):
        values["failed_at"] = timezone.now()
    else:
        values["due_at"] = now + datetime.timedelta(seconds=WAITS[attempts - 1] * random.uniform(0.8, 1.2))
    Delivery.objects.filter(pk=delivery.pk).update(**values)


def again(deliveries: Q) -> int:
    """Try given-up deliveries again, from the beginning."""
    return Delivery.objects.filter(deliveries, done_at=None).update(failed_at=None, attempts=0, due_at=timezone.now())
