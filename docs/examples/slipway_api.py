#!/usr/bin/env python3
"""Grades of a cohort as CSV, by Slipway's API.  Only Python's own library.

SLIPWAY_TOKEN=slw_… ./slipway_api.py https://slipway.example cohorts
SLIPWAY_TOKEN=slw_… ./slipway_api.py https://slipway.example grades 7 > grades.csv
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any


def get(site: str, path: str) -> Any:
    """One answer; waits when the site says that there were too many requests."""
    request = urllib.request.Request(f"{site}/api/v1{path}", headers={"Authorization": f"Bearer {os.environ['SLIPWAY_TOKEN']}"})
    while True:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 429:
                sys.exit(f"{path}: {error.code} {json.load(error).get('message', '')}")
            time.sleep(int(error.headers.get("Retry-After", "5")))


def rows(site: str, path: str) -> Iterator[dict[str, Any]]:
    """Every row of a list, page after page."""
    after: int | None = 0
    while after is not None:
        page = get(site, f"{path}?after={after}&limit=200")
        yield from page["items"]
        after = page["next"]


def main() -> None:
    """`cohorts`, `grades COHORT` or `progress COHORT`."""
    if len(sys.argv) < 3 or "SLIPWAY_TOKEN" not in os.environ:
        sys.exit(__doc__)
    site, what, *more = sys.argv[1:]
    path = "/cohorts" if what == "cohorts" else f"/cohorts/{more[0]}/{what}"
    out: Any = None
    for row in rows(site.rstrip("/"), path):
        if out is None:
            out = csv.DictWriter(sys.stdout, list(row))
            out.writeheader()
        out.writerow(row)


if __name__ == "__main__":
    main()
