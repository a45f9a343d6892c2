"""Tables of the course itself: content with its versions, and people with their progress and cohorts."""

from __future__ import annotations

from lessons.models.content import Chapter, Course, Exercise, Figure, Lesson, Question, Quiz, Version
from lessons.models.people import Cohort, Enrollment, Invite, LessonProgress, Membership

__all__ = [
    "Chapter",
    "Cohort",
    "Course",
    "Enrollment",
    "Exercise",
    "Figure",
    "Invite",
    "Lesson",
    "LessonProgress",
    "Membership",
    "Question",
    "Quiz",
    "Version",
]
