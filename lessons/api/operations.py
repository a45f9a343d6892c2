"""The operations: what programs may read, and the webhooks they may set."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router, Status

from lessons.api.access import Bearer, Refusal
from lessons.api.models import Webhook
from lessons.api.schemas import (
    ChapterOut,
    ClusterOut,
    CohortOut,
    CourseDetail,
    CourseOut,
    Entry,
    ExerciseOut,
    GradeOut,
    LessonOut,
    Me,
    MemberOut,
    Page,
    Problem,
    ProgressOut,
    QuizOut,
    Transcript,
    WebhookIn,
    WebhookMade,
    WebhookOut,
)
from lessons.dashboards.selectors import learners
from lessons.grading.models import Grade
from lessons.grading.progress import Outline, Standing, outline, standings
from lessons.models import Cohort, Course, Enrollment, Membership
from lessons.outbox import http
from lessons.permissions import managed_cohort, person, staffed_cohort
from simulator.history import SET_UP
from simulator.models import ClusterSession, JournalEntry
from simulator.selectors import output_after

router = Router()

REFUSED: dict[int, Any] = {401: Problem, 403: Problem, 422: Problem, 429: Problem}
ALONE: dict[int, Any] = {**REFUSED, 404: Problem}

BIG = 2**31 - 1
Ident = Annotated[int, Path(ge=1, le=BIG)]
Slug = Annotated[str, Path(pattern=r"^[-a-zA-Z0-9_]{1,60}$")]
After = Annotated[int, Query(ge=0, le=BIG, description="the `next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=200)]
MAX_WEBHOOKS = 10


def page(rows: QuerySet[Any], after: int, limit: int) -> tuple[list[Any], int | None]:
    """The rows after one, by their keys, and the key to go on from."""
    found = list(rows.filter(pk__gt=after).order_by("pk")[: limit + 1])
    more = len(found) > limit
    return found[:limit], found[limit - 1].pk if more else None


@router.get("/me", auth=Bearer(), response={200: Me, **REFUSED}, summary="Who the token acts for")
def me(request: HttpRequest) -> Any:
    """Needs no scope."""
    user = person(request)
    return Me(id=user.pk, username=user.username, scopes=request.auth.scopes)  # type: ignore[attr-defined]


# -- courses ------------------------------------------------------------------------------------------------------------------


@router.get("/courses", auth=Bearer("courses:read"), response={200: Page[CourseOut], **REFUSED}, summary="All courses")
def courses(request: HttpRequest, after: After = 0, limit: Limit = 50) -> Any:
    """Courses that are up."""
    rows, more = page(Course.objects.filter(active=True).select_related("version"), after, limit)
    return {"items": [_course(row) for row in rows], "next": more}


def _course(row: Course) -> dict[str, Any]:
    return {"id": row.pk, "slug": row.slug, "title": row.title, "about": row.about}


@router.get("/courses/{slug}", auth=Bearer("courses:read"), response={200: CourseDetail, **ALONE}, summary="One course")
def course(request: HttpRequest, slug: Slug) -> Any:
    """A course with its chapters, lessons, exercises and quizzes."""
    found = get_object_or_404(Course.objects.select_related("version"), slug=slug, active=True)
    return {**_course(found), "chapters": [_chapter(row) for row in outline(found).chapters]}


def _chapter(row: Any) -> ChapterOut:
    lessons = [
        LessonOut(
            slug=item.lesson.slug,
            title=item.lesson.title,
            minutes=int(item.lesson.data["minutes"]),
            exercises=[
                ExerciseOut(slug=one.slug, title=one.title, points=float(one.data.get("points", 10))) for one in item.exercises
            ],
        )
        for item in row.lessons
    ]
    quiz = None
    if row.quiz:
        questions = row.quiz.data.get("questions", [])
        points = sum(float(question.get("points", 1)) for question in questions)
        quiz = QuizOut(title=row.quiz.title, questions=len(questions), points=points)
    return ChapterOut(slug=row.chapter.slug, number=row.chapter.number, title=row.chapter.title, lessons=lessons, quiz=quiz)


# -- cohorts ------------------------------------------------------------------------------------------------------------------


@router.get(
    "/cohorts", auth=Bearer("cohorts:read"), response={200: Page[CohortOut], **REFUSED}, summary="Cohorts that one teaches"
)
def cohorts(request: HttpRequest, after: After = 0, limit: Limit = 50) -> Any:
    """Cohorts in which one is owner, instructor or assistant."""
    user = person(request)
    mine = Cohort.objects.filter(memberships__user=user, memberships__role__in=Membership.STAFF).select_related("course")
    rows, more = page(mine, after, limit)
    roles = dict(Membership.objects.filter(user=user, cohort__in=rows).values_list("cohort_id", "role"))
    items = [
        {"id": row.pk, "name": row.name, "course": row.course.slug, "role": roles[row.pk], "created_at": row.created_at}
        for row in rows
    ]
    return {"items": items, "next": more}


@router.get("/cohorts/{cohort}/members", auth=Bearer("cohorts:read"), response={200: Page[MemberOut], **ALONE}, summary="Members")
def members(request: HttpRequest, cohort: Ident, after: After = 0, limit: Limit = 50) -> Any:
    """Everybody in a cohort that one teaches."""
    found = staffed_cohort(person(request), cohort)
    rows, more = page(found.memberships.select_related("user"), after, limit)
    items = [
        {
            "id": row.pk, "user": row.user_id, "username": row.user.get_username(), "email": row.user.email, "role": row.role,
            "joined_at": row.joined_at,
        }
        for row in rows
    ]  # fmt: skip
    return {"items": items, "next": more}


# -- progress -----------------------------------------------------------------------------------------------------------------


def _progress(user: Any, course_: Outline, standing: Standing) -> ProgressOut:
    states = [(row.lesson.slug, standing.lesson(row)) for row in course_.lessons]
    passed = [exercise.slug for exercise in course_.exercises if exercise.pk in standing.passes]
    return ProgressOut(
        user=user.pk,
        username=user.get_username(),
        course=course_.course.slug,
        lessons_read=[slug for slug, state in states if state.read],
        exercises_passed=passed,
        lessons_done=sum(state.done for _slug, state in states),
        lessons=len(states),
    )


@router.get(
    "/me/progress", auth=Bearer("progress:read"), response={200: list[ProgressOut], **REFUSED}, summary="One's own progress"
)
def own_progress(request: HttpRequest) -> Any:
    """One row for each course that one takes."""
    user = person(request)
    taken = Enrollment.objects.filter(user=user, course__active=True).select_related("course__version").order_by("course_id")
    return [_progress(user, outline(row.course), standings([user.pk], row.course)[user.pk]) for row in taken[:50]]


@router.get(
    "/cohorts/{cohort}/progress",
    auth=Bearer("progress:read"),
    response={200: Page[ProgressOut], **ALONE},
    summary="Learners' progress",
)
def progress(request: HttpRequest, cohort: Ident, after: After = 0, limit: Limit = 50) -> Any:
    """One row for each learner of a cohort that one teaches, by their number."""
    found = staffed_cohort(person(request), cohort)
    users = sorted((user for user in learners(found) if user.pk > after), key=lambda user: user.pk)
    course_ = outline(found.course)
    shown = users[:limit]
    known = standings([user.pk for user in shown], found.course)
    items = [_progress(user, course_, known[user.pk]) for user in shown]
    return {"items": items, "next": shown[-1].pk if len(users) > limit else None}


# -- grades -------------------------------------------------------------------------------------------------------------------


def _grade(row: Grade) -> dict[str, Any]:
    return {
        "id": row.pk, "user": row.user_id, "username": row.user.get_username(), "course": row.course.slug,
        "exercise": row.exercise.slug if row.exercise else None, "quiz": row.quiz.chapter.slug if row.quiz else None,
        "points": row.points, "max_points": row.max_points, "updated_at": row.updated_at,
    }  # fmt: skip


def _grades(rows: QuerySet[Grade], after: int, limit: int) -> dict[str, Any]:
    shown, more = page(rows.select_related("user", "course", "exercise", "quiz__chapter"), after, limit)
    return {"items": [_grade(row) for row in shown], "next": more}


@router.get("/me/grades", auth=Bearer("grades:read"), response={200: Page[GradeOut], **REFUSED}, summary="One's own grades")
def own_grades(request: HttpRequest, after: After = 0, limit: Limit = 50) -> Any:
    """Grades of all courses."""
    return _grades(Grade.objects.filter(user=person(request)), after, limit)


@router.get(
    "/cohorts/{cohort}/grades", auth=Bearer("grades:read"), response={200: Page[GradeOut], **ALONE}, summary="Learners' grades"
)
def grades(request: HttpRequest, cohort: Ident, after: After = 0, limit: Limit = 50) -> Any:
    """Grades of the learners of a cohort that one teaches, in its course."""
    found = staffed_cohort(person(request), cohort)
    return _grades(Grade.objects.filter(course=found.course, user__in=learners(found)), after, limit)


# -- clusters -----------------------------------------------------------------------------------------------------------------


def seen_clusters(request: HttpRequest) -> QuerySet[ClusterSession]:
    """One's own clusters, and those of one's learners that belong to the cohort's course."""
    user = person(request)
    own = Q(owner=user)
    for cohort in Cohort.objects.filter(memberships__user=user, memberships__role__in=Membership.STAFF).select_related("course"):
        taught = cohort.memberships.filter(role=Membership.Role.LEARNER).values("user_id")
        own |= Q(owner_id__in=taught, slot__startswith=f"{cohort.course.slug}/")
    return ClusterSession.objects.filter(own, archived_at=None)


