"""The right commands of a step: what a learner types who knows the answer, taken from the step's own solution.

Scenarios of exam practice say what to do in words and hide the commands in `<details>`, in code without `{{exec}}`, or in the `answer` file.
A manifest among them is written to the file that the commands next to it name, or applied when none does.
"""

from __future__ import annotations

import re

from . import actions
from .actions import COPY, EXEC, FENCE, FILE, Action

SHELL = frozenset({"bash", "sh", "shell", "zsh", "console", "terminal", "shell-session", "bash-session"})
_MAYBE = frozenset({"", "plain", "text", "plaintext", "txt", "none", "powershell", "cmd"})
#: First words that make a block without a language a block of commands.
_COMMANDS = frozenset(
    "k kubectl kubeadm crictl ctr nerdctl docker etcdctl etcdutl systemctl journalctl ssh scp cat echo printf mkdir touch cd ls cp mv rm "
    "curl wget openssl vi vim nano sed awk grep find tar chmod chown ln ps kill sudo apt apt-get export alias source helm kustomize git "
    "jq yq base64 watch sleep for while if until ip iptables ss netstat ping nslookup dig hostname whoami pwd head tail tee exit env "
    "podman buildah trivy kubelet mount umount useradd usermod groupadd su id date df du free uname crontab sysctl modprobe swapoff".split()
)
_PROMPT = re.compile(r"^(?:\$|#|>|[a-z][\w-]*[#$]|[\w.-]+(?:@[\w.-]+)?:?[~/][\w./~-]*\s?[$#])\s+(?=\S)")
#: A prompt that is a machine's name: `master $ `, `node01# `.
_NAMED = re.compile(r"[a-z][\w-]*(?:[#$]|\s\$)\s+(?=\S)")
#: `<pod-name>`, `<POD>` and the like: something that the reader has to fill in.
_BLANK = re.compile(r"<[A-Za-z][A-Za-z0-9_ ./|-]*>|\bYOUR[_-][A-Z]+|\[(?:pod|node|your)[-_ a-zA-Z]*\]")
_FILE_USE = re.compile(r"(?:(?:-f|--filename)[ =]|>\s*|\bvim?\s+|\bnano\s+|\bedit\s+)(['\"]?)([\w./~-]+\.ya?ml)\1")
#: A line of output: a table's head, a message with capitals or a check mark, the row of a table, a rule, `key: value`.
_OUTPUT = re.compile(
    r"\s*(?:[A-Z][A-Z()/%-]+(?:\s{2,}|\s*$)|[✅❌✓✗│├└→-]|[A-Z][a-z]+[ :,.]|[A-Z]{3,}\s+\S|\S+\s{3,}\S"
    r"|[\w./-]+ (?:created|configured|deleted|unchanged)$|\S+:\s|\d|\\\w|[a-z][\w -]*:$|[bcdlps-][rwxsStT-]{9}\b|uid=\d|(?:https?|ftp)://\S+\s*$)"
)
#: A unit's or a program's setting: `ExecStart=/usr/bin/x -v` is no assignment of a shell.
_SETTING = re.compile(r"[A-Z]\w*[a-z]\w*=")
#: A line of a shell block that begins a manifest, and the lines that go on with it.
_MANIFEST, _GOES_ON = re.compile(r"apiVersion:\s*\S"), re.compile(r"$|\s|-\s|---|[A-Za-z][\w.-]*:(?:\s|$)")
_NAMED_FILE = re.compile(r"#\s*(?:[A-Za-z ]+[: ]\s*)?([\w./~-]+\.ya?ml)\s*:?\s*$")
_EDITED = re.compile(r"\s*(?:sudo\s+)?(?:vim?|nano|touch)\s+([\w./~-]+\.ya?ml)\s*$")


#: "Create the file `/root/x.conf`:", "Add this line to `/root/Dockerfile`": what is done, and to which file.
_INTO = re.compile(
    r"(?i)\b(create|write|save|put|make|replace|change|update|edit|modify|set|add|append|insert|paste)\b[^`]*`([~/][\w./~-]*[\w-])`[^`]*[:.]?$"
)
_ADDS = frozenset({"add", "append", "insert"})


def is_command(word: str) -> bool:
    """Whether a word is one of the commands that blocks without a language begin with."""
    return word in _COMMANDS


