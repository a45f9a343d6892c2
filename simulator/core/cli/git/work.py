"""`init`, `add`, `rm`, `mv`, `clean`, `restore`, `config`, `ls-files`, `stash`: the working folder, the index and settings."""

from __future__ import annotations

import posixpath
import re

from ...host import files
from ...host.invocation import Call
from . import difference
from .options import Options
from .store import Config, Failed, Repository, fatal, global_config, home, ident, put, setting
from .worktree import (
    Ignore,
    between,
    changed,
    drop,
    hashed,
    inside,
    look,
    matching,
    place,
    read_index,
    select,
    shown,
    staged,
    switch_files,
    unmerged,
    untracked,
    walk,
    write_index,
)

_DESCRIPTION = "Unnamed repository; edit this file 'description' to name the repository.\n"
_HINT = """hint: Using 'master' as the name for the initial branch. This default branch name
hint: is subject to change. To configure the initial branch name to use in all
hint: of your new repositories, which will suppress this warning, call:
hint:
hint: \tgit config --global init.defaultBranch <name>
hint:
hint: Names commonly chosen instead of 'master' are 'main', 'trunk' and
hint: 'development'. The just-created branch can be renamed via this command:
hint:
hint: \tgit branch -m <name>
"""


def create(call: Call, folder: str, *, bare: bool, branch: str) -> Repository:
    """Make an empty repository."""
    git = folder if bare else f"{folder.rstrip('/')}/.git"
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags", "hooks", "info", "branches"):
        files.make_dir(call.world, call.host, f"{git}/{name}", mnt=call.proc.mnt, parents=True, uid=call.uid, gid=call.gid)
    repo = Repository(call, git, "" if bare else folder)
    repo.write("HEAD", f"ref: refs/heads/{branch}\n".encode())
    repo.write("description", _DESCRIPTION.encode())
    repo.write("info/exclude", b"# git ls-files --others --exclude-from=.git/info/exclude\n")
    config = Config()
    for name, value in (("repositoryformatversion", "0"), ("filemode", "true"), ("bare", "true" if bare else "false")):
        config.set(f"core.{name}", value)
    if not bare:
        config.set("core.logallrefupdates", "true")
    repo.write("config", config.text().encode())
    return repo


def init(call: Call, words: list[str]) -> int:
    """`git init [-q] [--bare] [-b NAME] [FOLDER]`."""
    options = Options("init", words, "q quiet bare", "b initial-branch")
    folder = call.path(options.rest[0]) if options.rest else call.cwd
    bare = options.has("bare")
    git = folder if bare else f"{folder.rstrip('/')}/.git"
    again = call.tree.exists(f"{git}/HEAD")
    named = options.value("b", "initial-branch") or setting(call, None, "init.defaultBranch")
    if not again:
        create(call, folder, bare=bare, branch=named or "master")
        if not named and not options.has("q", "quiet"):
            call.err(_HINT)
    if not options.has("q", "quiet"):
        call.out(f"{'Reinitialized existing' if again else 'Initialized empty'} Git repository in {git.rstrip('/')}/\n")
    return 0


