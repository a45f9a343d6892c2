"""Reading QTI 1.2: `questestinterop` with assessments, object banks, sections and items.

What is asked is read from `presentation`, what is right from `resprocessing`: a condition on one response that sets or
adds points is worth that share of the item's points.  Moodle, Canvas, Blackboard and Common Cartridge write variants of
it; the type is told by what is there, and by `question_type` or `cc_profile` where that is not enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element

from lessons.interchange import fractions
from lessons.interchange.items import Answer, Item, Kind, Note, Number, Pair, Text, label
from lessons.interchange.qti.xml import Document, inner

Wrong = tuple[int, str, str]


class _Unread(Exception):
    """An item that is of no type we know, or says nothing about what is right."""


def read(document: Document) -> tuple[str, list[Item], list[Note], list[Wrong]]:
    """The title, the items, what did not carry over, and what is wrong (line, question, reason)."""
    items: list[Item] = []
    notes: list[Note] = []
    wrong: list[Wrong] = []
    head = next((element for element in document.root if element.tag in {"assessment", "objectbank"}), None)
    title = (head.get("title") or "") if head is not None else ""
    if not title and head is not None:
        title = _fields(head).get("bank_title", "")
    for element, path in _items(document.root, ()):
        reader = _Item(document, element)
        line, name = document.line(element), element.get("title") or element.get("ident") or ""
        try:
            item = reader.item("/".join(path))
        except _Unread as error:
            notes.append(Note(line, name, f"is left out: {error}"))
            continue
        except InvalidOperation:
            wrong.append((line, name, "has points or numbers that are no numbers"))
            continue
        items.append(item)
        notes += [Note(item.line, label(item), reason) for reason in reader.reasons]
    return title, items, notes, wrong


def _items(element: Element, path: tuple[str, ...]) -> Iterator[tuple[Element, tuple[str, ...]]]:
    for child in element:
        if child.tag == "item":
            yield child, path
        elif child.tag in {"assessment", "section", "objectbank"}:
            title = child.get("title") or ""
            named = child.tag == "section" and title and child.get("ident") != "root_section"
            yield from _items(child, (*path, title) if named else path)


def _fields(element: Element) -> dict[str, str]:
    """The metadata fields of an item or assessment, labels in lower case."""
    found: dict[str, str] = {}
    for row in element.iter("qtimetadatafield"):
        found.setdefault((row.findtext("fieldlabel") or "").strip().lower(), (row.findtext("fieldentry") or "").strip())
    return found


def _material(element: Element | None) -> Text:
    """The texts of an element's own material, one after the other."""
    if element is None:
        return Text()
    texts: list[Text] = []
    for child in _own(element):
        kind = (child.get("texttype") or "text/plain").lower()
        if child.tag == "mattext":
            words = (inner(child) if len(child) else child.text or "").strip()
            texts.append(Text(words, "html" if "html" in kind or len(child) else "plain"))
        elif child.tag == "matemtext":
            texts.append(Text((child.text or "").strip(), "plain"))
    texts = [text for text in texts if text]
    if not texts:
        return Text()
    if all(text.format == "plain" for text in texts):
        return Text("\n".join(text.text for text in texts), "plain")
    return Text("\n".join(text.text for text in texts), "html")


_ASKED = {"response_lid", "response_str", "response_num", "response_xy", "response_grp"}


def _own(element: Element) -> Iterator[Element]:
    """Texts below an element that belong to it and to no response inside."""
    for child in element:
        if child.tag in {"mattext", "matemtext"}:
            yield child
        elif child.tag not in _ASKED and child.tag not in {"response_label", "render_choice"}:
            yield from _own(child)


def _number(text: str | None, default: str = "0") -> Decimal:
    value = Decimal((text or "").strip() or default)
    if not value.is_finite() or abs(value.adjusted()) > 300:
        raise InvalidOperation
    return value


@dataclass(slots=True)
class _Rule:
    """A condition that gives points: what must be answered, what must not, and what is said."""

    points: Decimal
    sets: bool
    equal: list[tuple[str, str, bool]] = field(default_factory=list)
    unequal: list[tuple[str, str]] = field(default_factory=list)
    ranges: list[tuple[str, str]] = field(default_factory=list)
    either: bool = False
    other: bool = False
    feedback: list[str] = field(default_factory=list)