def unprompted(text: str) -> str:
    """A text to be typed without the prompts that its author left before the commands, and the output below them."""
    first = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return commands(text, "console") if re.match(r"(?:[a-z][\w-]*\s)?\$\s+\S", first) else text


def into(one: Action) -> Action | None:
    """The writing of a block into the file that the line before it names; None when that names none."""
    found = _INTO.search(one.before)
    word = one.text.split()[0] if one.text.split() else ""
    if found is None or one.language in SHELL or word in _COMMANDS or word.startswith("$"):
        return None
    adds = found[1].lower() in _ADDS
    return Action(FILE, one.line, one.text.rstrip("\n") + "\n", filename=found[2], target="append" if adds else "replace")


def commands(text: str, language: str) -> str:
    """A block's commands, without prompts and the output shown below them; "" when it is no block of commands."""
    lines = text.split("\n")
    prompted = [line for line in lines if _PROMPT.match(line.strip()) and not line.strip().startswith("# ")]
    dollar = [line for line in prompted if line.strip().startswith("$ ")]
    if dollar:
        return "\n".join(line.strip()[2:] for line in dollar)
    named = [line.strip() for line in lines if _NAMED.match(line.strip())]
    if named:
        return "\n".join(_NAMED.sub("", line) for line in named)
    if language in SHELL:
        kept = _without_output(lines)
        words = [line.split() for line in kept.split("\n") if line.strip() and not line.strip().startswith("#")]
        # single words, none of them a command that is known: values that a file or an answer holds
        return "" if words and all(len(one) == 1 and one[0] not in _COMMANDS and "/" not in one[0] for one in words) else kept
    if language not in _MAYBE:
        return ""
    first = next((line.strip() for line in lines if line.strip() and not line.strip().startswith("#")), "")
    word = first.split()[0] if first.split() else ""
    return text if word in _COMMANDS or re.fullmatch(r"\w+=\S*", word) else ""


def _without_output(lines: list[str]) -> str:
    """A block without the tables and messages that its commands print, which authors show below them.

    Output begins at a table's head or a message after an empty line, and ends at the next line that begins with a known command.
    """
    kept: list[str] = []
    heredoc, output, before = "", False, ""
    for line in lines:
        bare = line.strip()
        word = bare.split()[0] if bare.split() else ""
        if heredoc:
            kept.append(line)
            heredoc = "" if bare == heredoc else heredoc
            continue
        assigns = bool(re.match(r"[A-Za-z_]\w*=", word)) and not _SETTING.match(word)
        command = word in _COMMANDS or word.startswith(("#", "./", "/")) or assigns
        if output and not command:
            continue
        output = False
        continued = before.endswith(("\\", "|", "&&", "||", "(", "{", "do", "then", "else")) or _open_quote("\n".join(kept))
        if not command and not continued and (_OUTPUT.match(line) or _SETTING.match(bare)):
            output = True
            continue
        kept.append(line)
        before = bare
        if match := re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line):
            heredoc = match[1]
    return "\n".join(kept)


def _open_quote(text: str) -> bool:
    # a quote that is still open holds the next lines
    bare = re.sub(r"\\.|(?<=\s)#[^\n]*", "", text)
    return (bare.count("'") % 2 == 1 and bare.count('"') % 2 == 0) or (bare.count('"') % 2 == 1 and bare.count("'") % 2 == 0)


def parts(text: str) -> list[tuple[str, str]]:
    """A shell block in parts: (commands, "") and (manifest, the file that it belongs into, or "apply").

    Authors put manifests between the commands of a solution, below a comment with the file's name or the editor's command.
    """
    lines = text.split("\n")
    out: list[tuple[str, str]] = []
    pending: list[str] = []
    heredoc, at = "", 0
    while at < len(lines):
        line = lines[at]
        if heredoc or not _MANIFEST.match(line) or _open_quote("\n".join(pending)):
            heredoc = "" if heredoc and line.strip() == heredoc else heredoc
            if not heredoc and (match := re.search(r"<<-?\s*['\"]?(\w+)['\"]?", line)):
                heredoc = match[1]
            pending.append(line)
            at += 1
            continue
        end = at + 1
        while end < len(lines) and _GOES_ON.match(lines[end]):
            end += 1
        name = _file_of(pending, lines[end:])
        if "\n".join(pending).strip():
            out.append(("\n".join(pending), ""))
        pending = []
        out.append(("\n".join(lines[at:end]).rstrip("\n") + "\n", name))
        at = end
    if "\n".join(pending).strip() or not out:
        out.append(("\n".join(pending), ""))
    return out


