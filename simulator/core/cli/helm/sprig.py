"""The functions that Helm's templates have besides Go's own (Masterminds/sprig v3, helm `pkg/engine/funcs.go`).

Those that would look outside (`env`, `expandenv`, `getHostByName`) do not exist, as in Helm; those that make keys and certificates say that
they are not simulated.  What is random comes from the stream that the engine hands over.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
import zlib
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from ...kernel.clock import to_datetime
from ...kernel.errors import NotSimulated
from ...kernel.world import World
from ...kube.api import regexp
from .. import goyaml
from ..kubectl.gotemplate import FUNCTIONS, MISSING, show, sprintf, truth

Function = Callable[..., Any]
#: The longest list or text that a function makes.
MOST = 1_000_000


class Failed(ValueError):
    """`fail` and `required`: the text is the template's own."""


def text(value: Any) -> str:
    """sprig's strval."""
    return "" if value is None or value is MISSING else value if isinstance(value, str) else show(value)


def _empty(value: Any) -> bool:
    return not truth(value)


def _bounded(items: Iterable[Any]) -> list[Any]:
    out = list(items)
    if len(out) > MOST:
        raise ValueError("list is too long")
    return out


def _number(value: Any) -> int:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return int(value)
    try:
        return int(str(value), 0) if re.fullmatch(r"[-+]?(0x[0-9a-fA-F]+|\d+)", str(value)) else int(float(str(value)))
    except ValueError:
        return 0


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _indent(count: int, value: Any) -> str:
    pad = " " * min(_number(count), 1000)
    return pad + text(value).replace("\n", "\n" + pad)


def to_yaml(value: Any) -> str:
    """Without the last line break; what cannot be written is empty."""
    if value is MISSING:
        value = None
    return goyaml.dump(value).removesuffix("\n")


def from_yaml(value: Any) -> Any:
    """A map; a failure is its key `Error`."""
    try:
        found = goyaml.load(text(value))
    except (goyaml.YamlError, ValueError) as bad:
        return {"Error": f"error converting YAML to JSON: {bad}"}
    return (
        found
        if isinstance(found, dict)
        else {}
        if found is None
        else {"Error": "error unmarshaling JSON: json: cannot unmarshal into Go value of type map[string]interface {}"}
    )


def _from_list(value: Any) -> Any:
    found = goyaml.load(text(value))
    return found if isinstance(found, list) else []


def _plain(value: Any) -> Any:
    return None if value is MISSING else value


def to_json(value: Any, *, indent: int | None = None, escape: bool = True) -> str:
    """As Go's encoder: keys sorted, `<>&` escaped."""
    out = json.dumps(_plain(value), sort_keys=True, separators=(",", ": " if indent else ":"), indent=indent, ensure_ascii=False)
    if escape:
        for char in "<>&":
            out = out.replace(char, f"\\u{ord(char):04x}")
    return out


def merge(target: Any, *sources: Any, over: bool = False) -> Any:
    """mergo: what the target lacks (or, with `over`, everything) comes from the sources."""
    for source in sources:
        for key, value in (source or {}).items():
            held = target.get(key)
            if isinstance(held, dict) and isinstance(value, dict):
                merge(held, value, over=over)
            elif key not in target or over or (_empty(held) and not isinstance(held, bool)):
                target[key] = copy(value)
    return target


def copy(value: Any) -> Any:
    """A deep copy of plain data."""
    if isinstance(value, dict):
        return {key: copy(item) for key, item in value.items()}
    return [copy(item) for item in value] if isinstance(value, list) else value


def _dig(*arguments: Any) -> Any:
    *keys, default, found = arguments
    for key in keys:
        if not isinstance(found, dict) or key not in found:
            return default
        found = found[key]
    return found


def _kind(value: Any) -> str:
    return {bool: "bool", int: "int", float: "float64", str: "string", list: "slice", dict: "map"}.get(type(value), "invalid")


def _type(value: Any) -> str:
    return {"slice": "[]interface {}", "map": "map[string]interface {}", "invalid": "<nil>"}.get(_kind(value), _kind(value))


def _set(target: Any, key: str, value: Any) -> Any:
    target[key] = _plain(value)
    return target


def _unset(target: Any, key: str) -> Any:
    target.pop(key, None)
    return target


