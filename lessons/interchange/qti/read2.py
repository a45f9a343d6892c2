"""Reading items of QTI 2.1 and 3.0 with one interaction: what `write` makes, and the same from others."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any
from xml.etree.ElementTree import Element

from lessons.interchange import fractions
from lessons.interchange.items import BLANK, Answer, Item, Kind, Note, Number, Pair, Text, label
from lessons.interchange.qti.names import plain, to_two
from lessons.interchange.qti.xml import Document, inner

Wrong = tuple[int, str, str]
_INTERACTION = re.compile(r"[a-zA-Z]+Interaction\Z")


class _Unread(Exception):
    """An item that asks in a way we do not know."""


def read(document: Document) -> tuple[str, list[Item], list[Note], list[Wrong]]:
    """The title, the item (in a list), what did not carry over, and what is wrong."""
    root = document.root
    line = document.line(root)
    to_two(root)
    title = root.get("title") or root.get("identifier") or ""
    try:
        reader = _Item(root, line)
        item = reader.item()
    except _Unread as error:
        return title, [], [Note(line, title, f"is left out: {error}")], []
    except (InvalidOperation, ValueError):
        return title, [], [], [(line, title, "has points or numbers that are no numbers")]
    return title, [item], [Note(line, label(item), reason) for reason in reader.reasons], []


class _Item:
    def __init__(self, root: Element, line: int) -> None:
        self.root, self.line = root, line
        self.reasons: list[str] = []
        body = root.find("itemBody")
        self.body = body if body is not None else Element("itemBody")
        self.asked = [found for found in self.body.iter() if isinstance(found.tag, str) and _INTERACTION.match(found.tag)]
        score = next((found for found in root.findall("outcomeDeclaration") if found.get("identifier") == "SCORE"), None)
        self.points = float(score.get("normalMaximum") or 0) if score is not None else 0.0
        self.modal = {
            (found.get("outcomeIdentifier"), found.get("identifier")): self.text(found) for found in root.findall("modalFeedback")
        }

    def text(self, element: Element) -> Text:
        words = inner(element).strip()
        return Text(words, "html") if words else Text()

    def item(self) -> Item:
        if len(self.asked) > 1:
            raise _Unread("it has several interactions")
        fields = self.type_of(self.asked[0]) if self.asked else {"kind": Kind.DESCRIPTION}
        text, blank = self.prompt()
        if not text:
            text = Text(self.root.get("title") or "–", "plain")
        general = next((said for (outcome, _name), said in self.modal.items() if outcome == "GENERAL"), Text())
        points = 0.0 if fields["kind"] == Kind.DESCRIPTION else self.points or 1.0
        return Item(
            text=text, name=self.root.get("title") or "", id=self.root.get("label") or "", blank=blank, points=points,
            feedback=general, line=self.line, **fields,
        )  # fmt: skip

    def prompt(self) -> tuple[Text, bool]:
        """The text around the interaction; whether it stands in a blank of it."""
        blank = False
        for parent in list(self.body.iter()):
            for index, child in enumerate(list(parent)):
                if child not in self.asked:
                    continue
                said = child.find("prompt")
                tail = child.tail or ""
                lonely = parent.tag == "p" and len(parent) == 1 and not (parent.text or "").strip() and not tail.strip()
                if child.tag == "textEntryInteraction" and not lonely:
                    blank, tail = bool(tail.strip()), BLANK + tail
                parent.remove(child)
                if said is not None:
                    tail = inner(said) + tail
                if index:
                    parent[index - 1].tail = (parent[index - 1].tail or "") + tail
                else:
                    parent.text = (parent.text or "") + tail
        for paragraph in [found for found in self.body if found.tag == "p" and not inner(found).strip()]:
            self.body.remove(paragraph)
        if any(found.tag in {"img", "object"} for found in self.body.iter()):
            self.reasons.append("a picture is left out")
        return self.text(self.body), blank

    # -- what is right ------------------------------------------------------------------------------------------------------

    def response(self, interaction: Element) -> Element:
        name = interaction.get("responseIdentifier")
        found = next((found for found in self.root.findall("responseDeclaration") if found.get("identifier") == name), None)
        if found is None:
            raise _Unread(f"its response {name} is not declared")
        return found

    def correct(self, response: Element) -> list[str]:
        return [(value.text or "").strip() for value in response.findall("correctResponse/value")]

    def shares(self, response: Element) -> dict[str, float]:
        """What each mapped value is worth, as a share of the points."""
        mapping = response.find("mapping")
        if mapping is None:
            return {}
        worth = {entry.get("mapKey") or "": float(entry.get("mappedValue") or 0) for entry in mapping.findall("mapEntry")}
        most = self.points or float(mapping.get("upperBound") or 0) or max([*worth.values(), 0.0]) or 1.0
        self.points = self.points or most
        return {key: fractions.settled(max(-1.0, min(1.0, round(value / most, 7)))) for key, value in worth.items()}

    def said(self, name: str) -> Text:
        return next((text for (outcome, given), text in self.modal.items() if given == name and outcome != "GENERAL"), Text())

    def type_of(self, asked: Element) -> dict[str, Any]:
        match asked.tag:
            case "choiceInteraction" | "inlineChoiceInteraction":
                return self.choice(asked)
            case "textEntryInteraction":
                return self.typed(asked)
            case "extendedTextInteraction":
                return {"kind": Kind.ESSAY}
            case "matchInteraction":
                return self.matching(asked)
            case "orderInteraction":
                return self.ordering(asked)
        raise _Unread(f"{plain(asked.tag)} is not known here")

    def choice(self, asked: Element) -> dict[str, Any]:
        response = self.response(asked)
        choices = {found.get("identifier") or "": found for found in asked if found.tag in {"simpleChoice", "inlineChoice"}}
        correct, shares = self.correct(response), self.shares(response)
        if set(choices) == {"true", "false"}:
            truth = correct == ["true"] or (not correct and shares.get("true", 0) > 0)
            right, wrong = ("true", "false") if truth else ("false", "true")
            return {"kind": Kind.TRUEFALSE, "truth": truth, "right": self.said(right), "wrong": self.said(wrong)}
        several = response.get("cardinality") == "multiple"
        together = several and not shares
        if not shares:
            shares = {name: fractions.settled(1 / len(correct)) if several else 1.0 for name in correct}
        if not any(share > 0 for share in shares.values()):
            raise _Unread("nothing says which choice is right")
        answers = tuple(Answer(self.text(found), shares.get(name, 0.0), self.said(name)) for name, found in choices.items())
        shuffle = (asked.get("shuffle") or "false") == "true"
        kind = Kind.MULTIPLE if several else Kind.SINGLE
        return {"kind": kind, "answers": answers, "shuffle": shuffle, "together": together}

    def conditions(self) -> list[tuple[Element, Element]]:
        """(test, branch) of every condition, in order."""
        branches = [found for found in self.root.iter() if found.tag in {"responseIf", "responseElseIf"} and len(found)]
        return [(branch[0], branch) for branch in branches]

    def outcome(self, branch: Element, name: str) -> str | None:
        for setting in branch.findall("setOutcomeValue"):
            if setting.get("identifier") == name:
                return setting.findtext("baseValue")
        return None

    def typed(self, asked: Element) -> dict[str, Any]:
        response = self.response(asked)
        if response.get("baseType") in {"float", "integer"}:
            return {"kind": Kind.NUMERICAL, "numbers": self.numbers(response)}
        shares = self.shares(response) or dict.fromkeys(self.correct(response), 1.0)
        entries = response.findall("mapping/mapEntry")
        case = any(entry.get("caseSensitive", "false") == "true" for entry in entries)
        said: dict[str, Text] = {}
        for test, branch in self.conditions():
            if test.tag == "stringMatch" and (name := self.outcome(branch, "FEEDBACK")):
                said[test.findtext("baseValue") or ""] = self.said(name)
        if not shares:
            raise _Unread("nothing says which answer is right")
        answers = tuple(Answer(Text(words), share, said.get(words, Text())) for words, share in shares.items())
        return {"kind": Kind.SHORT, "answers": answers, "case": case}

    def numbers(self, response: Element) -> tuple[Number, ...]:
        found: list[Number] = []
        whole = self.points or 1.0
        for test, branch in self.conditions():
            given = self.outcome(branch, "SCORE")
            share = fractions.settled(round(float(given) / whole, 7)) if given is not None else 1.0
            name = self.outcome(branch, "FEEDBACK")
            more: dict[str, Any] = {"fraction": share, "feedback": self.said(name) if name else Text()}
            values = [value.text or "" for value in test.iter("baseValue")]
            for value in values:
                Decimal(value)
            if test.tag == "equal" and len(values) == 1:
                found.append(Number(values[0], test.get("tolerance") or "0", **more))
            elif test.tag == "and" and len(values) == 2:
                found.append(Number(low=values[0], high=values[1], **more))
            elif test.tag == "not":
                found.append(Number("*", **more))
        if not found:
            found = [Number(value) for value in self.correct(response) if Decimal(value).is_finite()]
        if not found:
            raise _Unread("nothing says which number is right")
        return tuple(found)

    def matching(self, asked: Element) -> dict[str, Any]:
        sets = asked.findall("simpleMatchSet")
        if len(sets) != 2:
            raise _Unread("a match interaction has two sets")
        left, right = ({found.get("identifier") or "": found for found in side} for side in sets)
        pairs: list[Pair] = []
        used: set[str] = set()
        for pair in self.correct(self.response(asked)):
            first, _, second = pair.partition(" ")
            if first in left and second in right:
                used.add(second)
                pairs.append(Pair(self.text(left[first]), "".join(right[second].itertext()).strip()))
        if len(pairs) != len(left):
            raise _Unread("not every left side has one right side")
        pairs += [Pair(Text(), "".join(found.itertext()).strip()) for name, found in right.items() if name not in used]
        return {"kind": Kind.MATCHING, "pairs": tuple(pairs), "shuffle": (asked.get("shuffle") or "false") == "true"}

    def ordering(self, asked: Element) -> dict[str, Any]:
        choices = {found.get("identifier") or "": found for found in asked.findall("simpleChoice")}
        order = [choices[name] for name in self.correct(self.response(asked)) if name in choices]
        if len(order) != len(choices) or len(order) < 2:
            raise _Unread("nothing says what order is right")
        return {"kind": Kind.ORDERING, "order": tuple(self.text(found) for found in order)}
