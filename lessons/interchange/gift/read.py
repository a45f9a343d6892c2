"""Reading GIFT.

A file is blocks between blank lines.  A block is `$CATEGORY: path`, or a question: comments (`//`), a name between `::`, a
text with its format in brackets, and the answers in the first pair of braces, wherever in the text they stand.  What the
braces hold decides the type, in Moodle's order: nothing (essay), `#` first (numerical), a `~` (multiple choice), `=` with
`->` (matching), T, TRUE, F or FALSE, else short answers.  Without braces it is a description.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from lessons.interchange import fractions
from lessons.interchange.gift.escapes import CONTROL, hide, show
from lessons.interchange.items import BLANK, FORMATS, Answer, Item, Kind, Note, Number, Pair, Text, label
from lessons.loading.problems import Problem

#: Bounds of a file: characters, questions, answers of a question.
MAX_CHARACTERS = 4_000_000
MAX_QUESTIONS = 5_000
MAX_ANSWERS = 100

_WEIGHT = re.compile(r"%(-?\d{1,3}(?:\.\d*)?)%")
_ANY_WEIGHT = re.compile(r"%([^%\s]{0,12})%")
_FORMAT = re.compile(rf"\[({'|'.join(FORMATS)})\]")
_MARKED = re.compile(r"\[(id|tag):((?:\\\]|[^\]\x00-\x1f\x7f])+)\]")
_GENERATED = re.compile(r"//\s*question:\s*\d+\s+name:")
_TRUTH = {"T": True, "TRUE": True, "F": False, "FALSE": False}


class GiftError(Exception):
    """A file that cannot be read; `problems` names each place, in order."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(slots=True)
class Gift:
    """What a file holds, and what in it was not read as it may have been meant."""

    items: list[Item] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


class _Wrong(Exception):
    """A question that cannot be read; `at` is the position in its text."""

    def __init__(self, reason: str, at: int = 0) -> None:
        self.at = at
        super().__init__(reason)


@dataclass(slots=True)
class _Block:
    line: int
    lines: list[str] = field(default_factory=list)


