"""What quizzes tell whoever counts grades."""

from __future__ import annotations

from django.dispatch import Signal

#: An attempt was submitted or its marks changed: `attempt`.
marked = Signal()
