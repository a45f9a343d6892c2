"""What one vi knows: the text, the cursor, the mode, registers and marks."""

from __future__ import annotations

from typing import Any

from ...host.invocation import Call
from .buffer import Buffer
from .motions import Position
from .screen import Screen


class EditorState:
    """The attributes that the parts of the editor share."""

    call: Call
    screen: Screen
    names: list[str]
    file_at: int
    name: str
    readonly: bool
    buffer: Buffer
    row: int
    col: int
    want: int | None
    top: int
    mode: str
    message: str
    registers: dict[str, tuple[str, str]]
    register: str
    marks: dict[str, Position]
    last_find: tuple[str, str]
    last_search: tuple[str, bool]
    options: dict[str, Any]
    replay: list[str]
    read: list[str] | None
    dot: list[str]
    recording: tuple[str, list[str]] | None
    ex_history: list[str]
    pending: str
    visual_start: Position
    last_visual: tuple[str, Position, Position] | None
    insert_end: Position = (0, 0)
    last_ex: str = ""
    last_macro: str = ""
    last_substitute: tuple[str, str, str] | None = None