def _file_of(before: list[str], after: list[str]) -> str:
    """The file of a manifest among commands: named by the comment or the editor's command above it, or used below it."""
    while before and not before[-1].strip():
        before.pop()
    if before and (found := _NAMED_FILE.match(before[-1].strip()) or _EDITED.match(before[-1])):
        before.pop()
        return found[1]
    used = _FILE_USE.search("\n".join(after))
    return used[2] if used else "apply"


def blank(text: str) -> str:
    """The first thing in a command that the reader has to fill in, or ""."""
    bare = re.sub(r"<<-?\s*['\"]?\w+.*", "", text, flags=re.S)  # here-documents may hold what they like
    found = _BLANK.search(re.sub(r"'[^']*'|\"[^\"]*\"", "", bare)) or re.search(r"<[a-z]+-[a-z-]+>", bare)
    return found[0] if found else ""


def is_manifest(text: str) -> bool:
    """Whether a block is a Kubernetes manifest."""
    return bool(re.search(r"^apiVersion:\s*\S", text, re.M) and re.search(r"^kind:\s*\S", text, re.M)) and "kubectl" not in text


def of_page(found: list[Action]) -> list[Action]:
    """The actions to carry out on a page with its solution, in order: everything clickable, and the solution's own blocks."""
    clickable = any(one.kind == EXEC for one in found)
    out: list[Action] = []
    for number, one in enumerate(found):
        if one.kind in (EXEC, FILE):
            out.append(one)
            continue
        if one.kind not in (FENCE, COPY) or one.inline:
            continue
        if one.language == "none":
            continue
        if (clickable and one.kind == COPY) or one.summary or not clickable:
            written = into(one)
            if written is not None and not is_manifest(one.text):
                out.append(written)
                continue
        if clickable and not one.summary and one.language not in SHELL:
            # beside clickable commands, other blocks show output or what something looks like
            if one.kind == COPY and is_manifest(one.text):
                out.append(_manifest(one, found, number))
            elif one.kind == COPY and commands(one.text, one.language):
                out += _as_commands(one)
            continue
        if is_manifest(one.text) and one.language in ("yaml", "yml", "", "plain", "none"):
            out.append(_manifest(one, found, number))
        elif commands(one.text, one.language):
            out += _as_commands(one)
    return out


def _as_commands(one: Action) -> list[Action]:
    """A block's commands, and the manifests among them as files."""
    out: list[Action] = []
    for text, name in parts(one.text):
        if not name:
            found = commands(text, one.language or "bash")
            if found.strip():
                out.append(Action(EXEC, one.line, found, language=one.language, summary=one.summary))
        else:
            out.append(
                Action(
                    FILE,
                    one.line,
                    text,
                    filename="" if name == "apply" else name,
                    target="apply" if name == "apply" else "replace",
                )
            )
    return out


def _manifest(one: Action, found: list[Action], number: int) -> Action:
    """A manifest to be written where the commands around it say, or applied."""
    around = [a for a in found[number + 1 : number + 3] if a.kind in (EXEC, FENCE, COPY)]
    before = [a for a in reversed(found[max(0, number - 2) : number]) if a.kind in (EXEC, FENCE, COPY)]
    for near in (*around, *before):
        if near.inline and near.kind != EXEC:
            continue
        match = _FILE_USE.search(near.text) if not is_manifest(near.text) else None
        if match and not match[2].startswith("/dev"):
            applied = any(re.search(r"(apply|create|replace)\b[^\n]*" + re.escape(match[2]), a.text) for a in around)
            return Action(FILE, one.line, one.text + "\n", filename=match[2], target="replace", marker="" if applied else "apply")
    return Action(FILE, one.line, one.text + "\n", filename="", target="apply")


def of_file(name: str, text: str) -> list[Action]:
    """The actions of a step's `answer` file: a page or a script."""
    if name.endswith((".md", ".markdown")):
        return of_page(actions.parse(text))
    return [Action(EXEC, 1, text, language="bash")]
