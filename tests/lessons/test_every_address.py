"""Who may open what: every address of the site by its name, for everybody whom it may meet.

`TABLE` has a row for each named address.  A new view without a row fails `test_every_address_has_a_row`; a row whose view lets in somebody
else than its gate says, or refuses somebody whom the gate lets in, fails `test_who_may_open_what`.  Each request is undone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLResolver
from django.utils import translation

from lessons.desk import live, replays
from lessons.desk.certificates import issue
from lessons.desk.models import Announcement, Column, Message, RosterEntry, Signal
from lessons.grading.models import GradeGroup, Regrade
from lessons.interchange.models import QuestionSet
from lessons.labs import services as labs
from lessons.models import Enrollment, Exercise, Lesson, Membership, Question, Quiz
from lessons.quizzes import services as quizzes
from lessons.quizzes.models import Assignment, Response
from simulator import services as simulator
from tests.lessons.conftest import Cluster, People

EVERYBODY = (
    "owner",
    "instructor",
    "assistant",
    "observer",
    "learner",
    "other_learner",
    "foreign_instructor",
    "stranger",
    "site_staff",
)
READERS = ("owner", "instructor", "assistant", "observer")
#: Whom an address lets in; `nobody` is who is not logged in.
GATES: dict[str, tuple[str, ...]] = {
    "public": (*EVERYBODY, "nobody"),
    "anybody": EVERYBODY,
    "readers": READERS,
    "staff": READERS[:3],
    "managers": READERS[:2],
    "owner": READERS[:1],
    "learners": ("learner", "other_learner"),
    "own": ("learner",),
    "helper": ("assistant",),
    "site": ("site_staff",),
    # question sets are for whoever teaches somewhere, and each teacher sees their own
    "teachers": (*READERS, "foreign_instructor", "site_staff"),
    "setmaker": ("owner", "site_staff"),
}

Row = tuple[str, str, str, dict[str, Any]]
#: name, method, gate, and what is sent
TABLE: list[Row] = [
    ("lessons:landing", "get", "public", {}),
    ("lessons:progress", "get", "anybody", {}),
    ("lessons:course", "get", "public", {}),
    ("lessons:quiz", "get", "public", {}),
    ("lessons:quiz-start", "post", "anybody", {}),
    ("lessons:figure", "get", "public", {}),
    ("lessons:lesson", "get", "public", {}),
    ("lessons:lesson-read", "post", "anybody", {}),
    ("lessons:glossary", "get", "public", {}),
    ("lessons:authoring", "get", "public", {}),
    ("lessons:commands", "get", "public", {}),
    ("lessons:chapter-print", "get", "public", {}),
    ("lessons:search", "get", "public", {"q": "pod"}),
    ("lessons:own-terminal", "get", "own", {}),
    ("lessons:own-terminal-new", "post", "own", {}),
    ("lessons:own-terminal-revoke", "post", "own", {}),
    ("lessons:question-answer", "post", "public", {"q.who-binds": "1", "lesson": "ships"}),
    ("lessons:exercise-check", "post", "anybody", {}),
    ("lessons:exercise-hint", "post", "anybody", {}),
    ("lessons:exercise-solution", "post", "anybody", {}),
    ("lessons:exercise-cluster", "post", "anybody", {}),
    ("lessons:quiz-attempt", "get", "own", {}),
    ("lessons:quiz-save", "post", "own", {}),
    ("lessons:quiz-time", "get", "own", {}),
    ("lessons:quiz-submit", "post", "own", {"blank": "on"}),
    ("lessons:quiz-result", "get", "own", {}),
    ("lessons:own-quiz", "get", "learners", {}),
    ("lessons:own-quiz-start", "post", "learners", {}),
    ("lessons:cohorts", "get", "anybody", {}),
    ("lessons:cohort-new", "post", "anybody", {"name": "x"}),
    ("lessons:dashboard", "get", "readers", {}),
    ("lessons:members", "get", "staff", {}),
    ("lessons:invite-new", "post", "managers", {"role": "learner"}),
    ("lessons:invite-revoke", "post", "managers", {}),
    ("lessons:learner", "get", "readers", {}),
    ("lessons:learner-lesson", "get", "readers", {}),
    ("lessons:learner-quiz", "get", "readers", {}),
    ("lessons:items", "get", "readers", {}),
    ("lessons:items-quiz", "get", "readers", {}),
    ("lessons:items-quiz-csv", "get", "readers", {}),
    ("lessons:items-exercise", "get", "readers", {}),
    ("lessons:gradebook", "get", "readers", {}),
    ("lessons:gradebook-file", "get", "readers", {}),
    ("lessons:column-import", "post", "managers", {}),
    ("lessons:column-remove", "post", "managers", {}),
    ("lessons:wall", "get", "staff", {}),
    ("lessons:signal-clear", "post", "staff", {}),
    ("lessons:message", "post", "staff", {"text": "x"}),
    ("lessons:watch", "get", "staff", {}),
    ("lessons:watch-ask", "post", "owner", {}),  # the owner alone watches here
    ("lessons:replay", "get", "readers", {}),
    ("lessons:replay-data", "get", "readers", {}),
    ("lessons:replay-look", "get", "readers", {"at": "0"}),
    ("lessons:replay-share", "post", "managers", {"days": "7"}),
    ("lessons:help-fork", "post", "staff", {}),
    ("lessons:help-bench", "get", "helper", {}),
    ("lessons:replay-close", "post", "managers", {}),
    ("lessons:learner-data", "get", "owner", {}),
    ("lessons:learner-delete", "post", "owner", {"name": "learner"}),
    ("lessons:plan", "get", "readers", {}),
    ("lessons:dates-save", "post", "managers", {}),
    ("lessons:announce", "post", "managers", {"text": "x"}),
    ("lessons:announcement-remove", "post", "managers", {}),
    ("lessons:preview", "get", "readers", {"at": "2030-01-01T10:00"}),
    ("lessons:roster-upload", "post", "managers", {}),
    ("lessons:roster-remove", "post", "managers", {}),
    ("lessons:member-role", "post", "managers", {"role": "learner"}),
    ("lessons:signal", "post", "learners", {"kind": "help"}),
    ("lessons:message-read", "post", "own", {}),
    ("lessons:watching", "post", "own", {}),
    ("lessons:join-code", "post", "anybody", {}),
    ("lessons:certificate", "get", "own", {}),  # only the learner is enrolled here
    ("lessons:certificate-check", "get", "public", {}),
    ("lessons:my-data", "get", "anybody", {}),
    ("lessons:preferences", "get", "anybody", {}),
    ("lessons:my-data-file", "get", "anybody", {}),
    ("lessons:my-data-delete", "post", "anybody", {}),
    ("lessons:shared-replay", "get", "public", {}),
    ("lessons:shared-replay-data", "get", "public", {}),
    ("lessons:shared-replay-look", "get", "public", {"at": "0"}),
    ("lessons:my-grades", "get", "learners", {}),
    ("lessons:weights", "get", "managers", {}),
    ("lessons:weights", "post", "managers", {}),
    ("lessons:group-delete", "post", "managers", {}),
    ("lessons:grade", "get", "staff", {}),
    ("lessons:grade", "post", "managers", {}),
    ("lessons:assignments", "get", "staff", {}),
    ("lessons:quiz-new", "post", "managers", {}),
    ("lessons:assignment", "get", "staff", {}),
    ("lessons:assignment", "post", "managers", {}),
    ("lessons:quiz-remove", "post", "managers", {}),
    ("lessons:extension", "get", "managers", {}),
    ("lessons:extension", "post", "managers", {}),
    ("lessons:by-hand", "get", "staff", {}),
    ("lessons:mark", "post", "staff", {}),
    ("lessons:regrade-new", "post", "managers", {}),
    ("lessons:regrade", "get", "staff", {}),
    ("lessons:regrade-publish", "post", "managers", {}),
    ("lessons:questions", "get", "managers", {}),
    ("lessons:questions-download", "get", "managers", {}),
    ("lessons:questions-take-over", "post", "managers", {}),
    ("lessons:question", "get", "managers", {}),
    ("lessons:question", "post", "managers", {"do": "save", "source": "x"}),
    ("lessons:join", "get", "public", {}),
    ("lessons:join", "post", "anybody", {}),
    ("interchange:sets", "get", "teachers", {}),
    ("interchange:sets", "post", "teachers", {}),
    ("interchange:set", "get", "setmaker", {}),
    ("interchange:delete", "post", "setmaker", {}),
    ("interchange:put-up", "post", "site", {"course": "harbour-course"}),
    ("interchange:download", "get", "setmaker", {}),
    ("lti:platforms", "get", "site", {}),
    ("lti:act", "post", "site", {}),
    ("simulator:session", "post", "anybody", {"scenario": "three-nodes"}),
    ("simulator:reset", "post", "own", {}),
    ("simulator:fork", "post", "own", {}),
    ("simulator:undo", "post", "own", {}),
    ("simulator:past", "get", "own", {}),
    ("simulator:look", "get", "own", {"at": "0"}),
    ("simulator:branch", "post", "own", {}),
    ("simulator:take-up", "post", "own", {}),
    ("badge-verify", "get", "public", {}),
    ("tokens:list", "get", "anybody", {}),
    ("admin:index", "get", "site", {}),
]
#: Addresses that have no person before them, and who looks at them instead.
ELSEWHERE = {
    "set_language": "Django's own",
    "lti:login": "a platform's signed message (tests/lti)",
    "lti:launch": "a platform's signed message (tests/lti)",
    "lti:jwks": "public keys",
    "lti:register": "a platform with a secret (tests/lti)",
    "tokens:revoke": "one's own token (tests/api)",
    "lti:choose": "the session of a launch (tests/lti)",
    "lessons:quiz-world": "needs a question with a cluster (tests/lessons/test_world_questions.py)",
}
#: Whose views are those of allauth, the admin's own, ask for a bearer's token (tests/api), or are what checks badges (tests/badges).
FOREIGN = ("account_", "mfa_", "socialaccount_", "openid_connect_", "admin:", "api:", "badges:")


def names(resolver: URLResolver | None = None, space: str = "") -> Iterator[str]:
    """Every named address with its namespace."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        elif pattern.name:
            yield f"{space}{pattern.name}"


