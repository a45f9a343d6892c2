"""Items as Slipway's questions, and back.  What one side cannot say is told in a note, never dropped in silence."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from jsonschema import Draft202012Validator

from lessons.interchange.items import Answer, Item, Kind, Note, Number, Pair, Text, label
from lessons.interchange.plaintext import markdown, words_of
from lessons.loading import validate
from lessons.quizzes.types import TYPES, schema
from lessons.quizzes.types.base import text as in_one

Spec = dict[str, Any]


class _Unsaid(Exception):
    """Slipway has no question for this item; the reason says why."""


def both(text: str) -> dict[str, str]:
    """One text for both languages of the site."""
    return {"ko": text, "en": text}


def slugs(items: Iterable[Item]) -> list[str]:
    """A name for each question, from its own where that has letters or digits; each once."""
    found: list[str] = []
    for number, item in enumerate(items, 1):
        plain = unicodedata.normalize("NFKD", item.id or item.name).encode("ascii", "ignore").decode().lower()
        base = re.sub(r"[^a-z0-9]+", "-", plain)[:50].strip("-") or f"q{number:02}"
        slug, again = base, 2
        while slug in found:
            slug, again = f"{base}-{again}", again + 1
        found.append(slug)
    return found


# -- to Slipway -----------------------------------------------------------------------------------------------------------------


def to_specs(items: list[Item]) -> tuple[list[Spec], list[Note]]:
    """Questions as a quiz holds them, each valid by its type's own rules, and what did not carry over."""
    specs: list[Spec] = []
    notes: list[Note] = []
    before: list[tuple[Item, str]] = []
    for item, slug in zip(items, slugs(items), strict=True):
        text, lost = markdown(item.text)
        reasons = [f"a picture or recording ({', '.join(sorted(lost))}) is left out"] if lost else []
        if item.kind == Kind.DESCRIPTION:
            before.append((item, text))
            notes += [Note(item.line, label(item), reason) for reason in reasons]
            continue
        try:
            own = _OWN[item.kind](item, reasons)
        except _Unsaid as error:
            notes.append(Note(item.line, label(item), str(error)))
            continue
        spec: Spec = {"id": slug, "text": both("\n\n".join([*(words for _item, words in before), text])), **own}
        if item.points != 1:
            spec["points"] = max(0.5, min(100.0, item.points))
        if item.feedback:
            said = both(markdown(item.feedback)[0])
            spec["feedback"] = {side: _joined(spec.get("feedback", {}).get(side), said) for side in ("right", "wrong")}
        if wrong := _wrong(spec):
            notes.append(Note(item.line, label(item), f"is left out: {wrong}"))
            continue
        notes += [Note(described.line, label(described), f"stands before the question {label(item)}") for described, _ in before]
        before = []
        notes += [Note(item.line, label(item), reason) for reason in reasons]
        specs.append(spec)
    notes += [Note(item.line, label(item), "is left out: no question follows this text") for item, _text in before]
    return specs, notes


def _joined(first: dict[str, str] | None, second: dict[str, str]) -> dict[str, str]:
    return {language: f"{first[language]}\n\n{words}" if first else words for language, words in second.items()}


def _wrong(spec: Spec) -> str:
    """The first rule of its type that a question breaks, in words."""
    kind = TYPES[spec["type"]]
    for error in Draft202012Validator(schema(validate.schema("question"), kind)).iter_errors(spec):
        return f"{'.'.join(map(str, error.absolute_path))}: {error.message[:120]}"
    return next((reason for _path, reason in kind.problems(spec)), "")


def _said(text: Text) -> dict[str, str]:
    return both(markdown(text)[0])


def _choices(item: Item, reasons: list[str], single: bool) -> Spec:
    weighted = any(answer.fraction not in (0.0, 1.0) for answer in item.answers)
    best = max(answer.fraction for answer in item.answers)
    rights = [answer for answer in item.answers if answer.fraction == best]
    choices = []
    for answer in item.answers:
        choice: Spec = {"text": words_of(answer.text)[:2000] or "–"}
        right = answer is rights[0] if single else answer.fraction > 0
        choice |= {"correct": True} if right else {}
        if answer.fraction != (1.0 if right else 0.0):
            choice["credit"] = answer.fraction
        if answer.feedback:
            choice["why"] = _said(answer.feedback)
        choices.append(choice)
    if single and best < 1:
        reasons.append(f"no choice earns everything; the best one earns {best * 100:g}%")
    if not single and not weighted:  # several at 100% each: every one alone earns everything
        for choice in choices:
            choice |= {"credit": 1.0} if choice.get("correct") else {}
    return {"choices": choices, **({} if item.shuffle else {"shuffle": False})}


def _single(item: Item, reasons: list[str]) -> Spec:
    return {"type": "single", **_choices(item, reasons, True)}


