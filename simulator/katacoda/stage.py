"""A scenario's world, put up: the machine images, assets, and the terminals that its commands are typed into."""

from __future__ import annotations

import copy
import posixpath
import re

import msgspec

from simulator.core.host import files as host_files
from simulator.core.host.machine import hosts
from simulator.core.kernel.clock import MS, SECOND
from simulator.core.kernel.errors import BadInput
from simulator.core.sandbox import Sandbox
from simulator.core.shell import screen
from simulator.core.shell.runner import Running
from simulator.headless import transcript

from . import assets, images, raw
from .actions import Action
from .files import Folder
from .notes import Note
from .package import Scenario

#: Where the platform's own scripts lie in a world.
SCRIPTS = "/usr/local/lib/scenario"
#: How long a foreground script or a command may take, in virtual time.
PATIENCE = 600 * SECOND
#: Virtual time that passes after a click at most, until the world is quiet.
SETTLE = 30 * SECOND
#: How long a command that follows something (watch, logs -f) is looked at.
GLANCE = 10 * SECOND
_FOLLOWS = re.compile(
    r"(?x) ^\s*(sudo\s+)?(watch|top|htop|journalctl\s.*-f|tail\s+(-\S+\s+)*-[fF]|kubectl\s+proxy|k\s+proxy)\b"
    r" | \b(kubectl|k)\s.*\blogs\b.*\s(-f|--follow)\b | \b(kubectl|k)\s.*\s(-w|--watch)(=true)?(\s|$) | \bport-forward\b"
    r" | \bping\s+(?!.*-c) | \bdocker\s+(logs\s+.*-f|stats|events)\b"
)


#: Names that only the reader's own cluster knows.
_OPEN = re.compile(
    r"(?P<stem>\b[a-z][a-z0-9-]*?-)(?:[xX]{3,})(?:-[xX]{3,})*\b|(?P<pod><(?:your[-_ ])?pod(?:[-_ ]?name)?>)|<(?:your[-_ ])?node(?:[-_ ]?name)?>",
    re.I,
)


#: Keys that leave full-screen programs, one after the other.
_LEAVE = ("\x1b:q!\r", "q", "\x18n", "\x03", "\x1b:qa!\r")


class Outcome(msgspec.Struct):
    """What a typed text did: status of the last command, output, and how it ended: done, running, keys (a full-screen program)."""

    status: int = 0
    output: str = ""
    state: str = "done"
    seconds: float = 0.0