def test_every_address_has_a_row() -> None:
    listed = {row[0] for row in TABLE} | set(ELSEWHERE)
    missing = {name for name in names() if name not in listed and not name.startswith(FOREIGN)}
    assert missing == set(), "who may open these? add a row to TABLE"
    assert listed <= set(names()), "rows without an address"


@pytest.fixture
def places(people: People, quiz: Quiz, exercise: Exercise, standin: type, cluster: Cluster) -> dict[str, tuple[Any, ...]]:
    """What each address needs after its name: a cohort with everything in it."""
    cohort, learner = people.cohort, people.learner
    lesson = exercise.lesson
    session = labs.lesson_session(learner, lesson)
    simulator.append_input(session, kind="line", data={"terminal": "controlplane", "text": "ls"})
    simulator.settle(session)
    Enrollment.objects.get_or_create(user=learner, course=cohort.course)
    Assignment.objects.create(cohort=cohort, quiz=quiz)
    done = quizzes.submit(quizzes.start(learner, quiz))
    going = quizzes.start(learner, quiz)
    response = Response.objects.filter(attempt=done).first()
    assert response is not None
    Response.objects.filter(pk=response.pk).update(state=Response.State.HAND)
    own = Quiz.objects.create(chapter=lesson.chapter, cohort=cohort, slug="own", version=quiz.version, active=False)
    Assignment.objects.create(cohort=cohort, quiz=own)
    regrade = Regrade.objects.create(cohort=cohort, quiz=quiz, version=quiz.version, reason="r", by=people.owner)
    link = replays.share(session, cohort=cohort, by=people.owner, days=7)
    copy = simulator.fork(session, owner=people.assistant)
    sets = QuestionSet.objects.create(owner=people.owner, slug="set-1", title="Set", source="", items=[])
    message = Message.objects.create(cohort=cohort, learner=learner, sender=people.owner, text="x")
    signal = Signal.objects.create(user=learner, course=cohort.course, kind="help")
    course, chapter = cohort.course.slug, lesson.chapter.slug
    theirs, this = (cohort.pk, learner.pk), (cohort.pk, quiz.pk)
    return {
        **each("lessons:course lessons:certificate lessons:glossary lessons:authoring", course),
        **each("lessons:quiz lessons:quiz-start lessons:commands lessons:chapter-print", course, chapter),
        **each("lessons:figure", course, chapter, "hub.svg"),
        **each("lessons:lesson lessons:lesson-read", course, chapter, lesson.slug),
        **each("lessons:own-terminal lessons:own-terminal-new lessons:own-terminal-revoke", session.pk),
        **each("lessons:question-answer", Question.objects.get(slug="who-binds").pk),
        **each("lessons:exercise-check lessons:exercise-hint lessons:exercise-solution lessons:exercise-cluster", exercise.pk),
        **each("lessons:quiz-attempt lessons:quiz-save lessons:quiz-time lessons:quiz-submit", going.pk),
        **each("lessons:quiz-result", done.pk),
        **each("lessons:own-quiz lessons:own-quiz-start lessons:quiz-remove", cohort.pk, own.pk),
        **each("lessons:dashboard lessons:members lessons:invite-new lessons:items lessons:gradebook", cohort.pk),
        **each("lessons:column-import lessons:wall lessons:plan lessons:dates-save lessons:announce", cohort.pk),
        **each("lessons:preview lessons:roster-upload lessons:my-grades lessons:weights", cohort.pk),
        **each("lessons:assignments lessons:quiz-new", cohort.pk),
        **each("lessons:invite-revoke", cohort.pk, people.invite.pk),
        **each("lessons:learner lessons:message lessons:learner-data lessons:learner-delete", *theirs),
        **each("lessons:learner-lesson", *theirs, lesson.pk),
        **each("lessons:learner-quiz", *theirs, quiz.pk),
        **each("lessons:items-quiz lessons:items-quiz-csv lessons:assignment lessons:by-hand", *this),
        **each("lessons:regrade-new lessons:questions lessons:questions-download lessons:questions-take-over", *this),
        **each("lessons:items-exercise", cohort.pk, exercise.pk),
        **each("lessons:gradebook-file", cohort.pk, "csv"),
        **each("lessons:column-remove", cohort.pk, Column.objects.create(cohort=cohort, name="Talk", max_points=10).pk),
        **each("lessons:signal-clear", cohort.pk, signal.pk),
        **each("lessons:watch lessons:watch-ask lessons:replay lessons:replay-data", *theirs, session.pk),
        **each("lessons:replay-look lessons:replay-share lessons:help-fork", *theirs, session.pk),
        **each("lessons:help-bench", cohort.pk, copy.pk),
        **each("lessons:replay-close", cohort.pk, link.pk),
        **each("lessons:announcement-remove", cohort.pk, Announcement.objects.create(cohort=cohort, text="x").pk),
        **each("lessons:roster-remove", cohort.pk, RosterEntry.objects.create(cohort=cohort, email="w@example.org").pk),
        **each("lessons:member-role", cohort.pk, Membership.objects.get(cohort=cohort, user=learner).pk),
        **each("lessons:signal", lesson.pk),
        **each("lessons:message-read", message.pk),
        **each("lessons:watching", live.watch(session, people.owner, cohort).pk),
        **each("lessons:certificate-check", issue(learner, cohort.course).number),
        **each("lessons:shared-replay lessons:shared-replay-data lessons:shared-replay-look", replays.signed(link)),
        **each("lessons:group-delete", cohort.pk, GradeGroup.objects.create(cohort=cohort, name="g").pk),
        **each("lessons:grade", *theirs, "quiz", quiz.pk),
        **each("lessons:extension", *this, learner.pk),
        **each("lessons:mark", *this, response.pk),
        **each("lessons:regrade lessons:regrade-publish", *this, regrade.pk),
        **each("lessons:question", *this, "port"),
        **each("lessons:join", people.invite.token),
        **each("interchange:set interchange:delete interchange:put-up", sets.slug),
        **each("interchange:download", sets.slug, "gift"),
        **each("simulator:reset simulator:fork simulator:undo simulator:past simulator:look", session.pk),
        **each("simulator:branch simulator:take-up", session.pk),
    }


