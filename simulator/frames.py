"""The shapes of the terminal's protocol (`docs/protocol.md`): what a browser may send, checked before anything acts on it.

`parse` returns a frame or raises `BadFrame`, which knows the reason word and the message that go back in an `error` frame.
"""

from __future__ import annotations

import re
import uuid
from typing import Annotated, Any, Literal

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

#: One line of a terminal, in bytes of UTF-8.
LINE_LIMIT = 8_192
#: A whole frame; the server closes the connection above it (uvicorn's --ws-max-size).
FRAME_LIMIT = 65_536
#: A text that is saved, in bytes of UTF-8 (`core.shell.filepane.TEXT_LIMIT`): with its escapes it fits into one frame.
TEXT_LIMIT = 48 * 1024
#: A path, in characters.
PATH_LIMIT = 4_096
#: Virtual time that one `skip` may jump.
SKIP_LIMIT = 3_600 * 1_000_000_000

SPEEDS = (0, 1, 10, 100)
KEYS = ("ctrl-c", "ctrl-d", "ctrl-z", "ctrl-\\")

Terminal = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Cursor = Annotated[int, Meta(ge=0, le=2**31 - 1)]
FrameId = Annotated[str, Meta(max_length=64)]


class BadFrame(Exception):
    """A frame that is refused; `reason` is a word of the protocol, `frame_id` the frame's own id if it could be read."""

    def __init__(self, reason: str, message: str, frame_id: str | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.frame_id = frame_id


class Hello(msgspec.Struct, tag="hello", tag_field="t", frozen=True):
    """What the browser already has."""

    cursor: Cursor = 0
    trace: Cursor = 0
    view: Cursor = 0


class Input(msgspec.Struct, tag="input", tag_field="t", frozen=True):
    """A row for the journal."""

    id: uuid.UUID
    kind: Annotated[str, Meta(max_length=32)]
    data: dict[str, Any]


class Speed(msgspec.Struct, tag="speed", tag_field="t", frozen=True):
    """Virtual seconds a second while somebody watches."""

    value: int


class Complete(msgspec.Struct, tag="complete", tag_field="t", frozen=True):
    """A query for completions."""

    id: FrameId
    terminal: Terminal
    line: Annotated[str, Meta(max_length=LINE_LIMIT)]
    cursor: Annotated[int, Meta(ge=0, le=LINE_LIMIT)]


class Lens(msgspec.Struct, tag="lens", tag_field="t", frozen=True):
    """A query for what a lens of the map shows; `about` is what it is turned to (a host, a controller)."""

    id: FrameId
    name: Annotated[str, Meta(pattern=r"^[a-z][a-z-]{0,31}$")]
    about: Annotated[str, Meta(max_length=253)] = ""


class File(msgspec.Struct, tag="file", tag_field="t", frozen=True):
    """A query for a file as the shell of a terminal would read it; `taken` for that of the editor on its screen."""

    id: FrameId
    terminal: Terminal
    path: Annotated[str, Meta(max_length=PATH_LIMIT)] = ""
    taken: bool = False


class Outline(msgspec.Struct, tag="outline", tag_field="t", frozen=True):
    """A query for the fields of a kind of the API: all kinds, one, or one field of it (`about`)."""

    id: FrameId
    api: Annotated[str, Meta(max_length=320)] = ""
    kind: Annotated[str, Meta(max_length=200)] = ""
    about: Annotated[str, Meta(max_length=1000)] = ""


class Ping(msgspec.Struct, tag="ping", tag_field="t", frozen=True):
    """Are you there?"""

    id: FrameId | None = None


Frame = Hello | Input | Speed | Complete | Lens | File | Outline | Ping


class LineData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `line`."""

    terminal: Terminal
    text: Annotated[str, Meta(max_length=LINE_LIMIT)]


class KeyData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `key`."""

    terminal: Terminal
    key: str


class KeysData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `keys`: what a terminal sends for keys, to a program that reads them (`raw` in the state)."""

    terminal: Terminal
    data: Annotated[str, Meta(min_length=1, max_length=LINE_LIMIT)]


class ResizeData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `resize`."""

    terminal: Terminal
    columns: Annotated[int, Meta(ge=20, le=500)]
    rows: Annotated[int, Meta(ge=5, le=200)]


class OpenData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `open`."""

    terminal: Terminal
    host: Name


class CloseData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `close`."""

    terminal: Terminal


class FaultData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `fault`."""

    name: Name
    args: Annotated[list[Annotated[str, Meta(max_length=256)]], Meta(max_length=16)] = []


class SkipData(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Data of kind `skip`: so far, or only to what the members of etcd do next (`to` raft), or until what runs in `terminal` has ended
    (`to` idle)."""

    ns: Annotated[int, Meta(ge=1, le=SKIP_LIMIT)]
    to: Literal["", "raft", "idle"] = ""
    terminal: Annotated[str, Meta(max_length=64)] = ""


class HttpData(msgspec.Struct, forbid_unknown_fields=True):
    """Data of kind `http`: a request to the API server of a learner's own tools (`simulator.core.lab.edge`); the body is base64."""

    method: Annotated[str, Meta(max_length=8)]
    path: Annotated[str, Meta(max_length=4096)]
    query: Annotated[str, Meta(max_length=16_384)] = ""
    headers: Annotated[dict[str, Annotated[str, Meta(max_length=1024)]], Meta(max_length=16)] = {}
    body: Annotated[str, Meta(max_length=2_200_000)] = ""


class OpData(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One operation of a stream's client (`simulator.core.lab.streaming.session.Op`); `data` is base64."""

    what: Annotated[str, Meta(max_length=16)]
    number: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    data: Annotated[str, Meta(max_length=1_500_000)] = ""
    columns: Annotated[int, Meta(ge=0, le=65_535)] = 0
    rows: Annotated[int, Meta(ge=0, le=65_535)] = 0
    port: Annotated[int, Meta(ge=0, le=65_535)] = 0


class StreamData(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Data of kind `stream`: exec, attach or port-forward of a learner's own tools (`simulator.core.lab.streaming`)."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    open: HttpData | None = None
    ops: Annotated[list[OpData], Meta(max_length=1000)] = []
    close: bool = False


class SaveData(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """Data of kind `save`: a text for a file, from the page's editor (`simulator.core.shell.filepane.Save`)."""

    terminal: Terminal
    path: Annotated[str, Meta(min_length=1, max_length=PATH_LIMIT)]
    text: str
    was: Annotated[str, Meta(max_length=32)] = ""
    taken: bool = False
    leave: bool = False
    sudo: bool = False


#: The kinds of journal rows.
KINDS: dict[str, type[msgspec.Struct]] = {
    "line": LineData,
    "key": KeyData,
    "keys": KeysData,
    "resize": ResizeData,
    "open": OpenData,
    "close": CloseData,
    "fault": FaultData,
    "skip": SkipData,
    "http": HttpData,
    "stream": StreamData,
    "save": SaveData,
}
#: Kinds that come by their own way, where somebody waits for the answer (`simulator.edge`).
OUTSIDE = ("http", "stream")

_DECODER: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame)
_ID = re.compile(r'"id"\s*:\s*"([0-9A-Za-z_-]{1,64})"')


def _guess_id(text: str) -> str | None:
    found = _ID.search(text, 0, 4096)
    return found.group(1) if found else None


def parse(text: str) -> Frame:
    """A frame from the wire."""
    if len(text) > FRAME_LIMIT:
        raise BadFrame("too-long", _("The frame is longer than %(limit)d bytes.") % {"limit": FRAME_LIMIT})
    try:
        frame = _DECODER.decode(text)
    except msgspec.ValidationError as error:
        if "Invalid value" in str(error) and "$.t" in str(error):
            raise BadFrame("unknown-type", _("Unknown type of frame."), _guess_id(text)) from None
        raise BadFrame("bad-frame", str(error), _guess_id(text)) from None
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadFrame("bad-frame", str(error), _guess_id(text)) from None
    if isinstance(frame, Speed) and frame.value not in SPEEDS:
        raise BadFrame("bad-frame", _("The speed is one of 0, 1, 10 and 100."))
    if isinstance(frame, Input):
        if frame.kind in OUTSIDE:
            raise BadFrame("unknown-kind", _("Unknown kind of input: %(kind)s") % {"kind": frame.kind}, str(frame.id))
        check_input(frame.kind, frame.data, str(frame.id))
    return frame


def check_input(kind: str, data: dict[str, Any], frame_id: str | None = None) -> dict[str, Any]:
    """Data of an input as it goes into the journal; raises `BadFrame`."""
    shape = KINDS.get(kind)
    if shape is None:
        raise BadFrame("unknown-kind", _("Unknown kind of input: %(kind)s") % {"kind": kind[:32]}, frame_id)
    if kind == "line":
        text = data.get("text")
        if isinstance(text, str) and len(text.encode(errors="surrogatepass")) > LINE_LIMIT:
            raise BadFrame("too-long", _("The line is longer than %(limit)d bytes.") % {"limit": LINE_LIMIT}, frame_id)
    if kind == "save":
        text = data.get("text")
        if isinstance(text, str) and len(text.encode(errors="surrogatepass")) > TEXT_LIMIT:
            raise BadFrame("too-long", _("The text is longer than %(limit)d bytes.") % {"limit": TEXT_LIMIT}, frame_id)
    try:
        value = msgspec.convert(data, shape)
    except msgspec.ValidationError as error:
        raise BadFrame("bad-frame", str(error), frame_id) from None
    if isinstance(value, LineData):
        _check_text(value.text, frame_id)
    if isinstance(value, SaveData):
        _check_text(value.path, frame_id)
        _check_text(value.text.replace("\n", "").replace("\r", ""), frame_id)
    if isinstance(value, KeyData) and value.key not in KEYS:
        raise BadFrame("bad-frame", _("Unknown key."), frame_id)
    if isinstance(value, FaultData):
        for word in (value.name, *value.args):
            _check_text(word, frame_id)
    built: dict[str, Any] = msgspec.to_builtins(value)
    return built


def _check_text(text: str, frame_id: str | None) -> None:
    """A line has no NUL (a database may not store it), no line break, and no half of a surrogate pair."""
    if any(c in text for c in "\0\r\n"):
        raise BadFrame("bad-frame", _("A line must not contain NUL, CR or LF."), frame_id)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadFrame("bad-frame", _("A line must be valid Unicode text."), frame_id) from None


def error(reason: str, message: str, *, frame_id: str | None = None, fatal: bool = False) -> dict[str, Any]:
    """An `error` frame."""
    return {"t": "error", "reason": reason, "message": message, "id": frame_id, "fatal": fatal}
