"""Figures for Prometheus, the dashboard that draws them, and log lines that keep secrets."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from coursesite import logs, metrics
from simulator import context, measures

ROOT = Path(__file__).resolve().parents[2]


def rendered() -> dict[str, Any]:
    measures.command.observe(0.02)
    measures.inputs.labels("line").inc()
    return {family.name: family for family in text_string_to_metric_families(metrics.render().decode())}


def ours() -> set[str]:
    """The names of all figures, as Prometheus lists them."""
    source = (ROOT / "simulator" / "measures.py").read_text() + (ROOT / "coursesite" / "metrics.py").read_text()
    return set(re.findall(r'(?:"|TYPE )(slipway_[a-z_]+)', source))


def test_what_was_counted_is_told() -> None:
    found = rendered()
    assert found["slipway_command_seconds"].type == "histogram"
    assert any(sample.value >= 1 for sample in found["slipway_inputs"].samples if sample.labels.get("result") == "line")
    assert "slipway_queue_served" in found


def test_every_figure_is_documented_and_the_dashboard_draws_only_what_there_is() -> None:
    documented = set(re.findall(r"^\| `(slipway_[a-z_]+)`", (ROOT / "docs" / "operations.md").read_text(), re.MULTILINE))
    assert documented == ours()
    board = json.loads((ROOT / "deploy" / "grafana" / "slipway.json").read_text())
    drawn = {
        re.sub(r"_(bucket|sum|count)$", "", name)
        for panel in board["panels"]
        for target in panel["targets"]
        for name in re.findall(r"slipway_[a-z_]+", target["expr"])
    }
    assert drawn == documented


@pytest.mark.parametrize(
    ("client", "token", "header", "may"),
    [
        ("127.0.0.1", "", "", True),
        ("10.0.0.7", "", "", False),
        ("10.0.0.7", "s3cret", "Bearer s3cret", True),
        ("127.0.0.1", "s3cret", "", False),
        ("127.0.0.1", "s3cret", "Bearer other", False),
    ],
)
def test_who_may_read_figures(settings: Any, client: str, token: str, header: str, may: bool) -> None:
    settings.METRICS_TOKEN = token
    headers = [(b"authorization", header.encode())] if header else []
    assert metrics.allowed({"client": (client, 1), "headers": headers}) is may


def record(message: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("slipway", logging.INFO, "f", 1, message, args, None)


def test_log_lines_say_what_they_are_about_and_keep_secrets() -> None:
    token = context.cluster.set("c-1")
    try:
        line = logs.Json().format(record("lost %s with Bearer abcdefgh12345", "redis://user:hunter2@db:6379/0"))
        text = logs.Line("{message}", style="{").format(record("hello"))
    finally:
        context.cluster.reset(token)
    value = json.loads(line)
    assert value["cluster"] == "c-1"
    assert "hunter2" not in line and "abcdefgh" not in line
    assert "redis://user:***@db" in value["message"]
    assert text == "hello [cluster=c-1]"


@pytest.mark.asyncio
async def test_every_answer_carries_the_id_of_its_request() -> None:
    from coursesite.asgi import application

    async def ask(given: bytes) -> bytes:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        await application(
            {"type": "http", "method": "GET", "path": "/healthz", "headers": [(b"x-request-id", given)]}, receive, send
        )
        return bytes(dict(sent[0]["headers"])[b"x-request-id"])

    assert await ask(b"0123456789abcdef") == b"0123456789abcdef"
    made = await ask(b"evil\r\nheader")
    assert re.fullmatch(rb"[0-9a-f]{32}", made)
