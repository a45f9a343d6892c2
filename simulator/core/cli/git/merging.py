"""`merge`, `cherry-pick`, `revert`: three texts made one."""

from __future__ import annotations

import difflib
from collections.abc import Generator
from typing import Any

from ...host.program import Wait
from . import difference
from .history import cleaned, edited, make, told
from .options import Options
from .store import Entry, Failed, Repository, fatal
from .worktree import Files, between, changed, drop, place, staged, switch_files, unmerged, write_index

Code = Generator[Wait, Any, int]


def three(base: bytes, mine: bytes, theirs: bytes, here: str, there: str) -> tuple[bytes, bool]:
    """The texts merged line by line and whether they disagree; conflicts stand between `<<<<<<<` and `>>>>>>>`."""
    old, one, other = (text.splitlines(keepends=True) for text in (base, mine, theirs))
    left = difflib.SequenceMatcher(None, old, one, autojunk=False).get_matching_blocks()
    right = difflib.SequenceMatcher(None, old, other, autojunk=False).get_matching_blocks()
    # pieces of the base that both kept: (in base, in one, in other, length)
    common: list[tuple[int, int, int, int]] = []
    for a in left:
        for b in right:
            start, end = max(a.a, b.a), min(a.a + a.size, b.a + b.size)
            if start < end:
                common.append((start, a.b + start - a.a, b.b + start - b.a, end - start))
    common.append((len(old), len(one), len(other), 0))
    out: list[bytes] = []
    conflict = False
    at = (0, 0, 0)
    for start, mine_at, theirs_at, size in common:
        part, ours, others = old[at[0] : start], one[at[1] : mine_at], other[at[2] : theirs_at]
        if ours == others or others == part:
            out += ours
        elif ours == part:
            out += others
        else:
            conflict = True
            head, tail = 0, 0
            while head < min(len(ours), len(others)) and ours[head] == others[head]:
                head += 1
            while tail < min(len(ours), len(others)) - head and ours[-1 - tail] == others[-1 - tail]:
                tail += 1
            out += ours[:head]
            ends = [row[head : len(row) - tail] for row in (ours, others)]
            out += [f"<<<<<<< {here}\n".encode(), *_ended(ends[0]), b"=======\n", *_ended(ends[1]), f">>>>>>> {there}\n".encode()]
            out += ours[len(ours) - tail :] if tail else []
        out += one[mine_at : mine_at + size]
        at = (start + size, mine_at + size, theirs_at + size)
    return b"".join(out), conflict


def _ended(rows: list[bytes]) -> list[bytes]:
    return [row if row.endswith(b"\n") else row + b"\n" for row in rows]


def merge_files(repo: Repository, base: Files, mine: Files, theirs: Files, here: str, there: str) -> list[str]:
    """Bring `theirs` into index and working folder; the paths in conflict.  Prints what merge prints of them."""
    index: dict[str, Entry] = dict(staged(repo))
    stages: list[Entry] = []
    conflicts: list[str] = []
    call = repo.call
    for path in sorted(set(between(base, theirs))):
        old, one, other = base.get(path), mine.get(path), theirs.get(path)
        same = [side[1:3] if side is not None else None for side in (old, one, other)]
        if same[1] == same[2]:
            continue
        if same[0] == same[1]:  # only they changed it
            if other is None:
                drop(repo, path)
                index.pop(path, None)
            else:
                place(repo, other)
                index[path] = other
            continue
        index.pop(path, None)
        if one is None or other is None:
            gone, left = (here, there) if one is None else (there, here)
            call.out(
                f"CONFLICT (modify/delete): {path} deleted in {gone} and modified in {left}.  Version {left} of {path} left in tree.\n"
            )
            if other is not None and one is None:
                place(repo, other)
            bad = True
        else:
            call.out(f"Auto-merging {path}\n")
            texts = [repo.blob(side.sha) if side is not None else b"" for side in (old, one, other)]
            if any(b"\0" in text[:8000] for text in texts):
                call.err(f"warning: Cannot merge binary files: {path} ({here} vs. {there})\n")
                merged, bad = texts[1], True
            else:
                merged, bad = three(texts[0], texts[1], texts[2], here, there)
            entry = Entry(path, one.mode, repo.put("blob", merged))
            place(repo, entry)
            if not bad:
                index[path] = entry
            else:
                call.out(f"CONFLICT ({'content' if old is not None else 'add/add'}): Merge conflict in {path}\n")
        if bad:
            conflicts.append(path)
            stages += [side._replace(stage=n) for n, side in ((1, old), (2, one), (3, other)) if side is not None]
    write_index(repo, [*index.values(), *stages])
    return conflicts