def _dict(*items: Any) -> dict[str, Any]:
    return {text(items[n]): _plain(items[n + 1]) if n + 1 < len(items) else "" for n in range(0, len(items), 2)}


def _replace_all(pattern: str, value: str, by: str, *, literal: bool = False) -> str:
    found = regexp.compile(pattern)
    out: list[str] = []
    at = 0
    while at <= len(value):
        match = found.find(value, at)
        if match is None:
            break
        start, end = match
        out += [
            value[at:start],
            by if literal or "$" not in by else by.replace("${0}", value[start:end]).replace("$0", value[start:end]),
        ]
        if "$" in by and not literal and re.search(r"\$\{?[1-9]", by):
            raise ValueError("groups in regexReplaceAll: not simulated in Slipway yet")
        if end == start:
            out.append(value[start : start + 1])
            end += 1
        at = end
    return "".join(out) + value[at:]


def _find_all(pattern: str, value: str, count: int) -> list[str]:
    found = regexp.compile(pattern)
    out: list[str] = []
    at = 0
    while at <= len(value) and (count < 0 or len(out) < count):
        match = found.find(value, at)
        if match is None:
            break
        out.append(value[match[0] : match[1]])
        at = match[1] + (match[0] == match[1])
    return out


def _split_regex(pattern: str, value: str, count: int) -> list[str]:
    found = regexp.compile(pattern)
    out: list[str] = []
    at = 0
    while count < 0 or len(out) < count - 1:
        match = found.find(value, at)
        if match is None or match[0] == match[1]:
            break
        out.append(value[at : match[0]])
        at = match[1]
    return [*out, value[at:]]


def _trunc(count: int, value: Any) -> str:
    held, count = text(value), _number(count)
    return held[count:] if count < 0 and len(held) + count > 0 else held[:count] if count >= 0 else held


def _words(value: str) -> list[str]:
    return re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", value)


def _date(form: str, when: datetime) -> str:
    table = {"2006": "%Y", "01": "%m", "02": "%d", "15": "%H", "04": "%M", "05": "%S", "Jan": "%b", "January": "%B", "Mon": "%a", "Monday": "%A", "MST": "UTC", "Z07:00": "Z", "PM": "%p", "03": "%I", "06": "%y"}  # fmt: skip
    made = re.sub(r"January|Jan|Monday|Mon|2006|Z07:00|MST|01|02|03|04|05|06|15|PM", lambda m: table[m[0]], form)
    return when.strftime(made)


_VERSION = re.compile(r"v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?")


def version_key(value: str) -> tuple[int, int, int, bool, tuple[tuple[int, int, str], ...]]:
    """How versions are ordered (semver 2); raises ValueError."""
    match = _VERSION.fullmatch(value.strip())
    if match is None:
        raise ValueError("Invalid Semantic Version")
    pre = tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in (match[4] or "").split(".") if part)
    return int(match[1]), int(match[2] or 0), int(match[3] or 0), not match[4], pre


def _fits(part: str, version: str) -> bool:
    match = re.fullmatch(
        r"(=|!=|>=?|<=?|=>|=<|~>?|\^)?\s*v?(\*|[xX]|\d+)(?:\.(\*|[xX]|\d+))?(?:\.(\*|[xX]|\d+))?(-[0-9A-Za-z.-]+)?(?:\+[\w.-]+)?",
        part.strip(),
    )
    if match is None:
        raise ValueError(f"improper constraint: {part}")
    sign, numbers, pre = match[1] or "=", [match[2], match[3], match[4]], match[5] or ""
    own = version_key(version)
    if not own[3] and not pre:
        return False  # pre-releases only where one is asked for
    known = [int(n) for n in numbers if n and n.isdigit()]
    low = version_key(".".join(str(n) for n in [*known, 0, 0, 0][:3]) + pre)
    whole = len(known) == 3

    def top(depth: int) -> tuple[int, ...]:
        head = [*known, 0, 0, 0][: depth + 1]
        head[depth] += 1
        return (*head, *[0] * (2 - depth))

    if sign in ("=", "") and not whole:
        return not known or (own >= low and own[:3] < top(len(known) - 1))
    if sign in ("~", "~>"):
        return own >= low and own[:3] < top(min(max(len(known) - 1, 0), 1))
    if sign == "^":
        first = next((n for n, value in enumerate(known) if value), len(known) - 1)
        return own >= low and own[:3] < top(first)
    return {"=": own == low, "!=": own != low, ">": own > low if whole else own[:3] >= top(len(known) - 1), ">=": own >= low, "=>": own >= low, "<": own < low,
            "<=": own <= low if whole else own[:3] < top(len(known) - 1), "=<": own <= low}[sign]  # fmt: skip


