"""`make` (GNU make 4.3): variables, rules, pattern rules, phony targets, conditionals, includes and the common functions.

Recipes run in the machine's shell, one line after the other.  Not here: `define`, `eval`, `foreach`, `call`, implicit rules for languages,
archives, parallel jobs (`-j` is taken, jobs run one after the other).
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Generator
from typing import Any

import msgspec

from ..host.invocation import Call
from ..host.program import Wait
from ..kernel.errors import NotSimulated

Steps = Generator[Wait, Any, Any]
_FILES = ("GNUmakefile", "makefile", "Makefile")
#: How deep variables, includes and targets may be in each other.
DEEPEST = 60
_WORDS = ("export", "override", "unexport", "private")


class Rule(msgspec.Struct):
    """What makes a target: what it needs, and its recipe's lines."""

    needs: list[str] = []
    recipe: list[str] = []
    file: str = ""
    line: int = 0


class Stop(Exception):
    """`make: *** …  Stop.`"""

    def __init__(self, text: str, code: int = 2) -> None:
        super().__init__(text)
        self.code = code


class Make:
    """One run."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.vars: dict[str, str] = {name: value.replace("$", "$$") for name, value in call.env.items()}
        self.vars |= {
            "MAKE": "make",
            "SHELL": "/bin/sh",
            "CURDIR": call.cwd,
            "CC": "cc",
            "RM": "rm -f",
            "MAKEFLAGS": "",
            ".DEFAULT_GOAL": "",
        }
        self.fixed: set[str] = set()
        self.exported: set[str] = set()
        self.rules: dict[str, Rule] = {}
        self.patterns: list[tuple[str, Rule]] = []
        self.phony: set[str] = set()
        self.done: set[str] = set()
        self.made: set[str] = set()
        self.depth = 0
        self.dry = self.silent = self.go_on = self.always = False

    # -- words ---------------------------------------------------------------------------------------------------------------
    def expand(self, text: str, local: dict[str, str] | None = None) -> str:
        """A text with its variables and functions."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise Stop("Recursive variable references itself (eventually)")
        out, at = "", 0
        while at < len(text):
            if text[at] != "$" or at + 1 >= len(text):
                out += text[at]
                at += 1
                continue
            mark = text[at + 1]
            if mark == "$":
                out, at = out + "$", at + 2
            elif mark in "({":
                end = _closing(text, at + 1)
                out += self._reference(text[at + 2 : end], local or {})
                at = end + 1
            else:
                out += self._value(mark, local or {})
                at += 2
            if len(out) > 200_000:
                raise Stop("a text of more than 200,000 characters")
        self.depth -= 1
        return out

    def _value(self, name: str, local: dict[str, str]) -> str:
        if name in local:
            return local[name]
        return self.expand(self.vars.get(name, ""), local)

    def _reference(self, text: str, local: dict[str, str]) -> str:
        found = re.match(r"([a-z-]+)[ \t]+(.*)", text, re.DOTALL)
        if found is not None and hasattr(self, f"_f_{found[1].replace('-', '_')}"):
            return str(getattr(self, f"_f_{found[1].replace('-', '_')}")(_arguments(found[2]), local))
        if found is not None and found[1] in ("call", "eval", "foreach", "origin", "flavor", "value", "file", "guile"):
            raise NotSimulated(f"$({found[1]} …)")
        name, colon, change = text.partition(":")
        if colon and "=" in change:
            old, _, new = self.expand(change, local).partition("=")
            old, new = (old, new) if "%" in old else (f"%{old}", f"%{new}")
            return " ".join(_patsubst(old, new, word) for word in self._value(self.expand(name, local), local).split())
        return self._value(self.expand(text, local), local)

    def _f_shell(self, args: list[str], local: dict[str, str]) -> str:
        _, out = self.call.executor.run_now(self.call, ["/bin/sh", "-c", self.expand(",".join(args), local)], b"", capture=True)
        return out.decode("utf-8", "replace").rstrip("\n").replace("\n", " ")

    def _f_wildcard(self, args: list[str], local: dict[str, str]) -> str:
        found: list[str] = []
        for pattern in self.expand(args[0], local).split():
            folder, name = posixpath.split(pattern)
            where = self.call.path(folder or ".")
            if self.call.tree.isdir(where):
                found += [
                    posixpath.join(folder, one)
                    for one in sorted(self.call.tree.listdir(where))
                    if fnmatch.fnmatchcase(one, name) and (name.startswith(".") or not one.startswith("."))
                ]
        return " ".join(found)

    def _f_subst(self, args: list[str], local: dict[str, str]) -> str:
        old, new, text = (self.expand(one, local) for one in args[:3])
        return text.replace(old, new)

    def _f_patsubst(self, args: list[str], local: dict[str, str]) -> str:
        old, new, text = (self.expand(one, local) for one in args[:3])
        return " ".join(_patsubst(old.strip(), new.strip(), word) for word in text.split())

    def _f_strip(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(self.expand(args[0], local).split())

    def _f_filter(self, args: list[str], local: dict[str, str]) -> str:
        wanted = self.expand(args[0], local).split()
        return " ".join(
            word
            for word in self.expand(args[1], local).split()
            if any(fnmatch.fnmatchcase(word, one.replace("%", "*")) for one in wanted)
        )

    def _f_filter_out(self, args: list[str], local: dict[str, str]) -> str:
        wanted = self.expand(args[0], local).split()
        return " ".join(
            word
            for word in self.expand(args[1], local).split()
            if not any(fnmatch.fnmatchcase(word, one.replace("%", "*")) for one in wanted)
        )

    def _f_if(self, args: list[str], local: dict[str, str]) -> str:
        yes = self.expand(args[0].strip(), local)
        return self.expand(args[1] if yes else args[2] if len(args) > 2 else "", local)

    def _f_or(self, args: list[str], local: dict[str, str]) -> str:
        return next((found for one in args if (found := self.expand(one.strip(), local))), "")

    def _f_word(self, args: list[str], local: dict[str, str]) -> str:
        words, at = self.expand(args[1], local).split(), self.expand(args[0], local).strip()
        return words[int(at) - 1] if at.isdigit() and 0 < int(at) <= len(words) else ""

    def _f_firstword(self, args: list[str], local: dict[str, str]) -> str:
        return (self.expand(args[0], local).split() or [""])[0]

    def _f_lastword(self, args: list[str], local: dict[str, str]) -> str:
        return (self.expand(args[0], local).split() or [""])[-1]

    def _f_words(self, args: list[str], local: dict[str, str]) -> str:
        return str(len(self.expand(args[0], local).split()))

    def _f_sort(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(sorted(set(self.expand(args[0], local).split())))

    def _f_dir(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join((posixpath.dirname(word) + "/") if "/" in word else "./" for word in self.expand(args[0], local).split())

    def _f_notdir(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(posixpath.basename(word) for word in self.expand(args[0], local).split())

    def _f_basename(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(posixpath.splitext(word)[0] for word in self.expand(args[0], local).split())

    def _f_suffix(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(one for word in self.expand(args[0], local).split() if (one := posixpath.splitext(word)[1]))

    def _f_addprefix(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(self.expand(args[0], local) + word for word in self.expand(args[1], local).split())

    def _f_addsuffix(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(word + self.expand(args[0], local) for word in self.expand(args[1], local).split())

    def _f_abspath(self, args: list[str], local: dict[str, str]) -> str:
        return " ".join(posixpath.normpath(self.call.path(word)) for word in self.expand(args[0], local).split())

    _f_realpath = _f_abspath

    def _f_info(self, args: list[str], local: dict[str, str]) -> str:
        self.call.out(self.expand(",".join(args), local) + "\n")
        return ""

    def _f_warning(self, args: list[str], local: dict[str, str]) -> str:
        self.call.err(self.expand(",".join(args), local) + "\n")
        return ""

    def _f_error(self, args: list[str], local: dict[str, str]) -> str:
        raise Stop(self.expand(",".join(args), local))

    # -- reading -------------------------------------------------------------------------------------------------------------
    def read(self, name: str, depth: int = 0) -> None:
        """Take a makefile in; raises Stop."""
        if depth > DEEPEST:
            raise Stop("too many includes in each other")
        text = self.call.read_file(name).decode("utf-8", "replace")
        self.vars["MAKEFILE_LIST"] = f"{self.vars.get('MAKEFILE_LIST', '')} {name}"
        rows: list[tuple[int, str]] = []
        held, began = "", 0
        for number, line in enumerate(text.split("\n"), 1):
            began = began or number
            if line.endswith("\\"):
                held += line[:-1] + ("\\\n" if (held or line).startswith("\t") else " ")
                continue
            rows.append((began, held + (line.lstrip("\t") if held.startswith("\t") else line)))
            held, began = "", 0
        current: list[Rule] = []
        taken: list[bool] = []  # of each conditional around: whether this branch is the one
        ever: list[bool] = []
        for number, row in rows:
            where = f"{name}:{number}"
            if row.startswith("\t") and current and all(taken):
                for rule in current:
                    rule.recipe.append(row[1:])
                continue
            bare = _uncommented(row).strip()
            word, _, rest = bare.partition(" ")
            if word in ("ifeq", "ifneq", "ifdef", "ifndef"):
                taken.append(all(taken) and self._condition(word, rest.strip(), where))
                ever.append(taken[-1])
                continue
            if word == "else" and taken:
                again = re.match(r"(ifeq|ifneq|ifdef|ifndef)\s*(.*)", rest.strip())
                outer = all(taken[:-1])
                taken[-1] = outer and not ever[-1] and (again is None or self._condition(again[1], again[2], where))
                ever[-1] = ever[-1] or taken[-1]
                continue
            if word == "endif" and taken:
                taken.pop()
                ever.pop()
                continue
            if not all(taken) or not bare:
                continue
            if word == "define":
                raise NotSimulated("define")
            if word in ("include", "-include", "sinclude"):
                for one in self.expand(rest).split():
                    if self.call.exists(one):
                        self.read(one, depth + 1)
                    elif word == "include":
                        raise Stop(f"{where}: {one}: No such file or directory")
                continue
            if self._assignment(bare):
                current = current if row.startswith((" ", "\t")) else []
                continue
            current = self._rule(bare, where, name, number)
        if taken:
            raise Stop(f"{name}:{len(rows)}: missing 'endif'")

    def _condition(self, word: str, text: str, where: str) -> bool:
        if word in ("ifdef", "ifndef"):
            return bool(self.vars.get(self.expand(text).strip())) == (word == "ifdef")
        found = re.fullmatch(r"\((.*)\)", text, re.DOTALL)
        if found is not None:
            left, right = [*_arguments(found[1]), "", ""][:2]
        else:
            quoted = re.fullmatch(r"""(["'])(.*?)\1\s*(["'])(.*?)\3""", text)
            if quoted is None:
                raise Stop(f"{where}: invalid syntax in conditional")
            left, right = quoted[2], quoted[4]
        return (self.expand(left.strip()) == self.expand(right.strip())) == (word == "ifeq")

    def _assignment(self, text: str) -> bool:
        export = False
        while text.partition(" ")[0] in _WORDS:
            word, _, text = text.partition(" ")
            text = text.strip()
            export = export or word == "export"
        found = re.match(r"([^\s:=?+!#]+)\s*(::?:?=|\?=|\+=|!=|=)\s*(.*)", text, re.DOTALL)
        if found is None:
            if export:
                self.exported |= set(self.expand(text).split()) or {"*"}
            return export
        name, how, value = self.expand(found[1]), found[2], found[3]
        if export:
            self.exported.add(name)
        if name in self.fixed or (how == "?=" and name in self.vars):
            return True
        if how.startswith(":"):
            value = self.expand(value).replace("$", "$$")
        elif how == "!=":
            value = self._f_shell([value], {}).replace("$", "$$")
        elif how == "+=":
            value = f"{self.vars[name]} {value}" if self.vars.get(name) else value
        self.vars[name] = value
        return True

    def _rule(self, text: str, where: str, file: str, line: int) -> list[Rule]:
        head, semicolon, first = text.partition(";")
        head = self.expand(head)
        found = re.match(r"(.*?)(::?)(?!=)(.*)", head, re.DOTALL)
        if found is None:
            raise Stop(f"{where}: *** missing separator.  Stop.", 2)
        targets, needs = found[1].split(), found[3].replace("|", " ").split()
        if ":" in found[3]:
            raise NotSimulated("static pattern rules")
        made: list[Rule] = []
        for target in targets:
            if target == ".PHONY":
                self.phony |= set(needs)
                continue
            if "%" in target:
                rule = Rule(needs, [first.strip()] if semicolon else [], file, line)
                self.patterns.append((target, rule))
            else:
                rule = self.rules.setdefault(target, Rule(file=file, line=line))
                rule.needs += needs
                if semicolon:
                    rule.recipe.append(first.strip())
                if not self.vars[".DEFAULT_GOAL"] and not target.startswith("."):
                    self.vars[".DEFAULT_GOAL"] = target
            made.append(rule)
        return made

    # -- making --------------------------------------------------------------------------------------------------------------
    def find(self, target: str) -> tuple[Rule, str] | None:
        """The rule of a target and the stem of its pattern."""
        rule = self.rules.get(target)
        if rule is not None and rule.recipe:
            return rule, ""
        for pattern, other in self.patterns:
            left, _, right = pattern.partition("%")
            if other.recipe and target.startswith(left) and target.endswith(right) and len(target) > len(left) + len(right) - 1:
                stem = target[len(left) : len(target) - len(right)]
                needs = [one.replace("%", stem) for one in other.needs]
                if all(self.call.exists(one) or one in self.rules for one in needs):
                    return Rule([*needs, *(rule.needs if rule else [])], other.recipe, other.file, other.line), stem
        return (rule, "") if rule is not None else None

    def build(self, target: str, needed_by: str = "", depth: int = 0) -> Steps:
        """Bring a target up to date; whether something was done."""
        if target in self.done:
            return target in self.made
        if depth > DEEPEST:
            raise Stop("targets that need each other")
        self.done.add(target)
        found = self.find(target)
        there = self.call.exists(target)
        if found is None:
            if there:
                return False
            raise Stop(f"No rule to make target '{target}'" + (f", needed by '{needed_by}'" if needed_by else "") + ".")
        rule, stem = found
        stale = target in self.phony or not there or self.always
        for one in rule.needs:
            changed = yield from self.build(one, target, depth + 1)
            newer = (
                there
                and self.call.exists(one)
                and one not in self.phony
                and self.call.lookup(one).mtime > self.call.lookup(target).mtime
            )
            stale = stale or changed or newer
        if not stale or not rule.recipe:
            if stale:
                self.made.add(target)
            return stale
        unique = list(dict.fromkeys(rule.needs))
        local = {"@": target, "<": rule.needs[0] if rule.needs else "", "^": " ".join(unique), "+": " ".join(rule.needs), "?": " ".join(unique), "*": stem,
                 "@D": posixpath.dirname(target) or ".", "@F": posixpath.basename(target), "<F": posixpath.basename(rule.needs[0]) if rule.needs else ""}  # fmt: skip
        for number, line in enumerate(rule.recipe, 1):
            yield from self._line(line, local, f"{rule.file}:{rule.line + number}: {target}")
        self.made.add(target)
        return True

    def _line(self, line: str, local: dict[str, str], where: str) -> Steps:
        text = self.expand(line, local).strip()
        quiet, careless, always = self.silent, False, False
        while text[:1] in ("@", "-", "+"):
            quiet, careless, always = quiet or text[0] == "@", careless or text[0] == "-", always or text[0] == "+"
            text = text[1:].lstrip()
        if not text:
            return
        if not quiet or self.dry:
            self.call.out(text + "\n")
        if self.dry and not always:
            return
        shell = self.expand(self.vars["SHELL"]).split()
        flags = self.expand(self.vars.get(".SHELLFLAGS", "-c")).split()
        names = self.vars if "*" in self.exported else self.exported
        env = dict(self.call.env) | {
            name: self.expand(self.vars[name]) for name in names if name in self.vars and name.isidentifier()
        }
        env["MAKELEVEL"] = str(int(self.call.env.get("MAKELEVEL", "0")) + 1)
        code = yield from self.call.run([*shell, *flags, text], env=env)
        if code and not careless:
            raise Stop(f"[{where}] Error {code}", 2)
        if code:
            self.call.err(f"make: [{where}] Error {code} (ignored)\n")


def _uncommented(line: str) -> str:
    return re.sub(r"(?<!\\)#.*", "", line).replace("\\#", "#")


def _closing(text: str, at: int) -> int:
    opens, closes, depth = text[at], ")" if text[at] == "(" else "}", 0
    for here in range(at, len(text)):
        depth += (text[here] == opens) - (text[here] == closes)
        if not depth:
            return here
    raise Stop("unterminated variable reference")


def _arguments(text: str) -> list[str]:
    out, depth, word = [], 0, ""
    for char in text:
        depth += (char in "({") - (char in ")}")
        if char == "," and depth == 0:
            out.append(word)
            word = ""
        else:
            word += char
    return [*out, word]


def _patsubst(old: str, new: str, word: str) -> str:
    left, percent, right = old.partition("%")
    if not percent:
        return new if word == old else word
    if not (word.startswith(left) and word.endswith(right) and len(word) >= len(left) + len(right)):
        return word
    return new.replace("%", word[len(left) : len(word) - len(right)], 1)


def make(call: Call) -> Steps:
    """`make [-f FILE] [-C DIRECTORY] [-nskB] [-j [N]] [NAME=VALUE…] [TARGET…]`."""
    run = Make(call)
    goals: list[str] = []
    file, args, folder = "", list(call.argv[1:]), ""
    while args:
        word = args.pop(0)
        if word in ("-v", "--version"):
            call.out("GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\n")
            return 0
        if word in ("-f", "-C", "--file", "--directory", "-I", "-o", "-W"):
            value = args.pop(0) if args else ""
            file, folder = (
                (value, folder)
                if word in ("-f", "--file")
                else (file, value)
                if word in ("-C", "--directory")
                else (file, folder)
            )
        elif word.startswith(("--file=", "--makefile=")):
            file = word.partition("=")[2]
        elif word.startswith("--directory="):
            folder = word.partition("=")[2]
        elif word.startswith("-j") or word in ("--no-print-directory", "-w", "--jobs", "-r", "--no-builtin-rules"):
            if word in ("-j", "--jobs") and args and args[0].isdigit():
                args.pop(0)
        elif re.fullmatch(r"-[nskBi]+", word) or word in (
            "--dry-run",
            "--just-print",
            "--silent",
            "--quiet",
            "--keep-going",
            "--always-make",
        ):
            run.dry = run.dry or "n" in word[:2] or word in ("--dry-run", "--just-print")
            run.silent = run.silent or word in ("--silent", "--quiet") or (not word.startswith("--") and "s" in word)
            run.always = run.always or "B" in word or word == "--always-make"
        elif word.startswith("-"):
            raise NotSimulated(f"option '{word}'")
        elif "=" in word and re.match(r"[\w.-]+[:+?]?=", word):
            name, _, value = word.partition("=")
            run.vars[name.rstrip(":?+")] = value
            run.fixed.add(name.rstrip(":?+"))
        else:
            goals.append(word)
    if folder:
        if not call.isdir(folder):
            call.err(f"make: *** {folder}: No such file or directory.  Stop.\n")
            return 2
        rest = [word for word in call.argv[1:] if word not in ("-C", folder, f"--directory={folder}", "--directory")]
        inside = posixpath.normpath(call.path(folder))
        call.out(f"make: Entering directory '{inside}'\n")
        code = yield from call.run(["/bin/sh", "-c", 'cd "$1" && shift && exec make "$@"', "sh", folder, *rest])
        call.out(f"make: Leaving directory '{inside}'\n")
        return code
    name = file or next((one for one in _FILES if call.exists(one)), "")
    try:
        if not name:
            raise Stop(f"No rule to make target '{goals[0]}'." if goals else "No targets specified and no makefile found.")
        if not call.exists(name):
            raise Stop(f"{name}: No such file or directory")
        run.read(name)
        goals = goals or [run.vars[".DEFAULT_GOAL"]]
        if not goals[0]:
            raise Stop("No targets.")
        for goal in goals:
            changed = yield from run.build(goal)
            if not changed:
                rule = run.rules.get(goal)
                call.out(
                    f"make: '{goal}' is up to date.\n"
                    if rule is not None and rule.recipe
                    else f"make: Nothing to be done for '{goal}'.\n"
                )
    except Stop as stop:
        said = str(stop)
        call.err(
            said + "\n"
            if said.endswith("Stop.")
            else f"make: *** {said}" + ("\n" if said.startswith("[") else ("" if said.endswith(".") else ".") + "  Stop.\n")
        )
        return stop.code
    return 0
