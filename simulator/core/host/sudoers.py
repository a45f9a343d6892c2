"""The policy of sudo: `/etc/sudoers` and the files that it includes (sudoers(5)).

Users, `%groups`, `#ids`, `ALL` and the four kinds of aliases; hosts; `(runas:group)`; tags; commands with arguments, wildcards, directories and `!`.
The last rule that fits decides.  Passwords are not asked for: whoever may run something runs it.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re

import msgspec

from . import users
from .filesystem import Tree

MAIN = "/etc/sudoers"
#: What a fresh machine has: the main file, and the cloud image's own.
SUDOERS = """Defaults\tenv_reset
Defaults\tmail_badpass
Defaults\tsecure_path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
Defaults\tuse_pty

root\tALL=(ALL:ALL) ALL
%admin ALL=(ALL) ALL
%sudo\tALL=(ALL:ALL) ALL

@includedir /etc/sudoers.d
"""
CLOUD_USERS = "# User rules for ubuntu\nubuntu ALL=(ALL) NOPASSWD:ALL\n"
TAGS = ("NOPASSWD", "PASSWD", "NOEXEC", "EXEC", "SETENV", "NOSETENV", "LOG_INPUT", "NOLOG_INPUT", "LOG_OUTPUT", "NOLOG_OUTPUT",
        "FOLLOW", "NOFOLLOW", "MAIL", "NOMAIL", "INTERCEPT", "NOINTERCEPT")  # fmt: skip
_ALIAS = re.compile(r"(User|Runas|Host|Cmnd|Cmd)_Alias\s+(.*)", re.DOTALL)
_RULE = re.compile(r"(?P<who>.+?)\s+(?P<host>[^\s=,]+(?:\s*,\s*[^\s=,]+)*)\s*=\s*(?P<rest>.+)", re.DOTALL)


class Grant(msgspec.Struct):
    """One command of one rule: who may run it, as whom, and with which tags."""

    who: list[str]
    hosts: list[str]
    users: list[str]
    groups: list[str]
    tags: list[str]
    command: str
    allowed: bool = True


class Problem(msgspec.Struct):
    """A line that cannot be read: where, and how far it was understood."""

    path: str
    line: int
    column: int
    text: str


class Policy(msgspec.Struct):
    """All files together."""

    grants: list[Grant] = []
    aliases: dict[str, list[str]] = {}
    defaults: list[str] = []
    problems: list[Problem] = []
    files: list[str] = []


def read(tree: Tree, path: str = MAIN) -> Policy:
    """The policy of a machine; a machine without the file grants nothing."""
    policy = Policy()
    _file(tree, path, policy, 0)
    return policy


def _file(tree: Tree, path: str, policy: Policy, depth: int) -> None:
    try:
        text = tree.read(path).decode("utf-8", "replace")
    except OSError:
        return
    policy.files.append(path)
    number = 0
    held = ""
    for line in text.split("\n"):
        number += 1
        if line.endswith("\\"):
            held += line[:-1] + " "
            continue
        whole, held = held + line, ""
        _line(tree, path, number, whole, policy, depth)


def _line(tree: Tree, path: str, number: int, line: str, policy: Policy, depth: int) -> None:
    include = re.match(r"\s*[@#](include|includedir)\s+\"?([^\"\s]+)\"?\s*$", line)
    if include is not None:
        target = posixpath.join(posixpath.dirname(path), include.group(2))
        if include.group(1) == "include":
            names = [target]
        else:  # names with a dot and editors' leftovers are passed over
            names = [posixpath.join(target, name) for name in sorted(tree.listdir(target)) if "." not in name and name[-1:] != "~"] if tree.isdir(target) else []  # fmt: skip
        for name in names if depth < 8 else ():
            _file(tree, name, policy, depth + 1)
        return
    text = re.sub(r"(?<!\\)#(?!\d).*", "", line).strip()
    if not text:
        return
    if text.startswith("Defaults"):
        policy.defaults += [part.strip() for part in re.split(r",(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)", text[8:]) if part.strip()]
        return
    alias = _ALIAS.fullmatch(text)
    if alias is not None:
        for part in re.split(r"(?<!\\):", alias.group(2)):
            name, equals, members = part.partition("=")
            if not equals or not re.fullmatch(r"[A-Z][A-Z0-9_]*", name.strip()):
                policy.problems.append(Problem(path, number, len(text), text))
                return
            policy.aliases[name.strip()] = _split(members)
        return
    rule = _RULE.fullmatch(text)
    if rule is None:
        policy.problems.append(Problem(path, number, len(text), text))
        return
    _rule(rule, policy, Problem(path, number, len(text), text))


def _split(text: str) -> list[str]:
    return [
        part.strip().replace("\\,", ",").replace("\\:", ":").replace("\\=", "=")
        for part in re.split(r"(?<!\\),", text)
        if part.strip()
    ]


def _rule(rule: re.Match[str], policy: Policy, problem: Problem) -> None:
    as_users, as_groups, tags = ["root"], [""][:0], [""][:0]
    for part in _split(rule.group("rest")):
        runas = re.match(r"\(([^():]*)(?::([^()]*))?\)\s*", part)
        if runas is not None:
            as_users, as_groups = _split(runas.group(1)), _split(runas.group(2) or "")
            tags, part = [], part[runas.end() :]
        while (tag := re.match(r"([A-Z_]+)\s*:\s*", part)) is not None and tag.group(1) in TAGS:
            tags, part = [*tags, tag.group(1)], part[tag.end() :]
        allowed = True
        while part.startswith("!"):
            allowed, part = not allowed, part[1:].strip()
        plain = part.split()[:1]
        if not plain or not (plain[0].startswith("/") or re.fullmatch(r"[A-Z][A-Z0-9_]*|sudoedit|list|sha\d+:\S+", plain[0])):
            policy.problems.append(problem)
            return
        policy.grants.append(
            Grant(_split(rule.group("who")), _split(rule.group("host")), as_users, as_groups, tags, part, allowed)
        )


def _among(policy: Policy, words: list[str], fits: set[str], depth: int = 0) -> bool:
    """Whether a list (with aliases and `!`) names one of `fits`; the last word that says something decides."""
    found = False
    for word in words:
        wanted = not word.startswith("!")
        word = word.lstrip("!")
        if (
            word == "ALL"
            or word in fits
            or (word in policy.aliases and depth < 8 and _among(policy, policy.aliases[word], fits, depth + 1))
        ):
            found = wanted
    return found


def _names(tree: Tree, user: str) -> set[str]:
    uid = users.uid_of(tree, user)
    groups = users.groups_of(tree, user)
    return {user, f"#{uid}", *(f"%{users.group_name(tree, gid)}" for gid in groups), *(f"%#{gid}" for gid in groups)}


def grants_of(policy: Policy, tree: Tree, user: str, host: str) -> list[Grant]:
    """What the rules say about a user on a host, in the files' order."""
    names = _names(tree, user)
    return [one for one in policy.grants if _among(policy, one.who, names) and _among(policy, one.hosts, {host})]


