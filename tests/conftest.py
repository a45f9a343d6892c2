"""Fixtures for everybody: users, and a stand-in simulator for tests of the site's machinery."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from simulator.core.host import processes

# How long an example takes to be made or run says how busy the machine is, not whether the code is right: no test fails for it.
# Nor may a change be refused for an example that happens to be drawn for the first time: a run draws the same ones each time.
# New ones are looked for by `make soak` (tools/soak.py), with --hypothesis-profile=explore.
UNHURRIED: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("slipway", derandomize=True, database=None, **UNHURRIED)
hypothesis.settings.register_profile("explore", **UNHURRIED)
hypothesis.settings.load_profile("slipway")

# Hypothesis also draws constants that it reads in whatever modules of the project are loaded by then, which differs with the tests that ran
# before and with every change of the code: tests/docs/test_repeatable.py sees to it that this stays off.
vars(providers)["_get_local_constants"] = lambda: providers._local_constants


#: A defect of a simulated program's behaviour fails the test instead of ending the simulated process.
processes.STRICT = True


@pytest.fixture
def standin(settings: Any) -> Iterator[type]:
    """Put the stand-in in the simulator's place."""
    from simulator import engine, worlds
    from tests.simulator.standin import StandIn

    settings.SLIPWAY_SANDBOX = "tests.simulator.standin.StandIn"
    _forget(engine, worlds)
    yield StandIn
    _forget(engine, worlds)


def _forget(engine: Any, worlds: Any) -> None:
    worlds.cache.clear()
    for function in (engine.engine, engine.version, engine.scenarios):
        function.cache_clear()


@pytest.fixture
def learner(db: None) -> Any:
    """A learner."""
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_user("mina", "mina@example.org", "a long password")


@pytest.fixture
def stranger(db: None) -> Any:
    """Another learner."""
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_user("jun", "jun@example.org", "a long password")
