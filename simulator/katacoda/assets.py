"""Assets: which files of `assets/` a glob means, and where on a host each goes."""

from __future__ import annotations

import posixpath
import re


def pattern(glob: str) -> re.Pattern[str]:
    """A glob of an asset: `*` and `?` stay inside a folder, `**` goes through any number of them, `[…]` and `{a,b}` as usual."""
    out, at = "", 0
    glob = glob.removeprefix("./").lstrip("/")
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**/", at):
            out, at = out + r"(?:[^/]+/)*", at + 3
            continue
        if glob.startswith("**", at):
            out, at = out + r".*", at + 2
            continue
        if char == "*":
            out += r"[^/]*"
        elif char == "?":
            out += r"[^/]"
        elif char == "{" and "}" in glob[at:]:
            end = glob.index("}", at)
            out += "(?:" + "|".join(re.escape(part) for part in glob[at + 1 : end].split(",")) + ")"
            at = end
        elif char == "[" and "]" in glob[at + 1 :]:
            end = glob.index("]", at + 1)
            inside = glob[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out += "[" + ("^" + inside[1:] if inside[:1] in "!^" else inside) + "]"
            at = end
        else:
            out += re.escape(char)
        at += 1
    return re.compile(out)


def select(names: list[str], glob: str) -> list[tuple[str, str]]:
    """(name, path below the target) of each asset that a glob means.

    What the glob names itself is put by its file name; what wildcards find keeps the folders from the first wildcard on.
    """
    if glob.endswith("/"):
        glob += "**"
    plain = glob.removeprefix("./").lstrip("/")
    if plain in names:
        return [(plain, posixpath.basename(plain))]
    first = re.search(r"[*?\[{]", plain)
    if first is None:  # a folder's name means all that is in it
        return [(name, name[len(posixpath.dirname(plain)) :].lstrip("/")) for name in names if name.startswith(plain + "/")]
    fixed = plain[: first.start()].rpartition("/")[0]
    compiled = pattern(plain)
    return [(name, name[len(fixed) :].lstrip("/")) for name in sorted(names) if compiled.fullmatch(name)]


def mode_of(chmod: str, mode: int = 0o644) -> int:
    """The mode that `chmod` makes of a file's; raises ValueError for one that cannot be read."""
    for part in chmod.split(","):
        part = part.strip()
        if re.fullmatch(r"[0-7]{3,4}", part):
            mode = int(part, 8)
            continue
        found = re.fullmatch(r"([ugoa]*)([-+=])([rwxX]*)", part)
        if found is None:
            raise ValueError(f"chmod {chmod!r} cannot be read")
        who, sign, what = found[1], found[2], found[3]
        bits = sum({"r": 4, "w": 2, "x": 1, "X": 1}[c] for c in set(what.replace("X", "x")))
        places = {"u": 6, "g": 3, "o": 0}
        mask = 0
        for one in who if who and "a" not in who else "ugo":
            # without a `who` the umask (022) keeps write from group and others
            allowed = bits & ~2 if not who and one != "u" else bits
            mask |= allowed << places[one]
        if sign == "+":
            mode |= mask
        elif sign == "-":
            mode &= ~mask
        else:
            mode = mask
    return mode
