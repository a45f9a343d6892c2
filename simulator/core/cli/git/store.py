"""A repository's files: objects, references, their logs, configuration (gitrepository-layout(5))."""

from __future__ import annotations

import hashlib
import posixpath
import re
import zlib
from typing import NamedTuple

from ...host import files, users
from ...host.invocation import Call
from ...kernel.clock import SECOND

#: A folder's place in a tree, and a file's modes.
FOLDER, PLAIN, PROGRAM, LINK = 0o40000, 0o100644, 0o100755, 0o120000
NULL = "0" * 40
_SHA = re.compile(r"[0-9a-f]{40}")
_PART = re.compile(r"[0-9a-f]{4,40}")


class Failed(Exception):
    """What ends the command: `fatal:` lines end with 128, `error:` lines with 1."""

    def __init__(self, text: str, code: int = 128) -> None:
        self.code = code
        super().__init__(text)


def fatal(text: str) -> Failed:
    """`fatal: …`, status 128."""
    return Failed(f"fatal: {text}")


class Commit(NamedTuple):
    """A commit: `author` and `committer` are `Name <mail> SECONDS +0000`."""

    sha: str
    tree: str
    parents: list[str]
    author: str
    committer: str
    message: str

    @property
    def subject(self) -> str:
        """The message's first paragraph on one line."""
        return " ".join(self.message.strip("\n").split("\n\n")[0].split("\n"))

    @property
    def when(self) -> int:
        """The committer's time in seconds since 1970."""
        return int(self.committer.split()[-2])


class Entry(NamedTuple):
    """A file of a tree or of the index; `stage` is 1 to 3 while a merge waits for it."""

    path: str
    mode: int
    sha: str
    stage: int = 0


class Config:
    """git-config(1): sections of one file; `section.sub.key` in lower case but for the sub-section."""

    def __init__(self, text: str = "") -> None:
        self.rows: list[tuple[str, str, str]] = []  # (section as written, key, value)
        section = ""
        for line in text.splitlines():
            bare = line.strip()
            if bare.startswith("["):
                section = bare.strip("[]").strip()
            elif bare and bare[0] not in "#;" and section:
                key, _, value = bare.partition("=")
                value = value.strip()
                if len(value) > 1 and value[0] == value[-1] == '"':
                    value = value[1:-1]
                value = value.replace('\\"', '"').replace("\\\\", "\\") if "=" in bare else "true"
                self.rows.append((section, key.strip(), value))

    @staticmethod
    def _name(section: str, key: str) -> str:
        head, _, sub = section.partition(" ")
        return ".".join(part for part in (head.lower(), sub.strip().strip('"'), key.lower()) if part)

    def items(self) -> list[tuple[str, str]]:
        """(name, value) in the file's order."""
        return [(self._name(section, key), value) for section, key, value in self.rows]

    def all(self, name: str) -> list[str]:
        """Every value of a name."""
        head, _, key = name.rpartition(".")
        first, dot, sub = head.partition(".")
        wanted = f"{first.lower()}{dot}{sub}.{key.lower()}"
        return [value for found, value in self.items() if found == wanted]

    def set(self, name: str, value: str, *, add: bool = False) -> None:
        """Set a value, or add one more."""
        head, _, key = name.rpartition(".")
        first, dot, sub = head.partition(".")
        section = f'{first} "{sub}"' if dot else first
        at = [n for n, row in enumerate(self.rows) if self._name(row[0], row[1]) == self._name(section, key)]
        if at and not add:
            self.rows[at[-1]] = (self.rows[at[-1]][0], key, value)
            return
        same = [n for n, row in enumerate(self.rows) if self._name(row[0], "") == self._name(section, "")]
        self.rows.insert(same[-1] + 1 if same else len(self.rows), (section, key, value))

    def unset(self, name: str) -> bool:
        """Take a name out; False when it was not there."""
        kept = [row for row in self.rows if self._name(row[0], row[1]) != name]
        found = len(kept) != len(self.rows)
        self.rows = kept
        return found

    def drop(self, section: str) -> None:
        """Take a section out."""
        self.rows = [row for row in self.rows if row[0] != section]

    def text(self) -> str:
        """The file."""
        out: list[str] = []
        last = ""
        for section, key, value in self.rows:
            if section != last:
                out.append(f"[{section}]")
                last = section
            shown = value.replace("\\", "\\\\").replace('"', '\\"')
            quoted = f'"{shown}"' if re.search(r"[#;]|^\s|\s$", value) else shown
            out.append(f"\t{key} = {quoted}")
        return "".join(line + "\n" for line in out)


