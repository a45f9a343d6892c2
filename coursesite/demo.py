"""Two accounts to try the site with: a learner and an instructor.

Their passwords are made at the first start and kept in `var/demo.json`, so that every start prints the same.  `DEMO_ACCOUNTS=0`
makes none; production sets that (docs/operations.md).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import get_user_model

from lessons import demo as course

from . import environment

if TYPE_CHECKING:
    from django.contrib.auth.models import User

# fmt: off
_WORDS = (
    "anchor", "beacon", "berth", "bilge", "bosun", "bridge", "buoy", "cabin", "cargo", "chart", "compass", "convoy",
    "crane", "deck", "dock", "ferry", "fleet", "galley", "gangway", "harbour", "hatch", "hawser", "helm", "hull",
    "jetty", "keel", "knot", "ladder", "lantern", "ledger", "lighthouse", "locker", "mast", "mooring", "oar",
    "pilot", "pier", "port", "quay", "radar", "rigging", "rudder", "sail", "sextant", "signal", "slip", "stern",
    "tackle", "tide", "tiller", "tug", "wharf", "winch", "yard",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Accounts:
    """Names and passwords of the two accounts."""

    learner: tuple[str, str]
    instructor: tuple[str, str]


def _password() -> str:
    """Easy to type: five words (28 bits) and a number of four digits."""
    return "-".join([*(secrets.choice(_WORDS) for _ in range(5)), f"{secrets.randbelow(10_000):04}"])


def passwords(path: Path) -> dict[str, str]:
    """The kept passwords, made at first."""
    try:
        kept = json.loads(path.read_text())
        return {"learner": str(kept["learner"]), "instructor": str(kept["instructor"])}
    except (OSError, ValueError, KeyError, TypeError):
        made = {"learner": _password(), "instructor": _password()}
        environment.write_private(path, json.dumps(made, indent=2) + "\n")
        return made


def _mark(users: dict[str, User], kept: dict[str, str]) -> str:
    """Changes when a kept password or what the database holds of one does."""
    digest = hashlib.blake2b(digest_size=16)
    for name, user in sorted(users.items()):
        digest.update(f"{name}\0{kept[name]}\0{user.password}\n".encode())
    return digest.hexdigest()


def ensure() -> Accounts | None:
    """Make the accounts where they are missing, and a cohort of the instructor's with the learner in it."""
    if not environment.flag("DEMO_ACCOUNTS", True):
        return None
    kept = passwords(Path(settings.VAR_DIR) / "demo.json")
    find = get_user_model().objects.get_or_create
    users = {name: find(username=name, defaults={"email": f"{name}@example.org"})[0] for name in kept}
    stamp = Path(settings.VAR_DIR) / "stamps" / "demo"
    if not stamp.exists() or stamp.read_text() != _mark(users, kept):  # Argon2 takes a fifth of a second a password, on purpose
        for name, user in users.items():
            if not user.check_password(kept[name]):
                user.set_password(kept[name])
                user.save(update_fields=["password"])
        stamp.parent.mkdir(parents=True, exist_ok=True)
        environment.write_private(stamp, _mark(users, kept))
    course.ensure(learner=users["learner"], instructor=users["instructor"])
    return Accounts(("learner", kept["learner"]), ("instructor", kept["instructor"]))