def _is_command(policy: Policy, wanted: str, path: str, args: list[str], depth: int = 0) -> bool:
    if wanted == "ALL":
        return True
    if wanted in policy.aliases:
        found = False
        for member in policy.aliases[wanted] if depth < 8 else ():
            if _is_command(policy, member.lstrip("!"), path, args, depth + 1):
                found = not member.startswith("!")
        return found
    name, _, rest = wanted.partition(" ")
    if name.endswith("/"):
        return posixpath.dirname(path) + "/" == name
    if not fnmatch.fnmatchcase(path, name):
        return False
    rest = rest.strip()
    return not rest or (rest == '""' and not args) or fnmatch.fnmatchcase(" ".join(args), rest)


def may_run(policy: Policy, tree: Tree, user: str, host: str, as_user: str, path: str, args: list[str]) -> bool:
    """Whether a user may run a command (by its full path) as another user: the last grant that fits decides."""
    allowed = False
    for grant in grants_of(policy, tree, user, host):
        if _among(policy, grant.users, _names(tree, as_user) | {as_user}) and _is_command(policy, grant.command, path, args):
            allowed = grant.allowed
    return allowed


def listing(grant: Grant) -> str:
    """A grant as `sudo -l` shows it."""
    group = f" : {', '.join(grant.groups)}" if grant.groups else ""
    tags = "".join(f"{tag}: " for tag in grant.tags)
    return f"({', '.join(grant.users)}{group}) {tags}{'' if grant.allowed else '!'}{grant.command}"


def shown_problem(problem: Problem) -> str:
    """A line that cannot be read, as sudo and visudo show it."""
    return f"{problem.path}:{problem.line}:{problem.column + 1}: syntax error\n{problem.text}\n{' ' * problem.column}^\n"
