"""What programs may touch: methods of plain values, built-in functions and the few modules that small scripts import.

Nothing of the interpreter that runs the simulator can be reached: attributes are names of the tables below, and nothing else.
"""

from __future__ import annotations

import base64
import json
import math
import posixpath
import string
from collections.abc import Callable
from typing import Any

import yaml

from ...host.invocation import Call
from ...kernel.clock import SECOND

#: What a value may hold at most, in characters, elements or bits.
LARGEST = 1_000_000
BITS = 4096


class Absent(Exception):
    """Something of Python that is not simulated."""


class Leave(Exception):
    """`SystemExit`: what `sys.exit` raises."""

    def __init__(self, code: Any = None) -> None:
        self.code = code if isinstance(code, int) else 0 if code is None else 1
        self.said = "" if isinstance(code, int) or code is None else f"{code}\n"
        super().__init__()


class Module:
    """A module, or a namespace such as `os.path`: names and what they are."""

    def __init__(self, name: str, members: dict[str, Any]) -> None:
        self.name, self.members = name, members


class Stream:
    """An open file or a standard stream."""

    def __init__(self, text: str = "", write: Callable[[str], None] | None = None) -> None:
        self.lines, self.write_to = text.splitlines(keepends=True), write

    def take(self) -> str:
        """All that is left."""
        text, self.lines = "".join(self.lines), []
        return text

    def line(self) -> str:
        """The next line, "" at the end."""
        return self.lines.pop(0) if self.lines else ""


METHODS: dict[type, frozenset[str]] = {
    str: frozenset(
        "capitalize casefold center count encode endswith expandtabs find index isalnum isalpha isascii isdecimal isdigit isidentifier islower "
        "isnumeric isspace istitle isupper join ljust lower lstrip partition removeprefix removesuffix replace rfind rindex rjust rpartition "
        "rsplit rstrip split splitlines startswith strip swapcase title upper zfill".split()
    ),
    bytes: frozenset("decode startswith endswith strip split hex".split()),
    list: frozenset("append clear copy count extend index insert pop remove reverse".split()),
    tuple: frozenset("count index".split()),
    dict: frozenset("clear copy get items keys pop popitem setdefault update values".split()),
    set: frozenset(
        "add clear copy difference discard intersection isdisjoint issubset issuperset pop remove symmetric_difference union update".split()
    ),
    int: frozenset({"bit_length"}),
    float: frozenset({"is_integer"}),
}
_SPARE = frozenset(("center", "expandtabs", "ljust", "rjust", "zfill"))  # they make text as long as they are told


class _Formatter(string.Formatter):
    """`str.format` without attributes."""

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        if "." in field_name or "[" in field_name:
            raise Absent(f"format field {field_name!r}")
        return super().get_field(field_name, args, kwargs)

    def format_field(self, value: Any, format_spec: str) -> str:
        return formatted(value, format_spec)


def formatted(value: Any, spec: str) -> str:
    """A value by a format specification; widths are bounded."""
    if any(int(number) > 10_000 for number in "".join(c if c.isdigit() else " " for c in spec).split()):
        raise Absent(f"format {spec!r}")
    return format(value, spec)


def method(value: Any, name: str) -> Any:
    """A method of a plain value; AttributeError for one that it has not, `Absent` for one that is not here."""
    kind = bool.__base__ if isinstance(value, bool) else type(value)
    if isinstance(value, str) and name == "format":
        return lambda *args, **more: _Formatter().vformat(value, args, more)
    if isinstance(value, Stream):
        return _of_stream(value, name)
    if isinstance(value, list) and name == "sort":
        return lambda **options: value.__setitem__(slice(None), sorted(value, **options))
    if kind in METHODS and name in METHODS[kind]:
        found = getattr(value, name)
        if name in _SPARE:
            return lambda *args: found(*_bounded(args))
        if name in ("replace", "join"):
            return lambda *args: _checked(value, name, args, found)
        return found
    if kind in METHODS and not hasattr(value, name):
        raise AttributeError(f"'{type(value).__name__}' object has no attribute '{name}'")
    raise Absent(f"{type(value).__name__}.{name}")


def _bounded(args: tuple[Any, ...]) -> tuple[Any, ...]:
    if args and isinstance(args[0], int) and args[0] > LARGEST:
        raise MemoryError
    return args


def _checked(value: str, name: str, args: tuple[Any, ...], found: Callable[..., Any]) -> Any:
    if name == "replace" and len(args) > 1 and (value.count(args[0]) + 1) * len(args[1]) > LARGEST:
        raise MemoryError
    if name == "join":
        args = (list(args[0]),)
        if sum(len(part) for part in args[0] if isinstance(part, str)) + len(value) * len(args[0]) > LARGEST:
            raise MemoryError
    return found(*args)


def _of_stream(stream: Stream, name: str) -> Any:
    def write(text: str) -> int:
        if stream.write_to is None:
            raise OSError("not writable")
        stream.write_to(text)
        return len(text)

    found: dict[str, Any] = {
        "read": lambda: stream.take(), "readline": stream.line, "readlines": lambda: stream.take().splitlines(keepends=True),
        "write": write, "flush": lambda: None, "close": lambda: None,
    }  # fmt: skip
    if name not in found:
        raise Absent(f"file.{name}")
    return found[name]


