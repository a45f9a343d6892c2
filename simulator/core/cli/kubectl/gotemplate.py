"""Go's text/template for JSON-shaped data (`text/template/parse`, `exec.go`, `funcs.go`), as `-o go-template` uses it.

Actions: pipelines, variables, `if`/`else if`/`else`, `range` (with `else`, `break`, `continue`), `with`, `define`/`template`, comments and
trim markers; the predefined functions and kubectl's `exists`, `base64decode`, `hexdecode`.  Steps are bounded.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote_plus

from ..flags import quote
from .gotemplate_parse import Action, Branch, Chain, Define, Node, Pipeline, TemplateError, Words, parse
from .jsonpath import go_value

MAX_STEPS = 100_000
MAX_OUTPUT = 4_000_000


class _Missing:
    """A missing map key: prints `<no value>`, is false, has no fields."""


MISSING = _Missing()


class _Flow(Exception):
    """`break` or `continue`."""


class Scope(NamedTuple):
    """Variables in force, innermost last."""

    names: list[tuple[str, list[Any]]]


def truth(value: Any) -> bool:
    """What `if` takes for true: not zero, not empty, not missing."""
    return not (value is MISSING or value is None or value is False or value == 0 or value == "" or value == [] or value == {})


def show(value: Any) -> str:
    """A value as `{{.}}` prints it."""
    if value is MISSING or value is None:
        return "<no value>"
    return go_value(value)


class Template:
    """A parsed template; `execute` gives its text for an object."""

    def __init__(
        self,
        text: str,
        name: str = "output",
        *,
        missing_keys: bool = True,
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.name, self.missing_keys = name, missing_keys
        self.functions = FUNCTIONS if functions is None else functions
        self.nodes, self.defines = parse(text, name, self.functions)
        self.steps = 0

    def execute(self, data: Any) -> str:
        """The text for `data`; raises TemplateError."""
        self.steps = 0
        out: list[str] = []
        try:
            self._run(self.nodes, data, [("$", [data])], out, 0)
        except TemplateError as error:
            error.partial = "".join(out)
            raise
        return "".join(out)

    def shown(self, value: Any) -> str:
        """How an action prints its value."""
        return show(value)

    def _fail(self, message: str, where: str = "1") -> TemplateError:
        return TemplateError(
            f'template: {self.name}:{where}: executing "{self.name}"{message if message.startswith(":") else " " + message}'
        )

    def _run(self, nodes: list[Node], dot: Any, names: list[tuple[str, list[Any]]], out: list[str], depth: int) -> None:
        if depth > 60:
            raise self._fail(": exceeded maximum template depth")
        for node in nodes:
            self.steps += 1
            if self.steps > MAX_STEPS:
                raise self._fail(": template takes too many steps")
            if isinstance(node, str):
                out.append(node)
            elif isinstance(node, Action):
                value = self._pipeline(node.pipeline, dot, names)
                if not node.pipeline.declares:
                    out.append(self.shown(value))
            elif isinstance(node, Branch):
                self._branch(node, dot, names, out, depth)
            elif isinstance(node, Define):
                self._template(node, dot, names, out, depth)
            else:
                raise _Flow(node.word)

    def _template(self, node: Define, dot: Any, names: list[tuple[str, list[Any]]], out: list[str], depth: int) -> None:
        if node.name not in self.defines:
            text = f'{{{{template "{node.name}"{f" {node.pipeline.commands[0].text}" if node.pipeline else ""}}}}}'
            raise self._fail(f'at <{text}>: template "{node.name}" not defined', node.where)
        value = self._pipeline(node.pipeline, dot, names) if node.pipeline else None
        self._run(self.defines[node.name], value, [("$", [value])], out, depth + 1)

    def _branch(self, node: Branch, dot: Any, names: list[tuple[str, list[Any]]], out: list[str], depth: int) -> None:
        mark = len(names)
        try:
            if node.word == "range":
                self._range(node, dot, names, out, depth)
                return
            value = self._pipeline(node.pipeline, dot, names)
            if truth(value):
                self._run(node.body, value if node.word == "with" else dot, names, out, depth + 1)
            else:
                self._run(node.otherwise, dot, names, out, depth + 1)
        finally:
            del names[mark:]

    def _range(self, node: Branch, dot: Any, names: list[tuple[str, list[Any]]], out: list[str], depth: int) -> None:
        value = self._pipeline(node.pipeline._replace(declares=()), dot, names)
        if value is MISSING or value is None:
            pairs: list[tuple[Any, Any]] = []
        elif isinstance(value, dict):
            pairs = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, list):
            pairs = list(enumerate(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            pairs = [(at, at) for at in range(min(value, MAX_STEPS))]
        else:
            last = node.pipeline.commands[-1][0]
            if not isinstance(last, Chain):
                raise self._fail(f": range can't iterate over {show(value)}")
            raise self._fail(f"at <{last.text}>: range can't iterate over {show(value)}", last.where)
        if not pairs:
            self._run(node.otherwise, dot, names, out, depth + 1)
            return
        for key, item in pairs:
            mark = len(names)
            declared = node.pipeline.declares
            if len(declared) == 1:
                names.append((declared[0], [item]))
            elif declared:
                names += [(declared[0], [key]), (declared[1], [item])]
            try:
                self._run(node.body, item, names, out, depth + 1)
            except _Flow as flow:
                if flow.args[0] == "break":
                    break
            finally:
                del names[mark:]

    # -- values -----------------------------------------------------------------------------------------------------------
    def _pipeline(self, node: Pipeline, dot: Any, names: list[tuple[str, list[Any]]]) -> Any:
        value: Any = MISSING
        for at, command in enumerate(node.commands):
            value = self._command(command, dot, names, [value] if at else [])
        if node.declares:
            if node.assigns:
                self._variable(names, node.declares[0])[0] = value
            else:
                names.append((node.declares[0], [value]))
        return value

    def _variable(self, names: list[tuple[str, list[Any]]], name: str) -> list[Any]:
        for known, box in reversed(names):
            if known == name:
                held: list[Any] = box
                return held
        raise self._fail(f": undefined variable: {name}")

    def _command(self, words: Words, dot: Any, names: list[tuple[str, list[Any]]], last: list[Any]) -> Any:
        first = words[0]
        if isinstance(first, Chain) and isinstance(first.base, str) and first.base in self.functions:
            if first.base in ("and", "or"):
                return self._logic(first.base, words[1:], dot, names, last)
            arguments = [self._value(word, dot, names) for word in words[1:]] + last
            if first.base == "call" and arguments:  # nothing in an object is a function
                called = words[1].text if len(words) > 1 and isinstance(words[1], Chain) else _print(arguments[0])
                what = (
                    "call of nil"
                    if arguments[0] in (MISSING, None)
                    else f"non-function {called} of type {_compared(arguments[0])}"
                )
                raise self._fail(f"at <{words.text}>: error calling call: {what}", first.where)
            try:
                return self.functions[first.base](*arguments)
            except TypeError:
                want = ARITY.get(first.base, "at least 1")
                text = f"wrong number of args for {first.base}: want {want} got {len(arguments)}"
                raise self._fail(f"at <{first.base}>: {text}", first.where) from None
            except (ValueError, LookupError) as error:
                raise self._fail(f"at <{words.text}>: error calling {first.base}: {error}", first.where) from None
        if len(words) > 1 or last:
            shown = first.text if isinstance(first, Chain) else words.text.split(" ")[0]
            where = first.where if isinstance(first, Chain) else "1"
            raise self._fail(f"at <{shown}>: can't give argument to non-function {shown}", where)
        return self._value(first, dot, names)

    def _logic(self, word: str, words: list[Any], dot: Any, names: list[tuple[str, list[Any]]], last: list[Any]) -> Any:
        value: Any = MISSING
        for item in words:
            value = self._value(item, dot, names)
            if truth(value) == (word == "or"):
                return value
        return last[0] if last else value

    def _value(self, word: Any, dot: Any, names: list[tuple[str, list[Any]]]) -> Any:
        if not isinstance(word, Chain):
            return word[0] if isinstance(word, tuple) else word
        if isinstance(word.base, Pipeline):
            value = self._pipeline(word.base, dot, names)
        elif word.base == ".":
            value = dot
        elif word.base.startswith("$"):
            value = self._variable(names, word.base)[0]
        elif word.base in self.functions:
            alone = Words([word])
            alone.text = word.text
            return self._command(alone, dot, names, [])
        else:
            raise self._fail(f': function "{word.base}" not defined')
        for field in word.fields:
            value = self._field(value, field, word)
        return value

    def _field(self, value: Any, name: str, word: Chain) -> Any:
        if isinstance(value, dict):
            if name not in value and not self.missing_keys:
                raise self._fail(f"at <{word.text}>: map has no entry for key {quote(name)}", word.where)
            return value.get(name, MISSING)
        if value is MISSING:
            return MISSING
        if value is None:
            raise self._fail(f"at <{word.text}>: nil pointer evaluating interface {{}}.{name}", word.where)
        raise self._fail(f"at <{word.text}>: can't evaluate field {name} in type interface {{}}", word.where)


# -- functions ----------------------------------------------------------------------------------------------------------------


def _kinds(a: Any, b: Any) -> bool:
    return any(type(a) is kind and type(b) is kind for kind in (bool, str, int, float))


def _compared(value: Any) -> str:
    """The Go type of what is compared; a number is taken for one that the template has."""
    known = {bool: "bool", str: "string", int: "int", float: "float64", list: "[]interface {}", dict: "map[string]interface {}"}
    return known.get(type(value), "<nil>")


def _eq(first: Any, *rest: Any) -> bool:
    if not rest:
        raise ValueError("missing argument for comparison")
    for item in rest:
        if first is MISSING or item is MISSING or first is None or item is None:
            if (first is MISSING or first is None) and (item is MISSING or item is None):
                return True
            continue
        if not _kinds(first, item):
            raise ValueError(f"incompatible types for comparison: {_compared(first)} and {_compared(item)}")
        if first == item:
            return True
    return False


def _lt(a: Any, b: Any) -> bool:
    if not _kinds(a, b):
        raise ValueError(f"incompatible types for comparison: {_compared(a)} and {_compared(b)}")
    return bool(a < b)


def _index(value: Any, *keys: Any) -> Any:
    for at, key in enumerate(keys):
        if isinstance(value, dict):
            if key is MISSING or key is None:
                raise ValueError("value is nil; should be of type string")
            if not isinstance(key, str):
                raise ValueError(f"value has type {_compared(key)}; should be string")
            value = value.get(key, MISSING)
        elif isinstance(value, (list, str)):
            if key is MISSING or key is None:
                raise ValueError("cannot index slice/array with nil")
            if not isinstance(key, int) or isinstance(key, bool):
                raise ValueError(f"cannot index slice/array with type {_compared(key)}")
            if not 0 <= key < len(value):
                raise ValueError(f"index out of range: {key}")
            value = value[key] if isinstance(value, list) else ord(value[key])
        elif value is MISSING or value is None:
            raise ValueError("index of nil pointer" if at else "index of untyped nil")
        else:
            raise ValueError(f"can't index item of type {_compared(value)}")
    return value


def _length(value: Any) -> int:
    if isinstance(value, (str, list, dict)):
        return len(value.encode()) if isinstance(value, str) else len(value)
    if value is MISSING:
        raise ValueError("reflect: call of reflect.Value.Type on zero Value")
    raise ValueError("len of nil pointer" if value is None else f"len of type {type(value).__name__}")


def _slice(value: Any, *at: int) -> Any:
    return value[slice(*at)] if len(at) != 1 else value[at[0] :]


_VERB = re.compile(r"%([-+ #0]*)(\d*)(?:\.(\d+))?([a-zA-Z%])")


def sprintf(form: str, *arguments: Any) -> str:
    """Go's `Sprintf` for the verbs that templates use: v s d q t f g e x X o b c T %."""
    left = list(arguments)

    def one(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not left:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, left.pop(0), flags, int(precision) if precision is not None else None)
        size = min(int(width or 0), 1000)
        return text.ljust(size) if "-" in flags else text.rjust(size, "0" if "0" in flags and verb in "dfxX" else " ")

    text = _VERB.sub(one, form)
    return text + ("%!(EXTRA " + ", ".join(f"{_type(item)}={show(item)}" for item in left) + ")" if left else "")


