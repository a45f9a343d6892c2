"""`branch`, `checkout`, `switch`, `reset`."""

from __future__ import annotations

import re

from .difference import GREEN, RED, RESET
from .options import Options
from .status import ahead_behind, distance
from .store import Failed, Repository, fatal
from .work import restore_paths
from .worktree import between, changed, inside, look, staged, switch_files, write_index

_ADVICE = """
You are in 'detached HEAD' state. You can look around, make experimental
changes and commit them, and you can discard any commits you make in this
state without impacting any branches by switching back to a branch.

If you want to create a new branch to retain commits you create, you may
do so (now or later) by using -c with the switch command. Example:

  git switch -c <new-branch-name>

Or undo this operation with:

  git switch -

Turn off this advice by setting config variable advice.detachedHead to false

"""


def valid(name: str) -> bool:
    """Whether a branch may be called so (git-check-ref-format(1))."""
    bad = re.search(r"\.\.|[\x00-\x20~^:?*\[\\\x7f]|@\{|//|^[-/.]|/$|\.$|\.lock$", name)
    return bool(name) and not bad and name != "@"


def branch(repo: Repository, options: Options) -> int:
    """`git branch [-a|-r] [-v|-vv] [-d|-D|-m|-M|-c] [-u UPSTREAM] [NAME [START]]`."""
    call, have = repo.call, repo.refs("refs/heads/")
    if options.has("show-current"):
        call.out(f"{repo.branch}\n" if repo.symbolic() else "")
        return 0
    if options.has("d", "delete", "D"):
        return _delete(repo, options)
    if options.has("m", "move", "M"):
        return _rename(repo, options.rest, force=options.has("M"))
    if options.has("u", "set-upstream-to", "unset-upstream"):
        return _upstream(repo, options)
    if not options.rest or options.has("l", "list", "a", "all", "r", "remotes", "merged", "no-merged", "contains"):
        return _list(repo, options)
    name, start = options.rest[0], options.rest[1] if len(options.rest) > 1 else "HEAD"
    if not valid(name):
        raise fatal(f"'{name}' is not a valid branch name")
    if name in have and not options.has("f", "force"):
        raise fatal(f"a branch named '{name}' already exists")
    make(repo, name, start)
    return 0


def make(repo: Repository, name: str, start: str) -> str:
    """A new branch; its commit."""
    sha = repo.find(start)
    if not sha:
        raise fatal(f"not a valid object name: '{start if start != 'HEAD' else repo.branch}'")
    sha = repo.commit(sha).sha
    repo.set_ref(f"refs/heads/{name}", sha, f"branch: Created from {start}")
    if start in repo.refs("refs/remotes/"):
        track(repo, name, start)
    return sha


def track(repo: Repository, name: str, upstream: str) -> None:
    """Make a branch follow `origin/main`, and say so."""
    remote, _, theirs = upstream.partition("/")
    repo.configure(f"branch.{name}.remote", remote)
    repo.configure(f"branch.{name}.merge", f"refs/heads/{theirs}")
    repo.call.out(f"branch '{name}' set up to track '{upstream}'.\n")


def _upstream(repo: Repository, options: Options) -> int:
    name = options.rest[0] if options.rest else repo.branch
    if options.has("unset-upstream"):
        config = repo.config
        for key in ("remote", "merge"):
            config.unset(f"branch.{name}.{key}")
        repo.write("config", config.text().encode())
        return 0
    upstream = options.value("u", "set-upstream-to")
    if upstream not in repo.refs("refs/remotes/"):
        raise fatal(f"the requested upstream branch '{upstream}' does not exist")
    track(repo, name, upstream)
    return 0


def _delete(repo: Repository, options: Options) -> int:
    code = 0
    below = "refs/remotes/" if options.has("r", "remotes") else "refs/heads/"
    for name in options.rest:
        sha = repo.ref(below + name)
        if not sha:
            repo.call.err(
                f"error: branch '{name}' not found.\n"
                if below.endswith("heads/")
                else f"error: remote-tracking branch '{name}' not found\n"
            )
            code = 1
        elif name == repo.branch and below.endswith("heads/"):
            repo.call.err(f"error: Cannot delete branch '{name}' checked out at '{repo.work}'\n")
            code = 1
        elif not options.has("D", "f", "force", "r") and repo.head and sha not in repo.ancestors(repo.head):
            repo.call.err(
                f"error: The branch '{name}' is not fully merged.\nIf you are sure you want to delete it, run 'git branch -D {name}'.\n"
            )
            code = 1
        else:
            repo.delete_ref(below + name)
            repo.call.out(
                f"Deleted {'remote-tracking ' if below.endswith('remotes/') else ''}branch {name} (was {repo.short(sha)}).\n"
            )
    return code


