"""Moodle's GIFT: questions as text.  `read` and `write` follow Moodle's `question/format/gift/format.php`."""

from __future__ import annotations

from lessons.interchange.gift.read import Gift, GiftError, read
from lessons.interchange.gift.write import write

__all__ = ["Gift", "GiftError", "read", "write"]
