"""Label and field selectors (`apimachinery/pkg/labels/selector.go`, `apimachinery/pkg/fields/selector.go`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from . import names

_OPERATORS = ("=", "==", "!=", "in", "notin", "gt", "lt", "exists", "!")
_TOKEN = re.compile(r"\s*(==|=|!=|!|>|<|\(|\)|,|[^\s=!()<>,]+)")
_BINARY = "in, notin, =, ==, !=, gt, lt"


class SelectorError(ValueError):
    """The selector cannot be parsed; the message is the real one."""


class Requirement(msgspec.Struct, frozen=True):
    """One term: key, operator (`in notin = != exists ! gt lt`) and values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a label set satisfies this term."""
        operator = self.operator
        have = labels.get(self.key)
        if operator in ("=", "==", "in"):
            return have is not None and have in self.values
        if operator in ("!=", "notin"):
            return have is None or have not in self.values
        if operator == "exists":
            return self.key in labels
        if operator == "!":
            return self.key not in labels
        if have is None or not re.fullmatch(r"[+-]?\d{1,18}", have):
            return False
        return int(have) > int(self.values[0]) if operator == "gt" else int(have) < int(self.values[0])

    def __str__(self) -> str:
        if self.operator == "exists":
            return self.key
        if self.operator == "!":
            return f"!{self.key}"
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({','.join(sorted(self.values))})"
        sign = {"gt": ">", "lt": "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{self.values[0]}"


class LabelSelector(msgspec.Struct, frozen=True):
    """A conjunction of terms; no terms match everything, `nothing` matches nothing."""

    terms: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str] | None) -> bool:
        """Whether a label set satisfies every term."""
        if self.nothing:
            return False
        found = labels or {}
        return all(term.matches(found) for term in self.terms)

    def __str__(self) -> str:
        return ",".join(str(term) for term in self.terms)


EVERYTHING = LabelSelector()
NOTHING = LabelSelector(nothing=True)


class _Parser:
    """A recursive-descent parser over the tokens; `<end>` is the empty token."""

    def __init__(self, text: str) -> None:
        self.tokens: list[str] = []
        at = 0
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                break
            self.tokens.append(match.group(1))
            at = match.end()
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def parse(self) -> tuple[Requirement, ...]:
        out: list[Requirement] = []
        while True:
            token = self.peek()
            if token == "" and not out:
                return ()
            if token != "!" and _punctuation(token):
                raise SelectorError(f"found '{token}', expected: !, identifier, or 'end of string'")
            try:
                out.append(self.requirement())
            except SelectorError as error:
                raise SelectorError(f"unable to parse requirement: {error}") from None
            token = self.take()
            if token == "":
                return tuple(sorted(out, key=lambda r: r.key))
            if token != ",":
                raise SelectorError(f"found '{token}', expected: ',' or 'end of string'")
            following = self.peek()
            if following != "!" and (following == "" or _punctuation(following)):
                raise SelectorError(f"found '{following}', expected: identifier after ','")

    def requirement(self) -> Requirement:
        negated = self.peek() == "!"
        if negated:
            self.take()
        key = self.take()
        if key == "" or _punctuation(key):
            raise SelectorError(f"found '{key}', expected: identifier")
        problems = names.qualified_name(key)
        if problems:
            raise SelectorError(f'<nil>: Invalid value: "{key}": {"; ".join(problems)}')
        token = self.peek()
        if negated or token in ("", ","):
            return Requirement(key, "!" if negated else "exists")
        operator = self.take()
        if operator in ("in", "notin"):
            return checked(key, operator, self.set_values())
        if operator not in ("=", "==", "!=", ">", "<"):
            raise SelectorError(f"found '{operator}', expected: {_BINARY}")
        value = self.exact_value()
        return checked(key, {">": "gt", "<": "lt"}.get(operator, operator), (value,))

    def exact_value(self) -> str:
        token = self.peek()
        if token in ("", ","):
            return ""
        if _punctuation(token):
            raise SelectorError(f"found '{token}', expected: identifier")
        return self.take()

    def set_values(self) -> tuple[str, ...]:
        token = self.take()
        if token != "(":
            raise SelectorError(f"found '{token}' expected: '('")
        values: list[str] = []
        expect_value = True
        while True:
            token = self.take()
            if token == ")":
                if expect_value:
                    values.append("")
                return tuple(dict.fromkeys(values))
            if token == ",":
                if expect_value:
                    values.append("")
                expect_value = True
            elif token == "" or _punctuation(token):
                raise SelectorError(f"found '{token}', expected: ',' or ')'")
            else:
                values.append(token)
                expect_value = False


def _punctuation(token: str) -> bool:
    return token in ("", "=", "==", "!=", "!", ">", "<", "(", ")", ",")


def checked(key: str, operator: str, values: tuple[str, ...]) -> Requirement:
    """A term whose values have been validated (`NewRequirement`)."""
    if operator in ("gt", "lt") and not re.fullmatch(r"[+-]?\d{1,18}", values[0]):
        raise SelectorError(f"values[0]: Invalid value: \"{values[0]}\": for 'Gt', 'Lt' operators, the value must be an integer")
    problems = []
    for value in values:
        wrong = names.label_value(value)
        if wrong:
            problems.append(f'values[0][{key}]: Invalid value: "{value}": {"; ".join(wrong)}')
    if problems:
        raise SelectorError(problems[0] if len(problems) == 1 else "[" + ", ".join(problems) + "]")
    return Requirement(key, operator, values)


@lru_cache(maxsize=1024)
def parse_labels(text: str) -> LabelSelector:
    """A selector of its text (`labels.Parse`); raises SelectorError."""
    return LabelSelector(_Parser(text).parse()) if text.strip() else EVERYTHING


def from_object(selector: Mapping[str, Any] | None) -> LabelSelector:
    """A `metav1.LabelSelector` object; None matches nothing, {} everything (`LabelSelectorAsSelector`)."""
    if selector is None:
        return NOTHING
    terms = [Requirement(k, "=", (v,)) for k, v in sorted((selector.get("matchLabels") or {}).items())]
    names_of = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
    for item in selector.get("matchExpressions") or ():
        terms.append(Requirement(item["key"], names_of.get(item["operator"], "in"), tuple(item.get("values") or ())))
    return LabelSelector(tuple(terms))


def from_map(labels: Mapping[str, str] | None) -> LabelSelector:
    """A plain map selector, such as a Service's."""
    return LabelSelector(tuple(Requirement(k, "=", (v,)) for k, v in sorted((labels or {}).items())))


# -- field selectors ----------------------------------------------------------------------------------------------------


class FieldTerm(msgspec.Struct, frozen=True):
    """`field=value` or `field!=value`."""

    field: str
    equal: bool
    value: str


@lru_cache(maxsize=1024)
def parse_fields(text: str) -> tuple[FieldTerm, ...]:
    """The terms of a field selector (`fields.ParseSelector`); raises SelectorError."""
    out: list[FieldTerm] = []
    for part in re.split(r"(?<!\\),", text):
        if not part:
            continue
        match = re.match(r"(.*?)(!=|==|=)(.*)\Z", part, re.S)
        if match is None:
            raise SelectorError(f"invalid selector: '{text}'; can't understand '{part}'")
        field, operator, value = match.groups()
        out.append(FieldTerm(field, operator != "!=", re.sub(r"\\([\\,=])", r"\1", value)))
    return tuple(out)


def match_fields(terms: tuple[FieldTerm, ...], read: Callable[[str], str]) -> bool:
    """Whether an object whose fields `read` gives satisfies every term."""
    return all((read(term.field) == term.value) == term.equal for term in terms)