def each(names: str, *args: Any) -> dict[str, tuple[Any, ...]]:
    """These addresses need the same."""
    return dict.fromkeys(names.split(), args)


@pytest.fixture
def clients(people: People) -> dict[str, Client]:
    """Everybody logged in, and nobody."""
    create = get_user_model().objects.create_user
    everyone: dict[str, Any] = {name: getattr(people, name, None) for name in EVERYBODY}
    everyone["observer"] = create("observer", "observer@example.org", "a long password")
    Membership.objects.create(cohort=people.cohort, user=everyone["observer"], role=Membership.Role.OBSERVER)
    everyone["site_staff"] = create("site-staff", "s@example.org", "a long password", is_staff=True, is_superuser=True)
    out = {"nobody": Client()}
    for name, user in everyone.items():
        out[name] = Client()
        out[name].force_login(user)
    return out


def let_in(client: Client, method: str, path: str, data: dict[str, Any]) -> str:
    """What somebody gets: `in`, `refused` (not found, or forbidden), or `login`.  Whatever it did is undone."""
    with transaction.atomic():
        response = getattr(client, method)(path, data)
        transaction.set_rollback(True)
    if response.status_code in (403, 404):
        return "refused"
    if response.status_code == 302 and "/login/" in response["Location"]:
        return "login"
    if response.status_code >= 500 or response.status_code in (401, 405):
        return str(response.status_code)
    return "in"


