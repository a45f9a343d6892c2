"""Landing page, course page, progress page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from lessons.grading.progress import ChapterRow, LessonRow, LessonState, Outline, Standing, outline, standings
from lessons.grading.review import review
from lessons.models import Course, Enrollment, Membership, Quiz
from lessons.permissions import person
from lessons.reference.models import ChapterReview


@dataclass(slots=True)
class Word:
    """A state word: its shape and what it says."""

    shape: str
    text: str


def lesson_word(state: LessonState | None) -> Word:
    """What the course page says about a lesson."""
    if state is None or not state.begun:
        return Word("todo", _("not yet"))
    if state.done:
        return Word("ok", _("read and passed") if state.exercises else _("read"))
    if state.exercises and state.checks_done:
        return Word("wait", _("%(done)s of %(all)s checks") % {"done": state.checks_done, "all": state.checks})
    return Word("wait", _("read, exercises open") if state.read else _("begun"))


def quiz_word(quiz: Quiz, standing: Standing | None) -> Word:
    """What the course page says about a quiz."""
    grade = standing.quiz(quiz) if standing else None
    if standing and quiz.pk in standing.open_quizzes:
        return Word("wait", _("begun"))
    if grade is None:
        return Word("todo", _("not yet"))
    shape = "ok" if grade.points >= grade.max_points * quiz.data.get("pass", 60) / 100 else "bad"
    return Word(shape, _("%(points)s of %(all)s points") % {"points": f"{grade.points:g}", "all": f"{grade.max_points:g}"})


@dataclass(slots=True)
class Shelf:
    """A chapter on the course page."""

    row: ChapterRow
    lessons: list[tuple[LessonRow, Word]]
    quiz: Word | None
    done: bool
    now: bool
    share: float


def shelves(course: Outline, standing: Standing | None, here: LessonRow | None) -> list[Shelf]:
    """The chapters with the words for one reader."""
    out = []
    for row in course.chapters:
        states = [(item, standing.lesson(item) if standing else None) for item in row.lessons]
        quiz = quiz_word(row.quiz, standing) if row.quiz else None
        full = [state is not None and state.done for _item, state in states] + ([quiz.shape == "ok"] if quiz else [])
        levels = [state.level / 4 if state else 0.0 for _item, state in states] + ([float(quiz.shape == "ok")] if quiz else [])
        now = here is not None and here in row.lessons
        words = [(item, lesson_word(state)) for item, state in states]
        out.append(Shelf(row, words, quiz, all(full), now, sum(levels) / len(levels) if levels else 0.0))
    return out


def whereto(course: Outline, standing: Standing | None, enrollment: Enrollment | None) -> LessonRow | None:
    """The lesson to go on with: the last one opened unless it is done, then the first that is not."""
    rows = course.lessons
    if not rows:
        return None
    if standing and enrollment:
        last = next((row for row in rows if row.lesson.pk == enrollment.last_lesson_id), None)
        if last and not standing.lesson(last).done:
            return last
        after = rows[rows.index(last) + 1 :] if last else rows
        return next((row for row in [*after, *rows] if not standing.lesson(row).done), last)
    return rows[0]


def _context(request: HttpRequest, course: Course) -> dict[str, Any]:
    plan = outline(course)
    user = request.user
    standing = enrollment = None
    if user.is_authenticated:
        standing = standings([user.pk], course)[user.pk]
        enrollment = Enrollment.objects.filter(user_id=user.pk, course=course).first()
    here = whereto(plan, standing, enrollment)
    rows = shelves(plan, standing, here if enrollment else None)
    return {
        "course": course,
        "outline": plan,
        "own": own_quizzes(person(request), course, standing) if standing else [],
        "shelves": rows,
        "here": here,
        "begun": bool(enrollment and enrollment.last_lesson_id),
        "state": standing.lesson(here) if standing and here else None,
        "totals": totals(plan, standing),
        "scale": scale(rows),
        "reviewed": set(ChapterReview.objects.filter(chapter__course=course).values_list("chapter_id", flat=True)),
        "has_glossary": course.terms.exists(),
        "review": review(person(request), plan, standing) if standing else [],
    }


def own_quizzes(user: Any, course: Course, standing: Standing) -> list[tuple[Quiz, Word]]:
    """The quizzes that instructors of the learner's cohorts wrote themselves and gave them."""
    learns = {"cohort__memberships__user": user, "cohort__memberships__role": Membership.Role.LEARNER}
    rows = Quiz.objects.filter(chapter__course=course, **learns).select_related("version", "chapter__version")
    return [(quiz, quiz_word(quiz, standing)) for quiz in rows.order_by("pk") if quiz.data["questions"]]


