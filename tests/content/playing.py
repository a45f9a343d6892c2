"""Plays an exercise's commands in a fresh world as a learner would; the code is the one that `manage.py checkcourse` uses."""

from __future__ import annotations

from lessons.loading.proof import play, verdicts, world_of

__all__ = ["play", "verdicts", "world_of"]