def _cluster(row: ClusterSession) -> dict[str, Any]:
    return {
        "id": row.pk, "owner": row.owner_id, "scenario": row.scenario, "slot": row.slot, "created_at": row.created_at,
        "touched_at": row.touched_at, "inputs": row.last_seq, "virtual_nanoseconds": row.advanced_to,
    }  # fmt: skip


@router.get("/clusters", auth=Bearer("clusters:read"), response={200: Page[ClusterOut], **REFUSED}, summary="Clusters")
def clusters(
    request: HttpRequest, user: Annotated[int | None, Query(ge=1, le=BIG)] = None, after: After = 0, limit: Limit = 50
) -> Any:
    """Clusters in the order in which they were made; here `after` counts rows."""
    rows = seen_clusters(request).order_by("created_at", "pk")
    if user is not None:
        rows = rows.filter(owner_id=user)
    found = list(rows[after : after + limit + 1])
    return {"items": [_cluster(row) for row in found[:limit]], "next": after + limit if len(found) > limit else None}


@router.get("/clusters/{cluster}", auth=Bearer("clusters:read"), response={200: ClusterOut, **ALONE}, summary="One cluster")
def cluster(request: HttpRequest, cluster: uuid.UUID) -> Any:
    """Where it stands."""
    return _cluster(get_object_or_404(seen_clusters(request), pk=cluster))


