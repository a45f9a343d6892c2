"""A person's data: all of it in the file that they get, and nothing that names them left when they are gone."""

from __future__ import annotations

import datetime
import inspect
import json
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from coursesite.tasks import housekeeping
from lessons.api.models import SCOPES, Token
from lessons.desk import privacy
from lessons.desk.certificates import issue
from lessons.desk.models import Message, RosterEntry
from lessons.labs.models import CheckRun, ExerciseAttempt, ExercisePass
from lessons.models import Exercise
from lessons.outbox.models import Delivery
from simulator import edgetokens, services

pytestmark = pytest.mark.django_db

#: Who did something to others, or made something that stays: the row loses its name, and is not about them.
NOT_ABOUT = {"created_by", "by", "cleared_by", "sender", "made_by", "author"}


def test_whatever_names_a_person_is_in_the_file_or_known_not_to_be_about_them() -> None:
    user = get_user_model()
    source = inspect.getsource(privacy)
    known = {model for model, *_ in privacy.ALSO.values()}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if field.related_model is user and field.name not in NOT_ABOUT:
                assert model._meta.label in known or f"{model.__name__}.objects.filter(" in source, (
                    f"{model._meta.label}.{field.name}"
                )


def test_the_file_holds_everything_and_nobody_is_left_after_deletion(people: Any, exercise: Exercise, standin: type) -> None:
    user = people.learner
    user.first_name, user.username, user.email = "Haneul-Zzyx", "haneul-zzyx", "zzyx@example.org"
    user.save()
    EmailAddress.objects.create(user=user, email="other-zzyx@example.org", verified=True)
    RosterEntry.objects.create(cohort=people.cohort, email="Other-ZZYX@example.org", name="Haneul-Zzyx", role="learner")
    Message.objects.create(cohort=people.cohort, learner=user, sender=people.owner, text="well done, zzyx")
    LogEntry.objects.create(user=user, action_flag=1, object_repr="zzyx")
    Token.make(user.pk, "for zzyx", sorted(SCOPES)[:1])
    session = services.session_for(user, "three-nodes", "harbour/ships")
    services.append_input(session, kind="line", data={"terminal": "t1", "text": "echo zzyx"})
    secret = edgetokens.issue(session)
    attempt = ExerciseAttempt.objects.create(user=user, exercise=exercise, version=exercise.version)
    run = CheckRun.objects.create(attempt=attempt, verdicts=["zzyx"], passed=1, total=1, evidence={"session": str(session.pk)})
    ExercisePass.objects.create(user=user, exercise=exercise, run=run, points=1, max_points=1)
    issue(user, exercise.course)

    told = json.dumps(privacy.everything(user), cls=DjangoJSONEncoder)
    for word in ("echo zzyx", "other-zzyx@example.org", "for zzyx", "well done, zzyx", "kubeconfigs", str(session.pk)):
        assert word in told
    assert secret not in told

    privacy.forget(user)
    left = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if any("zzyx" in str(value).lower() for value in model._default_manager.values_list(field.name, flat=True))
    ]
    assert left == []


def test_what_was_told_to_others_goes_after_a_month() -> None:
    now = timezone.now()
    for days, field in ((40, "done_at"), (40, "failed_at"), (5, "done_at")):
        Delivery.objects.create(channel="xapi", target="lrs", payload={}, **{field: now - datetime.timedelta(days=days)})
    waiting = Delivery.objects.create(channel="xapi", target="lrs", payload={})
    Delivery.objects.filter(pk=waiting.pk).update(created_at=now - datetime.timedelta(days=90))
    housekeeping()
    assert Delivery.objects.count() == 2
    assert Delivery.objects.filter(pk=waiting.pk).exists()
