"""An exercise's checks as a verify script: bash and kubectl, ends with 0 when all of them hold, else says the check's message."""

from __future__ import annotations

import re
import shlex
from typing import Any

_HEAD = """#!/bin/bash
fail() { echo "$1"; exit 1; }
look() { out=$(bash -c "$1" 2>/tmp/.verify-err); code=$?; err=$(cat /tmp/.verify-err); }
"""
_SHORT = re.compile(r"(stdout|stderr|code)(?:_(contains|equals|matches))?")
_VARIABLES = {"stdout": "out", "stderr": "err", "code": "code"}
#: Regular expressions of RE2 that bash's own (POSIX) do not have.
_FOREIGN = re.compile(r"\\[dDwWsSbB]|\(\?")


class Cannot(Exception):
    """A check that has no form in a script: why."""


def script(data: dict[str, Any], host: str, language: str) -> tuple[str, list[str]]:
    """The script of an exercise ("" when no check can be said in it), and what is missing from it."""
    lines: list[str] = []
    problems: list[str] = []
    for check in data["checks"]:
        message = check["message"][language] if isinstance(check["message"], dict) else str(check["message"])
        try:
            body = _check(check, host)
        except Cannot as why:
            problems.append(f"the check {check['id']} is left out: {why}")
            continue
        lines.append(f"# {check['id']}")
        lines += [f"{line} || fail {shlex.quote(message)}" if line.startswith("[") else line for line in body]
    if not lines:
        return "", [*problems, "no check can be said in a script: the page has none"]
    wait = re.fullmatch(r"(\d+)(s|m|h)", str(data.get("settle") or ""))
    pause = f"sleep {wait[1]}{wait[2]}\n" if wait and wait[1] != "0" else ""
    return _HEAD + pause + "\n".join(lines) + "\nexit 0\n", problems


def _check(check: dict[str, Any], host: str) -> list[str]:
    for key in ("what_if", "holds", "never", "eventually", "always"):
        if key in check:
            raise Cannot(f"`{key}` looks at other times than now")
    expected = check.get("expect")
    conditions = expected if isinstance(expected, list) else [expected]
    for probe in ("run", "object", "objects", "file", "process"):
        if probe in check:
            break
    else:
        raise Cannot("its probe is not one of run, object, objects, file, process")
    out: list[str] = []
    looked = ""
    for condition in conditions:
        for path, operator, value in _conditions(condition):
            command, variable = _look(check, probe, path, host)
            if command != looked:
                out.append(f"look {shlex.quote(command)}")
                looked = command
            out.append(_holds(variable, operator, value))
    return out


def _conditions(condition: Any) -> list[tuple[str, str, Any]]:
    if not isinstance(condition, dict):
        raise Cannot("it has no condition")
    path = str(condition.get("path", ""))
    found: list[tuple[str, str, Any]] = []
    for key, value in condition.items():
        if key == "path":
            continue
        short = _SHORT.fullmatch(key)
        if short and not path:
            found.append((short[1], short[2] or "equals", value))
        else:
            found.append((path, key, value))
    return found


def _look(check: dict[str, Any], probe: str, path: str, host: str) -> tuple[str, str]:
    """The command that finds the value at a path, and the variable that it is in."""
    asked = check[probe]
    if probe == "run":
        if path not in _VARIABLES:
            raise Cannot(f"the path {path or '(none)'} is none of a command's")
        return _on(check.get("host", host), str(asked), host), _VARIABLES[path]
    if probe == "file":
        where = shlex.quote(str(asked["path"]))
        forms = {
            "exists": f"test -e {where}",
            "text": f"cat {where}",
            "mode": f"stat -c 0%a {where}",
            "owner": f"stat -c %U {where}",
        }
        if path not in ("exists", "text"):
            raise Cannot(f"the {path} of a file")
        return _on(asked.get("host", host), forms[path], host), "code" if path == "exists" else "out"
    if probe == "process":
        if path != "running":
            raise Cannot(f"the {path} of a process")
        return _on(asked.get("host", host), f"pgrep -x {shlex.quote(str(asked['name']))}", host), "code"
    place = f" -n {shlex.quote(str(asked['namespace']))}" if asked.get("namespace", "default") not in ("*", "default") else ""
    place = " -A" if asked.get("namespace") == "*" else place
    if probe == "objects":
        if path != "count":
            raise Cannot(f"{path} of several objects")
        more = f" -l {shlex.quote(str(asked['selector']))}" if asked.get("selector") else ""
        more += f" --field-selector {shlex.quote(str(asked['fields']))}" if asked.get("fields") else ""
        return f"kubectl get {asked['resource']}{place}{more} --no-headers 2>/dev/null | wc -l", "out"
    if not path:
        return f"kubectl get {asked['resource']} {asked['name']}{place} -o name --ignore-not-found", "out"
    return f"kubectl get {asked['resource']} {asked['name']}{place} -o jsonpath={shlex.quote('{' + _jsonpath(path) + '}')}", "out"


def _on(where: Any, command: str, host: str) -> str:
    return command if where == host else f"ssh {where} {shlex.quote(command)}"


def _jsonpath(path: str) -> str:
    path = re.sub(r"\[\"([^\"]+)\"\]", lambda m: "." + m[1].replace(".", "\\."), path)
    return "." + re.sub(r"\[(\w+)=([^\]]+)\]", r'[?(@.\1=="\2")]', path)


def _holds(variable: str, operator: str, value: Any) -> str:
    """A test of a variable, as `[` or `[[`."""
    if variable == "code" and isinstance(value, bool):  # what a test command answers
        return f"[ $code {'-eq' if value is (operator in ('exists', 'equals')) else '-ne'} 0 ]"
    text = shlex.quote(("true" if value else "false") if isinstance(value, bool) else str(value))
    match operator:
        case "equals":
            return f'[ "${variable}" = {text} ]'
        case "not_equals":
            return f'[ "${variable}" != {text} ]'
        case "contains":
            return f"[[ ${variable} == *{text}* ]]"
        case "not_contains":
            return f"[[ ${variable} != *{text}* ]]"
        case "matches":
            if _FOREIGN.search(str(value)):
                raise Cannot(f"bash has no regular expression like {value}")
            return f"[[ ${variable} =~ $(echo {text}) ]]"
        case "at_least" | "at_most":
            return f'[ "${variable}" {"-ge" if operator == "at_least" else "-le"} {text} ]'
        case "exists":
            return f'[ {"-n" if value else "-z"} "${variable}" ]'
        case "one_of" if isinstance(value, list):
            return "[[ " + " || ".join(f"${variable} == {shlex.quote(str(one))}" for one in value) + " ]]"
        case "length":
            return f"[ ${{#{variable}}} -eq {text} ]"
        case _:
            raise Cannot(f"`{operator}` cannot be said in a script")
