"""Writing QTI 2.1 and 3.0: a package with a manifest, a test, and a file for every question.

Items are built with the names of 2.1 and renamed for 3.0.  Every item says how it is scored: SCORE goes from 0 to the
question's points; what is said to answers are modal feedbacks.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, field
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from lessons.interchange.items import BLANK, Item, Kind, Note, Number, Text, label
from lessons.interchange.plaintext import markdown
from lessons.interchange.qti.names import to_three
from lessons.interchange.qti.xml import TAGS, fill, fill_blocks
from lessons.rendering.markdown import paragraphs

#: version: (namespace, schema, type of an item's resource, type of the test's)
VERSIONS = {
    "2.1": (
        "http://www.imsglobal.org/xsd/imsqti_v2p1",
        "http://www.imsglobal.org/xsd/qti/qtiv2p1/imsqti_v2p1.xsd",
        "imsqti_item_xmlv2p1",
        "imsqti_test_xmlv2p1",
    ),
    "3.0": (
        "http://www.imsglobal.org/xsd/imsqtiasi_v3p0",
        "https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_asiv3p0_v1p0.xsd",
        "imsqti_item_xmlv3p0",
        "imsqti_test_xmlv3p0",
    ),
}
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
#: Zip entries carry this date, so that the same questions make the same bytes.
_DATE = (1980, 1, 1, 0, 0, 0)
#: the identifiers that responses and outcomes have in every item
_RESPONSE, _SCORE, _SAID, _GENERAL = "RESPONSE", "SCORE", "FEEDBACK", "GENERAL"


def write(title: str, items: list[Item], version: str) -> tuple[bytes, list[Note]]:
    """The package, and what QTI could not say."""
    notes: list[Note] = []
    files: dict[str, bytes] = {}
    for number, item in enumerate(items, 1):
        builder = _Item(item, f"item{number:04}")
        files[f"items/item{number:04}.xml"] = _document(builder.build(), version)
        notes += [Note(item.line, label(item), reason) for reason in builder.reasons]
    files["test.xml"] = _document(_test(title, items), version)
    files["imsmanifest.xml"] = _manifest(title, items, version)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files, key=lambda name: (name != "imsmanifest.xml", name)):
            archive.writestr(zipfile.ZipInfo(name, _DATE), files[name], zipfile.ZIP_DEFLATED)
    return out.getvalue(), notes


def _document(root: Element, version: str) -> bytes:
    namespace, schema, *_types = VERSIONS[version]
    if version == "3.0":
        to_three(root, TAGS)
    root.set("xmlns", namespace)
    root.set("xmlns:xsi", _XSI)
    root.set("xsi:schemaLocation", f"{namespace} {schema}")
    return _bytes(root)


def _bytes(root: Element) -> bytes:
    written: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{written}\n'.encode()


def _manifest(title: str, items: list[Item], version: str) -> bytes:
    _namespace, _schema, item_type, test_type = VERSIONS[version]
    three = version == "3.0"
    namespace = "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1" if three else "http://www.imsglobal.org/xsd/imscp_v1p1"
    root = Element("manifest", {"xmlns": namespace, "identifier": "slipway-questions"})
    metadata = SubElement(root, "metadata")
    SubElement(metadata, "schema").text = "QTI Package" if three else "IMS Content"
    SubElement(metadata, "schemaversion").text = "3.0.0" if three else "1.1"
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    test = SubElement(resources, "resource", {"identifier": "test", "type": test_type, "href": "test.xml"})
    SubElement(test, "file", {"href": "test.xml"})
    for number in range(1, len(items) + 1):
        SubElement(test, "dependency", {"identifierref": f"item{number:04}"})
    for number in range(1, len(items) + 1):
        name, href = f"item{number:04}", f"items/item{number:04}.xml"
        resource = SubElement(resources, "resource", {"identifier": name, "type": item_type, "href": href})
        SubElement(resource, "file", {"href": href})
    return _bytes(root)


def _test(title: str, items: list[Item]) -> Element:
    root = Element("assessmentTest", {"identifier": "test", "title": title or "test"})
    part = SubElement(root, "testPart", {"identifier": "part", "navigationMode": "nonlinear", "submissionMode": "simultaneous"})
    groups: dict[str, list[int]] = {}
    for number, item in enumerate(items, 1):
        groups.setdefault(item.category, []).append(number)
    for index, (category, numbers) in enumerate(groups.items(), 1):
        attributes = {"identifier": f"section{index}", "title": category or title or "section", "visible": "true"}
        section = SubElement(part, "assessmentSection", attributes)
        for number in numbers:
            SubElement(section, "assessmentItemRef", {"identifier": f"item{number:04}", "href": f"items/item{number:04}.xml"})
    return root


def html(text: Text) -> str:
    """A text as HTML."""
    return text.text if text.format == "html" else paragraphs(markdown(text)[0])


def _figure(value: float) -> str:
    return f"{value:.7f}".rstrip("0").rstrip(".") or "0"


@dataclass(slots=True)
class _Item:
    """One item, put together in the order that the schema wants."""

    item: Item
    name: str
    reasons: list[str] = field(default_factory=list)
    #: modal feedbacks: (outcome, identifier, text)
    said: list[tuple[str, str, Text]] = field(default_factory=list)

    def build(self) -> Element:
        item = self.item
        attributes = {"identifier": self.name, "title": item.name or label(item), "adaptive": "false", "timeDependent": "false"}
        if item.id:
            attributes["label"] = item.id[:256]
        root = Element("assessmentItem", attributes)
        self.body, self.processing = Element("itemBody"), Element("responseProcessing")
        fill_blocks(self.body, html(item.text))
        self.declared: list[Element] = []
        self.outcomes = [self.outcome(_SCORE, "single", "float", "0")]
        if item.points:
            self.outcomes[0].set("normalMaximum", _figure(item.points))
        getattr(self, f"_{item.kind.value}")()
        if any(outcome == _SAID for outcome, _name, _text in self.said):
            several = item.kind == Kind.MULTIPLE
            self.outcomes.append(self.outcome(_SAID, "multiple" if several else "single", "identifier"))
        if item.feedback:
            self.outcomes.append(self.outcome(_GENERAL, "single", "identifier", "GENERAL"))
            self.said.append((_GENERAL, "GENERAL", item.feedback))
        root.extend([*self.declared, *self.outcomes, self.body])
        if len(self.processing):
            root.append(self.processing)
        for outcome, name, text in self.said:
            modal = SubElement(root, "modalFeedback", {"outcomeIdentifier": outcome, "identifier": name, "showHide": "show"})
            fill(modal, html(text))
        return root

    # -- parts ----------------------------------------------------------------------------------------------------------------

    def outcome(self, name: str, cardinality: str, base: str, default: str = "") -> Element:
        found = Element("outcomeDeclaration", {"identifier": name, "cardinality": cardinality, "baseType": base})
        if default:
            SubElement(SubElement(found, "defaultValue"), "value").text = default
        return found

    def response(self, cardinality: str, base: str, correct: list[str]) -> Element:
        attributes = {"identifier": _RESPONSE, "cardinality": cardinality, "baseType": base}
        found = Element("responseDeclaration", attributes)
        self.declared.append(found)
        if correct:
            right = SubElement(found, "correctResponse")
            for value in correct:
                SubElement(right, "value").text = value
        return found

    def mapping(self, response: Element, shares: list[tuple[str, float]], **more: str) -> None:
        """Points for each value, never less than none or more than all."""
        points = self.item.points or 1.0
        bounds = {"defaultValue": "0", "lowerBound": "0", "upperBound": _figure(points)}
        found = SubElement(response, "mapping", bounds)
        for key, share in shares:
            SubElement(found, "mapEntry", {"mapKey": key, "mappedValue": _figure(share * points), **more})

    def score(self, expression: Element) -> Element:
        found = Element("setOutcomeValue", {"identifier": _SCORE})
        found.append(expression)
        return found

    def mapped(self) -> None:
        self.processing.append(self.score(Element("mapResponse", {"identifier": _RESPONSE})))

    def matched(self) -> None:
        """All of the points for the correct response, none for another."""
        condition = SubElement(self.processing, "responseCondition")
        test = SubElement(SubElement(condition, "responseIf"), "match")
        SubElement(test, "variable", {"identifier": _RESPONSE})
        SubElement(test, "correct", {"identifier": _RESPONSE})
        condition[0].append(self.score(self.value(self.item.points)))

    def value(self, points: float) -> Element:
        found = Element("baseValue", {"baseType": "float"})
        found.text = _figure(points)
        return found

    def say_what_was_chosen(self) -> None:
        found = SubElement(self.processing, "setOutcomeValue", {"identifier": _SAID})
        SubElement(found, "variable", {"identifier": _RESPONSE})

    def prompt_only(self) -> None:
        if self.item.blank:
            self.reasons.append(f"the answers stand below the text, not at its {BLANK}")

    # -- types ----------------------------------------------------------------------------------------------------------------

    def _description(self) -> None:
        self.outcomes = []

    def _essay(self) -> None:
        self.response("single", "string", [])
        SubElement(self.body, "extendedTextInteraction", {"responseIdentifier": _RESPONSE, "expectedLines": "15"})
        self.prompt_only()

    def _choices(self, choices: list[tuple[str, Text, Text]], *, several: bool, shuffle: bool) -> None:
        attributes = {"responseIdentifier": _RESPONSE, "shuffle": str(shuffle).lower(), "maxChoices": "0" if several else "1"}
        interaction = SubElement(self.body, "choiceInteraction", attributes)
        for name, text, feedback in choices:
            choice = SubElement(interaction, "simpleChoice", {"identifier": name})
            fill(choice, html(text))
            if feedback:
                self.said.append((_SAID, name, feedback))
        if self.said:
            self.say_what_was_chosen()
        self.prompt_only()

    def _truefalse(self) -> None:
        item = self.item
        self.response("single", "identifier", ["true" if item.truth else "false"])
        self.matched()
        right, wrong = ("true", "false") if item.truth else ("false", "true")
        said = {right: item.right, wrong: item.wrong}
        choices = [(name, Text(word, "plain"), said[name]) for name, word in (("true", "True"), ("false", "False"))]
        self._choices(choices, several=False, shuffle=False)

    def _chosen(self, *, several: bool) -> None:
        item = self.item
        names = [f"C{number}" for number in range(1, len(item.answers) + 1)]
        shares = [(name, answer.fraction) for name, answer in zip(names, item.answers, strict=True)]
        best = max(share for _name, share in shares)
        correct = [name for name, share in shares if (share > 0 if several else share == best)]
        response = self.response("multiple" if several else "single", "identifier", correct if several else correct[:1])
        if item.together and several:
            self.matched()
        else:
            self.mapping(response, [(name, share) for name, share in shares if share])
            self.mapped()
        choices = [(name, answer.text, answer.feedback) for name, answer in zip(names, item.answers, strict=True)]
        self._choices(choices, several=several, shuffle=item.shuffle)

    def _single(self) -> None:
        self._chosen(several=False)

    def _multiple(self) -> None:
        self._chosen(several=True)

    def entry(self, base: str) -> None:
        """A field to type into: where the blank is, else in a paragraph of its own."""
        attributes = {"responseIdentifier": _RESPONSE, "expectedLength": "12" if base == "float" else "30"}
        field_ = Element("textEntryInteraction", attributes)
        if self.item.blank and self.in_blank(self.body, field_):
            return
        SubElement(self.body, "p").append(field_)

    def in_blank(self, parent: Element, field_: Element) -> bool:
        """Put the field where the first blank stands; whether there was one."""
        if parent.text and BLANK in parent.text and parent.tag != "itemBody":
            parent.text, _, field_.tail = parent.text.partition(BLANK)
            parent.insert(0, field_)
            return True
        for index, child in enumerate(list(parent)):
            if self.in_blank(child, field_):
                return True
            if child.tail and BLANK in child.tail:
                child.tail, _, field_.tail = child.tail.partition(BLANK)
                parent.insert(index + 1, field_)
                return True
        return False

    def _short(self) -> None:
        item = self.item
        best = max(answer.fraction for answer in item.answers)
        words = [answer.text.text for answer in item.answers]
        response = self.response(
            "single", "string", [next(answer.text.text for answer in item.answers if answer.fraction == best)]
        )
        shares = [(answer.text.text, answer.fraction) for answer in item.answers if answer.text.text.strip() != "*"]
        self.mapping(response, shares, caseSensitive=str(item.case).lower())
        self.mapped()
        if any("*" in word for word in words):
            self.reasons.append("`*` in a short answer stands for itself in QTI")
        self.entry("string")
        conditions: list[tuple[Element, str]] = []
        for number, answer in enumerate(item.answers, 1):
            if answer.feedback:
                test = Element("stringMatch", {"caseSensitive": str(item.case).lower(), "substring": "false"})
                SubElement(test, "variable", {"identifier": _RESPONSE})
                SubElement(test, "baseValue", {"baseType": "string"}).text = answer.text.text
                conditions.append((test, f"A{number}"))
                self.said.append((_SAID, f"A{number}", answer.feedback))
        self.first_of(conditions)

    def first_of(self, conditions: list[tuple[Element, str]], extra: dict[str, Element] | None = None) -> None:
        """The first condition that holds decides what is said, and with `extra` the points as well."""
        if not conditions:
            return
        whole = SubElement(self.processing, "responseCondition")
        for index, (test, name) in enumerate(conditions):
            branch = SubElement(whole, "responseIf" if index == 0 else "responseElseIf")
            branch.append(test)
            if extra and name in extra:
                branch.append(self.score(extra[name]))
            if any(name == given for _outcome, given, _text in self.said):
                said = SubElement(branch, "setOutcomeValue", {"identifier": _SAID})
                SubElement(said, "baseValue", {"baseType": "identifier"}).text = name

    def _numerical(self) -> None:
        item = self.item
        best = max(number.fraction for number in item.numbers)
        first = next(number for number in item.numbers if number.fraction == best)
        bounds = first.bounds()
        correct = [] if bounds is None else [str((bounds[0] + bounds[1]) / 2 if first.low else first.value)]
        self.response("single", "float", correct)
        self.entry("float")
        conditions, points = [], {}
        for number, wanted in enumerate(sorted(item.numbers, key=lambda found: found.value == "*"), 1):
            name = f"A{number}"
            conditions.append((self.within(wanted), name))
            points[name] = self.value(wanted.fraction * item.points)
            if wanted.feedback:
                self.said.append((_SAID, name, wanted.feedback))
        self.first_of(conditions, points)

    def within(self, number: Number) -> Element:
        bounds = number.bounds()
        if bounds is None:
            test = Element("not")
            SubElement(SubElement(test, "isNull"), "variable", {"identifier": _RESPONSE})
            return test
        if number.low:
            test = Element("and")
            for name, bound in (("gte", bounds[0]), ("lte", bounds[1])):
                part = SubElement(test, name)
                SubElement(part, "variable", {"identifier": _RESPONSE})
                SubElement(part, "baseValue", {"baseType": "float"}).text = str(bound)
            return test
        exact = number.tolerance in {"", "0"}
        test = Element(
            "equal", {"toleranceMode": "exact"} if exact else {"toleranceMode": "absolute", "tolerance": number.tolerance}
        )
        SubElement(test, "variable", {"identifier": _RESPONSE})
        SubElement(test, "baseValue", {"baseType": "float"}).text = number.value
        return test

    def _matching(self) -> None:
        item = self.item
        lefts = [pair for pair in item.pairs if pair.left]
        rights = list(dict.fromkeys(pair.right for pair in item.pairs))
        names = [(f"L{number}", f"R{rights.index(pair.right) + 1}") for number, pair in enumerate(lefts, 1)]
        pairs = [f"{left} {right}" for left, right in names]
        response = self.response("multiple", "directedPair", pairs)
        self.mapping(response, [(pair, 1 / len(pairs)) for pair in pairs])
        self.mapped()
        attributes = {"responseIdentifier": _RESPONSE, "shuffle": str(item.shuffle).lower(), "maxAssociations": str(len(lefts))}
        interaction = SubElement(self.body, "matchInteraction", attributes)
        sides = SubElement(interaction, "simpleMatchSet"), SubElement(interaction, "simpleMatchSet")
        for (left, _right), pair in zip(names, lefts, strict=True):
            fill(SubElement(sides[0], "simpleAssociableChoice", {"identifier": left, "matchMax": "1"}), html(pair.left))
        for number, word in enumerate(rights, 1):
            choice = SubElement(sides[1], "simpleAssociableChoice", {"identifier": f"R{number}", "matchMax": str(len(lefts))})
            choice.text = word
        self.prompt_only()

    def _ordering(self) -> None:
        names = [f"O{number}" for number in range(1, len(self.item.order) + 1)]
        self.response("ordered", "identifier", names)
        self.matched()
        self.reasons.append("a part of the right order earns nothing in QTI")
        interaction = SubElement(self.body, "orderInteraction", {"responseIdentifier": _RESPONSE, "shuffle": "true"})
        for name, text in zip(names, self.item.order, strict=True):
            fill(SubElement(interaction, "simpleChoice", {"identifier": name}), html(text))
        self.prompt_only()

    body: Element = field(default_factory=lambda: Element("itemBody"))
    processing: Element = field(default_factory=lambda: Element("responseProcessing"))
    declared: list[Element] = field(default_factory=list)
    outcomes: list[Element] = field(default_factory=list)