def merge(repo: Repository, options: Options) -> Code:
    """`git merge [--no-ff|--ff-only|--squash] [-m TEXT] [--no-edit] BRANCH`, `--abort`, `--continue`."""
    if options.has("abort"):
        if repo.read("MERGE_HEAD") is None:
            raise fatal("There is no merge to abort (MERGE_HEAD missing).")
        switch_files(repo, repo.files(repo.head), repo.files(repo.head), force=True)
        for name in ("MERGE_HEAD", "MERGE_MSG", "MERGE_MODE"):
            repo.remove(name)
        return 0
    if options.has("continue"):
        from .history import commit

        return (yield from commit(repo, Options("commit", [])))
    if repo.read("MERGE_HEAD") is not None:
        raise fatal("You have not concluded your merge (MERGE_HEAD exists).\nPlease, commit your changes before you merge.")
    name = options.rest[0] if options.rest else ""
    if len(options.rest) > 1:
        raise Failed("git: merge of several branches at once: not simulated in Slipway yet", 1)
    sha = repo.find(name)
    if not sha:
        raise Failed(f"merge: {name} - not something we can merge", 1)
    kind = (
        "branch"
        if repo.ref(f"refs/heads/{name}")
        else "remote-tracking branch"
        if repo.ref(f"refs/remotes/{name}")
        else "tag"
        if repo.ref(f"refs/tags/{name}")
        else "commit"
    )
    subject = f"Merge {kind} '{name}'" + ("" if repo.branch in ("master", "main", "") else f" into {repo.branch}")
    return (yield from join(repo, repo.commit(sha).sha, name, subject, options))


def join(repo: Repository, theirs: str, name: str, subject: str, options: Options) -> Code:
    """Merge a commit into the current branch."""
    call, head = repo.call, repo.head
    if not head:
        switch_files(repo, {}, repo.files(theirs), what="merge")
        repo.set_ref("HEAD", theirs, f"merge {name}: Fast-forward")
        return 0
    base = repo.base(head, theirs)
    if base == theirs:
        call.out("Already up to date.\n")
        return 0
    if not base and not options.has("allow-unrelated-histories"):
        raise fatal("refusing to merge unrelated histories")
    if base == head and not options.has("no-ff") and not options.has("squash"):
        call.out(f"Updating {repo.short(head)}..{repo.short(theirs)}\n")
        switch_files(repo, repo.files(head), repo.files(theirs), what="merge")
        repo.write("ORIG_HEAD", f"{head}\n".encode())
        repo.set_ref("HEAD", theirs, f"merge {name}: Fast-forward")
        found = difference.renamed(difference.changes(repo, repo.files(head), repo.files(theirs)))
        call.out("Fast-forward\n" + difference.stat(found, colour=call.stdout_tty) + difference.summary(found))
        return 0
    if options.has("ff-only"):
        raise fatal("Not possible to fast-forward, aborting.")
    moving = between(repo.files(base), repo.files(theirs))
    dirty = sorted(path for path in {**changed(repo, staged(repo)), **between(repo.files(head), staged(repo))} if path in moving)
    if dirty:
        names = "".join(f"\t{path}\n" for path in dirty)
        raise Failed(
            f"error: Your local changes to the following files would be overwritten by merge:\n{names}"
            "Please commit your changes or stash them before you merge.\nAborting\nMerge with strategy ort failed.",
            2,
        )
    conflicts = merge_files(repo, repo.files(base) if base else {}, repo.files(head), repo.files(theirs), "HEAD", name)
    message = "\n\n".join(options.all("m", "message")) or subject
    if options.has("squash"):
        call.out(
            "Squash commit -- not updating HEAD\n"
            + ("" if conflicts else "Automatic merge went well; stopped before committing as requested\n")
        )
        repo.write("MERGE_MSG", b"Squashed commit of the following:\n")
        return 1 if conflicts else 0
    if conflicts or options.has("no-commit"):
        repo.write("MERGE_HEAD", f"{theirs}\n".encode())
        repo.write("MERGE_MODE", b"")
        listed = "".join(f"#\t{path}\n" for path in conflicts)
        repo.write("MERGE_MSG", f"{message}\n".encode() + (f"\n# Conflicts:\n{listed}".encode() if conflicts else b""))
        if conflicts:
            call.out("Automatic merge failed; fix conflicts and then commit the result.\n")
            return 1
        call.out("Automatic merge went well; stopped before committing as requested\n")
        return 0
    if not options.has("m", "message", "no-edit") and call.stdin_tty and call.stdout_tty:
        notes = (
            f"{message}\n# Please enter a commit message to explain why this merge is necessary,\n# especially if it merges an updated upstream "
            "into a topic branch.\n#\n# Lines starting with '#' will be ignored, and an empty message aborts\n# the commit.\n"
        )
        repo.write("MERGE_MSG", notes.encode())
        message = (yield from edited(repo, "MERGE_MSG")) or ""
        repo.remove("MERGE_MSG")
        if not cleaned(message):
            raise Failed("error: Empty commit message.\nNot committing merge; use 'git commit' to complete the merge.", 1)
    made = make(repo, repo.put_tree(staged(repo)), [head, theirs], cleaned(message))
    repo.write("ORIG_HEAD", f"{head}\n".encode())
    repo.set_ref("HEAD", made, f"merge {name}: Merge made by the 'ort' strategy.")
    found = difference.renamed(difference.changes(repo, repo.files(head), repo.files(made)))
    call.out("Merge made by the 'ort' strategy.\n" + difference.stat(found, colour=call.stdout_tty) + difference.summary(found))
    return 0


