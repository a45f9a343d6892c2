"""Finding a quiz or a cohort by what somebody types after a command's name."""

from __future__ import annotations

from django.db.models import Q

from lessons.models import Cohort, Quiz


class NotFound(ValueError):
    """There is none, or more than one; the message says which there are."""


def find_quiz(text: str) -> Quiz:
    """A quiz by number, by its chapter's slug (a cohort's own by its own slug), or by `course/chapter`."""
    rows = Quiz.objects.select_related("version", "chapter__version", "chapter__course__version").order_by("pk")
    course, _slash, chapter = text.rpartition("/")
    found = (
        rows.filter(pk=int(text))
        if _number(text)
        else rows.filter(Q(chapter__slug=chapter, active=True) | Q(slug=chapter, cohort__isnull=False))
    )
    if course:
        found = found.filter(chapter__course__slug=course)
    names = [f"{quiz.chapter.course.slug}/{quiz.chapter.slug}" for quiz in (found or rows.filter(active=True))]
    if len(found) != 1:
        raise NotFound(
            f"{'more than one quiz is' if found else 'no quiz is'} called {text}; there are: {', '.join(names) or 'none'}"
        )
    return found[0]


def find_cohort(text: str) -> Cohort:
    """A cohort by number or by name."""
    rows = Cohort.objects.select_related("course__version").order_by("pk")
    found = list(rows.filter(name=text)) or (list(rows.filter(pk=int(text))) if _number(text) else [])
    if len(found) != 1:
        names = ", ".join(f"{cohort.pk} ({cohort.name})" for cohort in (found or rows[:50]))
        raise NotFound(f"{'more than one cohort is' if found else 'no cohort is'} called {text}; there are: {names or 'none'}")
    return found[0]


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12
