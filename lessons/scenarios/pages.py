"""A scenario's Markdown as a lesson's: clickable commands, copies, files, remarks; what the course cannot show is noted by line."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable

from simulator.katacoda import actions, quizzes
from simulator.katacoda.actions import COPY, EXEC, FILE, Action
from simulator.katacoda.notes import Note

_LANGUAGES = {
    "yaml": "yaml", "yml": "yaml", "json": "json", "bash": "bash", "sh": "bash", "shell": "bash", "zsh": "bash", "console": "console", "ini": "ini",
    "toml": "ini", "go": "go", "golang": "go",
}  # fmt: skip
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_HTML_IMAGE = re.compile(r"<img\b[^>]*>", re.I)
_LINK = re.compile(r"<a\b[^>]*href=[\"']([^\"']*)[\"'][^>]*>(.*?)</a>", re.I | re.S)
_TAG = re.compile(r"</?[A-Za-z][\w-]*(?:\s+[^<>]*)?/?>")
#: Tags that say something Markdown can say.
_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`", "kbd": "`", "tt": "`"}
_SILENT = frozenset(
    "br p div span center font u small sub sup hr h1 h2 h3 h4 h5 h6 table tr td th tbody thead ul ol li blockquote details summary a img pre mark".split()
)


class Page:
    """Turns one text into a lesson's Markdown."""

    def __init__(
        self, file: str, host_of: Callable[[Action], str], fill_in: Callable[[str], str], question: Callable[[quizzes.Quiz], str]
    ) -> None:
        self.file, self.host_of, self.fill_in, self.question = file, host_of, fill_in, question
        #: Whether solutions are left out: the exercise of the step keeps them.
        self.hide_solutions = False
        self.notes: list[Note] = []

    def note(self, line: int, text: str) -> None:
        """Something that did not carry over."""
        self.notes.append(Note(self.file, line, text))

    def convert(self, text: str) -> str:
        """The lesson's text: blocks of actions in place, everything else cleaned of HTML."""
        found = actions.parse(text)
        asked, notes = quizzes.parse(text, self.file)
        self.notes += notes
        blocks = {one.line: one for one in found if not one.inline}
        behind: dict[int, list[Action]] = {}
        for one in found:
            if one.inline and one.kind == EXEC:
                behind.setdefault(one.line, []).append(one)
        quiz_at = {quiz.line: quiz for quiz in asked}
        lines = text.replace("\t", "    ").split("\n")
        out: list[str] = []
        pending: list[Action] = []  # clickable inline commands of the paragraph, shown below it
        number, depth = 1, 0
        while number <= len(lines):
            line = lines[number - 1]
            if self.hide_solutions and not depth and (end := _solution(lines, number)):
                number = end + 1
                continue
            pending += behind.get(number, [])
            if number in quiz_at:
                out += ["", self.question(quiz_at[number]), ""]
                number += 1
                while number <= len(lines) and re.match(r"^\s*(===|=~=|\[[* ]?\]|\([* ]?\))", lines[number - 1]):
                    number += 1
                continue
            fence = re.match(r"^[ \t>]*(?:[-*+]|\d+[.)])?[ \t]*(`{3,}|~{3,})", line)
            pre = re.search(r"<pre\b", line, re.I)
            if fence or pre:
                end = self._end(lines, number, fence[1] if fence else "")
                action = blocks.get(number + 1) if fence else blocks.get(number)
                lead = re.match(r"^[ \t]*([-*+]|\d+[.)])[ \t]+(?=`{3}|~{3})", line)
                if lead:
                    out.append("")
                if action is not None:
                    out += ["", *self._block(action), ""]
                elif pre:
                    body = "\n".join(lines[number - 1 : end])
                    out += ["", *_fenced("text", html.unescape(_TAG.sub("", body)).strip("\n")), ""]
                number = end + 1
                if number <= len(lines) and re.fullmatch(r"\s*\{\{[^{}.\"]*\}\}\s*", lines[number - 1]):
                    number += 1
                continue
            cleaned, depth = self._line(line, number, depth)
            if not cleaned.strip() and pending:
                out += ["", *[row for one in pending for row in (*self._block(one), "")]]
                pending = []
            out.append(cleaned)
            number += 1
        for one in pending:
            out += ["", *self._block(one)]
        if depth:
            out += [""] + [":::"] * min(depth, 1)
        return re.sub(r"\n{3,}", "\n\n", "\n".join(out)).strip("\n") + "\n"

    def _end(self, lines: list[str], number: int, mark: str) -> int:
        """The line on which a block that begins at `number` ends."""
        end = number + 1 if mark else number
        while end <= len(lines):
            line = lines[end - 1]
            if (mark and line.strip(" \t>").startswith(mark)) or (not mark and re.search(r"</pre>", line, re.I)):
                return end
            end += 1
        return len(lines)

    def _block(self, action: Action) -> list[str]:
        text = self.fill_in(action.text).strip("\n")
        if not text.strip():
            return []
        if action.kind == FILE:
            path = action.filename if action.filename.startswith("/") else "~/" + action.filename.removeprefix("~/")
            if action.target in ("insert", "prepend"):
                self.note(action.line, f"data-target={action.target}: written at the end of {action.filename} instead")
            sign = ">" if action.target == "replace" else ">>"
            return self._run(f"cat {sign} {path} <<'END_OF_FILE'\n{text}\nEND_OF_FILE", action)
        if action.kind == EXEC:
            if action.keys or not action.newline:
                self.note(action.line, f"{text!r}: keys cannot be clicked here; it is shown")
                return _fenced("text", text)
            return self._run(text, action)
        if action.kind == COPY:
            return _fenced(f"cmd host={self.host_of(action)}", text)
        return _fenced(_LANGUAGES.get(action.language, "text"), text)

    def _run(self, text: str, action: Action) -> list[str]:
        if action.interrupt:
            self.note(action.line, f"{text.splitlines()[0]!r}: the reader presses Ctrl-C first; a click does not")
        return _fenced(f"run host={self.host_of(action)}", text)

    def _line(self, line: str, number: int, depth: int) -> tuple[str, int]:
        """A line of prose; `depth` is how many <details> are open."""
        before = line
        line = _COMMENT.sub("", line)
        line = re.sub(r"(`+[^`]+`+)\{\{[^{}\n]*\}\}", r"\1", line)
        line = re.sub(r"\[([^\]]*)\]\(\s*\{\{TRAFFIC_SELECTOR\}\}\s*\)", r"\1", line)
        line = self.fill_in(line)
        if _IMAGE.search(line) or _HTML_IMAGE.search(line):
            alt = next((m[1] for m in _IMAGE.finditer(line) if m[1]), "")
            self.note(number, "a picture is left out")
            line = _HTML_IMAGE.sub("", _IMAGE.sub(f"*{alt}*" if alt else "", line))
        codes: list[str] = []

        def keep(match: re.Match[str]) -> str:
            codes.append(match[0])
            return f"\x00{len(codes) - 1}\x00"

        line = re.sub(r"`+[^`]+`+", keep, line)
        opens = len(re.findall(r"<details\b", line, re.I))
        closes = len(re.findall(r"</details>", line, re.I))
        title = re.search(r"<summary[^>]*>(.*?)(?:</summary>|$)", line, re.I)
        prefix = suffix = ""
        if opens and not depth:
            prefix = ":::note " + (_TAG.sub("", title[1]).replace("*", "").strip() if title else "…")[:100] + "\n\n"
        elif title and depth:
            heading = _TAG.sub("", title[1]).replace("*", "").strip()
            prefix = f"**{heading}**\n\n" if heading else ""
        line = re.sub(r"<summary[^>]*>.*?(?:</summary>|$)", "", line, flags=re.I)
        was, depth = depth, max(depth + opens - closes, 0)
        if closes and not depth and (was or opens):
            suffix = "\n\n:::\n"
        line = _LINK.sub(lambda m: f"[{_TAG.sub('', m[2]).strip() or m[1]}]({m[1]})", line)
        for name, sign in _MARKS.items():
            line = re.sub(rf"</?{name}\b[^>]*>", sign, line, flags=re.I)
        unknown = {m[0].strip("</>").split()[0].lower() for m in _TAG.finditer(line)} - _SILENT
        if unknown:
            self.note(number, f"HTML is left out: <{'>, <'.join(sorted(unknown))}>")
        line = _TAG.sub("", line)
        line = re.sub(r"\x00(\d+)\x00", lambda m: codes[int(m[1])], line)
        line = re.sub(r"\[([^\]]*)\]\((?!https?://|mailto:|#)([^)]*)\)", r"\1", line)
        if heading_found := re.match(r"^\s{0,3}(#{1,6})\s*(.*)$", line):
            line = f"### {heading_found[2].rstrip('# ')}" if heading_found[2].strip("# ") else ""
        if re.match(r"^\s*(=+|-{2,})\s*$", line):  # the rule of a heading written with an underline, or a line across
            line = ""
        if line.startswith(":::"):
            line = "\\" + line
        if before.startswith("    ") and not prefix:
            line = line.rstrip()
        return f"{prefix}{line}{suffix}", depth