def totals(plan: Outline, standing: Standing | None) -> dict[str, Any]:
    """The sums beside the chapters."""
    states = [(row, standing.lesson(row) if standing else None) for row in plan.lessons]
    left = sum(int(row.lesson.data["minutes"]) for row, state in states if state is None or not state.done)
    grades = [standing.quiz(quiz) for quiz in plan.quizzes] if standing else []
    left += sum(int(quiz.data["minutes"]) for quiz in plan.quizzes if not (standing and standing.quiz(quiz)))
    return {
        "read": sum(bool(state and state.read) for _row, state in states),
        "lessons": len(states),
        "passed": sum(state.passed for _row, state in states if state),
        "exercises": len(plan.exercises),
        "points": sum(grade.points for grade in grades if grade),
        "max": sum(grade.max_points for grade in grades if grade),
        "left": ngettext("%(count)s minute", "%(count)s minutes", left) % {"count": left},
    }


def scale(rows: list[Shelf]) -> dict[str, Any]:
    """The draught marks: one step a chapter, filled up to what has been done in order."""
    step, top = 42, 14
    bottom = top + step * len(rows)
    level = 0.0
    for row in rows:
        level += row.share
        if row.share < 1:
            break
    water = round(bottom - level * step, 1)
    marks = [
        {
            "number": row.row.chapter.number,
            "title": row.row.chapter.title,
            "now": row.now,
            "line": bottom - step * index,
            "half": bottom - step * index - step / 2,
            "number_y": bottom - step * index - step / 2 + 5,
            "text_y": bottom - step * index - step / 2 + 4,
            "in": bottom - step * index > water,
            "half_in": bottom - step * index - step / 2 > water,
        }
        for index, row in enumerate(rows)
    ]
    done = sum(row.done for row in rows)
    return {"height": bottom + 22, "top": top, "bottom": bottom, "size": bottom - top, "water": water, "above": water - top,
            "below": bottom - water, "marks": marks, "done": done, "all": len(rows)}  # fmt: skip


@require_safe
def landing(request: HttpRequest) -> HttpResponse:
    """The first page: what this is, and the courses."""
    courses = list(Course.objects.filter(active=True).select_related("version").order_by("pk"))
    return render(request, "pages/landing.html", {"courses": courses, "first": courses[0] if courses else None})


@require_safe
def course_page(request: HttpRequest, course: str) -> HttpResponse:
    """Chapters, progress, and where to go on."""
    found = get_object_or_404(Course.objects.select_related("version"), slug=course, active=True)
    return render(request, "pages/course.html", _context(request, found))


@require_safe
@login_required
def progress_page(request: HttpRequest) -> HttpResponse:
    """Everything that the learner has done, course by course."""
    user = person(request)
    taken = Course.objects.filter(enrollments__user=user, active=True).select_related("version").order_by("pk")
    pages = []
    for course in taken:
        context = _context(request, course)
        standing = standings([user.pk], course)[user.pk]
        plan: Outline = context["outline"]
        context["exercises"] = [
            (exercise, standing.passes.get(exercise.pk), standing.runs.get(exercise.pk)) for exercise in plan.exercises
        ]
        context["quizzes"] = [(quiz, standing.quiz(quiz)) for quiz in plan.quizzes]
        pages.append(context)
    return render(request, "pages/progress.html", {"pages": pages})
