"""patch: apply unified diffs to files."""

from __future__ import annotations

import re

import msgspec

from ...host.invocation import Call
from .common import Code, parse

#: How far from its line a hunk may be found, and how many lines of context may differ.
FUZZ = 2


class Hunk(msgspec.Struct):
    """One hunk: where it begins in the old file, its lines with their marks."""

    start: int
    lines: list[str]

    def side(self, mark: str) -> list[str]:
        """The lines of one side: `-` the old, `+` the new."""
        return [line[1:] for line in self.lines if line[:1] in (" ", mark)]


class Change(msgspec.Struct):
    """The hunks of one file and its two names."""

    old: str
    new: str
    hunks: list[Hunk]


class Malformed(Exception):
    """The patch cannot be read; the text is patch's own."""


def read(text: str) -> list[Change]:
    """The changes of a unified diff; raises Malformed."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    out: list[Change] = []
    at = 0
    while at < len(lines):
        if lines[at].startswith("--- ") and at + 1 < len(lines) and lines[at + 1].startswith("+++ "):
            out.append(Change(_name(lines[at]), _name(lines[at + 1]), []))
            at += 2
            continue
        match = re.match(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", lines[at])
        if match is None:
            at += 1
            continue
        if not out:
            out.append(Change("", "", []))
        old, new = int(match.group(2) or 1), int(match.group(4) or 1)
        body: list[str] = []
        at += 1
        while old > 0 or new > 0:
            if at >= len(lines):
                raise Malformed(
                    f"unexpected end of file in patch at line {at + 1}" if body else "unexpectedly ends in middle of line"
                )
            line = lines[at] or " "
            if line[0] not in " +-\\":
                raise Malformed(f"malformed patch at line {at + 1}: {lines[at]}")
            old -= line[0] in " -"
            new -= line[0] in " +"
            body.append(line)
            at += 1
        while at < len(lines) and lines[at].startswith("\\"):
            body.append(lines[at])
            at += 1
        out[-1].hunks.append(Hunk(int(match.group(1)), body))
    return [change for change in out if change.hunks]


def _name(line: str) -> str:
    return line[4:].split("\t")[0].strip()


def _strip(name: str, level: int | None) -> str:
    if name == "/dev/null":
        return name
    parts = name.split("/")
    return parts[-1] if level is None else "/".join(parts[min(level, len(parts) - 1) :])


def _find(lines: list[str], wanted: list[str], guess: int) -> tuple[int, int] | None:
    """(line, fuzz) at which a hunk's old side stands, nearest to where it says."""
    for fuzz in range(FUZZ + 1):
        part = wanted[fuzz : len(wanted) - fuzz] if fuzz else wanted
        if fuzz and len(wanted) <= 2 * fuzz:
            break
        for distance in range(len(lines) + 1):
            for place in (guess - distance, guess + distance):
                if (
                    place >= 0
                    and lines[place + fuzz : place + fuzz + len(part)] == part
                    and place + fuzz + len(part) <= len(lines)
                ):
                    return place, fuzz
    return None


def _apply(call: Call, change: Change, lines: list[str]) -> tuple[list[str], list[int], list[str]]:
    """(new lines, hunks that failed by number, what to say)."""
    failed: list[int] = []
    said: list[str] = []
    shift = 0
    for number, hunk in enumerate(change.hunks, 1):
        old, new = hunk.side("-"), hunk.side("+")
        guess = max(hunk.start - 1, 0) + shift if old else min(hunk.start + shift, len(lines))
        found = _find(lines, old, guess) if old else (guess, 0)
        if found is None:
            failed.append(number)
            said.append(f"Hunk #{number} FAILED at {hunk.start}.")
            continue
        place, fuzz = found
        offset = place - (max(hunk.start - 1, 0) + shift) if old else 0
        if fuzz or offset:
            text = f"Hunk #{number} succeeded at {place + 1}"
            text += f" with fuzz {fuzz}" if fuzz else ""
            said.append(text + (f" (offset {offset} line{'s' if abs(offset) != 1 else ''})" if offset else "") + ".")
        if fuzz:
            old, new = old[fuzz : len(old) - fuzz], new[fuzz : len(new) - fuzz]
        lines[place + fuzz : place + fuzz + len(old)] = new
        shift += len(new) - len(old) + offset
    return lines, failed, said


