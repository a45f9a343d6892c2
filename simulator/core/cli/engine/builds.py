"""`docker build`: BuildKit's solver over stages, with a cache by content (moby/buildkit `frontend/dockerfile`, docker/buildx `commands/build.go`).

A stage is a root file system and fields of an image's configuration.  `RUN` executes in our shell in that root; what it changed is
the new layer.  Steps whose inputs were seen before are taken from the engine's cache.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Generator
from typing import Any, cast

import msgspec

from ...host import executor, files, processes, streams, users
from ...host.filesystem import FileSystem, Inode, Tree, melt
from ...host.invocation import Call
from ...host.machine import hosts
from ...host.program import Sleep, Wait, WaitTopic
from ...kernel.clock import MS, SECOND
from ...kernel.errors import BadInput
from ...runtime import containerd, references, registry
from ...runtime import images as stored
from ...runtime.build import KIB, Build
from ...runtime.engine import core, diff
from ...runtime.engine.core import EngineError
from ...runtime.state import Image
from ...shell import patterns
from . import archives, dockerfile, imagecmds, instructions, pulling
from .buildprogress import Progress, Vertex
from .dockerfile import DockerfileError, Instruction, Stage
from .session import CliError, EngineSession, Steps

#: Steps that a cache keeps.
CACHE = 64
_COUNTED = ("RUN", "COPY", "ADD", "WORKDIR")


class BuildFailed(Exception):
    """A build that ended with an error: what is shown before the last line, and the last line."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


class State(msgspec.Struct):
    """A stage being built: its tree, configuration, layers so far, and the key of all that led to it."""

    tree: Inode
    fields: dict[str, Any]
    key: str
    layers: list[tuple[str, int, int]] = []  # owner, index, bytes
    steps: list[tuple[str, int, int, str]] = []
    author: str = ""
    own_bytes: int = 0


def _hash(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=repr).encode()).hexdigest()


