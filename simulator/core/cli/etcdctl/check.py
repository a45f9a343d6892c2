"""check perf (check.go): a minute of writes at a fixed rate, on the simulated disk and network, and what they took."""

from __future__ import annotations

import statistics
from collections.abc import Generator
from typing import Any

from ...etcd.errors import EtcdError
from ...etcd.mvcc import RangeResult, prefix_end
from ...host.program import Sleep, Wait
from ...kernel.clock import SECOND
from ...kernel.errors import ConnectError
from ..cobra import Command
from ..flags import Flag
from . import render
from .session import EXIT_BAD_FEATURE, EXIT_ERROR, EXIT_INVALID_INPUT, Failed, Session

Run = Generator[Wait, Any, int]
_ALIASES = {"s": "s", "small": "s", "m": "m", "medium": "m", "l": "l", "large": "l", "xl": "xl", "xLarge": "xl"}
#: Writes a second; the check lasts a minute.  Larger loads are more than a world is meant to hold.
_RATE, _SECONDS = 150, 60
_KEY, _VALUE = 256, 1024


def perf(session: Session) -> Run:
    """`etcdctl check perf`."""
    values = session.values
    load = _ALIASES.get(values.text("load"))
    if load is None:
        raise Failed(EXIT_BAD_FEATURE, f"unknown load option {values.text('load')}")
    if load != "s":
        raise Failed(EXIT_ERROR, f"check perf --load={values.text('load')}: not simulated in Slipway yet")
    prefix = values.text("prefix").encode()
    found: RangeResult = yield from session.call("KV/Range", key=prefix, range_end=prefix_end(prefix), limit=1)
    if found.kvs:
        shown = render.quoted(prefix)
        text = f"prefix {shown} has keys. Delete with 'etcdctl del --prefix {prefix.decode()}' first"
        raise Failed(EXIT_INVALID_INPUT, text)
    took, errors = yield from _write(session, prefix)
    yield from session.call("KV/DeleteRange", key=prefix, range_end=prefix_end(prefix))
    header = yield from session.header()
    if values.on("auto-compact"):
        yield from session.call("KV/Compact", revision=header["revision"])
        session.inv.out(f"Compacting with revision {header['revision']}\nCompacted with revision {header['revision']}\n")
    if values.on("auto-defrag"):
        for endpoint in session.endpoints:
            session.inv.out(f'Defragmenting "{endpoint}"\n')
            yield from session.call("Maintenance/Defragment", endpoint)
            session.inv.out(f'Defragmented "{endpoint}"\n')
    return _verdict(session, took, errors)


def _write(session: Session, prefix: bytes) -> Generator[Wait, Any, tuple[list[float], dict[str, int]]]:
    client, rng = session.client(), session.inv.world.rng("etcdctl-check")
    value, took, errors = bytes(_VALUE), list[float](), dict[str, int]()
    for _ in range(_SECONDS):
        for _ in range(_RATE):
            key = prefix + rng.bits64().to_bytes(8, "big") + bytes(_KEY - 8)
            try:
                client.put(key, value)
                took.append(client.take_latency() / SECOND)
            except (EtcdError, ConnectError) as error:
                text = error.message if isinstance(error, EtcdError) else str(error)
                errors[text] = errors.get(text, 0) + 1
        yield Sleep(SECOND)
    return took, errors


def _verdict(session: Session, took: list[float], errors: dict[str, int]) -> int:
    out, good = session.inv.out, True
    if errors:
        good = False
        out("FAIL: too many errors\n" + "".join(f"FAIL: ERROR({text}) -> {count}\n" for text, count in sorted(errors.items())))
    rate = len(took) / _SECONDS
    good &= rate / _RATE > 0.9
    slowest, spread = max(took, default=0.0), statistics.pstdev(took) if took else 0.0
    out(
        f"PASS: Throughput is {int(rate) + 1} writes/s\n"
        if rate / _RATE > 0.9
        else f"FAIL: Throughput too low: {int(rate) + 1} writes/s\n"
    )
    out(f"Slowest request took too long: {slowest:f}s\n" if slowest > 0.5 else f"PASS: Slowest request took {slowest:f}s\n")
    out(f"Stddev too high: {spread:f}s\n" if spread > 0.1 else f"PASS: Stddev is {spread:f}s\n")
    if not good or slowest > 0.5 or spread > 0.1:
        out("FAIL\n")
        return EXIT_ERROR
    out("PASS\n")
    return 0


def datascale(session: Session) -> Run:
    """`check datascale` measures the memory of a server process, which nothing here has."""
    yield Sleep(0)
    raise Failed(EXIT_ERROR, "check datascale: a server's memory is not simulated in Slipway yet")


_USAGE = (
    "The {0} check's workload model. Accepted workloads: s(small), m(medium), l(large), xl(xLarge). "
    "Different workload models use different configurations in terms of number of clients and {1}."
)


def _flags(what: str, differs: str) -> tuple[Flag, ...]:
    return (
        Flag(name="load", default="s", usage=_USAGE.format(what, differs)),
        Flag(name="prefix", default=f"/etcdctl-check-{'perf' if what == 'performance' else 'datascale'}/",
             usage=f"The prefix for writing the {what} check's keys."),
        Flag(name="auto-compact", kind="bool", no_opt="true", usage="Compact storage with last revision after test is finished."),
        Flag(name="auto-defrag", kind="bool", no_opt="true", usage="Defragment storage after test is finished."),
    )  # fmt: skip


COMMAND = Command(
    "check <subcommand>",
    short="commands for checking properties of the etcd cluster",
    commands=(
        Command(
            "perf [options]",
            short="Check the performance of the etcd cluster",
            run=perf,
            flags=_flags("performance", "expected throughput"),
        ),
        Command(
            "datascale [options]",
            short="Check the memory usage of holding data for different workloads on a given server endpoint.",
            long="If no endpoint is provided, localhost will be used. If multiple endpoints are provided, first endpoint will be used.",
            run=datascale,
            flags=_flags("datascale", "data size"),
        ),
    ),
)
