"""What ends the normal course of a shell: break, continue, return, exit, an interrupt."""

from __future__ import annotations


class Jump(Exception):
    """The common base."""


class Break(Jump):
    """`break n`."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels


class Continue(Jump):
    """`continue n`."""

    def __init__(self, levels: int) -> None:
        super().__init__(levels)
        self.levels = levels


class Return(Jump):
    """`return n`."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Exit(Jump):
    """`exit n`, or the end by `set -e` and the like."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Discard(Jump):
    """The rest of the present command is not run; a script goes on with its next one."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Interrupted(Jump):
    """Ctrl-C reached the shell itself: back to the prompt."""