def satisfies(constraint: str, version: str) -> bool:
    """Masterminds/semver: `>=1.2 <2 || ^3`; raises ValueError."""
    for either in constraint.split("||"):
        either = re.sub(r"(\S+)\s+-\s+(\S+)", r">=\1 <=\2", either)
        parts = re.findall(r"(?:[=!<>~^]+\s*)?[^\s,]+", either)
        if all(_fits(part, version) for part in parts):
            return True
    return False


def _semver(value: str) -> dict[str, Any]:
    major, minor, patch, _, _ = version_key(value)
    match = _VERSION.fullmatch(value.strip())
    assert match is not None
    return {
        "Major": major,
        "Minor": minor,
        "Patch": patch,
        "Prerelease": match[4] or "",
        "Metadata": match[5] or "",
        "Original": value,
    }


def _fail(message: str) -> str:
    raise Failed(message)


def _required(message: str, value: Any) -> Any:
    if value is None or value is MISSING or value == "":
        raise Failed(message)
    return value


def _absent(*_: Any) -> str:
    raise NotSimulated("keys and certificates made by a template")


def _round(value: Any, places: int) -> float:
    scale = float(10 ** min(_number(places), 15))
    return math.floor(_float(value) * scale + 0.5) / scale


def _until(*steps: Any) -> list[int]:
    start, stop, step = steps if len(steps) == 3 else (0, steps[0], 1 if _number(steps[0]) >= 0 else -1)
    found = range(_number(start), _number(stop), _number(step) or 1)
    if len(found) > MOST:
        raise ValueError("list is too long")
    return list(found)


def _quote(mark: str) -> Function:
    def run(*values: Any) -> str:
        shown = [text(value) for value in values if value is not None and value is not MISSING]
        return " ".join(json.dumps(item, ensure_ascii=False) if mark == '"' else f"'{item}'" for item in shown)

    return run


def _digest(name: str) -> Function:
    return lambda value: hashlib.new(name, text(value).encode()).hexdigest()


def _decode64(value: Any) -> str:
    try:
        return base64.b64decode(text(value), validate=True).decode("utf-8", "replace")
    except ValueError:
        return "illegal base64 data at input byte 0"


def _has(item: Any, items: Any) -> bool:
    return item in (items or [])


def _pluck(key: str, *maps: Any) -> list[Any]:
    return [one[key] for one in maps if key in one]


def _plural(one: str, many: str, count: int) -> str:
    return one if count == 1 else many


