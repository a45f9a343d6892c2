"""What an attempt asks: sections, draws from banks, drawn values.  Everything random comes from the attempt's seed.

A quiz's `questions` are its bank.  Without `sections` all of them are asked; a section names questions by `pick` or draws
`count` of those whose `bank` is its own.  A question's `values` are drawn (`{from, to, step}` or `{choose: [...]}`), its `let`
computed from them in CEL, and both stand in its texts and keys as `{{ name }}`: a string that is nothing else becomes the value.

The drawn layout is kept with the attempt, so a later change of this module changes no attempt.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lessons.quizzes import expressions
from lessons.quizzes.types.base import shuffled

Values = dict[str, Any]

_HOLE = re.compile(r"\{\{ *([a-z][a-z0-9_]*) *\}\}")


def points_of(spec: Mapping[str, Any]) -> float:
    """What a question is worth."""
    return float(spec.get("points", 1))


def sections(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The sections of a quiz; one without a title holds everything when the file has none."""
    given = data.get("sections")
    return list(given) if given else [{"pick": [spec["id"] for spec in data["questions"]]}]


def size(data: Mapping[str, Any]) -> tuple[int, float]:
    """How many questions an attempt asks and the points they give: the same for everybody (the loader sees to it)."""
    by_id = {spec["id"]: spec for spec in data["questions"]}
    count, points = 0, 0.0
    for section in sections(data):
        if "draw" in section:
            worth = next((points_of(spec) for spec in data["questions"] if spec.get("bank") == section["draw"]["bank"]), 0.0)
            count, points = count + section["draw"]["count"], points + section["draw"]["count"] * worth
        else:
            count += len(section["pick"])
            points += sum(points_of(by_id[slug]) for slug in section["pick"] if slug in by_id)
    return count, points


def draw(data: Mapping[str, Any], seed: str) -> list[dict[str, Any]]:
    """The questions of an attempt in its order: `{id, section, values}` each."""
    by_id = {spec["id"]: spec for spec in data["questions"]}
    mix = data.get("shuffle", True)
    out = []
    for index, section in enumerate(sections(data)):
        if "draw" in section:
            pool = [spec["id"] for spec in data["questions"] if spec.get("bank") == section["draw"]["bank"]]
            picked = random.Random(f"{seed}/section/{index}").sample(pool, min(len(pool), section["draw"]["count"]))
            picked.sort(key=pool.index)
        else:
            picked = [slug for slug in section["pick"] if slug in by_id]
        order = shuffled(len(picked), seed if index == 0 else f"{seed}/{index}") if section.get("shuffle", mix) else None
        for place in order or range(len(picked)):
            slug = picked[place]
            out.append({"id": slug, "section": index, "values": values_of(by_id[slug], f"{seed}/{slug}")})
    return out


def values_of(spec: Mapping[str, Any], seed: str) -> Values:
    """The drawn and computed values of a question.  Raises `expressions.BadExpression`."""
    found: Values = {}
    for name, given in sorted(spec.get("values", {}).items()):
        stream = random.Random(f"{seed}/value/{name}")
        if "choose" in given:
            found[name] = stream.choice(given["choose"])
        else:
            found[name] = stream.choice(_numbers(given))
    for name, source in spec.get("let", {}).items():
        found[name] = expressions.value(source, found)
    return found


def _numbers(given: Mapping[str, Any]) -> range:
    return range(given["from"], given["to"] + 1, given.get("step", 1))


def extremes(spec: Mapping[str, Any]) -> Iterator[Values]:
    """Values that a loader tries: the first and the last of everything, and a few seeds."""
    for end in (0, -1):
        found: Values = {}
        for name, given in sorted(spec.get("values", {}).items()):
            found[name] = given["choose"][end] if "choose" in given else _numbers(given)[end]
        for name, source in spec.get("let", {}).items():
            found[name] = expressions.value(source, found)
        yield found
    for number in range(4):
        yield values_of(spec, f"trial/{number}")


def fill(value: Any, values: Values) -> Any:
    """A spec with its values in place; names that are not drawn are left as they stand."""
    if not values:
        return value
    if isinstance(value, str):
        whole = _HOLE.fullmatch(value)
        if whole and whole.group(1) in values:
            return values[whole.group(1)]
        return _HOLE.sub(lambda hole: str(values.get(hole.group(1), hole.group(0))), value)
    if isinstance(value, Mapping):
        return {key: item if key in ("values", "let", "id", "type") else fill(item, values) for key, item in value.items()}
    return [fill(item, values) for item in value] if isinstance(value, list) else value


def holes(value: Any) -> set[str]:
    """The names that a spec wants in its texts."""
    if isinstance(value, str):
        return set(_HOLE.findall(value))
    if isinstance(value, Mapping):
        return {name for key, item in value.items() if key not in ("values", "let") for name in holes(item)}
    return {name for item in value for name in holes(item)} if isinstance(value, list) else set()
