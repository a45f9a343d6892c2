"""`clone`, `remote`, `fetch`, `pull`, `push`: other repositories on this machine or, over ssh, on another of the world.

Repositories of the outside world are not there, but what whoever runs the world brings along (`world.tables["repositories"]`: address →
files, or None) can be cloned.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Generator
from typing import Any

from ...host.dns import OUTSIDE
from ...host.invocation import Call
from ...host.program import Wait
from ...shell.coreutils import internet
from .history import make
from .merging import join
from .options import Options
from .store import PLAIN, PROGRAM, Entry, Failed, Repository, discover, fatal, setting
from .work import create
from .worktree import switch_files

Code = Generator[Wait, Any, int]
#: The author of a repository that is brought along.
_AUTHOR = "Upstream <upstream@example.com>"


def locate(call: Call, url: str) -> Repository | None:
    """The repository that a path or a `file://` address means; None for one of the outside."""
    if re.match(r"(?:https?|git|ssh)://|[\w.-]+@[\w.-]+:", url) or (re.match(r"[\w.-]+:", url) and not url.startswith("file:")):
        return None
    path = call.path(url.removeprefix("file://"))
    for one in (path, f"{path}.git"):
        found = discover(call, one) if call.tree.isdir(one) else None
        if found is not None and one in (found.work, found.git):
            return found
    raise fatal(f"repository '{url}' does not exist")


def _outside(call: Call, url: str, repo: Repository) -> str:
    """Bring what the outside has into an empty repository; its commit.  Raises `Failed` with the real tool's words where nothing answers."""
    if not re.match(r"https?://", url):
        raise Failed(f"git: {url}: repositories over ssh: not simulated in Slipway yet", 128)
    host = url.partition("://")[2].partition("/")[0]
    given = call.world.tables["repositories"](url) if "repositories" in call.world.tables else None
    given = given or internet.repository(url)
    if given is None:
        if host not in OUTSIDE:
            raise fatal(f"unable to access '{url.rstrip('/')}/': Could not resolve host: {host}")
        raise fatal(f"unable to access '{url.rstrip('/')}/': {internet.ABSENT}")
    entries = {
        path: Entry(path, PROGRAM if mode & 0o100 else PLAIN, repo.put("blob", data)) for path, (data, mode) in given.items()
    }
    env = dict(call.env)
    call.env.update(dict.fromkeys(("GIT_AUTHOR_DATE", "GIT_COMMITTER_DATE"), "@1790000000 +0000"))
    call.env.update(
        {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", _AUTHOR.split()[0]), ("EMAIL", _AUTHOR.split("<")[1][:-1]))
        }
    )
    try:
        return make(repo, repo.put_tree(entries), [], "Current state of the repository\n")
    finally:
        call.env.clear()
        call.env.update(env)


def copy(source: Repository, target: Repository, *starts: str) -> int:
    """Copy every object that commits or tags need; how many."""
    todo, count = [sha for sha in starts if sha], 0
    while todo:
        sha = todo.pop()
        if target.has(sha):
            continue
        kind, data = source.get(sha)
        target.put(kind, data)
        count += 1
        if kind == "commit":
            one = source.commit(sha)
            todo += [one.tree, *one.parents]
        elif kind == "tree":
            todo += [child for _, mode, child in source.rows(sha) if mode != 0o160000]
        elif kind == "tag":
            todo.append(data.split()[1].decode())
    return count


