"""Grades to platforms (Assignment and Grade Services) and rosters from them (Names and Role Provisioning Services)."""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import orjson
from django.core.cache import cache
from django.db.models.signals import post_save
from django.utils import timezone

from lessons.grading.models import Grade
from lessons.lti import keys
from lessons.lti.mapping import role_of, target_name, user_of
from lessons.lti.models import Context, Link, Person, Platform
from lessons.models import Membership
from lessons.outbox import http
from lessons.outbox import services as outbox
from lessons.outbox.models import Delivery

SCORE = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
ROSTER = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
#: Pages of a roster that are read, and people on all of them.
MAX_PAGES = 100


def connect() -> None:
    """Listen to grades."""
    post_save.connect(_changed, sender=Grade, dispatch_uid="lti.grade")


def _changed(instance: Grade, **_kwargs: Any) -> None:
    tell(instance)


def tell(grade: Grade) -> None:
    """Queue a grade for every link of the learner's platforms that opens what was graded."""
    what = grade.exercise or grade.quiz
    if what is None:
        return
    people = list(Person.objects.filter(user_id=grade.user_id))
    if not people:
        return
    for person in people:
        links = Link.objects.filter(
            context__platform=person.platform_id, target=target_name(what), context__cohort__memberships__user=grade.user_id
        )
        for link in links.exclude(line_item=""):
            payload = {
                "sub": person.sub,
                "points": grade.points,
                "max_points": grade.max_points,
                "at": timezone.now().isoformat(),
            }
            outbox.put("ags", str(link.pk), payload, key=person.sub[:100])


def tell_again(link: Link, user_id: int) -> None:
    """A grade that was earned before the link was there."""
    for grade in Grade.objects.filter(user_id=user_id, course=link.context.cohort.course).select_related(
        "exercise__course", "quiz__chapter__course"
    ):
        what = grade.exercise or grade.quiz
        if what is not None and target_name(what) == link.target:
            tell(grade)


def access(platform: Platform, scope: str) -> str:
    """An access token of the platform for one scope.  Raises `http.Refused`, `http.Unreachable`."""
    name = f"lti/{platform.pk}/{scope}"
    if kept := cache.get(name):
        return str(kept)
    now = int(time.time())
    claims = {
        "iss": platform.client_id,
        "sub": platform.client_id,
        "aud": platform.token_url,
        "iat": now,
        "exp": now + 60,
        "jti": uuid.uuid4().hex,
    }
    form = {
        "grant_type": "client_credentials", "scope": scope, "client_assertion": keys.sign(claims),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    answer = http.send("POST", platform.token_url, body=urlencode(form).encode(), headers=headers)
    try:
        said = orjson.loads(answer.body)
        token = str(said["access_token"])
        lasts = min(3600, int(said.get("expires_in", 3600)))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise http.Unreachable(f"no access token: answered {answer.status}") from None
    if lasts > 60:
        cache.set(name, token, timeout=lasts - 30)
    return token


def forget(platform: Platform, scope: str) -> None:
    """Ask for a new access token next time."""
    cache.delete(f"lti/{platform.pk}/{scope}")


def send(delivery: Delivery) -> http.Answer:
    """Post one score."""
    link = Link.objects.select_related("context__platform").filter(pk=int(delivery.target)).first()
    if link is None or not link.line_item:
        raise outbox.GiveUp("the link is gone")
    platform, said = link.context.platform, delivery.payload
    parts = urlsplit(link.line_item)
    address = urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/") + "/scores", parts.query, ""))
    score = {
        "userId": said["sub"], "scoreGiven": said["points"], "scoreMaximum": said["max_points"], "timestamp": said["at"],
        "activityProgress": "Completed", "gradingProgress": "FullyGraded",
    }  # fmt: skip
    token = access(platform, SCORE)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/vnd.ims.lis.v1.score+json"}
    answer = http.send("POST", address, body=orjson.dumps(score), headers=headers)
    if answer.status in {401, 403}:
        forget(platform, SCORE)
    return answer


def fetch_roster(context: Context) -> int:
    """Make everybody of the platform's course a member of the cohort.  Returns how many are new.  Raises as `access`."""
    address: str | None = context.memberships_url
    new = pages = 0
    while address and pages < MAX_PAGES:
        pages += 1
        token = access(context.platform, ROSTER)
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"}
        answer = http.send("GET", address, headers=headers)
        if not answer.ok:
            forget(context.platform, ROSTER)
            raise http.Unreachable(f"answered {answer.status}")
        try:
            members = orjson.loads(answer.body)["members"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            raise http.Unreachable("the answer is no roster") from None
        for member in members if isinstance(members, list) else []:
            if (
                isinstance(member, dict)
                and member.get("status", "Active") == "Active"
                and 0 < len(str(member.get("user_id") or "")) <= 255
            ):
                user = user_of(context.platform, str(member["user_id"]), member)
                defaults = {"role": role_of(member.get("roles"))}
                new += Membership.objects.get_or_create(cohort=context.cohort, user=user, defaults=defaults)[1]
        address = _next(answer.headers.get("Link", ""))
    return new


def _next(header: str) -> str | None:
    """The address of the next page in a `Link` header."""
    for part in header.split(","):
        target, _, rest = part.partition(";")
        if 'rel="next"' in rest.replace(" ", "") or "rel=next" in rest.replace(" ", ""):
            return target.strip().strip("<>")
    return None
