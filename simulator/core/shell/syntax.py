"""The syntax tree of the shell language.

A word is a list of parts; a part's `quoted` says whether quotes surround it, so that splitting and globbing leave it alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Lit:
    """Literal text."""

    text: str
    quoted: bool = False


@dataclass(slots=True)
class Tilde:
    """`~` or `~user` after a colon of an assignment."""

    text: str
    quoted: bool = False


@dataclass(slots=True)
class Param:
    """`$name`, `${name[index]op arg}`; `prefix` is `#` (length), `!` (indirect or keys) or empty."""

    name: str
    quoted: bool = False
    op: str = ""
    arg: Word | None = None
    arg2: Word | None = None
    index: Word | None = None
    prefix: str = ""


@dataclass(slots=True)
class CommandSub:
    """`$(…)` or backticks."""

    body: ListNode
    quoted: bool = False


@dataclass(slots=True)
class ArithSub:
    """`$((…))`: its text, with expansions."""

    expr: Word
    quoted: bool = False


@dataclass(slots=True)
class ProcessSub:
    """`<(…)` or `>(…)`."""

    direction: str
    body: ListNode
    quoted: bool = False


@dataclass(slots=True)
class ArrayLit:
    """The value of `name=(…)`: words, each with an optional key."""

    items: list[tuple[Word | None, Word]]
    quoted: bool = False


Part = Lit | Tilde | Param | CommandSub | ArithSub | ProcessSub | ArrayLit
Word = list[Part]


@dataclass(slots=True)
class Assign:
    """`name=value`, `name+=value`, `name[index]=value`, `name=(…)`."""

    name: str
    value: Word
    append: bool = False
    index: Word | None = None


@dataclass(slots=True)
class Redirect:
    """`fd op target`; `both` stands for `&>`.  A here-document's body is its target."""

    op: str
    fd: int
    target: Word
    variable: str = ""


@dataclass(slots=True)
class Simple:
    """A simple command."""

    assigns: list[Assign]
    words: list[Word]
    redirects: list[Redirect]
    line: int = 1
    text: str = ""


@dataclass(slots=True)
class Pipeline:
    """Commands joined by pipes; `errors[i]` says that command i pipes its standard error too."""

    commands: list[Command]
    negate: bool = False
    timed: bool = False
    posix: bool = False
    errors: list[bool] = field(default_factory=list)


@dataclass(slots=True)
class ListNode:
    """Pipelines with the operator before each (`;`, `&&`, `||`) and, per and-or list, whether it runs in the background."""

    items: list[AndOr]


@dataclass(slots=True)
class AndOr:
    """Pipelines joined by `&&` and `||`."""

    first: Pipeline
    rest: list[tuple[str, Pipeline]]
    background: bool = False
    text: str = ""


@dataclass(slots=True)
class Group:
    """`{ …; }`."""

    body: ListNode
    redirects: list[Redirect]


@dataclass(slots=True)
class Subshell:
    """`( … )`."""

    body: ListNode
    redirects: list[Redirect]
    line: int = 0
    text: str = ""


@dataclass(slots=True)
class If:
    """`if … then … elif … else … fi`."""

    branches: list[tuple[ListNode, ListNode]]
    otherwise: ListNode | None
    redirects: list[Redirect]


@dataclass(slots=True)
class While:
    """`while` or `until`."""

    test: ListNode
    body: ListNode
    until: bool
    redirects: list[Redirect]


@dataclass(slots=True)
class For:
    """`for name in words` (or `select`); `words` None means the positional parameters."""

    name: str
    words: list[Word] | None
    body: ListNode
    redirects: list[Redirect]
    select: bool = False
    head: str = ""
    line: int = 1


@dataclass(slots=True)
class CFor:
    """`for ((init; test; step))`."""

    init: Word
    test: Word
    step: Word
    body: ListNode
    redirects: list[Redirect]


@dataclass(slots=True)
class Case:
    """`case word in pattern) … ;; esac`; each clause ends in `;;`, `;&` or `;;&`."""

    word: Word
    clauses: list[tuple[list[Word], ListNode, str]]
    redirects: list[Redirect]
    head: str = ""
    line: int = 1


@dataclass(slots=True)
class Function:
    """A function definition; `source` is its text, which is what a shell's state keeps."""

    name: str
    source: str
    redirects: list[Redirect]
    line: int = 1


@dataclass(slots=True)
class Arith:
    """`(( … ))`."""

    expr: Word
    redirects: list[Redirect]
    line: int = 1
    text: str = ""


@dataclass(slots=True)
class Cond:
    """`[[ … ]]`: a tree of tuples: ("not", t), ("and", a, b), ("or", a, b), ("unary", op, word), ("binary", op, a, b)."""

    tree: tuple  # type: ignore[type-arg]
    redirects: list[Redirect]
    line: int = 1
    text: str = ""


@dataclass(slots=True)
class Coproc:
    """`coproc [name] command`."""

    name: str
    body: Command
    redirects: list[Redirect]


Command = Simple | Group | Subshell | If | While | For | CFor | Case | Function | Arith | Cond | Coproc