class Repository:
    """One repository: `git` is its `.git` (or the folder itself of a bare one), `work` its working folder or ""."""

    def __init__(self, call: Call, git: str, work: str) -> None:
        self.call, self.git, self.work = call, git, work
        self.cache: dict[str, tuple[str, bytes]] = {}

    # -- files ----------------------------------------------------------------------------------------------------------
    def read(self, name: str) -> bytes | None:
        """A file of the repository's own; None when there is none."""
        try:
            return self.call.tree.read(f"{self.git}/{name}")
        except OSError:
            return None

    def write(self, name: str, data: bytes, mode: int = 0o644) -> None:
        """Write a file of the repository's own."""
        put(self.call, f"{self.git}/{name}", data, mode)

    def remove(self, name: str) -> None:
        """Remove a file of the repository's own, if it is there."""
        if self.call.tree.exists(f"{self.git}/{name}"):
            files.remove_file(self.call.world, self.call.host, f"{self.git}/{name}", mnt=self.call.proc.mnt)

    def names(self, folder: str) -> list[str]:
        """The files below a folder of the repository, as paths below that folder."""
        top = f"{self.git}/{folder}"
        if not self.call.tree.isdir(top):
            return []
        return [path[len(top) + 1 :] for path, node in self.call.tree.walk(top) if node.kind != "dir"]

    # -- objects --------------------------------------------------------------------------------------------------------
    def put(self, kind: str, data: bytes) -> str:
        """Keep an object; its name."""
        raw = f"{kind} {len(data)}\0".encode() + data
        sha = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
        if not self.has(sha):
            self.write(f"objects/{sha[:2]}/{sha[2:]}", zlib.compress(raw, 1), 0o444)
        self.cache[sha] = (kind, data)
        return sha

    def has(self, sha: str) -> bool:
        """Whether there is such an object."""
        return sha in self.cache or self.call.tree.exists(f"{self.git}/objects/{sha[:2]}/{sha[2:]}")

    def get(self, sha: str) -> tuple[str, bytes]:
        """(kind, content) of an object."""
        if sha not in self.cache:
            packed = self.read(f"objects/{sha[:2]}/{sha[2:]}")
            try:
                head, _, data = zlib.decompress(packed or b"").partition(b"\0")
            except zlib.error:
                raise fatal(f"bad object {sha}") from None
            self.cache[sha] = (head.split()[0].decode(), data)
        return self.cache[sha]

    def blob(self, sha: str) -> bytes:
        """A file's content."""
        return self.get(sha)[1]

    def commit(self, sha: str) -> Commit:
        """A commit, also behind a tag."""
        kind, data = self.get(sha)
        if kind == "tag":
            return self.commit(data.split()[1].decode())
        if kind != "commit":
            raise fatal(f"{sha} is a {kind}, not a commit")
        head, _, message = data.decode("utf-8", "surrogateescape").partition("\n\n")
        rows = [line.partition(" ") for line in head.split("\n")]
        one = {key: value for key, _, value in rows}
        return Commit(sha, one["tree"], [v for k, _, v in rows if k == "parent"], one["author"], one["committer"], message)

    def tree(self, sha: str, above: str = "") -> dict[str, Entry]:
        """Every file of a tree by its path, those of its folders too."""
        out: dict[str, Entry] = {}
        for name, mode, child in self.rows(sha):
            path = above + name
            if mode == FOLDER:
                out |= self.tree(child, path + "/")
            else:
                out[path] = Entry(path, mode, child)
        return out

    def rows(self, sha: str) -> list[tuple[str, int, str]]:
        """(name, mode, object) of a tree's own entries."""
        data, out, at = self.get(sha)[1], [], 0
        while at < len(data):
            end = data.index(b"\0", at)
            mode, _, name = data[at:end].partition(b" ")
            out.append((name.decode("utf-8", "surrogateescape"), int(mode, 8), data[end + 1 : end + 21].hex()))
            at = end + 21
        return out

    def put_tree(self, entries: dict[str, Entry]) -> str:
        """Keep the trees of these files; the name of the topmost."""
        here: list[tuple[str, int, str]] = []
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in entries.items():
            name, slash, rest = path.partition("/")
            if slash:
                below.setdefault(name, {})[rest] = entry
            else:
                here.append((name, entry.mode, entry.sha))
        here += [(name, FOLDER, self.put_tree(inner)) for name, inner in below.items()]
        here.sort(key=lambda row: row[0] + ("/" if row[1] == FOLDER else ""))
        return self.put(
            "tree",
            b"".join(f"{mode:o} {name}\0".encode("utf-8", "surrogateescape") + bytes.fromhex(sha) for name, mode, sha in here),
        )

    # -- references -----------------------------------------------------------------------------------------------------
    def symbolic(self, name: str = "HEAD") -> str:
        """What a symbolic reference points at (`refs/heads/master`), "" when it is none."""
        text = (self.read(name) or b"").decode().strip()
        return text[5:] if text.startswith("ref: ") else ""

    def ref(self, name: str) -> str:
        """The object of a reference; "" when there is none yet."""
        text = (self.read(name) or b"").decode().strip()
        if text.startswith("ref: "):
            return self.ref(text[5:])
        return text if _SHA.fullmatch(text) else ""

    @property
    def head(self) -> str:
        """The commit of HEAD, or ""."""
        return self.ref("HEAD")

    @property
    def branch(self) -> str:
        """The current branch's name, "" when HEAD is detached."""
        return self.symbolic().removeprefix("refs/heads/")

    def refs(self, below: str) -> dict[str, str]:
        """References below `refs/heads/` and the like: short name → object."""
        return {name: self.ref(below + name) for name in self.names(below.rstrip("/"))}

    def set_ref(self, name: str, sha: str, why: str) -> None:
        """Move a reference and write its log; HEAD moves its branch."""
        target = self.symbolic(name) if name == "HEAD" else ""
        old = self.ref(name) or NULL
        self.write(target or name, f"{sha}\n".encode())
        logged = {name, target} if target else {name}
        if name != "HEAD" and name == self.symbolic():
            logged.add("HEAD")
        for one in sorted(logged - {""}):
            if one == "HEAD" or one.startswith(("refs/heads/", "refs/remotes/", "refs/stash")):
                self.log(one, old, sha, why)

    def log(self, name: str, old: str, new: str, why: str) -> None:
        """Add a line to a reference's log."""
        line = f"{old} {new} {ident(self, 'COMMITTER', strict=False)}\t{why}\n"
        self.write(f"logs/{name}", (self.read(f"logs/{name}") or b"") + line.encode())

    def logged(self, name: str) -> list[tuple[str, str]]:
        """(object, what happened) of a reference's log, the newest first."""
        lines = (self.read(f"logs/{name}") or b"").decode("utf-8", "replace").splitlines()
        return [(line.split()[1], line.partition("\t")[2]) for line in reversed(lines)]

    def delete_ref(self, name: str) -> None:
        """Remove a reference and its log."""
        self.remove(name)
        self.remove(f"logs/{name}")

    # -- names of revisions ---------------------------------------------------------------------------------------------
    def find(self, text: str) -> str:
        """The object that a revision names (gitrevisions(7)): "" for none."""
        match = re.fullmatch(r"(.*?)((?:[~^]\d*|\^\{\w*\})*)", text, re.S)
        assert match is not None
        sha = self._base(match[1])
        for step in re.findall(r"\^\{\w*\}|[~^]\d*", match[2]) if sha else []:
            if step.startswith("^{"):
                sha = self.commit(sha).tree if step == "^{tree}" else self.commit(sha).sha
                continue
            count = int(step[1:] or 1)
            for _ in range(count if step[0] == "~" else min(count, 1)):
                parents = self.commit(sha).parents
                wanted = count - 1 if step[0] == "^" else 0
                if wanted >= len(parents):
                    return ""
                sha = parents[wanted]
        return sha

    def _base(self, name: str) -> str:
        name = "HEAD" if name == "@" else name
        at = re.fullmatch(r"(.*)@\{(\d+)\}", name)
        if at:
            rows = self.logged(self.full(at[1] or self.symbolic() or "HEAD") or at[1])
            return rows[int(at[2])][0] if int(at[2]) < len(rows) else ""
        if name == "-":
            return self.find(self.previous())
        found = self.full(name)
        if found:
            return self.ref(found)
        if _SHA.fullmatch(name):
            return name
        if _PART.fullmatch(name):
            hits = [name[:2] + rest for rest in self.names(f"objects/{name[:2]}") if (name[:2] + rest).startswith(name)]
            return hits[0] if len(hits) == 1 else ""
        return ""

    def previous(self) -> str:
        """The branch that was left last, for `checkout -`."""
        for _, why in self.logged("HEAD"):
            if why.startswith("checkout: moving from "):
                return why.split()[3]
        return ""

    def full(self, name: str) -> str:
        """The full name of a reference that exists: `main` → `refs/heads/main`; "" for none."""
        for form in ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD"):
            full = form.format(name)
            upper = re.fullmatch(r"[A-Z_]+", full)
            if name and (full.startswith("refs/") or upper) and not full.endswith("/") and self.ref(full):
                return full
        return ""

    def need(self, name: str) -> str:
        """As `find`, and fatal when there is none."""
        sha = self.find(name)
        if not sha or not self.has(sha):
            raise fatal(
                f"ambiguous argument '{name}': unknown revision or path not in the working tree.\n"
                "Use '--' to separate paths from revisions, like this:\n'git <command> [<revision>...] -- [<file>...]'"
            )
        return sha

    def short(self, sha: str) -> str:
        """The seven characters that stand for an object."""
        return sha[:7]

    # -- history --------------------------------------------------------------------------------------------------------
    def ancestors(self, *starts: str) -> set[str]:
        """Commits reachable from some, those included."""
        seen: set[str] = set()
        todo = [sha for sha in starts if sha]
        while todo:
            sha = todo.pop()
            if sha not in seen:
                seen.add(sha)
                todo += self.commit(sha).parents
        return seen

    def base(self, one: str, other: str) -> str:
        """The best common ancestor of two commits, or ""."""
        common = self.ancestors(one) & self.ancestors(other)
        lower = {parent for sha in common for parent in self.ancestors(*self.commit(sha).parents)}
        best = sorted(common - lower, key=lambda sha: (-self.commit(sha).when, sha))
        return best[0] if best else ""

    def files(self, sha: str) -> dict[str, Entry]:
        """The files of a commit; none for ""."""
        return self.tree(self.commit(sha).tree) if sha else {}

    # -- configuration --------------------------------------------------------------------------------------------------
    @property
    def config(self) -> Config:
        """The repository's own configuration."""
        return Config((self.read("config") or b"").decode("utf-8", "surrogateescape"))

    def configure(self, name: str, value: str) -> None:
        """Set a value of the repository's own configuration."""
        config = self.config
        config.set(name, value)
        self.write("config", config.text().encode("utf-8", "surrogateescape"))


