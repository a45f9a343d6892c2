"""Writing GIFT so that Moodle, and `read`, make the same questions of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lessons.interchange import fractions
from lessons.interchange.gift.escapes import CONTROL, escape
from lessons.interchange.items import BLANK, Answer, Item, Note, Number, Text, label

_LIKE_WEIGHT = re.compile(r"\s*%[^%\s]{0,12}%")


def write(items: Iterable[Item], *, fixed: bool = True) -> tuple[str, list[Note]]:
    """The file, and what GIFT could not say.  With `fixed`, weights become Moodle's nearest ones."""
    writer = _Writer(fixed)
    blocks: list[str] = []
    category = ""
    for item in items:
        if item.category != category:
            category = item.category
            blocks.append(f"$CATEGORY: {escape(category)}\n")
        blocks.append(writer.item(item))
    return "\n".join(block for block in blocks if block), writer.notes


def _comment(text: str) -> str:
    return "// " + " ".join(CONTROL.sub("", text).split())


class _Writer:
    def __init__(self, fixed: bool) -> None:
        self.fixed = fixed
        self.notes: list[Note] = []

    def note(self, item: Item, reason: str) -> None:
        self.notes.append(Note(item.line, label(item), reason))

    def item(self, item: Item) -> str:
        """A question with its comments and a line break at the end; nothing for one that GIFT has no type for."""
        if CONTROL.search(item.text.text):
            self.note(item, "control characters are left out")
        body = getattr(self, item.kind.value)(item)
        marks = ([f"[id:{_bracketed(item.id)}]"] if item.id else []) + [f"[tag:{_bracketed(tag)}]" for tag in item.tags]
        lines = [_comment(line) for line in item.comments]
        lines += ["// " + " ".join(marks)] if marks else []
        name = f"::{escape(' '.join(item.name.split()))}::" if item.name else ""
        head, tail = self.question(item, name, body is not None)
        if body is None:
            return "\n".join([*lines, name + head]) + "\n"
        return "\n".join([*lines, f"{name}{head}{{{body}}}{tail}"]) + "\n"

    def question(self, item: Item, name: str, braces: bool) -> tuple[str, str]:
        """The text before and after the braces."""
        text = item.text
        prefix = _format(text, "moodle")
        if not name and text.text.startswith("//"):
            prefix = prefix or "[moodle]"
        before, blank, after = text.text.partition(BLANK)
        if braces and item.blank and blank and after.strip():
            return prefix + escape(before), escape(after)
        return prefix + escape(text.text), ""

    # -- what the braces hold ---------------------------------------------------------------------------------------------

    def general(self, item: Item, *, lines: bool) -> str:
        if not item.feedback:
            return "\n" if lines else ""
        written = "####" + self.text(item.feedback, item)
        return f"\n\t{written}\n" if lines else written

    def text(self, text: Text, item: Item) -> str:
        """A text whose format is written where it is not the question's."""
        return _format(text, item.text.format) + escape(text.text)

    def weight(self, fraction: float, item: Item) -> str:
        if self.fixed and not fractions.is_fixed(fraction):
            near = fractions.nearest(fraction)
            self.note(
                item, f"{fractions.percent(fraction)}% became {fractions.percent(near)}%, the nearest grade that Moodle has"
            )
            fraction = near
        return f"%{fractions.percent(fraction)}%"

    def feedback(self, text: Text, item: Item) -> str:
        return f"#{self.text(text, item)}" if text else ""

    def description(self, item: Item) -> None:
        return None

    def essay(self, item: Item) -> str:
        return self.general(item, lines=False)

    def truefalse(self, item: Item) -> str:
        out = "TRUE" if item.truth else "FALSE"
        out += f"#{self.text(item.wrong, item) if item.wrong else ''}" if item.wrong or item.right else ""
        return out + self.feedback(item.right, item) + self.general(item, lines=False)

    def _choice(self, item: Item, single: bool) -> str:
        lines: list[str] = []
        all_right = all(answer.fraction == 1 for answer in item.answers)
        for answer in item.answers:
            text = self.text(answer.text, item)
            like = bool(_LIKE_WEIGHT.match(text))
            if single and answer.fraction == 1 and not (lines and all_right):  # one `~` makes it multiple choice at all
                mark = "=" + ("%100%" if like else "")
            elif answer.fraction == 0:
                mark = "~" + ("%0%" if like else "")
            else:
                mark = "~" + self.weight(answer.fraction, item)
            lines.append(f"\n\t{mark}{text}{self.feedback(answer.feedback, item)}")
        if single and not any(answer.fraction == 1 for answer in item.answers):
            self.note(item, "no choice earns everything; GIFT makes a question with several answers of it")
        if item.together:
            self.note(item, "that only all right choices together earn anything is not written")
        if not item.shuffle:
            self.note(item, "that choices keep their order is not written")
        return "".join(lines) + self.general(item, lines=True)

    def single(self, item: Item) -> str:
        return self._choice(item, True)

    def multiple(self, item: Item) -> str:
        return self._choice(item, False)

    def short(self, item: Item) -> str:
        lines = [f"\n\t={self._accepted(answer, item)}" for answer in item.answers]
        if item.case:
            self.note(item, "that capitals count is not written")
        return "".join(lines) + self.general(item, lines=True)

    def _accepted(self, answer: Answer, item: Item) -> str:
        text = escape(answer.text.text)
        if "->" in text:
            self.note(item, "`->` in a short answer would make a matching question of it; → is written")
            text = text.replace("->", "→")
        weight = self.weight(answer.fraction, item) if answer.fraction != 1 or _LIKE_WEIGHT.match(text) else ""
        if _looks_formatted(text):
            text = "[plain]" + text
        return weight + text + self.feedback(answer.feedback, item)

    def matching(self, item: Item) -> str:
        lines = [f"\n\t={self._left(pair.left, item)} -> {escape(pair.right)}" for pair in item.pairs]
        return "".join(lines) + self.general(item, lines=True)

    def _left(self, text: Text, item: Item) -> str:
        left = self.text(text, item)
        if "->" in left:
            self.note(item, "`->` on a left side would end it; → is written")
        return left.replace("->", "→")

    def numerical(self, item: Item) -> str:
        lines = ["#"]
        others = [number for number in item.numbers if number.value == "*" and number.fraction == 0]
        for number in item.numbers:
            if number in others:
                continue
            weight = self.weight(number.fraction, item) if number.fraction != 1 else ""
            lines.append(f"\n\t={weight}{_number(number)}{self.feedback(number.feedback, item)}")
        lines += [f"\n\t~{self.feedback(number.feedback, item) or '#'}" for number in others[:1]]
        return "".join(lines) + self.general(item, lines=True)

    def ordering(self, item: Item) -> str:
        self.note(item, "GIFT has no ordering questions; it is written as a matching question of items and their places")
        lines = [f"\n\t={self._left(text, item)} -> {place}" for place, text in enumerate(item.order, 1)]
        return "".join(lines) + self.general(item, lines=True)


def _number(number: Number) -> str:
    if number.low:
        return f"{number.low}..{number.high}"
    return number.value if number.tolerance in {"", "0"} else f"{number.value}:{number.tolerance}"


def _format(text: Text, default: str) -> str:
    return f"[{text.format}]" if text.text and (text.format != default or _looks_formatted(text.text)) else ""


def _looks_formatted(text: str) -> bool:
    return text.lstrip().startswith("[")


def _bracketed(text: str) -> str:
    return " ".join(CONTROL.sub("", text).split()).replace("]", "\\]")