_STRINGS: dict[str, Function] = {
    "trim": lambda v: text(v).strip(), "trimAll": lambda cut, v: text(v).strip(cut), "trimSuffix": lambda end, v: text(v).removesuffix(end), "trimPrefix": lambda start, v: text(v).removeprefix(start),
    "upper": lambda v: text(v).upper(), "lower": lambda v: text(v).lower(), "title": lambda v: re.sub(r"(^|[^\w'])(\w)", lambda m: m[1] + m[2].upper(), text(v)),
    "untitle": lambda v: re.sub(r"\b(\w)", lambda m: m[1].lower(), text(v)), "repeat": lambda n, v: text(v) * min(_number(n), MOST // max(len(text(v)), 1)),
    "substr": lambda a, b, v: text(v)[max(a, 0) : b if b >= 0 else None], "nospace": lambda v: re.sub(r"\s", "", text(v)), "trunc": _trunc,
    "abbrev": lambda n, v: text(v) if len(text(v)) <= n else text(v)[: n - 3] + "...", "contains": lambda part, v: text(part) in text(v), "hasPrefix": lambda start, v: text(v).startswith(start),
    "hasSuffix": lambda end, v: text(v).endswith(end), "quote": _quote('"'), "squote": _quote("'"), "cat": lambda *v: " ".join(text(x) for x in v if x is not None and x is not MISSING),
    "indent": _indent, "nindent": lambda n, v: "\n" + _indent(n, v), "replace": lambda old, new, v: text(v).replace(old, new), "plural": _plural,
    "snakecase": lambda v: "_".join(w.lower() for w in _words(text(v))), "kebabcase": lambda v: "-".join(w.lower() for w in _words(text(v))), "camelcase": lambda v: "".join(w.capitalize() for w in _words(text(v))),
    "swapcase": lambda v: text(v).swapcase(), "initials": lambda v: "".join(w[0] for w in text(v).split()), "toString": text, "toStrings": lambda v: [text(x) for x in v],
    "join": lambda sep, v: sep.join(text(x) for x in (v if isinstance(v, list) else [v])), "splitList": lambda sep, v: text(v).split(sep), "split": lambda sep, v: {f"_{n}": x for n, x in enumerate(text(v).split(sep))},
    "splitn": lambda sep, n, v: {f"_{k}": x for k, x in enumerate(text(v).split(sep, n - 1))}, "sortAlpha": lambda v: sorted(text(x) for x in v), "wrap": lambda n, v: "\n".join(re.findall(rf".{{1,{n}}}(?:\s|$)", text(v))),
    "b64enc": lambda v: base64.b64encode(text(v).encode()).decode(), "b64dec": _decode64, "b32enc": lambda v: base64.b32encode(text(v).encode()).decode(),
    "sha256sum": _digest("sha256"), "sha1sum": _digest("sha1"), "sha512sum": _digest("sha512"), "adler32sum": lambda v: str(zlib.adler32(text(v).encode())),
    "regexMatch": lambda p, v: regexp.compile(p).search(text(v)), "regexFind": lambda p, v: (_find_all(p, text(v), 1) or [""])[0], "regexFindAll": lambda p, v, n: _find_all(p, text(v), n),
    "regexReplaceAll": lambda p, v, by: _replace_all(p, text(v), by), "regexReplaceAllLiteral": lambda p, v, by: _replace_all(p, text(v), by, literal=True), "regexSplit": lambda p, v, n: _split_regex(p, text(v), n),
    "regexQuoteMeta": lambda v: re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text(v)), "printf": sprintf,
}  # fmt: skip

_NUMBERS: dict[str, Function] = {
    "int": _number, "int64": _number, "float64": _float, "atoi": _number, "toDecimal": lambda v: int(text(v) or "0", 8), "add": lambda *v: sum(_number(x) for x in v), "add1": lambda v: _number(v) + 1,
    "sub": lambda a, b: _number(a) - _number(b), "mul": lambda *v: math.prod(_number(x) for x in v), "div": lambda a, b: int(_number(a) / _number(b)), "mod": lambda a, b: int(math.fmod(_number(a), _number(b))),
    "max": lambda *v: max(_number(x) for x in v), "min": lambda *v: min(_number(x) for x in v), "addf": lambda *v: sum(_float(x) for x in v), "mulf": lambda *v: math.prod(_float(x) for x in v),
    "subf": lambda a, b: _float(a) - _float(b), "divf": lambda a, b: _float(a) / _float(b), "maxf": lambda *v: max(_float(x) for x in v), "minf": lambda *v: min(_float(x) for x in v),
    "ceil": lambda v: float(math.ceil(_float(v))), "floor": lambda v: float(math.floor(_float(v))), "round": _round, "until": _until, "untilStep": _until,
    "seq": lambda *v: " ".join(str(n) for n in (_until(1, _number(v[0]) + 1, 1) if len(v) == 1 else _until(v[0], _number(v[-1]) + 1, v[1] if len(v) == 3 else 1))),
}  # fmt: skip

