"""Word expansion: tilde, parameters, command and arithmetic substitution, splitting, path names (subst.c).

Expansions are generators because a command substitution waits for its command.  A field under construction is a list of
(text, quoted) segments, so that splitting and globbing act on unquoted text only.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Any

from ..host import users
from ..host.program import Wait
from . import arith, attributes, braces, patterns
from .fields import ExpansionError, Field, Fields, _tildes, quote, shell_quote, unescape_all
from .lexer import ShellSyntaxError
from .params import Parameters, UnboundError
from .state import Var
from .syntax import ArithSub, ArrayLit, Assign, CommandSub, Lit, Param, Part, ProcessSub, Tilde, Word

__all__ = [
    "Expander",
    "ExpansionError",
    "Field",
    "Fields",
    "Gen",
    "quote",
    "shell_quote",
    "unescape_all",
]

#: `name=~…` as an argument: bash expands the tilde there too.
ASSIGNED_TILDE = re.compile(r"[A-Za-z_]\w*=~")

Gen = Generator[Wait, Any, Any]
#: How long a text may be that is cut into words (Linux lets a command line have 2 MiB).
MAX_SPLIT = 2 * 1024 * 1024


class Expander(Parameters):
    """The expansions; `Shell` (shell.py) is built on it."""

    #: The value of the last assignment, as it was written.
    assigned = ""

    # -- whole words ----------------------------------------------------------------------------------------------------
    def expand_words(self, words: list[Word]) -> Generator[Wait, Any, list[str]]:
        """The fields of the words of a command."""
        out: list[str] = []
        for word in words:
            if len(word) == 1 and isinstance(word[0], Lit):
                part = word[0]
                if part.quoted or not re.search(r"[*?\[{~]", part.text):
                    out.append(part.text)
                    continue
            head = word[0] if word else None
            if isinstance(head, Lit) and not head.quoted and ASSIGNED_TILDE.match(head.text):
                text = head.text
                at = text.index("=") + 1
                home = Fields()
                rest = self._tilde(text[at:], home, len(word) == 1)
                if home.open is not None:
                    word = [Lit(text[:at]), Lit("".join(found for found, _ in home.open), True), Lit(rest), *word[1:]]
            for one in braces.expand(word) if self.state.options.get("braceexpand", True) else [word]:
                fields = Fields()
                yield from self._parts(one, fields, split=True)
                fields.cut()
                for field in fields.done:
                    self._finish(field, out)
            if len(out) > 100_000:
                raise ExpansionError("argument list too long")
        return out

    def _finish(self, field: Field, out: list[str]) -> None:
        text = "".join(part for part, _ in field)
        if not text and not any(quoted for _, quoted in field):
            return
        extglob = self.state.shopts.get("extglob", False)
        if not self.state.options.get("noglob") and patterns.magic(field, extglob):
            shopts = self.state.shopts
            found = patterns.expand_paths(
                self.tree,
                self.proc.cwd,
                patterns.flatten(field),
                dotglob=shopts.get("dotglob", False) or bool(self.state.get("GLOBIGNORE")),
                globstar=shopts.get("globstar", False),
                extglob=extglob,
                nocase=shopts.get("nocaseglob", False),
                skipdots=shopts.get("globskipdots", True),
            )
            ignored = self.state.get("GLOBIGNORE")
            if ignored:
                found = [name for name in found if not any(patterns.matches(one, name, True) for one in ignored.split(":"))]
            if found:
                out.extend(found)
                return
            if shopts.get("failglob"):
                raise ExpansionError(f"no match: {text}")
            if shopts.get("nullglob"):
                return
        out.append(text)

    def expand_text(self, word: Word) -> Generator[Wait, Any, str]:
        """A word as one text: no splitting, no path names (assignments, here-documents, case)."""
        if len(word) == 1 and isinstance(word[0], Lit) and not word[0].text.startswith("~"):
            return word[0].text
        fields = Fields()
        yield from self._parts(word, fields, split=False)
        fields.cut()
        return " ".join("".join(text for text, _ in field) for field in fields.done)

    def expand_pattern(self, word: Word) -> Generator[Wait, Any, str]:
        """A word as a pattern: quoted characters escaped."""
        fields = Fields()
        yield from self._parts(word, fields, split=False)
        fields.cut()
        return " ".join(patterns.flatten(field) for field in fields.done)

    def expand_assign(self, assign: Assign) -> Gen:
        """Perform an assignment."""
        index: str | None = None
        if assign.index is not None:
            index = yield from self.expand_text(assign.index)
        if assign.value and isinstance(assign.value[0], ArrayLit):
            yield from self.assign_array(assign.name, assign.value[0], assign.append)
            return
        value = yield from self.expand_text(_tildes(assign.value))
        self.assigned = value
        self.assign(assign.name, value, index=index, append=assign.append)

    def assign_array(self, name: str, literal: ArrayLit, append: bool = False, kind: str = "a") -> Gen:
        """`name=(…)`; through a name reference its target."""
        name = self.nameref(name)[0]
        old = self.state.vars.get(name)
        if old is not None and old.kind == "A":
            kind = "A"
        pairs: list[tuple[str | None, str]] = []
        for key, word in literal.items:
            if key is not None:
                pairs.append(((yield from self.expand_text(key)), (yield from self.expand_text(word))))
            else:
                pairs.extend((None, text) for text in (yield from self.expand_words([word])))
        self.check_readonly(name)
        items = dict(old.items) if append and old is not None and old.kind == kind else {}
        if append and old is not None and old.kind == "s" and old.value is not None:
            items["0"] = old.value
        at = max((int(n) for n in items), default=-1) + 1 if kind == "a" else 0
        loose: list[str] = []
        integers = old is not None and "i" in old.flags
        for pair_key, value in pairs:
            if kind == "A":
                if pair_key is None:
                    loose.append(value)
                else:
                    items[pair_key] = value
                continue
            if pair_key is not None:
                at = self.arithmetic(pair_key)
            items[str(at)] = str(self.arithmetic(value)) if integers else value
            at += 1
        items.update(zip(loose[::2], [*loose[1::2], ""], strict=False))
        self.ledger.hold(self.state, sum(len(text) for _, text in pairs))
        self.state.vars[name] = Var(kind, None, items, old.flags if old is not None else "")

    # -- parts ----------------------------------------------------------------------------------------------------------
    def _parts(self, word: Word, fields: Fields, split: bool) -> Gen:
        for number, part in enumerate(word):
            if isinstance(part, Lit):
                text = part.text
                if number == 0 and not part.quoted and text.startswith("~"):
                    text = self._tilde(text, fields, len(word) == 1)
                    if not text:
                        continue
                fields.add(text, part.quoted)
            elif isinstance(part, Tilde):
                fields.add(self._tilde(part.text, fields, True), False)
            elif isinstance(part, Param):
                yield from self._param(part, fields, split)
            else:
                text = yield from self._computed(part)
                self._insert(text, part.quoted, fields, split)

    def _computed(self, part: Part) -> Generator[Wait, Any, str]:
        if isinstance(part, CommandSub):
            return (yield from self.substitute(part.body))
        if isinstance(part, ArithSub):
            text = yield from self.expand_text(part.expr)
            return str(self.arithmetic(text))
        if isinstance(part, ProcessSub):
            return (yield from self.process_substitution(part))
        raise ShellSyntaxError("syntax error near unexpected token `('")

    def substitute(self, body: Any) -> Generator[Wait, Any, str]:
        """The output of a command substitution (provided by the interpreter)."""
        raise NotImplementedError

    def process_substitution(self, part: ProcessSub) -> Generator[Wait, Any, str]:
        """The path of a process substitution (provided by the interpreter)."""
        raise NotImplementedError

    def _insert(self, text: str, quoted: bool, fields: Fields, split: bool) -> None:
        if quoted:
            fields.add(text, True)
        elif split:
            if len(text) > MAX_SPLIT:
                raise ExpansionError("argument list too long")
            fields.split(text, self.ifs())
        elif text:
            fields.add(text, False)

    def _tilde(self, text: str, fields: Fields, whole: bool) -> str:
        name, slash, rest = text.partition("/")
        if not slash and not whole:
            return text
        if name == "~":
            home = self.state.get("HOME")
            home = home if home is not None else users.home_of(self.tree, self.proc.user)
        elif name == "~+":
            home = self.state.cwd
        elif name == "~-":
            home = self.state.get("OLDPWD") or name
        else:
            row = users.passwd(self.tree, name[1:])
            if row is None:
                return text
            home = row[5]
        fields.add(home, True)
        return slash + rest

    # -- parameters -----------------------------------------------------------------------------------------------------
    def _param(self, part: Param, fields: Fields, split: bool) -> Gen:
        if part.op == "bad":
            raise ExpansionError(f"{part.name}: bad substitution")
        index: str | None = None
        if part.index is not None:
            index = yield from self.expand_text(part.index)
        if part.op in ("names", "names*"):
            names = sorted(name for name in self.state.vars if name.startswith(part.name))
            self._list(names, part.quoted, part.op == "names*", fields, split)
            return
        if part.prefix == "!":
            if index in ("@", "*"):
                self._list(self.keys(part.name), part.quoted, index == "*", fields, split)
                return
            held = self.state.vars.get(part.name)
            if held is not None and "n" in held.flags and not part.op:
                self._insert(held.value or "", part.quoted, fields, split)
                return
            name = self.scalar(part.name, index)
            if name is None:
                raise ExpansionError(f"{part.name}: invalid indirect expansion")
            match = re.match(r"(\w+|[@*#?$!-])(?:\[(.*)\])?\Z", name)
            if not match:
                raise ExpansionError(f"{name}: invalid variable name")
            part = Param(match.group(1), part.quoted, part.op, part.arg, part.arg2)
            index = match.group(2)
        many = part.name in ("@", "*") or index in ("@", "*")
        if part.prefix == "#":
            if self.state.options.get("nounset") and not many and self.scalar(part.name, index) is None:
                raise ExpansionError(f"{part.name}: unbound variable", fatal=True)
            self._insert(str(self.length(part.name, index)), part.quoted, fields, split)
            return
        if many:
            yield from self._many(part, index, fields, split)
            return
        value = self.scalar(part.name, index)
        if part.op in (":-", "-", ":=", "=", ":?", "?", ":+", "+"):
            yield from self._default(part, index, value, value is not None, not value, fields, split)
            return
        if value is None and self.state.options.get("nounset") and not part.op.startswith("@"):
            shown = (
                f"${part.name}"
                if part.name.isdigit() or part.name == "!"
                else part.name
                if index is None
                else f"{part.name}[{index}]"
            )
            raise ExpansionError(f"{shown}: unbound variable", fatal=True)
        if part.op.startswith("@"):
            value = yield from self._attribute(part, index, value)
        elif part.op:
            value = yield from self._transform(part, value or "")
        self._insert(value or "", part.quoted, fields, split)

    def _many(self, part: Param, index: str | None, fields: Fields, split: bool) -> Gen:
        star = part.name == "*" or index == "*"
        values = list(self.state.positional) if part.name in ("@", "*") else self.elements(part.name)
        if part.op in (":-", "-", ":=", "=", ":?", "?", ":+", "+"):
            empty = not values or (len(values) == 1 and not values[0])
            if (part.op in ("+", ":+")) == bool(values) or (part.op[0] == ":" and empty and "+" not in part.op):
                yield from self._default(part, index, " ".join(values), bool(values), empty, fields, split)
                return
        elif part.op == ":":
            first = self.arithmetic((yield from self.expand_text(part.arg or [])))
            pool = [self.state.name, *values] if part.name in ("@", "*") else values
            var = None if part.name in ("@", "*") else self.state.vars.get(self.nameref(part.name)[0])
            if var is not None and var.kind == "a":  # an offset is an index: what is missing before it does not count
                indexes = [int(key) for key in self.keys(part.name)]
                first += indexes[-1] + 1 if first < 0 and indexes else 0
                first = sum(1 for index in indexes if index < first) if first >= 0 else len(pool)
            else:
                first = max(len(pool) + first, 0) if first < 0 else first
            last = len(pool)
            if part.arg2 is not None:
                text = yield from self.expand_text(part.arg2)
                length = self.arithmetic(text)
                if length < 0:
                    raise ExpansionError(f"{text.strip()}: substring expression < 0")
                last = first + length
            values = pool[first:last]
        elif part.op == "@":
            how = yield from self.expand_text(part.arg or [])
            if how in ("A", "K", "k") or (how == "a" and part.name not in ("@", "*")):
                values = attributes.of_array(self, part.name, how)
            else:
                values = [attributes.of_value(self, part.name, how, value) for value in values]
        elif part.op:
            changed: list[str] = []
            for value in values:
                changed.append((yield from self._transform(part, value)))
            values = changed
        self._list(values, part.quoted, star, fields, split)

    def _list(self, values: list[str], quoted: bool, star: bool, fields: Fields, split: bool) -> None:
        ifs = self.ifs()
        if quoted and star:
            fields.add((ifs[:1] if ifs else "").join(values), True)
            return
        if not split:
            text = " ".join(values) if not star or quoted else (ifs[:1] or " ").join(values)
            fields.add(text, quoted)
            return
        for number, value in enumerate(values):
            if number:
                fields.cut()
            if quoted:
                fields.add(value, True)
            else:
                fields.split(value, ifs)

    def _default(
        self, part: Param, index: str | None, value: str | None, is_set: bool, empty: bool, fields: Fields, split: bool
    ) -> Gen:
        missing = not is_set or (part.op.startswith(":") and empty)
        op = part.op[-1]
        if op == "+":
            if not missing:
                yield from self._parts(part.arg or [Lit("", part.quoted)], fields, split)
                if part.quoted and not part.arg:
                    fields.add("", True)
            elif part.quoted:
                fields.add("", True)
            return
        if not missing:
            self._insert(value or "", part.quoted, fields, split)
            return
        if op == "-":
            if part.arg:
                yield from self._unquoted_arg(part, fields, split)
            elif part.quoted:
                fields.add("", True)
            return
        text = yield from self.expand_text(part.arg or [])
        if op == "=":
            if part.name.isdigit() or part.name in ("@", "*", "#", "?", "!", "-", "$"):
                raise ExpansionError(f"${part.name}: cannot assign in this way")
            self.assign(part.name, text, index=index)
            self._insert(text, part.quoted, fields, split)
            return
        default = "parameter null or not set" if part.op == ":?" else "parameter not set"
        raise ExpansionError(f"{part.name}: {text or default}", fatal=True)

    def _unquoted_arg(self, part: Param, fields: Fields, split: bool) -> Gen:
        """The word of `${x:-word}`: its unquoted blanks split when the expansion is unquoted."""
        for piece in part.arg or []:
            if isinstance(piece, Lit) and not piece.quoted and split and not part.quoted:
                if piece is (part.arg or [])[0] and piece.text.startswith("~"):
                    yield from self._parts([piece], fields, split)
                else:
                    fields.split(piece.text, self.ifs())
            else:
                yield from self._parts([piece], fields, split)

    def _transform(self, part: Param, value: str) -> Generator[Wait, Any, str]:
        op = part.op
        extglob = self.state.shopts.get("extglob", False)
        if op[0] in "#%":
            pattern = yield from self.expand_pattern(part.arg or [])
            return patterns.strip(value, pattern, op, extglob)
        if op[0] == "/":
            pattern = yield from self.expand_pattern(part.arg or [])
            by = yield from self._replacement(part.arg2 or [])
            return patterns.replace(value, pattern, by, op, extglob, self.state.shopts.get("nocasematch", False))
        if op == ":":
            return (yield from self._substring(part, value))
        if op[0] in "^,~":
            pattern = yield from self.expand_pattern(part.arg or [Lit("?")])
            change = {"^": str.upper, ",": str.lower, "~": str.swapcase}[op[0]]
            if len(op) == 1:
                return change(value[:1]) + value[1:] if value and patterns.matches(pattern, value[:1]) else value
            return "".join(change(c) if patterns.matches(pattern, c) else c for c in value)
        raise ExpansionError(f"${{{part.name}{op}}}: bad substitution")

    def _attribute(self, part: Param, index: str | None, value: str | None) -> Generator[Wait, Any, str]:
        """`${name@letter}` of one value."""
        how = yield from self.expand_text(part.arg or [])
        if value is None and how != "a":
            return ""
        return attributes.of_value(self, part.name, how, value or "", index)

    def _replacement(self, word: Word) -> Generator[Wait, Any, str]:
        """The text that `${x/pattern/text}` puts in: an unquoted `&` stands for what matched (`patsub_replacement`)."""
        fields = Fields()
        yield from self._parts(word, fields, split=False)
        fields.cut()
        plain = not self.state.shopts.get("patsub_replacement", True)
        return " ".join(
            "".join(re.sub(r"([\\&])", r"\\\1", text) if quoted or plain else text for text, quoted in field)
            for field in fields.done
        )

    def _substring(self, part: Param, value: str) -> Generator[Wait, Any, str]:
        first = self.arithmetic((yield from self.expand_text(part.arg or [])))
        if first < 0:
            first += len(value)
            if first < 0:
                return ""
        if part.arg2 is None:
            return value[first:]
        text = yield from self.expand_text(part.arg2)
        length = self.arithmetic(text)
        last = first + length if length >= 0 else len(value) + length
        if length < 0 and last < first:
            raise ExpansionError(f"{text.strip()}: substring expression < 0")
        return value[first:last]

    # -- arithmetic -----------------------------------------------------------------------------------------------------
    def arithmetic(self, text: str) -> int:
        """The value of an expression whose expansions have been done."""
        try:
            return arith.evaluate(text, self)
        except UnboundError as unset:
            raise ExpansionError(f"{unset}: unbound variable", fatal=True) from None
        except arith.ArithError as failed:
            raise ExpansionError(str(failed)) from None
