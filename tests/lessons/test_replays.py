"""What a replay holds."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lessons.desk import replays
from simulator import services, typed

pytestmark = pytest.mark.django_db


def test_a_replay_does_not_tell_how_the_cluster_was_set_up(learner: Any) -> None:
    session = services.session_for(learner, "one-node", "harbour/ships")
    typed.set_up(session, ["touch /root/broken-on-purpose"])
    services.append_input(session, kind="open", data={"terminal": "t1", "host": "controlplane"})
    services.append_input(session, kind="line", data={"terminal": "t1", "text": "echo seen"})
    assert services.advance(session.pk) is not None
    session.refresh_from_db()
    data = replays.data(session)
    assert [moment["text"] for moment in data["moments"] if moment["kind"] == "line"] == ["echo seen"]
    assert "seen" in "".join(text for _at, _terminal, _fd, text in data["chunks"])
    assert "broken-on-purpose" not in json.dumps(data)