def pick(repo: Repository, options: Options, *, undo: bool = False) -> Code:
    """`git cherry-pick COMMIT…` and `git revert [--no-edit] COMMIT…`."""
    verb, mark = ("revert", "REVERT_HEAD") if undo else ("cherry-pick", "CHERRY_PICK_HEAD")
    if options.has("abort"):
        if repo.read(mark) is None:
            raise Failed(f"error: no cherry-pick or revert in progress\nfatal: {verb} failed")
        switch_files(repo, repo.files(repo.head), repo.files(repo.head), force=True)
        for name in (mark, "MERGE_MSG"):
            repo.remove(name)
        return 0
    if options.has("continue"):
        from .history import commit

        return (yield from commit(repo, Options("commit", ["--no-edit"], "no-edit")))
    if not options.rest:
        raise Failed(f"usage: git {verb} [<options>] <commit-ish>...", 129)
    if unmerged(repo):
        raise Failed(
            f"error: {'Reverting' if undo else 'Cherry-picking'} is not possible because you have unmerged files.\n"
            "hint: Fix them up in the work tree, and then use 'git add/rm <file>'\n"
            f"hint: as appropriate to mark resolution and make a commit.\nfatal: {verb} failed"
        )
    if changed(repo, staged(repo)) or between(repo.files(repo.head), staged(repo)):
        raise Failed(
            f"error: your local changes would be overwritten by {verb}.\nhint: commit your changes or stash them to proceed.\nfatal: {verb} failed"
        )
    for word in options.rest:
        one = repo.commit(repo.need(word))
        if len(one.parents) > 1:
            raise Failed(f"error: commit {one.sha} is a merge but no -m option was given.\nfatal: {verb} failed")
        before, after = repo.files(one.parents[0]) if one.parents else {}, repo.files(one.sha)
        if undo:
            before, after = after, before
        label = f"parent of {repo.short(one.sha)} ({one.subject})" if undo else f"{repo.short(one.sha)} ({one.subject})"
        conflicts = merge_files(repo, before, repo.files(repo.head), after, "HEAD", label)
        message = f'Revert "{one.subject}"\n\nThis reverts commit {one.sha}.\n' if undo else one.message
        if conflicts:
            repo.write(mark, f"{one.sha}\n".encode())
            repo.write("MERGE_MSG", message.encode())
            hint = "".join(
                f"hint: {line}\n"
                for line in (
                    "After resolving the conflicts, mark them with",
                    '"git add/rm <pathspec>", then run',
                    f'"git {verb} --continue".',
                    f'You can instead skip this commit with "git {verb} --skip".',
                    f'To abort and get back to the state before "git {verb}",',
                    f'run "git {verb} --abort".',
                )
            )
            raise Failed(
                f"error: could not {'revert' if undo else 'apply'} {repo.short(one.sha)}... {one.subject}\n{hint}".rstrip("\n"), 1
            )
        if options.has("n", "no-commit"):
            continue
        if undo and not options.has("no-edit") and repo.call.stdin_tty:
            repo.write("COMMIT_EDITMSG", message.encode())
            message = cleaned((yield from edited(repo, "COMMIT_EDITMSG")))
        sha = make(repo, repo.put_tree(staged(repo)), [repo.head], message, "" if undo else one.author)
        repo.set_ref("HEAD", sha, f"{verb}: {repo.commit(sha).subject}")
        repo.call.out(told(repo, sha, dated=not undo))
    return 0