def add(repo: Repository, options: Options) -> int:
    """`git add [-A|-u] [-n] [-v] [-f] PATH…`."""
    call = repo.call
    everything = options.has("A", "all") or options.has("u", "update")
    words = [*options.rest, *(options.paths or [])]
    if not words and not everything:
        call.err("Nothing specified, nothing added.\nhint: Maybe you wanted to say 'git add .'?\n")
        call.err('hint: Turn this message off by running\nhint: "git config advice.addEmptyPathspec false"\n')
        return 0
    ignore = Ignore(repo)
    index = {one.path: one for one in read_index(repo)}
    present = walk(repo, None if options.has("f", "force") else ignore)
    known = set(index)
    wanted: dict[str, None] = {}
    refused: list[str] = []
    for word in words or [repo.work]:
        spec = inside(repo, word)
        found = matching(set(present) | known, spec)
        if options.has("u", "update"):
            found = [path for path in found if path in known]
        if not found and spec:
            if (look(repo, spec) is not None or call.isdir(word)) and not options.has("u", "update"):
                if any(ignore.says(part, True) for part in _steps(spec)):
                    refused.append(word)
                continue
            raise fatal(f"pathspec '{word}' did not match any files")
        wanted |= dict.fromkeys(found)
    if refused:
        names = "".join(f"{word}\n" for word in refused)
        raise Failed(
            f"The following paths are ignored by one of your .gitignore files:\n{names}hint: Use -f if you really want to add them.\n"
            'hint: Turn this message off by running\nhint: "git config advice.addIgnoredFile false"',
            1,
        )
    kept = {(one.path, one.stage): one for one in read_index(repo) if one.path not in wanted or one.path.endswith("/")}
    for path in wanted:
        if path.endswith("/"):
            raise Failed(f"git: add {path}: repositories in repositories: not simulated in Slipway yet", 1)
        entry = hashed(repo, path, keep=not options.has("n", "dry-run"))
        if options.has("v", "verbose", "n", "dry-run") and (entry is None or index.get(path) != entry):
            call.out(f"{'add' if entry is not None else 'remove'} '{path}'\n")
        if entry is not None:
            kept[path, 0] = entry
    if not options.has("n", "dry-run"):
        write_index(repo, list(kept.values()))
    return 0


def _steps(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:n]) for n in range(1, len(parts) + 1)]


def rm(repo: Repository, options: Options) -> int:
    """`git rm [-r] [-f] [--cached] PATH…`."""
    call, index = repo.call, {one.path: one for one in read_index(repo)}
    head, dirty = repo.files(repo.head), changed(repo, staged(repo))
    gone: dict[str, None] = {}
    for word in [*options.rest, *(options.paths or [])]:
        spec = inside(repo, word)
        found = matching(set(index), spec)
        if not found:
            if options.has("ignore-unmatch"):
                continue
            raise fatal(f"pathspec '{word}' did not match any files")
        if spec not in index and not options.has("r") and not any(mark in spec for mark in "*?["):
            raise fatal(f"not removing '{word}' recursively without -r")
        gone |= dict.fromkeys(found)
    if not options.has("f", "force") and not options.has("cached"):
        local = [path for path in gone if dirty.get(path) in ("M", "T")]
        ready = [path for path in gone if path not in local and (path not in head or head[path][1:3] != index[path][1:3])]
        for found, what, how in (
            (ready, "changes staged in the index", "use --cached to keep the file, or -f to force removal"),
            (local, "local modifications", "use --cached to keep the file, or -f to force removal"),
        ):
            if found:
                many = len(found) > 1
                names = "".join(f"\n    {path}" for path in found)
                raise Failed(f"error: the following file{'s have' if many else ' has'} {what}:{names}\n({how})", 1)
    for path in gone:
        if not options.has("q", "quiet"):
            call.out(f"rm '{path}'\n")
        if not options.has("cached"):
            drop(repo, path)
        index.pop(path)
    write_index(repo, list(index.values()))
    return 0


def mv(repo: Repository, options: Options) -> int:
    """`git mv [-f] SOURCE… DESTINATION`."""
    call, index = repo.call, {one.path: one for one in read_index(repo)}
    if len(options.rest) < 2:
        raise Failed(
            "usage: git mv [-v] [-f] [-n] [-k] <source> <destination>\n   or: git mv [-v] [-f] [-n] [-k] <source>... <destination-directory>",
            129,
        )
    *sources, last = options.rest
    into = call.isdir(last)
    for word in sources:
        old = inside(repo, word)
        new = inside(repo, posixpath.join(last, posixpath.basename(word.rstrip("/"))) if into else last)
        moved = matching(set(index), old)
        if not call.exists(word):
            raise fatal(f"bad source, source={old}, destination={new}")
        if not moved:
            raise fatal(f"not under version control, source={old}, destination={new}")
        if call.tree.exists(f"{repo.work}/{new}") and not options.has("f", "force"):
            raise fatal(f"destination exists, source={old}, destination={new}")
        files.rename_file(call.world, call.host, f"{repo.work}/{old}", f"{repo.work}/{new}", mnt=call.proc.mnt)
        for path in moved:
            entry = index.pop(path)
            target = new + path[len(old) :]
            index[target] = entry._replace(path=target)
    write_index(repo, list(index.values()))
    return 0


