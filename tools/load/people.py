"""Accounts with log-ins, clusters and open quiz attempts, made straight in the database of the site under load."""

from __future__ import annotations

import uuid
from typing import Any

from .learner import Account


def make(count: int, *, scenario: str = "three-nodes", quizzes: bool = True) -> list[Account]:
    """New learners; each has a cluster row that nobody has booted, and an attempt at the first quiz."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password

    from lessons.models import Quiz
    from lessons.quizzes import services as quiz_services
    from simulator import engine
    from simulator.models import ClusterSession
    from simulator.services import SEEDS
    from tools.stack import login

    User = get_user_model()
    mark, password = uuid.uuid4().hex[:8], make_password("load", hasher="pbkdf2_sha256")
    names = [f"load-{mark}-{number}" for number in range(count)]
    users = User.objects.bulk_create([User(username=name, password=password) for name in names], batch_size=500)
    version = engine.version()
    sessions = [
        # three in four have the cluster that everybody gets first, the others have reset theirs
        ClusterSession(owner=user, scenario=scenario, seed=1 if number % 4 else number // 4 % SEEDS + 1, engine_version=version)
        for number, user in enumerate(users)
    ]
    ClusterSession.objects.bulk_create(sessions, batch_size=500)
    quiz = Quiz.objects.filter(active=True).first() if quizzes else None

    def account(user: Any, session: ClusterSession) -> Account:
        attempt = quiz_services.start(user, quiz).pk if quiz is not None else 0
        return Account(login(user), str(session.pk), attempt)

    return [account(user, session) for user, session in zip(users, sessions, strict=True)]


def lesson_pages() -> list[str]:
    """Addresses of the lessons that are up."""
    from lessons.models import Lesson

    rows = Lesson.objects.filter(active=True).select_related("chapter__course")
    return [f"/en/courses/{row.chapter.course.slug}/{row.chapter.slug}/{row.slug}/" for row in rows]
