"""JSON Schema checks whose complaints an author can act on: file, line, field, and plain words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from lessons.loading.marked import Marked
from lessons.loading.marked import Path as FieldPath
from lessons.loading.problems import Problem

SCHEMAS = Path(__file__).parent / "schemas"

_TYPES = {"string": "text", "object": "a group of fields", "array": "a list", "integer": "a whole number", "number": "a number"}


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of one kind of file (`course`, `chapter`, `lesson`, `exercise`, `quiz`, `questions`, `question`)."""
    loaded: dict[str, Any] = json.loads((SCHEMAS / f"{name}.json").read_text())
    return loaded


def problems(marked: Marked, rules: dict[str, Any], base: FieldPath = ()) -> Iterator[Problem]:
    """Everything in `marked` under `base` that breaks `rules`."""
    data = marked.data
    for part in base:
        data = data[part]
    if data is None:
        yield marked.problem(base, "the file is empty" if not base else "nothing is written here")
        return
    for error in Draft202012Validator(rules).iter_errors(data):
        yield from _explain(marked, base, error)


def _explain(marked: Marked, base: FieldPath, error: ValidationError) -> Iterator[Problem]:
    path = (*base, *error.absolute_path)
    rule, limit, value = str(error.validator), error.validator_value, error.instance
    if rule == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        for key in sorted(set(value) - set(known)):
            yield marked.problem((*path, key), f"no such field here; there are {', '.join(known)}")
    elif rule == "required":
        # jsonschema reports each missing name by itself; the message quotes it first
        name = error.message.split("'")[1]
        yield marked.problem((*path, name), "is missing")
    else:
        yield marked.problem(path, _words(rule, limit, value))


def _words(rule: str, limit: Any, value: Any) -> str:
    if rule == "type":
        wanted = " or ".join(_TYPES.get(name, f"{name}") for name in ([limit] if isinstance(limit, str) else limit))
        hint = ""
        if "string" in ([limit] if isinstance(limit, str) else limit) and isinstance(value, int | float | bool):
            hint = f'; write it in quotes: "{json.dumps(value)}"'
        return f"must be {wanted}, not {_shown(value)}{hint}"
    words = {
        "minLength": "must not be empty",
        "maxLength": f"is longer than {limit} characters",
        "minItems": f"needs at least {limit}",
        "maxItems": f"has more than {limit}",
        "uniqueItems": "has an item twice",
        "minProperties": "must not be empty",
        "maxProperties": f"takes only {limit} of its fields",
        "minimum": f"must be at least {limit}, not {value}",
        "maximum": f"must be at most {limit}, not {value}",
        "enum": f"must be one of {', '.join(map(str, limit)) if isinstance(limit, list) else limit}, not {_shown(value)}",
    }
    if rule == "pattern":
        if str(limit).startswith("^[a-z0-9]+(-"):
            return f"{_shown(value)} is not a slug (lower-case letters, digits, hyphens)"
        return f"{_shown(value)} does not have the right form ({limit})"
    return words.get(rule, f"breaks the rule {rule} {limit}")


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else text[:39] + "…"
