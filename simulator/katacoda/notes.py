"""What did not carry over from a scenario, line by line."""

from __future__ import annotations

import msgspec


class Note(msgspec.Struct, frozen=True):
    """One remark: the file (relative to the scenario), its line (0 for the whole file) and what is the matter."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.text}"