def clean(repo: Repository, options: Options) -> int:
    """`git clean -f|-n [-d] [-x]`."""
    if not options.has("f", "force", "n", "dry-run"):
        raise fatal("clean.requireForce defaults to true and neither -i, -n, nor -f given; refusing to clean")
    known = {one.path for one in read_index(repo)}
    found = untracked(repo, known)
    if options.has("x"):
        found = sorted({*found, *(path for path in walk(repo, None) if path not in known)})
    dry = options.has("n", "dry-run")
    for path in found:
        if path.endswith("/") and not options.has("d"):
            continue
        repo.call.out(f"{'Would remove' if dry else 'Removing'} {shown(repo, path)}\n")
        if not dry:
            files.remove_file(
                repo.call.world, repo.call.host, f"{repo.work}/{path.rstrip('/')}", mnt=repo.call.proc.mnt, recursive=True
            )
    return 0


def restore(repo: Repository, options: Options) -> int:
    """`git restore [--staged] [--worktree] [-s REVISION] PATH…`."""
    words = [*options.rest, *(options.paths or [])]
    if not words:
        raise fatal("you must specify path(s) to restore")
    source = options.value("s", "source") or ("HEAD" if options.has("S", "staged") else "")
    restore_paths(
        repo, words, source, index=options.has("S", "staged"), work=options.has("W", "worktree") or not options.has("S", "staged")
    )
    return 0


def restore_paths(repo: Repository, words: list[str], source: str, *, index: bool, work: bool) -> int:
    """Bring files back as they are in `source` ("" is the index); how many."""
    entries = {one.path: one for one in read_index(repo) if not one.stage}
    conflicts = unmerged(repo)
    wanted = entries if not source else repo.files(repo.need(source)) if source != "HEAD" or repo.head else {}
    for path in (
        select(repo, set(entries) | set(wanted), words)
        if not conflicts
        else select(repo, set(entries) | set(wanted) | set(conflicts), words)
    ):
        if path in conflicts and not source:
            raise Failed(f"error: path '{path}' is unmerged", 1)
        if path in wanted:
            if work:
                place(repo, wanted[path])
            if index or source:
                entries[path] = wanted[path] if index else entries.get(path, wanted[path])
        else:
            if work:
                drop(repo, path)
            if index:
                entries.pop(path, None)
    chosen = select(repo, set(entries) | set(wanted) | set(conflicts), words) if words else []
    if index or conflicts:
        still = [one for one in read_index(repo) if one.stage and one.path not in chosen]
        write_index(repo, [*entries.values(), *still])
    return len(chosen)


def ls_files(repo: Repository, options: Options) -> int:
    """`git ls-files [-s] [-o] [-m] [-d]`."""
    index = read_index(repo)
    words = [*options.rest, *(options.paths or [])]
    if options.has("o", "others"):
        found = untracked(repo, {one.path for one in index}, whole=True)
    elif options.has("m", "modified", "d", "deleted"):
        dirty = changed(repo, staged(repo))
        found = sorted(path for path, how in dirty.items() if how == "D" or options.has("m", "modified"))
    else:
        found = [one.path for one in index]
    if words:
        found = [path for path in found if any(path in matching(found, inside(repo, word)) for word in words)]
    for path in dict.fromkeys(found):
        if options.has("s", "stage"):
            for one in index:
                if one.path == path:
                    repo.call.out(f"{one.mode:o} {one.sha} {one.stage}\t{shown(repo, path)}\n")
        else:
            repo.call.out(f"{shown(repo, path)}\n")
    return 0