_SOLUTION = re.compile(
    r"(?i)<summary[^>]*>[^<]*(?:<[^/][^>]*>[^<]*)*(solution|answer|lösung|réponse|solución|해답|정답|풀이|解答|答案)"
)


def _solution(lines: list[str], number: int) -> int:
    """The line on which a `<details>` with a solution that begins at `number` ends; 0 for anything else."""
    if not re.match(r"^\s*<details\b", lines[number - 1], re.I) or not _SOLUTION.search(
        "\n".join(lines[number - 1 : number + 3])
    ):
        return 0
    depth = 0
    for at in range(number, len(lines) + 1):
        depth += len(re.findall(r"<details\b", lines[at - 1], re.I)) - len(re.findall(r"</details>", lines[at - 1], re.I))
        if depth <= 0:
            return at
    return 0


def _fenced(info: str, text: str) -> list[str]:
    mark = "`" * max(3, max((len(m) for m in re.findall(r"`+", text)), default=0) + 1)
    return [f"{mark}{info}", *text.split("\n"), mark]


def slug(text: str, fallback: str = "scenario") -> str:
    """A slug of at most 50 characters."""
    found = re.sub(r"[^a-z0-9]+", "-", posixpath.basename(text.lower())).strip("-")[:50].strip("-")
    return found or fallback
