"""`manage.py up`: what it says about where the site is."""

from __future__ import annotations

import pytest

from coursesite.management.commands.up import address


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", "http://localhost:8010"),
        ("0.0.0.0", "http://localhost:8010"),
        ("::", "http://localhost:8010"),
        ("fd00::7", "http://[fd00::7]:8010"),
        ("slipway.lan", "http://slipway.lan:8010"),
    ],
)
def test_the_address_is_one_that_can_be_typed(host: str, expected: str) -> None:
    assert address(host, 8010) == expected
