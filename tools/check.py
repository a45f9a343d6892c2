"""`make test`: installs what the tests need, then every check, and last all tests, so that pytest's own closing line ends it.

`python -m tools.check NAME …` runs single parts (`make lint`, `make types`, `make unit`, `make postgres`, `make e2e`).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from . import system

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
#: The machine has two cores; browser tests share one group, process tests another (tests/conftest.py).
PARALLEL = ("-n", os.environ.get("TEST_PROCESSES", "2"), "--dist", "loadgroup")
PYTEST = [sys.executable, "-m", "pytest", "-q", *PARALLEL]
#: Where pytest notes what failed, and how many failed tests are run once more.
CACHE = ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
HANDFUL = 3


def run(*argv: str | Path, env: dict[str, str] | None = None) -> int:
    """One command from the root of the project."""
    words = [str(word) for word in argv]
    print(f"\n$ {' '.join([Path(words[0]).name, *words[1:]])}", flush=True)
    began = time.monotonic()
    code = subprocess.run(words, cwd=ROOT, env={**os.environ, **(env or {})}, check=False).returncode
    print(f"({time.monotonic() - began:.1f} s{'' if code == 0 else f', status {code}'})", flush=True)
    return code


def lint() -> int:
    """Style, layers, templates, and that no migration is missing."""
    return max(
        run(BIN / "ruff", "check", "."),
        run(BIN / "ruff", "format", "--check", "."),
        run(BIN / "lint-imports"),
        run(BIN / "djlint", "templates", "--lint", "--quiet"),
        run(sys.executable, "-m", "tools.audit"),
        run(sys.executable, "manage.py", "check"),
        run(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"),
        scripts(),
    )


def scripts() -> int:
    """ESLint over our own scripts, where `make vendor` has been run; Node is not needed for anything else."""
    eslint = ROOT / "node_modules" / ".bin" / "eslint"
    if not eslint.exists() or shutil.which("node") is None:
        print("\n*** ESLint is not installed (`make vendor`): the lint of static/js is SKIPPED ***", flush=True)
        return 0
    return run(eslint, "static/js", "tools")


def types() -> int:
    """mypy in strict mode."""
    return run(BIN / "mypy")


def own_name(noted: str) -> str:
    """A test's name as pytest takes it: one of a group is noted as `NAME@GROUP` when several processes share the tests."""
    head, bracket, group = noted.rpartition("]")
    return head + bracket if bracket and (not group or group[0] == "@") else noted.partition("@")[0]


def tests(*argv: str | Path) -> int:
    """A run of pytest; a handful of failed tests is run once more, by itself, and whoever passes only then is told loudly.

    A machine that others use refuses no work for one test that was unlucky; two such runs in a row, or more than a handful, are a failure.
    """
    CACHE.unlink(missing_ok=True)
    code = run(*argv)
    names = sorted(map(own_name, json.loads(CACHE.read_text()))) if code == 1 and CACHE.exists() else []
    if not 0 < len(names) <= HANDFUL:
        return code
    again = run(*(word for word in argv if word not in PARALLEL), *names)
    if again == 0:
        lines = "".join(f"***   {name}\n" for name in names)
        print(
            f"\n*** FAILED ONCE AND PASSED ALONE: a defect of the test or of the product, to be mended (tests/README.md)\n{lines}",
            flush=True,
        )
    return again


def postgres() -> int:
    """Tests that touch the database, on a throw-away PostgreSQL."""
    if system.postgres_bin() is None:
        print("\n*** PostgreSQL is not installed: its tests are SKIPPED ***", flush=True)
        return 0
    # tools.postgres imports the site, which names its settings in the environment; those would win over pyproject's
    words = ("-m", "pytest", "-q", "-m", "postgres", "--ds=coursesite.settings_test")
    return tests(sys.executable, "-m", "tools.postgres", sys.executable, *words)


def unit() -> int:
    """All tests but those in a browser."""
    return tests(*PYTEST, "-m", "not e2e")


def e2e() -> int:
    """Tests in a browser."""
    return tests(sys.executable, "-m", "pytest", "-q", "-m", "e2e")


def everything() -> int:
    """All tests; those in a browser in a process of their own, because its driver keeps an event loop running."""
    return max(unit(), e2e())


PARTS: dict[str, Callable[[], int]] = {"lint": lint, "types": types, "unit": unit, "postgres": postgres, "e2e": e2e}


def main(names: list[str]) -> int:
    """Run parts, all of them to their end; the status is that of the worst."""
    system.install()
    if names:
        return max(PARTS[name]() for name in names)
    results = {"lint": lint(), "types": types(), "postgres": postgres()}
    failed = [name for name, code in results.items() if code]
    if failed:
        print(f"\n*** failed: {', '.join(failed)} (see above); the tests follow ***", flush=True)
    code = everything()
    return code or int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
