"""Our keys: made, rotated, published; and what is signed with them."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from lessons import signing
from lessons.lti.models import Key

PURPOSE = "lti"


def make() -> Key:
    """A new key, which signs from now on."""
    return Key.objects.create(**signing.generate(PURPOSE))


def current() -> Key:
    """The key that signs; the first one is made when it is needed."""
    return Key.objects.filter(retired_at=None).first() or make()


def rotate() -> Key:
    """A new key; the ones before are published for a week more, and then thrown away."""
    made = make()
    Key.objects.filter(retired_at=None).exclude(pk=made.pk).update(retired_at=timezone.now())
    Key.objects.filter(retired_at__lt=timezone.now() - Key.KEPT).delete()
    return made


def published() -> dict[str, Any]:
    """The key set that platforms fetch."""
    current()
    fresh = [key for key in Key.objects.all() if key.retired_at is None or key.retired_at > timezone.now() - Key.KEPT]
    return {"keys": [key.public for key in fresh]}


def sign(claims: dict[str, Any]) -> str:
    """A JWT of ours."""
    key = current()
    return signing.sign(PURPOSE, key.private, claims, {"kid": key.kid})