def _reverse(change: Change) -> Change:
    swap = {"+": "-", "-": "+"}
    hunks = []
    for hunk in change.hunks:
        turned = [swap.get(line[0], line[0]) + line[1:] for line in hunk.lines]
        hunks.append(Hunk(hunk.start, turned))
    return Change(change.new, change.old, hunks)


def patch(call: Call) -> Code:
    """`patch [-p N] [-R] [-N] [-b] [--dry-run] [-d dir] [-o out] [-i patch] [file [patch]]`."""
    options, names = parse(
        call,
        "p:i:RNbd:o:sfut",
        "strip=p input=i reverse:R forward:N backup:b directory=d output=o silent:s quiet:s dry-run force:f unified:u",
        code=2,
    )
    if "d" in options:
        call.proc.cwd = call.path(options["d"])
    source = options.get("i") or (names[1] if len(names) > 1 else "")
    if source and source != "-" and not call.exists(source):
        call.err(f"patch: **** Can't open patch file {source} : No such file or directory\n")
        return 2
    text = (call.read_file(source) if source and source != "-" else (yield from call.read())).decode("utf-8", "surrogateescape")
    try:
        changes = read(text)
    except Malformed as bad:
        call.err(f"patch: **** {bad}\n")
        return 2
    if not changes:
        call.err("patch: **** Only garbage was found in the patch input.\n")
        return 2
    level = int(options["p"]) if options.get("p", "").isdigit() else None
    code = 0
    for change in changes:
        code = max(code, _one(call, _reverse(change) if "R" in options else change, names, level, options))
    return code


def _target(call: Call, change: Change, names: list[str], level: int | None) -> str:
    if names:
        return names[0]
    candidates = [_strip(name, level) for name in (change.old, change.new) if name]
    real = [name for name in candidates if name != "/dev/null"]
    return next((name for name in real if call.exists(name)), real[-1] if change.old == "/dev/null" and real else "")


def _one(call: Call, change: Change, names: list[str], level: int | None, options: dict[str, str]) -> int:
    name = _target(call, change, names, level)
    if not name:
        call.err(
            "can't find file to patch at input line 3\nPerhaps you should have used the -p or --strip option?\nSkip this patch? [y] \nSkipping patch.\n"
        )
        return 1
    before = call.read_file(name).decode("utf-8", "surrogateescape") if call.exists(name) else ""
    lines = before.split("\n")
    ended = not before or before.endswith("\n")
    if ended:
        lines.pop()
    dry = "dry-run" in options
    if "s" not in options:
        call.out(f"{'checking' if dry else 'patching'} file {options.get('o', name)}\n")
    whole = _apply(call, change, list(lines))
    if len(whole[1]) == len(change.hunks) and not _apply(call, _reverse(change), list(lines))[1]:
        call.out("Reversed (or previously applied) patch detected!  Assume -R? [n] \nApply anyway? [n] \nSkipping patch.\n")
        count = len(change.hunks)
        call.out(f"{count} out of {count} hunk{'s' if count != 1 else ''} ignored -- saving rejects to file {name}.rej\n")
        return 1
    made, failed, said = whole
    for line in said:
        call.out(line + "\n")
    last = change.hunks[-1].lines
    bare = len(last) > 1 and last[-1].startswith("\\") and last[-2][:1] in ("+", " ")
    body = "\n".join(made) + ("" if bare or (not ended and not last[-1].startswith("\\")) or not made else "\n")
    if failed:
        text = f"{len(failed)} out of {len(change.hunks)} hunk{'s' if len(change.hunks) != 1 else ''} FAILED"
        call.out(text + ("\n" if dry else f" -- saving rejects to file {name}.rej\n"))
    if dry:
        return int(bool(failed))
    if "b" in options or failed:
        call.write_file(name + ".orig", before.encode("utf-8", "surrogateescape"))
    if failed:
        rejected = [change.hunks[n - 1] for n in failed]
        rej = "".join(_header(hunk) + "".join(line + "\n" for line in hunk.lines) for hunk in rejected)
        call.write_file(name + ".rej", f"--- {change.old}\n+++ {change.new}\n{rej}".encode("utf-8", "surrogateescape"))
    if len(failed) < len(change.hunks):
        if change.new == "/dev/null" and not made:
            call.tree.remove(call.path(name))
        else:
            call.write_file(options.get("o", name), body.encode("utf-8", "surrogateescape"))
    return int(bool(failed))


def _header(hunk: Hunk) -> str:
    return f"@@ -{hunk.start},{len(hunk.side('-'))} +{hunk.start},{len(hunk.side('+'))} @@\n"
