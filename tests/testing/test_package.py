"""The package without the site: what it brings, and that nothing of it needs more than it declares."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
#: Import name of a distribution where it is another one.
NAMES = {"PyYAML": "yaml", "lightkube-models": "lightkube", "grpcio": "grpc"}


def packaged() -> list[Path]:
    """The modules that are installed: packages of the list, and of `simulator` itself what setup.py keeps."""
    parts = ("core", "gateway", "headless", "katacoda", "testing")
    return [
        ROOT / "simulator" / "__init__.py",
        ROOT / "simulator" / "__main__.py",
        *(p for part in parts for p in (ROOT / "simulator" / part).rglob("*.py")),
    ]


def imported(path: Path) -> set[str]:
    """Top-level names that a module imports, `simulator.x` with its second part."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
    return found


def test_the_packages_listed_are_those_that_are_tested_here() -> None:
    """The include list and this test speak of the same folders."""
    listed = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
    assert listed == ["simulator", *(f"simulator.{part}*" for part in ("core", "gateway", "headless", "katacoda", "testing"))]


def test_every_import_is_declared_and_none_is_of_the_site() -> None:
    """Only the standard library, declared dependencies, and the package's own parts."""
    extras = PROJECT["project"]["optional-dependencies"]
    declared = {
        NAMES.get(name, name.replace("-", "_"))
        for line in [*PROJECT["project"]["dependencies"], *extras["etcd"], *extras["test"]]
        if (name := re.match(r"[\w.-]+", line)[0])  # type: ignore[index]
    }
    wrong = []
    for path in packaged():
        for name in imported(path):
            top, _, rest = name.partition(".")
            inside = top == "simulator" and (
                not rest or rest.split(".")[0] in ("core", "gateway", "headless", "katacoda", "testing")
            )
            if not (inside or top in sys.stdlib_module_names or top in declared):
                wrong.append(f"{path.relative_to(ROOT)}: {name}")
    assert not wrong


def test_data_files_are_in_the_package() -> None:
    """Every file that is not Python below the packages has a suffix that package-data takes."""
    patterns = PROJECT["tool"]["setuptools"]["package-data"]["*"]
    assert patterns == ["*.txt", "*.yaml", "data/*.json"]
    files = [p for part in ("core", "gateway", "headless") for p in (ROOT / "simulator" / part).rglob("*") if p.is_file()]
    other = {p.suffix for p in files if p.suffix not in (".py", ".pyc") and p.name != ".gitignore"}
    assert other <= {".txt", ".yaml", ".json"}