def clone(call: Call, words: list[str]) -> int:
    """`git clone [-b BRANCH] [--depth N] [--bare] [-o NAME] [-q] REPOSITORY [FOLDER]`."""
    options = Options(
        "clone",
        words,
        "q quiet bare mirror single-branch no-single-branch recursive recurse-submodules v verbose progress no-tags n no-checkout l local",
        "b branch depth o origin c config j jobs filter",
    )
    if not options.rest:
        raise Failed("fatal: You must specify a repository to clone.\n\nusage: git clone [<options>] [--] <repo> [<dir>]", 129)
    url = options.rest[0]
    name = posixpath.basename(re.sub(r"/?(?:\.git)?/?$", "", url).replace(":", "/"))
    bare = options.has("bare", "mirror")
    into = options.rest[1] if len(options.rest) > 1 else name + (".git" if bare else "")
    folder = call.path(into)
    if call.tree.exists(folder) and (not call.tree.isdir(folder) or call.tree.listdir(folder)):
        raise fatal(f"destination path '{into}' already exists and is not an empty directory.")
    source = locate(call, url)
    quiet = options.has("q", "quiet")
    if not quiet:
        call.err(f"Cloning into {'bare repository ' if bare else ''}'{into}'...\n")
    origin = options.value("o", "origin", default="origin")
    there = call.tree.exists(folder)
    try:
        repo, heads, tags, head = _received(call, url, folder, source, bare=bare)
    except Failed:
        if not there and call.tree.exists(folder):
            from ...host import files

            files.remove_file(call.world, call.host, folder, mnt=call.proc.mnt, recursive=True)
        raise
    wanted = options.value("b", "branch") or head
    if options.has("b", "branch") and wanted not in heads and wanted not in tags:
        raise fatal(f"Remote branch {wanted} not found in upstream {origin}")
    if source is not None and not quiet and heads:
        call.err("done.\n")
    for tag, sha in tags.items():
        repo.write(f"refs/tags/{tag}", f"{sha}\n".encode())
    repo.configure(f"remote.{origin}.url", url if source is None or url.startswith("file://") else source.work or source.git)
    if bare:
        for branch, sha in heads.items():
            repo.write(f"refs/heads/{branch}", f"{sha}\n".encode())
        repo.write("HEAD", f"ref: refs/heads/{wanted or 'master'}\n".encode())
        return 0
    repo.configure(f"remote.{origin}.fetch", f"+refs/heads/*:refs/remotes/{origin}/*")
    for branch, sha in heads.items():
        repo.set_ref(f"refs/remotes/{origin}/{branch}", sha, f"clone: from {url}")
    if not heads:
        call.err("warning: You appear to have cloned an empty repository.\n" + ("" if quiet or source is None else "done.\n"))
        empty = source.branch if source is not None else setting(call, None, "init.defaultBranch", "master")
        repo.write("HEAD", f"ref: refs/heads/{empty}\n".encode())
        repo.configure(f"branch.{empty}.remote", origin)
        repo.configure(f"branch.{empty}.merge", f"refs/heads/{empty}")
        return 0
    repo.write(f"refs/remotes/{origin}/HEAD", f"ref: refs/remotes/{origin}/{head}\n".encode())
    if wanted in heads:
        repo.write("HEAD", f"ref: refs/heads/{wanted}\n".encode())
        repo.set_ref("HEAD", heads[wanted], f"clone: from {url}")
        repo.configure(f"branch.{wanted}.remote", origin)
        repo.configure(f"branch.{wanted}.merge", f"refs/heads/{wanted}")
    else:
        repo.write("HEAD", f"{repo.commit(tags[wanted]).sha}\n".encode())
    if not options.has("n", "no-checkout"):
        switch_files(repo, {}, repo.files(repo.head), force=True)
    return 0


def _received(
    call: Call, url: str, folder: str, source: Repository | None, *, bare: bool
) -> tuple[Repository, dict[str, str], dict[str, str], str]:
    """(the new repository, its branches, its tags, the remote's own branch)."""
    repo = create(call, folder, bare=bare, branch="master")
    if source is None:
        sha = _outside(call, url, repo)
        count = len(repo.cache)
        call.err(
            f"remote: Enumerating objects: {count}, done.\nremote: Total {count} (delta 0), reused 0 (delta 0), pack-reused {count}\nReceiving objects: 100% ({count}/{count}), done.\n"
        )
        return repo, {"main": sha}, {}, "main"
    heads, tags = source.refs("refs/heads/"), source.refs("refs/tags/")
    copy(source, repo, *heads.values(), *tags.values(), source.head)
    return repo, heads, tags, source.branch if source.branch in heads else next(iter(heads), "")


