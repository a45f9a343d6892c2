"""Pulling images with Docker's display (moby `pkg/streamformatter`, `pkg/jsonmessage`); nerdctl has containerd's own."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from ...host.program import Sleep, Wait
from ...kernel.clock import MS, SECOND
from ...kernel.errors import BadInput
from ...runtime import containerd, references
from ...runtime import images as stored
from ...runtime.engine import core
from ...runtime.engine.core import EngineError
from ...runtime.state import Container, Image, LayerPull, Pull
from .. import human
from .session import CliError, EngineSession, Steps

_BAR = 50


def reference(session: EngineSession, text: str) -> str:
    """A full image name; raises EngineError or CliError for one that is none."""
    try:
        return references.normalise(text).name
    except BadInput as bad:
        if session.docker:
            raise CliError(f"docker: {bad}\n\nRun 'docker run --help' for more information", 125) from None
        raise EngineError(str(bad)) from None


def mark(session: EngineSession, container: Container) -> None:
    """What nerdctl notes on a container besides Docker's configuration."""
    if not session.docker:
        container.snapshotter = session.flag("snapshotter")


def for_run(session: EngineSession, word: str, *, quiet: bool, missing: bool) -> Generator[Wait, Any, Image]:
    """The pull that `run` does by itself; its display goes to standard error."""
    if not session.docker:
        from ..nerdctl.pulling import fetch as pull_by_nerdctl

        return (yield from pull_by_nerdctl(session, reference(session, word), quiet=quiet))
    if missing and not quiet:
        session.inv.err(f"Unable to find image '{session.familiar(reference(session, word))}' locally\n")
    image = yield from fetch(session, word, quiet=quiet, show=session.inv.err)
    return image


def fetch(session: EngineSession, word: str, *, quiet: bool, show: Any) -> Generator[Wait, Any, Image]:
    """Pull with Docker's display; raises EngineError with dockerd's words."""
    name = reference(session, word)
    space = core.image_space(session.space)
    pull = containerd.begin_pull(session.world, session.host, space, name, wrap="docker")
    before = session.images.get(name)
    if pull.error:
        while not pull.done:
            yield Sleep(max(1 * MS, pull.ends - session.world.now))
        raise EngineError(pull.error, 404)
    ref = references.normalise(name)
    display = Display(
        session, pull, have=set(core.images(session.world, session.host, session.space).blobs), show=show, quiet=quiet
    )
    first = min((layer.start for layer in pull.layers), default=pull.ends)
    if session.world.now < first:
        yield Sleep(first - session.world.now)
    display.begin(f"{ref.tag or ref.digest}: Pulling from {ref.path}")
    while not pull.done:
        yield Sleep(min(100 * MS if display.live else 10 * SECOND, max(1 * MS, display.next_change() - session.world.now)))
        display.draw()
    if pull.error:
        raise EngineError(pull.error)
    image = session.images[pull.ref]
    core.event(session.world, session.host, session.space, "image", "pull", session.familiar(name), {"name": ref.familiar})
    same = before is not None and before.image_id == image.image_id
    text = "Image is up to date for" if same else "Downloaded newer image for"
    display.end([f"Digest: {image.target}", f"Status: {text} {session.familiar(name)}"])
    return image


