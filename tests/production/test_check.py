"""How `make test` runs failed tests once more."""

from __future__ import annotations

import pytest

from tools.check import own_name


@pytest.mark.parametrize(
    ("noted", "name"),
    [
        ("tests/a.py::test_b", "tests/a.py::test_b"),
        ("tests/a.py::test_b@core/a.py", "tests/a.py::test_b"),
        ("tests/a.py::test_b[x@y]", "tests/a.py::test_b[x@y]"),
        ("tests/a.py::test_b[x@y]@core/a.py", "tests/a.py::test_b[x@y]"),
    ],
)
def test_a_test_of_a_group_has_a_name_of_its_own(noted: str, name: str) -> None:
    assert own_name(noted) == name
