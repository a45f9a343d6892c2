"""What the real kubectl's help screens say of each command: usage line, flags with their defaults, headings; kept in `helps.json`.

    python -m tests.gateway.helps

asks the kubectl on the PATH (v1.36) and writes the file.  The sentences are not kept: ours are our own.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

SAID = Path(__file__).parent / "helps.json"


def facts(text: str) -> dict[str, Any]:
    """Usage line, flags and headings of one help screen."""
    return {
        "usage": re.findall(r"(?m)^Usage:\n +(.*)", text),
        "flags": re.findall(r"(?m)^    ((?:-\w, )?--[\w-]+=[^\n]*?):$", text),
        "headings": re.findall(r"(?m)^([A-Z][\w ()]*):$", text),
    }


def children(text: str) -> list[str]:
    """The subcommands that a help screen lists."""
    blocks = re.findall(r"(?m)^[A-Z].*Commands.*:\n((?:  .*\n)+)", text)
    return [match[1] for block in blocks for line in block.splitlines() if (match := re.match(r"  ([a-z-]+) ", line))]


def _real(*words: str) -> str:
    return subprocess.run(["kubectl", *words], capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Ask every command, the root first."""
    found: dict[str, Any] = {}
    waiting = [""]
    while waiting:
        command = waiting.pop(0)
        text = _real(*command.split(), "--help")
        found[command] = facts(text)
        waiting += [f"{command} {child}".strip() for child in children(text)]
    found["options"] = facts(_real("options"))
    SAID.write_text(json.dumps(dict(sorted(found.items())), indent=0, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
