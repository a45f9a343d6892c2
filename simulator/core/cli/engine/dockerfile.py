"""Dockerfiles: instructions with their lines, stages, variables (moby/buildkit `frontend/dockerfile/{parser,instructions,shell}`)."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import msgspec

KNOWN = (
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL",
    "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
)  # fmt: skip


class DockerfileError(Exception):
    """A Dockerfile that cannot be parsed; `line` is where (0: nowhere)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class Instruction(msgspec.Struct):
    """One instruction: its name in capitals, flags (`--from=…`), the text after them, the JSON array it may be, and its lines."""

    name: str
    text: str
    first: int
    last: int
    flags: list[tuple[str, str]] = []
    array: list[str] | None = None
    heredocs: list[tuple[str, str]] = []
    written: str = ""

    def flag(self, name: str) -> str:
        """The value of a flag, "" when it is absent."""
        return next((value for key, value in self.flags if key == name), "")

    @property
    def source(self) -> str:
        """The instruction in one line, as progress displays show it."""
        return f"{self.written or self.name} {self._rest()}".strip()

    def _rest(self) -> str:
        flags = " ".join(f"--{key}={value}" if value else f"--{key}" for key, value in self.flags)
        return f"{flags} {self.text}".strip()


class Stage(NamedTuple):
    """A stage: its base, its name ("" when it has none), its instructions after FROM, and the FROM."""

    base: str
    name: str
    body: list[Instruction]
    head: Instruction


def _logical(text: str) -> list[tuple[str, int, int, list[tuple[str, str]]]]:
    """Lines with continuations joined and heredocs taken out: (text, first line, last line, heredocs)."""
    lines = text.split("\n")
    escape = "\\"
    out: list[tuple[str, int, int, list[tuple[str, str]]]] = []
    at = 0
    for line in lines:
        match = re.match(r"#\s*(\w+)\s*=\s*(\S+)\s*$", line)
        if match is None:
            break
        if match[1].lower() == "escape":
            escape = match[2]
    while at < len(lines):
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        first = at
        parts: list[str] = []
        while at < len(lines):
            line = lines[at].strip("\r")
            if parts and (line.lstrip().startswith("#") or not line.strip()):
                at += 1
                continue
            body = line.rstrip()
            at += 1
            if body.endswith(escape):
                parts.append(body[:-1])
                continue
            parts.append(body)
            break
        joined = "".join(
            part if n == 0 else part.lstrip() if not parts[n - 1].strip() else part for n, part in enumerate(parts)
        ).strip()
        docs: list[tuple[str, str]] = []
        if re.match(r"(?i)(RUN|COPY|ADD)\b", joined):
            for dash, quote, word in re.findall(r"(?<!<)<<(-?)(['\"]?)(\w+)\2", joined):
                body_lines = []
                while at < len(lines) and (lines[at].lstrip("\t") if dash else lines[at]) != word:
                    body_lines.append(lines[at].lstrip("\t") if dash else lines[at])
                    at += 1
                if at >= len(lines):
                    raise DockerfileError(f"unterminated heredoc {word}", first + 1)
                at += 1
                docs.append((word + ("'" if quote else ""), "".join(line + "\n" for line in body_lines)))
        out.append((joined, first + 1, at, docs))
    return out


def instruction(text: str, first: int, last: int = 0, heredocs: list[tuple[str, str]] | None = None) -> Instruction:
    """One instruction of a logical line; raises DockerfileError."""
    word, _, rest = text.partition(" ") if " " in text else (text.partition("\t")[0], "", text.partition("\t")[2])
    name = word.upper()
    last = last or first
    if name not in KNOWN:
        near = _nearest(name)
        raise DockerfileError(f"unknown instruction: {word}" + (f" (did you mean {near}?)" if near else ""), first)
    rest = rest.strip()
    flags: list[tuple[str, str]] = []
    if name in ("ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"):
        while rest.startswith("--"):
            flag, _, rest = rest.partition(" ")
            key, _, value = flag[2:].partition("=")
            flags.append((key, value.strip("\"'")))
            rest = rest.strip()
        _check_flags(name, flags, first)
    found = Instruction(name, rest, first, last, flags, _array(rest), list(heredocs or []), word)
    _check(found)
    return found


_FLAGS = {
    "ADD": ("chown", "chmod", "link", "keep-git-dir", "checksum", "exclude", "unpack"), "COPY": ("from", "chown", "chmod", "link", "parents", "exclude"), "FROM": ("platform",),
    "HEALTHCHECK": ("interval", "timeout", "start-period", "start-interval", "retries"), "RUN": ("mount", "network", "security", "device"),
}  # fmt: skip


def _check_flags(name: str, flags: list[tuple[str, str]], line: int) -> None:
    for key, _ in flags:
        if key not in _FLAGS[name]:
            raise DockerfileError(f"unknown flag: --{key}", line)


def _nearest(name: str) -> str:
    from ..cobra import levenshtein

    near = min(KNOWN, key=lambda known: (levenshtein(name, known), known))
    return near if len(name) > 2 and levenshtein(name, near) <= 2 else ""


