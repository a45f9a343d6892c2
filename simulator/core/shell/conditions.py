"""The tests of `test`, `[` and `[[` on files, texts and numbers (test.c)."""

from __future__ import annotations

from ..host import users
from ..host.inodes import letter
from ..host.invocation import Call


class TestError(Exception):
    """A malformed test: the message."""

    __test__ = False


def number(text: str) -> int:
    """An integer operand."""
    try:
        return int(text.strip(), 10)
    except ValueError:
        raise TestError(f"{text}: integer expression expected") from None


def unary(call: Call, op: str, text: str) -> bool:
    """A test with one operand."""
    if op == "-n":
        return text != ""
    if op == "-z":
        return text == ""
    state = getattr(call, "state", None)
    if op == "-o":
        return state is not None and bool(state.options.get(text, False))
    if op in ("-v", "-R"):
        # only the shell's own test knows variables
        name, _, index = text.partition("[")
        var = state.vars.get(name) if state is not None else None
        if op == "-R":
            return var is not None and "n" in var.flags
        return state is not None and getattr(call, "scalar")(name, index.removesuffix("]") or None) is not None  # noqa: B009
    if op == "-t":
        stream = call.fds.get(int(text)) if text.isdigit() else None
        return stream is not None and stream.tty
    try:
        node = call.lookup(text, follow=op not in ("-L", "-h"))
    except OSError:
        return False
    kind = node.kind
    if op in ("-e", "-a"):
        return True
    if op == "-f":
        return letter(node) == "-"
    if op == "-S":
        return letter(node) == "s"
    if op == "-d":
        return kind == "dir"
    if op in ("-L", "-h"):
        return kind == "link"
    if op == "-s":
        return bool(node.data) or kind in ("dir", "exec")
    if op in ("-r", "-w", "-x"):
        return users.may(node, call.uid, call.gid, {"-r": 4, "-w": 2, "-x": 1}[op])
    if op == "-c":
        return kind == "virtual" and node.target.startswith("dev:")
    if op in ("-O", "-G"):
        return node.uid == call.uid if op == "-O" else node.gid == call.gid
    if op in ("-k", "-u", "-g"):
        return bool(node.mode & {"-k": 0o1000, "-u": 0o4000, "-g": 0o2000}[op])
    return False


def binary(call: Call, left: str, op: str, right: str) -> bool:
    """A test with two operands."""
    if op in ("=", "=="):
        return left == right
    if op == "!=":
        return left != right
    if op in ("<", ">"):
        return left < right if op == "<" else left > right
    if op in ("-nt", "-ot", "-ef"):
        if op == "-ef":
            try:
                one, other = call.lookup(left), call.lookup(right)
            except OSError:
                return False
            return one is other or call.tree.realpath(call.path(left)) == call.tree.realpath(call.path(right))
        times = []
        for name in (left, right):
            try:
                times.append(call.lookup(name).mtime)
            except OSError:
                times.append(-1)
        return times[0] > times[1] if op == "-nt" else times[0] < times[1]
    a, b = number(left), number(right)
    table = {"-eq": a == b, "-ne": a != b, "-lt": a < b, "-le": a <= b, "-gt": a > b, "-ge": a >= b}
    return table[op]


BINARY = {"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"}
UNARY = {f"-{c}" for c in "abcdefghknoprstuvwxzGLNOSR"}


def evaluate(call: Call, args: list[str]) -> bool:
    """`test ARGS`; raises TestError."""
    size = len(args)
    if size == 0:
        return False
    if size == 1:
        return args[0] != ""
    if size == 2:
        if args[0] == "!":
            return args[1] == ""
        if args[0] in UNARY:
            return unary(call, args[0], args[1])
        raise TestError(f"{args[0]}: unary operator expected")
    if size == 3:
        if args[1] in BINARY:
            return binary(call, args[0], args[1], args[2])
        if args[1] in ("-a", "-o"):
            return (args[0] != "" and args[2] != "") if args[1] == "-a" else (args[0] != "" or args[2] != "")
        if args[0] == "!":
            return not evaluate(call, args[1:])
        if args[0] == "(" and args[2] == ")":
            return args[1] != ""
        raise TestError(f"{args[1]}: binary operator expected")
    if size == 4 and args[0] == "!":
        return not evaluate(call, args[1:])
    return _Parser(call, args).run()


class _Parser:
    def __init__(self, call: Call, args: list[str]) -> None:
        self.call, self.args, self.at = call, args, 0

    def run(self) -> bool:
        value = self.either()
        if self.at < len(self.args):
            raise TestError("too many arguments")
        return value

    def peek(self) -> str | None:
        return self.args[self.at] if self.at < len(self.args) else None

    def either(self) -> bool:
        value = self.both()
        while self.peek() == "-o":
            self.at += 1
            value = self.both() or value
        return value

    def both(self) -> bool:
        value = self.one()
        while self.peek() == "-a":
            self.at += 1
            value = self.one() and value
        return value

    def one(self) -> bool:
        token = self.peek()
        if token is None:
            raise TestError("argument expected")
        if token == "!":
            self.at += 1
            return not self.one()
        if token == "(":
            self.at += 1
            value = self.either()
            if self.peek() != ")":
                raise TestError("`)' expected")
            self.at += 1
            return value
        rest = self.args[self.at :]
        if len(rest) >= 3 and rest[1] in BINARY:
            self.at += 3
            return binary(self.call, rest[0], rest[1], rest[2])
        if token in UNARY and len(rest) >= 2:
            self.at += 2
            return unary(self.call, token, rest[1])
        if len(rest) >= 2 and rest[1] not in ("-a", "-o", ")"):
            raise TestError("too many arguments")
        self.at += 1
        return token != ""
