"""`crictl config` (`cmd/crictl/crictl_config.go`, `pkg/common/file.go`)."""

from __future__ import annotations

from typing import Any

import yaml

from .. import human, tabwriter
from .session import CONFIG_KEYS, CrictlError, Session

_BOOLS = {
    "1": True,
    "t": True,
    "true": True,
    "TRUE": True,
    "True": True,
    "T": True,
    "0": False,
    "f": False,
    "false": False,
    "FALSE": False,
    "False": False,
    "F": False,
}


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _set(config: dict[str, Any], key: str, value: str) -> None:
    defaults = dict(CONFIG_KEYS)
    if key not in defaults:
        raise CrictlError(f"no configuration option named {key}")
    if isinstance(defaults[key], bool):
        if value not in _BOOLS:
            raise CrictlError(f"parse {key} value '{value}': strconv.ParseBool: parsing \"{value}\": invalid syntax")
        config[key] = _BOOLS[value]
    elif isinstance(defaults[key], int):
        try:
            config[key] = int(value)
        except ValueError:
            raise CrictlError(f"parse {key} value '{value}': strconv.Atoi: parsing \"{value}\": invalid syntax") from None
    else:
        config[key] = value


def run(session: Session) -> int:
    """`crictl config`."""
    from .main import ShowHelp

    path = str(session.context.globals["config"])
    config = {key: session.config.get(key, default) for key, default in CONFIG_KEYS}
    if session.flag("get"):
        key = str(session.flag("get"))
        if key not in config:
            raise CrictlError(f"no configuration option named {key}")
        session.inv.out(_text(config[key]) + "\n")
        return 0
    if session.flag("set"):
        for setting in session.flag("set"):
            for option in str(setting).split(","):
                pair = option.split("=")
                if len(pair) != 2:
                    raise CrictlError(f"incorrectly specified option: {setting}")
                _set(config, pair[0], pair[1])
    elif session.flag("list"):
        rows = [["KEY", "VALUE"], *([key, _text(config[key])] for key, _ in CONFIG_KEYS)]
        text = "".join("\t".join(row) + "\n" for row in rows)
        session.inv.out("\033[2J\033[H" + tabwriter.align(text, minwidth=20, tabwidth=1, padding=3))
        return 0
    else:
        if not session.args:
            raise ShowHelp
        key = session.args[0]
        value = session.args[1] if len(session.args) > 1 else ""
        human.logrus(session.inv, "info", f'No --get, --set or --list provided, setting key "{key}" to value "{value}"')
        try:
            _set(config, key, value)
        except CrictlError as failed:
            raise CrictlError(f'set "{key}" to "{value}": {failed}') from None
    session.inv.write_file(path, yaml.safe_dump(config, sort_keys=False).encode())
    return 0