def remote(repo: Repository, words: list[str]) -> int:
    """`git remote [-v]`, `add`, `remove`, `rename`, `set-url`, `get-url`, `show`."""
    call, config = repo.call, repo.config
    names = list(
        dict.fromkeys(name.split(".", 1)[1].rpartition(".")[0] for name, _ in config.items() if name.startswith("remote."))
    )
    verb, rest = (words[0], words[1:]) if words else ("", [])
    if verb in ("", "-v", "--verbose") or (verb == "show" and not rest):
        for name in sorted(names):
            urls = config.all(f"remote.{name}.url")
            call.out(
                "".join(f"{name}\t{urls[0]} ({way})\n" for way in ("fetch", "push"))
                if verb.startswith("-") and urls
                else f"{name}\n"
            )
        return 0
    rest = [word for word in rest if not word.startswith("-")]
    if verb == "add" and len(rest) == 2:
        if rest[0] in names:
            raise Failed(f"error: remote {rest[0]} already exists.", 3)
        repo.configure(f"remote.{rest[0]}.url", rest[1])
        repo.configure(f"remote.{rest[0]}.fetch", f"+refs/heads/*:refs/remotes/{rest[0]}/*")
        return 0
    if verb in ("remove", "rm", "rename", "set-url", "get-url", "show") and rest:
        if rest[0] not in names:
            raise Failed(f"error: No such remote{':' if verb in ('remove', 'rm', 'rename') else ''} '{rest[0]}'", 2)
        section = f'remote "{rest[0]}"'
        if verb == "get-url":
            call.out(f"{config.all(f'remote.{rest[0]}.url')[0]}\n")
            return 0
        if verb == "set-url":
            repo.configure(f"remote.{rest[0]}.url", rest[1])
            return 0
        if verb in ("remove", "rm"):
            config.drop(section)
            repo.write("config", config.text().encode())
            for name in repo.refs(f"refs/remotes/{rest[0]}/"):
                repo.delete_ref(f"refs/remotes/{rest[0]}/{name}")
            return 0
    raise Failed(f"git: remote {verb}: not simulated in Slipway yet", 1)


def _of(repo: Repository, name: str) -> tuple[str, str]:
    """(name, address) of a remote; "" without one."""
    if not name:
        configured = repo.config.all(f"branch.{repo.branch}.remote")
        name = configured[-1] if configured else "origin"
    urls = repo.config.all(f"remote.{name}.url")
    return name, urls[-1] if urls else ""


def _missing(name: str) -> Failed:
    return Failed(
        f"fatal: '{name}' does not appear to be a git repository\nfatal: Could not read from remote repository.\n\n"
        "Please make sure you have the correct access rights\nand the repository exists."
    )


def _open(call: Call, name: str, url: str) -> Repository:
    if not url and not call.exists(name):
        raise _missing(name)
    try:
        found = locate(call, url or name)
    except Failed:
        raise _missing(url or name) from None
    if found is None:
        host = re.sub(r".*@|^\w+://", "", url).split("/")[0].split(":")[0]
        if url.startswith("http") and host not in OUTSIDE:
            raise fatal(f"unable to access '{url.rstrip('/')}/': Could not resolve host: {host}")
        raise Failed(f"git: {url}: repositories of the outside: not simulated in Slipway yet", 128)
    return found


_FETCH_FIRST = """hint: Updates were rejected because the remote contains work that you do not
hint: have locally. This is usually caused by another repository pushing to
hint: the same ref. If you want to integrate the remote changes, use
hint: 'git pull' before pushing again.
"""
_BEHIND = """hint: Updates were rejected because the tip of your current branch is behind
hint: its remote counterpart. If you want to integrate the remote changes,
hint: use 'git pull' before pushing again.
"""


def _row(old: str, new: str, names: str, kind: str, *, forced: bool) -> str:
    """A line of what moved: ` * [new branch]      a -> b`, `   1234567..89abcde  a -> b`."""
    if not old:
        return f" * {f'[new {kind}]':17} {names}\n"
    dots = "..." if forced else ".."
    return f" {'+' if forced else ' '} {f'{old[:7]}{dots}{new[:7]}':17} {names}{' (forced update)' if forced else ''}\n"


