"""`git status`."""

from __future__ import annotations

from .difference import GREEN, RED, RESET, changes, renamed
from .options import Options
from .store import Repository
from .worktree import changed, shown, staged, unmerged, untracked

_UNMERGED = {
    (1, 2, 3): ("both modified", "UU"), (2, 3): ("both added", "AA"), (1, 2): ("deleted by them", "UD"), (1, 3): ("deleted by us", "DU"),
    (1,): ("both deleted", "DD"), (2,): ("added by us", "AU"), (3,): ("added by them", "UA"),
}  # fmt: skip
_WORDS = {"A": "new file", "M": "modified", "D": "deleted", "T": "typechange", "R": "renamed"}


def tracking(repo: Repository) -> tuple[str, str]:
    """(short name of the current branch's upstream, its full name), or two empty ones."""
    remote = repo.config.all(f"branch.{repo.branch}.remote")
    merge = repo.config.all(f"branch.{repo.branch}.merge")
    if not remote or not merge:
        return "", ""
    branch = merge[-1].removeprefix("refs/heads/")
    return f"{remote[-1]}/{branch}", f"refs/remotes/{remote[-1]}/{branch}"


def ahead_behind(repo: Repository, mine: str, theirs: str) -> tuple[int, int]:
    """Commits that only one of two has."""
    one, other = repo.ancestors(mine), repo.ancestors(theirs)
    return len(one - other), len(other - one)


def distance(repo: Repository) -> str:
    """What status and checkout say of the upstream; "" without one."""
    short, full = tracking(repo)
    if not short or not repo.head:
        return ""
    if not repo.ref(full):
        return f"Your branch is based on '{short}', but the upstream is gone.\n  (use \"git branch --unset-upstream\" to fixup)\n"
    ahead, behind = ahead_behind(repo, repo.head, repo.ref(full))
    if not ahead and not behind:
        return f"Your branch is up to date with '{short}'.\n"
    plural = "s" if (ahead or behind) != 1 else ""
    if ahead and behind:
        return (
            f"Your branch and '{short}' have diverged,\nand have {ahead} and {behind} different commits each, respectively.\n"
            '  (use "git pull" if you want to integrate the remote branch with yours)\n'
        )
    if ahead:
        return (
            f"Your branch is ahead of '{short}' by {ahead} commit{plural}.\n  (use \"git push\" to publish your local commits)\n"
        )
    return (
        f"Your branch is behind '{short}' by {behind} commit{plural}, and can be fast-forwarded.\n"
        '  (use "git pull" to update your local branch)\n'
    )


def status(repo: Repository, options: Options) -> int:
    """`git status [-s] [-b] [--porcelain] [-u…]`."""
    call = repo.call
    if options.has("s", "short", "porcelain"):
        return _short(repo, options)
    call.out(long(repo, colour=call.stdout_tty, whole=options.has("u", "untracked-files")))
    return 0


