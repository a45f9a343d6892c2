"""LTI against a platform of ours: launches that hold, and every way in which one does not; content chosen; grades and rosters."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.utils import timezone

from lessons.grading.models import Grade
from lessons.lti import grades, keys
from lessons.lti.launch import CLAIM, DEEP
from lessons.lti.models import Context, Key, Link, Login, Person, RegistrationLink
from lessons.lti.models import Platform as Registered
from lessons.models import Course, Exercise, Membership
from lessons.outbox import http
from lessons.outbox.models import Delivery
from lessons.outbox.services import deliver_due
from tests.lessons.conftest import course as course
from tests.lessons.conftest import exercise as exercise
from tests.lessons.conftest import people as people
from tests.lti.platform import INSTRUCTOR, Platform, running


@pytest.fixture(scope="module")
def served() -> Iterator[Platform]:
    with running() as platform:
        yield platform


@pytest.fixture
def platform(served: Platform, db: None, settings: Any) -> Platform:
    fresh = Platform()
    for name in ("private", "kid", "fails", "scores", "score_paths", "members", "assertions", "asked", "changes", "registered"):
        setattr(served, name, getattr(fresh, name))
    settings.SLIPWAY_INTEGRATION_HOSTS = [f"127.0.0.1:{served.port}"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": f"lti-{time.time()}"}}
    base = served.base
    Registered.objects.create(
        name="School", issuer=base, client_id=served.client_id, auth_url=f"{base}/auth", token_url=f"{base}/token",
        jwks_url=f"{base}/jwks", deployments=["d1"],
    )  # fmt: skip
    served.tool_keys = keys.published()
    return served


def begin(client: Client, platform: Platform, **more: str) -> dict[str, str]:
    """The log-in, as far as the platform: what it was sent."""
    given = {
        "iss": platform.base,
        "client_id": platform.client_id,
        "login_hint": "u1",
        "target_link_uri": "http://testserver/lti/launch/",
    }
    answer = client.post("/lti/login/", {**given, **more})
    assert answer.status_code == 302, answer.content
    assert answer["Location"].startswith(f"{platform.base}/auth?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer["Location"]).query).items()}


def launch(client: Client, platform: Platform, target: str, change: dict[str, Any] | None = None, **claims: Any) -> Any:
    """A whole launch; `change` replaces claims, or takes those away that are None."""
    sent = begin(client, platform)
    whole = {**platform.claims(sent["nonce"], target=target, **claims), **(change or {})}
    token = platform.sign({name: value for name, value in whole.items() if value is not None})
    return client.post("/lti/launch/", {"state": sent["state"], "id_token": token})


def target_of(exercise: Exercise) -> str:
    return f"exercise:{exercise.course.slug}/{exercise.slug}"


# -- launches -------------------------------------------------------------------------------------------------------------------


def test_a_learner_opens_an_exercise(platform: Platform, exercise: Exercise, client: Client) -> None:
    sent = begin(client, platform, lti_message_hint="m")
    assert (sent["response_mode"], sent["prompt"], sent["scope"], sent["lti_message_hint"]) == (
        "form_post",
        "none",
        "openid",
        "m",
    )
    answer = launch(client, platform, target_of(exercise))
    assert (answer.status_code, answer["Location"].split("/", 2)[2]) == (302, exercise.get_absolute_url().split("/", 2)[2])
    user = Person.objects.get(sub="ada").user
    assert int(client.session["_auth_user_id"]) == user.pk
    assert (user.first_name, user.email, user.has_usable_password()) == ("Ada", "ada@school.example", False)
    cohort = Context.objects.get().cohort
    assert (cohort.name, cohort.course) == ("Clusters, autumn", exercise.course)
    assert cohort.memberships.get(user=user).role == Membership.Role.LEARNER
    launch(Client(), platform, target_of(exercise))
    assert get_user_model().objects.filter(lti_people__sub="ada").count() == 1
    assert Context.objects.count() == Link.objects.count() == 1


def test_an_instructor_is_one_here(platform: Platform, exercise: Exercise, client: Client) -> None:
    launch(client, platform, target_of(exercise), sub="prof", role=INSTRUCTOR)
    cohort = Context.objects.get().cohort
    assert cohort.memberships.get().role == Membership.Role.INSTRUCTOR
    assert client.get(cohort.get_absolute_url()).status_code == 200


def test_an_e_mail_address_opens_no_account(platform: Platform, exercise: Exercise, client: Client, learner: Any) -> None:
    launch(client, platform, target_of(exercise), email=learner.email)
    assert Person.objects.get().user != learner


@pytest.mark.parametrize("kind", ["course", "lesson", "quiz"])
def test_other_targets(platform: Platform, course: Course, exercise: Exercise, client: Client, kind: str) -> None:
    chapter = exercise.lesson.chapter
    name = {"course": course.slug, "lesson": f"{course.slug}/{exercise.lesson.slug}", "quiz": f"{course.slug}/{chapter.slug}"}[
        kind
    ]
    assert launch(client, platform, f"{kind}:{name}").status_code == 302
    assert launch(client, platform, f"{kind}:{name}-not").status_code == 403


OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOW = int(time.time())


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"nonce": "another"}, "nonce is not the one"),
        ({"nonce": None}, "does not hold"),
        ({"aud": "another-tool"}, "does not hold"),
        ({"aud": ["slipway-tool", "another"]}, "somebody else"),
        ({"aud": ["slipway-tool", "another"], "azp": "another"}, "somebody else"),
        ({"iss": "https://evil.example"}, "does not hold"),
        ({"exp": NOW - 120}, "does not hold"),
        ({"exp": None}, "does not hold"),
        ({"iat": NOW + 3600}, "does not hold"),
        ({"sub": None}, "does not hold"),
        ({CLAIM + "deployment_id": "d2"}, "deployment is not registered"),
        ({CLAIM + "deployment_id": None}, "deployment is not registered"),
        ({CLAIM + "version": "1.1"}, "1.3.0"),
        ({CLAIM + "message_type": "Other"}, "kind of message"),
        ({CLAIM + "custom": None}, "opens nothing"),
        ({CLAIM + "custom": {"slipway_target": "exercise:no/such"}}, "opens nothing"),
    ],
)  # fmt: skip
def test_claims_that_do_not_hold(
    platform: Platform, exercise: Exercise, client: Client, claims: dict[str, Any], reason: str
) -> None:
    answer = launch(client, platform, target_of(exercise), claims)
    assert answer.status_code == 403
    assert reason in answer.content.decode()
    assert "_auth_user_id" not in client.session
    assert not Context.objects.exists()


@pytest.mark.parametrize("how", ["key", "none", "hs256", "kid", "cut", "nothing"])
def test_signatures_that_do_not_hold(platform: Platform, exercise: Exercise, client: Client, how: str) -> None:
    sent = begin(client, platform)
    claims = platform.claims(sent["nonce"], target=target_of(exercise))
    good = platform.sign(claims)
    token = {
        "key": lambda: jwt.encode(claims, OTHER, algorithm="RS256", headers={"kid": platform.kid}),
        "none": lambda: jwt.encode(claims, "", algorithm="none", headers={"kid": platform.kid}),
        "hs256": lambda: jwt.encode(claims, "public" * 8, algorithm="HS256", headers={"kid": platform.kid}),
        "kid": lambda: platform.sign(claims, kid="unknown"),
        "cut": lambda: good[:-6],
        "nothing": lambda: "",
    }[how]()
    answer = client.post("/lti/launch/", {"state": sent["state"], "id_token": token})
    assert answer.status_code == 403
    assert "_auth_user_id" not in client.session


def test_a_launch_opens_once(platform: Platform, exercise: Exercise, client: Client) -> None:
    sent = begin(client, platform)
    cookie = client.cookies["slipway_lti"].value
    form = {"state": sent["state"], "id_token": platform.sign(platform.claims(sent["nonce"], target=target_of(exercise)))}
    assert client.post("/lti/launch/", form).status_code == 302
    again = Client()
    again.cookies["slipway_lti"] = cookie
    answer = again.post("/lti/launch/", form)
    assert answer.status_code == 403
    assert "used before" in answer.content.decode()


def test_another_browser_cannot_finish_it(platform: Platform, exercise: Exercise, client: Client) -> None:
    sent = begin(client, platform)
    form = {"state": sent["state"], "id_token": platform.sign(platform.claims(sent["nonce"], target=target_of(exercise)))}
    assert Client().post("/lti/launch/", form).status_code == 403
    other = Client()
    begin(other, platform)
    assert other.post("/lti/launch/", form).status_code == 403


def test_a_log_in_ends(platform: Platform, exercise: Exercise, client: Client) -> None:
    sent = begin(client, platform)
    Login.objects.update(created_at=timezone.now() - datetime.timedelta(minutes=11))
    form = {"state": sent["state"], "id_token": platform.sign(platform.claims(sent["nonce"], target=target_of(exercise)))}
    assert "too long" in client.post("/lti/launch/", form).content.decode()


def test_unknown_and_switched_off_platforms(platform: Platform, client: Client) -> None:
    for change in ({"iss": "https://evil.example"}, {"client_id": "x"}, {"login_hint": ""}):
        given = {"iss": platform.base, "client_id": platform.client_id, "login_hint": "u", **change}
        assert client.get("/lti/login/", given).status_code == 403
    Registered.objects.update(active=False)
    assert client.get("/lti/login/", {"iss": platform.base, "login_hint": "u"}).status_code == 403


def test_a_platform_changes_its_key(platform: Platform, exercise: Exercise, client: Client) -> None:
    assert launch(client, platform, target_of(exercise)).status_code == 302
    platform.rotate()
    assert launch(Client(), platform, target_of(exercise)).status_code == 403  # asked for keys a moment ago
    Registered.objects.update(jwks_at=timezone.now() - datetime.timedelta(minutes=1))
    assert launch(Client(), platform, target_of(exercise)).status_code == 302
    assert platform.asked.count("/jwks") == 2


def test_keys_are_fetched_from_allowed_hosts_only(platform: Platform, exercise: Exercise, client: Client, settings: Any) -> None:
    settings.SLIPWAY_INTEGRATION_HOSTS = []
    assert "INTEGRATION_HOSTS" in launch(client, platform, target_of(exercise)).content.decode()
    assert platform.asked == []


# -- choosing content -----------------------------------------------------------------------------------------------------------


def test_an_instructor_chooses_content(platform: Platform, exercise: Exercise, client: Client) -> None:
    sent = begin(client, platform)
    answer = client.post("/lti/launch/", {"state": sent["state"], "id_token": platform.sign(platform.deep(sent["nonce"]))})
    assert (answer.status_code, answer["Location"]) == (302, "/lti/choose/")
    assert target_of(exercise) in client.get("/lti/choose/").content.decode()
    assert "form-action 'self'" in client.post("/lti/choose/", {})["Content-Security-Policy"]
    answer = client.post("/lti/choose/", {"target": [target_of(exercise), "lesson:no/such"]})
    assert platform.base in answer["Content-Security-Policy"].split("form-action")[1].split(";")[0]
    token = re.search(r'name="JWT" value="([^"]+)"', answer.content.decode())
    assert token
    public = keys.published()["keys"][0]
    said = jwt.decode(
        token.group(1), jwt.PyJWK(public).key, algorithms=["RS256"], audience=platform.base, issuer=platform.client_id
    )
    assert (said[DEEP + "data"], said[CLAIM + "deployment_id"], said[CLAIM + "message_type"]) == (
        "opaque",
        "d1",
        "LtiDeepLinkingResponse",
    )
    (item,) = said[DEEP + "content_items"]
    assert item["custom"] == {"slipway_target": target_of(exercise)}
    assert item["lineItem"]["scoreMaximum"] == float(exercise.data.get("points", 10))
    assert client.get("/lti/choose/").status_code == 404  # answered once


def test_a_learner_chooses_nothing(platform: Platform, course: Course, client: Client) -> None:
    sent = begin(client, platform)
    token = platform.sign(platform.deep(sent["nonce"], **{CLAIM + "roles": []}))
    assert client.post("/lti/launch/", {"state": sent["state"], "id_token": token}).status_code == 403


# -- grades and rosters -----------------------------------------------------------------------------------------------------------


def graded(user: Any, exercise: Exercise, points: float) -> None:
    values = {"points": points, "max_points": 10, "evidence": {}, "course": exercise.course}
    Grade.objects.update_or_create(user=user, exercise=exercise, defaults=values)


def test_a_grade_survives_failures(platform: Platform, exercise: Exercise, client: Client) -> None:
    launch(client, platform, target_of(exercise))
    platform.fails = [500, 401]
    graded(Person.objects.get().user, exercise, 7.5)
    for _ in range(3):
        deliver_due(now=Delivery.objects.get().due_at)
    (score,) = platform.scores
    assert (score["userId"], score["scoreGiven"], score["scoreMaximum"], score["gradingProgress"]) == (
        "ada",
        7.5,
        10,
        "FullyGraded",
    )
    assert platform.score_paths == ["/items/7/scores?type=quiz"]
    assert len(platform.assertions) == 2  # a new access token after the 401
    assert Delivery.objects.get().state == "delivered"


def test_only_the_last_of_waiting_grades_is_sent(platform: Platform, exercise: Exercise, client: Client) -> None:
    launch(client, platform, target_of(exercise))
    for points in (3, 6, 9):
        graded(Person.objects.get().user, exercise, points)
    deliver_due()
    assert [score["scoreGiven"] for score in platform.scores] == [9]


def test_a_grade_from_before_the_link_is_sent_at_the_launch(platform: Platform, exercise: Exercise, client: Client) -> None:
    launch(client, platform, f"course:{exercise.course.slug}")
    graded(Person.objects.get().user, exercise, 5)
    assert not Delivery.objects.exists()
    launch(client, platform, target_of(exercise))
    assert Delivery.objects.count() == 1


def test_grades_of_others_stay_here(platform: Platform, exercise: Exercise, client: Client, learner: Any) -> None:
    launch(client, platform, target_of(exercise))
    graded(learner, exercise, 5)
    assert not Delivery.objects.exists()


def test_a_roster_of_several_pages(platform: Platform, exercise: Exercise, client: Client) -> None:
    launch(client, platform, target_of(exercise), sub="prof", role=INSTRUCTOR)
    platform.members = [
        {"user_id": "prof", "roles": [INSTRUCTOR]}, {"user_id": "ada", "roles": ["Learner"], "given_name": "Ada"},
        {"user_id": "bo", "roles": ["Learner"], "status": "Inactive"}, {"user_id": "cy", "roles": ["Learner"], "email": "cy@school.example"}, {"user_id": ""},
    ]  # fmt: skip
    context = Context.objects.get()
    assert grades.fetch_roster(context) == 2
    assert grades.fetch_roster(context) == 0
    roles = dict(context.cohort.memberships.values_list("user__lti_people__sub", "role"))
    assert roles == {"prof": "instructor", "ada": "learner", "cy": "learner"}


# -- keys and staff's page ----------------------------------------------------------------------------------------------------------


def test_keys_rotate_and_old_ones_are_published_for_a_while(platform: Platform) -> None:
    first = keys.current()
    second = keys.rotate()
    assert [entry["kid"] for entry in keys.published()["keys"]] == [second.kid, first.kid]
    assert jwt.get_unverified_header(keys.sign({}))["kid"] == second.kid
    assert b"PRIVATE KEY" not in bytes(second.private)
    Key.objects.filter(pk=first.pk).update(retired_at=timezone.now() - datetime.timedelta(days=8))
    assert [entry["kid"] for entry in Client().get("/lti/jwks.json").json()["keys"]] == [second.kid]
    assert "d" not in keys.published()["keys"][0]


def test_staffs_page(platform: Platform, exercise: Exercise, client: Client, people: Any) -> None:
    launch(client, platform, target_of(exercise))
    platform.fails = [404] * 20
    graded(Person.objects.get().user, exercise, 4)
    deliver_due()
    Delivery.objects.update(failed_at=timezone.now())
    boss = get_user_model().objects.create_user("boss", "boss@example.org", "a long password", is_staff=True)
    for user in (people.owner, people.instructor, people.learner):
        client.force_login(user)
        assert client.get("/lti/platforms/").status_code == 404
        assert client.post("/lti/platforms/act/", {"what": "again"}).status_code == 404
    client.force_login(boss)
    page = client.get("/lti/platforms/").content.decode()
    assert "answered 404" in page
    assert "School" in page
    for language, word in (("ko", "로그인 주소"), ("en", "Log-in address")):
        assert f'href="?lang={language}"' in page
        page = client.get(f"/lti/platforms/?lang={language}", follow=True).content.decode()
        assert word in page
        assert word in client.get("/lti/platforms/", headers={"accept-language": "ja"}).content.decode()
    client.post("/lti/platforms/act/", {"what": "again"})
    assert Delivery.objects.get().state == "waiting"
    form = {
        "name": "Two", "issuer": "https://two.example", "client_id": "c", "auth_url": "https://two.example/a",
        "token_url": "https://two.example/t", "jwks_url": f"{platform.base}/jwks", "deployments": "1 2",
    }  # fmt: skip
    assert "two.example is not in INTEGRATION_HOSTS" in client.post("/lti/platforms/", form).content.decode()
    form["token_url"] = f"{platform.base}/token"
    assert client.post("/lti/platforms/", form).status_code == 302
    made = Registered.objects.get(name="Two")
    assert made.deployments == ["1", "2"]
    client.post("/lti/platforms/act/", {"what": "switch", "pk": made.pk})
    assert not Registered.objects.get(name="Two").active


def test_a_platform_registers_itself_once(
    platform: Platform, client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dynamic registration: a link of staff's, the platform's configuration, what we ask for, a deployment added by hand."""
    boss = get_user_model().objects.create_user("boss", "boss@example.org", "a long password", is_staff=True)
    Registered.objects.all().delete()
    client.force_login(people.owner)
    assert client.post("/lti/platforms/act/", {"what": "link"}).status_code == 404
    client.force_login(boss)

    def link() -> str:
        said = client.post("/lti/platforms/act/", {"what": "link"}, follow=True).content.decode()
        found = re.search(r"http://testserver(/lti/register/[\w-]+/)", said)
        assert found is not None
        return found[1]

    anybody, config = Client(), {"openid_configuration": f"{platform.base}/openid", "registration_token": "permit"}
    where = link()
    for wrong, reason in (
        ({"issuer": "https://elsewhere.example"}, "another host"),
        ({"token_endpoint": "https://elsewhere.example/t"}, "not in INTEGRATION_HOSTS"),
        ({"registration_endpoint": None}, "lacks registration_endpoint"),
    ):
        platform.changes = wrong
        answer = anybody.get(where, config)
        assert answer.status_code == 403 and reason in answer.content.decode()
    platform.changes = {}
    assert anybody.get(where, {"openid_configuration": "https://elsewhere.example/openid"}).status_code == 403
    assert anybody.get("/lti/register/guessed/", config).status_code == 403
    assert platform.registered == [] and not Registered.objects.exists()
    held: list[int] = []
    sends = http.send

    def watched(*given: Any, **named: Any) -> Any:
        held.append(len(connection.savepoint_ids))
        return sends(*given, **named)

    monkeypatch.setattr(http, "send", watched)
    answer = anybody.get(where, config)
    # a platform may ask for our keys before it answers: no transaction of ours stays open while it does
    assert held == [len(connection.savepoint_ids)] * 2
    assert answer.status_code == 200 and "X-Frame-Options" not in answer and "js/lticlose" in answer.content.decode()
    assert f"frame-ancestors {platform.base}" in answer["Content-Security-Policy"]
    asked = platform.registered[0]
    assert asked["initiate_login_uri"] == "http://testserver/lti/login/" and asked["redirect_uris"] == [
        "http://testserver/lti/launch/"
    ]
    assert asked["token_endpoint_auth_method"] == "private_key_jwt" and "lti-ags/scope/score" in asked["scope"]
    made = Registered.objects.get()
    assert (made.client_id, made.deployments, made.issuer, made.active) == ("client-1", ["d7"], platform.base, True)
    assert anybody.get(where, config).status_code == 403, "a link registers once"
    assert "add its deployment ID" in anybody.get(link(), config).content.decode()
    second = Registered.objects.get(client_id="client-2")
    for _ in range(2):
        client.post("/lti/platforms/act/", {"what": "deployment", "pk": second.pk, "deployment": " d9 "})
    second.refresh_from_db()
    assert second.deployments == ["d9"]
    old = link()
    RegistrationLink.objects.update(created_at=timezone.now() - datetime.timedelta(days=2))
    assert anybody.get(old, config).status_code == 403
