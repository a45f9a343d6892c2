"""Files for an editor beside the terminals (docs/adr/0018): what the shell of a terminal would read, and saving as its program would.

`look` is a question and changes nothing.  `save` is an input: it starts `tee` as the innermost shell of the terminal would (its user,
directory, umask and mount namespace; through `sudo -n` where asked), so rights, quotas, file modes and watchers are those of any program.
An editor that has the terminal's screen can be taken over: then its own buffer is read, and it writes the file itself.
"""

from __future__ import annotations

import hashlib
import posixpath
from typing import Any

import msgspec

from ..host import executor, files, processes, streams, users
from ..host.executor import DEFAULT_PATH
from ..host.filesystem import Tree
from ..host.machine import hosts
from ..host.process import Process
from ..kernel.errors import BadInput
from ..kernel.world import World
from .state import ShellState
from .terminal import Terminal

Json = dict[str, Any]

#: The longest text that is opened or saved, in bytes of UTF-8: with its escapes it still fits into one frame (`simulator.frames`).
TEXT_LIMIT = 48 * 1024
#: The longest path, in characters (PATH_MAX).
PATH_LIMIT = 4096
#: Saves whatever the file holds by now.
ANYTHING = "*"


class Save(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What a row of kind `save` holds: a text for a file of a terminal's shell.

    `was` is the version that was read ("" for a new file, `*` for any); `taken` means the file of the editor on the screen, which ends
    when `leave` is set; `sudo` writes with root's rights.
    """

    terminal: str
    path: str
    text: str
    was: str = ""
    taken: bool = False
    leave: bool = False
    sudo: bool = False


def version(data: bytes) -> str:
    """What a text is known by until somebody changes it."""
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def _reader(terminal: Terminal) -> tuple[Process | None, ShellState]:
    """The process that files are read as: the editor's that has the screen, else the innermost shell's."""
    proc, state = terminal.shell()
    if proc is not None and (not hosts(terminal.world)[proc.host].up or not processes.alive(terminal.world, proc)):
        return None, state
    return proc, state


def _absolute(text: str, state: ShellState, home: str) -> str:
    """A path as the shell would take it: `~` is the home directory, and what is relative begins where the shell stands."""
    if text == "~" or text.startswith("~/"):
        text = home + text[1:]
    return posixpath.normpath("/" + posixpath.join(state.cwd, text).lstrip("/"))


# -- looking ------------------------------------------------------------------------------------------------------------------------------


def look(world: World, name: str, path: str, *, taken: bool = False) -> Json:
    """A file as `{host, user, cwd, path, text, version, writable, sudo}`, with `fresh` when there is none yet.

    Where it cannot be opened there is `why` in place of the text: `off` (no shell: the machine is off), `directory`, `denied`, `missing`
    (nor its directory), `special`, `binary`, `encoding`, `large`, `gone` (the editor has ended); an empty path gives only where the shell
    stands.  `taken` reads the editor that has the screen: then `editor` is its name and `by` the command that started it.
    Raises BadInput for a terminal that is not there.
    """
    terminal = Terminal(world, name)
    if taken:
        return _look_at_editor(terminal)
    proc, state = _reader(terminal)
    if proc is None:
        return {"host": terminal.state.host, "path": path, "why": "off"}
    tree = files.tree(hosts(world)[proc.host], proc.mnt)
    home = state.get("HOME") or users.home_of(tree, proc.user)
    out: Json = {"host": proc.host, "user": proc.user, "cwd": state.cwd, "home": home, "sudo": _has_sudo(tree, proc)}
    if not path:
        return out
    where = _absolute(path, state, home)
    out["path"] = where
    try:
        users.check(tree, where, proc.user, users.READ)
        data = _content(world, proc, tree, where)
    except _Closed as closed:
        return {**out, "why": closed.why}
    except PermissionError:
        return {**out, "why": "denied"}
    except OSError:
        return {**out, "why": "missing"}
    return {**out, **_told(data), "writable": _may_write(tree, where, proc)}


class _Closed(Exception):
    """A file that no editor of text opens."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _content(world: World, proc: Process, tree: Tree, where: str) -> bytes | None:
    """The bytes of a file; None when it is new.  Raises `_Closed`, and OSError when its directory is not there."""
    if not tree.exists(where):
        if not tree.isdir(posixpath.dirname(where)):
            raise _Closed("missing")
        return None
    node = tree.lookup(where)
    if node.kind == "dir":
        raise _Closed("directory")
    if node.kind == "exec":
        raise _Closed("binary")
    if node.kind != "file":
        raise _Closed("special")
    return files.read_file(world, proc.host, where, mnt=proc.mnt)


def _told(data: bytes | None) -> Json:
    """The text and version of a content, or why it is not opened."""
    if data is None:
        return {"text": "", "version": "", "fresh": True}
    if len(data) > TEXT_LIMIT:
        return {"why": "large", "size": len(data)}
    if b"\0" in data:
        return {"why": "binary"}
    try:
        return {"text": data.decode(), "version": version(data)}
    except UnicodeDecodeError:
        return {"why": "encoding"}


def _may_write(tree: Tree, where: str, proc: Process) -> bool:
    try:
        users.check(tree, where, proc.user, users.WRITE)
    except OSError:
        return False
    return True


def _has_sudo(tree: Tree, proc: Process) -> bool:
    return proc.user != "root" and tree.exists("/usr/bin/sudo")


def _look_at_editor(terminal: Terminal) -> Json:
    editor = terminal.editor
    if editor is None:
        return {"host": terminal.state.host, "path": "", "why": "gone"}
    proc = editor.process
    parent = processes.find(terminal.world, proc.host, proc.ppid)
    by = " ".join(parent.argv) if parent is not None and parent.program not in ("bash", "sh") else ""
    return {
        "host": proc.host,
        "user": proc.user,
        "cwd": proc.cwd,
        "path": editor.path,
        "editor": editor.name,
        "by": by[:200],
        "writable": True,
        "sudo": False,
        **_told(editor.text().encode("utf-8", "surrogateescape")),
    }


# -- saving -------------------------------------------------------------------------------------------------------------------------------


class Saving:
    """One save under way: `done` when the program that writes has ended; then `tell` says how it went."""

    def __init__(self, world: World, row: Save) -> None:
        self.world = world
        self.row = row
        self.data = row.text.encode()
        self.writer: Process | None = None
        self.said = streams.Capture()
        self.why = ""
        self.message = ""
        self.path = row.path
        self.user = ""

    @property
    def done(self) -> bool:
        """Whether nothing is awaited any more."""
        return self.writer is None or not processes.alive(self.world, self.writer)

    def begin(self) -> None:
        """Start writing, unless the file is not what it was."""
        terminal = Terminal(self.world, self.row.terminal)
        if self.row.taken:
            self._through_editor(terminal)
        else:
            self._through_tee(terminal)

    def _through_tee(self, terminal: Terminal) -> None:
        proc, state = _reader(terminal)
        if proc is None:
            self.why = "off"
            return
        tree = files.tree(hosts(self.world)[proc.host], proc.mnt)
        self.path = _absolute(self.row.path, state, state.get("HOME") or users.home_of(tree, proc.user))
        self.user = "root" if self.row.sudo else proc.user
        if self.row.was != ANYTHING and self.row.was != _version_of(tree, self.path):
            self.why = "changed"
            return
        run = executor.get(self.world)
        argv = ["sudo", "-n", "tee", self.path] if self.row.sudo else ["tee", self.path]
        fds: dict[int, streams.Stream] = {0: streams.Buffer(self.data), 1: streams.Null(), 2: self.said}
        run.umask = proc.umask
        self.writer = run.spawn(
            proc.host,
            argv,
            fds,
            user=proc.user,
            cwd=state.cwd,
            env={"PATH": state.get("PATH") or DEFAULT_PATH, "HOME": state.get("HOME") or "/"},
            mnt=proc.mnt,
            netns=proc.netns,
            container=proc.container,
        )
        run.pump()

    def _through_editor(self, terminal: Terminal) -> None:
        editor = terminal.editor
        if editor is None or editor.path != self.row.path:
            self.why = "gone"
            return
        terminal.type_keys(editor.RESET)  # a half-typed command is given up; what was inserted stays
        if terminal.editor is not editor:
            self.why = "gone"
            return
        self.user = editor.process.user
        if self.row.was not in (ANYTHING, version(editor.text().encode("utf-8", "surrogateescape"))):
            self.why = "changed"
            return
        self.message = editor.write(self.row.text)
        if self.message:
            self.why = "refused"
        terminal.type_keys(editor.LEAVE if self.row.leave and not self.why else editor.RESET)

    def tell(self) -> tuple[str, Json]:
        """(`saved` or `unsaved`, what to say of it)."""
        if self.writer is not None:
            self.message = bytes(self.said.data).decode("utf-8", "replace").strip()
            if not self.done:
                self.why = "slow"
            elif self.writer.exit_code:
                self.why = "refused"
        about = {"path": self.path, "user": self.user}
        if self.why:
            return "unsaved", {**about, "why": self.why, "message": self.message[:300]}
        return "saved", {**about, "bytes": len(self.data), "version": version(self.data)}


def _version_of(tree: Tree, path: str) -> str:
    """The version of what is there now, whoever may read it; "" when there is nothing."""
    try:
        return version(tree.read(path))
    except OSError:
        return ""


def parse(data: Json) -> Save:
    """A row's data, checked; raises BadInput."""
    try:
        row = msgspec.convert(data, Save)
    except msgspec.ValidationError as problem:
        raise BadInput(f"save: {problem}") from None
    if not row.path or len(row.path) > PATH_LIMIT or "\0" in row.path or "\n" in row.path:
        raise BadInput(f"path: must be one line of 1 to {PATH_LIMIT} characters")
    try:
        size = len(row.text.encode())
    except UnicodeEncodeError:
        raise BadInput("text: must be valid Unicode") from None
    if size > TEXT_LIMIT:
        raise BadInput(f"text: longer than {TEXT_LIMIT} bytes")
    return row
