"""`commit`, `log`, `show`, `diff`, `tag`, `reflog`, `rev-parse` and the small looks into history."""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from ...kernel.clock import to_datetime
from . import difference
from .difference import BOLD, GREEN, RED, RESET, YELLOW, Change
from .options import Options
from .status import long
from .store import NULL, Commit, Failed, Repository, fatal, ident, setting
from .worktree import changed, hashed, inside, matching, staged, unmerged, write_index

Code = Generator[Wait, Any, int]


# -- making ---------------------------------------------------------------------------------------------------------------
def make(repo: Repository, tree: str, parents: list[str], message: str, author: str = "") -> str:
    """Keep a commit; its name."""
    who = author or ident(repo, "AUTHOR")
    rows = [f"tree {tree}", *(f"parent {sha}" for sha in parents), f"author {who}", f"committer {ident(repo, 'COMMITTER')}", ""]
    return repo.put("commit", ("\n".join(rows) + "\n" + message).encode("utf-8", "surrogateescape"))


def cleaned(text: str, *, comments: bool = True) -> str:
    """A message without ends of lines and empty lines around it, nor (`comments`: it comes from an editor) its comments."""
    lines = [line.rstrip() for line in text.split("\n") if not (comments and line.startswith("#"))]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n") + "\n" if any(lines) else ""