@router.get(
    "/clusters/{cluster}/transcript",
    auth=Bearer("clusters:read"),
    response={200: Transcript, **ALONE},
    summary="A cluster's transcript",
)
def transcript(request: HttpRequest, cluster: uuid.UUID, after: After = 0, limit: Limit = 100) -> Any:
    """Lines that were typed with what they showed, without what set the cluster up; `after` and `limit` count inputs."""
    session = get_object_or_404(seen_clusters(request), pk=cluster)
    rows = list(
        JournalEntry.objects.filter(session=session, seq__gt=after, applied_at__isnull=False).order_by("seq")[: limit + 1]
    )
    shown, more = rows[:limit], len(rows) > limit
    if not shown:
        return {"cluster": session.pk, "entries": [], "next": None}
    first = (shown[0].output_before or 0) if after else 0
    last = rows[limit].output_before if more else None
    lines = [
        Entry(
            kind="input",
            at=row.applied_at or 0,
            terminal=str(row.data.get("terminal", "")),
            fd=None,
            text=str(row.data.get("text", "")),
        )
        for row in shown
        if row.kind == "line" and row.data.get("terminal") != SET_UP
    ]
    said = [
        Entry(kind="output", at=at, terminal=terminal, fd=fd, text=text)
        for number, at, terminal, fd, text in output_after(session.pk, first, limit=10_000)
        if (last is None or number <= last) and terminal != SET_UP
    ]
    entries = sorted([*lines, *said], key=lambda entry: entry.at)
    return {"cluster": session.pk, "entries": entries, "next": shown[-1].seq if more else None}


# -- webhooks -----------------------------------------------------------------------------------------------------------------


def _webhook(row: Webhook) -> dict[str, Any]:
    return {"id": row.pk, "url": row.url, "events": row.events, "created_at": row.created_at}


@router.get("/cohorts/{cohort}/webhooks", auth=Bearer("webhooks"), response={200: list[WebhookOut], **ALONE}, summary="Webhooks")
def webhooks(request: HttpRequest, cohort: Ident) -> Any:
    """The webhooks of a cohort that one manages; their secrets are not shown."""
    found = managed_cohort(person(request), cohort)
    return [_webhook(row) for row in Webhook.objects.filter(cohort=found)]


@router.post(
    "/cohorts/{cohort}/webhooks",
    auth=Bearer("webhooks"),
    response={201: WebhookMade, **ALONE, 400: Problem, 409: Problem},
    summary="A new webhook",
)
def webhook_make(request: HttpRequest, cohort: Ident, body: WebhookIn) -> Any:
    """Have an address told of events.  Each is signed (`webhook-signature`) and tried again for two days."""
    found = managed_cohort(person(request), cohort)
    try:
        http.check(body.url)
    except http.Refused as refused:
        raise Refusal(403, "forbidden", f"url: {refused}") from None
    if Webhook.objects.filter(cohort=found).count() >= MAX_WEBHOOKS:
        raise Refusal(409, "conflict", f"a cohort has at most {MAX_WEBHOOKS} webhooks")
    made = Webhook.objects.create(cohort=found, url=body.url, events=sorted(set(body.events)), created_by=person(request))
    return Status(201, {**_webhook(made), "secret": made.secret})


@router.delete(
    "/cohorts/{cohort}/webhooks/{webhook}", auth=Bearer("webhooks"), response={204: None, **ALONE}, summary="No more events"
)
def webhook_delete(request: HttpRequest, cohort: Ident, webhook: Ident) -> Any:
    """Take a webhook away; what waits for it is given up."""
    found = managed_cohort(person(request), cohort)
    get_object_or_404(Webhook, pk=webhook, cohort=found).delete()
    return Status(204, None)
