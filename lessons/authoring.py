"""The note that `manage.py loadcourse --watch` leaves for the pages of the course that it watches: a file under `VAR_DIR/authoring/`.

Its age tells whether somebody still watches.  It is a file, because an author's site runs on the author's machine, and because a site
without an author then asks for one file's time and nothing else.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from django.conf import settings

#: A note older than this many seconds is of a watch that has ended; playing what changed may take some while.
FRESH = 120.0


@dataclass(slots=True)
class Note:
    """What a watch says to the pages of its course: `stamp` changes whenever they should be loaded again."""

    stamp: str
    problems: list[str] = field(default_factory=list)


def _place(slug: str) -> Path:
    return Path(settings.VAR_DIR) / "authoring" / f"{slug}.json"


def note(slug: str) -> Note | None:
    """The note on a course that is being watched now, else None."""
    path = _place(slug)
    try:
        if time.time() - path.stat().st_mtime > FRESH:
            return None
        return Note(**json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def leave(slug: str, said: Note) -> None:
    """Put the note down, or make it fresh again."""
    path = _place(slug)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_suffix(".part")
    whole.write_text(json.dumps(asdict(said)), encoding="utf-8")
    whole.replace(path)
