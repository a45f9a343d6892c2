"""Output and trace events as bytes for the database: JSON, compressed when that pays; and text that every store can hold."""

from __future__ import annotations

import threading
from typing import Any

import orjson
import zstandard

_PLAIN = b"j"
_ZSTD = b"z"
_LIMIT = 64 * 1024 * 1024


_of_thread = threading.local()


def _compressor() -> zstandard.ZstdCompressor:
    """This thread's compressor: making one costs more than what it does here, and two threads must not share one."""
    kept: zstandard.ZstdCompressor | None = getattr(_of_thread, "compressor", None)
    if kept is None:
        kept = _of_thread.compressor = zstandard.ZstdCompressor(level=1)
    return kept


def pack(value: Any) -> bytes:
    """JSON-shaped data as bytes; the first byte says how it is stored."""
    raw = orjson.dumps(value)
    if len(raw) < 512:
        return _PLAIN + raw
    return _ZSTD + _compressor().compress(raw)


def unpack(data: bytes | memoryview) -> Any:
    """The reverse of `pack`."""
    blob = bytes(data)
    if blob[:1] == _ZSTD:
        return orjson.loads(zstandard.ZstdDecompressor().decompress(blob[1:], max_output_size=_LIMIT))
    return orjson.loads(blob[1:])


def clean(value: Any) -> Any:
    """JSON-shaped data whose texts are valid Unicode: a file of the simulated world may hold any bytes."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        return value
    try:
        orjson.dumps(value)  # refuses what is not valid Unicode, and is much faster than to walk through
    except TypeError:
        pass
    else:
        return value
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in value]
    return value


def without_nul(value: Any) -> Any:
    """The same for a database's JSON, which holds no NUL."""
    try:
        text = orjson.dumps(value)
    except TypeError:
        value = clean(value)
        text = orjson.dumps(value)
    return orjson.loads(text.replace(b"\\u0000", "\ufffd".encode())) if b"\\u0000" in text else value
