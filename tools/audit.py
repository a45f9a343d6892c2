"""`python -m tools.audit`: are the dependencies what they are said to be, and known to be good?  Without a network.

* every requirement is pinned exactly, and constraints.txt pins all that is installed with it, once;
* what is installed is what is pinned, and nothing more is imported than what is required (`--installed`);
* no pin lies in a range of `deploy/advisories.json`, our copy of the advisories that concern packages of ours.

`--update` asks pip-audit, where it and a network are there, and says what it knows that the copy does not.  `--sbom FILE` writes the bill of
materials (CycloneDX 1.6) of what runs in production.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
ADVISORIES = ROOT / "deploy" / "advisories.json"


def lines(name: str) -> Iterator[Requirement]:
    """The requirements of a file."""
    for line in (ROOT / name).read_text().splitlines():
        text = line.split("#")[0].strip()
        if text and not text.startswith("-"):
            yield Requirement(text)


def pins(name: str) -> dict[str, Version]:
    """`{package: version}` of a file's exact pins."""
    found: dict[str, Version] = {}
    for requirement in lines(name):
        exact = re.fullmatch(r"==([^*,]+)", str(requirement.specifier))
        if exact:
            found[canonicalize_name(requirement.name)] = Version(exact[1])
    return found


def loose() -> list[str]:
    """Requirements that are not pinned exactly, or pinned twice or differently."""
    found = []
    constraints = pins("constraints.txt")
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        seen: set[str] = set()
        exact = pins(name)
        for requirement in lines(name):
            key = canonicalize_name(requirement.name)
            if key not in exact:
                found.append(f"{name}: {requirement} is not pinned exactly")
            elif key in seen:
                found.append(f"{name}: {requirement.name} stands there twice")
            elif constraints.get(key) != exact[key]:
                found.append(f"{name}: {requirement.name} is {exact[key]}, constraints.txt says {constraints.get(key)}")
            seen.add(key)
    return found


def production() -> dict[str, metadata.Distribution]:
    """What requirements.txt brings along, all the way down, as it is installed here."""
    found: dict[str, metadata.Distribution] = {}
    todo = [(canonicalize_name(item.name), tuple(sorted(item.extras))) for item in lines("requirements.txt")]
    seen = set(todo)
    while todo:
        name, extras = todo.pop()
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        found[name] = distribution
        for text in distribution.requires or ():
            requirement = Requirement(text)
            wanted = requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras))
            key = (canonicalize_name(requirement.name), tuple(sorted(requirement.extras)))
            if wanted and key not in seen:
                seen.add(key)
                todo.append(key)
    return found


def drifted() -> list[str]:
    """Packages in production that are not pinned, or installed in another version."""
    constraints, found = pins("constraints.txt"), []
    for name, distribution in sorted(production().items()):
        if name not in constraints:
            found.append(f"{name} {distribution.version} is installed and not pinned")
        elif Version(distribution.version) != constraints[name]:
            found.append(f"{name} {distribution.version} is installed, constraints.txt says {constraints[name]}")
    return found


def advised(versions: dict[str, Version]) -> list[str]:
    """What the advisories say of these versions."""
    found = []
    for item in json.loads(ADVISORIES.read_text())["advisories"]:
        version = versions.get(canonicalize_name(item["package"]))
        if version is not None and any(SpecifierSet(part).contains(version, prereleases=True) for part in item["affected"]):
            found.append(f"{item['package']} {version}: {item['id']}: {item['summary']}; mended in {item['fixed']}")
    return found


def sbom() -> dict[str, Any]:
    """The bill of materials, the same for the same packages."""
    components = []
    for name, distribution in sorted(production().items()):
        about = dict(distribution.metadata.items())  # type: ignore[attr-defined]
        licence = about.get("License-Expression") or (about.get("License") or "").split("\n")[0][:80] or "unknown"
        reference = f"pkg:pypi/{name}@{distribution.version}"
        components.append(
            {
                "type": "library",
                "bom-ref": reference,
                "name": name,
                "version": distribution.version,
                "purl": reference,
                "licenses": [{"license": {"name": licence}}],
            }
        )
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "bom-ref": "slipway", "name": "slipway", "version": "0.1.0"}},
        "components": components,
        "dependencies": [{"ref": "slipway", "dependsOn": [item["bom-ref"] for item in components]}],
    }


def update() -> int:
    """Ask pip-audit about our pins."""
    if shutil.which("pip-audit") is None:
        print("pip-audit is not installed (pip install pip-audit); it needs a network", file=sys.stderr)
        return 3
    return subprocess.run(["pip-audit", "-r", str(ROOT / "constraints.txt"), "--no-deps"], check=False).returncode


def main(argv: list[str]) -> int:
    """Check; the status is 1 when something is wrong."""
    made = argparse.ArgumentParser(prog="python -m tools.audit", description="Audit the dependencies.")
    made.add_argument("--update", action="store_true")
    made.add_argument("--sbom", type=Path)
    options = made.parse_args(argv)
    if options.update:
        return update()
    if options.sbom:
        options.sbom.write_text(json.dumps(sbom(), indent=1) + "\n")
    found = [*loose(), *drifted(), *advised(pins("constraints.txt"))]
    for text in found:
        print(f"audit: {text}", file=sys.stderr)
    print(f"audit: {len(pins('constraints.txt'))} pins, {len(production())} packages in production, {len(found)} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