class _Item:
    def __init__(self, document: Document, element: Element) -> None:
        self.element = element
        self.line = document.line(element)
        self.fields = _fields(element)
        self.reasons: list[str] = []
        self.rules = [self.rule(condition) for condition in element.iter("respcondition")]
        self.feedback = {found.get("ident", ""): self.said(found) for found in element.iter("itemfeedback")}
        self.most = self.maximum()

    def maximum(self) -> Decimal:
        declared = [_number(found.get("maxvalue")) for found in self.element.iter("decvar") if found.get("maxvalue")]
        if declared and declared[0] > 0:
            return declared[0]
        best = [rule.points for rule in self.rules if rule.points > 0]
        return sum(best, Decimal(0)) if best and not any(rule.sets for rule in self.rules) else max(best, default=Decimal(1))

    def said(self, element: Element) -> Text:
        return _material(element)

    def rule(self, condition: Element) -> _Rule:
        points, sets = Decimal(0), False
        for setting in condition.iter("setvar"):
            name, value = (setting.get("varname") or "SCORE").upper(), (setting.text or "").strip()
            if "SCORE" in name or name in {"QUE_SCORE", "SCORE"}:
                if value.upper().endswith("SCORE.MAX") or value.lower() == "score.max":
                    value = "100"
                points += _number(value)
                sets |= (setting.get("action") or "Set") == "Set"
        rule = _Rule(points, sets)
        rule.feedback = [found.get("linkrefid", "") for found in condition.iter("displayfeedback")]
        variable = condition.find("conditionvar")
        if variable is not None:
            self.collect(variable, rule, negated=False)
        return rule

    def collect(self, element: Element, rule: _Rule, *, negated: bool) -> None:
        low: dict[str, str] = {}
        high: dict[str, str] = {}
        for child in element:
            asked, value = child.get("respident") or "", (child.text or "").strip()
            if child.tag == "not":
                self.collect(child, rule, negated=not negated)
            elif child.tag in {"and", "or"}:
                rule.either |= child.tag == "or"
                self.collect(child, rule, negated=negated)
            elif child.tag in {"varequal", "varsubstring"}:
                if negated:
                    rule.unequal.append((asked, value))
                else:
                    rule.equal.append((asked, value, (child.get("case") or "No").lower() == "yes"))
            elif child.tag in {"vargte", "vargt"}:
                low[asked] = value
            elif child.tag in {"varlte", "varlt"}:
                high[asked] = value
            elif child.tag in {"other", "unanswered"}:
                rule.other = True
        rule.ranges += [(low[asked], high[asked]) for asked in low if asked in high and not negated]

    def share(self, points: Decimal) -> float:
        most = self.most or Decimal(1)
        return fractions.settled(round(float(max(Decimal(-1), min(Decimal(1), points / most))), 7))

    # -- what it is ---------------------------------------------------------------------------------------------------------

    def item(self, category: str) -> Item:
        presentation = self.element.find("presentation")
        if presentation is None:
            raise _Unread("it has no presentation")
        asked = [child for child in presentation.iter() if child.tag in _ASKED]
        text = _material(presentation)
        kind = (
            self.fields.get("question_type") or self.fields.get("cc_profile") or self.fields.get("qmd_itemtype") or ""
        ).lower()
        fields = self.type_of(asked, kind)
        if not text:
            text = Text(self.element.get("title") or "–", "plain")
        if text.format == "html" and "<img" in text.text:
            self.reasons.append("a picture is left out")
        points = self.fields.get("points_possible") or self.fields.get("cc_weighting") or self.fields.get("qmd_weighting") or "1"
        try:
            worth = float(_number(points, "1"))
        except InvalidOperation:
            worth = 1.0
        general = next((said for name, said in self.feedback.items() if "general" in name.lower()), Text())
        return Item(
            text=text, name=self.element.get("title") or "", id=self.element.get("ident") or "", category=category, line=self.line,
            points=0.0 if fields["kind"] == Kind.DESCRIPTION else worth, feedback=general, **fields,
        )  # fmt: skip

    def type_of(self, asked: list[Element], kind: str) -> dict[str, Any]:
        choices = [found for found in asked if found.tag == "response_lid"]
        if not asked or "text_only" in kind:
            return {"kind": Kind.DESCRIPTION}
        if any(found.tag in {"response_xy", "response_grp"} for found in asked):
            raise _Unread("it asks for places in a picture or for groups")
        if len(choices) > 1 and len(choices) == len(asked):
            return self.several(choices)
        if len(asked) > 1:
            raise _Unread("it has several blanks, each with answers of its own")
        if choices:
            return self.choice(choices[0], kind)
        return self.typed(asked[0], kind)

    def labels(self, asked: Element) -> list[tuple[str, Text]]:
        return [(found.get("ident") or "", _material(found)) for found in asked.iter("response_label")]

    def remark(self, value: str) -> Text:
        """What is said to one answer: the feedback of a rule that asks for it alone."""
        for rule in self.rules:
            if rule.equal and [given for _asked, given, _case in rule.equal] == [value] and not rule.unequal:
                found = next((self.feedback[name] for name in rule.feedback if self.feedback.get(name)), None)
                if found:
                    return found
        return self.feedback.get(f"{value}_fb", Text())

    def choice(self, asked: Element, kind: str) -> dict[str, Any]:
        labels = self.labels(asked)
        if len(labels) < 2:
            raise _Unread("it has fewer than two choices")
        several = (asked.get("rcardinality") or "Single").lower() == "multiple"
        worth = {ident: 0.0 for ident, _text in labels}
        together = False
        for rule in self.rules:
            given = [value for _asked, value, _case in rule.equal if value in worth]
            if not given or rule.points == 0:
                continue
            if len(given) == 1 and not rule.unequal:
                worth[given[0]] = max(
                    -1.0, min(1.0, self.share(rule.points) if rule.sets else worth[given[0]] + self.share(rule.points))
                )
            elif rule.either and not several:
                worth |= {value: self.share(rule.points) for value in given}
            elif rule.points > 0:
                together = True
                worth |= {value: fractions.settled(1 / len(given)) for value in given}
        if not any(share > 0 for share in worth.values()):
            raise _Unread("nothing says which choice is right")
        if several and len([share for share in worth.values() if share > 0]) == 1 and not together:
            together = True
        words = [text.text.strip().lower() for _ident, text in labels]
        if (
            not several
            and sorted(words) == ["false", "true"]
            and ("true_false" in kind or "true" in kind or not self.partial(worth))
        ):
            truth = worth[labels[words.index("true")][0]] > 0
            right = labels[words.index("true" if truth else "false")][0]
            wrong = labels[words.index("false" if truth else "true")][0]
            return {"kind": Kind.TRUEFALSE, "truth": truth, "right": self.remark(right), "wrong": self.remark(wrong)}
        answers = tuple(Answer(text or Text("–", "plain"), worth[ident], self.remark(ident)) for ident, text in labels)
        render = asked.find("render_choice")
        shuffle = render is None or (render.get("shuffle") or "No").lower() == "yes"
        fields: dict[str, Any] = {"answers": answers, "shuffle": shuffle}
        return {"kind": Kind.MULTIPLE, "together": together, **fields} if several else {"kind": Kind.SINGLE, **fields}

    def partial(self, worth: dict[str, float]) -> bool:
        return any(share not in (0.0, 1.0) for share in worth.values())

    def several(self, asked: list[Element]) -> dict[str, Any]:
        """Matching: a response for each left side, all with the same choices."""
        pairs: list[Pair] = []
        used: set[str] = set()
        words: dict[str, str] = {}
        for found in asked:
            ident, left = found.get("ident") or "", _material(found)
            labels = {name: text.text for name, text in self.labels(found)}
            words |= labels
            values = (value for rule in self.rules if rule.points > 0 for where, value, _case in rule.equal if where == ident)
            right = next((value for value in values if value in labels), None)
            if right is None or not left:
                raise _Unread("it has blanks with choices of their own, or a side without its match")
            used.add(labels[right])
            pairs.append(Pair(left, labels[right]))
        pairs += [Pair(Text(), word) for word in dict.fromkeys(words.values()) if word not in used]
        return {"kind": Kind.MATCHING, "pairs": tuple(pairs)}

    def typed(self, asked: Element, kind: str) -> dict[str, Any]:
        render = asked.find("render_fib")
        numeric = asked.tag == "response_num" or "numer" in kind or any(rule.ranges for rule in self.rules)
        if numeric:
            return {"kind": Kind.NUMERICAL, "numbers": self.numbers()}
        answers: dict[str, Answer] = {}
        case = False
        for rule in self.rules:
            for _asked, value, cased in rule.equal:
                if value and rule.points > 0 and (value not in answers):
                    said = next((self.feedback[name] for name in rule.feedback if self.feedback.get(name)), Text())
                    alone = len(rule.equal) == 1
                    answers[value] = Answer(Text(value), self.share(rule.points), said if alone else Text())
                    case |= cased
        rows = int(render.get("rows") or "1") if render is not None and (render.get("rows") or "1").isdecimal() else 1
        if "essay" in kind or not answers or rows > 1:
            return {"kind": Kind.ESSAY}
        return {"kind": Kind.SHORT, "answers": tuple(answers.values()), "case": case}

    def numbers(self) -> tuple[Number, ...]:
        found: list[Number] = []
        for rule in self.rules:
            if rule.points <= 0:
                continue
            said = next((self.feedback[name] for name in rule.feedback if self.feedback.get(name)), Text())
            for low, high in rule.ranges:
                _number(low), _number(high)
                found.append(Number(low=low, high=high, fraction=self.share(rule.points), feedback=said))
            if not rule.ranges:
                for _asked, value, _case in rule.equal:
                    _number(value, "x")
                    found.append(Number(value, fraction=self.share(rule.points), feedback=said))
        if not found:
            raise _Unread("nothing says which number is right")
        return tuple(found)