def long(repo: Repository, *, colour: bool = False, whole: bool = False, none: str = "No commits yet") -> str:
    """The long form, which a refused commit shows as well."""
    index, conflicts = staged(repo), unmerged(repo)
    head = repo.files(repo.head)
    ready = renamed(changes(repo, {p: e for p, e in head.items() if p not in conflicts}, index))
    dirty = changed(repo, index)
    unknown = untracked(repo, set(index) | set(conflicts), whole=whole)
    green, red, reset = (GREEN, RED, RESET) if colour else ("", "", "")
    where = f"On branch {repo.branch}" if repo.symbolic() else f"HEAD detached at {repo.short(repo.head)}"
    out = where + "\n" + (distance(repo) + "\n" if distance(repo) else "")
    if not repo.head:
        out += f"\n{none}\n\n"
    if repo.read("MERGE_HEAD") is not None:
        if conflicts:
            out += 'You have unmerged paths.\n  (fix conflicts and run "git commit")\n  (use "git merge --abort" to abort the merge)\n\n'
        else:
            out += 'All conflicts fixed but you are still merging.\n  (use "git commit" to conclude merge)\n\n'
    for name, verb, doing in (("REVERT_HEAD", "revert", "reverting"), ("CHERRY_PICK_HEAD", "cherry-pick", "cherry-picking")):
        if (found := repo.read(name)) is not None:
            fixed = (
                f'fix conflicts and run "git {verb} --continue"'
                if conflicts
                else f'all conflicts fixed: run "git {verb} --continue"'
            )
            out += f"You are currently {doing} commit {repo.short(found.decode())}.\n  ({fixed})\n"
            out += (
                f'  (use "git {verb} --skip" to skip this patch)\n  (use "git {verb} --abort" to cancel the {verb} operation)\n\n'
            )
    if ready:
        undo = "git rm --cached <file>..." if not repo.head else "git restore --staged <file>..."
        merging = repo.read("MERGE_HEAD") is not None
        out += "Changes to be committed:\n" + ("" if merging else f'  (use "{undo}" to unstage)\n')
        for one in ready:
            word = (
                "renamed"
                if one.source != one.path
                else "new file"
                if one.old is None
                else "deleted"
                if one.new is None
                else "modified"
            )
            name = f"{shown(repo, one.source)} -> {shown(repo, one.path)}" if word == "renamed" else shown(repo, one.path)
            out += f"\t{green}{word + ':':12}{name}{reset}\n"
        out += "\n"
    if conflicts:
        out += 'Unmerged paths:\n  (use "git add <file>..." to mark resolution)\n'
        for path, stages in sorted(conflicts.items()):
            out += f"\t{red}{_UNMERGED[tuple(sorted(stages))][0] + ':':17}{shown(repo, path)}{reset}\n"
        out += "\n"
    if dirty:
        verb = "add/rm" if "D" in dirty.values() else "add"
        out += f'Changes not staged for commit:\n  (use "git {verb} <file>..." to update what will be committed)\n'
        out += '  (use "git restore <file>..." to discard changes in working directory)\n'
        out += "".join(f"\t{red}{_WORDS[how] + ':':12}{shown(repo, path)}{reset}\n" for path, how in sorted(dirty.items())) + "\n"
    if unknown:
        out += 'Untracked files:\n  (use "git add <file>..." to include in what will be committed)\n'
        out += "".join(f"\t{red}{shown(repo, path)}{reset}\n" for path in unknown) + "\n"
    if not ready and not conflicts:
        out += _closing(repo, bool(dirty), bool(unknown))
    elif conflicts and not ready and not dirty and not unknown:
        out += 'no changes added to commit (use "git add" and/or "git commit -a")\n'
    return out


def _closing(repo: Repository, dirty: bool, unknown: bool) -> str:
    if repo.read("MERGE_HEAD") is not None:
        return ""
    if dirty:
        return 'no changes added to commit (use "git add" and/or "git commit -a")\n'
    if unknown:
        return 'nothing added to commit but untracked files present (use "git add" to track)\n'
    if not repo.head:
        return 'nothing to commit (create/copy files and use "git add" to track)\n'
    return "nothing to commit, working tree clean\n"


def _short(repo: Repository, options: Options) -> int:
    call, index, conflicts = repo.call, staged(repo), unmerged(repo)
    colour = call.stdout_tty and not options.has("porcelain")
    green, red, reset = (GREEN, RED, RESET) if colour else ("", "", "")
    rows: dict[str, list[str]] = {path: ["U", "U"] for path in conflicts}
    for path, stages in conflicts.items():
        rows[path] = list(_UNMERGED[tuple(sorted(stages))][1])
    names: dict[str, str] = {}
    head = {p: e for p, e in repo.files(repo.head).items() if p not in conflicts}
    for one in renamed(changes(repo, head, index)):
        letter = "R" if one.source != one.path else "A" if one.old is None else "D" if one.new is None else "M"
        rows.setdefault(one.path, [" ", " "])[0] = letter
        if letter == "R":
            names[one.path] = f"{one.source} -> {one.path}"
    for path, how in changed(repo, index).items():
        rows.setdefault(path, [" ", " "])[1] = how
    if options.has("b", "branch"):
        short, full = tracking(repo)
        text = f"{repo.branch}...{short}" if short else repo.branch
        if not repo.head:
            text = f"No commits yet on {repo.branch}"
        elif short and repo.ref(full):
            ahead, behind = ahead_behind(repo, repo.head, repo.ref(full))
            parts = [f"{word} {count}" for word, count in (("ahead", ahead), ("behind", behind)) if count]
            text += f" [{', '.join(parts)}]" if parts else ""
        call.out(f"## {text or 'HEAD (no branch)'}\n")
    for path, (ready, local) in sorted(rows.items()):
        left = ready if ready == " " else f"{green}{ready}{reset}"
        right = local if local == " " else f"{red}{local}{reset}"
        call.out(f"{left}{right} {names.get(path, shown(repo, path))}\n")
    if options.value("u", "untracked-files") != "no":
        for path in untracked(repo, set(index) | set(conflicts), whole=options.value("u", "untracked-files") == "all"):
            call.out(f"{red}??{reset} {shown(repo, path)}\n")
    return 0
