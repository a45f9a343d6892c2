"""QTI: 1.2 as Canvas and cartridges write it is read; 2.1 and 3.0 are written by the rules and come back; strangers' files do no harm."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import msgspec
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from lessons.interchange import gift, qti, services, specs
from lessons.interchange.items import Answer, Item, Kind, Number, Pair, Text
from lessons.interchange.plaintext import markdown
from lessons.interchange.qti import package
from lessons.interchange.qti.names import to_two
from lessons.interchange.qti.xml import TAGS, local
from lessons.quizzes.types import TYPES
from tests.interchange.test_gift import items as any_items

DATA = Path(__file__).parent / "data"


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


# -- 1.2 ----------------------------------------------------------------------------------------------------------------------


def canvas() -> qti.package.Qti:
    return qti.read((DATA / "canvas12.xml").read_bytes(), "canvas12.xml")


def test_every_type_of_12() -> None:
    found = canvas()
    assert found.title == "Harbour quiz"
    assert [item.kind.value for item in found.items] == [
        "single",
        "multiple",
        "truefalse",
        "short",
        "numerical",
        "matching",
        "essay",
    ]
    one, several, truth, short, number, match, _essay = found.items
    assert one.text == Text("<p>Who talks to <b>etcd</b>?</p>", "html")
    assert one.answers == (
        Answer(Text("kubelet", "plain"), 0.0, Text("It asks the API server.", "plain")),
        Answer(Text("kube-apiserver", "plain"), 1.0),
    )
    assert (one.points, one.feedback.text, one.line) == (2.0, "Only one does.", 5)
    assert [answer.fraction for answer in several.answers] == [0.5, 0.0, 0.5]
    assert several.together
    assert truth.truth is False
    assert [answer.text.text for answer in short.answers] == ["kubelet", "the kubelet"]
    assert number.numbers == (Number(low="2.9", high="3.1"),)
    assert match.pairs == (Pair(Text("Service", "plain"), "svc"), Pair(Text("Namespace", "plain"), "ns"), Pair(Text(), "po"))


def test_what_12_asks_and_we_cannot_is_told() -> None:
    (note,) = canvas().notes
    assert (note.question, note.line) == ("A picture", 78)
    assert "places in a picture" in note.reason


def test_marks_of_12() -> None:
    made, _notes = specs.to_specs(canvas().items)
    several = next(spec for spec in made if spec["type"] == "multiple")
    assert [TYPES["multiple"].grade(several, answer).fraction for answer in ([0, 2], [0], [0, 1, 2])] == [1.0, 0.0, 0.0]


def test_a_cartridge_is_read_and_the_rest_is_told() -> None:
    content = zipped({
        "imsmanifest.xml": b"<manifest/>", "i1/assessment.xml": (DATA / "canvas12.xml").read_bytes(), "web/map.png": b"\x89PNG",
    })  # fmt: skip
    found = qti.read(content, "course.imscc")
    assert len(found.items) == 7
    assert "1 pictures and other files" in found.notes[-1].reason


# -- strangers' files -----------------------------------------------------------------------------------------------------------

ENTITY = b'<!DOCTYPE q [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><questestinterop>&b;</questestinterop>'
OUTSIDE = b'<!DOCTYPE q [<!ENTITY a SYSTEM "file:///etc/passwd">]><questestinterop>&a;</questestinterop>'


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<questestinterop>", "x.xml:1: is not well-formed XML"),
        (ENTITY, "declares entities"),
        (OUTSIDE, "declares entities"),
        (b"<questestinterop/>", "holds no question"),
        (b"<html/>", "x.xml:1: is no QTI: its root is <html>"),
        (b"<a>" * 100, "nested more than"),
        (b"<questestinterop>" + b"<a/>" * 200_001 + b"</questestinterop>", "more than 200,000 elements"),
        (b"PK\x03\x04nonsense", "damaged zip"),
        (zipped({"a.xml": b" " * (package.MAX_ENTRY + 1)}), "a.xml: is larger than 4 MB"),
        (zipped({f"{number}.xml": b" " * package.MAX_ENTRY for number in range(9)}), "more than 32 MB"),
        (zipped({f"{number}.txt": b"" for number in range(package.MAX_ENTRIES + 1)}), "more than 3,000 files"),
        (zipped({"a.xml": b"<questestinterop><item title='n'>"}), "x.xml/a.xml:1: is not well-formed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # archives hold the time: each process would name them otherwise
)  # fmt: skip
def test_refused(content: bytes, reason: str) -> None:
    with pytest.raises(qti.QtiError) as caught:
        qti.read(content, "x.xml")
    assert reason in str(caught.value)


@given(st.binary(max_size=200) | st.text(alphabet="<>/item=\"' questinrop&;", max_size=120).map(str.encode))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(services.Refused):
        services.read(content, "x")


# -- 2.1 and 3.0: the rules of the schema ------------------------------------------------------------------------------------------

#: element: (required attributes, optional attributes, children in order; "*" any number, "?" at most one, "+" at least one)
RULES: dict[str, tuple[str, str, str]] = {
    "assessmentItem": (
        "identifier title adaptive timeDependent",
        "label schemaLocation",
        "responseDeclaration* outcomeDeclaration* itemBody? responseProcessing? modalFeedback*",
    ),
    "responseDeclaration": ("identifier cardinality baseType", "", "correctResponse? mapping?"),
    "outcomeDeclaration": ("identifier cardinality baseType", "normalMaximum", "defaultValue?"),
    "correctResponse": ("", "", "value+"),
    "defaultValue": ("", "", "value+"),
    "value": ("", "", ""),
    "mapping": ("", "defaultValue lowerBound upperBound", "mapEntry+"),
    "mapEntry": ("mapKey mappedValue", "caseSensitive", ""),
    "responseProcessing": ("", "", "responseCondition|setOutcomeValue*"),
    "responseCondition": ("", "", "responseIf responseElseIf*"),
    "responseIf": ("", "", "equal|stringMatch|match|and|not setOutcomeValue*"),
    "responseElseIf": ("", "", "equal|stringMatch|match|and|not setOutcomeValue*"),
    "setOutcomeValue": ("identifier", "", "baseValue|variable|mapResponse"),
    "mapResponse": ("identifier", "", ""),
    "variable": ("identifier", "", ""),
    "correct": ("identifier", "", ""),
    "baseValue": ("baseType", "", ""),
    "match": ("", "", "variable correct"),
    "equal": ("toleranceMode", "tolerance", "variable baseValue"),
    "stringMatch": ("caseSensitive", "substring", "variable baseValue"),
    "and": ("", "", "gte lte"),
    "gte": ("", "", "variable baseValue"),
    "lte": ("", "", "variable baseValue"),
    "not": ("", "", "isNull"),
    "isNull": ("", "", "variable"),
    "choiceInteraction": ("responseIdentifier shuffle maxChoices", "", "simpleChoice+"),
    "orderInteraction": ("responseIdentifier shuffle", "", "simpleChoice+"),
    "matchInteraction": ("responseIdentifier shuffle maxAssociations", "", "simpleMatchSet simpleMatchSet"),
    "simpleMatchSet": ("", "", "simpleAssociableChoice+"),
    "textEntryInteraction": ("responseIdentifier", "expectedLength", ""),
    "extendedTextInteraction": ("responseIdentifier", "expectedLines", ""),
    "assessmentTest": ("identifier title", "schemaLocation", "testPart+"),
    "testPart": ("identifier navigationMode submissionMode", "", "assessmentSection+"),
    "assessmentSection": ("identifier title visible", "", "assessmentItemRef+"),
    "assessmentItemRef": ("identifier href", "", ""),
}  # fmt: skip
#: elements that hold HTML, and what else may stand in them
FLOW = {"itemBody", "simpleChoice", "simpleAssociableChoice", "modalFeedback"}
BLOCK = {"p", "div", "pre", "ul", "ol", "table", "blockquote", "hr", "h2", "h3", "h4"}
OF_FLOW = {
    "simpleChoice": "identifier",
    "simpleAssociableChoice": "identifier matchMax",
    "itemBody": "",
    "modalFeedback": "outcomeIdentifier identifier showHide",
}


def check(element: Element) -> None:
    """The parts of the QTI schema that our items use: names, attributes, order, what body and choices may hold."""
    tag = element.tag
    if tag in FLOW:
        assert set(element.attrib) == set(OF_FLOW[tag].split()), tag
        if tag == "itemBody":
            assert not (element.text or "").strip(), "text straight in the body"
            for child in element:
                assert child.tag in BLOCK or child.tag.endswith("Interaction"), child.tag
                assert child.tag != "textEntryInteraction", "an inline interaction straight in the body"
                assert not (child.tail or "").strip()
    elif tag in TAGS:
        assert set(element.attrib) <= {"href"}, tag
        if tag == "p":
            assert not {child.tag for child in element} & BLOCK
    else:
        required, optional, _children = RULES[tag]
        assert set(required.split()) <= set(element.attrib) <= set(required.split()) | set(optional.split()), (
            tag,
            element.attrib,
        )
        ordered(element, RULES[tag][2].split())
    for child in element:
        check(child)


def ordered(element: Element, wanted: list[str]) -> None:
    found = [child.tag for child in element]
    for part in wanted:
        names, many = part.rstrip("*?+").split("|"), part[-1] if part[-1] in "*?+" else ""
        count = 0
        while found and found[0] in names and (many in {"*", "+"} or count == 0):
            found.pop(0)
            count += 1
        assert count >= (0 if many in {"*", "?"} else 1), (element.tag, part)
    assert found == [], (element.tag, found)


def plain_tree(content: bytes) -> Element:
    root = ElementTree.fromstring(content)
    for element in root.iter():
        element.tag = local(element.tag)
        for name in [name for name in element.attrib if "}" in name]:
            element.attrib[local(name)] = element.attrib.pop(name)
    to_two(root)
    return root


def check_package(content: bytes, version: str) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert names[0] == "imsmanifest.xml"
        manifest = plain_tree(archive.read("imsmanifest.xml"))
        files = [found.attrib["href"] for found in manifest.iter("file")]
        assert sorted([*files, "imsmanifest.xml"]) == sorted(names)
        idents = [found.attrib["identifier"] for found in manifest.iter("resource")]
        assert len(set(idents)) == len(idents)
        for name in files:
            raw = archive.read(name)
            assert (b"<qti-" in raw) == (version == "3.0")
            root = plain_tree(raw)
            check(root)
            declared = {found.attrib["identifier"] for found in root.iter() if found.tag.endswith("Declaration")}
            used = {
                found.attrib[name]
                for found in root.iter()
                for name in ("responseIdentifier", "outcomeIdentifier")
                if name in found.attrib
            }
            used |= {
                found.attrib["identifier"]
                for found in root.iter()
                if found.tag in {"setOutcomeValue", "variable", "mapResponse", "correct"}
            }
            assert used <= declared, name


ORDER = Item(Kind.ORDERING, Text("Order"), name="order", order=(Text("a"), Text("b"), Text("c")))


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_our_questions_keep_the_rules(version: str) -> None:
    found = gift.read((DATA / "harbour.gift").read_text()).items
    content, notes = qti.write("Harbour", [*found, ORDER], version)
    check_package(content, version)
    assert qti.write("Harbour", [*found, ORDER], version)[0] == content
    assert any("a part of the right order" in note.reason for note in notes)


def words(text: Text) -> str:
    """A text without its marks and spaces."""
    return "".join(markdown(text)[0].replace("\\", "").split())


def essence(item: Item) -> Any:
    """What must come back: everything but the format of texts."""
    numbers = [(number.bounds(), number.fraction, words(number.feedback)) for number in item.numbers]
    return (
        item.kind, " ".join(item.id.split()), item.truth, words(item.right), words(item.wrong), words(item.feedback), item.together,
        [(words(answer.text), round(answer.fraction, 5), words(answer.feedback)) for answer in item.answers],
        numbers, [(words(pair.left), pair.right.strip()) for pair in item.pairs], [words(text) for text in item.order],
    )  # fmt: skip


simple = st.text(alphabet="abc xyzé한&\"'0159", min_size=1, max_size=12).map(lambda text: " ".join(text.split())).filter(bool)


def tamed(item: Item, names: Any) -> Item:
    """The item with texts that HTML holds as they are, and no two answers alike (a mapping has each key once)."""
    take = lambda text: Text(next(names), "plain") if text else text  # noqa: E731
    answers = tuple(
        msgspec.structs.replace(answer, text=take(answer.text), feedback=take(answer.feedback)) for answer in item.answers
    )
    numbers = tuple(msgspec.structs.replace(number, feedback=take(number.feedback)) for number in item.numbers)
    pairs = tuple(Pair(take(pair.left), next(names)) for pair in item.pairs)
    plain = {name: take(getattr(item, name)) for name in ("text", "right", "wrong", "feedback")}
    return msgspec.structs.replace(
        item, name=next(names), blank=False, category="", answers=answers, numbers=numbers, pairs=pairs, **plain
    )


@settings(max_examples=40, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.lists(any_items(), min_size=1, max_size=3),
    st.lists(simple, min_size=60, max_size=60, unique=True),
    st.sampled_from(["2.1", "3.0"]),
)
def test_what_is_written_comes_back(found: list[Item], texts: list[str], version: str) -> None:
    names = iter(f"{text}{number}" for number, text in enumerate(texts))
    wanted = [tamed(item, names) for item in found]
    content, _notes = qti.write("t", wanted, version)
    check_package(content, version)
    again = qti.read(content, "t.zip")
    assert again.version == version
    assert [essence(item) for item in again.items] == [essence(item) for item in wanted]


@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_an_ordering_and_a_blank_come_back(version: str) -> None:
    gap = gift.read("The {=kubelet} starts pods.").items[0]
    order, blank = qti.read(qti.write("t", [ORDER, gap], version)[0], "t.zip").items
    assert [text.text for text in order.order] == ["<p>a</p>", "<p>b</p>", "<p>c</p>"]
    assert blank.blank
    assert words(blank.text) == words(gap.text)
