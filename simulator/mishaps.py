"""Why a cluster cannot go on, or an input was set aside: kept as data, told in the reader's language.

`ClusterSession.frozen_reason` and `JournalEntry.quarantined` hold a word and its figures, as `word a=1 b=2`.  Text that is not of this
form comes from older versions and is told as a failure of the simulator.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

#: A replay comes to another state than was stored; with `played`, `now` (versions of the simulator) and `input`.
CHANGED = "changed"
#: The simulator failed where no input can be blamed; with `error` and `now`, its version.
BROKE = "broke"
#: The rows that a replay would need were removed by retention, and no snapshot of theirs fits this version; with `input`, the last one, and
#: `now`, the version.
COMPACTED = "compacted"
#: An input that raised, killed its worker, or ran too long.
FAILED = "failed"
KILLED = "killed"
ENDLESS = "endless"

#: The longest that a column holds.
LIMIT = 300


def note(word: str, **figures: object) -> str:
    """What a row keeps."""
    parts = [f"{name}={''.join(str(value).split())[:80]}" for name, value in figures.items()]
    return " ".join([word, *parts])[:LIMIT]


def read(kept: str) -> tuple[str, dict[str, str]]:
    """The word and the figures of what a row keeps."""
    word, *rest = kept.split(" ")
    if word not in (CHANGED, BROKE, COMPACTED, FAILED, KILLED, ENDLESS):
        return "", {}
    return word, dict(part.split("=", 1) for part in rest if "=" in part)


def frozen(kept: str) -> str:
    """Why a cluster cannot go on, for its owner, as a whole sentence in the active language."""
    word, figures = read(kept)
    if word == CHANGED:
        return _(
            "The simulator was upgraded since this cluster was used last, and from input %(input)s on it would come to something else "
            "now. Everything in it can still be read, and what was graded stays graded."
        ) % {"input": figures.get("input", "1")}
    if word == COMPACTED:
        return _(
            "This cluster was not used for a long time, so the record of how it came about was removed, and the simulator was upgraded "
            "since. What its terminals last showed can still be read; reset it to begin anew."
        )
    return _(
        "The simulator failed while this cluster ran; that is a defect of ours. Everything in it can still be read, what was graded "
        "stays graded, and the next version of the simulator tries it again."
    )


def binding(kept: str, version: str) -> bool:
    """Does this reason hold for a version of the simulator?  Each is of the one that found it: another may have been mended, or be the one of before."""
    _word, figures = read(kept)
    return figures.get("now", "") == version


def set_aside(kept: str) -> str:
    """Why an input was set aside, for who typed it, as a whole sentence in the active language."""
    word, _figures = read(kept)
    if word == ENDLESS:
        return _("This input ran without an end and was stopped. It was set aside: the cluster is as it was before it.")
    if word == KILLED:
        return _("This input took its worker down with it and was set aside: the cluster is as it was before it.")
    return _(
        "This input could not be run, which is a defect of the simulator. It was set aside: the cluster is as it was before it."
    )
