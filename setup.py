"""Builds the simulator as a package without the site: leaves Django's modules out and brings the data that is extracted at set-up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
DATA = ROOT / "simulator/core/kube/api/data"
#: The data packs that must be there: the one that is extracted last stands for all.
SCHEMA = DATA / "v1.35.openapi.json"
#: Modules of the package `simulator` itself that need no Django.
PLAIN = frozenset({"__init__", "__main__"})


class Build(build_py):
    """The usual build, without what belongs to the site."""

    def run(self) -> None:
        """Extract the API's types when that has not been done (a fresh checkout)."""
        if not SCHEMA.is_file():
            subprocess.run([sys.executable, str(ROOT / "scripts" / "extract_schema.py")], check=True)
            self.__dict__.pop("data_files", None)
        super().run()

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """All modules but the site's."""
        found: list[tuple[str, str, str]] = super().find_package_modules(package, package_dir)
        return [entry for entry in found if package != "simulator" or entry[1] in PLAIN]


setup(cmdclass={"build_py": Build})
