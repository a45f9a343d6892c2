"""apk, the package manager of Alpine (apk-tools 2.14; 3.0 from v3.23 on): add, del, update, upgrade, info, list, search, policy, fix.

The database is the real one's file, `/lib/apk/db/installed`; what was asked for stands in `/etc/apk/world`.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ...host.filesystem import Inode
from ...host.invocation import Call
from ...host.program import Sleep, Wait
from ...kernel.clock import MS
from ...kernel.errors import NotSimulated
from .alpine import BASE, MORE, OTHERS, PACKAGES, Alpine
from .calls import outside

Steps = Generator[Wait, Any, int]
INSTALLED, WORLD, REPOSITORIES, CACHE = "/lib/apk/db/installed", "/etc/apk/world", "/etc/apk/repositories", "/var/cache/apk"
#: Options with a value.
VALUED = frozenset(
    {"-p", "--root", "-X", "--repository", "-t", "--virtual", "--wait", "--cache-dir", "--arch", "--repositories-file"}
)


class Apk:
    """One run: the options, and what is installed in the caller's container."""

    def __init__(self, call: Call, flags: dict[str, str]) -> None:
        self.call, self.flags = call, flags
        self.rows: dict[str, str] = {}
        for part in self._text(INSTALLED).split("\n\n"):
            fields = dict(line.split(":", 1) for line in part.splitlines() if line[1:2] == ":")
            if "P" in fields:
                self.rows[fields["P"]] = fields.get("V", "")
        self.rows = self.rows or {package.name: package.version for package in BASE}
        self.world = self._text(WORLD).split()
        self.newer = int((re.match(r"3\.(\d+)", self._text("/etc/alpine-release")) or ["", "22"])[1]) >= 23

    def _text(self, path: str) -> str:
        try:
            return self.call.tree.read(path).decode(errors="replace")
        except OSError:
            return ""

    def has(self, *names: str) -> bool:
        """Whether one of these options was given."""
        return any(name in self.flags for name in names)

    def repositories(self) -> list[str]:
        """The addresses that packages come from."""
        lines = [line.strip() for line in self._text(REPOSITORIES).splitlines()]
        more = [value for name in ("-X", "--repository") if (value := self.flags.get(name))]
        return [line.rstrip("/") for line in lines if line and not line.startswith("#")] + more

    def indexed(self) -> bool:
        """Whether the lists of packages were fetched (`apk update`)."""
        return self.call.tree.isdir(CACHE) and any(name.startswith("APKINDEX") for name in self.call.tree.listdir(CACHE))

    def save(self) -> None:
        """Write the database and the world."""
        wall = self.call.world.wall
        text = "".join(
            f"P:{name}\nV:{version}\nA:x86_64\nI:{PACKAGES[name].size * 1024 if name in PACKAGES else 0}\n\n"
            for name, version in sorted(self.rows.items())
        )
        self.call.tree.mkdir("/lib/apk/db", True, now=wall)
        self.call.write_file(INSTALLED, text.encode(), mode=0o644)
        self.call.write_file(WORLD, "".join(f"{name}\n" for name in sorted(self.world)).encode(), mode=0o644)

    def total(self) -> str:
        """The last line: how much is installed."""
        kib = 4_000 + sum(PACKAGES[name].size for name in self.rows if name in PACKAGES)
        size = f"{kib / 1024:.1f} MiB" if self.newer else f"{-(-kib // 1024)} MiB"
        count = sum(1 for name in self.rows if not name.startswith("."))
        return f"OK: {size} in {count} packages\n"


def apk(call: Call) -> Steps:
    """`apk [options] command [arguments]`."""
    flags: dict[str, str] = {}
    words: list[str] = []
    args = list(call.argv[1:])
    while args:
        word = args.pop(0)
        name, equals, value = word.partition("=")
        if word.startswith("--"):
            flags[name] = value if equals else (args.pop(0) if name in VALUED and args else "1")
        elif word.startswith("-") and len(word) > 1:
            for place, letter in enumerate(word[1:], 1):
                if f"-{letter}" in VALUED:
                    flags[f"-{letter}"] = word[place + 1 :] or (args.pop(0) if args else "")
                    break
                flags[f"-{letter}"] = "1"
        else:
            words.append(word)
    state = Apk(call, flags)
    if state.has("-V", "--version"):
        call.out("apk-tools 3.0.3, compiled for x86_64.\n" if state.newer else "apk-tools 2.14.9, compiled for x86_64.\n")
        return 0
    if not words or state.has("-h", "--help"):
        call.out("apk-tools 2.14.9, compiled for x86_64.\n\nusage: apk [<OPTIONS>...] COMMAND [<ARGUMENTS>...]\n\n" + HELP)
        return int(not words and not state.has("-h", "--help"))
    command, names = words[0], words[1:]
    if command in ("info", "list", "search", "policy"):
        return {"info": _info, "list": _list, "search": _search, "policy": _policy}[command](state, names)
    if command not in (
        "add",
        "del",
        "update",
        "upgrade",
        "fix",
        "cache",
        "stats",
        "version",
        "fetch",
        "verify",
        "audit",
        "dot",
        "index",
    ):
        call.err(f"ERROR: '{command}' is not an apk command. See 'apk --help'.\n")
        return 1
    if command not in ("add", "del", "update", "upgrade"):
        raise NotSimulated(f"apk {command}")
    if call.uid:
        call.err("ERROR: Unable to lock database: Permission denied\nERROR: Failed to open apk database: Permission denied\n")
        return 99
    if command == "del":
        return _del(state, names)
    known = yield from _indexes(state, command)
    if command == "update":
        return 0 if known else 2
    if command == "upgrade":
        call.out(state.total())
        return 0
    return (yield from _add(state, names, known))