class Stage:
    """One world under a scenario."""

    def __init__(self, folder: Folder, scenario: Scenario, seed: int = 1) -> None:
        self.folder, self.scenario = folder, scenario
        self.image = images.of(scenario.image, scenario.texts(folder))
        self.sandbox = Sandbox.boot(self.image.scenario, seed)
        self.notes: list[Note] = []
        self.output: dict[str, list[str]] = {}
        self.names: dict[str, str] = {}  # the platform's terminal name → ours
        self.sandbox.drain()
        if self.image.remark:
            self.notes.append(Note(scenario.index, 0, self.image.remark))
        self._launch()
        for command in self.image.installs:
            for host in self.image.hosts:
                self.sandbox.run(command, host=host, limit=300 * SECOND)
        for host in self.image.hosts:
            host_files.make_dir(self.sandbox.world, host, "/var/log/killercoda", parents=True)
        self._assets()
        self._publish()

    def _publish(self) -> None:
        """The repository's own files answer at their raw addresses, which scenarios apply manifests from."""
        self.sandbox.world.tables["pages"] = self._page
        self.sandbox.world.tables["repositories"] = self._repository

    def _repository(self, url: str) -> dict[str, tuple[bytes, int]] | None:
        found = raw.repository(self.folder, url)
        if found is not None:
            self._note(f"git clone {url} brings this tree")
        return found

    def _note(self, text: str) -> None:
        note = Note(self.scenario.index, 0, text)
        if note not in self.notes:
            self.notes.append(note)

    def _page(self, url: str) -> bytes | None:
        path = raw.resolve(self.folder, url)
        if path is None:
            return None
        self._note(f"{url} answers with {path} of this tree")
        return self.folder.read(path)

    def copy(self) -> Stage | None:
        """The stage with a copy of its world that goes its own way; None while a program waits, which no copy can hold."""
        if not self.sandbox.can_snapshot():
            return None
        other = copy.copy(self)
        other.sandbox = self.sandbox.fork()
        other._publish()
        return other

    # -- the machines ---------------------------------------------------------------------------------------------------
    def host(self, name: str) -> str:
        """Our host for a name of the platform: host01, HOST1, controlplane, master, client …; the first for what is unknown."""
        lowered = name.lower()
        if lowered in self.image.hosts:
            return lowered
        number = re.search(r"(\d+)$", lowered)
        if lowered.startswith("host") and number and 1 <= int(number[1]) <= len(self.image.hosts):
            return self.image.hosts[int(number[1]) - 1]
        if lowered.startswith(("node", "worker")) and len(self.image.hosts) > 1:
            return self.image.hosts[1]
        return self.image.hosts[0]

    def write(self, host: str, path: str, data: bytes, mode: int = 0o644, *, append: bool = False) -> None:
        """Put a file on a host."""
        if append and not self._exists(host, path):
            append = False
        host_files.write_file(self.sandbox.world, host, path, data, mode=mode, append=append, parents=True)

    def _exists(self, host: str, path: str) -> bool:
        return host_files.tree(hosts(self.sandbox.world)[host]).exists(path)

    def read(self, host: str, path: str) -> bytes:
        """A file of a host; empty when it is not there."""
        try:
            return host_files.read_file(self.sandbox.world, host, path)
        except OSError:
            return b""

    def _launch(self) -> None:
        """Katacoda's `launch.sh`, with which scenarios waited for their cluster."""
        text = b"#!/bin/bash\necho Waiting for Kubernetes to start...\nuntil kubectl get nodes >/dev/null 2>&1; do sleep 1; done\necho Kubernetes started\n"
        if "controlplane" in self.image.hosts:
            for host in self.image.hosts:
                self.write(host, "/usr/local/bin/launch.sh", text, 0o755)

    def _assets(self) -> None:
        base = posixpath.join(self.scenario.folder, "assets").lstrip("/")
        prefix = base + "/"
        names = sorted(path[len(prefix) :] for path in self.folder.paths if path.startswith(prefix))
        if names and not self.scenario.assets:
            self.notes.append(
                Note(self.scenario.index, 0, "details.assets names none of the files in assets/; they lie in /root/assets")
            )
            for name in names:
                self.write(self.image.hosts[0], f"/root/assets/{name}", self.folder.read(prefix + name))
        for asset in self.scenario.assets:
            found = assets.select(names, asset.file)
            if not found:
                self.notes.append(Note(self.scenario.index, 0, f"assets.{asset.host}: no file in assets/ is {asset.file!r}"))
            target = re.sub(r"^~(?=/|$)", "/root", asset.target)
            if not target.startswith("/"):
                target = "/root/" + target
            try:
                mode = assets.mode_of(asset.chmod) if asset.chmod else 0o644
            except ValueError as error:
                self.notes.append(Note(self.scenario.index, 0, f"assets.{asset.host}: {asset.file}: {error}"))
                mode = 0o644
            host = self.host(asset.host)
            exact = len(found) == 1 and not re.search(r"[*?\[{]", asset.file)
            for name, below in found:
                path = posixpath.normpath(posixpath.join(target, below))
                if exact and self._names_file(host, target, below):
                    path = posixpath.normpath(target)
                try:
                    self.write(host, path, self.folder.read(prefix + name), mode)
                except (BadInput, OSError) as error:
                    self.notes.append(Note(self.scenario.index, 0, f"assets.{asset.host}: {name}: {error}"))

    def _names_file(self, host: str, target: str, name: str) -> bool:
        """Whether a target is the file's new path, not a folder: it ends in the same suffix, and no folder is there."""
        if target.endswith("/") or host_files.tree(hosts(self.sandbox.world)[host]).isdir(target):
            return False
        suffix = posixpath.splitext(name)[1]
        return bool(suffix) and posixpath.splitext(target)[1] == suffix

    def fill_in(self, text: str) -> str:
        """The platform's placeholders: addresses and links to ports."""

        def url(host: str, port: str) -> str:
            return f"http://{self.address(self.host(host))}:{port}"

        text = re.sub(r"\{\{TRAFFIC_HOST(\d+)_(\d+)\}\}", lambda m: url(f"host{m[1]}", m[2]), text)
        link = r"(?:https?://)?\[\[HOST(\d*)_SUBDOMAIN\]\]-(\d+)-\[\[KATACODA_HOST\]\]\.(?:environments\.katacoda\.com|\[\[KATACODA_DOMAIN\]\])"
        text = re.sub(link, lambda m: url(f"host{m[1] or 1}", m[2]), text)
        text = re.sub(r"\[\[HOST(\d*)_IP\]\]", lambda m: self.address(self.host(f"host{m[1] or 1}")), text)
        text = text.replace("[[CLIENT_IP]]", self.address(self.image.hosts[0]))
        text = re.sub(r"\[\[HOST(\d*)_SUBDOMAIN\]\]", lambda m: self.host(f"host{m[1] or 1}"), text)
        return text.replace("[[KATACODA_HOST]]", "slipway").replace("[[KATACODA_DOMAIN]]", "localdomain")

    def complete(self, text: str) -> str:
        """What a reader looks up and fills in: `web-xxxxx-xxxxx` is the pod `web-…`, `<pod-name>` the only pod that it can be, `<node-name>` a node.

        What stays open is left as it is.
        """
        if not _OPEN.search(text) or "controlplane" not in self.image.hosts:
            return text
        space = re.search(r"(?:\s-n[ =]?|--namespace[ =])([\w-]+)", text)
        asked = f"-n {space[1]}" if space else ""

        def names(kind: str) -> list[str]:
            found = self.sandbox.run(f"kubectl get {kind} {asked} -o name 2>/dev/null", host=self.image.hosts[0])
            return [line.partition("/")[2] for line in found.stdout.split()]

        def fill(match: re.Match[str]) -> str:
            if match["stem"]:
                return next((one for one in names("pods") if one.startswith(match["stem"])), match[0])
            if match["pod"]:
                pods = names("pods")
                alike = {re.sub(r"-[a-z0-9]+(-[a-z0-9]{5})?$", "", one) for one in pods}
                return pods[0] if len(alike) == 1 else match[0]
            nodes = names("nodes")
            return nodes[-1] if nodes else match[0]

        return _OPEN.sub(fill, text)

    def address(self, host: str) -> str:
        """A host's address."""
        return hosts(self.sandbox.world)[host].ip

    # -- terminals ------------------------------------------------------------------------------------------------------
    def terminal(self, action: Action) -> str:
        """Our terminal for an action: the first, one on another host, or one more tab (T2 …)."""
        host = self.host(action.host) if action.host else self.image.hosts[0]
        key = host if action.terminal in ("", "T1") else f"{host}-{action.terminal.lower()}"
        if key not in self.sandbox.terminals():
            self.sandbox.apply("open", {"terminal": key, "host": host}, self.sandbox.now)
        return key

    def drain(self, name: str) -> str:
        """What a terminal printed since, without the echo of prompts and lines."""
        for chunk in self.sandbox.drain():
            if chunk.fd != 0:
                self.output.setdefault(chunk.terminal, []).append(chunk.data)
        return "".join(self.output.pop(name, []))

    def key(self, name: str, key: str) -> None:
        """Press a control key."""
        self.sandbox.apply("key", {"terminal": name, "key": key}, self.sandbox.now)

    def free(self, name: str) -> None:
        """End whatever still runs in a terminal: Ctrl-C; `:q!` for vi and pagers, q for viewers, Ctrl-X and n for nano."""
        for attempt in range(len(_LEAVE)):
            view = self.sandbox.terminals()[name]
            if view.raw:
                self.sandbox.apply("keys", {"terminal": name, "data": _LEAVE[attempt]}, self.sandbox.now)
            elif view.busy or view.continuation:
                self.key(name, "ctrl-c" if attempt < 3 else "ctrl-\\")
            else:
                return
            self.sandbox.advance(self.sandbox.now + SECOND)

    def type(self, name: str, text: str, patience: int = PATIENCE) -> Outcome:
        """Type lines into a terminal, each after the one before has ended; a follower is looked at and left running."""
        self.drain(name)
        began = self.sandbox.now
        outcome = Outcome()
        lines = text.rstrip("\n").split("\n")
        for number, line in enumerate(lines):
            view = self.sandbox.terminals()[name]
            if view.busy and number:  # the command before did not end: a reader interrupts it
                self.free(name)
            self.sandbox.apply("line", {"terminal": name, "text": line[:60_000].replace("\0", "")}, self.sandbox.now)
            limit = GLANCE if _FOLLOWS.search(line) else patience
            outcome.state = self._wait(name, limit)
        if self.sandbox.terminals()[name].continuation:
            outcome.state = "unfinished"
            self.key(name, "ctrl-c")
        outcome.status = self.sandbox.terminals()[name].status
        outcome.output = self.drain(name)
        outcome.seconds = round((self.sandbox.now - began) / SECOND, 3)
        return outcome

    def _wait(self, name: str, limit: int) -> str:
        deadline = self.sandbox.now + limit
        while True:
            view = self.sandbox.terminals()[name]
            if view.raw:
                return "keys"
            if not view.busy:
                return "done"
            due = self.sandbox.next_due()
            if due is None or due > deadline or self._reads(name, deadline - limit):
                return "running"
            self.sandbox.advance(min(deadline, max(due, self.sandbox.now + 10 * MS)))

    def _reads(self, name: str, since: int) -> bool:
        """Whether a program has waited for a typed line for some seconds (`read`, a question)."""
        device = screen.device(self.sandbox.world, name)
        waits = bool(device.input.watchers)
        return waits and self.sandbox.now - since > 20 * SECOND

    def settle(self) -> None:
        """Let time pass until the world is quiet and no image is on its way: the reader looks at what happened."""
        for _ in range(4):
            self.sandbox.settle(SETTLE)
            ends = transcript.pulled(self.sandbox)
            if not ends:
                return
            self.sandbox.advance(max(self.sandbox.now, ends + SECOND // 4))

    # -- scripts --------------------------------------------------------------------------------------------------------
    def script(self, path: str, step: str, kind: str) -> str:
        """A script of the scenario, put into the world; its path there."""
        text = self.fill_in(self.folder.text(self.scenario.path(path)))
        where = f"{SCRIPTS}/{step}-{kind}{posixpath.splitext(path)[1] or '.sh'}"
        self.write(self.image.hosts[0], where, text.encode(), 0o755)
        return where

    def background(self, path: str, number: int) -> Running:
        """Start a background script; its output goes to /var/log/killercoda as on the platform."""
        log = f"/var/log/killercoda/background{number}"
        return Running(
            self.sandbox.world, f"{_interpreter(self.read(self.image.hosts[0], path))} {path} >{log}_stdout.log 2>{log}_stderr.log",
            host=self.image.hosts[0],
        )  # fmt: skip

    def run(self, path: str, limit: int = 180 * SECOND) -> Outcome:
        """Run a script to its end beside the terminals (verify)."""
        began = self.sandbox.now
        command = f"{_interpreter(self.read(self.image.hosts[0], path))} {path}"
        result = self.sandbox.run(command, host=self.image.hosts[0], limit=limit)
        return Outcome(result.code, result.stdout + result.stderr, "done", round((self.sandbox.now - began) / SECOND, 3))


def _interpreter(data: bytes) -> str:
    first = data.split(b"\n", 1)[0].decode("utf-8", "replace")
    found = re.match(r"#!\s*(?:/usr/bin/env\s+)?(?:\S*/)?(python3?|sh|dash|perl|node)\b", first)
    return found[1] if found else "bash"
