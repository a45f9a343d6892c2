"""Brace expansion over words: `{a,b}`, `{1..5..2}`, `{a..e}`; quoted parts are left alone."""

from __future__ import annotations

import re

from ..kernel.errors import BudgetExceeded
from .syntax import Lit, Part, Word

LIMIT = 20_000
RANGE = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?\Z|([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d+))?\Z")
Atom = str | Part


def expand(word: Word) -> list[Word]:
    """The words that a word becomes."""
    if not any(isinstance(part, Lit) and not part.quoted and "{" in part.text for part in word):
        return [word]
    atoms: list[Atom] = []
    for part in word:
        if isinstance(part, Lit) and not part.quoted:
            atoms.extend(part.text)
        else:
            atoms.append(part)
    return [_join(atoms) for atoms in _expand(atoms, [0])]


def _join(atoms: list[Atom]) -> Word:
    word: Word = []
    text = ""
    for atom in atoms:
        if isinstance(atom, str):
            text += atom
            continue
        if text:
            word.append(Lit(text))
            text = ""
        word.append(atom)
    if text:
        word.append(Lit(text))
    return word


def _expand(atoms: list[Atom], count: list[int]) -> list[list[Atom]]:
    for start, atom in enumerate(atoms):
        if atom != "{":
            continue
        found = _group(atoms, start)
        if found is None:
            continue
        options, end = found
        tails = _expand(atoms[end:], count)
        out: list[list[Atom]] = []
        for option in options:
            for middle in _expand(option, count) if "{" in option else [option]:
                for tail in tails:
                    count[0] += 1
                    if count[0] > LIMIT:
                        raise BudgetExceeded(f"brace expansion: more than {LIMIT} words")
                    out.append(atoms[:start] + middle + tail)
        return out
    return [atoms]


def _group(atoms: list[Atom], start: int) -> tuple[list[list[Atom]], int] | None:
    """The alternatives of the group at `start` and the position after it."""
    depth, parts, last = 0, [], start + 1
    for at in range(start, len(atoms)):
        atom = atoms[at]
        if atom == "{":
            depth += 1
        elif atom == "}":
            depth -= 1
            if depth == 0:
                if start and atoms[start - 1] == "$":
                    return None
                parts.append(atoms[last:at])
                if len(parts) > 1:
                    return parts, at + 1
                inner = parts[0]
                if all(isinstance(item, str) for item in inner):
                    sequence = _range("".join(str(item) for item in inner))
                    if sequence is not None:
                        return [list(item) for item in sequence], at + 1
                return None
        elif atom == "," and depth == 1:
            parts.append(atoms[last:at])
            last = at + 1
    return None


def _range(text: str) -> list[str] | None:
    match = RANGE.match(text)
    if match is None:
        return None
    if match.group(1) is not None:
        first, last = int(match.group(1)[:18]), int(match.group(2)[:18])
        step = abs(int(match.group(3) or 1)) or 1
        width = 0
        if re.match(r"-?0\d", match.group(1)) or re.match(r"-?0\d", match.group(2)):
            width = max(len(match.group(1)), len(match.group(2)))
        if abs(last - first) // step > LIMIT:
            raise BudgetExceeded(f"brace expansion: more than {LIMIT} words")
        numbers = range(first, last + 1, step) if first <= last else range(first, last - 1, -step)
        return [f"{n:0{width}d}" for n in numbers]
    a, b = ord(match.group(4)), ord(match.group(5))
    step = abs(int(match.group(6) or 1)) or 1
    return [chr(n) for n in (range(a, b + 1, step) if a <= b else range(a, b - 1, -step))]