def fetch(repo: Repository, options: Options) -> int:
    """`git fetch [--all] [--tags] [-p] [REMOTE [BRANCH]]`."""
    name, url = _of(repo, options.rest[0] if options.rest else "")
    if not options.rest and not url:
        return 0
    source = _open(repo.call, name, url)
    copy(source, repo, *source.refs("refs/heads/").values(), *source.refs("refs/tags/").values())
    rows: list[str] = []
    only = options.rest[1] if len(options.rest) > 1 else ""
    if only and only not in source.refs("refs/heads/"):
        raise fatal(f"couldn't find remote ref {only}")
    for branch, sha in source.refs("refs/heads/").items():
        if only and branch != only:
            continue
        full = f"refs/remotes/{name}/{branch}"
        old = repo.ref(full)
        repo.write("FETCH_HEAD", f"{sha}\t\tbranch '{branch}' of {url}\n".encode())
        if old == sha:
            continue
        forced = bool(old) and old not in repo.ancestors(sha)
        repo.set_ref(full, sha, "fetch: forced-update" if forced else "fetch: fast-forward" if old else "fetch: storing head")
        rows.append(_row(old, sha, f"{branch:10} -> {name}/{branch}", "branch", forced=forced))
    for tag, sha in source.refs("refs/tags/").items():
        if not repo.ref(f"refs/tags/{tag}"):
            repo.write(f"refs/tags/{tag}", f"{sha}\n".encode())
            rows.append(f" * [new tag]         {tag:10} -> {tag}\n")
    if options.has("p", "prune"):
        for branch in set(repo.refs(f"refs/remotes/{name}/")) - set(source.refs("refs/heads/")) - {"HEAD"}:
            repo.delete_ref(f"refs/remotes/{name}/{branch}")
            rows.append(f" - [deleted]         (none)     -> {name}/{branch}\n")
    if rows and not options.has("q", "quiet"):
        repo.call.err(f"From {url.removesuffix('.git')}\n" + "".join(rows))
    return 0


def pull(repo: Repository, options: Options) -> Code:
    """`git pull [--ff-only|--no-rebase] [REMOTE [BRANCH]]`."""
    call = repo.call
    name, url = _of(repo, options.rest[0] if options.rest else "")
    if not url and not options.rest:
        raise Failed(
            "There is no tracking information for the current branch.\nPlease specify which branch you want to merge with.\n"
            "See git-pull(1) for details.\n\n    git pull <remote> <branch>\n\nIf you wish to set tracking information for this branch you can do so with:\n\n"
            f"    git branch --set-upstream-to=<remote>/<branch> {repo.branch}\n",
            1,
        )
    if options.has("r", "rebase"):
        raise Failed("git: pull --rebase: not simulated in Slipway yet", 1)
    fetch(repo, Options("fetch", options.rest[:1]))
    merge = repo.config.all(f"branch.{repo.branch}.merge")
    branch = options.rest[1] if len(options.rest) > 1 else merge[-1].removeprefix("refs/heads/") if merge else ""
    if not branch:
        raise Failed(
            "There is no tracking information for the current branch.\nPlease specify which branch you want to merge with.", 1
        )
    theirs = repo.ref(f"refs/remotes/{name}/{branch}")
    if not theirs:
        raise fatal(f"couldn't find remote ref {branch}")
    base = repo.base(repo.head, theirs) if repo.head else ""
    settled = options.has("no-rebase", "ff", "no-ff", "ff-only") or setting(call, repo, "pull.rebase") == "false"
    if repo.head and base not in (repo.head, theirs) and not settled:
        raise Failed(
            "hint: You have divergent branches and need to specify how to reconcile them.\nhint: You can do so by running one of the following commands sometime before\n"
            "hint: your next pull:\nhint: \nhint:   git config pull.rebase false  # merge\nhint:   git config pull.rebase true   # rebase\n"
            'hint:   git config pull.ff only       # fast-forward only\nhint: \nhint: You can replace "git config" with "git config --global" to set a default\n'
            "hint: preference for all repositories. You can also pass --rebase, --no-rebase,\nhint: or --ff-only on the command line to override the configured default per\n"
            "hint: invocation.\nfatal: Need to specify how to reconcile divergent branches."
        )
    return (yield from join(repo, theirs, f"{name}/{branch}", f"Merge branch '{branch}' of {url.removesuffix('.git')}", options))