def _rename(repo: Repository, rest: list[str], *, force: bool) -> int:
    old, new = rest if len(rest) == 2 else (repo.branch, rest[0] if rest else "")
    if not valid(new):
        raise fatal(f"'{new}' is not a valid branch name")
    if new in repo.refs("refs/heads/") and new != old and not force:
        raise fatal(f"a branch named '{new}' already exists")
    sha = repo.ref(f"refs/heads/{old}")
    if not sha and old != repo.branch:
        raise fatal(f"no branch named '{old}'")
    if sha and new != old:
        logs = repo.read(f"logs/refs/heads/{old}") or b""
        repo.delete_ref(f"refs/heads/{old}")
        repo.write(f"refs/heads/{new}", f"{sha}\n".encode())
        repo.write(f"logs/refs/heads/{new}", logs)
    if old == repo.branch:
        repo.write("HEAD", f"ref: refs/heads/{new}\n".encode())
    return 0


def _list(repo: Repository, options: Options) -> int:
    call, colour = repo.call, repo.call.stdout_tty
    rows: list[tuple[str, str, str]] = []
    if not options.has("r", "remotes"):
        rows += [(name, f"refs/heads/{name}", "") for name in sorted(repo.refs("refs/heads/"))]
    if options.has("a", "all", "r", "remotes"):
        prefix = "" if options.has("r", "remotes") else "remotes/"
        rows += [(prefix + name, f"refs/remotes/{name}", RED) for name in sorted(repo.refs("refs/remotes/"))]
    if options.has("merged", "no-merged", "contains"):
        other = repo.need(options.value("merged", "no-merged", "contains") or (options.rest[0] if options.rest else "HEAD"))
        if options.has("contains"):
            rows = [row for row in rows if other in repo.ancestors(repo.ref(row[1]))]
        else:
            inside_ = repo.ancestors(repo.commit(other).sha)
            rows = [row for row in rows if (repo.ref(row[1]) in inside_) == options.has("merged")]
    if not repo.symbolic() and repo.head and not options.has("r", "remotes"):
        rows.insert(0, (f"(HEAD detached at {repo.short(repo.head)})", "HEAD", ""))
    width = max((len(name) for name, _, _ in rows), default=0)
    for name, full, paint in rows:
        here = full == (repo.symbolic() or "HEAD")
        code = (GREEN if here else paint) if colour else ""
        end = RESET if code else ""
        text = f"{'*' if here else ' '} {code}{name}{end}"
        if repo.symbolic(full) and full != "HEAD":
            call.out(f"{text} -> {repo.symbolic(full).removeprefix('refs/remotes/')}\n")
            continue
        if options.has("v", "verbose"):
            sha = repo.ref(full)
            text += (
                " " * (width - len(name))
                + f" {repo.short(sha)} {_note(repo, full, very=len(options.all('v', 'verbose')) > 1)}{repo.commit(sha).subject}"
            )
        call.out(text + "\n")
    return 0


def _note(repo: Repository, full: str, *, very: bool) -> str:
    name = full.removeprefix("refs/heads/")
    config = repo.config
    remote, merge = config.all(f"branch.{name}.remote"), config.all(f"branch.{name}.merge")
    if not remote or not merge or name == full:
        return ""
    short = f"{remote[-1]}/{merge[-1].removeprefix('refs/heads/')}"
    theirs = repo.ref(f"refs/remotes/{short}")
    ahead, behind = ahead_behind(repo, repo.ref(full), theirs) if theirs else (0, 0)
    parts = ", ".join(f"{word} {count}" for word, count in (("ahead", ahead), ("behind", behind)) if count)
    if very:
        return f"[{short}{': ' + parts if parts else ''}] "
    return f"[{parts}] " if parts else ""


def checkout(repo: Repository, options: Options) -> int:
    """`git checkout [-b|-B NAME] [-f] [BRANCH|COMMIT] [-- PATH…]`."""
    new = options.value("b", "B")
    rest = options.rest
    if not new and options.paths is not None:
        return _paths(repo, options.paths, rest[0] if rest else "")
    if (
        not new
        and rest
        and not _is_target(repo, rest[0], options)
        and (look(repo, inside(repo, rest[0])) is not None or rest[0] == "." or _known(repo, rest[0]))
    ):
        return _paths(repo, rest, "")
    if not new and len(rest) > 1:
        return _paths(repo, rest[1:], rest[0])
    return move(
        repo,
        rest[0] if rest else "HEAD",
        new,
        force=options.has("f", "force"),
        again=options.has("B"),
        detach=options.has("detach"),
        orphan=options.value("orphan"),
    )


