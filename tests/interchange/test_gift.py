"""GIFT: what is read of every type, what is refused with its line, and that nothing is lost on the way round."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lessons.interchange import fractions, gift
from lessons.interchange.items import BLANK, FORMATS, Answer, Item, Kind, Number, Pair, Text, from_json, to_json

DATA = Path(__file__).parent / "data"


def one(text: str) -> Item:
    (item,) = gift.read(text).items
    return item


def plain(item: Item) -> Item:
    """An item without the place where it was read."""
    return msgspec.structs.replace(item, line=0)


def harbour() -> gift.Gift:
    return gift.read((DATA / "harbour.gift").read_text(), "harbour.gift")


# -- reading ------------------------------------------------------------------------------------------------------------------


def test_all_types_are_read() -> None:
    found = [item.kind.value for item in harbour().items]
    assert found == [
        "single", "single", "truefalse", "truefalse", "short", "numerical", "numerical", "numerical", "numerical", "matching",
        "single", "multiple", "multiple", "short", "single", "short", "short", "short", "essay", "essay", "description",
    ]  # fmt: skip


def test_a_multiple_choice_question_whole() -> None:
    item = harbour().items[0]
    assert item.name == "Who keeps the keys"
    assert item.category == "$course$/Harbour/Basics"
    assert item.id == "harbour-01"
    assert item.tags == ("first steps", "braces]")
    assert item.feedback == Text("The API server is the front door.")
    assert item.answers == (
        Answer(Text("kubelet"), 0.0, Text("It talks to the API server only.")),
        Answer(Text("kube-proxy"), 0.0),
        Answer(Text("kube-apiserver"), 1.0, Text("Yes: everybody else asks it.")),
    )
    assert item.line == 7


def test_missing_word() -> None:
    item = one("The scheduler picks a {~pod =node} for every pod.")
    assert (item.text.text, item.blank) == (f"The scheduler picks a {BLANK} for every pod.", True)
    assert one("Which? {~pod =node}").blank is False


@pytest.mark.parametrize(("word", "truth"), [("T", True), ("TRUE", True), ("F", False), ("FALSE", False)])
def test_true_false(word: str, truth: bool) -> None:
    item = one(f"It runs.{{{word}#no#yes####all}}")
    assert (item.kind, item.truth) == (Kind.TRUEFALSE, truth)
    assert (item.wrong.text, item.right.text, item.feedback.text) == ("no", "yes", "all")


def test_a_lower_case_true_is_a_short_answer_and_said_so() -> None:
    found = gift.read("It runs.{true}")
    assert found.items[0].kind == Kind.SHORT
    assert "{TRUE}" in found.notes[0].reason


def test_numbers() -> None:
    assert one("n{#1822}").numbers == (Number("1822"),)
    assert one("n{#3.14:0.01}").numbers == (Number("3.14", "0.01"),)
    assert one("n{#-2..-1}").numbers == (Number(low="-2", high="-1"),)
    year = next(item for item in harbour().items if item.name == "A year")
    assert [number.value for number in year.numbers] == ["2015", "2015", "*"]
    assert [number.fraction for number in year.numbers] == [1.0, 0.5, 0.0]
    assert [number.feedback.text for number in year.numbers] == ["Exactly.", "Close.", "Not that year."]


def test_weights_are_moodles_fixed_ones() -> None:
    thirds = next(item for item in harbour().items if item.name == "thirds")
    assert [answer.fraction for answer in thirds.answers] == [0.3333333, 0.3333333, 0.3333333, -1.0]
    found = gift.read("q{~%51%a ~%49%b}")
    assert [answer.fraction for answer in found.items[0].answers] == [0.51, 0.49]
    assert "51% is not one of Moodle's fixed grades" in found.notes[0].reason


def test_formats() -> None:
    item = next(item for item in harbour().items if item.text.text.startswith("<p>"))
    assert item.text.format == "html"
    assert item.answers == (Answer(Text("an agent"), 1.0, Text("*good*", "markdown")),)
    assert one("[one] word{=a}").text == Text("[one] word")


def test_escapes() -> None:
    item = next(item for item in harbour().items if item.name == "Special : characters")
    assert item.text.text == "Write braces as { and }, tildes as ~, a backslash as \\, and\na line break."
    assert one(r"a \x \\n b{=c}").text.text == r"a \x \n b"


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    assert one("\ufeff::n::q{\r\n~a\r\n=b\r\n}\r\n").name == "n"


def test_an_arrow_in_what_is_said_makes_no_matching_question() -> None:
    assert one("q{=a#see b -> c =d}").kind == Kind.SHORT


def test_a_question_right_after_its_category() -> None:
    item = one("$CATEGORY: x/y\nq{=a}")
    assert (item.category, item.text.text, item.line) == ("x/y", "q", 2)


# -- what is wrong ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("good{=a}\n\nbad {=a\n\n", 3, "`{` without a `}`"),
        ("bad =a}", 1, "`}` without a `{`"),
        ("q{\n~a\n~b\n}", 2, "no answer is right"),
        ("q{~a}", 1, "needs at least 2 answers"),
        ("q{=a -> b\n=c}", 2, "=left -> right"),
        ("q{=a -> b}", 1, "needs at least 2"),
        ("q{#many}", 1, "not a number"),
        ("q{#\n=1\n=1:x}", 3, "not a number"),
        ("q{#5..1}", 1, "is empty"),
        ("q{#}", 1, "no number"),
        ("q{~%150%a =b}", 1, "between -100 and 100"),
        ("q{~%33,3%a =b}", 1, "is not a weight"),
        ("::n: q{=a}", 1, "does not end with it"),
        ("::n::\n{=a}", 2, "no text"),
        ("q{=a\x00}", 1, "control character"),
        ("q{~ =b}", 1, "an answer is empty"),
        ("", 0, "holds no question"),
    ],
)
def test_errors_name_the_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(gift.GiftError) as caught:
        gift.read(text, "set.gift")
    (problem,) = caught.value.problems
    assert reason in problem.reason
    assert str(problem).startswith(f"set.gift:{line}: " if line else "set.gift: ")


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(gift.GiftError) as caught:
        gift.read("a{~b}\n\nfine{=x}\n\nc{#d}", "set.gift")
    assert [problem.line for problem in caught.value.problems] == [1, 5]


def test_not_utf8() -> None:
    from lessons.interchange.gift.read import decode

    with pytest.raises(gift.GiftError, match=r"set\.gift:2: is not UTF-8"):
        decode("q\n한".encode("cp949"), "set.gift")


@given(st.text(alphabet="ab{}~=#%:-> \n/\\$[]0123456789.*\x01한", max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = gift.read(text)
    except gift.GiftError:
        return
    again = gift.read(gift.write(found.items, fixed=False)[0])
    assert len(again.items) == len(found.items)


# -- round trips ----------------------------------------------------------------------------------------------------------------


def test_our_file_comes_back_as_it_was() -> None:
    items = harbour().items
    written, notes = gift.write(items)
    assert notes == []
    again = gift.read(written)
    assert [plain(item) for item in again.items] == [plain(item) for item in items]
    assert gift.write(again.items)[0] == written


def test_json_keeps_everything() -> None:
    items = harbour().items
    assert from_json(to_json(items)) == items


#: Text as it can stand anywhere: no spaces at its ends, no control characters.
words = (
    st.text(
        alphabet=st.sampled_from("ab =~#{}:\\/[]%$n\n>'\"é한🚢-*_.0159")
        | st.characters(codec="utf-8", categories=["L", "N", "P"]),
        min_size=1,
        max_size=24,
    )
    .map(lambda text: "\n".join(line.strip() for line in text.split("\n")).strip())
    .filter(lambda text: bool(text) and "->" not in text and BLANK not in text)
)
texts = st.builds(Text, words, st.sampled_from(FORMATS))
maybe = st.just(Text()) | texts
names = words.map(lambda text: " ".join(text.split()))
percents = st.sampled_from([sign * value / 100 for value in fractions.FIXED for sign in (1, -1)]).map(fractions.settled)
decimals = st.decimals(-(10**6), 10**6, places=3).map(str)
tolerances = st.sampled_from(["0", "0.5", "2", "1e-3"])


def choices(single: bool) -> Any:
    least = st.builds(Answer, texts, st.just(1.0) if single else percents.filter(lambda value: value > 0), maybe)
    rest = st.lists(st.builds(Answer, texts, percents, maybe), min_size=1, max_size=4)
    return st.builds(lambda first, others: (*others[:1], first, *others[1:]), least, rest)


@st.composite
def items(draw: Any) -> Item:
    kind = draw(st.sampled_from([kind for kind in Kind if kind != Kind.ORDERING]))
    common = {
        "name": draw(st.just("") | names), "feedback": draw(maybe), "category": draw(st.just("") | names),
        "id": draw(st.just("") | names), "tags": tuple(draw(st.lists(names, unique=True, max_size=2))),
    }  # fmt: skip
    text = draw(texts)
    if kind == Kind.DESCRIPTION:
        return Item(kind, text, points=0.0, **{**common, "feedback": Text()})
    if draw(st.booleans()):
        tail = draw(words)
        common["blank"], text = True, Text(f"{text.text} {BLANK} {tail}", text.format)
    short = st.builds(Answer, st.builds(Text, words), percents, maybe)
    numbers = st.builds(Number, decimals, tolerances, fraction=percents, feedback=maybe)
    own: dict[str, Any] = {}
    match kind:
        case Kind.TRUEFALSE:
            own = {"truth": draw(st.booleans()), "right": draw(maybe), "wrong": draw(maybe)}
        case Kind.SINGLE | Kind.MULTIPLE:
            own = {"answers": draw(choices(kind == Kind.SINGLE))}
        case Kind.SHORT:
            own = {"answers": tuple(draw(st.lists(short, min_size=1, max_size=3)))}
        case Kind.MATCHING:
            own = {"pairs": tuple(draw(st.lists(st.builds(Pair, texts, words), min_size=2, max_size=4)))}
        case Kind.NUMERICAL:
            found = draw(st.lists(numbers, min_size=1, max_size=3))
            own = {"numbers": (*found, *([Number("*", fraction=0.0, feedback=draw(maybe))] if draw(st.booleans()) else []))}
    return Item(kind, text, **common, **own)


@settings(max_examples=60)
@given(st.lists(items(), min_size=1, max_size=3))
def test_what_is_written_is_read_again(found: list[Item]) -> None:
    written, notes = gift.write(found)
    assert notes == []
    again = gift.read(written)
    assert [plain(item) for item in again.items] == [plain(item) for item in found]


def test_what_gift_cannot_say_is_told() -> None:
    found = [
        Item(Kind.ORDERING, Text("Order them"), order=(Text("first"), Text("second"), Text("third"))),
        Item(Kind.MULTIPLE, Text("q"), answers=(Answer(Text("a"), 0.52), Answer(Text("b"), 0.48))),
        Item(Kind.SHORT, Text("q"), answers=(Answer(Text("a -> b"), 1.0),), case=True),
    ]
    written, notes = gift.write(found)
    reasons = " / ".join(note.reason for note in notes)
    for part in ("no ordering", "52% became 50%", "would make a matching question", "capitals"):
        assert part in reasons
    assert [item.kind for item in gift.read(written).items] == [Kind.MATCHING, Kind.MULTIPLE, Kind.SHORT]


@pytest.mark.parametrize("answer", ["~a", "=a", "~%50%a", "=a->b "])
def test_answers_without_an_end_are_refused_before_they_are_read(answer: str) -> None:
    began = time.process_time()
    with pytest.raises(gift.GiftError, match="more than 100 answers"):
        gift.read("which? {" + answer * 200_000 + "}")
    assert time.process_time() - began < 2  # reading them took 4 to 9 s


def test_every_form_of_moodles_documentation_comes_back_as_it_was() -> None:
    """Also with the line ends and the mark of Windows."""
    text = (DATA / "moodle-forms.gift").read_text()
    found = gift.read(text, "moodle-forms.gift")
    assert found.notes == []
    assert {item.kind for item in found.items} == set(Kind) - {Kind.ORDERING}
    assert [item.category for item in found.items].count("tom/dick/harry") == 8
    written, notes = gift.write(found.items)
    assert notes == []
    expected = [plain(item) for item in found.items]
    assert [plain(item) for item in gift.read(written).items] == expected
    assert [plain(item) for item in gift.read("\ufeff" + text.replace("\n", "\r\n")).items] == expected
