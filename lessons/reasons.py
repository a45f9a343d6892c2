"""Reasons in the reader's language: why a text that somebody wrote cannot be taken, and why a check could not decide.

What finds them (`lessons.loading`, the question types, the simulator's checks) speaks English, which commands and files need, and knows nothing
of pages.  A page looks a reason up here: the table has each as a template, which is the pattern of the English sentence as well as the message
that is translated.  What is not in the table, a message of Kubernetes for instance, stays as it is.
"""

from __future__ import annotations

import re
from functools import cache

from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_noop as _

#: Templates of the sentences; of two that fit, the first counts.
REASONS: tuple[str, ...] = (
    # lessons/loading/validate.py
    _("the file is empty"),
    _("nothing is written here"),
    _("no such field here; there are %(names)s"),
    _("must not be empty"),
    _("is longer than %(limit)s characters"),
    _("needs at least %(limit)s"),
    _("has more than %(limit)s"),
    _("has an item twice"),
    _("takes only %(limit)s of its fields"),
    _("must be at least %(limit)s, not %(given)s"),
    _("must be at most %(limit)s, not %(given)s"),
    _("must be one of %(names)s, not %(given)s"),
    _('must be %(kind)s, not %(given)s; write it in quotes: "%(quoted)s"'),
    _("must be %(kind)s, not %(given)s"),
    _("%(given)s is not a slug (lower-case letters, digits, hyphens)"),
    _("%(given)s does not have the right form (%(rule)s)"),
    _("breaks the rule %(rule)s"),
    # lessons/loading/marked.py
    _("longer than %(limit)s KB"),
    _("not YAML: %(reason)s"),
    _("more than %(limit)s values"),
    _("anchors and aliases are not allowed"),
    _("tags are not allowed (%(tag)s)"),
    _("nested deeper than %(limit)s levels"),
    _("a key must be text"),
    _("this key is here twice"),
    _("a question is a group of fields"),
    # lessons/loading/questions.py
    _("another question is already called `%(name)s`"),
    _("is missing; there are %(names)s"),
    _("there is no type %(name)s; there are %(names)s"),
    _("there is no lesson `%(name)s` in this course"),
    _("has either `choose: [...]` or `from` and `to`"),
    _("`from` and `to` are whole numbers, the second the larger"),
    _("`{{ %(name)s }}` is neither in `values` nor in `let`"),
    _("has either `pick` or `draw`"),
    _("there is no question `%(name)s`"),
    _("`%(name)s` is asked in another section already"),
    _("`%(name)s` is never asked: no section picks it or its bank"),
    _("`%(name)s` is in the bank `%(bank)s` too, so it might be asked twice"),
    _("another section draws from `%(bank)s` already"),
    _("the bank `%(bank)s` has %(count)s questions, not %(wanted)s"),
    _("questions of one bank give the same points, not %(given)s"),
    # lessons/quizzes/types
    _("exactly one choice has `correct: true`; here %(count)s have"),
    _("at least one choice has `correct: true`; here none has"),
    _("`%(name)s` is left out by `without`"),
    _("there is no gap `%(name)s` under `gaps`"),
    _("is not in the text (%(language)s)"),
    _("the gap `%(name)s` is there twice"),
    _("needs one of accept, answer, choices; there is %(found)s"),
    _("another criterion is already called `%(name)s`"),
    _("two left sides are the same (%(language)s)"),
    _("not a regular expression: %(reason)s"),
    _("is missing: what the command must bring about (or `printed`, a command that prints the same)"),
    # lessons/loading/exercises.py
    _("is missing"),
    _("another check is already called `%(name)s`"),
    _("`%(name)s` is not a check before this one"),
    _("goes with `holds: throughout` or `holds: sometime` only"),
    _("needs exactly one probe (%(names)s); there is %(found)s"),
    _("goes with `run` only"),
    _("goes with a `run` probe only"),
    _("counts from `since`, which is not there"),
    _("has one of run, wait, fault; there is %(found)s"),
    _("%(name)s cannot stand with %(other)s"),
    _("needs exactly one operator; there is %(found)s"),
    _("has either `run` or `wait`"),
    # simulator/core/lab: why a check could not be decided
    _("%(probe)s: the API server cannot be reached (%(reason)s)"),
    _("object: this scenario has no cluster to ask"),
    _("%(probe)s: no host %(name)s"),
    _("wait: more than %(limit)s hours in all"),
)
#: Words within a sentence.
WORDS: dict[str, str] = {
    "text": _("text"),
    "a group of fields": _("a group of fields"),
    "a list": _("a list"),
    "a whole number": _("a whole number"),
    "a number": _("a number"),
    "boolean": _("`true` or `false`"),
    "none": _("none"),
    "refused": _("connection refused"),
    "timeout": _("no answer in time"),
}
#: What a check over a stretch of time adds to what it expects.
MODES = {"throughout": _("throughout"), "sometime": _("sometime")}


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    out = []
    for template in REASONS:
        pattern = re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.+?)", re.escape(template).replace("%", r"%"))
        out.append((re.compile(pattern, re.DOTALL), template))
    return tuple(out)


def said(reason: str) -> str:
    """A reason in the page's language; unchanged where there is no translation of it."""
    if (get_language() or "en").startswith("en"):
        return reason
    drawn = re.fullmatch(r"(?P<reason>.+) \(with (?P<values>.+)\)", reason, re.DOTALL)
    if drawn:
        return gettext("%(reason)s (with %(values)s)") % {"reason": said(drawn["reason"]), "values": drawn["values"]}
    step = re.fullmatch(r"(?P<where>what_if\[\d+\]): (?P<reason>.+)", reason, re.DOTALL)
    if step:
        return f"{step['where']}: {said(step['reason'])}"
    for pattern, template in _patterns():
        if found := pattern.fullmatch(reason):
            return gettext(template) % {name: _words(value) for name, value in found.groupdict().items()}
    return reason


def _words(value: str) -> str:
    """What stands in a sentence: kinds of values are words, everything else is what the author wrote."""
    parts = value.split(" or ")
    if all(part in WORDS for part in parts):
        return gettext(" or ").join(gettext(WORDS[part]) for part in parts)
    return value


def in_time(text: str) -> str:
    """`≥ 3 (throughout)` with its last word in the page's language."""
    found = re.fullmatch(r"(.*) \((throughout|sometime)\)", text, re.DOTALL)
    return f"{found[1]} ({gettext(MODES[found[2]])})" if found else text