def test_who_may_open_what(clients: dict[str, Client], places: dict[str, tuple[Any, ...]], ships: Lesson) -> None:
    wrong = []
    for name, method, gate, data in TABLE:
        with translation.override("en"):
            path = reverse(name, args=places.get(name, ()))
        for who, client in clients.items():
            got = let_in(client, method, path, data | ({"lesson": ships.pk} if "lesson" in data else {}))
            wanted = ("in",) if who in GATES[gate] else ("login", "401") if who == "nobody" else ("refused",)
            if name == "admin:index" and got == "login":
                got = "refused" if who != "nobody" else got
            if got not in wanted:
                wrong.append(f"{method} {path} ({name}): {who} got {got}, not {' or '.join(wanted)}")
    assert wrong == [], "\n".join(wrong)


def test_what_changes_something_is_not_done_by_looking(clients: dict[str, Client], places: dict[str, tuple[Any, ...]]) -> None:
    looked_at = {name for name, method, _gate, _data in TABLE if method == "get"} | {"lessons:quiz-submit"}
    for name, _method, gate, _data in TABLE:
        if name not in looked_at:
            who = GATES[gate][0]
            with translation.override("en"):
                path = reverse(name, args=places.get(name, ()))
            assert let_in(clients[who], "get", path, {}) == "405", name