def config(call: Call, repo: Repository | None, words: list[str]) -> int:
    """`git config [--global|--local|--system|-f FILE] [--list|--get|--get-all|--unset|--add|--remove-section] NAME [VALUE]`."""
    options = Options(
        "config", words,
        "global local system l list get get-all unset unset-all add e edit show-origin remove-section bool int name-only replace-all z", "f file default type",
    )  # fmt: skip
    if options.has("f", "file"):
        path = call.path(options.value("f", "file"))
    elif options.has("global"):
        path = f"{home(call)}/.gitconfig"
    elif options.has("system"):
        path = "/etc/gitconfig"
    else:
        path = f"{repo.git}/config" if repo is not None else ""
    texts = call.tree.read(path).decode("utf-8", "surrogateescape") if path and call.tree.exists(path) else ""
    here = Config(texts)
    one_file = options.has("global", "local", "system", "f", "file")
    if options.has("local") and repo is None:
        raise fatal("--local can only be used inside a git repository")
    if options.has("l", "list"):
        rows = here.items() if one_file else global_config(call).items() + (here.items() if repo is not None else [])
        if one_file and not call.tree.exists(path):
            raise fatal(f"unable to read config file '{path}': No such file or directory")
        call.out("".join(f"{name}{'' if options.has('name-only') else '=' + value}\n" for name, value in rows))
        return 0
    if options.has("e", "edit"):
        raise Failed("git: config --edit: not simulated in Slipway yet", 1)
    rest = options.rest
    if not rest:
        raise Failed("usage: git config [<options>]", 129)
    name = rest[0]
    if not options.has("remove-section") and not re.fullmatch(r"[A-Za-z][\w-]*\.(?:.*\.)?[A-Za-z][\w-]*", name):
        raise Failed(f"error: key does not contain a section: {name}" if "." not in name else f"error: invalid key: {name}", 1)
    if options.has("unset", "unset-all", "remove-section"):
        if options.has("remove-section"):
            here.drop(name if "." not in name else '{} "{}"'.format(*name.split(".", 1)))
        elif not here.unset(name):
            return 5
        put(call, path, here.text().encode())
        return 0
    if len(rest) == 1 or options.has("get", "get-all"):
        values = here.all(name) if one_file else (global_config(call).all(name) + (here.all(name) if repo is not None else []))
        if not one_file and (given := setting(call, repo, name)) and not values:
            values = [given]
        if not values:
            if options.has("default"):
                call.out(options.value("default") + "\n")
                return 0
            return 1
        call.out("".join(f"{value}\n" for value in (values if options.has("get-all") else values[-1:])))
        return 0
    if not path:
        raise fatal("not in a git directory")
    here.set(name, rest[1], add=options.has("add"))
    put(call, path, here.text().encode("utf-8", "surrogateescape"))
    return 0


