"""Redis commands over plain data (redis.io/commands): strings, lists, sets, hashes, expiry.

A server's keys are `dict[str, str]`: a string stands as it is, other types as NUL + JSON.  Replies are Python values: str, int, None, list,
`Status` for simple strings and `Failure` for errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ...kernel.clock import MS, SECOND

Data = dict[str, str]
EXPIRY = "\0expiry"


class Status(str):
    """A simple string reply such as OK."""


class Failure(str):
    """An error reply."""


_WRONG = Failure("WRONGTYPE Operation against a key holding the wrong kind of value")
_INTEGER = Failure("ERR value is not an integer or out of range")
OK = Status("OK")


def _load(data: Data, key: str, kind: type) -> Any:
    raw = data.get(key)
    if raw is None:
        return kind()
    if not raw.startswith("\0"):
        raise TypeError
    value = json.loads(raw[1:])
    if not isinstance(value, kind):
        raise TypeError
    return value


def _keep(data: Data, key: str, value: Any) -> None:
    if value:
        data[key] = "\0" + json.dumps(value)
    else:
        data.pop(key, None)


def _text(data: Data, key: str) -> str | None:
    raw = data.get(key)
    if raw is not None and raw.startswith("\0"):
        raise TypeError
    return raw


def _expiry(data: Data) -> dict[str, int]:
    return dict(json.loads(data.get(EXPIRY, "{}")))


def _expire(data: Data, key: str, at: int | None) -> None:
    table = _expiry(data)
    if at is None:
        table.pop(key, None)
    else:
        table[key] = at
    if table:
        data[EXPIRY] = json.dumps(table)
    else:
        data.pop(EXPIRY, None)


def keys(data: Data) -> list[str]:
    """The keys that there are."""
    return sorted(key for key in data if key != EXPIRY)


def sweep(data: Data, now: int) -> None:
    """Drop what has expired."""
    for key, at in _expiry(data).items():
        if at <= now:
            data.pop(key, None)
            _expire(data, key, None)


def _set(data: Data, words: list[str], now: int) -> Any:
    key, value, *rest = words
    before = _text(data, key) if not data.get(key, "").startswith("\0") else None
    at: int | None = None
    options = [w.upper() for w in rest]
    index = 0
    while index < len(options):
        word = options[index]
        if word in ("EX", "PX") and index + 1 < len(options) and rest[index + 1].isdigit():
            at = now + int(rest[index + 1]) * (SECOND if word == "EX" else MS)
            index += 1
        elif word not in ("NX", "XX", "GET", "KEEPTTL"):
            return Failure("ERR syntax error")
        index += 1
    if ("NX" in options and key in data) or ("XX" in options and key not in data):
        return before if "GET" in options else None
    data[key] = value
    if "KEEPTTL" not in options:
        _expire(data, key, at)
    return before if "GET" in options else OK


def _add(data: Data, key: str, amount: int) -> Any:
    raw = _text(data, key) or "0"
    try:
        data[key] = str(int(raw) + amount)
    except ValueError:
        return _INTEGER
    return int(data[key])


def _push(data: Data, words: list[str], left: bool) -> int:
    items = _load(data, words[0], list)
    for word in words[1:]:
        items.insert(0, word) if left else items.append(word)
    _keep(data, words[0], items)
    return len(items)


def _pop(data: Data, words: list[str], left: bool) -> Any:
    items = _load(data, words[0], list)
    if not items:
        return None
    found = items.pop(0 if left else -1)
    _keep(data, words[0], items)
    return found


def _range(items: list[str], first: str, last: str) -> list[str]:
    low, high = int(first), int(last)
    count = len(items)
    low = max(0, low + count if low < 0 else low)
    high = high + count if high < 0 else high
    return items[low : high + 1]


def _sadd(data: Data, words: list[str]) -> int:
    items = _load(data, words[0], list)
    added = [w for w in dict.fromkeys(words[1:]) if w not in items]
    _keep(data, words[0], items + added)
    return len(added)


def _srem(data: Data, words: list[str]) -> int:
    items = _load(data, words[0], list)
    left = [w for w in items if w not in words[1:]]
    _keep(data, words[0], left)
    return len(items) - len(left)


def _hset(data: Data, words: list[str]) -> Any:
    if len(words) % 2 == 0:
        return Failure("ERR wrong number of arguments for 'hset' command")
    table = _load(data, words[0], dict)
    added = 0
    for at in range(1, len(words), 2):
        added += words[at] not in table
        table[words[at]] = words[at + 1]
    _keep(data, words[0], table)
    return added


def _hdel(data: Data, words: list[str]) -> int:
    table = _load(data, words[0], dict)
    gone = [w for w in words[1:] if table.pop(w, None) is not None]
    _keep(data, words[0], table)
    return len(gone)


def _delete(data: Data, words: list[str]) -> int:
    gone = [w for w in words if w in data and w != EXPIRY]
    for key in gone:
        del data[key]
        _expire(data, key, None)
    return len(gone)


def _type(data: Data, key: str) -> Status:
    raw = data.get(key)
    if raw is None:
        return Status("none")
    if not raw.startswith("\0"):
        return Status("string")
    return Status("hash" if isinstance(json.loads(raw[1:]), dict) else "list")


def _ttl(data: Data, key: str, now: int) -> int:
    if key not in data:
        return -2
    at = _expiry(data).get(key)
    return -1 if at is None else max(0, (at - now + SECOND // 2) // SECOND)


def _glob(data: Data, pattern: str) -> list[str]:
    import fnmatch

    return [key for key in keys(data) if fnmatch.fnmatchcase(key, pattern)]


def _flush(data: Data) -> Status:
    data.clear()
    return OK


def _append(data: Data, key: str, text: str) -> int:
    data[key] = (_text(data, key) or "") + text
    return len(data[key])


def _mset(data: Data, words: list[str]) -> Any:
    if len(words) % 2:
        return Failure("ERR wrong number of arguments for 'mset' command")
    for at in range(0, len(words), 2):
        data[words[at]] = words[at + 1]
    return OK


def _rename(data: Data, old: str, new: str) -> Any:
    if old not in data:
        return Failure("ERR no such key")
    data[new] = data.pop(old)
    return OK


def _expire_in(data: Data, key: str, seconds: str, now: int) -> Any:
    if not seconds.lstrip("-").isdigit():
        return _INTEGER
    if key not in data:
        return 0
    _expire(data, key, now + int(seconds) * SECOND)
    return 1


def _setnx(data: Data, key: str, value: str) -> int:
    if key in data:
        return 0
    data[key] = value
    return 1


def _getset(data: Data, key: str, value: str) -> str | None:
    before = _text(data, key)
    data[key] = value
    return before


def _persist(data: Data, key: str) -> int:
    had = key in _expiry(data)
    _expire(data, key, None)
    return int(had)


#: name → (fewest arguments, most (-1: any), what it does).
COMMANDS: dict[str, tuple[int, int, Callable[[Data, list[str], int], Any]]] = {
    "PING": (0, 1, lambda d, w, n: w[0] if w else Status("PONG")),
    "ECHO": (1, 1, lambda d, w, n: w[0]),
    "SET": (2, -1, _set),
    "GET": (1, 1, lambda d, w, n: _text(d, w[0])),
    "SETNX": (2, 2, lambda d, w, n: _setnx(d, w[0], w[1])),
    "GETSET": (2, 2, lambda d, w, n: _getset(d, w[0], w[1])),
    "GETDEL": (1, 1, lambda d, w, n: (_text(d, w[0]), _delete(d, w))[0]),
    "SETEX": (3, 3, lambda d, w, n: _set(d, [w[0], w[2], "EX", w[1]], n)),
    "APPEND": (2, 2, lambda d, w, n: _append(d, w[0], w[1])),
    "STRLEN": (1, 1, lambda d, w, n: len(_text(d, w[0]) or "")),
    "INCR": (1, 1, lambda d, w, n: _add(d, w[0], 1)),
    "DECR": (1, 1, lambda d, w, n: _add(d, w[0], -1)),
    "INCRBY": (2, 2, lambda d, w, n: _add(d, w[0], int(w[1])) if w[1].lstrip("-").isdigit() else _INTEGER),
    "DECRBY": (2, 2, lambda d, w, n: _add(d, w[0], -int(w[1])) if w[1].lstrip("-").isdigit() else _INTEGER),
    "MSET": (2, -1, lambda d, w, n: _mset(d, w)),
    "MGET": (1, -1, lambda d, w, n: [d.get(k) if not d.get(k, "").startswith("\0") else None for k in w]),
    "DEL": (1, -1, lambda d, w, n: _delete(d, w)),
    "UNLINK": (1, -1, lambda d, w, n: _delete(d, w)),
    "EXISTS": (1, -1, lambda d, w, n: sum(k in d for k in w)),
    "TYPE": (1, 1, lambda d, w, n: _type(d, w[0])),
    "KEYS": (1, 1, lambda d, w, n: _glob(d, w[0])),
    "SCAN": (1, -1, lambda d, w, n: ["0", keys(d)]),
    "DBSIZE": (0, 0, lambda d, w, n: len(keys(d))),
    "FLUSHALL": (0, 1, lambda d, w, n: _flush(d)),
    "FLUSHDB": (0, 1, lambda d, w, n: _flush(d)),
    "RENAME": (2, 2, lambda d, w, n: _rename(d, w[0], w[1])),
    "EXPIRE": (2, 3, lambda d, w, n: _expire_in(d, w[0], w[1], n)),
    "TTL": (1, 1, lambda d, w, n: _ttl(d, w[0], n)),
    "PERSIST": (1, 1, lambda d, w, n: _persist(d, w[0])),
    "LPUSH": (2, -1, lambda d, w, n: _push(d, w, True)),
    "RPUSH": (2, -1, lambda d, w, n: _push(d, w, False)),
    "LPOP": (1, 1, lambda d, w, n: _pop(d, w, True)),
    "RPOP": (1, 1, lambda d, w, n: _pop(d, w, False)),
    "LLEN": (1, 1, lambda d, w, n: len(_load(d, w[0], list))),
    "LRANGE": (
        3,
        3,
        lambda d, w, n: (
            _range(_load(d, w[0], list), w[1], w[2]) if w[1].lstrip("-").isdigit() and w[2].lstrip("-").isdigit() else _INTEGER
        ),
    ),
    "SADD": (2, -1, lambda d, w, n: _sadd(d, w)),
    "SREM": (2, -1, lambda d, w, n: _srem(d, w)),
    "SMEMBERS": (1, 1, lambda d, w, n: _load(d, w[0], list)),
    "SISMEMBER": (2, 2, lambda d, w, n: int(w[1] in _load(d, w[0], list))),
    "SCARD": (1, 1, lambda d, w, n: len(_load(d, w[0], list))),
    "HSET": (3, -1, lambda d, w, n: _hset(d, w)),
    "HGET": (2, 2, lambda d, w, n: _load(d, w[0], dict).get(w[1])),
    "HGETALL": (1, 1, lambda d, w, n: [item for pair in _load(d, w[0], dict).items() for item in pair]),
    "HDEL": (2, -1, lambda d, w, n: _hdel(d, w)),
    "HKEYS": (1, 1, lambda d, w, n: list(_load(d, w[0], dict))),
    "HLEN": (1, 1, lambda d, w, n: len(_load(d, w[0], dict))),
    "SELECT": (1, 1, lambda d, w, n: OK),
    "SAVE": (0, 0, lambda d, w, n: OK),
    "BGSAVE": (0, 1, lambda d, w, n: Status("Background saving started")),
    "CLIENT": (1, -1, lambda d, w, n: OK),
    "PUBLISH": (2, 2, lambda d, w, n: 0),
}


def execute(data: Data, words: list[str], now: int) -> Any:
    """One command; raises nothing."""
    sweep(data, now)
    name = words[0].upper()
    found = COMMANDS.get(name)
    if found is None:
        shown = " ".join(f"'{word}'" for word in words[1:]) + (" " if words[1:] else "")
        return Failure(f"ERR unknown command '{words[0]}', with args beginning with: {shown}")
    low, high, work = found
    if len(words) - 1 < low or (high >= 0 and len(words) - 1 > high):
        return Failure(f"ERR wrong number of arguments for '{words[0].lower()}' command")
    try:
        return work(data, words[1:], now)
    except TypeError:
        return _WRONG