def commit(repo: Repository, options: Options) -> Code:
    """`git commit [-a] [-m TEXT]… [-F FILE] [--amend] [--no-edit] [--allow-empty] [-q] [PATH…]`."""
    call = repo.call
    if unmerged(repo) and not options.has("a", "all"):
        names = "".join(f"U\t{path}\n" for path in sorted(unmerged(repo)))
        raise Failed(
            f"{names}error: Committing is not possible because you have unmerged files.\n"
            "hint: Fix them up in the work tree, and then use 'git add/rm <file>'\n"
            "hint: as appropriate to mark resolution and make a commit.\nfatal: Exiting because of an unresolved conflict."
        )
    index = staged(repo)
    only = [path for word in [*options.rest, *(options.paths or [])] for path in matching(set(index), inside(repo, word))]
    if (options.rest or options.paths) and not only:
        raise Failed(f"error: pathspec '{[*options.rest, *(options.paths or [])][0]}' did not match any file(s) known to git", 1)
    for path in changed(repo, index) if options.has("a", "all") else only:
        entry = hashed(repo, path, keep=True)
        index.pop(path) if entry is None else index.__setitem__(path, entry)
    whole = index
    if only:  # what else is staged stays so
        index = {**repo.files(repo.head), **{path: whole[path] for path in only if path in whole}}
        index = {path: entry for path, entry in index.items() if path in whole or path not in only}
    if options.has("a", "all") or only:
        write_index(repo, list(whole.values()))
    amend, head = options.has("amend"), repo.head
    if amend and not head:
        raise fatal("You have nothing to amend.")
    merging = (repo.read("MERGE_HEAD") or b"").decode().split()
    parents = repo.commit(head).parents if amend else [sha for sha in [head, *merging] if sha]
    before = repo.files(parents[0]) if parents else {}
    tree = repo.put_tree(index)
    if (
        not amend
        and not merging
        and not options.has("allow-empty")
        and (not index or tree == (repo.commit(head).tree if head else ""))
        and (index == before or tree == (repo.commit(head).tree if head else ""))
    ):
        call.out(long(repo, none="Initial commit"))
        return 1
    author = options.value("author")
    who = ident(repo, "AUTHOR")
    if author:
        if not re.fullmatch(r".+ <.*>", author):
            raise fatal(f"--author '{author}' is not 'Name <email>' and matches no existing author")
        who = f"{author} {' '.join(who.split()[-2:])}"
    if amend:
        who = repo.commit(head).author
    ident(repo, "COMMITTER")
    message = yield from _message(repo, options, amend)
    if not message and not options.has("allow-empty-message"):
        raise Failed("Aborting commit due to empty commit message.", 1)
    sha = make(repo, tree, parents, message, who)
    kind = " (amend)" if amend else " (merge)" if merging else " (initial)" if not head else ""
    repo.set_ref("HEAD", sha, f"commit{kind}: {repo.commit(sha).subject}")
    for name in ("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
        repo.remove(name)
    if not options.has("q", "quiet"):
        call.out(told(repo, sha, root=not parents, merge=len(parents) > 1, dated=amend))
    return 0


def told(repo: Repository, sha: str, *, root: bool = False, merge: bool = False, dated: bool = False) -> str:
    """What a commit prints of itself."""
    one = repo.commit(sha)
    found = difference.renamed(difference.changes(repo, repo.files(one.parents[0]) if one.parents else {}, repo.files(sha)))
    head = f"[{repo.branch or 'detached HEAD'}{' (root-commit)' if root else ''} {repo.short(sha)}] {one.subject}\n"
    head += f" Date: {date(one.author)}\n" if dated else ""
    return head + ("" if merge or not found else difference.totals(found) + difference.summary(found))


def _message(repo: Repository, options: Options, amend: bool) -> Generator[Wait, Any, str]:
    call = repo.call
    if options.has("m", "message"):
        return cleaned("\n\n".join(options.all("m", "message")), comments=False)
    if options.has("F", "file"):
        name = options.value("F", "file")
        data = (yield from call.read()) if name == "-" else call.read_file(name)
        return cleaned(data.decode("utf-8", "surrogateescape"), comments=False)
    old = repo.commit(repo.head).message if amend else (repo.read("MERGE_MSG") or b"").decode("utf-8", "surrogateescape")
    if options.has("C", "reuse-message"):
        old = repo.commit(repo.need(options.value("C", "reuse-message"))).message
    if options.has("no-edit") or options.has("C", "reuse-message"):
        return cleaned(old, comments=False)
    notes = "# Please enter the commit message for your changes. Lines starting\n# with '#' will be ignored, and an empty message aborts the commit.\n#\n"
    notes += "".join(f"# {line}".rstrip() + "\n" for line in long(repo).splitlines())
    repo.write("COMMIT_EDITMSG", f"{old.rstrip()}\n{notes}".encode("utf-8", "surrogateescape"))
    return cleaned((yield from edited(repo, "COMMIT_EDITMSG")))


def edited(repo: Repository, name: str) -> Generator[Wait, Any, str]:
    """A file of the repository after the user's editor has had it."""
    call = repo.call
    editor = (
        call.env.get("GIT_EDITOR")
        or setting(call, repo, "core.editor")
        or call.env.get("VISUAL")
        or call.env.get("EDITOR")
        or "nano"
    )
    if not call.stdin_tty and editor in ("nano", "vi", "vim"):
        call.err(f"error: there was a problem with the editor '{editor}'\n")
        raise Failed("Please supply the message using either -m or -F option.", 1)
    code = yield from call.run([*shlex.split(editor), f"{repo.git}/{name}"])
    if code:
        call.err(f"error: there was a problem with the editor '{editor}'\n")
        raise Failed("Please supply the message using either -m or -F option.", 1)
    return (repo.read(name) or b"").decode("utf-8", "surrogateescape")


# -- showing --------------------------------------------------------------------------------------------------------------
def date(text: str, style: str = "") -> str:
    """The time of an author or committer line: `Mon Nov 2 09:00:00 2026 +0000`."""
    seconds, zone = int(text.split()[-2]), text.split()[-1]
    when = to_datetime((seconds + (1 if zone[0] == "+" else -1) * (int(zone[1:3]) * 3600 + int(zone[3:5]) * 60)) * 10**9)
    if style in ("iso", "iso8601"):
        return f"{when:%Y-%m-%d %H:%M:%S} {zone}"
    if style in ("iso-strict", "iso8601-strict"):
        return f"{when:%Y-%m-%dT%H:%M:%S}{zone[:3]}:{zone[3:]}"
    if style == "short":
        return f"{when:%Y-%m-%d}"
    return f"{when:%a %b} {when.day} {when:%H:%M:%S %Y} {zone}"


def ago(repo: Repository, text: str) -> str:
    """`5 minutes ago` (date.c: show_date_relative)."""
    gone = repo.call.world.wall // 10**9 - int(text.split()[-2])
    if gone < 90:
        return f"{gone} second{'s' * (gone != 1)} ago"
    for size, unit, most in (
        (60, "minute", 90),
        (3600, "hour", 36),
        (86400, "day", 14),
        (604800, "week", 10),
        (2592000, "month", 12),
    ):
        count = (gone + size // 2) // size
        if count < most:
            return f"{count} {unit}{'s' * (count != 1)} ago"
    return f"{gone // 31536000} years ago"


def decorations(repo: Repository) -> dict[str, list[str]]:
    """What points at each commit: `HEAD -> main`, `tag: v1`, `origin/main`."""
    out: dict[str, list[str]] = {}
    branch = repo.branch if repo.symbolic() else ""
    if repo.head:
        out[repo.head] = [f"HEAD -> {branch}"] if branch else ["HEAD"]
    for name, sha in sorted(repo.refs("refs/tags/").items(), reverse=True):
        out.setdefault(repo.commit(sha).sha if sha else "", []).append(f"tag: {name}")
    for name, sha in sorted(repo.refs("refs/remotes/").items(), reverse=True):
        out.setdefault(sha, []).append(name)
    for name, sha in sorted(repo.refs("refs/heads/").items(), reverse=True):
        if name != branch:
            out.setdefault(sha, []).append(name)
    return out


def _decorated(marks: list[str], colour: bool) -> str:
    if not marks:
        return ""
    if not colour:
        return f" ({', '.join(marks)})"
    shown = []
    for mark in marks:
        if mark.startswith("HEAD -> "):
            shown.append(f"\x1b[1;36mHEAD -> {RESET}\x1b[1;32m{mark[8:]}{RESET}")
        else:
            code = (
                "\x1b[1;33m"
                if mark.startswith("tag: ")
                else "\x1b[1;31m"
                if "/" in mark
                else "\x1b[1;36m"
                if mark == "HEAD"
                else "\x1b[1;32m"
            )
            shown.append(f"{code}{mark}{RESET}")
    comma = f"{YELLOW}, {RESET}"
    return f" {YELLOW}({RESET}{comma.join(shown)}{YELLOW}){RESET}"


def formatted(repo: Repository, one: Commit, style: str, marks: list[str], colour: bool, when: str = "") -> str:
    """A commit in one of log's forms: `medium`, `oneline`, `short`, `full`, `fuller`, `format:…`."""
    yellow, reset = (YELLOW, RESET) if colour else ("", "")
    if style.startswith(("format:", "tformat:")) or "%" in style:
        return _placed(repo, one, style.removeprefix("t").removeprefix("format:"), marks, when)
    if style in ("oneline", "oneline-full"):
        name = repo.short(one.sha) if style == "oneline" else one.sha
        return f"{yellow}{name}{reset}{_decorated(marks, colour)} {one.subject}\n"
    out = f"{yellow}commit {one.sha}{reset}{_decorated(marks, colour)}\n"
    if len(one.parents) > 1:
        out += f"Merge: {' '.join(repo.short(sha) for sha in one.parents)}\n"
    author, committer = (text.rsplit(" ", 2)[0] for text in (one.author, one.committer))
    if style == "full":
        out += f"Author: {author}\nCommit: {committer}\n"
    elif style == "fuller":
        out += f"Author:     {author}\nAuthorDate: {date(one.author, when)}\nCommit:     {committer}\nCommitDate: {date(one.committer, when)}\n"
    else:
        shown = ago(repo, one.author) if when == "relative" else date(one.author, when)
        out += f"Author: {author}\n" + ("" if style == "short" else f"Date:   {shown}\n")
    body = one.subject if style == "short" else one.message.rstrip("\n")
    return out + "\n" + "".join(f"    {line}\n" for line in body.split("\n"))


def _placed(repo: Repository, one: Commit, text: str, marks: list[str], when: str) -> str:
    """`--format` with its placeholders."""
    rest = one.message.rstrip("\n").partition("\n\n")[2]
    people: dict[str, str] = {}
    for letter, who in (("a", one.author), ("c", one.committer)):
        name, mail = re.match(r"(.*) <(.*)>", who).groups()  # type: ignore[union-attr]
        people |= {
            f"{letter}n": name, f"{letter}e": mail, f"{letter}d": ago(repo, who) if when == "relative" else date(who, when),
            f"{letter}r": ago(repo, who), f"{letter}i": date(who, "iso"), f"{letter}I": date(who, "iso-strict"), f"{letter}s": date(who, "short"),
            f"{letter}t": who.split()[-2], f"{letter}l": mail.partition("@")[0],
        }  # fmt: skip
    values = {
        "H": one.sha, "h": repo.short(one.sha), "T": one.tree, "t": repo.short(one.tree), "P": " ".join(one.parents),
        "p": " ".join(repo.short(sha) for sha in one.parents), "s": one.subject, "b": rest + "\n" if rest else "", "B": one.message, "n": "\n",
        "d": _decorated(marks, False), "D": ", ".join(marks), "%": "%", "f": re.sub(r"[^\w.]+", "-", one.subject).strip("-"), "as": people["as"], **people,
    }  # fmt: skip
    colours = {
        "red": RED,
        "green": GREEN,
        "yellow": YELLOW,
        "blue": "\x1b[34m",
        "reset": RESET,
        "cyan": "\x1b[36m",
        "bold": BOLD,
        "magenta": "\x1b[35m",
    }

    def value(match: re.Match[str]) -> str:
        if match[1].startswith("C"):
            name = match[1][1:].strip("()").split()
            return "".join(colours.get(part, "") for part in name) if repo.call.stdout_tty else ""
        if match[1].startswith("x"):
            return chr(int(match[1][1:], 16))
        return str(values.get(match[1], match[0]))

    return re.sub(r"%(C\([a-z ]+\)|Cred|Cgreen|Cblue|Creset|x[0-9a-f]{2}|[ac][neditrIsl]|[A-Za-z%])", value, text) + "\n"


LOG_FLAGS = (
    "oneline graph all stat p patch u decorate no-decorate reverse name-only name-status no-merges merges first-parent follow "
    "abbrev-commit number no-color color shortstat branches tags no-pager raw topo-order date-order i no-patch s full-history"
)
LOG_TAKES = "n max-count author grep since after until before skip format S G"
LOG_MAYBE = "pretty date decorate color"


def ordered(repo: Repository, starts: list[str], without: list[str], *, lines: bool = False) -> list[Commit]:
    """Commits reachable from `starts` and not from `without`, the newest first and none before what was made of it.

    With `lines` (--topo-order) one line of history ends before the next begins: a merge's last parent first.
    """
    found = {sha: repo.commit(sha) for sha in repo.ancestors(*starts) - repo.ancestors(*without)}
    waiting = dict.fromkeys(found, 0)
    for one in found.values():
        for parent in one.parents:
            if parent in waiting:
                waiting[parent] += 1
    # of the same second, those that were reached first come first
    ready = [sha for sha in dict.fromkeys([*starts, *found]) if waiting.get(sha) == 0]
    out: list[Commit] = []
    while ready:
        if not lines or not out:
            ready.sort(key=lambda sha: -found[sha].when)
            ready = ready[::-1] if lines else ready
        one = found[ready.pop() if lines else ready.pop(0)]
        out.append(one)
        for parent in one.parents:
            if parent in waiting:
                waiting[parent] -= 1
                if waiting[parent] == 0:
                    ready.append(parent)
    return out


def revisions(repo: Repository, options: Options, default: str = "HEAD") -> tuple[list[str], list[str], list[str]]:
    """(starts, what they leave out, paths) of a log's arguments: `a..b`, `^a`, `--all`, paths."""
    starts, without, paths = [], [], list(options.paths or [])
    for word in options.rest:
        if ".." in word and not word.startswith("."):
            left, right = re.split(r"\.{2,3}", word, maxsplit=1)
            one, other = repo.need(left or "HEAD"), repo.need(right or "HEAD")
            starts.append(other)
            if "..." in word:
                starts.append(one)
                without.append(repo.base(one, other))
            else:
                without.append(one)
        elif word.startswith("^"):
            without.append(repo.need(word[1:]))
        elif repo.find(word) and repo.has(repo.find(word)):
            starts.append(repo.commit(repo.find(word)).sha)
        elif repo.work and (repo.call.exists(word) or word in staged(repo)):
            paths.append(word)
        else:
            repo.need(word)
    if options.has("all", "branches"):
        starts += [*repo.refs("refs/heads/").values()]
        starts += [repo.commit(sha).sha for sha in repo.refs("refs/tags/").values()] if options.has("all") else []
        starts += [*repo.refs("refs/remotes/").values()] if options.has("all") else []
    if not starts:
        if not repo.find(default):
            raise fatal(f"your current branch '{repo.branch}' does not have any commits yet")
        starts = [repo.find(default)]
    return starts, [sha for sha in without if sha], paths


def of_commit(repo: Repository, one: Commit, paths: list[str]) -> list[Change]:
    """What a commit changed (of a merge nothing)."""
    if len(one.parents) > 1:
        return []
    found = difference.renamed(difference.changes(repo, repo.files(one.parents[0]) if one.parents else {}, repo.files(one.sha)))
    specs = [inside(repo, path) for path in paths]
    return [c for c in found if not specs or any(matching([c.path, c.source], spec) for spec in specs)]


def _extra(repo: Repository, one: Commit, options: Options, paths: list[str], colour: bool) -> str:
    wanted = [name for name in ("stat", "p", "patch", "u", "name-only", "name-status", "shortstat") if options.has(name)]
    if not wanted:
        return ""
    found = of_commit(repo, one, paths)
    out = ""
    if options.has("stat"):
        out += difference.stat(found, colour=colour)
    if options.has("shortstat") and found:
        out += difference.totals(found)
    if options.has("name-only"):
        out += "".join(f"{c.path}\n" for c in found)
    if options.has("name-status"):
        out += difference.letters(found)
    if options.has("p", "patch", "u"):
        out += ("\n" if out else "") + difference.patch(repo, found, colour=colour)
    return out


def log(repo: Repository, options: Options) -> int:
    """`git log`."""
    call, colour = repo.call, repo.call.stdout_tty
    starts, without, paths = revisions(repo, options)
    found = ordered(repo, starts, without, lines=options.has("graph", "topo-order"))
    if paths:
        found = [one for one in found if of_commit(repo, one, paths)]
    for name in ("author", "grep"):
        for text in options.all(name):
            flags = re.I if options.has("i") else 0
            found = [one for one in found if re.search(text, one.author if name == "author" else one.message, flags)]
    if options.has("S"):
        found = [one for one in found if any(_holds(c, options.value("S")) for c in of_commit(repo, one, []))]
    if options.has("since", "after", "until", "before"):
        raise Failed("git: log --since and --until: not simulated in Slipway yet", 1)
    if options.has("no-merges"):
        found = [one for one in found if len(one.parents) < 2]
    if options.has("merges"):
        found = [one for one in found if len(one.parents) > 1]
    if options.has("first-parent"):
        line, sha = set(), starts[0]
        while sha:
            line.add(sha)
            sha = next(iter(repo.commit(sha).parents), "")
        found = [one for one in found if one.sha in line]
    found = found[int(options.value("skip", default="0")) :]
    limit = options.value("n", "max-count")
    found = found[: int(limit)] if limit else found
    if options.has("reverse"):
        found.reverse()
    style = options.value("pretty", "format") or ("oneline" if options.has("oneline") else "medium")
    if style == "oneline" and not options.has("oneline") and not options.has("abbrev-commit"):
        style = "oneline-full"
    marks = decorations(repo) if options.value("decorate", default="yes") != "no" and not options.has("no-decorate") else {}
    if (
        not call.stdout_tty
        and not options.has("decorate")
        and style in ("medium", "oneline", "oneline-full", "short", "full", "fuller")
    ):
        marks = {}
    flat = style.startswith("oneline") or "%" in style
    rows: list[tuple[Commit, str]] = []
    for one in found:
        text = formatted(repo, one, style, marks.get(one.sha, []), colour, options.value("date"))
        more = _extra(repo, one, options, paths, colour)
        rows.append((one, text + (("" if flat and not options.has("p") else "\n") + more if more else "")))
    if options.has("graph"):
        from .graph import draw

        call.out(draw(rows, flat))
        return 0
    call.out(("" if flat else "\n").join(text for _, text in rows))
    return 0


def _holds(change: Change, text: str) -> bool:
    needle = text.encode()
    return change.before.count(needle) != change.after.count(needle)


def show(repo: Repository, options: Options) -> int:
    """`git show [OBJECT…]`: a commit with its patch, a tag, a tree's names, a file's content (`REVISION:PATH`)."""
    call, colour = repo.call, repo.call.stdout_tty
    for word in options.rest or ["HEAD"]:
        if ":" in word:
            call.out(of_path(repo, word))
            continue
        if word == "HEAD" and not repo.head:
            raise fatal(f"your current branch '{repo.branch}' does not have any commits yet")
        sha = repo.need(word)
        kind, data = repo.get(sha)
        if kind == "tag":
            head, _, message = data.decode().partition("\n\n")
            rows = dict(line.split(" ", 1) for line in head.split("\n"))
            yellow, reset = (YELLOW, RESET) if colour else ("", "")
            call.out(
                f"{yellow}tag {rows['tag']}{reset}\nTagger: {rows['tagger'].rsplit(' ', 2)[0]}\nDate:   {date(rows['tagger'])}\n\n{message}\n"
            )
        if kind == "tree":
            call.out(
                f"tree {word}\n\n" + "".join(f"{name}{'/' if mode == 0o40000 else ''}\n" for name, mode, _ in repo.rows(sha))
            )
            continue
        if kind == "blob":
            call.out(data)
            continue
        one = repo.commit(sha)
        style = options.value("pretty", "format") or ("oneline" if options.has("oneline") else "medium")
        marks = decorations(repo).get(one.sha, []) if call.stdout_tty and not options.has("no-decorate") else []
        call.out(formatted(repo, one, style, marks, colour, options.value("date")))
        if options.has("s", "no-patch"):
            continue
        if not options.has("stat", "name-only", "name-status", "shortstat"):
            options.given["p"] = [""]
        more = _extra(repo, one, options, options.paths or [], colour)
        call.out(("" if style == "oneline" else "\n") + more if more else "")
    return 0


def of_path(repo: Repository, word: str) -> bytes:
    """The content that `REVISION:PATH` names; `:PATH` is the index's."""
    rev, _, path = word.partition(":")
    found = staged(repo) if not rev else repo.files(repo.need(rev))
    name = inside(repo, path) if path.startswith("./") else path
    if name not in found:
        raise fatal(
            f"path '{path}' does not exist in '{rev}'"
            if rev
            else f"path '{path}' does not exist (neither on disk nor in the index)"
        )
    return repo.blob(found[name].sha)


def diff(repo: Repository, options: Options) -> int:
    """`git diff [--staged] [REVISION [REVISION]] [-- PATH…]`."""
    call = repo.call
    revs, paths = [], list(options.paths or [])
    for word in options.rest:
        if ".." in word and not word.startswith(".") and not call.exists(word):
            left, dots, right = re.match(r"(.*?)(\.{2,3})(.*)", word).groups()  # type: ignore[union-attr]
            one, other = repo.need(left or "HEAD"), repo.need(right or "HEAD")
            revs += [repo.base(one, other) if dots == "..." else one, other]
        elif (
            repo.find(word)
            and repo.has(repo.find(word))
            and not (options.paths is None and call.exists(word) and not repo.full(word))
        ):
            revs.append(repo.find(word))
        elif call.exists(word) or word in staged(repo):
            paths.append(word)
        else:
            repo.need(word)
    working = False
    if len(revs) >= 2:
        old, new = repo.files(revs[0]), repo.files(revs[1])
    elif options.has("staged", "cached"):
        old, new = repo.files(revs[0] if revs else repo.head), staged(repo)
    else:
        index = staged(repo)
        old, working = repo.files(revs[0]) if revs else index, True
        new = {path: entry for path in index if (entry := hashed(repo, path)) is not None}
    found = difference.changes(repo, old, new, working=working)
    if not working:
        found = difference.renamed(found)
    specs = [inside(repo, path) for path in paths]
    found = [c for c in found if not specs or any(matching([c.path], spec) for spec in specs)]
    colour = call.stdout_tty
    if options.has("name-only"):
        call.out("".join(f"{c.path}\n" for c in found))
    elif options.has("name-status"):
        call.out(difference.letters(found))
    elif options.has("stat", "shortstat"):
        call.out(difference.stat(found, colour=colour) if options.has("stat") else difference.totals(found) if found else "")
    elif not options.has("quiet"):
        around = options.value("U", "unified", default="3")
        call.out(difference.patch(repo, found, colour=colour, around=int(around) if around.isdigit() else 3))
        for path in sorted(unmerged(repo)) if working else []:
            call.out(f"* Unmerged path {path}\n")
    return 1 if found and options.has("exit-code", "quiet") else 0


def tag(repo: Repository, options: Options) -> int:
    """`git tag [-a] [-m TEXT] [-d] [-f] [-l PATTERN] [-n] [NAME [COMMIT]]`."""
    import fnmatch

    call, have = repo.call, repo.refs("refs/tags/")
    if options.has("d", "delete"):
        for name in options.rest:
            if name not in have:
                raise Failed(f"error: tag '{name}' not found.", 1)
            repo.delete_ref(f"refs/tags/{name}")
            call.out(f"Deleted tag '{name}' (was {repo.short(have[name])})\n")
        return 0
    if not options.rest or options.has("l", "list"):
        for name in sorted(have):
            if not options.rest or any(fnmatch.fnmatchcase(name, one) for one in options.rest):
                kind, data = repo.get(have[name])
                text = data.decode().partition("\n\n")[2].split("\n")[0] if kind == "tag" else repo.commit(have[name]).subject
                call.out(f"{name:15} {text}\n" if options.has("n") else f"{name}\n")
        return 0
    name = options.rest[0]
    if name in have and not options.has("f", "force"):
        raise fatal(f"tag '{name}' already exists")
    if not re.fullmatch(r"[\w][\w./+-]*", name) or ".." in name:
        raise fatal(f"'{name}' is not a valid tag name.")
    where = options.rest[1] if len(options.rest) > 1 else "HEAD"
    sha = repo.find(where)
    if not sha:
        raise fatal(f"Failed to resolve '{where}' as a valid ref.")
    if options.has("a", "annotate", "m", "message", "s", "sign"):
        if not options.has("m", "message"):
            raise Failed("git: tag -a without -m: not simulated in Slipway yet", 1)
        message = cleaned("\n\n".join(options.all("m", "message")))
        sha = repo.put("tag", f"object {sha}\ntype commit\ntag {name}\ntagger {ident(repo, 'COMMITTER')}\n\n{message}".encode())
    repo.write(f"refs/tags/{name}", f"{sha}\n".encode())
    if name in have and have[name] != sha:
        call.out(f"Updated tag '{name}' (was {repo.short(have[name])})\n")
    return 0


def reflog(repo: Repository, options: Options) -> int:
    """`git reflog [show] [REF]`."""
    words = [word for word in options.rest if word != "show"]
    name = words[0] if words else "HEAD"
    marks = decorations(repo) if repo.call.stdout_tty else {}
    for n, (sha, why) in enumerate(repo.logged(repo.full(name) or name)):
        if sha != NULL:
            repo.call.out(f"{repo.short(sha)}{_decorated(marks.get(sha, []), False)} {name}@{{{n}}}: {why}\n")
    return 0


def blame(repo: Repository, options: Options) -> int:
    """`git blame FILE`: the commit that each line came with."""
    words = [*options.rest, *(options.paths or [])]
    if len(words) != 1:
        raise Failed("usage: git blame [<options>] [<rev-opts>] [<rev>] [--] <file>", 129)
    path = inside(repo, words[0])
    if path not in repo.files(repo.head):
        raise fatal(f"no such path '{path}' in HEAD")
    chain: list[str] = []
    sha = repo.head
    while sha:
        chain.append(sha)
        sha = next(iter(repo.commit(sha).parents), "")
    lines: list[tuple[str, str]] = []
    from ...shell.coreutils.common import text_lines
    from ...shell.coreutils.diff import compare

    for one in reversed(chain):
        entry = repo.files(one).get(path)
        data = repo.blob(entry.sha) if entry is not None else b""
        rows = text_lines(data)
        old = [text for _, text in lines]
        new: list[tuple[str, str]] = []
        for kind, i1, i2, j1, j2 in compare(
            old, rows, [b"\n".join(t.encode("utf-8", "surrogateescape") for t in old) + b"\n" if old else b"", data]
        ):
            new += lines[i1:i2] if kind == "equal" else [(one, text) for text in rows[j1:j2]]
        lines = new
    who = {sha: re.match(r"(.*) <", repo.commit(sha).author)[1] for sha, _ in lines}  # type: ignore[index]
    width, digits = max((len(name) for name in who.values()), default=0), len(str(len(lines)))
    for n, (sha, text) in enumerate(lines, 1):
        mark = f"^{sha[:7]}" if not repo.commit(sha).parents else sha[:8]
        repo.call.out(f"{mark} ({who[sha]:{width}} {date(repo.commit(sha).author, 'iso')} {n:{digits}}) {text}\n")
    return 0