class Display:
    """The lines of a pull: one a layer, redrawn on a terminal, one a change elsewhere."""

    def __init__(self, session: EngineSession, pull: Pull, *, have: set[str], show: Any, quiet: bool) -> None:
        self.session, self.pull, self.show, self.quiet = session, pull, show, quiet
        self.have = have
        self.live = session.inv.stdout_tty
        self.told: dict[str, str] = {}
        self.drawn = 0

    def begin(self, head: str) -> None:
        """The first line, then the layers as they stand."""
        if not self.quiet:
            self.show(head + "\n")
            self.draw()

    def state(self, layer: LayerPull, unpacking_from: int) -> tuple[str, str]:
        """(what a layer does, its bar)."""
        now = self.session.world.now
        if layer.digest in self.have:
            return "Already exists", ""
        if now < layer.start:
            return ("Pulling fs layer", "") if self.told.get(layer.digest) is None else ("Waiting", "")
        if now < layer.fetched:
            got = layer.size * (now - layer.start) // max(1, layer.fetched - layer.start)
            return "Downloading", self._bar(got, layer.size)
        if now < unpacking_from:
            return "Download complete", ""
        if now < layer.unpacked:
            got = layer.size * (now - unpacking_from) // max(1, layer.unpacked - unpacking_from)
            return "Extracting", self._bar(got, layer.size)
        return "Pull complete", ""

    @staticmethod
    def _bar(got: int, total: int) -> str:
        filled = got * _BAR // max(1, total)
        return f"[{'=' * filled}>{' ' * (_BAR - filled)}]  {human.size(got)}/{human.size(total)}"

    def next_change(self) -> int:
        """When the next layer changes (virtual ns)."""
        now = self.session.world.now
        times = [t for layer in self.pull.layers for t in (layer.start, layer.fetched, layer.unpacked) if t > now]
        return min(times, default=self.pull.ends + MS)

    def draw(self) -> None:
        """Show what has changed."""
        if self.quiet:
            return
        rows = []
        before = 0
        for layer in self.pull.layers:
            began = max(layer.fetched, before)
            before = layer.unpacked
            text, bar = self.state(layer, began)
            rows.append((layer, text, bar))
        if self.live:
            self.show(
                "\x1b[1A\x1b[2K\r" * self.drawn + "".join(f"{layer.digest[7:19]}: {text} {bar}\n" for layer, text, bar in rows)
            )
            self.drawn = len(rows)
            for layer, text, _ in rows:
                self.told[layer.digest] = text
            return
        for layer, text, _ in rows:
            steps = ["Pulling fs layer", "Verifying Checksum", "Download complete", "Pull complete"]
            if text == "Already exists":
                steps = [text]
            if text in ("Downloading", "Extracting", "Waiting"):
                text = {"Downloading": "Pulling fs layer", "Extracting": "Download complete", "Waiting": "Pulling fs layer"}[text]
            for step in steps[: steps.index(text) + 1]:
                if steps.index(step) > (steps.index(self.told[layer.digest]) if layer.digest in self.told else -1):
                    self.show(f"{layer.digest[7:19]}: {step}\n")
                    self.told[layer.digest] = step

    def end(self, lines: list[str]) -> None:
        """The last state of every layer, digest and status."""
        if not self.quiet:
            self.draw()
            self.show("".join(line + "\n" for line in lines))


def pull(session: EngineSession) -> Steps:
    """`docker pull`."""
    session.connect()
    word = session.args[0]
    try:
        ref = references.normalise(word, default_tag=False)
    except BadInput as bad:
        raise CliError(str(bad)) from None
    platform = session.flag("platform")
    quiet = session.on("quiet")
    if session.on("all-tags"):
        if ref.tag or ref.digest:
            raise CliError("tag can't be used with --all-tags/-a")
        return (yield from _all_tags(session, ref))
    if not ref.tag and not ref.digest and not quiet:
        session.inv.out("Using default tag: latest\n")
    if platform and platform not in ("linux/amd64", "linux"):
        raise EngineError(
            f"image with reference {word} was found but its platform (linux/amd64) does not match the specified platform ({platform})",
            404,
        )
    image = yield from fetch(session, word, quiet=quiet, show=session.inv.out)
    session.inv.out(image.name + "\n")
    return 0


def _all_tags(session: EngineSession, ref: references.Reference) -> Steps:
    from ...runtime import catalogue

    tags = [name for name in sorted(catalogue.TAGS) if name.startswith(ref.repository + ":")]
    if not tags:
        raise EngineError(
            f"pull access denied for {ref.familiar}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
            404,
        )
    for name in tags:
        yield from fetch(session, name, quiet=session.on("quiet"), show=session.inv.out)
    session.inv.out(ref.repository + "\n")
    return 0


def created(session: EngineSession, build: stored.Build) -> int:
    """When an image was made (Unix ns); those of the catalogue some weeks before the world began."""
    return build.created_at or session.world.epoch - (8 + int(build.digest("config")[7:11], 16) % 60) * 24 * 3600 * SECOND