def _type(value: Any) -> str:
    return (
        "string"
        if isinstance(value, str)
        else "bool"
        if isinstance(value, bool)
        else "int64"
        if isinstance(value, int)
        else "float64"
    )


def _verb(verb: str, value: Any, flags: str, precision: int | None) -> str:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if verb in "vs":
        text = show(value)
        return text[:precision] if precision is not None and verb == "s" else text
    if verb == "q" and isinstance(value, str):
        return quote(value)
    if verb == "t" and isinstance(value, bool):
        return "true" if value else "false"
    if verb == "T":
        return _type(value)
    if verb == "d" and isinstance(value, int) and number:
        return f"{value:+d}" if "+" in flags else str(value)
    if verb in "feg" and isinstance(value, float):
        return f"{value:.{6 if precision is None else precision}{verb}}"
    if verb in "xXob" and isinstance(value, int) and number:
        return format(value, verb)
    if verb in "xX" and isinstance(value, str):
        return value.encode().hex() if verb == "x" else value.encode().hex().upper()
    return f"%!{verb}({_type(value)}={show(value)})"


def _print(*values: Any) -> str:
    out = ""
    for at, item in enumerate(values):
        if at and not isinstance(item, str) and not isinstance(values[at - 1], str):
            out += " "
        out += show(item)
    return out


