"""A message that `simulator.courier` leaves is the one that Celery would have left."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import redis

from coursesite import embedded
from coursesite.celery import app
from simulator import courier, doorbell, tasks

ROW = [4, 2_000_000_000, "line", {"terminal": "t1", "text": "echo 안녕 \u0000 ' \""}, "2f1d7b86-4a3c-4f0e-a9c5-0d7d9d3b1c11"]
#: What is another in each message.
DRAWN = {"id", "root_id", "correlation_id", "delivery_tag", "reply_to"}


def shape(message: bytes) -> Any:
    """A message without what is drawn anew for each; its body read."""
    found = json.loads(message)
    found["body"] = json.loads(base64.b64decode(found["body"]))
    ids = {found["headers"]["id"], found["headers"]["root_id"], found["properties"]["correlation_id"]}
    assert len(ids) == 1 and len({*ids, found["properties"]["delivery_tag"]}) == 2
    for part in ("headers", "properties"):
        assert all(isinstance(found[part].get(name, ""), str) and found[part].get(name, "x") for name in DRAWN)
        found[part] = {name: value for name, value in found[part].items() if name not in DRAWN}
    return found


@pytest.mark.parametrize("priority", tasks.STEPS)
def test_it_is_celerys_own(
    tmp_path_factory: pytest.TempPathFactory, settings: Any, monkeypatch: pytest.MonkeyPatch, priority: int
) -> None:
    store = embedded.Valkey(tmp_path_factory.mktemp("courier"))
    url = store.start()
    try:
        settings.CELERY_TASK_ALWAYS_EAGER = False
        monkeypatch.setattr(app.conf, "task_always_eager", False)
        args, about = ["some-cluster", None, ROW], "some-cluster"
        with (
            redis.Redis.from_url(url) as client,
            app.connection_for_write(url.replace("unix://", "redis+socket://")) as connection,
        ):
            monkeypatch.setattr(doorbell, "connection", lambda: client)
            options = {"queue": "cluster.3", "argsrepr": about, "kwargsrepr": "", "priority": priority}
            tasks.advance.apply_async(tuple(args), connection=connection, **options)
            courier.send(tasks.advance, args, "cluster.3", priority, about=about)
            ours, theirs = client.lrange(courier.list_of("cluster.3", priority), 0, -1)
    finally:
        store.stop()
    assert ours != theirs
    assert shape(ours) == shape(theirs)
    assert b"some-cluster" in ours and b"terminal" not in ours  # what was typed is not shown to monitors
