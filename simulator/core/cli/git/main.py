"""The command `git`: its own options and the sub-commands' table."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any

from ...host.invocation import Call
from ...host.program import Wait
from . import branching, history, merging, remotes, status, work
from .options import Options
from .store import Failed, Repository, discover, fatal
from .worktree import inside

Code = Generator[Wait, Any, int]
VERSION = "2.43.0"
_BRANCH = (
    "a all r remotes v verbose d delete D m move M l list f force show-current unset-upstream no-color q quiet merged no-merged"
)
_CHECKOUT = "f force q quiet t track no-track detach"
_MERGE = "no-ff ff ff-only squash abort continue no-edit edit q quiet no-commit v verbose allow-unrelated-histories no-stat stat"
_DIFF = "staged cached name-only name-status stat shortstat exit-code quiet no-color color w p patch u no-index no-ext-diff b"
#: Sub-commands of a repository: what does it, flags, options with a value, options whose value is attached.
TABLE: dict[str, tuple[Callable[[Repository, Options], int | Code], str, str, str]] = {
    "add": (work.add, "A all u update n dry-run v verbose f force", "", ""),
    "blame": (history.blame, "s", "", ""),
    "branch": (branching.branch, _BRANCH, "u set-upstream-to contains", "color sort"),
    "checkout": (branching.checkout, _CHECKOUT, "b B orphan", ""),
    "cherry-pick": (lambda repo, options: merging.pick(repo, options), "n no-commit abort continue x", "", ""),
    "clean": (work.clean, "f force n dry-run d x q quiet", "", ""),
    "commit": (
        history.commit, "a all amend no-edit allow-empty allow-empty-message q quiet v verbose s signoff n no-verify",
        "m message F file author C reuse-message date", "",
    ),
    "diff": (history.diff, _DIFF, "U unified", "stat color"),
    "fetch": (remotes.fetch, "all tags p prune q quiet v verbose t", "depth", ""),
    "log": (history.log, history.LOG_FLAGS, history.LOG_TAKES, history.LOG_MAYBE),
    "ls-files": (work.ls_files, "s stage o others m modified d deleted c cached exclude-standard", "", ""),
    "merge": (merging.merge, _MERGE, "m message", ""),
    "mv": (work.mv, "f force v verbose k", "", ""),
    "pull": (remotes.pull, "q quiet v verbose no-rebase r rebase ff ff-only no-ff no-edit tags allow-unrelated-histories", "", ""),
    "push": (remotes.push, "u set-upstream f force tags all d delete q quiet v verbose force-with-lease", "", ""),
    "reflog": (history.reflog, "all", "", ""),
    "reset": (branching.reset, "soft mixed hard q quiet", "", ""),
    "restore": (work.restore, "S staged W worktree q quiet", "s source", ""),
    "revert": (lambda repo, options: merging.pick(repo, options, undo=True), "no-edit n no-commit abort continue", "", ""),
    "rm": (work.rm, "r f force cached q quiet ignore-unmatch n dry-run", "", ""),
    "show": (history.show, history.LOG_FLAGS, history.LOG_TAKES, history.LOG_MAYBE),
    "status": (status.status, "s short b branch porcelain v verbose long", "", "u untracked-files porcelain"),
    "switch": (branching.switch, _CHECKOUT + " d discard-changes", "c C create force-create orphan", ""),
    "tag": (history.tag, "a annotate d delete f force l list n s sign", "m message", "sort"),
}  # fmt: skip
_REAL = frozenset(
    "am annotate apply archive bisect bugreport bundle cat-file check-attr check-ignore check-mailmap check-ref-format cherry column commit-tree "
    "count-objects credential daemon describe diff-files diff-index diff-tree difftool fast-export fast-import fetch-pack filter-branch "
    "for-each-ref format-patch fsck gc grep gui hash-object help instaweb interpret-trailers ls-remote ls-tree maintenance merge-base merge-file "
    "merge-tree mergetool mktag mktree name-rev notes pack-objects patch-id prune range-diff read-tree rebase receive-pack remote-http repack "
    "replace request-pull rerere rev-list rev-parse send-email shortlog show-branch show-ref sparse-checkout stage submodule svn symbolic-ref "
    "unpack-objects update-index update-ref upload-pack var verify-commit verify-tag whatchanged worktree write-tree lfs".split()
)
_HELP = """usage: git [-v | --version] [-h | --help] [-C <path>] [-c <name>=<value>]
           [--git-dir=<path>] [--work-tree=<path>] <command> [<args>]