def _multiple(item: Item, reasons: list[str]) -> Spec:
    found = _choices(item, reasons, False)
    if item.together:
        for choice in found["choices"]:
            choice.pop("credit", None)
        return {"type": "multiple", **found, "partial": False}
    rights = [choice for choice in found["choices"] if choice.get("correct")]
    wrongs = [choice for choice in found["choices"] if not choice.get("correct")]
    share = 1 / len(rights) if rights else 0
    if all(abs(choice.get("credit", 0) - share) < 0.001 for choice in rights) and all(
        abs(choice.get("credit", 0) + share) < 0.001 for choice in wrongs
    ):
        for choice in found["choices"]:  # Slipway's own marking: a wrong one takes away what a right one gives
            choice.pop("credit", None)
    return {"type": "multiple", **found}


def _truefalse(item: Item, reasons: list[str]) -> Spec:
    spec: Spec = {"type": "truefalse", "answer": item.truth}
    feedback = {side: _said(said) for side, said in (("right", item.right), ("wrong", item.wrong)) if said}
    return spec | ({"feedback": feedback} if feedback else {})


def _short(item: Item, reasons: list[str]) -> Spec:
    accept, partial, patterns, right = [], [], [], []
    for answer in item.answers:
        words = answer.text.text
        if answer.fraction >= 1 and "*" in words.replace("\\*", ""):
            patterns.append(_pattern(words))
        elif answer.fraction >= 1:
            accept.append(words)
            right.append(answer.feedback)
        elif answer.fraction > 0:
            partial.append(
                {"text": words, "credit": answer.fraction, **({"why": _said(answer.feedback)} if answer.feedback else {})}
            )
        elif words.strip() == "*" and answer.feedback:
            reasons.append("what is said to any other answer stands with the question's wrong answers")
        elif answer.feedback:
            partial.append({"text": words, "credit": 0, "why": _said(answer.feedback)})
    if not accept and not patterns:
        raise _Unsaid("is left out: no short answer earns everything")
    if not accept:
        accept = [re.sub(r"\*+", "…", item.answers[0].text.text)]
    spec: Spec = {"type": "short", "accept": accept[:20]}
    other = next((answer.feedback for answer in item.answers if answer.text.text.strip() == "*" and answer.fraction <= 0), Text())
    spec |= {"patterns": patterns[:10]} if patterns else {}
    spec |= {"partial": partial} if partial else {}
    spec |= {"case": True} if item.case else {}
    feedback = {"wrong": _said(other)} if other else {}
    if len({said.text for said in right}) > 1:
        reasons.append("each right answer has words of its own; they are left out")
    elif right and right[0]:
        feedback["right"] = _said(right[0])
    return spec | ({"feedback": feedback} if feedback else {})


def _pattern(words: str) -> str:
    """Moodle's `*` (any run of characters) in the patterns that short answers may use."""
    parts = [re.escape(part.replace("\0", "*")) for part in re.split(r"\*+", words.replace("\\*", "\0"))]
    return ".*".join(parts)


def _matching(item: Item, reasons: list[str]) -> Spec:
    pairs = [{"left": words_of(pair.left), "right": pair.right} for pair in item.pairs if pair.left]
    extra = [pair.right for pair in item.pairs if not pair.left]
    return {"type": "matching", "pairs": pairs, **({"extra": extra} if extra else {})}


def _numeric(item: Item, reasons: list[str]) -> Spec:
    found: list[Spec] = []
    spec: Spec = {}
    for number in item.numbers:
        bounds = number.bounds()
        if bounds is None:
            if number.feedback:
                spec["feedback"] = {"wrong": _said(number.feedback)}
            if number.fraction > 0:
                reasons.append("that any other number earns something is left out")
            continue
        low, high = bounds
        wanted: Spec = {"answer": _float((low + high) / 2), "tolerance": _float((high - low) / 2)}
        if number.feedback:
            wanted["why"] = _said(number.feedback)
        found.append({**wanted, "credit": number.fraction})
    best = next((number for number in found if number["credit"] >= 1), None)
    if best is None:
        raise _Unsaid("is left out: no number earns everything")
    if "why" in best:
        spec.setdefault("feedback", {})["right"] = best["why"]
    rest = [number for number in found if number is not best and number["credit"] >= 0]
    spec |= {"type": "numeric", "answer": best["answer"], "tolerance": best["tolerance"]}
    return spec | ({"partial": rest} if rest else {})


def _float(value: Decimal) -> float | int:
    return int(value) if value == value.to_integral_value() and abs(value) < 10**15 else float(value)


def _ordering(item: Item, reasons: list[str]) -> Spec:
    return {"type": "ordering", "items": [words_of(text) for text in item.order]}


def _essay(item: Item, reasons: list[str]) -> Spec:
    whole = {"id": "whole", "text": {"ko": "답안 전체", "en": "The whole answer"}, "points": max(0.5, min(100.0, item.points))}
    return {"type": "freetext", "rubric": [whole]}


_OWN = {
    Kind.SINGLE: _single, Kind.MULTIPLE: _multiple, Kind.TRUEFALSE: _truefalse, Kind.SHORT: _short, Kind.MATCHING: _matching,
    Kind.NUMERICAL: _numeric, Kind.ORDERING: _ordering, Kind.ESSAY: _essay,
}  # fmt: skip


# -- from Slipway -----------------------------------------------------------------------------------------------------------------