def _array(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return [str(item) for item in found] if isinstance(found, list) and all(isinstance(item, str) for item in found) else None


def _check(one: Instruction) -> None:
    """What each instruction needs (`instructions/parse.go`)."""
    words = one.text.split()
    name = one.name
    if not words and name not in ("CMD", "ENTRYPOINT") and not one.heredocs:
        if name in ("FROM",):
            raise DockerfileError("FROM requires either one or three arguments", one.first)
        if name in ("ENV", "LABEL", "ARG", "EXPOSE", "VOLUME", "RUN", "HEALTHCHECK", "ONBUILD"):
            raise DockerfileError(f"{name} requires at least one argument", one.first)
        if name in ("ADD", "COPY"):
            raise DockerfileError(
                f"{name} requires at least two arguments, but only one was provided. Destination could not be determined",
                one.first,
            )
        raise DockerfileError(f"{name} requires exactly one argument", one.first)
    if name == "FROM" and not (len(words) == 1 or (len(words) == 3 and words[1].lower() == "as")):
        raise DockerfileError("FROM requires either one or three arguments", one.first)
    if name in ("ADD", "COPY") and len(one.array if one.array is not None else words) < 2:
        raise DockerfileError(
            f"{name} requires at least two arguments, but only one was provided. Destination could not be determined", one.first
        )
    if name in ("ENV", "LABEL") and len(words) == 1 and "=" not in words[0]:
        raise DockerfileError(f"{name} must have two arguments", one.first)
    if name == "ONBUILD" and words[0].upper() in ("ONBUILD", "FROM", "MAINTAINER"):
        what = (
            "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"
            if words[0].upper() == "ONBUILD"
            else f"{words[0].upper()} isn't allowed as an ONBUILD trigger"
        )
        raise DockerfileError(what, one.first)
    if name == "SHELL" and one.array is None:
        raise DockerfileError("SHELL requires the arguments to be in JSON form", one.first)
    if name == "HEALTHCHECK" and words[0].upper() not in ("CMD", "NONE"):
        raise DockerfileError(f'unknown type "{words[0].upper()}" in HEALTHCHECK (try CMD)', one.first)


def parse(text: str) -> tuple[list[Instruction], list[Stage]]:
    """(ARGs before the first FROM, stages); raises DockerfileError."""
    before: list[Instruction] = []
    stages: list[Stage] = []
    rows = _logical(text)
    if not rows:
        raise DockerfileError("file with no instructions")
    for line, first, last, docs in rows:
        one = instruction(line, first, last, docs)
        if one.name == "FROM":
            words = one.text.split()
            name = words[2] if len(words) == 3 else ""
            if name and not re.fullmatch(r"[a-z][a-z0-9-_.]*", name.lower()):
                raise DockerfileError(
                    f'invalid name for build stage: "{name}", name can\'t start with a number or contain symbols', first
                )
            stages.append(Stage(words[0], name.lower(), [], one))
        elif not stages:
            if one.name != "ARG":
                raise DockerfileError("no build stage in current context", first)
            before.append(one)
        else:
            stages[-1].body.append(one)
    if not stages:
        raise DockerfileError("file with no instructions" if not before else "no build stage in current context")
    return before, stages


# -- variables and words --------------------------------------------------------------------------------------------------
_VARIABLE = re.compile(r"\\\$|\$(\w+)|\$\{(\w+)(?:(:?[-+?])([^}]*))?\}")


def expand(text: str, env: dict[str, str]) -> str:
    """`$name`, `${name:-default}`, `${name:+other}`; single quotes keep what they hold."""

    def one(match: re.Match[str]) -> str:
        if match[0] == "\\$":
            return "$"
        name = match[1] or match[2]
        value = env.get(name)
        operator, word = match[3] or "", match[4] or ""
        there = value is not None and (not operator.startswith(":") or value != "")
        if operator.endswith("-"):
            return value if there and value is not None else expand(word, env)
        if operator.endswith("+"):
            return expand(word, env) if there else ""
        if operator.endswith("?") and not there:
            raise DockerfileError(f'failed to process "{text}": {name}: {word or "not allowed to be unset"}')
        return value or ""

    parts = re.split(r"('[^']*')", text)
    return "".join(
        part if part.startswith("'") and part.endswith("'") and len(part) > 1 else _VARIABLE.sub(one, part) for part in parts
    )


def words(text: str) -> list[str]:
    """Words split at blanks outside quotes, quotes removed."""
    out: list[str] = []
    current, quote, started = "", "", False
    at = 0
    while at < len(text):
        char = text[at]
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and at + 1 < len(text) and text[at + 1] in '"\\$':
                current += text[at + 1]
                at += 1
            else:
                current += char
        elif char in "'\"":
            quote, started = char, True
        elif char == "\\" and at + 1 < len(text):
            current += text[at + 1]
            at += 1
        elif char.isspace():
            if current or started:
                out.append(current)
            current, started = "", False
        else:
            current += char
        at += 1
    if current or started:
        out.append(current)
    return out


def pairs(text: str) -> list[tuple[str, str]]:
    """`k=v k2="v 2"`, or the old `k v`."""
    found = words(text)
    if "=" not in text.split(None, 1)[0]:
        key, _, value = text.partition(" ")
        return [(key, value.strip())]
    return [(word.partition("=")[0], word.partition("=")[2]) for word in found]