def push(repo: Repository, options: Options) -> int:
    """`git push [-u] [-f] [--tags] [--all] [-d] [REMOTE [BRANCH…]]`."""
    call = repo.call
    name, url = _of(repo, options.rest[0] if options.rest else "")
    if not url and not options.rest:
        raise Failed(
            "fatal: No configured push destination.\nEither specify the URL from the command-line or configure a remote repository using\n\n"
            "    git remote add <name> <url>\n\nand then push using the remote name\n\n    git push <name>\n"
        )
    specs = options.rest[1:]
    if not specs and not options.has("tags", "all"):
        merge = repo.config.all(f"branch.{repo.branch}.merge")
        if not merge and not options.has("u", "set-upstream") and setting(call, repo, "push.default") != "current":
            raise Failed(
                f"fatal: The current branch {repo.branch} has no upstream branch.\nTo push the current branch and set the remote as upstream, use\n\n"
                f"    git push --set-upstream {name} {repo.branch}\n\n"
                "To have this happen automatically for branches without a tracking\nupstream, see 'push.autoSetupRemote' in 'git help config'.\n"
            )
        specs = [repo.branch]
    target = _open(call, name, url)
    moves: list[tuple[str, str, str]] = []  # (mine, full name there, object)
    if options.has("all"):
        specs = sorted(repo.refs("refs/heads/"))
    if options.has("tags"):
        moves += [(tag, f"refs/tags/{tag}", sha) for tag, sha in sorted(repo.refs("refs/tags/").items())]
    for spec in specs:
        mine, _, theirs = spec.lstrip("+").partition(":")
        if options.has("d", "delete"):
            mine, theirs = "", mine
        full = repo.full(mine) if mine else ""
        if mine == "HEAD":
            full, theirs = repo.symbolic(), theirs or repo.branch
        if mine and not full:
            raise Failed(f"error: src refspec {mine} does not match any\nerror: failed to push some refs to '{url}'", 1)
        kind = "refs/tags/" if full.startswith("refs/tags/") else "refs/heads/"
        moves.append((mine, kind + (theirs or mine), repo.ref(full) if full else ""))
    rows, refused = [], False
    for mine, full, sha in moves:
        old, short = target.ref(full), full.split("/", 2)[2]
        if old == sha:
            continue
        if not sha:
            target.delete_ref(full)
            repo.delete_ref(f"refs/remotes/{name}/{short}")
            rows.append(f" - [deleted]         {short}\n")
            continue
        if target.work and full == target.symbolic():
            rows.append(f" ! [remote rejected] {mine} -> {short} (branch is currently checked out)\n")
            refused = True
            continue
        forced = bool(old) and (not repo.has(old) or old not in repo.ancestors(repo.commit(sha).sha))
        if forced and not options.has("f", "force", "force-with-lease"):
            why = "fetch first" if not repo.has(old) else "non-fast-forward"
            rows.append(f" ! [rejected]        {mine} -> {short} ({why})\n")
            refused = True
            continue
        copy(repo, target, sha)
        target.set_ref(full, sha, "push")
        if full.startswith("refs/heads/"):
            repo.set_ref(f"refs/remotes/{name}/{short}", sha, "update by push")
        rows.append(_row(old, sha, f"{mine} -> {short}", "branch" if full.startswith("refs/heads/") else "tag", forced=forced))
    if not rows:
        call.err("Everything up-to-date\n")
    else:
        call.err(f"To {url}\n" + "".join(rows))
    if refused:
        call.err(f"error: failed to push some refs to '{url}'\n")
        if any("fetch first" in row or "non-fast-forward" in row for row in rows):
            call.err(_FETCH_FIRST if any("fetch first" in row for row in rows) else _BEHIND)
            call.err("hint: See the 'Note about fast-forwards' in 'git push --help' for details.\n")
        return 1
    if options.has("u", "set-upstream"):
        for mine, full, _ in moves:
            if full.startswith("refs/heads/"):
                branch = repo.branch if mine == "HEAD" else mine
                repo.configure(f"branch.{branch}.remote", name)
                repo.configure(f"branch.{branch}.merge", full)
                call.out(f"branch '{branch}' set up to track '{name}/{full.removeprefix('refs/heads/')}'.\n")
    return 0