_LISTS: dict[str, Function] = {
    "list": lambda *v: [_plain(x) for x in v], "tuple": lambda *v: [_plain(x) for x in v], "first": lambda v: v[0] if v else None, "last": lambda v: v[-1] if v else None, "rest": lambda v: list(v[1:]),
    "initial": lambda v: list(v[:-1]), "append": lambda v, x: _bounded([*(v or []), x]), "push": lambda v, x: _bounded([*(v or []), x]), "prepend": lambda v, x: _bounded([x, *(v or [])]),
    "concat": lambda *v: _bounded(x for one in v for x in one or []), "reverse": lambda v: list(reversed(v)), "uniq": lambda v: [x for n, x in enumerate(v) if x not in v[:n]],
    "without": lambda v, *cut: [x for x in v if x not in cut], "has": _has, "compact": lambda v: [x for x in v if truth(x)], "chunk": lambda n, v: [v[k : k + n] for k in range(0, len(v), n)],
    "dict": _dict, "get": lambda d, k: d.get(k, ""), "set": _set, "unset": _unset, "hasKey": lambda d, k: isinstance(d, dict) and k in d, "keys": lambda *d: [k for one in d for k in sorted(one)],
    "values": lambda d: [d[k] for k in sorted(d)], "pick": lambda d, *keys: {k: d[k] for k in keys if k in d}, "omit": lambda d, *keys: {k: v for k, v in d.items() if k not in keys}, "pluck": _pluck,
    "merge": merge, "mergeOverwrite": lambda t, *s: merge(t, *s, over=True), "deepCopy": copy, "dig": _dig,
}  # fmt: skip

_REST: dict[str, Function] = {
    "default": lambda d, v=MISSING: d if _empty(v) else v, "empty": _empty, "coalesce": lambda *v: next((x for x in v if truth(x)), None), "ternary": lambda a, b, test: a if test else b,
    "all": lambda *v: all(truth(x) for x in v), "any": lambda *v: any(truth(x) for x in v), "kindOf": _kind, "kindIs": lambda k, v: _kind(v) == k, "typeOf": _type, "typeIs": lambda t, v: _type(v) == t,
    "typeIsLike": lambda t, v: _type(v).lstrip("*") == t, "deepEqual": lambda a, b: a == b, "toYaml": to_yaml, "fromYaml": from_yaml, "fromYamlArray": _from_list, "toJson": to_json,
    "fromJson": from_yaml, "fromJsonArray": _from_list, "toPrettyJson": lambda v: to_json(v, indent=2), "toRawJson": lambda v: to_json(v, escape=False), "semver": _semver, "semverCompare": satisfies,
    "fail": _fail, "required": _required, "hello": lambda: "Hello!", "base": lambda v: text(v).rstrip("/").rpartition("/")[2], "dir": lambda v: text(v).rpartition("/")[0] or ".", "ext": lambda v: re.sub(r".*?(\.[^./]*)?$", r"\1", text(v)),
    "clean": lambda v: re.sub(r"/+", "/", text(v)), "isAbs": lambda v: text(v).startswith("/"),
    **dict.fromkeys(("genCA", "genSelfSignedCert", "genSignedCert", "genPrivateKey", "genCAWithKey", "genSelfSignedCertWithKey", "genSignedCertWithKey", "htpasswd", "bcrypt", "derivePassword", "encryptAES", "decryptAES", "buildCustomCert", "toToml", "fromToml"), _absent),
}  # fmt: skip


def functions(world: World) -> dict[str, Function]:
    """All functions for one run; what is random and what tells the time is the world's."""
    rng = world.rng("helm")
    letters, digits = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
    now = to_datetime(world.wall)
    own: dict[str, Function] = {
        "randAlphaNum": lambda n: rng.token(min(_number(n), MOST), letters + digits), "randAlpha": lambda n: rng.token(min(_number(n), MOST), letters), "randNumeric": lambda n: rng.token(min(_number(n), MOST), digits),
        "randAscii": lambda n: rng.token(min(_number(n), MOST), letters + digits + "!#%&()*+,-./:;<=>?@[]^_{|}~"), "randInt": lambda a, b: a + rng.below(max(b - a, 1)), "uuidv4": rng.uuid,
        "now": lambda: now, "date": lambda form, when=None: _date(form, when if isinstance(when, datetime) else now), "htmlDate": lambda when=None: _date("2006-01-02", when if isinstance(when, datetime) else now),
        "dateInZone": lambda form, when, zone: _date(form, when if isinstance(when, datetime) else now), "unixEpoch": lambda when: str(int(when.timestamp())), "ago": lambda when: "0s",
    }  # fmt: skip
    found = {**FUNCTIONS, **_STRINGS, **_NUMBERS, **_LISTS, **_REST, **own}
    for name in ("exists", "base64decode", "hexdecode"):
        found.pop(name, None)
    return {**found, **{"must" + name[0].upper() + name[1:]: function for name, function in found.items()}}