HELP = """Package installation and removal:
  add        Put packages on the machine, and what they depend on
  del        Take packages off again, and what only they needed

System maintenance:
  fix        Mend what is installed; what was asked for stays as it is
  update     Fetch the repositories' lists
  upgrade    Bring what is installed to the newest release
  cache      Look after the packages that are kept on disk

Querying package information:
  info       Tell about installed packages
  list       Name packages, installed or not
  search     Find packages by a part of their name
  policy     Tell which releases there are, and where each comes from
"""


def _indexes(state: Apk, command: str) -> Generator[Wait, Any, bool]:
    """Fetch the lists where the command asks for it; whether there are lists to choose from."""
    call = state.call
    fresh = command == "update" or state.has("--no-cache", "-U", "--update-cache", "--update")
    if not fresh:
        if not state.indexed():
            for address in state.repositories():
                call.err(f"WARNING: opening from cache {address}: No such file or directory\n")
        return state.indexed()
    reached = 0
    for address in state.repositories():
        host = re.sub(r"^https?://([^/]+).*", r"\1", address)
        if not state.has("-q", "--quiet"):
            call.out(f"fetch {address}/x86_64/APKINDEX.tar.gz\n")
        yield Sleep(300 * MS)
        if not outside(call, host):
            why = "DNS: transient error (try again later)"
            call.err(f"WARNING: {'updating and opening' if command == 'update' else 'fetching'} {address}: {why}\n")
            continue
        reached += 1
    if reached and command == "update":
        if not call.tree.isdir(CACHE):
            call.tree.mkdir(CACHE, True, now=call.world.wall)
        call.write_file(f"{CACHE}/APKINDEX.tar.gz", b"", mode=0o644)
        branch = re.sub(r".*/(v[\d.]+|edge)/.*", r"\1", (state.repositories() or [""])[0] + "/")
        for address in state.repositories():
            call.out(f"{branch}.0 [{address}]\n")
        call.out(f"OK: {len(PACKAGES)} distinct packages available\n")
    elif command == "update":
        call.err(f"{len(state.repositories())} unavailable, 0 stale; {len(state.rows)} distinct packages available\n")
    return reached > 0


def _bare(word: str) -> str:
    return re.split(r"[<>=~@]", word, maxsplit=1)[0]


