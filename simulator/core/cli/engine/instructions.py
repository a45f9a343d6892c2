"""What instructions of a Dockerfile change in an image's configuration (moby/buildkit `dockerfile2llb/convert.go`)."""

from __future__ import annotations

import posixpath
from typing import Any

from ...runtime.build import Healthcheck
from ..flags import parse_duration
from . import dockerfile
from .dockerfile import DockerfileError, Instruction

Fields = dict[str, Any]


def environment(fields: Fields) -> dict[str, str]:
    """The image's environment."""
    return dict(fields.get("env") or ())


def shell(fields: Fields) -> list[str]:
    """What shell forms are run by."""
    return list(fields.get("shell") or ("/bin/sh", "-c"))


def command(fields: Fields, one: Instruction) -> tuple[str, ...]:
    """A `CMD`, `ENTRYPOINT` or `RUN` as words."""
    if one.array is not None:
        return tuple(one.array)
    return (*shell(fields), one.text)


def configure(fields: Fields, one: Instruction, variables: dict[str, str] | None = None) -> str:
    """Apply an instruction that only changes the configuration; returns its line of the history."""
    env = {**environment(fields), **(variables or {})}

    def expanded(text: str) -> str:
        return dockerfile.expand(text, env)

    if one.name == "ENV":
        current = environment(fields)
        found = [(key, expanded(value)) for key, value in dockerfile.pairs(one.text)]
        current.update(found)
        fields["env"] = tuple(current.items())
        return "ENV " + " ".join(f"{k}={v}" for k, v in found)
    if one.name == "LABEL":
        labels = dict(fields.get("labels") or ())
        found = [(expanded(key), expanded(value)) for key, value in dockerfile.pairs(one.text)]
        labels.update(found)
        fields["labels"] = tuple(sorted(labels.items()))
        return "LABEL " + " ".join(f"{k}={v}" for k, v in found)
    if one.name == "CMD":
        fields["cmd"] = command(fields, one) if one.text else ()
        return "CMD " + _show(fields["cmd"])
    if one.name == "ENTRYPOINT":
        fields["entrypoint"] = command(fields, one) if one.text else ()
        if not fields.get("_cmd_set"):
            fields["cmd"] = ()
        return "ENTRYPOINT " + _show(fields["entrypoint"])
    if one.name == "EXPOSE":
        ports = list(fields.get("ports") or ())
        added = []
        for word in dockerfile.words(expanded(one.text)):
            number, _, protocol = word.partition("/")
            low, _, high = number.partition("-")
            if not low.isdigit() or (high and not high.isdigit()):
                raise DockerfileError(f"invalid containerPort: {number}", one.first)
            for port in range(int(low), int(high or low) + 1):
                added.append(f"{port}/{protocol or 'tcp'}")
        fields["ports"] = tuple(dict.fromkeys([*ports, *added]))
        return "EXPOSE map[" + " ".join(f"{port}:{{}}" for port in added) + "]"
    if one.name == "VOLUME":
        paths = one.array if one.array is not None else dockerfile.words(expanded(one.text))
        fields["volumes"] = tuple(dict.fromkeys([*(fields.get("volumes") or ()), *paths]))
        return f"VOLUME [{' '.join(paths)}]"
    if one.name == "USER":
        fields["user"] = expanded(one.text)
        return f"USER {fields['user']}"
    if one.name == "WORKDIR":
        fields["cwd"] = posixpath.normpath(posixpath.join(fields.get("cwd") or "/", expanded(one.text).strip("\"'")))
        return f"WORKDIR {fields['cwd']}"
    if one.name == "STOPSIGNAL":
        word = expanded(one.text)
        fields["stop_signal"] = word
        return f"STOPSIGNAL {word}"
    if one.name == "SHELL":
        fields["shell"] = tuple(one.array or ())
        return f"SHELL [{' '.join(one.array or ())}]"
    if one.name == "HEALTHCHECK":
        return _health(fields, one)
    if one.name == "ONBUILD":
        fields["onbuild"] = (*(fields.get("onbuild") or ()), one.text)
        return f"ONBUILD {one.text}"
    if one.name == "MAINTAINER":
        fields["_author"] = one.text
        return f"MAINTAINER {one.text}"
    raise DockerfileError(f"unknown instruction: {one.name}", one.first)


def _show(found: tuple[str, ...]) -> str:
    import json

    return json.dumps(list(found))


def _health(fields: Fields, one: Instruction) -> str:
    kind, _, rest = one.text.partition(" ")
    if kind.upper() == "NONE":
        fields["healthcheck"] = Healthcheck(("NONE",))
        return "HEALTHCHECK [NONE]"
    inner = dockerfile.instruction("CMD " + rest.strip(), one.first)
    test = ("CMD", *inner.array) if inner.array is not None else ("CMD-SHELL", inner.text)
    numbers: dict[str, int] = {}
    for name, field in (("interval", "interval"), ("timeout", "timeout"), ("start-period", "start_period")):
        if one.flag(name):
            try:
                numbers[field] = parse_duration(one.flag(name))
            except ValueError as bad:
                raise DockerfileError(str(bad), one.first) from None
    if one.flag("retries"):
        if not one.flag("retries").isdigit():
            raise DockerfileError(f'strconv.ParseInt: parsing "{one.flag("retries")}": invalid syntax', one.first)
        numbers["retries"] = int(one.flag("retries"))
    fields["healthcheck"] = Healthcheck(test, **numbers)
    times = " ".join(
        f"{value // 10**9}s" if value else "0s"
        for value in (numbers.get("interval", 0), numbers.get("timeout", 0), numbers.get("start_period", 0))
    )
    return f"HEALTHCHECK &{{[{' '.join(_q(w) for w in test)}] {_q(times)}}}".replace('"', '"')


def _q(text: str) -> str:
    return f'"{text}"'
