"""From what a platform calls things to ours: people, cohorts, links, targets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction

from lessons.lti.launch import AGS, CLAIM, NRPS, Launch, Refused
from lessons.lti.models import Context, Link, Person, Platform
from lessons.models import Cohort, Course, Exercise, Lesson, Membership, Quiz

if TYPE_CHECKING:
    from django.contrib.auth.models import User

_ROLES = (
    ("membership#Instructor", Membership.Role.INSTRUCTOR),
    ("membership/Instructor#TeachingAssistant", Membership.Role.ASSISTANT),
    ("membership#ContentDeveloper", Membership.Role.INSTRUCTOR),
)

Target = Course | Lesson | Exercise | Quiz


def role_of(roles: Any) -> str:
    """What somebody is in a cohort, by the platform's roles; a learner unless they say more."""
    said = [str(role) for role in roles] if isinstance(roles, list) else []
    if any("TeachingAssistant" in role for role in said):
        return Membership.Role.ASSISTANT
    return next(
        (ours for theirs, ours in _ROLES if any(role.endswith(theirs) or role == "Instructor" for role in said)),
        Membership.Role.LEARNER,
    )


def user_of(platform: Platform, sub: str, claims: dict[str, Any]) -> User:
    """The account of somebody at a platform, made at the first launch; it has no password."""
    found = Person.objects.select_related("user").filter(platform=platform, sub=sub).first()
    if found is not None:
        return found.user
    name = "lti-" + hashlib.sha256(f"{platform.pk}/{sub}".encode()).hexdigest()[:16]
    more = {
        field: str(claims.get(claim) or "")[:150] for field, claim in (("first_name", "given_name"), ("last_name", "family_name"))
    }
    try:
        with transaction.atomic():
            user = get_user_model().objects.create_user(name, str(claims.get("email") or "")[:254], None, **more)
            Person.objects.create(platform=platform, sub=sub, user=user)
            return user
    except IntegrityError:  # two launches at once
        return Person.objects.select_related("user").get(platform=platform, sub=sub).user


def target_name(target: Target) -> str:
    """How links name a piece of content."""
    if isinstance(target, Course):
        return f"course:{target.slug}"
    if isinstance(target, Exercise):
        return f"exercise:{target.course.slug}/{target.slug}"
    if isinstance(target, Lesson):
        return f"lesson:{target.chapter.course.slug}/{target.slug}"
    return f"quiz:{target.chapter.course.slug}/{target.chapter.slug}"


def find_target(name: str) -> Target | None:
    """The content that a link names, when it is up."""
    kind, _, path = name.partition(":")
    course, _, slug = path.partition("/")
    if kind == "course":
        return Course.objects.filter(slug=path, active=True).first()
    if kind == "exercise":
        return (
            Exercise.objects.select_related("course", "lesson__chapter__course")
            .filter(course__slug=course, slug=slug, active=True)
            .first()
        )
    if kind == "lesson":
        return (
            Lesson.objects.select_related("chapter__course").filter(chapter__course__slug=course, slug=slug, active=True).first()
        )
    if kind == "quiz":
        return (
            Quiz.objects.select_related("chapter__course")
            .filter(chapter__course__slug=course, chapter__slug=slug, active=True)
            .first()
        )
    return None


def course_of(target: Target) -> Course:
    """The course that a target belongs to."""
    if isinstance(target, Course):
        return target
    return target.course if isinstance(target, Exercise) else target.chapter.course


def wanted(launch: Launch) -> Target:
    """What a launch opens: the custom parameter that deep linking set, else `?target=` of the link.  Raises `Refused`."""
    custom = launch.claims.get(CLAIM + "custom")
    name = str(custom.get("slipway_target") or "") if isinstance(custom, dict) else ""
    if not name:
        link = str(launch.claims.get(CLAIM + "target_link_uri") or "")
        try:
            name = parse_qs(urlsplit(link).query).get("target", [""])[0]
        except ValueError:
            name = ""
    target = find_target(name[:140])
    if target is None:
        raise Refused("the link opens nothing that is up here; choose the content again")
    return target


@transaction.atomic
def enter(launch: Launch, user: User, target: Target) -> Link | None:
    """Make somebody a member of the cohort of the platform's course and keep where grades go.  None without a course."""
    claims = launch.claims
    context, resource = claims.get(CLAIM + "context"), claims.get(CLAIM + "resource_link")
    if not isinstance(context, dict) or not context.get("id"):
        return None
    course = course_of(target)
    found = (
        Context.objects.select_related("cohort")
        .filter(platform=launch.platform, deployment=launch.deployment, ident=str(context["id"])[:255], cohort__course=course)
        .first()
    )
    if found is None:
        title = str(context.get("title") or context.get("label") or context["id"])[:80]
        cohort = Cohort.objects.create(course=course, name=title)
        found = Context.objects.create(
            platform=launch.platform, deployment=launch.deployment, ident=str(context["id"])[:255], cohort=cohort
        )
    names = claims.get(NRPS)
    if isinstance(names, dict) and isinstance(names.get("context_memberships_url"), str):
        found.memberships_url = names["context_memberships_url"][:500]
        found.save(update_fields=["memberships_url"])
    Membership.objects.get_or_create(cohort=found.cohort, user=user, defaults={"role": role_of(claims.get(CLAIM + "roles"))})
    if not isinstance(resource, dict) or not resource.get("id"):
        return None
    grades = claims.get(AGS)
    item = str(grades.get("lineitem") or "")[:500] if isinstance(grades, dict) else ""
    values = {"target": target_name(target), **({"line_item": item} if item else {})}
    return Link.objects.update_or_create(context=found, ident=str(resource["id"])[:255], defaults=values)[0]