def _add(state: Apk, names: list[str], known: bool) -> Steps:
    call = state.call
    available = PACKAGES if known else {name: PACKAGES[name] for name in state.rows if name in PACKAGES}
    missing = [name for name in names if _bare(name) not in available and _bare(name) not in state.rows]
    for name in missing:
        if known and _bare(name) in OTHERS:
            raise NotSimulated(f"the package {_bare(name)}")
    if missing:
        call.err("ERROR: unable to select packages:\n")
        for name in missing:
            call.err(f"  {_bare(name)} (no such package):\n    required by: world[{name}]\n")
        return len(missing)
    wrong = [name for name in names if "=" in name and not _fits(name)]
    if wrong:
        call.err("ERROR: unable to select packages:\n")
        for name in wrong:
            package = PACKAGES[_bare(name)]
            call.err(f"  {package.name}-{package.version}:\n    breaks: world[{name}]\n")
        return len(wrong)
    order: list[Alpine] = []

    def needs(name: str) -> None:
        package = PACKAGES.get(name)
        if package is None or name in state.rows or package in order:
            return
        for other in package.depends:
            needs(other)
        order.append(package)

    for name in names:
        needs(_bare(name))
    virtual = state.flags.get("-t") or state.flags.get("--virtual") or ""
    say = (lambda text: None) if state.has("-q", "--quiet") else call.out
    count = len(order) + bool(virtual)
    width = len(str(count)) if state.newer else 0
    for number, package in enumerate(order, 1):
        yield Sleep(max(package.size // 20, 10) * MS)
        say(f"({number:>{width}}/{count}) Installing {package.name} ({package.version})\n")
        if not state.has("-s", "--simulate"):
            _unpack(call, package)
            state.rows[package.name] = package.version
    if virtual:
        stamp = call.world.wall // 1_000_000_000
        say(f"({count:>{width}}/{count}) Installing {virtual} ({stamp})\n")
        state.rows[virtual] = str(stamp)
        state.world.append(virtual)
    if order:
        say(f"Executing busybox-{PACKAGES['busybox'].version}.trigger\n")
        if any(package.name == "ca-certificates" for package in order):
            say(f"Executing ca-certificates-{PACKAGES['ca-certificates'].version}.trigger\n")
    if not virtual:
        state.world += [name for name in names if name not in state.world]
    if not state.has("-s", "--simulate"):
        state.save()
    say(state.total())
    return 0


def _fits(name: str) -> bool:
    match = re.fullmatch(r"([^<>=~@]+)([<>=~]+)(.+)", name)
    if match is None:
        return True
    have, relation, wanted = PACKAGES[match[1]].version, match[2], match[3]
    return ("<" in relation or ">" in relation) or (have.startswith(wanted) if "~" in relation else have == wanted)


def _unpack(call: Call, package: Alpine) -> None:
    wall = call.world.wall
    for path, program in package.programs:
        call.tree.mkdir(path.rpartition("/")[0], True, now=wall)
        call.tree.put(path, Inode("exec", 0o755, 0, 0, wall, data=b"\x7fELF", target=program), wall)


def _del(state: Apk, names: list[str]) -> int:
    call = state.call
    for name in names:
        if name not in state.world and name not in state.rows:
            continue
        if name in {package.name for package in BASE}:
            raise NotSimulated(f"apk del {name}")
    state.world = [name for name in state.world if _bare(name) not in names]
    kept: set[str] = {package.name for package in BASE}

    def keep(name: str) -> None:
        if name in kept:
            return
        kept.add(name)
        for other in PACKAGES[name].depends if name in PACKAGES else ():
            keep(other)

    for name in state.world:
        keep(_bare(name))
    gone = [name for name in state.rows if name not in kept]
    for number, name in enumerate(gone, 1):
        call.out(f"({number}/{len(gone)}) Purging {name} ({state.rows.pop(name)})\n")
        for path, _ in PACKAGES[name].programs if name in PACKAGES else ():
            if call.tree.exists(path):
                call.tree.remove(path)
    if gone:
        call.out(f"Executing busybox-{PACKAGES['busybox'].version}.trigger\n")
    state.save()
    call.out(state.total())
    return 0


def _info(state: Apk, names: list[str]) -> int:
    call = state.call
    if not names:
        call.out("".join(f"{name}\n" for name in sorted(state.rows)))
        return 0
    code = 0
    for name in names:
        if name not in state.rows:
            code = 1
        elif state.has("-e", "--installed"):
            call.out(name + "\n")
        else:
            package, version = PACKAGES.get(name), state.rows[name]
            paths = "".join(path.lstrip("/") + "\n" for path, _ in package.programs) if package is not None else ""
            if state.has("-L", "--contents"):
                call.out(f"{name}-{version} contains:\n{paths}\n")
            else:
                size = f"{package.size} KiB" if package is not None else "0 B"
                call.out(
                    f"{name}-{version} description:\n{package.summary if package else ''}\n\n{name}-{version} installed size:\n{size}\n\n"
                )
    return code


def _list(state: Apk, names: list[str]) -> int:
    for name, version in sorted(state.rows.items()):
        if not names or name in names:
            state.call.out(f"{name}-{version} x86_64 {{{name}}} [installed]\n")
    if not state.has("-I", "--installed") and state.indexed():
        for package in sorted(MORE, key=lambda p: p.name):
            if package.name not in state.rows and (not names or package.name in names):
                state.call.out(f"{package.name}-{package.version} x86_64 {{{package.name}}}\n")
    return 0


def _search(state: Apk, names: list[str]) -> int:
    if not state.indexed():
        for address in state.repositories():
            state.call.err(f"WARNING: opening from cache {address}: No such file or directory\n")
        return 0
    for package in sorted(PACKAGES.values(), key=lambda p: p.name):
        if not names or any(
            (package.name == name) if state.has("-e", "-x", "--exact") else name in package.name for name in names
        ):
            state.call.out(
                f"{package.name}-{package.version}" + (f" - {package.summary}" if state.has("-v", "--verbose") else "") + "\n"
            )
    return 0


def _policy(state: Apk, names: list[str]) -> int:
    for name in names:
        if (package := PACKAGES.get(name)) is not None:
            state.call.out(f"{name} policy:\n  {package.version}:\n")
            if name in state.rows:
                state.call.out("    lib/apk/db/installed\n")
            state.call.out(f"    {(state.repositories() or [''])[0]}\n")
    return 0