class Builder:
    """One build."""

    def __init__(
        self,
        session: EngineSession,
        *,
        context: Tree | None,
        root: str,
        text: str,
        name: str,
        args: dict[str, str],
        target: str,
        progress: Progress,
        ignored: list[str],
    ) -> None:
        self.session, self.world = session, session.world
        self.context, self.root, self.text, self.file = context, root, text, name
        self.args, self.target, self.progress, self.ignored = args, target, progress, ignored
        self.engine = core.engine(session.world, session.host, session.space)
        self.no_cache = session.on("no-cache")
        self.stages: list[Stage] = []
        self.done: dict[int, State] = {}
        self.globals: dict[str, str] = {}
        self.sent = False
        self.warnings: list[str] = []

    # -- the whole ----------------------------------------------------------------------------------------------------------
    def run(self, tags: list[str]) -> Generator[Wait, Any, Build]:
        """Build the target and name it."""
        before, self.stages = dockerfile.parse(self.text)
        for one in before:
            key, _, default = one.text.partition("=")
            self.globals[key] = self.args.get(key, dockerfile.expand(default.strip("\"'"), self.globals))
        wanted = self._target()
        yield from self._metadata(wanted)
        vertex = self.progress.start("[internal] load .dockerignore")
        yield Sleep(8 * MS)
        self.progress.sub(vertex, f"transferring context: {max(2, sum(len(p) + 1 for p in self.ignored))}B")
        self.progress.done(vertex)
        state = yield from self._stage(wanted)
        return (yield from self._export(state, tags))

    def _target(self) -> int:
        if not self.target:
            return len(self.stages) - 1
        for number, stage in enumerate(self.stages):
            if self.target.lower() == stage.name or self.target == str(number):
                return number
        raise BuildFailed(f'target stage "{self.target}" could not be found')

    def _needed(self, number: int, found: list[int]) -> list[int]:
        """The stages that one needs, in the order of their building."""
        stage = self.stages[number]
        for name in [
            dockerfile.expand(stage.base, self.globals),
            *(one.flag("from") for one in stage.body if one.name == "COPY" and one.flag("from")),
        ]:
            other = self._index(name, number)
            if other is not None and other not in found:
                self._needed(other, found)
        if number not in found:
            found.append(number)
        return found

    def _index(self, name: str, before: int) -> int | None:
        for number in reversed(range(before)):
            if name.lower() == self.stages[number].name or name == str(number):
                return number
        return None

    # -- bases --------------------------------------------------------------------------------------------------------------
    def _reference(self, name: str) -> references.Reference:
        if not name:
            raise BuildFailed("base name (" + name + ") should not be blank")
        try:
            return references.normalise(name)
        except BadInput as bad:
            raise BuildFailed(f'failed to parse stage name "{name}": {bad}') from None

    def _metadata(self, wanted: int) -> Generator[Wait, Any, None]:
        seen: list[str] = []
        for number in self._needed(wanted, []):
            stage = self.stages[number]
            names = [dockerfile.expand(stage.base, self.globals)]
            names += [one.flag("from") for one in stage.body if one.name == "COPY" and one.flag("from")]
            for name in names:
                if name == "scratch" or self._index(name, number) is not None:
                    continue
                ref = self._reference(name)
                if ref.name in seen:
                    continue
                seen.append(ref.name)
                vertex = self.progress.start(f"[internal] load metadata for {ref.name}")
                if ref.name in self.session.images:
                    yield Sleep(3 * MS)
                    self.progress.done(vertex)
                    continue
                yield Sleep(self.world.rng("build").between(500, 1400) * MS)
                try:
                    registry.resolve(self.world, self.session.host, ref)
                except registry.ResolveError as failed:
                    self.progress.done(vertex, error=str(failed))
                    line = stage.head
                    raise BuildFailed(
                        f"{name}: failed to resolve source metadata for {ref.name}: {failed}",
                        self.progress.failure(vertex) + self._excerpt(line),
                    ) from None
                self.progress.done(vertex)

    def _base(self, name: str, label: str) -> Generator[Wait, Any, State]:
        ref = self._reference(name)
        known = self.session.images.get(ref.name)
        if known is not None:
            build = self.session.build(known)
            vertex = self.progress.start(f"{label}FROM {ref.name}")
            yield Sleep(2 * MS)
            self.progress.done(vertex, cached=f"base/{ref.name}" in self.engine.cache)
        else:
            build = registry.resolve(self.world, self.session.host, ref)
            vertex = self.progress.start(f"{label}FROM {ref.name}@{build.digest('index')}")
            cached = self.engine.cache.get(f"base/{ref.name}") == build.name
            if not cached:
                self.progress.sub(vertex, f"resolve {ref.name}@{build.digest('index')}", 4 * MS)
                for number, size in enumerate(build.layer_bytes):
                    took = 60 * MS + size * SECOND // containerd.BANDWIDTH
                    yield Sleep(took)
                    self.progress.sub(vertex, f"{build.digest(f'layer/{number}')} {_mb(size)} / {_mb(size)}", took)
                    self.progress.draw()
                for number, size in enumerate(build.layer_bytes):
                    took = size * SECOND // containerd.UNPACK
                    yield Sleep(took)
                    self.progress.sub(vertex, f"extracting {build.digest(f'layer/{number}')}", took)
            self.progress.done(vertex, cached=cached)
        self._remember(f"base/{ref.name}", build.name)
        return self._of(build)

    def _of(self, build: Build) -> State:
        owners = list(build.owners or [(build.name, n) for n in range(len(build.layers))])
        layers = [(owner, index, size) for (owner, index), size in zip(owners, build.layer_bytes, strict=True)]
        made = pulling.created(self.session, build)
        steps = [(text, layer, at or made, comment) for text, layer, at, comment in archives.history(build)]
        return State(
            stored.root(self.world, build.name),
            imagecmds.fields_of(build),
            build.name,
            layers,
            steps,
            build.author,
            build.own_bytes,
        )

    def _remember(self, key: str, value: str) -> None:
        self.engine.cache.pop(key, None)
        self.engine.cache[key] = value
        while len(self.engine.cache) > CACHE:
            del self.engine.cache[next(iter(self.engine.cache))]

    # -- stages -------------------------------------------------------------------------------------------------------------
    def _stage(self, number: int) -> Generator[Wait, Any, State]:
        if number in self.done:
            return self.done[number]
        for other in self._needed(number, []):
            if other != number:
                yield from self._stage(other)
        stage = self.stages[number]
        counted = 1 + sum(one.name in _COUNTED for one in stage.body)
        many = len(self._needed(self._target(), [])) > 1
        head = f"{stage.name or f'stage-{number}'} " if many else ""
        base = dockerfile.expand(stage.base, self.globals)
        parent = self._index(base, number)
        if parent is not None:
            above = self.done[parent]
            state = State(
                stored.copy_tree(above.tree),
                dict(above.fields),
                above.key,
                list(above.layers),
                list(above.steps),
                above.author,
                above.own_bytes,
            )
        elif base == "scratch":
            state = State(
                Inode("dir", 0o755, children={}),
                {"env": (("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),), "userland": "none"},
                "scratch",
            )
        else:
            state = yield from self._base(base, f"[{head}1/{counted}] ")
        state.fields.pop("_cmd_set", None)
        triggers, state.fields["onbuild"] = (
            [dockerfile.instruction(text, stage.head.first) for text in state.fields.get("onbuild") or ()],
            (),
        )
        scope: dict[str, str] = {}
        step = 1
        for one in [*triggers, *stage.body]:
            try:
                if one.name in _COUNTED:
                    step += 1
                    yield from self._counted(
                        state, one, f"[{head}{step}/{counted + len([t for t in triggers if t.name in _COUNTED])}] ", scope, number
                    )
                else:
                    self._plain(state, one, scope)
            except DockerfileError as bad:
                raise BuildFailed(f"dockerfile parse error on line {bad.line or one.first}: {bad}", self._excerpt(one)) from None
        self.done[number] = state
        return state

    def _variables(self, state: State, scope: dict[str, str]) -> dict[str, str]:
        return {**scope, **instructions.environment(state.fields)}

    def _plain(self, state: State, one: Instruction, scope: dict[str, str]) -> None:
        """An instruction that makes no layer."""
        if one.name == "ARG":
            for key, value in (
                (w.partition("=")[0], w.partition("=")[2] if "=" in w else None) for w in dockerfile.words(one.text)
            ):
                default = self.globals.get(key, "") if value is None else dockerfile.expand(value, self._variables(state, scope))
                scope[key] = self.args.get(key, default)
            state.steps.append((f"ARG {one.text}", -1, self.world.wall, "buildkit.dockerfile.v0"))
            return
        if one.name in ("CMD", "ENTRYPOINT") and one.array is None and one.text:
            self.warnings.append(
                f"JSONArgsRecommended: JSON arguments recommended for {one.name} to prevent unintended behavior related to OS signals (line {one.first})"
            )
        if one.name == "MAINTAINER":
            self.warnings.append(
                f"MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label (line {one.first})"
            )
            state.author = one.text
        if one.name in ("ENV", "LABEL") and "=" not in one.text.split(None, 1)[0]:
            self.warnings.append(
                f'LegacyKeyValueFormat: "{one.name} key=value" should be used instead of legacy "{one.name} key value" format (line {one.first})'
            )
        text = instructions.configure(
            state.fields, one, {k: v for k, v in scope.items() if k not in instructions.environment(state.fields)}
        )
        if one.name == "CMD":
            state.fields["_cmd_set"] = True
        state.key = _hash(state.key, text)
        state.steps.append((text, -1, self.world.wall, "buildkit.dockerfile.v0"))

    def _counted(
        self, state: State, one: Instruction, label: str, scope: dict[str, str], number: int
    ) -> Generator[Wait, Any, None]:
        """RUN, COPY, ADD or WORKDIR: from the cache, or done now."""
        env = self._variables(state, scope)
        shown = (
            one.source
            if one.name == "RUN"
            else f"{one.name} {one._rest() if not any(ch in one.text for ch in '$') else dockerfile.expand(one._rest(), env)}"
        )
        sources: list[tuple[str, Inode]] = []
        content = ""
        if one.name in ("COPY", "ADD"):
            yield from self._send_context(one)
            sources, target, content = self._sources(state, one, env, number)
            text = f"{one.name} {one._rest()} # buildkit"
        elif one.name == "RUN":
            argv = list(instructions.command(state.fields, one)) if not one.heredocs else []
            argv = [*instructions.shell(state.fields), one.heredocs[0][1]] if one.heredocs and one.text.startswith("<<") else argv
            if one.heredocs and not one.text.startswith("<<"):
                argv = [
                    *instructions.shell(state.fields),
                    one.text + "\n" + one.heredocs[0][1] + one.heredocs[0][0].rstrip("'") + "\n",
                ]
            used = [f"{k}={v}" for k, v in scope.items()]
            text = "RUN " + (f"|{len(used)} {' '.join(used)} " if used else "") + " ".join(argv) + " # buildkit"
        else:
            text = (
                f"WORKDIR {posixpath.normpath(posixpath.join(state.fields.get('cwd') or '/', dockerfile.expand(one.text, env)))}"
            )
        key = _hash(
            state.key,
            one.name,
            text,
            content,
            sorted(scope.items()) if one.name == "RUN" else "",
            state.fields.get("user"),
            state.fields.get("cwd"),
        )
        vertex = self.progress.start(label + shown)
        known = stored.made(self.world).get(self.engine.cache.get(key, "")) if not self.no_cache else None
        if known is not None:
            state.tree = stored.copy_tree(known.tree)
            self.progress.done(vertex, cached=True)
        else:
            before = stored.copy_tree(state.tree)
            if one.name == "RUN":
                yield from self._execute(state, argv, env, vertex, one)
            elif one.name == "WORKDIR":
                yield Sleep(4 * MS)
                FileSystem(state.tree).tree().mkdir(text.partition(" ")[2], True, now=self.world.wall)
                state.tree = self._made_dir(state.tree, text.partition(" ")[2])
                self.progress.done(vertex)
            else:
                yield Sleep(10 * MS + sum(len(n.data) for _, n in sources) * SECOND // containerd.UNPACK)
                self._place(state, one, sources, target)
                self.progress.done(vertex)
            changed = list(diff.changes(before, state.tree))
            marker = Build(
                name=f"sha256:{_hash('step', key)}",
                layers=(0,),
                sizes=(diff.size(changed),),
                owners=((key, 0),),
                platforms=("linux/amd64",),
            )
            stored.keep(self.world, marker, stored.copy_tree(state.tree))
            self._remember(key, marker.name)
        if one.name == "WORKDIR":
            state.fields["cwd"] = text.partition(" ")[2]
        size = stored.find(self.world, self.engine.cache[key]).sizes[0]
        state.own_bytes += size
        state.layers.append((key, 0, size))
        state.steps.append((text, len(state.layers) - 1, self.world.wall, "buildkit.dockerfile.v0"))
        state.key = key

    def _made_dir(self, tree: Inode, path: str) -> Inode:
        fs = FileSystem(tree)
        fs.mkdir(path, True, now=self.world.wall)
        return fs.root

    # -- RUN ----------------------------------------------------------------------------------------------------------------
    def _execute(
        self, state: State, argv: list[str], env: dict[str, str], vertex: Vertex, one: Instruction
    ) -> Generator[Wait, Any, None]:
        session = self.session
        machine = hosts(self.world)[session.host]
        key = f"build-{self.world.rng('build').hex(12)}"
        fs = FileSystem(state.tree)
        own = {"/etc/hosts": b"127.0.0.1\tlocalhost\n", "/etc/resolv.conf": b"nameserver 172.30.1.1\n"}
        had = {path: fs.exists(path) for path in own}
        kept = {path: fs.read(path) for path in own if had[path]}
        for path, data in own.items():
            fs.write(path, data, parents=True)
        machine.filesystems[key] = fs
        user = str(state.fields.get("user") or "root").partition(":")[0]
        out = _Lines(self.progress, vertex)
        full = {"HOME": users.home_of(files.tree(machine, key), user), **env}
        program = argv[0] if argv else ""
        try:
            executor.resolve(
                machine, key, program, cwd=state.fields.get("cwd") or "/", path=full.get("PATH", executor.DEFAULT_PATH), user=user
            )
        except OSError:
            del machine.filesystems[key]
            text = (
                f'process "{" ".join(argv)}" did not complete successfully: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "{program}": '
                + (f"stat {program}: no such file or directory" if "/" in program else "executable file not found in $PATH")
            )
            self.progress.done(vertex, error=text)
            raise BuildFailed(text, self.progress.failure(vertex) + self._excerpt(one)) from None
        yield Sleep(self.world.rng("build").between(80, 160) * MS)
        run = executor.get(self.world)
        proc = run.spawn(
            session.host, argv, {0: streams.Buffer(b""), 1: out, 2: out}, user=user, cwd=state.fields.get("cwd") or "/", env=full, mnt=key, netns=session.host,
            ppid=cast(Call, session.inv).proc.pid, container=key,
        )  # fmt: skip
        try:
            while processes.alive(self.world, proc):
                yield WaitTopic((f"exit:{proc.key}",), self.world.now + 500 * MS if self.progress.mode == "tty" else None)
                self.progress.draw()
        finally:
            if processes.alive(self.world, proc):
                processes.kill(self.world, proc, 9)
            machine.filesystems.pop(key, None)
        for path in own:
            if had[path]:
                fs.write(path, kept[path])
            elif fs.exists(path):
                fs.remove(path)
        yield Sleep(self.world.rng("build").between(60, 160) * MS)
        if proc.exit_code:
            text = f'process "{" ".join(argv)}" did not complete successfully: exit code: {proc.exit_code}'
            self.progress.done(vertex, error=text)
            raise BuildFailed(text, self.progress.failure(vertex) + self._excerpt(one))
        state.tree = fs.root
        self.progress.done(vertex)

    # -- COPY and ADD ---------------------------------------------------------------------------------------------------------
    def _send_context(self, one: Instruction) -> Generator[Wait, Any, None]:
        if self.sent or one.flag("from"):
            return
        self.sent = True
        vertex = self.progress.start("[internal] load build context")
        yield Sleep(12 * MS)
        size = sum(len(node.data) + 32 for path, node in self._walk_context() if node.kind != "dir")
        self.progress.sub(vertex, f"transferring context: {_kb(size)}")
        self.progress.done(vertex)

    def _walk_context(self) -> list[tuple[str, Inode]]:
        """Everything of the context that .dockerignore lets through: (path from its root, inode)."""
        if self.context is None:
            return []
        out = []
        for path, node in self.context.walk(self.root):
            name = path[len(self.root.rstrip("/")) :].lstrip("/")
            if name and not ignored(name, self.ignored):
                out.append((name, node))
        return out

    def _sources(
        self, state: State, one: Instruction, env: dict[str, str], number: int
    ) -> tuple[list[tuple[str, Inode]], str, str]:
        """What is copied: (path below the target, inode), the target, a digest of all of it."""
        words = [
            dockerfile.expand(w, env)
            for w in (one.array if one.array is not None else [w for w in dockerfile.words(one.text) if not w.startswith("<<")])
        ]
        docs = {name.rstrip("'"): body for name, body in one.heredocs}
        *names, target = words
        origin = one.flag("from")
        if origin:
            index = self._index(origin, number)
            if index is not None:
                tree = FileSystem(self.done[index].tree).tree()
            elif origin.isdigit() or origin == self.stages[number].name:
                raise BuildFailed(
                    f"invalid from flag value {origin}: "
                    + ("invalid stage index " + origin if origin.isdigit() else "circular dependency"),
                    self._excerpt(one),
                )
            else:
                ref = self._reference(origin)
                image = self.session.images.get(ref.name)
                build = self.session.build(image) if image is not None else registry.resolve(self.world, self.session.host, ref)
                tree = FileSystem(stored.root(self.world, build.name)).tree()
            known = [(path.lstrip("/"), node) for path, node in tree.walk("/")] if any(_magic(n) for n in names) else []
        else:
            tree, known = None, self._walk_context()
        found: list[tuple[str, Inode]] = [
            (f"\0{name}", Inode("file", 0o644, data=body.encode(), mtime=self.world.wall)) for name, body in docs.items()
        ]
        folder = target.endswith("/") or target in (".", "..") or len(names) + len(docs) > 1
        for name in names:
            if name.startswith(("http://", "https://", "git@")):
                raise BuildFailed(f"{one.name} of a URL is not simulated in Slipway yet", self._excerpt(one))
            wanted = posixpath.normpath("/" + name).lstrip("/")
            hits = (
                [p for p, _ in known if patterns.matches(wanted, p) and p.count("/") == wanted.count("/")]
                if _magic(wanted)
                else [wanted]
            )
            entries = dict(known)
            for hit in hits:
                rows = self._below(tree, entries, hit)
                if not rows:
                    raise self._missing(one, name)
                if len(rows) == 1 and rows[0][1].kind != "dir":
                    node = rows[0][1]
                    if one.name == "ADD" and node.kind == "file" and _is_tar(node.data):
                        found += [("/" + path, inner) for path, inner in archives.read_entries(node.data)]
                        folder = True
                    else:
                        found.append(((("/" + posixpath.basename(hit)) if folder or len(hits) > 1 else ""), node))
                else:
                    found += [(path[len(hit) :] if hit else "/" + path, node) for path, node in rows if path != hit]
                    folder = True
            if not hits:
                raise self._missing(one, name)
        parts = [
            (path, node.kind, node.mode, hashlib.sha256(node.data + node.target.encode()).hexdigest()) for path, node in found
        ]
        return found, target, _hash(parts, target)

    def _below(self, tree: Tree | None, entries: dict[str, Inode], hit: str) -> list[tuple[str, Inode]]:
        if tree is not None:
            path = "/" + hit
            if not tree.exists(path):
                return []
            return (
                [(p.lstrip("/"), node) for p, node in tree.walk(tree.realpath(path) if not tree.isdir(path) else path)]
                if tree.isdir(path)
                else [(hit, tree.lookup(path))]
            )
        if not hit:
            return list(entries.items())
        return [(p, node) for p, node in entries.items() if p == hit or p.startswith(hit + "/")]

    def _missing(self, one: Instruction, name: str) -> BuildFailed:
        ref = _hash("ref", self.world.epoch)[:25]
        text = f'failed to compute cache key: failed to calculate checksum of ref {ref}::{_hash(name)[:25]}: "/{posixpath.normpath("/" + name).lstrip("/")}": not found'
        if one.flag("from"):
            text = f'failed to compute cache key: failed to calculate checksum of ref {ref}::{_hash(name)[:25]}: "/{name.lstrip("/")}": not found'
        vertex = self.progress.start(f"{one.name} {one._rest()}")
        self.progress.done(vertex, error=text)
        return BuildFailed(text, self.progress.failure(vertex) + self._excerpt(one))

    def _place(self, state: State, one: Instruction, sources: list[tuple[str, Inode]], target: str) -> None:
        fs = FileSystem(state.tree)
        tree = fs.tree()
        folder = target.endswith("/") or target in (".",)
        target = posixpath.normpath(posixpath.join(state.fields.get("cwd") or "/", target))
        owner, _, group = one.flag("chown").partition(":")
        uid = users.uid_of(tree, owner) if owner else 0
        gid = (
            (users.gid_of(tree, group) if not group.isdigit() else int(group))
            if group
            else users.gid_of(tree, owner)
            if owner
            else 0
        )
        mode = int(one.flag("chmod"), 8) if one.flag("chmod").isdigit() else None
        if len(sources) == 1 and not sources[0][0] and tree.isdir(target):
            folder = True
        for below, node in sources:
            name = below.lstrip("\0") if below.startswith("\0") else below
            if below.startswith("\0"):
                path = posixpath.join(target, name) if folder or len(sources) > 1 or tree.isdir(target) else target
            elif below == "" and folder:
                path = posixpath.join(target, posixpath.basename(dockerfile.words(one.text)[0]))
            else:
                path = posixpath.normpath(target + below)
            real = melt(node)
            if real.kind == "dir":
                tree.mkdir(path, True, mode=real.mode, uid=uid, gid=gid, now=self.world.wall)
                continue
            tree.mkdir(posixpath.dirname(path), True, now=self.world.wall)
            tree.put(
                path,
                Inode(real.kind, mode if mode is not None else real.mode, uid, gid, real.mtime, real.data, None, real.target),
                self.world.wall,
            )
        state.tree = fs.root

    # -- the end --------------------------------------------------------------------------------------------------------------
    def _export(self, state: State, tags: list[str]) -> Generator[Wait, Any, Build]:
        fields = {key: value for key, value in state.fields.items() if not key.startswith("_")}
        for pair in self.session.items("label"):
            labels = dict(fields.get("labels") or ())
            labels[pair.partition("=")[0]] = pair.partition("=")[2]
            fields["labels"] = tuple(sorted(labels.items()))
        vertex = self.progress.start("exporting to image")
        yield Sleep(40 * MS)
        self.progress.sub(vertex, "exporting layers", 30 * MS)
        owners = tuple((owner, index) for owner, index, _ in state.layers) or ((f"scratch/{state.key}", 0),)
        sizes = tuple(size for _, _, size in state.layers) or (0,)
        name = "sha256:" + _hash(owners, {k: repr(v) for k, v in fields.items()}, [s[0] for s in state.steps], state.author)
        known = stored.known(self.world, name)
        build = known or Build(
            name=name,
            layers=tuple(size // KIB for size in sizes),
            sizes=sizes,
            own_bytes=state.own_bytes,
            owners=owners,
            steps=tuple(state.steps),
            created_at=self.world.wall,
            author=state.author,
            platforms=("linux/amd64",),
            **fields,
        )
        if known is None:
            stored.keep(self.world, build, state.tree)
        self.progress.sub(vertex, f"writing image {build.digest('config')}", plain=f"writing image {build.digest('config')}")
        session = self.session
        for tag in tags:
            full = references.normalise(tag).name
            imagecmds.keep(session, full, build)
            self.progress.sub(vertex, f"naming to {full}", plain=f"naming to {full}")
        if not tags:
            containerd.store_build(self.world, session.host, core.image_space(session.space), build)
            if not any(i.image_id == build.digest("config") for i in session.images.values()):
                imagecmds.leave_dangling(
                    session, Image("", build.digest("index"), build.digest("config"), build.name, self.world.wall)
                )
        self.progress.done(vertex)
        return build

    def _excerpt(self, one: Instruction) -> str:
        return excerpt(self.text, self.file, one.first, one.last)


def excerpt(text: str, name: str, first: int, last: int) -> str:
    """The lines of a Dockerfile around an error, as buildx prints them (`util/buildflags`, `errdefs.Source`)."""
    lines = text.split("\n")
    low, high = max(1, first - 2), min(len(lines), last + 2)
    rows = [f"{name}:{first}", "-" * 20]
    for number in range(low, high + 1):
        mark = ">>>" if first <= number <= last else "   "
        rows.append(
            f"{number:4d} | {mark} {lines[number - 1]}".rstrip() if lines[number - 1] or mark.strip() else f"{number:4d} |     "
        )
    return "\n".join([*rows, "-" * 20]) + "\n"


class _Lines(streams.Stream):
    """Output of a RUN: whole lines go to the display."""

    def __init__(self, progress: Progress, vertex: Vertex) -> None:
        super().__init__()
        self.progress, self.vertex, self.rest = progress, vertex, b""

    def write(self, data: bytes) -> None:
        """Pass on complete lines."""
        self.rest += data
        *whole, self.rest = self.rest.split(b"\n")
        for line in whole:
            self.progress.output(self.vertex, line.decode(errors="replace"))

    def closed(self) -> None:
        """An unfinished line."""
        if self.rest:
            self.progress.output(self.vertex, self.rest.decode(errors="replace"))
            self.rest = b""


def ignored(name: str, rules: list[str]) -> bool:
    """Whether .dockerignore leaves a path out (moby/patternmatcher: the last rule that fits decides)."""
    out = False
    for rule in rules:
        keep = rule.startswith("!")
        pattern = posixpath.normpath(rule.lstrip("!").strip("/"))
        parts = name.split("/")
        hit = any(_fits(pattern, "/".join(parts[: n + 1])) for n in range(len(parts)))
        if hit:
            out = not keep
    return out


def _fits(pattern: str, name: str) -> bool:
    if pattern.startswith("**/") and _fits(pattern[3:], name.rpartition("/")[2]):
        return True
    if "**" in pattern:
        return patterns.matches(pattern.replace("**", "*"), name)
    return patterns.matches(pattern, name) and pattern.count("/") == name.count("/")


def _magic(text: str) -> bool:
    return any(ch in text for ch in "*?[")


def _is_tar(data: bytes) -> bool:
    return data[:2] == b"\x1f\x8b" or data[257:262] == b"ustar"


def _mb(size: int) -> str:
    return f"{size / 1e6:.2f}MB" if size >= 1e6 else f"{size / 1e3:.2f}kB" if size >= 1000 else f"{size}B"


def _kb(size: int) -> str:
    return _mb(size) if size >= 1000 else f"{max(2, size)}B"


def build(session: EngineSession) -> Steps:
    """`docker build`."""
    word = session.args[0]
    tags = session.items("tag")
    for tag in tags:
        try:
            references.normalise(tag)
        except BadInput as bad:
            raise CliError(f'ERROR: failed to build: invalid tag "{tag}": {bad}') from None
    session.connect()
    args: dict[str, str] = {}
    for pair in session.items("build-arg"):
        key, equals, value = pair.partition("=")
        args[key] = value if equals else session.inv.env.get(key, "")
    root = posixpath.normpath(posixpath.join(session.inv.cwd, word))
    tree = files.tree(session.inv.host)
    context: Tree | None = tree
    wanted = session.flag("file")
    name = posixpath.basename(wanted) if wanted and wanted != "-" else "Dockerfile"
    if word == "-":
        text, context, rules = (yield from session.inv.read()).decode(errors="replace"), None, []
    else:
        if word.startswith(("http://", "https://", "git://", "github.com/")):
            raise CliError("docker build of a remote context: not simulated in Slipway yet")
        if not tree.isdir(root):
            raise CliError(f'ERROR: failed to build: unable to prepare context: path "{word}" not found')
        rules = _ignore_rules(tree, root, posixpath.normpath(posixpath.join(session.inv.cwd, wanted)) if wanted else "")
        text = ""
    mode = session.flag("progress") or "auto"
    if mode not in ("auto", "plain", "tty", "quiet", "rawjson"):
        raise CliError(f"ERROR: failed to build: invalid progress mode {mode}")
    quiet = session.on("quiet")
    shown = (
        "quiet"
        if quiet or mode == "quiet"
        else "tty"
        if mode == "tty" or (mode == "auto" and session.inv.stdout_tty)
        else "plain"
    )
    progress = Progress(session.world, session.inv.err, shown, session.inv.columns, "default")
    vertex = progress.start(f"[internal] load build definition from {name}")
    yield Sleep(15 * MS)
    builder: Builder | None = None
    try:
        if context is not None:
            if wanted == "-":
                text = (yield from session.inv.read()).decode(errors="replace")
            else:
                path = (
                    posixpath.normpath(posixpath.join(session.inv.cwd, wanted)) if wanted else posixpath.join(root, "Dockerfile")
                )
                if not wanted and not tree.exists(path) and tree.exists(posixpath.join(root, "dockerfile")):
                    path = posixpath.join(root, "dockerfile")
                if not tree.exists(path):
                    progress.sub(vertex, "transferring dockerfile: 2B")
                    text = f"failed to read dockerfile: open {name}: no such file or directory"
                    progress.done(vertex)
                    raise BuildFailed(text)
                text = tree.read(path).decode(errors="replace")
        progress.sub(vertex, f"transferring dockerfile: {len(text.encode()) + 31}B")
        progress.done(vertex)
        builder = Builder(
            session,
            context=context,
            root=root,
            text=text,
            name=name,
            args=args,
            target=session.flag("target"),
            progress=progress,
            ignored=rules,
        )
        done = yield from builder.run(tags)
    except DockerfileError as bad:
        progress.draw(finished=True)
        where = f"dockerfile parse error on line {bad.line}: " if bad.line else ""
        session.inv.err(excerpt(text, name, bad.line, bad.line) if bad.line else "")
        raise CliError(f"ERROR: failed to build: failed to solve: {where}{bad}") from None
    except BuildFailed as failed:
        progress.draw(finished=True)
        session.inv.err(failed.detail)
        raise CliError(f"ERROR: failed to build: failed to solve: {failed}") from None
    except EngineError as failed:
        raise CliError(f"ERROR: failed to build: failed to solve: {failed}") from None
    progress.draw(finished=True)
    if session.flag("iidfile"):
        session.inv.write_file(session.flag("iidfile"), done.digest("config").encode())
    if quiet:
        session.inv.out(done.digest("config") + "\n")
    elif builder.warnings:
        count = len(builder.warnings)
        session.inv.err(
            f"\n {count} warning{'s' if count > 1 else ''} found (use docker --debug to expand):\n"
            + "".join(f" - {text}\n" for text in builder.warnings)
        )
    return 0


def _ignore_rules(tree: Tree, root: str, dockerfile_path: str) -> list[str]:
    for path in (
        [dockerfile_path + ".dockerignore"] if dockerfile_path else [posixpath.join(root, "Dockerfile.dockerignore")]
    ) + [posixpath.join(root, ".dockerignore")]:
        if tree.exists(path):
            lines = [line.strip() for line in tree.read(path).decode(errors="replace").splitlines()]
            return [line for line in lines if line and not line.startswith("#")]
    return []
