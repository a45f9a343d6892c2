"""How words are compared in a search: case, spaces and Korean particles do not count.

Both databases compare with `LIKE` on texts that were folded here, so that SQLite and PostgreSQL find the same.  A word with Korean
syllables is looked for in the text without spaces (`컨트롤플레인` finds `컨트롤 플레인`), first as it was typed, then without its
particles (`파드에서는` finds `파드가`).
"""

from __future__ import annotations

import unicodedata
from collections import Counter

from lessons.rendering.korean import has_hangul, stems

MAX_LENGTH = 100
MAX_WORDS = 8


def fold(text: str) -> str:
    """Composed, without case, with single spaces."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def pack(text: str) -> str:
    """A folded text without spaces."""
    return text.replace(" ", "")


def split(query: str) -> list[str]:
    """The words of what somebody typed, folded; the rest of a very long query is left out."""
    found = fold(query.replace("\x00", "")[:MAX_LENGTH]).split()
    return list(dict.fromkeys(found))[:MAX_WORDS]


def variants(word: str) -> list[str]:
    """What is looked for instead of a word: itself, then its stems.  Only Korean words have any."""
    return stems(word) if has_hangul(word) else [word]


def bigrams(word: str) -> Counter[str]:
    """Pairs of neighbouring letters, with the word's edges: what two spellings have in common."""
    edged = f" {word} "
    return Counter(edged[at : at + 2] for at in range(len(edged) - 1))


def likeness(one: str, other: str) -> float:
    """From 0 to 1: the share of bigrams that two words have in common (Dice's coefficient)."""
    left, right = bigrams(one), bigrams(other)
    common = sum((left & right).values())
    return 2 * common / (left.total() + right.total())
