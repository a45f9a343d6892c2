"""Reading lessons: opening one, and marking it as read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone

from lessons.models import Enrollment, Lesson, LessonProgress

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def visit(user: User, lesson: Lesson) -> LessonProgress:
    """Somebody opened a lesson: they take its course, and are there now."""
    now = timezone.now()
    place = {"last_lesson": lesson, "last_at": now}
    if not Enrollment.objects.filter(user=user, course=lesson.chapter.course_id).update(**place):
        Enrollment.objects.get_or_create(user=user, course=lesson.chapter.course, defaults=place)
    progress, created = LessonProgress.objects.get_or_create(user=user, lesson=lesson, defaults={"version_id": lesson.version_id})
    if not created:
        LessonProgress.objects.filter(pk=progress.pk).update(last_at=now)
    return progress


def mark_read(user: User, lesson: Lesson, *, undo: bool = False) -> LessonProgress:
    """Mark a lesson as read, or as not read after all."""
    progress = visit(user, lesson)
    progress.read_at = None if undo else timezone.now()
    progress.version_id = lesson.version_id
    progress.save(update_fields=["read_at", "version"])
    return progress
