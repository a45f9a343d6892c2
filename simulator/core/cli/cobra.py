"""Trees of commands as github.com/spf13/cobra runs them (`command.go`): finding the command, suggestions, arguments, required flags.

Use it in three steps, each of which raises what the real library would report::

    command, rest = root.find(argv[1:])       # UsageError: unknown command "x" for "kubectl"
    values = command.parse(rest)              # FlagError; HelpRequested for -h/--help
    command.validate(values)                  # UsageError: accepts 1 arg(s), received 0; required flag(s) "image" not set

How an error is printed and where usage goes differs from tool to tool, so that part stays with the tool; `cobra_help` renders the texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .flags import Flag, FlagError, FlagSet, HelpRequested, Values, quote

__all__ = ["Command", "Flag", "FlagError", "FlagSet", "HelpRequested", "UsageError", "Values", "quote"]

#: A validator of positional arguments: returns the message of what is wrong, or "".
ArgsCheck = Callable[["Command", list[str]], str]


class UsageError(Exception):
    """The command line cannot be run; `command` is where cobra stopped."""

    def __init__(self, message: str, command: Command) -> None:
        super().__init__(message)
        self.command = command


def levenshtein(a: str, b: str) -> int:
    """The edit distance that cobra suggests by, letter case ignored."""
    a, b = a.lower(), b.lower()
    row = list(range(len(b) + 1))
    for i, char in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(b, 1):
            before, row[j] = row[j], before if char == other else 1 + min(row[j], row[j - 1], before)
    return row[-1]


class Command:
    """One command: its texts, its flags (`flags` its own, `persistent` also its children's), its children and what it runs.

    `run` is the tool's own callable; cobra.py never calls it.  A command without `run` shows its help.
    """

    def __init__(
        self,
        use: str,
        *,
        short: str = "",
        long: str = "",
        example: str = "",
        aliases: tuple[str, ...] = (),
        flags: tuple[Flag, ...] = (),
        persistent: tuple[Flag, ...] = (),
        commands: tuple[Command, ...] = (),
        args: ArgsCheck | None = None,
        run: Any = None,
        hidden: bool = False,
        deprecated: str = "",
        suggest_for: tuple[str, ...] = (),
        interspersed: bool = True,
        raw: bool = False,
        group: str = "",
        exclusive: tuple[tuple[str, ...], ...] = (),
        one_required: tuple[tuple[str, ...], ...] = (),
        sorted_commands: bool = True,
        simulated: bool = True,
        flags_in_use_line: bool = True,
        prefix_matching: bool = False,
    ) -> None:
        self.use, self.short, self.long, self.example, self.aliases = use, short, long, example, aliases
        self.flags, self.persistent = FlagSet(flags), FlagSet(persistent)
        self.args, self.run, self.hidden, self.deprecated = args, run, hidden, deprecated
        self.suggest_for, self.interspersed, self.raw, self.group = suggest_for, interspersed, raw, group
        self.exclusive, self.one_required, self.sorted_commands = exclusive, one_required, sorted_commands
        #: False: exists in the real tool; here `run` checks the command line, then it is refused as not simulated.
        self.simulated = simulated
        #: False: the usage line does not end in `[flags]` (cobra's DisableFlagsInUseLine).
        self.flags_in_use_line = flags_in_use_line
        #: A root's: the beginning of one command's name will do for it (cobra's EnablePrefixMatching).
        self.prefix_matching = prefix_matching
        self.parent: Command | None = None
        self.commands: list[Command] = []
        self._all: FlagSet | None = None
        for child in commands:
            self.add(child)

    # -- the tree ---------------------------------------------------------------------------------------------------------
    @property
    def name(self) -> str:
        """The first word of `use`."""
        return self.use.split(" ", 1)[0]

    @property
    def path(self) -> str:
        """`kubectl create deployment`."""
        return f"{self.parent.path} {self.name}" if self.parent else self.name

    @property
    def root(self) -> Command:
        """The top of the tree."""
        return self.parent.root if self.parent else self

    def add(self, child: Command) -> Command:
        """Make `child` a subcommand."""
        child.parent = self
        self.commands.append(child)
        return child

    def children(self) -> list[Command]:
        """Subcommands in the order that help texts list them."""
        return sorted(self.commands, key=lambda item: item.name) if self.sorted_commands else list(self.commands)

    def walk(self) -> Iterator[Command]:
        """This command and all below it."""
        yield self
        for child in self.commands:
            yield from child.walk()

    @property
    def available(self) -> bool:
        """Listed in its parent's help."""
        return (
            not self.hidden and not self.deprecated and (self.run is not None or any(child.available for child in self.commands))
        )

    # -- flags ------------------------------------------------------------------------------------------------------------
    def inherited_flags(self) -> FlagSet:
        """Persistent flags of the parents."""
        out, above = FlagSet(), self.parent
        while above is not None:
            out = out.merged(above.persistent)
            above = above.parent
        return out

    def local_flags(self) -> FlagSet:
        """Own flags, persistent ones included."""
        return self.flags.merged(self.persistent)

    def all_flags(self) -> FlagSet:
        """Everything that may be given to this command."""
        if self._all is None:
            self._all = self.local_flags().merged(self.inherited_flags())
        return self._all

    # -- finding ----------------------------------------------------------------------------------------------------------
    def child(self, word: str) -> Command | None:
        """The subcommand of that name or alias."""
        for item in self.commands:
            if item.name == word or word in item.aliases:
                return item
        if self.root.prefix_matching and word:
            begun = [item for item in self.commands if any(name.startswith(word) for name in (item.name, *item.aliases))]
            return begun[0] if len(begun) == 1 else None
        return None

    def find(self, args: list[str]) -> tuple[Command, list[str]]:
        """The command that `args` names and what is left for it; raises UsageError for an unknown one (`Command.Find`)."""
        command, rest = self, list(args)
        while True:
            words = command._words(rest)
            following = command.child(words[0]) if words else None
            if following is None:
                break
            rest = command._without_first(rest, words[0])
            command = following
        if command.args is None and command.parent is None and command.commands:
            words = command._words(rest)
            if words:
                raise UsageError(
                    f"unknown command {quote(words[0])} for {quote(command.path)}{command.suggestions_text(words[0])}", command
                )
        return command, rest

    def _takes_value(self, text: str) -> bool:
        """`text` is a flag whose value is the next argument, as far as this command knows (`isFlagArg`, `stripFlags`)."""
        if "=" in text:
            return False
        if text.startswith("--"):
            flag = self.all_flags().lookup(text[2:])
            return flag is None or not flag.no_opt
        if len(text) == 2:
            flag = self.all_flags().by_short.get(text[1])
            return flag is None or not flag.no_opt
        return False

    def _words(self, args: list[str]) -> list[str]:
        """`args` without flags and their values (`stripFlags`)."""
        words, at = [], 0
        while at < len(args):
            text = args[at]
            at += 1
            if text == "--":
                break
            if text.startswith("-") and len(text) > 1 and self._takes_value(text):
                if len(args) - at <= 1:
                    break
                at += 1
            elif text and not text.startswith("-"):
                words.append(text)
        return words

    def _without_first(self, args: list[str], word: str) -> list[str]:
        """`args` without the first positional `word` (`argsMinusFirstX`)."""
        at = 0
        while at < len(args):
            text = args[at]
            if text == "--":
                break
            if text.startswith("-") and len(text) > 1:
                at += 2 if self._takes_value(text) else 1
            elif text == word:
                return args[:at] + args[at + 1 :]
            else:
                at += 1
        return args

    def suggestions(self, word: str) -> list[str]:
        """Names of subcommands that `word` may have meant (`SuggestionsFor`)."""
        found = []
        for item in self.commands if not self.sorted_commands else self.children():
            if not item.available:
                continue
            near = levenshtein(word, item.name) <= 2 or item.name.lower().startswith(word.lower())
            if near or word.lower() in (name.lower() for name in item.suggest_for):
                found.append(item.name)
        return found

    def suggestions_text(self, word: str) -> str:
        """The `Did you mean this?` part of an error, or ""."""
        found = self.suggestions(word)
        return "\n\nDid you mean this?\n" + "".join(f"\t{name}\n" for name in found) if found else ""

    # -- running ----------------------------------------------------------------------------------------------------------
    def parse(self, args: list[str]) -> Values:
        """Parse this command's flags; raises FlagError or HelpRequested."""
        if self.raw:
            values = Values(self.all_flags())
            values.args = list(args)
            return values
        flags = self.all_flags()
        values = flags.parse(args, interspersed=self.interspersed)
        if "help" in flags.by_name and values.on("help"):
            raise HelpRequested
        return values

    def validate(self, values: Values) -> None:
        """Positional arguments, required flags, flag groups, in cobra's order; raises UsageError."""
        if self.args is not None:
            wrong = self.args(self, values.args)
            if wrong:
                raise UsageError(wrong, self)
        missing = [
            flag.name
            for flag in sorted(self.all_flags(), key=lambda item: item.name)
            if flag.required and flag.name not in values.changed
        ]
        if missing:
            raise UsageError("required flag(s) " + ", ".join(quote(name) for name in missing) + " not set", self)
        for group in self.one_required:
            if not any(name in values.changed for name in group):
                raise UsageError(f"at least one of the flags in the group [{' '.join(group)}] is required", self)
        for group in self.exclusive:
            given = sorted(name for name in group if name in values.changed)
            if len(given) > 1:
                words = " ".join(group)
                raise UsageError(
                    f"if any flags in the group [{words}] are set none of the others can be; [{' '.join(given)}] were all set",
                    self,
                )


# -- validators of positional arguments (args.go) --------------------------------------------------------------------------


def no_args(command: Command, args: list[str]) -> str:
    """`cobra.NoArgs`."""
    return f"unknown command {quote(args[0])} for {quote(command.path)}" if args else ""


def exact_args(count: int) -> ArgsCheck:
    """`cobra.ExactArgs`."""
    return lambda command, args: "" if len(args) == count else f"accepts {count} arg(s), received {len(args)}"


def min_args(count: int) -> ArgsCheck:
    """`cobra.MinimumNArgs`."""
    return lambda command, args: "" if len(args) >= count else f"requires at least {count} arg(s), only received {len(args)}"


def max_args(count: int) -> ArgsCheck:
    """`cobra.MaximumNArgs`."""
    return lambda command, args: "" if len(args) <= count else f"accepts at most {count} arg(s), received {len(args)}"


def range_args(low: int, high: int) -> ArgsCheck:
    """`cobra.RangeArgs`."""
    return lambda command, args: (
        "" if low <= len(args) <= high else f"accepts between {low} and {high} arg(s), received {len(args)}"
    )
