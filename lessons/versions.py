"""What versions say, kept in this process.

A `Version` never changes and is known by the hash of its data, so its parsed data can be shared by all requests; a course's quizzes alone
are half a megabyte of JSON, which a page that wants their titles should not read each time.  Whoever gets shared data only reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lessons.models import Version

#: So many versions are kept; a course has a few hundred.
MOST = 4000
_kept: dict[tuple[str, str], Any] = {}


def fill(rows: Iterable[Any]) -> None:
    """Give the `version` of each row, read with its data deferred, the data: from memory, else with one query."""
    missing: dict[int, list[Version]] = {}
    for row in rows:
        version: Version = row.version
        data = _kept.get((version.kind, version.digest))
        if data is None:
            missing.setdefault(version.pk, []).append(version)
        else:
            version.data = data
    if not missing:
        return
    if len(_kept) + len(missing) > MOST:
        _kept.clear()
    for pk, data in Version.objects.filter(pk__in=list(missing)).values_list("pk", "data"):
        for version in missing[pk]:
            version.data = data
        _kept[missing[pk][0].kind, missing[pk][0].digest] = data
