"""Commands that only have subcommands (`kubectl/pkg/cmd/util/helpers.go`: `DefaultSubCommandRun`)."""

from __future__ import annotations

from collections.abc import Callable

from ..flags import quote
from .errors import Silent, UsageError
from .session import Session


def group_run(stream: str, code: int, *, words: bool = False) -> Callable[[Session], int]:
    """What such a command does: refuse words (unless it takes no notice of `words`), else print its help to `stream` and end with `code`."""

    def run(s: Session) -> int:
        from .root import help_text

        if s.values.args and not words:
            raise UsageError(s.command, f"unknown command {quote(' '.join(s.values.args))}")
        (s.out if stream == "stdout" else s.err)(help_text(s.command))
        if code:
            raise Silent(code)
        return 0

    return run
