"""One invocation of a Docker-like client: whose engine it talks to, what was typed, and how it prints."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from ...host.program import Invocation, Wait, WaitTopic
from ...kernel.errors import BadInput
from ...runtime import images as stored
from ...runtime import references
from ...runtime.engine import core
from ...runtime.engine.core import EngineError
from ...runtime.state import Container, Image, find_container, runtime
from ..flags import Values

Steps = Generator[Wait, Any, int]


class CliError(Exception):
    """A message that the client prints as it is before it ends with `code`."""

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code


class EngineSession:
    """What the shared commands are given; docker's and nerdctl's own sessions derive from it."""

    docker = True
    tool = "docker"

    def __init__(self, inv: Invocation, values: Values, space: str) -> None:
        self.inv, self.values, self.space = inv, values, space
        self.world, self.host = inv.world, inv.host.name

    @property
    def args(self) -> list[str]:
        """Positional arguments."""
        return self.values.args

    def flag(self, name: str) -> str:
        """A string flag, "" when the command has no such flag."""
        return self.values.text(name) if self.values.has(name) else ""

    def on(self, name: str) -> bool:
        """A boolean flag, False when the command has no such flag."""
        return self.values.has(name) and self.values.on(name)

    def items(self, name: str) -> list[str]:
        """A list flag, empty when the command has no such flag."""
        return self.values.items(name) if self.values.has(name) else []

    def given(self, name: str) -> bool:
        """The flag was on the command line."""
        return name in self.values.changed

    def connect(self) -> None:
        """Dial the daemon; raises CliError."""
        raise NotImplementedError

    def find(self, word: str) -> Container:
        """A container by name or id; raises EngineError."""
        return core.find(self.world, self.host, self.space, word)

    @property
    def images(self) -> dict[str, Image]:
        """The engine's images by full name."""
        return core.images(self.world, self.host, self.space).images

    def all_images(self) -> dict[str, Image]:
        """The engine's images, and under dockershim or cri-dockerd those that the kubelet pulled; to be read."""
        state = runtime(self.world, self.host)
        if self.docker and state.shim and "k8s.io" in state.namespaces:
            more = {n: i for n, i in state.namespaces["k8s.io"].images.items() if "@" not in n and not n.startswith("sha256:")}
            return {**more, **self.images}
        return self.images

    def build(self, image: Image | Container) -> stored.Build:
        """What an image or container is made of."""
        return stored.find(self.world, image.build)

    def image(self, word: str) -> Image | None:
        """A local image by name, digest, id or id prefix."""
        known = self.all_images()
        try:
            name = references.normalise(word).name
            if name in known:
                return known[name]
            ref = references.normalise(word)
            if ref.digest:
                for image in known.values():
                    if image.target == ref.digest and image.name.startswith(ref.repository):
                        return image
        except BadInput:
            pass
        digits = word.removeprefix("sha256:")
        if digits and all(ch in "0123456789abcdef" for ch in digits):
            for name in sorted(known):
                own = known[name]
                if own.image_id[7:].startswith(digits) or (not self.docker and own.target[7:].startswith(digits)):
                    return own
        return None

    def needs_image(self, word: str) -> Image:
        """A local image, or the engine's refusal."""
        found = self.image(word)
        if found is None:
            if self.docker:
                shown = word if ":" in word.rpartition("/")[2] or word.startswith("sha256:") else f"{word}:latest"
                raise EngineError(f"No such image: {shown}", 404)
            raise EngineError(f"no such image: {word}" if self.tool == "nerdctl" else word, 404)
        return found

    def familiar(self, name: str) -> str:
        """A full image name as Docker shows it: `nginx:latest`."""
        if name.startswith("sha256:"):
            return name
        ref = references.normalise(name, default_tag=False)
        return ref.familiar + (f":{ref.tag}" if ref.tag else "") + (f"@{ref.digest}" if ref.digest else "")

    def ended(self, container: Container) -> Generator[Wait, Any, None]:
        """Wait until a container runs no more."""
        while (current := find_container(self.world, self.host, container.id)) is not None and current.state == "RUNNING":
            yield WaitTopic((f"container:{self.host}:{container.id}",))

    def like(self, values: Values) -> EngineSession:
        """The same surroundings with another command line."""
        raise NotImplementedError

    def login(self, domain: str) -> str:
        """Who is logged in to a registry, "" for nobody."""
        raise NotImplementedError

    def check_run(self) -> None:
        """What the client refuses of the flags of `run`; raises BadSpec."""

    def context_name(self) -> str:
        """The client's context."""
        return "default"

    def inspect_container(self, container: Container) -> dict[str, Any]:
        """A container as `inspect` shows it."""
        raise NotImplementedError

    def inspect_image(self, image: Image) -> dict[str, Any]:
        """An image as `inspect` shows it."""
        raise NotImplementedError

    def status(self, container: Container) -> str:
        """A container's status in lists."""
        raise NotImplementedError

    def table(self, rows: Sequence[Sequence[str]], minwidth: int = 10) -> str:
        """Aligned rows."""
        raise NotImplementedError

    def print_error(self, text: str) -> None:
        """One of several failures."""
        self.inv.err(f"Error response from daemon: {text}\n")

    def failed(self, failures: list[str]) -> int:
        """The failures of a command on several objects; returns its status."""
        for text in failures:
            self.print_error(text)
        return 1 if failures else 0
