"""Options of git's sub-commands, read in the way of parse-options: bundles, `--name=value`, `--no-name`, `--`."""

from __future__ import annotations

from .store import Failed


class Options:
    """What a sub-command was given.  `flags` and `takes` are words of letters and names; `maybe` take a value only when it is attached.

    An option that is in none of them says that it is not simulated.
    """

    def __init__(self, name: str, words: list[str], flags: str = "", takes: str = "", maybe: str = "") -> None:
        self.name = name
        self.given: dict[str, list[str]] = {}
        self.rest: list[str] = []
        self.paths: list[str] | None = None  # what stands behind `--`
        self._flags, self._takes, self._maybe = (set(text.split()) for text in (flags, takes, maybe))
        todo = list(words)
        while todo:
            word = todo.pop(0)
            if word == "--":
                self.paths = todo
                break
            if word.startswith("--"):
                self._long(word[2:], todo)
            elif word.startswith("-") and len(word) > 1:
                self._bundle(word, todo)
            else:
                self.rest.append(word)

    def _long(self, word: str, todo: list[str]) -> None:
        name, equals, value = word.partition("=")
        known = self._flags | self._takes | self._maybe
        if name not in known:
            fitting = [one for one in known if len(one) > 1 and one.startswith(name)]
            name = fitting[0] if len(fitting) == 1 else name
        if name in self._takes:
            if not equals:
                if not todo:
                    raise Failed(f"error: option `{name}' requires a value", 129)
                value = todo.pop(0)
        elif name in self._flags:
            if equals:
                raise Failed(f"error: option `{name}' takes no value", 129)
        elif name not in self._maybe:
            raise self._absent(f"--{name}")
        self.given.setdefault(name, []).append(value)

    def _bundle(self, word: str, todo: list[str]) -> None:
        at = 1
        if word[1:].isdigit() and "number" in self._flags:
            self.given.setdefault("n", []).append(word[1:])
            return
        while at < len(word):
            letter = word[at]
            at += 1
            if letter in self._takes:
                if at == len(word) and not todo:
                    raise Failed(f"error: switch `{letter}' requires a value", 129)
                self.given.setdefault(letter, []).append(word[at:] or todo.pop(0))
                return
            if letter in self._maybe:
                self.given.setdefault(letter, []).append(word[at:])
                return
            if letter not in self._flags:
                raise self._absent(f"-{letter}")
            self.given.setdefault(letter, []).append("")

    def _absent(self, option: str) -> Failed:
        return Failed(f"git: {self.name} {option}: not simulated in Slipway yet", 1)

    def has(self, *names: str) -> bool:
        """Whether one of these was given."""
        return any(name in self.given for name in names)

    def value(self, *names: str, default: str = "") -> str:
        """The last value of any of these."""
        for name in names:
            if name in self.given:
                return self.given[name][-1]
        return default

    def all(self, *names: str) -> list[str]:
        """Every value of these."""
        return [value for name in names for value in self.given.get(name, [])]