#: Of these the number is one of the course, which other cohorts have too.
OF_THE_COURSE = {
    *("items-quiz", "items-quiz-csv", "items-exercise", "assignment", "by-hand", "regrade-new", "question", "questions"),
    *("questions-download", "questions-take-over", "gradebook-file"),
}


def test_what_is_of_one_cohort_is_not_found_in_another(
    people: People, clients: dict[str, Client], places: dict[str, tuple[Any, ...]]
) -> None:
    """An instructor asks under the address of their own cohort for what belongs to this one."""
    for name, method, _gate, data in TABLE:
        args = places.get(name, ())
        if (
            len(args) < 2
            or args[0] != people.cohort.pk
            or name.removeprefix("lessons:") in OF_THE_COURSE
            or "cohorts/" not in (path := reverse(name, args=args))
        ):
            continue
        path = path.replace(f"cohorts/{people.cohort.pk}/", f"cohorts/{people.foreign_cohort.pk}/")
        assert let_in(clients["foreign_instructor"], method, path, data) == "refused", name


#: Where a number, a word or a text is expected.
NONSENSE = ("\x00", "9" * 30, "💥" * 300)


def _mad(data: dict[str, Any], word: str) -> dict[str, Any]:
    return dict.fromkeys((*data, "q", "page", "after", "at", "seq", "sort", "who", "days", "kind", "name"), word)


@pytest.mark.postgres
def test_nonsense_breaks_no_page(clients: dict[str, Client], places: dict[str, tuple[Any, ...]]) -> None:
    """Whatever stands in a form, a query or an address: no answer is an error of ours, on either database."""
    broken = []
    for name, method, gate, data in TABLE:
        who = clients[next(each for each in GATES[gate] if each != "nobody")]
        args = places.get(name, ())
        with translation.override("en"):
            path = reverse(name, args=args)
        tried = [(path, _mad(data, word)) for word in NONSENSE]
        for number, arg in enumerate(args):
            other = 10**30 if isinstance(arg, int) else "x" * 300 if isinstance(arg, str) else arg
            with translation.override("en"), contextlib.suppress(NoReverseMatch):
                tried.append((reverse(name, args=(*args[:number], other, *args[number + 1 :])), data))
        for where, what in tried:
            try:
                got = let_in(who, method, where, what)
            except Exception as error:
                got = f"{type(error).__name__}: {error}"[:200]
            if got not in ("in", "refused", "login"):
                broken.append(f"{method} {where[:120]} ({name}) with {next(iter(what.values()), '')!r:.20}: {got}")
    assert broken == [], "\n".join(broken)