def from_specs(specs: Iterable[Spec], language: str, category: str = "") -> tuple[list[Item], list[Note]]:
    """A quiz's questions as items in one language, and what did not carry over."""
    items: list[Item] = []
    notes: list[Note] = []
    for spec in specs:
        reader = _FROM.get(spec["type"])
        if reader is None:
            reason = f"is left out: questions of the type {spec['type']!r} need Slipway"
            notes.append(Note(0, spec["id"], reason))
            continue
        fields, reasons = reader(spec, language)
        feedback = {side: _text(said, language) for side, said in spec.get("feedback", {}).items()}
        right, wrong = feedback.get("right", Text()), feedback.get("wrong", Text())
        if fields["kind"] == Kind.TRUEFALSE:
            fields |= {"right": fields.get("right") or right, "wrong": fields.get("wrong") or wrong}
        elif right and right == wrong:
            fields["feedback"] = right
        elif right or wrong:
            said = [words.text for words in (right, wrong) if words]
            fields["feedback"] = Text("\n\n".join(said), "markdown")
            reasons.append("what is said to right and to wrong answers is said to everybody")
        items.append(
            Item(
                text=_text(spec["text"], language), name=spec["id"], id=spec["id"], category=category,
                points=float(spec.get("points", 1)), **fields,
            )
        )  # fmt: skip
        notes += [Note(0, spec["id"], reason) for reason in reasons]
    return items, notes


def _text(value: Any, language: str) -> Text:
    return Text(in_one(value, language), "markdown")


def _plain(value: Any, language: str) -> Text:
    return Text(in_one(value, language), "plain")


_From = tuple[dict[str, Any], list[str]]


def _from_choice(spec: Spec, language: str) -> _From:
    kind = Kind(spec["type"])
    rights = sum(bool(choice.get("correct")) for choice in spec["choices"])
    given = any("credit" in choice for choice in spec["choices"])
    share = 1.0 if kind == Kind.SINGLE or given else 1 / max(1, rights)
    wrong = -share if kind == Kind.MULTIPLE and spec.get("partial", True) and not given else 0.0
    answers = tuple(
        Answer(
            _plain(choice["text"], language),
            float(choice.get("credit", share if choice.get("correct") else wrong)),
            _text(choice["why"], language) if "why" in choice else Text(),
        )
        for choice in spec["choices"]
    )
    together = kind == Kind.MULTIPLE and not spec.get("partial", True) and not given
    return {"kind": kind, "answers": answers, "shuffle": bool(spec.get("shuffle", True)), "together": together}, []


def _from_truefalse(spec: Spec, language: str) -> _From:
    why = _text(spec["why"], language) if "why" in spec else Text()
    return {"kind": Kind.TRUEFALSE, "truth": bool(spec["answer"]), "feedback": why}, []


def _from_short(spec: Spec, language: str) -> _From:
    words = [word for item in spec["accept"] for word in (dict.fromkeys(item.values()) if isinstance(item, dict) else [item])]
    answers = [Answer(Text(word), 1.0) for word in dict.fromkeys(words)]
    for part in spec.get("partial", []):
        why = _text(part["why"], language) if "why" in part else Text()
        answers.append(Answer(Text(in_one(part["text"], language)), float(part["credit"]), why))
    reasons = [f"the pattern {pattern} is left out" for pattern in spec.get("patterns", [])]
    return {"kind": Kind.SHORT, "answers": tuple(answers), "case": bool(spec.get("case"))}, reasons


def _from_numeric(spec: Spec, language: str) -> _From:
    numbers = [_number(spec, 1.0, language)]
    numbers += [_number(part, float(part["credit"]), language) for part in spec.get("partial", [])]
    reasons = [f"the unit {in_one(spec['unit'], language)} is left out"] if "unit" in spec else []
    return {"kind": Kind.NUMERICAL, "numbers": tuple(numbers)}, reasons


def _number(spec: Spec, fraction: float, language: str) -> Number:
    why = _text(spec["why"], language) if "why" in spec else Text()
    return Number(str(spec["answer"]), str(spec.get("tolerance", 0)), fraction=fraction, feedback=why)


def _from_matching(spec: Spec, language: str) -> _From:
    pairs = [Pair(_plain(pair["left"], language), in_one(pair["right"], language)) for pair in spec["pairs"]]
    pairs += [Pair(Text(), in_one(side, language)) for side in spec.get("extra", [])]
    return {"kind": Kind.MATCHING, "pairs": tuple(pairs)}, []


def _from_freetext(spec: Spec, language: str) -> _From:
    return {"kind": Kind.ESSAY}, ["its rubric is left out"]


def _from_ordering(spec: Spec, language: str) -> _From:
    return {"kind": Kind.ORDERING, "order": tuple(_plain(item, language) for item in spec["items"])}, []


_FROM = {
    "single": _from_choice, "multiple": _from_choice, "truefalse": _from_truefalse, "short": _from_short,
    "freetext": _from_freetext, "numeric": _from_numeric, "matching": _from_matching, "ordering": _from_ordering,
}  # fmt: skip