def _exists(value: Any, *keys: Any) -> bool:
    try:
        return _index(value, *keys) is not MISSING
    except ValueError:
        return False


def _decode64(text: Any) -> str:
    try:
        return base64.b64decode(str(text), validate=True).decode("utf-8", "replace")
    except ValueError:
        raise ValueError("base64 decode failed: illegal base64 data at input byte 0") from None


#: How many arguments Go's functions want, where that is a fixed number.
ARITY = {"ne": "2", "lt": "2", "le": "2", "gt": "2", "ge": "2", "not": "1", "len": "1", "base64decode": "1", "hexdecode": "1"}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": _eq,
    "ne": lambda a, b: not _eq(a, b),
    "lt": _lt,
    "le": lambda a, b: _lt(a, b) or _eq(a, b),
    "gt": lambda a, b: _lt(b, a),
    "ge": lambda a, b: not _lt(a, b),
    "and": lambda *values: values[-1],
    "or": lambda *values: values[-1],
    "not": lambda value: not truth(value),
    "len": _length,
    "index": _index,
    "call": lambda value, *rest: value,  # told by _command
    "slice": _slice,
    "print": _print,
    "println": lambda *values: " ".join(show(item) for item in values) + "\n",
    "printf": sprintf,
    "html": lambda *values: html.escape(_print(*values)).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "js": lambda *values: re.sub(
        r"[\\'\"<>&=]", lambda m: f"\\u{ord(m[0]):04X}" if m[0] in "<>&=" else "\\" + m[0], _print(*values)
    ),
    "urlquery": lambda *values: quote_plus(_print(*values)),
    "exists": _exists,
    "base64decode": _decode64,
    "hexdecode": lambda text: bytes.fromhex(str(text)).decode("utf-8", "replace"),
}
