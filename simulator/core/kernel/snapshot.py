"""A world as bytes and back: msgpack of its plain data, compressed with zstd (level 3: a tenth smaller than level 1 for a millisecond more), under a magic number and a format version.

Sections are encoded by their own Struct types, which the façade lists (`sandbox.SECTIONS`).  A snapshot is a cache: what cannot
be read is refused with `BadInput`, and the journal rebuilds the world.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

import msgspec
import zstandard

from .errors import BadInput
from .trace import TraceEvent
from .world import Subscription, Timer, World

MAGIC = b"SLIPWAY\x01"
#: Bounds a hostile or damaged snapshot: no world comes near it.
MAX_BYTES = 512 * 1024 * 1024


class Image(msgspec.Struct, array_like=True):
    """The plain data of a world."""

    seed: int
    epoch: int
    now: int
    timer_seq: int
    timers: list[Timer]
    rng_state: dict[str, int]
    trace_seq: int
    trace: list[TraceEvent]
    digest: bytes
    subscriptions: dict[str, dict[str, Subscription]]
    pending: dict[str, int]
    sections: dict[str, msgspec.Raw]


#: How far back a match may lie in a world told by its difference from another: beyond both together.
WINDOW_LOG = 24

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Image)
_section_decoders: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


def dump(world: World) -> bytes:
    """The snapshot of a world."""
    return MAGIC + zstandard.ZstdCompressor(level=3).compress(raw(world))


def raw(world: World) -> bytes:
    """The bytes inside the snapshot of a world: what `opened` gives of it."""
    image = Image(
        world.seed,
        world.epoch,
        world.now,
        world.timer_seq,
        [world.timers[seq] for seq in sorted(world.timers)],
        world.rng_state,
        world.trace_seq,
        world.trace,
        world.digest,
        world.subscriptions,
        world.pending,
        {name: msgspec.Raw(_encoder.encode(data)) for name, data in sorted(world.sections.items())},
    )
    return _encoder.encode(image)


def opened(data: bytes) -> bytes:
    """The bytes inside a snapshot, which are alike in two snapshots of one world; what is no snapshot stays as it is."""
    return unpacked(data[len(MAGIC) :]) if data.startswith(MAGIC) else data


def closed(raw: bytes) -> bytes:
    """A snapshot of what `opened` gave, compressed in passing: for reading soon, not for keeping."""
    return MAGIC + zstandard.ZstdCompressor(level=-3).compress(raw)


def packed(raw: bytes, base: bytes = b"") -> bytes:
    """Bytes for keeping; with `base`, as what differs from it, which `unpacked` needs again.

    Looking for matches far away (`enable_ldm`) is not worth it: with a base of 1 to 8 MB it took twice the time for more bytes.
    """
    settings = zstandard.ZstdCompressionParameters.from_level(3, window_log=WINDOW_LOG)
    return zstandard.ZstdCompressor(dict_data=_dictionary(base), compression_params=settings).compress(raw)


def unpacked(data: bytes, base: bytes = b"") -> bytes:
    """The bytes again; raises `BadInput` for damaged ones."""
    try:
        reader = zstandard.ZstdDecompressor(dict_data=_dictionary(base), max_window_size=1 << (WINDOW_LOG + 1))
        return reader.decompress(data, max_output_size=MAX_BYTES)
    except (zstandard.ZstdError, MemoryError) as error:
        raise BadInput(f"snapshot: damaged ({error})") from None


def _dictionary(base: bytes) -> zstandard.ZstdCompressionDict | None:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT) if base else None


def load(data: bytes, sections: Mapping[str, Any]) -> World:
    """The world of a snapshot; `sections` maps each section's name to its type."""
    if not data.startswith(MAGIC):
        raise BadInput("snapshot: not a snapshot of this format")
    try:
        raw = zstandard.ZstdDecompressor().decompress(data[len(MAGIC) :], max_output_size=MAX_BYTES)
        image = _decoder.decode(raw)
        world = World(seed=image.seed, epoch=image.epoch)
        for name, value in image.sections.items():
            kind = sections.get(name)
            if kind is None:
                raise BadInput(f"snapshot: unknown section {name!r}")
            decoder = _section_decoders.get(name)
            if decoder is None:
                decoder = _section_decoders[name] = msgspec.msgpack.Decoder(kind)
            world.sections[name] = decoder.decode(value)
    except (zstandard.ZstdError, msgspec.DecodeError, MemoryError) as error:
        raise BadInput(f"snapshot: damaged ({error})") from None
    world.now = image.now
    world.timer_seq = image.timer_seq
    world.timers = {timer.seq: timer for timer in image.timers}
    world.heap = [(timer.at, timer.priority, timer.seq) for timer in image.timers]
    heapq.heapify(world.heap)
    world.rng_state = image.rng_state
    world.trace_seq = image.trace_seq
    world.trace = image.trace
    world.digest = image.digest
    world.subscriptions = image.subscriptions
    world.pending = image.pending
    return world