def _range(*args: int) -> list[int]:
    found = range(*args)
    if len(found) > LARGEST:
        raise MemoryError
    return list(found)


BUILTINS: dict[str, Any] = {
    "abs": abs, "all": all, "any": any, "bool": bool, "chr": chr, "dict": dict, "divmod": divmod, "enumerate": lambda *a, **k: list(enumerate(*a, **k)),
    "float": float, "format": lambda value, spec="": formatted(value, spec), "hex": hex, "int": int, "len": len, "list": list, "max": max, "min": min,
    "oct": oct, "bin": bin, "ord": ord, "range": _range, "repr": repr, "reversed": lambda value: list(reversed(value)), "round": round, "set": set,
    "sorted": sorted, "str": str, "sum": sum, "tuple": tuple, "zip": lambda *a: list(zip(*a, strict=False)), "map": lambda f, *a: [f(*row) for row in zip(*a, strict=False)],
    "filter": lambda f, values: [value for value in values if (f(value) if f is not None else value)],
    "True": True, "False": False, "None": None, "__name__": "__main__",
}  # fmt: skip
EXCEPTIONS: dict[str, type[BaseException]] = {
    kind.__name__: kind
    for kind in (
        ArithmeticError, AssertionError, AttributeError, BaseException, EOFError, Exception, FileNotFoundError, ImportError, IndexError, IOError,
        KeyError, LookupError, ModuleNotFoundError, NameError, NotImplementedError, OSError, OverflowError, PermissionError, RuntimeError,
        StopIteration, TypeError, UnicodeDecodeError, ValueError, ZeroDivisionError,
    )
}  # fmt: skip
EXCEPTIONS["SystemExit"] = Leave
#: Types by the names that `isinstance` is asked with.
TYPES: dict[str, type] = {kind.__name__: kind for kind in (bool, bytes, dict, float, int, list, set, str, tuple)}


def _loads(text: Any) -> Any:
    return json.loads(text)


def _dumps(value: Any, **options: Any) -> str:
    wanted = {key: options[key] for key in ("indent", "sort_keys", "ensure_ascii", "separators") if key in options}
    if isinstance(wanted.get("indent"), int) and wanted["indent"] > 64:
        raise MemoryError
    return json.dumps(value, **wanted)


def _yaml_load(text: Any, *_: Any, **__: Any) -> Any:
    text = text.take() if isinstance(text, Stream) else text
    if "&" in text and "*" in text:
        raise Absent("aliases of YAML")
    return yaml.safe_load(text)


def modules(call: Call, script: list[str], stdin: Stream) -> dict[str, Module]:
    """The modules that can be imported."""

    def leave(code: Any = None) -> None:
        raise Leave(code)

    def exists(path: str) -> bool:
        return call.exists(path)

    def sleep(_: float) -> None:
        raise Absent("time.sleep")

    path = Module("path", {
        "exists": exists, "isfile": lambda name: call.exists(name) and not call.isdir(name), "isdir": call.isdir, "join": posixpath.join,
        "basename": posixpath.basename, "dirname": posixpath.dirname, "abspath": call.path, "getsize": lambda name: len(call.read_file(name)),
        "expanduser": lambda name: name.replace("~", call.env.get("HOME", "/root"), 1) if name.startswith("~") else name, "splitext": posixpath.splitext,
    })  # fmt: skip
    return {
        "json": Module("json", {
            "loads": _loads, "load": lambda stream: _loads(stream.take()), "dumps": _dumps,
            "dump": lambda value, stream, **options: stream.write_to(_dumps(value, **options)), "JSONDecodeError": json.JSONDecodeError,
        }),
        "sys": Module("sys", {
            "argv": script, "stdin": stdin, "exit": leave, "stdout": Stream(write=call.out), "stderr": Stream(write=call.err),
            "version": "3.12.3 (main, Nov  6 2024, 18:32:19) [GCC 13.2.0]", "platform": "linux", "version_info": (3, 12, 3, "final", 0),
        }),
        "os": Module("os", {
            "environ": dict(call.env), "getenv": call.env.get, "getcwd": lambda: call.cwd, "path": path, "linesep": "\n", "sep": "/",
            "listdir": lambda name=".": call.tree.listdir(call.path(name)), "getpid": lambda: call.proc.pid,
        }),
        "yaml": Module("yaml", {
            "safe_load": _yaml_load, "load": _yaml_load, "SafeLoader": None, "FullLoader": None, "YAMLError": yaml.YAMLError,
            "safe_load_all": lambda text: [_yaml_load(part) for part in (text.take() if isinstance(text, Stream) else text).split("\n---")],
            "dump": lambda value, *_, **options: yaml.safe_dump(value, sort_keys=options.get("sort_keys", True), default_flow_style=options.get("default_flow_style", False)),
            "safe_dump": lambda value, *_, **options: yaml.safe_dump(value, sort_keys=options.get("sort_keys", True), default_flow_style=False),
        }),
        "time": Module("time", {"time": lambda: call.world.wall / SECOND, "sleep": sleep}),
        "base64": Module("base64", {"b64encode": base64.b64encode, "b64decode": base64.b64decode}),
        "math": Module("math", {name: getattr(math, name) for name in ("ceil", "floor", "sqrt", "pi", "log", "log2", "log10", "inf")}),
        "posixpath": path,
    }  # fmt: skip