def stash(repo: Repository, words: list[str]) -> int:
    """`git stash [push|pop|apply|list|drop|show|clear]`."""
    verb = words[0] if words and not words[0].startswith("-") else "push"
    options = Options(
        f"stash {verb}", words[1:] if words and words[0] == verb else words, "u include-untracked q quiet p index", "m message"
    )
    call = repo.call
    rows = repo.logged("refs/stash")
    if verb == "list":
        call.out("".join(f"stash@{{{n}}}: {why}\n" for n, (_, why) in enumerate(rows)))
        return 0
    if verb in ("push", "save"):
        return _save(repo, options)
    if verb == "clear":
        repo.delete_ref("refs/stash")
        return 0
    if verb not in ("pop", "apply", "drop", "show"):
        raise Failed(f"git: stash {verb}: not simulated in Slipway yet", 1)
    number = re.fullmatch(r"(?:stash@\{)?(\d+)\}?", options.rest[0]) if options.rest else None
    at = int(number[1]) if number else 0
    if not rows:
        raise Failed("No stash entries found.", 1)
    if at >= len(rows):
        raise Failed(f"error: stash@{{{at}}} is not a valid reference", 1)
    sha = rows[at][0]
    kept = repo.commit(sha)
    base = repo.files(kept.parents[0])
    if verb == "show":
        found = difference.changes(repo, base, repo.files(sha))
        call.out(difference.patch(repo, found) if options.has("p") else difference.stat(found))
        return 0
    if verb in ("pop", "apply"):
        from .merging import merge_files

        if changed(repo, staged(repo)):
            dirty = set(changed(repo, staged(repo))) & set(between(base, repo.files(sha)))
            if dirty:
                names = "".join(f"\t{path}\n" for path in sorted(dirty))
                raise Failed(
                    "error: Your local changes to the following files would be overwritten by merge:\n"
                    f"{names}Please commit your changes or stash them before you merge.\nAborting",
                    1,
                )
        index = staged(repo)
        conflicts = merge_files(repo, base, repo.files(repo.head), repo.files(sha), "Updated upstream", "Stashed changes")
        if len(kept.parents) > 2:
            for entry in repo.files(kept.parents[2]).values():
                place(repo, entry)
        if not conflicts:  # what was changed is not staged again, what is new is
            new = {p: e for p, e in repo.files(sha).items() if p not in base}
            write_index(repo, [*({**index, **new}).values()])
        from .status import long

        call.out(long(repo, colour=call.stdout_tty))
        if conflicts:
            call.out("The stash entry is kept in case you need it again.\n")
            return 1
    if verb in ("pop", "drop"):
        lines = (repo.read("logs/refs/stash") or b"").decode().splitlines(keepends=True)
        del lines[len(lines) - 1 - at]
        if lines:
            repo.write("logs/refs/stash", "".join(lines).encode())
            repo.write("refs/stash", lines[-1].split()[1].encode() + b"\n")
        else:
            repo.delete_ref("refs/stash")
        call.out(f"Dropped {'refs/stash@{0}' if not at else f'stash@{{{at}}}'} ({sha})\n")
    return 0


def _save(repo: Repository, options: Options) -> int:
    call, index = repo.call, staged(repo)
    if not repo.head:
        raise Failed("You do not have the initial commit yet", 1)
    if unmerged(repo):
        call.out("".join(f"{path}: needs merge\n" for path in sorted(unmerged(repo))))
        return 1
    head = repo.files(repo.head)
    dirty = changed(repo, index)
    loose = untracked(repo, set(index), whole=True) if options.has("u", "include-untracked") else []
    if not dirty and not between(head, index) and not loose:
        call.out("No local changes to save\n")
        return 0
    who = ident(repo, "COMMITTER")
    subject = f"{repo.short(repo.head)} {repo.commit(repo.head).subject}"
    where = repo.branch or "(no branch)"
    message = options.value("m", "message") or " ".join(options.rest)
    told = f"On {where}: {message}" if message else f"WIP on {where}: {subject}"

    def keep(tree: str, parents: list[str], text: str) -> str:
        lines = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {who}", f"committer {who}", "", text]
        return repo.put("commit", ("\n".join(lines) + "\n").encode())

    now = dict(index)
    for path in dirty:
        entry = hashed(repo, path, keep=True)
        if entry is None:
            now.pop(path)
        else:
            now[path] = entry
    of_index = keep(repo.put_tree(index), [repo.head], f"index on {where}: {subject}")
    parents = [repo.head, of_index]
    if loose:
        found = {path: entry for path in loose if (entry := hashed(repo, path, keep=True)) is not None}
        parents.append(keep(repo.put_tree(found), [], f"untracked files on {where}: {subject}"))
    repo.set_ref("refs/stash", keep(repo.put_tree(now), parents, told), told)
    switch_files(repo, index, head, force=True)
    for path in loose:
        drop(repo, path)
    call.out(f"Saved working directory and index state {told}\n")
    return 0