def _known(repo: Repository, word: str) -> bool:
    name = inside(repo, word)
    return any(path == name or path.startswith(name + "/") for path in staged(repo))


def _is_target(repo: Repository, word: str, options: Options) -> bool:
    return bool(repo.find(word)) or word == "-" or any(name.partition("/")[2] == word for name in repo.refs("refs/remotes/"))


def _paths(repo: Repository, words: list[str], source: str) -> int:
    count = restore_paths(repo, words, source, index=bool(source), work=True)
    plural = "" if count == 1 else "s"
    where = f" from {repo.short(repo.need(source))}" if source else " from the index"
    repo.call.err(f"Updated {count} path{plural}{where}\n")
    return 0


def switch(repo: Repository, options: Options) -> int:
    """`git switch [-c|-C NAME] [--detach] BRANCH`."""
    new = options.value("c", "C", "create", "force-create")
    if not new and not options.rest and not options.has("orphan"):
        raise fatal("missing branch or commit argument")
    target = options.rest[0] if options.rest else "HEAD"
    detach = options.has("d", "detach")
    if not new and not detach and target != "-" and not repo.ref(f"refs/heads/{target}") and repo.find(target):
        remote = [name for name in repo.refs("refs/remotes/") if name.partition("/")[2] == target]
        if not remote:
            kind = (
                "remote branch"
                if target in repo.refs("refs/remotes/")
                else "tag"
                if target in repo.refs("refs/tags/")
                else "commit"
            )
            raise Failed(
                f"fatal: a branch is expected, got {kind} '{target}'\n"
                "hint: If you want to detach HEAD at the commit, try again with the --detach option."
            )
    if (
        not new
        and not detach
        and target != "-"
        and not repo.find(target)
        and not any(n.partition("/")[2] == target for n in repo.refs("refs/remotes/"))
    ):
        raise fatal(f"invalid reference: {target}")
    return move(
        repo,
        target,
        new,
        force=options.has("f", "force", "discard-changes"),
        again=options.has("C", "force-create"),
        detach=detach,
        orphan=options.value("orphan"),
    )


def move(
    repo: Repository,
    target: str,
    new: str = "",
    *,
    force: bool = False,
    again: bool = False,
    detach: bool = False,
    orphan: str = "",
) -> int:
    """Go to a branch or commit, making branch `new` there."""
    call = repo.call
    if orphan:
        repo.write("HEAD", f"ref: refs/heads/{orphan}\n".encode())
        call.err(f"Switched to a new branch '{orphan}'\n")
        return 0
    if new and not valid(new):
        raise fatal(f"'{new}' is not a valid branch name")
    if new and repo.ref(f"refs/heads/{new}") and not again:
        raise fatal(f"a branch named '{new}' already exists")
    if new and not repo.head and target == "HEAD":
        repo.write("HEAD", f"ref: refs/heads/{new}\n".encode())
        call.err(f"Switched to a new branch '{new}'\n")
        return 0
    if target == "-":
        target = repo.previous()
        if not target:
            raise Failed("error: pathspec '-' did not match any file(s) known to git", 1)
    remote = [name for name in repo.refs("refs/remotes/") if name.partition("/")[2] == target]
    if not new and not repo.find(target) and len(remote) == 1:
        new, target = target, remote[0]
    sha = repo.find(target)
    if not sha:
        raise Failed(f"error: pathspec '{target}' did not match any file(s) known to git", 1)
    sha = repo.commit(sha).sha
    old, old_name = repo.head, repo.branch if repo.symbolic() else repo.head
    is_branch = bool(repo.ref(f"refs/heads/{target}")) and not detach
    if (not new and is_branch and target == repo.branch) or (target == "HEAD" and not new and not detach):
        _changed(repo, sha)
        if is_branch:
            call.err(f"Already on '{target}'\n")
        call.out(distance(repo))
        return 0
    switch_files(repo, repo.files(old), repo.files(sha), force=force)
    if not new or target != "HEAD":
        _changed(repo, sha)
    if new:
        existed = bool(repo.ref(f"refs/heads/{new}"))
        repo.write(f"refs/heads/{new}", f"{sha}\n".encode())
        repo.log(f"refs/heads/{new}", "0" * 40, sha, f"branch: Created from {target}")
        repo.write("HEAD", f"ref: refs/heads/{new}\n".encode())
        repo.log("HEAD", old or "0" * 40, sha, f"checkout: moving from {old_name} to {new}")
        call.err(f"Reset branch '{new}'\n" if existed else f"Switched to a new branch '{new}'\n")
        if target in repo.refs("refs/remotes/"):
            track(repo, new, target)
        return 0
    if old and not repo.symbolic() and sha != old:
        _left(repo, old, sha)
    repo.log("HEAD", old or "0" * 40, sha, f"checkout: moving from {old_name} to {target}")
    if is_branch:
        repo.write("HEAD", f"ref: refs/heads/{target}\n".encode())
        call.err(f"Switched to branch '{target}'\n")
        call.out(distance(repo))
        return 0
    was_on_branch = bool(repo.symbolic())
    repo.write("HEAD", f"{sha}\n".encode())
    if was_on_branch and not detach:
        call.err(f"Note: switching to '{target}'.\n{_ADVICE}")
    call.err(f"HEAD is now at {repo.short(sha)} {repo.commit(sha).subject}\n")
    return 0