def decode(content: bytes, file: str) -> str:
    """The text of a file.  Raises `GiftError` for what is not UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise GiftError([Problem(file, line, "", f"is not UTF-8 (byte {error.start}); save the file as UTF-8")]) from None


def read(text: str, file: str = "questions.gift") -> Gift:
    """Every question of a file.  Raises `GiftError` with every problem."""
    problems: list[Problem] = []
    if len(text) > MAX_CHARACTERS:
        raise GiftError([Problem(file, 0, "", f"is longer than {MAX_CHARACTERS:,} characters")])
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if found := CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise GiftError([Problem(file, line, "", f"holds a control character (U+{ord(found.group()):04X})")])
    gift, category = Gift(), ""
    for block in _blocks(text):
        reader = _Question(block, category)
        try:
            if (named := reader.category()) is not None:
                category = named
                if not reader.rest():
                    continue
                reader = _Question(reader.remaining, category)
            item = reader.item()
        except _Wrong as error:
            problems.append(Problem(file, reader.line_of(error.at), reader.title, str(error)))
            continue
        if item is not None:
            gift.items.append(item)
            gift.notes += [Note(line, label(item), reason) for line, reason in reader.notes]
        if len(gift.items) > MAX_QUESTIONS:
            raise GiftError([Problem(file, block.line, "", f"has more than {MAX_QUESTIONS:,} questions")])
    if problems:
        raise GiftError(problems)
    if not gift.items:
        raise GiftError([Problem(file, 0, "", "holds no question")])
    return gift


def _blocks(text: str) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            if block:
                yield block
            block = None
            continue
        block = block or _Block(number)
        block.lines.append(line.strip())
    if block:
        yield block


class _Question:
    """One block, taken apart."""

    def __init__(self, block: _Block, category: str) -> None:
        self.block = block
        self.path = category
        self.comments = [line for line in block.lines if line.startswith("//")]
        self.text = hide("\n".join(" " if line.startswith("//") else line for line in block.lines))
        self.notes: list[tuple[int, str]] = []
        self.title = ""
        self.remaining = block

    # -- places ---------------------------------------------------------------------------------------------------------

    def line_of(self, at: int) -> int:
        """The line of a position in the block's text; the first that is no comment for position 0."""
        if at <= 0:
            at = len(self.text) - len(self.text.lstrip())
        return self.block.line + self.text.count("\n", 0, at)

    def note(self, reason: str, at: int = 0) -> None:
        self.notes.append((self.line_of(at), reason))

    # -- categories -----------------------------------------------------------------------------------------------------

    def category(self) -> str | None:
        """The path of a `$CATEGORY:` line, or None for a question."""
        start = self.text.lstrip()
        if not start.startswith("$CATEGORY:"):
            return None
        first, _, rest = start.removeprefix("$CATEGORY:").partition("\n")
        used = len(self.text) - len(rest)
        skipped = self.text.count("\n", 0, used)
        self.remaining = _Block(self.block.line + skipped, self.block.lines[skipped:] if rest else [])
        return show(first).strip()

    def rest(self) -> bool:
        """Whether something that is no comment follows the category in the same block."""
        return any(not line.startswith("//") for line in self.remaining.lines)

    # -- the question ---------------------------------------------------------------------------------------------------

    def item(self) -> Item | None:
        if not self.text.strip():
            return None
        start = len(self.text) - len(self.text.lstrip())
        name = ""
        if self.text.startswith("::", start):
            end = self.text.find("::", start + 2)
            if end < 0:
                raise _Wrong("the name begins with `::` and does not end with it", start)
            name = " ".join(show(self.text[start + 2 : end]).split())
            start = end + 2
        self.title = name
        opening, closing = self.text.find("{", start), self.text.find("}", start)
        if (opening < 0) != (closing < 0) or closing < opening:
            if opening < 0 or (0 <= closing < opening):
                raise _Wrong("`}` without a `{` before it; write \\} for the character", closing)
            raise _Wrong("`{` without a `}` before the next blank line; write \\{ for the character", opening)
        common = {"name": name, "category": self.path, "line": self.line_of(0), **self.marks()}
        if opening < 0:
            body = self.formatted(self.text[start:], "moodle")
            if not body.text:
                raise _Wrong("has a name and no text", start)
            return Item(kind=Kind.DESCRIPTION, text=body, points=0.0, **common)  # type: ignore[arg-type]
        after = self.text[closing + 1 :].rstrip()
        if "{" in after or "}" in after:
            self.note("only the first { } holds answers; the later ones are part of the text", closing + 1)
        body = self.formatted(self.text[start:opening] + (BLANK + after if after else ""), "moodle")
        if not body.text:
            raise _Wrong("has answers and no text", opening)
        fields = self.answers(opening + 1, closing, body.format)
        return Item(text=body, blank=bool(after), **common, **fields)  # type: ignore[arg-type]

    def marks(self) -> dict[str, object]:
        """`[id:…]` and `[tag:…]` of the comments, and the comments that say something else."""
        found = {"id": "", "tags": [], "comments": []}  # type: dict[str, object]
        tags: list[str] = []
        kept: list[str] = []
        for line in self.comments:
            for what, value in _MARKED.findall(line):
                value = value.replace("\\]", "]").strip()
                if what == "tag":
                    tags.append(value)
                elif not found["id"]:
                    found["id"] = value
            plain = _MARKED.sub("", line.removeprefix("//")).strip()
            if plain and not _GENERATED.match(line) and plain.strip("-=*/# "):
                kept.append(plain)
        return {"id": found["id"], "tags": tuple(dict.fromkeys(tags)), "comments": tuple(kept)}

    def formatted(self, text: str, default: str) -> Text:
        """A text with its format in brackets before it; brackets with another word are text."""
        plain = text.strip()
        match = _FORMAT.match(plain)
        shown = show(plain[match.end() :] if match else plain).strip()
        return Text(shown, match.group(1) if match else default)

    def parts(self, start: int, end: int, marks: str) -> Iterator[tuple[str, int, int]]:
        """What stands between the marks: (mark or "", from, to), blanks around it left out."""
        places = [at for at in range(start, end) if self.text[at] in marks]
        if len(places) > MAX_ANSWERS:  # before anything is made of them
            raise _Wrong(f"has more than {MAX_ANSWERS} answers", start)
        if not places or self.text[start : places[0]].strip():
            yield ("", start, places[0] if places else end)
        for at, until in itertools.pairwise([*places, end]):
            yield self.text[at], at + 1, until

    def weight(self, start: int, end: int) -> tuple[float | None, int]:
        """A weight in percent signs and where the answer goes on; None when there is none."""
        start += len(self.text[start:end]) - len(self.text[start:end].lstrip())
        match = _WEIGHT.match(self.text, start, end)
        if match is None:
            strange = _ANY_WEIGHT.match(self.text, start, end)
            if strange and strange.group(1).replace(",", ".").lstrip("+-").replace(".", "", 1).isdigit():
                raise _Wrong(f"`{show(strange.group())}` is not a weight; write it as %50% or %-33.33333%", start)
            return None, start
        value = float(match.group(1)) / 100
        if abs(value) > 1:
            raise _Wrong(f"a weight is between -100 and 100 percent, not {match.group(1)}", start)
        settled = fractions.settled(value)
        if not fractions.is_fixed(value):
            self.note(f"{match.group(1)}% is not one of Moodle's fixed grades; it is kept as it is", start)
        return settled, match.end()

    def said(self, start: int, end: int, form: str) -> tuple[Text, Text]:
        """An answer and, after `#`, what is said to it."""
        answer, _, feedback = self.text[start:end].partition("#")
        return self.formatted(answer, form), self.formatted(feedback, form)

    # -- answers --------------------------------------------------------------------------------------------------------

    def answers(self, start: int, end: int, form: str) -> dict[str, object]:
        """The fields that the braces' content makes."""
        fields: dict[str, object] = {}
        general = self.text.rfind("####", start, end)
        if general >= 0:
            fields["feedback"] = self.formatted(self.text[general + 4 : end], form)
            end = general
        content = self.text[start:end]
        if not content.strip():
            return {"kind": Kind.ESSAY, **fields}
        start += len(content) - len(content.lstrip())
        end -= len(content) - len(content.rstrip())
        content = content.strip()
        if content.startswith("#"):
            return {**self.numerical(start + 1, end, form), **fields}
        if "~" in content:
            return {**self.choice(start, end, form), **fields}
        if "=" in content and self.is_matching(start, end):
            return {**self.matching(start, end, form), **fields}
        first = content.partition("#")[0].strip()
        if first in _TRUTH:
            right_wrong = [self.formatted(part, form) for part in content.split("#", 2)[1:]] + [Text(format=form)] * 2
            wrong, right = right_wrong[0], right_wrong[1]
            return {"kind": Kind.TRUEFALSE, "truth": _TRUTH[first], "wrong": _none(wrong), "right": _none(right), **fields}
        if first.upper() in _TRUTH:
            self.note(f"{{{first}}} is a short answer; a true/false question is written {{{first.upper()}}}", start)
        return {**self.short(start, end, form), **fields}

    def few(self, found: list[object], least: int, start: int) -> None:
        if len(found) < least:
            raise _Wrong(f"needs at least {least} answers, and has {len(found)}", start)
        if len(found) > MAX_ANSWERS:
            raise _Wrong(f"has more than {MAX_ANSWERS} answers", start)

    def choice(self, start: int, end: int, form: str) -> dict[str, object]:
        found: list[Answer] = []
        single = "=" in self.text[start:end]
        for mark, begin, until in self.parts(start, end, "~="):
            given, begin = self.weight(begin, until)
            text, feedback = self.said(begin, until, form)
            if not text.text:
                raise _Wrong("an answer is empty", begin)
            default = 1.0 if mark == "=" else 0.0
            found.append(Answer(text, default if given is None else given, _none(feedback)))
        self.few(list(found), 2, start)
        if not any(answer.fraction > 0 for answer in found):
            raise _Wrong("no answer is right: one begins with `=`, or some have a weight such as ~%50%", start)
        total = sum(answer.fraction for answer in found if answer.fraction > 0)
        if not single and abs(total - 1) > 0.011:
            self.note(f"the weights of the right answers add up to {total * 100:g}%, not to 100%", start)
        return {"kind": Kind.SINGLE if single else Kind.MULTIPLE, "answers": tuple(found)}

    def short(self, start: int, end: int, form: str) -> dict[str, object]:
        found: list[Answer] = []
        for _mark, begin, until in self.parts(start, end, "="):
            given, begin = self.weight(begin, until)
            text, feedback = self.said(begin, until, form)
            if not text.text:
                raise _Wrong("an answer is empty", begin)
            found.append(Answer(Text(text.text), 1.0 if given is None else given, _none(feedback)))
        self.few(list(found), 1, start)
        return {"kind": Kind.SHORT, "answers": tuple(found)}

    def is_matching(self, start: int, end: int) -> bool:
        """Moodle takes any `->` for matching; one that stands only in what is said to answers is none."""
        return any("->" in self.text[begin:until].partition("#")[0] for _mark, begin, until in self.parts(start, end, "="))

    def matching(self, start: int, end: int, form: str) -> dict[str, object]:
        found: list[Pair] = []
        for _mark, begin, until in self.parts(start, end, "="):
            left, arrow, right = self.text[begin:until].partition("->")
            if not arrow:
                raise _Wrong("a pair of a matching question is written =left -> right", begin)
            pair = Pair(_none(self.formatted(left, form)), show(right).strip())
            if not pair.right:
                raise _Wrong("a pair has no right side", begin)
            found.append(pair)
        self.few(list(found), 2, start)
        if not any(pair.left for pair in found):
            raise _Wrong("no pair has a left side", start)
        return {"kind": Kind.MATCHING, "pairs": tuple(found)}

    def numerical(self, start: int, end: int, form: str) -> dict[str, object]:
        found: list[Number] = []
        other = self.text.find("~", start, end)
        if self.text[start : end if other < 0 else other].strip():
            for _mark, begin, until in self.parts(start, end if other < 0 else other, "="):
                given, begin = self.weight(begin, until)
                text, feedback = self.said(begin, until, form)
                fraction = 1.0 if given is None else given
                found.append(self.number(text.text, begin, fraction, _none(feedback)))
        if not found:
            raise _Wrong("a numerical question has no number", start)
        if other >= 0:
            _text, feedback = self.said(other + 1, end, form)
            found.append(Number("*", fraction=0.0, feedback=_none(feedback)))
        self.few(list(found), 1, start)
        return {"kind": Kind.NUMERICAL, "numbers": tuple(found)}

    def number(self, text: str, at: int, fraction: float, feedback: Text) -> Number:
        if text.find("..") > 0:
            low, _, high = (part.strip() for part in text.partition(".."))
            least, most = self.decimal(low, at), self.decimal(high, at)
            if least > most:
                raise _Wrong(f"the range {text} is empty: {low} is greater than {high}", at)
            return Number(low=low, high=high, fraction=fraction, feedback=feedback)
        value, colon, tolerance = (part.strip() for part in text.partition(":"))
        if value != "*":
            self.decimal(value, at)
        if colon and self.decimal(tolerance, at) < 0:
            raise _Wrong(f"a tolerance is not negative: {tolerance}", at)
        return Number(value, tolerance if colon else "0", fraction=fraction, feedback=feedback)

    def decimal(self, text: str, at: int) -> Decimal:
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or abs(value.adjusted()) > 300 or len(text) > 60 or "_" in text:
            raise _Wrong(f"`{text[:40]}` is not a number; write 3.14, 3.14:0.01 or 3.1..3.2", at)
        return value


def _none(text: Text) -> Text:
    """No text has no format."""
    return text if text.text else Text()
