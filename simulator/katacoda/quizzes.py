"""Quiz blocks of Katacoda: `>>Question<<`, then `=== text`, `=~= part`, `[*] right`, `[ ] wrong`, `(*) right`, `( ) wrong` without a blank line.

The first kind of answer line says the question's kind: exact text, text with a part, several of many, one of many.
"""

from __future__ import annotations

import re

import msgspec

from .notes import Note

EXACT, CONTAINS, SEVERAL, ONE = "exact", "contains", "several", "one"
_QUESTION = re.compile(r"^\s*>>\s*(.+?)\s*<<\s*$")
_ANSWER = re.compile(r"^\s*(===|=~=|\[[* ]?\]|\([* ]?\))\s*(.*?)\s*$")
_KINDS = {"=": EXACT, "~": CONTAINS, "[": SEVERAL, "(": ONE}


class Quiz(msgspec.Struct):
    """A question: its line, kind, text, and answers as (right, text)."""

    line: int
    kind: str
    text: str
    answers: list[tuple[bool, str]] = []

    @property
    def right(self) -> list[str]:
        """The right answers' texts."""
        return [text for good, text in self.answers if good]

    def accepts(self, given: str | list[str]) -> bool:
        """Whether an answer (a text, or the chosen options) is right."""
        if isinstance(given, str):
            given = [given]
        if self.kind == EXACT:
            return len(given) == 1 and given[0].strip() in self.right
        if self.kind == CONTAINS:
            return len(given) == 1 and any(part in given[0] for part in self.right)
        return sorted(given) == sorted(self.right)


def parse(text: str, file: str = "") -> tuple[list[Quiz], list[Note]]:
    """The quizzes of a page that stand outside code and `<pre>`, and what cannot be used of them."""
    found: list[Quiz] = []
    notes: list[Note] = []
    current: Quiz | None = None
    fence = pre = False
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"^\s*(```|~~~)", line):
            fence = not fence
        lowered = line.lower()
        pre = ("<pre" in lowered or pre) and "</pre>" not in lowered
        if fence or pre:
            current = None
            continue
        if match := _QUESTION.match(line):
            current = Quiz(number, "", match[1])
            found.append(current)
        elif current is not None and (match := _ANSWER.match(line)):
            sign, answer = match[1], match[2]
            kind = _KINDS["~" if sign == "=~=" else sign[0]]
            if current.kind and kind != current.kind:
                notes.append(Note(file, number, f"quiz {current.text!r}: answers of two kinds; this one is left out"))
                continue
            current.kind = kind
            current.answers.append((kind in (EXACT, CONTAINS) or "*" in sign, answer))
        else:
            current = None
    for quiz in list(found):
        if not quiz.right:
            notes.append(Note(file, quiz.line, f"quiz {quiz.text!r}: no right answer; left out"))
            found.remove(quiz)
    return found, notes
