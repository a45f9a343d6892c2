"""How etcdctl prints: simple, json, fields and table (printer_*.go)."""

from __future__ import annotations

import base64
import json
from typing import Any

from ...etcd.mvcc import KeyValue


def b64(data: bytes) -> str:
    """Bytes as Go's JSON encoder writes them."""
    return base64.b64encode(data).decode()


def kv_json(kv: KeyValue) -> dict[str, Any]:
    """A key-value with zero values left out."""
    out: dict[str, Any] = {"key": b64(kv.key)}
    for name in ("create_revision", "mod_revision", "version"):
        if getattr(kv, name):
            out[name] = getattr(kv, name)
    if kv.value:
        out["value"] = b64(kv.value)
    if kv.lease:
        out["lease"] = kv.lease
    return out


def dumps(value: Any) -> str:
    """Compact JSON with a newline."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


def text(data: bytes, hexed: bool) -> bytes:
    """A key or value as the simple printer writes it."""
    return "".join(f"\\x{b:02x}" for b in data).encode() if hexed else data


def quoted(data: bytes) -> str:
    """Bytes as Go's %q."""
    out = []
    for char in data.decode("utf-8", "replace"):
        if char in '"\\':
            out.append("\\" + char)
        elif char in "\n\t\r":
            out.append({"\n": "\\n", "\t": "\\t", "\r": "\\r"}[char])
        elif char < " ":
            out.append(f"\\x{ord(char):02x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def kv_fields(kv: KeyValue, prefix: str = "", *, hexed: bool = False) -> str:
    """A key-value as the fields printer writes it."""
    rows = (
        ("Key", quoted(kv.key)), ("CreateRevision", kv.create_revision), ("ModRevision", kv.mod_revision),
        ("Version", kv.version), ("Value", quoted(kv.value)), ("Lease", f"{kv.lease:016x}" if hexed else kv.lease),
    )  # fmt: skip
    return "".join(f'"{prefix}{name}" : {value}\n' for name, value in rows)


def header_fields(header: dict[str, int], hexed: bool = False) -> str:
    """The header as the fields printer writes it: ids in hex with `--hex`, a revision only where there is one."""
    ids = [
        f'"{name}" : {header.get(key, 0):{"x" if hexed else "d"}}\n'
        for name, key in (("ClusterID", "cluster_id"), ("MemberID", "member_id"))
    ]
    revision = [f'"Revision" : {header["revision"]}\n'] if header.get("revision") else []
    return "".join([*ids, *revision, f'"RaftTerm" : {header.get("raft_term", 0)}\n'])


def table(head: list[str], rows: list[list[str]]) -> str:
    """A bordered table: centred head, right-aligned cells (olekukonko/tablewriter as etcdctl sets it up)."""
    widths = [max([len(h), *(len(r[i]) for r in rows)]) for i, h in enumerate(head)]
    rule = "+" + "+".join("-" * (w + 2) for w in widths) + "+\n"
    out = [rule, "|" + "|".join(f" {_centre(h, w)} " for h, w in zip(head, widths, strict=True)) + "|\n", rule]
    for row in rows:
        out.append("|" + "|".join(f" {cell:>{w}} " for cell, w in zip(row, widths, strict=True)) + "|\n")
    return "".join([*out, rule])


def _centre(word: str, width: int) -> str:
    """Centred with the odd blank on the right, as tablewriter pads."""
    left = (width - len(word)) // 2
    return " " * left + word + " " * (width - len(word) - left)


def size(count: int) -> str:
    """Bytes as dustin/go-humanize prints them: `20 kB`, `2.1 GB`."""
    if count < 10:
        return f"{count} B"
    units = ("B", "kB", "MB", "GB", "TB")
    value, unit = float(count), 0
    while value >= 1000 and unit < len(units) - 1:
        value /= 1000
        unit += 1
    rounded = int(value * 10 + 0.5) / 10
    return f"{rounded:.0f} {units[unit]}" if rounded >= 10 or unit == 0 else f"{rounded:.1f} {units[unit]}"


def duration(ns: int) -> str:
    """A Go duration below a second: `4.685135ms`."""
    if ns >= 1_000_000_000:
        return f"{ns / 1e9:.9f}".rstrip("0").rstrip(".") + "s"
    if ns >= 1_000_000:
        return f"{ns / 1e6:.6f}".rstrip("0").rstrip(".") + "ms"
    return f"{ns / 1e3:.3f}".rstrip("0").rstrip(".") + "µs"
