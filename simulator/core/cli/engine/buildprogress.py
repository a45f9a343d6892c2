"""BuildKit's progress displays, plain and for terminals (moby/buildkit `util/progress/progressui`)."""

from __future__ import annotations

from typing import Any

from ...kernel.clock import SECOND
from ...kernel.world import World


class Vertex:
    """One step of a build: its name, times, lines of output (with their time since its start) and sub-steps (text, ns)."""

    def __init__(self, number: int, name: str, world: World) -> None:
        self.number, self.name = number, name
        self.began = world.now
        self.ended = -1
        self.cached = False
        self.error = ""
        self.lines: list[tuple[int, str]] = []
        self.subs: list[tuple[str, int]] = []


class Progress:
    """The display of one build; `mode` is `plain`, `tty` or `quiet`."""

    def __init__(self, world: World, show: Any, mode: str, columns: int, driver: str) -> None:
        self.world, self.show, self.mode, self.columns, self.driver = world, show, mode, columns, driver
        self.vertices: list[Vertex] = []
        self.began = world.now
        self.drawn = 0
        if mode == "plain":
            show(f'#0 building with "{driver}" instance using docker driver\n\n')

    def start(self, name: str) -> Vertex:
        """A step begins."""
        vertex = Vertex(len(self.vertices) + 1, name, self.world)
        self.vertices.append(vertex)
        if self.mode == "plain":
            self.show(f"#{vertex.number} {name}\n")
        self.draw()
        return vertex

    def sub(self, vertex: Vertex, text: str, ns: int = 0, *, plain: str = "") -> None:
        """Something small of a step is done."""
        vertex.subs.append((text, ns))
        if self.mode == "plain":
            took = f" {ns / SECOND:.1f}s" if ns >= SECOND // 20 else ""
            self.show(f"#{vertex.number} {plain or text}{took} done\n")

    def output(self, vertex: Vertex, text: str) -> None:
        """A line that a step wrote."""
        at = self.world.now - vertex.began
        vertex.lines.append((at, text))
        if self.mode == "plain":
            self.show(f"#{vertex.number} {at / SECOND:.3f} {text}\n")

    def done(self, vertex: Vertex, *, cached: bool = False, error: str = "") -> None:
        """A step has ended."""
        vertex.ended, vertex.cached, vertex.error = self.world.now, cached, error
        if self.mode == "plain":
            if cached:
                self.show(f"#{vertex.number} CACHED\n\n")
            elif error:
                self.show(f"#{vertex.number} ERROR: {error}\n\n" if error != "canceled" else f"#{vertex.number} CANCELED\n\n")
            else:
                self.show(f"#{vertex.number} DONE {(vertex.ended - vertex.began) / SECOND:.1f}s\n\n")
        self.draw()

    def _line(self, text: str, seconds: float) -> str:
        took = f"{seconds:.1f}s"
        width = self.columns - len(took) - 1
        return f"{text[:width]:<{width}} {took}"

    def picture(self, *, finished: bool = False) -> str:
        """The whole display as a terminal shows it."""
        over = [v for v in self.vertices if v.ended >= 0]
        total = (self.world.now - self.began) / SECOND
        failed = any(v.error for v in self.vertices)
        head = f"[+] Building {total:.1f}s ({len(over)}/{len(self.vertices)})" + (" FINISHED" if finished else "")
        driver = f"docker:{self.driver}"
        rows = [head + " " * max(1, self.columns - len(head) - len(driver)) + driver]
        for vertex in self.vertices:
            end = vertex.ended if vertex.ended >= 0 else self.world.now
            word = "CACHED " if vertex.cached else "ERROR " if vertex.error else ""
            rows.append(self._line(f" => {word}{vertex.name}", (end - vertex.began) / SECOND))
            rows += [self._line(f" => => {text}", ns / SECOND) for text, ns in vertex.subs]
            if vertex.ended < 0 or (failed and vertex.error):
                rows += [f" => => # {text}"[: self.columns] for _, text in vertex.lines[-6:]] if vertex.ended < 0 else []
        return "".join(row + "\n" for row in rows)

    def draw(self, *, finished: bool = False) -> None:
        """Redraw on a terminal."""
        if self.mode != "tty":
            return
        text = self.picture(finished=finished)
        self.show("\x1b[1A\x1b[2K\r" * self.drawn + text)
        self.drawn = text.count("\n")

    def failure(self, vertex: Vertex) -> str:
        """What is shown again of a step that failed."""
        rows = ["------", f" > {vertex.name}:"]
        rows += [f"{at / SECOND:.3f} {text}" for at, text in vertex.lines[-10:]]
        return "\n".join([*rows, "------"]) + "\n"
