"""Rosters: who is expected in a cohort, from a CSV file; they become members when an account with their address is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from lessons.desk.columns import HEADS, BadFile, read_lines
from lessons.desk.models import RosterEntry
from lessons.models import Cohort, Enrollment, Membership

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Roles that a roster may give; owners are made by owners.
ROLES = (Membership.Role.LEARNER, Membership.Role.OBSERVER, Membership.Role.ASSISTANT, Membership.Role.INSTRUCTOR)


@dataclass(slots=True)
class Uploaded:
    """What came of a file."""

    new: int = 0
    changed: int = 0
    joined: int = 0


def upload(cohort: Cohort, blob: bytes, *, roles: tuple[str, ...] = (Membership.Role.LEARNER,)) -> Uploaded:
    """Take lines `email[,name[,role]]`, all or none; raises `BadFile` with every line that is wrong.

    `roles` are those that the uploader may give.
    """
    wanted: dict[str, tuple[str, str]] = {}
    problems = []
    for place, (number, cells) in enumerate(read_lines(blob)):
        where = _("line %(n)s:") % {"n": number}
        email = cells[0].casefold()
        if place == 0 and "@" not in email and email in HEADS:
            continue
        name = cells[1][:80] if len(cells) > 1 else ""
        role = cells[2].casefold() if len(cells) > 2 and cells[2] else Membership.Role.LEARNER.value
        try:
            validate_email(email)
        except ValidationError:
            problems.append(f"{where} " + _("%(email)s is no e-mail address") % {"email": cells[0][:80]})
            continue
        if len(email) > 254:
            problems.append(f"{where} " + _("%(email)s is no e-mail address") % {"email": cells[0][:80]})
        elif role not in ROLES:
            problems.append(
                f"{where} " + _("%(role)s is no role; there are: %(all)s") % {"role": role[:40], "all": ", ".join(ROLES)}
            )
        elif role not in roles:
            problems.append(f"{where} " + _("you may not give the role %(role)s") % {"role": role})
        elif email in wanted:
            problems.append(f"{where} " + _("%(who)s is there twice") % {"who": email[:80]})
        else:
            wanted[email] = (name, role)
    if problems:
        raise BadFile(problems)
    done = Uploaded()
    with transaction.atomic():
        for email, (name, role) in wanted.items():
            row, made = RosterEntry.objects.get_or_create(cohort=cohort, email=email, defaults={"name": name, "role": role})
            done.new += made
            if not made and row.joined_id is None and (row.name, row.role) != (name, role):
                row.name, row.role = name, role
                row.save(update_fields=["name", "role"])
                done.changed += 1
        for user in get_user_model().objects.filter(email__in=list(wanted)):
            done.joined += len(admit(user))
    return done


def admit(user: User) -> list[Membership]:
    """Make somebody a member of every cohort that expects their address.

    Addresses are taken at their word where the site does not verify them (`EMAIL_VERIFICATION`); where it does, only a verified one
    opens a door.
    """
    if not user.email or not _verified(user):
        return []
    out = []
    for entry in RosterEntry.objects.filter(email__iexact=user.email, joined=None).select_related("cohort__course"):
        row, made = Membership.objects.get_or_create(cohort=entry.cohort, user=user, defaults={"role": entry.role})
        Enrollment.objects.get_or_create(user=user, course=entry.cohort.course)
        RosterEntry.objects.filter(pk=entry.pk).update(joined=user)
        if made:
            out.append(row)
    return out


def _verified(user: User) -> bool:
    from allauth.account.models import EmailAddress
    from django.conf import settings

    rows = EmailAddress.objects.filter(user=user, email__iexact=user.email)
    if settings.ACCOUNT_EMAIL_VERIFICATION == "mandatory":
        return bool(rows.filter(verified=True).exists())
    return True
