"""Fixtures of the API server's tests; the schema cache is extracted when it is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.core.kube.apiserver.cluster import ControlPlane

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="session", autouse=True)
def schema_cache() -> None:
    """The extracted schema, as the set-up makes it."""
    if not (ROOT / "simulator/core/kube/api/data/v1.36.schema.json").is_file():
        subprocess.run([sys.executable, str(ROOT / "scripts/extract_schema.py")], check=True)


@pytest.fixture
def plane() -> ControlPlane:
    """A fresh etcd and API server, with the account that pods need."""
    made = ControlPlane()
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
    made.client().create("serviceaccounts", "default", account)
    return made
