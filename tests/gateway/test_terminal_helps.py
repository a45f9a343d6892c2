"""The help screens of the terminal's kubectl name the real one's usage lines, flags, defaults and headings (`helps.json`)."""

from __future__ import annotations

import json
import re

from simulator.core.sandbox import Sandbox

from . import helps


def test_every_help_screen_has_the_real_flags_and_defaults() -> None:
    said = json.loads(helps.SAID.read_text())
    sandbox, wrong = Sandbox.boot("one-node", 1), []
    listed = [""]
    for command in listed:
        text = sandbox.run(f"kubectl {command} --help").stdout
        listed += [f"{command} {child}".strip() for child in helps.children(text)]
        mine = helps.facts(text)
        for part, real in said[command].items():
            if mine[part] != real:
                wrong.append(
                    (command, part, [item for item in real if item not in mine[part]], [x for x in mine[part] if x not in real])
                )
    assert wrong == []
    assert set(said) - set(listed) == {"options"} and len(listed) > 100
    options = helps.facts(sandbox.run("kubectl options").stdout)["flags"]
    assert [re.sub(r"/.*/cache", "", flag) for flag in options] == [
        re.sub(r"/.*/cache", "", flag) for flag in said["options"]["flags"]
    ]
