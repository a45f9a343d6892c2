"""Scenarios are built once for all workers; what cannot be read is built anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from simulator import engine, shelf
from simulator.core import sandbox
from simulator.core.sandbox import Sandbox
from simulator.models import Beginning

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The scenarios that this process has built, none of them before."""
    found: list[str] = []
    build = Sandbox.build

    def counted(scenario: str = "three-nodes", seed: int = 1, **more: Any) -> Sandbox:
        found.append(scenario)
        return build(scenario, seed, **more)

    monkeypatch.setattr(Sandbox, "build", staticmethod(counted))
    another_process(monkeypatch)
    return found


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "_boot_images", {})
    monkeypatch.setattr(sandbox, "_shared", {})


def test_the_second_worker_reads_what_the_first_has_built(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = shelf.boot("docker", 3)
    another_process(monkeypatch)
    second = shelf.boot("docker", 3)
    assert built == ["docker"]
    assert second.digest() == first.digest() and second.view() == first.view()
    assert Beginning.objects.get().scenario == "docker"


def test_a_damaged_row_is_replaced(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    first = shelf.boot("docker", 3)
    for blob in (b"nonsense", bytes(Beginning.objects.get().blob)[:-9]):
        another_process(monkeypatch)
        Beginning.objects.update(blob=blob)
        assert shelf.boot("docker", 3).digest() == first.digest()
    assert len(built) == 3
    assert Sandbox.restore(bytes(Beginning.objects.get().blob)).digest() == first.digest()


def test_rows_of_other_versions_do_not_count_and_go_in_the_end(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    long_ago = timezone.now() - 2 * shelf.KEPT
    for version, when in (("older", long_ago), ("other", timezone.now() - timedelta(minutes=1))):
        row = Beginning.objects.create(engine_version=version, scenario="docker", seed=3, blob=b"theirs")
        Beginning.objects.filter(pk=row.pk).update(created_at=when)
    shelf.boot("docker", 3)
    assert built == ["docker"]
    assert set(Beginning.objects.values_list("engine_version", flat=True)) == {"other", engine.version()}


def test_what_lacks_is_built_before_anybody_asks(built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "scenarios", lambda: frozenset({"docker", "docker-two", "kubeadm-ready"}))
    shelf.boot("docker", 1)
    assert shelf.fill() == 2
    assert built == ["docker", "docker-two", "kubeadm-ready"]
    assert shelf.fill() == 0
    another_process(monkeypatch)
    shelf.boot("kubeadm-ready", 1)
    assert len(built) == 3, "it was read"
