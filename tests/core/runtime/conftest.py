"""A host with containerd and no Kubernetes: `box.run("ctr images ls")` types a command."""

from __future__ import annotations

import pytest

from .box import Box


@pytest.fixture
def box() -> Box:
    return Box()
