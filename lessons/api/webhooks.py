"""Sending events.  The signature is that of Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, base64, with the whole secret as key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time

import orjson

from lessons.api.models import Webhook
from lessons.outbox import http
from lessons.outbox.models import Delivery
from lessons.outbox.services import GiveUp


def signature(secret: str, ident: str, timestamp: int, body: bytes) -> str:
    """`v1,` and the signature of one delivery."""
    made = hmac.new(secret.encode(), f"{ident}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(made).decode()


def send(delivery: Delivery) -> http.Answer:
    """Post one event.  Receivers know a second delivery of it by `webhook-id`."""
    hook = Webhook.objects.filter(pk=int(delivery.target)).first()
    if hook is None:
        raise GiveUp("the webhook is gone")
    body = orjson.dumps(delivery.payload)
    ident, now = f"evt_{delivery.pk}", int(time.time())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": ident,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(hook.secret, ident, now, body),
    }
    return http.send("POST", hook.url, body=body, headers=headers)