def put(call: Call, path: str, data: bytes, mode: int = 0o644) -> None:
    """Write a file and the folders above it, as the user who calls; raises OSError."""
    users.check(call.tree, path, call.proc.user, users.WRITE) if call.tree.exists(path) else None
    files.room(call.world, call.host, len(data), len(data))
    files.write_file(
        call.world,
        call.host,
        path,
        data,
        mnt=call.proc.mnt,
        mode=mode & ~call.proc.umask,
        uid=call.uid,
        gid=call.gid,
        parents=True,
    )


def home(call: Call) -> str:
    """The user's home."""
    return call.env.get("HOME") or users.home_of(call.tree, call.proc.user) or "/"


def global_config(call: Call) -> Config:
    """`~/.gitconfig`, after `/etc/gitconfig`."""
    texts = [call.tree.read(path) for path in ("/etc/gitconfig", f"{home(call)}/.gitconfig") if call.tree.exists(path)]
    return Config("\n".join(text.decode("utf-8", "surrogateescape") for text in texts))


def setting(call: Call, repo: Repository | None, name: str, default: str = "") -> str:
    """The value of a setting: of the command line (`-c`), the repository, the user."""
    given = [
        word.partition("=")[2] for word in call.env.get("GIT_CONFIG_WORDS", "").split("\n") if word.partition("=")[0] == name
    ]
    found = given or (repo.config.all(name) if repo is not None else []) or global_config(call).all(name)
    return found[-1] if found else default