These are the Git commands that this machine has:

"""


def main(call: Call) -> int | Code:
    """`git [-C FOLDER] [-c NAME=VALUE] COMMAND …`."""
    words = list(call.argv[1:])
    settings: list[str] = []
    where = call.cwd
    while words and words[0].startswith("-"):
        word = words.pop(0)
        if word in ("-v", "--version"):
            call.out(f"git version {VERSION}\n")
            return 0
        if word in ("-h", "--help"):
            call.out(_help())
            return 0
        if word in ("-C", "-c") and words:
            value = words.pop(0)
            if word == "-c":
                settings.append(value)
            else:
                where = call.path(value)
                if not call.tree.isdir(where):
                    call.err(f"fatal: cannot change to '{value}': No such file or directory\n")
                    return 128
                call.proc.cwd = where
        elif word not in ("--no-pager", "-P", "-p", "--paginate"):
            call.err(f"git: {word}: not simulated in Slipway yet\n")
            return 1
    if settings:
        call.env["GIT_CONFIG_WORDS"] = "\n".join(settings)
    if not words:
        call.out(_help())
        return 1
    return _run(call, words[0], words[1:])


def _help() -> str:
    names = sorted(
        [*TABLE, "clone", "config", "init", "remote", "rev-parse", "stash", "cat-file", "hash-object", "ls-tree", "merge-base"]
    )
    return _HELP + "".join(f"   {name}\n" for name in names) + "\n"


def _run(call: Call, name: str, words: list[str]) -> Code:
    try:
        code = _command(call, name, words)
        return code if isinstance(code, int) else (yield from code)
    except Failed as failed:
        call.err(f"{failed}\n")
        return failed.code
    except OSError as failed:
        call.err(f"fatal: {failed.filename}: {failed.strerror}\n")
        return 128


def _command(call: Call, name: str, words: list[str]) -> int | Code:
    if name == "version":
        call.out(f"git version {VERSION}\n")
        return 0
    if name == "help":
        call.out(_help())
        return 0
    if name == "init":
        return work.init(call, words)
    if name == "clone":
        return remotes.clone(call, words)
    repo = discover(call, call.cwd)
    if name == "config":
        return work.config(call, repo, words)
    if name not in TABLE and name not in _SMALL and name not in ("remote", "stash"):
        if name in _REAL:
            raise Failed(f"git: {name}: not simulated in Slipway yet", 1)
        raise Failed(f"git: '{name}' is not a git command. See 'git --help'.", 1)
    if repo is None:
        raise fatal("not a git repository (or any of the parent directories): .git")
    if name == "remote":
        return remotes.remote(repo, words)
    if name == "stash":
        return work.stash(repo, words)
    if name in _SMALL:
        return _SMALL[name](repo, words)
    run, flags, takes, maybe = TABLE[name]
    options = Options(name, words, flags + (" number" if name in ("log", "show") else ""), takes, maybe)
    if not repo.work and name not in ("log", "show", "branch", "tag", "reflog", "fetch", "push", "diff"):
        raise fatal("this operation must be run in a work tree")
    return run(repo, options)


# -- plumbing that scripts use ------------------------------------------------------------------------------------------
def _rev_parse(repo: Repository, words: list[str]) -> int:
    short = False
    verify = "--verify" in words
    for word in words:
        if word in ("--verify", "-q", "--quiet"):
            continue
        if word.startswith("--short"):
            short = True
        elif word == "--show-toplevel":
            if not repo.work:
                raise fatal("this operation must be run in a work tree")
            repo.call.out(f"{repo.work}\n")
        elif word in ("--git-dir", "--absolute-git-dir"):
            repo.call.out(f"{'.git' if repo.call.cwd == repo.work and word == '--git-dir' else repo.git}\n")
        elif word == "--is-inside-work-tree":
            repo.call.out("true\n" if repo.work else "false\n")
        elif word == "--is-bare-repository":
            repo.call.out("false\n" if repo.work else "true\n")
        elif word == "--show-prefix":
            prefix = inside(repo, ".")
            repo.call.out(f"{prefix}/\n" if prefix else "\n")
        elif word == "--abbrev-ref":
            continue
        elif word.startswith("-"):
            raise Failed(f"git: rev-parse {word}: not simulated in Slipway yet", 1)
        elif "--abbrev-ref" in words:
            if word == "HEAD" and not repo.head:
                repo.need("HEAD")
            repo.call.out(f"{(repo.branch if repo.symbolic() else 'HEAD') if word == 'HEAD' else word}\n")
        else:
            sha = repo.find(word)
            if verify and (not sha or not repo.has(sha)):
                if "-q" in words or "--quiet" in words:
                    return 1
                raise fatal("Needed a single revision")
            sha = repo.need(word)
            repo.call.out(f"{repo.short(sha) if short else sha}\n")
    return 0


def _cat_file(repo: Repository, words: list[str]) -> int:
    if len(words) != 2 or words[0] not in ("-t", "-p", "-s", "-e", "blob", "tree", "commit", "tag"):
        raise Failed("git: cat-file: only -t, -p, -s, -e or a type, and an object: not simulated in Slipway yet", 1)
    if ":" in words[1]:
        repo.call.out(history.of_path(repo, words[1]) if words[0] in ("-p", "blob") else "blob\n" if words[0] == "-t" else "")
        return 0
    sha = repo.find(words[1])
    if not sha or not repo.has(sha):
        if words[0] == "-e":
            return 1
        raise fatal(f"Not a valid object name {words[1]}")
    kind, data = repo.get(sha)
    if words[0] == "-t":
        repo.call.out(f"{kind}\n")
    elif words[0] == "-s":
        repo.call.out(f"{len(data)}\n")
    elif words[0] == "-p" and kind == "tree":
        repo.call.out(_rows(repo, sha))
    elif words[0] != "-e":
        repo.call.out(data)
    return 0


def _rows(repo: Repository, sha: str) -> str:
    return "".join(
        f"{mode:06o} {'tree' if mode == 0o40000 else 'blob'} {child}\t{name}\n" for name, mode, child in repo.rows(sha)
    )


def _ls_tree(repo: Repository, words: list[str]) -> int:
    options = Options("ls-tree", words, "r name-only", "")
    if not options.rest:
        raise Failed("usage: git ls-tree [<options>] <tree-ish> [<path>...]", 129)
    tree = repo.commit(repo.need(options.rest[0])).tree
    rows = (
        "".join(f"{one.mode:06o} blob {one.sha}\t{path}\n" for path, one in sorted(repo.tree(tree).items()))
        if options.has("r")
        else _rows(repo, tree)
    )
    repo.call.out(re.sub(r"^.*\t", "", rows, flags=re.M) if options.has("name-only") else rows)
    return 0


def _hash_object(repo: Repository, words: list[str]) -> int | Code:
    options = Options("hash-object", words, "w stdin", "t")

    def put(data: bytes) -> None:
        repo.call.out(f"{repo.put('blob', data)}\n")

    def read() -> Code:
        put((yield from repo.call.read()))
        return 0

    if options.has("stdin"):
        return read()
    for name in options.rest:
        put(repo.call.read_file(name))
    return 0


def _merge_base(repo: Repository, words: list[str]) -> int:
    found = repo.base(*(repo.commit(repo.need(word)).sha for word in words[:2]))
    repo.call.out(f"{found}\n" if found else "")
    return 0 if found else 1


_SMALL: dict[str, Callable[[Repository, list[str]], int | Code]] = {
    "rev-parse": _rev_parse, "cat-file": _cat_file, "ls-tree": _ls_tree, "hash-object": _hash_object, "merge-base": _merge_base,
}  # fmt: skip
