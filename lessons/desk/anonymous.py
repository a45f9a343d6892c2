"""Learners without names: what somebody gets who studies the figures and not the people.

Each learner of a cohort (or, for everybody, of a course) has one alias, the same in every table, so that tables can be put side by side;
it is made with the site's secret key, so that nobody who knows the names can make it.  Rows come in the order of the aliases.
"""

from __future__ import annotations

from django.utils.crypto import salted_hmac

from lessons.models import Cohort, Course


def alias(whose: Cohort | Course, user_id: int) -> str:
    """A learner's name in tables without names: eight hexadecimal digits."""
    said = f"{type(whose).__name__.lower()}/{whose.pk}/{user_id}"
    return salted_hmac("slipway.desk.anonymous", said, algorithm="sha256").hexdigest()[:8]