def _left(repo: Repository, old: str, new: str) -> None:
    held = repo.ancestors(new, *repo.refs("refs/heads/").values(), *repo.refs("refs/remotes/").values())
    lost = [sha for sha in repo.ancestors(old) if sha not in held]
    if not lost:
        repo.call.err(f"Previous HEAD position was {repo.short(old)} {repo.commit(old).subject}\n")
        return
    rows = "".join(
        f"  {repo.short(sha)} {repo.commit(sha).subject}\n" for sha in sorted(lost, key=lambda s: -repo.commit(s).when)
    )
    many = len(lost) > 1
    repo.call.err(
        f"Warning: you are leaving {len(lost)} commit{'s' * many} behind, not connected to\nany of your branches:\n\n{rows}\n"
        f"If you want to keep {'them' if many else 'it'} by creating a new branch, this may be a good time\nto do so with:\n\n"
        f" git branch <new-branch-name> {repo.short(old)}\n\n"
    )


def _changed(repo: Repository, commit: str) -> None:
    """The files with changes that a checkout carries along to a commit: `M<TAB>path`."""
    index = staged(repo)
    rows = {**between(repo.files(commit), index), **changed(repo, index)}
    repo.call.out("".join(f"{how}\t{path}\n" for path, how in sorted(rows.items())))


def reset(repo: Repository, options: Options) -> int:
    """`git reset [--soft|--mixed|--hard] [COMMIT]`, `git reset [COMMIT] [--] PATH…`."""
    call = repo.call
    rest = list(options.rest)
    target = "HEAD"
    if rest and repo.find(rest[0]) and repo.has(repo.find(rest[0])):
        target = rest.pop(0)
    for word in rest:
        if not call.exists(word) and not _known(repo, word):
            repo.need(word)
    words = [*rest, *(options.paths or [])]
    if words:
        if options.has("hard", "soft"):
            raise fatal(f"Cannot do {'hard' if options.has('hard') else 'soft'} reset with paths.")
        restore_paths(repo, words, target, index=True, work=False)
        _unstaged(repo, options)
        return 0
    if not repo.head and target == "HEAD":
        if not options.has("soft"):
            write_index(repo, [])
        return 0
    sha = repo.commit(repo.need(target)).sha
    files = repo.files(sha)
    if options.has("hard"):
        switch_files(repo, repo.files(repo.head), files, force=True)
    elif not options.has("soft"):
        write_index(repo, list(files.values()))
    old = repo.head
    repo.write("ORIG_HEAD", f"{old}\n".encode())
    repo.set_ref("HEAD", sha, f"reset: moving to {target}")
    for name in ("MERGE_HEAD", "MERGE_MSG", "CHERRY_PICK_HEAD", "REVERT_HEAD"):
        repo.remove(name)
    if options.has("hard") and not options.has("q", "quiet"):
        call.out(f"HEAD is now at {repo.short(sha)} {repo.commit(sha).subject}\n")
    elif not options.has("soft"):
        _unstaged(repo, options)
    return 0


def _unstaged(repo: Repository, options: Options) -> None:
    dirty = changed(repo, staged(repo))
    if dirty and not options.has("q", "quiet"):
        repo.call.out("Unstaged changes after reset:\n" + "".join(f"{how}\t{path}\n" for path, how in sorted(dirty.items())))
