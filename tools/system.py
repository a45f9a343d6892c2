"""What tests need of the system: PostgreSQL's programs and a Chromium.  As root on Debian or Ubuntu they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def postgres_bin() -> Path | None:
    """The folder of `initdb`, newest version first."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]), reverse=True)
    if found:
        return found[0].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def chromium() -> str | None:
    """A Chromium that the system brings, else Playwright's own if it was installed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    return None


def nginx() -> str | None:
    """nginx, which Debian keeps where only root looks."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


def redis_server() -> str | None:
    """A Redis or Valkey server that the system brings."""
    return shutil.which("valkey-server") or shutil.which("redis-server")


def apt(wanted: list[str]) -> bool:
    """Install Debian packages, as root where there is apt; False where that cannot be."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    # RUNLEVEL=1: the package must not start a server of its own.
    env = dict(os.environ, DEBIAN_FRONTEND="noninteractive", RUNLEVEL="1")
    print(f"installing {' '.join(wanted)} …", flush=True)
    subprocess.run(["apt-get", "update", "-qq"], env=env, check=False)
    options = ["-y", "-qq", "--no-install-recommends"]
    done = subprocess.run(["apt-get", "install", *options, *wanted], env=env, stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def install() -> None:
    """Install what is missing where that is possible; say loudly where it is not."""
    wanted = [package for package, there in (("postgresql", postgres_bin()), ("chromium", chromium())) if not there]
    if not wanted:
        return
    if not apt(wanted) and not chromium():
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    for what, there in (("PostgreSQL", postgres_bin()), ("a system Chromium", chromium())):
        if not there:
            print(f"\n*** {what} is not here and could not be installed: tests that need it are SKIPPED ***\n", flush=True)


if __name__ == "__main__":
    install()
