"""Trace events as bytes for the database: JSON, compressed when that pays."""

from __future__ import annotations

from typing import Any

import orjson
import zstandard

_PLAIN = b"j"
_ZSTD = b"z"
_LIMIT = 64 * 1024 * 1024


def pack(value: Any) -> bytes:
    """JSON-shaped data as bytes; the first byte says how it is stored."""
    raw = orjson.dumps(value)
    if len(raw) < 512:
        return _PLAIN + raw
    return _ZSTD + zstandard.ZstdCompressor(level=1).compress(raw)


def unpack(data: bytes | memoryview) -> Any:
    """The reverse of `pack`."""
    blob = bytes(data)
    if blob[:1] == _ZSTD:
        return orjson.loads(zstandard.ZstdDecompressor().decompress(blob[1:], max_output_size=_LIMIT))
    return orjson.loads(blob[1:])