def ident(repo: Repository, role: str, *, strict: bool = True) -> str:
    """`Name <mail> SECONDS +0000` of AUTHOR or COMMITTER; without a mail address it is fatal (`strict`)."""
    call = repo.call
    env = call.env
    name = env.get(f"GIT_{role}_NAME") or setting(call, repo, "user.name")
    mail = env.get(f"GIT_{role}_EMAIL") or env.get("EMAIL") or setting(call, repo, "user.email")
    user, host = call.proc.user, call.host.name
    if strict and not mail:
        raise Failed(
            f"{role.capitalize()} identity unknown\n\n*** Please tell me who you are.\n\nRun\n\n"
            '  git config --global user.email "you@example.com"\n  git config --global user.name "Your Name"\n\n'
            "to set your account's default identity.\nOmit --global to set the identity only in this repository.\n\n"
            f"fatal: unable to auto-detect email address (got '{user}@{host}.(none)')"
        )
    date = env.get(f"GIT_{role}_DATE", "")
    given = re.match(r"@?(\d{6,})(?:\s+([+-]\d{4}))?$", date)
    seconds = int(given[1]) if given else call.world.wall // SECOND
    zone = given[2] if given and given[2] else "+0000"
    return f"{name or user} <{mail or f'{user}@{host}'}> {seconds} {zone}"


def discover(call: Call, start: str) -> Repository | None:
    """The repository that a folder belongs to."""
    folder, tree = start, call.tree
    while True:
        for git, work in ((f"{folder.rstrip('/')}/.git", folder), (folder, "")):
            if tree.exists(f"{git}/HEAD") and tree.isdir(f"{git}/objects") and tree.isdir(f"{git}/refs"):
                return Repository(call, git, work)
        if folder == "/":
            return None
        folder = posixpath.dirname(folder)
