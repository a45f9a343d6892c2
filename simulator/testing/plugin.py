"""The pytest plug-in: the fixture `slipway_cluster`, the marker `slipway`, the option `slipway_scenario`.

It is found by itself where the package is installed (entry point `pytest11`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .cluster import Cluster, Server


def pytest_addoption(parser: pytest.Parser) -> None:
    """The default world of a suite, in its ini file."""
    parser.addini("slipway_scenario", "world of slipway_cluster (python -m simulator scenarios)", default="three-nodes")


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line("markers", "slipway(scenario, seed, speed): the world of slipway_cluster in this test")


@pytest.fixture(scope="session")
def slipway_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, int], Server]]:
    """The servers of the session by (scenario, seed); each starts when a test first asks for it."""
    servers: dict[tuple[str, int], Server] = {}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture
def slipway_cluster(
    request: pytest.FixtureRequest,
    slipway_servers: dict[tuple[str, int], Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Cluster:
    """A fresh simulated cluster: `kubeconfig`, `url`, `run`, `kubectl`, `advance`, `settle`, `fault`."""
    marker = request.node.get_closest_marker("slipway")
    chosen = marker.kwargs if marker is not None else {}
    unknown = sorted(set(chosen) - {"scenario", "seed", "speed"})
    if unknown or (marker is not None and marker.args):
        raise pytest.UsageError(
            f"{request.node.nodeid}: slipway(scenario=, seed=, speed=): no {', '.join(unknown) or 'positional argument'}"
        )
    scenario = str(chosen.get("scenario", request.config.getini("slipway_scenario")))
    seed, speed = int(chosen.get("seed", 1)), float(chosen.get("speed", 1.0))
    from .cluster import Server  # a suite that never asks for a cluster never loads the simulator

    key = (scenario, seed)
    if key not in slipway_servers:
        slipway_servers[key] = Server(tmp_path_factory.mktemp("slipway"), scenario, seed)
    return slipway_servers[key].fresh(speed)
